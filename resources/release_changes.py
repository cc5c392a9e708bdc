"""Which figures differ between two editions of one Parquet file, and between two releases.

Belongs here: the comparison by key, streamed through both files, and the summary of two releases. Does not belong
here: why something moved and the `restatements` table (`release_restate`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from contracts import TABLES
from resources.release_records import TABLE, folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts import Table
    from resources.release_records import FileRecord, Manifest
    from resources.storage import Storage

Opener: TypeAlias = Callable[[], BinaryIO]
_BATCH_ROWS = 1 << 16
_NEW = "\0new"


@dataclass(frozen=True, slots=True)
class Movement:
    """Part of a comparison. `values`: key (text), column, old, new (text), delta; `withdrawn`: key; `added`: rows."""

    values: pl.DataFrame
    withdrawn: pl.DataFrame
    added: int


def movements(table: Table, old: Opener | None, new: Opener | None) -> Iterator[Movement]:
    """Compare two editions of a file of `table` by its key; None stands for an edition that does not exist.

    Memory does not grow with files that are sorted as their contract says. Columns that only one edition has are no
    movement.
    """
    with ExitStack() as stack:
        editions = [pq.ParquetFile(stack.enter_context(opener())) if opener else None for opener in (old, new)]
        present = [edition for edition in editions if edition is not None]
        known = set.intersection(*({*edition.schema_arrow.names} for edition in present))
        shared = [n for n in table.names if n in known]
        key = [n for n in table.key if n in shared]
        if len(present) == 1 or len(key) < len(table.key):
            # No rows to compare with; or the grain itself has changed, and no row of the one is a row of the other.
            yield from _unmatched(table, *editions)
            return
        lead = _lead(table, present)
        if lead is None:
            pairs = iter([(_frame(present[0].read(shared), shared), _frame(present[1].read(shared), shared))])
        else:
            pairs = _aligned(_Side(present[0], shared, lead), _Side(present[1], shared, lead))
        for before, after in pairs:
            if not before.equals(after):
                yield _compared(key, before, after)


def _unmatched(table: Table, old: pq.ParquetFile | None, new: pq.ParquetFile | None) -> Iterator[Movement]:
    if old is not None:
        key = [n for n in table.key if n in old.schema_arrow.names]
        for frame in _batches(old, key):
            yield Movement(_NO_VALUES, frame.select(_key_text(key)), 0)
    if new is not None:
        yield Movement(_NO_VALUES, _NO_KEYS, new.metadata.num_rows)


def _lead(table: Table, editions: list[pq.ParquetFile]) -> str | None:
    """The column that both files can be walked along; None where one is small or in no order: then compared whole."""
    if any(edition.metadata.num_rows <= _BATCH_ROWS for edition in editions) or table.order[0] not in table.key:
        return None
    return table.order[0] if all(_sorted(edition, table.order[0]) for edition in editions) else None


def _sorted(edition: pq.ParquetFile, column: str) -> bool:
    last = None
    for frame in _batches(edition, [column]):
        values = frame.get_column(column)
        if not values.is_sorted() or values.null_count() or (last is not None and values.item(0) < last):
            return False
        last = values.item(-1)
    return True


class _Side:
    """One edition, read batch by batch along `lead`; `rows` holds what has been read and not yet compared."""

    def __init__(self, edition: pq.ParquetFile, columns: list[str], lead: str) -> None:
        self._lead = lead
        self._batches = _batches(edition, columns)
        self.rows = next(self._batches)
        self.done = False

    @property
    def last(self) -> Any:  # noqa: ANN401  (whatever the column holds)
        """The highest value of the leading column that has been read."""
        return self.rows.item(-1, self._lead)

    def read(self) -> None:
        """Read one more batch."""
        frame = next(self._batches, None)
        if frame is None:
            self.done = True
        else:
            self.rows = pl.concat([self.rows, frame])

    def take(self, limit: Any) -> pl.DataFrame:  # noqa: ANN401
        """Remove and return the rows below `limit`; all rows for None."""
        height = self.rows.height
        if limit is not None and height:
            height = int(self.rows.get_column(self._lead).search_sorted(limit, "left"))  # type: ignore[arg-type]
        taken, self.rows = self.rows.head(height), self.rows.slice(height)
        return taken


def _batches(edition: pq.ParquetFile, columns: list[str]) -> Iterator[pl.DataFrame]:
    for batch in edition.iter_batches(_BATCH_ROWS, columns=columns):
        yield _frame(pa.table(batch), columns)


def _frame(table: pa.Table, columns: list[str]) -> pl.DataFrame:
    """Labels become plain text: their dictionaries differ from batch to batch and from file to file."""
    texts = [c.cast(c.type.value_type) if pa.types.is_dictionary(c.type) else c for c in table.columns]
    return pl.DataFrame(pl.from_arrow(pa.table(texts, names=table.column_names))).select(columns)


def _aligned(before: _Side, after: _Side) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Pairs of slices that hold the same range of the leading column, until both sides are through."""
    while True:
        limit = min((side.last for side in (before, after) if not side.done), default=None)
        yield before.take(limit), after.take(limit)
        if limit is None:
            return
        for side in (before, after):
            # Only the side that holds the other up reads on, so neither buffer outgrows the other.
            if not side.done and side.last == limit:
                side.read()


def _compared(key: list[str], before: pl.DataFrame, after: pl.DataFrame) -> Movement:
    both = before.join(after, on=key, how="inner", suffix=_NEW, maintain_order="left", nulls_equal=True)
    gone = before.clear()
    if both.height < before.height:
        gone = before.join(after, on=key, how="anti", maintain_order="left", nulls_equal=True)
    schema = both.schema
    # One pass over all columns first: most of them never move, and each further query costs a millisecond a file.
    columns = [c for c in before.columns if c not in key]
    hits = both.select(_differs(schema, c).any().alias(c) for c in columns)
    moved = [_moved(key, both, schema, c) for c in columns if hits.item(0, c)]
    return Movement(pl.concat([_NO_VALUES, *moved]), gone.select(_key_text(key)), after.height - both.height)


def _differs(schema: pl.Schema, column: str) -> pl.Expr:
    old, new = pl.col(column), pl.col(column + _NEW)
    if schema[column] != schema[column + _NEW]:
        old, new = _text(schema, column), _text(schema, column + _NEW)
    return old.ne_missing(new)


def _moved(key: list[str], both: pl.DataFrame, schema: pl.Schema, column: str) -> pl.DataFrame:
    numbers = schema[column].is_numeric() and schema[column + _NEW].is_numeric()
    delta = pl.col(column + _NEW).cast(pl.Float64) - pl.col(column).cast(pl.Float64)
    return both.filter(_differs(schema, column)).select(
        _key_text(key),
        pl.lit(column).alias("column"),
        _text(schema, column).alias("old"),
        _text(schema, column + _NEW).alias("new"),
        (delta if numbers else pl.lit(None, pl.Float64)).alias("delta"),
    )


def _text(schema: pl.Schema, column: str) -> pl.Expr:
    if schema[column] == pl.Binary:
        return pl.col(column).bin.encode("hex")
    return pl.col(column).cast(pl.String)


def _key_text(key: list[str]) -> pl.Expr:
    parts = [pl.concat_str(pl.lit(f"{name}="), pl.col(name).cast(pl.String).fill_null("")) for name in key]
    return pl.concat_str(parts, separator=";").alias("key")


_NO_KEYS = pl.DataFrame(schema={"key": pl.String})
_NO_VALUES = pl.DataFrame(
    schema={"key": pl.String, "column": pl.String, "old": pl.String, "new": pl.String, "delta": pl.Float64}
)


@dataclass(slots=True)
class ColumnChange:
    """How one column moved: changed values, and the change that is largest in size with the row where it stands."""

    changed: int = 0
    largest: float | None = None
    largest_key: str | None = None


@dataclass(slots=True)
class TableChange:
    """How one table moved: paths of files, rows of the whole table, rows and values inside changed files."""

    table: str
    files_added: list[str] = field(default_factory=list)
    files_removed: list[str] = field(default_factory=list)
    files_changed: list[str] = field(default_factory=list)
    rows_before: int = 0
    rows_after: int = 0
    rows_added: int = 0
    rows_removed: int = 0
    columns: dict[str, ColumnChange] = field(default_factory=dict)

    def note(self, movement: Movement) -> None:
        """Count one part of a comparison in."""
        self.rows_added += movement.added
        self.rows_removed += movement.withdrawn.height
        for (name,), rows in movement.values.group_by(["column"], maintain_order=True):
            change = self.columns.setdefault(str(name), ColumnChange())
            change.changed += rows.height
            sizes = rows.get_column("delta").abs().fill_nan(None)
            at = sizes.arg_max()
            if at is not None and (change.largest is None or sizes[at] > abs(change.largest)):
                change.largest, change.largest_key = rows.item(at, "delta"), rows.item(at, "key")


@dataclass(frozen=True, slots=True)
class ReleaseDiff:
    """What differs between release `a` and release `b`; tables without a difference are left out."""

    a: str
    b: str
    tables: list[TableChange]


def compare_releases(published: Storage, a: Manifest, b: Manifest) -> ReleaseDiff:
    """Read the files whose bytes differ, and no other."""
    sides = [{f.path: f for f in m.files if f.role == TABLE} for m in (a, b)]
    changes: dict[str, TableChange] = {}
    for path in sorted({*sides[0], *sides[1]}):
        before, after = sides[0].get(path), sides[1].get(path)
        name = (before or sides[1][path]).table
        change = changes.setdefault(name, TableChange(name))
        change.rows_before += (before.rows or 0) if before else 0
        change.rows_after += (after.rows or 0) if after else 0
        _file_change(change, path, before, after)
        contract = TABLES.get(name)
        if before and after and before.sha256 != after.sha256 and contract and contract.key:
            openers = [opener(published, f"{folder(m.release_id)}/{path}") for m in (a, b)]
            for movement in movements(contract, *openers):
                change.note(movement)
    found = [c for c in changes.values() if c.files_added or c.files_removed or c.files_changed]
    return ReleaseDiff(a.release_id, b.release_id, sorted(found, key=lambda c: c.table))


def _file_change(change: TableChange, path: str, before: FileRecord | None, after: FileRecord | None) -> None:
    if before is None and after is not None:
        change.files_added.append(path)
        change.rows_added += after.rows or 0
    elif before is not None and after is None:
        change.files_removed.append(path)
        change.rows_removed += before.rows or 0
    elif before and after and before.sha256 != after.sha256:
        change.files_changed.append(path)


def opener(storage: Storage, key: str) -> Opener:
    """What `movements` opens a file with."""
    return lambda: storage.open(key)
