"""Rounding half up (四舍五入) to decimals, and which values a float cannot be trusted to round.

Belongs here: rounding of arrays and of exact fractions. Does not belong here: which quantity has how many decimals
(`reference/methods/rounding.toml`) and formulas (`carbon`).

Guides mean decimals as written: 0.125 becomes 0.13, and 1.005, which no double holds, becomes 1.01. So doubles are rounded and
those that lie as near to a tie as a calculation may err are told: whoever knows where they came from does them again exactly.
Halves go away from zero, as on paper and in Excel; never to even.
"""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.int8]

#: Decimals of a quantity that a guide does not round.
AS_IS = -1
#: Values this near to a tie, in units of the last digit kept, are done again; and a few hundred roundings of the largest term.
BAND = 1e-6
NOISE = 256 * float(np.finfo(np.float64).eps)
MOST_DECIMALS = 15
SCALES = tuple(10.0**n for n in range(MOST_DECIMALS + 1))


@njit(cache=True, nogil=True)
def round_one(x: float, size: float, decimals: int) -> tuple[float, bool]:
    """X rounded half away from zero, and whether an error of some ulp of `size` could have changed that."""
    if decimals < 0 or np.isnan(x):
        return x, False
    scale = SCALES[decimals]
    scaled = abs(x) * scale
    whole = np.floor(scaled)
    part = scaled - whole
    doubt = abs(part - 0.5) <= max(BAND, NOISE * max(abs(size), abs(x)) * scale)
    made = (whole + 1.0 if part >= 0.5 else whole) / scale
    return (-made if x < 0.0 else made), doubt


@njit(cache=True, nogil=True)
def _half_up(x: Floats, size: Floats, decimals: Bytes, out: Floats, doubt: Bools) -> None:
    for i in range(x.size):
        out[i], doubt[i] = round_one(x[i], size[i], decimals[i])


def half_up(x: Floats, decimals: int | Bytes, size: Floats | None = None) -> tuple[Floats, Bools]:
    """(rounded, doubtful) of x (N,); NaN stays. `decimals` is one number or int8 (N,), AS_IS to leave a value.

    `size` (N,) is the largest amount that went into each value where that is more than the value itself (differences).
    ValueError on other shapes or more than 15 decimals.
    """
    x = np.ascontiguousarray(x, np.float64)
    places = (
        np.full(x.shape, decimals, np.int8) if isinstance(decimals, int) else np.ascontiguousarray(decimals, np.int8)
    )
    sizes = np.abs(x) if size is None else np.ascontiguousarray(size, np.float64)
    if x.ndim != 1 or not x.shape == places.shape == sizes.shape:
        raise ValueError(f"values {x.shape}, decimals {places.shape} and sizes {sizes.shape} differ in shape")
    if x.size and (places.max() > MOST_DECIMALS or places.min() < AS_IS):
        raise ValueError(f"decimals must lie between {AS_IS} and {MOST_DECIMALS}")
    out, doubt = np.empty_like(x), np.empty(x.shape, np.bool_)
    _half_up(x, sizes, places, out, doubt)
    return out, doubt


def exact(x: float) -> Fraction:
    """The decimal that a double was read from: its shortest text."""
    return Fraction(*Decimal(repr(float(x))).as_integer_ratio())


def half_up_exact(x: Fraction, decimals: int) -> Fraction:
    """X rounded half away from zero; AS_IS leaves it."""
    if decimals < 0 or 10**decimals % x.denominator == 0:
        return x
    made = Fraction(math.floor(abs(x) * 10**decimals + Fraction(1, 2)), 10**decimals)
    return -made if x < 0 else made


def quotient(over: list[Floats], under: list[Floats], decimals: int | Bytes) -> Floats:
    """Product of `over` by product of `under`, rounded half up, exact at ties; NaN where anything is NaN or a divisor is 0.

    All (N,), decimals as typed: what is in doubt is done again on the shortest texts.
    """
    value = np.prod(np.vstack(over), axis=0)
    divisor = np.prod(np.vstack(under), axis=0)
    ratio = np.divide(value, divisor, out=np.full(value.shape, np.nan), where=divisor != 0)
    made, doubt = half_up(ratio, decimals)
    places = np.broadcast_to(np.asarray(decimals), made.shape)
    for i in np.flatnonzero(doubt & ~np.isnan(ratio)).tolist():
        x = math.prod(exact(a[i]) for a in over) / math.prod(exact(a[i]) for a in under)
        made[i] = float(half_up_exact(Fraction(x), int(places[i])))
    return made
