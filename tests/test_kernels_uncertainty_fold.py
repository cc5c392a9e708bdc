"""Inputs drawn as one: cumulants by every outcome, variances in closed form, intervals beside those of every input drawn."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.uncertainty import (
    NORMAL,
    RECTANGULAR,
    SLOTS,
    TRIANGULAR,
    Z95,
    Inputs,
    Terms,
    spread,
)
from kernels.uncertainty_fold import Folded, fold
from kernels.uncertainty_variance import relative_sd, variance

INF = math.inf


def model(given: list[tuple[int, float, float]], terms: list[tuple[float, tuple[int, ...]]], copies: int = 1):
    """`copies` equal groups, as fold and spread take them."""
    kinds, widths, cuts = (np.tile(np.array(a), copies) for a in zip(*given, strict=True))
    slots = np.array([[*of, *([-1] * (SLOTS - len(of)))] for _, of in terms], np.int64)
    return (
        np.arange(copies + 1) * len(given), Inputs(kinds.astype(np.int8), widths.astype(float), cuts.astype(float)),
        np.arange(copies + 1) * len(terms), Terms(np.tile(np.array([float(b) for b, _ in terms]), copies), np.tile(slots, (copies, 1))),
    )  # fmt: skip


def folded(some) -> Folded:
    return fold(*some, *variance(*some))


def drawn_inputs(made: Folded) -> int:
    return made.inputs.half_width.size + int((made.own.slope != 0).sum())


def variances(made: Folded) -> np.ndarray:
    """Of a folded model by the closed form of the whole one: an own factor is one more normal input of its term."""
    starts, inputs, term_starts, terms, own = made
    totals = []
    for g in range(starts.size - 1):
        t, k = slice(term_starts[g], term_starts[g + 1]), slice(starts[g], starts[g + 1])
        many = starts[g + 1] - starts[g]
        base, slots = terms.base[t], terms.inputs[t].copy()
        var = own.slope[t] ** 2 + 2 * own.bend[t] ** 2
        for row in np.flatnonzero(var):
            (free,) = np.flatnonzero(slots[row] < 0)[:1]
            slots[row, free] = many + row
        widths = np.append(inputs.half_width[k], Z95 * np.sqrt(var) / np.abs(base))
        kinds = np.append(inputs.distribution[k], np.full(base.size, NORMAL, np.int8)).astype(np.int8)
        cuts = np.append(inputs.cut[k], np.full(base.size, INF))
        one, _ = variance(
            np.array([0, widths.size]), Inputs(kinds, widths, cuts), np.array([0, base.size]), Terms(base, slots)
        )
        totals.append(one[0])
    return np.array(totals)


def outcomes(some, points: tuple[tuple[float, float], ...]) -> tuple[np.ndarray, np.ndarray]:
    """Totals and their weights over every outcome of inputs that take `points` (in standard deviations) with their weights."""
    _, inputs, _, terms = some
    sds = relative_sd(inputs)
    values, weights = [], []
    for chosen in product(points, repeat=sds.size):
        scale = 1 + np.array([x for x, _ in chosen]) * sds
        values.append(sum(b * np.prod([scale[k] for k in of if k >= 0]) for b, of in zip(*terms, strict=True)))
        weights.append(math.prod(w for _, w in chosen))
    return np.array(values), np.array(weights)


#: Three points with the first five moments of the standard normal.
THREE = ((-math.sqrt(3), 1 / 6), (0.0, 2 / 3), (math.sqrt(3), 1 / 6))
N = NORMAL
CASES = {
    "linear": ([(N, 0.1, INF), (N, 0.2, INF), (N, 0.05, INF)], [(100, (0,)), (50, (1,)), (-20, (2,))]),
    "a-product": ([(N, 0.05, INF), (N, 0.1, INF), (N, 0.03, INF)], [(100, (0, 1, 2))]),
    "months-of-one-fuel": ([(N, 0.04, INF)] * 5, [(10, (0, 3, 4)), (70, (1, 3, 4)), (30, (2, 3, 4))]),
    "two-lines-of-an-entity": (
        [(N, 0.04, INF), (N, 0.03, INF), (N, 0.15, INF), (N, 0.1, INF), (N, 0.1, INF)],
        [(100, (0, 1)), (60, (2, 1)), (-30, (3, 4))],
    ),
    "what-cancels": ([(N, 0.1, INF), (N, 0.2, INF), (N, 0.02, INF)], [(40, (0, 2)), (-40, (1, 2))]),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_entered_once_is_one_draw_with_three_cumulants_exact(name: str) -> None:
    some = model(*CASES[name])
    made = folded(some)
    assert (drawn_inputs(made), made.terms.base.size) == (1, 1)
    values, weights = outcomes(some, THREE)
    mean = weights @ values
    second, third = (weights @ (values - mean) ** n for n in (2, 3))
    (a,), (b,) = made.own
    assert made.terms.base[0] == pytest.approx(mean, rel=1e-12, abs=1e-9)
    assert a**2 + 2 * b**2 == pytest.approx(second, rel=1e-9)
    assert 6 * a**2 * b + 8 * b**3 == pytest.approx(third, rel=1e-6, abs=1e-9 * second**1.5)
    assert a**2 + 2 * b**2 == pytest.approx(variance(*some)[0][0], rel=1e-12)


def test_a_sum_of_normals_is_the_very_normal() -> None:
    made = folded(model(*CASES["linear"]))
    assert made.own.bend.tolist() == [0.0]
    assert made.own.slope[0] == pytest.approx(math.sqrt(10**2 + 10**2 + 1**2) / Z95, rel=1e-14)


@pytest.mark.parametrize(
    ("inputs", "terms", "left", "own"),
    [
        # Neither the meter nor the carbon content can be had apart from the other.
        pytest.param([(N, 0.05, INF)] * 4, [(50, (0, 1, 3)), (40, (0, 2)), (30, (1,))], 2, 2, id="shared-crosswise"),
        pytest.param([(RECTANGULAR, 0.05, INF), (N, 0.02, INF)], [(50, (0, 1))], 1, 1, id="wide-meter"),
        pytest.param([(TRIANGULAR, 0.05, INF), (N, 0.02, INF)], [(50, (0, 1))], 1, 1, id="wide-triangle"),
        pytest.param([(RECTANGULAR, 0.001, INF), (N, 0.05, INF)], [(50, (0, 1))], 0, 1, id="meter-that-hardly-counts"),
        pytest.param([(N, 0.05, 0.1), (N, 0.05, INF)], [(50, (0,)), (50, (1,))], 1, 1, id="a-cut-that-cuts"),
        pytest.param([(N, 1.5, INF), (N, 1.5, INF)], [(50, (0, 1))], 2, 0, id="too-crooked"),
        pytest.param([(N, 0.3, INF), (N, 0.6, INF)], [(50, (0, 1))], 2, 0, id="fourth-cumulant-too-large"),
        pytest.param([(N, 0.1, INF), (N, 0.1, INF)], [(50, (0, 1))], 0, 1, id="fourth-cumulant-small"),
        pytest.param([(N, 0.0, INF), (RECTANGULAR, 0.0, INF)], [(50, (0, 1))], 0, 0, id="nothing-uncertain"),
    ],
)  # fmt: skip
def test_what_stays_an_input_of_its_own(inputs: list, terms: list, left: int, own: int) -> None:
    some = model(inputs, terms)
    made = folded(some)
    assert (made.inputs.half_width.size, int((made.own.slope != 0).sum())) == (left, own)
    assert variances(made) == pytest.approx(variance(*some)[0], rel=1e-12)


#: As a plant has it: three coals of four inputs on two lines, one of them by a shared meter, clinker, deductions.
PLANT = (
    [
        (N, 0.02, 0.1), (N, 0.02, 0.1), (N, 0.015, 0.06), (N, 0.03, 0.1), (TRIANGULAR, 0.01, INF), (RECTANGULAR, 0.05, INF), (N, 0.08, 0.25),
        (N, 0.03, 0.1), (TRIANGULAR, 0.01, INF), (N, 0.08, 0.25), (N, 0.03, 0.1), (TRIANGULAR, 0.01, INF), (N, 0.015, 0.1), (N, 0.03, 0.15),
        (N, 0.03, 0.1), (N, 0.02, 0.1), (N, 0.15, 0.6), (N, 0.02, 0.1), (N, 0.15, 0.6),
    ],
    [
        (2.2e5, (0, 2, 3, 4)), (1.9e5, (1, 2, 3, 4)), (9e4, (5, 6, 7, 8)), (8e4, (5, 9, 10, 11)), (8e5, (12, 14)), (6e5, (13, 14)),
        (-5e4, (15, 16)), (-4e4, (17, 18)),
    ],
)  # fmt: skip


@pytest.mark.parametrize("name", ["plant", *CASES])
def test_intervals_are_those_of_every_input_drawn(name: str) -> None:
    copies, draws = 600, 1500
    some = model(*(PLANT if name == "plant" else CASES[name]), copies)
    made = folded(some)
    twin = spread(np.arange(copies, dtype=np.uint64), draws, *some)
    fast = spread(np.arange(copies, 2 * copies, dtype=np.uint64), draws, *made)
    sd = math.sqrt(variance(*some)[0][0])
    # Standard errors of means over the copies, from the copies themselves; five of them, some 1 % of a standard deviation.
    for a, b in zip(twin, fast, strict=True):
        error = math.sqrt((a.var() + b.var()) / copies)
        assert error < 0.005 * sd
        assert abs(a.mean() - b.mean()) < 5 * error
    for a, b in zip(twin, fast, strict=True):
        assert b.std() == pytest.approx(a.std(), rel=0.25), "one draw of a line wanders as far as before"
    assert drawn_inputs(made) == copies * (3 if name == "plant" else 1)


@st.composite
def models(draw: st.DrawFn):
    many = draw(st.integers(1, 8))
    kind = st.tuples(
        st.sampled_from([N, N, N, TRIANGULAR, RECTANGULAR]),
        st.just(0.0) | st.floats(1e-6, 0.15),
        st.sampled_from([INF, 2.0, 0.1]),
    )
    of = st.lists(st.integers(0, many - 1), unique=True, max_size=SLOTS - 1).map(tuple)
    terms = st.lists(st.tuples(st.integers(1, 1000), of), min_size=1, max_size=8)
    return draw(st.lists(kind, min_size=many, max_size=many)), draw(terms)


@given(models(), models())
def test_variances_stay_and_a_group_is_folded_alone_as_beside_others(first, second) -> None:
    one, other = model(*first), model(*second)
    both = (
        np.append(one[0], one[0][-1] + other[0][1:]), Inputs(*(np.append(a, b) for a, b in zip(one[1], other[1], strict=True))),
        np.append(one[2], one[2][-1] + other[2][1:]),
        Terms(np.append(one[3].base, other[3].base), np.concatenate([one[3].inputs, other[3].inputs])),
    )  # fmt: skip
    made = folded(both)
    totals = variance(*both)[0]
    assert variances(made) == pytest.approx(totals, rel=1e-9, abs=1e-18)
    assert made.terms.base.sum() == pytest.approx(both[3].base.sum())
    assert drawn_inputs(made) <= both[1].half_width.size
    seeds = np.array([3, 4], np.uint64)
    together = spread(seeds, 20, *made)
    for g, alone in enumerate((one, other)):
        by_itself = spread(seeds[g : g + 1], 20, *folded(alone))
        assert [a[0] for a in by_itself] == [a[g] for a in together]
