"""The header of an export: which rows it takes and what each column means.

Belongs here: finding the first line of data, putting one-, two- and three-row headers together, words and units of a header cell. Does not
belong here: the words themselves (`exports_words`), devices (`exports_devices`), cells of data (`exports_rows`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from contracts.channels import CHANNELS, SUBFIELD_WIRE, SUBFIELDS
from resources.exports_errors import ExportError, some
from resources.exports_times import parse_clock, parse_moment
from resources.exports_words import norm
from resources.factors_hj212 import channel_codes

if TYPE_CHECKING:
    from resources.exports_map import ColumnMap
    from resources.exports_words import Unit, Words

#: Lines looked at for the header, and rows that one may have.
HEAD_LINES = 40
HEADER_ROWS = 4
_POLLUTANTS = frozenset(c.name for c in CHANNELS if c.pollutant)
_QUANTITY = {
    "o2": "share", "humidity": "share", "flow": "flow", "velocity": "velocity", "temperature": "temperature",
    "pressure": "pressure",
}  # fmt: skip
_BRACKETS = re.compile(r"[(\[{【〔]([^()\[\]{}【】〔〕]*)[)\]}】〕]")
_SKIPPED = "-_/·:,、;|.~\\ "
_TIMES = ("time", "date", "begin", "end")


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


@dataclass(frozen=True)
class Header:
    """The header: `first` is the first line of data (index among the lines looked at), `titles` are the texts above it."""

    first: int
    width: int
    columns: tuple[Column, ...]
    titles: tuple[str, ...]
    lines: frozenset[tuple[str, ...]] = field(default_factory=frozenset)

    def of(self, *roles: str) -> list[Column]:
        """Columns of some roles, in order."""
        return [c for c in self.columns if c.role in roles]


def quantity(channel: str, sub: str) -> tuple[str, ...]:
    """Quantities that a unit of a column may measure."""
    if sub == "cou":
        return ("volume",) if channel == "flow" else ("mass", "mass_rate")
    return ("concentration",) if channel in _POLLUTANTS else (_QUANTITY[channel],)


def read_header(rows: list[list[str]], words: Words, said: ColumnMap) -> Header:
    """The header of a table by its first lines (HEAD_LINES at most); ExportError names what was seen and what is known."""
    rows = [[c.strip() for c in row] for row in rows]
    width = max(map(len, rows), default=0)
    rows = [row + [""] * (width - len(row)) for row in rows]
    first, time_row = _first_line(rows, words, said)
    lines = _header_rows(rows, first, time_row)
    texts = _filled([rows[r] for r in lines], words, said)
    width = max(
        (c + 1 for c in range(width) if any(row[c] for row in [rows[r] for r in lines] + rows[first : first + 1])),
        default=0,
    )
    columns = _columns(texts, width, words, said)
    _check(columns, said)
    titles = tuple(c for r in range(lines[0]) for c in dict.fromkeys(rows[r]) if c)
    return Header(first, width, tuple(_timed(columns, rows[first] if first < len(rows) else [])), titles,
                  frozenset(tuple(rows[r]) for r in lines))  # fmt: skip


def _role(text: str, words: Words, said: ColumnMap) -> str:
    """The role of a header text that is one, else ""; the map file goes first."""
    plain = norm(text)
    named = said.columns.get(plain)
    if named is not None:
        return {"data_time": "time"}.get(named, words.roles.get(named, "")) if named not in words.contract else ""
    bare = norm(_BRACKETS.sub("", plain))
    return words.roles.get(plain) or words.roles.get(bare, "")


def _first_line(rows: list[list[str]], words: Words, said: ColumnMap) -> tuple[int, int]:
    """First line of data and the row that names its time; a header without data ends the lines."""
    named: dict[int, int] = {}
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            if c in named and text and parse_moment(text, serial=True):
                return r, named[c]
        for c, text in enumerate(row):
            if text and _role(text, words, said) in _TIMES:
                named[c] = r
    if named:
        last = max(named.values())
        below = [r for r in range(last + 1, len(rows)) if any(rows[r])]
        if not below:
            return len(rows), last
        shown = some([t for t in rows[below[-1]] if t], 6)
        raise ExportError(
            f"表头之后没有可识别的时间, 例如: {shown}", f"no readable time stands below the header, for instance: {shown}",
            "时间请写作 2026-09-22 18:00", "write times as 2026-09-22 18:00",
        )  # fmt: skip
    raise _unknown(rows, words)


def _unknown(rows: list[list[str]], words: Words) -> ExportError:
    busiest = max(rows, key=lambda row: sum(map(bool, row)), default=[])
    seen = some([t for t in busiest if t])
    known = some(words.synonyms("role", "time"), 5)
    return ExportError(
        f"找不到时间列; 见到的列: {seen or '无'}; 可识别的时间列: {known}",
        f"no time column; columns seen: {seen or 'none'}; time columns known: {known}",
        "请改表头, 或在旁边放列映射文件 columns.toml: [columns] \"列名\" = \"data_time\"",
        "mend the header, or put a map file columns.toml beside it: [columns] \"header\" = \"data_time\"",
    )  # fmt: skip


def _header_rows(rows: list[list[str]], first: int, time_row: int) -> list[int]:
    """The rows of the header, upwards from the first line of data; titles and blank rows end it above the time's row."""
    found = []
    for r in range(first - 1, -1, -1):
        cells = [(c, t) for c, t in enumerate(rows[r]) if t]
        title = len({t for _, t in cells}) == 1 and cells[0][0] == 0 and (len(cells) > 1 or r < time_row)
        if r < time_row and (not cells or title or any(t.endswith((":", "：")) for _, t in cells)):
            break
        if cells and not (title and r > time_row):
            found.append(r)
        if len(found) == HEADER_ROWS:
            break
    return sorted(found)


def _filled(rows: list[list[str]], words: Words, said: ColumnMap) -> list[list[str]]:
    """Merged cells of upper rows written out: a text holds to its right as long as something stands below an empty cell."""
    made = []
    for r, row in enumerate(rows):
        below = rows[r + 1 :]
        filled = list(row)
        for c in range(1, len(row)):
            if (
                not row[c]
                and filled[c - 1]
                and any(line[c] for line in below)
                and not _role(filled[c - 1], words, said)
            ):
                filled[c] = filled[c - 1]
        made.append(filled)
    return made


def says(text: str, words: Words) -> Said:
    """The words and units in one header text."""
    plain = norm(text)
    if plain in words.units:
        return Said(units=(tuple(words.units[plain]),))
    code = re.fullmatch(r"([aw]\d{5})-(.+)", plain)
    if code:
        return _code(code[1], code[2], plain)
    made = Said()
    for inside in _BRACKETS.findall(plain):
        for part in re.split(r"[,;、]", inside):
            units = words.units.get(part)
            made = _and(made, Said(units=(tuple(units),)) if units else _segment(part, words))
    outside = _BRACKETS.sub(" ", plain).strip()
    return _and(made, _with_unit(outside, words))


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
                made = _and(made, _token(word, words))
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


def _and(a: Said, b: Said) -> Said:
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


def _columns(texts: list[list[str]], width: int, words: Words, said: ColumnMap) -> list[Column]:
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
    if named is not None and named not in words.contract and not _role(named, words, said):
        raise ExportError(
            f"列映射把 {label!r} 指向未知的 {named!r}", f"the map file names {named!r} for {label!r}, which is nothing known",
            "用 pm_avg 这样的列名或 data_time、mn、outlet_id", "use a name such as pm_avg, or data_time, mn, outlet_id",
        )  # fmt: skip
    contract = named if named in words.contract else next((n for n in names if n in words.contract), None)
    role = (
        _role(named, words, said)
        if named and not contract
        else next(filter(None, (_role(t, words, said) for t in reversed(texts))), "")
    )
    if contract:
        channel, sub = words.contract[contract]
        role = "ignore" if sub == "dp" else "flag" if sub == "flag" else "value"
        column = Column(index, label, role, channel, sub)
        heard = Said()
        for text in texts:
            heard = _and(heard, says(text, words)) if named else heard
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
        heard = _and(heard, replace(one, rest=""))
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


def _timed(columns: list[Column], row: list[str]) -> list[Column]:
    """Of a date and a time beside each other, the time is the hour of the date if it names no date itself."""
    if not any(c.role in ("date", "time", "begin") for c in columns) or not row:
        return columns
    clocks = [
        c
        for c in columns
        if c.role == "time" and not parse_moment(row[c.index], serial=True) and parse_clock(row[c.index])
    ]
    dates = [c for c in columns if c.role == "date"]
    if dates and clocks and not any(c.role == "hour" for c in columns):
        return [replace(c, role="hour") if c is clocks[0] else c for c in columns]
    return columns


def _check(columns: list[Column], said: ColumnMap) -> None:
    """Something measured, and nothing twice."""
    measured = [c for c in columns if c.role in ("value", "flag")]
    if not any(c.role == "value" for c in columns):
        seen = some([c.label for c in columns])
        raise ExportError(
            f"没有可识别的监测列; 见到的列: {seen}; 可识别的如 颗粒物、二氧化硫、氮氧化物、氧含量、烟气流量、烟温、pm_avg",
            f"no measured column is known; columns seen: {seen}; known are for instance 颗粒物, SO2, NOx, O2, 烟气流量, 烟温, pm_avg",
            "请改表头, 或在旁边放列映射文件 columns.toml: [columns] \"列名\" = \"pm_avg\"",
            "mend the header, or put a map file columns.toml beside it: [columns] \"header\" = \"pm_avg\"",
        )  # fmt: skip
    seen_at: dict[tuple[str, str, str], Column] = {}
    for column in measured:
        other = seen_at.setdefault((column.group, column.channel, column.sub), column)
        if other is not column:
            raise ExportError(
                f"两列含义相同 ({column.channel} {column.sub}): {other.label!r} 与 {column.label!r}",
                f"two columns mean the same ({column.channel} {column.sub}): {other.label!r} and {column.label!r}",
                "在列映射文件中用 skip 去掉一列, 或用 [columns] 分别指明", "leave one out with skip in the map file, or name each in [columns]",
            )  # fmt: skip
    for role in ("time", "date", "hour", "begin", "end", "mn", "outlet"):
        twice = [c.label for c in columns if c.role == role]
        if len(twice) > 1 and not (role in ("mn", "outlet") and (said.mn or said.outlet)):
            raise ExportError(
                f"有多列可作 {role}: {some(twice)}", f"several columns could be the {role}: {some(twice)}",
                "在列映射文件中用 skip 去掉多余的列", "leave the others out with skip in the map file",
            )  # fmt: skip
