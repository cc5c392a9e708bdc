"""Sums of carbon: rows make units that are rounded once, units make totals; whatever is in doubt at a tie is done again exactly.

Belongs here: rounding emissions and adding them, over ragged groups. Does not belong here: emissions of rows (`carbon`), which
rows go into a unit (`assets/carbon*`, by the method).

A unit is what a guide rounds as one figure: a fuel, or clinker with all its deductions. There is no sum over a missing value.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from kernels.carbon import Emitted, Places, Rounding, Rows, annual, emit
from kernels.carbon_exact import annual_terms, emission, month_terms
from kernels.rounding import Floats, exact, half_up, half_up_exact

if TYPE_CHECKING:
    from collections.abc import Callable


class Figures(NamedTuple):
    """terms (N, SLOTS) as used; exact and rounded (N,) of rows; unit_exact, unit_rounded, unit_size (U,) of units; all tCO2."""

    rows: Rows
    exact: Floats
    rounded: Floats
    unit_exact: Floats
    unit_rounded: Floats
    unit_size: Floats
    unit_starts: Places
    again: Callable[[int], Fraction]


@njit(cache=True, nogil=True)
def _add(values: Floats, index: Places, starts: Places, out: Floats) -> None:
    for g in range(out.size):
        total = 0.0
        for i in range(starts[g], starts[g + 1]):
            total += values[index[i]]
        out[g] = total


def add(values: Floats, index: Places, starts: Places) -> Floats:
    """Sums of values[index[starts[g] : starts[g + 1]]]; NaN where a member is NaN, 0 for an empty group. ValueError on shapes."""
    if starts.size == 0 or starts[0] != 0 or starts[-1] != index.size or (np.diff(starts) < 0).any():
        raise ValueError(f"groups do not cover {index.size} members in ascending order")
    if index.size and not (0 <= index.min() <= index.max() < values.size):
        raise ValueError("a group names a member that does not exist")
    out = np.empty(starts.size - 1)
    _add(
        np.ascontiguousarray(values, np.float64),
        np.ascontiguousarray(index, np.int64),
        np.ascontiguousarray(starts, np.int64),
        out,
    )
    return out


def month_figures(rows: Rows, unit_starts: Places, rounding: Rounding) -> Figures:
    """Emissions of rows as typed and of their units rows[unit_starts[u] : unit_starts[u + 1]], rounded half up, exact at ties."""
    made = emit(rows, rounding)
    terms_again = month_terms(rows, rounding)
    return _figures(Rows(rows.form, rows.profile, made.terms), made, unit_starts, rounding, terms_again)


def year_figures(rows: Rows, source_starts: Places, unit_starts: Places, rounding: Rounding) -> Figures:
    """The same over a year (annual_weighted): rows[source_starts[s] : source_starts[s + 1]] are the months of one source, and units
    are groups of sources.
    """
    used = emit(rows, rounding)
    monthly = Rows(rows.form, rows.profile, used.terms)
    yearly, unsure = annual(monthly, source_starts, rounding)
    made = emit(yearly, rounding)
    doubt = unsure | made.doubt | (np.add.reduceat(used.doubt, source_starts[:-1]) > 0 if rows.form.size else unsure)
    terms_again = annual_terms(rows, source_starts, rounding)
    return _figures(
        Rows(yearly.form, yearly.profile, made.terms), made._replace(doubt=doubt), unit_starts, rounding, terms_again
    )


def _figures(
    rows: Rows, made: Emitted, unit_starts: Places, rounding: Rounding, terms_again: Callable[[int], list[Fraction]]
) -> Figures:
    emitted = made.emission
    whole = ~np.isnan(emitted)
    for i in np.flatnonzero(made.doubt & whole).tolist():
        terms = terms_again(i)
        rows.terms[i, : len(terms)] = [float(t) for t in terms]
        emitted[i] = float(emission(int(rows.form[i]), terms, rounding.constants[rows.profile[i]]))

    def again(i: int) -> Fraction:
        return emission(int(rows.form[i]), terms_again(i), rounding.constants[rows.profile[i]])

    decimals = rounding.emission[rows.profile]
    rounded, doubt = half_up(emitted, decimals, made.size)
    for i in np.flatnonzero(doubt & whole).tolist():
        rounded[i] = float(half_up_exact(again(i), int(decimals[i])))
    every = np.arange(emitted.size)
    unit_exact, unit_size = add(emitted, every, unit_starts), add(made.size, every, unit_starts)
    unit_decimals = decimals[unit_starts[:-1]] if emitted.size else np.zeros(0, np.int8)
    unit_rounded, doubt = half_up(unit_exact, unit_decimals, unit_size)
    for u in np.flatnonzero(doubt & ~np.isnan(unit_exact)).tolist():
        members = range(int(unit_starts[u]), int(unit_starts[u + 1]))
        unit_rounded[u] = float(half_up_exact(sum(map(again, members), Fraction(0)), int(unit_decimals[u])))
    return Figures(rows, emitted, rounded, unit_exact, unit_rounded, unit_size, unit_starts, again)


def totals(figures: Figures, index: Places, starts: Places, rounding: Rounding, profile: Places) -> Floats:
    """Totals of the units index[starts[g] : starts[g + 1]] under profile[g], in tCO2 with the decimals of emissions.

    By the profile either the sum of rounded units, or the sum of what was not rounded, rounded once, exact at ties. NaN where a
    unit is NaN; 0 for an empty group.
    """
    decimals, exactly = rounding.emission[profile], rounding.exact_sums[profile]
    made, doubt = half_up(add(figures.unit_rounded, index, starts), decimals)
    for g in np.flatnonzero(doubt & ~exactly & ~np.isnan(made)).tolist():
        terms = figures.unit_rounded[index[starts[g] : starts[g + 1]]].tolist()
        made[g] = float(half_up_exact(sum(map(exact, terms), Fraction(0)), int(decimals[g])))
    once, doubt = half_up(add(figures.unit_exact, index, starts), decimals, add(figures.unit_size, index, starts))
    for g in np.flatnonzero(doubt & exactly & ~np.isnan(once)).tolist():
        members = [
            row
            for unit in index[starts[g] : starts[g + 1]].tolist()
            for row in range(int(figures.unit_starts[unit]), int(figures.unit_starts[unit + 1]))
        ]
        once[g] = float(half_up_exact(sum(map(figures.again, members), Fraction(0)), int(decimals[g])))
    return np.where(exactly, once, made)
