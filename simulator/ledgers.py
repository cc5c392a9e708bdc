"""The true ledgers of a simulated zone: every row of every plant, month by month, fitting what its stacks measure.

Belongs here: which plants and lines hand in what, for which months. Does not belong here: figures (`ledger_lines`, `ledger_plants`),
what goes wrong (`ledger_slips`), files (`ledger_files`).
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from contracts.ledgers import LEDGERS
from simulator.ledger_lines import LineBook
from simulator.ledger_plants import PlantBook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.dirt import Dirt
    from simulator.ledger_rows import LedgerRow
    from simulator.world import SimPlant, World

_ORDER = {t.name: place for place, t in enumerate(LEDGERS)}


def ledgers(world: World, seed: int, dirt: Dirt, first: int, last: int) -> Iterator[tuple[SimPlant, list[LedgerRow]]]:
    """Each plant with its rows for the months first..last (12 x year + month - 1), by table, then month, then key."""
    for plant, outlets in world.by_plant():
        coolers = {o.line.line_id: o for o in reversed(outlets) if o.point_type == "cooler" and o.line is not None}
        lines = [LineBook(seed, plant, n, coolers.get(n.line_id)) for n in world.lines if n.plant_id == plant.plant_id]
        book = PlantBook(seed, plant, lines, [o.point_type for o in outlets])
        rows = [row for month in range(first, last + 1) for row in book.rows(month)]
        rows += book.meters(first, last, dirt)
        yield plant, sorted(rows, key=lambda r: (_ORDER[r.table], r.month, r.key))


def by_table(rows: list[LedgerRow]) -> Iterator[tuple[str, list[LedgerRow]]]:
    """Rows as `ledgers` gives them, a table at a time."""
    for table, some in groupby(rows, key=lambda r: r.table):
        yield table, list(some)
