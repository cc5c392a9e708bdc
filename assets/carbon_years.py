"""Carbon of a year: lines and entities from the sources of its months, both ways of adding them.

Belongs here: the order of work from `carbon_line_month` to the tables of a year. Does not belong here: months (`carbon`), what the
year's tables share (`carbon_year`), their rows (`carbon_lines`, `carbon_entities`).

annual_weighted takes the year's amounts times weighted means, monthly_sum adds the rounded months; the guide supports the first, a
platform that adds columns gives the second.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from assets.carbon_entities import entity_years
from assets.carbon_lines import line_years
from assets.carbon_plan import Plan
from assets.carbon_sets import with_entity_sets, with_line_sets
from assets.carbon_year import Year
from contracts.carbon import CARBON_ENTITY_YEAR, CARBON_LINE_YEAR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from resources.bench import Bench
    from resources.home import Home

_READ = [
    "plant_id", "line_id", "month", "method_id", "kind", "source", "part", "level", "sum", "unit", "electricity_basis", "activity",
    "ncv_gj", "carbon_tc_gj", "oxidation_pct", "factor", "dust_t", "cao_pct", "mgo_pct", "noncarbonate_cao_pct",
    "noncarbonate_mgo_pct", "carbon_pct", "fossil_pct", "calcination", "correction", "emission_tco2", "missing", "drafts", "factor_set",
]  # fmt: skip


def carbon_year_keys(home: Home) -> Iterable[str]:
    """Years with months, and those that were made of some."""
    return {k[:4] for t in ("carbon_line_month", "carbon_line_year") for k in home.lake.keys(t)}


def make_carbon_years(bench: Bench, year: str) -> dict[str, pa.Table]:
    """`carbon_line_year` and `carbon_entity_year` of `year` ('YYYY') so far; {} without months."""
    months = bench.keys("carbon_line_month", f"{year}-01", f"{year}-12")
    tables = [rows for m in months if (rows := bench.table("carbon_line_month", m, _READ)) is not None]
    first, last = date(int(year), 1, 1), date(int(year), 12, 31)
    plan = Plan.of(bench.methods(first, last), first.year)
    if not tables or not plan.parts:
        return {}
    rows_of_months = pl.DataFrame(pl.from_arrow(pa.concat_tables(tables).unify_dictionaries()))
    made = Year.of(plan, rows_of_months, bench.registry(first, last))
    told = {
        "year": pl.lit(year),
        "method_version": pl.col("method_id").replace_strict({m.id: plan.book.hash_of(m) for m in plan.methods}, return_dtype=pl.String),
        "factor_policy": pl.col("method_id").replace_strict({m.id: m.selection for m in plan.methods}, return_dtype=pl.String),
        "in_force": pl.col("method_id").is_in([m.id for m in plan.methods if m.in_force(first.year)]),
    }  # fmt: skip
    lines = line_years(made)
    tables_of = {
        CARBON_LINE_YEAR: with_line_sets(lines, rows_of_months, first.year),
        CARBON_ENTITY_YEAR: with_entity_sets(entity_years(made, lines), rows_of_months, first.year),
    }
    return {t.name: t.arrow(rows.with_columns(**told).select(t.names)) for t, rows in tables_of.items()}
