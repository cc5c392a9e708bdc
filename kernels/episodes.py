"""Episodes: unbroken runs of failing hours, with their length, peak and sum.

Belongs here: finding the runs of a mask. Does not belong here: what makes an hour fail (`judge`), joining episodes across
months (`assets/annual.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from kernels.judge import Bools, Counts, Floats, same_shape


class Episodes(NamedTuple):
    """One entry an episode, by series and time: series, first hour, hours, greatest value and its (first) hour, mean value,
    and how many of the hours are marked.
    """

    series: Counts
    first: Counts
    hours: Counts
    peak: Floats
    peak_hour: Counts
    mean: Floats
    marked: Counts


@njit(cache=True, nogil=True)
def _runs(fails: Bools) -> int:
    found = 0
    for s in range(fails.shape[0]):
        before = False
        for h in range(fails.shape[1]):
            found += fails[s, h] and not before
            before = fails[s, h]
    return found


@njit(cache=True, nogil=True)
def _fill(
    fails: Bools, value: Floats, mark: Bools,
    series: Counts, first: Counts, length: Counts, peak: Floats, peak_hour: Counts, mean: Floats, marked: Counts,
) -> None:  # fmt: skip
    k = -1
    for s in range(fails.shape[0]):
        open_ = False
        for h in range(fails.shape[1]):
            if not fails[s, h]:
                open_ = False
                continue
            v = value[s, h]
            if not open_:
                open_ = True
                k += 1
                series[k], first[k], length[k], mean[k], marked[k] = s, h, 0, 0.0, 0
                peak[k], peak_hour[k] = v, h
            length[k] += 1
            marked[k] += mark[s, h]
            # The running mean of hours in order: the same sum whatever else is in the month.
            mean[k] += v
            if v > peak[k]:
                peak[k], peak_hour[k] = v, h
    for i in range(k + 1):
        mean[i] /= length[i]


def episodes(fails: Bools, value: Floats, mark: Bools) -> Episodes:
    """Runs of consecutive clock hours that fail. All (S, H); value is finite where an hour fails. Linear in hours."""
    same_shape(fails, value, mark)
    n = _runs(fails)
    first, length, peak_hour, marked = (np.empty(n, np.int32) for _ in range(4))
    made = Episodes(np.empty(n, np.int32), first, length, np.empty(n), peak_hour, np.empty(n), marked)
    _fill(fails, value, mark, *made)
    return made
