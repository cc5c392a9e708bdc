"""Meters that were not calibrated, or were worse than their class: by how much a month's reading is raised.

Belongs here: covering the days of a month by calibrations (carbon-rules 2.5; vector F-7). Does not belong here: the correction
itself (`kernels/carbon_units`) and which method applies it (`reference/methods`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from kernels.carbon_units import corrected, meter_excess
from kernels.rounding import exact
from resources.ledgers_meters import calibrated_to

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Excess:
    """Per cent added to a month's reading: the class over the days not covered, the excess over the class on others."""

    pct: Fraction

    def apply(self, amount: float) -> Fraction:
        """A reading made conservative."""
        return corrected(exact(amount), self.pct, Fraction(1), +1)


def meter_factors(meters: pl.DataFrame, first: date, last: date) -> dict[tuple[str, str], Excess]:
    """Corrections by plant and meter_id (two plants may give one name to a meter) for [first, last] from rows of ledger_meter; meters that need none, or whose class is unknown, are absent."""
    by_meter: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in meters.iter_rows(named=True):
        by_meter.setdefault((row["plant_id"], row["meter_id"]), []).append(row | {"calibrated_to": calibrated_to(row)})
    made = {meter: _excess(rows, first, last) for meter, rows in by_meter.items()}
    return {meter: Excess(pct) for meter, pct in made.items() if pct}


def _excess(rows: list[dict[str, Any]], first: date, last: date) -> Fraction:
    rows = sorted(rows, key=lambda r: r["calibrated_from"])
    days = [first + n * _DAY for n in range((last - first).days + 1)]
    return sum((_on(rows, day) for day in days), Fraction(0)) / len(days)


def _on(rows: Iterable[dict[str, Any]], day: date) -> Fraction:
    """Per cent on one day: of the latest calibration that covers it, else of the last class known by then, else of the first."""
    rows = list(rows)
    covering = [r for r in rows if r["calibrated_from"] <= day <= r["calibrated_to"]]
    known = covering or [r for r in rows if r["calibrated_from"] <= day] or rows[:1]
    row = known[-1]
    pct = meter_excess(_number(row["class_pct"]), _number(row["actual_pct"]), calibrated=bool(covering))
    return pct or Fraction(0)


def _number(value: float | None) -> Fraction | None:
    return None if value is None else exact(value)
