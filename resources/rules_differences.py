"""What differs between two rule books, or in one between two days.

Belongs here: matching rows by the question they answer and telling which values differ. Does not belong here: the words of it
(`pipelines/cli_rules.py`) and versions (`rules_versions`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resources.rules_versions import row_ids

if TYPE_CHECKING:
    from datetime import date

    from resources.rules import RuleBook
    from resources.rules_rows import Row

#: Cells that only say which row it is.
_PLACES = ("point_types", "provinces")


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that is there in one of the two alone, or says something else: `changes` gives (old, new) by key, None = absent."""

    kind: str  # "added", "removed", "changed"
    pack: str
    id: str
    effective_from: str | None
    changes: dict[str, tuple[Any, Any]]


def differences(
    old: RuleBook, new: RuleBook, old_day: date | None = None, new_day: date | None = None
) -> list[Difference]:
    """Every row that differs, sorted by pack and name.

    With days: what is in force on each, whatever the day a row began; without: row by row of two editions, a row being named by
    what it answers and the day it begins.
    """
    before, after = (_by_name(book, day) for book, day in ((old, old_day), (new, new_day)))
    made = []
    for key in sorted({*before, *after}):
        a, b = before.get(key), after.get(key)
        changes = _changes(a, b)
        if changes:
            kind = "added" if a is None else "removed" if b is None else "changed"
            made.append(Difference(kind, key[0], key[1], key[2] or None, changes))
    return made


def _by_name(book: RuleBook, day: date | None) -> dict[tuple[str, str, str], dict[str, Any]]:
    """What each row says by (pack, name, first day or "")."""
    made: dict[tuple[str, str, str], dict[str, Any]] = {}
    for pack in book.packs:
        for row in book.rows(pack.id, day):
            for name in row_ids(row):
                place = ", ".join(row.cells.get("provinces", ())) if not pack.provinces else ""
                key = (pack.id, f"{name} [{place}]" if place else name, "" if day else str(row.cite.effective_from))
                made[key] = _said(row, dated=day is None)
    return made


def _said(row: Row, *, dated: bool) -> dict[str, Any]:
    cells = {k: list(v) if isinstance(v, tuple) else v for k, v in row.cells.items() if k not in _PLACES}
    said = {k: v for k, v in cells.items() if v not in (None, [], "")}
    said |= {"clause": row.cite.clause, "mark": row.cite.mark, "confidence": row.cite.confidence}
    if dated:
        said["effective_to"] = str(row.cite.effective_to) if row.cite.effective_to else None
        said["note"] = row.cite.note or None
    return said


def _changes(a: dict[str, Any] | None, b: dict[str, Any] | None) -> dict[str, tuple[Any, Any]]:
    names = dict.fromkeys([*(a or {}), *(b or {})])
    pairs = {n: ((a or {}).get(n), (b or {}).get(n)) for n in names}
    return {n: pair for n, pair in pairs.items() if pair[0] != pair[1]}
