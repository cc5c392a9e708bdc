"""One figure of `carbon_line_year` down to ledger cells: years to months, sources, formula with its numbers, factors, cells.

Belongs here: gathering what the tables of a lake or a release say of a line's year, and doing each source again from its row. Does not
belong here: making the tables (`carbon*`), formulas (`kernels/carbon_forms`), and words (`pipelines/cli_explain`).

Nothing is taken on trust: what a row says it was reckoned from is put into the formula once more, exactly, and told beside its figure.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from assets.carbon_inputs import ALL, month_span, plain
from assets.carbon_plan import FORMS, Plan
from assets.carbon_year import Year
from assets.explain_formula import filled
from contracts import TABLES
from contracts.carbon import AGGREGATIONS, CARBON_LINE_MONTH, CARBON_LINE_YEAR
from kernels.carbon_forms import TERMS
from resources.release_records import folder
from resources.releases import read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from resources.factors import Factor
    from resources.home import Home
    from resources.methods import Method

#: Further ledgers that a part's terms stand in, beside the one that its activity comes from.
_BESIDE = {
    "oxides": ("ledger_lab", "ledger_dust"), "kiln_dust": ("ledger_dust",), "bypass_dust": ("ledger_dust",),
    "dust_factor": ("ledger_dust",),
}  # fmt: skip
_NOT_CELLS = frozenset({"plant_id", "line_id", "month", "versions", "revision", "submitted_at"})


class NothingToExplain(LookupError):  # noqa: N818  (the outcome's name, as people say it)
    """There is no such figure; the message names what there is."""


@dataclass(frozen=True)
class Edition:
    """Tables of the lake, or of one release."""

    home: Home
    release_id: str = ""
    _read: dict[tuple[str, str], pl.DataFrame | None] = field(default_factory=dict, repr=False)

    def rows(self, table: str, key: str) -> pl.DataFrame | None:
        """A partition with its labels as text, read once; None where there is none."""
        if (table, key) not in self._read:
            found = self._of_release(table, key) if self.release_id else self.home.lake.read(table, key)
            self._read[table, key] = None if found is None else plain(found)
        return self._read[table, key]

    def _of_release(self, table: str, key: str) -> pa.Table | None:
        parts = []
        for record in read_manifest(self.home.published, self.release_id).files:
            if record.table == table and record.key.partition("/")[0] == key:
                with self.home.published.open(f"{folder(self.release_id)}/{record.path}") as file:
                    parts.append(pq.read_table(file))
        return pa.concat_tables(parts) if parts else None


def explain_line_year(
    edition: Edition, line_id: str, year: str, method_id: str, aggregation: str = AGGREGATIONS[0], plant_id: str = ""
) -> dict[str, Any]:
    """The row of `carbon_line_year`, its method, the sources of each of its months, and which factors they used.

    `plant_id` tells apart the rows of a line that changed hands. NothingToExplain where there is no such row, or more than one.
    """
    figure = _figure(edition, line_id, year, method_id, aggregation, plant_id)
    method = edition.home.methods[figure["method_id"]]
    months, every = [], []
    for month in (f"{year}-{m:02d}" for m in range(1, 13)):
        rows = edition.rows(CARBON_LINE_MONTH.name, month)
        mine = (
            None
            if rows is None
            else rows.filter(plant_id=figure["plant_id"], line_id=line_id, method_id=method.id, level="line")
        )
        if mine is not None and mine.height:
            months.append(_month(edition, method, month, mine))
            every.append(mine)
    used = sorted({(f, s["month"]) for m in months for s in m["sources"] for f in s["factor_ids"]})
    return {
        "plant_id": figure["plant_id"], "line_id": line_id, "year": year, "figure": figure, "edition": edition.release_id or "lake",
        "method": _method(edition, method), "months": months, "factors": _factors(edition, used),
        "year_sources": _weighted(edition, method, year, pl.concat(every)) if every and aggregation == AGGREGATIONS[0] else [],
    }  # fmt: skip


def _figure(
    edition: Edition, line_id: str, year: str, method_id: str, aggregation: str, plant_id: str
) -> dict[str, Any]:
    rows = edition.rows(CARBON_LINE_YEAR.name, year)
    frame = pl.DataFrame() if rows is None else rows.filter(line_id=line_id)
    if not frame.height:
        known = [] if rows is None else sorted(rows["line_id"].unique().to_list())
        raise NothingToExplain(f"{year} 没有生产线 no line {line_id} in {year}; 有 there are {', '.join(known) or '-'}")
    plants = sorted(frame["plant_id"].unique().to_list())
    if plant_id not in plants and (plant_id or len(plants) > 1):
        raise NothingToExplain(
            f"{line_id} {year} 属于 is a line of {', '.join(plants)}: 用 --plant 指明其一 name one of them with --plant"
        )
    frame = frame.filter(plant_id=plant_id or plants[0])
    in_force = frame.filter(pl.col("in_force")).sort("method_id")
    wanted = method_id or (in_force if in_force.height else frame)["method_id"][0]
    found = frame.filter(method_id=wanted, aggregation=aggregation)
    if not found.height:
        known = sorted(frame["method_id"].unique().to_list())
        raise NothingToExplain(
            f"{line_id} {year} 没有方法 no method {wanted} ({aggregation}); 有 there are {', '.join(known)}"
        )
    return found.row(0, named=True)


def _method(edition: Edition, method: Method) -> dict[str, Any]:
    sources = method.text.get("sources", {})
    return {
        "method_id": method.id, "zh": method.zh, "en": method.en, "number": method.number, "confidence": method.confidence,
        "version": edition.home.methods.hash_of(method), "rounding": method.profile.id, "decimals": method.profile.decimals,
        "parts": {p.id: {"clause": p.clause, "formula": p.formula, "confidence": p.confidence} for p in method.parts},
        "sources": sources,
    }  # fmt: skip


def _weighted(edition: Edition, method: Method, year: str, rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Sources of the year: amounts added, the other terms weighted by them, each with its formula."""
    made = Year.of(Plan.of(edition.home.methods, int(year)), rows, edition.home.registry)
    found = []
    for n, head in enumerate(made.sources.iter_rows(named=True)):
        part = method.part(head["part"])
        told = {"part": head["part"], "source": head["source"], "sum": head["sum"], "emission_unrounded_tco2": None}
        if part and head["activity"] is not None:
            names = TERMS[FORMS[part.formula]]
            terms = dict(zip(names, made.figures.rows.terms[n].tolist()[: len(names)], strict=True))
            formula, again = filled(part, terms | {"missing": None})
            told |= terms | {
                "emission_unrounded_tco2": float(made.figures.exact[n]),
                "formula": formula,
                "recomputed_tco2": again,
            }
        found.append(told)
    return found


def _month(edition: Edition, method: Method, month: str, rows: pl.DataFrame) -> dict[str, Any]:
    sums = {r["source"]: r["emission_tco2"] for r in rows.filter(kind="sum").iter_rows(named=True)}
    sources = rows.filter(kind="source").sort("part", "source").iter_rows(named=True)
    return {"month": month, "sums": sums, "sources": [_source(edition, method, month, row) for row in sources]}


def _source(edition: Edition, method: Method, month: str, row: dict[str, Any]) -> dict[str, Any]:
    part = method.part(row["part"])
    told = {k: v for k, v in row.items() if v is not None and k not in ("kind", "level", "plant_id", "line_id")}
    formula, again = filled(part, row) if part else ("", None)
    return told | {
        "month": month, "clause": part.clause if part else "", "formula": formula, "recomputed_tco2": again,
        "factor_ids": (row["factor_ids"] or "").split("|") if row["factor_ids"] else [],
        "cells": list(_cells(edition, month, row)),
    }  # fmt: skip


def _cells(edition: Edition, month: str, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Cells of the row that the activity stands in, then those of the line in further ledgers of the part."""
    if row["src_table"]:
        yield from _of_rows(edition, row["src_table"], month, path=row["src_path"], number=row["src_row"], row=row)
    for table in _BESIDE.get(row["part"] or "", ()):
        if table != row["src_table"]:
            yield from _of_rows(edition, table, month, row=row)


def _of_rows(
    edition: Edition, table: str, month: str, *, row: dict[str, Any], path: str = "", number: int = 0
) -> Iterator[dict[str, Any]]:
    rows = edition.rows(table, month if TABLES[table].partition == "month" else ALL)
    if rows is None:
        return
    rows = rows.filter(src_path=path, src_row=number) if path else rows
    if "line_id" in rows.columns:
        rows = rows.filter((pl.col("line_id") == row["line_id"]) | pl.col("line_id").is_null())
    # Months that stand across share a row: then what names the source tells them apart.
    for name in ("fuel", "material"):
        if name in rows.columns and rows.height > 1:
            rows = rows.filter(pl.col(name) == row["source"].rpartition("/")[2])
    for found in rows.iter_rows(named=True):
        columns: dict[str, str] = json.loads(found["src_columns"] or "{}")
        for name, value in found.items():
            if value is not None and name not in _NOT_CELLS and not name.startswith("src_"):
                place = columns.get(name, "")
                cell = place if not place or place[-1].isdigit() else f"{place}{found['src_row']}"
                yield {
                    "table": table, "column": name, "value": value, "file": found["src_path"],
                    "sheet": found["src_sheet"], "cell": cell, "row": found["src_row"], "versions": found["versions"],
                }  # fmt: skip


def _factors(edition: Edition, used: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Each factor once, with the months that used it and the row of the book that holds in them."""
    by_id: dict[str, list[str]] = {}
    for name, month in used:
        by_id.setdefault(name, []).append(month)
    return [_factor(edition, name, months) for name, months in sorted(by_id.items())]


def _factor(edition: Edition, name: str, months: list[str]) -> dict[str, Any]:
    first: date = month_span(months[0])[0]
    rows: list[Factor] = [r for r in edition.home.factors.rows if r.factor_id == name]
    held = [r for r in rows if r.holds(first)] or rows
    if not held:
        return {"factor_id": name, "months": months, "gone": True}
    row = max(held, key=lambda r: (r.valid_from, r.recorded_at))
    return {
        "factor_id": name, "months": months, "quantity": row.quantity, "scope": row.scope, "region": row.region,
        "value": row.text, "unit": row.unit, "valid_from": str(row.valid_from), "valid_to": str(row.valid_to or ""),
        "data_year": row.data_year, "recorded_at": str(row.recorded_at), "source": row.source, "clause": row.clause,
        "confidence": row.confidence, "file": row.file,
    }  # fmt: skip
