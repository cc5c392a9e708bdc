"""The report of a month: its verdicts are the release's, it fetches nothing, escapes what people wrote, and never varies."""

from __future__ import annotations

import re
import shutil
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from assets.products import PRODUCTS, bring_up
from assets.release import publish_release
from assets.report import gather, report
from assets.report_grounds import packs_of
from assets.report_html import Html, number, page, table, tag
from assets.report_svg import Run, bar, strip
from pipelines.cli import main
from resources.home import Home
from resources.releases import ReleaseError
from resources.settings import Settings, SettingsError
from tests.homes import device, minute, outlet, write_home

DAYS = ("2026-10-30", "2026-10-31")
#: Hours of October before the two days.
BEFORE = 29 * 24
EVIL = '<script>alert("x")</script>'


def captures(day: str) -> bytes:
    """Dust far below its limit all day; nitrogen oxides above the ultra-low limit from noon on, once above the mandatory one."""
    frames = []
    for n in range(1440):
        at = f"{datetime.fromisoformat(day) + timedelta(minutes=n):%Y%m%d%H%M%S}"
        nox = 40 if n < 720 else 500 if n >= 1380 else 60
        pairs = f"a34013-Avg=3.0,a34013-Flag=N;a21002-Avg={nox},a21002-Flag=N;a19001-Avg=10.0,a19001-Flag=N"
        frames.append(minute(at, pairs, qn=f"{at}000"))
    return b"".join(frames)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("report")
    files = {f"{day}.txt": captures(day) for day in DAYS}
    files["stranger.txt"] = minute(f"{DAYS[0].replace('-', '')}000000", "a21002-Avg=1", mn="STRANGE")
    files[f"{EVIL.replace('/', '')}.xlsx"] = b"PK"
    rows = [outlet().replace("2016-01-01", DAYS[0])]
    home = write_home(root, files, outlets=rows, devices=[device(since=DAYS[0])])
    plants = root / "registry/plants.csv"
    plants.write_text(plants.read_text().replace("甲子水泥一厂(模拟)", EVIL.replace('"', "'")))
    declare(root)
    publish(Home(home.settings))
    return root


def declare(root: Path) -> None:
    """A shutdown in time, a mark that goes on, and a line that nobody registered, in markup."""
    folder = root / "landing/events"
    folder.mkdir(parents=True)
    (folder / "states.csv").write_text(
        "event_id,line_id,state,start,end,declared_at\n"
        "S-1,L1,shutdown,2026-10-31 20:00,2026-10-31 23:00,2026-10-31 23:30\n"
        "S-2,<b>L9</b>,stopped,2026-10-31 20:00,2026-10-31 23:00,2026-10-31 23:30\n",
        encoding="utf-8",
    )
    (folder / "marks.csv").write_text(
        "event_id,outlet_id,channel,mark,start,end,declared_at\nM-1,K1,so2,D,2026-10-31 22:30,,\n", encoding="utf-8"
    )


def publish(home: Home) -> None:
    home.intake.take_in(str)
    for of in PRODUCTS:
        for key in sorted(of.keys(home)):
            bring_up(home, of, key)
    publish_release(home, [])


@pytest.fixture
def home(published: Path, tmp_path: Path) -> Home:
    shutil.copytree(published, tmp_path / "home", symlinks=True)
    return opened(tmp_path / "home")


def opened(root: Path) -> Home:
    return Home(Settings(home=str(root)))


class _Reader(HTMLParser):
    """Text of the page, and whether every element is closed in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, name: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(name)
        if name != "meta":
            self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(text: str) -> _Reader:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def test_the_verdicts_of_the_release_are_on_the_page(home: Home) -> None:
    month, text = report(home)
    assert month == "2026-10"
    told = "".join(read(text).text)
    rows = pl.read_parquet(f"{home.settings.home}/published/latest/ule_monthly/*.parquet")
    headline = rows.filter(pl.col("policy") == "include_all_fuel_on").with_columns(
        pl.col(pl.Categorical).cast(pl.String)
    )
    assert dict(headline.select("pollutant", "verdict").rows()) == {
        "pm": "PASS", "nox": "FAIL", "so2": "INSUFFICIENT", "joint": "INSUFFICIENT",
    }  # fmt: skip
    assert "达标 PASS100.00 % · 0/2 h" in told
    assert "不达标 FAIL50.00 % · 24/2 h" in told
    assert "数据不足 INSUFFICIENT– · 0/0 h" in told
    assert text.count('class="dot ') == rows.height
    assert "有小时超过强制标准 / hours above the mandatory standard or permit" in told
    assert "≤ 50 mg/m³ · 超 22 h over" in told
    # the plant as a whole, and its hours above the mandatory standard
    assert "(P1)不达标 FAIL数据不足 INSUFFICIENT0 / 1" in told
    assert "the mandatory standard or permit: every tested hour must hold it" in told
    assert "above it:" in told


def test_hours_are_drawn_where_they_lie(home: Home) -> None:
    facts = gather(home)
    runs = facts.runs["K1", "nox"]
    assert [(r.kind, r.first - BEFORE, r.hours) for r in runs] == [
        ("ok", 0, 12), ("fail", 12, 11), ("over", 23, 1), ("ok", 24, 12), ("fail", 36, 11), ("over", 47, 1),
    ]  # fmt: skip
    assert runs[1].told.startswith("30 日 12:00 – 30 日 23:00 (11 h): ")
    assert runs[2].told.endswith("最高 max 500 mg/m³")
    assert [(r.kind, r.hours) for r in facts.runs["K1", "so2"]] == [("no_data", 48)]
    drawn = str(strip(runs, 31))
    assert f'class="over" x="{BEFORE + 24}" y="1" width="1"' in drawn


def test_what_was_refused_is_counted_by_reason(home: Home) -> None:
    told = read(report(home)[1]).text
    assert gather(home).quarantine.rows() == [("unknown_mn", "frame", 1)]
    assert "设备未登记 " in told
    shutil.rmtree(f"{home.settings.home}/lake/cems_quarantine")
    assert "本月没有隔离数据，或数据湖不在此处。 " in read(report(Home(home.settings))[1]).text


def test_declarations_of_the_month_and_what_was_found_are_on_the_page(home: Home) -> None:
    _, text = report(home)
    told = "".join(read(text).text)
    assert "申报与审查发现 Declarations and findings" in told
    assert "L1停窑过程 being shut down13.0" in told
    # An open mark goes no further than the data of the month.
    assert "K1 so2" in told
    assert "11.51" in told
    assert gather(home).findings.height > 0
    assert "events/states.csv:3" in told
    assert "<b>L9" not in text
    assert "<b>L9</b>" in told
    assert "这是第一个发布。" in told


def test_what_moved_since_the_release_before_is_counted_by_reason(home: Home) -> None:
    rows = f"outlet_id,pollutant,limit_mg_m3,standard,valid_from,valid_to\nK1,nox,30,permit,{DAYS[0]},\n"
    (Path(home.settings.home) / "registry/permits.csv").write_text(rows, encoding="utf-8")
    publish(Home(home.settings))
    again = opened(Path(home.settings.home))
    facts = gather(again)
    told = "".join(read(report(again)[1]).text)
    assert facts.manifest.previous is not None
    assert facts.manifest.previous.release_id in told
    assert facts.restated.height > 0
    assert "企业登记变化 the registry changed" in told
    (most,) = (
        facts.restated.filter(dataset="ule_hourly").group_by("reason_kind", "reason_ref")
        .agg((~pl.col("provisional")).sum()).sort("provisional").tail(1).rows()
    )  # fmt: skip
    assert f"ule_hourly{most[2]:,}" in told


def test_only_rule_packs_of_the_page_are_listed(home: Home) -> None:
    facts = gather(home)
    assert {"cn-ule-2024", "gb4915-2013", "policies"} <= packs_of(facts)
    told = "".join(read(report(home)[1]).text)
    assert "us-nsps-f" not in told
    others = len({p.id for p in facts.manifest.facts.rule_packs} - packs_of(facts))
    assert f"另有 {others} 个规则包" in told


def test_what_people_wrote_is_text_and_nothing_is_fetched(home: Home) -> None:
    _, text = report(home)
    reader = read(text)
    assert "script" not in reader.tags
    assert EVIL.replace('"', "'") in "".join(reader.text)
    assert "alert" in text
    assert not re.search(r"https?:|src=|href=|@import|url\(", text)


def test_the_same_release_gives_the_same_page(home: Home, published: Path) -> None:
    first = report(home)
    assert report(home) == first
    assert report(opened(published)) == first


def test_a_verifier_without_registry_gets_ids_for_names(home: Home) -> None:
    shutil.rmtree(f"{home.settings.home}/registry")
    told = "".join(read(report(Home(home.settings))[1]).text)
    assert "窑尾 · P1" in told
    assert "not read: no sound registry here" in told


def test_a_month_or_plant_that_is_not_there_is_refused_with_what_is(home: Home, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"2026-09.*2026-10"):
        report(home, "2026-09")
    with pytest.raises(SettingsError, match="no such plants: P9"):
        report(home, "", ["P9"])
    assert report(home, "2026-10", ["P1"])[0] == "2026-10"
    with pytest.raises(ReleaseError, match="nothing is published yet"):
        report(opened(tmp_path / "empty"))


def test_before_the_ultra_low_limits_the_page_says_so(tmp_path: Path) -> None:
    day = "2022-03-01"
    frames = [
        minute(f"20220301{h:02d}{m:02d}00", "a21002-Avg=350,a21002-Flag=N;a19001-Avg=10,a19001-Flag=N")
        for h in range(24)
        for m in range(60)
    ]
    home = write_home(tmp_path, {"a.txt": b"".join(frames)}, outlets=[outlet()], devices=[device()])
    publish(home)
    told = "".join(read(report(home, day[:7])[1]).text)
    assert "No ultra-low limit was in force in this month." in told
    assert "强制 mandatory ≤ 400 mg/m³" in told
    assert "月度结论" not in told


def test_the_command_writes_the_page_and_says_where(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(main, ["report", "--home", home.settings.home])
    assert made.exit_code == 0
    page = tmp_path / "kiln-report-2026-10.html"
    assert str(page.resolve()) in made.output
    assert page.read_text(encoding="utf-8") == report(home)[1]
    none = CliRunner().invoke(main, ["report", "--home", home.settings.home, "--month", "2026-09"])
    assert none.exit_code == 2
    assert "2026-10" in none.output
    strange = CliRunner().invoke(main, ["report", "--home", home.settings.home, "--plant", "P9"])
    assert (strange.exit_code, "no such plants: P9" in strange.output) == (2, True)
    told = CliRunner().invoke(main, ["report", "--help"]).output
    assert all(word in told for word in ("carbon", "allowances", "ledgers alone"))


def test_markup_escapes_all_but_markup() -> None:
    assert tag("b", "<&>", Html("<i>"), None, title='a"b', class_="x", data_n=1, left=None) == (
        '<b title="a&quot;b" class="x" data-n="1">&lt;&amp;&gt;<i></b>'
    )
    assert read(page("<t>", table(("a",), [("<x>",)], numeric=(0,)))).text[-2:] == ["<x>", "\n"]


def test_a_bar_is_coloured_by_its_floors_and_empty_without_a_share() -> None:
    assert 'class="ok"' in bar(90.0, (75.0, 90.0))
    assert 'class="fail"' in bar(89.9, (75.0, 90.0))
    assert bar(None).count("<rect") == 1
    assert strip([Run("ok", 0, 1, "")], 28).count("<title>") == 0


def test_a_missing_figure_is_a_dash() -> None:
    assert (number(None), number(0.0), number(1234.5, 1, " h")) == ("–", "0.00", "1,234.5 h")
