"""A row of a simulated ledger, its months, and what a kiln did in one of them.

Belongs here: what the modules of simulated ledgers share. Does not belong here: figures of plants and lines (`ledger_lines`,
`ledger_plants`), mistakes (`ledger_slips`), files (`ledger_files`).

A month is counted: twelve times the year, plus 0 for January. Amounts are whole hundredths, so that balances hold to the digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from contracts import TABLES
from kernels.stackgas import DAY_MINUTES
from simulator.registry_files import VALID_FROM
from simulator.states import BLOCK_DAYS, kiln_stops

if TYPE_CHECKING:
    from simulator.world import SimPlant

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One true row: its table, the plant that hands it in, the month it is handed in for, texts by column ("" = nothing there)."""

    table: str
    plant: SimPlant
    month: int
    cells: dict[str, str]

    @property
    def key(self) -> tuple[str, ...]:
        """Texts of the key, in the order of the contract."""
        return tuple(self.cells[n] for n in TABLES[self.table].key)


@dataclass(frozen=True, slots=True)
class KilnMonth:
    """Minutes of a month, minutes in which the kiln ran, and how many cold and hot starts began in it."""

    minutes: int
    running: int
    cold: int
    hot: int


def month_of(day: date) -> int:
    """The month that a day lies in."""
    return day.year * 12 + day.month - 1


#: The registry knows nothing simulated before it.
FIRST_MONTH = month_of(date.fromisoformat(VALID_FROM))


def month_name(month: int) -> str:
    """YYYY-MM."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def month_begin(month: int) -> date:
    """Its first day."""
    return date(month // 12, month % 12 + 1, 1)


@lru_cache(maxsize=65536)
def kiln_month(seed: int, plant: int, line: int, month: int) -> KilnMonth:
    """What the states of one kiln come to in a month; a kiln makes clinker while it is `running`, and neither before nor after."""
    first, end = ((month_begin(m) - _EPOCH).days for m in (month, month + 1))
    lo, hi = first * DAY_MINUTES, end * DAY_MINUTES
    idle = cold = hot = 0
    for block in range(first // BLOCK_DAYS, (end - 1) // BLOCK_DAYS + 1):
        for stop in kiln_stops(seed, plant, line, block):
            idle += max(0, min(stop.warm, hi) - max(stop.falls, lo))
            if lo <= stop.fires < hi:
                cold, hot = cold + stop.cold, hot + (not stop.cold)
    return KilnMonth(hi - lo, hi - lo - idle, cold, hot)


def fixed(value: int, decimals: int = 2) -> str:
    """A count of last decimals as text: 1234 with two is 12.34."""
    whole, rest = divmod(value, 10**decimals)
    return f"{whole}.{rest:0{decimals}d}"


def rounded(value: float, decimals: int = 2) -> str:
    """A number with so many decimals."""
    return fixed(round(value * 10**decimals), decimals)
