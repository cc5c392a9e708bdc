"""What is said of single events that count: late, far ahead, very long, outside the registry, without a calibration.

Belongs here: findings on one event alone. Does not belong here: rows that do not count (`events_rows`), several declarations or
events against one another (`events_versions`, `events_settle`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from resources.findings import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from resources.events import Finding
    from resources.events_rows import Declared, Subjects
    from resources.events_terms import Terms
    from resources.events_versions import Event
    from resources.findings import Kind


def notes(events: Iterable[Event], subjects: Subjects, terms: Terms, kinds: Mapping[str, Kind]) -> Iterator[Finding]:
    """Findings on each event."""
    for event in events:
        row = event.row
        told = [*_of_declaration(event, terms), *_of_length(row, terms), *_of_registry(row, subjects)]
        told += _of_mark(row) if row.channels else ()
        if not told:
            continue
        at = subjects.place(row.subject, row.start.date())._replace(source_file=row.path, source_cell=str(row.line))
        for note in told:
            full = note._replace(figures={"event": row.event_id, **note.figures}, evidence=row.event_id)
            yield full.finding(kinds, at)


def _of_declaration(event: Event, terms: Terms) -> Iterator[Note]:
    row = event.row
    # Running is what a kiln does unless something is declared: nobody has to mark it in time.
    if event.late and row.what != "running":
        if row.declared_at is None:
            yield Note("E37_undated", "declared_at", None, {})
        else:
            yield Note("E36_late", "declared_at", str(row.declared_at), {"due": terms.due(row.start)})
    if row.declared_at is not None:
        ahead = row.start - row.declared_at
        limit = terms.ahead_days(row.start.date())
        if ahead > timedelta(days=limit):
            yield Note("E38_far_ahead", "start", str(row.start), {"days": ahead.total_seconds() / 86_400}, limit)


def _of_length(row: Declared, terms: Terms) -> Iterator[Note]:
    limit = terms.long_days(row.start.date())
    if row.end is not None and row.end - row.start > timedelta(days=limit):
        yield Note("E39_very_long", "end", str(row.end), {"days": (row.end - row.start).days}, limit)


def _of_registry(row: Declared, subjects: Subjects) -> Iterator[Note]:
    """Its first and last day must be known; what lies between may have gaps of its own."""
    last = (row.end - timedelta(microseconds=1)).date() if row.end else row.start.date()
    missing: dict[date, str] = {}
    for day, column in ((row.start.date(), "start"), (last, "end")):
        if not subjects.in_force(row.subject, day):
            missing.setdefault(day, column)
    for day, column in missing.items():
        yield Note("E40_not_in_force", column, str(day), {"what": row.subject})


def _of_mark(row: Declared) -> Iterator[Note]:
    if row.end is None:
        yield Note("E33_open_mark", "end", None, {"mark": row.what})
    if row.last_calibration_at is None:
        if row.what == "OOC":
            yield Note("E41_no_calibration", "last_calibration_at", None, {})
    elif row.last_calibration_at > row.start:
        yield Note(
            "E42_calibration_after_start", "last_calibration_at", str(row.last_calibration_at), {"start": row.start}
        )
