"""Signals as rows: every check of a day and of a month shown by one case, and not shown by its neighbour."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from assets.patterns import make_patterns
from contracts import TABLES
from contracts.cems import CEMS_HOURLY, CEMS_OTHER
from resources.events import DeviceMark, EventBook, ProcessState
from resources.signals import LONG_WINDOWS, load_signals
from tests.hour_bench import BOOK, DAY, PLAIN, FakeBench, at, make, registry, row
from tests.registry_home import OUTLET

if TYPE_CHECKING:
    import pyarrow as pa

NAN = math.nan


def _noise(minutes: int, level: float, seed: int = 1) -> list[float]:
    return np.round(level * np.random.default_rng(seed).uniform(0.9, 1.1, minutes), 4).tolist()


def _day(**cells: float | list[float]) -> list[dict[str, Any]]:
    """A minute logger's day; a list gives one value a minute, NaN none."""
    made = []
    for m in range(1440):
        values = {name: v[m] if isinstance(v, list) else v for name, v in cells.items()}
        made.append(row(at(m), **{n: v for n, v in values.items() if not math.isnan(v)}))
    return made


def _told(signals: pl.DataFrame, *signal_ids: str) -> list[tuple[Any, ...]]:
    kept = signals.filter(pl.col("signal_id").cast(pl.String).is_in(signal_ids))
    return [(r["signal_id"], r["pollutant"], r["start"], r["end"]) for r in kept.to_dicts()]


# ---- a day -------------------------------------------------------------------------------------------------------


def test_minute_checks_become_rows_with_their_figures() -> None:
    nox = _noise(1440, 40)
    nox[100:170] = [38.5] * 70
    signals = make(_day(nox_avg=nox, o2_avg=_noise(1440, 10)))[1]
    (one,) = [r for r in signals.to_dicts() if r["signal_id"] == "A02_equal_readings"]
    assert (one["outlet_id"], one["pollutant"], one["severity"]) == ("O1", "nox", "warn")
    assert (one["start"], one["end"], one["value"], one["threshold"]) == (at(100), at(170), 70.0, 30.0)
    assert "38.5" in one["text_zh"]
    assert "38.5" in one["text_en"]
    assert TABLES["cems_signals"].violations(signals) == []


def test_what_is_declared_explains_itself() -> None:
    nox = _noise(1440, 40)
    nox[100:170] = [38.5] * 70
    mark = DeviceMark("E1", "O1", "nox", "C", at(95), at(175), None, at(200), late=False, src_path="m.csv", src_line=2)
    rows = _day(nox_avg=nox, o2_avg=_noise(1440, 10))
    assert not _told(make(rows, events=EventBook(marks=[mark]))[1], "A02_equal_readings")


def _state(state: str, lo: int, hi: int) -> EventBook:
    begin, end = at(lo), at(hi)
    return EventBook(
        states=[
            ProcessState(
                "E1", "L1", state, begin, begin, end, end, at(hi), late=False, evidence="", src_path="s.csv", src_line=2
            )
        ]
    )


RUNNING = {
    "nox_avg": _noise(1440, 40),
    "o2_avg": _noise(1440, 10),
    "temperature_avg": _noise(1440, 100),
    "velocity_avg": _noise(1440, 14),
}
STANDING = {"nox_avg": _noise(1440, 0.5), "o2_avg": [20.8 + n for n in _noise(1440, 0.05)],
            "temperature_avg": _noise(1440, 26), "velocity_avg": _noise(1440, 0.2)}  # fmt: skip


@pytest.mark.parametrize(
    ("readings", "events", "told"),
    [
        pytest.param(RUNNING, _state("stopped", 120, 300), ("A13_running_while_stopped", 120, 300), id="A13-running-while-stopped"),
        pytest.param(RUNNING, _state("banked", 120, 300), None, id="A13-not-banked"),
        pytest.param(RUNNING, EventBook(), None, id="A13-not-running"),
        pytest.param(STANDING, EventBook(), ("A13_suspected_stop", 0, 1440), id="A13-suspected-stop"),
        pytest.param(STANDING, _state("running", 0, 1440), ("A13_suspected_stop", 0, 1440), id="A13-declared-running"),
        pytest.param(STANDING, _state("stopped", 0, 1440), None, id="A13-not-declared-stopped"),
        pytest.param(STANDING | {"velocity_avg": RUNNING["velocity_avg"]}, EventBook(), None, id="A13-not-with-flow"),
        pytest.param({k: v for k, v in STANDING.items() if k in ("nox_avg", "o2_avg")}, EventBook(), None, id="A13-not-by-oxygen-alone"),
    ],
)  # fmt: skip
def test_states_against_readings(readings: dict[str, list[float]], events: EventBook, told: tuple[str, int, int] | None) -> None:  # fmt: skip
    signals = make(_day(**readings), events=events)[1]
    found = _told(signals, "A13_running_while_stopped", "A13_suspected_stop")
    assert found == ([] if told is None else [(told[0], "o2", at(told[1]), at(told[2]))])


@pytest.mark.parametrize(
    ("flags", "hour_flag", "told"),
    [
        pytest.param("D" * 20 + "N" * 40, "N", 1, id="A10-short"),
        pytest.param("D" * 20 + "N" * 40, "D", 0, id="A10-not-flagged"),
        pytest.param("D" * 15 + "N" * 45, "N", 0, id="A10-not-45-valid"),
        pytest.param("-" * 20 + "N" * 40, "N", 0, id="A10-not-for-want-of-records"),
    ],
)
def test_A10_an_hour_on_too_few_minutes(flags: str, hour_flag: str, told: int) -> None:
    nox = _noise(1440, 40)
    rows = []
    for m in range(1440):
        flag = flags[m - 120] if 120 <= m < 180 else "N"
        if flag != "-":
            rows.append(row(at(m), nox_avg=nox[m], nox_flag=flag, o2_avg=10.0))
    rows.append(row(at(120), cn=2061, nox_avg=40.0, nox_flag=hour_flag))
    found = _told(make(rows)[1], "A10_issued_short")
    assert found == [("A10_issued_short", "nox", at(120), at(180))] * told


@pytest.mark.parametrize(
    ("factor", "told"),
    [
        pytest.param(3600.0, "A12_mass_magnitude", id="A12-magnitude"),
        pytest.param(1 / 3600, "A12_mass_magnitude", id="A12-magnitude-down"),
        pytest.param(7.0, "A12_mass_differs", id="A12-not-a-magnitude"),
    ],
)
def test_A12_a_unit_rather_than_an_error(factor: float, told: str) -> None:
    rows = [*_day(nox_avg=40.0, o2_avg=10.0, flow_avg=1e5), row(at(180), cn=2061, nox_cou=4.0 * factor)]
    found = _told(make(rows)[1], "A12_mass_magnitude", "A12_mass_differs")
    assert found == [(told, "nox", at(180), at(240))]


def test_A21_records_that_come_late_or_before_their_time() -> None:
    came = {5: 11 + 6, 6: 10 + 7, 700: 700 - 11, 701: 702}
    rows = [row(at(m), qn=at(came.get(m, m + 1)), nox_avg=40 + m % 7) for m in range(1440)]
    signals = make(rows)[1]
    assert _told(signals, "A21_late") == [("A21_late", "", at(5), at(6))]
    assert _told(signals, "A21_ahead") == [("A21_ahead", "", at(700), at(701))]
    assert not _told(make([row(at(m), nox_avg=40 + m % 7) for m in range(1440)])[1], "A21_late", "A21_ahead")


def test_R03_two_devices_and_R04_their_spacing() -> None:
    facts = registry(devices=[PLAIN, PLAIN | {"mn": "M2"}])
    first = [row(at(m), nox_avg=40 + m % 7, pm_avg=1.0 + m % 3) for m in range(60)]
    second = [row(at(m), mn="M2", nox_avg=41 + m % 7) for m in range(0, 600, 10)]
    signals = make(first + second, facts)[1]
    assert _told(signals, "R03_two_devices") == [("R03_two_devices", "nox", at(0), at(51))]
    assert [(r["value"], r["threshold"]) for r in signals.to_dicts() if r["signal_id"] == "R04_interval_differs"] == [
        (10.0, 10.0)
    ]
    other = [row(at(m), mn="M2", so2_avg=4 + m % 7) for m in range(60)]
    assert not _told(make(first + other, facts)[1], "R03_two_devices", "R04_interval_differs")


# ---- a month -----------------------------------------------------------------------------------------------------

FIRST = date(2026, 5, 1)
DAYS = 20


class _MonthBench(FakeBench):
    def keys(self, name: str, first: str = "", last: str = "~") -> list[str]:
        return sorted(key for table, key in self.tables if table == name and first <= key <= last)


def _hours(values: dict[tuple[str, str], np.ndarray], since: date = FIRST, tags: dict[int, str] | None = None,
           judged: np.ndarray | None = None, o2: float = 10.0, system: str = "hj212") -> dict[tuple[str, str], pa.Table]:  # fmt: skip
    """cems_hourly of series; NaN is an hour without a valid value."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for (outlet, pollutant), figures in values.items():
        for h, value in enumerate(figures.tolist()):
            hour = datetime.combine(since, datetime.min.time()) + timedelta(hours=h)
            known = None if math.isnan(value) else value
            against = known if judged is None or known is None else float(judged[h])
            rows.setdefault(str(hour.date()), []).append({
                "outlet_id": outlet, "plant_id": "P1", "line_id": "L1", "point_type": "kiln_tail", "pollutant": pollutant, "hour": hour,
                "concentration_mg_m3": known, "judged_mg_m3": against, "o2_pct": o2, "flow_m3_h": 1e5, "valid_minutes": 60, "minutes": 60,
                "hour_tag": (tags or {}).get(h, "N"), "flag_system": system,
            })  # fmt: skip
    return {
        ("cems_hourly", day): CEMS_HOURLY.arrow(pl.DataFrame(part, infer_schema_length=None))
        for day, part in rows.items()
    }


def _patterns(
    tables: dict[tuple[str, str], pa.Table], events: EventBook | None = None, facts: Any = None
) -> pl.DataFrame:
    outlets = [OUTLET | {"outlet_id": o} for o in ("O1", "O2", "O3")]
    bench = _MonthBench(facts or registry(outlets), tables, events)
    made = make_patterns(bench, "2026-05")["cems_patterns"]  # type: ignore[arg-type]
    assert TABLES["cems_patterns"].violations(made) == []
    return pl.DataFrame(pl.from_arrow(made))


def _series(level: float, seed: int = 1, days: int = DAYS, share: float = 0.3) -> np.ndarray:
    return level * (1 + share * np.random.default_rng(seed).uniform(-1, 1, 24 * days))


def _over(series: np.ndarray, lo: int, hi: int, part: Any) -> np.ndarray:
    made = series.copy()
    made[lo:hi] = part
    return made


def _hour(h: int) -> datetime:
    return datetime.combine(FIRST, datetime.min.time()) + timedelta(hours=h)


#: What lies beside a flat stretch does not belong to it.
APART = _over(_series(30), 29, 38, [50.0, 20.0, 50.0, 20.0, 50.0, 20.0, 50.0, 20.0, 50.0])
WOBBLE = 1 + 0.01 * np.sin(np.arange(24 * DAYS))


@pytest.mark.parametrize(
    ("signal_id", "pollutant", "series", "span"),
    [
        pytest.param("A01_flat_hours", "nox", _over(APART, 30, 37, 30 * WOBBLE[30:37]), (30, 37), id="A01-flat-hours"),
        pytest.param("A01_flat_hours", "nox", _over(APART, 32, 37, 30 * WOBBLE[32:37]), None, id="A01-not-five-hours"),
        pytest.param("A01_flat_hours", "nox", _over(_series(0.8), 30, 50, 0.8 * WOBBLE[30:50]), None, id="A01-not-near-nothing"),
        pytest.param("A04_hovering", "so2", _over(_series(9), 40, 70, 1.5 * WOBBLE[40:70]), (40, 70), id="A04-hovering"),
        pytest.param("A04_hovering", "so2", _over(_series(9), 40, 63, 1.5 * WOBBLE[40:63]), None, id="A04-not"),
        pytest.param("A04_hovering", "so2", _over(_series(9), 40, 70, 9.5 * WOBBLE[40:70]), None, id="A04-not-high-up"),
        pytest.param("A24_dust_low", "pm", _over(_series(5), 100, 300, _series(0.7)[100:300]), (100, 300), id="A24-low"),
        pytest.param("A24_dust_low", "pm", _over(_series(5), 100, 260, _series(0.7)[100:260]), None, id="A24-not"),
        pytest.param("A24_dust_low", "so2", _over(_series(5), 100, 300, _series(0.7)[100:300]), None, id="A24-not-another"),
    ],
)  # fmt: skip
def test_series_that_stay_where_they_are(signal_id: str, pollutant: str, series: np.ndarray, span: tuple[int, int] | None) -> None:  # fmt: skip
    found = _told(_patterns(_hours({("O1", pollutant): series})), signal_id)
    assert found == ([] if span is None else [(signal_id, pollutant, _hour(span[0]), _hour(span[1]))])


def test_hours_of_a_standing_kiln_are_no_pattern() -> None:
    flat = {("O1", "nox"): _over(_series(30), 30, 60, 30 * WOBBLE[30:60])}
    assert _told(_patterns(_hours(flat)), "A01_flat_hours")
    assert not _told(_patterns(_hours(flat, o2=20.5)), "A01_flat_hours")
    assert not _told(_patterns(_hours(flat, tags=dict.fromkeys(range(30, 60), "St"))), "A01_flat_hours")


# The ultra-low limit of NOx at a kiln tail is 50.
CROWD = np.concatenate([np.linspace(48, 49.9, 140), np.linspace(20, 60, 24 * DAYS - 140)])


@pytest.mark.parametrize(
    ("series", "told"),
    [
        pytest.param(CROWD, 1, id="A05-crowd"),
        pytest.param(np.linspace(20, 60, 24 * DAYS), 0, id="A05-not"),
        pytest.param(CROWD + 4, 0, id="A05-not-above"),
    ],
)
def test_A05_hours_just_below_the_limit(series: np.ndarray, told: int) -> None:
    signals = _patterns(_hours({("O1", "nox"): series}))
    assert len(_told(signals, "A05_below_limit")) == told


@pytest.mark.parametrize(
    ("delay", "told"), [pytest.param(1, 1, id="A14-at-rises"), pytest.param(9, 0, id="A14-not-elsewhere")]
)
def test_A14_marks_that_begin_at_exceedances(delay: int, told: int) -> None:
    rises = [50, 150, 250, 350]
    series = _series(30)
    series[rises] = 80.0
    marks = {h + delay: "M" for h in rises}
    series[list(marks)] = NAN
    signals = _patterns(_hours({("O1", "nox"): series}, tags=marks))
    found = _told(signals, "A14_marks_at_exceedance")
    assert len(found) == told
    # The same by declaration, which need not fill an hour.
    events = EventBook(
        marks=[
            DeviceMark(f"E{h}", "O1", "all", "M", _hour(h) + timedelta(minutes=20), _hour(h) + timedelta(minutes=30), None, _hour(h),
                       late=False, src_path="m.csv", src_line=2)
            for h in marks
        ]
    )  # fmt: skip
    assert _told(_patterns(_hours({("O1", "nox"): series}), events), "A14_marks_at_exceedance") == found


@pytest.mark.parametrize(
    ("days", "overdue"), [pytest.param(17, True, id="A15-overdue"), pytest.param(14, False, id="A15-not")]
)
def test_A15_calibrations_on_record(days: int, overdue: bool) -> None:
    tags = {10: "C", 10 + 24 * days: "C"}
    signals = _patterns(_hours({("O1", "nox"): _series(30)}, tags=tags))
    found = _told(signals, "A15_overdue")
    due = _hour(11) + timedelta(days=15)
    assert found == ([("A15_overdue", "nox", due, _hour(11 + 24 * days))] if overdue else [])
    assert not _told(_patterns(_hours({("O1", "nox"): _series(30)})), "A15_overdue")


@pytest.mark.parametrize(
    ("other", "told"),
    [
        pytest.param(lambda x: 1.7 * x, True, id="A16-copy"),
        pytest.param(lambda x: x[::-1], False, id="A16-not"),
        pytest.param(lambda x: np.full(x.size, 30.0), False, id="A16-not-flat"),
    ],
)
def test_A16_two_outlets(other: Any, told: bool) -> None:
    own = _series(30)
    third = _over(_series(20, 5), 48, 96, own[48:96])
    tables = _hours({("O1", "pm"): own, ("O2", "pm"): other(own), ("O3", "pm"): third})
    signals = _patterns(tables).filter(pl.col("signal_id").cast(pl.String) == "A16_same_trend").to_dicts()
    rows = [(s["outlet_id"], s["start"], s["end"]) for s in signals]
    copy = [("O2", _hour(0), _hour(24 * DAYS))] if told else []
    assert rows == [*copy, ("O3", _hour(48), _hour(96))]
    assert all("O1" in s["text_zh"] or "O2" in s["text_zh"] for s in signals)


@pytest.mark.parametrize(
    ("days", "told"), [pytest.param(3, True, id="A17-replay"), pytest.param(2, False, id="A17-not-one-pair")]
)
def test_A17_days_that_repeat(days: int, told: bool) -> None:
    own = _series(30)
    series = _over(own, 96, 96 + 24 * days, np.tile(own[96:120], days))
    found = _told(_patterns(_hours({("O1", "nox"): series})), "A17_replay")
    assert found == ([("A17_replay", "nox", _hour(120), _hour(96 + 24 * days))] if told else [])


@pytest.mark.parametrize(
    ("slip", "reductant", "told"),
    [
        pytest.param(0.0, "ammonia", 1, id="A18-none"),
        pytest.param(0.5, "ammonia", 0, id="A18-not-some"),
        pytest.param(0.0, "none", 0, id="A18-not-without-reductant"),
    ],
)
def test_A18_no_ammonia_at_all(slip: float, reductant: str, told: int) -> None:
    series = {("O1", "nox"): _series(30), ("O1", "nh3"): _over(_series(3), 60, 100, slip)}
    facts = registry([OUTLET | {"reductant": reductant}])
    assert len(_told(_patterns(_hours(series), facts=facts), "A18_no_slip")) == told


@pytest.mark.parametrize(
    ("missing", "system", "value"),
    [
        pytest.param(48, "hj212", None, id="A20-not-90"),
        pytest.param(49, "hj212", 100 * 431 / 480, id="A20-below-90"),
        pytest.param(49, "hj75", None, id="A20-not-stopped"),
    ],
)
def test_A20_capture(missing: int, system: str, value: float | None) -> None:
    series = _over(_series(30), 0, missing, NAN)
    tags = dict.fromkeys(range(missing), "F")
    signals = _patterns(_hours({("O1", "nox"): series}, tags=tags, system=system))
    found = [s["value"] for s in signals.to_dicts() if s["signal_id"] == "A20_capture"]
    assert found == ([] if value is None else [pytest.approx(value)])


@pytest.mark.parametrize(
    ("share", "told"), [pytest.param(0.6, True, id="A23-low"), pytest.param(0.8, False, id="A23-not")]
)
def test_A23_nights(share: float, told: bool) -> None:
    clock = np.arange(24 * DAYS) % 24
    night = (clock >= 22) | (clock < 6)
    series = np.where(night, share, 1.0) * _series(30, share=0.05)
    found = _told(_patterns(_hours({("O1", "nox"): series})), "A23_night_low")
    assert found == ([("A23_night_low", "nox", _hour(0), _hour(24 * DAYS))] if told else [])


def test_A22_a_row_of_the_registry_that_changes_a_fact() -> None:
    outlet, changed = OUTLET | {"outlet_id": "O1"}, {"velocity_coefficient": "1.02", "valid_from": "2026-05-09"}
    tables = _hours({("O1", "nox"): _series(30)})
    for coefficient, told in (("1.02", 1), ("0.96", 0)):
        rows = [
            outlet | {"valid_from": "2020-01-01", "valid_to": "2026-05-09"},
            outlet | changed | {"velocity_coefficient": coefficient},
        ]
        found = _patterns(tables, facts=_registry_of(rows)).filter(
            pl.col("signal_id").cast(pl.String) == "A22_registry_changed"
        )
        assert [(r["start"], "0.96 -> 1.02" in r["text_en"]) for r in found.to_dicts()] == [
            (datetime(2026, 5, 9), True)
        ] * told


def _registry_of(outlets: list[dict[str, str]]) -> Any:
    from resources.registry import Registry
    from tests.registry_home import PLANT, home

    line = {
        "line_id": "L1",
        "plant_id": "P1",
        "clinker_class": "portland",
        "capacity_t_d": "5000",
        "valid_from": "2016-01-01",
    }
    return Registry.from_tables(
        home(
            plants=[PLANT | {"valid_from": "2016-01-01"}],
            lines=[line],
            outlets=outlets,
            devices=[PLAIN | {"valid_from": "2020-01-01"}],
            permits=[],
        )
    )


def test_A22_a_setting_that_a_logger_sends() -> None:
    def other(day: int, minute: int, name: str, text: str) -> dict[str, Any]:
        return {"outlet_id": "O1", "mn": "M1", "cn": 2051, "data_time": at(minute, f"2026-05-{day:02d}"), "name": name, "text": text,
                "reason": "unknown_factor", "src_file": "0123456789abcdef", "src_offset": 0}  # fmt: skip

    sent = {
        "2026-05-02": [other(2, 5, "i13007-Info", "1.00"), other(2, 6, "a99999-Avg", "1")],
        "2026-05-03": [
            other(3, 5, "i13007-Info", "1.00"),
            other(3, 9, "i13007-Info", "1.25"),
            other(3, 9, "a99999-Avg", "2"),
        ],
    }
    tables = {("cems_other", day): CEMS_OTHER.arrow(pl.DataFrame(part)) for day, part in sent.items()}
    signals = _patterns(_hours({("O1", "nox"): _series(30)}) | tables)
    (found,) = [s for s in signals.to_dicts() if s["signal_id"] == "A22_setting_changed"]
    assert (found["start"], found["pollutant"]) == (at(9, "2026-05-03"), "i13007-Info")
    assert "1.00" in found["text_zh"]
    assert "1.25" in found["text_zh"]


def test_an_episode_that_ends_before_the_month_is_not_told_again() -> None:
    since = FIRST - timedelta(days=5)
    for hi, told in ((110, []), (130, [(timedelta(hours=90), timedelta(hours=130))])):
        series = _over(_series(30), 90, hi, 30 * WOBBLE[90:hi])
        found = _told(_patterns(_hours({("O1", "nox"): series}, since)), "A01_flat_hours")
        begin = datetime.combine(since, datetime.min.time())
        assert [(s - begin, e - begin) for _, _, s, e in found] == told


def test_no_hours_no_patterns() -> None:
    assert make_patterns(_MonthBench(registry(), {}), "2026-05") == {}  # type: ignore[arg-type]


def test_rows_do_not_depend_on_the_order_of_the_hours() -> None:
    series = {
        ("O2", "pm"): _series(30),
        ("O1", "pm"): _series(30),
        ("O1", "nox"): _over(_series(30), 30, 37, 30 * WOBBLE[30:37]),
    }
    turned = dict(reversed(series.items()))
    assert _patterns(_hours(series)).equals(_patterns(_hours(turned)))


def test_signals_of_long_windows_and_of_days_go_to_their_own_tables() -> None:
    long = {s.id for s in load_signals().values() if s.window in LONG_WINDOWS}
    assert {"A04_hovering", "A16_same_trend", "A20_capture"} <= long
    assert not {s["signal_id"] for s in make(_day(**STANDING))[1].to_dicts()} & long
    assert BOOK.parameter("signals.lead_days", date.fromisoformat(DAY)).value == 14
