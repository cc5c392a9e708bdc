"""Allowances of a year line by line, without a lake: plans by year, who takes part, why there is no number, and nobody stopped by another."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import polars as pl
import pytest

from assets.allocation import allocated
from assets.allocation_desk import Ground, gross_process
from assets.carbon_filing import allocation_refusals
from contracts.ets import ALLOCATION_YEAR, NO_NUMBER, SPECIALS
from kernels.rounding import exact
from resources.ets import EtsBook
from resources.ets_home import Balance, LineYear
from resources.factors import FactorBook
from resources.home import Home
from resources.settings import Settings
from tests.carbon_cases import line, plant, registry

BOOK, FACTORS = EtsBook.load(), FactorBook.load()
V01 = "CETS-AG-02.01-V01-2024"
A1 = {"total_tco2": 1300000.0, "clinker_t": 1550000.0}


def a_line(line_id: str = "L1", plant_id: str = "P1", **changed: Any) -> dict[str, Any]:
    """A row of carbon_line_year; A-1 unless said otherwise."""
    row: dict[str, Any] = {
        "plant_id": plant_id, "line_id": line_id, "method_id": V01, "aggregation": "annual_weighted", "fossil_tco2": None, "process_tco2": None,
        "carbide_t": None, "carbide_rate_pct": None, "complete": True, "missing": None, "drafts": None, "status": "filing", "factor_set": "f",
    }  # fmt: skip
    row |= {**A1, **changed}
    total = row["total_tco2"]
    return row | {"whole_tco2": None if total is None else float(int(total + 0.5))}


def year_of(
    year: int, *lines: dict[str, Any], of: Any = (), entities: dict[str, float] | None = None, previous: dict[str, float] | None = None,
    declared: LineYear | None = None, balance: float | None = 0.845,
    gross: dict[tuple[str, str], Fraction] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    plan = BOOK.plan(year)
    assert plan is not None
    value = None if balance is None else Balance(year, balance, "invented", None)
    ground = Ground(year, plan, BOOK.orders[plan.profile], FACTORS, registry(*of), value)
    made = allocated(
        ground,
        list(lines) or [a_line()],
        {"P1": 9e5} if entities is None else entities,
        previous or {},
        {"L1": declared},
        gross,
    )
    for row in made:
        assert row["special"] in (None, *SPECIALS)
        assert row.get("no_number") in (None, *NO_NUMBER)
        assert (row["allowance_t"] is None) == (row.get("no_number") is not None), "a number, or why there is none"
        assert (row["allowance_t"] is None) == (row["status"] == "missing")
    return made


@pytest.mark.parametrize(
    ("year", "allowance", "special", "why"),
    [
        pytest.param(2024, 1300000, "verified_year", None, id="2024"), pytest.param(2025, 1301451, None, None, id="2025"),
        pytest.param(2026, 1301451, None, None, id="2026"), pytest.param(2027, None, None, "no_plan", id="2027"),
        pytest.param(2031, None, None, "no_plan", id="2031"),
    ],
)  # fmt: skip
def test_A1_in_every_year(year: int, allowance: int | None, special: str | None, why: str | None) -> None:
    (row,) = year_of(year)
    assert (row["allowance_t"], row["special"], row.get("no_number")) == (allowance, special, why)


@pytest.mark.parametrize(
    ("year", "named"),
    [pytest.param(2024, set(), id="2024"), pytest.param(2025, {"rounding exact"}, id="2025"),
     pytest.param(2026, {"rounding exact", "plan 2026"}, id="2026"), pytest.param(2027, {"rounding exact", "plan 2027"}, id="2027")],
)  # fmt: skip
def test_a_plan_for_comment_is_a_draft_by_name(year: int, named: set[str]) -> None:
    (row,) = year_of(year)
    assert {d for d in (row["drafts"] or "").split("|") if d} == named
    assert row["status"] == ("filing" if not named else "missing" if year == 2027 else "draft")


@pytest.mark.parametrize("kind", ["sulfoaluminate", "aluminate"])
@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_clinker_that_is_not_covered_gets_nothing(year: int, kind: str) -> None:
    (row,) = year_of(year, of=(plant(), line(kind=kind)))
    assert (row["special"], row["no_number"], row["allowance_t"]) == ("not_covered", "outside", None)


@pytest.mark.parametrize("year", [2024, 2025, 2026, 2027])
def test_plants_that_are_not_listed_take_no_part(year: int) -> None:
    (row,) = year_of(year, declared=LineYear("L1", year, "", "not_listed", ""), previous={"L1": 5.0})
    assert (row["special"], row["no_number"], row.get("preallocation_t")) == ("not_listed", "outside", None)
    assert "名录" in row["note_zh"]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        pytest.param({"total_tco2": -12.5}, "implausible_emission", id="negative"),
        pytest.param({"total_tco2": 1e13}, "implausible_emission", id="too-much"),
        pytest.param({"total_tco2": None}, "no_emission", id="no-emission"),
        pytest.param({"clinker_t": 0.0}, "no_emission", id="no-output"), pytest.param({"clinker_t": None}, "no_emission", id="no-clinker"),
    ],
)  # fmt: skip
def test_a_slip_of_one_line_does_not_stop_the_others(changed: dict[str, Any], why: str) -> None:
    bad, good = year_of(2025, a_line(**changed), a_line("L2"), of=(plant(), line(), line("L2")), previous={"L1": -5.0})
    assert (bad["no_number"], bad["allowance_t"], bad.get("preallocation_t")) == (why, None, None)
    assert good["allowance_t"] == 1301451


def test_without_a_balance_value_the_reason_says_so() -> None:
    (row,) = year_of(2025, balance=None)
    assert row["no_number"] == "no_balance_value"
    assert "registry/ets.csv" in row["note_en"]


@pytest.mark.parametrize(
    ("entities", "total", "special", "why"),
    [
        pytest.param({"P1": 25999.99}, 20000.0, "small_entity", None, id="below"),
        pytest.param({"P1": 26000.0}, 20000.0, None, None, id="at-the-threshold"),
        pytest.param({}, 20000.0, None, "no_entity_total", id="unknown"),
        pytest.param({}, 26000.0, None, None, id="lines-alone-are-above"),
    ],
)
def test_the_threshold_of_an_entity(
    entities: dict[str, float], total: float, special: str | None, why: str | None
) -> None:
    (row,) = year_of(2026, a_line(total_tco2=total, clinker_t=25000.0), entities=entities)
    assert (row["special"], row.get("no_number")) == (special, why)


@pytest.mark.parametrize(
    ("year", "previous", "share", "given", "settled"),
    [pytest.param(2025, 1300001.0, 70, 910000, 391451, id="A-6-70"), pytest.param(2026, 1300001.0, 50, 650000, 651451, id="A-6-50"),
     pytest.param(2026, 2700000.0, 50, 1350000, -48549, id="taken-back")],
)  # fmt: skip
def test_A6_given_in_advance_and_settled(year: int, previous: float, share: int, given: int, settled: int) -> None:
    (row,) = year_of(year, previous={"L1": previous})
    assert (row["preallocation_pct"], row["preallocation_t"], row["settlement_t"]) == (share, given, settled)


def test_nothing_is_given_in_advance_for_2024() -> None:
    (row,) = year_of(2024, previous={"L1": 5.0})
    assert row.get("preallocation_t") is row["settlement_t"] is None


def test_an_entity_is_the_sum_of_its_lines_each_cut() -> None:
    rows = year_of(2025, *(a_line(n) for n in ("L1", "L2", "L3")), of=(plant(), *(line(n) for n in ("L1", "L2", "L3"))))
    assert sum(r["allowance_t"] for r in rows) == 3 * 1301451, "cut by line, then added: not the floor of the sum"
    assert [r["number"] for r in rows] == [1, 2, 3]


def test_a_filing_run_refuses_allowances_by_name(tmp_path: Any) -> None:
    import polars as pl

    home = Home(Settings(home=str(tmp_path)))
    (drafted,), (missing,) = year_of(2026), year_of(2025, a_line("L2", total_tco2=None, missing="ledger_fuel"))
    schema = {c.name: pl.Float64 if str(c.type) == "double" else pl.Int32 if str(c.type) == "int32" else pl.String for c in ALLOCATION_YEAR.columns}  # fmt: skip
    table = ALLOCATION_YEAR.arrow(
        pl.DataFrame([{n: r.get(n) for n in schema} for r in (drafted, missing)], schema=schema)
    )
    home.lake.write("allocation_year", "2026", table, made_by="test", inputs={})
    first, second = allocation_refusals(home, "2026")
    assert first.drafts == ("plan 2026", "rounding exact")
    assert second.missing == ("no_emission",)
    assert "plan 2026" in str(first)
    with pytest.raises(LookupError, match="2025"):
        allocation_refusals(home, "2025")


MIXED = (plant(), line(end=date(2025, 7, 1)), line(kind="sulfoaluminate", start=date(2025, 7, 1)))


def test_a_year_of_two_classes_takes_the_factor_weighted_by_the_months_output() -> None:
    """Carbide slag of 15.2 % of the portland factor alone is above the threshold of 15 % only for who takes the last class of the year."""
    months = pl.DataFrame(
        [("P1", "L1", "source", "clinker", "line", 60000.0, 0.535), ("P1", "L1", "source", "clinker", "line", 60000.0, 0.4),
         ("P1", "L1", "source", "deduction", "line", 1.0, 0.5), ("P1", "L2", "source", "clinker", "line", 1.0, None)],
        ["plant_id", "line_id", "kind", "part", "level", "activity", "factor"], orient="row",
    )  # fmt: skip
    gross = gross_process(months)
    assert gross == {("P1", "L1"): 60000 * Fraction("0.935")}
    row = year_of(2025, a_line(clinker_t=120000.0, carbide_t=1000.0), of=MIXED, gross=gross)[0]
    assert row["clinker_factor"] == pytest.approx(0.4675)
    assert row["clinker_class"] == "portland|sulfoaluminate"
    assert "classes of clinker" in row["drafts"]
    assert "weighted" in row["note_en"]


@pytest.mark.parametrize(("over", "special"), [(0.0, None), (1.0, "carbide")], ids=["at-the-threshold", "above-it"])
def test_the_carbide_case_of_two_classes_is_decided_by_the_gross_process(over: float, special: str | None) -> None:
    k, threshold = FACTORS.find("k_rawmat", "carbide_slag", date(2025, 12, 31), method=a_line()["method_id"]), 15
    gross = Fraction(1000) * exact(k.value) * 100 / threshold
    changed = a_line(clinker_t=120000.0, carbide_t=1000.0 + over)
    (row,) = year_of(2025, changed, of=MIXED, gross={("P1", "L1"): gross})
    assert row["special"] == special
    (unknown,) = year_of(2025, changed, of=MIXED)
    assert unknown["clinker_factor"] is None


@pytest.mark.parametrize(
    ("complete", "entity", "special", "why"),
    [
        pytest.param(True, 22020.0, "small_entity", None, id="a-whole-year-below"),
        pytest.param(False, 22020.0, None, "entity_open", id="two-months-below"),
        pytest.param(False, 9e5, None, None, id="two-months-above-already"),
    ],
)
def test_a_part_of_a_year_makes_no_small_entity(
    complete: bool, entity: float, special: str | None, why: str | None
) -> None:
    (row,) = year_of(2026, a_line(complete=complete), entities={"P1": entity})
    assert (row["special"], row.get("no_number")) == (special, why)
