"""Electricity and heat of a month: amounts by plant, factors by basis.

Belongs here: which kilowatt-hours count under which basis (carbon-rules 6), net heat. Does not belong here: fuels and process
(`carbon_sources`) and values of factors.

A plant's own row is its whole electricity, rows of its lines are parts of it; only where there is none do lines add up to the plant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.carbon_frames import ids_of, missing_of, picked, when_missing

if TYPE_CHECKING:
    from assets.carbon_factors import Factors
    from assets.carbon_inputs import Inputs
    from resources.methods import Part

#: Scope of the grid factor of each basis, the column of its region, and whether certificates are taken off.
_GRID = {
    "location_province": ("province", "province", False),
    "location_national": ("national", "", False),
    "location_region": ("region_ndrc", "region", False),
    "national_ets": ("national_ets", "", False),
    "net_national": ("national", "", True),
    "market_residual": ("national_residual", "", True),
}
_NATION = "全国"
_MWH = ("grid_mwh", "certificate_mwh", "exported_mwh")


def electricity(inputs: Inputs, factors: Factors, part: Part) -> pl.DataFrame:
    """One row a plant and basis: grid less exported electricity, under some bases less what certificates cover."""
    plants = inputs.plants.join(_by_plant(inputs.of("ledger_electricity"), inputs.lines), on="plant_id", how="left")
    return pl.concat([_basis(plants, factors, basis, inputs.month) for basis in part.listed("bases")], how="diagonal")


def _by_plant(rows: pl.DataFrame, every: pl.DataFrame) -> pl.DataFrame:
    own = rows.filter(pl.col("line_id").is_null())
    lines = rows.filter(pl.col("line_id").is_not_null() & ~pl.col("plant_id").is_in(own["plant_id"].implode()))
    columns = ["plant_id", *_MWH, "src_path", "src_row"]
    # One line that says nothing of the grid, or nothing at all, leaves the plant's amount unknown.
    silent = every.filter(~pl.col("line_id").is_in(lines["line_id"].implode()))["plant_id"]
    known = (pl.col("grid_mwh").null_count() == 0) & pl.col("all").all()
    grid = pl.when(known).then(pl.col("grid_mwh").sum()).alias("grid_mwh")
    lines = lines.with_columns(~pl.col("plant_id").is_in(silent.implode()).alias("all"))
    others = [pl.col(n).sum() for n in _MWH[1:]]
    summed = lines.sort("line_id").group_by("plant_id").agg(grid, *others, pl.col("src_path", "src_row").first())
    return pl.concat([own.select(columns), summed.select(columns)])


def _basis(plants: pl.DataFrame, factors: Factors, basis: str, month: str) -> pl.DataFrame:
    scope, column, net = _GRID[basis]
    rows = plants.with_columns((pl.col(column) if column else pl.lit(_NATION)).alias("of"))
    rows = rows.join(factors.regional("grid", scope, rows["of"].unique(), "of"), on="of", how="left")
    amount = pl.col("grid_mwh") - pl.col("exported_mwh").fill_null(0.0)
    if net:
        amount -= pl.col("certificate_mwh").fill_null(0.0)
    amount = amount.round(9)
    # More exported than taken, or certified than used: not cut off at nought, and nothing to file unasked.
    rows = rows.with_columns(pl.when(amount < 0).then(pl.lit(f"electricity below zero {month}")).alias("below"))
    # No factor can be had for a plant that nobody placed: that is what is missing.
    lacking = pl.col("factor").is_null()
    unplaced = lacking & pl.lit(bool(column)) & (pl.col("province").fill_null("") == "")
    named = pl.when(pl.col("of") != "").then("of").otherwise("province")
    missing = missing_of(
        when_missing("grid_mwh", "ledger_electricity.grid_mwh"),
        pl.when(unplaced).then(pl.lit("registry plants.province")),
        pl.when(lacking & ~unplaced).then(pl.format(f"factor grid {scope} {{}}", named)),
    )
    return picked(
        rows, "ledger_electricity", line_id=pl.lit(None, pl.String), source=pl.lit(f"electricity {basis}"),
        electricity_basis=pl.lit(basis), activity=amount, activity_unit=pl.lit("MWh"), factor=pl.col("factor"),
        missing=missing, factor_ids=ids_of("factor_id"), drafts=ids_of("factor_draft", "below", *(("moved",) if column else ())),
    )  # fmt: skip


def line_electricity(inputs: Inputs, factors: Factors, part: Part) -> pl.DataFrame:
    """One row a line: electricity that it used from the grid, by the one basis of the part."""
    basis = part.listed("bases")[0]
    filed = inputs.of("ledger_electricity").filter(pl.col("line_id").is_not_null())
    rows = inputs.lines.drop("src_path", "src_row").join(
        filed.select("line_id", "grid_mwh", "src_path", "src_row"), on="line_id", how="left"
    )
    rows = rows.with_columns(pl.lit(_NATION).alias("of"))
    rows = rows.join(factors.regional("grid", _GRID[basis][0], [_NATION], "of"), on="of", how="left")
    missing = missing_of(
        when_missing("grid_mwh", "ledger_electricity.grid_mwh"),
        when_missing("factor", f"factor grid {_GRID[basis][0]}"),
    )
    return picked(
        rows, "ledger_electricity", source=pl.lit("electricity"), electricity_basis=pl.lit(basis), activity=pl.col("grid_mwh"),
        activity_unit=pl.lit("MWh"), factor=pl.col("factor"), missing=missing, factor_ids=ids_of("factor_id"),
        drafts=ids_of("factor_draft"),
    )  # fmt: skip


def heat(inputs: Inputs, factors: Factors, _part: Part) -> pl.DataFrame:
    """One row a plant that filed heat: purchased less exported."""
    rows = inputs.of("ledger_heat").with_columns(pl.lit("purchased").alias("of"))
    rows = rows.join(factors.frame("heat", "of", ["purchased"]), on="of", how="left")
    missing = missing_of(
        when_missing("purchased_gj", "ledger_heat.purchased_gj"), when_missing("factor", "factor heat")
    )
    amount = pl.col("purchased_gj") - pl.col("exported_gj").fill_null(0.0)
    return picked(
        rows, "ledger_heat", line_id=pl.lit(None, pl.String), source=pl.lit("heat"), activity=amount.round(9),
        activity_unit=pl.lit("GJ"), factor=pl.col("factor"), missing=missing, factor_ids=ids_of("factor_id"),
        drafts=ids_of("factor_draft"),
    )  # fmt: skip
