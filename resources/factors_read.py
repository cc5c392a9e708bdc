"""Factor files: CSV in, typed rows and problems out.

Belongs here: reading reference/factors and a home's own registry/factors*.csv, and what their cells may hold. Does not belong
here: choosing the factor in force (`factors`), units and ranges (`factors_units`) and the values themselves (`reference/factors`).
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, TypeVar

from resources.factors_units import range_of, units_of
from resources.problems import Problem
from resources.registry_cells import day_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

T = TypeVar("T")

#: Which edition of a factor is taken: the newest published, or only that which describes the very year of the reporting day.
LATEST, SAME_YEAR, SNAPSHOT = "latest_published", "same_data_year", "snapshot"

#: What a factor measures, zh and en.
QUANTITIES = {
    "ncv": ("低位发热量", "net calorific value"),
    "cc": ("单位热值含碳量", "carbon content per unit of heat"),
    "of": ("碳氧化率", "oxidation rate"),
    "ef_clinker": ("熟料的过程排放因子", "process factor of clinker"),
    "k_rawmat": ("非碳酸盐替代原料的扣减系数", "deduction factor of a non-carbonate raw material"),
    "grid": ("电力排放因子", "emission factor of electricity"),
    "heat": ("热力排放因子", "emission factor of heat"),
    "hv_altfuel": ("替代燃料热值", "heat value of an alternative fuel"),
    "ef_altfuel": ("替代燃料排放因子", "emission factor of an alternative fuel"),
    "fossil_share": ("替代燃料化石碳占比", "fossil share of an alternative fuel's carbon"),
    "rawmeal_carbon": ("生料非燃料碳含量", "non-fuel carbon of raw meal"),
    "rawmeal_ratio": ("料耗", "raw meal per clinker"),
    "ckd_calcination": ("窑灰分解率", "calcination of kiln dust"),
    "ckd_factor": ("窑灰修正系数", "kiln dust correction"),
    "ef_ckd": ("窑灰排放因子", "emission factor of kiln dust"),
    "ef_cao": ("氧化钙排放因子", "emission factor of CaO"),
    "ef_carbonate": ("碳酸盐排放因子", "emission factor of a carbonate"),
    "ets": ("碳市场参数", "parameter of the emissions trading system"),
    "cbam": ("欧盟碳边境调节参数", "parameter of the EU's carbon border adjustment"),
}
#: Marks of the domain notes and what they are worth: read in the official text, in a copy, in a sibling text; memory, unknown.
CONFIDENCE = {"V": "verified", "S": "secondary", "A": "secondary", "M": "draft", "U": "draft"}
COLUMNS = (
    "factor_id", "quantity", "scope", "region", "method", "value", "unit", "data_year", "valid_from", "valid_to",
    "published_on", "snapshot_on", "recorded_at", "source", "clause", "mark", "confidence", "supersedes", "note",
)  # fmt: skip
_NEEDED = (
    "factor_id",
    "quantity",
    "scope",
    "value",
    "unit",
    "valid_from",
    "recorded_at",
    "source",
    "mark",
    "confidence",
)


@dataclass(frozen=True, slots=True)
class Factor:
    """One value of one factor. It holds for reporting days in [valid_from, valid_to), and was recorded here on `recorded_at`.

    `text` is the value as printed; `methods` is empty where every method may use it; `file` and `line` say where it stands.
    """

    factor_id: str
    quantity: str
    scope: str
    region: str
    methods: tuple[str, ...]
    text: str
    unit: str
    data_year: int | None
    valid_from: date
    valid_to: date | None
    published_on: date | None
    snapshot_on: date | None
    recorded_at: date
    source: str
    clause: str
    mark: str
    confidence: str
    supersedes: str
    note: str
    file: str
    line: int

    @property
    def value(self) -> float:
        """The value as the kernels take it."""
        return float(self.text)

    @property
    def exact(self) -> Decimal:
        """The value as printed."""
        return Decimal(self.text)

    def holds(self, day: date) -> bool:
        """Whether it holds for a reporting day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    @property
    def series(self) -> tuple[str, str, str, tuple[str, ...]]:
        """Rows of one series replace each other in time."""
        return self.quantity, self.scope, self.region, self.methods


def read_factors(name: str, content: bytes) -> tuple[list[Factor], list[Problem]]:
    """Rows of one file and everything wrong with it; a row with a mistake is left out."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [], [Problem(name, 0, "", "", "不是 UTF-8 编码", "is not UTF-8", "另存为 UTF-8", "save it as UTF-8")]
    reader = csv.DictReader(io.StringIO(text, newline=""))
    names = [n.strip() for n in reader.fieldnames or ()]
    strange = [n for n in names if n not in COLUMNS]
    missing = [n for n in _NEEDED if n not in names]
    problems = [_column(name, n, "未知的列", "unknown column", "删除该列", "remove it") for n in strange]
    problems += [_column(name, n, "缺少该列", "column is missing", "补上该列", "add it") for n in missing]
    if problems:
        return [], problems
    rows = []
    for cells in reader:
        if cells.pop(None, None):  # type: ignore[call-overload]
            problems.append(_surplus(name, reader.line_num))
            continue
        row = _Row(name, reader.line_num, {k.strip(): (v or "").strip() for k, v in cells.items() if k})
        made = row.factor()
        problems += row.problems
        if made is not None:
            rows.append(made)
    return rows, problems


def _column(file: str, name: str, *texts: str) -> Problem:
    return Problem(file, 1, name, "", *texts)


def _surplus(file: str, line: int) -> Problem:
    """A comma too many moves every cell behind it into another column."""
    return Problem(
        file, line, "", "", "单元格多于表头", "has more cells than the header", "含逗号的文字加引号", "put text with commas in quotes",
    )  # fmt: skip


class _Row:
    def __init__(self, file: str, line: int, cells: dict[str, str]) -> None:
        self._file, self._line, self._cells = file, line, cells
        self.problems: list[Problem] = []

    def factor(self) -> Factor | None:
        """The typed row, None (and problems) where a cell cannot be used."""
        cells = self._cells
        for name in (n for n in _NEEDED if not cells.get(n)):
            self._complain(name, "未填", "is empty", "填写该格", "fill it in")
        days = {n: self._typed(n, _day, "日期 YYYY-MM-DD", "a date YYYY-MM-DD")
                for n in ("valid_from", "valid_to", "published_on", "snapshot_on", "recorded_at")}  # fmt: skip
        year = self._typed("data_year", int, "年份", "a year")
        value = self._typed("value", _number, "数", "a number")
        self._among("quantity", QUANTITIES)
        self._among("unit", units_of(cells.get("quantity", "")))
        if value is not None:
            self._within(value)
        self._among("mark", CONFIDENCE)
        worth = CONFIDENCE.get(cells.get("mark", ""))
        if worth and cells.get("confidence") not in (worth, "draft"):
            self._complain(
                "confidence",
                "与 mark 不符",
                f"does not fit mark {cells['mark']}",
                f"填写 {worth} 或 draft",
                f"write {worth} or draft",
            )
        first, end = days["valid_from"], days["valid_to"]
        if first and end and end <= first:
            self._complain(
                "valid_to",
                "不晚于 valid_from",
                "is not after valid_from",
                "填写失效当日 (不含)",
                "give the first day on which it no longer holds",
            )
        for name in ("published_on", "snapshot_on"):
            if (day := days[name]) and days["recorded_at"] and day > days["recorded_at"]:
                self._complain(
                    name,
                    "晚于 recorded_at: 登记时尚不可知",
                    "is after recorded_at: it could not be known then",
                    "更正其一",
                    "correct one of them",
                )
        if self.problems or first is None or days["recorded_at"] is None or value is None:
            return None
        text = {
            n: cells.get(n, "")
            for n in (
                "factor_id",
                "quantity",
                "scope",
                "region",
                "unit",
                "source",
                "clause",
                "mark",
                "confidence",
                "supersedes",
                "note",
            )
        }
        methods = tuple(sorted(m for m in cells.get("method", "").split("|") if m))
        return Factor(
            text["factor_id"], text["quantity"], text["scope"], text["region"], methods, cells["value"], text["unit"], year,
            first, end, days["published_on"], days["snapshot_on"], days["recorded_at"], text["source"], text["clause"],
            text["mark"], text["confidence"], text["supersedes"], text["note"], self._file, self._line,
        )  # fmt: skip

    def _typed(self, name: str, read: Callable[[str], T], zh: str, en: str) -> T | None:
        given = self._cells.get(name, "")
        if not given:
            return None
        try:
            return read(given)
        except (ValueError, InvalidOperation):
            self._complain(name, f"应为{zh}", f"is not {en}", f"填写{zh}", f"give {en}")
            return None

    def _among(self, name: str, permitted: Iterable[str]) -> None:
        given = self._cells.get(name, "")
        if given and given not in permitted:
            listed = ", ".join(permitted)
            self._complain(
                name,
                "取值不在允许范围内",
                "is not one of the permitted values",
                f"填写其一: {listed}",
                f"use one of: {listed}",
            )

    def _within(self, value: Decimal) -> None:
        """Formulas take the number as it is: one that cannot be in its unit was written in another."""
        quantity, unit, scope = (self._cells.get(n, "") for n in ("quantity", "unit", "scope"))
        within = range_of(quantity, unit, scope)
        if within and not within.holds(value):
            self._complain("value", *within.told(value, *QUANTITIES[quantity]))

    def _complain(self, name: str, *texts: str) -> None:
        self.problems.append(Problem(self._file, self._line, name, self._cells.get(name, ""), *texts))


def _number(text: str) -> Decimal:
    made = Decimal(text)
    if not made.is_finite() or "_" in text:
        raise ValueError(text)
    return made


def _day(text: str) -> date:
    return day_of(text)
