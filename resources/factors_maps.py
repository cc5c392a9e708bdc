"""Foreign lists of factors: a CSV file and a map of its columns in, one row a value out, units brought to one spelling.

Belongs here: reading a file by a map of reference/factors/maps. Does not belong here: our own format (`factors_read`), comparing
editions and writing (`factors_import`).

A column may carry the year in its name ("… Factor 2021"), stand anywhere, or be missing where the map gives a default. A unit that
the map does not know is refused by its row: a factor that is wrong by a thousand looks like any other.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import reference
from resources.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MAPS = reference.FACTORS / "maps"
_KEYS = {"title_zh", "title_en", "name", "value", "unit", "units"}


@dataclass(frozen=True, slots=True)
class EditionRow:
    """One value of one edition. `name` says of what and where, without the unit; `converted` tells by how much it was multiplied."""

    name: str
    unit: str
    value: Decimal
    year: int | None
    first: date | None
    end: date | None
    converted: str
    line: int
    cells: Mapping[str, str]

    @property
    def text(self) -> str:
        """The value in plain decimals."""
        return f"{self.value.normalize():f}"


@dataclass(frozen=True, slots=True)
class Map:
    """How a foreign file is read."""

    id: str
    titles: tuple[str, str]
    columns: Mapping[str, Any]
    units: Mapping[str, tuple[str, Decimal]]
    factors: tuple[Mapping[str, Any], ...]


def known_maps() -> list[str]:
    """Names of the maps that there are."""
    return sorted(p.stem for p in MAPS.glob("*.toml"))


def load_map(name: str, folder: Path = MAPS) -> Map:
    """A map by name; KeyError where there is none, ValueError where it lacks a key."""
    path = folder / f"{name}.toml"
    if not path.is_file():
        raise KeyError(name)
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    if lacking := _KEYS - set(raw):
        raise ValueError(f"{path.name}: {', '.join(sorted(lacking))} missing")
    units = {_plain(k): (unit, Decimal(times)) for k, (unit, times) in raw["units"].items()}
    columns = {k: v for k, v in raw.items() if k not in ("units", "factor", "title_zh", "title_en")}
    return Map(name, (raw["title_zh"], raw["title_en"]), columns, units, tuple(raw.get("factor", ())))


def read_edition(file: str, content: bytes, by: Map) -> tuple[list[EditionRow], list[Problem]]:
    """Every value of a file, and everything wrong with it; a row with a mistake is left out."""
    try:
        lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    except UnicodeDecodeError:
        return [], [Problem(file, 0, "", "", "不是 UTF-8 编码", "is not UTF-8", "另存为 UTF-8", "save it as UTF-8")]
    header = _header(next(lines, []), by)
    years = _year_columns(header, by.columns["value"])
    problems = list(_unfit(file, header, years, by))
    if problems:
        return [], problems
    rows: list[EditionRow] = []
    for record in lines:
        if len(record) > len(header):
            hint = (
                "单元格多于表头",
                "has more cells than the header",
                "含逗号的文字加引号",
                "put text with commas in quotes",
            )
            problems.append(Problem(file, lines.line_num, "", "", *hint))
            continue
        plain = {name: cell.strip() for name, cell in zip_longest(header, record, fillvalue="")}
        for column, year in years:
            made = _row(file, lines.line_num, plain, column, year, by)
            if isinstance(made, Problem):
                problems.append(made)
            elif made is not None:
                rows.append(made)
    return rows, problems + list(_twice(file, rows))


def _header(cells: list[str], by: Map) -> list[str]:
    """Names of the columns; one that differs from the map's in case and spaces alone is the map's."""
    columns = by.columns
    known = [*columns["name"], columns["unit"], *(columns[n] for n in ("region", "first", "last") if n in columns)]
    meant = {_plain(name): name for name in known}
    return [meant.get(_plain(cell), " ".join(cell.split())) for cell in cells]


def _unfit(file: str, header: list[str], years: list[tuple[str, int | None]], by: Map) -> Iterator[Problem]:
    """Columns that the map needs and the file lacks, or has twice."""
    needed = [*by.columns["name"], by.columns["unit"]]
    there = ", ".join(n for n in header if n) or "-"
    for name in [n for n in needed if n not in header] + ([] if years else [by.columns["value"]]):
        yield Problem(
            file, 1, name, "", "缺少该列", "column is missing", f"核对列对应 {by.id}; 文件的列: {there}",
            f"check the map {by.id}; the file has: {there}",
        )  # fmt: skip
    for name in dict.fromkeys([*needed, *(n for n, _ in years)]):
        if header.count(name) > 1:
            yield Problem(file, 1, name, "", "该列出现多次", "stands more than once", "只保留一列", "keep one of them")


def _year_columns(header: list[str], pattern: str) -> list[tuple[str, int | None]]:
    """Columns of values with the year in their names; one without {year} is itself."""
    if "{year}" not in pattern:
        return [(pattern, None)] if pattern in header else []
    expression = re.compile(re.escape(pattern).replace(re.escape("{year}"), r"(\d{4})"), re.IGNORECASE)
    return [(n, int(found[1])) for n in header if (found := expression.fullmatch(n))]


def _row(
    file: str, line: int, cells: dict[str, str], column: str, year: int | None, by: Map
) -> EditionRow | Problem | None:
    text, spelt = cells[column], cells[by.columns["unit"]]
    if not text:
        # Not a zero: the list does not say.
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or "_" in text:
        return Problem(file, line, column, text, "不是数", "is no number", "更正该格", "correct the cell")
    if _plain(spelt) not in by.units:
        listed = ", ".join(sorted({unit for unit, _ in by.units.values()}))
        return Problem(
            file, line, by.columns["unit"], spelt, "未知的单位", "is an unknown unit",
            f"在列对应 {by.id} 的 [units] 中说明 (已知: {listed})", f"tell it in [units] of the map {by.id} (known: {listed})",
        )  # fmt: skip
    unit, times = by.units[_plain(spelt)]
    period = _period(cells, year, by)
    if period is None:
        column = by.columns["first"]
        wrong = "不是日期", "is no day", "写成 YYYY-MM-DD", "write YYYY-MM-DD"
        return Problem(file, line, column, f"{cells.get(column, '')} - {cells.get(by.columns['last'], '')}", *wrong)
    region = cells.get(by.columns.get("region", ""), "") or by.columns.get("region_default", "")
    parts = [cells[n] for n in by.columns["name"]] + [region]
    told = f"x {times} ({spelt})" if times != 1 else ""
    return EditionRow(
        " / ".join(p for p in parts if p),
        unit,
        value * times,
        year,
        *period,
        told,
        line,
        {**cells, "year": str(year or "")},
    )


def _period(cells: dict[str, str], year: int | None, by: Map) -> tuple[date | None, date | None] | None:
    """First day and the day after the last; the year of the column where the file has no days. None where they are no days."""
    found = [cells.get(by.columns.get(n, ""), "")[:10] for n in ("first", "last")]
    if not all(found):
        return (date(year, 1, 1), None) if year else (None, None)
    try:
        return date.fromisoformat(found[0]), date.fromisoformat(found[1]) + timedelta(days=1)
    except ValueError:
        return None


def _twice(file: str, rows: list[EditionRow]) -> Iterator[Problem]:
    seen: dict[tuple[str, str, int | None], EditionRow] = {}
    for row in rows:
        before = seen.setdefault((row.name, row.unit, row.year), row)
        if before is not row and before.value != row.value:
            yield Problem(
                file, row.line, "", row.text, f"与第 {before.line} 行矛盾: {row.name}", f"contradicts line {before.line}: {row.name}",
                "保留其一", "keep one of them",
            )  # fmt: skip


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
