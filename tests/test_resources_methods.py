"""The method book: which methods are computed for a year, what a version covers, and every mistake by file and key."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

import reference
from resources.editions import moved, remember
from resources.home import Home
from resources.methods import MethodBook, MethodError
from resources.methods_home import COLUMNS
from resources.settings import Settings
from resources.storage import LocalStorage

BOOK = MethodBook.load()
DOCS = Path(__file__).parents[1] / "docs"
V01 = "CETS-AG-02.01-V01-2024"
KNOWN = {
    V01, "MEE-332-2023", "NDRC-2013", "NDRC-2016-SUP", "GBT32151.8-2015", "GBT32151.8-2023", "GCCA-CSI-v3-B1", "GCCA-CSI-v3-B2",
    "IPCC-2006-T1", "IPCC-2006-T2", "IPCC-2006-T3", "EU-MRR-A", "EU-MRR-B", "EPA-98H",
}  # fmt: skip


def test_every_method_is_there_with_texts_a_period_and_where_it_was_read() -> None:
    assert {m.id for m in BOOK.methods} == KNOWN
    for method in BOOK.methods:
        assert method.zh
        assert method.en
        assert method.number
        assert method.text["sources"]
        assert method.to_year is None or method.to_year > method.from_year
        assert (method.confidence == "draft") == (method.text["method"]["mark"] in "MU")


@pytest.mark.parametrize(
    ("year", "first", "absent"),
    [
        pytest.param(2012, None, "NDRC-2013", id="before"),
        pytest.param(2013, "NDRC-2013", V01, id="2013"),
        pytest.param(2022, "MEE-332-2023", V01, id="2022"),
        pytest.param(2024, V01, "MEE-332-2023", id="2024"),
        pytest.param(2031, V01, "MEE-332-2023", id="open"),
    ],
)
def test_methods_of_a_year_stand_side_by_side(year: int, first: str | None, absent: str) -> None:
    ids = [m.id for m in BOOK.of_year(year)]
    assert ids[:1] == ([first] if first else [])
    assert absent not in ids


def test_what_the_guideline_of_2024_takes() -> None:
    method = BOOK[V01]
    assert [p.id for p in method.parts if p.level == "line"] == ["fossil", "clinker", "deduction"]
    assert {p.unit for p in method.parts if p.sum == "process"} == {"process"}
    places = {
        q: method.profile.places(q) for q in ("fuel", "ncv", "carbon", "clinker", "emission", "intensity", "whole")
    }
    assert places == {"fuel": 2, "ncv": 3, "carbon": 5, "clinker": 2, "emission": 2, "intensity": 4, "whole": 0}
    assert (method.profile.exact_sums, method.corrects_meters, method.in_force(2024), method.in_force(2023)) == (
        False,
        True,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("method", "cao", "mgo"),
    [("NDRC-2013", "44/56", "44/40"), ("GCCA-CSI-v3-B2", "0.785", "1.092"), ("EU-MRR-B", "0.785", "1.092"), ("EPA-98H", "0.785", "1.092")],
)  # fmt: skip
def test_stoichiometry_is_that_of_each_method(method: str, cao: str, mgo: str) -> None:
    part = BOOK[method].part("oxides")
    assert part is not None
    assert (part.ratio("cao_ratio"), part.ratio("mgo_ratio")) == (Fraction(cao), Fraction(mgo))


def span(year: int) -> tuple[date, date]:
    return date(year, 1, 1), date(year, 12, 31)


def test_a_version_covers_what_is_computed_in_its_years_and_no_more() -> None:
    method = BOOK["MEE-332-2023"]
    changed = BOOK.with_method(replace(method, profile=replace(method.profile, decimals={"emission": 3})))
    assert changed.version(*span(2022)) != BOOK.version(*span(2022))
    assert changed.version(*span(2024)) == BOOK.version(*span(2024))
    titled = BOOK.with_method(replace(BOOK[V01], en="another title"))
    assert titled.version(*span(2024)) == BOOK.version(*span(2024))
    # Ending a method later moves the years from then on.
    ended = BOOK.with_method(replace(BOOK[V01], to_year=2027))
    assert ended.version(*span(2026)) == BOOK.version(*span(2026))
    assert ended.version(*span(2027)) != BOOK.version(*span(2027))
    assert BOOK.with_runs(V01).version(*span(2024)) != BOOK.version(*span(2024))
    assert BOOK.version(date(2024, 2, 1), date(2024, 2, 29)) == BOOK.version(*span(2024))


def test_provinces_have_their_regional_grid() -> None:
    assert [BOOK.region(p) for p in ("贵州省", "广西壮族自治区", "河北", "Nowhere")] == ["南方", "南方", "华北", ""]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(reference.METHODS, tmp_path / "methods")


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        pytest.param("NDRC-2013.toml", 'formula = "oxides"', 'formula = "oxide"', "NDRC-2013.toml [part[3].formula='oxide']", id="formula"),
        pytest.param("NDRC-2013.toml", 'mgo_ratio = "44/40"', 'mgo_ratio = "44:40"', "[part[3].mgo_ratio='44:40']", id="ratio"),
        pytest.param("NDRC-2013.toml", 'rounding = "ndrc-2013"', 'rounding = "none"', "[method.rounding='none']", id="profile"),
        pytest.param("NDRC-2013.toml", 'id = "NDRC-2013"', 'id = "NDRC-2014"', "与文件名不符", id="name"),
        pytest.param("NDRC-2013.toml", 'source = ["code"]', 'source = ["book"]', "source='book'", id="source"),
        pytest.param("NDRC-2013.toml", 'level = "line"', 'layer = "line"', "layer='line'", id="key"),
        pytest.param("NDRC-2013.toml", "from_year = 2013", 'from_year = "2013"', "is not a year", id="year"),
        pytest.param("MEE-332-2023.toml", 'confidence = "draft"', 'confidence = "verified"', "confidence='verified'", id="confidence"),
        pytest.param("rounding.toml", "intensity = 4", "intensity = 40", "profile[1].intensity='40'", id="decimals"),
        pytest.param("runs.toml", '"IPCC-2006-T2"', '"IPCC-2006-T9"', "methods='IPCC-2006-T9'", id="run"),
        pytest.param("EPA-98H.toml", "[method]", "[method", "TOML", id="toml"),
    ],
)  # fmt: skip
def test_every_mistake_names_file_and_key(folder: Path, file: str, old: str, new: str, named: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(MethodError) as error:
        MethodBook.load(folder)
    assert named in str(error.value)


# ---- what a home chooses ----------------------------------------------------------------------------------------------------------

HEAD = "method_id,from_year,to_year,factor_policy,published_by,note\n"


def chosen(folder: Path, *rows: str) -> MethodBook:
    folder.mkdir(exist_ok=True)
    (folder / "methods.csv").write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    return MethodBook.load(overlay=LocalStorage(folder))


def test_a_home_chooses_the_methods_of_a_year_and_other_years_keep_the_list(tmp_path: Path) -> None:
    book = chosen(tmp_path, "IPCC-2006-T1,2024,2026,,,", f"{V01},2024,2025,,,", "", "NDRC-2013,2013,2014,,,")
    ids = {y: [m.id for m in book.of_year(y)] for y in (2013, 2014, 2024, 2025, 2026)}
    assert ids == {
        2013: ["NDRC-2013"], 2014: [m.id for m in BOOK.of_year(2014)], 2024: ["IPCC-2006-T1", V01], 2025: ["IPCC-2006-T1"],
        2026: [m.id for m in BOOK.of_year(2026)],
    }  # fmt: skip
    assert {y for y in range(2010, 2031) if book.version(*span(y)) != BOOK.version(*span(y))} == {2013, 2024, 2025}


def test_a_choice_of_what_is_computed_anyway_asks_for_nothing(tmp_path: Path) -> None:
    book = chosen(tmp_path, *(f"{m.id},2024,2025,latest_published,,said once more" for m in BOOK.of_year(2024)))
    assert book.version(*span(2024)) == BOOK.version(*span(2024))
    assert [book.hash_of(m) for m in book.of_year(2024)] == [BOOK.hash_of(m) for m in BOOK.of_year(2024)]


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        pytest.param(["NDRC-2014,2024,,,,"], "methods.csv:2 [method_id='NDRC-2014'] 未知的方法 / is no method", id="unknown"),
        pytest.param(["NDRC-2016-SUP,2024,,,,"], "is known by name only", id="name-only"),
        pytest.param(["NDRC-2013,24,,,,"], "[from_year='24'] 不是年份", id="year"),
        pytest.param(["NDRC-2013,2024,2024,,,"], "[to_year='2024'] 不晚于 from_year", id="period"),
        pytest.param(["NDRC-2013,,,,,"], "[from_year=''] 未填", id="empty"),
        pytest.param(["NDRC-2013,2024,,newest,,"], "[factor_policy='newest'] 未知的取值", id="policy"),
        pytest.param(["NDRC-2013,2024,,,2025/3/1,"], "[published_by='2025/3/1'] 不是日期", id="day"),
        pytest.param(["NDRC-2013,2024,,,20250301,"], "[published_by='20250301'] 不是日期", id="day-without-dashes"),
        pytest.param(["NDRC-2013,2020,2025,,,", f"{V01},2024,,,,", "NDRC-2013,2024,,,,"], "methods.csv:4 [from_year='2024'] 2024 年与第 2 行重复", id="twice"),
    ],
)  # fmt: skip
def test_every_mistake_in_the_choice_names_line_and_cell(tmp_path: Path, rows: list[str], named: str) -> None:
    with pytest.raises(MethodError) as error:
        chosen(tmp_path, *rows)
    assert named in str(error.value)
    assert " -> " in str(error.value)


@pytest.mark.parametrize(
    ("content", "named"),
    [("method_id,years\n", "[years='']"), ("method_id\n", "[from_year='']"), ("方法", "UTF-8")],
    ids=["strange-column", "missing-column", "encoding"],
)
def test_another_head_or_encoding_is_refused(tmp_path: Path, content: str, named: str) -> None:
    (tmp_path / "methods.csv").write_bytes(content.encode("gb18030"))
    with pytest.raises(MethodError) as error:
        MethodBook.load(overlay=LocalStorage(tmp_path))
    assert named in str(error.value)


@pytest.mark.parametrize("page", ["carbon.md", "carbon.zh-CN.md"])
def test_the_example_of_the_pages_loads_and_every_column_is_explained(tmp_path: Path, page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    (example,) = re.findall(r"```csv\n(method_id.*?)```", text, re.DOTALL)
    (tmp_path / "methods.csv").write_text(example, encoding="utf-8")
    book = MethodBook.load(overlay=LocalStorage(tmp_path))
    assert [m.selection for m in book.of_year(2024)] == ["latest_published 2026-03-31", "latest_published"]
    part = text.split("registry/methods.csv", 1)[1]
    assert all(f"`{column}`" in part for column in COLUMNS)
    assert {m.id for m in BOOK.methods if f"`{m.id}`" not in text} <= {"GCCA-CSI-v3-B2", "IPCC-2006-T3"}


def test_what_was_computed_is_kept_by_version_so_that_a_plan_can_name_the_row(tmp_path: Path) -> None:
    def home() -> Home:
        return Home(Settings(home=str(tmp_path)))

    name = "methods:2024-01-01:2024-12-31"
    before = home().methods.version(*span(2024))
    remember(home(), {name: before})
    chosen(tmp_path / "registry", f"{V01},2024,,same_data_year,,")
    found = {m.series: m for m in moved(home(), name, before)}
    assert found[f"{V01} 2024"].new is not None
    assert found[f"{V01} 2024"].new["selection"] == "same_data_year"
    assert found[f"{V01} 2024"].new["file"] == "registry/methods.csv"
    assert found["NDRC-2013 2024"].new is None
