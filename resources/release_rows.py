"""Which causes a single row of carbon cannot have: a factor where its own did not move, a ledger where its plant's did not.

Belongs here: what rows of two releases tell of their own causes. Does not belong here: causes of a partition and the `restatements`
table (`release_restate`), the comparison of figures (`release_changes`).

A partition holds all plants, so that a ledger of one and a factor of another are both among its grounds. A row of carbon names the
factors, method and editions that its figure used; ledgers name their plant or line.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from contracts import TABLES
from resources.release_changes import Movement, movements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from resources.release_changes import Change

    Opener = Callable[[], BinaryIO]
    Side = Callable[[str], Opener]

FACTOR, LEDGER = "factor", "ledger"
_SET = "factor_set"
#: Columns that move where the factors, the method or the choice of editions behind a row do.
_NAMES = (_SET, "method_version", "factor_policy")
_LINE_YEAR, _ALLOCATION, _MONTHS = "carbon_line_year", "allocation_year", "carbon_line_month"
_LEDGERS = "ledger_"
#: Tables that rest on the years of lines and name no factors; rows of whole plants among them tell nothing.
_OF_LINES = (_ALLOCATION, "carbon_uncertainty")


class RowCauses:
    """What the rows of changed partitions tell; `old` and `new` give an opener of a file of each release by its path."""

    def __init__(self, changes: Iterable[Change], old: Side, new: Side) -> None:
        self._changes = list(changes)
        self._sides = old, new
        self._touched = cache(self._plants_touched)

    def impossible(self, change: Change, movement: Movement) -> Iterator[tuple[frozenset[str], Movement]]:
        """The movement in pieces, each with the kinds of causes that none of its rows can have."""
        contract = TABLES[change.table]
        if (
            (_SET not in contract.names and change.table not in _OF_LINES)
            or not {FACTOR, LEDGER} & change.kinds
            or len(change.kinds) == 1
        ):
            # With one kind alone there is nothing to tell apart.
            yield frozenset(), movement
            return
        told = self._no_factor(change, movement.values), self._no_ledger(change)
        rows = movement.values.with_columns(no_factor=told[0], no_ledger=told[1])
        # What is no longer there tells nothing of its factors.
        gone = movement.withdrawn.with_columns(no_factor=pl.lit(value=False), no_ledger=told[1])
        for no_factor in (False, True):
            for no_ledger in (False, True):
                same = (pl.col("no_factor") == no_factor) & (pl.col("no_ledger") == no_ledger)
                values, withdrawn = (f.filter(same).drop("no_factor", "no_ledger") for f in (rows, gone))
                kinds = [k for k, none in ((FACTOR, no_factor), (LEDGER, no_ledger)) if none]
                if values.height or withdrawn.height:
                    yield frozenset(kinds), Movement(values, withdrawn, 0)

    def _no_factor(self, change: Change, values: pl.DataFrame) -> pl.Expr:
        """Rows whose factors, method and editions stand; allowances and intervals have those of their line's year."""
        if change.table in _OF_LINES:
            others = [c for c in self._changes if c.table == _LINE_YEAR]
            if not all(self._both_tell(c, _NAMES) for c in others):
                return pl.lit(value=False)
            moved = {line for c in others for frame in self._movements(c) for line in _lines_of(frame)}
            return (~_part("line_id").is_in(list(moved))).fill_null(value=False)
        if not self._both_tell(change, _NAMES):
            return pl.lit(value=False)
        moved_keys = values.filter(pl.col("column").is_in(_NAMES))["key"]
        return ~pl.col("key").is_in(moved_keys.implode())

    def _movements(self, change: Change) -> Iterator[pl.DataFrame]:
        for movement in movements(TABLES[change.table], *self._openers(change)):
            yield movement.values.filter(pl.col("column").is_in(_NAMES))

    def _no_ledger(self, change: Change) -> pl.Expr:
        """Rows of plants whose ledgers of the time stand; allowances look at earlier years too."""
        plants, owners = self._touched("" if change.table == _ALLOCATION else change.partition)
        if plants is None:
            return pl.lit(value=False)
        plant = pl.coalesce(
            _part("plant_id"), _part("line_id").replace_strict(owners, default=None, return_dtype=pl.String)
        )
        return (~plant.is_in(list(plants))).fill_null(value=False)

    def _plants_touched(self, time: str) -> tuple[set[str] | None, dict[str, str]]:
        """Plants with other rows in some ledger of `time` (a prefix of its months), None where one cannot be told; owners of lines."""
        owners: dict[str, str] = {}
        for change in (c for c in self._changes if c.table in (_MONTHS, _LINE_YEAR)):
            for rows in self._rows(change, ["plant_id", "line_id"]):
                owners |= {line: plant for plant, line in rows.unique().iter_rows() if line}
        plants: set[str] = set()
        for change in (c for c in self._changes if c.table.startswith(_LEDGERS)):
            if change.partition.startswith(time) or not change.partition[:1].isdigit():
                before, after = self._rows(change, list(TABLES[change.table].names))
                shared = [n for n in after.columns if n in before.columns]
                before, after = before.select(shared), after.select(shared)
                for one, other in ((before, after), (after, before)):
                    others = one.join(other, on=shared, how="anti", nulls_equal=True)
                    owner = "plant_id" if "plant_id" in shared else "line_id"
                    found = others[owner].unique().to_list()
                    plants |= {str(owners.get(n, "") if owner == "line_id" else n) for n in found}
        # A ledger of a line that no row of carbon owns: whose it was nobody can tell here.
        return (None if "" in plants else plants), owners

    def _openers(self, change: Change) -> tuple[list[Opener], list[Opener]]:
        return [self._sides[0](f.path) for f in change.before], [self._sides[1](f.path) for f in change.after]

    def _both_tell(self, change: Change, names: Iterable[str]) -> bool:
        """Whether every file of both sides has those of the columns that its contract has."""
        needed = {n for n in names if n in TABLES[change.table].names}
        for opener in (o for side in self._openers(change) for o in side):
            with opener() as stream:
                if not needed <= {*pq.read_schema(stream).names}:
                    return False
        return True

    def _rows(self, change: Change, columns: list[str]) -> list[pl.DataFrame]:
        """Rows of both sides, labels as text; a column that a file lacks is left out."""
        empty = TABLES[change.table].empty().select(columns)
        made = []
        for side in self._openers(change):
            tables = []
            for opener in side:
                with opener() as stream:
                    file = pq.ParquetFile(stream)
                    tables.append(file.read([n for n in columns if n in file.schema_arrow.names]))
            frame = pl.DataFrame(
                pl.from_arrow(pa.concat_tables(tables or [empty], promote_options="default").unify_dictionaries())
            )
            made.append(frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String)))
        return made


def _part(name: str) -> pl.Expr:
    """One value of a key in text; null where the key has no such part or it is empty."""
    found = pl.col("key").str.extract(rf"(?:^|;){name}=([^;]*)")
    return pl.when(found != "").then(found)


def _lines_of(values: pl.DataFrame) -> list[str]:
    return values.select(_part("line_id").alias("line"))["line"].unique().to_list()
