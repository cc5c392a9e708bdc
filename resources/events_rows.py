"""Rows of declarations: from cells to what they declare, each bad one a finding of its own.

Belongs here: which line or outlet, state or mark, channels and times a row names, and rows that do not count. Does not belong
here: files (`events_file`), several declarations of one event (`events_versions`), settling (`events_settle`).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from contracts.channels import CHANNEL_NAMES
from contracts.events import MARKS, STATES
from resources.events_file import STATES as STATE_FILE
from resources.events_words import folded, load_words, time_of
from resources.findings import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from resources.events import Finding
    from resources.events_file import Sheet
    from resources.findings import Kind
    from resources.registry import Line, Outlet, Registry

#: What is wrong with the cells of a row: kind of finding, column, figures.
Wrong: TypeAlias = list[tuple[str, str, dict[str, object]]]


class Declared(NamedTuple):
    """What one row declares. `subject` is a line (states) or an outlet (marks), `what` the state or mark; ends are exclusive.

    `channels` is empty for states. The last two fields say where it stands and are no part of what is said.
    """

    event_id: str
    subject: str
    what: str
    channels: tuple[str, ...]
    start: datetime
    end: datetime | None
    last_calibration_at: datetime | None
    declared_at: datetime | None
    evidence: str
    path: str
    line: int

    @property
    def said(self) -> tuple[object, ...]:
        """The row without its place."""
        return self[:-2]


class Subjects:
    """Lines or outlets of the registry by id: exactly as written, else in the only other spelling by case or width."""

    def __init__(self, rows: Iterable[tuple[str, Line | Outlet]]) -> None:
        self._rows: dict[str, list[Line | Outlet]] = {}
        for name, row in rows:
            self._rows.setdefault(name, []).append(row)
        self._folded: dict[str, set[str]] = {}
        for name in self._rows:
            self._folded.setdefault(folded(name), set()).add(name)

    def find(self, text: str) -> str | None:
        """The id that a cell names; None when there is none, or several that differ by case only."""
        if text in self._rows:
            return text
        near = self._folded.get(folded(text), set())
        return next(iter(near)) if len(near) == 1 else None

    def in_force(self, name: str, day: date) -> bool:
        """Whether the registry knows it on a day."""
        return any(row.in_force(day) for row in self._rows[name])

    def row(self, name: str, day: date) -> Line | Outlet:
        """Its row in force on a day, else the last one."""
        rows = self._rows[name]
        return next((r for r in rows if r.in_force(day)), None) or max(rows, key=lambda r: r.valid_from)

    def place(self, name: str, day: date) -> Place:
        """Plant, line and outlet that it stands for on a day, which is the place's period."""
        row = self.row(name, day)
        return Place(row.plant_id, row.line_id, getattr(row, "outlet_id", None), str(day))


def subjects_of(registry: Registry) -> tuple[Subjects, Subjects]:
    """Lines and outlets."""
    return Subjects((n.line_id, n) for n in registry.lines), Subjects((o.outlet_id, o) for o in registry.outlets)


class RowReader:
    """Reads the rows of sheets of both kinds; what is wrong with them gathers in `findings`."""

    def __init__(self, lines: Subjects, outlets: Subjects, kinds: Mapping[str, Kind]) -> None:
        self._lines, self._outlets, self._kinds, self._words = lines, outlets, kinds, load_words()
        self.findings: list[Finding] = []

    def rows(self, path: str, sheet: Sheet) -> list[Declared]:
        """The rows of a sheet that count."""
        for broken in sheet.broken:
            at = Place(source_file=path, source_cell=str(broken.line))
            kind = self._kinds["E04_broken_row"]
            self.findings.append(kind.finding(at, broken.text, {"what_zh": broken.zh, "what_en": broken.en}))
        states = sheet.kind == STATE_FILE
        read = (
            self._row(path, line, dict(zip(sheet.columns, cells, strict=True)), states) for line, cells in sheet.rows
        )
        return [row for row in read if row]

    def _row(self, path: str, line: int, cells: dict[str, str], states: bool) -> Declared | None:
        """One row; None when it does not count. Every bad cell is named, not only the first."""
        wrong: Wrong = []
        subject = self._subject(cells, wrong, "line_id" if states else "outlet_id")
        table, column = (self._words.states, "state") if states else (self._words.marks, "mark")
        what = table.get(folded(cells[column]), "")
        if not cells["event_id"]:
            wrong.append(("E05_empty_cell", "event_id", {}))
        if not cells[column]:
            wrong.append(("E05_empty_cell", column, {}))
        elif not what:
            kind, names = ("E08_unknown_state", STATES) if states else ("E09_unknown_mark", MARKS)
            wrong.append((kind, column, self._advice(f"{column}s", names, cells[column])))
        channels = () if states else self._words.channel_list(cells["channel"])
        if not states and not channels:
            strange = self._words.unknown_channel(cells["channel"])
            wrong.append(("E10_unknown_channel", "channel", self._advice("channels", CHANNEL_NAMES, strange)))
        start, end = self._period(cells, wrong)
        if wrong or start is None:
            self._complain(path, line, cells, subject, wrong)
            return None
        slips: Wrong = []
        calibrated, declared = (self._optional(cells, n, slips) for n in ("last_calibration_at", "declared_at"))
        if slips:
            self._complain(path, line, cells, subject, slips)
        return Declared(
            cells["event_id"],
            subject,
            what,
            channels,
            start,
            end,
            calibrated,
            declared,
            cells.get("evidence", ""),
            path,
            line,
        )

    def _advice(self, table: str, names: Iterable[str], text: str) -> dict[str, object]:
        """What may stand in a cell, and what is nearest to that which does."""
        near = ", ".join(self._words.shown(table, name) for name in self._words.nearest(table, text))
        return {
            "listed": ", ".join(self._words.shown(table, name) for name in names),
            "near_zh": f"最接近的是 {near}；" if near else "",
            "near_en": f"nearest is {near}; " if near else "",
        }

    def _subject(self, cells: dict[str, str], wrong: Wrong, column: str) -> str:
        if not cells[column]:
            wrong.append(("E05_empty_cell", column, {}))
            return ""
        known, kind = (
            (self._lines, "E11_unknown_line") if column == "line_id" else (self._outlets, "E12_unknown_outlet")
        )
        found = known.find(cells[column])
        if found is None:
            wrong.append((kind, column, {}))
        return found or ""

    @staticmethod
    def _period(cells: dict[str, str], wrong: Wrong) -> tuple[datetime | None, datetime | None]:
        start, end = (time_of(cells[n]) if cells[n] else None for n in ("start", "end"))
        if not cells["start"]:
            wrong.append(("E05_empty_cell", "start", {}))
        elif start is None:
            wrong.append(("E06_unreadable_time", "start", {}))
        if cells["end"] and end is None:
            wrong.append(("E06_unreadable_time", "end", {}))
        if start and end and end <= start:
            wrong.append(("E13_end_before_start", "end", {"start": start}))
        return start, end

    @staticmethod
    def _optional(cells: dict[str, str], column: str, slips: Wrong) -> datetime | None:
        text = cells.get(column)
        found = time_of(text) if text else None
        if text and found is None:
            slips.append(("E07_unreadable_optional_time", column, {}))
        return found

    def _complain(self, path: str, line: int, cells: dict[str, str], subject: str, wrong: Wrong) -> None:
        start = time_of(cells["start"]) if cells["start"] else None
        place = Place(period=str(start.date()) if start else None)
        if subject:
            known = self._lines if "state" in cells else self._outlets
            place = known.place(subject, start.date() if start else date.max)._replace(period=place.period)
        for kind, column, figures in wrong:
            at = place._replace(source_file=path, source_cell=f"{line}[{column}]")
            told = {"column": column, **figures}
            self.findings.append(self._kinds[kind].finding(at, cells[column], told, evidence=cells["event_id"] or None))
