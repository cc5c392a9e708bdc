"""The vectors of carbon by id: that each has a test, and those whose test stands nowhere else.

`VECTORS` is the whole table of carbon-rules 11: an id that no test names any more fails here by name, and so does a test that names
one the table does not know. Slips of public calculators (14) are `test_carbon_mutations`; a whole year of everything at once is
`test_simulated_year`.
"""

from __future__ import annotations

import ast
import re
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kernels.carbon import Rows, emit
from kernels.carbon_forms import OXIDES, SLOTS
from resources.methods import MethodBook
from tests.carbon_cases import PLANT_A, Lab, fuel, month_of_a
from tests.test_assets_carbon import M1, M2, NDRC, V01, cents, entity_year, line_year
from tests.test_assets_ets import checks
from tests.test_kernels_carbon import rounding

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
#: 11.1: unit vectors; numbers left out were never given.
UNITS = (
    *("F-1", "F-2", "F-3", "F-5", "F-6", "F-7"), *("P-1", "P-2", "P-4", "P-5", "P-6"), "W-1", *("E-1", "E-2", "E-3"), "H-1",
    *("A-1", "A-2", "A-4", "A-6"), "B-1", *("I-1", "I-2"), "C-1", "D-1",
)  # fmt: skip
#: 11.2: plant-year A in both ways, its plant by basis, the same by other methods, its allowances, and what two changes move.
PLANT_YEAR = (
    "A-months", "A-year-M1", "A-year-M2", "A-national", "A-guizhou", "A-net", "A-residual", "A-diesel-M1", "A-diesel-M2", "A-heat",
    "A-NDRC", "A-NDRC-contents-not-rounded", "A-gcca-b1", "A-ckd-d0", "A-ckd-d1", "A-ipcc-t2", "plant-A-M1-exact", "plant-A-M2-exact",
    "plant-A-M1-whole-intensity-4", "plant-A-M2-whole-intensity-4", "A-backfill-march-M1", "A-backfill-march-M2", "A-backfill-guizhou-grid",
)  # fmt: skip
VECTORS = (*UNITS, *PLANT_YEAR)
FILES = re.compile(r"carbon|_ets|allocation")
_UNIT = re.compile(r"([FPWEHABICD])-?(\d)(?=[-_a-c]|$)")


def named(path: Path) -> Iterator[str]:
    """Names of tests without `test_` and with - for _, and ids of what they are parametrized by."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name.removeprefix("test_").replace("_", "-")
        if isinstance(node, ast.keyword) and node.arg == "id":
            # Of f"E-1-{ef}" the part before what is filled in.
            text = node.value.values[0] if isinstance(node.value, ast.JoinedStr) else node.value
            yield str(text.value) if isinstance(text, ast.Constant) else ""


def test_every_vector_of_carbon_is_named_by_a_test() -> None:
    ids = [n for p in sorted(HERE.glob("test_*.py")) if FILES.search(p.name) for n in named(p)]
    units = {f"{m[1]}-{m[2]}" for n in ids if (m := _UNIT.match(n))}
    assert sorted({*UNITS} - units) == []
    assert sorted(units - {*UNITS}) == [], "an id that the table does not know"
    assert [v for v in PLANT_YEAR if not any(n == v or n.startswith(f"{v}-") for n in ids)] == []


def home(root: Path, *methods: str) -> Lab:
    """A lab that computes these methods alone, else the guideline: the others have tests of their own."""
    lab = Lab(root)
    lab.home.__dict__["methods"] = MethodBook.load().with_runs(*(methods or (V01,)))
    return lab


# ---- 11.1 -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("carbide", "process", "rate"),
    [pytest.param(120000, "771650.00", 6.95, id="P-1-rate"), pytest.param(300000, "685250.00", 17.37, id="P-2-rate")],
)
def test_process_and_carbide_rate_of_a_line(tmp_path: Path, carbide: int, process: str, rate: float) -> None:
    lab = home(tmp_path)
    for m in (1, 2):
        # 1,550,000 t are more than one month may hold.
        ledgers = month_of_a(m) | {
            "ledger_rawmat": [{"line_id": "L1", "material": "carbide_slag", "consumption_t": carbide / 2}]
        }
        ledgers["ledger_clinker"][0]["output_t"] = 775000.0
        lab.put(f"2024-{m:02d}", ledgers)
    lab.run()
    for way in (M1, M2):
        row = line_year(lab, way=way)
        assert (cents(row["process_tco2"]), row["carbide_rate_pct"], row["clinker_t"]) == (process, rate, 1550000)


def per_tonne(method: str, *contents: str) -> float:
    """tCO2 of a tonne of clinker by the ratios of a method's own file."""
    part = MethodBook.load()[method].part("oxides")
    assert part
    ratios = [part.ratio(f"{o}_ratio") for o in ("cao", "mgo")]
    rules = rounding(constants=tuple(str(n) for r in ratios for n in (float(r.numerator), float(r.denominator))))
    terms = np.zeros((1, SLOTS))
    terms[0] = [1.0, 0.0, *map(float, contents)]
    return float(emit(Rows(np.array([OXIDES], np.int8), np.zeros(1, np.int8), terms), rules).emission[0])


def test_P4_factor_of_a_tonne() -> None:
    assert round(per_tonne(NDRC, "65.30", "2.10", "1.20", "0.10"), 10) == 0.5256428571


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        *(pytest.param(m, 0.536171, id=f"P-6-{m}") for m in (NDRC, "MEE-332-2023", "GBT32151.8-2015")),
        *(pytest.param(m, 0.535537, id=f"P-6-{m}") for m in ("GCCA-CSI-v3-B2", "EU-MRR-B", "EPA-98H")),
    ],
)
def test_P6_each_method_has_the_stoichiometry_of_its_country(method: str, expected: float) -> None:
    assert round(per_tonne(method, "65.3", "2.1", "0", "0"), 6) == expected


# ---- 11.2 -----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def year_a(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    lab = home(tmp_path_factory.mktemp("a"))
    lab.year_of_a()
    lab.run()
    return lab


def by_hand(tonnes: str) -> Fraction:
    """2.2 (1) for diesel."""
    return Fraction(tonnes) * Fraction("42.652") * Fraction("0.0202") * 98 / 100 * Fraction(44, 12)


@pytest.mark.parametrize(
    ("way", "other", "direct"),
    [
        pytest.param(M1, "749.21", "1145334.62", id="A-diesel-M1"),
        pytest.param(M2, "749.20", "1145328.19", id="A-diesel-M2"),
    ],
)
def test_mobile_diesel_and_direct_emissions_of_the_plant(year_a: Lab, way: str, other: str, direct: str) -> None:
    """The table writes 749.21 in both columns. For M2 that is a slip of a cent: its own rule, round2 of each month, then added, gives 749.20."""
    row = entity_year(year_a, "location_national", way=way)
    assert (cents(row["other_tco2"]), cents(row["direct_tco2"])) == (other, direct)
    months = [by_hand(m["mobile_diesel_t"]) for m in PLANT_A]
    exact = {
        M1: by_hand("242.00"),
        M2: sum((Fraction(int(x * 100 + Fraction(1, 2)), 100) for x in months), Fraction(0)),
    }[way]
    assert f"{float(exact):.2f}" == other


def test_A_heat_per_tonne(year_a: Lab) -> None:
    row = line_year(year_a)
    assert (row["heat_gj_t"], row["heat_kgce_t"]) == (2.898, 98.9)


def test_A_NDRC_contents_not_rounded(tmp_path: Path) -> None:
    """Contents of the year rounded to two decimals first would give 742928.38 and 750958.38 with raw meal."""
    lab = home(tmp_path, NDRC)
    lab.year_of_a(2018)
    lab.run()
    assert cents(line_year(lab, NDRC)["process_tco2"]) == "750918.02"


# ---- 2.2: what goes below zero -----------------------------------------------------------------------------------------------------


def test_process_emissions_are_not_cut_off_at_zero_and_are_asked_about(tmp_path: Path) -> None:
    lab = home(tmp_path)
    lab.year_of_a(2025)
    ledgers = month_of_a(3)
    ledgers["ledger_rawmat"][0]["consumption_t"] = 200000.0
    lab.put("2025-03", ledgers)
    found = checks(lab).get("C16", [])
    month = lab.one("carbon_line_month", method_id=V01, month="2025-03", source="process")
    assert (
        cents(month["emission_tco2"])
        == str(round(135870.42 * 0.535 - 200000 * 0.48 - 2717.40 * 0.215, 2))
        == "-23893.57"
    )
    assert [(f["period"], f["line_id"], f["value"]) for f in found] == [("2025-03", "L1", "-2.389e+04")]
    years = {way: line_year(lab, way=way)["process_tco2"] for way in (M1, M2)}
    assert [cents(years[w]) for w in (M1, M2)] == ["641643.76", "641643.75"]


# ---- 2.5: meters --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calibrations", "days", "percent"),
    [
        # Valid to 10 May and again from 21 June: 21 days of May and 20 of June are not covered.
        pytest.param([(date(2023, 6, 1), date(2024, 5, 10), "0.3"), (date(2024, 6, 21), None, "0.3")], {5: 21, 6: 20}, "0.5", id="F-7-lapse"),
        # Found at 1.0 % with a class of 0.5 on 10 May: from then on, until it is found better on 21 June.
        pytest.param([(date(2023, 6, 1), date(2024, 5, 9), "0.3"), (date(2024, 5, 10), date(2024, 6, 20), "1.0"), (date(2024, 6, 21), None, "0.5")], {5: 22, 6: 20}, "0.5", id="F-7-worse-than-its-class"),
    ],
)  # fmt: skip
def test_F7_only_the_uncovered_part_of_the_year(
    tmp_path: Path, calibrations: list[Any], days: dict[int, int], percent: str
) -> None:
    lab = home(tmp_path)
    lab.meters(
        *(
            {"meter_id": "W", "class_pct": 0.5, "actual_pct": float(a), "calibrated_from": first, "calibrated_to": last}
            for first, last, a in calibrations
        )
    )
    for m in range(1, 13):
        ledgers = month_of_a(m)
        ledgers["ledger_fuel"][0] |= {"meter_id": "W", "consumption": 10000.0}
        lab.put(f"2024-{m:02d}", ledgers)
    lab.run()
    rows = lab.frame("carbon_line_month").filter(method_id=V01, source="anthracite").sort("month")
    length = {5: 31, 6: 30}
    due = [
        round(float(10000 * (1 + Fraction(percent) / 100 * Fraction(days.get(m, 0), length.get(m, 1)))), 2)
        for m in range(1, 13)
    ]
    assert rows["activity"].to_list() == due
    assert set(rows["activity_reported"]) == {10000.0}
    # The other fuel is weighed by another meter, of which nothing is said.
    assert set(
        lab.frame("carbon_line_month").filter(method_id=V01, source="bituminous", month="2024-05")["activity"]
    ) == {3190.1}


# ---- 2.6: decimals -------------------------------------------------------------------------------------------------------------------

DECIMALS = {
    "fuel": 2, "ncv": 3, "carbon": 5, "clinker": 2, "rawmat": 2, "emission": 2, "intensity": 4, "whole": 0, "electricity": 3, "heat": 2,
    "rate": 2,
}  # fmt: skip


@pytest.mark.parametrize(("quantity", "places"), DECIMALS.items(), ids=[f"decimals-of-{q}" for q in DECIMALS])
def test_decimals_of_the_guideline(quantity: str, places: int) -> None:
    assert MethodBook.load()[V01].profile.places(quantity) == places


@pytest.mark.parametrize(
    ("consumption", "ncv", "activity", "used"),
    [
        pytest.param("1000.005", "23.0005", 1000.01, 23.001, id="halves-go-up"),
        pytest.param("1000.0049", "23.00049", 1000.0, 23.0, id="below-a-half"),
        pytest.param("2.675", "22.1235", 2.68, 22.124, id="which-no-double-holds"),
    ],
)
def test_what_enters_the_formula_is_rounded_half_up(
    tmp_path: Path, consumption: str, ncv: str, activity: float, used: float
) -> None:
    lab = home(tmp_path)
    lab.put("2024-01", month_of_a(1) | {"ledger_fuel": [fuel("anthracite", consumption, ncv=ncv, source="measured")]})
    lab.run()
    row = lab.one("carbon_line_month", method_id=V01, source="anthracite")
    assert (row["activity"], row["ncv_gj"], row["activity_reported"]) == (activity, used, float(consumption))
    exact = Fraction(str(activity)) * Fraction(str(used)) * Fraction("0.02749") * 99 / 100 * Fraction(44, 12)
    assert cents(row["emission_tco2"]) == f"{float(exact):.2f}"
