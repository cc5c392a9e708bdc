"""Delimited text as chunks of whole lines: encodings, separators, and where each line lies in the file.

Belongs here: bytes to lines. Does not belong here: workbooks and Parquet (`exports_sheets`), what the lines mean.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from resources.exports_errors import ExportError
from resources.exports_header import HEAD_LINES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from kernels.exports import Lines
    from resources.captures import Capture

_TAB, _LF, _CR, _QUOTE = 9, 10, 13, 34
#: Separators that are one byte; the full-width comma is turned into one.
DELIMITERS = (",", "\t", ";", "|", "，")
#: Stands for a separator that is no single byte.
UNIT_SEPARATOR = 0x1F
LONGEST_LINE = 1 << 20
#: Bytes of one chunk: bounds the arrays of a stretch.
CHUNK_BYTES = 8 << 20
#: Of a look ahead, which mostly ends soon.
LOOK_BYTES = 1 << 19
_UTF8_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Chunk:
    """Whole lines as bytes of UTF-8 or GB18030. `base`: place of buf[0] in the file; `offsets`, `sizes`: place and bytes of each line where
    they do not follow from `buf`, whose source then is `source` from `base`. `counted`: bytes of lines are bytes of the file.
    `floats`: numbers are texts of doubles.
    """  # fmt: skip

    buf: NDArray[np.uint8]
    base: int
    delimiter: int
    quote: int = _QUOTE
    encoding: str = "utf-8"
    offsets: NDArray[np.int64] | None = None
    sizes: NDArray[np.int64] | None = None
    source: bytes = b""
    counted: bool = True
    floats: bool = False

    @property
    def stop(self) -> int:
        """Bytes of the chunk."""
        return self.buf.size

    def places(self, lines: Lines) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Bytes and place in the file of each line."""
        if self.offsets is not None:
            n = lines.size
            sizes = np.zeros(n, np.int64) if self.sizes is None else self.sizes[:n]
            return sizes, self.offsets[:n]
        starts = lines.line_lo.astype(np.int64)
        return np.diff(starts, append=self.buf.size), starts + self.base

    def decoded(self, raw: bytes) -> str:
        """A cell as text."""
        text = decode(raw, self.encoding)
        return text.replace('""', '"') if self.quote and b'""' in raw else text

    def text(self, lo: int, hi: int) -> str:
        """Bytes of the chunk as text."""
        return self.decoded(self.buf[lo:hi].tobytes())

    def raw(self, lines: Lines, row: int) -> bytes:
        """The bytes of a line as the file has them, without its end."""
        if self.source and self.offsets is not None and self.sizes is not None:
            at = int(self.offsets[row]) - self.base
            return self.source[at : at + int(self.sizes[row])]
        return self.buf[lines.line_lo[row] : lines.line_hi[row]].tobytes().rstrip(b"\r").replace(b"\x1f", b"\t")


def decode(raw: bytes, encoding: str) -> str:
    """Bytes as text: the encoding of the file, else the other one, else spelled out."""
    for name in (encoding, "utf-8", "gb18030"):
        try:
            return raw.decode(name)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file's text is written; `skip` bytes of a mark stand before it."""

    encoding: str
    delimiter: str
    skip: int
    carriage: bool


def dialect_of(head: bytes) -> Dialect:
    """Encoding and separator by the first bytes of a file."""
    if head[:3] == _UTF8_BOM:
        encoding, skip = "utf-8", 3
    elif head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding, skip = ("utf-16-le" if head[:2] == b"\xff\xfe" else "utf-16-be"), 2
    elif head[1:400:2].count(0) > len(head[:400]) // 4:
        encoding, skip = "utf-16-le", 0
    else:
        encoding, skip = _eight_bit(head), 0
    text = _cut_off(head[skip:], encoding)
    carriage = "\n" not in text and "\r" in text
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()][:HEAD_LINES]
    return Dialect(encoding, _delimiter(lines), skip, carriage)


def _eight_bit(head: bytes) -> str:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The head may end inside a character.
        return "utf-8" if error.end >= len(head) - 1 and len(head) - error.start < 4 else "gb18030"
    return "utf-8"


def _cut_off(raw: bytes, encoding: str) -> str:
    return raw.decode(encoding, "ignore")


def _delimiter(lines: list[str]) -> str:
    """The separator that cuts the lower half of the lines into most cells."""
    half = lines[len(lines) // 2 :]
    counts = {d: sorted(_outside_quotes(line).count(d) for line in half) for d in DELIMITERS}
    best = max(DELIMITERS, key=lambda d: counts[d][len(half) // 2] if half else 0)
    return best if half and counts[best][len(half) // 2] else ""


def _outside_quotes(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)


def head_rows(head: bytes, dialect: Dialect, *, whole: bool) -> list[list[str]]:
    """The cells of the first lines; an unfinished last line is left out unless the head is the whole file."""
    text = _cut_off(head[dialect.skip :], dialect.encoding)
    lines = re.split(r"\r" if dialect.carriage else r"\r?\n", text)
    lines = lines if whole else lines[:-1]
    return [next(csv.reader([line], delimiter=dialect.delimiter), []) for line in lines[:HEAD_LINES]]


class Tally:
    """Lines counted as they pass, apart from what becomes of them."""

    def __init__(self) -> None:
        self.lines = 0

    def count(self, data: bytes, dialect: Dialect) -> None:
        """Count the lines of whole lines, of which the last may lack its end."""
        end = "\r" if dialect.carriage else "\n"
        if dialect.encoding.startswith("utf-16"):
            text = data.decode(dialect.encoding, "replace")
            self.lines += text.count(end) + (not text.endswith(end))
        else:
            self.lines += data.count(end.encode()) + (not data.endswith(end.encode()))


def chunks(capture: Capture, dialect: Dialect, tally: Tally, most: int = 0) -> Iterator[Chunk]:
    """The text of a file in chunks of whole lines, in order, of `most` bytes each (0: CHUNK_BYTES)."""
    most = most or CHUNK_BYTES
    kept = b""
    base = 0
    for block in capture.blocks():
        data = kept + block.buf[: block.stop].tobytes()
        capture.recycle(block)
        cut = len(data) if block.at_end else _last_line(data, dialect)
        if len(data) - cut > LONGEST_LINE:
            raise ExportError(
                f"第 {base + cut} 字节起有超长的行", f"a line longer than {LONGEST_LINE} bytes begins at byte {base + cut}",
                "请核对文件", "is it a table?",
            )  # fmt: skip
        at = 0
        while at < cut:
            end = cut if cut - at <= most else at + (_last_line(data[at : at + most], dialect) or cut - at)
            skip = dialect.skip if base + at == 0 else 0
            tally.count(data[at:end], dialect)
            yield _chunk(data[at:end], base + at, dialect, skip)
            at = end
        kept = data[cut:]
        base += cut


def _last_line(data: bytes, dialect: Dialect) -> int:
    """End of the last whole line."""
    if not dialect.encoding.startswith("utf-16"):
        return data.rfind(b"\r" if dialect.carriage else b"\n") + 1
    mark = "\n".encode(dialect.encoding)
    at = data.rfind(mark)
    while at > 0 and at % 2:
        at = data.rfind(mark, 0, at + 1)
    return at + 2 if at >= 0 else 0


def _chunk(data: bytes, base: int, dialect: Dialect, skip: int) -> Chunk:
    plain = len(dialect.delimiter.encode()) == 1 and not dialect.encoding.startswith("utf-16")
    if not plain:
        return _rewritten(data, base, dialect, skip)
    buf = np.frombuffer(data, np.uint8)
    if skip or dialect.carriage:
        buf = buf.copy()
        # Blanks in place of the mark: no byte changes its place.
        buf[:skip] = 32
        if dialect.carriage:
            buf[buf == _CR] = _LF
    return Chunk(buf, base, ord(dialect.delimiter), encoding=dialect.encoding)


def _rewritten(data: bytes, base: int, dialect: Dialect, skip: int) -> Chunk:
    """Text whose separators are no single bytes, written anew; lines keep their places in the file."""
    text = data[skip:].decode(dialect.encoding, "replace")
    end = "\r" if dialect.carriage else "\n"
    lines = text.split(end)
    ended = lines[-1] == ""
    lines = lines[:-1] if ended else lines
    sizes = np.array([len((line + end).encode(dialect.encoding, "replace")) for line in lines], np.int64)
    if sizes.size:
        sizes[0] += skip
        sizes[-1] += len(data) - int(sizes.sum())
    offsets = (
        base + np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)[:-1]]) if sizes.size else np.empty(0, np.int64)
    )
    one = dialect.delimiter if len(dialect.delimiter.encode()) == 1 else chr(UNIT_SEPARATOR)
    made = "\n".join(lines).replace(dialect.delimiter, one) if lines else ""
    buf = np.frombuffer(made.encode(errors="replace"), np.uint8)
    return Chunk(buf, base, ord(one), offsets=offsets, sizes=sizes, source=data)
