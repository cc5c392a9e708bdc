"""One file of declarations: bytes in, rows of cells by column out, or why it is refused.

Belongs here: encoding, separators, quotes, the header and which table it stands for. Does not belong here: what a cell means
(`events_words`) and what a row declares (`events_rows`).
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from resources.events_words import BLANK, load_words

STATES, MARKS = "process_states", "device_marks"
#: Columns of each kind of file; of the optional ones a file may have none.
REQUIRED = {
    STATES: ("event_id", "line_id", "state", "start", "end"),
    MARKS: ("event_id", "outlet_id", "channel", "mark", "start", "end"),
}
OPTIONAL = {STATES: ("declared_at", "evidence"), MARKS: ("declared_at", "last_calibration_at")}
#: A quoted cell may run over this many lines; a quote that is never closed then costs its own line and no more.
LONGEST_RECORD = 20
#: Lines above the header that may hold a title.
TITLE_LINES = 5
_SEPARATORS = (",", "\t", ";", "，")
_LINE = re.compile(r"\r\n|\n|\r")
_HAN = re.compile("[\u4e00-\u9fff]")


class Refusal(NamedTuple):
    """Why a file is refused and what to do, in both languages."""

    zh: str
    en: str
    cure_zh: str
    cure_en: str

    def __str__(self) -> str:
        return f"{self.zh}，{self.cure_zh} / {self.en}; {self.cure_en}"


class Broken(NamedTuple):
    """A row that cannot be taken apart."""

    line: int
    text: str
    zh: str
    en: str


@dataclass(slots=True)
class Sheet:
    """A file as read. `rows` hold the cells of `columns`, stripped, with the line each row starts on; the first line is 1."""

    kind: str
    columns: tuple[str, ...]
    unknown: tuple[str, ...]
    damaged_at: int | None
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)


def read_file(data: bytes) -> Sheet | Refusal:
    """Read one file; nothing is raised."""
    decoded = decode(data)
    if isinstance(decoded, Refusal):
        return decoded
    text, damaged_at = decoded
    lines = _LINE.split(text)
    tops = list(islice((n for n, line in enumerate(lines) if line.strip(BLANK + ",;\t")), TITLE_LINES))
    if not tops:
        return Refusal("文件为空", "the file is empty", "第一行写列名", "write the column names on the first line")
    for at in tops:
        for separator in _SEPARATORS:
            header = _header(lines, at, separator)
            if isinstance(header, Refusal):
                return header
            if header:
                kind, columns, unknown, first = header
                sheet = Sheet(kind, tuple(c for c in columns if c), unknown, damaged_at)
                _fill(sheet, lines, first, separator, columns)
                return sheet
    return _no_header([lines[n] for n in tops])


def decode(data: bytes) -> tuple[str, int | None] | Refusal:
    """The text, and where the first byte lies that is no UTF-8 in a file that is UTF-8 but for a few."""
    if b"\0" in data:
        return Refusal(
            "不是文本文件", "is no text file", "在电子表格中另存为 CSV UTF-8", "save it as CSV UTF-8 in the spreadsheet"
        )
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        offset = error.start
    # One damaged character must not turn every Chinese name of the file to nonsense.
    patched = data.decode("utf-8-sig", "replace")
    if len(_HAN.findall(patched)) > patched.count("\ufffd"):
        return patched, offset
    try:
        return data.decode("gb18030"), None
    except UnicodeDecodeError:
        return Refusal(
            "既不是 UTF-8 也不是 GB18030 编码",
            "is neither UTF-8 nor GB18030",
            "另存为 CSV UTF-8",
            "save it as CSV UTF-8",
        )


def _header(lines: list[str], at: int, separator: str) -> tuple[str, list[str], tuple[str, ...], int] | Refusal | None:
    """(kind, column per cell or "", names that are not used, index of the next line); None if it is no header."""
    record = _record(lines, at, separator)
    if isinstance(record, str):
        return None
    cells, after = record
    while cells and not cells[-1].strip(BLANK):
        cells.pop()
    columns = load_words().columns_of(cells)
    kinds = [k for k, wanted in REQUIRED.items() if set(wanted) <= set(columns)]
    if not kinds:
        return None
    if len(kinds) > 1:
        return Refusal(
            "同时含有工况与设备标记的列", "holds the columns of both process states and device marks",
            "分成两个文件", "make two files of it",
        )  # fmt: skip
    used = {*REQUIRED[kinds[0]], *OPTIONAL[kinds[0]]}
    twice = sorted({c for c in columns if c in used and columns.count(c) > 1})
    if twice:
        return Refusal(
            f"列重复: {', '.join(twice)}", f"columns appear twice: {', '.join(twice)}",
            "各只保留一列", "keep one of each",
        )  # fmt: skip
    columns = [c if c in used else "" for c in columns]
    unknown = tuple(name.strip(BLANK) for name, c in zip(cells, columns, strict=True) if not c and name.strip(BLANK))
    return kinds[0], columns, unknown, after


def _no_header(tops: list[str]) -> Refusal:
    """Refusal of a file without a header, with what the line that is most like one lacks."""
    words = load_words()
    split = [[c.strip(f'{BLANK}"') for c in line.split(max(_SEPARATORS, key=line.count))] for line in tops]
    cells = max(split, key=lambda some: len(set(words.columns_of(some)) - {""}))
    columns = words.columns_of(cells)
    kind = max(REQUIRED, key=lambda k: len(set(columns) & set(REQUIRED[k])))
    if not set(columns) & set(REQUIRED[kind]):
        listed = " | ".join(",".join((*REQUIRED[k], *OPTIONAL[k])) for k in REQUIRED)
        return Refusal(
            "第一行不是列名", "the first line holds no column names",
            f"第一行写列名: {listed}", f"name the columns on the first line: {listed}",
        )  # fmt: skip
    lacking = {c: words.called(c) for c in REQUIRED[kind] if c not in columns}
    zh = "；".join(f"缺少{spelt[0]}列（可写：{'、'.join(spelt)}）" for spelt in lacking.values())
    en = "; ".join(f"column {c} is missing (also read: {', '.join(spelt[:-1])})" for c, spelt in lacking.items())
    seen = [cell for cell, c in zip(cells, columns, strict=True) if c]
    strange = [cell for cell, c in zip(cells, columns, strict=True) if cell and not c]
    zh += f"；表中已识别的列：{'、'.join(seen)}；表中未识别的列：{'、'.join(strange) or '无'}"
    en += f"; columns read: {', '.join(seen)}; columns not known: {', '.join(strange) or 'none'}"
    listed = ",".join((*REQUIRED[kind], *OPTIONAL[kind]))
    return Refusal(zh, en, f"此类文件的列为: {listed}", f"the columns of such a file are: {listed}")


def _record(lines: list[str], at: int, separator: str) -> tuple[list[str], int] | str:
    """Cells of the record that starts at a line, and the index after it; what is wrong with its quotes as text."""
    if '"' not in lines[at]:
        return lines[at].split(separator), at + 1
    some = (f"{line}\n" for line in lines[at : at + LONGEST_RECORD])
    reader = csv.reader(some, delimiter=separator, strict=True)
    try:
        cells = next(reader)
    except csv.Error as error:
        return str(error)
    return cells, at + reader.line_num


def _fill(sheet: Sheet, lines: list[str], first: int, separator: str, columns: list[str]) -> None:
    """Rows and broken rows of a sheet."""
    blank = BLANK + separator
    wanted = [n for n, c in enumerate(columns) if c]
    at = first
    while at < len(lines):
        line = at
        at += 1
        if not lines[line].strip(blank):
            continue
        record = _record(lines, line, separator)
        if isinstance(record, str):
            sheet.broken.append(Broken(line + 1, lines[line], f"引号有误 ({record})", f"broken quotes ({record})"))
            continue
        cells, after = record
        while len(cells) > len(columns) and not cells[-1].strip(BLANK):
            cells.pop()
        if len(cells) != len(columns) or after > line + 1:
            wrong = _misfit(cells, columns)
            if wrong:
                # A quote left open may have swallowed lines that are rows of their own: only this line is given up.
                sheet.broken.append(Broken(line + 1, lines[line], *wrong))
                continue
        at = after
        sheet.rows.append((line + 1, [cells[n].strip(BLANK) for n in wanted]))


def _misfit(cells: list[str], columns: list[str]) -> tuple[str, str] | None:
    if len(cells) != len(columns):
        return (
            f"应有 {len(columns)} 个单元格, 实有 {len(cells)} 个",
            f"it has {len(cells)} cells where the header has {len(columns)}",
        )
    if any("\n" in cell.strip(BLANK) for cell, column in zip(cells, columns, strict=True) if column != "evidence"):
        return "单元格跨行", "a cell runs over the end of the line"
    return None
