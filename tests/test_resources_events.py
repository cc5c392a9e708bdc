"""Declarations read and settled: cells, rows, files, versions of one event, overlaps, and the slow twin of settling."""

from __future__ import annotations

import os
import random
import time
from datetime import date, datetime, timedelta
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.events import FINDINGS, MARKS, STATES
from resources.events import OPEN, DeviceMark, EventBook, Finding, ProcessState
from resources.events_file import LONGEST_RECORD
from resources.events_read import read_events
from resources.events_rows import Subjects
from resources.events_terms import Terms
from resources.events_words import load_words, time_of, word_table
from resources.findings import FindingError, load_findings, quoted
from resources.registry import Registry
from resources.rules import RuleBook
from resources.rules_rows import RuleError
from resources.storage import LocalStorage
from tests.homes import DEVICES, LINES, OUTLETS, PLANTS, outlet

HEAD = "event_id,line_id,state,start,end,declared_at,evidence"
MARK_HEAD = "event_id,outlet_id,channel,mark,start,end,last_calibration_at,declared_at"
KINDS = load_findings()


@cache
def registry() -> Registry:
    """Two lines of one plant and one of another, which has been in force since 2020 only."""
    return Registry.from_tables({
        "plants.csv": PLANTS + "P2,乙厂(模拟),Synthetic Plant Two,,,贵州,遵义,27.7,106.9,101.3,general,2016-01-01,\n",
        "lines.csv": LINES + "L2,P1,portland,2500,2016-01-01,\nM1,P2,portland,2500,2020-01-01,2030-01-01\n",
        "outlets.csv": OUTLETS + f"{outlet()}\nK2,P2,M1,kiln_tail,12,1,,ammonia,2020-01-01,2030-01-01\n",
        "devices.csv": DEVICES,
    })  # fmt: skip


@cache
def rules() -> RuleBook:
    return RuleBook.load()


def book(*files: str | bytes, **named: str | bytes) -> EventBook:
    """The book of a landing zone with these files below events/: 0.csv, 1.csv …, or by name (`_` stands for a dot)."""
    contents = {f"{n}.csv": content for n, content in enumerate(files)}
    contents |= {name.replace("_", "."): content for name, content in named.items()}
    with TemporaryDirectory() as root:
        for name, content in contents.items():
            path = Path(root) / "events" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_events(LocalStorage(root), registry(), rules())


def states(*rows: str) -> str:
    return "\n".join((HEAD, *rows)) + "\n"


def marks(*rows: str) -> str:
    return "\n".join((MARK_HEAD, *rows)) + "\n"


def checks(of: EventBook) -> list[str]:
    return sorted(f.check_id for f in of.findings)


def only(of: EventBook, check: str) -> Finding:
    (found,) = [f for f in of.findings if f.check_id == check]
    return found


def spans(of: EventBook) -> list[tuple[str, str, datetime, datetime]]:
    return [(s.event_id, s.state, s.begin, s.end) for s in of.states]


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute)


# ---- cells -----------------------------------------------------------------------------------------------------------------

HALF_PAST_EIGHT = datetime(2026, 3, 1, 8, 30)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-03-01 08:30", HALF_PAST_EIGHT),
        ("2026-03-01 08:30:15", HALF_PAST_EIGHT + timedelta(seconds=15)),
        ("2026-03-01 08:30:15.250", HALF_PAST_EIGHT + timedelta(seconds=15)),
        ("2026-03-01T08:30", HALF_PAST_EIGHT),
        ("2026-03-01t08:30:00", HALF_PAST_EIGHT),
        ("2026-03-01T08:30:00+08:00", HALF_PAST_EIGHT),
        ("2026/3/1 8:30", HALF_PAST_EIGHT),
        ("2026/03/01  8:30:00", HALF_PAST_EIGHT),
        ("2026.3.1 8:30", HALF_PAST_EIGHT),
        ("2026/3/1 8:30 AM", HALF_PAST_EIGHT),
        ("2026/3/1 8:30 pm", HALF_PAST_EIGHT + timedelta(hours=12)),
        ("2026/3/1 下午8:30", HALF_PAST_EIGHT + timedelta(hours=12)),
        ("2026/3/1 12:30 AM", datetime(2026, 3, 1, 0, 30)),
        ("2026年3月1日8时30分", HALF_PAST_EIGHT),
        ("2026年3月1日 8时", datetime(2026, 3, 1, 8)),
        ("２０２６－０３－０１　０８：３０", HALF_PAST_EIGHT),
        ("20260301083000", HALF_PAST_EIGHT),
        ("202603010830", HALF_PAST_EIGHT),
        ("46082.3541666667", HALF_PAST_EIGHT),
        ("2026-02-28 24:00", datetime(2026, 3, 1)),
        ("2028-02-29 00:00", datetime(2028, 2, 29)),
    ],
)
def test_times_are_read_as_people_and_spreadsheets_write_them(text: str, meant: datetime) -> None:
    assert time_of(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01", "2026/3/1", "46082", "08:30", "2026-03-01 8", "2026-03-01 8:", "2026-02-29 08:30", "2026-13-01 08:30",
        "2026-03-01 24:01", "2026-03-01 25:00", "2026-03-01 08:60", "3/1/2026 8:30", "2026-03-01 08:30Z",
        "2026-03-01 08:30+00:00", "2026-3-108:30", "1026-03-01 08:30", "2206-03-01 08:30", "20261301083000",
        "2026/3/1 13:30 PM", "2026/3/1 0:30 AM", "明天", "-", "99999.5", "NaN",
    ],
)  # fmt: skip
def test_what_is_no_time_of_day_is_not_guessed(text: str) -> None:
    assert time_of(text) is None


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31, 23, 59, 59)), st.integers(0, 4))
def test_a_time_comes_back_from_every_spelling(moment: datetime, spelling: int) -> None:
    moment = moment.replace(microsecond=0)
    plain = (
        f"{moment:%Y-%m-%d %H:%M:%S}", f"{moment:%Y-%m-%dT%H:%M:%S}", f"{moment:%Y%m%d%H%M%S}",
        f"{moment.year}/{moment.month}/{moment.day} {moment.hour}:{moment:%M:%S}",
        f"{moment.year}年{moment.month}月{moment.day}日{moment.hour}时{moment.minute}分{moment.second}秒",
    )  # fmt: skip
    assert time_of(plain[spelling]) == moment


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("running", "running"), ("正常", "running"), ("Cold Start", "cold_start"), ("cold-start", "cold_start"),
        ("冷点火", "cold_start"), ("HOT_START", "hot_start"), ("热点火", "hot_start"), ("停窑", "shutdown"),
        ("停运", "stopped"), ("闷窑", "banked"), (" Banked ", "banked"),
    ],
)  # fmt: skip
def test_states_by_any_of_their_names(text: str, meant: str) -> None:
    made = book(states(f"E1,L1,{text},2026-03-01 08:00,2026-03-01 09:00,2026-03-01 10:00,"))
    assert [s.state for s in made.states] == [meant]
    assert not made.findings


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("点火", "cold_start 冷点火, hot_start 热点火"),
        ("stopt", "stopped 停运"),
        ("停运中", "stopped 停运"),
        ("闷", "banked 闷窑"),
    ],
)
def test_an_unknown_state_is_told_with_the_nearest_and_with_chinese_words(text: str, near: str) -> None:
    found = only(book(states(f"E1,L1,{text},2026-03-01 08:00,2026-03-01 09:00,2026-03-01 10:00,")), "E08_unknown_state")
    assert f"最接近的是 {near}；填写其一: running 正常, cold_start 冷点火" in found.text_zh
    assert f"nearest is {near}; use one of" in found.text_en


@pytest.mark.parametrize(
    ("channel", "mark", "said"),
    [("all", "断电了", "最接近的是 D 故障；填写其一: C 校准, M 维护"), ("all", "Z", "；填写其一: C 校准, M 维护"),
     ("nox;氮氧化合物", "M", "最接近的是 nox 氮氧化物；填写 all，或其中若干:")],
    ids=["mark", "mark-like-none", "channel"],
)  # fmt: skip
def test_an_unknown_mark_or_channel_is_told_with_the_nearest(channel: str, mark: str, said: str) -> None:
    (found,) = book(marks(f"E1,K1,{channel},{mark},2026-03-01 08:00,,,2026-03-01 09:00")).findings
    assert said in found.text_zh


@pytest.mark.parametrize("text", ["启窑", "点火", "St", "F", "stopt", "停机"])
def test_a_state_that_leaves_open_what_is_meant_is_not_guessed(text: str) -> None:
    made = book(states(f"E1,L1,{text},2026-03-01 08:00,2026-03-01 09:00,2026-03-01 10:00,"))
    assert not made.states
    found = only(made, "E08_unknown_state")
    assert (found.source_file, found.source_cell, found.value) == ("events/0.csv", "2[state]", text)
    assert "cold_start" in found.text_zh
    assert "cold_start" in found.text_en


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("nox", ["nox"]), ("NOx", ["nox"]), ("氮氧化物", ["nox"]), ("ＮＯｘ", ["nox"]), ("a21002", ["nox"]), ("A21002", ["nox"]),
        ("S01", ["o2"]), ("烟气流量", ["flow"]), ("SO₂", ["so2"]), ("so2;NOx", ["nox", "so2"]), ("颗粒物、SO2", ["pm", "so2"]),
        ("", ["all"]), ("all", ["all"]), ("全部", ["all"]), ("nox; all", ["all"]),
    ],
)  # fmt: skip
def test_channels_by_name_and_by_code(text: str, meant: list[str]) -> None:
    made = book(marks(f"E1,K1,{text},故障,2026-03-01 08:00,2026-03-01 09:00,,2026-03-01 10:00"))
    assert [m.channel for m in made.marks] == meant
    assert not made.findings


def test_a_word_stands_for_one_thing_only() -> None:
    with pytest.raises(RuleError, match="stands for both C"):
        word_table("marks", MARKS, {"C": ["x"], "M": ["X"]})
    with pytest.raises(RuleError, match="unknown names: Q"):
        word_table("marks", MARKS, {"Q": []})
    assert set(load_words().states.values()) == set(STATES)
    assert set(load_words().marks.values()) == set(MARKS)


# ---- rows ------------------------------------------------------------------------------------------------------------------

GOOD = "E9,L2,stopped,2026-03-01 08:00,2026-03-02 08:00,2026-03-01 09:00,"
GOOD_MARK = "E9,K2,all,M,2026-03-01 08:00,2026-03-02 08:00,,2026-03-01 09:00"


@pytest.mark.parametrize(
    ("row", "check", "cell", "value"),
    [
        (",L1,stopped,2026-03-01 08:00,,2026-03-01 09:00,", "E05_empty_cell", "[event_id]", ""),
        ("E1,,stopped,2026-03-01 08:00,,2026-03-01 09:00,", "E05_empty_cell", "[line_id]", ""),
        ("E1,L1,,2026-03-01 08:00,,2026-03-01 09:00,", "E05_empty_cell", "[state]", ""),
        ("E1,L1,stopped,,,2026-03-01 09:00,", "E05_empty_cell", "[start]", ""),
        ("E1,L1,stopped,2026-03-01,,2026-03-01 09:00,", "E06_unreadable_time", "[start]", "2026-03-01"),
        ("E1,L1,stopped,2026-03-01 08:00,soon,2026-03-01 09:00,", "E06_unreadable_time", "[end]", "soon"),
        ("E1,L1,stopped,2026-03-01 08:00,2026-03-01 08:00,,", "E13_end_before_start", "[end]", "2026-03-01 08:00"),
        ("E1,L1,halted,2026-03-01 08:00,,2026-03-01 09:00,", "E08_unknown_state", "[state]", "halted"),
        ("E1,L7,stopped,2026-03-01 08:00,,2026-03-01 09:00,", "E11_unknown_line", "[line_id]", "L7"),
        ("E1,L1,stopped,2026-03-01 08:00,2026-03-01 09:00", "E04_broken_row", "", None),
        ("E1,L1,stopped,2026-03-01 08:00,,2026-03-01 09:00,a,b", "E04_broken_row", "", None),
        ('E1,L1,"stopped,2026-03-01 08:00,,,', "E04_broken_row", "", None),
    ],
    ids=lambda v: v if isinstance(v, str) and v[:1] == "E" and v[1:3].isdigit() else "",
)
def test_a_bad_row_costs_only_itself(row: str, check: str, cell: str, value: str | None) -> None:
    made = book(states(row, "", GOOD))
    assert [s.event_id for s in made.states] == ["E9"]
    (found,) = made.findings
    assert (found.check_id, found.source_file, found.source_cell) == (check, "events/0.csv", f"2{cell}")
    assert found.value == (row if value is None else value)
    assert KINDS[check].remedy_zh.replace("{near_zh}", "")[:4] in found.text_zh
    assert found.text_en


@pytest.mark.parametrize(
    ("row", "check", "cell"),
    [
        ("E1,K7,all,M,2026-03-01 08:00,,,2026-03-01 09:00", "E12_unknown_outlet", "[outlet_id]"),
        ("E1,K1,all,Z,2026-03-01 08:00,,,2026-03-01 09:00", "E09_unknown_mark", "[mark]"),
        ("E1,K1,radon,M,2026-03-01 08:00,,,2026-03-01 09:00", "E10_unknown_channel", "[channel]"),
        ("E1,K1,nox;radon,M,2026-03-01 08:00,,,2026-03-01 09:00", "E10_unknown_channel", "[channel]"),
    ],
)
def test_a_bad_row_of_marks_costs_only_itself(row: str, check: str, cell: str) -> None:
    made = book(marks(row, GOOD_MARK))
    assert [m.event_id for m in made.marks] == ["E9"]
    (found,) = made.findings
    assert (found.check_id, found.source_cell) == (check, f"2{cell}")


def test_every_bad_cell_of_a_row_is_named() -> None:
    made = book(states("E1,L7,halted,soon,later,2026-03-01 09:00,"))
    assert checks(made) == ["E06_unreadable_time", "E06_unreadable_time", "E08_unknown_state", "E11_unknown_line"]


def test_a_time_that_may_be_missing_does_not_cost_the_row() -> None:
    made = book(
        states("E1,L1,stopped,2026-03-01 08:00,2026-03-01 09:00,yesterday,"),
        marks("E1,K1,nox,OOC,2026-03-01 08:00,2026-03-01 09:00,in March,2026-03-01 09:00"),
    )
    assert made.states[0].declared_at is None
    assert made.states[0].late
    assert made.marks[0].last_calibration_at is None
    told = [f for f in made.findings if f.check_id == "E07_unreadable_optional_time"]
    assert {(f.source_cell, f.value) for f in told} == {
        ("2[declared_at]", "yesterday"),
        ("2[last_calibration_at]", "in March"),
    }


def test_an_unclosed_quote_costs_its_own_line_and_a_quoted_break_none() -> None:
    many = [f"E{n},L1,running,2026-03-{n:02d} 00:00,2026-03-{n:02d} 12:00,," for n in range(1, 29)]
    made = book(states('X,L1,"stopped,2026-03-01 08:00,,,', *many))
    assert len(made.states) == len(many) > LONGEST_RECORD
    assert only(made, "E04_broken_row").source_cell == "2"
    made = book(
        states('E1,L1,stopped,2026-03-01 08:00,2026-03-01 09:00,2026-03-01 09:30,"检修, 见\n第 3 页 ""附件"""', GOOD)
    )
    assert [(s.event_id, s.evidence, s.src_line) for s in made.states] == [
        ("E1", '检修, 见\n第 3 页 "附件"', 2), ("E9", "", 4),
    ]  # fmt: skip


def test_a_quote_that_closes_on_a_later_line_takes_no_row_along() -> None:
    made = book(states('X,L1,"stop', 'ped",2026-03-01 08:00,,2026-03-01 09:00,', GOOD))
    assert [s.event_id for s in made.states] == ["E9"]
    assert [f.source_cell for f in sorted(made.findings, key=lambda f: f.source_cell or "")] == ["2", "3"]
    note = "\n".join("x" * LONGEST_RECORD)
    made = book(states(f'E1,L1,stopped,2026-03-01 08:00,,2026-03-01 09:00,"{note}\n"', GOOD))
    assert [s.event_id for s in made.states] == ["E9"]
    assert set(checks(made)) == {"E04_broken_row"}


def test_ids_are_found_by_another_case_only_where_it_is_clear() -> None:
    assert book(states(GOOD.replace("L2", "l2"))).states[0].line_id == "L2"
    assert book(marks(GOOD_MARK.replace("K2", "k2"))).marks[0].outlet_id == "K2"
    known = Subjects((name, registry().lines[0]) for name in ("A1", "a1", "B1"))
    assert [known.find(name) for name in ("A1", "a1", "Ａ１", "b1", "C1")] == ["A1", "a1", None, "B1", None]


# ---- files -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        states(GOOD).encode(),
        b"\xef\xbb\xbf" + states(GOOD).encode(),
        states(GOOD).replace("\n", "\r\n").encode(),
        states(GOOD).replace("\n", "\r").encode(),
        ("\n\n" + states("", GOOD, " , ,,,,,")).encode(),
        states(GOOD).replace(",", "\t").encode(),
        states(GOOD).replace(",", ";").encode(),
        ("某厂工况申报表,,,,,,\n" + states(GOOD)).encode(),
        "\n".join((HEAD.upper(), ",".join(f'" {c} "' for c in GOOD.split(",")))).encode(),
        ("事件编号,生产线,工况,开始时间（北京时间）,结束时间,申报时间,备注\n" + GOOD.replace("stopped", "停运")).encode(),
        ("事件编号,生产线,工况,开始时间,结束时间,申报时间,备注\n" + GOOD.replace("stopped", "停运")).encode("gb18030"),
        ("Event ID,Line ID,State,Start,End,Declared at\n" + GOOD[:-1]).encode(),
        (HEAD.replace(",evidence", ",evidence,,") + "\n" + GOOD).encode() + b",,",
    ],
    ids=["plain", "BOM", "CRLF", "CR", "blank lines", "tabs", "semicolons", "title", "quotes and capitals", "Chinese",
         "GB18030", "spaced names", "trailing commas"],
)  # fmt: skip
def test_files_are_read_as_spreadsheets_write_them(content: bytes) -> None:
    made = book(content)
    assert spans(made) == [("E9", "stopped", at(1, 8), at(2, 8))]
    assert made.states[0].line_id == "L2"
    assert not made.findings
    assert not made.files[0].reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n , \n", "empty"),
        (b"PK\x03\x04\0\0", "no text file"),
        (states(GOOD).encode("utf-16"), "no text file"),
        (b"\xff\xfe\xff" * 5, "neither UTF-8 nor GB18030"),
        (b"a,b\n1,2\n", "no column names"),
        (GOOD.encode(), "no column names"),
        (
            states(GOOD).replace("state,", "").encode(),
            "column state is missing (also read: 工况, 状态, 工况类型); columns read: event_id, line_id, start, end",
        ),
        (states(GOOD).replace("end,", "ende,", 1).encode(), "columns not known: ende"),
        (states(GOOD).replace("evidence", "Start").encode(), "columns appear twice: start"),
        ((HEAD + ",outlet_id,channel,mark\n").encode(), "both process states and device marks"),
    ],
)
def test_a_bad_file_is_refused_with_its_remedy_and_costs_only_itself(content: bytes, reason: str) -> None:
    made = book(content, marks(GOOD_MARK))
    assert not made.states
    assert len(made.marks) == 1
    bad, good = made.files
    assert reason in bad.reason
    assert " / " in bad.reason
    assert (bad.state, good.state, good.rows) == ("refused", "read", 1)
    found = only(made, "E01_file_refused")
    assert (found.source_file, found.severity) == ("events/0.csv", "serious")
    assert reason in found.text_en


def test_a_header_that_nobody_knows_is_told_with_what_was_seen_and_what_may_be_written() -> None:
    text = "事件编号,生产线,窑况,开始时间,结束时间,申报时间\n1,L1,停运,2026-03-01 08:00,,\n"
    (file,) = book(f"三月申报,,\n{text}").files
    assert "缺少工况列（可写：工况、状态、工况类型、state）" in file.reason
    assert "表中已识别的列：事件编号、生产线、开始时间、结束时间、申报时间；表中未识别的列：窑况" in file.reason
    assert "outlet_id" not in file.reason, "only the kind of file that fits best"


@pytest.mark.parametrize(
    ("head", "cells", "unused"),
    [("状态", "停运", None), ("工况,状态", "停运,已提交", "状态"), ("状态（工况）", "停运", None)],
    ids=["alone", "beside-another", "with-a-remark"],
)
def test_the_usual_heading_of_states_is_read_unless_another_column_is_plainer(
    head: str, cells: str, unused: str | None
) -> None:
    times = "2026-03-01 08:00,2026-03-02 08:00,2026-03-01 09:00"
    made = book(f"事件编号,生产线,{head},开始时间,结束时间,申报时间\n1,L1,{cells},{times}\n")
    assert [s.state for s in made.states] == ["stopped"]
    assert [f.value for f in made.findings if f.check_id == "E02_unknown_columns"] == ([unused] if unused else [])


def test_only_csv_files_are_declarations() -> None:
    made = book(a_xlsx=b"PK", b_CSV=states(GOOD), c_csv=states(GOOD))
    assert [(f.path, f.state, f.copy_of) for f in made.files] == [
        ("events/a.xlsx", "refused", ""), ("events/b.CSV", "read", ""), ("events/c.csv", "copy", "events/b.CSV"),
    ]  # fmt: skip
    assert "CSV UTF-8" in made.files[0].reason
    assert len(made.states) == 1


def test_columns_of_the_plants_own_do_no_harm_and_are_told() -> None:
    made = book(states(GOOD + ",甲班").replace("evidence", "evidence,班组"))
    assert len(made.states) == 1
    assert only(made, "E02_unknown_columns").value == "班组"


def test_a_damaged_byte_does_not_turn_every_name_to_nonsense() -> None:
    content = states(
        GOOD.replace("stopped", "停运") + "操作记录", "E1,L1,停窑,2026-03-01 08:00,2026-03-01 09:00,,x"
    ).encode()
    made = book(content.replace(b",x", b",\xe6\x93"))
    assert {s.state for s in made.states} == {"stopped", "shutdown"}
    assert "UTF-8" in only(made, "E03_damaged_characters").text_zh


def test_a_file_whose_name_is_no_text_is_refused() -> None:
    with TemporaryDirectory() as root:
        folder = Path(root) / "events"
        folder.mkdir()
        (folder / "a.csv").write_text(states(GOOD), encoding="utf-8")
        (folder / os.fsdecode(b"\xb1\xed.csv")).write_bytes(states(GOOD).encode())
        made = read_events(LocalStorage(root), registry(), rules())
    assert sorted(f.state for f in made.files) == ["read", "refused"]
    assert any("rename it" in f.reason for f in made.files)


# ---- several declarations of one event ---------------------------------------------------------------------------------


def test_the_declaration_made_last_counts_and_the_others_are_history() -> None:
    first = "E1,L1,stopped,2026-03-01 08:00,,2026-03-01 09:00,预计"
    closed = "E1,L1,stopped,2026-03-01 08:00,2026-03-09 08:00,2026-03-09 09:00,"
    made = book(states(closed), states(first))
    assert spans(made) == [("E1", "stopped", at(1, 8), at(9, 8))]
    assert not made.states[0].late, "it was first declared in time"
    assert made.states[0].declared_at == at(9, 9)
    found = only(made, "E20_superseded")
    assert (found.source_file, found.source_cell, found.severity) == ("events/1.csv", "2", "info")
    assert "events/0.csv:2" in found.text_en
    assert found.evidence is not None
    assert "declared_at=2026-03-01 09:00:00" in found.evidence
    assert "evidence=预计" in found.evidence


def test_another_start_or_state_is_a_claim_of_its_own_time() -> None:
    first = "E1,L1,shutdown,2026-03-01 08:00,2026-03-01 12:00,2026-03-01 09:00,"
    for changed in (first.replace("shutdown", "stopped"), first.replace("03-01 08:00", "03-01 07:00")):
        made = book(states(first, changed.replace("03-01 09:00", "03-05 09:00")))
        assert [s.late for s in made.states] == [True]
        assert only(made, "E36_late").value == "2026-03-05 09:00:00"


def test_rows_of_one_time_that_differ_contradict_and_the_later_place_counts() -> None:
    row = "E1,L1,stopped,2026-03-01 08:00,2026-03-01 {},{},"
    for time_said in ("2026-03-01 09:00", ""):
        made = book(states(row.format("12:00", time_said)), states(row.format("13:00", time_said)))
        assert [s.end for s in made.states] == [at(1, 13)]
        assert only(made, "E21_contradiction").source_file == "events/0.csv"


def test_a_declaration_that_comes_again_after_another_counts_again_and_keeps_its_place() -> None:
    one, other = (f"E1,L1,stopped,2026-03-01 08:00,2026-03-01 {hour}:00,," for hour in (12, 13))
    made = book(states(one), states(other), states(one, GOOD))
    assert [(s.end, s.src_path) for s in made.states if s.event_id == "E1"] == [(at(1, 12), "events/0.csv")]
    assert only(made, "E21_contradiction").source_file == "events/1.csv"


def test_an_id_that_stands_for_two_lines_is_told_and_plants_have_ids_of_their_own() -> None:
    row = "1,{},stopped,2026-03-01 08:00,2026-03-01 12:00,2026-03-01 {}:00,"
    made = book(states(row.format("L1", "09"), row.format("L2", "10"), row.format("M1", "08")))
    assert {s.line_id for s in made.states} == {"L2", "M1"}
    found = only(made, "E22_id_reused")
    assert (found.value, found.line_id, found.severity) == ("L1", "L1", "warn")


def test_repeated_rows_count_once_at_their_first_place() -> None:
    rows = [f"E{n},L1,stopped,2026-03-{n:02d} 08:00,2026-03-{n:02d} 12:00,2026-03-{n:02d} 09:00," for n in (1, 2, 3)]
    made = book(states(*rows[:2]), states(*rows))
    assert [(s.event_id, s.src_path) for s in made.states] == [
        ("E1", "events/0.csv"), ("E2", "events/0.csv"), ("E3", "events/1.csv"),
    ]  # fmt: skip
    found = only(made, "E23_repeated")
    assert (found.source_file, found.evidence) == ("events/1.csv", "2-3")


# ---- settling ----------------------------------------------------------------------------------------------------------------


def test_of_several_states_at_one_moment_the_strictest_holds() -> None:
    made = book(states(
        "S,L1,stopped,2026-03-01 00:00,2026-03-03 00:00,2026-03-01 01:00,",
        "H,L1,hot_start,2026-03-01 10:00,2026-03-01 16:00,2026-03-01 11:00,",
        "R,L1,running,2026-03-01 12:00,2026-03-01 14:00,2026-03-01 13:00,",
        "X,L2,banked,2026-03-01 12:00,2026-03-01 14:00,2026-03-01 13:00,",
    ))  # fmt: skip
    assert spans(made) == [
        ("S", "stopped", at(1), at(1, 10)), ("H", "hot_start", at(1, 10), at(1, 12)), ("R", "running", at(1, 12), at(1, 14)),
        ("H", "hot_start", at(1, 14), at(1, 16)), ("S", "stopped", at(1, 16), at(3)), ("X", "banked", at(1, 12), at(1, 14)),
    ]  # fmt: skip
    assert {s.start for s in made.states if s.event_id == "H"} == {at(1, 10)}, "an event keeps its own clock"
    told = {f.value: f for f in made.findings if f.check_id == "E30_overlap"}
    assert set(told) == {"S", "H"}
    assert "yields 6.0 h to" in told["S"].text_en
    assert "H (hot_start), R (running)" in told["S"].text_en
    assert "yields 2.0 h to" in told["H"].text_en


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [("10:00:00", "10:00:02", "2 s"), ("10:00:00", "10:01:30", "1.5 min"), ("10:00:00", "11:00:00", "60 min")],
    ids=["seconds", "minutes", "an-hour"],
)
def test_the_length_of_an_overlap_is_told_in_a_unit_that_fits(begin: str, end: str, said: str) -> None:
    made = book(states(
        "S,L1,stopped,2026-03-01 00:00,2026-03-03 00:00,2026-03-01 01:00,",
        f"R,L1,running,2026-03-01 {begin},2026-03-01 {end},2026-03-01 13:00,",
    ))  # fmt: skip
    found = only(made, "E30_overlap")
    assert f"yields {said} to" in found.text_en
    assert f"有 {said} 由" in found.text_zh


def test_R15_a_cap_that_is_passed_tells_what_is_declared_and_what_of_it_holds() -> None:
    """Declared until a mistaken year; another event holds from the first day on."""
    made = book(states(
        "H,L1,hot_start,2026-03-01 00:00,2026-03-31 00:00,2026-03-01 01:00,",
        "R,L1,running,2026-03-01 05:00,2026-04-30 00:00,2026-03-01 06:00,",
    ))  # fmt: skip
    text = next(f for f in made.findings if f.check_id == "E34_longer_than_cap").text_en
    assert "is declared for 720.0 h (5.0 h of them hold" in text


def test_the_order_of_strictness_is_a_parameter_that_names_every_state() -> None:
    day = date(2026, 3, 1)
    ranks = sorted(STATES, key=lambda s: Terms(rules()).rank(s, day))
    assert ranks == ["running", "banked", "hot_start", "cold_start", "shutdown", "stopped"]

    class Misspelt:
        def parameter(self, name: str, day: date) -> object:
            return type("P", (), {"value": "running,stopped"})

    with pytest.raises(RuleError, match="must list exactly"):
        Terms(Misspelt()).rank("running", day)  # type: ignore[arg-type]


def test_an_open_event_ends_with_the_next_and_the_last_one_stays_open() -> None:
    made = book(states(
        "A,L1,stopped,2026-03-01 00:00,,2026-03-01 01:00,", "B,L1,cold_start,2026-03-05 00:00,,2026-03-05 01:00,",
        "C,L2,running,2026-03-03 00:00,,2026-03-03 01:00,",
    ))  # fmt: skip
    assert spans(made) == [
        ("A", "stopped", at(1), at(5)),
        ("B", "cold_start", at(5), OPEN),
        ("C", "running", at(3), OPEN),
    ]
    assert [f.value for f in sorted(made.findings, key=lambda f: f.value or "")] == ["B", "C"]
    assert checks(made) == ["E32_open_state"] * 2


def test_one_state_declared_twice_runs_by_the_earlier_clock() -> None:
    made = book(states(
        "B,L1,shutdown,2026-03-01 02:00,2026-03-01 06:00,2026-03-01 03:00,",
        "A,L1,shutdown,2026-03-01 00:00,2026-03-01 04:00,2026-03-01 03:00,",
    ))  # fmt: skip
    assert spans(made) == [("A", "shutdown", at(1), at(1, 4)), ("B", "shutdown", at(1, 4), at(1, 6))]
    assert only(made, "E31_overlap_same_state").value == "B"


@pytest.mark.parametrize(
    ("state", "hours", "told"),
    [("cold_start", 36, 0), ("cold_start", 37, 1), ("hot_start", 8, 0), ("hot_start", 9, 1), ("shutdown", 8, 0),
     ("shutdown", 9, 1), ("stopped", 99, 0), ("running", 99, 0)],
    ids=lambda v: f"R15-{v}" if isinstance(v, str) else str(v),
)  # fmt: skip
def test_r15_a_start_or_stop_longer_than_its_cap_is_told(state: str, hours: int, told: int) -> None:
    end = at(1) + timedelta(hours=hours)
    made = book(states(f"E1,L1,{state},2026-03-01 00:00,{end:%Y-%m-%d %H:%M},2026-03-01 01:00,"))
    assert checks(made) == ["E34_longer_than_cap"] * told
    for found in made.findings:
        assert found.severity == "warn"
        assert ("窑已停下的时段应另报“停运”（stopped）；“停窑”只指停窑过程，限 8 h" in found.text_zh) == (
            state == "shutdown"
        )


def test_r15_starts_in_a_row_do_not_stretch_the_cap_unseen() -> None:
    made = book(states(
        "A,L1,hot_start,2026-03-01 00:00,2026-03-01 06:00,2026-03-01 01:00,",
        "B,L1,hot_start,2026-03-01 06:00,2026-03-01 12:00,2026-03-01 07:00,",
        "C,L1,hot_start,2026-03-02 00:00,2026-03-02 06:00,2026-03-02 07:00,",
    ))  # fmt: skip
    assert checks(made) == ["E35_chained"]
    assert only(made, "E35_chained").value == "12.0 h"


@pytest.mark.parametrize(
    ("declared", "late"),
    [("2026-03-02 12:00", False), ("2026-03-02 12:01", True), ("2026-02-01 00:00", False), ("", True)],
)
def test_what_is_declared_after_noon_of_the_next_day_is_late(declared: str, late: bool) -> None:
    made = book(
        states(f"E1,L1,stopped,2026-03-01 23:59,2026-03-03 00:00,{declared},"),
        marks(f"E1,K1,nox,D,2026-03-01 00:00,2026-03-03 00:00,,{declared}"),
    )
    assert [made.states[0].late, made.marks[0].late] == [late, late]
    kind = "E36_late" if declared else "E37_undated"
    assert checks(made) == [kind] * 2 * late


def test_running_needs_no_declaration_in_time() -> None:
    made = book(states("E1,L1,running,2026-03-01 00:00,2026-03-03 00:00,2026-04-01 00:00,"))
    assert made.states[0].late
    assert not made.findings


@pytest.mark.parametrize(
    ("row", "check", "cell"),
    [
        ("E1,L1,stopped,2026-05-01 00:00,2026-05-02 00:00,2026-03-01 00:00,", "E38_far_ahead", "2[start]"),
        ("E1,L1,stopped,2026-03-01 00:00,2027-03-01 00:00,2026-03-01 00:00,", "E39_very_long", "2[end]"),
        ("E1,M1,stopped,2019-12-31 00:00,2020-01-02 00:00,2019-12-31 00:00,", "E40_not_in_force", "2[start]"),
        ("E1,M1,stopped,2029-12-31 00:00,2030-01-01 00:01,2029-12-31 00:00,", "E40_not_in_force", "2[end]"),
    ],
)
def test_what_is_odd_about_an_event_is_told_and_it_counts(row: str, check: str, cell: str) -> None:
    made = book(states(row))
    assert len(made.states) == 1
    assert only(made, check).source_cell == cell
    assert len(made.findings) == 1


def test_an_event_that_ends_with_the_registry_row_is_inside_it() -> None:
    made = book(states("E1,M1,stopped,2029-12-31 00:00,2030-01-01 00:00,2029-12-31 00:00,"))
    assert not made.findings


def test_marks_may_overlap_and_an_open_one_or_a_calibration_out_of_order_is_told() -> None:
    made = book(marks(
        "A,K1,nox,OOC,2026-03-01 08:00,2026-03-02 08:00,,2026-03-01 09:00",
        "B,K1,nox,D,2026-03-01 10:00,,,2026-03-01 11:00",
        "C,K1,all,OOC,2026-03-01 08:00,2026-03-02 08:00,2026-03-01 10:00,2026-03-01 09:00",
    ))  # fmt: skip
    assert [(m.event_id, m.channel, m.start, m.end) for m in made.marks] == [
        ("C", "all", at(1, 8), at(2, 8)), ("A", "nox", at(1, 8), at(2, 8)), ("B", "nox", at(1, 10), OPEN),
    ]  # fmt: skip
    assert checks(made) == ["E33_open_mark", "E41_no_calibration", "E42_calibration_after_start"]


# ---- properties and the slow twin ------------------------------------------------------------------------------------------

_MINUTE = timedelta(minutes=1)
_T0 = datetime(2026, 3, 1)
#: A day or so of events, in minutes; the twin looks at every minute of it.
_REACH = 300

ROW = st.tuples(
    st.sampled_from(("1", "2", "3", "4", "5")), st.sampled_from(("L1", "L2", "M1")), st.sampled_from(STATES),
    st.integers(0, 200), st.one_of(st.none(), st.integers(-5, 90)), st.one_of(st.none(), st.integers(0, 3000)),
    st.integers(0, 2),
)  # fmt: skip


def _row(cells: tuple[str, str, str, int, int | None, int | None, int]) -> str:
    event, line, state, start, length, declared, evidence = cells
    begin = _T0 + start * _MINUTE
    end = "" if length is None else f"{begin + length * _MINUTE:%Y-%m-%d %H:%M}"
    said = "" if declared is None else f"{_T0 + declared * _MINUTE:%Y-%m-%d %H:%M}"
    return f"{event},{line},{state},{begin:%Y-%m-%d %H:%M},{end},{said},{'x' * evidence}"


def _twin(rows: list[str]) -> dict[str, list[str | None]]:
    """Minute by minute: which event holds, line by line; slow and obvious."""
    parsed = [r.split(",") for r in rows]
    chosen: dict[tuple[str, str], tuple[tuple[str, int], list[str]]] = {}
    for n, r in enumerate(parsed):
        if r[4] and r[4] <= r[3]:
            continue
        key = (r[0], {"L1": "P1", "L2": "P1", "M1": "P2"}[r[1]])
        if key not in chosen or (r[5], n) >= chosen[key][0]:
            chosen[key] = ((r[5], n), r)
    events = [r for _, r in chosen.values()]
    order = ("running", "banked", "hot_start", "cold_start", "shutdown", "stopped")
    held: dict[str, list[str | None]] = {}
    for line in ("L1", "L2", "M1"):
        own = [e for e in events if e[1] == line]
        held[line] = []
        for minute in range(_REACH):
            now = f"{_T0 + minute * _MINUTE:%Y-%m-%d %H:%M}"
            there = []
            for e in own:
                end = e[4] or min((o[3] for o in own if o[3] > e[3]), default="9")
                if e[3] <= now < end:
                    there.append((order.index(e[2]), e[3], e[0]))
            held[line].append(min(there)[2] if there else None)
    return held


def _held(made: EventBook) -> dict[str, list[str | None]]:
    held: dict[str, list[str | None]] = {line: [None] * _REACH for line in ("L1", "L2", "M1")}
    for s in made.states:
        for minute in range(_REACH):
            if s.begin <= _T0 + minute * _MINUTE < s.end:
                assert held[s.line_id][minute] is None, "stretches overlap"
                held[s.line_id][minute] = s.event_id
    return held


@settings(max_examples=150, deadline=None)
@given(st.lists(ROW, max_size=9).map(lambda rows: [_row(r) for r in rows]))
@example(["1,L1,running,2026-03-01 00:00,,,", "2,L1,running,2026-03-01 00:00,,,"])
def test_settling_equals_its_minute_by_minute_twin(rows: list[str]) -> None:
    made = book(states(*rows))
    assert _held(made) == _twin(rows)
    for a, b in pairwise(made.states):
        assert a.line_id < b.line_id or a.end <= b.begin
        assert (a.event_id, a.end) != (b.event_id, b.begin) or a.line_id != b.line_id, "one stretch is not cut in two"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(ROW, max_size=9).map(lambda rows: [_row(r) for r in rows]),
    st.integers(0, 9), st.sampled_from(("", "X,L1,nonsense,2026-03-01 00:00,,,", '"', "Y,L9,stopped,x,y,z,")),
)  # fmt: skip
def test_no_row_is_lost(rows: list[str], cut: int, bad: str) -> None:
    """Each is in the table, superseded, repeated, yields all its time to others, or does not count: and is named so."""
    files = states(*rows[:cut]), states(*([bad] if bad else []), *rows[cut:])
    made = book(*files)
    named = {(s.src_path, s.src_line) for s in made.states}
    for f in made.findings:
        assert f.source_file is not None
        if f.check_id == "E23_repeated":
            for span in str(f.evidence).split(", "):
                first, _, last = span.partition("-")
                named |= {(f.source_file, n) for n in range(int(first), int(last or first) + 1)}
        elif f.source_cell:
            named.add((f.source_file, int(f.source_cell.partition("[")[0])))
    there = {(f"events/{n}.csv", line) for n, text in enumerate(files) for line in range(2, text.count("\n") + 1)}
    assert there - named <= _copies(files)


def _copies(files: tuple[str, str]) -> set[tuple[str, int]]:
    """Lines of a second file that is the first over again: it stands as a copy among the arrivals."""
    return {("events/1.csv", n) for n in range(2, 12)} if files[0] == files[1] else set()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(ROW, max_size=8, unique=True).map(lambda rows: [_row(r) for r in rows]), st.randoms(use_true_random=False)
)
def test_what_holds_depends_on_no_order_of_rows_that_say_when(rows: list[str], shuffle: random.Random) -> None:
    """With times of declaration that differ, where a row stands does not matter."""
    told = [r.split(",") for r in rows]
    rows = [",".join([*r[:5], f"{_T0 + n * timedelta(hours=1):%Y-%m-%d %H:%M}", r[6]]) for n, r in enumerate(told)]
    mixed = list(rows)
    shuffle.shuffle(mixed)
    cut = shuffle.randrange(len(mixed) + 1)
    one, other = book(states(*rows)), book(states(*mixed[cut:]), states(*mixed[:cut]))
    assert [(s.event_id, s.line_id, s.state, s.begin, s.end, s.late) for s in one.states] == [
        (s.event_id, s.line_id, s.state, s.begin, s.end, s.late) for s in other.states
    ]
    assert checks(one) == checks(other)
    window = date(2026, 3, 1), date(2026, 3, 2)
    assert one.version(*window) == other.version(*window)


def test_the_order_in_which_files_come_does_not_matter() -> None:
    rows = [f"E{n % 4},L1,{STATES[n % 6]},2026-03-{1 + n % 9:02d} 00:00,,," for n in range(12)]
    texts = {f"f{n}_csv": states(row) for n, row in enumerate(rows)}
    one, other = book(**texts), book(**dict(reversed(texts.items())))
    assert one.whole == other.whole
    assert [f.finding_id for f in one.findings] == [f.finding_id for f in other.findings]


# ---- the book ----------------------------------------------------------------------------------------------------------------


def state(event: str, begin: datetime, end: datetime, **other: object) -> ProcessState:
    given: dict[str, object] = {
        "event_id": event, "line_id": "L1", "state": "stopped", "start": begin, "begin": begin, "end": end,
        "declared_end": None, "declared_at": None, "late": False, "evidence": "", "src_path": "a", "src_line": 2,
    }  # fmt: skip
    return ProcessState(**(given | other))  # type: ignore[arg-type]


def mark(event_id: str, start: datetime, end: datetime, **other: object) -> DeviceMark:
    given: dict[str, object] = {
        "event_id": event_id, "outlet_id": "K1", "channel": "nox", "mark": "D", "start": start, "end": end,
        "last_calibration_at": None, "declared_at": None, "late": False, "src_path": "a", "src_line": 2,
    }  # fmt: skip
    return DeviceMark(**(given | other))  # type: ignore[arg-type]


DAYS = st.integers(0, 40)


@given(
    st.lists(st.tuples(DAYS, st.integers(1, 12), st.sampled_from("ABC")), max_size=12),
    DAYS,
    st.integers(0, 5),
    st.sampled_from((0, 12)),
)
def test_a_window_holds_what_touches_it(
    periods: list[tuple[int, int, str]], first: int, length: int, hour: int
) -> None:
    t0 = datetime(2026, 1, 1, hour)
    some = [
        mark(str(n), t0 + timedelta(a), t0 + timedelta(a + b) if b < 12 else OPEN, outlet_id=k)
        for n, (a, b, k) in enumerate(periods)
    ]
    window = date(2026, 1, 1) + timedelta(first), date(2026, 1, 1) + timedelta(first + length)
    since = datetime.combine(window[0], datetime.min.time())
    until = datetime.combine(window[1], datetime.min.time()) + timedelta(1)
    made = EventBook(marks=some)
    assert made.marks_in(*window) == [m for m in made.marks if m.start < until and m.end > since]
    assert bool(made.version(*window)) == bool(made.marks_in(*window))


def test_ends_are_exclusive_to_the_day() -> None:
    made = EventBook(
        marks=[mark("long", at(1), at(9)), mark("A", at(2), at(3)), mark("B", at(3), at(4)), mark("C", at(4), at(5))]
    )
    assert [m.event_id for m in made.marks_in(date(2026, 3, 3), date(2026, 3, 3))] == ["long", "B"]


def test_a_window_has_its_own_version() -> None:
    march, april = (date(2026, 3, 1), date(2026, 3, 31)), (date(2026, 4, 1), date(2026, 4, 30))
    open_stop = EventBook([state("A", at(20), OPEN)])
    closed = EventBook(
        [state("A", at(20), datetime(2026, 4, 9), declared_at=datetime(2026, 4, 9), evidence="x", src_line=7)]
    )
    assert open_stop.version(*march) == closed.version(*march), "that it ended in April moves nothing in March"
    assert open_stop.version(*april) != closed.version(*april)
    other = EventBook([state("A", at(20), OPEN), state("B", at(1), at(2))])
    assert other.version(*march) != open_stop.version(*march)
    assert other.version(*april) == open_stop.version(*april)
    assert EventBook().version(*march) == ""
    part = EventBook([state("A", at(25), OPEN, start=at(20))])
    assert part.version(*april) == open_stop.version(*april), (
        "what another event took of it in March moves nothing in April"
    )
    assert part.version(*march) != open_stop.version(*march)
    late = EventBook([state("A", at(20), OPEN, late=True)])
    assert late.version(*march) != open_stop.version(*march)


@pytest.mark.parametrize(
    "change",
    [
        {"mark": "OOC"}, {"channel": "all"}, {"late": True}, {"last_calibration_at": at(1)}, {"outlet_id": "K2"},
        {"event_id": "N"}, {"start": at(19)}, {"end": at(21)},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_a_mark_says_moves_its_window(change: dict[str, object]) -> None:
    march = date(2026, 3, 1), date(2026, 3, 31)
    said: dict[str, object] = {"event_id": "M", "start": at(20), "end": at(22)}
    one, other = (EventBook(marks=[mark(**(said | more))]) for more in ({}, change))
    assert one.version(*march) != other.version(*march)


def test_a_finding_keeps_its_id_when_it_is_worded_anew() -> None:
    one = Finding("E1", "warn", "甲", "a", value="3", source_file="f", source_cell="2[x]")
    assert one.finding_id == Finding("E1", "info", "乙", "b", value="3", source_file="f", source_cell="2[x]").finding_id
    assert one.finding_id != Finding("E1", "warn", "甲", "a", value="4", source_file="f", source_cell="2[x]").finding_id


def test_the_same_landing_zone_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "a.csv").write_text(states(GOOD), encoding="utf-8")
    landing = LocalStorage(tmp_path)
    first = read_events(landing, registry(), rules())
    assert read_events(landing, registry(), rules()) is first
    (tmp_path / "events" / "a.csv").write_text(states(GOOD, GOOD.replace("E9,L2", "E8,L1")), encoding="utf-8")
    assert len(read_events(landing, registry(), rules()).states) == 2
    assert read_events(landing, registry(), rules()) is not first


@pytest.mark.long
def test_a_hundred_thousand_rows_are_read_in_seconds_and_looked_up_at_once() -> None:
    rng = random.Random(1)
    rows = []
    for n in range(100_000):
        begin = datetime(2020, 1, 1) + timedelta(minutes=rng.randrange(2_600_000))
        end = begin + timedelta(hours=rng.randrange(1, 100))
        rows.append(
            f"E{n},L{1 + n % 2},{STATES[n % 6]},{begin:%Y-%m-%d %H:%M},{end:%Y-%m-%d %H:%M},{begin:%Y-%m-%d %H:%M},"
        )
    begun = time.process_time()
    made = book(states(*rows))
    assert time.process_time() - begun < 30, "all events of five years overlap on two lines: nothing may be quadratic"
    assert made.states
    begun = time.process_time()
    for n in range(3650):
        made.version(date(2020, 1, 1) + timedelta(n % 1800), date(2020, 1, 1) + timedelta(n % 1800))
    assert time.process_time() - begun < 5


# ---- the catalogue of findings ---------------------------------------------------------------------------------------------

ENTRY = """[[finding]]
id = "X1"
title_zh = "甲"
title_en = "a"
severity = "warn"
zh = "共 {n} 项, {why_zh}"
en = "{n} items, {why_en}"
remedy_zh = "改正"
remedy_en = "correct it"
"""


def _catalogue(folder: Path, text: str) -> dict[str, object]:
    path = folder / "findings.toml"
    path.write_text(text, encoding="utf-8")
    return dict(load_findings(path))


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ('title_zh = "甲"', 'title_zh = ""', "title_zh"), ('remedy_en = "correct it"\n', "", "remedy_en"),
        ('"warn"', '"loud"', "severity"), ("{n} items", "{m} items", "en"), ("共 {n}", "共 {n", "en"),
        ('id = "X1"', 'id = "X1"\nlevel = "9"', "level"),
    ],
)  # fmt: skip
def test_an_error_of_the_catalogue_names_row_and_key(tmp_path: Path, old: str, new: str, wrong: str) -> None:
    with pytest.raises(FindingError) as caught:
        _catalogue(tmp_path, ENTRY.replace(old, new))
    assert f"finding[1].{wrong}" in {p.column for p in caught.value.problems}


def test_every_error_of_the_catalogue_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(FindingError) as caught:
        _catalogue(tmp_path, ENTRY + ENTRY.replace('"warn"', '"loud"'))
    assert len(caught.value.problems) == 2
    with pytest.raises(FindingError, match="TOML"):
        _catalogue(tmp_path, "[[finding")


def test_every_kind_is_named_in_two_languages_and_rated() -> None:
    families = [list(ids) for _, ids in groupby(KINDS, key=lambda name: name[0])]
    assert families == [sorted(ids) for ids in families]
    assert len(families) == len({ids[0][0] for ids in families}), "each family stands together"
    assert {k.severity for k in KINDS.values()} <= set(FINDINGS["severity"].values)
    assert all(k.zh != k.en and k.remedy_zh != k.remedy_en for k in KINDS.values())


def test_a_long_or_unprintable_value_is_quoted_short_and_plain() -> None:
    assert quoted("a\x00b\n") == "a\\x00b\\x0a"
    assert len(quoted("x" * 999)) == 200
