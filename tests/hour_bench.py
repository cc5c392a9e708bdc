"""A bench over tables in memory, and raw tables built from short lists or from the real station days.

Belongs here: inputs for the tests of cems_labels, cems_hourly and cems_signals. Does not belong here: tests.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.hours import make_hours
from assets.labels import make_labels
from contracts.cems import CEMS_EDGE, CEMS_MINUTE, CEMS_REPORTED
from contracts.channels import SUBFIELD_WIRE, SUBFIELDS, column
from resources.events import EventBook
from resources.registry import Registry
from resources.rules import RuleBook
from tests.registry_home import DEVICE, OUTLET, PLANT, home

if TYPE_CHECKING:
    import pyarrow as pa

DAY = "2026-05-04"
STATION_DAYS = Path(__file__).parents[2] / "shared/data/hj212/station_days.jsonl"
BOOK = RuleBook.load()
_RAW = {"cems_minute": CEMS_MINUTE, "cems_reported": CEMS_REPORTED, "cems_edge": CEMS_EDGE}
_LEGACY = {"01": "pm", "02": "so2", "03": "nox", "S01": "o2", "S02": "velocity", "S03": "temperature",
           "S05": "humidity", "S08": "pressure", "B02": "flow"}  # fmt: skip
#: A device whose readings need no interpretation.
PLAIN = DEVICE | {"mn": "M1", "label": "start", "pressure_unit": "kPa", "pressure_basis": "absolute", "flow_unit": "m3/h",
                  "flow_basis": "dry_standard", "gas_basis": "dry", "nox_as_no2": "true"}  # fmt: skip


class FakeBench:
    """Tables by (name, key); the registry and the packaged rule book."""

    def __init__(
        self, registry: Registry, tables: dict[tuple[str, str], pa.Table], events: EventBook | None = None
    ) -> None:
        self.tables = tables
        self.goes_on = False
        self._events = events or EventBook()
        self._registry = registry

    def table(self, name: str, key: str, columns: list[str] | None = None) -> pa.Table | None:
        found = self.tables.get((name, key))
        return found if found is None or columns is None else found.select(columns)

    def frontier(self, name: str, not_after: str) -> str:
        """As if data went on for ever after the last day of the table."""
        return not_after if self.goes_on else max((key for n, key in self.tables if n == name), default="")

    def registry(self, first: date, last: date) -> Registry:
        return self._registry

    def rules(self, first: date, last: date) -> RuleBook:
        return BOOK

    def events(self, first: date, last: date) -> EventBook:
        return self._events


def registry(outlets: list[dict[str, str]] | None = None, devices: list[dict[str, str]] | None = None,
             plants: list[dict[str, str]] | None = None, permits: list[dict[str, str]] | None = None) -> Registry:  # fmt: skip
    """One kiln tail O1 with one plain device M1, unless said otherwise."""
    since = {"valid_from": "2016-01-01"}
    return Registry.from_tables(
        home(
            plants=[p | since for p in plants or [PLANT]],
            lines=[{"line_id": "L1", "plant_id": "P1", "clinker_class": "portland", "capacity_t_d": "5000"} | since],
            outlets=[o | since for o in outlets or [OUTLET]],
            devices=[since | d for d in devices or [PLAIN | since]],
            permits=permits or [],
        )
    )


def at(minute: float, day: str = DAY) -> datetime:
    return datetime.fromisoformat(day) + timedelta(minutes=minute)


def row(
    time: datetime, outlet_id: str = "O1", mn: str = "M1", cn: int = 2051, version: int = 1, **cells: Any
) -> dict[str, Any]:
    """One raw row; cells by column name."""
    fixed = {"outlet_id": outlet_id, "mn": mn, "data_time": time, "cn": cn, "version": version, "frames": 1}
    return {**fixed, "src_file": "0123456789abcdef", "src_offset": 0, **cells}


def raw_tables(rows: list[dict[str, Any]]) -> dict[tuple[str, str], pa.Table]:
    """Rows as the raw layer keeps them: by day, and once more in cems_edge what lies in the first hour of a day."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in rows:
        day = str(one["data_time"].date())
        groups.setdefault(("cems_minute" if one["cn"] == 2051 else "cems_reported", day), []).append(one)
        if one["data_time"].hour == 0:
            groups.setdefault(("cems_edge", day), []).append(one)
    return {key: _RAW[key[0]].arrow(pl.DataFrame(part, infer_schema_length=None)) for key, part in groups.items()}


def make(
    rows: list[dict[str, Any]], facts: Registry | None = None, day: str = DAY, more: dict[Any, pa.Table] | None = None,
    events: EventBook | None = None, *, goes_on: bool = False,
) -> Any:  # fmt: skip
    """(hours, signals) of a day as frames, after the labels of the day; None when the maker makes nothing."""
    bench = FakeBench(facts or registry(), raw_tables(rows) | (more or {}), events)
    bench.goes_on = goes_on
    bench.tables |= {(name, day): table for name, table in make_labels(bench, day).items()}  # type: ignore[arg-type]
    made = make_hours(bench, day)  # type: ignore[arg-type]
    if not made:
        return None
    return tuple(pl.DataFrame(pl.from_arrow(made[name])) for name in ("cems_hourly", "cems_signals"))


def station_rows(station: int) -> list[dict[str, Any]]:
    """Rows of a real station day: outlet S<n>, as a plain parser reads the packets; 2031 is left out."""
    lines = [json.loads(line) for line in STATION_DAYS.read_text(encoding="utf-8").splitlines()]
    packets = [line["packet"] for line in lines if line["station"] == station and line["cn"] != "2031"]
    return [_packet_row(packet, f"S{station}") for packet in packets]


def _packet_row(packet: str, outlet_id: str) -> dict[str, Any]:
    head, body = packet.split("CP=&&")
    fields = dict(pair.split("=") for pair in head.split(";") if "=" in pair)
    pairs = [pair.split("=") for item in body.split("&&")[0].split(";") for pair in item.split(",")]
    subs = dict(zip(SUBFIELD_WIRE, SUBFIELDS, strict=True))
    cells = {}
    for name, value in pairs:
        factor, _, sub = name.rpartition("-")
        wanted = column(_LEGACY.get(factor, ""), subs.get(sub, ""))
        if wanted in CEMS_MINUTE.names:
            cells[wanted] = float(value)
    time = datetime.strptime(dict(pairs)["DataTime"][:14], "%Y%m%d%H%M%S")
    return row(time, outlet_id, fields["MN"], int(fields["CN"]), 0, **cells)


def station_registry(station: int, mn: str, **device: str) -> Registry:
    """Registry facts of a real station: a boiler, standing in for a kiln tail with a reference O2 of 6 %."""
    outlet = OUTLET | {"outlet_id": f"S{station}", "o2_reference_pct": "6", "reductant": "none"}
    facts = {"mn": mn, "outlet_id": f"S{station}", "interval_min": "10", "label": "auto", "valid_from": "2016-01-01"}
    return registry([outlet], [PLAIN | facts | device])
