"""What a column and a table are, and everything that follows from one record.

Belongs here: the `Column` and `Table` records and their emitters (Arrow schema with units and texts in the
field metadata, row checks). Does not belong here: any particular table (see the sibling modules), reading or
writing files (`resources`), and how a value comes about (`kernels`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Local wall clock of every timestamp in every table: HJ 212 never sends a zone, China keeps no summer time.
TIME_ZONE = "Asia/Shanghai"

#: Repeated identifiers: a dictionary in memory and on disk, a plain string for every reader.
LABEL = pa.dictionary(pa.int32(), pa.string())
TIME = pa.timestamp("ms")


class ContractError(Exception):
    """A table does not hold its contract; the message names table, column, the rule and the first rows that break it."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one table: the only place its type, unit, range and texts are written.

    `zh` is the column's name and, after a colon (：), what there is to know of it; `en` is the whole in English.
    `low`/`high` are inclusive and apply to non-null values; `values` lists every permitted value, `meanings` (zh, en) of each
    where they do not speak for themselves. `source` is the clause or document that the column's meaning comes from. `additive`: figures
    of different rows may be added, as long as methods, bases, pollutants and other alternatives of the key are kept apart.
    """

    name: str
    type: pa.DataType
    zh: str
    en: str
    unit: str = ""
    nullable: bool = True
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()
    source: str = ""
    meanings: tuple[tuple[str, str], ...] = ()
    additive: bool = False

    @property
    def title(self) -> str:
        """The column's name in Chinese."""
        return self.zh.partition("：")[0]

    def arrow_field(self) -> pa.Field:
        """The Arrow field; unit, range and both texts travel inside the Parquet file."""
        texts: dict[str, str] = {"zh": self.zh, "en": self.en}
        if self.unit:
            texts["unit"] = self.unit
        if self.source:
            texts["source"] = self.source
        if self.low is not None or self.high is not None:
            texts["range"] = json.dumps([self.low, self.high])
        if self.values:
            texts["values"] = ",".join(self.values)
        return pa.field(self.name, self.type, self.nullable, {k: v.encode() for k, v in texts.items()})


@dataclass(frozen=True, slots=True)
class Table:
    """One table = one asset = one folder of Parquet: its name, grain, order and columns."""

    name: str
    layer: str
    partition: str  # "none", "day", "month" or "year"
    key: tuple[str, ...]
    zh: str
    en: str
    columns: tuple[Column, ...]
    published: bool = False
    sort: tuple[str, ...] = field(default=())

    def __getitem__(self, name: str) -> Column:
        """The column called `name`; KeyError names the table."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    @property
    def names(self) -> list[str]:
        """Column names in file order."""
        return [c.name for c in self.columns]

    @property
    def order(self) -> tuple[str, ...]:
        """Columns that the rows of a file are sorted by."""
        return self.sort or self.key

    def schema(self) -> pa.Schema:
        """Arrow schema with units and texts in the metadata."""
        about = {"table": self.name, "zh": self.zh, "en": self.en, "grain": ",".join(self.key), "time_zone": TIME_ZONE}
        return pa.schema([c.arrow_field() for c in self.columns], {k: v.encode() for k, v in about.items()})

    def empty(self) -> pa.Table:
        """A table with no rows."""
        return self.schema().empty_table()

    def arrow(self, frame: pl.DataFrame | pa.Table | dict[str, Any], *, sort: bool = True) -> pa.Table:
        """Give `frame` this contract's column order, types and metadata, and sort it by `order`.

        Columns that the frame lacks become null. Raises ContractError for columns the contract does not know
        and for values that a type cannot hold.
        """
        table = _as_arrow(frame)
        unknown = [n for n in table.column_names if n not in set(self.names)]
        if unknown:
            raise ContractError(
                f"{self.name}: columns without a contract: {', '.join(unknown)}; add them to contracts/"
            )
        made = pa.table([self._typed(column, table) for column in self.columns], names=self.names)
        if sort and self.order and made.num_rows:
            keys = pa.table([_plain(made.column(n)) for n in self.order], names=list(self.order))
            made = made.take(pc.sort_indices(keys, sort_keys=[(n, "ascending") for n in self.order]))
        # Labels are encoded last: the dictionary then depends on the rows alone, never on the way they came.
        return pa.table([_encoded(made.column(c.name), c.type) for c in self.columns], schema=self.schema())

    def _typed(self, column: Column, table: pa.Table) -> pa.ChunkedArray | pa.Array:
        if column.name not in table.column_names:
            return pa.nulls(table.num_rows, column.type)
        array = table.column(column.name)
        try:
            return array if pa.types.is_dictionary(column.type) else _plain(array).cast(column.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise ContractError(f"{self.name}.{column.name}: cannot be held as {column.type}: {error}") from error

    def violations(self, frame: pl.DataFrame | pa.Table) -> list[str]:
        """Every broken rule as one sentence: nulls, ranges, listed values, repeated keys. Empty when the contract holds."""
        made = frame if isinstance(frame, pl.DataFrame) else pl.DataFrame(pl.from_arrow(frame))
        found = [text for column in self.columns for text in _column_violations(self.name, column, made)]
        if self.key and made.height:
            # Equal rows hash alike, so as many hashes as rows proves that no key repeats; only else the slow look is due.
            keys = made.select(self.key)
            if keys.hash_rows().n_unique() < made.height and (repeated := int(keys.is_duplicated().sum())):
                first = keys.filter(keys.is_duplicated()).sort(self.key).row(0, named=True)
                shown = ", ".join(f"{n}={v}" for n, v in first.items())
                found.append(
                    f"{self.name}: {repeated} rows share a key ({', '.join(self.key)}), the first of them {shown}"
                )
        return found

    def check(self, frame: pl.DataFrame | pa.Table) -> None:
        """Raise ContractError with every violation at once."""
        found = self.violations(frame)
        if found:
            raise ContractError("; ".join(found))


def _as_arrow(frame: pl.DataFrame | pa.Table | dict[str, Any]) -> pa.Table:
    if isinstance(frame, pa.Table):
        return frame.combine_chunks()
    made = frame if isinstance(frame, pl.DataFrame) else pl.DataFrame(frame)
    return made.to_arrow(compat_level=pl.CompatLevel.oldest())


def _plain(array: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    return array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array


def _encoded(array: pa.ChunkedArray | pa.Array, wanted: pa.DataType) -> pa.ChunkedArray | pa.Array:
    if not pa.types.is_dictionary(wanted):
        return array
    return pc.dictionary_encode(_plain(array).cast(wanted.value_type)).cast(wanted)


def _column_violations(table: str, column: Column, frame: pl.DataFrame) -> Iterable[str]:
    if column.name not in frame.columns:
        yield f"{table}.{column.name}: column is missing"
        return
    values = frame.get_column(column.name)
    if not column.nullable and values.null_count():
        yield f"{table}.{column.name}: {values.null_count()} nulls where none is allowed"
    if column.low is not None and (below := values.filter(values < column.low)).len():
        yield f"{table}.{column.name}: {below.len()} values below {column.low} {column.unit}, e.g. {below[0]!r}"
    if column.high is not None and (above := values.filter(values > column.high)).len():
        yield f"{table}.{column.name}: {above.len()} values above {column.high} {column.unit}, e.g. {above[0]!r}"
    if column.values:
        strange = sorted(set(values.drop_nulls().unique().cast(pl.String).to_list()) - set(column.values))
        if strange:
            yield f"{table}.{column.name}: {', '.join(strange[:5])} not among {', '.join(column.values)}"
