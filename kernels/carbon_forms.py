"""The forms of carbon-rules 2.2, 4 and 7: what one source emits, as formulas of scalars.

Belongs here: the formulas, which of their terms add up over months, and how large the amounts in them are. Does not belong here:
loops over sources (`carbon`), values of factors and ratios (`reference`).

Each formula is compiled for doubles and runs, as the same text, on fractions: what a double cannot decide is done again exactly.
Terms are held in rows of `SLOTS`; the first is always the activity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

FUEL, FACTOR, DEDUCTION, OXIDES, CARBON, ALTFUEL, CALCINED, STOICHIOMETRIC = range(8)
SLOTS = 6
#: Terms of each form in the order of its formula; after them come its constants.
TERMS: dict[int, tuple[str, ...]] = {
    FUEL: ("activity", "ncv_gj", "carbon_tc_gj", "oxidation_pct"),
    FACTOR: ("activity", "factor"),
    DEDUCTION: ("activity", "factor"),
    OXIDES: ("activity", "dust_t", "cao_pct", "mgo_pct", "noncarbonate_cao_pct", "noncarbonate_mgo_pct"),
    CARBON: ("activity", "carbon_pct", "factor"),
    ALTFUEL: ("activity", "ncv_gj", "factor", "fossil_pct"),
    CALCINED: ("activity", "factor", "calcination"),
    STOICHIOMETRIC: ("activity", "cao_pct", "factor", "correction"),
}  # fmt: skip
#: What a method fixes for all its rows of a form: as 44/56 is no decimal, ratios are given by what is over and under the line.
CONSTANTS: dict[int, tuple[str, ...]] = {
    OXIDES: ("cao_over", "cao_under", "mgo_over", "mgo_under"),
    STOICHIOMETRIC: ("cao_per_carbonate",),
}
MOST_CONSTANTS = 4
#: How many leading terms are amounts that add up over months; the others are weighted by the activity.
AMOUNTS = (1, 1, 1, 2, 1, 1, 1, 1)


@njit(cache=True, nogil=True)
def fuel(activity: float, ncv: float, carbon: float, oxidation: float) -> float:
    """FC x NCV x CC x OF x 44/12 (carbon-rules 2.2 (1)); oxidation in %."""
    return activity * ncv * carbon * oxidation * 44 / 1200


@njit(cache=True, nogil=True)
def by_factor(activity: float, factor: float) -> float:
    """Q x EF (2.2 (2); electricity, heat)."""
    return activity * factor


@njit(cache=True, nogil=True)
def deduction(activity: float, factor: float) -> float:
    """-M x K (2.2 (2))."""
    return -(activity * factor)


@njit(cache=True, nogil=True)
def oxides(
    activity: float, dust: float, cao: float, mgo: float, nc_cao: float, nc_mgo: float,
    cao_over: float, cao_under: float, mgo_over: float, mgo_under: float,
) -> float:  # fmt: skip
    """(Q + dust) x [(CaO - ncCaO) x 44/56 + (MgO - ncMgO) x 44/40] (4; 7 with 0.785 and 1.092); contents in %."""
    part = (cao - nc_cao) * cao_over / cao_under + (mgo - nc_mgo) * mgo_over / mgo_under
    return (activity + dust) * part / 100


@njit(cache=True, nogil=True)
def carbon(activity: float, content: float, per_activity: float) -> float:
    """Raw meal x its carbon x 44/12 (4, 7); content in %. `per_activity`: raw meal a unit of activity, 1 where that is raw meal."""
    return activity * per_activity * content * 44 / 1200


@njit(cache=True, nogil=True)
def altfuel(activity: float, ncv: float, factor: float, fossil: float) -> float:
    """Q x HV x EF x fossil share (4); share in %."""
    return activity * ncv * factor * fossil / 100


@njit(cache=True, nogil=True)
def calcined(activity: float, factor: float, calcination: float) -> float:
    """Kiln dust x [EF/(1+EF) x d] / [1 - EF/(1+EF) x d] (7, GCCA; EU MRR tier 2)."""
    share = factor * calcination / (1 + factor)
    return activity * share / (1 - share)


@njit(cache=True, nogil=True)
def stoichiometric(activity: float, cao: float, factor: float, correction: float, cao_per_carbonate: float) -> float:
    """Clinker x CaO / (CaO in CaCO3) x EF of CaCO3 x dust correction (7, IPCC tier 2); CaO in %."""
    return activity * cao * factor / cao_per_carbonate * correction / 100


_FORMULAS: tuple[Any, ...] = (fuel, by_factor, deduction, oxides, carbon, altfuel, calcined, stoichiometric)
#: The text of each formula, for fractions.
EXACT: tuple[Callable[..., Any], ...] = tuple(f.py_func for f in _FORMULAS)


def terms_of(form: int) -> int:
    """How many terms a form has."""
    return len(TERMS[form])


def constants_of(form: int) -> int:
    """How many constants follow them."""
    return len(CONSTANTS.get(form, ()))
