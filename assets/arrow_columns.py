"""Columns of an Arrow table as numpy arrays: labels as dictionary codes, times and numbers as they are.

Belongs here: taking columns out without ever sorting or comparing strings. Does not belong here: what the columns mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

Codes = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

HOUR_MS = 3_600_000


def codes(table: pa.Table, name: str) -> tuple[Codes, list[str]]:
    """Dictionary codes (-1 = null) and their texts; plain strings are encoded first."""
    column = table.column(name)
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(column)
    one = column.unify_dictionaries().combine_chunks()
    if isinstance(one, pa.ChunkedArray):  # no rows: nothing to combine
        return np.zeros(0, np.int32), []
    return pc.fill_null(one.indices.cast(pa.int32()), -1).to_numpy(zero_copy_only=False), one.dictionary.to_pylist()


def among(table: pa.Table, name: str, texts: Sequence[str]) -> Codes:
    """For each row the place of its text in `texts`, -1 where it is another one or null."""
    found, known = codes(table, name)
    places = np.array([*(texts.index(t) if t in texts else -1 for t in known), -1], np.int32)
    return places[found]


def ints(table: pa.Table, name: str) -> Ints:
    """A column of whole numbers without nulls; times as milliseconds since 1970."""
    column = table.column(name)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ms"))
    return np.asarray(column.cast(pa.int64()).to_numpy())


def floats(table: pa.Table, name: str) -> Floats:
    """A column of numbers, null as NaN."""
    return np.asarray(pc.fill_null(table.column(name).cast(pa.float64()), np.nan).to_numpy())


def texts_of(numbers: npt.NDArray[np.integer], texts: Sequence[str | None]) -> pa.Array:
    """Dictionary array of texts by their number; -1 is null."""
    picked = pa.array(numbers.astype(np.int32), mask=numbers < 0)
    return pa.DictionaryArray.from_arrays(picked, pa.array(list(texts), pa.string()))
