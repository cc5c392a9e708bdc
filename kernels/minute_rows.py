"""Raw rows of a local day as columns, and the facts about the devices that sent them.

Belongs here: the shapes that every kernel over raw rows takes, their checks, and the order of rows by outlet and time.
Does not belong here: what a row says about a minute (`minutes`), tables and the registry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from kernels.minutes import CHANNEL_ORDER, N_CHANNELS, Bytes, Floats, Longs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Runs(NamedTuple):
    """One entry per run of rows that one device sent for one outlet; all arrays of shape (runs,).

    `outlet`: index of the outlet. `interval`: minutes a record stands for, 1..60. `end`: 1 where DataTime names the
    end of the interval. `system`: which list of flags holds. `unmarked`: class of a reading without a flag (VALID or INVALID). `gas_bits`, `nox_bits`,
    `flow_bits`: basis bits. `flow_scale`: to m3/h. `pressure_scale`, `pressure_offset`: to kPa absolute (NaN offset
    where a gauge reading has no ambient pressure to stand on).
    """

    outlet: Longs
    interval: Longs
    end: Bytes
    system: Bytes
    unmarked: Bytes
    gas_bits: Bytes
    nox_bits: Bytes
    flow_bits: Bytes
    flow_scale: Floats
    pressure_scale: Floats
    pressure_offset: Floats


class Rows(NamedTuple):
    """Raw rows of a day as columns.

    `values`, `flags`: one array per channel of CHANNEL_ORDER, of one entry per row, or empty where nothing was sent; a
    flag is its ASCII byte, 0 for none. `time_ms`: DataTime as sent, since 1970. `run`: per row. `first[i]:first[i + 1]` is
    the part of `order` that lists the rows of outlet i by time. `day_ms`: local midnight. `runs`: see Runs.
    """

    values: tuple[Floats, ...]
    flags: tuple[Bytes, ...]
    time_ms: Longs
    run: NDArray[np.int32]
    order: Longs
    first: Longs
    day_ms: int
    runs: Runs


def rows_of_day(
    values: Sequence[Floats], flags: Sequence[Bytes], time_ms: Longs, run: NDArray[np.int32], runs: Runs, outlets: int, day_ms: int
) -> Rows:  # fmt: skip
    """Columns for the kernels, with their rows listed by outlet and time; rows of run -1 belong to no outlet.

    Raises ValueError when the arrays do not fit together or an interval is not 1..60 minutes.
    """
    _check(values, flags, time_ms.size, run.size, runs)
    times, owners = _readonly(time_ms), _readonly(run)
    order, first = _order(times, owners, runs.outlet, outlets)
    columns, marks = tuple(map(_readonly, values)), tuple(map(_readonly, flags))
    return Rows(columns, marks, times, owners, order, first, day_ms, runs)


def _check(values: Sequence[Floats], flags: Sequence[Bytes], rows: int, run: int, runs: Runs) -> None:
    if len(values) != N_CHANNELS or len(flags) != N_CHANNELS:
        raise ValueError(f"{N_CHANNELS} channels are needed, got {len(values)} of values and {len(flags)} of flags")
    sizes = [column.size for column in values] + [column.size for column in flags]
    for name, size in zip(CHANNEL_ORDER * 2, sizes, strict=True):
        if size not in (0, rows):
            raise ValueError(f"channel {name} has {size} entries for {rows} rows; pass one per row, or none")
    if run != rows:
        raise ValueError(f"run has {run} entries for {rows} rows")
    if runs.interval.size and not 1 <= int(runs.interval.min()) <= int(runs.interval.max()) <= 60:
        raise ValueError("intervals must be 1..60 minutes")


def _order(time_ms: Longs, run: NDArray[np.int32], outlet_of_run: Longs, outlets: int) -> tuple[Longs, Longs]:
    """Rows by outlet, then time, and where each outlet begins; equal times keep their order, run -1 is left out."""
    order, first, late = _by_outlet(time_ms, run, outlet_of_run, outlets)
    # Tables come sorted by device and time: only outlets with several devices have anything left to sort.
    for i in np.flatnonzero(late).tolist():
        part = order[first[i] : first[i + 1]]
        part[:] = part[np.argsort(time_ms[part], kind="stable")]
    return order, first


@njit(cache=True, nogil=True)
def _by_outlet(
    time_ms: Longs, run: NDArray[np.int32], outlet_of_run: Longs, outlets: int
) -> tuple[Longs, Longs, NDArray[np.bool_]]:
    """Rows by outlet in the order they came, where each outlet begins, and whether its times go back anywhere."""
    first = np.zeros(outlets + 1, np.int64)
    for row in range(run.size):
        if run[row] >= 0:
            first[outlet_of_run[run[row]] + 1] += 1
    for i in range(outlets):
        first[i + 1] += first[i]
    order, end = np.empty(first[outlets], np.int64), first[:-1].copy()
    late = np.zeros(outlets, np.bool_)
    for row in range(run.size):
        if run[row] >= 0:
            i = outlet_of_run[run[row]]
            order[end[i]] = row
            late[i] |= end[i] > first[i] and time_ms[row] < time_ms[order[end[i] - 1]]
            end[i] += 1
    return order, first, late


def _readonly(array: NDArray[Any]) -> NDArray[Any]:
    """A view of one single kind, so that borrowed and owned columns make one compiled kernel."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view
