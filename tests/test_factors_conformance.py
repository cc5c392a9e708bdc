"""The factor book against the tables of the domain notes, row for row: values, units, periods, editions, confidence.

Where the book says otherwise on purpose, `PURPOSE` says why; nothing else may differ.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import reference
from resources.factors import FactorBook, MissingFactor
from resources.factors_read import CONFIDENCE
from resources.methods import MethodBook

if TYPE_CHECKING:
    from resources.factors_read import Factor

RULES = Path(__file__).parents[1] / "../shared/domain/carbon-rules.md"
if not RULES.is_file():
    pytest.skip("the domain notes are not here", allow_module_level=True)
TEXT = RULES.read_text(encoding="utf-8")
BOOK = FactorBook.load()
BY_ID: dict[str, list[Factor]] = defaultdict(list)
for _row in BOOK.rows:
    BY_ID[_row.factor_id].append(_row)
V01, OLD = "CETS-AG-02.01-V01-2024", "NDRC-2013"
ON = {V01: date(2024, 5, 1), OLD: date(2014, 5, 1)}


def section(number: str) -> str:
    return re.split(rf"^#+ {re.escape(number)}\.? .*$", TEXT, maxsplit=1, flags=re.MULTILINE)[1].split("\n## ")[0]


def table(text: str, head: str) -> list[list[str]]:
    """Cells of the rows of the table whose first line has `head`."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|") and head in line)
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([c.strip().replace("**", "") for c in line.strip("|").split("|")])
    return rows


def numbers(cell: str) -> list[Decimal]:
    return [Decimal(n) for n in re.findall(r"(?<![\w.])\d*\.?\d+", cell.replace("10⁴", ""))]


def fuel_names() -> dict[str, str]:
    with (reference.FACTORS / "fuels.csv").open(encoding="utf-8", newline="") as file:
        return {n: r["fuel"] for r in csv.DictReader(file) for n in (r["zh"], *r["synonyms"].split("|")) if n}


def material_names() -> dict[str, str]:
    with (reference.FACTORS / "materials.csv").open(encoding="utf-8", newline="") as file:
        return {n: r["material"] for r in csv.DictReader(file) for n in (r["zh"], *r["synonyms"].split("|")) if n}


FUELS = fuel_names()


def fuels_of(cell: str) -> list[str]:
    """Ids of the fuels that a first cell names: "高炉/转炉/焦炉煤气" are three, "天然气 (10⁴Nm³)" is one."""
    plain = re.sub(r"\(.*?\)", "", cell).strip()
    plain = re.sub(r"(?<=[^ -~]) [A-Za-z ]+$", "", plain)
    names = [n.strip() for n in plain.split("/")]
    if plain.endswith("煤气"):
        names = [n if n.endswith("煤气") else f"{n}煤气" for n in names]
    return [{"LPG": "lpg", "LNG": "lng"}.get(n) or FUELS[n] for n in names]


def said(quantity: str, scope: str, method: str) -> Factor:
    return BOOK.find(quantity, scope, ON[method], method=method)


def test_2_3_fuels_of_the_guideline() -> None:
    seen = set()
    for name, ncv, steel, cc, of in table(section("2.3"), "| fuel |"):
        if "not in s1" in ncv.lower():
            # Of the sibling for steel alone: no default of cement.
            only = {FUELS[n.strip()] for n in name.split("/") if n.strip() in FUELS}
            assert not [r for r in BOOK.rows if r.methods == (V01,) and r.scope in only]
            continue
        for i, fuel in enumerate(fuels_of(name)):
            rows = {q: said(q, fuel, V01) for q in ("ncv", "cc")}
            given = numbers(ncv)
            assert rows["ncv"].exact == given[min(i, len(given) - 1)], name
            carbon = numbers(cc)
            assert rows["cc"].exact == carbon[i if len(fuels_of(name)) > 1 else 0], name
            gas = rows["ncv"].unit == "GJ/1e4Nm3"
            assert gas == ("10⁴Nm³" in name or "煤气" in name)
            # The three coals differ from the sibling, whose text was read; all else is the same in both.
            agrees = "same" in steel or numbers(steel) == given
            assert rows["ncv"].confidence == ("verified" if agrees else "secondary"), name
            assert rows["cc"].confidence == "verified"
            assert {r.published_on for r in rows.values()} == {date(2024, 9, 13)}
            assert {(r.valid_from, r.valid_to) for r in rows.values()} == {(date(2024, 1, 1), None)}
            if not re.search("idem|kiln", of):
                kind = "gas" if gas else "liquid"
                assert (said("of", kind, V01).exact, said("of", kind, V01).confidence) == (numbers(of)[0], "verified")
            seen.add(fuel)
    assert len(seen) == 20
    kiln, power, industry = (said("of", f"solid/{n}", V01) for n in ("kiln", "power_boiler", "industrial_boiler"))
    assert "kiln 99 / power boiler 95 / industrial boiler 85" in section("2.3")
    assert [r.text for r in (kiln, power, industry)] == ["99", "95", "85"]
    assert {r.confidence for r in (kiln, power, industry)} == {"secondary"}


def test_2_4_clinker_and_substitutes() -> None:
    scopes = ("portland", "white", "sulfoaluminate", "aluminate")
    clinker = table(section("2.4"), "熟料类别")
    assert len(clinker) == len(scopes)
    for (_, value), scope in zip(clinker, scopes, strict=True):
        row = said("ef_clinker", scope, V01)
        assert (row.exact, row.unit, row.confidence) == (numbers(value)[0], "tCO2/t", "secondary")
    names = material_names()
    listed = {}
    for value, materials in table(section("2.4"), "| K tCO₂/t |"):
        for text in re.split(r", (?![^(（]*[)）])", materials):
            plain = re.sub(r"\s*[A-Za-z(].*$", "", text).strip()
            listed[names[plain]] = numbers(value)[0]
    assert len(listed) == 30
    ours = {r.scope: r.exact for r in BOOK.rows if r.quantity == "k_rawmat" and r.scope != "unlisted"}
    assert ours == listed
    assert {r.confidence for r in BOOK.rows if r.quantity == "k_rawmat"} == {"secondary"}


def test_4_fuels_of_the_guide_of_2013() -> None:
    seen = set()
    for name, ncv, cc, of in table(section("4"), "| fuel | NCV | CC | OF |"):
        doubtful = "M:" in ncv + cc
        given = [numbers(re.sub(r"\(M:.*?\)", "", cell)) for cell in (ncv, cc, of)]
        for i, fuel in enumerate(fuels_of(name)):
            for quantity, values in zip(("ncv", "cc", "of"), given, strict=True):
                row = said(quantity, fuel, OLD)
                assert row.exact == (values[i] if len(values) > i and quantity != "of" else values[0]), (name, quantity)
                assert row.confidence == ("draft" if doubtful and fuel != "lpg" else "secondary"), (name, quantity)
                assert V01 not in row.methods
            seen.add(fuel)
    assert len(seen) == 18


def test_4_alternative_fuels_from_memory() -> None:
    (text,) = re.findall(r"Alternative-fuel defaults in NDRC-2013 table.*", TEXT)
    found = re.findall(r"(废\w+|塑料) ([\d.]+)(?: GJ/t)?, ([\d.]+)(?: tCO₂/GJ)?, (?:fossil )?(\d+)", text)
    assert len(found) == 6
    for name, *values in found:
        rows = [said(q, FUELS[name], OLD) for q in ("hv_altfuel", "ef_altfuel", "fossil_share")]
        assert [r.exact for r in rows] == [Decimal(v) for v in values]
        assert {r.confidence for r in rows} == {"draft"}


# ---- 6: electricity ---------------------------------------------------------------------------------------------------------------

PUBLISHED = {2021: date(2024, 4, 12), 2022: date(2024, 12, 20), 2023: date(2025, 12, 31)}
SERIES = {
    "national average": ("national", "全国"), "Guizhou": ("province", "贵州"), "South region 南方": ("region", "南方"),
    "national excl. market-traded non-fossil": ("national_residual", "全国"), "national fossil": ("national_fossil", "全国"),
}  # fmt: skip


def grid(scope: str, region: str, year: int) -> Factor:
    """The edition that describes the year."""
    return BOOK.find("grid", scope, date(year, 7, 1), region=region, policy="same_data_year")


def check_edition(row: Factor, year: int, value: Decimal, worth: str) -> None:
    assert (row.exact, row.unit, row.data_year, row.valid_from) == (value, "tCO2/MWh", year, date(year, 1, 1))
    assert (row.published_on, row.confidence) == (PUBLISHED[year], worth), row.factor_id
    assert row.published_on is not None
    assert str(row.published_on).startswith({2021: "2024-04", 2022: "2024-12-20", 2023: "2025-12"}[year])
    # It holds to the day before the next edition's year begins, and is then no longer the newest.
    newest = BOOK.find("grid", row.scope, date(year, 12, 31), region=row.region)
    assert newest is row
    assert (BOOK.find("grid", row.scope, date(year + 1, 1, 1), region=row.region) is row) == (year == 2023)


def test_6_series_of_three_years() -> None:
    rows = table(section("6"), "| series |")
    assert [r[0] for r in rows[1:]] == list(SERIES)
    for name, *cells, _ in rows[1:]:
        for year, cell in zip((2021, 2022, 2023), cells, strict=True):
            (mark,) = re.findall(r"\((?:[^()]*?)\b([VSM])(?=\d|\b)[^()]*\)", cell)[:1]
            check_edition(grid(*SERIES[name], year), year, numbers(cell)[0], CONFIDENCE[mark])


@pytest.mark.parametrize(("year", "worth", "regions"), [(2023, "verified", 7), (2022, "secondary", 0)])
def test_6_every_province_and_region(year: int, worth: str, regions: int) -> None:
    (text,) = re.findall(rf"^{year} provinces .*$", TEXT, re.MULTILINE)
    provinces, _, rest = text.split("):", 1)[1].partition("Regions:")
    listed = {s: re.findall(r"(\w+) (\.\d{4})", t) for s, t in (("province", provinces), ("region", rest))}
    assert [len(v) for v in listed.values()] == [30, regions]
    for scope, values in listed.items():
        for region, value in values:
            check_edition(grid(scope, region, year), year, Decimal(f"0{value}"), worth)


# ---- 12: the register -------------------------------------------------------------------------------------------------------------

#: Id of a row as the notes write it -> ids of the book, in the order of the values of the row.
OURS = {
    **{f"CN.CEM.NCV.{n}.V01": (f"CN.NCV.{n}.V01",) for n in ("ANTH", "BIT", "LIG")},
    "CN.CEM.K.CARBIDE.V01": ("CN.CEM.K.CARBIDE_SLAG.V01", "CN.CEM.K.MAGNESIUM_SLAG.V01"),
    "CN.CEM.K.LIME.V01": ("CN.CEM.K.SLAKED_LIME.V01", "CN.CEM.K.DESULFURIZATION_LIME.V01"),
    "CN.CEM.K.G375/G305/G245/G215/G135/G055": (
        "CN.CEM.K.PHOSPHORUS_SLAG.V01", "CN.CEM.K.FERROALLOY_SLAG.V01", "CN.CEM.K.PHOSPHOGYPSUM.V01", "CN.CEM.K.STEEL_SLAG.V01",
        "CN.CEM.K.ZINC_SLAG.V01", "CN.CEM.K.RED_MUD.V01",
    ),
    "CN.CC.ANTH": ("CN.CC.ANTH.V01",), "CN.CC.BIT": ("CN.CC.BIT.V01",),
    "CN.CC.LIG.2013 / .V01": ("CN.CC.LIG.2013", "CN.CC.LIG.V01"),
    "CN.CC.PETCOKE, CN.NCV.PETCOKE": ("CN.CC.PETCOKE.V01", "CN.NCV.PETCOKE.V01"),
    "CN.NCV.DIESEL.V01, CN.CC.DIESEL": ("CN.NCV.DIESEL.V01", "CN.CC.DIESEL.V01"),
    "CN.NCV.NG, CN.CC.NG.V01": ("CN.NCV.NATURAL_GAS.V01", "CN.CC.NATURAL_GAS.V01"),
    "CN.OF.KILN.V01": ("CN.OF.SOLID.KILN.V01",),
    "CN.OF.PWRBOILER.V01 / INDBOILER": ("CN.OF.SOLID.POWER_BOILER.V01", "CN.OF.SOLID.INDUSTRIAL_BOILER.V01"),
    "CN.OF.LIQ / GAS": ("CN.OF.LIQUID.V01", "CN.OF.GAS.V01"),
    "CN.OF.ANTH.2013 / BIT.2013": ("CN.OF.ANTH.2013", "CN.OF.BIT.2013"),
    "CN.PWR.CC.UNTESTED.1/.2": ("CN.PWR.CC.UNTESTED.1", "CN.PWR.CC.UNTESTED.2"),
    "CN.GRID.NAT.2021/2022/2023": tuple(f"CN.GRID.NAT.{y}" for y in (2021, 2022, 2023)),
    "CN.GRID.GZ.2021/2022/2023": tuple(f"CN.GRID.GZ.{y}" for y in (2021, 2022, 2023)),
    "CN.GRID.SOUTH.2021/22/23": tuple(f"CN.GRID.SOUTH.{y}" for y in (2021, 2022, 2023)),
    "CN.GRID.RESID.2021/22/23": tuple(f"CN.GRID.RESID.{y}" for y in (2021, 2022, 2023)),
    "CN.GRID.SOUTH.NDRC.2010/11/12": tuple(f"CN.GRID.SOUTH.NDRC.{y}" for y in (2010, 2011, 2012)),
    "CN.ETS.ALPHA.SLOPE / CAP / BAND": tuple(f"CN.ETS.ALPHA_{n}.2025" for n in ("SLOPE", "CAP", "BAND")),
    "CN.ETS.CARBIDE.THRESH": ("CN.ETS.CARBIDE.2025", "CN.ETS.CARBIDE.2026"),
    "CN.ETS.PREALLOC": ("CN.ETS.PREALLOC.2025", "CN.ETS.PREALLOC.2026"),
    "IPCC.EF.CL / CKD": ("IPCC.EF.CL", "IPCC.CKD"),
    "EU.CBAM.BM.CLK.A / FACTOR.2026 / MARKUP.2026": ("EU.CBAM.BM.CLK.A", "EU.CBAM.FACTOR.2026", "EU.CBAM.MARKUP.2026"),
}  # fmt: skip
#: Rows of the notes that the book does not have, and why.
WITHOUT = {
    "CN.NCV.*.2013": "tested above, fuel by fuel",
    "CN.PWR.OF.COAL.DB": "its values were not read",
    "CN.ETS.BP.CEM.2025": "published on the platform alone: an input, registry/ets.csv",
    "EU.CaO/MgO": "constants of methods, tested below",
    "CN.CaO/MgO": "constants of methods, tested below",
}
EDITIONS = "a later edition takes over where it begins; until it is published the one before holds on"
BESIDE = "the guide of 2013 is computed beside the guideline for later years; its rows reach no other method"
SPLIT = "the guideline's own row; that of the guide of 2013 stands under its own id"
NO_DAY = "the notes give a month, or none: the last possible day, or that of the text it stands in"
#: (id, column) where the book says otherwise on purpose.
PURPOSE = {
    **{(i, "valid_to"): BESIDE for i in ("CN.CC.LIG.2013", "CN.OF.ANTH.2013", "CN.OF.BIT.2013")},
    **{(f"CN.GRID.{s}.{y}", "valid_to"): EDITIONS for s in ("NAT", "GZ", "SOUTH", "RESID") for y in (2021, 2022)},
    **{(f"CN.GRID.SOUTH.NDRC.{y}", "valid_to"): "each to the next; the end is that of the last" for y in (2010, 2011)},
    **{(i, "valid_from"): SPLIT for i in ("CN.CC.ANTH.V01", "CN.CC.BIT.V01", "CN.OF.LIQUID.V01", "CN.OF.GAS.V01")},
    **{(f"CN.ETS.ALPHA_{n}.2025", "valid_to"): "the draft plan of 2026 has rows of its own" for n in ("SLOPE", "CAP", "BAND")},
}  # fmt: skip


def periods(cell: str, count: int) -> list[date | None]:
    """Days of a cell, one a value; a bare year is its first day, ∞ is open. [] where the cell leaves some of them open."""
    found: list[date | None] = []
    for text in () if re.search("next|idem|–|…", cell) else re.findall(r"∞|\d{4}(?:-\d\d){0,2}", cell):
        year, month, day = [*map(int, text.split("-")), 1, 1][:3] if text != "∞" else (0, 0, 0)
        found.append(date(year, month, day) if year else None)
    return found * count if len(found) == 1 else found


REGISTER = table(section("12"), "| factor_id |")


@pytest.mark.parametrize("cells", REGISTER, ids=lambda c: c[0])
def test_12_every_row_of_the_register(cells: list[str]) -> None:
    name, _, value, unit, first, last, _, _, marks = cells
    if name in WITHOUT:
        assert name not in BY_ID
        return
    ids = OURS.get(name, (name,))
    values = numbers(value)
    values = values if len(values) == len(ids) else values * len(ids)
    assert len(values) == len(ids), "every value has its id"
    worth = [CONFIDENCE[m] for m in re.findall(r"\b([VSMU])\b", marks)]
    worth = [max(worth[:1] + worth[1:2], key=("verified", "secondary", "draft").index)] if marks == "M/S" else worth
    worth = worth if len(worth) == len(ids) else worth[:1] * len(ids)
    units = [u.strip().replace("10⁴", "1e4").replace("³", "3") for u in unit.split(",")]
    for i, factor_id in enumerate(ids):
        (row,) = BY_ID[factor_id]
        assert row.exact == values[i], factor_id
        assert row.confidence == worth[i], factor_id
        if units[0] not in ("", "–"):
            expected = units[i] if len(units) == len(ids) else units[0]
            assert row.unit == {"kg/kWh": "tCO2/MWh", "t/MWh": "tCO2/MWh", "t/GJ": "tCO2/GJ", "t/t": "tCO2/t"}.get(
                expected, expected
            )
        for column, cell in (("valid_from", first), ("valid_to", last)):
            given = periods(cell, len(ids))
            if len(given) == len(ids):
                same = getattr(row, column) == given[i]
                assert same != ((factor_id, column) in PURPOSE), (factor_id, column, given[i], getattr(row, column))


def test_12_published_days() -> None:
    for name, _, value, _, _, _, published, _, _ in REGISTER:
        for factor_id in OURS.get(name, (name,)):
            days = re.findall(r"\d{4}-\d\d-\d\d", published)
            for row in BY_ID.get(factor_id, ()) if len(days) == 1 and value != "…" and name.count("/") == 0 else ():
                assert str(row.published_on) == days[0], factor_id


def test_12_nothing_of_the_register_is_left_out() -> None:
    names = {r[0] for r in REGISTER}
    assert set(OURS) <= names
    assert set(WITHOUT) <= names
    assert {i for i, _ in PURPOSE} <= set(BY_ID)
    with pytest.raises(MissingFactor):
        BOOK.find("ets", "balance_value", date(2025, 7, 1))


def test_12_oxides_are_constants_of_methods() -> None:
    cells = {r[0]: r[2] for r in REGISTER}
    assert cells["EU.CaO/MgO"] == "0.785 / 1.092"
    assert next(r[1] for r in REGISTER if r[0] == "CN.CaO/MgO").startswith("44/56, 44/40")
    for method in MethodBook.load().methods:
        part = method.part("oxides")
        if part is not None:
            chinese = method.id.startswith(("NDRC", "GBT", "MEE"))
            assert (part.options["cao_ratio"], part.options["mgo_ratio"]) == (
                ("44/56", "44/40") if chinese else ("0.785", "1.092")
            )


def test_4_methods_and_their_years() -> None:
    methods = {m.id: m for m in MethodBook.load().methods}
    rows = {re.sub("`", "", r[0]): r[2] for r in table(section("4"), "| method id |")}
    assert set(rows) <= set(methods)
    for name, years in rows.items():
        found = [int(y) for y in re.findall(r"\d{4}", years)]
        if found:
            assert methods[name].from_year == found[0], name
            assert methods[name].to_year == (found[1] + 1 if len(found) > 1 else None), name
    assert (methods["GBT32151.8-2015"].from_year, methods["GBT32151.8-2015"].to_year) == (2016, 2024)
    assert methods["GBT32151.8-2023"].from_year == 2024


def test_every_mark_has_its_worth_and_every_edition_supersedes_the_one_before() -> None:
    assert all(r.confidence == CONFIDENCE[r.mark] for r in BOOK.rows)
    assert CONFIDENCE == {"V": "verified", "S": "secondary", "A": "secondary", "M": "draft", "U": "draft"}
    for row in BOOK.rows:
        before = [r for r in BOOK.rows if r.series == row.series and r.valid_from < row.valid_from]
        if before:
            last = max(before, key=lambda r: r.valid_from)
            assert row.supersedes == last.factor_id
            assert last.valid_to in (None, row.valid_from)
            taken = BOOK.find(
                last.quantity,
                last.scope,
                row.valid_from - timedelta(1),
                region=last.region,
                method=(*last.methods, "")[0],
            )
            assert taken is last
        else:
            assert row.supersedes == ""
