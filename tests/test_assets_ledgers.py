"""Ledgers through the house: a home of ledgers alone, its tables, arrivals, findings, release, and what a correction moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.ledgers import LEDGER_TABLES, make_ledgers, make_meters
from assets.products import bring_up, product, reasons
from assets.stale import light_products, stale_keys
from contracts import TABLES
from pipelines.doctor import examine
from resources.bench import Bench
from resources.settings import Settings
from tests.ledger_files import CLINKER, FUEL, home, opened, submit
from tests.nights import manifest, night, rows

if TYPE_CHECKING:
    from pathlib import Path

FUELS = FUEL + "P1,P1-1,kiln,bituminous,2024-01,100,t,23.1\nP1,P1-1,kiln,bituminous,2024-02,200,t,5500\n"
METERS = "meter_id,plant_id,quantity,class_pct,actual_pct,calibrated_from,calibrated_to\nB1,P1,燃煤,0.5,0.4,2024-01-01,2024-12-31\n"


def test_a_home_of_ledgers_alone_runs_through_a_night(tmp_path: Path) -> None:
    home(tmp_path, {"ledger_fuel.csv": FUELS, "ledger_meter.csv": METERS, "a/ledger_bad.csv": "x"})
    outcome = night(tmp_path)
    assert outcome.code == 3, "a file was refused"
    assert outcome.data["refused"] == ["ledgers/a/ledger_bad.csv"]
    assert outcome.data["ledgers"] == {"files": 3, "rows": 3, "months": ["2024-01", "2024-02"]}
    assert "台账 ledgers: 3 个文件 files" in outcome.text
    assert night(tmp_path).code == 0, "it was refused before"
    fuel = pl.read_parquet(tmp_path / "published/latest/ledger_fuel/**/*.parquet")
    assert fuel.sort("month")["consumption"].to_list() == [100.0, 200.0]
    assert fuel.sort("month")["ncv_gj"].to_list() == [23.1, None]
    assert rows(tmp_path, "ledger_meter")["class_pct"].to_list() == [0.5]
    told = {str(c) for c in rows(tmp_path, "findings")["check_id"]}
    assert {c for c in told if c.startswith("L")} == {"L01_file_refused", "L30_impossible"}
    arrived = rows(tmp_path, "arrivals").sort("path")
    assert arrived.select("path", "kind", "state").rows() == [
        ("ledgers/a/ledger_bad.csv", "ledger", "refused"), ("ledgers/ledger_fuel.csv", "ledger", "read"), ("ledgers/ledger_meter.csv", "ledger", "read"),
    ]  # fmt: skip
    published = manifest(tmp_path)
    assert {a.path for a in published.facts.arrivals} == {
        f"ledgers/{n}" for n in ("a/ledger_bad.csv", "ledger_fuel.csv", "ledger_meter.csv")
    }
    submit(tmp_path, {"ledger_fuel_2.csv": FUEL + "P1,P1-1,kiln,bituminous,2024-01,150,t,23.1\n"})
    assert night(tmp_path).code == 0
    moved = pl.read_parquet(tmp_path / "published/latest/restatements/**/*.parquet").filter(
        pl.col("dataset") == "ledger_fuel"
    )
    consumption = moved.filter(pl.col("column") == "consumption")
    assert consumption.select(pl.col("old", "new").cast(pl.Float64)).rows() == [(100.0, 150.0)]
    assert consumption["reason_kind"].to_list() == ["ledger"]


def test_a_correction_asks_for_its_month_alone(tmp_path: Path) -> None:
    made = home(tmp_path, {"ledger_fuel.csv": FUELS})
    of = product("ledgers")
    assert sorted(of.keys(made)) == ["2024-01", "2024-02"]
    assert [bool(bring_up(made, of, m)) for m in ("2024-01", "2024-02")] == [True, True]
    assert [reasons(opened(tmp_path), of, m) for m in ("2024-01", "2024-02")] == [[], []]
    submit(tmp_path, {"ledger_fuel_2.csv": FUEL + "P1,P1-1,kiln,bituminous,2024-02,7,t,23\n"})
    later = opened(tmp_path)
    assert reasons(later, of, "2024-01") == []
    assert reasons(later, of, "2024-02") == ["ledgers:ledger_fuel:2024-02"]


def test_a_month_that_is_withdrawn_goes(tmp_path: Path) -> None:
    made = home(tmp_path, {"ledger_clinker.csv": CLINKER + "P1-1,2024-01,120000,700,,\n"})
    of = product("ledgers")
    assert bring_up(made, of, "2024-01")
    submit(tmp_path, {"ledger_clinker_2.csv": CLINKER.strip() + ",withdrawn\nP1-1,2024-01,,,,,yes\n"})
    later = opened(tmp_path)
    assert sorted(of.keys(later)) == ["2024-01"], "so that it is looked at again"
    assert bring_up(later, of, "2024-01")
    assert later.lake.partition("ledger_clinker", "2024-01") is None


def test_tables_keep_their_contracts(tmp_path: Path) -> None:
    bench = Bench(home(tmp_path, {"ledger_fuel.csv": FUELS, "ledger_meter.csv": METERS}))
    made = make_ledgers(bench, "2024-01") | make_meters(bench, "all")
    assert set(made) == {*LEDGER_TABLES, "ledger_meter"}
    assert [v for name, table in made.items() for v in TABLES[name].violations(table)] == []
    assert made["ledger_heat"].num_rows == 0
    assert make_ledgers(bench, "2030-01") == {}


def test_the_doctor_looks_at_ledgers(tmp_path: Path) -> None:
    home(tmp_path, {"ledger_fuel.csv": FUELS, "bad.csv": "x"})
    told = examine(Settings(home=str(tmp_path)))
    assert [f.level for f in told if f.what == "ledgers"] == [0, 1, 1]
    assert "kcal/kg" in next(f.text for f in told if f.what == "ledgers" and "finding" in f.text)
    assert "a home of ledgers alone" in next(f.text for f in told if f.what == "registry")
    assert next(f.level for f in told if f.what == "landing") == 0
    assert not (tmp_path / "lake").exists(), "nothing is written"
    (tmp_path / "landing/cems").mkdir()
    (tmp_path / "landing/cems/a.txt").write_text("x")
    assert next(f.level for f in examine(Settings(home=str(tmp_path))) if f.what == "landing") == 1


def test_what_lands_in_the_ledgers_is_seen_by_what_the_sensor_asks(tmp_path: Path) -> None:
    made = home(tmp_path, {"ledger_fuel.csv": FUELS})
    of = product("ledgers")
    assert of in light_products()
    assert set(stale_keys(made, [of])["ledgers"]) == {"2024-01", "2024-02"}
    for month in ("2024-01", "2024-02"):
        bring_up(made, of, month)
    assert stale_keys(opened(tmp_path), [of]) == {}
    submit(tmp_path, {"annex.csv": "x", "2024/ledger_fuel_late.csv": FUEL + "P1,P1-1,kiln,bituminous,2024-03,7,t,23\n"})
    assert set(stale_keys(opened(tmp_path), [of])["ledgers"]) == {"2024-03"}
    (tmp_path / "landing/ledgers/2024/ledger_fuel_late.csv").unlink()
    assert stale_keys(opened(tmp_path), [of]) == {}, "a file that is taken away before it was read leaves nothing"


def test_a_file_that_is_taken_away_takes_its_rows_with_it(tmp_path: Path) -> None:
    home(tmp_path, {"ledger_fuel.csv": FUELS, "ledger_fuel_b.csv": FUEL + "P1,P1-1,kiln,bituminous,2024-01,150,t,23.1\n"})  # fmt: skip
    of = product("ledgers")
    made = opened(tmp_path)
    assert bring_up(made, of, "2024-01")
    made.ledgers.keep()
    (tmp_path / "landing/ledgers/ledger_fuel_b.csv").unlink()
    later = opened(tmp_path)
    assert reasons(later, of, "2024-01") == ["ledgers:ledger_fuel:2024-01"]
    assert later.ledgers.rows("ledger_fuel", "2024-01").select("consumption", "versions").rows() == [(100.0, 1)]


def test_ledgers_of_months_before_the_line_break_no_carbon(tmp_path: Path) -> None:
    clinker = CLINKER + "P1-1,2024-01,90000,700,,\n"
    made = home(tmp_path, {"ledger_fuel.csv": FUELS, "ledger_clinker.csv": clinker}, since="2024-02-10")
    for month in ("2024-01", "2024-02"):
        bring_up(made, product("ledgers"), month)
        bring_up(made, product("carbon_months"), month)
    lines = {m: made.lake.read("carbon_line_month", m).column("line_id").to_pylist() for m in ("2024-01", "2024-02")}
    assert "P1-1" not in lines["2024-01"]
    assert "P1-1" in lines["2024-02"]
    outside = [f for f in made.ledgers.findings if f.check_id == "L34_not_in_force" and f.line_id and f.severity == "serious"]  # fmt: skip
    assert {f.period for f in outside} == {"2024-01"}, "what no total counts is told"
