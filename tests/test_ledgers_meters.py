"""Meters of ledgers: what names none, what was not calibrated, and what the correction will be."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from resources.ledgers_meters import calibrated_to
from tests.ledger_files import found, home

if TYPE_CHECKING:
    from pathlib import Path

    from resources.events import Finding

FUEL = "plant_id,line_id,facility,fuel,month,consumption,unit,ncv_gj,meter_id\n"
METERS = "meter_id,plant_id,line_id,quantity,class_pct,actual_pct,calibrated_from,calibrated_to\n"
SCALE = "P1-COAL,P1,P1-1,煤,0.5,,2024-01-01,2024-12-31\n"


def told(root: Path, rows: list[tuple[str, str, str]], meters: str | None = SCALE) -> list[Finding]:
    """Findings on meters; `rows`: month, consumption and meter of each."""
    text = "".join(f"P1,P1-1,kiln,bituminous,{month},{amount},t,23,{meter}\n" for month, amount, meter in rows)
    files: dict[str, str | bytes] = {"ledger_fuel.csv": FUEL + text}
    if meters is not None:
        files["ledger_meter.csv"] = METERS + meters
    return [f for f in found(home(root, files)) if f.check_id in ("L63_unknown_meter", "L64_meter_not_calibrated")]


@pytest.mark.parametrize(
    ("meters", "near"),
    [(SCALE, "; P1-COAL perhaps"), (SCALE.replace("P1-COAL", "TRUCK-7"), ""), (None, "")],
    ids=["like-one", "like-none", "no-meters"],
)
def test_a_meter_that_no_ledger_describes_is_told_once_a_year_with_what_it_may_mean(
    tmp_path: Path, meters: str | None, near: str
) -> None:
    rows = [("2024-01", "9", ""), ("2024-02", "9", "P1-COLA"), ("2024-03", "9", "P1-COLA"), ("2025-01", "9", "P1-COLA")]
    one, other = told(tmp_path, rows, meters)
    assert (one.check_id, one.value, one.period, one.source_cell) == (
        "L63_unknown_meter",
        "P1-COLA",
        "2024",
        "3[meter_id]",
    )
    assert (one.plant_id, one.line_id, one.source_file) == ("P1", "P1-1", "ledgers/ledger_fuel.csv")
    assert (
        f"fuel of 2024-02, 2024-03 is measured by P1-COLA, which ledger_meter does not have{near}; consumption"
        in one.text_en
    )
    assert (other.period, other.source_cell) == ("2025", "5[meter_id]")


def test_a_meter_that_is_calibrated_all_the_time_makes_no_finding(tmp_path: Path) -> None:
    open_end = "P1-OIL,P1,,油,0.5,,2023-12-01,\n"
    rows = [("2024-01", "9", "P1-COAL"), ("2024-12", "9", "P1-COAL"), ("2024-11", "9", "P1-OIL")]
    assert told(tmp_path, rows, SCALE + open_end) == []


@pytest.mark.parametrize(
    ("meters", "months", "days", "effect"),
    [
        pytest.param(SCALE.replace("2024-12-31", "2024-01-21"), "2024-01, 2024-02", 39, "raised by its class, 0.5 %", id="lapsed"),
        pytest.param(SCALE.replace("2024-01-01", "2024-01-11"), "2024-01", 10, "raised by its class, 0.5 %", id="before-the-first"),
        pytest.param(SCALE.replace("2024-12-31", "2024-02-10") + "P1-COAL,P1,P1-1,煤,1,,2024-02-21,2024-12-31\n", "2024-02", 10, "class, 0.5 %", id="gap-of-days"),
        pytest.param(SCALE.replace("2024-01-01,2024-12-31", "2023-02-20,"), "2024-02", 10, "raised by its class, 0.5 %", id="open-end-after-a-year"),
        pytest.param(SCALE.replace("0.5", "").replace("2024-12-31", "2024-01-31"), "2024-02", 29, "nothing is corrected", id="no-class"),
    ],
)  # fmt: skip
def test_a_lapse_is_told_with_its_days_and_the_correction_to_come(
    tmp_path: Path, meters: str, months: str, days: int, effect: str
) -> None:
    rows = [("2024-01", "9", "P1-COAL"), ("2024-02", "9", "P1-COAL"), ("2025-03", "0", "P1-COAL")]
    (finding,) = told(tmp_path, rows, meters)
    assert (finding.check_id, finding.value, finding.period) == ("L64_meter_not_calibrated", months, "2024")
    assert f"P1-COAL was not calibrated on {days} days of {months}; " in finding.text_en
    assert effect in finding.text_en
    assert finding.source_cell == ("3[meter_id]" if months == "2024-02" else "2[meter_id]")


@pytest.mark.parametrize(
    ("begin", "end", "told_too"),
    [
        ("2024-01-01", "2024-12-31", False), ("2024-01-01", "2025-01-01", False), ("2024-01-01", "2025-01-02", True),
        ("2024-02-29", "2025-03-01", False), ("2024-02-29", "2025-03-02", True), ("2024-01-01", "", False),
    ],
)  # fmt: skip
def test_a_calibration_that_is_stated_for_more_than_twelve_months_is_told_and_counts_as_stated(
    tmp_path: Path, begin: str, end: str, told_too: bool
) -> None:
    meters = METERS + f"P1-COAL,P1,P1-1,煤,0.5,,{begin},{end}\n"
    made = found(home(tmp_path, {"ledger_meter.csv": meters}), "L65")
    assert [(f.value, f.source_cell, f.period) for f in made] == [(end, "2[calibrated_to]", "2024")] * told_too


def test_an_open_end_lasts_until_the_day_before_its_anniversary() -> None:
    days = {
        d: calibrated_to({"calibrated_from": date.fromisoformat(d), "calibrated_to": None})
        for d in ("2024-02-29", "2023-03-01", "2024-01-31")
    }
    assert [str(d) for d in days.values()] == ["2025-02-28", "2024-02-29", "2025-01-30"]
