"""Names of the factors that figures rest on: those that a line or a plant used, and no others.

Belongs here: the column `factor_set`. Does not belong here: which factors a row uses (`carbon_sources`), their values
(`resources/factors`). A name over all factors in force would restate every line when any one of them moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.carbon_groups import texts
from resources.factors import set_name

if TYPE_CHECKING:
    from datetime import date

    from resources.factors import FactorBook


def with_month_sets(rows: pl.DataFrame, book: FactorBook, first: date, last: date) -> pl.DataFrame:
    """Rows of a month with `factor_set`: the factors of their line (or plant, for what belongs to no line) under their method."""
    by = ["plant_id", "line_id", "method_id"]
    # Lines have few different lists of lists: only those are taken apart.
    used = rows.group_by(by).agg(
        pl.col("factor_ids").cast(pl.String).drop_nulls().unique().sort().str.join("|").alias("lists")
    )
    apart = {lists: "|".join(sorted({*lists.split("|")} - {""})) for lists in used["lists"].unique().to_list()}
    used = used.with_columns(pl.col("lists").replace_strict(apart, return_dtype=pl.String).alias("used")).drop("lists")
    names = book.names_of_sets(used["used"].unique().sort().to_list(), first, last)
    used = used.with_columns(pl.col("used").replace_strict(names, return_dtype=pl.String).alias("factor_set")).drop(
        "used"
    )
    return rows.join(used, on=by, how="left", nulls_equal=True, maintain_order="left")


def with_year_sets(rows: pl.DataFrame, months: pl.DataFrame, of: str, year: int) -> pl.DataFrame:
    """Rows of a year with `factor_set`: the sets of the months of their line or plant (`of`) under their method."""
    by = [of, "method_id"]
    told = texts(months.select(*by, "factor_set").unique())
    used = told.group_by(by).agg(pl.col("factor_set").unique().sort().str.join("|").alias("used"))
    names = {sets: set_name(year, sets.split("|")) for sets in used["used"].unique().to_list()}
    used = used.with_columns(pl.col("used").replace_strict(names, return_dtype=pl.String).alias("factor_set")).drop(
        "used"
    )
    return rows.join(used, on=by, how="left", nulls_equal=True, maintain_order="left")
