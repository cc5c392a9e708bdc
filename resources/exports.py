"""Exports of monitoring platforms: wide CSV, Excel and Parquet files read into the rows that packets give.

Belongs here: telling exports from captures, and driving one file from its bytes to its record. Does not belong here: the parts of
that way (the `exports_*` modules) and where files lie (`intake`).
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import zstandard

from resources.captures import Capture
from resources.exports_devices import Owners
from resources.exports_errors import ExportError, some
from resources.exports_header import read_header
from resources.exports_map import MAP_ENDING, map_keys, read_map
from resources.exports_rows import RowMaker
from resources.exports_sheets import Sheet, check_merged, is_sheet, open_sheets
from resources.exports_text import LOOK_BYTES, Dialect, Tally, chunks, dialect_of, head_rows
from resources.exports_words import load_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import BinaryIO

    from resources.exports_header import Header
    from resources.exports_map import ColumnMap
    from resources.exports_text import Chunk
    from resources.hj212_reader import Batch, Devices
    from resources.storage import Storage

#: Changes whenever the same export would be read differently.
EXPORTS_VERSION = "exports-2"
CSV, EXCEL, PARQUET = "csv", "excel", "parquet"
KINDS = (CSV, EXCEL, PARQUET)
_SHEETS = {".xlsx": EXCEL, ".xlsm": EXCEL, ".xls": EXCEL, ".parquet": PARQUET}
_TABLES = (".csv", ".tsv")
_TEXTS = (*_TABLES, ".txt")
_PACKED = (".gz", ".zst", ".zstd")
HEAD_BYTES = 1 << 18


def kind_of(storage: Storage, key: str, maps: Mapping[str, bytes]) -> str:
    """csv, excel or parquet for an export; "" for what the HJ 212 reader takes. By ending, content, and a map file of its own."""
    plain = key.lower()
    for ending in _PACKED:
        plain = plain.removesuffix(ending)
    suffix = PurePosixPath(plain).suffix
    if suffix in _SHEETS and plain != key.lower():
        return _SHEETS[suffix]
    if suffix not in _SHEETS and suffix not in _TEXTS:
        return ""
    head = head_of(storage, key)
    if is_sheet(head):
        return PARQUET if head[:4] == b"PAR1" else EXCEL
    if _frames_in(head):
        return ""
    if suffix in _SHEETS:
        # Many an .xls is text with tabs; what is neither is told so by the reader of workbooks.
        return CSV if suffix == ".xls" and _looks_delimited(head) else _SHEETS[suffix]
    mapped = any(k in maps for k in map_keys(key) if k.endswith(MAP_ENDING))
    return CSV if suffix in _TABLES or mapped or _has_header(head) else ""


def head_of(storage: Storage, key: str) -> bytes:
    """The first bytes of a file, decompressed as far as that goes."""
    with storage.open(key) as source:
        try:
            if key.lower().endswith(".gz"):
                return gzip.GzipFile(fileobj=source).read(HEAD_BYTES)
            if key.lower().endswith((".zst", ".zstd")):
                return zstandard.ZstdDecompressor().stream_reader(source).read(HEAD_BYTES)
        except (EOFError, OSError, zlib.error, zstandard.ZstdError):
            return b""
        return source.read(HEAD_BYTES)


def _frames_in(head: bytes) -> bool:
    """`##` and four digits: the file holds frames, whatever it is called."""
    at = head.find(b"##")
    while at >= 0:
        if head[at + 2 : at + 6].isdigit():
            return True
        at = head.find(b"##", at + 1)
    return False


def _looks_delimited(head: bytes) -> bool:
    return head.lstrip()[:1] not in (b"<", b"") and b"\0\0\0" not in head[:512] and bool(dialect_of(head).delimiter)


def _has_header(head: bytes) -> bool:
    """The first lines are a header that can be read, without any map file."""
    try:
        dialect = dialect_of(head)
        return bool(dialect.delimiter) and bool(read_header(_rows(head, dialect), load_words(), read_map("", {})))
    except ExportError:
        return False


def _rows(head: bytes, dialect: Dialect) -> list[list[str]]:
    try:
        return head_rows(head, dialect, whole=len(head) < HEAD_BYTES)
    except csv.Error as error:
        raise ExportError(
            f"表头无法切分 ({error})", f"the header cannot be cut into cells ({error})", "请核对文件", "is it a table?"
        ) from error


class ExportReader:
    """Reads one export. After `batches` is exhausted, `asked` and `notes` say what the reading rests on and what a person should know."""

    def __init__(
        self, storage: Storage, key: str, kind: str, devices: Devices, window: tuple[int, int], maps: Mapping[str, bytes]
    ) -> None:  # fmt: skip
        self._storage = storage
        self._key = key
        self._kind = kind
        self._words = load_words()
        self._window = window
        self._maps = maps
        self._devices = devices
        self._makers: list[RowMaker] = []
        self.asked: set[str] = set()
        #: Rows of sheets that hold no table.
        self.unread = 0
        self._tally = Tally()

    @property
    def lines(self) -> int:
        """Lines that the file has, counted apart from what became of them."""
        return self._tally.lines

    @property
    def notes(self) -> list[str]:
        """Cells, columns and devices that were not taken into the wide rows, and rows that moved: how many, why and what to do."""
        return list(dict.fromkeys(note for maker in self._makers for note in maker.notes.told()))

    @property
    def examples(self) -> dict[str, list[str]]:
        """The first cell of each case: line, column and text."""
        return {case: cell for maker in reversed(self._makers) for case, cell in maker.notes.examples.items()}

    @property
    def reading(self) -> str:
        """Whom the file as a whole was read for: files of equal bytes may stand for different outlets."""
        names = {self._devices.pairs[i][0] for m in self._makers for g in m.groups for i in g.owners or ()}
        return ",".join(sorted(names))

    def batches(self, capture: Capture) -> Iterator[Batch]:
        """What the file holds, in order. ExportError (or CaptureError) when it is refused as a whole."""
        said = read_map(self._key, self._maps)
        if self._kind == CSV:
            yield from self._text(capture, said)
        else:
            yield from self._sheets(said)

    def _text(self, capture: Capture, said: ColumnMap) -> Iterator[Batch]:
        head = head_of(self._storage, self._key)
        dialect = dialect_of(head)
        if not head.strip():
            raise ExportError("文件是空的", "the file is empty", "请重新导出", "export it again")
        if not dialect.delimiter:
            raise ExportError(
                "看不出列分隔符",
                "no separator of columns is to be seen",
                "用逗号、制表符或分号分隔",
                "separate columns by comma, tab or semicolon",
            )
        header = read_header(_rows(head, dialect), self._words, said)
        pieces = chunks(capture, dialect, self._tally)
        yield from self._table(header, said, pieces, lambda: self._look(dialect), serial=False)

    def _look(self, dialect: Dialect) -> Iterator[Chunk]:
        """The lines of the text once more, uncounted."""
        return chunks(Capture(self._storage, self._key), dialect, Tally(), LOOK_BYTES)

    def _sheets(self, said: ColumnMap) -> Iterator[Batch]:
        if self._key.lower().endswith(_PACKED):
            raise ExportError(
                "压缩的 Excel 或 Parquet",
                "a compressed workbook or Parquet file",
                "请直接发送原文件",
                "send the file itself",
            )
        with self._open() as source:
            size = source.seek(0, io.SEEK_END)
            source.seek(0)
            yield from self._each(open_sheets(source, size), said)

    def _open(self) -> BinaryIO:
        path = self._storage.local_path(self._key)
        return path.open("rb") if path else io.BytesIO(self._storage.read(self._key))

    def _each(self, sheets: list[Sheet], said: ColumnMap) -> Iterator[Batch]:
        readable = 0
        faults = []
        for sheet in sheets:
            self._tally.lines += sheet.lines
            try:
                header = read_header(sheet.head, self._words, said)
            except ExportError as error:
                self.unread += sheet.lines
                faults.append(f"{sheet.name}: {error}" if sheet.name else str(error))
                continue
            readable += 1
            check_merged(sheet, header.first, header.of("time", "date", "begin", "end")[0].index)
            yield from self._table(
                header, said, sheet.chunks(), sheet.chunks, serial=self._kind != PARQUET, title=sheet.name
            )
        if not readable:
            raise ExportError(
                "没有可读的工作表", "no sheet can be read", some(faults) or "全部为空", some(faults) or "all are empty"
            )

    def _table(
        self, header: Header, said: ColumnMap, pieces: Iterator[Chunk], again: Callable[[], Iterator[Chunk]], *, serial: bool,
        title: str = "",
    ) -> Iterator[Batch]:  # fmt: skip
        owners = Owners(self._devices, said)
        self.asked = owners.asked = self.asked | owners.asked
        titled = replace(header, titles=(*header.titles, title)) if title else header
        maker = RowMaker(titled, self._words, said, owners, self._window, self._key, serial=serial, sheet=title)
        self._makers.append(maker)
        maker.lines.listen(again(), header.first)
        skip = header.first
        settled = False
        for chunk in pieces:
            stretch = maker.lines.open(chunk, skip)
            if not settled and stretch.rows.size:
                maker.settle(stretch)
                settled = True
            skip = max(0, skip - stretch.lines.size)
            yield maker.batch(stretch)
