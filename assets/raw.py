"""The raw tables of one day: every capture's segments of that day merged, the later word winning, nothing lost.

Belongs here: which raw tables a day has, its shards, the edge rows and the counts. Does not belong here: reading captures
(`resources`), merging (`raw_rows`, `raw_cells`), units and validity (`assets/hours.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from assets.raw_cells import load_cells, lost_values, quarantine
from assets.raw_rows import DayRows, load_frames
from contracts import TABLES
from kernels.merge import GAVE, LOST

if TYPE_CHECKING:
    from collections.abc import Callable

    from assets.raw_cells import ExtraCells
    from resources.bench import Bench
    from resources.intake import Arrival
    from resources.segments import Segments

#: Frames of one shard, which is one Parquet part: bounds the memory of a merge and gives each core work of its own.
FRAMES_A_SHARD = 300_000
DAY_MS = 86_400_000
MINUTE_MS = 60_000
#: A record of CN 2061 stands for an hour.
HOUR_MIN = 60


def make_raw(bench: Bench, day: str) -> dict[str, object]:
    """cems_minute, cems_reported, cems_edge, cems_other, cems_quarantine and cems_counts of one local day.

    The values are makers for the lake, to be called in this order: what became of a frame is known once its row is merged.
    """
    files = bench.arrivals_of(day)
    if not files:
        return {}
    intervals = bench.intervals(date.fromisoformat(day))
    raw = RawDay(bench.home.intake.segments, files, day, intervals)
    return {
        "cems_minute": raw.makers(),
        "cems_reported": lambda: raw.whole("cems_reported", [s.reported for s in raw.shards]),
        "cems_edge": lambda: TABLES["cems_edge"].arrow(raw.whole("cems_edge", [s.edge for s in raw.shards])),
        "cems_other": raw.extra.table,
        "cems_quarantine": lambda: quarantine(raw.segments, files, day, raw.extra, [s.lost for s in raw.shards]),
        "cems_counts": lambda: _counts([s.became for s in raw.shards], files, day),
    }


@dataclass(frozen=True, slots=True)
class Shard:
    """What a shard leaves behind once its minute rows are written."""

    reported: pa.Table
    edge: pa.Table
    lost: pl.DataFrame
    became: pl.DataFrame


class RawDay:
    """One day under way: its outlets in shards of bounded size, each merged by itself, in any order."""

    def __init__(self, segments: Segments, files: list[Arrival], day: str, intervals: dict[str, int]) -> None:
        self.segments = segments
        self.extra: ExtraCells = load_cells(segments, files, day)
        self._files = files
        self._day = day
        self._intervals = intervals
        self._spans = _spans(files, day)
        self._made: dict[int, Shard] = {}

    @property
    def shards(self) -> list[Shard]:
        """What the shards left, in order of their outlets."""
        return [self._made[i] for i in sorted(self._made)]

    def makers(self) -> list[Callable[[], pa.Table]]:
        """One maker of minute rows a shard."""
        return [lambda i=i, span=span: self._shard(i, span) for i, span in enumerate(self._spans)]  # type: ignore[misc]

    def _shard(self, i: int, outlets: tuple[str, str]) -> pa.Table:
        rows = DayRows(load_frames(self.segments, self._files, self._day, outlets))
        self.extra.mark(rows)
        minute = rows.merged("cems_minute", *rows.minute)
        reported = rows.merged("cems_reported", *rows.reported)
        self._made[i] = Shard(reported, _edge(rows, self._intervals), lost_values(rows), _became(rows))
        return minute

    def whole(self, table: str, pieces: list[pa.Table]) -> pa.Table:
        """Pieces of the shards as one table; labels are encoded anew so that equal rows give equal bytes."""
        joined = pa.concat_tables(pieces) if pieces else TABLES[table].empty()
        return TABLES[table].arrow(joined, sort=False)


def _spans(files: list[Arrival], day: str) -> list[tuple[str, str]]:
    """First and last outlet of each shard; they depend on the frames of the day alone."""
    counts: dict[str, int] = {}
    for arrival in files:
        for outlet, n in (arrival.record.rows.get(day, {}) if arrival.record else {}).items():
            counts[outlet] = counts.get(outlet, 0) + n
    spans: list[tuple[str, str]] = []
    held = FRAMES_A_SHARD
    for outlet, n in sorted(counts.items()):
        if held + n > FRAMES_A_SHARD:
            spans.append((outlet, outlet))
            held = 0
        spans[-1] = (spans[-1][0], outlet)
        held += n
    return spans or [("", "")]


def _edge(rows: DayRows, intervals: dict[str, int]) -> pa.Table:
    """Records labelled in the first interval of the day: minutes by their device's interval, hours within the first hour."""
    cn = rows.columns["cn"]
    of_device = np.array([intervals.get(m, 0) for _, m in rows.frames.devices] or [0], np.int64)[rows.device]
    span = np.where(cn == 2051, of_device, np.where(cn == 2061, HOUR_MIN, 0)) * MINUTE_MS
    return rows.only(rows.columns["time"] % DAY_MS < span).merged("cems_edge")


def _became(rows: DayRows) -> pl.DataFrame:
    """What became of the data frames, by file and command. The classes exclude each other, in the order tested here."""
    state = rows.grouping.state
    became = np.full(state.size, 0, np.int8)  # identical: gave nothing, lost nothing
    became[(state & GAVE) > 0] = 1
    became[(state & LOST) > 0] = 2
    became[rows.grouping.leaders()] = 3
    return pl.DataFrame({"file": rows.file, "cn": rows.columns["cn"], "became": became}).group_by("file", "cn").agg(
        pl.len().cast(pl.Int64).alias("frames"),
        *((pl.col("became") == k).sum().cast(pl.Int64).alias(n) for k, n in enumerate(("identical", "joined", "superseded", "rows"))),
    )  # fmt: skip


def _counts(shards: list[pl.DataFrame], files: list[Arrival], day: str) -> pa.Table:
    made = pl.concat(shards).group_by("file", "cn").sum()
    names = {i: a.sha256[:16] for i, a in enumerate(files)}
    source = pl.col("file").replace_strict(names, return_dtype=pl.String).alias("src_file")
    # One export may lie under two outlets' folders with the same bytes: its counts are those of both readings.
    whole = made.with_columns(source).drop("file").group_by("src_file", "cn").sum()
    return TABLES["cems_counts"].arrow(whole.with_columns(pl.lit(date.fromisoformat(day)).alias("day")))
