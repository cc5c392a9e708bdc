"""Slips of public carbon calculators (carbon-rules 14): each one, made here on purpose, is caught by some vector.

Belongs here: kernels and factors with one thing wrong, and the vectors that notice. Does not belong here: the vectors' full list
(`test_kernels_carbon`, `test_assets_carbon`).
"""

from __future__ import annotations

import sys
import types
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import assets.carbon_meters as meters_module
from resources.factors import FactorBook
from resources.methods import MethodBook
from tests.carbon_cases import PLANT_A

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
KERNELS = ("rounding", "carbon_forms", "carbon", "carbon_exact", "carbon_sums", "carbon_units", "allocation")
BOOK, METHODS = FactorBook.load(), MethodBook.load()
V01, NDRC = "CETS-AG-02.01-V01-2024", "NDRC-2013"
MAY_24, MAY_22 = date(2024, 5, 1), date(2022, 5, 1)


@dataclass
class World:
    """Kernels as plain Python, factors and methods; one of them may be wrong."""

    kernels: dict[str, types.ModuleType]
    meters: types.ModuleType
    factors: FactorBook
    methods: MethodBook

    def value(self, quantity: str, scope: str, on: date = MAY_24, **more: Any) -> str:
        return self.factors.find(quantity, scope, on, **more).text

    def rounding(self, method: str = V01, part: str = "fossil") -> Any:
        forms, carbon = self.kernels["carbon_forms"], self.kernels["carbon"]
        profile = self.methods[method].profile
        decimals = np.full((1, len(forms.TERMS), forms.SLOTS), -1, np.int8)
        decimals[0, forms.FUEL, :3] = [profile.places(q) for q in ("fuel", "ncv", "carbon")]
        constants = np.full((1, forms.MOST_CONSTANTS), np.nan)
        if part == "oxides":
            ratios = [self.methods[method].part(part).ratio(f"{o}_ratio") for o in ("cao", "mgo")]  # type: ignore[union-attr]
            constants[0] = [n for r in ratios for n in (r.numerator, r.denominator)]
        return carbon.Rounding(decimals, np.array([2], np.int8), np.array([profile.exact_sums]), constants)

    def rows(self, form: str, *given: tuple[str, ...]) -> Any:
        forms = self.kernels["carbon_forms"]
        terms = np.zeros((len(given), forms.SLOTS))
        for i, texts in enumerate(given):
            terms[i, : len(texts)] = [float(t) for t in texts]
        code = getattr(forms, form)
        return self.kernels["carbon"].Rows(np.full(len(given), code, np.int8), np.zeros(len(given), np.int8), terms)

    def one(self, form: str, *texts: str, **more: str) -> str:
        rows = self.rows(form, texts)
        made = self.kernels["carbon_sums"].month_figures(rows, np.array([0, 1]), self.rounding(**more))
        return f"{Decimal(repr(float(made.unit_rounded[0]))):.2f}"


def _njit(*_args: Any, **_options: Any) -> Callable[[Any], Any]:
    def plain(function: Any) -> Any:
        function.py_func = function
        return function

    return plain


@contextmanager
def _in_place_of(modules: dict[str, types.ModuleType]) -> Iterator[None]:
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def _loaded(name: str, path: Path, edits: list[tuple[str, str]]) -> types.ModuleType:
    """A module from its source with edits made; each must find its place, or it would prove nothing."""
    source = path.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in source, f"{path.name} does not say {old!r}"
        source = source.replace(old, new)
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(source, str(path), "exec"), module.__dict__)  # noqa: S102
    return module


def world(
    kernels: dict[str, list[tuple[str, str]]] | None = None, factors: Callable[[Any], Any] | None = None,
    methods: Callable[[MethodBook], MethodBook] | None = None, meters: list[tuple[str, str]] | None = None,
) -> World:  # fmt: skip
    numba = types.ModuleType("numba")
    numba.njit = _njit  # type: ignore[attr-defined]
    names = {f"kernels.{n}": sys.modules[f"kernels.{n}"] for n in KERNELS if f"kernels.{n}" in sys.modules}
    with _in_place_of({**names, "numba": numba, meters_module.__name__: meters_module}):
        made = {n: _loaded(f"kernels.{n}", ROOT / "kernels" / f"{n}.py", (kernels or {}).get(n, [])) for n in KERNELS}
        wrong = _loaded(meters_module.__name__, ROOT / "assets" / "carbon_meters.py", meters or [])
    book = FactorBook([factors(r) for r in BOOK.rows]) if factors else BOOK
    return World(made, wrong, book, methods(METHODS) if methods else METHODS)


def row(factor_id: str, **cells: Any) -> Callable[[Any], Any]:
    """Factors with one row changed; it must exist."""
    assert any(r.factor_id == factor_id for r in BOOK.rows)
    return lambda r: replace(r, **cells) if r.factor_id == factor_id else r


# ---- vectors --------------------------------------------------------------------------------------------------------------------


def f1(w: World) -> bool:
    terms = [w.value(q, s, method=V01) for q, s in (("ncv", "bituminous"), ("cc", "bituminous"), ("of", "solid/kiln"))]
    return w.one("FUEL", "12345.67", *terms) == "27073.94"


def f2(w: World) -> bool:
    terms = [w.value(q, s, method=V01) for q, s in (("cc", "anthracite"), ("of", "solid/kiln"))]
    months = [("10234.56", "22.871"), ("9876.54", "22.412"), ("11002.10", "23.105")]
    rows = w.rows("FUEL", *((*m, *terms) for m in months))
    made = w.kernels["carbon_sums"].year_figures(rows, np.array([0, 3]), np.array([0, 1]), w.rounding())
    return bool(made.unit_rounded[0] == 70813.04)


def f7_in_part(w: World) -> bool:
    cells = {
        "plant_id": "P1",
        "meter_id": "W",
        "class_pct": 0.5,
        "actual_pct": None,
        "calibrated_from": date(2024, 1, 1),
        "calibrated_to": date(2024, 1, 15),
    }
    made = w.meters.meter_factors(pl.DataFrame([cells]), date(2024, 1, 1), date(2024, 1, 31))
    return bool(made["P1", "W"].pct * 31 == 8)


def p4(w: World) -> bool:
    terms = ("1550000", "620", "65.30", "2.10", "1.20", "0.10")
    return w.one("OXIDES", *terms, method=NDRC, part="oxides") == "815072.33"


def p5(w: World) -> bool:
    return w.one("CARBON", "2402500", w.value("rawmeal_carbon", "plain", method=NDRC), "1") == "8809.17"


def p1(w: World) -> bool:
    return (
        w.one("FACTOR", "1550000", w.value("ef_clinker", "portland", method=V01)) == "829250.00"
        and w.one("DEDUCTION", "120000", w.value("k_rawmat", "carbide_slag", method=V01)) == "-57600.00"
    )


def e1(w: World) -> bool:
    return w.one("FACTOR", "98765.432", w.value("grid", "national", region="全国")) == "52404.94"


def e2(w: World) -> bool:
    return w.one("FACTOR", "98765.432", w.value("grid", "province", MAY_22, region="贵州")) == "49274.07"


def a_residual(w: World) -> bool:
    return w.one("FACTOR", "74308.981", w.value("grid", "national_residual", region="全国")) == "45298.75"


def h1(w: World) -> bool:
    heat = w.factors.find("heat", "purchased", MAY_24)
    return heat.unit == "tCO2/GJ" and w.one("FACTOR", "12345.67", heat.text) == "1358.02"


def a_oxides(w: World) -> bool:
    months = [("clinker_t", "cao", "mgo", "nc_cao", "nc_mgo")]
    given = [
        (m["clinker_t"], "310.50" if i == 0 else "0", *(m[n] for n in months[0][1:])) for i, m in enumerate(PLANT_A)
    ]
    made = w.kernels["carbon_sums"].year_figures(
        w.rows("OXIDES", *given), np.array([0, 12]), np.array([0, 1]), w.rounding(NDRC, "oxides")
    )
    return bool(made.unit_rounded[0] == 742888.02)


def ties(w: World) -> bool:
    return w.one("FACTOR", "131.00", "0.535") == "70.09" and w.one("FACTOR", "1.00", "1.005") == "1.01"


def below_zero(w: World) -> bool:
    """2.2: substitutes may deduct more than clinker emits."""
    forms = w.kernels["carbon_forms"]
    terms = np.zeros((2, forms.SLOTS))
    terms[:, :2] = [[1000.0, 0.535], [2000.0, 0.480]]
    rows = w.kernels["carbon"].Rows(np.array([forms.FACTOR, forms.DEDUCTION], np.int8), np.zeros(2, np.int8), terms)
    made = w.kernels["carbon_sums"].month_figures(rows, np.array([0, 2]), w.rounding())
    return bool(made.unit_rounded[0] == -425.0)


def a1(w: World) -> bool:
    of = w.kernels["allocation"]
    lines = of.Lines(np.array([1300000.0]), np.array([1550000.0]), np.array([False]))
    made = of.allocate(lines, 0.845, of.Formula(0.15, 0.03, 0.2), of.Order(-1, -1, -1, -1))
    return bool(made.allowance[0] == 1301451)


def idle(w: World) -> bool:
    """A month that burnt nothing, of whose heat nothing is known, beside one that lies on a tie and one that does not."""
    found = []
    for ncv in ("20.0005", "20.0007"):
        rows = w.rows("FUEL", ("10.01", ncv, "0.02749", "99"), ("0", "nan", "0.02749", "99"))
        made = w.kernels["carbon_sums"].year_figures(rows, np.array([0, 2]), np.array([0, 1]), w.rounding())
        found.append(float(made.rows.terms[0, 1]))
    return found == [20.001, 20.001]


VECTORS = {
    "F-1": f1, "F-2": f2, "F-7": f7_in_part, "P-1": p1, "P-4": p4, "P-5": p5, "E-1": e1, "E-2": e2, "H-1": h1,
    "A-residual": a_residual, "A-NDRC": a_oxides, "ties": ties, "A-1": a1, "2.2": below_zero, "idle": idle,
}  # fmt: skip


def failing(w: World) -> set[str]:
    return {name for name, vector in VECTORS.items() if not vector(w)}


def test_without_a_slip_every_vector_holds() -> None:
    assert failing(world()) == set()


_PART = "return (activity + dust) * part / 100"


def mgo_as_cao(book: MethodBook) -> MethodBook:
    method = book[NDRC]
    parts = tuple(
        replace(p, options=p.options | {"mgo_ratio": "44/56"}) if p.id == "oxides" else p for p in method.parts
    )
    return book.with_method(replace(method, parts=parts))


def not_rounding_ncv(book: MethodBook) -> MethodBook:
    method = book[V01]
    decimals = {q: n for q, n in method.profile.decimals.items() if q != "ncv"}
    return book.with_method(replace(method, profile=replace(method.profile, decimals=decimals)))


@pytest.mark.parametrize(
    ("slip", "caught"),
    [
        pytest.param({"methods": mgo_as_cao}, {"P-4", "A-NDRC"}, id="MgO-by-44/56"),
        pytest.param({"factors": row("CN.CC.BIT.V01", text="0.02308")}, {"F-1"}, id="bituminous-0.02308"),
        pytest.param(
            {"kernels": {"carbon_forms": [(_PART, "return (activity + dust - nc_cao) * (part + nc_cao * cao_over / cao_under) / 100")]}},
            {"P-4", "A-NDRC"}, id="percent-taken-from-tonnes",
        ),
        pytest.param({"kernels": {"carbon_forms": [(_PART, "return part / 100")]}}, {"P-4", "A-NDRC"}, id="without-output"),
        pytest.param({"factors": row("CN.HEAT", unit="tCO2/MWh")}, {"H-1"}, id="heat-per-MWh"),
        pytest.param({"factors": row("CN.OF.SOLID.KILN.V01", text="95")}, {"F-1", "F-2"}, id="kiln-oxidation-95"),
        pytest.param(
            {"kernels": {"carbon_forms": [("per_activity * content * 44 / 1200", "per_activity * content * 44 / 12")]}},
            {"P-5"}, id="raw-meal-percent-as-share",
        ),
        pytest.param({"factors": row("CN.CC.ANTH.V01", text="27.49")}, {"F-2"}, id="tC/TJ-as-tC/GJ"),
        pytest.param(
            {"kernels": {"carbon_forms": [("oxidation * 44 / 1200", "oxidation * 3667 / 100000")]}}, {"F-1", "F-2"}, id="3.667"
        ),
        pytest.param(
            {"kernels": {"carbon": [("total += amount * value", "total += value"), ("weight += amount", "weight += 1.0")]}},
            {"F-2", "A-NDRC"}, id="simple-mean",
        ),
        pytest.param({"methods": not_rounding_ncv}, {"F-2"}, id="heating-value-of-the-year-not-rounded"),
        pytest.param(
            {"factors": row("CN.GRID.ETS.3", scope="province", region="贵州", recorded_at=date(2026, 12, 1))}, {"E-2"},
            id="0.5703-as-a-province",
        ),
        pytest.param({"factors": row("CN.GRID.RESID.2023", scope="national", recorded_at=date(2026, 12, 1))}, {"E-1", "A-residual"}, id="residual-as-national"),
        pytest.param({"factors": row("CN.GRID.RESID.2023", text="0.5306")}, {"A-residual"}, id="national-as-residual"),
        pytest.param({"meters": [("/ len(days)", "/ sum(1 for day in days if _on(rows, day))")]}, {"F-7"}, id="meters-for-all-the-time"),
        pytest.param(
            {"kernels": {"rounding": [("math.floor(abs(x) * 10**decimals + Fraction(1, 2))", "round(abs(x) * 10**decimals)")]}},
            {"ties"}, id="bankers-rounding",
        ),
        pytest.param({"kernels": {"rounding": [("doubt = abs(part - 0.5) <=", "doubt = abs(part) < 0 and abs(part - 0.5) <=")]}}, {"ties"}, id="ties-left-to-doubles"),
        pytest.param(
            {"kernels": {"allocation": [("e if special[n] else e * (1.0 + a)", "e if special[n] else clinker[n] * balance"), ("math.floor(e if special else e * (1 + a))", "math.floor(e if special else exact(clinker) * exact(balance))")]}},
            {"A-1"}, id="output-by-benchmark",
        ),
        pytest.param(
            {"kernels": {"carbon_sums": [("half_up(unit_exact, unit_decimals, unit_size)", "half_up(np.maximum(unit_exact, 0.0), unit_decimals, unit_size)")]}},
            {"2.2"}, id="cut-off-at-zero",
        ),
        pytest.param({"kernels": {"carbon": [("elif amount != 0.0:", "elif amount >= 0.0:")]}}, {"idle"}, id="idle-months-weigh"),
    ],
)  # fmt: skip
def test_every_slip_is_caught(slip: dict[str, Any], caught: set[str]) -> None:
    found = failing_or_missing(world(**slip))
    assert caught <= found, f"caught by {sorted(found)}"


def failing_or_missing(w: World) -> set[str]:
    """Vectors that fail, among them those that find no factor any more."""
    found = set()
    for name, vector in VECTORS.items():
        try:
            held = vector(w)
        except LookupError:
            held = False
        if not held:
            found.add(name)
    return found
