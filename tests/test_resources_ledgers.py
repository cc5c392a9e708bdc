"""Ledgers as CSV: spellings, units, mistakes, submissions. Each mistake costs its own cell or row and says so."""

from __future__ import annotations

import random
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import TABLES
from contracts.ledgers import LEDGERS
from resources.bench import Bench
from resources.ledgers_cells import _numbers
from resources.ledgers_kept import Kept
from resources.ledgers_values import month_of, number_of, slip
from resources.ledgers_words import load_words
from tests.ledger_files import CLINKER, FUEL, checks, found, home, opened, submit

if TYPE_CHECKING:
    from pathlib import Path

    from resources.home import Home

JANUARY = "P1,P1-1,kiln,bituminous,2024-01,12345.67,t,23.076\n"


def fuel(of: Home, month: str = "2024-01") -> list[dict[str, object]]:
    return of.ledgers.rows("ledger_fuel", month).to_dicts()


def test_a_row_keeps_its_numbers_and_says_where_it_stands(tmp_path: Path) -> None:
    made = home(tmp_path, {"ledger_fuel_2024.csv": FUEL + JANUARY})
    (row,) = fuel(made)
    assert (row["consumption"], row["ncv_gj"], row["unit"]) == (12345.67, 23.076, "t")
    assert (row["src_path"], row["src_sheet"], row["src_row"]) == ("ledgers/ledger_fuel_2024.csv", None, 2)
    assert '"consumption": "F"' in str(row["src_columns"])
    assert (row["versions"], row["revision"], row["submitted_at"]) == (1, None, None)
    assert made.ledgers.findings == ()
    assert made.ledgers.months() == ["2024-01"]
    assert [f.state for f in made.ledgers.files] == ["read"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", "\t", ";"], ids=["comma", "tab", "semicolon"])
def test_encodings_and_separators_give_the_same(tmp_path: Path, encoding: str, separator: str) -> None:
    text = (
        "化石燃料台账,,,,,,\n企业名称,窑号,使用设施,燃料,统计月份,消耗量（吨）,收到基低位发热量(MJ/kg)\n"
        "第1水泥厂(模拟),P1-1,回转窑,烟煤,2024年1月,12345.67,23.076\n"
    )
    made = home(tmp_path, {"ledger_fuel.csv": text.replace(",", separator).encode(encoding)})
    (row,) = fuel(made)
    assert (row["plant_id"], row["facility"], row["fuel"], row["unit"]) == ("P1", "kiln", "bituminous", "t")
    assert (row["consumption"], row["ncv_gj"]) == (12345.67, 23.076)
    assert checks(made) == []


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("2024-01", "2024-01"), ("2024-1", "2024-01"), ("2024/1", "2024-01"), ("2024年1月", "2024-01"), ("2024年01月份", "2024-01"),
        ("202401", "2024-01"), ("2024.10", "2024-10"), ("2024.2", "2024-02"), ("2024-01-31", "2024-01"), ("20240131", "2024-01"),
        ("2024-01-01 00:00:00", "2024-01"), ("２０２４－０１", "2024-01"), (" 2024 年 1 月 ", "2024-01"),
        ("2024.1", None), ("1月", None), ("45292", None), ("2024-13", None), ("1999-12", None), ("2024-02-30", None), ("202413", None), ("", None),
    ],
)  # fmt: skip
def test_months_as_people_write_them(text: str, month: str | None) -> None:
    assert month_of(text) == month


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12.5", 12.5), ("1,234.50", 1234.5), ("１２．５", 12.5), ("-3", -3.0), (".5", 0.5), ("1e3", 1000.0), ("1,234,567", 1234567.0),
        ("12,5", None), ("1,23", None), ("12.5t", None), ("98%", None), ("约12", None), ("1 234", None), ("nan", None), ("inf", None), ("0x10", None), ("1_000", None), ("1e999", None),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(text: str, number: float | None) -> None:
    assert number_of(text) == number
    assert _numbers(pl.Series([text])).to_list() == [number]


@given(
    st.lists(
        st.one_of(
            st.decimals(-(10**9), 10**9, places=4).map(str),
            st.floats(allow_nan=False, allow_infinity=False, width=64).map(repr),
        ),
        max_size=30,
    )
)
def test_numbers_are_the_doubles_of_their_decimals(texts: list[str]) -> None:
    expected = [float(t) if abs(float(t)) < 1e300 else None for t in texts]
    assert _numbers(pl.Series(texts, dtype=pl.String)).to_list() == expected


@pytest.mark.parametrize(
    ("row", "check", "cell", "said"),
    [
        ("P1,P1-1,kiln,bituminous,2024-01,100,t,5461", "L30_impossible", "2[ncv_gj]", "kcal/kg"),
        ("P1,P1-1,kiln,bituminous,2024-01,100,t,23104", "L30_impossible", "2[ncv_gj]", "kJ/kg"),
        ("P1,P1-1,kiln,natural_gas,2024-01,100,1e4Nm3,38.9", "L40_implausible", "2[ncv_gj]", "MJ/Nm3"),
        ("P1,P1-1,kiln,coke_oven_gas,2024-01,100,1e4Nm3,173.854", "", "", ""),
        ("P1,P1-1,kiln,bituminous,2024-01,100,t,0.0231", "L40_implausible", "2[ncv_gj]", "TJ/t"),
        ("P1,P1-1,kiln,natural_gas,2024-01,2000000,1e4Nm3,389.31", "L30_impossible", "2[consumption]", "Nm3"),
        ("P1,P1-1,kiln,natural_gas,2024-01,500000,1e4Nm3,389.31", "L40_implausible", "2[consumption]", "Nm3"),
        ("P1,P1-1,kiln,bituminous,2024-01,12345670,t,23", "L30_impossible", "2[consumption]", "kg"),
        ("P1,P1-1,kiln,bituminous,2024-01,900000,t,23", "L40_implausible", "2[consumption]", "kg"),
        ("P1,P1-1,kiln,bituminous,2024-01,100,t,0.786", "L40_implausible", "2[ncv_gj]", "kgce/kg"),
    ],
)  # fmt: skip
def test_slips_of_unit_of_fuels_are_named_and_not_converted(
    tmp_path: Path, row: str, check: str, cell: str, said: str
) -> None:
    made = home(tmp_path, {"ledger_fuel.csv": FUEL + row + "\n"})
    assert checks(made) == ([check] if check else [])
    if check:
        (finding,) = found(made, check)
        assert finding.source_cell == cell
        assert f"像是以 {said} 填写" in finding.text_zh
        assert f"looks like {said}" in finding.text_en
        (kept,) = fuel(made)
        name = cell[2:-1]
        written = float(dict(zip(FUEL.strip().split(","), row.split(","), strict=True))[name])
        assert kept[name] == (written if check == "L40_implausible" else None)


@pytest.mark.parametrize(
    ("table", "column", "value", "written"),
    [
        ("ledger_altfuel", "ef_tco2_gj", 75.0, "tCO2/TJ"), ("ledger_altfuel", "ef_tco2_gj", 20.2, "tC/TJ"),
        ("ledger_lab", "clinker_cao_pct", 0.6542, "fraction"), ("ledger_rawmeal", "nonfuel_carbon_pct", 0.001, "fraction"),
        ("ledger_electricity", "grid_mwh", 8010235.0, "kWh"), ("ledger_clinker", "output_t", 13.245, "1e4 t"),
        ("ledger_clinker", "output_t", 132450350.0, "kg"), ("ledger_dust", "ckd_t", 1.0, None),
        ("ledger_rawmat", "moisture_pct", 0.12, "fraction"),
    ],
)  # fmt: skip
def test_slips_of_unit_of_other_tables(table: str, column: str, value: float, written: str | None) -> None:
    found_slip = slip(table, column, "", value)
    assert (found_slip.written if found_slip else None) == written


@pytest.mark.parametrize(
    ("header", "wanted"),
    [("收到基低位发热量(kcal/kg)", "GJ/t"), ("低位发热量/(kJ/kg)", "GJ/t"), ("低位热值（大卡/千克）", "GJ/t")],
)  # fmt: skip
def test_a_column_headed_in_another_unit_is_not_taken(tmp_path: Path, header: str, wanted: str) -> None:
    text = f"企业编号,生产线编号,使用设施,燃料品种,月份,消耗量(t),{header}\nP1,P1-1,窑,烟煤,2024-01,100,5461\n"
    made = home(tmp_path, {"ledger_fuel.csv": text})
    (finding,) = found(made, "L04")
    assert finding.value == header
    assert wanted in finding.text_en
    assert fuel(made)[0]["ncv_gj"] is None
    assert fuel(made)[0]["consumption"] == 100


@pytest.mark.parametrize(
    ("row", "check", "cell", "near"),
    [
        ("P1,P1-1,kiln,无眼煤,2024-01,1,t,23", "L23_unknown_fuel", "2[fuel]", "anthracite"),
        ("P1,P1-1,kiln,bitumnous,2024-01,1,t,23", "L23_unknown_fuel", "2[fuel]", "bituminous"),
        ("P01,P1-1,kiln,bituminous,2024-01,1,t,23", "L21_unknown_plant", "2[plant_id]", "P1"),
        ("第1水泥,P1-1,kiln,bituminous,2024-01,1,t,23", "L21_unknown_plant", "2[plant_id]", "P1"),
        ("P1,P1-3,kiln,bituminous,2024-01,1,t,23", "L22_unknown_line", "2[line_id]", "P1-"),
        ("P1,P2-1,kiln,bituminous,2024-01,1,t,23", "L33_line_of_another_plant", "2[line_id]", "P2"),
        ("P1,P1-1,oven,bituminous,2024-01,1,t,23", "L25_unknown_word", "2[facility]", "kiln"),
        ("P1,P1-1,kiln,bituminous,1月,1,t,23", "L20_unreadable_month", "2[month]", "2024-01"),
        ("P1,P1-1,kiln,,2024-01,1,t,23", "L29_empty_key", "2[fuel]", "fuel"),
        ("P1,P1-1,kiln,bituminous,2024-01,1,t,23,9", "L11_broken_row", "2", "quotes"),
        ("P1,P1-1,kiln,bituminous,2024-01,1,234.5,t,23", "L11_broken_row", "2", "quotes"),
    ],
)  # fmt: skip
def test_a_bad_key_costs_its_row_and_names_what_is_near(
    tmp_path: Path, row: str, check: str, cell: str, near: str
) -> None:
    good = "P1,P1-2,kiln,bituminous,2024-01,7,t,23\n"
    made = home(tmp_path, {"ledger_fuel.csv": f"{FUEL}{row}\n{good}"})
    assert check in checks(made)
    (finding,) = found(made, check)
    assert finding.source_cell == cell
    assert near in finding.text_en
    assert [r["line_id"] for r in fuel(made)] == ["P1-2"]


@pytest.mark.parametrize(
    ("row", "check", "column"),
    [
        ("P1,P1-1,kiln,bituminous,2024-01,约100,t,23", "L26_no_number", "consumption"),
        ("P1,P1-1,kiln,bituminous,2024-01,-5,t,23", "L31_negative", "consumption"),
        ("P1,P1-1,kiln,bituminous,2024-01,100,kg,23", "L25_unknown_word", "consumption"),
        ("P1,P1-1,kiln,bituminous,2024-01,100,,23", "L32_no_unit", "consumption"),
    ],
)  # fmt: skip
def test_a_bad_value_stays_empty_and_costs_nothing_else(tmp_path: Path, row: str, check: str, column: str) -> None:
    made = home(tmp_path, {"ledger_fuel.csv": f"{FUEL}{row}\n"})
    assert checks(made) == [check]
    (kept,) = fuel(made)
    assert kept[column] is None
    assert kept["ncv_gj"] == 23


def test_negative_stock_is_empty_with_its_range(tmp_path: Path) -> None:
    made = home(tmp_path, {"ledger_clinker.csv": CLINKER + "P1-1,2024-01,120000,700,-50,10\n"})
    (finding,) = found(made, "L31")
    assert (finding.value, finding.low, finding.source_cell) == ("-50", 0, "2[opening_t]")
    assert (finding.plant_id, finding.line_id, finding.period) == (None, "P1-1", "2024-01")
    assert made.ledgers.rows("ledger_clinker", "2024-01")["opening_t"].to_list() == [None]


def test_missing_months_are_told_as_far_as_the_plant_has_submitted(tmp_path: Path) -> None:
    rows = [
        f"P1,P1-1,kiln,{f},2024-{m:02d},5,t,23"
        for f, months in (("bituminous", (1, 2, 5)), ("anthracite", (2, 3, 4, 6)))
        for m in months
    ]
    made = home(tmp_path, {"ledger_fuel.csv": FUEL + "\n".join(rows) + "\n"})
    told = {f.text_en.split(" for ")[0].rsplit(" ", 1)[1]: f.value for f in found(made, "L60")}
    assert told == {"bituminous": "2024-03, 2024-04, 2024-06", "anthracite": "2024-01, 2024-05"}


def test_a_line_that_began_in_the_year_lacks_no_month_before(tmp_path: Path) -> None:
    rows = [f"P1,P1-1,kiln,bituminous,2024-{m:02d},5,t,23" for m in range(5, 13)]
    late = "P1,,mobile,diesel,2024-12,5,t,42\n"
    made = home(tmp_path, {"ledger_fuel.csv": FUEL + "\n".join(rows) + "\n" + late}, since="2024-05-01")
    assert [f.value.count(",") for f in found(made, "L60") if f.value] == [6], "only diesel of May to November"


def test_what_is_outside_the_registry_counts_and_is_told(tmp_path: Path) -> None:
    made = home(tmp_path, {"ledger_fuel.csv": FUEL + JANUARY}, since="2024-02-01")
    assert {f.source_cell for f in found(made, "L34")} == {"2[plant_id]", "2[line_id]"}
    assert len(fuel(made)) == 1


def test_totals_are_recognised_checked_and_never_rows(tmp_path: Path) -> None:
    rows = "".join(f"P1-1,2024-{m:02d},{100000 + m},700,,\n" for m in (1, 2))
    made = home(tmp_path, {"ledger_clinker_a.csv": CLINKER + rows + "P1-1,全年,200003,1400,,\n"})
    assert checks(made) == []
    assert made.ledgers.months() == ["2024-01", "2024-02"]
    made = home(tmp_path / "2", {"ledger_clinker_a.csv": CLINKER + rows + "P1-1,合计,200103,1400,,\n"})
    (finding,) = found(made, "L61")
    assert (finding.value, finding.source_cell) == ("200103", "4[output_t]")
    assert "200003" in finding.text_en


def test_total_columns_and_remarks_are_no_data(tmp_path: Path) -> None:
    text = "line_id,month,output_t,合计\nP1-1,2024-01,120000,120000\n注：产量由皮带秤计量,,,\n填表人：张三,,审核人：李四,\n"
    made = home(tmp_path, {"ledger_clinker.csv": text})
    assert checks(made) == []
    assert made.ledgers.files[0].rows == 1


@pytest.mark.parametrize("stamp", ["submitted_at", "revision", "path"])
def test_the_latest_submission_counts_whatever_the_order_of_arrival(tmp_path: Path, stamp: str) -> None:
    head = FUEL.strip() + ",submitted_at,revision\n"
    first = {"submitted_at": "2024-02-05 09:00,", "revision": ",1", "path": ","}[stamp]
    second = {"submitted_at": "2024-03-01,", "revision": ",2", "path": ","}[stamp]
    early, late = ("a", "b") if stamp == "path" else ("b", "a")
    files: dict[str, str | bytes] = {
        f"ledger_fuel_{early}.csv": head
        + JANUARY.strip()
        + f",{first}\n"
        + f"P1,P1-2,kiln,bituminous,2024-01,9,t,23,{first}\n",
        f"ledger_fuel_{late}.csv": head + f"P1,P1-1,kiln,bituminous,2024-01,12000,t,23.076,{second}\n",
    }
    made = home(tmp_path, files)
    assert [(r["line_id"], r["consumption"], r["versions"]) for r in fuel(made)] == [("P1-1", 12000, 2), ("P1-2", 9, 1)]
    (finding,) = found(made, "L55" if stamp == "path" else "L51")
    assert "consumption 12345.67 → 12000" in finding.text_en
    assert f"ledger_fuel_{late}.csv" in finding.text_en
    assert finding.source_file == f"ledgers/ledger_fuel_{early}.csv"


@pytest.mark.parametrize(
    ("stamps", "kind"), [(("", ""), "L55_by_path"), (("2024-03-01", ""), "L51_superseded")], ids=["neither", "one"]
)
def test_names_that_decide_are_told_with_the_remedy(tmp_path: Path, stamps: tuple[str, str], kind: str) -> None:
    head = FUEL.strip() + ",submitted_at\n"
    rows = (f"P1,P1-1,kiln,bituminous,2024-01,{n},t,23,{s}\n" for n, s in zip((12000, 13000), stamps, strict=True))
    made = home(tmp_path, {f"ledger_fuel_{n}.csv": head + row for n, row in enumerate(rows)})
    (told,) = [f for f in found(made) if f.check_id in ("L51_superseded", "L55_by_path")]
    assert told.check_id == kind
    assert ("give submitted_at" in told.text_en) == (kind == "L55_by_path")


def test_one_file_with_two_answers_is_a_contradiction(tmp_path: Path) -> None:
    made = home(tmp_path, {"ledger_fuel.csv": FUEL + JANUARY + JANUARY.replace("12345.67", "12.0")})
    (finding,) = found(made, "L50")
    assert (finding.source_cell, finding.value) == ("2[consumption]", "12345.67")
    assert fuel(made)[0]["consumption"] == 12.0


def test_the_same_again_is_counted_and_not_listed(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "ledger_fuel_1.csv": FUEL + JANUARY,
        "ledger_fuel_2.csv": FUEL + JANUARY + JANUARY.replace("2024-01", "2024-02"),
    }
    made = home(tmp_path, files)
    (finding,) = found(made, "L52")
    assert "1 rows" in finding.text_en
    assert fuel(made)[0]["versions"] == 2


@pytest.mark.parametrize("order", ["abc", "cba", "bca", "cab"])
def test_an_earlier_version_submitted_again_counts_again(tmp_path: Path, order: str) -> None:
    old, new = FUEL + JANUARY, FUEL + JANUARY.replace("12345.67", "12.0")
    files: dict[str, str | bytes] = {"a/ledger_fuel.csv": old, "b/ledger_fuel.csv": new, "c/ledger_fuel.csv": old}
    for letter in order:
        made = home(tmp_path, {f"{letter}/ledger_fuel.csv": files[f"{letter}/ledger_fuel.csv"]})
        made.ledgers.keep()
    made = opened(tmp_path)
    (row,) = fuel(made)
    assert (row["consumption"], row["src_path"], row["versions"]) == (12345.67, "ledgers/c/ledger_fuel.csv", 2)
    (told,) = found(made, "L55")
    assert told.source_file == "ledgers/b/ledger_fuel.csv", "the file that does not count"
    assert "consumption 12 → 12345.67" in told.text_en
    assert "ledgers/c/ledger_fuel.csv 2" in told.text_en
    assert [(f.state, f.copy_of) for f in made.ledgers.files] == [
        ("copy", "ledgers/c/ledger_fuel.csv"), ("read", ""), ("read", ""),
    ]  # fmt: skip


def test_a_row_is_withdrawn_only_by_saying_so(tmp_path: Path) -> None:
    head = FUEL.strip() + ",撤回\n"
    both = FUEL + JANUARY + JANUARY.replace("P1-1", "P1-2")
    made = home(tmp_path, {"ledger_fuel_1.csv": both, "ledger_fuel_2.csv": FUEL + JANUARY.replace("P1-1", "P1-2")})
    assert len(fuel(made)) == 2, "left out is not taken back"
    submit(tmp_path, {"ledger_fuel_3.csv": head + "P1,P1-1,kiln,bituminous,2024-01,,,,是\n"})
    made = opened(tmp_path)
    assert [r["line_id"] for r in fuel(made)] == ["P1-2"]
    assert "L53_withdrawn" in checks(made)


def test_a_resubmission_that_empties_a_value_is_told(tmp_path: Path) -> None:
    made = home(
        tmp_path,
        {
            "ledger_fuel_1.csv": FUEL + JANUARY,
            "ledger_fuel_2.csv": FUEL + "P1,P1-1,kiln,bituminous,2024-01,12345.67,t,\n",
        },
    )
    (finding,) = found(made, "L54")
    assert "ncv_gj" in finding.text_en
    assert fuel(made)[0]["ncv_gj"] is None


def test_an_empty_form_row_is_no_submission(tmp_path: Path) -> None:
    made = home(
        tmp_path,
        {"ledger_fuel_1.csv": FUEL + JANUARY, "ledger_fuel_2.csv": FUEL + "P1,P1-1,kiln,bituminous,2024-01,,t,\n"},
    )
    assert fuel(made)[0]["consumption"] == 12345.67
    assert checks(made) == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("fuel.csv", FUEL + JANUARY, "ledger_fuel*.csv"),
        ("ledger_fuel.csv", "", "第一行写列名"),
        ("ledger_fuel.csv", "a,b\n1,2\n", "plant_id"),
        ("ledger_fuel.csv", b"PK\x03\x04xx", ".xlsx"),
        ("ledger_fuel.csv", b"\xff\xfe\x00", "CSV UTF-8"),
    ],
    ids=["name", "empty", "no-header", "workbook", "binary"],
)
def test_a_refused_file_says_why_and_costs_only_itself(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    made = home(tmp_path, {name: content, "ledger_fuel_good.csv": FUEL + JANUARY})
    assert len(fuel(made)) == 1
    refused = next(f for f in made.ledgers.files if f.state == "refused")
    assert said in refused.reason
    (finding,) = found(made, "L01")
    assert said in finding.text_zh + finding.text_en


def test_an_open_quote_costs_its_line(tmp_path: Path) -> None:
    rows = "".join(f"P1,P1-1,kiln,bituminous,2024-{m:02d},5,t,23\n" for m in range(2, 13))
    made = home(tmp_path, {"ledger_fuel.csv": FUEL + 'P1,"P1-1,kiln,bituminous,2024-01,5,t,23\n' + rows * 3})
    assert made.ledgers.months() == [f"2024-{m:02d}" for m in range(2, 13)]
    assert found(made, "L13")[0].source_cell == "2"


def test_of_many_alike_the_first_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    rows = "".join(f"P1,P1-1,kiln,bituminous,20{y}-{m:02d},x,t,23\n" for y in range(10, 20) for m in range(1, 13))
    made = home(tmp_path, {"ledger_fuel.csv": FUEL + rows}, since="2009-01-01")
    assert len(found(made, "L26")) == 20
    (more,) = found(made, "L90")
    assert "100 more" in more.text_en


def test_reading_again_is_done_once_per_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = home(
        tmp_path, {"ledger_fuel.csv": FUEL + JANUARY, "ledger_clinker.csv": CLINKER + "P1-1,2024-01,120000,700,,\n"}
    )
    before = made.ledgers.rows("ledger_fuel", "2024-01")
    made.ledgers.keep()
    submit(tmp_path, {"ledger_fuel_2.csv": FUEL + JANUARY.replace("2024-01", "2024-02")})
    read: list[str] = []
    kept_put = Kept.put
    monkeypatch.setattr(Kept, "put", lambda self, key, *rest: (read.append(key), kept_put(self, key, *rest))[1])
    again = opened(tmp_path)
    assert again.ledgers.rows("ledger_fuel", "2024-01").equals(before)
    assert len(read) == 1, "only the new file"
    assert again.ledgers.months() == ["2024-01", "2024-02"]
    again.ledgers.keep()
    (tmp_path / "landing/ledgers/ledger_clinker.csv").unlink()
    third = opened(tmp_path)
    assert len(read) == 1
    assert third.ledgers.months("ledger_clinker") == []
    third.ledgers.keep()
    assert not list((tmp_path / "lake/ledgers").glob("ledger_clinker-*")), "what nobody needs is gone"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000))
def test_any_order_and_any_nights_give_the_same_rows(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    draw = random.Random(seed)
    files: dict[str, str | bytes] = {}
    for n in range(draw.randint(1, 5)):
        rows = [
            f"P1,P1-{draw.randint(1, 2)},kiln,{draw.choice(['bituminous', '无烟煤'])},2024-{draw.randint(1, 3):02d},{draw.randint(0, 99)},t,,"
            f"{draw.choice(['', '2024-05-01', '2024-06-01 08:00'])},{draw.choice(['', '1', '2'])},{draw.choice(['', '', '', '是'])}"
            for _ in range(draw.randint(1, 6))
        ]
        files[f"ledger_fuel_{n}.csv"] = FUEL.strip() + ",submitted_at,revision,withdrawn\n" + "\n".join(rows) + "\n"
    for n in range(5, 5 + draw.randint(0, 3)):
        files[f"ledger_fuel_{n}.csv"] = files[draw.choice(sorted(files))]
    whole = home(tmp_path_factory.mktemp("whole"), files)
    bit = tmp_path_factory.mktemp("bit")
    names = list(files)
    draw.shuffle(names)
    home(bit)
    for name in names:
        submit(bit, {name: files[name]})
        opened(bit).ledgers.keep()
    parts = opened(bit)
    assert parts.ledgers.months() == whole.ledgers.months()
    for month in whole.ledgers.months():
        assert parts.ledgers.version("ledger_fuel", month) == whole.ledgers.version("ledger_fuel", month)
    assert parts.ledgers.findings == whole.ledgers.findings
    assert _slow(files) == {
        (r["line_id"], r["fuel"], r["month"]): r["consumption"] for m in whole.ledgers.months() for r in fuel(whole, m)
    }


def _slow(files: dict[str, str | bytes]) -> dict[tuple[str, str, str], float]:
    """What counts, one row after the other."""
    said = []
    for path, text in files.items():
        for n, line in enumerate(str(text).splitlines()[1:]):
            _, line_id, _, name, month, amount, _, _, at, revision, gone = line.split(",")
            when = datetime.fromisoformat(at) if at else datetime(1, 1, 1)
            order = (when, int(revision or -1), path, n)
            said.append((order, (line_id, "anthracite" if name == "无烟煤" else name, month), float(amount), gone))
    last = {key: (amount, gone) for _, key, amount, gone in sorted(said)}
    return {key: amount for key, (amount, gone) in last.items() if not gone}


def test_versions_move_with_their_month_alone(tmp_path: Path) -> None:
    made = home(tmp_path, {"ledger_fuel_1.csv": FUEL + JANUARY + JANUARY.replace("2024-01", "2024-02")})
    bench = Bench(made)
    assert bench.ledger("ledger_fuel", "2024-01").height == 1
    assert bench.ledger("ledger_heat", "2024-01").height == 0
    assert set(bench.inputs) == {"ledgers:ledger_fuel:2024-01", "ledgers:ledger_heat:2024-01"}
    before = made.ledgers.version("ledger_fuel", "2024-01"), made.ledgers.version("ledger_fuel", "2024-02")
    submit(tmp_path, {"ledger_fuel_2.csv": FUEL + JANUARY.replace("2024-01", "2024-02").replace("12345.67", "1")})
    again = opened(tmp_path)
    assert again.ledgers.version("ledger_fuel", "2024-01") == before[0]
    assert again.ledgers.version("ledger_fuel", "2024-02") != before[1]
    assert again.ledgers.version("ledger_heat", "2024-01") == ""


def test_a_heating_value_beside_default_is_said_not_to_be_used(tmp_path: Path) -> None:
    head = FUEL.strip() + ",ncv_source\n"
    rows = [("default", "23.5"), ("default", ""), ("measured", "23.5"), ("", "23.5")]
    text = "".join(
        f"P1,P1-1,kiln,bituminous,2024-{n:02d},5,t,{ncv},{source}\n" for n, (source, ncv) in enumerate(rows, 1)
    )
    (told,) = found(home(tmp_path, {"ledger_fuel.csv": head + text}), "L38")
    assert (told.source_cell, told.value, told.severity) == ("2[ncv_gj]", "23.5", "info")


def test_no_ledgers_no_rows(tmp_path: Path) -> None:
    made = home(tmp_path)
    assert (made.ledgers.months(), made.ledgers.findings, made.ledgers.files) == ([], (), ())
    assert made.ledgers.rows("ledger_meter").columns == TABLES["ledger_meter"].names


@pytest.mark.parametrize("table", LEDGERS, ids=lambda t: t.name)
def test_every_column_has_its_official_name_and_is_read_by_it(table: object) -> None:
    words = load_words()
    for name, header in words.headers[table.name].items():  # type: ignore[attr-defined]
        assert words.heading(table.name, header.zh).column == name  # type: ignore[attr-defined,union-attr]
        assert words.heading(table.name, name).column == name  # type: ignore[attr-defined,union-attr]
        for unit in header.units:
            heading = words.heading(table.name, f"{header.zh}（{unit}）")  # type: ignore[attr-defined]
            assert heading is not None
            assert (heading.column, heading.unit) == (name, unit)
        if name in table.names:  # type: ignore[attr-defined]
            assert table[name].title == header.zh  # type: ignore[index]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_text_of_a_spreadsheet_is_read(tmp_path: Path, encoding: str) -> None:
    text = (FUEL + JANUARY).replace(",", "\t")
    marked = text.encode() if encoding == "utf-16" else f"\ufeff{text}".encode(encoding)
    made = home(tmp_path, {"ledger_fuel.txt": text.encode("utf-16") if encoding == "utf-16" else marked})
    assert len(fuel(made)) == 1
    assert checks(made) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [("~$2024.xlsx", "close the workbook"), ("a.ods", "save it as .xlsx"), ("a.xlsb", "save it as .xlsx"), ("a.et", "save it as .xlsx")],
)  # fmt: skip
def test_files_that_are_known_and_not_read_say_what_to_do(tmp_path: Path, name: str, said: str) -> None:
    made = home(tmp_path, {name: b"PK\x03\x04whatever", "ledger_fuel.csv": FUEL + JANUARY})
    assert said in found(made, "L01")[0].text_en
    assert len(fuel(made)) == 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("P1,P1-1,kiln,bituminous,2024-01,约100,t,23", "alone, in t,"), ("P1,P1-1,kiln,bituminous,2024-01,约100,,23", "alone, in t / 1e4Nm3,"),
        ("P1,P1-1,kiln,natural_gas,2024-01,x,1e4Nm3,389", "alone, in 1e4Nm3,"), ("P1,P1-1,kiln,bituminous,2024-01,1e7,t,23", "cannot be in t (0 to 1,000,000)"),
        ("P1,P1-1,kiln,bituminous,2024-01,1,Nm3,23", "the amounts of the row stay empty: Nm3"),
    ],
    ids=["row", "neither", "gas", "range", "unit"],
)  # fmt: skip
def test_texts_of_amounts_name_the_unit(tmp_path: Path, row: str, said: str) -> None:
    made = home(tmp_path, {"ledger_fuel.csv": FUEL + row + "\n"})
    assert any(said in f.text_en for f in made.ledgers.findings)


@pytest.mark.parametrize(
    ("column", "text", "near"),
    [
        ("fuel", "烟媒", "烟煤 / bituminous"), ("fuel", "原煤", "无烟煤 / anthracite, 烟煤 / bituminous, 褐煤 / lignite"), ("fuel", "bitumnous", "烟煤 / bituminous"),
        ("fuel", "锯末", ""), ("line_id", "P1-9", "P1-1 / P1-2"), ("plant_id", "第1水泥厂", "P1"),
    ],
)  # fmt: skip
def test_what_a_wrong_name_may_mean(tmp_path: Path, column: str, text: str, near: str) -> None:
    row = {"plant_id": "P1", "line_id": "P1-1", "fuel": "bituminous"} | {column: text}
    made = home(tmp_path, {"ledger_fuel.csv": FUEL + f"{row['plant_id']},{row['line_id']},kiln,{row['fuel']},2024-01,1,t,23\n"})  # fmt: skip
    (finding,) = (f for f in found(made) if f.check_id[:3] in ("L21", "L22", "L23"))
    assert (f"; {near} perhaps;" if near else f"is called {text};") in finding.text_en


def test_clinker_without_fuel_is_told_once_a_line_and_year(tmp_path: Path) -> None:
    clinker = "".join(f"{line},2024-{m:02d},90000,700,,\n" for line in ("P1-1", "P1-2", "P2-1") for m in (1, 2, 3))
    idle = "P2-2,2024-01,0,0,,\n"
    fuels = "P1,P1-1,kiln,bituminous,2024-01,100,t,23\nP1,P1-1,kiln,bituminous,2024-02,0,t,\nP1,P1-2,mobile,diesel,2024-01,1,t,42\nP2,,kiln,petcoke,2024-02,9,t,33\n"
    made = home(tmp_path, {"ledger_clinker.csv": CLINKER + clinker + idle, "ledger_fuel.csv": FUEL + fuels})
    told = {f.line_id: (f.period, f.value, f.source_cell) for f in found(made, "L62")}
    assert told == {
        "P1-1": ("2024", "2024-03", "4[output_t]"), "P1-2": ("2024", "2024-01, 2024-02, 2024-03", "5[output_t]"),
        "P2-1": ("2024", "2024-01, 2024-03", "8[output_t]"),
    }, "0 is an answer, other places are none, the plant's kiln fuel is that of its lines"  # fmt: skip


def test_a_row_of_a_line_needs_no_plant_and_nothing_is_minus_zero(tmp_path: Path) -> None:
    made = home(tmp_path, {"ledger_fuel.csv": FUEL + ",P2-1,kiln,bituminous,2024-01,-0,t,23\n,,kiln,bituminous,2024-01,1,t,23\n"})  # fmt: skip
    (row,) = fuel(made)
    assert (row["plant_id"], str(row["consumption"])) == ("P2", "0.0")
    assert [f.source_cell for f in found(made, "L29")] == ["3[plant_id]"]


def test_two_files_that_contradict_one_another_are_told_with_both_places(tmp_path: Path) -> None:
    first, second = (FUEL + f"P1,P1-1,kiln,bituminous,2024-01,{n},t,23\n" for n in (100, 200))
    for root, names in (
        (tmp_path / "a", ("ledger_fuel_a.csv", "ledger_fuel_b.csv")),
        (tmp_path / "b", ("ledger_fuel_b.csv", "ledger_fuel_a.csv")),
    ):
        made = home(root, {names[0]: first, names[1]: second})
        later = max(names)
        assert [r["consumption"] for r in fuel(made)] == [200.0 if later == names[1] else 100.0], (
            "the last path, whatever came first"
        )
        (told,) = found(made, "L55")
        assert told.source_file == f"ledgers/{min(names)}"
        assert f"ledgers/{later} 2" in told.text_en
