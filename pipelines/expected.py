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

#: Figures that a table is known by, the first that it has; else its first figure that is no part of the key. Findings have none.
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
_WAYS = ("aggregation", "electricity_basis", "policy", "pollutant", "scope", "variant", "source", "fuel", "material")
_METHOD, _CHECK = "method_id", "check_id"
_OWNERS = ("plant_id", "line_id", "outlet_id")
_LARGEST = 5
_NEW, _OLD_HERE, _NEW_HERE = "\0new", "\0old_here", "\0new_here"


@dataclass(frozen=True, slots=True)
class Sum:
    """The main figure over all rows of one year, method and way to reckon: before and after."""

    year: str
    method: str
    way: str
    old: float
    new: float


@dataclass(frozen=True, slots=True)
class Expected:
    """What would change in one table over some keys. `owners` counts plants, lines and outlets whose rows change; `sums` is empty where
    the figure does not add up over rows; `named` are findings that come (+) and go (-), which no figure stands for.
    """

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
    named: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def expected(table: str, keys: Iterable[str], now: Lake, planned: Lake) -> Expected | None:
    """Compare editions of `keys` in two lakes; None where all have the same bytes."""
    moved = [k for k in keys if now.version(table, k) != planned.version(table, k)]
    if not moved:
        return None
    contract = TABLES[table]
    (old, shared), (new, made) = (_rows(lake, contract, moved) for lake in (now, planned))
    key = list(contract.key)
    both = old.with_columns(pl.lit(1).alias(_OLD_HERE)).join(
        new.with_columns(pl.lit(1).alias(_NEW_HERE)), on=key, how="full", suffix=_NEW, coalesce=True, nulls_equal=True
    )
    here, there = pl.col(_OLD_HERE).is_not_null(), pl.col(_NEW_HERE).is_not_null()
    # A column that an older file does not have has not changed in it.
    values = [n for n in contract.names if n in shared & made and n not in key and n not in BOOKKEEPING]
    differs = pl.any_horizontal(pl.lit(False), *(pl.col(n).ne_missing(pl.col(n + _NEW)) for n in values))
    hit = both.filter(~here | ~there | differs)
    counts = hit.select(
        (~here).sum().alias("added"), (~there).sum().alias("withdrawn"), (here & there).sum().alias("changed")
    ).row(0, named=True)
    figure = _main(contract, hit)
    whose = {
        n: hit.select(_either(n, key).drop_nulls().replace("", None).drop_nulls().n_unique()).item()
        for n in _OWNERS
        if n in contract.names
    }
    owners = {n: count for n, count in whose.items() if count}
    return Expected(
        table, len(moved), both.height, counts["added"], counts["changed"], counts["withdrawn"], owners,
        figure, contract[figure].unit if figure else "", _sums(contract, figure, old, new), _largest(contract, figure, hit), _named(contract, hit),
    )  # fmt: skip


def _rows(lake: Lake, contract: Table, keys: list[str]) -> tuple[pl.DataFrame, set[str]]:
    """Rows of some keys with the columns of today, and the columns that all their files have."""
    parts = [t for k in keys if (t := lake.read(contract.name, k)) is not None]
    frames = [
        pl.DataFrame(pl.from_arrow(t)).with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
        for t in (contract.empty(), *parts)
    ]
    return pl.concat(frames, how="diagonal").select(contract.names), set.intersection(*({*f.columns} for f in frames))


def _either(name: str, key: list[str]) -> pl.Expr:
    return pl.col(name) if name in key else pl.coalesce(name, name + _NEW)


def _main(contract: Table, hit: pl.DataFrame) -> str:
    if _CHECK in contract.names:
        return ""
    figures = [c.name for c in contract.columns if c.name not in contract.key and hit.schema[c.name].is_float()]
    return next((n for n in _MAIN if n in figures), figures[0] if figures else "")


def _sums(contract: Table, figure: str, old: pl.DataFrame, new: pl.DataFrame) -> tuple[Sum, ...]:
    if not figure or not contract[figure].additive:
        return ()
    ways = [pl.col(n).fill_null("") for n in _WAYS if n in contract.key]
    told = (
        _year(contract).alias("year"),
        (pl.col(_METHOD) if _METHOD in contract.key else pl.lit("")).alias("method"),
        (pl.concat_str(ways, separator=" ") if ways else pl.lit("")).alias("way"),
    )
    by = ["year", "method", "way"]
    before, after = (f.group_by(*told).agg(pl.col(figure).sum().alias("sum")) for f in (old, new))
    both = before.join(after, on=by, how="full", suffix=_NEW, coalesce=True, nulls_equal=True)
    sums = both.with_columns(pl.col("sum", "sum" + _NEW).fill_null(0.0)).sort(by)
    return tuple(Sum(*row) for row in sums.select(*by, "sum", "sum" + _NEW).iter_rows())


def _year(contract: Table) -> pl.Expr:
    """The year of a row; "" where the key tells none."""
    of = next((n for n in ("year", "quarter", "month", "day", "hour") if n in contract.key), "")
    return pl.col(of).cast(pl.String).str.head(4) if of else pl.lit("")


def _named(contract: Table, hit: pl.DataFrame) -> tuple[str, ...]:
    """Findings by what they say: their ids say nothing to anybody."""
    if _CHECK not in contract.names:
        return ()
    found = []
    for row in hit.sort(pl.coalesce(_CHECK, _CHECK + _NEW), *contract.key).iter_rows(named=True):
        gone = row[_NEW_HERE] is None
        said = {n: row[n if gone else n + _NEW] for n in contract.names if n not in contract.key}
        where = ":".join(str(said[n]) for n in ("source_file", "source_cell") if said.get(n))
        # The one text that a table of findings has in both languages.
        texts = " / ".join(str(said[n]) for n in ("text_zh", "text_en") if said.get(n))
        told = [said[_CHECK], *(said[n] for n in (*_OWNERS, "period") if said.get(n)), where]
        found.append(f"{'-' if gone else '+'} {' '.join(filter(None, told))}: {texts}")
    return tuple(found)


def _largest(contract: Table, figure: str, hit: pl.DataFrame) -> tuple[dict[str, Any], ...]:
    if not figure:
        return ()
    delta = pl.col(figure + _NEW).fill_null(0.0) - pl.col(figure).fill_null(0.0)
    rows = (
        hit.with_columns(delta.alias("delta"))
        .filter(pl.col("delta") != 0)
        .sort(pl.col("delta").abs(), *contract.key, descending=[True, *[False] * len(contract.key)])
    )
    # Of each method the largest: who asks for one of them is not told of others.
    first = (
        rows.group_by(_METHOD, maintain_order=True).head(_LARGEST) if _METHOD in contract.key else rows.head(_LARGEST)
    )
    shown = first.select(*contract.key, pl.col(figure).alias("old"), pl.col(figure + _NEW).alias("new"), "delta")
    return tuple(
        {n: v if isinstance(v, (float, int)) or v is None else str(v) for n, v in row.items()}
        for row in shown.iter_rows(named=True)
    )
