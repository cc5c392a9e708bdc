"""Capture rates: vectors by id, borders in whole hours, and sums whose bits do not depend on order."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kernels.capture import (
    FULL,
    INVALID,
    LOW,
    NEITHER,
    OUT_OF_CONTROL,
    OUTSIDE,
    STOPPED,
    UNDEFINED,
    VALID,
    HourCounts,
    capture_pct,
    capture_rows,
    count_hours,
)
from kernels.exact_sums import exact_sums


def counts(hours, invalid, stopped):
    return HourCounts(*(np.array([n], np.int32) for n in (hours, invalid, stopped)))


def quarter(hours, invalid, stopped):
    """A quarter of hours of these kinds, counted; half of the invalid ones are out of control."""
    kind = np.full(hours, VALID, np.int8)
    kind[:stopped] = STOPPED
    kind[stopped : stopped + invalid] = INVALID
    kind[stopped : stopped + invalid // 2] = OUT_OF_CONTROL
    return count_hours(kind[None])


def test_V20_capture_of_a_quarter_with_stopped_and_invalid_hours():
    made = quarter(2184, 100, 300)
    assert (made.hours[0], made.invalid[0], made.stopped[0]) == (2184, 100, 300)
    assert capture_pct(made)[0] == pytest.approx(100 * 1784 / 1884, rel=1e-12)
    assert f"{capture_pct(made)[0]:.4f}" == "94.6921"
    assert capture_rows(made, 90, 75)[0] == FULL


@pytest.mark.parametrize(
    ("invalid", "pct", "row"),
    [
        pytest.param(216, "90.0000", FULL, id="V21-216-invalid"),
        pytest.param(217, "89.9537", LOW, id="V21-217-invalid"),
        pytest.param(540, "75.0000", LOW, id="R8-exactly-75"),
        pytest.param(541, "74.9537", NEITHER, id="R8-below-75"),
        pytest.param(2160, "0.0000", NEITHER, id="R8-nothing-valid"),
    ],
)
def test_V21_whole_hours_choose_the_row(invalid, pct, row):
    made = quarter(2160, invalid, 0)
    assert f"{capture_pct(made)[0]:.4f}" == pct
    assert capture_rows(made, 90, 75)[0] == row


def test_R8_all_stopped_has_no_rate():
    made = quarter(2160, 0, 2160)
    assert np.isnan(capture_pct(made)[0])
    assert capture_rows(made, 90, 75)[0] == UNDEFINED
    assert capture_rows(counts(0, 0, 0), 90, 75)[0] == UNDEFINED


def test_R8_hours_outside_are_no_part_of_the_quarter():
    kind = np.array([[OUTSIDE, OUTSIDE, VALID, INVALID, STOPPED]], np.int8)
    made = count_hours(kind)
    assert (made.hours[0], made.invalid[0], made.stopped[0]) == (3, 1, 1)
    assert capture_pct(made)[0] == 50.0


@settings(deadline=None)
@given(st.integers(0, 2208), st.data())
def test_R8_rows_are_those_of_the_exact_fraction(hours, data):
    stopped = data.draw(st.integers(0, hours))
    invalid = data.draw(st.integers(0, hours - stopped))
    row = capture_rows(counts(hours, invalid, stopped), 90, 75)[0]
    if hours == stopped:
        assert row == UNDEFINED
        return
    rate = Fraction(hours - invalid - stopped, hours - stopped)
    assert row == (FULL if rate >= Fraction(9, 10) else LOW if rate >= Fraction(3, 4) else NEITHER)


numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


@settings(deadline=None)
@given(st.lists(st.lists(numbers, max_size=30), max_size=5), st.randoms(use_true_random=False))
def test_sums_are_exact_whatever_the_order(groups, chance):
    starts = np.cumsum([0, *map(len, groups)])
    made = exact_sums(np.array([v for g in groups for v in g], float), starts)
    assert made.tolist() == [math.fsum(g) if g else pytest.approx(math.nan, nan_ok=True) for g in groups]
    for group in groups:
        chance.shuffle(group)
    again = exact_sums(np.array([v for g in groups for v in g], float), starts)
    assert made.tobytes() == again.tobytes()


@settings(deadline=None)
@given(
    arrays(float, st.integers(0, 40), elements=st.sampled_from([1e16, 1.0, -1e16, 2.0**-53, 1e-30, -1.0, 0.1, -0.0]))
)
def test_sums_round_once(values):
    (made,) = exact_sums(values, np.array([0, values.size]))
    if values.size:
        assert math.copysign(1, made) == math.copysign(1, math.fsum(values))
        assert made == math.fsum(values)
    else:
        assert math.isnan(made)


def test_sums_leave_out_what_is_missing():
    made = exact_sums(np.array([1.0, np.nan, 2.0, np.nan]), np.array([0, 3, 4, 4]))
    assert made[0] == 3.0
    assert np.isnan(made[1:]).all()


@pytest.mark.parametrize("starts", [[1, 2], [0, 1], [0, 2, 1, 2], []], ids=["late", "short", "back", "none"])
def test_groups_that_do_not_cover_the_values_are_refused(starts):
    with pytest.raises(ValueError, match="groups"):
        exact_sums(np.zeros(2), np.array(starts, np.int64))
