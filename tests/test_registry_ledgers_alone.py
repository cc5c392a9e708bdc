"""A home of ledgers whose lines were forgotten is told that, and not of stacks that it does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pipelines.cli import main
from resources.registry import Registry, RegistryError
from resources.storage import open_storage
from tests.ledger_files import PLANTS

if TYPE_CHECKING:
    from pathlib import Path


def forgetful(root: Path) -> Path:
    (root / "registry").mkdir()
    text = f"{PLANTS}\nP1,第1水泥厂(模拟),,,,贵州,,,,89,general,2016-01-01,\n"
    (root / "registry/plants.csv").write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("captures", "files"), [(False, ["lines.csv"]), (True, ["outlets.csv", "devices.csv"])], ids=["ledgers", "captures"]
)
def test_what_a_registry_of_plants_alone_lacks(tmp_path: Path, captures: bool, files: list[str]) -> None:
    home = forgetful(tmp_path)
    (home / "landing/ledgers").mkdir(parents=True)
    if captures:
        (home / "landing/cems").mkdir()
        (home / "landing/cems/a.jsonl").write_text("{}\n")
    with pytest.raises(RegistryError) as error:
        Registry.load(open_storage(str(home / "registry")), open_storage(str(home / "landing")))
    assert [p.file for p in error.value.problems] == files
    assert ("ledgers alone: lines.csv is missing" in str(error.value)) is not captures


@pytest.mark.parametrize("command", [["doctor"], ["ledger-template", "--out", "form.xlsx"]], ids=["doctor", "template"])
def test_the_commands_say_so(tmp_path: Path, command: list[str]) -> None:
    said = CliRunner().invoke(main, [*command, "--home", str(forgetful(tmp_path))]).output
    assert "ledgers alone: lines.csv is missing" in said
    assert said.count("is missing") == 1
