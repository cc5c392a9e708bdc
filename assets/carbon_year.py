"""Sources of a year from those of its months, weighted and added, and which months are there.

Belongs here: the arrays and frames that the tables of a year share, and what makes a year complete. Does not belong here: months
(`carbon`), rows of lines (`carbon_lines`) and of entities (`carbon_entities`), sums (`kernels/carbon_sums`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.carbon_groups import ACCOUNT, SOURCE, UNIT, coded, listed, sorted_sources, starts, texts, within
from assets.carbon_inputs import in_month
from assets.carbon_unfiled import with_unfiled
from kernels.carbon import Rows
from kernels.carbon_sums import year_figures

if TYPE_CHECKING:
    from assets.carbon_plan import Plan
    from kernels.carbon import Places
    from kernels.carbon_sums import Figures
    from resources.registry import Registry


#: Columns that sources are sorted and grouped by.
_CODED = ("plant_id", "line_id", "method_id", "part", "level", "unit", "source", "month")


@dataclass(frozen=True)
class Year:
    """Sources of a year sorted by account, unit, source and month; `sums` are the line sums of its months, `gaps` the months in which
    a line in force filed nothing although its plant did later, `filed` months by plant and line and whether all in force are there.
    """

    plan: Plan
    rows: pl.DataFrame
    sums: pl.DataFrame
    gaps: pl.DataFrame
    filed: pl.DataFrame

    @classmethod
    def of(cls, plan: Plan, months: pl.DataFrame, registry: Registry) -> Year:
        """From the rows of `carbon_line_month`; methods that the year no longer computes are left out."""
        known = pl.DataFrame(
            [(m, p, i) for (m, p), i in plan.number.items()], {"method_id": pl.String, "part": pl.String, "number": pl.Int32}, orient="row"
        )  # fmt: skip
        sources = coded(months.filter(pl.col("kind") == "source"), _CODED)
        known = known.with_columns(pl.col(c).cast(sources.schema[c], strict=False) for c in ("method_id", "part"))
        rows = with_unfiled(sorted_sources(sources.join(known, on=["method_id", "part"]), "month"))
        gaps, filed = _filed(registry, texts(months.select("plant_id", "line_id", "month").unique()), plan.year)
        return cls(
            plan,
            rows,
            texts(
                months.filter(pl.col("kind") == "sum").select(
                    "plant_id", "line_id", "method_id", "sum", "emission_tco2"
                )
            ),
            gaps,
            filed,
        )

    @cached_property
    def source_starts(self) -> Places:
        """Months of each source."""
        return starts(self.rows, SOURCE)

    @cached_property
    def unit_starts(self) -> Places:
        """Sources of each unit."""
        return within(starts(self.rows, UNIT), self.source_starts)

    @cached_property
    def account_starts(self) -> Places:
        """Units of each account."""
        return within(starts(self.rows, ACCOUNT), starts(self.rows, UNIT))

    @cached_property
    def figures(self) -> Figures:
        """annual_weighted emissions."""
        number = self.rows["number"].to_numpy()
        terms = self.plan.terms(self.rows, number)
        terms[self.rows["missing"].is_not_null().to_numpy(), 0] = np.nan
        given = Rows(self.plan.forms[number], number.astype(np.int8), terms)
        return year_figures(given, self.source_starts, self.unit_starts, self.plan.rounding)

    @cached_property
    def sources(self) -> pl.DataFrame:
        """One row a source of the year: its place, and beside the weighted activity and heat those of its months added."""
        first = texts(self.rows[self.source_starts[:-1].tolist()])
        heads: pl.DataFrame = first.select(*SOURCE, "part", "sum", "electricity_basis", "number")
        of = np.repeat(np.arange(heads.height), np.diff(self.source_starts))
        monthly = self.rows.select(
            pl.Series("of", of),
            "emission_tco2",
            heat=pl.col("activity") * pl.col("ncv_gj"),
            gone=pl.col("emission_tco2").is_null(),
        )
        added = monthly.group_by("of", maintain_order=True).agg(
            pl.col("emission_tco2", "heat").sum(), pl.col("gone").any()
        )
        terms = self.figures.rows.terms
        burns = self.plan.forms[heads["number"].to_numpy()] == 0
        return heads.with_columns(
            activity=pl.Series(terms[:, 0]).fill_nan(None),
            factor=pl.Series(terms[:, 1]).fill_nan(None),
            heat=pl.Series(np.where(burns, terms[:, 0] * terms[:, 1], np.nan)).fill_nan(None).round(6),
            months_heat=pl.when(pl.Series(burns)).then(added["heat"].round(6)),
            months_tco2=pl.when(~added["gone"]).then(added["emission_tco2"]),
        )

    def listed(self, by: list[str], column: str, separator: str) -> pl.DataFrame:
        """What is missing or a draft, by account, each once."""
        return texts(listed(self.rows, by, column, separator))


def _filed(registry: Registry, months: pl.DataFrame, year: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Gaps (plant, line, missing) and, by plant and line, months filed and completeness: of a line that changed hands each answers for its own."""
    spans = [f"{year}-{m:02d}" for m in range(1, 13)]
    due = [(n.plant_id, n.line_id, month) for month in spans for n in in_month(registry, month).values()]
    frame = pl.DataFrame(due, {"plant_id": pl.String, "line_id": pl.String, "month": pl.String}, orient="row")
    own = ["plant_id", "line_id"]
    there = months.filter(pl.col("line_id").is_not_null()).select(*own, "month", there=pl.lit(True)).unique()
    latest = months.group_by("plant_id").agg(pl.col("month").max().alias("latest"))
    frame = frame.join(there, on=[*own, "month"], how="left").join(latest, on="plant_id")
    gaps = frame.filter(pl.col("there").is_null() & (pl.col("month") < pl.col("latest"))).sort("month")
    named = gaps.group_by(own).agg(pl.col("month").sort().str.join("; ").alias("gap"))
    filed = frame.group_by(own).agg(
        pl.col("there").sum().cast(pl.Int32).alias("months"), pl.col("there").is_not_null().all().alias("complete")
    )
    return named, filed
