"""Cells outside the wide row, refused frames and lost values of one day.

Belongs here: `cems_other` and `cems_quarantine`. Does not belong here: the wide rows (`raw_rows`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from contracts import TABLES
from contracts.channels import CHANNELS, SUBFIELDS, column
from kernels.hj212_fields import IRREGULAR_DP
from kernels.hj212_time import NO_TIME
from kernels.merge import GAVE, LOST
from resources.segments import CELLS, REFUSED, UNDATED

if TYPE_CHECKING:
    import pyarrow as pa

    from assets.raw_rows import DayRows
    from resources.intake import Arrival
    from resources.segments import Segments

_EXTRA = ("unknown_factor", "unknown_subfield", "verbatim", "unit_refused")
_KEY = ["outlet_id", "mn", "cn", "data_time", "name"]


@dataclass(slots=True)
class ExtraCells:
    """The cells that stand outside the wide rows: `kept` win their key, `lost` were superseded, `bad` are no values."""

    kept: pl.DataFrame
    lost: pl.DataFrame
    bad: pl.DataFrame

    def mark(self, rows: DayRows) -> None:
        """Tell the grouping of `rows` which frames lost an extra cell and which gave one to another frame's row."""
        multiple = np.flatnonzero(np.diff(rows.grouping.starts) > 1)
        if not multiple.size or not (self.kept.height or self.lost.height):
            return
        starts = rows.grouping.starts
        members = np.concatenate([rows.grouping.order[starts[g] : starts[g + 1]] for g in multiple])
        members = members[rows.columns["extra"][members] > 0]
        lost = set(zip(self.lost["file"].to_list(), self.lost["src_offset"].to_list(), strict=True))
        gave = set(zip(self.kept["file"].to_list(), self.kept["src_offset"].to_list(), strict=True))
        leading = set(rows.grouping.leaders()[multiple].tolist())
        for row in members.tolist():
            place = (int(rows.file[row]), int(rows.columns["offset"][row]))
            if place in lost:
                rows.grouping.state[row] |= LOST
            if place in gave and row not in leading:
                rows.grouping.state[row] |= GAVE

    def table(self) -> pa.Table:
        """`cems_other`."""
        return TABLES["cems_other"].arrow(self.kept.drop("file", "qn"))


def load_cells(segments: Segments, files: list[Arrival], day: str) -> ExtraCells:
    """The extra cells of `day`; for one key the highest QN wins, then the later file and offset."""
    frames = [pl.DataFrame(schema=_cell_schema())]
    for f, arrival in enumerate(files):
        if arrival.record is None:
            continue
        outlets = pl.DataFrame({"mn": [m for _, m in arrival.record.devices], "outlet_id": [o for o, _ in arrival.record.devices]},
                               schema={"mn": pl.String, "outlet_id": pl.String}).with_row_index("device")  # fmt: skip
        for table in segments.tables(arrival.token, arrival.record, CELLS, (day,)):
            cells = pl.DataFrame(pl.from_arrow(table)).with_columns(pl.col("device").cast(pl.UInt32))
            frames.append(
                cells.join(outlets, on="device", how="left", maintain_order="left").select(
                    "outlet_id", "mn", "cn", pl.col("time").cast(pl.Datetime("ms")).alias("data_time"), "name", "text",
                    "reason", pl.lit(arrival.sha256[:16]).alias("src_file"), pl.col("offset").alias("src_offset"), "qn",
                    pl.lit(f, pl.Int32).alias("file"),
                )
            )  # fmt: skip
    cells = pl.concat(frames)
    extra = cells.filter(pl.col("reason").is_in(_EXTRA)).sort("qn", "file", "src_offset", maintain_order=True)
    winner = extra.unique(_KEY, keep="last", maintain_order=True)
    lost = extra.join(winner.select(*_KEY, pl.col("text").alias("won")), on=_KEY, how="inner", maintain_order="left")
    lost = lost.filter(pl.col("text") != pl.col("won")).drop("won")
    return ExtraCells(winner, lost, cells.filter(~pl.col("reason").is_in(_EXTRA)))


def _cell_schema() -> dict[str, Any]:
    return {
        "outlet_id": pl.String, "mn": pl.String, "cn": pl.Int16, "data_time": pl.Datetime("ms"), "name": pl.String,
        "text": pl.String, "reason": pl.String, "src_file": pl.String, "src_offset": pl.Int64, "qn": pl.Int64,
        "file": pl.Int32,
    }  # fmt: skip


def quarantine(
    segments: Segments, files: list[Arrival], day: str, extra: ExtraCells, lost: list[pl.DataFrame]
) -> pa.Table:
    """`cems_quarantine`: refused frames filed under the day, cells that are no values, and values that lost to later ones."""
    paths = {a.sha256[:16]: a.path for a in files}
    pieces = [_refused(segments, a, day) for a in files]
    pieces += [_cells(extra.bad, None), _cells(extra.lost, "superseded")]
    pieces += lost
    whole = pl.concat(pieces).with_columns(
        pl.col("src_file").replace_strict(paths, return_dtype=pl.String).alias("path")
    )
    # One field may be refused twice in a frame (three different values): its key names the occurrence too.
    nth = pl.int_range(pl.len()).over("src_file", "src_offset", "name", "reason")
    name = pl.when(nth > 0).then(pl.format("{}#{}", "name", nth + 1)).otherwise("name")
    return TABLES["cems_quarantine"].arrow(whole.with_columns(name.alias("name")))


_QUARANTINE_SCHEMA: dict[str, Any] = {
    "reason": pl.String, "level": pl.String, "outlet_id": pl.String, "mn": pl.String, "cn": pl.Int16,
    "data_time": pl.Datetime("ms"), "name": pl.String, "content": pl.Binary, "src_file": pl.String, "src_offset": pl.Int64,
}  # fmt: skip


def _refused(segments: Segments, arrival: Arrival, day: str) -> pl.DataFrame:
    frames = [pl.DataFrame(schema=_QUARANTINE_SCHEMA)]
    if arrival.record is not None:
        days = (day, UNDATED) if arrival.record.anchor == day else (day,)
        for table in segments.tables(arrival.token, arrival.record, REFUSED, days):
            time = pl.when(pl.col("time") != NO_TIME).then(pl.col("time")).cast(pl.Datetime("ms"))
            made = pl.DataFrame(pl.from_arrow(table)).select(
                "reason", pl.lit("frame").alias("level"), pl.lit(None, pl.String).alias("outlet_id"),
                pl.when(pl.col("mn") != "").then("mn"), pl.when(pl.col("cn") >= 0).then("cn"), time.alias("data_time"),
                pl.lit("").alias("name"), "content", pl.lit(arrival.sha256[:16]).alias("src_file"),
                pl.col("offset").alias("src_offset"),
            )  # fmt: skip
            frames.append(made)
    return pl.concat(frames)


def _cells(cells: pl.DataFrame, reason: str | None) -> pl.DataFrame:
    return cells.select(
        pl.lit(reason).alias("reason") if reason else pl.col("reason"), pl.lit("cell").alias("level"), "outlet_id", "mn",
        "cn", "data_time", "name", pl.col("text").cast(pl.Binary).alias("content"), "src_file", "src_offset",
    )  # fmt: skip


def lost_values(rows: DayRows) -> pl.DataFrame:
    """Values of the wide rows that another frame's value replaced, as text with the decimals they were sent with."""
    lost = (rows.grouping.state & LOST) > 0
    group = rows.grouping.group_of()
    rows = rows.only(np.isin(group, np.unique(group[lost])))
    merged = rows.merged("cems_minute").to_pylist()
    group = rows.grouping.group_of()
    found: list[dict[str, object]] = []
    for row in np.flatnonzero((rows.grouping.state & LOST) > 0).tolist():
        outlet, mn = rows.frames.devices[rows.device[row]]
        about = {
            "reason": "superseded", "level": "cell", "outlet_id": outlet, "mn": mn, "cn": int(rows.columns["cn"][row]),
            "src_file": rows.frames.files[rows.file[row]].sha256[:16], "src_offset": int(rows.columns["offset"][row]),
            "data_time": int(rows.columns["time"][row]),
        }  # fmt: skip
        won = merged[int(group[row])]
        found += [{**about, "name": n, "content": t.encode()} for n, t in _lost_values(rows, row, won)]
    frame = pl.DataFrame(found, schema={**_QUARANTINE_SCHEMA, "data_time": pl.Int64}, orient="row")
    return frame.with_columns(pl.col("data_time").cast(pl.Datetime("ms")))


def _lost_values(rows: DayRows, row: int, won: dict[str, object]) -> list[tuple[str, str]]:
    lost = []
    for i, channel in enumerate(CHANNELS):
        for s, sub in enumerate(SUBFIELDS):
            values = rows.columns.get(f"v{i * len(SUBFIELDS) + s}")
            if values is None or np.isnan(values[row]):
                continue
            decimals = (int(rows.columns[f"p{i}"][row]) >> (4 * s)) & 15
            name = column(channel.name, sub)
            kept = (int(won[column(channel.name, "dp")] or 0) >> (4 * s)) & 15  # type: ignore[call-overload]
            if (values[row], decimals) != (won.get(name), kept):
                lost.append((name, decimal_text(float(values[row]), decimals)))
        flags = rows.columns.get(f"f{i}")
        if flags is not None and flags[row] and chr(flags[row]) != won[column(channel.name, "flag")]:
            lost.append((column(channel.name, "flag"), chr(flags[row])))
    return lost


def decimal_text(value: float, decimals: int) -> str:
    """A reported number as it was sent; `decimals` 15 means that only cems_other knows its exact spelling."""
    return repr(value) if decimals == IRREGULAR_DP else f"{value:.{decimals}f}"
