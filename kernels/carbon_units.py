"""Amounts before they enter a formula: heating values as received, dry masses, steam and water as heat, meters not calibrated.

Belongs here: conversions of carbon-rules 2.5 and 9, and the scalar figures of methods that no ledger feeds (IPCC tiers 1 and 3).
Does not belong here: formulas of ledger sources (`carbon_forms`) and rounding.

Plain arithmetic on numbers or arrays; given fractions, the answer is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from fractions import Fraction

    import numpy as np
    import numpy.typing as npt

    N = TypeVar("N", float, Fraction, npt.NDArray[np.float64])
else:
    N = TypeVar("N")


#: GJ in a tonne of standard coal: 1 kgce = 29307.6 kJ (carbon-rules 2.3).
GJ_PER_TCE = 29.3076


def ncv_as_received(gross_ad: N, hydrogen_ad: N, moisture: N, moisture_ad: N) -> N:
    """Qnet,ar in J/g from Qgr,ad (J/g), Had, Mt and Mad (%) by GB/T 213 (carbon-rules 9; vector F-5)."""
    return (gross_ad - 206 * hydrogen_ad) * (100 - moisture) / (100 - moisture_ad) - 23 * moisture


def dry_mass(received: N, moisture: N) -> N:
    """Mass without its moisture (%) (vector F-6)."""
    return received * (100 - moisture) / 100


def steam_heat(tonnes: N, enthalpy: N, reference: N) -> N:
    """GJ of steam from tonnes and kJ/kg; `reference` kJ/kg is feed water of 20 degrees, 83.74 (O3 E.2; vector H-1)."""
    return tonnes * (enthalpy - reference) / 1000


def water_heat(tonnes: N, degrees: N, capacity: N) -> N:
    """GJ of hot water from tonnes and degrees Celsius; `capacity` kJ/(kg K), 4.1868 (O3 E.2; vector H-1)."""
    return tonnes * (degrees - 20) * capacity / 1000


def meter_excess(class_pct: Fraction | None, actual_pct: Fraction | None, *, calibrated: bool) -> Fraction | None:
    """Per cent by which a reading is made conservative (carbon-rules 2.5; vector F-7).

    Not calibrated: the class. Calibrated but worse than the class permits: the excess over it. None where the class is unknown:
    there is nothing to correct by.
    """
    if class_pct is None or not calibrated:
        return class_pct
    return max(actual_pct - class_pct, class_pct * 0) if actual_pct is not None else class_pct * 0


def corrected(amount: N, excess_pct: N, uncovered: N, sign: int) -> N:
    """An amount of which the share `uncovered` (0 to 1) was read by such a meter: activity sign +1, production sign -1."""
    return amount * (1 + sign * excess_pct * uncovered / 100)


def cement_clinker(cement: N, ratio: N, imports: N, exports: N, factor: N) -> N:
    """IPCC tier 1: (cement x clinker ratio - imported + exported clinker) x EF, tCO2 (carbon-rules 7; vector I-1)."""
    return (cement * ratio - imports + exports) * factor


def dust_correction(clinker: N, dust: N, carbonate: N, calcined: N, dust_factor: N, factor: N) -> N:
    """IPCC tier 2: CF = 1 + Md/Mcl x Cd x Fd x EFc/EFcl (carbon-rules 7; vector I-2)."""
    return 1 + dust / clinker * carbonate * calcined * dust_factor / factor
