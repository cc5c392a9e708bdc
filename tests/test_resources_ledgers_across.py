"""Ledgers with months across, the layout of the official annex: they become the same rows as a sheet with a row for each month."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import TABLES
from contracts.ledgers import MONTHLY, PROVENANCE
from resources.ledgers_months import month_head, of_year, years_of
from resources.ledgers_words import load_words
from tests.ledger_files import checks, found, home, workbook

if TYPE_CHECKING:
    from pathlib import Path

    from resources.home import Home

MONTHS = [f"{m}月" for m in range(1, 13)]
HEAD = ["企业编号", "生产线编号", "使用设施", "燃料品种", "信息项", "单位", *MONTHS, "全年", "获取方式", "是否配备直接计量器具", "数据来源", "支撑材料"]  # fmt: skip
KEY = ["P1", "P1-1", "水泥窑", "烟煤"]
USED = [round(10000 + 13.37 * m, 2) for m in range(12)]
TITLE = ["表C.3 2024年化石燃料燃烧"]


def total(values: list[float]) -> float:
    return round(sum(values), 2)


def fuel(of: Home) -> list[dict[str, Any]]:
    return [r for m in of.ledgers.months("ledger_fuel") for r in of.ledgers.rows("ledger_fuel", m).to_dicts()]


def of_sheet(
    root: Path, rows: list[list[Any]], *, name: str = "化石燃料", title: list[Any] | None = TITLE, **more: Any
) -> Home:
    return home(root, {"a.xlsx": workbook({name: [*([title] if title else []), HEAD, *rows]}, **more)})


def test_the_official_annex_becomes_a_row_a_month_with_each_cell_to_point_at(tmp_path: Path) -> None:
    blank: list[Any] = [None] * 4
    rows: list[list[Any]] = [
        [*KEY, "消耗量", "t", *USED, total(USED), "实测值", "是", "燃料台账", "a.pdf"],
        [*blank, "低位发热量", "GJ/t", *[23.1] * 11, "低", 23.1, "实测值", "是", "化验台账", "b.pdf"],
        [*blank, "单位热值含碳量", "tC/GJ", *[0.02618] * 12, None, "缺省值"],
        [*blank, "期初库存量（t）", None, *[100.0] * 12, 100.0],
    ]
    merges = {"化石燃料": [(f"{c}3:{c}6", v) for c, v in zip("ABCD", KEY, strict=True)]}
    made = of_sheet(tmp_path, rows, merges=merges)
    back = fuel(made)
    assert [r["month"] for r in back] == [f"2024-{m:02d}" for m in range(1, 13)]
    assert [r["consumption"] for r in back] == USED
    assert [r["ncv_gj"] for r in back] == [23.1] * 11 + [None]
    (one,) = {(r["plant_id"], r["line_id"], r["facility"], r["fuel"], r["unit"], r["ncv_source"], r["opening"]) for r in back}  # fmt: skip
    assert one == ("P1", "P1-1", "kiln", "bituminous", "t", "measured", 100.0)
    assert '"consumption": "I3"' in back[2]["src_columns"]
    assert '"ncv_gj": "I4"' in back[2]["src_columns"]
    assert (back[2]["src_sheet"], back[2]["src_row"]) == ("化石燃料", 3)
    assert [f.source_cell for f in found(made, "L26")] == ["化石燃料!R4"]
    assert found(made, "L02")[0].value == "单位热值含碳量"
    assert checks(made) == ["L02_unknown_items", "L26_no_number", "L36_measured_without_value"]


MIXED = ["生产线编号", "使用设施", "物料", "信息项", "单位", *MONTHS]


@pytest.mark.parametrize("sheet", ["附件 月度信息", "化石燃料"])
@pytest.mark.parametrize("heading", ["物料", "物料名称", "燃料品种"])
def test_what_is_consumed_is_a_fuel_or_a_material_by_its_item(tmp_path: Path, heading: str, sheet: str) -> None:
    head = [heading if h == "物料" else h for h in MIXED]
    rows: list[list[Any]] = [
        ["P1-1", "水泥窑", "烟煤", "消耗量", "t", *USED],
        ["P1-1", "水泥窑", "烟煤", "低位发热量", "GJ/t", *[23.1] * 12],
        ["P1-1", "水泥窑", "柴油", "消耗量", "t", *[12.5] * 12],
    ]
    if sheet != "化石燃料":
        rows.append(["P1-1", "", "电石渣", "消耗量", "t", *[800.0] * 12])
    made = home(tmp_path, {"a.xlsx": workbook({sheet: [TITLE, head, *rows]})})
    back = fuel(made)
    assert [(r["consumption"], r["ncv_gj"]) for r in back if r["fuel"] == "bituminous"] == [(u, 23.1) for u in USED]
    assert {r["fuel"] for r in back} == {"bituminous", "diesel"}
    assert '"fuel": "C3"' in back[0]["src_columns"]
    slag = [r for m in made.ledgers.months("ledger_rawmat") for r in made.ledgers.rows("ledger_rawmat", m).to_dicts()]
    assert [(r["material"], r["consumption_t"]) for r in slag] == [("carbide_slag", 800.0)] * len(slag)
    assert len(slag) == (12 if sheet != "化石燃料" else 0)
    assert not found(made, "L05")
    assert not found(made, "L29")


def test_a_row_without_its_fuel_is_told_with_month_and_value(tmp_path: Path) -> None:
    made = of_sheet(tmp_path, [["P1", "P1-1", "水泥窑", "", "消耗量", "t", *USED]])
    first, *rest = sorted(found(made, "L29"), key=lambda f: f.period or "")
    assert (first.source_cell, len(rest)) == ("化石燃料!row 3", 11)
    assert "（2024-01 consumption 10000）: fuel 为空" in first.text_zh
    assert "(2024-01 consumption 10000): fuel is empty" in first.text_en


def test_the_year_stands_in_title_or_name_and_is_never_guessed(tmp_path: Path) -> None:
    row = [*KEY, "消耗量", "t", *USED]
    assert len(fuel(of_sheet(tmp_path / "a", [row], title=["报告年度", 2024]))) == 12
    assert len(fuel(of_sheet(tmp_path / "b", [row], title=None, name="2024化石燃料"))) == 12
    filled_in = ["2024年度", "填表日期：2025年1月10日"]
    assert len(fuel(of_sheet(tmp_path / "c", [row], title=filled_in))) == 12
    for i, title in enumerate((None, ["化石燃料"], ["2024年（2023年修订）"])):
        made = of_sheet(tmp_path / f"n{i}", [row], title=title)
        assert fuel(made) == []
        (finding,) = found(made, "L19")
        assert (finding.source_file, (finding.source_cell or "").partition("!")[0]) == ("ledgers/a.xlsx", "化石燃料")
        assert "without a year" in made.ledgers.files[0].reason
    assert "2023, 2024" in finding.text_en


@pytest.mark.parametrize(
    ("rows", "cells"),
    [
        ([[*KEY, "消耗量", "t", *USED, total(USED) + 100]], ["化石燃料!S3"]), ([[*KEY, "消耗量", "t", *USED, total(USED) + 0.02]], []),
        ([[*KEY, "消耗量", "t", 1.0, *[None] * 11, 1.0], [*KEY, "低位发热量", "GJ/t", 23.1, *[None] * 11, 24.5]], ["化石燃料!S4"]),
        ([[*KEY, "消耗量", "t", 30.0, 10.0, *[None] * 10, 40.0], [*KEY, "低位发热量", "GJ/t", 20.0, 24.0, *[None] * 10, 21.0]], []),
        ([[*KEY, "期初库存量", "t", *range(100, 112), 1266]], ["化石燃料!S3"]), ([[*KEY, "期初库存量", "t", *range(100, 112), 100]], []),
        ([[*KEY, "期末库存量", "t", *range(100, 112), 111]], []),
    ],
    ids=["sum", "rounded", "mean", "weighted", "opening-summed", "opening", "closing"],
)  # fmt: skip
def test_the_value_of_the_year_is_held_against_its_months(
    tmp_path: Path, rows: list[list[Any]], cells: list[str]
) -> None:
    made = of_sheet(tmp_path, rows)
    assert [f.source_cell for f in found(made, "L61")] == cells
    assert {r["month"][:4] for r in fuel(made)} == {"2024"}


def test_one_sheet_may_hold_items_of_several_tables(tmp_path: Path) -> None:
    line, fuels = ["P1", "P1-1", None, None], ["P1", "P1-1", "水泥窑"]
    output = [100000.0 + m for m in range(12)]
    rows: list[list[Any]] = [
        [*line, "熟料产量", "t", *output, total(output), "皮带秤"], [*fuels, "烟煤", "消耗量", "t", *USED, total(USED)],
        [*line[:3], "电石渣", "消耗量", "t", *USED, total(USED)], [*line, "钢渣消耗量", "t", *USED],
        [*line[:3], "废轮胎", "消耗量", "t", *USED], [*line, "消耗量", "t", *USED], [*line, "熟料的过程排放因子", "tCO2/t", *[0.535] * 12],
    ]  # fmt: skip
    made = of_sheet(tmp_path, rows, name="生产线数据")
    book = made.ledgers
    assert book.rows("ledger_clinker", "2024-03").select("output_t", "metering").rows() == [(100002.0, "belt")]
    assert book.rows("ledger_fuel", "2024-03").select("fuel", "consumption").rows() == [("bituminous", USED[2])]
    materials = book.rows("ledger_rawmat", "2024-03").select("material", "consumption_t").rows()
    assert materials == [("carbide_slag", USED[2]), ("steel_slag", USED[2])]
    assert book.rows("ledger_altfuel", "2024-03")["consumption_t"].to_list() == [USED[2]]
    (strange,) = found(made, "L02")
    assert strange.value == "消耗量, 熟料的过程排放因子", "of what, nobody says"
    assert checks(made) == ["L02_unknown_items"]


def test_a_sheet_without_items_is_about_what_its_name_says(tmp_path: Path) -> None:
    output = [100000.0] * 12
    rows: list[list[Any]] = [["2024年"], ["生产线", *MONTHS, "合计"], ["P1-1", *output, 1200000.0], ["P1-2", *output, 1200000.0], ["合计", *[200000.0] * 11, 300000.0, 2400000.0]]  # fmt: skip
    made = home(tmp_path, {"a.xlsx": workbook({"熟料产量": rows})})
    assert made.ledgers.rows("ledger_clinker", "2024-12")["output_t"].to_list() == [100000.0, 100000.0]
    assert [f.source_cell for f in found(made, "L61")] == ["熟料产量!M5"]


def test_two_rows_of_header_dates_and_names_above_the_table(tmp_path: Path) -> None:
    two: list[list[Any]] = [
        ["生产线编号", "信息项", "单位", "2024年", *[None] * 12],
        [None, None, None, *MONTHS, "全年"],
        ["P1-1", "熟料产量", "t", *[9.0e4] * 12],
    ]
    dated: list[list[Any]] = [
        ["企业名称：第1水泥厂(模拟)", None, "生产线：", "P1-2"], ["使用设施：水泥窑"],
        ["燃料品种", "信息项", "单位", *[datetime(2024, m, 1) for m in range(1, 13)]], ["无烟煤", "消耗量", "t", *USED],
    ]  # fmt: skip
    made = home(tmp_path, {"a.xlsx": workbook({"熟料": two, "化石燃料": dated})})
    assert len(made.ledgers.months("ledger_clinker")) == 12
    assert {(r["plant_id"], r["line_id"], r["facility"]) for r in fuel(made)} == {("P1", "P1-2", "kiln")}
    assert [r["consumption"] for r in fuel(made)] == USED
    assert checks(made) == []


def test_what_is_wrong_costs_its_cell_or_row_alone(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        [*KEY, "消耗量", "kg", *USED], [*KEY, "低位发热量", "kcal/kg", *[5518] * 12], [*KEY, "购入量", "t", 1.0, None, "约3", -4.0, *USED[4:]],
        [*KEY, "外销量", "t", *USED], [*KEY, "外销量", "t", *USED], [*KEY[:3], "烟媒", "消耗量", "t", *USED],
    ]  # fmt: skip
    made = of_sheet(tmp_path, rows, merges={"化石燃料": [("G5:H5", 1.0)]})
    back = fuel(made)
    assert {(r["consumption"], r["ncv_gj"], r["sold"]) for r in back} == {(None, None, None)}
    assert [r["purchased"] for r in back] == [None, None, *USED[4:]], "two are empty cells of nobody, merged"
    assert [(f.check_id[:3], f.source_cell) for f in found(made) if f.check_id[:3] not in ("L23", "L60")] == [
        ("L05", "化石燃料!E6"), ("L05", "化石燃料!E7"), ("L04", "化石燃料!F3"), ("L04", "化石燃料!F4"), ("L07", "化石燃料!G5"),
        ("L26", "化石燃料!I5"), ("L31", "化石燃料!J5"),
    ]  # fmt: skip
    assert "烟煤 / bituminous perhaps" in found(made, "L23")[0].text_en


def test_a_line_without_its_plant_is_the_plants(tmp_path: Path) -> None:
    head = ["生产线编号", "使用设施", "燃料品种", "信息项", "单位", *MONTHS]
    made = home(tmp_path, {"a.xlsx": workbook({"化石燃料": [TITLE, head, ["P2-1", *KEY[2:], "消耗量", "t", *USED]]})})
    assert {r["plant_id"] for r in fuel(made)} == {"P2"}
    assert checks(made) == []


def test_months_across_in_a_csv_file(tmp_path: Path) -> None:
    lines = [
        "2024年度",
        "生产线编号,信息项,单位," + ",".join(MONTHS),
        "P1-1,熟料产量,t," + ",".join(["90000"] * 11 + ["x"]),
    ]
    made = home(tmp_path, {"ledger_clinker.csv": "\n".join(lines)})
    assert made.ledgers.rows("ledger_clinker", "2024-11")["output_t"].to_list() == [90000.0]
    assert made.ledgers.rows("ledger_clinker", "2024-12")["output_t"].to_list() == [None]
    assert found(made, "L26")[0].source_cell == "3[output_t]"


def test_a_month_twice_and_a_formula_without_its_value(tmp_path: Path) -> None:
    head = ["生产线编号", "信息项", "1月", "2月", "2月", "3月"]
    formulas = {"熟料": {"F3": ("=1+1", "")}}
    made = home(tmp_path, {"a.xlsx": workbook({"熟料": [["2024年"], head, ["P1-1", "熟料产量", 9e4, 8e4, 7e4]]}, formulas=formulas)})  # fmt: skip
    assert made.ledgers.months() == ["2024-01"]
    assert {(f.check_id[:3], f.source_cell) for f in found(made)} >= {
        ("L05", "熟料!D2"),
        ("L05", "熟料!E2"),
        ("L09", "熟料!F3"),
    }


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("1月", ("", 1)), ("１２月份", ("", 12)), ("2024年3月", ("2024", 3)), ("2024-03", ("2024", 3)), ("2024-03-01", ("2024", 3)), ("Jan", ("", 1)),
        ("September", ("", 9)), ("5月(t)", ("", 5)), ("13月", None), ("3", None), ("全年", None), ("", None), ("一季度", None),
    ],
)  # fmt: skip
def test_headers_that_are_months(text: str, head: tuple[str, int] | None) -> None:
    assert month_head(text) == head


def test_years_and_months_without_one() -> None:
    assert years_of("化石燃料2024", [["2024年1-12月"], ["GB/T 32151-2015"]]) == ["2024"]
    assert years_of("", [["填报日期 2025-01-05", "2024年度"], ["2023"]]) == ["2023", "2024"]
    assert [of_year(t, "2024") for t in ("3", "０３月", "3月份", "2023-03", "13", "合计")] == ["2024-03", "2024-03", "2024-03", "2023-03", "13", "合计"]  # fmt: skip


def test_months_without_a_year_below_a_title_with_one(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["2024年熟料台账"],
        ["生产线编号", "月份", "熟料产量"],
        ["P1-1", 3, 9e4],
        ["P1-1", "4月", 8e4],
    ]
    made = home(tmp_path, {"a.xlsx": workbook({"熟料": rows})})
    assert made.ledgers.months() == ["2024-03", "2024-04"]
    assert checks(made) == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_either_layout_gives_the_same_rows(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Every table, any months, any items, empty cells: the numbers are the same to the last bit."""
    table = data.draw(st.sampled_from(MONTHLY))
    headers = load_words().headers[table.name]
    numbers = [c for c in table.columns if str(c.type) == "double"]
    said = {"plant_id": "P1", "line_id": "P1-1", "facility": "水泥窑", "fuel": "废轮胎" if table.name == "ledger_altfuel" else "柴油", "material": "钢渣", "unit": "t"}  # fmt: skip
    said = {n: v for n, v in said.items() if n in table.names}
    one = st.none() | st.decimals(0, 1, places=4).map(float)
    values = {c.name: data.draw(st.lists(one, min_size=12, max_size=12)) for c in numbers}
    long: list[list[Any]] = [[headers[n].zh for n in (*said, "month", *values)]]
    long += [[*said.values(), f"2024-{m + 1:02d}", *(v[m] for v in values.values())] for m in range(12)]
    labels = {n: v for n, v in said.items() if n != "unit"}
    across: list[list[Any]] = [["2024年"], [*(headers[n].zh for n in labels), "信息项", "单位", *MONTHS]]
    for name, months in values.items():
        units = headers[name].units
        across.append([*labels.values(), headers[name].zh, units[0] if units and units[0] != "1" else None, *months])
    sheet = next(word for word, n in load_words().sheet_names.items() if n == table.name)
    books = [home(tmp_path_factory.mktemp("x"), {"a.xlsx": workbook({sheet: rows})}).ledgers for rows in (long, across)]
    kept = [n for n in table.names if n not in PROVENANCE]
    first, second = (pl.concat([b.rows(table.name, f"2024-{m:02d}") for m in range(1, 13)]).select(kept) for b in books)
    if table.name == "ledger_fuel":
        # Across, the unit stands with an amount: a month without any has none.
        amounts = ("opening", "purchased", "sold", "closing", "consumption")
        bare = pl.all_horizontal(pl.col(n).is_null() for n in amounts)
        first, second = (f.with_columns(pl.when(~bare).then("unit").alias("unit")) for f in (first, second))
    assert first.rows() == second.rows()
    for month in books[1].months():
        assert TABLES[table.name].violations(books[1].rows(table.name, month)) == []


def test_a_share_written_as_a_fraction_is_called_so_in_both_languages(tmp_path: Path) -> None:
    made = home(tmp_path, {"ledger_lab.csv": "line_id,month,clinker_cao_pct\nP1-1,2024-01,0.652\n"})
    (told,) = found(made, "L40")
    assert "像是以 小数 填写" in told.text_zh
    assert "it looks like fraction" in told.text_en
