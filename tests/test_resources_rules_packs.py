"""Rule packs as files: what moves a version, and that everything wrong is named with file, line and key."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from resources.factors_hj212 import load_factor_codes, load_flag_rows
from resources.rules import RuleBook, RuleError
from resources.rules_schema import BY_CHOICE
from tests.rules_edit import edited

if TYPE_CHECKING:
    from pathlib import Path

BOOK = RuleBook.load()
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


def kiln_nox(book: RuleBook, day: date) -> float:
    found = book.limit(
        "ule", point_type="kiln_tail", pollutant="nox", day=day, region_class="general", reductant="none", permits=[]
    )
    assert found is not None
    return found.value_mg_m3


NOX = '''point_types = ["kiln_tail"]
pollutant = "nox"
value_mg_m3 = 50
clause = "有组织排放控制指标, 附表1 水泥窑及窑尾余热利用系统 (NOx 以 NO2 计)"
source = ["S1", "S2"]
mark = "V1"
confidence = "verified"
effective_from = 2024-01-15
'''  # fmt: skip
NOX_2027 = (
    NOX + "effective_to = 2027-01-01\n\n[[limit]]\n" + NOX.replace("= 50", "= 40").replace("2024-01-15", "2027-01-01")
)


def test_a_limit_changed_from_2027_leaves_2026_alone(tmp_path: Path) -> None:
    book = edited(tmp_path, "cn-ule-2024.toml", NOX, NOX_2027)
    assert [kiln_nox(book, d) for d in (date(2026, 12, 31), date(2027, 1, 1))] == [50, 40]
    assert book.version(*YEAR) == BOOK.version(*YEAR)
    following = (date(2027, 1, 1), date(2027, 1, 31))
    assert book.version(*following) != BOOK.version(*following)
    assert book.version(YEAR[0], following[1]) != BOOK.version(YEAR[0], following[1])
    changed = {k for k, v in book.pack_versions(*following).items() if BOOK.pack_versions(*following)[k] != v}
    assert changed == {"cn-ule-2024"}


def test_an_old_value_overwritten_moves_its_years_and_no_earlier_one(tmp_path: Path) -> None:
    book = edited(tmp_path, "cn-ule-2024.toml", NOX, NOX.replace("= 50", "= 45"))
    assert book.version(*YEAR) != BOOK.version(*YEAR)
    assert book.version(date(2023, 1, 1), date(2023, 12, 31)) == BOOK.version(date(2023, 1, 1), date(2023, 12, 31))


@pytest.mark.parametrize(
    ("old", "new", "moves"),
    [
        (NOX, NOX + 'note = "seen"\n', False),
        (NOX, NOX + "# a comment\n", False),
        (NOX, NOX.replace('["S1", "S2"]', '"S1"'), False),
        (NOX, NOX + "effective_to = 2027-01-01\n", False),
        (NOX, NOX.replace("2024-01-15", "2024-03-01"), False),
        (NOX, NOX.replace("2024-01-15", "2026-01-01"), False),
        (NOX, NOX.replace("2024-01-15", "2026-01-02"), True),
        (NOX, NOX + "effective_to = 2026-12-31\n", True),
        (NOX, NOX.replace("附表1", "附表 1"), True),
        (NOX, NOX.replace('"verified"', '"draft"'), True),
    ],
    ids=[
        "note",
        "comment",
        "source",
        "ends after",
        "starts before",
        "starts with it",
        "starts inside",
        "ends inside",
        "clause",
        "confidence",
    ],
)
def test_what_moves_the_version_of_2026(tmp_path: Path, old: str, new: str, moves: bool) -> None:
    assert (edited(tmp_path, "cn-ule-2024.toml", old, new).version(*YEAR) != BOOK.version(*YEAR)) == moves


def test_version_is_the_same_in_every_process_and_row_order(tmp_path: Path) -> None:
    text = (reference.RULES / "cn-ule-2024.toml").read_text(encoding="utf-8")
    row = "[[limit]]\n" + NOX
    book = edited(tmp_path, "cn-ule-2024.toml", text, text.replace(row, "") + "\n" + row)
    assert book.version(*YEAR) == BOOK.version(*YEAR)
    assert len({BOOK.version(date(y, 1, 1), date(y, 1, 31)) for y in (2010, 2019, 2023, 2024, 2026)}) == 5


def test_a_row_called_draft_is_listed_by_name(tmp_path: Path) -> None:
    book = edited(tmp_path, "cn-ule-2024.toml", NOX, NOX.replace('"verified"', '"draft"'))
    assert set(book.drafts(*YEAR)) - set(BOOK.drafts(*YEAR)) == {"cn-ule-2024/kiln_tail/nox"}


# ---- broken packs ---------------------------------------------------------------------------------------------------

BREAKS = [
    ("misspelt key", "value_mg_m3 = 50", "value_mgm3 = 50", ["limit[3].value_mgm3", "limit[3].value_mg_m3"]),
    ("text for a number", "value_mg_m3 = 50", 'value_mg_m3 = "50"', ["limit[3].value_mg_m3"]),
    ("negative", "value_mg_m3 = 50", "value_mg_m3 = -50", ["limit[3].value_mg_m3"]),
    ("not a number", "value_mg_m3 = 50", "value_mg_m3 = nan", ["limit[3].value_mg_m3"]),
    ("switch for a number", "value_mg_m3 = 50", "value_mg_m3 = true", ["limit[3].value_mg_m3"]),
    ("unknown pollutant", 'pollutant = "nox"', 'pollutant = "NOx"', ["limit[3].pollutant"]),
    ("unknown place", '["kiln_tail"]', '["kiln"]', ["limit[3].point_types"]),
    ("quoted date", "= 2024-01-15", '= "2024-01-15"', ["limit[3].effective_from"]),
    ("time for a date", "= 2024-01-15", "= 2024-01-15T00:00:00", ["limit[3].effective_from"]),
    ("ends before it starts", "= 2024-01-15\n", "= 2024-01-15\neffective_to = 2024-01-15\n", ["limit[3].effective_to"]),
    ("no clause", "clause = ", "note = ", ["limit[3].clause"]),
    ("unknown source", '"S2"', '"S7"', ["limit[3].source"]),
    ("confidence above its mark", 'mark = "V1"', 'mark = "M-lo"', ["limit[3].confidence"]),
    ("unknown mark", 'mark = "V1"', 'mark = "sure"', ["limit[3].mark"]),
    ("two at once", "value_mg_m3 = 50", "value_mg_m3 = 50\nregion_classes = [\"general\"]", []),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "keys"), [b[1:] for b in BREAKS], ids=[b[0] for b in BREAKS])
def test_a_broken_row_is_named_with_file_line_and_key(tmp_path: Path, old: str, new: str, keys: list[str]) -> None:
    change = NOX.replace(old, new)
    if not keys:
        assert kiln_nox(edited(tmp_path, "cn-ule-2024.toml", NOX, change), YEAR[0]) == 50
        return
    with pytest.raises(RuleError) as caught:
        edited(tmp_path, "cn-ule-2024.toml", NOX, change)
    line = (reference.RULES / "cn-ule-2024.toml").read_text(encoding="utf-8").split(NOX)[0].count("\n")
    assert [(p.file, p.row, p.column) for p in caught.value.problems] == [("cn-ule-2024.toml", line, k) for k in keys]


def test_errors_of_several_packs_come_at_once(tmp_path: Path) -> None:
    shutil.copytree(reference.RULES, tmp_path, dirs_exist_ok=True)
    for file, old, new in (
        ("cn-ule-2024.toml", '"nox"', '"NOx"'),
        ("policies.toml", "rounding_decimals = 1\n", ""),
        ("gb4915-2013.toml", "o2_pct = 10", "o2 = 10"),
    ):
        text = (tmp_path / file).read_text(encoding="utf-8")
        (tmp_path / file).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(RuleError) as caught:
        RuleBook.load(tmp_path)
    assert {p.file for p in caught.value.problems} == {"cn-ule-2024.toml", "policies.toml", "gb4915-2013.toml"}
    assert "policy[6].rounding_decimals" in {p.column for p in caught.value.problems}


def test_two_rows_in_force_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"is in force together with cn-ule-2024\.toml:\d+"):
        edited(
            tmp_path,
            "cn-ule-2024.toml",
            NOX,
            NOX_2027.replace("effective_to = 2027-01-01", "effective_to = 2027-01-02"),
        )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[pack", "is no TOML"),
        ("", "is missing"),
        ("[[limits]]\nvalue = 1\n", "unknown table"),
        ("limit = 3\n", "unknown table"),
        ("limit = [3]\n", "is missing"),
        ('sources = "x"\npack = "y"\n', "gives no sources"),
    ],
)
def test_files_that_are_no_packs(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    with pytest.raises(RuleError, match=said) as caught:
        RuleBook.load(tmp_path)
    assert all(p.file == "x.toml" for p in caught.value.problems)


def test_a_folder_without_packs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="no rule pack"):
        RuleBook.load(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("a34013,01,pm", "a34013,01,dust", (2, "channel")),
        ("a21026,02,", "a21026,01,", (3, "legacy_code")),
        ("a21026,02,", "a34013,02,", (3, "code")),
        ("verified,V1,\na21026", "sure,V1,\na21026", (2, "confidence")),
        ("颗粒物", "颗,粒物", (2, "")),
        ("code,legacy_code", "code,legacy", (1, "")),
    ],
    ids=["channel", "legacy twice", "code twice", "confidence", "ragged", "header"],
)
def test_a_broken_factor_table_is_named(tmp_path: Path, old: str, new: str, where: tuple[int, str]) -> None:
    text = (reference.HJ212 / "factors.csv").read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / "factors.csv").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(RuleError) as caught:
        load_factor_codes(tmp_path / "factors.csv")
    assert [(p.row, p.column) for p in caught.value.problems] == [where]


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("2017,F,", "2018,F,", (3, "flag_system")),
        ("2017,F,监测仪器停运,instrument stopped,false", "2017,F,监测仪器停运,instrument stopped,no", (3, "valid")),
        ("2017,F,", "2017,N,", (3, "flag")),
        (",,N,HJ 212-2017", ",,normal,HJ 212-2017", (2, "hour_tag")),
    ],
    ids=["system", "valid", "twice", "hour_tag"],
)
def test_a_broken_flag_table_is_named(tmp_path: Path, old: str, new: str, where: tuple[int, str]) -> None:
    text = (reference.HJ212 / "flags.csv").read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / "flags.csv").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(RuleError) as caught:
        load_flag_rows(tmp_path / "flags.csv")
    assert [(p.row, p.column) for p in caught.value.problems] == [where]


@settings(max_examples=150, deadline=None)
@given(data=st.data(), first=st.dates(date(2010, 1, 1), date(2032, 1, 1)), days=st.integers(0, 800))
def test_a_row_changed_from_a_day_on_moves_exactly_the_windows_that_see_it(data, first: date, days: int) -> None:
    """Any row of any pack: ended on a day and continued with another clause, as README tells the expert to do."""
    row = data.draw(st.sampled_from(BOOK._rows))
    longest = ((row.cite.effective_to or date(2034, 1, 1)) - row.cite.effective_from).days
    turn = row.cite.effective_from + timedelta(data.draw(st.integers(1, longest - 1)))
    old = replace(row, cite=replace(row.cite, effective_to=turn))
    new = replace(row, cite=replace(row.cite, effective_from=turn, clause="another"))
    book = RuleBook(BOOK.packs, [*[r for r in BOOK._rows if r is not row], old, new], BOOK._flag_rows)
    window = (first, first + timedelta(days))
    of_packs = [b.pack_versions(*window).get(row.pack.id) for b in (book, BOOK)]
    assert (of_packs[0] != of_packs[1]) == (row.table != "clause" and new.cite.overlaps(*window))
    by_law = row.pack.kind not in BY_CHOICE
    assert (book.version(*window) != BOOK.version(*window)) == (by_law and of_packs[0] != of_packs[1])
