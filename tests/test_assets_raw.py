"""Captures into the raw tables of a day: precedence, repeats, split parts, quarantine, conservation."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard

from assets.checks import CHECKS
from assets.products import bring_up, product
from resources.home import Home
from tests.homes import device, minute, outlet, write_home

DAY = "2026-11-01"
RAW = ("cems_minute", "cems_reported", "cems_edge", "cems_other", "cems_quarantine", "cems_counts")


def made(home: Home) -> dict[str, list[dict[str, Any]]]:
    """Take in what lies in landing, make every raw day, hold the checks; rows of the day by table."""
    home.intake.take_in(lambda _: None)
    for day in sorted(set(product("raw").keys(home))):
        bring_up(home, product("raw"), day)
    for check in CHECKS[:2]:
        verdict = check.verdict(home, home.lake.keys(check.table))
        assert verdict.passed, verdict.problems
    tables = {t: home.lake.read(t, DAY) for t in RAW}
    return {t: pl.DataFrame(pl.from_arrow(a)).to_dicts() if a is not None else [] for t, a in tables.items()}


def simple(tmp_path: Path, *frames: bytes, **more: Any) -> dict[str, list[dict[str, Any]]]:
    return made(write_home(tmp_path, {"a.txt": b"".join(frames)}, outlets=[outlet()], devices=[device(**more)]))


def test_identical_repeats_are_dropped_and_counted(tmp_path: Path) -> None:
    frame = minute("20261101000000", "a34013-Avg=4.10,a34013-Flag=N")
    tables = simple(tmp_path, frame, minute("20261101000100", "a34013-Avg=4.2"), frame, frame)
    assert [r["pm_avg"] for r in tables["cems_minute"]] == [4.1, 4.2]
    assert tables["cems_counts"][0] | {"src_file": "", "day": ""} == {
        "day": "",
        "src_file": "", "cn": 2051, "frames": 4, "rows": 2, "joined": 0, "identical": 2, "superseded": 0,
    }  # fmt: skip
    assert not tables["cems_quarantine"]


def test_the_higher_qn_wins_and_the_loser_is_kept_as_it_was_sent(tmp_path: Path) -> None:
    late = minute("20261101000000", "a34013-Avg=4.10,a21026-Avg=7", qn="20261101000500000")
    early = minute("20261101000000", "a34013-Avg=9.90,a21026-Avg=7", qn="20261101000100000")
    tables = simple(tmp_path, late, early)
    assert [r["pm_avg"] for r in tables["cems_minute"]] == [4.1]
    lost = tables["cems_quarantine"]
    assert [(r["reason"], r["level"], r["name"], r["content"]) for r in lost] == [
        ("superseded", "cell", "pm_avg", b"9.90")
    ]
    assert tables["cems_counts"][0]["superseded"] == 1


def test_without_a_qn_the_later_path_wins_then_the_later_offset(tmp_path: Path) -> None:
    one, two, three = (minute("20261101000000", f"a34013-Avg={v}") for v in ("1.0", "2.0", "3.0"))
    home = write_home(tmp_path, {"b.txt": one + two, "a.txt": three}, outlets=[outlet()], devices=[device()])
    assert [r["pm_avg"] for r in made(home)["cems_minute"]] == [2.0]


def test_the_same_number_with_other_decimals_is_another_report(tmp_path: Path) -> None:
    tables = simple(tmp_path, minute("20261101000000", "a34013-Avg=4.0"), minute("20261101000000", "a34013-Avg=4.00"))
    assert tables["cems_minute"][0]["pm_dp"] & 15 == 2
    assert [r["content"] for r in tables["cems_quarantine"]] == [b"4.0"]


def test_split_parts_join_as_a_union_of_factors(tmp_path: Path) -> None:
    first = minute("20261101000000", "a34013-Avg=4.1", qn="20261101000100534", extra="PNUM=2;PNO=1;")
    second = minute("20261101000000", "a21026-Avg=7.0;z99999-Avg=1", qn="20261101000100535", extra="PNUM=2;PNO=2;")
    for frames in ((first, second), (second, first)):
        shutil.rmtree(tmp_path, ignore_errors=True)
        tables = simple(tmp_path, *frames)
        (row,) = tables["cems_minute"]
        assert (row["pm_avg"], row["so2_avg"], row["frames"]) == (4.1, 7.0, 2)
        assert row["src_more"].startswith(row["src_file"])
        assert tables["cems_counts"][0]["joined"] == 1
        assert [(r["name"], r["text"]) for r in tables["cems_other"]] == [("z99999-Avg", "1")]


def test_extra_cells_follow_the_same_precedence(tmp_path: Path) -> None:
    old = minute("20261101000000", "a34013-Avg=4.1;z99999-Avg=1", qn="20261101000100000")
    new = minute("20261101000000", "a34013-Avg=4.1;z99999-Avg=2", qn="20261101000200000")
    tables = simple(tmp_path, new, old)
    assert [r["text"] for r in tables["cems_other"]] == ["2"]
    assert [(r["reason"], r["name"], r["content"]) for r in tables["cems_quarantine"]] == [
        ("superseded", "z99999-Avg", b"1")
    ]
    assert tables["cems_counts"][0]["superseded"] == 1


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (minute("20261101000000", "a34013-Avg=4.1", mn="NOBODY"), "unknown_mn"),
        (minute("20261101000000", "a34013-Avg=4.1", mn="GONE"), "mn_not_in_force"),
        (minute("20000202000000", "a34013-Avg=4.1"), "data_time_window"),
        (minute("20261105000000", "a34013-Avg=4.1", qn="20261101000000000"), "data_time_window"),
        (minute("2026110100", "a34013-Avg=4.1"), "bad_data_time"),
        (minute("20261101000000", "a34013-Avg=4.1")[:-6] + b"0000\r\n", "bad_crc"),
    ],
)
def test_refused_frames_keep_their_bytes_and_their_reason(tmp_path: Path, frame: bytes, reason: str) -> None:
    good = minute("20261101000000", "a34013-Avg=4.1")
    home = write_home(
        tmp_path, {"a.txt": b"log " + good + frame}, outlets=[outlet()],
        devices=[device(), device("GONE", until="2020-01-01")],
    )  # fmt: skip
    tables = made(home)
    (row,) = tables["cems_quarantine"]
    assert (row["reason"], row["level"], row["src_offset"], row["content"], row["path"]) == (
        reason, "frame", 4 + len(good), frame, "cems/a.txt",
    )  # fmt: skip
    assert len(tables["cems_minute"]) == 1


def test_a_value_that_is_no_number_costs_only_itself(tmp_path: Path) -> None:
    tables = simple(tmp_path, minute("20261101000000", "a34013-Avg=--,a34013-Flag=D;a21026-Avg=7.0"))
    assert (tables["cems_minute"][0]["pm_avg"], tables["cems_minute"][0]["so2_avg"]) == (None, 7.0)
    assert [(r["reason"], r["name"], r["content"]) for r in tables["cems_quarantine"]] == [
        ("bad_value", "a34013-Avg", b"--")
    ]


def test_legacy_codes_and_reported_hours_have_their_own_places(tmp_path: Path) -> None:
    tables = simple(
        tmp_path, minute("20261101001000000", "01-Avg=4.1;S01-Avg=9.9"),
        minute("20261101000000", "01-Avg=4.5,01-Cou=0.8", cn=2061), minute("20261101000000", "01-Avg=4.4", cn=2031),
        minute("20261101000000", "01-Rtd=4.4", cn=2011),
    )  # fmt: skip
    assert [r["o2_avg"] for r in tables["cems_minute"]] == [9.9]
    assert [(r["cn"], r["pm_avg"], r["pm_cou"]) for r in tables["cems_reported"]] == [
        (2031, 4.4, None),
        (2061, 4.5, 0.8),
    ]
    assert [r["cn"] for r in tables["cems_edge"]] == [2061]


def test_modbus_is_taken_only_where_the_device_row_allows_it(tmp_path: Path) -> None:
    from tests.twin_hj212 import modbus

    frame = minute("20261101000000", "a34013-Avg=4.1")
    swapped = frame[:-6] + b"%04X\r\n" % modbus(frame[6:-6])
    assert simple(tmp_path / "no", swapped)["cems_quarantine"][0]["reason"] == "crc_variant"
    assert len(simple(tmp_path / "yes", swapped, variants="hj212;modbus")["cems_minute"]) == 1


def lake_bytes(root: Path) -> dict[str, bytes]:
    lake = root / "lake"
    return {str(p.relative_to(lake)): p.read_bytes() for t in RAW for p in sorted((lake / t).rglob("*.parquet"))}


def frames_for_order() -> dict[str, bytes]:
    rng = random.Random(5)
    files = {}
    for f in range(4):
        parts = []
        for _ in range(30):
            qn = f"202611010{rng.randint(0, 9)}0000000" if rng.random() < 0.7 else ""
            pairs = f"a34013-Avg={rng.randint(0, 3)}.5;a21026-Avg={rng.randint(0, 1)};z1-Avg={rng.randint(0, 2)}"
            parts.append(minute(f"2026110100{rng.randint(0, 9):02d}00", pairs, qn=qn))
        files[f"{f}.txt"] = b"".join(parts)
    return files


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_files_in_any_order_and_any_number_of_nights_give_the_same_bytes(tmp_path: Path, order: list[int]) -> None:
    files = frames_for_order()
    once = write_home(tmp_path / "once", files, outlets=[outlet()], devices=[device()])
    made(once)
    for i in order:
        name = f"{i}.txt"
        made(write_home(tmp_path / "nights", {name: files[name]}, outlets=[outlet()], devices=[device()]))
    assert lake_bytes(tmp_path / "nights") == lake_bytes(tmp_path / "once")


def test_a_growing_file_ends_as_if_it_had_come_whole(tmp_path: Path) -> None:
    whole = b"".join(frames_for_order().values())
    made(write_home(tmp_path / "once", {"a.txt": whole}, outlets=[outlet()], devices=[device()]))
    for cut in (len(whole) // 3, 2 * len(whole) // 3, len(whole)):
        made(write_home(tmp_path / "grown", {"a.txt": whole[:cut]}, outlets=[outlet()], devices=[device()]))
    assert lake_bytes(tmp_path / "grown") == lake_bytes(tmp_path / "once")


def test_a_replaced_file_does_not_take_its_first_content_away(tmp_path: Path) -> None:
    made(
        write_home(
            tmp_path, {"a.txt": minute("20261101000000", "a34013-Avg=1.0")}, outlets=[outlet()], devices=[device()]
        )
    )
    tables = made(
        write_home(
            tmp_path, {"a.txt": minute("20261101000100", "a34013-Avg=2.00")}, outlets=[outlet()], devices=[device()]
        )
    )
    assert [r["pm_avg"] for r in tables["cems_minute"]] == [1.0, 2.0]


def test_a_device_entered_late_is_read_after_all(tmp_path: Path) -> None:
    frame = minute("20261101000000", "a34013-Avg=4.1", mn="LATE")
    home = write_home(tmp_path, {"a.txt": frame}, outlets=[outlet()], devices=[device()])
    assert made(home)["cems_quarantine"][0]["reason"] == "unknown_mn"
    tables = made(write_home(tmp_path, {}, outlets=[outlet()], devices=[device(), device("LATE")]))
    assert [r["pm_avg"] for r in tables["cems_minute"]] == [4.1]
    assert not tables["cems_quarantine"]


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_compressed_captures_read_like_plain_ones(tmp_path: Path, ending: str) -> None:
    plain = b"".join(frames_for_order().values())
    packed = gzip.compress(plain) if ending == ".gz" else zstandard.ZstdCompressor().compress(plain)
    home = write_home(tmp_path, {"a.txt" + ending: packed}, outlets=[outlet()], devices=[device()])
    assert len(made(home)["cems_minute"]) == 10
    cut = write_home(
        tmp_path / "cut", {"a.txt" + ending: packed[:-9], "b.txt": plain}, outlets=[outlet()], devices=[device()]
    )
    assert len(made(cut)["cems_minute"]) == 10
    refused = [a for a in cut.intake.arrivals() if a.state == "refused"]
    assert "cems/a.txt" in refused[0].reason
    assert "send the file again" in refused[0].reason


def test_files_without_packets_are_refused_with_a_remedy(tmp_path: Path) -> None:
    home = write_home(tmp_path, {"a.xlsx": b"PK", "b.txt": b"nothing here"}, outlets=[outlet()], devices=[device()])
    made(home)
    assert all(a.state == "refused" and "/" in a.reason for a in home.intake.arrivals())
    (plain,) = [a.reason for a in home.intake.arrivals() if a.path == "cems/b.txt"]
    assert plain.startswith("文件中没有 HJ 212 报文")
    assert "是导出表请改扩展名 .csv；是加密或压缩包请先解开" in plain


def test_a_capture_without_any_date_costs_only_itself(tmp_path: Path) -> None:
    good = minute("20261101000000", "a34013-Avg=1.0")
    reset = minute("20000202000000", "a34013-Avg=1.0")
    home = write_home(
        tmp_path, {"a.txt": good, "b.txt": reset, "c.txt": b"##0050 no=frame\n"}, outlets=[outlet()], devices=[device()]
    )
    assert len(made(home)["cems_minute"]) == 1
    kept = home.lake.read("cems_quarantine", "2014-01-01")
    assert sorted(kept.column("reason").to_pylist()) == ["data_time_window", "truncated"]


def test_a_moved_capture_is_read_with_the_registry_of_today(tmp_path: Path) -> None:
    frames = {
        "a.txt": minute("20261101000000", "a34013-Avg=1.0") + minute("20261101000000", "a34013-Avg=2.0", mn="LATE")
    }
    made(write_home(tmp_path, frames, outlets=[outlet()], devices=[device()]))
    landing = tmp_path / "landing" / "cems"
    (landing / "a.txt").rename(landing / "b.txt")
    tables = made(write_home(tmp_path, {}, outlets=[outlet()], devices=[device(), device("LATE")]))
    assert [r["pm_avg"] for r in tables["cems_minute"]] == [2.0, 1.0]


def test_a_file_name_that_is_no_text_costs_only_that_file(tmp_path: Path) -> None:
    home = write_home(
        tmp_path, {"a.txt": minute("20261101000000", "a34013-Avg=1.0")}, outlets=[outlet()], devices=[device()]
    )
    (Path(os.fsdecode(os.fsencode(tmp_path / "landing" / "cems") + b"/\xb2\xe2.txt"))).write_bytes(b"x")
    assert len(made(home)["cems_minute"]) == 1
    (refused,) = [a for a in home.intake.arrivals() if a.state == "refused"]
    assert "rename it" in refused.reason


@pytest.mark.parametrize("first", [b"", b"text without a frame ", b"##00"])
def test_what_a_file_once_was_leaves_no_trace_when_it_has_grown(tmp_path: Path, first: bytes) -> None:
    whole = first + minute("20261101000000", "a34013-Avg=1.0")
    for root, contents in (("nights", [first, whole]), ("once", [whole])):
        for content in contents:
            home = write_home(tmp_path / root, {"a.txt": content}, outlets=[outlet()], devices=[device()])
            made(home)
            bring_up(home, product("arrivals"), "all")
    read = [(tmp_path / root / "lake" / "arrivals" / "all.parquet").read_bytes() for root in ("nights", "once")]
    assert read[0] == read[1]


def test_the_index_survives_as_json_and_is_not_read_twice(tmp_path: Path) -> None:
    home = write_home(
        tmp_path, {"a.txt": minute("20261101000000", "a34013-Avg=1.0")}, outlets=[outlet()], devices=[device()]
    )
    made(home)
    assert json.loads((tmp_path / "lake" / "intake.json").read_text("utf-8"))["arrivals"][0]["state"] == "read"
    again = Home(home.settings)
    assert again.intake.pending() == []
    assert again.intake.take_in(lambda _: None).read == 0
