"""What is derived from the readings of one minute before an hour is made: NOx as NO2, dry oxygen, dry standard flow.

Belongs here: loops over the 1,440 cells of one outlet that combine channels. Does not belong here: laying records out
(`minutes`), the formulas themselves (`standard_state`), hour means (`hours`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from kernels import minutes as at
from kernels.standard_state import dry_factor, dry_standard_flow, duct_flow, nox_from_parts, oxygen_factor

if TYPE_CHECKING:
    from kernels.minutes import Cells, Floats, Longs


class Constants(NamedTuple):
    """Constants of the formulas: oxygen of air, oxygen from which conversion has no meaning (both in %), T0 in K, P0 in
    kPa, molar mass of NO2 over that of NO.
    """

    air_pct: float
    guard_pct: float
    zero_c_k: float
    standard_kpa: float
    no_as_no2: float


class Air(NamedTuple):
    """Per minute of an outlet, NaN where not valid: wet-to-dry factor, dry O2 in %, factor to reference O2, dry
    standard flow in m3/h; all (1440,).
    """

    dry: Floats
    o2: Floats
    to_reference: Floats
    flow: Floats


@njit(cache=True, nogil=True)
def new_air() -> Air:
    """Scratch for one outlet."""
    n = at.DAY_MINUTES
    return Air(np.empty(n), np.empty(n), np.empty(n), np.empty(n))


@njit(cache=True, nogil=True)
def _reading(value: float, state: int) -> float:
    """The value of a cell where it is valid, else NaN. Scalars only: arrays passed per minute cost more than the work."""
    return value if state & at.CLASS_BITS == at.VALID else math.nan


@njit(cache=True, nogil=True)
def _unusable_parts(no: int, no2: int, no_rank: int, no2_rank: int) -> np.int64:
    """State of NOx where parts are there that give none: what is wrong with a part, of both the graver by rank, or NO_BASIS."""
    no_bad = no != at.NONE and no & at.CLASS_BITS != at.VALID
    no2_bad = no2 != at.NONE and no2 & at.CLASS_BITS != at.VALID
    if no_bad and (not no2_bad or no_rank <= no2_rank):
        return np.int64(no)
    return np.int64(no2) if no2_bad else np.int64(at.NO_BASIS)


@njit(cache=True, nogil=True)
def fill_nox(cells: Cells, no_as_no2: float, rank: Longs) -> None:
    """Fill the row NOX_AS_NO2 (HJ 75-2017 appendix C, A4).

    A nox channel counted as NO2 is taken as it is. Where the device row says that it is not: NO x `no_as_no2` + NO2
    when both are valid, else the nox channel x `no_as_no2`. Where only parts are there that may not or cannot be
    added up, the minute has no basis; where a part is not valid, it bears what is wrong with it (`rank`: precedence by class).
    """
    for m in range(at.DAY_MINUTES):
        own, no, no2 = cells.state[at.NOX, m], cells.state[at.NO, m], cells.state[at.NO2, m]
        value, state = cells.value[at.NOX, m], np.int64(own)
        if own == at.NONE or own & at.NOT_AS_NO2:
            both = no & at.CLASS_BITS == at.VALID and no2 & at.CLASS_BITS == at.VALID
            if both and no & at.NOT_AS_NO2:
                value, state = nox_from_parts(cells.value[at.NO, m], cells.value[at.NO2, m], no_as_no2), np.int64(no)
            elif own != at.NONE:
                value = value * no_as_no2
            elif no != at.NONE or no2 != at.NONE:
                state = _unusable_parts(no, no2, rank[no & at.CLASS_BITS], rank[no2 & at.CLASS_BITS])
        cells.value[at.NOX_AS_NO2, m] = value
        cells.state[at.NOX_AS_NO2, m] = state


@njit(cache=True, nogil=True)
def fill_air(
    cells: Cells, area: float, coefficient: float, o2_reference: float, constants: Constants, air: Air
) -> None:
    """Fill `air` from the cells; `area` in m2, `coefficient` and `o2_reference` are NaN where there is none.

    Flow is the one reported, or wet and actual from the velocity in minutes without any record of flow.
    """
    v, s = cells.value, cells.state
    for m in range(at.DAY_MINUTES):
        moisture = _reading(v[at.HUMIDITY, m], s[at.HUMIDITY, m])
        air.dry[m] = dry_factor(moisture)
        o2 = _reading(v[at.O2, m], s[at.O2, m])
        air.o2[m] = o2 * air.dry[m] if s[at.O2, m] & at.WET else o2
        air.to_reference[m] = oxygen_factor(air.o2[m], o2_reference, constants.air_pct, constants.guard_pct)
        flow = _reading(v[at.FLOW, m], s[at.FLOW, m])
        wet = s[at.FLOW, m] & at.WET != 0
        if s[at.FLOW, m] == at.NONE:
            flow, wet = duct_flow(area, coefficient, _reading(v[at.VELOCITY, m], s[at.VELOCITY, m])), True
        if wet:
            temperature = _reading(v[at.TEMPERATURE, m], s[at.TEMPERATURE, m])
            pressure = _reading(v[at.PRESSURE, m], s[at.PRESSURE, m])
            flow = dry_standard_flow(flow, temperature, pressure, moisture, constants.zero_c_k, constants.standard_kpa)
        air.flow[m] = flow
