"""Hour means converted to a reference oxygen that changes by the day, for standards that have their own.

Belongs here: the conversion over arrays. Does not belong here: the formula (`standard_state`), the hours of Chinese law (`hours`), which
convert each minute.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from kernels.standard_state import oxygen_factor

HOURS_PER_DAY = 24

Floats = npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def _convert(value: Floats, o2: Floats, reference: Floats, air: float, out: Floats) -> None:
    for s in range(value.shape[0]):
        for h in range(value.shape[1]):
            r = reference[s, h // HOURS_PER_DAY]
            out[s, h] = value[s, h] if np.isnan(r) else value[s, h] * oxygen_factor(o2[s, h], r, air, air)


def at_reference(value: Floats, o2: Floats, reference: Floats, air_pct: float) -> Floats:
    """Hour means x (air - reference) / (air - o2), hour by hour: E_s = (21 - O_s)/(21 - O_m) x E_m, or with 20.9.

    value, o2 (S, 24 x D): dry concentration and dry oxygen in %; reference (S, D) in %, NaN = as measured. Without oxygen, and where
    it reaches `air_pct`, the result is NaN. Shape of `value`. ValueError on shapes that do not go together.
    """
    if value.shape != o2.shape or value.shape != (reference.shape[0], reference.shape[1] * HOURS_PER_DAY):
        raise ValueError(f"value {value.shape}, o2 {o2.shape} and reference {reference.shape} do not fit")
    out = np.empty(value.shape)
    _convert(value, o2, reference, air_pct, out)
    return out
