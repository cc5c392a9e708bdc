"""Months of a year in which a fuel or substitute of other months has no row at all: the figure stands, and may not be filed.

Belongs here: which rows a series lacks (carbon-rules 3: twelve rows for every fuel and line, nought only of what stood), and their
names as drafts. Does not belong here: months in which a line filed nothing (`carbon_year`), the finding on ledgers (L60).

No row is no nought: nobody said that nothing was burnt. A row of 0 says so, and so does a month in which the kiln made no clinker.
"""

from __future__ import annotations

import polars as pl

from assets.carbon_plan import OF_CLINKER

#: Parts whose sources are series of a ledger, and which.
_LEDGERS = {
    "fossil": "ledger_fuel",
    "other_fossil": "ledger_fuel",
    "deduction": "ledger_rawmat",
    "altfuel": "ledger_altfuel",
}
_OWNER = ["plant_id", "account_line"]
_SERIES = [*_OWNER, "part", "source"]


def with_unfiled(rows: pl.DataFrame) -> pl.DataFrame:
    """Sources of a year's months with the months that their series lacks named among their `drafts`; order and rows stay."""
    part = pl.col("part").cast(pl.String)
    # What nobody lists deducts nothing, filed or not.
    counts = part.is_in(list(_LEDGERS)) & ((part != "deduction") | (pl.col("factor") != 0))
    known = (counts & pl.col("activity").is_not_null()).any().alias("known")
    some = rows.filter(part.is_in(list(_LEDGERS))).group_by(*_SERIES, "month").agg(known)
    # Of gaps, which have no amount in any month, nothing is due but what is missing already.
    series = some.filter("known").select(_SERIES).unique()
    due = series.join(_due(rows), on=_OWNER, nulls_equal=True)
    lacking = due.join(some, on=[*_SERIES, "month"], how="anti", nulls_equal=True)
    if not lacking.height:
        return rows
    ledger = part.replace_strict(_LEDGERS, default=None, return_dtype=pl.String)
    what = pl.col("source").cast(pl.String).str.strip_prefix("altfuel/")
    months = pl.col("month").cast(pl.String).sort().str.join(", ").alias("months")
    named = lacking.group_by(_SERIES).agg(months)
    named = named.select(*_SERIES, pl.format("no row: {} {} {}", ledger, what, "months").alias("unfiled"))
    joined = rows.join(named, on=_SERIES, how="left", nulls_equal=True, maintain_order="left")
    text = pl.concat_str(pl.col("drafts").cast(pl.String), "unfiled", separator="|", ignore_nulls=True)
    return joined.with_columns(
        pl.when(counts & pl.col("unfiled").is_not_null()).then(text).otherwise(pl.col("drafts").cast(pl.String)).alias("drafts")
    ).drop("unfiled")  # fmt: skip


def _due(rows: pl.DataFrame) -> pl.DataFrame:
    """Months in which each line, and each plant as a whole (line null), was there and did not stand still."""
    lines = rows.filter(pl.col("level") == "line").select(*_OWNER, "month").unique()
    plants = rows.select("plant_id", "month").unique()
    idle = (pl.col("activity") == 0).fill_null(False).all().alias("idle")
    clinker = rows.filter(pl.col("part").cast(pl.String).is_in(OF_CLINKER))
    stood = clinker.group_by(*_OWNER, "month").agg(idle).filter("idle")
    all_stood = clinker.group_by("plant_id", "month").agg(idle).filter("idle")
    lines = lines.join(stood, on=[*_OWNER, "month"], how="anti")
    plants = plants.join(all_stood, on=["plant_id", "month"], how="anti")
    whole = plants.with_columns(account_line=pl.lit(None, pl.String).cast(lines.schema["account_line"]))
    return pl.concat([lines, whole.select(lines.columns)])
