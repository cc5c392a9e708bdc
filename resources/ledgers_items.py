"""What an item (信息项) of a sheet with months across means: table, column, unit, and the fuel or material that it begins with.

Belongs here: words of items against the columns of the ledger tables, their units. Does not belong here: where items stand
(`ledgers_across`) and the words themselves (`reference/ledgers`).
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

import pyarrow as pa

from contracts import TABLES
from contracts.ledgers import MONTHLY
from resources.events_words import folded
from resources.ledgers_words import WRONG, load_words

#: Tables whose items name no fuel or material: of two that know a word none is taken.
_PLAIN = tuple(t.name for t in MONTHLY if not {"fuel", "material"} & set(t.names))
_AMOUNT = ("t", "1e4Nm3")


class Item(NamedTuple):
    """`name` of the fuel or material that the item's text begins with, "" where it does not."""

    table: str
    column: str
    unit: str
    name: str


@lru_cache(maxsize=1 << 12)
def item_of(table: str, text: str, named: str, alone: str) -> Item | None:
    """What a text means by the sheet's table, else by the fuel or material that its row names (`named`, `alone` the table that has such
    names where this one is not known), else as a word of one table only.
    """
    if table:
        return _in_table(table, text)
    if named and (found := _in_table(_table_of(folded(named)) or alone, text)):
        return found
    known = [item for t in MONTHLY if (item := _in_table(t.name, text))]
    # A word that several tables know, such as 消耗量, needs the name of what is consumed.
    only = known[0] if len(known) == 1 else None
    return only if only and (only.table in _PLAIN or only.name) else None


def of_name(table: str, name: str) -> Item | None:
    """What a sheet without items is about by its name: 熟料产量."""
    found = load_words().heading(table, name) if table else None
    return Item(table, found.column, found.unit, "") if found and counts(table, found.column) else None


@lru_cache(maxsize=1 << 12)
def unit_of(item: Item, told: str) -> str | None:
    """The unit of the amounts of a fuel, "" where neither item nor unit column tells it; None for a unit that is not the column's."""
    words = load_words()
    ours = words.headers[item.table][item.column].units
    given = {u for u in (item.unit, (words.unit(told) or WRONG) if told else "") if u}
    known = [set(u.split("|")) for u in given]
    common = set.intersection(*known) if known else set()
    if (ours and any(not u <= set(ours) for u in known)) or (known and not common):
        return None
    return common.pop() if ours == _AMOUNT and len(common) == 1 else ""


def _table_of(name: str) -> str:
    words = load_words()
    if fuel := words.values["fuel"].get(name):
        return "ledger_altfuel" if words.fuels[fuel].kind == "alternative" else "ledger_fuel"
    return "ledger_rawmat" if name in words.values["material"] else ""


def _in_table(table: str, text: str) -> Item | None:
    words = load_words()
    found = words.heading(table, text)
    if found and counts(table, found.column):
        return Item(table, found.column, found.unit, "")
    for cut in range(len(text) - 1, 0, -1) if table not in _PLAIN else ():
        if _table_of(folded(text[:cut])) == table and (found := words.heading(table, text[cut:].strip("的 -_"))):
            return Item(table, found.column, found.unit, text[:cut]) if counts(table, found.column) else None
    return None


@cache
def counts(table: str, column: str) -> bool:
    """Whether a column holds numbers."""
    return column in TABLES[table].names and TABLES[table][column].type == pa.float64()
