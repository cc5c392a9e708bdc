"""Names of the factors that figures rest on: those that a row's own figure used, and no others.

Belongs here: the column `factor_set`. Does not belong here: which factors a source uses (`carbon_sources`), their values
(`resources/factors`). A name over all factors in force, or over all of a plant, would restate rows whose figures have not moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.carbon_groups import texts
from resources.factors import set_name

if TYPE_CHECKING:
    from datetime import date

    from resources.factors import FactorBook

_LINE = ["plant_id", "line_id", "method_id"]
_BASIS = ["plant_id", "method_id", "electricity_basis"]


def with_month_sets(rows: pl.DataFrame, book: FactorBook, first: date, last: date) -> pl.DataFrame:
    """Rows of a month with `factor_set`: the factors of the source, or of the sources of its line that a sum adds."""
    by = [*_LINE, "sum"]
    own = texts(rows.select(*by, "kind", "level", used=pl.col("factor_ids").cast(pl.String).fill_null("")))
    added = own.filter((pl.col("kind") == "source") & (pl.col("level") == "line"))
    summed = pl.concat([added, added.with_columns(sum=pl.lit("total"))]).group_by(by).agg(_joined("used").alias("all"))
    ids = own.join(summed, on=by, how="left", nulls_equal=True, maintain_order="left").select(
        pl.when(pl.col("kind") == "sum").then(pl.col("all").fill_null("")).otherwise("used")
    )
    # Sources have few different lists: only those are taken apart.
    apart = {lists: "|".join(sorted({*lists.split("|")} - {""})) for lists in ids.to_series().unique().to_list()}
    names = book.names_of_sets(sorted(set(apart.values())), first, last)
    named = {lists: names[used] for lists, used in apart.items()}
    return rows.with_columns(ids.to_series().replace_strict(named, return_dtype=pl.String).alias("factor_set"))


def with_line_sets(rows: pl.DataFrame, months: pl.DataFrame, year: int) -> pl.DataFrame:
    """Rows of lines with `factor_set`: the sets of what their totals add; what a plant uses as a whole is in none."""
    own = months.filter((pl.col("kind") == "source") & (pl.col("level") == "line"))
    return _named(rows, texts(own.select(*_LINE, "factor_set").unique()), _LINE, year)


def with_entity_sets(rows: pl.DataFrame, months: pl.DataFrame, year: int) -> pl.DataFrame:
    """Rows of plants with `factor_set`: the sets of what the total of their basis takes (`carbon_entities`)."""
    electric = pl.col("part") == "electricity"
    taken = electric | (pl.col("part") == "heat") | (pl.col("sum") != "energy")
    own = texts(
        months.filter((pl.col("kind") == "source") & taken)
        .select("plant_id", "method_id", "factor_set", basis=pl.when(electric).then("electricity_basis"))
        .unique()
    )
    every = own.join(rows.select(_BASIS).unique(), on=["plant_id", "method_id"])
    mine = pl.col("basis").is_null() | (pl.col("basis") == pl.col("electricity_basis"))
    return _named(rows, every.filter(mine), _BASIS, year)


def _named(rows: pl.DataFrame, sets: pl.DataFrame, by: list[str], year: int) -> pl.DataFrame:
    used = sets.group_by(by).agg(_joined("factor_set").alias("used"))
    joined = rows.join(used, on=by, how="left", nulls_equal=True, maintain_order="left")
    lists = joined["used"].fill_null("")
    names = {some: set_name(year, some.split("|")) for some in lists.unique().to_list()}
    return joined.drop("used").with_columns(lists.replace_strict(names, return_dtype=pl.String).alias("factor_set"))


def _joined(column: str) -> pl.Expr:
    return pl.col(column).unique().sort().str.join("|")
