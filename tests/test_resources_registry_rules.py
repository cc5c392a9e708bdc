"""Rules between rows of the registry, what is in force when, and versions."""

from __future__ import annotations

import random
from datetime import date

import pytest

from resources.registry import Registry, RegistryError
from resources.registry_schema import SHEETS
from resources.registry_warn import uscc_holds
from tests.registry_home import DEVICE, LINE, OUTLET, PERMIT, PLANT, ROWS, errors, home, warnings

DAY = date(2026, 5, 1)
PERIODS = [
    pytest.param([("2020-01-01", "2024-01-01"), ("2024-01-01", "")], False, id="adjoining"),
    pytest.param([("2024-01-01", ""), ("2020-01-01", "2024-01-01")], False, id="adjoining, any order"),
    pytest.param([("2020-01-01", "2024-01-02"), ("2024-01-01", "")], True, id="one day"),
    pytest.param([("2020-01-01", ""), ("2024-01-01", "")], True, id="both open"),
    pytest.param([("2020-01-01", ""), ("2020-01-01", "")], True, id="the same row twice"),
    pytest.param([("2020-01-01", "2030-01-01"), ("2021-01-01", "2022-01-01"), ("2025-01-01", "")], True, id="inside"),
]


@pytest.mark.parametrize(("periods", "clash"), PERIODS)
@pytest.mark.parametrize("file", ["plants", "lines", "outlets", "devices", "permits"])
def test_one_key_is_in_force_once(file: str, periods: list[tuple[str, str]], clash: bool) -> None:
    """The same id (or MN, or limit) may not be in force twice at a time; the later line of the two is named."""
    rows = [ROWS[f"{file}.csv"] | {"valid_from": a, "valid_to": b} for a, b in periods]
    tables = home(**{file: rows})
    key = next(s for s in SHEETS if s.file == f"{file}.csv").key[0]
    if not clash:
        Registry.from_tables(tables)
    else:
        got = errors(tables)
        assert (f"{file}.csv", 3, key) in got
        assert {g[0] for g in got} == {f"{file}.csv"}


def test_one_mn_on_two_outlets_at_once_is_refused() -> None:
    assert errors(
        home(outlets=[OUTLET, OUTLET | {"outlet_id": "O2"}], devices=[DEVICE, DEVICE | {"outlet_id": "O2"}])
    ) == [("devices.csv", 3, "mn")]


def test_an_mn_may_move_to_another_outlet() -> None:
    moved = home(
        outlets=[OUTLET, OUTLET | {"outlet_id": "O2"}],
        devices=[DEVICE | {"valid_to": "2025-01-01"}, DEVICE | {"outlet_id": "O2", "valid_from": "2025-01-01"}],
    )
    book = Registry.from_tables(moved)
    assert [book.device(DEVICE["mn"], d).outlet_id for d in (date(2024, 12, 31), date(2025, 1, 1))] == ["O1", "O2"]


def test_permits_of_two_standards_may_stand_together() -> None:
    book = Registry.from_tables(home(permits=[PERMIT, PERMIT | {"standard": "环大气〔2024〕5号", "limit_mg_m3": "45"}]))
    assert [p.limit_mg_m3 for p in book.permits_at("O1", "nox", DAY)] == [80.0, 45.0]
    assert (
        book.permits_at("O1", "so2", DAY)
        == book.permits_at("O9", "nox", DAY)
        == book.permits_at("O1", "nox", date(2021, 12, 31))
        == []
    )


@pytest.mark.parametrize(
    ("file", "column", "parent"),
    [
        ("lines", "plant_id", "plants"),
        ("outlets", "plant_id", "plants"),
        ("outlets", "line_id", "lines"),
        ("devices", "outlet_id", "outlets"),
        ("permits", "outlet_id", "outlets"),
    ],
)
def test_references_must_exist_and_be_in_force(file: str, column: str, parent: str) -> None:
    assert (f"{file}.csv", 2, column) in errors(home(**{file: [ROWS[f"{file}.csv"] | {column: "nobody"}]}))
    for change in ({"valid_to": "2025-01-01"}, {"valid_from": "2023-01-01"}):
        got = errors(home(**{parent: [ROWS[f"{parent}.csv"] | change]}))
        assert (f"{file}.csv", 2, column) in got


def test_a_parent_in_two_adjoining_rows_covers_its_children_and_a_gap_does_not() -> None:
    halves = [PLANT | {"valid_to": "2024-01-01"}, PLANT | {"valid_from": "2024-01-01", "name": "新名"}]
    book = Registry.from_tables(home(plants=halves))
    assert [book.plant("P1", d).name for d in (date(2023, 12, 31), date(2024, 1, 1))] == ["甲水泥", "新名"]
    gap = [PLANT | {"valid_to": "2024-01-01"}, PLANT | {"valid_from": "2024-01-02"}]
    assert errors(home(plants=gap)) == [("lines.csv", 2, "plant_id"), ("outlets.csv", 2, "plant_id")]


def test_an_outlet_and_its_line_belong_to_one_plant() -> None:
    assert errors(home(plants=[PLANT, PLANT | {"plant_id": "P2"}], outlets=[OUTLET | {"plant_id": "P2"}])) == [
        ("outlets.csv", 2, "line_id")
    ]


def test_a_line_sold_to_another_plant_takes_its_outlets_along() -> None:
    """Each row names the owner of its own time; that the line had another owner before or after is no error."""
    rows = {"lines": LINE, "outlets": OUTLET}
    sold = {
        k: [v | {"valid_to": "2024-01-01"}, v | {"plant_id": "P2", "valid_from": "2024-01-01"}] for k, v in rows.items()
    }
    book = Registry.from_tables(home(plants=[PLANT, PLANT | {"plant_id": "P2"}], **sold))
    assert [book.outlet("O1", d).plant_id for d in (date(2023, 12, 31), DAY)] == ["P1", "P2"]


@pytest.mark.parametrize(
    ("basis", "flow", "needed"),
    [
        ("gauge", "wet_actual", True),
        ("gauge", "dry_standard", True),
        ("absolute", "wet_actual", True),
        ("absolute", "dry_standard", False),
    ],
)
def test_ambient_pressure_is_needed_where_it_is_used(basis: str, flow: str, needed: bool) -> None:
    tables = home(
        plants=[PLANT | {"ambient_pressure_kpa": ""}], devices=[DEVICE | {"pressure_basis": basis, "flow_basis": flow}]
    )
    if needed:
        assert errors(tables) == [("plants.csv", 2, "ambient_pressure_kpa")]
    else:
        assert Registry.from_tables(tables).plants[0].ambient_pressure_kpa is None


def test_ambient_pressure_is_needed_only_while_the_device_is_in_force() -> None:
    plants = [PLANT | {"ambient_pressure_kpa": "", "valid_to": "2024-01-01"}, PLANT | {"valid_from": "2024-01-01"}]
    late = home(plants=plants, devices=[DEVICE | {"valid_from": "2024-01-01"}])
    assert Registry.from_tables(late).plant("P1", DAY).ambient_pressure_kpa == 89.1
    assert errors(home(plants=plants)) == [("plants.csv", 2, "ambient_pressure_kpa")]


def test_a_velocity_coefficient_without_the_duct_area_is_told() -> None:
    half = Registry.from_tables(home(outlets=[OUTLET | {"duct_area_m2": ""}]))
    assert [(w.file, w.row, w.column) for w in half.warnings] == [("outlets.csv", 2, "duct_area_m2")]
    neither = Registry.from_tables(home(outlets=[OUTLET | {"duct_area_m2": "", "velocity_coefficient": ""}]))
    assert (neither.outlets[0].duct_area_m2, neither.warnings) == (None, ())


@pytest.mark.parametrize(
    ("tables", "found"),
    [
        (home(plants=[PLANT | {"uscc": "91350100M000100Y43"}]), []),
        (home(plants=[PLANT | {"uscc": "91350100M000100Y44"}]), [("plants.csv", 2, "uscc")]),
        (home(plants=[PLANT | {"uscc": "91350100M000"}]), [("plants.csv", 2, "uscc")]),
        (home(plants=[PLANT, PLANT | {"plant_id": "P2", "province": "贵州省"}]), [("plants.csv", 3, "province")]),
        (home(lines=[LINE | {"capacity_t_d": "2.5"}]), [("lines.csv", 2, "capacity_t_d")]),
        (home(outlets=[OUTLET | {"line_id": ""}]), [("outlets.csv", 2, "line_id")]),
        (home(outlets=[OUTLET | {"velocity_coefficient": ""}]), [("outlets.csv", 2, "velocity_coefficient")]),
        (home(devices=[DEVICE | {"mn": "0100"}]), [("devices.csv", 2, "mn")]),
        (home(devices=[DEVICE, DEVICE | {"mn": "12345678901234"}]), [("devices.csv", 3, "outlet_id")]),
        (home(devices=[DEVICE | {"valid_to": "2024-01-01"}, DEVICE | {"mn": "12345678901234", "valid_from": "2024-01-01"}]), []),
        (home(devices=[]), [("devices.csv", 0, "")]),
    ],
    ids=["credit code", "check digit", "short code", "province spelt twice", "Mt a year", "kiln without line", "area only", "short MN", "two loggers", "logger replaced", "no logger"],
)  # fmt: skip
def test_warnings_do_not_stop_a_run(tables: dict[str, str], found: list[tuple[str, int, str]]) -> None:
    assert warnings(tables) == found


@pytest.mark.parametrize(
    ("province", "said"),
    [("贵洲省", "是否为 贵州？"), ("Guizou", "was Guizhou meant?"), ("火星", "核对省份名称"), ("广西壮族自治区", None), ("inner mongolia", None),
     ("Guangxi Zhuang Autonomous Region", None)],
)  # fmt: skip
def test_an_unknown_province_is_told_with_the_nearest(province: str, said: str | None) -> None:
    told = Registry.from_tables(home(plants=[PLANT | {"province": province}])).warnings
    assert [(w.file, w.row, w.column) for w in told] == [("plants.csv", 2, "province")] * (said is not None)
    assert all(said is not None and said in str(w) for w in told)


@pytest.mark.parametrize(
    ("capacity", "kind", "said"),
    [("2.5", "portland", "百万吨/年"), ("155", "portland", "是否误填万吨/年"), ("600", "white", None), ("1000", "portland", None)],
)  # fmt: skip
def test_a_capacity_that_is_small_by_the_day_is_told(capacity: str, kind: str, said: str | None) -> None:
    told = Registry.from_tables(home(lines=[LINE | {"capacity_t_d": capacity, "clinker_class": kind}])).warnings
    assert [w.column for w in told] == ["capacity_t_d"] * (said is not None)
    assert all(said is not None and said in str(w) for w in told)


@pytest.mark.parametrize(
    ("row", "cells"),
    [("L1,P1,portland,3,200,2020-01-01,", 7), ("L1,P1,portland,3,200,2020-01-01,,,", 9), ("L1,P1,portland,3,200,2020-01-01,2030-01-01", 7)],
    ids=["open", "commas-at-the-end", "closed"],
)  # fmt: skip
def test_a_thousands_separator_is_told_as_one_mistake(row: str, cells: int) -> None:
    tables = home()
    tables["lines.csv"] = f"{tables['lines.csv'].splitlines()[0]}\n{row}\n"
    with pytest.raises(RegistryError) as caught:
        Registry.from_tables(tables)
    (found,) = [p for p in caught.value.problems if p.file == "lines.csv"]
    assert f"本行 {cells} 个单元格，表头 6 列：数字里是否有千分位逗号？" in str(found)
    assert "thousands separator" in str(found)


def test_empty_cells_at_the_end_of_a_row_do_no_harm() -> None:
    tables = home()
    tables["lines.csv"] = f"{tables['lines.csv'].splitlines()[0]}\nL1,P1,portland,3200,2020-01-01,,,\n"
    assert Registry.from_tables(tables).lines[0].capacity_t_d == 3200


def test_the_credit_code_catches_every_single_wrong_character() -> None:
    good = "91350100M000100Y43"
    assert uscc_holds(good)
    changed = [
        good[:i] + c + good[i + 1 :] for i in range(18) for c in "0123456789ABCDEFGHJKLMNPQRTUWXY" if c != good[i]
    ]
    assert not any(uscc_holds(code) for code in changed)
    assert not uscc_holds(good.replace("M", "I"))


def test_what_is_in_force_on_a_day() -> None:
    outlets = [
        OUTLET | {"outlet_id": "O2", "valid_to": "2026-05-02"},
        OUTLET,
        OUTLET | {"outlet_id": "O3", "valid_from": "2026-05-02"},
    ]
    book = Registry.from_tables(home(outlets=outlets, permits=[]))
    assert [o.outlet_id for o in book.outlets] == ["O2", "O1", "O3"]
    assert [o.outlet_id for o in book.outlets_at(DAY)] == ["O1", "O2"]
    assert [o.outlet_id for o in book.outlets_at(date(2026, 5, 2))] == ["O1", "O3"]
    assert book.outlets_at(date(2019, 12, 31)) == []
    assert book.outlet("O3", DAY) is None
    assert book.outlet("O3", date(2026, 5, 2)) == book.outlets[2]
    assert (book.plant("P1", DAY), book.line("L1", DAY), book.plant("nobody", DAY)) == (
        book.plants[0],
        book.lines[0],
        None,
    )
    assert (book.devices_at(DAY), book.plants_at(DAY), book.lines_at(DAY)) == (
        [*book.devices],
        [*book.plants],
        [*book.lines],
    )


MAY = (date(2026, 5, 1), date(2026, 5, 31))


def test_version_does_not_depend_on_row_order_or_spelling() -> None:
    rows = [OUTLET | {"outlet_id": f"O{i}"} for i in range(1, 9)]
    shuffled = rows.copy()
    random.Random(3).shuffle(shuffled)
    one = Registry.from_tables(home(outlets=rows))
    other = Registry.from_tables(
        home(outlets=[r | {"valid_from": "2020/1/1", "duct_area_m2": "12.570"} for r in shuffled])
    )
    assert one.version(*MAY) == other.version(*MAY)


@pytest.mark.parametrize("file", ["plants", "lines", "outlets", "devices", "permits"])
def test_version_moves_only_where_a_row_changes(file: str) -> None:
    """A change from June on leaves May's version alone and moves June's; a change in May's row moves May's."""
    change = {
        "plants": {"name": "新名"},
        "lines": {"capacity_t_d": "4000"},
        "outlets": {"reductant": "urea"},
        "devices": {"label": "end"},
        "permits": {"limit_mg_m3": "60"},
    }[file]
    row = ROWS[f"{file}.csv"]
    split = [row | {"valid_to": "2026-06-01"}, row | change | {"valid_from": "2026-06-01"}]
    before, after, at_once = (Registry.from_tables(home(**{file: rows})) for rows in ([row], split, [row | change]))
    june = (date(2026, 6, 1), date(2026, 6, 30))
    assert before.version(*MAY) == after.version(*MAY) != at_once.version(*MAY)
    assert before.version(*june) != after.version(*june) == at_once.version(*june)
    assert after.version(MAY[0], june[1]) not in (before.version(MAY[0], june[1]), at_once.version(MAY[0], june[1]))


def test_version_counts_a_row_that_ends_inside_the_window() -> None:
    ended = Registry.from_tables(home(permits=[PERMIT | {"valid_to": "2026-05-31"}]))
    assert Registry.from_tables(home()).version(*MAY) != ended.version(*MAY)
