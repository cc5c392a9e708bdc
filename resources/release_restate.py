"""The `restatements` file of a new release: every published value that moved, and because of what.

Belongs here: the causes found in two releases' facts, the rows of the table. Does not belong here: the comparison of
two files (`release_changes`).
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from contracts import TABLES
from contracts.trust import RESTATEMENTS, WITHDRAWN
from resources.release_books import capped
from resources.release_changes import changed_partitions, movements
from resources.release_records import folder
from resources.release_rows import RowCauses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from contracts import Table
    from resources.release_books import Differences
    from resources.release_changes import Change
    from resources.release_records import Arrival, Check, FileRecord, Manifest, Pinned, ReleaseFacts
    from resources.storage import Storage

_GROUP_ROWS = 1 << 17
#: The check of a release that names, in its text, partitions of filed years which are others today.
FILED_YEARS_STAND = "filed_years_stand"


@dataclass(frozen=True, slots=True)
class Cause:
    """What differs between the facts of two releases: the gravest kind, and every difference by name."""

    kind: str
    ref: str


class Causes:
    """What differs between the facts of two releases, and which of it made a partition move."""

    def __init__(self, before: ReleaseFacts, after: ReleaseFacts, told: Differences | None = None) -> None:
        self._told = told
        #: Gravest first.
        self._found: list[tuple[str, str]] = [
            *(("factor", text) for text in _pinned(before.factor_sets, after.factor_sets)),
            *(("rule", text) for text in _pinned(before.rule_packs, after.rule_packs)),
            *(("code", f"code {a} -> {b}") for a, b in [(before.code_version, after.code_version)] if a != b),
            *(
                ("registry", f"registry {a[:12]} -> {b[:12]}")
                for a, b in [(before.registry_sha256, after.registry_sha256)]
                if a != b
            ),
            *_arrived(before.arrivals, after.arrivals),
        ]

    def of(self, kinds: frozenset[str], partition: str, never: frozenset[str] = frozenset()) -> Cause:
        """The cause of what moved in `partition`, whose grounds differ in `kinds`: rows of books first, then what was pinned or arrived.

        All that rows can rest on are named, the gravest gives the kind; `never` are kinds that rows tell they do not (`release_rows`).
        Where the grounds say nothing, every difference between the releases is named.
        """
        own = [(kind, text) for kind, text in self._found if kind in kinds] or self._found
        own = [(kind, text) for kind, text in own if kind not in never] or own
        if not own:
            return Cause("unexplained", "no recorded fact differs")
        there = dict.fromkeys(kind for kind, _ in own)
        rows = [text for kind in there for text in (self._told.of(kind, partition) if self._told else ())]
        return Cause(own[0][0], "; ".join([*rows, *(text for _, text in own)]))


def _pinned(before: Iterable[Pinned], after: Iterable[Pinned]) -> Iterator[str]:
    old, new = {p.id: p.sha256 for p in before}, {p.id: p.sha256 for p in after}
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield f"{name} {old.get(name, 'none')[:12]} -> {new.get(name, 'none')[:12]}"


def _arrived(before: Iterable[Arrival], after: Iterable[Arrival]) -> Iterator[tuple[str, str]]:
    differ = {*before} ^ {*after}
    # A file that was refused gave no row, so that it is a reason of nothing.
    moved = sorted({a.path for a in differ if a.state != "refused"})
    own = {"ledger": "ledgers/", "declaration": "events/"}
    for kind, paths in (
        ("late_data", [p for p in moved if not p.startswith(tuple(own.values()))]),
        *((kind, [p for p in moved if p.startswith(place)]) for kind, place in own.items()),
    ):
        if paths:
            yield kind, f"arrivals {', '.join(capped(paths))}"


@dataclass(frozen=True, slots=True)
class Held:
    """Partitions of filed years that `previous` held back and that are let go now: `keys`, and the release `since` which their
    figures stood, with all that differs from then to now.
    """

    since: Manifest
    keys: frozenset[str]
    causes: Causes

    def of(self, change: Change, records: Iterable[FileRecord]) -> Cause | None:
        """Why a partition moves that was held back, or rests on one that was: nothing else of it differs. None where neither is so."""
        if change.partition not in self.keys and change.kinds:
            return None
        mine = [[f for f in files if f.table == change.table] for files in (self.since.files, records)]
        found = [c for c in changed_partitions(*mine) if c.partition == change.partition]
        because = self.causes.of(found[0].kinds if found else frozenset(), change.partition)
        return Cause(because.kind, f"filed year restated; {because.ref}")


def held_back(checks: Iterable[Check]) -> frozenset[str]:
    """Partitions of filed years that a release left as they were."""
    told = [c.text for c in checks if c.name == FILED_YEARS_STAND and not c.passed]
    return frozenset(re.findall(r"\b\d{4}(?:-\d{2})?\b", " ".join(told)))


@dataclass(frozen=True, slots=True)
class Restater:
    """Compares the files of a new release with those of `previous`, which lies in `published`."""

    published: Storage
    previous: Manifest
    release_id: str
    causes: Causes
    held: Held | None = None

    def write(self, records: Iterable[FileRecord], read: Callable[[str], BinaryIO], path: Path) -> int:
        """Write the Parquet file at `path` and return its rows; `read` opens a file of the new release by its path."""
        rows = 0
        with pq.ParquetWriter(path, RESTATEMENTS.schema(), compression="zstd") as writer:
            for group in _grouped(self._rows(records, read)):
                writer.write_table(self._typed(group))
                rows += sum(frame.height for frame in group)
        return rows

    def _rows(self, records: Iterable[FileRecord], read: Callable[[str], BinaryIO]) -> Iterator[pl.DataFrame]:
        records = list(records)
        newest_day = _newest_day(self.previous)
        base = folder(self.previous.release_id)
        changes = changed_partitions(self.previous.files, records)

        def before(path: str) -> Callable[[], BinaryIO]:
            return partial(self.published.open, f"{base}/{path}")

        def after(path: str) -> Callable[[], BinaryIO]:
            return partial(read, path)

        rows = RowCauses(changes, before, after)
        for change in changes:
            contract = TABLES.get(change.table)
            if contract is None or not contract.key or not change.before:
                continue
            old, new = [before(f.path) for f in change.before], [after(f.path) for f in change.after]
            provisional = _provisional(contract, change.partition, newest_day)
            let_go = self.held and self.held.of(change, records)
            for never, some in (p for m in movements(contract, old, new) for p in rows.impossible(change, m)):
                because = let_go or self.causes.of(change.kinds, change.partition, never)
                gone = some.withdrawn.with_columns(column=pl.lit(WITHDRAWN))
                yield pl.concat([some.values, gone], how="diagonal").with_columns(
                    dataset=pl.lit(change.table), partition=pl.lit(change.partition), provisional=pl.lit(provisional),
                    reason_kind=pl.lit(because.kind), reason_ref=pl.lit(because.ref),
                )  # fmt: skip

    def _typed(self, frames: list[pl.DataFrame]) -> pa.Table:
        frame = pl.concat(frames).with_columns(
            release_id=pl.lit(self.release_id),
            previous_release_id=pl.lit(self.previous.release_id),
        )
        return RESTATEMENTS.arrow(frame, sort=False)


def write_empty(path: Path) -> int:
    """The file of a first release: there is nothing that could have moved."""
    pq.write_table(RESTATEMENTS.empty(), path, compression="zstd")
    return 0


def _grouped(frames: Iterator[pl.DataFrame]) -> Iterator[list[pl.DataFrame]]:
    """Small frames gathered for row groups of a sensible size."""
    held: list[pl.DataFrame] = []
    rows = 0
    for frame in frames:
        held.append(frame)
        rows += frame.height
        if rows >= _GROUP_ROWS:
            yield held
            held, rows = [], 0
    if held:
        yield held


def _newest_day(manifest: Manifest) -> str:
    days = [f.key[:10] for f in manifest.files if f.table in TABLES and TABLES[f.table].partition == "day"]
    return max(days, default="")


def _provisional(table: Table, key: str, newest_day: str) -> bool:
    """Whether a row stands for a whole period that had not ended when its figures were published."""
    period = re.fullmatch(r"(\d{4})(?:-(\d{2}))?", key)
    if not newest_day or table.partition not in table.key or period is None:
        return False
    year, month = int(period[1]), int(period[2] or 12)
    return newest_day < f"{year:04d}-{month:02d}-{monthrange(year, month)[1]:02d}"
