"""Kiln and bypass dust of a month as sources.

Belongs here: what parts of methods take from `ledger_dust` (carbon-rules 4, 7). Does not belong here: clinker, fuels, raw materials
(`carbon_sources`), and the formulas (`kernels/carbon_forms`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.carbon_frames import ids_of, missing_of, picked, when_missing
from assets.carbon_inputs import SRC

if TYPE_CHECKING:
    from assets.carbon_factors import Factors
    from assets.carbon_inputs import Inputs
    from resources.methods import Part


def with_dust(inputs: Inputs, lines: pl.DataFrame, part: Part) -> tuple[pl.DataFrame, pl.Expr, list[pl.Expr]]:
    """Lines with the dust a part counts, its sum, and what is missing of it; an optional column left empty is none."""
    names, optional = part.listed("dust"), part.listed("optional")
    if not names:
        return lines, pl.lit(0.0), []
    lines = lines.join(inputs.of("ledger_dust").select("line_id", *names), on="line_id", how="left")
    still = pl.col("output_t") == 0
    needed = [n for n in names if f"ledger_dust.{n}" not in optional]
    gaps: list[pl.Expr] = [
        pl.when(pl.col(n).is_null() & ~still.fill_null(False)).then(pl.lit(f"ledger_dust.{n}")) for n in needed
    ]
    # As on paper: 0.005 t must not become a little less by adding. What is unknown is not nought.
    dust = pl.sum_horizontal(pl.col(n).fill_null(0.0) for n in names).round(9)
    return lines, pl.when(missing_of(*gaps).is_null()).then(dust), gaps


def _dust(inputs: Inputs, factors: Factors, source: str, factor: tuple[str, str], *more: str) -> pl.DataFrame:
    """Lines with their dust row and the factor for it."""
    rows = inputs.lines.drop(SRC).join(
        inputs.of("ledger_dust").select("line_id", *more, *SRC), on="line_id", how="left"
    )
    rows = rows.with_columns(pl.lit(factor[1]).alias("scope"), pl.lit(source).alias("source"))
    return rows.join(factors.frame(factor[0], "scope", [factor[1]]), on="scope", how="left")


def _dust_rows(
    rows: pl.DataFrame, amount: pl.Expr, missing: pl.Expr, ids: tuple[str, ...], **terms: pl.Expr
) -> pl.DataFrame:
    return picked(
        rows, "ledger_dust", source=pl.col("source"), activity=amount, activity_unit=pl.lit("t"), factor=pl.col("factor"),
        missing=missing, factor_ids=ids_of(*(f"{i}_id" for i in ids)), drafts=ids_of(*(f"{i}_draft" for i in ids)), **terms,
    )  # fmt: skip


def bypass_dust(inputs: Inputs, factors: Factors, _part: Part) -> pl.DataFrame:
    """Bypass dust at the full clinker factor (carbon-rules 7, GCCA)."""
    rows = _dust(inputs, factors, "bypass dust", ("ef_clinker", "default"), "bypass_dust_t")
    rows = rows.filter(pl.col("bypass_dust_t").is_not_null())
    return _dust_rows(
        rows, pl.col("bypass_dust_t"), missing_of(when_missing("factor", "factor ef_clinker default")), ("factor",)
    )


def kiln_dust(inputs: Inputs, factors: Factors, part: Part) -> pl.DataFrame:
    """Kiln dust by its calcination, filed or the default of the kiln type (7, GCCA)."""
    rows = _dust(inputs, factors, "kiln dust", ("ef_clinker", "default"), "ckd_t", "ckd_calcination")
    kind = part.options.get("calcination", "")
    rows = rows.with_columns(pl.lit(kind).alias("kiln")).join(
        factors.frame("ckd_calcination", "kiln", [kind], "d"), on="kiln", how="left"
    )
    filed = pl.col("ckd_calcination")
    rows = rows.with_columns(
        filed.fill_null(pl.col("d")).alias("taken"),
        *(pl.when(filed.is_null()).then(f"d_{s}").alias(f"d_{s}") for s in ("id", "draft")),
    )
    # Dust that is not calcined has emitted nothing, however much of it there is.
    rows = rows.filter(pl.col("ckd_t").is_not_null() | (pl.col("taken") != 0).fill_null(True))
    missing = missing_of(
        when_missing("ckd_t", "ledger_dust.ckd_t"), when_missing("factor", "factor ef_clinker default"),
        when_missing("taken", "factor ckd_calcination"),
    )  # fmt: skip
    return _dust_rows(rows, pl.col("ckd_t"), missing, ("factor", "d"), calcination=pl.col("taken"))


def dust_factor(inputs: Inputs, factors: Factors, part: Part) -> pl.DataFrame:
    """Dust columns of the part by one factor (7, EU MRR tier 1)."""
    rows = _dust(inputs, factors, "kiln dust", ("ef_ckd", "default"))
    rows, amount, gaps = with_dust(inputs, rows, part)
    return _dust_rows(rows, amount, missing_of(*gaps, when_missing("factor", "factor ef_ckd default")), ("factor",))


def no_kiln_dust(inputs: Inputs, _factors: Factors, _part: Part) -> pl.DataFrame:
    """A gap where kiln dust left the system, or nobody says that none did: its own analyses would be needed (7, EPA H-4)."""
    rows = inputs.lines.join(inputs.of("ledger_dust").select("line_id", "ckd_t"), on="line_id", how="left")
    rows = rows.filter(((pl.col("ckd_t") != 0) | pl.col("ckd_t").is_null()) & (pl.col("output_t") != 0).fill_null(True))
    named = (
        pl.when(pl.col("ckd_t").is_null()).then(pl.lit("ledger_dust.ckd_t")).otherwise(pl.lit("analyses of kiln dust"))
    )
    return rows.select("plant_id", "line_id", pl.lit("kiln dust").alias("source"), named.alias("missing"))
