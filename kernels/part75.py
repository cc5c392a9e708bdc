"""Substitution of missing hours as 40 CFR 75.33 has it: by availability, length of the gap and a look-back of valid hours.

Belongs here: the buckets of 75.33, monitor data availability and order statistics of the look-back. Does not belong here: the numbers
of the buckets (`reference/rules/us-part-75.toml`) and the substitution of mass after HJ 75, which looks alike and is not this.

An hour is one of unit operation or not; only the former are looked at. The cost of a series is n log n in its hours whatever the
look-back: ranks are counted in a Fenwick tree, so that a percentile is found without sorting the window again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

#: How an hour came by its value. NO_VALUE: the method gives none (no valid hour on one side of a gap that needs both).
MEASURED, NOT_OPERATING, AVERAGE, LOOKBACK, MAXIMUM, POTENTIAL, NO_VALUE = range(7)

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.int8]


class Buckets(NamedTuple):
    """Numbers of 75.33: availability in %, gaps in hours, percentiles in %."""

    high_pct: float
    middle_pct: float
    low_pct: float
    high_gap_h: int
    middle_gap_h: int
    high_percentile: int
    middle_percentile: int


class Substituted(NamedTuple):
    """All (H,): value or substitute (NaN where none), how it came about, availability in % after each hour of operation."""

    value: Floats
    method: Bytes
    availability_pct: Floats


@njit(cache=True, nogil=True)
def substitute(
    pma: float, gap: int, average: float, p_high: float, p_middle: float, highest: float, potential: float,
    buckets: Buckets,
) -> tuple[float, int]:  # fmt: skip
    """The substitute of every hour of one gap, and its method (vector V32).

    pma: availability in %; gap: hours of the gap; average: mean of the hours before and after (NaN when either is absent);
    p_high, p_middle, highest: percentiles and maximum of the look-back; potential: maximum potential concentration.
    """
    if pma < buckets.low_pct:
        return potential, POTENTIAL
    if pma < buckets.middle_pct:
        return highest, MAXIMUM
    if np.isnan(average):
        return np.nan, NO_VALUE
    high = pma >= buckets.high_pct
    if gap <= (buckets.high_gap_h if high else buckets.middle_gap_h):
        return average, AVERAGE
    ranked = p_high if high else p_middle
    return (ranked, LOOKBACK) if ranked > average else (average, AVERAGE)


@njit(cache=True, nogil=True)
def _kth(tree: npt.NDArray[np.int64], k: int) -> int:
    """Rank (from 0) of the k-th smallest value (from 1) that is counted in the tree."""
    at = 0
    step = 1
    while step * 2 < tree.size:
        step *= 2
    while step:
        if at + step < tree.size and tree[at + step] < k:
            at += step
            k -= tree[at]
        step //= 2
    return at


@njit(cache=True, nogil=True)
def _add(tree: npt.NDArray[np.int64], rank: int, change: int) -> None:
    at = rank + 1
    while at < tree.size:
        tree[at] += change
        at += at & -at


@njit(cache=True, nogil=True)
def _fill(
    value: Floats, operates: Bools, look_back: int, horizon: int, potential: float, buckets: Buckets,
    out: Floats, method: Bytes, availability: Floats,
) -> None:  # fmt: skip
    hours = np.flatnonzero(operates)
    n = hours.size
    seen = np.empty(n)
    for i in range(n):
        seen[i] = value[hours[i]]
    good = np.isfinite(seen)
    order = np.argsort(np.where(good, seen, np.inf), kind="mergesort")
    rank = np.empty(n, np.int64)
    for r in range(n):
        rank[order[r]] = r
    tree = np.zeros(n + 1, np.int64)
    valid = np.flatnonzero(good)
    held = since = counted = 0
    i = 0
    while i < n:
        j = i
        while j < n and not good[j]:
            j += 1
        for at in range(i, min(j + 1, n)):
            counted += good[at]
            if at >= horizon:
                counted -= good[at - horizon]
            availability[hours[at]] = 100.0 * counted / min(at + 1, horizon)
        if j > i:
            average = 0.5 * (seen[i - 1] + seen[j]) if i > 0 and j < n else np.nan
            if held < look_back:
                # 75.31: before the look-back is full the mean of the hours around the gap stands in, whatever its length.
                filled, how = average, NO_VALUE if np.isnan(average) else AVERAGE
            else:
                high = seen[order[_kth(tree, (buckets.high_percentile * look_back + 99) // 100)]]
                middle = seen[order[_kth(tree, (buckets.middle_percentile * look_back + 99) // 100)]]
                highest = seen[order[_kth(tree, look_back)]]
                pma = availability[hours[j - 1]]
                filled, how = substitute(pma, j - i, average, high, middle, highest, potential, buckets)
            for at in range(i, j):
                out[hours[at]] = filled
                method[hours[at]] = how
        if j < n:
            out[hours[j]] = seen[j]
            method[hours[j]] = MEASURED
            _add(tree, rank[j], 1)
            held += 1
            if held > look_back:
                _add(tree, rank[valid[since]], -1)
                since += 1
                held -= 1
        i = j + 1


def fill_missing(
    value: Floats, operates: Bools, *, look_back: int, horizon: int, potential: float, buckets: Buckets
) -> Substituted:
    """Every missing hour of one series substituted after 40 CFR 75.33 (R21, vector V32).

    value (H,): concentration by hour, NaN = missing; operates (H,): hours of unit operation; look_back: valid hours before the
    gap that its percentiles and maximum are taken of (720, 2160); horizon: unit operating hours that availability is taken over
    (8760), fewer at the start of a series, in the gap's last hour; potential: maximum potential concentration in the unit of
    `value`. Percentiles are nearest rank. Until the look-back is full 75.31 holds: the mean of the hours before and after.
    ValueError on shapes that do not go together.
    """
    if value.shape != operates.shape or value.ndim != 1:
        raise ValueError(f"value {value.shape} and operates {operates.shape} are no series of hours")
    if look_back < 1 or horizon < 1:
        raise ValueError(f"look-back {look_back} h and horizon {horizon} h must be positive")
    made = Substituted(
        np.full(value.shape, np.nan), np.full(value.shape, NOT_OPERATING, np.int8), np.full(value.shape, np.nan)
    )
    _fill(value, operates, look_back, horizon, potential, buckets, *made)
    return made
