"""Windows that cross months: the last judged hours, the last clock hours, and the worst full window of a month.

Belongs here: sliding over judged hours with those of earlier months in front. Does not belong here: judging an hour and totals
of a month (`judge`), and reading what lies in front (`assets/judgement_hours.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from kernels.judge import JUDGED, Bools, Bytes, Counts, Floats, Shorts, same_shape

#: Bits of an hour in `Before`.
WAS_JUDGED, WAS_OK = 1, 2
Longs = npt.NDArray[np.int64]


class Trailing(NamedTuple):
    """Share of ok hours among the last (at most) `window` judged hours and how many those are; NaN when none."""

    share_pct: Floats
    hours: Shorts


class History(NamedTuple):
    """The last judged ok-bits per series, oldest first and aligned to the right: row s uses `bits[s, -hours[s]:]`."""

    bits: Bools
    hours: Counts

    @classmethod
    def none(cls, series: int, window: int) -> History:
        """No judged hour yet."""
        return cls(np.zeros((series, window), np.bool_), np.zeros(series, np.int32))


class Worst(NamedTuple):
    """The least share of a full window that ends in the month (NaN = none was full), and the first hour it ends with (-1)."""

    share_pct: Floats
    hour: Counts


@njit(cache=True, nogil=True)
def _trail(outcome: Bytes, ok: Bools, bits: Bools, held: Counts, share: Floats, length: Shorts) -> None:
    series, hours = outcome.shape
    window = bits.shape[1]
    ring = np.empty(window, np.bool_)
    for s in range(series):
        # The ring starts as the history itself: right-aligned, so the next slot to overwrite is always the oldest.
        n = held[s]
        good = 0
        for k in range(window):
            ring[k] = bits[s, k]
            if k >= window - n:
                good += ring[k]
        oldest = 0
        for h in range(hours):
            if outcome[s, h] == JUDGED:
                if n == window:
                    good -= ring[oldest]
                else:
                    n += 1
                ring[oldest] = ok[s, h]
                good += ok[s, h]
                oldest = oldest + 1 if oldest + 1 < window else 0
            share[s, h] = 100.0 * good / n if n else np.nan
            length[s, h] = n


@njit(cache=True, nogil=True)
def _collect(series: Counts, judged: Bools, ok: Bools, need: Counts, bits: Bools, held: Counts) -> None:
    window = bits.shape[1]
    for row in range(series.size - 1, -1, -1):
        s = series[row]
        if s >= 0 and judged[row] and held[s] < need[s]:
            held[s] += 1
            bits[s, window - held[s]] = ok[row]


@njit(cache=True, nogil=True)
def _place(series: Counts, hour: Longs, judged: Bools, ok: Bools, need: Counts, before: Bytes) -> None:
    window = before.shape[1]
    for row in range(series.size):
        s, h = series[row], hour[row] + window
        if s >= 0 and need[s] > 0 and judged[row] and 0 <= h < window:
            before[s, h] = WAS_JUDGED | (WAS_OK if ok[row] else 0)


@njit(cache=True, nogil=True)
def _clock(outcome: Bytes, ok: Bools, before: Bytes, window: int, share: Floats) -> None:
    series, hours = outcome.shape
    reach = before.shape[1]
    for s in range(series):
        n = good = 0
        for k in range(reach - window, reach):
            n += before[s, k] & WAS_JUDGED
            good += (before[s, k] & WAS_OK) >> 1
        for h in range(hours):
            if outcome[s, h] == JUDGED:
                n += 1
                good += ok[s, h]
            if h < window:
                gone = before[s, reach - window + h]
                n -= gone & WAS_JUDGED
                good -= (gone & WAS_OK) >> 1
            elif outcome[s, h - window] == JUDGED:
                n -= 1
                good -= ok[s, h - window]
            share[s, h] = 100.0 * good / n if n else np.nan


@njit(cache=True, nogil=True)
def _worst(share: Floats, length: Shorts, window: int, least: Floats, at: Counts) -> None:
    series, hours = share.shape
    for s in range(series):
        least[s], at[s] = np.nan, -1
        for h in range(hours):
            if length[s, h] == window and (at[s] < 0 or share[s, h] < least[s]):
                least[s], at[s] = share[s, h], h


def trailing(outcome: Bytes, ok: Bools, history: History) -> Trailing:
    """Share within the limit over the last judged production hours; the window length is that of `history.bits`."""
    same_shape(outcome, ok)
    if history.bits.shape[0] != outcome.shape[0] or not 0 < history.bits.shape[1] < 2**15:
        raise ValueError(f"history of shape {history.bits.shape} does not fit {outcome.shape[0]} series")
    made = Trailing(np.empty(outcome.shape), np.empty(outcome.shape, np.int16))
    _trail(outcome, ok, history.bits, history.hours, *made)
    return made


def collect_history(history: History, series: Counts, judged: Bools, ok: Bools, need: Counts) -> None:
    """Put older rows in front of `history`, in place, until series s holds need[s] bits.

    series, judged, ok (R,): rows whose hours ascend within each series (-1 = not wanted), all before what is held already.
    """
    same_shape(series, judged, ok)
    _collect(series, judged, ok, need, history.bits, history.hours)


def clock_share(outcome: Bytes, ok: Bools, before: Bytes, window: int) -> Floats:
    """Share within the limit over the judged hours of the last `window` clock hours, this one included; NaN where none is.

    before (S, W), W >= window: bits WAS_JUDGED and WAS_OK of the clock hours before the month, the last of them at the right.
    """
    same_shape(outcome, ok)
    if before.shape[0] != outcome.shape[0] or not 0 < window <= before.shape[1]:
        raise ValueError(
            f"hours before of shape {before.shape} do not fit {outcome.shape[0]} series and {window} hours"
        )
    made = np.empty(outcome.shape)
    _clock(outcome, ok, before, window, made)
    return made


def place_before(before: Bytes, series: Counts, hour: Longs, judged: Bools, ok: Bools, need: Counts) -> None:
    """Write rows of series that need[s] > 0 into `before`, in place; hour (R,) counts from the month's start: negative before it."""
    same_shape(series, hour, judged, ok)
    _place(series, hour, judged, ok, need, before)


def worst_window(window: Trailing, hours: int) -> Worst:
    """The worst trailing window of exactly `hours` judged hours that ends in the month."""
    same_shape(window.share_pct, window.hours)
    series = window.hours.shape[0]
    made = Worst(np.empty(series), np.empty(series, np.int32))
    _worst(window.share_pct, window.hours, hours, *made)
    return made
