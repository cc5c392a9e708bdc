"""The hours of a month and those before it, as dense arrays.

Belongs here: reading `cems_hourly` of the month and `ule_hourly` of earlier months, by dictionary codes, never by sorting
strings. Does not belong here: which series there are (`judgement_series`) and judging (`kernels/judge`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from assets.arrow_columns import codes, floats, ints
from assets.judgement_limits import ORDERED
from kernels.judge import HOURS_PER_DAY
from kernels.windows import History, collect_history, place_before

if TYPE_CHECKING:
    from assets.judgement_limits import Codes, Floats, Month
    from assets.judgement_series import Bools, Series
    from kernels.judge import Bytes
    from resources.bench import Bench

_HOUR_MS = 3_600_000
_HOURS = ["outlet_id", "pollutant", "hour", "judged_mg_m3", "null_reason"]
_BITS = ["outlet_id", "pollutant", "hour", "judged", "ok"]
#: Reasons under which nothing was recorded.
_SILENT = ("no_data", "stopped")
#: Clock hours before the month that its windows of days look back on.
CLOCK_HOURS = 720


class Past(NamedTuple):
    """Judged hours before the month: the last of each series, and what became of each of the last CLOCK_HOURS clock hours."""

    judged: History
    clock: Bytes


def read_hours(bench: Bench, month: Month, days: list[str], series: Series) -> tuple[Floats, Bools]:
    """Values and whether anything was recorded, both (S, 24 x month.shown), from the day partitions `days` of the month.

    A null value is NaN; an hour without a row, or with a row that says `no_data` or `stopped`, was not recorded.
    """
    value = np.full((series.outlets.size, HOURS_PER_DAY * month.shown), np.nan)
    seen = np.zeros(value.shape, np.bool_)
    places = _places(series)
    start = _start_ms(month)
    for day in days:
        table = bench.table("cems_hourly", day, _HOURS)
        if table is None:
            continue
        s = _series_of(table, places)
        h = (ints(table, "hour") - start) // _HOUR_MS
        wanted = (s >= 0) & (h >= 0) & (h < value.shape[1])
        reason, texts = codes(table, "null_reason")
        recorded = ~np.isin(reason, [k for k, t in enumerate(texts) if t in _SILENT])
        value[s[wanted], h[wanted]] = floats(table, "judged_mg_m3")[wanted]
        seen[s[wanted], h[wanted]] = recorded[wanted]
    return value, seen


def read_past(bench: Bench, month: Month, series: Series, window: int) -> Past:
    """The last `window` judged hours before the month and the last clock hours, walking back until no series can gain any more.

    The last row of the month before says how many hours each trailing window holds: no file older than these is opened.
    A series that is absent from a whole month starts anew, and so does every series where a month was never made.
    """
    history = History.none(series.outlets.size, window)
    clock = np.zeros((series.outlets.size, CLOCK_HOURS), np.int8)
    reach = month.first - timedelta(hours=CLOCK_HOURS)
    places = _places(series)
    before = month.first - timedelta(days=1)
    table = bench.table("ule_hourly", f"{before:%Y-%m}", [*_BITS, "trailing_hours"])
    need = np.zeros(series.outlets.size, np.int32)
    if table is not None:
        s = _series_of(table, places)
        # Hours ascend within a series and numpy keeps the last of several values written to one place.
        need[s[s >= 0]] = np.minimum(ints(table, "trailing_hours"), window)[s >= 0]
    while table is not None and ((history.hours < need).any() or (before >= reach and need.any())):
        rows = _series_of(table, places), _bools(table, "judged"), _bools(table, "ok")
        collect_history(history, *rows, need)
        if before >= reach:
            place_before(clock, rows[0], (ints(table, "hour") - _start_ms(month)) // _HOUR_MS, *rows[1:], need)
        before = before.replace(day=1) - timedelta(days=1)
        more = (history.hours < need).any() or before >= reach
        table = bench.table("ule_hourly", f"{before:%Y-%m}", _BITS) if more else None
    return Past(history, clock)


def _start_ms(month: Month) -> int:
    return int((datetime(month.first.year, month.first.month, 1) - datetime(1970, 1, 1)).total_seconds()) * 1000


def _places(series: Series) -> tuple[dict[str, int], npt.NDArray[np.int32]]:
    """Outlet id -> row, and row x pollutant -> series or -1; the last row is for outlets that have no series."""
    rows: dict[str, int] = {}
    for code in series.outlets.tolist():
        rows.setdefault(series.names[code], len(rows))
    table = np.full((len(rows) + 1, len(ORDERED) + 1), -1, np.int32)
    at = np.array([rows[series.names[c]] for c in series.outlets.tolist()], np.int64)
    table[at, series.pollutants] = np.arange(series.outlets.size, dtype=np.int32)
    return rows, table


def _series_of(table: pa.Table, places: tuple[dict[str, int], npt.NDArray[np.int32]]) -> Codes:
    rows, grid = places
    outlet, ids = codes(table, "outlet_id")
    pollutant, names = codes(table, "pollutant")
    at = np.array([rows.get(i, len(rows)) for i in ids] or [len(rows)], np.int64)
    of = np.array([ORDERED.index(n) if n in ORDERED else len(ORDERED) for n in names] or [len(ORDERED)], np.int64)
    return grid[at[outlet], of[pollutant]]


def _bools(table: pa.Table, name: str) -> Bools:
    return np.asarray(pc.fill_null(table.column(name), False).to_numpy())
