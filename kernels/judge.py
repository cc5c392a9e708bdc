"""Each hour against its limits, the month to date, and the trailing window of judged production hours.

Belongs here: loops over dense series (one row per outlet x pollutant, one column per clock hour) that say whether an
hour is judged, whether it holds its limits, and how the running figures stand after it. Does not belong here: the
monthly counts per policy (`judge_month`), the comparison bounds of the rounding modes (`bounds`), limits, tables, I/O.

Shapes: S series, H = 24 x D hours of D whole local days. `state` holds one of the process states below per hour;
`OUTSIDE` marks an hour that is not in the outlet's window (not in force, or after the last day with data).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

HOURS_PER_DAY = 24

#: Process states of an hour (air-rules 5). Only STOPPED ends production: a banked kiln keeps its fire.
OUTSIDE = -1
RUNNING, COLD_START, HOT_START, SHUTDOWN, STOPPED, BANKED = range(6)

#: What became of an hour; OUTSIDE also serves here. NO_LIMIT comes first: without a limit nothing else matters.
JUDGED, NO_LIMIT, NOT_PRODUCING, EXEMPT, NO_DATA, INVALID = range(6)

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.int8]
Shorts = npt.NDArray[np.int16]
Counts = npt.NDArray[np.int32]


class HourVerdicts(NamedTuple):
    """`outcome` is JUDGED, OUTSIDE or why not; `ok` means something where JUDGED; `mandatory_ok` is -1 where unknown."""

    outcome: Bytes
    ok: Bools
    mandatory_ok: Bytes


class MonthToDate(NamedTuple):
    """Totals up to and including each hour; `share_pct` is NaN before the first judged hour."""

    judged: Counts
    ok: Counts
    share_pct: Floats
    fail_budget: Counts


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


@njit(cache=True, nogil=True)
def _judge(
    value: Floats, seen: Bools, state: Bytes, exempt: Bools, limit: Floats, mandatory: Floats,
    outcome: Bytes, ok: Bools, mandatory_ok: Bytes,
) -> None:  # fmt: skip
    series, hours = value.shape
    for s in range(series):
        for h in range(hours):
            day = h // HOURS_PER_DAY
            v = value[s, h]
            mandatory_ok[s, h] = -1
            ok[s, h] = False
            counts = state[s, h] >= 0 and state[s, h] != STOPPED and not exempt[s, h]
            if counts and np.isfinite(v) and not np.isnan(mandatory[s, day]):
                mandatory_ok[s, h] = v <= mandatory[s, day]
            if state[s, h] < 0:
                outcome[s, h] = OUTSIDE
            elif np.isnan(limit[s, day]):
                outcome[s, h] = NO_LIMIT
            elif state[s, h] == STOPPED:
                outcome[s, h] = NOT_PRODUCING
            elif exempt[s, h]:
                outcome[s, h] = EXEMPT
            elif not seen[s, h]:
                outcome[s, h] = NO_DATA
            elif not np.isfinite(v):
                outcome[s, h] = INVALID
            else:
                outcome[s, h] = JUDGED
                ok[s, h] = v <= limit[s, day]


@njit(cache=True, nogil=True)
def _to_date(
    outcome: Bytes, ok: Bools, planned: Counts, pass_pct: int,
    judged: Counts, okays: Counts, share: Floats, budget: Counts,
) -> None:  # fmt: skip
    series, hours = outcome.shape
    for s in range(series):
        n = good = passed = 0
        for h in range(hours):
            if outcome[s, h] != OUTSIDE and outcome[s, h] != NO_LIMIT:
                passed += 1
            if outcome[s, h] == JUDGED:
                n += 1
                good += ok[s, h]
            judged[s, h] = n
            okays[s, h] = good
            share[s, h] = 100.0 * good / n if n else np.nan
            projected = n + planned[s] - passed
            budget[s, h] = (100 - pass_pct) * projected // 100 - (n - good)


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


def judge_hours(
    value: Floats, seen: Bools, state: Bytes, exempt: Bools, limit: Floats, mandatory: Floats
) -> HourVerdicts:
    """Judge every hour (air-rules 1.3, rows R11-R13 and R15): an hour is ok when its full value is <= the limit.

    value (S, H) in mg/m3, NaN where invalid; seen (S, H) whether anything was recorded; state (S, H); exempt (S, H) hours
    that no rule judges; limit and mandatory (S, D) in mg/m3 per day, NaN where none is set. ValueError on other shapes.
    """
    _same_shape(value, seen, state, exempt)
    _per_day(value, limit, mandatory)
    made = HourVerdicts(np.empty(value.shape, np.int8), np.empty(value.shape, np.bool_), np.empty(value.shape, np.int8))
    _judge(value, seen, state, exempt, limit, mandatory, *made)
    return made


def month_to_date(outcome: Bytes, ok: Bools, planned: Counts, pass_pct: int) -> MonthToDate:
    """Running totals of a month and the fail budget floor((100 - pass_pct) % of N_proj) - fails to date, in integers.

    planned (S,): hours of the outlet's whole month under a limit; N_proj = judged so far + those of them still to come
    (air-rules 1.3, vector V34). A negative budget says by how many hours the rule is broken already.
    """
    _same_shape(outcome, ok)
    shape = outcome.shape
    made = MonthToDate(np.empty(shape, np.int32), np.empty(shape, np.int32), np.empty(shape), np.empty(shape, np.int32))
    _to_date(outcome, ok, planned, pass_pct, *made)
    return made


def trailing(outcome: Bytes, ok: Bools, history: History) -> Trailing:
    """Share within the limit over the last judged production hours; the window length is that of `history.bits`."""
    _same_shape(outcome, ok)
    if history.bits.shape[0] != outcome.shape[0] or not 0 < history.bits.shape[1] < 2**15:
        raise ValueError(f"history of shape {history.bits.shape} does not fit {outcome.shape[0]} series")
    made = Trailing(np.empty(outcome.shape), np.empty(outcome.shape, np.int16))
    _trail(outcome, ok, history.bits, history.hours, *made)
    return made


def collect_history(history: History, series: Counts, judged: Bools, ok: Bools, need: Counts) -> None:
    """Put older rows in front of `history`, in place, until series s holds need[s] bits.

    series, judged, ok (R,): rows whose hours ascend within each series (-1 = not wanted), all before what is held already.
    """
    _same_shape(series, judged, ok)
    _collect(series, judged, ok, need, history.bits, history.hours)


def _same_shape(first: npt.NDArray[np.generic], *others: npt.NDArray[np.generic]) -> None:
    for other in others:
        if other.shape != first.shape:
            raise ValueError(f"arrays of shapes {first.shape} and {other.shape} do not go together")


def _per_day(value: Floats, *limits: Floats) -> None:
    series, hours = value.shape
    for limit in limits:
        if hours % HOURS_PER_DAY or limit.shape != (series, hours // HOURS_PER_DAY):
            raise ValueError(f"limits of shape {limit.shape} do not fit values of shape {value.shape}")
