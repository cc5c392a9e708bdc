"""The map file beside an export: what a home says about its columns, in place of the common words.

Belongs here: finding `<name>.map.toml` and `columns.toml`, reading and checking them. Does not belong here: what the words mean
otherwise (`exports_words`) and how a header is read (`exports_header`).
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from resources.exports_errors import ExportError, some
from resources.exports_words import norm

if TYPE_CHECKING:
    from collections.abc import Mapping

MAP_ENDING = ".map.toml"
FOLDER_MAP = "columns.toml"
INTERVALS = {"hour": 60, "day": 1440, **{f"{n}min": n for n in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)}}
_TEXT, _LIST, _TABLE = "text", "list", "table"
_KEYS = {
    "mn": _TEXT, "outlet": _TEXT, "interval": _TEXT, "label": _TEXT, "missing": _LIST, "skip": _LIST,
    "flags": _TABLE, "outlets": _TABLE, "columns": _TABLE, "units": _TABLE,
}  # fmt: skip


@dataclass(frozen=True)
class ColumnMap:
    """What a map file says; texts of the export are normalised. `interval` in minutes, 0 = not said; `missing` None = the common list.

    outlets: text of the export -> outlet_id or MN; columns: header -> contract name or role; units: header -> unit.
    """

    mn: str = ""
    outlet: str = ""
    interval: int = 0
    label: str = ""
    missing: tuple[str, ...] | None = None
    skip: frozenset[str] = frozenset()
    flags: dict[str, str] = field(default_factory=dict)
    outlets: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    digest: str = ""


def is_map(key: str) -> bool:
    """The file is a map file and no data."""
    name = PurePosixPath(key).name
    return name == FOLDER_MAP or name.endswith(MAP_ENDING)


def map_keys(key: str) -> list[str]:
    """Where the map of a data file may lie, the most particular last; a later one's keys replace an earlier one's."""
    path = PurePosixPath(key)
    folders = [str(p / FOLDER_MAP) for p in reversed(path.parents) if str(p) != "."]
    plain = path.name
    for ending in (".gz", ".zst", ".zstd"):
        plain = plain[: -len(ending)] if plain.lower().endswith(ending) else plain
    names = [plain.rpartition(".")[0] or plain, plain, path.name]
    return folders + [str(path.parent / (n + MAP_ENDING)) for n in dict.fromkeys(names)]


def read_map(key: str, maps: Mapping[str, bytes]) -> ColumnMap:
    """The map that holds for a data file out of all map files by key; ExportError names the file and key that is wrong."""
    found: dict[str, Any] = {}
    used = [k for k in map_keys(key) if k in maps]
    for name in used:
        try:
            said = tomllib.loads(maps[name].decode("utf-8-sig"))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ExportError(
                f"列映射文件 {name} 不是 TOML ({error})", f"the map file {name} is no TOML ({error})",
                "请修正该文件", "mend that file",
            ) from error  # fmt: skip
        _check(name, said)
        found |= said
    digest = hashlib.sha256(b"\0".join(maps[k] for k in used)).hexdigest()[:16] if used else ""
    listed = found.get("missing")
    return ColumnMap(
        str(found.get("mn", "")),
        str(found.get("outlet", "")),
        INTERVALS.get(found.get("interval", ""), 0),
        str(found.get("label", "")),
        None if listed is None else tuple(map(str, listed)),
        frozenset(norm(t) for t in found.get("skip", ())),
        {norm(k): v for k, v in found.get("flags", {}).items()},
        {norm(k): v for k, v in found.get("outlets", {}).items()},
        {norm(k): norm(v) for k, v in found.get("columns", {}).items()},
        {norm(k): v for k, v in found.get("units", {}).items()},
        digest,
    )


def _check(name: str, said: dict[str, Any]) -> None:
    wrong = [k for k in said if k not in _KEYS]
    if wrong:
        raise _error(name, some(wrong), f"可用的键: {', '.join(_KEYS)}", f"the keys are {', '.join(_KEYS)}")
    for key, value in said.items():
        kind = {_TEXT: str, _LIST: list, _TABLE: dict}[_KEYS[key]]
        if not isinstance(value, kind):
            raise _error(
                name,
                f"{key} = {json.dumps(value, default=str)}",
                f"应为 {kind.__name__}",
                f"a {kind.__name__} is expected",
            )
        if isinstance(value, dict) and not all(isinstance(v, str) for v in value.values()):
            raise _error(name, f"[{key}]", "值应为文字", "its values are texts")
    for key, values in (("interval", tuple(INTERVALS)), ("label", ("start", "end"))):
        if key in said and said[key] not in values:
            raise _error(name, f"{key} = {said[key]!r}", f"应为 {', '.join(values)}", f"use one of {', '.join(values)}")
    long = [v for v in said.get("flags", {}).values() if len(v) != 1 or not v.isascii() or not v.isprintable()]
    if long:
        raise _error(name, f"[flags] {some(long)}", "标记应为单个 ASCII 字母", "a flag is one ASCII letter")
    if said.get("mn") and said.get("outlet"):
        raise _error(name, "mn, outlet", "只写其一", "write only one of them")


def _error(name: str, what: str, zh: str, en: str) -> ExportError:
    return ExportError(f"列映射文件 {name} 有误: {what}", f"the map file {name} is wrong: {what}", zh, en)
