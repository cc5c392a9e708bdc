"""Declared states by the hour: the kernels against a minute-by-minute twin, and the words of the rule by id."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kernels.judge import BANKED, COLD_START, HOT_START, OUTSIDE, RUNNING, SHUTDOWN, STOPPED
from kernels.states import NEVER, STATES, Caps, Stretches, line_hours, series_hours

FEW_HOURS = st.integers(-3 * 60, 51 * 60)


@st.composite
def declared(draw, days=2, lines=2):
    """Stretches that do not overlap on a line, with clocks that start before, with or after them, and caps by day."""
    rows = []
    for line in range(lines):
        edges = sorted(draw(st.lists(FEW_HOURS, max_size=8, unique=True)))
        for a, b in zip(edges[::2], edges[1::2], strict=False):
            clock = a - draw(st.sampled_from([0, 0, 30, 400, 4000]))
            rows.append((line, draw(st.integers(RUNNING, BANKED)), a, b, clock, draw(st.booleans())))
    columns = list(zip(*rows, strict=True)) or [()] * 6
    kinds = (np.int32, np.int8, np.int64, np.int64, np.int64, np.bool_)
    stretches = Stretches(*(np.array(c, k) for c, k in zip(columns, kinds, strict=True)))
    caps = Caps(
        np.array(draw(st.lists(st.sampled_from([31, 45, 60, NEVER]), min_size=days, max_size=days)), np.int32),
        draw(arrays(np.int64, (days, STATES), elements=st.sampled_from([0, 90, 480, 36 * 60]))),
        draw(arrays(np.bool_, days)),
    )
    return stretches, caps


@settings(max_examples=150, deadline=None)
@given(declared())
def test_lines_agree_with_the_minute_twin(case):
    stretches, caps = case
    state, exempt = line_hours(2, 2, stretches, caps)
    rows = list(zip(*(a.tolist() for a in stretches), strict=True))
    for line, h in np.ndindex(2, 48):
        day = h // 24
        minutes, within = [], 0
        for t in range(60 * h, 60 * h + 60):
            for of, code, begin, end, start, late in rows:
                if of == line and begin <= t < end:
                    minutes.append(code)
                    within += t < start + caps.minutes[day, code] and (not late or caps.late[day])
        fills = [c for c in set(minutes) if minutes.count(c) >= caps.fill[day]]
        assert state[line, h] == (fills[0] if fills else RUNNING)
        assert exempt[line, h] == (within >= caps.fill[day])


@settings(max_examples=80, deadline=None)
@given(
    in_force=arrays(np.bool_, (4, 2)),
    row=arrays(np.int32, (4, 2), elements=st.integers(-1, 1)),
    capped=arrays(np.bool_, (4, 2)),
    state=arrays(np.int8, (2, 48), elements=st.integers(RUNNING, BANKED)),
    exempt=arrays(np.bool_, (2, 48)),
)
def test_series_take_what_their_line_of_the_day_declared(in_force, row, capped, state, exempt):
    made, left_out = series_hours(in_force, row, capped, state, exempt)
    for s, h in np.ndindex(4, 48):
        day = h // 24
        line = row[s, day]
        declared = in_force[s, day] and line >= 0
        assert made[s, h] == (state[line, h] if declared else RUNNING if in_force[s, day] else OUTSIDE)
        assert left_out[s, h] == (declared and exempt[line, h] and capped[s, day])


def hours_of(*events, days=3, late=False):
    """(states, exempt) of one line; events as (state, begin hour, end hour, start hour)."""
    kinds = (np.int32, np.int8, np.int64, np.int64, np.int64, np.bool_)
    rows = [(0, s, round(60 * a), round(60 * b), round(60 * c), late) for s, a, b, c in events]
    columns = [np.array(c, k) for c, k in zip(zip(*rows, strict=True), kinds, strict=True)]
    cap = np.zeros((days, STATES), np.int64)
    cap[:, [COLD_START, HOT_START, SHUTDOWN]] = 60 * np.array([36, 8, 8])
    caps = Caps(np.full(days, 45, np.int32), cap, np.zeros(days, np.bool_))
    state, exempt = line_hours(1, days, Stretches(*columns), caps)
    return state[0], exempt[0]


@pytest.mark.parametrize(
    ("event", "hours", "exempt"),
    [
        ((COLD_START, 5, 45, 5), 40, 36),
        ((HOT_START, 5, 17, 5), 12, 8),
        ((SHUTDOWN, 5, 14, 5), 9, 8),
        ((SHUTDOWN, 5, 9, 5), 4, 4),
        ((STOPPED, 5, 50, 5), 45, 0),
        ((BANKED, 5, 15, 5), 10, 0),
        ((COLD_START, -30, 10, -30), 10, 6),  # the clock of an event that began in the month before
        ((COLD_START, 5.25, 6, 5.25), 1, 1),  # 45 minutes
        ((COLD_START, 5.27, 6, 5.27), 0, 0),  # 44 minutes
        ((HOT_START, 5.5, 20, 5.5), 14, 7),  # half hours at both ends of the cap are judged
        ((HOT_START, 5.25, 20, 5.25), 15, 8),
    ],
    ids=[
        "cold-36",
        "hot-8",
        "stop-8",
        "short-stop",
        "stopped",
        "banked",
        "over-a-border",
        "45-min",
        "44-min",
        "half",
        "quarter",
    ],
)
def test_R15_caps_run_from_the_start_of_the_event(event, hours, exempt):
    state, left_out = hours_of(event)
    assert (state == event[0]).sum() == hours
    assert left_out.sum() == exempt


def test_R15_late_declarations_have_no_cap_but_keep_their_state():
    state, exempt = hours_of((COLD_START, 5, 45, 5), late=True)
    assert ((state == COLD_START).sum(), exempt.sum()) == (40, 0)


def test_a_mixed_hour_runs_and_may_still_be_exempt():
    state, exempt = hours_of((SHUTDOWN, 5, 6.5, 5), (HOT_START, 6.5, 8, 6.5))
    assert state[4:9].tolist() == [RUNNING, SHUTDOWN, RUNNING, HOT_START, RUNNING]
    assert exempt[4:9].tolist() == [False, True, True, True, False]


def test_R15_two_capped_events_fill_an_hour_together():
    """30 min of hot start, 30 min of shutdown: no state fills the hour, which runs, and 60 min of it are within a cap."""
    state, exempt = hours_of((HOT_START, 5, 6.5, 5), (SHUTDOWN, 6.5, 8, 6.5))
    assert state[5:8].tolist() == [HOT_START, RUNNING, SHUTDOWN]
    assert exempt[5:8].tolist() == [True, True, True]
    for begin, within in ((-1.75, True), (-1.77, False)):
        # Of the hot start 15 or 14 min lie within its cap of 8 h: with 30 of the stop 45 or 44.
        state, exempt = hours_of((HOT_START, begin, 6.5, begin), (SHUTDOWN, 6.5, 8, 6.5))
        assert (state[6], exempt[6]) == (RUNNING, within)


def test_what_does_not_fit_is_refused():
    none = Stretches(*(np.zeros(0, k) for k in (np.int32, np.int8, np.int64, np.int64, np.int64, np.bool_)))
    caps = Caps(np.full(1, 45, np.int32), np.zeros((1, STATES), np.int64), np.zeros(1, np.bool_))
    with pytest.raises(ValueError, match="do not fit 2 days"):
        line_hours(1, 2, none, caps)
    with pytest.raises(ValueError, match="two states"):
        line_hours(1, 1, none, caps._replace(fill=np.full(1, 30, np.int32)))
    one = Stretches(*(np.ones(1, k) for k in (np.int32, np.int8, np.int64, np.int64, np.int64, np.bool_)))
    with pytest.raises(ValueError, match="a line that does not exist"):
        line_hours(1, 1, one, caps)
    flags, lines = np.ones((1, 1), np.bool_), (np.zeros((1, 24), np.int8), np.zeros((1, 24), np.bool_))
    with pytest.raises(ValueError, match="a line that does not exist"):
        series_hours(flags, np.ones((1, 1), np.int32), flags, *lines)
    with pytest.raises(ValueError, match="do not fit series"):
        series_hours(flags, np.zeros((1, 1), np.int32), flags, *(a[:, :12] for a in lines))
    with pytest.raises(ValueError, match="do not go together"):
        series_hours(flags, np.zeros((1, 2), np.int32), flags, *lines)
