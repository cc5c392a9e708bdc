"""Evaluation windows: the arithmetic of the month over any run of days, from the lake or a release, and `kiln evaluate`."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from click.testing import CliRunner

from assets.evaluation import EvaluationError, evaluate
from assets.products import ALL, bring_up, product
from assets.release import publish_release
from contracts.ule import HEADLINE_POLICY, POLICIES
from pipelines.cli import main
from resources.events import EventBook
from tests.homes import device as device_row
from tests.homes import outlet as outlet_row
from tests.homes import write_home
from tests.test_assets_judgement import GOOD, FakeBench, device, fill, frame, line, outlet, plant, registry, stretch

if TYPE_CHECKING:
    from pathlib import Path

    from resources.home import Home

SUMS = ["production_hours", "valid_hours", "judged_hours", "ok_hours", "fail_hours", "allowed_fail_hours",
        "share_pct", "capture_pct", "mandatory_hours", "mandatory_fail_hours", "mandatory_verdict", "verdict"]  # fmt: skip
MONTHS = ("2026-02", "2026-03", "2026-04")


@pytest.fixture(scope="module")
def judged():
    """February to 20 April of two plants: bad days in March, a start with its cap, a stop."""
    rows = registry(
        plant(), plant("P2"), line(), line("L2", "P2"), outlet(), outlet("B", plant_id="P2", line_id="L2"), device(), device("B")
    )  # fmt: skip
    events = EventBook([
        stretch("stopped", (2026, 3, 3, 0, 0), (2026, 3, 4, 6, 20)),
        stretch("cold_start", (2026, 3, 4, 6, 20), (2026, 3, 6, 0, 0)),
    ])  # fmt: skip
    bench = FakeBench(rows, events=events)
    both = {(o, p): v for o in "AB" for (_, p), v in GOOD.items()}
    fill(bench, date(2026, 2, 1), 28 + 31 + 20, both)
    fill(bench, date(2026, 3, 4), 3, {**both, ("A", "nox"): [450.0] * 24})
    fill(bench, date(2026, 3, 28), 2, {**both, ("B", "so2"): [None] * 12 + [36.0] * 12})
    return {m: bench.make(m) for m in MONTHS}


@pytest.fixture
def home(tmp_path: Path, judged) -> Home:
    made = write_home(tmp_path, {}, outlets=[outlet_row()], devices=[device_row()])
    for month in MONTHS:
        made.lake.write("ule_hourly", month, judged[month]["ule_hourly"], made_by="test", inputs={})
    return made


def test_a_month_evaluated_is_the_month(home, judged):
    found = evaluate(home, date(2026, 3, 1), date(2026, 3, 31), lake=True)
    key = ["outlet_id", "pollutant", "policy"]
    monthly = frame(judged["2026-03"]["ule_monthly"]).select(*key, *SUMS).sort(key)
    assert found.outlets.select(*key, *SUMS).sort(key).rows() == monthly.rows()
    assert {"FAIL", "PASS"} <= set(monthly["verdict"])
    key = ["scope", "scope_id", "combine", "policy"]
    plants = frame(judged["2026-03"]["ule_plants"]).select(*key, "outlets", "verdict").sort(key)
    assert found.scopes.select(*key, "outlets", "verdict").sort(key).rows() == plants.rows()


def test_a_window_over_months_counts_its_own_hours(home):
    found = evaluate(home, date(2026, 2, 20), date(2026, 3, 31), ["P1"], lake=True)
    row = found.outlets.row(
        by_predicate=(pl.col("pollutant") == "nox") & (pl.col("policy") == HEADLINE_POLICY), named=True
    )
    stopped = 24 + 6
    assert row["production_hours"] == 24 * 40 - stopped
    assert (row["fail_hours"], row["mandatory_fail_hours"]) == (72 - 6, 72 - 6 - 35)  # the hour of 06:20 is mixed
    assert set(found.outlets["plant_id"]) == {"P1"}
    assert set(found.outlets["policy"]) == set(POLICIES)


@pytest.mark.parametrize(
    ("first", "last", "window"),
    [
        (None, None, ("2026-03-01", "2026-03-31")),
        (None, "2026-03-31", ("2026-03-01", "2026-03-31")),
        (None, "2026-04-15", ("2026-03-17", "2026-04-15")),
        ("2026-02-03", None, ("2026-02-03", "2026-03-04")),
    ],
)
def test_without_days_it_is_the_last_full_month(home, first, last, window):
    days = (date.fromisoformat(d) if d else None for d in (first, last))
    found = evaluate(home, *days, lake=True)
    assert (str(found.first), str(found.last)) == window


def test_a_short_month_is_carried_back_to_thirty_days(home, judged):
    for month in MONTHS[1:]:
        home.lake.drop("ule_hourly", month)
    january = FakeBench(registry(plant(), line(), outlet(), device()))
    fill(january, date(2026, 1, 1), 31, GOOD)
    home.lake.write("ule_hourly", "2026-01", january.make("2026-01")["ule_hourly"], made_by="test", inputs={})
    found = evaluate(home, None, None, lake=True)
    assert (found.first, found.last) == (date(2026, 1, 30), date(2026, 2, 28))


@pytest.mark.parametrize(
    ("first", "last", "plants", "text"),
    [
        ("2026-03-01", "2026-03-29", (), r"2026-03-01 to 2026-03-29 is 29 days: an evaluation needs at least 30 .*evaluation.min_days, draft"),
        ("2026-03-31", "2026-03-01", (), "is 0 days"),
        ("2026-01-15", "2026-03-01", (), "reach from 2026-02-01 to 2026-04-20"),
        ("2026-03-15", "2026-04-21", (), "do not cover"),
        ("2026-03-01", "2026-03-31", ("P9",), "no judged hours of P9"),
    ],
)  # fmt: skip
def test_windows_that_cannot_be_evaluated_are_refused(home, first, last, plants, text):
    with pytest.raises(EvaluationError, match=text):
        evaluate(home, date.fromisoformat(first), date.fromisoformat(last), plants, lake=True)


def test_an_empty_home_says_so(tmp_path):
    made = write_home(tmp_path, {}, outlets=[outlet_row()], devices=[device_row()])
    with pytest.raises(EvaluationError, match="holds no judged hours"):
        evaluate(made, None, None, lake=True)
    with pytest.raises(EvaluationError, match="nothing is published"):
        evaluate(made, None, None)


def test_the_command_reads_a_release_and_ends_in_sentences(home):
    bring_up(home, product("meters"), ALL)
    release = publish_release(home, [])
    path = str(home.settings.home)
    told = CliRunner().invoke(main, ["evaluate", "--home", path, "--json"])
    assert told.exit_code == 0, told.output
    data = json.loads(told.stdout)
    assert (data["from"], data["to"], data["source"]) == ("2026-03-01", "2026-03-31", release.release_id)
    assert data["min_days"]["confidence"] == "draft"
    lake = json.loads(CliRunner().invoke(main, ["evaluate", "--home", path, "--lake", "--json"]).stdout)
    assert lake["outlets"] == data["outlets"]
    text = CliRunner().invoke(main, ["evaluate", "--home", path, "--plant", "P1"]).stdout
    assert "2026-03-01 – 2026-03-31 (31 天 days)" in text
    assert "P1: per_pollutant FAIL [exclude_tagged_within_cap: PASS, exclude_all_tagged: PASS]" in text
    assert "A nox: FAIL" in text
    assert "P2" not in text
    first = str(date(2026, 3, 31) - timedelta(days=20))
    short = CliRunner().invoke(main, ["evaluate", "--home", path, "--from", first, "--to", "2026-03-31"])
    assert short.exit_code == 2
    assert "至少" in short.output or "不得少于" in short.output
