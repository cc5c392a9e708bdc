"""What the allowances of a year rest on: its plan, parameters, balance value, lines, entities, and the year before.

Belongs here: reading all of it. Does not belong here: what follows from it (`allocation`), the formula (`kernels/allocation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

import polars as pl

from contracts.carbon import CARBON_ENTITY_YEAR, CARBON_LINE_MONTH, CARBON_LINE_YEAR
from kernels.allocation import Formula
from kernels.rounding import exact
from resources.factors import MissingFactor

if TYPE_CHECKING:
    from resources.bench import Bench
    from resources.ets import Plan, RoundingOrder
    from resources.ets_home import Balance, LineYear
    from resources.factors import Factor, FactorBook
    from resources.registry import Registry

#: Columns of `carbon_line_year` that a line brings along.
LINE = [
    "plant_id", "line_id", "method_id", "aggregation", "clinker_t", "fossil_tco2", "process_tco2", "total_tco2", "whole_tco2",
    "carbide_t", "carbide_rate_pct", "complete", "missing", "drafts", "status", "factor_set",
]  # fmt: skip
_ENTITY = ["plant_id", "method_id", "aggregation", "direct_tco2"]


@dataclass(frozen=True)
class Ground:
    """What holds for a whole year."""

    year: int
    plan: Plan
    order: RoundingOrder
    factors: FactorBook
    registry: Registry
    balance: Balance | None

    @property
    def first(self) -> date:
        """The first day of the year."""
        return date(self.year, 1, 1)

    @property
    def last(self) -> date:
        """The last day of the year."""
        return date(self.year, 12, 31)

    def factor(self, quantity: str, scope: str) -> Factor | None:
        """A factor in force at the end of the year; None where there is none."""
        try:
            return self.factors.find(quantity, scope, self.last, method="" if quantity == "ets" else self.plan.method)
        except MissingFactor:
            return None

    def formula(self) -> Formula | None:
        """Slope, cap and band of the year; None where one is missing."""
        found = [self.factor("ets", f"alpha_{n}") for n in ("slope", "cap", "band")]
        values = [f.value for f in found if f]
        return Formula(*values) if len(values) == len(found) else None


@dataclass(frozen=True)
class Desk:
    """A year's lines and what their allowances rest on: `entities` direct emission by plant, `previous` of lines and of the year before,
    `totals` by plant and line of this one, `declared` what registry/ets_lines.csv says, `gross` as `gross_process` has it.
    """

    ground: Ground
    lines: pl.DataFrame
    entities: dict[str, float]
    previous: dict[str, float]
    declared: dict[str, LineYear | None]
    gross: dict[tuple[str, str], Fraction]

    @property
    def totals(self) -> dict[tuple[str, str], float]:
        """Emission of each line, by plant and line."""
        rows = self.lines.select("plant_id", "line_id", pl.col("total_tco2").cast(pl.Float64)).drop_nulls()
        return {(plant, line): total for plant, line, total in rows.iter_rows()}


def desk_of(bench: Bench, year: str) -> Desk | None:
    """Everything the allowances of `year` rest on; None where there are none to be made."""
    number = int(year)
    book = bench.ets(date(number - 1, 1, 1), date(number, 12, 31))
    plan = book.plan(number)
    lines = None if plan is None else _read(bench, CARBON_LINE_YEAR.name, year, LINE, plan)
    if plan is None or lines is None or not lines.height:
        return None
    first, last = date(number, 1, 1), date(number, 12, 31)
    own = bench.ets_home(first, last)
    registry, factors = bench.registry(first, last), bench.factors(first, last)
    ground = Ground(number, plan, book.orders[plan.profile], factors, registry, own.balance(number))
    before = book.plan(number - 1)
    previous = (
        {} if before is None else _whole_lines(_read(bench, CARBON_LINE_YEAR.name, str(number - 1), LINE, before))
    )
    entities = _column(_read(bench, CARBON_ENTITY_YEAR.name, year, _ENTITY, plan), "plant_id", "direct_tco2")
    declared = {n: own.line(n, number) for n in lines["line_id"]}
    return Desk(ground, lines, entities, previous, declared, _gross(bench, ground))


def classes_of(ground: Ground, plant_id: str, line_id: str) -> list[str]:
    """Classes of clinker that a plant's line is registered for in the year, in their order; more than one is a mixed year."""
    rows = (n for n in ground.registry.lines if (n.plant_id, n.line_id) == (plant_id, line_id))
    listed = sorted((n for n in rows if n.overlaps(ground.first, ground.last)), key=lambda n: n.valid_from)
    return list(dict.fromkeys(n.clinker_class for n in listed))


def gross_process(rows: pl.DataFrame) -> dict[tuple[str, str], Fraction]:
    """Clinker times its factor by plant and line, months added exactly, before substitutes deduct; `rows` are of one method's months.

    A line of which a month lacks either has none.
    """
    clinker = rows.filter(kind="source", part="clinker", level="line")
    made: dict[tuple[str, str], Fraction] = {}
    short: set[tuple[str, str]] = set()
    for plant, line, amount, factor in clinker.select("plant_id", "line_id", "activity", "factor").iter_rows():
        if amount is None or (factor is None and amount):
            short.add((plant, line))
        else:
            made[plant, line] = made.get((plant, line), Fraction(0)) + exact(amount) * exact(factor or 0.0)
    return {own: total for own, total in made.items() if own not in short}


def _gross(bench: Bench, ground: Ground) -> dict[tuple[str, str], Fraction]:
    """Read only where some line is of several classes: else clinker has one factor."""
    classes: dict[tuple[str, str], set[str]] = {}
    for n in ground.registry.lines:
        if n.overlaps(ground.first, ground.last):
            classes.setdefault((n.plant_id, n.line_id), set()).add(n.clinker_class)
    if all(len(some) == 1 for some in classes.values()):
        return {}
    name, columns = (
        CARBON_LINE_MONTH.name,
        ["plant_id", "line_id", "method_id", "kind", "part", "level", "activity", "factor"],
    )
    found = [
        t for m in bench.keys(name, f"{ground.year}-01", f"{ground.year}-12") if (t := bench.table(name, m, columns))
    ]
    rows = [pl.DataFrame(pl.from_arrow(t)).with_columns(pl.col(pl.Categorical).cast(pl.String)) for t in found]
    return gross_process(pl.concat(rows).filter(method_id=ground.plan.method)) if rows else {}


def _read(bench: Bench, table: str, key: str, columns: list[str], plan: Plan) -> pl.DataFrame:
    """Rows under the plan's method and way of adding months."""
    found = bench.table(table, key, columns)
    if found is None:
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    frame = pl.DataFrame(pl.from_arrow(found)).with_columns(pl.col(pl.Categorical).cast(pl.String))
    return frame.filter(pl.col("method_id") == plan.method, pl.col("aggregation") == plan.aggregation)


def _whole_lines(frame: pl.DataFrame) -> dict[str, float]:
    """Emission by line; of one that changed hands the sum of its plants' rows, none where one of them has none."""
    total = pl.col("total_tco2").cast(pl.Float64)
    whole = frame.group_by("line_id").agg(pl.when(total.null_count() == 0).then(total.sum().round(2)))
    return dict(whole.drop_nulls().iter_rows())


def _column(frame: pl.DataFrame, key: str, value: str) -> dict[str, float]:
    rows = (
        frame.select(key, pl.col(value).cast(pl.Float64))
        .drop_nulls()
        .unique(subset=key, keep="first", maintain_order=True)
    )
    return dict(rows.iter_rows())
