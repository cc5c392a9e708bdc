"""What is computed for a reporting year: parts of methods by number, their forms, constants and decimals as arrays for the kernels.

Belongs here: turning methods into arrays. Does not belong here: reading methods (`resources/methods*`), sources (`carbon_sources`)
and formulas (`kernels/carbon_forms`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from kernels.carbon import Rounding
from kernels.carbon_forms import (
    ALTFUEL,
    CALCINED,
    CARBON,
    CONSTANTS,
    DEDUCTION,
    FACTOR,
    FUEL,
    MOST_CONSTANTS,
    OXIDES,
    SLOTS,
    STOICHIOMETRIC,
    TERMS,
)
from kernels.rounding import AS_IS

if TYPE_CHECKING:
    import polars as pl

    from kernels.rounding import Bytes, Floats
    from resources.methods import Method, MethodBook, Part

FORMS = {
    "fuel": FUEL, "factor": FACTOR, "deduction": DEDUCTION, "oxides": OXIDES, "carbon": CARBON, "altfuel": ALTFUEL,
    "calcined": CALCINED, "stoichiometric": STOICHIOMETRIC, "none": FACTOR,
}  # fmt: skip
#: What the activity of a part is, for its decimals.
_AMOUNTS = {
    "fossil": "fuel", "other_fossil": "fuel", "altfuel": "altfuel", "clinker": "clinker", "deduction": "rawmat",
    "oxides": "clinker", "stoichiometric": "clinker", "rawmeal_carbon": "rawmeal", "bypass_dust": "dust", "kiln_dust": "dust",
    "dust_factor": "dust", "electricity": "electricity", "line_electricity": "electricity", "heat": "heat",
}  # fmt: skip
#: Parts whose activity is the clinker of the line.
OF_CLINKER = ("clinker", "oxides", "stoichiometric")


@dataclass(frozen=True)
class Plan:
    """Methods computed for a year, and their parts in order; a part's number is its profile in the kernels."""

    book: MethodBook
    year: int
    methods: tuple[Method, ...]
    parts: tuple[tuple[Method, Part], ...]

    @classmethod
    def of(cls, book: MethodBook, year: int) -> Plan:
        """The plan of a reporting year; methods without parts are known by name only and make nothing."""
        methods = tuple(m for m in book.of_year(year) if m.parts)
        return cls(book, year, methods, tuple((m, p) for m in methods for p in m.parts))

    @cached_property
    def number(self) -> dict[tuple[str, str], int]:
        """Part number by (method, part)."""
        return {(m.id, p.id): i for i, (m, p) in enumerate(self.parts)}

    @cached_property
    def first_of(self) -> dict[str, int]:
        """Number of the first part of each method: its profile for totals."""
        return {m.id: self.number[m.id, m.parts[0].id] for m in self.methods}

    @cached_property
    def forms(self) -> Bytes:
        """Form of each part."""
        return np.array([FORMS[p.formula] for _, p in self.parts], np.int8)

    @cached_property
    def rounding(self) -> Rounding:
        """Decimals of every part."""
        decimals = np.full((len(self.parts), len(TERMS), SLOTS), AS_IS, np.int8)
        for i, (method, part) in enumerate(self.parts):
            for k, quantity in enumerate(_quantities(part)):
                decimals[i, self.forms[i], k] = method.profile.places(quantity)
        emission = [m.profile.places("emission") for m, _ in self.parts]
        constants = np.full((len(self.parts), MOST_CONSTANTS), np.nan)
        for i, (_, part) in enumerate(self.parts):
            for k, name in enumerate(CONSTANTS.get(int(self.forms[i]), ())):
                constants[i, k] = _constant(part, name)
        exact_sums = np.array([m.profile.exact_sums for m, _ in self.parts], np.bool_)
        return Rounding(decimals, np.array(emission, np.int8), exact_sums, constants)

    @cached_property
    def drafts(self) -> list[str | None]:
        """What of each part itself a filing run refuses: its method, the part, or the year."""
        return [_drafts(m, p, self.year) for m, p in self.parts]

    def terms(self, frame: pl.DataFrame, part: npt.NDArray[np.integer]) -> Floats:
        """Kernel terms of source rows; what is null there is NaN."""
        form = self.forms[part]
        made = np.zeros((frame.height, SLOTS))
        columns = {name: frame[name].to_numpy() for name in {n for f in np.unique(form).tolist() for n in TERMS[f]}}
        for f in np.unique(form).tolist():
            rows = np.flatnonzero(form == f)
            for k, name in enumerate(TERMS[f]):
                made[rows, k] = columns[name][rows]
        return made


def _quantities(part: Part) -> tuple[str, ...]:
    amount = _AMOUNTS.get(part.id, "")
    if part.id == "rawmeal_carbon" and part.options.get("amount") == "ratio":
        amount = "clinker"
    return {"fuel": (amount, "ncv", "carbon"), "oxides": (amount, "dust")}.get(part.formula, (amount,))


def _constant(part: Part, name: str) -> float:
    if name == "cao_per_carbonate":
        return float(part.ratio(name)) if name in part.options else np.nan
    option = f"{name[:3]}_ratio"
    if option not in part.options:
        return np.nan
    over, _, under = str(part.options[option]).partition("/")
    return float(over if name.endswith("over") else under or 1)


def _drafts(method: Method, part: Part, year: int) -> str | None:
    named = [method.id] if method.confidence == "draft" else []
    named += [f"{method.id}/{part.id}"] if part.confidence == "draft" and not named else []
    named += [f"{method.profile.id}"] if method.profile.confidence == "draft" else []
    named += [] if method.in_force(year) else [f"{method.id} {year}"]
    return "|".join(named) or None
