"""A home over a release: what was published stands in place of the lake, and what is tried on it lies in a folder that is thrown away.

Belongs here: bringing tables of a release into a lake of their own. Does not belong here: what is tried (`pipelines/cli_carbon.py`),
and releases themselves (`releases`).

Registry and books are those of the home as they stand now: a release tells their hashes and does not hold them.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from contracts import TABLES
from resources.home import Home
from resources.lake import Lake
from resources.release_records import TABLE, ReleaseError, folder
from resources.release_verify import read_manifest
from resources.storage import LocalStorage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from resources.settings import Settings


class HomeReleased(Home):
    """A home whose lake holds those tables of a release that `wanted(table, key)` names. ReleaseError where it cannot."""

    def __init__(self, settings: Settings, release_id: str, place: Path, wanted: Callable[[str, str], bool]) -> None:
        super().__init__(settings)
        self.release_id = release_id
        self._place = place
        self._wanted = wanted

    @cached_property
    def lake(self) -> Lake:
        """The tables of the release; written to at will, since it is a copy."""
        made = Lake(LocalStorage(self._place), self.settings.threads)
        parts: dict[tuple[str, str], list[pa.Table]] = {}
        for record in read_manifest(self.published, self.release_id).files:
            key = record.key.partition("/")[0]
            if record.role == TABLE and record.rows and self._wanted(record.table, key):
                parts.setdefault((record.table, key), []).append(self._table(record.path))
        for (table, key), some in sorted(parts.items()):
            whole = pa.concat_tables(some).unify_dictionaries()
            if whole.column_names != list(TABLES[table].names):
                raise ReleaseError(
                    f"{self.release_id}: {table} 的列与现行版本不同, 请用较新的发布 / has other columns of {table} than today: "
                    "name a newer release"
                )
            made.write(table, key, whole, made_by=self.release_id, inputs={})
        return made

    def _table(self, path: str) -> pa.Table:
        with self.published.open(f"{folder(self.release_id)}/{path}") as file:
            return pq.read_table(file)
