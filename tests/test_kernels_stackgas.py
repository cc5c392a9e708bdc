"""The synthetic stack and its logger against slow twins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import logger
from kernels.logger import AVG, COU, FLAG, MAX, MIN, PLACES, ZS_AVG, ZS_MAX, ZS_MIN, LoggerSetup, Seen, log_day
from kernels.stackgas import DAY_MINUTES, WARM_UP, bell, stack_minutes

MASK = (1 << 64) - 1


def slow_bell(key: int, a: int, b: int) -> float:
    z = (key + a * 0x94D049BB133111EB + (b + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    z ^= z >> 31
    return (sum((z >> (16 * i)) & 0xFFFF for i in range(4)) - 131070.0) / 37837.22


def slow_minutes(key, day, shape, phase, run, heat):
    out = np.empty((phase.size, DAY_MINUTES))
    for c, (base, noise, phi, swing, cold, boost) in enumerate(shape.T):
        state = 0.0
        for m in range(-WARM_UP, DAY_MINUTES):
            minute = day * DAY_MINUTES + m
            state = phi * state + math.sqrt(1.0 - phi * phi) * slow_bell(key, c, minute)
            if m < 0:
                continue
            knot, rest = divmod(minute, 360)
            slow = slow_bell(key, c, -1 - knot) * (1 - rest / 360) + slow_bell(key, c, -2 - knot) * (rest / 360)
            wave = swing * math.sin((m + phase[c]) % DAY_MINUTES * 2 * math.pi / DAY_MINUTES)
            hot = base * (1 + wave + noise * (0.8 * state + 0.6 * slow))
            out[c, m] = cold + (hot * (1 + boost * heat[m]) - cold) * run[m]
    return out


@settings(max_examples=6, deadline=None)
@given(st.integers(0, MASK), st.integers(0, 40_000), st.integers(0, 1439), st.floats(0, 0.995))
def test_stack_minutes_equal_the_slow_twin(key, day, phase, phi):
    rng = np.random.default_rng(key % 1000)
    shape = np.array([[30.0, 9.5], [0.2, 0.05], [phi, 0.97], [0.1, 0.0], [0.5, 20.9], [1.5, 0.2]])
    run, heat = rng.random(DAY_MINUTES), rng.random(DAY_MINUTES)
    phases = np.array([phase, 0])
    np.testing.assert_allclose(
        stack_minutes(key, day, shape, phases, run, heat), slow_minutes(key, day, shape, phases, run, heat), rtol=1e-12
    )


def test_days_join_without_a_step():
    """The state that the warm-up leaves at midnight is the one that the day before ended with."""
    shape = np.array([[30.0], [0.3], [0.97], [0.0], [0.0], [0.0]])
    one, zero, phase = np.ones(DAY_MINUTES), np.zeros(DAY_MINUTES), np.zeros(1, np.int64)
    days = np.concatenate([stack_minutes(7, d, shape, phase, one, zero)[0] for d in range(20000, 20030)])
    steps = np.abs(np.diff(days))
    at_midnight = steps[DAY_MINUTES - 1 :: DAY_MINUTES]
    assert at_midnight.mean() < 1.5 * steps.mean()
    assert days.std() > 5 * steps.mean()


def test_noise_is_centred_with_unit_variance():
    draws = np.array([bell(np.uint64(3), 1, i) for i in range(20_000)])
    assert abs(draws.mean()) < 0.03
    assert abs(draws.std() - 1) < 0.03


def test_shapes_that_do_not_fit_are_refused():
    one = np.ones(DAY_MINUTES)
    with pytest.raises(ValueError, match="do not fit"):
        stack_minutes(1, 1, np.ones((6, 2)), np.zeros(3, np.int64), one, one)


def half_up(value: float) -> int:
    return math.floor(value + 0.5)


def slow_record(setup: LoggerSetup, seen: Seen, key: int, day: int, c: int, s: int) -> tuple[list[int], float]:
    """One channel of one interval record, and its unrounded dry mean."""
    minutes = range(s * setup.interval, (s + 1) * setup.interval)
    others = [chr(seen.flags[c, m]) for m in minutes if seen.flags[c, m] != ord("N")]
    flag = others[0] if 2 * len(others) >= len(minutes) else "N"
    used = [m for m in minutes if flag != "N" or seen.flags[c, m] == ord("N")]
    spread = 0.0
    if any(seen.held[c, m] == 0 for m in minutes):
        spread = setup.width[c] * (0.5 + 0.25 * slow_bell(key, c + 64, day * DAY_MINUTES + s * setup.interval) ** 2)
    row = [0] * PLACES
    mean = {}
    for name, table, places in (
        ("v", seen.values, (AVG, MIN, MAX)),
        ("z", seen.converted, (ZS_AVG, ZS_MIN, ZS_MAX)),
        ("d", seen.dry, ()),
    ):
        values = [float(table[c, m]) for m in used]
        mean[name] = sum(values) / len(values)
        if places and (name == "v" or setup.role[c] == logger.CONVERTED):
            low, high = min(values), max(values)
            row[places[0]] = half_up(mean[name] * setup.scale[c])
            row[places[1]] = half_up((low - abs(low) * spread) * setup.scale[c])
            row[places[2]] = half_up((high + abs(high) * spread) * setup.scale[c])
    flow = sum(float(seen.flow_dry[m]) for m in minutes) / setup.interval
    share = setup.interval / 60.0
    if setup.role[c] == logger.FLOW:
        row[COU] = half_up(mean["v"] * setup.per_hour * share * setup.cou_scale[c])
    elif setup.role[c] >= logger.POLLUTANT:
        row[COU] = half_up(mean["d"] * flow * 1e-6 * share * setup.cou_scale[c])
    row[FLAG] = ord(flag)
    return row, mean["d"]


def slow_pool(rows: list[list[int]], weights: list[float], enough: int, converted: bool) -> list[int]:
    """A record made from others: plain or weighted means, outermost bounds, the most frequent flag."""
    good = [i for i, r in enumerate(rows) if r[FLAG] == ord("N")]
    used = good or list(range(len(rows)))
    made = [0] * PLACES
    for avg in (AVG, ZS_AVG) if converted else (AVG,):
        made[avg] = half_up(sum(float(rows[i][avg]) * weights[i] for i in used) / sum(weights[i] for i in used))
        made[avg + 1] = min(rows[i][avg + 1] for i in used)
        made[avg + 2] = max(rows[i][avg + 2] for i in used)
    flags = [r[FLAG] for r in rows if r[FLAG] != ord("N")]
    made[FLAG] = (
        ord("N") if len(good) >= enough or not flags else max(flags, key=lambda f: (flags.count(f), -flags.index(f)))
    )
    return made


def slow_day(setup, seen, key, day, present):
    """Interval rows, hour rows and the day row, as nested lists [row][channel][place], None where a record does not exist."""
    slots, per = DAY_MINUTES // setup.interval, 60 // setup.interval
    channels = range(setup.role.size)
    flow = [
        float(np.sum(seen.flow_dry[s * setup.interval : (s + 1) * setup.interval])) / setup.interval
        for s in range(slots)
    ]
    made = [[slow_record(setup, seen, key, day, c, s) for c in channels] for s in range(slots)]
    records = [[row for row, _ in record] for record in made]
    hours = []
    for h in range(24):
        used = [s for s in range(h * per, h * per + per) if present[s]]
        if not used:
            hours.append(None)
            continue
        hour = []
        for c in channels:
            weights = [1.0 + flow[s] if setup.weighted else 1.0 for s in used]
            row = slow_pool(
                [records[s][c] for s in used], weights, -(-45 // setup.interval), setup.role[c] == logger.CONVERTED
            )
            good = [s for s in used if records[s][c][FLAG] == ord("N")]
            if setup.role[c] == logger.FLOW:
                row[COU] = half_up(row[AVG] / setup.scale[c] * setup.per_hour * setup.cou_scale[c])
            elif setup.role[c] >= logger.POLLUTANT and good:
                dry = sum(made[s][c][1] for s in good) / len(good)
                row[COU] = half_up(dry * (sum(flow[s] for s in good) / len(good)) * 1e-6 * setup.cou_scale[c])
            hour.append(row)
        hours.append(hour)
    there = [h for h in hours if h is not None]
    whole = None
    if there:
        whole = [
            slow_pool([h[c] for h in there], [1.0] * len(there), 20, setup.role[c] == logger.CONVERTED)
            for c in channels
        ]
        for c in channels:
            whole[c][COU] = sum(h[c][COU] for h in there)
    return records, hours, whole


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    interval=st.sampled_from([1, 5, 10, 15, 20, 30, 60]),
    weighted=st.booleans(),
    bad=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    missing=st.sampled_from([0.0, 0.1, 0.9, 1.0]),
)
def test_log_day_equals_the_slow_twin(seed, interval, weighted, bad, missing):
    rng = np.random.default_rng(seed)
    role = np.array([logger.CONVERTED, logger.POLLUTANT, logger.FLOW, logger.PLAIN])
    shape = (role.size, DAY_MINUTES)
    # Quarters: sums are exact, so fast and slow agree whatever the order of summation.
    quarters = [np.round(rng.normal(20, 15, shape) * 4) / 4 for _ in range(3)]
    flags = np.where(rng.random(shape) < bad, rng.choice([ord(c) for c in "CMDT"], shape), ord("N")).astype(np.uint8)
    seen = Seen(
        quarters[0],
        quarters[1],
        quarters[2],
        np.round(rng.random(DAY_MINUTES) * 4e6) / 4,
        (rng.random(shape) < 0.5).astype(np.uint8),
        flags,
    )
    setup = LoggerSetup(
        role,
        np.array([100.0, 1000.0, 10.0, 1.0]),
        np.array([1e4, 1e6, 10.0, 1.0]),
        np.full(4, 0.03),
        3600.0,
        interval,
        weighted,
    )
    present = rng.random(DAY_MINUTES // interval) >= missing
    rows, has = log_day(setup, seen, seed, 20_000, present)
    records, hours, whole = slow_day(setup, seen, seed, 20_000, present)
    slots = len(records)
    assert rows[:slots].reshape(slots, role.size, PLACES).tolist() == records
    assert has.tolist() == [h is not None for h in hours] + [whole is not None]
    for h, hour in enumerate(hours):
        if hour is not None:
            assert rows[slots + h].reshape(role.size, PLACES).tolist() == hour
    if whole is not None:
        assert rows[slots + 24].reshape(role.size, PLACES).tolist() == whole


def test_an_interval_that_does_not_divide_the_hour_is_refused():
    zero = np.zeros((1, DAY_MINUTES))
    seen = Seen(zero, zero, zero, zero[0], zero.astype(np.uint8), zero.astype(np.uint8))
    one = np.ones(1)
    with pytest.raises(ValueError, match="does not divide the hour"):
        log_day(LoggerSetup(np.zeros(1, np.int64), one, one, one, 1.0, 7, False), seen, 1, 1, np.ones(205, np.bool_))
