"""The filing calendar: who has to file what, what is missing on which day, and what is told once a day has passed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click
import pytest

from pipelines.cli_carbon import calendar
from resources.ets import EtsBook
from resources.ets_home import EtsHome, LineYear
from tests.carbon_cases import Lab, line, month_of_a, plant, registry

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Two plants, of which P1 filed January and February 2026."""
    lab = Lab(tmp_path, registry(plant("P1"), plant("P2"), line("L1"), line("L2", "P2")))
    for m in (1, 2):
        lab.put(f"2026-{m:02d}", month_of_a(m))
    return lab


def on(lab: Lab, day: str, *plants: str, year: str = "2026") -> tuple[dict[tuple[str, str], dict[str, Any]], str]:
    data, text = calendar(lab.home, year, date.fromisoformat(day), plants)
    return {(r["plant_id"], r["period"]): r for r in data["steps"] if r["step"] == "monthly_filing"}, text


@pytest.mark.parametrize(
    ("day", "state", "left"),
    [
        pytest.param("2026-01-31", "later", 40, id="month-not-over"), pytest.param("2026-02-01", "due", 39, id="month-over"),
        pytest.param("2026-03-12", "due", 0, id="D-1-last-day"), pytest.param("2026-03-13", "overdue", -1, id="D-1-day-after"),
    ],
)  # fmt: skip
def test_D1_states_of_a_month_that_lacks_ledgers(lab: Lab, day: str, state: str, left: int) -> None:
    rows, text = on(lab, day)
    row = rows["P2", "2026-01"]
    assert (row["state"], row["days_left"]) == (state, left)
    assert ("P2: 缺 lacks ledger_clinker L2" in text) == (state != "later")
    filed = rows["P1", "2026-01"]
    assert (filed["missing"], filed["state"]) == (None, "passed" if left < 0 else "open")


def test_what_is_overdue_is_told_first(lab: Lab) -> None:
    _, text = on(lab, "2026-04-01")
    told = [row for row in text.splitlines() if "lacks" in row]
    assert told[0].startswith("已过期 20 天 overdue by 20 d: 2026-01 P2")
    assert told[1].startswith("还有 8 天 8 d left: 2026-02 P2")
    assert len(told) == 4, "March is over for both; April is not"


def test_more_than_a_screen_is_counted(tmp_path: Path) -> None:
    many = [f"P{n:02d}" for n in range(30)]
    lab = Lab(tmp_path, registry(*map(plant, many), *(line(f"L{n}", n) for n in many)))
    lab.put("2026-01", month_of_a(1, "LP00", "P00"))
    _, text = on(lab, "2026-03-15")
    assert "另有 and 39 项 more" in text.splitlines()[-1]


def test_plants_off_the_list_file_once_a_year(lab: Lab) -> None:
    for year, steps in ((2025, ["annual_report", "verification"]), (2026, [])):
        lab.home.__dict__["ets_home"] = EtsHome(lines=(LineYear("L2", year, "", "not_listed", ""),))
        data, _ = calendar(lab.home, str(year), date(2026, 1, 1), ("P2",))
        assert [r["step"] for r in data["steps"]] == steps
        data, _ = calendar(lab.home, str(year), date(2026, 1, 1), ("P1",))
        assert {"monthly_filing", "surrender"} < {r["step"] for r in data["steps"]}


def test_a_plant_that_does_not_exist_is_refused(lab: Lab) -> None:
    with pytest.raises(click.UsageError, match="P9"):
        on(lab, "2026-01-01", "P9")


@pytest.mark.parametrize(
    ("year", "steps"),
    [
        pytest.param(2024, ["annual_report", "verification", "allowances_fixed", "allowances_issued", "surrender"], id="D-1-2024"),
        pytest.param(2026, ["control_plan", "annual_report", "surrender"], id="D-1-2026"),
        pytest.param(2027, ["control_plan"], id="D-1-2027"), pytest.param(2030, [], id="D-1-unknown"),
    ],
)  # fmt: skip
def test_D1_steps_that_are_known(year: int, steps: list[str]) -> None:
    assert [d.step for d in EtsBook.load().deadlines(year)] == steps


def test_D1_days_of_a_text_for_comment_are_drafts() -> None:
    worth = {d.step: d.confidence for d in EtsBook.load().deadlines(2026)}
    assert worth == {"control_plan": "verified", "annual_report": "draft", "surrender": "draft"}
