"""Rows of `carbon_line_year`: what a line emitted in a year, per tonne of clinker, and whether it may be filed.

Belongs here: the columns of a line's year, both ways of adding. Does not belong here: sources of the year (`carbon_year`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.carbon_groups import ACCOUNT, TOTAL, choose, texts
from assets.carbon_plan import OF_CLINKER
from contracts.carbon import SUMS
from kernels.carbon_sums import totals
from kernels.carbon_units import GJ_PER_TCE
from kernels.rounding import quotient

if TYPE_CHECKING:
    from assets.carbon_year import Year
    from kernels.carbon import Places
    from kernels.rounding import Bytes, Floats

_OWN = ["plant_id", "line_id"]
_KEY = [*_OWN, "method_id"]
#: The same as accounts name it.
_ACCOUNT = ["plant_id", "account_line", "method_id"]
_NAMES = {s: f"{s}_tco2" for s in SUMS}


def line_years(year: Year) -> pl.DataFrame:
    """One row a line of a plant, method and aggregation, but for the columns that are the same for all."""
    accounts = _accounts(year)
    both = [_weighted(year, accounts), _monthly(year, accounts)]
    made = pl.concat(both, how="diagonal").join(_clinker(year), on=_KEY, how="left")
    made = made.join(year.gaps.select(*_OWN, "gap"), on=_OWN, how="left").join(year.filed, on=_OWN, how="left")
    for column, separator in (("missing", "; "), ("drafts", "|")):
        made = made.join(
            year.listed(_ACCOUNT, column, separator),
            left_on=_KEY,
            right_on=_ACCOUNT,
            how="left",
        )
    missing = pl.concat_str("gap", "missing", separator="; ", ignore_nulls=True)
    gone = pl.col("missing").is_not_null()
    made = made.with_columns(pl.when(missing != "").then(missing).alias("missing")).with_columns(
        *(pl.when(~gone).then(c).alias(c) for c in (*_NAMES.values(), "clinker_t", "heat", "carbide_t")),
        pl.col("months").fill_null(0), pl.col("complete").fill_null(False),
    )  # fmt: skip
    return _per_tonne(year, made).with_columns(status(pl.col("total_tco2"))).drop("account_line")


def status(figure: pl.Expr) -> pl.Expr:
    """Status of a year's figure: fit for filing only if whole, complete, and resting on no draft."""
    drafted = pl.col("drafts").is_not_null() | ~pl.col("complete")
    return (
        pl.when(figure.is_null())
        .then(pl.lit("missing"))
        .when(drafted)
        .then(pl.lit("draft"))
        .otherwise(pl.lit("filing"))
        .alias("status")
    )


def _accounts(year: Year) -> pl.DataFrame:
    rows: pl.DataFrame = year.rows[year.source_starts[year.unit_starts[year.account_starts[:-1]]].tolist()]
    return texts(rows.select(*ACCOUNT, line_id=pl.col("account_line")))


def _weighted(year: Year, accounts: pl.DataFrame) -> pl.DataFrame:
    first_sources = year.unit_starts[:-1]
    code = (
        year.sources["sum"][first_sources.tolist()]
        .replace_strict({n: i for i, n in enumerate(SUMS)}, return_dtype=pl.Int64)
        .to_numpy()
    )
    profile: Places = accounts["method_id"].replace_strict(year.plan.first_of, return_dtype=pl.Int64).to_numpy()
    made = accounts
    for s, name in enumerate(SUMS):
        chosen = choose(year.account_starts, (code == s) | (s == TOTAL))
        values = totals(year.figures, chosen.members, chosen.starts, year.plan.rounding, profile)
        has = [
            m.id for m in year.plan.methods if s == TOTAL or any(p.sum == name and p.level == "line" for p in m.parts)
        ]
        figure = pl.when(pl.col("method_id").is_in(has)).then(pl.Series(values).fill_nan(None))
        made = made.with_columns(figure.alias(_NAMES[name]))
    heat = year.sources.filter(pl.col("level") == "line").group_by(_ACCOUNT).agg(_all("heat"))
    made = made.filter(pl.col("level") == "line").join(heat, on=_ACCOUNT, how="left")
    return made.drop("level").with_columns(aggregation=pl.lit("annual_weighted"))


def _monthly(year: Year, accounts: pl.DataFrame) -> pl.DataFrame:
    # Rounded to what the sum of decimals is on paper.
    value = pl.when(pl.col("emission_tco2").null_count() == 0).then(pl.col("emission_tco2").sum().round(6))
    sums = (
        year.sums.group_by(*_KEY, "sum")
        .agg(value.alias("value"))
        .pivot(on="sum", on_columns=list(SUMS), index=_KEY, values="value")
    )
    made = accounts.filter(pl.col("level") == "line").join(sums.rename(_NAMES), on=_KEY, how="left")
    heat = year.sources.filter(pl.col("level") == "line").group_by(_ACCOUNT).agg(_all("months_heat").alias("heat"))
    return made.join(heat, on=_ACCOUNT, how="left").drop("level").with_columns(aggregation=pl.lit("monthly_sum"))


def _all(column: str) -> pl.Expr:
    return pl.col(column).sum().round(6)


def _clinker(year: Year) -> pl.DataFrame:
    """Clinker and carbide slag of the year by plant, line and method, with their factors."""
    lines = year.sources.filter(pl.col("level") == "line").with_columns(line_id=pl.col("account_line"))
    clinker = lines.filter(pl.col("part").is_in(OF_CLINKER)).select(
        *_KEY, clinker_t="activity", ef=pl.when(pl.col("part") == "clinker").then("factor")
    )
    carbide = lines.filter((pl.col("part") == "deduction") & (pl.col("source") == "carbide_slag"))
    carbide = carbide.select(*_KEY, carbide_t="activity", k="factor")
    return clinker.join(carbide, on=_KEY, how="left")


def _per_tonne(year: Year, made: pl.DataFrame) -> pl.DataFrame:
    """Whole tonnes, intensity, heat and the carbide slag rate, each rounded by the profile of the method."""

    def places(quantity: str) -> Bytes:
        of_method = {m.id: m.profile.places(quantity) for m in year.plan.methods}
        found: Bytes = made["method_id"].replace_strict(of_method, return_dtype=pl.Int8).to_numpy()
        return found

    def of(column: str) -> Floats:
        return made[column].fill_null(np.nan).to_numpy()

    one = np.ones(made.height)
    clinker, heat = of("clinker_t"), of("heat")
    deducts = pl.col("method_id").is_in([m.id for m in year.plan.methods if m.part("deduction")])
    rate = quotient([of("carbide_t"), of("k"), 100 * one], [clinker, of("ef")], places("rate"))
    figures = {
        "whole_tco2": quotient([of("total_tco2")], [one], places("whole")),
        "intensity_tco2_t": quotient([of("total_tco2")], [clinker], places("intensity")),
        "heat_gj_t": quotient([heat], [clinker], places("heat_intensity")),
        "heat_kgce_t": quotient([heat, 1000 * one], [clinker, GJ_PER_TCE * one], places("heat_kgce")),
    }
    burns = pl.col("method_id").is_in([m.id for m in year.plan.methods if m.part("fossil")])
    made = made.with_columns(**{name: pl.Series(values).fill_nan(None) for name, values in figures.items()})
    slag = pl.when(deducts & pl.col("clinker_t").is_not_null())
    return made.with_columns(
        *(pl.when(burns).then(c).alias(c) for c in ("heat_gj_t", "heat_kgce_t")),
        slag.then(pl.col("carbide_t").fill_null(0.0)).alias("carbide_t"),
        slag.then(pl.Series(rate).fill_nan(None).fill_null(0.0)).alias("carbide_rate_pct"),
    )
