"""From raw minutes to valid hours and the signals beside them: makes cems_hourly and cems_signals.

Belongs here: which tables a day of hours reads, and the order of the steps. Does not belong here: the arithmetic
(`kernels.hours`), the loggers' own hours (`hour_day`), the layout of the two tables (`hour_table`, `hour_signals`).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from assets.fleet import expected_pollutants, fleet_at, outlet_facts
from assets.hour_day import REPORTED_COLUMNS, HourDay, reported_hours, strangers_of
from assets.hour_declared import declarations
from assets.hour_rules import label_rules, rules_of
from assets.hour_signals import signal_table
from assets.hour_table import hour_table
from assets.labels import EVIDENCE_DAYS, choose_labels
from assets.sent_rows import COLUMNS, HOUR, MINUTE, kernel_rows, sent_rows
from assets.signal_devices import device_doubts
from assets.signal_minutes import doubts_of
from kernels.hours import Day, hours_of_day

if TYPE_CHECKING:
    import pyarrow as pa

    from assets.sent_rows import SentRows
    from resources.bench import Bench


def make_hours(bench: Bench, day: str) -> dict[str, pa.Table]:
    """cems_hourly and cems_signals of a local day; {} when no record belongs to it, nor a declared stop
    between days with data.

    cems_hourly has 24 rows for every outlet in force and every pollutant with a limit there or with data. Under end
    labels the records labelled 00:00 of the next day (cems_edge) close this day, those of this day's 00:00 belong to
    the day before.
    """
    gathered = _gather(bench, date.fromisoformat(day))
    if gathered.records_nothing and not (gathered.stopped and _data_go_on(bench, day)):
        return {}
    return {"cems_hourly": hour_table(gathered), "cems_signals": signal_table(gathered)}


def _data_go_on(bench: Bench, day: str) -> bool:
    """Whether there are records on a later day: past the end of the data a declared stop makes no hours of anybody's."""
    following = str(date.fromisoformat(day) + timedelta(days=1))
    return bench.frontier("cems_minute", following) == following


def _gather(bench: Bench, day: date) -> HourDay:
    registry = bench.registry(day - timedelta(days=EVIDENCE_DAYS - 1), day)
    book = bench.rules(day, day)
    fleet, rules = fleet_at(registry, day), rules_of(book, day)
    choices = choose_labels(bench, fleet, label_rules(book, day))
    labels = {key: choice.label for key, choice in choices.items()}
    minutes, hours = _sent(bench, day)
    speakers, hour_speakers = fleet.speakers(minutes, labels), fleet.speakers(hours, labels)
    facts = outlet_facts(fleet, book)
    rows = kernel_rows(minutes, speakers, len(fleet.outlets), day)
    declared = declarations(bench.events(day, day), fleet, book, rules)
    return HourDay(
        fleet=fleet,
        book=book,
        rules=rules,
        facts=facts,
        expected=expected_pollutants(fleet, registry, book),
        hours=hours_of_day(Day(rows, facts, rules.classes, rules.rules, declared.spans, doubts_of(book, day))),
        reported=reported_hours(hours, hour_speakers, fleet),
        labels=tuple("" if s is None else s.label for s in speakers),
        choices=choices,
        strangers=strangers_of(minutes, speakers, fleet),
        process=declared.process,
        touched=declared.touched,
        doubts=device_doubts(minutes, speakers, book, day),
    )


def _sent(bench: Bench, day: date) -> tuple[SentRows | None, SentRows | None]:
    """Minute and hour records that may belong to the day: its own, and the first ones of the next."""
    edge = bench.table("cems_edge", str(day + timedelta(days=1)), [*REPORTED_COLUMNS, "qn"])
    columns = ([*COLUMNS, "qn"], REPORTED_COLUMNS)
    edge_minutes, edge_hours = (None if edge is None else edge.select(names) for names in columns)
    minutes = sent_rows([bench.table("cems_minute", str(day), [*COLUMNS, "qn"]), edge_minutes], MINUTE)
    return minutes, sent_rows([bench.table("cems_reported", str(day), REPORTED_COLUMNS), edge_hours], HOUR)
