"""The truth beside a simulated landing zone: what was put in, and what a correct reader must get out.

Belongs here: the tables under truth/ (Parquet) and reading them back. Does not belong here: making captures (`capture`) and any
reader of captures.

truth/devices.parquet: lasting traits of each logger. One file per capture day in each of
truth/frames/: one row per frame: where it lies, what it is, whether it is accepted or quarantined and why.
truth/minutes/: averages and flags that the accepted frames of that day's captures carry (late ones included).
truth/states/, truth/marks/: what happened to kilns and devices (`truth_events`).
truth/ledgers/: true rows of the ledgers and mistakes in them (`truth_ledgers`), not by day.
truth/hours/: means of the unflagged records of each hour, for outlets whose day is complete on the same day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.truth_tables import SCHEMAS, frame_columns, hour_columns, minute_columns
from simulator.winners import winning_rows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from simulator.capture import Capture
    from simulator.world import World

#: Tables of what captures hold, then those of what happened.
CAPTURED, HAPPENED = ("frames", "minutes", "hours"), ("states", "marks")
KINDS = (*CAPTURED, *HAPPENED, "ledgers")
#: Rows that wait before they are written as one row group.
_ROWS = 150_000


def write_devices(folder: Path, world: World) -> None:
    """truth/devices.parquet: one row per outlet."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "outlet_id": o.outlet_id, "mn": o.device.mn, "label": o.device.label, "registered_label": o.device.registered_label,
            "interval_min": o.device.interval_min, "edition": o.device.edition, "crc": o.device.crc, "crc_allowed": o.device.allowed,
            "hour_rule": "flow_weighted" if o.device.weighted_hours else "plain", "sends_flags": o.device.sends_flags,
            "has_qn": o.device.has_qn, "ms_time": o.device.ms_time, "second": o.device.second, "split": o.device.split,
        }
        for o in world.outlets
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), folder / "devices.parquet")


class TruthFiles:
    """The truth files of one capture day; rows are written as they come, so memory does not grow with the day."""

    def __init__(self, folder: Path, day: date, wanted: Iterable[str]) -> None:
        self._day = day
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._waiting: dict[str, list[pa.Table]] = {}
        for kind in wanted:
            (folder / kind).mkdir(parents=True, exist_ok=True)
            self._writers[kind] = pq.ParquetWriter(
                folder / kind / f"{day.isoformat()}.parquet", SCHEMAS[kind], compression="zstd"
            )
            self._waiting[kind] = []

    def add(self, path: str, offset: int, capture: Capture) -> None:
        """Rows of one plant's capture, which begins at byte `offset` of the file `path` (below landing/)."""
        if not self._writers:
            return
        winners = winning_rows(capture)
        if "frames" in self._writers:
            self._put("frames", frame_columns(path, offset, capture, winners))
        if "minutes" in self._writers:
            self._put("minutes", minute_columns(capture, winners, self._day))
        if "hours" in self._writers:
            self._put("hours", hour_columns(capture, winners))

    def close(self) -> None:
        """Write what is still waiting and close the files."""
        for kind, writer in self._writers.items():
            self._flush(kind)
            writer.close()

    def _put(self, kind: str, columns: dict[str, pa.Array]) -> None:
        schema = SCHEMAS[kind]
        self._waiting[kind].append(pa.table([columns[n] for n in schema.names], schema=schema))
        if sum(t.num_rows for t in self._waiting[kind]) >= _ROWS:
            self._flush(kind)

    def _flush(self, kind: str) -> None:
        if self._waiting[kind]:
            self._writers[kind].write_table(pa.concat_tables(self._waiting[kind]).unify_dictionaries().combine_chunks())
            self._waiting[kind] = []


def truth_minutes(home: Path) -> pl.DataFrame:
    """What all captures together say, one row per outlet and DataTime: per column the value of the highest QN (none is
    lowest), then of the latest capture. Columns as in truth/minutes without `captured`.
    """
    rows = pl.scan_parquet(home / "truth" / "minutes" / "*.parquet").sort(
        "qn", "captured", nulls_last=False, maintain_order=True
    )
    keys = ["outlet_id", "data_time"]
    return rows.drop("captured").group_by(keys).agg(pl.all().drop_nulls().last()).sort(keys).collect()
