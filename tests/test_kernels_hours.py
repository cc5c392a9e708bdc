"""The hour kernel: conformance vectors of air-rules 9 by id, edge cases, and comparison with its slow twin."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.hours import POLLUTANT_ORDER, REASONS
from kernels.minutes import CHANNEL_ORDER
from kernels.standard_state import (
    dry_factor,
    dry_standard_flow,
    duct_flow,
    hour_mass,
    mg_m3_from_ppm,
    nox_from_parts,
    nox_from_ppm,
    oxygen_factor,
)
from tests.hour_cases import CONSTANTS, RULES, Place, Sender, Told, hours_from, minute_records, reason_at, tag_at, twin

NOX, PM = POLLUTANT_ORDER.index("nox"), POLLUTANT_ORDER.index("pm")
KILN, DRYER, OTHER = Place(o2_reference=10), Place(o2_reference=8), Place()


def _steady(values: dict[str, float], place: Place, **facts: Any) -> Any:
    return hours_from([Sender(records=minute_records(0, 60, values), **facts)], [place])


@pytest.mark.parametrize(
    ("pollutant", "value", "o2", "place", "expected"),
    [
        pytest.param("nox", 40, 13, KILN, 55.0, id="V01"),
        pytest.param("nox", 45, 10, KILN, 45.0, id="V02"),
        pytest.param("nox", 60, 7.5, KILN, 48.88888888888889, id="V03"),
        pytest.param("nox", 30, 15, DRYER, 65.0, id="V04"),
        pytest.param("nox", 5, 20.95, KILN, 1100.0, id="V06-20.95"),
    ],
)
def test_oxygen_conversion(pollutant: str, value: float, o2: float, place: Place, expected: float) -> None:
    made = _steady({pollutant: value, "o2": o2}, place)
    p = POLLUTANT_ORDER.index(pollutant)
    assert made.converted[0, 0, p] == pytest.approx(expected, rel=1e-6)
    assert made.concentration[0, 0, p] == pytest.approx(value, rel=1e-12)
    assert (made.valid[0, 0, p], made.near_air[0, 0]) == (60, 60 if o2 > 19 else 0)


def test_V05_no_conversion_where_it_does_not_apply() -> None:
    made = _steady({"pm": 9.9, "o2": 20.9}, OTHER)
    assert made.concentration[0, 0, PM] == pytest.approx(9.9, rel=1e-12)
    assert math.isnan(made.converted[0, 0, PM])
    assert (made.valid[0, 0, PM], reason_at(made, 0, 0, "pm")) == (60, "")


def test_V06_no_value_at_the_oxygen_of_air() -> None:
    made = _steady({"pm": 5, "o2": 21.0}, KILN)
    assert math.isnan(made.converted[0, 0, PM])
    assert (made.valid[0, 0, PM], reason_at(made, 0, 0, "pm")) == (0, "o2_near_air")
    assert made.concentration[0, 0, PM] == 5
    assert (made.near_air[0, 0], made.o2[0, 0]) == (60, 21.0)


def test_V07_ppm_to_mg_m3() -> None:
    assert nox_from_ppm(20, 1, 46.005, 22.4) == pytest.approx(43.129688, rel=1e-6)
    assert mg_m3_from_ppm(10, 64.06, 22.4) == pytest.approx(28.598214, rel=1e-6)


def test_V08_nox_from_no_and_no2() -> None:
    assert nox_from_parts(25, 2, CONSTANTS.no_as_no2) == pytest.approx(40.329834, rel=1e-6)
    made = _steady({"no": 25, "no2": 2}, OTHER, nox_as_no2=False)
    assert made.concentration[0, 0, NOX] == pytest.approx(40.329834, rel=1e-6)
    assert math.isnan(made.raw[0, 0, NOX])


def test_V09_wet_to_dry() -> None:
    made = _steady({"nox": 30, "humidity": 8}, OTHER, gas_wet=True)
    assert made.concentration[0, 0, NOX] == pytest.approx(32.608696, rel=1e-6)
    assert made.raw[0, 0, NOX] == pytest.approx(30, rel=1e-12)


def test_V11_flow_and_mass() -> None:
    readings = {"nox": 42, "velocity": 14.2, "temperature": 110, "pressure": -300, "humidity": 7.5}
    made = _steady(readings, Place(area=12.57, coefficient=0.96), pressure_scale=0.001, pressure_offset=88.0)
    assert duct_flow(12.57, 0.96, 14.2) == pytest.approx(616875.264, rel=1e-9)
    assert made.flow[0, 0] == pytest.approx(352035.0799, rel=1e-9)
    assert made.mass[0, 0, NOX] == pytest.approx(14.785473, rel=1e-6)
    assert made.mass[0, 0, NOX] * 24 / 1000 == pytest.approx(0.354851, abs=5e-7)


@pytest.mark.parametrize(
    ("valid", "other", "flag", "tag"),
    [
        pytest.param(45, 15, "M", "N", id="V13-45"),
        pytest.param(44, 16, "M", "M", id="V13-44"),
        pytest.param(30, 30, "F", "X_INSUFFICIENT", id="V15"),
    ],
)
def test_hour_tags(valid: int, other: int, flag: str, tag: str) -> None:
    records = minute_records(0, valid, {"pm": 8}, {"pm": "N"}) + minute_records(valid, other, {"pm": 99}, {"pm": flag})
    made = hours_from([Sender(system=0, records=records)], [OTHER])
    assert tag_at(made, 0, 0, "pm") == tag
    value = made.concentration[0, 0, PM]
    assert value == 8 if valid >= 45 else math.isnan(value)
    assert made.valid[0, 0, PM] == valid
    assert reason_at(made, 0, 0, "pm") == ("" if valid >= 45 else "below_45_valid_minutes")


def test_V14_order_of_averaging() -> None:
    records = minute_records(0, 30, {"nox": 30, "o2": 9}) + minute_records(30, 30, {"nox": 20, "o2": 17})
    made = hours_from([Sender(records=records)], [KILN])
    assert made.converted[0, 0, NOX] == pytest.approx(41.25, rel=1e-12)
    assert made.mean_first[0, 0, NOX] == pytest.approx(34.375, rel=1e-12)
    other = hours_from([Sender(records=records)], [KILN], RULES._replace(minute_first=False))
    assert other.converted[0, 0, NOX] == pytest.approx(34.375, rel=1e-12)


def test_instrument_stop_of_2017_is_no_source_stop() -> None:
    records = minute_records(0, 60, {"pm": 0}, {"pm": "F"})
    made = hours_from([Sender(records=records)], [OTHER])
    declared = hours_from([Sender(records=records)], [OTHER], told=[Told("process", 0, 60, "F")])
    assert [tag_at(m, 0, 0, "pm") for m in (made, declared)] == ["F", "F"]
    assert [bool(m.by_declaration[0, 0, PM]) for m in (made, declared)] == [False, True]
    assert [reason_at(m, 0, 0, "pm") for m in (made, declared)] == ["below_45_valid_minutes", "stopped"]


def test_a_declared_stop_and_an_instrument_off_never_add_up() -> None:
    records = minute_records(0, 30, {"pm": 0}, {"pm": "F"}) + minute_records(30, 30, {"pm": 1}, {"pm": "N"})
    made = hours_from([Sender(records=records)], [OTHER], told=[Told("process", 30, 60, "F")])
    assert tag_at(made, 0, 0, "pm") == "X_INSUFFICIENT"


@pytest.mark.parametrize(
    ("told", "tag", "value", "by_declaration"),
    [
        pytest.param([Told("process", 0, 30, "F")], "X_INSUFFICIENT", False, False, id="V15-declared"),
        pytest.param([Told("process", 0, 15, "F")], "N", True, False, id="R5-45-running"),
        pytest.param([Told("process", 15, 60, "F")], "F", False, True, id="R5-45-stopped"),
        pytest.param([Told("process", 0, 45, "St")], "St", True, True, id="R5-45-start"),
        pytest.param([Told("process", 0, 44, "St")], "N", True, False, id="R5-44-start"),
        pytest.param([Told("pm", 10, 26, "C")], "C", False, True, id="R5-16-calibration"),
        pytest.param([Told("pm", 10, 25, "C")], "N", True, False, id="R5-15-calibration"),
        pytest.param([Told("pm", 10, 18, "C"), Told("pm", 18, 27, "M")], "M", False, True, id="R5-joined-labels"),
        pytest.param([Told("pm", 10, 18, "C"), Told("pm", 18, 26, "M")], "M", False, True, id="R5-joined-tie"),
        pytest.param([Told("pm", 0, 8, "C"), Told("pm", 18, 26, "M")], "X_INSUFFICIENT", False, False, id="R5-apart"),
        pytest.param([Told("o2", 0, 60, "D")], "N", True, False, id="R5-other-channel"),
        pytest.param([Told("all", 0, 20, "OOC")], "OOC", False, True, id="R5-all-channels"),
    ],
)
def test_declared_minutes_make_tags(told: list[Told], tag: str, value: bool, by_declaration: bool) -> None:
    made = hours_from([Sender(records=minute_records(0, 60, {"pm": 8, "o2": 10}))], [OTHER], told=told)
    assert (tag_at(made, 0, 0, "pm"), bool(made.by_declaration[0, 0, PM])) == (tag, by_declaration)
    assert math.isnan(made.concentration[0, 0, PM]) is not value
    assert made.minutes[0, 0, PM] == 60


def test_a_mark_on_oxygen_takes_the_converted_value_alone() -> None:
    records = minute_records(0, 60, {"pm": 8, "o2": 10, "flow": 1e5})
    made = hours_from([Sender(records=records)], [KILN], told=[Told("o2", 0, 60, "D")])
    assert math.isnan(made.converted[0, 0, PM]), reason_at(made, 0, 0, "pm")
    assert (made.concentration[0, 0, PM], made.mass[0, 0, PM]) == (8, pytest.approx(0.8))
    flow = hours_from([Sender(records=records)], [KILN], told=[Told("flow", 0, 60, "M")])
    assert (math.isnan(flow.mass[0, 0, PM]), flow.converted[0, 0, PM]) == (True, 8)


@pytest.mark.parametrize(
    ("flags", "told", "tag", "by_declaration"),
    [
        pytest.param({}, [Told("no2", 0, 60, "M")], "M", True, id="marked-part"),
        pytest.param({"no": "D", "no2": "C"}, [], "D", False, id="both-flagged"),
        pytest.param({"no": "C", "no2": "D"}, [], "D", False, id="graver-flag"),
    ],
)
def test_nitrogen_oxides_bear_what_is_wrong_with_their_parts(
    flags: dict[str, str], told: list[Told], tag: str, by_declaration: bool
) -> None:
    records = minute_records(0, 60, {"no": 20, "no2": 2}, flags)
    made = hours_from([Sender(records=records, nox_as_no2=False)], [OTHER], told=told)
    assert (tag_at(made, 0, 0, "nox"), bool(made.by_declaration[0, 0, NOX])) == (tag, by_declaration)
    assert reason_at(made, 0, 0, "nox") == "below_45_valid_minutes"


def test_declarations_upon_declarations_record_nothing() -> None:
    told = [Told("all", 0, 60, "C"), Told("all", 0, 60, "D"), Told("process", 0, 60, "F")]
    made = hours_from([Sender(records=minute_records(0, 60, {"pm": 8}))], [OTHER], told=told)
    assert (made.minutes[0, 0, PM], made.minutes[0, 0, NOX]) == (60, 0)


def test_a_stop_is_known_without_any_record() -> None:
    made = hours_from([], [OTHER], told=[Told("process", 0, 1440, "F")])
    assert {tag_at(made, 0, h, "so2") for h in range(24)} == {"F"}
    assert {reason_at(made, 0, h, "so2") for h in range(24)} == {"stopped"}
    assert not made.minutes.any()


def test_flag_b_and_absent_values_are_missing_data() -> None:
    for records in (
        minute_records(0, 60, {"pm": 3}, {"pm": "B"}),
        minute_records(0, 60, {"pm": math.nan, "so2": 1}, {"pm": "N"}),
        minute_records(0, 44, {"pm": 3}),
    ):
        made = hours_from([Sender(records=records)], [OTHER])
        assert tag_at(made, 0, 0, "pm") == "Md"
        assert math.isnan(made.concentration[0, 0, PM])


def test_no_flag_is_what_the_device_says() -> None:
    records = minute_records(0, 60, {"pm": 3})
    assert hours_from([Sender(records=records)], [OTHER]).concentration[0, 0, PM] == 3
    made = hours_from([Sender(records=records, unmarked_valid=False)], [OTHER])
    assert math.isnan(made.concentration[0, 0, PM])
    assert (tag_at(made, 0, 0, "pm"), made.minutes[0, 0, PM]) == ("X_INSUFFICIENT", 60)


def test_nothing_sent_gives_a_complete_day_without_figures() -> None:
    made = hours_from([Sender(outlet=1, records=minute_records(0, 60, {"pm": 1}))], [KILN, KILN])
    assert np.isnan(made.concentration[0]).all()
    assert {tag_at(made, 0, h, p) for h in range(24) for p in POLLUTANT_ORDER} == {"Md"}
    assert {reason_at(made, 0, h, p) for h in range(24) for p in POLLUTANT_ORDER} == {"no_data"}
    assert tag_at(made, 1, 5, "pm") == "Md"


def test_end_labels_shift_by_one_interval_across_midnight() -> None:
    records = [(t, {"pm": float(t)}, {}) for t in range(0, 1441, 10)]
    end = hours_from([Sender(interval=10, end=True, records=records)], [OTHER])
    start = hours_from([Sender(interval=10, records=records)], [OTHER])
    assert end.concentration[0, 0, PM] == np.mean([10, 20, 30, 40, 50, 60])
    assert end.concentration[0, 23, PM] == np.mean([1390, 1400, 1410, 1420, 1430, 1440])
    assert start.concentration[0, 0, PM] == np.mean([0, 10, 20, 30, 40, 50])
    assert start.concentration[0, 23, PM] == np.mean([1380, 1390, 1400, 1410, 1420, 1430])


def test_latest_record_of_an_interval_wins_value_by_value() -> None:
    first = minute_records(0, 60, {"pm": 1, "so2": 5})
    later = [(t + 0.5, {"pm": 2}, {}) for t, _, _ in first]
    made = hours_from([Sender(records=[*first, *later])], [OTHER])
    assert made.concentration[0, 0, PM] == 2
    assert made.concentration[0, 0, POLLUTANT_ORDER.index("so2")] == 5
    assert made.repeats[0] == 60


def test_negative_readings_stay() -> None:
    records = minute_records(0, 30, {"so2": -1}) + minute_records(30, 30, {"so2": 3})
    made = hours_from([Sender(records=records)], [OTHER])
    assert made.concentration[0, 0, POLLUTANT_ORDER.index("so2")] == 1


def test_each_parameter_is_valid_on_its_own() -> None:
    records = minute_records(0, 60, {"pm": 4, "o2": 11, "flow": 1e5}, {"o2": "D"})
    made = hours_from([Sender(records=records)], [KILN])
    assert (made.concentration[0, 0, PM], tag_at(made, 0, 0, "pm")) == (4, "N")
    assert math.isnan(made.converted[0, 0, PM])
    assert reason_at(made, 0, 0, "pm") == "o2_invalid"
    assert made.mass[0, 0, PM] == pytest.approx(0.4, rel=1e-12)


def test_reasons_of_moisture_and_nox_basis() -> None:
    wet = hours_from([Sender(gas_wet=True, records=minute_records(0, 60, {"pm": 4}))], [OTHER])
    assert reason_at(wet, 0, 0, "pm") == "no_moisture"
    part = hours_from([Sender(records=minute_records(0, 60, {"no": 4, "no2": 1}))], [OTHER])
    assert (reason_at(part, 0, 0, "nox"), part.minutes[0, 0, NOX]) == ("no_nox_basis", 60)


def test_formulas_have_no_meaning_outside_their_range() -> None:
    assert math.isnan(dry_factor(100.0))
    assert math.isnan(oxygen_factor(21.0, 10, 21.0, 99.0))
    assert math.isnan(oxygen_factor(20.0, 10, 21.0, 20.0))
    assert math.isnan(dry_standard_flow(1.0, -273.0, 90.0, 5.0, 273.0, 101.325))
    assert math.isnan(dry_standard_flow(1.0, 20.0, 0.0, 5.0, 273.0, 101.325))
    assert hour_mass(10.0, 1e5) == pytest.approx(1.0)


def test_arrays_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match=r"1\.\.60"):
        hours_from([Sender(interval=0, records=minute_records(0, 1, {"pm": 1}))], [OTHER])


_FLAG_LETTERS = ["N", "F", "D", "P", "M", "C", "T", "B", "S", "x"]
_SCALES = {"o2": 21.1, "humidity": 30.0, "pressure": 100.0, "temperature": 150.0, "flow": 3e5, "velocity": 20.0}


@st.composite
def _day(draw: st.DrawFn) -> tuple[list[Sender], list[Place]]:
    """One or two outlets, one or two devices each, records around one stretch of the day, many of them broken."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    places = [
        Place(*(draw(st.sampled_from([math.nan, x])) for x in (10.0, 12.5, 0.9)))
        for _ in range(draw(st.integers(1, 2)))
    ]
    channels = draw(st.lists(st.sampled_from(CHANNEL_ORDER), min_size=5, max_size=16, unique=True))
    first = draw(st.sampled_from([-75, 0, 600, 1315]))
    clean = draw(st.booleans())
    senders = [
        _sender(draw, rng, outlet, channels, first, clean)
        for outlet in range(len(places))
        for _ in range(draw(st.integers(1, 2)))
    ]
    return senders, places


@st.composite
def _declared(draw: st.DrawFn) -> list[Told]:
    """A few stretches around the records, marks before states; states do not overlap."""
    made = []
    for _ in range(draw(st.integers(0, 4))):
        lo = draw(st.integers(0, 800))
        channel = draw(st.sampled_from(["all", *CHANNEL_ORDER]))
        made.append(
            Told(channel, lo, lo + draw(st.integers(1, 90)), draw(st.sampled_from(["C", "M", "D", "T", "OOC"])))
        )
    edges = sorted(set(draw(st.lists(st.integers(0, 800), max_size=4))))
    for lo, hi in itertools.pairwise(edges):
        made.append(Told("process", lo, hi, draw(st.sampled_from(["F", "St", "Sd", "B"]))))
    return made


def _sender(draw: st.DrawFn, rng: Any, outlet: int, channels: list[str], first: int, clean: bool) -> Sender:
    interval = draw(st.sampled_from([1, 5, 10, 30]))
    gap, broken = (0.0, 0.01) if clean else (draw(st.sampled_from([0.0, 0.02, 0.3])), 0.1)
    marked = draw(st.sampled_from([0.0, 0.1] if clean else [0.1, 0.5, 1.0]))
    letters = ["N", *rng.choice(_FLAG_LETTERS, 1 if clean else 2).tolist()]
    seconds = draw(st.sampled_from([0.0, 0.45]))
    bits = [draw(st.booleans()) for _ in range(5)]
    records: list[Any] = []
    for slot in range(first // interval * interval, first + 200, interval):
        for repeat in range(1 + (rng.random() < 0.05)):
            if rng.random() >= gap:
                values = {c: _value(rng, c, broken) for c in channels if rng.random() > 0.01}
                flags = {c: str(rng.choice(letters)) for c in channels if rng.random() < marked}
                records.append((slot + seconds + repeat / 4, values, flags))
    return Sender(
        outlet, interval, bits[0], int(rng.integers(2)), clean or draw(st.booleans()), *bits[1:4],
        *((3600.0, 0.001) if bits[4] else (1.0, 1.0)), 88.0 if bits[4] else 0.0, records,
    )  # fmt: skip


def _value(rng: np.random.Generator, channel: str, broken: float) -> float:
    if rng.random() < broken:
        return float(rng.choice([math.nan, math.inf, -3.0, 0.0, 21.0, 100.0]))
    return float(rng.uniform(0.6, 1.0)) * _SCALES.get(channel, 50.0)


@settings(max_examples=120, deadline=None)
@given(day=_day(), told=_declared(), minute_first=st.booleans(), workers=st.integers(1, 2))
def test_agrees_with_its_slow_twin(
    day: tuple[list[Sender], list[Place]], told: list[Told], *, minute_first: bool, workers: int
) -> None:
    senders, places = day
    rules = RULES._replace(minute_first=minute_first)
    made = hours_from(senders, places, rules, workers, told)
    expected = twin(senders, places, rules, told)
    for outlet in range(len(places)):
        for hour in range(24):
            if (outlet, hour) not in expected:
                assert made.covered[outlet, hour] == 0
                assert not made.minutes[outlet, hour].any()
                continue
            figures = expected[outlet, hour]
            for name in ("o2", "flow", "pressure", "near_air", "covered"):
                _close(getattr(made, name)[outlet, hour], figures[name], name)
            for p, pollutant in enumerate(POLLUTANT_ORDER):
                own = figures[pollutant]
                for name in ("concentration", "converted", "mean_first", "raw", "mass", "valid", "minutes"):
                    _close(getattr(made, name)[outlet, hour, p], own[name], f"{pollutant} {name}")
                assert tag_at(made, outlet, hour, pollutant) == own["tag"]
                assert REASONS[made.reason[outlet, hour, p]] == own["reason"]
                assert made.by_declaration[outlet, hour, p] == own["by_declaration"]


def _close(ours: float, theirs: float, what: str) -> None:
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9, nan_ok=True), what
