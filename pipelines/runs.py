"""Runs as a person starts them: the nightly job and the backfill in this process.

Belongs here: driving the same definitions as the UI, and how a run ended. Does not belong here: options
(`pipelines/commands_*.py`) and what a home holds (`pipelines/summary.py`).
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.products import ALL
from pipelines.interrupted import INTERRUPTED, newest, sentence
from pipelines.summary import in_words, summary
from resources.ets import EtsError
from resources.factors import FactorError
from resources.findings import FindingError
from resources.home import Home
from resources.methods import MethodError
from resources.registry import RegistryError
from resources.rules import RuleError
from resources.storage import open_storage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagster_shared.error import SerializableErrorInfo

    from resources.settings import Settings

DONE, BLOCKED, USAGE, REFUSED = 0, 1, 2, 3
PLACES = ("registry", "landing", "lake", "published")
#: Modules whose errors are whole sentences, and the failure of a blocking check.
OWN = ("resources.", "contracts.", "dagster._core.definitions.events.Failure")
#: Names of what ends a step when somebody interrupts it.
STOPS = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended: exit code, facts, and the same in words."""

    code: int
    data: dict[str, Any]
    text: str


def run_night(
    settings: Settings, *, first: str = "", last: str = "", everything: bool = False, publish: bool = True
) -> RunOutcome:
    """Run the nightly job here and now, with its events in the home's Dagster instance.

    Waits for another run on the same lake to end. The code is BLOCKED when a step fails (nothing is published then), REFUSED
    when registry or rules cannot be used or this run refused a file.
    """
    config = {"first": first, "last": last, "everything": everything, "publish": publish}
    return _run(settings, "nightly", config)


def run_backfill(
    settings: Settings,
    *,
    products: list[str],
    first: str = "",
    last: str = "~",
    sealed: bool = False,
    publish: bool = True,
) -> RunOutcome:
    """Run the backfill here and now, as `run_night` does: the stale keys of `products` (none: all) from `first` to `last`.

    `sealed` restates filed years too. ValueError for a product that does not exist.
    """
    from pipelines.backfill import chosen

    chosen(products)
    config = {"products": products, "first": first, "last": last, "sealed": sealed, "publish": publish}
    return _run(settings, "backfill", config)


def _run(settings: Settings, name: str, config: dict[str, object]) -> RunOutcome:
    from pipelines.alone import alone

    refusal = refused_home(settings)
    if refusal:
        return refusal
    begun = time.perf_counter()
    released = newest(settings)
    try:
        with alone(settings, _tell), _environment(settings):
            before = _refused(Home(settings))
            result = _carry_out(settings, name, config)
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        return _interrupted(settings, released)
    failures = [e for e in result.all_events if e.is_step_failure]
    if any(_root_name(e) in STOPS for e in failures):
        return _interrupted(settings, released)
    problems = [_why(e) for e in failures]
    home = Home(settings)
    facts = summary(home)
    refused = sorted({path for token, path in _refused(home).items() if token not in before})
    seconds = time.perf_counter() - begun
    data = {"ok": result.success, "seconds": round(seconds, 2), "problems": problems, "refused": refused, **facts}
    code = BLOCKED if not result.success else REFUSED if refused else DONE
    took = f"用时 took {seconds:.1f} s"
    lines = (
        [*in_words(facts), took] if result.success
        # What went wrong comes first: verdicts of an earlier release above it read like success.
        else [*problems, *_standing(facts), took, "现有数据 what stands:", *in_words(facts)]
    )  # fmt: skip
    return RunOutcome(code, data, "\n".join(lines))


def _carry_out(settings: Settings, name: str, config: dict[str, object]) -> dg.ExecuteInProcessResult:
    from pipelines.definitions import build_defs
    from pipelines.instance import BY_HAND, close_dead_runs, open_instance

    job = build_defs(settings=settings).get_job_def(name)
    steps = {node.name: {"config": config} for node in job.nodes}
    with open_instance(settings.home) as instance:
        close_dead_runs(instance)
        return job.execute_in_process(
            run_config={"ops": steps, "resources": {"home": {"config": {"home": settings.home}}}, "loggers": {"console": {}}},
            instance=instance, raise_on_error=False, tags=BY_HAND,
        )  # fmt: skip


@contextmanager
def _environment(settings: Settings) -> Iterator[None]:
    """These settings as KILN_* variables: the steps of a job read theirs from there, whoever starts it."""
    names = [f"KILN_{f.name.upper()}" for f in fields(settings)]
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: str(getattr(settings, f.name)) for name, f in zip(names, fields(settings), strict=True)})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _refused(home: Home) -> dict[str, str]:
    """Path of each refused state of a file, by its token; of declarations those that the table of arrivals tells of."""
    captures = {a.token: a.path for a in home.intake.arrivals() if a.state == "refused"}
    return captures | _written_refusals(home)


def _written_refusals(home: Home) -> dict[str, str]:
    """Declarations are read anew by every run: what an earlier run refused is told by what it wrote."""
    table = home.lake.read("arrivals", ALL, ["path", "sha256", "kind", "state"])
    rows = table.to_pylist() if table else []
    return {
        f"{r['path']} {r['sha256']}": r["path"]
        for r in rows
        if r["kind"] in ("events", "ledger") and r["state"] == "refused"
    }


def _interrupted(settings: Settings, before: str) -> RunOutcome:
    """One line, and nothing of what an earlier run found."""
    now = newest(settings)
    text = sentence(before, now)
    return RunOutcome(INTERRUPTED, {"ok": False, "interrupted": True, "problems": [text], "release": now or None}, text)


def _root(event: dg.DagsterEvent) -> SerializableErrorInfo | None:
    error = event.step_failure_data.error
    while error and error.cause:
        error = error.cause
    return error


def _root_name(event: dg.DagsterEvent) -> str:
    error = _root(event)
    return error.message.strip().partition(":")[0].rpartition(".")[2] if error else ""


def _why(event: dg.DagsterEvent) -> str:
    """Why a step failed: our own errors are whole sentences; of any other kind also where it arose."""
    error = _root(event)
    return f"{event.step_key}: {_sentence(error) if error else 'failed'}"


def _sentence(error: SerializableErrorInfo) -> str:
    kind, _, text = error.message.strip().partition(": ")
    if kind.startswith(OWN):
        return text
    where = error.stack[-1].strip().splitlines()[0] if error.stack else ""
    return f"{kind.rsplit('.', 1)[-1]}: {text} ({where})"


def _standing(facts: dict[str, Any]) -> list[str]:
    """After a failure: what readers still see."""
    stays = f"最新仍为 latest stays {facts['release']}" if facts["release"] else "尚无发布 nothing was ever published"
    return [f"未发布 nothing was published; {stays}"]


def _reach(settings: Settings) -> None:
    """Ask the object stores of a home whether they are there: StorageError names a bucket that is not."""
    for place in sorted({settings.place(n) for n in PLACES}):
        if "://" in place:
            open_storage(place).list("reach")


def refused_home(settings: Settings) -> RunOutcome | None:
    """Nothing can be done without a sound registry and rule book: every mistake in them at once. StorageError as it comes."""
    _reach(settings)
    try:
        home = Home(settings)
        _ = (
            home.registry,
            home.rules,
            home.standards,
            home.events,
            home.methods,
            home.factors,
            home.filings,
            home.ets_home,
        )
    except (RegistryError, RuleError, FindingError, FactorError, MethodError, EtsError) as error:
        return RunOutcome(REFUSED, {"ok": False, "problems": str(error).splitlines()}, str(error))
    return None
