"""Filed years: which figures of carbon were handed in and stay as they are until somebody says otherwise.

Belongs here: registry/filings.csv and which rows it seals. Does not belong here: keeping the rows of a partition (`assets/sealing`)
and the figures.

A row of the file seals a calendar year of a plant, or of one of its lines (`line_id`), under one method or every one.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import json
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from resources.problems import Problem
from resources.registry_cells import day_of
from resources.registry_rows import RegistryError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import date

    from resources.registry import Registry
    from resources.storage import Storage

FILE = "filings.csv"
COLUMNS = ("plant_id", "line_id", "year", "method_id", "filed_at", "note")
_NEEDED = ("plant_id", "year", "filed_at")


@dataclass(frozen=True, order=True, slots=True)
class Filing:
    """One filing: an empty `line_id` stands for all lines of the plant and the plant itself, an empty `method_id` for every method."""

    plant_id: str
    line_id: str
    year: str
    method_id: str
    filed_at: date
    note: str


class Filings:
    """Every filing. `opened`: they are known and nevertheless seal nothing, for a run that was told to restate filed years."""

    def __init__(self, rows: Iterable[Filing] = (), *, opened: bool = False) -> None:
        self.rows = tuple(sorted(rows))
        self.opened = opened

    @classmethod
    def load(cls, storage: Storage, registry: Registry, methods: Collection[str]) -> Filings:
        """Read the file of a registry folder, if there is one; RegistryError lists every mistake with row and cell.

        `methods`: ids of all that are known. A filing under another one would seal nothing, and nobody would know.
        """
        if not storage.exists(FILE):
            return cls()
        return cls.from_text(storage.read(FILE), registry, methods)

    @classmethod
    def from_text(cls, content: bytes, registry: Registry, methods: Collection[str]) -> Filings:
        """Build from the content of the file; RegistryError as in `load`."""
        try:
            reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        except UnicodeDecodeError:
            raise RegistryError(
                [_problem(0, "", "", "不是 UTF-8 编码", "is not UTF-8", "另存为 UTF-8", "save it as UTF-8")]
            ) from None
        names = [n.strip() for n in reader.fieldnames or ()]
        problems = [
            _problem(1, n, "", "未知的列", "unknown column", "删除该列", "remove it") for n in names if n not in COLUMNS
        ]
        problems += [
            _problem(1, n, "", "缺少该列", "column is missing", "补上该列", "add it") for n in _NEEDED if n not in names
        ]
        rows: list[Filing] = []
        for cells in reader if not problems else ():
            plain = {k.strip(): (v or "").strip() for k, v in cells.items() if isinstance(k, str)}
            wrong = list(_wrong(reader.line_num, plain, registry, methods))
            problems += wrong
            if not wrong:
                rows.append(
                    Filing(
                        plain["plant_id"], plain.get("line_id", ""), plain["year"], plain.get("method_id", ""),
                        day_of(plain["filed_at"]), plain.get("note", ""),
                    )
                )  # fmt: skip
        if problems:
            raise RegistryError(problems)
        return cls(rows)

    def of_year(self, year: str) -> list[Filing]:
        """Filings of a calendar year."""
        return [f for f in self.rows if f.year == year]

    def version(self, year: str) -> str:
        """SHA-256 over what is filed of a year, "" where nothing is; notes do not count."""
        said = [[str(v) for v in astuple(f)[:-1]] for f in self.of_year(year)]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest() if said else ""


def _wrong(row: int, cells: dict[str, str], registry: Registry, methods: Collection[str]) -> Iterator[Problem]:
    for name in (n for n in _NEEDED if not cells.get(n)):
        yield _problem(row, name, "", "未填", "is empty", "填写该格", "fill it in")
    plant, line, year, filed = (cells.get(n, "") for n in ("plant_id", "line_id", "year", "filed_at"))
    if plant and plant not in {p.plant_id for p in registry.plants}:
        yield _problem(
            row, "plant_id", plant, "未登记的企业", "is no plant", "改为 plants.csv 中的编号", "use an id of plants.csv"
        )
    if line and (line, plant) not in {(known.line_id, known.plant_id) for known in registry.lines}:
        yield _problem(
            row, "line_id", line, "不是该企业的生产线", "is no line of this plant", "改为 lines.csv 中的编号, 全部则留空",
            "use an id of lines.csv, or leave it empty for all",
        )  # fmt: skip
    method = cells.get("method_id", "")
    if method and method not in methods:
        near = difflib.get_close_matches(method, sorted(methods), 1, 0.6)
        meant_zh, meant_en = (f"是否为 {near[0]}? ", f"did you mean {near[0]}? ") if near else ("", "")
        listed = ", ".join(sorted(methods))
        yield _problem(
            row, "method_id", method, "未知的方法, 什么也不会封存", "is no method: the row would seal nothing",
            f"{meant_zh}填写其一, 全部方法则留空: {listed}", f"{meant_en}use one of these, or leave it empty for every method: {listed}",
        )  # fmt: skip
    if year and not (len(year) == 4 and year.isascii() and year.isdigit()):
        yield _problem(row, "year", year, "不是年份", "is no year", "写成 YYYY", "write YYYY")
    if filed and not _is_day(filed):
        yield _problem(row, "filed_at", filed, "不是日期", "is no day", "写成 YYYY-MM-DD", "write YYYY-MM-DD")


def _is_day(text: str) -> bool:
    try:
        day_of(text)
    except ValueError:
        return False
    return True


def _problem(row: int, column: str, value: str, *texts: str) -> Problem:
    return Problem(FILE, row, column, value, *texts)
