"""The columns of an export: several header texts above each other put together to one meaning.

Belongs here: role, channel, sub-field, unit and outlet of a column. Does not belong here: which rows are the header
(`exports_header`), the words in one text (`exports_phrases`), devices (`exports_devices`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from contracts.channels import CHANNELS
from resources.exports_errors import ExportError
from resources.exports_phrases import BRACKETS, Said, both, says
from resources.exports_words import norm

if TYPE_CHECKING:
    from resources.exports_map import ColumnMap
    from resources.exports_words import Unit, Words

_POLLUTANTS = frozenset(c.name for c in CHANNELS if c.pollutant)
_QUANTITY = {
    "o2": "share", "humidity": "share", "flow": "flow", "velocity": "velocity", "temperature": "temperature",
    "pressure": "pressure",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the export. `role` is time, date, hour, begin, end, mn, outlet, state (a flag of the whole row), value, flag, other or ignore.

    `channel` and `sub` (avg … zs_max) of values; `group`: the outlet as the header names it; `unit` None where none is written.
    `wrong`: why its unit cannot be used.
    """

    index: int
    label: str
    role: str
    channel: str = ""
    sub: str = ""
    group: str = ""
    unit: Unit | None = None
    basis: tuple[str, ...] = ()
    wrong: str = ""


def quantity(channel: str, sub: str) -> tuple[str, ...]:
    """Quantities that a unit of a column may measure."""
    if sub == "cou":
        return ("volume",) if channel == "flow" else ("mass", "mass_rate")
    return ("concentration",) if channel in _POLLUTANTS else (_QUANTITY[channel],)


def role_of(text: str, words: Words, said: ColumnMap) -> str:
    """The role of a header text that is one, else ""; the map file goes first."""
    plain = norm(text)
    named = said.columns.get(plain)
    if named is not None:
        return {"data_time": "time"}.get(named, words.roles.get(named, "")) if named not in words.contract else ""
    bare = norm(BRACKETS.sub("", plain))
    return words.roles.get(plain) or words.roles.get(bare, "")


def columns_of(texts: list[list[str]], width: int, words: Words, said: ColumnMap) -> list[Column]:
    """A column for each place of the header's rows; ExportError when the map file names what is nothing known."""
    heard = [_column(c, [row[c] for row in texts], words, said) for c in range(width)]
    made, labels = _labelled(heard), dict[str, int]()
    found = []
    for column in made:
        # Two columns of one text stay apart in what is kept of them.
        labels[column.label] = labels.get(column.label, 0) + 1
        n = labels[column.label]
        found.append(replace(column, label=f"{column.label}#{n}") if n > 1 else column)
    return _flags_beside(found)


def _column(index: int, texts: list[str], words: Words, said: ColumnMap) -> tuple[Column, str]:
    """A column by its texts from the top, and what no word explains beside a channel."""
    texts = list(dict.fromkeys(t for t in texts if t))
    label = "/".join(texts) or f"#{index + 1}"
    names = [norm(label), *(norm(t) for t in reversed(texts))]
    if any(n in said.skip for n in names) or not texts:
        return Column(index, label, "ignore"), ""
    named = next((said.columns[n] for n in names if n in said.columns), None)
    unit_text = next((said.units[n] for n in names if n in said.units), None)
    if named is not None and named not in words.contract and not role_of(named, words, said):
        raise ExportError(
            f"列映射把 {label!r} 指向未知的 {named!r}", f"the map file names {named!r} for {label!r}, which is nothing known",
            "用 pm_avg 这样的列名或 data_time、mn、outlet_id", "use a name such as pm_avg, or data_time, mn, outlet_id",
        )  # fmt: skip
    contract = named if named in words.contract else next((n for n in names if n in words.contract), None)
    role = (
        role_of(named, words, said)
        if named and not contract
        else next(filter(None, (role_of(t, words, said) for t in reversed(texts))), "")
    )
    if contract:
        channel, sub = words.contract[contract]
        role = "ignore" if sub == "dp" else "flag" if sub == "flag" else "value"
        column = Column(index, label, role, channel, sub)
        heard = Said()
        for text in texts:
            heard = both(heard, says(text, words)) if named else heard
    elif role:
        channels = [says(t, words) for t in texts]
        named_channel = next((s.channel for s in channels if s.channel), "")
        if role == "flag" and named_channel:
            return Column(index, label, "flag", named_channel, "flag", _over(texts, words)), ""
        return Column(index, label, {"flag": "state"}.get(role, role), group=_over(texts, words)), ""
    else:
        return _measured(index, label, texts, unit_text, words)
    return _with_units(column, heard, unit_text, words), ""


def _over(texts: list[str], words: Words) -> str:
    """The upper text of a column that is no word at all: the outlet's name."""
    return next((t for t in texts[:-1] if (s := says(t, words)).rest and not s.telling), "")


def _measured(index: int, label: str, texts: list[str], unit_text: str | None, words: Words) -> tuple[Column, str]:
    heard, group, rest = Said(), "", ""
    for text in texts:
        one = says(text, words)
        if one.rest and not one.telling and text is not texts[-1]:
            group = group or text
            continue
        rest += one.rest
        heard = both(heard, replace(one, rest=""))
        rest += heard.rest
        heard = replace(heard, rest="")
    if not heard.channel:
        if heard.flag and not rest:
            return Column(index, label, "state", group=group), ""
        return Column(index, label, "other", group=group), ""
    if heard.flag:
        return Column(index, label, "flag", heard.channel, "flag", group), rest
    stat = heard.stat or "avg"
    zs = heard.converted and heard.channel in _POLLUTANTS and stat != "cou"
    column = Column(index, label, "value", heard.channel, f"zs_{stat}" if zs else stat, group, basis=heard.basis)
    return _with_units(column, heard, unit_text, words), rest


def _with_units(column: Column, heard: Said, unit_text: str | None, words: Words) -> Column:
    if column.role != "value":
        return column
    units = [list(u) for u in heard.units]
    if unit_text is not None:
        if norm(unit_text) not in words.units:
            return replace(column, wrong=f"单位 {unit_text!r} 不可识别 / the unit {unit_text!r} is not known")
        units = [words.units[norm(unit_text)]]
    fits = [next((u for u in listed if u.quantity in quantity(column.channel, column.sub)), None) for listed in units]
    if any(u is None for u in fits):
        shown = ", ".join(u[0].text for u in units)
        return replace(column, wrong=f"单位 {shown} 与该列不符 / the unit {shown} does not fit the column")
    found = {(u.quantity, u.unit, u.shift): u for u in fits if u is not None}
    if len(found) > 1:
        shown = ", ".join(u.text for u in found.values())
        return replace(column, wrong=f"同一列写了不同单位 {shown} / one column names several units: {shown}")
    unit = next(iter(found.values()), None)
    if unit is not None and unit.shift is None:
        return replace(
            column,
            unit=unit,
            wrong=f"单位 {unit.text} 不能精确换算 / the unit {unit.text} cannot be converted exactly: {unit.note}",
        )
    basis = column.basis + tuple(u.basis for u in fits if u is not None and u.basis)
    return replace(column, unit=unit, basis=tuple(dict.fromkeys(basis)))


def _labelled(heard: list[tuple[Column, str]]) -> list[Column]:
    """What no word explains names an outlet if several channels carry it; beside one channel alone it makes another quantity."""
    carried: dict[str, set[str]] = {}
    for column, rest in heard:
        if rest:
            carried.setdefault(rest, set()).add(column.channel)
    made = []
    for column, rest in heard:
        if rest and len(carried[rest]) > 1 and not column.group:
            made.append(replace(column, group=rest))
        elif rest:
            made.append(replace(column, role="other", channel="", sub="", wrong=""))
        else:
            made.append(column)
    return made


def _flags_beside(columns: list[Column]) -> list[Column]:
    """Several flag columns of one text belong to the channel at their left; a single one speaks for the row."""
    texts = [re.sub(r"#\d+$", "", c.label).rpartition("/")[2] for c in columns]
    made = []
    for i, column in enumerate(columns):
        left = next((c for c in reversed(columns[:i]) if c.role == "value" and c.group == column.group), None)
        several = (
            sum(
                t == texts[i] and c.role == "state" and c.group == column.group
                for t, c in zip(texts, columns, strict=True)
            )
            > 1
        )
        if column.role == "state" and several and left:
            made.append(replace(column, role="flag", channel=left.channel, sub="flag"))
        else:
            made.append(column)
    return made
