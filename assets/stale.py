"""What stands no longer: keys whose recorded inputs differ, and the check that no figure of carbon is published stale.

Belongs here: asking the products. Does not belong here: bringing anything up to date (`pipelines/backfill.py`) and the words for
people (`pipelines/words_of_change.py`).

Products of ledgers and carbon are light: months of all plants, made in a moment. They are held to more than the heavy ones: all
their keys are looked at every time, and nothing is published while one of them rests on a factor, method or ledger of before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.products import PRODUCTS, reasons
from contracts import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assets.products import Product
    from resources.home import Home

#: Layers whose tables are made of ledgers and books alone.
LIGHT_LAYERS = frozenset({"ledgers", "carbon", "verification"})

#: Why each key of a product has to be made, by product and key.
Stale = dict[str, dict[str, list[str]]]


def is_light(of: Product) -> bool:
    """Whether a product is made of ledgers and books alone."""
    return all(TABLES[t].layer in LIGHT_LAYERS for t in of.tables)


def _is_ledger(of: Product) -> bool:
    return any(TABLES[t].layer == "ledgers" for t in of.tables)


def light_products(products: Iterable[Product] = PRODUCTS) -> list[Product]:
    """Products that are light, in their order."""
    return [p for p in products if is_light(p)]


def stale_keys(home: Home, products: Iterable[Product], first: str = "", last: str = "~") -> Stale:
    """Keys that stand no longer from `first` to `last`: of those that exist now, not of what will follow from making them."""
    found: Stale = {}
    for of in products:
        keys = {k: why for k in sorted(of.keys(home)) if within(k, first, last) and (why := reasons(home, of, k))}
        if keys:
            found[of.name] = keys
    return found


def within(key: str, first: str, last: str) -> bool:
    """Whether a period touches [first, last], each a day, a month, a year or ""; a key without a period always does."""
    if not key[:4].isdigit():
        return True
    # Compared at the grain of the coarser: a year is touched by each of its months.
    return key >= first[: len(key)] and key[: len(last)] <= last


def nothing_stale(home: Home) -> list[str]:
    """Sentences about light partitions that rest on what no longer holds; [] is the good answer. They stand in a release's way.

    A table of all findings is told anew by every run and no figure rests on it; meters correct what was burnt.
    """
    products = [p for p in light_products() if p.partition != "none" or _is_ledger(p)]
    return [
        f"{name}: {len(keys)} 个分区已过期 partitions are stale ({', '.join(list(keys)[:5])}{' …' if len(keys) > 5 else ''}); "
        "kiln plan 说明原因 tells why, kiln backfill 更新 brings them up to date"
        for name, keys in stale_keys(home, products).items()
    ]
