"""Patterns in what is on record about devices: calibrations that are overdue (A15), settings that changed (A22).

Belongs here: marks, registry rows and instrument parameters over a month. Does not belong here: patterns of readings
(`pattern_finders`, `pattern_pairs`).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assets.signal_writer import DAY_MINUTES
from contracts.cems import HOUR_TAGS

if TYPE_CHECKING:
    from assets.pattern_finders import Found
    from assets.signal_writer import Writer
    from resources.bench import Bench
    from resources.registry import Registry
    from resources.registry_rows import Device, Outlet

#: Columns of a registry row that say how figures are made; a change of one belongs into the log of the monitor.
_OUTLET_FACTS = ("duct_area_m2", "velocity_coefficient", "o2_reference_pct", "reductant")
_DEVICE_FACTS = (
    "interval_min", "label", "pressure_unit", "pressure_basis", "flow_unit", "flow_basis", "gas_basis", "nox_as_no2", "missing_flag",
)  # fmt: skip
#: How HJ 212-2017 names settings of an instrument: i13001 range, i13007 and i13008 intercept and slope, and their kin.
_SETTING = "i13"
_SETTING_COLUMNS = ["outlet_id", "mn", "data_time", "name", "text"]


def calibrations(writer: Writer, found: Found) -> None:
    """A15: longer than the cycle since a calibration on record, while there are values.

    On record are declared marks C and hours tagged C. Who has none in the days remembered is not judged: shorter calibrations
    leave no hour tag, and not everybody declares.
    """
    origin = datetime.combine(found.hours.origin, datetime.min.time())
    end, month = origin + timedelta(hours=found.hours.hours), origin + timedelta(hours=found.hours.since)
    tagged = found.hours.tag == HOUR_TAGS.index("C")
    declared: dict[tuple[str, str], list[datetime]] = {}
    for mark in found.marks:
        if mark.mark == "C":
            channel = "nox" if mark.channel in ("no", "no2") else mark.channel
            declared.setdefault((mark.outlet_id, channel), []).append(min(mark.end, end))
    for s, pollutant in enumerate(found.hours.pollutants):
        known = [origin + timedelta(hours=h + 1) for h in np.flatnonzero(tagged[s]).tolist()]
        known += declared.get((found.name(s), pollutant), []) + declared.get((found.name(s), "all"), [])
        cycle = writer.number("calibration_days_pm" if pollutant == "pm" else "calibration_days_gas")
        times = sorted(set(known))
        for last, following in pairwise([*times, end]):
            due = last + timedelta(days=cycle)
            lo, hi = (max(int((t - origin).total_seconds() // 3600), 0) for t in (due, following))
            if due < following and following > month and not np.isnan(found.values[s, lo:hi]).all():
                first, until = (int((t - origin).total_seconds() // 60) for t in (due, following))
                writer.add(
                    "A15_overdue", found.name(s), (first, until), channel=pollutant, threshold=cycle,
                    value=round((following - last).total_seconds() / 86_400, 2),
                )  # fmt: skip


def registry_changes(writer: Writer, registry: Registry, first: date, last: date) -> None:
    """A22: rows of outlets and devices that follow another one within the month with another fact."""
    outlets: dict[str, list[Outlet]] = {}
    for outlet in registry.outlets:
        outlets.setdefault(outlet.outlet_id, []).append(outlet)
    devices: dict[tuple[str, str], list[Device]] = {}
    for device in registry.devices:
        devices.setdefault((device.outlet_id, device.mn), []).append(device)
    moved: dict[tuple[str, date], list[str]] = {}
    for outlet_id, rows in outlets.items():
        _changes(moved, outlet_id, rows, _OUTLET_FACTS)
    for (outlet_id, _), own in devices.items():
        _changes(moved, outlet_id, own, _DEVICE_FACTS)
    for (outlet_id, day), texts in sorted(moved.items()):
        if first <= day <= last:
            start = (day - writer.origin).days * DAY_MINUTES
            told = "; ".join(dict.fromkeys(texts))
            writer.add(
                "A22_registry_changed", outlet_id, (start, start + DAY_MINUTES), value=float(len(texts)), changes=told
            )


def _changes(
    into: dict[tuple[str, date], list[str]], outlet_id: str, rows: list[Outlet] | list[Device], facts: tuple[str, ...]
) -> None:
    """Add what each row changes against the one before it."""
    ordered = sorted(rows, key=lambda r: r.valid_from)
    for before, after in pairwise(ordered):
        for name in facts:
            a, b = getattr(before, name), getattr(after, name)
            if a != b:
                text = f"{name} {'-' if a is None else a} -> {'-' if b is None else b}"
                into.setdefault((outlet_id, after.valid_from), []).append(text)


def changed_settings(writer: Writer, bench: Bench, days: list[str]) -> None:
    """A22: settings of instruments that loggers send beside their readings, and that change within the days given."""
    known: dict[tuple[str, str, str], str] = {}
    midnight = datetime.combine(writer.origin, datetime.min.time())
    told: set[tuple[str, str, datetime]] = set()
    for day in days:
        names = bench.table("cems_other", day, ["name"])
        if names is None or not names.num_rows or not _has_settings(names):
            continue
        table = bench.table("cems_other", day, _SETTING_COLUMNS)
        if table is None:
            continue
        table = table.filter(pc.starts_with(table.column("name").cast(pa.string()), _SETTING)).sort_by("data_time")
        for row in table.to_pylist():
            key = (row["outlet_id"], row["mn"], row["name"])
            before = known.get(key)
            known[key] = row["text"]
            place = (row["outlet_id"], row["name"], row["data_time"])
            if before is not None and before != row["text"] and place not in told:
                told.add(place)
                start = int((row["data_time"] - midnight).total_seconds() // 60)
                writer.add(
                    "A22_setting_changed", row["outlet_id"], (start, start + 1), channel=row["name"],
                    name=row["name"], before=before, after=row["text"],
                )  # fmt: skip


def _has_settings(names: pa.Table) -> bool:
    column = names.column("name").unify_dictionaries()
    return any(str(n).startswith(_SETTING) for chunk in column.chunks for n in chunk.dictionary.to_pylist())
