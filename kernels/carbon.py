"""Carbon of sources: terms rounded as a guide says, the emission of each row, and terms of a year from those of its months.

Belongs here: loops over all plants x lines x months x sources at once. Does not belong here: formulas (`carbon_forms`), sums and
exact repair (`carbon_sums`, `carbon_exact`), what a row stands for (`assets/carbon*`).

A missing term is NaN and makes a NaN emission: there is no number from half the inputs. Nothing burnt emits nothing, whatever
else is known of it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from kernels.carbon_forms import (
    ALTFUEL,
    AMOUNTS,
    CALCINED,
    CARBON,
    DEDUCTION,
    FACTOR,
    FUEL,
    MOST_CONSTANTS,
    OXIDES,
    SLOTS,
    TERMS,
    altfuel,
    by_factor,
    calcined,
    carbon,
    deduction,
    fuel,
    oxides,
    stoichiometric,
)
from kernels.rounding import Bools, Bytes, Floats, round_one

Places = npt.NDArray[np.int64]
_COUNTS = tuple(len(TERMS[f]) for f in range(len(TERMS)))


class Rows(NamedTuple):
    """Sources: form and profile int8 (N,), terms float64 (N, SLOTS), unused slots anything."""

    form: Bytes
    profile: Bytes
    terms: Floats


class Rounding(NamedTuple):
    """Profiles, one for each part of a method: decimals int8 (P, forms, SLOTS) of the terms and (P,) of emissions, AS_IS where a guide rounds nothing;
    exact_sums bool (P,): totals are rounded sums of what was not rounded, else sums of rounded emissions; constants
    float64 (P, MOST_CONSTANTS) of the part's form.
    """

    decimals: Bytes
    emission: Bytes
    exact_sums: Bools
    constants: Floats


class Emitted(NamedTuple):
    """terms (N, SLOTS) as used; emission (N,) in tCO2, not rounded; size (N,): the largest amount in it; doubt (N,): some term
    may have been rounded the wrong way.
    """

    terms: Floats
    emission: Floats
    size: Floats
    doubt: Bools


@njit(cache=True, nogil=True)
def _emit(
    form: Bytes, profile: Bytes, terms: Floats, decimals: Bytes, constants: Floats, used: Floats, out: Floats, size: Floats,
    doubt: Bools,
) -> None:  # fmt: skip
    t = np.zeros(SLOTS)
    for i in range(form.size):
        f, p = form[i], profile[i]
        wrong = False
        for k in range(_COUNTS[f]):
            made, unsure = round_one(terms[i, k], terms[i, k], decimals[p, f, k])
            wrong |= unsure
            used[i, k] = made
            t[k] = made
        doubt[i] = wrong
        x = np.nan
        if f == FUEL:
            x = fuel(t[0], t[1], t[2], t[3])
        elif f == FACTOR:
            x = by_factor(t[0], t[1])
        elif f == DEDUCTION:
            x = deduction(t[0], t[1])
        elif f == OXIDES:
            c0, c1, c2, c3 = constants[p, 0], constants[p, 1], constants[p, 2], constants[p, 3]
            x = oxides(t[0], t[1], t[2], t[3], t[4], t[5], c0, c1, c2, c3)
        elif f == CARBON:
            x = carbon(t[0], t[1], t[2])
        elif f == ALTFUEL:
            x = altfuel(t[0], t[1], t[2], t[3])
        elif f == CALCINED:
            x = calcined(t[0], t[1], t[2])
        else:
            x = stoichiometric(t[0], t[1], t[2], t[3], constants[p, 0])
        if t[0] == 0.0 and (f != OXIDES or t[1] == 0.0):
            x = 0.0
        out[i] = x
        size[i] = abs(x)
        if f == OXIDES and not np.isnan(x):
            # Contents are subtracted: their error is that of the larger ones.
            size[i] = max(size[i], abs(oxides(t[0], t[1], t[2], t[3], -t[4], -t[5], c0, c1, c2, c3)))


def emit(rows: Rows, rounding: Rounding) -> Emitted:
    """Round the terms of every row as its profile says and compute its emission. ValueError on shapes or unknown forms."""
    _check(rows, rounding)
    terms = np.ascontiguousarray(rows.terms, np.float64)
    n = rows.form.size
    used, out, size, doubt = np.zeros(terms.shape), np.empty(n), np.empty(n), np.empty(n, np.bool_)
    _emit(rows.form, rows.profile, terms, rounding.decimals, rounding.constants, used, out, size, doubt)
    return Emitted(used, out, size, doubt)


def _check(rows: Rows, rounding: Rounding) -> None:
    n = rows.form.size
    if rows.terms.shape != (n, SLOTS) or rows.profile.shape != (n,):
        raise ValueError(f"{n} forms, profiles {rows.profile.shape} and terms {rows.terms.shape} do not go together")
    if rounding.decimals.shape != (rounding.emission.size, len(TERMS), SLOTS):
        raise ValueError(f"decimals {rounding.decimals.shape} do not fit {rounding.emission.size} profiles")
    if rounding.constants.shape != (rounding.emission.size, MOST_CONSTANTS):
        raise ValueError(f"constants {rounding.constants.shape} do not fit {rounding.emission.size} profiles")
    if n and not (0 <= rows.form.min() <= rows.form.max() < len(TERMS)):
        raise ValueError("a row has an unknown form")
    if n and not (0 <= rows.profile.min() <= rows.profile.max() < rounding.emission.size):
        raise ValueError("a row has an unknown profile")


@njit(cache=True, nogil=True)
def _annual(
    form: Bytes, profile: Bytes, terms: Floats, starts: Places, decimals: Bytes, out: Floats, doubt: Bools
) -> None:
    for g in range(starts.size - 1):
        first, last = starts[g], starts[g + 1]
        f, p = form[first], profile[first]
        wrong = False
        for k in range(_COUNTS[f]):
            total, weight, value, size = 0.0, 0.0, np.nan, 0.0
            same = True
            for i in range(first, last):
                amount = terms[i, 0]
                if k < AMOUNTS[f]:
                    total += terms[i, k]
                    size += abs(terms[i, k])
                elif amount != 0.0:
                    # A month without activity says nothing about the year's mean.
                    if weight != 0.0 and terms[i, k] != value:
                        same = False
                    value = terms[i, k]
                    total += amount * value
                    weight += amount
                elif weight == 0.0:
                    value = terms[i, k]
            mean = total if k < AMOUNTS[f] else (value if same or weight == 0.0 else total / weight)
            out[g, k], unsure = round_one(mean, size, decimals[p, f, k])
            wrong |= unsure
        doubt[g] = wrong


def annual(rows: Rows, starts: Places, rounding: Rounding) -> tuple[Rows, Bools]:
    """One row for each group rows[starts[g] : starts[g + 1]]: amounts added, other terms weighted by the activity, both rounded.

    `rows` hold terms as used in their months. Also bool (G,): a term may have been rounded the wrong way. ValueError where
    groups are empty, do not cover the rows or mix forms or profiles.
    """
    _check(rows, rounding)
    starts = np.ascontiguousarray(starts, np.int64)
    if starts.size == 0 or starts[0] != 0 or starts[-1] != rows.form.size or (np.diff(starts) <= 0).any():
        raise ValueError("groups must be non-empty and cover the rows in order")
    of = np.repeat(np.arange(starts.size - 1), np.diff(starts))
    form, profile = rows.form[starts[:-1]], rows.profile[starts[:-1]]
    if (form[of] != rows.form).any() or (profile[of] != rows.profile).any():
        raise ValueError("a group mixes forms or profiles")
    terms, doubt = np.zeros((starts.size - 1, SLOTS)), np.zeros(starts.size - 1, np.bool_)
    _annual(rows.form, rows.profile, rows.terms, starts, rounding.decimals, terms, doubt)
    return Rows(form, profile, terms), doubt
