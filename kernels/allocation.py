"""Allowances of clinker lines: intensity, deviation from the sector's balance value, coefficient, and the whole tonnes they give.

Belongs here: the formula of carbon-rules 5.3, the balance value that a set of lines would have, floors. Does not belong here: slope,
cap, band and special cases (`reference`), which line is special (`assets/allocation`).

Allowances are whole tonnes, cut and not rounded: what a double cannot decide is done again on the decimals as typed.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from kernels.rounding import BAND, NOISE, Bools, Floats, exact, half_up_exact, round_one

if TYPE_CHECKING:
    from collections.abc import Iterable

#: From here on doubles no longer hold whole tonnes and their parts.
MOST = 2.0**40


class Lines(NamedTuple):
    """emission tCO2 and clinker t, float64 (N,), NaN where unknown; special bool (N,): the allowance is the emission itself."""

    emission: Floats
    clinker: Floats
    special: Bools


class Formula(NamedTuple):
    """Coefficient = slope x deviation within (-band, band), +-cap outside; all as ratios, texts of decimals being exact."""

    slope: float
    cap: float
    band: float


class Order(NamedTuple):
    """Decimals of emission (tCO2), intensity (tCO2/t), deviation (in %) and coefficient, each -1 where it is not rounded."""

    emission: int
    intensity: int
    deviation: int
    coefficient: int


class Allocated(NamedTuple):
    """Of each line (N,): intensity, deviation in %, coefficient and the allowance in whole tonnes; NaN where there is none."""

    intensity: Floats
    deviation_pct: Floats
    coefficient: Floats
    allowance: Floats


@njit(cache=True, nogil=True)
def _allocate(
    emission: Floats, clinker: Floats, special: Bools, balance: float, slope: float, cap: float, band: float,
    e_places: int, i_places: int, x_places: int, a_places: int, out: Floats, doubt: Bools,
) -> None:  # fmt: skip
    for n in range(emission.size):
        e, unsure = round_one(emission[n], emission[n], e_places)
        i, x, a = np.nan, np.nan, np.nan
        if clinker[n] > 0.0:
            i, wrong = round_one(e / clinker[n], e / clinker[n], i_places)
            unsure |= wrong
            x, wrong = round_one(100.0 * (balance - i) / balance, 100.0, x_places)
            unsure |= wrong
            # At the ends of the band the branch itself is in doubt.
            unsure |= abs(abs(x) - 100.0 * band) <= BAND
            a = slope * x / 100.0
            if x >= 100.0 * band:
                a = cap
            elif x <= -100.0 * band:
                a = -cap
            a, wrong = round_one(a, 1.0, a_places)
            unsure |= wrong
        out[n, 0], out[n, 1], out[n, 2] = i, x, a
        given = e if special[n] else e * (1.0 + a)
        part = given - np.floor(given)
        edge = max(BAND, NOISE * abs(given))
        unsure |= part <= edge or part >= 1.0 - edge
        out[n, 3] = np.floor(given)
        doubt[n] = unsure and not np.isnan(given)


def allocate(lines: Lines, balance: float | None, formula: Formula, order: Order) -> Allocated:
    """Allowances of all lines, exact (carbon-rules 5.3; vectors A-1, A-2, A-4).

    Without a balance value only special lines get a number: nothing stands in for it. A special line has its intensity and, where
    there is a balance value, its deviation, which do not matter to it. ValueError on shapes, negative emissions or amounts that
    doubles do not hold, and a balance value that is not above 0.
    """
    emission, clinker = (np.ascontiguousarray(a, np.float64) for a in lines[:2])
    special = np.ascontiguousarray(lines.special, np.bool_)
    if not emission.shape == clinker.shape == special.shape or emission.ndim != 1:
        raise ValueError(
            f"emissions {emission.shape}, clinker {clinker.shape} and special {special.shape} differ in shape"
        )
    known = emission[~np.isnan(emission)]
    if known.size and (known.min() < 0.0 or known.max() > MOST):
        raise ValueError("emissions of lines lie between 0 and 2**40 tCO2")
    if balance is not None and not 0.0 < balance < math.inf:
        raise ValueError(f"a balance value is above 0, not {balance}")
    out, doubt = np.empty((emission.size, 4)), np.empty(emission.size, np.bool_)
    value = math.nan if balance is None else balance
    _allocate(emission, clinker, special, value, *formula, *order, out, doubt)
    for n in np.flatnonzero(doubt).tolist():
        again = _exactly(emission[n], clinker[n], balance, formula, order, special=bool(special[n]))
        out[n] = [math.nan if x is None else float(x) for x in again]
    return Allocated(out[:, 0], out[:, 1], out[:, 2], out[:, 3])


def _exactly(
    emission: float, clinker: float, balance: float | None, formula: Formula, order: Order, *, special: bool
) -> tuple[Fraction | None, Fraction | None, Fraction | None, int]:
    """One line in fractions; only lines that have an allowance come here."""
    e = half_up_exact(exact(emission), order.emission)
    if not clinker > 0.0:
        return None, None, None, math.floor(e)
    i = half_up_exact(e / exact(clinker), order.intensity)
    if balance is None:
        return i, None, None, math.floor(e)
    x = half_up_exact(100 * (exact(balance) - i) / exact(balance), order.deviation)
    a = half_up_exact(coefficient(x / 100, formula), order.coefficient)
    return i, x, a, math.floor(e if special else e * (1 + a))


def coefficient(deviation: Fraction, formula: Formula) -> Fraction:
    """The coefficient of a deviation given as a ratio, exactly."""
    slope, cap, band = map(exact, formula)
    if deviation >= band:
        return cap
    return -cap if deviation <= -band else slope * deviation


def floor_share(amount: float, percent: float) -> int:
    """A share of an amount in whole tonnes, cut: what is allocated in advance (carbon-rules 5.3; vector A-6)."""
    return math.floor(exact(amount) * exact(percent) / 100)


def balance_value(lines: Iterable[tuple[float, float]], formula: Formula) -> Fraction:
    """The balance value at which allowances of (emission, clinker) add up to their emissions, exactly (vector B-1).

    For trials: the sector's own is published. Of many such values (every line capped) it is the least. ValueError where no line
    has both an emission and clinker above 0.
    """
    known = [(exact(e), exact(e) / exact(q)) for e, q in lines if e > 0 and q > 0]
    if not known:
        raise ValueError("there is no balance value without emissions and clinker")
    slope, cap, band = map(exact, formula)
    turns = sorted({i / (1 + side) for _, i in known for side in (band, -band)})

    def surplus(value: Fraction) -> Fraction:
        return sum((e * coefficient((value - i) / value, formula) for e, i in known), Fraction(0))

    floats = [(float(e), float(i)) for e, i in known]
    small = [float(x) for x in (slope, cap, band)]
    # Fractions of many lines grow long: doubles say where the root should lie, and what is found there is right if it does lie there.
    near = bisect_left(turns, 0.0, key=lambda v: _surplus(float(v), floats, *small))
    for at in range(max(near - 1, 1), min(near + 2, len(turns))):
        found = _between(known, turns[at - 1], turns[at], slope, cap, band)
        if found is not None and turns[at - 1] < found < turns[at]:
            return found
    # The surplus grows with the value: the root lies between the last turn that is still short and the next.
    low, high = 0, len(turns) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if surplus(turns[middle]) >= 0 else (middle + 1, high)
    until = turns[low]
    if surplus(until) == 0 or low == 0:
        return until
    found = _between(known, turns[low - 1], until, slope, cap, band)
    assert found is not None  # noqa: S101 - the surplus grows on this stretch, so that some line is inside its band
    return found


def _surplus(value: float, lines: list[tuple[float, float]], slope: float, cap: float, band: float) -> float:
    """What allowances are above emissions at a balance value, in doubles."""
    parts = []
    for e, i in lines:
        x = (value - i) / value
        parts.append(e * (cap if x >= band else -cap if x <= -band else slope * x))
    return math.fsum(parts)


def _between(
    known: list[tuple[Fraction, Fraction]], since: Fraction, until: Fraction, slope: Fraction, cap: Fraction, band: Fraction
) -> Fraction | None:  # fmt: skip
    """The root if it lies in (since, until), which holds no turn: a line is inside its band on all of it, or on none."""
    inside, weight, capped = Fraction(0), Fraction(0), Fraction(0)
    for e, i in known:
        if i / (1 - band) <= since:
            capped += e
        elif until <= i / (1 + band):
            capped -= e
        else:
            inside += e * i
            weight += e
    under = slope * weight + cap * capped
    return slope * inside / under if under > 0 else None
