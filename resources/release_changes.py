"""Which figures differ between two editions of one partition.

Belongs here: which partitions differ at all, and the comparison by key, streamed through both editions. Does not belong
here: the summary of two releases (`release_diff`), why something moved and the `restatements` table (`release_restate`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from contracts import TABLES
from resources.column_chunks import apart
from resources.release_records import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts import Table
    from resources.release_records import FileRecord

Opener: TypeAlias = Callable[[], BinaryIO]
_BATCH_ROWS = 1 << 16
_NEW, _KEY = "\0new", "\0key"
#: The column in which a row names its factors, separated by |.
_FACTORS = "factor_ids"


@dataclass(frozen=True, slots=True)
class Movement:
    """Part of a comparison. `values`: key (text), column, old, new (text), delta; `withdrawn`: key; `added`: rows."""

    values: pl.DataFrame
    withdrawn: pl.DataFrame
    added: int


class _Edition:
    """The files of one partition, read as one table."""

    def __init__(self, files: list[pq.ParquetFile]) -> None:
        self._files = files
        self.names: set[str] = set.intersection(*({*f.schema_arrow.names} for f in files)) if files else set()
        self.rows = sum(int(f.metadata.num_rows) for f in files)

    def __bool__(self) -> bool:
        return bool(self._files)

    def batches(self, columns: list[str], *, labels: bool = False) -> Iterator[pl.DataFrame]:
        """Batch by batch, file after file. `labels`: they stay labels."""
        for file in self._files:
            for batch in file.iter_batches(_BATCH_ROWS, columns=columns):
                table = pa.table(batch)
                yield pl.DataFrame(pl.from_arrow(table)).select(columns) if labels else _frame(table, columns)

    def whole(self, columns: list[str]) -> pl.DataFrame:
        """All rows at once."""
        return pl.concat([_frame(file.read(columns), columns) for file in self._files])

    def sorted_by(self, column: str) -> bool:
        """Whether the files one after the other ascend by `column`, which has no nulls."""
        last = None
        for frame in self.batches([column]):
            values = frame.get_column(column)
            if not values.is_sorted() or values.null_count() or (last is not None and values.item(0) < last):
                return False
            last = values.item(-1)
        return True


def movements(table: Table, old: Sequence[Opener], new: Sequence[Opener]) -> Iterator[Movement]:
    """Compare two editions of a partition of `table` by its key; no files stand for an edition that does not exist.

    A row is the same row in whichever file of the partition it stands. Memory does not grow with files that are sorted
    as their contract says. Columns that only one edition has are no movement.
    """
    with ExitStack() as stack:
        streams = [[stack.enter_context(opened()) for opened in openers] for openers in (old, new)]
        before, after = (_Edition([pq.ParquetFile(stream) for stream in some]) for some in streams)
        shared = [n for n in table.names if n in before.names & after.names]
        key = [n for n in table.key if n in shared]
        if len(key) < len(table.key):
            # One side is empty, or the grain itself has changed and no row of the one is a row of the other.
            yield from _unmatched(table, before, after)
            return
        differ = apart(streams[0], streams[1], key)
        if differ is not None:
            yield from _in_place(key, [n for n in shared if n in differ], before, after)
            return
        lead = _lead(table, before, after)
        if lead is None:
            pairs = iter([(before.whole(shared), after.whole(shared))])
        else:
            pairs = _aligned(_Side(before, shared, lead), _Side(after, shared, lead))
        for rows_before, rows_after in pairs:
            if not rows_before.equals(rows_after):
                yield _compared(key, rows_before, rows_after)


def _in_place(key: list[str], columns: list[str], old: _Edition, new: _Edition) -> Iterator[Movement]:
    """Editions whose rows stand at the same places: of the columns that differ only, and keys as text only of rows that moved."""
    if not columns:
        return
    after = new.batches([*key, *columns], labels=True)
    for was, now in zip(old.batches(columns, labels=True), after, strict=True):
        both = now.rename({n: n + _NEW for n in columns}).with_columns(was.get_columns())
        moved = _values(key, both, columns)
        if moved.height:
            yield Movement(moved, _NO_KEYS, 0)


def _unmatched(table: Table, old: _Edition, new: _Edition) -> Iterator[Movement]:
    key = [n for n in table.key if n in old.names]
    if old:
        for frame in old.batches(key):
            yield Movement(_NO_VALUES, frame.select(_key_text(key)), 0)
    if new:
        yield Movement(_NO_VALUES, _NO_KEYS, new.rows)


def _lead(table: Table, *editions: _Edition) -> str | None:
    """The column that both can be walked along; None where one is small or in no order: then compared whole."""
    if any(edition.rows <= _BATCH_ROWS for edition in editions) or table.order[0] not in table.key:
        return None
    return table.order[0] if all(edition.sorted_by(table.order[0]) for edition in editions) else None


class _Side:
    """One edition, read batch by batch along `lead`; `rows` holds what has been read and not yet compared."""

    def __init__(self, edition: _Edition, columns: list[str], lead: str) -> None:
        self._lead = lead
        self._batches = edition.batches(columns)
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
    moved = _values(key, both, [c for c in before.columns if c not in key])
    return Movement(moved, gone.select(_key_text(key)), after.height - both.height)


def _values(key: list[str], both: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Values of `columns` that differ between the editions in `both`, column by column."""
    # One pass over all columns first: most of them never move, and each further query costs a millisecond a file.
    masks = both.select(_differs(both.schema, c).alias(c) for c in columns)
    any_moved = masks.select(pl.any_horizontal(pl.lit(False), *columns)).to_series()
    # A key is spelt once, however many values of its row moved.
    hit, masks = both.filter(any_moved).with_columns(_key_text(key).alias(_KEY)), masks.filter(any_moved)
    moved = [_moved(hit.filter(masks[c]), c) for c in columns if masks[c].any()]
    return pl.concat([_NO_VALUES, *moved])


def _differs(schema: pl.Schema, column: str) -> pl.Expr:
    old, new = pl.col(column), pl.col(column + _NEW)
    if schema[column] != schema[column + _NEW]:
        old, new = _text(schema, column), _text(schema, column + _NEW)
    return old.ne_missing(new)


def _moved(hit: pl.DataFrame, column: str) -> pl.DataFrame:
    schema = hit.schema
    numbers = schema[column].is_numeric() and schema[column + _NEW].is_numeric()
    delta = pl.col(column + _NEW).cast(pl.Float64) - pl.col(column).cast(pl.Float64)
    return hit.select(
        pl.col(_KEY).alias("key"),
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


@dataclass(frozen=True, slots=True)
class Change:
    """A partition whose bytes differ: its files before and after, without those that are the same on both sides, and the
    kinds of grounds that differ (none where an edition does not tell them).
    """

    table: str
    partition: str
    before: tuple[FileRecord, ...]
    after: tuple[FileRecord, ...]
    kinds: frozenset[str] = frozenset()


def changed_partitions(before: Iterable[FileRecord], after: Iterable[FileRecord]) -> list[Change]:
    """Every partition that differs, by table and key. Parts of a partition (`<key>/part-000`) belong together."""
    sides: list[dict[tuple[str, str], list[FileRecord]]] = [{}, {}]
    for side, files in zip(sides, (before, after), strict=True):
        for record in files:
            if record.role == TABLE:
                side.setdefault((record.table, record.key.partition("/")[0]), []).append(record)
    found = []
    for name in sorted({*sides[0], *sides[1]}):
        old, new = (sorted(side.get(name, []), key=lambda f: f.path) for side in sides)
        same = {f.sha256 for f in old} & {f.sha256 for f in new}
        left, right = (tuple(f for f in files if f.sha256 not in same) for files in (old, new))
        if left or right:
            found.append(Change(*name, left, right, _kinds(old, new)))
    return found


def _kinds(old: list[FileRecord], new: list[FileRecord]) -> frozenset[str]:
    """Every part of a partition tells the grounds of the whole."""
    before, after = (files[0].grounds if files else {} for files in (old, new))
    if not before or not after:
        return frozenset()
    return frozenset(k for k in {*before, *after} if before.get(k) != after.get(k))


def factors_of_changes(
    before: Iterable[FileRecord],
    after: Iterable[FileRecord],
    old: Callable[[str], BinaryIO],
    new: Callable[[str], BinaryIO],
) -> frozenset[str]:
    """Ids of the factors that rows of changed partitions name, on either side; `old` and `new` open a file by its path."""
    found: set[str] = set()
    for change in changed_partitions(before, after):
        for opened, files in ((old, change.before), (new, change.after)):
            for record in files if change.table in TABLES and _FACTORS in TABLES[change.table].names else ():
                with opened(record.path) as stream:
                    file = pq.ParquetFile(stream)
                    # Files of before the column was told name none.
                    columns = file.read([n for n in file.schema_arrow.names if n == _FACTORS]).columns
                found.update(i for c in columns for ids in c.unique().drop_null().to_pylist() for i in ids.split("|"))
    return frozenset(found)
