"""Rows of `ule_progress`: clinker capacity whose outlets all pass, by plant, group and province, against dated targets.

Belongs here: weighing plants by the capacity of their lines. Does not belong here: verdicts (`judgement_verdicts`) and the
targets themselves (`reference/rules`).
"""

from __future__ import annotations

from collections import defaultdict
from math import fsum
from typing import TYPE_CHECKING

import polars as pl

from assets.judgement_verdicts import JOINT
from contracts.ule import HEADLINE_POLICY, ULE_PROGRESS

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from assets.judgement_limits import Month
    from resources.registry import Plant, Registry
    from resources.rules import RuleBook


def progress_table(month: Month, registry: Registry, book: RuleBook, monthly: pa.Table) -> pa.Table:
    """`ule_progress` of a month, as of its last day before the end of the data.

    A plant complies when it has a judged outlet and every judged outlet x pollutant has the headline verdict PASS; a stopped
    one (NO_PRODUCTION) is not judged (air-rules 1.3: N = 0, no verdict). Plants without clinker capacity have no row.
    """
    day = month.last_shown
    capacity = _capacity(registry, day)
    plants = sorted(
        (p for p in registry.plants if p.in_force(day) and p.plant_id in capacity), key=lambda p: p.plant_id
    )
    compliant = _compliant(monthly)
    targets = {p: book.target(*p, day) for p in sorted({(p.province, p.region_class) for p in plants})}
    rows = []
    for (scope, scope_id), members in _scopes(plants).items():
        total = fsum(capacity[p.plant_id] for p in members)
        good = fsum(capacity[p.plant_id] for p in members if p.plant_id in compliant)
        # A target binds a scope when it binds every plant of it; where they differ no single figure would be true.
        found = {targets[p.province, p.region_class] for p in members}
        target, target_date = (found.pop() or (None, None)) if len(found) == 1 else (None, None)
        rows.append((scope, scope_id, month.key, total, good, 100.0 * good / total, target, target_date))
    return ULE_PROGRESS.arrow({name: [row[k] for row in rows] for k, name in enumerate(ULE_PROGRESS.names)})


def _capacity(registry: Registry, day: date) -> dict[str, float]:
    """Clinker capacity in t/d of every plant that has some."""
    lines: defaultdict[str, list[float]] = defaultdict(list)
    for line in registry.lines:
        if line.in_force(day):
            lines[line.plant_id].append(line.capacity_t_d)
    return {plant_id: total for plant_id, parts in lines.items() if (total := fsum(parts)) > 0}


def _scopes(plants: list[Plant]) -> dict[tuple[str, str], list[Plant]]:
    made: defaultdict[tuple[str, str], list[Plant]] = defaultdict(list)
    for plant in plants:
        for scope, scope_id in (("plant", plant.plant_id), ("group", plant.group), ("province", plant.province)):
            if scope_id:
                made[scope, scope_id].append(plant)
    return made


def _compliant(monthly: pa.Table) -> set[str]:
    """Plants whose judged outlets all pass."""
    rows = pl.DataFrame(pl.from_arrow(monthly.select(["plant_id", "pollutant", "policy", "verdict"]))).with_columns(
        pl.all().cast(pl.String)
    )
    judged = rows.filter(
        pl.col("policy") == HEADLINE_POLICY, pl.col("pollutant") != JOINT, pl.col("verdict") != "NO_PRODUCTION"
    )
    passed = judged.group_by("plant_id").agg((pl.col("verdict") == "PASS").all())
    return set(passed.filter("verdict")["plant_id"])
