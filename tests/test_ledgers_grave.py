"""What keeps a wrong number from being filed: rows that count in no total, and values off by an order of magnitude, are serious."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from resources.findings import load_findings
from tests.ledger_files import CLINKER, FUEL, found, home

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("row", "check"),
    [
        ("P1,P1-1,kiln,原煤,2024-01,100,t,23", "L23"),
        ("P1,P1-9,kiln,bituminous,2024-01,100,t,23", "L22"),
        ("P9,P1-1,kiln,bituminous,2024-01,100,t,23", "L21"),
        ("P1,P1-1,kiln,bituminous,一月,100,t,23", "L20"),
        ("P1,P1-1,oven,bituminous,2024-01,100,t,23", "L25"),
        ("P1,P1-1,kiln,,2024-01,100,t,23", "L29"),
        ("P1,P2-1,kiln,bituminous,2024-01,100,t,23", "L33"),
        ("P1,P1-1,kiln,bituminous,2024-01,1,100,t,23", "L11"),
    ],
    ids=lambda text: text if text.startswith("L") else "",
)  # fmt: skip
def test_a_row_that_no_total_counts_is_serious(tmp_path: Path, row: str, check: str) -> None:
    made = home(tmp_path, {"ledger_fuel.csv": f"{FUEL}{row}\n"})
    (finding,) = found(made, check)
    assert finding.severity == "serious"
    assert made.ledgers.months() == []


def test_a_word_that_costs_its_cell_alone_is_not(tmp_path: Path) -> None:
    made = home(tmp_path, {"ledger_clinker.csv": "line_id,month,output_t,metering\nP1-1,2024-01,100000,by eye\n"})
    (finding,) = found(made, "L25")
    assert finding.severity == "warn"


@pytest.mark.parametrize(
    ("output", "severity"),
    [
        ("5.0245", "serious"), ("50.1", "warn"), ("50", "serious"), ("499", "warn"), ("500", None), ("450000", None),
        ("450001", "warn"), ("500000", "serious"),
    ],
)  # fmt: skip
def test_a_kept_value_off_by_an_order_of_magnitude_is_serious(
    tmp_path: Path, output: str, severity: str | None
) -> None:
    # 500,000 would be usual in kg; 50.1 and 450,001 are not in any unit that is known, and less than ten times off.
    made = home(tmp_path, {"ledger_clinker.csv": f"{CLINKER}P1-1,2024-01,{output},700,1,1\n"})
    assert [f.severity for f in found(made, "L40") if "output_t" in str(f.source_cell)] == (
        [severity] if severity else []
    )
    assert made.ledgers.rows("ledger_clinker", "2024-01")["output_t"].to_list() == [float(output)]


def test_process_emissions_below_zero_are_serious() -> None:
    assert load_findings()["C16_process_below_zero"].severity == "serious"
