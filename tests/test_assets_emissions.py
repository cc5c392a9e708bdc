"""The emissions room on a small home: months against a slow twin, quarters, late data, marks, sums, and what is made anew."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

import polars as pl
import pytest

from assets.checks import CHECKS
from assets.products import bring_up, product
from contracts import TABLES
from contracts.cems import CEMS_HOURLY
from resources.events import DeviceMark, EventBook
from resources.home import Home
from resources.registry import Device, Line, Outlet, Plant, Registry
from resources.rules import RuleBook
from resources.settings import Settings

LONG_AGO = date(2015, 1, 1)
HOUR = timedelta(hours=1)
BOOK = RuleBook.load()
#: A mass per hour, or: invalid, out of control, stopped, no row at all.
BAD, OOC, OFF, GONE = "bad", "ooc", "off", "gone"
_TAGS = {BAD: ("D", "hj75"), OOC: ("OOC", "hj75"), OFF: ("F", "hj75")}


def plant(plant_id="P1", *, group="甲", province="贵州", start=LONG_AGO, end=None):
    return Plant(plant_id, "厂", "plant", "", group, province, "", None, None, 88.0, "general", start, end)


def outlet(outlet_id="A", point_type="kiln_tail", *, plant_id="P1", line_id="L1", start=LONG_AGO, end=None):
    return Outlet(outlet_id, plant_id, line_id, point_type, 10.0, 0.9, None, "none", start, end)


def device(outlet_id="A", start=LONG_AGO, end=None):
    return Device(
        f"mn-{outlet_id}", outlet_id, 1, "start", "kPa", "gauge", "m3/h", "wet_actual", "wet", True, "valid",
        frozenset({"hj212"}), start, end,
    )  # fmt: skip


def registry(*rows):
    return Registry(*(tuple(r for r in rows if isinstance(r, kind)) for kind in (Plant, Line, Outlet, Device)), ())


PLAIN = registry(plant(), Line("L1", "P1", "portland", 5000.0, LONG_AGO, None), outlet(), device())


def mark(start, end, *, channel="all", calibrated=None, outlet_id="A", late=False, kind="OOC"):
    return DeviceMark(f"e{start}", outlet_id, channel, kind, start, end, calibrated, start, late, "events/m.csv", 2)


class Lab:
    """A home whose days of hours are written by hand; everything further down is made by the products themselves."""

    def __init__(self, root, rows=PLAIN, book=BOOK, events=()):
        self.home = Home(Settings(home=str(root)))
        self.home.__dict__ |= {"registry": rows, "rules": book, "events": EventBook(marks=events)}
        self.made: list[tuple[str, str]] = []

    def day(self, day, series):
        """One day: {(outlet, pollutant): 24 of a mass, BAD, OOC, OFF or GONE}."""
        rows = defaultdict(list)
        outlets = {o.outlet_id: o for o in self.home.registry.outlets}
        for (outlet_id, pollutant), row in series.items():
            for h, v in enumerate(row):
                if v == GONE:
                    continue
                about = outlets[outlet_id]
                tag, system = _TAGS.get(v, ("N", "hj212"))
                valid = not isinstance(v, str)
                for name, value in {
                    "outlet_id": outlet_id, "plant_id": about.plant_id, "line_id": about.line_id, "point_type": about.point_type,
                    "pollutant": pollutant, "hour": datetime.combine(day, datetime.min.time()) + h * HOUR,
                    "valid_minutes": 60 if valid else 0, "minutes": 0 if v == OFF else 60, "hour_tag": tag,
                    "flag_system": system, "mass_kg": float(v) if valid else None,
                }.items():  # fmt: skip
                    rows[name].append(value)
        self.home.lake.write("cems_hourly", str(day), CEMS_HOURLY.arrow(dict(rows)), made_by="test", inputs={})

    def fill(self, first, count, mass, pollutants=("nox",), outlet_id="A"):
        """Days of hours by `mass(hour)`, the same for every pollutant."""
        for n in range(count):
            day = first + timedelta(days=n)
            start = datetime.combine(day, datetime.min.time())
            self.day(day, {(outlet_id, p): [mass(start + h * HOUR) for h in range(24)] for p in pollutants})

    def run(self):
        """Bring everything up to date as a night does; keys made, by product."""
        made = {}
        for name in ("capture", "emissions", "emissions_year"):
            of = product(name)
            outcomes = [o for k in sorted(of.keys(self.home)) if (o := bring_up(self.home, of, k))]
            made[name] = {o.key: set(o.changed) for o in outcomes}
        return made

    def frame(self, table) -> pl.DataFrame:
        lake = self.home.lake
        made = pl.concat([pl.DataFrame(pl.from_arrow(lake.read(table, k))) for k in lake.keys(table)])
        return made.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))

    def hours(self, **equal) -> dict[datetime, dict[str, Any]]:
        rows = self.frame("emissions_hourly").filter(**equal)
        return {r["hour"]: r for r in rows.iter_rows(named=True)}

    def one(self, table, **equal) -> dict[str, Any]:
        return self.frame(table).filter(**equal).row(0, named=True)

    def versions(self, table):
        return {k: self.home.lake.version(table, k) for k in self.home.lake.keys(table)}


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


def steady(bad=(), value=10.0):
    """10 kg everywhere but on the named hours: {hour: what}."""
    return lambda at: dict(bad).get(at, value)


# ---- the whole room against a slow twin ---------------------------------------------------------------------------------------


def wave(at):
    """Masses that differ hour by hour, with short and long failures, stops, and gaps across every border."""
    n = int((at - datetime(2026, 1, 1)).total_seconds()) // 3600
    if at.month == 2 and at.day in (10, 11):
        return OFF
    if n % 97 in (5, 6, 7) or (n % 611) < 30 or datetime(2026, 3, 31, 20) <= at < datetime(2026, 4, 1, 10):
        return OOC if n % 2 and at.month != 3 else BAD
    if datetime(2026, 1, 31, 15) <= at < datetime(2026, 2, 1, 16):
        return BAD
    return round(5 + (n * 7919 % 1000) / 100, 2)


def twin(masses, end, scope="episode"):
    """Every hour on its own over {hour: kg, BAD, OOC or OFF}; no marks are known: Table 5 looks back from the hour itself."""
    hours = sorted(masses)
    kind = {h: "valid" if not isinstance(masses[h], str) else masses[h] for h in hours}
    quarter = defaultdict(lambda: [0, 0])
    for h in hours:
        q = (h.year, (h.month - 1) // 3)
        if kind[h] != OFF:
            quarter[q][0] += 1
            quarter[q][1] += kind[h] == "valid"
    found = {}
    for h in hours:
        if kind[h] in ("valid", OFF):
            found[h] = (masses[h], "measured", False) if kind[h] == "valid" else (0.0, "stopped", False)
            continue
        start, stop = h, h + HOUR
        while kind.get(start - HOUR) in (BAD, OOC):
            start -= HOUR
        while kind.get(stop) in (BAD, OOC):
            stop += HOUR
        due, valid = quarter[h.year, (h.month - 1) // 3]
        rate = Fraction(valid, due)
        closed = date(h.year, 3 * ((h.month - 1) // 3) + 3, 28) + timedelta(days=4) <= end
        n = (
            None
            if rate < Fraction(3, 4)
            else 2160
            if rate < Fraction(9, 10)
            else 720
            if stop - start > 24 * HOUR
            else 180
        )
        pending = n == 180 and stop == datetime.combine(end, datetime.min.time())
        before = [masses[b] for b in hours if b < (h if kind[h] == OOC else start) and kind[b] == "valid"][-(n or 1) :]
        found[h] = (
            (max(before), f"max{n}", pending or not closed) if n and before else (None, "no_substitute", not closed)
        )
    return found


def test_R9_R10_months_and_quarters_equal_the_slow_twin(lab):
    first, days = date(2026, 1, 1), 120
    lab.fill(first, days, wave)
    lab.run()
    start = datetime(2026, 1, 1)
    masses = {start + n * HOUR: wave(start + n * HOUR) for n in range(24 * days)}
    expected = twin(masses, first + timedelta(days=days))
    made = {h: (r["mass_kg"], r["mass_method"], r["provisional"]) for h, r in lab.hours(pollutant="nox").items()}
    assert made.keys() == expected.keys()
    wrong = {h: (made[h], expected[h]) for h in made if made[h] != expected[h]}
    assert not wrong
    methods = {m for _, m, _ in made.values()}
    assert methods >= {"measured", "max180", "max720", "stopped"}


# ---- the vectors through the room -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad_days", "kg", "method"),
    [
        pytest.param(0, 38.2, "max180", id="V22-ooc-10h"),
        pytest.param(14, 51.3, "max2160", id="V24-alpha-75-to-90"),
        pytest.param(25, None, "no_substitute", id="V24-alpha-below-75"),
    ],
)
def test_V22_V24_a_quarter_with_an_out_of_control_spell(tmp_path, bad_days, kg, method):
    """Calibrated on 1 March 12:00, drifted, out of control for ten hours on 5 March; all of it in the first quarter of 2026."""
    begin, calibrated = datetime(2026, 3, 5, 3), datetime(2026, 3, 1, 12, 20)
    lab = Lab(tmp_path, events=[mark(begin, begin + 10 * HOUR, calibrated=calibrated)])
    told = {begin + n * HOUR: OOC for n in range(10)}
    told |= {calibrated.replace(minute=0) - n * HOUR: v for n, v in ((100, 38.2), (500, 44.0), (2000, 51.3))}
    told[calibrated.replace(minute=0)] = 99.0
    told |= {datetime(2026, 3, 6) + n * HOUR: BAD for n in range(24 * bad_days)}
    lab.fill(date(2025, 10, 1), 182, steady(told, 30.0))
    lab.run()
    hours = [lab.hours(pollutant="nox")[begin + n * HOUR] for n in range(10)]
    assert {h["mass_method"] for h in hours} == {method}
    if kg is None:
        assert all(h["mass_kg"] is None and h["hj75_table"] is None for h in hours)
        assert not lab.one("capture_quarterly", quarter="2026-Q1")["sufficient"]
    else:
        assert math.fsum(h["mass_kg"] for h in hours) == pytest.approx(10 * kg, rel=1e-12)
        assert {h["hj75_table"] for h in hours} == {5}
        assert {h["window_to"] for h in hours} == {datetime(2026, 3, 1, 12)}
    assert not any(h["provisional"] or h["history_short"] or h["calibration_unknown"] for h in hours)


def test_R8_V20_the_rate_of_a_quarter(lab):
    told = {datetime(2026, 4, 3) + n * HOUR: OFF for n in range(300)}
    told |= {datetime(2026, 6, 1) + n * HOUR: BAD for n in range(100)}
    lab.fill(date(2026, 4, 1), 91, steady(told))
    lab.run()
    made = lab.one("capture_quarterly", quarter="2026-Q2", pollutant="nox")
    assert (made["hours"], made["stopped_hours"], made["invalid_hours"]) == (2184, 300, 100)
    assert made["capture_pct"] == pytest.approx(100 * 1784 / 1884, rel=1e-12)
    assert (made["table_row"], made["sufficient"], made["provisional"]) == ("full", True, False)


@pytest.mark.parametrize(
    ("day", "month_days", "valid_days", "valid"),
    [
        pytest.param(date(2028, 7, 1), 31, 24, False, id="V25-july-24"),
        pytest.param(date(2028, 7, 1), 31, 25, True, id="V25-july-25"),
        pytest.param(date(2028, 2, 1), 29, 22, False, id="V25-leap-february-22"),
        pytest.param(date(2028, 2, 1), 29, 23, True, id="V25-leap-february-23"),
    ],
)
def test_R6_V25_valid_days_and_months(lab, day, month_days, valid_days, valid):
    """A day of 20 valid hours counts, one of 19 does not, and stopped hours are not valid ones."""

    def mass(at):
        lost = 4 if (at.date() - day).days < valid_days else 5
        return (OFF if at.day % 2 else BAD) if at.hour < lost else 10.0

    lab.fill(day, month_days, mass)
    lab.run()
    days = lab.frame("emissions_daily").sort("day")
    assert days["valid_hours"].to_list() == [20] * valid_days + [19] * (month_days - valid_days)
    assert days["valid_day"].to_list() == [True] * valid_days + [False] * (month_days - valid_days)
    made = lab.one("emissions_monthly")
    assert (made["valid_days"], made["valid_month"]) == (valid_days, valid)


def test_R6_a_month_that_can_still_become_valid_is_undecided(lab):
    lab.fill(date(2026, 7, 1), 24, steady())
    lab.run()
    assert lab.one("emissions_monthly")["valid_month"] is None
    lab.fill(date(2026, 7, 25), 1, steady())
    lab.run()
    assert lab.one("emissions_monthly")["valid_month"] is True


# ---- hours, episodes and marks ------------------------------------------------------------------------------------------------


def test_R16_invalid_hours_count_against_the_rate_and_never_vanish(lab):
    """A day that nobody sent, an hour without a row, a marked hour: all invalid, none of them zero."""
    lab.fill(date(2026, 1, 1), 20, steady({datetime(2026, 1, 5, 3): GONE, datetime(2026, 1, 6, 3): BAD}))
    lab.fill(date(2026, 1, 22), 10, steady())
    lab.run()
    made = lab.one("capture_quarterly", pollutant="nox")
    assert (made["hours"], made["invalid_hours"]) == (31 * 24, 26)
    hours = lab.hours(pollutant="nox")
    assert len(hours) == 31 * 24
    assert hours[datetime(2026, 1, 21, 7)]["mass_method"] == "max180"
    assert hours[datetime(2026, 1, 21, 7)]["measured_kg"] is None


def test_an_f_of_the_instrument_is_no_stop(tmp_path):
    """F of HJ 212 says that the instrument stopped: invalid; F of HJ 75 that the source did: zero."""
    lab = Lab(tmp_path)
    lab.fill(date(2026, 1, 1), 3, steady({datetime(2026, 1, 2, 3): OFF}))
    table = lab.home.lake.read("cems_hourly", "2026-01-02")
    frame = pl.DataFrame(pl.from_arrow(table)).with_columns(flag_system=pl.lit("hj212"))
    lab.home.lake.write("cems_hourly", "2026-01-02", CEMS_HOURLY.arrow(frame), made_by="test", inputs={})
    lab.run()
    assert lab.hours()[datetime(2026, 1, 2, 3)]["mass_method"] == "max180"


@pytest.mark.parametrize(
    ("channel", "tag", "calibrated", "table", "kg", "unknown"),
    [
        pytest.param("all", OOC, datetime(2026, 1, 10, 5, 30), 5, 10.0, False, id="R9-own-mark"),
        pytest.param("all", OOC, None, 5, 20.0, True, id="R9-mark-without-calibration"),
        pytest.param("all", OOC, datetime(2026, 1, 20, 9), 5, 20.0, True, id="R9-calibration-after-the-mark"),
        pytest.param("flow", "N", datetime(2026, 1, 10, 5, 30), 5, 10.0, False, id="R9-flow-out-of-control"),
        pytest.param("no", OOC, datetime(2026, 1, 10, 5, 30), 5, 10.0, False, id="R9-a-part-of-nox"),
        pytest.param("o2", BAD, datetime(2026, 1, 10, 5, 30), 6, 20.0, False, id="R10-oxygen-is-no-part-of-mass"),
        pytest.param("flow", BAD, datetime(2026, 1, 10, 5, 30), 6, 20.0, False, id="R10-a-fault-comes-first"),
    ],
)
def test_R9_the_last_calibration_comes_from_the_mark(tmp_path, channel, tag, calibrated, table, kg, unknown):
    """10 kg until 12 January, 20 kg from then on, out of control from the 20th 06:00 to 09:00."""
    begin = datetime(2026, 1, 20, 6)
    lab = Lab(tmp_path, events=[mark(begin, begin + 3 * HOUR, channel=channel, calibrated=calibrated)])
    spell = {begin + n * HOUR for n in range(3)}
    lab.fill(date(2026, 1, 1), 25, lambda at: BAD if at in spell else 10.0 if at.day < 12 else 20.0)
    day = pl.DataFrame(pl.from_arrow(lab.home.lake.read("cems_hourly", "2026-01-20"))).with_columns(
        pl.col("hour_tag").cast(pl.String)
    )
    said = {OOC: "OOC", BAD: "D"}.get(tag, tag)
    day = day.with_columns(hour_tag=pl.when(pl.col("hour").is_in(list(spell))).then(pl.lit(said)).otherwise("hour_tag"))
    lab.home.lake.write("cems_hourly", "2026-01-20", CEMS_HOURLY.arrow(day), made_by="test", inputs={})
    lab.run()
    for at in spell:
        made = lab.hours()[at]
        assert (made["hj75_table"], made["mass_kg"], made["calibration_unknown"]) == (table, kg, unknown)


def test_n_scope_hourly_is_a_parameter(tmp_path, monkeypatch):
    """With the other reading of the tables the first 24 hours of a long failure take the short window."""
    spell = {datetime(2026, 1, 25) + n * HOUR: BAD for n in range(30)}
    found = {}
    for scope in ("episode", "hourly"):
        lab = Lab(tmp_path / scope, book=with_parameter("substitution.n_scope", scope))
        lab.fill(date(2026, 1, 1), 31, lambda at: spell.get(at, 20.0 if at.day < 12 else 10.0))
        lab.run()
        found[scope] = [lab.hours()[at]["mass_kg"] for at in sorted(spell)]
    assert found["episode"] == [20.0] * 30
    assert found["hourly"] == [10.0] * 24 + [20.0] * 6


@pytest.mark.parametrize(("negative", "kg"), [("zero", 0.0), ("keep", -0.15)], ids=["R10-zero", "R10-keep"])
def test_a_gap_of_an_instrument_that_drifted_below_zero(tmp_path, negative, kg):
    """Zero drift gives -0.15 kg/h at most: a failure of three hours takes nothing off the month, and its rows say why."""
    book = BOOK if negative == "zero" else with_parameter("substitution.negative", negative)
    spell = {datetime(2026, 1, 20) + n * HOUR: BAD for n in range(3)}
    lab = Lab(tmp_path, book=book)
    lab.fill(date(2026, 1, 1), 31, lambda at: spell.get(at, -0.15 if at.hour == 5 else -0.5))
    lab.run()
    hours = lab.hours()
    told = {(hours[at]["mass_kg"], hours[at]["raised_to_zero"], hours[at]["mass_method"]) for at in spell}
    assert told == {(kg, negative == "zero", "max180")}
    assert {hours[hours[at]["basis_hour"]]["measured_kg"] for at in spell} == {-0.15}
    assert not any(r["raised_to_zero"] for at, r in hours.items() if at not in spell)
    month = lab.one("emissions_monthly")
    assert month["substituted_t"] == pytest.approx(3 * kg / 1000)
    assert (month["measured_share_pct"], month["substituted_share_pct"]) == (None, None)


def test_shares_are_given_only_where_both_parts_are_there_to_share(tmp_path):
    """The mass is positive, yet its measured part is below zero: no share of it would mean anything."""
    spell = {datetime(2026, 1, 20) + n * HOUR: BAD for n in range(20)}
    lab = Lab(tmp_path)
    lab.fill(date(2026, 1, 1), 31, lambda at: spell.get(at, 50.0 if at == datetime(2026, 1, 19) else -0.5))
    lab.run()
    month = lab.one("emissions_monthly")
    assert month["mass_t"] > 0 > month["measured_t"]
    assert (month["measured_share_pct"], month["substituted_share_pct"]) == (None, None)


def with_parameter(name, value):
    """The rule book with one parameter changed."""
    rows = [
        replace(r, cells=r.cells | {"value": value}) if r.table == "parameter" and r.cells["name"] == name else r
        for r in BOOK._rows
    ]
    return RuleBook(BOOK.packs, rows, BOOK._flag_rows)


@pytest.mark.parametrize(
    "name",
    [
        "capture.quarter",
        "substitution.mixed_episode",
        "substitution.unknown_calibration",
        "substitution.n_scope",
        "substitution.negative",
    ],
)
def test_a_reading_that_is_not_built_is_refused_by_name(tmp_path, name):
    lab = Lab(tmp_path, book=with_parameter(name, "otherwise"))
    lab.fill(date(2026, 1, 1), 1, steady())
    with pytest.raises(Exception, match=name):
        lab.run()


# ---- what is counted, and from when ---------------------------------------------------------------------------------------------


def test_hours_before_the_data_or_the_outlet_are_not_missing(tmp_path):
    late = outlet("B", start=date(2026, 1, 20))
    lab = Lab(tmp_path, registry(*PLAIN.plants, *PLAIN.lines, outlet(), device(), late, device("B")))
    for n in range(10, 31):
        day = date(2026, 1, 1) + timedelta(days=n)
        lab.day(day, {("A", "nox"): [1.0] * 24} | ({("B", "nox"): [1.0] * 24} if n >= 19 else {}))
    lab.run()
    quarter = {r["outlet_id"]: r for r in lab.frame("capture_quarterly").iter_rows(named=True)}
    assert (quarter["A"]["hours"], quarter["A"]["invalid_hours"]) == (21 * 24, 0)
    assert (quarter["B"]["hours"], quarter["B"]["invalid_hours"]) == (12 * 24, 0)
    month = {r["outlet_id"]: r for r in lab.frame("emissions_monthly").iter_rows(named=True)}
    assert (month["A"]["period_hours"], month["A"]["complete"]) == (744, False)
    assert (month["B"]["period_hours"], month["B"]["complete"]) == (288, True)


def test_a_monitor_that_falls_silent_goes_on_to_count(tmp_path):
    """Ammonia is counted because it was sent; it stays until the end of the quarter after, then it was taken down."""
    lab = Lab(tmp_path)
    first = date(2026, 1, 1)
    for n in range(242):
        day = first + timedelta(days=n)
        lab.day(day, {("A", "nox"): [1.0] * 24} | ({("A", "nh3"): [1.0] * 24} if n < 31 else {}))
    lab.run()
    months = lab.frame("emissions_monthly").filter(pollutant="nh3").sort("month")
    assert months["month"].to_list() == [f"2026-0{m}" for m in range(1, 7)]
    assert months["no_substitute_hours"].to_list()[3:] == [720, 744, 720]
    assert lab.one("capture_quarterly", quarter="2026-Q2", pollutant="nh3")["capture_pct"] == 0.0


def test_an_outlet_without_a_monitor_has_no_row_and_a_main_one_without_data_has(tmp_path):
    rows = registry(*PLAIN.plants, *PLAIN.lines, outlet(), device(), outlet("K", "crusher"), outlet("T"))
    lab = Lab(tmp_path, rows)
    for n in range(31):
        lab.day(
            date(2026, 1, 1) + timedelta(days=n),
            {("A", "nox"): [1.0] * 24, ("K", "pm"): [BAD] * 24, ("T", "nox"): [BAD] * 24},
        )
    for key in list(lab.home.lake.keys("cems_hourly")):
        day = pl.DataFrame(pl.from_arrow(lab.home.lake.read("cems_hourly", key)))
        day = day.with_columns(
            minutes=pl.when(pl.col("outlet_id").cast(pl.String) == "A").then(pl.col("minutes")).otherwise(0)
        )
        lab.home.lake.write("cems_hourly", key, CEMS_HOURLY.arrow(day), made_by="test", inputs={})
    lab.run()
    made = {r["outlet_id"]: r for r in lab.frame("emissions_monthly").iter_rows(named=True)}
    assert set(made) == {"A", "T"}
    assert (made["T"]["mass_t"], made["T"]["no_substitute_hours"], made["T"]["lower_bound"]) == (None, 744, True)


# ---- quarters that are not over, and late data ------------------------------------------------------------------------------------


def test_a_quarter_is_provisional_until_its_last_day_is_there(lab):
    bad = {datetime(2026, 2, 3, 5): BAD}
    lab.fill(date(2026, 1, 1), 89, steady(bad))
    lab.run()
    hour = lab.hours()[datetime(2026, 2, 3, 5)]
    assert (hour["provisional"], hour["capture_pct"], hour["mass_kg"]) == (True, None, 10.0)
    assert lab.one("capture_quarterly")["provisional"]
    assert not lab.one("emissions_monthly", month="2026-02")["complete"]
    lab.fill(date(2026, 3, 31), 1, steady())
    made = lab.run()
    assert set(made["emissions"]) == {"2026-01", "2026-02", "2026-03"}
    assert made["emissions"]["2026-02"] == {
        "emissions_hourly",
        "emissions_daily",
        "emissions_monthly",
        "emissions_totals_daily",
        "emissions_totals_monthly",
    }
    assert not made["emissions"]["2026-01"], "nothing of January rests on the quarter"
    hour = lab.hours()[datetime(2026, 2, 3, 5)]
    assert (hour["provisional"], hour["capture_pct"]) == (False, pytest.approx(100 * 2159 / 2160, rel=1e-12))
    assert lab.one("emissions_monthly", month="2026-02")["complete"]


def test_the_end_of_a_quarter_changes_the_row_of_all_its_hours(lab):
    """Five bad days at the end of March take the rate below 90 %: an hour of January looks 2160 hours back."""

    def mass(at):
        if at == datetime(2026, 1, 20, 5) or at >= datetime(2026, 3, 22):
            return BAD
        return 50.0 if at == datetime(2025, 12, 25) else 10.0

    lab.fill(date(2025, 10, 1), 90 + 80, mass)
    lab.run()
    assert lab.hours()[datetime(2026, 1, 20, 5)]["mass_method"] == "max180"
    assert lab.hours()[datetime(2026, 1, 20, 5)]["mass_kg"] == 10.0
    lab.fill(date(2026, 3, 20), 12, mass)
    lab.run()
    hour = lab.hours()[datetime(2026, 1, 20, 5)]
    assert (hour["mass_method"], hour["mass_kg"], hour["basis_hour"]) == ("max2160", 50.0, datetime(2025, 12, 25))
    assert hour["rule_id"] == "hj75-2017/substitution.low_capture_valid_hours"


def test_a_late_day_moves_what_rests_on_it_and_nothing_else(lab):
    """A failure in March rests on late February; January's file stands, and April, which rests on nothing in February."""
    bad = {datetime(2026, 3, 2, 5): BAD, datetime(2026, 4, 20, 5): BAD}
    lab.fill(date(2026, 1, 1), 120, steady(bad))
    lab.run()
    before = lab.versions("emissions_hourly")
    assert lab.run() == {"capture": {}, "emissions": {}, "emissions_year": {}}
    lab.fill(date(2026, 2, 27), 1, steady(value=12.5))
    made = lab.run()
    assert made["capture"] == {"2026-02": set()}, "the counts are the same"
    assert set(made["emissions"]) == {"2026-02", "2026-03"}
    after = lab.versions("emissions_hourly")
    assert {k for k in after if after[k] != before[k]} == {"2026-02", "2026-03"}
    assert lab.hours()[datetime(2026, 3, 2, 5)]["mass_kg"] == 12.5
    assert lab.hours()[datetime(2026, 4, 20, 5)]["mass_kg"] == 10.0
    lab.fill(date(2026, 1, 27), 1, steady(value=12.0))
    assert set(lab.run()["emissions"]) == {"2026-01"}, "no later month looks that far back"


def test_an_episode_open_at_the_end_of_the_data_or_of_a_month(lab):
    """Twenty bad hours at the end of January are short, unless February goes on with them."""
    begin = datetime(2026, 1, 31, 4)
    lab.fill(date(2026, 1, 1), 31, lambda at: BAD if at >= begin else 20.0 if at.day < 15 else 10.0)
    lab.run()
    assert {
        (lab.hours()[begin + n * HOUR]["mass_kg"], lab.hours()[begin + n * HOUR]["provisional"]) for n in range(20)
    } == {(10.0, True)}
    for hours, kg in ((4, 10.0), (5, 20.0)):
        lab.fill(date(2026, 2, 1), 1, lambda at, hours=hours: BAD if at.hour < hours else 10.0)
        made = lab.run()
        assert set(made["emissions"]) == {"2026-01", "2026-02"}
        assert {lab.hours()[begin + n * HOUR]["mass_kg"] for n in range(20 + hours)} == {kg}


# ---- sums ---------------------------------------------------------------------------------------------------------------------


MANY = registry(
    plant(), plant("P2"), plant("P3", group="", province="云南"), *PLAIN.lines, Line("L2", "P2", "portland", 2500.0, LONG_AGO, None),
    outlet(), device(), outlet("B", "cooler", end=date(2026, 2, 11)), outlet("B", "cooler", plant_id="P2", line_id="L2", start=date(2026, 2, 11)),
    device("B"), outlet("C", plant_id="P3", line_id=None), device("C"),
)  # fmt: skip


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Three outlets, one of which changes hands in February; hours without a substitute at C."""
    lab = Lab(tmp_path_factory.mktemp("many"), MANY)
    for n in range(90):
        day = date(2026, 1, 1) + timedelta(days=n)
        start = datetime.combine(day, datetime.min.time())
        hours = [start + h * HOUR for h in range(24)]
        lab.day(day, {
            ("A", "nox"): [wave(h) for h in hours], ("A", "so2"): [0.1 * (1 + h.hour) for h in hours],
            ("B", "nox"): [0.3 + h.hour / 7 for h in hours],
            ("C", "nox"): [BAD if h.day % 2 else 1e-7 * h.day for h in hours],
        })  # fmt: skip
    lab.run()
    return lab


def test_every_sum_is_the_exact_sum_of_the_level_below(many):
    hourly, daily, monthly = (many.frame(f"emissions_{n}") for n in ("hourly", "daily", "monthly"))
    by_day = defaultdict(list)
    for r in hourly.iter_rows(named=True):
        by_day[r["outlet_id"], r["pollutant"], r["hour"].date()].append(r)
    assert len(by_day) == daily.height
    by_month, owned = defaultdict(list), defaultdict(list)
    for r in daily.iter_rows(named=True):
        rows = by_day[r["outlet_id"], r["pollutant"], r["day"]]
        assert r["mass_kg"] == fsum(h["mass_kg"] for h in rows)
        assert r["measured_kg"] == fsum(h["mass_kg"] for h in rows if h["mass_method"] == "measured")
        assert r["substituted_kg"] == fsum(h["mass_kg"] for h in rows if h["mass_method"].startswith("max"))
        assert [r["hours"], r["no_substitute_hours"]] == [len(rows), sum(h["mass_kg"] is None for h in rows)]
        by_month[r["outlet_id"], r["pollutant"], str(r["day"])[:7]].append(r["mass_kg"])
        group, province = {"P1": ("甲", "贵州"), "P2": ("甲", "贵州"), "P3": (None, "云南")}[r["plant_id"]]
        for scope, name in (("line", r["line_id"]), ("plant", r["plant_id"]), ("group", group), ("province", province)):
            if name:
                owned[scope, name, r["pollutant"], r["day"]].append(r)
    assert {(r["outlet_id"], r["pollutant"], r["month"]): r["mass_t"] for r in monthly.iter_rows(named=True)} == {
        k: fsum(v) / 1000 for k, v in by_month.items()
    }
    totals = {
        (r["scope"], r["scope_id"], r["pollutant"], r["day"]): r
        for r in many.frame("emissions_totals_daily").iter_rows(named=True)
    }
    assert totals.keys() == owned.keys()
    for key, rows in owned.items():
        assert totals[key]["mass_kg"] == fsum(r["mass_kg"] for r in rows)
        assert totals[key]["outlets"] == len({r["outlet_id"] for r in rows})
        assert totals[key]["no_substitute_hours"] == sum(r["no_substitute_hours"] for r in rows)
    months = defaultdict(list)
    for (scope, name, pollutant, day), rows in owned.items():
        months[scope, name, pollutant, str(day)[:7]] += rows
    made = {
        (r["scope"], r["scope_id"], r["pollutant"], r["month"]): r
        for r in many.frame("emissions_totals_monthly").iter_rows(named=True)
    }
    assert made.keys() == months.keys()
    for key, rows in months.items():
        assert made[key]["mass_t"] == fsum(r["mass_kg"] for r in rows) / 1000
    for annual, parts, key in (
        ("emissions_annual", monthly, ("outlet_id", "pollutant")),
        ("emissions_totals_annual", many.frame("emissions_totals_monthly"), ("scope", "scope_id", "pollutant")),
    ):
        of_year = defaultdict(list)
        for r in parts.iter_rows(named=True):
            of_year[tuple(r[k] for k in key)].append(r["mass_t"])
        assert {tuple(r[k] for k in key): r["mass_t"] for r in many.frame(annual).iter_rows(named=True)} == {
            k: fsum(v) for k, v in of_year.items()
        }


def fsum(values):
    known = [v for v in values if v is not None]
    return math.fsum(known) if known else None


def test_shares_make_a_hundred_and_totals_say_when_they_are_lower_bounds(many):
    for table in ("emissions_monthly", "emissions_annual", "emissions_totals_monthly", "emissions_totals_annual"):
        frame = many.frame(table)
        shares = frame.select(pl.sum_horizontal("measured_share_pct", "substituted_share_pct").alias("s"), "mass_t")
        assert all(s == pytest.approx(100.0, abs=1e-9) for s, mass in shares.iter_rows() if mass)
        assert (frame["lower_bound"] == (frame["no_substitute_hours"] > 0)).all()
    assert many.one("emissions_totals_annual", scope="province", scope_id="云南")["lower_bound"]
    assert not many.one("emissions_totals_annual", scope="province", scope_id="贵州", pollutant="so2")["lower_bound"]


def test_an_outlet_that_changes_hands_counts_for_each_owner_on_its_days(many):
    months = many.frame("emissions_totals_monthly").filter(scope="line", scope_id="L2").sort("month")
    assert months["hours"].to_list() == [18 * 24, 31 * 24]
    assert months["period_hours"].to_list() == [18 * 24, 31 * 24]
    year = many.one("emissions_totals_annual", scope="line", scope_id="L2")
    assert year["period_hours"] == (365 - 31 - 10) * 24
    both = many.one("emissions_totals_annual", scope="group", scope_id="甲", pollutant="nox")
    assert (both["outlets"], both["period_hours"]) == (2, 2 * 365 * 24)
    assert not both["complete"]


def test_months_made_in_any_order_and_anew_give_the_same_bytes(many, tmp_path):
    lab = Lab(tmp_path, MANY)
    for key in reversed(many.home.lake.keys("cems_hourly")):
        lab.home.lake.write("cems_hourly", key, many.home.lake.read("cems_hourly", key), made_by="test", inputs={})
        if key in ("2026-03-20", "2026-02-03"):
            lab.run()
    lab.run()
    for table in (*product("emissions").tables, *product("emissions_year").tables, "capture_monthly"):
        assert lab.versions(table) == many.versions(table)


@pytest.mark.parametrize(
    ("check", "key", "table", "change"),
    [
        pytest.param("mass_adds_up", "2026-02", "emissions_hourly", pl.col("mass_kg") * 1.001, id="hours-days"),
        pytest.param("mass_adds_up", "2026-02", "emissions_daily", pl.col("mass_kg") + 1, id="days-months"),
        pytest.param("mass_adds_up", "2026-02", "emissions_monthly", pl.col("measured_share_pct") - 1, id="shares"),
        pytest.param("mass_adds_up", "2026-02", "emissions_monthly", ~pl.col("lower_bound"), id="lower-bounds"),
        pytest.param("years_add_up", "2026", "emissions_monthly", pl.col("mass_t") + 1, id="months-years"),
        pytest.param("years_add_up", "2026", "emissions_totals_monthly", pl.col("mass_t") + 1, id="totals"),
        pytest.param("years_add_up", "2026", "emissions_monthly", pl.lit(1, pl.Int32).alias("substituted_hours"), id="R9-below-75"),
    ],
)  # fmt: skip
def test_the_checks_hold_and_find_what_does_not_add_up(many, check, key, table, change):
    held = next(c for c in CHECKS if c.id == check)
    lake = many.home.lake
    verdict = held.verdict(many.home, lake.keys(held.table))
    assert verdict.passed
    assert verdict.blocking
    partition = "2026-02" if TABLES[table].partition == "month" else key
    sound = lake.read(table, partition)
    lake.write(
        table,
        partition,
        TABLES[table].arrow(pl.DataFrame(pl.from_arrow(sound)).with_columns(change)),
        made_by="test",
        inputs={},
    )
    found = held.verdict(many.home, [key])
    lake.write(table, partition, sound, made_by="test", inputs={})
    assert not found.passed
    assert all(key in p for p in found.problems)


def test_the_edition_of_the_day_decides_what_a_valid_day_is(lab):
    """HJ/T 75-2007 took 18 valid hours for a valid day, until 28 February 2018."""
    lab.fill(date(2018, 2, 25), 8, lambda at: BAD if at.hour < 6 else 10.0)
    lab.run()
    days = lab.frame("emissions_daily").sort("day")
    assert days["valid_day"].to_list() == [True] * 4 + [False] * 4
    rules = lab.frame("emissions_hourly").filter(pl.col("mass_method") == "max2160")["rule_id"].unique().to_list()
    assert sorted(rules) == [
        "hj75-2017/substitution.low_capture_valid_hours",
        "hjt75-2007/substitution.low_capture_valid_hours",
    ]


@pytest.mark.parametrize(("late_apply", "table"), [(True, 5), (False, 6)])
def test_a_mark_declared_late_counts_as_the_policy_says(tmp_path, late_apply, table):
    begin = datetime(2026, 1, 20, 6)
    told = mark(begin, begin + HOUR, channel="flow", calibrated=begin - 30 * HOUR, late=True)
    lab = Lab(tmp_path, book=with_parameter("marks.late_apply", late_apply), events=[told])
    lab.fill(date(2026, 1, 1), 22, steady())
    day = pl.DataFrame(pl.from_arrow(lab.home.lake.read("cems_hourly", "2026-01-20")))
    day = day.with_columns(mass_kg=pl.when(pl.col("hour") == begin).then(None).otherwise("mass_kg"))
    lab.home.lake.write("cems_hourly", "2026-01-20", CEMS_HOURLY.arrow(day), made_by="test", inputs={})
    lab.run()
    assert lab.hours()[begin]["hj75_table"] == table
