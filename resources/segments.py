"""Segments: what each capture held, typed and kept, so that a file is read once and a day can be merged again at any time.

Belongs here: writing the batches of one capture by data day, its record (counts, days, device numbers), and reading back the
rows of some outlets. Does not belong here: parsing (`resources/hj212_reader.py`) and merging a day (`assets/raw.py`).

A capture's folder is named after its arrival. The record is written last: without one, the folder counts as absent.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc

from kernels.hj212_time import NO_TIME
from resources.hj212_reader import DAY_MS, Batch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from resources.exports import ExportReader
    from resources.storage import Storage

#: Rows of one record batch: what is decompressed at the least to get at one outlet.
ROWS_A_BATCH = 4096
UNDATED = "undated"
ROWS, CELLS, REFUSED = "rows", "cells", "refused"
#: Columns of frames by name: device, cn, time, qn, version, offset, extra, v<slot>, p<channel>, f<channel>.
Columns: TypeAlias = "dict[str, NDArray[Any]]"


@dataclass(frozen=True, slots=True)
class SegmentPart:
    """One file of a segment. spans: first and last outlet of each of its record batches (rows only)."""

    kind: str
    day: str
    name: str
    spans: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Record:
    """What is known of one capture after it was read; bytes and frames add up (design.md 5.1).

    rows: data frames by day and outlet; anchor: the day that undated refusals are filed under; devices: (outlet_id, mn)
    that the `device` numbers of its rows count in; mns: device numbers met in frames, known or not; refusals: quarantined
    frames by reason and device number as sent.

    kind: hj212, or csv, excel, parquet for an export. Of an export a frame is a line's record for one outlet, lines = lines with data
    + refused + without data, `missing` counts cells by what stood in place of a value, `notes` is what a person should know of the
    reading, `reading` whom the file as a whole was read for, and mns are all names that were looked up. `cells` counts the cells kept beside
    the wide rows by reason; `examples` holds line, column and text of the first cell of an export that is no number or below detection.
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
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    mns: list[str] = field(default_factory=list)
    refusals: dict[str, dict[str, int]] = field(default_factory=dict)
    devices: list[tuple[str, str]] = field(default_factory=list)
    parts: list[SegmentPart] = field(default_factory=list)
    kind: str = "hj212"
    reading: str = ""
    lines: int = 0
    lines_data: int = 0
    lines_refused: int = 0
    lines_other: int = 0
    missing: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    cells: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def touched(self) -> set[str]:
        """Local days whose raw tables this capture feeds."""
        days = {p.day for p in self.parts}
        return days - {UNDATED} | {self.anchor} if UNDATED in days else days

    def frames_of(self, day: str) -> int:
        """Data frames of a day."""
        return sum(self.rows.get(day, {}).values())

    @classmethod
    def of(cls, raw: dict[str, Any]) -> Record:
        """From JSON."""
        parts = [SegmentPart(p["kind"], p["day"], p["name"], [(a, b) for a, b in p["spans"]]) for p in raw["parts"]]
        return cls(**{**raw, "parts": parts, "devices": [(o, m) for o, m in raw["devices"]]})


def day_key(day: int) -> str:
    """Days since 1970-01-01 as YYYY-MM-DD."""
    return str(np.datetime64(day, "D"))


class SegmentWriter:
    """Keeps the batches of one capture: `keep` may run on many threads, `enter` and `close` on one."""

    def __init__(self, storage: Storage, folder: str, devices: list[tuple[str, str]]) -> None:
        self._storage = storage
        self._folder = folder
        self._mns: set[str] = set()
        self.record = Record(devices=devices)

    def keep(self, batch: Batch) -> Record:
        """Write a batch in parts by day; what it adds to the capture's record."""
        minute = int((batch.cn == 2051).sum())
        made = Record(
            accepted_bytes=batch.accepted_bytes,
            noise_bytes=batch.noise_bytes,
            quarantined_bytes=sum(len(r.content) for r in batch.refused),
            frames_quarantined=len(batch.refused),
            frames_minute=minute,
            frames_reported=batch.time.size - minute,
            frames_other=batch.frames_other,
            lines_data=batch.lines[0],
            lines_refused=batch.lines[1],
            lines_other=batch.lines[2],
            missing=batch.missing,
        )
        devices = self.record.devices
        used = np.unique(batch.device).tolist()
        made.mns = sorted({devices[i][1] for i in used} | {r.mn for r in batch.refused if r.mn})
        columns = _columns(batch)
        for day, chosen in _days(batch.time):
            picked = columns if chosen.all() else {n: a[chosen] for n, a in columns.items()}
            counts = Counter[str]()
            for device, n in zip(*np.unique(picked["device"], return_counts=True), strict=True):
                counts[devices[device][0]] += int(n)
            made.rows[day] = dict(counts)
            made.parts.append(self._write_rows(batch.begin, day, picked))
        if batch.cells is not None and batch.cells.row.size:
            made.parts += self._write(CELLS, batch.begin, _cell_table(batch), "time")
            made.cells = {c["values"]: c["counts"] for c in batch.cells.reason.value_counts().to_pylist()}
        for refused in batch.refused:
            _count(made.refusals, refused.reason, refused.mn, 1)
        if batch.refused:
            made.parts += self._write(REFUSED, batch.begin, _refused_table(batch), "filed")
        return made

    def enter(self, made: Record) -> None:
        """Count what `keep` gave, in file order."""
        record = self.record
        for name in (
            "accepted_bytes", "noise_bytes", "quarantined_bytes", "frames_quarantined", "frames_minute", "frames_reported",
            "frames_other", "lines_data", "lines_refused", "lines_other",
        ):  # fmt: skip
            setattr(record, name, getattr(record, name) + getattr(made, name))
        for day, counts in made.rows.items():
            held = record.rows.setdefault(day, {})
            for outlet, n in counts.items():
                held[outlet] = held.get(outlet, 0) + n
        for reason, by_mn in made.refusals.items():
            for mn, n in by_mn.items():
                _count(record.refusals, reason, mn, n)
        for what, n in made.missing.items():
            # A hostile file may hold any number of texts: the first thousand are told apart.
            told = what if what in record.missing or len(record.missing) < 1000 else "…"
            record.missing[told] = record.missing.get(told, 0) + n
        for reason, n in made.cells.items():
            record.cells[reason] = record.cells.get(reason, 0) + n
        self._mns.update(made.mns)
        record.parts += made.parts

    def about(self, kind: str, reader: ExportReader) -> None:
        """What is known of an export beside its batches."""
        record = self.record
        record.kind, record.reading, record.lines = kind, reader.reading, reader.lines
        record.notes, record.examples = reader.notes[:100], reader.examples
        record.lines_other += reader.unread
        self._mns.update(reader.asked)

    def close(self, text_bytes: int, first_day: str) -> Record:
        """Write the record; the folder is complete from then on. Refusals of a capture without any date go to `first_day`."""
        record = self.record
        record.text_bytes = text_bytes
        record.frames_accepted = record.frames_minute + record.frames_reported + record.frames_other
        record.mns = sorted(self._mns)
        dated = sorted(record.rows) or sorted(p.day for p in record.parts if p.day != UNDATED)
        record.anchor = dated[0] if dated else first_day
        self._storage.write(f"{self._folder}/record.json", json.dumps(asdict(record), ensure_ascii=False).encode())
        return record

    def _write_rows(self, begin: int, day: str, columns: Columns) -> SegmentPart:
        table = pa.table({name: pa.array(a) for name, a in columns.items()})
        outlets = [self.record.devices[i][0] for i in (columns["device"][[0, -1]].tolist())]
        spans = [(outlets[0], outlets[1])]
        if table.num_rows > ROWS_A_BATCH:
            ends = np.minimum(np.arange(0, table.num_rows, ROWS_A_BATCH) + ROWS_A_BATCH, table.num_rows) - 1
            firsts = columns["device"][::ROWS_A_BATCH].tolist()
            lasts = columns["device"][ends].tolist()
            spans = [(self.record.devices[a][0], self.record.devices[b][0]) for a, b in zip(firsts, lasts, strict=True)]
        name = f"{begin:014d}-{ROWS}-{day}.arrow"
        self._put(name, table)
        return SegmentPart(ROWS, day, name, spans)

    def _write(self, kind: str, begin: int, table: pa.Table, time: str) -> list[SegmentPart]:
        parts = []
        for day, chosen in _days(table.column(time).to_numpy()):
            name = f"{begin:014d}-{kind}-{day}.arrow"
            self._put(name, table if chosen.all() else table.filter(pa.array(chosen)))
            parts.append(SegmentPart(kind, day, name))
        return parts

    def _put(self, name: str, table: pa.Table) -> None:
        options = ipc.IpcWriteOptions(compression="lz4")
        with (
            self._storage.staged(f"{self._folder}/{name}") as path,
            ipc.new_file(str(path), table.schema, options=options) as to,
        ):
            to.write_table(table, max_chunksize=ROWS_A_BATCH)


def _count(refusals: dict[str, dict[str, int]], reason: str, mn: str, n: int) -> None:
    """Count in; a hostile capture may hold any number of device numbers, of which the first thousand are told apart."""
    by_mn = refusals.setdefault(reason, {})
    mn = mn if mn in by_mn or len(by_mn) < 1000 else ""
    by_mn[mn] = by_mn.get(mn, 0) + n


def _columns(batch: Batch) -> Columns:
    extra = np.zeros(batch.time.size, np.uint8)
    if batch.cells is not None:
        # Only rows with cells outside the wide table need a second look when repeats are compared.
        extra[batch.cells.row] = 1
    return {
        "device": batch.device, "cn": batch.cn, "time": batch.time, "qn": batch.qn, "version": batch.version,
        "offset": batch.offset, "extra": extra,
        **{f"v{s}": a for s, a in batch.values.items()},
        **{f"p{c}": a for c, a in batch.dps.items()},
        **{f"f{c}": a for c, a in batch.flags.items()},
    }  # fmt: skip


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


def _days(time: NDArray[np.int64]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Each day that occurs and which rows are its own; rows without a time are undated."""
    day = np.where(time == NO_TIME, NO_TIME, time // DAY_MS)
    for value in np.unique(day).tolist():
        yield UNDATED if value == NO_TIME else day_key(value), day == value


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

    def tables(self, token: str, record: Record, kind: str, days: tuple[str, ...]) -> list[pa.Table]:
        """Whole tables of extra cells or refused frames of the given days, in file order."""
        names = sorted(p.name for p in record.parts if p.kind == kind and p.day in days)
        return [self._open(token, n).read_all() for n in names]

    def rows(self, token: str, record: Record, day: str, outlets: tuple[str, str]) -> list[Columns]:
        """Rows of a day between two outlets (inclusive), in pieces as they were written."""
        lo, hi = outlets
        wanted = np.array([lo <= o <= hi for o, _ in record.devices], np.bool_)
        found: list[Columns] = []
        for part in sorted((p for p in record.parts if p.kind == ROWS and p.day == day), key=lambda p: p.name):
            batches = [i for i, (first, last) in enumerate(part.spans) if first <= hi and last >= lo]
            if batches:
                reader = self._open(token, part.name)
                found += [_chosen(reader.get_batch(i), wanted) for i in batches]
        return [columns for columns in found if columns["time"].size]

    def _open(self, token: str, name: str) -> ipc.RecordBatchFileReader:
        key = f"{self.folder(token)}/{name}"
        path = self._storage.local_path(key)
        return ipc.open_file(pa.memory_map(str(path)) if path else pa.BufferReader(self._storage.read(key)))


def _chosen(batch: pa.RecordBatch, wanted: NDArray[np.bool_]) -> Columns:
    """A record batch as columns, only rows of wanted devices."""
    columns = {n: a.to_numpy() for n, a in zip(batch.schema.names, batch.columns, strict=True)}
    chosen = wanted[columns["device"]]
    return columns if chosen.all() else {n: a[chosen] for n, a in columns.items()}
