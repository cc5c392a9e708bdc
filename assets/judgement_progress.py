"""Rows of `ule_progress`: clinker capacity whose outlets all pass, by plant, group and province, against dated targets.

Belongs here: weighing plants by the capacity of their lines. Does not belong here: verdicts (`judgement_verdicts`) and the
targets themselves (`reference/rules`).
"""

from __future__ import annotations

from collections import defaultdict
from math import fsum
from typing import TYPE_CHECKING

import polars as pl

from contracts.ule import HEADLINE_POLICY, ULE_PROGRESS

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from assets.judgement_limits import Month
    from resources.registry import Plant, Registry
    from resources.rules import RuleBook


def progress_table(month: Month, registry: Registry, book: RuleBook, plant_verdicts: pa.Table) -> pa.Table:
    """`ule_progress` of a month, as of its last day before the end of the data.

    A plant complies when its verdict in `plant_verdicts` (`ule_plants`, headline policy, per pollutant) is PASS. Where no ultra-low rule
    is in force yet nobody can comply or fail to: the figures are null. Plants without clinker capacity have no row.
    """
    day = month.last_shown
    capacity = _capacity(registry, day)
    plants = sorted(
        (p for p in registry.plants if p.in_force(day) and p.plant_id in capacity), key=lambda p: p.plant_id
    )
    compliant = _compliant(plant_verdicts)
    ruled = bool(book.policies(day))
    targets = {p: book.target(*p, day) for p in sorted({(p.province, p.region_class) for p in plants})}
    rows = []
    for (scope, scope_id), members in _scopes(plants).items():
        total = fsum(capacity[p.plant_id] for p in members)
        good = fsum(capacity[p.plant_id] for p in members if p.plant_id in compliant)
        # A target binds a scope when it binds every plant of it; where they differ no single figure would be true.
        found = {targets[p.province, p.region_class] for p in members}
        target, target_date = (found.pop() or (None, None)) if len(found) == 1 else (None, None)
        told = (good, 100.0 * good / total) if ruled else (None, None)
        rows.append((scope, scope_id, month.key, total, *told, target, target_date))
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


def _compliant(verdicts: pa.Table) -> set[str]:
    """Plants with the headline verdict PASS."""
    rows = pl.DataFrame(pl.from_arrow(verdicts)).with_columns(pl.col(pl.Categorical).cast(pl.String))
    passed = rows.filter(scope="plant", policy=HEADLINE_POLICY, combine="per_pollutant", verdict="PASS")
    return set(passed["scope_id"])
