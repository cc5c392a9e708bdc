"""Exports of platforms: headers, units, times, missing values, whose data they are, and what is refused and why."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from assets.checks import CHECKS
from assets.products import bring_up, product
from contracts.channels import CHANNEL_NAMES, SUBFIELDS, column
from kernels import exports as kernel
from kernels.hj212_time import NO_TIME
from pipelines.summary import in_words, summary
from resources import exports_guard, exports_text
from resources.exports_errors import ExportError
from resources.exports_header import read_header
from resources.exports_map import ColumnMap, read_map
from resources.exports_phrases import says
from resources.exports_times import parse_clock, parse_moment
from resources.exports_words import load_words, norm
from resources.home import Home
from tests.export_files import as_csv, as_parquet, as_xlsx, stamps
from tests.homes import device, minute, outlet, write_home

if TYPE_CHECKING:
    from pathlib import Path

DAY = "2026-09-22"
START = dt.datetime(2026, 9, 22)
RAW = ("cems_minute", "cems_reported", "cems_other", "cems_quarantine", "cems_counts")
Rows = dict[str, list[dict[str, Any]]]


def made(home: Home, day: str = DAY) -> Rows:
    """Take in, make every raw day, hold the checks; rows of a day by table, and the arrivals."""
    home.intake.take_in(lambda _: None)
    for key in sorted(set(product("raw").keys(home))):
        bring_up(home, product("raw"), key)
    bring_up(home, product("arrivals"), "all")
    for check in CHECKS[:2]:
        verdict = check.verdict(home, home.lake.keys(check.table))
        assert verdict.passed, verdict.problems
    tables = {t: home.lake.read(t, day) for t in RAW} | {"arrivals": home.lake.read("arrivals", "all")}
    plain = pl.col(pl.Categorical, pl.Enum).cast(pl.String)
    return {
        t: pl.DataFrame(pl.from_arrow(a)).with_columns(plain).to_dicts() if a is not None else []
        for t, a in tables.items()
    }


def home_of(tmp_path: Path, files: dict[str, bytes], **more: Any) -> Home:
    """K1 (kiln tail) with device X and K2 (cooler) with device Y."""
    devices = [device(**more), device("Y", "K2", **more)]
    return write_home(tmp_path, files, outlets=[outlet(), outlet("K2", "cooler")], devices=devices)


def refusal(tmp_path: Path, files: dict[str, bytes], **more: Any) -> str:
    """Why the only file is refused."""
    arrivals = made(home_of(tmp_path, files, **more))["arrivals"]
    assert [a["state"] for a in arrivals] == ["refused"]
    assert " / " in arrivals[0]["reason"], "said in both languages"
    return str(arrivals[0]["reason"])


def table(header: list[list[object]], *, minutes: int = 1, lines: int = 3, value: object = 1.5) -> list[list[object]]:
    """A header and some lines of one value in every column."""
    width = len(header[-1]) - 1
    return header + [[f"{t:%Y-%m-%d %H:%M:%S}", *[value] * width] for t in stamps(START, lines, minutes)]


def one(tmp_path: Path, header: list[object], line: list[object], **more: Any) -> dict[str, Any]:
    """The only minute row that a file with one column of times and these cells gives."""
    lines = [header, line, ["2026-09-22 00:01", *[None] * (len(header) - 1)]]
    rows = made(home_of(tmp_path, {"K1/a.csv": as_csv(lines)}, **more))["cems_minute"]
    assert len(rows) == 1
    return rows[0]


# ---- the words --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["headers.csv", "units.csv", "flags.csv", "missing.csv"])
def test_every_word_says_where_it_comes_from(name: str) -> None:
    worth = {"V1": "verified", "V2": "secondary", "M-hi": "memory", "M-lo": "draft", "U": "draft"}
    rows = pl.read_csv(reference.EXPORTS / name, infer_schema=False).to_dicts()
    assert len(rows) > 30
    for row in rows:
        assert row["source"]
        assert row["confidence"] == worth[row["mark"]]
    key = {"headers.csv": ("text", "kind"), "units.csv": ("text", "quantity")}.get(name, ("text",))
    assert len({tuple(row[k] for k in key) for row in rows}) == len(rows)


def test_words_are_written_as_they_are_looked_up() -> None:
    for name in ("headers.csv", "units.csv"):
        for row in pl.read_csv(reference.EXPORTS / name, infer_schema=False).to_dicts():
            assert row["text"] == norm(row["text"]), row


SEEN = {
    "颗粒物实测浓度": ("pm", "avg"), "颗粒物折算浓度": ("pm", "zs_avg"), "二氧化硫实测浓度": ("so2", "avg"), "氮氧化物折算浓度": ("nox", "zs_avg"),
    "氧含量": ("o2", "avg"), "烟温": ("temperature", "avg"), "二氧化硫排放量": ("so2", "cou"), "废气排放量": ("flow", "cou"), "烟尘时均值": ("pm", "avg"),
    "烟尘折算浓度": ("pm", "zs_avg"), "氧量时均值": ("o2", "avg"), "烟气温度(℃)": ("temperature", "avg"), "烟气压力(KPa)": ("pressure", "avg"),
    "烟气湿度(%)": ("humidity", "avg"), "烟气流速(m/s)": ("velocity", "avg"), "烟气流量(m3/h)": ("flow", "avg"), "烟尘实测浓度": ("pm", "avg"),
    "标况流量": ("flow", "avg"), "烟气一次流速": ("velocity", "avg"), "氧气百分比": ("o2", "avg"), "标态烟气量(m³/s)": ("flow", "avg"),
    "烟气压力(MPa)": ("pressure", "avg"), "烟尘均值": ("pm", "avg"), "烟尘折算值": ("pm", "zs_avg"), "烟尘排放量": ("pm", "cou"), "废气流量均值": ("flow", "avg"),
    "含氧量": ("o2", "avg"), "O2含量": ("o2", "avg"), "SO2(mg/Nm³)": ("so2", "avg"), "NOx最大值": ("nox", "max"), "NO2": ("no2", "avg"), "粉尘 最小值": ("pm", "min"),
    "a34013-Avg": ("pm", "avg"), "a21002-ZsAvg": ("nox", "zs_avg"), "nox_zs_max": ("nox", "zs_max"), "氮氧化物折算最大值": ("nox", "zs_max"),
    "烟尘（颗粒物）实测值（㎎/ｍ³）": ("pm", "avg"), "氨逃逸": ("nh3", "avg"), "含氧量%": ("o2", "avg"), "so2mg/m3": ("so2", "avg"), "汞及其化合物": ("hg", "avg"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "meaning"), SEEN.items(), ids=SEEN)
def test_headers_that_were_seen_are_known(text: str, meaning: tuple[str, str]) -> None:
    rows = [["监测时间", text], ["2026-09-22 18:00", "1"]]
    found = read_header(rows, load_words(), ColumnMap()).columns[1]
    assert (found.role, found.channel, found.sub) == ("value", *meaning)


@pytest.mark.parametrize(
    "text", ["颗粒物去除效率", "二氧化碳", "PM10", "CO2", "窑速", "一次风温", "二氧化硫排放速率", "code", "氨水用量"]
)
def test_what_only_looks_like_a_known_column_is_kept_apart(text: str) -> None:
    rows = [["时间", "颗粒物", text], ["2026-09-22 18:00", "1", "2"]]
    assert read_header(rows, load_words(), ColumnMap()).columns[2].role == "other"


@given(
    st.lists(st.sampled_from(sorted(load_words().tokens)), min_size=1, max_size=6),
    st.sampled_from(["", "(mg/m3)", "（℃）", " kPa", "#", "x"]),
)
def test_no_header_text_breaks_the_reading_of_words(words: list[str], tail: str) -> None:
    said = says("".join(words) + tail, load_words())
    assert said.channel in ("", *CHANNEL_NAMES)
    assert all(unit.quantity for units in said.units for unit in units)


@settings(max_examples=200)
@given(st.lists(st.lists(st.text(max_size=6) | st.sampled_from(["监测时间", "颗粒物", "2026-09-22 18:00", "MN", "%", "K1", ""]), max_size=5), max_size=8))  # fmt: skip
def test_any_table_has_a_header_or_a_refusal_in_words(rows: list[list[str]]) -> None:
    try:
        header = read_header(rows, load_words(), ColumnMap())
    except ExportError as error:
        refused = str(error)
    else:
        refused = ""
        assert any(c.role == "value" for c in header.columns)
        assert header.first <= len(rows)
    assert not refused or " / " in refused


# ---- headers ------------------------------------------------------------------------------------------------------------------------

THREE_ROWS: list[list[object]] = [
    ["某水泥有限公司2026年9月数据报表", None, None, None, None, None],
    ["监测时间", "窑尾(K1)", None, None, "窑头(K2)", "备注"],
    [None, "颗粒物", None, "含氧量", "颗粒物", None],
    [None, "实测(mg/m³)", "折算(mg/m³)", "%", "实测(mg/m³)", None],
]


def test_a_three_row_header_tells_outlets_factors_and_units_apart(tmp_path: Path) -> None:
    lines = [*THREE_ROWS, ["2026-09-22 00:00", "3.20", "4.1", "10.5", "2.10", None], ["2026-09-22 00:01", "3.3", "4.2", "10.6", None, "x"],
             ["平均值", "3.25", None, None, None, None], ["制表人：张三", None, None, None, None, None]]  # fmt: skip
    tables = made(home_of(tmp_path, {"a.csv": as_csv(lines, encoding="gb18030")}))
    assert [(r["outlet_id"], r["mn"], r["pm_avg"], r["pm_zs_avg"], r["o2_avg"], r["pm_dp"]) for r in tables["cems_minute"]] == [
        ("K1", "X", 3.2, 4.1, 10.5, 2 | 1 << 16), ("K1", "X", 3.3, 4.2, 10.6, 1 | 1 << 16), ("K2", "Y", 2.1, None, None, 2),
    ]  # fmt: skip
    assert [(r["outlet_id"], r["name"], r["text"], r["reason"]) for r in tables["cems_other"]] == [
        ("K1", "备注", "x", "unknown_factor")
    ]
    arrival = tables["arrivals"][0]
    assert [arrival[n] for n in ("lines", "lines_data", "lines_refused", "lines_other")] == [8, 2, 0, 6]
    assert (arrival["frames_accepted"], arrival["frames_other"], arrival["missing"]) == (4, 1, "empty=1")


def test_outlets_side_by_side_in_a_flat_header(tmp_path: Path) -> None:
    header: list[object] = ["时间", "K1 颗粒物(mg/m3)", "K1 含氧量", "K2 颗粒物(mg/m3)", "K2 含氧量"]
    rows = made(home_of(tmp_path, {"a.csv": as_csv(table([header]))}))["cems_minute"]
    assert [(r["outlet_id"], r["pm_avg"], r["o2_avg"]) for r in rows] == [("K1", 1.5, 1.5)] * 3 + [("K2", 1.5, 1.5)] * 3


@pytest.mark.parametrize("name", ["MN", "监测点", "排口编号"])
def test_a_column_names_the_device_of_each_line(tmp_path: Path, name: str) -> None:
    who = ["X", "Y"] if name == "MN" else ["K1", "K2"]
    lines = [["数据时间", name, "颗粒物"]]
    lines += [[f"2026-09-22 00:0{m}", w, f"{m}.{k}"] for m in range(3) for k, w in enumerate([*who, "nobody"])]
    tables = made(home_of(tmp_path, {"a.csv": as_csv(lines)}))
    assert [(r["mn"], r["pm_avg"]) for r in tables["cems_minute"]] == [("X", 0.0), ("X", 1.0), ("X", 2.0), ("Y", 0.1), ("Y", 1.1), ("Y", 2.1)]  # fmt: skip
    refused = tables["cems_quarantine"]
    assert [(r["reason"], r["level"], r["mn"]) for r in refused] == [("unknown_mn", "frame", "nobody")] * 3
    assert refused[0]["content"] == b"2026-09-22 00:00,nobody,0.2"


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("K1/2026/a.csv", None),
        ("X/a.csv", None),
        ("K1.csv", None),
        ("a.csv", "监测点：K1"),
        ("a.csv", "排放口 (K1) 分钟数据"),
    ],
)
def test_the_device_of_a_whole_file(tmp_path: Path, path: str, title: str | None) -> None:
    lines = ([[title, None]] if title else []) + table([["时间", "颗粒物"]])
    rows = made(home_of(tmp_path, {path: as_csv(lines)}))["cems_minute"]
    assert [r["mn"] for r in rows] == ["X"] * 3


def test_a_state_column_flags_every_channel_and_a_flag_beside_a_factor_its_own(tmp_path: Path) -> None:
    lines = [["时间", "颗粒物", "状态", "二氧化硫", "状态", "标记"],
             ["2026-09-22 00:00", "1", "正常", "2", "维护", None], ["2026-09-22 00:01", "1", "N", "2", "N", "停运_连续5日缺失"],
             ["2026-09-22 00:02", "1", None, "2", "古怪", "正常"]]  # fmt: skip
    tables = made(home_of(tmp_path, {"K1/a.csv": as_csv(lines)}))
    assert [(r["pm_flag"], r["so2_flag"], r["version"]) for r in tables["cems_minute"]] == [
        ("N", "M", 1),
        ("F", "F", 1),
        ("N", "?", 1),
    ]
    assert [(r["text"], r["reason"]) for r in tables["cems_other"]] == [("古怪", "unknown_subfield")]
    assert "古怪" in tables["arrivals"][0]["notes"]


# ---- text -----------------------------------------------------------------------------------------------------------------------------

ENCODINGS = ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "，"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_encodings_and_separators(tmp_path: Path, encoding: str, delimiter: str, end: str) -> None:
    if encoding == "utf-16-be":
        content = b"\xfe\xff" + as_csv(
            table([["监测时间", "颗粒物(mg/m³)", "备注"]]), encoding=encoding, delimiter=delimiter, end=end
        )
    else:
        content = as_csv(
            table([["监测时间", "颗粒物(mg/m³)", "备注"]]), encoding=encoding, delimiter=delimiter, end=end
        )
    tables = made(home_of(tmp_path, {"K1/a.csv": content}))
    rows = tables["cems_minute"]
    assert [r["pm_avg"] for r in rows] == [1.5] * 3
    plain = encoding.removesuffix("-sig")
    for row in rows:
        # The place in the file is that of the line, whatever the encoding.
        tail = content[row["src_offset"] :].decode("utf-16-le" if plain == "utf-16" else plain)
        assert tail.startswith(f"{row['data_time']:%Y-%m-%d %H:%M:%S}")
    assert {r["name"] for r in tables["cems_other"]} == {"备注"}


@pytest.mark.parametrize("packed", [gzip.compress, zstandard.ZstdCompressor().compress], ids=["gz", "zst"])
def test_compressed_text(tmp_path: Path, packed: Any) -> None:
    name = "K1/a.csv.gz" if packed is gzip.compress else "K1/a.csv.zst"
    rows = made(home_of(tmp_path, {name: packed(as_csv(table([["时间", "颗粒物"]])))}))["cems_minute"]
    assert len(rows) == 3


def test_a_file_in_small_chunks_reads_like_one_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = table([["时间", "颗粒物", "含氧量"]], lines=500)
    lines[7][1] = "坏"
    lines[9][0] = "坏"
    content = as_csv(lines, encoding="gb18030")
    whole = made(home_of(tmp_path / "one", {"K1/a.csv": content}))
    monkeypatch.setattr(exports_text, "CHUNK_BYTES", 777)
    assert made(home_of(tmp_path / "two", {"K1/a.csv": content})) == whole
    assert len(whole["cems_minute"]) == 499


def test_captures_stay_captures_whatever_they_are_called(tmp_path: Path) -> None:
    frame = minute("20260922000000", "a34013-Avg=4.1")
    tables = made(
        home_of(
            tmp_path, {"a.csv": b"time,raw\r\n2026-09-22," + frame, "b.txt": minute("20260922000100", "a34013-Avg=4.2")}
        )
    )
    assert [a["kind"] for a in tables["arrivals"]] == ["hj212", "hj212"]
    assert [r["pm_avg"] for r in tables["cems_minute"]] == [4.1, 4.2]


def test_an_xls_that_is_text_is_read_as_text(tmp_path: Path) -> None:
    content = as_csv(table([["监测时间", "颗粒物"]]), encoding="gb18030", delimiter="\t")
    tables = made(home_of(tmp_path, {"K1/a.xls": content}))
    assert (tables["arrivals"][0]["kind"], len(tables["cems_minute"])) == ("csv", 3)


# ---- numbers ------------------------------------------------------------------------------------------------------------------------

PLAIN = st.builds(
    lambda sign, whole, part: f"{sign}{whole}{part}",
    st.sampled_from(["", "-"]),
    st.integers(0, 999_999).map(str),
    st.text("0123456789", max_size=8).map(lambda t: f".{t}" if t else ""),
)
ODD = st.text("0123456789.-+eE, x停", max_size=12)


def lines_of(texts: list[str]) -> kernel.Lines:
    raw = "".join(f"{t}\x1f\n" for t in texts).encode()
    return kernel.Lines(np.frombuffer(raw, np.uint8), len(raw), 2, 0x1F, 0)


@given(st.lists(PLAIN | ODD, min_size=1, max_size=20), st.integers(-4, 4))
def test_numbers_are_those_of_the_text(texts: list[str], shift: int) -> None:
    """The slow twin: Decimal, moved by powers of ten, to the nearest double."""
    from decimal import Decimal

    lines = lines_of(texts)
    rows = np.arange(len(texts))
    values, dps, state = kernel.numbers(lines, rows, 0, np.full(len(texts), shift, np.int8), np.array([-9999.0]))
    for raw, value, dp, how in zip(texts, values.tolist(), dps.tolist(), state.tolist(), strict=True):
        text = raw.strip(" ")
        if how == kernel.EMPTY:
            assert text == ""
        elif how == kernel.SENTINEL:
            assert float(text) == -9999
        elif how == kernel.NUMBER:
            exact = Decimal(text).scaleb(shift)
            assert value == float(exact)
            assert dp == max(0, len(text.partition(".")[2]) - shift)
            assert Decimal(f"{value:.{dp}f}") == exact, "value and decimals give the text back"
        else:
            assert how == kernel.TEXT


@given(st.lists(PLAIN, min_size=1, max_size=20))
def test_every_plain_number_is_taken_without_python(texts: list[str]) -> None:
    spare = [len(t.lstrip("-").partition(".")[0]) > 1 and t.lstrip("-").startswith("0") for t in texts]
    _, _, state = kernel.numbers(lines_of(texts), np.arange(len(texts)), 0, np.zeros(len(texts), np.int8), np.empty(0))
    assert [s == kernel.NUMBER for s in state.tolist()] == [not s for s in spare]


@settings(max_examples=300)
@given(st.lists(st.text('ab",; \t\r\n1.-', max_size=30), min_size=1, max_size=6))
def test_lines_and_cells_are_those_of_a_plain_split(texts: list[str]) -> None:
    raw = "\n".join(texts).encode()
    lines = kernel.Lines(np.frombuffer(raw, np.uint8), len(raw), 4, 44, 0)
    expected = [line.split(",") for line in "\n".join(texts).split("\n")]
    expected = expected[:-1] if expected[-1] == [""] else expected
    assert lines.size == len(expected)
    for i, cells in enumerate(expected):
        assert lines.count[i] == len(cells)
        found = [raw[a:b].decode() for a, b in zip(lines.first[i], lines.last[i], strict=True)]
        assert found == [c.lstrip(" \t").rstrip(" \t\r") for c in [*cells[:4], *[""] * (4 - len(cells))]]


SPELT = {
    "1.50": (1.5, 2, None), "0": (0.0, 0, None), "-3.2": (-3.2, 1, None), "1,234.5": (1234.5, 15, "verbatim"), "+1.5": (1.5, 15, "verbatim"),
    "1.2e1": (12.0, 15, "verbatim"), "007": (7.0, 15, "verbatim"), "１２.5": (12.5, 15, "verbatim"), "0.12345678901234567": (0.12345678901234567, 15, "verbatim"),
    "12,34": (None, 0, "bad_value"), "12mg": (None, 0, "bad_value"), "1.2.3": (None, 0, "bad_value"), "N": (None, 0, "bad_value"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SPELT.items(), ids=SPELT)
def test_spellings_of_numbers(tmp_path: Path, text: str, expected: tuple[float | None, int, str | None]) -> None:
    lines = [["时间", "颗粒物", "含氧量"], ["2026-09-22 00:00", text, "10"], ["2026-09-22 00:01", "1", "10"]]
    tables = made(home_of(tmp_path, {"K1/a.csv": as_csv(lines)}))
    row = tables["cems_minute"][0]
    assert (row["pm_avg"], row["pm_dp"] & 15) == expected[:2]
    kept = [(r["reason"], r["text"]) for r in tables["cems_other"]]
    bad = [(r["reason"], r["content"].decode()) for r in tables["cems_quarantine"]]
    assert kept + bad == ([(expected[2], text)] if expected[2] else [])


def test_what_stands_for_missing_is_counted_by_kind_and_flags_where_it_is_a_mark(tmp_path: Path) -> None:
    cells = ["1.0", "-9999", "--", "无", "停运", "维护", "校准", None, "数据缺失", "9999", "-9999.0"]
    lines: list[list[object]] = [["时间", "颗粒物", "含氧量"]]
    lines += [[f"{t:%Y/%m/%d %H:%M}", c, "10"] for t, c in zip(stamps(START, len(cells), 1), cells, strict=True)]
    tables = made(home_of(tmp_path, {"K1/a.csv": as_csv(lines)}))
    rows = tables["cems_minute"]
    assert [r["pm_avg"] for r in rows] == [1.0] + [None] * 10
    assert [r["pm_flag"] for r in rows] == [None] * 4 + ["F", "M", "C"] + [None] * 4
    assert (
        tables["arrivals"][0]["missing"] == "--=1; -9999=2; 9999=1; empty=1; 停运=1; 数据缺失=1; 无=1; 校准=1; 维护=1"
    )
    assert not tables["cems_quarantine"]


BELOW_DETECTION = ("未检出", "ND", "N.D.", "<DL", "＜0.5", "< 0.5", "0.5L", "低于检出限")
NO_NUMBERS = ("inf", "45.5*", "0x10", "50 mg", "<abc", "1<2", "<#")


def test_below_detection_is_missing_of_a_kind_of_its_own_and_told(tmp_path: Path) -> None:
    lines: list[list[object]] = [["时间", "颗粒物", "含氧量"]]
    times = stamps(START, len(BELOW_DETECTION), 1)
    lines += [[f"{t:%Y-%m-%d %H:%M}", c, "10"] for t, c in zip(times, BELOW_DETECTION, strict=True)]
    tables = made(home_of(tmp_path, {"K1/a.csv": as_csv(lines)}))
    assert [(r["pm_avg"], r["o2_avg"], r["pm_flag"]) for r in tables["cems_minute"]] == [(None, 10.0, None)] * 8
    assert not tables["cems_quarantine"]
    arrival = tables["arrivals"][0]
    assert set(arrival["missing"].split("; ")) == {f"below:{text}=1" for text in BELOW_DETECTION}
    assert "8 cells are below detection" in arrival["notes"]
    assert "'未检出' in line 2, column '颗粒物'" in arrival["notes"]


@pytest.mark.usefixtures("pieces")
def test_refused_cells_are_counted_and_one_is_named_with_a_remedy(tmp_path: Path) -> None:
    lines: list[list[object]] = [["时间", "颗粒物", "含氧量"], ["2026-09-22 00:00", "1", "10"]]
    times = stamps(START, len(NO_NUMBERS) + 1, 1)[1:]
    lines += [[f"{t:%Y-%m-%d %H:%M}", c, "10"] for t, c in zip(times, NO_NUMBERS, strict=True)]
    lines += [["2026-09-22 01:00", "1", "坏"]]
    home = home_of(tmp_path, {"K1/a.csv": as_csv(lines)})
    tables = made(home)
    assert [r["reason"] for r in tables["cems_quarantine"]] == ["bad_value"] * 8
    notes = tables["arrivals"][0]["notes"]
    assert "8 cells are no numbers" in notes
    assert "'inf' in line 3, column '颗粒物'" in notes
    assert "(颗粒物 7, 含氧量 1)" in notes
    assert "list the text under missing or [flags]" in notes
    record = next(a.record for a in home.intake.inputs())
    assert record is not None
    assert record.cells["bad_value"] == 8
    text = "\n".join(in_words(summary(home)))
    assert "8 个单元格 cells bad_value" in text
    assert "cems/K1/a.csv 第 3 行 line, 列 column '颗粒物': 'inf'; 改正后" in text


def test_a_bad_cell_of_a_workbook_is_named_by_sheet_and_row(tmp_path: Path) -> None:
    lines: list[list[object]] = [
        ["时间", "颗粒物"],
        *([t, 1.0] for t in stamps(START, 3, 1)),
        ["2026-09-22 00:03", "45.5*"],
    ]
    other = [[lines[0][0], lines[0][1]], *([t, 1.0] for t in stamps(START, 3, 1))]
    notes = made(home_of(tmp_path, {"K1/a.xlsx": as_xlsx({"一": other, "二": lines})}))["arrivals"][0]["notes"]
    assert "'45.5*' in line 二 5, column '颗粒物'" in notes


def test_a_map_that_lists_missing_texts_leaves_no_others(tmp_path: Path) -> None:
    lines = [["时间", "颗粒物"], ["2026-09-22 00:00", "1"], ["2026-09-22 00:01", "未检出"]]
    files = {"K1/a.csv": as_csv(lines), "K1/columns.toml": b'missing = ["--"]'}
    tables = made(home_of(tmp_path / "other", files))
    assert [r["content"].decode() for r in tables["cems_quarantine"]] == ["未检出"]
    files["K1/columns.toml"] = 'missing = ["未检出"]'.encode()
    tables = made(home_of(tmp_path / "own", files))
    assert (tables["arrivals"][0]["missing"], tables["cems_quarantine"]) == ("未检出=1", [])


def test_a_number_that_a_channel_may_show_is_not_missing_there(tmp_path: Path) -> None:
    row = one(tmp_path, ["时间", "烟气流量", "烟气静压(Pa)"], ["2026-09-22 00:00", "9999", "-99"])
    assert (row["flow_avg"], row["pressure_avg"]) == (9999.0, -0.099)


# ---- units ----------------------------------------------------------------------------------------------------------------------------

UNITS = {
    "颗粒物(μg/m³)": ("1234.5", "pm_avg", 1.2345, 4), "颗粒物(g/m3)": ("0.0123", "pm_avg", 12.3, 1), "烟气流量(万m³/h)": ("32.5", "flow_avg", 325000.0, 0),
    "烟气流量(Nm³/h)": ("325000", "flow_avg", 325000.0, 0), "烟气流量(m3/h)": ("325000.5", "flow_avg", 325000.5, 1), "烟气静压(Pa)": ("-207", "pressure_avg", -0.207, 3),
    "烟气压力(MPa)": ("0.1013", "pressure_avg", 101.3, 1), "烟气压力(kPa)": ("101.30", "pressure_avg", 101.3, 2), "二氧化硫排放量(t)": ("0.012", "so2_cou", 12.0, 0),
    "二氧化硫排放量(g)": ("1500", "so2_cou", 1.5, 3), "废气排放量(万m3)": ("1.25", "flow_cou", 12500.0, 0), "烟温(℃)": ("110.2", "temperature_avg", 110.2, 1),
}  # fmt: skip


@pytest.mark.parametrize(("header", "expected"), UNITS.items(), ids=UNITS)
def test_units_move_the_point_and_nothing_else(
    tmp_path: Path, header: str, expected: tuple[str, str, float, int]
) -> None:
    text, name, value, decimals = expected
    row = one(tmp_path, ["时间", header], ["2026-09-22 00:00", text])
    channel, sub = next((c, s) for c in CHANNEL_NAMES for s in SUBFIELDS if column(c, s) == name)
    assert row[name] == value
    assert row[f"{channel}_dp"] >> 4 * SUBFIELDS.index(sub) & 15 == decimals


WRONG_UNITS = [
    "二氧化硫(ppm)",
    "烟温(K)",
    "烟气流量(m3/s)",
    "工况流量(m3/h)",
    "烟气静压(表压)(kPa)",
    "颗粒物(kPa)",
    "颗粒物排放量(kg/h)",
    "烟气压力(mmHg)",
]


@pytest.mark.parametrize("header", WRONG_UNITS)
def test_a_unit_that_cannot_be_moved_refuses_the_column_by_name_and_keeps_its_texts(
    tmp_path: Path, header: str
) -> None:
    lines = [["时间", header, "含氧量(%)"], ["2026-09-22 00:00", "12.50", "10.1"], ["2026-09-22 00:01", "--", "10.2"]]
    tables = made(home_of(tmp_path, {"K1/a.csv": as_csv(lines)}))
    assert [r["o2_avg"] for r in tables["cems_minute"]] == [10.1, 10.2]
    assert all(
        r[column(c, s)] is None
        for r in tables["cems_minute"]
        for c in CHANNEL_NAMES
        for s in SUBFIELDS
        if c != "o2" and column(c, s) in r
    )
    assert [(r["name"], r["text"], r["reason"]) for r in tables["cems_other"]] == [(header, "12.50", "unit_refused")]
    assert header in tables["arrivals"][0]["notes"]


def test_kilograms_an_hour_are_kilograms_of_an_hour(tmp_path: Path) -> None:
    lines = table([["时间", "颗粒物排放量(kg/h)"]], minutes=60)
    assert [r["pm_cou"] for r in made(home_of(tmp_path, {"K1/a.csv": as_csv(lines)}))["cems_reported"]] == [1.5] * 3


def test_a_unit_row_that_contradicts_the_header_refuses_the_column(tmp_path: Path) -> None:
    lines = table([["时间", "烟气流量(m3/h)", "含氧量"], [None, "万m3/h", "%"]])
    tables = made(home_of(tmp_path, {"K1/a.csv": as_csv(lines)}))
    assert {r["reason"] for r in tables["cems_other"]} == {"unit_refused"}
    assert "several units" in tables["arrivals"][0]["notes"]


# ---- times ----------------------------------------------------------------------------------------------------------------------------

AT_18 = START + dt.timedelta(hours=18)
MOMENTS = {
    "2026-09-22 18:00": AT_18, "2026-09-22 18:00:00": AT_18, "2026/9/22 18:00": AT_18, "2026.09.22 18": AT_18, "2026-09-22T18:00:00.000": AT_18,
    "20260922180000": AT_18, "2026092218": AT_18, "20260922180000000": AT_18, "2026年9月22日18时": AT_18, "2026年09月22日 18时00分": AT_18,
    "2026-09-22 18时": AT_18, "2026-09-22 18点": AT_18, "２０２６-09-22 18：00": AT_18, "2026-09-22 24:00": START + dt.timedelta(days=1), "2026-09-22": START,
    "2026-02-29 10:00": None, "22/09/2026 18:00": None, "2026-13-01": None, "2026-09-22 25:00": None, "2026-09-22 18:61": None, "2026-09-22 24:01": None,
    "18:00": None, "坏": None, "2026-09-22 18时 坏": None,
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), MOMENTS.items(), ids=MOMENTS)
def test_spellings_of_times(text: str, expected: dt.datetime | None) -> None:
    due = None if expected is None else (expected - dt.datetime(1970, 1, 1)) // dt.timedelta(milliseconds=1)
    moment = parse_moment(text)
    assert (moment and moment.ms) == due
    time, form = kernel.times(lines_of([text]), np.arange(1), 0)
    if time[0] != NO_TIME:
        assert moment is not None, "the kernel reads nothing that the twin refuses"
        assert (int(time[0]), int(form[0])) == (moment.ms, moment.form)
    elif text.isascii() and expected is not None:
        pytest.fail("an ASCII spelling is left to Python")


SPANS = {
    "2026-09-22 18~19": (18, 19), "2026-09-22 18:00~19:00": (18, 19), "2026-09-22 18时-19时": (18, 19), "2026-09-22 23:00-24:00": (23, 24), "2026-09-22 23～0": (23, 24),
    "2026-09-22 18:00 ~ 2026-09-22 19:00": (18, 19), "2026-09-22 23:00至2026-09-23 00:00": (23, 24),
}  # fmt: skip


@pytest.mark.parametrize(("text", "hours"), SPANS.items(), ids=SPANS)
def test_spellings_of_spans(text: str, hours: tuple[int, int]) -> None:
    moment = parse_moment(text)
    base = (START - dt.datetime(1970, 1, 1)) // dt.timedelta(milliseconds=1)
    assert moment is not None
    assert (moment.ms - base, (moment.until or 0) - base) == tuple(h * 3_600_000 for h in hours)


@given(st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2099, 12, 31)), st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y%m%d%H%M%S", "%Y.%m.%d %H", "%Y年%m月%d日%H时%M分%S秒", "%Y年%m月%d日 %H:%M", "%Y-%m-%d %H时"]))  # fmt: skip
def test_the_kernel_and_its_twin_read_the_same_times(time: dt.datetime, form: str) -> None:
    text = time.strftime(form)
    due = (dt.datetime.strptime(text, form) - dt.datetime(1970, 1, 1)) // dt.timedelta(milliseconds=1)
    found, _ = kernel.times(lines_of([text]), np.arange(1), 0)
    moment = parse_moment(text)
    assert moment is not None
    assert int(found[0]) == due == moment.ms


@settings(max_examples=500)
@given(st.text("0123456789-/.: T年月日时分秒~", max_size=24) | st.from_regex(r"20[0-9]{2}[-年][01]?[0-9][-月][0-3]?[0-9][日 T]{0,2}([0-9]{1,2}[:时点~]?){0,4}", fullmatch=True), st.sampled_from(["utf-8", "gb18030"]))  # fmt: skip
def test_no_text_is_a_time_for_the_kernel_alone(text: str, encoding: str) -> None:
    raw = f"{text}\x1f\n".encode(encoding)
    lines = kernel.Lines(np.frombuffer(raw, np.uint8), len(raw), 2, 0x1F, 0)
    time, _ = kernel.times(lines, np.arange(1), 0)
    moment = parse_moment(text)
    if time[0] != NO_TIME:
        assert moment is not None
        assert moment.ms == time[0]


def test_clocks() -> None:
    assert parse_clock("18时") == parse_clock("18") == parse_clock("18点") or parse_clock("18时").ms == 18 * 3_600_000  # type: ignore[union-attr]
    assert parse_clock("第18") is None
    assert parse_clock("24:30") is None


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        (["日期", "小时"], ["2026-09-22", "{h}"]),
        (["日期", "时间"], ["2026/9/22", "{h}:00"]),
        (["日期", "时段"], ["2026-09-22", "{h}时"]),
        (["监测时间"], ["2026-09-22 {h}时"]),
        (["开始时间", "结束时间"], ["2026-09-22 {h}:00", "2026-09-22 {n}:00"]),
        (["监测时间"], ["2026-09-22 {h}~{n}"]),
    ],
    ids="+".join,
)
def test_hours_in_one_column_or_two(tmp_path: Path, header: list[str], cells: list[str]) -> None:
    lines = [[*header, "颗粒物"]] + [[*(c.format(h=h, n=h + 1) for c in cells), f"{h}.5"] for h in range(5, 9)]
    rows = made(home_of(tmp_path, {"K1/a.csv": as_csv(lines)}))["cems_reported"]
    assert [(r["cn"], r["data_time"].hour, r["pm_avg"]) for r in rows] == [(2061, h, h + 0.5) for h in range(5, 9)]


@pytest.mark.parametrize(
    ("form", "label", "shift"),
    [("{h}:00", "end", 0), ("{h}:00", "start", 0), ("{h}~{n}", "start", 0), ("{h}~{n}", "end", 1)],
)
def test_a_span_is_written_as_the_device_would_label_it(tmp_path: Path, form: str, label: str, shift: int) -> None:
    lines = [["监测时间", "颗粒物"]] + [[f"2026-09-22 {form.format(h=h, n=h + 1)}", f"{h}"] for h in range(5, 9)]
    rows = made(home_of(tmp_path, {"K1/a.csv": as_csv(lines)}, label=label))["cems_reported"]
    assert [(r["data_time"].hour, r["pm_avg"]) for r in rows] == [(h + shift, h) for h in range(5, 9)]


def test_hours_from_1_to_24_are_end_labels(tmp_path: Path) -> None:
    lines = [["日期", "小时", "颗粒物"]] + [["2026-09-22", h, h] for h in range(1, 25)]
    content = {"K1/a.csv": as_csv(lines)}
    ends = made(home_of(tmp_path / "e", content, label="end"))["cems_reported"]
    assert [(r["data_time"].hour, r["pm_avg"]) for r in ends] == [(h, h) for h in range(1, 24)]
    starts = made(home_of(tmp_path / "s", content, label="start"))["cems_reported"]
    assert [(r["data_time"].hour, r["pm_avg"]) for r in starts] == [(h - 1, h) for h in range(1, 25)]


def ten_minutes(extra: list[tuple[str, float]], *, first: bool) -> dict[str, bytes]:
    """A day of ten-minute rows from 00:00 to 23:50, each with the minute of the day, and more rows before or behind."""
    day: list[tuple[str, float]] = [(f"{t:%Y-%m-%d %H:%M}", (t - START).seconds / 60) for t in stamps(START, 144, 10)]
    rows = [*extra, *day] if first else [*day, *extra]
    return {"K1/a.csv": as_csv([["监测时间", "颗粒物"], *map(list, rows)])}


@pytest.fixture(params=["one piece", "small chunks"])
def pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of a few lines, so that most of a table lies behind the first."""
    if request.param == "small chunks":
        for name in ("CHUNK_BYTES", "LOOK_BYTES"):
            monkeypatch.setattr(exports_text, name, 120)
        monkeypatch.setattr("resources.exports.LOOK_BYTES", 120)


@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize("label", ["start", "end"])
@pytest.mark.parametrize("first", [True, False], ids=["24 first", "24 last"])
def test_one_hour_24_among_hours_0_moves_no_row(tmp_path: Path, first: bool, label: str) -> None:
    files = ten_minutes([("2026-09-22 24:00", 1440.0)], first=first)
    home = home_of(tmp_path, files, label=label, interval=10)
    rows = made(home)["cems_minute"] + made(home, "2026-09-23")["cems_minute"]
    assert [(r["data_time"] - START).total_seconds() / 60 for r in rows] == [r["pm_avg"] for r in rows]
    assert len(rows) == 145
    notes = made(home)["arrivals"][0]["notes"]
    assert "2026-09-22 24:00" in notes
    assert "tells neither start nor end" in notes
    assert "不据此判断" in notes


@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize(("label", "moved"), [("start", -10), ("end", 0)])
@pytest.mark.parametrize("first", [True, False], ids=["24 first", "24 last"])
def test_hour_24_without_hour_0_says_end_and_a_device_that_says_start_is_told(
    tmp_path: Path, first: bool, label: str, moved: int
) -> None:
    rows: list[list[object]] = [
        [f"{t:%Y-%m-%d %H:%M}", (t - START).seconds / 60] for t in stamps(START + dt.timedelta(minutes=10), 143, 10)
    ]
    last: list[object] = ["2026-09-22 24:00", 1440]
    lines = [["监测时间", "颗粒物"], *([last, *rows] if first else [*rows, last])]
    home = home_of(tmp_path, {"K1/a.csv": as_csv(lines)}, label=label, interval=10)
    found = made(home)["cems_minute"] + made(home, "2026-09-23")["cems_minute"]
    assert [(r["data_time"] - START).total_seconds() / 60 - moved for r in found] == [r["pm_avg"] for r in found]
    notes = made(home)["arrivals"][0]["notes"]
    assert notes is None if not moved else "24:00 occurs and 00:00 nowhere" in notes and "-10 min" in notes


def test_hour_24_of_a_workbook_is_held_against_all_its_rows(tmp_path: Path) -> None:
    lines: list[list[object]] = [["监测时间", "颗粒物"], ["2026-09-21 24:00", 0.0]]
    lines += [[t, (t - START).seconds / 60] for t in stamps(START, 144, 10)[1:]]
    both = home_of(tmp_path / "b", {"K1/a.xlsx": as_xlsx({"a": [*lines, [START, 0.0]]})}, label="start", interval=10)
    assert made(both)["cems_minute"][1]["data_time"] == START + dt.timedelta(minutes=10)
    alone = home_of(tmp_path / "a", {"K1/a.xlsx": as_xlsx({"a": lines})}, label="start", interval=10)
    assert made(alone)["cems_minute"][0]["data_time"] == START


@pytest.mark.parametrize("head", ["map", "begin", "span"])
def test_a_label_of_the_files_own_is_told_where_the_device_says_another(tmp_path: Path, head: str) -> None:
    cells = {"map": ["{h}:00"], "begin": ["{h}:00", "{n}:00"], "span": ["{h}~{n}"]}[head]
    header = ["开始时间", "结束时间"] if head == "begin" else ["监测时间"]
    lines = [[*header, "颗粒物"]]
    lines += [[*(f"2026-09-22 {c.format(h=h, n=h + 1)}" for c in cells), f"{h}"] for h in range(5, 9)]
    files = {"K1/a.csv": as_csv(lines)} | ({"K1/columns.toml": b'label = "start"'} if head == "map" else {})
    tables = made(home_of(tmp_path / "e", files, label="end"))
    assert [(r["data_time"].hour, r["pm_avg"]) for r in tables["cems_reported"]] == [(h + 1, h) for h in range(5, 9)]
    assert "moves by +60 min" in tables["arrivals"][0]["notes"]
    assert made(home_of(tmp_path / "s", files, label="start"))["arrivals"][0]["notes"] is None


def test_one_span_among_plain_times_moves_no_row(tmp_path: Path) -> None:
    files = ten_minutes([("2026-09-22 10:00~11:00", 7.0)], first=True)
    tables = made(home_of(tmp_path, files, label="end", interval=10))
    assert [(r["data_time"] - START).seconds / 60 for r in tables["cems_minute"]] == [
        r["pm_avg"] for r in tables["cems_minute"]
    ]
    assert [r["reason"] for r in tables["cems_quarantine"]] == ["bad_data_time"]


def test_days(tmp_path: Path) -> None:
    lines = [["日期", "颗粒物日均值"], ["2026-09-21", "1"], ["2026-09-22", "2"], ["合计", "3"]]
    rows = made(home_of(tmp_path, {"K1/a.csv": as_csv(lines)}))["cems_reported"]
    assert [(r["cn"], r["data_time"], r["pm_avg"]) for r in rows] == [(2031, START, 2.0)]


def test_the_devices_dates_decide(tmp_path: Path) -> None:
    devices = [device("X", "K1", until="2026-09-22"), device("Z", "K1", since="2026-09-22")]
    lines = [["时间", "颗粒物"], ["2026-09-21 23:58", "1"], ["2026-09-21 23:59", "2"], ["2026-09-22 00:00", "3"]]
    home = write_home(tmp_path, {"K1/a.csv": as_csv(lines)}, outlets=[outlet()], devices=devices)
    assert [(r["mn"], r["pm_avg"]) for r in made(home)["cems_minute"]] == [("Z", 3.0)]
    assert [r["mn"] for r in made(home, "2026-09-21")["cems_minute"]] == ["X", "X"]


def test_a_line_that_one_outlet_keeps_and_another_refuses_counts_once(tmp_path: Path) -> None:
    devices = [device(), device("Y", "K2", until="2026-01-01")]
    lines = table([["时间", "K1颗粒物", "K1含氧量", "K2颗粒物", "K2含氧量"]])
    home = write_home(tmp_path, {"a.csv": as_csv(lines)}, outlets=[outlet(), outlet("K2")], devices=devices)
    tables = made(home)
    assert [r["outlet_id"] for r in tables["cems_minute"]] == ["K1"] * 3
    assert [r["reason"] for r in tables["cems_quarantine"]] == ["mn_not_in_force"] * 3
    assert [tables["arrivals"][0][n] for n in ("lines_data", "lines_refused")] == [3, 0]


# ---- lines that are refused -----------------------------------------------------------------------------------------------------------


def test_bad_lines_are_kept_whole_and_the_rest_goes_on(tmp_path: Path) -> None:
    content = (
        "时间,颗粒物,含氧量\r\n2026-09-22 00:00,1.0,10\r\n坏,2.0,10\r\n2026-09-22 00:02,3.0\r\n2026-09-22 00:03,4,5,6\r\n"
        '2026-09-22 00:04,"5.0,10\r\n1999-01-01 00:00,6.0,10\r\n\r\n时间,颗粒物,含氧量\r\n2026-09-22 00:08,9.0,10\r\n2026-09-22 00:09,9.5,10\r\n合计,10.0,20\r\n备注：略\r\n'
    ).encode()
    tables = made(home_of(tmp_path, {"K1/a.csv": content}))
    assert [r["pm_avg"] for r in tables["cems_minute"]] == [1.0, 9.0, 9.5]
    assert sorted((r["reason"], r["content"].decode()) for r in tables["cems_quarantine"]) == [
        ("bad_data_time", "坏,2.0,10"), ("bad_line", '2026-09-22 00:02,3.0'), ("bad_line", "2026-09-22 00:03,4,5,6"),
        ("bad_line", '2026-09-22 00:04,"5.0,10'), ("data_time_window", "1999-01-01 00:00,6.0,10"),
    ]  # fmt: skip
    arrival = tables["arrivals"][0]
    assert [arrival[n] for n in ("lines", "lines_data", "lines_refused", "lines_other")] == [13, 3, 5, 5]
    assert arrival["text_bytes"] == len(content)
    for row in tables["cems_quarantine"]:
        assert content[row["src_offset"] :].startswith(row["content"])


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_whatever_happens_to_a_file_its_bytes_and_lines_add_up(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(
        as_csv(
            table([["时间", "颗粒物(mg/m³)", "含氧量"]], lines=12),
            encoding=data.draw(st.sampled_from(["utf-8", "gb18030"])),
        )
    )
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    made(home_of(tmp_path_factory.mktemp("h"), {"K1/a.csv": bytes(content)}))


# ---- files that are refused -----------------------------------------------------------------------------------------------------------

GOOD = table([["时间", "颗粒物"]])
REFUSED: dict[str, tuple[dict[str, bytes], dict[str, Any], str]] = {
    "no time column": ({"K1/a.csv": b"a,b\n1,2\n"}, {}, "no time column; columns seen: a, b; time columns known: 监测时间"),
    "no measured column": ({"K1/a.csv": as_csv([["时间", "窑速"], ["2026-09-22 00:00", "1"]])}, {}, "columns seen: 时间, 窑速"),
    "same meaning twice": ({"K1/a.csv": as_csv(table([["时间", "颗粒物", "烟尘"]]))}, {}, "'颗粒物' and '烟尘'"),
    "nobody": ({"a.csv": as_csv(GOOD)}, {}, "nothing says whose data these are"),
    "unknown outlets": ({"a.csv": as_csv(table([["时间", "甲", None, "乙", None], [None, "颗粒物", "含氧量", "颗粒物", "含氧量"]]))}, {}, "(甲, 乙)"),
    "unreadable times": ({"K1/a.csv": as_csv([["时间", "颗粒物"], ["22/09/2026 18:00", "1"]])}, {}, "22/09/2026 18:00"),
    "interval": ({"K1/a.csv": as_csv(table([["时间", "颗粒物"]], minutes=5))}, {}, "a row stands for 5 min, the device row of X says 1"),
    "odd interval": ({"K1/a.csv": as_csv(table([["时间", "颗粒物"]], minutes=7))}, {}, "lines lie 7 min apart"),
    "single line": ({"K1/a.csv": as_csv(GOOD[:2])}, {}, "a single line does not tell"),
    "auto label": ({"K1/a.csv": as_csv([["时间", "颗粒物"], ["2026-09-22 1~2", "1"], ["2026-09-22 2~3", "1"]])}, {"label": "auto"}, "names the start"),
    "empty": ({"K1/a.csv": b""}, {}, "the file is empty"),
    "one column": ({"K1/a.csv": b"abc\ndef\n"}, {}, "no separator"),
    "web page": ({"K1/a.xls": b"<html><table><tr><td>1</td></tr></table></html>"}, {}, "holds a web page or XML"),
    "xml workbook": ({"K1/a.xls": b"\xef\xbb\xbf<?xml version='1.0'?><Workbook/>"}, {}, "save it as .xlsx"),
    "no workbook": ({"K1/a.xlsx": b"hello"}, {}, "it is no Excel or Parquet file"),
    "cut workbook": ({"K1/a.xlsx": as_xlsx({"a": GOOD})[:-200]}, {}, "damaged"),
    "flipped workbook": ({"K1/a.xlsx": bytes(b ^ (i == 700) for i, b in enumerate(as_xlsx({"a": GOOD})))}, {}, "the file is damaged"),
    "other archive": ({"K1/a.xlsx": b"PK\x03\x04"}, {}, "damaged"),
    "password": ({"K1/a.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")}, {}, "protected by a password"),
    "empty workbook": ({"K1/a.xlsx": as_xlsx({"a": []})}, {}, "no sheet can be read"),
    "merged data": ({"K1/a.xlsx": b""}, {}, "merged cells among its data"),
    "cut parquet": ({"K1/a.parquet": as_parquet({"data_time": [START], "pm_avg": [1.0]})[:-9]}, {}, "the Parquet file cannot be read"),
    "nested parquet": ({"K1/a.parquet": as_parquet({"data_time": [START], "pm_avg": [[1.0]]})}, {}, "nested columns"),
    "compressed workbook": ({"K1/a.xlsx.gz": gzip.compress(as_xlsx({"a": GOOD}))}, {}, "send the file itself"),
    "no such unit": ({"K1/a.csv": as_csv(GOOD), "K1/a.map.toml": b"[column]\n"}, {}, "K1/a.map.toml is wrong: column"),
    "broken map": ({"K1/a.csv": as_csv(GOOD), "columns.toml": b"= 1"}, {}, "is no TOML"),
    "map of nobody": ({"a.csv": as_csv(GOOD), "columns.toml": b'mn = "Q"'}, {}, "'Q', which the registry does not know"),
    "map of no column": ({"K1/a.csv": as_csv(GOOD), "columns.toml": '[columns]\n"颗粒物" = "pm"'.encode()}, {}, "names 'pm' for '颗粒物'"),
}  # fmt: skip
REFUSED["merged data"] = (
    {
        "K1/a.xlsx": as_xlsx(
            {"a": [["日期", "小时", "颗粒物"], ["2026-09-22", 0, 1], [None, 1, 2]]}, [(1, 0, 2, 0, DAY)]
        )
    },
    {},
    "merged cells among its data",
)


@pytest.mark.parametrize(("files", "more", "said"), REFUSED.values(), ids=REFUSED)
def test_a_refused_file_says_why_and_costs_only_itself(
    tmp_path: Path, files: dict[str, bytes], more: dict[str, Any], said: str
) -> None:
    files = {k.removeprefix("cems/"): v for k, v in files.items()}
    assert said in refusal(tmp_path, files, **more)


def test_two_devices_of_one_outlet_have_to_be_told_apart(tmp_path: Path) -> None:
    files = {"K1/a.csv": as_csv(GOOD)}
    home = write_home(tmp_path, files, outlets=[outlet()], devices=[device(), device("Z", "K1")])
    assert "several devices at once" in made(home)["arrivals"][0]["reason"]


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 5_000_000)
    monkeypatch.setattr(exports_guard, "LARGEST_UNPACKED", 1_000_000)
    monkeypatch.setattr(exports_guard, "_look_through", lambda *_: pytest.fail("unpacked"))
    assert "it unpacks to 4 MB" in refusal(tmp_path, {"K1/a.xlsx": out.getvalue()})


def test_formulas_that_were_never_calculated_are_named(tmp_path: Path) -> None:
    book = as_xlsx({"a": [["时间", "颗粒物"], [START, "=A1+1"], [START + dt.timedelta(minutes=1), 2.0]]})
    assert "the formula in cell B2 has no calculated value" in refusal(tmp_path, {"K1/a.xlsx": book})


def test_a_refused_file_is_read_again_when_the_registry_or_its_map_knows_more(tmp_path: Path) -> None:
    home = home_of(tmp_path, {"K9/a.csv": as_csv(GOOD)})
    assert made(home)["arrivals"][0]["state"] == "refused"
    assert home.intake.pending() == []
    (tmp_path / "landing/cems/K9/columns.toml").write_text('outlet = "K1"')
    again = Home(home.settings)
    assert [e.key for e in again.intake.pending()] == ["cems/K9/a.csv"]
    assert [r["mn"] for r in made(again)["cems_minute"]] == ["X"] * 3
    with (tmp_path / "registry/devices.csv").open("a") as file:
        file.write(device("Z", "K9") + "\n")
    with (tmp_path / "registry/outlets.csv").open("a") as file:
        file.write(outlet("K9") + "\n")
    (tmp_path / "landing/cems/K9/columns.toml").unlink()
    assert [r["mn"] for r in made(Home(home.settings))["cems_minute"]] == ["Z"] * 3


# ---- the map file -----------------------------------------------------------------------------------------------------------------


def test_a_map_file_goes_before_the_common_words(tmp_path: Path) -> None:
    lines = [
        ["T", "测点甲", "流", "备注", "颗粒物"],
        ["2026-09-22 00:00", "1.5", "32.5", "x", "-5"],
        ["2026-09-22 00:01", "-5", "33", "x", "待机"],
    ]
    said = """
mn = "Y"
label = "start"
missing = [-5]
skip = ["备注"]
[columns]
"T" = "data_time"
"测点甲" = "so2_avg"
"流" = "flow_avg"
[units]
"流" = "万m3/h"
[flags]
"待机" = "F"
"""
    tables = made(home_of(tmp_path, {"K1/a.csv": as_csv(lines), "K1/a.map.toml": said.encode()}))
    assert [(r["mn"], r["so2_avg"], r["flow_avg"], r["pm_avg"], r["pm_flag"]) for r in tables["cems_minute"]] == [
        ("Y", 1.5, 325000.0, None, None), ("Y", None, 330000.0, None, "F"),
    ]  # fmt: skip
    assert not tables["cems_other"]
    assert len(tables["arrivals"]) == 1, "a map file is no arrival"


def test_a_map_names_the_outlets_of_an_export(tmp_path: Path) -> None:
    lines = table([["时间", "1#窑尾", None, "1#窑头", None], [None, "颗粒物", "含氧量", "颗粒物", "含氧量"]])
    said = '[outlets]\n"1#窑尾" = "K1"\n"1#窑头" = "Y"\n'
    tables = made(home_of(tmp_path, {"a.csv": as_csv(lines), "columns.toml": said.encode()}))
    assert [r["outlet_id"] for r in tables["cems_minute"]] == ["K1"] * 3 + ["K2"] * 3


def test_the_nearer_map_goes_before_the_farther_one() -> None:
    maps = {
        "cems/columns.toml": b'mn = "A"\nlabel = "end"',
        "cems/K1/columns.toml": b'mn = "B"',
        "cems/K1/a.map.toml": b'mn = "C"',
    }
    assert [read_map(f"cems/{k}", maps).mn for k in ("K1/a.csv.gz", "K1/b.csv", "c.csv")] == ["C", "B", "A"]
    assert {read_map(f"cems/{k}", maps).label for k in ("K1/a.csv", "K1/b.csv", "c.csv")} == {"end"}


# ---- workbooks and Parquet ----------------------------------------------------------------------------------------------------------

VALUES = [[3.25, 120.5, 10.1], [3.5, None, 10.25], [0.125, 88.0, 9.875], [-0.5, 1e-3, 20.9]]
HEADER = ["监测时间", "颗粒物实测浓度(mg/m³)", "氮氧化物折算浓度(mg/m³)", "含氧量(%)"]
WITHOUT_SOURCE = {"src_file", "src_offset"}


def same_data() -> dict[str, bytes]:
    times = stamps(START, 4, 1)
    cells = [
        [f"{t:%Y-%m-%d %H:%M:%S}", *(None if v is None else f"{v:.0f}" if v == int(v) else repr(v) for v in r)]
        for t, r in zip(times, VALUES, strict=True)
    ]
    typed = [[t, *r] for t, r in zip(times, VALUES, strict=True)]
    named = {
        "data_time": times,
        "pm_avg": [r[0] for r in VALUES],
        "nox_zs_avg": [r[1] for r in VALUES],
        "o2_avg": [r[2] for r in VALUES],
    }
    chinese = dict(zip(HEADER, named.values(), strict=True))
    return {
        "K1/a.csv": as_csv([HEADER, *cells]), "K1/a.xlsx": as_xlsx({"数据": [HEADER, *typed]}), "K1/a.parquet": as_parquet(named),
        "K1/b.parquet": as_parquet(chinese), "K1/b.xlsx": as_xlsx({"说明": [["本表由平台导出"]], "数据": [["标题"], HEADER, *typed], "空": []}),
    }  # fmt: skip


def test_csv_workbook_and_parquet_of_the_same_data_give_the_same_rows(tmp_path: Path) -> None:
    found = {}
    for n, (name, content) in enumerate(same_data().items()):
        tables = made(home_of(tmp_path / str(n), {name: content}))
        found[name] = [{k: v for k, v in r.items() if k not in WITHOUT_SOURCE} for r in tables["cems_minute"]]
    assert [r["pm_avg"] for r in found["K1/a.csv"]] == [3.25, 3.5, 0.125, -0.5]
    assert all(rows == found["K1/a.csv"] for rows in found.values()), found


@pytest.mark.parametrize(("name", "places"), [("K1/a.xlsx", [2, 3, 4, 5]), ("K1/a.parquet", [1, 2, 3, 4]), ("K1/b.xlsx", [2_000_003 + n for n in range(4)])])  # fmt: skip
def test_the_place_of_a_row_is_its_number(tmp_path: Path, name: str, places: list[int]) -> None:
    tables = made(home_of(tmp_path, {name: same_data()[name]}))
    assert [r["src_offset"] for r in tables["cems_minute"]] == places
    arrival = tables["arrivals"][0]
    assert (arrival["kind"], arrival["text_bytes"], arrival["lines_data"]) == (
        "parquet" if "parquet" in name else "excel",
        None,
        4,
    )


def test_a_workbook_with_merged_headers_and_a_sheet_for_each_outlet(tmp_path: Path) -> None:
    book = as_xlsx(
        {"K1": [["数据", None, None], ["时间", None, None], [None, "实测", "折算"], *[[t, 1.5, 2.5] for t in stamps(START, 3, 1)]],
         "窑头K2": [["时间", "颗粒物"], *[[t, 3.5] for t in stamps(START, 3, 1)]]},
        [(0, 0, 0, 2, "数据"), (1, 0, 2, 0, "时间"), (1, 1, 1, 2, "颗粒物(mg/m3)")],
    )  # fmt: skip
    rows = made(home_of(tmp_path, {"a.xlsx": book}))["cems_minute"]
    assert [(r["outlet_id"], r["pm_avg"], r["pm_zs_avg"]) for r in rows] == [("K1", 1.5, 2.5)] * 3 + [
        ("K2", 3.5, None)
    ] * 3


def test_a_spreadsheets_numbers_come_back_exactly(tmp_path: Path) -> None:
    odd = [0.1234567890123456, 12.30000000000001, 1e-7, 2.693284704000001]
    book = as_xlsx({"a": [["时间", "颗粒物"], *[[t, v] for t, v in zip(stamps(START, 4, 1), odd, strict=True)]]})
    tables = made(home_of(tmp_path, {"K1/a.xlsx": book}))
    assert [r["pm_avg"] for r in tables["cems_minute"]] == odd
    assert [r["pm_dp"] for r in tables["cems_minute"]] == [15] * 4
    assert not tables["cems_other"]


def test_spreadsheet_days_a_little_off_the_second_are_on_it(tmp_path: Path) -> None:
    serial = [46287 + (n / 1440) + 1e-9 for n in range(3)]
    book = as_xlsx({"a": [["时间", "颗粒物"], *[[s, 1.5] for s in serial]]})
    rows = made(home_of(tmp_path, {"K1/a.xlsx": book}))["cems_minute"]
    assert [r["data_time"] for r in rows] == stamps(START, 3, 1)


def test_parquet_times_with_a_zone_are_beijings(tmp_path: Path) -> None:
    utc = [t.replace(tzinfo=dt.UTC) - dt.timedelta(hours=8) for t in stamps(START, 3, 1)]
    rows = made(
        home_of(tmp_path, {"a.parquet": as_parquet({"data_time": utc, "mn": ["X"] * 3, "pm_avg": ["1.50"] * 3})})
    )["cems_minute"]
    assert [(r["data_time"], r["pm_dp"]) for r in rows] == [(t, 2) for t in stamps(START, 3, 1)]


# ---- several files --------------------------------------------------------------------------------------------------------------------


def test_equal_bytes_in_two_outlets_folders_are_two_exports(tmp_path: Path) -> None:
    content = as_csv([["时间", "颗粒物"], *[[f"2026-09-22 00:0{m}", "停运"] for m in range(3)], ["坏", "x"]])
    tables = made(home_of(tmp_path, {"K1/a.csv": content, "K2/a.csv": content, "K2/copy.csv": content}))
    assert [(r["outlet_id"], r["pm_flag"]) for r in tables["cems_minute"]] == [("K1", "F")] * 3 + [("K2", "F")] * 3
    assert [a["state"] for a in tables["arrivals"]] == ["read", "read", "copy"]
    assert len(tables["cems_quarantine"]) == 2


def test_a_fuller_export_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "landing/cems/K1/month.xlsx"
    home = home_of(
        tmp_path, {"K1/month.xlsx": as_xlsx({"a": [["时间", "颗粒物"], *[[t, 1.5] for t in stamps(START, 3, 1)]]})}
    )
    assert [r["pm_avg"] for r in made(home)["cems_minute"]] == [1.5] * 3
    path.write_bytes(as_xlsx({"a": [["时间", "颗粒物"], *[[t, 2.5] for t in stamps(START, 5, 1)]]}))
    tables = made(Home(home.settings))
    assert [r["pm_avg"] for r in tables["cems_minute"]] == [2.5] * 5
    assert [a["state"] for a in tables["arrivals"]] == ["read"]
    assert not tables["cems_quarantine"]


def test_another_days_export_under_the_same_name_replaces_nothing(tmp_path: Path) -> None:
    home = home_of(tmp_path, {"K1/day.csv": as_csv(table([["时间", "颗粒物"]]))})
    made(home)
    later = as_csv([["时间", "颗粒物"], ["2026-09-23 00:00", "7"], ["2026-09-23 00:01", "8"]])
    (tmp_path / "landing/cems/K1/day.csv").write_bytes(later)
    assert [r["pm_avg"] for r in made(Home(home.settings))["cems_minute"]] == [1.5] * 3
    assert [r["pm_avg"] for r in made(Home(home.settings), "2026-09-23")["cems_minute"]] == [7.0, 8.0]
