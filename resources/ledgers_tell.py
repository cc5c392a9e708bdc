"""Findings on ledgers: from cells of many rows at once to findings with file, sheet!cell, value and remedy.

Belongs here: places of cells, and how many findings of one kind are told. Does not belong here: finding anything (the other `ledgers`
modules) and the texts (`reference/findings.toml`).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from resources.findings import Place
from resources.ledgers_words import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from resources.events import Finding
    from resources.findings import Kind
    from resources.ledgers_sheet import Note

#: Columns of a frame that say where its rows stand.
PATH, SHEET, SHEET_NO, ROW, LETTERS, TOTAL, CONTENT, ID = (
    "_path", "_sheet", "_sheet_no", "_row", "_letters", "_total", "_content", "_id",
)  # fmt: skip
Row = dict[str, Any]
#: Kind, file, sheet and column of findings that are alike.
_Alike = tuple[str, str, str, str]


def place_of(sheet: str, row: int, column: str, letter: str) -> str:
    """A cell as people look for it: `sheet!C12` of a workbook, `12[column]` of a CSV file; without a column `sheet!row 12`, `12`. `letter` may be
    the whole cell: where months stand across, the values of a month stand in several rows.
    """
    if number := letter.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        return f"{sheet}!{letter}" if sheet else f"{number}[{column}]"
    if not sheet:
        return f"{row}[{column}]" if column else str(row)
    return f"{sheet}!{letter}{row}" if letter else f"{sheet}!row {row}"


@lru_cache(maxsize=4096)
def letters_of(text: str) -> dict[str, str]:
    """Letters, or whole cells, by column of one sheet."""
    found: dict[str, str] = json.loads(text)
    return found


class Teller:
    """Gathers findings. Of one kind in one column of a sheet only the first are told, and how many more there are."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._kinds = kinds
        self._seen: Counter[_Alike] = Counter()
        #: Rows of findings that are not told one by one; None for a sheet.
        self._untold: defaultdict[_Alike, list[int | None]] = defaultdict(list)
        self._severity: dict[_Alike, str] = {}
        #: Each with its file, sheet and row, where it is of such.
        self._told: list[tuple[Finding, tuple[str, str, int | None] | None]] = []
        self._most = int(limits()["most_alike"])

    def note(self, path: str, note: Note) -> None:
        """What was seen while a file was read."""
        cell = place_of(note.sheet, note.row, note.column, note.letter) if note.row else (note.sheet or None)
        figures = {"column": note.column, "sheet": note.sheet, **note.figures}
        if self._room((note.kind, path, note.sheet, note.column), None):
            made = self._kinds[note.kind].finding(Place(source_file=path, source_cell=cell), note.value, figures)
            self._add(made, (path, note.sheet, None), note.column)

    def cells(
        self, kind: str, rows: pl.DataFrame, column: str, value: str = "",
        figures: Callable[[Row], Mapping[str, object]] | None = None, *, low: float | None = None, high: float | None = None,
        worse: Callable[[Row], bool] | None = None,
    ) -> None:  # fmt: skip
        """The same of a cell of each row; `value` names the column that holds what is to be shown, `column` the one blamed; `worse` tells
        rows where it is graver.
        """
        for some in rows.partition_by(PATH, SHEET, maintain_order=True) if rows.height else ():
            for row in some.head(self._most + 1).iter_rows(named=True):
                told = {"column": column, **(figures(row) if figures else {})}
                shown, grave = row.get(value) if value else None, worse is not None and worse(row)
                self.row(kind, row, column, shown, told, low=low, high=high, worse=grave)
            for number in some[ID][self._most + 1 :] if ID in some.columns else ():
                self._room((kind, some[PATH][0], some[SHEET][0], column), number)

    def row(
        self, kind: str, row: Row, column: str, value: object, figures: Mapping[str, object], *,
        low: float | None = None, high: float | None = None, worse: bool = False,
    ) -> None:  # fmt: skip
        """One finding at a cell of a row, or at the row for column ""."""
        if not self._room((kind, row[PATH], row[SHEET], column), row.get(ID)):
            return
        letter = letters_of(row[LETTERS]).get(column, "") if column else ""
        at = Place(
            row.get("plant_id") or None, row.get("line_id") or None, None, row.get("month") or None,
            row[PATH], place_of(row[SHEET], row[ROW], column, letter),
        )  # fmt: skip
        shown = None if value is None else shortest(value)
        made = self._kinds[kind].finding(at, shown, figures, low=low, high=high, worse=worse)
        self._add(made, (row[PATH], row[SHEET], row.get(ID)), column)

    def say(self, kind: str, at: Place, value: str | None, figures: Mapping[str, object]) -> None:
        """One finding at a place."""
        self._told.append((self._kinds[kind].finding(at, value, figures), None))

    def _add(self, made: Finding, of: tuple[str, str, int | None], column: str) -> None:
        self._severity.setdefault((made.check_id, of[0], of[1], column), made.severity)
        self._told.append((made, of))

    def _room(self, which: _Alike, row: int | None) -> bool:
        self._seen[which] += 1
        if self._seen[which] > self._most:
            self._untold[which].append(row)
        return self._seen[which] <= self._most

    def findings(self, corrected: Callable[[str, str, int | None], str] = lambda *_: "") -> list[Finding]:
        """All that was told, and for each kind that was told too often how often it was not; `corrected` says where a sheet or row was
        submitted again: nobody need look at what was wrong with it.
        """
        made = [self._closed(f, corrected(*of) if of else "") for f, of in self._told]
        for which, rows in sorted(self._untold.items()):
            kind, path, sheet, column = which
            by = [corrected(path, sheet, row) for row in rows]
            figures = {"check": kind, "column": column or "-", "more": by.count("") or len(by)}
            at = Place(source_file=path, source_cell=sheet or None)
            more = self._kinds["L90_and_more"].finding(at, f"{kind} {column}", figures)
            made.append(self._closed(replace(more, severity=self._severity[which]), min(by)))
        return made

    def _closed(self, finding: Finding, by: str) -> Finding:
        if not by or finding.severity == "info":
            return finding
        zh, en = f"已被 {by} 更正: {finding.text_zh}", f"corrected by {by}: {finding.text_en}"
        return replace(finding, severity="info", text_zh=zh, text_en=en)


def shortest(value: object) -> str:
    """A number as short as its double allows, anything else as text."""
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)
