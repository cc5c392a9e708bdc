"""Cross-checks of carbon-rules 3, each at its borders: on the limit nothing is said, a digit beyond it is; nothing, nought and unknown.

Belongs here: formulas and limits, one check a case, over frames by hand. Does not belong here: reading the year and telling findings
with their cells (`test_assets_ets`), what one cell may hold (`test_resources_ledgers`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.carbon_checks import CHECKS, Desk
from assets.carbon_findings import carbon_findings
from contracts import TABLES
from resources.ets import EtsBook
from resources.factors import FactorBook
from tests.carbon_cases import line, plant, registry

if TYPE_CHECKING:
    from collections.abc import Callable

V01 = "CETS-AG-02.01-V01-2024"
BOOK, FACTORS = EtsBook.load(), FactorBook.load()
Tables = dict[str, list[dict[str, Any]]]


def found(check: str, tables: Tables, year: int = 2025, month: str = "03") -> list[str]:
    """Values of the findings of one check over a month's ledgers and a year's line."""
    of = {f"{year}-{month}": tables}
    ledgers = {t: frame(t, [{"month": m} | r for m, some in of.items() for r in some.get(t, [])]) for t in TABLES if t.startswith("ledger_") and t != "ledger_meter"}  # fmt: skip
    years = frame("carbon_line_year", [{"plant_id": "P1", "line_id": "L1", "method_id": V01, "complete": True} | r for r in tables.get("years", [])])  # fmt: skip
    months = frame("carbon_line_month", [{"plant_id": "P1", "line_id": "L1", "month": f"{year}-{month}"} | r for r in tables.get("months", [])])  # fmt: skip
    desk = Desk(
        year, ledgers, years, months.select("plant_id", "line_id", "month", "emission_tco2"), FACTORS, registry(plant(), line()), BOOK, V01
    )  # fmt: skip
    return [str(f.value) for f in carbon_findings(desk) if f.check_id == check]


def frame(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    empty = pl.DataFrame(pl.from_arrow(TABLES[table].empty())).with_columns(
        pl.col(pl.Categorical, pl.Enum).cast(pl.String)
    )
    return pl.concat([empty, pl.DataFrame(rows, infer_schema_length=None).cast({n: empty.schema[n] for n in rows[0]})], how="diagonal") if rows else empty  # fmt: skip


def clinker(output: float | None = 100000.0, **more: float | None) -> Tables:
    return {"ledger_clinker": [{"line_id": "L1", "output_t": output} | more]}


def fuel(**cells: Any) -> Tables:
    who = {"plant_id": "P1", "line_id": "L1", "facility": "kiln", "fuel": "bituminous", "unit": "t"}
    return {"ledger_fuel": [who | cells]}


def burnt(left: float | None, consumption: float | None = 10000.0) -> Tables:
    """Fuel of which `left` is nowhere."""
    bought = None if left is None else (consumption or 0.0) + left
    return fuel(opening=100.0, purchased=bought, closing=100.0, consumption=consumption)


def stocked(left: float | None, output: float = 10000.0) -> Tables:
    used = None if left is None else output - left
    return clinker(output, opening_t=50.0, used_t=used, closing_t=50.0)


def fed(rawmeal: float | None, output: float | None = 100000.0) -> Tables:
    return clinker(output) | {"ledger_rawmeal": [{"line_id": "L1", "rawmeal_t": rawmeal}]}


def yearly(column: str, value: float | None, *, complete: bool = True) -> Tables:
    return {"years": [{column: value, "complete": complete}]}


def analysed(percent: float | None) -> Tables:
    """Analyses whose factor lies so many per cent from 0.535: CaO by itself."""
    cao = None if percent is None else 0.535 * (1 + percent / 100) * 56 / 44 * 100
    names = ("clinker_mgo_pct", "noncarbonate_cao_pct", "noncarbonate_mgo_pct")
    return {"ledger_lab": [{"line_id": "L1", "clinker_cao_pct": cao} | dict.fromkeys(names, 0.0)]}


def heats(first: float | None, second: float = 100.0) -> Tables:
    """Two rows of one fuel, the first so many per cent of their mean; the other has a thousand times the amount."""
    who = {
        "plant_id": "P1",
        "line_id": "L1",
        "facility": "kiln",
        "fuel": "bituminous",
        "unit": "t",
        "ncv_source": "measured",
    }
    ncv = None if first is None else 20 * first / 100
    rows: list[dict[str, Any]] = [
        {"consumption": 1e-9, "ncv_gj": ncv},
        {"consumption": 1000.0, "ncv_gj": 20.0 * second / 100},
    ]
    return {"ledger_fuel": [who | r for r in rows]}


def beside_default(percent: float | None) -> Tables:
    ncv = None if percent is None else 23.076 * (1 + percent / 100)
    return fuel(ncv_gj=ncv, ncv_source="measured", consumption=100.0)


def powered(column: str, kwh: float | None, output: float | None = 100000.0) -> Tables:
    mwh = None if kwh is None else kwh * 100
    return clinker(output) | {"ledger_electricity": [{"plant_id": "P1", "line_id": "L1", column: mwh}]}


def substituted(percent: float | None, rawmeal: float | None = 150000.0) -> Tables:
    share = None if percent is None else percent * 1500
    return fed(rawmeal) | {"ledger_rawmat": [{"line_id": "L1", "material": "steel_slag", "consumption_t": share}]}


def processed(value: float | None) -> Tables:
    return {"months": [{"emission_tco2": value}]}


def chosen(*sources: str | None, burnt: float = 100.0) -> Tables:
    """One fuel month by month: measured, default, or whatever a value says by itself."""
    rows = [
        {
            "month": f"2025-{m:02d}",
            "ncv_source": s or None,
            "ncv_gj": None if s in ("default", "") else 23.0,
            "consumption": burnt,
        }
        for m, s in enumerate(sources, 1)
    ]
    return {"ledger_fuel": [fuel()["ledger_fuel"][0] | r for r in rows]}


def bought(grid: float | None, exported: float | None, certificate: float | None, line: str | None = None) -> Tables:
    """A plant's electricity from the grid, what it exported, and certificates."""
    row = {
        "plant_id": "P1",
        "line_id": line,
        "grid_mwh": grid,
        "exported_mwh": exported,
        "certificate_mwh": certificate,
    }
    return {"ledger_electricity": [row]}


def added(*some: Tables) -> Tables:
    return {"ledger_electricity": [r for t in some for r in t["ledger_electricity"]]}


heat, intensity, carbide = (partial(yearly, n) for n in ("heat_gj_t", "intensity_tco2_t", "carbide_rate_pct"))
#: By check: what draws it, values on which nothing is said, values of which something is.
BORDERS: dict[str, tuple[Callable[..., Tables], list[Any], list[Any]]] = {
    "C01_fuel_balance": (burnt, [0.0, 50.0, -50.0, None], [50.01, -50.01]),
    "C02_clinker_balance": (stocked, [0.0, 100.0, -100.0, None], [100.01, -100.01]),
    "C03_rawmeal_ratio": (fed, [145000.0, 155000.0, 165000.0, None], [144999.0, 165001.0, 0.0]),
    "C04_heat_intensity": (heat, [2.7, 3.0, 4.2, None], [2.699, 4.201]),
    "C05_line_intensity": (intensity, [0.7, 0.85, 1.0, None], [0.6999, 1.0001]),
    "C06_capacity": (clinker, [170500.0, 1.0, None], [170500.2]),
    "C07_capacity_year": (clinker, [1705000.0, 1.0, None], [1705000.2]),
    "C09_implied_factor": (analysed, [-5.0, 0.0, 5.0, None], [-5.001, 5.001]),
    "C10_ncv_month": (heats, [92.0, 100.0, 108.0, None], [91.99, 108.01]),
    "C11_ncv_default": (beside_default, [-20.0, 0.0, 20.0, None], [-20.01, 20.01]),
    "C12_electricity": (partial(powered, "grid_mwh"), [45.0, 60.0, 75.0, None], [44.99, 75.01, 0.0]),
    "C13_waste_heat": (partial(powered, "waste_heat_mwh"), [20.0, 45.0, 0.0, None], [19.99, 45.01]),
    "C14_substitutes": (substituted, [0.0, 20.0, None], [20.001]),
    # Near the threshold is the finding: 15 % in 2025, and a point either way.
    "C15_carbide_threshold": (carbide, [0.0, 13.99, 16.01, 30.0, None], [14.0, 15.0, 16.0]),
    "C16_process_below_zero": (processed, [0.0, 0.01, None], [-0.01]),
    "C17_ncv_switched_back": (
        lambda s: chosen(*s), [("measured", "measured"), ("default", "measured"), ("default", "default"), ("", None)],
        [("measured", "default"), (None, ""), ("default", "measured", "default")],
    ),
    "C18_electricity_below_zero": (
        lambda s: bought(*s), [(0.0, None, None), (9.0, 4.0, 5.0), (None, 1.0, None)], [(1.0, 1.01, None), (9.0, 4.0, 5.01), (0.0, None, 0.01)],
    ),
}  # fmt: skip
CASES = [
    pytest.param(name, draw, value, said, id=f"{name}-{value}")
    for name, (draw, quiet, loud) in BORDERS.items()
    for said, values in ((False, quiet), (True, loud))
    for value in values
]


@pytest.mark.parametrize(("check", "draw", "value", "said"), CASES)
def test_each_check_at_its_borders(check: str, draw: Callable[..., Tables], value: float | None, said: bool) -> None:
    assert len(found(check, draw(value))) == said


def test_every_check_has_its_borders_here() -> None:
    assert list(BORDERS) == list(CHECKS)


@pytest.mark.parametrize(
    ("check", "tables", "values"),
    [
        pytest.param("C01_fuel_balance", burnt(0.02, 1.0), [], id="C01-rounding-of-a-tonne"),
        pytest.param("C01_fuel_balance", burnt(0.0201, 1.0), ["2.01"], id="C01-more-than-rounding"),
        pytest.param("C01_fuel_balance", burnt(0.0, 0.0), [], id="C01-nothing-burnt-nothing-gone"),
        pytest.param("C01_fuel_balance", burnt(5.0, 0.0), ["inf"], id="C01-stock-gone-and-nothing-burnt"),
        pytest.param("C01_fuel_balance", burnt(5.0, None), [], id="C01-consumption-unknown"),
        pytest.param("C02_clinker_balance", stocked(5.0, 0.0), ["inf"], id="C02-stock-gone-in-a-stop"),
        pytest.param("C02_clinker_balance", stocked(0.0, 0.0), [], id="C02-a-stop"),
        pytest.param("C03_rawmeal_ratio", fed(0.0, 0.0), [], id="C03-a-stop"),
        pytest.param("C03_rawmeal_ratio", fed(150000.0, None), [], id="C03-clinker-unknown"),
        pytest.param("C04_heat_intensity", heat(9.0, complete=False), [], id="C04-part-of-a-year"),
        pytest.param("C05_line_intensity", intensity(0.1, complete=False), [], id="C05-part-of-a-year"),
        pytest.param("C06_capacity", clinker(0.0), [], id="C06-a-stop"),
        pytest.param("C12_electricity", powered("grid_mwh", 100.0, 0.0), [], id="C12-a-stop"),
        pytest.param("C13_waste_heat", powered("waste_heat_mwh", 100.0, None), [], id="C13-clinker-unknown"),
        pytest.param("C14_substitutes", substituted(50.0, 0.0), [], id="C14-no-raw-meal"),
        pytest.param("C11_ncv_default", fuel(ncv_gj=10.0, ncv_source="default", consumption=1.0), [], id="C11-a-default-that-counts-for-nothing"),
        pytest.param("C11_ncv_default", fuel(fuel="briquette", ncv_gj=10.0, consumption=1.0), [], id="C11-no-default"),
        pytest.param("C17_ncv_switched_back", chosen("measured", "measured", "default", "default"), ["2", "2"], id="C17-each-month-is-told"),
        pytest.param("C17_ncv_switched_back", chosen("measured", "default", burnt=0.0), [], id="C17-nothing-burnt"),
        pytest.param("C10_ncv_month", fuel(ncv_gj=10.0, ncv_source="measured", consumption=0.0), [], id="C10-nothing-burnt"),
        pytest.param("C18_electricity_below_zero", added(bought(1.0, 3.0, None, "L1"), bought(5.0, 0.0, None, "L2")), [], id="C18-lines-add-up"),
        pytest.param("C18_electricity_below_zero", added(bought(1.0, 3.0, None, "L1"), bought(9.0, 0.0, None)), [], id="C18-the-plants-own-row-counts"),
        pytest.param("C18_electricity_below_zero", added(bought(1.0, 3.0, None, "L1"), bought(1.0, 1.0, None, "L2")), ["-2"], id="C18-lines-together"),
    ],
)  # fmt: skip
def test_nothing_nought_and_unknown(check: str, tables: Tables, values: list[str]) -> None:
    assert found(check, tables) == values


@pytest.mark.parametrize(("month", "most"), [("02", 28), ("03", 31), ("04", 30)], ids=["28-days", "31-days", "30-days"])
def test_C06_capacity_is_by_the_days_of_the_month(month: str, most: int) -> None:
    full = 5000 * most * 1.1
    assert [found("C06_capacity", clinker(full + x), month=month) != [] for x in (0, 1)] == [False, True]


@pytest.mark.parametrize(("year", "rates"), [(2025, [15.0]), (2026, [30.0])], ids=["15-in-2025", "30-in-2026"])
def test_C15_the_threshold_is_that_of_the_year(year: int, rates: list[float]) -> None:
    assert [r for r in (15.0, 30.0) if found("C15_carbide_threshold", carbide(r), year)] == rates


def test_a_plants_waste_heat_is_over_the_clinker_of_all_its_lines() -> None:
    tables = clinker() | {"ledger_electricity": [{"plant_id": "P1", "line_id": None, "waste_heat_mwh": 4501.0}]}
    assert found("C13_waste_heat", tables) == ["45.01"]
