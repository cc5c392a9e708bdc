"""The lake: one folder a table, one Parquet file (or several parts) a partition, and beside it what it was made from.

Belongs here: writing a partition with its contract, its version, and deciding whether it is still true. Does not belong
here: how a table is made (`assets`) and what readers outside see (`resources/releases.py`).

A partition's record names every input that was consulted, with its version; it is true as long as all of them stand. The
record is removed before the data change and written after: whatever is killed when, a record never speaks of other bytes.
"""

from __future__ import annotations

import hashlib
import json
from bisect import insort
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from contracts import TABLES, ContractError
from resources.grounds import grounds_of

if TYPE_CHECKING:
    from contracts import Table
    from resources.storage import Storage

#: What a partition is written from: a table, a maker of one, or several makers, one part each.
Maker: TypeAlias = Callable[[], pa.Table]
Content: TypeAlias = pa.Table | Maker | Sequence[Maker]

#: A part of a day is no longer than this, so that it is read as one piece.
ROW_GROUP = 524_288
_DELTA = ("data_time", "qn", "src_offset", "hour")


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file of a partition."""

    path: str
    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition as it lies in the lake: its files, the inputs it was made from (name -> version, "" = absent), and its
    grounds (kind of cause -> hash, see `grounds`).
    """

    table: str
    key: str
    made_by: str
    parts: tuple[Part, ...]
    inputs: dict[str, str] = field(default_factory=dict)
    grounds: dict[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Hash of the content; equal bytes, equal version."""
        return hashlib.sha256("".join(p.sha256 for p in self.parts).encode()).hexdigest()

    @property
    def rows(self) -> int:
        """Rows of all parts."""
        return sum(p.rows for p in self.parts)

    @property
    def bytes(self) -> int:
        """Bytes of all parts."""
        return sum(p.bytes for p in self.parts)


class Lake:
    """Tables by partition in one storage."""

    def __init__(self, storage: Storage, threads: int = 2) -> None:
        self.storage = storage
        self._threads = threads
        self._known: dict[tuple[str, str], Partition | None] = {}
        self._keys: dict[str, list[str]] = {}

    def partition(self, table: str, key: str) -> Partition | None:
        """The record of a partition, None when there is none."""
        if (table, key) not in self._known:
            self._known[table, key] = self._load(table, key) if key in self.keys(table) else None
        return self._known[table, key]

    def _load(self, table: str, key: str) -> Partition:
        raw = json.loads(self.storage.read(_record(table, key)))
        return Partition(**{**raw, "parts": tuple(Part(**p) for p in raw["parts"])})

    def version(self, table: str, key: str) -> str:
        """Version of a partition, "" when there is none."""
        found = self.partition(table, key)
        return found.version if found else ""

    def keys(self, table: str) -> list[str]:
        """Keys of the partitions that exist, sorted."""
        if table not in self._keys:
            entries = self.storage.list(f"{table}/_made", ".json")
            self._keys[table] = sorted(e.key.rsplit("/", 1)[1].removesuffix(".json") for e in entries)
        return self._keys[table]

    def read(self, table: str, key: str, columns: list[str] | None = None) -> pa.Table | None:
        """A partition's rows, only the named columns; None when it does not exist."""
        found = self.partition(table, key)
        if found is None:
            return None
        return pa.concat_tables([self._read_part(p.path, columns) for p in found.parts])

    def _read_part(self, path: str, columns: list[str] | None) -> pa.Table:
        local = self.storage.local_path(path)
        file = pq.ParquetFile(str(local) if local else pa.BufferReader(self.storage.read(path)))
        return file.read() if columns is None else _read_columns(file, columns)

    def write(self, table: str, key: str, content: Content, *, made_by: str, inputs: dict[str, str]) -> Partition:
        """Replace a partition. `content` is a table, or callables that make one (several: one part each, made in parallel).

        Raises ContractError when a table breaks its contract; nothing is replaced then, except that a partition of
        several parts counts as absent.
        """
        contract = TABLES[table]
        if isinstance(content, pa.Table):
            contract.check(content)
        return self._replace(table, key, lambda: self._write_parts(contract, key, content), made_by, inputs)

    def adopt(
        self,
        table: str,
        key: str,
        parts: Sequence[Part],
        sources: Sequence[tuple[Storage, str]],
        *,
        made_by: str,
        inputs: dict[str, str],
    ) -> Partition:
        """Replace a partition by `parts` that a lake has written elsewhere, and that lie in `sources`, one each; theirs is the contract."""

        def bring() -> list[Part]:
            for part, (store, path) in zip(parts, sources, strict=True):
                self.storage.copy_from(store, path, part.path)
            return list(parts)

        return self._replace(table, key, bring, made_by, inputs)

    def _replace(
        self, table: str, key: str, bring: Callable[[], list[Part]], made_by: str, inputs: dict[str, str]
    ) -> Partition:
        old = self.partition(table, key)
        self.storage.delete(_record(table, key))
        self._forget(table, key)
        parts = bring()
        for stale in old.parts if old else ():
            if stale.path not in {p.path for p in parts}:
                self.storage.delete(stale.path)
        made = Partition(table, key, made_by, tuple(parts), inputs, grounds_of(self, inputs, made_by))
        self.storage.write(_record(table, key), json.dumps(asdict(made), sort_keys=True, indent=1).encode())
        insort(self.keys(table), key)
        self._known[table, key] = made
        return made

    def _write_parts(self, contract: Table, key: str, content: Content) -> list[Part]:
        if isinstance(content, pa.Table):
            return [self._write_part(contract, f"{contract.name}/{key}.parquet", content)]
        if callable(content):
            made = content()
            contract.check(made)
            return [self._write_part(contract, f"{contract.name}/{key}.parquet", made)]
        makers = list(content)

        def one(i: int) -> Part:
            return self._write_part(contract, f"{contract.name}/{key}/part-{i:03d}.parquet", makers[i]())

        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(one, range(len(makers))))

    def _write_part(self, contract: Table, path: str, table: pa.Table) -> Part:
        if not table.schema.equals(contract.schema()):
            raise ContractError(
                f"{contract.name}: the schema of {path} is not the contract's; make it with Table.arrow"
            )
        names = table.column_names
        delta = {n: "DELTA_BINARY_PACKED" for n in _DELTA if n in names}
        # Figures that were computed hardly ever repeat; readings with two decimals do.
        computed = [] if contract.layer == "raw" else [c.name for c in contract.columns if c.type == pa.float64()]
        with self.storage.staged(path) as temporary:
            pq.write_table(
                table, temporary, compression="zstd", compression_level=1, row_group_size=ROW_GROUP,
                use_dictionary=[n for n in names if n not in delta and n not in computed], column_encoding=delta or None,
                store_schema=True,
            )  # fmt: skip
            with temporary.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = temporary.stat().st_size
        return Part(path, digest, size, table.num_rows)

    def note_nothing(self, product: str, key: str, *, made_by: str, inputs: dict[str, str]) -> None:
        """Remember that a product's inputs give nothing for a key, so that it need not be asked again."""
        self.storage.write(
            _nothing(product, key), json.dumps({"made_by": made_by, "inputs": inputs}, sort_keys=True).encode()
        )

    def nothing(self, product: str, key: str) -> tuple[str, dict[str, str]] | None:
        """What made nothing of a key, and of which inputs; None where that was never noted."""
        if not self.storage.exists(_nothing(product, key)):
            return None
        raw = json.loads(self.storage.read(_nothing(product, key)))
        return raw["made_by"], raw["inputs"]

    def drop(self, table: str, key: str) -> None:
        """Remove a partition that its inputs no longer give."""
        old = self.partition(table, key)
        self.storage.delete(_record(table, key))
        self._forget(table, key)
        for part in old.parts if old else ():
            self.storage.delete(part.path)

    def _forget(self, table: str, key: str) -> None:
        self._known.pop((table, key), None)
        # Kept in step instead of listed anew: a range of days would otherwise list its table once a day.
        if key in self.keys(table):
            self.keys(table).remove(key)


def _read_columns(file: pq.ParquetFile, columns: list[str]) -> pa.Table:
    """Some columns of a file; those that hold nothing are not decoded. A stack sends a few of the channels that there are."""
    schema, metadata = file.schema_arrow, file.metadata
    place = {name: i for i, name in enumerate(schema.names)}
    empty = {name for name in columns if name in place and _holds_nothing(metadata, place[name])}
    read = file.read([name for name in columns if name not in empty])
    fields = [schema.field(name) for name in columns if name in place]
    made = [pa.nulls(metadata.num_rows, f.type) if f.name in empty else read.column(f.name) for f in fields]
    return pa.table(made, schema=pa.schema(fields, schema.metadata))


def _holds_nothing(metadata: pq.FileMetaData, column: int) -> bool:
    groups = (metadata.row_group(g) for g in range(metadata.num_row_groups))
    told = [(g.num_rows, g.column(column).statistics) for g in groups]
    return bool(told) and all(s is not None and s.has_null_count and s.null_count == n for n, s in told)


def _nothing(product: str, key: str) -> str:
    return f"nothing/{product}/{key}.json"


def _record(table: str, key: str) -> str:
    return f"{table}/_made/{key}.json"
