"""Which columns of two Parquet files hold the same: told from their encoded bytes, without decoding any.

Belongs here: comparing column chunks. Does not belong here: rows and keys (`release_changes`, `pipelines/expected.py`).

The same rows make the same bytes, so a column whose chunks are equal has not moved. One whose chunks differ may hold the same
nevertheless (another writer, other row groups): it has to be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Sequence


def apart(old: Sequence[BinaryIO], new: Sequence[BinaryIO], key: Sequence[str]) -> set[str] | None:
    """Columns that both editions of a partition have and that may differ; None where the rows at one place may not have one `key`."""
    if len(old) != len(new) or not old:
        return None
    found: set[str] = set()
    for before, after in zip(old, new, strict=True):
        some = _apart(before, after, key)
        if some is None:
            return None
        found |= some
    return found


def _apart(old: BinaryIO, new: BinaryIO, key: Sequence[str]) -> set[str] | None:
    files = [pq.ParquetFile(stream) for stream in (old, new)]
    before, after = (f.metadata for f in files)
    groups = range(before.num_row_groups)
    rows = [[m.row_group(g).num_rows for g in range(m.num_row_groups)] for m in (before, after)]
    if rows[0] != rows[1]:
        return None
    schemas = [f.schema_arrow for f in files]
    places = [{name: i for i, name in enumerate(s.names)} for s in schemas]
    shared = places[0].keys() & places[1].keys()
    found = {
        name
        for name in shared
        if schemas[0].field(name).type != schemas[1].field(name).type
        or any(
            _chunk(old, before.row_group(g).column(places[0][name]))
            != _chunk(new, after.row_group(g).column(places[1][name]))
            for g in groups
        )
    }
    return found if shared >= {*key} and not found & {*key} else None


def _chunk(stream: BinaryIO, column: pq.ColumnChunkMetaData) -> tuple[object, ...]:
    """All that the values of a chunk are decoded from."""
    begins = column.data_page_offset
    if column.has_dictionary_page:
        begins = min(begins, column.dictionary_page_offset)
    stream.seek(begins)
    data = stream.read(column.total_compressed_size)
    return column.physical_type, column.compression, column.num_values, data
