"""The backfill: exactly the keys that stand no longer are brought up to date, checked, and published.

Belongs here: the job `backfill`, which the command, the reconcile sensor and the UI start alike. Does not belong here: what would come
of it (`pipelines/plan.py`), when it is started (`pipelines/reconcile.py`), the nightly window (`pipelines/night.py`).
"""

# No postponed annotations here: Dagster reads the types of config and resources from the functions themselves.
from collections.abc import Callable, Iterable

import dagster as dg
from pydantic import Field

from assets.dagster_assets import HomeResource, materialization, provenance
from assets.products import PRODUCTS, Outcome, Product, bring_up
from assets.release import publish_release
from assets.sealing import sealed_waiting
from assets.stale import stale_keys, within
from pipelines.alone import alone
from pipelines.console import plain_logger
from pipelines.night import bring_up_all, hold, waiting
from resources.home import Home
from resources.sealed import Filings

JOB = "backfill"


class BackfillConfig(dg.Config):
    """What to bring up to date: stale keys of `products` (empty: all) that touch `first` to `last` (days, months or years);
    `sealed`: of filed years too; `publish`: and then a release.
    """

    products: list[str] = Field(default_factory=list)
    first: str = ""
    last: str = "~"
    sealed: bool = False
    publish: bool = True


def chosen(names: Iterable[str]) -> list[Product]:
    """Products by name or by one of their tables, in their order; all for no name. ValueError names one that does not exist."""
    wanted = set(names)
    found = [p for p in PRODUCTS if not wanted or wanted & {p.name, *p.tables}]
    unknown = wanted - {n for p in found for n in (p.name, *p.tables)}
    if unknown:
        known = ", ".join(p.name for p in PRODUCTS)
        raise ValueError(f"没有此产品 no such product: {', '.join(sorted(unknown))}; 有 there are {known}")
    return found


def restate(
    home: Home, products: Iterable[Product], first: str, last: str, say: Callable[[str], None], *, sealed: bool = False
) -> Iterable[tuple[Product, list[Outcome]]]:
    """Bring up the stale keys of each product; what it yields stands in the lake when it is yielded.

    Each product is asked after those above it were made: what only follows from them is made too, and nothing that does not.
    """
    held = sealed_waiting(home) if sealed else {}
    if sealed:
        home.filings = Filings(home.filings.rows, opened=True)
    for of in products:
        keys = stale_keys(home, [of], first, last).get(of.name, {})
        outcomes = bring_up_all(home, of, list(keys), say) if keys else []
        also = [k for k in held.get(of.name, {}) if k not in keys and within(k, first, last)]
        outcomes += [o for k in also if (o := bring_up(home, of, k, force=True))]
        yield of, outcomes


@dg.op(out=dg.Out(dg.Nothing), tags={"kind": "parquet"})
def backfill_stale(context: dg.OpExecutionContext, config: BackfillConfig, home: HomeResource) -> None:
    """Ask every product for its stale keys, in the order of the data's way, and make them."""
    with alone(home.open().settings, context.log.info):
        # Opened under the lock: what another run has just written is seen.
        opened = home.open()
        opened.ledgers.keep()
        products = chosen(config.products)
        made = 0
        for of, outcomes in restate(
            opened, products, config.first, config.last, context.log.info, sealed=config.sealed
        ):
            since = provenance(context.instance, of) if outcomes else {}
            for outcome in outcomes:
                for table in of.tables:
                    context.log_event(materialization(opened, table, outcome, since))
            made += len(outcomes)
            if outcomes:
                hold(context, opened, of)
        opened.tried.clear()
        context.log.info(f"{made} 个分区已更新 keys made anew" if made else "没有过期的分区 nothing was stale")


@dg.op(ins={"after": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing))
def backfill_release(context: dg.OpExecutionContext, config: BackfillConfig, home: HomeResource) -> None:
    """Publish what stands, unless told not to."""
    if not config.publish:
        context.log.info("nothing is published: the run was asked not to")
        return
    with alone(home.open().settings, context.log.info):
        opened = home.open()
        release = publish_release(opened, waiting(opened))
    told = " (nothing new since)" if release.unchanged else ""
    context.log.info(f"release {release.release_id}: {release.files} files, {release.rows:,} rows{told}")


@dg.job(
    name=JOB,
    description="补算作业：只更新已过期的分区，核查并发布 / bring stale partitions up to date, check and publish",
    executor_def=dg.in_process_executor,
    logger_defs={"console": plain_logger},
)
def backfill() -> None:
    """Stale keys, then the release."""
    backfill_release(backfill_stale())


def run_config(home: str, **config: object) -> dict[str, object]:
    """Run configuration of the job for a home; `config` is that of `BackfillConfig`."""
    ops = {op: {"config": dict(config)} for op in ("backfill_stale", "backfill_release")}
    return {"ops": ops, "resources": {"home": {"config": {"home": home}}}, "loggers": {"console": {}}}
