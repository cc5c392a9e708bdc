"""The catalogue of signals: what it holds, and every kind of error in it named at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from resources.signals import SignalError, load_signals

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """[[signal]]
id = "X1"
title_zh = "甲"
title_en = "a"
severity = "warn"
threshold = ""
zh = "共 {n} 项"
en = "{n} items"
"""


def _load(folder: Path, text: str) -> object:
    path = folder / "signals.toml"
    path.write_text(text, encoding="utf-8")
    return load_signals(path)


def test_texts_are_filled_in_both_languages(tmp_path: Path) -> None:
    catalogue = _load(tmp_path, GOOD)
    assert catalogue["X1"].texts(n=3) == ("共 3 项", "3 items")  # type: ignore[index]
    with pytest.raises(KeyError, match="n"):
        catalogue["X1"].texts()  # type: ignore[index]


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ('title_zh = "甲"', 'title_zh = ""', "title_zh"),
        ('title_en = "a"\n', "", "title_en"),
        ('"warn"', '"loud"', "severity"),
        ('threshold = ""', "threshold = 3", "threshold"),
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
        _load(tmp_path, GOOD + GOOD.replace('"warn"', '"loud"'))
    assert [p.column for p in caught.value.problems] == ["signal[2].severity", "signal[2].id"]


def test_no_toml_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SignalError, match="TOML"):
        _load(tmp_path, "[[signal")
