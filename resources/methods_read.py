"""Method files: TOML in, typed records and problems out.

Belongs here: what a file of reference/methods may say, and where it does not. Does not belong here: choosing methods (`methods`),
what they say (`reference/methods`), and what parts mean (`assets/carbon_sources`).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

import reference
from resources.factors_read import CONFIDENCE, LATEST
from resources.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import date

#: Formulas that a part may name; "none" stands for inputs that no ledger has.
FORMULAS = ("fuel", "factor", "deduction", "oxides", "carbon", "altfuel", "calcined", "stoichiometric", "none")
PARTS = (
    "fossil", "altfuel", "clinker", "deduction", "oxides", "rawmeal_carbon", "bypass_dust", "kiln_dust", "dust_factor",
    "stoichiometric", "no_kiln_dust", "outside", "line_electricity", "other_fossil", "electricity", "heat",
)  # fmt: skip
LEVELS, SUMS = ("line", "entity"), ("fossil", "process", "energy")
BASES = (
    "location_province", "location_national", "location_region", "national_ets", "net_national", "market_residual",
)  # fmt: skip
#: Quantities that a rounding profile may give decimals for.
QUANTITIES = (
    "fuel", "ncv", "carbon", "clinker", "rawmat", "rawmeal", "dust", "altfuel", "electricity", "heat", "emission", "intensity",
    "rate", "heat_intensity", "heat_kgce", "whole",
)  # fmt: skip
_OPTIONS = (
    "unit", "scope", "bases", "dust", "optional", "requires", "cao_ratio", "mgo_ratio", "amount", "calcination", "cao_pct",
    "cao_per_carbonate",
)  # fmt: skip
_CITE = ("mark", "confidence", "source")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a method: a formula over sources of one kind. `unit` is what it is rounded with, "" for each source alone."""

    id: str
    formula: str
    level: str
    sum: str
    unit: str
    confidence: str
    clause: str
    options: dict[str, Any] = field(default_factory=dict, hash=False)

    def ratio(self, name: str) -> Fraction:
        """A number as printed, such as 44/56 or 0.785."""
        return Fraction(self.options[name])

    def listed(self, name: str) -> tuple[str, ...]:
        """An option that is a list of names."""
        return tuple(self.options.get(name, ()))


@dataclass(frozen=True, slots=True)
class Profile:
    """Decimals by quantity; `exact_sums`: totals round the sum of what was not rounded."""

    id: str
    zh: str
    en: str
    exact_sums: bool
    confidence: str
    decimals: dict[str, int] = field(default_factory=dict, hash=False)

    def places(self, quantity: str) -> int:
        """Decimals of a quantity; -1 where it is not rounded."""
        return self.decimals.get(quantity, -1)


@dataclass(frozen=True, slots=True)
class Method:
    """One method for reporting years [from_year, to_year); `text` is all its file says, `factors` the methods whose factors it uses."""

    id: str
    zh: str
    en: str
    number: str
    from_year: int
    to_year: int | None
    factors: tuple[str, ...]
    profile: Profile
    reported: tuple[str, ...]
    confidence: str
    corrects_meters: bool
    parts: tuple[Part, ...]
    text: dict[str, Any] = field(default_factory=dict, hash=False)
    #: How it chooses between editions of a factor, and the day by which they were published; a home may say so.
    policy: str = LATEST
    published_by: date | None = None

    @property
    def selection(self) -> str:
        """The policy in words for rows and releases: `latest_published`, or with its day `latest_published 2025-06-30`."""
        return f"{self.policy} {self.published_by}" if self.published_by else self.policy

    @property
    def calibration_months(self) -> int:
        """For how many months a calibration of a meter holds at most; 0 where the method says nothing of it."""
        return int(self.text.get("meters", {}).get("months", 0))

    def in_force(self, year: int) -> bool:
        """It is written for reports of this year."""
        return self.from_year <= year and (self.to_year is None or year < self.to_year)

    def part(self, name: str) -> Part | None:
        """The part called `name`."""
        return next((p for p in self.parts if p.id == name), None)


@cache
def calibration_months() -> int:
    """The shortest interval of calibration that a method of the house states (carbon-rules 2.5)."""
    texts = (p.read_text(encoding="utf-8-sig") for p in sorted(reference.METHODS.glob("*.toml")))
    return min(int(n) for text in texts if (n := tomllib.loads(text).get("meters", {}).get("months")))


class MethodFile:
    """One file on its way to records; `problems` holds what is wrong with it."""

    def __init__(self, name: str, content: bytes) -> None:
        self._name = name
        self.problems: list[Problem] = []
        self.content: dict[str, Any] = {}
        try:
            self.content = tomllib.loads(content.decode("utf-8-sig"))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            self._complain("", "", f"不是 UTF-8 编码的 TOML: {error}", f"is no TOML in UTF-8: {error}")

    def profiles(self) -> list[Profile]:
        """The rounding profiles of rounding.toml."""
        return list(self._profiles())

    def _profiles(self) -> Iterator[Profile]:
        for i, row in enumerate(self.content.get("profile", []), 1):
            where = f"profile[{i}]"
            texts = self._texts(where, row, "id", "zh", "en", "sums")
            self._among(where, row, "sums", ("rounded", "exact"))
            self._cited(where, row)
            self._known(where, row, ("id", "zh", "en", "sums", "note", *_CITE, *QUANTITIES))
            decimals = {q: row[q] for q in QUANTITIES if q in row}
            for name, places in decimals.items():
                if not isinstance(places, int) or not 0 <= places <= 15:
                    self._complain(
                        f"{where}.{name}", places, "应为 0 至 15 的整数", "is not a whole number from 0 to 15"
                    )
            yield Profile(
                texts["id"],
                texts["zh"],
                texts["en"],
                row.get("sums") == "exact",
                row.get("confidence", "draft"),
                decimals,
            )

    def method(self, profiles: dict[str, Profile]) -> Method | None:
        """The method of a file, None (and problems) where it cannot be used."""
        head = self.content.get("method", {})
        texts = self._texts("method", head, "id", "zh", "en", "number", "rounding")
        self._known("method", head, (
            "id", "zh", "en", "number", "from_year", "to_year", "factors", "rounding", "reported", "note", *_CITE,
        ))  # fmt: skip
        self._cited("method", head)
        for name in ("from_year", "to_year"):
            if not isinstance(head.get(name, None if name == "from_year" else 0), int):
                self._complain(f"method.{name}", head.get(name, ""), "应为年份", "is not a year")
        self._among("method", head, "rounding", profiles)
        if texts["id"] and f"{texts['id']}.toml" != self._name.rpartition("/")[2]:
            self._complain("method.id", texts["id"], "与文件名不符", "is not the file's name")
        parts = tuple(self._part(i, row) for i, row in enumerate(self.content.get("part", []), 1))
        if self.problems:
            return None
        return Method(
            texts["id"], texts["zh"], texts["en"], texts["number"], head["from_year"], head.get("to_year"),
            tuple(head["factors"]), profiles[head["rounding"]], tuple(head["reported"]), head["confidence"],
            bool(self.content.get("meters", {}).get("apply", False)), parts, self.content,
        )  # fmt: skip

    def _part(self, number: int, row: dict[str, Any]) -> Part:
        where = f"part[{number}]"
        texts = self._texts(where, row, "id", "formula", "level", "sum", "clause")
        for name, known in (("id", PARTS), ("formula", FORMULAS), ("level", LEVELS), ("sum", SUMS)):
            self._among(where, row, name, known)
        for basis in row.get("bases", []):
            self._among(where, {"bases": basis}, "bases", BASES)
        self._known(where, row, ("id", "formula", "level", "sum", "clause", "note", *_CITE, *_OPTIONS))
        self._cited(where, row)
        options = {k: v for k, v in row.items() if k in _OPTIONS and k != "unit"}
        for name in (n for n in ("cao_ratio", "mgo_ratio", "cao_pct", "cao_per_carbonate") if n in options):
            try:
                Fraction(options[name])
            except (ValueError, TypeError, ZeroDivisionError):
                self._complain(f"{where}.{name}", options[name], "应为数或分数", "is neither a number nor a fraction")
        return Part(
            texts["id"], texts["formula"], texts["level"], texts["sum"], row.get("unit", ""), row.get("confidence", "draft"),
            texts["clause"], options,
        )  # fmt: skip

    def _texts(self, where: str, row: dict[str, Any], *names: str) -> dict[str, str]:
        for name in names:
            if not isinstance(row.get(name), str) or not row[name].strip():
                self._complain(f"{where}.{name}", row.get(name, ""), "未填", "is empty")
        return {name: str(row.get(name, "")) for name in names}

    def _among(self, where: str, row: dict[str, Any], name: str, known: Collection[str]) -> None:
        if row.get(name) not in known:
            listed = ", ".join(known)
            self._complain(f"{where}.{name}", row.get(name, ""), f"应为其一: {listed}", f"is not one of {listed}")

    def _known(self, where: str, row: dict[str, Any], names: Collection[str]) -> None:
        for name in (n for n in row if n not in names):
            self._complain(f"{where}.{name}", row[name], "未知的键", "is an unknown key")

    def _cited(self, where: str, row: dict[str, Any]) -> None:
        self._among(where, row, "mark", CONFIDENCE)
        worth = CONFIDENCE.get(row.get("mark", ""), "draft")
        self._among(where, row, "confidence", tuple(dict.fromkeys((worth, "draft"))))
        sources = self.content.get("sources", {})
        for name in row.get("source", ()) or ("",):
            self._among(where, {"source": name}, "source", sources)

    def _complain(self, key: str, value: object, zh: str, en: str) -> None:
        self.problems.append(Problem(self._name, 0, key, str(value), zh, en, "改正该处", "correct it"))
