"""The bilingual workbook that plants fill in: one sheet a ledger table, as the reader reads it back.

Belongs here: sheets, headers, units, choices, months filled in, the example and the notes. Does not belong here: names and units
(`reference/ledgers`), reading (`ledgers_workbook`, `ledgers_sheet`), options of the command (`pipelines`).
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import xlsxwriter

import reference
from contracts.ledgers import FACILITIES, LEDGERS, METERINGS, NCV_SOURCES, PROVENANCE, UNITS
from resources.events_words import folded
from resources.ledgers_sheet import letter
from resources.ledgers_words import STAMPS, load_words

if TYPE_CHECKING:
    from contracts import Column, Table
    from resources.ledgers_words import Words

#: Rows of a sheet that choices are offered in.
ROWS = 600
#: Where the header stands: title and hint above it, names in English and units below.
_HEAD, _FIRST = 2, 5
_LISTED = {"facility": FACILITIES, "metering": METERINGS, "ncv_source": NCV_SOURCES, "unit": UNITS}
_EXAMPLE = "template-example.csv"
_EPOCH = datetime(2024, 1, 1)


@dataclass(frozen=True)
class Form:
    """Whom a workbook is for. `plants`: id and name; `lines`: id and plant; months of `year` are filled in where a plant or line is named."""

    plants: tuple[tuple[str, str], ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    year: int = 0
    fuels: tuple[str, ...] = ("bituminous",)
    materials: tuple[str, ...] = field(default=("carbide_slag",))


def write_template(form: Form) -> bytes:
    """The workbook, .xlsx; the same form gives the same bytes."""
    out = io.BytesIO()
    # Without a fixed day the file would say when it was written, and differ from one call to the next.
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"title": "月度台账 / monthly ledgers", "created": _EPOCH})
        styles = _styles(book)
        _notes(book, styles)
        lists = _lists(form)
        for table in LEDGERS:
            _sheet(book, styles, table, form, lists)
        _example(book, styles)
        _submission(book, styles)
        _list_sheet(book, lists)
    return out.getvalue()


def _styles(book: xlsxwriter.Workbook) -> dict[str, Any]:
    head = {"bold": True, "bg_color": "#DDEBF7", "border": 1, "text_wrap": True, "valign": "top"}
    return {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "hint": book.add_format({"font_color": "#7F7F7F"}),
        "head": book.add_format(head),
        "key": book.add_format({**head, "bg_color": "#FCE4D6"}),
        "english": book.add_format({"font_color": "#595959", "border": 1, "italic": True}),
        "unit": book.add_format({"font_color": "#595959", "border": 1, "align": "center"}),
        "text": book.add_format({"num_format": "@"}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
    }


def _lists(form: Form) -> dict[str, list[str]]:
    """Choices by column, in Chinese where they have a Chinese name; each is read back."""
    words = load_words()
    fossil = [f.zh for f in words.fuels.values() if f.kind != "alternative"]
    meanings = {c.name: [zh for zh, _ in c.meanings] for t in LEDGERS for c in t.columns if c.name in _LISTED}
    return {
        **{
            name: [zh if folded(zh) in words.values[name] else v for v, zh in zip(_LISTED[name], some, strict=True)]
            for name, some in meanings.items()
        },
        "unit": list(UNITS),
        "fuel": fossil,
        "altfuel": [f.zh for f in words.fuels.values() if f.kind == "alternative"],
        "material": [m.zh for m in words.materials.values()],
        "withdrawn": ["是", "否"],
        "plant_id": [plant for plant, _ in form.plants],
        "line_id": [line for line, _ in form.lines],
    }


def _columns(table: Table) -> list[str]:
    return [*(n for n in table.names if n not in PROVENANCE), "withdrawn"]


def _sheet(
    book: xlsxwriter.Workbook, styles: dict[str, Any], table: Table, form: Form, lists: dict[str, list[str]]
) -> None:
    words = load_words()
    sheet = book.add_worksheet(_sheet_name(table, words))
    sheet.write(0, 0, f"{table.zh} / {table.en}", styles["title"])
    sheet.write(
        1,
        0,
        "橙色列必填；数值按所列单位填写，不写单位 / orange columns are required; numbers in the unit given, without it",
        styles["hint"],
    )
    names = _columns(table)
    for i, name in enumerate(names):
        header = words.headers[table.name][name]
        required = name in table.key and not table[name].nullable
        sheet.write(_HEAD, i, header.zh, styles["key" if required else "head"])
        sheet.write(_HEAD + 1, i, name, styles["english"])
        sheet.write(_HEAD + 2, i, _unit(header.units), styles["unit"])
        if name not in STAMPS and (remark := _remark(table[name])):
            sheet.write_comment(_HEAD, i, remark, {"x_scale": 2})
        sheet.set_column(i, i, max(12, 2 * len(header.zh) + 2), None if _is_number(table, name) else styles["text"])
        _choices(sheet, table, name, i, lists)
    for n, row in enumerate(_filled(table, form)):
        for i, name in enumerate(names):
            if row.get(name):
                sheet.write_string(_FIRST + n, i, row[name])
    sheet.freeze_panes(_FIRST, 0)


def _sheet_name(table: Table, words: Words) -> str:
    return next(word for word, name in words.sheet_names.items() if name == table.name)


def _unit(units: tuple[str, ...]) -> str:
    return " 或 ".join(units)


def _is_number(table: Table, name: str) -> bool:
    return name not in STAMPS and table[name].type == pa.float64()


def _remark(column: Column) -> str:
    return f"{column.zh.partition('：')[2]}\n{column.en}\n{column.source}".strip()


def _choices(sheet: Any, table: Table, name: str, column: int, lists: dict[str, list[str]]) -> None:  # noqa: ANN401 - a worksheet
    """A drop-down where there is a list; a number may not be text or negative."""
    key = "altfuel" if (table.name, name) == ("ledger_altfuel", "fuel") else name
    span = (_FIRST, column, _FIRST + ROWS, column)
    if lists.get(key):
        at = list(lists).index(key)
        source = f"={_LISTS}!${letter(at)}$2:${letter(at)}${len(lists[key]) + 1}"
        # Names of plants and lines may be written out in words the list does not have.
        sheet.data_validation(*span, {"validate": "list", "source": source, "error_type": "warning"})
    elif _is_number(table, name):
        column_of = table[name]
        low, high = column_of.low or 0, 1e9 if column_of.high is None else column_of.high
        text = f"{low:g} - {high:g} {column_of.unit}"
        sheet.data_validation(
            *span,
            {"validate": "decimal", "criteria": "between", "minimum": low, "maximum": high, "error_message": text},
        )


def _filled(table: Table, form: Form) -> list[dict[str, str]]:
    """Rows with their key and nothing else: the reader takes them for no submission until a number stands in them."""
    if not form.year or "month" not in table.names:
        return []
    months = [f"{form.year:04d}-{m:02d}" for m in range(1, 13)]
    if "line_id" not in table.names or table.name == "ledger_electricity":
        subjects = [{"plant_id": plant} for plant, _ in form.plants]
    else:
        subjects = [{"plant_id": plant, "line_id": line} for line, plant in form.lines]
    words = load_words()
    if table.name == "ledger_fuel":
        burnt = [(s, "水泥窑", f) for s in subjects for f in form.fuels]
        # Vehicles are the plant's own, of no line.
        burnt += [({"plant_id": plant}, "移动燃烧设备", "diesel") for plant, _ in form.plants]
        subjects = [
            {**s, "facility": place, "fuel": words.fuels[f].zh, "unit": words.fuels[f].unit} for s, place, f in burnt
        ]
    if table.name == "ledger_rawmat":
        subjects = [{**s, "material": words.materials[m].zh} for s in subjects for m in form.materials]
    if table.name == "ledger_altfuel":
        return []
    return [{**s, "month": month} for s in subjects for month in months]


def _notes(book: xlsxwriter.Workbook, styles: dict[str, Any]) -> None:
    sheet = book.add_worksheet("说明 notes")
    sheet.set_column(0, 0, 120)
    lines = (reference.LEDGERS / "template-notes.md").read_text(encoding="utf-8").splitlines()
    for i, line in enumerate(lines):
        sheet.write_string(i, 0, line, styles["title"] if i == 0 else styles["wrap"])
    words = load_words()
    sources = sorted(
        {
            h.source
            for some in words.headers.values()
            for h in some.values()
            if not h.source.startswith(("registry/", "design"))
        }
    )
    sheet.write_string(len(lines), 0, f"来源 sources: {'; '.join(sources)}", styles["wrap"])


def _example(book: xlsxwriter.Workbook, styles: dict[str, Any]) -> None:
    """A filled table; the sheet is not read."""
    sheet = book.add_worksheet("示例 example")
    sheet.write(0, 0, "示例，不读取 / an example that is not read: 化石燃料 ledger_fuel", styles["title"])
    with (reference.LEDGERS / _EXAMPLE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    words = load_words()
    for i, name in enumerate(rows[0]):
        sheet.write(2, i, words.headers["ledger_fuel"][name].zh, styles["head"])
        sheet.write(3, i, name, styles["english"])
    for r, row in enumerate(rows[1:], 4):
        for c, cell in enumerate(row):
            sheet.write(r, c, float(cell) if cell.replace(".", "", 1).isdigit() else cell)


def _submission(book: xlsxwriter.Workbook, styles: dict[str, Any]) -> None:
    """Stamps of the whole workbook; what a row says itself goes before them."""
    sheet = book.add_worksheet("提交信息 submission")
    sheet.set_column(0, 1, 24, styles["text"])
    sheet.set_column(2, 2, 80)
    words = load_words()
    hints = {
        "submitted_at": "如 e.g. 2024-02-05 09:30；同一行多次提交时以最后一次为准 / of several submissions of a row the last counts",
        "revision": "1, 2, 3 …",
    }
    for i, name in enumerate(hints):
        sheet.write(i, 0, words.headers["ledger_fuel"][name].zh, styles["head"])
        sheet.write(i, 2, hints[name], styles["hint"])


_LISTS = "选项lists"


def _list_sheet(book: xlsxwriter.Workbook, lists: dict[str, list[str]]) -> None:
    sheet = book.add_worksheet(_LISTS)
    for i, (name, values) in enumerate(lists.items()):
        sheet.write(0, i, name)
        for r, value in enumerate(values, 1):
            sheet.write_string(r, i, value)
