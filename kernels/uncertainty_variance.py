"""Variances of sums of products in closed form: of each line's total, and what each input adds to it.

Belongs here: standard deviations of inputs, variances, their parts. Does not belong here: draws (`uncertainty`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from kernels.uncertainty import RECTANGULAR, SLOTS, TRIANGULAR, Z95, Inputs, Terms, below, check

if TYPE_CHECKING:
    from kernels.rounding import Bytes, Floats
    from kernels.uncertainty import Places


@njit(cache=True, nogil=True)
def _relative_sd(distribution: Bytes, half_width: Floats, cut: Floats, out: Floats) -> None:
    for k in range(out.size):
        h = half_width[k]
        if distribution[k] == RECTANGULAR:
            out[k] = h / math.sqrt(3.0)
        elif distribution[k] == TRIANGULAR:
            out[k] = h / math.sqrt(6.0)
        elif h == 0.0 or cut[k] == np.inf:
            out[k] = h / Z95
        else:
            a = cut[k] / h * Z95
            density = math.exp(-0.5 * a * a) / math.sqrt(2.0 * math.pi)
            out[k] = h / Z95 * math.sqrt(1.0 - 2.0 * a * density / (1.0 - 2.0 * below(-a)))


def relative_sd(inputs: Inputs) -> Floats:
    """Standard deviation of each relative error (K,), in closed form."""
    out = np.empty(inputs.half_width.size)
    _relative_sd(*inputs, out)
    return out


@njit(cache=True, nogil=True)
def _variance(
    input_starts: Places,
    square: Floats,
    term_starts: Places,
    base: Floats,
    inputs: Places,
    total: Floats,
    parts: Floats,
) -> None:
    shared = np.empty(SLOTS, np.int64)
    for g in range(total.size):
        t0, t1 = term_starts[g], term_starts[g + 1]
        k0, k1 = input_starts[g], input_starts[g + 1]
        for t in range(t0, t1):
            for u in range(t0, t1):
                # Covariance of two products: only inputs that both have make them move together.
                many = 0
                for s in range(SLOTS):
                    for r in range(SLOTS):
                        if inputs[t, s] >= 0 and inputs[t, s] == inputs[u, r]:
                            shared[many] = inputs[t, s]
                            many += 1
                for k in range(many):
                    # Sums over the other shared inputs: of squares, of products of two, of three.
                    e1, e2, e3 = 0.0, 0.0, 0.0
                    for other in range(many):
                        if other != k:
                            x = square[k0 + shared[other]]
                            e3 += e2 * x
                            e2 += e1 * x
                            e1 += x
                    # What several inputs do together is theirs in equal parts.
                    share = square[k0 + shared[k]] * (1.0 + e1 / 2.0 + e2 / 3.0 + e3 / 4.0)
                    parts[k0 + shared[k]] += base[t] * base[u] * share
        for k in range(k0, k1):
            # Terms that cancel may leave some ulp below 0.
            parts[k] = max(parts[k], 0.0)
            total[g] += parts[k]


def variance(input_starts: Places, inputs: Inputs, term_starts: Places, terms: Terms) -> tuple[Floats, Floats]:
    """(variance of each line's total (L,), part of it that each input has (K,)), in closed form; parts add up to the whole.

    Inputs are independent and their errors have mean 0, so a sum of products has its variance exactly. What inputs do together (the
    product of their errors) is divided among them equally: Shapley's value of the variance. Checks as in `spread`; an input may
    enter a term only once.
    """
    seeds = np.zeros(input_starts.size - 1, np.uint64)
    check(seeds, 2, input_starts, inputs, term_starts, terms)
    total, parts = np.zeros(seeds.size), np.zeros(inputs.half_width.size)
    _variance(input_starts, relative_sd(inputs) ** 2, term_starts, *terms, total, parts)
    return total, parts
