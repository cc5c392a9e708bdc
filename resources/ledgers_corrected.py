"""Which rows of ledgers a later submission has corrected: what was wrong with them needs nobody any more.

Belongs here: from rows of several submissions to those that stand no longer, lost rows and whole sheets among them. Does not belong here:
which submission counts (`ledgers_settle`), and how a finding is worded (`ledgers_tell`).

A row is corrected by the last one of its key. A row that was lost, because its key could not be read, is corrected by a row of a later
file whose key agrees in all that could be read, which is not in its own file, and which says most of its numbers; or with its sheet. A
sheet is corrected when one later file gives every row of it that counts, and as many more as it lost.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from contracts import TABLES
from resources.ledgers_settle import LATER, in_order
from resources.ledgers_tell import ID, PATH, ROW, SHEET, TOTAL, place_of

if TYPE_CHECKING:
    from resources.ledgers_tell import Row

_AT, _LAST, _NEW = "_at", "_last", "_new"


class Corrections:
    """Gathers what was corrected, table by table."""

    def __init__(self) -> None:
        self._rows: dict[int, str] = {}
        self._sheets: dict[tuple[str, str], set[str]] = {}
        self._uncounted: set[int] = set()
        #: Rows of sheets that were lost before they could be typed.
        self.broken: Counter[tuple[str, str]] = Counter()

    def take(self, table: str, rows: pl.DataFrame, lost: pl.DataFrame) -> None:
        """Rows of a table as typed, and those that were lost, what could not be read of their keys null."""
        key = list(TABLES[table].key)
        ordered = in_order(table, rows).with_columns(pl.int_range(pl.len()).over(key).alias(_AT))
        winners = [pl.col(n).last().over(key).alias(f"{_LAST}{n}") for n in (PATH, SHEET, ROW, _AT)]
        old = ordered.with_columns(winners).filter(pl.col(_AT) < pl.col(f"{_LAST}{_AT}"))
        names = (ID, *(f"{_LAST}{n}" for n in (PATH, SHEET, ROW)))
        self._rows |= {i: _where(path, sheet, row) for i, path, sheet, row in old.select(names).iter_rows()}
        self._uncounted |= {*rows.filter(TOTAL)[ID], *(lost[ID] if lost.height else ())}
        self._take_sheets(key, ordered, old, lost)
        self._take_lost(table, ordered, lost)

    def _take_sheets(self, key: list[str], ordered: pl.DataFrame, old: pl.DataFrame, lost: pl.DataFrame) -> None:
        """Later files that give every row of a sheet, and no fewer than it has."""
        later = old.join(ordered.select(*key, PATH, _AT), on=key, suffix=_NEW, nulls_equal=True)
        later = later.filter(pl.col(f"{_AT}{_NEW}") > pl.col(_AT), pl.col(f"{PATH}{_NEW}") != pl.col(PATH))
        given = later.group_by(PATH, SHEET, f"{PATH}{_NEW}").agg(pl.col(ID).n_unique().alias("given"))
        whole = given.join(ordered.group_by(PATH, SHEET).len(), on=[PATH, SHEET]).filter(
            pl.col("given") == pl.col("len")
        )
        every = pl.concat([ordered.select(PATH, SHEET), lost.select(PATH, SHEET)]) if lost.height else ordered
        rows = Counter(every.select(PATH, SHEET).iter_rows())
        files: Counter[str] = Counter()
        for (path, _), n in rows.items():
            files[path] += n
        by: dict[tuple[str, str], set[str]] = defaultdict(set)
        for path, sheet, new in whole.select(PATH, SHEET, f"{PATH}{_NEW}").iter_rows():
            if files[new] >= rows[path, sheet] + self.broken[path, sheet]:
                by[path, sheet].add(new)
        # A sheet may hold rows of several tables.
        for path, sheet in ordered.select(PATH, SHEET).unique().iter_rows():
            self._sheets[path, sheet] = self._sheets.get((path, sheet), by[path, sheet]) & by[path, sheet]

    def _take_lost(self, table: str, ordered: pl.DataFrame, lost: pl.DataFrame) -> None:
        """Rows that give a lost one anew: found by their numbers, taken if their keys agree."""
        numbers = [c.name for c in TABLES[table].columns if c.type == pa.float64()] if lost.height else []
        wanted = {(n, row[n]) for row in lost.iter_rows(named=True) for n in numbers if row[n]}
        if not wanted:
            return
        key = TABLES[table].key
        saying: dict[tuple[str, float], list[int]] = defaultdict(list)
        for n in {n for n, _ in wanted}:
            for i, value in enumerate(ordered[n].to_list()):
                if (n, value) in wanted:
                    saying[n, value].append(i)
        own = {(path, *of) for path, *of in ordered.select(PATH, *key).iter_rows()}
        for row in lost.iter_rows(named=True):
            said = [(n, row[n]) for n in numbers if row[n]]
            alike = Counter(i for pair in said for i in saying[pair])
            for i in sorted(i for i, n in alike.items() if 2 * n > len(said)):
                new = ordered.row(i, named=True)
                fits = all(row[n] is None or row[n] == new[n] for n in key)
                if fits and _later(row, new) and (row[PATH], *(new[n] for n in key)) not in own:
                    self._rows[row[ID]] = _where(new[PATH], new[SHEET], new[ROW])

    def by(self, path: str, sheet: str, row: int | None) -> str:
        """Where that was corrected, "" where it was not: a row by its number, one that no total counts also with its sheet; or the sheet."""
        found = self._rows.get(row, "") if row is not None else ""
        whole = row is None or row in self._uncounted
        return found or (max(self._sheets.get((path, sheet), ()), default="") if whole else "")


def _later(old: Row, new: Row) -> bool:
    """Whether a row of another file was submitted later."""
    if old[PATH] == new[PATH]:
        return False
    for n in LATER:
        if old[n] != new[n]:
            return bool(old[n] is None or (new[n] is not None and new[n] > old[n]))
    return False


def _where(path: str, sheet: str, row: int) -> str:
    return f"{path} {place_of(sheet, row, '', '')}"
