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
    reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    header = [n.strip() for n in reader.fieldnames or ()]
    years = _year_columns(header, by.columns["value"])
    needed = [*by.columns["name"], by.columns["unit"]]
    missing = [n for n in needed if n not in header] + ([] if years else [by.columns["value"]])
    if missing:
        return [], [
            Problem(file, 1, n, "", "缺少该列", "column is missing", "核对列对应", "check the map") for n in missing
        ]
    rows: list[EditionRow] = []
    problems: list[Problem] = []
    for cells in reader:
        plain = {k.strip(): (v or "").strip() for k, v in cells.items() if isinstance(k, str)}
        for column, year in years:
            made = _row(file, reader.line_num, plain, column, year, by)
            if isinstance(made, Problem):
                problems.append(made)
            elif made is not None:
                rows.append(made)
    return rows, problems + list(_twice(file, rows))


def _year_columns(header: list[str], pattern: str) -> list[tuple[str, int | None]]:
    """Columns of values with the year in their names; one without {year} is itself."""
    if "{year}" not in pattern:
        return [(pattern, None)] if pattern in header else []
    expression = re.compile(re.escape(pattern).replace(re.escape("{year}"), r"(\d{4})"))
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
        return Problem(file, line, column, text, "不是数", "is no number", "更正该格", "correct the cell")
    if _plain(spelt) not in by.units:
        listed = ", ".join(sorted({unit for unit, _ in by.units.values()}))
        return Problem(
            file, line, by.columns["unit"], spelt, "未知的单位", "is an unknown unit",
            f"在列对应 {by.id} 的 [units] 中说明 (已知: {listed})", f"tell it in [units] of the map {by.id} (known: {listed})",
        )  # fmt: skip
    unit, times = by.units[_plain(spelt)]
    region = cells.get(by.columns.get("region", ""), "") or by.columns.get("region_default", "")
    parts = [cells[n] for n in by.columns["name"]] + [region]
    told = f"x {times} ({spelt})" if times != 1 else ""
    return EditionRow(
        " / ".join(p for p in parts if p),
        unit,
        value * times,
        year,
        *_period(cells, year, by),
        told,
        line,
        {**cells, "year": str(year or "")},
    )


def _period(cells: dict[str, str], year: int | None, by: Map) -> tuple[date | None, date | None]:
    """First day and the day after the last; the year of the column where the file has no days."""
    found = [cells.get(by.columns.get(n, ""), "")[:10] for n in ("first", "last")]
    if all(found):
        return date.fromisoformat(found[0]), date.fromisoformat(found[1]) + timedelta(days=1)
    return (date(year, 1, 1), None) if year else (None, None)


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
