"""Rows of `mandatory_monthly`: each pollutant with a mandatory limit against it, whether or not an ultra-low limit exists (R14).

Belongs here: which series have a row and what is told of them. Does not belong here: counting (`kernels/judge_floor.py`), the
95 % rule (`judgement_verdicts`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from assets.judgement_limits import ORDERED
from contracts.ule_more import MANDATORY_MONTHLY
from kernels.bounds import full_value_bounds
from kernels.judge import HOURS_PER_DAY
from kernels.judge_floor import floor_month

if TYPE_CHECKING:
    import pyarrow as pa

    from assets.judgement_limits import Floats, Month
    from assets.judgement_series import Series
    from assets.judgement_states import States


def mandatory_table(month: Month, series: Series, value: Floats, states: States, insufficient_pct: int) -> pa.Table:
    """`mandatory_monthly` of a month: series judged anyhow or recorded, with a mandatory limit on a day shown.

    Reductant decides about NH3 where the limits are chosen. A failing hour is a FAIL however few hours were tested.
    """
    shown = month.shown
    limit = np.where(series.in_force, series.mandatory, np.nan)[:, :shown]
    made = floor_month(value, states.state, states.exempt, limit, full_value_bounds(limit))
    limited = ~np.isnan(limit)
    start = datetime(month.first.year, month.first.month, 1)
    last_day = shown - 1 - np.argmax(limited[:, ::-1], axis=1) if shown else np.zeros(0, np.int64)
    rows: list[tuple[Any, ...]] = []
    for s in np.flatnonzero(limited.any(axis=1)).tolist():
        worst = int(made.worst[s])
        day = worst // HOURS_PER_DAY if worst >= 0 else int(last_day[s])
        counts = [int(c[s]) for c in (made.production, made.exempt, made.tested, made.failing)]
        line = int(series.line[s, day])
        rows.append((
            series.names[series.outlets[s]], series.names[series.plant[s, day]],
            series.names[line] if line >= 0 else None, series.names[series.point_type[s, day]],
            ORDERED[series.pollutants[s]], month.key, *counts,
            float(value[s, worst]) if worst >= 0 else None, start + timedelta(hours=worst) if worst >= 0 else None,
            float(limit[s, day]), series.rules[series.mandatory_rule[s, day]], _verdict(counts, insufficient_pct),
        ))  # fmt: skip
    names = MANDATORY_MONTHLY.names
    return MANDATORY_MONTHLY.arrow({name: [row[k] for row in rows] for k, name in enumerate(names)})


def _verdict(counts: list[int], insufficient_pct: int) -> str:
    production, exempt, tested, failing = counts
    if failing:
        return "FAIL"
    if not production:
        return "NO_PRODUCTION"
    if not tested or 100 * tested < insufficient_pct * (production - exempt):
        return "INSUFFICIENT"
    return "PASS"
