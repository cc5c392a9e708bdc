"""Two real station days through `kiln run`: the loggers' own hours are the oracle.

A boiler's packets of 2016 stand in for a kiln tail with a reference O2 of 6 %. Station 1 runs; station 3 is idle most of the day.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from click.testing import CliRunner

from pipelines.cli import main
from resources.releases import verify_release
from tests.homes import write_home
from tests.nights import manifest, opened, rows

if TYPE_CHECKING:
    from click.testing import Result

STATIONS = Path(__file__).parents[2] / "shared/data/hj212"
CAPTURES = {n: STATIONS / f"station_{n}_2016-08-24.txt" for n in (1, 3)}
UNITS = {1: "Pa,absolute,m3/s", 3: "kPa,gauge,m3/h"}
pytestmark = pytest.mark.skipif(
    not all(p.exists() for p in CAPTURES.values()),
    reason="the two real captures are not at hand (../shared/data/hj212)",
)
DAY = pl.col("hour").dt.to_string("%Y-%m-%d") == "2016-08-24"


def lines(station: int) -> list[bytes]:
    return CAPTURES[station].read_bytes().split(b"\r\n")[:-1]


def device(station: int) -> str:
    number = re.search(rb"MN=([^;]*)", lines(station)[0])
    assert number is not None
    return f"{number[1].decode()},S{station},10,auto,{UNITS[station]},dry_standard,dry,true,valid,hj212,2016-01-01,"


def run(root: Path, more: dict[str, bytes] | None = None) -> Result:
    write_home(
        root, {p.name: p.read_bytes() for p in CAPTURES.values()} | (more or {}), devices=[device(n) for n in CAPTURES],
        outlets=[f"S{n},P1,L1,kiln_tail,12,1,6,none,2016-01-01," for n in CAPTURES],
    )  # fmt: skip
    return CliRunner().invoke(main, ["run", "--home", str(root), "--all"])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("stations")
    result = run(root)
    assert result.exit_code == 0, result.output
    return root


@pytest.fixture(scope="module")
def hours(home: Path) -> pl.DataFrame:
    """As an analyst reads it: a glob over the release."""
    frame = pl.read_parquet(home / "published/latest/cems_hourly/*.parquet")
    return frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String)).filter(DAY)


def test_a_release_exists_and_holds(home: Path) -> None:
    told = manifest(home)
    assert all(c.passed for c in told.facts.checks)
    assert verify_release(opened(home).published, told.release_id) == []
    assert {a.path for a in told.facts.arrivals} == {f"cems/{p.name}" for p in CAPTURES.values()}


def test_every_byte_and_every_frame_is_accounted_for(home: Path) -> None:
    for arrival in opened(home).intake.inputs():
        station = next(n for n, p in CAPTURES.items() if arrival.path.endswith(p.name))
        kinds = Counter(re.search(rb"CN=(\d+)", line)[1] for line in lines(station))
        record = arrival.record
        assert record.text_bytes == CAPTURES[station].stat().st_size == record.accepted_bytes
        assert (record.quarantined_bytes, record.noise_bytes, record.frames_quarantined, record.frames_other) == (
            0,
            0,
            0,
            0,
        )
        assert (record.frames_minute, record.frames_reported) == (kinds[b"2051"], kinds[b"2061"] + kinds[b"2031"])
    counts = rows(home, "cems_counts")
    assert counts["frames"].sum() == sum(len(lines(n)) for n in CAPTURES)
    assert counts["identical"].sum() == sum(len(lines(n)) - len(set(lines(n))) for n in CAPTURES)
    assert counts["frames"].sum() == sum(counts[c].sum() for c in ("rows", "joined", "identical", "superseded"))
    assert rows(home, "cems_minute").height + rows(home, "cems_reported").height == counts["rows"].sum()


def test_hours_agree_with_the_logger_of_station_1(hours: pl.DataFrame) -> None:
    """The logger averages its seconds, we its 10-minute means: most pairs within 0.5 %, none further apart than 2.6 %."""
    both = hours.filter(
        (pl.col("outlet_id") == "S1") & (pl.col("minutes") == 60)
        & pl.col("judged_mg_m3").is_not_null() & pl.col("reported_mg_m3").is_not_null()
    )  # fmt: skip
    assert Counter(both["pollutant"]) == {"pm": 19, "so2": 19, "nox": 19}
    close = {}
    for ours, theirs in (
        ("concentration_mg_m3", "reported_avg_mg_m3"), ("converted_mg_m3", "reported_mg_m3"), ("mass_kg", "reported_mass_kg"),
    ):  # fmt: skip
        apart = (both[ours] - both[theirs]).abs() / both[theirs]
        assert apart.max() <= 0.026, ours
        close[ours] = (apart <= 0.005).sum()
    assert close == {"concentration_mg_m3": 49, "converted_mg_m3": 50, "mass_kg": 40}


def test_station_1_is_found_to_label_ends(home: Path, hours: pl.DataFrame) -> None:
    assert set(hours.filter(pl.col("outlet_id") == "S1")["label"].drop_nulls()) == {"end"}
    evidence = (
        rows(home, "cems_labels")
        .filter(pl.col("outlet_id") == "S1")
        .select("decidable", "fits_start", "fits_end")
        .sum()
    )
    decidable, start, end = evidence.row(0)
    assert decidable > 90
    assert end > 0.9 * decidable
    assert start == 0


def test_station_3_cannot_be_decided_and_says_so(home: Path, hours: pl.DataFrame) -> None:
    assert set(hours.filter(pl.col("outlet_id") == "S3")["label"].drop_nulls()) == {"start"}
    signals = pl.read_parquet(home / "published/latest/cems_signals/2016-08-24.parquet").with_columns(
        pl.col(pl.Categorical, pl.Enum).cast(pl.String)
    )
    undecided = signals.filter(pl.col("signal_id") == "L01_label_undecided")
    assert undecided["outlet_id"].to_list() == ["S3"]
    assert "start" in undecided["text_en"].item()
    idle = hours.filter((pl.col("outlet_id") == "S3") & (pl.col("pollutant") == "nox"))
    assert Counter(idle["null_reason"])["o2_near_air"] == 21


def test_a_resend_is_counted_and_moves_no_figure(home: Path, tmp_path: Path) -> None:
    again = [line for line in lines(1) if b"CN=2051" in line][::2]
    result = run(tmp_path, {"resent.txt": b"".join(line + b"\r\n" for line in reversed(again))})
    assert result.exit_code == 0, result.output
    counts = rows(tmp_path, "cems_counts")
    assert counts["identical"].sum() == rows(home, "cems_counts")["identical"].sum() + len(again)
    for table in ("cems_hourly", "cems_signals", "ule_hourly", "ule_monthly"):
        name = f"published/latest/{table}"
        assert {p.name: p.read_bytes() for p in (home / name).iterdir()} == {
            p.name: p.read_bytes() for p in (tmp_path / name).iterdir()
        }
