"""A factor, a method or a list changes under real carbon: what the plan foretells is what is made, and every movement has its cause."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import reference
from assets.products import bring_up, product
from assets.sealing import sealed_waiting
from assets.stale import light_products, nothing_stale, stale_keys
from contracts import TABLES
from pipelines.plan import make_plan
from pipelines.runs import run_backfill
from pipelines.words_of_plan import in_words_of_plan
from resources.factors import FactorBook
from resources.sealed import Filing, Filings
from resources.settings import Settings
from tests.carbon_cases import Lab
from tests.carbon_home import _HEAD, METHOD, carbon_home, opened, say_ncv
from tests.nights import moved, night, rows, standing
from tests.test_assets_ets import BP, made

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.plan import Plan

FOLDERS = ("factors", "methods", "ets")


@dataclass(frozen=True)
class Change:
    """What is edited, months and lines whose rows move (None: rows of the plant), and words that the plan says of it."""

    edit: Callable[[Path, Path], None]
    months: frozenset[str]
    lines: frozenset[str | None]
    said: str
    ref: str


def own(*lines: str) -> Callable[[Path, Path], None]:
    def edit(home: Path, _law: Path) -> None:
        (home / "registry/factors-own.csv").write_text(_HEAD + "".join(f"{n}\n" for n in lines), encoding="utf-8")

    return edit


def law(file: str, old: str, new: str) -> Callable[[Path, Path], None]:
    def edit(_home: Path, folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text, f"{file} no longer says {old}"
        last = text.rindex(old)
        (folder / file).write_text(text[:last] + new + text[last + len(old) :], encoding="utf-8")

    return edit


OF_2025 = [Filing("P1", "", "2025", "", date(2026, 3, 31), "")]
YEAR = frozenset(f"2024-{m:02d}" for m in range(1, 13))
BOTH: frozenset[str | None] = frozenset({"L1", "L2"})
CHANGES = {
    "grid": Change(
        own("OWN.GZ,grid,province,贵州,,0.60,tCO2/MWh,2024-01-01,,2026-11-23,notice,V,verified"),
        YEAR, frozenset({None}), "OWN.GZ: 0.5683 (CN.GRID.GZ.2023) -> 0.60 tCO2/MWh (registry/factors-own.csv)",
        "CN.GRID.GZ.2023 0.5683 -> OWN.GZ 0.60 tCO2/MWh; registry/factors-own none -> ",
    ),
    "ncv": Change(
        own("OWN.NCV,ncv,anthracite,,CETS-AG-02.01-V01-2024,23.5,GJ/t,2024-03-01,2024-04-01,2026-11-23,lab,V,verified"),
        frozenset({"2024-03"}), frozenset({"L1"}), "OWN.NCV: 22.867 (CN.NCV.ANTH.V01) -> 23.5 GJ/t",
        "CN.NCV.ANTH.V01 22.867 -> OWN.NCV 23.5 GJ/t; registry/factors-own none -> ",
    ),
    "slag": Change(
        law("factors/cets-ag-02.01-v01-2024.csv", "carbide_slag,,CETS-AG-02.01-V01-2024,0.480", "carbide_slag,,CETS-AG-02.01-V01-2024,0.470"),
        YEAR, frozenset({"L1"}), "CN.CEM.K.CARBIDE_SLAG.V01: 0.480 -> 0.470 tCO2/t",
        "CN.CEM.K.CARBIDE_SLAG.V01 0.480 -> 0.470 tCO2/t (published 2024-09-13); cets-ag-02.01-v01-2024 ",
    ),
    "rounding": Change(
        law("methods/rounding.toml", "sums = \"rounded\"\nfuel = 2\nncv = 3\n", "sums = \"rounded\"\nfuel = 2\nncv = 2\n"),
        YEAR, BOTH | {None}, "methods computed",
        "method CETS-AG-02.01-V01-2024: profile.decimals.ncv 3 -> 2; method MEE-332-2023: profile.decimals.ncv 3 -> 2; method CETS-AG-",
    ),
    "list of methods": Change(
        law("methods/runs.toml", ', "EPA-98H"]', "]"), YEAR, BOTH, "methods computed",
        "methods computed for 2024: - EPA-98H latest_published; methods computed ",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year of ledgers, carbide slag in one line, published."""
    root = carbon_home(tmp_path_factory.mktemp("base") / "home", range(2024, 2025))
    slag = "".join(f"L1,carbide_slag,{m},50\n" for m in sorted(YEAR))
    (root / "landing/ledgers/ledger_rawmat.csv").write_text(f"line_id,material,month,consumption_t\n{slag}", "utf-8")
    assert night(root).code == 0
    return root


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The law, to be changed."""
    for name in FOLDERS:
        shutil.copytree(getattr(reference, name.upper()), tmp_path / "law" / name)
        monkeypatch.setattr(reference, name.upper(), tmp_path / "law" / name)
    return tmp_path / "law"


@pytest.fixture
def home(base: Path, tmp_path: Path) -> Path:
    """The home, to be changed."""
    return Path(shutil.copytree(base, tmp_path / "home", symlinks=True))


def planned(home: Path, **options: Any) -> Plan:
    return make_plan(Settings(home=str(home)), **options)


def backfilled(home: Path, **options: Any) -> None:
    outcome = run_backfill(Settings(home=str(home)), products=[], **options)
    assert outcome.code == 0, outcome.text


def restated(home: Path) -> pl.DataFrame:
    frame = pl.read_parquet(str(home / "published/latest/restatements/*.parquet"))
    return frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


def gone(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Rows of the one that are not, to the last column, in the other."""
    return before.join(after, on=before.columns, how="anti", nulls_equal=True)


@pytest.mark.parametrize("name", CHANGES)
def test_what_the_plan_foretells_is_what_is_made_and_told(name: str, base: Path, home: Path, book: Path) -> None:
    change = CHANGES[name]
    change.edit(home, book)
    plan, before = planned(home), standing(home)
    assert standing(home) == standing(base), "a plan writes nothing"
    assert set(plan.stale["carbon_months"]) == change.months
    assert change.said in "\n".join(in_words_of_plan(plan))
    backfilled(home)
    assert set(moved(before, standing(home))) == {e.table for e in plan.expected}
    for e in plan.expected:
        old, new = rows(base, e.table), rows(home, e.table)
        if e.sums:
            delta = new[e.figure].sum() - old[e.figure].sum()
            assert sum(s.new - s.old for s in e.sums) == pytest.approx(delta, abs=1e-6), e.table
        assert (e.added, e.withdrawn) == (max(new.height - old.height, 0), max(old.height - new.height, 0)), e.table
    touched = gone(rows(base, "carbon_line_month"), rows(home, "carbon_line_month"))
    assert set(touched["month"]) == change.months
    assert set(touched["line_id"]) == change.lines
    told = restated(home)
    assert set(told["reason_kind"]) == {"factor"}
    assert all(ref.startswith(change.ref) for ref in told["reason_ref"]), set(told["reason_ref"])
    assert stale_keys(opened(home), light_products()) == {}


def test_a_plan_adds_only_what_adds_up_and_tells_the_filed_method_by_year(home: Path) -> None:
    say_ncv(home, "23.5")
    fuel = home / "landing/ledgers/ledger_fuel.csv"
    fuel.write_text(fuel.read_text("utf-8").replace("P2,L2,kiln,bituminous,2024-05,1500,t\n", ""), "utf-8")
    plan = planned(home)
    told = {e.table: e for e in plan.expected}
    assert told["carbon_uncertainty"].sums == (), "lines and plants are both there"
    assert told["findings"].figure == ""
    assert any(
        n.startswith("+ L60_missing_months P2 L2 2024 ledgers/ledger_fuel.csv: ") for n in told["findings"].named
    )
    assert told["findings"].owners == {"plant_id": 1, "line_id": 1}, "none is no outlet"
    lines = in_words_of_plan(plan)
    assert any(f"total_tco2 2024 {METHOD} annual_weighted: " in n for n in lines)
    assert not any("GCCA-CSI-v3-B1" in n for n in lines)
    assert any("种其他方法 other methods (--methods)" in n for n in lines)
    assert any("GCCA-CSI-v3-B1" in n for n in in_words_of_plan(plan, every_method=True))
    # The file whose row is no longer there is named.
    (why,) = [n for n in lines if "2024-05 的台账 ledger_fuel" in n]
    assert "ledgers/ledger_fuel.csv (去掉 1 行 rows gone)" in why


def test_a_change_that_is_taken_back_before_a_run_asks_for_nothing(home: Path, book: Path) -> None:
    CHANGES["ncv"].edit(home, book)
    assert planned(home, expect="none").stale
    (home / "registry/factors-own.csv").unlink()
    assert planned(home).stale == {}


def test_a_change_that_is_taken_back_after_a_run_gives_the_first_bytes_again(
    base: Path, home: Path, book: Path
) -> None:
    CHANGES["ncv"].edit(home, book)
    backfilled(home)
    (home / "registry/factors-own.csv").unlink()
    backfilled(home)
    assert standing(home) == standing(base)
    assert set(restated(home)["reason_kind"]) == {"factor"}


def test_two_changes_at_once_are_told_apart_by_partition(home: Path, book: Path) -> None:
    CHANGES["ncv"].edit(home, book)
    fuel = home / "landing/ledgers/ledger_fuel.csv"
    text = fuel.read_text("utf-8")
    fuel.write_text(text.replace("P2,L2,kiln,bituminous,2024-05,1500", "P2,L2,kiln,bituminous,2024-05,1600"), "utf-8")
    backfilled(home)
    kinds = restated(home).filter(dataset="carbon_line_month").group_by("partition").agg(pl.col("reason_kind").unique())
    assert {k: set(v) for k, v in kinds.iter_rows()} == {"2024-03": {"factor"}, "2024-05": {"ledger"}}


def test_a_ledger_edited_in_place_that_keeps_its_size_and_time_is_seen(home: Path) -> None:
    fuel = home / "landing/ledgers/ledger_fuel.csv"
    clock, text = fuel.stat(), fuel.read_text("utf-8")
    with fuel.open("r+", encoding="utf-8") as file:
        file.write(text.replace("P2,L2,kiln,bituminous,2024-05,1500", "P2,L2,kiln,bituminous,2024-05,1600"))
    os.utime(fuel, ns=(clock.st_atime_ns, clock.st_mtime_ns))
    assert (fuel.stat().st_mtime_ns, fuel.stat().st_size) == (clock.st_mtime_ns, clock.st_size)
    assert list(planned(home, expect="none").stale["ledgers"]) == ["2024-05"]


def test_meters_that_arrive_before_the_release_stand_in_its_way(home: Path) -> None:
    assert nothing_stale(opened(home)) == []
    row = "M1,P1,L1,fuel,0.5,1.5,2023-01-01,2023-12-31\n"
    head = "meter_id,plant_id,line_id,quantity,class_pct,actual_pct,calibrated_from,calibrated_to\n"
    (home / "landing/ledgers/ledger_meter.csv").write_text(head + row, "utf-8")
    assert [s.partition(":")[0] for s in nothing_stale(opened(home))] == ["meters"]
    backfilled(home)
    assert nothing_stale(opened(home)) == []


def test_a_balance_value_and_a_factor_at_once_are_both_told_of_an_allowance(home: Path, book: Path) -> None:
    """They meet in one figure: the graver gives the kind, each is named with its values."""
    ets = home / "registry/ets.csv"
    ets.write_text("year,balance_value,source,published_on\n2024,0.8,notice,2026-11-01\n", "utf-8")
    backfilled(home)
    ets.write_text(ets.read_text("utf-8").replace("0.8,", "0.81,"), "utf-8")
    CHANGES["ncv"].edit(home, book)
    backfilled(home)
    release = (home / "published/latest").resolve().name
    told = restated(home).filter(release_id=release, dataset="allocation_year", column="allowance_t")
    assert set(told["reason_kind"]) == {"factor"}
    (ref,) = set(told["reason_ref"])
    ordered = [
        ref.find(s)
        for s in (
            "CN.NCV.ANTH.V01 22.867 -> OWN.NCV 23.5",
            "ets.csv balance value 2024: 0.8 -> 0.81",
            "registry/factors-own none",
            "; registry ",
        )
    ]
    assert ordered == sorted(ordered)
    assert ordered[0] == 0
    months = restated(home).filter(release_id=release, dataset="carbon_line_month")
    assert not months["reason_ref"].str.contains("balance value").any()


def test_a_threshold_of_the_trading_system_is_a_rule_and_a_balance_value_the_registry(home: Path, book: Path) -> None:
    (home / "registry/ets.csv").write_text(
        "year,balance_value,source,published_on\n2024,0.8,notice,2026-11-01\n", "utf-8"
    )
    backfilled(home)
    told = restated(home)
    assert set(told["reason_kind"]) <= {"registry"}
    law("ets/uncertainty.csv", "activity,fuel,normal,2,", "activity,fuel,normal,3,")(home, book)
    backfilled(home)
    told = restated(home)
    assert set(told["dataset"]) == {"carbon_uncertainty"}
    assert set(told["reason_kind"]) == {"rule"}


# ---- filed years ---------------------------------------------------------------------------------------------------------------


def test_a_filed_year_that_is_opened_names_the_factor_that_was_held_back(home: Path, book: Path) -> None:
    (home / "registry/filings.csv").write_text("plant_id,year,filed_at\nP1,2024,2025-04-30\n", "utf-8")
    CHANGES["ncv"].edit(home, book)
    outcome = run_backfill(Settings(home=str(home)), products=[])
    assert restated(home).height == 0
    assert "filed years stand as they were" in outcome.text
    assert list(outcome.data["held"]) == ["2024-03"]
    plan = planned(home)
    become = {e.table for e in plan.sealed_expected}
    assert {"carbon_line_month", "carbon_line_year"} <= become
    backfilled(home, sealed=True)
    told = restated(home)
    assert {"carbon_line_month", "carbon_line_year", "carbon_entity_year"} <= set(told["dataset"])
    assert opened(home).lake.storage.list("sealed", ".json") == []
    assert set(told["reason_kind"]) == {"factor"}
    because = "filed year restated; CN.NCV.ANTH.V01 22.867 -> OWN.NCV 23.5 GJ/t; registry/factors-own none -> "
    assert all(r.startswith(because) for r in told["reason_ref"])


def _allocated(lab: Lab) -> dict[str, Any]:
    return lab.one("allocation_year", year="2025")


def _other_slag(lab: Lab) -> None:
    """The deduction factor moves; ledgers and balance value stay."""
    mine = ("k_rawmat", "carbide_slag")
    rows = [replace(r, text="0.470") if (r.quantity, r.scope) == mine else r for r in lab.home.factors.rows]
    lab.home.__dict__["factors"] = FactorBook(rows)


def _again(lab: Lab) -> None:
    lab.run()
    for key in sorted(product("allocation").keys(lab.home)):
        bring_up(lab.home, product("allocation"), key)


@pytest.mark.parametrize("filed", [True, False], ids=["filed", "not filed"])
def test_an_allowance_of_a_filed_year_stands(tmp_path: Path, *, filed: bool) -> None:
    lab = Lab(tmp_path)
    lab.year_of_a(2025)
    made(lab, BP)
    before = _allocated(lab)
    assert before["allowance_t"] is not None
    lab.home.__dict__["filings"] = Filings(OF_2025 if filed else [])
    _other_slag(lab)
    _again(lab)
    after = _allocated(lab)
    assert (after == before) is filed
    assert ("allocation" in sealed_waiting(lab.home)) is filed


def test_a_filed_year_still_waits_for_its_balance_value(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.year_of_a(2025)
    lab.home.__dict__["filings"] = Filings(OF_2025)
    made(lab)
    before = _allocated(lab)
    assert (before["allowance_t"], before["no_number"]) == (None, "no_balance_value")
    made(lab, BP)
    after = _allocated(lab)
    assert after["allowance_t"] is not None
    assert after["total_tco2"] == before["total_tco2"]
    assert TABLES["allocation_year"].layer == "verification"
