"""The signals of a day of hours: where the loggers, the registry and our own figures do not agree.

Belongs here: finding them and writing cems_signals. Does not belong here: texts and severities
(`reference/signals.toml`), thresholds (`reference/rules`), and any change to data: a signal only points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from assets.hour_rules import number
from assets.labels import EVIDENCE_DAYS
from contracts.cems import CEMS_SIGNALS
from kernels.hours import HOURS, POLLUTANT_ORDER
from resources.signals import load_signals

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    from assets.hour_day import HourDay
    from resources.signals import Signal

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

_NOX = POLLUTANT_ORDER.index("nox")


@dataclass(frozen=True)
class _Writer:
    """Collects rows of cems_signals; one row per episode, or per day where a signal has no hours of its own."""

    day: HourDay
    catalogue: dict[str, Signal]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def threshold(self, signal_id: str) -> float | None:
        """The threshold in force, None where the signal has none."""
        name = self.catalogue[signal_id].threshold
        return number(self.day.book, name, self.day.fleet.day) if name else None

    def add(self, signal_id: str, outlet_id: str, hours: tuple[int, int] = (0, HOURS), *, channel: str = "",
            value: float | None = None, threshold: float | None = None, **figures: float | str) -> None:  # fmt: skip
        """One row; `hours` is [first, end)."""
        signal = self.catalogue[signal_id]
        limit = self.threshold(signal_id) if threshold is None else threshold
        known = {"hours": hours[1] - hours[0], "value": value, "threshold": limit, **figures}
        zh, en = signal.texts(**{name: figure for name, figure in known.items() if figure is not None})
        day = self.day.fleet.day
        midnight = datetime(day.year, day.month, day.day)
        start, end = (midnight + timedelta(hours=h) for h in hours)
        self.rows.append({
            "outlet_id": outlet_id, "signal_id": signal_id, "pollutant": channel, "start": start, "end": end,
            "severity": signal.severity, "value": value, "threshold": limit, "text_zh": zh, "text_en": en,
        })  # fmt: skip


def signal_table(day: HourDay) -> pa.Table:
    """cems_signals of the day under its contract."""
    writer = _Writer(day, load_signals())
    _near_air(writer)
    _reported_differs(writer)
    _gaps(writer)
    _repeats(writer)
    _pressure(writer)
    _labels(writer)
    _registry(writer)
    if not writer.rows:
        return CEMS_SIGNALS.empty()
    return CEMS_SIGNALS.arrow({name: [row[name] for row in writer.rows] for name in CEMS_SIGNALS.names})


def episodes(mask: Bools) -> Iterator[tuple[int, int, int]]:
    """Row, first hour and end (exclusive) of every unbroken stretch of True in an array of (rows, hours)."""
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1)
    rows, first = np.nonzero(steps == 1)
    _, end = np.nonzero(steps == -1)
    yield from zip(rows.tolist(), first.tolist(), end.tolist(), strict=True)


def _near_air(writer: _Writer) -> None:
    """A07: oxygen near that of air where a converted value rests on it."""
    day = writer.day
    outlets = day.fleet.outlets
    for i, lo, hi in episodes((day.hours.near_air > 0) & day.converts[:, :, 0]):
        means = day.hours.o2[i, lo:hi]
        value = None if np.isnan(means).all() else float(np.nanmax(means))
        minutes = int(day.hours.near_air[i, lo:hi].sum())
        writer.add("A07_o2_near_air", outlets[i].outlet_id, (lo, hi), channel="o2", value=value, minutes=minutes)


def _reported_differs(writer: _Writer) -> None:
    """A09, A11 and A12: the loggers' own hours against ours, in % of ours."""
    day, book, today = writer.day, writer.day.book, writer.day.fleet.day
    h, reported = day.hours, day.reported
    small = number(book, "signals.mean_differs_mg_m3", today)
    light = number(book, "signals.mass_differs_kg", today)
    either = np.fmin(_apart(reported.zs_avg, h.converted, small), _apart(reported.zs_avg, h.mean_first, small))
    # Near air a converted value follows the last digit of oxygen; A07 speaks of those hours.
    either[day.hours.near_air > 0] = math.nan
    mean, mass = _apart(reported.avg, h.raw, small), _apart(reported.mass, h.mass, light)
    # A logger knows nothing of what people declare afterwards: such hours differ rightly.
    for figures in (either, mean, mass):
        figures[day.touched] = math.nan
    # Whether a logger converts NO to NO2 before it computes these is its own affair: there is nothing to compare with.
    for figures in (either, mass):
        figures[_nox_differs_in_kind(day), :, _NOX] = math.nan
    for signal_id, apart in (("A09_converted_differs", either), ("A11_mean_differs", mean), ("A12_mass_differs", mass)):
        limit = writer.threshold(signal_id) or 0.0
        for p, pollutant in enumerate(POLLUTANT_ORDER):
            figures = apart[:, :, p]
            for i, lo, hi in episodes(figures > limit):
                worst = float(figures[i, lo:hi].max())
                writer.add(signal_id, day.fleet.outlets[i].outlet_id, (lo, hi), channel=pollutant, value=worst)


def _apart(theirs: Floats, ours: Floats, small: float) -> Floats:
    """Difference in % of ours (of theirs where ours is 0); 0 where it is no more than `small`, NaN where one is missing."""
    difference = np.abs(theirs - ours)
    base = np.where(ours == 0, np.abs(theirs), np.abs(ours))
    share = 100 * np.divide(difference, base, out=np.zeros_like(ours), where=base > 0)
    made: Floats = np.where(np.isnan(difference), math.nan, np.where(difference > small, share, 0.0))
    return made


def _nox_differs_in_kind(day: HourDay) -> list[int]:
    """Outlets with a device that reports nitrogen oxides not yet counted as NO2."""
    kinds = {key[0] for key, device in day.fleet.devices.items() if not device.nox_as_no2}
    return [i for i, outlet in enumerate(day.fleet.outlets) if outlet.outlet_id in kinds]


def _gaps(writer: _Writer) -> None:
    """A21: hours with too many minutes without any record, where a device is in force."""
    day = writer.day
    missing = 60 - day.hours.covered
    limit = writer.threshold("A21_gap") or 0.0
    served = {outlet_id for outlet_id, _ in day.fleet.devices}
    for i, lo, hi in episodes(missing > limit):
        if (outlet_id := day.fleet.outlets[i].outlet_id) in served:
            minutes = int(missing[i, lo:hi].sum())
            writer.add("A21_gap", outlet_id, (lo, hi), value=float(minutes), minutes=minutes)


def _repeats(writer: _Writer) -> None:
    """A21: several records of one device in one interval."""
    repeats = writer.day.hours.repeats
    for i in np.flatnonzero(repeats > (writer.threshold("A21_repeated_slot") or 0.0)).tolist():
        records = int(repeats[i])
        outlet_id = writer.day.fleet.outlets[i].outlet_id
        writer.add("A21_repeated_slot", outlet_id, value=float(records), records=records)


def _pressure(writer: _Writer) -> None:
    """U01: absolute pressure that no stack has."""
    day, today = writer.day, writer.day.fleet.day
    low = number(day.book, "signals.pressure_low_kpa", today)
    high = number(day.book, "signals.pressure_high_kpa", today)
    pressure = day.hours.pressure
    for i, lo, hi in episodes((pressure < low) | (pressure > high)):
        means = pressure[i, lo:hi]
        value = float(means[np.argmax(np.abs(means - (low + high) / 2))])
        writer.add(
            "U01_pressure_range", day.fleet.outlets[i].outlet_id, (lo, hi), channel="pressure",
            value=value, threshold=low if value < low else high, low=low, high=high,
        )  # fmt: skip


def _labels(writer: _Writer) -> None:
    """L01 and L02: what the evidence says about labels, per outlet over its devices."""
    day = writer.day
    found: dict[tuple[str, str], tuple[set[str], list[int]]] = {}
    for (outlet_id, mn), choice in day.choices.items():
        own = day.fleet.devices[outlet_id, mn].label
        contradicts = own != "auto" and choice.said not in ("", own)
        if outlet_id in day.fleet.index and (contradicts or (own == "auto" and not choice.said)):
            signal_id = "L02_label_contradicts" if contradicts else "L01_label_undecided"
            used, counts = found.setdefault((signal_id, outlet_id), (set(), [0, 0, 0]))
            used.add(choice.label)
            counts[:] = [a + b for a, b in zip(counts, (choice.pairs, choice.fits_start, choice.fits_end), strict=True)]
    for (signal_id, outlet_id), (used, (pairs, fits_start, fits_end)) in found.items():
        writer.add(
            signal_id, outlet_id, value=float(pairs), label="/".join(sorted(used)), days=EVIDENCE_DAYS,
            pairs=pairs, fits_start=fits_start, fits_end=fits_end,
        )  # fmt: skip


def _registry(writer: _Writer) -> None:
    """R01 and R02: outlets without devices, and data that no row of the registry claims."""
    day = writer.day
    served = {outlet_id for outlet_id, _ in day.fleet.devices}
    for outlet in day.fleet.outlets:
        if outlet.outlet_id not in served:
            writer.add("R01_no_device", outlet.outlet_id)
    for outlet_id, records in day.strangers.items():
        writer.add("R02_unregistered", outlet_id, value=float(records), records=records)
