"""Rows of the rule packs that contradict one another.

Belongs here: two rows that answer the same question on the same day. Does not belong here: single rows (`rules_read`).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING

from resources.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resources.rules_rows import Pack, Row


def conflicts(packs: list[Pack], rows: list[Row]) -> list[Problem]:
    """Packs that share an id, and rows that say two things at once; each names file and line of both."""
    made = []
    seen: set[str] = set()
    for pack in packs:
        if pack.id in seen:
            texts = "规则包编号重复", "two packs have this id", "改用另一编号", "give one of them another id"
            made.append(Problem(f"{pack.id}.toml", 0, "pack.id", pack.id, *texts))
        seen.add(pack.id)
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        for question in _questions(row):
            groups[question].append(row)
    for question, group in groups.items():
        made += _overlaps(question, group)
    return made


def _questions(row: Row) -> Iterator[str]:
    """What a row answers, one text per question."""
    cells = row.cells
    if row.table == "limit":
        for point_type in cells["point_types"]:
            for region in cells["region_classes"]:
                yield f"limit {row.pack.kind} {point_type} {region} {cells['pollutant']}"
    elif row.table == "o2_reference":
        for point_type in cells["point_types"]:
            yield f"o2_reference {point_type}"
    elif row.table == "target":
        for province in cells["provinces"] or ("",):
            yield f"target {province} {cells['region_class'] or ''} {cells['target_date']}"
    else:
        yield f"{row.table} {cells.get('name') or cells.get('tag')}"


def _overlaps(question: str, group: list[Row]) -> Iterator[Problem]:
    ordered = sorted(group, key=lambda r: (r.cite.effective_from, r.file, r.line))
    latest = ordered[0]
    for row in ordered[1:]:
        if row.cite.effective_from < (latest.cite.effective_to or date.max):
            other = f"{latest.file}:{latest.line}"
            yield Problem(
                row.file, row.line, row.table, question,
                f"与 {other} 同时有效", f"is in force together with {other}",
                "以 effective_to 结束前一行", "end the earlier row with effective_to",
            )  # fmt: skip
        latest = max(latest, row, key=lambda r: r.cite.effective_to or date.max)
