"""Mass per tonne of clinker: the figure, every reason for none, whose clinker counts for whom, and what a later ledger moves."""

from __future__ import annotations

import math
from calendar import monthrange
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.products import bring_up, product, reasons
from contracts import TABLES
from contracts.emissions_clinker import REASONS
from pipelines.night import keys_in
from resources.home import Home
from resources.registry import Line, Plant, Registry
from resources.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

LONG_AGO = date(2015, 1, 1)
YEAR = "2025"
MONTHS = tuple(f"{YEAR}-{n:02d}" for n in range(1, 13))
ONE = Plant("P1", "厂", "plant", "", "甲", "贵州", "", None, None, 88.0, "general", LONG_AGO, None)
TWO = replace(ONE, plant_id="P2", group="乙")
LINES = tuple(Line(n, p, "portland", 5000.0, LONG_AGO, None) for n, p in (("L1", "P1"), ("L2", "P1"), ("L3", "P2")))
OF = product("emissions_clinker")
OWNERS = {
    "L1": ("line", "L1"), "L2": ("line", "L2"), "L3": ("line", "L3"), "P1": ("plant", "P1"), "P2": ("plant", "P2"), "甲": ("group", "甲"),
    "乙": ("group", "乙"), "贵州": ("province", "贵州"),
}  # fmt: skip


class Lab:
    """A home whose totals of mass and ledgers are written by hand: 0.3 t of NOx a month for everybody."""

    def __init__(self, root: Path, plants: tuple[Plant, ...] = (ONE, TWO), lines: tuple[Line, ...] = LINES) -> None:
        self.home = Home(Settings(home=str(root)))
        self.home.__dict__["registry"] = Registry(plants, lines, (), (), ())

    def mass(self, year: str = YEAR, *, without: tuple[str, ...] = (), **of_year: Any) -> Lab:
        """Totals of the months and of the year; `of_year` is said of the year's rows."""
        months = [f"{year}-{m[5:]}" for m in MONTHS if m not in without]
        for month in months:
            self.totals("monthly", month, 24 * monthrange(int(year), int(month[5:]))[1], 0.3)
        self.totals("annual", year, 8760, 0.3 * len(months), **of_year)
        return self

    def totals(self, what: str, period: str, hours: int, mass: float | None, **other: Any) -> None:
        counts = dict.fromkeys(("stopped_hours", "substituted_hours", "no_substitute_hours", "provisional_hours"), 0)
        rows = [
            {"scope": s, "scope_id": i, "pollutant": "nox", {"monthly": "month", "annual": "year"}[what]: period, "outlets": 1,
             "hours": hours, "valid_hours": hours, "period_hours": hours, "lower_bound": False, "complete": True, "mass_t": mass}
            | counts | other for s, i in OWNERS.values()
        ]  # fmt: skip
        self.write(f"emissions_totals_{what}", period, pl.DataFrame(rows))

    def clinker(self, month: str, **tonnes: float | None) -> None:
        rows = {"line_id": list(tonnes), "month": [month] * len(tonnes), "output_t": list(tonnes.values())}
        self.write("ledger_clinker", month, pl.DataFrame(rows, schema_overrides={"output_t": pl.Float64}))

    def ledgers(self, year: str = YEAR, **tonnes: float | None) -> Lab:
        for m in MONTHS:
            self.clinker(f"{year}-{m[5:]}", **tonnes)
        return self

    def write(self, table: str, key: str, rows: pl.DataFrame) -> None:
        contract = TABLES[table]
        place = {"versions": 1, "src_path": "a.csv", "src_row": 2, "src_columns": "[]"}
        rows = rows.with_columns(pl.lit(v).alias(n) for n, v in place.items() if n in contract.names)
        self.home.lake.write(table, key, contract.arrow(rows), made_by="test", inputs={})

    def run(self) -> set[str]:
        """Keys that came out other than they were."""
        return {k for k in sorted(OF.keys(self.home)) if (o := bring_up(self.home, OF, k)) and o.changed}

    def row(self, who: str, period: str = "2025-03") -> dict[str, Any]:
        made = pl.DataFrame(pl.from_arrow(self.home.lake.read("emissions_per_clinker", period[:4])))
        assert TABLES["emissions_per_clinker"].violations(made) == []
        scope, scope_id = OWNERS[who]
        found = made.with_columns(pl.col(pl.Categorical).cast(pl.String)).filter(
            scope=scope, scope_id=scope_id, period=period
        )
        return found.row(0, named=True)

    def says(self, who: str, period: str = "2025-03") -> tuple[float | None, float | None, str | None]:
        row = self.row(who, period)
        return row["clinker_t"], row["kg_per_t"], row["reason"]


ALL = {"L1": 1000.1, "L2": 2000.2, "L3": 500.0}


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_mass_by_clinker_of_the_lines_of_each_scope(lab: Lab) -> None:
    assert lab.mass().ledgers(**ALL).run() == {YEAR}
    for who, lines in {"L1": ["L1"], "P1": ["L1", "L2"], "甲": ["L1", "L2"], "乙": ["L3"], "贵州": list(ALL)}.items():
        tonnes = math.fsum(ALL[n] for n in lines)
        assert lab.says(who) == (tonnes, 0.3 * 1000 / tonnes, None), who
        tonnes = math.fsum(ALL[n] for n in lines for _ in MONTHS)
        assert lab.says(who, YEAR) == (tonnes, 0.3 * 12 * 1000 / tonnes, None), who
    assert lab.row("L1")["mass_kg"] == 300.0


@pytest.mark.parametrize(
    "said", [{"lower_bound": True}, {"period_hours": 8784}, {"mass_t": None}], ids=["lower_bound", "hours", "no_mass"]
)
def test_mass_that_is_not_whole_gives_no_figure(lab: Lab, said: dict[str, Any]) -> None:
    lab.mass(**said).ledgers(**ALL).run()
    assert lab.says("L1", YEAR) == (pytest.approx(12 * 1000.1), None, "mass_incomplete")
    assert lab.says("L1")[2] is None, "the month is whole"
    lab.totals("monthly", "2025-03", 744, 0.3, **(said | {"period_hours": 745}))
    assert lab.run() == {YEAR}
    assert lab.says("L1")[2] == "mass_incomplete"


def test_a_year_needs_mass_in_every_month_of_its_lines(lab: Lab, tmp_path: Path) -> None:
    lab.mass(without=MONTHS[:2]).ledgers(**ALL).run()
    assert lab.says("P1", YEAR)[2] == "mass_incomplete"
    young = Lab(tmp_path / "young", lines=tuple(replace(n, valid_from=date(2025, 3, 1)) for n in LINES))
    young.mass(without=MONTHS[:2]).ledgers(**ALL).run()
    assert young.says("P1", YEAR)[2] is None, "the lines began in March"
    assert young.says("L1", YEAR)[0] == pytest.approx(10 * 1000.1), "and ledgers of before are nobody's"


@pytest.mark.parametrize("l2", [{}, {"L2": None}], ids=["no_row", "no_output_in_it"])
def test_a_line_without_a_ledger_takes_the_figure_of_all_that_it_belongs_to(
    lab: Lab, l2: dict[str, float | None]
) -> None:
    lab.mass().ledgers(**ALL).clinker("2025-03", L1=1000.0, L3=500.0, **l2)
    lab.run()
    for who in ("L2", "P1", "甲", "贵州"):
        for period in ("2025-03", YEAR):
            assert lab.says(who, period) == (None, None, "no_ledger"), (who, period)
        assert lab.says(who, "2025-04")[2] is None, who
    assert lab.says("L1") == (1000.0, 0.3, None)


def test_no_clinker_no_figure(lab: Lab) -> None:
    lab.mass().ledgers(**ALL).clinker("2025-03", **(ALL | {"L1": 0.0}))
    lab.run()
    assert lab.says("L1") == (0.0, None, "no_output")
    assert lab.says("P1") == (2000.2, 300.0 / 2000.2, None)
    assert lab.says("L1", YEAR)[2] is None, "eleven months made some"


@pytest.mark.parametrize(
    ("day", "reason"), [(15, "owner_changed"), (1, None)], ids=["within_a_month", "between_months"]
)
def test_a_line_that_changes_hands(tmp_path: Path, day: int, reason: str | None) -> None:
    """Plant 1 goes from one group to the other in March: the province, plant and line know nothing of it."""
    when = date(2025, 3, day)
    plants = (replace(ONE, valid_to=when), replace(ONE, group="乙", valid_from=when), TWO)
    lab = Lab(tmp_path, plants).mass().ledgers(**ALL)
    lab.run()
    assert lab.says("乙")[2] == reason
    assert lab.says("乙", YEAR)[2] == reason
    assert lab.says("乙", "2025-04")[0] == math.fsum(ALL.values())
    assert lab.says("甲", "2025-02")[0] == math.fsum((1000.1, 2000.2))
    for who in ("L1", "P1", "贵州"):
        assert lab.says(who)[2] is None, who
        assert lab.says(who, YEAR)[2] is None, who
    if reason:
        assert lab.says("甲") == lab.says("乙") == (None, None, reason)


def test_the_first_reason_is_told(tmp_path: Path) -> None:
    assert REASONS == ("mass_incomplete", "no_ledger", "no_output", "owner_changed")
    when = date(2025, 3, 15)
    plants = (replace(ONE, valid_to=when), replace(ONE, group="乙", valid_from=when), TWO)
    lab = Lab(tmp_path, plants).mass().ledgers(**ALL)
    found = []
    for tonnes in (dict.fromkeys(ALL, 0.0), {"L1": 1.0}):
        lab.clinker("2025-03", **tonnes)
        lab.run()
        found.append(lab.says("甲")[2])
    lab.totals("monthly", "2025-03", 744, 0.3, lower_bound=True)
    lab.run()
    assert [*found, lab.says("甲")[2]] == ["no_output", "no_ledger", "mass_incomplete"]


def test_only_who_has_a_ledger_in_the_year_stands_there(lab: Lab) -> None:
    assert lab.mass().run() == set(), "no ledgers, no table"
    assert lab.home.lake.keys("emissions_per_clinker") == []
    lab.clinker("2025-06", L3=500.0)
    assert lab.run() == {YEAR}
    made = pl.DataFrame(pl.from_arrow(lab.home.lake.read("emissions_per_clinker", YEAR)))
    assert set(made["scope_id"].cast(pl.String)) == {"L3", "P2", "乙", "贵州"}
    assert made.height == 4 * 13
    assert lab.says("L3", "2025-05") == (None, None, "no_ledger")
    assert lab.says("L3", "2025-06") == (500.0, 0.6, None)


def test_a_later_ledger_moves_its_year_and_nothing_else(lab: Lab) -> None:
    for year in ("2023", YEAR):
        lab.mass(year).ledgers(year, **ALL)
    assert lab.run() == {"2023", YEAR}
    assert lab.run() == set()
    lab.clinker("2025-03", **(ALL | {"L1": 1200.0}))
    assert {k: reasons(lab.home, OF, k) for k in OF.keys(lab.home)} == {
        "2023": [], YEAR: ["table:ledger_clinker:2025-03"],
    }  # fmt: skip
    before = lab.row("L1", "2025-04"), lab.row("L2"), lab.row("乙", YEAR)
    assert lab.run() == {YEAR}
    assert lab.says("L1") == (1200.0, 0.25, None)
    assert (lab.row("L1", "2025-04"), lab.row("L2"), lab.row("乙", YEAR)) == before
    for month in MONTHS:
        lab.home.lake.drop("ledger_clinker", month)
    assert lab.run() == {YEAR}
    assert lab.home.lake.keys("emissions_per_clinker") == ["2023"], "what was withdrawn goes"


def test_a_night_looks_at_all_years(lab: Lab) -> None:
    for year in ("2023", YEAR):
        lab.mass(year).ledgers(year, **ALL)
    assert keys_in(lab.home, OF, ("2025-11-20", "2025-11-22")) == ["2023", YEAR]
