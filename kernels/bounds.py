"""How far a value may go before it breaks a limit, under each way of rounding.

Belongs here: one number per limit and rounding mode, so that every comparison in the kernels is `value <= bound`.
Does not belong here: the comparison itself (`judge`, `judge_month`) and which mode a policy asks for (`reference`).
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cache

import numpy as np
import numpy.typing as npt

#: An hour mean carries some 16 digits of arithmetic noise and at most 5 of a monitor: 12 are sensible. The double next to
#: 50.05 is 50.0499999999999971578…: only its text at sensible digits, 50.0500000000, is the tie that was meant.
SENSIBLE_DIGITS = 12
#: Relative arithmetic noise of an hour mean, generously.
NOISE = 1e-12

_SENSIBLE = Context(prec=SENSIBLE_DIGITS, rounding=ROUND_HALF_EVEN)
_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)


def sensible(value: float) -> Decimal:
    """The decimal text that a double stands for: its exact value at SENSIBLE_DIGITS significant digits."""
    return _SENSIBLE.create_decimal(Decimal(value))


def full_value_bounds(limits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Limits (any shape, NaN kept) -> the greatest double that is the limit but for arithmetic noise.

    A mean of sixty decimals that is exactly 50 may come out as 50.00000000000001 and must not fail for that. The least real
    excess is 1 / (60 * 10^6) of six-decimal readings, far above one part in 10^12.
    """
    return limits * (1.0 + NOISE)


def half_even(value: float, decimals: int) -> Decimal:
    """The decimal text of a double rounded half to even (GB/T 8170): at one decimal 50.05 gives 50.0 and 50.15 gives 50.2."""
    return sensible(value).quantize(Decimal(1).scaleb(-decimals), context=_WIDE)


def written_decimals(limit: float) -> int:
    """Decimals that a limit is written with: 0 for 50.0, 2 for 0.05."""
    exponent = Decimal(repr(limit)).normalize().as_tuple().exponent
    return max(0, -int(exponent))


@cache
def half_even_bound(limit: float, decimals: int) -> float:
    """The greatest double whose value, rounded half-even to `decimals`, is <= limit; so that `v <= bound` decides alike.

    Vector V26: half_even_bound(50.0, 1) lies between 50.05 (a tie, to the even 50.0) and 50.0500000001.
    ValueError for a limit that is not finite or is written with more decimals than it is compared at.
    """
    if not math.isfinite(limit) or written_decimals(limit) > decimals:
        raise ValueError(f"a limit of {limit} cannot be compared at {decimals} decimals")
    written = Decimal(repr(limit))
    # The limit itself holds and one whole unit above it does not: bisect in doubles until they are neighbours.
    low, high = limit, limit + 10.0**-decimals
    while math.nextafter(low, math.inf) < high:
        middle = low + (high - low) / 2
        if half_even(middle, decimals) <= written:
            low = middle
        else:
            high = middle
    return low


def half_even_bounds(limits: npt.NDArray[np.float64], decimals: int) -> npt.NDArray[np.float64]:
    """`half_even_bound` of every limit of an array of any shape; NaN (no limit) stays NaN.

    A limit written with more decimals than `decimals` is compared at its own (GB/T 8170: rounding goes to the digits of
    the limit, never below them).
    """
    values, where = np.unique(limits, return_inverse=True)
    made = [
        v if math.isnan(v) else half_even_bound(float(v), max(decimals, written_decimals(float(v)))) for v in values
    ]
    return np.array(made, np.float64)[where].reshape(limits.shape)
