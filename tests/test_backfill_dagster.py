"""What Dagster does when a book changes: observations by month, automation from the UI, the reconcile sensor, nothing stale published."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import dagster as dg
import pytest

import assets.stale
import pipelines.backfill
import pipelines.reconcile
import reference
from assets.dagster_assets import HomeResource, build_assets
from assets.dagster_sources import BOOKS, READS, build_sources, month_versions, observations
from assets.products import bring_up, product
from assets.release import facts
from assets.stale import light_products
from pipelines.backfill import backfill, run_config
from pipelines.definitions import build_defs
from pipelines.partitions import partition_sets
from pipelines.reconcile import look
from resources.settings import Settings
from tests import restate_toys as toys
from tests.carbon_home import carbon_home, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from resources.home import Home

SPRING = "anthracite,23,2024-03-01,2024-06-01"
WINDOW = Settings(window_from=toys.date(2024, 1, 1))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose only products are the toys, of which everything stands; the law is a copy that nobody edits meanwhile."""
    for name in ("RULES", "FACTORS", "METHODS", "ETS"):
        law = getattr(reference, name)
        monkeypatch.setattr(reference, name, shutil.copytree(law, tmp_path / "law" / law.name))
    toys.toy_home(tmp_path, monkeypatch)
    for module in (assets.stale, pipelines.reconcile):
        monkeypatch.setattr(module, "light_products", lambda *_: list(toys.PRODUCTS))
    monkeypatch.setattr(pipelines.backfill, "PRODUCTS", toys.PRODUCTS)
    monkeypatch.setattr(pipelines.backfill, "provenance", lambda *_: {})
    monkeypatch.setattr(pipelines.backfill, "hold", lambda *_: None)
    for name in ("toy_month", "toy_year"):
        monkeypatch.setitem(assets.dagster_assets.UPSTREAM, name, ())
    for _, _outcomes in pipelines.backfill.restate(toys.opened(tmp_path), toys.PRODUCTS, "", "~", str):
        pass
    return tmp_path


def seen(root: Path, instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    return look(dg.build_sensor_context(instance=instance, cursor=cursor), toys.opened(root))


def carried_out(root: Path, instance: dg.DagsterInstance, **config: object) -> dg.ExecuteInProcessResult:
    return backfill.execute_in_process(
        run_config=run_config(str(root), **config),
        instance=instance,
        resources={"home": HomeResource(home=str(root))},
        raise_on_error=False,
    )  # type: ignore[call-arg]


# ---- the sensor ----------------------------------------------------------------------------------------------------------------


def test_the_first_look_observes_every_month_and_asks_for_nothing(root: Path, instance: dg.DagsterInstance) -> None:
    result = seen(root, instance)
    assert not result.run_requests
    events = [e for e in result.asset_events if e.asset_key == dg.AssetKey("factors")]
    assert [e.partition for e in events] == list(toys.MONTHS)  # type: ignore[union-attr]
    again = seen(root, instance, result.cursor)
    assert not again.asset_events


def test_a_changed_factor_is_observed_in_its_months_and_asked_for_once(
    root: Path, instance: dg.DagsterInstance
) -> None:
    first = seen(root, instance)
    toys.say_factor(root, SPRING)
    result = seen(root, instance, first.cursor)
    assert [e.partition for e in result.asset_events] == ["2024-03", "2024-04", "2024-05"]  # type: ignore[union-attr]
    (request,) = result.run_requests or ()
    assert request.tags["kiln/because"] == "toy_month 3"
    toys.say_factor(root, SPRING.replace("23", "24"))
    (other,) = seen(root, instance, result.cursor).run_requests or ()
    assert other.run_key != request.run_key, "another value of the same factor is another state of affairs"


def test_while_a_backfill_is_under_way_nothing_is_asked_for(root: Path, instance: dg.DagsterInstance) -> None:
    toys.say_factor(root, SPRING)
    run = instance.create_run_for_job(backfill, status=dg.DagsterRunStatus.STARTED)  # type: ignore[arg-type]
    result = seen(root, instance)
    assert not result.run_requests
    assert run.run_id[:8] in str(result.skip_reason)
    instance.report_run_failed(run)
    assert seen(root, instance).run_requests


def test_what_cannot_be_mended_is_not_asked_for_for_ever(root: Path, instance: dg.DagsterInstance) -> None:
    toys.say_factor(root, SPRING)
    cursor, keys = None, []
    for _ in range(5):
        result = seen(root, instance, cursor)
        keys += [r.run_key for r in result.run_requests or ()]
        cursor = result.cursor
    assert len(set(keys)) == len(keys) == 3
    assert json.loads(cursor or "")["tries"] == 3


def test_a_change_that_arrives_in_mid_run_is_refused_publication_and_asked_for_again(
    root: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys.say_factor(root, SPRING)
    real = pipelines.backfill.publish_release

    def late(*given: object) -> object:
        # The figures are made; before they are published the factor changes again.
        toys.say_factor(root, SPRING.replace("23", "24"))
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(pipelines.backfill, "publish_release", late)
    result = carried_out(root, instance)
    assert not result.success
    assert not (root / "published/latest.json").exists()
    monkeypatch.setattr(pipelines.backfill, "publish_release", real)
    assert seen(root, instance).run_requests
    assert carried_out(root, instance).success
    assert (root / "published/latest.json").exists()
    assert not seen(root, instance).run_requests


# ---- the job -------------------------------------------------------------------------------------------------------------------


def test_the_job_logs_what_it_made_and_nothing_else(root: Path, instance: dg.DagsterInstance) -> None:
    toys.say_factor(root, SPRING)
    result = carried_out(root, instance, publish=False)
    assert result.success
    events = [e.step_materialization_data.materialization for e in result.all_events if e.is_step_materialization]
    assert [(m.asset_key.to_user_string(), m.partition) for m in events] == [
        ("toy_month", "2024-03"), ("toy_month", "2024-04"), ("toy_month", "2024-05"), ("toy_year", "2024"),
    ]  # fmt: skip
    assert not (root / "published/latest.json").exists()


def test_a_release_says_that_nothing_is_stale_or_does_not_come_about(root: Path) -> None:
    def told() -> tuple[bool, bool]:
        (check,) = [c for c in facts(toys.opened(root), []).checks if c.name == "nothing_stale"]
        return check.passed, check.blocking

    assert told() == (True, True)
    toys.say_factor(root, SPRING)
    assert told() == (False, True)


def test_a_filed_year_stands_in_no_release_s_way_and_is_told(root: Path) -> None:
    (root / "registry/filings.csv").write_text("plant_id,year,filed_at\nP1,2024,2025-04-30\n", encoding="utf-8")
    toys.say_factor(root, SPRING)
    for _ in pipelines.backfill.restate(toys.opened(root), toys.PRODUCTS, "", "~", str):
        pass
    checks = {c.name: c for c in facts(toys.opened(root), []).checks}
    assert checks["nothing_stale"].passed
    assert (checks["filed_years_stand"].passed, checks["filed_years_stand"].blocking) == (False, False)
    assert "2024-03" in checks["filed_years_stand"].text


# ---- from the UI ---------------------------------------------------------------------------------------------------------------


def test_books_are_sources_by_month_that_can_be_observed(root: Path, instance: dg.DagsterInstance) -> None:
    sources = build_sources(partition_sets(WINDOW)["month"], lambda: toys.opened(root))
    assert {k.to_user_string() for s in sources for k in s.keys} == set(BOOKS)
    defs = dg.Definitions(assets=sources, executor=dg.in_process_executor)
    job = defs.resolve_implicit_global_asset_job_def()
    assert job.execute_in_process(
        asset_selection=[dg.AssetKey("factors")], partition_key="2024-03", instance=instance
    ).success
    record = instance.fetch_observations(dg.AssetKey("factors"), 1).records[0]
    observed = record.asset_observation
    assert observed is not None
    assert observed.partition == "2024-03"
    assert observed.tags["dagster/data_version"] == month_versions(toys.opened(root), "factors", ["2024-03"])["2024-03"]


def test_automation_asks_for_the_months_that_a_factor_touches(root: Path, instance: dg.DagsterInstance) -> None:
    sets = partition_sets(WINDOW)
    defs = dg.Definitions(
        assets=[*build_assets(sets), *build_sources(sets["month"], lambda: toys.opened(root))],
        resources={"home": HomeResource()},
    )
    wanted = dg.AssetKey("carbon_line_month")
    chosen = dg.AssetSelection.assets(wanted)

    def observe() -> None:
        versions = month_versions(toys.opened(root), "factors", toys.MONTHS)
        for event in observations("factors", versions):
            if known.get(event.partition) != versions[str(event.partition)]:
                instance.report_runless_asset_event(event)
                known[event.partition] = versions[str(event.partition)]

    known: dict[str | None, str] = {}
    observe()
    result = dg.evaluate_automation_conditions(defs, instance, chosen)
    result = dg.evaluate_automation_conditions(defs, instance, chosen, cursor=result.cursor)
    assert result.get_requested_partitions(wanted) == set()
    toys.say_factor(root, SPRING)
    observe()
    result = dg.evaluate_automation_conditions(defs, instance, chosen, cursor=result.cursor)
    assert result.get_requested_partitions(wanted) == {"2024-03", "2024-04", "2024-05"}
    result = dg.evaluate_automation_conditions(defs, instance, chosen, cursor=result.cursor)
    assert result.get_requested_partitions(wanted) == set()


@pytest.mark.parametrize("name", sorted(READS))
def test_a_product_is_shown_to_read_the_books_that_it_records(name: str, carbon: Home) -> None:
    of = product(name)
    recorded = {i.partition(":")[0] for t in of.tables for k in carbon.lake.keys(t) for i in _inputs(carbon, t, k)}
    # Of the rules a home's own lists are part of what is observed as the trading system.
    assert {"ets" if b == "ets_home" else b for b in recorded & {*BOOKS, "ets_home"}} == set(READS[name])


def _inputs(home: Home, table: str, key: str) -> list[str]:
    partition = home.lake.partition(table, key)
    return list(partition.inputs) if partition else []


@pytest.fixture(scope="module")
def carbon(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A year of ledgers, brought up to date."""
    home = opened(carbon_home(tmp_path_factory.mktemp("carbon"), range(2024, 2025)))
    for of in light_products():
        for key in sorted(of.keys(home)):
            bring_up(home, of, key)
    return home


def test_a_ledger_that_arrives_is_asked_for_without_a_night(
    tmp_path: Path, carbon: Home, instance: dg.DagsterInstance
) -> None:
    home = shutil.copytree(str(carbon.settings.home), tmp_path / "home")
    assert not look(dg.build_sensor_context(instance=instance), opened(home)).run_requests
    late = "line_id,month,output_t,run_hours\nL1,2025-01,9000,650\n"
    (home / "landing/ledgers/ledger_clinker-2025.csv").write_text(late, encoding="utf-8")
    (request,) = look(dg.build_sensor_context(instance=instance), opened(home)).run_requests or ()
    assert "ledgers 1" in request.tags["kiln/because"]


def test_only_light_products_have_a_condition() -> None:
    made = {
        s.key.to_user_string() for s in build_defs(settings=WINDOW).resolve_all_asset_specs() if s.automation_condition
    }
    wanted = ("carbon_months", "carbon_years", "uncertainty", "allocation")
    assert {t for name in wanted for t in product(name).tables} <= made
    assert not made & {*product("hours").tables, *product("judgement").tables, *product("arrivals").tables}
