"""Which limits hold for whom on which day of a month.

Belongs here: asking the rule book day by day, once per distinct situation, and laying the answers out as arrays.
Does not belong here: the limits themselves (`reference/rules`), which outlets exist (`judgement_series`), comparing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from contracts.channels import POLLUTANTS

if TYPE_CHECKING:
    from resources.registry import Permit
    from resources.rules import Limit, LimitKind, RuleBook


#: Pollutants in the order of the rows.
ORDERED = tuple(sorted(POLLUTANTS))
_KINDS: tuple[LimitKind, LimitKind] = ("ule", "mandatory")

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Month:
    """A local calendar month of which the first `shown` days lie before the end of the data, and `begin` before their start."""

    key: str
    first: date
    days: int
    shown: int
    begin: int = 0

    @cached_property
    def dates(self) -> list[date]:
        """Every day of the calendar month."""
        return [self.first + timedelta(days=d) for d in range(self.days)]

    @property
    def last(self) -> date:
        """Last day of the calendar month."""
        return self.first + timedelta(days=self.days - 1)

    @property
    def last_shown(self) -> date:
        """Last day of the month that lies before the end of the data."""
        return self.first + timedelta(days=self.shown - 1)

    def span(self, valid_from: date, valid_to: date | None) -> tuple[int, int]:
        """Day numbers [a, b) of the month in which a validity holds; empty as (a, a)."""
        a = min(max(0, (valid_from - self.first).days), self.days)
        b = self.days if valid_to is None else min(max(0, (valid_to - self.first).days), self.days)
        return a, max(a, b)


class Labels:
    """Texts by number, in order of first use; -1 stands for no text."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._codes: dict[str, int] = {}

    def code(self, text: str | None) -> int:
        """The number of `text`."""
        if text is None:
            return -1
        if text not in self._codes:
            self._codes[text] = len(self.texts)
            self.texts.append(text)
        return self._codes[text]


def spelled(codes: Codes, texts: list[str]) -> pl.Series:
    """Texts by number; -1 becomes null."""
    return pl.Series([texts[c] if c >= 0 else None for c in codes.tolist()], dtype=pl.String)


@dataclass(frozen=True)
class LimitDays:
    """One kind of limit over the days of a month: mg/m3 (NaN = none), code of its rule (-1 = none), draft or not."""

    value: Floats
    rule: Codes
    draft: npt.NDArray[np.bool_]

    @property
    def any(self) -> bool:
        """Whether a limit is set on any day."""
        return bool((self.rule >= 0).any())

    @classmethod
    def none(cls, days: int) -> LimitDays:
        """No limit on any day."""
        return cls(np.full(days, np.nan), np.full(days, -1, np.int32), np.zeros(days, np.bool_))

    def copy(self, other: LimitDays, first: int, end: int) -> None:
        """Take over the days [first, end) of another."""
        self.value[first:end] = other.value[first:end]
        self.rule[first:end] = other.rule[first:end]
        self.draft[first:end] = other.draft[first:end]


@dataclass(frozen=True)
class Place:
    """What the rules ask of an outlet on the days [first, end) of the month."""

    first: int
    end: int
    point_type: str
    region_class: str
    reductant: str | None
    province: str = ""


@dataclass(frozen=True)
class Held:
    """The limits of one pollutant (number in `ORDERED`) at one outlet, of both kinds."""

    pollutant: int
    ule: LimitDays
    mandatory: LimitDays


@dataclass
class Limits:
    """The rule book of one month, asked once per distinct situation. `rules` numbers the rule ids met."""

    book: RuleBook
    month: Month
    rules: Labels = field(default_factory=Labels)
    _made: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    @cached_property
    def _ruled(self) -> list[bool]:
        """Days on which the 95 % rule exists: an ultra-low figure in an older permit is not judged by it."""
        return [bool(self.book.policies(day)) for day in self.month.dates]

    def held(self, places: tuple[Place, ...], permits: tuple[Permit, ...]) -> tuple[Held, ...]:
        """Limits of every pollutant that has one on a day of the month, for an outlet that was these places in turn."""
        key = (places, permits)
        if key not in self._made:
            made = [
                self._held(places, k, tuple(p for p in permits if p.pollutant == ORDERED[k]))
                for k in range(len(ORDERED))
            ]
            self._made[key] = tuple(h for h in made if h.ule.any or h.mandatory.any)
        found: tuple[Held, ...] = self._made[key]
        return found

    def _held(self, places: tuple[Place, ...], pollutant: int, permits: tuple[Permit, ...]) -> Held:
        key = (places, pollutant, permits)
        if key not in self._made:
            both = [LimitDays.none(self.month.days) for _ in _KINDS]
            for made, kind in zip(both, _KINDS, strict=True):
                for place in places:
                    anywhen = replace(place, first=0, end=0)
                    made.copy(self._days(kind, anywhen, pollutant, permits), place.first, place.end)
            self._made[key] = Held(pollutant, *both)
        found: Held = self._made[key]
        return found

    def _days(self, kind: LimitKind, place: Place, pollutant: int, permits: tuple[Permit, ...]) -> LimitDays:
        """The whole month at one place; a day is asked for only where the packs or the permits in force differ from the day before."""
        key = (kind, place, pollutant, permits)
        if key in self._made:
            found: LimitDays = self._made[key]
            return found
        base = self._days(kind, place, pollutant, ()) if permits else None
        made = LimitDays.none(self.month.days)
        before: object = None
        limit: Limit | None = None
        for d, day in enumerate(self.month.dates):
            held = [p for p in permits if p.in_force(day)]
            now = (self._ruled[d], held, base.rule[d], base.value[d]) if base else d
            limit = limit if now == before else self._limit(kind, place, ORDERED[pollutant], d, held)
            before = now
            if limit is not None:
                made.value[d] = limit.value_mg_m3
                made.rule[d] = self.rules.code(limit.rule_id)
                made.draft[d] = limit.confidence == "draft"
        self._made[key] = made
        return made

    def _limit(self, kind: LimitKind, place: Place, pollutant: str, d: int, permits: list[Permit]) -> Limit | None:
        if kind == "ule" and not self._ruled[d]:
            return None
        return self.book.limit(
            kind,
            point_type=place.point_type,
            pollutant=pollutant,
            day=self.month.dates[d],
            region_class=place.region_class,
            reductant=place.reductant,
            permits=permits,
            province=place.province,
        )
