"""Captures into batches of typed rows: the HJ 212 kernel over blocks, on several threads, in file order.

Belongs here: running the scan over the blocks of one capture, telling rows, extra cells and refused bytes apart, and
assigning rows to outlets by the dated registry. Does not belong here: the frame grammar (`kernels`), where batches are
kept (`resources/segments.py`), and duplicates (`assets/raw.py`): a frame is judged here by itself alone.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numpy as np
import pyarrow as pa

from contracts.channels import CHANNEL_NAMES
from kernels import hj212 as frames_kernel
from kernels import hj212_fields as fields_kernel
from kernels.hj212_time import NO_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date

    from numpy.typing import NDArray

    from resources.captures import Block, Capture
    from resources.registry import Device

T = TypeVar("T")
P = ParamSpec("P")

#: Changes whenever the same bytes would be read differently; segments made by another version are made anew.
READER_VERSION = "hj212-1"

REASONS = {
    frames_kernel.BAD_HEADER: "bad_header",
    frames_kernel.TRUNCATED: "truncated",
    frames_kernel.BAD_LENGTH: "bad_length",
    frames_kernel.BAD_CRC: "bad_crc",
    frames_kernel.CRC_VARIANT: "crc_variant",
    frames_kernel.ENCRYPTED: "encrypted",
    frames_kernel.NO_DATA_AREA: "no_data_area",
    frames_kernel.NO_CN: "no_cn",
    frames_kernel.UNKNOWN_MN: "unknown_mn",
    frames_kernel.BAD_DATA_TIME: "bad_data_time",
    frames_kernel.DATA_TIME_WINDOW: "data_time_window",
}
CELL_REASONS = {
    fields_kernel.CELL_UNKNOWN_FACTOR: "unknown_factor",
    fields_kernel.CELL_UNKNOWN_SUBFIELD: "unknown_subfield",
    fields_kernel.CELL_VERBATIM: "verbatim",
    fields_kernel.CELL_BAD_VALUE: "bad_value",
    fields_kernel.CELL_REPEATED_KEY: "repeated_key",
}
_VARIANTS = {
    "hj212": frames_kernel.VARIANT_HJ212,
    "modbus": frames_kernel.VARIANT_MODBUS,
    "modbus_swapped": frames_kernel.VARIANT_MODBUS_SWAPPED,
}
_DATA_CNS = (2051, 2061, 2031)
DAY_MS = frames_kernel.DAY_MS


def day_ms(day: date) -> int:
    """Midnight of a local day in ms since 1970-01-01 of the local clock."""
    return (day.toordinal() - 719163) * DAY_MS


@dataclass(slots=True)
class Refused:
    """A frame that was refused, with its bytes.

    Times are ms of the local clock or NO_TIME: `time` is its DataTime, `filed` a time inside the window (DataTime, else QN)
    that says which day it is filed under.
    """

    reason: str
    offset: int
    content: bytes
    mn: str
    cn: int
    time: int
    filed: int


@dataclass(slots=True)
class Cells:
    """Pairs that have no place in the wide row. `row` counts from the first row of the batch; texts as sent."""

    row: NDArray[np.int64]
    reason: pa.StringArray
    name: pa.StringArray
    text: pa.StringArray


@dataclass(slots=True)
class Batch:
    """What one stretch of a capture or export held, from byte (row of a sheet) `begin` of the decompressed file.

    Arrays have one entry a row, rows ordered by (outlet_id, mn), then as sent. values: slot (channel * 7 + sub-field) -> float64, only slots that occur; dps: channel -> uint32; flags: channel -> uint8.
    """

    begin: int
    device: NDArray[np.int32]
    cn: NDArray[np.int16]
    time: NDArray[np.int64]
    qn: NDArray[np.int64]
    version: NDArray[np.int8]
    offset: NDArray[np.int64]
    values: dict[int, NDArray[np.float64]]
    dps: dict[int, NDArray[np.uint32]]
    flags: dict[int, NDArray[np.uint8]]
    cells: Cells | None = None
    refused: list[Refused] = field(default_factory=list)
    accepted_bytes: int = 0
    noise_bytes: int = 0
    frames_other: int = 0
    #: Of an export: lines with data, lines refused and lines that hold none; missing cells by what stood in them.
    lines: tuple[int, int, int] = (0, 0, 0)
    missing: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Data rows of the batch."""
        return self.time.size


class Devices:
    """The registry's devices as the scan needs them: numbers, permitted CRC variants, dated outlets.

    `rows[i]` is a device row; a batch's `device` counts in `rows`.
    """

    def __init__(self, rows: Iterable[Device]) -> None:
        self.rows = tuple(rows)
        self.numbers = sorted({d.mn for d in self.rows})
        place = {mn: k for k, mn in enumerate(self.numbers)}
        self.variants = [0] * len(self.numbers)
        spans: list[list[tuple[int, int, int]]] = [[] for _ in self.numbers]
        for i, device in enumerate(self.rows):
            k = place[device.mn]
            for name in device.crc_variants:
                self.variants[k] |= _VARIANTS[name]
            until = day_ms(device.valid_to) if device.valid_to else np.iinfo(np.int64).max
            spans[k].append((day_ms(device.valid_from), until, i))
        self._spans = spans
        first = [s[0] if s else (0, 0, -1) for s in spans]
        self._from = np.array([s[0] for s in first], np.int64)
        self._to = np.array([s[1] for s in first], np.int64)
        self._row = np.array([s[2] for s in first], np.int32)
        self._several = np.array([len(s) > 1 for s in spans], np.bool_)
        self.pairs = [(d.outlet_id, d.mn) for d in self.rows]
        self._rank = np.argsort(sorted(range(len(self.pairs)), key=self.pairs.__getitem__)).astype(np.int32)

    def order(self, device: NDArray[np.int32]) -> NDArray[np.int64]:
        """Stable order of rows by (outlet_id, mn) of their device."""
        return np.argsort(self._rank[device], kind="stable")

    def at(self, number: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int32]:
        """Device row of each (index into `numbers`, local ms); -1 where no row is in force."""
        found = np.where((time >= self._from[number]) & (time < self._to[number]), self._row[number], -1).astype(
            np.int32
        )
        for j in np.flatnonzero(self._several[number]):
            found[j] = next((i for lo, hi, i in self._spans[number[j]] if lo <= time[j] < hi), -1)
        return found


class Reader:
    """Reads captures with one set of devices, factor codes (code -> channel name) and window of days."""

    def __init__(self, devices: Devices, codes: dict[str, str], window: tuple[date, date], threads: int = 2) -> None:
        self.devices = devices
        index = {c: CHANNEL_NAMES.index(name) for c, name in codes.items()}
        self._window = (day_ms(window[0]), day_ms(window[1]))
        self._tables = frames_kernel.Tables(index, devices.numbers, devices.variants, self._window)
        self._threads = threads
        self._local = threading.local()

    def read(self, capture: Capture, keep: Callable[[Batch], T], *, ahead: bool = True) -> Iterator[T]:
        """What `keep` makes of each batch, in file order; batches are parsed and kept on threads, `ahead` of the reading.

        The result does not depend on the number of threads. `ahead` false reads and parses in turn: for many small files,
        which go in parallel themselves.
        """
        with ThreadPoolExecutor(self._threads) as pool:
            waiting: deque[tuple[Block, Future[tuple[list[T], int]]]] = deque()
            begin = 0
            for block in capture.blocks():
                parsed = (
                    pool.submit(self._parse, block, block.offset, keep)
                    if ahead
                    else _now(self._parse, block, begin, keep)
                )
                waiting.append((block, parsed))
                while len(waiting) > (self._threads if ahead and not block.at_end else 0):
                    oldest, done = waiting.popleft()
                    kept, end = done.result()
                    if ahead and begin > oldest.offset:
                        # A frame of the block before reached into this one: parse it anew from where that frame ends.
                        kept, end = self._parse(oldest, begin, keep)
                    begin = end
                    capture.recycle(oldest)
                    yield from kept

    def _parse(self, block: Block, begin: int, keep: Callable[[Batch], T]) -> tuple[list[T], int]:
        work = getattr(self._local, "work", None)
        if work is None:
            work = self._local.work = frames_kernel.Workspace(len(CHANNEL_NAMES))
        made: list[T] = []
        at = max(begin, block.offset) - block.offset
        while at < block.stop:
            end = frames_kernel.scan_some(block.buf, at, block.stop, self._tables, work, at_end=block.at_end)
            if end == at and not work.counts.any():
                raise RuntimeError(f"the scan does not advance at byte {block.offset + at}")
            made.append(keep(self._batch(block, at, work)))
            work.clear()
            at = end
        return made, block.offset + at

    def _batch(self, block: Block, at: int, work: frames_kernel.Workspace) -> Batch:
        n_frames, n_rows, n_cells, noise = (int(c) for c in work.counts)
        frames = work.frames[:n_frames]
        accepted = frames[:, 2] == frames_kernel.ACCEPTED
        data = frames[accepted & (frames[:, 8] >= 0)]
        device = self.devices.at(data[:, 4], data[:, 9]) if n_rows else np.empty(0, np.int32)
        known = np.flatnonzero(device >= 0)
        order = known[self.devices.order(device[known])]
        data, late = data[order], data[device < 0].copy()
        batch = Batch(
            block.offset + at,
            device[order],
            data[:, 5].astype(np.int16),
            data[:, 9].copy(),
            data[:, 7].copy(),
            data[:, 6].astype(np.int8),
            data[:, 0] + block.offset,
            {s: work.values[s, :n_rows][order] for s in work.slots()},
            {c: work.dps[c, :n_rows][order] for c in work.channels()},
            {c: work.flags[c, :n_rows][order] for c in work.channels()},
            noise_bytes=noise,
            frames_other=int((accepted & (frames[:, 8] < 0)).sum()),
        )
        batch.refused = [self._refused(block, f, REASONS[f[2]]) for f in frames[~accepted]]
        batch.refused += [self._refused(block, f, "mn_not_in_force") for f in late]
        batch.accepted_bytes = int((frames[:, 1] - frames[:, 0]).sum()) - sum(len(r.content) for r in batch.refused)
        if n_cells:
            place = np.full(n_rows, -1, np.int64)
            place[order] = np.arange(order.size)
            batch.cells = _cells(block, work.cells[:n_cells], place)
        return batch

    def _refused(self, block: Block, frame: NDArray[np.int64], reason: str) -> Refused:
        lo, hi, _, _, _, cn, _, qn, _, time, mn_lo, mn_hi = (int(v) for v in frame)
        mn = text_of(block.buf[mn_lo:mn_hi].tobytes())[:64]
        inside = (t for t in (time, qn) if self._window[0] <= t < self._window[1])
        filed = next(inside, NO_TIME) if reason != "data_time_window" else NO_TIME
        return Refused(reason, block.offset + lo, block.buf[lo:hi].tobytes(), mn, cn, time, filed)


def _cells(block: Block, cells: NDArray[np.int64], place: NDArray[np.int64]) -> Cells:
    """The extra cells of the rows that were kept; `place` says where a scanned row went, -1 for nowhere."""
    cells = cells[place[cells[:, 0]] >= 0]
    reasons = pa.array([CELL_REASONS[k] for k in range(len(CELL_REASONS))])
    return Cells(
        place[cells[:, 0]],
        reasons.take(pa.array(cells[:, 1])),
        _strings(block.buf, cells[:, 2], cells[:, 3]),
        _strings(block.buf, cells[:, 4], cells[:, 5]),
    )


def _now(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
    """A call made at once, as a future that is done."""
    made: Future[T] = Future()
    made.set_result(call(*args, **kwargs))
    return made


def _strings(buf: NDArray[np.uint8], lo: NDArray[np.int64], hi: NDArray[np.int64]) -> pa.StringArray:
    offsets, data = fields_kernel.gather(buf, lo, hi)
    raw = pa.BinaryArray.from_buffers(pa.binary(), lo.size, [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    try:
        return raw.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([text_of(v) for v in raw.to_pylist()], pa.string())


def text_of(raw: bytes) -> str:
    """Bytes as text: UTF-8, else GB18030, else with the unreadable bytes spelled out."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "backslashreplace")
