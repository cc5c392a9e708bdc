"""Ledgers as workbooks: what the template writes comes back, and each way a workbook goes wrong costs only itself."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
import python_calamine as calamine
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import TABLES
from contracts.ledgers import LEDGERS, PROVENANCE
from pipelines.cli import main
from resources.ledgers_template import Form, write_template
from resources.ledgers_words import load_words
from resources.ledgers_workbook import read_workbook
from tests.ledger_files import checks, found, home, opened, submit, workbook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEAD = ["企业编号", "生产线编号", "使用设施", "燃料品种", "月份", "消耗量（t）", "低位发热量（GJ/t）"]
ROW: list[Any] = ["P1", "P1-1", "水泥窑", "烟煤", "2024-01", 12345.67, 23.076]
GOOD = {"化石燃料": [["化石燃料购销存与消耗台账"], [], HEAD, ROW]}


def changed(data: bytes, member: str, edit: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one member edited."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = old.read(info)
            new.writestr(info.filename, edit(content) if info.filename == member else content)
    return out.getvalue()


def test_a_sheet_is_read_below_its_title_with_cells_to_point_at(tmp_path: Path) -> None:
    made = home(tmp_path, {"2024.xlsx": workbook(GOOD)})
    (row,) = made.ledgers.rows("ledger_fuel", "2024-01").to_dicts()
    assert (row["consumption"], row["ncv_gj"], row["fuel"], row["unit"]) == (12345.67, 23.076, "bituminous", "t")
    assert (row["src_path"], row["src_sheet"], row["src_row"]) == ("ledgers/2024.xlsx", "化石燃料", 4)
    assert '"consumption": "F"' in row["src_columns"]
    assert checks(made) == []


def test_what_begins_further_right_keeps_its_letters(tmp_path: Path) -> None:
    rows = [[None, None, *r] for r in ([], HEAD, [*ROW[:5], "约", 23.0])]
    made = home(tmp_path, {"a.xlsx": workbook({"化石燃料": rows})})
    assert found(made, "L26")[0].source_cell == "化石燃料!H3"


@pytest.mark.parametrize("date_1904", [False, True], ids=["1900", "1904"])
def test_real_dates_are_months_in_both_calendars(tmp_path: Path, date_1904: bool) -> None:
    rows = [HEAD, [*ROW[:4], datetime(2024, 1, 5), 1.0, 23.0]]
    made = home(tmp_path, {"a.xlsx": workbook({"化石燃料": rows}, date_1904=date_1904)})
    assert made.ledgers.months() == ["2024-01"]
    assert checks(made) == []


@pytest.mark.parametrize(
    ("month", "read"), [(202401, "2024-01"), ("2024年1月", "2024-01"), (2024.1, None), (45292, None), (2024.11, "2024-11"), (1, None)]
)  # fmt: skip
def test_months_in_number_cells(tmp_path: Path, month: object, read: str | None) -> None:
    made = home(tmp_path, {"a.xlsx": workbook({"化石燃料": [HEAD, [*ROW[:4], month, 1.0, 23.0]]})})
    assert made.ledgers.months() == ([read] if read else [])
    assert checks(made) == ([] if read else ["L20_unreadable_month"])
    if not read:
        assert found(made, "L20")[0].source_cell == "化石燃料!E2"


@pytest.mark.parametrize("text", ["12345.67", "12,345.67", "１２３４５．６７"])
def test_text_that_is_a_number_is_one(tmp_path: Path, text: str) -> None:
    made = home(tmp_path, {"a.xlsx": workbook({"化石燃料": [HEAD, [*ROW[:5], text, 23.0]]})})
    assert made.ledgers.rows("ledger_fuel", "2024-01")["consumption"].to_list() == [12345.67]


@pytest.mark.parametrize("text", ["12345.67吨", "12345,67", "同上", "#REF!"])
def test_text_that_is_none_stays_empty(tmp_path: Path, text: str) -> None:
    made = home(tmp_path, {"a.xlsx": workbook({"化石燃料": [HEAD, [*ROW[:5], text, 23.0]]})})
    assert made.ledgers.rows("ledger_fuel", "2024-01")["consumption"].to_list() == [None]
    assert found(made, "L26")[0].source_cell == "化石燃料!F2"


def test_merged_names_hold_for_their_rows_and_merged_numbers_for_none(tmp_path: Path) -> None:
    rows = [HEAD, *([["P1", None, "水泥窑", "烟煤", f"2024-{m:02d}", None, 23.0] for m in (1, 2, 3)])]
    book = workbook({"化石燃料": rows}, merges={"化石燃料": [("B2:B4", "P1-1"), ("F2:F4", 300.0)]})
    made = home(tmp_path, {"a.xlsx": book})
    every = [r for m in made.ledgers.months() for r in made.ledgers.rows("ledger_fuel", m).to_dicts()]
    assert [(r["line_id"], r["consumption"], r["ncv_gj"]) for r in every] == [("P1-1", None, 23.0)] * 3
    (merged,) = found(made, "L07")
    assert (merged.source_cell, merged.value) == ("化石燃料!F2", "300")
    assert "F2:F4" in merged.text_en
    assert found(made, "L08")[0].source_cell == "化石燃料!B2"


def test_formulas_without_values_and_errors_are_pointed_at(tmp_path: Path) -> None:
    formulas = {"化石燃料": {"F2": ("=1+1", 777), "G2": ("=1/0", "#DIV/0!"), "F3": ("=SUM(1,4)", 5)}}
    rows = [HEAD, [*ROW[:5], None, None], [*ROW[:4], "2024-02", None, 23.0]]
    book = changed(
        workbook({"化石燃料": rows}, formulas=formulas),
        "xl/worksheets/sheet1.xml",
        lambda x: x.replace(b"<v>777</v></c>", b"</c>", 1),
    )
    made = home(tmp_path, {"a.xlsx": book})
    assert [(f.check_id[:3], f.source_cell) for f in found(made)] == [("L09", "化石燃料!F2"), ("L10", "化石燃料!G2")]
    assert made.ledgers.rows("ledger_fuel", "2024-02")["consumption"].to_list() == [5.0]


def test_hidden_and_unknown_sheets_are_told_and_not_read(tmp_path: Path) -> None:
    sheets = {
        **GOOD,
        "熟料产量": [["生产线编号", "月份", "熟料产量"], ["P1-1", "2024-01", 1.0]],
        "草稿": [["a", "b"]],
        "填写说明": [["x"]],
    }
    made = home(tmp_path, {"a.xlsx": workbook(sheets, hidden=("熟料产量",))})
    assert {(f.check_id, f.source_cell) for f in found(made) if f.check_id[:3] in ("L15", "L17")} == {
        ("L15_hidden_sheet", "熟料产量"), ("L17_unknown_sheet", "草稿"),
    }  # fmt: skip
    assert made.ledgers.months("ledger_clinker") == []
    assert made.ledgers.months("ledger_fuel") == ["2024-01"]


def test_stamps_of_the_book_hold_for_all_its_sheets(tmp_path: Path) -> None:
    late = {
        "化石燃料": [HEAD, [*ROW[:5], 1.0, 23.0]],
        "提交信息 submission": [["提交时间", "2024-03-01"], ["修订号", 2]],
    }
    early = {"化石燃料": [HEAD, [*ROW[:5], 2.0, 23.0]], "提交信息": [["提交时间", datetime(2024, 2, 1)]]}
    made = home(tmp_path, {"a.xlsx": workbook(late), "b.xlsx": workbook(early)})
    (row,) = made.ledgers.rows("ledger_fuel", "2024-01").to_dicts()
    assert (row["consumption"], row["revision"], row["submitted_at"], row["versions"]) == (
        1.0,
        2,
        datetime(2024, 3, 1),
        2,
    )


def _bomb() -> bytes:
    """500 MB of blanks in half a megabyte."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed,
        packed.open("xl/workbook.xml", "w", force_zip64=True) as member,
    ):
        for _ in range(500):
            member.write(b" " * (1 << 20))
    return out.getvalue()


def _locked() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (_bomb, "500 MB"), (_locked, "password"), (lambda: workbook(GOOD)[:-200], "damaged"), (lambda: b"<html></html>", "no workbook"),
        (lambda: b"\xd0\xcf\x11\xe0" + b"\0" * 2000, "cannot be read"), (lambda: b"", "no workbook"),
        (lambda: workbook({"草稿": [["a"]]}), "ledger-template"), (lambda: workbook({"化石燃料": [["月份", "消耗量"], ["2024-01", 3]]}), "plant_id"),
    ],
    ids=["bomb", "password", "cut-off", "web-page", "broken-xls", "empty", "no-ledger", "no-header"],
)  # fmt: skip
def test_a_workbook_that_cannot_be_read_costs_only_itself(
    tmp_path: Path, content: Callable[[], bytes], said: str
) -> None:
    made = home(tmp_path, {"bad.xlsx": content(), "good.xlsx": workbook(GOOD)})
    assert made.ledgers.months() == ["2024-01"]
    (bad, good) = made.ledgers.files
    assert said in bad.reason
    assert good.state == "read"
    (finding,) = found(made, "L01")
    assert finding.source_file == "ledgers/bad.xlsx"


def test_a_flipped_byte_is_found_by_the_check_sum(tmp_path: Path) -> None:
    data = bytearray(workbook(GOOD))
    at = bytes(data).index(b"xl/worksheets/sheet1.xml") + 80
    data[at] ^= 0xFF
    made = home(tmp_path, {"a.xlsx": bytes(data)})
    assert made.ledgers.files[0].state == "refused"


def test_huge_empty_ranges_cost_nothing_and_a_stray_cell_only_its_sheet(tmp_path: Path) -> None:
    def styled(xml: bytes) -> bytes:
        return xml.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>')

    def stray(xml: bytes) -> bytes:
        return xml.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')

    book = workbook(GOOD | {"熟料产量": [["生产线编号", "月份", "熟料产量"], ["P1-1", "2024-01", 120000.0]]})
    made = home(tmp_path, {"a.xlsx": changed(book, "xl/worksheets/sheet1.xml", styled)})
    assert checks(made) == []
    submit(tmp_path, {"a.xlsx": changed(book, "xl/worksheets/sheet1.xml", stray)})
    made = opened(tmp_path)
    assert found(made, "L16")[0].source_cell == "化石燃料"
    assert made.ledgers.months("ledger_fuel") == []
    assert made.ledgers.months("ledger_clinker") == ["2024-01"]


def test_total_rows_of_a_sheet(tmp_path: Path) -> None:
    rows = [[*ROW[:4], f"2024-{m:02d}", 100.0 + m, 23.0] for m in range(1, 13)]
    total = ["P1", "P1-1", "水泥窑", "烟煤", "全年合计", 1278.0, 23.0]
    made = home(tmp_path, {"a.xlsx": workbook({"化石燃料": [HEAD, *rows, total]})})
    assert checks(made) == []
    assert len(made.ledgers.months()) == 12


def test_rows_of_a_file_are_those_that_give_a_figure(tmp_path: Path) -> None:
    untouched = [*ROW[:4], "2024-02", None, None]
    total = ["P1", "P1-1", "水泥窑", "烟煤", "合计", 12345.67, 23.0]
    book = workbook({"化石燃料": [HEAD, ROW, untouched, total]})
    made = home(tmp_path, {"a.xlsx": book})
    assert [f.rows for f in made.ledgers.files] == [1]


def test_the_template_comes_back_empty_and_without_complaint(tmp_path: Path) -> None:
    form = Form((("P1", ""),), (("P1-1", "P1"), ("P1-2", "P1")), 2024)
    made = home(tmp_path, {"template.xlsx": write_template(form)})
    assert made.ledgers.findings == ()
    assert made.ledgers.months() == []
    assert (made.ledgers.files[0].state, made.ledgers.files[0].rows) == ("read", 0)
    assert write_template(form) == write_template(form), "the same form gives the same bytes"


@pytest.mark.parametrize("table", LEDGERS, ids=lambda t: t.name)
def test_every_sheet_of_the_template_has_names_in_both_languages_and_units(table: Any) -> None:
    book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(write_template(Form())))
    words = load_words()
    name = next(n for n in book.sheet_names if words.sheet(n) == table.name)
    _, _, zh, en, units = book.get_sheet_by_name(name).to_python()[:5]
    wanted = [n for n in table.names if n not in PROVENANCE]
    assert en[: len(wanted)] == wanted
    assert zh[: len(wanted)] == [words.headers[table.name][n].zh for n in wanted]
    for column, unit in zip(wanted, units, strict=False):
        assert {words.unit(u) for u in str(unit).split(" 或 ")} <= {*words.headers[table.name][column].units, ""}


def _filled(template: bytes, values: dict[str, list[dict[str, Any]]]) -> bytes:
    """The template with rows typed into it, as a person would: all sheets are written anew, texts as they stand."""
    words = load_words()
    book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(template))
    sheets = {}
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        table = words.sheet(name)
        if table in values:
            names = rows[3]
            rows = [*rows[:5], *([v.get(n) for n in names] for v in values[table])]
        sheets[name] = rows
    return workbook(sheets, hidden=())


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_filled_in_comes_back(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    values: dict[str, list[dict[str, Any]]] = {}
    for table in LEDGERS:
        row: dict[str, Any] = {}
        for column in (c for c in table.columns if c.name not in PROVENANCE):
            if column.name == "fuel":
                row["fuel"] = "废轮胎" if table.name == "ledger_altfuel" else "无烟煤"
            elif column.values:
                row[column.name] = data.draw(st.sampled_from([zh for zh, _ in column.meanings]))
            elif str(column.type) == "double":
                top = min(column.high or 1e9, 1e6)
                row[column.name] = float(round(data.draw(st.floats(0, top)), 3))
        row |= {
            "plant_id": "P1",
            "line_id": "P1-1",
            "month": "2024-01",
            "material": "电石渣",
            "unit": "t",
            "ncv_source": "缺省值",
        }
        row |= {
            "meter_id": "M1",
            "quantity": "燃煤",
            "calibrated_from": datetime(2024, 1, 1),
            "calibrated_to": datetime(2024, 12, 31),
        }
        values[table.name] = [row]
    root = tmp_path_factory.mktemp("filled")
    made = home(root, {"a.xlsx": _filled(write_template(Form()), values)})
    # Values out of their usual range are drawn too, and heating values beside 缺省值 are told not to count.
    assert {c for c in checks(made) if not c.startswith(("L38", "L40"))} == set()
    for table in LEDGERS:
        (back,) = made.ledgers.rows(table.name, "2024-01" if table.partition == "month" else "all").to_dicts()
        for column in (c for c in table.columns if str(c.type) == "double"):
            assert back[column.name] == values[table.name][0][column.name]
        assert (
            TABLES[table.name].violations(
                made.ledgers.rows(table.name, "2024-01" if table.partition == "month" else "all")
            )
            == []
        )


def test_choices_and_months_of_the_template(tmp_path: Path) -> None:
    xml = (
        zipfile.ZipFile(io.BytesIO(write_template(Form((("P1", ""),), (("P1-1", "P1"),), 2024))))
        .read("xl/worksheets/sheet3.xml")
        .decode()
    )
    assert xml.count('<dataValidation type="list"') == 7, (
        "plant, line, facility, fuel, unit, source of the heating value, withdrawn"
    )
    assert 'type="decimal"' in xml
    words = load_words()
    choices = (
        calamine.CalamineWorkbook.from_filelike(io.BytesIO(write_template(Form())))
        .get_sheet_by_name("选项lists")
        .to_python()
    )
    for name, column in zip(choices[0], zip(*choices[1:], strict=True), strict=True):
        table = words.values.get({"altfuel": "fuel"}.get(str(name), str(name)), {})
        assert all(re.sub(r"[\s_\-/]", "", str(c)).casefold() in table for c in column if c), (
            f"each choice of {name} is read back"
        )


def test_the_command_writes_the_plants_of_a_home(tmp_path: Path) -> None:
    home(tmp_path)
    out = tmp_path / "t.xlsx"
    ran = CliRunner().invoke(main, ["ledger-template", "--home", str(tmp_path), "--year", "2024", "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    rows = calamine.CalamineWorkbook.from_path(str(out)).get_sheet_by_name("熟料产量").to_python()[5:]
    assert [(r[0], r[1]) for r in rows[:2]] == [("P1-1", "2024-01"), ("P1-1", "2024-02")]
    assert len(rows) == 4 * 12
    fuels = calamine.CalamineWorkbook.from_path(str(out)).get_sheet_by_name("化石燃料").to_python()[5:]
    mobile = [r[:5] for r in fuels if "移动燃烧设备" in r]
    assert (mobile[0], len({r[0] for r in mobile})) == (["P1", "", "移动燃烧设备", "柴油", "2024-01"], len(mobile) / 12)
    one = CliRunner().invoke(main, ["ledger-template", "--home", str(tmp_path), "--line", "P2-1", "--out", str(out)])
    assert "1 plants, 1 lines" in one.output
    wrong = CliRunner().invoke(main, ["ledger-template", "--home", str(tmp_path), "--plant", "XX", "--out", str(out)])
    assert wrong.exit_code == 2
    assert "P1" in wrong.output
    slag = ["ledger-template", "--home", str(tmp_path), "--year", "2024", "--out", str(out), "--material"]
    assert CliRunner().invoke(main, [*slag, "steel_slag"]).exit_code == 0
    materials = calamine.CalamineWorkbook.from_path(str(out)).get_sheet_by_name("替代原料").to_python()[5:]
    assert {r[1] for r in materials} == {"钢渣"}
    strange = CliRunner().invoke(main, [*slag, "moon_dust"])
    assert (strange.exit_code, "carbide_slag" in strange.output) == (2, True)
    environment = {"KILN_HOME": str(tmp_path)}
    same = CliRunner().invoke(main, ["ledger-template", "--line", "P2-1", "--out", str(out)], env=environment)
    assert "1 plants, 1 lines" in same.output


def test_a_registry_without_lines_is_told_not_written_as_an_empty_form(tmp_path: Path) -> None:
    home(tmp_path)
    for name in ("plants", "lines", "outlets", "devices", "permits"):
        path = tmp_path / f"registry/{name}.csv"
        if path.exists():
            path.write_text(path.read_text("utf-8").splitlines()[0] + "\n", encoding="utf-8")
    out = tmp_path / "t.xlsx"
    ran = CliRunner().invoke(main, ["ledger-template", "--home", str(tmp_path), "--out", str(out)])
    assert ran.exit_code == 2
    assert "no plants and lines in the registry" in ran.output
    assert not out.exists()


def test_a_header_of_two_rows_names_the_columns_below_its_groups(tmp_path: Path) -> None:
    upper = [*HEAD[:5], "库存(t)", None, "消耗", None]
    lower = [*[None] * 5, "期初库存量", "期末库存量", "消耗量(t)", "低位发热量(GJ/t)"]
    rows: list[list[Any]] = [["2024年化石燃料"], upper, lower, [*ROW[:4], "3月", 5.0, 6.0, 12345.67, 23.0]]
    merges = {"化石燃料": [*((f"{c}2:{c}3", v) for c, v in zip("ABCDE", HEAD, strict=False)), ("F2:G2", "库存(t)"), ("H2:I2", "消耗")]}  # fmt: skip
    made = home(tmp_path, {"a.xlsx": workbook({"化石燃料": rows}, merges=merges)})
    (row,) = made.ledgers.rows("ledger_fuel", "2024-03").to_dicts()
    assert [row[n] for n in ("opening", "closing", "consumption", "ncv_gj", "unit")] == [5.0, 6.0, 12345.67, 23.0, "t"]
    assert checks(made) == []


def test_hidden_rows_and_columns_are_read_and_told(tmp_path: Path) -> None:
    def hide(xml: bytes) -> bytes:
        xml = re.sub(rb'<row r="3"', b'<row r="3" hidden="1"', xml)
        return re.sub(rb"<sheetData>", b'<cols><col min="7" max="9" width="9" hidden="1"/></cols><sheetData>', xml)

    rows: list[list[Any]] = [HEAD, ROW, [*ROW[:4], "2024-02", 7.0, 23.0]]
    made = home(tmp_path, {"a.xlsx": changed(workbook({"化石燃料": rows}), "xl/worksheets/sheet1.xml", hide)})
    assert made.ledgers.rows("ledger_fuel", "2024-02")["consumption"].to_list() == [7.0]
    (told,) = found(made, "L18")
    assert (told.source_cell, "rows 3 and columns G of" in told.text_en) == ("化石燃料", True)


def test_ten_megabytes_of_nothing_are_a_bomb_too(tmp_path: Path) -> None:
    def pad(xml: bytes) -> bytes:
        return xml + b"\n" * (12 << 20)

    made = home(tmp_path, {"a.xlsx": changed(workbook(GOOD), "xl/worksheets/sheet1.xml", pad)})
    assert "12 MB" in made.ledgers.files[0].reason


@pytest.mark.parametrize(
    ("old", "new", "read"),
    [
        (b'r="F4"', b'r="F4000000000"', False), (b'r="F4"', b"r='F4000000000'", False), (b'r="F4"', b'r="ZZZZZZ4"', False),
        (b'<row r="4"', b'<row r="4000000000"', False), (b'<c r="F4"', b"<c", True),
    ],
    ids=["row", "quotes", "column", "row-of-rows", "no-place"],
)  # fmt: skip
def test_a_place_beyond_the_sheet_takes_no_room(tmp_path: Path, old: bytes, new: bytes, read: bool) -> None:
    book = changed(workbook(GOOD), "xl/worksheets/sheet1.xml", lambda xml: xml.replace(old, new, 1))
    made = home(tmp_path, {"a.xlsx": book, "good.xlsx": workbook(GOOD | {"说明": []})})
    assert [f.reason == "" for f in made.ledgers.files] == [read, True]
    assert made.ledgers.rows("ledger_fuel", "2024-01")["consumption"].to_list() == [12345.67]
    if not read:
        assert "beyond the last row" in found(made, "L01")[0].text_en


def test_an_xls_too_large_to_be_looked_into_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calamine.CalamineWorkbook, "from_filelike", lambda *_: pytest.fail("was opened"))
    refused = read_workbook(b"\xd0\xcf\x11\xe0" + bytes(20 << 20), [])
    assert "20 MB" in str(refused)
    assert ".xlsx" in str(refused)
