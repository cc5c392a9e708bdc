"""Columns of the truth tables of one plant and day.

Belongs here: from a capture to Arrow columns. Does not belong here: files (`truth`) and which frame wins (`winners`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from contracts.channels import CHANNEL_NAMES
from kernels.logger import AVG, FLAG, PLACES, ZS_AVG
from simulator.frames import DAY_MS

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from simulator.capture import Capture
    from simulator.readings import Sheet
    from simulator.winners import Winners

_LABEL = pa.dictionary(pa.int32(), pa.string())
_TIME = pa.timestamp("ms")
_HOUR_MS = 3_600_000

SCHEMAS: dict[str, pa.Schema] = {
    "frames": pa.schema([
        ("path", _LABEL), ("offset", pa.int64()), ("length", pa.int64()), ("outlet_id", _LABEL), ("mn", _LABEL), ("cn", pa.int64()),
        ("part", pa.int64()), ("data_time", _TIME), ("qn", _TIME), ("what", _LABEL), ("expect", _LABEL), ("reason", _LABEL),
        ("cells", pa.string()), ("superseded", pa.bool_()),
    ]),
    "minutes": pa.schema([
        ("outlet_id", _LABEL), ("mn", _LABEL), ("data_time", _TIME), ("begin", _TIME), ("qn", _TIME), ("captured", pa.date32()),
        *((f"{c}_avg", pa.float64()) for c in CHANNEL_NAMES), *((f"{c}_flag", _LABEL) for c in CHANNEL_NAMES),
    ]),
    "hours": pa.schema([
        ("outlet_id", _LABEL), ("channel", _LABEL), ("hour", _TIME), ("records", pa.int64()), ("unflagged_minutes", pa.int64()),
        ("mean", pa.float64()), ("zs_mean", pa.float64()),
    ]),
}  # fmt: skip


def frame_columns(path: str, offset: int, capture: Capture, winners: Winners) -> dict[str, pa.Array]:
    """One row per frame that the capture holds, whole or not; `offset`: where the capture begins in the file `path`."""
    traffic, sheets = capture.day.traffic, capture.day.sheets
    n = traffic.cn.size
    cells = np.full(n, "", object)
    for frame, wound in capture.wounds.items():
        cells[frame] = ",".join(wound.cells)
    return {
        "path": pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), [path]),
        "offset": pa.array(capture.offset + offset),
        "length": pa.array(capture.length),
        "outlet_id": _of(traffic.sheet, [s.outlet.outlet_id for s in sheets]),
        "mn": _of(traffic.sheet, [s.outlet.device.mn for s in sheets]),
        "cn": pa.array(traffic.cn),
        "part": pa.array(traffic.part),
        "data_time": _times(traffic.data_time),
        "qn": _times(traffic.qn, traffic.qn < 0),
        "what": _label(capture.what),
        "expect": _label(np.where(capture.reason == "", "accept", "quarantine")),
        "reason": _label(capture.reason),
        "cells": pa.array(cells, pa.string()),
        "superseded": pa.array(winners.superseded),
    }


def minute_columns(capture: Capture, winners: Winners, day: date) -> dict[str, pa.Array]:
    """One row per interval record that at least one accepted frame carries: averages as floats, flags as sent."""
    sheets = capture.day.sheets
    n = winners.sheet.size
    columns = {
        "outlet_id": _of(winners.sheet, [s.outlet.outlet_id for s in sheets]),
        "mn": _of(winners.sheet, [s.outlet.device.mn for s in sheets]),
        "data_time": _times(winners.data_time),
        "begin": _times(winners.begin),
        "qn": _times(winners.qn, winners.qn < 0),
        "captured": pa.array([day], pa.date32()).take(pa.array(np.zeros(n, np.int32))),
    }
    places = [np.flatnonzero(winners.sheet == k) for k in range(len(sheets))]
    for channel in CHANNEL_NAMES:
        values, flags = np.full(n, np.nan), np.zeros(n, np.int64)
        for sheet, here in zip(sheets, places, strict=True):
            c = sheet.outlet.at(channel)
            if c is None or not here.size:
                continue
            known, rows = _known(winners, here, sheet, c)
            lost = winners.is_lost(here, c)
            values[here] = np.where(known & ~lost, rows[:, c * PLACES + AVG] / _scale(sheet, channel), np.nan)
            if sheet.outlet.device.sends_flags:
                flags[here] = np.where(known, rows[:, c * PLACES + FLAG], 0)
        columns[f"{channel}_avg"] = pa.array(values, mask=np.isnan(values))
        columns[f"{channel}_flag"] = _letters(flags)
    return columns


def hour_columns(capture: Capture, winners: Winners) -> dict[str, pa.Array]:
    """Plain means of the unflagged records of each hour of the capture's own day; outlets that owe frames to a later day and
    hours without any record are left out. `records`: all, flagged or not; minutes: records x interval.
    """
    sheets = capture.day.sheets
    today = max((s.day for s in sheets), default=0)
    parts: list[tuple[int, str, NDArray[np.float64]]] = []
    for k, sheet in enumerate(sheets):
        if sheet.day != today or sheet.outlet.outlet_id in capture.day.owing:
            continue
        here = np.flatnonzero(winners.sheet == k)
        for c, channel in enumerate(sheet.outlet.channels):
            known, rows = _known(winners, here, sheet, c)
            use = known & ~winners.is_lost(here, c)
            hour = (winners.begin[here] - sheet.day * DAY_MS) // _HOUR_MS
            parts.append((k, channel, _hour_rows(sheet, c, hour[use], rows[use])))
    index = np.repeat(np.array([k for k, _, _ in parts], np.int64), [p.shape[1] for _, _, p in parts])
    table = np.concatenate([p for _, _, p in parts], axis=1) if parts else np.empty((5, 0))
    return {
        "outlet_id": _of(index, [s.outlet.outlet_id for s in sheets]),
        "channel": _label(np.repeat(np.array([c for _, c, _ in parts], object), [p.shape[1] for _, _, p in parts])),
        "hour": _times(table[0].astype(np.int64)),
        "records": pa.array(table[1].astype(np.int64)),
        "unflagged_minutes": pa.array(table[2].astype(np.int64)),
        "mean": pa.array(table[3], mask=np.isnan(table[3])),
        "zs_mean": pa.array(table[4], mask=np.isnan(table[4])),
    }


def _hour_rows(sheet: Sheet, c: int, hour: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """[5, hours]: hour as ms, records, unflagged minutes, mean and converted mean of the unflagged records."""
    device = sheet.outlet.device
    good = (
        rows[:, c * PLACES + FLAG] == ord("N")
        if device.sends_flags
        else np.full(hour.size, device.missing_flag == "valid")
    )
    records = np.bincount(hour, minlength=24)
    count = np.bincount(hour[good], minlength=24)
    there = np.flatnonzero(records)
    scale = _scale(sheet, sheet.outlet.channels[c])
    sums = [np.bincount(hour[good], rows[good, c * PLACES + slot], 24)[there] for slot in (AVG, ZS_AVG)]
    with np.errstate(invalid="ignore"):
        means = [total / count[there] / scale for total in sums]
    if not rows[:, c * PLACES + ZS_AVG].any():
        means[1] = np.full(there.size, np.nan)
    return np.stack([sheet.day * DAY_MS + there * _HOUR_MS, records[there], count[there] * device.interval_min, *means])


def _known(
    winners: Winners, here: NDArray[np.int64], sheet: Sheet, c: int
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Whether an accepted frame carries channel `c` of each record, and the sheet's rows that say what."""
    row = winners.rows_of(here, sheet, c)
    return row >= 0, sheet.rows[np.maximum(row, 0)]


def _scale(sheet: Sheet, channel: str) -> float:
    return float(10.0 ** sheet.outlet.device.decimals[channel])


def _label(values: NDArray[np.object_] | NDArray[np.str_]) -> pa.Array:
    return pa.array(values, pa.string()).dictionary_encode()


def _of(sheet: NDArray[np.int64], names: list[str]) -> pa.Array:
    """A label per row from the label of its sheet."""
    distinct = sorted(set(names))
    index = np.array([distinct.index(n) for n in names], np.int32)
    return pa.DictionaryArray.from_arrays(index[sheet], pa.array(distinct, pa.string()))


def _times(ms: NDArray[np.int64], missing: NDArray[np.bool_] | None = None) -> pa.Array:
    return pa.array(ms, pa.int64(), mask=missing).cast(_TIME)


def _letters(codes: NDArray[np.int64]) -> pa.Array:
    distinct, index = np.unique(codes, return_inverse=True)
    return pa.DictionaryArray.from_arrays(
        pa.array(index.astype(np.int32), mask=codes == 0), pa.array([chr(c) for c in distinct], pa.string())
    )
