"""What `kiln evaluate` prints.

Belongs here: words and JSON about an evaluation window. Does not belong here: judging it (`assets/evaluation.py`).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click
import polars as pl

from assets.evaluation import Evaluation, EvaluationError, evaluate
from assets.judgement_series import JudgementError
from contracts.ule import HEADLINE_POLICY, POLICIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resources.home import Home


def evaluating(
    home: Home, first: str | None, last: str | None, plants: tuple[str, ...], *, lake: bool
) -> tuple[dict[str, Any], str]:
    """Facts and words of a window; days as keys. UsageError with a sentence where there is no evaluation."""
    try:
        found = evaluate(
            home, date.fromisoformat(first) if first else None, date.fromisoformat(last) if last else None, plants, lake=lake
        )  # fmt: skip
    except (EvaluationError, JudgementError) as error:
        raise click.UsageError(str(error)) from error
    least = found.min_days
    data = {
        "from": str(found.first),
        "to": str(found.last),
        "source": found.source,
        "min_days": {"value": least.value, "rule_id": least.rule_id, "confidence": least.confidence},
        "headline": HEADLINE_POLICY,
        "scopes": found.scopes.to_dicts(),
        "outlets": found.outlets.to_dicts(),
    }
    return data, "\n".join(_lines(found))


def _lines(found: Evaluation) -> Iterator[str]:
    least, days = found.min_days, (found.last - found.first).days + 1
    yield f"评估时段 evaluation window {found.first} – {found.last} ({days} 天 days), {found.source}"
    yield (
        f"时段下限 at least {least.value} 天 days: {least.rule_id} ({least.confidence}); "
        f"结论按主口径 verdicts under {HEADLINE_POLICY}, 括号内为结论不同的口径 policies that differ in brackets"
    )
    plants = found.scopes.filter(scope="plant")
    for plant in plants["scope_id"].unique().sort():
        of_plant = plants.filter(scope_id=plant)
        ways = (f"{way} {_verdict(of_plant.filter(combine=way))}" for way in ("per_pollutant", "joint"))
        yield f"{plant}: {', '.join(ways)}"
        rows = found.outlets.filter(plant_id=plant)
        for (outlet, pollutant), group in rows.group_by("outlet_id", "pollutant", maintain_order=True):
            yield f"  {outlet} {pollutant}: {_verdict(group)}{_figures(group.row(by_predicate=pl.col('policy') == HEADLINE_POLICY, named=True))}"


def _verdict(rows: pl.DataFrame) -> str:
    """The headline verdict, and where another policy says otherwise what it says."""
    by = dict(rows.select("policy", "verdict").iter_rows())
    headline: str = by[HEADLINE_POLICY]
    others = [
        f"{policy}: {verdict}"
        for policy, verdict in sorted(by.items(), key=lambda item: POLICIES.index(item[0]))
        if verdict != headline
    ]
    return headline + (f" [{', '.join(others)}]" if others else "")


def _figures(row: dict[str, Any]) -> str:
    if not row["production_hours"]:
        return ""
    share = "–" if row["share_pct"] is None else f"{row['share_pct']:.3f} %"
    said = (
        f", 达标率 share {share}, 超标 failing {row['fail_hours']} h (允许 allowed {row['allowed_fail_hours']} h), "
        f"有效率 capture {row['capture_pct']:.2f} %"
    )
    unlawful = row["mandatory_fail_hours"]
    return said + (f", 超强制标准 above the mandatory standard {unlawful} h" if unlawful else "")
