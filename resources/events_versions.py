"""Several declarations of one event: which one counts, which are history, and whether it was declared in time.

Belongs here: rows that repeat, supersede or contradict one another. Does not belong here: reading rows (`events_rows`) and
what several events of one line come to (`events_settle`).

An event is known by its plant and its id. The declaration with the latest `declared_at` counts; among equals, and where none is
given, the one that stands last by path and line. So the outcome follows from the files alone, in whatever order they are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from resources.events_words import FIRST
from resources.findings import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from resources.events import Finding
    from resources.events_rows import Declared, Subjects
    from resources.events_terms import Terms
    from resources.findings import Kind


class Event(NamedTuple):
    """What is declared of one event in the end. `late`: no declaration of it with this start came in time."""

    row: Declared
    late: bool


class _Version(NamedTuple):
    """One distinct declaration: where it stands first, and where last."""

    row: Declared
    last: tuple[str, int]

    @property
    def order(self) -> tuple[datetime, str, int]:
        return self.row.declared_at or FIRST, *self.last


def settle_versions(
    rows: Iterable[Declared], subjects: Subjects, terms: Terms, kinds: Mapping[str, Kind]
) -> tuple[list[Event], list[Finding]]:
    """The events that rows of one kind declare, by id and plant, and findings on every row that is not among them."""
    findings: list[Finding] = []
    events: dict[tuple[str, str], dict[tuple[object, ...], _Version]] = {}
    repeats: dict[str, list[int]] = {}
    for row in sorted(rows, key=lambda r: (r.path, r.line)):
        event = row.event_id, subjects.row(row.subject, row.start.date()).plant_id
        versions = events.setdefault(event, {})
        known = versions.get(row.said)
        if known:
            repeats.setdefault(row.path, []).append(row.line)
        # The first place is its source, so that a file that repeats older ones moves nothing; the last one decides precedence.
        versions[row.said] = _Version(known.row if known else row, (row.path, row.line))
    made = []
    for _, versions in sorted(events.items()):
        *history, winner = sorted(versions.values(), key=lambda v: v.order)
        findings += [_told(v, winner, subjects, kinds) for v in history]
        row = winner.row
        same = [v.row for v in versions.values() if _claim(v.row) == _claim(row)]
        made.append(Event(row, late=all(terms.late(r.start, r.declared_at) for r in same)))
    findings += [
        kinds["E23_repeated"].finding(Place(source_file=path), None, {"rows": len(lines)}, evidence=_spans(lines))
        for path, lines in sorted(repeats.items())
    ]
    return made, findings


def _claim(row: Declared) -> tuple[object, ...]:
    """What must have been said in time; a later declaration may still move the end, the calibration and the evidence."""
    return row.subject, row.what, row.channels, row.start


def _told(old: _Version, new: _Version, subjects: Subjects, kinds: Mapping[str, Kind]) -> Finding:
    """Why a declaration does not count; its own words are the evidence."""
    row, winner = old.row, new.row
    at = subjects.place(row.subject, row.start.date())
    at = at._replace(source_file=row.path, source_cell=str(row.line))
    by = f"{winner.path}:{winner.line}"
    if row.subject != winner.subject:
        kind, value = "E22_id_reused", row.subject
    else:
        kind = "E21_contradiction" if row.declared_at == winner.declared_at else "E20_superseded"
        value = row.event_id
    figures = {"event": row.event_id, "winner": by, "other": winner.subject}
    return kinds[kind].finding(at, value, figures, evidence=spelt(row))


def spelt(row: Declared) -> str:
    """All that a row says, in one line."""
    cells = {
        "subject": row.subject, "what": row.what, "channel": "+".join(row.channels), "start": row.start, "end": row.end,
        "last_calibration_at": row.last_calibration_at, "declared_at": row.declared_at, "evidence": row.evidence,
    }  # fmt: skip
    return "; ".join(f"{name}={value}" for name, value in cells.items() if value)


def _spans(lines: list[int]) -> str:
    """Line numbers in ascending order as spans: 2-5, 9."""
    spans: list[list[int]] = []
    for line in lines:
        if spans and line == spans[-1][1] + 1:
            spans[-1][1] = line
        else:
            spans.append([line, line])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
