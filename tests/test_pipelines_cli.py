"""The command line: what each command says and how it ends, good or bad."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import dagster as dg
import pytest
from click.testing import CliRunner

from contracts import TABLES
from pipelines import invented
from pipelines.cli import main
from pipelines.instance import BY_HAND, open_instance
from pipelines.night import NightConfig, window
from pipelines.partitions import shifted, today
from resources.home import Home
from resources.settings import Settings
from resources.storage import StorageError
from simulator import simulate
from tests.homes import device, minute, outlet, write_home
from tests.nights import copy_of, lake_hashes

if TYPE_CHECKING:
    from click.testing import Result

    from assets.products import Product

ROOT = Path(__file__).parents[1]
DAY = "2026-11-01"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine that tests run on."""
    for name in [n for n in os.environ if n.startswith("KILN_") or n == "DAGSTER_HOME"]:
        monkeypatch.delenv(name)


def kiln(*args: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in args])


def told(*args: object, code: int = 0) -> Any:
    """What a command says with --json, on standard output alone."""
    result = kiln(*args, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def frames(day: str = DAY, value: float = 4.0) -> bytes:
    return b"".join(
        minute(
            f"{day.replace('-', '')}{m // 60:02d}{m % 60:02d}00",
            f"a34013-Avg={value},a34013-Flag=N;a19001-Avg=9,a19001-Flag=N",
        )
        for m in range(0, 1440, 10)
    )


def small(root: Path) -> Path:
    """One outlet, one day."""
    write_home(root, {"a.txt": frames()}, outlets=[outlet()], devices=[device(interval=10)])
    return root


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small home after a night; read only."""
    home = small(tmp_path_factory.mktemp("ran"))
    result = kiln("run", "--home", home, "--all")
    assert result.exit_code == 0, result.output
    return home


@pytest.fixture
def home(ran: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return copy_of(ran, tmp_path / "home")


# ---- the program itself --------------------------------------------------------------------------------------------------------


def test_help_names_every_command_in_both_languages_and_needs_no_engine() -> None:
    code = "import sys; from pipelines.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\nprint(sorted({'dagster', 'numba', 'polars'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for name in main.commands:
        assert f"  {name} " in done.stdout
    assert "运行夜间作业" in done.stdout
    assert {"demo", "dictionary", "doctor", "plan", "release", "run", "simulate"} <= set(main.commands)


def test_every_option_is_explained() -> None:
    def commands(group: click.Group) -> list[click.Command]:
        return [
            c for each in group.commands.values() for c in (commands(each) if isinstance(each, click.Group) else [each])
        ]

    for command in commands(main):
        assert command.help, command.name
        assert all(p.help for p in command.params if isinstance(p, click.Option)), command.name


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nonsense"], "No such command"),
        (["run", "--date", "2026-13-01"], "is no day; write e.g."),
        (["run", "--date", DAY, "--all"], "choose one"),
        (["run", "--date", DAY, "--from", DAY], "choose one"),
        (["run", "--from", "2026-11-02", "--to", DAY], "lies after"),
        (["simulate", "--outlets", "0"], "--outlets"),
        (["simulate", "--dirt", "much"], "--dirt"),
        (["release", "prune", "--keep", "0"], "--keep"),
        (["release", "diff"], "OLD"),
        (["run", "--home", "ftp://somewhere/x"], "ftp"),
        (["dictionary", "--out", "/no/such/folder/x.md"], "/no/such/folder/x.md"),
    ],
)
def test_usage_errors_end_with_2_and_a_sentence(
    args: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = kiln(*args)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value"), [("KILN_THREADS", "two"), ("KILN_NIGHTLY_DAYS", "0"), ("KILN_WINDOW_FROM", "yesterday")]
)
@pytest.mark.parametrize(
    "command", [["run"], ["plan"], ["doctor"], ["release", "list"], ["simulate"], ["demo"]], ids=" ".join
)
def test_a_setting_that_cannot_be_used_is_named(
    command: list[str], name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    result = kiln(*command, "--home", tmp_path)
    assert result.exit_code == 2
    assert f"{name}={value!r}" in result.stderr


# ---- run, plan -----------------------------------------------------------------------------------------------------------------


def test_a_run_says_what_it_found_and_where_the_files_are(tmp_path: Path) -> None:
    home = small(tmp_path)
    result = kiln("run", "--home", home, "--date", DAY)
    assert result.exit_code == 0
    assert "captures 1" in result.stdout
    assert "144 帧 frames" in result.stdout
    assert "hours of 1 天 days; 2026-11" in result.stdout
    assert str(home / "published/latest") in result.stdout
    assert " raw: 1/1 个分区已算 keys made" in result.stderr
    again = told("run", "--home", home, "--all")
    assert again["ok"] is True
    assert again["release"] in result.stdout
    assert {v["verdict"] for v in again["verdicts"]} <= {"PASS", "FAIL", "INSUFFICIENT", "NO_PRODUCTION"}
    assert Path(again["release_path"]).is_dir()


def test_a_run_may_stop_before_the_release(tmp_path: Path) -> None:
    outcome = told("run", "--home", small(tmp_path), "--all", "--no-publish")
    assert (outcome["release"], outcome["days"]) == (None, 1)
    assert kiln("release", "list", "--home", tmp_path).stdout.strip().endswith("nothing is published yet")


def test_a_run_without_captures_says_so(tmp_path: Path) -> None:
    write_home(tmp_path, {}, outlets=[outlet()], devices=[device()])
    result = kiln("run", "--home", tmp_path)
    assert result.exit_code == 0
    assert "no files below landing/cems" in result.stdout


def test_a_home_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    for command in (["run", "--all"], ["plan"]):
        result = kiln(*command, "--home", tmp_path / "nowhere")
        assert result.exit_code == 3
        for file in ("plants.csv", "outlets.csv", "devices.csv"):
            assert file in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_every_mistake_of_a_registry_is_told_at_once(home: Path) -> None:
    devices = home / "registry/devices.csv"
    devices.write_text(
        devices.read_text("utf-8").replace(",start,", ",middle,").replace(",kPa,", ",bar,"), encoding="utf-8"
    )
    with (home / "registry/outlets.csv").open("a", encoding="utf-8") as file:
        file.write("K9,P9,L9,chimney,12,1,,ammonia,2016-01-01,\n")
    with (home / "registry/plants.csv").open("a", encoding="utf-8") as file:
        file.write("P2,乙,,,,贵州,,91,106.7,101.3,general,yesterday,\n")
    before = lake_hashes(home)
    for command in ("run", "plan"):
        result = kiln(command, "--home", home)
        assert result.exit_code == 3
        for mistake in ("middle", "bar", "chimney", "P9", "yesterday", "latitude"):
            assert mistake in result.stdout, mistake
        listed = told(command, "--home", home, code=3)
        assert listed["ok"] is False
        assert len(listed["problems"]) > 6
    assert lake_hashes(home) == before
    failed = [f for f in told("doctor", "--home", home, code=3)["findings"] if f["level"] == 2]
    assert [f["what"] for f in failed] == ["registry"]
    assert "chimney" in failed[0]["text"]


def test_a_refused_file_is_told_with_its_remedy(home: Path) -> None:
    (home / "landing/cems/table.xlsx").write_bytes(b"PK")
    outcome = told("run", "--home", home, "--all", code=3)
    assert outcome["ok"] is True
    assert outcome["refused"] == ["cems/table.xlsx"]
    assert "export it as text" in outcome["refused_files"][0]


def test_a_failing_step_is_told_in_one_sentence(home: Path) -> None:
    released = told("release", "list", "--home", home)["latest"]
    index = home / "lake/intake.json"
    index.write_text(index.read_text("utf-8").replace('"noise_bytes": 0', '"noise_bytes": 9'), encoding="utf-8")
    (home / "landing/cems/b.txt").write_bytes(frames("2026-11-02"))
    result = kiln("run", "--home", home, "--all")
    assert result.exit_code == 1
    problem = result.stdout.splitlines()[0]
    assert "bytes_conserved" in problem
    assert result.stdout.index("latest stays") < result.stdout.index("captures")
    assert problem.startswith("night_arrivals: ")
    assert "dagster" not in problem
    assert f"nothing was published; 最新仍为 latest stays {released}" in result.stdout
    assert "Traceback" not in result.output
    assert "Not executing" not in result.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero (File "),
        (StorageError("s3://b: 存储桶不存在 / no such bucket"), "night_raw: s3://b: 存储桶不存在 / no such bucket"),
    ],
    ids=["a mistake in the program", "one of ours"],
)
def test_whatever_ends_a_step_is_one_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, said: str
) -> None:
    def broken(_home: Home, of: Product, *_args: Any) -> list[Any]:
        if of.name == "raw":
            raise error
        return []

    monkeypatch.setattr("pipelines.night.bring_up_all", broken)
    result = kiln("run", "--home", home, "--all")
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("night_raw: ")]
    assert said in line
    assert "nothing was published" in result.stdout


@pytest.mark.parametrize("error", [dg.DagsterExecutionInterruptedError(), KeyboardInterrupt()], ids=["engine", "bare"])
def test_an_interrupted_run_says_so_and_nothing_of_the_release_before(
    home: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def broken(_home: Home, _of: Product, *_args: Any) -> list[Any]:
        raise error

    released = told("release", "list", "--home", home)["latest"]
    monkeypatch.setattr("pipelines.night.bring_up_all", broken)
    result = kiln("run", "--home", home, "--all")
    assert result.exit_code == 130
    assert result.stdout == (
        f"已中断，未发布；最新发布仍是 {released} / interrupted, nothing published; latest stays {released}。"
        "再次运行 kiln run 即可接着算 / run again to go on\n"
    )
    assert told("run", "--home", home, "--all", code=130)["release"] == released


def test_an_interruption_during_start_up_ends_with_the_same_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def early(*_args: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.runs.run_night", early)
    result = kiln("run", "--home", tmp_path, "--all")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr.startswith("已中断，未发布；尚无任何发布 / interrupted, nothing published; ")
    assert "Aborted" not in result.output


def test_a_plan_names_what_would_be_read_and_made_and_writes_nothing(home: Path) -> None:
    before = sorted(p for p in home.rglob("*"))
    (home / "landing/cems/b.txt").write_bytes(frames("2026-11-02"))
    plan = told("plan", "--home", home)
    assert plan["to_read"] == ["cems/b.txt"]
    assert "cems/b.txt" in kiln("plan", "--home", home).stdout
    with (home / "registry/permits.csv").open("w", encoding="utf-8") as file:
        file.write("outlet_id,pollutant,limit_mg_m3,standard,valid_from,valid_to\nK1,pm,5,permit,2026-11-01,\n")
    stale = told("plan", "--home", home)["stale"]
    assert any(why.startswith("registry:") for why in stale["hours"][DAY])
    assert list(stale["judgement"]) == ["2026-11"]
    assert [p for p in sorted(home.rglob("*")) if p not in before] == [
        home / "landing/cems/b.txt",
        home / "registry/permits.csv",
    ]


def test_a_long_plan_shows_the_first_and_how_many_more(tmp_path: Path) -> None:
    home = write_home(tmp_path, {f"{n:03d}.txt": b"x" for n in range(50)}, outlets=[outlet()], devices=[device()])
    result = kiln("plan", "--home", home.settings.home)
    assert "cems/019.txt" in result.stdout
    assert "cems/020.txt" not in result.stdout
    assert "and 30 more" in result.stdout


@pytest.mark.parametrize(
    ("config", "span"),
    [
        ({"everything": True}, ("", "~")),
        ({"first": DAY, "last": DAY}, (DAY, DAY)),
        ({"first": DAY}, (DAY, "~")),
        ({"last": DAY}, ("2026-10-27", DAY)),
        ({}, (shifted(str(today()), -5), str(today()))),
    ],
)
def test_a_window_is_what_was_asked_for(tmp_path: Path, config: dict[str, Any], span: tuple[str, str]) -> None:
    assert window(Home(Settings(home=str(tmp_path), nightly_days=5)), NightConfig(**config)) == span


def test_a_run_uses_the_settings_it_is_given_not_those_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.runs import run_night

    small(tmp_path / "a")
    monkeypatch.setenv("KILN_LAKE", str(tmp_path / "wrong"))
    settings = Settings(home=str(tmp_path / "a"), lake=str(tmp_path / "lake"), published=str(tmp_path / "out"))
    assert run_night(settings, everything=True).code == 0
    assert os.environ["KILN_LAKE"] == str(tmp_path / "wrong")
    assert not (tmp_path / "wrong").exists()
    assert (tmp_path / "lake/cems_hourly").is_dir()
    assert (tmp_path / "out/latest").is_symlink()


def test_runs_on_one_lake_wait_for_each_other(home: Path) -> None:
    said: list[Result] = []
    with (home / "lake/.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        other = threading.Thread(target=lambda: said.append(kiln("run", "--home", home, "--all")))
        other.start()
        other.join(timeout=3)
        assert other.is_alive()
    other.join(timeout=60)
    assert said[0].exit_code == 0
    assert "another run is at work" in said[0].stderr


def test_runs_that_a_killed_process_left_open_are_closed(home: Path) -> None:
    with open_instance(str(home)) as instance:
        left = instance.create_run_for_job(
            dg.GraphDefinition("nightly").to_job(), tags=BY_HAND, status=dg.DagsterRunStatus.STARTED
        )
        served = instance.create_run_for_job(dg.GraphDefinition("nightly").to_job(), status=dg.DagsterRunStatus.STARTED)
    assert kiln("run", "--home", home).exit_code == 0
    with open_instance(str(home)) as instance:
        assert instance.get_run_by_id(left.run_id).status == dg.DagsterRunStatus.FAILURE
        assert instance.get_run_by_id(served.run_id).status == dg.DagsterRunStatus.STARTED
        assert [r.status for r in instance.get_runs(limit=1)] == [dg.DagsterRunStatus.SUCCESS]
    assert "DAGSTER_HOME" not in os.environ


# ---- doctor --------------------------------------------------------------------------------------------------------------------


def test_the_doctor_looks_at_everything_and_leaves_no_trace(ran: Path, tmp_path: Path) -> None:
    before = sorted(ran.rglob("*"))
    findings = told("doctor", "--home", ran)["findings"]
    assert list(dict.fromkeys(f["what"] for f in findings)) == [
        "registry",
        "rules",
        "methods",
        "factors",
        "events",
        "landing",
        "lake",
        "published",
        "clock",
        "disk",
    ]
    assert all(f["level"] < 2 for f in findings)
    assert "1 outlets" in findings[0]["text"]
    assert sorted(ran.rglob("*")) == before
    (only,) = told("doctor", "--home", tmp_path / "new", code=2)["findings"]
    assert only["what"] == "home"
    assert f"主目录不存在：{tmp_path / 'new'}；路径是否写错？ / the home does not exist" in only["text"]
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_tells_a_refused_registry_from_a_place_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    told("doctor", "--home", tmp_path, code=3)
    (tmp_path / "lake").write_text("no folder", encoding="utf-8")
    failed = [f for f in told("doctor", "--home", tmp_path, code=2)["findings"] if f["level"] == 2]
    assert [(f["what"], f["refused"]) for f in failed] == [("registry", True), ("lake", False)]


def test_the_doctor_says_where_nothing_can_be_written(home: Path) -> None:
    shut = home / "file"
    shut.write_text("no folder", encoding="utf-8")
    os.environ["KILN_LAKE"] = str(shut / "lake")
    try:
        findings = {f["what"]: f for f in told("doctor", "--home", home, code=2)["findings"]}
    finally:
        del os.environ["KILN_LAKE"]
    assert findings["lake"]["level"] == 2
    assert str(shut) in findings["lake"]["text"]
    assert findings["published"]["level"] == 0


# ---- releases ------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two(ran: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases; read only."""
    home = copy_of(ran, tmp_path_factory.mktemp("two") / "home")
    (home / "landing/cems/late.txt").write_bytes(
        minute("20261101001000", "a34013-Avg=9.5,a34013-Flag=N", qn="20261102000000000")
    )
    assert kiln("run", "--home", home, "--all").exit_code == 0
    return home


def test_releases_are_listed_oldest_first(two: Path) -> None:
    listed = told("release", "list", "--home", two)
    ids = [r["release_id"] for r in listed["releases"]]
    assert [i[:6] for i in ids] == ["000001", "000002"]
    assert listed["latest"] == ids[1]
    lines = kiln("release", "list", "--home", two).stdout.splitlines()
    assert [line[:8] for line in lines] == ["  000001", "* 000002"]


def test_a_release_that_is_sound_verifies_and_a_damaged_one_does_not(two: Path, home: Path) -> None:
    assert told("release", "verify", "--home", two)["problems"] == []
    assert (
        told("release", "verify", told("release", "list", "--home", two)["releases"][0]["release_id"], "--home", two)[
            "problems"
        ]
        == []
    )
    hours = home / f"published/latest/cems_hourly/{DAY}.parquet"
    hours.write_bytes(hours.read_bytes()[:-20])
    problems = told("release", "verify", "--home", home, code=1)["problems"]
    assert problems
    assert all(f"cems_hourly/{DAY}.parquet" in p for p in problems)


def test_a_difference_names_what_moved(two: Path) -> None:
    first = told("release", "list", "--home", two)["releases"][0]["release_id"]
    diff = told("release", "diff", first, "--home", two)
    hourly = next(t for t in diff["tables"] if t["table"] == "cems_hourly")
    assert hourly["files_changed"] == [f"cems_hourly/{DAY}.parquet"] or len(hourly["files_changed"]) == 1
    assert hourly["columns"]["judged_mg_m3"]["changed"] == 1
    text = kiln("release", "diff", first, "--home", two).stdout
    assert "judged_mg_m3: 1 values" in text
    assert "no difference" in kiln("release", "diff", "latest", "--home", two).stdout


@pytest.mark.parametrize("command", [["verify", "000009-abcdefabcdef"], ["diff", "000009-abcdefabcdef"]])
def test_a_release_that_is_not_there_is_told_with_those_that_are(two: Path, tmp_path: Path, command: list[str]) -> None:
    result = kiln("release", *command, "--home", two)
    assert result.exit_code == 2
    assert "000001-" in result.stderr
    nothing = kiln("release", *command, "--home", tmp_path)
    assert nothing.exit_code == 2
    assert "nothing is published yet" in nothing.stderr


def test_old_releases_are_pruned_and_the_latest_stays(two: Path, tmp_path: Path) -> None:
    home = copy_of(two, tmp_path / "home")
    ids = [r["release_id"] for r in told("release", "list", "--home", home)["releases"]]
    assert told("release", "prune", "--home", home)["removed"] == []
    gone = told("release", "prune", "--keep", "1", "--home", home)
    assert gone == {"removed": ids[:1], "younger_than_retention": ids[:1]}
    assert [r["release_id"] for r in told("release", "list", "--home", home)["releases"]] == ids[1:]
    assert told("release", "verify", "--home", home)["problems"] == []
    assert "nothing to remove" in kiln("release", "prune", "--keep", "1", "--home", home).stdout


# ---- dictionary, simulate, demo ------------------------------------------------------------------------------------------------


def test_the_dictionary_has_every_column_of_every_table(tmp_path: Path) -> None:
    page = kiln("dictionary").stdout
    for table in TABLES.values():
        assert table.name in page
        assert all(c.name in page for c in table.columns)
        assert table.zh in page
    assert kiln("dictionary", "--out", tmp_path / "d.md").output == ""
    assert (tmp_path / "d.md").read_text("utf-8").strip() == page.strip()


def test_simulating_writes_a_home_that_runs(tmp_path: Path) -> None:
    size = ["--outlets", "2", "--days", "1", "--hours", "2", "--interval", "10", "--dirt", "none", "--compress", "gz"]
    made = told("simulate", "--home", tmp_path / "a", *size)
    assert (made["outlets"], made["days"], made["files"]) == (2, 1, 1)
    assert "2 排放口 outlets x 1 天 days" in kiln("simulate", "--home", tmp_path / "b", *size, "--no-truth").stdout
    files = {p.relative_to(tmp_path / "a"): p.read_bytes() for p in (tmp_path / "a/landing").rglob("*.gz")}
    assert files == {p.relative_to(tmp_path / "b"): p.read_bytes() for p in (tmp_path / "b/landing").rglob("*.gz")}
    assert len(files) == 1
    assert not (tmp_path / "b/truth/minutes").exists()
    assert told("run", "--home", tmp_path / "a", "--all")["frames_accepted"] == made["frames"]


def test_nothing_is_simulated_over_what_is_real(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {p: p.read_bytes() for p in home.rglob("*.csv")}
    for command in ("simulate", "demo"):
        result = kiln(command, "--home", home)
        assert result.exit_code == 2
        assert "not simulated" in result.stderr
    assert {p: p.read_bytes() for p in home.rglob("*.csv")} == before
    assert kiln("simulate", "--home", "s3://bucket/home").exit_code == 2
    monkeypatch.setenv("KILN_LANDING", str(home / "landing"))
    result = kiln("simulate", "--home", tmp_path / "other")
    assert result.exit_code == 2
    assert "KILN_LANDING" in result.stderr


def test_the_demo_ends_with_a_release_and_where_to_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo with a small simulation in the place of its own."""
    asked: dict[str, Any] = {}

    def smaller(*args: Any, **size: Any) -> Any:
        asked.update(size)
        return simulate(*args, **(size | {"outlets": 2, "days": 1, "interval_min": 30}))

    monkeypatch.setattr("simulator.simulate", smaller)
    result = kiln("demo", "--home", tmp_path)
    assert result.exit_code == 0
    assert asked["outlets"] >= 6
    assert (tmp_path / invented.TRUTH).exists()
    assert "ule_monthly/*.parquet" in result.stdout
    night, planned, restated = result.stdout.split("\n== ")[1:]
    assert "碳排放 carbon 2025" in night
    assert "0.4989 (CN.GRID.GZ.2022) -> 0.5683" in planned
    expected = re.findall(r"annual_weighted location_province: [\d,.]+ -> [\d,.]+ tCO2 \((\+[\d,.]+)\)", planned)
    moved = re.findall(r"annual_weighted location_province: [\d.]+ -> [\d.]+ tCO2 \((\+[\d,.]+)\)", restated)
    totals = [sum(float(d.replace(",", "")) for d in some) for some in (moved, expected)]
    assert expected, planned
    assert totals[0] == pytest.approx(totals[1], abs=0.01)
    look = result.stdout.split("python -c ")[1].strip().strip('"')
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert "verdict" in done.stdout
