"""What a home adds on the trading system: balance values of registry/ets.csv, special lines of registry/ets_lines.csv.

Belongs here: reading the two files, looking up a year, versions. Does not belong here: what follows from them (`assets/allocation`)
and the law (`ets`). Both files may be absent: then no balance value is known, and no line is declared to be anything.
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import astuple, dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from resources.ets import EtsError
from resources.problems import Problem

if TYPE_CHECKING:
    from resources.storage import Storage

BALANCE, LINES = "ets.csv", "ets_lines.csv"
_BALANCE_COLUMNS = ("year", "balance_value", "source", "published_on")
_LINE_COLUMNS = ("line_id", "year", "variety", "special", "note")
#: What a plant may say of a line that no other table tells.
DECLARED = ("", "gypsum_acid", "new", "closed", "existing", "not_listed")


@dataclass(frozen=True, slots=True)
class Balance:
    """The sector's balance value of a reporting year, in tCO2/t, as published."""

    year: int
    value: float
    source: str
    published_on: date | None


@dataclass(frozen=True, slots=True)
class LineYear:
    """What is declared of a line in a year: variety of clinker, and gypsum_acid, new, closed, existing where dates mislead, or
    not_listed: its plant is not on the list of the system.
    """

    line_id: str
    year: int
    variety: str
    special: str
    note: str


class EtsHome:
    """The rows of both files."""

    def __init__(self, balances: tuple[Balance, ...] = (), lines: tuple[LineYear, ...] = ()) -> None:
        self.balances = {b.year: b for b in balances}
        self.lines = lines
        self._lines = {(n.line_id, n.year): n for n in lines}

    @classmethod
    def load(cls, registry: Storage) -> EtsHome:
        """Read what there is; EtsError lists every error at once."""
        problems: list[Problem] = []
        rows = {
            name: _rows(name, registry.read(name), columns, problems) if registry.exists(name) else []
            for name, columns in ((BALANCE, _BALANCE_COLUMNS), (LINES, _LINE_COLUMNS))
        }
        balances = [b for row in rows[BALANCE] if (b := _balance(*row, problems))]
        lines = [n for row in rows[LINES] if (n := _line(*row, problems))]
        problems += _twice(BALANCE, [b.year for b in balances])
        problems += _twice(LINES, [(n.line_id, n.year) for n in lines])
        if problems:
            raise EtsError(problems)
        return cls(tuple(balances), tuple(lines))

    def balance(self, year: int) -> Balance | None:
        """The balance value of a year; None where none is registered."""
        return self.balances.get(year)

    def line(self, line_id: str, year: int) -> LineYear | None:
        """What is declared of a line in a year."""
        return self._lines.get((line_id, year))

    def version(self, first: date, last: date) -> str:
        """SHA-256 over the rows of the years of [first, last]."""
        years = range(first.year, last.year + 1)
        said = [repr(astuple(b)) for y, b in sorted(self.balances.items()) if y in years]
        said += [repr(astuple(n)) for (_, y), n in sorted(self._lines.items()) if y in years]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()


def _rows(
    name: str, content: bytes, columns: tuple[str, ...], problems: list[Problem]
) -> list[tuple[int, dict[str, str]]]:
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        made = [(reader.line_num, {(k or "").strip(): (v or "").strip() for k, v in row.items() if isinstance(v, str) or v is None}) for row in reader]  # fmt: skip
    except UnicodeDecodeError:
        problems.append(Problem(name, 0, "", "", "不是 UTF-8 编码", "is not UTF-8", "另存为 UTF-8", "save it as UTF-8"))
        return []
    missing = [c for c in columns if c not in [(f or "").strip() for f in reader.fieldnames or ()]]
    problems += [Problem(name, 1, c, "", "缺少列", "column is missing", "加上该列", "add it") for c in missing]
    return [] if missing else [(n, row) for n, row in made if any(row.values())]


def _balance(line: int, row: dict[str, str], problems: list[Problem]) -> Balance | None:
    year = _year(BALANCE, line, row, problems)
    value = _positive(row["balance_value"])
    if value is None:
        texts = "应为 tCO2/t 的正数", "is no positive number of tCO2/t"
        remedy = "填写平台公布的平衡值", "write the value published on the platform"
        problems.append(Problem(BALANCE, line, "balance_value", row["balance_value"], *texts, *remedy))
        return None
    try:
        published = date.fromisoformat(row["published_on"]) if row["published_on"] else None
    except ValueError:
        wrong = "不是日期", "is no date", "写作 YYYY-MM-DD", "write YYYY-MM-DD"
        problems.append(Problem(BALANCE, line, "published_on", row["published_on"], *wrong))
        return None
    if not row["source"]:
        problems.append(Problem(BALANCE, line, "source", "", "未填", "is empty", "写明出处", "say where it comes from"))
    return None if year is None else Balance(year, value, row["source"], published)


def _positive(text: str) -> float | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    # Ten tonnes of CO2 per tonne of clinker is no value of cement: it was written in another unit.
    return float(value) if value.is_finite() and 0 < value < 10 else None


def _line(line: int, row: dict[str, str], problems: list[Problem]) -> LineYear | None:
    year = _year(LINES, line, row, problems)
    if row["special"] not in DECLARED:
        listed = ", ".join(d for d in DECLARED if d)
        texts = "未知的取值", "is unknown", f"填写其一: {listed}, 或留空", f"use one of: {listed}, or leave it empty"
        problems.append(Problem(LINES, line, "special", row["special"], *texts))
        return None
    return None if year is None else LineYear(row["line_id"], year, row["variety"], row["special"], row["note"])


def _year(file: str, line: int, row: dict[str, str], problems: list[Problem]) -> int | None:
    if row["year"].isdigit() and 2000 <= int(row["year"]) <= 2100:
        return int(row["year"])
    problems.append(Problem(file, line, "year", row["year"], "不是年份", "is no year", "写作 YYYY", "write YYYY"))
    return None


def _twice(file: str, keys: list[object]) -> list[Problem]:
    return [
        Problem(file, 0, "year", str(k), "重复", "stands twice", "只保留一行", "keep one row")
        for k in sorted({str(k) for k in keys if keys.count(k) > 1})
    ]
