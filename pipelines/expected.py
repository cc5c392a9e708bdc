"""What would change in a table: two editions of a partition compared row by row, summed up for a person.

Belongs here: counts, sums and the largest movements. Does not belong here: making the editions (`pipelines/plan.py`) and the record of
what did move (`resources/release_restate.py`).

One partition after the other is compared, and of it those columns alone whose bytes differ: memory does not grow with their number.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from math import fsum
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from assets.sealing import BOOKKEEPING
from contracts import TABLES
from resources.column_chunks import apart

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
#: What a finding says, its place and texts among it.
_SAID = ("period", "source_file", "source_cell", "text_zh", "text_en")
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
    the figure does not add up over rows, `largest` are those of each method; `named` are findings that come (+) and go (-).
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
    tally = _Tally(TABLES[table])
    for key in moved:
        tally.add(key, *_both(tally.contract, tally.figure, key, now, planned))
    figure = tally.figure
    return Expected(
        table, len(moved), tally.rows, tally.added, tally.changed, tally.withdrawn,
        {n: len(some) for n, seen in tally.owners.items() if (some := seen - {None, ""})}, figure, tally.contract[figure].unit if figure else "",
        tuple(Sum(*w, *(fsum(side) for side in tally.sums[w])) for w in sorted(tally.sums)), tally.largest(), tuple(sorted(tally.named)),
    )  # fmt: skip


def _both(contract: Table, figure: str, key: str, now: Lake, planned: Lake) -> tuple[pl.DataFrame, list[str]]:
    """Rows of both editions of a partition side by side, and the columns to compare: of rows that stand at the same places in both,
    only what differs, the figure and the key; else all.
    """
    values = [n for n in contract.names if n not in contract.key and n not in BOOKKEEPING]
    differ = _apart(contract, key, now, planned)
    if differ is None:
        return _joined(contract, values, _rows(now, contract, key), _rows(planned, contract, key))
    values = [n for n in values if n in differ]
    twice = [*values, *([figure] if figure and figure not in values else [])]
    once = [n for n in contract.names if n in (*contract.key, *_OWNERS) and n not in twice]
    old, new = _rows(now, contract, key, twice), _rows(planned, contract, key, [*once, *twice])
    # A figure that an older file does not have is read as none.
    was = [old[n] if n in old.columns else pl.lit(None, new.schema[n]).alias(n) for n in twice]
    here = pl.lit(1).alias(_OLD_HERE), pl.lit(1).alias(_NEW_HERE)
    return new.rename({n: n + _NEW for n in twice}).with_columns(*was, *here), values


def _apart(contract: Table, key: str, now: Lake, planned: Lake) -> set[str] | None:
    parts = [(lake, p) for lake in (now, planned) if (p := lake.partition(contract.name, key))]
    with ExitStack() as stack:
        editions = [[stack.enter_context(lake.storage.open(f.path)) for f in p.parts] for lake, p in parts]
        return apart(editions[0], editions[1], contract.key) if len(editions) == 2 else None


def _joined(contract: Table, values: list[str], old: pl.DataFrame, new: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    shared = {*old.columns} & {*new.columns}
    # A column that an older file does not have has not changed in it.
    empty = pl.DataFrame(pl.from_arrow(contract.empty()))
    old, new = (pl.concat([empty, f], how="diagonal").select(contract.names) for f in (old, new))
    both = old.with_columns(pl.lit(1).alias(_OLD_HERE)).join(
        new.with_columns(pl.lit(1).alias(_NEW_HERE)),
        on=list(contract.key),
        how="full",
        suffix=_NEW,
        coalesce=True,
        nulls_equal=True,
    )
    return both, [n for n in values if n in shared]


def _rows(lake: Lake, contract: Table, key: str, columns: list[str] | None = None) -> pl.DataFrame:
    table = lake.read(contract.name, key, columns)
    return pl.DataFrame(pl.from_arrow(contract.empty() if table is None else table))


@dataclass
class _Tally:
    """What the partitions of a table that were compared come to."""

    contract: Table
    rows: int = 0
    added: int = 0
    changed: int = 0
    withdrawn: int = 0
    owners: dict[str, set[str | None]] = field(default_factory=dict)
    #: Sums of the figure by year, method and way, a pair a partition; none of a figure that does not add up.
    sums: defaultdict[tuple[str, str, str], tuple[list[float], list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: ([], []))
    )
    named: list[str] = field(default_factory=list)
    _largest: list[pl.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.owners = {n: set() for n in _OWNERS if n in self.contract.names}
        self.figure = _main(self.contract)

    def add(self, key: str, both: pl.DataFrame, values: list[str]) -> None:
        """Count the rows of the partition `key`, of which `values` are compared."""
        here, there = pl.col(_OLD_HERE).is_not_null(), pl.col(_NEW_HERE).is_not_null()
        differs = pl.any_horizontal(pl.lit(False), *(pl.col(n).ne_missing(pl.col(n + _NEW)) for n in values))
        hit = both.filter(~here | ~there | differs)
        counts = hit.select((~here).sum().alias("a"), (~there).sum().alias("w"), (here & there).sum().alias("c")).row(0)
        self.rows += both.height
        self.added, self.withdrawn, self.changed = (
            n + m for n, m in zip((self.added, self.withdrawn, self.changed), counts, strict=True)
        )
        for name, seen in self.owners.items():
            seen |= set(hit.select(_either(name, self.contract, both).cast(pl.String).unique()).to_series())
        if self.figure and self.contract[self.figure].additive:
            self._add_sums(key[:4] if self.contract.partition != "none" else "", both)
        if self.figure:
            self._add_largest(hit)
        if _CHECK in self.contract.names:
            self.named += [*_named(hit.filter(~there), "-", ""), *_named(hit.filter(~here), "+", _NEW)]

    def _add_sums(self, year: str, both: pl.DataFrame) -> None:
        ways = [n for n in (_METHOD, *_WAYS) if n in self.contract.key]
        sides = [pl.col(self.figure), pl.col(self.figure + _NEW)]
        sums = (both.group_by(ways) if ways else both.group_by(pl.lit(0).alias("_"))).agg(s.sum() for s in sides)
        for *way, old, new in sums.select(*(pl.col(w).cast(pl.String) for w in ways), *sides).iter_rows():
            method = way.pop(0) if _METHOD in ways else ""
            pair = self.sums[year, method or "", " ".join(filter(None, way))]
            pair[0].append(old)
            pair[1].append(new)

    def _add_largest(self, hit: pl.DataFrame) -> None:
        delta = pl.col(self.figure + _NEW).fill_null(0.0) - pl.col(self.figure).fill_null(0.0)
        rows = hit.with_columns(delta.alias("delta")).filter(pl.col("delta") != 0)
        if rows.height > _LARGEST:
            least = pl.col("delta").abs().top_k(_LARGEST).min()
            of_each = least.over(_METHOD) if _METHOD in self.contract.key else least
            rows = rows.filter(pl.col("delta").abs() >= of_each)
        shown = rows.select(
            *self.contract.key, pl.col(self.figure).alias("old"), pl.col(self.figure + _NEW).alias("new"), "delta"
        )
        self._largest.append(self._first(shown.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))))

    def _first(self, rows: pl.DataFrame) -> pl.DataFrame:
        key = self.contract.key
        ordered = rows.sort(pl.col("delta").abs(), *key, descending=[True, *[False] * len(key)])
        if _METHOD not in key:
            return ordered.head(_LARGEST)
        # Of each method: who asks for one of them is not told of others.
        return ordered.filter(pl.int_range(pl.len()).over(_METHOD) < _LARGEST)

    def largest(self) -> tuple[dict[str, Any], ...]:
        """The rows whose figure moves most, of each method."""
        if not self._largest:
            return ()
        return tuple(
            {n: v if isinstance(v, (float, int)) or v is None else str(v) for n, v in row.items()}
            for row in self._first(pl.concat(self._largest)).iter_rows(named=True)
        )


def _either(name: str, contract: Table, both: pl.DataFrame) -> pl.Expr:
    if name in contract.key or name + _NEW not in both.columns:
        return pl.col(name) if name in both.columns else pl.lit(None, pl.String)
    return pl.coalesce(pl.col(name).cast(pl.String), pl.col(name + _NEW).cast(pl.String))


def _named(rows: pl.DataFrame, sign: str, suffix: str) -> list[str]:
    """Findings by what they say: their ids say nothing to anybody."""
    found = []
    for row in rows.iter_rows(named=True):
        said = {n: str(row[n + suffix] or "") for n in (_CHECK, *_OWNERS, *_SAID) if n + suffix in row}
        where = ":".join(filter(None, (said.pop("source_file", ""), said.pop("source_cell", ""))))
        texts = " / ".join(filter(None, (said.pop("text_zh", ""), said.pop("text_en", ""))))
        found.append(f"{sign} {' '.join(filter(None, (*said.values(), where)))}: {texts}")
    return found


def _main(contract: Table) -> str:
    if _CHECK in contract.names:
        return ""
    figures = [c.name for c in contract.columns if c.name not in contract.key and pa.types.is_floating(c.type)]
    return next((n for n in _MAIN if n in figures), figures[0] if figures else "")
