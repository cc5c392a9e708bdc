"""Rule packs: TOML files in, typed rows and problems out.

Belongs here: finding where a file breaks what `rules_schema` permits. Does not belong here: choosing the row in force
(`rules`) and the law itself (`reference/rules`).
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from resources.problems import Problem
from resources.rules_rows import CONFIDENCE, Cite, Pack, Row
from resources.rules_schema import CITE, KIND_TEXTS, PACK, TABLES, Key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_HEADING = re.compile(r"^\s*\[\[\s*([A-Za-z0-9_]+)\s*\]\]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Place:
    """A row of a table: its number from 1 (0 for a plain table) and the line it starts on (0 = unknown)."""

    table: str
    number: int = 0
    line: int = 0

    def key(self, name: str) -> str:
        return f"{self.table}[{self.number}].{name}" if self.number else f"{self.table}.{name}"


@dataclass(slots=True)
class PackFile:
    """One pack as read; `pack` is None when its head could not be read."""

    file: str
    pack: Pack | None = None
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def complain(self, place: _Place, key: str, value: object, *texts: str) -> None:
        """Note an error: text zh, text en, remedy zh, remedy en."""
        self.problems.append(Problem(self.file, place.line, place.key(key), str(value), *texts))


def read_pack(path: Path) -> PackFile:
    """Read one pack; nothing is raised, everything wrong is in `problems`."""
    made = PackFile(path.name)
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        texts = (
            f"不是 UTF-8 编码的 TOML: {error}",
            f"is no TOML in UTF-8: {error}",
            "改正所指位置",
            "correct the place it names",
        )
        made.problems.append(Problem(path.name, 0, "", "", *texts))
        return made
    sources = _sources(made, content.pop("sources", None))
    made.pack = _pack(made, content.pop("pack", None), sources)
    lines = _heading_lines(text)
    for table, rows in content.items():
        if table not in TABLES or not isinstance(rows, list):
            listed = ", ".join(f"[[{name}]]" for name in TABLES)
            made.complain(
                _Place(table), "", "", "未知的表", "unknown table", f"改为其一: {listed}", f"use one of: {listed}"
            )
            continue
        for index, cells in enumerate(rows):
            line = lines[table][index] if index < len(lines[table]) else 0
            _row(made, _Place(table, index + 1, line), cells, sources)
    return made


def _heading_lines(text: str) -> defaultdict[str, list[int]]:
    """Lines of the [[table]] headings by table: TOML libraries give values without their lines."""
    made: defaultdict[str, list[int]] = defaultdict(list)
    for found in _HEADING.finditer(text):
        made[found[1]].append(text.count("\n", 0, found.start(1)) + 1)
    return made


def _sources(made: PackFile, given: object) -> dict[str, str]:
    if isinstance(given, dict) and given and all(isinstance(s, str) and s.strip() for s in given.values()):
        return given
    texts = "缺少来源", "gives no sources", "每行写 简称 = 出处", "write lines: short name = where it was read"
    made.complain(_Place("sources"), "", "", *texts)
    return {}


def _pack(made: PackFile, given: object, sources: Mapping[str, str]) -> Pack | None:
    place = _Place("pack")
    typed = _typed(made, place, given, PACK)
    if typed is None:
        return None
    _confidence_holds(made, place, typed)
    _period_holds(made, place, typed)
    return Pack(**typed, citations=tuple(sources.values()))


def _row(made: PackFile, place: _Place, given: object, sources: Mapping[str, str]) -> None:
    keys = TABLES[place.table]
    before = len(made.problems)
    typed = _typed(made, place, given, (*keys, *CITE))
    if typed is None:
        return
    _confidence_holds(made, place, typed)
    _period_holds(made, place, typed)
    _keys_agree(made, place, typed)
    _table_fits(made, place)
    for name in [s for s in typed["source"] if s not in sources]:
        texts = "来源未列出", "is not among [sources]", "在 [sources] 中加上该简称", "add it to [sources]"
        made.complain(place, "source", name, *texts)
    if made.pack is None or len(made.problems) > before:
        return
    cited = {k.name: typed[k.name] for k in CITE} | {"source": "; ".join(sources[s] for s in typed["source"])}
    cells = {k.name: typed[k.name] for k in keys}
    if place.table == "limit":
        # A provincial standard says once whom it binds.
        cells["provinces"] = cells["provinces"] or made.pack.provinces
    made.rows.append(Row(made.pack, place.table, made.file, place.line, cells, Cite(**cited)))


def _typed(made: PackFile, place: _Place, given: object, keys: tuple[Key, ...]) -> dict[str, Any] | None:
    """Every key with its value or default; None (and problems) when one is missing, unknown or wrong."""
    before = len(made.problems)
    cells = given if isinstance(given, dict) else {}
    names = [k.name for k in keys]
    for name in [n for n in cells if n not in names]:
        listed = ", ".join(names)
        made.complain(
            place, name, cells[name], "未知的键", "unknown key", f"改为其一: {listed}", f"use one of: {listed}"
        )
    typed: dict[str, Any] = {}
    for key in keys:
        typed[key.name] = key.default
        if key.name in cells:
            typed[key.name] = _value(made, place, key, cells[key.name])
        elif key.required:
            zh, en = KIND_TEXTS[key.kind]
            made.complain(place, key.name, "", "缺少该键", "is missing", f"填写{zh}", f"give {en}")
    return typed if len(made.problems) == before else None


def _value(made: PackFile, place: _Place, key: Key, given: object) -> object:
    value = [given] if key.kind == "list" and isinstance(given, str) else given
    if not _fits(key.kind, value):
        zh, en = KIND_TEXTS[key.kind]
        made.complain(place, key.name, given, f"应为{zh}", f"is not {en}", f"填写{zh}", f"give {en}")
        return None
    several = value if isinstance(value, list) else [value]
    for strange in [v for v in several if key.values and v not in key.values]:
        listed = ", ".join(key.values)
        texts = (
            "取值不在允许范围内",
            "is not one of the permitted values",
            f"填写其一: {listed}",
            f"use one of: {listed}",
        )
        made.complain(place, key.name, strange, *texts)
    return tuple(value) if isinstance(value, list) else value


def _fits(kind: str, value: object) -> bool:
    if kind == "list":
        return isinstance(value, list) and bool(value) and all(isinstance(v, str) and v.strip() for v in value)
    if kind == "day":
        return isinstance(value, date) and not isinstance(value, datetime)
    if isinstance(value, bool):
        return kind in ("flag", "scalar")
    if isinstance(value, str):
        return kind == "remark" or (kind in ("text", "scalar") and bool(value.strip()))
    if isinstance(value, int | float) and math.isfinite(value):
        return kind == "scalar" or (value >= 0 and (kind == "number" or (kind == "whole" and isinstance(value, int))))
    return False


def _confidence_holds(made: PackFile, place: _Place, cells: dict[str, Any]) -> None:
    """A row may always be called draft; otherwise its confidence is what its mark is worth."""
    mark, worth = cells["mark"], CONFIDENCE[cells["mark"]]
    if cells["confidence"] not in (worth, "draft"):
        texts = (
            f"与 mark = {mark} 不符",
            f"does not fit mark = {mark}",
            f"填写 {worth} 或 draft",
            f"write {worth} or draft",
        )
        made.complain(place, "confidence", cells["confidence"], *texts)


def _period_holds(made: PackFile, place: _Place, cells: dict[str, Any]) -> None:
    end = cells["effective_to"]
    if end is not None and end <= cells["effective_from"]:
        texts = (
            "不晚于 effective_from",
            "is not after effective_from",
            "填写失效当日 (不含)",
            "give the first day no longer in force",
        )
        made.complain(place, "effective_to", end, *texts)


def _keys_agree(made: PackFile, place: _Place, cells: dict[str, Any]) -> None:
    """Keys that need one another: a tag has one threshold, a policy the numbers its options call for."""
    wrong = []
    if place.table == "tag" and (cells["at_least_minutes"] is None) == (cells["more_than_minutes"] is None):
        wrong = ["at_least_minutes"]
    if place.table == "policy":
        wanted = {
            "min_capture_pct": cells["invalid_hours"] == "drop_with_min_capture",
            "rounding_decimals": cells["rounding"] == "round_half_even",
        }
        wrong = [name for name, needed in wanted.items() if needed != (cells[name] is not None)]
    for name in wrong:
        texts = (
            "与同行其他键不符",
            "does not fit the other keys of the row",
            "填写或删除该键",
            "give this key or remove it",
        )
        made.complain(place, name, cells[name], *texts)


def _table_fits(made: PackFile, place: _Place) -> None:
    """Limits of Chinese law and of packs that are chosen stand in tables of their own: neither can pass for the other."""
    if made.pack is None or place.table not in ("limit", "standard_limit"):
        return
    fitting = "standard_limit" if made.pack.kind == "foreign" else "limit"
    if place.table != fitting:
        kind = made.pack.kind
        texts = (
            f"kind = {kind} 的规则包不用此表",
            f"is no table of a pack of kind {kind}",
            f"改用 [[{fitting}]]",
            f"use [[{fitting}]]",
        )
        made.complain(place, "", "", *texts)
