"""What earlier months of `standards_daily` and `standards_monthly` leave to a month: operating days, and days discarded.

Belongs here: walking back as far as a window reaches and no further. Does not belong here: the windows themselves (`kernels`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from assets.judgement_limits import Month
    from assets.standards_series import Series
    from resources.bench import Bench

_KEY = ["outlet_id", "pollutant", "standard"]


@dataclass(frozen=True, slots=True)
class PastDay:
    """One operating day before the month: sum of its valid hours (or pounds), how many they are, clinker in t (None: not known)."""

    total: float
    valid: int
    clinker_t: float | None


def operating_days(bench: Bench, month: Month, series: list[Series], count: int) -> list[list[PastDay]]:
    """The last `count` operating days before the month of each series, oldest first; fewer where its record begins later."""
    made: list[list[PastDay]] = [[] for _ in series]
    open_: dict[tuple[str, str, str], int] = {(s.outlet_id, s.pollutant, s.standard): i for i, s in enumerate(series)}
    before = month.first
    while open_ and count:
        before = (before - timedelta(days=1)).replace(day=1)
        table = bench.table(
            "standards_daily", f"{before:%Y-%m}",
            [*_KEY, "day", "averaging", "unit", "day_value", "day_unit", "kiln_hours", "valid_hours", "clinker_t"],
        )  # fmt: skip
        if table is None:
            break
        frame = pl.DataFrame(pl.from_arrow(table)).with_columns(pl.col(*_KEY, "averaging", "unit").cast(pl.String))
        for key, group in frame.sort("day", descending=True).group_by(_KEY):
            at = open_.get((str(key[0]), str(key[1]), str(key[2])))
            if at is not None:
                _take(made[at], group, series[at], count)
        there = set(frame.select(_KEY).unique().iter_rows())
        # A standard that was not chosen in a whole month starts anew after it.
        open_ = {key: i for key, i in open_.items() if key in there and len(made[i]) < count}
    return [days[::-1] for days in made]


def _take(days: list[PastDay], group: pl.DataFrame, series: Series, count: int) -> None:
    """Add the operating days of one month, newest first."""
    same = group.filter((pl.col("averaging") == series.averaging) & (pl.col("unit") == series.unit))
    for row in same.filter(pl.col("kiln_hours") > 0).sort("day", descending=True).iter_rows(named=True):
        if len(days) < count:
            value, valid = row["day_value"] or 0.0, row["valid_hours"]
            total = value if series.unit.startswith("lb/") else value * valid
            days.append(PastDay(total, valid, row["clinker_t"]))


def discarded_before(bench: Bench, month: Month) -> dict[tuple[str, str, str], int]:
    """Days discarded in earlier months of the calendar year by (outlet, pollutant, standard)."""
    made: dict[tuple[str, str, str], int] = {}
    for number in range(1, month.first.month):
        key = f"{date(month.first.year, number, 1):%Y-%m}"
        table = bench.table("standards_monthly", key, [*_KEY, "discarded"])
        if table is not None:
            for *of, n in pl.DataFrame(pl.from_arrow(table)).with_columns(pl.col(_KEY).cast(pl.String)).iter_rows():
                made[of[0], of[1], of[2]] = made.get((of[0], of[1], of[2]), 0) + n
    return made
