"""Allowances: vectors A-1 to A-6 and B-1 of carbon-rules 11.1, plant-year A, and every line against the exact oracle."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kernels.allocation import Formula, Lines, Order, allocate, balance_value, floor_share
from tests.carbon_oracle import rnd

F = Fraction
CEMENT = Formula(0.15, 0.03, 0.2)
EXACT, I4, I4_X2, WHOLE_I4 = Order(-1, -1, -1, -1), Order(-1, 4, -1, -1), Order(-1, 4, 2, -1), Order(0, 4, -1, -1)
ORDERS = [EXACT, I4, I4_X2, WHOLE_I4, Order(2, 4, 2, 6)]


def lines(*given: tuple[str, str], special: bool = False) -> Lines:
    numbers = np.array([[float(e), float(q)] for e, q in given])
    return Lines(numbers[:, 0], numbers[:, 1], np.full(len(given), special))


def oracle(e: Fraction, q: Fraction, bp: Fraction, order: Order, *, special: bool = False) -> int:
    """carbon-rules 11.5 with every rounding that an order names."""
    e = rnd(e, order.emission)
    if special:
        return int(e)
    x = (bp - rnd(e / q, order.intensity)) / bp * 100
    x = (rnd(x, order.deviation) if x >= 0 else -rnd(-x, order.deviation)) / 100
    a = F(3, 100) if x >= F(1, 5) else -F(3, 100) if x <= -F(1, 5) else F(15, 100) * x
    a = rnd(a, order.coefficient) if a >= 0 else -rnd(-a, order.coefficient)
    made = e * (1 + a)
    return made.numerator // made.denominator


@pytest.mark.parametrize(
    ("e", "q", "order", "expected"),
    [
        pytest.param("1300000", "1550000", EXACT, 1301451, id="A-1-exact"),
        pytest.param("1300000", "1550000", I4, 1301453, id="A-1-intensity-4"),
        pytest.param("1300000", "1550000", I4_X2, 1301462, id="A-1-intensity-4-deviation-2"),
        pytest.param("1000000", "1550000", EXACT, 1030000, id="A-2"),
        pytest.param("676000", "1000000", EXACT, 696280, id="A-4"),
        pytest.param("1144585.41", "1427056.82", EXACT, 1153309, id="plant-A-M1-exact"),
        pytest.param("1144578.99", "1427056.82", EXACT, 1153304, id="plant-A-M2-exact"),
        pytest.param("1144585.41", "1427056.82", WHOLE_I4, 1153301, id="plant-A-M1-whole-intensity-4"),
        pytest.param("1144578.99", "1427056.82", WHOLE_I4, 1153295, id="plant-A-M2-whole-intensity-4"),
    ],
)
def test_allowance_of_a_line(e: str, q: str, order: Order, expected: int) -> None:
    made = allocate(lines((e, q)), 0.845, CEMENT, order)
    assert made.allowance.tolist() == [expected]


def test_A1_figures_on_the_way() -> None:
    made = allocate(lines(("1300000", "1550000")), 0.845, CEMENT, EXACT)
    figures = made.intensity[0], made.deviation_pct[0], made.coefficient[0]
    assert [round(x, 10) for x in figures] == [0.8387096774, 0.7444168734, 0.0011166253]
    rounded = allocate(lines(("1300000", "1550000")), 0.845, CEMENT, I4_X2)
    assert (rounded.intensity[0], rounded.deviation_pct[0], rounded.coefficient[0]) == (0.8387, 0.75, 0.001125)


def test_A2_and_A4_are_capped_from_the_end_of_the_band_on() -> None:
    made = allocate(lines(("1000000", "1550000"), ("676000", "1000000"), ("1014000", "1000000")), 0.845, CEMENT, EXACT)
    assert round(made.deviation_pct[0], 2) == 23.65
    assert made.coefficient.tolist() == [0.03, 0.03, -0.03]
    assert made.allowance[2] == 983580, "X = -20 % exactly"


@pytest.mark.parametrize(("percent", "expected"), [pytest.param(50, 650000, id="A-6-50"), pytest.param(70, 910000, id="A-6-70")])  # fmt: skip
def test_A6_what_is_given_in_advance_is_cut(percent: int, expected: int) -> None:
    assert floor_share(1300001, percent) == expected


def test_floor_share_of_a_product_that_no_double_holds() -> None:
    assert floor_share(100.0, 29.0) == 29, "100 x 0.29 is 28.999... in doubles"


def test_B1_balance_value_and_its_allowances() -> None:
    three = [(900000.0, 1100000.0), (1300000.0, 1550000.0), (700000.0, 800000.0)]
    found = balance_value(three, CEMENT)
    assert found == sum(F(int(e)) ** 2 / int(q) for e, q in three) / 2900000, "emission-weighted mean of intensities"
    assert round(float(found), 10) == 0.8410986955
    made = allocate(lines(*((str(e), str(q)) for e, q in three)), float(found), CEMENT, EXACT)
    assert made.allowance.tolist() == [903678, 1300553, 695767]


@given(
    st.lists(st.tuples(st.decimals(1, 3000000, places=2), st.decimals(1, 3000000, places=2)), min_size=1, max_size=12)
)
@example([(1, 1), (1000000, 1)])
@example([(5, 5)])
def test_B1_allowances_add_up_to_emissions_at_the_balance_value(given_lines: list) -> None:
    pairs = [(float(e), float(q)) for e, q in given_lines]
    value = balance_value(pairs, CEMENT)

    def surplus(v: Fraction) -> Fraction:
        total = F(0)
        for e, q in ((F(str(e)), F(str(q))) for e, q in pairs):
            x = (v - e / q) / v
            total += e * (F(3, 100) if x >= F(1, 5) else -F(3, 100) if x <= -F(1, 5) else F(15, 100) * x)
        return total

    assert surplus(value) == 0
    assert surplus(value * F(999999, 1000000)) < 0, "the least such value"


@pytest.mark.parametrize("seed", range(6))
def test_B1_many_lines_as_a_bisection_in_fractions_has_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Half of the lines lie outside the band, on either side.
    given_lines = [
        (e := round(rng.uniform(2e4, 2e6), 2), round(e / rng.choice([0.5, 0.8, 0.84, 0.9, 1.4]), 2)) for _ in range(40)
    ]
    pairs = [(F(str(e)), F(str(e)) / F(str(q))) for e, q in given_lines]

    def surplus(v: Fraction) -> Fraction:
        ratios = [(e, (v - i) / v) for e, i in pairs]
        return sum((e * max(-F(3, 100), min(F(3, 100), F(15, 100) * x)) for e, x in ratios), F(0))

    low, high = F(1, 10), F(10)
    for _ in range(60):
        middle = F(round((low + high) / 2 * 2**70), 2**70)
        low, high = (middle, high) if surplus(middle) < 0 else (low, middle)
    found = balance_value(given_lines, CEMENT)
    assert surplus(found) == 0, "allowances before the cut are the emissions, exactly"
    assert low - F(1, 10**15) <= found <= high + F(1, 10**15)
    assert any(abs((found - i) / found) > F(1, 5) for _, i in pairs), "some are capped"


def test_balance_value_needs_emissions() -> None:
    with pytest.raises(ValueError, match="without emissions"):
        balance_value([(0.0, 5.0), (5.0, 0.0)], CEMENT)


@settings(max_examples=300)
@given(
    st.decimals(0, 3000000, places=2), st.decimals("0.01", 3000000, places=2), st.decimals("0.4", 2, places=4),
    st.sampled_from(ORDERS), st.booleans(),
)  # fmt: skip
@example("676000", "1000000", "0.845", EXACT, False)
@example("1000000", "1000000", "0.8", EXACT, False)
@example("2000000", "2000000", "1", EXACT, False)
@example("845.005", "1000", "0.845", Order(2, 4, 2, 6), False)
def test_every_line_as_the_oracle_has_it(e: object, q: object, bp: object, order: Order, special: bool) -> None:
    made = allocate(lines((str(e), str(q)), special=special), float(str(bp)), CEMENT, order)
    assert made.allowance[0] == oracle(F(str(e)), F(str(q)), F(str(bp)), order, special=special)


@pytest.mark.parametrize("cents", range(0, 200, 7), ids=lambda c: f"near-whole-{c}")
def test_allowances_near_a_whole_tonne_are_exact(cents: int) -> None:
    # E(1 + a) with a = 0.15 (BP - E/Q)/BP and Q = E/BP/1.1: a = -0.015 to the last digit, so that A ends on 0.985 E.
    e, q = F(100000000 + cents, 100), F(10000, 1)
    bp = e / q / F(11, 10)
    made = allocate(lines((str(float(e)), "10000")), float(bp), CEMENT, EXACT)
    assert made.allowance[0] == oracle(e, q, F(repr(float(bp))), EXACT)


def test_without_a_balance_value_only_special_lines_have_a_number() -> None:
    made = allocate(Lines(np.array([10.9, 10.9]), np.array([5.0, 5.0]), np.array([True, False])), None, CEMENT, EXACT)
    assert made.allowance[0] == 10
    assert np.isnan(made.allowance[1])
    assert np.isnan(made.deviation_pct).all()


def test_a_missing_emission_or_clinker_gives_none() -> None:
    made = allocate(
        Lines(np.array([np.nan, 5.0, 5.0]), np.array([5.0, np.nan, 0.0]), np.zeros(3, bool)), 0.8, CEMENT, I4
    )
    assert np.isnan(made.allowance).all()


@pytest.mark.parametrize(
    ("e", "bp"), [pytest.param(-1.0, 0.8, id="negative"), pytest.param(1.0, 0.0, id="zero-balance"), pytest.param(1e13, 0.8, id="too-much")]
)  # fmt: skip
def test_what_cannot_be_is_refused(e: float, bp: float) -> None:
    with pytest.raises(ValueError, match=r"2\*\*40|above 0"):
        allocate(Lines(np.array([e]), np.array([1.0]), np.zeros(1, bool)), bp, CEMENT, EXACT)


def test_shapes_go_together() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        allocate(Lines(np.zeros(2), np.zeros(1), np.zeros(2, bool)), 0.8, CEMENT, EXACT)
