"""What a method needs: ledger columns and factors by part, of reference/methods/inputs.toml.

Belongs here: the declared inputs of a method. Does not belong here: what is done with them (`assets/carbon_sources`), where something
missing gets the very name that stands here.
"""

from __future__ import annotations

import tomllib
from functools import cache
from typing import TYPE_CHECKING

import reference

if TYPE_CHECKING:
    from resources.methods_read import Method, Part

FILE = "inputs.toml"


def required(method: Method, level: str = "") -> tuple[str, ...]:
    """Names of everything that a method needs, each once, in the order of its parts; `level`: of the parts of lines or entities alone."""
    return tuple(dict.fromkeys(n for p in method.parts if level in ("", p.level) for n in of_part(p)))


def of_part(part: Part) -> tuple[str, ...]:
    """Names of everything that a part needs."""
    table = _table()
    names = table.get(part.id) or table[f"{part.id} {part.options['amount']}"]
    dust = [f"ledger_dust.{n}" for n in part.listed("dust")]
    listed = {
        "{dust}": [n for n in dust if n not in part.listed("optional")],
        "{requires}": list(part.listed("requires")),
    }
    return tuple(n for name in names for n in listed.get(name, [name]))


@cache
def _table() -> dict[str, list[str]]:
    found: dict[str, list[str]] = tomllib.loads((reference.METHODS / FILE).read_text(encoding="utf-8"))["parts"]
    return found
