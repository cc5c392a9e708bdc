"""Patterns over many hours: hovering, spikes under a limit, replays, shared sources, low nights, marks at exceedances.

Belongs here: loops over hours of series, (S, H) with NaN where there is no hour to look at, H whole days from a midnight.
Does not belong here: minutes (`signal_minutes`), which hours count, tables, thresholds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Longs = NDArray[np.int64]

DAY = 24
_BINS_BELOW, _BINS_ABOVE = 2, 2


class Spike(NamedTuple):
    """Per series: hours in the bin just below the limit, and mean number of hours of the bins around it."""

    top: NDArray[np.int32]
    around: Floats


class Lift(NamedTuple):
    """Per series: marks, marks at a rise, hours, hours at a rise."""

    marks: NDArray[np.int32]
    at_rise: NDArray[np.int32]
    hours: NDArray[np.int32]
    rise_hours: NDArray[np.int32]


@njit(cache=True, nogil=True)
def _narrow(values: Floats, window: int, widest: Floats, ratio: float, out: Bools) -> None:
    for s in range(values.shape[0]):
        x = values[s]
        told = 0
        for end in range(window, x.size + 1):
            low, high = math.inf, -math.inf
            h = end - 1
            # Looking back, most windows are too wide after a few hours.
            while h >= end - window:
                v = x[h]
                low, high = min(low, v), max(high, v)
                if math.isnan(v) or not (high - low <= widest[s] and high <= ratio * low):
                    break
                h -= 1
            if h < end - window:
                out[s, max(told, end - window) : end] = True
                told = end


def narrow(values: Floats, window: int, widest: Floats, ratio: float = math.inf) -> Bools:
    """Hours that lie in a stretch of `window` or more that stays within `widest[s]`, its largest no more than `ratio` x its
    smallest. A missing hour ends a stretch. ValueError for a window below 1 or another number of widths than series.
    """
    if window < 1 or widest.size != values.shape[0]:
        raise ValueError(f"window of {window} h; {widest.size} widths for {values.shape[0]} series")
    out = np.zeros(values.shape, np.bool_)
    _narrow(values, window, widest, ratio, out)
    return out


@njit(cache=True, nogil=True)
def _long_runs(hits: Bools, least: int, out: Bools) -> None:
    for s in range(hits.shape[0]):
        begin = 0
        for h in range(hits.shape[1] + 1):
            if h < hits.shape[1] and hits[s, h]:
                continue
            if h - begin >= least:
                out[s, begin:h] = True
            begin = h + 1


def long_runs(hits: Bools, least: int) -> Bools:
    """Of the hits only those in unbroken runs of at least `least`."""
    out = np.zeros(hits.shape, np.bool_)
    _long_runs(hits, max(least, 1), out)
    return out


@njit(cache=True, nogil=True)
def _spikes(values: Floats, limit: Floats, width: float, out: Spike) -> None:
    for s in range(values.shape[0]):
        if math.isnan(limit[s]):
            continue
        step, around = width * limit[s], 0
        for h in range(values.shape[1]):
            v = values[s, h]
            if limit[s] - step <= v <= limit[s]:
                out.top[s] += 1
            elif limit[s] - (1 + _BINS_BELOW) * step <= v <= limit[s] + _BINS_ABOVE * step:
                around += 1
        out.around[s] = around / (_BINS_BELOW + _BINS_ABOVE)


def spikes(values: Floats, limit: Floats, width: float) -> Spike:
    """Hours in [(1 - width) L, L] against the mean of the two bins of that width on either side (air-rules 6, A05)."""
    if limit.size != values.shape[0]:
        raise ValueError(f"{limit.size} limits for {values.shape[0]} series")
    out = Spike(np.zeros(limit.size, np.int32), np.zeros(limit.size))
    _spikes(values, limit, width, out)
    return out


@njit(cache=True, nogil=True)
def correlation(a: Floats, b: Floats, least_share: float, least_spread: float) -> float:
    """Correlation of two arrays of equal length; NaN where one has a gap, is as good as flat, or falls far below its mean.

    `least_share`: no value may lie below this share of its mean (a stop would make any two sources alike);
    `least_spread`: standard deviation over mean.
    """
    n = a.size
    ma, mb = 0.0, 0.0
    for k in range(n):
        ma += a[k]
        mb += b[k]
    ma, mb = ma / n, mb / n
    if not (ma > 0.0 and mb > 0.0):
        return math.nan
    va, vb, both = 0.0, 0.0, 0.0
    for k in range(n):
        if a[k] < least_share * ma or b[k] < least_share * mb:
            return math.nan
        va += (a[k] - ma) * (a[k] - ma)
        vb += (b[k] - mb) * (b[k] - mb)
        both += (a[k] - ma) * (b[k] - mb)
    if math.sqrt(va / n) < least_spread * ma or math.sqrt(vb / n) < least_spread * mb:
        return math.nan
    return both / math.sqrt(va * vb)


@njit(cache=True, nogil=True)
def _replays(values: Floats, least_share: float, least_spread: float, out: Floats) -> None:
    for s in range(values.shape[0]):
        for d in range(1, values.shape[1] // DAY):
            a = values[s, (d - 1) * DAY : d * DAY]
            b = values[s, d * DAY : (d + 1) * DAY]
            out[s, d] = correlation(a, b, least_share, least_spread)


def replays(values: Floats, least_share: float, least_spread: float) -> Floats:
    """Correlation of each day with the day before it, (S, D); NaN where it says nothing (air-rules 6, A17)."""
    out = np.full((values.shape[0], values.shape[1] // DAY), math.nan)
    _replays(values, least_share, least_spread, out)
    return out


def alike(values: Floats, above: float, least_share: float, least_spread: float) -> tuple[Longs, Longs, Floats]:
    """Pairs of series with a correlation above `above` over all hours given: first, second (first < second), correlation.

    A product of matrices of 32 bits finds candidates, block by block; each is then computed on its own, so that the figures
    depend on nothing else (air-rules 6, A16).
    """
    whole = np.flatnonzero(~np.isnan(values).any(axis=1))
    x = values[whole]
    mean = x.mean(axis=1) if whole.size else np.empty(0)
    spread = x.std(axis=1) if whole.size else np.empty(0)
    tells = (mean > 0) & (spread >= least_spread * mean) & (x.min(axis=1, initial=math.inf) >= least_share * mean)
    whole, x, mean, spread = whole[tells], x[tells], mean[tells], spread[tells]
    unit = ((x - mean[:, None]) / (spread[:, None] * math.sqrt(max(values.shape[1], 1)))).astype(np.float32)
    firsts, seconds = [], []
    for lo in range(0, whole.size, _BLOCK):
        near = unit[lo : lo + _BLOCK] @ unit[lo:].T > above - _SLACK
        a, b = np.nonzero(np.triu(near, 1))
        firsts.append(whole[a + lo])
        seconds.append(whole[b + lo])
    first = np.concatenate(firsts) if firsts else np.empty(0, np.int64)
    second = np.concatenate(seconds) if seconds else np.empty(0, np.int64)
    exact = _pairs(values, first, second, least_share, least_spread)
    kept = exact > above
    return first[kept], second[kept], exact[kept]


_BLOCK = 512
_SLACK = 1e-3


@njit(cache=True, nogil=True)
def _pairs(values: Floats, first: Longs, second: Longs, least_share: float, least_spread: float) -> Floats:
    out = np.empty(first.size)
    for k in range(first.size):
        out[k] = correlation(values[first[k]], values[second[k]], least_share, least_spread)
    return out


@njit(cache=True, nogil=True)
def _nights(values: Floats, night: Bools, days: int, least: int, out: Floats) -> None:
    whole = values.shape[1] // DAY
    sums = np.zeros((whole + 1, 4))
    for s in range(values.shape[0]):
        for d in range(whole):
            for k in range(4):
                sums[d + 1, k] = 0.0
            for h in range(DAY):
                v = values[s, d * DAY + h]
                if not math.isnan(v):
                    k = 0 if night[h] else 2
                    sums[d + 1, k] += v
                    sums[d + 1, k + 1] += 1.0
        for d in range(days, whole + 1):
            at_night, n, by_day, m = 0.0, 0.0, 0.0, 0.0
            for back in range(d - days, d):
                at_night += sums[back + 1, 0]
                n += sums[back + 1, 1]
                by_day += sums[back + 1, 2]
                m += sums[back + 1, 3]
            if n >= least and m >= least and by_day > 0.0:
                out[s, d - 1] = at_night / n / (by_day / m)


def nights(values: Floats, night: Bools, days: int, least: int) -> Floats:
    """Mean of the night hours over mean of the others, over `days` days up to and with each day, (S, D) (air-rules 6, A23).

    `night` (24,): which hours of the clock. NaN in the first `days` - 1 days, and where one side has fewer than `least` hours.
    """
    if night.shape != (DAY,) or days < 1:
        raise ValueError(f"{night.shape} hours of the clock, {days} days")
    out = np.full((values.shape[0], values.shape[1] // DAY), math.nan)
    _nights(values, night, days, least, out)
    return out


@njit(cache=True, nogil=True)
def _lift(values: Floats, limit: Floats, marks: Bools, reach: int, since: int, out: Lift) -> None:
    hours = values.shape[1]
    near = np.zeros(hours, np.bool_)
    for s in range(values.shape[0]):
        if math.isnan(limit[s]):
            continue
        near[:] = False
        before = math.nan
        for h in range(hours):
            if values[s, h] > limit[s] and before <= limit[s]:
                near[h : min(h + reach + 1, hours)] = True
            if not math.isnan(values[s, h]):
                before = values[s, h]
        for h in range(since, hours):
            out.hours[s] += 1
            out.rise_hours[s] += near[h]
            begins = marks[s, h] and (h == 0 or not marks[s, h - 1])
            out.marks[s] += begins
            out.at_rise[s] += begins and near[h]


def lift(values: Floats, limit: Floats, marks: Bools, reach: int, since: int) -> Lift:
    """Counts for "marks begin where values rise above the limit" (air-rules 6, A14) over the hours from `since` on.

    A rise is an hour above `limit[s]` whose last valued hour before it was not; a mark is at a rise when its first hour is
    that hour or one of the `reach` after it. `marks` (S, H): hours under a mark. The lift is (at_rise / marks) /
    (rise_hours / hours). ValueError when the arrays do not fit together.
    """
    if marks.shape != values.shape or limit.size != values.shape[0]:
        raise ValueError(f"values {values.shape}, marks {marks.shape}, {limit.size} limits")
    out = Lift(*(np.zeros(limit.size, np.int32) for _ in Lift._fields))
    _lift(values, limit, marks, reach, since, out)
    return out
