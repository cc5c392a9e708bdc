"""Which standards a home chooses: registry/standards.csv, read, checked and asked by plant, outlet and day.

Belongs here: the rows of that file and the choice between them. Does not belong here: the standards (`reference/rules`, `rules`),
Chinese limits, which hold whether or not anybody chooses them, and judging (`assets/standards.py`).

The file is optional. `scope` is a plant_id, an outlet_id or * for the whole home; of several rows that name one pack the most
particular counts: outlet, plant, home.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING

from resources.problems import Problem
from resources.registry_read import read_sheet
from resources.registry_rows import Dated, RegistryError
from resources.registry_schema import PLANTS, Cell, Sheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from resources.registry import Registry
    from resources.registry_read import Placed
    from resources.rules import Parameter, RuleBook, StandardLimit
    from resources.storage import Storage

ANYWHERE = "*"


@dataclass(frozen=True)
class Choice(Dated):
    """One row: `pack` holds for `scope`; `variant` is "" where the pack tells no classes of plants apart."""

    scope: str
    pack: str
    variant: str
    valid_from: date
    valid_to: date | None


SHEET = Sheet(
    "standards.csv", Choice, ("scope", "pack"), "选用标准", "chosen standards",
    (
        Cell("scope", "id", "范围: 企业编号、排放口编号或 *", "plant id, outlet id or *"),
        Cell("pack", "id", "规则包编号", "id of a rule pack"),
        Cell("variant", "text", "企业类别", "class of plants, where the pack tells them apart", required=False),
        *PLANTS.cells[-2:],
    ),
    optional=True,
)  # fmt: skip


class Standards:
    """The choices of a home, and the limits that they bring into force. Build it with `load`."""

    def __init__(self, choices: Iterable[Choice], book: RuleBook) -> None:
        self.choices = tuple(choices)
        self._book = book
        self._limits: dict[tuple[str, str, str, date], tuple[StandardLimit, ...]] = {}

    @classmethod
    def load(cls, storage: Storage, registry: Registry, book: RuleBook) -> Standards:
        """Read and check the file in the registry folder; RegistryError lists every mistake with file, row and cell."""
        return cls.from_text(storage.read(SHEET.file) if storage.exists(SHEET.file) else None, registry, book)

    @classmethod
    def from_text(cls, content: str | bytes | None, registry: Registry, book: RuleBook) -> Standards:
        """Build from the content of the file (None: there is none); RegistryError as in `load`."""
        if content is None:
            return cls((), book)
        reading = read_sheet(SHEET, content.encode() if isinstance(content, str) else content)
        places = {p.plant_id for p in registry.plants} | {o.outlet_id for o in registry.outlets} | {ANYWHERE}
        problems = [*reading.problems]
        for placed in reading.rows:
            problems += _wrong(placed, places, book)
        problems += _twice(reading.rows)
        if problems:
            raise RegistryError(sorted(problems, key=lambda p: (p.row, p.column)))
        return cls((Choice(**placed.cells) for placed in reading.rows), book)  # type: ignore[arg-type]

    def chosen(self, plant_id: str, outlet_id: str, day: date) -> dict[str, str]:
        """Variant by id of every pack in force for an outlet on `day`, sorted by id; the most particular scope counts."""
        made: dict[str, str] = {}
        for scope in (ANYWHERE, plant_id, outlet_id):
            made |= {c.pack: c.variant for c in self.choices if c.scope == scope and c.in_force(day)}
        return dict(sorted(made.items()))

    def limits(self, pack: str, variant: str, point_type: str, day: date) -> tuple[StandardLimit, ...]:
        """Limits of one chosen pack for plants of `variant` at one kind of outlet on `day`."""
        key = (pack, variant, point_type, day)
        if key not in self._limits:
            found = self._book.standard_limits(pack, point_type, day)
            self._limits[key] = tuple(f for f in found if not f.variants or variant in f.variants)
        return self._limits[key]

    def parameter(self, name: str, day: date) -> Parameter:
        """A parameter of the rule packs; RuleError where none is in force."""
        return self._book.parameter(name, day)

    def any_in(self, first: date, last: date) -> bool:
        """Whether anything is chosen on a day of [first, last], both inclusive."""
        return any(c.overlaps(first, last) for c in self.choices)

    def version(self, first: date, last: date) -> str:
        """SHA-256 over what is chosen in [first, last], both inclusive; "" where nothing is. What the packs say is not in it."""
        rows = [
            [c.scope, c.pack, c.variant, str(max(c.valid_from, first)), str(min(c.valid_to or date.max, _after(last)))]
            for c in self.choices
            if c.overlaps(first, last)
        ]
        return hashlib.sha256(json.dumps(sorted(rows)).encode()).hexdigest() if rows else ""


def _after(day: date) -> date:
    return day if day == date.max else date.fromordinal(day.toordinal() + 1)


def _wrong(placed: Placed, places: set[str], book: RuleBook) -> Iterator[Problem]:
    """What one row says that cannot be."""
    scope, name = placed.cells.get("scope"), placed.cells.get("pack")
    if scope is not None and scope not in places:
        yield _problem(
            placed, "scope", "既不是企业编号也不是排放口编号", "is neither a plant nor an outlet",
            "改为 plants.csv 或 outlets.csv 中的编号, 全部则填 *", "use an id of plants.csv or outlets.csv, or * for all",
        )  # fmt: skip
    if name is None:
        return
    packs = {p.id: p for p in book.packs}
    choices = [p for p in packs.values() if p.kind == "foreign" and _has_limits(book, p.id)]
    if name not in {p.id for p in choices}:
        listed = ", ".join(p.id for p in choices)
        known = packs.get(str(name))
        by_law = known is not None and known.kind in ("ule", "mandatory")
        texts = (
            ("依法适用, 不必选用", "holds by law and is not chosen", "删除该行", "remove this row")
            if by_law
            else ("不是可选用的标准", "is no standard to choose", f"改为其一: {listed}", f"use one of: {listed}")
        )
        yield _problem(placed, "pack", *texts)
        return
    variants = book.variants[str(name)]
    if "variant" in placed.cells and (placed.cells["variant"] or "") not in (variants or ("",)):
        listed = ", ".join(variants)
        yield _problem(
            placed, "variant", "该标准没有这一类别", "is no class of plants that this standard tells apart",
            f"改为其一: {listed}" if variants else "留空", f"use one of: {listed}" if variants else "leave it empty",
        )  # fmt: skip


def _has_limits(book: RuleBook, pack: str) -> bool:
    return any(row.table == "standard_limit" for row in book.rows(pack))


def _twice(rows: list[Placed]) -> Iterator[Problem]:
    """One scope and pack in force twice at a time: nobody could say which variant counts."""
    for a, b in combinations([p for p in rows if p.period], 2):
        same = all(a.filled(name) and a.cells.get(name) == b.cells.get(name) for name in SHEET.key)
        if same and a.period and b.period and a.period[0] < b.period[1] and b.period[0] < a.period[1]:
            yield _problem(
                b, "pack", f"与第 {a.row} 行同时有效", f"is in force together with line {a.row}",
                "以 valid_to 结束前一行", "end the earlier row with valid_to",
            )  # fmt: skip


def _problem(placed: Placed, column: str, *texts: str) -> Problem:
    value = placed.cells.get(column)
    return Problem(SHEET.file, placed.row, column, "" if value is None else str(value), *texts)
