"""Mass per tonne of clinker: emissions_totals_* and ledger_clinker of a year -> `emissions_per_clinker`.

Belongs here: whose clinker counts for whom in each month, and when no figure is given. Does not belong here: mass
(`emissions_sums`, `emissions_year`), ledgers (`ledgers`).

Mass goes by the day to whoever owns an outlet on it, clinker by the month to whoever owns a line in it: a line that changes hands
within a month leaves both owners without a figure of the month, and of the year.
"""

from __future__ import annotations

import math
from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from contracts.emissions import EMISSIONS_TOTALS_ANNUAL, EMISSIONS_TOTALS_MONTHLY, SCOPES
from contracts.emissions_clinker import EMISSIONS_PER_CLINKER
from contracts.ledgers import LEDGER_CLINKER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from resources.bench import Bench
    from resources.home import Home
    from resources.registry import Registry

__all__ = ["clinker_years", "make_emissions_clinker"]

#: Scope and who it is.
Owner: TypeAlias = "tuple[str, str]"
_KG_PER_T = 1000.0
_SCHEMA = {n: pl.Float64 if EMISSIONS_PER_CLINKER[n].unit else pl.String for n in EMISSIONS_PER_CLINKER.names}
_MASS = ["scope", "scope_id", "pollutant", "hours", "period_hours", "lower_bound", "mass_t"]


@dataclass
class _Clinker:
    """Clinker of one owner in one month: `outputs` t by line, None where no ledger gives it."""

    outputs: list[float | None] = field(default_factory=list)
    moved: bool = False


def clinker_years(home: Home) -> Iterable[str]:
    """Years with mass, and those that had figures by the tonne."""
    return {k for t in (EMISSIONS_TOTALS_ANNUAL.name, EMISSIONS_PER_CLINKER.name) for k in home.lake.keys(t)}


def make_emissions_clinker(bench: Bench, year: str) -> dict[str, pa.Table]:
    """Mass by the tonne of clinker (kg/t) of `year` ('YYYY', local) and its months, for scopes with a ledger there; {} without mass or ledgers."""
    months = [f"{year}-{n:02d}" for n in range(1, 13)]
    outputs = {m: _outputs(bench, m) for m in months}
    annual = bench.table(EMISSIONS_TOTALS_ANNUAL.name, year, _MASS)
    if annual is None or not any(outputs.values()):
        return {}
    registry = bench.registry(date(int(year), 1, 1), date(int(year), 12, 31))
    clinker = {m: _clinker(registry, m, outputs[m]) for m in months}
    told = {o for of in clinker.values() for o, c in of.items() if any(t is not None for t in c.outputs)}
    reached: defaultdict[tuple[Owner, str], set[str]] = defaultdict(set)
    rows: list[dict[str, Any]] = []
    for month in months:
        for owner, row in _rows(bench.table(EMISSIONS_TOTALS_MONTHLY.name, month, _MASS), told):
            reached[owner, row["pollutant"]].add(month)
            rows.append(_row(row, month, [clinker[month].get(owner, _Clinker())]))
    for owner, row in _rows(annual, told):
        due = {m: clinker[m][owner] for m in months if owner in clinker[m]}
        whole = due.keys() <= reached[owner, row["pollutant"]]
        rows.append(_row(row, year, list(due.values()), whole=whole))
    if not rows:
        return {}
    return {EMISSIONS_PER_CLINKER.name: EMISSIONS_PER_CLINKER.arrow(pl.DataFrame(rows, schema=_SCHEMA))}


def _outputs(bench: Bench, month: str) -> dict[str, float]:
    """Clinker in t by line, where the ledgers give it."""
    table = bench.table(LEDGER_CLINKER.name, month, ["line_id", "output_t"])
    rows = [] if table is None else table.to_pylist()
    return {r["line_id"]: r["output_t"] for r in rows if r["output_t"] is not None}


def _clinker(registry: Registry, month: str, outputs: dict[str, float]) -> dict[Owner, _Clinker]:
    """Clinker of the month by owner: of every line that was anybody's on a day of it."""
    first = date.fromisoformat(f"{month}-01")
    last = first + timedelta(days=monthrange(first.year, first.month)[1] - 1)
    owners: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for line_id, names in _owned(registry, first, last):
        for scope, name in zip(SCOPES, names, strict=True):
            owners[line_id, scope].add(name)
    made: defaultdict[Owner, _Clinker] = defaultdict(_Clinker)
    for (line_id, scope), names_of_line in sorted(owners.items()):
        for name in filter(None, names_of_line):
            made[scope, name].outputs.append(outputs.get(line_id))
            made[scope, name].moved |= len(names_of_line) > 1
    return dict(made)


def _owned(registry: Registry, first: date, last: date) -> Iterator[tuple[str, tuple[str, str, str, str]]]:
    """Lines in force on a day of [first, last], with the names of each scope as in `SCOPES`, "" for none."""
    plants = defaultdict(list)
    for p in registry.plants:
        if p.overlaps(first, last):
            plants[p.plant_id].append(p)
    for line in registry.lines:
        if line.overlaps(first, last):
            for p in plants[line.plant_id]:
                begin = max(first, line.valid_from, p.valid_from)
                if begin <= last and line.in_force(begin) and p.in_force(begin):
                    yield line.line_id, (line.line_id, line.plant_id, p.group, p.province)


def _rows(table: pa.Table | None, told: set[Owner]) -> Iterator[tuple[Owner, dict[str, Any]]]:
    for row in [] if table is None else table.to_pylist():
        if (owner := (row["scope"], row["scope_id"])) in told:
            yield owner, row


def _row(mass: dict[str, Any], period: str, clinker: Sequence[_Clinker], *, whole: bool = True) -> dict[str, Any]:
    kg = None if mass["mass_t"] is None else mass["mass_t"] * _KG_PER_T
    outputs = [t for c in clinker for t in c.outputs]
    given = [t for t in outputs if t is not None]
    moved = any(c.moved for c in clinker)
    tonnes = math.fsum(given) if given and len(given) == len(outputs) else None
    reason = None
    if not whole or kg is None or mass["lower_bound"] or mass["hours"] < mass["period_hours"]:
        reason = "mass_incomplete"
    elif tonnes is None:
        reason = "no_ledger"
    elif tonnes == 0:
        reason = "no_output"
    elif moved:
        reason = "owner_changed"
    return {
        "scope": mass["scope"], "scope_id": mass["scope_id"], "pollutant": mass["pollutant"], "period": period, "mass_kg": kg,
        "clinker_t": None if moved else tonnes, "kg_per_t": kg / tonnes if reason is None and kg is not None and tonnes else None,
        "reason": reason,
    }  # fmt: skip
