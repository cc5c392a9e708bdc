"""The hours of a month that chosen standards look at, as dense arrays of outlet x pollutant.

Belongs here: reading `cems_hourly`. Does not belong here: what the hours come to (`standards_figures`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from contracts.events import STATES

if TYPE_CHECKING:
    import numpy.typing as npt

    from assets.judgement_limits import Month
    from resources.bench import Bench

#: State of an hour for which nothing is declared.
UNDECLARED = -1
_COLUMNS = ["outlet_id", "pollutant", "hour", "concentration_mg_m3", "o2_pct", "flow_m3_h", "process_state"]


@dataclass(frozen=True)
class Hours:
    """U rows of 24 x D hours. Dry, standard state, not converted; NaN = invalid or absent. `state` is an index of STATES or
    UNDECLARED. `absent` (U, D): the day has hours, but none of this outlet and pollutant: nobody expects them of a monitor. A day
    without hours of anything is a gap in the data, and absent only where the whole month is.
    """

    rows: dict[tuple[str, str], int]
    concentration: npt.NDArray[np.float64]
    o2: npt.NDArray[np.float64]
    flow: npt.NDArray[np.float64]
    state: npt.NDArray[np.int8]
    absent: npt.NDArray[np.bool_]


def read_hours(bench: Bench, month: Month, days: list[str], wanted: set[tuple[str, str]]) -> Hours:
    """The hours of `wanted` (outlet, pollutant) from the day partitions `days` of the month."""
    rows = {key: u for u, key in enumerate(sorted(wanted))}
    shape = (len(rows), 24 * month.shown)
    floats = [np.full(shape, np.nan) for _ in range(3)]
    state = np.full(shape, UNDECLARED, np.int8)
    there = np.zeros((len(rows), month.shown), np.bool_)
    gap = np.ones(month.shown, np.bool_)
    index = pl.DataFrame(
        {"outlet_id": [o for o, _ in rows], "pollutant": [p for _, p in rows], "u": list(rows.values())},
        schema={"outlet_id": pl.String, "pollutant": pl.String, "u": pl.Int64},
    )
    for day in days:
        table = bench.table("cems_hourly", day, _COLUMNS)
        if table is None:
            continue
        found = _of(pl.DataFrame(pl.from_arrow(table)), index, month)
        u, h = found["u"].to_numpy(), found["h"].to_numpy()
        gap[int(day[8:]) - 1] = False
        for target, name in zip(floats, _COLUMNS[3:6], strict=True):
            target[u, h] = found[name].fill_null(float("nan")).to_numpy()
        state[u, h] = found["state"].to_numpy()
        there[u, h // 24] = True
    absent = ~there & ~(gap & there.any(axis=1, keepdims=True))
    return Hours(rows, floats[0], floats[1], floats[2], state, absent)


def _of(frame: pl.DataFrame, index: pl.DataFrame, month: Month) -> pl.DataFrame:
    """Rows of the wanted series with their place: row `u`, hour `h` of the month, number of the state."""
    start = datetime.combine(month.first, time())
    numbers = {name: n for n, name in enumerate(STATES)}
    told = frame.with_columns(pl.col("outlet_id", "pollutant", "process_state").cast(pl.String))
    return (
        told.join(index, on=["outlet_id", "pollutant"])
        .with_columns(
            h=(pl.col("hour") - start).dt.total_hours(),
            state=pl.col("process_state").replace_strict(numbers, default=UNDECLARED, return_dtype=pl.Int8),
        )
        .filter(pl.col("h").is_between(0, 24 * month.shown, closed="left"))
    )
