"""The filing calendar: what each plant has to file by when in a year, and which ledgers its months still lack.

Belongs here: deadlines by plant, and what is missing for each month. Does not belong here: the dates (`reference/ets/calendar.toml`),
reading ledgers, and whether a day has passed: the table says the same on every day.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from contracts.ets import FILING_CALENDAR
from contracts.ledgers import LEDGER_CLINKER

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from resources.bench import Bench
    from resources.ets import Deadline, Required
    from resources.ets_home import EtsHome
    from resources.home import Home
    from resources.registry import Registry

Present = dict[tuple[str, str], set[str]]


def calendar_years(home: Home) -> Iterable[str]:
    """Years with ledgers, and those that had some."""
    return {k[:4] for k in home.lake.keys(LEDGER_CLINKER.name)} | set(home.lake.keys(FILING_CALENDAR.name))


def make_calendar(bench: Bench, year: str) -> dict[str, pa.Table]:
    """`filing_calendar` of `year` ('YYYY'): one row a plant and step; {} where nothing is due in it."""
    rows = calendar_rows(bench, year)
    if not rows:
        return {}
    columns = {n: [row.get(n) for row in rows] for n in FILING_CALENDAR.names}
    return {FILING_CALENDAR.name: FILING_CALENDAR.arrow(pl.DataFrame(columns, schema_overrides={"missing": pl.String, "missing_count": pl.Int32}))}  # fmt: skip


def calendar_rows(bench: Bench, year: str) -> list[dict[str, Any]]:
    """Rows of the calendar as dicts; months from January to December, lines in force in each."""
    first, last = date(int(year), 1, 1), date(int(year), 12, 31)
    book, registry, factors = bench.ets(first, last), bench.registry(first, last), bench.factors(first, last)
    months = [f"{year}-{n:02d}" for n in range(1, 13)]
    present = {(r.table, m): _lines_in(bench, r.table, m) for r in book.required for m in months}
    off = _off_the_list(registry, bench.ets_home(first, last), first, last)
    rows = []
    for month in months:
        filing = book.filing(month, factors)
        if filing is None:
            continue
        begin, end = (
            date.fromisoformat(f"{month}-01"),
            date(int(year), int(month[5:]), monthrange(int(year), int(month[5:]))[1]),
        )
        lines = [n for n in registry.lines if n.overlaps(begin, end) and n.plant_id not in off]
        for plant in sorted({n.plant_id for n in lines}):
            own = sorted({n.line_id for n in lines if n.plant_id == plant})
            missing = [f"{r.table} {n}" for r in book.required for n in own if _lacks(r, n, month, present)]
            rows.append(_row(filing, plant, year, missing))
    plants = sorted({n.plant_id for n in registry.lines if n.overlaps(first, last)})
    deadlines = book.deadlines(first.year)
    rows += [_row(d, plant, year, []) for d in deadlines for plant in plants if d.not_listed or plant not in off]
    return rows


def _off_the_list(registry: Registry, own: EtsHome, first: date, last: date) -> set[str]:
    """Plants all of whose lines are declared to be off the list of the system: they file no months and surrender nothing."""
    listed: dict[str, bool] = {}
    for n in registry.lines:
        if n.overlaps(first, last):
            said = own.line(n.line_id, first.year)
            listed[n.plant_id] = listed.get(n.plant_id, False) or said is None or said.special != "not_listed"
    return {plant for plant, some in listed.items() if not some}


def _lines_in(bench: Bench, table: str, month: str) -> set[str]:
    found = bench.table(table, month, ["line_id"])
    return set() if found is None else {n for n in found.column("line_id").to_pylist() if n is not None}


def _lacks(required: Required, line: str, month: str, present: Present) -> bool:
    """The line has no row; where a table is only due if it is used, none although the line has some in another month."""
    if line in present[required.table, month]:
        return False
    return required.always or any(line in lines for (table, _), lines in present.items() if table == required.table)


def _row(due: Deadline, plant: str, year: str, missing: list[str]) -> dict[str, Any]:
    return {
        "plant_id": plant, "step": due.step, "period": due.period, "year": year, "due": due.due,
        "missing": "; ".join(missing) or None, "missing_count": len(missing), "source": due.source, "confidence": due.confidence,
    }  # fmt: skip
