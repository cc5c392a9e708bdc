"""The words of exports: header synonyms, units, flag texts and what stands for a missing value, read from reference/exports.

Belongs here: typed loading and exact look-ups in normalised text. Does not belong here: putting a header together from several rows
(`exports_header`) and what a home says in a map file (`exports_map`).
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import reference
from contracts.channels import CHANNELS, SUBFIELDS, column

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("headers.csv", "units.csv", "flags.csv", "missing.csv")
#: The flag of a text that says "not valid" and stands for no letter of HJ 212: no flag list knows it.
NO_LETTER = "?"
_LIMIT = re.compile(r"\d+(\.\d+)?")


def norm(text: str) -> str:
    """A text to look up: full width to half, superscripts to digits, lower case, no blanks."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as a header spells it. 10**shift of it are one `unit`; without a shift it cannot be converted exactly (`note` says why)."""

    text: str
    quantity: str
    unit: str
    shift: int | None
    basis: str
    note: str


@dataclass(frozen=True)
class Words:
    """Look-ups by normalised text. tokens: kind and meaning of every word that may stand inside a header."""

    roles: dict[str, str]
    tokens: dict[str, list[tuple[str, str]]]
    contract: dict[str, tuple[str, str]]
    units: dict[str, list[Unit]]
    flags: dict[str, str]
    missing: frozenset[str]
    numbers: tuple[tuple[float, frozenset[str]], ...]
    closing: tuple[str, ...]
    digest: str
    longest: int = field(default=0)
    below: frozenset[str] = field(default_factory=frozenset)

    def is_below(self, text: str) -> bool:
        """The text says that nothing was detected: a word for it, or one of the forms in which `#` stands for the detection limit."""
        said = norm(text)
        return "#" not in said and (said in self.below or _LIMIT.sub("#", said, count=1) in self.below)

    def flag(self, text: str) -> str | None:
        """The letter of a flag text: a single letter is itself, `停*` in the table takes whatever begins so."""
        stripped = text.strip()
        if len(stripped) == 1 and stripped.isascii() and stripped.isalpha():
            return stripped.upper()
        said = norm(text)
        if said in self.flags:
            return self.flags[said]
        begun = (letter for start, letter in self.flags.items() if start.endswith("*") and said.startswith(start[:-1]))
        return next(begun, None)

    def synonyms(self, kind: str, meaning: str) -> list[str]:
        """The texts of one meaning, in the order of the file."""
        if kind == "role":
            return [t for t, m in self.roles.items() if m == meaning]
        return [t for t, said in self.tokens.items() if (kind, meaning) in said]


@cache
def load_words(folder: Path | None = None) -> Words:
    """Everything of reference/exports; ValueError names file and line of a row that cannot be used."""
    folder = folder or reference.EXPORTS
    raw = {name: (folder / name).read_bytes() for name in FILES}
    headers, units, flags, missing = (_rows(name, raw[name]) for name in FILES)
    roles = {norm(r["text"]): r["meaning"] for r in headers if r["kind"] == "role"}
    tokens: dict[str, list[tuple[str, str]]] = {}
    for row in headers:
        if row["kind"] not in ("role", "closing"):
            tokens.setdefault(norm(row["text"]), []).append((row["kind"], row["meaning"]))
    numbers = [(float(r["text"]), frozenset(r["except"].split())) for r in missing if r["kind"] == "number"]
    listed: dict[str, list[Unit]] = {}
    for r in units:
        made = Unit(r["text"], r["quantity"], r["unit"], int(r["shift"]) if r["shift"] else None, r["basis"], r["note"])
        listed.setdefault(norm(r["text"]), []).append(made)
    return Words(
        roles,
        tokens,
        _contract_names(),
        listed,
        {norm(r["text"]): r["flag"] for r in flags},
        frozenset(norm(r["text"]) for r in missing if r["kind"] == "text"),
        tuple(numbers),
        tuple(norm(r["text"]) for r in headers if r["kind"] == "closing"),
        hashlib.sha256(b"\n".join(raw[n] for n in FILES)).hexdigest()[:16],
        max(map(len, tokens)),
        frozenset(norm(r["text"]) for r in missing if r["kind"] == "below"),
    )


def _contract_names() -> dict[str, tuple[str, str]]:
    """nox_zs_avg -> (nox, zs_avg): the column names of cems_minute; decimals go with the text of a value."""
    subs = (*SUBFIELDS, "flag", "dp")
    return {column(c.name, s): (c.name, s) for c in CHANNELS for s in subs}


def _rows(name: str, raw: bytes) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True))
    for line, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise ValueError(f"{name}:{line}: 单元格数不符 / has another number of cells than the header")
    return rows
