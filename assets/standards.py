"""The standards room: `cems_hourly` -> `standards_daily`, `standards_monthly`, one partition per month.

Belongs here: the order of the work. Does not belong here: any of its parts (the `standards_*` modules, the kernels), and Chinese
limits, which are judged in `judgement`.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import TYPE_CHECKING

from assets.judgement_limits import Month
from assets.standards_figures import figures_of
from assets.standards_history import discarded_before, operating_days
from assets.standards_hours import read_hours
from assets.standards_rows import daily_table, monthly_table
from assets.standards_series import month_series
from assets.standards_terms import european_terms
from contracts.standards import STANDARDS_DAILY, STANDARDS_MONTHLY

if TYPE_CHECKING:
    import pyarrow as pa

    from assets.standards_history import PastDay
    from assets.standards_series import Series
    from resources.bench import Bench

__all__ = ["make_standards"]


def make_standards(bench: Bench, month: str) -> dict[str, pa.Table]:
    """Judge `month` ('YYYY-MM', local) under every standard that is chosen, up to the end of the data; {} where none is.

    Hours without a declared state count as running, hours without a row as invalid. Figures that need clinker by the day are
    null with their reason: no table tells it.
    """
    first = date.fromisoformat(f"{month}-01")
    length = monthrange(first.year, first.month)[1]
    last = first.replace(day=length)
    standards = bench.standards(first, last)
    if not standards.any_in(first, last):
        return {}
    frontier = bench.frontier("cems_hourly", str(last))
    days = bench.keys("cems_hourly", str(first), str(last))
    if frontier < str(first) or not (days or bench.keys("cems_hourly", "", str(first))):
        return {}
    frame = Month(month, first, length, date.fromisoformat(frontier).day)
    book = bench.rules(first, last)
    # Before its first day of data a home has nothing to discard.
    earlier = bench.frontier("cems_hourly", str(first - timedelta(days=1)))
    begin = 0 if earlier or not days else date.fromisoformat(days[0]).day - 1
    series = month_series(bench.registry(first, last), standards, frame, begin)
    if not series:
        return {}
    hours = read_hours(bench, frame, days, {(s.outlet_id, s.pollutant) for s in series})

    def past(rolling: list[Series], count: int) -> list[list[PastDay]]:
        return operating_days(bench, frame, rolling, count)

    figures = figures_of(series, hours, standards, book, frame, past)
    capped = any(f.discards for f in figures)
    allowed = european_terms(standards, frame.last_shown).discarded_days_year if capped else 0
    discarded = discarded_before(bench, frame) if capped else {}
    return {
        STANDARDS_DAILY.name: daily_table(frame, series, figures),
        STANDARDS_MONTHLY.name: monthly_table(frame, series, figures, discarded, allowed),
    }
