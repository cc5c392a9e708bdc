"""The definitions: one factory for the UI, the daemon, the command line and the tests.

Belongs here: putting assets, sources, checks, jobs, schedule and sensors together. Does not belong here: any making.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

# Telemetry stays off whatever the instance says: nobody's plant data name a stranger's host.
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")

import dagster as dg

from assets.dagster_assets import HomeResource, build_assets, build_checks
from assets.dagster_sources import build_sources
from pipelines.alone import alone
from pipelines.backfill import backfill
from pipelines.night import nightly
from pipelines.partitions import ZONE, partition_sets
from pipelines.reconcile import build_sensor
from resources.home import Home
from resources.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Half past two: the day before has closed, and loggers have had time to send what they held back.
NIGHTLY_CRON = "30 2 * * *"


def build_defs(
    *, settings: Settings | None = None, resources: Mapping[str, object] | None = None, cron: str = NIGHTLY_CRON
) -> dg.Definitions:
    """Everything Dagster knows of kilnledger. `resources` replaces single ones, e.g. the home in a test."""
    settings = settings or Settings.from_env()
    schedule = dg.ScheduleDefinition(
        name="every_night", job=nightly, cron_schedule=cron, execution_timezone=ZONE,
        description="every unsealed day of the last KILN_NIGHTLY_DAYS, not only yesterday",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )  # fmt: skip
    sets = partition_sets(settings)

    def open_home() -> Home:
        # Of the environment at each look: a sensor outlives the settings that it was built with.
        return Home(Settings.from_env())

    return dg.Definitions(
        assets=[*build_assets(sets, alone), *build_sources(sets["month"], open_home)],
        asset_checks=build_checks(),
        jobs=[nightly, backfill],
        schedules=[schedule],
        sensors=[build_sensor(open_home)],
        resources={"home": HomeResource(), **(resources or {})},
        executor=dg.in_process_executor,
    )


defs = build_defs()
