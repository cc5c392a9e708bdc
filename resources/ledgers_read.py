"""The ledgers of a home: every file of landing/ledgers read, typed, settled.

Belongs here: from a landing zone to a `LedgerBook`, and how files count. Does not belong here: each step of it (`ledgers_text`,
`ledgers_workbook`, `ledgers_sheet`, `ledgers_cells`, `ledgers_settle`, `ledgers_gaps`) and the book itself (`ledgers`).
"""

from __future__ import annotations

import hashlib
from datetime import date
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import polars as pl

import reference
from contracts.ledgers import LEDGERS
from resources.events import EventFile
from resources.events_file import Refusal
from resources.findings import Place, load_findings
from resources.ledgers import LedgerBook
from resources.ledgers_across import parse_across
from resources.ledgers_cells import Typist
from resources.ledgers_corrected import Corrections
from resources.ledgers_gaps import tell_fuel, tell_gaps, tell_totals
from resources.ledgers_kept import Content, Kept, version
from resources.ledgers_meters import tell_meters
from resources.ledgers_names import Names
from resources.ledgers_settle import settled
from resources.ledgers_sheet import Note, parse, stamps_of
from resources.ledgers_tell import CONTENT, ID, PATH, Teller
from resources.ledgers_text import read_text
from resources.ledgers_words import load_words
from resources.ledgers_workbook import read_workbook
from resources.storage import StorageError

if TYPE_CHECKING:
    from resources.ledgers_sheet import Grid, Parsed
    from resources.registry import Registry
    from resources.storage import Entry, Storage

FOLDER = "ledgers"
_BOOKS = (".xlsx", ".xlsm", ".xls")
_SHEETS = (".xlsb", ".ods", ".et", ".numbers", ".fods", ".xlt", ".xltx", ".xltm")
#: Files that are refused by their names.
_OTHER = {
    "lock": (
        "是 Excel 打开工作簿时的临时文件", "is what Excel leaves while a workbook is open", "关闭工作簿并删除该文件",
        "close the workbook and delete this file",
    ),
    "sheets": (
        "此格式的工作簿不读取", "workbooks of this format are not read", "另存为 .xlsx 后重新提交", "save it as .xlsx and submit it again",
    ),
}  # fmt: skip
#: Rows that are given up before they are typed.
_BROKEN = ("L11_broken_row", "L13_broken_quotes")
_NAMES = tuple(t.name for t in LEDGERS)
#: The last book that was read, by all that it follows from: the steps of a night open a home each.
_LAST: dict[str, LedgerBook] = {}


def read_ledgers(landing: Storage, lake: Storage, registry: Registry) -> LedgerBook:
    """The ledgers of a home. Whatever is wrong with a file or a cell is a finding and costs only that."""
    entries = landing.list(FOLDER)
    if not entries:
        return LedgerBook()
    facts = [landing.root, lake.root, registry.version(date.min, date.max), version(), _reference()]
    facts += [f"{e.key}\n{e.size}\n{e.token}\n{e.touched}" for e in entries]
    known = hashlib.sha256("\n".join(facts).encode(errors="surrogateescape")).hexdigest()
    if known not in _LAST:
        _LAST.clear()
        _LAST[known] = _read(landing, entries, Kept(lake), registry)
    return _LAST[known]


@cache
def _reference() -> str:
    """Lists and thresholds that cells are judged by."""
    files = [reference.LEDGERS / "plausible.csv", reference.LEDGERS / "slips.csv", reference.FOLDER / "findings.toml"]
    files += [reference.FACTORS / "fuels.csv", reference.FACTORS / "materials.csv"]
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()


def _read(landing: Storage, entries: list[Entry], kept: Kept, registry: Registry) -> LedgerBook:
    teller, corrections = Teller(load_findings()), Corrections()
    files: list[EventFile] = []
    states = [(_path(e), e, *_state(landing, e, kept)) for e in entries]
    # An earlier version that is submitted again is the latest one: a content stands where it stands last.
    paths = {key: path for path, _, _, key in sorted(states, key=lambda s: s[0]) if key}
    for path, entry, said, key in states:
        file = _file(path, entry, said, key, kept, paths)
        files.append(file)
        if key and not file.copy_of:
            for note in kept.contents[key].notes:
                teller.note(file.path, note)
                corrections.broken[file.path, note.sheet] += note.kind in _BROKEN
        if file.reason:
            _tell_refusal(file, kept.contents[key].refusal if key else None, teller)
    texts = kept.frames(set(paths))
    tables = _tables(texts, paths, Names(registry), teller, corrections)
    return LedgerBook(tables, teller.findings(corrections.by), files, lambda: kept.store(entries, texts))


def _path(entry: Entry) -> str:
    return entry.key.encode("utf-8", "backslashreplace").decode()


def _state(landing: Storage, entry: Entry, kept: Kept) -> tuple[str, str]:
    """SHA-256 and key of the content; of a file that cannot be opened why, and ""."""
    state = kept.state(entry)
    if state is None:
        try:
            data = landing.read(entry.key)
        except (StorageError, OSError) as error:
            return f"无法打开 cannot be opened ({type(error).__name__}: {error})", ""
        sha256 = hashlib.sha256(data).hexdigest()
        kind = _kind(_path(entry))
        state = sha256, f"{sha256}:{kind}"
        if state[1] not in kept.contents:
            kept.put(state[1], *_content(data, kind))
        kept.add(entry, *state)
    return state


def _file(path: str, entry: Entry, said: str, key: str, kept: Kept, paths: dict[str, str]) -> EventFile:
    """One file; `said` and `key` as of `_state`."""
    if not key:
        return EventFile(path, "", entry.size, 0, said)
    content = kept.contents[key]
    copy_of = "" if paths[key] == path else paths[key]
    return EventFile(path, said, entry.size, 0 if copy_of else content.rows, str(content.refusal or ""), copy_of)


def _kind(path: str) -> str:
    """The table that a CSV file is named after, "book" for a workbook, a kind of `_OTHER`, "" for anything else."""
    name = PurePosixPath(path).name.lower()
    if name.startswith("~$"):
        return "lock"
    if name.endswith(_SHEETS):
        return "sheets"
    if name.endswith(_BOOKS):
        return "book"
    found = [t for t in _NAMES if name.startswith(t)] if name.endswith((".csv", ".tsv", ".txt")) else []
    return max(found, key=len, default="")


def _content(data: bytes, kind: str) -> tuple[Content, list[Parsed]]:
    """What a file holds."""
    notes: list[Note] = []
    if kind in _OTHER:
        return Content(refusal=Refusal(*_OTHER[kind])), []
    if not kind:
        listed = ", ".join(f"{t}*.csv" for t in _NAMES)
        texts = (
            "文件名不是台账",
            "its name is not that of a ledger",
            f"用 .xlsx, 或改名为其一: {listed}",
            f"make it .xlsx, or name it as one of: {listed}",
        )
        return Content(refusal=Refusal(*texts)), []
    if kind == "book":
        return _book(read_workbook(data, notes), notes)
    if data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        return Content(
            refusal=Refusal(
                "扩展名是 CSV, 内容是工作簿", "is called CSV and holds a workbook", "改名为 .xlsx", "rename it to .xlsx"
            )
        ), []
    grid = read_text(data, kind, notes)
    if isinstance(grid, Refusal):
        return Content(refusal=grid), []
    return _whole(_parsed(grid, kind, notes), notes)


def _book(grids: list[Grid] | Refusal, notes: list[Note]) -> tuple[Content, list[Parsed]]:
    if isinstance(grids, Refusal):
        return Content(refusal=grids), []
    words = load_words()
    stamps = {n: v for g in grids if words.other_sheet(g.name) == "submission" for n, v in stamps_of(g)}
    found: list[Parsed] = []
    for grid in grids:
        if words.other_sheet(grid.name) or not grid.rows:
            continue
        for parsed in _parsed(grid, words.sheet(grid.name), notes):
            _stamp(parsed, stamps)
            found.append(parsed)
    return _whole(found, notes)


def _parsed(grid: Grid, table: str, notes: list[Note]) -> list[Parsed]:
    """The tables of a sheet, with a row for each month or with months across; `table` "" where its name says none."""
    across = parse_across(grid, table, notes)
    if across is not None:
        return across
    if not table:
        notes.append(Note("L17_unknown_sheet", grid.name, 0, "", "", grid.name, {}))
        return []
    parsed = parse(grid, table, notes)
    return [parsed] if parsed else []


def _stamp(parsed: Parsed, stamps: dict[str, str]) -> None:
    """What the book says of its submission holds for rows that do not say it themselves."""
    for name, text in stamps.items():
        own = parsed.columns.get(name)
        parsed.columns[name] = [cell or text for cell in own] if own else [text] * len(parsed.rows)


def _whole(found: list[Parsed], notes: list[Note]) -> tuple[Content, list[Parsed]]:
    """A file without any table is refused, with what its sheets lack."""
    if found:
        return Content(notes=notes), found
    lacking = [n.figures["lacking"] for n in notes if n.kind == "L03_no_header"]
    why_zh, why_en = (f"，缺少列 {lacking[0]}", f", columns are missing: {lacking[0]}") if lacking else ("", "")
    if any(n.kind == "L19_no_year" for n in notes):
        why_zh, why_en = "，月份没有年份", ", months are without a year"
    zh, en = f"没有可读的台账表{why_zh}", f"holds no ledger that can be read{why_en}"
    refusal = Refusal(
        zh, en, "用 kiln ledger-template 生成的模板填写", "fill in the template that kiln ledger-template writes"
    )
    return Content(notes=notes, refusal=refusal), []


def _tell_refusal(file: EventFile, refusal: Refusal | None, teller: Teller) -> None:
    why = refusal or Refusal(file.reason, file.reason, "检查文件与权限", "check the file and its permissions")
    figures = {"reason_zh": why.zh, "reason_en": why.en, "cure_zh": why.cure_zh, "cure_en": why.cure_en}
    teller.say("L01_file_refused", Place(source_file=file.path), None, figures)


def _tables(
    texts: dict[str, pl.DataFrame], paths: dict[str, str], names: Names, teller: Teller, corrections: Corrections
) -> dict[str, pl.DataFrame]:
    made, rows_before = {}, 0
    for table in (t for t in _NAMES if t in texts):
        frame = (
            texts[table]
            .with_columns(pl.col(CONTENT).replace_strict(paths, return_dtype=pl.String).alias(PATH))
            .drop(CONTENT)
            .with_columns(pl.int_range(pl.len()).alias(ID) + rows_before)
        )
        rows_before += frame.height
        typist = Typist(table, names, teller)
        rows = typist.typed(frame)
        tell_totals(table, rows, teller)
        made[table] = settled(table, rows, teller)
        corrections.take(table, rows, typist.lost)
    tell_gaps(made, names, teller)
    tell_fuel(made, names, teller)
    tell_meters(made, teller)
    return made
