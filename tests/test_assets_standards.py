"""The standards room: European days, American operating days, what is missing said, and what is recorded as an input."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from assets.products import bring_up, product, reasons
from assets.standards import make_standards
from contracts.cems import CEMS_HOURLY
from contracts.standards import STANDARDS_DAILY, STANDARDS_MONTHLY
from resources.registry import Outlet, Plant, Registry
from resources.rules import RuleBook
from resources.standards import Standards
from tests.homes import outlet as outlet_row
from tests.homes import write_home
from tests.rules_edit import edited

LONG_AGO = date(2015, 1, 1)
BOOK = RuleBook.load()
HEADER = "scope,pack,variant,valid_from,valid_to\n"
REGISTRY = Registry(
    (Plant("P1", "厂", "plant", "", "", "贵州", "", None, None, 88.0, "general", LONG_AGO, None),), (),
    (
        Outlet("A", "P1", "L1", "kiln_tail", 10.0, 0.9, None, "ammonia", LONG_AGO, None),
        Outlet("C", "P1", "L1", "cooler", 10.0, 0.9, None, None, LONG_AGO, None),
    ), (), (),
)  # fmt: skip


class FakeBench:
    """What the maker needs of a bench, over tables in memory; `looked` lists the inputs it opened."""

    def __init__(self, choices: str) -> None:
        self.tables = {"cems_hourly": {}, "standards_daily": {}, "standards_monthly": {}}
        self.looked = []
        self._standards = Standards.from_text(HEADER + choices, REGISTRY, BOOK)

    def table(self, name, key, columns=None):
        self.looked.append((name, key))
        found = self.tables[name].get(key)
        return None if found is None else found.select(columns or found.column_names)

    def keys(self, name, first="", last="~"):
        return [k for k in sorted(self.tables[name]) if first <= k <= last]

    def frontier(self, name, not_after):
        keys = [k for k in sorted(self.tables[name]) if k <= not_after]
        later = [k for k in sorted(self.tables[name]) if k > not_after]
        return "" if not keys else not_after if later else keys[-1]

    def registry(self, first, last):
        return REGISTRY

    def rules(self, first, last):
        return BOOK

    def standards(self, first, last):
        self.looked.append(("standards", str(first)))
        return self._standards

    def make(self, month):
        made = make_standards(self, month)
        for name, table in made.items():
            (STANDARDS_DAILY if name == "standards_daily" else STANDARDS_MONTHLY).check(table)
            self.tables[name][month] = table
        return {name: rows(table) for name, table in made.items()}


def rows(table):
    frame = pl.DataFrame(pl.from_arrow(table)).with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    return list(frame.iter_rows(named=True))


def hours(day, **of):
    """A day of cems_hourly; `of` gives 24 (value, o2, flow, state) per outlet__pollutant, or one for every hour."""
    made = []
    for name, given in of.items():
        outlet_id, pollutant = name.split("__")
        for h in range(24):
            value, o2, flow, state = given if isinstance(given, tuple) else given[h]
            made.append({
                "outlet_id": outlet_id, "pollutant": pollutant, "hour": datetime(day.year, day.month, day.day, h),
                "concentration_mg_m3": value, "o2_pct": o2, "flow_m3_h": flow, "process_state": state,
            })  # fmt: skip
    table = CEMS_HOURLY.arrow(pl.DataFrame(made, infer_schema_length=None))
    return table.select(
        ["outlet_id", "pollutant", "hour", "concentration_mg_m3", "o2_pct", "flow_m3_h", "process_state"]
    )


def fill(bench, first, count, **of):
    for d in range(count):
        bench.tables["cems_hourly"][str(first + timedelta(d))] = hours(first + timedelta(d), **of)


def found(made, table, **key):
    return [r for r in made[table] if all(r[k] == v for k, v in key.items())]


def one(made, table, **key):
    (row,) = found(made, table, **key)
    return row


JULY = date(2026, 7, 1)
EU = "A,eu-ied-2010,,2026-01-01,\n"


def test_nothing_chosen_makes_nothing_and_looks_at_nothing_else() -> None:
    bench = FakeBench("A,eu-ied-2010,,2026-09-01,\n")
    fill(bench, JULY, 2, A__nox=(400.0, 10.0, 1e5, None))
    assert bench.make("2026-07") == {}
    assert bench.looked == [("standards", "2026-07-01")]


@pytest.mark.parametrize(
    ("value", "o2", "mean", "ok"),
    [(520.0, 10.0, 420.0, True), (90.0, 10.0, 0.0, True), (600.0, 10.0, 500.0, True), (601.0, 10.0, 501.0, False), (400.0, 13.0, 450.0, True)],
    ids=["V29-520", "V29-90", "R19-exactly-the-limit", "R19-above", "R19-converted"],
)  # fmt: skip
def test_a_European_day(value: float, o2: float, mean: float, ok: bool) -> None:
    bench = FakeBench(EU)
    fill(bench, JULY, 1, A__nox=(value, o2, 1e5, "running"))
    made = bench.make("2026-07")
    day = one(made, "standards_daily", pollutant="nox")
    assert (day["value"], day["ok"], day["reason"]) == (pytest.approx(mean, rel=1e-12), ok, None)
    assert (day["limit"], day["unit"], day["averaging"], day["rule_id"]) == (
        500.0,
        "mg/m3",
        "day",
        "eu-ied-2010/kiln_tail/nox",
    )
    month = one(made, "standards_monthly", pollutant="nox")
    assert (month["verdict"], month["judged"], month["fail"]) == ("PASS" if ok else "FAIL", 1, 0 if ok else 1)
    assert (month["worst_value"], month["worst_day"]) == (day["value"], JULY)


def test_R19_hours_of_start_and_stop_are_left_out_of_a_European_day() -> None:
    bench = FakeBench(EU)
    states = ["stopped"] * 6 + ["cold_start"] * 6 + ["running"] * 6 + [None] * 6
    given = [(None if s == "stopped" else 3000.0 if s == "cold_start" else 300.0, 10.0, 1e5, s) for s in states]
    bench.tables["cems_hourly"][str(JULY)] = hours(JULY, A__nox=given)
    day = one(bench.make("2026-07"), "standards_daily", pollutant="nox")
    assert (day["value"], day["kiln_hours"], day["operating_hours"], day["valid_hours"]) == (
        pytest.approx(200.0),
        18,
        12,
        12,
    )


def test_R19_too_many_invalid_hours_discard_a_day_and_too_many_days_the_year() -> None:
    bench = FakeBench(EU)
    good, bad = (300.0, 10.0, 1e5, None), (None, 10.0, 1e5, None)
    for d in range(62):
        lost = 3 if d % 8 == 0 else 2  # six half hours, or four
        at = JULY + timedelta(d)
        bench.tables["cems_hourly"][str(at)] = hours(at, A__nox=[bad] * lost + [good] * (24 - lost))
    july = bench.make("2026-07")
    assert [r["day"].day for r in found(july, "standards_daily", pollutant="nox", reason="discarded")] == [1, 9, 17, 25]
    month = one(july, "standards_monthly", pollutant="nox")
    assert (month["verdict"], month["discarded"], month["discarded_year"], month["judged"]) == ("PASS", 4, 4, 27)
    month = one(bench.make("2026-08"), "standards_monthly", pollutant="nox")
    assert (month["discarded"], month["discarded_year"], month["verdict"]) == (4, 8, "PASS")
    fill(bench, date(2026, 9, 1), 3, A__nox=bad)
    fill(bench, date(2026, 9, 4), 3, A__nox=good)
    month = one(bench.make("2026-09"), "standards_monthly", pollutant="nox")
    assert (month["discarded_year"], month["verdict"], month["reason"]) == (11, "INSUFFICIENT", "too_many_discarded")


def test_R19_what_counts_as_discarded_and_what_does_not() -> None:
    """Days before the home has data are no days; a gap in its data discards; a pollutant that nobody sends yet does not."""
    bench = FakeBench(EU)
    good = (300.0, 10.0, 1e5, None)
    for day in (5, 6, 8):
        at = date(2026, 7, day)
        bench.tables["cems_hourly"][str(at)] = hours(
            at, A__nox=good, **({"A__pm": (5.0, 10.0, 1e5, None)} if day > 5 else {})
        )
    made = bench.make("2026-07")
    told = {
        p: [(r["day"].day, r["reason"]) for r in found(made, "standards_daily", pollutant=p)] for p in ("nox", "pm")
    }
    assert told == {
        "nox": [(5, None), (6, None), (7, "discarded"), (8, None)],
        "pm": [(5, "not_measured"), (6, None), (7, "discarded"), (8, None)],
    }
    assert [one(made, "standards_monthly", pollutant=p)["discarded_year"] for p in ("nox", "pm")] == [1, 1]
    fill(bench, date(2026, 8, 2), 1, A__nox=good)
    assert found(bench.make("2026-08"), "standards_daily", pollutant="nox", reason="discarded")[0]["day"].day == 1


def test_what_cannot_be_judged_says_why() -> None:
    bench = FakeBench("*,us-neshap-lll,new,2026-01-01,\nA,eu-ied-2010,,2026-01-01,\nA,us-nsps-f,,2026-01-01,\n")
    fill(
        bench,
        JULY,
        2,
        A__nox=(400.0, 10.0, 3e5, None),
        A__pm=(8.0, 10.0, 3e5, None),
        A__hcl=(3.0, 10.0, 3e5, "stopped"),
    )
    made = bench.make("2026-07")
    months = {(r["standard"], r["pollutant"]): (r["verdict"], r["reason"]) for r in made["standards_monthly"]}
    assert months == {
        ("eu-ied-2010", "hcl"): ("NO_PRODUCTION", "not_operating"),
        ("eu-ied-2010", "hf"): ("INSUFFICIENT_INPUT", "not_measured"),
        ("eu-ied-2010", "nox"): ("PASS", None),
        ("eu-ied-2010", "pm"): ("PASS", None),
        ("eu-ied-2010", "so2"): ("INSUFFICIENT_INPUT", "not_measured"),
        ("eu-ied-2010", "toc"): ("INSUFFICIENT_INPUT", "no_channel"),
        ("us-neshap-lll", "hcl"): ("NO_PRODUCTION", "not_operating"),
        ("us-neshap-lll", "hg"): ("INSUFFICIENT_INPUT", "not_measured"),
        ("us-neshap-lll", "organic_hap"): ("INSUFFICIENT_INPUT", "no_channel"),
        ("us-neshap-lll", "pm"): ("INSUFFICIENT_INPUT", "parametric"),
        ("us-neshap-lll", "thc"): ("INSUFFICIENT_INPUT", "no_channel"),
        ("us-nsps-f", "nox"): ("INSUFFICIENT_INPUT", "no_clinker"),
        ("us-nsps-f", "so2"): ("INSUFFICIENT_INPUT", "not_measured"),
    }
    assert all((r["value"] is None) == (r["reason"] is not None) == (r["ok"] is None) for r in made["standards_daily"])
    assert {r["outlet_id"] for r in made["standards_daily"]} == {"A"}  # a kiln's limits are none of its cooler
    assert one(made, "standards_monthly", pollutant="pm", standard="us-neshap-lll")["limit"] == 0.02


def test_R20_pounds_of_a_day_are_those_of_its_mass() -> None:
    bench = FakeBench("A,us-nsps-f,,2026-01-01,\n")
    fill(bench, JULY, 1, A__nox=(400.0, 9.0, 3e5, None), A__so2=(20.0, 9.0, 3e5, None))
    made = bench.make("2026-07")
    for pollutant, mg in (("nox", 400.0), ("so2", 20.0)):
        day = one(made, "standards_daily", pollutant=pollutant)
        assert day["day_unit"] == "lb"
        assert day["day_value"] == pytest.approx(
            mg * 3e5 * 1e-6 * 24 / 0.45359237, rel=2e-3
        )  # k is printed with four digits


def test_R20_rolling_means_by_operating_day_across_months_and_stops() -> None:
    bench = FakeBench("A,us-neshap-lll,existing,2026-06-05,\n")
    rng = np.random.default_rng(3)
    first, told = date(2026, 6, 1), {}
    for d in range(75):
        at = first + timedelta(d)
        stopped = 20 <= d < 27
        state = ["stopped"] * 24 if stopped else ["running"] * 20 + ["shutdown"] * 4 if d == 19 else [None] * 24
        value = [None if s == "stopped" or rng.random() < 0.1 else float(rng.uniform(1, 9)) for s in state]
        o2 = [float(rng.uniform(8, 12)) for _ in state]
        told[at] = list(zip(value, o2, state, strict=True))
        bench.tables["cems_hourly"][str(at)] = hours(at, A__hcl=[(v, o, 1e5, s) for v, o, s in told[at]])
    made = [
        r
        for month in ("2026-06", "2026-07", "2026-08")
        for r in found(bench.make(month), "standards_daily", pollutant="hcl")
    ]
    assert made[0]["day"] == date(2026, 6, 5)
    ppm = 273 / 293.15 * 24.055 / 36.461
    days: list[date] = []
    for r in made:
        at = told[r["day"]]
        if all(s == "stopped" for _, _, s in at):
            assert (r["reason"], r["kiln_hours"]) == ("not_operating", 0)
            continue
        days.append(r["day"])
        if len(days) < 30:
            assert (r["reason"], r["window_days"]) == ("filling", len(days))
            continue
        last = [h for day in days[-30:] for h in told[day] if h[0] is not None and h[2] != "shutdown"]
        mean = math.fsum(v * ppm * 13.9 / (20.9 - o) for v, o, _ in last) / len(last)
        assert r["value"] == pytest.approx(mean, rel=1e-12)
        assert r["ok"] == (mean <= 3.0)
    assert len(days) == 64
    assert ("standards_daily", "2026-05") in bench.looked  # June has no month before it
    assert ("standards_daily", "2026-06") in bench.looked


def test_a_standard_holds_from_the_day_it_is_chosen_and_binds_ammonia_only_with_a_reductant() -> None:
    bench = FakeBench("*,eu-clm-bat-2013,,2026-07-03,2026-07-05\n")
    fill(bench, JULY, 6, A__nh3=(20.0, 10.0, 1e5, None), C__pm=(19.0, 20.9, 1e5, None))
    made = bench.make("2026-07")
    assert [(r["day"].day, r["value"]) for r in found(made, "standards_daily", outlet_id="C")] == [(3, 19.0), (4, 19.0)]
    assert {r["days"] for r in made["standards_monthly"]} == {2}
    assert one(made, "standards_monthly", pollutant="nh3")["verdict"] == "PASS"
    assert one(made, "standards_monthly", outlet_id="C")["confidence"] == "verified"


# ---- what is recorded, and what a change makes anew -----------------------------------------------------------------


def with_rules(home, book):
    """The same home under other rules, as the next run would find it."""
    again = type(home)(home.settings)
    again.__dict__["rules"] = book
    return again


def test_a_change_of_rules_or_of_choice_makes_anew_exactly_the_months_it_touches(tmp_path) -> None:
    home = write_home(tmp_path / "home", {}, outlets=[outlet_row("A")], devices=[])
    choices = tmp_path / "home" / "registry" / "standards.csv"
    choices.write_text(HEADER + EU, encoding="utf-8")
    for day in (date(2026, 6, 30), JULY):
        frame = pl.DataFrame(pl.from_arrow(hours(day, A__nox=(400.0, 10.0, 1e5, None))))
        fixed = {
            "plant_id": "P1",
            "point_type": "kiln_tail",
            "valid_minutes": 60,
            "minutes": 60,
            "hour_tag": "N",
            "flag_system": "hj212",
        }
        table = CEMS_HOURLY.arrow(frame.with_columns(**{k: pl.lit(v) for k, v in fixed.items()}))
        home.lake.write("cems_hourly", str(day), table, made_by="test", inputs={})
    of = product("standards")
    assert sorted(of.keys(home)) == ["2026-06", "2026-07"]
    for month in sorted(of.keys(home)):
        assert bring_up(home, of, month) is not None
    inputs = home.lake.partition("standards_daily", "2026-07").inputs
    assert {
        "standards:2026-07-01:2026-07-31",
        "rules:2026-07-01:2026-07-31:foreign",
        "table:cems_hourly:2026-07-01",
    } <= set(inputs)

    def stale(now):
        return {m: why for m in sorted(of.keys(now)) if (why := reasons(now, of, m))}

    assert stale(type(home)(home.settings)) == {}
    text = (
        edited(tmp_path, "eu-ied-2010.toml", "value = 500", "value = 500"),
        tmp_path / "rules" / "eu-ied-2010.toml",
    )[1]
    content = text.read_text(encoding="utf-8")
    row = next(part for part in content.split("[[standard_limit]]") if 'pollutant = "nox"' in part).rstrip() + "\n"
    later = row.replace("= 500", "= 450").replace("2014-01-07", "2026-07-15")
    ended = row + "effective_to = 2026-07-15\n\n[[standard_limit]]" + later
    text.write_text(content.replace(row, ended), encoding="utf-8")
    assert stale(with_rules(home, RuleBook.load(text.parent))) == {"2026-07": ["rules:2026-07-01:2026-07-31:foreign"]}
    choices.write_text(HEADER + "A,eu-ied-2010,,2026-01-01,2026-07-01\n", encoding="utf-8")
    assert set(stale(type(home)(home.settings))) == {"2026-07"}
    choices.write_text(HEADER + "A,eu-ied-2010,,2026-01-01,2026-06-01\n", encoding="utf-8")
    assert set(stale(type(home)(home.settings))) == {"2026-06", "2026-07"}
    for month in ("2026-06", "2026-07"):
        bring_up(type(home)(home.settings), of, month)
    assert type(home)(home.settings).lake.keys("standards_daily") == []
