"""Exports as platforms write them: one table of values as CSV, workbook or Parquet, and as the packets that say the same."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from tests.homes import minute

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Header and HJ 212 factor of the columns that most tests write.
COLUMNS = {"颗粒物实测浓度(mg/m³)": "a34013-Avg", "氮氧化物实测浓度(mg/m³)": "a21002-Avg", "含氧量(%)": "a19001-Avg"}


def as_csv(
    rows: Iterable[Sequence[object]], *, encoding: str = "utf-8", delimiter: str = ",", end: str = "\r\n"
) -> bytes:
    """Rows of cells as delimited text; None is an empty cell."""
    out = io.StringIO()
    if len(delimiter) == 1 and delimiter.isascii():
        csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(
            [["" if c is None else c for c in r] for r in rows]
        )
    else:
        for row in rows:
            out.write(delimiter.join("" if c is None else str(c) for c in row) + end)
    return out.getvalue().encode(encoding)


def as_xlsx(sheets: dict[str, list[list[object]]], merged: Sequence[tuple[int, int, int, int, str]] = ()) -> bytes:
    """Sheets of cells: numbers as numbers, datetimes as dates. `merged` ranges are of the first sheet."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    date = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for n, (name, rows) in enumerate(sheets.items()):
        sheet = book.add_worksheet(name)
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if isinstance(cell, dt.datetime):
                    sheet.write_datetime(r, c, cell, date)
                elif isinstance(cell, str) and cell.startswith("="):
                    sheet.write_formula(r, c, cell, value="")
                elif cell is not None:
                    sheet.write(r, c, cell)
        for span in merged if n == 0 else ():
            sheet.merge_range(*span)
    book.close()
    return out.getvalue()


def as_parquet(columns: dict[str, Any]) -> bytes:
    """Columns by name."""
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def stamps(first: dt.datetime, count: int, minutes: int) -> list[dt.datetime]:
    """Times a fixed distance apart."""
    return [first + dt.timedelta(minutes=minutes * i) for i in range(count)]


def as_packets(
    times: Iterable[dt.datetime],
    values: Iterable[Sequence[str]],
    factors: Sequence[str],
    *,
    cn: int = 2051,
    mn: str = "X",
) -> bytes:
    """The same rows as frames."""
    frames = []
    for time, row in zip(times, values, strict=True):
        pairs = ",".join(f"{f}={v}" for f, v in zip(factors, row, strict=True) if v)
        frames.append(minute(f"{time:%Y%m%d%H%M%S}", pairs, mn=mn, cn=cn))
    return b"\r\n".join(frames)
