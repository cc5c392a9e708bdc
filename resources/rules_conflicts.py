"""Rows of the rule packs that contradict one another.

Belongs here: two rows that answer the same question on the same day. Does not belong here: single rows (`rules_read`).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from itertools import product
from typing import TYPE_CHECKING

from resources.problems import Problem
from resources.provinces import province_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    variants = variants_of(rows)
    for row in rows:
        for question in _questions(row, variants[row.pack.id]):
            groups[question].append(row)
    for question, group in groups.items():
        made += _overlaps(question, group)
    return made


def variants_of(rows: Iterable[Row]) -> defaultdict[str, set[str]]:
    """The classes of plants that each pack tells apart, by pack id; empty where it tells none."""
    made: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        made[row.pack.id] |= set(row.cells.get("variants", ()))
    return made


def _questions(row: Row, variants: set[str]) -> Iterator[str]:
    """What a row answers, one text per question; `variants` are those of its pack."""
    cells = row.cells
    if row.table == "limit":
        provinces = sorted({province_key(p) for p in cells["provinces"]} or {""})
        for answer in product(provinces, cells["point_types"], cells["region_classes"]):
            yield f"limit {row.pack.kind} {' '.join(answer)} {cells['pollutant']}"
    elif row.table == "standard_limit":
        for variant, point_type in product(cells["variants"] or sorted(variants) or ("",), cells["point_types"]):
            yield f"standard_limit {row.pack.id} {variant} {point_type} {cells['pollutant']}"
    elif row.table == "clause":
        yield f"clause {row.pack.id} {cells['name']}"
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
