"""The commands that bring a home up to date: run, plan, backfill.

Belongs here: options, and what is printed. Does not belong here: doing the work; its imports wait until a command needs them.
"""

from __future__ import annotations

import sys

import click

from pipelines.cli_common import AS_JSON, HOME, Day, emit, settings_of
from pipelines.interrupted import told

#: Keys that a plan and a backfill are cut to.
FIRST = click.option("--from", "first", default="", metavar="KEY", help="起 first day, month or year")
LAST = click.option("--to", "last", default="", metavar="KEY", help="止 last day, month or year (inclusive)")


@click.command()
@HOME
@AS_JSON
@click.option("--date", "day", type=Day(), help="一天 one local day")
@click.option("--from", "first", type=Day(), help="起 first local day")
@click.option("--to", "last", type=Day(), help="止 last local day (inclusive)")
@click.option("--all", "everything", is_flag=True, help="全部 every day that ever arrived")
@click.option("--no-publish", is_flag=True, help="不发布 stop before the release")
def run(
    home: str | None,
    as_json: bool,
    day: str | None,
    first: str | None,
    last: str | None,
    everything: bool,
    no_publish: bool,
) -> None:
    """运行夜间作业 Run the nightly job: take in, hours, verdicts, release. Default window: the last KILN_NIGHTLY_DAYS."""
    if sum((bool(day), bool(first or last), everything)) > 1:
        raise click.UsageError("--date, --from/--to 与 --all 只能选一 choose one of --date, --from/--to, --all")
    if first and last and first > last:
        raise click.UsageError(f"--from {first} 晚于 lies after --to {last}")
    settings = settings_of(home)
    with told(settings):
        from pipelines.runs import run_night

        outcome = run_night(
            settings, first=day or first or "", last=day or last or "", everything=everything, publish=not no_publish
        )
    emit(outcome.data, outcome.text, as_json=as_json)
    sys.exit(outcome.code)


@click.command()
@HOME
@AS_JSON
@click.option(
    "--expect",
    type=click.Choice(["none", "light", "all"]),
    default="light",
    show_default=True,
    help="试算 what to try, to tell the expected change [light: ledgers and carbon]",
)
@click.option(
    "--product",
    "products",
    multiple=True,
    metavar="NAME",
    help="只看这些产品或表 these products or tables alone (repeatable)",
)
@FIRST
@LAST
@click.option("--sealed", is_flag=True, help="含已报送年份 as if filed years were restated too")
@click.option("--methods", is_flag=True, help="列出全部方法 tell every method, not only the one that is filed")
def plan(
    home: str | None,
    as_json: bool,
    expect: str,
    products: tuple[str, ...],
    first: str,
    last: str,
    sealed: bool,
    methods: bool,
) -> None:
    """看看会重算什么 What a run or backfill would make anew, why, and what would change; no table and no release is written."""
    from pipelines.cli_backfill import planning

    outcome = planning(settings_of(home), expect, products, first, last, sealed=sealed, every_method=methods)
    emit(outcome.data, outcome.text, as_json=as_json)
    sys.exit(outcome.code)


@click.command()
@HOME
@AS_JSON
@click.option(
    "--product",
    "products",
    multiple=True,
    metavar="NAME",
    help="只补这些产品或表 these products or tables alone (repeatable)",
)
@FIRST
@LAST
@click.option("--no-publish", is_flag=True, help="不发布 stop before the release")
@click.option("--sealed", is_flag=True, help="含已报送年份 restate filed years too (registry/filings.csv)")
def backfill(
    home: str | None, as_json: bool, products: tuple[str, ...], first: str, last: str, no_publish: bool, sealed: bool
) -> None:
    """补算 Bring exactly what no longer stands up to date, check it, and publish. `kiln plan` tells beforehand what."""
    settings = settings_of(home)
    with told(settings):
        from pipelines.cli_backfill import backfilling

        outcome = backfilling(settings, products, first, last, publish=not no_publish, sealed=sealed)
    emit(outcome.data, outcome.text, as_json=as_json)
    sys.exit(outcome.code)
