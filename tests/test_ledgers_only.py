"""A home with ledgers alone, the whole way by the command line: plant-year A as CSV and as the filled-in workbook, to the cent; then one
ledger row and one factor row change, and exactly what they touch is restated.

The published files are read as a stranger reads them: plain polars over a glob.
"""

from __future__ import annotations

import csv
import io
import json
import runpy
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from python_calamine import CalamineWorkbook

from pipelines.cli import main
from tests.carbon_cases import MONTHLY_RESULTS, month_of_a
from tests.ledger_files import LINES, PLANTS, submit, workbook

ROOT = Path(__file__).parents[1]
V01, YEAR = "CETS-AG-02.01-V01-2024", "2024"
GRID = (
    "factor_id,quantity,scope,region,value,unit,data_year,valid_from,recorded_at,source,mark,confidence\n"
    "CN.GRID.GZ.2023,grid,province,贵州,{},tCO2/MWh,2023,2024-01-01,2026-11-23,公告,V,verified\n"
)
#: How a person writes what the tables name in English.
WORDS = {
    "kiln": "水泥窑", "mobile": "移动燃烧设备", "anthracite": "无烟煤", "bituminous": "烟煤", "diesel": "柴油", "carbide_slag": "电石渣",
    "steel_slag": "钢渣", "measured": "实测", "default": "缺省值",
}  # fmt: skip
YEAR_A = [
    pytest.param("annual_weighted", "335631.81", "409029.89", "735555.52", "1144585.41", 1144585, id="A-M1"),
    pytest.param("monthly_sum", "335625.40", "409023.48", "735555.51", "1144578.99", 1144579, id="A-M2"),
]

Ledgers = dict[str, list[dict[str, Any]]]


def plant_year() -> Ledgers:
    """The ledgers of 11.2, month by month, under the ids of the page on ledgers."""
    made: Ledgers = {}
    for m in range(1, 13):
        for table, rows in month_of_a(m, "GZ-A-L1", "GZ-A").items():
            made.setdefault(table, []).extend({**r, "month": f"{YEAR}-{m:02d}"} for r in rows)
    return made


def as_csv(ledgers: Ledgers) -> dict[str, str | bytes]:
    made: dict[str, str | bytes] = {}
    for table, rows in ledgers.items():
        out = io.StringIO()
        writer = csv.DictWriter(out, sorted({n for r in rows for n in r}), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        made[f"{table}.csv"] = out.getvalue()
    return made


def as_workbook(ledgers: Ledgers, template: Path) -> dict[str, str | bytes]:
    """The template's own sheets with its own headers, filled in by the names of its English row, in Chinese."""
    sheets: dict[str, list[list[Any]]] = {}
    book = CalamineWorkbook.from_path(str(template))
    for name in book.sheet_names:
        head = [list(r) for r in book.get_sheet_by_name(name).to_python(skip_empty_area=False)[:5]]
        sheets[name] = head
        table = next((t for t in ledgers if len(head) > 3 and _names(ledgers[t]) <= set(head[3])), "")
        if table:
            rows = ledgers.pop(table)
            sheets[name] = head + [[WORDS.get(str(r.get(n)), r.get(n)) for n in head[3]] for r in rows]
    assert not ledgers, "every table has a sheet"
    return {"2024.xlsx": workbook(sheets)}


def _names(rows: list[dict[str, Any]]) -> set[str]:
    return {n for r in rows for n in r}


def kiln(root: Path, *args: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, [*args, "--home", str(root)])
    assert done.exit_code == code, done.output
    return done.stdout


def published(root: Path, table: str, **equal: Any) -> pl.DataFrame:
    frame = pl.read_parquet(root / "published/latest" / table / "**/*.parquet")
    return frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String)).filter(**equal)


def restated(root: Path) -> pl.DataFrame:
    """What the latest release moved."""
    release = (root / "published/latest").resolve().name
    return published(root, "restatements", release_id=release)


def cents(value: float) -> str:
    return f"{Decimal(repr(value)):.2f}"


@pytest.fixture(scope="module", params=["csv", "workbook"])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Registry, ledgers and the home's own grid factor, then `kiln run --all`."""
    root = tmp_path_factory.mktemp(request.param)
    (root / "registry").mkdir()
    for name, text in (
        ("plants", f"{PLANTS}\nGZ-A,甲水泥厂,Plant A,,,贵州省,,,,89,general,2016-01-01,\n"),
        ("lines", f"{LINES}\nGZ-A-L1,GZ-A,portland,4500,2016-01-01,\n"),
        ("ets", "year,balance_value,source,published_on\n2024,0.8450,invented,2025-09-15\n"),
        ("factors-own", GRID.format("0.4989")),
    ):
        (root / f"registry/{name}.csv").write_text(text, encoding="utf-8")
    template = root / "template.xlsx"
    kiln(root, "ledger-template", "--year", YEAR, "--out", str(template))
    submit(root, as_workbook(plant_year(), template) if request.param == "workbook" else as_csv(plant_year()))
    said = kiln(root, "run", "--all")
    assert "1,144,585.41 tCO2" in said, "the closing words tell the year"
    return root


def test_months_of_the_vectors(ran: Path) -> None:
    rows = published(ran, "carbon_line_month", method_id=V01, level="line")
    wide = rows.pivot(on="source", index="month", values="emission_tco2").sort("month")
    found = wide.select("anthracite", "bituminous", "process", "total").rows()
    assert [tuple(map(cents, r)) for r in found] == MONTHLY_RESULTS


@pytest.mark.parametrize(("way", "anthracite", "fossil", "process", "total", "whole"), YEAR_A)
def test_year_of_the_vectors(
    ran: Path, way: str, anthracite: str, fossil: str, process: str, total: str, whole: int
) -> None:
    row = published(ran, "carbon_line_year", method_id=V01, aggregation=way).row(0, named=True)
    assert [cents(row[f"{n}_tco2"]) for n in ("fossil", "process", "total")] == [fossil, process, total]
    assert Decimal(fossil) - Decimal(anthracite) == Decimal("73398.08")
    assert (row["whole_tco2"], row["intensity_tco2_t"], row["carbide_rate_pct"], row["heat_gj_t"], row["heat_kgce_t"]) == (
        whole, 0.8021, 2.85, 2.898, 98.9,
    )  # fmt: skip
    assert (row["clinker_t"], row["carbide_t"], row["status"], row["missing"]) == (1427056.82, 45381.75, "filing", None)


def test_entity_and_methods_of_the_vectors(ran: Path) -> None:
    rows = published(ran, "carbon_entity_year", method_id=V01, aggregation="annual_weighted")
    assert {(cents(r["other_tco2"]), cents(r["direct_tco2"])) for r in rows.to_dicts()} == {("749.21", "1145334.62")}
    power = {r["electricity_basis"]: cents(r["electricity_tco2"]) for r in rows.to_dicts()}
    told = {"location_national": "46273.09", "net_national": "39428.35", "location_province": "43508.56"}
    assert {basis: power[basis] for basis in told} == told
    others = {"GCCA-CSI-v3-B1": "765425.71", "IPCC-2006-T2": "742506.93"}
    years = published(ran, "carbon_line_year", aggregation="annual_weighted")
    assert {r["method_id"]: cents(r["process_tco2"]) for r in years.to_dicts() if r["method_id"] in others} == others


def test_a_verifier_recomputes_the_year_from_the_release_alone(
    ran: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["recompute", str(ran / "published/latest"), "GZ-A-L1", YEAR])
    runpy.run_path(str(ROOT / "examples/recompute_line_year.py"), run_name="__main__")
    assert [line.split()[-2] for line in capsys.readouterr().out.splitlines()] == ["1144585.41", "1144585.41"]


@pytest.fixture(scope="module")
def corrected(ran: Path) -> Path:
    """March anthracite handed in again with 23.850 GJ/t."""
    before = published(ran, "carbon_line_year")
    row = {**month_of_a(3, "GZ-A-L1", "GZ-A")["ledger_fuel"][0], "month": "2024-03", "ncv_gj": 23.85}
    again = {"ledger_fuel": [row]}
    # Of two submissions without a time the one of the later path counts.
    files = as_workbook(again, ran / "template.xlsx") if list(ran.glob("landing/ledgers/*.xlsx")) else as_csv(again)
    submit(ran, {f"revised/{name}": content for name, content in files.items()})
    kiln(ran, "run", "--all")
    assert not before.equals(published(ran, "carbon_line_year"))
    return ran


@pytest.mark.parametrize(
    ("way", "delta"), [("annual_weighted", 676.36), ("monthly_sum", 684.70)], ids=["A-backfill-M1", "A-backfill-M2"]
)
def test_march_is_restated_with_its_reason(corrected: Path, way: str, delta: float) -> None:
    moved = restated(corrected).filter(dataset="carbon_line_year", column="total_tco2")
    (row,) = [r for r in moved.to_dicts() if V01 in r["key"] and way in r["key"]]
    assert (round(row["delta"], 2), row["reason_kind"], row["provisional"]) == (delta, "ledger", False)


def test_march_moves_march_alone(corrected: Path) -> None:
    months = restated(corrected).filter(dataset="carbon_line_month")
    assert set(months["partition"]) == {"2024-03"}
    assert set(restated(corrected)["reason_kind"]) == {"ledger"}
    fuel = published(corrected, "carbon_line_month", method_id=V01, source="anthracite").sort("month")
    burnt, heat = fuel["activity"].round(2), fuel["ncv_gj"]
    assert round((burnt * heat).sum() / burnt.sum(), 3) == 23.370
    year = published(corrected, "carbon_line_year", method_id=V01, aggregation="annual_weighted").row(0, named=True)
    assert cents(round(year["fossil_tco2"] - 73398.08, 2)) == "336308.17"


def test_one_factor_row_is_planned_and_restates_what_it_touches(corrected: Path) -> None:
    before = {t: published(corrected, t) for t in ("carbon_line_year", "allocation_year", "carbon_uncertainty")}
    (corrected / "registry/factors-own.csv").write_text(GRID.format("0.5683"), encoding="utf-8")
    plan = json.loads(kiln(corrected, "plan", "--json"))
    assert {k[:4] for keys in plan["stale"].values() for k in keys} == {"2024"}
    assert "0.4989 -> 0.5683" in json.dumps(plan["because"])
    assert "(+6,052.30)" in kiln(corrected, "run", "--all"), "the closing words tell what moved"
    moved = restated(corrected)
    assert set(moved["reason_kind"]) == {"factor"}
    # Rows of the factor's own basis alone: neither figures nor names of factors move in others.
    figures = moved.filter(pl.col("delta").is_not_null())
    assert set(figures["dataset"]) == {"carbon_line_month", "carbon_entity_year"}
    assert set(moved["key"]) == set(figures["key"])
    assert figures["key"].str.contains("location_province").all()
    assert set(moved.filter(pl.col("delta").is_null())["column"]) <= {"factor_set", "factor_ids"}
    (row,) = [
        r for r in moved.filter(dataset="carbon_entity_year", column="electricity_tco2").to_dicts()
        if V01 in r["key"] and "annual_weighted" in r["key"]
    ]  # fmt: skip
    assert (round(row["delta"], 2), row["old"], row["new"]) == (6052.30, "43508.56", "49560.86")
    for table, frame in before.items():
        assert frame.equals(published(corrected, table)), table
