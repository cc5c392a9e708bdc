"""What the carbon part of a report rests on: rows of the release's carbon tables, of one year and the year before it.

Belongs here: which rows are read and how they are grouped. Does not belong here: how they look (`report_carbon`), drawings
(`report_carbon_svg`), and any computation beyond adding up what a page shows side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resources.home import Home

AGGREGATION = "annual_weighted"


class Tree(Protocol):
    """The tables of one release, as the report reads them."""

    def keys(self, table: str) -> list[str]:
        """Partition keys that hold rows."""

    def rows(self, table: str, start: str) -> pl.DataFrame:
        """Rows of the files whose key begins with `start`."""


@dataclass(frozen=True)
class CarbonFacts:
    """Carbon of `year` and the year before. `method` is the first that `runs.toml` lists for the year; titles: method -> (zh, en).

    years, entities, allowances, uncertainty: rows of both years, annual_weighted alone; sources: rows of the months of `year` by
    `method`; moved: totals of lines and entities that the release moved.
    """

    year: str
    method: str
    titles: Mapping[str, tuple[str, str]]
    years: pl.DataFrame
    entities: pl.DataFrame
    allowances: pl.DataFrame
    uncertainty: pl.DataFrame
    sources: pl.DataFrame
    moved: pl.DataFrame

    @property
    def own(self) -> pl.DataFrame:
        """Lines of the year by its method."""
        return self.years.filter(year=self.year, method_id=self.method).sort("line_id", "plant_id")

    @property
    def names(self) -> list[str]:
        """Sources of the lines by `method`, the largest first: their order in every drawing."""
        found = self.sources.filter(level="line", kind="source").group_by("source").agg(pl.col("emission_tco2").sum())
        return found.sort(pl.col("emission_tco2").abs(), "source", descending=[True, False])["source"].to_list()

    def months(self, plant: str, line: str) -> dict[str, dict[str, float] | None]:
        """tCO2 of a plant's line by month 'MM' and source; None for a month of which a source has no number."""
        made: dict[str, dict[str, float] | None] = {}
        rows = self.sources.filter(
            pl.col("plant_id") == plant, pl.col("line_id") == line, level="line", kind="source"
        ).sort("month", "source")
        for month, source, tonnes, missing in rows.select("month", "source", "emission_tco2", "missing").iter_rows():
            into = made.setdefault(month[5:], {})
            if missing is not None:
                made[month[5:]] = None
            elif into is not None and tonnes is not None:
                into[source] = into.get(source, 0.0) + tonnes
        return made


def first_method(home: Home, year: str, there: list[str]) -> str:
    """Of the methods that a year's rows are of the one that is listed first for the year: that of the trading system since 2024."""
    listed = [one.id for one in home.methods.of_year(int(year))]
    return next((i for i in listed if i in there), min(there))


def gather_carbon(home: Home, tree: Tree, month: str, chosen: pl.Expr, restated: pl.DataFrame) -> CarbonFacts | None:
    """Carbon of the month's year, or of the newest year before it that has any; None where there is none."""
    found = [y for y in tree.keys("carbon_line_year") if y <= month[:4]]
    if not found:
        return None
    year = found[-1]

    def both(table: str) -> pl.DataFrame:
        rows = pl.concat([tree.rows(table, y) for y in found[-2:]], how="diagonal_relaxed").filter(chosen)
        return rows.filter(aggregation=AGGREGATION) if "aggregation" in rows.columns else rows

    years = both("carbon_line_year")
    if not years.height:
        return None
    method = first_method(home, year, years.filter(year=year)["method_id"].unique().to_list())
    titles = {one.id: (one.zh, one.en) for one in home.methods.methods}
    sums = pl.col("dataset").is_in(["carbon_line_year", "carbon_entity_year"]) & (pl.col("column") == "total_tco2")
    ours = pl.col("key").str.contains(f"method_id={method};aggregation={AGGREGATION}", literal=True)
    return CarbonFacts(
        year=year,
        method=method,
        titles={i: titles.get(i, ("", "")) for i in years["method_id"].unique()},
        years=years,
        entities=both("carbon_entity_year"),
        allowances=both("allocation_year"),
        uncertainty=both("carbon_uncertainty").filter(source="total", quantity="total"),
        sources=tree.rows("carbon_line_month", year).filter(chosen, method_id=method),
        moved=restated.filter(sums & ours),
    )
