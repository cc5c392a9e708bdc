"""What the doctor says of the books of carbon: methods, factors, the trading system, filed years.

Belongs here: words on sound books, and whose mistake a refusal is. Does not belong here: levels, and everything else that the doctor
looks at (`doctor`).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from resources.ets import EtsError
from resources.factors import FactorError
from resources.factors_read import LATEST
from resources.methods import MethodError
from resources.registry import RegistryError
from resources.sealed import FILE as FILINGS
from resources.storage import open_storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from resources.home import Home


def books(home: Home, year: int) -> Iterator[tuple[str, str, bool]]:
    """Name of each book, what is told of it for a year, and whether it is sound; a book with nothing to tell is left out."""
    for what, speaks, tell in _BOOKS if _answers(home) else ():
        try:
            told = tell(home, year)
        except (MethodError, FactorError, EtsError, RegistryError) as error:
            # A book that rests on another fails with it; the other has been told of.
            if isinstance(error, speaks) and (what != "filings" or any(p.file == FILINGS for p in error.problems)):
                yield what, str(error), False
            continue
        if told:
            yield what, told, True


def _answers(home: Home) -> bool:
    """Whether the registry can be asked at all: a bucket that is not there would pass for one where nothing is said."""
    try:
        open_storage(home.settings.place("registry")).list("factors")
    except Exception:
        # Of which has been told with the registry.
        return False
    return True


def _factors(home: Home, year: int) -> str:
    rows = home.factors.in_force(date(year, 1, 1), date(year, 12, 31))
    own, drafts = (
        sum(map(of, rows)) for of in (lambda r: r.file.startswith("registry/"), lambda r: r.confidence == "draft")
    )
    return f"{year} 年有效因子 {len(rows)} 个，自有 {own}，草案 {drafts} / {len(rows)} factors in force, {own} of the home, {drafts} drafts"


def _methods(home: Home, year: int) -> str:
    book = home.methods
    source = "registry/methods.csv" if any(c.covers(year) for c in book.choices) else "reference/methods/runs.toml"
    named = [m.id if m.selection == LATEST else f"{m.id} ({m.selection})" for m in book.of_year(year)]
    return f"{year} 年计算 computed: {', '.join(named) or '无 none'} ({source})"


def _ets(home: Home, year: int) -> str:
    own = home.ets_home
    known = ", ".join(f"{y}: {b.value:g}" for y, b in sorted(own.balances.items()))
    lines = sum(n.year == year for n in own.lines)
    return (
        f"行业平衡值 balance values {known or '未登记 none'}; {year} 年另有说明的生产线 lines declared {lines}"
        if known or lines
        else ""
    )


def _filings(home: Home, _year: int) -> str:
    n = len(home.filings.rows)
    return f"已报送 {n} 行 / {n} rows of filed years" if n else ""


#: What is looked at, the error that speaks of its files, and what is told of sound ones: "" where there is nothing to tell.
_BOOKS: tuple[tuple[str, type[Exception], Callable[[Home, int], str]], ...] = (
    ("methods", MethodError, _methods), ("factors", FactorError, _factors), ("ets", EtsError, _ets), ("filings", RegistryError, _filings),
)  # fmt: skip
