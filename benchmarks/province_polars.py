"""Hours, mass and months in polars, as one would write them: one lazy query over all files, streaming.

Belongs here: the figures of `benchmarks/province.py` in polars' own words. Does not belong here: signals, tags, writing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.province import Law

POLLUTANTS = ("pm", "so2", "nox")


def _valid(channel: str) -> pl.Expr:
    return pl.when(pl.col(f"{channel}_flag") == "N").then(pl.col(f"{channel}_avg"))


def figures(files: list[Path], law: Law) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Hours by outlet and pollutant, and judged and ok hours by month."""
    o2 = _valid("o2")
    factor = pl.when((o2 < law.guard_pct) & (o2 < law.air_pct)).then(
        (law.air_pct - law.reference_pct) / (law.air_pct - o2)
    )
    flow = (
        _valid("flow")
        * (law.zero_c_k / (law.zero_c_k + _valid("temperature")))
        * (_valid("pressure") / law.standard_kpa)
        * (1.0 - _valid("humidity") / 100.0)
    )

    def mean(name: str) -> pl.Expr:
        return pl.when(pl.col(name).count() >= law.min_minutes).then(pl.col(name).mean())

    wide = (
        pl.scan_parquet(files)
        .select(
            "outlet_id",
            pl.col("data_time").dt.truncate("1h").alias("hour"),
            flow.alias("flow"),
            *(_valid(p).alias(p) for p in POLLUTANTS),
            *((_valid(p) * factor).alias(f"{p}_converted") for p in POLLUTANTS),
        )
        .group_by("outlet_id", "hour")
        .agg(
            mean("flow"),
            *(mean(p) for p in POLLUTANTS),
            *(mean(f"{p}_converted") for p in POLLUTANTS),
            *(pl.col(f"{p}_converted").count().alias(f"{p}_minutes") for p in POLLUTANTS),
        )
        .collect(engine="streaming")
    )
    hours = pl.concat(
        [
            wide.select(
                "outlet_id",
                pl.lit(p).alias("pollutant"),
                "hour",
                "flow",
                pl.col(p).alias("concentration"),
                pl.col(f"{p}_converted").alias("converted"),
                pl.col(f"{p}_minutes").alias("valid_minutes"),
                (pl.col(p) * pl.col("flow") * 1e-6).alias("mass"),
                (pl.col(f"{p}_converted") <= law.limits[p] * (1.0 + 1e-12)).alias("ok"),
            )
            for p in POLLUTANTS
        ]
    )
    months = hours.group_by("outlet_id", "pollutant", pl.col("hour").dt.strftime("%Y-%m").alias("month")).agg(
        pl.col("ok").count().alias("judged_hours"), pl.col("ok").sum().alias("ok_hours")
    )
    return hours, months
