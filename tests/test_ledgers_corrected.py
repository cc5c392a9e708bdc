"""A mistake that a later submission mends needs nobody any more; one that it does not mend stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ledger_files import CLINKER, FUEL, found, home

if TYPE_CHECKING:
    from pathlib import Path

    from resources.events import Finding

SLIP = f"{CLINKER}P1-1,2024-01,5.0245,700,1,1\n"
RAW = f"{FUEL}P1,P1-1,kiln,原煤,2024-01,4321.5,t,23.1\nP1,P1-1,kiln,diesel,2024-01,12,t,42.6\n"


def only(root: Path, check: str, *files: tuple[str, str]) -> Finding:
    (finding,) = [f for f in found(home(root, dict(files)), check) if not (f.value or "").startswith("L55")]
    return finding


def test_a_row_that_was_submitted_again_is_told_as_corrected(tmp_path: Path) -> None:
    right = SLIP.replace("5.0245", "50245")
    finding = only(tmp_path, "L40", ("ledger_clinker.csv", SLIP), ("ledger_clinker_2.csv", right))
    assert finding.severity == "info"
    assert finding.text_zh.startswith("已被 ledgers/ledger_clinker_2.csv 2 更正: output_t")
    assert finding.text_en.startswith("corrected by ledgers/ledger_clinker_2.csv 2: 5.0245")


def test_what_came_before_corrects_nothing(tmp_path: Path) -> None:
    right = SLIP.replace("5.0245", "50245")
    finding = only(tmp_path, "L40", ("ledger_clinker_2.csv", SLIP), ("ledger_clinker.csv", right))
    assert finding.severity == "serious"


@pytest.mark.parametrize(
    ("row", "severity"),
    [
        pytest.param("bituminous,2024-01,4321.5,t,23.1", "info", id="the-fuel-named"),
        pytest.param("bituminous,2024-01,4321.5,t,24", "serious", id="half-of-its-numbers"),
        pytest.param("bituminous,2024-01,99,t,24", "serious", id="other-numbers"),
        pytest.param("bituminous,2024-02,4321.5,t,23.1", "serious", id="another-month"),
        pytest.param("diesel,2024-01,12,t,42.6", "serious", id="another-row-of-the-file"),
    ],
)  # fmt: skip
def test_a_lost_row_is_corrected_by_one_that_gives_it_anew(tmp_path: Path, row: str, severity: str) -> None:
    later = f"{FUEL}P1,P1-1,kiln,{row}\n"
    finding = only(tmp_path, "L23", ("ledger_fuel.csv", RAW), ("ledger_fuel_2.csv", later))
    assert finding.severity == severity


def test_a_row_of_a_line_of_another_plant_is_corrected_by_that_of_its_own(tmp_path: Path) -> None:
    wrong = f"{FUEL}P1,P2-1,kiln,bituminous,2024-01,100,t,23\n"
    later = wrong.replace("P2-1", "P1-1")
    assert only(tmp_path, "L33", ("ledger_fuel.csv", wrong), ("ledger_fuel_2.csv", later)).severity == "info"


def test_a_sheet_that_one_later_file_gives_whole_is_moot(tmp_path: Path) -> None:
    # The later file names the fuel and mends the amount: nothing else says that both are one row.
    later = RAW.replace("原煤", "bituminous").replace("4321.5", "4400").replace("23.1", "22.9")
    finding = only(tmp_path, "L23", ("ledger_fuel.csv", RAW), ("ledger_fuel_2.csv", later))
    assert finding.severity == "info"
    assert finding.text_en.startswith("corrected by ledgers/ledger_fuel_2.csv: the row does not count")


@pytest.mark.parametrize(
    "lost", ["原煤,2024-01,4321.5,t,23.1", "bituminous,2024-01,4,321.5,t,23.1"], ids=["L23", "L11"]
)
def test_a_sheet_that_is_given_again_without_what_it_lost_is_not(
    tmp_path: Path, lost: str, request: pytest.FixtureRequest
) -> None:
    diesel = f"{FUEL}P1,P1-1,kiln,diesel,2024-01,12,t,42.6\n"
    check = request.node.callspec.id
    files = ("ledger_fuel.csv", f"{diesel}P1,P1-1,kiln,{lost}\n"), ("ledger_fuel_2.csv", diesel.replace("12", "13"))
    assert only(tmp_path, check, *files).severity == "serious"


def test_many_of_a_kind_are_as_grave_as_those_told_and_corrected_with_them(tmp_path: Path) -> None:
    months = [f"{y}-{m:02d}" for y in (2022, 2023) for m in range(1, 13)]
    wrong = CLINKER + "".join(f"P1-1,{m},5.1,700,1,1\n" for m in months)
    before = home(tmp_path / "a", {"ledger_clinker.csv": wrong})
    assert {f.severity for f in (*found(before, "L40"), *found(before, "L90"))} == {"serious"}
    assert only(tmp_path / "a", "L90").text_en.startswith("4 more")
    mended = ("ledger_clinker_2.csv", wrong.replace("5.1", "51000"))
    assert only(tmp_path / "b", "L90", ("ledger_clinker.csv", wrong), mended).severity == "info"
    most = ("ledger_clinker_2.csv", mended[1].rpartition("P1-1")[0])
    left = only(tmp_path / "c", "L90", ("ledger_clinker.csv", wrong), most)
    assert (left.severity, left.text_en[:6]) == ("serious", "1 more")


def test_what_a_later_row_did_to_an_earlier_one_is_moot_when_it_stands_no_longer(tmp_path: Path) -> None:
    files = {
        f"ledger_clinker_{i}.csv": f"{CLINKER}P1-1,2024-01,50245,{h},1,1\n" for i, h in enumerate(("700", "", "701"))
    }
    emptied = only(tmp_path, "L54", *files.items())
    assert emptied.severity == "info"
    assert emptied.text_en.startswith("corrected by ledgers/ledger_clinker_2.csv 2:")
    by_path = only(tmp_path, "L55")
    assert by_path.severity == "warn"
