"""Cells of an export: numbers, flags and texts of one column over many lines, and what stands for a missing value.

Belongs here: what becomes of a cell. Does not belong here: lines, times and devices (`exports_rows`), which words mean what
(`exports_words`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts.channels import CHANNEL_NAMES, SUBFIELDS
from kernels import exports as kernel
from kernels.hj212_fields import IRREGULAR_DP, gather
from resources.exports_words import NO_LETTER, norm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from resources.exports_columns import Column
    from resources.exports_lines import Stretch
    from resources.exports_map import ColumnMap
    from resources.exports_text import Chunk
    from resources.exports_words import Words

    Longs = NDArray[np.int64]

_PLAIN = r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$"
_LOOSE = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d*)(?:\.\d*)?(?:[eE][+-]?\d+)?")
_NORMAL = ord("N")


def strings(chunk: Chunk, lines: kernel.Lines, rows: Longs, column: int) -> pa.Array:
    """The raw bytes of one column's cells as a binary array."""
    lo, hi = lines.first[rows, column].astype(np.int64), lines.last[rows, column].astype(np.int64)
    offsets, data = gather(chunk.buf, lo, hi)
    return pa.BinaryArray.from_buffers(pa.binary(), rows.size, [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def uniques(chunk: Chunk, lines: kernel.Lines, rows: Longs, column: int) -> tuple[list[str], Longs]:
    """The distinct texts of a column's cells, and which of them each row has."""
    if not rows.size:
        return [], np.empty(0, np.int64)
    coded = strings(chunk, lines, rows, column).dictionary_encode()
    texts = [chunk.decoded(raw) for raw in coded.dictionary.to_pylist()]
    return texts, coded.indices.to_numpy().astype(np.int64)


@dataclass
class Found:
    """What a group's cells held so far, one entry a line: values by slot (NaN for none), decimals and flags by channel, cells outside."""

    stretch: Stretch
    rows: Longs
    values: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    dps: dict[int, NDArray[np.uint32]] = field(default_factory=dict)
    flags: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    cells: list[tuple[Longs, str, str, pa.Array]] = field(default_factory=list)
    missing: Counter[str] = field(default_factory=Counter)
    unknown_flags: dict[str, None] = field(default_factory=dict)
    #: Lines, column and text of cells below detection.
    below: list[tuple[Longs, str, str]] = field(default_factory=list)

    def says(self) -> NDArray[np.bool_]:
        """Lines with a value, a flag or a cell outside the wide row."""
        made = np.zeros(self.rows.size, np.bool_)
        for values in self.values.values():
            made |= ~np.isnan(values)
        for flags in self.flags.values():
            made |= flags > 0
        for at, *_ in self.cells:
            made[at] = True
        return made

    def texts(self, column: int) -> tuple[list[str], Longs]:
        """Distinct texts of a column in all lines."""
        return uniques(self.stretch.chunk, self.stretch.lines, self.rows, column)

    def mark(self, channel: int, at: Longs, letter: str) -> None:
        """Flag lines of a channel; a flag that speaks against a value is not replaced by another, and not by N."""
        flags = self.flags.setdefault(channel, np.zeros(self.rows.size, np.uint8))
        open_ = at[(flags[at] == 0) | (flags[at] == _NORMAL)]
        flags[open_] = np.where((flags[open_] == 0) | (ord(letter) != _NORMAL), ord(letter), flags[open_])

    def outside(self, at: Longs, reason: str, name: str, texts: pa.Array | list[str]) -> None:
        """Keep texts of lines beside the wide rows."""
        if len(at):
            self.cells.append((at, reason, name, pa.array(texts, pa.string())))


class CellReader:
    """Reads columns by the common words and those of the map file."""

    def __init__(self, words: Words, said: ColumnMap) -> None:
        self._words = words
        self._said = said
        listed = said.missing
        own = [norm(t) for t in listed or ()]
        self._missing = words.missing if listed is None else frozenset(own)
        self._below = words.is_below if listed is None else lambda _: False
        self._numbers = (
            words.numbers if listed is None else tuple((float(t), frozenset[str]()) for t in own if _is_number(t))
        )

    def start(self, stretch: Stretch, rows: Longs) -> Found:
        """Nothing found yet in some lines."""
        return Found(stretch, rows)

    def value(self, found: Found, column: Column, shift: NDArray[np.int8]) -> None:
        """A column of values; `shift` by line moves the point to the device's unit."""
        channel = CHANNEL_NAMES.index(column.channel)
        sub = SUBFIELDS.index(column.sub)
        numbers = np.array([n for n, other in self._numbers if not other & {column.channel, column.sub}], np.float64)
        lines = found.stretch.lines
        values, dps, state = kernel.numbers(lines, found.rows, column.index, shift, numbers)
        made = np.where(state == kernel.NUMBER, values, np.nan)
        places = np.where(state == kernel.NUMBER, dps, 0).astype(np.uint32)
        self._count(found, state, values)
        refused = np.flatnonzero(state == kernel.NO_UNIT)
        if refused.size:
            found.outside(refused, "unit_refused", column.label, self._texts(found, refused, column))
        self._read_texts(found, column, channel, np.flatnonzero(state == kernel.TEXT), shift, made, places)
        found.values[channel * len(SUBFIELDS) + sub] = made
        found.dps[channel] = found.dps.get(channel, np.zeros(found.rows.size, np.uint32)) | places << np.uint32(4 * sub)

    def _count(self, found: Found, state: NDArray[np.uint8], values: NDArray[np.float64]) -> None:
        empty = int((state == kernel.EMPTY).sum())
        if empty:
            found.missing["empty"] += empty
        for value, n in zip(*np.unique(values[state == kernel.SENTINEL], return_counts=True), strict=True):
            found.missing[f"{value:g}"] += int(n)

    def _texts(self, found: Found, at: Longs, column: Column) -> pa.Array:
        coded = strings(found.stretch.chunk, found.stretch.lines, found.rows[at], column.index).dictionary_encode()
        texts = [found.stretch.chunk.decoded(raw) for raw in coded.dictionary.to_pylist()]
        return pa.array(texts, pa.string()).take(coded.indices)

    def _read_texts(
        self, found: Found, column: Column, channel: int, at: Longs, shift: NDArray[np.int8], made: NDArray[np.float64], places: NDArray[np.uint32],
    ) -> None:  # fmt: skip
        """What is no plain number: numbers otherwise spelt, words for "missing", flags, and what is none of these."""
        if not at.size:
            return
        texts = self._texts(found, at, column)
        number = pc.match_substring_regex(texts, _PLAIN).to_numpy(zero_copy_only=False) & (shift[at] == 0)
        if number.any():
            self._spelt(found, column, at[number], texts.filter(pa.array(number)), made, places)
        rest = at[~number]
        coded = texts.filter(pa.array(~number)).dictionary_encode()
        which = coded.indices.to_numpy()
        for k, text in enumerate(coded.dictionary.to_pylist()):
            self._read_text(found, column, channel, rest[which == k], text, shift, made, places)

    def _spelt(
        self, found: Found, column: Column, at: Longs, texts: pa.Array, made: NDArray[np.float64], places: NDArray[np.uint32]
    ) -> None:  # fmt: skip
        """Numbers of too many digits or with an exponent. A spreadsheet's own are kept by the double, others verbatim too."""
        values = texts.cast(pa.float64()).to_numpy()
        fine = np.isfinite(values)
        made[at[fine]] = values[fine]
        places[at[fine]] = IRREGULAR_DP
        if not found.stretch.chunk.floats:
            found.outside(at[fine], "verbatim", column.label, texts.filter(pa.array(fine)))
        found.outside(at[~fine], "bad_value", column.label, texts.filter(pa.array(~fine)))

    def _read_text(
        self, found: Found, column: Column, channel: int, at: Longs, text: str, shift: NDArray[np.int8], made: NDArray[np.float64], places: NDArray[np.uint32],
    ) -> None:  # fmt: skip
        letter = self._letter(text)
        if norm(text) in self._missing or letter:
            found.missing[text] += at.size
            if letter:
                found.mark(channel, at, letter)
            return
        if self._below(text):
            found.missing[f"below:{text}"] += at.size
            found.below.append((at, column.label, text))
            return
        value = _decimal(text)
        if value is None:
            found.outside(at, "bad_value", column.label, [text] * at.size)
            return
        refused = at[shift[at] == kernel.NO_SHIFT]
        found.outside(refused, "unit_refused", column.label, [text] * refused.size)
        at = at[shift[at] != kernel.NO_SHIFT]
        for places_moved in np.unique(shift[at]).tolist():
            some = at[shift[at] == places_moved]
            made[some] = float(value.scaleb(places_moved))
            places[some] = IRREGULAR_DP
        found.outside(at, "verbatim", column.label, [text] * at.size)

    def _letter(self, text: str) -> str | None:
        own = self._said.flags.get(norm(text))
        # A lone letter among values is a typing error, not a flag.
        return own or (self._words.flag(text) if len(text.strip()) > 1 or not text.isascii() else None)

    def flag(self, found: Found, column: Column) -> None:
        """A column of flags of one channel."""
        self._mark(found, column, [CHANNEL_NAMES.index(column.channel)])

    def state(self, found: Found, column: Column, channels: list[int]) -> None:
        """A column of flags of the whole line: they hold for every channel that has columns."""
        self._mark(found, column, channels)

    def _mark(self, found: Found, column: Column, channels: list[int]) -> None:
        texts, which = found.texts(column.index)
        for k, text in enumerate(texts):
            plain = norm(text)
            letter = self._said.flags.get(plain) or self._words.flag(text)
            if not text or (plain in self._missing and not letter):
                continue
            at = np.flatnonzero(which == k)
            if letter is None or letter == NO_LETTER:
                found.outside(at, "unknown_subfield", column.label, [text] * at.size)
            if letter is None:
                found.unknown_flags[text] = None
            for channel in channels:
                found.mark(channel, at, letter or NO_LETTER)

    def other(self, found: Found, column: Column) -> None:
        """A column that no word explains: its texts are kept."""
        lines = found.stretch.lines
        at = np.flatnonzero(lines.first[found.rows, column.index] < lines.last[found.rows, column.index])
        if at.size:
            found.outside(at, "unknown_factor", column.label, self._texts(found, at, column))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _decimal(text: str) -> Decimal | None:
    """A number in any spelling that can mean only one: thousands separators, exponents, full-width digits."""
    said = unicodedata.normalize("NFKC", text).strip()
    if not _LOOSE.fullmatch(said) or not any(c.isdigit() for c in said):
        return None
    try:
        value = Decimal(said.replace(",", ""))
    except InvalidOperation:
        return None
    return value if np.isfinite(float(value)) else None
