"""The plan: what a run would make anew, why, and what would come of it, before anything is written.

Belongs here: looking at every product in the order of the data's way, trying the light ones on a home aside, and telling both.
Does not belong here: carrying it out (`pipelines/backfill.py`), comparing (`pipelines/expected.py`), words (`words_of_plan`,
`words_of_change`).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.products import PRODUCTS, bring_up, reasons, take_tried
from assets.report_carbon_facts import first_method
from assets.sealing import can_be_sealed, sealed_waiting
from assets.stale import is_light, within
from pipelines.expected import expected
from pipelines.night import NightConfig, keys_in, window
from pipelines.runs import DONE, RunOutcome, refused_home
from pipelines.words_of_change import in_words, recorded
from pipelines.words_of_plan import in_words_of_plan
from resources.aside import HomeAside
from resources.home import Home
from resources.sealed import Filings
from resources.tried import keep_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from assets.products import Product
    from assets.stale import Stale
    from pipelines.expected import Expected
    from resources.settings import Settings

#: What is tried: nothing, products of ledgers and books, everything that is stale.
EXPECT = ("none", "light", "all")
_SHOWN_WHY = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """Stale keys and why, by product; what would change, by table; what filed years would become, and how many rows of them."""

    to_read: list[tuple[str, int]]
    stale: Stale
    words: dict[str, dict[str, list[str]]]
    expected: list[Expected]
    #: Products that were not tried: what is made of them may follow.
    untried: list[str]
    looked_at: list[str] = field(default_factory=list)
    sealed: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    sealed_expected: list[Expected] = field(default_factory=list)
    #: The method of each year that is filed, or is listed first: the one told in full.
    methods: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; a product of which everything stands is there too."""
        return {
            "to_read": [name for name, _ in self.to_read], "stale": {name: self.stale.get(name, {}) for name in self.looked_at}, "because": self.words,
            "expected": [e.as_dict() for e in self.expected], "untried": self.untried,
            "sealed": self.sealed, "sealed_expected": [e.as_dict() for e in self.sealed_expected], "methods": self.methods,
        }  # fmt: skip


def make_plan(
    settings: Settings,
    *,
    expect: str = "light",
    opened: bool = False,
    first: str = "",
    last: str = "~",
    products: Sequence[Product] = PRODUCTS,
) -> Plan:
    """Look at every key from `first` to `last`; no table and no release changes. `opened`: as if filed years were not sealed.

    What was tried of light products is kept in `lake/tried/` for the run that carries it out (`resources/tried.py`).
    """
    now = Home(settings)
    # On disk and not in memory: an hour of a nation is larger than the memory of a small machine.
    with tempfile.TemporaryDirectory(prefix="kiln-plan-") as folder:
        aside = HomeAside(settings, Path(folder) / "planned")
        if opened:
            aside.filings = Filings(aside.filings.rows, opened=True)
        stale, words, found = _tried(now, aside, expect, first, last, products, opened=opened)
        keep_all(now, aside.lake, _kept(stale, expect, products))
        sealed = {} if opened else _within(sealed_waiting(aside), first, last)
        other = HomeAside(settings, Path(folder) / "sealed")
        become = _become(now, other, sealed, products) if sealed else []
    pending = [(e.key, e.size) for e in now.intake.pending()]
    tried = {p.name for p in products if _is_tried(p, expect)}
    untried = [n for n in stale if n not in tried]
    methods = _methods(now, [*found, *become])
    return Plan(pending, stale, words, found, untried, [p.name for p in products], sealed, become, methods)


def _methods(now: Home, found: Iterable[Expected]) -> dict[str, str]:
    there: dict[str, set[str]] = {}
    for s in (s for e in found for s in e.sums if s.method):
        there.setdefault(s.year, set()).add(s.method)
    return {year: first_method(now, year, sorted(ids)) for year, ids in sorted(there.items())}


def _kept(stale: Stale, expect: str, products: Iterable[Product]) -> Iterator[tuple[str, tuple[str, ...], str, str]]:
    """What was tried and is worth keeping: a raw day of a nation is not."""
    for of in products:
        if is_light(of) and _is_tried(of, expect):
            yield from ((of.name, of.tables, key, of.made_by) for key in stale.get(of.name, ()))


def _is_tried(of: Product, expect: str) -> bool:
    return expect == "all" or (expect == "light" and is_light(of))


def _tried(
    now: Home, aside: Home, expect: str, first: str, last: str, products: Iterable[Product], *, opened: bool
) -> tuple[Stale, dict[str, dict[str, list[str]]], list[Expected]]:
    span = window(aside, NightConfig(everything=True))
    waiting = sealed_waiting(aside) if opened else {}
    stale: Stale = {}
    words: dict[str, dict[str, list[str]]] = {}
    found: list[Expected] = []
    for of in products:
        keys: dict[str, list[str]] = {}
        for key in (k for k in keys_in(aside, of, span) if within(k, first, last)):
            why = reasons(aside, of, key)
            if not why and key in waiting.get(of.name, {}):
                why = [f"sealed:{key[:4]}"]
            if why:
                keys[key] = why
                inputs = recorded(now, of.tables, key)
                words.setdefault(of.name, {})[key] = [in_words(aside, w, inputs) for w in why[:_SHOWN_WHY]]
                if _is_tried(of, expect) and take_tried(aside, of, key) is None:
                    bring_up(aside, of, key, force=True)
        if keys:
            stale[of.name] = keys
            if _is_tried(of, expect):
                found += [e for t in of.tables if (e := expected(t, keys, now.lake, aside.lake))]
    return stale, words, found


def _become(
    now: Home, other: Home, sealed: dict[str, dict[str, dict[str, int]]], products: Iterable[Product]
) -> list[Expected]:
    """What filed years would be if they were opened: everything stale is made, and what is sealed with it."""
    other.filings = Filings(other.filings.rows, opened=True)
    found: list[Expected] = []
    for of in products:
        if not is_light(of):
            continue
        keys = [k for k in sorted(of.keys(other)) if k in sealed.get(of.name, {}) or reasons(other, of, k)]
        for key in keys:
            if take_tried(other, of, key) is None:
                bring_up(other, of, key, force=True)
        if can_be_sealed(of):
            years = {k[:4] for some in sealed.values() for k in some}
            found += [
                e for t in of.tables if (e := expected(t, [k for k in keys if k[:4] in years], now.lake, other.lake))
            ]
    return found


def _within(
    sealed: dict[str, dict[str, dict[str, int]]], first: str, last: str
) -> dict[str, dict[str, dict[str, int]]]:
    kept = {name: {k: v for k, v in keys.items() if within(k, first, last)} for name, keys in sealed.items()}
    return {name: keys for name, keys in kept.items() if keys}


def plan_run(
    settings: Settings,
    *,
    expect: str = "light",
    opened: bool = False,
    first: str = "",
    last: str = "~",
    products: Sequence[Product] = PRODUCTS,
    every_method: bool = False,
) -> RunOutcome:
    """What `kiln run --all` or `kiln backfill` would read and make, why, and what would come of it, by the method that is filed."""
    refusal = refused_home(settings)
    if refusal:
        return refusal
    plan = make_plan(settings, expect=expect, opened=opened, first=first, last=last, products=products)
    return RunOutcome(DONE, plan.as_dict(), "\n".join(in_words_of_plan(plan, every_method=every_method)))
