"""Sums that do not depend on the order of their terms: each is the exact sum, rounded once.

Belongs here: exactly rounded sums of groups of doubles. Does not belong here: what is summed and over which groups.

Masses are added over hours, days, months and outlets that may come in any order; a plain float sum would differ in its last
bits. An exactly rounded one has a single answer, which anybody can check: it equals Python's `math.fsum`. Whole grams or
milligrams would be as reproducible, but round mercury away or overflow on a wrong flow.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

#: More partial sums than doubles can have without overlapping: 2098 bits in pieces of at least 53.
_PARTS = 64


@njit(cache=True, nogil=True)
def _sums(values: Floats, starts: Places, out: Floats) -> None:
    # Shewchuk's non-overlapping partial sums, rounded at the end as math.fsum does.
    parts = np.empty(_PARTS)
    for g in range(out.size):
        used = 0
        terms = 0
        for i in range(starts[g], starts[g + 1]):
            x = values[i]
            if np.isnan(x):
                continue
            terms += 1
            kept = 0
            for j in range(used):
                y = parts[j]
                if abs(x) < abs(y):
                    x, y = y, x
                high = x + y
                low = y - (high - x)
                if low != 0.0:
                    parts[kept] = low
                    kept += 1
                x = high
            if x != 0.0:
                parts[kept] = x
                kept += 1
            used = kept
        if terms == 0:
            out[g] = np.nan
            continue
        total = 0.0
        low = 0.0
        while used > 0:
            used -= 1
            y = parts[used]
            x = total
            total = x + y
            low = y - (total - x)
            if low != 0.0:
                break
        # What was cut off may be just half a unit: then the parts below it decide which way to round.
        if used > 0 and ((low < 0.0 and parts[used - 1] < 0.0) or (low > 0.0 and parts[used - 1] > 0.0)):
            y = 2.0 * low
            x = total + y
            if y == x - total:
                total = x
        out[g] = total


def exact_sums(values: Floats, starts: Places) -> Floats:
    """Exactly rounded sums of values[starts[g] : starts[g + 1]], NaN left out; NaN for a group without any number.

    values (N,) finite or NaN; starts (G + 1,) ascending from 0 to N. ValueError when they are not.
    """
    ends = np.asarray(starts, np.int64)
    if ends.size == 0 or ends[0] != 0 or ends[-1] != values.size or (np.diff(ends) < 0).any():
        raise ValueError(f"groups do not cover {values.size} values in ascending order")
    out = np.empty(ends.size - 1)
    _sums(np.ascontiguousarray(values, np.float64), ends, out)
    return out
