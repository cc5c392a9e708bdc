"""Does a logger's DataTime name the start or the end of an interval? The hour-against-minutes identity.

Belongs here: counting hours whose mean the logger's own minutes give under one labelling and not under the other, and
the decision from such counts. Does not belong here: tables, which days count as evidence, what to do when undecided.

A logger averages its own minutes into its hour. Under start labels the hour labelled 13:00 is made of the minutes
labelled 13:00 to 13:59, under end labels of those labelled 12:01 to 13:00. Where the two means differ, only one fits.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from kernels.minutes import DAY_MINUTES, N_CHANNELS, VALID, Bytes, Floats, slot_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.minute_rows import Rows

    Counts = NDArray[np.int32]

UNDECIDED, START, END = range(3)


class Tolerance(NamedTuple):
    """`fit`: a mean fits within this share of itself, or within half of `floor`, the unit in which readings are rounded.

    The two means tell the labels apart when they differ by more than the share `differ` of the larger one and by more
    than `floor` (in the unit reported), so that no hour fits both.
    """

    fit: float
    differ: float
    floor: float


class Evidence(NamedTuple):
    """Per device: pairs of hour and factor that can tell the labels apart, and how many of these fit either label."""

    decidable: Counts
    fits_start: Counts
    fits_end: Counts


@njit(cache=True, nogil=True)
def _lay_out(values: Floats, flags: Bytes, rows: Rows, device: int, classes: Bytes, grid: Floats) -> None:
    """One channel of a device's rows by the minute of its label, NaN where there is none that counts."""
    grid[:] = math.nan
    for k in range(rows.first[device], rows.first[device + 1]):
        row = rows.order[k]
        run = rows.run[row]
        slot = slot_of(rows.time_ms[row], rows.day_ms, rows.runs.interval[run], 0)
        if 0 <= slot < DAY_MINUTES:
            flag = flags[row] if flags.size else np.uint8(0)
            counts = flag == 0 or classes[rows.runs.system[run], flag] == VALID
            grid[slot] = values[row] if counts else math.nan


@njit(cache=True, nogil=True)
def _mean(grid: Floats, first: int, interval: int) -> float:
    """Mean of the 60 minutes of labels from `first` on; NaN when one is missing."""
    total = 0.0
    for slot in range(first, first + 60, interval):
        total += grid[slot]
    return total / (60 // interval)


@njit(cache=True, nogil=True)
def _compare(grid: Floats, hour: int, own: float, interval: int, tolerance: Tolerance) -> tuple[bool, bool, bool]:
    """Whether this hour can tell the labels apart, and whether the logger's mean `own` then fits start, end."""
    start, end = _mean(grid, hour * 60, interval), _mean(grid, hour * 60 - 60 + interval, interval)
    apart = abs(start - end)
    if not (apart > tolerance.floor and apart > tolerance.differ * max(abs(start), abs(end))):
        return False, False, False
    rounding = tolerance.floor / 2
    fits_start = abs(own - start) <= max(tolerance.fit * abs(start), rounding)
    return True, fits_start, abs(own - end) <= max(tolerance.fit * abs(end), rounding)


@njit(cache=True, nogil=True)
def _count(minutes: Rows, hours: Rows, classes: Bytes, tolerance: Tolerance, out: Evidence) -> None:
    grid = np.empty(DAY_MINUTES)
    for device in range(out.decidable.size):
        if minutes.first[device] == minutes.first[device + 1] or hours.first[device] == hours.first[device + 1]:
            continue
        interval = minutes.runs.interval[minutes.run[minutes.order[minutes.first[device]]]]
        for channel in range(N_CHANNELS):
            values, own = minutes.values[channel], hours.values[channel]
            if values.size == 0 or own.size == 0 or 60 % interval:
                continue
            _lay_out(values, minutes.flags[channel], minutes, device, classes, grid)
            for k in range(hours.first[device], hours.first[device + 1]):
                row = hours.order[k]
                hour = (hours.time_ms[row] - hours.day_ms) // 3_600_000
                # At 00:00 the end label needs minutes of the day before, so the two labels cannot be compared.
                if 1 <= hour <= 23:
                    apart, start, end = _compare(grid, hour, own[row], interval, tolerance)
                    out.decidable[device] += apart and not math.isnan(own[row])
                    out.fits_start[device] += start
                    out.fits_end[device] += end


def label_evidence(minutes: Rows, hours: Rows, classes: Bytes, tolerance: Tolerance) -> Evidence:
    """Evidence of one day per device (domain/hj212 1.6); in `minutes` and `hours` (CN 2061) an "outlet" is a device.

    `classes` as for the hours. Raises ValueError when the two tables do not list the same devices.
    """
    if minutes.first.size != hours.first.size:
        raise ValueError(f"minutes list {minutes.first.size - 1} devices, hours {hours.first.size - 1}")
    n = minutes.first.size - 1
    out = Evidence(np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(n, np.int32))
    _count(minutes, hours, classes, tolerance, out)
    return out


def decide_labels(evidence: Evidence, min_pairs: int, min_share: float) -> NDArray[np.uint8]:
    """UNDECIDED, START or END per device: enough pairs, and at least `min_share` of them (above one half) fit."""
    enough = evidence.decidable >= max(min_pairs, 1)
    needed = min_share * evidence.decidable
    start, end = enough & (evidence.fits_start >= needed), enough & (evidence.fits_end >= needed)
    return np.where(start & ~end, START, np.where(end & ~start, END, UNDECIDED)).astype(np.uint8)
