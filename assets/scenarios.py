"""Scenarios of a year: other heating values, fuels, factors, carbide shares or balance values, computed as the year itself is.

Belongs here: what a scenario changes in the sources of months, and the lines and allowances that follow, by the makers' own steps.
Does not belong here: words and options (`pipelines/cli_sweep`), formulas (`kernels`). Nothing is written anywhere.

Axes: ncv:FUEL in % of what stands; switch:FROM:TO in % of the heat of FROM; clinker-factor in tCO2/t; carbide as the substitution
rate in %; balance in tCO2/t. They act in this order, whatever order they are given in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.allocation import CARBIDE, allocated
from assets.allocation_desk import Ground, desk_of, gross_process
from assets.carbon_factors import Factors
from assets.carbon_inputs import plain
from assets.carbon_lines import line_years
from assets.carbon_plan import Plan
from assets.carbon_year import Year
from kernels.allocation import balance_value
from resources.ets_home import Balance

if TYPE_CHECKING:
    from assets.allocation_desk import Desk
    from resources.bench import Bench
    from resources.methods import Method

#: Axes in the order in which they act, with how many names follow.
AXES = {"ncv": 1, "switch": 2, "clinker-factor": 0, "carbide": 0, "balance": 0}
SOLVE = "solve"
_TO = {"default_ncv": "ncv_gj", "carbon": "carbon_tc_gj", "oxidation": "oxidation_pct"}


@dataclass(frozen=True, slots=True)
class Change:
    """One axis at one value: `names` are the fuels it is about."""

    axis: str
    names: tuple[str, ...]
    value: float


@dataclass(frozen=True)
class Stage:
    """A year as it stands, ready to be changed: sources of its months under the plan's method, and what allowances rest on."""

    desk: Desk
    plan: Plan
    method: Method
    months: pl.DataFrame

    def run(self, changes: tuple[Change, ...], *, solve: bool = False) -> tuple[list[dict[str, Any]], Balance | None]:
        """Rows of `allocation_year` under the changes, and the balance value they rest on; `solve`: the one that these lines would have."""
        rows, ground = self.months, self.desk.ground
        for change in sorted(changes, key=lambda c: list(AXES).index(c.axis)):
            if change.axis == "balance":
                ground = replace(ground, balance=Balance(ground.year, change.value, "what-if", None))
            else:
                rows = _CHANGED[change.axis](self, rows, change)
        lines = line_years(Year.of(self.plan, rows, ground.registry)).filter(
            method_id=ground.plan.method, aggregation=ground.plan.aggregation
        )
        listed = lines.with_columns(pl.lit("").alias("factor_set")).sort("plant_id", "line_id").to_dicts()
        entities = self._entities(listed)
        if solve:
            ground = self._solved(ground, listed, entities, rows)
        return self._allocated(ground, listed, entities, rows), ground.balance

    def _allocated(
        self, ground: Ground, lines: list[dict[str, Any]], entities: dict[str, float], months: pl.DataFrame
    ) -> list[dict[str, Any]]:
        gross = gross_process(months) if self.desk.gross else {}
        return allocated(ground, lines, entities, self.desk.previous, self.desk.declared, gross)

    def _entities(self, lines: list[dict[str, Any]]) -> dict[str, float]:
        """Direct emissions of plants, moved by what their lines moved; a plant whose line lost its number has none."""
        made = dict(self.desk.entities)
        for line in lines:
            plant, before = line["plant_id"], self.desk.totals.get((line["plant_id"], line["line_id"]))
            if plant in made and before is not None and line["total_tco2"] is not None:
                made[plant] += line["total_tco2"] - before
            else:
                made.pop(plant, None)
        return made

    def _solved(
        self, ground: Ground, lines: list[dict[str, Any]], entities: dict[str, float], months: pl.DataFrame
    ) -> Ground:
        formula = ground.formula()
        rows = self._allocated(ground, lines, entities, months)
        known = [
            (r["total_tco2"], r["clinker_t"])
            for r in rows
            if r["special"] is None and r["total_tco2"] and r["clinker_t"]
        ]
        if formula is None or not known:
            return replace(ground, balance=None)
        return replace(ground, balance=Balance(ground.year, float(balance_value(known, formula)), SOLVE, None))


def stage_of(bench: Bench, year: str) -> Stage | None:
    """The year as the lake has it; None where no plan covers it or nothing was computed under its method."""
    desk = desk_of(bench, year)
    if desk is None:
        return None
    first, last = date(int(year), 1, 1), date(int(year), 12, 31)
    book = bench.methods(first, last)
    plan = Plan.of(book, first.year)
    method = next((m for m in plan.methods if m.id == desk.ground.plan.method), None)
    keys = bench.keys("carbon_line_month", f"{year}-01", f"{year}-12")
    months = [plain(rows) for k in keys if (rows := bench.table("carbon_line_month", k)) is not None]
    if method is None or not months:
        return None
    return Stage(desk, plan, method, pl.concat(months).filter(method_id=method.id))


def _of_lines(part: str, *sources: str) -> pl.Expr:
    of = (pl.col("kind") == "source") & (pl.col("level") == "line") & (pl.col("part") == part)
    return of & pl.col("source").is_in(sources) if sources else of


def _ncv(_stage: Stage, rows: pl.DataFrame, change: Change) -> pl.DataFrame:
    value = pl.col("ncv_gj") * (1 + change.value / 100)
    return rows.with_columns(
        pl.when(_of_lines("fossil", *change.names)).then(value).otherwise("ncv_gj").alias("ncv_gj")
    )


def _switch(stage: Stage, rows: pl.DataFrame, change: Change) -> pl.DataFrame:
    """Heat stays the same: what FROM no longer gives comes from TO, with the factors the line has for it, else the method's."""
    old, new = change.names
    of = _of_lines("fossil", old)
    share = change.value / 100
    moved = rows.filter(of)
    by = ["line_id", "month", "facility"]
    own = rows.filter(_of_lines("fossil", new)).group_by(by).agg(pl.col(*_TO.values()).first().name.prefix("own_"))
    found = [
        Factors(stage.desk.ground.factors, stage.method, date.fromisoformat(f"{m}-01"))
        .fuels([(new, f) for f in moved["facility"].unique().sort()])
        .select("facility", *_TO, month=pl.lit(m))
        for m in moved["month"].unique().sort()
    ]
    if not found:
        return rows
    heat = pl.col("activity") * pl.col("ncv_gj") * share
    made = (
        moved.with_columns(heat.alias("_heat"))
        .join(pl.concat(found), on=["facility", "month"], how="left")
        .join(own, on=by, how="left")
    )
    made = made.with_columns(pl.coalesce(f"own_{name}", default).alias(name) for default, name in _TO.items())
    lacking = pl.any_horizontal(pl.col(n).is_null() for n in _TO.values())
    made = made.with_columns(
        pl.lit(new).alias("source"), pl.lit(new).alias("unit"), (pl.col("_heat") / pl.col("ncv_gj")).alias("activity"),
        pl.coalesce("missing", pl.when(lacking).then(pl.lit(f"factors of {new}"))).alias("missing"),
    ).select(rows.columns)  # fmt: skip
    left = pl.when(of).then(pl.col("activity") * (1 - share)).otherwise("activity").alias("activity")
    return pl.concat([rows.with_columns(left), made])


def _clinker_factor(_stage: Stage, rows: pl.DataFrame, change: Change) -> pl.DataFrame:
    return rows.with_columns(
        pl.when(_of_lines("clinker")).then(pl.lit(change.value)).otherwise("factor").alias("factor")
    )


def _carbide(stage: Stage, rows: pl.DataFrame, change: Change) -> pl.DataFrame:
    """Every line at this substitution rate in every month: M = rate x Q x EF / K (carbon-rules 2.2 (6))."""
    k = stage.desk.ground.factor("k_rawmat", CARBIDE)
    clinker = rows.filter(_of_lines("clinker"))
    mass = pl.col("activity") * pl.col("factor") * change.value / 100 / pl.lit(k.value if k else None, pl.Float64)
    made = clinker.with_columns(
        mass.alias("activity"), pl.lit(CARBIDE).alias("source"), pl.lit("deduction").alias("part"),
        pl.lit(k.value if k else None, pl.Float64).alias("factor"),
    )  # fmt: skip
    return pl.concat([rows.filter(~_of_lines("deduction", CARBIDE).fill_null(value=False)), made])


_CHANGED = {"ncv": _ncv, "switch": _switch, "clinker-factor": _clinker_factor, "carbide": _carbide}
