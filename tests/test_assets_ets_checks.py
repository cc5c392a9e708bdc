"""Cross-checks that the trading system rests on, at their borders: approved capacity of 310 days, carbide near the threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.carbon_checks import Desk
from assets.carbon_findings import _WANTED, _YEAR, carbon_findings, make_carbon_findings
from contracts import TABLES
from resources.bench import Bench
from resources.ets import EtsBook
from resources.factors import FactorBook
from tests.carbon_cases import Lab, line, month_of_a, plant, registry

if TYPE_CHECKING:
    from pathlib import Path

BOOK, FACTORS = EtsBook.load(), FactorBook.load()
V01 = "CETS-AG-02.01-V01-2024"


def frame(table: str, columns: list[str], *rows: dict[str, Any]) -> pl.DataFrame:
    empty = pl.DataFrame(pl.from_arrow(TABLES[table].empty().select(columns))).with_columns(
        pl.col(pl.Categorical).cast(pl.String)
    )
    return pl.DataFrame(list(rows), schema=empty.schema) if rows else empty


def found(check: str, *, year: int = 2025, clinker: tuple[float, ...] = (), rate: float | None = None, complete: bool = True,
          lines: tuple[Any, ...] = (line(),)) -> list[tuple[str | None, str | None]]:  # fmt: skip
    """(period, value) of the findings of one check; clinker by month, the carbide rate of the year."""
    src = ["src_path", "src_sheet", "src_row"]
    ledgers = {t: frame(t, ["month", *columns, *src]) for t, columns in _WANTED.items()}
    months = [{"month": f"{year}-{m:02d}", "line_id": "L1", "output_t": t} for m, t in enumerate(clinker, 1)]
    ledgers["ledger_clinker"] = frame("ledger_clinker", ["month", *_WANTED["ledger_clinker"], *src], *months)
    row = {"plant_id": "P1", "line_id": "L1", "method_id": V01, "carbide_rate_pct": rate, "complete": complete}
    years = frame("carbon_line_year", _YEAR, *([] if rate is None else [row]))
    process = pl.DataFrame(
        schema={"plant_id": pl.String, "line_id": pl.String, "month": pl.String, "emission_tco2": pl.Float64}
    )
    desk = Desk(year, ledgers, years, process, FACTORS, registry(plant(), *lines), BOOK, V01)
    return [(f.period, f.value) for f in carbon_findings(desk) if f.check_id.startswith(check)]


YEAR = 5000.0 * 310 * 1.1


@pytest.mark.parametrize(
    ("year_t", "value"),
    [pytest.param(YEAR, None, id="at-110-percent"), pytest.param(YEAR + 1000, "110.1", id="above"), pytest.param(YEAR - 1000, None, id="below")],
)  # fmt: skip
def test_C07_output_of_a_year_against_310_days(year_t: float, value: str | None) -> None:
    expected = [] if value is None else [("2025", value)]
    assert found("C07", clinker=(year_t / 12,) * 12) == expected


def test_C07_stands_before_the_year_is_over_and_beside_the_months() -> None:
    assert found("C07", clinker=(600000.0,) * 3) == [("2025", "116.1")]
    assert [p for p, _ in found("C06", clinker=(600000.0, 150000.0))] == ["2025-01"]


@pytest.mark.parametrize(("month_t", "many"), [pytest.param(170500.0, 0, id="at-110-percent"), pytest.param(170600.0, 1, id="above")])  # fmt: skip
def test_C06_output_of_a_month_against_its_days(month_t: float, many: int) -> None:
    assert len(found("C06", clinker=(month_t,))) == many


@pytest.mark.parametrize(
    ("year", "rate", "value"),
    [
        pytest.param(2025, 13.99, None, id="2025-below"), pytest.param(2025, 14.0, "-1", id="2025-1-below"),
        pytest.param(2025, 15.0, "0", id="2025-at-15"), pytest.param(2025, 16.0, "1", id="2025-1-above"),
        pytest.param(2025, 16.01, None, id="2025-above"), pytest.param(2025, 29.5, None, id="2025-far-above"),
        pytest.param(2026, 15.0, None, id="2026-at-15"), pytest.param(2026, 29.0, "-1", id="2026-1-below"),
        pytest.param(2026, 30.5, "0.5", id="2026-above"), pytest.param(2026, 31.01, None, id="2026-far"),
        pytest.param(2024, 15.0, None, id="2024-no-threshold"),
    ],
)  # fmt: skip
def test_C15_carbide_near_the_threshold_of_the_year(year: int, rate: float, value: str | None) -> None:
    expected = [] if value is None else [(str(year), value)]
    assert found("C15", year=year, rate=rate) == expected


def test_C15_says_nothing_of_part_of_a_year() -> None:
    assert found("C15", rate=15.0, complete=False) == []


@pytest.mark.parametrize(("year", "told"), [("2012", ["2012"]), ("2013", []), ("2024", [])])
def test_C19_ledgers_of_a_year_before_any_method_are_told_once(tmp_path: Path, year: str, told: list[str]) -> None:
    lab = Lab(tmp_path)
    for n in (1, 2):
        lab.put(f"{year}-{n:02d}", month_of_a(n))
    found = make_carbon_findings(Bench(lab.home), year)["carbon_findings"].to_pylist()
    assert [f["period"] for f in found if f["check_id"] == "C19_no_method"] == told
    assert all("2 month(s) of 2012" in f["text_en"] for f in found if f["check_id"] == "C19_no_method")
