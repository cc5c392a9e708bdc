"""The carbon room on a small home: plant-year A through the tables, what is missing, bases of electricity, meters, and what is made anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.carbon_filing import filing_refusals
from assets.checks import CHECKS
from contracts import TABLES
from resources.factors import FactorBook
from tests.carbon_cases import MONTHLY_RESULTS, Lab, fuel, line, month_of_a, plant, registry

if TYPE_CHECKING:
    from pathlib import Path

V01, NDRC = "CETS-AG-02.01-V01-2024", "NDRC-2013"
M1, M2 = "annual_weighted", "monthly_sum"


@pytest.fixture(scope="module")
def year_a(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    lab = Lab(tmp_path_factory.mktemp("a"))
    lab.year_of_a()
    lab.run()
    return lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def cents(x: float | None) -> str:
    return "" if x is None else f"{Decimal(repr(x)):.2f}"


def line_year(lab: Lab, method: str = V01, way: str = M1, **equal: Any) -> dict[str, Any]:
    return lab.one("carbon_line_year", method_id=method, aggregation=way, **equal)


def entity_year(lab: Lab, basis: str, method: str = V01, way: str = M1, **equal: Any) -> dict[str, Any]:
    return lab.one("carbon_entity_year", method_id=method, aggregation=way, electricity_basis=basis, **equal)


# ---- plant-year A ---------------------------------------------------------------------------------------------------------------


def test_A_months_of_the_table(year_a: Lab) -> None:
    rows = year_a.frame("carbon_line_month").filter(method_id=V01, level="line")
    wide = rows.pivot(on="source", index="month", values="emission_tco2").sort("month")
    found = [tuple(map(cents, r)) for r in wide.select("anthracite", "bituminous", "process", "total").iter_rows()]
    assert found == MONTHLY_RESULTS


@pytest.mark.parametrize(
    ("way", "fossil", "process", "total", "whole"),
    [
        pytest.param(M1, "409029.89", "735555.52", "1144585.41", 1144585, id="A-year-M1"),
        pytest.param(M2, "409023.48", "735555.51", "1144578.99", 1144579, id="A-year-M2"),
    ],
)
def test_A_year_of_the_line(year_a: Lab, way: str, fossil: str, process: str, total: str, whole: int) -> None:
    row = line_year(year_a, way=way)
    assert [cents(row[f"{n}_tco2"]) for n in ("fossil", "process", "total")] == [fossil, process, total]
    assert (row["whole_tco2"], row["intensity_tco2_t"], row["carbide_rate_pct"]) == (whole, 0.8021, 2.85)
    assert (row["heat_gj_t"], row["heat_kgce_t"], cents(row["clinker_t"]), cents(row["carbide_t"])) == (
        2.898, 98.9, "1427056.82", "45381.75",
    )  # fmt: skip
    assert (row["months"], row["complete"], row["in_force"], row["status"], row["missing"], row["drafts"]) == (
        12, True, True, "filing", None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("basis", "mwh", "tco2"),
    [
        pytest.param("location_national", 87208.981, "46273.09", id="A-national"),
        pytest.param("location_province", 87208.981, "49560.86", id="A-guizhou"),
        pytest.param("net_national", 74308.981, "39428.35", id="A-net"),
        pytest.param("market_residual", 74308.981, "45298.75", id="A-residual"),
    ],
)
def test_A_entity_by_basis(year_a: Lab, basis: str, mwh: float, tco2: str) -> None:
    row = entity_year(year_a, basis)
    assert (cents(row["lines_tco2"]), cents(row["other_tco2"]), cents(row["direct_tco2"])) == (
        "1144585.41",
        "749.21",
        "1145334.62",
    )
    assert (row["electricity_mwh"], cents(row["electricity_tco2"])) == (mwh, tco2)
    assert cents(row["total_tco2"]) == str(Decimal("1145334.62") + Decimal(tco2))
    # The guideline reports direct emissions; the bases stand beside them.
    assert (row["reported_tco2"], row["heat_tco2"], row["status"]) == (1145335, None, "filing")


def test_A_NDRC_2013_in_a_year_it_was_written_for(lab: Lab) -> None:
    lab.year_of_a(2018)
    lab.run()
    row = entity_year(lab, "location_region", NDRC)
    assert [cents(row[f"{n}_tco2"]) for n in ("other", "electricity", "total")] == ["761.12", "45967.85", "1185653.78"]
    assert row["reported_tco2"] == 1185654
    assert (row["status"], row["drafts"]) == ("draft", "CN.GRID.SOUTH.NDRC.2012")
    sources = lab.frame("carbon_line_month").filter(method_id=NDRC, kind="source", month="2018-01")
    assert dict(sources.select("source", "ncv_gj").drop_nulls().iter_rows()) == {
        "anthracite": 23.412, "bituminous": 23.204, "mobile/diesel": 43.33,
    }  # fmt: skip
    assert cents(line_year(lab, NDRC)["process_tco2"]) == "750918.02"


@pytest.mark.parametrize(
    ("method", "process"),
    [
        # 749204.83 calcination, 0 for dust of a dry kiln, 16220.88 organic carbon
        pytest.param("GCCA-CSI-v3-B1", "765425.71", id="A-gcca-b1"),
        pytest.param("IPCC-2006-T2", "742506.93", id="A-ipcc-t2"),
    ],
)
def test_A_by_international_methods(year_a: Lab, method: str, process: str) -> None:
    assert cents(line_year(year_a, method)["process_tco2"]) == process


# ---- backfills ------------------------------------------------------------------------------------------------------------------


def test_A_backfill_march_moves_its_month_and_the_year_and_nothing_else(lab: Lab) -> None:
    lab.year_of_a()
    lab.run()
    before = {way: line_year(lab, way=way)["total_tco2"] for way in (M1, M2)}
    march = month_of_a(3)
    march["ledger_fuel"][0]["ncv_gj"] = 23.85
    lab.put("2024-03", march)
    moved = lab.run()
    assert moved == {
        "carbon_months": {"2024-03": {"carbon_line_month"}},
        "carbon_years": {"2024": {"carbon_line_year", "carbon_entity_year"}},
    }
    assert [cents(round(line_year(lab, way=way)["total_tco2"] - before[way], 2)) for way in (M1, M2)] == [
        "676.36",
        "684.70",
    ]


def known_in(book: FactorBook, last: date) -> FactorBook:
    """The factors that were published by a day."""
    return FactorBook([r for r in book.rows if r.published_on is None or r.published_on <= last])


def test_A_backfill_guizhou_grid_moves_electricity_only(lab: Lab) -> None:
    full = lab.home.factors
    lab.home.__dict__["factors"] = known_in(full, date(2025, 6, 1))
    lab.year_of_a()
    lab.run()
    before = entity_year(lab, "location_province")
    lines = lab.frame("carbon_line_year")
    rows = named(lab)
    lab.home.__dict__["factors"] = full
    assert lab.run()["carbon_years"] == {"2024": {"carbon_entity_year"}}
    after = entity_year(lab, "location_province")
    assert cents(before["electricity_tco2"]) == "43508.56"
    assert cents(round(after["electricity_tco2"] - before["electricity_tco2"], 2)) == "6052.30"
    assert before["direct_tco2"] == after["direct_tco2"]
    assert lab.frame("carbon_line_year").equals(lines)
    assert lab.run() == {"carbon_months": {}, "carbon_years": {}}
    # A row names other factors where its figure is another, and nowhere else.
    moved = {row: (a != b, x != y) for row, (a, x) in named(lab).items() for b, y in [rows[row]]}
    assert all(figure == factors for figure, factors in moved.values())
    assert {row[-1] for row, (figure, _) in moved.items() if not figure} > {"", "location_region"}


def named(lab: Lab) -> dict[tuple[str, ...], tuple[float, str]]:
    """Figure and names of factors of each row of months and entities, by what tells the row and its basis of electricity."""
    keys = {
        "carbon_line_month": (("method_id", "source", "level", "month"), "emission_tco2"),
        "carbon_entity_year": (("method_id", "aggregation"), "total_tco2"),
    }
    return {
        (table, *(row[k] for k in key), row["electricity_basis"] or ""): (row[figure], row["factor_set"])
        for table, (key, figure) in keys.items()
        for row in lab.frame(table).to_dicts()
    }


def test_a_line_names_the_grid_factor_only_where_its_own_sum_takes_electricity(lab: Lab) -> None:
    def put(month: str) -> None:
        power = {"grid_mwh": 900.0, "plant_id": "P1"}
        lab.put(month, {**month_of_a(1), "ledger_electricity": [power, {**power, "line_id": "L1"}]})

    put("2023-01")
    lab.run()
    before = lab.frame("carbon_line_year")
    takes = set(lab.frame("carbon_line_month").filter(part="line_electricity")["method_id"])
    rows = lab.home.factors.rows
    grid = [replace(r, text="0.9", recorded_at=date(2027, 1, 1)) for r in rows if r.quantity == "grid"]
    lab.home.__dict__["factors"] = FactorBook([*rows, *grid])
    lab.run()
    after = lab.frame("carbon_line_year")
    assert set(after.filter(after["factor_set"] != before["factor_set"])["method_id"]) == takes
    assert takes < set(after["method_id"])
    months = lab.frame("carbon_line_month").filter(kind="sum", method_id=min(takes))
    sums = dict(months.select("source", "factor_set").iter_rows())
    assert len({sums[n] for n in ("fossil", "process", "energy", "total")}) == 4


def test_a_factor_of_another_year_and_a_row_of_the_registry_in_another_year_ask_for_nothing(lab: Lab) -> None:
    lab.year_of_a(2018)
    lab.run()
    grid = next(r for r in lab.home.factors.rows if r.factor_id == "CN.GRID.GZ.2023")
    lab.home.__dict__["factors"] = FactorBook(
        [*lab.home.factors.rows, replace(grid, text="0.6", recorded_at=date(2027, 1, 1))]
    )
    lab.home.__dict__["registry"] = registry(plant(), line(end=date(2024, 1, 1)))
    assert lab.run() == {"carbon_months": {}, "carbon_years": {}}


# ---- what is missing ------------------------------------------------------------------------------------------------------------


def without(month: int, table: str, **cells: Any) -> dict[str, list[dict[str, Any]]]:
    """Ledgers of a month with cells of a table's first row changed, or the table gone."""
    made = month_of_a(month)
    made[table] = [made[table][0] | cells, *made[table][1:]] if cells else []
    return made


@pytest.mark.parametrize(
    ("ledgers", "method", "missing"),
    [
        pytest.param(without(1, "ledger_clinker"), V01, "ledger_clinker.output_t", id="no-clinker"),
        pytest.param(without(1, "ledger_fuel"), V01, "ledger_fuel", id="no-fuel"),
        pytest.param(without(1, "ledger_fuel", consumption=None), V01, "ledger_fuel.consumption", id="consumption"),
        pytest.param(without(1, "ledger_fuel", ncv_gj=None), V01, "ledger_fuel.ncv_gj", id="measured-is-not-default"),
        pytest.param(without(1, "ledger_fuel", unit="1e4Nm3"), V01, "ledger_fuel.unit", id="unit"),
        pytest.param(
            without(1, "ledger_fuel", fuel="briquette"),
            V01,
            "factor cc briquette; factor of briquette kiln",
            id="factor",
        ),
        pytest.param(
            without(1, "ledger_rawmat", consumption_t=None), V01, "ledger_rawmat.consumption_t", id="substitute"
        ),
        pytest.param(without(1, "ledger_lab", clinker_mgo_pct=None), NDRC, "ledger_lab.clinker_mgo_pct", id="lab"),
        pytest.param(without(1, "ledger_dust"), NDRC, "ledger_dust.kiln_dust_t", id="dust"),
        pytest.param(without(1, "ledger_rawmeal"), NDRC, "ledger_rawmeal.rawmeal_t", id="rawmeal"),
        pytest.param(month_of_a(1), "EPA-98H", "analyses of kiln dust", id="analyses"),
    ],
)
def test_a_missing_input_is_named_and_leaves_no_number_behind(
    lab: Lab, ledgers: dict, method: str, missing: str
) -> None:
    lab.put("2024-01", ledgers)
    lab.run()
    total = lab.one("carbon_line_month", method_id=method, source="total")
    assert (total["emission_tco2"], total["missing"], total["reason"], total["status"]) == (
        None,
        missing,
        "missing_factor" if missing.startswith("factor") else "missing_input",
        "missing",
    )
    for way in (M1, M2):
        year = line_year(lab, method, way)
        assert {year[f"{n}_tco2"] for n in ("fossil", "process", "total", "whole")} | {year["intensity_tco2_t"]} == {
            None
        }
        assert (year["missing"], year["status"]) == (missing, "missing")
        entity = lab.frame("carbon_entity_year").filter(method_id=method, aggregation=way)
        assert entity["direct_tco2"].null_count() == entity["total_tco2"].null_count() == entity.height
    assert all(c.verdict(lab.home, lab.home.lake.keys(c.table)).passed for c in CHECKS if c.table.startswith("carbon"))


def test_other_methods_stand_though_one_lacks_an_input(lab: Lab) -> None:
    lab.put("2024-01", without(1, "ledger_lab"))
    lab.run()
    totals = {
        r["method_id"]: r["total_tco2"]
        for r in lab.frame("carbon_line_year").filter(aggregation=M1).iter_rows(named=True)
    }
    assert cents(totals[V01]) == "106305.31"
    assert [totals[m] for m in (NDRC, "GCCA-CSI-v3-B2", "EU-MRR-B", "EPA-98H")] == [None] * 4


def test_no_electricity_leaves_direct_emissions_and_no_total(lab: Lab) -> None:
    lab.put("2024-01", without(1, "ledger_electricity"))
    lab.run()
    row = entity_year(lab, "location_province")
    assert (cents(row["direct_tco2"]), row["electricity_tco2"], row["total_tco2"]) == ("106371.41", None, None)
    assert row["missing"] == "ledger_electricity.grid_mwh"


def test_a_month_that_a_line_skipped_leaves_the_year_without_a_number_and_an_open_year_counts_so_far(lab: Lab) -> None:
    for m in (1, 2, 4):
        lab.put(f"2024-{m:02d}", month_of_a(m))
    lab.run()
    row = line_year(lab)
    assert (row["total_tco2"], row["missing"], row["months"], row["status"]) == (None, "2024-03", 3, "missing")
    assert {r["direct_tco2"] for r in lab.frame("carbon_entity_year").iter_rows(named=True)} == {None}
    lab.put("2024-03", month_of_a(3))
    lab.run()
    row = line_year(lab, way=M2)
    due = sum(Decimal(MONTHLY_RESULTS[m][3]) for m in range(4))
    assert (cents(row["total_tco2"]), row["complete"], row["status"]) == (str(due), False, "draft")


def test_a_stopped_line_emits_nothing_and_needs_no_analyses(lab: Lab) -> None:
    lab.put("2024-01", {"ledger_clinker": [{"line_id": "L1", "output_t": 0.0}]})
    lab.run()
    for method in (V01, NDRC, "EU-MRR-B", "EPA-98H", "IPCC-2006-T2"):
        assert line_year(lab, method)["total_tco2"] == 0, method
    assert line_year(lab)["intensity_tco2_t"] is None


# ---- lines, fuels, classes ------------------------------------------------------------------------------------------------------


def test_two_lines_of_a_plant_and_kiln_fuel_of_which_nobody_says_whose(tmp_path: Path) -> None:
    lab = Lab(tmp_path, registry(plant(), line(), line("L2", kind="white")))
    a, b = month_of_a(1), month_of_a(2, "L2")
    del b["ledger_electricity"]
    b["ledger_fuel"] = b["ledger_fuel"][:2]
    lab.put("2024-01", {t: [*a.get(t, []), *b.get(t, [])] for t in a})
    lab.run()
    white = lab.one("carbon_line_month", method_id=V01, line_id="L2", source="clinker")
    assert (white["factor"], cents(white["emission_tco2"]), white["factor_ids"]) == (
        0.55,
        "33664.46",
        "CN.CEM.EF.WHITE.V01",
    )
    both = [line_year(lab, line_id=n)["total_tco2"] for n in ("L1", "L2")]
    row = entity_year(lab, "location_national")
    assert (row["lines"], cents(row["lines_tco2"])) == (2, cents(round(sum(both), 2)))
    a["ledger_fuel"][0]["line_id"] = None
    lab.put("2024-01", {t: [*a.get(t, []), *b.get(t, [])] for t in a})
    lab.run()
    assert {r["missing"] for r in lab.frame("carbon_line_year").filter(method_id=V01).iter_rows(named=True)} == {
        "ledger_fuel.line_id"
    }


def test_kiln_fuel_without_a_line_belongs_to_the_only_line(lab: Lab) -> None:
    ledgers = month_of_a(1)
    for row in ledgers["ledger_fuel"]:
        row["line_id"] = None
    lab.put("2024-01", ledgers)
    lab.run()
    assert cents(line_year(lab)["total_tco2"]) == "106305.31"


def test_oxidation_depends_on_the_facility_and_boilers_count_with_the_plant(lab: Lab) -> None:
    ledgers = month_of_a(1)
    ledgers["ledger_fuel"] += [
        fuel("bituminous", "100", facility=f, line_id=None) for f in ("power_boiler", "industrial_boiler")
    ]
    lab.put("2024-01", ledgers)
    lab.run()
    rows = lab.frame("carbon_line_month").filter(method_id=V01, level="entity", part="other_fossil")
    assert dict(rows.select("source", "oxidation_pct").iter_rows()) == {
        "industrial_boiler/bituminous": 85, "mobile/diesel": 98, "power_boiler/bituminous": 95,
    }  # fmt: skip
    assert cents(line_year(lab)["total_tco2"]) == "106305.31"


def test_materials_that_the_guideline_does_not_list_deduct_nothing_and_say_so(lab: Lab) -> None:
    ledgers = month_of_a(1)
    ledgers["ledger_rawmat"].append({"line_id": "L1", "material": "limestone", "consumption_t": 150000.0})
    lab.put("2024-01", ledgers)
    lab.run()
    row = lab.one("carbon_line_month", method_id=V01, source="limestone")
    assert (row["emission_tco2"], row["reason"], row["missing"]) == (0, "not_listed", None)
    assert cents(line_year(lab)["total_tco2"]) == "106305.31"


def test_W1_alternative_fuels_count_in_the_guide_of_2013_by_filed_or_default_values(lab: Lab) -> None:
    ledgers = month_of_a(1)
    who = {"line_id": "L1"}
    ledgers["ledger_altfuel"] = [
        {**who, "fuel": "waste_tyres", "consumption_t": 1000.0},
        {
            **who,
            "fuel": "waste_solvents",
            "consumption_t": 200.0,
            "ncv_gj": 50.0,
            "ef_tco2_gj": 0.074,
            "fossil_carbon_pct": 80.0,
        },
    ]
    lab.put("2018-01", ledgers)
    lab.run()
    rows = lab.frame("carbon_line_month").filter(method_id=NDRC, part="altfuel")
    assert {r["source"]: (cents(r["emission_tco2"]), bool(r["drafts"])) for r in rows.iter_rows(named=True)} == {
        "altfuel/waste_tyres": ("2669.00", True), "altfuel/waste_solvents": ("592.00", False),
    }  # fmt: skip


def test_H1_heat_is_net_and_null_where_nobody_filed_it(lab: Lab) -> None:
    ledgers = month_of_a(1)
    ledgers["ledger_heat"] = [{"plant_id": "P1", "purchased_gj": 12445.67, "exported_gj": 100.0}]
    lab.put("2024-01", ledgers)
    lab.run()
    assert cents(entity_year(lab, "net_national")["heat_tco2"]) == "1358.02"


def test_electricity_of_lines_makes_the_plants_only_where_the_plant_has_no_row(lab: Lab) -> None:
    ledgers = month_of_a(1)
    ledgers["ledger_electricity"].append({"plant_id": "P1", "line_id": "L1", "grid_mwh": 5000.0, "exported_mwh": None})
    lab.put("2024-01", ledgers)
    lab.run()
    assert entity_year(lab, "location_national")["electricity_mwh"] == 8010.235
    ledgers["ledger_electricity"] = ledgers["ledger_electricity"][1:]
    lab.put("2024-01", ledgers)
    lab.run()
    assert entity_year(lab, "location_national")["electricity_mwh"] == 5000


def test_filling_instructions_of_2023_count_electricity_in_the_line_and_not_twice_in_the_plant(lab: Lab) -> None:
    ledgers = month_of_a(1)
    ledgers["ledger_electricity"].append({"plant_id": "P1", "line_id": "L1", "grid_mwh": 6000.0, "exported_mwh": None})
    lab.put("2022-01", ledgers)
    lab.run()
    method = "MEE-332-2023"
    row, entity = line_year(lab, method), entity_year(lab, "national_ets", method)
    assert cents(row["energy_tco2"]) == "3421.80"
    assert cents(entity["lines_tco2"]) == cents(round(row["fossil_tco2"] + row["process_tco2"], 2))
    assert (row["status"], "MEE-332-2023" in row["drafts"]) == ("draft", True)
    monthly = entity_year(lab, "national_ets", method, M2)
    assert monthly["lines_tco2"] == entity["lines_tco2"]


@pytest.mark.parametrize(
    ("meters", "factor"),
    [
        pytest.param([{"calibrated_from": date(2023, 6, 1), "calibrated_to": date(2024, 6, 1)}], 1.0, id="covered"),
        pytest.param([{"calibrated_from": date(2023, 1, 1), "calibrated_to": date(2023, 12, 31)}], 1.005, id="lapsed"),
        pytest.param([{"calibrated_from": date(2024, 1, 1), "calibrated_to": date(2024, 1, 15)}], 1 + 0.005 * 16 / 31, id="lapsed-in-part"),
        pytest.param([{"calibrated_from": date(2023, 6, 1), "calibrated_to": None, "actual_pct": 1.0}], 1.005, id="worse-than-class"),
        pytest.param([{"calibrated_from": date(2015, 1, 1), "calibrated_to": None}], 1.005, id="open-end-of-years-ago"),
        pytest.param([{"calibrated_from": date(2023, 1, 16), "calibrated_to": None}], 1 + 0.005 * 16 / 31, id="open-end-of-a-year"),
        pytest.param([{"calibrated_from": date(2022, 1, 16), "calibrated_to": date(2025, 1, 1)}], 1.0, id="stated-for-years"),
    ],
)  # fmt: skip
def test_F7_meters_correct_only_what_is_not_covered(lab: Lab, meters: list[dict[str, Any]], factor: float) -> None:
    lab.meters(*({"meter_id": "W1", "class_pct": 0.5, "actual_pct": 0.3} | m for m in meters))
    ledgers = month_of_a(1)
    ledgers["ledger_fuel"][0] |= {"meter_id": "W1", "consumption": 10000.0}
    lab.put("2024-01", ledgers)
    lab.run()
    row = lab.one("carbon_line_month", method_id=V01, source="anthracite")
    assert (row["activity"], row["activity_reported"]) == (pytest.approx(10000 * factor, abs=0.005), 10000)
    # A guide that says nothing of meters takes the ledger's figure.
    assert lab.one("carbon_line_month", method_id=NDRC, source="anthracite")["activity"] == 10000


def test_a_method_says_how_months_of_an_entity_and_heat_a_tonne_are_rounded(lab: Lab) -> None:
    book = lab.home.methods
    profile = replace(
        book[V01].profile, decimals=book[V01].profile.decimals | {"emission": 1, "whole": 1, "heat_kgce": 3}
    )
    lab.home.methods = book.with_method(replace(book[V01], profile=profile))
    lab.put("2024-01", month_of_a(1))
    lab.run()
    row = entity_year(lab, "location_national", V01, M2)
    assert {
        n: row[n] == round(row[n], 1) for n in ("lines_tco2", "direct_tco2", "total_tco2", "reported_tco2")
    } == dict.fromkeys(("lines_tco2", "direct_tco2", "total_tco2", "reported_tco2"), True)
    assert row["reported_tco2"] == row["direct_tco2"] != round(row["direct_tco2"])
    kgce = line_year(lab)["heat_kgce_t"]
    assert kgce == round(kgce, 3) != round(kgce, 1)


# ---- which edition of a factor ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("month", "policy", "by", "used"),
    [
        pytest.param("2024-01", "", "", "CN.GRID.GZ.2023", id="newest"),
        pytest.param("2024-01", "latest_published", "2025-06-30", "CN.GRID.GZ.2022", id="newest-by-a-day"),
        pytest.param("2025-12", "snapshot", "", "CN.GRID.GZ.2021", id="snapshot"),
        pytest.param("2025-12", "snapshot", "2024-03-31", None, id="snapshot-and-an-earlier-day"),
        pytest.param("2026-12", "snapshot", "2027-01-31", "CN.GRID.GZ.2022", id="snapshot-and-a-later-day"),
        pytest.param("2022-01", "same_data_year", "", "CN.GRID.GZ.2022", id="same-year"),
        pytest.param("2024-01", "same_data_year", "", None, id="same-year-not-yet-published"),
    ],
)
def test_a_home_says_which_edition_counts_and_every_row_tells_it(
    tmp_path: Path, month: str, policy: str, by: str, used: str | None
) -> None:
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry/methods.csv").write_text(
        f"method_id,from_year,factor_policy,published_by\n{V01},2020,{policy},{by}\n", encoding="utf-8"
    )
    lab = Lab(tmp_path)
    lab.put(month, month_of_a(1))
    lab.run()
    frozen = f"{int(month[:4]) - 1}-10-31" if policy == "snapshot" else by
    told = f"{policy or 'latest_published'} {min(by or frozen, frozen)}".strip()
    row = lab.one("carbon_line_month", source="electricity location_province")
    assert (row["factor_ids"], row["factor_policy"]) == (used, told)
    assert row["missing"] == (None if used else "factor grid province 贵州")
    for table in ("carbon_line_year", "carbon_entity_year"):
        assert set(lab.frame(table)["factor_policy"]) == {told}
    # A correction of the edition that is taken asks for the month.
    first, last = date.fromisoformat(f"{month}-01"), date.fromisoformat(f"{month}-28")
    book = lab.home.factors
    before = book.version(first, last)
    for year in (2021, 2022, 2023):
        name = f"CN.GRID.GZ.{year}"
        rows = [replace(r, text="0.1") if r.factor_id == name else r for r in book.rows]
        moved = FactorBook(rows, lab.home.methods.selections).version(first, last) != before
        assert moved or name != used


# ---- filing ---------------------------------------------------------------------------------------------------------------------


def test_filing_refuses_by_name(year_a: Lab, lab: Lab) -> None:
    assert filing_refusals(year_a.home, "2024", V01, basis="location_national") == []
    refused = filing_refusals(year_a.home, "2024", NDRC)
    assert [(r.scope_id, r.drafts, r.complete) for r in refused] == [("L1", ("NDRC-2013 2024",), True)]
    assert "NDRC-2013 2024" in str(refused[0])
    with pytest.raises(LookupError, match="no figures of MEE-332-2023 for 2024"):
        filing_refusals(year_a.home, "2024", "MEE-332-2023")
    ledgers = month_of_a(1)
    ledgers["ledger_fuel"].append(fuel("anthracite", "3", facility="mobile", line_id=None))
    lab.put("2024-01", ledgers)
    lab.run()
    (lines,) = filing_refusals(lab.home, "2024", V01)
    assert (lines.drafts, lines.complete) == ((), False)
    entity = filing_refusals(lab.home, "2024", V01, basis="net_national")[0]
    assert entity.drafts == ("CN.OF.SOLID.MOBILE.V01",)


# ---- rows, checks, bytes --------------------------------------------------------------------------------------------------------


def test_every_source_names_its_factors_and_the_cell_it_stands_in(year_a: Lab) -> None:
    row = year_a.one("carbon_line_month", method_id=V01, month="2024-02", source="bituminous")
    assert row["factor_ids"] == "CN.NCV.BIT.V01|CN.CC.BIT.V01|CN.OF.SOLID.KILN.V01"
    assert (row["src_table"], row["src_path"], row["src_row"], row["ncv_source"]) == (
        "ledger_fuel",
        "ledgers/a.xlsx",
        3,
        "default",
    )
    assert row["factor_set"].startswith("2024-")
    assert row["method_version"] == year_a.home.methods.hash_of(year_a.home.methods[V01])


def test_the_checks_pass_and_find_what_does_not_add_up(year_a: Lab, lab: Lab) -> None:
    mine = [c for c in CHECKS if c.table.startswith("carbon_line")]
    assert len(mine) == 2
    for check in mine:
        assert check.verdict(year_a.home, year_a.home.lake.keys(check.table)).passed
    lab.put("2024-01", month_of_a(1))
    lab.run()
    for check in mine:
        (key,) = lab.home.lake.keys(check.table)
        frame = lab.frame(check.table)
        name = "emission_tco2" if "month" in check.table else "total_tco2"
        lab.home.lake.write(
            check.table,
            key,
            TABLES[check.table].arrow(frame.with_columns(pl.col(name) + len(check.table))),
            made_by="x",
            inputs={},
        )
        assert not check.verdict(lab.home, [key]).passed


def test_same_ledgers_same_bytes_in_any_order_of_rows(tmp_path: Path) -> None:
    versions = []
    for name, turned in (("a", False), ("b", True)):
        lab = Lab(tmp_path / name)
        for m in (1, 2):
            ledgers = month_of_a(m)
            lab.put(f"2024-{m:02d}", {t: rows[::-1] if turned else rows for t, rows in ledgers.items()})
        lab.run()
        lake = lab.home.lake
        versions.append([lake.version(t, k) for t in TABLES if t.startswith("carbon_") for k in lake.keys(t)])
    assert versions[0] == versions[1]


def test_years_before_any_method_and_months_without_ledgers_make_nothing(lab: Lab) -> None:
    lab.put("2010-01", month_of_a(1))
    lab.put("2024-01", {})
    assert lab.run() == {"carbon_months": {}, "carbon_years": {}}


def test_a_plant_that_the_registry_does_not_place_is_told_as_that(tmp_path: Path) -> None:
    placed = registry()
    lab = Lab(tmp_path, replace(placed, plants=tuple(replace(p, province="") for p in placed.plants)))
    lab.put("2024-01", month_of_a(1))
    lab.run()
    row = lab.one("carbon_line_month", source="electricity location_province")
    assert (row["missing"], row["reason"]) == ("registry plants.province", "missing_input")
    assert lab.one("carbon_line_month", source="electricity location_national")["missing"] is None
