"""Sums of mass over days and months, of outlets and of those they belong to.

Belongs here: what is added to what, and what a sum says about itself. Does not belong here: adding (`kernels/exact_sums`),
years (`emissions_year`).

Each sum is the exactly rounded sum of the figures one level below, as they stand in the tables: a day of its hours, a month of
its days, a total of the days of its outlets. Whoever reads them can check each with `math.fsum`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assets.arrow_columns import Codes, Floats, Ints, texts_of
from assets.emissions_window import HOURS_PER_DAY
from contracts.emissions import (
    EMISSIONS_DAILY,
    EMISSIONS_MONTHLY,
    EMISSIONS_TOTALS_DAILY,
    EMISSIONS_TOTALS_MONTHLY,
    SCOPES,
)
from kernels.exact_sums import exact_sums
from kernels.substitution import LOW_CAPTURE, MEASURED, NO_SUBSTITUTE, NOT_AN_HOUR, STOPPED_HOUR

if TYPE_CHECKING:
    from assets.emissions_month import MassMonth

Bools = npt.NDArray[np.bool_]

COUNTS = ("hours", "valid_hours", "stopped_hours", "substituted_hours", "no_substitute_hours", "provisional_hours")
PARTS = ("measured", "substituted", "mass")
KG_PER_T = 1000.0


@dataclass(frozen=True)
class Sums:
    """Counts and masses of any number of rows: `counts` whole hours, `masses` kg or t, NaN where nothing is known."""

    counts: dict[str, Ints]
    masses: dict[str, Floats]

    @property
    def lower_bound(self) -> Bools:
        """Some hours have no substitute."""
        return np.asarray(self.counts["no_substitute_hours"] > 0)

    def columns(self, unit: str) -> dict[str, Any]:
        """Columns of counts and masses."""
        made: dict[str, Any] = {name: v.astype(np.int32) for name, v in self.counts.items()}
        return made | {f"{name}_{unit}": numbers(v) for name, v in self.masses.items()}

    def rates(self) -> dict[str, Any]:
        """Columns of shares of the mass and of the capture rate."""
        parts = {name: np.nan_to_num(self.masses[name]) for name in PARTS}
        share = np.full(parts["mass"].shape, np.nan)
        positive = (parts["mass"] > 0) & (parts["measured"] >= 0) & (parts["substituted"] >= 0)
        np.divide(100.0 * parts["substituted"], parts["mass"], out=share, where=positive)
        share = np.minimum(share, 100.0)
        due = self.counts["hours"] - self.counts["stopped_hours"]
        capture = np.full(share.shape, np.nan)
        np.divide(100.0 * self.counts["valid_hours"], due, out=capture, where=due > 0)
        return {
            "measured_share_pct": numbers(100.0 - share),
            "substituted_share_pct": numbers(share),
            "capture_pct": numbers(capture),
        }

    def bounds(self, period_hours: Ints) -> dict[str, Any]:
        """Columns that say whether the mass is all there is."""
        sure = (self.counts["no_substitute_hours"] == 0) & (self.counts["provisional_hours"] == 0)
        return {
            "period_hours": period_hours.astype(np.int32),
            "lower_bound": self.lower_bound,
            "complete": sure & (self.counts["hours"] == period_hours),
        }

    def grouped(self, group: Codes | Ints, groups: int, divide_by: float = 1.0) -> Sums:
        """Sums over the rows of each group 0 .. groups - 1."""
        order = np.argsort(group, kind="stable")
        starts = np.zeros(groups + 1, np.int64)
        np.cumsum(np.bincount(group, minlength=groups), out=starts[1:])
        counts = {n: np.bincount(group, v, groups).astype(np.int64) for n, v in self.counts.items()}
        return Sums(counts, {n: exact_sums(v[order], starts) / divide_by for n, v in self.masses.items()})

    def take(self, rows: Any) -> Sums:  # noqa: ANN401 - any index of numpy
        """Only these rows."""
        return Sums({n: v[rows] for n, v in self.counts.items()}, {n: v[rows] for n, v in self.masses.items()})


def numbers(values: Floats) -> pa.Array:
    """NaN as null."""
    return pa.array(values, mask=np.isnan(values))


@dataclass(frozen=True)
class Days:
    """Rows of `emissions_daily`: series, day number of the month, and their sums in kg."""

    series: Ints
    day: Ints
    sums: Sums
    valid: Bools


def days_of(made: MassMonth) -> Days:
    """Every day on which a series has hours."""
    series, days = made.mass.shape[0], made.window.shown
    shape = (series * days, HOURS_PER_DAY)
    method = made.method.reshape(shape)
    substituted = (method >= 0) & (method <= LOW_CAPTURE)
    counts = {
        "hours": method != NOT_AN_HOUR,
        "valid_hours": method == MEASURED,
        "stopped_hours": method == STOPPED_HOUR,
        "substituted_hours": substituted,
        "no_substitute_hours": method == NO_SUBSTITUTE,
        "provisional_hours": made.provisional.reshape(shape),
    }
    mass = made.mass.reshape(shape)
    masses = {
        "measured": np.where(method == MEASURED, mass, np.nan),
        "substituted": np.where(substituted, mass, np.nan),
        "mass": mass,
    }
    starts = np.arange(shape[0] + 1) * HOURS_PER_DAY
    sums = Sums(
        {name: hit.sum(axis=1, dtype=np.int64) for name, hit in counts.items()},
        {name: exact_sums(v.ravel(), starts) for name, v in masses.items()},
    )
    rows = np.flatnonzero(sums.counts["hours"])
    s, d = np.divmod(rows, max(days, 1))
    sums = sums.take(rows)
    return Days(s, d, sums, sums.counts["valid_hours"] >= made.terms.valid_day_hours)


def daily_table(made: MassMonth, days: Days) -> pa.Table:
    """`emissions_daily` of a month, in the order of the key."""
    columns = _who(made, days.series, days.day) | {
        "day": _dates(made, days.day),
        **days.sums.columns("kg"),
        "valid_day": days.valid,
    }
    return EMISSIONS_DAILY.arrow(pa.table(columns), sort=False)


def monthly_table(made: MassMonth, days: Days) -> pa.Table:
    """`emissions_monthly` of a month; plant, line and point type are those of the outlet's last day with data."""
    series, window = made.mass.shape[0], made.window
    sums = days.sums.grouped(days.series, series, KG_PER_T)
    last = np.zeros(series, np.int64)
    last[days.series] = days.day  # days ascend within a series: the last one stays
    valid_days = np.bincount(days.series, days.valid, series).astype(np.int32)
    enough = valid_days >= made.terms.valid_month_days
    in_force = made.outlets.in_force[made.of]
    ended = window.shown == window.days
    columns = _who(made, np.arange(series), last) | {
        "month": [window.key] * series,
        **sums.columns("t"),
        **sums.rates(),
        "valid_days": valid_days,
        "valid_month": pa.array(enough, mask=~enough & (not ended)),
        **sums.bounds(HOURS_PER_DAY * in_force[:, _month_days(made)].sum(axis=1)),
    }
    return EMISSIONS_MONTHLY.arrow(pa.table(columns), sort=False)


def totals(made: MassMonth, days: Days) -> dict[str, pa.Table]:
    """`emissions_totals_daily` and `emissions_totals_monthly`: the days of the outlets that belonged to each on that day."""
    tables: dict[str, list[pa.Table]] = {EMISSIONS_TOTALS_DAILY.name: [], EMISSIONS_TOTALS_MONTHLY.name: []}
    due = made.outlets.in_force[made.of][:, _month_days(made)]
    for scope in SCOPES:
        owner = made.outlets.scope(scope)[made.of]
        of_row = owner[days.series, made.window.margin + days.day]
        rows = np.flatnonzero(of_row >= 0)
        if not rows.size:
            continue
        owners = owner[:, _month_days(made)]
        key = of_row[rows].astype(np.int64) * len(made.pollutants) + made.pollutant[days.series[rows]]
        by_day = _Groups.of(key * made.window.days + days.day[rows])
        by_month = _Groups.of(key)
        period = _period(
            by_month,
            np.where(due & (owners >= 0), owners.astype(np.int64) * len(made.pollutants) + made.pollutant[:, None], -1),
        )
        series = days.series[rows]
        sums = days.sums.take(rows)
        daily = _scoped(made, scope, by_day.keys // made.window.days) | {
            "day": _dates(made, by_day.keys % made.window.days),
            "outlets": by_day.distinct(series),
            **sums.grouped(by_day.number, by_day.keys.size).columns("kg"),
        }
        monthly = sums.grouped(by_month.number, by_month.keys.size, KG_PER_T)
        whole = _scoped(made, scope, by_month.keys) | {
            "month": [made.window.key] * by_month.keys.size,
            "outlets": by_month.distinct(series),
            **monthly.columns("t"),
            **monthly.rates(),
            **monthly.bounds(period),
        }
        tables[EMISSIONS_TOTALS_DAILY.name].append(pa.table(daily))
        tables[EMISSIONS_TOTALS_MONTHLY.name].append(pa.table(whole))
    contracts = (EMISSIONS_TOTALS_DAILY, EMISSIONS_TOTALS_MONTHLY)
    return {c.name: c.arrow(pa.concat_tables(tables[c.name])) if tables[c.name] else c.empty() for c in contracts}


@dataclass(frozen=True)
class _Groups:
    """Distinct keys, ascending, and the number of each row's."""

    keys: Ints
    number: Ints

    @classmethod
    def of(cls, key: Ints) -> _Groups:
        keys, number = np.unique(key, return_inverse=True)
        return cls(keys, number)

    def distinct(self, what: Ints) -> Codes:
        """How many different `what` each group has."""
        size = int(what.max(initial=0)) + 1
        pairs = np.unique(self.number * size + what)
        return np.bincount(pairs // size, minlength=self.keys.size).astype(np.int32)


def _period(groups: _Groups, key_of_day: Ints) -> Ints:
    """Hours in force in the calendar month of each group; `key_of_day` (S, days) with -1 where not in force."""
    flat = key_of_day[key_of_day >= 0]
    at = np.searchsorted(groups.keys, flat)
    found = (at < groups.keys.size) & (groups.keys[np.minimum(at, groups.keys.size - 1)] == flat)
    return HOURS_PER_DAY * np.bincount(at[found], minlength=groups.keys.size)


def _month_days(made: MassMonth) -> slice:
    return slice(made.window.margin, made.window.margin + made.window.days)


def _who(made: MassMonth, series: Ints, day: Ints) -> dict[str, Any]:
    of, at, outlets = made.of[series], made.window.margin + day, made.outlets
    return {
        "outlet_id": texts_of(of, outlets.ids),
        "plant_id": texts_of(outlets.plant[of, at], outlets.names),
        "line_id": texts_of(outlets.line[of, at], outlets.names),
        "point_type": texts_of(outlets.point_type[of, at], outlets.names),
        "pollutant": texts_of(made.pollutant[series], made.pollutants),
    }


def _scoped(made: MassMonth, scope: str, key: Ints) -> dict[str, Any]:
    size = len(made.pollutants)
    return {
        "scope": texts_of(np.zeros(key.size, np.int64), [scope]),
        "scope_id": texts_of(key // size, made.outlets.names),
        "pollutant": texts_of(key % size, made.pollutants),
    }


def _dates(made: MassMonth, day: Ints) -> pa.Array:
    first = made.window.first.toordinal() - 719163  # 1970-01-01
    return pa.array((first + day).astype(np.int32), pa.int32()).cast(pa.date32())
