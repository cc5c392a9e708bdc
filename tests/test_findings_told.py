"""Findings as people read them: one line a check and file, the gravest first, by command, summary and report alike."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from assets.carbon_filing import filing_refusals
from assets.findings_told import against, grouped, in_words
from assets.products import PRODUCTS, bring_up
from assets.release import publish_release
from assets.report import report
from pipelines.cli import main
from pipelines.summary import in_words as summary_in_words
from pipelines.summary import summary
from resources.findings import load_findings, load_stages
from tests.carbon_home import METHOD, carbon_home, opened

if TYPE_CHECKING:
    from pathlib import Path

#: In carbon_home the lines are L1 and L2 of P.
RAW = "plant_id,line_id,facility,fuel,month,consumption,unit,ncv_gj\n" + "".join(
    f"P1,L1,kiln,原煤,2024-{m:02d},100,t,23\n" for m in range(1, 13)
)


def row(check: str, severity: str = "warn", **cells: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("plant_id", "line_id", "period", "source_file", "source_cell", "value"))
    return {"check_id": check, "severity": severity, "text_zh": "文", "text_en": "text", **empty, **cells}


def test_checks_are_listed_by_what_became_of_a_row_or_value() -> None:
    stages = load_stages()
    assert stages.keys() - {""} < load_findings().keys()
    assert stages["L29_empty_key"] < stages[""] < stages["L55_by_path"] < stages["C13_waste_heat"]
    assert "L40_implausible" not in stages


def test_those_of_a_check_and_file_are_one_line_with_the_first_cells_and_months() -> None:
    some = [
        row("L29_empty_key", source_file="a.xlsx", source_cell=f"{n}[fuel]", period=f"2024-{n:02d}")
        for n in (10, 9, 2, 3)
    ]
    (group,) = grouped(some)
    assert in_words(group) == (
        "L29_empty_key a.xlsx:2[fuel], 3[fuel], 9[fuel] … (2024-02, 2024-03, 2024-09 …): 4 处 places: 文 / text"
    )
    assert len(grouped([*some, row("L29_empty_key", source_file="b.xlsx")])) == 2


def test_a_lost_row_comes_before_a_value_before_what_names_decided_before_cross_checks() -> None:
    kinds = ["C13_waste_heat", "L55_by_path", "L40_implausible", "L29_empty_key", "L54_emptied"]
    told = [
        g["check_id"]
        for g in grouped(
            [*map(row, kinds), row("C16_process_below_zero", "serious"), row("L40_implausible", "serious")]
        )
    ]
    assert told == ["L40_implausible", "C16_process_below_zero", "L29_empty_key", "L40_implausible", "L54_emptied", "L55_by_path", "C13_waste_heat"]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "held"),
    [
        pytest.param({"plant_id": "P", "line_id": "L1", "period": "2024-03"}, True, id="the-line"),
        pytest.param({"plant_id": "P", "line_id": "L2", "period": "2024-03"}, False, id="another-line"),
        pytest.param({"plant_id": "P", "period": "2024"}, True, id="the-plant"),
        pytest.param({"plant_id": "Q", "period": "2024"}, False, id="another-plant"),
        pytest.param({"plant_id": "P", "line_id": "L1", "period": "2023-03"}, False, id="another-year"),
        pytest.param({}, True, id="nobody-knows-whose"),
        pytest.param({"plant_id": "P", "value": "05/2024"}, True, id="a-month-that-cannot-be-read"),
        pytest.param({"plant_id": "P", "value": "05/2023"}, False, id="one-of-another-year"),
    ],
)  # fmt: skip
def test_which_findings_speak_of_the_year_of_a_line(cells: dict[str, Any], held: bool) -> None:
    assert bool(against([row("L23_unknown_fuel", "serious", **cells)], "2024", "P", "L1")) is held
    assert not against([row("L01_file_refused", "serious", **cells)], "2024", "P", "L1")
    assert not against([row("E13_end_before_start", "serious", **cells)], "2024", "P", "L1")
    assert not against([row("L23_unknown_fuel", "warn", **cells)], "2024", "P", "L1")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of ledgers with a file of a fuel that nobody knows, of which a release stands."""
    root = carbon_home(tmp_path_factory.mktemp("found"), range(2024, 2025))
    owner, line = next((r.plant_id, r.line_id) for r in opened(root).registry.lines)
    text = RAW.replace("P1,L1,", f"{owner},{line},")
    (root / "landing/ledgers/ledger_fuel_raw.csv").write_text(text, encoding="utf-8")
    home = opened(root)
    for of in PRODUCTS:
        for key in sorted(of.keys(home)):
            bring_up(home, of, key)
    publish_release(opened(root), [])
    return root


def kiln(root: Path, *words: str) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["findings", *words, "--home", str(root), "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def test_the_command_lists_lake_and_release_and_narrows_them(published: Path) -> None:
    told = kiln(published, "--check", "L23")
    (group,) = told["groups"]
    assert (group["findings"], group["severity"], told["counts"]) == (12, "serious", {"serious": 12})
    assert kiln(published, "--check", "L23", "--release", "latest")["groups"] == told["groups"]
    assert kiln(published, "--check", "L23", "--month", "2024-05")["groups"][0]["periods"] == ["2024-05"]
    assert kiln(published, "--check", "L23", "--severity", "info")["groups"] == []
    assert kiln(published, "--check", "L23", "--plant", "nobody")["groups"] == []
    result = CliRunner().invoke(main, ["findings", "--check", "L99", "--home", str(published)])
    assert (result.exit_code, "no check L99" in result.output) == (2, True)


def test_what_is_corrected_is_not_open_and_stays_among_all(published: Path, tmp_path: Path) -> None:
    root = shutil.copytree(published, tmp_path / "home")
    text = (root / "landing/ledgers/ledger_fuel_raw.csv").read_text(encoding="utf-8")
    (root / "landing/ledgers/ledger_fuel_raw_2.csv").write_text(text.replace("原煤", "petcoke"), encoding="utf-8")
    home = opened(root)
    for of in (p for p in PRODUCTS if p.name == "findings"):
        bring_up(home, of, "all")
    assert kiln(root, "--check", "L23")["groups"] == []
    (group,) = kiln(root, "--check", "L23", "--all")["groups"]
    assert (group["severity"], group["findings"]) == ("info", 12)


def test_a_line_that_is_fit_for_filing_but_for_a_lost_row_is_told_so(published: Path) -> None:
    home = opened(published)
    facts = summary(home)
    line = next(r.line_id for r in home.registry.lines)
    (year,) = facts["carbon"]
    assert year["look_first"] == {"lines": [line], "findings": 12}
    text = "\n".join(summary_in_words(facts))
    assert f"，但有 12 处须先核对 but 12 to look at first ({line}; kiln findings)" in text
    assert text.count("L23_unknown_fuel") == 1
    assert "严重 serious L23_unknown_fuel ledgers/ledger_fuel_raw.csv:2[fuel], 3[fuel], 4[fuel] …" in text


def test_filing_refuses_what_the_summary_says_is_to_be_looked_at_first(published: Path) -> None:
    home = opened(published)
    line = next(r.line_id for r in home.registry.lines)
    refused = filing_refusals(home, "2024", METHOD)
    assert [(r.scope_id, len(r.findings)) for r in refused] == [(line, 12)]


def test_a_row_without_a_month_stands_against_its_line(published: Path, tmp_path: Path) -> None:
    root = shutil.copytree(published, tmp_path / "home")
    path = root / "landing/ledgers/ledger_fuel_raw.csv"
    text = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([text[0], text[1].replace("原煤,2024-01", "petcoke,一月"), ""]), encoding="utf-8")
    home = opened(root)
    bring_up(home, next(p for p in PRODUCTS if p.name == "findings"), "all")
    (refusal,) = filing_refusals(home, "2024", METHOD)
    assert refusal.findings[0].startswith("L20_unreadable_month")


def test_the_report_lists_them_in_the_same_order(published: Path) -> None:
    page = report(opened(published))[1]
    groups = [g["check_id"] for g in kiln(published, "--release", "latest")["groups"]]
    after = page.partition("审查发现（本发布全部）")[2]
    places = [after.find(f"<code>{check}</code>") for check in dict.fromkeys(groups)]
    assert -1 not in places
    assert places == sorted(places)
