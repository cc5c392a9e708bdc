"""A simulated month with starts, stops, marks and faults: the night says what the slow reference says, figure by figure.

The reference (`slow_reference`) reads the same files and shares no code with the project; where the two differ one of them has
the rules wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Dirt, simulate
from tests.nights import night, rows
from tests.slow_reference import POLICIES, Hour, Result, masses, whole_month

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: April begins a quarter, so the quarter to date is the month; and a rule for dryers changes with it.
FIRST, DAYS = date(2026, 4, 1), 30
HOURS = 24 * DAYS
#: Everything that a figure may hang on; no unknown time labels, which the reference does not find out.
DIRT = Dirt(
    ms_time=0.3, seconds=0.2, split=0.4, lower_crc=0.2, odd_header=0.2, wrong_st=0.2, log_text=0.5,
    gap=0.1, outage=0.1, clock_jump=0.02, flat=0.1, zero=0.1, negative=0.05, over_range=0.1, fault=0.1, maintenance=0.1,
    calibration=0.1, strange_flag=0.05, out_of_control=0.6, breakdown=0.6, repeat=0.02, conflict=0.01, late_conflict=0.2,
    bytes_lost=0.001, bit_flip=0.001, nul_between=0.001, unknown_mn=0.001, glued=0.001, noise_line=0.002,
    repeated_key=0.002, undeclared=0.05, late_declared=0.1, undated=0.05, open_end=0.1, overlapping=0.1, unknown_name=0.04,
    bad_period=0.04, false_event=0.3,
)  # fmt: skip


@dataclass
class Month:
    """A home after its night, and what the reference makes of it."""

    home: Path
    slow: Result

    def hours(self) -> Iterator[tuple[tuple[str, str, datetime], Hour]]:
        """Every hour of the reference by outlet, pollutant and start."""
        first = datetime(FIRST.year, FIRST.month, 1)
        for outlet, pollutants in self.slow.hours.items():
            for pollutant, made in pollutants.items():
                for n, hour in enumerate(made):
                    yield (outlet, pollutant, first + timedelta(hours=n)), hour

    def table(self, name: str) -> dict[tuple[str, str, datetime], dict[str, Any]]:
        """An hourly table of the lake by the same key."""
        return {(r["outlet_id"], r["pollutant"], r["hour"]): r for r in rows(self.home, name).iter_rows(named=True)}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param({"outlets": 3, "seed": 23, "interval_min": 10}, id="kiln"),
        pytest.param({"outlets": 5, "seed": 96, "interval_min": 1}, id="every-minute", marks=pytest.mark.long),
        pytest.param({"outlets": 9, "seed": 83, "interval_min": 10}, id="marks-upon-marks", marks=pytest.mark.long),
        pytest.param({"outlets": 9, "seed": 60, "interval_min": 10}, id="banked", marks=pytest.mark.long),
        pytest.param({"outlets": 8, "seed": 104, "interval_min": 5}, id="parts-of-nox", marks=pytest.mark.long),
    ],
)
def month(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Month:
    home = tmp_path_factory.mktemp("month")
    simulate(home, first=FIRST, days=DAYS, dirt=DIRT, truth=(), events=True, **request.param)
    assert night(home, publish=False).code == 0
    return Month(home, whole_month(home, FIRST.year, FIRST.month))


@pytest.mark.parametrize("month", [{"outlets": 3, "seed": 23, "interval_min": 10}], ids=["kiln"], indirect=True)
def test_the_month_has_what_the_rules_are_about(month: Month) -> None:
    tags = {hour.tag for _, hour in month.hours()}
    assert tags >= {"N", "F", "St", "Sd", "C", "M", "D", "T", "Md", "X_INSUFFICIENT"}
    assert {hour.state for _, hour in month.hours()} >= {
        None,
        "running",
        "stopped",
        "cold_start",
        "hot_start",
        "shutdown",
    }
    assert any(hour.exempt for _, hour in month.hours())
    verdicts = {
        policy: [r["verdict"] for (_, _, p), r in month.slow.verdicts.items() if p == policy] for policy in POLICIES
    }
    assert len({tuple(v) for v in verdicts.values()}) >= 3


@pytest.mark.parametrize(
    ("column", "figure"),
    [
        ("concentration_mg_m3", "concentration"),
        ("converted_mg_m3", "converted"),
        ("judged_mg_m3", "judged"),
        ("o2_pct", "o2"),
        ("flow_m3_h", "flow"),
        ("mass_kg", "mass"),
    ],
    ids=["R1-dry", "R3-converted", "judged", "oxygen", "A-flow", "R7-mass"],
)
def test_hour_values(month: Month, column: str, figure: str) -> None:
    made = month.table("cems_hourly")
    wrong = []
    for key, hour in month.hours():
        want, got = getattr(hour, figure), made[key][column]
        if got != (want if want is None else pytest.approx(want, rel=1e-9, abs=1e-12)):
            wrong.append((key, want, got, hour.tag))
    assert not wrong, f"{len(wrong)} hours differ, as {wrong[:3]}"


@pytest.mark.parametrize(
    ("column", "figure"),
    [("hour_tag", "tag"), ("flag_system", "system"), ("process_state", "state"), ("valid_minutes", "valid_minutes")],
    ids=["R5-tag", "R5-flag-system", "process-state", "R4-valid-minutes"],
)
def test_what_an_hour_was(month: Month, column: str, figure: str) -> None:
    made = month.table("cems_hourly")
    wrong = [
        (k, getattr(h, figure), made[k][column]) for k, h in month.hours() if made[k][column] != getattr(h, figure)
    ]
    assert not wrong, f"{len(wrong)} hours differ, as {wrong[:3]}"


def test_no_hour_more_or_less(month: Month) -> None:
    assert {k for k in month.table("cems_hourly") if k[2] >= datetime(2026, 4, 1)} == {k for k, _ in month.hours()}


def test_exempt_hours(month: Month) -> None:
    """R15: within the cap of a start or stop that was declared in time."""
    made = month.table("ule_hourly")
    wrong = [
        (k, h.exempt, made[k]["exempt"], h.state)
        for k, h in month.hours()
        if k in made and made[k]["exempt"] != h.exempt
    ]
    assert not wrong, f"{len(wrong)} hours differ, as {wrong[:3]}"


@pytest.mark.parametrize("policy", POLICIES)
def test_verdicts(month: Month, policy: str) -> None:
    """R12, R13: counts and verdict of each pollutant and of all jointly."""
    made = {
        (r["outlet_id"], r["pollutant"]): r
        for r in rows(month.home, "ule_monthly").iter_rows(named=True)
        if r["policy"] == policy and r["month"] == "2026-04"
    }
    wanted = {(o, p): r for (o, p, name), r in month.slow.verdicts.items() if name == policy}
    assert {k: {c: made[k][c] for c in r} for k, r in wanted.items()} == wanted
    assert made.keys() == wanted.keys()


def test_mass(month: Month) -> None:
    """R9, R10: measured, substituted by tables 5 and 6 over the quarter to date, or 0 while the source was stopped."""
    made = month.table("emissions_hourly")
    wrong, methods = [], set()
    first = datetime(FIRST.year, FIRST.month, 1)
    for outlet, pollutants in month.slow.hours.items():
        for pollutant, hours in pollutants.items():
            for n, mass in enumerate(masses(month.slow.month, outlet, pollutant, hours)):
                row = made[outlet, pollutant, first + timedelta(hours=n)]
                methods.add(mass.method)
                basis = None if mass.basis is None else first + timedelta(hours=mass.basis)
                kg = mass.kg if mass.kg is None else pytest.approx(mass.kg, rel=1e-9, abs=1e-12)
                if (row["mass_method"], row["basis_hour"]) != (mass.method, basis) or row["mass_kg"] != kg:
                    wrong.append((outlet, pollutant, first + timedelta(hours=n), mass, hours[n].tag))
    assert not wrong, f"{len(wrong)} hours differ, as {wrong[:3]}"
    assert methods >= {"measured", "max180"}
