"""Exports through whole nights: they give what packets give, whatever the order in which they come."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.products import bring_up, product
from tests.export_files import as_csv, as_packets, as_parquet, as_xlsx, stamps
from tests.homes import device, outlet, write_home
from tests.nights import lake_hashes, manifest, night, opened, release_hashes, rows

if TYPE_CHECKING:
    from pathlib import Path

START = dt.datetime(2026, 9, 22)
MINUTES = 1440
FACTORS = (
    "a34013-Avg",
    "a21002-Avg",
    "a21026-Avg",
    "a19001-Avg",
    "a00000-Avg",
    "a01012-Avg",
    "a01013-Avg",
    "a01014-Avg",
)
HEADER = ("颗粒物", "氮氧化物", "二氧化硫", "含氧量", "烟气流量", "烟温", "烟气静压", "含湿量")
UNITS = ("mg/m³", "mg/m³", "mg/Nm³", "%", "万m³/h", "℃", "Pa", "%")
SHIFT = (0, 0, 0, 0, 4, 0, -3, 0)
#: Tables in which the source of a value does not show.
FIGURES = ("cems_hourly", "cems_labels", "ule_hourly", "ule_monthly")
WITHOUT = ("version", "src_file", "src_offset", "src_more", "frames", "reported_flags")


def readings(count: int, seed: int = 1) -> list[list[str]]:
    """Texts with two decimals in the units of an export."""
    draw = random.Random(seed)
    bases = (3.0, 40.0, 20.0, 9.5, 32.0, 110.0, -207.0, 7.5)
    return [[f"{b * draw.uniform(0.9, 1.1):.4f}" for b in bases] for _ in range(count)]


def sent(values: list[list[str]]) -> list[list[str]]:
    """The same readings in the units of the device row, as a logger would send them."""
    from decimal import Decimal

    return [[f"{Decimal(v).scaleb(s):f}" for v, s in zip(row, SHIFT, strict=True)] for row in values]


def reports(minute_values: list[list[str]]) -> list[list[str]]:
    """The logger's own hours: means of sixty minutes."""
    hours = [minute_values[h : h + 60] for h in range(0, len(minute_values), 60)]
    return [[f"{sum(float(r[c]) for r in hour) / 60:.4f}" for c in range(len(FACTORS))] for hour in hours]


def export(times: list[str], values: list[list[str]], title: str) -> bytes:
    """A title, outlets, factors and units, GB18030, a total below: as platforms print it."""
    blank: list[object] = [None] * (len(HEADER) - 1)
    return as_csv(
        [[title, None, *blank], ["监测时间", "窑尾排放口(K1)", *blank], [None, *HEADER], [None, *UNITS],
         *([t, *v] for t, v in zip(times, values, strict=True)), ["合计", None, *blank]],
        encoding="gb18030",
    )  # fmt: skip


def captures(values: list[list[str]]) -> dict[str, bytes]:
    """A day under end labels as frames: minutes and hours."""
    minutes = as_packets(stamps(START + dt.timedelta(minutes=1), MINUTES, 1), sent(values), FACTORS)
    hours = as_packets(stamps(START + dt.timedelta(hours=1), 24, 60), sent(reports(values)), FACTORS, cn=2061)
    return {"day.txt": minutes + b"\r\n" + hours}


def exports(values: list[list[str]]) -> dict[str, bytes]:
    """The same day as two exports: minutes by their end, hours as spans."""
    ends = [f"{t:%Y/%m/%d %H:%M}" for t in stamps(START + dt.timedelta(minutes=1), MINUTES, 1)]
    spans = [f"2026-09-22 {h:02d}~{h + 1:02d}" for h in range(24)]
    return {
        "minutes.csv": export(ends, values, "某公司分钟数据"),
        "hours.csv": export(spans, reports(values), "某公司2026年9月22日小时数据"),
    }


def home_with(root: Path, files: dict[str, bytes]) -> Path:
    write_home(root, files, outlets=[outlet()], devices=[device(label="end")])
    return root


def figures(home: Path, table: str) -> pl.DataFrame:
    frame = rows(home, table)
    return frame.drop([c for c in WITHOUT if c in frame.columns])


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One day as packets and as exports, each through a whole night."""
    values = readings(MINUTES)
    made = []
    for name, files in (("packets", captures(values)), ("exports", exports(values))):
        home = home_with(tmp_path_factory.mktemp(name), files)
        outcome = night(home)
        assert outcome.code == 0, outcome.text
        made.append(home)
    return made[0], made[1]


@pytest.mark.parametrize("table", FIGURES)
def test_an_export_gives_the_figures_of_its_packets(both: tuple[Path, Path], table: str) -> None:
    packets, exported = (figures(home, table) for home in both)
    assert packets.height > 0
    assert exported.equals(packets)


@pytest.mark.parametrize("table", ["cems_minute", "cems_reported"])
def test_raw_rows_differ_in_their_source_alone(both: tuple[Path, Path], table: str) -> None:
    packets, exported = (figures(home, table) for home in both)
    decimals = [c for c in packets.columns if c.endswith("_dp")]
    # A capture writes 0 where a channel is not spoken of, the export where none of its columns is: both mean nothing.
    packets, exported = (f.with_columns(pl.col(decimals).fill_null(0)) for f in (packets, exported))
    assert packets.height in (MINUTES, 24)
    assert exported.equals(packets)


def test_the_release_of_exports_holds_and_counts_their_lines(both: tuple[Path, Path]) -> None:
    told = manifest(both[1])
    assert all(c.passed for c in told.facts.checks)
    arrivals = rows(both[1], "arrivals").sort("path")
    assert arrivals["kind"].to_list() == ["csv", "csv"]
    assert arrivals["lines"].to_list() == [24 + 5, MINUTES + 5]
    assert arrivals["lines_data"].to_list() == [24, MINUTES]
    assert arrivals["noise_bytes"].min() > 0  # type: ignore[operator]


def contradicting() -> dict[str, bytes]:
    """Packets and three kinds of exports of overlapping stretches, some of which contradict each other."""
    values, other = readings(300), readings(300, seed=2)
    times = stamps(START + dt.timedelta(minutes=1), 300, 1)
    typed = [[t, *(float(v) for v in row)] for t, row in zip(times, other, strict=True)]
    heads = ["监测时间", *(f"{h}({u})" for h, u in zip(HEADER, UNITS, strict=True))]
    return {
        "a.txt": as_packets(times[:200], sent(values)[:200], FACTORS),
        "K1/b.csv": export([f"{t:%Y-%m-%d %H:%M}" for t in times[100:]], values[100:], "分钟"),
        "K1/c.xlsx": as_xlsx({"分钟": [heads, *typed[:150]]}),
        "K1/d.parquet": as_parquet({h: [r[i] for r in typed[50:250]] for i, h in enumerate(heads)}),
    }  # fmt: skip


def raw_days(home: Path) -> dict[str, str]:
    """Take in what is there and make the raw days and the arrivals."""
    one = opened(home)
    one.intake.take_in(lambda _: None)
    for of in (product("arrivals"), product("raw")):
        for key in sorted(of.keys(one)):
            bring_up(one, of, key)
    return lake_hashes(home)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_arrival_changes_no_byte_of_the_raw_days(tmp_path: Path, seed: int) -> None:
    files = contradicting()
    once = raw_days(home_with(tmp_path / "once", files))
    home = home_with(tmp_path / "by turns", {})
    names = sorted(files)
    random.Random(seed).shuffle(names)
    for name in names:
        path = home / "landing/cems" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[name])
        hashes = raw_days(home)
    assert hashes == once
    lost = rows(home, "cems_quarantine")
    assert lost.filter(pl.col("reason") == "superseded").height > 100


@pytest.mark.long
def test_the_order_and_the_number_of_nights_change_no_byte(tmp_path: Path) -> None:
    files = contradicting()
    once = home_with(tmp_path / "once", files)
    assert night(once).code == 0
    home = home_with(tmp_path / "by turns", {})
    for name in sorted(files, reverse=True):
        path = home / "landing/cems" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[name])
        assert night(home).code == 0
    assert lake_hashes(home) == lake_hashes(once)
    assert release_hashes(home) == release_hashes(once)


def test_a_refused_export_costs_only_itself(tmp_path: Path) -> None:
    values = readings(MINUTES)
    home = home_with(
        tmp_path,
        captures(values)
        | {"nobody.csv": export(["2026-09-22 01:00", "2026-09-22 02:00"], values[:2], "日报").replace(b"K1", b"K9")},
    )
    outcome = night(home)
    assert outcome.code == 3
    assert "nothing says whose data these are" in outcome.text
    assert rows(home, "cems_hourly").height > 0
    refused = [a for a in opened(home).intake.arrivals() if a.state == "refused"]
    assert [a.path for a in refused] == ["cems/nobody.csv"]
