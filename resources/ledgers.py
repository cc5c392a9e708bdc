"""The book of ledgers: the rows of each ledger table that count, by month, with their files and findings.

Belongs here: look-ups and versions. Does not belong here: reading and settling the files (`ledgers_read` and the modules it calls) and
what a row means for carbon (`kernels`, `assets`).
"""

from __future__ import annotations

import hashlib
from dataclasses import astuple
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from contracts import TABLES
from contracts.ledgers import LEDGERS, MONTHLY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from resources.events import EventFile, Finding

#: Stands for the month of tables that have none.
ALL = "all"


class LedgerBook:
    """Settled rows of a home, columns as in `contracts/ledgers.py`; build it with `resources.ledgers_read.read_ledgers`."""

    def __init__(
        self,
        tables: Mapping[str, pl.DataFrame] | None = None,
        findings: Iterable[Finding] = (),
        files: Iterable[EventFile] = (),
        keep: Callable[[], None] | None = None,
    ) -> None:
        self._tables = dict(tables or {})
        self.findings = tuple(sorted(set(findings), key=lambda f: f.finding_id))
        self.files = tuple(sorted(files, key=lambda f: f.path))
        self._keep = keep

    def rows(self, table: str, month: str = ALL) -> pl.DataFrame:
        """Rows of a table and month, sorted by key; all rows of a table without months. Empty where there are none."""
        return self._parts.get((table, month), pl.DataFrame(schema=_schema(table)))

    def months(self, table: str = "") -> list[str]:
        """Months in which a table has rows, or any table."""
        return sorted({month for name, month in self._parts if month != ALL and table in ("", name)})

    def version(self, table: str, month: str = ALL) -> str:
        """SHA-256 over the rows of a table and month, places and stamps among them; "" where there are none."""
        if (table, month) not in self._versions:
            part = self._parts.get((table, month))
            self._versions[table, month] = (
                hashlib.sha256(part.write_csv().encode()).hexdigest() if part is not None else ""
            )
        return self._versions[table, month]

    @cached_property
    def whole(self) -> str:
        """SHA-256 over files and findings."""
        rows = [repr(astuple(row)) for some in (self.findings, self.files) for row in some]
        return hashlib.sha256("\n".join(rows).encode()).hexdigest()

    def keep(self) -> None:
        """Store what was read of files that are new, so that no run need read them again."""
        if self._keep:
            self._keep()
            self._keep = None

    @cached_property
    def _versions(self) -> dict[tuple[str, str], str]:
        return {}

    @cached_property
    def _parts(self) -> dict[tuple[str, str], pl.DataFrame]:
        made: dict[tuple[str, str], pl.DataFrame] = {}
        for table in (t.name for t in MONTHLY):
            rows = self._tables.get(table)
            if rows is not None and rows.height:
                made |= {
                    (table, str(m)): part
                    for (m,), part in rows.partition_by("month", as_dict=True, maintain_order=True).items()
                }
        for table in (t.name for t in LEDGERS if t.partition == "none"):
            rows = self._tables.get(table)
            if rows is not None and rows.height:
                made[table, ALL] = rows
        return made


def _schema(table: str) -> dict[str, pl.DataType]:
    empty = pl.DataFrame(pl.from_arrow(TABLES[table].empty()))
    return {n: pl.String() if t == pl.Categorical else t for n, t in empty.schema.items()}
