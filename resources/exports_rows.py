"""Lines of an export into batches of typed rows, like those that frames give.

Belongs here: interval, devices and cells of a stretch of lines, and what becomes of every line. Does not belong here: times
(`exports_lines`), groups of columns (`exports_groups`), single cells (`exports_cells`), where batches are kept (`segments`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from contracts.channels import CHANNEL_NAMES
from kernels import exports as kernel
from kernels.hj212_time import NO_TIME
from resources.exports_cells import CellReader, Found, uniques
from resources.exports_devices import MINUTE_MS, delay, misfit, no_shift_note, shift_to
from resources.exports_errors import ExportError
from resources.exports_groups import Group, groups_of, naming
from resources.exports_lines import LineReader, Stretch
from resources.exports_notes import Notes
from resources.exports_sheets import SHEET_STEP
from resources.hj212_reader import Batch, Cells, Refused

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from resources.exports_devices import Owners
    from resources.exports_header import Header
    from resources.exports_map import ColumnMap
    from resources.exports_words import Words

    Longs = NDArray[np.int64]
    Bools = NDArray[np.bool_]

INTERVALS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 1440)
#: Exports carry flags by the list of HJ 212-2017, into which the common words are put.
VERSION = 1
_CN = {60: 2061, 1440: 2031}


class RowMaker:
    """Turns the chunks of one table into batches, one after the other."""

    def __init__(
        self, header: Header, words: Words, said: ColumnMap, owners: Owners, window: tuple[int, int], place: str, *, serial: bool,
        sheet: str = "",
    ) -> None:  # fmt: skip
        self._words = words
        self._owners = owners
        self.lines = LineReader(header, words, said, window, serial=serial)
        self._cells = CellReader(words, said)
        self._state = tuple(header.of("state"))
        self._naming = naming(header, said)
        self.groups = groups_of(header, said, owners, place)
        self.notes = Notes(sheet)
        self._line = 1
        self.missing: Counter[str] = Counter()
        self._unfit: dict[int, bool] = {}

    # ---- interval and devices ------------------------------------------------------------------------------------------------

    def settle(self, stretch: Stretch) -> None:
        """Interval and label from the first lines; ExportError when they do not tell, or a device of the whole file does not fit."""
        if not self.lines.interval and stretch.rows.size:
            self.lines.interval = self._interval(stretch)
        if self.lines.interval and self.lines.interval not in INTERVALS:
            raise ExportError(
                f"相邻两行相差 {self.lines.interval} 分钟, 不是允许的时段", f"lines lie {self.lines.interval} min apart, which is no interval of HJ 212",
                "在列映射文件中写 interval = \"1min\", \"hour\" 或 \"day\"", "write interval = \"1min\", \"hour\" or \"day\" in the map file",
            )  # fmt: skip
        for group in self.groups:
            for i in (
                np.unique(self._owners.at(group.owners, stretch.time)).tolist() if group.owners is not None else ()
            ):
                fault = misfit(self._owners.devices.rows[i], self.lines.interval, self.lines.label) if i >= 0 else None
                if fault:
                    raise ExportError(*fault)

    def _interval(self, stretch: Stretch) -> int:
        """Minutes between neighbouring lines of one device, the commonest distance."""
        if not (stretch.form & kernel.HAS_HOUR).any():
            return INTERVALS[-1]
        distances: Counter[int] = Counter()
        for group in self.groups:
            device, _ = self._device(group, stretch)
            for i in np.unique(device).tolist():
                minutes = np.unique(stretch.time[device == i] // MINUTE_MS)
                distances.update(np.diff(minutes).tolist())
        if distances:
            return max(distances, key=lambda d: (distances[d], -d))
        if not (stretch.form & kernel.HAS_MINUTE).any():
            return 60
        raise ExportError(
            "只有一行数据, 看不出每行代表多长时段", "a single line does not tell what stretch of time it stands for",
            "在列映射文件中写 interval = \"1min\", \"hour\" 或 \"day\"", "write interval = \"1min\", \"hour\" or \"day\" in the map file",
        )  # fmt: skip

    def _device(self, group: Group, stretch: Stretch) -> tuple[NDArray[np.int32], list[tuple[str, Bools]]]:
        """Device row of each line, -1 for none; and the texts that name nobody, with their lines."""
        if group.owners is not None:
            return self._owners.at(group.owners, stretch.time), []
        assert self._naming is not None  # noqa: S101 - a group without owners has a column that names them
        texts, which = uniques(stretch.chunk, stretch.lines, stretch.rows, self._naming.index)
        found = np.full(stretch.rows.size, -1, np.int32)
        unknown = []
        for k, text in enumerate(texts):
            rows = self._owners.within(text)
            mine = which == k
            if rows:
                found[mine] = self._owners.at(rows, stretch.time[mine])
            else:
                unknown.append((text, mine))
        return found, unknown

    # ---- batches ---------------------------------------------------------------------------------------------------------------

    def batch(self, stretch: Stretch) -> Batch:
        """The rows, extra cells and refused lines of a stretch whose interval is settled."""
        made = [self._of_group(group, stretch) for group in self.groups]
        chunk, lines = stretch.chunk, stretch.lines
        sizes, offsets = chunk.places(lines)
        self._note(stretch, [part for part, _, _ in made], offsets)
        taken = np.zeros(lines.size, np.bool_)
        refused = [
            self._refused(stretch, row, why, "", NO_TIME, offsets) for row, why in sorted(stretch.refused.items())
        ]
        carved = 0
        for _, _, turned in made:
            for row, why, mn, time in turned:
                refused.append(self._refused(stretch, row, why, mn, time, offsets))
        parts = [part for part, _, _ in made]
        said = [part.rows for part in parts]
        for part in parts:
            taken[part.all_rows] = True
        if len(self.groups) > 1:
            refused, carved = self._carve(refused, taken, offsets)
        batch = self._joined(parts, said, offsets)
        batch.refused = refused
        batch.accepted_bytes = int(sizes[taken].sum()) - carved
        batch.noise_bytes = (
            int(sizes.sum()) - batch.accepted_bytes - sum(len(r.content) for r in refused) if chunk.counted else 0
        )
        batch.accepted_bytes = batch.accepted_bytes if chunk.counted else 0
        turned_away = np.zeros(lines.size, np.bool_)
        turned_away[list(stretch.refused)] = True
        for _, _, turned in made:
            turned_away[[row for row, *_ in turned]] = True
        turned_away &= ~taken
        n, lost = int(taken.sum()), int(turned_away.sum())
        batch.lines = (n, lost, lines.size - n - lost)
        batch.frames_other = sum(part.all_rows.size - part.rows.size for part in parts)
        batch.missing = dict(self.missing)
        self.missing.clear()
        return batch

    def _note(self, stretch: Stretch, parts: list[Part], offsets: Longs) -> None:
        """What a person should know of the lines; a workbook's and Parquet's rows have their own numbers."""
        late = (stretch.form & kernel.IS_24) > 0
        if not self.lines.label and late.any():
            self.notes.both(int(stretch.time[late].min()))
        lines = offsets % SHEET_STEP if not stretch.chunk.counted else self._line + np.arange(stretch.lines.size)
        for part in parts:
            self.notes.cells(part.found, lines[part.all_rows])
        self._line += stretch.lines.size

    def _carve(self, refused: list[Refused], taken: Bools, offsets: Longs) -> tuple[list[Refused], int]:
        """A line that one outlet keeps and another refuses: its bytes stay with the one that keeps it, so none counts twice."""
        place = {int(o): i for i, o in enumerate(offsets.tolist())}
        seen: set[int] = set()
        carved = 0
        for r in refused:
            row = place[r.offset]
            if taken[row] or row in seen:
                # Only the count of bytes is at stake: the line lies in the file, its first refusal keeps it whole.
                carved += len(r.content) if taken[row] and row not in seen else 0
                r.content = r.content if row not in seen else b""
            seen.add(row)
        return refused, carved

    def _refused(self, stretch: Stretch, row: int, why: str, mn: str, time: int, offsets: Longs) -> Refused:
        content = stretch.chunk.raw(stretch.lines, row)
        return Refused(why, int(offsets[row]), content, mn[:64], _CN.get(self.lines.interval, 2051), time, time)

    def _of_group(self, group: Group, stretch: Stretch) -> tuple[Part, Found, list[tuple[int, str, str, int]]]:
        device, unknown = self._device(group, stretch)
        turned: list[tuple[int, str, str, int]] = []
        for text, mine in unknown:
            turned += [
                (int(stretch.rows[i]), "unknown_mn", text, int(stretch.time[i])) for i in np.flatnonzero(mine).tolist()
            ]
        nobody = device < 0
        for _, mine in unknown:
            nobody &= ~mine
        name = group.label or (self._owners.devices.rows[group.owners[0]].mn if group.owners else "")
        turned += [
            (int(stretch.rows[i]), "mn_not_in_force", name, int(stretch.time[i]))
            for i in np.flatnonzero(nobody).tolist()
        ]
        for i in np.unique(device[device >= 0]).tolist():
            if self._is_unfit(i):
                mine = device == i
                turned += [
                    (int(stretch.rows[j]), "device_mismatch", self._owners.devices.rows[i].mn, int(stretch.time[j]))
                    for j in np.flatnonzero(mine).tolist()
                ]
                device = np.where(mine, np.int32(-1), device)
        good = device >= 0
        part = self._read(group, stretch, stretch.rows[good], stretch.time[good], device[good])
        return part, part.found, turned

    def _is_unfit(self, i: int) -> bool:
        if i not in self._unfit:
            fault = misfit(self._owners.devices.rows[i], self.lines.interval, self.lines.label)
            self._unfit[i] = fault is not None
            if fault:
                self.notes.say(f"{fault[0]}; {fault[2]} / {fault[1]}; {fault[3]}")
        return self._unfit[i]

    def _read(self, group: Group, stretch: Stretch, rows: Longs, time: Longs, device: NDArray[np.int32]) -> Part:
        """Every column of a group in the given lines; rows that say nothing at all are left out of `rows`."""
        found = self._cells.start(stretch, rows)
        used = np.unique(device).tolist()
        known = self._owners.devices.rows
        for column in (c for c in group.columns if c.role == "value"):
            table = np.zeros(max(used, default=0) + 1, np.int8)
            for i in used:
                table[i] = shift_to(column, known[i], self.lines.interval)
                if table[i] == kernel.NO_SHIFT:
                    self.notes.say(no_shift_note(column, known[i]))
            self._cells.value(found, column, table[device])
        for column in (c for c in group.columns if c.role == "flag"):
            self._cells.flag(found, column)
        measured = {c.channel for c in group.columns if c.role in ("value", "flag")}
        labels = {g.label for g in self.groups if len(self.groups) > 1}
        for column in (c for c in self._state if c.group not in labels or c.group == group.label):
            self._cells.state(found, column, sorted(CHANNEL_NAMES.index(c) for c in measured))
        for column in (c for c in group.columns if c.role == "other"):
            self._cells.other(found, column)
        self.missing.update(found.missing)
        for text in found.unknown_flags:
            self.notes.say(
                f"标记 {text!r} 不可识别, 按无效处理; 在列映射 [flags] 中写明 / the flag {text!r} is not known and counts as not valid; name it under [flags] of the map file"
            )
        delays = np.zeros(max(used, default=0) + 1, np.int64)
        for i in used:
            delays[i] = delay(known[i], self.lines.interval, self.lines.label)
            self.notes.label(known[i], self.lines.interval, self.lines.label, self.lines.why)
        says = found.says()
        return Part(rows, rows[says], time[says] + delays[device[says]], device[says], found, np.flatnonzero(says))

    def _joined(self, parts: list[Part], said: list[Longs], offsets: Longs) -> Batch:
        n = sum(map(len, said))
        device = np.concatenate([p.device for p in parts])
        order = self._owners.devices.order(device)
        place = np.empty(n, np.int64)
        place[order] = np.arange(n)
        values, dps, flags = {}, {}, {}
        for s in sorted({s for p in parts for s in p.found.values}):
            values[s] = np.concatenate([p.of(p.found.values.get(s), np.nan, np.float64) for p in parts])[order]
        channels = sorted({c for p in parts for c in (*p.found.dps, *p.found.flags)})
        for c in channels:
            dps[c] = np.concatenate([p.of(p.found.dps.get(c), 0, np.uint32) for p in parts])[order]
            flags[c] = np.concatenate([p.of(p.found.flags.get(c), 0, np.uint8) for p in parts])[order]
        rows = np.concatenate(said)
        batch = Batch(
            int(offsets[0]) if offsets.size else 0, device[order], np.full(n, _CN.get(self.lines.interval, 2051), np.int16),
            np.concatenate([p.time for p in parts])[order], np.full(n, NO_TIME, np.int64), np.full(n, VERSION, np.int8),
            offsets[rows][order], values, dps, flags,
        )  # fmt: skip
        batch.cells = _cells(parts, place)
        return batch


@dataclass
class Part:
    """What one group gave. all_rows: lines it took; rows, time, device: those that say something; chosen: their places in `found`."""

    all_rows: Longs
    rows: Longs
    time: Longs
    device: NDArray[np.int32]
    found: Found
    chosen: Longs

    def of(self, array: NDArray | None, empty: float, kind: type) -> NDArray:  # type: ignore[type-arg]
        """A column of `found` for the chosen rows; all empty where the group lacks it."""
        return np.full(self.chosen.size, empty, kind) if array is None else array[self.chosen]


def _cells(parts: list[Part], place: Longs) -> Cells | None:
    rows, reasons, names, texts = [], [], [], []
    base = 0
    for part in parts:
        back = np.full(part.all_rows.size, -1, np.int64)
        back[part.chosen] = np.arange(part.chosen.size)
        for at, reason, name, text in part.found.cells:
            rows.append(place[base + back[at]])
            reasons.append(pa.repeat(pa.scalar(reason), len(at)))
            names.append(pa.repeat(pa.scalar(name), len(at)))
            texts.append(text)
        base += part.chosen.size
    if not rows:
        return None
    return Cells(np.concatenate(rows), pa.concat_arrays(reasons), pa.concat_arrays(names), pa.concat_arrays(texts))
