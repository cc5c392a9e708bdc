"""The bench a table is made on: everything a maker may read, each look recorded as an input of what it makes.

Belongs here: reading inputs by name, noting their versions, and telling from such notes whether a partition is still true.
Does not belong here: making tables (`assets`) and deciding when (`pipelines`).
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from datetime import date
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    import pyarrow as pa

    from resources.ets import EtsBook
    from resources.ets_home import EtsHome
    from resources.events import EventBook
    from resources.factors import FactorBook
    from resources.home import Home
    from resources.intake import Arrival
    from resources.ledgers import LedgerBook
    from resources.methods import MethodBook
    from resources.registry import Registry
    from resources.rules import RuleBook
    from resources.settings import Settings
    from resources.standards import Standards

_SEP = ":"
#: Third word of rules that hold where they are chosen.
_FOREIGN = "foreign"
#: Days without a record of any outlet that still count as days that data are missing from.
LONGEST_GAP_DAYS = 62


class _Book(Protocol):
    def version(self, first: date, last: date) -> str: ...


class Bench:
    """One maker's view of a home; `inputs` holds what it has looked at so far (name -> version)."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.inputs: dict[str, str] = {}

    @property
    def settings(self) -> Settings:
        """Settings of this run."""
        return self.home.settings

    def _note(self, name: str) -> None:
        self.inputs[name] = current(self.home, name)

    def table(self, name: str, key: str, columns: list[str] | None = None) -> pa.Table | None:
        """Rows of a partition; None (and recorded as absent) when it does not exist."""
        self._note(_SEP.join(("table", name, key)))
        return self.home.lake.read(name, key, columns)

    def keys(self, name: str, first: str = "", last: str = "~") -> list[str]:
        """Existing partition keys of a table from `first` to `last` inclusive; their list is the recorded input."""
        self._note(_SEP.join(("keys", name, first, last)))
        return _between(self.home, name, first, last)

    def frontier(self, name: str, not_after: str) -> str:
        """The last existing day of a table, but no later than `not_after`; `not_after` itself when data go on soon after it.

        "" when there is none. A month that has closed keeps the same frontier however far the data go on, and a lone day in
        another year (a logger with a wrong clock) does not make the years between a time without data.
        """
        self._note(_SEP.join(("frontier", name, not_after)))
        return _frontier(self.home, name, not_after)

    def registry(self, first: date, last: date) -> Registry:
        """The registry; recorded are the rows in force in the window."""
        self._note(_SEP.join(("registry", str(first), str(last))))
        return self.home.registry

    def rules(self, first: date, last: date) -> RuleBook:
        """The rule book; recorded are the rows in force in the window."""
        self._note(_SEP.join(("rules", str(first), str(last))))
        return self.home.rules

    def standards(self, first: date, last: date) -> Standards:
        """Which standards are chosen; recorded is what is chosen in the window and, if anything is, what such packs say then."""
        self._note(_SEP.join(("standards", str(first), str(last))))
        if self.home.standards.any_in(first, last):
            self._note(_SEP.join(("rules", str(first), str(last), _FOREIGN)))
        return self.home.standards

    def events(self, first: date, last: date) -> EventBook:
        """The book of declared events; recorded is what holds in the window."""
        self._note(_SEP.join(("events", str(first), str(last))))
        return self.home.events

    def factors(self, first: date, last: date) -> FactorBook:
        """The factor book; recorded is what is in force in the window."""
        self._note(_SEP.join(("factors", str(first), str(last))))
        return self.home.factors

    def methods(self, first: date, last: date) -> MethodBook:
        """The method book; recorded is what the methods computed for the years of the window say."""
        self._note(_SEP.join(("methods", str(first), str(last))))
        return self.home.methods

    def ets(self, first: date, last: date) -> EtsBook:
        """The book of the trading system; recorded is what holds for the years of the window."""
        self._note(_SEP.join(("ets", str(first), str(last))))
        return self.home.ets

    def ets_home(self, first: date, last: date) -> EtsHome:
        """Balance values and special lines; recorded are those of the years of the window."""
        self._note(_SEP.join(("ets_home", str(first), str(last))))
        return self.home.ets_home

    def declared(self) -> EventBook:
        """The book of declared events with its files and findings; recorded is all of it."""
        self._note("declared")
        return self.home.events

    def ledger(self, table: str, month: str) -> pl.DataFrame:
        """Rows of a ledger table that count in a month, "all" for one without months; recorded are just these."""
        self._note(_SEP.join(("ledgers", table, month)))
        return self.home.ledgers.rows(table, month)

    def ledgers(self) -> LedgerBook:
        """The book of ledgers with its files and findings; recorded is all that it says of them."""
        self._note("ledgers")
        return self.home.ledgers

    def intervals(self, day: date) -> dict[str, int]:
        """Minutes that a record of each device stands for, by device number, on a day; recorded are just these."""
        self._note(_SEP.join(("intervals", str(day))))
        return _intervals(self.home, day)

    def arrivals_of(self, day: str) -> list[Arrival]:
        """Captures that feed a day, in order of precedence."""
        self._note(_SEP.join(("captures", day)))
        return self.home.intake.of_day(day)

    def arrivals(self) -> list[Arrival]:
        """Every arrival that stands for something."""
        self._note("arrivals")
        return self.home.intake.arrivals()


def _between(home: Home, name: str, first: str, last: str) -> list[str]:
    return [k for k in home.lake.keys(name) if first <= k <= last]


def _intervals(home: Home, day: date) -> dict[str, int]:
    return {d.mn: d.interval_min for d in home.registry.devices_at(day)}


def _frontier(home: Home, name: str, not_after: str) -> str:
    keys = home.lake.keys(name)
    before = bisect_right(keys, not_after)
    if not before:
        return ""
    follows = before < len(keys) and adjoin(keys[before - 1], keys[before])
    return not_after if follows else keys[before - 1]


def adjoin(day: str, later: str) -> bool:
    """Two days with data belong to one run of them: no more than `LONGEST_GAP_DAYS` lie between."""
    return (date.fromisoformat(later) - date.fromisoformat(day)).days <= LONGEST_GAP_DAYS


def current(home: Home, name: str) -> str:
    """Version of an input as it stands now; the names are those that a bench records."""
    kind, *rest = name.split(_SEP)
    if kind in _BOOKS:
        return _BOOKS[kind](home).version(*(date.fromisoformat(d) for d in rest))
    if kind in _KINDS:
        return _KINDS[kind](home, *rest)
    raise ValueError(f"no such input: {name}")


#: Books whose input names are the two days of a window.
_BOOKS: dict[str, Callable[[Home], _Book]] = {
    "registry": lambda home: home.registry,
    "events": lambda home: home.events,
    "factors": lambda home: home.factors,
    "methods": lambda home: home.methods,
    "ets": lambda home: home.ets,
    "ets_home": lambda home: home.ets_home,
    "standards": lambda home: home.standards,
}
#: Everything else, by the rest of its name.
_KINDS: dict[str, Callable[..., str]] = {
    "table": lambda home, name, key: home.lake.version(name, key),
    "keys": lambda home, *span: _hash(_between(home, *span)),
    "frontier": _frontier,
    "declared": lambda home: home.events.whole,
    "ledgers": lambda home, *which: home.ledgers.version(*which) if which else home.ledgers.whole,
    "intervals": lambda home, day: _hash(
        [f"{mn} {n}" for mn, n in sorted(_intervals(home, date.fromisoformat(day)).items())]
    ),
    "rules": lambda home, first, last, *which: home.rules.version(
        date.fromisoformat(first), date.fromisoformat(last), foreign=which == (_FOREIGN,)
    ),
    "sealed": lambda home, year: home.filings.version(year),
    "captures": lambda home, day: _hash([f"{a.sha256} {a.path} {a.basis}" for a in home.intake.of_day(day)]),
    "arrivals": lambda home: _hash([f"{a.path} {a.sha256} {a.state} {a.basis}" for a in home.intake.arrivals()]),
}


def _hash(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def changed(home: Home, inputs: dict[str, str]) -> list[str]:
    """Names of the recorded inputs that stand differently now."""
    return [name for name, version in sorted(inputs.items()) if current(home, name) != version]
