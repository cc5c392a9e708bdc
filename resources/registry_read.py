"""One file of the registry: bytes in, cells and problems out.

Belongs here: encoding, CSV structure, header, and the cells of each row. Does not belong here: the grammar of a cell
(`registry_cells`) and rules between rows or files (`registry_check`).
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from resources.problems import Problem
from resources.registry_cells import Complaint, Value, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resources.registry_schema import Sheet


@dataclass(frozen=True, slots=True)
class Placed:
    """A row: the 1-based line it starts on, and its cells. A cell that could not be read is absent from `cells`."""

    row: int
    cells: dict[str, Value]

    def says(self, column: str, value: Value) -> bool:
        """Whether the cell could be read and holds `value` (None: it was left empty)."""
        return column in self.cells and self.cells[column] == value

    def filled(self, column: str) -> bool:
        """Whether the cell could be read and is not empty."""
        return self.cells.get(column) is not None

    @property
    def period(self) -> tuple[date, date] | None:
        """(first day, first day no longer in force), the latter date.max when open; None when it could not be read."""
        first, end = self.cells.get("valid_from"), self.cells.get("valid_to", 0)
        if not isinstance(first, date) or end == 0:
            return None
        end = end if isinstance(end, date) else date.max
        return (first, end) if first < end else None


@dataclass(slots=True)
class Reading:
    """One file as read. `whole`: every record was seen, so that an id that is not in `ids` does not exist.

    `ids` holds the first cell of every record as written, also of those with errors.
    """

    sheet: Sheet
    rows: list[Placed] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    whole: bool = False

    def problem(self, row: int, column: str, value: object, complaint: Complaint) -> Problem:
        """A problem in this file."""
        return Problem(self.sheet.file, row, column, str(value), *complaint)

    def complain(self, row: int, column: str, value: str, complaint: Complaint) -> None:
        """Note an error."""
        self.problems.append(self.problem(row, column, value, complaint))


def read_sheet(sheet: Sheet, data: bytes) -> Reading:
    """Read every row of one file; nothing is raised, everything wrong is in `problems`."""
    made = Reading(sheet)
    text = _decode(made, data)
    if text is None:
        return made
    made.whole = True
    records = _records(made, text)
    head = next(records, None)
    names = [name.strip() for name in head[1]] if head else []
    if head is None and not made.problems:
        made.complain(0, "", "", _NO_HEADER)
    if head is None or not _header_holds(made, names):
        made.whole = False
        return made
    for row, texts in records:
        _read_row(made, row, names, texts)
    return made


#: The parts of a number on both sides of its thousands separator.
_LEAD, _GROUP = re.compile(r"[0-9]{1,3}"), re.compile(r"[0-9]{3}(\.[0-9]*)?")
_NO_HEADER = Complaint("文件为空", "the file is empty", "第一行写列名", "write the column names on the first line")


def _decode(made: Reading, data: bytes) -> str | None:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        offset = error.start
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        complaint = Complaint(
            "既不是 UTF-8 也不是 GB18030 编码", "is neither UTF-8 nor GB18030",
            "另存为 CSV UTF-8", "save it as CSV UTF-8",
        )  # fmt: skip
        made.complain(0, "", "", complaint)
        return None
    # A single damaged byte makes a UTF-8 file fall through to GB18030 and its names turn to nonsense: say so.
    complaint = Complaint(
        f"字节 {offset} 处不是 UTF-8, 已按 GB18030 读取", f"read as GB18030: byte {offset} is not UTF-8",
        "核对名称, 另存为 CSV UTF-8", "check the names and save the file as CSV UTF-8",
    )  # fmt: skip
    made.warnings.append(made.problem(0, "", "", complaint))
    return text


def _records(made: Reading, text: str) -> Iterator[tuple[int, list[str]]]:
    """(first line, cells) of each record that is not blank. A structural error ends the file."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            complaint = Complaint(
                f"CSV 结构错误: {error}", f"broken CSV: {error}",
                "检查引号; 此行之后未读取", "check the quotes; nothing after this line was read",
            )  # fmt: skip
            made.complain(line, "", "", complaint)
            made.whole = False
            return
        if any(c.strip() for c in cells):
            yield line, cells
        line = reader.line_num + 1


def _header_holds(made: Reading, names: list[str]) -> bool:
    wanted = [c.name for c in made.sheet.cells]
    listed = ",".join(wanted)
    for name in [n for n in wanted if n not in names]:
        hint = (
            "加上该列, 可选列可留空; 各列以逗号分隔",
            "add it, optional cells may stay empty; separate columns by commas",
        )
        made.complain(1, name, "", Complaint("缺少列", "column is missing", *hint))
    for name in dict.fromkeys(n for n in names if n not in wanted):
        # A column of the owner's own (remarks, contacts) does no harm; a misspelt one shows as missing above.
        hint = f"未使用; 如为笔误请改名, 列为 {listed}", f"not used; if misspelt rename it, columns are {listed}"
        made.warnings.append(made.problem(1, name, name, Complaint("未知列", "unknown column", *hint)))
    for name in dict.fromkeys(n for n in names if n in wanted and names.count(n) > 1):
        made.complain(1, name, name, Complaint("列重复", "column appears twice", "只保留一列", "keep one of them"))
    return not made.problems


def _split_number(sheet: Sheet, names: list[str], texts: list[str]) -> bool:
    """Whether a row of too many cells, empty ones at its end included, reads with two of them joined, and not without."""
    if len(texts) <= len(names):
        return False
    cells = {c.name: c for c in sheet.cells}

    def fits(row: list[str]) -> bool:
        return not any(
            isinstance(parse(cells[n], t), Complaint) for n, t in zip(names, row, strict=False) if n in cells
        )

    joined = (
        [*texts[:n], texts[n] + texts[n + 1], *texts[n + 2 :]]
        for n in range(len(names))
        if _LEAD.fullmatch(texts[n]) and _GROUP.fullmatch(texts[n + 1])
    )
    return not fits(texts) and any(fits(row) for row in joined)


def _read_row(made: Reading, row: int, names: list[str], texts: list[str]) -> None:
    whole = [t.strip() for t in texts]
    texts = list(whole)
    while len(texts) > len(names) and not texts[-1]:
        texts.pop()
    given = dict(zip(names, texts, strict=False))
    made.ids.add(given.get(made.sheet.cells[0].name, ""))
    placed = Placed(row, {})
    made.rows.append(placed)
    if len(texts) > len(names) or _split_number(made.sheet, names, whole):
        complaint = Complaint(
            f"本行 {len(whole)} 个单元格，表头 {len(names)} 列：数字里是否有千分位逗号？",
            f"has {len(whole)} cells where the header has {len(names)}: does a number hold a thousands separator?",
            "去掉千分位逗号, 检查逗号与引号", "write numbers without it; check commas and quotes",
        )  # fmt: skip
        made.complain(row, "", "", complaint)
        return
    if len(texts) != len(names):
        complaint = Complaint(
            f"应有 {len(names)} 个单元格, 实有 {len(texts)} 个", f"has {len(texts)} cells where the header has {len(names)}",
            "检查逗号与引号", "check commas and quotes",
        )  # fmt: skip
        made.complain(row, "", "", complaint)
        return
    for cell in made.sheet.cells:
        value = parse(cell, given[cell.name])
        if isinstance(value, Complaint):
            made.complain(row, cell.name, given[cell.name], value)
        else:
            placed.cells[cell.name] = value
    if "valid_from" in placed.cells and "valid_to" in placed.cells and placed.period is None:
        complaint = Complaint(
            "失效日期不晚于生效日期", "valid_to is not after valid_from",
            "valid_to 为失效当日 (不含), 须晚于 valid_from", "valid_to is the first day no longer in force: put it after valid_from",
        )  # fmt: skip
        made.complain(row, "valid_to", given["valid_to"], complaint)
