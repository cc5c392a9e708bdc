"""Ragged groups of sorted source rows: sources of a year, units that are rounded once, accounts that are totalled.

Belongs here: where groups begin, and which units a total takes. Does not belong here: sums (`kernels/carbon_sums`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from contracts.carbon import SUMS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernels.carbon import Places
    from kernels.rounding import Bools

#: What an account is: the sources of one line, or of a plant as a whole, under one method.
ACCOUNT = ["plant_id", "level", "account_line", "method_id"]
UNIT = [*ACCOUNT, "unit"]
SOURCE = [*UNIT, "source"]
TOTAL = SUMS.index("total")


def coded(frame: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    """Text columns as codes whose order is that of the texts: sorting and grouping then compare numbers."""
    made = {c: pl.Enum(frame[c].unique().cast(pl.String).drop_nulls().sort()) for c in columns}
    return frame.with_columns(pl.col(c).cast(kind) for c, kind in made.items())


def texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Codes as text again."""
    return frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


def sorted_sources(frame: pl.DataFrame, *more: str) -> pl.DataFrame:
    """Rows by account, unit and source."""
    line = pl.when(pl.col("level") == "line").then("line_id").alias("account_line")
    return frame.with_columns(line).sort([*SOURCE, *more], nulls_last=True)


def starts(frame: pl.DataFrame, columns: list[str]) -> Places:
    """First rows of the groups of equal `columns`, and the number of rows: (G + 1,)."""
    if not frame.height:
        return np.zeros(1, np.int64)
    first = (
        frame.select(pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift(1)) for c in columns))
        .to_series()
        .to_numpy()
        .copy()
    )
    first[0] = True
    return np.append(np.flatnonzero(first), frame.height).astype(np.int64)


def within(outer: Places, inner: Places) -> Places:
    """Group starts counted in inner groups: outer[i] is where inner[result[i]] begins."""
    return np.searchsorted(inner, outer).astype(np.int64)


class Chosen(NamedTuple):
    """Units of each group, ragged."""

    members: Places
    starts: Places


def choose(group_starts: Places, take: Bools) -> Chosen:
    """Of the units group_starts[g] : group_starts[g + 1] those that `take` (U,) says."""
    index = np.flatnonzero(take).astype(np.int64)
    return Chosen(index, np.searchsorted(index, group_starts).astype(np.int64))


def listed(frame: pl.DataFrame, by: list[str], column: str, separator: str) -> pl.DataFrame:
    """Distinct parts of a text column over groups, sorted and joined; only groups that have any."""
    some = frame.filter(pl.col(column).is_not_null()).select(*by, column).unique()
    parts = some.with_columns(pl.col(column).cast(pl.String).str.split(separator)).explode(column)
    return parts.group_by(by).agg(pl.col(column).unique().sort().str.join(separator))
