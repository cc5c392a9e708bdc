"""registry/*.csv of a simulated landing zone.

Belongs here: writing what `world` made in the columns of design 4.2. Does not belong here: reading and checking a registry
(`resources.registry`). Coordinates and credit codes stay empty: a simulated plant has neither.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from simulator.world import SimOutlet, World

#: Everything simulated is in force from here on.
VALID_FROM = "2020-01-01"

_COLUMNS: dict[str, str] = {
    "plants.csv": "plant_id,name,name_en,uscc,group,province,prefecture,latitude,longitude,ambient_pressure_kpa,region_class,valid_from,valid_to",
    "lines.csv": "line_id,plant_id,clinker_class,capacity_t_d,valid_from,valid_to",
    "outlets.csv": "outlet_id,plant_id,line_id,point_type,duct_area_m2,velocity_coefficient,o2_reference_pct,reductant,valid_from,valid_to",
    "devices.csv": "mn,outlet_id,interval_min,label,pressure_unit,pressure_basis,flow_unit,flow_basis,gas_basis,nox_as_no2,missing_flag,crc_variants,valid_from,valid_to",
    "permits.csv": "outlet_id,pollutant,limit_mg_m3,standard,valid_from,valid_to",
}


def write_registry(folder: Path, world: World) -> None:
    """All five files; each appears under its name only when it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, Iterable[tuple[object, ...]]] = {
        "plants.csv": (
            (
                p.plant_id,
                p.name,
                p.name_en,
                "",
                p.group,
                p.province,
                p.prefecture,
                "",
                "",
                p.ambient_kpa,
                p.region_class,
            )
            for p in world.plants
        ),
        "lines.csv": ((n.line_id, n.plant_id, "portland", f"{n.capacity_t_d:g}") for n in world.lines),
        "outlets.csv": (_outlet(o) for o in world.outlets),
        "devices.csv": (_device(o) for o in world.outlets),
        "permits.csv": (
            (o.outlet_id, "nox", f"{o.permit_nox:g}", "排污许可证(模拟)")
            for o in world.outlets
            if o.permit_nox is not None
        ),
    }
    for name, columns in _COLUMNS.items():
        part = folder / f".{name}.part"
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns.split(","))
            writer.writerows((*row, VALID_FROM, "") for row in rows[name])
        part.replace(folder / name)


def _outlet(o: SimOutlet) -> tuple[object, ...]:
    line = o.line.line_id if o.line else ""
    return o.outlet_id, o.plant.plant_id, line, o.point_type, o.duct_area_m2, o.velocity_coefficient, "", o.reductant


def _device(o: SimOutlet) -> tuple[object, ...]:
    d = o.device
    return (
        d.mn, o.outlet_id, d.interval_min, d.registered_label, d.pressure_unit, d.pressure_basis, d.flow_unit, d.flow_basis, d.gas_basis,
        str(d.nox_as_no2).lower(), d.missing_flag, d.crc_variants,
    )  # fmt: skip
