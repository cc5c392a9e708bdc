"""The catalogue of signals: what it holds, every kind of error in it named at once, and the pages made from it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from resources.rules import RuleBook
from resources.signals import LONG_WINDOWS, SignalError, load_absent, load_signals
from resources.signals_page import DAY, PAGES, page

if TYPE_CHECKING:
    from resources.signals import Signal

ROOT = Path(__file__).parents[1]
GOOD = """[[signal]]
id = "X1"
title_zh = "甲"
title_en = "a"
severity = "warn"
basis = "official"
window = "day"
threshold = ""
parameters = []
needs = ["cems_minute"]
zh = "共 {n} 项"
en = "{n} items"
"""
CHECKS = [f"A{n:02d}" for n in range(1, 25)]


def _load(folder: Path, text: str) -> dict[str, Signal]:
    path = folder / "signals.toml"
    path.write_text(text, encoding="utf-8")
    return load_signals(path)


def test_texts_are_filled_in_both_languages(tmp_path: Path) -> None:
    catalogue = _load(tmp_path, GOOD)
    assert catalogue["X1"].texts(n=3) == ("共 3 项", "3 items")
    with pytest.raises(KeyError, match="n"):
        catalogue["X1"].texts()


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ('title_zh = "甲"', 'title_zh = ""', "title_zh"),
        ('title_en = "a"\n', "", "title_en"),
        ('"warn"', '"loud"', "severity"),
        ('"official"', '"hearsay"', "basis"),
        ('"day"', '"week"', "window"),
        ('threshold = ""', "threshold = 3", "threshold"),
        ("parameters = []", 'parameters = "x"', "parameters"),
        ('needs = ["cems_minute"]', 'needs = [""]', "needs"),
        ("{n} items", "{m} items", "en"),
        ("共 {n} 项", "共 {n 项", "en"),
        ('id = "X1"', 'id = "X1"\nlevel = "9"', "level"),
    ],
)
def test_an_error_names_row_and_key(tmp_path: Path, old: str, new: str, wrong: str) -> None:
    with pytest.raises(SignalError) as caught:
        _load(tmp_path, GOOD.replace(old, new))
    assert {p.column for p in caught.value.problems} == {f"signal[1].{wrong}"}
    assert all(p.text_zh and p.text_en and p.remedy_zh and p.remedy_en for p in caught.value.problems)


def test_every_error_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SignalError) as caught:
        _load(tmp_path, GOOD + GOOD.replace('"warn"', '"loud"') + "[[signals]]\n[[absent]]\nid = 'Y'\n")
    named = [p.column for p in caught.value.problems]
    assert named[:3] == ["signals", "signal[2].severity", "signal[2].id"]
    assert {"absent[1].title_zh", "absent[1].needs"} <= set(named)


def test_no_toml_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SignalError, match="TOML"):
        _load(tmp_path, "[[signal")


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_of_the_domain_is_computed_or_said_to_be_absent(check: str) -> None:
    computed = {s.check for s in load_signals().values()}
    assert check in computed | {a.id.partition("_")[0] for a in load_absent()}


def test_every_parameter_of_the_signals_is_read_by_one_and_in_force() -> None:
    book = RuleBook.load()
    named = {name for s in load_signals().values() for name in (s.threshold, *s.parameters) if name}
    for name in named:
        assert book.parameter(name, DAY).unit is not None
    text = (ROOT / "reference/rules/signals.toml").read_text(encoding="utf-8")
    assert set(re.findall(r'name = "(signals\.\w+)"', text)) == {n for n in named if n.startswith("signals.")}


def test_what_rests_on_days_and_months_reads_hours_and_never_minutes() -> None:
    long = [s for s in load_signals().values() if s.window in LONG_WINDOWS]
    assert len(long) >= 10
    assert not [s.id for s in long if "cems_minute" in s.needs]


@pytest.mark.parametrize("language", sorted(PAGES))
def test_the_pages_are_those_of_the_catalogue(language: str) -> None:
    made = page(language, RuleBook.load(), DAY)
    assert (ROOT / "docs" / PAGES[language]).read_text(encoding="utf-8") == made, "run python -m resources.signals_page"
    for signal in load_signals():
        assert f"`{signal}`" in made
