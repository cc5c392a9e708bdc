"""The simulator: same arguments same bytes, and a truth that a plain reader of the captures confirms."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
import time
from collections import defaultdict
from dataclasses import fields
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl
import pytest
import zstandard

from contracts.cems import QUARANTINE_REASONS
from contracts.channels import CHANNEL_NAMES
from resources.registry import Registry
from resources.storage import open_storage
from simulator import Dirt, simulate, truth_minutes

if TYPE_CHECKING:
    from pathlib import Path

FIRST = date(2026, 8, 1)
LONG_AGO = datetime(1900, 1, 1)
CODES = {
    "pm": "a34013 01", "so2": "a21026 02", "nox": "a21002 03", "no": "a21003", "no2": "a21004", "nh3": "a21001 10", "co": "a21005 04",
    "hcl": "a21024 08", "hf": "a21018 06", "hg": "a20057 31", "o2": "a19001 S01", "flow": "a00000 B02", "velocity": "a01011 S02",
    "temperature": "a01012 S03", "pressure": "a01013 S08", "humidity": "a01014 S05",
}  # fmt: skip
CHANNEL_OF = {code: channel for channel, codes in CODES.items() for code in codes.split()}


def crc_table() -> list[int]:
    table = []
    for byte in range(256):
        reg = byte
        for _ in range(8):
            reg = (reg >> 1) ^ 0xA001 if reg & 1 else reg >> 1
        table.append(reg)
    return table


TABLE = crc_table()


def crc(data: bytes, *, modbus: bool) -> str:
    reg = 0xFFFF
    for byte in data:
        reg = (reg >> 8) ^ TABLE[(reg ^ byte) & 0xFF] if modbus else TABLE[(reg >> 8) ^ byte]
    return f"{reg:04X}"


def moment(text: str) -> datetime | None:
    if not re.fullmatch(r"\d{14}(\d{3})?", text):
        return None
    return datetime.strptime(text[:14], "%Y%m%d%H%M%S") + timedelta(milliseconds=int(text[14:] or 0))


def number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else None


def parse(frame: bytes) -> dict:
    """Head fields and (name, text) pairs of one frame."""
    text = frame[6:-6].decode("latin-1")
    head, _, data = text.partition("CP=&&")
    pairs = [tuple(p.split("=", 1)) for p in re.split("[;,]", data.split("&&")[0]) if "=" in p]
    return {**dict(f.split("=", 1) for f in head.split(";") if "=" in f), "pairs": pairs}


def tree(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("heavy")
    simulate(home, outlets=8, first=FIRST, days=4, seed=5, dirt=Dirt.heavy(), interval_min=10)
    return home


@pytest.fixture(scope="module")
def frames(heavy: Path) -> pl.DataFrame:
    return pl.read_parquet(heavy / "truth/frames/*.parquet")


@pytest.fixture(scope="module")
def texts(heavy: Path) -> dict[str, bytes]:
    landing = heavy / "landing"
    return {p.relative_to(landing).as_posix(): p.read_bytes() for p in sorted(landing.rglob("*.txt"))}


def frame_bytes(row: dict, texts: dict[str, bytes]) -> bytes:
    return texts[row["path"]][row["offset"] : row["offset"] + row["length"]]


def test_every_frame_lies_where_the_truth_says(frames: pl.DataFrame, texts: dict[str, bytes]) -> None:
    assert frames.height > 3000
    assert set(frames["path"].cast(pl.String)) == set(texts)
    for row in frames.iter_rows(named=True):
        assert frame_bytes(row, texts).startswith(b"##")


def test_accepted_frames_hold_length_and_check_sum(frames: pl.DataFrame, texts: dict[str, bytes], heavy: Path) -> None:
    allowed = {d.mn: d.crc_variants for d in Registry.load(open_storage(str(heavy / "registry"))).devices}
    for row in frames.filter(pl.col("expect") == "accept").iter_rows(named=True):
        raw = frame_bytes(row, texts)
        raw = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
        segment = raw[6:-6]
        assert int(raw[2:6]) == len(segment)
        declared = raw[-6:-2].decode().upper()
        assert declared == crc(segment, modbus=False) or (
            "modbus" in allowed[row["mn"]] and declared == crc(segment, modbus=True)
        )


def test_a_plain_reader_finds_exactly_the_true_minutes(
    frames: pl.DataFrame, texts: dict[str, bytes], heavy: Path
) -> None:
    cells: dict[tuple, list[tuple]] = defaultdict(list)
    for row in frames.filter((pl.col("expect") == "accept") & (pl.col("cn") == 2051)).iter_rows(named=True):
        raw = frame_bytes(row, texts)
        got = parse(raw if raw.endswith(b"\r\n") else raw + b"\r\n")
        assert got["MN"] == row["mn"]
        first: dict[str, str] = {}
        for name, text in got["pairs"]:
            first.setdefault(name, text)
        when = moment(first.pop("DataTime"))
        assert when == row["data_time"]
        qn = moment(got["QN"]) if "QN" in got else LONG_AGO
        assert (qn if "QN" in got else None) == row["qn"]
        for name, text in first.items():
            code, _, sub = name.rpartition("-")
            if code not in CHANNEL_OF or sub not in ("Avg", "Flag"):
                continue
            value = text if sub == "Flag" else number(text)
            if value is not None:
                cells[row["outlet_id"], when, f"{CHANNEL_OF[code]}_{sub.lower()}"].append(
                    (qn, row["path"], row["offset"], value)
                )
    found = {key: max(options, key=lambda o: o[:3])[3] for key, options in cells.items()}

    expected = {}
    for row in truth_minutes(heavy).iter_rows(named=True):
        for channel in CHANNEL_NAMES:
            for sub in ("avg", "flag"):
                if row[f"{channel}_{sub}"] is not None:
                    expected[row["outlet_id"], row["data_time"], f"{channel}_{sub}"] = row[f"{channel}_{sub}"]
    assert len(found) > 15_000
    assert found == expected


def test_quarantined_frames_are_what_their_reason_says(
    frames: pl.DataFrame, texts: dict[str, bytes], heavy: Path
) -> None:
    registered = {d.mn for d in Registry.load(open_storage(str(heavy / "registry"))).devices}

    def fits(segment: bytes, digits: bytes) -> bool:
        return digits.decode("latin-1").upper() in (crc(segment, modbus=False), crc(segment, modbus=True))

    for row in frames.filter(pl.col("expect") == "quarantine").iter_rows(named=True):
        raw, reason = frame_bytes(row, texts), row["reason"]
        raw = raw + b"\r\n" if row["what"] == "glued" else raw
        assert reason in QUARANTINE_REASONS
        whole = raw[6:-6]
        header = re.match(rb"##\d{4}", raw) is not None
        exact = header and int(raw[2:6]) == len(whole) and fits(whole, raw[-6:-2])
        if reason == "bad_header":
            assert not header
        elif reason == "truncated":
            assert header
            assert len(raw) < int(raw[2:6]) + 10
            assert texts[row["path"]].endswith(raw)
        elif reason == "bad_length":
            assert fits(whole, raw[-6:-2])
            assert int(raw[2:6]) != len(whole)
        elif reason == "bad_crc":
            cut = 6 + int(raw[2:6])
            assert not fits(whole, raw[-6:-2])
            assert not fits(raw[6:cut], raw[cut : cut + 4])
        elif reason == "encrypted":
            got = parse(raw)
            assert int(got["Flag"]) >> 2 == 2
            assert int(raw[2:6]) == len(whole)
            assert not exact
        elif reason == "crc_variant":
            assert raw[-6:-2].decode() == crc(whole, modbus=True) != crc(whole, modbus=False)
        else:
            assert exact
            got = parse(raw)
            names = dict(got["pairs"])
            assert (reason == "no_data_area") == (b"CP=" not in whole)
            assert (reason == "no_cn") == ("CN" not in got)
            assert (reason == "unknown_mn") == (got["MN"] not in registered)
            when = moment(names.get("DataTime", ""))
            assert (reason == "data_time_window") == (when is not None and when.year == 2000)
            assert (reason in ("bad_data_time", "no_data_area")) == (when is None)


def test_refused_cells_are_in_their_frames(frames: pl.DataFrame, texts: dict[str, bytes]) -> None:
    wounded = frames.filter(pl.col("cells") != "")
    for row in wounded.iter_rows(named=True):
        values = [text for name, text in parse(frame_bytes(row, texts))["pairs"] if name == row["cells"]]
        if row["what"] == "bad_value":
            assert values in (["--"], [""])
        else:
            assert len(values) == 2
            assert values[0] != values[1]
    assert set(wounded["what"].cast(pl.String)) == {"bad_value", "repeated_key"}


def test_every_kind_of_frame_dirt_occurs(frames: pl.DataFrame, texts: dict[str, bytes]) -> None:
    kinds = set(frames["what"].cast(pl.String))
    broken = {
        "bytes_lost", "bit_flip", "nul_data", "nul_head", "nul_between", "trailer", "short_len", "wrong_len", "unknown_mn",
        "unknown_factor", "unknown_subfield", "bad_value", "repeated_key", "encrypted", "no_data_area", "no_cn", "bad_data_time",
        "glued", "noise_line", "cut_end", "clock_jump", "repeat", "conflict", "late", "late_repeat", "crc_variant", "good", "other",
    }  # fmt: skip
    assert kinds == broken
    assert {f.name for f in fields(Dirt)} >= broken - {
        "late",
        "late_repeat",
        "crc_variant",
        "good",
        "other",
        "clock_jump",
    }
    assert set(frames["reason"].cast(pl.String)) == set(QUARANTINE_REASONS) - {
        "mn_not_in_force",
        "bad_value",
        "repeated_key",
        "superseded",
        "bad_line",
        "device_mismatch",
    } | {""}
    assert frames["superseded"].any()
    late = frames.filter(
        (pl.col("what") == "late")
        & (pl.col("data_time").dt.date().cast(pl.String) != pl.col("path").cast(pl.String).str.slice(5, 10))
    )
    assert late.height > 50
    every = b"".join(texts.values())
    for pattern in (
        rb"PNUM=\d+;PNO=2;",
        rb"DataTime=\d{17}[;,&]",
        rb"&&[0-9A-F]*[a-f][0-9a-f]*\r\n",
        rb"RF=1;",
        rb";&&",
        "收到数据包".encode("gb18030"),
    ):
        assert re.search(pattern, every), pattern
    assert {2011, 9015, 2081, 3020, 2051, 2061, 2031} == set(frames["cn"])


def test_every_kind_of_value_dirt_occurs(heavy: Path) -> None:
    minutes = truth_minutes(heavy)
    flags = {f for c in CHANNEL_NAMES for f in minutes[f"{c}_flag"].cast(pl.String).unique() if f is not None}
    assert {"N", "T", "D", "M", "C"} < flags
    assert flags & set("XZ?*")
    pm = minutes.sort("outlet_id", "data_time").select("outlet_id", "pm_avg")
    assert pm.filter(pl.col("pm_avg") == 0).height > 3
    assert any(
        pm.filter(pl.col("pm_avg") < 0).height or minutes.filter(pl.col(f"{c}_avg") < 0).height
        for c in ("so2", "nox", "nh3")
    )
    runs = (
        pm.with_columns(run=pl.struct("outlet_id", "pm_avg").rle_id()).group_by("run").agg(pl.len(), pl.first("pm_avg"))
    )
    assert runs.filter((pl.col("len") >= 4) & (pl.col("pm_avg") > 0.5)).height > 0
    per_day = minutes.group_by("outlet_id", pl.col("begin").dt.date()).len()
    assert per_day["len"].min() < 144


def test_clean_zone_is_clean(tmp_path: Path) -> None:
    simulate(tmp_path, outlets=6, first=FIRST, days=1, dirt=Dirt.none(), interval_min=5)
    frames = pl.read_parquet(tmp_path / "truth/frames/*.parquet")
    assert set(frames["what"].cast(pl.String)) == {"good", "other"}
    assert set(frames["reason"].cast(pl.String)) == {""}
    text = b"".join(p.read_bytes() for p in (tmp_path / "landing").rglob("*.txt"))
    assert len(text) == frames["length"].sum()
    minutes = truth_minutes(tmp_path)
    assert set(minutes.group_by("outlet_id").len()["len"]) == {288}
    assert {f for c in CHANNEL_NAMES for f in minutes[f"{c}_flag"].cast(pl.String).unique()} == {"N", "C", None}


def test_same_arguments_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        simulate(tmp_path / name, outlets=7, first=FIRST, days=2, seed=seed, dirt=Dirt.heavy(), interval_min=10)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert not set(tree(tmp_path / "one/landing").values()) & set(tree(tmp_path / "three/landing").values())


def test_pieces_equal_the_whole(tmp_path: Path) -> None:
    arguments = {"outlets": 7, "dirt": Dirt.heavy(), "interval_min": 10, "seed": 9}
    simulate(tmp_path / "whole", first=FIRST, days=5, **arguments)
    simulate(tmp_path / "pieces", first=FIRST + timedelta(days=2), days=3, since=FIRST, **arguments)
    simulate(tmp_path / "pieces", first=FIRST, days=2, since=FIRST, **arguments)
    assert tree(tmp_path / "whole") == tree(tmp_path / "pieces")


def test_nothing_from_before_the_first_day_comes_late(tmp_path: Path) -> None:
    simulate(tmp_path, outlets=7, first=FIRST, days=1, dirt=Dirt.heavy(), interval_min=10, seed=9)
    assert truth_minutes(tmp_path)["begin"].min() >= datetime(2026, 8, 1)


def test_a_smaller_zone_is_part_of_a_larger_one(tmp_path: Path) -> None:
    """Whole plants of a small zone are the same in a large one, but for the loggers that are Modbus by number."""
    for name, outlets in (("small", 6), ("large", 20)):
        simulate(tmp_path / name, outlets=outlets, first=FIRST, days=1, interval_min=10, truth=())
    small, large = tree(tmp_path / "small/landing"), tree(tmp_path / "large/landing")
    assert small.items() <= large.items()
    assert len(large) > len(small)


@pytest.mark.parametrize("compress", [None, "gz", "zst"])
def test_one_file_a_day_holds_the_plants_one_after_the_other(tmp_path: Path, compress: str | None) -> None:
    arguments = {"outlets": 8, "first": FIRST, "days": 1, "interval_min": 10}
    made = simulate(tmp_path / "plants", dirt=Dirt.default(), **arguments)
    apart = [p.read_bytes() for p in sorted((tmp_path / "plants/landing").rglob("*.txt"))]
    single = simulate(tmp_path / "one", dirt=Dirt.default(), layout="one-file-day", compress=compress, **arguments)
    (path,) = (p for p in (tmp_path / "one/landing").rglob("*") if p.is_file())
    raw = path.read_bytes()
    text = {
        None: lambda: raw,
        "gz": lambda: gzip.decompress(raw),
        "zst": lambda: zstandard.ZstdDecompressor().decompressobj().decompress(raw),
    }[compress]()
    assert text == b"".join(apart)
    assert single.text_bytes == made.text_bytes == len(text)
    assert (single.files, made.files) == (1, 2)
    frames = pl.read_parquet(tmp_path / "one/truth/frames/*.parquet")
    assert made.frames == frames.height
    assert all(text[o : o + 2] == b"##" for o in frames["offset"])


def test_one_outlet_hour(tmp_path: Path) -> None:
    made = simulate(tmp_path, outlets=1, first=FIRST, days=1, dirt=Dirt.none(), interval_min=1, hours=1)
    minutes = truth_minutes(tmp_path)
    assert minutes.height == 60
    frames = pl.read_parquet(tmp_path / "truth/frames/*.parquet")
    assert frames["cn"].value_counts().sort("cn").rows() == [(2011, 2), (2051, 60), (2061, 1), (9015, 1)]
    assert made.frames == 64
    assert pl.read_parquet(tmp_path / "truth/hours/*.parquet")["hour"].unique().to_list() == [datetime(2026, 8, 1)]


def reported_hours(home: Path) -> dict[tuple, tuple[float, str]]:
    """(MN, DataTime, field) -> value of every accepted hour frame."""
    frames = pl.read_parquet(home / "truth/frames/*.parquet").filter(
        (pl.col("cn") == 2061) & (pl.col("expect") == "accept")
    )
    found = {}
    for row in frames.iter_rows(named=True):
        raw = (home / "landing" / row["path"]).read_bytes()[row["offset"] : row["offset"] + row["length"]]
        for name, text in parse(raw)["pairs"]:
            if name != "DataTime":
                found[row["outlet_id"], row["data_time"], name] = text
    return found


def test_hours_are_the_means_of_the_minutes_and_the_logger_agrees(tmp_path: Path) -> None:
    """Loggers that take plain means print the mean of their minutes; flow-weighted ones need not."""
    simulate(
        tmp_path,
        outlets=14,
        first=FIRST,
        days=1,
        dirt=Dirt(flow_weighted=0.5, calibration=1.0, gap=0.5),
        interval_min=5,
        seed=2,
    )
    devices = {d["outlet_id"]: d for d in pl.read_parquet(tmp_path / "truth/devices.parquet").to_dicts()}
    minutes, hours = truth_minutes(tmp_path), pl.read_parquet(tmp_path / "truth/hours/*.parquet")
    reported = reported_hours(tmp_path)
    compared = defaultdict(list)
    by_hour = minutes.with_columns(hour=pl.col("begin").dt.truncate("1h")).partition_by(
        "outlet_id", "hour", as_dict=True
    )
    for row in hours.iter_rows(named=True):
        device, channel = devices[row["outlet_id"]], row["channel"]
        records = by_hour[row["outlet_id"], row["hour"]].filter(pl.col(f"{channel}_avg").is_not_null())
        clean = records.filter(pl.col(f"{channel}_flag").cast(pl.String) == "N") if device["sends_flags"] else records
        assert row["records"] == records.height
        assert row["unflagged_minutes"] == 5 * clean.height
        if not clean.height:
            assert row["mean"] is None
            continue
        assert row["mean"] == pytest.approx(clean[f"{channel}_avg"].mean(), rel=1e-12)
        label = row["hour"] + timedelta(hours=device["label"] == "end")
        text = next(
            v
            for code in CODES[channel].split()
            if (v := reported.get((row["outlet_id"], label, f"{code}-Avg"))) is not None
        )
        step = 10.0 ** -len(text.partition(".")[2])
        compared[device["hour_rule"]].append(abs(float(text) - row["mean"]) <= 0.5001 * step)
    assert len(compared["plain"]) > 1000
    assert all(compared["plain"])
    assert not all(compared["flow_weighted"])


def test_gas_behaves_like_a_kiln(tmp_path: Path) -> None:
    """Over a month of a line: oxygen is high when the kiln stands, NOx low; running levels lie in the usual range."""
    simulate(tmp_path, outlets=1, first=FIRST, days=60, dirt=Dirt.none(), interval_min=60, truth=("minutes",))
    hours = truth_minutes(tmp_path)
    standing, running = hours.filter(pl.col("o2_avg") > 20.7), hours.filter(pl.col("o2_avg") < 12)
    assert standing.height > 12
    assert running.height > 600
    assert standing["nox_avg"].max() < 5
    assert standing["temperature_avg"].mean() < 40
    assert 8 < running["o2_avg"].mean() < 11.5
    assert 15 < running["nox_avg"].mean() < 70
    assert running["nox_avg"].std() > 2


def test_registry_is_without_fault(tmp_path: Path) -> None:
    simulate(tmp_path, outlets=120, first=FIRST, days=1, dirt=Dirt.heavy(), interval_min=60, hours=1, truth=())
    registry = Registry.load(open_storage(str(tmp_path / "registry")))
    assert registry.warnings == ()
    assert len(registry.outlets) == len(registry.devices) == 120
    assert all("模拟" in p.name and "simulated" in p.name_en for p in registry.plants)
    assert {o.point_type for o in registry.outlets} >= {
        "kiln_tail",
        "cooler",
        "coal_mill",
        "cement_mill",
        "dryer",
        "packing",
    }
    assert {d.label for d in registry.devices} == {"start", "end", "auto"}
    assert {len(d.mn) for d in registry.devices} == {14, 24}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outlets": 0}, "outlets must be at least 1"),
        ({"days": 0}, "days must be at least 1"),
        ({"seed": -1}, "seed must not be negative"),
        ({"interval_min": 7}, "interval_min must divide 60"),
        ({"compress": "xz"}, "compress must be"),
        ({"layout": "heap"}, "layout must be"),
        ({"truth": ("lies",)}, "truth knows"),
        ({"hours": 25}, "hours must be"),
    ],
)
def test_arguments_that_cannot_be_met_are_refused(tmp_path: Path, change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(tmp_path, **({"outlets": 1, "first": FIRST, "days": 1} | change))
    assert not list(tmp_path.iterdir())


def test_progress_counts_every_plant_and_day(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    simulate(
        tmp_path,
        outlets=9,
        first=FIRST,
        days=2,
        interval_min=60,
        truth=(),
        progress=lambda done, total: seen.append((done, total)),
    )
    total = seen[-1][1]
    assert seen == [(i + 1, total) for i in range(total)]
    assert total == 2 * len({p.name for p in (tmp_path / "landing").rglob("*.txt")})


def test_speed_smoke(tmp_path: Path, record_property) -> None:
    """Not a threshold: the rate is recorded beside the test."""
    simulate(tmp_path / "warm", outlets=1, first=FIRST, days=1, interval_min=1, hours=1, truth=())
    begun = time.perf_counter()
    made = simulate(tmp_path / "zone", outlets=20, first=FIRST, days=1, interval_min=1, truth=())
    record_property("mb_per_s", made.text_bytes / 1e6 / (time.perf_counter() - begun))
    written = sum(p.stat().st_size for p in (tmp_path / "zone/landing").rglob("*.txt"))
    assert written == made.text_bytes > 10e6


# ---- declared events -------------------------------------------------------------------------------------------------------------

STATES = ("running", "cold_start", "hot_start", "shutdown", "stopped", "banked")


def declared(home: Path, table: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for path in sorted((home / "landing/events").rglob(f"{table}-*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file)
    return rows


def when(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M")


def in_time(row: dict[str, str]) -> bool:
    start = when(row["start"])
    return when(row["declared_at"]) < datetime(start.year, start.month, start.day) + timedelta(days=1, hours=12)


def truth(home: Path, table: str) -> pl.DataFrame:
    return pl.read_parquet(home / f"truth/{table}/*.parquet")


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nothing is wrong with the declarations, but devices drift and break down."""
    home = tmp_path_factory.mktemp("honest")
    faults = Dirt(out_of_control=1.0, breakdown=1.0, fault=0.2, maintenance=0.2, over_range=0.2, calibration=0.2)
    simulate(home, outlets=40, first=FIRST, days=30, seed=11, dirt=faults, interval_min=60, hours=1, truth=("states", "marks"),
             events=True)  # fmt: skip
    return home


def test_true_states_cover_every_minute_of_a_line_once(honest: Path) -> None:
    for (_,), rows in truth(honest, "states").sort("begin").group_by("line_id", maintain_order=True):
        edges = [datetime(2026, 8, 1), *rows["end"]]
        assert list(rows["begin"]) == edges[:-1]
        assert edges[-1] == datetime(2026, 8, 31)
    assert set(truth(honest, "states")["state"]) == set(STATES)


@pytest.mark.parametrize("table", ["states", "marks"])
def test_honest_declarations_say_what_happened(honest: Path, table: str) -> None:
    """Every true stop and every noticed fault is declared once, with its very minutes, before 12:00 of the next day."""
    key = {"states": ("line_id",), "marks": ("outlet_id", "channel")}[table]
    rows = declared(honest, {"states": "process_states", "marks": "device_marks"}[table])
    column = table[:-1]
    told = {(*(r[k] for k in key), r[column], when(r["start"]), when(r["end"])) for r in rows if r[column] != "running"}
    assert len(told) == sum(r[column] != "running" for r in rows)
    assert all(in_time(r) for r in rows)
    assert len({r["event_id"] for r in rows}) == len(rows)
    # A day's file of the truth is clipped to the day; what the last day's people still owe comes with the day after it.
    happened = truth(honest, table).filter(pl.col(column) != "running")
    known = {t for t in told if t[-2] < datetime(2026, 8, 30)}
    pieces = {
        (*t[:-2], max(t[-2], day), min(t[-1], day + timedelta(days=1)))
        for t in known
        for day in (datetime(2026, 8, 1) + timedelta(days=n) for n in range(29))
        if t[-2] < day + timedelta(days=1) and t[-1] > day
    }
    rows_of = happened.filter(pl.col("begin") < datetime(2026, 8, 30))
    found = {(*(r[k] for k in key), r[column], r["begin"], r["end"]) for r in rows_of.iter_rows(named=True)}
    assert found == pieces
    assert len(found) > 10
    assert rows_of["event_id"].null_count() == 0


def test_marks_of_every_kind_and_the_calibration_before_a_loss_of_control(honest: Path) -> None:
    rows = declared(honest, "device_marks")
    assert {r["mark"] for r in rows} == {"C", "M", "D", "T", "OOC"}
    assert any(r["channel"] == "all" for r in rows)
    for row in rows:
        assert bool(row["last_calibration_at"]) == (row["mark"] == "OOC")
    for row in (r for r in rows if r["mark"] == "OOC"):
        checks = [
            when(r["end"]) for r in rows
            if r["outlet_id"] == row["outlet_id"] and r["channel"] == "all" and r["mark"] == "C" and r["end"] <= row["start"]
        ]  # fmt: skip
        assert not checks or when(row["last_calibration_at"]) == max(checks)
        assert when(row["last_calibration_at"]) <= when(row["start"])


def test_every_kind_of_wrong_declaration_occurs(tmp_path: Path) -> None:
    simulate(tmp_path, outlets=90, first=FIRST, days=20, dirt=Dirt.heavy(), interval_min=60, hours=1, truth=("states", "marks"),
             events=True)  # fmt: skip
    registry = Registry.load(open_storage(str(tmp_path / "registry")))
    lines, outlets = {n.line_id for n in registry.lines}, {o.outlet_id for o in registry.outlets}
    for table, place, known, what in (
        ("process_states", "line_id", lines, STATES),
        ("device_marks", "outlet_id", outlets, ("C", "M", "D", "T", "OOC")),
    ):
        rows = declared(tmp_path, table)
        kind = "state" if table == "process_states" else "mark"
        good = [r for r in rows if r["start"] < "2026-12-31"]
        again = defaultdict(list)
        for row in rows:
            again[row["event_id"]].append(row["end"])
        assert len(good) < len(rows)
        assert any(r[place] not in known for r in rows)
        assert any(r[kind] not in what for r in rows)
        assert any(not r["declared_at"] for r in rows)
        assert any(not in_time(r) for r in good if r["declared_at"])
        assert any(r["end"] and r["end"] < r["start"] for r in good)
        assert all(ends[0] == "" != ends[1] for ends in again.values() if len(ends) == 2)
        assert {len(ends) for ends in again.values()} == {1, 2}
        assert any(ends == [""] for ends in again.values())
        assert truth(tmp_path, table.split("_")[1])["event_id"].null_count() > 0
    periods = sorted((r["line_id"], r["start"], r["end"]) for r in declared(tmp_path, "process_states") if r["end"])
    assert any(a[0] == b[0] and b[1] < a[2] for a, b in pairwise(periods))


def test_events_change_no_capture_and_grow_with_the_days(tmp_path: Path) -> None:
    arguments = {"outlets": 7, "dirt": Dirt.heavy(), "interval_min": 30, "seed": 9, "since": FIRST}
    simulate(tmp_path / "silent", first=FIRST, days=12, **arguments)
    simulate(tmp_path / "whole", first=FIRST, days=12, events=True, **arguments)
    simulate(tmp_path / "pieces", first=FIRST, days=5, events=True, **arguments)
    early = tree(tmp_path / "pieces/landing/events")
    simulate(tmp_path / "pieces", first=FIRST + timedelta(days=5), days=7, events=True, **arguments)
    whole = tree(tmp_path / "whole")
    assert whole == tree(tmp_path / "pieces")
    assert {n: h for n, h in whole.items() if not n.startswith("landing/events/")} == tree(tmp_path / "silent")
    later = tree(tmp_path / "whole/landing/events")
    assert early.keys() <= later.keys()
    assert early.items() != later.items()
