"""The definitions as the UI and the daemon load them: assets, checks, partitions, the nightly job and its schedule, backfills."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from assets.checks import CHECKS
from assets.dagster_assets import UPSTREAM
from assets.dagster_sources import BOOKS, books_of
from assets.products import PRODUCTS, product
from contracts import TABLES
from pipelines.definitions import build_defs
from pipelines.partitions import ZONE, partition_sets, shifted, today
from resources.home import Home
from resources.settings import Settings
from tests.homes import device, minute, outlet, write_home

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[1]
DAYS = ("2026-10-30", "2026-10-31", "2026-11-01")
RAW, LABELS, HOURS = product("raw").tables, product("labels").tables, product("hours").tables
DAILY = (*RAW, *LABELS, *HOURS)
MONTHS, YEARS = ([p for p in PRODUCTS if p.partition == kind] for kind in ("month", "year"))
MONTHLY = product("judgement").tables
PARTITION = {t: p.partition for p in PRODUCTS for t in p.tables}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("KILN_") or n == "DAGSTER_HOME"]:
        monkeypatch.delenv(name)


def day_of_frames(day: str, value: float = 30.0) -> bytes:
    return b"".join(
        minute(
            f"{day.replace('-', '')}{m // 60:02d}{m % 60:02d}00",
            f"a21002-Avg={value},a21002-Flag=N;a19001-Avg=10,a19001-Flag=N",
        )
        for m in range(0, 1440, 30)
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Three days of one outlet; the home of the environment, as it is for the UI."""
    made = write_home(
        tmp_path, {f"{d}.txt": day_of_frames(d) for d in DAYS}, outlets=[outlet()], devices=[device(interval=30)]
    )
    monkeypatch.setenv("KILN_HOME", str(tmp_path))
    return made


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


def defs(**settings: object) -> dg.Definitions:
    return build_defs(settings=Settings(**settings))  # type: ignore[arg-type]


# ---- what there is -------------------------------------------------------------------------------------------------------------


def test_assets_are_the_tables_and_depend_on_what_their_products_read() -> None:
    graph = defs().resolve_asset_graph()
    assert {k.to_user_string() for k in graph.get_all_asset_keys()} == {*PARTITION, *BOOKS}
    assert set(PARTITION) == set(TABLES) - {"restatements"}
    for made in PRODUCTS:
        for table in made.tables:
            parents = {k.to_user_string() for k in graph.get(dg.AssetKey(table)).parent_keys}
            assert parents == {*UPSTREAM[made.name], *books_of(made.name)}, table


def test_every_asset_says_who_owns_it_what_it_is_and_which_columns_it_has() -> None:
    for spec in defs().resolve_all_asset_specs():
        if spec.group_name == "books":
            continue
        table = TABLES[spec.key.to_user_string()]
        assert spec.owners
        assert "parquet" in spec.kinds
        assert table.zh in (spec.description or "")
        assert table.en in (spec.description or "")
        assert spec.group_name == table.layer
        assert spec.code_version
        columns = spec.metadata["dagster/column_schema"].columns
        assert [c.name for c in columns] == table.names
        assert all(c.description for c in columns)


def test_partitions_are_local_days_and_months_of_all_plants() -> None:
    made = defs(window_from=date(2026, 1, 1))
    expected = {
        "day": ("2026-01-01", "2026-03-08", 1),
        "month": ("2026-01", "2026-03", 31),
        "year": ("2026", "2026", 365),
    }
    for table, kind in PARTITION.items():
        found = made.resolve_assets_def(table).partitions_def
        if kind == "none":
            assert found is None
            continue
        assert isinstance(found, dg.TimeWindowPartitionsDefinition)
        assert found.timezone == ZONE == "Asia/Shanghai"
        first, key, length = expected[kind]
        assert found.get_first_partition_key() == first
        window = found.time_window_for_partition_key(key)
        assert (window.start.hour, window.start.utcoffset()) == (0, window.end.utcoffset())
        assert (window.end - window.start).days == length


def test_the_running_day_and_month_are_partitions_too() -> None:
    sets = partition_sets(Settings())
    now = today()
    assert sets["day"].get_last_partition_key() in {str(now), shifted(str(now), 1)}  # midnight may pass in between
    assert sets["month"].get_last_partition_key() in {f"{now:%Y-%m}", shifted(str(now), 1)[:7]}


def test_checks_that_block_do_block() -> None:
    made = {
        (s.asset_key.to_user_string(), s.name): s.blocking for check in defs().asset_checks or () for s in check.check_specs  # type: ignore[union-attr]
    }  # fmt: skip
    assert made == {(c.table, c.id): c.blocking for c in CHECKS}
    assert {
        ("arrivals", "bytes_conserved"), ("cems_minute", "rows_conserved"), ("cems_hourly", "hours_complete"), ("ule_monthly", "verdicts_add_up"),
    } <= {name for name, blocking in made.items() if blocking}  # fmt: skip


def test_one_job_goes_the_way_of_the_data_in_this_process() -> None:
    job = defs().get_job_def("nightly")
    steps = [f"night_{p.name}" for p in PRODUCTS]
    assert [n.name for n in job.nodes_in_topological_order] == [*steps, "night_release"]
    made = [t for p in PRODUCTS for t in p.tables]
    for of in PRODUCTS:
        assert {made.index(t) for t in UPSTREAM[of.name]} <= set(range(made.index(of.tables[0]))), of.name
    assert job.executor_def is dg.in_process_executor


def test_one_schedule_starts_it_every_night_of_the_plants() -> None:
    (schedule,) = defs().schedules or ()
    assert isinstance(schedule, dg.ScheduleDefinition)
    assert (schedule.name, schedule.job_name) == ("every_night", "nightly")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 2 * * *", "Asia/Shanghai")


def test_partitions_are_backfilled_a_month_of_days_at_a_time() -> None:
    made = defs()
    for table, kind in PARTITION.items():
        policy = made.resolve_assets_def(table).backfill_policy
        assert policy == (None if kind == "none" else dg.BackfillPolicy.multi_run(31)), table


# ---- single keys and ranges ----------------------------------------------------------------------------------------------------


def materialize(
    instance: dg.DagsterInstance, tables: tuple[str, ...], key: str | None = None, span: tuple[str, str] | None = None
) -> dg.ExecuteInProcessResult:
    """As the UI does it: assets and their checks, one key or a range of keys."""
    made = defs()
    tags = (
        {"dagster/asset_partition_range_start": span[0], "dagster/asset_partition_range_end": span[1]} if span else None
    )
    return dg.materialize(
        [*made.assets, *made.asset_checks], selection=dg.AssetSelection.assets(*tables), resources=made.resources,  # type: ignore[misc, arg-type]
        partition_key=key, tags=tags, instance=instance, raise_on_error=False,
    )  # fmt: skip


def logged(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str | None], Mapping[str, dg.MetadataValue]]:
    events = [e.step_materialization_data.materialization for e in result.all_events if e.is_step_materialization]
    assert len({(m.asset_key, m.partition) for m in events}) == len(events)
    return {(m.asset_key.to_user_string(), m.partition): m.metadata for m in events}


def checked(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    """Verdicts of checks as the instance knows them: those of a step that failed too."""
    found = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    verdicts = [e.dagster_event.event_specific_data for e in found if e.dagster_event]
    return {v.check_name: v.passed for v in verdicts}  # type: ignore[union-attr]


def test_single_days_are_made_key_by_key(home: Home, instance: dg.DagsterInstance) -> None:
    day = DAYS[1]
    assert materialize(instance, ("arrivals",)).success
    for tables in (RAW, LABELS, HOURS):
        result = materialize(instance, tables, key=day)
        assert result.success
        assert set(logged(result)) == {(t, day) for t in tables}
    result = materialize(instance, MONTHLY, key=day[:7])
    assert result.success
    made = Home(home.settings).lake
    assert made.keys("cems_hourly") == [day]
    assert made.keys("ule_monthly") == [day[:7]]
    assert (
        logged(result)["ule_hourly", "2026-10"]["dagster/row_count"].value
        == made.partition("ule_hourly", "2026-10").rows
    )  # type: ignore[union-attr]
    record = instance.get_latest_data_version_record(dg.AssetKey("cems_hourly"), partition_key=day)
    assert record is not None
    assert record.asset_materialization is not None
    assert record.asset_materialization.tags["dagster/data_version"] == made.version("cems_hourly", day)


def test_a_range_of_three_days_logs_each_key_of_each_table_once(home: Home, instance: dg.DagsterInstance) -> None:
    assert materialize(instance, ("arrivals",)).success
    result = materialize(instance, DAILY, span=(DAYS[0], DAYS[2]))
    assert result.success
    told = logged(result)
    assert set(told) == {(t, d) for t in DAILY for d in DAYS}
    lake = Home(home.settings).lake
    for (table, day), metadata in told.items():
        assert metadata["dagster/row_count"].value == lake.partition(table, day).rows  # type: ignore[union-attr]
        assert instance.get_latest_materialization_event(dg.AssetKey(table)) is not None
    assert instance.get_materialized_partitions(dg.AssetKey("cems_hourly")) == set(DAYS)
    assert all(e.passed for e in result.get_asset_check_evaluations())


def test_assets_and_the_night_make_the_same_bytes_of_what_they_say_they_read(
    home: Home, instance: dg.DagsterInstance
) -> None:
    for made in PRODUCTS:
        if made.partition == "none":
            assert materialize(instance, made.tables).success
    assert materialize(instance, DAILY, span=(DAYS[0], DAYS[2])).success
    for of in MONTHS:
        # The way of the data: all months of a product before the next one, which may look at the months around its own.
        for month in ("2026-10", "2026-11"):
            assert materialize(instance, of.tables, key=month).success
    for of in YEARS:
        assert materialize(instance, of.tables, key="2026").success
    lake = Home(home.settings).lake
    before = {(t, k): lake.version(t, k) for t in PARTITION for k in lake.keys(t)}
    for of in PRODUCTS:
        read = {
            name.split(":")[1]
            for t in of.tables
            for k in lake.keys(t)
            for name in lake.partition(t, k).inputs  # type: ignore[union-attr]
            if name.startswith(("table:", "keys:", "frontier:"))
        }
        assert read <= {*UPSTREAM[of.name], *of.tables}, of.name
    result = night(instance, everything=True)
    assert result.success
    after = Home(home.settings).lake
    assert {(t, k): after.version(t, k) for t in PARTITION for k in after.keys(t)} == before
    assert logged(result) == {}


def test_a_blocking_check_that_fails_stops_what_lies_below(home: Home, instance: dg.DagsterInstance) -> None:
    """The journal speaks of one frame more than the day's tables hold: nothing further is made of that day."""
    day = DAYS[0]
    assert materialize(instance, ("arrivals",)).success
    assert materialize(instance, RAW, key=day).success
    index = Path(home.settings.place("lake")) / "intake.json"
    journal = json.loads(index.read_text("utf-8"))
    (record,) = (a["record"] for a in journal["arrivals"] if day in a["path"])
    assert record["rows"][day] == {"K1": 48}
    record["rows"][day]["K1"] += 1
    index.write_text(json.dumps(journal), encoding="utf-8")
    result = materialize(instance, (*RAW, *LABELS), key=day)
    assert not result.success
    assert checked(instance, result) == {"rows_conserved": False}
    assert {t for t, _ in logged(result)} == set(RAW)


# ---- the night -----------------------------------------------------------------------------------------------------------------


def night(instance: dg.DagsterInstance, **config: object) -> dg.ExecuteInProcessResult:
    job = defs().get_job_def("nightly")
    run_config = {"ops": {n.name: {"config": config} for n in job.nodes}} if config else None
    return job.execute_in_process(run_config=run_config, instance=instance, raise_on_error=False)


def test_a_night_logs_every_partition_and_check_against_the_assets_of_the_ui(
    home: Home, instance: dg.DagsterInstance
) -> None:
    result = night(instance, everything=True)
    assert result.success
    told = logged(result)
    lake = Home(home.settings).lake
    assert {(t, k) for t in DAILY for k in lake.keys(t)} <= set(told)
    assert {("ule_monthly", "2026-10"), ("ule_monthly", "2026-11"), ("arrivals", None)} <= set(told)
    for (table, key), metadata in told.items():
        assert metadata["dagster/row_count"].value == (
            lake.partition(table, key or "all").rows if lake.partition(table, key or "all") else 0
        )  # type: ignore[union-attr]
        assert metadata["seconds"].value >= 0  # type: ignore[operator]
    assert {(e.asset_key.to_user_string(), e.check_name, e.passed) for e in result.get_asset_check_evaluations()} == {
        (c.table, c.id, True) for c in CHECKS
    }
    assert instance.get_materialized_partitions(dg.AssetKey("cems_hourly")) == set(DAYS)
    record = instance.get_latest_data_version_record(dg.AssetKey("cems_hourly"), partition_key=DAYS[0])
    assert record is not None
    assert record.asset_materialization is not None
    assert record.asset_materialization.tags["dagster/data_version"] == lake.version("cems_hourly", DAYS[0])


def test_the_schedule_takes_in_every_unsealed_day_of_the_last_n_and_no_other(
    home: Home, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tick of 2026-11-02 02:30 over the last two days and the running one: of three days two are within, one waits."""
    monkeypatch.setenv("KILN_NIGHTLY_DAYS", "2")
    monkeypatch.setattr("pipelines.night.today", lambda: date(2026, 11, 2))
    (schedule,) = defs().schedules or ()
    context = dg.build_schedule_context(instance, scheduled_execution_time=datetime(2026, 11, 1, 18, 30))
    (request,) = schedule.evaluate_tick(context).run_requests  # type: ignore[union-attr]
    job = defs().get_job_def("nightly")
    result = job.execute_in_process(run_config=request.run_config, instance=instance)
    assert result.success
    lake = Home(home.settings).lake
    assert lake.keys("cems_minute") == [DAYS[1], DAYS[2]]
    assert {k for t, k in logged(result) if t == "cems_minute"} == {DAYS[1], DAYS[2]}
    # What has been sealed is not made again: a longer look finds the one day that waited.
    monkeypatch.setenv("KILN_NIGHTLY_DAYS", "3")
    again = job.execute_in_process(run_config=request.run_config, instance=instance)
    assert {k for t, k in logged(again) if t == "cems_minute"} == {DAYS[0]}


def test_a_night_that_fails_ends_there(home: Home, instance: dg.DagsterInstance) -> None:
    assert night(instance, everything=True).success
    index = Path(home.settings.place("lake")) / "intake.json"
    index.write_text(index.read_text("utf-8").replace('"noise_bytes": 0', '"noise_bytes": 5', 1), encoding="utf-8")
    (Path(home.settings.place("landing")) / "cems/late.txt").write_bytes(minute("20261031101500", "a21002-Avg=1"))
    result = night(instance, everything=True)
    assert not result.success
    assert [e.step_key for e in result.all_events if e.is_step_failure] == ["night_arrivals"]
    assert checked(instance, result) == {"bytes_conserved": False}


# ---- as others load it ---------------------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize(
    "command",
    [["-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"]],
    ids=["dagster definitions validate"],
)
def test_the_workspace_loads(command: list[str], tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "KILN_HOME": str(tmp_path),
        "DAGSTER_HOME": str(tmp_path),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Validation successful" in done.stderr + done.stdout
