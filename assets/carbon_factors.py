"""Factors of one method and month as frames to join with ledger rows.

Belongs here: asking the factor book for what a method uses, in the order of methods it borrows from. Does not belong here: the
choice by date (`resources/factors`) and values (`reference/factors`).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

import reference
from resources.factors import FactorBook, MissingFactor

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from resources.factors import Factor
    from resources.methods import Method

#: Columns of a joined factor: its value, its id, and its id once more where it is a draft.
_SHOWN = ("", "_id", "_draft")


@cache
def fuel_kinds() -> dict[str, tuple[str, str]]:
    """Fuel -> (solid, liquid, gas or alternative; unit of its amounts), of reference/factors/fuels.csv."""
    with (reference.FACTORS / "fuels.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["fuel"]: (row["kind"], row["unit"]) for row in csv.DictReader(file)}


@dataclass(frozen=True)
class Factors:
    """The factor book as one method sees it on the first day of a month."""

    book: FactorBook
    method: Method
    day: date

    def find(self, quantity: str, scope: str, region: str = "") -> Factor | None:
        """The factor of the first method in the list that has one; None where none has."""
        for method in self.method.factors:
            try:
                return self._asked(quantity, scope, method, region)
            except MissingFactor:
                continue
        return None

    def frame(self, quantity: str, column: str, scopes: Iterable[str], name: str = "factor") -> pl.DataFrame:
        """One row a scope in `column`, with the value in `name`, its id and draft id beside it; nulls where there is none."""
        rows = [(scope, *_told(self.find(quantity, scope))) for scope in sorted(set(scopes))]
        return pl.DataFrame(rows, {column: pl.String, **_columns(name)}, orient="row")

    def regional(self, quantity: str, scope: str, regions: Iterable[str], column: str) -> pl.DataFrame:
        """One row a region in `column`, as `frame`."""
        rows = [(r, *_told(self.find(quantity, scope, r))) for r in sorted(set(regions))]
        return pl.DataFrame(rows, {column: pl.String, **_columns("factor")}, orient="row")

    def fuels(self, pairs: Iterable[tuple[str, str]]) -> pl.DataFrame:
        """One row a (fuel, facility): default heating value, carbon content, oxidation rate, and the unit its amounts are in."""
        made = []
        for fuel, facility in sorted(set(pairs)):
            kind, unit = fuel_kinds().get(fuel, ("", ""))
            ncv, carbon, oxidation = self._fuel(fuel, kind, facility)
            made.append((fuel, facility, unit, *_told(ncv), *_told(carbon), *_told(oxidation)))
        columns = {"fuel": pl.String, "facility": pl.String, "expected_unit": pl.String}
        return pl.DataFrame(
            made, {**columns, **_columns("default_ncv"), **_columns("carbon"), **_columns("oxidation")}, orient="row"
        )

    def _fuel(self, fuel: str, kind: str, facility: str) -> tuple[Factor | None, Factor | None, Factor | None]:
        """Of one and the same method: carbon content and oxidation rate of different guides do not go together."""
        for method in self.method.factors:
            ncv, carbon = (self._one(q, fuel, method) for q in ("ncv", "cc"))
            scopes = (fuel, f"{kind}/{facility}", kind)
            oxidation = next((f for s in scopes if (f := self._one("of", s, method))), None)
            if carbon and oxidation:
                return ncv, carbon, oxidation
        return None, None, None

    def _one(self, quantity: str, scope: str, method: str) -> Factor | None:
        try:
            return self._asked(quantity, scope, method)
        except MissingFactor:
            return None

    def _asked(self, quantity: str, scope: str, method: str, region: str = "") -> Factor:
        by, policy = self.method.published_by, self.method.policy
        return self.book.find(quantity, scope, self.day, method=method, region=region, published_by=by, policy=policy)


def _told(factor: Factor | None) -> tuple[float | None, str | None, str | None]:
    if factor is None:
        return None, None, None
    return factor.value, factor.factor_id, factor.factor_id if factor.confidence == "draft" else None


def _columns(name: str) -> dict[str, type[pl.DataType]]:
    return {f"{name}{shown}": pl.String if shown else pl.Float64 for shown in _SHOWN}
