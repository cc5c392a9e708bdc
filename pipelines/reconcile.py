"""The reconcile sensor: whatever rests on something that has changed is asked for again, until nothing does.

Belongs here: looking, the observations of books, and one request for each state of affairs. Does not belong here: the backfill itself
(`pipelines/backfill.py`), the rule of what is stale (`assets/stale.py`).

Dagster's own automation compares events and can miss a change that arrives while a run is under way. This compares what each partition
recorded with how things stand, as `kiln plan` does. It waits for a backfill or a night to end, then looks again.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import dagster as dg

from assets.dagster_sources import BOOKS, month_versions, observations
from assets.stale import light_products, stale_keys
from pipelines.backfill import JOB, run_config
from pipelines.partitions import today
from resources.bench import current

if TYPE_CHECKING:
    from collections.abc import Callable

    from assets.stale import Stale
    from resources.home import Home

SENSOR = "reconcile"
EVERY_S = 30
#: How often the same state of affairs is asked for: a run may have been killed, but a mistake is not mended by trying.
_TRIES = 3
_OPEN = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def build_sensor(
    open_home: Callable[[], Home],
    *,
    every_s: int = EVERY_S,
    status: dg.DefaultSensorStatus = dg.DefaultSensorStatus.RUNNING,
) -> dg.SensorDefinition:
    """The sensor over the light products of a home."""

    @dg.sensor(
        name=SENSOR, job_name=JOB, minimum_interval_seconds=every_s, default_status=status,
        description="补算已过期的碳排放分区 / have stale partitions of ledgers and carbon made anew, and observe the books",
    )  # fmt: skip
    def reconcile(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return look(context, open_home())

    return reconcile


def look(context: dg.SensorEvaluationContext, home: Home) -> dg.SensorResult:
    """One look: observations of months whose books differ from the last look, and a request where light partitions are stale."""
    before = json.loads(context.cursor) if context.cursor else {}
    seen, events = _observed(home, before.get("books", {}))
    cursor = {"books": seen, "stale": before.get("stale", ""), "tries": before.get("tries", 0)}
    under_way = context.instance.get_runs(dg.RunsFilter(statuses=_OPEN))
    busy = [r for r in under_way if r.job_name in (JOB, "nightly")]
    if busy:
        return _result(
            cursor,
            events,
            skip=f"{busy[0].job_name} {busy[0].run_id[:8]} is under way; looked at again when it has ended",
        )
    stale = stale_keys(home, light_products())
    if not stale:
        return _result(cursor | {"stale": "", "tries": 0}, events, skip="nothing is stale")
    state = _state(home, stale)
    tries = int(cursor["tries"]) + 1 if cursor["stale"] == state else 1
    told = ", ".join(f"{name} {len(keys)}" for name, keys in stale.items())
    if tries > _TRIES:
        return _result(
            cursor, events, skip=f"asked {_TRIES} times already, still stale: {told}; look at the runs of {JOB}"
        )
    request = dg.RunRequest(
        run_key=f"{state}-{tries}", run_config=run_config(home.settings.home), tags={"kiln/because": told[:200]}
    )
    return _result(cursor | {"stale": state, "tries": tries}, events, request=request)


def _result(
    cursor: dict[str, object],
    events: list[dg.AssetObservation],
    *,
    skip: str = "",
    request: dg.RunRequest | None = None,
) -> dg.SensorResult:
    return dg.SensorResult(
        run_requests=[request] if request else [],
        skip_reason=skip or None,
        cursor=json.dumps(cursor, sort_keys=True),
        asset_events=events,
    )


def _observed(
    home: Home, before: dict[str, dict[str, str]]
) -> tuple[dict[str, dict[str, str]], list[dg.AssetObservation]]:
    """Versions (shortened) of the books by month from the home's first month with ledgers on, and events of those that differ."""
    seen: dict[str, dict[str, str]] = {}
    events: list[dg.AssetObservation] = []
    months = _months(home)
    for book in BOOKS:
        versions = month_versions(home, book, months)
        seen[book] = {m: v[:12] for m, v in versions.items()}
        events += observations(book, {m: v for m, v in versions.items() if before.get(book, {}).get(m) != v[:12]})
    return seen, events


def _months(home: Home) -> list[str]:
    """Months of light products, and of months with verdicts: the others rest on no book."""
    found = {k for of in light_products() if of.partition == "month" for k in of.keys(home)}
    now = f"{today():%Y-%m}"
    return sorted(
        m for m in found | set(home.lake.keys("ule_monthly")) if str(home.settings.window_from)[:7] <= m <= now
    )


def _state(home: Home, stale: Stale) -> str:
    """One hash for what is stale because of what, as it stands now: another change of the same factor is another state."""
    said = [
        [name, key, reason, current(home, reason) if ":" in reason else ""]
        for name, keys in stale.items()
        for key, why in keys.items()
        for reason in why
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:20]
