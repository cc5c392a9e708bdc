"""Declarations through the house: tables, arrivals, release, exit codes, and what a changed file moves."""

from __future__ import annotations

import contextlib
import io
import re
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assets.events import findings_table, make_events, make_findings
from assets.products import bring_up, product
from assets.release import publish_release
from contracts import TABLES
from pipelines.doctor import examine
from pipelines.summary import in_words, summary
from resources.bench import Bench
from resources.events import Finding
from resources.findings import load_findings
from resources.settings import Settings
from tests.homes import device, minute, outlet, write_home
from tests.nights import lake_hashes, manifest, moved, night, opened, rows, standing

if TYPE_CHECKING:
    from resources.home import Home

ROOT = Path(__file__).parents[1]
STATES = "event_id,line_id,state,start,end,declared_at,evidence\n"
MARKS = "event_id,outlet_id,channel,mark,start,end,last_calibration_at,declared_at\n"
RUN_DOWN = "E1,L1,shutdown,2026-03-01 08:00,2026-03-01 14:00,2026-03-01 09:00,操作记录\n"
STOP = "E2,L1,stopped,2026-03-01 14:00,,2026-03-01 15:00,\n"
MARK = "M1,K1,nox,OOC,2026-03-02 08:00,2026-03-02 12:00,2026-02-27 09:00,2026-03-02 13:00\n"


def home(root: Path, **files: str | bytes) -> Home:
    """One outlet with an hour of minutes, and files of declarations by stem."""
    capture = b"".join(minute(f"2026030110{m:02d}00", "a21026-Avg=12.5,a21026-Flag=N") for m in range(60))
    made = write_home(root, {"a.txt": capture}, outlets=[outlet()], devices=[device()])
    declare(root, **files)
    return made


def declare(root: Path, **files: str | bytes) -> None:
    folder = root / "landing" / "events"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.csv").write_bytes(content.encode() if isinstance(content, str) else content)


def make(root: Path) -> Home:
    """What a night makes of declarations, without the rest of it."""
    made = opened(root)
    made.intake.take_in(str)
    for name in ("arrivals", "events", "findings", "meters"):
        bring_up(made, product(name), "all")
    return made


def test_a_night_publishes_what_was_declared(tmp_path: Path) -> None:
    home(tmp_path, states=STATES + RUN_DOWN + STOP, marks=MARKS + MARK)
    outcome = night(tmp_path)
    assert outcome.code == 0, outcome.text
    states = rows(tmp_path, "process_states").to_dicts()
    assert [(s["event_id"], s["state"], s["effective_from"], s["effective_to"], s["late"]) for s in states] == [
        ("E1", "shutdown", datetime(2026, 3, 1, 8), datetime(2026, 3, 1, 14), False),
        ("E2", "stopped", datetime(2026, 3, 1, 14), None, False),
    ]
    assert (states[0]["src_path"], states[0]["src_line"], states[0]["evidence"]) == ("events/states.csv", 2, "操作记录")
    marks = rows(tmp_path, "device_marks").to_dicts()
    assert [(m["outlet_id"], m["channel"], m["mark"], m["end"], m["src_line"]) for m in marks] == [
        ("K1", "nox", "OOC", datetime(2026, 3, 2, 12), 2)
    ]
    assert rows(tmp_path, "findings")["check_id"].to_list() == ["E32_open_state"]
    published = manifest(tmp_path)
    assert {"process_states", "device_marks", "findings"} <= {f.table for f in published.files}
    declared = [(a.path, a.state) for a in published.facts.arrivals if a.path.startswith("events/")]
    assert declared == [("events/marks.csv", "read"), ("events/states.csv", "read")]


def test_files_of_declarations_stand_among_the_arrivals(tmp_path: Path) -> None:
    home(tmp_path, a=STATES + RUN_DOWN, b=STATES + RUN_DOWN, c=b"\x00\x01", d=MARKS + MARK)
    make(tmp_path)
    arrived = rows(tmp_path, "arrivals").sort("path")
    assert arrived.filter(arrived["kind"] == "events").select("path", "state").rows() == [
        ("events/a.csv", "read"), ("events/b.csv", "copy"), ("events/c.csv", "refused"), ("events/d.csv", "read"),
    ]  # fmt: skip
    assert arrived.filter(arrived["kind"] == "hj212").height == 1
    refused = arrived.filter(arrived["state"] == "refused").row(0, named=True)
    assert "CSV UTF-8" in refused["reason"]
    assert len(refused["sha256"]) == 64


def test_a_refused_file_ends_a_run_with_3_once_and_costs_only_itself(tmp_path: Path) -> None:
    home(tmp_path, good=STATES + RUN_DOWN, bad="时间,值\n1,2\n")
    outcome = night(tmp_path)
    assert outcome.code == 3
    assert outcome.data["refused"] == ["events/bad.csv"]
    assert "events/bad.csv" in outcome.text
    assert "event_id,line_id,state,start,end" in outcome.text, "the remedy is told"
    assert rows(tmp_path, "process_states")["event_id"].to_list() == ["E1"]
    again = night(tmp_path)
    assert again.code == 0, "it was refused before"
    assert "events/bad.csv" in again.text
    declare(tmp_path, bad="时间,值\n1,3\n")
    assert night(tmp_path).code == 3, "another content is another file"


def test_findings_are_counted_in_the_summary(tmp_path: Path) -> None:
    home(tmp_path, states=STATES + STOP + "E3,L9,stopped,2026-03-04 08:00,,2026-03-04 09:00,\n")
    facts = summary(make(tmp_path))
    assert facts["findings"]["counts"] == {"info": 1, "warn": 1}
    assert facts["declarations"] == {"files": 1, "stretches": 1, "marks": 0}
    text = "\n".join(in_words(facts))
    assert "findings (findings): info 1, warn 1" in text
    assert "E11_unknown_line events/states.csv:3[line_id]" in text
    assert "registry/lines.csv" in text, "what needs somebody is told with its remedy"


def test_the_doctor_looks_at_declarations(tmp_path: Path) -> None:
    home(tmp_path, states=STATES + STOP, bad="")
    told = [f for f in examine(Settings(home=str(tmp_path))) if f.what == "events"]
    assert [f.level for f in told] == [0, 1]
    assert "1 " in told[0].text
    assert "events/bad.csv" in told[1].text


def test_a_home_without_declarations_says_so_in_empty_tables(tmp_path: Path) -> None:
    bench = Bench(home(tmp_path))
    made = make_events(bench, "all") | make_findings(bench, "all")
    assert {name: table.num_rows for name, table in made.items()} == dict.fromkeys(
        ("process_states", "device_marks", "findings"), 0
    )
    assert set(bench.inputs) == {"declared", "ledgers", "keys:carbon_findings::~"}
    assert not any(f.what == "events" and f.level for f in examine(Settings(home=str(tmp_path))))


def test_tables_keep_their_contracts(tmp_path: Path) -> None:
    bench = Bench(
        home(tmp_path, states=STATES + RUN_DOWN + STOP, marks=MARKS + MARK + "M2,K1,,T,2026-03-05 01:00,,,\n")
    )
    made = make_events(bench, "all") | make_findings(bench, "all")
    assert {name: TABLES[name].violations(table) for name, table in made.items()} == {name: [] for name in made}
    assert made["device_marks"].column("channel").to_pylist() == ["all", "nox"]


def test_the_same_declarations_make_the_same_bytes_in_any_number_of_nights(tmp_path: Path) -> None:
    home(tmp_path / "one", a=STATES + RUN_DOWN + STOP, b=MARKS + MARK)
    home(tmp_path / "two", b=MARKS + MARK)
    make(tmp_path / "two")
    declare(tmp_path / "two", a=STATES + RUN_DOWN + STOP)
    one, two = (lake_hashes(make(tmp_path / name) and tmp_path / name) for name in ("one", "two"))
    assert one == two
    assert {name.partition("/")[0] for name in one} >= {"process_states", "device_marks", "findings"}


def test_a_corrected_declaration_moves_its_tables_and_an_idle_night_none(tmp_path: Path) -> None:
    home(tmp_path, states=STATES + RUN_DOWN)
    make(tmp_path)
    before = standing(tmp_path)
    make(tmp_path)
    assert standing(tmp_path) == before
    declare(tmp_path, more=STATES + RUN_DOWN.replace("14:00", "13:00").replace("09:00", "16:00"))
    make(tmp_path)
    assert set(moved(before, standing(tmp_path))) == {"arrivals", "process_states", "findings"}
    assert rows(tmp_path, "process_states")["effective_to"].to_list() == [datetime(2026, 3, 1, 13)]
    assert rows(tmp_path, "findings")["check_id"].to_list() == ["E20_superseded"]


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        (("14:00", "13:00"), {"2026-03"}),
        (("2026-03-01 08:00,2026-03-01 14:00", "2026-04-01 08:00,2026-04-01 14:00"), {"2026-03", "2026-04"}),
        (("操作记录", "中控记录"), set()),
    ],
    ids=["end in March", "moved to April", "evidence"],
)
def test_only_the_months_that_an_edit_touches_are_asked_for(
    tmp_path: Path, change: tuple[str, str], asked: set[str]
) -> None:
    months = {"2026-02": (date(2026, 2, 1), date(2026, 2, 28)), "2026-03": (date(2026, 3, 1), date(2026, 3, 31)),
              "2026-04": (date(2026, 4, 1), date(2026, 4, 30))}  # fmt: skip

    def versions(book_home: Home) -> dict[str, str]:
        bench = Bench(book_home)
        for window in months.values():
            bench.events(*window)
        return {m: bench.inputs[f"events:{a}:{b}"] for m, (a, b) in months.items()}

    before = versions(home(tmp_path, states=STATES + RUN_DOWN))
    declare(tmp_path, states=STATES + RUN_DOWN.replace(*change))
    after = versions(opened(tmp_path))
    assert {m for m in months if before[m] != after[m]} == asked


def test_findings_of_one_id_stand_once_with_both_wordings() -> None:
    made = findings_table(Finding("X1", "warn", text, "a", value="3") for text in ("甲", "乙", "甲"))
    assert made.column("text_zh").to_pylist() == ["乙\n甲"]
    assert made.column("text_en").to_pylist() == ["a"]


def test_files_that_go_take_their_rows_along(tmp_path: Path) -> None:
    made = home(tmp_path, states=STATES + RUN_DOWN)
    assert bring_up(made, product("events"), "all")
    (tmp_path / "landing" / "events" / "states.csv").unlink()
    gone = opened(tmp_path)
    assert bring_up(gone, product("events"), "all")
    assert rows(tmp_path, "process_states").height == 0
    assert bring_up(opened(tmp_path), product("events"), "all") is None


# ---- the page -----------------------------------------------------------------------------------------------------------------

PAGES = ("docs/events.md", "docs/events.zh-CN.md")


def _examples(page: str) -> dict[str, str]:
    return dict(re.findall(r"<!-- file: (\w+)\.csv -->\n```csv\n(.*?)```", (ROOT / page).read_text(), re.DOTALL))


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_the_page_become_what_it_says(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / page).read_text()
    registry = (ROOT / "docs/registry.md").read_text()
    (tmp_path / "my-plant/registry").mkdir(parents=True)
    for name, content in re.findall(r"<!-- file: (\S+) -->\n```csv\n(.*?)```", registry, re.DOTALL):
        (tmp_path / "my-plant/registry" / name).write_text(content)
    declare(tmp_path / "my-plant", **_examples(page))
    made = make(tmp_path / "my-plant")
    publish_release(made, [])
    book = made.events
    held = [(s.event_id, s.begin, s.end, s.late) for s in book.states]
    held += sorted({(m.event_id, m.start, m.end, m.late) for m in book.marks})
    told = re.findall(r"^\| (\w-\d) \| (\S+ \S+) – (\S+ \S+) \| (no|yes|否|是) \|$", text, re.MULTILINE)
    assert [(e, f"{a:%Y-%m-%d %H:%M}", f"{b:%Y-%m-%d %H:%M}", late) for e, a, b, late in held] == [
        (e, a, b, late in ("yes", "是")) for e, a, b, late in told
    ]
    assert [m.channel for m in book.marks] == ["all", "nox", "nox", "o2"]
    assert {f.check_id for f in book.findings} == {"E20_superseded", "E36_late"}
    (snippet,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(snippet, page, "exec"), {})  # noqa: S102 - the page's own example
    assert "cold_start" in said.getvalue()
    assert "E36_late" in said.getvalue()


@pytest.mark.parametrize("page", PAGES)
def test_every_finding_is_explained_with_its_severity_and_no_other(page: str) -> None:
    told = re.findall(r"^\| `(E\w+)` \| (\w+) \|", (ROOT / page).read_text(), re.MULTILINE)
    assert told == [(k.id, k.severity) for k in load_findings().values() if k.id.startswith("E")]
    assert _examples(page) == _examples(PAGES[0])
