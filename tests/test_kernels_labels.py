"""The label kernel: known loggers, and comparison with a slow twin over gaps, flags, seconds and intervals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.labels import END, START, UNDECIDED, Evidence, Tolerance, decide_labels, label_evidence
from tests.hour_cases import FLAGS, Sender, classes, rows_of

TOLERANCE = Tolerance(0.005, 0.02, 0.1)
CHANNELS = ["nox", "o2", "flow"]


def _logger(interval: int, *, end: bool, seed: int = 7, spread: float = 0.3) -> tuple[list[Any], list[Any]]:
    """Minute and hour records of a logger that averages its own minutes, values never the same twice."""
    rng = np.random.default_rng(seed)
    shift = interval if end else 0
    readings = {t: 50 * (1 + spread * rng.standard_normal()) for t in range(0, 1440, interval)}
    minutes = [(t + shift, {"nox": v}, {}) for t, v in readings.items()]
    hours = []
    for h in range(24):
        own = [readings[t] for t in range(h * 60, h * 60 + 60, interval)]
        hours.append((h * 60 + (60 if end else 0), {"nox": float(np.mean(own))}, {}))
    return minutes, hours


def _evidence(minutes: list[Any], hours: list[Any], interval: int, tolerance: Tolerance = TOLERANCE) -> list[int]:
    made = label_evidence(
        rows_of([Sender(interval=interval, records=minutes)], 1),
        rows_of([Sender(interval=interval, records=hours)], 1),
        classes(),
        tolerance,
    )
    return [int(counts[0]) for counts in made]


@pytest.mark.parametrize("interval", [1, 5, 10, 30])
@pytest.mark.parametrize("end", [False, True])
def test_a_logger_is_found_by_its_own_hours(interval: int, *, end: bool) -> None:
    # 1-minute means hardly differ when shifted by one minute: what tells the labels apart is rare and must be enough.
    minutes, hours = _logger(interval, end=end, spread=3.0 if interval == 1 else 0.3)
    decidable, fits_start, fits_end = _evidence(minutes, hours, interval)
    assert decidable >= 12
    assert (fits_start, fits_end) == ((0, decidable) if end else (decidable, 0))


def test_hourly_records_cannot_tell() -> None:
    assert _evidence(*_logger(60, end=True), 60) == [0, 0, 0]


def test_an_idle_stack_cannot_tell() -> None:
    minutes = [(t, {"nox": 0.0, "o2": 21.0, "temperature": 28.4 + 0.01 * (t % 7)}, {}) for t in range(0, 1440, 10)]
    hours = [(h * 60, {"nox": 0.0, "o2": 21.0, "temperature": 28.45}, {}) for h in range(24)]
    assert _evidence(minutes, hours, 10) == [0, 0, 0]


def test_a_logger_that_weights_its_minutes_fits_neither() -> None:
    minutes, hours = _logger(10, end=True)
    decidable, fits_start, fits_end = _evidence(minutes, [(t, {"nox": v["nox"] * 1.1}, f) for t, v, f in hours], 10)
    assert decidable > 12
    assert fits_start + fits_end < 0.3 * decidable


def test_a_missing_or_invalid_minute_takes_the_hour_out() -> None:
    minutes, hours = _logger(10, end=False)
    whole = _evidence(minutes, hours, 10)[0]
    without = [m for m in minutes if m[0] != 610]
    marked = [(t, v, {"nox": "D"} if t == 610 else {}) for t, v, _ in minutes]
    # 10:10 is needed for the hour 10:00 under start labels and for the hours 10:00 and 11:00 under end labels.
    for broken in (without, marked):
        left = _evidence(broken, hours, 10)
        assert whole - 2 <= left[0] < whole


def test_tables_must_list_the_same_devices() -> None:
    with pytest.raises(ValueError, match="devices"):
        label_evidence(rows_of([], 1), rows_of([], 2), classes(), TOLERANCE)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((94, 0, 88), END),
        ((94, 90, 0), START),
        ((11, 0, 11), UNDECIDED),
        ((12, 0, 12), END),
        ((100, 0, 79), UNDECIDED),
        ((100, 0, 80), END),
        ((100, 50, 50), UNDECIDED),
        ((0, 0, 0), UNDECIDED),
    ],
)
def test_decision(counts: tuple[int, int, int], expected: int) -> None:
    evidence = Evidence(*(np.array([c], np.int32) for c in counts))
    assert decide_labels(evidence, 12, 0.8).tolist() == [expected]


def _twin(minutes: list[Any], hours: list[Any], interval: int) -> list[int]:
    flags = {flag for flag, tag in FLAGS[1].items() if tag == "N"} | {""}
    counts = [0, 0, 0]
    for channel in CHANNELS:
        told = sorted((t, v.get(channel, math.nan), f.get(channel, "")) for t, v, f in minutes)
        by_label = {math.floor(t) // interval * interval: v if f in flags else math.nan for t, v, f in told}
        for t, values, _ in hours:
            hour, own = math.floor(t / 60), values.get(channel, math.nan)
            labels = [hour * 60 + i for i in range(0, 60, interval)]
            start = np.mean([by_label.get(label, math.nan) for label in labels])
            end = np.mean([by_label.get(label - 60 + interval, math.nan) for label in labels])
            if not 1 <= hour <= 23 or math.isnan(start + end + own):
                continue
            if abs(start - end) > max(0.1, 0.02 * max(abs(start), abs(end))):
                counts[0] += 1
                counts[1] += abs(own - start) <= max(0.005 * abs(start), 0.05)
                counts[2] += abs(own - end) <= max(0.005 * abs(end), 0.05)
    return counts


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32), st.sampled_from([1, 5, 10, 30, 60]), st.booleans(), st.floats(0, 0.1), st.sampled_from([0.0, 0.4])
)  # fmt: skip
def test_agrees_with_its_slow_twin(seed: int, interval: int, end: bool, gap: float, seconds: float) -> None:
    rng = np.random.default_rng(seed)
    minutes, hours = _logger(interval, end=end, seed=seed % 1000, spread=1.0)
    minutes = [
        (t + seconds, {c: v["nox"] * (i + 1) for i, c in enumerate(CHANNELS) if rng.random() > gap},
         {"o2": str(rng.choice(["N", "D", "x"]))} if rng.random() < gap else {})
        for t, v, _ in minutes if rng.random() > gap
    ]  # fmt: skip
    hours = [(t + seconds, {c: v["nox"] * (i + 1) for i, c in enumerate(CHANNELS)}, {}) for t, v, _ in hours]
    assert _evidence(minutes, hours, interval) == _twin(minutes, hours, interval)
