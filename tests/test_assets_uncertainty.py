"""Which inputs of lines are one draw: widths of an entity against closed forms, shared and own inputs, zero and one source, deductions."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest

from assets.uncertainty import grouped
from assets.uncertainty_rows import table_rows
from kernels.uncertainty import Z95
from resources.ets import EtsBook

BOOK = EtsBook.load()
DRAWS = 20000
_SCHEMA = {
    "plant_id": pl.String, "line_id": pl.String, "source": pl.String, "part": pl.String, "clinker_class": pl.String, "ncv_source": pl.String,
    "meter_id": pl.String, "metering": pl.String, "month": pl.String, "emission_unrounded_tco2": pl.Float64, "missing": pl.String,
}  # fmt: skip


def source(part: str, name: str, base: float | None, line: str | None = "L1", **more: Any) -> dict[str, Any]:
    """One source in twelve equal months, as a template."""
    return {"plant_id": "P1", "line_id": line, "source": name, "part": part, "emission_unrounded_tco2": base} | more


def coal(base: float, line: str = "L1", **more: Any) -> dict[str, Any]:
    return source("fossil", "bituminous", base, line, **({"ncv_source": "default"} | more))


def clinker(base: float, line: str = "L1", kind: str = "portland") -> dict[str, Any]:
    return source("clinker", "clinker", base, line, clinker_class=kind)


def drawn(
    *sources: dict[str, Any], classes: dict[str, float] | None = None, months: int = 12
) -> dict[str, pl.DataFrame]:
    """Rows of the table by line id, "entity" for the plant."""
    rows = [
        s
        | {
            "month": f"2025-{m:02d}",
            "emission_unrounded_tco2": None if (b := s["emission_unrounded_tco2"]) is None else b / months,
        }
        for s in sources
        for m in range(1, months + 1)
    ]
    groups = grouped(
        pl.DataFrame(rows, schema=_SCHEMA), BOOK, {("P1", m): pct for m, pct in (classes or {}).items()}, {}
    )
    table = table_rows(groups, "2025", "M", DRAWS)
    return {str(name or "entity"): part for (name,), part in table.group_by("line_id")}


def sd(rows: pl.DataFrame) -> float:
    """Of the row of the total, by draws."""
    return float(rows.filter(quantity="total")["sd_tco2"][0])


def width(quantity: str, kind: str) -> float:
    """Relative standard deviation by hand, of a normal whose cut hardly matters."""
    found = BOOK.uncertain[f"{quantity}/{kind}"]
    assert found.half_width_pct is not None
    return found.half_width_pct / 100 / (math.sqrt(6) if found.distribution == "triangular" else Z95)


def product_sd(*parts: float) -> float:
    return math.sqrt(math.prod(1 + p * p for p in parts) - 1)


def test_the_clinker_factor_of_two_lines_is_one_draw() -> None:
    made = drawn(clinker(6e5), clinker(6e5, "L2"))
    q, ef = width("activity", "clinker"), width("ef_clinker", "default")
    assert sd(made["L1"]) == pytest.approx(6e5 * product_sd(q, ef), rel=0.03)
    # Var = 2 b2 (q2 + ef2 + q2 ef2) + 2 b2 ef2: each line weighs its own clinker, both have the factor.
    expected = 6e5 * math.sqrt(2 * product_sd(q, ef) ** 2 + 2 * ef**2)
    assert sd(made["entity"]) == pytest.approx(expected, rel=0.03)
    in_quadrature = math.hypot(sd(made["L1"]), sd(made["L2"]))
    assert sd(made["entity"]) > 1.25 * in_quadrature, "lines are not independent"


def test_another_class_of_clinker_has_another_factor() -> None:
    made = drawn(clinker(6e5), clinker(6e5, "L2", "white"))
    assert sd(made["entity"]) == pytest.approx(math.hypot(sd(made["L1"]), sd(made["L2"])), rel=0.03)


def test_a_default_heating_value_is_one_draw_on_all_lines() -> None:
    made = drawn(coal(2e5), coal(2e5, "L2"))
    shared = [width("ncv", "default"), width("cc", "default"), width("of", "default")]
    own = width("activity", "fuel")
    both = 2e5 * math.sqrt(2 * product_sd(own, *shared) ** 2 + 2 * product_sd(*shared) ** 2)
    assert sd(made["entity"]) == pytest.approx(both, rel=0.03)
    names = made["entity"].filter(quantity="ncv")["source"].to_list()
    assert names == ["bituminous"]
    assert made["entity"].filter(quantity="activity").height == 2


def test_a_meter_of_two_lines_errs_once() -> None:
    apart = drawn(coal(2e5, meter_id="M1"), coal(2e5, "L2", meter_id="M2"), classes={"M1": 5.0, "M2": 5.0})
    shared = drawn(coal(2e5, meter_id="M1"), coal(2e5, "L2", meter_id="M1"), classes={"M1": 5.0})
    more = sd(shared["entity"]) ** 2 - sd(apart["entity"]) ** 2
    assert more == pytest.approx(2 * (2e5 * 0.05 / math.sqrt(3)) ** 2, rel=0.35)
    assert shared["entity"].filter(quantity="activity").height == 1


@pytest.mark.parametrize("meters", [("M1", "M1"), ("M1", "M2")], ids=["one-meter", "two-meters"])
def test_a_measured_heating_value_is_that_of_the_month_whatever_the_meter(meters: tuple[str, str]) -> None:
    made = drawn(*(coal(1e5, ncv_source="measured", meter_id=n) for n in meters), classes={"M1": 0.5, "M2": 0.5})
    (ncv,) = made["L1"].filter(quantity="ncv").to_dicts()
    assert ncv["half_width_pct"] == pytest.approx(1.5 / math.sqrt(12))
    assert ncv["emission_tco2"] == pytest.approx(2e5)


def test_emissions_are_told_to_the_cent_as_those_of_the_year() -> None:
    made = drawn(source("deduction", "carbide_slag", -25881.401776799998))
    for rows in made.values():
        assert set(rows["emission_tco2"]) == {-25881.40}


def test_unequal_months_cancel_less() -> None:
    made = drawn(coal(1e5, ncv_source="measured"), months=1)
    assert made["L1"].filter(quantity="ncv")["half_width_pct"][0] == pytest.approx(1.5)


def test_one_source_by_hand_and_its_plant_alike() -> None:
    made = drawn(source("deduction", "carbide_slag", -50000.0))
    for rows in made.values():
        total = rows.filter(quantity="total").row(0, named=True)
        assert total["emission_tco2"] == pytest.approx(-50000)
        assert total["low_tco2"] < -50000 < total["high_tco2"] < 0
        assert total["half_interval_pct"] > 0
        assert rows.filter(rows["quantity"] != "total")["share_pct"].sum() == pytest.approx(100)
    expected = 50000 * product_sd(width("activity", "rawmat"), width("k_rawmat", "default"))
    assert sd(made["L1"]) == pytest.approx(expected, rel=0.03)


def test_a_deduction_adds_to_the_variance_and_lowers_the_mean() -> None:
    alone, both = drawn(clinker(6e5)), drawn(clinker(6e5), source("deduction", "carbide_slag", -5e4))
    expected = 5e4 * product_sd(width("activity", "rawmat"), width("k_rawmat", "default"))
    assert sd(both["L1"]) ** 2 - sd(alone["L1"]) ** 2 == pytest.approx(expected**2, rel=0.6)
    assert both["L1"].filter(quantity="total")["mean_tco2"][0] == pytest.approx(5.5e5, rel=0.001)


def test_lines_without_emission_or_without_a_number() -> None:
    zero = drawn(clinker(0.0), clinker(6e5, "L2"))
    assert set(zero) == {"L2", "entity"}, "nothing made: no row"
    lacking = drawn(clinker(6e5), source("fossil", "anthracite", None, "L2", missing="ledger_fuel.consumption"))
    assert lacking["L1"].filter(quantity="total")["sd_tco2"][0] > 0, "another line's gap is not its own"
    for name in ("L2", "entity"):
        (row,) = lacking[name].to_dicts()
        assert (row["low_tco2"], row["missing"]) == (None, "anthracite: ledger_fuel.consumption")


def test_a_part_without_known_width_has_no_interval() -> None:
    (row,) = drawn(source("fossil", "tyres", 5.0) | {"part": "altfuel"})["L1"].to_dicts()
    assert (row["missing"], row.get("low_tco2")) == ("uncertainty of altfuel", None)
