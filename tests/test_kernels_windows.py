"""Windows, episodes and the floor test: each kernel against a slow twin, whole or cut into months."""

from __future__ import annotations

import math
from collections import deque
from fractions import Fraction
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kernels.episodes import episodes
from kernels.judge import BANKED, COLD_START, INVALID, JUDGED, NO_DATA, OUTSIDE, RUNNING, STOPPED
from kernels.judge_floor import floor_month
from kernels.windows import (
    History,
    Trailing,
    clock_share,
    collect_history,
    place_before,
    trailing,
    worst_window,
)

OUTCOMES = st.sampled_from([JUDGED, JUDGED, INVALID, NO_DATA, OUTSIDE])


@settings(max_examples=80, deadline=None)
@given(
    outcome=arrays(np.int8, (2, 96), elements=OUTCOMES),
    ok=arrays(np.bool_, (2, 96)),
    window=st.integers(1, 60),
    cuts=st.lists(st.integers(0, 96), max_size=5),
)
def test_trailing_window_crosses_any_border(outcome, ok, window, cuts):
    """In one run it is a deque; cut into partitions with only earlier rows to look back at, it is the same."""
    whole = trailing(outcome, ok, History.none(2, window))
    for s in range(2):
        last = deque(maxlen=window)
        for h in range(96):
            if outcome[s, h] == JUDGED:
                last.append(bool(ok[s, h]))
            assert whole.hours[s, h] == len(last)
            share = whole.share_pct[s, h]
            assert math.isnan(share) if not last else share == 100.0 * sum(last) / len(last)
    edges = [0, *sorted(cuts), 96]
    for i in range(1, len(edges) - 1):
        history = History.none(2, window)
        need = whole.hours[:, edges[i] - 1].astype(np.int32) if edges[i] else np.zeros(2, np.int32)
        for k in range(i, 0, -1):
            part = slice(edges[k - 1], edges[k])
            rows = np.repeat(np.arange(2, dtype=np.int32), edges[k] - edges[k - 1])
            judged = outcome[:, part].ravel() == JUDGED
            collect_history(history, rows, judged, ok[:, part].ravel(), need)
        assert history.hours.tolist() == need.tolist()
        cut = trailing(outcome[:, edges[i] :], ok[:, edges[i] :], history)
        np.testing.assert_array_equal(cut.share_pct, whole.share_pct[:, edges[i] :])
        np.testing.assert_array_equal(cut.hours, whole.hours[:, edges[i] :])


@settings(max_examples=80, deadline=None)
@given(
    outcome=arrays(np.int8, (2, 96), elements=OUTCOMES),
    ok=arrays(np.bool_, (2, 96)),
    window=st.integers(1, 60),
    cut=st.integers(0, 96),
    needed=st.lists(st.integers(0, 1), min_size=2, max_size=2),
)
def test_clock_window_crosses_any_border(outcome, ok, window, cut, needed):
    before = np.zeros((2, 60), np.int8)
    series, hour = (a.ravel() for a in np.mgrid[0:2, -cut:0])
    rows = series.astype(np.int32), hour.astype(np.int64)
    place_before(before, *rows, (outcome == JUDGED)[:, :cut].ravel(), ok[:, :cut].ravel(), np.array(needed, np.int32))
    made = clock_share(outcome[:, cut:], ok[:, cut:], before, window)
    for s in range(2):
        for h in range(cut, 96):
            back = range(max(h - window + 1, 0 if needed[s] else cut), h + 1)
            held = [bool(ok[s, k]) for k in back if outcome[s, k] == JUDGED]
            share = made[s, h - cut]
            assert math.isnan(share) if not held else share == 100.0 * sum(held) / len(held)


@settings(max_examples=60, deadline=None)
@given(
    share=arrays(np.int8, (2, 30), elements=st.integers(0, 9)),
    hours=arrays(np.int16, (2, 30), elements=st.integers(0, 3)),
)
def test_the_worst_window_is_full_and_the_first_of_equals(share, hours):
    made = worst_window(Trailing(share.astype(float), hours), 3)
    for s in range(2):
        full = [(share[s, h], h) for h in range(30) if hours[s, h] == 3]
        assert made.hour[s] == (min(full)[1] if full else -1)
        assert math.isnan(made.share_pct[s]) if not full else made.share_pct[s] == min(full)[0]


@settings(max_examples=80, deadline=None)
@given(
    fails=arrays(np.bool_, (3, 50)),
    value=arrays(np.float64, (3, 50), elements=st.sampled_from([51.0, 60.5, 80.0, 200.0])),
    mark=arrays(np.bool_, (3, 50)),
)
def test_episodes_are_the_runs_of_failing_hours(fails, value, mark):
    made = episodes(fails, value, mark)
    expected = []
    for s in range(3):
        for failing, run in groupby(range(50), key=lambda h: bool(fails[s, h])):
            if failing:
                hours = list(run)
                values = [value[s, h] for h in hours]
                peak = max(values)
                mean = pytest.approx(float(sum(map(Fraction, values)) / len(values)))
                marked = sum(bool(mark[s, h]) for h in hours)
                expected.append((s, hours[0], len(hours), peak, hours[values.index(peak)], mean, marked))
    assert list(zip(*(a.tolist() for a in made), strict=True)) == expected


@settings(max_examples=80, deadline=None)
@given(
    value=arrays(np.float64, (2, 48), elements=st.sampled_from([math.nan, -1.0, 0.0, 7.9, 8.0, 8.1, 9.6, 30.0])),
    state=arrays(np.int8, (2, 48), elements=st.sampled_from([OUTSIDE, RUNNING, COLD_START, STOPPED, BANKED])),
    exempt=arrays(np.bool_, (2, 48)),
    limit=arrays(np.float64, (2, 2), elements=st.sampled_from([math.nan, 8.0, 10.0])),
)
def test_R14_floor_agrees_with_the_twin(value, state, exempt, limit):
    made = floor_month(value, state, exempt, limit, limit)
    for s in range(2):
        hours = [h for h in range(48) if not math.isnan(limit[s, h // 24]) and state[s, h] not in (OUTSIDE, STOPPED)]
        tested = [h for h in hours if not exempt[s, h] and not math.isnan(value[s, h])]
        assert (made.production[s], made.tested[s]) == (len(hours), len(tested))
        assert made.exempt[s] == sum(bool(exempt[s, h]) for h in hours)
        assert made.failing[s] == sum(value[s, h] > limit[s, h // 24] for h in tested)
        ratio = {h: Fraction(value[s, h]) / Fraction(limit[s, h // 24]) for h in tested}
        assert made.worst[s] == (max(ratio, key=lambda h: (ratio[h], -h)) if ratio else -1)


def test_shapes_that_do_not_fit_are_refused():
    flags, state = np.zeros((1, 24), np.bool_), np.zeros((1, 24), np.int8)
    with pytest.raises(ValueError, match="do not fit"):
        clock_share(state, flags, np.zeros((1, 10), np.int8), 11)
    with pytest.raises(ValueError, match="history"):
        trailing(state, flags, History.none(2, 720))
    with pytest.raises(ValueError, match="do not go together"):
        episodes(flags, np.zeros((1, 23)), flags)
    with pytest.raises(ValueError, match="limits of shape"):
        floor_month(np.zeros((1, 24)), state, flags, np.zeros((1, 2)), np.zeros((1, 2)))
