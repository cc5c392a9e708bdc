"""`kiln carbon …`: trials on a lake, on a release without a lake, on a filed year; what a filing run refuses, by name."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from assets.products import PRODUCTS, bring_up
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
