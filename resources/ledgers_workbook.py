"""A ledger as a workbook: guards before it is opened, then whole sheets as lines of text.

Belongs here: what makes a workbook dangerous or unreadable, sheets, merged cells, cells that hold an error or a formula that was never
calculated. Does not belong here: delimited text (`ledgers_text`) and what the cells mean (`ledgers_sheet`, `ledgers_cells`).
"""

from __future__ import annotations

import datetime as dt
import html
import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import python_calamine as calamine

from resources.events_file import Refusal
from resources.ledgers_sheet import Grid, Merge, Note, letter
from resources.ledgers_text import cleaned
from resources.ledgers_words import limits, load_words

if TYPE_CHECKING:
    from collections.abc import Sequence

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_MB = 1 << 20
_RESEND = ("在 Excel 中另存为 .xlsx 后重新发送", "save it as .xlsx in Excel and send it again")
_SHEET = re.compile(rb'<(?:\w+:)?sheet\b[^>]*?\bname="([^"]*)"[^>]*?\b\w+:id="([^"]*)"')
_TARGET = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")
_ATTRIBUTE = re.compile(rb'\b(Id|Target)="([^"]*)"')
#: Cells that are not empty, those that hold an error, and formulas whose value is not in the file; text may be empty by intent.
_FILLED = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*(?<!/)>(?!</)')
#: A place beyond the last row or column of a sheet, or one that no spreadsheet writes so: the reader would make room for all before it.
_BEYOND = re.compile(
    rb"<(?:\w+:)?(?:c|row)\b[^>]*?\sr\s*=\s*(?:'|\"(?!(?:[A-Z]{1,3})?[0-9]{1,7}\"))|<(?:\w+:)?row\b[^>]*?\sr=\"(?:[2-9][0-9]{6}|1[1-9][0-9]{5})\""
)
#: A cell that does not say where it stands: it is in the row that its row names.
_PLACELESS = re.compile(rb"<(?:\w+:)?c(?:\s+(?!r=)[\w:]+=\"[^\"]*\")*\s*>")
_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\sr="([0-9]{1,7})"')
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\b(?=[^>]*\bhidden="(?:1|true)")[^>]*?\br="([0-9]{1,7})"[^>]*(?<!/)>')
_HIDDEN_COLUMNS = re.compile(rb'<(?:\w+:)?col\b(?=[^>]*\bhidden="(?:1|true)")[^>]*>')
_SPAN = re.compile(rb'\b(min|max)="([0-9]{1,5})"')
_ERROR = re.compile(rb'<(?:\w+:)?c\b(?=[^>]*\bt="e")[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
_UNCOUNTED = re.compile(
    rb'<(?:\w+:)?c\b(?![^>]*\bt="(?:str|e)")[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)'
    rb"\s*(?:<(?:\w+:)?v\s*/>\s*|<(?:\w+:)?v>\s*</(?:\w+:)?v>\s*)?</(?:\w+:)?c>"
)
#: Longer than any one cell that matters: kept from piece to piece.
_KEPT = 1 << 16
#: Columns of a sheet; so many hidden places are named.
_WIDEST, _MOST_NAMED = 16384, 20


class _RefusedError(Exception):
    def __init__(self, *texts: str) -> None:
        self.refusal = Refusal(*texts)
        super().__init__(str(self.refusal))


@dataclass
class _Look:
    """What the XML of a sheet tells: the box of its values, cells with an error or without a value."""

    rows: int = 0
    columns: int = 0
    faults: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)

    @property
    def cells(self) -> int:
        return self.rows * self.columns


def read_workbook(data: bytes, notes: list[Note]) -> list[Grid] | Refusal:
    """The sheets that people see, in order. Hidden ones are noted and left out, and so is one that is absurdly large."""
    try:
        looks = _guard(data)
        return _grids(data, looks, notes)
    except _RefusedError as error:
        return error.refusal
    except calamine.PasswordError:
        return _locked()
    except (calamine.CalamineError, ValueError, OverflowError) as error:
        return _unreadable(error)
    except BaseException as error:
        # A panic of the reader's compiled part is no Exception; it is a damaged file all the same.
        if type(error).__name__ != "PanicException":
            raise
        return _unreadable(error)


def _unreadable(error: BaseException) -> Refusal:
    return Refusal(f"工作簿无法读取 ({error})", f"the workbook cannot be read ({error})", *_RESEND)


def _locked() -> Refusal:
    return Refusal(
        "工作簿有密码保护",
        "the workbook is protected by a password",
        "去掉密码后重新保存",
        "save it without a password",
    )


def _guard(data: bytes) -> dict[str, _Look]:
    """Looks by sheet name; of an .xls there are none."""
    most = limits()["largest_xls_mb" if data[:4] == OLE else "largest_file_mb"]
    if len(data) > most * _MB:
        raise _RefusedError(
            f"大于 {most:g} MB",
            f"is larger than {most:g} MB",
            "按年或按表拆分, .xls 请另存为 .xlsx",
            "split it by year or table; save an .xls as .xlsx",
        )
    if data[:4] == OLE:
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise _RefusedError(*_locked())
        return {}
    if data[:4] != ZIP:
        raise _RefusedError("不是 Excel 工作簿, 或已损坏", "is no workbook, or it is damaged", *_RESEND)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            _guard_size(packed.infolist())
            return _looks(packed)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError, OSError) as error:
        raise _RefusedError(
            f"文件已损坏或加密 ({error})", f"the file is damaged or encrypted ({error})", *_RESEND
        ) from error


def _guard_size(members: list[zipfile.ZipInfo]) -> None:
    """By the directory of the archive alone: nothing has been unpacked yet."""
    bounds = limits()
    total, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    too_many = len(members) > bounds["largest_members"]
    dense = total > bounds["ratio_from_mb"] * _MB and total > bounds["largest_ratio"] * max(1, packed)
    if too_many or dense or total > bounds["largest_unpacked_mb"] * _MB:
        raise _RefusedError(
            f"解压后有 {total // _MB} MB ({len(members)} 个成员), 未打开", f"would unpack to {total // _MB} MB ({len(members)} members) and was not opened",
            "删去空白区域和图片, 或另存为 CSV", "remove empty ranges and pictures, or save it as CSV",
        )  # fmt: skip


def _looks(packed: zipfile.ZipFile) -> dict[str, _Look]:
    names = set(packed.namelist())
    if "xl/workbook.xml" not in names:
        raise _RefusedError("压缩包中没有工作簿", "the archive holds no workbook", *_RESEND)
    targets = {}
    for tag in _TARGET.findall(packed.read("xl/_rels/workbook.xml.rels")):
        found = dict(_ATTRIBUTE.findall(tag))
        path = found.get(b"Target", b"").decode()
        targets[found.get(b"Id", b"")] = path[1:] if path.startswith("/") else f"xl/{path}"
    sheets = {i: html.unescape(n.decode()) for n, i in _SHEET.findall(packed.read("xl/workbook.xml"))}
    looks = {}
    for identity, name in sheets.items():
        path = targets.get(identity, "")
        if path.startswith("xl/worksheets/") and path in names:
            looks[name] = _look(packed, path)
    for member in names - set(targets.values()):
        # Read to the end all the same: the check sum of each member is part of being whole.
        with packed.open(member) as source:
            while source.read(_MB):
                pass
    return looks


def _look(packed: zipfile.ZipFile, path: str) -> _Look:
    made = _Look()
    with packed.open(path) as source:
        kept = b""
        while piece := source.read(_MB):
            data = kept + piece
            # A tag that the piece ends in is looked at with the next one.
            _take(made, data[: data.rfind(b">") + 1])
            kept = data[-_KEPT:]
    return made


def _take(look: _Look, data: bytes) -> None:
    if _BEYOND.search(data):
        raise _RefusedError("单元格位置超出工作表", "cells stand beyond the last row or column of a sheet", *_RESEND)
    if _PLACELESS.search(data):
        look.rows = max(look.rows, *map(int, _ROW.findall(data)), 0)
        look.columns = max(look.columns, 1)
    filled = _FILLED.findall(data)
    if filled:
        letters, rows = zip(*filled, strict=True)
        look.columns = max(look.columns, *(_column(c) + 1 for c in set(letters)))
        look.rows = max(look.rows, *map(int, set(rows)))
    if b" hidden=" in data:
        look.hidden_rows |= {int(r) for r in _HIDDEN_ROW.findall(data)}
        for tag in _HIDDEN_COLUMNS.findall(data):
            span = {name: int(n) for name, n in _SPAN.findall(tag)}
            look.hidden_columns |= set(range(span.get(b"min", 1) - 1, min(span.get(b"max", 0), _WIDEST)))
    if b'"e"' in data:
        look.faults |= {(int(r), _column(c)): "error" for c, r in _ERROR.findall(data)}
    if b"<f" in data or b":f" in data:
        look.faults |= {(int(r), _column(c)): "formula" for c, r in _UNCOUNTED.findall(data)}


def _column(letters: bytes) -> int:
    number = 0
    for byte in letters:
        number = 26 * number + byte - 64
    return number - 1


def _grids(data: bytes, looks: dict[str, _Look], notes: list[Note]) -> list[Grid]:
    if not looks:
        notes.append(Note("L14_old_workbook", "", 0, "", "", None, {}))
    grids = []
    with calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
        for meta in book.sheets_metadata:
            look = looks.get(meta.name, _Look())
            if meta.visible != calamine.SheetVisibleEnum.Visible:
                notes.append(Note("L15_hidden_sheet", meta.name, 0, "", "", None, {}))
            elif look.cells > limits()["largest_cells"]:
                figures = {"rows": f"{look.rows:,}", "columns": f"{look.columns:,}"}
                notes.append(Note("L16_huge_sheet", meta.name, 0, "", "", None, figures))
            elif meta.typ == calamine.SheetTypeEnum.WorkSheet:
                grids.append(_grid(book.get_sheet_by_name(meta.name), look))
                _tell_hidden(grids[-1], look, notes)
    return grids


def _tell_hidden(grid: Grid, look: _Look, notes: list[Note]) -> None:
    """Filters and folded groups hide what is filled in all the same."""
    if load_words().other_sheet(grid.name):
        return
    rows = [str(n) for n, _ in grid.rows if n in look.hidden_rows]
    filled = (
        {i for _, cells in grid.rows for i in look.hidden_columns if i < len(cells) and cells[i]}
        if look.hidden_columns
        else set()
    )
    columns = [letter(i) for i in sorted(filled)]
    if not rows and not columns:
        return
    zh = [f"{what} {_few(some)}" for what, some in (("行", rows), ("列", columns)) if some]
    en = [f"{what} {_few(some)}" for what, some in (("rows", rows), ("columns", columns)) if some]
    notes.append(
        Note(
            "L18_hidden_cells", grid.name, 0, "", "", None, {"places_zh": "、".join(zh), "places_en": " and ".join(en)}
        )
    )


def _few(some: Sequence[str]) -> str:
    more = f" … ({len(some)})" if len(some) > _MOST_NAMED else ""
    return ", ".join(some[:_MOST_NAMED]) + more


def _grid(sheet: calamine.CalamineSheet, look: _Look) -> Grid:
    if sheet.start is None:
        return Grid(sheet.name, [])
    # Lines come from the first row on, but cells from the first filled column.
    left = [""] * sheet.start[1]
    rows: list[tuple[int, Sequence[str]]] = [
        (n, texts) for n, row in enumerate(sheet.iter_rows(), 1) if any(texts := [*left, *map(text_of, row)])
    ]
    merged = [Merge(a[0] + 1, a[1], b[0] + 1, b[1]) for a, b in sheet.merged_cell_ranges or ()]
    return Grid(sheet.name, cleaned(rows), merged, look.faults)


def text_of(cell: object) -> str:
    """A cell as text, not stripped: a number as short as its double allows, a date as YYYY-MM-DD, with the time where it has one."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        whole = (cell + dt.timedelta(microseconds=500_000)).replace(microsecond=0)
        return str(whole.date()) if whole.time() == dt.time() else whole.isoformat(" ")
    return str(cell)
