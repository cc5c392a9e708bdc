"""A ledger as the workbook that the template is: one sheet a table, title, hint, names in two languages, units, then rows.

Belongs here: sheets and cells. Does not belong here: which rows stand in a book (`ledger_files`) and the empty template
(`resources.ledgers_template`).
"""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import xlsxwriter

from contracts import TABLES
from contracts.ledgers import PROVENANCE
from resources.ledgers_words import load_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.ledger_slips import Written

#: Where names and rows begin, as in the template.
_HEAD, _FIRST = 2, 5
_EPOCH = datetime(2024, 1, 1)


def workbook(
    tables: dict[str, list[Written]], submitted: datetime, revision: int, spell: Callable[[str, dict[str, str]], dict[str, str]]
) -> bytes:  # fmt: skip
    """The .xlsx of rows by table; their places are noted in them. `spell`: a row of a table in the language of the plant."""
    out = io.BytesIO()
    names = {table: name for name, table in load_words().sheet_names.items()}
    # Without a fixed day the file would say when it was written.
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"title": "月度台账(模拟) / monthly ledgers (simulated)", "created": _EPOCH})
        for table, rows in tables.items():
            _sheet(book.add_worksheet(names[table]), table, rows, names[table], spell)
        sheet = book.add_worksheet("提交信息 submission")
        known = load_words().headers["ledger_fuel"]
        for i, (name, text) in enumerate(
            (("submitted_at", f"{submitted:%Y-%m-%d %H:%M}"), ("revision", str(revision)))
        ):
            sheet.write_string(i, 0, known[name].zh)
            sheet.write_string(i, 1, text)
    return out.getvalue()


def _sheet(
    sheet: xlsxwriter.worksheet.Worksheet, table: str, rows: list[Written], name: str, spell: Callable[[str, dict[str, str]], dict[str, str]]
) -> None:  # fmt: skip
    contract, known = TABLES[table], load_words().headers[table]
    columns = [n for n in contract.names if n not in PROVENANCE]
    numbers = {c.name for c in contract.columns if c.type == pa.float64()}
    sheet.write_string(0, 0, f"{contract.zh} / {contract.en}")
    sheet.write_string(1, 0, "模拟数据 / simulated")
    for i, column in enumerate(columns):
        for row, text in enumerate((known[column].zh, column, " 或 ".join(known[column].units)), _HEAD):
            sheet.write_string(row, i, text)
    for at, written in enumerate(rows, _FIRST):
        cells = spell(table, written.cells)
        for i, column in enumerate(columns):
            text = cells[column]
            if column in numbers and text.replace(".", "", 1).removeprefix("-").isdigit():
                sheet.write_number(at, i, float(text))
            elif text:
                sheet.write_string(at, i, text)
        written.sheet, written.line = name, at + 1
