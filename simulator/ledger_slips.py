"""Mistakes that people make in ledgers: units, words among numbers, months left out, names of their own, stocks below zero.

Belongs here: which row has which mistake, what is written in its place, and what must come of it. Does not belong here: true rows
(`ledgers`) and files (`ledger_files`).

A row has one mistake at most, drawn for the row alone; only mistakes that a reader can tell from the ledgers themselves are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import pyarrow as pa

from contracts import TABLES
from contracts.ledgers import PROVENANCE
from simulator import draws
from simulator.ledger_rows import rounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.dirt import Dirt
    from simulator.ledger_rows import LedgerRow

#: A figure in another unit: table, column, factor, decimals, least true value, the check that must tell, what is left of it.
_UNITS = (
    ("ledger_fuel", "ncv_gj", 238.8459, 0, 1.0, "L30_impossible", "empty"),
    ("ledger_fuel", "consumption", 1000.0, 0, 1001.0, "L30_impossible", "empty"),
    ("ledger_clinker", "output_t", 1e-4, 4, 500.0, "L40_implausible", "wrong"),
    ("ledger_electricity", "grid_mwh", 1000.0, 0, 1001.0, "L30_impossible", "empty"),
    ("ledger_rawmeal", "rawmeal_t", 1000.0, 0, 2001.0, "L30_impossible", "empty"),
    ("ledger_lab", "clinker_cao_pct", 0.01, 4, 1.0, "L40_implausible", "wrong"),
    ("ledger_altfuel", "ef_tco2_gj", 1000.0, 1, 0.002, "L30_impossible", "empty"),
)
_WORDS = ("约{}", "{}吨", "见附件", "待补")
#: Names on no list, by column.
_UNKNOWN = {"fuel": ("动力煤", "原煤", "coal"), "material": ("工业废渣", "slag mix")}
_CHECK_OF_NAME = {"fuel": "L23_unknown_fuel", "material": "L24_unknown_material"}
_CLOSING = ("closing", "closing_t")


@dataclass(frozen=True, slots=True)
class Slip:
    """One mistake: what it is, the check that must find it, the cell, and what a reader keeps of the value: `empty` (none),
    `wrong` (as written, with the finding), `right` (a later submission corrects it) or `absent` (the row does not count).
    """

    kind: str
    check: str
    column: str
    true: str
    written: str
    left: str


@dataclass(slots=True)
class Written:
    """A row as it is handed in: texts by column and number of the submission; `path`, `sheet`, `line` once it is in a file."""

    row: LedgerRow
    cells: dict[str, str]
    revision: int = 1
    slip: Slip | None = None
    path: str = ""
    sheet: str = ""
    line: int = 0

    @property
    def lost(self) -> bool:
        """Whether it is never handed in."""
        return self.slip is not None and self.slip.kind == "gap"


def submissions(rows: list[LedgerRow], seed: int, dirt: Dirt, first: int) -> list[Written]:
    """What a plant hands in of its true rows, in their order, corrections after what they correct. `first`: first month of the zone."""
    made = []
    for row in rows:
        slip = _slip(row, seed, dirt, first) if row.table not in ("ledger_meter", "ledger_heat") else None
        if slip is None:
            made.append(Written(row, row.cells))
            continue
        made.append(Written(row, {**row.cells, slip.column: slip.written} if slip.column else row.cells, slip=slip))
        if slip.kind == "corrected":
            made.append(Written(row, row.cells, revision=2))
    return made


def _slip(row: LedgerRow, seed: int, dirt: Dirt, first: int) -> Slip | None:
    rates = {
        "unit": dirt.ledger_unit, "text": dirt.ledger_text, "gap": dirt.ledger_gap, "corrected": dirt.ledger_corrected,
        "unknown": dirt.ledger_unknown, "negative": dirt.ledger_negative,
    }  # fmt: skip
    series = crc32("|".join((row.table, *(v for n, v in sorted(row.cells.items()) if _names(row.table, n)))).encode())
    u = draws.generator(seed, draws.LEDGER_SLIP, row.plant.index, row.month, series).random(3)
    edge = 0.0
    for kind, rate in rates.items():
        edge += rate
        if u[0] < edge:
            return next(_made(kind, row, float(u[1]), float(u[2]), first), None)
    return None


def _names(table: str, column: str) -> bool:
    return column in TABLES[table].key and column != "month"


def _made(kind: str, row: LedgerRow, u: float, v: float, first: int) -> Iterator[Slip]:
    """The mistake, where the row has room for it."""
    cells = row.cells
    if kind == "unit":
        some = [s for s in _UNITS if s[0] == row.table and float(cells[s[1]] or 0) >= s[4]]
        if some:
            _, column, factor, decimals, _, check, left = some[int(u * len(some))]
            text = rounded(float(cells[column]) * factor, decimals).removesuffix(".0")
            yield Slip("unit", check, column, cells[column], text.removesuffix("."), left)
    elif kind == "gap":
        # Of a series that begins later nobody knows that its first month is missing.
        if row.month not in (first, row.month - row.month % 12):
            yield Slip("gap", "L60_missing_months", "", "", "", "absent")
    elif kind == "unknown":
        for column, names in _UNKNOWN.items():
            if column in cells:
                name = names[int(u * len(names))]
                yield Slip("unknown", _CHECK_OF_NAME[column], column, cells[column], name, "absent")
    elif kind == "negative":
        for column in _CLOSING:
            if column in cells:
                yield Slip("negative", "L31_negative", column, cells[column], f"-{rounded(1 + 900 * u)}", "empty")
    else:
        yield from _of_number(kind, row, u, v)


def _of_number(kind: str, row: LedgerRow, u: float, v: float) -> Iterator[Slip]:
    numbers = [c.name for c in TABLES[row.table].columns if c.type == pa.float64() and c.name not in PROVENANCE]
    numbers = [n for n in numbers if float(row.cells[n] or 0) >= 0.5]
    if not numbers:
        return
    column = numbers[int(u * len(numbers))]
    true = row.cells[column]
    if kind == "text":
        yield Slip("text", "L26_no_number", column, true, _WORDS[int(v * len(_WORDS))].format(true), "empty")
        return
    wrong = rounded(float(true) * (0.96 + 0.02 * v), len(true.partition(".")[2]))
    if wrong != true:
        yield Slip("corrected", "L51_superseded", column, true, wrong, "right")
