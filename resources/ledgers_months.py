"""The year that a sheet is about, and months that stand without theirs.

Belongs here: years in names and titles of sheets, headers that are months, months as `3` or `3月`. Does not belong here: months that are whole
in their own cell (`ledgers_values`), where a header lies (`ledgers_sheet`, `ledgers_across`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from resources.events_words import BLANK
from resources.ledgers_values import FIRST_YEAR, LAST_YEAR, month_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ENGLISH = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WHOLE = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")  # fmt: skip
_ALONE = re.compile(r"(0?[1-9]|1[0-2])月?份?", re.ASCII)
_HEAD = re.compile(r"(0?[1-9]|1[0-2])月份?(?:\(.*\))?", re.ASCII)
#: A day says when a form was filled in and not what it is about.
_DAY = re.compile(r"\d{4}\s*(?:年\s*\d{1,2}\s*月\s*\d{1,2}|[-/.]\d{1,2}[-/.]\d{1,2})", re.ASCII)
_YEAR = re.compile(r"(?<!\d)(\d{4})\s*年|^(\d{4})$", re.ASCII)
_IN_NAME = re.compile(r"(?<!\d)(\d{4})(?!\d)", re.ASCII)


def _plain(text: str) -> str:
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).strip(BLANK)


def years_of(name: str, title: Iterable[Sequence[str]]) -> list[str]:
    """Years that the name of a sheet and the rows above its table speak of, sorted; one of them is needed, two are none."""
    found = set(_IN_NAME.findall(_DAY.sub("", _plain(name))))
    for cells in title:
        for text in filter(None, cells):
            found |= {a or b for a, b in _YEAR.findall(_DAY.sub("", _plain(text)))}
    return sorted(y for y in found if FIRST_YEAR <= int(y) < LAST_YEAR)


@lru_cache(maxsize=4096)
def of_year(text: str, year: str) -> str:
    """A month that stands without its year, `3`, `03` or `3月`, as that of a year; any other text as it is."""
    found = _ALONE.fullmatch(_plain(text))
    return f"{year}-{int(found[1]):02d}" if found else text


@lru_cache(maxsize=4096)
def month_head(text: str) -> tuple[str, int] | None:
    """Year ("" where none is given) and month of a header such as `1月`, `2024年1月`, `2024-01`, `Jan`; None for any other text."""
    plain = _plain(text)
    if found := _HEAD.fullmatch(plain.replace(" ", "")):
        return "", int(found[1])
    lower = plain.casefold().rstrip(".")
    for names in (_ENGLISH, _WHOLE):
        if lower in names:
            return "", names.index(lower) + 1
    made = month_of(plain.partition("(")[0]) if plain[:1].isdigit() else None
    return (made[:4], int(made[5:])) if made else None
