"""Each hour against its limits, and the month to date.

Belongs here: loops over dense series (one row per outlet x pollutant, one column per clock hour) that say whether an
hour is judged, whether it holds its limits, and how the running totals stand after it. Does not belong here: windows that
cross months (`windows`), states (`states`), counts per policy (`judge_month`), comparison bounds (`bounds`), tables, I/O.

Shapes: S series, H = 24 x D hours of D whole local days. `state` holds one of the process states below per hour;
`OUTSIDE` marks an hour that is not in the outlet's window (not in force, or after the last day with data).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

HOURS_PER_DAY = 24

#: Process states of an hour (air-rules 5); start-ups and shut-downs stand together. Only STOPPED ends production: a banked kiln
#: keeps its fire, and is neither starting nor shutting down.
OUTSIDE = -1
RUNNING, COLD_START, HOT_START, SHUTDOWN, STOPPED, BANKED = range(6)

#: startup_shutdown: judge all hours in production; leave out hours exempt within their caps; leave out all tagged ones.
INCLUDE_ALL, EXCLUDE_EXEMPT, EXCLUDE_TAGGED = range(3)

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
    """Totals up to and including each hour; `share_pct` is NaN before the first judged hour.

    `spent` is the hour of the month (0 = its first) with which the fail budget is used up, -1 for none.
    """

    judged: Counts
    ok: Counts
    share_pct: Floats
    fail_budget: Counts
    spent: Shorts


@njit(cache=True, nogil=True)
def _judge(
    value: Floats, seen: Bools, state: Bytes, exempt: Bools, limit: Floats, mandatory: Floats, startup: int,
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
            elif startup != INCLUDE_ALL and (
                exempt[s, h] or (startup == EXCLUDE_TAGGED and COLD_START <= state[s, h] <= SHUTDOWN)
            ):
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
    outcome: Bytes, ok: Bools, limited: Bools, pass_pct: int,
    judged: Counts, okays: Counts, share: Floats, budget: Counts, spent: Shorts,
) -> None:  # fmt: skip
    series, hours = outcome.shape
    day_of = np.empty(limited.shape[1], np.int64)
    for s in range(series):
        n = good = passed = days = 0
        gone = -1
        for d in range(limited.shape[1]):
            if limited[s, d]:
                day_of[days] = d
                days += 1
        planned = HOURS_PER_DAY * days
        for h in range(hours):
            if outcome[s, h] != OUTSIDE and outcome[s, h] != NO_LIMIT:
                passed += 1
            if outcome[s, h] == JUDGED:
                n += 1
                good += ok[s, h]
            judged[s, h] = n
            okays[s, h] = good
            share[s, h] = 100.0 * good / n if n else np.nan
            left = (100 - pass_pct) * (n + planned - passed) // 100 - (n - good)
            budget[s, h] = left
            spent[s, h] = -1
            if n == good:
                continue
            if left <= 0:
                gone = h if gone < 0 else gone
                spent[s, h] = gone
            else:
                # Of the hours still ahead the least k with k x fails / judged >= left, in integers.
                ahead = passed + (left * n + n - good - 1) // (n - good)
                if ahead <= planned:
                    spent[s, h] = HOURS_PER_DAY * day_of[(ahead - 1) // HOURS_PER_DAY] + (ahead - 1) % HOURS_PER_DAY


def judge_hours(
    value: Floats,
    seen: Bools,
    state: Bytes,
    exempt: Bools,
    limit: Floats,
    mandatory: Floats,
    startup: int = INCLUDE_ALL,
) -> HourVerdicts:
    """Judge every hour (air-rules 1.3, rows R11-R13 and R15): an hour is ok when its full value is <= the limit.

    value (S, H) in mg/m3, NaN where invalid; seen (S, H) whether anything was recorded; state (S, H); exempt (S, H) hours
    within the cap of a start or stop: the mandatory standard is not tested in them, the ultra-low limit as `startup` says;
    limit and mandatory (S, D) in mg/m3 per day, NaN where none is set. ValueError on other shapes.
    """
    same_shape(value, seen, state, exempt)
    per_day(value, limit, mandatory)
    made = HourVerdicts(np.empty(value.shape, np.int8), np.empty(value.shape, np.bool_), np.empty(value.shape, np.int8))
    _judge(value, seen, state, exempt, limit, mandatory, startup, *made)
    return made


def month_to_date(outcome: Bytes, ok: Bools, limited: Bools, pass_pct: int) -> MonthToDate:
    """Running totals of a month and the fail budget floor((100 - pass_pct) % of N_proj) - fails to date, in integers.

    limited (S, days of the whole month): days of the outlet under a limit, of which every hour ahead counts as produced and
    judged; N_proj = judged so far + those still to come (air-rules 1.3, vector V34). A negative budget says by how many hours
    the rule is broken already. The budget is spent with the hour that brings the fails to it, should hours go on to fail as
    often as they did (fails / judged): the ceil(budget x judged / fails)-th hour ahead; none within the month is -1. Once the
    budget is down to 0 or below it is the hour in which that came about. ValueError where the days do not hold the hours.
    """
    same_shape(outcome, ok)
    if limited.shape[0] != outcome.shape[0] or limited.shape[1] * HOURS_PER_DAY < outcome.shape[1]:
        raise ValueError(f"days of shape {limited.shape} do not hold hours of shape {outcome.shape}")
    shape = outcome.shape
    counts = (np.empty(shape, np.int32), np.empty(shape, np.int32), np.empty(shape), np.empty(shape, np.int32))
    made = MonthToDate(*counts, np.empty(shape, np.int16))
    _to_date(outcome, ok, limited, pass_pct, *made)
    return made


def same_shape(first: npt.NDArray[np.generic], *others: npt.NDArray[np.generic]) -> None:
    """ValueError where arrays differ in shape."""
    for other in others:
        if other.shape != first.shape:
            raise ValueError(f"arrays of shapes {first.shape} and {other.shape} do not go together")


def per_day(value: Floats, *limits: Floats) -> None:
    """ValueError where limits are not one a series and day of the hours."""
    series, hours = value.shape
    for limit in limits:
        if hours % HOURS_PER_DAY or limit.shape != (series, hours // HOURS_PER_DAY):
            raise ValueError(f"limits of shape {limit.shape} do not fit values of shape {value.shape}")
