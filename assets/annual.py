"""The year of each outlet and pollutant: `ule_monthly` and `ule_episodes` -> `ule_annual`, one partition per year.

Belongs here: summing months and joining episodes across them. Does not belong here: judging. The year is a summary beside the
legal month: no rule gives a verdict of the year.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from contracts.ule import HEADLINE_POLICY, ULE_MONTHLY, VERDICTS
from contracts.ule_more import ULE_ANNUAL, ULE_EPISODES

if TYPE_CHECKING:
    import pyarrow as pa

    from resources.bench import Bench

_SERIES = ["outlet_id", "pollutant"]
_SUMS = ["production_hours", "judged_hours", "ok_hours", "mandatory_fail_hours"]
_WORST = ["worst_720h_share_pct", "worst_720h_until"]
_PLACE = ["plant_id", "line_id", "point_type"]
_MONTHLY = [*_SERIES, *_PLACE, "month", "policy", "verdict", *_SUMS, *_WORST]
_EPISODES = [*_SERIES, "kind", "start", "end", "hours", "continues_before"]


def make_annual(bench: Bench, year: str) -> dict[str, pa.Table]:
    """`ule_annual` of `year` ('YYYY') over its months so far; {} when none was judged."""
    months = bench.keys(ULE_MONTHLY.name, f"{year}-01", f"{year}-12")
    frames = [_read(bench, ULE_MONTHLY.name, month, _MONTHLY) for month in months]
    if not frames:
        return {}
    monthly = pl.concat(frames).filter(policy=HEADLINE_POLICY).sort("month")
    episodes = pl.concat(_read(bench, ULE_EPISODES.name, month, _EPISODES) for month in months)
    made = _sums(monthly).join(_worst(monthly), on=_SERIES, how="left").join(_longest(episodes), on=_SERIES, how="left")
    return {ULE_ANNUAL.name: ULE_ANNUAL.arrow(made.with_columns(year=pl.lit(year)).select(pl.col(ULE_ANNUAL.names)))}


def _read(bench: Bench, name: str, month: str, columns: list[str]) -> pl.DataFrame:
    table = bench.table(name, month, columns)
    contract = {t.name: t for t in (ULE_MONTHLY, ULE_EPISODES)}[name]
    frame = pl.DataFrame(pl.from_arrow(contract.empty().select(columns) if table is None else table))
    return frame.with_columns(pl.col(pl.Categorical).cast(pl.String))


def _sums(monthly: pl.DataFrame) -> pl.DataFrame:
    """Months by verdict and hours; plant, line and point type are those of the last month."""
    by_verdict = {f"{v.lower()}_months": (pl.col("verdict") == v).sum() for v in VERDICTS}
    made = monthly.group_by(_SERIES).agg(pl.col(_PLACE).last(), pl.col(_SUMS).sum(), months=pl.len(), **by_verdict)
    share = 100.0 * pl.col("ok_hours") / pl.col("judged_hours")
    return made.with_columns(share_pct=pl.when(pl.col("judged_hours") > 0).then(share))


def _worst(monthly: pl.DataFrame) -> pl.DataFrame:
    known = monthly.filter(pl.col(_WORST[0]).is_not_null()).sort(*_WORST)
    return known.group_by(_SERIES).agg(pl.col(_WORST).first())


def _longest(episodes: pl.DataFrame) -> pl.DataFrame:
    """The longest run of hours above the ultra-low limit: rows that continue the one before them are one run with it."""
    own = episodes.filter(kind="ule").sort(*_SERIES, "start")
    goes_on = pl.col("continues_before") & (pl.col("end").shift() == pl.col("start"))
    own = own.with_columns(run=(~goes_on.over(_SERIES).fill_null(value=False)).cum_sum())
    runs = own.group_by(*_SERIES, "run").agg(
        longest_episode_hours=pl.col("hours").sum(),
        longest_episode_start=pl.col("start").first(),
        longest_episode_end=pl.col("end").last(),
    )
    ordered = runs.sort("longest_episode_hours", "longest_episode_start", descending=[True, False])
    return ordered.group_by(_SERIES).agg(pl.exclude("run").first())
