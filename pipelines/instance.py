"""Dagster's own home beside a kiln home: runs and events of the same data that the UI shows.

Belongs here: where the instance lies, its settings, and putting an end to what killed runs left open. Does not belong here:
definitions.
"""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

#: Telemetry and the sign-up window are off; two cores want no more than two runs at once.
DAGSTER_YAML = """\
telemetry: {enabled: false}
nux: {enabled: false}
concurrency: {runs: {max_concurrent_runs: 2}}
"""
#: On the runs that a `kiln` process carries out itself.
BY_HAND = {"kiln/started": "by hand"}
_OPEN = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


def instance_folder(home: str) -> Path | None:
    """DAGSTER_HOME if set, else `dagster/` inside a home that is a local folder, else None (nothing is kept)."""
    given = os.environ.get("DAGSTER_HOME")
    if given:
        return Path(given).resolve()
    return None if "://" in home else Path(home).resolve() / "dagster"


def open_instance(home: str) -> dg.DagsterInstance:
    """The instance of a home, made at its first use; an ephemeral one where there is no folder for it."""
    folder = instance_folder(home)
    if folder is None:
        return dg.DagsterInstance.ephemeral()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "dagster.yaml"
    if not config.exists():
        config.write_text(DAGSTER_YAML, encoding="utf-8")
    return dg.DagsterInstance.from_config(str(folder))


def close_dead_runs(instance: dg.DagsterInstance) -> int:
    """Mark runs by hand that never ended as failed; how many. Call it only where no other one can be alive.

    Else they would stand as running for ever, and count against the runs that the queue lets start.
    """
    dead = instance.get_runs(dg.RunsFilter(statuses=_OPEN, tags=BY_HAND))
    for run in dead:
        instance.report_run_failed(run, "the process that carried this run out has ended without a word")
    return len(dead)
