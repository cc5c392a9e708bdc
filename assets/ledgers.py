"""Tables of the monthly ledgers, as plants submitted them and as they count.

Belongs here: the ledger tables of a month, and the meters, from the book of ledgers. Does not belong here: reading and settling files
(`resources/ledgers_*.py`), their findings (`assets/events.py`), and what the rows come to in carbon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts import TABLES
from contracts.ledgers import LEDGER_METER, MONTHLY
from resources.ledgers import ALL

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from resources.bench import Bench
    from resources.home import Home

LEDGER_TABLES = tuple(t.name for t in MONTHLY)
METER_TABLES = (LEDGER_METER.name,)


def make_ledgers(bench: Bench, month: str) -> dict[str, pa.Table]:
    """Every monthly ledger table of a month `YYYY-MM`, sorted by key, some without rows; {} when none has any."""
    found = {table: bench.ledger(table, month) for table in LEDGER_TABLES}
    if not any(rows.height for rows in found.values()):
        return {}
    return {table: TABLES[table].arrow(rows) for table, rows in found.items()}


def make_meters(bench: Bench, _key: str) -> dict[str, pa.Table]:
    """`ledger_meter`, one row a meter and calibration; without rows where none was submitted."""
    return {table: TABLES[table].arrow(bench.ledger(table, ALL)) for table in METER_TABLES}


def ledger_months(home: Home) -> Iterable[str]:
    """Months with rows in any ledger, and those that once had some."""
    return {*home.ledgers.months(), *(month for table in LEDGER_TABLES for month in home.lake.keys(table))}
