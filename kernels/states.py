"""Declared process states by the hour: which state fills an hour, and which hours lie within the cap of a start or stop.

Belongs here: counting minutes of declared stretches and laying lines out over the series of their outlets. Does not belong
here: which declarations hold and which parameters are in force (`assets/judgement_states.py`), judging (`judge`).

Shapes: L lines, S series, H = 24 x D hours of D whole local days; minutes count from the first of them and may be negative.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from kernels.judge import HOURS_PER_DAY, OUTSIDE, RUNNING, Bools, Bytes, Counts

#: Process states there are: RUNNING to BANKED.
STATES = 6
#: More minutes than an hour has: no state can fill an hour on a day with this requirement.
NEVER = 61

Longs = npt.NDArray[np.int64]
Tally = npt.NDArray[np.uint8]


class Stretches(NamedTuple):
    """One entry a stretch: line, state, minutes [begin, end) on which it holds, minute at which its event's clock starts.

    Stretches of one line do not overlap; `late` marks events that were declared too late.
    """

    line: Counts
    state: Bytes
    begin: Longs
    end: Longs
    start: Longs
    late: Bools


class Caps(NamedTuple):
    """What is in force by day: minutes that fill an hour (D,), minutes of the cap by state (D, 6; 0 = none), and whether events
    that were declared late are within it too (D,).
    """

    fill: Counts
    minutes: Longs
    late: Bools


@njit(cache=True, nogil=True)
def _count(
    line: Counts, state: Bytes, begin: Longs, end: Longs, start: Longs, late: Bools,
    cap: Longs, late_counts: Bools, minutes: npt.NDArray[np.uint8], within: Tally,
) -> None:  # fmt: skip
    last = 60 * within.shape[1]
    for k in range(line.size):
        lo, hi = max(begin[k], 0), min(end[k], last)
        h = lo // 60
        while 60 * h < hi:
            a, b = max(lo, 60 * h), min(hi, 60 * h + 60)
            minutes[line[k], h, state[k]] += b - a
            day = h // HOURS_PER_DAY
            b = min(b, start[k] + cap[day, state[k]])
            if b > a and (late_counts[day] or not late[k]):
                within[line[k], h] += b - a
            h += 1


@njit(cache=True, nogil=True)
def _settle(minutes: npt.NDArray[np.uint8], within: Tally, fill: Counts, state: Bytes, exempt: Bools) -> None:
    lines, hours = within.shape
    for i in range(lines):
        for h in range(hours):
            least = fill[h // HOURS_PER_DAY]
            state[i, h] = RUNNING
            for code in range(STATES):
                if minutes[i, h, code] >= least:
                    state[i, h] = code
            exempt[i, h] = within[i, h] >= least


@njit(cache=True, nogil=True)
def _spread(
    in_force: Bools, row: Counts, capped: Bools, line_state: Bytes, line_exempt: Bools, state: Bytes, exempt: Bools
) -> None:
    series, hours = state.shape
    for s in range(series):
        for h in range(hours):
            day = h // HOURS_PER_DAY
            i = row[s, day]
            if not in_force[s, day]:
                state[s, h], exempt[s, h] = OUTSIDE, False
            elif i < 0:
                state[s, h], exempt[s, h] = RUNNING, False
            else:
                state[s, h], exempt[s, h] = line_state[i, h], line_exempt[i, h] and capped[s, day]


def line_hours(lines: int, days: int, stretches: Stretches, caps: Caps) -> tuple[Bytes, Bools]:
    """State of each hour of each line, and whether it lies within the cap of its start or stop; both (L, H) (air-rules 5, R15).

    A state fills an hour with at least `fill` of its minutes; without one the hour counts as RUNNING and is judged strictly. An
    hour is within its cap when at least as many minutes lie in a stretch and before the event's own start plus its cap, so an
    event's clock runs on over gaps and month borders. ValueError where two states could fill one hour, or on other shapes.
    """
    if caps.fill.shape != (days,) or caps.minutes.shape != (days, STATES) or caps.late.shape != (days,):
        raise ValueError(f"caps of shapes {[c.shape for c in caps]} do not fit {days} days")
    if (caps.fill <= 30).any():
        raise ValueError("two states could fill one hour: more than 30 minutes are needed")
    if stretches.line.size and not 0 <= stretches.line.min() <= stretches.line.max() < lines:
        raise ValueError("a stretch names a line that does not exist")
    minutes = np.zeros((lines, days * HOURS_PER_DAY, STATES), np.uint8)
    within = np.zeros(minutes.shape[:2], np.uint8)
    _count(*stretches, caps.minutes, caps.late, minutes, within)
    state, exempt = np.empty(within.shape, np.int8), np.empty(within.shape, np.bool_)
    _settle(minutes, within, caps.fill, state, exempt)
    return state, exempt


def series_hours(
    in_force: Bools, row: Counts, capped: Bools, line_state: Bytes, line_exempt: Bools
) -> tuple[Bytes, Bools]:
    """States and exempt hours (S, H) of series, OUTSIDE where they are not in force.

    in_force, row, capped (S, D): the day counts; the line whose states apply or -1; whether caps reach this pollutant.
    ValueError on shapes that do not go together.
    """
    if not in_force.shape == row.shape == capped.shape or line_state.shape != line_exempt.shape:
        raise ValueError(f"{in_force.shape}, {row.shape}, {capped.shape} or {line_state.shape} do not go together")
    if row.size and row.max() >= line_state.shape[0]:
        raise ValueError("a series names a line that does not exist")
    if line_state.shape[1] != in_force.shape[1] * HOURS_PER_DAY:
        raise ValueError(f"lines of shape {line_state.shape} do not fit series of shape {in_force.shape}")
    shape = (in_force.shape[0], in_force.shape[1] * HOURS_PER_DAY)
    state, exempt = np.empty(shape, np.int8), np.empty(shape, np.bool_)
    _spread(in_force, row, capped, line_state, line_exempt, state, exempt)
    return state, exempt
