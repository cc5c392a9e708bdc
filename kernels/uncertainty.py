"""Uncertainty of sums of products: draws of every input of a line, the interval of its total, and what each input adds to it.

Belongs here: distributions, the counted generator, draws, and variances in closed form. Does not belong here: how uncertain an input
is (`reference/ets`) and which inputs a line has (`assets/uncertainty`).

A line is a sum of terms; a term is its base value times (1 + relative error) of up to four inputs, and terms may share inputs. Draw
n of input k of a line follows from the line's seed, n and k alone: no order of lines, threads or runs changes a bit.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

if TYPE_CHECKING:
    from kernels.rounding import Bytes, Floats

Places = npt.NDArray[np.int64]
Seeds = npt.NDArray[np.uint64]

#: Distributions of a relative error, all symmetric about 0.
NORMAL, TRIANGULAR, RECTANGULAR = range(3)
SLOTS = 4
#: Half the width of a normal's 95 % interval in standard deviations.
Z95 = 1.959963984540054
LOW, HIGH = 0.025, 0.975
#: Where the middle of the normal begins; draws that are made at once: fifty inputs of a line then lie in the second cache.
MIDDLE = 0.02425
BLOCK = 512

_GOLDEN, _MIX1, _MIX2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_UNIT = 2.0**-53


class Inputs(NamedTuple):
    """Of each input (K,): distribution; half_width of its 95 % interval (normal) or of its whole range, relative; cut, the largest
    relative error that can be (normal; inf where there is none).
    """

    distribution: Bytes
    half_width: Floats
    cut: Floats


class Terms(NamedTuple):
    """base (T,) value of each term; inputs int64 (T, SLOTS): those of its line, by their place in the line, -1 for none."""

    base: Floats
    inputs: Places


class Spread(NamedTuple):
    """Of each line (L,): mean, standard deviation and the ends of the 95 % interval of its total over the draws."""

    mean: Floats
    sd: Floats
    low: Floats
    high: Floats


@njit(cache=True, nogil=True)
def _uniform(seed: np.uint64, count: int) -> float:
    """The count-th number of a seed, in (0, 1): splitmix64 entered at any place."""
    z = seed + _GOLDEN * np.uint64(count + 1)
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    z = z ^ (z >> _S31)
    return (np.float64(z >> _S11) + 0.5) * _UNIT


@njit(cache=True, nogil=True, error_model="numpy")
def _middle(p: float) -> float:
    """Of the standard normal between the tails, to 1.2e-9 of itself: rational approximations (P. J. Acklam)."""
    q = p - 0.5
    r = q * q
    top = ((((-3.969683028665376e01 * r + 2.209460984245205e02) * r - 2.759285104469687e02) * r
            + 1.383577518672690e02) * r - 3.066479806614716e01) * r + 2.506628277459239e00  # fmt: skip
    low = ((((-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02) * r
            + 6.680131188771972e01) * r - 1.328068155288572e01) * r + 1.0  # fmt: skip
    return q * top / low


@njit(cache=True, nogil=True, error_model="numpy")
def _tail(p: float) -> float:
    """The same below MIDDLE and above 1 - MIDDLE."""
    q = math.sqrt(-2.0 * math.log(min(p, 1.0 - p)))
    top = ((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838e00) * q
            - 2.549732539343734e00) * q + 4.374664141464968e00) * q + 2.938163982698783e00  # fmt: skip
    low = (((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996e00) * q
           + 3.754408661907416e00) * q + 1.0  # fmt: skip
    return top / low if p < 0.5 else -top / low


@njit(cache=True, nogil=True)
def _below(x: float) -> float:
    """Share of the standard normal below x."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@njit(cache=True, nogil=True, error_model="numpy")
def _scale(
    seed: np.uint64, first: int, step: int, distribution: int, half_width: float, tail: float, u: Floats, where: Places,
    out: Floats,
) -> None:  # fmt: skip
    """1 + relative error of one input over a block of draws; `tail` is the normal's share that a cut leaves out at each end."""
    # One simple loop after the other, each in vector registers (no division looks for a zero); what lies in the tails, one draw in
    # twenty, is done again.
    for i in range(out.size):
        u[i] = _uniform(seed, first + i * step)
    if distribution == NORMAL:
        sd, kept = half_width / Z95, 1.0 - 2.0 * tail
        for i in range(out.size):
            u[i] = tail + u[i] * kept
            out[i] = 1.0 + sd * _middle(u[i])
        found = 0
        for i in range(out.size):
            where[found] = i
            found += not MIDDLE <= u[i] <= 1.0 - MIDDLE
        for j in range(found):
            out[where[j]] = 1.0 + sd * _tail(u[where[j]])
    elif distribution == RECTANGULAR:
        for i in range(out.size):
            out[i] = 1.0 + half_width * (2.0 * u[i] - 1.0)
    else:
        for i in range(out.size):
            below, above = math.sqrt(2.0 * u[i]) - 1.0, 1.0 - math.sqrt(2.0 * (1.0 - u[i]))
            out[i] = 1.0 + half_width * (below if u[i] < 0.5 else above)


@njit(cache=True, nogil=True, error_model="numpy")
def _draw(
    seeds: Seeds, draws: int, input_starts: Places, distribution: Bytes, half_width: Floats, cut: Floats,
    term_starts: Places, base: Floats, inputs: Places, first: int, last: int, out: Floats,
) -> None:  # fmt: skip
    totals = np.empty(draws)
    most = 0
    for g in range(first, last):
        most = max(most, input_starts[g + 1] - input_starts[g])
    scale, u, product = np.empty((most, BLOCK)), np.empty(BLOCK), np.empty(BLOCK)
    where = np.empty(BLOCK, np.int64)
    for g in range(first, last):
        k0, k1 = input_starts[g], input_starts[g + 1]
        many = k1 - k0
        for n in range(0, draws, BLOCK):
            size = min(BLOCK, draws - n)
            for k in range(k0, k1):
                if half_width[k] > 0.0:
                    tail = _below(-cut[k] / half_width[k] * Z95) if distribution[k] == NORMAL else 0.0
                    _scale(
                        seeds[g], n * many + k - k0, many, distribution[k], half_width[k], tail, u[:size], where,
                        scale[k - k0, :size],
                    )  # fmt: skip
                else:
                    scale[k - k0, :size] = 1.0
            total = totals[n : n + size]
            total[:] = 0.0
            for t in range(term_starts[g], term_starts[g + 1]):
                product[:size] = base[t]
                for s in range(SLOTS):
                    if inputs[t, s] >= 0:
                        row = scale[inputs[t, s]]
                        for i in range(size):
                            product[i] *= row[i]
                for i in range(size):
                    total[i] += product[i]
        mean = totals.sum() / draws
        out[g, 0] = mean
        out[g, 1] = math.sqrt(((totals - mean) ** 2).sum() / (draws - 1))
        totals.sort()
        for e, share in enumerate((LOW, HIGH)):
            at = share * (draws - 1)
            whole = min(int(at), draws - 2)
            out[g, 2 + e] = totals[whole] + (at - whole) * (totals[whole + 1] - totals[whole])


def spread(
    seeds: Seeds, draws: int, input_starts: Places, inputs: Inputs, term_starts: Places, terms: Terms, threads: int = 1
) -> Spread:
    """Totals of every line over `draws` draws. Line g has inputs[input_starts[g] : input_starts[g + 1]] and terms likewise.

    Lines are shared out over `threads`; no number depends on it. ValueError where groups do not cover inputs or terms, a term
    names an input its line does not have, a width is negative or not a number, or there are fewer than 2 draws.
    """
    _check(seeds, draws, input_starts, inputs, term_starts, terms)
    out = np.empty((seeds.size, 4))
    cuts = [seeds.size * i // threads for i in range(threads + 1)]

    def some(i: int) -> None:
        _draw(seeds, draws, input_starts, *inputs, term_starts, *terms, cuts[i], cuts[i + 1], out)

    if threads == 1:
        some(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(some, range(threads)))
    return Spread(out[:, 0], out[:, 1], out[:, 2], out[:, 3])


def _check(seeds: Seeds, draws: int, input_starts: Places, inputs: Inputs, term_starts: Places, terms: Terms) -> None:
    if draws < 2:
        raise ValueError("a spread takes at least 2 draws")
    for name, starts, many in (
        ("inputs", input_starts, inputs.half_width.size),
        ("terms", term_starts, terms.base.size),
    ):
        if starts.shape != (seeds.size + 1,) or starts[0] != 0 or starts[-1] != many or (np.diff(starts) < 0).any():
            raise ValueError(f"{name}: groups of {seeds.size} lines do not cover {many} {name}")
    if terms.inputs.shape != (terms.base.size, SLOTS):
        raise ValueError(f"inputs of terms have shape {terms.inputs.shape}, not ({terms.base.size}, {SLOTS})")
    own = np.repeat(np.diff(input_starts), np.diff(term_starts))
    if (terms.inputs >= own[:, None]).any() or (terms.inputs < -1).any():
        raise ValueError("a term names an input that its line does not have")
    if not (inputs.half_width >= 0.0).all() or not (inputs.cut > 0.0).all() or not np.isfinite(inputs.half_width).all():
        raise ValueError("widths are finite and not negative, cuts above 0")
    if inputs.distribution.size and not (
        NORMAL <= inputs.distribution.min() <= inputs.distribution.max() <= RECTANGULAR
    ):
        raise ValueError("an input has an unknown distribution")


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
            out[k] = h / Z95 * math.sqrt(1.0 - 2.0 * a * density / (1.0 - 2.0 * _below(-a)))


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
    _check(seeds, 2, input_starts, inputs, term_starts, terms)
    total, parts = np.zeros(seeds.size), np.zeros(inputs.half_width.size)
    _variance(input_starts, relative_sd(inputs) ** 2, term_starts, *terms, total, parts)
    return total, parts
