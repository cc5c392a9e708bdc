"""Plants and lines that ledgers name, and the nearest known name to one that is not known.

Belongs here: looking up what people call a plant or line, whose line it is, when they are in force. Does not belong here: fuels and
other listed words (`ledgers_words`), the registry itself.
"""

from __future__ import annotations

import difflib
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from resources.events_words import folded
from resources.ledgers_words import limits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from resources.registry import Registry


#: So many are suggested at most.
_MOST_NEAR = 3


class Names:
    """Plants and lines of a registry by what people call them."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    @cached_property
    def plants(self) -> dict[str, str]:
        """Plant id by folded id or name; a name that several plants bear is none."""
        spelt = [(p.plant_id, p.plant_id) for p in self._registry.plants]
        called = [(n, p.plant_id) for p in self._registry.plants for n in (p.name, p.name_en, p.uscc) if n]
        return _only(called) | _only(spelt)

    @cached_property
    def lines(self) -> dict[str, str]:
        """Line id by folded id."""
        return _only((n.line_id, n.line_id) for n in self._registry.lines)

    @cached_property
    def plant_of(self) -> dict[str, set[str]]:
        """Plants that a line has ever belonged to."""
        made: dict[str, set[str]] = {}
        for line in self._registry.lines:
            made.setdefault(line.line_id, set()).add(line.plant_id)
        return made

    def exact(self, column: str, text: str) -> str | None:
        """The id that a cell of plant_id or line_id names; exactly as written, else in its only other spelling."""
        known = self._ids[column]
        return text if text in known else (self.plants if column == "plant_id" else self.lines).get(folded(text))

    @cached_property
    def _ids(self) -> dict[str, set[str]]:
        return {
            "plant_id": {p.plant_id for p in self._registry.plants},
            "line_id": {n.line_id for n in self._registry.lines},
        }

    def months_of(self, column: str, subject: str) -> list[tuple[str, str]]:
        """Months YYYY-MM in which any day is in force, from and to, both inclusive."""
        return self._periods[column].get(subject, [])

    @cached_property
    def _periods(self) -> dict[str, dict[str, list[tuple[str, str]]]]:
        made: dict[str, dict[str, list[tuple[str, str]]]] = {"plant_id": {}, "line_id": {}}
        for plant in self._registry.plants:
            made["plant_id"].setdefault(plant.plant_id, []).append(_months(plant.valid_from, plant.valid_to))
        for line in self._registry.lines:
            made["line_id"].setdefault(line.line_id, []).append(_months(line.valid_from, line.valid_to))
        return made

    def suggest(self, column: str, text: str) -> str:
        """The nearest known plants or lines; "" where none is near."""
        known = {"plant_id": self.plants, "line_id": self.lines}[column]
        return " / ".join(dict.fromkeys(known[near] for near in nearest(text, known)))


def _months(since: date, until: date | None) -> tuple[str, str]:
    last = until - timedelta(days=1) if until else date.max
    return f"{since:%Y-%m}", f"{last:%Y-%m}"


def _only(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What each folded name stands for, where it stands for one thing only."""
    made: dict[str, set[str]] = {}
    for name, meant in pairs:
        made.setdefault(folded(name), set()).add(meant)
    return {name: next(iter(meant)) for name, meant in made.items() if len(meant) == 1}


def _alike_from_start(one: str, other: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def nearest(text: str, known: Iterable[str]) -> list[str]:
    """The known spellings that a text is most like, those that begin alike before others; [] where none is like it.

    Of two characters one may be wrong: 烟媒 is like 烟煤.
    """
    plain = folded(text)
    least = limits()["suggest_likeness"] if plain.isascii() else min(0.5, limits()["suggest_likeness"])
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(plain)
    likeness = {}
    for other in known:
        matcher.set_seq1(other)
        if (
            matcher.real_quick_ratio() >= least
            and matcher.quick_ratio() >= least
            and (like := matcher.ratio()) >= least
        ):
            likeness[other] = (like, _alike_from_start(other, plain))
    best = max(likeness.values(), default=(0.0, 0))
    return sorted(other for other, like in likeness.items() if like == best)[:_MOST_NEAR]
