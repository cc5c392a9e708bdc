"""The oracle of carbon-rules 11.5: exact rationals, one source at a time, written without a look at the kernels.

Belongs here: rounding, formulas and both ways of adding a year. Does not belong here: inputs (`carbon_cases`) and tests.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

_WIDE = Context(prec=200)


def rnd(x: Fraction, n: int) -> Fraction:
    """Half up, away from zero, through decimals of 200 digits; n < 0 leaves x."""
    if n < 0:
        return x
    quotient = _WIDE.divide(Decimal(x.numerator), Decimal(x.denominator))
    # A quotient cut off after 200 digits is a tie only if it is one exactly.
    return Fraction(quotient.quantize(Decimal(1).scaleb(-n), ROUND_HALF_UP, _WIDE))


def fuel(fc: Fraction, ncv: Fraction, cc: Fraction, of: Fraction) -> Fraction:
    return fc * ncv * cc * of / 100 * Fraction(44, 12)


def process(q: Fraction, ef: Fraction, subs: list[tuple[Fraction, Fraction]]) -> Fraction:
    return q * ef - sum((m * k for m, k in subs), Fraction(0))


def oxides(
    q: Fraction,
    cao: Fraction,
    mgo: Fraction,
    nc_cao: Fraction,
    nc_mgo: Fraction,
    a: Fraction = Fraction(44, 56),
    b: Fraction = Fraction(44, 40),
) -> Fraction:
    return q * ((cao - nc_cao) / 100 * a + (mgo - nc_mgo) / 100 * b)


def weighted(pairs: list[tuple[Fraction, Fraction]]) -> Fraction:
    return sum((w * x for w, x in pairs), Fraction(0)) / sum((w for w, _ in pairs), Fraction(0))


def ckd_factor(ef: Fraction, d: Fraction) -> Fraction:
    part = ef / (1 + ef) * d
    return part / (1 - part)


def fuel_year(
    months: list[tuple[Fraction, Fraction]], cc: Fraction, of: Fraction, ncv_decimals: int = 3
) -> tuple[Fraction, Fraction]:
    """(annual_weighted, monthly_sum) of one fuel over (consumption, NCV) by month, as a guide with decimals 2, 3 and 2 has it."""
    used = [(rnd(m, 2), rnd(ncv, ncv_decimals)) for m, ncv in months]
    mass = sum((m for m, _ in used), Fraction(0))
    yearly = fuel(mass, rnd(weighted(used), ncv_decimals), cc, of) if mass else Fraction(0)
    return rnd(yearly, 2), sum((rnd(fuel(m, ncv, cc, of), 2) for m, ncv in used), Fraction(0))


def process_year(
    months: list[tuple[Fraction, list[Fraction]]], ef: Fraction, ks: list[Fraction]
) -> tuple[Fraction, Fraction]:
    """(annual_weighted, monthly_sum) of clinker and its substitutes by month."""
    used = [(rnd(q, 2), [rnd(m, 2) for m in subs]) for q, subs in months]
    clinker = sum((q for q, _ in used), Fraction(0))
    masses = [sum((subs[k] for _, subs in used), Fraction(0)) for k in range(len(ks))]
    monthly = [rnd(process(q, ef, list(zip(subs, ks, strict=True))), 2) for q, subs in used]
    return rnd(process(clinker, ef, list(zip(masses, ks, strict=True))), 2), sum(monthly, Fraction(0))
