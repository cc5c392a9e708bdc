"""Rows of `ule_plants`: a plant or line passes when every judged outlet of it does (air-rules 1.3, `scope`).

Belongs here: putting verdicts of outlets together. Does not belong here: these verdicts (`judgement_verdicts`), capacities
(`judgement_progress`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.judgement_verdicts import JOINT, JOINT_POLLUTANTS
from contracts.ule_more import COMBINE, ULE_PLANTS

if TYPE_CHECKING:
    import pyarrow as pa

_READ = ["outlet_id", "plant_id", "line_id", "pollutant", "month", "policy", "verdict"]
_KEY = ["scope", "scope_id", "plant_id", "month", "policy", "combine"]


def plants_table(monthly: pa.Table) -> pa.Table:
    """`ule_plants` from `ule_monthly`. Outlets without a line count for their plant alone."""
    rows = pl.DataFrame(pl.from_arrow(monthly.select(_READ))).with_columns(pl.col(pl.Categorical).cast(pl.String))
    return ULE_PLANTS.arrow(scope_verdicts(rows).select(pl.col(ULE_PLANTS.names)))


def scope_verdicts(rows: pl.DataFrame) -> pl.DataFrame:
    """Verdicts of plants and lines under each policy and way of taking pollutants together, from those of outlets (strings).

    Jointly, the joint verdict of an outlet stands for those of its members; pollutants outside it, and outlets without a joint
    verdict, keep their own.
    """
    of_outlet = ["outlet_id", "plant_id", "line_id", "month", "policy"]
    has_joint = (pl.col("pollutant") == JOINT).any().over("outlet_id", "month", "policy")
    replaced = has_joint & pl.col("pollutant").is_in(list(JOINT_POLLUTANTS))
    chosen = {"per_pollutant": pl.col("pollutant") != JOINT, "joint": ~replaced}
    outlets = pl.concat(
        rows.filter(chosen[way]).group_by(of_outlet).agg(**_tally(), n=pl.len()).with_columns(combine=pl.lit(way))
        for way in COMBINE
    ).with_columns(verdict=_verdict(pl.col("n")))  # fmt: skip
    scopes = [("plant", "plant_id"), ("line", "line_id")]
    placed = pl.concat(
        outlets.filter(pl.col(name).is_not_null()).with_columns(scope=pl.lit(scope), scope_id=pl.col(name))
        for scope, name in scopes
    )
    return placed.group_by(_KEY).agg(
        **_tally(), outlets=pl.len(), pass_outlets=(pl.col("verdict") == "PASS").sum()
    ).with_columns(verdict=_verdict(pl.col("outlets"))).rename(
        {"FAIL": "fail_outlets", "INSUFFICIENT": "insufficient_outlets", "NO_PRODUCTION": "no_production_outlets"}
    )  # fmt: skip


def _tally() -> dict[str, pl.Expr]:
    return {v: (pl.col("verdict") == v).sum() for v in ("FAIL", "INSUFFICIENT", "NO_PRODUCTION")}


def _verdict(whole: pl.Expr) -> pl.Expr:
    """One failing part fails the whole; then one insufficient part leaves it open; a whole without production is not judged."""
    return (
        pl.when(pl.col("FAIL") > 0).then(pl.lit("FAIL"))
        .when(pl.col("INSUFFICIENT") > 0).then(pl.lit("INSUFFICIENT"))
        .when(pl.col("NO_PRODUCTION") == whole).then(pl.lit("NO_PRODUCTION"))
        .otherwise(pl.lit("PASS"))
    )  # fmt: skip
