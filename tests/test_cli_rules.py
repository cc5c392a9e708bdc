"""`kiln rules`: packs listed, shown and compared, for people and for scripts; and the pages that explain it."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

import reference
from pipelines.cli import main
from pipelines.doctor import examine
from resources.rules import RuleBook
from resources.rules_differences import differences
from resources.settings import Settings
from tests.homes import outlet, write_home
from tests.rules_edit import edited

ROOT = Path(__file__).parents[1]
PAGES = ("docs/rules.md", "docs/rules.zh-CN.md")
BOOK = RuleBook.load()


def kiln(*args: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["rules", *args])
    assert result.exit_code == code, result.output
    return result.output


def told(*args: str):
    return json.loads(kiln(*args, "--json"))


def test_list_names_every_pack_with_its_dates_rows_and_drafts() -> None:
    made = {p["id"]: p for p in told("list", "--date", "2026-05-01")["packs"]}
    assert set(made) == {p.id for p in BOOK.packs}
    hebei = made["db13-2167-2020"]
    assert (hebei["kind"], hebei["effective_from"], hebei["provinces"], hebei["confidence"], hebei["drafts"]) == (
        "mandatory", "2021-10-01", ["河北", "Hebei"], "secondary", [],
    )  # fmt: skip
    assert made["gb4915-2013"]["rows"] > made["gb4915-2013"]["in_force"]
    assert "gb4915-2013/o2_reference/dryer" in made["gb4915-2013"]["drafts"]
    assert made["us-neshap-lll"]["variants"] == ["existing", "new"]
    text = kiln("list", "--date", "2026-05-01")
    for pack in BOOK.packs:
        line = next(row for row in text.splitlines() if row.startswith(f"{pack.id} "))
        assert pack.title_zh in line
        assert pack.title_en in line
    assert "选用 if chosen" in text
    assert "依法 by law" in text


def test_list_shows_what_holds_on_its_day() -> None:
    def in_force(day: str) -> dict[str, int]:
        return {p["id"]: p["in_force"] for p in told("list", "--date", day)["packs"]}

    assert in_force("2012-01-01")["gb4915-2013"] == 0
    assert in_force("2017-01-01")["hjt75-2007"] > in_force("2026-01-01")["hjt75-2007"] == 0


@pytest.mark.parametrize("pack", [p.id for p in BOOK.packs])
def test_show_tells_every_row_with_its_worth_and_source(pack: str) -> None:
    text, rows = kiln("show", pack), told("show", pack)["rows"]
    assert len(rows) == len(BOOK.rows(pack))
    for row in rows:
        assert row["clause"] in text
        assert row["source"]
        assert f"{row['mark']} {row['confidence']}" in text
        assert row["note"] in text
    for row in BOOK.rows(pack):
        if row.table == "limit":
            assert f"{row.cells['value_mg_m3']:g} mg/m3" in text
        if row.table == "standard_limit":
            assert f"{row.cells['value']:g} {row.cells['unit']}" in text


def test_show_of_a_day_leaves_out_what_is_not_in_force() -> None:
    assert "400 mg/m3" in kiln("show", "gb4915", "--date", "2026-03-31")
    rows = told("show", "gb4915-2013", "--date", "2026-04-01")["rows"]
    dryers = {(r["pollutant"], r["value_mg_m3"]) for r in rows if r["table"] == "limit" and "dryer" in r["point_types"]}
    assert dryers == {("pm", 10), ("so2", 50), ("nox", 80), ("nh3", 8)}


@pytest.mark.parametrize(("name", "said"), [("db", "no one pack db"), ("gb-4915", "there are cn-ule-2024")])
def test_a_pack_that_is_not_there_is_a_sentence(name: str, said: str) -> None:
    assert said in kiln("show", name, code=2)


def test_columns_line_up_although_Chinese_is_wide() -> None:
    lines = kiln("list", "--date", "2026-05-01").splitlines()[:5]
    at = {sum(2 if ord(c) > 0x2E80 else 1 for c in line[: line.index(word)]) for line, word in zip(
        lines, ["适用", "依法", "依法", "依法", "依法"], strict=True)}  # fmt: skip
    assert len(at) == 1


# ---- diff ------------------------------------------------------------------------------------------------------------


def test_R17_diff_between_two_days_tells_the_amendment() -> None:
    made = told("diff", "2026-03-31", "2026-04-01")
    changed = {d["id"]: d for d in made["differences"]}
    assert changed["gb4915-2013/dryer/nox/amendment-2026"]["kind"] == "added"
    assert changed["gb4915-2013/dryer/nox/general"]["kind"] == "removed"
    assert changed["gb4915-2013/o2_reference/dryer"]["changes"]["confidence"] == ["memory", "draft"]
    assert (made["added"], made["removed"], made["changed"]) == (4, 6, 1)
    text = kiln("diff", "2026-03-31", "2026-04-01")
    assert "+ gb4915-2013/dryer/nox/amendment-2026: value_mg_m3 80; confidence secondary" in text
    assert "- gb4915-2013/dryer/nox/general: value_mg_m3 400; confidence memory" in text


def test_diff_between_equal_days_says_so() -> None:
    assert "没有差别 no difference" in kiln("diff", "2026-05-01", "2026-05-02")


def test_diff_between_two_editions_names_values_rows_and_dates(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copytree(reference.RULES, old)
    edited(tmp_path / "edit", "cn-ule-2024.toml", 'pollutant = "nox"\nvalue_mg_m3 = 50\nclause = "有组织', 'pollutant = "nox"\nvalue_mg_m3 = 45\nclause = "有组织')  # fmt: skip
    shutil.move(tmp_path / "edit" / "rules", new)
    (new / "db34-3576-2020.toml").unlink()
    made = told("diff", str(old), str(new))
    assert [d["id"] for d in made["differences"] if d["kind"] == "removed"] == [
        f"db34-3576-2020/kiln_tail/{p}" for p in ("nox", "pm", "so2")
    ]
    (changed,) = [d for d in made["differences"] if d["kind"] == "changed"]
    assert (changed["id"], changed["effective_from"]) == ("cn-ule-2024/kiln_tail/nox", "2024-01-15")
    assert changed["changes"] == {"value_mg_m3": [50, 45]}
    assert "~ cn-ule-2024/kiln_tail/nox (2024-01-15): value_mg_m3 50 -> 45" in kiln("diff", str(old), str(new))
    assert told("diff", str(old), "installed")["differences"] == []


def test_diff_refuses_what_it_cannot_compare(tmp_path: Path) -> None:
    assert "two days or two folders" in kiln("diff", "2026-01-01", str(tmp_path), code=2)
    assert "no such folder" in kiln("diff", str(tmp_path / "x"), str(tmp_path), code=2)
    (tmp_path / "x.toml").write_text("[pack", encoding="utf-8")
    assert "is no TOML" in kiln("diff", str(tmp_path), "installed", code=3)


@pytest.mark.parametrize("days", [("2018-02-28", "2018-03-01"), ("2021-01-01", "2026-11-22")])
def test_diff_there_and_back_is_the_mirror(days: tuple[str, str]) -> None:
    first, last = (date.fromisoformat(d) for d in days)
    there, back = differences(BOOK, BOOK, first, last), differences(BOOK, BOOK, last, first)
    swap = {"added": "removed", "removed": "added", "changed": "changed"}
    assert there
    assert [(swap[d.kind], d.id, {n: (b, a) for n, (a, b) in d.changes.items()}) for d in there] == [
        (d.kind, d.id, d.changes) for d in back
    ]


# ---- where standards are chosen ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "level", "said"),
    [("*,eu-ied-2010,,2020-01-01,", 0, "eu-ied-2010"), ("*,eu-ied-2011,,2020-01-01,", 2, "standards.csv:2")],
    ids=["sound", "unknown-pack"],
)
def test_the_doctor_looks_at_the_chosen_standards(tmp_path: Path, row: str, level: int, said: str) -> None:
    write_home(tmp_path, {}, outlets=[outlet("A")], devices=[])
    (tmp_path / "registry" / "standards.csv").write_text(f"scope,pack,variant,valid_from,valid_to\n{row}\n", "utf-8")
    (found,) = [f for f in examine(Settings(home=str(tmp_path))) if f.what == "standards"]
    assert found.level == level
    assert said in found.text


def test_a_run_is_refused_by_a_broken_choice_before_anything_is_made(tmp_path: Path) -> None:
    write_home(tmp_path, {}, outlets=[outlet("A")], devices=[])
    (tmp_path / "registry" / "standards.csv").write_text("scope,pack\n", "utf-8")
    result = CliRunner().invoke(main, ["run", "--home", str(tmp_path)])
    assert result.exit_code == 3
    assert "standards.csv:1 [variant='']" in result.output
    assert not (tmp_path / "lake").exists()


# ---- the pages --------------------------------------------------------------------------------------------------------


def blocks(page: str, kind: str) -> dict[str, str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return dict(re.findall(rf"<!-- file: (\S+) -->\n```{kind}\n(.*?)```", text, re.DOTALL))


@pytest.mark.parametrize("page", PAGES)
def test_the_example_of_the_page_is_a_pack_that_does_what_it_says(page: str, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(reference.RULES, rules)
    ((name, content),) = blocks(page, "toml").items()
    (rules / name).write_text(content, encoding="utf-8")
    book = RuleBook.load(rules)
    asked = {"point_type": "kiln_tail", "pollutant": "nox", "reductant": "none", "permits": [], "province": "云南省"}
    found = [
        book.limit("mandatory", day=d, region_class="general", **asked) for d in (date(2026, 12, 31), date(2027, 1, 1))
    ]
    assert [f.value_mg_m3 for f in found] == [150, 100]
    assert found[0].rule_id.startswith("db53-0000-2025/")
    made = differences(BOOK, book)
    assert {d.pack for d in made} == {"db53-0000-2025"}
    assert blocks(page, "toml") == blocks(PAGES[0], "toml")


@pytest.mark.parametrize("page", PAGES)
def test_the_choice_of_the_page_is_one_that_a_home_can_make(page: str, tmp_path: Path) -> None:
    write_home(tmp_path, {}, outlets=[outlet("GZ001-K1")], devices=[])
    ((name, content),) = blocks(page, "csv").items()
    (tmp_path / "registry" / name).write_text(content, encoding="utf-8")
    (found,) = [f for f in examine(Settings(home=str(tmp_path))) if f.what == "standards"]
    assert found.level == 0, found.text


@pytest.mark.parametrize("page", PAGES)
def test_the_page_names_what_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for line in re.findall(r"^kiln rules (.+)$", text, re.MULTILINE):
        args = line.split("#")[0].split()
        if "my-rules-new" not in args:
            kiln(*args)
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert ((ROOT / page).parent / link).exists(), link
    for pack in re.findall(r"`((?:db|eu|us|gb|cn|zj)-?[\w-]+)\.toml`", text):
        assert (reference.RULES / f"{pack}.toml").exists(), pack
