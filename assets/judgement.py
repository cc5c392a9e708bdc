"""The judgement room: hours and declared states of a month -> the tables of judged hours and verdicts, one partition per month.

Belongs here: the order of the work. Does not belong here: any of its parts (see the `judgement_*` modules and the kernels).

The partition is the month although hours arrive by day: one late day moves the month to date of every later hour of its
month, so that one file is rewritten instead of thirty.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from assets.data_span import days_before_data
from assets.judgement_episodes import episodes_table
from assets.judgement_floor import mandatory_table
from assets.judgement_hours import CLOCK_HOURS, read_hours, read_past
from assets.judgement_limits import Month
from assets.judgement_plants import plants_table
from assets.judgement_progress import progress_table
from assets.judgement_rows import Judged, hourly_table
from assets.judgement_series import Series, month_series
from assets.judgement_states import month_states
from assets.judgement_terms import Terms, month_terms
from assets.judgement_verdicts import judge_month, monthly_table
from contracts.ule import ULE_HOURLY, ULE_MONTHLY, ULE_PROGRESS
from contracts.ule_more import MANDATORY_MONTHLY, ULE_EPISODES, ULE_PLANTS
from kernels.bounds import full_value_bounds
from kernels.judge import judge_hours, month_to_date
from kernels.windows import clock_share, trailing

if TYPE_CHECKING:
    import pyarrow as pa

    from assets.judgement_limits import Floats
    from assets.judgement_series import Bools
    from assets.judgement_states import States
    from resources.bench import Bench
    from resources.rules import RuleBook

__all__ = ["make_judgement"]


def make_judgement(bench: Bench, month: str) -> dict[str, pa.Table]:
    """Judge every hour of `month` ('YYYY-MM', local) up to the end of the data; {} when the data do not reach it.

    Hours of the window without a row or a value are production hours that are not valid; they are never dropped. Only a
    declared stop ends production.
    """
    found = _month(bench, month)
    if found is None:
        return {}
    frame, days = found
    registry, book = bench.registry(frame.first, frame.last), bench.rules(frame.first, frame.last)
    series, value, seen = _series(bench, frame, days, month_series(registry, book, frame))
    terms = _terms(book, frame, series)
    states = month_states(bench.events(frame.first, frame.last_shown), book, frame, series)
    judged = _judge(bench, frame, series, terms, value, seen, states)
    monthly = monthly_table(frame, series, judged, judge_month(series, frame.shown, value, states, terms), terms)
    plants = plants_table(monthly)
    return {
        ULE_HOURLY.name: hourly_table(frame, series, judged),
        ULE_MONTHLY.name: monthly,
        ULE_PROGRESS.name: progress_table(frame, registry, book, plants),
        MANDATORY_MONTHLY.name: mandatory_table(frame, series, value, states, terms.insufficient_pct),
        ULE_PLANTS.name: plants,
        ULE_EPISODES.name: episodes_table(bench, frame, series, judged),
    }


def _judge(
    bench: Bench, frame: Month, series: Series, terms: Terms, value: Floats, seen: Bools, states: States
) -> Judged:
    """Every hour under the headline policy, with its running figures."""
    limit, mandatory = (full_value_bounds(a[:, : frame.shown]) for a in (series.limit, series.mandatory))
    hours = judge_hours(value, seen, states.state, states.exempt, limit, mandatory, terms.headline_startup)
    to_date = month_to_date(hours.outcome, hours.ok, series.limited_days, terms.pass_pct)
    past = read_past(bench, frame, series, terms.trailing_hours)
    window = trailing(hours.outcome, hours.ok, past.judged)
    shares = (clock_share(hours.outcome, hours.ok, past.clock, n) for n in (24, CLOCK_HOURS))
    return Judged(value, states, hours, to_date, window, *shares)


def _month(bench: Bench, month: str) -> tuple[Month, list[str]] | None:
    """The month up to the frontier, and its days that have hours; None before the first and after the last day of the data."""
    first = date.fromisoformat(f"{month}-01")
    length = monthrange(first.year, first.month)[1]
    last = first.replace(day=length)
    frontier = bench.frontier("cems_hourly", str(last))
    if frontier < str(first):
        return None
    days = bench.keys("cems_hourly", str(first), str(last))
    begin = days_before_data(bench, first, last)
    if begin is None:
        return None
    return Month(month, first, length, date.fromisoformat(frontier).day, begin), days


def _series(bench: Bench, frame: Month, days: list[str], series: Series) -> tuple[Series, Floats, Bools]:
    """The series to judge with their hours: those that must be monitored and those that something was recorded for."""
    # What lies before the first data of a home was never asked for: it is no production without values.
    series.in_force[:, : frame.begin] = False
    value, seen = read_hours(bench, frame, days, series)
    wanted = np.flatnonzero(series.in_force[:, : frame.shown].any(axis=1) & (series.expected | seen.any(axis=1)))
    return series.take(wanted), value[wanted], seen[wanted]


def _terms(book: RuleBook, frame: Month, series: Series) -> Terms:
    """The terms of the month's last day under an ultra-low limit."""
    limited = np.flatnonzero(series.limited_days[:, : frame.shown].any(axis=0))
    return month_terms(book, frame.dates[limited[-1]]) if limited.size else Terms.none()
