"""Fewer inputs with the same total: what enters a sum of products at one place only is drawn as one.

Belongs here: which inputs can be taken together, and the moments of what they make. Does not belong here: draws (`uncertainty`) and
which inputs a line has (`assets/uncertainty`).

An input that one term alone has is multiplied into that term's own factor; terms that then have the same inputs left are added, their
own factors with them; and so on until nothing moves. Own factors are independent of all else, so this changes nothing. One is drawn
as a normal that is bent: slope w + bend (w^2 - 1), with the mean, the variance and the skewness of what it stands for, exactly; of one
normal input, or a sum of them, that is the very distribution. What is not a normal is left out of it, unless it makes up less than
SMALL of the variance. Should fourth cumulants of own factors differ by more than BENT squared variances of the line, the line stays as it is:
2.5 % quantiles then move by less than a thirtieth of what 10,000 draws leave open.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from kernels.uncertainty import NORMAL, RECTANGULAR, SLOTS, Z95, Inputs, Own, Terms
from kernels.uncertainty_variance import relative_sd

if TYPE_CHECKING:
    import numpy.typing as npt

    from kernels.rounding import Floats
    from kernels.uncertainty import Places

#: Share of the variance below which the shape of an input does not matter.
SMALL = 0.01
#: Difference of fourth cumulants, in squared variances, and a skewness that no draw of a bent normal is near the end of.
BENT, SKEWED = 0.01, 1.0
#: Standard deviations beyond which a cut leaves a normal as it is: two draws in 10^9 lie there.
NO_CUT = 6.0


class Folded(NamedTuple):
    """Groups, inputs and terms as `spread` takes them, and each term's own factor."""

    input_starts: Places
    inputs: Inputs
    term_starts: Places
    terms: Terms
    own: Own


@njit(cache=True, nogil=True)
def _fold(
    input_starts: Places, square: Floats, fourth: Floats, loose: npt.NDArray[np.bool_], term_starts: Places, base: Floats, inputs: Places,
    total: Floats, mean: Floats, slope: Floats, bend: Floats, left: Places, uses: Places, alive: npt.NDArray[np.bool_],
) -> None:  # fmt: skip
    second, third, high = np.zeros(base.size), np.zeros(base.size), np.zeros(base.size)
    for g in range(total.size):
        t0, t1, k0 = term_starts[g], term_starts[g + 1], input_starts[g]
        for t in range(t0, t1):
            for s in range(SLOTS):
                if left[t, s] >= 0:
                    uses[k0 + left[t, s]] += 1
        moved = True
        while moved:
            moved = False
            for t in range(t0, t1):
                if not alive[t]:
                    continue
                for s in range(SLOTS):
                    k = k0 + left[t, s]
                    if left[t, s] < 0 or not loose[k] or uses[k] != 1:
                        continue
                    # Central moments of X (1 + e), e symmetric: no differences of large numbers.
                    m, v, c, f, a, b = mean[t], second[t], third[t], high[t], square[k], fourth[k]
                    second[t] = v + m * m * a + v * a
                    third[t] = c + 6.0 * m * v * a + 3.0 * c * a
                    high[t] = (
                        f * (1.0 + b + 6.0 * a)
                        + m * m * m * m * b
                        + 6.0 * m * m * v * (a + b)
                        + 4.0 * m * c * (b + 3.0 * a)
                    )
                    left[t, s], uses[k], moved = -1, 0, True
                # In one order, so that equal sets are equal rows.
                for s in range(1, SLOTS):
                    at, x = s, left[t, s]
                    while at and left[t, at - 1] < x:
                        left[t, at] = left[t, at - 1]
                        at -= 1
                    left[t, at] = x
            for t in range(t0, t1):
                for u in range(t + 1, t1 if alive[t] else t):
                    same = alive[u]
                    for s in range(SLOTS):
                        same = same and left[t, s] == left[u, s]
                    if not same:
                        continue
                    v, w = second[t], second[u]
                    mean[t] += mean[u]
                    third[t] += third[u]
                    high[t] = high[t] + high[u] + 6.0 * v * w
                    second[t] = v + w
                    alive[u], moved = False, True
                    for s in range(SLOTS):
                        if left[u, s] >= 0:
                            uses[k0 + left[u, s]] -= 1
        lost = 0.0
        for t in range(t0, t1):
            if not alive[t] or second[t] <= 0.0:
                continue
            v = second[t]
            skew = third[t] / v / math.sqrt(v)
            if not abs(skew) <= SKEWED:
                lost = math.inf
                break
            b = skew / 6.0
            for _ in range(8):
                b -= (6.0 * b - 4.0 * b * b * b - skew) / (6.0 - 12.0 * b * b)
            slope[t], bend[t] = math.sqrt(v * (1.0 - 2.0 * b * b)), b * math.sqrt(v)
            lost += abs(high[t] - 3.0 * v * v - 48.0 * b * b * (1.0 - b * b) * v * v)
        if lost > BENT * total[g] * total[g]:
            for t in range(t0, t1):
                mean[t], slope[t], bend[t], alive[t], left[t] = base[t], 0.0, 0.0, True, inputs[t]
            uses[k0 : input_starts[g + 1]] = 1


def fold(
    input_starts: Places, inputs: Inputs, term_starts: Places, terms: Terms, total: Floats, parts: Floats
) -> Folded:
    """What `spread` may draw in place of these groups; `total` and `parts` are those of `variance`, and stay as they are."""
    square = relative_sd(inputs) ** 2
    normal = inputs.distribution == NORMAL
    rest = inputs.half_width**4 / np.where(inputs.distribution == RECTANGULAR, 5.0, 15.0)
    fourth = np.where(normal, 3.0 * square**2, rest)
    whole = inputs.cut * Z95 >= NO_CUT * inputs.half_width
    loose = np.where(normal, whole, parts <= SMALL * np.repeat(total, np.diff(input_starts)))
    mean, left = terms.base.copy(), terms.inputs.copy()
    slope, bend = np.zeros(mean.size), np.zeros(mean.size)
    uses, alive = np.zeros(square.size, np.int64), np.ones(mean.size, np.bool_)
    _fold(
        input_starts, square, fourth, loose, term_starts, terms.base, terms.inputs, total, mean, slope, bend, left, uses, alive
    )  # fmt: skip
    kept = uses > 0
    before, after = np.append(0, np.cumsum(kept)), np.append(0, np.cumsum(alive))
    starts = np.repeat(input_starts[:-1], np.diff(term_starts))[:, None]
    places = np.where(left >= 0, before[np.where(left >= 0, starts + left, 0)] - before[starts], -1)
    return Folded(
        before[input_starts], Inputs(inputs.distribution[kept], inputs.half_width[kept], inputs.cut[kept]), after[term_starts], Terms(mean[alive], places[alive]),
        Own(slope[alive], bend[alive]),
    )  # fmt: skip
