"""The book of declared events: which process state a line is in, and which marks a device bears, at any time.

Belongs here: the typed rows, looking them up by day, and versions of what concerns a window. Does not belong here: reading
and settling the files (`events_read`), and what a state or mark does to an hour (`kernels`, `assets`).

Times are naive Beijing time; ends are exclusive; `OPEN` stands for an end that was not declared.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

OPEN = datetime(9999, 1, 1)


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One stretch on which a declared state holds. `start` is the event's own: its clock starts there, whatever part of
    it other events cover; `begin` and `end` bound the stretch. Stretches of one line never overlap.
    """

    event_id: str
    line_id: str
    state: str
    start: datetime
    begin: datetime
    end: datetime
    declared_end: datetime | None
    declared_at: datetime | None
    late: bool
    evidence: str
    src_path: str
    src_line: int


@dataclass(frozen=True, slots=True)
class DeviceMark:
    """One mark on one channel of an outlet; `channel` is "all" for every channel. Marks may overlap."""

    event_id: str
    outlet_id: str
    channel: str
    mark: str
    start: datetime
    end: datetime
    last_calibration_at: datetime | None
    declared_at: datetime | None
    late: bool
    src_path: str
    src_line: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found in a declaration or ledger; the columns of `contracts/events.py:FINDINGS` without the id."""

    check_id: str
    severity: str
    text_zh: str
    text_en: str
    plant_id: str | None = None
    line_id: str | None = None
    outlet_id: str | None = None
    period: str | None = None
    value: str | None = None
    low: float | None = None
    high: float | None = None
    evidence: str | None = None
    source_file: str | None = None
    source_cell: str | None = None

    @property
    def finding_id(self) -> str:
        """Follows from the content alone: the same finding keeps its id however often it is found."""
        return hashlib.sha256(_text(self).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class EventFile:
    """One file of landing/events. `reason` is empty when it was read, else why it was refused and the remedy."""

    path: str
    sha256: str
    size: int
    rows: int
    reason: str


class EventBook:
    """Every stretch and mark of a home, settled; build it with `resources.events_read.read_events`."""

    def __init__(
        self,
        states: Iterable[ProcessState] = (),
        marks: Iterable[DeviceMark] = (),
        findings: Iterable[Finding] = (),
        files: Iterable[EventFile] = (),
    ) -> None:
        self.states = tuple(sorted(states, key=lambda s: (s.line_id, s.begin)))
        self.marks = tuple(sorted(marks, key=lambda m: (m.outlet_id, m.channel, m.start, m.event_id)))
        self.findings = tuple(sorted(set(findings), key=lambda f: f.finding_id))
        self.files = tuple(sorted(files, key=lambda f: f.path))

    def states_in(self, first: date, last: date) -> list[ProcessState]:
        """Stretches that touch [first, last], both inclusive, by line and time."""
        since, until = _window(first, last)
        return [s for s in self.states if s.begin < until and s.end > since]

    def marks_in(self, first: date, last: date) -> list[DeviceMark]:
        """Marks that touch [first, last], both inclusive."""
        since, until = _window(first, last)
        return [m for m in self.marks if m.start < until and m.end > since]

    def version(self, first: date, last: date) -> str:
        """SHA-256 over what holds in [first, last]; where it was declared does not count, what and when does."""
        rows: list[ProcessState | DeviceMark] = [*self.states_in(first, last), *self.marks_in(first, last)]
        return hashlib.sha256("\n".join(_text(r) for r in rows).encode()).hexdigest() if rows else ""

    @cached_property
    def whole(self) -> str:
        """SHA-256 over everything: rows with their places, findings and files."""
        parts: tuple[tuple[ProcessState | DeviceMark | Finding | EventFile, ...], ...] = (
            self.states, self.marks, self.findings, self.files,
        )  # fmt: skip
        rows = [json.dumps(asdict(r), sort_keys=True, default=str) for part in parts for r in part]
        return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def _window(first: date, last: date) -> tuple[datetime, datetime]:
    return datetime.combine(first, time()), datetime.combine(last, time()) + timedelta(days=1)


def _text(row: ProcessState | DeviceMark | Finding) -> str:
    said = {k: v for k, v in asdict(row).items() if k not in ("src_path", "src_line")}
    return json.dumps(said, sort_keys=True, default=str, ensure_ascii=False)
