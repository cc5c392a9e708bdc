"""Capture rates of quarters and what an hour is for the mass: valid, invalid, out of control, stopped.

Belongs here: kinds of hours, counting them, the rate and the row of Tables 5 and 6 that it leads to. Does not belong here:
which hours make a quarter (`assets`), the substitutes themselves (`substitution`), the percentages (`reference/rules`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

#: What an hour is for the mass of one pollutant. OUTSIDE: the outlet is not in force or the data do not reach the hour.
OUTSIDE = -1
VALID, INVALID, OUT_OF_CONTROL, STOPPED = range(4)

#: Row of Tables 5 and 6 by the capture rate: FULL >= 90 %, LOW 75 - 90 %, NEITHER below; UNDEFINED when all was stopped.
UNDEFINED = -1
FULL, LOW, NEITHER = range(3)

Bytes = npt.NDArray[np.int8]
Counts = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


class HourCounts(NamedTuple):
    """Hours per series (S,): `hours` in force, of which `invalid` (out of control included) and `stopped`."""

    hours: Counts
    invalid: Counts
    stopped: Counts


@njit(cache=True, nogil=True)
def _count(kind: Bytes, hours: Counts, invalid: Counts, stopped: Counts) -> None:
    series, length = kind.shape
    for s in range(series):
        n = bad = off = 0
        for h in range(length):
            k = kind[s, h]
            n += k != OUTSIDE
            bad += k in (INVALID, OUT_OF_CONTROL)
            off += k == STOPPED
        hours[s] = n
        invalid[s] = bad
        stopped[s] = off


def count_hours(kind: Bytes) -> HourCounts:
    """Count the hours of each row of `kind` (S, H)."""
    made = HourCounts(*(np.empty(kind.shape[0], np.int32) for _ in HourCounts._fields))
    _count(kind, *made)
    return made


def capture_rows(counts: HourCounts, full_pct: int, least_pct: int) -> Bytes:
    """Row of Tables 5 and 6 for each quarter counted (HJ 75-2017 12.1, 12.2; rule R8), compared in whole hours.

    alpha = (hours - invalid - stopped) / (hours - stopped); `full_pct` and `least_pct` in %, both inclusive. UNDEFINED where
    every hour was stopped. Vector V21: 216 invalid of 2160 hours are FULL, 217 are LOW.
    """
    due = counts.hours.astype(np.int64) - counts.stopped
    got = 100 * (due - counts.invalid)
    rows = np.where(got >= full_pct * due, FULL, np.where(got >= least_pct * due, LOW, NEITHER))
    return np.where(due > 0, rows, UNDEFINED).astype(np.int8)


def capture_pct(counts: HourCounts) -> Floats:
    """The rate in %, NaN where every hour was stopped. For people; rows are chosen by `capture_rows`."""
    due = counts.hours.astype(np.int64) - counts.stopped
    made = np.full(due.shape, np.nan)
    np.divide(100.0 * (due - counts.invalid), due, out=made, where=due > 0)
    return made
