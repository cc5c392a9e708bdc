"""A ledger as delimited text: bytes in, lines of cells out.

Belongs here: encoding, separators and quotes of CSV files, cells stripped of what does not matter. Does not belong here: workbooks
(`ledgers_workbook`) and what the cells mean (`ledgers_sheet`, `ledgers_cells`).
"""

from __future__ import annotations

import csv
import re
import unicodedata
from itertools import chain
from typing import TYPE_CHECKING

from resources.events_file import LONGEST_RECORD, Refusal, decode
from resources.events_words import BLANK
from resources.ledgers_sheet import Grid, Note
from resources.ledgers_words import limits, load_words

if TYPE_CHECKING:
    from collections.abc import Sequence

_SEPARATORS = (",", "\t", ";", "|", "，")
#: What a spreadsheet calls "Unicode text" begins so.
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_LINE = re.compile(r"\r\n|\n|\r")


def read_text(data: bytes, table: str, notes: list[Note]) -> Grid | Refusal:
    """The lines of a CSV file, cut where its header says; what is wrong with single lines is noted."""
    decoded = decode(_of_utf_16(data) if data[:2] in _UTF_16 else data)
    if isinstance(decoded, Refusal):
        return decoded
    text, damaged_at = decoded
    if damaged_at is not None:
        notes.append(Note("L12_damaged_characters", "", 0, "", "", None, {"offset": str(damaged_at)}))
    lines = _LINE.split(text)
    if not any(line.strip(BLANK + ",;\t") for line in lines):
        return Refusal("文件为空", "the file is empty", "第一行写列名", "write the column names on the first line")
    separator = max(_SEPARATORS, key=lambda s: _named(lines, table, s))
    return Grid("", cleaned(_cut(lines, separator, notes)))


def _of_utf_16(data: bytes) -> bytes:
    """The same in UTF-8; what is no UTF-16 for all its beginning is left as it is."""
    try:
        return data.decode("utf-16").encode()
    except UnicodeDecodeError:
        return data


def _named(lines: list[str], table: str, separator: str) -> int:
    """Columns that the best of the first lines names when it is cut so."""
    words = load_words()
    first = [line for line in lines[: int(limits()["header_rows"])] if separator in line]
    return max(
        (sum(words.heading(table, c.strip('"')) is not None for c in line.split(separator)) for line in first),
        default=0,
    )


def _cut(lines: list[str], separator: str, notes: list[Note]) -> list[tuple[int, Sequence[str]]]:
    if not any('"' in line for line in lines):
        return [(n, line.split(separator)) for n, line in enumerate(lines, 1) if line]
    made: list[tuple[int, Sequence[str]]] = []
    at = 0
    while at < len(lines):
        at = _some(lines, at, separator, made, notes)
    return made


def _some(
    lines: list[str], first: int, separator: str, made: list[tuple[int, Sequence[str]]], notes: list[Note]
) -> int:
    """Records from a line on, up to the end or past a line whose quotes are broken: it is given up, the next is read anew."""
    reader = csv.reader((f"{line}\n" for line in lines[first:]), delimiter=separator, strict=True)
    at = first
    try:
        for cells in reader:
            after = first + reader.line_num
            if after - at > LONGEST_RECORD:
                break
            if cells:
                made.append((at + 1, cells))
            at = after
        else:
            return at
        why = "quote"
    except csv.Error as error:
        why = str(error)
    notes.append(Note("L13_broken_quotes", "", at + 1, "", "", lines[at], {"why": why}))
    return at + 1


def cleaned(rows: list[tuple[int, Sequence[str]]]) -> list[tuple[int, Sequence[str]]]:
    """The same with each cell stripped, and "" where it says that there is nothing. Each spelling is looked at once."""
    blanks = load_words().blanks
    spelt = {}
    for text in set(chain.from_iterable(cells for _, cells in rows)):
        plain = text.strip(BLANK)
        folded = plain if plain.isascii() else unicodedata.normalize("NFKC", plain)
        made = "" if folded.casefold() in blanks else plain
        if made != text:
            spelt[text] = made
    if not spelt:
        return rows
    return [(n, [spelt.get(c, c) for c in cells]) for n, cells in rows]
