"""Words of ledgers: which column a header names and in which unit, which sheet a table is, what a label stands for.

Belongs here: reading reference/ledgers and the fuel and material lists into look-ups. Does not belong here: cells that are numbers or
months (`ledgers_cells`), where a header lies (`ledgers_sheet`), and the words themselves (`reference/ledgers`).
"""

from __future__ import annotations

import csv
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import reference
from contracts.ledgers import FACILITIES, LEDGERS, METERINGS, NCV_SOURCES, PROVENANCE, UNITS
from resources.events_words import BLANK, folded, word_table
from resources.rules_rows import RuleError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Columns about the submission and not the plant; any sheet may have them.
STAMPS = ("submitted_at", "revision", "withdrawn")
#: Said of a header whose unit is known and not ours.
WRONG = "wrong"
#: No header is longer; what is, is text.
LONGEST_HEADING = 80
_EDGE = BLANK + "()[]{}【】〔〕<>《》/,，、:：_·-"


class Heading(NamedTuple):
    """What a header cell says: column, unit as a canonical name ("" = none given), and that unit as it stands."""

    column: str
    unit: str
    text: str


class Header(NamedTuple):
    """One row of headers.csv: the official name, the units that a column may be headed with, the first being the usual one."""

    column: str
    zh: str
    units: tuple[str, ...]
    source: str


class Named(NamedTuple):
    """A fuel or raw material by its id; `kind` and `unit` of fuels."""

    id: str
    zh: str
    en: str
    kind: str
    unit: str


@dataclass(frozen=True)
class Words:
    """Look-ups by folded spelling."""

    headers: Mapping[str, Mapping[str, Header]]
    columns: Mapping[str, Mapping[str, str]]
    _units: Mapping[str, str]
    _sheets: Mapping[str, str]
    _others: Mapping[str, str]
    sheet_names: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]
    fuels: Mapping[str, Named]
    materials: Mapping[str, Named]
    blanks: frozenset[str]
    totals: frozenset[str]
    remarks: tuple[str, ...]
    #: What columns of sheets with months across are for: item, unit, way, annual, unused.
    across: Mapping[str, str]
    #: Names of coal that do not say which, and the coals that it may be.
    vague: frozenset[str]
    ranks: tuple[str, ...]

    def heading(self, table: str, text: str) -> Heading | None:
        """What a header cell of a table says; None for a column that is not ours. The longest name counts, a remark does not."""
        return _heading(table, text) if len(text) <= LONGEST_HEADING else None

    def unit(self, text: str) -> str:
        """The canonical unit that a text names, "wrong" for one that is known and never ours, "" for none."""
        plain = unicodedata.normalize("NFKC", text).strip(_EDGE).replace("或", "|").replace(" or ", "|")
        found = {self._units.get(_unit_folded(part), "") for part in plain.split("|")}
        return "|".join(sorted(found)) if "" not in found else ""

    def sheet(self, name: str) -> str:
        """The table that a sheet's name stands for, by the longest word in it; "" where it is none or open."""
        plain = folded(name)
        if self.other_sheet(name):
            return ""
        found = [(len(word), table) for word, table in self._sheets.items() if word in plain]
        longest = max((n for n, _ in found), default=0)
        tables = {table for n, table in found if n == longest}
        return tables.pop() if len(tables) == 1 else ""

    def other_sheet(self, name: str) -> str:
        """What a sheet without data is for: notes, example, lists or submission; "" for any other."""
        plain = folded(name)
        return next((kind for word, kind in self._others.items() if plain.startswith(word)), "")


@lru_cache(maxsize=1 << 14)
def _heading(table: str, text: str) -> Heading | None:
    """`Words.heading`, once a spelling: fifteen thousand files bear the same few headers."""
    words = load_words()
    columns = words.columns[table]
    plain = unicodedata.normalize("NFKC", text).strip(BLANK)
    if found := columns.get(folded(plain)):
        return Heading(found, "", "")
    for cut in range(len(plain) - 1, 0, -1):
        if found := columns.get(folded(plain[:cut].strip(_EDGE))):
            rest = plain[cut:]
            unit = words.unit(rest)
            if unit or rest[0] in "([{<【〔《":
                return Heading(found, unit, rest.strip(_EDGE) if unit else "")
    return None


def _unit_folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).strip(_EDGE).casefold()
    return "".join(c for c in plain if c not in " \t×*^·.") if plain else ""


@cache
def load_words() -> Words:
    """The words; RuleError where one stands for two things, or a column is none of the contract's."""
    texts = tomllib.loads((reference.LEDGERS / "words.toml").read_text(encoding="utf-8"))
    headers = _headers()
    fuels, materials = named("fuels.csv"), named("materials.csv")
    values = {n: word_table(n, known, texts[n]) for n, known in _LISTED.items()}
    values["fuel"], values["material"] = _names(fuels, "fuels.csv"), _names(materials, "materials.csv")
    wrong = texts["units"].pop("wrong")
    units = {_unit_folded(word): WRONG for word in wrong}
    for canonical, words in texts["units"].items():
        units |= {_unit_folded(word): canonical for word in (canonical, *words)}
    sheets = {folded(word): name for name, words in texts["sheets"].items() for word in (name, *words)}
    others = {folded(word): kind for kind, words in texts["other_sheets"].items() for word in words}
    columns = {table: _columns(table, some) for table, some in headers.items()}
    blanks = frozenset(unicodedata.normalize("NFKC", w).casefold() for w in texts["cells"]["blank"])
    return Words(
        headers, columns, units, sheets, others, {words[0]: name for name, words in texts["sheets"].items()}, values, fuels, materials,
        blanks | {""}, frozenset(folded(w) for w in texts["cells"]["totals"]), tuple(map(folded, texts["cells"]["remarks"])),
        {folded(word): kind for kind, words in texts["across"].items() for word in words},
        frozenset(map(folded, texts["vague"]["coal"])), tuple(texts["vague"]["ranks"]),
    )  # fmt: skip


_LISTED = {
    "facility": FACILITIES,
    "metering": METERINGS,
    "ncv_source": NCV_SOURCES,
    "unit": UNITS,
    "withdrawn": ("yes", "no"),
}


@cache
def _header_rows() -> list[dict[str, str]]:
    with (reference.LEDGERS / "headers.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _headers() -> dict[str, dict[str, Header]]:
    """Headers by table and column in the order of the contract, then the stamps."""
    rows = {(r["table"], r["column"]): r for r in _header_rows()}
    made: dict[str, dict[str, Header]] = {}
    for table in LEDGERS:
        names = [*(n for n in table.names if n not in PROVENANCE), *STAMPS]
        found = {n: rows.get((table.name, n)) or rows.get(("*", n)) for n in names}
        if missing := [n for n, row in found.items() if row is None]:
            raise RuleError(f"ledgers/headers.csv: {table.name} 缺少列 lacks {', '.join(missing)}")
        made[table.name] = {
            n: Header(n, row["zh"], tuple(filter(None, row["units"].split("|"))), row["source"])
            for n, row in found.items()
            if row
        }
    return made


def _columns(table: str, headers: Mapping[str, Header]) -> dict[str, str]:
    rows = {(r["table"], r["column"]): r for r in _header_rows()}
    words = {}
    for name in headers:
        row = rows.get((table, name)) or rows["*", name]
        words[name] = [row["zh"], *filter(None, row["synonyms"].split("|"))]
    return word_table(f"headers.csv {table}", tuple(headers), words)


def named(file: str) -> dict[str, Named]:
    """Fuels or raw materials of a list of reference/factors, by id, in file order."""
    with (reference.FACTORS / file).open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    key = "fuel" if "fuel" in rows[0] else "material"
    return {r[key]: Named(r[key], r["zh"], r["en"], r.get("kind", ""), r.get("unit", "")) for r in rows}


def _names(some: Mapping[str, Named], file: str) -> dict[str, str]:
    with (reference.FACTORS / file).open(encoding="utf-8", newline="") as source:
        synonyms = [row["synonyms"] for row in csv.DictReader(source)]
    words = {
        n.id: [n.zh, n.en, *filter(None, more.split("|"))] for n, more in zip(some.values(), synonyms, strict=True)
    }
    return word_table(file, tuple(some), words)


@cache
def limits() -> dict[str, float]:
    """Bounds of reference/ledgers/limits.toml."""
    found = tomllib.loads((reference.LEDGERS / "limits.toml").read_text(encoding="utf-8"))
    return {name: value for name, value in found.items() if not isinstance(value, str)}
