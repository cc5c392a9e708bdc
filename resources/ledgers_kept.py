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
from resources.ledgers_cells import text_columns
from resources.ledgers_sheet import Note
from resources.ledgers_tell import CONTENT, LETTERS, ROW, SHEET, SHEET_NO, TOTAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from resources.ledgers_sheet import Parsed
    from resources.storage import Entry, Storage

#: Changes whenever the same file would be read differently.
READER = "ledgers-1"
_FOLDER = "ledgers"
_INDEX = f"{_FOLDER}/index.json"


@dataclass
class Content:
    """What one file held. `rows` counts them over all tables."""

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
            frame = frame_of(parsed, key, number)
            content.rows += int((~frame[TOTAL]).sum())
            self._frames.setdefault(parsed.table, []).append(frame)
            self._fresh.add(parsed.table)

    def frames(self, used: set[str]) -> dict[str, pl.DataFrame]:
        """Texts by table of the contents that are in use."""
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


def frame_of(parsed: Parsed, key: str, number: int) -> pl.DataFrame:
    """A parsed table as a frame of texts; columns that the file lacks are empty."""
    n = len(parsed.rows)
    data: dict[str, Any] = {
        CONTENT: pl.repeat(key, n, dtype=pl.String, eager=True),
        SHEET: pl.repeat(parsed.sheet, n, dtype=pl.String, eager=True),
        SHEET_NO: pl.repeat(number, n, dtype=pl.Int32, eager=True),
        LETTERS: pl.repeat(parsed.letters, n, dtype=pl.String, eager=True),
        ROW: pl.Series(parsed.rows, dtype=pl.Int32),
        TOTAL: pl.Series(parsed.total, dtype=pl.Boolean),
    }
    for name in text_columns(parsed.table):
        texts = parsed.columns.get(name)
        data[name] = (
            pl.repeat("", n, dtype=pl.String, eager=True) if texts is None else pl.Series(texts, dtype=pl.String)
        )
    return pl.DataFrame(data)


def _token(entry: Entry) -> str:
    return hashlib.sha256(f"{entry.key}\n{entry.size}\n{entry.token}".encode(errors="surrogateescape")).hexdigest()[:24]


@cache
def version() -> str:
    """Of the reader and of everything that it reads files by."""
    texts = [(reference.LEDGERS / name).read_bytes() for name in ("headers.csv", "limits.toml", "words.toml")]
    return f"{READER}-{hashlib.sha256(b''.join(texts)).hexdigest()[:12]}"
