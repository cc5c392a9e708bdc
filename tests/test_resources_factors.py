"""The factor book: which factor holds, what was known when, what a version covers, and every mistake by file and line."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.factors import FactorBook, FactorError, MissingFactor
from resources.factors_read import COLUMNS, LATEST, QUANTITIES, SAME_YEAR, Factor, read_factors
from resources.factors_units import range_of, ranges
from resources.storage import LocalStorage

if TYPE_CHECKING:
    from pathlib import Path

BOOK = FactorBook.load()
V01 = "CETS-AG-02.01-V01-2024"
MAY_24 = date(2024, 5, 1)


@pytest.mark.parametrize(
    ("asked", "on", "text"),
    [
        pytest.param({"quantity": "ef_clinker", "scope": "portland", "method": V01}, MAY_24, "0.535", id="portland"),
        pytest.param({"quantity": "k_rawmat", "scope": "carbide_slag", "method": V01}, MAY_24, "0.480", id="carbide"),
        pytest.param({"quantity": "ncv", "scope": "bituminous", "method": V01}, MAY_24, "23.076", id="ncv-V01"),
        pytest.param({"quantity": "ncv", "scope": "bituminous", "method": "NDRC-2013"}, MAY_24, "23.204", id="ncv-2013"),
        pytest.param({"quantity": "cc", "scope": "bituminous", "method": V01}, MAY_24, "0.02618", id="cc-not-0.02308"),
        pytest.param({"quantity": "of", "scope": "solid/kiln", "method": V01}, MAY_24, "99", id="of-kiln"),
        pytest.param({"quantity": "of", "scope": "anthracite", "method": "NDRC-2013"}, MAY_24, "94", id="of-2013"),
        pytest.param({"quantity": "grid", "scope": "province", "region": "贵州"}, date(2021, 7, 1), "0.5182", id="GZ-2021"),
        pytest.param({"quantity": "grid", "scope": "province", "region": "贵州"}, date(2022, 7, 1), "0.4989", id="GZ-2022"),
        pytest.param({"quantity": "grid", "scope": "province", "region": "贵州"}, MAY_24, "0.5683", id="GZ-2023-later"),
        pytest.param({"quantity": "grid", "scope": "region", "region": "南方"}, date(2022, 7, 1), "0.3869", id="South-2022"),
        pytest.param({"quantity": "grid", "scope": "national_ets", "region": "全国"}, date(2022, 7, 1), "0.5703", id="MRV-2022"),
        pytest.param({"quantity": "ets", "scope": "carbide_threshold"}, date(2025, 7, 1), "15", id="carbide-2025"),
        pytest.param({"quantity": "ets", "scope": "carbide_threshold"}, date(2026, 7, 1), "30", id="carbide-2026"),
    ],
)  # fmt: skip
def test_factors_in_force(asked: dict[str, str], on: date, text: str) -> None:
    found = BOOK.find(asked.pop("quantity"), asked.pop("scope"), on, **asked)  # type: ignore[arg-type]
    assert (found.text, found.exact) == (text, Decimal(text))


def test_a_report_made_in_2024_knew_the_grid_factors_published_by_then() -> None:
    def gz(by: date | None, policy: str = "latest_published") -> str:
        return BOOK.find("grid", "province", MAY_24, region="贵州", published_by=by, policy=policy).text

    assert [gz(date(2024, 6, 1)), gz(date(2025, 6, 1)), gz(date(2026, 6, 1))] == ["0.5182", "0.4989", "0.5683"]
    with pytest.raises(MissingFactor, match=r"grid province 贵州.*CN\.GRID\.GZ\.2023 2023-01-01"):
        gz(None, SAME_YEAR)


def test_without_a_day_of_publication_nothing_was_known_by_a_day() -> None:
    asked = {"quantity": "grid", "scope": "national_ets", "on": date(2016, 5, 1), "region": "全国"}
    assert BOOK.find(**asked).factor_id == "CN.GRID.ETS.1"  # type: ignore[arg-type]
    for by in (date(2000, 1, 1), date(2999, 1, 1)):
        with pytest.raises(MissingFactor, match=r"day of publication unknown: CN\.GRID\.ETS\.1\)"):
            BOOK.find(**asked, published_by=by)  # type: ignore[arg-type]


def test_what_was_not_recorded_was_not_known() -> None:
    with pytest.raises(MissingFactor, match="no row names it"):
        BOOK.find("heat", "purchased", MAY_24, known_on=date(2026, 11, 21))
    assert BOOK.find("heat", "purchased", MAY_24, known_on=date(2026, 11, 22)).text == "0.11"


def test_a_missing_factor_is_named_with_the_periods_that_exist() -> None:
    with pytest.raises(MissingFactor, match=r"ncv anthracite CETS.*2024-01-01 - .*reference/factors"):
        BOOK.find("ncv", "anthracite", date(2023, 12, 31), method=V01)
    assert not BOOK.has("ncv", "anthracite", date(2023, 12, 31), method=V01)
    assert BOOK.has("ncv", "anthracite", date(2023, 12, 31), method="NDRC-2013")


def test_drafts_are_named() -> None:
    drafts = BOOK.drafts(date(2021, 1, 1), date(2021, 12, 31))
    assert {"CN.GRID.NAT.2021", "CN.GRID.ETS.2"} <= set(drafts)
    assert "CN.GRID.GZ.2021" not in drafts


def _overlay(tmp_path: Path, *rows: dict[str, str], name: str = "factors-own.csv") -> LocalStorage:
    lines = [",".join(COLUMNS), *(",".join(r.get(c, "") for c in COLUMNS) for r in rows)]
    (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return LocalStorage(tmp_path)


OWN = {
    "factor_id": "CN.GRID.GZ.2023", "quantity": "grid", "scope": "province", "region": "贵州", "value": "0.5700", "unit": "tCO2/MWh",
    "data_year": "2023", "valid_from": "2023-01-01", "published_on": "2026-12-01", "recorded_at": "2026-12-02", "source": "correction",
    "mark": "V", "confidence": "verified", "supersedes": "CN.GRID.GZ.2023",
}  # fmt: skip


def test_a_homes_own_row_recorded_later_takes_over_and_history_stays(tmp_path: Path) -> None:
    book = FactorBook.load(overlay=_overlay(tmp_path, OWN))
    assert book.find("grid", "province", MAY_24, region="贵州").text == "0.5700"
    assert book.find("grid", "province", MAY_24, region="贵州", known_on=date(2026, 12, 1)).text == "0.5683"
    year = date(2024, 1, 1), date(2024, 12, 31)
    assert book.version(*year) != BOOK.version(*year)
    assert book.factor_set(*year) != BOOK.factor_set(*year)
    before = date(2022, 1, 1), date(2022, 12, 31)
    assert book.version(*before) == BOOK.version(*before)
    assert "CN.GRID.GZ.2023" in {r.factor_id for r in book.in_force(*year)}


def test_two_values_recorded_on_one_day_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        FactorError, match=r"registry/factors-own\.csv:3 \[value='0\.58'\].*contradicts registry/factors-own\.csv:2"
    ):
        FactorBook.load(overlay=_overlay(tmp_path, OWN, OWN | {"value": "0.58"}))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param({"value": "0.57x"}, "[value='0.57x'] 应为数", id="no-number"),
        pytest.param({"value": "NaN"}, "[value='NaN'] 应为数", id="not-finite"),
        pytest.param({"quantity": "gird"}, "[quantity='gird']", id="quantity"),
        pytest.param({"unit": "kg/kWh"}, "[unit='kg/kWh']", id="unit"),
        pytest.param({"unit": "tCO2/GJ"}, "[unit='tCO2/GJ']", id="unit-of-heat-for-electricity"),
        pytest.param({"quantity": "heat", "region": "", "scope": "purchased"}, "[unit='tCO2/MWh']", id="heat-per-MWh"),
        pytest.param({"valid_from": "2023/13/1"}, "[valid_from='2023/13/1']", id="day"),
        pytest.param({"valid_to": "2022-01-01"}, "[valid_to='2022-01-01']", id="period"),
        pytest.param({"mark": "S", "confidence": "verified"}, "[confidence='verified']", id="confidence"),
        pytest.param({"source": ""}, "[source=''] 未填 / is empty", id="empty"),
        pytest.param({"source": "a, b"}, "单元格多于表头 / has more cells than the header", id="comma"),
        pytest.param({"value": "0_57"}, "[value='0_57'] 应为数", id="underscore"),
        pytest.param({"recorded_at": "20261202"}, "[recorded_at='20261202'] 应为日期", id="day-without-dashes"),
        pytest.param(
            {"published_on": "2026-12-03"},
            "[published_on='2026-12-03'] 晚于 recorded_at",
            id="recorded-before-published",
        ),
        pytest.param(
            {"snapshot_on": "2026-12-03"}, "[snapshot_on='2026-12-03'] 晚于 recorded_at", id="recorded-before-snapshot"
        ),
        pytest.param(
            {"supersedes": "CN.GRID.GZ.2033"}, "[supersedes='CN.GRID.GZ.2033'] 没有此因子", id="supersedes-nothing"
        ),
        pytest.param(
            {"supersedes": "CN.GRID.NAT.2022"}, "[supersedes='CN.GRID.NAT.2022'] 是另一类因子", id="supersedes-another"
        ),
        pytest.param(
            {"factor_id": "OWN", "supersedes": "OWN"}, "[supersedes='OWN'] 没有此因子", id="supersedes-itself"
        ),
        pytest.param(
            {"factor_id": "OWN", "valid_from": "2022-06-01"},
            "[supersedes='CN.GRID.GZ.2023'] 生效或登记不早于本行",
            id="supersedes-in-vain",
        ),
        pytest.param(
            {"recorded_at": "2026-11-22", "published_on": "", "supersedes": ""},
            "contradicts grid-and-heat.csv:",
            id="contradicts-the-packaged-row",
        ),
        pytest.param(
            {"recorded_at": "2026-11-22", "published_on": "", "supersedes": "", "method": "NDRC-2013"},
            "contradicts grid-and-heat.csv:",
            id="contradicts-for-one-method",
        ),
    ],
)
def test_every_mistake_names_file_line_and_cell(tmp_path: Path, change: dict[str, str], named: str) -> None:
    with pytest.raises(FactorError) as error:
        FactorBook.load(overlay=_overlay(tmp_path, OWN | change))
    (line,) = [t for t in str(error.value).splitlines() if t.strip().startswith("registry/")]
    assert line.strip().startswith("registry/factors-own.csv:2 ")
    assert named in line
    remedy = line.rpartition(" -> ")[2]
    assert " / " in remedy, "what to do, in both languages"


@pytest.mark.parametrize(
    ("quantity", "scope", "unit", "value", "slip", "meant"),
    [
        pytest.param("cc", "anthracite", "tC/GJ", "27.49", "1000 times too large: looks like tC/TJ", "0.02749", id="cc-per-TJ"),
        pytest.param("cc", "anthracite", "tC/GJ", "0.1008", "3.66667 times too large: looks like tCO2/GJ", "0.0274909", id="cc-as-CO2"),
        pytest.param("of", "solid/kiln", "%", "0.99", "100 times too small: looks like 0-1", "99", id="of-fraction"),
        pytest.param("grid", "province", "tCO2/MWh", "568.3", "1000 times too large: looks like kgCO2/MWh", "0.5683", id="grid-kg"),
        pytest.param("ncv", "anthracite", "GJ/t", "22867", "1000 times too large: looks like kJ/kg", "22.867", id="ncv-kJ"),
        pytest.param("ncv", "bituminous", "GJ/t", "5511.6", "238.846 times too large: looks like kcal/kg", "23.076", id="ncv-kcal"),
        pytest.param("ncv", "bituminous", "GJ/t", "5.5116", "4.1868 times too small: looks like Gcal/t", "23.076", id="ncv-Gcal"),
        pytest.param("ncv", "natural_gas", "GJ/1e4Nm3", "38.931", "10 times too small: looks like MJ/Nm3", "389.31", id="ncv-gas"),
        pytest.param("heat", "purchased", "tCO2/GJ", "0.396", "3.6 times too large: looks like tCO2/MWh", "0.11", id="heat-per-MWh"),
        pytest.param("ef_clinker", "portland", "tCO2/t", "535", "1000 times too large: looks like kgCO2/t", "0.535", id="clinker-kg"),
        pytest.param("fossil_share", "plastics", "%", "1", "100 times too small: looks like 0-1", "100", id="share-fraction"),
        pytest.param("ets", "carbide_threshold", "%", "0.15", "100 times too small: looks like 0-1", "15", id="ets-fraction"),
        pytest.param("grid", "province", "tCO2/MWh", "-0.5", "", "", id="negative"),
        pytest.param("grid", "province", "tCO2/MWh", "9e999999", "", "", id="huge"),
        pytest.param("ncv", "anthracite", "GJ/t", "0", "", "", id="nought"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_in_its_unit_is_refused_with_the_slip_it_looks_like(
    tmp_path: Path, quantity: str, scope: str, unit: str, value: str, slip: str, meant: str
) -> None:
    row = {"factor_id": "OWN", "supersedes": "", "region": ""}
    with pytest.raises(FactorError) as error:
        FactorBook.load(
            overlay=_overlay(tmp_path, OWN | row | {"quantity": quantity, "scope": scope, "unit": unit, "value": value})
        )
    (problem,) = error.value.problems
    assert (problem.file, problem.row, problem.column, problem.value) == ("registry/factors-own.csv", 2, "value", value)
    end = f", {slip}" if slip else ""
    assert re.fullmatch(rf"is outside what the .* can be, .* to .* {re.escape(unit + end)}", problem.text_en)
    assert problem.remedy_en == (
        f"check it and give it in {unit}, as {meant}"
        if slip
        else "check value and unit (ranges are in reference/factors/units.toml)"
    )


@pytest.mark.parametrize(("quantity", "unit"), [("grid", "tCO2/MWh"), ("k_rawmat", "tCO2/t"), ("fossil_share", "%"), ("ckd_calcination", "1")])  # fmt: skip
def test_what_can_be_nought_may_be(tmp_path: Path, quantity: str, unit: str) -> None:
    row = {"factor_id": "OWN", "supersedes": "", "region": "", "scope": "own", "quantity": quantity, "unit": unit}
    book = FactorBook.load(overlay=_overlay(tmp_path, OWN | row | {"value": "0"}))
    assert book.find(quantity, "own", MAY_24).value == 0


def test_every_quantity_has_units_and_ranges_that_its_slips_leave() -> None:
    assert {r.quantity for r in ranges()} == set(QUANTITIES)
    assert len({(r.quantity, r.unit, s) for r in ranges() for s in r.scopes or ("",)}) == sum(
        len(r.scopes or "1") for r in ranges()
    )
    for r in ranges():
        assert r.low <= r.high
        assert all(s.written != r.unit and s.times != 1 for s in r.slips)


def test_no_packaged_value_written_in_thousandths_would_be_taken() -> None:
    for row in (r for r in BOOK.rows if r.value):
        within = range_of(row.quantity, row.unit, row.scope)
        assert within is not None
        assert within.holds(row.exact), row.factor_id
        assert not within.holds(row.exact * 1000), row.factor_id


def test_unknown_and_missing_columns_and_encodings_are_refused() -> None:
    for content, named in ((b"factor_id,what\nA,1\n", "what"), ("因子".encode("gb18030"), "UTF-8")):
        rows, problems = read_factors("f.csv", content)
        assert not rows
        assert any(named in str(p) for p in problems)


_DAYS = st.dates(date(2020, 1, 1), date(2024, 12, 31))


@given(
    st.lists(st.tuples(_DAYS, _DAYS, st.sampled_from("123")), min_size=1, max_size=6, unique_by=lambda t: t[:2]),
    _DAYS,
    _DAYS,
)
def test_the_choice_is_that_of_a_plain_search_and_the_version_covers_it(
    rows: list[tuple[date, date, str]], on: date, later: date
) -> None:
    base = BOOK.find("heat", "purchased", MAY_24)
    made = [
        replace(base, valid_from=since, recorded_at=recorded, text=text, factor_id=f"F{i}")
        for i, (since, recorded, text) in enumerate(rows)
    ]
    book = FactorBook(made)
    held = [r for r in made if r.valid_from <= on]
    if not held:
        with pytest.raises(MissingFactor):
            book.find("heat", "purchased", on)
        return
    expected = max(held, key=lambda r: (r.valid_from, r.recorded_at, r.factor_id))
    assert book.find("heat", "purchased", on) is expected
    last = max(on, later)
    given_rows = {book.find("heat", "purchased", on + timedelta(d)).factor_id for d in range((last - on).days + 1)}
    assert {r.factor_id for r in book.in_force(on, last)} == given_rows
    unused = FactorBook([r for r in made if r.factor_id in given_rows])
    assert unused.version(on, last) == book.version(on, last)


_EARLY = st.dates(date(2020, 1, 1), date(2022, 12, 31))
_OPEN = st.none() | _DAYS


@st.composite
def _rows(draw: st.DrawFn) -> list[Factor]:
    """Rows of two methods and none, with and without an end, editions of years, published before they were recorded."""
    base = BOOK.find("heat", "purchased", MAY_24)
    made: list[Factor] = []
    for i in range(draw(st.integers(1, 7))):
        since, recorded = draw(_EARLY), draw(_DAYS)
        end = draw(_OPEN.filter(lambda d, since=since: d is None or d > since))
        published = draw(_OPEN.filter(lambda d, recorded=recorded: d is None or d <= recorded))
        year = draw(st.none() | st.integers(2020, 2023))
        methods = draw(st.sampled_from([(), ("A",), ("A", "B")]))
        made.append(replace(
            base, factor_id=f"F{i}", valid_from=since, valid_to=end, recorded_at=recorded, published_on=published, data_year=year,
            methods=methods, text=draw(st.sampled_from("123")),
        ))  # fmt: skip
    return made


@given(_rows(), _DAYS, _OPEN, _OPEN, st.sampled_from(["", "A", "B", "C"]), st.sampled_from([LATEST, SAME_YEAR]))
def test_what_was_in_force_and_what_was_known_is_what_a_plain_search_finds(
    rows: list[Factor], on: date, known_on: date | None, by: date | None, method: str, policy: str
) -> None:
    best: Factor | None = None
    for row in rows:
        if method and row.methods and method not in row.methods:
            continue
        if on < row.valid_from or (row.valid_to is not None and on >= row.valid_to):
            continue
        if known_on is not None and row.recorded_at > known_on:
            continue
        if by is not None and (row.published_on is None or row.published_on > by):
            continue
        if policy == SAME_YEAR and row.data_year is not None and row.data_year != on.year:
            continue
        if best is None or _later(row, best):
            best = row
    book = FactorBook(rows, lambda _years: {(policy, by)})
    asked = {"method": method, "known_on": known_on, "published_by": by, "policy": policy}
    if best is None:
        with pytest.raises(MissingFactor, match=f"heat purchased{f' {method}' * bool(method)} on {on}"):
            book.find("heat", "purchased", on, **asked)  # type: ignore[arg-type]
        return
    found = book.find("heat", "purchased", on, **asked)  # type: ignore[arg-type]
    assert found is best
    if known_on is None:
        # Whatever a method may be given in a window is part of the window's version.
        assert found in book.in_force(on, on)
        assert found in book.in_force(on - timedelta(40), on + timedelta(40))
        others = [replace(r, text="9") if r is found else r for r in rows]
        assert FactorBook(others, lambda _years: {(policy, by)}).version(on, on) != book.version(on, on)


def _later(row: Factor, than: Factor) -> bool:
    for a, b in (
        (row.valid_from, than.valid_from), (row.recorded_at, than.recorded_at),
        (row.published_on or date.min, than.published_on or date.min), (row.factor_id, than.factor_id),
    ):  # fmt: skip
        if a != b:
            return a > b
    return False


def test_a_correction_supersedes_its_own_earlier_record_and_chains_go_on(tmp_path: Path) -> None:
    first = OWN | {"factor_id": "OWN.GZ", "supersedes": "CN.GRID.GZ.2023"}
    second = first | {"value": "0.5710", "recorded_at": "2026-12-05", "supersedes": "OWN.GZ"}
    book = FactorBook.load(overlay=_overlay(tmp_path, first, second))
    asked = [
        book.find("grid", "province", MAY_24, region="贵州", known_on=date(2026, 12, d)).text for d in (1, 2, 4, 5)
    ]
    assert asked == ["0.5683", "0.5700", "0.5700", "0.5710"]


def test_what_is_published_after_the_day_of_a_report_is_not_taken_for_it(tmp_path: Path) -> None:
    book = FactorBook.load(overlay=_overlay(tmp_path, OWN))
    taken = {
        by: book.find("grid", "province", MAY_24, region="贵州", published_by=by).text
        for by in (date(2026, 11, 30), date(2026, 12, 1))
    }
    assert list(taken.values()) == ["0.5683", "0.5700"]


def test_rows_keep_their_printed_text() -> None:
    assert all(isinstance(r, Factor) and str(r.exact) == r.text for r in BOOK.rows)
