"""A simulated week through the nightly job: the truth comes out, whatever the nights; and what later nights move.

The zone is heavy with dirt, crosses the end of a month, and holds wet and dry gas, start, end and unknown labels.
"""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

import reference
from assets.checks import CHECKS
from contracts import TABLES
from contracts.channels import CHANNEL_NAMES
from pipelines.plan import plan_run
from resources.releases import latest, list_releases, verify_release
from resources.rules import RuleBook
from resources.settings import Settings
from simulator import truth_minutes
from tests.homes import minute
from tests.nights import (
    DAYS,
    FIRST,
    captures,
    copy_of,
    deliver,
    empty_like,
    lake_hashes,
    manifest,
    moved,
    night,
    opened,
    release_hashes,
    rows,
    standing,
    week,
)  # fmt: skip

if TYPE_CHECKING:
    from pathlib import Path

DAY = [str(FIRST + timedelta(days=n)) for n in range(DAYS)]
#: A logger with start labels and dry gas at an outlet without conversion.
PLAIN = "SIM-P0001-L1-CL"


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return week(tmp_path_factory.mktemp("zone"))


@pytest.fixture(scope="module")
def once(zone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The week taken in by one night over a range of days."""
    home = empty_like(zone, tmp_path_factory.mktemp("once"))
    deliver(zone, home, captures(zone))
    outcome = night(home, first="2026-03-01", last="2026-05-31")
    assert outcome.code == 0, outcome.text
    return home


@pytest.fixture
def home(once: Path, tmp_path: Path) -> Path:
    """The week as `once` left it, to be changed."""
    return copy_of(once, tmp_path / "home")


@pytest.fixture(scope="module")
def frames(zone: Path) -> pl.DataFrame:
    return pl.read_parquet(zone / "truth/frames/*.parquet").with_columns(pl.col(pl.Categorical).cast(pl.String))


def test_the_night_publishes_what_its_checks_hold(once: Path) -> None:
    told = manifest(once)
    assert {c.name for c in told.facts.checks} >= {c.id for c in CHECKS}
    assert all(c.passed for c in told.facts.checks)
    assert verify_release(opened(once).published, told.release_id) == []
    assert {f.table for f in told.files if f.table} == {t.name for t in TABLES.values() if t.published}
    assert [f.key for f in told.files if f.table == "ule_monthly"] == ["2026-03", "2026-04"]
    assert [f.key for f in told.files if f.table == "cems_hourly"] == DAY


# ---- the truth comes out -------------------------------------------------------------------------------------------------------


def test_every_frame_is_accepted_or_quarantined_for_the_true_reason(once: Path, frames: pl.DataFrame) -> None:
    refused = rows(once, "cems_quarantine").filter(pl.col("level") == "frame")
    found = refused.select("path", "reason", offset="src_offset", length=pl.col("content").bin.size().cast(pl.Int64))
    true = frames.filter(pl.col("expect") == "quarantine").select("path", "reason", "offset", "length")
    order = ["path", "offset"]
    assert true.height > 1000
    assert found.sort(order).rows() == true.sort(order).rows()
    accepted = frames.filter(pl.col("expect") == "accept").group_by("path").len().rows()
    assert {a.path: a.record.frames_accepted for a in opened(once).intake.inputs() if a.record} == dict(accepted)


def test_a_refused_value_is_the_one_that_the_truth_names(once: Path, frames: pl.DataFrame) -> None:
    cells = rows(once, "cems_quarantine").filter((pl.col("level") == "cell") & (pl.col("reason") != "superseded"))
    true = frames.filter((pl.col("expect") == "accept") & (pl.col("cells") != ""))
    assert sorted(cells.select("path", "src_offset", "reason", "name").rows()) == sorted(
        true.select("path", "offset", "what", "cells").rows()
    )


def test_minutes_are_the_true_ones(once: Path, zone: Path) -> None:
    names = ["outlet_id", "mn", "data_time", *(f"{c}_{sub}" for c in CHANNEL_NAMES for sub in ("avg", "flag"))]
    order = ["outlet_id", "data_time"]
    true = truth_minutes(zone).with_columns(pl.col(pl.Categorical).cast(pl.String)).select(names).sort(order)
    found = rows(once, "cems_minute").select(names).sort(order)
    assert true.height > 7000
    assert found.rows() == true.rows()


def test_hours_are_the_true_means_of_dry_gas(once: Path, zone: Path, frames: pl.DataFrame) -> None:
    """Outlets without conversion, days that nothing came late for: truth/hours was written before the late frames were known."""
    devices = pl.read_csv(zone / "registry/devices.csv").filter(pl.col("gas_basis") == "dry")
    late = frames.filter(pl.col("data_time").dt.to_string("%Y-%m-%d") != pl.col("path").str.slice(5, 10))
    found = rows(once, "cems_hourly").filter(pl.col("o2_reference_pct").is_null())
    true = pl.read_parquet(zone / "truth/hours/*.parquet").with_columns(pl.col(pl.Categorical).cast(pl.String))
    both = (
        true.join(found, left_on=["outlet_id", "channel", "hour"], right_on=["outlet_id", "pollutant", "hour"])
        .filter(pl.col("outlet_id").is_in(devices["outlet_id"].to_list()))
        .with_columns(pl.col("hour").dt.date().alias("day"))
        .join(late.select("outlet_id", day=pl.col("data_time").dt.date()).unique(), on=["outlet_id", "day"], how="anti")
    )
    assert both.height > 300
    assert both["valid_minutes"].to_list() == both["unflagged_minutes"].to_list()
    enough = pl.col("unflagged_minutes") >= 45
    assert both.filter(~enough)["judged_mg_m3"].null_count() == both.filter(~enough).height > 10
    compared = both.filter(enough)
    assert compared["judged_mg_m3"].to_list() == pytest.approx(compared["mean"].to_list(), rel=1e-12)


def test_hours_follow_from_the_true_minutes_under_the_true_labels(once: Path, zone: Path) -> None:
    """The same of every outlet, late frames, wet gas and unknown labels included, by a plain group-by."""
    devices = pl.read_parquet(zone / "truth/devices.parquet").select(
        "outlet_id", "label", "sends_flags", "interval_min"
    )
    registry = pl.read_csv(zone / "registry/devices.csv").select("outlet_id", "gas_basis", "missing_flag")
    minutes = truth_minutes(zone).with_columns(pl.col(pl.Categorical).cast(pl.String))
    minutes = minutes.join(devices, on="outlet_id").join(registry, on="outlet_id")

    def good(channel: str) -> pl.Expr:
        fine = (
            pl.when(pl.col("sends_flags"))
            .then(pl.col(f"{channel}_flag") == "N")
            .otherwise(pl.col("missing_flag") == "valid")
        )
        return pl.when(fine).then(pl.col(f"{channel}_avg"))

    dry = pl.when(pl.col("gas_basis") == "wet").then(1 / (1 - good("humidity") / 100)).otherwise(1.0)
    true = (
        minutes.with_columns(value=good("pm") * dry, hour=pl.col("begin").dt.truncate("1h"))
        .group_by("outlet_id", "hour")
        .agg(pl.col("value").mean(), minutes_true=pl.col("value").count() * pl.col("interval_min").first())
    )
    found = rows(once, "cems_hourly").filter(pl.col("pollutant") == "pm")
    both = true.join(found, on=["outlet_id", "hour"]).filter(pl.col("minutes_true") >= 45)
    assert both["outlet_id"].n_unique() == 9  # all but the logger whose check sums the registry does not permit
    assert both.height > 1000
    assert both["concentration_mg_m3"].to_list() == pytest.approx(both["value"].to_list(), rel=1e-9)
    assert true.filter(pl.col("minutes_true") >= 45).height == both.height
    labels = found.select("outlet_id", "label").drop_nulls().unique().join(devices, on="outlet_id")
    assert labels.filter(pl.col("label") != pl.col("label_right")).is_empty()


# ---- same inputs, same bytes ---------------------------------------------------------------------------------------------------


#: Tables drawn from judged hours.
OF_VERDICTS = ("mandatory_monthly", "ule_plants", "ule_episodes", "ule_annual")


def by_day(names: list[str]) -> dict[str, list[str]]:
    return {day: [n for n in names if f"/{day}/" in n] for day in DAY}


def same(home: Path, once: Path) -> bool:
    return lake_hashes(home) == lake_hashes(once) and release_hashes(home) == release_hashes(once)


def test_day_by_day(zone: Path, once: Path, tmp_path: Path) -> None:
    """As the schedule would: each night looks at the days up to its own; a last longer look takes in what lies outside."""
    home = empty_like(zone, tmp_path / "home")
    releases = []
    for day, names in by_day(captures(zone)).items():
        deliver(zone, home, names)
        outcome = night(home, first=str(FIRST), last=day)
        assert outcome.code == 0, outcome.text
        releases.append(outcome.data["release"])
    assert night(home).code == 0
    assert same(home, once)
    assert len(set(releases)) == DAYS
    assert manifest(home).content_sha256 == manifest(once).content_sha256


def test_days_out_of_order_and_several_a_night_on_one_thread(zone: Path, once: Path, tmp_path: Path) -> None:
    home = empty_like(zone, tmp_path / "home")
    days = list(by_day(captures(zone)).values())
    for arriving in ([5, 1], [6, 0, 3], [4, 2]):
        deliver(zone, home, [n for i in arriving for n in days[i]])
        assert night(home, threads=1).code == 0
    assert same(home, once)


@pytest.mark.long
def test_twice_from_nothing(zone: Path, once: Path, tmp_path: Path) -> None:
    home = empty_like(zone, tmp_path / "home")
    deliver(zone, home, captures(zone))
    assert night(home, threads=4).code == 0
    assert same(home, once)
    assert [r.content_sha256 for r in list_releases(opened(home).published)] == [manifest(once).content_sha256]


@pytest.mark.long
def test_files_that_grow_between_the_nights(zone: Path, once: Path, tmp_path: Path) -> None:
    """A collector appends to its file; nights come in the middle of a frame."""
    home = empty_like(zone, tmp_path / "home")
    for share in (0.31, 0.77, 1):
        for name in captures(zone):
            whole = (zone / "landing" / name).read_bytes()
            target = home / "landing" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(whole[: int(len(whole) * share)])
        assert night(home).code == 0
    assert same(home, once)


# ---- what a later night moves --------------------------------------------------------------------------------------------------


def test_nothing_new_makes_nothing(home: Path) -> None:
    before, hashes = standing(home), lake_hashes(home)
    stamps = {p: p.stat().st_mtime_ns for p in (home / "lake").rglob("*.parquet")}
    outcome = night(home)
    assert outcome.code == 0
    assert standing(home) == before
    assert lake_hashes(home) == hashes
    assert {p: p.stat().st_mtime_ns for p in (home / "lake").rglob("*.parquet")} == stamps
    assert len(list_releases(opened(home).published)) == 1
    assert outcome.data["release"] == manifest(home).release_id


def late_frame(zone: Path, home: Path, day: str) -> str:
    """Write one frame for a record that is missing on `day`; its time."""
    device = pl.read_parquet(zone / "truth/devices.parquet").row(by_predicate=pl.col("outlet_id") == PLAIN, named=True)
    there = truth_minutes(zone).filter(pl.col("outlet_id").cast(pl.String) == PLAIN)["data_time"]
    slots = pl.datetime_range(
        pl.lit(f"{day} 02:00").str.to_datetime(), pl.lit(f"{day} 22:00").str.to_datetime(), "10m", eager=True
    )
    when = min(set(slots) - set(there)).strftime("%Y%m%d%H%M%S")
    path = home / "landing/cems/late/one.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes(minute(when, "a34013-Avg=3.14,a34013-Flag=N", mn=device["mn"], qn="20260406000000000"))
    return when


def test_late_data_wait_for_their_window_then_move_their_day_and_what_it_is_carried_into(
    zone: Path, home: Path
) -> None:
    before, hours, first = standing(home), rows(home, "cems_hourly"), manifest(home)
    when = late_frame(zone, home, "2026-03-31")
    # A night that does not look so far back leaves the day alone, and says so.
    assert night(home, first="2026-04-03", last="2026-04-04").code == 0
    assert moved(before, standing(home)) == {"arrivals": {"all"}}
    (told,) = [c for c in manifest(home).facts.checks if not c.passed]
    assert (told.name, told.blocking) == ("nothing_waiting", False)
    assert "2026-03-31" in told.text
    # One that does moves the day, the hour that the frame falls in, and the verdicts of its month and of windows over it.
    assert night(home).code == 0
    touched, day = moved(before, standing(home)), {"2026-03-31"}
    assert touched.pop("ule_hourly") <= {"2026-03", "2026-04"}
    for table in ("ule_monthly", "mandatory_monthly", "ule_plants"):
        assert touched.pop(table, {"2026-03"}) == {"2026-03"}
    assert touched.pop("ule_episodes", set()) <= {"2026-03", "2026-04"}
    assert touched.pop("ule_annual", {"2026"}) == {"2026"}
    assert touched == {
        "arrivals": {"all"}, "cems_minute": day, "cems_counts": day, "cems_hourly": day, "cems_signals": day,
    }  # fmt: skip
    differ = hours.join(rows(home, "cems_hourly"), on=hours.columns, how="anti", nulls_equal=True)
    assert [(r["outlet_id"], r["pollutant"], r["hour"].strftime("%Y%m%d%H")) for r in differ.to_dicts()] == [
        (PLAIN, "pm", when[:10])
    ]
    last = manifest(home)
    assert all(c.passed for c in last.facts.checks)
    assert [r.previous for r in list_releases(opened(home).published)][:2] == [None, first.release_id]
    told = pl.read_parquet(home / f"published/latest/restatements/{last.release_id}.parquet")
    assert set(told["dataset"].cast(pl.String)) >= {"cems_hourly", "ule_hourly"}
    assert told.filter(pl.col("dataset").cast(pl.String) == "cems_hourly")["key"].str.contains(PLAIN).all()


def test_a_broken_file_costs_only_itself(home: Path, once: Path) -> None:
    folder = home / "landing/cems/broken"
    folder.mkdir()
    (folder / "half.txt.gz").write_bytes(b"\x1f\x8b\x08\x00 half a file")
    (folder / "sheet.xlsx").write_bytes(b"PK\x03\x04")
    (folder / "letter.txt").write_text("Dear Sir or Madam", encoding="utf-8")
    before = standing(home)
    outcome = night(home)
    assert outcome.code == 3
    assert outcome.data["ok"] is True
    assert outcome.data["refused"] == ["cems/broken/half.txt.gz", "cems/broken/letter.txt", "cems/broken/sheet.xlsx"]
    assert all(name in outcome.text for name in outcome.data["refused"])
    assert moved(before, standing(home)) == {"arrivals": {"all"}}
    refused = [a for a in manifest(home).facts.arrivals if a.state == "refused"]
    assert [a.path for a in refused] == outcome.data["refused"]
    # Known by then: the next night says so again, and has nothing to complain of.
    again = night(home)
    assert again.code == 0
    assert again.data["release"] == outcome.data["release"]
    assert "half.txt.gz" in again.text


# ---- refusals ------------------------------------------------------------------------------------------------------------------


def test_a_blocking_check_that_fails_stops_the_release(home: Path, zone: Path) -> None:
    """Bytes that the intake's journal does not account for: the night ends there, the release of before stays."""
    released = manifest(home).release_id
    index = home / "lake/intake.json"
    journal = json.loads(index.read_text("utf-8"))
    arrivals = journal["arrivals"] if isinstance(journal, dict) else journal
    arrivals[0]["record"]["noise_bytes"] += 7
    index.write_text(json.dumps(journal), encoding="utf-8")
    late_frame(zone, home, "2026-03-31")
    outcome = night(home)
    assert outcome.code == 1
    (problem,) = outcome.data["problems"]
    assert "bytes_conserved" in problem
    assert arrivals[0]["path"] in problem
    assert f"latest stays {released}" in outcome.text
    assert [r.release_id for r in list_releases(opened(home).published)] == [released]


def test_rows_that_the_counts_do_not_know_stop_the_release(home: Path) -> None:
    """A day's counts put in another's place; all days are looked at anew."""
    released = manifest(home).release_id
    lake = home / "lake"
    (lake / "checks/rows_conserved.json").unlink()
    record = json.loads((lake / "cems_counts/_made/2026-03-31.json").read_text("utf-8"))
    other = json.loads((lake / "cems_counts/_made/2026-04-01.json").read_text("utf-8"))
    (lake / "cems_counts/_made/2026-03-31.json").write_text(
        json.dumps(record | {"parts": other["parts"]}), encoding="utf-8"
    )
    outcome = night(home)
    assert outcome.code == 1
    assert "rows_conserved: 2026-03-31" in outcome.data["problems"][0]
    assert latest(opened(home).published).release_id == released


def test_a_file_that_is_not_what_its_maker_recorded_is_not_published(zone: Path, tmp_path: Path) -> None:
    home = empty_like(zone, tmp_path / "home")
    deliver(zone, home, captures(zone)[:2])
    assert night(home, publish=False).data["release"] is None
    hours = home / f"lake/cems_hourly/{DAY[0]}.parquet"
    hours.write_bytes(hours.read_bytes().replace(b"PAR1", b"PAR2"))
    outcome = night(home)
    assert outcome.code == 1
    assert f"cems_hourly/{DAY[0]}.parquet" in outcome.data["problems"][0]
    assert "nothing was ever published" in outcome.text
    assert list_releases(opened(home).published) == []


# ---- edits ---------------------------------------------------------------------------------------------------------------------


def stale(home: Path) -> dict[str, set[str]]:
    """Days and months that have to be made anew."""
    return {name: set(keys) for name, keys in plan_run(Settings(home=str(home))).data["stale"].items()}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_permit_re_makes_the_days_it_holds_on_and_moves_verdicts_alone(home: Path) -> None:
    before = standing(home)
    with (home / "registry/permits.csv").open("a", encoding="utf-8") as file:
        file.write(f"{PLAIN},pm,4,排污许可证 permit,2026-04-02,\n")
    days = set(DAY[4:])
    wanted = stale(home)
    assert (wanted["arrivals"], wanted["raw"]) == (set(), set())
    assert {d for d in wanted["hours"] if d in DAY} == days
    assert wanted["judgement"] == {"2026-04"}
    outcome = night(home)
    assert outcome.code == 0
    assert set(moved(before, standing(home))) <= {"ule_hourly", "ule_monthly", *OF_VERDICTS}
    assert moved(before, standing(home))["ule_hourly"] == {"2026-04"}
    fails = rows(home, "ule_hourly").filter((pl.col("outlet_id") == PLAIN) & pl.col("mandatory_limit_mg_m3").eq(4.0))
    assert fails["hour"].min().strftime("%Y-%m-%d") == "2026-04-02"
    assert all(c.passed for c in manifest(home).facts.checks)


@pytest.mark.long
def test_a_device_row_re_reads_its_captures_and_re_makes_their_days(home: Path) -> None:
    """The Modbus logger is permitted after all: its plant's captures are read again, the other plants' are not."""
    before = standing(home)
    devices = pl.read_csv(home / "registry/devices.csv", infer_schema=False)
    denied = devices.filter(pl.col("outlet_id") == "SIM-P0001-CM2")["mn"].item()
    edit(home / "registry/devices.csv", next(r for r in (home / "registry/devices.csv").read_text("utf-8").splitlines() if r.startswith(denied)),
         ",".join("hj212;modbus" if n == "crc_variants" else str(v or "") for n, v in devices.row(by_predicate=pl.col("mn") == denied, named=True).items()))  # fmt: skip
    pending = plan_run(Settings(home=str(home))).data["to_read"]
    assert pending == [n for n in captures(home) if "SIM-P0001" in n]
    assert night(home).code == 0
    touched = moved(before, standing(home))
    assert touched["cems_minute"] >= set(DAY)
    assert "SIM-P0001-CM2" in set(rows(home, "cems_minute")["outlet_id"])
    assert "crc_variant" not in set(rows(home, "cems_quarantine")["reason"])


@pytest.mark.parametrize(
    ("file", "old", "new", "days", "months", "tables"),
    [
        pytest.param(
            "gb4915-2013.toml", 'value_mg_m3 = 10\nsuffix = "amendment-2026"', 'value_mg_m3 = 9\nsuffix = "amendment-2026"',
            set(DAY[3:]), {"2026-04"}, {"ule_hourly", "ule_monthly", *OF_VERDICTS}, id="a limit in force from 2026-04-01",
        ),
        pytest.param(
            "hj75-2017.toml", "value = 45", "value = 55", set(DAY), {"2026-03", "2026-04"},
            {"cems_hourly", "cems_signals", "ule_hourly", "ule_monthly", "ule_progress", *OF_VERDICTS}, id="valid minutes of an hour",
            marks=pytest.mark.long,
        ),
    ],
)  # fmt: skip
def test_a_rule_edit_re_makes_the_days_it_holds_on(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, old: str, new: str, days: set[str],
    months: set[str], tables: set[str],
) -> None:  # fmt: skip
    before = standing(home)
    rules = tmp_path / "rules"
    shutil.copytree(reference.RULES, rules)
    edit(rules / file, old, new)
    book = RuleBook.load(rules)
    monkeypatch.setattr("resources.home.RuleBook.load", lambda: book)
    wanted = stale(home)
    assert {d for d in wanted["hours"] if d in DAY} == days
    assert wanted["judgement"] == months
    assert wanted["raw"] == set()
    assert night(home).code == 0
    touched = moved(before, standing(home))
    assert set(touched) <= tables
    assert touched["ule_hourly"] == months
    told = pl.read_parquet(home / f"published/latest/restatements/{manifest(home).release_id}.parquet")
    assert set(told["reason_kind"].cast(pl.String)) == {"rule"}


def test_a_file_copied_anew_is_the_same_file(home: Path) -> None:
    """Restored from a backup: other inode, other clock, same bytes. Nothing may move."""
    before = standing(home)
    path = home / "landing" / captures(home)[0]
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    outcome = night(home)
    assert outcome.code == 0
    assert standing(home) == before
    assert len(list_releases(opened(home).published)) == 1


def test_after_a_night_nothing_is_planned(home: Path) -> None:
    plan = plan_run(Settings(home=str(home))).data
    assert plan["to_read"] == []
    assert {name: list(keys) for name, keys in plan["stale"].items() if keys} == {}
