"""One sheet of a ledger as lines of text: its header found, its columns named, its rows cut out, all cells still as written.

Belongs here: titles, notes, unit rows, total rows, merged cells, columns that cannot be used. Does not belong here: opening files
(`ledgers_text`, `ledgers_workbook`), which plant a cell names and what number it is (`ledgers_cells`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from contracts import TABLES
from resources.events_words import BLANK, folded
from resources.ledgers_months import of_year, years_of
from resources.ledgers_words import STAMPS, WRONG, limits, load_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from resources.ledgers_words import Heading

#: Rows below the header that may repeat it in the other language or give units.
_HEADER_MORE = 3
_TOTAL_ENDS = ("合计", "小计", "总计", "累计", "total")


class Merge(NamedTuple):
    """Merged cells: first and last row and column, rows from 1, columns from 0."""

    top: int
    left: int
    bottom: int
    right: int


class Note(NamedTuple):
    """What is wrong with a sheet or one of its cells: kind of finding, place ("" = the file), value, figures."""

    kind: str
    sheet: str
    row: int
    column: str
    letter: str
    value: str | None
    figures: dict[str, str]


@dataclass
class Grid:
    """Cells of one sheet as text. `rows`: number of a row from 1, and its cells from column A on. `faults`: what stands in the file
    where a value should, by row and column from 0: "formula" (never calculated) or "error".
    """

    name: str
    rows: list[tuple[int, Sequence[str]]]
    merged: list[Merge] = field(default_factory=list)
    faults: dict[tuple[int, int], str] = field(default_factory=dict)


@dataclass
class Parsed:
    """One table of one file: rows of texts by column of the contract and stamp; `total` marks sums. `letters`: JSON, column to letter,
    or one of each row, column to cell, where the cells of a row do not stand in one.
    """

    table: str
    sheet: str
    letters: str | list[str]
    columns: dict[str, list[str]]
    rows: list[int]
    total: list[bool]


@cache
def letter(column: int) -> str:
    """A column's letter: 0 is A, 26 is AA."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def parse(grid: Grid, table: str, notes: list[Note]) -> Parsed | None:
    """The rows of a table in a sheet; None where there is no header, which is noted like all else."""
    head = _find(grid, table, notes)
    return _Reader(grid, table, head, notes).read() if head else None


class _Head(NamedTuple):
    at: int
    headings: dict[int, Heading]


def _find(grid: Grid, table: str, notes: list[Note]) -> _Head | None:
    contract = TABLES[table]
    needed = {n for n in contract.key if not contract[n].nullable}
    best: set[str] = set()
    for at, (_, cells) in enumerate(grid.rows[: int(limits()["header_rows"])]):
        found = {i: h for i, c in enumerate(cells) if c and (h := load_words().heading(table, c))}
        names = {h.column for h in found.values()}
        if needed <= names and len(names) > len(needed):
            return _Head(at, found)
        if len(names) > len(best):
            best = names
    lacking = ", ".join(f"{load_words().headers[table][n].zh} ({n})" for n in contract.key if n in needed - best)
    figures = {"table": table, "lacking": lacking or contract.key[0]}
    notes.append(Note("L03_no_header", grid.name, 0, "", "", None, figures))
    return None


class _Reader:
    """Cuts one sheet below its header."""

    def __init__(self, grid: Grid, table: str, head: _Head, notes: list[Note]) -> None:
        self._grid, self._table, self._notes, self._words = grid, table, notes, load_words()
        self._contract = TABLES[table]
        self._at = head.at
        self._title = [cells for _, cells in grid.rows[: head.at]]
        self._units: dict[str, str] = {}
        self._columns = self._usable(head)

    def read(self) -> Parsed | None:
        """The table, or None when a column that is part of the key cannot be used."""
        first = self._below_header()
        self._tell_strange()
        if not self._key_is_there():
            return None
        rows = [(n, cells) for n, cells in self._grid.rows[first:] if any(cells)]
        rows = self._even(rows)
        self._faults({n for n, _ in rows})
        numbers = [n for n, _ in rows]
        columns = {name: [cells[i] for _, cells in rows] for i, name in self._columns.items()}
        if "month" in columns and len(years := years_of(self._grid.name, self._title)) == 1:
            columns["month"] = [of_year(text, years[0]) for text in columns["month"]]
        self._unmerge(numbers, columns)
        total = self._totals(columns, len(rows))
        kept = [i for i in range(len(rows)) if total[i] or not self._remark(rows[i][1])]
        if len(kept) < len(rows):
            columns = {name: [some[i] for i in kept] for name, some in columns.items()}
            numbers, total = [numbers[i] for i in kept], [total[i] for i in kept]
        self._unit_of_header(columns, len(numbers))
        letters = json.dumps({name: letter(i) for i, name in self._columns.items()})
        return Parsed(self._table, self._grid.name, letters, columns, numbers, total)

    def _note(self, kind: str, row: int, column: int | None, name: str, value: str | None, **figures: str) -> None:
        at = "" if column is None else letter(column)
        self._notes.append(Note(kind, self._grid.name, row, name, at, value, figures))

    def _usable(self, head: _Head) -> dict[int, str]:
        """Columns by place, without those that stand twice or in a unit that is not ours; the others of the header are named."""
        row, cells = self._grid.rows[head.at]
        names = [h.column for h in head.headings.values()]
        made = {}
        for i, heading in head.headings.items():
            if names.count(heading.column) > 1:
                self._note("L05_column_twice", row, i, heading.column, cells[i])
            elif not self._wrong_unit(row, i, heading.column, heading.unit, cells[i]):
                made[i] = heading.column
                self._units[heading.column] = heading.unit
        self._strange = {i: c for i, c in enumerate(cells) if c and i not in head.headings and not self._is_total(c)}
        return made

    def _tell_strange(self) -> None:
        if self._strange:
            named = ", ".join(self._strange.values())
            self._note("L06_unknown_columns", self._grid.rows[self._at][0], None, "", named, columns=named)

    def _wrong_unit(self, row: int, column: int, name: str, unit: str, text: str) -> bool:
        ours = self._words.headers[self._table][name].units
        if not unit or not ours or (unit != WRONG and set(unit.split("|")) <= set(ours)):
            return False
        self._note("L04_unit_of_header", row, column, name, text, wanted=" / ".join(ours))
        return True

    def _below_header(self) -> int:
        """Place of the first row that neither repeats the header nor gives units; units that are not ours cost their column."""
        for at in range(self._at + 1, min(self._at + 1 + _HEADER_MORE, len(self._grid.rows))):
            row, cells = self._grid.rows[at]
            told = [(i, c) for i, c in enumerate(cells) if c]
            if not all(self._heads(i, c) for i, c in told):
                return at
            for i, text in told:
                heading = self._words.heading(self._table, text)
                name = self._columns.get(i) or self._below_group(i, heading)
                unit = heading.unit if heading else self._words.unit(text)
                if name and self._wrong_unit(row, i, name, unit, text):
                    del self._columns[i]
                elif name and unit:
                    self._units[name] = unit
        return min(self._at + 1 + _HEADER_MORE, len(self._grid.rows))

    def _below_group(self, column: int, heading: Heading | None) -> str | None:
        """A column that only the second row of a header names, below the name of a group (库存, 消耗) or an empty cell."""
        above = self._grid.rows[self._at][1]
        if not heading or heading.column in self._columns.values() or (
            column < len(above) and above[column] and column not in self._strange
        ):  # fmt: skip
            return None
        self._strange.pop(column, None)
        self._columns[column] = heading.column
        return heading.column

    def _heads(self, column: int, text: str) -> bool:
        heading = self._words.heading(self._table, text)
        name = self._columns.get(column)
        return bool(heading and name in (None, heading.column)) or bool(self._words.unit(text))

    def _key_is_there(self) -> bool:
        there = set(self._columns.values())
        return all(n in there or self._contract[n].nullable for n in self._contract.key)

    def _even(self, rows: list[tuple[int, Sequence[str]]]) -> list[tuple[int, Sequence[str]]]:
        """Rows of a workbook are even; a line of text with more cells or fewer than its header may have shifted and is left out."""
        if self._grid.name:
            return rows
        width = max(self._columns, default=-1) + 1
        header = len(self._grid.rows[self._at][1])
        made: list[tuple[int, Sequence[str]]] = []
        for number, line in rows:
            cells = line
            if len(cells) != header:
                cells = _trimmed(cells, header)
                if len(cells) != header and (len(cells) > header or len(cells) < width):
                    text = ",".join(cells)
                    self._note("L11_broken_row", number, None, "", text, cells=str(len(cells)), header=str(header))
                    continue
            made.append((number, cells))
        return made

    def _faults(self, rows: set[int]) -> None:
        for (row, column), kind in sorted(self._grid.faults.items()):
            if row in rows and column in self._columns:
                which = "L09_formula_without_value" if kind == "formula" else "L10_error_cell"
                self._note(which, row, column, self._columns[column], None if kind == "formula" else kind)

    def _unmerge(self, numbers: list[int], columns: dict[str, list[str]]) -> None:
        """A merged cell of the key stands for each of its rows; a merged number stands for none."""
        places = {n: i for i, n in enumerate(numbers)}
        for merge in self._grid.merged:
            within = [
                places[n] for n in range(merge.top, min(merge.bottom, numbers[-1] if numbers else 0) + 1) if n in places
            ]
            touched = [i for i in self._columns if merge.left <= i <= merge.right]
            value = next((columns[self._columns[i]][within[0]] for i in touched if within), "")
            if not within or not value or (merge.top == merge.bottom and len(touched) < 2):
                continue
            names = [self._columns[i] for i in touched]
            span = f"{letter(merge.left)}{merge.top}:{letter(merge.right)}{merge.bottom}"
            if len(names) == 1 and names[0] in self._contract.key:
                for i in within:
                    columns[names[0]][i] = value
                self._note("L08_merged_key", merge.top, merge.left, names[0], value, span=span)
                continue
            for name in names:
                for i in within:
                    columns[name][i] = ""
            self._note("L07_merged", merge.top, merge.left, ", ".join(names), value, span=span)

    def _is_total(self, text: str) -> bool:
        plain = folded(text)
        return plain in self._words.totals or plain.endswith(_TOTAL_ENDS)

    def _totals(self, columns: Mapping[str, list[str]], n: int) -> list[bool]:
        """Rows that name a sum in a cell of the key."""
        sums = [False] * n
        for name in self._contract.key:
            for text in set(columns.get(name, ())):
                if text and self._is_total(text):
                    for i, cell in enumerate(columns[name]):
                        sums[i] |= cell == text
        return sums

    def _remark(self, cells: Sequence[str]) -> bool:
        """A line below the table that says who filled it in, or a note: no row of it."""
        first = next(filter(None, cells), "")
        if cells.count("") == len(cells) - 1 and not any(c.isdigit() for c in folded(first)):
            return True
        return _begins_remark(first) and not any(_numeric(c) for c in cells if c)

    def _unit_of_header(self, columns: dict[str, list[str]], n: int) -> None:
        """Where no column gives the unit of amounts, a header that names one unit does."""
        units = {
            self._units.get(name, "")
            for name in columns
            if self._words.headers[self._table][name].units == ("t", "1e4Nm3")
        }
        if (
            "unit" in self._contract.names
            and "unit" not in columns
            and len(units := units - {""}) == 1
            and "|" not in (one := units.pop())
            and one
        ):
            columns["unit"] = [one] * n


@lru_cache(maxsize=1 << 12)
def _begins_remark(text: str) -> bool:
    return folded(text).startswith(load_words().remarks)


def _trimmed(cells: Sequence[str], width: int) -> Sequence[str]:
    end = len(cells)
    while end > width and not cells[end - 1]:
        end -= 1
    return cells[:end]


def _numeric(text: str) -> bool:
    return text.replace(",", "").replace(".", "", 1).strip(BLANK).isdigit()


def stamps_of(grid: Grid) -> Iterator[tuple[str, str]]:
    """Stamps that a sheet about the submission gives: a name in one cell, the value in the next."""
    for _, cells in grid.rows:
        for text, value in pairwise(cells):
            heading = load_words().heading("ledger_clinker", text) if text and value else None
            if heading and heading.column in STAMPS:
                yield heading.column, value
