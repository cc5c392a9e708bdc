"""Raw rows of a day as the kernels take them: Arrow columns to arrays, device rows of the registry to runs.

Belongs here: nulls to NaN, flags to bytes, which registry row speaks for which rows. Does not belong here: what hours or
labels are made of the arrays (`hours`, `labels`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts.channels import CHANNEL_NAMES, column
from kernels import minutes as cells
from kernels.minute_rows import Rows, Runs, rows_of_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from resources.registry import Device

    Floats = NDArray[np.float64]
    Bytes = NDArray[np.uint8]

#: Columns that the kernels need of every raw table.
COLUMNS = [
    "outlet_id",
    "mn",
    "data_time",
    "cn",
    "version",
    *(column(channel, sub) for channel in CHANNEL_NAMES for sub in ("avg", "flag")),
]
MINUTE, HOUR = 2051, 2061

#: Flags that are no single ASCII letter: no flag list knows them.
_UNKNOWN_FLAG = 255


class Run(NamedTuple):
    """Neighbouring rows of one device of one outlet under one list of flags: 0 = 2005 or none, 1 = 2017 and later."""

    outlet_id: str
    mn: str
    system: int


@dataclass(frozen=True)
class SentRows:
    """Raw rows and the runs they fall into; `first[j]` is the first row of run j."""

    table: pa.Table
    runs: tuple[Run, ...]
    first: NDArray[np.int64]

    @property
    def rows_per_run(self) -> NDArray[np.int64]:
        """How many rows each run has."""
        return np.diff(self.first, append=self.table.num_rows)

    def times(self) -> NDArray[np.int64]:
        """DataTime in ms since 1970."""
        times: NDArray[np.int64] = self.table.column("data_time").cast(pa.int64()).to_numpy()
        return times

    def floats(self, name: str) -> Floats:
        """A numeric column, NaN for null; empty where every row is null."""
        column = self.table.column(name)
        return np.empty(0) if column.null_count == len(column) else column.to_numpy()

    def flags(self, name: str) -> Bytes:
        """A column of flags as ASCII bytes, 0 for none; empty where no row has one."""
        return _flags(self.table.column(name))


@dataclass(frozen=True)
class Speaker:
    """Who speaks in a run: the device row, the index of its outlet (or of the device itself) and the plant's pressure."""

    device: Device
    index: int
    label: str
    ambient_kpa: float | None


def sent_rows(tables: Sequence[pa.Table | None], cn: int) -> SentRows | None:
    """The rows of one command number of several raw tables, one table after another; None when there are none."""
    parts = [t if _only(t, cn) else t.filter(pc.equal(t.column("cn"), cn)) for t in tables if t is not None]
    parts = [t for t in parts if t.num_rows]
    if not parts:
        return None
    table = _one_chunk(parts)
    outlet, outlets = _codes(table.column("outlet_id"))
    mn, mns = _codes(table.column("mn"))
    system = pc.greater(pc.fill_null(table.column("version"), 0), 0).to_numpy().astype(np.int8)
    changes = (np.diff(outlet) != 0) | (np.diff(mn) != 0) | (np.diff(system) != 0)
    first = np.concatenate(([0], np.flatnonzero(changes) + 1)).astype(np.int64)
    runs = tuple(Run(outlets[outlet[i]], mns[mn[i]], int(system[i])) for i in first.tolist())
    return SentRows(table, runs, first)


def _one_chunk(parts: list[pa.Table]) -> pa.Table:
    if len(parts) == 1 and all(column.num_chunks == 1 for column in parts[0].columns):
        return parts[0]
    return pa.concat_tables(parts).unify_dictionaries().combine_chunks()


def _only(table: pa.Table, cn: int) -> bool:
    span = pc.min_max(table.column("cn")).as_py()
    return bool(span["min"] == span["max"] == cn)


def _codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], list[str]]:
    """Positions in a list of texts, and the list."""
    array = _dictionary(column)
    return array.indices.to_numpy(), array.dictionary.to_pylist()


def _dictionary(column: pa.ChunkedArray) -> pa.DictionaryArray:
    made = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    return made.unify_dictionaries().combine_chunks()


def _flags(column: pa.ChunkedArray) -> Bytes:
    """ASCII bytes, 0 for none; empty where no row has a flag."""
    if column.null_count == len(column):
        return np.empty(0, np.uint8)
    array = _dictionary(column)
    own = [_flag_byte(text or "") for text in array.dictionary.to_pylist()]
    if not array.null_count:
        own_letters: Bytes = np.array(own, np.uint8)[array.indices.to_numpy()]
        return own_letters
    letters = np.array([0, *own], np.uint8)
    numbers: NDArray[np.int32] = pc.fill_null(array.indices, -1).to_numpy()
    return letters[numbers + 1]


def _flag_byte(text: str) -> int:
    if not text:
        return 0
    return ord(text) if len(text) == 1 and text.isascii() else _UNKNOWN_FLAG


def kernel_rows(sent: SentRows | None, speakers: Sequence[Speaker | None], count: int, day: date) -> Rows:
    """Arrays of `sent` for a kernel over `count` outlets or devices; rows of runs without a speaker belong to nobody."""
    if sent is None:
        nothing: Any = np.empty(0)
        columns = [nothing] * cells.N_CHANNELS, [nothing.astype(np.uint8)] * cells.N_CHANNELS
        return rows_of_day(
            *columns, nothing.astype(np.int64), nothing.astype(np.int32), _runs((), []), count, day_ms(day)
        )
    values = [sent.floats(column(channel, "avg")) for channel in cells.CHANNEL_ORDER]
    flags = [sent.flags(column(channel, "flag")) for channel in cells.CHANNEL_ORDER]
    numbers = np.array([-1 if speaker is None else j for j, speaker in enumerate(speakers)], np.int32)
    run = np.repeat(numbers, sent.rows_per_run)
    return rows_of_day(values, flags, sent.times(), run, _runs(sent.runs, speakers), count, day_ms(day))


def _runs(runs: Sequence[Run], speakers: Sequence[Speaker | None]) -> Runs:
    """What the device rows say, as arrays; entries of runs that nobody speaks for mean nothing."""
    facts = [_facts(run, speaker) for run, speaker in zip(runs, speakers, strict=True)]
    turned = list(zip(*facts, strict=True)) or [()] * len(Runs._fields)
    kinds = [np.int64, np.int64, *[np.uint8] * 6, *[np.float64] * 3]
    return Runs(*(np.array(values, kind) for values, kind in zip(turned, kinds, strict=True)))


def _facts(run: Run, speaker: Speaker | None) -> tuple[float, ...]:
    """One entry of every array of Runs, in its order."""
    if speaker is None:
        return (0, 1, 0, 0, 0, 0, 0, 0, 1.0, 1.0, 0.0)
    device = speaker.device
    ambient = float("nan") if speaker.ambient_kpa is None else speaker.ambient_kpa
    return (
        speaker.index,
        device.interval_min,
        speaker.label == "end",
        run.system,
        cells.VALID if device.missing_flag == "valid" else cells.INVALID,
        cells.WET if device.gas_basis == "wet" else 0,
        0 if device.nox_as_no2 else cells.NOT_AS_NO2,
        cells.WET if device.flow_basis == "wet_actual" else 0,
        3600.0 if device.flow_unit == "m3/s" else 1.0,
        0.001 if device.pressure_unit == "Pa" else 1.0,
        ambient if device.pressure_basis == "gauge" else 0.0,
    )


def day_ms(day: date) -> int:
    """Local midnight in ms since 1970, as the naive timestamps of every table count."""
    return (datetime(day.year, day.month, day.day) - datetime(1970, 1, 1)) // _MS


_MS = datetime(1970, 1, 1, 0, 0, 0, 1000) - datetime(1970, 1, 1)
