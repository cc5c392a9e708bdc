"""From what an analyser shows to dry standard state: the formulas of HJ 75-2017 appendix C, one function each.

Belongs here: scalar formulas over one reading (concentration, oxygen, moisture, flow, mass). Does not belong here:
which readings are valid and how an hour is made of them (`hours`), units of a device row (`minutes`).

Where a formula has no meaning (moisture of 100 %, no absolute pressure, oxygen at the guard) the result is NaN; NaN
in gives NaN out. Units are in the names: mg/m3, % by volume, degC, kPa absolute, m3/h, kg. Constants are arguments: the
rule book holds them.
"""

from __future__ import annotations

import math

from numba import njit


@njit(cache=True, nogil=True)
def dry_factor(moisture_pct: float) -> float:
    """1 / (1 - Xsw/100): what a wet volume fraction or concentration is multiplied by to be dry (A2)."""
    if not moisture_pct < 100.0:
        return math.nan
    return 1.0 / (1.0 - moisture_pct / 100.0)


@njit(cache=True, nogil=True)
def oxygen_factor(o2_dry_pct: float, o2_reference_pct: float, air_pct: float, guard_pct: float) -> float:
    """(21 - O2ref) / (21 - O2): what a dry concentration is multiplied by (GB 4915-2013 4; A9); `air_pct` is the 21.

    NaN at and above `guard_pct`. Works in both directions: oxygen below the reference lowers the value.
    """
    if not (o2_dry_pct < guard_pct and o2_dry_pct < air_pct):
        return math.nan
    return (air_pct - o2_reference_pct) / (air_pct - o2_dry_pct)


@njit(cache=True, nogil=True)
def mg_m3_from_ppm(ppm: float, molar_mass: float, molar_volume: float) -> float:
    """Volume fraction in ppm to mg/m3 at standard state (A3); g/mol and L/mol."""
    return molar_mass / molar_volume * ppm


@njit(cache=True, nogil=True)
def nox_from_parts(no_mg_m3: float, no2_mg_m3: float, no_as_no2: float) -> float:
    """NOx as NO2 from NO and NO2, both in mg/m3 (A4); `no_as_no2` is the ratio of the molar masses of NO2 and NO."""
    return no_mg_m3 * no_as_no2 + no2_mg_m3


@njit(cache=True, nogil=True)
def nox_from_ppm(no_ppm: float, no2_ppm: float, molar_mass_no2: float, molar_volume: float) -> float:
    """NOx as NO2 in mg/m3 from NO and NO2, both in ppm (A5)."""
    return mg_m3_from_ppm(no_ppm + no2_ppm, molar_mass_no2, molar_volume)


@njit(cache=True, nogil=True)
def duct_flow(area_m2: float, velocity_coefficient: float, velocity_m_s: float) -> float:
    """Wet actual flow in m3/h from the velocity at the probe: 3600 x F x Kv x v."""
    return 3600.0 * area_m2 * velocity_coefficient * velocity_m_s


@njit(cache=True, nogil=True)
def dry_standard_flow(
    flow_m3_h: float, temperature_c: float, pressure_kpa: float, moisture_pct: float,
    zero_c_k: float, standard_kpa: float,
) -> float:  # fmt: skip
    """Wet actual flow to dry standard flow, m3/h: Q x T0/(T0+ts) x (Ba+Ps)/P0 x (1 - Xsw/100).

    `pressure_kpa` is absolute; `zero_c_k` is T0, 273 as the standard prints it; `standard_kpa` is P0, 101.325.
    """
    kelvin = zero_c_k + temperature_c
    if not (kelvin > 0.0 and pressure_kpa > 0.0 and moisture_pct < 100.0):
        return math.nan
    return flow_m3_h * (zero_c_k / kelvin) * (pressure_kpa / standard_kpa) * (1.0 - moisture_pct / 100.0)


@njit(cache=True, nogil=True)
def hour_mass(dry_mg_m3: float, flow_m3_h: float) -> float:
    """Mass of one hour in kg: the dry standard concentration, not converted to reference oxygen, times dry standard flow."""
    return dry_mg_m3 * flow_m3_h * 1e-6
