"""The trading system on small homes: table 2-3 for plant-year A, special lines, uncertainty, the calendar, cross-checks."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from assets.allocation import make_allocation
from assets.carbon_checks import CHECKS
from assets.products import bring_up, product
from contracts import TABLES
from contracts.ets import SPECIALS
from resources.ets import SPECIAL, EtsBook, EtsError
from resources.ets_home import Balance, EtsHome, LineYear
from resources.factors import FactorBook
from resources.findings import load_findings
from resources.methods import MethodBook
from resources.storage import LocalStorage
from tests.carbon_cases import Lab, line, month_of_a, plant, registry

if TYPE_CHECKING:
    from pathlib import Path

YEAR = "2025"
#: The method of the plans alone: the others are carbon's own tests.
METHODS = MethodBook.load().with_runs("CETS-AG-02.01-V01-2024")
MINE = ("uncertainty", "allocation", "calendar", "carbon_findings", "findings")
BP = Balance(2025, 0.845, "invented for this test", date(2026, 9, 1))


def made(lab: Lab, *balances: Balance, lines: tuple[LineYear, ...] = ()) -> Lab:
    """The lab with carbon and everything of the trading system brought up to date."""
    lab.home.__dict__ |= {"ets_home": EtsHome(balances, lines), "methods": METHODS}
    lab.run()
    for name in MINE:
        for key in sorted(product(name).keys(lab.home)):
            bring_up(lab.home, product(name), key)
    return lab


@pytest.fixture(scope="module")
def year_a(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    lab = Lab(tmp_path_factory.mktemp("ets"))
    lab.year_of_a(2024)
    lab.year_of_a(2025)
    return made(lab, BP)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def one(lab: Lab, year: str = YEAR, **equal: Any) -> dict[str, Any]:
    return lab.one("allocation_year", year=year, **equal)


def small_year(lab: Lab, *ids: tuple[str, str], year: int = 2025, months: range = range(1, 13)) -> None:
    """Plant-year A for several (line, plant)."""
    for m in months:
        tables: dict[str, list[dict[str, Any]]] = {}
        for line_id, plant_id in ids:
            for name, rows in month_of_a(m, line_id, plant_id).items():
                # Rows of a plant stand once, whatever lines it has.
                tables.setdefault(name, []).extend(r for r in rows if r.get("line_id") or r not in tables.get(name, []))
        lab.put(f"{year}-{m:02d}", tables)


# ---- allowances -----------------------------------------------------------------------------------------------------------------


def test_plant_A_table_2_3(year_a: Lab) -> None:
    row = one(year_a)
    expected = {
        "number": 1, "carbide_t": 45381.75, "carbide_factor": 0.48, "clinker_t": 1427056.82, "clinker_factor": 0.535, "carbide_rate_pct": 2.85,
        "clinker_class": "portland", "capacity_t_d": 5000.0, "fossil_tco2": 409029.89, "process_tco2": 735555.52, "total_tco2": 1144585.41,
        "balance_value_tco2_t": 0.845, "allowance_t": 1153309, "obligation_t": 1144585, "position_t": 8724, "special": None,
    }  # fmt: skip
    assert {n: pytest.approx(v, abs=1e-6) if isinstance(v, float) else v for n, v in expected.items()} == {
        n: row[n] for n in expected
    }
    assert (round(row["intensity_tco2_t"], 4), round(row["deviation_pct"], 4)) == (0.8021, 5.0816)
    assert "rounding exact" in row["drafts"]
    assert row["status"] == "draft"


def test_what_was_given_in_advance_is_settled(year_a: Lab) -> None:
    row = one(year_a)
    assert (row["previous_tco2"], row["preallocation_pct"], row["preallocation_t"]) == (1144585.41, 70, 801209)
    assert row["settlement_t"] == 1153309 - 801209
    assert "CN.ETS.PREALLOC.2025" in row["drafts"]


def test_allowances_of_2024_are_the_emissions(year_a: Lab) -> None:
    row = one(year_a, "2024")
    assert (row["special"], row["allowance_t"], row["position_t"]) == ("verified_year", 1144585, 0)
    assert row["coefficient"] is row["balance_value_tco2_t"] is row["preallocation_t"] is None


def test_no_balance_value_no_number(lab: Lab) -> None:
    lab.year_of_a(2025)
    row = one(made(lab))
    assert row["allowance_t"] is row["position_t"] is row["deviation_pct"] is None
    assert (row["no_number"], row["status"]) == ("no_balance_value", "missing")
    assert "registry/ets.csv" in row["note_zh"]
    assert row["obligation_t"] == 1144585, "what is owed does not wait for it"


SPECIAL_LINES = [
    pytest.param(2025, line(kind="white"), None, "white", id="white"),
    pytest.param(2025, line(), LineYear("L1", 2025, "", "gypsum_acid", ""), "gypsum_acid", id="gypsum-acid"),
    pytest.param(2025, line(start=date(2025, 3, 1)), None, "outside", id="new-2025"),
    pytest.param(2026, line(start=date(2026, 3, 1)), None, "new", id="new-2026"),
    pytest.param(2026, line(end=date(2026, 12, 1)), None, "closed", id="closed-2026"),
    pytest.param(2025, line(start=date(2025, 3, 1)), LineYear("L1", 2025, "", "existing", ""), None, id="dates-mislead"),
    pytest.param(2026, line(), None, None, id="ordinary"),
]  # fmt: skip


@pytest.mark.parametrize(("year", "of", "declared", "special"), SPECIAL_LINES)
def test_special_lines(lab: Lab, year: int, of: Any, declared: LineYear | None, special: str | None) -> None:
    lab.home.__dict__["registry"] = registry(plant(), of)
    first = of.valid_from.month if of.valid_from.year == year else 1
    last = of.valid_to.month if of.valid_to else 13
    small_year(lab, ("L1", "P1"), year=year, months=range(first, last))
    row = one(made(lab, Balance(year, 0.845, "x", None), lines=(declared,) if declared else ()), str(year))
    assert row["special"] == special
    if special == "outside":
        assert (row["allowance_t"], row["no_number"]) == (None, "outside")
    elif special:
        assert row["allowance_t"] == int(row["total_tco2"])
        assert row["coefficient"] is None
    else:
        assert row["allowance_t"] > row["total_tco2"]
        assert row["coefficient"] > 0


@pytest.mark.parametrize(
    ("year", "share", "special"),
    [
        pytest.param(2025, 17.37, "carbide", id="P-2-2025"),
        pytest.param(2026, 17.37, None, id="P-2-2026"),
        pytest.param(2026, 30.1, "carbide", id="above-30-2026"),
        pytest.param(2025, 15, None, id="at-the-threshold"),
    ],
)
def test_carbide_threshold_by_year(lab: Lab, year: int, share: float, special: str | None) -> None:
    for m in range(1, 13):
        ledgers = month_of_a(m)
        ledgers["ledger_clinker"][0]["output_t"] = 100000.0
        # 100,000 t x 0.535 x 15 % / 0.480: 16,718.75 t are the threshold itself.
        ledgers["ledger_rawmat"][0]["consumption_t"] = round(100000 * 0.535 * share / 100 / 0.48, 2)
        lab.put(f"{year}-{m:02d}", ledgers)
    assert one(made(lab, Balance(year, 0.845, "x", None)), str(year))["special"] == special


@pytest.mark.parametrize(("year", "special"), [pytest.param(2025, None, id="2025"), pytest.param(2026, "small_entity", id="2026")])  # fmt: skip
def test_small_entities(lab: Lab, year: int, special: str | None) -> None:
    for m in range(1, 13):
        ledgers = month_of_a(m)
        for rows in ledgers.values():
            for row in rows:
                for name in ("output_t", "consumption", "consumption_t"):
                    if name in row:
                        row[name] = round(row[name] / 100, 2)
        lab.put(f"{year}-{m:02d}", ledgers)
    row = one(made(lab, Balance(year, 0.845, "x", None)), str(year))
    assert row["entity_tco2"] < 26000
    assert row["special"] == special


def test_a_line_without_a_number_says_what_it_lacks(lab: Lab) -> None:
    lab.year_of_a(2025)
    ledgers = month_of_a(3)
    ledgers["ledger_fuel"][0]["consumption"] = None
    lab.put("2025-03", ledgers)
    row = one(made(lab, BP))
    assert (row["allowance_t"], row["no_number"], row["status"]) == (None, "no_emission", "missing")
    assert "ledger_fuel.consumption" in row["note_en"]


def test_rows_are_numbered_by_entity(lab: Lab) -> None:
    lab.home.__dict__["registry"] = registry(plant("P1"), plant("P2"), line("L1"), line("L2"), line("L3", "P2"))
    small_year(lab, ("L1", "P1"), ("L2", "P1"), ("L3", "P2"), months=range(1, 3))
    rows = made(lab, BP).frame("allocation_year").sort("plant_id", "line_id")
    assert rows.select("plant_id", "line_id", "number").rows() == [("P1", "L1", 1), ("P1", "L2", 2), ("P2", "L3", 1)]
    assert all("年度尚不完整" in note for note in rows["note_zh"])


def test_only_a_change_of_its_year_asks_for_allowances(lab: Lab) -> None:
    lab.year_of_a(2025)
    made(lab, BP)
    of = product("allocation")
    assert bring_up(lab.home, of, YEAR) is None
    lab.home.__dict__["ets_home"] = EtsHome((BP, Balance(2026, 0.8, "x", None)))
    assert bring_up(lab.home, of, YEAR) is None
    lab.home.__dict__["ets_home"] = EtsHome((Balance(2025, 0.84, "x", None),))
    outcome = bring_up(lab.home, of, YEAR)
    assert outcome is not None
    assert outcome.reasons == ("ets_home:2025-01-01:2025-12-31",)


def test_titles_are_those_of_the_official_table() -> None:
    titles = [c.title for c in TABLES["allocation_year"].columns if c.source.endswith("表2-3")][:21]
    assert titles == [
        "序号", "重点排放单位名称", "统一社会信用代码", "生产线编号", "经核查的电石渣消耗量", "电石渣的扣减系数", "熟料产量", "熟料的过程排放因子",
        "电石渣替代率", "熟料类别", "熟料品种", "批复的设计能力", "化石燃料燃烧排放量", "过程排放量", "生产线碳排放量", "吨熟料碳排放量", "偏离度",
        "行业平衡值", "强度系数", "核定配额", "应清缴配额",
    ]  # fmt: skip
    assert set(SPECIAL) < set(SPECIALS)


# ---- what a home adds -----------------------------------------------------------------------------------------------------------


def read_home(tmp_path: Path, **files: str) -> EtsHome:
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return EtsHome.load(LocalStorage(tmp_path))


def test_balance_values_and_lines_of_the_registry(tmp_path: Path) -> None:
    book = read_home(
        tmp_path,
        ets="\ufeffyear,balance_value,source,published_on\n2025,0.8450,平台,2026-09-01\n",
        ets_lines="line_id,year,variety,special,note\nL1,2025,低碱通用,gypsum_acid,\n",
    )
    assert book.balance(2025) == Balance(2025, 0.845, "平台", date(2026, 9, 1))
    assert book.balance(2026) is None
    assert book.line("L1", 2025) == LineYear("L1", 2025, "低碱通用", "gypsum_acid", "")
    windows = [(date(y, 1, 1), date(y, 12, 31)) for y in (2024, 2025)]
    assert len({book.version(*w) for w in windows}) == 2
    assert book.version(*windows[0]) == EtsHome().version(*windows[1])


@pytest.mark.parametrize(
    ("files", "column"),
    [
        pytest.param({"ets": "year,balance_value,source,published_on\n2025,845,x,\n"}, "balance_value", id="kg-per-t"),
        pytest.param({"ets": "year,balance_value,source,published_on\n2025,,x,\n"}, "balance_value", id="empty"),
        pytest.param({"ets": "year,balance_value,source,published_on\n2025,.8,,\n"}, "source", id="no-source"),
        pytest.param({"ets": "year,balance_value,source,published_on\n2025,.8,x,2026\n"}, "published_on", id="no-date"),
        pytest.param({"ets": "year,balance_value,source,published_on\n25,.8,x,\n"}, "year", id="no-year"),
        pytest.param({"ets": "year,balance_value,source,published_on\n2025,.8,x,\n2025,.7,x,\n"}, "year", id="twice"),
        pytest.param({"ets": "year,balance_value\n2025,.8\n"}, "source", id="column"),
        pytest.param({"ets_lines": "line_id,year,variety,special,note\nL1,2025,,magic,\n"}, "special", id="unknown"),
    ],
)
def test_mistakes_in_the_registry_are_named(tmp_path: Path, files: dict[str, str], column: str) -> None:
    with pytest.raises(EtsError) as caught:
        read_home(tmp_path, **files)
    assert column in {p.column for p in caught.value.problems}
    assert "registry" not in str(caught.value) or caught.value.problems


# ---- uncertainty ----------------------------------------------------------------------------------------------------------------


def test_uncertainty_of_plant_A(year_a: Lab) -> None:
    rows = year_a.frame("carbon_uncertainty").filter(year=YEAR, level="line")
    total = rows.filter(quantity="total").row(0, named=True)
    assert total["emission_tco2"] == pytest.approx(1144579, abs=5), "months before rounding"
    assert total["low_tco2"] < total["mean_tco2"] < total["high_tco2"]
    assert total["mean_tco2"] == pytest.approx(total["emission_tco2"], rel=0.002)
    inputs = rows.filter(rows["quantity"] != "total")
    assert set(inputs.select("source", "quantity").rows()) == {
        *(("anthracite", q) for q in ("activity", "ncv", "cc", "of")), *(("bituminous", q) for q in ("activity", "ncv", "cc", "of")),
        ("clinker", "activity"), ("clinker", "ef_clinker"),
        *((m, q) for m in ("carbide_slag", "steel_slag") for q in ("activity", "k_rawmat")),
    }  # fmt: skip
    assert inputs["share_pct"].sum() == pytest.approx(100, abs=1e-9)
    # By hand: clinker's factor, normal with 3 % at 95 %, cut at 10 %: 1427056.82 x 0.535 x 0.03 / 1.96.
    alone = 1427056.82 * 0.535 * 0.03 / 1.959964
    factor = inputs.filter(source="clinker", quantity="ef_clinker").row(0, named=True)
    assert factor["share_pct"] == pytest.approx(100 * alone**2 / total["sd_tco2"] ** 2, rel=0.04)


def test_months_of_measured_heating_values_are_independent(year_a: Lab) -> None:
    inputs = year_a.frame("carbon_uncertainty").filter(year=YEAR, level="line", quantity="ncv")
    widths = dict(inputs.select("source", "half_width_pct").rows())
    assert widths["bituminous"] == 8, "a default is wrong alike in every month"
    assert 1.5 / 12**0.5 < widths["anthracite"] < 1.5 / 11**0.5


def test_the_class_of_a_meter_counts_and_is_shared(lab: Lab) -> None:
    lab.meters({"meter_id": "M1", "class_pct": 0.5, "calibrated_from": date(2025, 1, 1)})
    for m in range(1, 13):
        ledgers = month_of_a(m)
        for row in ledgers["ledger_fuel"][:2]:
            row["meter_id"] = "M1"
        lab.put(f"2025-{m:02d}", ledgers)
    rows = made(lab).frame("carbon_uncertainty").filter(level="line", quantity="activity", basis="activity/meter")
    assert rows.select("source", "distribution", "half_width_pct").rows() == [("meter M1", "rectangular", 0.5)]
    assert rows["emission_tco2"][0] == pytest.approx(409023, abs=10), "of both fuels"


def test_a_line_has_the_same_interval_whatever_stands_beside_it(lab: Lab, year_a: Lab) -> None:
    lab.home.__dict__["registry"] = registry(plant(), line("L0"), line("L1"))
    small_year(lab, ("L0", "P1"), ("L1", "P1"))
    both = made(lab).frame("carbon_uncertainty").filter(quantity="total", level="line")
    alone = year_a.frame("carbon_uncertainty").filter(quantity="total", year=YEAR, level="line")
    columns = ["mean_tco2", "low_tco2", "high_tco2"]
    assert both.filter(line_id="L1").select(columns).rows() == alone.select(columns).rows()
    assert both.filter(line_id="L0").select(columns).rows() != alone.select(columns).rows()


def test_an_entity_has_an_interval_with_everything_direct(year_a: Lab) -> None:
    rows = year_a.frame("carbon_uncertainty").filter(year=YEAR, level="entity")
    assert rows["line_id"].null_count() == rows.height
    total = rows.filter(quantity="total").row(0, named=True)
    direct = year_a.one("carbon_entity_year", year=YEAR, aggregation="annual_weighted")
    assert total["emission_tco2"] == pytest.approx(direct["direct_tco2"], abs=10), (
        "diesel of the plant is in it, electricity is not"
    )
    assert {("diesel", "activity"), ("diesel", "cc")} < set(rows.select("source", "quantity").rows())
    assert rows.filter(rows["quantity"] != "total")["share_pct"].sum() == pytest.approx(100, abs=1e-9)


def test_a_month_that_nobody_filed_leaves_no_interval(lab: Lab) -> None:
    for m in (1, 3):
        lab.put(f"2025-{m:02d}", month_of_a(m))
    rows = made(lab).frame("carbon_uncertainty")
    assert sorted(rows.select("level", "low_tco2").rows()) == [("entity", None), ("line", None)]
    assert all("2025-02" in text for text in rows["missing"])


def test_a_line_that_lacks_an_input_has_no_interval(lab: Lab) -> None:
    lab.year_of_a(2025)
    ledgers = month_of_a(3)
    ledgers["ledger_fuel"][0]["consumption"] = None
    lab.put("2025-03", ledgers)
    rows = made(lab).frame("carbon_uncertainty")
    assert sorted(rows.select("level", "quantity", "low_tco2", "missing").rows()) == [
        ("entity", "total", None, "anthracite: ledger_fuel.consumption"), ("line", "total", None, "anthracite: ledger_fuel.consumption"),
    ]  # fmt: skip


# ---- the calendar ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("month", "due"),
    [
        pytest.param("2026-01", "2026-03-12", id="D-1-2026-01"), pytest.param("2026-02", "2026-04-09", id="D-1-2026-02"),
        pytest.param("2025-12", "2026-02-09", id="D-1-2025-12"), pytest.param("2025-07", "2025-09-09", id="D-1-2025-07"),
        pytest.param("2025-03", "2025-10-31", id="D-1-back-filed"), pytest.param("2024-12", None, id="D-1-not-yet"),
    ],
)  # fmt: skip
def test_D1_monthly_filing(month: str, due: str | None) -> None:
    found = EtsBook.load().filing(month, FactorBook.load())
    assert (str(found.due) if found else None) == due


def test_D1_yearly_deadlines() -> None:
    book = EtsBook.load()
    assert [(d.step, str(d.due)) for d in book.deadlines(2025)] == [
        ("control_plan", "2025-06-30"), ("annual_report", "2026-03-31"), ("preallocation", "2026-04-10"), ("verification", "2026-07-31"),
        ("allowances_fixed", "2026-09-20"), ("allowances_issued", "2026-09-30"), ("surrender", "2026-12-31"),
    ]  # fmt: skip
    assert {d.confidence for d in book.deadlines(2026) if d.step == "annual_report"} == {"draft"}


def test_the_calendar_names_missing_ledgers(lab: Lab) -> None:
    lab.home.__dict__["registry"] = registry(
        plant("P1"), plant("P2"), line("L1"), line("L2", end=date(2025, 3, 1)), line("L3", "P2")
    )
    small_year(lab, ("L1", "P1"), ("L2", "P1"), ("L3", "P2"), months=range(1, 3))
    ledgers = month_of_a(3, "L3", "P2")
    del ledgers["ledger_rawmat"]
    lab.put("2025-03", ledgers)
    rows = made(lab).frame("filing_calendar").filter(step="monthly_filing")
    missing = {(p, m): text for p, m, text in rows.select("plant_id", "period", "missing").rows()}
    assert missing["P1", "2025-02"] is None
    assert missing["P1", "2025-03"] == "ledger_clinker L1; ledger_fuel L1; ledger_rawmat L1", "L2 is no longer in force"
    assert missing["P2", "2025-03"] == "ledger_rawmat L3"
    assert rows.filter(plant_id="P1", period="2025-04")["missing_count"].to_list() == [3]
    assert rows.height == 24


# ---- cross-checks ---------------------------------------------------------------------------------------------------------------


def checks(lab: Lab, year: str = YEAR) -> dict[str, list[dict[str, Any]]]:
    rows = made(lab).frame("findings").filter(lab.frame("findings")["check_id"].str.starts_with("C")).sort("period")
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows.iter_rows(named=True):
        found.setdefault(row["check_id"][:3], []).append(row)
    return found


def test_every_check_has_limits_and_words() -> None:
    assert set(CHECKS) == set(EtsBook.load().checks)
    assert set(CHECKS) <= set(load_findings())


def test_ledgers_that_fit_have_no_findings(lab: Lab) -> None:
    small_year(lab, ("L1", "P1"))
    for m in range(1, 13):
        ledgers = month_of_a(m)
        output = ledgers["ledger_clinker"][0]["output_t"]
        ledgers["ledger_rawmeal"][0]["rawmeal_t"] = 1.55 * output
        ledgers["ledger_clinker"][0] |= {"opening_t": 10.0, "used_t": output, "closing_t": 10.0}
        for row in ledgers["ledger_fuel"]:
            row |= {"opening": 5.0, "purchased": row["consumption"], "closing": 5.0}
        ledgers["ledger_electricity"].append(
            {"plant_id": "P1", "line_id": "L1", "grid_mwh": 0.06 * output, "waste_heat_mwh": 0.0}
        )
        lab.put(f"2025-{m:02d}", ledgers)
    assert checks(lab) == {}


CASES = [
    ("C01", "ledger_fuel", 0, {"opening": 0.0, "purchased": 14000.0, "closing": 0.0}, ["2.018"]),
    ("C02", "ledger_clinker", 0, {"opening_t": 0.0, "used_t": 100000.0, "closing_t": 0.0}, ["26.4"]),
    ("C03", "ledger_rawmeal", 0, {"rawmeal_t": 250000.0}, ["1.84"]),
    ("C06", "ledger_clinker", 0, {"output_t": 180000.0}, ["116"]),
    ("C09", "ledger_lab", 0, {"clinker_cao_pct": 60.0}, ["-10.7"]),
    ("C10", "ledger_fuel", 0, {"ncv_gj": 26.0}, ["10.2"]),
    ("C11", "ledger_fuel", 0, {"ncv_gj": 18.0}, ["-21.28"]),
    ("C12", "ledger_electricity", 0, {"line_id": "L1", "grid_mwh": 13587.042}, ["100"]),
    ("C13", "ledger_electricity", 0, {"waste_heat_mwh": 1000.0}, ["7.36"]),
]


@pytest.mark.parametrize(("check", "table", "row", "change", "values"), CASES, ids=[c[0] for c in CASES])
def test_each_check_finds_its_month(
    lab: Lab, check: str, table: str, row: int, change: dict[str, Any], values: list[str]
) -> None:
    lab.year_of_a(2025)
    ledgers = month_of_a(3)
    ledgers["ledger_rawmeal"][0]["rawmeal_t"] = 1.55 * 135870.42
    ledgers[table][row] |= change
    lab.put("2025-03", ledgers)
    found = [f for f in checks(lab).get(check, []) if f["period"] == "2025-03"]
    assert [f["value"][: len(v)] for f, v in zip(found, values, strict=True)] == values
    bounds = EtsBook.load().checks[found[0]["check_id"]]
    assert (found[0]["low"], found[0]["high"], found[0]["plant_id"]) == (bounds.low, bounds.high, "P1")
    assert found[0]["evidence"]
    assert (found[0]["source_file"], found[0]["source_cell"]) == ("ledgers/a.xlsx", "3")


def test_checks_of_the_year(lab: Lab) -> None:
    for m in range(1, 13):
        ledgers = month_of_a(m)
        ledgers["ledger_fuel"][0]["consumption"] *= 3
        ledgers["ledger_rawmat"][0]["consumption_t"] = round(
            ledgers["ledger_clinker"][0]["output_t"] * 0.535 * 0.155 / 0.48, 2
        )
        ledgers["ledger_rawmeal"][0]["rawmeal_t"] = 50000.0
        lab.put(f"2025-{m:02d}", ledgers)
    found = checks(lab)
    for check in ("C04", "C05", "C15"):
        assert [f["period"] for f in found[check]] == ["2025"]
    assert len(found["C14"]) == 12
    assert found["C15"][0]["severity"] == "info"


def test_findings_of_a_year_stand_once(lab: Lab) -> None:
    lab.year_of_a(2025)
    made(lab)
    both = lab.frame("carbon_findings"), lab.frame("findings")
    assert both[0].height
    assert both[0].sort("finding_id").equals(both[1].sort("finding_id"))


def test_nothing_is_made_without_a_plan(lab: Lab) -> None:
    from resources.bench import Bench

    lab.year_of_a(2023)
    made(lab)
    assert make_allocation(Bench(lab.home), "2023") == {}


# ---- trials and the command line ------------------------------------------------------------------------------------------------


def snapshot(root: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_a_trial_changes_nothing_and_tells_the_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines import cli_carbon

    registry_folder = tmp_path / "registry"
    registry_folder.mkdir()
    (registry_folder / "plants.csv").write_text(
        "plant_id,name,name_en,uscc,group,province,prefecture,latitude,longitude,ambient_pressure_kpa,region_class,valid_from,valid_to\n"
        "P1,厂,Plant,,甲,贵州,,,,89,general,2016-01-01,\n", encoding="utf-8"
    )  # fmt: skip
    (registry_folder / "lines.csv").write_text(
        "line_id,plant_id,clinker_class,capacity_t_d,valid_from,valid_to\nL1,P1,portland,5000,2016-01-01,\n", encoding="utf-8"
    )  # fmt: skip
    lab = Lab(tmp_path)
    del lab.home.__dict__["registry"]
    lab.year_of_a(2025)
    made(lab)
    (tmp_path / "published").mkdir(exist_ok=True)
    (tmp_path / "published/current.json").write_text("{}", encoding="utf-8")
    before = snapshot(tmp_path)
    data, text = cli_carbon.what_if(lab.home.settings, YEAR, ["CN.CEM.EF.PORT.V01=0.545"], "0.845")
    assert snapshot(tmp_path) == before
    (row,) = data["lines"]
    assert row["delta_tco2"] == pytest.approx(1427056.82 * 0.01, abs=0.02)
    assert (row["old_allowance_t"], data["balance_value"]) == (None, 0.845)
    assert row["allowance_t"] > 1150000
    assert "nothing was written" in text
    solved, _ = cli_carbon.what_if(lab.home.settings, YEAR, [], "solve")
    assert solved["balance_value"] == pytest.approx(1144585.41 / 1427056.82)
    assert solved["lines"][0]["allowance_t"] in (1144584, 1144585)
    swept, words = cli_carbon.what_if(
        lab.home.settings, YEAR, ["CN.CEM.EF.PORT.V01=0.545"], "solve", vary=("carbide=0,10",)
    )
    totals = [sum(row["total_tco2"] for row in scenario["lines"]) for scenario in swept["scenarios"]]
    assert totals[0] == pytest.approx(1144585.41 + 1427056.82 * 0.01, abs=0.02), "ranges start from the changed factors"
    assert totals[0] < totals[1], "no carbide at all"
    assert totals[1] > totals[2]
    assert (swept["source"], len(swept["axes"])) == ("lake", 1)
    assert "nothing was written" in words
    with pytest.raises(Exception, match=r"NO\.SUCH"):
        cli_carbon.what_if(lab.home.settings, YEAR, ["NO.SUCH=1"], "")
    told, words = cli_carbon.calendar(lab.home, YEAR, date(2025, 9, 1), ())
    due = {r["period"]: r["days_left"] for r in told["steps"] if r["step"] == "monthly_filing"}
    assert (due["2025-07"], due["2025-01"]) == (8, 60)
    assert "surrender" in words
    assert snapshot(tmp_path) == before
