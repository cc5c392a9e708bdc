"""What would change in a table: two editions of a partition compared row by row, summed up for a person.

Belongs here: counts, sums and the largest movements. Does not belong here: making the editions (`pipelines/plan.py`) and the record of
what did move (`resources/release_restate.py`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.sealing import BOOKKEEPING
from contracts import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts import Table
    from resources.lake import Lake

#: Figures that a table is known by, the first that it has; else its first figure that is no part of the key.
_MAIN = (
    "total_tco2",
    "emission_tco2",
    "mass_t",
    "share_pct",
    "judged_mg_m3",
    "activity",
    "output_t",
    "consumption",
    "consumption_t",
)
#: Parts of a key whose values are alternatives: their figures are never added up.
_WAYS = ("method_id", "aggregation", "electricity_basis", "policy", "pollutant", "scope", "variant", "source", "fuel")
_OWNERS = ("plant_id", "line_id", "outlet_id")
_LARGEST = 5
_NEW, _OLD_HERE, _NEW_HERE = "\0new", "\0old_here", "\0new_here"


@dataclass(frozen=True, slots=True)
class Sum:
    """The main figure over all rows of one way to reckon: before and after."""

    way: str
    old: float
    new: float


@dataclass(frozen=True, slots=True)
class Expected:
    """What would change in one table over some keys. `owners` counts plants, lines and outlets whose rows change."""

    table: str
    keys: int
    rows: int
    added: int
    changed: int
    withdrawn: int
    owners: dict[str, int]
    figure: str
    unit: str
    sums: tuple[Sum, ...]
    largest: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def expected(table: str, keys: Iterable[str], now: Lake, planned: Lake) -> Expected | None:
    """Compare editions of `keys` in two lakes; None where all have the same bytes."""
    moved = [k for k in keys if now.version(table, k) != planned.version(table, k)]
    if not moved:
        return None
    contract = TABLES[table]
    old, new = (_rows(lake, contract, moved) for lake in (now, planned))
    key = list(contract.key)
    both = old.with_columns(pl.lit(1).alias(_OLD_HERE)).join(
        new.with_columns(pl.lit(1).alias(_NEW_HERE)), on=key, how="full", suffix=_NEW, coalesce=True, nulls_equal=True
    )
    here, there = pl.col(_OLD_HERE).is_not_null(), pl.col(_NEW_HERE).is_not_null()
    values = [n for n in contract.names if n not in key and n not in BOOKKEEPING]
    differs = pl.any_horizontal(pl.lit(False), *(pl.col(n).ne_missing(pl.col(n + _NEW)) for n in values))
    hit = both.filter(~here | ~there | differs)
    counts = hit.select(
        (~here).sum().alias("added"), (~there).sum().alias("withdrawn"), (here & there).sum().alias("changed")
    ).row(0, named=True)
    figure = _main(contract, hit)
    owners = {n: hit.select(_either(n, key).n_unique()).item() for n in _OWNERS if n in contract.names}
    return Expected(
        table, len(moved), both.height, counts["added"], counts["changed"], counts["withdrawn"], owners,
        figure, contract[figure].unit if figure else "", _sums(contract, figure, old, new), _largest(contract, figure, hit),
    )  # fmt: skip


def _rows(lake: Lake, contract: Table, keys: list[str]) -> pl.DataFrame:
    parts = [t for k in keys if (t := lake.read(contract.name, k)) is not None] or [contract.empty()]
    frames = [
        pl.DataFrame(pl.from_arrow(t)).with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String)) for t in parts
    ]
    return pl.concat(frames)


def _either(name: str, key: list[str]) -> pl.Expr:
    return pl.col(name) if name in key else pl.coalesce(name, name + _NEW)


def _main(contract: Table, hit: pl.DataFrame) -> str:
    figures = [c.name for c in contract.columns if c.name not in contract.key and hit.schema[c.name].is_float()]
    return next((n for n in _MAIN if n in figures), figures[0] if figures else "")


def _sums(contract: Table, figure: str, old: pl.DataFrame, new: pl.DataFrame) -> tuple[Sum, ...]:
    if not figure:
        return ()
    ways = [n for n in _WAYS if n in contract.key]
    name = pl.concat_str([pl.col(w) for w in ways], separator=" ") if ways else pl.lit("")
    before, after = (f.group_by(name.alias("way")).agg(pl.col(figure).sum()) for f in (old, new))
    both = (
        before.join(after, on="way", how="full", suffix=_NEW, coalesce=True, nulls_equal=True)
        .fill_null(0.0)
        .sort("way")
    )
    return tuple(Sum(w or "", a, b) for w, a, b in both.select("way", figure, figure + _NEW).iter_rows())


def _largest(contract: Table, figure: str, hit: pl.DataFrame) -> tuple[dict[str, Any], ...]:
    if not figure:
        return ()
    delta = pl.col(figure + _NEW).fill_null(0.0) - pl.col(figure).fill_null(0.0)
    rows = (
        hit.with_columns(delta.alias("delta"))
        .filter(pl.col("delta") != 0)
        .sort(pl.col("delta").abs(), *contract.key, descending=[True, *[False] * len(contract.key)])
    )
    shown = rows.head(_LARGEST).select(
        *contract.key, pl.col(figure).alias("old"), pl.col(figure + _NEW).alias("new"), "delta"
    )
    return tuple(
        {n: v if isinstance(v, (float, int)) or v is None else str(v) for n, v in row.items()}
        for row in shown.iter_rows(named=True)
    )
