"""Which methods a home has computed, and by which editions of factors: registry/methods.csv, over the list that comes with the house.

Belongs here: reading the file and what its cells may hold. Does not belong here: choosing by year (`methods`) and what methods say
(`methods_read`).

A reporting year that some row covers is computed by the rows that cover it, in the order of the file, and by nothing else; every other
year by reference/methods/runs.toml.
"""

from __future__ import annotations

import csv
import io
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

import reference
from resources.factors_read import LATEST, SAME_YEAR, SNAPSHOT
from resources.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from resources.methods_read import Method

FILE = "methods.csv"
COLUMNS = ("method_id", "from_year", "to_year", "factor_policy", "published_by", "note")
_NEEDED = ("method_id", "from_year")
_FIRST, _LAST = 2000, 2100


@dataclass(frozen=True, slots=True)
class Choice:
    """A method computed for reporting years [from_year, to_year); `policy` and `published_by` as `FactorBook.find` takes them."""

    method_id: str
    from_year: int
    to_year: int | None
    policy: str = LATEST
    published_by: date | None = None

    def covers(self, year: int) -> bool:
        """It is chosen for this year."""
        return self.from_year <= year and (self.to_year is None or year < self.to_year)

    def known_by(self, year: int) -> date | None:
        """The last day on which a factor of a reporting year may have been published; under `snapshot` the day of the year's at most."""
        days = [d for d in (self.published_by, snapshot_day(year) if self.policy == SNAPSHOT else None) if d]
        return min(days, default=None)


def snapshot_day(year: int) -> date:
    """The day whose factors a plan for a reporting year is made with (carbon-rules 1.6)."""
    back, month, day = _snapshot()
    return date(year - back, month, day)


@cache
def _snapshot() -> tuple[int, int, int]:
    said = tomllib.loads((reference.METHODS / "runs.toml").read_text(encoding="utf-8-sig"))["snapshot"]
    return said["years_before"], said["month"], said["day"]


def read_choices(content: bytes, known: Mapping[str, Method]) -> tuple[list[Choice], list[Problem]]:
    """Rows of the file in its order, and everything wrong with it."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    except UnicodeDecodeError:
        return [], [_problem(0, "", "", "不是 UTF-8 编码", "is not UTF-8", "另存为 UTF-8", "save it as UTF-8")]
    names = [n.strip() for n in reader.fieldnames or ()]
    problems = [
        _problem(1, n, "", "未知的列", "unknown column", "删除该列", "remove it") for n in names if n not in COLUMNS
    ]
    problems += [
        _problem(1, n, "", "缺少该列", "column is missing", "补上该列", "add it") for n in _NEEDED if n not in names
    ]
    rows: list[tuple[int, Choice]] = []
    for cells in reader if not problems else ():
        plain = {k.strip(): (v or "").strip() for k, v in cells.items() if isinstance(k, str)}
        if not any(plain.values()):
            continue
        wrong = list(_wrong(reader.line_num, plain, known))
        problems += wrong
        if not wrong:
            rows.append((reader.line_num, _choice(plain)))
    return [c for _, c in rows], problems + list(_twice(rows))


def _choice(cells: Mapping[str, str]) -> Choice:
    end, by = cells.get("to_year", ""), cells.get("published_by", "")
    return Choice(
        cells["method_id"], int(cells["from_year"]), int(end) if end else None, cells.get("factor_policy", "") or LATEST,
        date.fromisoformat(by) if by else None,
    )  # fmt: skip


def _wrong(line: int, cells: Mapping[str, str], known: Mapping[str, Method]) -> Iterator[Problem]:
    for name in (n for n in _NEEDED if not cells.get(n)):
        yield _problem(line, name, "", "未填", "is empty", "填写该格", "fill it in")
    method, policy, by = (cells.get(n, "") for n in ("method_id", "factor_policy", "published_by"))
    able = ", ".join(sorted(m.id for m in known.values() if m.parts))
    if method and (method not in known or not known[method].parts):
        zh, en = (
            ("未知的方法", "is no method") if method not in known else ("只知其名, 没有公式", "is known by name only")
        )
        yield _problem(line, "method_id", method, zh, en, f"填写其一: {able}", f"use one of: {able}")
    years = {n: cells.get(n, "") for n in ("from_year", "to_year")}
    bad = [n for n, text in years.items() if text and not _is_year(text)]
    for name in bad:
        yield _problem(line, name, years[name], "不是年份", "is no year", "写成 YYYY", "write YYYY")
    if not bad and all(years.values()) and int(years["to_year"]) <= int(years["from_year"]):
        yield _problem(
            line, "to_year", years["to_year"], "不晚于 from_year", "is not after from_year", "填写不再计算的第一年, 或留空",
            "give the first year in which it is not computed any more, or leave it empty",
        )  # fmt: skip
    if policy not in ("", LATEST, SAME_YEAR, SNAPSHOT):
        listed = f"{LATEST}, {SAME_YEAR}, {SNAPSHOT}"
        yield _problem(
            line, "factor_policy", policy, "未知的取值", "is unknown", f"填写其一: {listed}", f"use one of: {listed}"
        )
    if by and not _is_day(by):
        yield _problem(line, "published_by", by, "不是日期", "is no day", "写成 YYYY-MM-DD", "write YYYY-MM-DD")


def _twice(rows: list[tuple[int, Choice]]) -> Iterator[Problem]:
    """A method chosen twice for a year: it would be computed, and published, twice."""
    for i, (line, row) in enumerate(rows):
        for before, other in rows[:i]:
            later = max(row.from_year, other.from_year)
            if row.method_id == other.method_id and row.covers(later) and other.covers(later):
                yield _problem(
                    line, "from_year", str(row.from_year), f"{later} 年与第 {before} 行重复", f"chosen for {later} on line {before} too",
                    "只保留一行, 或用 to_year 分开", "keep one row, or part them by to_year",
                )  # fmt: skip


def _is_year(text: str) -> bool:
    return text.isascii() and text.isdigit() and _FIRST <= int(text) <= _LAST


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("YYYY-MM-DD")


def _problem(line: int, column: str, value: str, *texts: str) -> Problem:
    zh, en, remedy_zh, remedy_en = texts
    return Problem(f"registry/{FILE}", line, column, value, zh, en, remedy_zh, remedy_en)
