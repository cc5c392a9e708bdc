"""Codes of the HJ 212 protocol: factor codes and data flags, read from reference/hj212.

Belongs here: typed loading of the two tables. Does not belong here: packets (`hj212_reader`), whether a flag counts on a
day (`rules`), units of a device (`registry`).
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import reference
from contracts.cems import HOUR_TAGS
from contracts.channels import CHANNEL_NAMES
from resources.problems import Problem
from resources.rules_rows import CONFIDENCE, RuleError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class FactorCode:
    """A factor of a stack. `channel` is the column group it feeds, "" for factors without columns of their own.

    `code` is that of HJ 212-2017 and 2025, `legacy_code` that of 2005 ("" where there is none); `unit` is the default
    unit, which a device row may replace, `unit_printed` what the standard prints.
    """

    code: str
    legacy_code: str
    channel: str
    unit: str
    unit_printed: str
    name_zh: str
    name_en: str
    source: str
    confidence: str
    mark: str
    note: str


@dataclass(frozen=True, slots=True)
class FlagRow:
    """A data flag as tabled. `valid` None: the parameter named by `parameter` decides."""

    flag_system: str
    flag: str
    name_zh: str
    name_en: str
    valid: bool | None
    parameter: str
    hour_tag: str
    source: str
    confidence: str
    mark: str
    effective_from: date
    effective_to: date | None
    note: str


def load_factor_codes(path: Path | None = None) -> list[FactorCode]:
    """Every factor code in file order; RuleError names line and column of what is wrong."""
    path = path or reference.HJ212 / "factors.csv"
    rows, problems = _read(path, tuple(FactorCode.__dataclass_fields__))
    for line, cells in rows:
        problems += _expect(path, line, cells, "channel", ("", *CHANNEL_NAMES))
    for column in ("code", "legacy_code"):
        problems += _repeated(path, rows, (column,))
    if problems:
        raise RuleError(f"{path.name}: {len(problems)} error(s)", problems)
    return [FactorCode(**cells) for _, cells in rows]


def channel_codes() -> dict[str, str]:
    """Code -> channel of every factor with columns of its own, under its code of 2017 and that of 2005."""
    fed = [f for f in load_factor_codes() if f.channel]
    return {code: f.channel for f in fed for code in (f.code, f.legacy_code) if code}


def load_flag_rows(path: Path | None = None) -> list[FlagRow]:
    """Every data flag in file order; RuleError names line and column of what is wrong."""
    path = path or reference.HJ212 / "flags.csv"
    rows, problems = _read(path, tuple(FlagRow.__dataclass_fields__))
    for line, cells in rows:
        problems += _expect(path, line, cells, "flag_system", ("2005", "2017"))
        problems += _expect(path, line, cells, "valid", ("true", "false", "parameter"))
        problems += _expect(path, line, cells, "hour_tag", HOUR_TAGS)
        problems += _dates(path, line, cells)
    problems += _repeated(path, rows, ("flag_system", "flag"))
    if problems:
        raise RuleError(f"{path.name}: {len(problems)} error(s)", problems)
    return [_flag_row(cells) for _, cells in rows]


def _flag_row(cells: dict[str, str]) -> FlagRow:
    typed = {
        "valid": {"true": True, "false": False}.get(cells["valid"]),
        "effective_from": date.fromisoformat(cells["effective_from"]),
        "effective_to": date.fromisoformat(cells["effective_to"]) if cells["effective_to"] else None,
    }
    return FlagRow(**(cells | typed))  # type: ignore[arg-type]


def _read(path: Path, columns: tuple[str, ...]) -> tuple[list[tuple[int, dict[str, str]]], list[Problem]]:
    """(line, cells) of every row; confidence is checked here because both tables carry it."""
    reader = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""), strict=True)
    header = tuple(next(reader, ()))
    if header != columns:
        listed = ",".join(columns)
        texts = "列名不符", "the columns are not as expected", f"第一行写 {listed}", f"write this first line: {listed}"
        return [], [Problem(path.name, 1, "", ",".join(header), *texts)]
    rows: list[tuple[int, dict[str, str]]] = []
    problems: list[Problem] = []
    for record in reader:
        cells = dict(zip(columns, (t.strip() for t in record), strict=False))
        if len(record) != len(columns):
            hint = "单元格数不符", "has another number of cells than the header", "检查逗号", "check the commas"
            problems.append(Problem(path.name, reader.line_num, "", "", *hint))
            continue
        rows.append((reader.line_num, cells))
        problems += _expect(path, reader.line_num, cells, "mark", tuple(CONFIDENCE))
        problems += _expect(path, reader.line_num, cells, "confidence", (CONFIDENCE.get(cells["mark"], ""), "draft"))
    return rows, problems


def _expect(path: Path, line: int, cells: dict[str, str], column: str, values: tuple[str, ...]) -> list[Problem]:
    if cells[column] in values:
        return []
    listed = ", ".join(v for v in values if v)
    texts = "取值不在允许范围内", "is not one of the permitted values", f"填写其一: {listed}", f"use one of: {listed}"
    return [Problem(path.name, line, column, cells[column], *texts)]


def _dates(path: Path, line: int, cells: dict[str, str]) -> list[Problem]:
    made = []
    for column in ("effective_from", "effective_to"):
        try:
            if cells[column] or column == "effective_from":
                date.fromisoformat(cells[column])
        except ValueError:
            texts = "不是日期", "is not a date", "按 YYYY-MM-DD 填写", "write the date as YYYY-MM-DD"
            made.append(Problem(path.name, line, column, cells[column], *texts))
    return made


def _repeated(path: Path, rows: list[tuple[int, dict[str, str]]], columns: tuple[str, ...]) -> list[Problem]:
    made = []
    seen: set[tuple[str, ...]] = set()
    for line, cells in rows:
        key = tuple(cells[c] for c in columns)
        if key in seen:
            texts = "重复", "is there twice", "只保留一行", "keep one of the rows"
            made.append(Problem(path.name, line, columns[-1], key[-1], *texts))
        if key[-1]:
            seen.add(key)
    return made
