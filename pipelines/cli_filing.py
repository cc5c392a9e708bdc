"""What `kiln carbon filing` prints: every figure of a year that may not be filed, and why, by name.

Belongs here: words and JSON of the refusals. Does not belong here: what is refused (`assets/carbon_filing`), and filing itself.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from assets.carbon_filing import allocation_refusals, filing_refusals

if TYPE_CHECKING:
    from resources.home import Home

Said = tuple[dict[str, Any], str]


def filing(home: Home, year: str, method: str, basis: str, *, allowances: bool) -> Said:
    """Refusals of the lines of a year under a method ("" the first in force), of plants under an electricity basis ("" none), and
    of allowances. UsageError where the year has no such figures.
    """
    in_force = [m.id for m in home.methods.of_year(int(year)) if m.in_force(int(year))]
    method = method or next(iter(in_force), "")
    try:
        found = filing_refusals(home, year, method, basis=basis)
        found += allocation_refusals(home, year) if allowances else []
    except LookupError as error:
        raise click.UsageError(f"{error}; kiln run --all") from error
    drafts = _drafts(home, year, sorted({d for r in found for d in r.drafts}))
    data = {
        "year": year, "method_id": method, "basis": basis, "may_be_filed": not found, "refusals": [asdict(r) for r in found],
        "drafts": drafts,
    }  # fmt: skip
    if not found:
        return data, f"{year} {method}: 可以填报 may be filed"
    lines = [f"{year} {method}: 拒绝填报 filing is refused, {len(found)} 项 figures", *(f"  {r}" for r in found)]
    lines += [f"  {name}: {told}" for name, told in drafts.items() if told]
    return data, "\n".join(lines)


def _drafts(home: Home, year: str, names: list[str]) -> dict[str, str]:
    """What each draft says and where that was read; "" for what is no factor: a method, a part of one, a plan."""
    span = date(int(year), 1, 1), date(int(year), 12, 31)
    rows = {r.factor_id: r for r in home.factors.in_force(*span)}
    return {
        n: f"{r.text} {r.unit}, {r.source} [{r.mark}] {r.file}:{r.line}" if (r := rows.get(n)) else "" for n in names
    }
