"""Substituted mass of invalid hours: HJ 75-2017 Tables 5 and 6 over dense series of hours.

Belongs here: episodes of invalid hours, the last 180, 720 or 2160 valid hours before them and their maximum, and how far back
a month has to look for these. Does not belong here: capture rates (`capture`), reading hours, the numbers of the law.

Hours are numbered from the grid's first; hours before the grid have negative numbers. S series, T hours of the grid.

* An episode is a run of hours that are invalid or out of control; a valid, a stopped and an outside hour end it. Its length
  counts both kinds (U: the standard does not say what a mixed one counts), each hour takes the table of its own kind.
* Table 6 looks back from the first hour of the episode, Table 5 from the last calibration of the mark. Only valid hours count.
* Of equal maxima the latest hour is named.
* A maximum below 0 (drift of an instrument at rest) is raised to 0 unless the terms keep it (U): a gap then takes nothing off a sum.

One descending stack over the valid hours serves the three windows: its entries are the only hours that can still be a maximum,
each window keeps its own lower end in it, and both ends only move on; so the time is linear in the hours.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from kernels.capture import FULL, INVALID, LOW, OUT_OF_CONTROL, STOPPED, VALID

#: How the mass of an hour came about; the first three are the windows, by number.
SHORT, LONG, LOW_CAPTURE, MEASURED, STOPPED_HOUR, NO_SUBSTITUTE = range(6)
NOT_AN_HOUR = -1
#: Stands for "no such hour" among hour numbers.
NO_HOUR = np.iinfo(np.int32).min

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
Hours = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]


class Grid(NamedTuple):
    """Hours to look at: `kind` (S, T) of `kernels.capture`, `mass` (S, T) in kg where valid, and where out of control `cut`
    (S, T): Table 5 looks at the valid hours below this number (at most the hour itself).
    """

    kind: Bytes
    mass: Floats
    cut: Hours


class Past(NamedTuple):
    """Valid hours before the grid: those of series s are `hour` and `mass` [first[s] : first[s + 1]], hours ascending."""

    first: Places
    hour: Hours
    mass: Floats

    @classmethod
    def none(cls, series: int) -> Past:
        """No valid hour is known before the grid."""
        return cls(np.zeros(series + 1, np.int64), np.zeros(0, np.int32), np.zeros(0))


class Terms(NamedTuple):
    """Numbers of Tables 5 and 6: valid hours of the windows (ascending) and the hours from which an episode is long.

    `hourly`: the length counts up to the hour itself instead of to the end of the episode. `keep_negative`: a substitute may be
    below 0.
    """

    windows: tuple[int, int, int]
    long_after: int
    hourly: bool
    keep_negative: bool = False


class Substituted(NamedTuple):
    """Per hour (S, T): `mass` in kg (NaN = none) and `method`. Of invalid hours also: `table` (5, 6; 0 = no row), hour `basis` whose
    mass was taken, window [`since`, `until`) of hour numbers that it was the maximum of, `short`: fewer valid hours than the
    table asks for, `open_end`: the episode reaches the end of the grid and may yet become long, `raised`: the maximum was below 0.
    """

    mass: Floats
    method: Bytes
    table: Bytes
    basis: Hours
    since: Hours
    until: Hours
    short: Bools
    open_end: Bools
    raised: Bools


@njit(cache=True, nogil=True)
def _slide(stack: Hours, ends: Hours, low: int, count: int, windows: tuple[int, int, int], best: Hours) -> None:
    """Number of the greatest among the last windows[w] of `count` valid hours; the stack holds at least one."""
    for w in range(3):
        at = min(ends[w], low)
        while stack[at] < count - windows[w]:
            at += 1
        ends[w] = at
        best[w] = stack[at]


@njit(cache=True, nogil=True)
def _substitute(
    kind: Bytes, mass: Floats, cut: Hours, first: Places, past_hour: Hours, past_mass: Floats, row: Bytes,
    quarter: npt.NDArray[np.int64], windows: tuple[int, int, int], long_after: int, hourly: bool, keep_negative: bool,
    out: Floats, method: Bytes, table: Bytes, basis: Hours, since: Hours, until: Hours, short: Bools, open_end: Bools,
    raised: Bools,
) -> None:  # fmt: skip
    series, length = kind.shape
    most = 0
    for s in range(series):
        most = max(most, first[s + 1] - first[s])
    hours = np.empty(most + length, np.int32)
    masses = np.empty(most + length)
    stack = np.empty(most + length + 1, np.int32)
    cuts = np.empty(length + 1, np.int32)
    answers = np.empty((length + 1, 3), np.int32)
    answered = np.empty(length + 1, np.int32)
    ends = np.empty(3, np.int32)
    best = np.empty(3, np.int32)
    for s in range(series):
        asked = 0
        for h in range(length):
            if kind[s, h] == OUT_OF_CONTROL and (asked == 0 or cuts[asked - 1] != cut[s, h]):
                cuts[asked] = cut[s, h]
                asked += 1
        if asked > 1:
            cuts[:asked] = np.sort(cuts[:asked])
        told = 0
        n = 0
        top = -1
        low = 0  # the lowest place of the stack that was written since the last look at it
        ends[:] = 0
        held = first[s + 1] - first[s]
        t = -held
        while t < length:
            if t < 0:
                at = past_hour[first[s] + held + t]
                value = past_mass[first[s] + held + t]
                k = VALID
            else:
                at = t
                value = mass[s, t]
                k = kind[s, t]
            if k == VALID:
                while told < asked and cuts[told] <= at:
                    answered[told] = n
                    if n > 0:
                        _slide(stack, ends, low, n, windows, best)
                        low = top
                        for w in range(3):
                            answers[told, w] = best[w]
                    told += 1
                hours[n] = at
                masses[n] = value
                while top >= 0 and masses[stack[top]] <= value:
                    top -= 1
                top += 1
                stack[top] = n
                low = min(low, top)
                n += 1
                if t >= 0:
                    out[s, t] = value
                    method[s, t] = MEASURED
                t += 1
                continue
            if k == STOPPED:
                out[s, t] = 0.0
                method[s, t] = STOPPED_HOUR
                t += 1
                continue
            if k not in (INVALID, OUT_OF_CONTROL):
                t += 1
                continue
            end = t
            while end < length and (kind[s, end] == INVALID or kind[s, end] == OUT_OF_CONTROL):
                end += 1
            while told < asked and cuts[told] < end:
                answered[told] = n
                if n > 0:
                    _slide(stack, ends, low, n, windows, best)
                    low = top
                    for w in range(3):
                        answers[told, w] = best[w]
                told += 1
            if n > 0:
                _slide(stack, ends, low, n, windows, best)
                low = top
            for h in range(t, end):
                r = row[s, quarter[h]]
                method[s, h] = NO_SUBSTITUTE
                if r not in (FULL, LOW):
                    continue
                run = h - t + 1 if hourly else end - t
                w = LOW_CAPTURE if r == LOW else (LONG if run > long_after else SHORT)
                open_end[s, h] = end == length and w == SHORT and not hourly
                count = n
                chosen = best[w]
                table[s, h] = 6
                if kind[s, h] == OUT_OF_CONTROL:
                    table[s, h] = 5
                    q = np.searchsorted(cuts[:asked], cut[s, h])
                    count = answered[q]
                    chosen = answers[q, w]
                short[s, h] = count < windows[w]
                if count > 0:
                    raised[s, h] = masses[chosen] < 0 and not keep_negative
                    out[s, h] = 0.0 if raised[s, h] else masses[chosen]
                    method[s, h] = w
                    basis[s, h] = hours[chosen]
                    since[s, h] = hours[max(0, count - windows[w])]
                    until[s, h] = hours[count - 1] + 1
            t = end


def substitute(grid: Grid, past: Past, row: Bytes, quarter: npt.NDArray[np.int64], terms: Terms) -> Substituted:
    """Mass of every hour with its method (HJ 75-2017 12.2, Tables 5 and 6; rules R9, R10).

    row (S, Q) is the row of the tables by quarter, from `kernels.capture`; quarter (T,) the column of `row` for each hour. Valid
    hours keep their mass, stopped hours are 0 kg, hours of a quarter below the least capture rate and hours without any valid
    hour before them have none. ValueError when shapes do not fit, or a cut lies after its hour.
    """
    _fits(grid, past, row, quarter, terms)
    shape = grid.kind.shape
    made = Substituted(
        mass=np.full(shape, np.nan),
        method=np.full(shape, NOT_AN_HOUR, np.int8),
        table=np.zeros(shape, np.int8),
        basis=np.full(shape, NO_HOUR, np.int32),
        since=np.full(shape, NO_HOUR, np.int32),
        until=np.full(shape, NO_HOUR, np.int32),
        short=np.zeros(shape, np.bool_),
        open_end=np.zeros(shape, np.bool_),
        raised=np.zeros(shape, np.bool_),
    )
    arrays: list[Any] = [*made]
    numbers: list[Any] = [*terms]
    _substitute(*grid, *past, row, quarter, *numbers, *arrays)
    return made


@njit(cache=True, nogil=True)
def _reach(
    kind: Bytes, cut: Hours, row: Bytes, quarter: npt.NDArray[np.int64], windows: tuple[int, int, int], long_after: int,
    hourly: bool, need: Hours, before: Hours,
) -> None:  # fmt: skip
    series, length = kind.shape
    for s in range(series):
        valid = start = end = most = 0
        earliest = length
        for h in range(length):
            k = kind[s, h]
            if k not in (INVALID, OUT_OF_CONTROL):
                continue
            if h >= end:
                start = h
                end = h + 1
                while end < length and (kind[s, end] == INVALID or kind[s, end] == OUT_OF_CONTROL):
                    end += 1
            r = row[s, quarter[h]]
            if r not in (FULL, LOW):
                continue
            run = h - start + 1 if hourly else end - start
            most = max(most, windows[LOW_CAPTURE] if r == LOW else windows[LONG if run > long_after else SHORT])
            earliest = min(earliest, cut[s, h] if k == OUT_OF_CONTROL else h)
        for h in range(earliest):
            valid += kind[s, h] == VALID
        need[s] = max(0, most - valid)
        before[s] = min(earliest, 0)


def reach(grid: Grid, row: Bytes, quarter: npt.NDArray[np.int64], terms: Terms) -> tuple[Hours, Hours]:
    """How many valid hours before the grid each series needs (S,), and below which hour number (<= 0) they must lie (S,).

    Enough for every episode of the grid, and no more than its longest window; arguments as for `substitute`.
    """
    need = np.zeros(grid.kind.shape[0], np.int32)
    before = np.zeros(need.shape, np.int32)
    _reach(grid.kind, grid.cut, row, quarter, terms.windows, terms.long_after, terms.hourly, need, before)
    return need, before


def _fits(grid: Grid, past: Past, row: Bytes, quarter: npt.NDArray[np.int64], terms: Terms) -> None:
    series, length = grid.kind.shape
    if grid.mass.shape != grid.kind.shape or grid.cut.shape != grid.kind.shape:
        raise ValueError(f"kind, mass and cut differ in shape: {[a.shape for a in grid]}")
    if past.first.shape != (series + 1,) or past.first[-1] != past.hour.size or past.hour.size != past.mass.size:
        raise ValueError(f"{past.hour.size} hours of the past do not fit {series} series")
    if row.ndim != 2 or row.shape[0] != series or quarter.shape != (length,):
        raise ValueError(f"rows of shape {row.shape} and {quarter.size} quarters do not fit {grid.kind.shape}")
    if length and row.shape[1] <= quarter.max(initial=0):
        raise ValueError(f"quarter {quarter.max()} has no row")
    if not 0 < terms.windows[0] <= terms.windows[1] <= terms.windows[2]:
        raise ValueError(f"windows must ascend: {terms.windows}")
    late = (grid.kind == OUT_OF_CONTROL) & (grid.cut > np.arange(length))
    if late.any():
        raise ValueError(f"{late.sum()} hours look at valid hours after themselves")
