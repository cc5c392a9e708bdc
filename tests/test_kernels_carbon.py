"""Carbon kernels: the unit vectors of carbon-rules 11.1 to the cent, plant-year A, and exact rounding against the oracle."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kernels import carbon_forms as forms
from kernels.carbon import Rounding, Rows, annual, emit
from kernels.carbon_forms import (
    CALCINED,
    CARBON,
    DEDUCTION,
    FACTOR,
    FUEL,
    MOST_CONSTANTS,
    OXIDES,
    SLOTS,
    STOICHIOMETRIC,
    TERMS,
    terms_of,
)
from kernels.carbon_sums import add, month_figures, totals, year_figures
from kernels.carbon_units import (
    cement_clinker,
    corrected,
    dry_mass,
    dust_correction,
    meter_excess,
    ncv_as_received,
    steam_heat,
    water_heat,
)
from kernels.rounding import half_up, half_up_exact
from tests import carbon_oracle as oracle
from tests.carbon_cases import MONTHLY_RESULTS, PLANT_A

ANTH, BIT, DIESEL = ("0.02749", "99"), ("0.02618", "99"), ("0.02020", "98")
EF, CARBIDE, STEEL = "0.535", "0.480", "0.215"
CHINA, ABROAD = ("44", "56", "44", "40"), ("0.785", "1", "1.092", "1")


def rounding(ncv: int = 3, *, exact_sums: bool = False, constants: tuple[str, ...] = CHINA) -> Rounding:
    """Guide of 2024: consumption 2, NCV 3, carbon 5, emission 2."""
    decimals = np.full((1, len(TERMS), SLOTS), -1, np.int8)
    decimals[0, :, 0] = 2
    decimals[0, FUEL, 1:3] = ncv, 5
    fixed = np.array([[*map(float, constants), *[np.nan] * (MOST_CONSTANTS - len(constants))]])
    return Rounding(decimals, np.array([2], np.int8), np.array([exact_sums]), fixed)


def rows(*given: tuple[int, tuple[str, ...]]) -> Rows:
    terms = np.zeros((len(given), SLOTS))
    for i, (_, texts) in enumerate(given):
        terms[i, : len(texts)] = [float(t) for t in texts]
    return Rows(np.array([f for f, _ in given], np.int8), np.zeros(len(given), np.int8), terms)


def figures(*given, starts=None, rules=None):
    made = rows(*given)
    return month_figures(made, np.array(starts or range(len(given) + 1)), rules or rounding())


def cents(x: float | Fraction, decimals: int = 2) -> str:
    return f"{Decimal(str(float(x))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)}"


def one(form: int, *texts: str, rules: Rounding | None = None) -> str:
    return cents(figures((form, texts), rules=rules).rounded[0])


@pytest.mark.parametrize(
    ("given_row", "expected"),
    [
        pytest.param((FUEL, "12345.67", "23.076", *BIT), "27073.94", id="F-1"),
        pytest.param((FUEL, "12345.67", "23.076", "0.02618", "98"), "26800.47", id="F-1-of-98"),
        pytest.param((FUEL, "12345.67", "23.076", "0.02308", "99"), "23868.09", id="F-1-cc-slip"),
        pytest.param((FUEL, "100.25", "42.652", *DIESEL), "310.36", id="F-3"),
        pytest.param((CARBON, "2402500", "0.1", "1"), "8809.17", id="P-5-plain"),
        pytest.param((CARBON, "2402500", "0.3", "1"), "26427.50", id="P-5-high"),
        pytest.param((forms.ALTFUEL, "1000", "31.4", "0.085", "100"), "2669.00", id="W-1-tyres"),
        pytest.param((forms.ALTFUEL, "500", "29.0", "0.11", "20"), "319.00", id="W-1-leather"),
        pytest.param((forms.ALTFUEL, "200", "51.5", "0.074", "80"), "609.76", id="W-1-solvent"),
        *(
            pytest.param((FACTOR, "98765.432", ef), expected, id=f"E-1-{ef}")
            for ef, expected in (
                (".6101", "60256.79"), (".5810", "57382.72"), (".5703", "56325.93"),
                (".5568", "54992.59"), (".5366", "52997.53"), (".5306", "52404.94"),
            )
        ),
        *(
            pytest.param((FACTOR, "98765.432", ef), expected, id=f"E-2-{ef}")
            for ef, expected in ((".5182", "51180.25"), (".4989", "49274.07"), (".5683", "56128.40"))
        ),
        pytest.param((FACTOR, "78765.432", ".5306"), "41792.94", id="E-3"),
        pytest.param((FACTOR, "12345.67", "0.11"), "1358.02", id="H-1-heat"),
        pytest.param((FACTOR, "1550000", "0.525"), "813750.00", id="C-1-clinker"),
        pytest.param((FACTOR, "3000", "0.525"), "1575.00", id="C-1-bypass"),
        pytest.param((CALCINED, "8000", "0.525", "0.5"), "1663.37", id="C-1-ckd"),
        pytest.param((CARBON, "1550000", "0.2", "1.55"), "17618.33", id="C-1-carbon"),
        pytest.param((CALCINED, "310.50", "0.525", "0"), "0.00", id="A-ckd-d0"),
        pytest.param((CALCINED, "310.50", "0.525", "1"), "163.01", id="A-ckd-d1"),
        pytest.param((STOICHIOMETRIC, "1427056.82", "65", "0.43971", "1.02", "0.5603"), "742506.93", id="A-ipcc-t2"),
        pytest.param((OXIDES, "1550000", "620", "65.30", "2.10", "1.20", "0.10", *CHINA), "815072.33", id="P-4"),
        pytest.param((OXIDES, "1550000", "0", "65.30", "2.10", "1.20", "0.10", *CHINA), "814746.43", id="P-4-clinker"),
        pytest.param(
            (OXIDES, "1550000", "620", "65.30", "2.10", "1.20", "0.10", "44", "56", "44", "56"), "805325.57", id="P-4-mgo-slip"
        ),
    ],
)  # fmt: skip
def test_unit_vectors(given_row: tuple, expected: str) -> None:
    form, *texts = given_row
    terms, constants = tuple(texts[: terms_of(form)]), tuple(texts[terms_of(form) :])
    rules = rounding(constants=constants)
    if form != FUEL:
        rules.decimals[:] = -1
    assert one(form, *terms, rules=rules) == expected


def test_C1_sum_of_the_four() -> None:
    made = figures(
        (FACTOR, ("1550000", ".525")),
        (FACTOR, ("3000", ".525")),
        (CALCINED, ("8000", ".525", ".5")),
        (CARBON, ("1550000", ".2", "1.55")),
    )
    assert cents(totals(made, np.arange(4), np.array([0, 4]), rounding(), np.zeros(1, int))[0]) == "834606.70"
    assert forms.calcined(1.0, 0.525, 1.0) == pytest.approx(0.525)
    assert cents(forms.calcined(1.0, 0.525, 0.5), 7) == "0.2079208"


@pytest.mark.parametrize(
    ("ratio", "expected"), [pytest.param(CHINA, "0.536171", id="P-6-china"), pytest.param(ABROAD, "0.535537", id="P-6-abroad")]
)  # fmt: skip
def test_P6(ratio: tuple[str, ...], expected: str) -> None:
    assert (
        cents(emit(rows((OXIDES, ("1", "0", "65.3", "2.1", "0", "0"))), rounding(constants=ratio)).emission[0], 6)
        == expected
    )


@pytest.mark.parametrize(
    ("carbide", "deducted", "left"),
    [pytest.param("120000", "57600.00", "771650.00", id="P-1"), pytest.param("300000", "144000.00", "685250.00", id="P-2")],
)  # fmt: skip
def test_process_is_clinker_less_deductions(carbide: str, deducted: str, left: str) -> None:
    made = figures((FACTOR, ("1550000", EF)), (DEDUCTION, (carbide, CARBIDE)), starts=[0, 2])
    assert [cents(x) for x in made.rounded] == ["829250.00", f"-{deducted}"]
    assert cents(made.unit_rounded[0]) == left


def test_F2_year_of_one_fuel_both_ways() -> None:
    months = [("10234.56", "22.871"), ("9876.54", "22.412"), ("11002.10", "23.105")]
    given_rows = rows(*((FUEL, (m, ncv, *ANTH)) for m, ncv in months))
    monthly = month_figures(given_rows, np.arange(4), rounding())
    yearly = year_figures(given_rows, np.array([0, 3]), np.array([0, 1]), rounding())
    assert [cents(x) for x in monthly.rounded] == ["23358.00", "22088.53", "25366.64"]
    assert cents(sum(monthly.rounded)) == "70813.17"
    assert (cents(yearly.rows.terms[0, 0]), cents(yearly.rows.terms[0, 1], 3), cents(yearly.rounded[0])) == (
        "31113.20", "22.808", "70813.04",
    )  # fmt: skip


def test_F5_ncv_as_received() -> None:
    made = ncv_as_received(Fraction(25680), Fraction("3.05"), Fraction("8.5"), Fraction("1.62"))
    assert (cents(made), half_up_exact(made / 1000, 3)) == ("23104.26", Fraction("23.104"))


def test_F6_dry_mass() -> None:
    assert half_up_exact(dry_mass(Fraction("12345.67"), Fraction("8.52")), 2) == Fraction("11293.82")


@pytest.mark.parametrize(
    ("actual", "calibrated"), [pytest.param(None, False, id="F-7a"), pytest.param(Fraction(1), True, id="F-7b")]
)
def test_F7_meters(actual: Fraction | None, calibrated: bool) -> None:
    excess = meter_excess(Fraction("0.5"), actual, calibrated=calibrated)
    assert excess is not None
    activity, production = Fraction(10000), Fraction(150000)
    assert (corrected(activity, excess, Fraction(1), +1), corrected(production, excess, Fraction(1), -1)) == (
        10050,
        149250,
    )
    # Half the time uncovered, half the correction.
    assert corrected(activity, excess, Fraction(1, 2), +1) == 10025


def test_meters_within_their_class_and_of_unknown_class() -> None:
    half = Fraction("0.5")
    assert meter_excess(half, Fraction("0.4"), calibrated=True) == meter_excess(half, None, calibrated=True) == 0
    assert meter_excess(None, Fraction(1), calibrated=False) is None


def test_H1_steam_and_water() -> None:
    assert half_up_exact(steam_heat(Fraction(1000), Fraction(2950), Fraction("83.74")), 2) == Fraction("2866.26")
    assert half_up_exact(water_heat(Fraction(1000), Fraction(85), Fraction("4.1868")), 2) == Fraction("272.14")


def test_I1_ipcc_tier_1() -> None:
    assert (
        cement_clinker(Fraction(2000000), Fraction("0.75"), Fraction(50000), Fraction(120000), Fraction("0.52"))
        == 816400
    )


def test_I2_ipcc_tier_2() -> None:
    factor = Fraction("0.65") / Fraction("0.5603") * Fraction("0.43971")
    cf = dust_correction(
        Fraction(1550000), Fraction(8000), Fraction("0.77"), Fraction("0.6"), Fraction("0.43971"), factor
    )
    assert cents(cf, 10) == "1.0020554529"
    assert half_up_exact(1550000 * factor * cf, 2) == 792287


# ---- plant-year A -------------------------------------------------------------------------------------------------------------


def plant_a(march_ncv: str | None = None) -> Rows:
    """Sources in the order anthracite, bituminous, clinker, carbide, steel slag; their months within."""
    months = [dict(m) for m in PLANT_A]
    if march_ncv:
        months[2]["anth_ncv"] = march_ncv
    return rows(
        *((FUEL, (m["anthracite_t"], m["anth_ncv"], *ANTH)) for m in months),
        *((FUEL, (m["bituminous_t"], "23.076", *BIT)) for m in months),
        *((FACTOR, (m["clinker_t"], EF)) for m in months),
        *((DEDUCTION, (m["carbide_t"], CARBIDE)) for m in months),
        *((DEDUCTION, (m["steelslag_t"], STEEL)) for m in months),
    )


def by_month(given_rows: Rows) -> Rows:
    order = np.arange(60).reshape(5, 12).T.ravel()
    return Rows(given_rows.form[order], given_rows.profile[order], given_rows.terms[order])


def line_totals(made, groups: int, rules: Rounding) -> np.ndarray:
    return totals(made, np.arange(3 * groups), np.arange(0, 3 * groups + 1, 3), rules, np.zeros(groups, int))


def month_units() -> np.ndarray:
    return np.concatenate([[5 * m, 5 * m + 1, 5 * m + 2] for m in range(12)] + [[60]])


def test_A_months() -> None:
    made = month_figures(by_month(plant_a()), month_units(), rounding())
    units = made.unit_rounded.reshape(12, 3)
    found = [
        (*map(cents, row), cents(line)) for row, line in zip(units, line_totals(made, 12, rounding()), strict=True)
    ]
    assert found == MONTHLY_RESULTS
    assert [cents(x) for x in units.sum(axis=0)] == ["335625.40", "73398.08", "735555.51"]
    assert cents(line_totals(made, 12, rounding()).sum()) == "1144578.99"


@pytest.mark.parametrize(
    ("march", "ncv", "expected"),
    [
        pytest.param(None, "23.323", ["335631.81", "73398.08", "735555.52", "1144585.41"], id="A-year-M1"),
        pytest.param(
            "23.850", "23.370", ["336308.17", "73398.08", "735555.52", "1145261.77"], id="A-backfill-march-M1"
        ),
    ],
)
def test_A_year(march: str | None, ncv: str, expected: list[str]) -> None:
    made = year_figures(plant_a(march), np.arange(0, 61, 12), np.array([0, 1, 2, 5]), rounding())
    assert cents(made.rows.terms[0, 1], 3) == ncv
    assert [*map(cents, made.unit_rounded), cents(line_totals(made, 1, rounding())[0])] == expected


def test_A_backfill_march_M2() -> None:
    before, after = (month_figures(by_month(plant_a(n)), month_units(), rounding()) for n in (None, "23.850"))
    moved = line_totals(after, 12, rounding()).sum() - line_totals(before, 12, rounding()).sum()
    assert cents(moved) == "684.70"


def test_A_backfill_guizhou_grid() -> None:
    made = figures(*((FACTOR, ("87208.981", ef)) for ef in (".5306", ".5366", ".4989", ".5683")), (FACTOR, ("74308.981", ".5306")),
                   rules=rounding()._replace(decimals=np.full((1, len(TERMS), SLOTS), -1, np.int8)))  # fmt: skip
    assert [cents(x) for x in made.rounded] == ["46273.09", "46796.34", "43508.56", "49560.86", "39428.35"]
    assert cents(made.rounded[3] - made.rounded[2]) == "6052.30"


def test_A_NDRC_2013() -> None:
    rules = rounding(ncv=-1, exact_sums=True)
    fuels = [(a, k, c, of) for a, k, c, of in (("anthracite_t", "anth_ncv", "0.02749", "94"),)]
    given_rows = rows(
        *((FUEL, (m[a], m[k], c, of)) for a, k, c, of in fuels for m in PLANT_A),
        *((FUEL, (m["bituminous_t"], "23.204", "0.02618", "93")) for m in PLANT_A),
        *((FUEL, (m["mobile_diesel_t"], "43.330", *DIESEL)) for m in PLANT_A),
        *(
            (
                OXIDES,
                (m["clinker_t"], "310.50" if i == 0 else "0", m["cao"], m["mgo"], m["nc_cao"], m["nc_mgo"]),
            )
            for i, m in enumerate(PLANT_A)
        ),
        *((CARBON, ("2190000" if i == 0 else "0", "0.1", "1")) for i in range(12)),
        *((FACTOR, (m["elec_mwh"], "0.5271")) for m in PLANT_A),
    )
    rules.decimals[0, FACTOR] = -1
    made = year_figures(given_rows, np.arange(0, 73, 12), np.arange(7), rules)
    assert [cents(x) for x in made.unit_rounded] == [
        "318674.61", "69332.17", "761.12", "742888.02", "8030.00", "45967.85",
    ]  # fmt: skip
    # The sum of the rounded ones would be a cent less.
    assert cents(totals(made, np.arange(6), np.array([0, 6]), rules, np.zeros(1, int))[0]) == "1185653.78"


# ---- rounding -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "decimals", "expected"),
    [("0.125", 2, "0.13"), ("0.135", 2, "0.14"), ("1.005", 2, "1.01"), ("-2.675", 2, "-2.68"), ("2.5", 0, "3"), ("-0.5", 0, "-1"), ("1e300", 2, "1e300")],
)  # fmt: skip
def test_ties_go_up_and_are_told(text: str, decimals: int, expected: str) -> None:
    made, doubt = half_up(np.array([float(text)]), decimals)
    assert doubt[0]
    assert half_up_exact(Fraction(text), decimals) == Fraction(expected)
    assert made[0] == pytest.approx(float(expected), abs=1.5 * 10**-decimals)


def test_what_is_not_near_a_tie_is_right_at_once_and_nan_stays() -> None:
    made, doubt = half_up(np.array([0.124, 0.126, np.nan, 7.0]), np.array([2, 2, 2, -1], np.int8))
    assert (made[:2].tolist(), bool(np.isnan(made[2])), made[3], doubt.any()) == ([0.12, 0.13], True, 7.0, np.False_)


DECIMALS = st.decimals(0, 200_000, places=2) | st.decimals(0, 10, places=5) | st.decimals(0, 300_000, places=3)
TEXTS = DECIMALS.map(str)
MONTHS = st.lists(st.tuples(TEXTS, st.decimals(1, 40, places=3).map(str)), min_size=1, max_size=12)


@settings(max_examples=200, deadline=None)
@given(MONTHS, st.sampled_from([ANTH, BIT, DIESEL]))
@example([("0.005", "20.000")], ANTH)
@example([("0", "20.000"), ("10.005", "20.0005")], ANTH)
def test_fuel_and_its_year_equal_the_oracle(months: list[tuple[str, str]], coal: tuple[str, str]) -> None:
    given_rows = rows(*((FUEL, (m, ncv, *coal)) for m, ncv in months))
    once, many = oracle.fuel_year([(Fraction(m), Fraction(n)) for m, n in months], Fraction(coal[0]), Fraction(coal[1]))
    n = len(months)
    yearly = year_figures(given_rows, np.array([0, n]), np.array([0, 1]), rounding())
    monthly = month_figures(given_rows, np.arange(n + 1), rounding())
    assert yearly.unit_rounded[0] == float(once)
    assert totals(monthly, np.arange(n), np.array([0, n]), rounding(), np.zeros(1, int))[0] == float(many)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=12))
@example([("1.00", "0.00", "0.00")])
@example([("131.00", "0.10", "0.20")])
def test_process_and_its_year_equal_the_oracle_at_every_tie(months: list[tuple[str, str, str]]) -> None:
    ks = [CARBIDE, STEEL]
    once, many = oracle.process_year(
        [(Fraction(q), [Fraction(a), Fraction(b)]) for q, a, b in months], Fraction(EF), [Fraction(k) for k in ks]
    )
    n = len(months)
    given_rows = rows(
        *((FACTOR, (q, EF)) for q, _, _ in months), *((DEDUCTION, (m[1 + k], ks[k])) for k in range(2) for m in months)
    )
    yearly = year_figures(given_rows, np.array([0, n, 2 * n, 3 * n]), np.array([0, 3]), rounding())
    order = np.arange(3 * n).reshape(3, n).T.ravel()
    by_months = Rows(given_rows.form[order], given_rows.profile[order], given_rows.terms[order])
    monthly = month_figures(by_months, np.arange(0, 3 * n + 1, 3), rounding())
    assert yearly.unit_rounded[0] == float(once)
    assert totals(monthly, np.arange(n), np.array([0, n]), rounding(), np.zeros(1, int))[0] == float(many)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(TEXTS, *[st.decimals(0, 70, places=2).map(str)] * 4), min_size=1, max_size=6),
    st.sampled_from([CHINA, ABROAD]),
)
def test_oxides_and_exact_sums_equal_the_oracle(months: list[tuple[str, ...]], ratio: tuple[str, ...]) -> None:
    rules = rounding(exact_sums=True, constants=ratio)
    n = len(months)
    given_rows = rows(*((OXIDES, (m[0], "0", *m[1:])) for m in months))
    a, b = Fraction(ratio[0]) / Fraction(ratio[1]), Fraction(ratio[2]) / Fraction(ratio[3])
    due = [oracle.oxides(oracle.rnd(Fraction(m[0]), 2), *map(Fraction, m[1:]), a, b) for m in months]
    made = month_figures(given_rows, np.arange(n + 1), rules)
    assert made.rounded.tolist() == [float(oracle.rnd(x, 2)) for x in due]
    whole = totals(made, np.arange(n), np.array([0, n]), rules, np.zeros(1, int))[0]
    assert whole == float(oracle.rnd(sum(due, Fraction(0)), 2))
    used = [oracle.rnd(Fraction(m[0]), 2) for m in months]
    if sum(used):
        means = [oracle.weighted(list(zip(used, [Fraction(m[k]) for m in months], strict=True))) for k in range(1, 5)]
        yearly = year_figures(given_rows, np.array([0, n]), np.array([0, 1]), rules)
        assert yearly.unit_rounded[0] == float(oracle.rnd(oracle.oxides(sum(used), *means, a, b), 2))


# ---- what is missing, what is wrong -------------------------------------------------------------------------------------------


def test_a_missing_term_gives_no_number_nor_does_any_sum_with_it() -> None:
    made = figures((FUEL, ("10", "nan", *ANTH)), (FACTOR, ("5", EF)))
    assert np.isnan(made.rounded[0])
    assert made.rounded[1] == 2.68
    assert np.isnan(totals(made, np.arange(2), np.array([0, 2]), rounding(), np.zeros(1, int))[0])
    assert add(np.array([1.0]), np.zeros(0, int), np.array([0, 0])).tolist() == [0.0]


def test_nothing_burnt_emits_nothing_whatever_else_is_unknown() -> None:
    assert figures((FUEL, ("0", "nan", *ANTH))).rounded[0] == 0
    months = rows((FUEL, ("0", "nan", *ANTH)), (FUEL, ("10", "20", *ANTH)))
    assert year_figures(months, np.array([0, 2]), np.array([0, 1]), rounding()).rows.terms[0, 1] == 20


@pytest.mark.parametrize(
    ("form", "profile", "terms", "starts"),
    [([9], [0], np.zeros((1, SLOTS)), [0, 1]), ([0], [1], np.zeros((1, SLOTS)), [0, 1]), ([0], [0], np.zeros((1, 3)), [0, 1]),
     ([0], [0], np.zeros((1, SLOTS)), [0, 2]), ([0, 1], [0, 0], np.zeros((2, SLOTS)), [0, 2])],
    ids=["form", "profile", "shape", "groups", "mixed"],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(
    form: list[int], profile: list[int], terms: np.ndarray, starts: list[int]
) -> None:
    given_rows = Rows(np.array(form, np.int8), np.array(profile, np.int8), terms)
    with pytest.raises(ValueError, match=r"go together|unknown|cover|mixes"):
        annual(given_rows, np.array(starts), rounding())
