"""Kernels of foreign standards against slow twins and the vectors V29, V30, V32."""

from __future__ import annotations

import math
import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.daily_means import DISCARDED, NO_LIMIT, NOT_OPERATING, daily_means, validated
from kernels.daily_means import JUDGED as DAY_JUDGED
from kernels.operating_days import FILLING, JUDGED, NO_PRODUCTION, NO_VALUE, day_sums, rolling_means, rolling_rates
from kernels.operating_days import NOT_OPERATING as IDLE
from kernels.part75 import (
    AVERAGE,
    LOOKBACK,
    MAXIMUM,
    MEASURED,
    POTENTIAL,
    Buckets,
    fill_missing,
    substitute,
)
from kernels.part75 import NO_VALUE as NO_SUBSTITUTE
from kernels.part75 import NOT_OPERATING as OFF
from kernels.reference_oxygen import at_reference

NAN = math.nan
values = st.one_of(
    st.just(NAN), st.floats(0, 600).map(lambda v: round(v, 1)), st.sampled_from([0.0, 90.0, 500.0, 520.0])
)


# ---- daily means -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "of_value", "expected"),
    [(520.0, False, 420.0), (90.0, False, 0.0), (520.0, True, 416.0), (100.0, False, 0.0)],
    ids=["V29-520", "V29-floor", "R19-of-the-value", "R19-exactly-the-interval"],
)
def test_a_short_term_mean_less_its_confidence_interval(value: float, of_value: bool, expected: float) -> None:
    assert validated(value, 0.2, 500.0, of_value) == expected


def test_R19_an_invalid_mean_stays_invalid() -> None:
    assert math.isnan(validated(NAN, 0.2, 500.0, False))


@settings(max_examples=80, deadline=None)
@given(data=st.data(), days=st.integers(1, 3), of_value=st.booleans(), allowed=st.integers(0, 4))
def test_daily_means_equal_their_slow_twin(data, days: int, of_value: bool, allowed: int) -> None:
    hours = 24 * days
    value = np.array([data.draw(st.lists(values, min_size=hours, max_size=hours)) for _ in range(2)])
    effective = np.array([data.draw(st.lists(st.booleans(), min_size=hours, max_size=hours)) for _ in range(2)])
    limit = np.array(
        [data.draw(st.lists(st.sampled_from([NAN, 30.0, 500.0]), min_size=days, max_size=days)) for _ in range(2)]
    )
    share = np.array(
        [data.draw(st.lists(st.sampled_from([0.0, 0.2, 0.3]), min_size=days, max_size=days)) for _ in range(2)]
    )
    made = daily_means(value, effective, limit, share, of_value=of_value, allowed_invalid_hours=allowed)
    for s in range(2):
        for d in range(days):
            of_day = [v for v, e in zip(value[s, 24 * d :][:24], effective[s, 24 * d :][:24], strict=True) if e]
            good = [v for v in of_day if not math.isnan(v)]
            assert (made.operating[s, d], made.valid[s, d]) == (len(of_day), len(good))
            if math.isnan(limit[s, d]):
                expected = NO_LIMIT
            elif not of_day:
                expected = NOT_OPERATING
            elif not good or len(of_day) - len(good) > allowed:
                expected = DISCARDED
            else:
                expected = DAY_JUDGED
            assert made.outcome[s, d] == expected
            if expected == DAY_JUDGED:
                p, elv = Fraction(share[s, d]), Fraction(limit[s, d])
                less = [max(Fraction(0), Fraction(v) - p * (Fraction(v) if of_value else elv)) for v in good]
                assert made.mean[s, d] == pytest.approx(float(sum(less) / len(less)), rel=1e-12, abs=1e-12)
            else:
                assert math.isnan(made.mean[s, d])


@pytest.mark.parametrize(("invalid", "outcome"), [(2, DAY_JUDGED), (3, DISCARDED)], ids=["R19-4-half-hours", "R19-6"])
def test_a_day_with_too_many_invalid_hours_is_discarded(invalid: int, outcome: int) -> None:
    value = np.full((1, 24), 100.0)
    value[0, :invalid] = NAN
    one = np.ones((1, 1))
    made = daily_means(value, ~np.isnan(value), one, one, of_value=False, allowed_invalid_hours=2)
    assert made.outcome[0, 0] == DAY_JUDGED  # hours outside effective operation are no invalid hours
    made = daily_means(value, np.ones((1, 24), np.bool_), one, one, of_value=False, allowed_invalid_hours=2)
    assert made.outcome[0, 0] == outcome


def test_shapes_that_do_not_fit_are_refused() -> None:
    day, hours = np.ones((1, 2)), np.ones((1, 24))
    with pytest.raises(ValueError, match="do not fit days"):
        daily_means(hours, hours > 0, day, day, of_value=False, allowed_invalid_hours=2)
    with pytest.raises(ValueError, match="no whole days"):
        day_sums(hours[:, :23], hours[:, :23] > 0, hours[:, :23] > 0)
    with pytest.raises(ValueError, match="differ in shape"):
        rolling_rates(day, hours, day > 0, 30, 1.0)
    with pytest.raises(ValueError, match="no series"):
        fill_missing(day, day > 0, look_back=1, horizon=1, potential=1.0, buckets=BUCKETS)


# ---- operating days --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("k", "ppm", "expected"), [(1.194e-7, 100.0, 0.9552), (1.660e-7, 20.0, 0.2656)], ids=["V30-nox", "V30-so2"]
)
def test_the_rate_of_thirty_operating_days(k: float, ppm: float, expected: float) -> None:
    sums = day_sums(np.full((1, 720), ppm * 1e7), np.ones((1, 720), np.bool_), np.ones((1, 720), np.bool_))
    made = rolling_rates(sums.total, np.full((1, 30), 3000.0), sums.kiln > 0, 30, k)
    assert made.value[0, 29] == pytest.approx(expected, rel=1e-12)
    assert (made.outcome[0, :29] == FILLING).all()
    assert list(made.days[0]) == list(range(1, 31))


@settings(max_examples=80, deadline=None)
@given(data=st.data(), days=st.integers(1, 12), window=st.integers(1, 5))
def test_rolling_figures_equal_their_slow_twin(data, days: int, window: int) -> None:
    hours = 24 * days
    value = np.array([data.draw(st.lists(values, min_size=hours, max_size=hours))])
    # Whole days stand still now and then: an hour here and there would never leave a day without operation.
    running = np.repeat(data.draw(st.lists(st.booleans(), min_size=days, max_size=days)), 24)[None, :]
    operates = running & np.array([data.draw(st.lists(st.booleans(), min_size=hours, max_size=hours))])
    counts = np.array([data.draw(st.lists(st.booleans(), min_size=hours, max_size=hours))])
    production = np.array(
        [data.draw(st.lists(st.sampled_from([NAN, 0.0, 2500.0, 3000.0]), min_size=days, max_size=days))]
    )
    sums = day_sums(value, operates, counts)
    means = rolling_means(sums.total, sums.valid, sums.kiln > 0, window)
    rates = rolling_rates(sums.total, production, sums.kiln > 0, window, 0.5)
    running_days: list[int] = []
    for d in range(days):
        at = [h for h in range(24 * d, 24 * d + 24) if operates[0, h]]
        counted = [h for h in at if counts[0, h]]
        good = [h for h in counted if not math.isnan(value[0, h])]
        assert (sums.kiln[0, d], sums.operating[0, d], sums.valid[0, d]) == (len(at), len(counted), len(good))
        if not at:
            assert means.outcome[0, d] == rates.outcome[0, d] == IDLE
            assert math.isnan(means.value[0, d])
            continue
        running_days.append(d)
        if len(running_days) < window:
            assert means.outcome[0, d] == rates.outcome[0, d] == FILLING
            continue
        last = running_days[-window:]
        good = [
            h for w in last for h in range(24 * w, 24 * w + 24)
            if operates[0, h] and counts[0, h] and not math.isnan(value[0, h])
        ]  # fmt: skip
        total = sum(Fraction(value[0, h]) for h in good)
        if good:
            assert means.outcome[0, d] == JUDGED
            assert means.value[0, d] == pytest.approx(float(total / len(good)), rel=1e-12, abs=1e-12)
        else:
            assert means.outcome[0, d] == NO_VALUE
        made = [production[0, w] for w in last]
        if any(math.isnan(t) for t in made):
            assert rates.outcome[0, d] == NO_PRODUCTION
        elif sum(made) == 0:
            assert rates.outcome[0, d] == NO_VALUE
        else:
            assert rates.outcome[0, d] == JUDGED
            assert rates.value[0, d] == pytest.approx(0.5 * float(total) / sum(made), rel=1e-12, abs=1e-12)


def test_R20_days_of_standstill_neither_count_nor_interrupt() -> None:
    total, valid = np.arange(1.0, 8.0)[None, :], np.ones((1, 7), np.int32)
    operates = np.array([[True, True, False, False, True, True, True]])
    made = rolling_means(total, valid, operates, 3)
    assert np.array_equal(made.value[0], [NAN, NAN, NAN, NAN, 8 / 3, 13 / 3, 6.0], equal_nan=True)


# ---- 40 CFR 75.33 ----------------------------------------------------------------------------------------------------

BUCKETS = Buckets(95.0, 90.0, 80.0, 24, 8, 90, 95)


@pytest.mark.parametrize(
    ("pma", "gap", "expected"),
    [
        (97.0, 10, (110.0, AVERAGE)), (97.0, 30, (150.0, LOOKBACK)), (85.0, 10, (210.0, MAXIMUM)), (70.0, 10, (999.0, POTENTIAL)),
        (97.0, 24, (110.0, AVERAGE)), (97.0, 25, (150.0, LOOKBACK)), (95.0, 25, (150.0, LOOKBACK)), (92.0, 8, (110.0, AVERAGE)),
        (92.0, 9, (180.0, LOOKBACK)), (90.0, 9, (180.0, LOOKBACK)), (80.0, 1, (210.0, MAXIMUM)), (79.99, 1, (999.0, POTENTIAL)),
    ],
    ids=["V32-10h", "V32-30h", "V32-85", "V32-70", "24h", "25h", "exactly-95", "8h", "9h", "exactly-90", "exactly-80", "below-80"],
)  # fmt: skip
def test_the_buckets_of_75_33(pma: float, gap: int, expected: tuple[float, int]) -> None:
    assert substitute(pma, gap, 110.0, 150.0, 180.0, 210.0, 999.0, BUCKETS) == expected


def test_R21_a_look_back_below_the_hours_around_the_gap_gives_way_to_them() -> None:
    assert substitute(97.0, 30, 160.0, 150.0, 155.0, 210.0, 999.0, BUCKETS) == (160.0, AVERAGE)


def twin(value: list[float], operates: list[bool], look_back: int, horizon: int, potential: float):
    """40 CFR 75.33 word by word: everything looked up again for every gap."""
    on = [h for h, o in enumerate(operates) if o]
    made = [(NAN, OFF, NAN)] * len(value)
    for i, h in enumerate(on):
        past = on[max(0, i + 1 - horizon) : i + 1]
        pma = 100.0 * sum(not math.isnan(value[p]) for p in past) / len(past)
        if not math.isnan(value[h]):
            made[h] = (value[h], MEASURED, pma)
            continue
        a = b = i
        while a > 0 and math.isnan(value[on[a - 1]]):
            a -= 1
        while b < len(on) and math.isnan(value[on[b]]):
            b += 1
        around = (value[on[a - 1]] + value[on[b]]) / 2 if a > 0 and b < len(on) else NAN
        before = [value[p] for p in on[:a] if not math.isnan(value[p])][-look_back:]
        end = on[max(0, b - horizon) : b]
        at_end = 100.0 * sum(not math.isnan(value[p]) for p in end) / len(end)
        if len(before) < look_back:
            made[h] = (around, NO_SUBSTITUTE if math.isnan(around) else AVERAGE, pma)
            continue
        ranked = sorted(before)
        p90, p95 = (ranked[math.ceil(Fraction(q * look_back, 100)) - 1] for q in (90, 95))
        made[h] = (*substitute(at_end, b - a, around, p90, p95, ranked[-1], potential, BUCKETS), pma)
    return made


@settings(max_examples=150, deadline=None)
@given(data=st.data(), look_back=st.integers(1, 12), horizon=st.integers(1, 40), hours=st.integers(1, 60))
def test_substitution_equals_its_slow_twin(data, look_back: int, horizon: int, hours: int) -> None:
    few = st.one_of(st.just(NAN), st.sampled_from([0.0, 7.0, 7.5, 40.0]), st.floats(0, 300))
    value = data.draw(st.lists(few, min_size=hours, max_size=hours))
    operates = data.draw(st.lists(st.booleans(), min_size=hours, max_size=hours))
    made = fill_missing(
        np.array(value), np.array(operates), look_back=look_back, horizon=horizon, potential=500.0, buckets=BUCKETS
    )
    expected = twin(value, operates, look_back, horizon, 500.0)
    assert list(made.method) == [m for _, m, _ in expected]
    np.testing.assert_allclose(made.value, [v for v, _, _ in expected], rtol=1e-15)
    np.testing.assert_allclose(made.availability_pct, [a for _, _, a in expected], rtol=1e-15)


@pytest.mark.long
def test_R21_the_cost_of_a_year_is_linear_whatever_the_look_back() -> None:
    rng = np.random.default_rng(7)
    took = {}
    for hours, look_back in ((8760, 2160), (87600, 720), (87600, 2160)):
        value = rng.gamma(5.0, 20.0, hours)
        value[rng.random(hours) < 0.1] = NAN
        on = np.ones(hours, np.bool_)
        runs = []
        for _ in range(4):
            begun = time.perf_counter()
            fill_missing(value, on, look_back=look_back, horizon=8760, potential=900.0, buckets=BUCKETS)
            runs.append(time.perf_counter() - begun)
        took[hours, look_back] = min(runs)
    assert took[87600, 2160] < 30 * took[8760, 2160]
    assert took[87600, 2160] < 3 * took[87600, 720]


# ---- reference oxygen --------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(data=st.data(), air=st.sampled_from([21.0, 20.9]))
def test_conversion_by_the_day_equals_its_slow_twin(data, air: float) -> None:
    value = data.draw(st.lists(values, min_size=48, max_size=48))
    o2 = data.draw(st.lists(st.sampled_from([NAN, 3.0, 10.0, 20.85, 20.9, 21.0, 25.0]), min_size=48, max_size=48))
    reference = data.draw(st.lists(st.sampled_from([NAN, 7.0, 10.0]), min_size=2, max_size=2))
    made = at_reference(np.array([value]), np.array([o2]), np.array([reference]), air)[0]
    for h, (v, o) in enumerate(zip(value, o2, strict=True)):
        r = reference[h // 24]
        expected = v if math.isnan(r) else NAN if math.isnan(o) or o >= air else v * (air - r) / (air - o)
        assert made[h] == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_conversion_refuses_days_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        at_reference(np.ones((1, 24)), np.ones((1, 24)), np.ones((1, 2)), 21.0)
