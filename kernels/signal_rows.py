"""What the arrival of raw rows says: their spacing, how late they came, and channels that two devices send at once.

Belongs here: loops over raw rows as they were sent, by run of one device. Does not belong here: what they measured
(`signal_minutes`), who a device is (the registry).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from kernels.minutes import DAY_MINUTES, MS_PER_MINUTE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.minutes import Floats, Longs

#: `qn_ms` of a row without QN.
NO_QN = np.iinfo(np.int64).min


class Spacing(NamedTuple):
    """Per run: minutes between neighbouring rows that occur most often, and how many of all steps are such; 0 where no majority."""

    minutes: Longs
    steps: Longs
    of: Longs


class Arrival(NamedTuple):
    """Per run, rows whose QN lies too far behind (`late`) or before (`early`) the end of their interval: how many, by how many
    minutes at most, and the first and last such minute of the day (-1: none).
    """

    late: Longs
    latest: Floats
    late_first: Longs
    late_last: Longs
    early: Longs
    earliest: Floats
    early_first: Longs
    early_last: Longs


@njit(cache=True, nogil=True)
def _spacing(time_ms: Longs, first: Longs, out: Spacing) -> None:
    for run in range(first.size - 1):
        lo, hi = first[run], first[run + 1]
        candidate, votes = 0, 0
        for row in range(lo + 1, hi):
            step = time_ms[row] // MS_PER_MINUTE - time_ms[row - 1] // MS_PER_MINUTE
            if votes == 0:
                candidate = step
            votes += 1 if step == candidate else -1
        same = 0
        for row in range(lo + 1, hi):
            same += time_ms[row] // MS_PER_MINUTE - time_ms[row - 1] // MS_PER_MINUTE == candidate
        out.of[run] = max(hi - lo - 1, 0)
        if 2 * same > out.of[run]:
            out.minutes[run], out.steps[run] = candidate, same


@njit(cache=True, nogil=True)
def _arrival(
    time_ms: Longs, qn_ms: Longs, first: Longs, ahead: Longs, late_ms: int, early_ms: int, day_ms: int, out: Arrival
) -> None:
    for run in range(first.size - 1):
        for row in range(first[run], first[run + 1]):
            if qn_ms[row] == NO_QN:
                continue
            behind = qn_ms[row] - time_ms[row] - ahead[run] * MS_PER_MINUTE
            minute = min(max((time_ms[row] - day_ms) // MS_PER_MINUTE, 0), DAY_MINUTES - 1)
            if behind > late_ms:
                out.late[run] += 1
                out.latest[run] = max(out.latest[run], behind / MS_PER_MINUTE)
                out.late_first[run] = minute if out.late_first[run] < 0 else min(out.late_first[run], minute)
                out.late_last[run] = max(out.late_last[run], minute)
            elif -behind > early_ms:
                out.early[run] += 1
                out.earliest[run] = max(out.earliest[run], -behind / MS_PER_MINUTE)
                out.early_first[run] = minute if out.early_first[run] < 0 else min(out.early_first[run], minute)
                out.early_last[run] = max(out.early_last[run], minute)


def spacing(time_ms: Longs, first: Longs) -> Spacing:
    """Spacing of the rows of each run; `first` (runs + 1,): where each run begins, and the end. Times ascend within a run."""
    _check(time_ms.size, first)
    out = Spacing(*(np.zeros(first.size - 1, np.int64) for _ in Spacing._fields))
    _spacing(time_ms, first, out)
    return out


def arrival(
    time_ms: Longs, qn_ms: Longs, first: Longs, ahead: Longs, late_minutes: float, early_minutes: float, day_ms: int
) -> Arrival:
    """Rows that came late or before their time (air-rules 6, A21).

    `qn_ms`: time of the request each row came with, NO_QN where it has none. `ahead` (runs,): minutes from DataTime to the end
    of the interval. ValueError when the arrays do not fit together.
    """
    _check(time_ms.size, first)
    if qn_ms.shape != time_ms.shape or ahead.size != first.size - 1:
        raise ValueError(f"{time_ms.size} times, {qn_ms.size} QN; {first.size - 1} runs, {ahead.size} offsets")
    n = first.size - 1
    none = [np.full(n, -1, np.int64) for _ in range(4)]
    counts = [np.zeros(n, np.int64) for _ in range(2)]
    most = [np.zeros(n) for _ in range(2)]
    out = Arrival(counts[0], most[0], none[0], none[1], counts[1], most[1], none[2], none[3])
    late, early = round(late_minutes * MS_PER_MINUTE), round(early_minutes * MS_PER_MINUTE)
    _arrival(time_ms, qn_ms, first, ahead, late, early, day_ms, out)
    return out


def both_sent(rows: list[tuple[Longs, NDArray[np.bool_]]]) -> Longs:
    """Minutes of a day at which more than one device has a reading of a channel.

    `rows`: for each device the minute of the day of its rows (those outside 0..1439 do not count) and whether they have one.
    """
    times = np.zeros(DAY_MINUTES, np.int64)
    for minute, has in rows:
        here = np.zeros(DAY_MINUTES, np.bool_)
        here[minute[has & (minute >= 0) & (minute < DAY_MINUTES)]] = True
        times += here
    found: Longs = np.flatnonzero(times > 1)
    return found


def _check(rows: int, first: Longs) -> None:
    if not first.size or first[0] != 0 or first[-1] != rows or (np.diff(first) < 0).any():
        raise ValueError(f"{first.size - 1} runs do not share out {rows} rows")
