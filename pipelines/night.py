"""The night: one job that takes in what arrived, brings every product up to date, checks it, and publishes.

Belongs here: the order of a night, its window, and the events it logs. Does not belong here: when it starts
(`pipelines/definitions.py`), how tables are made (`assets`).

Dagster refuses a job over assets of different partition sets, and a night spans days and months. So the night is a job of
steps which log one materialization a table and key against the very assets that the UI shows and backfills.
"""

# No postponed annotations here: Dagster reads the types of config and resources from the functions themselves.
import time
from collections.abc import Callable

import dagster as dg

from assets.checks import checks_of, settle
from assets.dagster_assets import HomeResource, evaluation, materialization, provenance
from assets.labels import EVIDENCE_DAYS
from assets.products import ALL, PRODUCTS, Outcome, Product, bring_up, product, reasons
from assets.release import publish_release
from assets.stale import is_light
from contracts import TABLES
from pipelines.alone import alone
from pipelines.console import plain_logger
from pipelines.partitions import shifted, today
from resources.home import Home

SAY_EVERY_S = 5.0
#: Sorts after every day.
END = "~"


class NightConfig(dg.Config):
    """The window of a night, days inclusive. `first` alone: from there on; `last` alone: the `nightly_days` up to it; neither:
    the last `nightly_days` up to today; `everything`: all days that arrived.
    """

    first: str = ""
    last: str = ""
    everything: bool = False
    publish: bool = True


def window(home: Home, config: NightConfig) -> tuple[str, str]:
    """First and last day key of a night, inclusive."""
    if config.everything:
        return "", END
    if config.first:
        return config.first, config.last or END
    last = config.last or str(today())
    return shifted(last, -home.settings.nightly_days), last


def keys_in(home: Home, of: Product, span: tuple[str, str]) -> list[str]:
    """A product's keys inside a window and those that it carries into; all keys of a light one, for a ledger of March may come in
    June and a factor speaks of years.

    Hours reach a day back (end labels) and as far on as a day is evidence for labels; months and years go on to the last one
    (trailing windows, substitutes), and begin where a product says that a day reaches back to.
    """
    first, last = span
    if of.partition == "none":
        return [ALL]
    if is_light(of):
        return sorted(of.keys(home))
    if of.partition in ("month", "year"):
        length = {"month": 7, "year": 4}[of.partition]
        since = of.since(first) if of.since and first else first
        return sorted(k for k in of.keys(home) if k >= since[:length])
    if of.name == "hours":
        first = shifted(first, -1) if first else first
        last = shifted(last, EVIDENCE_DAYS - 1) if last != END else last
    return sorted(k for k in of.keys(home) if first <= k <= last)


def waiting(home: Home) -> list[str]:
    """Days outside every window so far whose captures, registry rows or rules have news that no table shows yet."""
    found = {
        k for name in ("raw", "labels", "hours") for k in product(name).keys(home) if reasons(home, product(name), k)
    }
    return sorted(found)


def bring_up_all(home: Home, of: Product, keys: list[str], say: Callable[[str], None]) -> list[Outcome]:
    """Bring the keys of one product up to date, with a word of progress now and then."""
    outcomes: list[Outcome] = []
    told = time.monotonic()
    for n, key in enumerate(keys, 1):
        outcome = bring_up(home, of, key)
        if outcome:
            outcomes.append(outcome)
        if time.monotonic() - told > SAY_EVERY_S:
            told = time.monotonic()
            say(f"{named(of)}: {n}/{len(keys)} 个分区已看 keys looked at, {len(outcomes)} 已算 made, 现为 now at {key}")
    rows = sum(o.rows for o in outcomes)
    if keys:
        say(
            f"{named(of)}: {len(outcomes)}/{len(keys)} 个分区已算 keys made ({rows:,} rows), "
            + ("其余不变 others stand" if len(outcomes) < len(keys) else "全部 all of them")
        )
    return outcomes


def named(of: Product) -> str:
    """A product as a line of progress begins: what its first table is called, or all ledgers together, and its own name."""
    return f"{'台账' if of.name == 'ledgers' else TABLES[of.tables[0]].zh} {of.name}"


def _step(of: Product) -> dg.OpDefinition:
    @dg.op(
        name=f"night_{of.name}", ins={"after": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing), tags={"kind": "parquet"},
        description=", ".join(of.tables),
    )  # fmt: skip
    def run(context: dg.OpExecutionContext, config: NightConfig, home: HomeResource) -> None:
        with alone(home.open().settings, context.log.info):
            # Opened under the lock: what another run has just written is seen.
            opened = home.open()
            if of.name == "arrivals":
                taken = opened.intake.take_in(context.log.info)
                for path, reason in taken.refused:
                    context.log.warning(f"refused {path}: {reason}")
                opened.ledgers.keep()
            keys = keys_in(opened, of, window(opened, config))
            outcomes = bring_up_all(opened, of, keys, context.log.info)
            since = provenance(context.instance, of)
            for outcome in outcomes:
                for table in of.tables:
                    context.log_event(materialization(opened, table, outcome, since))
            hold(context, opened, of)

    return run


def hold(context: dg.OpExecutionContext, home: Home, of: Product) -> None:
    """Run the product's checks; a blocking one that fails ends the night before anything further is made of it."""
    verdicts = [settle(home, check) for check in checks_of(of.tables)]
    for verdict in verdicts:
        context.log_event(evaluation(verdict))  # type: ignore[arg-type]
    failed = [v for v in verdicts if v.blocking and not v.passed]
    if failed:
        raise dg.Failure("; ".join(f"{v.check}: {p}" for v in failed for p in v.problems[:5]), allow_retries=False)


@dg.op(ins={"after": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing))
def night_release(context: dg.OpExecutionContext, config: NightConfig, home: HomeResource) -> None:
    """Publish what stands, unless told not to."""
    if not config.publish:
        context.log.info("nothing is published: the run was asked not to")
        return
    with alone(home.open().settings, context.log.info):
        opened = home.open()
        held = waiting(opened)
        if held:
            more = " …" if len(held) > 5 else ""
            context.log.warning(
                f"{len(held)} days outside the window have news: {', '.join(held[:5])}{more}; kiln run --all takes them in"
            )
        opened.tried.clear()
        release = publish_release(opened, held)
    told = " (nothing new since)" if release.unchanged else ""
    context.log.info(f"release {release.release_id}: {release.files} files, {release.rows:,} rows{told}")


@dg.job(
    name="nightly",
    description="夜间作业：收数、小时、判定、发布 / take in, hours, verdicts, release",
    executor_def=dg.in_process_executor,
    logger_defs={"console": plain_logger},
)
def nightly() -> None:
    """Arrivals, raw, labels, hours, judgement, release: one after the other, each over its window."""
    done = None
    for of in PRODUCTS:
        step = _step(of)
        done = step(done) if done is not None else step()
    night_release(done)
