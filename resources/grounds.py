"""The grounds of a partition: one hash for each kind of thing that its figures rest on, all the way up.

Belongs here: sorting the inputs of a partition into kinds of causes and folding them. Does not belong here: which inputs there
are (`bench`) and telling people why a figure moved (`release_restate`).

Two editions of a partition differ because of those kinds whose hashes differ, and of no other.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resources.lake import Lake

CODE = "code"
#: What kind of cause an input is, by the first word of its name. Which days there are follows from what arrived.
KIND_OF = {
    "captures": "late_data",
    "arrivals": "late_data",
    "keys": "late_data",
    "frontier": "late_data",
    "registry": "registry",
    "intervals": "registry",
    "standards": "registry",
    "sealed": "registry",
    "rules": "rule",
    "events": "declaration",
    "declared": "declaration",
    "factors": "factor",
    "methods": "factor",
    "ets": "rule",
    "ets_home": "registry",
    "ledgers": "ledger",
}


def grounds_of(lake: Lake, inputs: Mapping[str, str], made_by: str) -> dict[str, str]:
    """Hash by kind over everything that `inputs` name and, through the tables among them, everything that those rest on."""
    found: dict[str, set[str]] = {CODE: {made_by}}
    for name, version in inputs.items():
        kind, *rest = name.split(":")
        if kind != "table":
            found.setdefault(KIND_OF.get(kind, kind), set()).add(f"{name}={version}")
        elif above := lake.partition(*rest):
            for of, sha256 in above.grounds.items():
                found.setdefault(of, set()).add(f"{name}={sha256}")
    return {kind: hashlib.sha256("\n".join(sorted(said)).encode()).hexdigest()[:24] for kind, said in found.items()}
