"""Cells of a declaration: column names, states, marks, channels and times as people write them.

Belongs here: from the text of one cell to what it means. Does not belong here: rows and files (`events_file`, `events_rows`),
and the words themselves (`reference/events.toml`).
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import reference
from contracts.channels import CHANNEL_NAMES, CHANNELS
from contracts.events import MARKS, STATES
from resources.factors_hj212 import channel_codes, load_factor_codes
from resources.rules_rows import RuleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ALL = "all"
COLUMNS = (
    "event_id", "line_id", "outlet_id", "state", "channel", "mark", "start", "end", "declared_at", "last_calibration_at",
    "evidence",
)  # fmt: skip
#: Spaces of every width, and the marks that spreadsheets and web pages leave around text.
BLANK = " \t\r\n\v\f\u00a0\u3000\ufeff\u200b"
#: Words less alike than this (0 ... 1) are no suggestion.
LEAST_ALIKE = 0.6
FIRST, LAST = datetime(2000, 1, 1), datetime(2100, 1, 1)

_REMARK = re.compile(r"[(\[].*[)\]]$")
_SKIPPED = re.compile(r"[\s_\-/]+")
_LIST = re.compile(r"[;,、，；|/+\s]+")
_DATED = re.compile(
    r"(?P<y>\d{4})(?:[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})|年(?P<m2>\d{1,2})月(?P<d2>\d{1,2})日)"
    r"(?:T|\s+|(?<=日)|(?=[上下]午))(?P<half>上午|下午)?\s*(?P<h>\d{1,2})"
    r"(?::(?P<i>\d{1,2})(?::(?P<s>\d{1,2})(?:\.\d{1,9})?)?|时(?:(?P<i2>\d{1,2})分(?:(?P<s2>\d{1,2})秒)?)?)"
    r"\s*(?P<half2>[AP]M)?\s*(?:\+08:?00)?",
    re.IGNORECASE | re.ASCII,
)
#: What most files hold, for which there is a faster way.
_ISO = re.compile(r"\d{4}-\d\d-\d\d[ T](?!24)\d\d:\d\d(?::\d\d)?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?", re.ASCII)
_SERIAL = re.compile(r"\d{5}\.\d{1,15}", re.ASCII)
#: Day 0 of a spreadsheet's calendar, as it counts from March 1900 on.
_SPREADSHEET = datetime(1899, 12, 30)


@dataclass(frozen=True, slots=True)
class Words:
    """What is understood, by folded spelling."""

    columns: Mapping[str, str]
    states: Mapping[str, str]
    marks: Mapping[str, str]
    channels: Mapping[str, str]
    columns_else: Mapping[str, str]
    #: The words of each table by name, as they are listed.
    listed: Mapping[str, Mapping[str, Sequence[str]]]

    def columns_of(self, cells: Sequence[str]) -> list[str]:
        """The column that each cell of a header names; "" for one that is not ours."""
        plain = [folded(_REMARK.sub("", unicodedata.normalize("NFKC", c).strip(BLANK))) for c in cells]
        made = [self.columns.get(word, "") for word in plain]
        others = [self.columns_else.get(word, "") for word in plain]
        return [m or ("" if other in made else other) for m, other in zip(made, others, strict=True)]

    def called(self, column: str) -> list[str]:
        """A few ways to write the name of a column, the usual ones first, its own last."""
        words = self.listed["columns"].get(column, ())
        return [*words[:1], *self.listed["columns_else"].get(column, ()), *words[1:2], column]

    def shown(self, table: str, name: str) -> str:
        """A name with its first Chinese word: `cold_start 冷点火`."""
        return " ".join((name, *self.listed[table].get(name, ())[:1]))

    def nearest(self, table: str, text: str) -> list[str]:
        """The names whose words are most alike to a text, all that are equally near; none where nothing is."""
        plain, alike = folded(text), dict[str, float]()
        for name, words in self.listed[table].items():
            matcher = SequenceMatcher(b=plain)
            for word in (name, *words):
                matcher.set_seq1(folded(word))
                alike[name] = max(alike.get(name, 0.0), matcher.ratio())
        best = max(alike.values(), default=0.0)
        return [name for name, ratio in alike.items() if ratio == best >= LEAST_ALIKE]

    def channel_list(self, text: str) -> tuple[str, ...]:
        """The channels that a cell names, sorted; ("all",) for all of them or an empty cell, () when one is unknown."""
        if whole := self.channels.get(folded(text)):
            return (whole,)
        found = {self.channels.get(folded(part), "") for part in _LIST.split(text) if part}
        if "" in found:
            return ()
        return (ALL,) if ALL in found or not found else tuple(sorted(found))

    def unknown_channel(self, text: str) -> str:
        """The first part of a cell that names no channel."""
        return next((part for part in _LIST.split(text) if part and folded(part) not in self.channels), text)


def folded(text: str) -> str:
    """A spelling without what does not matter: case, width, spaces, underscores, hyphens, slashes."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return _SKIPPED.sub("", plain.strip(BLANK)).casefold()


@cache
def load_words() -> Words:
    """The words of reference/events.toml, with the factor codes and names of HJ 212 for channels.

    RuleError names a word that stands for two things, or a name that no contract knows.
    """
    texts = tomllib.loads((reference.FOLDER / "events.toml").read_text(encoding="utf-8"))
    channels = {name: list(words) for name, words in texts["channels"].items()}
    names = [(c.name, c.zh) for c in CHANNELS] + [(f.channel, f.name_zh) for f in load_factor_codes() if f.channel]
    for channel, word in [*names, *((channel, code) for code, channel in channel_codes().items())]:
        channels.setdefault(channel, []).append(word)
    return Words(
        word_table("columns", COLUMNS, texts["columns"]),
        word_table("states", STATES, texts["states"]),
        word_table("marks", MARKS, texts["marks"]),
        word_table("channels", (ALL, *CHANNEL_NAMES), channels),
        word_table("columns_else", COLUMNS, texts["columns_else"]),
        {**texts, "channels": channels},
    )


def word_table(name: str, known: Iterable[str], texts: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """What each folded word of one table stands for; RuleError as in `load_words`."""
    if strange := sorted(set(texts) - set(known)):
        raise RuleError(f"events.toml [{name}]: 未知名称 unknown names: {', '.join(strange)}")
    made: dict[str, str] = {}
    for meant in known:
        for word in (meant, *texts.get(meant, ())):
            if (other := made.setdefault(folded(word), meant)) != meant:
                raise RuleError(f"events.toml [{name}]: {word} 同时指 stands for both {other} 与 and {meant}")
    return made


@lru_cache(maxsize=1 << 17)
def time_of(text: str) -> datetime | None:
    """Beijing time to the second as written in a cell (not empty); None when it is no time of day or outside 2000-2099.

    Read are 2026-03-01 08:30[:00], 2026/3/1 8:30, 2026.3.1, 2026年3月1日8时30分, a T between, AM and PM, 24:00, 20260301083000,
    and the serial number of a spreadsheet. A date alone is not: whether its day is meant to be included cannot be known.
    """
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    try:
        made = _read(plain.strip(BLANK))
    except (ValueError, OverflowError):
        return None
    return made if made is not None and FIRST <= made < LAST else None


def _read(text: str) -> datetime | None:
    if _ISO.fullmatch(text):
        return datetime.fromisoformat(text)
    if found := _COMPACT.fullmatch(text):
        return datetime(*(int(g or 0) for g in found.groups()))  # type: ignore[arg-type]
    if _SERIAL.fullmatch(text):
        return _SPREADSHEET + timedelta(seconds=round(float(text) * 86_400))
    if not (found := _DATED.fullmatch(text)):
        return None
    y, month, day = int(found["y"]), int(found["m"] or found["m2"]), int(found["d"] or found["d2"])
    hour, minute, second = int(found["h"]), int(found["i"] or found["i2"] or 0), int(found["s"] or found["s2"] or 0)
    half = {"上午": "AM", "下午": "PM"}.get(found["half"] or "", (found["half2"] or "").upper())
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "PM" else 0)
    if hour == 24 and not minute and not second:
        # The end of a day is often written so.
        return datetime(y, month, day) + timedelta(days=1)
    return datetime(y, month, day, hour, minute, second)
