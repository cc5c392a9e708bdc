"""The numbers of a month that foreign standards are computed with, out of the rule packs.

Belongs here: naming the parameters and turning them into factors and masks. Does not belong here: the parameters themselves
(`reference/rules`) and computing (`standards_figures`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from contracts.events import STATES

if TYPE_CHECKING:
    from datetime import date

    import numpy.typing as npt

    from resources.rules import RuleBook
    from resources.standards import Standards

#: Parameters of the molar mass that a pollutant is counted with; NOx is counted as NO2.
_MOLAR = {"nox": "molar.no2_g_mol", "so2": "molar.so2_g_mol", "hcl": "us.hcl_g_mol"}
_RATE = {"nox": "us.e30d_k_nox", "so2": "us.e30d_k_so2"}


@dataclass(frozen=True)
class EuropeanTerms:
    """2010/75/EU Annex VI Part 8: which hours count, what is taken off them, how many may be invalid."""

    effective: npt.NDArray[np.bool_]
    of_value: bool
    oxygen_pct: float
    invalid_hours: int
    discarded_days_year: int


@dataclass(frozen=True)
class AmericanTerms:
    """40 CFR 60 Subpart F and 63 Subpart LLL. `ppm` by pollutant: ppm per mg/m3 of ours; `pounds`: lb per (mg/m3 x m3/h) of ours."""

    operates: npt.NDArray[np.bool_]
    counts: npt.NDArray[np.bool_]
    window: int
    oxygen_pct: float
    ppm: dict[str, float]
    pounds: dict[str, float]
    tons_per_tonne: float


def _mask(states: str, *, undeclared: bool) -> npt.NDArray[np.bool_]:
    """One entry per state and a last one for hours without any (UNDECLARED = -1 finds it)."""
    named = {s.strip() for s in states.split(",")}
    return np.array([*(s in named for s in STATES), undeclared])


def european_terms(standards: Standards, day: date) -> EuropeanTerms:
    """Terms in force on `day`. RuleError names a parameter that is not."""

    def of(name: str) -> float | str | bool:
        return standards.parameter(f"ied.{name}", day).value

    allowed = float(of("max_discarded_half_hours")) / float(of("half_hours_per_invalid_hour"))
    return EuropeanTerms(
        _mask(str(of("effective_states")), undeclared=True),
        of("confidence_subtract") == "value",
        float(of("oxygen_constant_pct")),
        int(allowed),
        int(of("max_discarded_days_year")),
    )


def american_terms(standards: Standards, book: RuleBook, day: date) -> AmericanTerms:
    """Terms in force on `day`. RuleError names a parameter that is not."""

    def of(name: str) -> float:
        return float(standards.parameter(name, day).value)

    excluded = str(standards.parameter("us.operating_day_excluded_states", day).value)
    idle = _mask(str(standards.parameter("us.not_operating_states", day).value), undeclared=False)
    # Our cubic metres are at the standard's 273 K; a US one holds less gas, and so much less of the pollutant.
    cooler = float(book.parameter("standard.temperature_k", day).value) / of("us.standard_temperature_k")
    # The molar masses of NO2 and SO2 are the method's, that of HCl comes with the pack that limits it.
    ppm = {p: cooler * of("us.molar_volume_l_mol") / of(name) for p, name in _MOLAR.items()}
    feet = of("us.scf_per_scm") / cooler
    pounds = {p: ppm[p] * feet * of(name) for p, name in _RATE.items()} | {"hg": of("us.hg_lb_per_mg")}
    return AmericanTerms(
        ~idle,
        ~idle & ~_mask(excluded, undeclared=False),
        int(of("us.rolling_days")),
        of("us.oxygen_constant_pct"),
        ppm,
        pounds,
        of("us.tonne_in_tons"),
    )
