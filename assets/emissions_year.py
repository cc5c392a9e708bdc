"""Years: emissions_annual, emissions_totals_annual and capture_quarterly from the months of a year.

Belongs here: adding months, and the capture rate of each quarter for people to read. Does not belong here: months
(`emissions`), adding (`kernels/exact_sums`).

The capture rates of four quarters stand in one partition, one row a quarter: a quarter has no partition of its own, and in the
months they would stand three times.
"""

from __future__ import annotations

from calendar import isleap
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from assets.arrow_columns import codes, floats, ints, texts_of
from assets.emissions_hours import ORDERED, Places
from assets.emissions_month import sum_counts
from assets.emissions_sums import COUNTS, PARTS, Sums
from assets.emissions_terms import whole
from assets.emissions_window import HOURS_PER_DAY, Outlets, outlets_of, quarter_months, quarter_of
from contracts.emissions import (
    CAPTURE_QUARTERLY,
    EMISSIONS_ANNUAL,
    EMISSIONS_TOTALS_ANNUAL,
    SCOPES,
)
from contracts.meanings import TABLE_ROW
from kernels.capture import NEITHER, UNDEFINED, capture_pct, capture_rows

if TYPE_CHECKING:
    from resources.bench import Bench

__all__ = ["make_emissions_year"]

_FACTS = ("plant_id", "line_id", "point_type")
_FULL, _LEAST = "capture.full_quarter_pct", "capture.min_quarter_pct"


def make_emissions_year(bench: Bench, year: str) -> dict[str, pa.Table]:
    """Mass of `year` ('YYYY', local) so far by outlet and owner, and the capture rates of its quarters; {} without months."""
    months = bench.keys("emissions_monthly", f"{year}-01", f"{year}-12")
    if not months:
        return {}
    first = date(int(year), 1, 1)
    days = 365 + isleap(first.year)
    outlets = outlets_of(bench.registry(first, first + timedelta(days=days - 1)), first, days)
    return {
        EMISSIONS_ANNUAL.name: _annual(bench, year, months, outlets),
        EMISSIONS_TOTALS_ANNUAL.name: _totals(bench, year, months, outlets),
        CAPTURE_QUARTERLY.name: _quarters(bench, year),
    }


def _read(bench: Bench, table: str, months: list[str], *more: str) -> pa.Table:
    """The rows of several months, in their order."""
    masses = [f"{part}_t" for part in PARTS]
    rows = [bench.table(table, m, [*more, *COUNTS, *masses]) for m in months]
    return pa.concat_tables([r for r in rows if r is not None]).unify_dictionaries()


def _sums(rows: pa.Table) -> Sums:
    return Sums({n: ints(rows, n) for n in COUNTS}, {p: floats(rows, f"{p}_t") for p in PARTS})


def _annual(bench: Bench, year: str, months: list[str], outlets: Outlets) -> pa.Table:
    rows = _read(
        bench, "emissions_monthly", months, "outlet_id", "pollutant", *_FACTS, "valid_days", "valid_month"
    )  # fmt: skip
    outlet, ids = codes(rows, "outlet_id")
    pollutant, names = codes(rows, "pollutant")
    keys, group = np.unique(outlet.astype(np.int64) * len(names) + pollutant, return_inverse=True)
    last = np.zeros(keys.size, np.int64)
    last[group] = np.arange(group.size)  # months ascend: the last one stays
    sums = _sums(rows).grouped(group, keys.size)
    of = np.array([outlets.index[ids[k]] for k in (keys // len(names)).tolist()], np.int64)
    columns: dict[str, Any] = {
        "outlet_id": texts_of(keys // len(names), ids),
        **{name: rows.column(name).take(pa.array(last)) for name in _FACTS},
        "pollutant": texts_of(keys % len(names), names),
        "year": [year] * keys.size,
        **sums.columns("t"),
        **sums.rates(),
        "valid_days": np.bincount(group, ints(rows, "valid_days"), keys.size).astype(np.int32),
        "valid_months": np.bincount(group, rows.column("valid_month").fill_null(False).to_numpy(), keys.size).astype(
            np.int32
        ),
        **sums.bounds(HOURS_PER_DAY * outlets.in_force[of].sum(axis=1)),
    }
    return EMISSIONS_ANNUAL.arrow(pa.table(columns))


def _totals(bench: Bench, year: str, months: list[str], outlets: Outlets) -> pa.Table:
    rows = _read(bench, "emissions_totals_monthly", months, "scope", "scope_id", "pollutant")
    members = _read(bench, "emissions_monthly", months, "outlet_id", "pollutant")
    scope, scopes = codes(rows, "scope")
    owner, owners = codes(rows, "scope_id")
    pollutant, names = codes(rows, "pollutant")
    size = len(owners) * len(names)
    keys, group = np.unique(
        (scope.astype(np.int64) * len(owners) + owner) * len(names) + pollutant, return_inverse=True
    )
    sums = _sums(rows).grouped(group, keys.size)
    period, distinct = np.zeros(keys.size, np.int64), np.zeros(keys.size, np.int32)
    found = _owned(members, outlets)
    for g, key in enumerate(keys.tolist()):
        named = scopes[key // size], owners[key % size // len(names)], names[key % len(names)]
        period[g], distinct[g] = found[named]
    columns = {
        "scope": texts_of(keys // size, scopes),
        "scope_id": texts_of(keys % size // len(names), owners),
        "pollutant": texts_of(keys % len(names), names),
        "year": [year] * keys.size,
        "outlets": distinct,
        **sums.columns("t"),
        **sums.rates(),
        **sums.bounds(period),
    }
    return EMISSIONS_TOTALS_ANNUAL.arrow(pa.table(columns))


def _owned(members: pa.Table, outlets: Outlets) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Scope, owner and pollutant -> hours in force in the calendar year, and outlets, of the series there are."""
    outlet, ids = codes(members, "outlet_id")
    pollutant, names = codes(members, "pollutant")
    series = np.unique(outlet.astype(np.int64) * len(names) + pollutant)
    found: dict[tuple[str, str, str], tuple[int, int]] = {}
    for s in series.tolist():
        i, name = outlets.index[ids[s // len(names)]], names[s % len(names)]
        for scope in SCOPES:
            own, days = np.unique(outlets.scope(scope)[i][outlets.in_force[i]], return_counts=True)
            for code, n in zip(own.tolist(), days.tolist(), strict=True):
                if code >= 0:
                    hours, count = found.get((scope, outlets.names[code], name), (0, 0))
                    found[scope, outlets.names[code], name] = hours + HOURS_PER_DAY * n, count + 1
    return found


def _quarters(bench: Bench, year: str) -> pa.Table:
    parts: list[pa.Table] = []
    for first in (date(int(year), 3 * q + 1, 1) for q in range(4)):
        months = bench.keys("capture_monthly", *quarter_months(first)[::2])
        tables = [t for m in months if (t := bench.table("capture_monthly", m)) is not None]
        if not tables:
            continue
        last = (first + timedelta(days=95)).replace(day=1) - timedelta(days=1)
        reached = date.fromisoformat(bench.frontier("cems_hourly", str(last)))
        book = bench.rules(reached, reached)
        parts.append(
            _quarter(
                tables,
                quarter_of(months[0]),
                (whole(book, _FULL, reached), whole(book, _LEAST, reached)),
                closed=reached == last,
            )
        )
    return CAPTURE_QUARTERLY.arrow(pa.concat_tables(parts))


def _quarter(tables: list[pa.Table], quarter: str, pct: tuple[int, int], *, closed: bool) -> pa.Table:
    outlets, pollutants = _series(tables)
    counts = sum_counts(tables, Places.of(outlets, pollutants), len(outlets))
    rows = capture_rows(counts, *pct)
    rate = capture_pct(counts)
    columns = {
        "outlet_id": outlets,
        "pollutant": pollutants,
        "quarter": [quarter] * len(outlets),
        "hours": counts.hours,
        "invalid_hours": counts.invalid,
        "stopped_hours": counts.stopped,
        "capture_pct": pa.array(rate, mask=np.isnan(rate)),
        "sufficient": pa.array(rows != NEITHER, mask=rows == UNDEFINED),
        "table_row": texts_of(rows, tuple(TABLE_ROW)),
        "provisional": [not closed] * len(outlets),
    }
    return CAPTURE_QUARTERLY.arrow(pa.table(columns), sort=False)


def _series(tables: list[pa.Table]) -> tuple[list[str], list[str]]:
    """Outlets and pollutants of every series of the months."""
    found: set[tuple[str, str]] = set()
    for table in tables:
        outlet, ids = codes(table, "outlet_id")
        pollutant, names = codes(table, "pollutant")
        pairs = np.unique(outlet.astype(np.int64) * len(ORDERED) + pollutant)
        found |= {(ids[p // len(ORDERED)], names[p % len(ORDERED)]) for p in pairs.tolist()}
    ordered = sorted(found)
    return [o for o, _ in ordered], [p for _, p in ordered]
