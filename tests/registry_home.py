"""A small registry that holds, as CSV texts, and ways to break it. Shared by the tests of registry and readers."""

from __future__ import annotations

import csv
import io

import pytest

from resources.registry import Registry, RegistryError
from resources.registry_schema import SHEETS

PLANT = {
    "plant_id": "P1",
    "name": "甲水泥",
    "province": "贵州",
    "ambient_pressure_kpa": "89.1",
    "region_class": "general",
    "valid_from": "2020-01-01",
}
LINE = {
    "line_id": "L1",
    "plant_id": "P1",
    "clinker_class": "portland",
    "capacity_t_d": "5000",
    "valid_from": "2020-01-01",
}
OUTLET = {
    "outlet_id": "O1",
    "plant_id": "P1",
    "line_id": "L1",
    "point_type": "kiln_tail",
    "duct_area_m2": "12.57",
    "velocity_coefficient": "0.96",
    "reductant": "ammonia",
    "valid_from": "2020-01-01",
}
DEVICE = {
    "mn": "010000A8900016F000169DC0", "outlet_id": "O1", "interval_min": "1", "label": "auto", "pressure_unit": "Pa", "pressure_basis": "gauge",
    "flow_unit": "m3/h", "flow_basis": "wet_actual", "gas_basis": "wet", "nox_as_no2": "false", "missing_flag": "valid", "valid_from": "2020-01-01",
}  # fmt: skip
PERMIT = {
    "outlet_id": "O1",
    "pollutant": "nox",
    "limit_mg_m3": "80",
    "standard": "GB 4915-2013",
    "valid_from": "2022-01-01",
}
ROWS = {"plants.csv": PLANT, "lines.csv": LINE, "outlets.csv": OUTLET, "devices.csv": DEVICE, "permits.csv": PERMIT}


def sheet_text(file: str, *rows: dict[str, str]) -> str:
    """The file with these rows; columns a row does not name are empty."""
    sheet = next(s for s in SHEETS if s.file == file)
    out = io.StringIO()
    writer = csv.DictWriter(out, [c.name for c in sheet.cells], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def home(**rows: list[dict[str, str]]) -> dict[str, str]:
    """A registry that holds, with the rows of some files replaced: home(plants=[…])."""
    return {file: sheet_text(file, *rows.get(file[:-4], [row])) for file, row in ROWS.items()}


def errors(tables: dict[str, str | bytes] | dict[str, str]) -> list[tuple[str, int, str]]:
    """(file, row, column) of every error, in order."""
    with pytest.raises(RegistryError) as caught:
        Registry.from_tables(tables)
    assert all(p.text_zh and p.text_en and p.remedy_zh and p.remedy_en for p in caught.value.problems)
    return [(p.file, p.row, p.column) for p in caught.value.problems]


def warnings(tables: dict[str, str]) -> list[tuple[str, int, str]]:
    return [(w.file, w.row, w.column) for w in Registry.from_tables(tables).warnings]
