"""Dagster's view: what people read of a table, a partition and a range run, and what counts as unsynced."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from assets.dagster_assets import HomeResource, build_assets, build_checks, materialization, metadata_of, provenance
from assets.dagster_views import MOST_ROWS, VIEWS, bar, highlights, markdown
from assets.products import PRODUCTS, Outcome, bring_up, product
from contracts import TABLES
from pipelines.partitions import partition_sets, today
from resources.home import Home
from resources.settings import Settings
from tests.homes import device, minute, outlet, write_home

if TYPE_CHECKING:
    from pathlib import Path

DAYS = ("2026-10-30", "2026-10-31")
FIRST = date(2026, 10, 1)


def captures(day: str) -> bytes:
    """Every minute of a day; the second half of its hours is above the ultra-low limit of nitrogen oxides."""
    start = datetime.fromisoformat(day)
    frames = []
    for n in range(1440):
        at = start + timedelta(minutes=n)
        nox = 40 if n < 720 else 60
        pairs = f"a21002-Avg={nox},a21002-Flag=N;a19001-Avg=10.0,a19001-Flag=N;a00000-Avg=100000"
        frames.append(minute(f"{at:%Y%m%d%H%M%S}", pairs, qn=f"{at:%Y%m%d%H%M%S}000"))
    return b"".join(frames)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = write_home(tmp_path, {f"{day}.txt": captures(day) for day in DAYS}, outlets=[outlet()], devices=[device()])
    return Home(made.settings)


def run(
    home: Home, instance: dg.DagsterInstance, *tables: str, keys: tuple[str, ...] = ()
) -> dg.ExecuteInProcessResult:
    assets = build_assets(partition_sets(Settings(window_from=FIRST)))
    tags = (
        {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[1]} if keys else {}
    )
    result = dg.materialize(
        [*assets, *build_checks()], selection=dg.AssetSelection.assets(*tables) if tables else None, instance=instance,
        resources={"home": HomeResource(home=home.settings.home)}, tags=tags,
    )  # fmt: skip
    assert result.success
    return result


RAW = product("raw").tables
HOURS = (*product("labels").tables, *product("hours").tables)
STANDS = "stands: nothing it was made from has changed"


def test_a_range_run_over_several_layers_tells_each_day_by_itself(home: Home) -> None:
    with dg.instance_for_test() as instance:
        run(home, instance, "arrivals")
        result = run(home, instance, *RAW, *HOURS, keys=DAYS)
        told = materialized(result)
        assert len(told) == 2 * len((*RAW, *HOURS))
        for day in DAYS:
            assert told["cems_minute", day]["dagster/row_count"].value == 1440
            assert told["cems_minute", day]["because"].value == "missing"
            assert told["cems_hourly", day]["valid_hours"].value == 24
            assert told["cems_counts", day]["rows"].value == 1440
        assert {c.check_name: c.passed for c in result.get_asset_check_evaluations()} == {
            "rows_conserved": True, "hours_complete": True,
        }  # fmt: skip
        again = materialized(run(home, instance, *RAW, *HOURS, keys=DAYS))
        assert {m["because"].value for m in again.values()} == {STANDS}


def materialized(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str | None], dict[str, dg.MetadataValue]]:
    events = [e.step_materialization_data.materialization for e in result.all_events if e.is_step_materialization]
    return {(m.asset_key.to_user_string(), m.partition): dict(m.metadata) for m in events}


def report(home: Home, instance: dg.DagsterInstance) -> None:
    """What a night logs: every key that has to be made, product after product."""
    home.intake.take_in(str)
    for of in PRODUCTS:
        since = provenance(instance, of)
        for outcome in [o for key in sorted(of.keys(home)) if (o := bring_up(home, of, key))]:
            for table in of.tables:
                instance.report_runless_asset_event(materialization(home, table, outcome, since))


def definitions() -> dg.Definitions:
    sets = partition_sets(Settings(window_from=FIRST))
    return dg.Definitions(assets=build_assets(sets), resources={"home": HomeResource()})


def unsynced(instance: dg.DagsterInstance, **wanted: tuple[str, ...]) -> set[str]:
    """Keys that the UI would call unsynced, of the wanted tables."""
    graph = definitions().resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    return {
        f"{table}/{key}"
        for table, keys in wanted.items()
        for key in keys
        if resolver.get_status(dg.AssetKey(table), key) != StaleStatus.FRESH
    }


def test_a_partition_is_unsynced_only_when_other_bytes_lie_above_it(home: Home) -> None:
    everything = {"cems_minute": DAYS, "cems_hourly": DAYS, "ule_monthly": ("2026-10",)}
    with dg.instance_for_test() as instance:
        report(home, instance)
        assert unsynced(instance, **everything) == set()
        # A copy of a file brings nothing new: the day is looked at again and comes out the same.
        (home.landing.local_path("cems") / "a-copy.txt").write_bytes(captures(DAYS[0]))  # type: ignore[operator]
        home = Home(home.settings)
        report(home, instance)
        assert unsynced(instance, **everything) == set()
        raw = Outcome("raw", DAYS[1], ("asked for",), (), 0, 0, 0.0)
        instance.report_runless_asset_event(materialization(home, "cems_minute", raw))
        assert unsynced(instance, **everything) == set()
        late = minute("20261031120000", "a21002-Avg=41,a21002-Flag=N", qn="20261102000000000")
        (home.landing.local_path("cems") / "late.txt").write_bytes(late)  # type: ignore[operator]
        home = Home(home.settings)
        home.intake.take_in(str)
        outcome = bring_up(home, product("raw"), DAYS[1])
        assert outcome is not None
        instance.report_runless_asset_event(materialization(home, "cems_minute", outcome))
        assert unsynced(instance, **everything) == {f"cems_hourly/{DAYS[1]}"}


def test_the_running_month_can_be_made_before_its_last_day_exists(home: Home) -> None:
    graph = definitions().resolve_asset_graph()
    sets = partition_sets(Settings(window_from=FIRST))
    month = sets["month"].get_last_partition_key()
    assert month == f"{today():%Y-%m}"
    assert sets["day"].get_last_partition_key() == str(today())
    asked = graph.get_parent_partition_keys_for_child(month, dg.AssetKey("cems_hourly"), dg.AssetKey("ule_monthly"))
    assert asked.required_but_nonexistent_subset.is_empty


def test_what_is_told_of_a_partition_is_what_lies_in_it(home: Home) -> None:
    home.intake.take_in(str)
    for of in PRODUCTS:
        for key in sorted(of.keys(home)):
            bring_up(home, of, key)
    month = metadata_of(home, "ule_monthly", "2026-10")
    # The data begin two days before the month ends: NOx is there in every hour, nothing else is.
    assert {v: month[v] for v in ("PASS", "FAIL", "INSUFFICIENT", "NO_PRODUCTION")} == {
        "PASS": 0, "FAIL": 1, "INSUFFICIENT": 3, "NO_PRODUCTION": 0,
    }  # fmt: skip
    hours = highlights(home, "ule_hourly", "2026-10")
    assert (hours["judged_hours"], hours["fail_hours"], hours["mandatory_fail_hours"]) == (48, 24, 0)
    day = highlights(home, "cems_hourly", DAYS[0])
    assert "| K1 | nox | 24 / 24 | ████████████████████ |  |" in day["valid share"].value
    assert "| K1 | pm | 0 / 24 | ░░░░░░░░░░░░░░░░░░░░ | no_data |" in day["valid share"].value
    assert highlights(home, "cems_minute", DAYS[0]) == {}
    assert metadata_of(home, "cems_hourly", "2026-12-01") == {"dagster/row_count": 0, "because": STANDS}


def test_refused_files_and_reasons_are_shown_first(tmp_path: Path) -> None:
    good = minute("20261030000000", "a21002-Avg=40,a21002-Flag=N")
    files = {"a.txt": good, "b.xlsx": b"PK", "c.txt": good + minute("20261030000100", "a21002-Avg=1", mn="STRANGE")}
    home = write_home(tmp_path, files, outlets=[outlet()], devices=[device()])
    home.intake.take_in(str)
    for of in (product("arrivals"), product("raw")):
        for key in sorted(of.keys(home)):
            bring_up(home, of, key)
    told = highlights(home, "arrivals", "all")
    assert (told["frames_accepted"], told["frames_quarantined"], told["refused"]) == (2, 1, 1)
    lines = told["look at"].value.splitlines()
    assert lines[2].startswith("| cems/b.xlsx | refused |")
    assert lines[3].startswith("| cems/c.txt | read | 1 | 1 |")
    assert "| unknown_mn | frame | 设备未登记 |" in highlights(home, "cems_quarantine", "2026-10-30")["by reason"].value


def test_every_table_of_a_product_has_an_asset_whose_columns_are_those_of_its_contract() -> None:
    made = {spec.key.to_user_string(): spec for a in build_assets({}) for spec in a.specs}
    assert set(made) == {t for of in PRODUCTS for t in of.tables}
    for name, spec in made.items():
        columns = spec.metadata["dagster/column_schema"].columns
        assert [c.name for c in columns] == TABLES[name].names
        assert "dictionary" not in {c.type for c in columns}
        assert TABLES[name].zh in (spec.description or "")


def test_views_read_columns_that_exist() -> None:
    for name, view in VIEWS.items():
        assert set(view.columns) <= set(TABLES[name].names)


def test_a_table_is_cut_aloud_and_a_cell_cannot_break_it() -> None:
    text = markdown(("a",), [("x|y\nz",)], 3).value
    assert text == "| a |\n| --- |\n| x\\|y z |\n\n1 of 3 rows, those that need a look first"


@pytest.mark.parametrize(("share", "full"), [(0.0, 0), (4.9, 0), (5.0, 1), (99.9, 19), (100.0, 20)])
def test_only_a_full_share_fills_the_bar(share: float, full: int) -> None:
    assert bar(share) == "█" * full + "░" * (20 - full)


def test_a_long_day_shows_the_outlets_that_need_a_look(home: Home) -> None:
    outlets = [f"K{n:02d}" for n in range(MOST_ROWS + 5)]
    frame = pl.DataFrame(
        {
            "outlet_id": outlets, "pollutant": ["nox"] * len(outlets), "null_reason": ["no_data", *[None] * (len(outlets) - 1)],
            "judged_mg_m3": [None, *[1.0] * (len(outlets) - 1)],
        }
    )  # fmt: skip
    told = VIEWS["cems_hourly"].of(frame)
    assert told["valid_pct"] == 96.0
    assert told["valid share"].value.splitlines()[2] == f"| K00 | nox | 0 / 1 | {bar(0)} | no_data |"
    assert told["valid share"].value.endswith(f"{MOST_ROWS} of {len(outlets)} rows, those that need a look first")
