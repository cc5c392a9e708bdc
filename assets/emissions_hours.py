"""What each hour is for the mass, and the mass where it is valid: days of `cems_hourly` as dense arrays.

Belongs here: turning rows into kinds of hours, and finding out-of-control marks with their last calibration. Does not belong
here: which series there are (`capture`) and substitutes (`kernels/substitution`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from assets.arrow_columns import HOUR_MS, Codes, Floats, Ints, among, codes, floats, ints
from assets.emissions_window import HOURS_PER_DAY
from contracts.channels import POLLUTANTS
from kernels.capture import INVALID, OUT_OF_CONTROL, OUTSIDE, STOPPED, VALID

if TYPE_CHECKING:
    import pyarrow as pa

    from assets.emissions_window import Outlets, Window
    from resources.bench import Bench
    from resources.events import DeviceMark, EventBook

Bytes = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]

ORDERED = tuple(sorted(POLLUTANTS))
_COLUMNS = ["outlet_id", "pollutant", "hour", "mass_kg", "hour_tag", "flag_system"]
#: Channels that every mass rests on beside its own pollutant; oxygen is none of them: mass is not converted (HJ 75-2017 App. C).
_FLOW = ("all", "flow", "velocity", "temperature", "pressure", "humidity")
_PARTS = {"nox": ("no", "no2")}
#: Tags under which the pollutant itself was fine; a missing mass then lacks its flow.
_FINE = ("N", "St", "Sd", "B")


@dataclass(frozen=True)
class Places:
    """Outlet x pollutant -> series; -1 where there is none."""

    rows: dict[str, int]
    table: Codes

    @classmethod
    def of(cls, outlets: list[str], pollutants: list[str]) -> Places:
        """Series in the order given."""
        rows: dict[str, int] = {}
        for outlet_id in outlets:
            rows.setdefault(outlet_id, len(rows))
        table = np.full((len(rows) + 1, len(ORDERED) + 1), -1, np.int32)
        for s, (outlet_id, pollutant) in enumerate(zip(outlets, pollutants, strict=True)):
            table[rows[outlet_id], ORDERED.index(pollutant)] = s
        return cls(rows, table)

    def series(self, rows: pa.Table) -> Codes:
        """Series of each row, -1 where it is of none."""
        outlet, ids = codes(rows, "outlet_id")
        at = np.array([self.rows.get(i, len(self.rows)) for i in ids] or [len(self.rows)], np.int64)
        return self.table[at[outlet], among(rows, "pollutant", ORDERED)]


@dataclass(frozen=True)
class DayRows:
    """Rows of a day that belong to series: series, milliseconds, mass in kg (NaN), kind, and `fine`: only the flow is missing."""

    rows: pa.Table
    series: Codes
    at_ms: Ints
    mass: Floats
    kind: Bytes
    fine: Bools


def day_rows(bench: Bench, day: str, places: Places, *more: str) -> DayRows | None:
    """The rows of a day of hours, with the columns `more` besides; None when there is no such day."""
    table = bench.table("cems_hourly", day, [*_COLUMNS, *more])
    if table is None:
        return None
    series = places.series(table)
    mass = floats(table, "mass_kg")
    tag, tags = codes(table, "hour_tag")
    declared = among(table, "flag_system", ("hj75",)) == 0
    # F of HJ 212 says that the instrument stopped, only F of HJ 75 that the source did.
    stopped = (tag == _code(tags, "F")) & declared
    out = (tag == _code(tags, "OOC")) & declared
    valid = np.isfinite(mass)
    kind = np.where(stopped, STOPPED, np.where(valid, VALID, np.where(out, OUT_OF_CONTROL, INVALID))).astype(np.int8)
    fine = np.isin(tag, [_code(tags, t) for t in _FINE])
    return DayRows(table, series, ints(table, "hour"), mass, kind, fine)


def _code(texts: list[str], text: str) -> int:
    return texts.index(text) if text in texts else -2


@dataclass(frozen=True)
class SeriesHours:
    """Grid of S series: `kind`, `mass` and `fine` (S, hours of the grid). Hours in force without a row are invalid."""

    kind: Bytes
    mass: Floats
    fine: Bools


def read_grid(bench: Bench, window: Window, outlets: Outlets, of: Codes, places: Places) -> SeriesHours:
    """The hours of the grid; `of` (S,) is the row of each series' outlet."""
    in_force = outlets.in_force[of][:, : window.grid_days].copy()
    in_force[:, window.margin : window.margin + window.begin] = False
    kind = np.where(np.repeat(in_force, HOURS_PER_DAY, axis=1), INVALID, OUTSIDE).astype(np.int8)
    mass = np.full(kind.shape, np.nan)
    fine = np.zeros(kind.shape, np.bool_)
    for day in bench.keys("cems_hourly", str(window.grid_first), str(window.grid_last)):
        rows = day_rows(bench, day, places)
        if rows is None:
            continue
        hour = (rows.at_ms - window.start_ms) // HOUR_MS
        wanted = (rows.series >= 0) & (hour >= 0) & (hour < kind.shape[1])
        s, h = rows.series[wanted], hour[wanted]
        held = kind[s, h] != OUTSIDE
        s, h = s[held], h[held]
        kind[s, h] = rows.kind[wanted][held]
        mass[s, h] = rows.mass[wanted][held]
        fine[s, h] = rows.fine[wanted][held]
    return SeriesHours(kind, mass, fine)


@dataclass(frozen=True)
class Cuts:
    """For hours out of control (S, T): number of the hour before which the valid hours of Table 5 lie, and whether that is the start
    of the mark because it names no calibration.
    """

    cut: npt.NDArray[np.int32]
    unknown: Bools


def out_of_control(
    hours: SeriesHours, window: Window, events: EventBook, places: Places, more_than: float, *, late_apply: bool
) -> Cuts:
    """Mark hours whose flow was out of control (in `hours`, in place), and find the last calibration of every such hour.

    An hour that lacks only its flow is out of control when a mark on the flow or what it is made of covers more than `more_than` minutes of it.
    Of several marks the earliest calibration counts; one that names none, or one after its own start, counts from its start.
    """
    length = hours.kind.shape[1]
    cut = np.broadcast_to(np.arange(length, dtype=np.int32), hours.kind.shape).copy()
    unknown = hours.kind == OUT_OF_CONTROL
    start = datetime.combine(window.grid_first, datetime.min.time())
    marks = [
        m
        for m in events.marks_in(window.grid_first, window.grid_last)
        if m.mark == "OOC" and m.outlet_id in places.rows
    ]
    for mark in marks:
        if mark.late and not late_apply:
            continue
        a, b = _hour(mark.start, start), min(length, -_hour(start, mark.end))
        known = mark.last_calibration_at is not None and mark.last_calibration_at < mark.start
        since = _hour(mark.last_calibration_at, start) if known and mark.last_calibration_at else a
        touched = np.arange(max(0, a), b)
        covered = np.array([_minutes(mark, start + timedelta(hours=int(h))) for h in touched])
        for s in _series_of(mark, places):
            kind = hours.kind[s, touched]
            if mark.channel in _FLOW:
                lacks_flow = touched[(kind == INVALID) & hours.fine[s, touched] & (covered > more_than)]
                hours.kind[s, lacks_flow] = OUT_OF_CONTROL
                unknown[s, lacks_flow] = True
            own = touched[hours.kind[s, touched] == OUT_OF_CONTROL]
            earlier = own[since <= cut[s, own]]
            cut[s, earlier] = since
            unknown[s, earlier] = not known
    return Cuts(cut, unknown & (hours.kind == OUT_OF_CONTROL))


def _series_of(mark: DeviceMark, places: Places) -> list[int]:
    row = places.table[places.rows[mark.outlet_id]]
    wanted = (mark.channel in (*_FLOW, name, *_PARTS.get(name, ())) for name in ORDERED)
    return [int(s) for s, does in zip(row, wanted, strict=False) if does and s >= 0]


def _hour(at: datetime, start: datetime) -> int:
    """Number of the hour that holds `at`, counted from `start`."""
    return (at - start) // timedelta(hours=1)


def _minutes(mark: DeviceMark, hour: datetime) -> float:
    inside = min(mark.end, hour + timedelta(hours=1)) - max(mark.start, hour)
    return max(0.0, inside.total_seconds() / 60)
