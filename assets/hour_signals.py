"""The signals of a day: where minutes, loggers, registry, declarations and our own figures do not agree.

Belongs here: the order of the finders, and those of oxygen near air, gaps, pressure, flow, labels and the registry. Does not belong
here: the other finders (`signal_minutes`, `signal_reported`, `signal_devices`), texts and severities (`reference/signals.toml`),
thresholds (`reference/rules`), long windows (`patterns`), and any change to data: a signal only points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assets.labels import EVIDENCE_DAYS
from assets.signal_devices import device_signals
from assets.signal_minutes import contradictions, minute_episodes
from assets.signal_reported import issued_short, reported_differs
from assets.signal_writer import Writer, episodes, hours
from contracts.cems import CEMS_SIGNALS

if TYPE_CHECKING:
    import pyarrow as pa

    from assets.hour_day import HourDay


def signal_table(day: HourDay) -> pa.Table:
    """cems_signals of the day under its contract."""
    writer = Writer(CEMS_SIGNALS, day.book, day.fleet.day, day.fleet.day)
    minute_episodes(writer, day)
    contradictions(writer, day)
    _near_air(writer, day)
    reported_differs(writer, day)
    issued_short(writer, day)
    _gaps(writer, day)
    _repeats(writer, day)
    device_signals(writer, day.doubts)
    _pressure(writer, day)
    _flow(writer, day)
    _labels(writer, day)
    _registry(writer, day)
    return writer.arrow()


def _near_air(writer: Writer, day: HourDay) -> None:
    """A07: oxygen near that of air where a converted value rests on it."""
    outlets = day.fleet.outlets
    for i, lo, hi in episodes((day.hours.near_air > 0) & day.converts[:, :, 0]):
        means = day.hours.o2[i, lo:hi]
        value = None if np.isnan(means).all() else float(np.nanmax(means))
        minutes = int(day.hours.near_air[i, lo:hi].sum())
        writer.add("A07_o2_near_air", outlets[i].outlet_id, hours(lo, hi), channel="o2", value=value, minutes=minutes)


def _gaps(writer: Writer, day: HourDay) -> None:
    """A21: hours with too many minutes without any record, where a device is in force."""
    missing = 60 - day.hours.covered
    limit = writer.threshold("A21_gap") or 0.0
    served = {outlet_id for outlet_id, _ in day.fleet.devices}
    for i, lo, hi in episodes(missing > limit):
        if (outlet_id := day.fleet.outlets[i].outlet_id) in served:
            minutes = int(missing[i, lo:hi].sum())
            writer.add("A21_gap", outlet_id, hours(lo, hi), value=float(minutes), minutes=minutes)


def _repeats(writer: Writer, day: HourDay) -> None:
    """A21: several records of one device in one interval."""
    repeats = day.hours.repeats
    for i in np.flatnonzero(repeats > (writer.threshold("A21_repeated_slot") or 0.0)).tolist():
        records = int(repeats[i])
        outlet_id = day.fleet.outlets[i].outlet_id
        writer.add("A21_repeated_slot", outlet_id, value=float(records), records=records)


def _pressure(writer: Writer, day: HourDay) -> None:
    """U01: absolute pressure that no stack has."""
    low = writer.number("pressure_low_kpa")
    high = writer.number("pressure_high_kpa")
    pressure = day.hours.pressure
    for i, lo, hi in episodes((pressure < low) | (pressure > high)):
        means = pressure[i, lo:hi]
        value = float(means[np.argmax(np.abs(means - (low + high) / 2))])
        writer.add(
            "U01_pressure_range", day.fleet.outlets[i].outlet_id, hours(lo, hi), channel="pressure",
            value=value, threshold=low if value < low else high, low=low, high=high,
        )  # fmt: skip


def _flow(writer: Writer, day: HourDay) -> None:
    """U02: dry standard flow that no stack carries; mass stands on it."""
    flow = day.hours.flow
    for i, lo, hi in episodes(flow > (writer.number("flow_most_m3_h"))):
        value = float(flow[i, lo:hi].max())
        writer.add("U02_flow_range", day.fleet.outlets[i].outlet_id, hours(lo, hi), channel="flow", value=value)


def _labels(writer: Writer, day: HourDay) -> None:
    """L01 and L02: what the evidence says about labels, per outlet over its devices."""
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


def _registry(writer: Writer, day: HourDay) -> None:
    """R01 and R02: outlets without devices, and data that no row of the registry claims."""
    served = {outlet_id for outlet_id, _ in day.fleet.devices}
    for outlet in day.fleet.outlets:
        if outlet.outlet_id not in served:
            writer.add("R01_no_device", outlet.outlet_id)
    for outlet_id, records in day.strangers.items():
        writer.add("R02_unregistered", outlet_id, value=float(records), records=records)
