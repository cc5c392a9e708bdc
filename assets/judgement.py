"""The judgement room: `cems_hourly` -> `ule_hourly`, `ule_monthly`, `ule_progress`, one partition per month.

Belongs here: the order of the work. Does not belong here: any of its parts (see the `judgement_*` modules and the kernels).

The partition is the month although hours arrive by day: one late day moves the month to date of every later hour of its
month, so that one file is rewritten instead of thirty.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from assets.judgement_hours import read_history, read_hours
from assets.judgement_limits import Month
from assets.judgement_progress import progress_table
from assets.judgement_rows import hourly_table
from assets.judgement_series import Series, month_series
from assets.judgement_terms import Terms, month_terms
from assets.judgement_verdicts import judge_month, monthly_table
from contracts.ule import ULE_HOURLY, ULE_MONTHLY, ULE_PROGRESS
from kernels.bounds import full_value_bounds
from kernels.judge import HOURS_PER_DAY, OUTSIDE, RUNNING, judge_hours, month_to_date, trailing

if TYPE_CHECKING:
    import pyarrow as pa

    from assets.judgement_limits import Floats
    from assets.judgement_series import Bools
    from resources.bench import Bench
    from resources.rules import RuleBook

__all__ = ["make_judgement"]


def make_judgement(bench: Bench, month: str) -> dict[str, pa.Table]:
    """Judge every hour of `month` ('YYYY-MM', local) up to the end of the data; {} when the data do not reach it.

    Hours of the window without a row or a value are production hours that are not valid; they are never dropped. Process
    states and exemptions are not declared yet: every hour in force counts as running.
    """
    found = _month(bench, month)
    if found is None:
        return {}
    frame, days = found
    registry, book = bench.registry(frame.first, frame.last), bench.rules(frame.first, frame.last)
    series, value, seen = _series(bench, frame, days, month_series(registry, book, frame))
    terms = _terms(book, frame, series)
    in_force = np.repeat(series.in_force[:, : frame.shown], HOURS_PER_DAY, axis=1)
    state = np.where(in_force, RUNNING, OUTSIDE).astype(np.int8)
    exempt = np.zeros(state.shape, np.bool_)
    limits = (full_value_bounds(a[:, : frame.shown]) for a in (series.limit, series.mandatory))
    hours = judge_hours(value, seen, state, exempt, *limits)
    to_date = month_to_date(hours.outcome, hours.ok, series.planned_hours, terms.pass_pct)
    window = trailing(hours.outcome, hours.ok, read_history(bench, frame, series, terms.trailing_hours))
    monthly = monthly_table(frame, series, hours, judge_month(series, frame.shown, value, state, exempt, terms), terms)
    return {
        ULE_HOURLY.name: hourly_table(frame, series, value, hours, to_date, window),
        ULE_MONTHLY.name: monthly,
        ULE_PROGRESS.name: progress_table(frame, registry, book, monthly),
    }


def _month(bench: Bench, month: str) -> tuple[Month, list[str]] | None:
    """The month up to the frontier, and its days that have hours; None before the first and after the last day of the data."""
    first = date.fromisoformat(f"{month}-01")
    length = monthrange(first.year, first.month)[1]
    last = first.replace(day=length)
    frontier = bench.frontier("cems_hourly", str(last))
    if frontier < str(first):
        return None
    days = bench.keys("cems_hourly", str(first), str(last))
    if not days and not bench.keys("cems_hourly", "", str(first)):
        return None
    return Month(month, first, length, date.fromisoformat(frontier).day), days


def _series(bench: Bench, frame: Month, days: list[str], series: Series) -> tuple[Series, Floats, Bools]:
    """The series to judge with their hours: those that must be monitored and those that something was recorded for."""
    value, seen = read_hours(bench, frame, days, series)
    wanted = np.flatnonzero(series.in_force[:, : frame.shown].any(axis=1) & (series.expected | seen.any(axis=1)))
    return series.take(wanted), value[wanted], seen[wanted]


def _terms(book: RuleBook, frame: Month, series: Series) -> Terms:
    """The terms of the month's last day under an ultra-low limit."""
    limited = np.flatnonzero(series.limited_days[:, : frame.shown].any(axis=0))
    return month_terms(book, frame.dates[limited[-1]]) if limited.size else Terms.none()
