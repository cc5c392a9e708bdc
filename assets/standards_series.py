"""Which outlet x pollutant stands under which chosen standard, day by day of a month.

Belongs here: asking the registry and the chosen standards. Does not belong here: which standards are chosen (`resources/standards`),
the hours (`standards_hours`) and what comes of them (`standards_figures`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from assets.judgement_limits import Month
    from resources.registry import Outlet, Registry
    from resources.rules import StandardLimit
    from resources.standards import Standards


@dataclass(frozen=True, slots=True)
class Term:
    """What holds for one outlet and pollutant on one day: the outlet's row, the class of its plant, the limit."""

    outlet: Outlet
    variant: str
    limit: StandardLimit


@dataclass(frozen=True, slots=True)
class Series:
    """One outlet x pollutant under one standard; `terms[d]` is that of the d-th day shown, None where it does not hold."""

    outlet_id: str
    pollutant: str
    standard: str
    averaging: str
    unit: str
    terms: tuple[Term | None, ...]

    def figures(self, of: Callable[[StandardLimit], float | None]) -> npt.NDArray[np.float64]:
        """A number of the limit by day, NaN where there is none."""
        found = (None if t is None else of(t.limit) for t in self.terms)
        return np.array([np.nan if f is None else f for f in found], np.float64)

    @property
    def last(self) -> Term:
        """The terms of the last day on which the standard holds."""
        return next(t for t in reversed(self.terms) if t is not None)


def month_series(registry: Registry, standards: Standards, month: Month, begin: int = 0) -> list[Series]:
    """Every series of the month's days that are shown, from the `begin`-th on, sorted by outlet, pollutant and standard."""
    made: dict[tuple[str, str, str, str, str], list[Term | None]] = {}
    known: dict[tuple[int, str, str], Term] = {}
    for d, day in enumerate(month.dates[begin : month.shown], begin):
        for outlet in registry.outlets_at(day):
            for pack, variant in standards.chosen(outlet.plant_id, outlet.outlet_id, day).items():
                for limit in standards.limits(pack, variant, outlet.point_type, day):
                    if limit.with_reductant and outlet.reductant not in ("ammonia", "urea"):
                        continue
                    key = (outlet.outlet_id, limit.pollutant, pack, limit.averaging, limit.unit)
                    # Outlet rows live as long as the registry: their identity names them.
                    term = known.setdefault((id(outlet), variant, limit.rule_id), Term(outlet, variant, limit))
                    same = term if term.limit == limit else Term(outlet, variant, limit)
                    made.setdefault(key, [None] * month.shown)[d] = same
    return [Series(*key, tuple(terms)) for key, terms in sorted(made.items(), key=lambda item: item[0])]
