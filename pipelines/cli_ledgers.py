"""What `kiln ledger-template` writes: a workbook for plants to fill in.

Belongs here: from options and a home's registry to the form. Does not belong here: the workbook itself
(`resources/ledgers_template.py`) and options (`pipelines/commands_*.py`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.events_words import folded
from resources.ledgers_template import Form, write_template
from resources.ledgers_words import load_words
from resources.registry import Registry
from resources.settings import SettingsError
from resources.storage import open_storage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from resources.settings import Settings


def writing(
    settings: Settings | None,
    out: str,
    plants: tuple[str, ...],
    lines: tuple[str, ...],
    year: int,
    fuels: tuple[str, ...],
    materials: tuple[str, ...] = (),
) -> tuple[dict[str, Any], str]:
    """Write the template to `out`; facts and words. With `settings` plants and lines are those of the home's registry."""
    form = _form(settings, plants, lines, year, fuels)
    if materials:
        form = replace(form, materials=tuple(_material(name) for name in materials))
    content = write_template(form)
    Path(out).write_bytes(content)
    data = {
        "path": str(Path(out).resolve()),
        "plants": [p for p, _ in form.plants],
        "lines": [n for n, _ in form.lines],
        "year": year or None,
    }
    rows = f"{len(form.plants)} plants, {len(form.lines)} lines, {year or '-'}"
    return data, f"模板 template {data['path']}: {rows}\n填写后放入 fill it in and put it below landing/ledgers/"


def _form(
    settings: Settings | None, plants: tuple[str, ...], lines: tuple[str, ...], year: int, fuels: tuple[str, ...]
) -> Form:
    named = tuple(_fuel(name) for name in fuels) or ("anthracite", "bituminous")
    if settings is None:
        owner = plants[0] if plants else ""
        return Form(tuple((p, "") for p in plants), tuple((n, owner) for n in lines), year, named)
    registry = Registry.load(*(open_storage(settings.place(n)) for n in ("registry", "landing")))
    day = date(year, 12, 31) if year else date.max
    known = {p.plant_id: p.name for p in registry.plants if p.valid_from <= day}
    owned = {n.line_id: n.plant_id for n in registry.lines if n.valid_from <= day}
    if strange := [x for x, some in (*((p, known) for p in plants), *((n, owned) for n in lines)) if x not in some]:
        raise SettingsError(
            f"登记中没有 not in the registry: {', '.join(strange)}; 已知 known: {', '.join([*known, *owned])}"
        )
    if not owned:
        raise SettingsError(
            f"{settings.place('registry')}: 登记中没有企业和生产线，无从预填；用 --home 指明主目录 / no plants and lines in the registry "
            "to fill in; name the home with --home"
        )
    chosen = plants or tuple(sorted({owned[n] for n in lines})) or tuple(known)
    kept = lines or tuple(n for n, plant in owned.items() if plant in chosen)
    return Form(tuple((p, known[p]) for p in chosen), tuple((n, owned[n]) for n in kept), year, named)


def _fuel(name: str) -> str:
    return _one(load_words().values["fuel"], name, f"没有燃料 no fuel {name!r}", load_words().fuels)


def _material(name: str) -> str:
    return _one(load_words().values["material"], name, f"没有原料 no material {name!r}", load_words().materials)


def _one(spellings: Mapping[str, str], name: str, complaint: str, known: Iterable[str]) -> str:
    found = spellings.get(folded(name))
    if found is None:
        raise SettingsError(f"{complaint}; 其一 one of {', '.join(known)}")
    return found
