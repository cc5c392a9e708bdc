"""Signals over long windows: `cems_hourly` of a month and the days before it -> `cems_patterns`.

Belongs here: the order of the work. Does not belong here: reading hours (`pattern_hours`), looking for patterns
(`pattern_finders`, `pattern_pairs`, `pattern_records`), texts and thresholds (`reference`). A pattern points, it never edits.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import TYPE_CHECKING

from assets.pattern_finders import Found, month_patterns, steady_patterns
from assets.pattern_hours import read_pattern_hours, series_limits
from assets.pattern_pairs import replayed_days, same_trends
from assets.pattern_records import calibrations, changed_settings, registry_changes
from assets.signal_writer import Writer
from contracts.signals import CEMS_PATTERNS

if TYPE_CHECKING:
    import pyarrow as pa

    from resources.bench import Bench


def make_patterns(bench: Bench, month: str) -> dict[str, pa.Table]:
    """cems_patterns of a month ('YYYY-MM') up to its last day with hours; {} when it has none.

    An episode is told in the month that it ends in, and begins where it began, at most `signals.lead_days` before the month.
    """
    first = date.fromisoformat(f"{month}-01")
    days = bench.keys("cems_hourly", str(first), str(first.replace(day=monthrange(first.year, first.month)[1])))
    if not days:
        return {}
    last = date.fromisoformat(days[-1])
    book = bench.rules(last, last)
    lead = timedelta(days=int(Writer(CEMS_PATTERNS, book, last, first).number("lead_days")))
    origin = first - lead
    writer = Writer(CEMS_PATTERNS, book, last, origin)
    hours = read_pattern_hours(bench, origin, first, last)
    memory = timedelta(days=int(writer.number("calibration_memory_days")))
    registry = bench.registry(first - timedelta(days=1), last)
    events = bench.events(min(origin, last - memory), last)
    limits = series_limits(hours, registry, book, last)
    values = hours.running(writer.number("o2.near_air_above_pct"), writer.number("running_flow_pct") / 100)
    marks = events.marks_in(min(origin, last - memory), last)
    found = Found(hours, values, limits, tuple(marks))
    steady_patterns(writer, found)
    month_patterns(writer, found, {o.outlet_id: o.reductant or "none" for o in registry.outlets_at(last)})
    same_trends(writer, found)
    replayed_days(writer, found)
    calibrations(writer, found)
    registry_changes(writer, registry, first, last)
    changed_settings(writer, bench, days)
    return {CEMS_PATTERNS.name: writer.arrow()}
