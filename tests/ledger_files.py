"""Ledgers as files for tests: homes of plants and lines alone, CSV texts, workbooks with whatever is wrong with them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import xlsxwriter

from resources.home import Home
from resources.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from resources.events import Finding

PLANTS = "plant_id,name,name_en,uscc,group,province,prefecture,latitude,longitude,ambient_pressure_kpa,region_class,valid_from,valid_to"
LINES = "line_id,plant_id,clinker_class,capacity_t_d,valid_from,valid_to"
FUEL = "plant_id,line_id,facility,fuel,month,consumption,unit,ncv_gj\n"
CLINKER = "line_id,month,output_t,run_hours,opening_t,closing_t\n"


def home(
    root: Path, files: dict[str, str | bytes] | None = None, *, plants: int = 2, since: str = "2016-01-01"
) -> Home:
    """Plants P1, P2 … with lines P1-1, P1-2 …; `files` by name below landing/ledgers."""
    registry = root / "registry"
    registry.mkdir(parents=True, exist_ok=True)
    some = range(1, plants + 1)
    rows = [f"P{n},第{n}水泥厂(模拟),Synthetic Plant {n},,,贵州,,,,89,general,{since}," for n in some]
    (registry / "plants.csv").write_text("\n".join([PLANTS, *rows, ""]), encoding="utf-8")
    rows = [f"P{n}-{k},P{n},portland,4500,{since}," for n in some for k in (1, 2)]
    (registry / "lines.csv").write_text("\n".join([LINES, *rows, ""]), encoding="utf-8")
    submit(root, files or {})
    return opened(root)


def opened(root: Path) -> Home:
    return Home(Settings(home=str(root)))


def submit(root: Path, files: dict[str, str | bytes]) -> None:
    """Write files below landing/ledgers; keys name them with their ending."""
    for name, content in files.items():
        path = root / "landing" / "ledgers" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def workbook(
    sheets: dict[str, list[list[Any]]], *, merges: dict[str, list[tuple[str, Any]]] | None = None, hidden: tuple[str, ...] = (),
    formulas: dict[str, dict[str, tuple[str, Any]]] | None = None, date_1904: bool = False,
) -> bytes:  # fmt: skip
    """A workbook. Dates are written as dates; `merges` by sheet: range and value; `formulas` by sheet and cell: text and cached value."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "date_1904": date_1904}) as book:
        day = book.add_format({"num_format": "yyyy-mm"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for r, row in enumerate(rows):
                for c, value in enumerate(row):
                    if hasattr(value, "year"):
                        sheet.write_datetime(r, c, value, day)
                    elif value is not None:
                        sheet.write(r, c, value)
            for span, value in (merges or {}).get(name, []):
                sheet.merge_range(span, value)
            for cell, (text, value) in (formulas or {}).get(name, {}).items():
                sheet.write_formula(cell, text, None, value)
            if name in hidden:
                sheet.hide()
    return out.getvalue()


def found(of: Home, check: str = "") -> list[Finding]:
    """Findings of the ledgers, all or of one check, by place."""
    some = [f for f in of.ledgers.findings if f.check_id.startswith(check)]
    return sorted(some, key=lambda f: (f.source_file or "", f.source_cell or "", f.check_id))


def checks(of: Home) -> list[str]:
    """Which checks found something, but for months that are missing and fuel that nobody gave."""
    return sorted({f.check_id for f in of.ledgers.findings} - {"L60_missing_months", "L62_clinker_without_fuel"})
