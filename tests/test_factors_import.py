"""Editions of factors: foreign lists read by their maps, compared, and imported into a home."""

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli import main
from resources.factors import FactorBook
from resources.factors_import import Change, compare
from resources.factors_maps import known_maps, load_map, read_edition
from resources.storage import open_storage

DATA = Path(__file__).parents[1] / "../shared/data/factors"
published = pytest.mark.skipif(not DATA.is_dir(), reason="the published editions are not here")
UK = load_map("uk-ghg")
GRID = load_map("cn-grid-wide")
WIDE = "level,name,data_year_2021,data_year_2022,unit_of_the_numbers\nprovince,贵州,0.5,{value},{unit}\n"


def uk(year: int) -> list:  # type: ignore[type-arg]
    name = f"{year}_fuels_electricity_slice.csv"
    rows, problems = read_edition(name, (DATA / name).read_bytes(), UK)
    assert problems == []
    return rows


def kiln(home: Path, *words: str, code: int = 0) -> dict:  # type: ignore[type-arg]
    result = CliRunner().invoke(main, [*words, "--home", str(home), "--json"], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def book(home: Path) -> FactorBook:
    return FactorBook.load(overlay=open_storage(str(home / "registry")))


@published
@pytest.mark.parametrize(
    ("year", "rows", "zeros"), [(2016, 555, 2), (2017, 1019, 2), (2018, 1067, 50), (2019, 1035, 2), (2020, 1035, 3), (2021, 1119, 2)]
)  # fmt: skip
def test_every_edition_is_read_to_the_last_value_whatever_its_columns(year: int, rows: int, zeros: int) -> None:
    edition = uk(year)
    assert len(edition) == rows
    assert sum(r.value == 0 for r in edition) == zeros
    assert {(r.year, r.first, r.end) for r in edition} == {(year, date(year, 1, 1), date(year + 1, 1, 1))}
    assert all("United Kingdom" in r.name for r in edition), "a region that has no column is the one of the map"


@published
@pytest.mark.parametrize(
    ("year", "changed", "added", "removed"),
    [(2017, 342, 464, 0), (2018, 810, 48, 0), (2019, 684, 16, 48), (2020, 723, 0, 0), (2021, 675, 102, 18)],
)
def test_neighbouring_editions_differ_by_what_a_plain_count_finds(
    year: int, changed: int, added: int, removed: int
) -> None:
    old, new = uk(year - 1), uk(year)
    found = compare(old, new)
    counts = {k: sum(c.kind == k for c in found) for k in ("changed", "added", "removed", "unit")}
    assert counts == {"changed": changed, "added": added, "removed": removed, "unit": 0}
    assert counts == {**plain_count(year), "unit": 0}
    assert len(old) + added - removed == len(new)
    assert not any(c.jump for c in found)


#: Spellings of one unit in the editions.
SPELT = {"tonnes": "tonne", "kilowatt hour": "kwh", "litres": "litre", "cubic metres": "cubic metre"}


def plain_count(year: int) -> dict[str, int]:
    """By cells and sets alone, without maps and units of ours."""

    def cells(of: int) -> dict[tuple[str, ...], Decimal]:
        with (DATA / f"{of}_fuels_electricity_slice.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = [{k.strip(): v.strip() for k, v in r.items()} for r in csv.DictReader(file)]
        named = ("Scope", "Level 2", "Level 3", "Level 4", "Column Text", "emission_target")
        unit = [r["UOM"].casefold() for r in rows]
        value = [r[f"GHG Conversion Factor {of}"] for r in rows]
        made = zip(rows, unit, value, strict=True)
        return {(*(r[n] for n in named), SPELT.get(u, u)): Decimal(v) for r, u, v in made if v}

    old, new = cells(year - 1), cells(year)
    changed = sum(old[k] != new[k] for k in old.keys() & new.keys())
    return {"changed": changed, "added": len(new.keys() - old.keys()), "removed": len(old.keys() - new.keys())}


@published
def test_from_2016_to_2021_the_grid_became_cleaner() -> None:
    (grid,) = [
        c
        for c in compare(uk(2016), uk(2021))
        if c.kind == "changed" and "Electricity generated / Electricity: UK / carbon dioxide /" in c.name
    ]
    assert grid.old is not None
    assert grid.new is not None
    assert (grid.old.unit, grid.new.text) == ("kg/kWh", "0.21016")
    assert grid.old.value > grid.new.value
    assert not grid.jump


@published
def test_regions_that_are_given_in_kwh_are_brought_to_the_unit_of_the_provinces_and_it_is_said(tmp_path: Path) -> None:
    file = DATA / "china_grid_factors_2021_2022.csv"
    rows, problems = read_edition(file.name, file.read_bytes(), GRID)
    assert problems == []
    assert {r.unit for r in rows} == {"tCO2/MWh"}
    assert all(Decimal("0.05") < r.value < Decimal("1.2") for r in rows)
    north = next(r for r in rows if r.cells["name"] == "华北" and r.year == 2021)
    assert (north.text, north.converted.startswith("x 1000")) == ("0.712", True)
    (tmp_path / "registry").mkdir()
    data = kiln(tmp_path, "factors", "import", str(file), "--map", "cn-grid-wide")
    assert data["problems"] == []
    assert data["jumps"] == 0
    # The book was filled from the same announcements: 30 provinces and 7 regions in two years.
    assert (data["known"], data["fresh"], data["changes"], data["left"]) == (74, 0, [], 0)


def test_a_unit_that_nobody_told_is_refused_by_its_row(tmp_path: Path) -> None:
    rows, problems = read_edition("f.csv", WIDE.format(value="0.48", unit="kgCO2/MWh").encode(), GRID)
    assert rows == []
    assert {(p.row, p.column, p.value) for p in problems} == {(2, "unit_of_the_numbers", "kgCO2/MWh")}


@pytest.mark.parametrize("text", ["", "0"], ids=["empty", "zero"])
def test_an_empty_cell_is_no_zero(text: str) -> None:
    rows, problems = read_edition("f.csv", WIDE.format(value=text, unit="tCO2/MWh").encode(), GRID)
    assert problems == []
    assert [r.text for r in rows if r.year == 2022] == (["0"] if text else [])


def test_a_column_with_another_year_is_found_and_a_missing_one_is_named() -> None:
    later = WIDE.format(value="0.48", unit="tCO2/MWh").replace("2022", "2031")
    assert {r.year for r in read_edition("f.csv", later.encode(), GRID)[0]} == {2021, 2031}
    _, problems = read_edition("f.csv", b"level,name,unit_of_the_numbers\n", GRID)
    assert [p.column for p in problems] == ["data_year_{year}"]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        pytest.param("unit_of_the_numbers", "units", ["unit_of_the_numbers"], id="renamed"),
        pytest.param("level,name", "area,place", ["level", "name"], id="two-renamed"),
        pytest.param("data_year_2021,data_year_2022", "2021,2022", ["data_year_{year}"], id="years-renamed"),
        pytest.param("data_year_2021", "data_year_2022", ["data_year_2022"], id="one-year-twice"),
        pytest.param("level,", "level, LEVEL,", ["level"], id="one-column-twice"),
    ],
)
def test_a_drifted_header_is_refused_by_the_columns_it_lacks_or_repeats(old: str, new: str, named: list[str]) -> None:
    text = WIDE.format(value="0.48", unit="tCO2/MWh").replace(old, new, 1)
    rows, problems = read_edition("f.csv", text.encode(), GRID)
    assert (rows, [p.column for p in problems], {p.row for p in problems}) == ([], named, {1})


def test_case_and_spaces_and_a_mark_of_byte_order_in_a_header_are_no_drift() -> None:
    text = WIDE.format(value="0.48", unit="tCO2/MWh")
    drifted = text.replace("level,name,data_year_2021", " Level ,NAME,Data_Year_2021", 1)
    plain, drift = (read_edition("f.csv", t, GRID) for t in (text.encode(), drifted.encode("utf-8-sig")))
    assert drift[1] == []
    assert [(r.name, r.year, r.value) for r in drift[0]] == [(r.name, r.year, r.value) for r in plain[0]]


@pytest.mark.parametrize(
    ("content", "row", "said"),
    [
        pytest.param(WIDE.format(value="NaN", unit="tCO2/MWh").encode(), 2, "is no number", id="nan"),
        pytest.param(WIDE.format(value="0_48", unit="tCO2/MWh").encode(), 2, "is no number", id="underscore"),
        pytest.param(WIDE.format(value="0,48", unit="tCO2/MWh").encode(), 2, "more cells", id="decimal-comma"),
        pytest.param(WIDE.format(value="0.48", unit="tCO2/MWh").encode("gb18030"), 0, "UTF-8", id="encoding"),
        pytest.param(b"", 1, "column is missing", id="empty"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_row(content: bytes, row: int, said: str) -> None:
    _, problems = read_edition("f.csv", content, GRID)
    assert problems
    assert {p.row for p in problems} == {row}
    assert all(said in p.text_en for p in problems)


@published
def test_a_day_of_the_real_editions_that_is_none_is_refused_by_its_row() -> None:
    content = (DATA / "2016_fuels_electricity_slice.csv").read_bytes().decode("utf-8-sig")
    broken = content.replace("2016-01-01", "01/01/2016", 1)
    assert broken != content
    rows, problems = read_edition("f.csv", broken.encode(), UK)
    assert (len(rows), [(p.row, p.column) for p in problems]) == (554, [(2, "valid_from")])


def test_a_file_in_the_books_own_columns_is_refused_by_its_form(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    file = tmp_path / "own.csv"
    head = "factor_id,quantity,scope,value,unit,valid_from,source,mark,confidence"
    for text, said in (
        (f"{head},grade\nA,heat,purchased,0.1,tCO2/GJ,2024-01-01,x,S,secondary,1\n", "[grade=''] 未知的列"),
        (f"{head}\nA,heat,purchased,0.1,tCO2/GJ,2024-01-01,x,y,S,secondary\n", "own.csv:2 单元格多于表头"),
        (f"{head}\nA,heat,purchased,0.1,tCO2/GJ,2024-01-01,因子,S,secondary\n".encode("gb18030"), "UTF-8"),
    ):
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        data = kiln(tmp_path, "factors", "import", str(file), "--write", code=3)
        assert said in "".join(data["problems"])
        assert list((tmp_path / "registry").iterdir()) == []


def test_a_list_that_contradicts_itself_is_refused() -> None:
    text = WIDE.format(value="0.48", unit="tCO2/MWh")
    _, problems = read_edition("f.csv", (text + text.splitlines()[1].replace("0.48", "0.49") + "\n").encode(), GRID)
    assert [(p.row, "第 2 行" in p.text_zh) for p in problems] == [(3, True)]


def test_one_unit_left_on_each_side_is_a_change_of_unit() -> None:
    old, _ = read_edition("f.csv", WIDE.format(value="0.48", unit="tCO2/MWh").encode(), GRID)
    new = [type(r)(r.name, "kg/GJ", r.value, r.year, r.first, r.end, "", 2, {}) for r in old[:1]]
    assert [c.kind for c in compare(old[:1], new)] == ["unit"]


@pytest.mark.parametrize(
    ("old", "new", "jump"),
    [("0.5", "500", True), ("500", "0.5", True), ("0.5", "0.6", False), ("0", "5", False), ("0.5", "0", False)],
)
def test_an_order_of_magnitude_is_a_jump_and_a_zero_is_none(old: str, new: str, *, jump: bool) -> None:
    rows = [read_edition("f.csv", WIDE.format(value=v, unit="tCO2/MWh").encode(), GRID)[0][-1] for v in (old, new)]
    assert Change("changed", "x", *rows).jump == jump


def test_an_import_shows_first_and_writes_when_told_and_keeps_what_was_known(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    file = tmp_path / "new.csv"
    file.write_text(
        WIDE.format(value="0.4777", unit="tCO2/MWh")
        .replace("data_year_2021", "data_year_2023")
        .replace("0.5,", "0.4666,"),
        encoding="utf-8",
    )
    words = ("factors", "import", str(file), "--map", "cn-grid-wide", "--name", "grid", "--recorded-at", "2026-12-01")
    shown = kiln(tmp_path, *words)
    assert (shown["written"], shown["problems"], shown["target"]) == (False, [], "registry/factors-grid.csv")
    assert {c["name"] for c in shown["changes"]} == {"CN.GRID.贵州.2022", "CN.GRID.贵州.2023"}
    assert not (tmp_path / "registry/factors-grid.csv").exists()
    assert kiln(tmp_path, *words, "--write")["written"]
    found = book(tmp_path)
    asked = {"quantity": "grid", "scope": "province", "region": "贵州"}
    assert found.find(**asked, on=date(2022, 6, 1)).text == "0.4777"  # type: ignore[arg-type]
    assert found.find(**asked, on=date(2022, 6, 1), known_on=date(2026, 11, 30)).text == "0.4989"  # type: ignore[arg-type]
    again = kiln(tmp_path, *words, "--write")
    assert (again["fresh"], again["known"], again["written"]) == (0, 2, False)
    difference = kiln(tmp_path, "factors", "diff", "2026-11-30", "2026-12-01")
    assert {c["new"]["value"] for c in difference["changes"]} == {"0.4777", "0.4666"}


@published
def test_yearly_editions_follow_each_other_and_only_a_series_that_is_not_told_any_more_is_removed(
    tmp_path: Path,
) -> None:
    (tmp_path / "registry").mkdir()
    words = ("--map", "uk-ghg", "--name", "uk", "--write")
    found = []
    for year in (2016, 2017, 2021):
        file = DATA / f"{year}_fuels_electricity_slice.csv"
        data = kiln(tmp_path, "factors", "import", str(file), *words, "--recorded-at", f"2026-12-{year - 2010:02d}")
        found.append({k: data[k] for k in ("added", "changed", "removed", "unit", "fresh", "written")})
    first = {"added": 1, "changed": 0, "removed": 0, "unit": 0, "fresh": 1, "written": True}
    assert found == [first, first | {"added": 0, "changed": 1}, first | {"added": 0, "changed": 1}]
    own = [r.text for r in book(tmp_path).rows if r.scope == "country"]
    assert own == ["0.40957", "0.34885", "0.21016"]
    without = tmp_path / "without.csv"
    text = (DATA / "2021_fuels_electricity_slice.csv").read_text(encoding="utf-8-sig")
    without.write_text(
        "".join(n for n in text.splitlines(keepends=True) if "Electricity generated" not in n), encoding="utf-8"
    )
    data = kiln(tmp_path, "factors", "import", str(without), *words, "--recorded-at", "2026-12-12")
    assert {c["name"] for c in data["changes"] if c["kind"] == "removed"} >= {"UK.GRID.2021"}


@pytest.mark.parametrize(
    ("value", "jumps", "said"),
    [
        pytest.param("0.006", 1, "50 times or more away", id="far-from-the-one-in-force"),
        pytest.param("0.0004989", 0, "1000 times too small: looks like tCO2/kWh", id="outside-the-range"),
    ],
)
def test_a_value_in_another_unit_is_not_written(tmp_path: Path, value: str, jumps: int, said: str) -> None:
    (tmp_path / "registry").mkdir()
    file = tmp_path / "new.csv"
    file.write_text(WIDE.format(value=value, unit="tCO2/MWh"), encoding="utf-8")
    data = kiln(
        tmp_path,
        "factors",
        "import",
        str(file),
        "--map",
        "cn-grid-wide",
        "--recorded-at",
        "2026-12-01",
        "--write",
        code=3,
    )
    assert not data["written"]
    assert data["jumps"] == jumps
    assert any(said in str(p) for p in data["problems"])
    assert list((tmp_path / "registry").iterdir()) == []


def test_list_marks_drafts_and_knows_both_axes(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    data = kiln(tmp_path, "factors", "list", "--date", "2025-03-01", "--quantity", "grid")
    assert {f["quantity"] for f in data["factors"]} == {"grid"}
    assert data["drafts"] == sum(f["confidence"] == "draft" for f in data["factors"])
    assert kiln(tmp_path, "factors", "list", "--date", "2025-03-01", "--known-on", "2020-01-01")["factors"] == []
    result = CliRunner().invoke(main, ["factors", "list", "--home", str(tmp_path), "--date", "2025-03-01"])
    assert ("*草案 draft*" in result.output) == any(
        r.confidence == "draft" for r in book(tmp_path).in_force(date(2025, 3, 1), date(2025, 3, 1))
    )


def test_show_tells_every_row_of_a_series(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    rows = kiln(tmp_path, "factors", "show", "CN.GRID.GZ.2022")["rows"]
    assert {"CN.GRID.GZ.2021", "CN.GRID.GZ.2022"} <= {r["factor_id"] for r in rows}
    assert CliRunner().invoke(main, ["factors", "show", "nobody", "--home", str(tmp_path)]).exit_code == 2


def test_maps_are_complete() -> None:
    assert {"uk-ghg", "cn-grid-wide"} <= set(known_maps())
    for name in known_maps():
        by = load_map(name)
        assert all(by.titles)
        assert {f["from_unit"] for f in by.factors} <= {unit for unit, _ in by.units.values()}
