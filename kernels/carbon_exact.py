"""Carbon of single sources in exact fractions: what doubles leave in doubt is done again here.

Belongs here: the same steps as `carbon`, one row at a time, on the decimals as typed. Does not belong here: deciding which rows
are in doubt (`rounding`, `carbon_sums`).
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from kernels.carbon_forms import AMOUNTS, EXACT, OXIDES, constants_of, terms_of
from kernels.rounding import exact, half_up_exact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kernels.carbon import Places as Starts
    from kernels.carbon import Rounding, Rows
    from kernels.rounding import Floats

Terms = list[Fraction]


def month_terms(rows: Rows, rounding: Rounding) -> Callable[[int], Terms]:
    """Terms of rows as typed, rounded as their profiles say. The callable is meant for rows that have an emission: a term they lack does not count."""

    def of(i: int) -> Terms:
        form, profile = int(rows.form[i]), int(rows.profile[i])
        places = rounding.decimals[profile, form]
        return [half_up_exact(_known(rows.terms[i, k]), int(places[k])) for k in range(terms_of(form))]

    return of


def _known(x: float) -> Fraction:
    # A month without activity may lack the rest; whatever stands there weighs nothing.
    return Fraction(0) if math.isnan(x) else exact(x)


def annual_terms(rows: Rows, starts: Starts, rounding: Rounding) -> Callable[[int], Terms]:
    """Terms of years over groups of months, from the months' terms as typed."""
    monthly = month_terms(rows, rounding)

    def of(g: int) -> Terms:
        first, last = int(starts[g]), int(starts[g + 1])
        form, profile = int(rows.form[first]), int(rows.profile[first])
        months = [monthly(i) for i in range(first, last)]
        # A month without activity says nothing about the year's mean; where there are only such, the last one stands for all.
        active = [m for m in months if m[0] != 0]
        weight = sum((m[0] for m in active), Fraction(0))
        places = rounding.decimals[profile, form]
        made = []
        for k in range(terms_of(form)):
            if k < AMOUNTS[form]:
                value = sum((m[k] for m in months), Fraction(0))
            else:
                value = sum((m[0] * m[k] for m in active), Fraction(0)) / weight if active else months[-1][k]
            made.append(half_up_exact(value, int(places[k])))
        return made

    return of


def emission(form: int, terms: Sequence[Fraction], constants: Floats) -> Fraction:
    """tCO2 of one source, exactly, with the constants of its profile."""
    if terms[0] == 0 and (form != OXIDES or terms[1] == 0):
        return Fraction(0)
    return Fraction(EXACT[form](*terms, *(exact(c) for c in constants[: constants_of(form)])))
