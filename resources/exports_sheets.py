"""Workbooks and Parquet as lines of text, so that one reading serves every kind of export.

Belongs here: opening .xlsx, .xls and .parquet, cells to text. Does not belong here: delimited files
(`exports_text`), what makes a workbook unreadable (`exports_guard`) and what the lines mean (`exports_header`, `exports_rows`).

A number of a spreadsheet becomes its shortest text that gives the same double; a date is rounded to the second, which its days as a
fraction cannot hold exactly.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import python_calamine as calamine

from resources.exports_errors import ExportError
from resources.exports_guard import RESEND, guard_ole, guard_zip, locked
from resources.exports_header import HEAD_LINES
from resources.exports_text import UNIT_SEPARATOR, Chunk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROWS_A_CHUNK = 20_000
#: A row of the second, third … sheet counts from so many on.
SHEET_STEP = 2_000_000
_SEP = chr(UNIT_SEPARATOR)
_BREAKS = str.maketrans({"\n": " ", "\r": " ", _SEP: " "})
_ZIP, _OLE, _PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"


@dataclass(frozen=True)
class Sheet:
    """One table of lines: the cells of its first lines, and all of it in chunks. `first` is the number of its first line."""

    name: str
    head: list[list[str]]
    lines: int
    first: int
    _source: Any = field(repr=False)
    merged: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()

    def chunks(self) -> Iterator[Chunk]:
        """The lines, front to back."""
        return self._source(self)  # type: ignore[no-any-return]


def open_sheets(source: BinaryIO, size: int) -> list[Sheet]:
    """The tables of a workbook or Parquet file, by its first bytes; ExportError when it cannot be read."""
    magic = source.read(8)
    source.seek(0)
    if magic[:4] == _ZIP:
        guard_zip(source)
        source.seek(0)
        return _workbook(source)
    if magic[:4] == _OLE:
        guard_ole(source, size)
        source.seek(0)
        return _workbook(source)
    if magic[:4] == _PARQUET:
        return [_parquet(source)]
    start = source.read(512).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start[:1] == b"<":
        raise ExportError(
            "扩展名是 Excel, 内容却是网页或 XML", "it is called a workbook, but holds a web page or XML",
            "在 Excel 中打开并另存为 .xlsx", "open it in Excel and save it as .xlsx",
        )  # fmt: skip
    raise ExportError(
        "不是 Excel 或 Parquet 文件, 或已损坏", "it is no Excel or Parquet file, or it is damaged",
        "请重新导出为 .xlsx 或文本", "export it as text or .xlsx and send it again",
    )  # fmt: skip


def is_sheet(head: bytes) -> bool:
    """A workbook or Parquet file by its first bytes."""
    return head[:4] in (_ZIP, _OLE, _PARQUET)


def _workbook(source: BinaryIO) -> list[Sheet]:
    try:
        book = calamine.CalamineWorkbook.from_filelike(source)
        names = book.sheet_names
        return [made for n, name in enumerate(names) if (made := _sheet(book.get_sheet_by_name(name), n))]
    except calamine.PasswordError as error:
        raise locked() from error
    except calamine.WorksheetNotFound as error:
        raise ExportError(f"缺少工作表 {error}", f"a sheet is missing: {error}", *RESEND) from error
    except calamine.CalamineError as error:
        raise ExportError(f"Excel 文件无法读取 ({error})", f"the workbook cannot be read ({error})", *RESEND) from error


def _sheet(sheet: calamine.CalamineSheet, number: int) -> Sheet | None:
    if sheet.start is None:
        return None
    head = [[_text(cell) for cell in row] for row in islice(sheet.iter_rows(), HEAD_LINES)]
    merged = tuple(((a[0], a[1]), (b[0], b[1])) for a, b in sheet.merged_cell_ranges or ())
    for (top, left), (bottom, right) in merged:
        for r in range(top, min(bottom + 1, len(head))):
            for c in range(left, min(right + 1, len(head[r]))):
                head[r][c] = head[top][left]

    def chunks(of: Sheet) -> Iterator[Chunk]:
        rows = sheet.iter_rows()
        at = of.first
        while some := list(islice(rows, ROWS_A_CHUNK)):
            text = "\n".join(_SEP.join([_text(cell) for cell in row]) for row in some) + "\n"
            yield _of_text(text.encode(), at, len(some))
            at += len(some)

    return Sheet(sheet.name, head, (sheet.end or (0, 0))[0] + 1, number * SHEET_STEP + 1, chunks, merged)


def check_merged(sheet: Sheet, first: int, time_column: int) -> None:
    """ExportError for merged cells among the data; notes below the data may be merged across their line."""
    for (top, left), (bottom, _) in sheet.merged:
        if bottom >= first and (bottom > top or left > time_column):
            raise ExportError(
                f"工作表 {sheet.name} 第 {top + 1} 行起的数据区有合并单元格", f"sheet {sheet.name} has merged cells among its data, from row {top + 1} on",
                "取消合并并填写每个单元格", "unmerge them and fill every cell",
            )  # fmt: skip


def _text(cell: object) -> str:
    """A cell as text: numbers as short as the double allows, times without a fraction of a second."""
    if isinstance(cell, str):
        return cell.translate(_BREAKS)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return (cell + dt.timedelta(microseconds=500_000)).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, dt.timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return str(cell)


def _of_text(data: bytes, first: int, rows: int) -> Chunk:
    return Chunk(
        np.frombuffer(data, np.uint8), first, UNIT_SEPARATOR, quote=0, offsets=np.arange(first, first + rows, dtype=np.int64),
        counted=False, floats=True,
    )  # fmt: skip


def _parquet(source: BinaryIO) -> Sheet:
    try:
        file = pq.ParquetFile(source)
    except (pa.ArrowException, OSError) as error:
        raise _broken(error) from error
    nested = [f.name for f in file.schema_arrow if pa.types.is_nested(f.type)]
    if nested:
        raise ExportError(
            f"Parquet 中有嵌套列 {', '.join(nested)}",
            f"nested columns: {', '.join(nested)}",
            "导出为平面列",
            "export flat columns",
        )
    names = _SEP.join(str(n).translate(_BREAKS) for n in file.schema_arrow.names)

    def chunks(of: Sheet) -> Iterator[Chunk]:
        yield _of_text(f"{names}\n".encode(), 0, 1)
        at = of.first
        try:
            for batch in file.iter_batches(ROWS_A_CHUNK):
                yield replace(_lines(batch.columns, at))
                at += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise _broken(error) from error

    head = [names.split(_SEP)]
    try:
        some = next(file.iter_batches(HEAD_LINES), None)
        if some is not None:
            lines = _lines(some.slice(0, HEAD_LINES).columns, 1).buf.tobytes().decode()
            head += [line.split(_SEP) for line in lines.split("\n")[:-1]]
    except (pa.ArrowException, OSError) as error:
        raise _broken(error) from error
    return Sheet("", head, file.metadata.num_rows + 1, 1, chunks)


def _broken(error: Exception) -> ExportError:
    return ExportError(f"Parquet 文件无法读取 ({error})", f"the Parquet file cannot be read ({error})", *RESEND)


def _lines(columns: Iterable[pa.Array], first: int) -> Chunk:
    texts = [_column_text(c) for c in columns]
    joined = pc.binary_join_element_wise(*texts, _SEP, null_handling="replace", null_replacement="")
    ended = pc.binary_join_element_wise(joined, "\n", "")
    offsets = np.frombuffer(ended.buffers()[1], np.int32)[ended.offset : ended.offset + len(ended) + 1]
    data = (
        np.frombuffer(ended.buffers()[2], np.uint8)[offsets[0] : offsets[-1]] if len(ended) else np.empty(0, np.uint8)
    )
    chunk = _of_text(b"", first, len(ended))
    return replace(chunk, buf=data)


def _column_text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_timestamp(kind):
        # A zone is turned into Beijing's clock, which every table keeps.
        column = pc.local_timestamp(column.cast(pa.timestamp("us", "Asia/Shanghai"))) if kind.tz else column
        half = pa.scalar(dt.timedelta(microseconds=500_000), pa.duration("us"))
        whole = pc.add(column.cast(pa.timestamp("us"), safe=False), half)
        return pc.floor_temporal(whole, unit="second").cast(pa.timestamp("s"), safe=False).cast(pa.string())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        return pc.replace_substring_regex(column.cast(pa.string()), f"[\n\r{_SEP}]", " ")
    return column.cast(pa.string())
