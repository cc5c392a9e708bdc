"""Meters that rows of ledgers name: those that no ledger describes, and those that were not calibrated when they were read.

Belongs here: rows of fuel against the rows of `ledger_meter`. Does not belong here: the correction itself (`assets/carbon_meters`) and
single cells (`ledgers_cells`).
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING

from resources.events_words import folded
from resources.findings import Place
from resources.ledgers_names import nearest
from resources.ledgers_tell import letters_of, place_of, shortest
from resources.methods_read import calibration_months

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from resources.ledgers_tell import Row, Teller


def tell_meters(tables: Mapping[str, pl.DataFrame], teller: Teller) -> None:
    """Each meter and year once, at the first row that names it: no row of `ledger_meter`, or months with days that no calibration covers;
    and calibrations stated for longer than one holds.
    """
    # Two plants may give one name to a meter.
    calibrations: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    if (meters := tables.get("ledger_meter")) is not None:
        for row in meters.sort("plant_id", "meter_id", "calibrated_from").iter_rows(named=True):
            calibrations[row["plant_id"], row["meter_id"]].append(row)
            if _too_long(row):
                figures = {"meter": row["meter_id"], "begin": row["calibrated_from"], "months": calibration_months()}
                at = _at(row, row["calibrated_from"].isoformat()[:4], "calibrated_to")
                teller.say("L65_calibration_too_long", at, row["calibrated_to"].isoformat(), figures)
    fuel = tables.get("ledger_fuel")
    if fuel is None:
        return
    spelt = {folded(meter): meter for _, meter in calibrations}
    used: defaultdict[tuple[str, str, str], list[Row]] = defaultdict(list)
    named = fuel.drop_nulls("meter_id").sort("meter_id", "plant_id", "month", "src_path", "src_row")
    for row in named.iter_rows(named=True):
        used[row["plant_id"], row["meter_id"], row["month"][:4]].append(row)
    for (plant, meter, year), rows in used.items():
        if (plant, meter) in calibrations:
            _lapsed(meter, year, [r for r in rows if r["consumption"]], calibrations[plant, meter], teller)
        else:
            like = " / ".join(spelt[n] for n in nearest(meter, spelt))
            near = {"near_zh": f"，是否为 {like}" if like else "", "near_en": f"; {like} perhaps" if like else ""}
            months = ", ".join(dict.fromkeys(r["month"] for r in rows))
            teller.say("L63_unknown_meter", _at(rows[0], year), meter, {"months": months, **near})


def _lapsed(meter: str, year: str, rows: list[Row], calibrations: list[Row], teller: Teller) -> None:
    bare = {row["month"]: _uncovered(row["month"], calibrations) for row in rows}
    months = {month: days for month, days in bare.items() if days}
    if not months:
        return
    first = next(row for row in rows if row["month"] in months)
    day = min(d for days in months.values() for d in days)
    # The class known by then: that of the calibration before, else of the first.
    known = ([c for c in calibrations if c["calibrated_from"] <= day] or calibrations[:1])[-1]["class_pct"]
    effect = {
        "effect_zh": "没有准确度等级，消耗量不作修正" if known is None else f"这些天的消耗量按准确度等级上调 {shortest(known)} %",
        "effect_en": "its class is not given, so that nothing is corrected" if known is None else f"consumption of these days is raised by its class, {shortest(known)} %",
    }  # fmt: skip
    days = sum(map(len, months.values()))
    teller.say(
        "L64_meter_not_calibrated", _at(first, year), ", ".join(months), {"meter": meter, "days": days, **effect}
    )


def calibrated_to(row: Row) -> date:
    """The last day on which a calibration holds: as stated, and without an end that of the longest interval."""
    stated: date | None = row["calibrated_to"]
    return stated or _longest(row["calibrated_from"])


def _longest(begin: date) -> date:
    """The day before the same day of the month so many months later, or before the first of the next month where that has none."""
    months = begin.year * 12 + begin.month - 1 + calibration_months()
    first = date(months // 12, months % 12 + 1, 1)
    return first + timedelta(min(begin.day - 1, monthrange(first.year, first.month)[1]) - 1)


def _too_long(row: Row) -> bool:
    """Stated for longer than a calibration may hold; from a day to the same day of the year is as people write it."""
    return row["calibrated_to"] is not None and row["calibrated_to"] > _longest(row["calibrated_from"]) + timedelta(1)


def _uncovered(month: str, calibrations: list[Row]) -> list[date]:
    """Days of a month that no calibration covers; both ends of one belong to it."""
    year, number = int(month[:4]), int(month[5:])
    days = (date(year, number, n) for n in range(1, monthrange(year, number)[1] + 1))
    return [d for d in days if not any(c["calibrated_from"] <= d <= calibrated_to(c) for c in calibrations)]


def _at(row: Row, year: str, column: str = "meter_id") -> Place:
    letter = letters_of(row["src_columns"]).get(column, "")
    cell = place_of(row["src_sheet"] or "", row["src_row"], column, letter)
    return Place(row["plant_id"], row["line_id"], None, year, row["src_path"], cell)
