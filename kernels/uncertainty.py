"""Uncertainty of sums of products: draws of every input of a line, and the interval of its total.

Belongs here: distributions, the counted generator and draws. Does not belong here: variances in closed form (`uncertainty_variance`),
how uncertain an input is (`reference/ets`) and which inputs a line has (`assets/uncertainty`).

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
#: Standard deviations from the mean beyond which both ends of the interval lie, even those of a rectangle.
FAR = 1.6

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


class Own(NamedTuple):
    """Of each term (T,), what its base is drawn with: base + slope w + bend (w^2 - 1), w a normal of its own. See `uncertainty_fold`."""

    slope: Floats
    bend: Floats


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
def below(x: float) -> float:
    """Share of the standard normal below x."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@njit(cache=True, nogil=True, error_model="numpy")
def _normals(seed: np.uint64, first: int, step: int, tail: float, u: Floats, where: Places, out: Floats) -> None:
    """A block of draws of the standard normal without the share `tail` at each end."""
    # One simple loop after the other, each in vector registers (no division looks for a zero); what lies in the tails, one draw in
    # twenty, is done again.
    kept = 1.0 - 2.0 * tail
    for i in range(out.size):
        u[i] = tail + kept * _uniform(seed, first + i * step)
    for i in range(out.size):
        out[i] = _middle(u[i])
    found = 0
    for i in range(out.size):
        where[found] = i
        found += not MIDDLE <= u[i] <= 1.0 - MIDDLE
    for j in range(found):
        out[where[j]] = _tail(u[where[j]])


@njit(cache=True, nogil=True, error_model="numpy")
def _scale(
    seed: np.uint64, first: int, step: int, distribution: int, half_width: float, cut: float, u: Floats, where: Places,
    out: Floats,
) -> None:  # fmt: skip
    """1 + relative error of one input over a block of draws."""
    if half_width == 0.0:
        out[:] = 1.0
    elif distribution == NORMAL:
        sd = half_width / Z95
        _normals(seed, first, step, below(-cut / sd), u, where, out)
        for i in range(out.size):
            out[i] = 1.0 + sd * out[i]
    else:
        for i in range(out.size):
            u[i] = _uniform(seed, first + i * step)
        if distribution == RECTANGULAR:
            for i in range(out.size):
                out[i] = 1.0 + half_width * (2.0 * u[i] - 1.0)
        else:
            for i in range(out.size):
                lower, upper = math.sqrt(2.0 * u[i]) - 1.0, 1.0 - math.sqrt(2.0 * (1.0 - u[i]))
                out[i] = 1.0 + half_width * (lower if u[i] < 0.5 else upper)


@njit(cache=True, nogil=True)
def _quantile(totals: Floats, share: float, mean: float, sd: float, some: Floats) -> float:
    """Of draws in no order, between the two nearest; `some` is as long as they are."""
    at = (share if share < 0.5 else 1.0 - share) * (totals.size - 1)
    whole = min(int(at), totals.size - 2)
    sign = 1.0 if share < 0.5 else -1.0
    # Sorting the side that the quantile lies on is enough; where too few lie out there, all.
    border = sign * mean - FAR * sd
    found = 0
    for i in range(totals.size):
        some[found] = sign * totals[i]
        found += some[found] < border
    if found < whole + 2:
        found = totals.size
        for i in range(found):
            some[i] = sign * totals[i]
    side = some[:found]
    side.sort()
    return sign * (side[whole] + (at - whole) * (side[whole + 1] - side[whole]))


@njit(cache=True, nogil=True, error_model="numpy")
def _draw(
    seeds: Seeds, draws: int, input_starts: Places, distribution: Bytes, half_width: Floats, cut: Floats,
    term_starts: Places, base: Floats, inputs: Places, slope: Floats, bend: Floats, first: int, last: int, out: Floats,
) -> None:  # fmt: skip
    totals, some = np.empty(draws), np.empty(draws + 1)
    most = 0
    for g in range(first, last):
        most = max(most, input_starts[g + 1] - input_starts[g])
    scale, u, product = np.empty((most, BLOCK)), np.empty(BLOCK), np.empty(BLOCK)
    where = np.empty(BLOCK, np.int64)
    for g in range(first, last):
        k0, k1 = input_starts[g], input_starts[g + 1]
        t0, t1 = term_starts[g], term_starts[g + 1]
        own = k1 - k0
        for t in range(t0, t1):
            own += slope[t] != 0.0
        many = own
        for n in range(0, draws, BLOCK):
            size = min(BLOCK, draws - n)
            for k in range(k0, k1):
                _scale(
                    seeds[g], n * many + k - k0, many, distribution[k], half_width[k], cut[k], u[:size], where,
                    scale[k - k0, :size],
                )  # fmt: skip
            total = totals[n : n + size]
            total[:] = 0.0
            own = k1 - k0
            for t in range(t0, t1):
                if slope[t] == 0.0:
                    product[:size] = base[t]
                else:
                    _normals(seeds[g], n * many + own, many, 0.0, u[:size], where, product[:size])
                    own += 1
                    for i in range(size):
                        product[i] = base[t] + slope[t] * product[i] + bend[t] * (product[i] * product[i] - 1.0)
                for s in range(SLOTS):
                    if inputs[t, s] >= 0:
                        row = scale[inputs[t, s]]
                        for i in range(size):
                            product[i] *= row[i]
                for i in range(size):
                    total[i] += product[i]
        mean = totals.sum() / draws
        square = 0.0
        for n in range(draws):
            square += (totals[n] - mean) ** 2
        sd = math.sqrt(square / (draws - 1))
        out[g, 0], out[g, 1] = mean, sd
        out[g, 2], out[g, 3] = _quantile(totals, LOW, mean, sd, some), _quantile(totals, HIGH, mean, sd, some)


def spread(
    seeds: Seeds, draws: int, input_starts: Places, inputs: Inputs, term_starts: Places, terms: Terms, own: Own | None = None,
    threads: int = 1,
) -> Spread:  # fmt: skip
    """Totals of every line over `draws` draws. Line g has inputs[input_starts[g] : input_starts[g + 1]] and terms likewise.

    `own`: factors of terms that `fold` made; none has any otherwise. Lines are shared out over `threads`; no number depends on it. ValueError where groups do not cover inputs or terms, a term
    names an input its line does not have, a width is negative or not a number, or there are fewer than 2 draws.
    """
    check(seeds, draws, input_starts, inputs, term_starts, terms)
    out = np.empty((seeds.size, 4))
    none = np.zeros(terms.base.size)
    own = Own(none, none) if own is None else own
    cuts = [seeds.size * i // threads for i in range(threads + 1)]

    def some(i: int) -> None:
        _draw(seeds, draws, input_starts, *inputs, term_starts, *terms, *own, cuts[i], cuts[i + 1], out)

    if threads == 1:
        some(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(some, range(threads)))
    return Spread(out[:, 0], out[:, 1], out[:, 2], out[:, 3])


def check(seeds: Seeds, draws: int, input_starts: Places, inputs: Inputs, term_starts: Places, terms: Terms) -> None:
    """ValueError where these are no groups that `spread` could draw."""
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
