"""What may not be filed, and why, by name.

Belongs here: the refusals of a filing run over the tables of a year. Does not belong here: how a figure got its status
(`carbon_lines`, `carbon_entities`), and the filing itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from assets.carbon_inputs import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resources.home import Home


@dataclass(frozen=True, slots=True)
class Refusal:
    """One figure that may not be filed. `drafts` and `missing` name everything that stands against it."""

    table: str
    scope_id: str
    method_id: str
    basis: str
    drafts: tuple[str, ...]
    missing: tuple[str, ...]
    complete: bool

    def __str__(self) -> str:
        who = " ".join(part for part in (self.scope_id, self.method_id, self.basis) if part)
        why = [f"未核实 / drafts: {', '.join(self.drafts)}"] if self.drafts else []
        why += [f"缺 / missing: {', '.join(self.missing)}"] if self.missing else []
        why += [] if self.complete else ["年度尚不完整 / the year is not complete"]
        return f"{self.table} {who}: {'; '.join(why)}"


_TABLES = {"carbon_line_year": ("line_id", ""), "carbon_entity_year": ("plant_id", "electricity_basis")}


def filing_refusals(
    home: Home, year: str, method_id: str, *, aggregation: str = "annual_weighted", basis: str = ""
) -> list[Refusal]:
    """Every figure of a method and year that a filing run refuses; empty when all may be filed.

    `basis` names the electricity basis of the entity figures to be filed; "" leaves entities out (allowances follow lines).
    LookupError where the year has no such figures at all.
    """
    found = list(_refusals(home, year, method_id, aggregation, basis))
    return sorted(found, key=lambda r: (r.table, r.scope_id, r.basis))


def allocation_refusals(home: Home, year: str) -> list[Refusal]:
    """Every allowance of a year that a filing run refuses: drafts by name (a plan for comment is one), or why there is no number.

    LookupError where the year has no allowances at all.
    """
    rows = home.lake.read("allocation_year", year)
    if rows is None or not rows.num_rows:
        raise LookupError(f"{year} 没有配额 / no allowances for {year} in allocation_year")
    refused = plain(rows).filter(pl.col("status") != "filing").sort("line_id")
    return [
        Refusal(
            "allocation_year", r["line_id"], r["method_id"], "", tuple(filter(None, (r["drafts"] or "").split("|"))),
            (r["no_number"],) if r["no_number"] else (), complete=True,
        )
        for r in refused.iter_rows(named=True)
    ]  # fmt: skip


def _refusals(home: Home, year: str, method_id: str, aggregation: str, basis: str) -> Iterator[Refusal]:
    for table, (scope, by) in _TABLES.items():
        if by and not basis:
            continue
        rows = home.lake.read(table, year)
        chosen = pl.DataFrame() if rows is None else plain(rows).filter(method_id=method_id, aggregation=aggregation)
        if by and chosen.height:
            chosen = chosen.filter(pl.col(by) == basis)
        if not chosen.height:
            raise LookupError(f"{year} 没有 {method_id} 的结果 / no figures of {method_id} for {year} in {table}")
        for row in chosen.filter(pl.col("status") != "filing").iter_rows(named=True):
            drafts, missing = (row["drafts"] or "").split("|"), (row["missing"] or "").split("; ")
            yield Refusal(
                table, row[scope], method_id, row[by] if by else "", tuple(filter(None, drafts)), tuple(filter(None, missing)),
                row["complete"],
            )  # fmt: skip
