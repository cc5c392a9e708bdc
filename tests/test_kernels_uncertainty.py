"""Uncertainty: draws against numpy and against closed forms, the same bytes whatever the order, exact variances."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

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
from kernels.uncertainty_variance import relative_sd, variance

DRAWS = 20000


def inputs(*given: tuple[int, float, float]) -> Inputs:
    return Inputs(
        np.array([k for k, _, _ in given], np.int8), np.array([h for _, h, _ in given]), np.array([c for _, _, c in given])
    )  # fmt: skip


def terms(*given: tuple[float, tuple[int, ...]]) -> Terms:
    slots = [[*of, *([-1] * (SLOTS - len(of)))] for _, of in given]
    return Terms(np.array([b for b, _ in given]), np.array(slots, np.int64).reshape(-1, SLOTS))


def one(some: Inputs, these: Terms, draws: int = DRAWS, seed: int = 7):
    starts = np.array([0, some.half_width.size]), np.array([0, these.base.size])
    seeds = np.array([seed], np.uint64)
    total, main = variance(starts[0], some, starts[1], these)
    return spread(seeds, draws, starts[0], some, starts[1], these), total[0], main


#: Coal of two places with a shared carbon content, clinker, a deduction: as a line of a plant has it.
LINE_INPUTS = inputs(
    (RECTANGULAR, 0.005, math.inf), (NORMAL, 0.015, 0.06), (NORMAL, 0.03, 0.1), (TRIANGULAR, 0.01, math.inf),
    (RECTANGULAR, 0.02, math.inf), (NORMAL, 0.03, math.inf), (NORMAL, 0.15, 0.3),
)  # fmt: skip
LINE_TERMS = terms((300000.0, (0, 1, 2, 3)), (70000.0, (4, 1, 2, 3)), (760000.0, (4, 5)), (-25000.0, (6,)))


def numpy_twin(some: Inputs, these: Terms, draws: int, seed: int) -> np.ndarray:
    """Totals by numpy's own generator, cuts by throwing draws away."""
    rng = np.random.default_rng(seed)
    errors = []
    for kind, half, cut in zip(*some, strict=True):
        if kind == NORMAL:
            made = rng.normal(0, half / Z95, 4 * draws)
            errors.append(made[np.abs(made) <= cut][:draws])
        elif kind == RECTANGULAR:
            errors.append(rng.uniform(-half, half, draws))
        else:
            errors.append(rng.triangular(-half, 0, half, draws))
    total = np.zeros(draws)
    for base, of in zip(*these, strict=True):
        total += base * np.prod([1 + errors[k] for k in of if k >= 0], axis=0)
    return total


def test_a_line_as_numpy_has_it() -> None:
    made, total, _ = one(LINE_INPUTS, LINE_TERMS)
    twin = numpy_twin(LINE_INPUTS, LINE_TERMS, 4 * DRAWS, 1)
    # Standard errors: of a mean sd/sqrt(n), of an sd sd/sqrt(2n), of a 2.5 % quantile about 2.7 sd/sqrt(n); five of each.
    sd = math.sqrt(total)
    assert made.mean[0] == pytest.approx(twin.mean(), abs=5 * 1.2 * sd / math.sqrt(DRAWS))
    assert made.sd[0] == pytest.approx(twin.std(ddof=1), rel=5 * 1.2 / math.sqrt(2 * DRAWS))
    for end, share in ((made.low[0], 0.025), (made.high[0], 0.975)):
        assert end == pytest.approx(np.quantile(twin, share), abs=5 * 1.2 * 2.7 * sd / math.sqrt(DRAWS))


def test_the_interval_of_a_normal_is_its_half_width() -> None:
    made, total, main = one(inputs((NORMAL, 0.1, math.inf)), terms((1000.0, (0,))), 200000)
    assert (made.low[0], made.high[0]) == pytest.approx((900, 1100), abs=1.5)
    assert total == main[0]
    assert total == pytest.approx((100 / Z95) ** 2, rel=1e-12)
    assert made.sd[0] == pytest.approx(math.sqrt(total), rel=0.01)


@pytest.mark.parametrize(
    ("kind", "half", "cut", "expected"),
    [
        pytest.param(NORMAL, 0.1, math.inf, 0.1 / Z95, id="normal"),
        pytest.param(RECTANGULAR, 0.1, math.inf, 0.1 / math.sqrt(3), id="rectangular"),
        pytest.param(TRIANGULAR, 0.1, math.inf, 0.1 / math.sqrt(6), id="triangular"),
        pytest.param(NORMAL, 20.0, 0.1, 0.1 / math.sqrt(3), id="normal-cut-to-a-rectangle"),
        pytest.param(NORMAL, 0.0, 0.1, 0.0, id="certain"),
    ],
)
def test_standard_deviations_in_closed_form(kind: int, half: float, cut: float, expected: float) -> None:
    some = inputs((kind, half, cut))
    assert relative_sd(some)[0] == pytest.approx(expected, rel=1e-4)
    made, _, _ = one(some, terms((1.0, (0,))), 100000)
    assert made.sd[0] == pytest.approx(expected, rel=0.015)


@pytest.mark.parametrize("kind", [NORMAL, TRIANGULAR, RECTANGULAR], ids=["normal", "triangular", "rectangular"])
def test_no_draw_lies_beyond_the_cut_or_the_width(kind: int) -> None:
    made, _, _ = one(inputs((kind, 0.1, 0.1)), terms((1.0, (0,))), 3)
    for seed in range(200):
        made, _, _ = one(inputs((kind, 0.1, 0.1)), terms((1.0, (0,))), 3, seed)
        assert 0.9 <= made.low[0] <= made.high[0] <= 1.1


def test_linear_cases_add_in_quadrature_and_shares_add_up() -> None:
    some = inputs((NORMAL, 0.02, math.inf), (RECTANGULAR, 0.05, math.inf), (TRIANGULAR, 0.2, math.inf))
    these = terms((100.0, (0,)), (50.0, (1,)), (-20.0, (2,)))
    _, total, main = one(some, these)
    by_hand = [(100 * 0.02 / Z95) ** 2, (50 * 0.05) ** 2 / 3, (20 * 0.2) ** 2 / 6]
    assert main.tolist() == pytest.approx(by_hand, rel=1e-12)
    assert total == pytest.approx(sum(by_hand), rel=1e-12)


def test_terms_that_share_an_input_move_together() -> None:
    apart = one(inputs((NORMAL, 0.1, math.inf), (NORMAL, 0.1, math.inf)), terms((1.0, (0,)), (1.0, (1,))))
    shared = one(inputs((NORMAL, 0.1, math.inf)), terms((1.0, (0,)), (1.0, (0,))))
    assert shared[1] == pytest.approx(2 * apart[1])
    assert shared[0].sd[0] == pytest.approx(math.sqrt(2) * apart[0].sd[0], rel=0.03)


def test_variance_of_products_by_every_outcome() -> None:
    # Two-point errors +-s have the variance of the closed form and can be counted out: E[(sum)^2] over all sign patterns.
    _, total, main = one(LINE_INPUTS, LINE_TERMS)
    sds = relative_sd(LINE_INPUTS)
    outcomes = []
    for signs in product((-1, 1), repeat=sds.size):
        scale = 1 + np.array(signs) * sds
        value = sum(b * np.prod([scale[k] for k in of if k >= 0]) for b, of in zip(*LINE_TERMS, strict=True))
        outcomes.append(value)
    assert total == pytest.approx(np.var(outcomes), rel=1e-9)
    # The share of an input by definition: what it adds to the variance of what is already known, averaged over all orders.
    known = {}
    for chosen in product((0, 1), repeat=sds.size):
        means: dict[tuple[int, ...], list[float]] = {}
        for signs, value in zip(product((-1, 1), repeat=sds.size), outcomes, strict=True):
            means.setdefault(tuple(s for s, c in zip(signs, chosen, strict=True) if c), []).append(value)
        known[chosen] = np.var([np.mean(v) for v in means.values()])
    for k in range(sds.size):
        parts = 0.0
        for chosen, before in known.items():
            if not chosen[k]:
                after = known[(*chosen[:k], 1, *chosen[k + 1 :])]
                parts += (after - before) / math.comb(sds.size - 1, sum(chosen)) / sds.size
        assert main[k] == pytest.approx(parts, rel=1e-6)
    assert main.sum() == pytest.approx(total, rel=1e-12), "shares add up to the whole"


def test_terms_that_cancel_have_no_variance() -> None:
    some = inputs((NORMAL, 0.03, math.inf), (NORMAL, 0.1, 0.2))
    _, total, parts = one(some, terms((0.3, (0, 1)), (-0.1, (0, 1)), (-0.2, (0, 1))))
    assert 0.0 <= total < 1e-15
    assert (parts >= 0.0).all()


def test_a_line_has_the_same_bytes_whatever_stands_beside_it() -> None:
    seeds = np.array([11, 22, 33], np.uint64)
    k, t = LINE_INPUTS.half_width.size, LINE_TERMS.base.size
    three = (
        Inputs(*(np.tile(a, 3) for a in LINE_INPUTS)),
        Terms(np.tile(LINE_TERMS.base, 3), np.tile(LINE_TERMS.inputs, (3, 1))),
    )
    together = spread(seeds, 500, np.arange(4) * k, three[0], np.arange(4) * t, three[1])
    for g, seed in enumerate((11, 22, 33)):
        alone, _, _ = one(LINE_INPUTS, LINE_TERMS, 500, seed)
        assert [a[0] for a in alone] == [a[g] for a in together]
    assert len({*together.mean}) == 3, "seeds differ"


def test_lines_in_chunks_and_threads_have_the_same_bytes() -> None:
    from concurrent.futures import ThreadPoolExecutor

    many, k, t = 7, LINE_INPUTS.half_width.size, LINE_TERMS.base.size
    parts = (
        np.arange(many, dtype=np.uint64), 300, np.arange(many + 1) * k, Inputs(*(np.tile(a, many) for a in LINE_INPUTS)),
        np.arange(many + 1) * t, Terms(np.tile(LINE_TERMS.base, many), np.tile(LINE_TERMS.inputs, (many, 1))),
    )  # fmt: skip
    whole = spread(*parts)
    with ThreadPoolExecutor(3) as pool:
        again = list(pool.map(lambda _: spread(*parts), range(3)))
    again += [spread(*parts, threads=n) for n in (2, 3, 9)]
    assert all(a.tobytes() == b.tobytes() for other in again for a, b in zip(whole, other, strict=True))
    for g in range(many):
        alone = one(LINE_INPUTS, LINE_TERMS, 300, g)[0]
        assert [a[0] for a in alone] == [a[g] for a in whole]


def test_the_counted_generator_is_splitmix64() -> None:
    # First outputs of splitmix64 from seed 1234567, as published with the algorithm.
    known = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    half = 1.0
    made = [one(inputs((RECTANGULAR, half, math.inf)), terms((1.0, (0,))), 2, 1234567)[0]]
    uniforms = [((x >> 11) + 0.5) / 2**53 for x in known[:2]]
    assert made[0].mean[0] == pytest.approx(sum(2 * u for u in uniforms) / 2, rel=1e-15)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        pytest.param({"draws": 1}, "at least 2", id="one-draw"),
        pytest.param({"half": -0.1}, "widths", id="negative-width"),
        pytest.param({"half": math.nan}, "widths", id="unknown-width"),
        pytest.param({"of": (1,)}, "names an input", id="foreign-input"),
        pytest.param({"kind": 7}, "distribution", id="unknown-distribution"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change: dict, match: str) -> None:
    some = inputs((change.get("kind", NORMAL), change.get("half", 0.1), 1.0))
    with pytest.raises(ValueError, match=match):
        spread(
            np.zeros(1, np.uint64), change.get("draws", 10), np.array([0, 1]), some, np.array([0, 1]),
            terms((1.0, change.get("of", (0,)))),
        )  # fmt: skip


@pytest.mark.parametrize("draws", [2, 3, 40, 41, 1000, 10_000])
@pytest.mark.parametrize("kind", [RECTANGULAR, TRIANGULAR], ids=["rectangular", "triangular"])
def test_ends_are_the_quantiles_of_the_draws(kind: int, draws: int) -> None:
    z = np.uint64(5) + np.uint64(0x9E3779B97F4A7C15) * np.arange(1, draws + 1, dtype=np.uint64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    u = ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(float) / 2**53 + 2.0**-54
    error = 2 * u - 1 if kind == RECTANGULAR else np.where(u < 0.5, np.sqrt(2 * u) - 1, 1 - np.sqrt(2 * (1 - u)))
    made, _, _ = one(inputs((kind, 0.1, math.inf)), terms((1000.0, (0,))), draws, 5)
    expected = np.quantile(1000 * (1 + 0.1 * error), [0.025, 0.975])
    assert (made.low[0], made.high[0]) == pytest.approx(tuple(expected), rel=1e-13)
    assert made.sd[0] == pytest.approx((100 * error).std(ddof=1), rel=1e-10)
