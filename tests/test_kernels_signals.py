"""The kernels of the signals: one case that shows each check and one that does not, and comparison with slow twins."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import minutes as at
from kernels import signal_patterns as patterns
from kernels import signal_rows as rows
from kernels.signal_episodes import (
    DILUTION,
    EQUAL,
    FLAT,
    MOST,
    N_SCANNED,
    O2_LOW,
    PLACEHOLDER,
    STEP,
    ZERO,
    SignalRules,
    new_minute_signals,
    new_signal_work,
)
from kernels.signal_minutes import minute_signals, source_evidence

RULES = SignalRules(
    flat_minutes=60, flat_share=0.04, floor=np.full(N_SCANNED, 0.5), equal_minutes=30, least_records=6, zero_minutes=15,
    placeholders=np.array([-9999.0, 9999.0]), step_mads=6.0, step_share=0.6, o2_low_pct=2.0, o2_low_minutes=5, rise_pct=2.0,
    follow=0.95, slope_apart=0.25, least_gases=2, near_air_pct=19.0, idle_velocity=2.0, merge_minutes=60, least_minutes=45,
)  # fmt: skip
NAN = math.nan
MINUTES = np.arange(at.DAY_MINUTES)


def noise(level: float, share: float = 0.1, seed: int = 1) -> np.ndarray:
    """Readings with four decimals that never stand still."""
    return np.round(level * (1 + share * np.random.default_rng(seed).uniform(-1, 1, at.DAY_MINUTES)), 4)


def found(
    channels: dict[int, np.ndarray], rules: SignalRules = RULES, interval: int = 1, code: int = at.VALID
) -> list[dict[str, Any]]:
    """Episodes of one outlet; NaN stands for a minute without a valid reading."""
    cells, sent = at.new_cells(), np.zeros(at.N_CHANNELS + 1, np.bool_)
    for channel, readings in channels.items():
        cells.value[channel] = readings
        cells.state[channel] = np.where(np.isnan(readings), at.MISSING, code)
        sent[channel] = True
    out, work = new_minute_signals(1), new_signal_work()
    source_evidence(cells, sent, 0, rules, work.on, out)
    minute_signals(
        cells, sent, np.zeros(at.DAY_MINUTES, np.int32), np.array([interval]), 0, rules, work, out
    )  # fmt: skip
    names = ("check", "channel", "first", "end", "minutes", "value", "limit", "reading")
    return [{n: getattr(out, n)[0, k].item() for n in names} for k in range(out.count[0])]


def of(check: int, episodes: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(e["first"], e["end"]) for e in episodes if e["check"] == check]


def over(base: np.ndarray, lo: int, hi: int, part: Any) -> np.ndarray:
    made = base.copy()
    made[lo:hi] = part
    return made


WAVE = 10 + 0.1 * np.sin(MINUTES)
#: Oxygen goes up to 14 and down again within hour 5, and what is thinned goes with it.
RISE = over(np.full(1440, 10.0), 300, 360, 10 + 4 * np.sin(np.linspace(0, math.pi, 60))) + 0.01 * np.sin(MINUTES * 1.7)


@pytest.mark.parametrize(
    ("check", "channels", "spans"),
    [
        pytest.param(FLAT, {at.NOX: over(noise(10), 100, 180, WAVE[100:180])}, [(100, 180)], id="A01-flat"),
        pytest.param(FLAT, {at.NOX: over(noise(10), 100, 159, WAVE[100:159])}, [], id="A01-not-59-minutes"),
        pytest.param(FLAT, {at.NOX: over(noise(10), 100, 300, 10.0)}, [], id="A01-not-equal-readings"),
        pytest.param(FLAT, {at.SO2: over(noise(0.4), 100, 300, 0.4 + WAVE[100:300] / 1e4)}, [], id="A01-not-near-nothing"),
        pytest.param(FLAT, {at.FLOW: over(noise(10), 100, 300, WAVE[100:300])}, [], id="A01-not-flow"),
        pytest.param(EQUAL, {at.NOX: over(noise(10), 100, 130, 9.9)}, [(100, 130)], id="A02-equal"),
        pytest.param(EQUAL, {at.NOX: over(noise(10), 100, 129, 9.9)}, [], id="A02-not-29-minutes"),
        pytest.param(EQUAL, {at.NOX: over(noise(10), 100, 200, 0.0)}, [], id="A02-not-zeros"),
        pytest.param(EQUAL, {at.NOX: over(noise(10), 100, 200, 9.9), at.O2: np.full(1440, 20.9)}, [], id="A02-not-standing"),
        pytest.param(EQUAL, {at.NOX: over(noise(10), 100, 200, 9.9), at.VELOCITY: noise(0.3)}, [], id="A02-not-without-flow"),
        pytest.param(ZERO, {at.SO2: over(noise(10), 125, 141, 0.0)}, [(120, 180)], id="A03-zeros"),
        pytest.param(ZERO, {at.SO2: over(noise(10), 125, 140, 0.0)}, [], id="A03-not-15-minutes"),
        pytest.param(ZERO, {at.SO2: over(noise(10), 110, 130, -0.4)}, [], id="A03-not-10-in-each-hour"),
        pytest.param(PLACEHOLDER, {at.SO2: over(noise(10), 125, 126, -9999.0)}, [(125, 126)], id="A03-placeholder"),
        pytest.param(PLACEHOLDER, {at.FLOW: over(noise(3e5), 7, 9, 9999.0 * 3600)}, [(7, 9)], id="A03-placeholder-m3-s"),
        pytest.param(PLACEHOLDER, {at.SO2: over(noise(10), 125, 126, 9998.0)}, [], id="A03-not-a-placeholder"),
        pytest.param(PLACEHOLDER, {at.FLOW: over(noise(1e4), 7, 9, 9999.0)}, [], id="A03-not-a-flow-in-m3-h"),
        pytest.param(PLACEHOLDER, {at.FLOW: over(noise(1e4), 7, 9, -9999.0)}, [(7, 9)], id="A03-placeholder-below-0"),
        pytest.param(STEP, {at.NOX: over(noise(10), 700, 1440, 25 + noise(10)[700:])}, [(699, 701)], id="A06-step"),
        pytest.param(STEP, {at.NOX: over(noise(10), 700, 1440, 5 + noise(10)[700:])}, [], id="A06-not-below-the-share"),
        pytest.param(STEP, {at.NOX: over(over(noise(10), 700, 701, NAN), 701, 1440, 35.0)}, [], id="A06-not-over-a-gap"),
        pytest.param(O2_LOW, {at.O2: over(noise(10), 30, 35, 1.5)}, [(30, 35)], id="A07-low"),
        pytest.param(O2_LOW, {at.O2: over(noise(10), 30, 34, 1.5)}, [], id="A07-not-four-minutes"),
        pytest.param(
            DILUTION, {at.O2: RISE, at.SO2: 3 * (21 - RISE), at.NOX: 5 * (21 - RISE) + noise(0.02, 1)}, [(300, 360)],
            id="A08-dilution",
        ),
        pytest.param(
            DILUTION, {at.O2: RISE, at.SO2: 3 * (21 - RISE), at.NOX: noise(40)}, [], id="A08-not-all-gases",
        ),
        pytest.param(DILUTION, {at.O2: RISE, at.SO2: 3 * (21 - RISE)}, [], id="A08-not-one-gas"),
        pytest.param(
            DILUTION, {at.O2: RISE, at.SO2: 3 * (21 - RISE), at.NOX: 100 + 5 * (21 - RISE)}, [], id="A08-not-in-proportion",
        ),
        pytest.param(
            DILUTION, {at.O2: over(RISE, 365, 380, 20.9), at.SO2: 3 * (21 - RISE), at.NOX: 5 * (21 - RISE)}, [],
            id="A08-not-beside-a-stop",
        ),
    ],
)  # fmt: skip
def test_minutes(check: int, channels: dict[int, np.ndarray], spans: list[tuple[int, int]]) -> None:
    assert of(check, found(channels)) == spans


def test_A02_wants_six_records_of_a_slow_logger() -> None:
    for equal, spans in ((60, [(100, 160)]), (50, [])):
        steps = np.repeat(noise(10)[:144], 10)
        assert of(EQUAL, found({at.NOX: over(steps, 100, 100 + equal, 9.9)}, interval=10)) == spans


def test_what_is_not_valid_is_not_looked_at() -> None:
    assert found({at.NOX: np.full(1440, 5.0)}, code=at.INVALID) == []


def test_episodes_close_to_each_other_are_one_and_a_day_has_no_more_than_four() -> None:
    base = noise(10)
    near = over(over(base, 100, 140, 9.0), 200, 240, 9.5)
    (one,) = [e for e in found({at.NOX: near}) if e["check"] == EQUAL]
    assert (one["first"], one["end"], one["minutes"], one["value"]) == (100, 240, 80, 40)
    many = base
    for lo in range(0, 1400, 140):
        many = over(many, lo, lo + 40, 9.0)
    told = [e for e in found({at.NOX: many}) if e["check"] == EQUAL]
    assert len(told) == MOST
    assert (sum(e["minutes"] for e in told), told[-1]["end"]) == (400, 1300)


def test_the_evidence_of_a_source_is_what_was_sent() -> None:
    cells, sent = at.new_cells(), np.zeros(at.N_CHANNELS + 1, np.bool_)
    sent[[at.O2, at.TEMPERATURE]] = True
    cells.value[at.O2], cells.state[at.O2] = np.where(MINUTES < 60, 10.0, 20.9), at.VALID
    cells.value[at.TEMPERATURE], cells.state[at.TEMPERATURE, :44] = 90.0, at.VALID
    out, work = new_minute_signals(2), new_signal_work()
    source_evidence(cells, sent, 1, RULES, work.on, out)
    assert out.o2[1, :3].tolist() == [10.0, pytest.approx(20.9), pytest.approx(20.9)]
    assert np.isnan(out.temperature[1]).all()
    assert np.isnan(out.o2[0]).all()
    assert work.on.tolist() == [True] * 60 + [False] * 1380


# ---- the minute checks against their twin ------------------------------------------------------------------------


def _joined(parts: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    made: list[tuple[int, int, int]] = []
    for first, end, n in parts:
        if made and (len(made) == MOST or first - made[-1][1] <= RULES.merge_minutes):
            a, b, k = made[-1]
            made[-1] = (a, max(b, end), k + n)
        else:
            made.append((first, end, n))
    return made


def _runs(hits: list[bool]) -> list[tuple[int, int]]:
    edges = [m for m in range(len(hits) + 1) if (m < len(hits) and hits[m]) != (m > 0 and hits[m - 1])]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _equal_twin(x: np.ndarray) -> list[tuple[int, int, int]]:
    same = [m > 0 and x[m] == x[m - 1] and x[m] > 0 for m in range(len(x))]
    runs = [(lo - 1, hi) for lo, hi in _runs(same)]
    return [(lo, hi, hi - lo) for lo, hi in runs if hi - lo >= RULES.equal_minutes]


def _zero_twin(x: np.ndarray) -> list[tuple[int, int, int]]:
    counts = [(h, int((x[h * 60 : h * 60 + 60] <= 0).sum())) for h in range(24)]
    return [(h * 60, h * 60 + 60, n) for h, n in counts if n > RULES.zero_minutes]


def _flat_twin(x: np.ndarray) -> list[tuple[int, int, int]]:
    valid = x[~np.isnan(x)]
    if not valid.size or not valid.mean() > RULES.floor[at.NOX]:
        return []
    limit, told = RULES.flat_share * valid.mean(), np.zeros(len(x), np.bool_)
    for lo, hi, _ in _equal_twin(x):
        told[lo:hi] = True
    marked: list[tuple[int, int]] = []
    for end in range(1, len(x) + 1):
        begin = end
        while begin > 0 and not np.isnan(x[begin - 1 : end]).any() and np.ptp(x[begin - 1 : end]) <= limit:
            begin -= 1
        if end - begin >= RULES.flat_minutes and 2 * told[begin:end].sum() < end - begin:
            if marked and begin <= marked[-1][1]:
                marked[-1] = (marked[-1][0], end)
            else:
                marked.append((begin, end))
    return [(lo, hi, hi - lo) for lo, hi in marked]


def _step_twin(x: np.ndarray) -> list[tuple[int, int, int]]:
    valid = x[~np.isnan(x)]
    if not valid.size or not valid.mean() > RULES.floor[at.NOX]:
        return []
    mad = np.median(np.abs(valid - np.median(valid)))
    limit = max(RULES.step_mads * mad, RULES.step_share * valid.mean())
    return [(m - 1, m + 1, 1) for m in range(1, len(x)) if abs(x[m] - x[m - 1]) > limit]


PIECES = st.lists(
    st.tuples(
        st.sampled_from([NAN, -1.0, 0.0, 5.0, 10.0, 30.0]), st.integers(1, 150), st.sampled_from([0.0, 0.01, 0.1, 3.0]),
        st.sampled_from([0.0, 0.004, -0.006]),
    ),
    min_size=1, max_size=16,
)  # fmt: skip


@given(PIECES, st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_minutes_equal_their_twin(pieces: list[tuple[float, int, float, float]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [
        level + np.round(width * rng.uniform(-1, 1, n) + drift * np.arange(n), 3) for level, n, width, drift in pieces
    ]
    x = np.concatenate([*parts, np.full(1440, NAN)])[:1440]
    told = found({at.NOX: x})
    twins = {EQUAL: _equal_twin(x), ZERO: _zero_twin(x), FLAT: _flat_twin(x), STEP: _step_twin(x)}
    for check, twin in twins.items():
        got = [(e["first"], e["end"], e["minutes"]) for e in told if e["check"] == check]
        assert got == _joined(twin), check


# ---- arrival -----------------------------------------------------------------------------------------------------


def _ms(minutes: Any) -> np.ndarray:
    return np.asarray(minutes, np.int64) * at.MS_PER_MINUTE


def test_spacing_by_majority() -> None:
    first = np.array([0, 5, 9, 10])
    made = rows.spacing(_ms([0, 10, 20, 40, 50, 0, 1, 3, 4, 7]) + 27_000, first)
    assert (made.minutes.tolist(), made.steps.tolist(), made.of.tolist()) == ([10, 1, 0], [3, 2, 0], [4, 3, 0])


@given(st.lists(st.integers(1, 3), min_size=0, max_size=30))
@settings(max_examples=50, deadline=None)
def test_spacing_equals_its_twin(steps: list[int]) -> None:
    made = rows.spacing(_ms(np.cumsum([0, *steps])), np.array([0, len(steps) + 1]))
    most = max(set(steps), key=steps.count) if steps else 0
    assert made.minutes[0] == (most if steps and 2 * steps.count(most) > len(steps) else 0)


@pytest.mark.parametrize(
    ("behind", "late", "early"),
    [
        pytest.param(10, 0, 0, id="A21-not-late"),
        pytest.param(11, 1, 0, id="A21-late"),
        pytest.param(-10, 0, 0, id="A21-not-ahead"),
        pytest.param(-11, 0, 1, id="A21-ahead"),
    ],
)
def test_arrival(behind: int, late: int, early: int) -> None:
    # The record of 00:05 stands for one minute under start labels: it may come from 00:06 on.
    qn = np.concatenate([_ms([6 + behind]), [rows.NO_QN]])
    made = rows.arrival(_ms([5, 6]), qn, np.array([0, 2]), np.array([1]), 10, 10, 0)
    assert (made.late[0], made.early[0]) == (late, early)
    assert made.latest[0] == (behind if late else 0)
    assert made.late_first[0] == (5 if late else -1)


def test_arrays_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ValueError, match="runs"):
        rows.spacing(_ms([1, 2]), np.array([0, 1]))
    with pytest.raises(ValueError, match="QN"):
        rows.arrival(_ms([1]), _ms([1, 2]), np.array([0, 1]), np.array([1]), 10, 10, 0)
    one = np.zeros((1, 24))
    with pytest.raises(ValueError, match="window"):
        patterns.narrow(one, 0, np.zeros(1))
    with pytest.raises(ValueError, match="limits"):
        patterns.spikes(one, np.zeros(2), 0.05)
    with pytest.raises(ValueError, match="clock"):
        patterns.nights(one, np.zeros(3, np.bool_), 1, 1)
    with pytest.raises(ValueError, match="marks"):
        patterns.lift(one, np.zeros(1), np.zeros((1, 3), np.bool_), 1, 0)


@pytest.mark.parametrize(
    ("second", "minutes"),
    [
        pytest.param([3, 4, 9], [3], id="R03-same-minutes"),
        pytest.param([0, 4, 9], [], id="R03-not-in-turns"),
    ],
)
def test_two_devices(second: list[int], minutes: list[int]) -> None:
    has = np.array([True, True, False])
    devices = [(np.array([2, 3, 9]), has), (np.array(second), has), (np.array([-1, 1440, 3]), ~has & False)]
    assert rows.both_sent(devices).tolist() == minutes


# ---- long windows against their twins ----------------------------------------------------------------------------

SERIES = st.integers(1, 4).flatmap(
    lambda days: st.lists(
        st.one_of(st.just(NAN), st.integers(1, 12).map(float)), min_size=24 * days, max_size=24 * days
    )
)


def _grid(values: list[float]) -> np.ndarray:
    return np.array([values])


@given(SERIES, st.integers(1, 6), st.integers(0, 4), st.sampled_from([math.inf, 1.25]))
@settings(max_examples=60, deadline=None)
def test_narrow_equals_its_twin(values: list[float], window: int, widest: int, ratio: float) -> None:
    x, hit = np.array(values), np.zeros(len(values), np.bool_)
    for end in range(window, x.size + 1):
        part = x[end - window : end]
        if not np.isnan(part).any() and np.ptp(part) <= widest and part.max() <= ratio * part.min():
            hit[end - window : end] = True
    assert patterns.narrow(_grid(values), window, np.array([float(widest)]), ratio)[0].tolist() == hit.tolist()


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 6))
@settings(max_examples=50, deadline=None)
def test_long_runs_equal_their_twin(hits: list[bool], least: int) -> None:
    wanted = np.zeros(len(hits), np.bool_)
    for lo, hi in _runs(hits):
        wanted[lo:hi] = hi - lo >= least
    assert patterns.long_runs(np.array([hits], np.bool_), least)[0].tolist() == wanted.tolist()


@given(SERIES)
@settings(max_examples=50, deadline=None)
def test_spikes_equal_their_twin(values: list[float]) -> None:
    made = patterns.spikes(_grid([10 * v for v in values]), np.array([100.0]), 0.1)
    assert made.top[0] == sum(90 <= 10 * v <= 100 for v in values)
    assert made.around[0] == sum(70 <= 10 * v < 90 or 100 < 10 * v <= 120 for v in values) / 4


@given(SERIES, st.integers(0, 2**24 - 1), st.integers(1, 3), st.integers(1, 10))
@settings(max_examples=50, deadline=None)
def test_nights_equal_their_twin(values: list[float], bits: int, days: int, least: int) -> None:
    night = np.array([bits >> h & 1 for h in range(24)], np.bool_)
    made = patterns.nights(_grid(values), night, days, least)[0]
    by_day = np.array(values).reshape(-1, 24)
    for d in range(by_day.shape[0]):
        dark, light = (by_day[d + 1 - days : d + 1][:, own].ravel() for own in (night, ~night))
        dark, light = dark[~np.isnan(dark)], light[~np.isnan(light)]
        if d + 1 >= days and dark.size >= least and light.size >= least:
            assert made[d] == pytest.approx(dark.mean() / light.mean())
        else:
            assert math.isnan(made[d])


@given(SERIES, st.data())
@settings(max_examples=50, deadline=None)
def test_lift_equals_its_twin(values: list[float], data: st.DataObject) -> None:
    n = len(values)
    marks = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    reach, since, limit = data.draw(st.integers(0, 2)), data.draw(st.integers(0, n)), 6.0
    valued = [h for h in range(n) if not math.isnan(values[h])]
    rises = {h for before, h in pairwise(valued) if values[before] <= limit < values[h]}
    near = [any(h - back in rises for back in range(reach + 1)) for h in range(n)]
    begins = [marks[h] and (h == 0 or not marks[h - 1]) for h in range(n)]
    made = patterns.lift(_grid(values), np.array([limit]), np.array([marks], np.bool_), reach, since)
    counts = (sum(begins[since:]), sum(b and m for b, m in zip(begins[since:], near[since:], strict=True)))
    assert (made.marks[0], made.at_rise[0]) == counts
    assert (made.hours[0], made.rise_hours[0]) == (n - since, sum(near[since:]))


@given(SERIES, SERIES)
@settings(max_examples=50, deadline=None)
def test_correlation_equals_that_of_numpy(a: list[float], b: list[float]) -> None:
    n = min(len(a), len(b))
    x, y = np.array(a[:n]), np.array(b[:n])
    made = patterns.correlation(x, y, 0.25, 0.01)
    if (
        np.isnan(x).any()
        or np.isnan(y).any()
        or x.std() < 0.01 * x.mean()
        or y.std() < 0.01 * y.mean()
        or x.min() < 0.25 * x.mean()
        or y.min() < 0.25 * y.mean()
    ):
        assert math.isnan(made)
    else:
        assert made == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-9)


@given(st.integers(0, 2**31), st.integers(0, 12))
@settings(max_examples=30, deadline=None)
def test_alike_finds_every_pair_and_no_other(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    base = rng.uniform(5, 10, (3, 24))
    values = base[rng.integers(0, 3, n)] * rng.uniform(0.5, 2, (n, 1)) + rng.normal(0, 0.05, (n, 24))
    values[rng.uniform(size=values.shape) < 0.01] = NAN
    first, second, exact = patterns.alike(values, 0.99, 0.25, 0.01)
    pairs = {(i, j): patterns.correlation(values[i], values[j], 0.25, 0.01) for j in range(n) for i in range(j)}
    assert dict(zip(zip(first.tolist(), second.tolist(), strict=True), exact.tolist(), strict=True)) == {
        pair: value for pair, value in pairs.items() if value > 0.99
    }


@pytest.mark.parametrize(
    ("second", "above"),
    [
        pytest.param(lambda day: 2 * day, True, id="A17-replay"),
        pytest.param(lambda day: day[::-1], False, id="A17-not"),
        pytest.param(lambda day: np.where(np.arange(24) < 3, 0.1, day), False, id="A17-not-over-a-stop"),
    ],
)
def test_replays(second: Any, above: bool) -> None:
    day = np.random.default_rng(3).uniform(5, 10, 24)
    made = patterns.replays(np.array([np.concatenate([day, second(day)])]), 0.25, 0.01)[0]
    assert math.isnan(made[0])
    assert bool(made[1] > 0.95) == above
