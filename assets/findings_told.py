"""Findings as people read them: those of one check and file together, in the order in which they matter.

Belongs here: groups of rows of the table findings, their order, and which speak of a line's year. Does not belong here: finding anything,
names and texts (`reference/findings.toml`), and where they are shown (`report_declared`, `pipelines/cli_findings`, `pipelines/summary`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from resources.findings import load_findings, load_stages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Row = dict[str, Any]
#: From grave to mere notices, and what still needs somebody.
SEVERITIES = ("serious", "warn", "info")
OPEN = SEVERITIES[:2]
#: Beginnings of checks of ledgers and of carbon.
_OF_CARBON = "LC"
_YEAR = re.compile(r"(?<!\d)20\d\d(?!\d)")
REFUSED = "L01_file_refused"
#: Months and cells of a group that are named.
SHOWN = 3


def grouped(rows: Iterable[Row]) -> list[Row]:
    """One row a check, file and severity: how many, months, cells, plants and lines, and the text of the first; what matters most first."""
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["check_id"], row["source_file"] or "", row["severity"]), []).append(row)
    stages, kinds = load_stages(), load_findings()

    def order(group: Row) -> tuple[object, ...]:
        newest = max(group["periods"], default="")
        return (
            SEVERITIES.index(group["severity"]), stages.get(group["check_id"], stages[""]), [-ord(c) for c in newest],
            group["check_id"], group["source_file"],
        )  # fmt: skip

    groups = [_group(kinds, check, file, severity, some) for (check, file, severity), some in found.items()]
    return sorted(groups, key=order)


def _group(kinds: Any, check: str, file: str, severity: str, rows: list[Row]) -> Row:  # noqa: ANN401 - the catalogue
    rows = sorted(
        rows, key=lambda r: (r["period"] or "", _line(r["source_cell"]), r["source_cell"] or "", r["text_zh"])
    )
    kind = kinds.get(check)
    return {
        "check_id": check, "severity": severity, "source_file": file, "findings": len(rows),
        "title_zh": kind.title_zh if kind else "", "title_en": kind.title_en if kind else "",
        "plants": _some(rows, "plant_id"), "lines": _some(rows, "line_id"), "periods": _some(rows, "period"),
        "cells": list(dict.fromkeys(r["source_cell"] for r in rows if r["source_cell"])),
        "text_zh": rows[0]["text_zh"], "text_en": rows[0]["text_en"],
    }  # fmt: skip


def _some(rows: list[Row], name: str) -> list[str]:
    return sorted({r[name] for r in rows if r[name]})


def _line(cell: str | None) -> int:
    """Number of the line that a cell of a CSV file lies in; 0 where it names none."""
    digits = (cell or "").partition("[")[0]
    return int(digits) if digits.isdecimal() else 0


def place(group: Row) -> str:
    """File, the first cells and months of a group: `ledgers/a.xlsx:附件!6:6 (2025-01, 2025-02, 2025-03 …)`."""
    where = ":".join(p for p in (group["source_file"], cut(group["cells"])) if p)
    months = cut(group["periods"]) if group["findings"] > 1 else ""
    return f"{where} ({months})" if months and where else where or months


def cut(names: Sequence[str]) -> str:
    """The first of many names."""
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")


def in_words(group: Row) -> str:
    """One line: check, place, how many, text of the first."""
    grave = "严重 serious " if group["severity"] == "serious" else ""
    n = f"{group['findings']} 处 places: " if group["findings"] > 1 else ""
    where = place(group)
    return f"{grave}{group['check_id']}{' ' if where else ''}{where}: {n}{group['text_zh']} / {group['text_en']}"


def of_carbon(rows: Iterable[Row], year: str) -> list[Row]:
    """Serious findings of ledgers and carbon that speak of a year; one that names no time may speak of any, but for a year in its value.
    A file that was refused speaks of none: what it would have said is missing.
    """
    return [
        r
        for r in rows
        if r["severity"] == "serious"
        and r["check_id"][0] in _OF_CARBON
        and r["check_id"] != REFUSED
        and year in ([r["period"][:4]] if r["period"] else _YEAR.findall(r["value"] or "") or [year])
    ]


def against(rows: Iterable[Row], year: str, plant: str, line: str = "") -> list[Row]:
    """Those of a year that speak of a plant or of one of its lines; one that names no plant or line may speak of any."""
    return [
        r
        for r in of_carbon(rows, year)
        if (r["plant_id"] or plant) == plant and (not line or (r["line_id"] or line) == line)
    ]
