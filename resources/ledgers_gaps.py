"""Months that a ledger leaves out, and sums that do not agree with their rows.

Belongs here: completeness of series over the months of a year, total rows against the rows they sum. Does not belong here: single rows
(`ledgers_cells`), balances of stock and comparisons between tables (findings of the carbon tables).
"""

from __future__ import annotations

from collections import defaultdict
from math import fsum
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from contracts import TABLES
from resources.findings import Place
from resources.ledgers_tell import PATH, ROW, SHEET, TOTAL, letters_of, place_of, shortest
from resources.ledgers_words import limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from resources.ledgers_names import Names
    from resources.ledgers_tell import Row, Teller

#: Columns whose rows do not add up to their total: means and shares, and stocks, which are those at the ends.
_MEANS = ("_pct", "ncv_gj", "ef_tco2_gj", "ckd_calcination")
_FIRST, _LAST = ("opening", "opening_t"), ("closing", "closing_t")

#: What a mean of the year is weighted by.
_WEIGHTS = ("consumption", "consumption_t", "rawmeal_t", "ckd_t")


def tell_gaps(tables: Mapping[str, pl.DataFrame], names: Names, teller: Teller) -> None:
    """For each series (line, fuel …) with any row in a year: months without one, as far as the plant's ledgers go in that year.

    How far they go is what has been submitted: no clock is asked. A month in which the line or plant is not in force is not missing.
    """
    reach = _reach(tables, names)
    for table, rows in tables.items():
        if "month" in rows.columns and rows.height:
            for row, missing in _missing(table, rows, reach, names):
                at = Place(row["plant_id"], row["line_id"], None, row["year"], row["src_path"], None)
                teller.say("L60_missing_months", at, ", ".join(missing), {"table": table, "what": row["what"]})


def _plant(row: Row, names: Names) -> str:
    return row.get("plant_id") or min(names.plant_of.get(row.get("line_id") or "", {""}))


def _reach(tables: Mapping[str, pl.DataFrame], names: Names) -> dict[tuple[str, str], tuple[str, str]]:
    """First and last month by plant and year in which any table has a row."""
    reach: dict[tuple[str, str], tuple[str, str]] = {}
    for rows in tables.values():
        if "month" not in rows.columns:
            continue
        subject = "plant_id" if "plant_id" in rows.columns else "line_id"
        months = rows.with_columns(pl.col("month").str.head(4).alias("year"))
        for row in (
            months.group_by(subject, "year")
            .agg(pl.col("month").min().alias("a"), pl.col("month").max().alias("b"))
            .iter_rows(named=True)
        ):
            which = _plant(row, names), row["year"]
            a, b = reach.get(which, ("9", ""))
            reach[which] = min(a, row["a"]), max(b, row["b"])
    return reach


def _missing(
    table: str, rows: pl.DataFrame, reach: Mapping[tuple[str, str], tuple[str, str]], names: Names
) -> Iterator[tuple[Row, list[str]]]:
    series = [n for n in TABLES[table].key if n != "month"]
    years = rows.with_columns(pl.col("month").str.head(4).alias("year"))
    grouped = (
        years.group_by(*series, "year")
        .agg(pl.col("month").unique(), pl.col("src_path").max())
        .sort(*series, "year", nulls_last=False)
    )
    for row in grouped.filter(pl.col("month").list.len() < 12).iter_rows(named=True):
        plant, line = _plant(row, names), row.get("line_id")
        subject = ("line_id", line) if line else ("plant_id", plant)
        periods = names.months_of(*subject)
        first, last = reach[plant, row["year"]]
        there = set(row["month"])
        due = (f"{row['year']}-{m:02d}" for m in range(1, 13))
        missing = [m for m in due if first <= m <= last and m not in there and any(a <= m <= b for a, b in periods)]
        if missing:
            what = " ".join(str(row[n]) for n in series if row[n])
            yield (
                {
                    "plant_id": plant or None,
                    "line_id": line,
                    "year": row["year"],
                    "src_path": row["src_path"],
                    "what": what,
                },
                missing,
            )


def tell_totals(table: str, rows: pl.DataFrame, teller: Teller) -> None:
    """Total rows of each sheet against the rows above them that they name; `rows` as typed."""
    if not rows[TOTAL].any():
        return
    sheets = rows.select(PATH, SHEET).filter(rows[TOTAL]).unique()
    contract = TABLES[table]
    numbers = [c.name for c in contract.columns if c.type == pa.float64()]
    sums = [n for n in numbers if not n.endswith((*_MEANS, *_FIRST, *_LAST))]
    used = [*contract.key, *numbers, ROW]
    for sheet in rows.join(sheets, on=[PATH, SHEET], how="semi").partition_by(PATH, SHEET, maintain_order=True):
        some = sheet.sort(ROW)
        spans = _Spans(list(some.filter(~pl.col(TOTAL)).select(used).iter_rows(named=True)))
        for row in some.filter(TOTAL).iter_rows(named=True):
            named = tuple(n for n in contract.key if row[n] is not None)
            every, since = spans.of(row, named)
            for name in sums:
                _compare(row, name, [every, since], teller)
            if all(n in named or contract[n].nullable or n == "month" for n in contract.key):
                for name in (n for n in numbers if n not in sums):
                    _compare_year(row, name, every, teller)


class _Spans:
    """Rows that a total may sum: all above it that bear the names it gives, and of those the ones since the last total like it."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows
        self._named: dict[tuple[str, ...], dict[tuple[object, ...], list[Row]]] = {}
        self._above: defaultdict[bool, int] = defaultdict(int)

    def of(self, total: Row, named: tuple[str, ...]) -> tuple[list[Row], list[Row]]:
        if named not in self._named:
            self._named[named] = defaultdict(list)
            for row in self._rows:
                self._named[named][tuple(row[n] for n in named)].append(row)
        every = [r for r in self._named[named].get(tuple(total[n] for n in named), ()) if r[ROW] <= total[ROW]]
        since = [r for r in every if r[ROW] > self._above[bool(named)]]
        self._above[bool(named)] = total[ROW]
        return every, since


def _compare(row: Row, name: str, spans: list[list[Row]], teller: Teller) -> None:
    """A total is right when it is the sum of all rows above it, or of those since the last total."""
    told = row[name]
    values = [[r[name] for r in span if r[name] is not None] for span in spans]
    if told is None or not any(values):
        return
    sums = [fsum(some) for some in values]
    slack = limits()["total_tolerance"] * abs(told) + 0.005 * max(map(len, spans))
    if all(abs(told - s) > slack for s in sums):
        _differs(row, name, told, sums[0], teller)


def _compare_year(row: Row, name: str, months: list[Row], teller: Teller) -> None:
    """A year's stock is that at its end, its mean one of its months: weighted by consumption or not, of the decimals it has."""
    told, some = row[name], [r for r in months if r[name] is not None]
    if told is None or not some:
        return
    if name in (*_FIRST, *_LAST):
        usual = [(min if name in _FIRST else max)(some, key=lambda r: str(r["month"]))[name]]
    else:
        weights = [[r.get(w) or 0.0 for r in some] for w in _WEIGHTS] + [[1.0] * len(some)]
        usual = [fsum(r[name] * w for r, w in zip(some, by, strict=True)) / fsum(by) for by in weights if fsum(by) > 0]
    slack = limits()["total_tolerance"] * abs(told) + 0.5 * 10.0 ** -_decimals(told)
    if all(abs(told - u) > slack for u in usual):
        _differs(row, name, told, usual[0], teller)


def _decimals(value: float) -> int:
    """Of the number as it is written."""
    return len(shortest(value).partition(".")[2])


def _differs(row: Row, name: str, told: float, ours: float, teller: Teller) -> None:
    teller.row("L61_total_differs", row, name, told, {"sum": f"{ours:.10g}", "column": name})


def tell_fuel(tables: Mapping[str, pl.DataFrame], names: Names, teller: Teller) -> None:
    """Lines and years with months in which clinker was made and no ledger gives fossil fuel burnt in the kiln, 0 neither.

    Kiln fuel that a plant gives without a line is that of all its lines.
    """
    clinker = tables.get("ledger_clinker")
    if clinker is None:
        return
    fuel = tables.get("ledger_fuel", pl.DataFrame(schema=dict.fromkeys(("plant_id", "line_id", "month", "facility", "consumption"), pl.String)))  # fmt: skip
    burnt = fuel.filter((pl.col("facility") == "kiln") & pl.col("consumption").is_not_null())
    given = set(burnt.select(pl.coalesce("line_id", "plant_id"), "month").iter_rows())
    bare: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in clinker.filter(pl.col("output_t") > 0).iter_rows(named=True):
        if not {(row["line_id"], row["month"]), (_plant(row, names), row["month"])} & given:
            bare[row["line_id"], row["month"][:4]].append(row)
    for (line, year), rows in sorted(bare.items()):
        first = rows[0]
        cell = place_of(
            first["src_sheet"] or "",
            first["src_row"],
            "output_t",
            letters_of(first["src_columns"]).get("output_t", ""),
        )
        at = Place(_plant(first, names) or None, line, None, year, first["src_path"], cell)
        months = ", ".join(row["month"] for row in rows)
        teller.say("L62_clinker_without_fuel", at, months, {"line": line})
