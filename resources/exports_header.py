"""The header of an export: which rows it takes.

Belongs here: finding the first line of data, titles above, merged cells written out, and whether the columns suffice. Does not belong
here: what a column means (`exports_columns`), cells of data (`exports_rows`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from resources.exports_columns import Column, columns_of, role_of
from resources.exports_errors import ExportError, some
from resources.exports_times import parse_clock, parse_moment

if TYPE_CHECKING:
    from resources.exports_map import ColumnMap
    from resources.exports_words import Words

#: Lines looked at for the header, and rows that one may have.
HEAD_LINES = 40
HEADER_ROWS = 4
_TIMES = ("time", "date", "begin", "end")


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
    columns = columns_of(texts, width, words, said)
    _check(columns, said)
    titles = tuple(c for r in range(lines[0]) for c in dict.fromkeys(rows[r]) if c)
    return Header(first, width, tuple(_timed(columns, rows[first] if first < len(rows) else [])), titles,
                  frozenset(tuple(rows[r]) for r in lines))  # fmt: skip


def _first_line(rows: list[list[str]], words: Words, said: ColumnMap) -> tuple[int, int]:
    """First line of data and the row that names its time; a header without data ends the lines."""
    named: dict[int, int] = {}
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            if c in named and text and parse_moment(text, serial=True):
                return r, named[c]
        for c, text in enumerate(row):
            if text and role_of(text, words, said) in _TIMES:
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
                and not role_of(filled[c - 1], words, said)
            ):
                filled[c] = filled[c - 1]
        made.append(filled)
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
