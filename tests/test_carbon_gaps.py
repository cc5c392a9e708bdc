"""What ledgers leave unsaid, case by case: no partial sum, no silent nought, and always a name for what is missing, both ways of adding.

Belongs here: cases that a drawn year (`test_simulated_year`) found, small enough to read. Does not belong here: plant-year A and the
single missing cells (`test_assets_carbon`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from resources.methods import MethodBook
from tests.carbon_cases import Lab, fuel, line, month_of_a, plant, registry
from tests.test_assets_carbon import M1, M2, V01, cents, entity_year, line_year

if TYPE_CHECKING:
    from pathlib import Path

    from resources.registry import Registry

MEE, EU = "MEE-332-2023", "EU-MRR-B"
Ledgers = dict[str, list[dict[str, Any]]]


def made(root: Path, ledgers: Ledgers, *, method: str = V01, rows: Registry | None = None, year: int = 2024) -> Lab:
    """January under one method."""
    lab = Lab(root, rows)
    lab.home.__dict__["methods"] = MethodBook.load().with_runs(method)
    lab.put(f"{year}-01", ledgers)
    lab.run()
    return lab


def january(**changed: list[dict[str, Any]]) -> Ledgers:
    return month_of_a(1) | changed


def both_lines() -> Ledgers:
    """Two lines of one plant; electricity is left out."""
    a, b = january(), month_of_a(2, "L2")
    return {t: [*a[t], *b[t][: 2 if t == "ledger_fuel" else None]] for t in a} | {"ledger_electricity": []}


TWO = (plant(), line(), line("L2"))


@pytest.mark.parametrize("way", [M1, M2])
def test_one_fuel_with_and_without_its_line_is_not_added_up(tmp_path: Path, way: str) -> None:
    """The whole beside its part, or two parts: nobody can tell, and no other plant must suffer for it."""
    twice = [*month_of_a(1)["ledger_fuel"], fuel("anthracite", "100", line_id=None)]
    row = line_year(made(tmp_path, january(ledger_fuel=twice)), way=way)
    assert (row["total_tco2"], row["missing"]) == (None, "ledger_fuel.line_id")


@pytest.mark.parametrize(("amount", "missing"), [("0", None), ("1", "ledger_fuel.line_id"), (None, "ledger_fuel.line_id")], ids=["nought", "some", "unknown"])  # fmt: skip
def test_kiln_fuel_of_no_line_is_a_gap_unless_there_is_none(
    tmp_path: Path, amount: str | None, missing: str | None
) -> None:
    ledgers = both_lines()
    ledgers["ledger_fuel"].append(fuel("coke", amount, line_id=None))
    lab = made(tmp_path, ledgers, rows=registry(*TWO))
    assert [line_year(lab, line_id=n)["missing"] for n in ("L1", "L2")] == [missing, missing]


def power(line_id: str | None, mwh: float | None) -> dict[str, Any]:
    return {"plant_id": "P1", "line_id": line_id, "grid_mwh": mwh}


@pytest.mark.parametrize(
    ("rows", "mwh"),
    [
        pytest.param([power("L1", 5000.0), power("L2", 700.5)], 5700.5, id="each-line"),
        pytest.param([power("L1", 5000.0)], None, id="one-line-says-nothing"),
        pytest.param([power("L1", 5000.0), power("L2", None)], None, id="one-line-does-not-know"),
        pytest.param([power("L1", 5000.0), power(None, 9000.0)], 9000.0, id="the-plant-is-the-whole"),
        pytest.param([power("L1", 5000.0), power(None, None)], None, id="the-plant-does-not-know"),
        pytest.param([], None, id="nobody"),
    ],
)
def test_lines_make_a_plants_electricity_only_if_each_says_its_own(
    tmp_path: Path, rows: list[dict[str, Any]], mwh: float | None
) -> None:
    lab = made(tmp_path, both_lines() | {"ledger_electricity": rows}, rows=registry(*TWO))
    for way in (M1, M2):
        row = entity_year(lab, "location_national", way=way)
        assert row["electricity_mwh"] == mwh
        assert cents(row["electricity_tco2"]) == ("" if mwh is None else f"{mwh * 0.5306:.2f}")
        assert row["missing"] == (None if mwh is not None else "ledger_electricity.grid_mwh")


@pytest.mark.parametrize("way", [M1, M2])
def test_a_plant_without_lines_has_what_its_machines_burn(tmp_path: Path, way: str) -> None:
    ledgers = {
        "ledger_fuel": [fuel("diesel", "21.35", facility="mobile", line_id=None)],
        "ledger_electricity": [power(None, 8010.235)],
    }
    row = entity_year(made(tmp_path, ledgers, rows=registry(plant())), "location_national", way=way)
    assert [cents(row[f"{n}_tco2"]) for n in ("lines", "other", "direct")] == ["0.00", "66.10", "66.10"]
    assert (row["lines"], row["missing"], cents(row["total_tco2"])) == (0, None, f"{66.10 + 4250.23:.2f}")


@pytest.mark.parametrize("way", [M1, M2])
def test_a_line_that_does_not_say_its_electricity_has_direct_emissions_all_the_same(tmp_path: Path, way: str) -> None:
    """The instructions of 2023 count electricity in lines; the plant's own row is enough for the plant."""
    lab = made(tmp_path, january(), method=MEE, year=2022)
    row, entity = line_year(lab, MEE, way), entity_year(lab, "national_ets", MEE, way)
    assert (row["total_tco2"], row["missing"]) == (None, "ledger_electricity.grid_mwh")
    months = {s: lab.one("carbon_line_month", method_id=MEE, source=s)["emission_tco2"] for s in ("fossil", "process")}
    assert cents(entity["lines_tco2"]) == cents(round(sum(months.values()), 2))
    assert (entity["missing"], cents(entity["electricity_tco2"])) == (None, "4568.24")


@pytest.mark.parametrize(
    ("dust", "missing"),
    [
        pytest.param([], "ledger_dust.ckd_t", id="no-row"),
        pytest.param([{"line_id": "L1", "bypass_dust_t": 5.0}], "ledger_dust.ckd_t", id="bypass-alone"),
        pytest.param([{"line_id": "L1", "ckd_t": 0.0}], None, id="none-left"),
    ],
)
def test_dust_that_nobody_filed_is_not_nought(tmp_path: Path, dust: list[dict[str, Any]], missing: str | None) -> None:
    lab = made(tmp_path, january(ledger_dust=dust), method=EU)
    row = lab.one("carbon_line_month", method_id=EU, source="kiln dust")
    assert (row["missing"], row["emission_tco2"]) == (missing, 0.0 if missing is None else None)
    assert line_year(lab, EU)["missing"] == missing


def test_dust_of_two_places_on_a_tie_goes_up(tmp_path: Path) -> None:
    """68.52 + 0.005: in doubles less than 68.525."""
    lab = made(tmp_path, january(ledger_dust=[{"line_id": "L1", "ckd_t": 68.52, "bypass_dust_t": 0.005}]), method=EU)
    row = lab.one("carbon_line_month", method_id=EU, source="kiln dust")
    assert (row["activity"], cents(row["emission_tco2"])) == (68.53, "35.98")


def test_an_idle_month_whose_heat_is_unknown_in_a_year_on_a_tie(tmp_path: Path) -> None:
    """The mean of 20.000 and 20.001 is done again exactly, as ties are: a month that burnt nothing has no part in it."""
    lab = Lab(tmp_path)
    lab.home.__dict__["methods"] = MethodBook.load().with_runs(V01)
    for m, tonnes, ncv in ((1, "1000", "20.000"), (2, "0", None), (3, "1000", "20.001")):
        lab.put(
            f"2024-{m:02d}", month_of_a(m) | {"ledger_fuel": [fuel("anthracite", tonnes, ncv=ncv, source="measured")]}
        )
    lab.run()
    row = line_year(lab)
    # 2000 t x 20.001 GJ/t x 0.02749 x 0.99 x 44/12
    assert (cents(row["fossil_tco2"]), row["missing"]) == ("3991.75", None)


@pytest.mark.parametrize("way", [M1, M2])
def test_a_year_without_a_line_in_force_has_no_nought(tmp_path: Path, way: str) -> None:
    ledgers = january() | {"ledger_fuel": []}
    later = replace(registry(), lines=(replace(line(), valid_from=date(2025, 1, 1)),))
    row = entity_year(made(tmp_path, ledgers, rows=later), "location_national", way=way)
    assert (row["lines"], row["direct_tco2"], row["total_tco2"], row["status"]) == (0, None, None, "missing")
    assert "registry lines" in row["missing"]


def _year(root: Path, changed: dict[int, Ledgers]) -> Lab:
    lab = Lab(root)
    lab.home.__dict__["methods"] = MethodBook.load().with_runs(V01)
    for m in range(1, 13):
        lab.put(f"2024-{m:02d}", month_of_a(m) | changed.get(m, {}))
    lab.run()
    return lab


def _without(m: int, table: str, name: str) -> Ledgers:
    rows = month_of_a(m)[table]
    return {table: [r for r in rows if name not in (r.get("fuel"), r.get("material"))]}


@pytest.mark.parametrize(
    ("table", "name", "said"),
    [("ledger_fuel", "bituminous", "bituminous"), ("ledger_rawmat", "steel_slag", "steel_slag"), ("ledger_fuel", "diesel", "mobile/diesel")],
)  # fmt: skip
def test_a_month_without_a_row_of_a_fuel_or_substitute_is_a_draft_by_name(
    tmp_path: Path, table: str, name: str, said: str
) -> None:
    lab = _year(tmp_path, {m: _without(m, table, name) for m in (2, 5)})
    draft = f"no row: {table} {said} 2024-02, 2024-05"
    refused = ("draft", draft, None, True)
    for way in (M1, M2):
        line_row, plant_row = line_year(lab, way=way), entity_year(lab, "location_national", way=way)
        rows = [plant_row] if name == "diesel" else [line_row, plant_row]
        assert [(r["status"], r["drafts"], r["missing"], r["complete"]) for r in rows] == [refused] * len(rows)
        # The figure stands: it is what was filed.
        assert None not in (line_row["total_tco2"], plant_row["total_tco2"])
        if name == "diesel":
            assert (line_row["status"], line_row["drafts"]) == ("filing", None)


@pytest.mark.parametrize("closed", ["nought", "stood"])
def test_a_row_of_nought_or_a_month_without_clinker_closes_it(tmp_path: Path, closed: str) -> None:
    gone = _without(2, "ledger_fuel", "bituminous")
    closes: dict[str, Ledgers] = {
        "nought": {"ledger_fuel": [*gone["ledger_fuel"], fuel("bituminous", "0")]},
        "stood": gone | {"ledger_clinker": [{"line_id": "L1", "output_t": 0.0, "run_hours": 0.0}]},
    }
    lab = _year(tmp_path, {2: closes[closed]})
    row = line_year(lab)
    assert (row["status"], row["drafts"]) == ("filing", None)


@pytest.mark.parametrize(
    ("grid", "exported", "certificate", "below"),
    [
        pytest.param(1000.0, 3000.0, 0.0, {"location_national", "net_national"}, id="exported"),
        pytest.param(1000.0, 0.0, 4000.0, {"net_national"}, id="certificates"),
        pytest.param(1000.0, 400.0, 600.0, set(), id="nought"),
    ],
)
def test_electricity_below_zero_is_a_draft_of_its_bases_by_name(
    tmp_path: Path, grid: float, exported: float, certificate: float, below: set[str]
) -> None:
    power = {
        "plant_id": "P1",
        "line_id": None,
        "grid_mwh": grid,
        "exported_mwh": exported,
        "certificate_mwh": certificate,
    }
    lab = _year(tmp_path, {5: {"ledger_electricity": [power]}})
    for basis in ("location_national", "net_national"):
        for way in (M1, M2):
            row = entity_year(lab, basis, way=way)
            said = ("draft", "electricity below zero 2024-05") if basis in below else ("filing", None)
            assert (row["status"], row["drafts"]) == said
            assert row["total_tco2"] is not None
