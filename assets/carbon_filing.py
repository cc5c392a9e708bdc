"""What may not be filed, and why, by name.

Belongs here: the refusals of a filing run over the tables of a year. Does not belong here: how a figure got its status
(`carbon_lines`, `carbon_entities`), and the filing itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.carbon_inputs import ALL, in_month, plain
from assets.findings_told import of_carbon

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resources.home import Home


@dataclass(frozen=True, slots=True)
class Refusal:
    """One figure that may not be filed. `drafts`, `missing`, `lacking` (months in force that were not filed) and `findings` (serious
    ones, each with its place and remedy) name everything that stands against it.
    """

    table: str
    scope_id: str
    method_id: str
    basis: str
    drafts: tuple[str, ...]
    missing: tuple[str, ...]
    complete: bool
    lacking: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    plant_id: str = ""

    def __str__(self) -> str:
        who = " ".join(part for part in (self.plant_id, self.scope_id, self.method_id, self.basis) if part)
        why = [f"未核实 / drafts: {', '.join(self.drafts)}"] if self.drafts else []
        why += [f"缺 / missing: {', '.join(self.missing)}"] if self.missing else []
        why += (
            []
            if self.complete
            else [f"年度尚不完整, 缺 / the year is not complete, without: {', '.join(self.lacking) or '-'}"]
        )
        why += [f"严重的发现 / serious findings: {'; '.join(self.findings)}"] if self.findings else []
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
    return sorted(found, key=lambda r: (r.table, r.scope_id, r.plant_id, r.basis))


def allocation_refusals(home: Home, year: str) -> list[Refusal]:
    """Every allowance of a year that a filing run refuses: drafts by name (a plan for comment is one), or why there is no number.

    LookupError where the year has no allowances at all.
    """
    rows = home.lake.read("allocation_year", year)
    if rows is None or not rows.num_rows:
        raise LookupError(f"{year} 没有配额 / no allowances for {year} in allocation_year")
    against = _against(home, year)
    return [
        made
        for r in plain(rows).sort("line_id", "plant_id").iter_rows(named=True)
        if (made := _judged(
            against, "allocation_year", r["line_id"], "", r | {"missing": r["no_number"], "complete": not against.lacking.get((r["plant_id"], r["line_id"]))}, refused=r["status"] != "filing"
        ))
    ]  # fmt: skip


def _refusals(home: Home, year: str, method_id: str, aggregation: str, basis: str) -> Iterator[Refusal]:
    against = _against(home, year)
    for table, (scope, by) in _TABLES.items():
        if by and not basis:
            continue
        rows = home.lake.read(table, year)
        chosen = pl.DataFrame() if rows is None else plain(rows).filter(method_id=method_id, aggregation=aggregation)
        if by and chosen.height:
            chosen = chosen.filter(pl.col(by) == basis)
        if not chosen.height:
            raise LookupError(f"{year} 没有 {method_id} 的结果 / no figures of {method_id} for {year} in {table}")
        for row in chosen.iter_rows(named=True):
            if made := _judged(
                against, table, row[scope], row[by] if by else "", row, refused=row["status"] != "filing"
            ):
                yield made


@dataclass(frozen=True, slots=True)
class _Against:
    """What stands against figures of a year: months that a plant did not file of a line in force, and serious findings; plants with
    their lines.
    """

    lacking: dict[tuple[str, str], list[str]]
    findings: list[tuple[str | None, str | None, str]]
    lines: set[tuple[str, str]]

    def months(self, plant: str, lines: set[str]) -> tuple[str, ...]:
        """Months that lines of a plant lack, with the line where there are several."""
        mine = {line: months for (p, line), months in self.lacking.items() if p == plant and line in lines and months}
        return tuple(m if len(mine) == 1 else f"{line} {m}" for line, months in sorted(mine.items()) for m in months)


def _judged(
    against: _Against, table: str, scope_id: str, basis: str, row: dict[str, Any], *, refused: bool
) -> Refusal | None:
    """The refusal of one row, None where nothing stands against it."""
    of_line = "line" in table or table == "allocation_year"
    plant = row["plant_id"]
    lines = {scope_id} if of_line else {n for p, n in against.lines if p == plant}
    # What was found of the plant as a whole stands against its lines too; what names no plant against every
    # plant of its line, what names neither against all.
    told = tuple(text for p, line, text in against.findings if p in (plant, None) and (not line or line in lines))
    if not refused and not told:
        return None
    drafts, missing = (row["drafts"] or "").split("|"), (row["missing"] or "").split("; ")
    return Refusal(
        table, scope_id, row["method_id"], basis, tuple(filter(None, drafts)), tuple(filter(None, missing)), row["complete"],
        () if row["complete"] else against.months(plant, lines), told, plant if of_line else "",
    )  # fmt: skip


def _against(home: Home, year: str) -> _Against:
    filed: set[tuple[str, str, str]] = set()
    made = [m for m in home.lake.keys("carbon_line_month") if m.startswith(year)]
    for month in made:
        rows = home.lake.read("carbon_line_month", month, ["plant_id", "line_id"])
        own = plain(rows).drop_nulls().unique().iter_rows() if rows is not None else ()
        filed |= {(plant, line, month) for plant, line in own}
    lacking: dict[tuple[str, str], list[str]] = {}
    for month in (f"{year}-{n:02d}" for n in range(1, 13)) if made else ():
        for line in in_month(home.registry, month).values():
            if (line.plant_id, line.line_id, month) not in filed:
                lacking.setdefault((line.plant_id, line.line_id), []).append(month)
    owned = {(n.plant_id, n.line_id) for n in home.registry.lines} if made else set()
    return _Against(lacking, list(_findings(home, year)), owned)


def _findings(home: Home, year: str) -> Iterator[tuple[str | None, str | None, str]]:
    """Plant, line, and in words: what was found, where, and what to do."""
    rows = home.lake.read("findings", ALL)
    for r in of_carbon(rows.to_pylist() if rows is not None else (), year):
        place = " ".join(filter(None, (r["source_file"], r["source_cell"], r["period"])))
        yield r["plant_id"], r["line_id"], f"{r['check_id']} ({place}): {r['text_zh']} / {r['text_en']}"
