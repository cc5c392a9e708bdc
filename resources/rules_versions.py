"""What a row of a rule pack is called, and the text that its version is taken over.

Belongs here: names and canonical texts of rows. Does not belong here: reading them (`rules_read`) and choosing the row in force
(`rules`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from resources.rules_schema import TABLES

if TYPE_CHECKING:
    from datetime import date

    from resources.rules_rows import Row

_DEFAULTS = {table: {key.name: key.default for key in keys if not key.required} for table, keys in TABLES.items()}


def limit_id(row: Row, point_type: str) -> str:
    """The name of a limit at one kind of outlet: pack, point type, pollutant, and what tells it from its neighbours."""
    parts = [row.pack.id, point_type, row.cells["pollutant"]]
    for told in (row.cells.get("region_classes", ()), row.cells.get("variants", ())):
        parts += told if len(told) == 1 else ()
    parts += [row.cells["suffix"]] if row.cells["suffix"] else ()
    return "/".join(parts)


def row_ids(row: Row) -> list[str]:
    """The names of a row, one per question that it answers."""
    if row.table in ("limit", "standard_limit"):
        return [limit_id(row, point_type) for point_type in row.cells["point_types"]]
    if row.table == "o2_reference":
        return [f"{row.pack.id}/o2_reference/{point_type}" for point_type in row.cells["point_types"]]
    if row.table == "target":
        return [f"{row.pack.id}/target/{row.cells['target_date']}"]
    if row.table in ("tag", "clause"):
        return [f"{row.pack.id}/{row.table}/{row.cells['tag' if row.table == 'tag' else 'name']}"]
    return [f"{row.pack.id}/{row.cells['name']}"]


def canonical(row: Row, first: date, last: date) -> str | None:
    """What a row says about [first, last], both inclusive; None for a clause, which is read and never computed with.

    Keys at their defaults are left out: a key that the schema learns later moves no version.
    """
    if row.table == "clause":
        return None
    cite, defaults = row.cite, _DEFAULTS[row.table]
    cells = {name: value for name, value in row.cells.items() if name not in defaults or value != defaults[name]}
    end = None if cite.effective_to is None or cite.effective_to > last else cite.effective_to
    said: list[Any] = [
        row.table, cells, cite.clause, cite.mark, cite.confidence, max(cite.effective_from, first), end,
    ]  # fmt: skip
    return json.dumps(said, ensure_ascii=False, sort_keys=True, default=str)
