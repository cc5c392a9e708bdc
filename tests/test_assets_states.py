"""Declared states in the judgement room, and what is drawn from judged hours: the floor, plants, episodes, the year."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime, timedelta

import polars as pl
import pyarrow as pa
import pytest

from assets.annual import make_annual
from assets.checks import checks_of
from assets.judgement_series import JudgementError
from contracts import TABLES
from contracts.ule import HEADLINE_POLICY, POLICIES
from contracts.ule_more import ULE_ANNUAL
from resources.events import OPEN, EventBook
from resources.registry import Permit
from resources.rules import RuleError
from tests.homes import device as device_row
from tests.homes import outlet as outlet_row
from tests.homes import write_home
from tests.test_assets_judgement import (
    BOOK,
    GOOD,
    PLAIN,
    FakeBench,
    device,
    fill,
    frame,
    headline,
    hours,
    line,
    outlet,
    plant,
    policies,
    registry,
    stretch,
)

OCTOBER = date(2026, 10, 1)


def at(hour, first=OCTOBER):
    """The clock after so many hours of October 2026."""
    return datetime(first.year, first.month, first.day) + timedelta(hours=hour)


def filled(values, events=(), rows=PLAIN, first=OCTOBER, others=GOOD):
    """A bench whose NOx at outlet A are `values`, hour by hour from `first`."""
    bench = FakeBench(rows, events=EventBook(events))
    for d in range(-(-len(values) // 24)):
        day = first + timedelta(days=d)
        nox = (values[24 * d : 24 * d + 24] + [None] * 24)[:24]
        bench.tables["cems_hourly"][str(day)] = hours(day, {**others, ("A", "nox"): nox})
    return bench


def nox(made, outlet_id="A"):
    return frame(made["ule_hourly"]).filter(pl.col("outlet_id") == outlet_id, pl.col("pollutant") == "nox").sort("hour")


# ---- states -----------------------------------------------------------------------------------------------------------


V18_VALUES = [None] * 45 + [300.0] * 40 + [60.0] * 5 + [40.0] * 645 + [300.0] * 9
V18_EVENTS = (
    stretch("stopped", at(0), at(45)),
    stretch("cold_start", at(45), at(85)),
    stretch("shutdown", at(735), at(744)),
)


def test_V18_start_and_stop_under_each_policy():
    made = filled(V18_VALUES, V18_EVENTS).make("2026-10")
    found = policies(made, "nox")
    strict, capped = found[HEADLINE_POLICY], found["exclude_tagged_within_cap"]
    assert (strict["judged_hours"], strict["ok_hours"], strict["verdict"]) == (699, 645, "FAIL")
    assert (capped["judged_hours"], capped["ok_hours"], capped["verdict"]) == (655, 645, "PASS")
    assert (round(strict["share_pct"], 3), round(capped["share_pct"], 3)) == (92.275, 98.473)
    assert {r["production_hours"] for r in found.values()} == {699}
    assert found["exclude_all_tagged"]["judged_hours"] == 650
    assert set(found) == set(POLICIES)
    # 44 exempt hours are left out of the floor test under every policy
    assert (strict["mandatory_hours"], capped["mandatory_hours"]) == (655, 655)


def test_V18_hours_say_state_and_exemption():
    rows = nox(filled(V18_VALUES, V18_EVENTS).make("2026-10"))
    states = dict(rows["process_state"].value_counts().iter_rows())
    assert states == {"stopped": 45, "cold_start": 40, "running": 650, "shutdown": 9}
    assert rows["exempt"].sum() == 36 + 8
    assert rows.filter(pl.col("process_state") == "stopped")["excluded_reason"].unique().to_list() == ["not_producing"]
    exempt = rows.filter("exempt")
    assert exempt["judged"].all()
    assert not exempt["ok"].any()
    assert exempt["mandatory_ok"].null_count() == exempt.height


def test_R13_exempt_hours_are_no_breach_of_the_standard_and_others_are():
    """Limit 400: hours at 500 within the cap break nothing, those after it do; the ultra-low verdict stands by itself."""
    values = [500.0] * 40 + [40.0] * 704
    made = filled(values, [stretch("cold_start", at(0), at(40))]).make("2026-10")
    row = headline(made, "nox")
    assert (row["mandatory_hours"], row["mandatory_fail_hours"], row["mandatory_verdict"]) == (708, 4, "FAIL")
    assert row["verdict"] == "FAIL"
    short = filled([500.0] * 36 + [40.0] * 708, [stretch("cold_start", at(0), at(40))]).make("2026-10")
    row = headline(short, "nox")
    assert (row["mandatory_fail_hours"], row["mandatory_verdict"], row["verdict"]) == (0, "PASS", "PASS")
    one = filled([401.0] + [40.0] * 743).make("2026-10")
    assert (headline(one, "nox")["verdict"], headline(one, "nox")["mandatory_verdict"]) == ("PASS", "FAIL")
    assert "强制标准" in headline(one, "nox")["warning"]


def test_R15_dust_stays_judged_in_a_start():
    dusty = {**GOOD, ("A", "pm"): [35.0] * 24}
    made = filled([500.0] * 24, [stretch("cold_start", at(0), at(24))], others=dusty).make("2026-10")
    assert headline(made, "nox")["mandatory_hours"] == headline(made, "so2")["mandatory_hours"] == 0
    assert headline(made, "nox")["mandatory_verdict"] is None
    pm = headline(made, "pm")
    assert (pm["mandatory_hours"], pm["mandatory_fail_hours"]) == (24, 24)
    joint = policies(made, "joint")["exclude_tagged_within_cap"]
    assert (joint["judged_hours"], joint["ok_hours"], joint["mandatory_fail_hours"]) == (24, 0, 24)


def test_R15_a_late_declaration_has_no_cap_and_says_so():
    late = [stretch("hot_start", at(0), at(8), late=True)]
    row = headline(filled([500.0] * 8 + [40.0] * 736, late).make("2026-10"), "nox")
    assert (row["mandatory_fail_hours"], row["mandatory_hours"]) == (8, 744)
    assert "declared late" in row["warning"]
    pm = headline(filled([40.0] * 744, late).make("2026-10"), "pm")
    assert pm["warning"] is None
    bench = filled([500.0] * 8 + [40.0] * 736, late)
    bench._book = Changed({"states.late_exempts": True})
    row = headline(bench.make("2026-10"), "nox")
    assert (row["mandatory_fail_hours"], row["mandatory_hours"], row["warning"]) == (0, 736, None)


def test_R15_the_clock_of_an_event_runs_over_the_border_of_months():
    start = datetime(2026, 9, 29, 18)
    events = [stretch("cold_start", start, datetime(2026, 10, 2), start=start)]
    rows = nox(filled([300.0] * 24 + [40.0] * 720, events).make("2026-10"))
    assert rows["exempt"].sum() == 6
    assert rows["exempt"].to_list()[:6] == [True] * 6
    assert (rows["process_state"] == "cold_start").sum() == 24


def test_states_reach_only_the_outlets_of_their_line_that_share_the_kiln():
    rows = registry(
        plant(), line(), line("L2"), outlet(), outlet("C", "cooler"), outlet("M", "coal_mill"), outlet("B", line_id="L2"),
        *(device(o) for o in "ACMB"),
    )  # fmt: skip
    others = {("C", "pm"): [5.0] * 24, ("M", "pm"): [5.0] * 24, ("B", "nox"): [40.0] * 24}
    made = filled([40.0] * 744, [stretch("stopped", at(100), OPEN)], rows, others=others).make("2026-10")
    stopped = frame(made["ule_hourly"]).filter(pl.col("process_state") == "stopped")
    assert dict(stopped.group_by("outlet_id").len().iter_rows()) == {"A": 3 * 644, "C": 644}
    assert headline(made, "pm", "C")["production_hours"] == 100
    assert headline(made, "pm", "M")["production_hours"] == 744


def test_a_month_that_is_stopped_has_no_production():
    made = filled([], [stretch("stopped", datetime(2026, 9, 1), OPEN)])
    fill(made, OCTOBER, 31, {})
    found = made.make("2026-10")
    assert headline(found, "nox")["verdict"] == "NO_PRODUCTION"
    assert headline(found, "nox")["mandatory_verdict"] is None
    assert frame(found["mandatory_monthly"])["verdict"].unique().to_list() == ["NO_PRODUCTION"]
    assert scopes(found)["plant", "P1", HEADLINE_POLICY, "per_pollutant"]["verdict"] == "NO_PRODUCTION"


def test_nothing_is_recorded_in_an_hour_that_only_says_it_was_stopped():
    """Rows of a stopped line with the reason `stopped` do not make an unmonitored outlet a recorded one."""
    bench = FakeBench(registry(plant(), line(), outlet(), outlet("K", "packing"), device()))
    fill(bench, OCTOBER, 31, GOOD)
    day = bench.tables["cems_hourly"]["2026-10-05"]
    silent = hours(date(2026, 10, 5), {("K", "pm"): [-9] * 24})
    texts = pl.DataFrame(pl.from_arrow(silent)).with_columns(null_reason=pl.lit("stopped"))
    columns = {n: texts[n].cast(pl.String) if n != "hour" and "id" in n else texts[n] for n in texts.columns}
    joined = pa.concat_tables([day, pa.table({n: columns[n].to_arrow() for n in day.column_names}).cast(day.schema)])
    bench.tables["cems_hourly"]["2026-10-05"] = joined
    assert set(frame(bench.make("2026-10")["ule_hourly"])["outlet_id"]) == {"A"}


class Changed:
    """The packaged rule book with some parameters said differently."""

    def __init__(self, values):
        self._values = values

    def parameter(self, name, day):
        found = BOOK.parameter(name, day)
        return replace(found, value=self._values.get(name, found.value))

    def __getattr__(self, name):
        return getattr(BOOK, name)


@pytest.mark.parametrize("value", [30, 61])
def test_minutes_that_fill_an_hour_must_be_more_than_half_of_it(value):
    bench = filled([40.0] * 24, [stretch("stopped", at(0), at(5))])
    bench._book = Changed({"caps.min_minutes_per_hour": value})
    with pytest.raises(JudgementError, match="between 31 and 60"):
        bench.make("2026-10")


def test_before_the_caps_are_in_force_stops_are_stops_and_nothing_is_exempt():
    first = date(2022, 11, 1)
    with pytest.raises(RuleError):
        BOOK.parameter("caps.cold_start_h", first)
    declared = [stretch("stopped", at(0, first), at(9, first)), stretch("cold_start", at(9, first), at(20, first))]
    rows = nox(filled([40.0] * 48, declared, first=first).make("2022-11"))
    assert rows["process_state"].to_list()[8:21] == ["stopped"] + ["cold_start"] * 11 + ["running"]
    assert not rows["exempt"].any()


# ---- the mandatory standard ----------------------------------------------------------------------------------------------


def floor(made, pollutant, outlet_id="A"):
    rows = frame(made["mandatory_monthly"]).filter(pl.col("outlet_id") == outlet_id, pl.col("pollutant") == pollutant)
    return rows.row(0, named=True) if rows.height else None


def test_R14_nh3_is_tested_where_a_reductant_is_used():
    ammonia = {**GOOD, ("A", "nh3"): [9.0] * 12 + [11.0] * 11 + [math.nan]}
    for reductant, known in (("ammonia", True), ("none", False)):
        rows = registry(plant(), line(), outlet(reductant=reductant), device())
        made = filled([40.0] * 744, rows=rows, others=ammonia).make("2026-10")
        row = floor(made, "nh3")
        assert (row is not None) == known
    row = floor(
        filled([40.0] * 744, rows=registry(plant(), line(), outlet(reductant="urea"), device()), others=ammonia).make(
            "2026-10"
        ),
        "nh3",
    )
    assert (row["production_hours"], row["judged_hours"], row["fail_hours"]) == (744, 713, 341)
    assert (row["worst_mg_m3"], row["worst_hour"], row["limit_mg_m3"]) == (11.0, datetime(2026, 10, 1, 12), 10.0)
    assert (row["rule_id"], row["verdict"]) == ("gb4915-2013/kiln_tail/nh3/general", "FAIL")


def test_R14_pollutants_of_an_outlet_that_must_be_monitored_have_a_row_without_data():
    bench = FakeBench(PLAIN)
    fill(bench, OCTOBER, 31, {})
    made = bench.make("2026-10")
    row = floor(made, "nox")
    assert (row["production_hours"], row["judged_hours"], row["verdict"]) == (744, 0, "INSUFFICIENT")
    assert (row["worst_mg_m3"], row["worst_hour"], row["limit_mg_m3"]) == (None, None, 400.0)
    assert floor(made, "nh3") is None


def test_R14_the_worst_hour_is_that_in_proportion_to_its_limit():
    own = Permit("A", "nox", 100.0, "排污许可证", date(2026, 10, 2), None)
    made = filled(
        [350.0] * 24 + [90.0] * 5 + [40.0] * 715, rows=registry(plant(), line(), outlet(), device(), own)
    ).make("2026-10")
    row = floor(made, "nox")
    assert (row["worst_mg_m3"], row["limit_mg_m3"], row["rule_id"]) == (90.0, 100.0, "permit/A/nox")
    assert row["verdict"] == "PASS"
    thin = filled([40.0] * 500 + [math.nan] * 244).make("2026-10")
    assert floor(thin, "nox")["verdict"] == "INSUFFICIENT"
    assert floor(filled([401.0] + [math.nan] * 743).make("2026-10"), "nox")["verdict"] == "FAIL"


# ---- plants, lines, progress ------------------------------------------------------------------------------------------------


def scopes(made):
    return {
        (r["scope"], r["scope_id"], r["policy"], r["combine"]): r
        for r in frame(made["ule_plants"]).iter_rows(named=True)
    }


def test_V17_a_plant_that_passes_by_pollutant_fails_jointly():
    values = [60.0] * 30 + [40.0] * 690
    bench = FakeBench(PLAIN)
    for d in range(30):
        day = date(2026, 9, 1) + timedelta(days=d)
        dust = [12.0 if 30 <= 24 * d + h < 40 else 5.0 for h in range(24)]
        bench.tables["cems_hourly"][str(day)] = hours(
            day, {**GOOD, ("A", "nox"): values[24 * d : 24 * d + 24], ("A", "pm"): dust}
        )
    made = bench.make("2026-09")
    assert [round(headline(made, p)["share_pct"], 3) for p in ("nox", "pm", "joint")] == [95.833, 98.611, 94.444]
    found = scopes(made)
    for scope in (("plant", "P1"), ("line", "L1")):
        assert found[*scope, HEADLINE_POLICY, "per_pollutant"]["verdict"] == "PASS"
        assert found[*scope, HEADLINE_POLICY, "joint"]["verdict"] == "FAIL"


@pytest.mark.parametrize(
    ("second", "third", "verdict", "counts"),
    [
        ("good", "good", "PASS", (3, 3, 0, 0, 0)),
        ("bad", "good", "FAIL", (3, 2, 1, 0, 0)),
        ("silent", "good", "INSUFFICIENT", (3, 2, 0, 1, 0)),
        ("silent", "bad", "FAIL", (3, 1, 1, 1, 0)),
        ("stopped", "good", "PASS", (3, 2, 0, 0, 1)),
    ],
)
def test_a_plant_is_the_and_of_its_outlets(second, third, verdict, counts):
    values = {"good": [40.0] * 24, "bad": [60.0] * 24, "silent": [None] * 24, "stopped": [None] * 24}
    rows = registry(
        plant(), line(), line("L2"), outlet(), outlet("B", line_id="L2"), outlet("C", "dryer", line_id=None), *(device(o) for o in "ABC")
    )  # fmt: skip
    dust = {("B", "pm"): [5.0 if second in ("good", "bad") else None] * 24, ("B", "so2"): [5.0 if second in ("good", "bad") else None] * 24,
            ("C", "pm"): [5.0] * 24, ("C", "so2"): [5.0] * 24}  # fmt: skip
    others = {**GOOD, **dust, ("B", "nox"): values[second], ("C", "nox"): values[third]}
    events = [stretch("stopped", at(0), OPEN, line_id="L2")] if second == "stopped" else []
    found = scopes(filled([40.0] * 744, events, rows, others=others).make("2026-10"))
    row = found["plant", "P1", HEADLINE_POLICY, "per_pollutant"]
    names = ("outlets", "pass_outlets", "fail_outlets", "insufficient_outlets", "no_production_outlets")
    assert (row["verdict"], tuple(row[n] for n in names)) == (verdict, counts)
    of_line = {k[1] for k in found if k[0] == "line"}
    assert of_line == {"L1", "L2"}
    expected = {"good": "PASS", "bad": "FAIL", "silent": "INSUFFICIENT", "stopped": "NO_PRODUCTION"}[second]
    assert found["line", "L2", HEADLINE_POLICY, "per_pollutant"]["verdict"] == expected
    assert len(found) == 3 * len(POLICIES) * 2


def test_progress_is_unknown_before_the_opinion():
    bench = FakeBench(PLAIN)
    fill(bench, date(2023, 12, 1), 62, GOOD)
    december, january = (frame(bench.make(m)["ule_progress"]) for m in ("2023-12", "2024-01"))
    assert december["share_pct"].null_count() == december["compliant_capacity_t_d"].null_count() == december.height == 3
    assert december["capacity_t_d"].to_list() == [5000.0] * 3
    assert january["share_pct"].to_list() == [100.0] * 3


# ---- running figures ----------------------------------------------------------------------------------------------------------


def test_V34_budget_and_the_hour_that_would_spend_it():
    values = [60.0] * 12 + [40.0] * 388
    made = filled(values, first=date(2026, 9, 1), others={}).make("2026-09")
    rows = nox(made)
    assert rows["fail_budget_hours"][399] == 24
    assert rows["budget_spent_at"][399] is None
    # after 100 hours with 12 fails: ceil(24 x 100 / 12) = the 200th hour ahead
    assert rows["budget_spent_at"][99] == datetime(2026, 9, 1) + timedelta(hours=299)
    broken = nox(filled([60.0] * 50 + [40.0] * 22, first=date(2026, 9, 1), others={}).make("2026-09"))
    assert broken["fail_budget_hours"][35] == 0
    assert set(broken["budget_spent_at"][35:]) == {datetime(2026, 9, 2, 11)}


def test_windows_of_days_reach_into_the_months_before():
    bench = FakeBench(PLAIN)
    for month, value in ((1, 40.0), (2, 40.0), (3, 40.0)):
        fill(bench, date(2026, month, 1), 28 if month == 2 else 31, {**GOOD, ("A", "nox"): [value] * 24})
    fill(bench, date(2026, 1, 30), 1, {**GOOD, ("A", "nox"): [60.0] * 24})
    fill(bench, date(2026, 2, 28), 1, {**GOOD, ("A", "nox"): [60.0] * 12 + [None] * 12})
    rows = [nox(bench.make(f"2026-0{m}")) for m in (1, 2, 3)]
    march = rows[2]
    assert march["trailing_24h_share_pct"][0] == pytest.approx(
        100 * 1 / 12
    )  # 11 failing hours of the day before, one good
    assert march["trailing_24h_share_pct"][12] == 100.0
    # 30 days before the end of the first hour of March begin with the second hour of 30 January
    assert march["trailing_30d_share_pct"][0] == pytest.approx(100 * (708 - 23 - 12) / 708)
    assert march["trailing_30d_share_pct"][23] == pytest.approx(100 * (708 - 12) / 708)


# ---- episodes and the year ------------------------------------------------------------------------------------------------------


def episodes_of(made, kind="ule", pollutant="nox"):
    rows = frame(made["ule_episodes"]).filter(pl.col("kind") == kind, pl.col("pollutant") == pollutant)
    return rows.sort("start").to_dicts()


def test_episodes_end_at_any_hour_that_does_not_fail():
    values = [60.0, 70.0, 65.0, 40.0, 60.0, math.nan, 60.0, None, 500.0, 60.0] + [40.0] * 734
    events = [stretch("shutdown", at(1), at(3)), stretch("stopped", at(9), at(10))]
    made = filled(values, events).make("2026-10")
    found = episodes_of(made)
    assert [(r["start"].hour, r["hours"], r["peak_mg_m3"], r["peak_hour"].hour) for r in found] == [
        (0, 3, 70.0, 1), (4, 1, 60.0, 4), (6, 1, 60.0, 6), (8, 1, 500.0, 8),
    ]  # fmt: skip
    assert [r["mean_mg_m3"] for r in found] == [65.0, 60.0, 60.0, 500.0]
    assert [r["tagged_hours"] for r in found] == [2, 0, 0, 0]
    assert {(r["limit_mg_m3"], r["rule_id"]) for r in found} == {(50.0, "cn-ule-2024/kiln_tail/nox")}
    assert [(r["start"].hour, r["limit_mg_m3"]) for r in episodes_of(made, "mandatory")] == [(8, 400.0)]
    assert not any(r["continues_before"] or r["continues_after"] for r in found)


def bench_of_a_year():
    """NOx fails from 29 to 31 January, on through 1 February, and for ten hours in March; October to March are judged."""
    bench = FakeBench(PLAIN)
    fill(bench, date(2025, 12, 1), 31 + 31 + 28 + 31, GOOD)
    bad = {**GOOD, ("A", "nox"): [60.0] * 24}
    fill(bench, date(2025, 12, 31), 1, bad)
    fill(bench, date(2026, 1, 1), 1, bad)
    fill(bench, date(2026, 1, 30), 3, bad)
    fill(bench, date(2026, 3, 5), 1, {**GOOD, ("A", "nox"): [60.0] * 10 + [40.0] * 14})
    return bench


def test_episodes_over_the_border_of_months_say_so():
    bench = bench_of_a_year()
    made = {m: bench.make(m) for m in ("2025-12", "2026-01", "2026-02")}
    january, february = episodes_of(made["2026-01"]), episodes_of(made["2026-02"])
    assert [(r["continues_before"], r["continues_after"], r["hours"]) for r in january] == [
        (True, False, 24),
        (False, True, 48),
    ]
    assert [(r["continues_before"], r["continues_after"], r["hours"]) for r in february] == [(True, False, 24)]


class YearBench:
    def __init__(self, made):
        self._made = made

    def keys(self, name, first="", last="~"):
        return [k for k in sorted(self._made) if first <= k <= last]

    def table(self, name, key, columns=None):
        return self._made[key][name].select(columns)


def test_the_year_sums_months_and_joins_episodes():
    bench = bench_of_a_year()
    made = {m: bench.make(m) for m in ("2025-12", "2026-01", "2026-02", "2026-03")}
    table = make_annual(YearBench(made), "2026")["ule_annual"]
    assert ULE_ANNUAL.violations(table) == []
    rows = {r["pollutant"]: r for r in frame(table).iter_rows(named=True)}
    assert set(rows) == {"nox", "pm", "so2", "joint"}
    row = rows["nox"]
    assert (row["months"], row["pass_months"], row["fail_months"]) == (3, 2, 1)
    hours_of_year = 24 * (31 + 28 + 31)
    assert (row["judged_hours"], row["ok_hours"]) == (hours_of_year, hours_of_year - 24 * 4 - 10)
    assert row["share_pct"] == 100.0 * row["ok_hours"] / hours_of_year
    # 48 hours of January and 24 of February are one run; the run over New Year counts within the year
    assert (row["longest_episode_hours"], row["longest_episode_start"]) == (72, datetime(2026, 1, 30))
    assert row["longest_episode_end"] == datetime(2026, 2, 2)
    # the worst 720 h hold 96 + 24 failing hours less what has left the window: those of New Year are in until 30 January
    trailing = pl.concat(nox(made[m]).select("hour", "trailing_720h_share_pct") for m in made if m >= "2026")
    worst = trailing.sort("trailing_720h_share_pct", "hour").row(0)
    assert (row["worst_720h_until"], row["worst_720h_share_pct"]) == worst
    assert rows["joint"]["worst_720h_share_pct"] is None
    assert rows["joint"]["longest_episode_hours"] is None
    assert rows["pm"]["longest_episode_hours"] is None
    assert make_annual(YearBench(made), "2024") == {}


# ---- the check --------------------------------------------------------------------------------------------------------------------


def broken(table, **values):
    """A table with columns of its first row said differently."""
    frame_ = pl.DataFrame(pl.from_arrow(table)).with_columns(pl.col(pl.Categorical).cast(pl.String)).with_row_index("n")
    changed = [pl.when(pl.col("n") == 0).then(pl.lit(v)).otherwise(pl.col(n)).alias(n) for n, v in values.items()]
    return frame_.with_columns(changed).drop("n")


@pytest.mark.parametrize(
    ("table", "values", "text"),
    [
        ("ule_monthly", {}, None),
        ("ule_monthly", {"mandatory_fail_hours": 3}, "A joint count_as_fail does not add up"),
        ("ule_monthly", {"mandatory_verdict": None}, "does not add up"),
        (
            "ule_monthly",
            {"mandatory_hours": 744, "judged_hours": 700, "ok_hours": 700, "allowed_fail_hours": 35},
            "does not add up",
        ),
        ("ule_plants", {"verdict": "FAIL"}, "L1 count_as_fail joint does not add up: 1 outlets, verdict FAIL"),
        ("ule_plants", {"pass_outlets": 2}, "does not add up"),
    ],
    ids=[
        "sound",
        "fails-without-a-verdict",
        "tested-without-a-verdict",
        "more-tested-than-judged",
        "plant-verdict",
        "plant-counts",
    ],
)
def test_the_check_sees_verdicts_that_do_not_add_up(tmp_path, table, values, text):
    made = filled([40.0] * 744).make("2026-10")
    home = write_home(tmp_path, {}, outlets=[outlet_row()], devices=[device_row()])
    for name in ("ule_monthly", "ule_plants"):
        content = TABLES[name].arrow(broken(made[name], **values)) if name == table else made[name]
        home.lake.write(name, "2026-10", content, made_by="test", inputs={})
    (check,) = checks_of(["ule_monthly"])
    problems = check.verdict(home, ["2026-10"]).problems
    assert [p for p in problems if text and text in p] or (text is None and not problems), problems


def test_R13_both_tables_of_the_floor_say_the_same_of_a_month_with_few_values():
    bench = filled([40.0] * 16 + [math.nan] * 728)
    made = bench.make("2026-10")
    monthly = nox_of(frame(made["ule_monthly"]), "A")
    assert (monthly["mandatory_verdict"], floor(made, "nox")["verdict"]) == ("INSUFFICIENT", "INSUFFICIENT")


def nox_of(rows, outlet_id):
    chosen = pl.col("outlet_id") == outlet_id, pl.col("pollutant") == "nox", pl.col("policy") == "include_all_fuel_on"
    return rows.filter(*chosen).row(0, named=True)


def test_hours_before_the_first_data_of_a_home_are_no_production():
    first = date(2026, 10, 10)
    made = filled([40.0] * (24 * 22), first=first).make("2026-10")
    row = nox_of(frame(made["ule_monthly"]), "A")
    assert (row["production_hours"], row["capture_pct"], row["verdict"]) == (24 * 22, 100.0, "PASS")
    assert "begin within the month" in row["warning"]
    assert frame(made["ule_hourly"])["hour"].min() == datetime(2026, 10, 10)
