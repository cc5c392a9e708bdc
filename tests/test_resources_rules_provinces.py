"""Provincial, foreign and planned packs: whom they bind, beside what, and that none leaks into another's verdict."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.channels import POLLUTANTS
from resources.registry import Permit
from resources.registry_schema import POINT_TYPES, REGION_CLASSES
from resources.rules import RuleBook, RuleError
from resources.rules_schema import BY_CHOICE
from tests.rules_edit import edited

if TYPE_CHECKING:
    from pathlib import Path

BOOK = RuleBook.load()
DAY = date(2026, 5, 1)
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


def mandatory(
    pollutant, province, day=DAY, region="general", point_type="kiln_tail", reductant="none", permits=(), book=BOOK
):
    return book.limit(
        "mandatory", point_type=point_type, pollutant=pollutant, day=day, region_class=region, reductant=reductant,
        permits=list(permits), province=province,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("province", "region", "limits"),
    [
        ("河北省", "key", (10, 30, 100)),
        ("Hebei Province", "general", (10, 30, 100)),
        ("安徽", "general", (10, 50, 100)),
        ("河南省", "key", (10, 35, 100)),
        ("四川省", "key", (10, 35, 100)),
        ("四川省", "general", (30, 200, 400)),
        ("江苏", "general", (10, 35, 100)),
        ("山东省", "key", (10, 50, 100)),
        ("山东省", "general", (20, 100, 200)),
        ("贵州省", "general", (30, 200, 400)),
        ("浙江省", "key", (20, 100, 320)),
        ("", "general", (30, 200, 400)),
    ],
)
def test_the_mandatory_limit_of_a_kiln_by_province(province: str, region: str, limits: tuple[float, ...]) -> None:
    found = [mandatory(p, province, region=region) for p in ("pm", "so2", "nox")]
    assert tuple(f.value_mg_m3 for f in found) == limits


def test_a_provincial_limit_names_its_standard_and_what_it_is_worth() -> None:
    found = mandatory("nox", "河北")
    assert (found.rule_id, found.standard, found.confidence) == (
        "db13-2167-2020/kiln_tail/nox",
        "DB13/2167-2020",
        "secondary",
    )
    assert mandatory("nox", "山东", region="key").rule_id == "db37-2373-2018/kiln_tail/nox/key"
    assert {mandatory("nox", p, region="key").confidence for p in ("河南", "四川", "江苏", "山东")} == {"draft"}


def test_a_provincial_standard_holds_from_its_day() -> None:
    assert [mandatory("nox", "河北", d).value_mg_m3 for d in (date(2021, 9, 30), date(2021, 10, 1))] == [400, 100]


def test_R17_where_the_nation_has_overtaken_the_province_the_stricter_binds() -> None:
    found = [mandatory("nox", "河北", d, point_type="dryer") for d in (date(2026, 3, 31), date(2026, 4, 1))]
    assert [(f.value_mg_m3, f.rule_id.split("/")[0]) for f in found] == [(150, "db13-2167-2020"), (80, "gb4915-2013")]


def test_R14_ammonia_of_a_province_only_where_a_reductant_is_used() -> None:
    assert [getattr(mandatory("nh3", "河北", reductant=r), "value_mg_m3", None) for r in ("urea", "none")] == [8, None]


def test_a_permit_wins_over_nation_and_province() -> None:
    permit = Permit("A", "nox", 260.0, "DB13/2167-2020", date(2020, 1, 1), None)
    assert mandatory("nox", "河北", permits=[permit]).rule_id == "permit/A/nox"


def test_Guizhou_has_a_note_and_no_number() -> None:
    rows = BOOK.rows("db52-893-2014")
    assert {r.table for r in rows} == {"clause"}
    assert {r.cite.confidence for r in rows} == {"draft"}


@settings(max_examples=150, deadline=None)
@given(
    point_type=st.sampled_from(POINT_TYPES), pollutant=st.sampled_from(POLLUTANTS), region=st.sampled_from(REGION_CLASSES),
    province=st.sampled_from(["河北", "安徽", "河南", "四川", "江苏", "山东", "贵州", "浙江", ""]),
    day=st.dates(date(2012, 1, 1), date(2030, 1, 1)), reductant=st.sampled_from(["none", "urea"]),
)  # fmt: skip
def test_a_province_never_relaxes_the_nation_and_foreign_packs_and_plans_enter_no_verdict(
    point_type, pollutant, region, province, day, reductant
) -> None:
    ask = {"region": region, "point_type": point_type, "reductant": reductant}
    national, local = mandatory(pollutant, "", day, **ask), mandatory(pollutant, province, day, **ask)
    assert national is None or local.value_mg_m3 <= national.value_mg_m3
    by_choice = {p.id for p in BOOK.packs if p.kind in BY_CHOICE}
    for kind in ("ule", "mandatory"):
        found = BOOK.limit(
            kind, point_type=point_type, pollutant=pollutant, day=day, region_class=region, reductant=reductant,
            permits=[], province=province,
        )  # fmt: skip
        assert found is None or found.rule_id.split("/")[0] not in by_choice


def test_limits_of_a_pack_that_is_chosen() -> None:
    found = {limit.pollutant: limit for limit in BOOK.standard_limits("eu-ied-2010", "kiln_tail", DAY)}
    nox = found["nox"]
    assert (nox.value, nox.unit, nox.averaging, nox.o2_reference_pct, nox.confidence_interval_pct) == (
        500, "mg/m3", "day", 10, 20,
    )  # fmt: skip
    assert {p: limit.value for p, limit in found.items()} == {
        "pm": 30, "nox": 500, "so2": 50, "hcl": 10, "hf": 1, "toc": 10,
    }  # fmt: skip
    assert BOOK.standard_limits("eu-ied-2010", "cooler", DAY) == []
    assert BOOK.standard_limits("eu-ied-2010", "kiln_tail", date(2014, 1, 6)) == []
    mercury = [m for m in BOOK.standard_limits("us-neshap-lll", "kiln_tail", DAY) if m.pollutant == "hg"]
    assert [(m.variants, m.value, m.rule_id) for m in mercury] == [
        (("existing",), 55, "us-neshap-lll/kiln_tail/hg/existing"),
        (("new",), 21, "us-neshap-lll/kiln_tail/hg/new"),
    ]
    assert BOOK.variants["us-neshap-lll"] == ("existing", "new")
    assert BOOK.variants["eu-ied-2010"] == ()


# ---- a change re-judges what it touches and nothing else ------------------------------------------------------------


def test_a_foreign_pack_edited_moves_its_own_version_and_no_Chinese_one(tmp_path: Path) -> None:
    book = edited(tmp_path, "eu-ied-2010.toml", "value = 500", "value = 450")
    assert book.version(*YEAR) == BOOK.version(*YEAR)
    assert book.pack_versions(*YEAR)["eu-ied-2010"] != BOOK.pack_versions(*YEAR)["eu-ied-2010"]
    assert book.drafts(*YEAR) == BOOK.drafts(*YEAR)


def test_a_provincial_limit_edited_from_a_day_on_leaves_every_window_before_it_alone(tmp_path: Path) -> None:
    text = (edited(tmp_path, "db34-3576-2020.toml", 'number = "DB34/3576-2020"', 'number = "DB34/3576-2020"'), tmp_path)
    path = text[1] / "rules" / "db34-3576-2020.toml"
    content = path.read_text(encoding="utf-8")
    row = content[content.rindex("[[limit]]") :]
    turn = date(2026, 7, 15)
    later = row.replace("= 100", "= 50").replace("2020-04-01", str(turn))
    path.write_text(content.replace(row, row + f"effective_to = {turn}\n\n" + later), encoding="utf-8")
    book = RuleBook.load(path.parent)
    assert [mandatory("nox", "安徽", turn + timedelta(d), book=book).value_mg_m3 for d in (-1, 0)] == [100, 50]
    moved = [
        (first, last)
        for first in (turn - timedelta(40), turn - timedelta(1), turn, turn + timedelta(9))
        for last in (first, first + timedelta(30))
        if book.version(first, last) != BOOK.version(first, last)
    ]
    assert moved == [
        (turn - timedelta(1), turn + timedelta(29)), (turn, turn), (turn, turn + timedelta(30)),
        (turn + timedelta(9), turn + timedelta(9)), (turn + timedelta(9), turn + timedelta(39)),
    ]  # fmt: skip


# ---- what a pack may not say ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("eu-ied-2010.toml", 'kind = "foreign"\ntitle', 'kind = "mandatory"\ntitle', r"is no table of a pack of kind mandatory .* use \[\[limit\]\]"),
        ("db34-3576-2020.toml", 'kind = "mandatory"', 'kind = "foreign"', r"use \[\[standard_limit\]\]"),
        ("eu-ied-2010.toml", 'pollutant = "toc"', 'pollutant = "voc"', "pollutant='voc'"),
        ("us-neshap-lll.toml", 'value = 3\nunit = "ppmvd"', 'value = 3\nunit = "ppm"', "unit='ppm'"),
        ("us-neshap-lll.toml", 'variants = ["new"]\npollutant = "hg"', 'pollutant = "hg"', "is in force together with"),
        ("eu-ied-2010.toml", 'name = "compliance"', 'name = "validated-means"', "is in force together with"),
        ("db13-2167-2020.toml", '["河北", "Hebei"]', '["河南"]', "is in force together with"),
    ],
    ids=["foreign-as-law", "law-as-foreign", "pollutant", "unit", "variant-twice", "clause-twice", "province-twice"],
)  # fmt: skip
def test_a_pack_that_says_what_it_may_not_is_named(tmp_path: Path, file: str, old: str, new: str, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        edited(tmp_path, file, old, new)
