"""What was read of each ledger file, kept in the lake: a file is read once per content.

Belongs here: texts of rows by content, notes and refusals, loading and storing them. Does not belong here: reading files
(`ledgers_read`), and anything that registry or thresholds decide, which is made anew from the texts.

One Arrow file a table with the rows of all contents, and an index written last; both are rebuilt when lost.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl

import reference
from resources.events_file import Refusal
from resources.ledgers_cells import saying, text_columns
from resources.ledgers_sheet import Note
from resources.ledgers_tell import CONTENT, LETTERS, ROW, SHEET, SHEET_NO, TOTAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from resources.ledgers_sheet import Parsed
    from resources.storage import Entry, Storage

#: Changes whenever the same file would be read differently.
READER = "ledgers-3"
_FOLDER = "ledgers"
_INDEX = f"{_FOLDER}/index.json"
_ROWS_A_FRAME = 50_000


@dataclass
class Content:
    """What one file held. `rows` counts them over all tables, without those of a form that nobody filled in."""

    rows: int = 0
    notes: list[Note] = field(default_factory=list)
    refusal: Refusal | None = None


class Kept:
    """Contents by their key, files by their state, frames of texts by table."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.files: dict[str, tuple[str, str]] = {}
        self.contents: dict[str, Content] = {}
        self._frames: dict[str, list[pl.DataFrame]] = {}
        self._pending: dict[str, list[tuple[str, int, Parsed]]] = {}
        self._waiting = 0
        self._packs: dict[str, str] = {}
        self._fresh: set[str] = set()
        self._stale = False
        self._load()

    def state(self, entry: Entry) -> tuple[str, str] | None:
        """(SHA-256, key of the content) of a file that has not changed since it was read."""
        return self.files.get(_token(entry))

    def add(self, entry: Entry, sha256: str, key: str) -> None:
        """Note that a file holds a content."""
        self.files[_token(entry)] = (sha256, key)
        self._stale = True

    def put(self, key: str, content: Content, tables: Iterable[Parsed]) -> None:
        """Add what a file held."""
        self.contents[key] = content
        for number, parsed in enumerate(tables):
            said = [cells for n in saying(parsed.table) if (cells := parsed.columns.get(n))]
            content.rows += sum(not total and any(c[i] for c in said) for i, total in enumerate(parsed.total))
            pending = self._pending.setdefault(parsed.table, [])
            pending.append((key, number, parsed))
            self._fresh.add(parsed.table)
            self._waiting += len(parsed.rows)
            if self._waiting >= _ROWS_A_FRAME:
                self._gather()

    def _gather(self) -> None:
        """Many small files make one frame: a frame a file would weigh ten times what is in it."""
        for table, pending in self._pending.items():
            if pending:
                self._frames.setdefault(table, []).append(frame_of(table, pending))
        self._pending, self._waiting = {}, 0

    def frames(self, used: set[str]) -> dict[str, pl.DataFrame]:
        """Texts by table of the contents that are in use."""
        self._gather()
        made = {}
        for table, frames in self._frames.items():
            every = pl.concat(frames)
            some = every.filter(pl.col(CONTENT).is_in(sorted(used)))
            if some.height:
                made[table] = some
            if some.height < every.height:
                self._fresh.add(table)
        return made

    def store(self, entries: Iterable[Entry], frames: dict[str, pl.DataFrame]) -> None:
        """Write what is new. A table's file is named by its content: an index never speaks of other bytes."""
        if not self._stale and not self._fresh:
            return
        packs = {t: self._packs[t] for t in frames if t not in self._fresh and t in self._packs}
        for table in (t for t in frames if t not in packs):
            buffer = io.BytesIO()
            frames[table].write_ipc(buffer, compression="lz4")
            packs[table] = f"{_FOLDER}/{table}-{hashlib.sha256(buffer.getvalue()).hexdigest()[:16]}.arrow"
            self._storage.write(packs[table], buffer.getvalue())
        files = {t: self.files[t] for e in entries if (t := _token(e)) in self.files}
        used = {key for _, key in files.values()}
        contents = {key: [c.rows, c.notes, c.refusal] for key, c in self.contents.items() if key in used}
        index = {"reader": version(), "files": files, "contents": contents, "packs": packs}
        self._storage.write(_INDEX, json.dumps(index, ensure_ascii=False, sort_keys=True).encode())
        for old in set(self._packs.values()) - set(packs.values()):
            self._storage.delete(old)
        self._packs, self._fresh, self._stale = packs, set(), False

    def _load(self) -> None:
        if not self._storage.exists(_INDEX):
            return
        index: dict[str, Any] = json.loads(self._storage.read(_INDEX))
        if index["reader"] != version() or not all(self._storage.exists(p) for p in index["packs"].values()):
            return
        self._packs = index["packs"]
        self.files = {token: (sha, key) for token, (sha, key) in index["files"].items()}
        for key, (rows, notes, refusal) in index["contents"].items():
            self.contents[key] = Content(rows, [Note(*n) for n in notes], Refusal(*refusal) if refusal else None)
        self._frames = {t: [pl.read_ipc(io.BytesIO(self._storage.read(p)))] for t, p in self._packs.items()}


def frame_of(table: str, some: Iterable[tuple[str, int, Parsed]]) -> pl.DataFrame:
    """Sheets of one table (key of the content, number in its file, rows) as a frame of texts; columns that one lacks are empty."""
    names = text_columns(table)
    data: dict[str, list[Any]] = {n: [] for n in (CONTENT, SHEET, SHEET_NO, LETTERS, ROW, TOTAL, *names)}
    for key, number, parsed in some:
        n = len(parsed.rows)
        whole = {CONTENT: key, SHEET: parsed.sheet, SHEET_NO: number}
        for name, value in whole.items():
            data[name] += [value] * n
        data[LETTERS] += [parsed.letters] * n if isinstance(parsed.letters, str) else parsed.letters
        data[ROW] += parsed.rows
        data[TOTAL] += parsed.total
        for name in names:
            data[name] += parsed.columns.get(name) or [""] * n
    schema = dict.fromkeys(data, pl.String) | {SHEET_NO: pl.Int32, ROW: pl.Int32, TOTAL: pl.Boolean}
    return pl.DataFrame(data, schema=schema)


def _token(entry: Entry) -> str:
    """A ledger is small: it is read again at any touch, so that an edit which keeps size and time of the file is not lost."""
    said = f"{entry.key}\n{entry.size}\n{entry.token}\n{entry.touched}"
    return hashlib.sha256(said.encode(errors="surrogateescape")).hexdigest()[:24]


@cache
def version() -> str:
    """Of the reader and of everything that it reads files by."""
    texts = [(reference.LEDGERS / name).read_bytes() for name in ("headers.csv", "limits.toml", "words.toml")]
    return f"{READER}-{hashlib.sha256(b''.join(texts)).hexdigest()[:12]}"
