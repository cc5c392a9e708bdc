"""What may not be filed, and why, by name.

Belongs here: the refusals of a filing run over the tables of a year. Does not belong here: how a figure got its status
(`carbon_lines`, `carbon_entities`), and the filing itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.carbon_inputs import ALL, month_span, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from resources.home import Home

#: Findings on ledgers and carbon: those of the monitors stand against no figure of a year.
_KINDS = r"^[LC]\d"
_SERIOUS = "serious"


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

    def __str__(self) -> str:
        who = " ".join(part for part in (self.scope_id, self.method_id, self.basis) if part)
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
    return sorted(found, key=lambda r: (r.table, r.scope_id, r.basis))


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
        for r in plain(rows).sort("line_id").iter_rows(named=True)
        if (made := _judged(
            against, "allocation_year", r["line_id"], "", r | {"missing": r["no_number"], "complete": not against.lacking.get(r["line_id"])}, refused=r["status"] != "filing"
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
    """What stands against figures of a year: months that a line in force did not file, and serious findings; owners of lines."""

    lacking: dict[str, list[str]]
    findings: list[tuple[str | None, str | None, str]]
    plants: dict[str, str]

    def months(self, owns: Callable[[str], bool]) -> tuple[str, ...]:
        """Months that lines lack, with the line where there are several."""
        mine = {line: months for line, months in self.lacking.items() if owns(line) and months}
        return tuple(m if len(mine) == 1 else f"{line} {m}" for line, months in sorted(mine.items()) for m in months)


def _judged(
    against: _Against, table: str, scope_id: str, basis: str, row: dict[str, Any], *, refused: bool
) -> Refusal | None:
    """The refusal of one row, None where nothing stands against it."""
    of_line = "line" in table or table == "allocation_year"
    plant = against.plants.get(scope_id) if of_line else scope_id
    lines = {scope_id} if of_line else {n for n, p in against.plants.items() if p == plant}
    # What was found of the plant as a whole stands against its lines too.
    told = tuple(text for p, line, text in against.findings if (line in lines if line else p == plant))
    if not refused and not told:
        return None
    drafts, missing = (row["drafts"] or "").split("|"), (row["missing"] or "").split("; ")
    return Refusal(
        table, scope_id, row["method_id"], basis, tuple(filter(None, drafts)), tuple(filter(None, missing)), row["complete"],
        () if row["complete"] else against.months(lines.__contains__), told,
    )  # fmt: skip


def _against(home: Home, year: str) -> _Against:
    filed: set[tuple[str, str]] = set()
    made = [m for m in home.lake.keys("carbon_line_month") if m.startswith(year)]
    known = home.registry.lines if made else ()
    for month in made:
        rows = home.lake.read("carbon_line_month", month, ["line_id"])
        filed |= {(line, month) for line in (plain(rows)["line_id"].unique() if rows is not None else ()) if line}
    lacking: dict[str, list[str]] = {}
    for line in known:
        for month, (first, last) in ((m, month_span(m)) for m in (f"{year}-{n:02d}" for n in range(1, 13))):
            if line.overlaps(first, last) and (line.line_id, month) not in filed:
                lacking.setdefault(line.line_id, []).append(month)
    owners = {n.line_id: n.plant_id for n in known}
    return _Against({n: sorted({*months}) for n, months in lacking.items()}, list(_findings(home, year)), owners)


def _findings(home: Home, year: str) -> Iterator[tuple[str | None, str | None, str]]:
    """Plant, line, and in words: what was found, where, and what to do."""
    rows = home.lake.read("findings", ALL)
    serious = plain(rows).filter(
        pl.col("severity") == _SERIOUS, pl.col("check_id").str.contains(_KINDS), pl.col("period").str.starts_with(year)
    ) if rows is not None else pl.DataFrame()  # fmt: skip
    for r in serious.iter_rows(named=True):
        place = " ".join(filter(None, (r["source_file"], r["source_cell"], r["period"])))
        yield r["plant_id"], r["line_id"], f"{r['check_id']} ({place}): {r['text_zh']} / {r['text_en']}"
