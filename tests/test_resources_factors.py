"""The factor book: which factor holds, what was known when, what a version covers, and every mistake by file and line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.factors import SAME_YEAR, FactorBook, FactorError, MissingFactor
from resources.factors_read import COLUMNS, Factor, read_factors
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
        pytest.param({"valid_from": "2023/1/1"}, "[valid_from='2023/1/1']", id="day"),
        pytest.param({"valid_to": "2022-01-01"}, "[valid_to='2022-01-01']", id="period"),
        pytest.param({"mark": "S", "confidence": "verified"}, "[confidence='verified']", id="confidence"),
        pytest.param({"source": ""}, "[source=''] 未填 / is empty", id="empty"),
    ],
)
def test_every_mistake_names_file_line_and_cell(tmp_path: Path, change: dict[str, str], named: str) -> None:
    with pytest.raises(FactorError) as error:
        FactorBook.load(overlay=_overlay(tmp_path, OWN | change))
    assert f"registry/factors-own.csv:2 {named}" in str(error.value)


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


def test_rows_keep_their_printed_text() -> None:
    assert all(isinstance(r, Factor) and str(r.exact) == r.text for r in BOOK.rows)
