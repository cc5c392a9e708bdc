"""A made-up data logger: interval records from minute values, and its own hours and day.

Belongs here: the arithmetic of the simulator's logger. Does not belong here: the stack's true values (`kernels/stackgas.py`), how
records are sent (`kernels/packets.py`), and any rule for real data (`kernels/hours.py`): this is what a logger claims.

Everything is printed with fixed decimals, so records are scaled integers: a value is `integer / scale`, exactly what a
reader gets from the printed text. An hour is the mean of the printed records.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.stackgas import DAY_MINUTES, bell

Bytes: TypeAlias = NDArray[np.uint8]
Flags: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Longs: TypeAlias = NDArray[np.int64]

#: Places of one channel in a record: average, minimum, maximum, amount, the three converted ones, flag.
AVG, MIN, MAX, COU, ZS_AVG, ZS_MIN, ZS_MAX, FLAG = range(8)
PLACES = 8

# What a channel is to the logger.
PLAIN = 0
FLOW = 1
POLLUTANT = 2
CONVERTED = 3

_NORMAL = 78
#: Draws of the spread within a minute lie this many channels above those of the stack.
_SPREAD = 64
_FAR = 1 << 62


class LoggerSetup(NamedTuple):
    """What a logger knows of its channels.

    role[channels]: PLAIN, FLOW, POLLUTANT or CONVERTED. scale, cou_scale[channels]: 10**decimals of values and amounts.
    width[channels]: half the usual spread within a minute, as a share. per_hour: m3/h in one unit of the flow channel.
    interval: minutes of one record, a divisor of 60. weighted: hour means weighted by flow instead of plain ones.
    """

    role: Longs
    scale: Floats
    cou_scale: Floats
    width: Floats
    per_hour: float
    interval: int
    weighted: bool


class Seen(NamedTuple):
    """One day as the analysers show it, each [channels, 1440] unless said otherwise.

    values: in the units that are sent. converted: the same at reference O2. dry: concentrations dry and standard.
    flow_dry[1440]: m3/h dry standard. held: 1 where a value stands still. flags: ASCII letters, N where all is well.
    """

    values: Floats
    converted: Floats
    dry: Floats
    flow_dry: Floats
    held: Bytes
    flags: Bytes


class Means(NamedTuple):
    """Unrounded means that amounts are made from: dry[channels, slots] mg/m3, flow[slots] m3/h, both dry and standard."""

    dry: Floats
    flow: Floats


@njit(cache=True, nogil=True)
def _round(value: float) -> int:
    return math.floor(value + 0.5)


@njit(cache=True, nogil=True)
def _slot_flag(flags: Bytes, lo: int, hi: int) -> int:
    """N unless at least half of the minutes carry another flag, then the first of those."""
    other = 0
    first = 0
    for m in range(lo, hi):
        if flags[m] != _NORMAL:
            if other == 0:
                first = int(flags[m])
            other += 1
    return first if 2 * other >= hi - lo else _NORMAL


@njit(cache=True, nogil=True)
def _span(values: Floats, flags: Bytes, lo: int, hi: int, flag: int) -> tuple[float, float, float]:
    """Mean, lowest and highest of the minutes without a flag; of all minutes when the record itself has one."""
    total = 0.0
    n = 0
    low = np.inf
    high = -np.inf
    for m in range(lo, hi):
        if flag != _NORMAL or flags[m] == _NORMAL:
            total += values[m]
            n += 1
            low = min(low, values[m])
            high = max(high, values[m])
    return total / n, low, high


@njit(cache=True, nogil=True)
def _put(rows: Longs, s: int, at: int, mean: float, low: float, high: float, spread: float, scale: float) -> None:
    """Average, minimum and maximum into three places of row `s` that follow each other."""
    rows[s, at] = _round(mean * scale)
    rows[s, at + 1] = _round((low - abs(low) * spread) * scale)
    rows[s, at + 2] = _round((high + abs(high) * spread) * scale)


@njit(cache=True, nogil=True)
def _moves(held: Bytes, lo: int, hi: int) -> bool:
    """Whether any minute of [lo, hi) does not stand still."""
    n = 0
    for m in range(lo, hi):
        n += held[m]
    return n < hi - lo


@njit(cache=True, nogil=True)
def _slot_means(minutes: Floats, interval: int, out: Floats) -> None:
    for s in range(out.size):
        total = 0.0
        for m in range(s * interval, (s + 1) * interval):
            total += minutes[m]
        out[s] = total / interval


@njit(cache=True, nogil=True)
def _records(setup: LoggerSetup, seen: Seen, key: np.uint64, day: int, rows: Longs, means: Means) -> None:
    """Every interval record of the day, and the means that its hours need."""
    share = setup.interval / 60.0
    _slot_means(seen.flow_dry, setup.interval, means.flow)
    for c in range(setup.role.size):
        at = c * PLACES
        role, scale, cou_scale = setup.role[c], setup.scale[c], setup.cou_scale[c]
        values, flags, held = seen.values[c], seen.flags[c], seen.held[c]
        for s in range(DAY_MINUTES // setup.interval):
            lo = s * setup.interval
            hi = lo + setup.interval
            flag = _slot_flag(flags, lo, hi)
            spread = 0.0
            if _moves(held, lo, hi):
                spread = setup.width[c] * (0.5 + 0.25 * bell(key, c + _SPREAD, day * DAY_MINUTES + lo) ** 2)
            mean, low, high = _span(values, flags, lo, hi, flag)
            _put(rows, s, at + AVG, mean, low, high, spread, scale)
            rows[s, at + FLAG] = flag
            if role == FLOW:
                rows[s, at + COU] = _round(mean * setup.per_hour * share * cou_scale)
            elif role >= POLLUTANT:
                dry = _span(seen.dry[c], flags, lo, hi, flag)[0]
                means.dry[c, s] = dry
                rows[s, at + COU] = _round(dry * means.flow[s] * 1e-6 * share * cou_scale)
            if role == CONVERTED:
                mean, low, high = _span(seen.converted[c], flags, lo, hi, flag)
                _put(rows, s, at + ZS_AVG, mean, low, high, spread, scale)


@njit(cache=True, nogil=True)
def _worst_flag(rows: Longs, at: int, lo: int, hi: int, present: Flags) -> int:
    """The most frequent flag other than N among the present rows (the earlier one on a tie); N when there is none."""
    best = _NORMAL
    most = 0
    for s in range(lo, hi):
        if not present[s] or rows[s, at + FLAG] == _NORMAL:
            continue
        n = 0
        for t in range(lo, hi):
            if present[t] and rows[t, at + FLAG] == rows[s, at + FLAG]:
                n += 1
        if n > most:
            most = n
            best = int(rows[s, at + FLAG])
    return best


@njit(cache=True, nogil=True)
def _pool(
    rows: Longs, target: int, at: int, flag: int, lo: int, hi: int, present: Flags, flagged: bool, weights: Floats
) -> None:
    """Mean, lowest and highest of three places over rows[lo:hi] into row `target`; `flagged` also takes rows with a flag."""
    total = 0.0
    weight = 0.0
    low = _FAR
    high = -_FAR
    for s in range(lo, hi):
        if present[s] and (flagged or rows[s, flag] == _NORMAL):
            total += rows[s, at] * weights[s]
            weight += weights[s]
            low = min(low, rows[s, at + 1])
            high = max(high, rows[s, at + 2])
    rows[target, at] = _round(total / weight)
    rows[target, at + 1] = low
    rows[target, at + 2] = high


@njit(cache=True, nogil=True)
def _summary(
    setup: LoggerSetup, rows: Longs, target: int, lo: int, hi: int, present: Flags, weights: Floats, enough: int
) -> None:
    """One hour or day from rows[lo:hi], all but the amounts; `enough`: rows without a flag that make it an N record."""
    for c in range(setup.role.size):
        at = c * PLACES
        good = 0
        for s in range(lo, hi):
            if present[s] and rows[s, at + FLAG] == _NORMAL:
                good += 1
        _pool(rows, target, at + AVG, at + FLAG, lo, hi, present, good == 0, weights)
        if setup.role[c] == CONVERTED:
            _pool(rows, target, at + ZS_AVG, at + FLAG, lo, hi, present, good == 0, weights)
        rows[target, at + FLAG] = _NORMAL if good >= enough else _worst_flag(rows, at, lo, hi, present)


@njit(cache=True, nogil=True)
def _amounts(setup: LoggerSetup, rows: Longs, target: int, lo: int, hi: int, present: Flags, means: Means) -> None:
    """Amounts of one hour: mean concentration x mean dry flow x 1 h, and the mean flow x 1 h."""
    for c in range(setup.role.size):
        at = c * PLACES
        if setup.role[c] == FLOW:
            rows[target, at + COU] = _round(
                rows[target, at + AVG] / setup.scale[c] * setup.per_hour * setup.cou_scale[c]
            )
        elif setup.role[c] >= POLLUTANT:
            n = 0
            dry = 0.0
            flow = 0.0
            for s in range(lo, hi):
                if present[s] and rows[s, at + FLAG] == _NORMAL:
                    n += 1
                    dry += means.dry[c, s]
                    flow += means.flow[s]
            if n > 0:
                rows[target, at + COU] = _round(dry / n * (flow / n) * 1e-6 * setup.cou_scale[c])


@njit(cache=True, nogil=True)
def _hours(setup: LoggerSetup, rows: Longs, present: Flags, means: Means, has: Flags) -> None:
    """Rows of the 24 hours and the day behind the interval records; `has` receives which of them exist."""
    slots = DAY_MINUTES // setup.interval
    per = 60 // setup.interval
    weights = np.ones(slots + 24)
    if setup.weighted:
        weights[:slots] += means.flow
    there = np.zeros(slots + 24, np.bool_)
    there[:slots] = present
    for h in range(24):
        lo = h * per
        if present[lo : lo + per].any():
            has[h] = True
            _summary(setup, rows, slots + h, lo, lo + per, there, weights, (44 + setup.interval) // setup.interval)
            _amounts(setup, rows, slots + h, lo, lo + per, there, means)
    there[slots:] = has[:24]
    has[24] = has[:24].any()
    if has[24]:
        _summary(setup, rows, slots + 24, slots, slots + 24, there, weights, 20)
        for c in range(setup.role.size):
            rows[slots + 24, c * PLACES + COU] = rows[slots : slots + 24, c * PLACES + COU].sum()


def log_day(setup: LoggerSetup, seen: Seen, key: int, day: int, present: Flags) -> tuple[Longs, Flags]:
    """Records of one day as scaled integers int64[slots + 25, channels * 8], and which of the 24 hours and the day exist.

    Rows: one per interval, then 24 hours, then the day; columns: AVG .. FLAG of each channel. An hour is the mean of the
    printed records without a flag (of all when each has one); the day is the mean of its hours; amounts are mean
    concentration x mean dry flow. present[slots]: records that the logger has made; the others enter no mean.
    Raises ValueError when the interval does not divide the hour or shapes do not fit.
    """
    if setup.interval < 1 or 60 % setup.interval:
        raise ValueError(f"an interval of {setup.interval} min does not divide the hour")
    slots = DAY_MINUTES // setup.interval
    channels = setup.role.size
    if seen.values.shape != (channels, DAY_MINUTES) or present.shape != (slots,):
        raise ValueError(
            f"values {seen.values.shape} and present {present.shape} do not fit {channels} channels and {slots} records"
        )
    rows = np.zeros((slots + 25, channels * PLACES), np.int64)
    has = np.zeros(25, np.bool_)
    means = Means(np.zeros((channels, slots)), np.zeros(slots))
    _records(setup, seen, np.uint64(key), day, rows, means)
    _hours(setup, rows, present, means, has)
    return rows, has
