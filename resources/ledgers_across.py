"""Sheets of the official annex: a row for each line, material and item, months across; turned into rows of months.

Belongs here: headers of months, items and the columns they mean, the column of the year. Does not belong here: sheets with a row for each
month (`ledgers_sheet`), opening files (`ledgers_text`, `ledgers_workbook`), what the cells mean (`ledgers_cells`).

One sheet may hold items of several tables. The year's column becomes a total row, held against its months like any other.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from contracts import TABLES
from contracts.ledgers import METERINGS, MONTHLY, NCV_SOURCES
from resources.events_words import folded
from resources.ledgers_months import month_head, years_of
from resources.ledgers_sheet import Note, Parsed, letter
from resources.ledgers_words import STAMPS, WRONG, limits, load_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from resources.ledgers_sheet import Grid

#: Fewer months than this make no header; a row that names so many columns, the month among them, is one of the other layout.
_LEAST_MONTHS, _LEAST_NAMES = 2, 3
#: What tells rows of one month apart, and what else a row may say of itself.
_SAID = ("plant_id", "line_id", "facility", "fuel", "material", "meter_id", "ncv_source", "metering", *STAMPS)
_NAMED = ("plant_id", "line_id", "facility")
_AMOUNT = ("t", "1e4Nm3")
#: Tables whose items name no fuel or material: of two that know a word none is taken.
_PLAIN = tuple(t.name for t in MONTHLY if not {"fuel", "material"} & set(t.names))
#: What 获取方式 (how a value was come by) of an item is called in its table.
_WAYS = {"output_t": ("metering", METERINGS), "ncv_gj": ("ncv_source", NCV_SOURCES)}


class _Head(NamedTuple):
    """Place of the header; columns of months, of the year's total, of what rows say of themselves, of item, unit and way."""

    at: int
    months: dict[int, tuple[str, int]]
    annual: int | None
    said: dict[int, str]
    special: dict[str, int]


class _Item(NamedTuple):
    """What an item's cell means; `name` of the fuel or material that it begins with."""

    table: str
    column: str
    unit: str
    name: str


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
    for one in (table,) if table else ("ledger_fuel", "ledger_rawmat"):
        heading = load_words().heading(one, text)
        if heading and heading.column in _SAID:
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
        whole = None if item is not None else self._of_name()
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

    def _of_name(self) -> _Item | None:
        """A sheet without items is about what its name says."""
        found = self._words.heading(self._table, self._grid.name) if self._table else None
        return (
            _Item(self._table, found.column, found.unit, "") if found and _counts(self._table, found.column) else None
        )

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

    def _take(self, number: int, cells: list[str], titled: Mapping[str, str], whole: _Item | None) -> None:
        at = self._head.special
        said = dict(titled) | {name: cells[i] for i, name in self._head.said.items() if cells[i]}
        text = cells[at["item"]] if "item" in at else ""
        item = whole or self._item(text, said)
        if item is None:
            self._strange[text or "-"] = None
            return
        if item.name:
            said["material" if item.table == "ledger_rawmat" else "fuel"] = item.name
        unit = self._unit(number, cells, item, text)
        if unit is None:
            return
        self._way(cells, item, said)
        names = [
            n
            for n in _SAID
            if n in self._words.headers[item.table] and (n != "meter_id" or item.column == "consumption")
        ]
        key = (item.table, *(said.get(n, "") for n in (*TABLES[item.table].key, *STAMPS)))
        group = self._groups.get(key)
        if group is None:
            places = {name: f"{letter(i)}{number}" for i, name in self._head.said.items() if name in names}
            group = self._groups[key] = _Group({}, places, number)
        group.said |= {n: said[n] for n in names if said.get(n)}
        if item.column in group.items or (key, item.column) in self._twice:
            self._drop(key, item.column, number, text)
            return
        group.items[item.column] = number, cells
        group.units |= {unit} - {""}
        self._faults(number, item.column)

    def _drop(self, key: tuple[str, ...], column: str, number: int, text: str) -> None:
        """An item that stands twice is taken from neither row."""
        first = self._groups[key].items.pop(column, None)
        self._twice.add((key, column))
        for row in filter(None, (first[0] if first else 0, number)):
            self._note("L05_column_twice", row, self._head.special.get("item", 0), column, text)

    def _item(self, text: str, said: dict[str, str]) -> _Item | None:
        """What an item means, by the sheet's table, else by the fuel or material of its row, else by a word of one table alone."""
        if self._table:
            return self._in_table(self._table, text)
        name = folded(said.get("fuel") or said.get("material") or "")
        if name:
            table = self._table_of(name) or ("ledger_fuel" if said.get("fuel") else "ledger_rawmat")
            if "fuel" in said and table == "ledger_rawmat":
                said["material"] = said.pop("fuel")
            if found := self._in_table(table, text):
                return found
        known = [item for t in MONTHLY if (item := self._in_table(t.name, text))]
        # A word that several tables know, such as 消耗量, needs the name of what is consumed.
        alone = known[0] if len(known) == 1 else None
        return alone if alone and (alone.table in _PLAIN or alone.name) else None

    def _table_of(self, name: str) -> str:
        if fuel := self._words.values["fuel"].get(name):
            return "ledger_altfuel" if self._words.fuels[fuel].kind == "alternative" else "ledger_fuel"
        return "ledger_rawmat" if name in self._words.values["material"] else ""

    def _in_table(self, table: str, text: str) -> _Item | None:
        found = self._words.heading(table, text)
        if found and _counts(table, found.column):
            return _Item(table, found.column, found.unit, "")
        if table in _PLAIN:
            return None
        for cut in range(len(text) - 1, 0, -1):
            if self._table_of(folded(text[:cut])) == table and (
                found := self._words.heading(table, text[cut:].strip("的 -_"))
            ):
                return _Item(table, found.column, found.unit, text[:cut]) if _counts(table, found.column) else None
        return None

    def _unit(self, number: int, cells: list[str], item: _Item, text: str) -> str | None:
        """The unit that amounts of a fuel are in, "" where none is given; None, with a note, for one that is not the column's."""
        ours = self._words.headers[item.table][item.column].units
        place = self._head.special.get("unit")
        told = cells[place] if place is not None else ""
        given = {u for u in (item.unit, (self._words.unit(told) or WRONG) if told else "") if u}
        known = [set(u.split("|")) for u in given]
        if (ours and any(not u <= set(ours) for u in known)) or (len(given) > 1 and not set.intersection(*known)):
            shown, column = (told, place) if told else (text, self._head.special.get("item"))
            self._note("L04_unit_of_header", number, column, item.column, shown, wanted=" / ".join(ours))
            return None
        one = set.intersection(*known) if known else set()
        return one.pop() if ours == _AMOUNT and len(one) == 1 else ""

    def _way(self, cells: list[str], item: _Item, said: dict[str, str]) -> None:
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
        rows: list[int] = []
        letters: list[str] = []
        total: list[bool] = []
        groups = [g for key, g in self._groups.items() if key[0] == table and g.items]
        annual = {self._head.annual: "全年"} if self._head.annual is not None else {}
        for group in sorted(groups, key=lambda g: g.row):
            fixed = dict(group.said)
            if "unit" in names and len(group.units) == 1:
                fixed["unit"] = next(iter(group.units))
            summed = any(text and self._is_sum(text) for text in fixed.values())
            for i, month in {**months, **annual}.items():
                texts = {name: cells[i] for name, (_, cells) in group.items.items()}
                if not any(texts.values()):
                    continue
                for name in names:
                    columns[name].append(texts.get(name) or fixed.get(name, ""))
                columns["month"].append(month)
                cells_of = {name: f"{letter(i)}{row}" for name, (row, _) in group.items.items()}
                letters.append(json.dumps({**group.places, "month": f"{letter(i)}{self._row_of_header}", **cells_of}))
                rows.append(group.row)
                total.append(summed or i in annual)
        return Parsed(table, self._grid.name, letters, columns, rows, total) if rows else None

    def _is_sum(self, text: str) -> bool:
        return folded(text) in self._words.totals


def _counts(table: str, column: str) -> bool:
    """Whether a column holds numbers."""
    return column in TABLES[table].names and TABLES[table][column].type == pa.float64()
