"""The documents that lie in a release beside its tables.

Belongs here: `datapackage.json` and `dictionary.md` of the tables a release holds. Does not belong here: what a
column is (`contracts`) and the manifest (`release_records`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from contracts import TABLES
from contracts.dictionary import descriptor, dictionary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from resources.release_records import FileRecord, ReleaseFacts


def dictionary_page(tables: Iterable[str]) -> bytes:
    """The data dictionary of these tables, in the order of the contracts."""
    wanted = set(tables)
    return dictionary(table for name, table in TABLES.items() if name in wanted).encode()


def datapackage(release_id: str, facts: ReleaseFacts, files: Iterable[FileRecord]) -> bytes:
    """Frictionless Data Package: one resource per table, its files as a list of paths (hashes stand in the manifest)."""
    by_table: dict[str, list[FileRecord]] = {}
    for record in sorted(files, key=lambda f: f.path):
        if record.table:
            by_table.setdefault(record.table, []).append(record)
    package = {
        "profile": "data-package",
        "name": "kilnledger-release",
        "id": release_id,
        "version": release_id,
        "title": "水泥企业在线监测与核算数据 / cement plant monitoring and accounting data",
        "created": facts.created_at,
        "resources": [_resource(name, records) for name, records in sorted(by_table.items())],
    }
    return json.dumps(package, ensure_ascii=False, indent=1).encode() + b"\n"


def _resource(name: str, records: list[FileRecord]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "profile": "data-resource",
        "name": name,
        "path": [r.path for r in records],
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "bytes": sum(r.bytes for r in records),
        "rows": sum(r.rows or 0 for r in records),
    }
    if name in TABLES:
        table = TABLES[name]
        made |= {"title": table.zh, "description": table.en, "schema": descriptor(table)}
    return made
