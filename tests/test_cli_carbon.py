"""`kiln carbon …`: trials on a lake, on a release without a lake, on a filed year; what a filing run refuses, by name."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from assets.products import PRODUCTS, bring_up, product
from assets.release import publish_release
from pipelines.cli import main
from tests.carbon_home import METHOD, carbon_home, opened

if TYPE_CHECKING:
    from pathlib import Path

YEAR = "2024"
CHANGE = ("--factor", "CN.CEM.EF.PORT.V01=0.545")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of ledgers of which a release stands."""
    root = carbon_home(tmp_path_factory.mktemp("carbon"), range(2024, 2025))
    home = opened(root)
    for of in PRODUCTS:
        for key in sorted(of.keys(home)):
            bring_up(home, of, key)
    publish_release(opened(root), [])
    return root


@pytest.fixture
def root(published: Path, tmp_path: Path) -> Path:
    return shutil.copytree(published, tmp_path / "home")


def kiln(root: Path, *words: str, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["carbon", *words, "--home", str(root), "--json"], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if code in (0, 3) else {"text": result.output}  # type: ignore[no-any-return]


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_a_release_is_tried_as_its_lake_is_and_nothing_is_written(root: Path) -> None:
    before = contents(root)
    of_lake = kiln(root, "what-if", "--year", YEAR, *CHANGE)
    assert contents(root) == before
    for folder in ("lake", "landing"):
        shutil.rmtree(root / folder)
    before = contents(root)
    of_release = kiln(root, "what-if", "--year", YEAR, *CHANGE, "--from-release", "latest")
    assert contents(root) == before
    assert of_release["source"].startswith("000001-")
    assert (of_lake["source"], of_release["notes"]) == ("lake", [])
    same = ("lines", "plants", "balance_value")
    assert [of_release[n] for n in same] == [of_lake[n] for n in same]
    # 12 months of 10,000 t by 0.010 t more.
    assert [r["delta_tco2"] for r in of_release["lines"]] == [1200.0, 1200.0]


def test_a_release_of_other_factors_is_reckoned_anew_first_and_it_is_said(root: Path) -> None:
    head = "factor_id,quantity,scope,method,value,unit,valid_from,recorded_at,source,mark,confidence\n"
    row = f"OWN,ef_clinker,portland,{METHOD},0.555,tCO2/t,2024-01-01,2026-11-23,laboratory,V,verified\n"
    (root / "registry/factors-own.csv").write_text(head + row, encoding="utf-8")
    told = kiln(root, "what-if", "--year", YEAR, "--factor", "OWN=0.565", "--from-release", "latest")
    assert len(told["notes"]) == 1
    assert told["notes"][0].startswith("2 条生产线")
    assert [r["delta_tco2"] for r in told["lines"]] == [1200.0, 1200.0]


def test_a_filed_year_may_be_tried(root: Path) -> None:
    (root / "registry/filings.csv").write_text("plant_id,year,filed_at\nP1,2024,2025-03-31\n", encoding="utf-8")
    told = kiln(root, "what-if", "--year", YEAR, *CHANGE)
    assert [r["delta_tco2"] for r in told["lines"]] == [1200.0, 1200.0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("--year", YEAR, "--from-release", "r999"), "no one release r999", id="no-release"),
        pytest.param(("--year", "2021", "--from-release", "latest"), "no carbon of lines in 2021", id="no-year"),
        pytest.param(("--year", YEAR, "--factor", "NOBODY=1", "--from-release", "latest"), "no factor 'NOBODY'", id="no-factor"),
    ],
)  # fmt: skip
def test_what_cannot_be_tried_is_said(root: Path, words: tuple[str, ...], said: str) -> None:
    assert said in kiln(root, "what-if", *words, code=2)["text"]


def test_a_year_without_drafts_may_be_filed_and_one_with_them_is_refused_by_name(root: Path) -> None:
    assert kiln(root, "filing", "--year", YEAR)["may_be_filed"]
    assert kiln(root, "filing", "--year", YEAR, "--basis", "location_province")["may_be_filed"]
    told = kiln(root, "filing", "--year", YEAR, "--method", "NDRC-2013", code=3)
    assert {d for r in told["refusals"] for d in r["drafts"]} >= {"NDRC-2013 2024"}
    assert (
        "no figures of MEE-332-2023 for 2024"
        in kiln(root, "filing", "--year", YEAR, "--method", "MEE-332-2023", code=2)["text"]
    )


def test_a_draft_factor_is_refused_by_its_id_with_what_it_says_and_where_it_stands(root: Path) -> None:
    head = "factor_id,quantity,scope,method,value,unit,valid_from,recorded_at,source,mark,confidence\n"
    row = f"OWN.EF,ef_clinker,portland,{METHOD},0.555,tCO2/t,2024-07-01,2026-11-23,a letter,U,draft\n"
    (root / "registry/factors-own.csv").write_text(head + row, encoding="utf-8")
    home = opened(root)
    for of in (p for p in PRODUCTS if p.name in ("carbon_months", "carbon_years", "allocation")):
        for key in sorted(of.keys(home)):
            bring_up(home, of, key)
    told = kiln(root, "filing", "--year", YEAR, code=3)
    assert [(r["scope_id"], r["drafts"]) for r in told["refusals"]] == [("L1", ["OWN.EF"]), ("L2", ["OWN.EF"])]
    assert told["drafts"] == {"OWN.EF": "0.555 tCO2/t, a letter [U] registry/factors-own.csv:2"}
    words = CliRunner().invoke(main, ["carbon", "filing", "--year", YEAR, "--home", str(root)])
    assert words.exit_code == 3
    assert "拒绝填报 filing is refused" in words.output
    assert "L1 CETS-AG-02.01-V01-2024: 未核实 / drafts: OWN.EF" in words.output


def test_methods_of_a_year_are_told_with_what_they_need(root: Path) -> None:
    told = kiln(root, "methods", "--year", YEAR)
    assert told["methods"][0]["method_id"] == METHOD
    assert "ledger_clinker.output_t" in told["methods"][0]["required"]
    assert "IPCC-2006-T3" in told["not_computed"]
    (root / "registry/methods.csv").write_text(
        f"method_id,from_year,to_year,published_by\n{METHOD},2024,2025,2025-06-30\n", encoding="utf-8"
    )
    (only,) = kiln(root, "methods", "--year", YEAR)["methods"]
    assert (only["factor_policy"], only["file"]) == ("latest_published 2025-06-30", "registry/methods.csv")
    words = CliRunner().invoke(main, ["carbon", "methods", "--year", YEAR, "--home", str(root)]).output
    assert f"{METHOD} [secondary] latest_published 2025-06-30" in words


def test_a_choice_of_methods_is_planned_for_its_years_and_named(root: Path) -> None:
    rows = [
        f"{m.id},2024,2025,{'same_data_year' * (m.id == 'NDRC-2013')}"
        for m in opened(root).methods.of_year(2024) if m.id != "EPA-98H"
    ]  # fmt: skip
    (root / "registry/methods.csv").write_text(
        "\n".join(["method_id,from_year,to_year,factor_policy", *rows, ""]), encoding="utf-8"
    )
    words = CliRunner().invoke(main, ["plan", "--home", str(root)]).output
    assert "核算方法变动" in words
    assert "- EPA-98H" in words
    assert "NDRC-2013: " in words
    assert "selection latest_published -> same_data_year (registry/methods.csv)" in words
    assert f"{METHOD}: " not in words.partition("核算方法变动")[2].splitlines()[0]


@pytest.mark.parametrize(
    ("file", "content", "what", "said"),
    [
        pytest.param("methods.csv", "method_id,from_year\nNOBODY,2024\n", "methods", "registry/methods.csv:2 [method_id='NOBODY']", id="methods"),
        pytest.param("ets.csv", "year,balance_value,source,published_on\n2024,845,x,\n", "ets", "ets.csv:2 [balance_value='845']", id="ets"),
        pytest.param("ets_lines.csv", "line_id,year,variety,special,note\nL1,24,,,\n", "ets", "ets_lines.csv:2 [year='24']", id="ets-lines"),
        pytest.param("factors-own.csv", "factor_id\nA\n", "factors", "registry/factors-own.csv:1 [value='']", id="factors"),
        pytest.param("filings.csv", "plant_id,year,filed_at\nP9,2024,2025-03-31\n", "filings", "filings.csv:2 [plant_id='P9']", id="filings"),
        pytest.param(
            "filings.csv", "plant_id,year,method_id,filed_at\nP1,2024,CETS-AG-02.01-V01-2O24,2025-03-31\n", "filings",
            "did you mean CETS-AG-02.01-V01-2024?", id="filings-method",
        ),
    ],
)  # fmt: skip
def test_a_refused_file_is_named_by_the_doctor_and_stops_run_and_plan(
    root: Path, file: str, content: str, what: str, said: str
) -> None:
    (root / "registry" / file).write_text(content, encoding="utf-8")
    before = contents(root)
    result = CliRunner().invoke(main, ["doctor", "--home", str(root), "--json"])
    failed = [f for f in json.loads(result.stdout)["findings"] if f["level"] == 2]
    assert (result.exit_code, [f["what"] for f in failed]) == (3, [what])
    assert said in failed[0]["text"]
    for command in (["plan"], ["run", "--all"]):
        refused = CliRunner().invoke(main, [*command, "--home", str(root)])
        assert refused.exit_code == 3
        assert said in refused.output + refused.stderr
    assert contents(root) == before


def _brought_up(root: Path) -> None:
    home = opened(root)
    names = (
        "ledgers",
        "meters",
        "carbon_months",
        "carbon_years",
        "uncertainty",
        "allocation",
        "carbon_findings",
        "findings",
    )
    for of in (product(n) for n in names):
        for key in sorted(of.keys(home)):
            bring_up(home, of, key)


def test_a_serious_finding_stands_against_its_line_with_place_and_remedy(root: Path) -> None:
    fuel = root / "landing/ledgers/ledger_fuel.csv"
    head, *rows = fuel.read_text("utf-8").splitlines()
    # L1's anthracite is measured in January and at the default from February.
    rows = [r + (",23.1,measured" if f"P1,L1,kiln,anthracite,{YEAR}-01" in r else ",,") for r in rows]
    fuel.write_text("\n".join([f"{head},ncv_gj,ncv_source", *rows, ""]), encoding="utf-8")
    _brought_up(root)
    told = kiln(root, "filing", "--year", YEAR, code=3)
    assert {r["scope_id"] for r in told["refusals"]} == {"L1"}
    (refusal,) = told["refusals"]
    assert (refusal["drafts"], refusal["missing"], refusal["complete"]) == ([], [], True)
    assert "C17_ncv_switched_back (ledgers/ledger_fuel.csv" in refusal["findings"][0]
    assert "file the measured value of the month" in refusal["findings"][0]
    by_plant = kiln(root, "filing", "--year", YEAR, "--basis", "location_province", code=3)
    assert {r["scope_id"] for r in by_plant["refusals"]} == {"L1", "P1"}


def test_an_incomplete_year_names_the_months_that_it_lacks(root: Path) -> None:
    for path in (root / "landing/ledgers").glob("*.csv"):
        kept = [r for r in path.read_text("utf-8").splitlines() if f"{YEAR}-11" not in r and f"{YEAR}-12" not in r]
        path.write_text("\n".join([*kept, ""]), encoding="utf-8")
    _brought_up(root)
    told = kiln(root, "filing", "--year", YEAR, "--basis", "location_province", "--allowances", code=3)
    months = [f"{YEAR}-11", f"{YEAR}-12"]
    assert {(r["table"], r["scope_id"]): r["lacking"] for r in told["refusals"]} == dict.fromkeys((("carbon_line_year", "L1"), ("carbon_line_year", "L2"), ("carbon_entity_year", "P1"), ("carbon_entity_year", "P2"), ("allocation_year", "L1"), ("allocation_year", "L2")), months)  # fmt: skip
    words = CliRunner().invoke(main, ["carbon", "filing", "--year", YEAR, "--home", str(root)])
    assert f"the year is not complete, without: {YEAR}-11, {YEAR}-12" in words.output
