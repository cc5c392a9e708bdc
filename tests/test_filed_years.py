"""Filed years: files of before a column was told, and slips of the list of filings."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from assets.sealing import sealed_waiting
from pipelines.cli_common import Day
from tests.carbon_home import METHOD, carbon_home, opened, say_ncv
from tests.nights import night, rows
from tests.test_backfill_carbon import planned

HEAD = "plant_id,line_id,year,method_id,filed_at,note\n"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year of two plants under one method, published."""
    root = carbon_home(tmp_path_factory.mktemp("filed") / "home", range(2024, 2025))
    (root / "registry/methods.csv").write_text(f"method_id,from_year,to_year\n{METHOD},2024,\n", encoding="utf-8")
    assert night(root).code == 0
    return root


@pytest.fixture
def home(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / "home", symlinks=True))


@pytest.mark.parametrize("column", ["factor_policy", "drafts"])
def test_a_filed_year_outlives_a_column_that_its_table_gained(home: Path, column: str) -> None:
    tables = ("carbon_line_month", "carbon_line_year", "carbon_entity_year")
    before = {t: rows(home, t) for t in tables}
    for path in (p for t in tables for p in (home / "lake" / t).rglob("*.parquet")):
        pq.write_table(pq.read_table(path).drop_columns([column]), path)
    # Whoever adds a column to a table says that it is made otherwise.
    for path in (p for t in tables for p in (home / "lake" / t / "_made").glob("*.json")):
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"made_by": "older"}), encoding="utf-8")
    (home / "registry/filings.csv").write_text(f"{HEAD}P1,,2024,,2025-03-31,\n", encoding="utf-8")
    # The heat of March moves L1, which is filed.
    say_ncv(home, "23.5")
    assert planned(home).stale
    assert night(home).code == 0
    for table in tables:
        mine = pl.col("plant_id") == "P1"
        figures = [n for n in before[table].columns if n not in ("factor_set", column)]
        kept = rows(home, table)
        assert kept.filter(mine).select(figures).equals(before[table].filter(mine).select(figures)), table
        assert kept.filter(~mine).select(figures).equals(before[table].filter(~mine).select(figures)), table
        # What the file did not say is what it is today.
        assert kept[column].to_list() == before[table][column].to_list()
    waiting = sealed_waiting(opened(home))
    assert waiting["carbon_months"] == {"2024-03": {"carbon_line_month": 3}}


@pytest.mark.parametrize("day", ["2025-03-28", "2025/3/28"])
def test_days_are_written_as_spreadsheets_do(day: str, tmp_path: Path) -> None:
    root = carbon_home(tmp_path, range(2024, 2025))
    (root / "registry/filings.csv").write_text(f"{HEAD}P1,,2024,,{day},\n", encoding="utf-8")
    say_ncv(root, "23.5", day=day)
    made = opened(root)
    assert [f.filed_at for f in made.filings.rows] == [date(2025, 3, 28)]
    (own,) = [r for r in made.factors.rows if r.factor_id == "OWN.NCV.ANTH"]
    assert own.recorded_at == date(2025, 3, 28)
    assert Day().convert(day, None, None) == "2025-03-28"
