"""The raw tables of one day: every capture's segments of that day merged, the later word winning, nothing lost.

Belongs here: which raw tables a day has and the order they are made in, the edge rows and the counts. Does not belong here:
reading captures (`resources`), merging (`raw_rows`, `raw_cells`), units and validity (`assets/hours.py`).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.raw_cells import load_cells, quarantine
from assets.raw_rows import DayRows, load_frames
from contracts import TABLES
from kernels.merge import GAVE, LOST

if TYPE_CHECKING:
    import pyarrow as pa

    from resources.bench import Bench

DAY_MS = 86_400_000
MINUTE_MS = 60_000
#: Longest interval a record can stand for where the device row does not say: an hour, as CN 2061.
HOUR_MIN = 60


def make_raw(bench: Bench, day: str) -> dict[str, object]:
    """cems_minute, cems_reported, cems_edge, cems_other, cems_quarantine and cems_counts of one local day.

    The values are makers for the lake, to be called in this order: what became of a frame is known once its row is merged.
    """
    files = bench.arrivals_of(day)
    if not files:
        return {}
    when = date.fromisoformat(day)
    intervals = {d.mn: d.interval_min for d in bench.registry(when, when).devices_at(when)}
    segments = bench.home.intake.segments
    frames = load_frames(segments, files, day)
    extra = load_cells(segments, files, day)
    rows = DayRows(frames)
    extra.mark(rows)
    return {
        "cems_minute": rows.makers("cems_minute", rows.minute),
        "cems_reported": rows.makers("cems_reported", rows.reported),
        "cems_edge": lambda: _edge(rows, intervals),
        "cems_other": extra.table,
        "cems_quarantine": lambda: quarantine(segments, files, day, extra, rows),
        "cems_counts": lambda: _counts(rows),
    }


def _edge(rows: DayRows, intervals: dict[str, int]) -> pa.Table:
    """Records labelled in the first interval of the day: minutes by their device's interval, hours within the first hour."""
    cn = rows.columns["cn"]
    of_device = np.array([intervals.get(m, 0) for _, m in rows.frames.devices] or [0], np.int64)[rows.device]
    span = np.where(cn == 2051, of_device, np.where(cn == 2061, HOUR_MIN, 0)) * MINUTE_MS
    return TABLES["cems_edge"].arrow(rows.only(rows.columns["time"] % DAY_MS < span).merged("cems_edge"))


def _counts(rows: DayRows) -> pa.Table:
    """What became of every data frame, by file and command. The classes exclude each other, in the order tested here."""
    state = rows.grouping.state
    became = np.full(state.size, 0, np.int8)  # identical: gave nothing, lost nothing
    became[(state & GAVE) > 0] = 1
    became[(state & LOST) > 0] = 2
    became[rows.grouping.leaders()] = 3
    names = [a.sha256[:16] for a in rows.frames.files]
    made = pl.DataFrame({"file": rows.file, "cn": rows.columns["cn"], "became": became}).group_by("file", "cn").agg(
        pl.len().cast(pl.Int64).alias("frames"),
        *((pl.col("became") == k).sum().cast(pl.Int64).alias(n) for k, n in enumerate(("identical", "joined", "superseded", "rows"))),
    )  # fmt: skip
    sources = pl.col("file").replace_strict(dict(enumerate(names)), return_dtype=pl.String).alias("src_file")
    return TABLES["cems_counts"].arrow(made.with_columns(sources).drop("file"))
