"""The packaged rules with one text changed. Shared by the tests of the rule book."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import reference
from resources.rules import RuleBook

if TYPE_CHECKING:
    from pathlib import Path


def edited(folder: Path, file: str, old: str, new: str) -> RuleBook:
    """The packaged rules with one text of one pack replaced."""
    target = folder / "rules"
    shutil.copytree(reference.RULES, target, dirs_exist_ok=True)
    text = (target / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (target / file).write_text(text.replace(old, new), encoding="utf-8")
    return RuleBook.load(target)
