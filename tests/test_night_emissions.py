"""Mass through whole nights: a quarter that closes, a capture that comes late, and the same bytes however they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.products import product
from pipelines.night import keys_in
from tests.nights import captures, deliver, empty_like, moved, night, opened, rows, standing, week

if TYPE_CHECKING:
    from pathlib import Path

MASS = {
    t for name in ("capture", "emissions", "emissions_year") for t in product(name).tables
}  # fmt: skip


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A week of four outlets around the end of the first quarter of 2026."""
    return week(tmp_path_factory.mktemp("source"), outlets=4)


def of_days(names: list[str], *days: str) -> list[str]:
    return [n for n in names if any(f"/{d}/" in n for d in days)]


@pytest.mark.long
def test_a_quarter_closes_and_a_late_capture_moves_its_month(source: Path, tmp_path: Path) -> None:
    names = captures(source)
    home = empty_like(source, tmp_path / "home")
    late = of_days(names, "2026-03-30")[:1]
    first = of_days(names, "2026-03-29", "2026-03-30")
    deliver(source, home, [n for n in first if n not in late])
    assert night(home).code == 0
    assert rows(home, "capture_quarterly")["provisional"].all()
    invalid = pl.col("mass_method").is_in(["measured", "stopped"]).not_()
    assert rows(home, "emissions_hourly").filter(invalid)["provisional"].all()

    deliver(source, home, [n for n in names if n not in first])
    assert night(home).code == 0
    quarters = rows(home, "capture_quarterly").sort("quarter", "outlet_id", "pollutant")
    assert dict(quarters.select("quarter", "provisional").unique().iter_rows()) == {"2026-Q1": False, "2026-Q2": True}
    march = rows(home, "emissions_hourly").filter(invalid, pl.col("hour").dt.month() == 3)
    assert not march["provisional"].any()
    assert march["capture_pct"].is_not_null().all()
    assert rows(home, "emissions_annual")["complete"].any() is False

    before = standing(home)
    deliver(source, home, late)
    assert night(home).code == 0
    touched = moved(before, standing(home))
    assert touched["emissions_hourly"] >= {"2026-03"}
    assert touched["emissions_annual"] == {"2026"}

    at_once = empty_like(source, tmp_path / "once")
    deliver(source, at_once, names)
    assert night(at_once).code == 0
    after = standing(home)
    assert {k: v for k, v in after.items() if k[0] in MASS} == {
        k: v for k, v in standing(at_once).items() if k[0] in MASS
    }
    assert {t for t, _ in after if t in MASS} == MASS
    a_night_looks_back_to_its_quarter(home)


def a_night_looks_back_to_its_quarter(home: Path) -> None:
    """A day moves the whole quarter; in the first week of one it may end an episode of the quarter before."""
    opening = opened(home)
    for day, months, years in (
        ("2026-04-20", ["2026-04"], ["2026"]),
        ("2026-04-05", ["2026-03", "2026-04"], ["2026"]),
        ("2026-07-01", ["2026-04"], ["2026"]),
        ("2027-01-03", [], ["2026"]),
        ("", ["2026-03", "2026-04"], ["2026"]),
    ):
        assert keys_in(opening, product("emissions"), (day, "~")) == months, day
        assert keys_in(opening, product("emissions_year"), (day, "~")) == years, day


def test_what_was_sent_is_what_was_emitted(source: Path, tmp_path: Path) -> None:
    """Every valid mass of the hours stands in the emissions, unchanged, and nothing else is called measured."""
    home = empty_like(source, tmp_path / "home")
    deliver(source, home, captures(source))
    assert night(home, publish=False).code == 0
    key = ["outlet_id", "pollutant", "hour"]
    hours = rows(home, "cems_hourly").filter(pl.col("mass_kg").is_not_null()).select(*key, "mass_kg").sort(key)
    measured = rows(home, "emissions_hourly").filter(mass_method="measured").select(*key, "mass_kg").sort(key)
    assert hours.height > 500
    assert measured.equals(hours)
