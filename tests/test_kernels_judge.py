"""Judging hours: vectors of the rules by id, and every kernel against a slow twin in exact arithmetic."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kernels.bounds import full_value_bounds, half_even, half_even_bound, half_even_bounds, written_decimals
from kernels.judge import (
    BANKED,
    COLD_START,
    EXCLUDE_EXEMPT,
    EXCLUDE_TAGGED,
    EXEMPT,
    HOT_START,
    INCLUDE_ALL,
    INVALID,
    JUDGED,
    NO_DATA,
    NO_LIMIT,
    NOT_PRODUCING,
    OUTSIDE,
    RUNNING,
    SHUTDOWN,
    STOPPED,
    judge_hours,
    month_to_date,
)
from kernels.judge_month import (
    COUNT_AS_FAIL,
    DROP,
    FAIL,
    INSUFFICIENT,
    NO_PRODUCTION,
    PASS,
    Policies,
    allowed_fails,
    count_month,
    verdicts,
)
from kernels.windows import History, trailing

STRICT, WITHIN_CAP, ALL_TAGGED, AS_FAIL, MIN_CAPTURE, ROUNDED = range(6)
POLICIES = Policies(
    startup=np.array([INCLUDE_ALL, EXCLUDE_EXEMPT, EXCLUDE_TAGGED, INCLUDE_ALL, INCLUDE_ALL, INCLUDE_ALL], np.int8),
    invalid=np.array([DROP, DROP, DROP, COUNT_AS_FAIL, DROP, DROP], np.int8),
    bounds=np.array([0, 0, 0, 0, 0, 1], np.int8),
    min_capture_pct=np.array([75, 75, 75, 0, 90, 75], np.int32),
)


def month_of(values, limit=50.0, *, states=None, exempt=None, mandatory=400.0):
    """Judge rows of hours (padded to whole days with hours outside the window), singly and all together."""
    rows = [np.asarray(v, float) for v in values]
    hours = 24 * max(1, -(-len(rows[0]) // 24))
    value = np.full((len(rows), hours), np.nan)
    state = np.full(value.shape, OUTSIDE, np.int8)
    left_out = np.zeros(value.shape, np.bool_)
    for s, row in enumerate(rows):
        value[s, : row.size] = row
        state[s, : row.size] = RUNNING if states is None else states
        if exempt is not None:
            left_out[s, : row.size] = exempt[s]
    full = np.repeat(np.broadcast_to(np.asarray(limit, float), (len(rows),))[:, None], hours // 24, axis=1)
    lawful = np.full(full.shape, mandatory)
    limits = np.stack([full, half_even_bounds(full, 1)])
    members = np.full((len(rows) + (len(rows) > 1), max(len(rows), 1)), -1, np.int32)
    members[: len(rows), 0] = np.arange(len(rows))
    if len(rows) > 1:
        members[-1] = np.arange(len(rows))
    laws = np.stack([lawful, half_even_bounds(lawful, 1)])
    counts = count_month(value, state, left_out, limits, laws, members, POLICIES)
    return counts, verdicts(counts, POLICIES, 95)


def hours_with_fails(hours, ok):
    return np.where(np.arange(hours) < hours - ok, 60.0, 40.0)


@pytest.mark.parametrize(
    ("hours", "ok", "verdict", "share"),
    [
        (720, 684, PASS, "95.000"),
        (720, 683, FAIL, "94.861"),
        (744, 707, PASS, "95.027"),
        (744, 706, FAIL, "94.892"),
        (700, 665, PASS, "95.000"),
        (19, 18, FAIL, "94.737"),
    ],
    ids=lambda v: f"V16-{v}" if isinstance(v, str) else None,
)
def test_V16_whole_hours_decide(hours, ok, verdict, share):
    counts, found = month_of([hours_with_fails(hours, ok)])
    assert (counts.judged[0, STRICT], counts.ok[0, STRICT]) == (hours, ok)
    assert found[0, STRICT] == verdict
    assert f"{100 * ok / hours:.3f}" == share
    if hours == 19:
        assert allowed_fails(counts.judged, 95)[0, STRICT] == 0


def test_V17_joint_fails_where_each_pollutant_passes():
    nox = np.where(np.arange(720) < 30, 60.0, 40.0)
    pm = np.where((np.arange(720) >= 30) & (np.arange(720) < 40), 60.0, 40.0)
    counts, found = month_of([nox, pm])
    assert counts.ok[:, STRICT].tolist() == [690, 710, 680]
    assert found[:, STRICT].tolist() == [PASS, PASS, FAIL]
    assert [f"{100 * n / 720:.3f}" for n in (690, 710, 680)] == ["95.833", "98.611", "94.444"]


def test_V18_start_and_stop_under_each_policy():
    states = np.concatenate(
        [np.full(45, STOPPED), np.full(40, COLD_START), np.full(650, RUNNING), np.full(9, SHUTDOWN)]
    ).astype(np.int8)
    value = np.full(744, 40.0)
    value[:45] = np.nan
    value[45:85] = 300.0
    value[100:105] = 60.0
    value[-9:] = 300.0
    exempt = np.zeros(744, np.bool_)
    exempt[45 : 45 + 36] = True
    exempt[-9:-1] = True
    counts, found = month_of([value], states=states, exempt=[exempt])
    assert (counts.judged[0, STRICT], counts.ok[0, STRICT], found[0, STRICT]) == (699, 645, FAIL)
    assert (counts.judged[0, WITHIN_CAP], counts.ok[0, WITHIN_CAP], found[0, WITHIN_CAP]) == (655, 645, PASS)
    assert (counts.judged[0, ALL_TAGGED], counts.ok[0, ALL_TAGGED], found[0, ALL_TAGGED]) == (650, 645, PASS)
    assert f"{100 * 645 / 699:.3f} {100 * 645 / 655:.3f}" == "92.275 98.473"
    assert (counts.production[0] == 699).all()
    assert (counts.valid[0] == 699).all()


def test_V26_rounding_decides_at_the_limit():
    counts, _ = month_of([[50.04]])
    assert counts.ok[0, STRICT] == 0
    assert counts.ok[0, ROUNDED] == 1


def test_V34_fail_budget():
    ok = (np.arange(720) >= 12)[None, :]
    outcome = np.full((1, 720), JUDGED, np.int8)
    made = month_to_date(outcome, ok, np.ones((1, 30), np.bool_), 95)
    assert made.fail_budget[0, 399] == 24
    assert made.judged[0, 399] == 400
    assert made.ok[0, 399] == 388
    # 12 fails in 400 hours: the 24 that are left last another 800, beyond the month
    assert made.spent[0, 399] == -1
    assert made.fail_budget[0, 30] == 24
    # after 31 hours 12 had failed: the ceil(24 x 31 / 12) = 62nd hour ahead takes the last of the budget
    assert made.spent[0, 30] == 30 + 62


@pytest.mark.parametrize("hours", range(1, 21))
def test_short_months_have_no_allowance_below_twenty_hours(hours):
    _, all_ok = month_of([hours_with_fails(hours, hours)])
    _, one_fail = month_of([hours_with_fails(hours, hours - 1)])
    assert all_ok[0, STRICT] == PASS
    assert one_fail[0, STRICT] == (PASS if hours == 20 else FAIL)


def test_no_verdict_without_production_or_on_too_few_valid_hours():
    nothing = np.full(40, np.nan)
    _, stopped = month_of([nothing], states=np.full(40, STOPPED, np.int8))
    assert (stopped == NO_PRODUCTION).all()
    _, silent = month_of([nothing])
    assert silent[0].tolist() == [INSUFFICIENT, INSUFFICIENT, INSUFFICIENT, FAIL, INSUFFICIENT, INSUFFICIENT]
    for valid, expected in ((29, INSUFFICIENT), (30, PASS)):
        _, found = month_of([np.where(np.arange(40) < valid, 10.0, np.nan)])
        assert found[0, STRICT] == expected
        assert found[0, AS_FAIL] == FAIL
        assert found[0, MIN_CAPTURE] == INSUFFICIENT
    _, enough = month_of([np.where(np.arange(40) < 36, 10.0, np.nan)])
    assert enough[0, MIN_CAPTURE] == PASS


def test_all_production_exempt_gives_no_verdict():
    states = np.full(30, COLD_START, np.int8)
    counts, found = month_of([np.full(30, 300.0)], states=states, exempt=[np.ones(30, np.bool_)])
    assert counts.judged[0].tolist() == [30, 0, 0, 30, 30, 30]
    assert found[0].tolist() == [FAIL, INSUFFICIENT, INSUFFICIENT, FAIL, FAIL, FAIL]


def test_a_minimum_of_production_hours_can_be_asked_for():
    counts, _ = month_of([np.full(23, 10.0)])
    assert verdicts(counts, POLICIES, 95, min_production=24)[0, STRICT] == INSUFFICIENT
    assert verdicts(counts, POLICIES, 95, min_production=23)[0, STRICT] == PASS


def test_exempt_members_leave_the_joint_hour_and_dust_stays_in_it():
    states = np.array([COLD_START, COLD_START, RUNNING], np.int8)
    dust, gas = [5.0, 60.0, 5.0], [300.0, 300.0, 40.0]
    counts, _ = month_of([dust, gas], states=states, exempt=[[False] * 3, [True, True, False]])
    assert (counts.judged[2, WITHIN_CAP], counts.ok[2, WITHIN_CAP]) == (3, 2)
    assert (counts.judged[2, STRICT], counts.ok[2, STRICT]) == (3, 1)


# ---- rounding -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (50.05, 1, "50.0"),  # the double lies below the tie; its text is the tie
        (50.15, 1, "50.2"),
        (50.25, 1, "50.2"),
        (0.15, 1, "0.2"),  # the double lies below the tie
        (0.25, 1, "0.2"),
        (2.675, 2, "2.68"),  # the double lies below the tie
        (1.005, 2, "1.00"),
        (50.5, 0, "50"),
        (51.5, 0, "52"),
        (49.95, 1, "50.0"),
        (-0.25, 1, "-0.2"),
        (50.0500001, 1, "50.1"),
    ],
)
def test_half_even_rounds_the_decimal_text(value, decimals, expected):
    assert str(half_even(value, decimals)) == expected


def test_ties_at_the_limit_go_to_the_even_digit():
    assert 50.05 <= half_even_bound(50.0, 1) < 50.0500001
    assert 35.5 > half_even_bound(35.0, 0) > 35.4999999
    assert half_even_bound(50.0, 0) >= 50.5
    # 0.1 + 0.2 style noise around a tie is still the tie
    assert half_even_bound(50.0, 1) >= 50.05 + 1e-12


def test_a_limit_keeps_the_digits_it_is_written_with():
    assert [written_decimals(v) for v in (50.0, 0.05, 7.5, 200.0)] == [0, 2, 1, 0]
    made = half_even_bounds(np.array([[50.0, 0.05, np.nan]]), 1)
    assert made[0, 1] == half_even_bound(0.05, 2)
    assert np.isnan(made[0, 2])
    with pytest.raises(ValueError, match=r"0\.05"):
        half_even_bound(0.05, 1)
    with pytest.raises(ValueError, match="inf"):
        half_even_bound(math.inf, 1)


LIMITS = st.sampled_from([10.0, 35.0, 50.0, 7.5, 0.05, 400.0, 30.5, 0.1])


@settings(max_examples=200, deadline=None)
@given(
    limit=LIMITS, decimals=st.integers(0, 3), units=st.integers(-40, 40), ulps=st.integers(-3, 3), noise=st.booleans()
)
def test_bound_decides_as_rounding_does(limit, decimals, units, ulps, noise):
    decimals = max(decimals, written_decimals(limit))
    bound = half_even_bound(limit, decimals)
    near = float(Decimal(repr(limit)) + units * Decimal(1).scaleb(-decimals - 1))
    value = near + (1e-11 * near if noise else 0.0)
    for _ in range(abs(ulps)):
        value = math.nextafter(value, math.copysign(math.inf, ulps))
    for v in (value, bound, math.nextafter(bound, math.inf)):
        text = Decimal(f"{v:.11e}")
        rounded = text.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
        assert (v <= bound) == (rounded <= Decimal(repr(limit)))


# ---- hours against a slow twin --------------------------------------------------------------------------------------

VALUES = st.sampled_from([math.nan, 0.0, -1.0, 9.99, 10.0, 10.04, 10.05, 10.06, 49.9, 50.0, 50.04, 50.05, 50.06, 401.0])
STATES = st.sampled_from([OUTSIDE, RUNNING, RUNNING, RUNNING, COLD_START, SHUTDOWN, STOPPED, BANKED])
LIMIT_DAYS = st.sampled_from([math.nan, 10.0, 50.0])


@st.composite
def months(draw, series=3):
    """Arrays of one month: value, seen, state, exempt (S, H), limit, mandatory (S, D); states are those of one outlet."""
    days = draw(st.integers(1, 3))
    shape = (series, 24 * days)
    value = draw(arrays(np.float64, shape, elements=VALUES))
    state = np.tile(draw(arrays(np.int8, 24 * days, elements=STATES)), (series, 1))
    return (
        value,
        draw(arrays(np.bool_, shape)) | ~np.isnan(value),
        state,
        draw(arrays(np.bool_, shape)),
        draw(arrays(np.float64, (series, days), elements=LIMIT_DAYS)),
        draw(arrays(np.float64, (series, days), elements=LIMIT_DAYS)),
    )


def slow_hour(value, seen, state, exempt, limit, mandatory, startup):
    """(outcome, ok, mandatory_ok) of one hour, spelled out."""
    if state == OUTSIDE:
        return OUTSIDE, None, None
    usable = not math.isnan(value) and state != STOPPED and not exempt
    mandatory_ok = None if math.isnan(mandatory) or not usable else Fraction(value) <= Fraction(mandatory)
    if math.isnan(limit):
        return NO_LIMIT, None, mandatory_ok
    if state == STOPPED:
        return NOT_PRODUCING, None, mandatory_ok
    left_out = {
        INCLUDE_ALL: False,
        EXCLUDE_EXEMPT: exempt,
        EXCLUDE_TAGGED: exempt or state in (COLD_START, HOT_START, SHUTDOWN),
    }
    if left_out[startup]:
        return EXEMPT, None, mandatory_ok
    if not seen:
        return NO_DATA, None, mandatory_ok
    if math.isnan(value):
        return INVALID, None, mandatory_ok
    return JUDGED, Fraction(value) <= Fraction(limit), mandatory_ok


@settings(max_examples=80, deadline=None)
@given(months(), st.sampled_from([INCLUDE_ALL, EXCLUDE_EXEMPT, EXCLUDE_TAGGED]))
def test_hours_agree_with_the_twin(month, startup):
    value, seen, state, exempt, limit, mandatory = month
    made = judge_hours(*month, startup)
    for s, h in np.ndindex(value.shape):
        outcome, ok, mandatory_ok = slow_hour(
            value[s, h], seen[s, h], state[s, h], exempt[s, h], limit[s, h // 24], mandatory[s, h // 24], startup
        )
        assert made.outcome[s, h] == outcome
        assert made.ok[s, h] == bool(ok)
        assert made.mandatory_ok[s, h] == (-1 if mandatory_ok is None else mandatory_ok)


@settings(max_examples=80, deadline=None)
@given(months(), st.lists(st.booleans(), max_size=3), st.sampled_from([95, 90, 100]))
def test_month_to_date_agrees_with_the_twin(month, further, pass_pct):
    value, seen, state, exempt, limit, mandatory = month
    # a day is in the outlet's window or not, as registry rows are
    state = np.where(np.repeat(state[:, ::24] == OUTSIDE, 24, axis=1), OUTSIDE, np.maximum(state, RUNNING)).astype(
        np.int8
    )
    hours = judge_hours(value, seen, state, exempt, limit, mandatory)
    shown = (state[:, ::24] != OUTSIDE) & ~np.isnan(limit)
    limited = np.hstack([shown, np.tile(np.array(further, np.bool_), (3, 1))])
    made = month_to_date(hours.outcome, hours.ok, limited, pass_pct)
    for s in range(limited.shape[0]):
        places = [24 * d + k for d in np.flatnonzero(limited[s]) for k in range(24)]
        spent = None
        for h in range(hours.outcome.shape[1]):
            past = [(o, k) for o, k in zip(hours.outcome[s, : h + 1], hours.ok[s, : h + 1], strict=True) if o == JUDGED]
            n, good = len(past), sum(bool(k) for _, k in past)
            ahead = [p for p in places if p > h]
            budget = math.floor(Fraction(100 - pass_pct, 100) * (n + len(ahead))) - (n - good)
            assert (made.judged[s, h], made.ok[s, h], made.fail_budget[s, h]) == (n, good, budget)
            assert math.isnan(made.share_pct[s, h]) if n == 0 else made.share_pct[s, h] == 100.0 * good / n
            expected = -1
            if n > good and budget <= 0:
                spent = h if spent is None else spent
                expected = spent
            elif n > good:
                expected = next((p for k, p in enumerate(ahead, 1) if Fraction(n - good, n) * k >= budget), -1)
            assert made.spent[s, h] == expected


def slow_counts(month, members, startup, invalid, decimals):
    """Counts of one group under one policy, hour by hour with decimals and fractions."""
    value, _, state, exempt, limit, mandatory = month
    production = valid = judged = ok = tested = unlawful = due = due_valid = 0

    def holds(v, bound):
        if decimals is None:
            return Fraction(v) <= Fraction(bound)
        return Decimal(f"{v:.11e}").quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN) <= Decimal(
            repr(float(bound))
        )

    for h in range(value.shape[1]):
        limited = [s for s in members if not math.isnan(limit[s, h // 24])]
        if state[0, h] in (OUTSIDE, STOPPED) or not limited:
            continue
        production += 1
        complete = all(not math.isnan(value[s, h]) for s in limited)
        valid += complete
        asked = any(not exempt[s, h] and not math.isnan(mandatory[s, h // 24]) for s in limited)
        due += asked
        due_valid += asked and complete
        left = [
            s
            for s in limited
            if not (startup != INCLUDE_ALL and exempt[s, h])
            and not (startup == EXCLUDE_TAGGED and state[0, h] in (COLD_START, HOT_START, SHUTDOWN))
        ]
        if not left:
            continue
        if any(math.isnan(value[s, h]) for s in left):
            judged += invalid == COUNT_AS_FAIL
            continue
        judged += 1
        ok += all(holds(value[s, h], limit[s, h // 24]) for s in left)
        floor = [s for s in left if not exempt[s, h] and not math.isnan(mandatory[s, h // 24])]
        tested += bool(floor)
        unlawful += any(not holds(value[s, h], mandatory[s, h // 24]) for s in floor)
    return [production, valid, judged, ok, tested, unlawful, due, due_valid]


@settings(max_examples=80, deadline=None)
@given(months())
def test_month_counts_agree_with_the_twin(month):
    value, _, state, exempt, limit, mandatory = month
    groups = [(0,), (1,), (2,), (0, 1), (0, 1, 2)]
    members = np.array([[*g, *[-1] * (3 - len(g))] for g in groups], np.int32)
    limits, laws = (np.stack([a, half_even_bounds(a, 1)]) for a in (limit, mandatory))
    counts = count_month(value, state, exempt, limits, laws, members, POLICIES)
    found = verdicts(counts, POLICIES, 95)
    for g, p in np.ndindex(found.shape):
        rounding = 1 if POLICIES.bounds[p] else None
        slow = slow_counts(month, groups[g], POLICIES.startup[p], POLICIES.invalid[p], rounding)
        assert [int(c[g, p]) for c in counts] == slow
        production, valid, judged, ok, *_ = slow
        if production == 0:
            expected = NO_PRODUCTION
        elif judged == 0 or Fraction(valid, production) < Fraction(int(POLICIES.min_capture_pct[p]), 100):
            expected = INSUFFICIENT
        else:
            expected = PASS if Fraction(ok, judged) >= Fraction(95, 100) else FAIL
        assert found[g, p] == expected
        if expected in (PASS, FAIL):
            assert (judged - ok <= allowed_fails(counts.judged, 95)[g, p]) == (expected == PASS)


def test_shapes_that_do_not_fit_are_refused():
    value, flags, state = np.zeros((1, 24)), np.zeros((1, 24), np.bool_), np.zeros((1, 24), np.int8)
    with pytest.raises(ValueError, match=r"\(1, 24\)"):
        judge_hours(value, flags[:, :12], state, flags, np.zeros((1, 1)), np.zeros((1, 1)))
    with pytest.raises(ValueError, match="limits of shape"):
        judge_hours(value, flags, state, flags, np.zeros((1, 2)), np.zeros((1, 1)))
    with pytest.raises(ValueError, match="history"):
        trailing(state, flags, History.none(2, 720))
    with pytest.raises(ValueError, match="do not go together"):
        month_to_date(state, flags[:, :1], np.ones((1, 1), np.bool_), 95)
    with pytest.raises(ValueError, match="do not hold hours"):
        month_to_date(state, flags, np.ones((1, 0), np.bool_), 95)
    bounds = np.zeros((2, 1, 1))
    with pytest.raises(ValueError, match="a series that does not exist"):
        count_month(value, state, flags, bounds, bounds, np.array([[1]], np.int32), POLICIES)
    with pytest.raises(ValueError, match="differ in shape"):
        count_month(value, state[:, :1], flags, bounds, bounds, np.array([[0]], np.int32), POLICIES)
    with pytest.raises(ValueError, match="do not fit"):
        count_month(value, state, flags, bounds[:, :, :0], bounds, np.array([[0]], np.int32), POLICIES)


def test_arithmetic_noise_does_not_fail_a_mean_that_is_the_limit() -> None:
    values = np.array([49.9, 50.1] * 30)
    noisy = max(float(np.mean(values)), 50.0 + 7e-15)
    (bound,) = full_value_bounds(np.array([50.0]))
    assert noisy <= bound
    assert bound < 50.0 + 1 / (60 * 10**6)
    assert np.isnan(full_value_bounds(np.array([np.nan])))[0]
