"""The frames of one day brought together and merged into rows.

Belongs here: loading a day's segments as columns and turning groups of frames into contract-typed rows. Does not belong
here: which tables there are and in which order they are made (`assets/raw.py`), cells outside the wide row (`raw_cells`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from contracts import TABLES
from contracts.channels import CHANNELS, SUBFIELDS, column
from kernels.hj212_time import NO_TIME
from kernels.merge import GAVE, Grouping, order_rows
from resources.segments import Columns, joined

if TYPE_CHECKING:
    from resources.intake import Arrival
    from resources.segments import Segments

MINUTE_CN = 2051
_HEADS = {"cn": np.int16, "time": np.int64, "qn": np.int64, "version": np.int8, "offset": np.int64, "extra": np.uint8}


@dataclass(slots=True)
class DayFrames:
    """All data frames of one day in order of precedence; arrays have one entry a frame.

    `file` counts in `files`, `device` in `devices` = (outlet_id, mn), which is sorted: device order is row order.
    columns: cn, time, qn, version, offset, extra, v<slot>, p<channel>, f<channel> of `resources/segments.py`.
    """

    files: list[Arrival]
    devices: list[tuple[str, str]]
    file: np.ndarray
    device: np.ndarray
    columns: Columns


def load_frames(segments: Segments, files: list[Arrival], day: str, outlets: tuple[str, str]) -> DayFrames:
    """The data frames of `day` between two outlets (inclusive) in all `files` (ordered by precedence)."""
    pieces: list[tuple[int, Columns]] = []
    pairs: set[tuple[str, str]] = set()
    for f, arrival in enumerate(files):
        if arrival.record is not None:
            pieces += [(f, c) for c in segments.rows(arrival.token, arrival.record, day, outlets)]
            pairs |= set(arrival.record.devices)
    devices = sorted(p for p in pairs if outlets[0] <= p[0] <= outlets[1])
    place = {pair: np.int32(i) for i, pair in enumerate(devices)}
    maps = [np.array([place.get(p, -1) for p in a.record.devices], np.int32) if a.record else None for a in files]
    none = np.empty(0, np.int32)
    file = np.concatenate([none, *(np.full(c["time"].size, f, np.int32) for f, c in pieces)])
    device = np.concatenate([none, *(maps[f][c["device"]] for f, c in pieces)])  # type: ignore[index]
    columns = joined([c for _, c in pieces])
    for name, dtype in _HEADS.items():
        columns.setdefault(name, np.empty(0, dtype))
    return DayFrames(files, devices, file, device, columns)


class DayRows:
    """The frames of a day grouped by row: first the rows of minute records, then those of hour and day records.

    Groups lo..hi of `minute` and `reported` are the rows of the two tables; `merged` makes those of any stretch.
    """

    def __init__(self, frames: DayFrames) -> None:
        self.frames = frames
        self.device = frames.device
        self.file = frames.file
        self.columns = frames.columns
        n = len(frames.devices)
        # One grouping serves both tables: counting hour and day records as devices of their own puts them behind.
        place = frames.device + np.where(frames.columns["cn"] == MINUTE_CN, 0, n).astype(np.int32)
        c = frames.columns
        self.grouping = Grouping(*order_rows(place, 2 * n, c["cn"], c["time"], c["qn"]))
        cut = int((c["cn"][self.grouping.leaders()] == MINUTE_CN).sum())
        self.minute = (0, cut)
        self.reported = (cut, self.grouping.groups)

    def only(self, chosen: np.ndarray) -> DayRows:
        """The same frames, fewer: a grouping of their own."""
        f = self.frames
        picked = {n: a[chosen] for n, a in f.columns.items()}
        return DayRows(DayFrames(f.files, f.devices, f.file[chosen], f.device[chosen], picked))

    def merged(self, table: str, lo: int = 0, hi: int | None = None) -> pa.Table:
        """Rows of the groups lo..hi, typed by the contract of `table`."""
        hi = self.grouping.groups if hi is None else hi
        contract = TABLES[table]
        made = self._heads(lo, hi)
        stretch = self.grouping.stretch(lo, hi)
        for i, channel in enumerate(CHANNELS):
            source = self.columns.get(f"p{i}")
            dps = stretch.decimals(source) if source is not None else None
            for s, sub in enumerate(SUBFIELDS):
                values = self.columns.get(f"v{i * len(SUBFIELDS) + s}")
                if values is not None and source is not None and dps is not None:
                    numbers = stretch.numbers(values, source, s, dps)
                    made[column(channel.name, sub)] = pa.array(numbers, from_pandas=True)
                    made[column(channel.name, "dp")] = pa.array(dps)
            flags = self.columns.get(f"f{i}")
            if flags is not None:
                made[column(channel.name, "flag")] = _letters(stretch.flags(flags))
        made["frames"], made["src_more"] = self._joined_frames(lo, hi)
        arrays = [made.get(c.name, pa.nulls(hi - lo, c.type)) for c in contract.columns]
        typed = [a if a.type == c.type else a.cast(c.type) for a, c in zip(arrays, contract.columns, strict=True)]
        return pa.table(typed, schema=contract.schema())

    def _heads(self, lo: int, hi: int) -> dict[str, pa.Array]:
        lead = self.grouping.leaders(lo, hi)
        device = self.device[lead]
        names = [a.sha256[:16] for a in self.frames.files]
        qn = self.columns["qn"][lead]
        return {
            "outlet_id": labels(device, [o for o, _ in self.frames.devices]),
            "mn": labels(device, [m for _, m in self.frames.devices]),
            "data_time": pa.array(self.columns["time"][lead], pa.timestamp("ms")),
            "cn": pa.array(self.columns["cn"][lead]),
            "qn": pa.array(qn, pa.timestamp("ms"), mask=qn == NO_TIME),
            "version": pa.array(self.columns["version"][lead]),
            "src_file": labels(self.file[lead], names),
            "src_offset": pa.array(self.columns["offset"][lead]),
        }

    def _joined_frames(self, lo: int, hi: int) -> tuple[pa.Array, pa.Array]:
        """Frames that a row holds, and file:offset of those beside the leading one. Needs the values merged first."""
        grouping = self.grouping
        rows = grouping.order[grouping.starts[lo] : grouping.starts[hi]]
        gave = rows[(grouping.state[rows] & GAVE) > 0]
        frames = np.ones(hi - lo, np.int32)
        more: list[str | None] = [None] * (hi - lo) if gave.size else []
        group_of = (
            np.searchsorted(grouping.starts, np.flatnonzero((grouping.state[grouping.order] & GAVE) > 0), "right") - 1
        )
        within = group_of[(group_of >= lo) & (group_of < hi)] - lo
        for g, row in zip(within.tolist(), gave.tolist(), strict=True):
            frames[g] += 1
            source = f"{self.frames.files[self.file[row]].sha256[:16]}:{self.columns['offset'][row]}"
            more[g] = f"{more[g]} {source}" if more[g] else source
        return pa.array(frames), pa.array(more, pa.string()) if gave.size else pa.nulls(hi - lo, pa.string())


def labels(index: np.ndarray, names: list[str]) -> pa.Array:
    """Dictionary array of names[index], its dictionary in order of first appearance: equal rows give equal bytes."""
    first = np.full(len(names), index.size, np.int64)
    first[index[::-1]] = np.arange(index.size - 1, -1, -1)
    code = np.zeros(len(names), np.int32)
    # Two indices may carry one name (an outlet with two devices): they share a code.
    seen: dict[str, int] = {}
    for k in np.argsort(first, kind="stable")[: int((first < index.size).sum())].tolist():
        code[k] = seen.setdefault(names[k], len(seen))
    return pa.DictionaryArray.from_arrays(pa.array(code[index], pa.int32()), pa.array(list(seen), pa.string()))


def _letters(flags: np.ndarray) -> pa.Array:
    """ASCII codes as one-letter labels, 0 as null."""
    made = labels(flags, ["" if i == 0 else chr(i) for i in range(256)])
    if not (flags == 0).any():
        return made
    names = made.dictionary.to_pylist()
    keep = [n for n in names if n]
    place = np.array([keep.index(n) if n else 0 for n in names], np.int32)
    index = pa.array(place[made.indices.to_numpy()], mask=flags == 0)
    return pa.DictionaryArray.from_arrays(index, pa.array(keep, pa.string()))
