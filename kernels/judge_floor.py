"""The mandatory standard over a month: every tested hour must hold it, so one failing hour is enough.

Belongs here: counting tested and failing hours of single series, and finding the worst. Does not belong here: the 95 % rule
(`judge_month`), comparison bounds (`bounds`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from kernels.judge import HOURS_PER_DAY, STOPPED, Bools, Bytes, Counts, Floats, per_day, same_shape


class Floor(NamedTuple):
    """Hours of each series, all (S,): production hours under a mandatory limit; of these within a cap, not tested; tested;
    failing; and the tested hour that is highest in proportion to its limit (-1 = none).
    """

    production: Counts
    exempt: Counts
    tested: Counts
    failing: Counts
    worst: Counts


@njit(cache=True, nogil=True)
def _floor(
    value: Floats, state: Bytes, exempt: Bools, limit: Floats, bound: Floats,
    production: Counts, left_out: Counts, tested: Counts, failing: Counts, worst: Counts,
) -> None:  # fmt: skip
    series, hours = value.shape
    for s in range(series):
        most = of = 0.0
        worst[s] = -1
        for h in range(hours):
            day = h // HOURS_PER_DAY
            v, own = value[s, h], limit[s, day]
            if np.isnan(own) or state[s, h] < 0 or state[s, h] == STOPPED:
                continue
            production[s] += 1
            if exempt[s, h]:
                left_out[s] += 1
            elif np.isfinite(v):
                tested[s] += 1
                failing[s] += v > bound[s, day]
                # v / own against most / of, without dividing.
                if worst[s] < 0 or v * of > most * own:
                    most, of, worst[s] = v, own, h


def floor_month(value: Floats, state: Bytes, exempt: Bools, limit: Floats, bound: Floats) -> Floor:
    """Test a month against the mandatory standard (R13, R14, R15).

    value, state, exempt (S, H) as in `judge.judge_hours`; limit and bound (S, D): the mandatory limit in mg/m3 (NaN = none) and
    the greatest value that holds it. ValueError on shapes that do not go together.
    """
    same_shape(value, state, exempt)
    per_day(value, limit, bound)
    made = Floor(*(np.zeros(value.shape[0], np.int32) for _ in range(5)))
    _floor(value, state, exempt, limit, bound, *made)
    return made
