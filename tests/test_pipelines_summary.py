"""The summary of a run: exports beside captures, how far verdicts go, and what comes first where a list is cut short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.summary import in_words, summary
from pipelines.summary_reach import exports, in_words_of_exports, in_words_of_reach
from resources.home import Home
from resources.segments import Record
from tests.homes import device, minute, outlet, write_home
from tests.nights import night

if TYPE_CHECKING:
    from pathlib import Path


class _Arrival:
    def __init__(self, path: str, record: Record | None) -> None:
        self.path, self.record = path, record


def day(name: str, mn: str) -> bytes:
    pairs = "a21002-Avg=40,a21002-Flag=N;a19001-Avg=10,a19001-Flag=N"
    return b"".join(minute(f"{name}{h:02d}{m:02d}00", pairs, mn=mn) for h in range(24) for m in range(0, 60, 10))


def test_the_last_day_and_who_has_nothing_on_it_are_told(tmp_path: Path) -> None:
    captures = {"a.txt": day("20261101", "X") + day("20261102", "X"), "b.txt": day("20261101", "Y")}
    devices = [device(interval=10), device("Y", "K2", interval=10)]
    home = write_home(tmp_path, captures, outlets=[outlet(), outlet("K2", "cooler")], devices=devices)
    assert night(tmp_path).code == 0
    facts = summary(Home(home.settings))
    assert facts["reach"] == {"until": "2026-11-02", "silent": ["K2"]}
    text = "\n".join(in_words(facts))
    assert "本月判定截至 2026-11-02（最后有任何数据之日）；当日无数据的排放口：K2 / " in text
    assert "报文文件 captures 2" in text
    assert "导出表" not in text


def test_five_silent_outlets_are_named_and_how_many_there_are() -> None:
    (line,) = in_words_of_reach({"until": "2026-11-02", "silent": [f"K{n}" for n in range(7)]})
    assert "K4 … 共 7 个 in all" in line
    assert "K5" not in line
    (none,) = in_words_of_reach({"until": "2026-11-02", "silent": []})
    assert "无 none" in none


def test_exports_stand_apart_with_one_of_their_notes() -> None:
    read = [
        _Arrival("cems/a.txt", Record(notes=["not of an export"])),
        _Arrival("cems/b.csv", Record(kind="csv", lines_data=24, notes=["SO2 (ppm): no unit of mass", "x"])),
        _Arrival("cems/c.xlsx", Record(kind="excel", lines_data=1000)),
        _Arrival("cems/d.csv", None),
    ]
    facts = exports(read)  # type: ignore[arg-type]
    assert facts == {"files": 2, "lines": 1024, "notes": 2, "example": "cems/b.csv: SO2 (ppm): no unit of mass"}
    first, second = in_words_of_exports(facts)
    assert first == "导出表 exports 2: 1,024 行数据 lines with data"
    assert "2 条说明" in second
    assert second.endswith("cems/b.csv: SO2 (ppm): no unit of mass")
    assert in_words_of_exports(exports([])) == []
