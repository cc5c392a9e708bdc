"""Substituted mass: vectors of the tables by id, the law's open points, and the kernel against a slow twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.capture import FULL, INVALID, LOW, NEITHER, OUT_OF_CONTROL, OUTSIDE, STOPPED, VALID
from kernels.capture import UNDEFINED as NO_RATE
from kernels.substitution import (
    LONG,
    LOW_CAPTURE,
    MEASURED,
    NO_HOUR,
    NO_SUBSTITUTE,
    NOT_AN_HOUR,
    SHORT,
    STOPPED_HOUR,
    Grid,
    Past,
    Terms,
    reach,
    substitute,
)

TABLES = Terms((180, 720, 2160), 24, hourly=False)
HOURLY = TABLES._replace(hourly=True)


def grid(kinds, masses, cuts=None):
    kind = np.array(kinds, np.int8, ndmin=2)
    mass = np.array(masses, float, ndmin=2)
    cut = np.zeros(kind.shape, np.int32) if cuts is None else np.array(cuts, np.int32, ndmin=2)
    return Grid(kind, np.where(kind == VALID, mass, np.nan), cut)


def past_of(rows):
    """Per series a list of (hour, mass)."""
    first = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    flat = [p for row in rows for p in row]
    return Past(first, np.array([h for h, _ in flat], np.int32), np.array([m for _, m in flat], float))


def run(made_of, past=None, row=FULL, terms=TABLES):
    kind = made_of.kind
    past = Past.none(kind.shape[0]) if past is None else past
    rows = np.full((kind.shape[0], 1), row, np.int8)
    return substitute(made_of, past, rows, np.zeros(kind.shape[1], np.int64), terms)


# ---- the tables ----------------------------------------------------------------------------------------------------


def history(calibrated=2400, failed=2500):
    """Valid hours whose maxima before hour 2400 are 38.2 (last 180), 44.0 (720) and 51.3 (2160), and 60.0 after it."""
    mass = np.full(failed, 30.0)
    mass[calibrated - 100] = 38.2
    mass[calibrated - 500] = 44.0
    mass[calibrated - 2000] = 51.3
    mass[10] = 99.0
    mass[calibrated:] = 60.0
    return mass


@pytest.mark.parametrize(
    ("row", "hours", "kg", "method"),
    [
        pytest.param(FULL, 10, 38.2, SHORT, id="V22-ooc-10h-alpha-94.69"),
        pytest.param(FULL, 24, 38.2, SHORT, id="R9-24h-is-not-long"),
        pytest.param(FULL, 25, 44.0, LONG, id="R9-25h-is-long"),
        pytest.param(LOW, 10, 51.3, LOW_CAPTURE, id="V24-alpha-82"),
        pytest.param(LOW, 30, 51.3, LOW_CAPTURE, id="R9-low-capture-any-length"),
        pytest.param(NEITHER, 10, None, NO_SUBSTITUTE, id="V24-alpha-70"),
    ],
)
def test_V22_V24_out_of_control_takes_hours_before_the_last_calibration(row, hours, kg, method):
    mass = history()
    kinds = np.concatenate([np.full(mass.size, VALID), np.full(hours, OUT_OF_CONTROL)])
    made = run(grid(kinds, np.append(mass, np.zeros(hours)), np.full(kinds.size, 2400)), row=row)
    substituted = made.mass[0, mass.size :]
    assert (made.method[0, mass.size :] == method).all()
    assert np.array_equal(made.mass[0, : mass.size], mass)
    if kg is None:
        assert np.isnan(substituted).all()
        assert not made.table[0, mass.size :].any()
    else:
        assert sum(substituted.tolist()) == pytest.approx(hours * kg, rel=1e-12)
        assert (made.table[0, mass.size :] == 5).all()
        assert (made.until[0, mass.size :] == 2400).all()


@pytest.mark.parametrize(
    ("row", "hours", "kg", "method"),
    [
        pytest.param(FULL, 24, 38.2, SHORT, id="R10-24h"),
        pytest.param(FULL, 25, 44.0, LONG, id="R10-25h"),
        pytest.param(LOW, 1, 51.3, LOW_CAPTURE, id="R10-low-capture"),
        pytest.param(NEITHER, 1, None, NO_SUBSTITUTE, id="R10-below-75"),
    ],
)
def test_R10_other_invalid_hours_take_hours_before_the_failure(row, hours, kg, method):
    mass = history(2400, 2400)
    kinds = np.concatenate([np.full(mass.size, VALID), np.full(hours, INVALID), np.full(50, VALID)])
    made = run(grid(kinds, np.concatenate([mass, np.zeros(hours), np.full(50, 500.0)])), row=row)
    gap = slice(mass.size, mass.size + hours)
    assert (made.method[0, gap] == method).all()
    assert (made.method[0, mass.size + hours :] == MEASURED).all()
    if kg is not None:
        assert made.mass[0, gap].tolist() == [kg] * hours
        assert (made.table[0, gap] == 6).all()


def test_R10_the_window_ends_with_its_180th_valid_hour():
    def at(place):
        mass = np.full(400, 1.0)
        mass[place] = 9.0
        return run(grid([VALID] * 400 + [INVALID], [*mass, 0.0])).mass[0, -1]

    assert (at(400 - 180), at(400 - 181)) == (9.0, 1.0)


@pytest.mark.parametrize("gap", [STOPPED, INVALID, OUTSIDE], ids=["stopped", "invalid", "outside"])
def test_R10_the_look_back_counts_valid_hours_only(gap):
    """180 valid hours with 1000 others among them: all 180 are still in the window."""
    kinds = [VALID] + [gap] * 1000 + [VALID] * 179 + [INVALID]
    made = run(grid(kinds, [7.0] + [0.0] * 1000 + [1.0] * 180))
    assert made.mass[0, -1] == 7.0
    assert (made.basis[0, -1], made.since[0, -1], made.until[0, -1]) == (0, 0, 1180)
    assert not made.short[0, -1]


def test_R9_R10_each_hour_of_a_mixed_episode_takes_its_own_table():
    kinds = [VALID] * 300 + [INVALID] * 13 + [OUT_OF_CONTROL] * 12 + [VALID]
    masses = [5.0] * 200 + [8.0] * 100 + [0.0] * 26
    masses[150] = 6.0
    made = run(grid(kinds, masses, [200] * 326))
    assert made.table[0, 300:325].tolist() == [6] * 13 + [5] * 12
    assert made.mass[0, 300:325].tolist() == [8.0] * 13 + [6.0] * 12
    assert (made.method[0, 300:325] == LONG).all(), "25 hours together are long for both"


def test_R9_one_episode_may_rest_on_several_calibrations():
    masses = [float(h) for h in range(300)] + [0.0] * 4
    kinds = [VALID] * 300 + [OUT_OF_CONTROL] * 4
    made = run(grid(kinds, masses, [0] * 300 + [250, 100, 250, -5]))
    assert made.mass[0, 300:303].tolist() == [249.0, 99.0, 249.0]
    assert made.short[0, 300:].tolist() == [False, True, False, True]
    assert (made.method[0, 303], made.table[0, 303]) == (NO_SUBSTITUTE, 5), "no valid hour before it"


def test_n_scope_episode_and_hourly_differ_in_the_first_24_hours():
    masses = [9.0] * 100 + [1.0] * 200 + [0.0] * 30
    both = [run(grid([VALID] * 300 + [INVALID] * 30, masses), terms=t) for t in (TABLES, HOURLY)]
    assert both[0].mass[0, 300:].tolist() == [9.0] * 30
    assert both[1].mass[0, 300:].tolist() == [1.0] * 24 + [9.0] * 6
    assert both[1].method[0, 300:].tolist() == [SHORT] * 24 + [LONG] * 6


def test_a_stopped_hour_is_zero_and_ends_the_episode():
    kinds = [VALID] * 300 + [INVALID] * 20 + [STOPPED] + [INVALID] * 20
    made = run(grid(kinds, [9.0] + [1.0] * 299 + [0.0] * 41))
    assert (made.method[0, 320], made.mass[0, 320]) == (STOPPED_HOUR, 0.0)
    assert (made.method[0, 300:320] == SHORT).all()
    assert (made.method[0, 321:] == SHORT).all()


def test_fewer_valid_hours_than_the_table_asks_for_are_all_used_and_said_so():
    made = run(grid([VALID, VALID, INVALID], [3.0, 2.0, 0.0]))
    assert (made.mass[0, 2], made.method[0, 2], made.basis[0, 2]) == (3.0, SHORT, 0)
    assert made.short[0, 2]
    exactly = run(grid([VALID] * 180 + [INVALID], [1.0] * 181))
    assert not exactly.short[0, -1]


def test_without_any_valid_hour_there_is_no_number():
    made = run(grid([STOPPED, INVALID, OUTSIDE], [0.0] * 3))
    assert made.method[0].tolist() == [STOPPED_HOUR, NO_SUBSTITUTE, NOT_AN_HOUR]
    assert np.isnan(made.mass[0, 1:]).all()
    assert made.short[0].tolist() == [False, True, False]


def test_an_episode_at_the_end_of_the_data_may_yet_become_long():
    short = run(grid([VALID] * 9 + [INVALID] * 24, [1.0] * 33))
    assert short.open_end[0].tolist() == [False] * 9 + [True] * 24
    for other in (
        run(grid([VALID] * 9 + [INVALID] * 25, [1.0] * 34)),
        run(grid([VALID] * 9 + [INVALID] * 24, [1.0] * 33), row=LOW),
        run(grid([VALID] * 9 + [INVALID] * 24, [1.0] * 33), terms=HOURLY),
        run(grid([VALID] * 9 + [INVALID] * 24 + [VALID], [1.0] * 34)),
    ):
        assert not other.open_end.any()


def test_each_hour_of_an_episode_across_a_quarter_takes_its_own_quarters_row():
    kinds = [VALID] * 2200 + [INVALID] * 4
    masses = [9.0] + [5.0] * 1000 + [1.0] * 1203
    quarter = np.repeat(np.array([0, 1], np.int64), [2202, 2])
    made = substitute(grid(kinds, masses), Past.none(1), np.array([[FULL, LOW]], np.int8), quarter, TABLES)
    assert made.mass[0, 2200:].tolist() == [1.0, 1.0, 5.0, 5.0]
    assert made.method[0, 2200:].tolist() == [SHORT, SHORT, LOW_CAPTURE, LOW_CAPTURE]


def test_of_equal_maxima_the_latest_hour_is_named():
    made = run(grid([VALID] * 5 + [INVALID], [2.0, 3.0, 3.0, 1.0, 0.0, 0.0]))
    assert made.basis[0, 5] == 2


@pytest.mark.parametrize(
    ("greatest", "keep", "kg", "raised"),
    [
        pytest.param(-0.15, False, 0.0, True, id="R10-below-zero-is-raised"),
        pytest.param(-0.15, True, -0.15, False, id="R10-below-zero-is-kept"),
        pytest.param(0.0, False, 0.0, False, id="R10-zero-is-zero"),
        pytest.param(0.25, False, 0.25, False, id="R10-above-zero"),
    ],
)
def test_R9_R10_a_gap_takes_nothing_off_the_mass(greatest, keep, kg, raised):
    kinds = [VALID] * 200 + [INVALID] * 3 + [OUT_OF_CONTROL] * 3 + [VALID]
    masses = [-0.5] * 207
    masses[190] = greatest
    made = run(grid(kinds, masses, [200] * 207), terms=TABLES._replace(keep_negative=keep))
    assert made.mass[0, 200:206].tolist() == [kg] * 6
    assert made.raised[0].tolist() == [False] * 200 + [raised] * 6 + [False]
    assert (made.basis[0, 200:206] == 190).all(), "what was measured stays traceable"
    assert made.mass[0, 206] == -0.5, "a measured mass stays as measured"


# ---- against the slow twin --------------------------------------------------------------------------------------------


def twin(made_of, past, rows, quarter, terms):
    """Every hour on its own: list all valid hours before it, take the last N, take the greatest."""
    series, length = made_of.kind.shape
    found = []
    for s in range(series):
        a, b = past.first[s : s + 2]
        valid = list(zip(past.hour[a:b].tolist(), past.mass[a:b].tolist(), strict=True))
        valid += [(h, float(made_of.mass[s, h])) for h in range(length) if made_of.kind[s, h] == VALID]
        bad = [k in (INVALID, OUT_OF_CONTROL) for k in made_of.kind[s].tolist()]
        for h in range(length):
            kind, row = made_of.kind[s, h], rows[s, quarter[h]]
            if kind in (VALID, STOPPED):
                found.append(
                    (float(made_of.mass[s, h]) if kind == VALID else 0.0, MEASURED if kind == VALID else STOPPED_HOUR)
                )
                continue
            if kind == OUTSIDE:
                found.append((None, NOT_AN_HOUR))
                continue
            if row in (NEITHER, NO_RATE):
                found.append((None, NO_SUBSTITUTE))
                continue
            start, end = h, h + 1
            while start and bad[start - 1]:
                start -= 1
            while end < length and bad[end]:
                end += 1
            hours = h - start + 1 if terms.hourly else end - start
            w = LOW_CAPTURE if row == LOW else LONG if hours > terms.long_after else SHORT
            since = made_of.cut[s, h] if kind == OUT_OF_CONTROL else start
            before = [v for v in valid if v[0] < since]
            window = before[-terms.windows[w] :]
            pending = end == length and w == SHORT and not terms.hourly
            table = 5 if kind == OUT_OF_CONTROL else 6
            if not window:
                found.append((None, NO_SUBSTITUTE, table, True, pending))
                continue
            kg = max(m for _, m in window)
            basis = max(at for at, m in window if m == kg)
            short = len(before) < terms.windows[w]
            raised = kg < 0 and not terms.keep_negative
            kg = 0.0 if raised else kg
            found.append((kg, w, table, short, pending, raised, basis, window[0][0], window[-1][0] + 1))
    return found


def as_found(made):
    out = []
    for s, h in np.ndindex(made.mass.shape):
        kg, method = made.mass[s, h].item(), made.method[s, h].item()
        said = (None if np.isnan(kg) else kg, method)
        if made.table[s, h]:
            said += (made.table[s, h].item(), made.short[s, h].item(), made.open_end[s, h].item())
            if method != NO_SUBSTITUTE:
                said += (made.raised[s, h].item(),)
                said += (made.basis[s, h].item(), made.since[s, h].item(), made.until[s, h].item())
        else:
            assert not made.short[s, h]
            assert not made.raised[s, h]
            assert made.basis[s, h] == NO_HOUR
        out.append(said)
    return out


@st.composite
def worlds(draw):
    """Small windows, so that every border is met: runs of hours, a past with gaps, quarters, cuts before and after its end."""
    series, length = draw(st.integers(1, 3)), draw(st.integers(0, 40))
    some = [0.0, 0.5, 1.0, 2.0, 2.0, 3.0, -0.25, 7.5]
    masses = st.sampled_from(draw(st.sampled_from([some, [-0.25, -0.5], [-0.25, -0.5, 0.0, -0.125]])))
    kind = np.empty((series, length), np.int8)
    for s in range(series):
        row = []
        while len(row) < length:
            row += [draw(st.sampled_from([VALID, VALID, INVALID, OUT_OF_CONTROL, STOPPED, OUTSIDE]))] * draw(
                st.integers(1, 7)
            )
        kind[s] = row[:length]
    mass = np.array(draw(st.lists(masses, min_size=series * length, max_size=series * length)), float).reshape(
        kind.shape
    )
    cut = np.array([[draw(st.integers(-30, h)) for h in range(length)] for _ in range(series)], np.int32).reshape(
        kind.shape
    )
    rows = []
    for _ in range(series):
        hours = sorted(draw(st.sets(st.integers(-40, -1), max_size=30)))
        rows.append([(h, draw(masses)) for h in hours])
    quarter = np.sort(np.array(draw(st.lists(st.integers(0, 1), min_size=length, max_size=length)), np.int64))
    row = np.array(
        [[draw(st.sampled_from([FULL, LOW, NEITHER, NO_RATE])) for _ in range(2)] for _ in range(series)], np.int8
    )
    windows = tuple(sorted(draw(st.tuples(*[st.integers(1, 15)] * 3))))
    terms = Terms(windows, draw(st.integers(1, 6)), hourly=draw(st.booleans()), keep_negative=draw(st.booleans()))
    return Grid(kind, np.where(kind == VALID, mass, np.nan), cut), past_of(rows), row, quarter, terms


@settings(max_examples=300, deadline=None)
@given(worlds())
def test_R9_R10_the_kernel_equals_the_slow_twin(world):
    assert as_found(substitute(*world)) == twin(*world)


@settings(max_examples=200, deadline=None)
@given(worlds())
def test_the_past_that_reach_asks_for_is_enough(world):
    """Cut down to what is asked for, the past gives the same figures, wherever it was long enough at all."""
    made_of, past, row, quarter, terms = world
    need, before = reach(made_of, row, quarter, terms)
    rows = []
    for s in range(need.size):
        a, b = past.first[s : s + 2]
        own = list(zip(past.hour[a:b].tolist(), past.mass[a:b].tolist(), strict=True))
        early = [k for k, (h, _) in enumerate(own) if h < before[s]]
        rows.append(own[early[-need[s]] :] if 0 < need[s] <= len(early) else own if need[s] else [])
        assert need[s] <= max(terms.windows)
    assert as_found(substitute(made_of, past_of(rows), row, quarter, terms)) == as_found(substitute(*world))


@settings(max_examples=100, deadline=None)
@given(worlds(), st.integers(0, 40))
def test_two_grids_in_turn_are_one(world, place):
    """Split at an hour that no episode crosses, the second grid with the first as its past gives the same figures."""
    made_of, past, row, quarter, terms = world
    length = made_of.kind.shape[1]
    at = min(place, length)
    bad = np.isin(made_of.kind, (INVALID, OUT_OF_CONTROL))
    while 0 < at < length and (bad[:, at - 1] & bad[:, at]).any():
        at -= 1
    rows = []
    for s in range(made_of.kind.shape[0]):
        a, b = past.first[s : s + 2]
        own = list(zip((past.hour[a:b] - at).tolist(), past.mass[a:b].tolist(), strict=True))
        rows.append(own + [(h - at, made_of.mass[s, h].item()) for h in range(at) if made_of.kind[s, h] == VALID])
    second = Grid(made_of.kind[:, at:].copy(), made_of.mass[:, at:].copy(), made_of.cut[:, at:] - np.int32(at))
    whole, tail = substitute(*world), substitute(second, past_of(rows), row, quarter[at:], terms)
    assert np.array_equal(whole.mass[:, at:], tail.mass, equal_nan=True)
    assert np.array_equal(whole.method[:, at:], tail.method)
    named = tail.basis != NO_HOUR
    assert np.array_equal(whole.basis[:, at:][named] - at, tail.basis[named])


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda g, p, r, q, t: (g._replace(mass=g.mass[:, 1:]), p, r, q, t), id="mass"),
        pytest.param(lambda g, p, r, q, t: (g, Past.none(5), r, q, t), id="past"),
        pytest.param(lambda g, p, r, q, t: (g, p, r, q + 1, t), id="quarter"),
        pytest.param(lambda g, p, r, q, t: (g, p, r, q[1:], t), id="quarters"),
        pytest.param(lambda g, p, r, q, t: (g, p, r, q, Terms((3, 2, 1), 24, hourly=False)), id="windows"),
        pytest.param(lambda g, p, r, q, t: (g._replace(cut=g.cut + 9), p, r, q, t), id="cut"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(wrong):
    right = (
        grid([VALID, OUT_OF_CONTROL], [1.0, 0.0]),
        Past.none(1),
        np.zeros((1, 1), np.int8),
        np.zeros(2, np.int64),
        TABLES,
    )
    with pytest.raises(ValueError, match=r"shape|fit|row|ascend|after"):
        substitute(*wrong(*right))
