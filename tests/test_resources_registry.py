"""The registry's files: what loads, and that every mistake in a cell, row or file is found where it stands."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.registry import Device, Line, Outlet, Permit, Plant, Problem, Registry, RegistryError
from resources.registry_schema import DEVICES, LINES, OUTLETS, PERMITS, PLANTS, SHEETS, header
from resources.storage import open_storage
from tests.registry_home import DEVICE, LINE, OUTLET, PLANT, ROWS, errors, home, sheet_text

if TYPE_CHECKING:
    from pathlib import Path


def test_a_whole_registry_loads_with_types() -> None:
    book = Registry.from_tables(home())
    assert book.plants == (
        Plant("P1", "甲水泥", "", "", "", "贵州", "", None, None, 89.1, "general", date(2020, 1, 1), None),
    )
    assert book.lines == (Line("L1", "P1", "portland", 5000.0, date(2020, 1, 1), None),)
    assert book.outlets == (
        Outlet("O1", "P1", "L1", "kiln_tail", 12.57, 0.96, None, "ammonia", date(2020, 1, 1), None),
    )
    assert book.devices == (
        Device(DEVICE["mn"], "O1", 1, "auto", "Pa", "gauge", "m3/h", "wet_actual", "wet", False, "valid", frozenset({"hj212"}), date(2020, 1, 1), None),
    )  # fmt: skip
    assert book.permits == (Permit("O1", "nox", 80.0, "GB 4915-2013", date(2022, 1, 1), None),)
    assert book.warnings == ()


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda s: s.file)
def test_columns_are_those_of_the_design_and_of_the_record(sheet) -> None:
    assert [c.name for c in sheet.cells] == [f.name for f in fields(sheet.row)] == header(sheet).split(",")


def test_the_design_fixes_the_columns() -> None:
    assert (
        header(PLANTS)
        == "plant_id,name,name_en,uscc,group,province,prefecture,latitude,longitude,ambient_pressure_kpa,region_class,valid_from,valid_to"
    )
    assert header(LINES) == "line_id,plant_id,clinker_class,capacity_t_d,valid_from,valid_to"
    assert (
        header(OUTLETS)
        == "outlet_id,plant_id,line_id,point_type,duct_area_m2,velocity_coefficient,o2_reference_pct,reductant,valid_from,valid_to"
    )
    assert header(DEVICES) == (
        "mn,outlet_id,interval_min,label,pressure_unit,pressure_basis,flow_unit,flow_basis,gas_basis,nox_as_no2,missing_flag,crc_variants,valid_from,valid_to"
    )
    assert header(PERMITS) == "outlet_id,pollutant,limit_mg_m3,standard,valid_from,valid_to"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_with_and_without_bom(encoding: str) -> None:
    book = Registry.from_tables({f: t.encode(encoding) for f, t in home().items()})
    assert (book.plants[0].name, book.warnings) == ("甲水泥", ())


def test_gb18030_is_read_and_said() -> None:
    book = Registry.from_tables(home() | {"plants.csv": home()["plants.csv"].encode("gb18030")})
    assert book.plants[0].name == "甲水泥"
    assert [(w.file, w.row) for w in book.warnings] == [("plants.csv", 0)]


def test_neither_encoding_is_one_error_and_explains_the_rest() -> None:
    assert errors(home() | {"plants.csv": b"\xff\xfe\x00"}) == [("plants.csv", 0, "")]


def test_load_reads_a_folder(tmp_path: Path) -> None:
    for file, text in home().items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    assert Registry.load(open_storage(str(tmp_path))) == Registry.from_tables(home())
    (tmp_path / "permits.csv").unlink()
    assert Registry.load(open_storage(str(tmp_path))).permits == ()


def test_an_empty_folder_lists_the_files_it_needs(tmp_path: Path) -> None:
    with pytest.raises(RegistryError) as caught:
        Registry.load(open_storage(str(tmp_path)))
    assert [p.file for p in caught.value.problems] == ["plants.csv", "outlets.csv", "devices.csv"]


def test_lines_are_needed_only_when_an_outlet_names_one() -> None:
    without = {
        f: t for f, t in home(outlets=[OUTLET | {"line_id": "", "point_type": "cooler"}]).items() if f != "lines.csv"
    }
    assert Registry.from_tables(without).lines == ()
    assert errors({f: t for f, t in home().items() if f != "lines.csv"}) == [("lines.csv", 0, "")]


def test_quotes_blank_lines_spaces_and_slash_dates() -> None:
    text = (
        header(PLANTS)
        + '\r\n\r\n"P1"," 甲, 乙\u3000",,,,贵州,,26.5,106.7,89.1,general,2020/1/5,2030/12/31,,\r\n,,,,,,,,,,,,\r\n'
    )
    plant = Registry.from_tables(
        home(lines=[LINE | {"valid_from": "2021-01-01", "valid_to": "2022-01-01"}], outlets=[], devices=[], permits=[])
        | {"plants.csv": text}
    ).plants[0]
    assert (plant.name, plant.valid_from, plant.valid_to, plant.latitude) == (
        "甲, 乙",
        date(2020, 1, 5),
        date(2030, 12, 31),
        26.5,
    )


@pytest.mark.parametrize(
    ("text", "variants"),
    [
        ("", {"hj212"}),
        ("hj212;modbus", {"hj212", "modbus"}),
        ("modbus_swapped; hj212", {"modbus_swapped", "hj212"}),
        ("modbus hj212", {"modbus", "hj212"}),
        ("modbus", {"modbus"}),
    ],
)
def test_crc_variants(text: str, variants: set[str]) -> None:
    assert Registry.from_tables(home(devices=[DEVICE | {"crc_variants": text}])).devices[0].crc_variants == variants


CELL_ERRORS = [
    ("plants", "plant_id", ""), ("plants", "name", ""), ("plants", "province", ""), ("plants", "region_class", ""), ("plants", "valid_from", ""),
    ("plants", "plant_id", "a/b"), ("plants", "plant_id", "a\tb"), ("plants", "name", "x" * 201),
    ("plants", "latitude", "106.7"), ("plants", "longitude", "26.5"), ("plants", "latitude", "15.061997N"), ("plants", "latitude", "15.03 42 86"), ("plants", "latitude", "NA"),
    ("plants", "ambient_pressure_kpa", "49.9"), ("plants", "ambient_pressure_kpa", "110.1"), ("plants", "ambient_pressure_kpa", "89100"), ("plants", "ambient_pressure_kpa", "nan"),
    ("plants", "ambient_pressure_kpa", "８９"), ("plants", "region_class", "Key"),
    ("plants", "valid_from", "2020-13-01"), ("plants", "valid_from", "2020-1"), ("plants", "valid_from", "20200101"), ("plants", "valid_to", "never"), ("plants", "valid_from", "2020-01/01"),
    ("lines", "line_id", ""), ("lines", "clinker_class", "cement"), ("lines", "capacity_t_d", ""), ("lines", "capacity_t_d", "0"), ("lines", "capacity_t_d", "-5"), ("lines", "capacity_t_d", "5,000"), ("lines", "capacity_t_d", "1500000"),
    ("outlets", "point_type", "chimney"), ("outlets", "duct_area_m2", "0"), ("outlets", "velocity_coefficient", "96"), ("outlets", "o2_reference_pct", "21"), ("outlets", "o2_reference_pct", "0"),
    ("outlets", "reductant", "SNCR"), ("outlets", "reductant", ""),
    ("devices", "mn", ""), ("devices", "mn", "1.00E+23"), ("devices", "mn", "MN;1"), ("devices", "interval_min", "7"), ("devices", "interval_min", "1.0"), ("devices", "interval_min", ""),
    ("devices", "label", "begin"), ("devices", "pressure_unit", "kpa"), ("devices", "pressure_unit", ""), ("devices", "pressure_basis", ""), ("devices", "flow_unit", ""), ("devices", "flow_basis", "wet"),
    ("devices", "gas_basis", ""), ("devices", "nox_as_no2", "yes"), ("devices", "missing_flag", ""), ("devices", "crc_variants", "crc16"), ("devices", "crc_variants", ";"),
    ("permits", "pollutant", "NOx"), ("permits", "limit_mg_m3", "0"), ("permits", "limit_mg_m3", ""), ("permits", "standard", ""), ("permits", "valid_from", ""),
]  # fmt: skip


@pytest.mark.parametrize(("file", "column", "value"), CELL_ERRORS)
def test_each_bad_cell_is_named(file: str, column: str, value: str) -> None:
    assert (f"{file}.csv", 2, column) in errors(home(**{file: [ROWS[f"{file}.csv"] | {column: value}]}))


def test_a_bad_cell_tells_its_value_and_what_is_permitted() -> None:
    with pytest.raises(RegistryError) as caught:
        Registry.from_tables(home(devices=[DEVICE | {"flow_unit": "m3/min"}]))
    (problem,) = caught.value.problems
    assert (problem.file, problem.row, problem.column, problem.value) == ("devices.csv", 2, "flow_unit", "m3/min")
    assert "m3/h, m3/s" in problem.remedy_zh
    assert "m3/h, m3/s" in problem.remedy_en
    assert "devices.csv:2 [flow_unit='m3/min']" in str(caught.value)


def test_every_error_at_once() -> None:
    """Seven mistakes in four files, two of them in one row, one across files: all of them in one go."""
    broken = home(
        plants=[
            PLANT | {"region_class": "west", "latitude": "106"},
            PLANT | {"plant_id": "P2", "valid_to": "2019-01-01"},
        ],
        lines=[LINE, LINE | {"line_id": "L2", "capacity_t_d": "many"}],
        outlets=[OUTLET, OUTLET | {"outlet_id": "O2", "line_id": "L9"}],
        devices=[DEVICE | {"outlet_id": "O8", "interval_min": "7"}],
    )
    assert errors(broken) == [
        ("plants.csv", 2, "latitude"),
        ("plants.csv", 2, "region_class"),
        ("plants.csv", 3, "valid_to"),
        ("lines.csv", 3, "capacity_t_d"),
        ("outlets.csv", 3, "line_id"),
        ("devices.csv", 2, "outlet_id"),
        ("devices.csv", 2, "interval_min"),
    ]


def test_a_broken_row_is_not_reported_again_by_those_who_name_it() -> None:
    assert errors(home(plants=[PLANT | {"valid_from": "soon"}])) == [("plants.csv", 2, "valid_from")]
    assert errors(home() | {"plants.csv": "nonsense"}).count(("lines.csv", 2, "plant_id")) == 0


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (lambda h: h.replace("province,", ""), [(1, "province")]),
        (lambda h: h.replace("province", "Province"), [(1, "province")]),
        (lambda h: h.replace("name_en", "name"), [(1, "name"), (1, "name_en")]),
        (lambda h: h.replace(",", ";"), None),
        (lambda h: "", [(0, "")]),
    ],
    ids=["missing", "case", "twice", "semicolons", "empty"],
)
def test_header_errors(edit, found) -> None:
    plants = edit(header(PLANTS))
    got = errors(home() | {"plants.csv": plants})
    if found is None:
        assert len(got) == len(PLANTS.cells)
    else:
        assert sorted(got) == sorted(("plants.csv", row, column) for row, column in found)


def test_a_column_of_the_owners_own_is_told_and_harmless() -> None:
    text = home()["plants.csv"].splitlines()
    remarked = "\n".join([text[0] + ",remark", *(line + ",called on Monday" for line in text[1:])])
    registry = Registry.from_tables(home() | {"plants.csv": remarked})
    assert [(w.file, w.row, w.column) for w in registry.warnings] == [("plants.csv", 1, "remark")]


def test_ragged_rows_and_broken_quotes_name_their_line() -> None:
    text = sheet_text("plants.csv", PLANT, PLANT | {"plant_id": "P2"})
    assert errors(home() | {"plants.csv": text + "P3,x\n"}) == [("plants.csv", 4, "")]
    assert errors(home() | {"plants.csv": text + '"P3,x\n'}) == [("plants.csv", 4, "")]


def test_row_is_the_line_of_the_file_even_after_cells_with_line_breaks() -> None:
    text = (
        header(PLANTS) + '\nP1,"甲\n水泥",,,,贵州,,,,89,general,2020-01-01,\nP2,乙,,,,贵州,,,,9,general,2020-01-01,\n'
    )
    assert errors(home() | {"plants.csv": text}) == [
        ("plants.csv", 2, "name"),
        ("plants.csv", 4, "ambient_pressure_kpa"),
    ]


def test_an_unknown_file_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match=r"plant\.csv"):
        Registry.from_tables({"plant.csv": ""})


_CELLS = st.sampled_from(
    [
        "",
        "P1",
        "O1",
        "L1",
        "2020-01-01",
        "2019-01-01",
        "5",
        "kiln_tail",
        "general",
        "true",
        "NaN",
        "1e5",
        '"',
        "贵州",
        ",",
        "\n",
        "\x00",
        "0",
    ]
)
_TEXTS = st.one_of(
    st.text(max_size=80), st.lists(st.lists(_CELLS, max_size=15).map(",".join), max_size=6).map("\n".join)
)


def _attempt(tables: dict[str, str | bytes] | dict[str, str]) -> tuple[Registry | None, list[Problem]]:
    try:
        return Registry.from_tables(tables), []
    except RegistryError as error:
        return None, error.problems


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_text_loads_or_is_refused(data) -> None:
    """Whatever stands in the files, the answer is a registry or a RegistryError."""
    tables: dict[str, str | bytes] = {}
    for sheet in SHEETS:
        kind = data.draw(st.sampled_from(["good", "rows", "text", "bytes", "absent"]))
        if kind == "good":
            tables[sheet.file] = home()[sheet.file]
        elif kind == "rows":
            tables[sheet.file] = header(sheet) + "\n" + data.draw(_TEXTS)
        elif kind == "text":
            tables[sheet.file] = data.draw(_TEXTS)
        elif kind == "bytes":
            tables[sheet.file] = data.draw(st.binary(max_size=60))
    book, problems = _attempt(tables)
    assert (book is None) == bool(problems)
    assert all(p.file in ROWS and p.row >= 0 and p.text_zh and p.remedy_en for p in problems)


@settings(max_examples=100, deadline=None)
@given(
    file=st.sampled_from(sorted(ROWS)),
    data=st.data(),
    value=st.one_of(st.text(max_size=12), _CELLS, st.floats().map(str), st.dates().map(str)),
)
def test_any_cell_is_taken_or_named(file: str, data, value: str) -> None:
    """One cell replaced by anything: the registry loads, or an error stands somewhere; never another exception."""
    column = data.draw(st.sampled_from([c.name for s in SHEETS if s.file == file for c in s.cells]))
    tables = home(**{file[:-4]: [ROWS[file] | {column: value}]})
    book, problems = _attempt(tables)
    assert (book is None) == bool(problems)
