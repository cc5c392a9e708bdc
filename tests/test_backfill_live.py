"""A factor changes under a living daemon: the reconcile sensor has what it touches restated and published, a change in mid-run included."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl
import pytest

from assets.stale import light_products, stale_keys
from pipelines.backfill import JOB
from pipelines.instance import open_instance
from resources.releases import latest
from tests.carbon_home import carbon_home, opened, say_ncv
from tests.nights import night

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
PATIENCE_S = 240.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A year of ledgers, published."""
    root = carbon_home(tmp_path / "home", range(2024, 2025))
    assert night(root).code == 0
    return root


@pytest.fixture
def daemon(home: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """dagster-daemon over the definitions, with this home's instance; no port is opened. Stopped by its id."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("KILN_")}
    environment |= {
        "KILN_HOME": str(home),
        "DAGSTER_HOME": str(home / "dagster"),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "PYTHONWARNINGS": "default",
    }
    with (tmp_path / "daemon.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster._daemon", "run", "-m", "pipelines.definitions"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def until(what: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, log.read_text("utf-8", errors="replace")[-3000:]
        time.sleep(0.2)


def release_id(home: Path) -> str:
    found = latest(opened(home).published)
    return found.release_id if found else ""


def heat(home: Path) -> dict[str, set[float]]:
    """Net calorific values of anthracite under the national method by month, as published."""
    frame = pl.read_parquet(str(home / "published/latest/carbon_line_month/*.parquet"))
    rows = frame.filter(
        pl.col("source").cast(pl.String).str.contains("anthracite"),
        pl.col("method_id").cast(pl.String).str.starts_with("CETS"),
    )
    return {str(m[0]): set(g["ncv_gj"]) for m, g in rows.group_by("month")}


@pytest.mark.long
def test_a_factor_that_changes_twice_while_it_is_taken_in_ends_published_as_it_stands(
    home: Path, daemon: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    log = tmp_path / "daemon.log"
    before = release_id(home)
    made = home / "lake/carbon_line_month/_made/2024-01.json"
    stamp = made.stat().st_mtime_ns
    say_ncv(home, "23.5", start="2024-01-01", end="2025-01-01")
    until(lambda: made.exists() and made.stat().st_mtime_ns != stamp, log)
    # The backfill has made its first month and has the others before it.
    say_ncv(home, "23.9", start="2024-01-01", end="2025-01-01", day="2026-11-24")
    until(lambda: release_id(home) != before and heat(home) == {f"2024-{m:02d}": {23.9} for m in range(1, 13)}, log)
    assert daemon.poll() is None
    assert stale_keys(opened(home), light_products()) == {}
    restated = pl.read_parquet(str(home / "published/latest/restatements/*.parquet")).cast({pl.Categorical: pl.String})
    moved = restated.filter(pl.col("dataset") == "carbon_line_month", pl.col("column") == "emission_tco2")
    assert set(moved["reason_kind"]) == {"factor"}
    assert not moved.filter(pl.col("key").str.contains("line_id=L2;")).height, (
        "a line that burns no anthracite is not restated"
    )
    with open_instance(str(home)) as instance:
        runs = instance.get_runs(dg.RunsFilter(job_name=JOB))
        observed = instance.fetch_observations(dg.AssetKey("factors"), 50).records
    assert len(runs) >= 2, "what came in mid-run is asked for again"
    assert any(r.status == dg.DagsterRunStatus.SUCCESS for r in runs)
    assert observed
