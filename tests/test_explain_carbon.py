"""One figure down to its ledger cells: plant-year A, every method, a workbook's cells, and what is not there."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from assets.explain_carbon import Edition, NothingToExplain, explain_line_year
from pipelines.cli import main
from pipelines.cli_explain import _lines
from tests.carbon_cases import MONTHLY_RESULTS, PLANT_A, Lab
from tests.carbon_home import METHOD, carbon_home, opened
from tests.nights import night

if TYPE_CHECKING:
    from pathlib import Path

PLACES = {"ledger_fuel": '{"consumption": "G", "ncv_gj": "I"}', "ledger_clinker": '{"output_t": "C"}'}


@pytest.fixture(scope="module")
def year_a(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    lab = Lab(tmp_path_factory.mktemp("explain"))
    lab.year_of_a()
    lab.run()
    return lab


def told(lab: Lab, method: str = METHOD, **more: Any) -> dict[str, Any]:
    return explain_line_year(Edition(lab.home), "L1", "2024", method, **more)


def cents(value: float) -> str:
    return f"{Decimal(repr(value)):.2f}"


def test_A_is_told_down_to_the_numbers_of_the_vectors(year_a: Lab) -> None:
    found = told(year_a)
    assert cents(found["figure"]["total_tco2"]) == "1144585.41"
    assert [m["month"] for m in found["months"]] == [f"2024-{m:02d}" for m in range(1, 13)]
    for month, vector in zip(found["months"], MONTHLY_RESULTS, strict=True):
        by_source = {s["source"]: s for s in month["sources"]}
        assert [cents(by_source[n]["emission_tco2"]) for n in ("anthracite", "bituminous")] == list(vector[:2])
        assert [cents(month["sums"][n]) for n in ("process", "total")] == list(vector[2:])


def test_A_the_formula_holds_the_numbers_of_the_ledger_and_of_the_factors(year_a: Lab) -> None:
    january = told(year_a)["months"][0]
    coal = next(s for s in january["sources"] if s["source"] == "anthracite")
    assert coal["formula"].startswith(f"{PLANT_A[0]['anthracite_t']} x {PLANT_A[0]['anth_ncv']} x 0.0")
    assert coal["formula"].endswith("% x 44/12")
    cell = next(c for c in coal["cells"] if c["column"] == "consumption")
    assert (cell["table"], cell["file"], cell["row"]) == ("ledger_fuel", "ledgers/a.xlsx", 3)
    assert cell["value"] == float(PLANT_A[0]["anthracite_t"])
    # The measured heating value is the plant's: no default of it was used.
    assert {f.split(".")[1] for f in coal["factor_ids"]} == {"CC", "OF"}


def test_factors_come_with_value_period_source_and_worth(year_a: Lab) -> None:
    factors = {f["factor_id"]: f for f in told(year_a)["factors"]}
    slag = factors["CN.CEM.K.CARBIDE_SLAG.V01"]
    assert (slag["value"], slag["unit"], slag["confidence"], slag["file"]) == ("0.480", "tCO2/t", "secondary", "cets-ag-02.01-v01-2024.csv")  # fmt: skip
    assert slag["months"] == [f"2024-{m:02d}" for m in range(1, 13)]
    assert slag["clause"].startswith("附录C")
    assert all(f["source"] for f in factors.values())


def test_every_source_of_every_method_comes_out_the_same_when_it_is_done_again(year_a: Lab) -> None:
    methods = year_a.frame("carbon_line_year")["method_id"].unique().to_list()
    done = 0
    for method in methods:
        for month in told(year_a, method)["months"]:
            for source in month["sources"]:
                if source["formula"]:
                    assert source["recomputed_tco2"] == pytest.approx(source["emission_unrounded_tco2"], abs=1e-6), (
                        source
                    )
                    done += 1
    assert done > 12 * len(methods)


def test_monthly_sums_add_up_to_the_figure(year_a: Lab) -> None:
    found = told(year_a, aggregation="monthly_sum")
    assert sum(Decimal(cents(m["sums"]["total"])) for m in found["months"]) == Decimal(
        cents(found["figure"]["total_tco2"])
    )


def test_A_the_sources_of_the_year_are_weighted_and_come_to_the_figure(year_a: Lab) -> None:
    found = told(year_a)
    assert {s["source"] for s in found["year_sources"]} == {
        "anthracite",
        "bituminous",
        "clinker",
        "carbide_slag",
        "steel_slag",
    }
    for source in found["year_sources"]:
        assert source["recomputed_tco2"] == pytest.approx(source["emission_unrounded_tco2"], abs=1e-6)
    fossil = sum(s["emission_unrounded_tco2"] for s in found["year_sources"] if s["sum"] == "fossil")
    assert fossil == pytest.approx(found["figure"]["fossil_tco2"], abs=0.011)
    assert told(year_a, aggregation="monthly_sum")["year_sources"] == []


def test_without_a_method_the_one_in_force_is_told(year_a: Lab) -> None:
    assert told(year_a, "")["figure"]["method_id"] == METHOD


@pytest.mark.parametrize(
    ("asked", "named"),
    [(("L9", "2024", METHOD), "L1"), (("L1", "2023", METHOD), "2023"), (("L1", "2024", "NOBODY"), METHOD)],
    ids=["line", "year", "method"],
)
def test_what_is_not_there_names_what_is(year_a: Lab, asked: tuple[str, str, str], named: str) -> None:
    with pytest.raises(NothingToExplain, match=named):
        explain_line_year(Edition(year_a.home), *asked)


def test_a_source_without_a_number_tells_what_it_lacks(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.year_of_a()
    ledgers = {"ledger_clinker": [{"line_id": "L1", "output_t": 1000.0}]}
    lab.put("2024-12", ledgers)
    lab.run()
    text = "\n".join(_lines(told(lab)))
    assert "缺 lacks ledger_fuel" in text


# ---- the command ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ledgers as CSV, published."""
    root = carbon_home(tmp_path_factory.mktemp("told") / "home", range(2024, 2025))
    assert night(root).code == 0
    return root


def test_the_command_names_cells_of_the_file_in_the_release_and_in_the_lake(home: Path) -> None:
    published = CliRunner().invoke(main, ["explain", "carbon", "L1", "2024", "--home", str(home)])
    assert published.exit_code == 0, published.output
    line = (home / "landing/ledgers/ledger_fuel.csv").read_text("utf-8").splitlines()
    number = next(i for i, row in enumerate(line, 1) if "P1,L1,kiln,anthracite,2024-03" in row)
    assert f"F{number} consumption = 1000.0" in published.output
    assert "[000001-" in published.output
    lake = CliRunner().invoke(main, ["explain", "carbon", "L1", "2024", "--home", str(home), "--lake", "--json"])
    assert lake.exit_code == 0, lake.output
    found = json.loads(lake.output)
    assert found["edition"] == "lake"
    release = json.loads(
        CliRunner().invoke(main, ["explain", "carbon", "L1", "2024", "--home", str(home), "--json"]).output
    )
    assert release | {"edition": ""} == found | {"edition": ""}


def test_a_line_that_does_not_exist_is_a_sentence(home: Path) -> None:
    result = CliRunner().invoke(main, ["explain", "carbon", "L9", "2024", "--home", str(home)])
    assert result.exit_code == 2
    assert "L1, L2" in result.output
    assert opened(home).lake.keys("carbon_line_year") == ["2024"]
