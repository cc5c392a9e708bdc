"""The judgement room over a fake bench: months against a slow twin, borders, missing days, permits, progress."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from assets.judgement import make_judgement
from assets.judgement_series import MUST_MONITOR, JudgementError
from assets.judgement_terms import month_terms
from contracts.cems import CEMS_HOURLY
from contracts.channels import POLLUTANTS
from contracts.events import STATES
from contracts.ule import HEADLINE_POLICY, POLICIES, ULE_HOURLY, ULE_MONTHLY, ULE_PROGRESS
from contracts.ule_more import MANDATORY_MONTHLY, ULE_EPISODES, ULE_PLANTS
from resources.events import OPEN, EventBook, ProcessState
from resources.registry import Device, Line, Outlet, Permit, Plant, Registry
from resources.rules import RuleBook

LONG_AGO = date(2015, 1, 1)
BOOK = RuleBook.load()
NOTHING = EventBook()


class FakeBench:
    """What a maker needs of a bench, over tables in memory; `looked` lists the partitions it opened."""

    def __init__(self, registry, book=BOOK, events=NOTHING):
        self.tables = {"cems_hourly": {}, "ule_hourly": {}, "ule_episodes": {}}
        self.looked = []
        self._registry, self._book, self._events = registry, book, events

    def table(self, name, key, columns=None):
        self.looked.append((name, key))
        found = self.tables[name].get(key)
        return None if found is None else found.select(columns or found.column_names)

    def keys(self, name, first="", last="~"):
        return [k for k in sorted(self.tables[name]) if first <= k <= last]

    def frontier(self, name, not_after):
        keys = sorted(self.tables[name])
        return min(keys[-1], not_after) if keys else ""

    def registry(self, first, last):
        return self._registry

    def rules(self, first, last):
        return self._book

    def events(self, first, last):
        return self._events

    def make(self, month):
        made = make_judgement(self, month)
        for name in ("ule_hourly", "ule_episodes"):
            if made:
                self.tables[name][month] = made[name]
        return made


def plant(plant_id="P1", *, group="甲", province="贵州", region="general", start=LONG_AGO, end=None):
    return Plant(plant_id, "厂", "plant", "", group, province, "", None, None, 88.0, region, start, end)


def line(line_id="L1", plant_id="P1", capacity=5000.0, start=LONG_AGO, end=None):
    return Line(line_id, plant_id, "portland", capacity, start, end)


def outlet(
    outlet_id="A", point_type="kiln_tail", *, plant_id="P1", line_id="L1", reductant="none", start=LONG_AGO, end=None
):
    return Outlet(outlet_id, plant_id, line_id, point_type, 10.0, 0.9, None, reductant, start, end)


def device(outlet_id="A", start=LONG_AGO, end=None):
    return Device(
        f"mn-{outlet_id}", outlet_id, 1, "start", "kPa", "gauge", "m3/h", "wet_actual", "wet", True, "valid",
        frozenset({"hj212"}), start, end,
    )  # fmt: skip


def registry(*rows):
    kinds = (Plant, Line, Outlet, Device, Permit)
    return Registry(*(tuple(r for r in rows if isinstance(r, kind)) for kind in kinds))


def hours(day, values):
    """A day of cems_hourly: {(outlet, pollutant): 24 values}; NaN is an invalid hour, None no row, -9 a row without data."""
    rows = []
    for (outlet_id, pollutant), row in values.items():
        for h, v in enumerate(row):
            if v is None:
                continue
            reason = "no_data" if v == -9 else "below_45_valid_minutes" if math.isnan(v) else None
            at = datetime(day.year, day.month, day.day, h)
            rows.append((outlet_id, pollutant, at, None if reason else float(v), reason))
    names = ["outlet_id", "pollutant", "hour", "judged_mg_m3", "null_reason"]
    table = CEMS_HOURLY.arrow({n: [r[k] for r in rows] for k, n in enumerate(names)})
    return table.select(names)


def days(first, count):
    return [first + timedelta(days=d) for d in range(count)]


def fill(bench, first, count, values):
    for day in days(first, count):
        bench.tables["cems_hourly"][str(day)] = hours(day, values)


def frame(table):
    return pl.DataFrame(pl.from_arrow(table)).with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


def headline(made, pollutant, outlet_id="A"):
    rows = frame(made["ule_monthly"]).filter(
        pl.col("outlet_id") == outlet_id, pl.col("pollutant") == pollutant, pl.col("policy") == HEADLINE_POLICY
    )
    assert rows.height == 1
    return rows.row(0, named=True)


def policies(made, pollutant, outlet_id="A"):
    rows = frame(made["ule_monthly"]).filter(pl.col("outlet_id") == outlet_id, pl.col("pollutant") == pollutant)
    return {r["policy"]: r for r in rows.iter_rows(named=True)}


GOOD = {("A", "pm"): [5.0] * 24, ("A", "so2"): [20.0] * 24, ("A", "nox"): [40.0] * 24}
PLAIN = registry(plant(), line(), outlet(), device())


# ---- the whole room against a slow twin ---------------------------------------------------------------------------

START, END = date(2027, 12, 1), date(2028, 3, 17)  # a year border, a leap February, data that end inside a month
MONTHS = ("2027-12", "2028-01", "2028-02", "2028-03")
WORLD = registry(
    plant(end=date(2028, 2, 10)),
    plant(region="key", start=date(2028, 2, 10)),
    plant("P2", group=""),
    line(),
    line("L2", "P2"),
    outlet(reductant="ammonia"),
    outlet("B", start=date(2028, 1, 10), end=date(2028, 2, 21), plant_id="P2", line_id="L2"),
    outlet("C", "cooler"),
    outlet("D", "dryer", line_id=None, end=date(2028, 2, 1)),
    outlet("D", "packing", line_id=None, start=date(2028, 2, 1)),
    outlet("E", "coal_mill"),
    device(),
    device("B"),
    device("C"),
    device("D"),
    Permit("A", "nox", 45.0, "超低排放", date(2028, 1, 16), date(2028, 2, 5)),
    Permit("A", "so2", 60.0, "排污许可证 GB 4915-2013", date(2027, 12, 20), None),
    Permit("A", "nh3", 9.6, "超低排放", date(2028, 1, 12), date(2028, 2, 3)),
    Permit("C", "nox", 100.0, "环大气〔2024〕5号", date(2028, 1, 20), date(2028, 1, 25)),
)


def stretch(state, begin, end, *, line_id="L1", start=None, late=False):
    """A settled stretch of an event that starts with it unless told otherwise; times as (month, day, hour, minute)."""
    begin, end, start = (t if isinstance(t, datetime) else datetime(*t) for t in (begin, end, start or begin))
    return ProcessState(f"{line_id}-{start}", line_id, state, start, begin, end, end, start, late, "", "e.csv", 1)


WORLD_EVENTS = EventBook(
    [
        stretch("stopped", (2027, 12, 5, 3, 20), (2027, 12, 6, 10, 14)),
        stretch("cold_start", (2027, 12, 6, 10, 14), (2027, 12, 8, 2, 30)),
        # its clock crosses the border of the months, and a stop takes a part of it
        stretch("shutdown", (2027, 12, 31, 20, 40), (2028, 1, 1, 1, 50)),
        stretch("stopped", (2028, 1, 1, 1, 50), (2028, 1, 1, 3, 10)),
        stretch("shutdown", (2028, 1, 1, 3, 10), (2028, 1, 1, 6, 40), start=(2027, 12, 31, 20, 40)),
        stretch("stopped", (2028, 1, 1, 6, 40), (2028, 1, 3, 0, 0)),
        stretch("hot_start", (2028, 1, 3, 0, 0), (2028, 1, 3, 12, 0), late=True),
        stretch("hot_start", (2028, 2, 11, 9, 30), (2028, 2, 11, 10, 0)),
        stretch("banked", (2028, 2, 11, 10, 0), (2028, 2, 13, 7, 16)),
        stretch("running", (2028, 2, 13, 7, 16), (2028, 2, 14, 0, 0)),
        stretch("shutdown", (2028, 2, 20, 5, 0), (2028, 2, 20, 6, 30)),
        stretch("hot_start", (2028, 2, 20, 6, 30), (2028, 2, 20, 8, 0)),
        stretch("stopped", (2028, 3, 15, 7, 59), OPEN),
        stretch("cold_start", (2028, 1, 31, 10, 15), (2028, 2, 3, 0, 0), line_id="L2"),
    ]
)


@cache
def slow_state(line_id, point_type, pollutant, at):
    """(state, exempt) of an hour, minute by minute."""
    stated = point_type in BOOK.parameter("states.point_types", at.date()).value.split(",")
    near = [
        s for s in WORLD_EVENTS.states
        if stated and s.line_id == line_id and s.begin < at + timedelta(hours=1) and s.end > at
    ]  # fmt: skip
    found = []
    exempt = 0
    for m in range(60 if near else 0):
        t = at + timedelta(minutes=m)
        now = [s for s in near if s.begin <= t < s.end]
        found += [s.state for s in now]
        for s in now:
            if s.state in ("cold_start", "hot_start", "shutdown") and not s.late and pollutant in ("so2", "nox"):
                cap = BOOK.parameter(f"caps.{s.state}_h", at.date()).value
                exempt += t < s.start + timedelta(hours=cap)
    fills = [s for s in set(found) if found.count(s) >= 45]
    return (fills[0] if fills else "running"), exempt >= 45


def slow_spent(before, at, fails, judged, left, ahead):
    """Hour with which the budget is gone, going through the hours ahead one by one."""
    if not fails:
        return None
    if left <= 0:
        return before or at
    for k, hour in enumerate(ahead, 1):
        if k * fails >= left * judged:
            return hour
    return None


def world_values(seed):
    """{day: {(outlet, pollutant): 24 values}}; some days, outlets and hours are missing."""
    rng = np.random.default_rng(seed)
    level = {"pm": 9.0, "so2": 30.0, "nox": 46.0, "nh3": 9.5}
    made = {}
    for day in days(START, (END - START).days):
        if rng.random() < 0.06 and day != END - timedelta(days=1):
            continue
        rows = {}
        for outlet_id, names in {
            "A": ("nox", "so2", "pm", "nh3"),
            "B": ("pm", "so2", "nox"),
            "C": ("pm", "nox"),
            "D": ("pm", "so2"),
        }.items():
            for name in names:
                if rng.random() < 0.05 or (name == "nh3" and day < date(2028, 1, 5)):
                    continue
                values = [round(float(v), 1) for v in rng.normal(level[name], level[name] / 10, 24)]
                odd = rng.random(24)
                rows[outlet_id, name] = [
                    None if o < 0.02 else -9 if o < 0.04 else math.nan if o < 0.08 else v
                    for o, v in zip(odd, values, strict=True)
                ]
        made[day] = rows
    return made


def limit_of(kind, outlet_row, pollutant, day):
    if kind == "ule" and not BOOK.policies(day):
        return None
    return BOOK.limit(
        kind, point_type=outlet_row.point_type, pollutant=pollutant, day=day,
        region_class=WORLD.plant(outlet_row.plant_id, day).region_class, reductant=outlet_row.reductant,
        permits=WORLD.permits_at(outlet_row.outlet_id, pollutant, day),
    )  # fmt: skip


def month_days(month):
    first = date.fromisoformat(f"{month}-01")
    return [d for d in days(first, 31) if d.month == first.month]


def month_limits(outlet_id, pollutant, month):
    """{day in force: (outlet row, ule limit, mandatory limit)}."""
    made = {}
    for day in month_days(month):
        row = WORLD.outlet(outlet_id, day)
        if row is not None:
            made[day] = (row, limit_of("ule", row, pollutant, day), limit_of("mandatory", row, pollutant, day))
    return made


def slow_month(outlet_id, pollutant, month, values, last, clock):
    """Rows of one series of one month; `last` is the deque of the trailing window, `clock` the judged hours so far."""
    limits = month_limits(outlet_id, pollutant, month)
    shown = {d: x for d, x in limits.items() if d < END}
    any_ule, any_limit = any(u for _, u, _ in limits.values()), any(u or m for _, u, m in limits.values())
    watched = any(d.outlet_id == outlet_id for d in WORLD.devices)
    must = watched or any(r.point_type in MUST_MONITOR for r, _, _ in limits.values())
    recorded = any(v is not None and v != -9 for d in shown for v in values.get(d, {}).get((outlet_id, pollutant), []))
    if not (any_limit and shown and ((must and any_ule) or recorded)):
        last.clear()
        clock.clear()
        return []
    ahead = [datetime(d.year, d.month, d.day, h) for d, (_, u, _) in limits.items() if u is not None for h in range(24)]
    judged = good = 0
    spent = None
    rows = []
    for day, (row, ule, law) in shown.items():
        for h in range(24):
            v = values.get(day, {}).get((outlet_id, pollutant), [None] * 24)[h]
            number = None if v in (None, -9) or math.isnan(v) else v
            ok = None
            at = datetime(day.year, day.month, day.day, h)
            state, exempt = slow_state(row.line_id, row.point_type, pollutant, at)
            if ule is None:
                reason = "no_limit"
            elif state == "stopped":
                reason = "not_producing"
            elif v in (None, -9):
                reason = "no_data"
            elif number is None:
                reason = "invalid"
            else:
                reason, ok = None, number <= ule.value_mg_m3
            ahead = ahead[1:] if ule is not None else ahead
            if ok is not None:
                judged += 1
                good += ok
                last.append(ok)
                clock[at] = ok
            left = math.floor(Fraction(5, 100) * (judged + len(ahead))) - (judged - good)
            spent_at = slow_spent(spent, at, judged - good, judged, left, ahead)
            spent = spent or (spent_at if left <= 0 else None)
            clock.pop(at - timedelta(hours=720), None)
            far = list(clock.values())
            near = [clock[t] for k in range(24) if (t := at - timedelta(hours=k)) in clock]
            lawful = (
                None if law is None or number is None or state == "stopped" or exempt else number <= law.value_mg_m3
            )
            rows.append({
                "outlet_id": outlet_id, "plant_id": row.plant_id, "line_id": row.line_id, "point_type": row.point_type,
                "pollutant": pollutant, "hour": at, "process_state": state, "exempt": exempt, "judged_mg_m3": number,
                "limit_mg_m3": ule and ule.value_mg_m3, "rule_id": ule and ule.rule_id, "judged": ok is not None, "ok": ok,
                "excluded_reason": reason, "mandatory_limit_mg_m3": law and law.value_mg_m3,
                "mandatory_rule_id": law and law.rule_id,
                "mandatory_ok": lawful,
                "month_judged_hours": judged, "month_ok_hours": good,
                "month_share_pct": 100.0 * good / judged if judged else None,
                "fail_budget_hours": None if ule is None else left, "budget_spent_at": spent_at,
                "trailing_24h_share_pct": 100.0 * sum(near) / len(near) if near else None,
                "trailing_30d_share_pct": 100.0 * sum(far) / len(far) if far else None,
                "trailing_720h_share_pct": 100.0 * sum(last) / len(last) if last else None, "trailing_hours": len(last),
            })  # fmt: skip
    return rows


@pytest.fixture(scope="module", params=[1, 2], ids=["seed1", "seed2"])
def world(request):
    values = world_values(request.param)
    bench = FakeBench(WORLD, events=WORLD_EVENTS)
    for day, rows in values.items():
        bench.tables["cems_hourly"][str(day)] = hours(day, rows)
    made = {month: bench.make(month) for month in MONTHS}
    windows = {}
    slow = {m: [] for m in MONTHS}
    for outlet_id in "ABCDE":
        for pollutant in sorted(POLLUTANTS):
            last, clock = windows.setdefault((outlet_id, pollutant), (deque(maxlen=720), {}))
            for month in MONTHS:
                slow[month] += slow_month(outlet_id, pollutant, month, values, last, clock)
    return made, slow


def test_hours_equal_the_slow_twin_over_four_months(world):
    made, slow = world
    for month in MONTHS:
        rows = sorted(slow[month], key=lambda r: (r["outlet_id"], r["pollutant"], r["hour"]))
        assert made[month]["ule_hourly"].to_pylist() == rows
    reasons = {r["excluded_reason"] for rows in slow.values() for r in rows}
    assert reasons == {None, "no_limit", "no_data", "invalid", "not_producing"}
    told = {(r["process_state"], r["exempt"]) for rows in slow.values() for r in rows}
    assert told >= {(s, False) for s in STATES} | {(s, True) for s in ("cold_start", "shutdown", "running")}
    spent = [r["budget_spent_at"] for rows in slow.values() for r in rows if r["budget_spent_at"]]
    assert len(spent) > 1000
    assert made["2028-02"]["ule_hourly"].column("trailing_hours").to_pylist().count(720) > 1000


def test_months_equal_the_hours_they_are_made_of(world):
    """Counts of `ule_monthly` from the hours of the twin; joint hours are joined by hand."""
    made, slow = world
    for month in MONTHS:
        limited = [r for r in slow[month] if r["limit_mg_m3"] is not None]
        groups = {}
        for r in limited:
            groups.setdefault((r["outlet_id"], r["pollutant"]), {}).setdefault(r["hour"], []).append(r)
            if r["pollutant"] in ("pm", "so2", "nox"):
                groups.setdefault((r["outlet_id"], "joint"), {}).setdefault(r["hour"], []).append(r)
        single = {
            k for k in groups if k[1] == "joint" and len({r["pollutant"] for h in groups[k].values() for r in h}) < 2
        }
        expected = {k: v for k, v in groups.items() if k not in single}
        rows = frame(made[month]["ule_monthly"])
        assert set(zip(rows["outlet_id"], rows["pollutant"], strict=True)) == set(expected)
        assert rows.height == len(expected) * len(POLICIES)
        for (outlet_id, pollutant), limited_hours in expected.items():
            found = {h: r for h, r in limited_hours.items() if r[0]["excluded_reason"] != "not_producing"}
            judged = [h for h in found.values() if all(r["judged"] for r in h)]
            ok = [h for h in judged if all(r["ok"] for r in h)]
            unlawful = [h for h in judged if any(r["mandatory_ok"] is False for r in h)]
            row = headline(made[month], pollutant, outlet_id)
            tested = [h for h in judged if any(r["mandatory_ok"] is not None for r in h)]
            assert row["mandatory_hours"] == len(tested)
            due = [h for h in found.values() if any(r["mandatory_limit_mg_m3"] and not r["exempt"] for r in h)]
            thin = not tested or 4 * len([h for h in due if all(r["judged"] for r in h)]) < 3 * len(due)
            lawful = "FAIL" if unlawful else "INSUFFICIENT" if thin else "PASS"
            assert row["mandatory_verdict"] == (lawful if due else None)
            assert row["production_hours"] == len(found)
            assert row["valid_hours"] == row["judged_hours"] == len(judged)
            assert (row["ok_hours"], row["fail_hours"]) == (len(ok), len(judged) - len(ok))
            assert row["mandatory_fail_hours"] == len(unlawful)
            assert row["allowed_fail_hours"] == 5 * len(judged) // 100
            assert row["share_pct"] == (100.0 * len(ok) / len(judged) if judged else None)
            assert row["capture_pct"] == (100.0 * len(judged) / len(found) if found else None)
            enough = judged and 4 * len(judged) >= 3 * len(found)
            passed = 20 * len(ok) >= 19 * len(judged)
            assert row["verdict"] == (
                "NO_PRODUCTION" if not found else "INSUFFICIENT" if not enough else "PASS" if passed else "FAIL"
            )
            under = policies(made[month], pollutant, outlet_id)
            as_fail = under["count_as_fail"]
            assert (as_fail["judged_hours"], as_fail["ok_hours"]) == (len(found), len(ok))
            within = [[r for r in h if not r["exempt"]] for h in found.values()]
            capped = [h for h in within if h and all(r["judged"] for r in h)]
            row = under["exclude_tagged_within_cap"]
            assert (row["judged_hours"], row["ok_hours"]) == (len(capped), sum(all(r["ok"] for r in h) for h in capped))
            untagged = [
                [r for r in h if r["process_state"] in ("running", "banked") and not r["exempt"]]
                for h in found.values()
            ]
            plain = [h for h in untagged if h and all(r["judged"] for r in h)]
            row = under["exclude_all_tagged"]
            assert (row["judged_hours"], row["ok_hours"]) == (len(plain), sum(all(r["ok"] for r in h) for h in plain))


def test_tables_hold_their_contracts_and_order(world):
    made, _ = world
    for month in MONTHS:
        for contract in (ULE_HOURLY, ULE_MONTHLY, ULE_PROGRESS, MANDATORY_MONTHLY, ULE_PLANTS, ULE_EPISODES):
            table = made[month][contract.name]
            assert table.num_rows
            assert contract.violations(table) == []
            # the same bytes as the contract's own way: sorted, labels numbered by first appearance
            again = contract.arrow(table)
            assert again.schema.equals(table.schema, check_metadata=True)
            for name in contract.names:
                assert again.column(name).combine_chunks().equals(table.column(name).combine_chunks())
                if pa.types.is_dictionary(contract[name].type):
                    encodings = [t.column(name).combine_chunks() for t in (again, table)]
                    assert encodings[0].dictionary.equals(encodings[1].dictionary)


# ---- windows and borders --------------------------------------------------------------------------------------------


def test_missing_days_and_rows_are_production_hours_without_a_value():
    bench = FakeBench(PLAIN)
    fill(bench, date(2026, 10, 1), 20, GOOD)
    fill(bench, date(2026, 11, 5), 1, {})
    made = bench.make("2026-10")
    row = headline(made, "nox")
    assert (row["production_hours"], row["valid_hours"], row["judged_hours"]) == (744, 480, 480)
    assert row["verdict"] == "INSUFFICIENT"
    assert row["share_pct"] == 100.0
    assert "capture" not in (row["warning"] or "")
    assert "有效率低于 90 %" in row["warning"]
    gone = frame(made["ule_hourly"]).filter(pl.col("hour") >= datetime(2026, 10, 21))
    assert gone.height == 3 * 11 * 24
    assert gone["excluded_reason"].unique().to_list() == ["no_data"]
    # November: one day with a partition but without rows for the outlet, the days before it without any
    november = headline(bench.make("2026-11"), "pm")
    assert (november["production_hours"], november["valid_hours"], november["verdict"]) == (120, 0, "INSUFFICIENT")
    assert november["share_pct"] is None
    assert policies(bench.make("2026-11"), "pm")["count_as_fail"]["verdict"] == "FAIL"


def test_the_data_end_inside_the_month():
    bench = FakeBench(PLAIN)
    fill(bench, date(2026, 9, 25), 16, GOOD)
    made = bench.make("2026-10")
    row = headline(made, "joint")
    assert (row["production_hours"], row["judged_hours"], row["verdict"]) == (240, 240, "PASS")
    assert "month to date" in row["warning"]
    assert row["rule_id"] == "cn-ule-2024/kiln_tail/pm;cn-ule-2024/kiln_tail/so2;cn-ule-2024/kiln_tail/nox"
    rows = frame(made["ule_hourly"]).filter(pl.col("pollutant") == "nox")
    assert rows.height == 240
    # the rest of the month is assumed to be produced: 5 % of 744
    assert rows["fail_budget_hours"].unique().to_list() == [37]
    assert bench.make("2026-11") == {}
    assert bench.make("2026-08") == {}
    assert FakeBench(PLAIN).make("2026-10") == {}


def test_a_month_between_data_is_missing_and_not_absent():
    bench = FakeBench(PLAIN)
    fill(bench, date(2026, 8, 31), 1, GOOD)
    fill(bench, date(2026, 10, 1), 1, GOOD)
    row = headline(bench.make("2026-09"), "so2")
    assert (row["production_hours"], row["valid_hours"], row["verdict"]) == (720, 0, "INSUFFICIENT")


def test_a_late_day_moves_its_month_and_later_trailing_windows_only():
    def run(late):
        bench = FakeBench(PLAIN)
        for month in (8, 9, 10, 11):
            fill(bench, date(2026, month, 1), 20, GOOD)
        fill(bench, date(2026, 11, 21), 10, GOOD)
        if late:
            fill(bench, date(2026, 9, 25), 1, {k: [400.0] * 24 for k in GOOD})
        return {m: bench.make(m) for m in ("2026-08", "2026-09", "2026-10", "2026-11")}

    before, after = run(late=False), run(late=True)
    assert before["2026-08"]["ule_hourly"].equals(after["2026-08"]["ule_hourly"])
    assert not before["2026-09"]["ule_monthly"].equals(after["2026-09"]["ule_monthly"])
    for month in ("2026-10", "2026-11"):
        verdicts = before[month]["ule_monthly"].drop_columns(["worst_720h_share_pct", "worst_720h_until"])
        assert verdicts.equals(after[month]["ule_monthly"].select(verdicts.column_names))
        same = before[month]["ule_hourly"].drop_columns(
            ["trailing_30d_share_pct", "trailing_720h_share_pct", "trailing_hours"]
        )
        assert same.equals(after[month]["ule_hourly"].select(same.column_names))
    assert not before["2026-10"]["ule_hourly"].equals(after["2026-10"]["ule_hourly"])
    # 480 judged hours of October and 240 of November fill the window: the late day is out of it
    november = [
        frame(m["2026-11"]["ule_hourly"]).filter(pl.col("pollutant") == "pm")["trailing_720h_share_pct"]
        for m in (before, after)
    ]
    assert november[0][:200].to_list() != november[1][:200].to_list()
    assert november[0][240:].to_list() == november[1][240:].to_list()


def test_history_is_read_only_as_far_as_the_window_needs():
    bench = FakeBench(PLAIN)
    for month in range(1, 7):
        fill(bench, date(2026, month, 1), len(month_days(f"2026-{month:02d}")), GOOD)
        bench.make(f"2026-{month:02d}")

    def history(month):
        bench.looked.clear()
        bench.make(month)
        return [key for name, key in bench.looked if name == "ule_hourly"]

    assert history("2026-06") == ["2026-05"]  # May alone holds 744 judged hours
    assert history("2026-03") == ["2026-02", "2026-01"]  # February holds 672
    assert history("2026-01") == ["2025-12"]


def test_an_outlet_that_never_had_data_opens_no_old_files():
    bench = FakeBench(registry(plant(), line(), outlet(), outlet("Z")))
    for month in ("2026-08", "2026-09", "2026-10"):
        fill(bench, date.fromisoformat(f"{month}-01"), len(month_days(month)), GOOD)
        bench.looked.clear()
        bench.make(month)
    assert [key for name, key in bench.looked if name == "ule_hourly"] == ["2026-09"]


def test_hours_outside_the_month_of_their_file_are_not_placed():
    bench, other = FakeBench(PLAIN), FakeBench(PLAIN)
    for b in (bench, other):
        fill(b, date(2026, 10, 1), 31, GOOD)
    for day, beyond in ((date(2026, 10, 1), date(2026, 9, 30)), (date(2026, 10, 31), date(2026, 11, 1))):
        strays = hours(beyond, {("A", "nox"): [400.0] * 24})
        other.tables["cems_hourly"][str(day)] = pa.concat_tables([hours(day, GOOD), strays])
    assert bench.make("2026-10")["ule_hourly"].equals(other.make("2026-10")["ule_hourly"])


def test_a_series_that_was_absent_for_a_whole_month_starts_anew():
    bench = FakeBench(
        registry(
            plant(),
            line(),
            outlet(end=date(2026, 9, 1)),
            outlet(start=date(2026, 10, 1)),
            outlet("Z"),
            device(),
            device("Z"),
        )
    )
    fill(bench, date(2026, 8, 1), 92, GOOD)
    made = [bench.make(m) for m in ("2026-08", "2026-09", "2026-10")]
    assert set(frame(made[1]["ule_hourly"])["outlet_id"]) == {"Z"}
    october = frame(made[2]["ule_hourly"]).filter(pl.col("outlet_id") == "A", pl.col("pollutant") == "pm")
    assert october["trailing_hours"].to_list()[:2] == [1, 2]


def test_days_in_any_order_and_plain_strings_give_the_same_table():
    rng = np.random.default_rng(5)
    bench, other = FakeBench(PLAIN), FakeBench(PLAIN)
    for day in days(date(2026, 10, 1), 31):
        table = hours(day, {k: rng.normal(9, 2, 24).tolist() for k in GOOD})
        bench.tables["cems_hourly"][str(day)] = table
        mixed = table.take(pa.array(rng.permutation(table.num_rows)))
        plain = [pc.cast(c, pa.string()) if pa.types.is_dictionary(c.type) else c for c in mixed.columns]
        parts = pa.table(plain, names=mixed.column_names)
        other.tables["cems_hourly"][str(day)] = pa.concat_tables([parts.slice(0, 7), parts.slice(7)])
    first, second = bench.make("2026-10"), other.make("2026-10")
    assert all(first[name].equals(second[name]) for name in first)


# ---- limits -------------------------------------------------------------------------------------------------------


def test_a_permit_overrides_the_limit_from_its_day():
    own = Permit("A", "nox", 30.0, "超低排放", date(2026, 10, 16), None)
    bench = FakeBench(registry(plant(), line(), outlet(), device(), own))
    fill(bench, date(2026, 10, 1), 31, GOOD)
    made = bench.make("2026-10")
    row = headline(made, "nox")
    assert (row["ok_hours"], row["fail_hours"], row["verdict"]) == (15 * 24, 16 * 24, "FAIL")
    assert row["rule_id"] == "permit/A/nox"
    assert "the limit changed" in row["warning"]
    nox = frame(made["ule_hourly"]).filter(pl.col("pollutant") == "nox")
    assert nox["rule_id"].unique(maintain_order=True).to_list() == ["cn-ule-2024/kiln_tail/nox", "permit/A/nox"]
    assert headline(made, "pm")["warning"] is None


def test_the_rule_of_a_verdict_is_that_of_its_last_judged_day():
    own = Permit("A", "nox", 30.0, "超低排放", date(2026, 10, 30), None)
    bench = FakeBench(registry(plant(), line(), outlet(), device(), own))
    fill(bench, date(2026, 10, 1), 29, GOOD)
    fill(bench, date(2026, 10, 30), 2, {("A", "pm"): [5.0] * 24})
    assert headline(bench.make("2026-10"), "nox")["rule_id"] == "cn-ule-2024/kiln_tail/nox"
    fill(bench, date(2026, 10, 31), 1, {("A", "nox"): [math.nan] * 23 + [5.0]})
    assert headline(bench.make("2026-10"), "nox")["rule_id"] == "permit/A/nox"


def test_hours_above_the_mandatory_standard_are_counted_beside():
    bench = FakeBench(PLAIN)
    fill(bench, date(2026, 10, 1), 31, GOOD)
    fill(bench, date(2026, 10, 9), 1, {**GOOD, ("A", "nox"): [401.0] * 10 + [400.0] * 14})
    row = headline(bench.make("2026-10"), "nox")
    assert (row["verdict"], row["fail_hours"], row["mandatory_fail_hours"]) == ("PASS", 24, 10)
    assert "强制标准" in row["warning"]


def test_pollutants_with_only_a_mandatory_limit_are_hours_without_a_verdict():
    bench = FakeBench(registry(plant(), line(), outlet(reductant="urea"), device()))
    fill(bench, date(2026, 10, 1), 31, {**GOOD, ("A", "nh3"): [9.0] * 12 + [11.0] * 11 + [math.nan]})
    made = bench.make("2026-10")
    nh3 = frame(made["ule_hourly"]).filter(pl.col("pollutant") == "nh3")
    assert nh3.height == 744
    assert nh3["limit_mg_m3"].null_count() == nh3["fail_budget_hours"].null_count() == nh3["ok"].null_count() == 744
    assert not nh3["judged"].any()
    assert nh3["excluded_reason"].unique().to_list() == ["no_limit"]
    assert nh3["mandatory_ok"].value_counts().sort("mandatory_ok").rows() == [(None, 31), (False, 341), (True, 372)]
    assert "nh3" not in set(frame(made["ule_monthly"])["pollutant"])
    assert "hg" not in set(frame(made["ule_hourly"])["pollutant"])


def test_the_dryer_amendment_of_2026_04_01_holds_from_its_day():
    bench = FakeBench(registry(plant(), line(), outlet("D", "dryer", line_id=None), device("D")))
    fill(bench, date(2026, 3, 1), 61, {("D", "nox"): [90.0] * 24})
    march, april = (
        frame(bench.make(m)["ule_hourly"]).filter(pl.col("pollutant") == "nox") for m in ("2026-03", "2026-04")
    )
    assert march["mandatory_ok"].all()
    assert april["mandatory_limit_mg_m3"].unique().to_list() == [80.0]
    assert not april["mandatory_ok"].any()


def test_before_the_opinion_there_are_hours_but_no_verdicts():
    old = Permit("A", "nox", 50.0, "超低排放", LONG_AGO, None)
    bench = FakeBench(registry(plant(), line(), outlet(), device(), old))
    fill(bench, date(2023, 12, 1), 62, GOOD)
    december, january = bench.make("2023-12"), bench.make("2024-01")
    assert december["ule_monthly"].num_rows == 0
    assert december["ule_hourly"].num_rows == 3 * 744
    assert not frame(december["ule_hourly"])["judged"].any()
    assert headline(january, "nox")["production_hours"] == 17 * 24
    assert frame(january["ule_hourly"]).filter(pl.col("pollutant") == "pm")[
        "fail_budget_hours"
    ].drop_nulls().unique().to_list() == [20]


def test_rounding_policy_at_the_limit():
    bench = FakeBench(PLAIN)
    fill(bench, date(2026, 10, 1), 31, {**GOOD, ("A", "nox"): [50.04] * 24})
    found = policies(bench.make("2026-10"), "nox")
    assert found[HEADLINE_POLICY]["verdict"] == "FAIL"
    assert found["round_half_even"]["verdict"] == "PASS"


def test_draft_limits_say_so():
    bench = FakeBench(registry(plant(), line(), outlet("D", "dryer", line_id=None), device("D")))
    fill(bench, date(2026, 10, 1), 31, {("D", p): [5.0] * 24 for p in ("pm", "nox", "so2")})
    made = bench.make("2026-10")
    assert "draft" in headline(made, "nox", "D")["warning"]
    assert "draft" in headline(made, "joint", "D")["warning"]
    assert headline(made, "pm", "D")["warning"] is None


# ---- who is judged --------------------------------------------------------------------------------------------------


def test_main_outlets_must_have_a_monitor_and_others_are_judged_where_they_have_one():
    bench = FakeBench(
        registry(
            plant(), line(), outlet(), outlet("C", "cooler"), outlet("K", "packing"), outlet("M", "coal_mill"), device()
        )
    )
    fill(bench, date(2026, 10, 1), 31, {**GOOD, ("M", "pm"): [4.0] * 24, ("X", "pm"): [4.0] * 24})
    made = bench.make("2026-10")
    assert headline(made, "pm", "C")["verdict"] == "INSUFFICIENT"
    assert headline(made, "pm", "M")["verdict"] == "PASS"
    assert set(frame(made["ule_hourly"])["outlet_id"]) == {"A", "C", "M"}


def test_progress_by_plant_group_and_province():
    two = [plant("P1"), plant("P2", region="key"), plant("P3", group="", province="云南"), plant("P4")]
    lines = [line(), line("L1b", capacity=2500.0), line("L2", "P2", 5000.0), line("L3", "P3", 1000.0)]
    gone = line("L9", "P1", 9999.0, end=date(2026, 10, 1))
    outlets = [outlet(), outlet("B", plant_id="P2", line_id="L2"), outlet("C", plant_id="P3", line_id="L3")]
    bench = FakeBench(registry(*two, *lines, gone, *outlets, device(), device("B"), device("C")))
    rows = {(o, p): v if (o, p) != ("B", "nox") else [60.0] * 24 for o in "ABC" for (_, p), v in GOOD.items()}
    fill(bench, date(2026, 10, 1), 31, rows)
    made = frame(bench.make("2026-10")["ule_progress"])
    found = {(r["scope"], r["scope_id"]): r for r in made.iter_rows(named=True)}
    shares = {k: (r["capacity_t_d"], r["compliant_capacity_t_d"], r["share_pct"]) for k, r in found.items()}
    assert shares == {
        ("plant", "P1"): (7500.0, 7500.0, 100.0),
        ("plant", "P2"): (5000.0, 0.0, 0.0),
        ("plant", "P3"): (1000.0, 1000.0, 100.0),
        ("group", "甲"): (12500.0, 7500.0, 60.0),
        ("province", "贵州"): (12500.0, 7500.0, 60.0),
        ("province", "云南"): (1000.0, 1000.0, 100.0),
    }
    assert found["province", "云南"]["target_pct"] == 80.0
    assert found["province", "云南"]["target_date"] == date(2028, 12, 31)


def test_a_target_that_does_not_bind_all_of_a_scope_is_not_shown():
    bench = FakeBench(registry(plant("P1"), plant("P2", region="key"), line(), line("L2", "P2"), outlet(), device()))
    fill(bench, date(2025, 10, 1), 31, GOOD)
    found = {
        (r["scope"], r["scope_id"]): r["target_pct"]
        for r in frame(bench.make("2025-10")["ule_progress"]).iter_rows(named=True)
    }
    assert found["plant", "P1"] == 80.0
    assert found["plant", "P2"] == 50.0
    assert found["province", "贵州"] is None


def test_an_unmonitored_plant_does_not_comply():
    bench = FakeBench(registry(plant(), line(), outlet("K", "packing")))
    fill(bench, date(2026, 10, 1), 31, GOOD)
    made = bench.make("2026-10")
    assert made["ule_hourly"].num_rows == made["ule_monthly"].num_rows == 0
    assert frame(made["ule_progress"])["compliant_capacity_t_d"].unique().to_list() == [0.0]


def test_an_outlet_without_its_plant_is_named():
    bench = FakeBench(registry(plant(end=date(2026, 10, 9)), line(), outlet(), device()))
    fill(bench, date(2026, 10, 1), 31, GOOD)
    with pytest.raises(JudgementError, match=r"outlet A .* 2026-10 .* plant P1"):
        bench.make("2026-10")


# ---- terms --------------------------------------------------------------------------------------------------------


class OtherBook:
    """The packaged rule book with a few things said differently."""

    def __init__(self, values=None, change=None, drop=()):
        self._values, self._change, self._drop = values or {}, change or {}, drop

    def parameter(self, name, day):
        found = BOOK.parameter(name, day)
        return replace(found, value=self._values.get(name, found.value))

    def policies(self, day):
        found = [p for p in BOOK.policies(day) if p.name not in self._drop]
        return [replace(p, **self._change) if p.name == "round_half_even" else p for p in found]


@pytest.mark.parametrize(
    ("book", "text"),
    [
        (OtherBook({"ule.limit_inclusive": False}), "can only be true"),
        (OtherBook({"ule.pass_share_pct": 95.5}), "whole number"),
        (OtherBook(change={"startup_shutdown": "as_you_like"}), "unknown option as_you_like"),
        (OtherBook(change={"invalid_hours": "keep"}), "unknown option keep"),
        (OtherBook(change={"rounding": "up"}), "cannot round"),
        (OtherBook(change={"rounding_decimals": None}), "without rounding_decimals"),
        (OtherBook(change={"invalid_hours": "drop_with_min_capture"}), "min_capture_pct"),
        (OtherBook(drop=(HEADLINE_POLICY,)), "no policy include_all_fuel_on"),
    ],
    ids=lambda v: v.replace(" ", "_") if isinstance(v, str) else "",
)
def test_terms_that_the_kernels_cannot_follow_are_refused(book, text):
    with pytest.raises(JudgementError, match=text):
        month_terms(book, date(2026, 10, 31))


def test_parameters_of_the_rule_book_reach_the_test():
    terms = month_terms(OtherBook({"ule.pass_share_pct": 90, "ule.trailing_hours": 100}), date(2026, 10, 31))
    assert (terms.pass_pct, terms.trailing_hours) == (90, 100)
    assert set(terms.names) == set(POLICIES)
