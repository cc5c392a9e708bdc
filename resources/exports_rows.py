"""Lines of an export into batches of typed rows, like those that frames give.

Belongs here: times, owners and cells of a stretch of lines, and what becomes of every line. Does not belong here: the header
(`exports_header`), bytes and encodings (`exports_text`, `exports_sheets`), where batches are kept (`segments`).
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
from resources.exports_times import Moment, parse_clock, parse_moment
from resources.exports_words import norm
from resources.hj212_reader import Batch, Cells, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from resources.exports_devices import Owners
    from resources.exports_header import Column, Header
    from resources.exports_map import ColumnMap
    from resources.exports_text import Chunk
    from resources.exports_words import Words

    Longs = NDArray[np.int64]
    Bools = NDArray[np.bool_]

INTERVALS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 1440)
#: Exports carry flags by the list of HJ 212-2017, into which the common words are put.
VERSION = 1
_CN = {60: 2061, 1440: 2031}
SPARE_COLUMNS = 1


@dataclass(frozen=True)
class Group:
    """Columns that belong to one outlet, and its device rows; `owners` None where a column names the device of each line."""

    label: str
    columns: tuple[Column, ...]
    owners: list[int] | None


@dataclass
class Stretch:
    """Lines of a chunk under way: `rows` hold data, at `time` (ms) written in `form`; `refused` says why others do not."""

    chunk: Chunk
    lines: kernel.Lines
    rows: Longs
    time: Longs
    form: NDArray[np.uint8]
    refused: dict[int, str]


class RowMaker:
    """Turns the chunks of one table into batches, one after the other."""

    def __init__(
        self, header: Header, words: Words, said: ColumnMap, owners: Owners, window: tuple[int, int], place: str, *, serial: bool
    ) -> None:  # fmt: skip
        self._header = header
        self._words = words
        self._said = said
        self._owners = owners
        self._window = window
        self._serial = serial
        self._cells = CellReader(words, said)
        self._headlines = {"\x1f".join(map(norm, line)).strip("\x1f") for line in header.lines}
        self._state = tuple(header.of("state"))
        self._naming = (
            next(iter(header.of("mn") or header.of("outlet")), None) if not (said.mn or said.outlet) else None
        )
        self.groups = self._grouped(place)
        self.notes: dict[str, None] = {}
        self.missing: Counter[str] = Counter()
        self.label = said.label or (
            "start" if header.of("begin") else "end" if header.of("end") and not header.of("time", "date") else ""
        )
        self.interval = said.interval
        self._unfit: dict[int, bool] = {}

    def _grouped(self, place: str) -> list[Group]:
        columns = self._header.of("value", "flag", "other")
        labels = list(dict.fromkeys(c.group for c in columns if c.role != "other" and c.group))
        if self._naming is not None:
            return [Group("", tuple(columns), None)]
        if len(labels) < 2 or self._said.mn or self._said.outlet:
            rows = (self._owners.within(labels[0]) if labels else []) or self._owners.of_file(
                place, self._header.titles
            )
            if not rows:
                raise self._nobody(labels)
            self._no_twins(columns)
            return [Group(labels[0] if labels else "", tuple(columns), rows)]
        unknown = [label for label in labels if not self._owners.within(label)]
        if unknown:
            raise self._nobody(unknown)
        loose = [c for c in columns if not c.group or c.group not in labels]
        return [
            Group(label, tuple([c for c in columns if c.group == label] + (loose if label == labels[0] else [])), self._owners.within(label))
            for label in labels
        ]  # fmt: skip

    def _no_twins(self, columns: list[Column]) -> None:
        """A map file that names one device cannot do so for columns of several outlets."""
        seen: dict[tuple[str, str], str] = {}
        for c in columns:
            if c.role != "other" and (other := seen.setdefault((c.channel, c.sub), c.label)) != c.label:
                raise ExportError(
                    f"列映射只给出一个设备, 但 {other!r} 与 {c.label!r} 分属不同排放口", f"the map file names one device, but {other!r} and {c.label!r} are of different outlets",
                    "改用 [outlets] 逐一指明", "name each under [outlets]",
                )  # fmt: skip

    def _nobody(self, labels: list[str]) -> ExportError:
        shown = ", ".join(labels)
        of = f" ({shown})" if shown else ""
        return ExportError(
            f"不知道数据属于哪个设备{of}", f"nothing says whose data these are{of}",
            "加 MN 或 outlet_id 列, 或放入以 outlet_id 或 MN 命名的文件夹, 或在列映射文件中写 mn, outlet 或 [outlets]",
            "add a column MN or outlet_id, or a folder named after the outlet_id or MN, or write mn, outlet or [outlets] in the map file",
        )  # fmt: skip

    # ---- lines -----------------------------------------------------------------------------------------------------------------

    def open(self, chunk: Chunk, skip: int) -> Stretch:
        """Cut a chunk and read its times. `skip` lines at its begin are the header; blank, closing and repeated lines are no data."""
        lines = kernel.Lines(chunk.buf, chunk.stop, self._header.width + SPARE_COLUMNS, chunk.delimiter, chunk.quote)
        rows = np.arange(min(skip, lines.size), lines.size, dtype=np.int64)
        rows = rows[(lines.first[rows] < lines.last[rows]).any(axis=1)]
        refused: dict[int, str] = {}
        time, form = self._times(chunk, lines, rows)
        width = self._header.width
        torn = (lines.count[rows] < width) | (lines.first[rows, width] < lines.last[rows, width])
        bad = torn | (time == NO_TIME)
        keep = np.ones(rows.size, np.bool_)
        for i in np.flatnonzero(bad).tolist():
            keep[i] = False
            if time[i] != NO_TIME or not self._no_data(chunk, lines, int(rows[i])):
                refused[int(rows[i])] = "bad_line" if torn[i] else "bad_data_time"
        outside = keep & ((time < self._window[0]) | (time >= self._window[1]))
        for i in np.flatnonzero(outside).tolist():
            refused[int(rows[i])] = "data_time_window"
        keep &= ~outside
        return Stretch(chunk, lines, rows[keep], time[keep], form[keep], refused)

    def _no_data(self, chunk: Chunk, lines: kernel.Lines, row: int) -> bool:
        """A total, a note or the header once more; anything else without a time is a line that lost it."""
        texts = [norm(chunk.text(lines.first[row, c], lines.last[row, c])) for c in range(self._header.width)]
        if "\x1f".join(texts).strip("\x1f") in self._headlines:
            return True
        opening = next((t for t in texts if t), "")
        return (
            any(opening == w or opening.startswith((f"{w}:", f"{w}(")) for w in self._words.closing)
            or sum(map(bool, texts)) == 1
        )

    def _times(self, chunk: Chunk, lines: kernel.Lines, rows: Longs) -> tuple[Longs, NDArray[np.uint8]]:
        date = next(
            iter(
                self._header.of("time") or self._header.of("date") or self._header.of("begin") or self._header.of("end")
            )
        )
        time, form, until = self._moments(chunk, lines, rows, date.index)
        hours = self._header.of("hour")
        if hours and not (form & kernel.HAS_HOUR).any():
            clock, how, to = self._clocks(chunk, lines, rows, hours[0].index)
            there = (time != NO_TIME) & (clock != NO_TIME)
            until = np.where(there & (to != NO_TIME), time + to, until)
            time = np.where(there, time + clock, NO_TIME)
            form = form | how
        if (until != NO_TIME).any():
            self._spans(time, until)
        return time, form

    def _moments(
        self, chunk: Chunk, lines: kernel.Lines, rows: Longs, column: int
    ) -> tuple[Longs, NDArray[np.uint8], Longs]:
        time, form = kernel.times(lines, rows, column)
        until = np.full(rows.size, NO_TIME, np.int64)
        self._others(chunk, lines, rows, column, lambda t: parse_moment(t, serial=self._serial), time, form, until)
        return time, form, until

    def _clocks(
        self, chunk: Chunk, lines: kernel.Lines, rows: Longs, column: int
    ) -> tuple[Longs, NDArray[np.uint8], Longs]:
        time = np.full(rows.size, NO_TIME, np.int64)
        form, until = np.zeros(rows.size, np.uint8), time.copy()
        self._others(chunk, lines, rows, column, parse_clock, time, form, until)
        return time, form, until

    def _others(
        self, chunk: Chunk, lines: kernel.Lines, rows: Longs, column: int, parse: Callable[[str], Moment | None], time: Longs,
        form: NDArray[np.uint8], until: Longs,
    ) -> None:  # fmt: skip
        """Spellings that the kernel left, each distinct text once."""
        left = np.flatnonzero(time == NO_TIME)
        texts, which = uniques(chunk, lines, rows[left], column)
        for k, text in enumerate(texts):
            moment = parse(text) if text else None
            if moment is not None:
                at = left[which == k]
                time[at], form[at] = moment.ms, moment.form
                until[at] = NO_TIME if moment.until is None else moment.until

    def _spans(self, time: Longs, until: Longs) -> None:
        """A written span says that the time is its begin, and how long a line stands for."""
        there = (time != NO_TIME) & (until != NO_TIME)
        self.label = self._said.label or "start"
        lengths = np.unique((until - time)[there])
        if lengths.size == 1 and not self.interval:
            self.interval = int(lengths[0]) // MINUTE_MS
        wrong = there & (until - time != self.interval * MINUTE_MS)
        time[wrong] = NO_TIME

    def settle(self, stretch: Stretch) -> None:
        """Interval and label from the first lines; ExportError when they do not tell, or a device of the whole file does not fit."""
        if (stretch.form & kernel.IS_24).any():
            self.label = self.label or "end"
        if not self.interval and stretch.rows.size:
            self.interval = self._interval(stretch)
        if self.interval and self.interval not in INTERVALS:
            raise ExportError(
                f"相邻两行相差 {self.interval} 分钟, 不是允许的时段", f"lines lie {self.interval} min apart, which is no interval of HJ 212",
                "在列映射文件中写 interval = \"1min\", \"hour\" 或 \"day\"", "write interval = \"1min\", \"hour\" or \"day\" in the map file",
            )  # fmt: skip
        for group in self.groups:
            for i in (
                np.unique(self._owners.at(group.owners, stretch.time)).tolist() if group.owners is not None else ()
            ):
                fault = misfit(self._owners.devices.rows[i], self.interval, self.label) if i >= 0 else None
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
        return Refused(why, int(offsets[row]), content, mn[:64], _CN.get(self.interval, 2051), time, time)

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
            fault = misfit(self._owners.devices.rows[i], self.interval, self.label)
            self._unfit[i] = fault is not None
            if fault:
                self.notes[f"{fault[0]}; {fault[2]} / {fault[1]}; {fault[3]}"] = None
        return self._unfit[i]

    def _read(self, group: Group, stretch: Stretch, rows: Longs, time: Longs, device: NDArray[np.int32]) -> Part:
        """Every column of a group in the given lines; rows that say nothing at all are left out of `rows`."""
        found = self._cells.start(stretch, rows)
        used = np.unique(device).tolist()
        known = self._owners.devices.rows
        for column in (c for c in group.columns if c.role == "value"):
            table = np.zeros(max(used, default=0) + 1, np.int8)
            for i in used:
                table[i] = shift_to(column, known[i], self.interval)
                if table[i] == kernel.NO_SHIFT:
                    self.notes[no_shift_note(column, known[i])] = None
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
            self.notes[
                f"标记 {text!r} 不可识别, 按无效处理; 在列映射 [flags] 中写明 / the flag {text!r} is not known and counts as not valid; name it under [flags] of the map file"
            ] = None
        delays = np.zeros(max(used, default=0) + 1, np.int64)
        for i in used:
            delays[i] = delay(known[i], self.interval, self.label)
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
            int(offsets[0]) if offsets.size else 0, device[order], np.full(n, _CN.get(self.interval, 2051), np.int16),
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
