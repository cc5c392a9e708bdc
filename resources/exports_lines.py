"""Lines of an export: which hold data, when, and which are refused or no data at all.

Belongs here: cutting chunks into lines, times in one column or two, titles, totals and notes. Does not belong here: whose the lines are
and what their cells hold (`exports_rows`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernels import exports as kernel
from kernels.hj212_time import NO_TIME
from resources.exports_cells import uniques
from resources.exports_times import Moment, parse_clock, parse_moment
from resources.exports_words import norm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from resources.exports_header import Header
    from resources.exports_map import ColumnMap
    from resources.exports_text import Chunk
    from resources.exports_words import Words

    Longs = NDArray[np.int64]

MINUTE_MS = 60_000
DAY_MINUTES = 1440
SPARE_COLUMNS = 1


@dataclass
class Stretch:
    """Lines of a chunk under way: `rows` hold data, at `time` (ms) written in `form`; `refused` says why others do not."""

    chunk: Chunk
    lines: kernel.Lines
    rows: Longs
    time: Longs
    form: NDArray[np.uint8]
    refused: dict[int, str]


class LineReader:
    """Reads the lines of one table. `label` (start, end or "") and `interval` (minutes, 0 = not known) are what the file says so far;
    `why` is on what the label rests, in zh and en.
    """  # fmt: skip

    def __init__(self, header: Header, words: Words, said: ColumnMap, window: tuple[int, int], *, serial: bool) -> None:
        self._header = header
        self._words = words
        self._said = said
        self._window = window
        self._serial = serial
        self._headlines = {"\x1f".join(map(norm, line)).strip("\x1f") for line in header.lines}
        ends = bool(header.of("end")) and not header.of("time", "date")
        self.label, self.why = "", ("", "")
        if said.label:
            self.label, self.why = said.label, ("列映射文件", "the map file")
        elif header.of("begin"):
            self.label, self.why = "start", ("有开始时间列", "a column holds begins")
        elif ends:
            self.label, self.why = "end", ("只有结束时间列", "a column holds ends alone")
        self.interval = said.interval
        #: Whether times are written as spans; None as long as no line has been read.
        self._spanned: bool | None = None

    def listen(self, pieces: Iterator[Chunk], skip: int) -> None:
        """Hour 24 says "end" where no line of the whole table names hour 0. To be asked before any line is placed; reads no further than
        to the first hour 0.
        """  # fmt: skip
        if self.label:
            return
        ahead = LineReader(self._header, self._words, self._said, self._window, serial=self._serial)
        late = False
        for chunk in pieces:
            stretch = ahead.open(chunk, skip)
            skip = max(0, skip - stretch.lines.size)
            is_24 = (stretch.form & kernel.IS_24) > 0
            late = late or bool(is_24.any())
            if ahead.label or (~is_24 & (stretch.time // MINUTE_MS % DAY_MINUTES == 0)).any():
                return
        if late:
            self.label, self.why = "end", ("有 24:00 而全表没有 00:00", "24:00 occurs and 00:00 nowhere in the table")

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
        """Written spans say that the time is their begin, and how long a line stands for; a few of them among plain times say nothing
        about the others, and have no place among them.
        """  # fmt: skip
        readable = time != NO_TIME
        there = readable & (until != NO_TIME)
        if self._spanned is None and readable.any():
            self._spanned = 2 * int(there.sum()) > int(readable.sum())
            if self._spanned:
                if not self._said.label:
                    self.label, self.why = "start", ("时间写作时段", "times are written as spans")
                lengths, counts = np.unique((until - time)[there], return_counts=True)
                self.interval = self.interval or int(lengths[np.argmax(counts)]) // MINUTE_MS
        time[there & ((not self._spanned) | (until - time != self.interval * MINUTE_MS))] = NO_TIME
