"""Editions of factors compared, and a new one made into rows of a home's own factor file.

Belongs here: what differs between two editions, rows of the book out of a foreign list, the file to write. Does not belong here:
reading foreign lists (`factors_maps`) and choosing the row in force (`factors`).

What was recorded stays recorded: an import adds rows with their day of record and removes none, so that what was known on an earlier
day can still be asked for.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from resources.factors_check import misled, repeated
from resources.factors_maps import EditionRow
from resources.factors_read import COLUMNS, read_factors
from resources.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from resources.factors_maps import Map
    from resources.factors_read import Factor

#: A factor that moves by this much between editions has changed its unit, or somebody slipped.
SCALE = Decimal(50)


@dataclass(frozen=True, slots=True)
class Change:
    """One series that differs: kind added, removed, changed or unit; `jump` where the value moved by an order of magnitude or more."""

    kind: str
    name: str
    old: EditionRow | None
    new: EditionRow | None

    @property
    def jump(self) -> bool:
        """Whether the value moved more than a factor does in a year. A zero is a value and no jump."""
        if (
            self.old is None
            or self.new is None
            or self.old.unit != self.new.unit
            or not self.old.value
            or not self.new.value
        ):
            return False
        ratio = abs(self.new.value / self.old.value)
        return ratio >= SCALE or ratio <= 1 / SCALE


def compare(old: Iterable[EditionRow], new: Iterable[EditionRow]) -> list[Change]:
    """Every series that differs, by name. A name that is left with one unit on each side has changed its unit."""
    before, after = ({(r.name, r.unit): r for r in rows} for rows in (old, new))
    found = [
        Change("changed", name, before[name, unit], after[name, unit])
        for name, unit in sorted(before.keys() & after.keys())
        if before[name, unit].value != after[name, unit].value
    ]
    gone, come = (
        {k: v for k, v in side.items() if k not in other} for side, other in ((before, after), (after, before))
    )
    lost, fresh = (_by_name(side) for side in (gone, come))
    for name in sorted({*lost, *fresh}):
        a, b = lost.get(name, []), fresh.get(name, [])
        if len(a) == len(b) == 1:
            found.append(Change("unit", name, a[0], b[0]))
        else:
            found += [Change("removed", name, row, None) for row in a] + [Change("added", name, None, row) for row in b]
    return found


def _by_name(rows: dict[tuple[str, str], EditionRow]) -> dict[str, list[EditionRow]]:
    made: dict[str, list[EditionRow]] = {}
    for (name, _), row in sorted(rows.items()):
        made.setdefault(name, []).append(row)
    return made


def edition_of(rows: Iterable[Factor], known_on: date | None = None) -> list[EditionRow]:
    """Rows of the book as an edition: of each series and first day, what was recorded last by `known_on`."""
    last: dict[tuple[object, ...], Factor] = {}
    for row in sorted((r for r in rows if known_on is None or r.recorded_at <= known_on), key=lambda r: r.recorded_at):
        last[(*row.series, row.valid_from)] = row
    return [_as_row(r, dated=True) for r in last.values()]


def _as_row(row: Factor, *, dated: bool) -> EditionRow:
    parts = [row.quantity, row.scope, row.region, "|".join(row.methods), f"{row.valid_from} -" if dated else ""]
    name = " / ".join(p for p in parts if p)
    return EditionRow(
        name,
        row.unit,
        row.exact,
        row.data_year,
        row.valid_from,
        row.valid_to,
        "",
        row.line,
        {"factor_id": row.factor_id},
    )


def own_cells(file: str, content: bytes) -> tuple[list[dict[str, str]], list[Problem]]:
    """Cells of a file in the book's own columns, and what is wrong with its form; `recorded_at` is that of the import."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    except UnicodeDecodeError:
        return [], [Problem(file, 0, "", "", "不是 UTF-8 编码", "is not UTF-8", "另存为 UTF-8", "save it as UTF-8")]
    reader.fieldnames = [n.strip() for n in reader.fieldnames or ()]
    problems = [
        Problem(file, 1, n, "", "未知的列", "unknown column", "删除该列, 或用 --map", "remove it, or name a --map")
        for n in reader.fieldnames if n not in COLUMNS
    ]  # fmt: skip
    rows = []
    for row in reader if not problems else ():
        if None in row:
            hint = (
                "单元格多于表头",
                "has more cells than the header",
                "含逗号的文字加引号",
                "put text with commas in quotes",
            )
            problems.append(Problem(file, reader.line_num, "", "", *hint))
        rows.append({k: v or "" for k, v in row.items() if k in COLUMNS})
    return rows, problems


def mapped(rows: Iterable[EditionRow], by: Map) -> tuple[list[dict[str, str]], int]:
    """Rows of the book that a map makes of an edition (cells by column, without the day of record), and how many it leaves."""
    made, left = [], 0
    for row in rows:
        rules = [
            f
            for f in by.factors
            if all(row.cells.get(k) == v for k, v in f["where"].items()) and f["from_unit"] == row.unit
        ]
        if not rules or row.first is None:
            left += 1
            continue
        rule = rules[0]
        cells = {k: str(v).format_map(row.cells) for k, v in rule.items() if k in COLUMNS}
        made.append(
            cells
            | {
                "value": row.text,
                "data_year": str(row.year or ""),
                "valid_from": str(row.first),
                "note": row.converted and f"as published {row.converted}",
            }
        )
    return made, left


@dataclass(frozen=True, slots=True)
class Import:
    """What an import would do: the content of the file, rows that are new in it, what moves in force, and what is wrong."""

    content: bytes
    fresh: int
    known: int
    changes: list[Change]
    problems: list[Problem]


def plan_import(
    target: str, cells: list[dict[str, str]], recorded_at: date, book: Iterable[Factor], own: bytes | None
) -> Import:
    """The import of rows as `target`, over the book and the file `own` that stands there. Nothing is written."""
    rows = list(book)
    text = _text([{**c, "recorded_at": str(recorded_at)} for c in cells])
    given, problems = read_factors(target, text)
    standing = {(*r.series, r.valid_from): r for r in sorted(rows, key=lambda r: r.recorded_at)}
    fresh = [
        r
        for r in given
        if (s := standing.get((*r.series, r.valid_from))) is None
        or (s.exact, s.unit, s.valid_to) != (r.exact, r.unit, r.valid_to)
    ]
    changes = _moved(rows, fresh)
    mine = [r for r in rows if r.file == target]
    # A series that the new edition does not tell any more; one that it carries on has changed, under whatever id.
    told = {g.series for g in given}
    gone = {r.factor_id: r for r in mine if r.series not in told}
    changes += [Change("removed", r.factor_id, _as_row(r, dated=False), None) for _, r in sorted(gone.items())]
    problems = [
        *problems,
        *repeated([*rows, *fresh]),
        *misled([*rows, *fresh]),
        *(_jumped(target, c) for c in changes if c.jump),
    ]
    lines = {r.line for r in fresh}
    # Line 1 is the header: the row of line n is the cell list n - 2, which holds as long as no cell has a line break.
    added = [c for n, c in enumerate(cells, 2) if n in lines]
    return Import(_joined(own, added, recorded_at), len(fresh), len(given) - len(fresh), changes, problems)


def _moved(rows: list[Factor], fresh: list[Factor]) -> list[Change]:
    """What each new row takes the place of: the row of its series that is in force on its first day."""
    found = []
    for row in fresh:
        held = [
            r
            for r in rows
            if r.series == row.series
            and r.valid_from <= row.valid_from
            and (r.valid_to is None or row.valid_from < r.valid_to)
        ]
        old = max(held, key=lambda r: (r.valid_from, r.recorded_at), default=None)
        kind = "added" if old is None else "unit" if old.unit != row.unit else "changed"
        if old is None or (old.exact, old.unit) != (row.exact, row.unit):
            found.append(
                Change(kind, row.factor_id, _as_row(old, dated=False) if old else None, _as_row(row, dated=False))
            )
    return found


def _jumped(target: str, change: Change) -> Problem:
    old, new = change.old, change.new
    was = f"{old.text} {old.unit}" if old else ""
    return Problem(
        target, new.line if new else 0, "value", new.text if new else "", f"与现行值 {was} 相差 {SCALE} 倍以上",
        f"is {SCALE} times or more away from {was} in force", "核对单位", "check the unit",
    )  # fmt: skip


def _text(cells: list[dict[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows([{k: " ".join(v.split()) for k, v in c.items()} for c in cells])
    return out.getvalue().encode()


def _joined(own: bytes | None, added: list[dict[str, str]], recorded_at: date) -> bytes:
    """The rows that stand there, as they are, and the new ones."""
    before = list(csv.DictReader(io.StringIO((own or b"").decode("utf-8-sig"), newline="")))
    kept = [{k: v or "" for k, v in row.items() if k in COLUMNS} for row in before]
    return _text([*kept, *({**c, "recorded_at": str(recorded_at)} for c in added)])
