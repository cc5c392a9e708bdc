"""Rows of `standards_daily` and `standards_monthly`.

Belongs here: laying figures out as rows, and the verdict of a month. Does not belong here: the figures (`standards_figures`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from contracts.standards import STANDARDS_DAILY, STANDARDS_MONTHLY
from kernels.bounds import full_value_bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from assets.judgement_limits import Month
    from assets.standards_figures import Figures
    from assets.standards_series import Series

#: Reasons that no more of the same data would cure.
_INPUTS = frozenset({"no_clinker", "not_measured", "no_channel", "parametric", "not_built"})
_WORTH = ("verified", "secondary", "memory", "draft")


def _within(series: Series, figures: Figures) -> npt.NDArray[np.bool_]:
    """Days whose value is within the limit; a full value is compared, but for arithmetic noise."""
    limit = full_value_bounds(series.figures(lambda found: found.value))
    return np.asarray(figures.value <= limit)


def _whole(values: npt.NDArray[np.int32] | None, d: int) -> int | None:
    return None if values is None else int(values[d])


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def daily_table(month: Month, series: Sequence[Series], figures: Sequence[Figures]) -> pa.Table:
    """`standards_daily` of a month: one row per series and day on which its standard holds."""
    rows: list[tuple[Any, ...]] = []
    for s, f in zip(series, figures, strict=True):
        within = _within(s, f)
        for d, term in enumerate(s.terms):
            if term is None:
                continue
            outlet, limit, value = term.outlet, term.limit, _number(f.value[d])
            rows.append((
                s.outlet_id, outlet.plant_id, outlet.line_id, outlet.point_type, s.pollutant, month.dates[d],
                s.standard, term.variant or None, s.averaging, s.unit, limit.value,
                value, None if value is None else bool(within[d]), f.reason[d],
                _number(f.day_value[d]), f.day_unit, _whole(f.kiln, d), _whole(f.operating, d), _whole(f.valid, d),
                _number(f.clinker[d]), _whole(f.window, d), limit.rule_id, limit.confidence,
            ))  # fmt: skip
    return STANDARDS_DAILY.arrow(_columns(rows, STANDARDS_DAILY.names))


def monthly_table(
    month: Month, series: Sequence[Series], figures: Sequence[Figures],
    discarded: dict[tuple[str, str, str], int], discards_allowed: int,
) -> pa.Table:  # fmt: skip
    """`standards_monthly`: one row per series. `discarded`: days discarded earlier in the year, by outlet, pollutant, standard."""
    rows = []
    for s, f in zip(series, figures, strict=True):
        before = discarded.get((s.outlet_id, s.pollutant, s.standard), 0)
        rows.append(_monthly(month, s, f, before, discards_allowed))
    return STANDARDS_MONTHLY.arrow(_columns(rows, STANDARDS_MONTHLY.names))


def _monthly(month: Month, s: Series, f: Figures, before: int, allowed: int) -> tuple[Any, ...]:
    held = np.array([t is not None for t in s.terms])
    judged = held & ~np.isnan(f.value)
    ok = int((_within(s, f) & judged).sum())
    why = Counter(r for r, h in zip(f.reason, held, strict=True) if r and h)
    discarded = why["discarded"]
    discarded_year = before + discarded if f.discards else None
    worst = int(np.argmax(np.where(judged, f.value, -np.inf))) if judged.any() else None
    idle = f.kiln is not None and not f.kiln[held].any()
    verdict, reason = _verdict(int(judged.sum()), ok, why, idle=idle, over=(discarded_year or 0) > allowed)
    limits = [t.limit for t in s.terms if t is not None]
    last = s.last
    return (
        s.outlet_id, last.outlet.plant_id, last.outlet.line_id, last.outlet.point_type, s.pollutant, month.key,
        s.standard, last.variant or None, s.averaging, s.unit, last.limit.value,
        int(held.sum()), int(judged.sum()), ok, int(judged.sum()) - ok, discarded, discarded_year,
        None if worst is None else float(f.value[worst]), None if worst is None else month.dates[worst],
        verdict, reason, last.limit.rule_id, max((limit.confidence for limit in limits), key=_WORTH.index),
    )  # fmt: skip


def _verdict(judged: int, ok: int, why: Counter[str], *, idle: bool, over: bool) -> tuple[str, str | None]:
    """FAIL on any value above its limit; without one PASS, unless nothing could be judged or too many days were discarded."""
    commonest = min(why, key=lambda reason: (-why[reason], reason)) if why else None
    if ok < judged:
        return "FAIL", None
    if over:
        return "INSUFFICIENT", "too_many_discarded"
    if judged:
        return "PASS", None
    if idle:
        return "NO_PRODUCTION", commonest
    missing = sorted(_INPUTS & set(why))
    return ("INSUFFICIENT_INPUT", missing[0]) if missing else ("INSUFFICIENT", commonest)


def _columns(rows: list[tuple[Any, ...]], names: list[str]) -> dict[str, list[Any]]:
    return {name: [row[k] for row in rows] for k, name in enumerate(names)}
