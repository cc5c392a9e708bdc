"""From hours to the counts that capture rates are made of: makes capture_monthly.

Belongs here: which outlet x pollutant has hours to count in a month. Does not belong here: the rate and what follows from it
(`kernels/capture`, `emissions`), reading hours (`emissions_hours`).

It stands before the emissions of the month because a substitute rests on the rate of its whole quarter: months that come later
have their counts by then. It is small, and moves only when a count does.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from assets.arrow_columns import HOUR_MS, among, codes, ints
from assets.emissions_hours import ORDERED, Places, day_rows
from assets.emissions_window import HOURS_PER_DAY, Outlets, Window, month_window, outlets_of
from assets.fleet import MONITORED
from contracts.emissions import CAPTURE_MONTHLY
from kernels.capture import INVALID, OUTSIDE, count_hours

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from resources.bench import Bench

    Bools = npt.NDArray[np.bool_]
    Bytes = npt.NDArray[np.int8]


def make_capture(bench: Bench, month: str) -> dict[str, pa.Table]:
    """capture_monthly of `month`; {} when the data do not reach it.

    An outlet x pollutant has hours to count when something was sent of it in the month, when the law asks a monitor for it and
    the outlet is a main one or has a device, or when it was counted before: see `_carried`.
    """
    window = month_window(bench, month, 0)
    if window is None:
        return {}
    outlets = outlets_of(bench.registry(window.first, window.last), window.first, window.days)
    every = len(outlets.ids) * len(ORDERED)
    kind, sent, asked = _grid(bench, window, outlets)
    carried, last_sent = _carried(bench, window, outlets)
    wanted = np.flatnonzero(sent | carried | (asked & np.repeat(outlets.watched, len(ORDERED))))
    wanted = wanted[(kind[wanted] != OUTSIDE).any(axis=1)]
    counts = count_hours(kind[wanted])
    told = np.where(sent, month, np.array(last_sent or [None] * every, object))
    return {
        CAPTURE_MONTHLY.name: CAPTURE_MONTHLY.arrow(
            {
                "outlet_id": [outlets.ids[i] for i in (wanted // len(ORDERED)).tolist()],
                "pollutant": [ORDERED[i] for i in (wanted % len(ORDERED)).tolist()],
                "month": [month] * wanted.size,
                "hours": counts.hours,
                "invalid_hours": counts.invalid,
                "stopped_hours": counts.stopped,
                "last_sent": told[wanted].tolist(),
            }
        )
    }


def _grid(bench: Bench, window: Window, outlets: Outlets) -> tuple[Bytes, Bools, Bools]:
    """Kinds of hours of every outlet x pollutant; whether anything was sent of it, and whether it has a row at all."""
    pairs = [(o, p) for o in outlets.ids for p in ORDERED]
    places = Places.of([o for o, _ in pairs], [p for _, p in pairs])
    of = np.repeat(np.arange(len(outlets.ids)), len(ORDERED))
    in_force = outlets.in_force[of][:, : window.shown].copy()
    in_force[:, : window.begin] = False
    kind = np.where(np.repeat(in_force, HOURS_PER_DAY, axis=1), INVALID, OUTSIDE).astype(np.int8)
    sent = np.zeros(of.size, np.bool_)
    asked = np.zeros(of.size, np.bool_)
    for day in bench.keys("cems_hourly", str(window.first), str(window.last)):
        rows = day_rows(bench, day, places, "minutes")
        if rows is None:
            continue
        hour = (rows.at_ms - window.start_ms) // HOUR_MS
        wanted = (rows.series >= 0) & (hour >= 0) & (hour < kind.shape[1])
        s, h = rows.series[wanted], hour[wanted]
        kind[s, h] = np.where(kind[s, h] == OUTSIDE, OUTSIDE, rows.kind[wanted])
        sent[s[ints(rows.rows, "minutes")[wanted] > 0]] = True
        asked[s] = True
    return kind, sent, asked


def _carried(bench: Bench, window: Window, outlets: Outlets) -> tuple[Bools, list[str | None]]:
    """What the month before counted and this month must go on to count, and when each was last sent.

    A monitor that falls silent has missing hours, it does not cease to be. What the law asks a monitor for is carried on as
    long as the outlet is watched; anything else until the end of the quarter after the one in which it was last sent.
    """
    every = len(outlets.ids) * len(ORDERED)
    carried = np.zeros(every, np.bool_)
    last_sent: list[str | None] = [None] * every
    before = f"{window.first.replace(day=1).fromordinal(window.first.toordinal() - 1):%Y-%m}"
    table = bench.table("capture_monthly", before, ["outlet_id", "pollutant", "last_sent"])
    if table is None:
        return carried, last_sent
    outlet, ids = codes(table, "outlet_id")
    row = np.array([outlets.index.get(i, -1) for i in ids] or [-1], np.int64)[outlet]
    pollutant = among(table, "pollutant", ORDERED)
    for i, p, sent in zip(row.tolist(), pollutant.tolist(), table.column("last_sent").to_pylist(), strict=True):
        if i < 0:
            continue
        last_sent[i * len(ORDERED) + p] = sent
        goes_on = ORDERED[p] in MONITORED or (sent is not None and _quarters(sent, window.key) <= 1)
        carried[i * len(ORDERED) + p] = bool(outlets.watched[i]) and goes_on
    return carried, last_sent


def _quarters(month: str, later: str) -> int:
    """Quarters from that of one month to that of another."""
    first, last = (date.fromisoformat(f"{m}-01") for m in (month, later))
    return 4 * (last.year - first.year) + (last.month - 1) // 3 - (first.month - 1) // 3
