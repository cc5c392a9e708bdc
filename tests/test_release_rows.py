"""A factor of one plant and a ledger of another move in one night: each row has the causes that are its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from pipelines.runs import run_backfill
from resources.settings import Settings
from tests.carbon_home import METHOD, carbon_home, say_ncv
from tests.nights import night
from tests.test_backfill_carbon import restated


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year of two plants under one method, with allowances, published."""
    root = carbon_home(tmp_path_factory.mktemp("rows") / "home", range(2024, 2025))
    (root / "registry/methods.csv").write_text(f"method_id,from_year,to_year\n{METHOD},2024,\n", encoding="utf-8")
    ets = "year,balance_value,source,published_on\n2024,0.845,notice,2025-09-15\n"
    (root / "registry/ets.csv").write_text(ets, encoding="utf-8")
    assert night(root).code == 0
    return root


@pytest.fixture
def home(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / "home", symlinks=True))


def _clinker(home: Path, line: str, month: str, tonnes: int) -> None:
    path = home / "landing/ledgers/ledger_clinker.csv"
    text = path.read_text("utf-8")
    assert f"{line},{month},10000," in text
    path.write_text(text.replace(f"{line},{month},10000,", f"{line},{month},{tonnes},"), encoding="utf-8")


def _told(home: Path) -> pl.DataFrame:
    """Restated rows of carbon with their line (or plant) and kind."""
    assert run_backfill(Settings(home=str(home)), products=[]).code == 0
    others = ("carbon_entity_year", "allocation_year", "carbon_uncertainty")
    rows = restated(home).filter(pl.col("dataset").str.starts_with("carbon_line") | pl.col("dataset").is_in(others))
    part = {n: pl.col("key").str.extract(rf"(?:^|;){n}=([^;]+)") for n in ("line_id", "plant_id")}
    return rows.with_columns(
        who=pl.coalesce(part["line_id"], part["plant_id"]), basis=pl.col("key").str.extract("(location_province)")
    )


def _kinds(rows: pl.DataFrame, dataset: str, *by: str) -> dict[tuple[str | None, ...], set[str]]:
    some = rows.filter(dataset=dataset).group_by(*by).agg(pl.col("reason_kind").unique())
    return {tuple(key): set(kinds) for *key, kinds in some.iter_rows()}


def test_a_factor_and_a_ledger_of_other_plants_are_told_apart_by_row(home: Path) -> None:
    say_ncv(home, "23.5")
    _clinker(home, "L2", "2024-03", 11000)
    rows = _told(home)
    for table in ("carbon_line_month", "carbon_line_year", "allocation_year"):
        assert _kinds(rows, table, "who") == {("L1",): {"factor"}, ("L2",): {"ledger"}}, table
    assert _kinds(rows, "carbon_entity_year", "who") == {("P1",): {"factor"}, ("P2",): {"ledger"}}
    # What a row cannot rest on is not named either.
    for who, said, other in (("L1", "OWN.NCV.ANTH", "ledger_clinker"), ("L2", "ledger_clinker", "OWN.NCV.ANTH")):
        refs = rows.filter(who=who)["reason_ref"].unique().to_list()
        assert all(said in ref and other not in ref for ref in refs), refs


def test_a_factor_and_a_ledger_of_one_plant_are_told_apart_by_what_entered_a_row(home: Path) -> None:
    say_ncv(home, "23.5")
    _clinker(home, "L1", "2024-03", 11000)
    rows = _told(home).filter(who="L1")
    months = rows.filter(pl.col("dataset") == "carbon_line_month")
    source = months.with_columns(source=pl.col("key").str.extract("source=(.+)$"))
    assert _kinds(source, "carbon_line_month", "source") == {
        ("anthracite",): {"factor"}, ("clinker",): {"ledger"}, ("process",): {"ledger"}, ("fossil",): {"factor"}, ("total",): {"factor"},
    }  # fmt: skip
    # Both entered the total: both are named.
    (ref,) = source.filter(source="total")["reason_ref"].unique()
    assert "OWN.NCV.ANTH" in ref and "ledger_clinker" in ref  # noqa: PT018


def test_a_factor_of_electricity_is_no_cause_of_a_line(home: Path) -> None:
    head = "factor_id,quantity,scope,region,method,value,unit,valid_from,valid_to,recorded_at,source,mark,confidence\n"
    grid = "OWN.GZ,grid,province,贵州,,0.60,tCO2/MWh,2024-01-01,,2026-11-23,notice,V,verified\n"
    (home / "registry/factors-own.csv").write_text(head + grid, encoding="utf-8")
    _clinker(home, "L1", "2024-03", 11000)
    rows = _told(home)
    lines = rows.filter(pl.col("who").str.starts_with("L"))
    assert "carbon_uncertainty" in set(lines["dataset"])
    assert set(lines["reason_kind"]) == {"ledger"}
    # Of the plant's rows those of the province's basis rest on both, those of other bases on the ledger, the other plant's on the factor.
    assert _kinds(rows.filter(who="P1"), "carbon_entity_year", "basis") == {
        ("location_province",): {"factor"},
        (None,): {"ledger"},
    }
    assert set(rows.filter(who="P2")["reason_kind"]) == {"factor"}
