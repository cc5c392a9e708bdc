"""The events of a home: every file of landing/events read, chosen among, settled.

Belongs here: from a landing zone to an `EventBook`, and how files count. Does not belong here: each step of it (`events_file`,
`events_rows`, `events_versions`, `events_settle`, `events_notes`) and the book itself (`events`).
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING

from resources.events import OPEN, DeviceMark, EventBook, EventFile
from resources.events_file import STATES, Refusal, read_file
from resources.events_notes import notes
from resources.events_rows import RowReader, subjects_of
from resources.events_settle import settle_states
from resources.events_terms import Terms
from resources.events_versions import settle_versions
from resources.findings import Place, load_findings
from resources.storage import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from resources.events import Finding
    from resources.events_file import Sheet
    from resources.events_rows import Declared
    from resources.events_versions import Event
    from resources.findings import Kind
    from resources.registry import Registry
    from resources.rules import RuleBook
    from resources.storage import Entry, Storage

FOLDER = "events"
#: The last book that was read, by all that it follows from: the steps of a night open a home each.
_LAST: dict[str, EventBook] = {}


def read_events(landing: Storage, registry: Registry, rules: RuleBook) -> EventBook:
    """The events of a home. Whatever is wrong with a file or a row is a finding and costs only that."""
    entries = landing.list(FOLDER)
    if not entries:
        return EventBook()
    facts = [
        landing.root,
        registry.version(date.min, date.max),
        *sorted(rules.pack_versions(date.min, date.max).values()),
    ]
    facts += [f"{e.key}\n{e.size}\n{e.token}" for e in entries]
    known = hashlib.sha256("\n".join(facts).encode(errors="surrogateescape")).hexdigest()
    if known not in _LAST:
        _LAST.clear()
        _LAST[known] = _read(landing, entries, registry, rules)
    return _LAST[known]


def _read(landing: Storage, entries: list[Entry], registry: Registry, rules: RuleBook) -> EventBook:
    kinds, terms = load_findings(), Terms(rules)
    lines, outlets = subjects_of(registry)
    reader = RowReader(lines, outlets, kinds)
    files: list[EventFile] = []
    findings: list[Finding] = []
    rows: dict[bool, list[Declared]] = {True: [], False: []}
    seen: dict[str, str] = {}
    for entry in entries:
        file, sheet = _file(landing, entry, seen)
        files.append(file)
        if isinstance(sheet, Refusal):
            findings.append(_refused(file, sheet, kinds))
        elif sheet is not None:
            findings += _of_sheet(file.path, sheet, kinds)
            rows[sheet.kind == STATES] += reader.rows(file.path, sheet)
    declared, told = settle_versions(rows[True], lines, terms, kinds)
    states, overlaps = settle_states(declared, lines, terms, kinds)
    marked, told_of_marks = settle_versions(rows[False], outlets, terms, kinds)
    findings += [*reader.findings, *told, *overlaps, *told_of_marks]
    findings += [*notes(declared, lines, terms, kinds), *notes(marked, outlets, terms, kinds)]
    return EventBook(states, (mark for event in marked for mark in _marks(event)), findings, files)


def _file(landing: Storage, entry: Entry, seen: dict[str, str]) -> tuple[EventFile, Sheet | Refusal | None]:
    """One file; None where the same bytes lie under a smaller path already. `seen`: path by hash, which grows."""
    path = entry.key.encode("utf-8", "backslashreplace").decode()
    try:
        data = landing.read(entry.key)
    except (StorageError, OSError) as error:
        cause = f"{type(error).__name__}: {error}"
        refusal = Refusal(
            f"无法打开 ({cause})", f"cannot be opened ({cause})", "检查文件与权限", "check the file and its permissions"
        )
        return EventFile(path, "", entry.size, 0, str(refusal)), refusal
    sha256 = hashlib.sha256(data).hexdigest()
    wrong = _named_wrong(entry.key, path)
    if wrong is None and seen.setdefault(sha256, path) != path:
        return EventFile(path, sha256, len(data), 0, "", seen[sha256]), None
    sheet = wrong or read_file(data)
    if isinstance(sheet, Refusal):
        return EventFile(path, sha256, len(data), 0, str(sheet)), sheet
    return EventFile(path, sha256, len(data), len(sheet.rows) + len(sheet.broken), ""), sheet


def _named_wrong(key: str, path: str) -> Refusal | None:
    if path != key:
        return Refusal("文件名不是 UTF-8 编码", "its name is not UTF-8", "请改名", "rename it")
    if not key.lower().endswith(".csv"):
        return Refusal("不是 CSV 文件", "is no CSV file", "另存为 CSV UTF-8", "save it as CSV UTF-8")
    return None


def _refused(file: EventFile, why: Refusal, kinds: Mapping[str, Kind]) -> Finding:
    return kinds["E01_file_refused"].finding(
        Place(source_file=file.path), None,
        {"reason_zh": why.zh, "reason_en": why.en, "cure_zh": why.cure_zh, "cure_en": why.cure_en},
        evidence=file.sha256 or None,
    )  # fmt: skip


def _of_sheet(path: str, sheet: Sheet, kinds: Mapping[str, Kind]) -> Iterator[Finding]:
    at = Place(source_file=path)
    if sheet.unknown:
        listed = ", ".join(sheet.unknown)
        yield kinds["E02_unknown_columns"].finding(at, listed, {"columns": listed})
    if sheet.damaged_at is not None:
        yield kinds["E03_damaged_characters"].finding(at, None, {"offset": sheet.damaged_at})


def _marks(event: Event) -> Iterator[DeviceMark]:
    """One mark a channel."""
    row = event.row
    for channel in row.channels:
        yield DeviceMark(
            row.event_id, row.subject, channel, row.what, row.start, row.end or OPEN, row.last_calibration_at,
            row.declared_at, event.late, row.path, row.line,
        )  # fmt: skip
