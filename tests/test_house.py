"""The house itself: imports go one way, every module says what belongs in it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: What each room may import. Readers in resources may call kernels (resources/__init__.py says why).
MAY_IMPORT = {
    "contracts": set(),
    "kernels": set(),
    "reference": set(),
    "resources": {"contracts", "kernels", "reference"},
    "simulator": {"contracts", "kernels", "reference", "resources"},
    "assets": {"contracts", "kernels", "reference", "resources"},
    "pipelines": {"contracts", "kernels", "reference", "resources", "assets", "simulator"},
}
FORBIDDEN = {"kernels": {"polars", "pyarrow", "dagster", "s3fs"}, "resources": {"dagster"}, "contracts": {"dagster"}}
MODULES = sorted(p for room in MAY_IMPORT for p in (ROOT / room).rglob("*.py"))


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [n.name for node in ast.walk(tree) if isinstance(node, ast.Import) for n in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level]
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    strange = (imported(path) & set(MAY_IMPORT)) - MAY_IMPORT[room] - {room}
    assert not strange, f"{room} must not import {strange}"
    assert not imported(path) & FORBIDDEN.get(room, set())


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_opens_with_its_charter(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert len(text) > 20
    if path.name != "__main__.py":
        assert "elongs here" in text, "says what belongs here"
        assert "oes not belong here" in text or "oes not\nbelong here" in text or "oes not belong\nhere" in text


def test_no_committed_text_names_a_machine_path_or_a_registry() -> None:
    for name in ("requirements.lock", "pyproject.toml", "Makefile", "workspace.yaml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "http:" not in text
        assert "https:" not in text
        assert "/work/" not in text
        assert "/root/" not in text
