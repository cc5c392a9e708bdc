"""Segments: what each capture held, typed and kept, so that a file is read once and a day can be merged again at any time.

Belongs here: writing the batches of one capture by data day, its record (counts, days, device numbers), and reading them
back. Does not belong here: parsing (`resources/hj212_reader.py`) and merging a day (`assets/raw.py`).

A capture's folder is named after its content. The record is written last: without one, the folder counts as absent.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc

from kernels.hj212_fields import NO_TIME
from resources.hj212_reader import DAY_MS, Batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from resources.storage import Storage

ROWS_A_PART = 131_072
#: Frames and cells that are refused or extra are few in a sound capture; a hostile one must not fill the memory.
EXTRAS_A_PART = 65_536
UNDATED = "undated"
#: Columns of frames by name: device, cn, time, qn, version, offset, extra, v<slot>, p<channel>, f<channel>.
Columns: TypeAlias = "dict[str, NDArray[Any]]"


@dataclass(slots=True)
class Record:
    """What is known of one capture after it was read; bytes and frames add up (design.md 5.1).

    days: rows by data day; anchor: the day that undated refusals are filed under; devices: (mn, outlet_id) that the
    `device` numbers of its rows count in; mns: device numbers met in frames, known or not.
    """

    text_bytes: int = 0
    accepted_bytes: int = 0
    quarantined_bytes: int = 0
    noise_bytes: int = 0
    frames_accepted: int = 0
    frames_quarantined: int = 0
    frames_minute: int = 0
    frames_reported: int = 0
    frames_other: int = 0
    anchor: str = ""
    days: dict[str, int] = field(default_factory=dict)
    mns: list[str] = field(default_factory=list)
    devices: list[tuple[str, str]] = field(default_factory=list)
    parts: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    @property
    def touched(self) -> set[str]:
        """Local days whose raw tables this capture feeds."""
        found = {day for kind in self.parts.values() for day in kind if day != UNDATED}
        return found | {self.anchor} if any(UNDATED in kind for kind in self.parts.values()) else found


def day_key(day: int) -> str:
    """Days since 1970-01-01 as YYYY-MM-DD."""
    return str(np.datetime64(day, "D"))


class SegmentWriter:
    """Takes the batches of one capture and writes them in parts by data day; `close` writes the record."""

    def __init__(self, storage: Storage, folder: str, devices: list[tuple[str, str]]) -> None:
        self._storage = storage
        self._folder = folder
        self._devices = devices
        self._rows: list[Columns] = []
        self._extras: dict[str, list[pa.Table]] = {"cells": [], "refused": []}
        self._held = 0
        self._count = 0
        self._mns: set[str] = set()
        self.record = Record()

    def add(self, batch: Batch) -> None:
        """Count a batch in and write parts as they fill."""
        record = self.record
        minute = int((batch.cn == 2051).sum())
        record.accepted_bytes += batch.accepted_bytes
        record.noise_bytes += batch.noise_bytes
        record.frames_other += batch.frames_other
        record.frames_minute += minute
        record.frames_reported += batch.rows - minute
        record.frames_quarantined += len(batch.refused)
        record.quarantined_bytes += sum(len(r.content) for r in batch.refused)
        self._mns.update(self._devices[i][0] for i in np.unique(batch.device))
        self._mns.update(r.mn for r in batch.refused if r.mn)
        if batch.rows:
            self._rows.append(_columns(batch))
        if batch.cells is not None and batch.cells.row.size:
            self._extras["cells"].append(_cell_table(batch))
        if batch.refused:
            self._extras["refused"].append(_refused_table(batch))
        if sum(c["time"].size for c in self._rows) >= ROWS_A_PART:
            self._flush_rows()
        for kind, tables in self._extras.items():
            if sum(t.num_rows for t in tables) >= EXTRAS_A_PART:
                self._flush_extras(kind)

    def close(self, text_bytes: int) -> Record:
        """Write what is held and then the record. The folder is complete from then on."""
        self._flush_rows()
        for kind in self._extras:
            self._flush_extras(kind)
        record = self.record
        record.text_bytes = text_bytes
        record.frames_accepted = record.frames_minute + record.frames_reported + record.frames_other
        record.mns = sorted(self._mns)
        record.devices = self._devices
        dated = sorted(record.days) or sorted(d for k in record.parts.values() for d in k if d != UNDATED)
        record.anchor = dated[0] if dated else ""
        self._storage.write(f"{self._folder}/record.json", json.dumps(asdict(record), ensure_ascii=False).encode())
        return record

    def _flush_rows(self) -> None:
        pieces, self._rows = self._rows, []
        days = [p["time"] // DAY_MS for p in pieces]
        for day in np.unique(np.concatenate([np.empty(0, np.int64), *days])).tolist():
            picks = [d == day for d in days]
            part = pa.table(joined([_picked(p, k) for p, k in zip(pieces, picks, strict=True) if k.any()]))
            self.record.days[day_key(day)] = self.record.days.get(day_key(day), 0) + part.num_rows
            self._write("rows", day_key(day), part)

    def _flush_extras(self, kind: str) -> None:
        tables = self._extras[kind]
        if tables:
            for day, part in _by_day(pa.concat_tables(tables).combine_chunks()):
                self._write(kind, day, part)
            self._extras[kind] = []

    def _write(self, kind: str, day: str, table: pa.Table) -> None:
        name = f"{self._count:05d}-{kind}-{day}.arrow"
        self._count += 1
        with (
            self._storage.staged(f"{self._folder}/{name}") as path,
            ipc.new_file(str(path), table.schema, options=ipc.IpcWriteOptions(compression="lz4")) as writer,
        ):
            writer.write_table(table)
        self.record.parts.setdefault(kind, {}).setdefault(day, []).append(name)


def joined(pieces: list[Columns]) -> Columns:
    """Columns of all pieces one after the other; where a piece lacks one, values are NaN and decimals and flags 0."""
    made: Columns = {}
    sizes = [p["time"].size for p in pieces]
    for name in sorted({n for p in pieces for n in p}):
        like = next(p[name].dtype for p in pieces if name in p)
        made[name] = np.empty(sum(sizes), like)
        at = 0
        for piece, size in zip(pieces, sizes, strict=True):
            made[name][at : at + size] = piece.get(name, np.nan if like.kind == "f" else 0)
            at += size
    return made


def _picked(columns: Columns, chosen: NDArray[np.bool_]) -> Columns:
    return columns if chosen.all() else {n: a[chosen] for n, a in columns.items()}


def _columns(batch: Batch) -> Columns:
    return {
        "device": batch.device, "cn": batch.cn, "time": batch.time, "qn": batch.qn, "version": batch.version,
        "offset": batch.offset, "extra": _extra_hash(batch),
        **{f"v{s}": a for s, a in batch.values.items()},
        **{f"p{c}": a for c, a in batch.dps.items()},
        **{f"f{c}": a for c, a in batch.flags.items()},
    }  # fmt: skip


def _extra_hash(batch: Batch) -> np.ndarray:
    """1 where a row has cells outside the wide table: only such rows need a second look when repeats are compared."""
    marked = np.zeros(batch.rows, np.uint8)
    if batch.cells is not None:
        marked[batch.cells.row] = 1
    return marked


def _cell_table(batch: Batch) -> pa.Table:
    cells = batch.cells
    assert cells is not None  # noqa: S101 - the caller looked
    row = cells.row
    return pa.table(
        {
            "device": batch.device[row], "cn": batch.cn[row], "time": batch.time[row], "qn": batch.qn[row],
            "offset": batch.offset[row], "reason": cells.reason, "name": cells.name, "text": cells.text,
        }
    )  # fmt: skip


def _refused_table(batch: Batch) -> pa.Table:
    refused = batch.refused
    return pa.table(
        {
            "reason": pa.array([r.reason for r in refused], pa.string()),
            "offset": pa.array([r.offset for r in refused], pa.int64()),
            "content": pa.array([r.content for r in refused], pa.binary()),
            "mn": pa.array([r.mn for r in refused], pa.string()),
            "cn": pa.array([r.cn for r in refused], pa.int16()),
            "time": pa.array([r.time for r in refused], pa.int64()),
            "filed": pa.array([r.filed for r in refused], pa.int64()),
        }
    )


def _by_day(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    time = table.column("filed" if "filed" in table.column_names else "time").to_numpy()
    day = np.where(time == NO_TIME, np.iinfo(np.int64).min, time // DAY_MS)
    days = np.unique(day)
    for value in days.tolist():
        name = UNDATED if value == np.iinfo(np.int64).min else day_key(value)
        yield name, table if days.size == 1 else table.filter(pa.array(day == value))


class Segments:
    """The folder of segments of one lake."""

    def __init__(self, storage: Storage, root: str = "segments") -> None:
        self._storage = storage
        self._root = root

    def folder(self, token: str) -> str:
        """Folder of one arrival."""
        return f"{self._root}/{token[:2]}/{token}"

    def writer(self, token: str, devices: list[tuple[str, str]]) -> SegmentWriter:
        """A writer into the emptied folder of `token`."""
        self.drop(token)
        return SegmentWriter(self._storage, self.folder(token), devices)

    def drop(self, token: str) -> None:
        """Forget one arrival's segments, the record first."""
        folder = self.folder(token)
        self._storage.delete(f"{folder}/record.json")
        for entry in self._storage.list(folder):
            self._storage.delete(entry.key)

    def record(self, token: str) -> Record | None:
        """The record of one arrival, None when it was never read to its end."""
        key = f"{self.folder(token)}/record.json"
        if not self._storage.exists(key):
            return None
        raw = json.loads(self._storage.read(key))
        raw["devices"] = [tuple(d) for d in raw["devices"]]
        return Record(**raw)

    def tables(self, token: str, record: Record, kind: str, days: Iterable[str]) -> list[pa.Table]:
        """Tables of one kind (rows, cells, refused) and the given days, in file order."""
        names = sorted(n for day in days for n in record.parts.get(kind, {}).get(day, ()))
        return [self._read(f"{self.folder(token)}/{n}") for n in names]

    def _read(self, key: str) -> pa.Table:
        path = self._storage.local_path(key)
        if path is not None:
            with pa.memory_map(str(path)) as source:
                return ipc.open_file(source).read_all()
        return ipc.open_file(pa.BufferReader(self._storage.read(key))).read_all()
