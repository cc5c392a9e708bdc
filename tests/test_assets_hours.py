"""Hours, labels and signals as tables: the real station days, day borders, the grid, units, every signal."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from assets.hours import make_hours
from assets.labels import make_labels
from assets.signal_writer import episodes
from contracts import TABLES
from contracts.channels import POLLUTANTS
from resources.events import DeviceMark, EventBook, ProcessState
from resources.signals import load_signals
from tests.hour_bench import (
    BOOK,
    DAY,
    PLAIN,
    STATION_DAYS,
    FakeBench,
    at,
    make,
    raw_tables,
    registry,
    row,
    station_registry,
    station_rows,
)
from tests.registry_home import OUTLET, PLANT

STATION_DAY = "2016-08-24"
needs_stations = pytest.mark.skipif(not STATION_DAYS.exists(), reason="the real station days are not at hand")


def _steady(minutes: range = range(1440), **cells: Any) -> list[dict[str, Any]]:
    return [row(at(m), **cells) for m in minutes]


def _hour(hours: pl.DataFrame, pollutant: str, hour: int = 0, outlet: str = "O1") -> dict[str, Any]:
    found = hours.filter(
        (pl.col("outlet_id") == outlet) & (pl.col("pollutant") == pollutant) & (pl.col("hour").dt.hour() == hour)
    )
    return found.row(0, named=True)


def _signals(signals: pl.DataFrame, signal_id: str) -> list[dict[str, Any]]:
    return [r for r in signals.to_dicts() if r["signal_id"] == signal_id]


# ---- the real station days ---------------------------------------------------------------------------------------


@needs_stations
def test_station_1_agrees_with_its_own_logger() -> None:
    rows = station_rows(1)
    facts = station_registry(1, rows[0]["mn"], pressure_unit="Pa", flow_unit="m3/s")
    hours, signals = make(rows, facts, STATION_DAY)
    assert hours["label"].drop_nulls().unique().to_list() == ["end"]
    both = hours.filter(pl.col("judged_mg_m3").is_not_null() & pl.col("reported_mg_m3").is_not_null())
    # 19 hours have all six minutes; the logger averages seconds, we its 10-minute means.
    assert both.height == 57
    agree = {
        "concentration_mg_m3": ("reported_avg_mg_m3", 49),
        "converted_mg_m3": ("reported_mg_m3", 50),
        "mass_kg": ("reported_mass_kg", 40),
    }
    for ours, (theirs, pairs) in agree.items():
        apart = (both[ours] - both[theirs]).abs() / both[theirs]
        assert (apart <= 0.005).sum() == pairs, ours
        assert apart.max() <= 0.026, ours
        assert (apart <= 0.01).sum() >= 45, ours
    assert len(_signals(signals, "A11_mean_differs")) == 2
    assert not _signals(signals, "A09_converted_differs")
    assert not _signals(signals, "L01_label_undecided")


@needs_stations
def test_station_1_label_is_found_and_shown_when_the_registry_says_otherwise() -> None:
    rows = station_rows(1)
    wrong = station_registry(1, rows[0]["mn"], pressure_unit="Pa", flow_unit="m3/s", label="start")
    hours, signals = make(rows, wrong, STATION_DAY)
    assert hours["label"].drop_nulls().unique().to_list() == ["start"]
    (signal,) = _signals(signals, "L02_label_contradicts")
    assert signal["severity"] == "serious"
    assert signal["value"] > 90


@needs_stations
def test_station_3_stands_idle_and_decides_nothing() -> None:
    rows = station_rows(3)
    hours, signals = make(rows, station_registry(3, rows[0]["mn"], pressure_basis="gauge"), STATION_DAY)
    assert hours["label"].drop_nulls().unique().to_list() == ["start"]
    (signal,) = _signals(signals, "L01_label_undecided")
    assert signal["value"] == 0
    assert "start" in signal["text_en"]
    assert len(_signals(signals, "A07_o2_near_air")) >= 1
    nox = hours.filter(pl.col("pollutant") == "nox")
    assert nox["judged_mg_m3"].null_count() == 24
    assert nox["null_reason"].to_list().count("o2_near_air") == 21


# ---- labels over days --------------------------------------------------------------------------------------------


def _end_labelled_day(day: str, seed: int = 1) -> list[dict[str, Any]]:
    """A 10-minute logger under end labels, with its own hours; values follow a saw tooth that tells the labels apart."""
    readings = {m: 40.0 + (m // 10 * (7 + seed)) % 31 for m in range(0, 1440, 10)}
    rows = [row(at(m + 10, day), nox_avg=v, o2_avg=10.0) for m, v in readings.items()]
    for h in range(24):
        mean = sum(readings[h * 60 + i] for i in range(0, 60, 10)) / 6
        rows.append(row(at(h * 60 + 60, day), cn=2061, nox_avg=mean, nox_zs_avg=mean, nox_cou=1.0))
    return rows


def test_auto_remembers_six_days_and_forgets_what_came_before_the_device_row() -> None:
    evidence = "2026-05-01"
    bench = FakeBench(
        registry(devices=[PLAIN | {"label": "auto", "interval_min": "10"}]), raw_tables(_end_labelled_day(evidence))
    )
    labels = make_labels(bench, evidence)["cems_labels"]  # type: ignore[arg-type]
    assert labels.column("fits_end").to_pylist()[0] >= 12
    used = {}
    for since, day in (("2016-01-01", "2026-05-07"), ("2016-01-01", "2026-05-08"), ("2026-05-02", "2026-05-07")):
        facts = registry(devices=[PLAIN | {"label": "auto", "interval_min": "10", "valid_from": since}])
        rows = [row(at(m, day), nox_avg=1.0) for m in range(10, 1440, 10)]
        hours, signals = make(rows, facts, day, {("cems_labels", evidence): labels})
        used[since, day] = hours["label"].drop_nulls().unique().to_list(), len(_signals(signals, "L01_label_undecided"))
    assert list(used.values()) == [(["end"], 0), (["start"], 1), (["start"], 1)]


def test_end_labels_carry_midnight_into_the_day_before() -> None:
    facts = registry(devices=[PLAIN | {"label": "end", "interval_min": "10"}])
    rows = _end_labelled_day(DAY)
    hours, _ = make(rows, facts)
    assert hours.filter(pl.col("pollutant") == "nox")["valid_minutes"].to_list() == [60] * 24
    last = _hour(hours, "nox", 23)
    assert last["reported_avg_mg_m3"] == pytest.approx(last["concentration_mg_m3"], rel=1e-12)
    assert _hour(hours, "nox")["label"] == "end"
    # The record labelled 00:00 of this day is not this day's, and does not make the day before out of nothing else.
    before = str((at(0) - timedelta(days=1)).date())
    midnight = [row(at(0), nox_avg=999.0)]
    again, _ = make(rows + midnight, facts)
    assert again.equals(hours)
    yesterday, _ = make(midnight, facts, before)
    assert _hour(yesterday, "nox", 23)["minutes"] == 10


def test_start_labels_leave_midnight_where_it_is() -> None:
    rows = [row(at(0), nox_avg=1.0)]
    before = str((at(0) - timedelta(days=1)).date())
    assert make(rows, day=before) is None
    hours, _ = make(rows)
    assert _hour(hours, "nox")["minutes"] == 1


def test_nothing_makes_nothing() -> None:
    assert make_hours(FakeBench(registry(), {}), DAY) == {}  # type: ignore[arg-type]
    assert make_labels(FakeBench(registry(), {}), DAY) == {}  # type: ignore[arg-type]


# ---- the grid ----------------------------------------------------------------------------------------------------


def test_the_grid_is_complete_and_holds_its_contract() -> None:
    outlets = [OUTLET, OUTLET | {"outlet_id": "A0", "point_type": "cooler", "reductant": "none"}]
    permits = [{"outlet_id": "A0", "pollutant": "so2", "limit_mg_m3": "1", "standard": "X", "valid_from": "2020-01-01"}]
    rows = _steady(range(0, 1440, 7), nox_avg=40.0, hcl_avg=2.0, o2_avg=9.0)
    hours, signals = make(rows, registry(outlets=outlets, permits=permits))
    assert TABLES["cems_hourly"].violations(hours) == []
    assert TABLES["cems_signals"].violations(signals) == []
    assert hours.equals(hours.sort("outlet_id", "pollutant", "hour"))
    per = hours.group_by("outlet_id", "pollutant").len()
    assert set(per["len"]) == {24}
    kiln = set(per.filter(pl.col("outlet_id") == "O1")["pollutant"])
    limited = {p for p in POLLUTANTS if any(_limit(kind, p) for kind in ("ule", "mandatory"))}
    assert kiln == {"pm", "so2", "nox", "hcl"}
    assert limited - kiln == {"nh3", "hf", "hg"}, "limited, but sampled by hand: no hours of nothing"
    assert set(per.filter(pl.col("outlet_id") == "A0")["pollutant"]) == {"pm", "so2"}
    assert set(hours.filter(pl.col("outlet_id") == "A0")["null_reason"]) == {"no_data"}
    assert [s["outlet_id"] for s in _signals(signals, "R01_no_device")] == ["A0"]


def _limit(kind: Any, pollutant: str) -> Any:
    return BOOK.limit(
        kind, point_type="kiln_tail", pollutant=pollutant, day=at(0).date(), region_class="general", reductant="ammonia", permits=[]
    )  # fmt: skip


@pytest.mark.parametrize("reference", ["", "10"])
def test_V05_a_cooler_is_judged_by_what_was_measured(reference: str) -> None:
    cooler = OUTLET | {"point_type": "cooler", "o2_reference_pct": reference}
    hours, signals = make(_steady(pm_avg=9.9, o2_avg=20.9), registry(outlets=[cooler]))
    hour = _hour(hours, "pm")
    assert (hour["judged_mg_m3"], hour["converted_mg_m3"], hour["o2_reference_pct"]) == (pytest.approx(9.9), None, None)
    assert not _signals(signals, "A07_o2_near_air")


def test_V06_near_air_is_signalled_and_never_edited() -> None:
    hours, signals = make(
        [*_steady(range(720), pm_avg=5, o2_avg=20.95), *_steady(range(720, 1440), pm_avg=5, o2_avg=21.0)]
    )
    assert _hour(hours, "pm")["judged_mg_m3"] == pytest.approx(1100.0, rel=1e-6)
    assert (_hour(hours, "pm", 13)["judged_mg_m3"], _hour(hours, "pm", 13)["null_reason"]) == (None, "o2_near_air")
    (signal,) = _signals(signals, "A07_o2_near_air")
    assert (signal["start"], signal["end"], signal["value"]) == (at(0), at(1440), 21.0)


@pytest.mark.parametrize(
    ("version", "tag"),
    [pytest.param(0, "X_INSUFFICIENT", id="V15-2005"), pytest.param(1, "X_INSUFFICIENT", id="V15-2017")],
)
def test_flags_mean_what_their_protocol_says(version: int, tag: str) -> None:
    rows = [row(at(m), version=version, nox_avg=9.0, nox_flag="F" if m % 60 < 30 else "N") for m in range(1440)]
    hour = _hour(make(rows)[0], "nox")
    assert (hour["hour_tag"], hour["judged_mg_m3"], hour["flag_system"]) == (tag, None, "hj212")


@pytest.mark.parametrize(
    ("valid", "tag", "value"), [pytest.param(45, "N", 8.0, id="V13-45"), pytest.param(44, "M", None, id="V13-44")]
)
def test_forty_five_valid_minutes(valid: int, tag: str, value: float | None) -> None:
    rows = [
        row(at(m), pm_avg=8.0 if m % 60 < valid else 99.0, pm_flag="N" if m % 60 < valid else "M") for m in range(1440)
    ]
    hour = _hour(make(rows)[0], "pm")
    assert (hour["hour_tag"], hour["concentration_mg_m3"], hour["valid_minutes"]) == (tag, value, 0)
    cooler = registry(outlets=[OUTLET | {"point_type": "cooler"}])
    assert _hour(make(rows, cooler)[0], "pm")["valid_minutes"] == valid


@pytest.mark.parametrize(("meant", "minutes"), [("valid", 60), ("invalid", 0)])
def test_readings_without_a_flag_are_what_the_device_row_says(meant: str, minutes: int) -> None:
    facts = registry(outlets=[OUTLET | {"point_type": "cooler"}], devices=[PLAIN | {"missing_flag": meant}])
    hour = _hour(make(_steady(pm_avg=8.0), facts)[0], "pm")
    assert (hour["valid_minutes"], hour["minutes"]) == (minutes, 60)


def test_units_and_bases_come_from_the_device_row() -> None:
    device = {
        "gas_basis": "wet",
        "flow_basis": "wet_actual",
        "pressure_unit": "Pa",
        "pressure_basis": "gauge",
        "flow_unit": "m3/s",
    }
    facts = registry(plants=[PLANT | {"ambient_pressure_kpa": "88"}], devices=[PLAIN | device])
    cells = {
        "nox_avg": 30,
        "o2_avg": 9.2,
        "humidity_avg": 8,
        "temperature_avg": 110,
        "pressure_avg": -300,
        "flow_avg": 100,
    }
    hour = _hour(make(_steady(**cells), facts)[0], "nox")
    assert hour["concentration_mg_m3"] == pytest.approx(32.608696, rel=1e-6)
    assert hour["o2_pct"] == pytest.approx(10.0)
    assert hour["converted_mg_m3"] == pytest.approx(32.608696, rel=1e-6)
    flow = 360000 * 273 / 383 * 87.7 / 101.325 * 0.92
    assert hour["flow_m3_h"] == pytest.approx(flow)
    assert hour["mass_kg"] == pytest.approx(32.60869565 * flow * 1e-6)


def test_two_loggers_of_one_outlet_complete_each_other() -> None:
    facts = registry(devices=[PLAIN, PLAIN | {"mn": "M2", "interval_min": "10"}])
    rows = _steady(pm_avg=5.0) + [row(at(m), mn="M2", o2_avg=13.0, nox_avg=40.0) for m in range(0, 1440, 10)]
    hours, signals = make(rows, facts)
    assert _hour(hours, "nox")["judged_mg_m3"] == pytest.approx(55.0)
    assert _hour(hours, "pm")["judged_mg_m3"] == pytest.approx(5 * 11 / 8)
    assert not _signals(signals, "A21_repeated_slot")


def test_figures_do_not_depend_on_how_the_rows_are_stored() -> None:
    rows = [row(at(m), nox_avg=m % 50, o2_avg=9.0, nox_flag="N" if m % 9 else "D") for m in range(0, 1440, 3)]
    tables = raw_tables(rows)
    table = tables["cems_minute", DAY]
    plain = pa.table({name: _undictionaried(table.column(name)) for name in table.column_names})
    chunked = pa.concat_tables([plain.slice(0, 100), plain.slice(100)])
    stored = [make_hours(FakeBench(registry(), {("cems_minute", DAY): t}), DAY) for t in (table, plain, chunked)]  # type: ignore[arg-type]
    for name in ("cems_hourly", "cems_signals"):
        assert stored[0][name].equals(stored[1][name])
        assert stored[0][name].equals(stored[2][name])


def _undictionaried(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def test_what_a_logger_reports_never_changes_our_figures() -> None:
    rows = _steady(nox_avg=40.0, o2_avg=10.0)
    reported = [row(at(h * 60), cn=2061, nox_avg=1.0, nox_zs_avg=2.0, nox_cou=3.0) for h in range(24)]
    alone, beside = make(rows)[0], make(rows + reported)[0]
    told = ["reported_mg_m3", "reported_avg_mg_m3", "reported_mass_kg"]
    assert alone.drop(told).equals(beside.drop(told))
    assert [_hour(beside, "nox")[name] for name in told] == [2.0, 1.0, 3.0]
    cooler = registry(outlets=[OUTLET | {"point_type": "cooler"}])
    assert _hour(make(rows + reported, cooler)[0], "nox")["reported_mg_m3"] == 1.0


def test_the_latest_of_two_reports_counts_value_by_value() -> None:
    reported = [
        row(at(0), cn=2061, nox_avg=1.0, nox_cou=5.0),
        row(at(0.5), cn=2061, nox_avg=2.0),
        row(at(0.2), mn="M2", cn=2061, nox_avg=3.0),
    ]
    facts = registry(devices=[PLAIN, PLAIN | {"mn": "M2"}])
    hour = _hour(make([*_steady(nox_avg=1.0), *reported], facts)[0], "nox")
    assert (hour["reported_avg_mg_m3"], hour["reported_mass_kg"]) == (2.0, 5.0)


# ---- signals -----------------------------------------------------------------------------------------------------


def _but_equal_readings(signals: pl.DataFrame) -> pl.DataFrame:
    """Without A02, which steady rows call for."""
    return signals.filter(pl.col("signal_id") != "A02_equal_readings")


def _reported(**changed: float) -> list[dict[str, Any]]:
    told = {"nox_avg": 40.0, "nox_zs_avg": 40.0, "nox_cou": 4.0}
    day = [row(at(h * 60), cn=2061, **told | (changed if h in (3, 4, 9) else {})) for h in range(24)]
    return _steady(nox_avg=40.0, o2_avg=10.0, flow_avg=1e5) + day


@pytest.mark.parametrize(
    ("signal_id", "name", "wrong", "tolerated"),
    [
        ("A09_converted_differs", "nox_zs_avg", 40.9, 40.7),
        ("A11_mean_differs", "nox_avg", 40.5, 40.3),
        ("A12_mass_differs", "nox_cou", 4.1, 4.07),
    ],
)
def test_a_reported_figure_that_differs(signal_id: str, name: str, wrong: float, tolerated: float) -> None:
    found = _but_equal_readings(make(_reported(**{name: wrong}))[1])
    assert found["signal_id"].to_list() == [signal_id, signal_id]
    first, second = _signals(found, signal_id)
    assert [(s["start"].hour, s["end"].hour, s["pollutant"]) for s in (first, second)] == [
        (3, 5, "nox"),
        (9, 10, "nox"),
    ]
    assert first["value"] == pytest.approx(100 * (wrong / (4.0 if name == "nox_cou" else 40.0) - 1), rel=1e-6)
    assert first["threshold"] == (1.0 if signal_id.startswith("A11") else 2.0)
    assert _but_equal_readings(make(_reported(**{name: tolerated}))[1]).height == 0


def test_A09_either_order_will_do() -> None:
    steps = [*_steady(range(30), nox_avg=30, o2_avg=9), *_steady(range(30, 60), nox_avg=20, o2_avg=17)]
    for told, signals in ((41.25, 0), (34.375, 0), (38.0, 1)):
        found = make([*steps, row(at(0), cn=2061, nox_zs_avg=told)])[1]
        assert len(_signals(found, "A09_converted_differs")) == signals


def test_A09_leaves_hours_near_air_to_A07() -> None:
    for o2, signals in ((19.0, (0, 1)), (19.01, (1, 0))):
        found = make([*_steady(nox_avg=5, o2_avg=o2), row(at(0), cn=2061, nox_zs_avg=99.0)])[1]
        assert tuple(len(_signals(found, i)) for i in ("A07_o2_near_air", "A09_converted_differs")) == signals


def test_small_differences_are_rounding() -> None:
    rows = _steady(nox_avg=0.40, o2_avg=10.0, flow_avg=1e5)
    told = [row(at(h * 60), cn=2061, nox_avg=0.45, nox_zs_avg=0.45, nox_cou=0.045) for h in range(24)]
    assert _but_equal_readings(make(rows + told)[1]).height == 0


def test_nox_that_is_not_as_no2_is_not_compared_after_conversion() -> None:
    facts = registry(devices=[PLAIN | {"nox_as_no2": "false"}])
    found = _but_equal_readings(make(_reported(nox_avg=99.0), facts)[1])
    assert {s["signal_id"] for s in found.to_dicts()} == {"A11_mean_differs"}


def test_A21_gaps_and_repeats() -> None:
    kept = [m for m in range(1440) if not 100 <= m < 200 and m != 700]
    found = make([*(row(at(m), nox_avg=1.0) for m in kept), row(at(5.5), nox_avg=2.0)])[1]
    (gap,) = _signals(found, "A21_gap")
    assert (gap["start"], gap["end"], gap["value"]) == (at(60), at(240), 100.0)
    (repeat,) = _signals(found, "A21_repeated_slot")
    assert (repeat["start"], repeat["end"], repeat["value"]) == (at(0), at(1440), 1.0)


def test_U01_pressure_in_another_unit() -> None:
    (signal,) = _signals(make(_steady(nox_avg=1.0, pressure_avg=0.05))[1], "U01_pressure_range")
    assert (signal["pollutant"], signal["value"], signal["threshold"]) == ("pressure", pytest.approx(0.05), 80.0)
    (signal,) = _signals(make(_steady(nox_avg=1.0, pressure_avg=101727))[1], "U01_pressure_range")
    assert signal["threshold"] == 110.0
    assert not _signals(make(_steady(nox_avg=1.0, pressure_avg=101.6))[1], "U01_pressure_range")


@pytest.mark.parametrize(("flow", "shown"), [(9.9e15, True), (5_000_001.0, True), (5e6, False), (4e5, False)])
def test_U02_flow_that_no_stack_carries(flow: float, shown: bool) -> None:
    hours, signals = make(_steady(nox_avg=1.0, flow_avg=flow))
    found = _signals(signals, "U02_flow_range")
    assert len(found) == shown
    assert _hour(hours, "nox")["mass_kg"] == pytest.approx(flow * 1e-6), "a signal changes no figure"
    if shown:
        told = found[0]
        assert (told["severity"], told["pollutant"], told["threshold"]) == ("serious", "flow", 5e6)
        assert told["value"] == pytest.approx(flow)


def test_R02_rows_that_no_registry_row_claims() -> None:
    rows = [
        *_steady(nox_avg=1.0),
        *(row(at(m), mn="M9", nox_avg=7.0) for m in range(5)),
        row(at(0), outlet_id="O9", nox_avg=1.0),
    ]
    rows.append(row(at(1440), outlet_id="O9", nox_avg=1.0))
    hours, signals = make(rows)
    assert {s["outlet_id"]: s["value"] for s in _signals(signals, "R02_unregistered")} == {"O1": 5.0, "O9": 1.0}
    assert _hour(hours, "nox")["concentration_mg_m3"] == 1.0


def test_every_signal_speaks_both_languages_and_its_threshold_is_in_force() -> None:
    for signal in load_signals().values():
        assert signal.zh != signal.en
        assert not signal.threshold or BOOK.parameter(signal.threshold, datetime(2016, 8, 24).date()).unit is not None


def test_episodes() -> None:
    mask = pl.DataFrame([[1, 1, 0, 1], [0, 0, 0, 0], [0, 1, 1, 1]]).transpose().to_numpy().astype(bool)
    assert list(episodes(mask)) == [(0, 0, 2), (0, 3, 4), (2, 1, 4)]


def _state(state: str, begin: datetime, end: datetime, line_id: str = "L1") -> ProcessState:
    return ProcessState("E1", line_id, state, begin, begin, end, end, begin, False, "", "events/e.csv", 2)


def _mark(mark: str, start: datetime, end: datetime, channel: str = "all", *, late: bool = False) -> DeviceMark:
    return DeviceMark("E2", "O1", channel, mark, start, end, None, start, late, "events/e.csv", 3)


def test_R5_declared_states_and_marks_tag_hours() -> None:
    events = EventBook(
        [_state("stopped", at(-600), at(130)), _state("cold_start", at(130), at(300))],
        [_mark("C", at(400), at(420), "nox"), _mark("D", at(405), at(412), "nox")],
    )
    hours, _ = make(_steady(nox_avg=50.0, pm_avg=5.0, o2_avg=10.0, flow_avg=1e5), events=events)
    nox = hours.filter(pl.col("pollutant") == "nox")
    assert nox["hour_tag"].to_list()[:8] == ["F", "F", "St", "St", "St", "N", "C", "N"]
    assert nox["flag_system"].to_list()[:8] == ["hj75"] * 5 + ["hj212", "hj75", "hj212"]
    assert nox["process_state"].to_list()[:8] == ["stopped"] * 2 + ["cold_start"] * 3 + [None] * 3
    assert nox["null_reason"].to_list()[:8] == ["stopped", "stopped", *[None] * 4, "below_45_valid_minutes", None]
    assert nox["mass_kg"].is_null().to_list()[:8] == [True, True, *[False] * 4, True, False]
    assert hours.filter(pl.col("pollutant") == "pm")["hour_tag"].to_list()[6] == "N"


def test_states_of_a_kiln_leave_the_mill_of_its_line_alone() -> None:
    facts = registry([OUTLET | {"point_type": "cement_mill", "o2_reference_pct": "", "reductant": "none"}])
    hours, _ = make(_steady(pm_avg=5.0), facts, events=EventBook([_state("stopped", at(0), at(1440))]))
    assert set(hours["hour_tag"]) == {"N"}
    assert hours["process_state"].null_count() == hours.height


def test_a_day_of_a_declared_stop_without_records_of_the_outlet() -> None:
    other = OUTLET | {"outlet_id": "O2", "line_id": "L1"}
    facts = registry([OUTLET, other], [PLAIN, PLAIN | {"mn": "M2", "outlet_id": "O2"}])
    rows = [row(at(m), "O2", "M2", nox_avg=1.0) for m in range(1440)]
    hours, _ = make(rows, facts, events=EventBook([_state("stopped", at(0), at(720))]))
    silent = hours.filter((pl.col("outlet_id") == "O1") & (pl.col("pollutant") == "nox"))
    assert silent["hour_tag"].to_list() == ["F"] * 12 + ["Md"] * 12
    assert silent["null_reason"].to_list() == ["stopped"] * 12 + ["no_data"] * 12


def test_the_graver_mark_wins_where_two_overlap_however_they_come() -> None:
    marks = [_mark("C", at(0), at(60)), _mark("OOC", at(20), at(60))]
    for given in (marks, marks[::-1]):
        hours, _ = make(_steady(nox_avg=50.0), events=EventBook(marks=given))
        assert _hour(hours, "nox")["hour_tag"] == "OOC"


def test_what_was_declared_is_not_compared_with_the_loggers_hour() -> None:
    rows = [row(at(m), nox_avg=100.0 if m < 10 else 50.0) for m in range(1440)]
    rows.append(row(at(0), cn=2061, nox_avg=sum([100.0] * 10 + [50.0] * 50) / 60))
    signals = make(rows, events=EventBook(marks=[_mark("C", at(0), at(10), "nox")]))[1]
    assert not _signals(signals, "A11_mean_differs")


def test_a_day_of_nothing_but_a_declared_stop_stands_still() -> None:
    stop = EventBook([_state("stopped", at(-1440), at(2880))])
    hours, _ = make([], events=stop, goes_on=True)
    assert set(hours["hour_tag"]) == {"F"}
    assert make([], events=EventBook([_state("cold_start", at(0), at(600))]), goes_on=True) is None


def test_past_the_end_of_the_data_a_declared_stop_makes_no_hours() -> None:
    """A record labelled 24:00 stands on the next day and belongs to this one."""
    facts = registry(devices=[PLAIN | {"label": "end"}])
    rows = [row(at(0), nox_avg=1.0)]
    assert make(rows, facts, events=EventBook([_state("stopped", at(-1440), at(2880))])) is None
