"""Sheets of the official annex: a row for each line, material and item, months across; turned into rows of months.

Belongs here: headers of months, items and the columns they mean, the column of the year. Does not belong here: sheets with a row for each
month (`ledgers_sheet`), opening files (`ledgers_text`, `ledgers_workbook`), what the cells mean (`ledgers_cells`).

One sheet may hold items of several tables. The year's column becomes a total row, held against its months like any other.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from contracts import TABLES
from contracts.ledgers import METERINGS, NCV_SOURCES
from resources.events_words import folded
from resources.ledgers_items import Item, item_of, of_name, unit_of
from resources.ledgers_months import month_head, years_of
from resources.ledgers_sheet import Note, Parsed, letter
from resources.ledgers_words import STAMPS, limits, load_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from resources.ledgers_sheet import Grid

#: Fewer months than this make no header; a row that names so many columns, the month among them, is one of the other layout.
_LEAST_MONTHS, _LEAST_NAMES = 2, 3
#: What tells rows of one month apart, and what else a row may say of itself.
_SAID = ("plant_id", "line_id", "facility", "fuel", "material", "meter_id", "ncv_source", "metering", *STAMPS)
_NAMED = ("plant_id", "line_id", "facility")
_CONSUMED = ("fuel", "material")
#: What 获取方式 (how a value was come by) of an item is called in its table.
_WAYS = {"output_t": ("metering", METERINGS), "ncv_gj": ("ncv_source", NCV_SOURCES)}


class _Head(NamedTuple):
    """Place of the header; columns of months, of the year's total, of what rows say of themselves, of item, unit and way."""

    at: int
    months: dict[int, tuple[str, int]]
    annual: int | None
    said: dict[int, str]
    special: dict[str, int]


@dataclass
class _Group:
    """Items of one table that share all that a row says of itself; cells by column as `F7`."""

    said: dict[str, str]
    places: dict[str, str]
    row: int
    items: dict[str, tuple[int, Sequence[str]]] = field(default_factory=dict)
    units: set[str] = field(default_factory=set)


def parse_across(grid: Grid, table: str, notes: list[Note]) -> list[Parsed] | None:
    """The tables of a sheet with months across, `table` "" where its name says none; None for a sheet of another layout."""
    head = _find(grid, table) if table != "ledger_meter" else None
    return _Reader(grid, table, head, notes).read() if head else None


@cache
def _keys(table: str) -> tuple[str, ...]:
    """What tells groups of items apart."""
    return tuple(n for n in (*TABLES[table].key, *STAMPS) if n != "month")


def _find(grid: Grid, table: str) -> _Head | None:
    words = load_words()
    above: Sequence[str] = ()
    for at, (_, cells) in enumerate(grid.rows[: int(limits()["header_rows"])]):
        named = {h.column for c in cells if c and (h := words.heading(table or "ledger_fuel", c))}
        if "month" in named and len(named) >= _LEAST_NAMES:
            return None
        months = {i: m for i, c in enumerate(cells) if c and (m := month_head(c))}
        if len(set(months.values())) >= _LEAST_MONTHS and not any(_fraction(c) for c in cells):
            return _columns(at, cells, above, months, table)
        above = cells
    return None


def _fraction(text: str) -> bool:
    whole, point, rest = text.replace(",", "").partition(".")
    return bool(point) and (whole + rest).isdigit()


def _columns(
    at: int, cells: Sequence[str], above: Sequence[str], months: dict[int, tuple[str, int]], table: str
) -> _Head:
    words = load_words()
    said: dict[int, str] = {}
    special: dict[str, int] = {}
    annual = None
    for i in range(max(len(cells), len(above))):
        text = (cells[i] if i < len(cells) else "") or (above[i] if i < len(above) else "")
        if not text or i in months:
            continue
        kind = words.across.get(folded(text), "")
        if kind == "annual":
            annual = i if annual is None else annual
        elif kind:
            special.setdefault(kind, i)
        elif (name := _said(table, text)) and name not in said.values():
            said[i] = name
    return _Head(at, months, annual, said, special)


def _said(table: str, text: str) -> str:
    for one in dict.fromkeys((table or "ledger_fuel", "ledger_fuel", "ledger_rawmat")):
        heading = load_words().heading(one, text)
        # Of another table only what is consumed: 物料 heads fuels as well.
        if heading and heading.column in (_SAID if one == table or not table else _CONSUMED):
            return heading.column
    return ""


class _Reader:
    """Turns one sheet."""

    def __init__(self, grid: Grid, table: str, head: _Head, notes: list[Note]) -> None:
        self._grid, self._table, self._head, self._notes, self._words = grid, table, head, notes, load_words()
        self._row_of_header = grid.rows[head.at][0]
        self._groups: dict[tuple[str, ...], _Group] = {}
        self._twice: set[tuple[tuple[str, ...], str]] = set()
        self._strange: dict[str, None] = {}

    def read(self) -> list[Parsed]:
        months = self._months()
        if months is None:
            return []
        item = self._head.special.get("item")
        whole = None if item is not None else of_name(self._table, self._grid.name)
        if item is None and whole is None:
            figures = {"table": self._table or "-", "lacking": "信息项 (item)"}
            self._notes.append(Note("L03_no_header", self._grid.name, 0, "", "", None, figures))
            return []
        titled = dict(self._titled())
        rows = self._rows()
        for number, cells in rows.items():
            if any(cells[i] for i in self._numbers):
                self._take(number, cells, titled, whole)
        if self._strange:
            listed = ", ".join(self._strange)
            self._note("L02_unknown_items", self._row_of_header, None, "", listed, items=listed)
        return [
            made for table in dict.fromkeys(key[0] for key in self._groups) if (made := self._turned(table, months))
        ]

    @property
    def _numbers(self) -> list[int]:
        return [*self._head.months, *([self._head.annual] if self._head.annual is not None else [])]

    def _note(self, kind: str, row: int, column: int | None, name: str, value: str | None, **figures: str) -> None:
        at = "" if column is None else letter(column)
        self._notes.append(Note(kind, self._grid.name, row, name, at, value, figures))

    def _months(self) -> dict[int, str] | None:
        """Month by column; None, with a note, where the year is not known. A month that stands twice is none."""
        title = [cells for _, cells in self._grid.rows[: self._head.at]]
        years = years_of(self._grid.name, title)
        of = self._head.months
        if len(years) != 1 and not all(year for year, _ in of.values()):
            found = ", ".join(years) or "-"
            self._note("L19_no_year", self._row_of_header, min(of), "month", None, found=found)
            return None
        texts = {i: f"{year or years[0]}-{month:02d}" for i, (year, month) in of.items()}
        counted = Counter(texts.values())
        for i in [i for i, text in texts.items() if counted[text] > 1]:
            self._note("L05_column_twice", self._row_of_header, i, "month", texts.pop(i))
        return texts

    def _titled(self) -> Iterator[tuple[str, str]]:
        """Plant, line and place of use as rows above the table name them: `企业名称：甲` or in the next cell."""
        for _, cells in self._grid.rows[: self._head.at]:
            for i, text in enumerate(cells):
                name, _, value = text.replace("：", ":").partition(":")
                value = value or (cells[i + 1] if i + 1 < len(cells) and name else "")
                heading = self._words.heading(self._table or "ledger_fuel", name) if name and value else None
                if heading and heading.column in _NAMED:
                    yield heading.column, value.strip()

    def _rows(self) -> dict[int, list[str]]:
        """Rows below the header with merged names given to each of theirs and merged numbers to none."""
        width = max([*self._numbers, *self._head.said, *self._head.special.values()]) + 1
        header = [self._grid.rows[self._head.at][1][i] for i in self._head.months]
        made = {n: [*cells[:width], *[""] * (width - len(cells))] for n, cells in self._grid.rows[self._head.at + 1 :]}
        made = {n: cells for n, cells in made.items() if [cells[i] for i in self._head.months] != header}
        for merge in self._grid.merged:
            rows = [made[n] for n in range(merge.top, merge.bottom + 1) if n in made] if merge.top in made else []
            columns = range(merge.left, min(merge.right + 1, width))
            value = rows[0][merge.left] if rows and merge.left < width else ""
            numbers = [i for i in columns if i in self._numbers]
            if not value or (merge.top, merge.left) == (merge.bottom, merge.right):
                continue
            if numbers:
                span = f"{letter(merge.left)}{merge.top}:{letter(merge.right)}{merge.bottom}"
                self._note("L07_merged", merge.top, merge.left, "month", value, span=span)
            for row in rows:
                for i in columns:
                    row[i] = "" if i in self._numbers else value if i == merge.left else row[i]
        return made

    def _take(self, number: int, cells: list[str], titled: Mapping[str, str], whole: Item | None) -> None:
        at = self._head.special
        said = {**titled, **{name: cells[i] for i, name in self._head.said.items() if cells[i]}}
        text = cells[at["item"]] if "item" in at else ""
        fuel, material = said.get("fuel", ""), said.get("material", "")
        item = whole or item_of(self._table, text, fuel or material, "ledger_fuel" if fuel else "ledger_rawmat")
        if item is None:
            self._strange[text or "-"] = None
            return
        ours = "material" if item.table == "ledger_rawmat" else "fuel"
        # Whatever the column is called, what is consumed is what the row's item asks for.
        if name := item.name or said.get(ours) or fuel or material:
            said[ours] = name
        told = cells[at["unit"]] if "unit" in at else ""
        unit = unit_of(item, told)
        if unit is None:
            wanted = " / ".join(self._words.headers[item.table][item.column].units)
            place = at["unit"] if told else at.get("item")
            self._note("L04_unit_of_header", number, place, item.column, told or text, wanted=wanted)
            return
        self._way(cells, item, said)
        self._put(number, cells, item, said, text, unit)

    def _put(self, number: int, cells: list[str], item: Item, said: dict[str, str], text: str, unit: str) -> None:
        kept = {n: v for n, v in said.items() if v and n in self._words.headers[item.table]}
        if item.column != "consumption":
            kept.pop("meter_id", None)
        key = (item.table, *(kept.get(n, "") for n in _keys(item.table)))
        group = self._groups.get(key)
        if group is None:
            places = {name: f"{letter(i)}{number}" for i, name in self._head.said.items() if name in kept}
            other = next((i for i, name in self._head.said.items() if name in _CONSUMED and name not in kept), None)
            if other is not None:
                places |= {
                    name: f"{letter(other)}{number}" for name in _CONSUMED if name in kept and name not in places
                }
            group = self._groups[key] = _Group({}, places, number)
        group.said |= kept
        if item.column in group.items or (key, item.column) in self._twice:
            self._drop(key, item.column, number, text)
            return
        group.items[item.column] = number, cells
        group.units |= {unit} - {""}
        if self._grid.faults:
            self._faults(number, item.column)

    def _drop(self, key: tuple[str, ...], column: str, number: int, text: str) -> None:
        """An item that stands twice is taken from neither row."""
        first = self._groups[key].items.pop(column, None)
        self._twice.add((key, column))
        for row in filter(None, (first[0] if first else 0, number)):
            self._note("L05_column_twice", row, self._head.special.get("item", 0), column, text)

    def _way(self, cells: list[str], item: Item, said: dict[str, str]) -> None:
        place, (column, known) = self._head.special.get("way"), _WAYS.get(item.column, ("", ()))
        if column in TABLES[item.table].names and place is not None:
            said.pop(column, None)
            if self._words.values[column].get(folded(cells[place])) in known:
                said[column] = cells[place]

    def _faults(self, number: int, column: str) -> None:
        for i in self._numbers:
            if kind := self._grid.faults.get((number, i)):
                which = "L09_formula_without_value" if kind == "formula" else "L10_error_cell"
                self._note(which, number, i, column, None if kind == "formula" else kind)

    def _turned(self, table: str, months: Mapping[int, str]) -> Parsed | None:
        names = [n for n in self._words.headers[table] if n != "month"]
        columns: dict[str, list[str]] = {n: [] for n in (*names, "month")}
        self._letters: list[str] = []
        made = Parsed(table, self._grid.name, self._letters, columns, [], [])
        annual = {self._head.annual: "全年"} if self._head.annual is not None else {}
        groups = [g for key, g in self._groups.items() if key[0] == table and g.items]
        for group in sorted(groups, key=lambda g: g.row):
            self._turn(group, {**months, **annual}, made)
        return made if made.rows else None

    def _turn(self, group: _Group, months: Mapping[int, str], made: Parsed) -> None:
        """Rows of one group: a month each, for those in which any item has a value."""
        filled = [i for i in months if any(cells[i] for _, cells in group.items.values())]
        fixed = dict(group.said)
        if len(group.units) == 1 and "unit" in made.columns:
            fixed["unit"] = next(iter(group.units))
        for name in made.columns:
            cells = group.items[name][1] if name in group.items else None
            fixed_or_month = [months[i] if name == "month" else fixed.get(name, "") for i in filled]
            made.columns[name] += [cells[i] for i in filled] if cells else fixed_or_month
        cells_of = {name: f"\0{row}" for name, (row, _) in group.items.items()}
        places = json.dumps({**group.places, "month": f"\0{self._row_of_header}", **cells_of})
        self._letters += [places.replace("\\u0000", letter(i)) for i in filled]
        made.rows += [group.row] * len(filled)
        summed = any(text and self._is_sum(text) for text in fixed.values())
        made.total += [summed or i == self._head.annual for i in filled]

    def _is_sum(self, text: str) -> bool:
        return folded(text) in self._words.totals
