"""Rows of `ule_episodes`: unbroken runs of failing hours of a month, against the ultra-low limit and the mandatory standard.

Belongs here: which hours fail, and what lies across the month's borders. Does not belong here: finding runs
(`kernels/episodes.py`), joining months (`assets/annual.py`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from assets.judgement_limits import ORDERED, spelled
from contracts.ule_more import EPISODE_KINDS, ULE_EPISODES
from kernels.episodes import episodes
from kernels.judge import HOURS_PER_DAY, JUDGED, RUNNING

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from assets.judgement_limits import Codes, Floats, Month
    from assets.judgement_rows import Judged
    from assets.judgement_series import Bools, Series
    from resources.bench import Bench

_ENDS = ["outlet_id", "pollutant", "kind", "end"]


def episodes_table(bench: Bench, month: Month, series: Series, made: Judged) -> pa.Table:
    """`ule_episodes` of a month up to the end of the data; the month before is asked which of its episodes reach its end."""
    hours = made.hours
    against = {
        "ule": ((hours.outcome == JUDGED) & ~hours.ok, series.limit, series.rule),
        "mandatory": (hours.mandatory_ok == 0, series.mandatory, series.mandatory_rule),
    }
    whole = pl.concat(_frame(month, series, made, kind, *against[kind]) for kind in EPISODE_KINDS)
    before = _reaching(bench, month)
    first = datetime(month.first.year, month.first.month, 1)
    went_on = [row[0] == first and row[1:] in before for row in whole.select("start", *_ENDS[:3]).iter_rows()]
    return ULE_EPISODES.arrow(whole.with_columns(continues_before=pl.Series(went_on, dtype=pl.Boolean)))


def _reaching(bench: Bench, month: Month) -> set[tuple[Any, ...]]:
    """Outlet, pollutant and kind of the episodes that last to the end of the month before."""
    table = bench.table("ule_episodes", f"{month.first - timedelta(days=1):%Y-%m}", _ENDS)
    if table is None:
        return set()
    frame = pl.DataFrame(pl.from_arrow(table)).with_columns(pl.col(pl.Categorical).cast(pl.String))
    ends = frame.filter(pl.col("end") == datetime(month.first.year, month.first.month, 1))
    return set(ends.select(_ENDS[:3]).iter_rows())


def _frame(
    month: Month, series: Series, made: Judged, kind: str, fails: Bools, limit: Floats, rule: Codes
) -> pl.DataFrame:
    found = episodes(fails, made.value, made.states.state > RUNNING)
    s, day = found.series, found.first // HOURS_PER_DAY
    start = np.datetime64(month.first, "ms")

    def at(hour: Codes) -> npt.NDArray[np.datetime64]:
        return np.asarray(start + hour.astype("timedelta64[h]"))

    return pl.DataFrame(
        {
            "outlet_id": spelled(series.outlets[s], series.names),
            "plant_id": spelled(series.plant[s, day], series.names),
            "line_id": spelled(series.line[s, day], series.names),
            "point_type": spelled(series.point_type[s, day], series.names),
            "pollutant": spelled(series.pollutants[s], list(ORDERED)),
            "kind": pl.Series([kind] * s.size, dtype=pl.String),
            "start": at(found.first),
            "end": at(found.first + found.hours),
            "hours": found.hours,
            "peak_mg_m3": found.peak,
            "peak_hour": at(found.peak_hour),
            "mean_mg_m3": found.mean,
            "limit_mg_m3": limit[s, day],
            "rule_id": spelled(rule[s, day], series.rules),
            "tagged_hours": found.marked,
            "continues_after": found.first + found.hours == fails.shape[1],
        }
    )
