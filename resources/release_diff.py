"""What differs between two releases, in numbers a person reads.

Belongs here: files, rows and values by table. Does not belong here: the comparison itself (`release_changes`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from contracts import TABLES
from resources.release_changes import changed_partitions, movements
from resources.release_records import TABLE, folder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from resources.release_changes import Change, Movement
    from resources.release_records import FileRecord, Manifest
    from resources.storage import Storage


@dataclass(slots=True)
class ColumnChange:
    """How one column moved: changed values, and the change that is largest in size with the row where it stands."""

    changed: int = 0
    largest: float | None = None
    largest_key: str | None = None


@dataclass(slots=True)
class TableChange:
    """How one table moved: paths of files, rows of the whole table, rows and values inside changed files."""

    table: str
    files_added: list[str] = field(default_factory=list)
    files_removed: list[str] = field(default_factory=list)
    files_changed: list[str] = field(default_factory=list)
    rows_before: int = 0
    rows_after: int = 0
    rows_added: int = 0
    rows_removed: int = 0
    columns: dict[str, ColumnChange] = field(default_factory=dict)

    def note(self, movement: Movement) -> None:
        """Count one part of a comparison in."""
        self.rows_added += movement.added
        self.rows_removed += movement.withdrawn.height
        for (name,), rows in movement.values.group_by(["column"], maintain_order=True):
            change = self.columns.setdefault(str(name), ColumnChange())
            change.changed += rows.height
            sizes = rows.get_column("delta").abs().fill_nan(None)
            at = sizes.arg_max()
            if at is not None and (change.largest is None or sizes[at] > abs(change.largest)):
                change.largest, change.largest_key = rows.item(at, "delta"), rows.item(at, "key")


@dataclass(frozen=True, slots=True)
class ReleaseDiff:
    """What differs between release `a` and release `b`; tables without a difference are left out."""

    a: str
    b: str
    tables: list[TableChange]


def compare_releases(published: Storage, a: Manifest, b: Manifest) -> ReleaseDiff:
    """Read the partitions whose bytes differ, and no other."""
    changes: dict[str, TableChange] = {}
    before, after = ({f.path: f for f in m.files if f.role == TABLE} for m in (a, b))
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        name = (old or after[path]).table
        _count_file(changes.setdefault(name, TableChange(name)), path, old, new)
    for change in changed_partitions(a.files, b.files):
        _count_rows(published, (a.release_id, b.release_id), change, changes[change.table])
    found = [c for c in changes.values() if c.files_added or c.files_removed or c.files_changed]
    return ReleaseDiff(a.release_id, b.release_id, sorted(found, key=lambda c: c.table))


def _count_file(change: TableChange, path: str, before: FileRecord | None, after: FileRecord | None) -> None:
    change.rows_before += (before.rows or 0) if before else 0
    change.rows_after += (after.rows or 0) if after else 0
    if before is None:
        change.files_added.append(path)
    elif after is None:
        change.files_removed.append(path)
    elif before.sha256 != after.sha256:
        change.files_changed.append(path)


def _count_rows(published: Storage, releases: tuple[str, str], change: Change, total: TableChange) -> None:
    contract = TABLES.get(change.table)
    if contract is None or not contract.key or not change.before or not change.after:
        total.rows_removed += _rows(change.before)
        total.rows_added += _rows(change.after)
        return
    old, new = (
        [partial(published.open, f"{folder(release_id)}/{f.path}") for f in files]
        for release_id, files in zip(releases, (change.before, change.after), strict=True)
    )
    for movement in movements(contract, old, new):
        total.note(movement)


def _rows(files: Iterable[FileRecord]) -> int:
    return sum(f.rows or 0 for f in files)
