"""Checks of carbon: sources make sums, months make years, lines and other facilities make entities, and no figure is half a sum.

Belongs here: the same sums once more, by other means. Does not belong here: running checks (`checks`) and making the tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.carbon_inputs import plain

if TYPE_CHECKING:
    from resources.home import Home

Found = tuple[list[str], dict[str, int | float]]

#: Half a cent for each figure that was rounded by itself.
_CENT = 0.005
_NOISE = 1e-6


def carbon_months_add_up(home: Home, keys: list[str]) -> Found:
    """Sources make the sums of their line to within their rounding; a sum with a missing member has no number."""
    problems: list[str] = []
    facts: dict[str, int | float] = {"sources": 0, "missing": 0}
    for month in keys:
        table = home.lake.read("carbon_line_month", month)
        if table is None:  # no ledgers in the month
            continue
        frame = plain(table)
        sources = frame.filter(kind="source")
        key = ["plant_id", "line_id", "method_id"]
        added = (
            sources.filter(level="line")
            .group_by(key)
            .agg(
                pl.col("emission_unrounded_tco2").sum().alias("due"),
                pl.len().alias("n"),
                pl.col("missing").is_not_null().any().alias("gone"),
            )
        )
        both = frame.filter(kind="sum", sum="total").join(added, on=key)
        off = (pl.col("emission_tco2") - pl.col("due")).abs() > _CENT * (pl.col("n") + 1) + _NOISE
        wrong = both.filter(off.fill_null(False) | (pl.col("gone") != pl.col("emission_tco2").is_null()))
        problems += [
            f"{month}: {r['plant_id']} {r['line_id']} {r['method_id']} does not add up: {r['emission_tco2']}, its sources make {r['due']}"
            for r in wrong.sort(key).iter_rows(named=True)
        ]
        facts["sources"] += sources.height
        facts["missing"] += sources.filter(pl.col("missing").is_not_null()).height
    return problems, facts


def carbon_years_add_up(home: Home, keys: list[str]) -> Found:
    """Months make monthly_sum to the cent, lines and other facilities make entities; a draft is never marked fit for filing."""
    problems: list[str] = []
    facts: dict[str, int | float] = {"lines": 0, "entities": 0, "filing": 0}
    for year in keys:
        tables = [home.lake.read(t, year) for t in ("carbon_line_year", "carbon_entity_year")]
        if any(t is None for t in tables):
            problems += [f"{year}: a table of carbon is missing"] if any(t is not None for t in tables) else []
            continue
        lines, entities = map(plain, tables)
        problems += _months(home, year, lines) + _entities(year, entities) + _statuses(year, lines, entities)
        facts["lines"] += lines["line_id"].n_unique()
        facts["entities"] += entities["plant_id"].n_unique()
        facts["filing"] += lines.filter(status="filing").height
    return problems, facts


def _months(home: Home, year: str, lines: pl.DataFrame) -> list[str]:
    key = ["plant_id", "line_id", "method_id"]
    columns = [*key, "kind", "sum", "emission_tco2"]
    months = [
        t
        for k in home.lake.keys("carbon_line_month")
        if k.startswith(year) and (t := home.lake.read("carbon_line_month", k, columns))
    ]
    totals = pl.concat([plain(t) for t in months]).filter(kind="sum", sum="total")
    due = totals.group_by(key).agg(pl.col("emission_tco2").sum().alias("due"))
    both = lines.filter(aggregation="monthly_sum").join(due, on=key, how="left")
    off = (pl.col("total_tco2") - pl.col("due")).abs() > _CENT
    return [
        f"{year}: {r['plant_id']} {r['line_id']} {r['method_id']} monthly_sum is {r['total_tco2']}, its months make {r['due']}"
        for r in both.filter(off).sort(key).iter_rows(named=True)
    ]


def _entities(year: str, entities: pl.DataFrame) -> list[str]:
    parts = pl.sum_horizontal(
        "lines_tco2", "other_tco2", pl.col("electricity_tco2").fill_null(0), pl.col("heat_tco2").fill_null(0)
    )
    off = (pl.col("total_tco2") - parts).abs() > 4 * _CENT + _NOISE
    return [
        f"{year}: {r['plant_id']} {r['method_id']} {r['electricity_basis']} is {r['total_tco2']}, which its parts do not make"
        for r in entities.filter(off).sort("plant_id").iter_rows(named=True)
    ]


def _statuses(year: str, *tables: pl.DataFrame) -> list[str]:
    bare = pl.col("total_tco2").is_null() != (pl.col("status") == "missing")
    loose = (pl.col("status") == "filing") & (
        pl.col("drafts").is_not_null() | pl.col("missing").is_not_null() | ~pl.col("complete")
    )
    wrong = sum(t.filter(bare | loose).height for t in tables)
    return [f"{year}: {wrong} figures have a status that their grounds do not give"] if wrong else []
