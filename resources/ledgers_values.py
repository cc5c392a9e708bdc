"""Single cells of ledgers: months, days, numbers as people write them; ranges that are plausible, slips of unit.

Belongs here: from the text of one cell to its value, and what may be meant by an implausible one. Does not belong here: whole tables
(`ledgers_cells`), words (`ledgers_words`), and the ranges themselves (`reference/ledgers`).
"""

from __future__ import annotations

import csv
import re
import unicodedata
from datetime import date, datetime
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

import reference
from resources.events_words import BLANK, time_of

_MONTH = re.compile(r"(\d{4})(?:[-/.](\d{1,2})|年(\d{1,2})月?|(\d\d))(?:份)?", re.ASCII)
_DAY = re.compile(
    r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日?|(\d\d)(\d\d))(?: 00:00:00)?", re.ASCII
)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?", re.ASCII)
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
FIRST_YEAR, LAST_YEAR = 2000, 2100


class Plausible(NamedTuple):
    """A row of plausible.csv. `kind` is that of a fuel, "" for any; `fuel` one that has a range of its own, "" for the others."""

    table: str
    column: str
    kind: str
    fuel: str
    low: float
    high: float
    zh: str
    en: str
    source: str


class Slip(NamedTuple):
    """A row of slips.csv: a value times `factor` is in the unit `meant` if it was written in `written`."""

    column: str
    kind: str
    factor: float
    written: str
    meant: str


def _plain(text: str) -> str:
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).strip(BLANK)


def month_of(text: str) -> str | None:
    """YYYY-MM; None for what is no month, or may be two: 2024.1 is January, or October without its zero.

    A day stands for its month. The serial number of a spreadsheet is not read: it depends on the calendar of the workbook.
    """
    plain = _plain(text).replace(" ", "") if " 00:00" not in text else _plain(text)
    if found := _DAY.fullmatch(plain):
        made = _day(found)
        return f"{made:%Y-%m}" if made else None
    found = _MONTH.fullmatch(plain)
    if not found or plain.partition(".")[2] == "1":
        return None
    year, month = int(found[1]), int(found[2] or found[3] or found[4])
    return f"{year:04d}-{month:02d}" if FIRST_YEAR <= year < LAST_YEAR and 1 <= month <= 12 else None


def day_of(text: str) -> date | None:
    """A day; None for what is none."""
    found = _DAY.fullmatch(_plain(text))
    return _day(found) if found else None


def _day(found: re.Match[str]) -> date | None:
    year, month, day = int(found[1]), int(found[2] or found[4] or found[6]), int(found[3] or found[5] or found[7])
    try:
        return date(year, month, day) if FIRST_YEAR <= year < LAST_YEAR else None
    except ValueError:
        return None


def stamp_of(text: str) -> datetime | None:
    """When something was submitted: a time, or the beginning of a day."""
    day = day_of(text)
    return datetime(day.year, day.month, day.day) if day else time_of(text)


def number_of(text: str) -> float | None:
    """A decimal, grouped by thousands or not; None for what is none: no unit, no percent sign, no decimal comma."""
    plain = _plain(text)
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _PLAIN.fullmatch(plain):
        return None
    made = float(plain)
    return made if abs(made) < 1e300 else None


def whole_of(text: str) -> int | None:
    """A revision: a whole number, with or without a V before it."""
    found = re.fullmatch(r"(?:v|rev\.?|第)?(\d{1,6})(?:版|次)?", _plain(text).casefold())
    return int(found[1]) if found else None


@cache
def plausibles() -> tuple[Plausible, ...]:
    """Rows of plausible.csv."""
    return tuple(
        Plausible(
            r["table"],
            r["column"],
            _where(r["where"], "kind"),
            _where(r["where"], "fuel"),
            float(r["low"]),
            float(r["high"]),
            r["zh"],
            r["en"],
            r["source"],
        )
        for r in _rows("plausible.csv")
    )


@cache
def _slips() -> tuple[Slip, ...]:
    return tuple(
        Slip(r["column"], _where(r["where"], "kind"), float(r["factor"]), r["written"], r["meant"])
        for r in _rows("slips.csv")
    )


def _rows(file: str) -> list[dict[str, str]]:
    with (reference.LEDGERS / file).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def _where(where: str, name: str) -> str:
    said, _, value = where.partition("=")
    return value if said == name else ""


def plausible(table: str, column: str, kind: str, fuel: str = "") -> Plausible | None:
    """The range that a value of a column should lie in; `kind` of the row's fuel, and the fuel."""
    some = [p for p in plausibles() if (p.table, p.column) == (table, column) and p.kind in ("", kind)]
    return next((p for p in some if p.fuel and p.fuel == fuel), None) or next((p for p in some if not p.fuel), None)


@cache
def fuels_apart(table: str, column: str) -> tuple[str, ...]:
    """Fuels with a range of their own."""
    return tuple(p.fuel for p in plausibles() if p.fuel and (p.table, p.column) == (table, column))


def slip(table: str, column: str, kind: str, value: float, fuel: str = "") -> Slip | None:
    """The unit that would explain a value; None where no listed one does."""
    within = plausible(table, column, kind, fuel)
    if within is None:
        return None
    found = [s for s in _slips() if s.kind in ("", kind) and s.column == column]
    found = found or [s for s in _slips() if "*" in s.column and fnmatchcase(column, s.column)]
    return next((s for s in found if within.low <= value * s.factor <= within.high), None)
