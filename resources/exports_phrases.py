"""What the words and units of one header text say.

Belongs here: cutting a text into known words, units in and behind it. Does not belong here: the words themselves
(`exports_words`), putting several texts together to a column (`exports_columns`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from contracts.channels import SUBFIELD_WIRE, SUBFIELDS
from resources.exports_words import norm
from resources.factors_hj212 import channel_codes

if TYPE_CHECKING:
    from resources.exports_words import Unit, Words

BRACKETS = re.compile(r"[(\[{【〔]([^()\[\]{}【】〔〕]*)[)\]}】〕]")
_SKIPPED = "-_/·:,、;|.~\\ "


@dataclass(frozen=True, slots=True)
class Said:
    """What one header text says. `rest`: what no word explains."""

    channel: str = ""
    stat: str = ""
    converted: bool = False
    flag: bool = False
    units: tuple[tuple[Unit, ...], ...] = ()
    basis: tuple[str, ...] = ()
    rest: str = ""

    @property
    def telling(self) -> bool:
        """It says something about a quantity; words such as 浓度 alone do not."""
        return bool(self.channel or self.stat or self.converted or self.flag or self.units)


def says(text: str, words: Words) -> Said:
    """The words and units in one header text."""
    plain = norm(text)
    if plain in words.units:
        return Said(units=(tuple(words.units[plain]),))
    code = re.fullmatch(r"([aw]\d{5})-(.+)", plain)
    if code:
        return _code(code[1], code[2], plain)
    made = Said()
    for inside in BRACKETS.findall(plain):
        for part in re.split(r"[,;、]", inside):
            units = words.units.get(part)
            made = both(made, Said(units=(tuple(units),)) if units else _segment(part, words))
    outside = BRACKETS.sub(" ", plain).strip()
    return both(made, _with_unit(outside, words))


def _with_unit(text: str, words: Words) -> Said:
    """`so2mg/m3`, `含氧量%`: a unit may follow without brackets."""
    whole = _segment(text, words)
    if not whole.rest:
        return whole
    for unit in sorted((u for u in words.units if text.endswith(u)), key=len, reverse=True):
        before = _segment(text[: -len(unit)], words)
        if before.channel and not before.rest:
            return replace(before, units=(tuple(words.units[unit]),))
    return whole


def _segment(text: str, words: Words) -> Said:
    """Longest known word first, from the left; what nothing explains is the rest."""
    made = Said()
    rest = ""
    at = 0
    while at < len(text):
        for size in range(min(words.longest, len(text) - at), 0, -1):
            word = text[at : at + size]
            if word in words.tokens and _stands_alone(text, at, size):
                made = both(made, _token(word, words))
                at += size
                break
        else:
            rest += "" if text[at] in _SKIPPED else text[at]
            at += 1
    return replace(made, rest=made.rest + rest)


def _stands_alone(text: str, at: int, size: int) -> bool:
    """A word of Latin letters is no part of a longer one."""
    if not text[at].isascii():
        return True
    near = text[at - 1 : at] + text[at + size : at + size + 1]
    return not any(c.isascii() and c.isalnum() for c in near)


def _token(word: str, words: Words) -> Said:
    made = Said()
    for kind, meaning in words.tokens[word]:
        if kind == "channel":
            made = replace(made, channel=meaning)
        elif kind == "amount":
            made = replace(made, channel=meaning, stat="cou")
        elif kind == "stat":
            made = replace(made, stat=meaning)
        elif kind == "state":
            made = replace(made, converted=meaning == "converted")
        elif kind == "flag":
            made = replace(made, flag=True)
        elif kind == "basis":
            made = replace(made, basis=(*made.basis, meaning))
    return made


def _code(code: str, sub: str, plain: str) -> Said:
    channel = channel_codes().get(code, "")
    wires = [w.lower() for w in SUBFIELD_WIRE]
    if not channel or sub not in (*wires, "flag"):
        return Said(rest=plain)
    name = SUBFIELDS[wires.index(sub)] if sub != "flag" else ""
    return Said(channel, name.removeprefix("zs_"), name.startswith("zs_"), sub == "flag")


def both(a: Said, b: Said) -> Said:
    """Two parts of one header. Two channels in one are no channel: the rest tells."""
    clash = bool(a.channel and b.channel and a.channel != b.channel)
    return Said(
        "" if clash else a.channel or b.channel,
        b.stat or a.stat,
        a.converted or b.converted,
        a.flag or b.flag,
        a.units + b.units,
        a.basis + b.basis,
        a.rest + b.rest + (f"{a.channel}+{b.channel}" if clash else ""),
    )
