"""What `kiln plan` and `kiln backfill` do with their options.

Belongs here: options to calls, and complaints about them. Does not belong here: the plan (`plan`) and the backfill (`runs`, `backfill`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from pipelines.backfill import chosen
from pipelines.plan import plan_run
from pipelines.runs import run_backfill

if TYPE_CHECKING:
    from assets.products import Product
    from pipelines.runs import RunOutcome
    from resources.settings import Settings

_KEY = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


def planning(
    settings: Settings,
    expect: str,
    products: tuple[str, ...],
    first: str,
    last: str,
    *,
    sealed: bool,
    every_method: bool = False,
) -> RunOutcome:
    """The plan for these options; UsageError where they cannot be used."""
    span = _span(first, last)
    wanted = _products(products)
    return plan_run(
        settings, expect=expect, opened=sealed, first=span[0], last=span[1], products=wanted, every_method=every_method
    )


def backfilling(
    settings: Settings, products: tuple[str, ...], first: str, last: str, *, publish: bool, sealed: bool
) -> RunOutcome:
    """The backfill for these options, carried out; UsageError where they cannot be used."""
    span = _span(first, last)
    names = [p.name for p in _products(products)] if products else []
    return run_backfill(settings, products=names, first=span[0], last=span[1], sealed=sealed, publish=publish)


def _products(names: tuple[str, ...]) -> list[Product]:
    try:
        return chosen(names)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _span(first: str, last: str) -> tuple[str, str]:
    for name, key in (("--from", first), ("--to", last)):
        if key and not _KEY.fullmatch(key):
            raise click.UsageError(
                f"{name} {key}: 应为日、月或年 is no day, month or year; write e.g. 2026-11-21, 2026-11, 2026"
            )
    if first and last and first[: len(last)] > last:
        raise click.UsageError(f"--from {first} 晚于 lies after --to {last}")
    return first, last or "~"
