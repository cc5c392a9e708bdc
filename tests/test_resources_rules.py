"""The rule book: which limit, parameter, policy, target and flag holds where and when."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from contracts.channels import CHANNEL_NAMES, POLLUTANTS
from contracts.ule import HEADLINE_POLICY, POLICIES
from resources.factors_hj212 import channel_codes, load_factor_codes
from resources.registry import Permit
from resources.registry_schema import POINT_TYPES
from resources.rules import Limit, RuleBook, RuleError

if TYPE_CHECKING:
    from pathlib import Path

from tests.rules_edit import edited

BOOK = RuleBook.load()
DAY = date(2026, 5, 1)
EVE = date(2026, 3, 31)
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


def limit(
    kind, point_type, pollutant, day=DAY, region="general", reductant="none", permits=(), book=BOOK
) -> Limit | None:
    return book.limit(
        kind,
        point_type=point_type,
        pollutant=pollutant,
        day=day,
        region_class=region,
        reductant=reductant,
        permits=list(permits),
    )


def value(*args, **kwargs) -> float | None:
    found = limit(*args, **kwargs)
    return found.value_mg_m3 if found else None


@pytest.mark.parametrize(("pollutant", "expected"), [("pm", 10), ("so2", 35), ("nox", 50), ("nh3", None), ("hg", None)])
def test_ule_limits_of_the_kiln(pollutant: str, expected: float | None) -> None:
    assert value("ule", "kiln_tail", pollutant, reductant="ammonia") == expected


@pytest.mark.parametrize("point_type", [p for p in POINT_TYPES if p not in ("kiln_tail", "dryer")])
def test_ule_limits_elsewhere_are_dust_only(point_type: str) -> None:
    assert [value("ule", point_type, p) for p in ("pm", "so2", "nox")] == [10, None, None]


def test_ule_limit_names_pack_clause_and_confidence() -> None:
    found = limit("ule", "kiln_tail", "nox")
    assert (found.rule_id, found.kind, found.standard, found.confidence) == (
        "cn-ule-2024/kiln_tail/nox",
        "ule",
        "环大气〔2024〕5号",
        "verified",
    )
    assert "附表1" in found.clause


def test_no_ule_limit_before_the_opinion() -> None:
    assert value("ule", "kiln_tail", "nox", date(2024, 1, 14)) is None
    assert value("ule", "kiln_tail", "nox", date(2024, 1, 15)) == 50


def test_what_the_dryer_must_reach_is_marked_draft() -> None:
    assert [limit("ule", "dryer", p).confidence for p in ("pm", "so2", "nox")] == ["memory", "draft", "draft"]


MANDATORY = [
    ("kiln_tail", "pm", 30, 20), ("kiln_tail", "so2", 200, 100), ("kiln_tail", "nox", 400, 320), ("kiln_tail", "hf", 5, 3), ("kiln_tail", "hg", 0.05, 0.05),
    ("cooler", "pm", 30, 20), ("coal_mill", "pm", 30, 20), ("cooler", "so2", None, None), ("cooler", "nox", None, None),
    ("cement_mill", "pm", 20, 10), ("crusher", "pm", 20, 10), ("packing", "pm", 20, 10), ("other", "pm", 20, 10), ("other", "nox", None, None),
    ("raw_mill", "pm", 20, 10), ("kiln_tail", "co", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("point_type", "pollutant", "general", "special"), MANDATORY)
def test_gb4915_tables_1_and_2(point_type: str, pollutant: str, general: float | None, special: float | None) -> None:
    assert (value("mandatory", point_type, pollutant), value("mandatory", point_type, pollutant, region="key")) == (
        general,
        special,
    )


def test_gb4915_says_which_table() -> None:
    found = limit("mandatory", "kiln_tail", "nox", region="key")
    assert (found.rule_id, found.standard, found.clause[:2]) == ("gb4915-2013/kiln_tail/nox/key", "GB 4915-2013", "表2")
    assert limit("mandatory", "kiln_tail", "nox").clause[:2] == "表1"


@pytest.mark.parametrize(
    ("pollutant", "general", "special", "amended"),
    [
        pytest.param("pm", 30, 20, 10, id="R17-pm"),
        pytest.param("so2", 600, 400, 50, id="R17-so2"),
        pytest.param("nox", 400, 300, 80, id="R17-nox"),
    ],
)
def test_dryer_before_and_after_the_amendment(pollutant: str, general: float, special: float, amended: float) -> None:
    assert [value("mandatory", "dryer", pollutant, EVE, region) for region in ("general", "key")] == [general, special]
    assert [value("mandatory", "dryer", pollutant, date(2026, 4, 1), region) for region in ("general", "key")] == [
        amended,
        amended,
    ]


def test_ammonia_only_where_a_reductant_is_used() -> None:
    assert [value("mandatory", "kiln_tail", "nh3", reductant=r) for r in ("ammonia", "urea", "none", None)] == [
        10,
        10,
        None,
        None,
    ]
    assert value("mandatory", "kiln_tail", "nh3", region="key", reductant="urea") == 8
    assert [value("mandatory", "dryer", "nh3", d, reductant="urea") for d in (EVE, DAY)] == [None, 8]
    assert value("mandatory", "dryer", "nh3") is None


def permit(
    limit_mg_m3: float, standard: str, pollutant: str = "nox", first: date = date(2022, 1, 1), end: date | None = None
) -> Permit:
    return Permit("O1", pollutant, limit_mg_m3, standard, first, end)


@pytest.mark.parametrize(
    ("standard", "kind"),
    [
        ("GB 4915-2013", "mandatory"), ("DB52/893-2014", "mandatory"), ("排污许可证", "mandatory"), ("rule of the module", "mandatory"),
        ("环大气〔2024〕5号", "ule"), ("环大气[2024]5号", "ule"), ("环大气（2024）5 号", "ule"), ("贵州省超低排放改造方案", "ule"), ("黔环气〔2024〕9号", "ule"),
        ("ULE", "ule"), ("cn-ule-2024", "ule"), ("China ULE opinion", "ule"), ("Ultra-low emission", "ule"),
    ],
)  # fmt: skip
def test_a_permit_overrides_the_limit_that_its_standard_names(standard: str, kind: str) -> None:
    base = {"ule": 50.0, "mandatory": 400.0}
    got = {k: value(k, "kiln_tail", "nox", permits=[permit(77, standard)]) for k in base}
    assert got == base | {kind: 77}


def test_a_permit_is_named_in_the_verdict() -> None:
    found = limit("mandatory", "kiln_tail", "nox", permits=[permit(77, "GB 4915-2013")])
    assert (found.rule_id, found.standard, found.confidence) == ("permit/O1/nox", "GB 4915-2013", "stated")


def test_a_permit_counts_for_its_pollutant_and_time_and_the_strictest_wins() -> None:
    assert value("mandatory", "kiln_tail", "nox", permits=[permit(7, "x", "so2")]) == 400
    assert value("mandatory", "kiln_tail", "nox", permits=[permit(7, "x", end=DAY)]) == 400
    assert value("mandatory", "kiln_tail", "nox", permits=[permit(7, "x", first=DAY + timedelta(1))]) == 400
    assert value("mandatory", "kiln_tail", "nox", permits=[permit(90, "x"), permit(80, "y"), permit(500, "z")]) == 80


def test_a_permit_sets_a_limit_where_the_law_has_none() -> None:
    assert value("mandatory", "cooler", "so2", permits=[permit(35, "x", "so2")]) == 35
    assert value("mandatory", "kiln_tail", "nh3", reductant="none", permits=[permit(5, "x", "nh3")]) == 5


def test_unknown_kinds_of_place_are_refused() -> None:
    with pytest.raises(ValueError, match="chimney"):
        limit("ule", "chimney", "pm")
    with pytest.raises(ValueError, match="west"):
        limit("ule", "kiln_tail", "pm", region="west")


def test_reference_oxygen_applies_to_kiln_and_dryer_only() -> None:
    assert {p: BOOK.o2_reference(p, DAY) for p in POINT_TYPES} == dict.fromkeys(POINT_TYPES) | {
        "kiln_tail": 10.0,
        "dryer": 8.0,
    }
    assert BOOK.o2_reference("kiln_tail", date(2016, 8, 24)) == 10.0
    assert "gb4915-2013/o2_reference/dryer" in BOOK.drafts(DAY, DAY)
    assert "gb4915-2013/o2_reference/dryer" not in BOOK.drafts(EVE, EVE)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hours.min_valid_minutes", 45), ("days.min_valid_hours", 20), ("months.min_valid_days", 25), ("months.min_valid_days_february", 23),
        ("hours.averaging_order", "minute_then_mean"), ("standard.temperature_k", 273), ("standard.pressure_pa", 101325), ("molar.volume_l_mol", 22.4),
        ("o2.air_constant_pct", 21), ("flags.manual_value_valid", False), ("ule.pass_share_pct", 95), ("ule.trailing_hours", 720),
        ("judgement.insufficient_below_capture_pct", 75), ("judgement.warn_below_capture_pct", 90), ("judgement.short_month_warn_hours", 24),
        ("caps.cold_start_h", 36), ("caps.hot_start_h", 8), ("caps.shutdown_h", 8),
    ],
)  # fmt: skip
def test_parameters_in_force(name: str, expected: float | str | bool) -> None:
    found = BOOK.parameter(name, DAY)
    assert (found.value, type(found.value)) == (expected, type(expected))
    assert found.rule_id.endswith(f"/{name}")
    assert found.clause


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        pytest.param(lambda m: 21 * m["no2_g_mol"] / m["volume_l_mol"], 43.129688, id="V07 NOx by A5"),
        pytest.param(lambda m: 10 * m["so2_g_mol"] / m["volume_l_mol"], 28.598214, id="V07 SO2 by A3"),
        pytest.param(lambda m: 25 * m["no2_g_mol"] / m["no_g_mol"] + 2, 40.329834, id="V08 NOx by A4"),
    ],
)
def test_molar_factors(formula, expected: float) -> None:
    names = ("no2_g_mol", "no_g_mol", "so2_g_mol", "volume_l_mol")
    factors = {n: BOOK.parameter(f"molar.{n}", DAY).value for n in names}
    assert formula(factors) == pytest.approx(expected, rel=1e-6)


def test_the_day_decides_which_method_holds() -> None:
    assert [BOOK.parameter("days.min_valid_hours", d).value for d in (date(2018, 2, 28), date(2018, 3, 1))] == [18, 20]
    assert BOOK.parameter("hours.min_valid_minutes", date(2016, 8, 24)).rule_id == "hjt75-2007/hours.min_valid_minutes"


def test_every_method_parameter_has_a_row_for_older_data() -> None:
    """The captures of 2016 must go through the same hours: what HJ 75-2017 names, its predecessor names too."""
    text = (reference.RULES / "hj75-2017.toml").read_text(encoding="utf-8")
    names = re.findall(r'^name = "(.+)"', text, re.MULTILINE)
    assert len(names) > 15
    assert all(BOOK.parameter(n, date(2016, 8, 24)) for n in names)
    assert [t.tag for t in BOOK.tags(date(2016, 8, 24))] == [t.tag for t in BOOK.tags(DAY)]


def test_an_absent_parameter_is_named_with_its_periods() -> None:
    with pytest.raises(
        RuleError, match=r"no parameter hours\.min_valid_minutes on 1999-01-01 \(known periods: .*2018-03-01"
    ):
        BOOK.parameter("hours.min_valid_minutes", date(1999, 1, 1))
    with pytest.raises(LookupError, match=r"no\.such .*no pack names it"):
        BOOK.parameter("no.such", DAY)


def test_policies_differ_from_the_headline_in_one_parameter() -> None:
    policies = BOOK.policies(DAY)
    assert tuple(p.name for p in policies) == POLICIES
    headline = policies[0]
    assert (headline.name, headline.headline) == (HEADLINE_POLICY, True)
    assert (headline.startup_shutdown, headline.invalid_hours, headline.rounding) == (
        "include_all_fuel_on",
        "drop",
        "full_value",
    )
    for other in policies[1:]:
        options = [(getattr(other, n), getattr(headline, n)) for n in ("startup_shutdown", "invalid_hours", "rounding")]
        assert sum(a != b for a, b in options) == 1
        assert not other.headline
        assert other.name in {a for a, _ in options}
    by_name = {p.name: p for p in policies}
    assert by_name["drop_with_min_capture"].min_capture_pct == 90
    assert by_name["round_half_even"].rounding_decimals == 1
    assert BOOK.policies(date(2023, 12, 31)) == []


@pytest.mark.parametrize(
    ("minutes", "held"),
    [
        pytest.param({"N": 45, "M": 15}, ["N"], id="V13 valid"),
        pytest.param({"N": 44, "M": 16}, ["M"], id="V13 maintenance"),
        pytest.param({"F": 30, "N": 30}, [], id="V15"),
        pytest.param({"F": 45, "D": 15}, ["F"], id="stopped"),
        pytest.param({"D": 16, "C": 16, "M": 28}, ["D", "M", "C"], id="precedence"),
    ],
)
def test_hour_tags_and_their_thresholds(minutes: dict[str, int], held: list[str]) -> None:
    assert [t.tag for t in BOOK.tags(DAY) if t.holds(minutes.get(t.tag, 0))] == held


def test_tags_come_in_the_order_of_precedence() -> None:
    assert [t.tag for t in BOOK.tags(DAY)] == ["F", "Md", "OOC", "D", "M", "C", "T", "St", "Sd", "B", "N"]


@pytest.mark.parametrize(
    ("province", "region", "day", "expected"),
    [
        ("贵州省", "general", date(2024, 8, 22), (80.0, date(2028, 12, 31))),
        ("贵州", "general", DAY, (80.0, date(2028, 12, 31))),
        ("Guizhou Province", "general", DAY, (80.0, date(2028, 12, 31))),
        ("河北省", "key", date(2025, 6, 1), (50.0, date(2025, 12, 31))),
        ("河北省", "key", date(2025, 12, 31), (50.0, date(2025, 12, 31))),
        ("河北省", "general", date(2025, 6, 1), (80.0, date(2028, 12, 31))),
        ("河北省", "key", date(2026, 1, 1), (80.0, date(2028, 12, 31))),
        ("贵州省", "general", date(2030, 1, 1), (80.0, date(2028, 12, 31))),
        ("贵州省", "general", date(2023, 1, 1), None),
    ],
)
def test_conversion_targets(province: str, region: str, day: date, expected: tuple[float, date] | None) -> None:
    assert BOOK.target(province, region, day) == expected


def test_a_target_of_the_province_wins_over_the_national_one(tmp_path: Path) -> None:
    old = 'provinces = ["贵州", "Guizhou"]\ntarget_pct = 80'
    book = edited(tmp_path, "cn-ule-2024.toml", old, old.replace("80", "85"))
    assert [book.target(p, "general", DAY) for p in ("贵州省", "云南省")] == [
        (85.0, date(2028, 12, 31)),
        (80.0, date(2028, 12, 31)),
    ]


def test_flags_of_two_editions_are_two_lists() -> None:
    new, old = BOOK.flags(1, DAY), BOOK.flags(0, DAY)
    assert [f for f in new if new[f].valid] == [f for f in old if old[f].valid] == ["N"]
    assert set(new) == set("NFMSDCTB")
    assert set(old) == set("NPFCMTDS")
    assert (new["F"].hour_tag, old["F"].hour_tag) == (
        "F",
        "F",
    )  # flag_system hj212 keeps it from meaning source stopped
    assert new["B"].hour_tag == "Md"  # communication lost is not a banked kiln
    assert BOOK.flags(2, DAY) == new


def test_whether_a_manual_value_counts_is_a_parameter(tmp_path: Path) -> None:
    book = edited(
        tmp_path,
        "hj75-2017.toml",
        'name = "flags.manual_value_valid"\nvalue = false',
        'name = "flags.manual_value_valid"\nvalue = true',
    )
    assert book.flags(1, DAY)["S"].valid
    assert not book.flags(1, date(2017, 6, 1))["S"].valid


def test_factor_codes_feed_every_channel_once() -> None:
    codes = load_factor_codes()
    assert sorted(f.channel for f in codes if f.channel) == sorted(CHANNEL_NAMES)
    assert {f.code: f.channel for f in codes}["a34013"] == "pm"
    found = channel_codes()
    assert (found["a21026"], found["02"], found["S01"], found["a00000"], found["B02"]) == (
        "so2",
        "so2",
        "o2",
        "flow",
        "flow",
    )
    assert "a01016" not in found
    assert "" not in found


@settings(max_examples=150, deadline=None)
@given(
    day=st.dates(date(2010, 1, 1), date(2035, 1, 1)),
    point_type=st.sampled_from(POINT_TYPES),
    pollutant=st.sampled_from(POLLUTANTS),
    reductant=st.sampled_from(["none", "ammonia", "urea", None]),
)
def test_key_regions_are_never_laxer_and_ule_never_laxer_than_the_standard(
    day, point_type, pollutant, reductant
) -> None:
    general = value("mandatory", point_type, pollutant, day, "general", reductant)
    special = value("mandatory", point_type, pollutant, day, "key", reductant)
    ultra = value("ule", point_type, pollutant, day, "general", reductant)
    assert (general is None) == (special is None)
    assert special is None or special <= general
    assert ultra is None or ultra <= general
