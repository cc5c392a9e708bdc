"""Every method with every input that it declares: without it there is no number, and its name is told; nothing else takes the number away."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from resources.factors import FactorBook
from resources.methods import MethodBook
from resources.methods_inputs import required
from tests.carbon_cases import Lab, month_of_a

if TYPE_CHECKING:
    from pathlib import Path

BOOK = MethodBook.load()
METHODS = [m for m in BOOK.methods if m.parts]
LINE = {m.id: set(required(m, "line")) for m in METHODS}
ENTITY = {m.id: set(required(m, "entity")) for m in METHODS}
#: Those that no ledger has: their methods never give a number.
OUTSIDE = {m.id: {n for p in m.parts for n in p.listed("requires")} for m in METHODS}
INPUTS = sorted(set().union(*LINE.values(), *ENTITY.values()) - set().union(*OUTSIDE.values()))
MONTH = "2024-01"


def ledgers() -> dict[str, list[dict[str, Any]]]:
    """January of plant-year A with everything that any method asks for, and no kiln dust that left the system."""
    made = month_of_a(1)
    made["ledger_altfuel"] = [
        {
            "line_id": "L1",
            "fuel": "rdf",
            "consumption_t": 100.0,
            "ncv_gj": 12.0,
            "ef_tco2_gj": 0.09,
            "fossil_carbon_pct": 40.0,
        }
    ]
    made["ledger_dust"] = [
        {"line_id": "L1", "kiln_dust_t": 3.0, "ckd_t": 0.0, "ckd_calcination": 0.5, "bypass_dust_t": 2.0}
    ]
    made["ledger_electricity"].append({"plant_id": "P1", "line_id": "L1", "grid_mwh": 5000.0})
    made["ledger_heat"] = [{"plant_id": "P1", "purchased_gj": 50.0}]
    made["ledger_fuel"][2] |= {"ncv_gj": 42.0, "ncv_source": "measured"}
    return made


def factors() -> FactorBook:
    """The book with grid factors of older methods held open, so that one month serves all methods."""
    held = {"CN.GRID.ETS.3", "CN.GRID.SOUTH.NDRC.2012"}
    return FactorBook(replace(r, valid_to=None) if r.factor_id in held else r for r in FactorBook.load().rows)


def without(name: str) -> tuple[dict[str, list[dict[str, Any]]], FactorBook]:
    """Ledgers and factors that lack one declared input."""
    given, book = copy.deepcopy(ledgers()), factors()
    kind, _, rest = name.partition(" ")
    if kind == "factor":
        if rest in ("rawmeal_carbon", "ckd_calcination"):
            # A default, which counts where the ledger says nothing.
            given["ledger_rawmeal"][0]["nonfuel_carbon_pct"] = given["ledger_dust"][0]["ckd_calcination"] = None
        if rest == "ckd_calcination":
            # Asked for where there is dust at all.
            given["ledger_dust"][0]["ckd_t"] = 5.0
        return given, FactorBook(r for r in book.rows if r.quantity != rest)
    table, _, column = name.partition(".")
    if not column:
        given.pop(table)
    elif column == "unit":
        for row in given[table]:
            row[column] = "1e4Nm3"
    else:
        for row in given[table]:
            row[column] = None
    return given, book


def computed(root: Path, given: dict[str, list[dict[str, Any]]], book: FactorBook) -> Lab:
    lab = Lab(root)
    lab.home.__dict__ |= {"methods": BOOK.with_runs(*(m.id for m in METHODS)), "factors": book}
    lab.put(MONTH, given)
    lab.run()
    return lab


def told(lab: Lab) -> dict[str, tuple[float | None, str]]:
    """Total of the line and what is missing for it, by method."""
    rows = lab.frame("carbon_line_month").filter(source="total")
    return {r["method_id"]: (r["emission_tco2"], r["missing"] or "") for r in rows.iter_rows(named=True)}


def told_of_plant(lab: Lab) -> dict[str, str]:
    rows = lab.frame("carbon_entity_year").filter(aggregation="annual_weighted").group_by("method_id")
    return dict(rows.agg(pl.col("missing").drop_nulls().str.join("; ")).iter_rows())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return computed(tmp_path_factory.mktemp("whole"), ledgers(), factors())


def names(missing: str, declared: str) -> bool:
    """Whether what is missing names a declared input: a factor with its scope behind it."""
    return any(m == declared or m.startswith(f"{declared} ") for m in missing.split("; "))


@pytest.mark.parametrize("method", sorted(LINE))
def test_with_all_its_inputs_a_method_has_a_number_unless_no_ledger_has_them(whole: Lab, method: str) -> None:
    number, missing = told(whole)[method]
    assert (number is None) == bool(OUTSIDE[method])
    assert set(filter(None, missing.split("; "))) == OUTSIDE[method]


@pytest.mark.parametrize("name", INPUTS)
def test_without_an_input_exactly_the_methods_that_declare_it_have_no_number_and_name_it(
    whole: Lab, tmp_path: Path, name: str
) -> None:
    lab = computed(tmp_path, *without(name))
    before, after, plant = told(whole), told(lab), told_of_plant(lab)
    for method, declared in LINE.items():
        number, missing = after[method]
        if name in declared:
            assert number is None, method
            assert names(missing, name), (method, missing)
        elif BOOK[method].part("no_kiln_dust") and name == "factor ckd_calcination":
            assert missing == "analyses of kiln dust"
        elif not OUTSIDE[method]:
            assert (number is None, missing) == (False, ""), method
            # A default in place of a filed value moves the number; what the method does not read moves nothing.
            assert number == before[method][0] or name.startswith("factor"), method
        if name in ENTITY[method] and not OUTSIDE[method]:
            assert names(plant[method], name), (method, plant[method])


def test_every_part_declares_its_inputs() -> None:
    for method in METHODS:
        assert required(method), method.id
        assert set(required(method)) == LINE[method.id] | ENTITY[method.id]
