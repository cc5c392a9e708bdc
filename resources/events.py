"""The book of declared events: which process state a line is in, and which marks a device bears, at any time.

Belongs here: the typed rows, looking them up by day, and versions of what concerns a window. Does not belong here: reading
and settling the files (`events_read`), and what a state or mark does to an hour (`kernels`, `assets`).

Times are naive Beijing time; ends are exclusive; `OPEN` stands for an end that was not declared.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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
        """Follows from check, subject, value and place: the same finding keeps its id however it comes to be worded."""
        return hashlib.sha256(json.dumps(_IDENTITY(self)).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class EventFile:
    """One file of landing/events. `reason` is empty when it was read, else why it was refused and the remedy.

    `rows` counts those that are not blank; `copy_of` is the path under which the same bytes were read.
    """

    path: str
    sha256: str
    size: int
    rows: int
    reason: str
    copy_of: str = ""

    @property
    def state(self) -> str:
        """As in the table of arrivals: read, copy or refused."""
        return "refused" if self.reason else "copy" if self.copy_of else "read"


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
        return [self.states[n] for n in self._state_times.touching(*_window(first, last))]

    def marks_in(self, first: date, last: date) -> list[DeviceMark]:
        """Marks that touch [first, last], both inclusive, by outlet, channel and time."""
        return [self.marks[n] for n in self._mark_times.touching(*_window(first, last))]

    def version(self, first: date, last: date) -> str:
        """SHA-256 over what holds in [first, last]: what, and when in the window. "" where nothing does.

        Stretches are cut to the window and marks end with it: that a stop goes on, or when it ends, moves nothing before. Where,
        when and on what evidence something was declared does not count either. So who makes a table of a window goes by what holds
        in it; `declared_at`, `evidence`, the file and what lies outside are for tables made of the whole (`Bench.declared`).
        """
        since, until = _window(first, last)
        said = [
            f"{self._state_texts[n]}{max(self.states[n].begin, since)}|{min(self.states[n].end, until)}"
            for n in self._state_times.touching(since, until)
        ]
        said += [
            f"{self._mark_texts[n]}{min(self.marks[n].end, until)}" for n in self._mark_times.touching(since, until)
        ]
        return hashlib.sha256("\n".join(said).encode()).hexdigest() if said else ""

    @cached_property
    def _state_times(self) -> _Times:
        return _Times([s.begin for s in self.states], [s.end for s in self.states])

    @cached_property
    def _mark_times(self) -> _Times:
        return _Times([m.start for m in self.marks], [m.end for m in self.marks])

    @cached_property
    def _state_texts(self) -> list[str]:
        return [json.dumps([s.event_id, s.line_id, s.state, str(s.start), s.late]) for s in self.states]

    @cached_property
    def _mark_texts(self) -> list[str]:
        return [
            json.dumps([m.event_id, m.outlet_id, m.channel, m.mark, str(m.start), str(m.last_calibration_at), m.late])
            for m in self.marks
        ]

    @cached_property
    def whole(self) -> str:
        """SHA-256 over everything: rows with their places, findings and files."""
        parts = ((_STATE, self.states), (_MARK, self.marks), (_FINDING, self.findings), (_FILE, self.files))
        rows = [repr(fields_of(row)) for fields_of, some in parts for row in some]
        return hashlib.sha256("\n".join(rows).encode()).hexdigest()


class _Times:
    """Periods by number, and which of them touch a window; asked for every day and table that a night looks at."""

    def __init__(self, begins: list[datetime], ends: list[datetime]) -> None:
        begin, end = (np.array(times, "datetime64[us]") for times in (begins, ends))
        self._order = np.argsort(begin, kind="stable")
        self._begin, self._end = begin[self._order], end[self._order]
        self._latest_end = np.maximum.accumulate(self._end)

    def touching(self, since: datetime, until: datetime) -> list[int]:
        """Numbers in ascending order of those with begin < until and end > since."""
        first = int(np.searchsorted(self._latest_end, np.datetime64(since, "us"), "right"))
        last = int(np.searchsorted(self._begin, np.datetime64(until, "us"), "left"))
        within = self._end[first:last] > np.datetime64(since, "us")
        found: list[int] = np.sort(self._order[first:last][within]).tolist()
        return found


def _window(first: date, last: date) -> tuple[datetime, datetime]:
    return datetime.combine(first, time()), datetime.combine(last, time()) + timedelta(days=1)


def _all_of(kind: type, *without: str) -> Callable[[object], tuple[object, ...]]:
    """Reads the fields of a record but for some; as a tuple, for there are many records."""
    return attrgetter(*(f.name for f in fields(kind) if f.name not in without))


_STATE, _MARK, _FINDING, _FILE = (_all_of(kind) for kind in (ProcessState, DeviceMark, Finding, EventFile))
#: What makes a finding the same one; how it is worded and rated may change.
_IDENTITY = _all_of(Finding, "text_zh", "text_en", "severity")
