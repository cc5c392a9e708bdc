"""Lines that change plant in the year: each plant answers for its own months, and everything that rests on lines follows.

Belongs here: rows of a line by plant. Does not belong here: lines that stay where they are (`test_assets_carbon`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.carbon_filing import filing_refusals
from assets.carbon_meters import meter_factors
from assets.checks_carbon import carbon_months_add_up, carbon_years_add_up
from assets.explain_carbon import Edition, NothingToExplain, explain_line_year
from assets.products import bring_up, product
from contracts import TABLES
from resources.methods import MethodBook
from resources.sealed import Filing, Filings
from tests.carbon_cases import Lab, line, month_of_a, plant, registry
from tests.test_assets_carbon import M1, M2, V01, cents, entity_year, line_year

if TYPE_CHECKING:
    from pathlib import Path

Ledgers = dict[str, list[dict[str, Any]]]


def _of_both(ledgers: Ledgers) -> Ledgers:
    """Ledgers of the line that is sold, beside those of L3."""
    other = month_of_a(4, "L3")
    return {t: [*ledgers[t], *(r for r in other[t] if r.get("line_id"))] for t in ledgers}


def _sold(root: Path) -> Lab:
    """Line L1 is P1's until the end of January and P2's from February on; P1 keeps a line of its own."""
    months = date(2024, 2, 1)
    rows = registry(
        plant(), plant("P2", "云南省"), line(end=months), line(plant_id="P2", start=months), line("L3"),
    )  # fmt: skip
    lab = Lab(root, rows)
    lab.home.__dict__["methods"] = MethodBook.load().with_runs(V01)
    for m in (1, 2, 3):
        lab.put(f"2024-{m:02d}", _of_both(month_of_a(m, plant_id="P1" if m == 1 else "P2")))
    lab.run()
    return lab


@pytest.mark.parametrize("way", [M1, M2])
def test_a_line_that_changes_plant_has_a_row_of_each_for_its_own_months(tmp_path: Path, way: str) -> None:
    lab = _sold(tmp_path)
    rows = {p: line_year(lab, way=way, line_id="L1", plant_id=p) for p in ("P1", "P2")}
    assert {p: (r["months"], r["complete"], r["missing"]) for p, r in rows.items()} == {
        "P1": (1, True, None),
        "P2": (2, False, None),
    }
    # The vectors' months of the line: January, then February and March.
    assert cents(rows["P1"]["total_tco2"]) == "106305.31"
    if way == M2:
        assert cents(rows["P2"]["total_tco2"]) == "158044.29"
    assert rows["P1"]["clinker_t"] == pytest.approx(132450.35)
    owned = {p: entity_year(lab, "location_national", way=way, plant_id=p)["lines"] for p in ("P1", "P2")}
    assert owned == {"P1": 2, "P2": 1}
    assert all(problems == [] for problems, _ in (carbon_months_add_up(lab.home, ["2024-01", "2024-02"]), carbon_years_add_up(lab.home, ["2024"])))  # fmt: skip


def test_what_rests_on_lines_follows_the_plant(tmp_path: Path) -> None:
    lab = _sold(tmp_path)
    for name in ("uncertainty", "allocation", "carbon_findings"):
        for key in sorted(product(name).keys(lab.home)):
            bring_up(lab.home, product(name), key)
    own = {"line_id": "L1", "year": "2024"}
    assert sorted(lab.frame("allocation_year").filter(**own)["plant_id"]) == ["P1", "P2"]
    drafts = lab.frame("allocation_year").filter(**own)["drafts"]
    assert all("change of plant" in d for d in drafts)
    assert lab.frame("allocation_year").filter(line_id="L3")["drafts"].to_list() == [None]
    totals = lab.frame("carbon_uncertainty").filter(**own, source="total").sort("plant_id")
    exact = line_year(lab, line_id="L1", plant_id="P1")["total_tco2"]
    assert totals["emission_tco2"][0] == pytest.approx(exact, abs=1)
    assert totals["plant_id"].to_list() == ["P1", "P2"]
    with pytest.raises(NothingToExplain, match="P1, P2"):
        explain_line_year(Edition(lab.home), "L1", "2024", V01)
    told = explain_line_year(Edition(lab.home), "L1", "2024", V01, plant_id="P2")
    assert [m["month"] for m in told["months"]] == ["2024-02", "2024-03"]
    assert told["figure"]["plant_id"] == "P2"


def test_a_filed_plants_rows_of_the_line_stand_and_the_other_plants_move(tmp_path: Path) -> None:
    lab = _sold(tmp_path)
    before = {p: line_year(lab, line_id="L1", plant_id=p)["total_tco2"] for p in ("P1", "P2")}
    filed = Filing("P1", "", "2024", "", date(2025, 3, 1), "")
    lab.home.__dict__["filings"] = Filings([filed])
    for m in (1, 2):
        of = month_of_a(m, plant_id="P1" if m == 1 else "P2")
        of["ledger_clinker"][0]["output_t"] += 1000.0
        lab.put(f"2024-{m:02d}", _of_both(of))
    lab.run()
    after = {p: line_year(lab, line_id="L1", plant_id=p)["total_tco2"] for p in ("P1", "P2")}
    assert after["P1"] == before["P1"]
    assert after["P2"] == pytest.approx(before["P2"] + 535.0, abs=1)


def test_rows_that_share_a_key_are_told_with_the_first_of_them() -> None:
    rows = pl.DataFrame({"plant_id": ["P2", "P1", "P1"], "line_id": ["L", "L", "L"], "year": ["2024"] * 3})
    (told,) = [t for t in TABLES["allocation_year"].violations(rows) if "share a key" in t]
    assert told.startswith("allocation_year: 2 rows share a key")
    assert told.endswith("plant_id=P1, line_id=L, year=2024")


def test_a_filing_run_names_the_plant_and_the_months_that_it_owes(tmp_path: Path) -> None:
    told = {str(r).split(" ")[1]: r for r in filing_refusals(_sold(tmp_path).home, "2024", V01) if r.scope_id == "L1"}
    assert set(told) == {"P2"}, "the months of the plant that sold the line are all there"
    assert told["P2"].lacking[0] == "2024-04"


def test_a_meter_is_its_plants_own_whatever_it_is_called() -> None:
    """Of two plants' BS-01 the one that lapsed is raised by its class, and the certificate of the other excuses nothing."""
    rows = pl.DataFrame(
        [("BS-01", "P6", 0.5, None, date(2023, 6, 1), date(2025, 6, 1)), ("BS-01", "P7", 2.0, None, date(2020, 1, 1), date(2021, 1, 1))],
        {"meter_id": pl.String, "plant_id": pl.String, "class_pct": pl.Float64, "actual_pct": pl.Float64, "calibrated_from": pl.Date, "calibrated_to": pl.Date},
        orient="row",
    )  # fmt: skip
    made = meter_factors(rows, date(2024, 1, 1), date(2024, 1, 31))
    assert {own: float(excess.pct) for own, excess in made.items()} == {("P7", "BS-01"): 2.0}
    assert TABLES["ledger_meter"].key == ("plant_id", "meter_id", "calibrated_from")


@pytest.mark.parametrize("day", [1, 16])
def test_a_class_or_province_that_changes_within_a_month_is_a_draft_by_name(tmp_path: Path, day: int) -> None:
    """One ledger row cannot be split: on a month's border nothing is asked, inside a month a filing run refuses it by name."""
    moves = date(2024, 2, day)
    rows = registry(
        plant(end=moves), replace(plant("P1", "云南省"), valid_from=moves), line(end=moves), line(kind="white", start=moves)
    )  # fmt: skip
    lab = Lab(tmp_path, rows)
    lab.home.__dict__["methods"] = MethodBook.load().with_runs(V01)
    for m in (1, 2):
        lab.put(f"2024-{m:02d}", month_of_a(m))
    lab.run()
    inside = day != 1
    assert ("change within 2024-02: P1 portland -> P1 white" in str(line_year(lab)["drafts"])) == inside
    power = {b: str(entity_year(lab, basis=b)["drafts"]) for b in ("location_province", "location_national")}
    assert ("change within 2024-02: 贵州 -> 云南" in power["location_province"]) == inside
    assert "贵州" not in power["location_national"]
