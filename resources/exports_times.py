"""Times as people and platforms write them: one text, or a date and an hour in two columns, as moments or as spans.

Belongs here: every spelling that is read, one text at a time. Does not belong here: the plain ASCII spellings of millions of rows
(`kernels/exports.py` reads those to the same result) and which column holds a time (`exports_header`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from kernels.exports import DAY_MS, HAS_HOUR, HAS_MINUTE, IS_24

_EPOCH = datetime(1970, 1, 1)
_DATE = re.compile(r"(\d{4})(?:[-/.年])(\d{1,2})(?:[-/.月])(\d{1,2})日?")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(\d{3})?)?)?)?$")
_CLOCK = re.compile(
    r"(\d{1,2})(?:\s*[时点h]\s*整?|(?=\D|$))(?:[::]?\s*(\d{1,2})\s*分?(?:[::]?\s*(\d{1,2})(?:\.(\d+))?\s*秒?)?)?"
)
_RANGE = re.compile(r"\s*(?:~|至|到|—|–|－|-)\s*")
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?$")


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in ms since 1970 (or since midnight, for a clock alone). `until`: end of the span where one is written."""

    ms: int
    form: int
    until: int | None = None


def parse_moment(text: str, *, serial: bool = False) -> Moment | None:
    """A date with or without a time of day, or a span; None when it is none. `serial`: numbers are days of a spreadsheet."""
    said = unicodedata.normalize("NFKC", text).strip()
    if serial and _SERIAL.match(said):
        return Moment(round((float(said) - 25569) * 86_400) * 1000, HAS_HOUR | HAS_MINUTE)
    compact = _COMPACT.match(said)
    if compact:
        y, m, d, *hms = (int(g) if g else None for g in compact.groups())
        return _moment(_day(y, m, d), _clock_ms(*hms[:3], milli=hms[3] or 0))
    date = _DATE.match(said)
    if not date:
        return None
    day = _day(*map(int, date.groups()))
    rest = said[date.end() :].lstrip(" T\t")
    if day is None:
        return None
    if not rest:
        return Moment(day, 0)
    clock = parse_clock(rest)
    if clock is not None:
        until = None if clock.until is None else day + clock.until
        return Moment(day + clock.ms, clock.form, until)
    return _long_span(day, rest)


def _long_span(day: int, rest: str) -> Moment | None:
    """`18:00 ~ 2026-09-22 19:00`: the second half is a moment of its own."""
    first = _CLOCK.match(rest)
    mark = _RANGE.match(rest, first.end()) if first else None
    if not first or not mark:
        return None
    begin = _clock_ms(*(int(g) if g else None for g in first.groups()[:3]))
    second = parse_moment(rest[mark.end() :])
    if begin is None or second is None or second.until is not None:
        return None
    return Moment(day + begin[0], begin[1], second.ms)


def parse_clock(text: str) -> Moment | None:
    """`18`, `18时`, `18:05:00`, `24:00`, or a span `18~19`, `18时-19时`, `23:00-24:00`; ms since midnight."""
    said = unicodedata.normalize("NFKC", text).strip()
    first = _CLOCK.match(said)
    if not first:
        return None
    begin = _clock_ms(*(int(g) if g else None for g in first.groups()[:3]))
    if begin is None:
        return None
    rest = said[first.end() :]
    if not rest.strip():
        return Moment(*begin)
    mark = _RANGE.match(rest)
    second = _CLOCK.fullmatch(rest[mark.end() :].strip()) if mark else None
    end = _clock_ms(*(int(g) if g else None for g in second.groups()[:3])) if second else None
    if end is None:
        return None
    # A span over midnight is written 23~0 as often as 23~24.
    until = end[0] if end[0] > begin[0] else end[0] + DAY_MS
    return Moment(begin[0], begin[1] & ~IS_24, until)


def _day(year: int | None, month: int | None, day: int | None) -> int | None:
    try:
        return (datetime(year or 0, month or 0, day or 0) - _EPOCH) // timedelta(milliseconds=1)
    except ValueError:
        return None


def _clock_ms(hour: int | None, minute: int | None, second: int | None, *, milli: int = 0) -> tuple[int, int] | None:
    form = (
        (HAS_HOUR if hour is not None else 0) | (HAS_MINUTE if minute is not None else 0) | (IS_24 if hour == 24 else 0)
    )
    h, m, s = hour or 0, minute or 0, second or 0
    if h > 24 or m > 59 or s > 59 or (h == 24 and (m or s or milli)):
        return None
    return ((h * 60 + m) * 60 + s) * 1000 + milli, form


def _moment(day: int | None, clock: tuple[int, int] | None) -> Moment | None:
    return None if day is None or clock is None else Moment(day + clock[0], clock[1])
