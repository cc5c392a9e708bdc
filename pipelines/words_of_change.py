"""Why a partition is made anew, in words: names of inputs become sentences, zh and en, with the row or file that changed.

Belongs here: the words. Does not belong here: telling what changed (`resources/bench`, `resources/editions`) and when to look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from contracts import TABLES
from resources.editions import moved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from resources.editions import Moved
    from resources.home import Home

#: How many rows of a book or files are named in one sentence.
_NAMED = 4
#: Words by the kind of an input; {0}, {1} are the rest of its name.
_WORDS: dict[str, tuple[str, str]] = {
    "missing": ("尚未计算", "not made yet"),
    "table": ("上游 {0} {1} 有变化", "{0} {1} above stands differently"),
    "keys": ("{0} 的分区增减", "partitions of {0} have come or gone"),
    "frontier": ("{0} 的数据末日变动", "data of {0} end on another day"),
    "registry": ("{0} 至 {1} 的登记信息变动", "registry rows in force {0} to {1} differ"),
    "intervals": ("{0} 的记录间隔变动", "record intervals on {0} differ"),
    "standards": ("{0} 至 {1} 选用的标准变动", "standards chosen for {0} to {1} differ"),
    "rules": ("{0} 至 {1} 的规则变动", "rules in force {0} to {1} differ"),
    "events": ("{0} 至 {1} 的申报变动", "declarations of {0} to {1} differ"),
    "declared": ("申报文件变动", "files of declarations differ"),
    "factors": ("{0} 至 {1} 的排放因子变动", "factors in force {0} to {1} differ"),
    "methods": ("{0} 至 {1} 的核算方法变动", "methods computed for {0} to {1} differ"),
    "ets": (
        "{0} 至 {1} 的碳市场规定变动",
        "the plan, deadlines or thresholds of the trading system for {0} to {1} differ",
    ),
    "ets_home": ("{0} 至 {1} 的平衡值或生产线说明变动", "balance values or declared lines of {0} to {1} differ"),
    "ledgers": ("{1} 的台账 {0} 变动", "ledger {0} of {1} differs"),
    "captures": ("{0} 的报文文件变动", "captures of {0} differ"),
    "arrivals": ("到达的文件变动", "files that arrived differ"),
    "sealed": ("{0} 年的报送记录变动", "filings of {0} differ"),
    "code": ("程序变动: {0}", "the program has changed: {0}"),
}


def in_words(home: Home, reason: str, inputs: Mapping[str, str]) -> str:
    """One reason of a key as a sentence, zh / en; `inputs` are those that its partition recorded."""
    kind, *rest = reason.split(":")
    if reason.startswith("code "):
        kind, rest = "code", [reason.removeprefix("code ")]
    zh, en = _WORDS.get(kind, ("{0} 变动", "{0} differs"))
    if kind == "ledgers" and not rest:
        zh, en = "台账文件变动", "files of ledgers differ"
    padded = [*(rest or [reason]), "", ""]
    details = _DETAILS[kind](home, reason, inputs) if kind in _DETAILS else []
    tail = ": " + _listed(details) if details else ""
    return f"{zh.format(*padded)} / {en.format(*padded)}{tail}"


def recorded(home: Home, tables: tuple[str, ...], key: str) -> dict[str, str]:
    """Inputs that the partitions of a product's key recorded."""
    found: dict[str, str] = {}
    for table in tables:
        partition = home.lake.partition(table, key)
        found |= partition.inputs if partition else {}
    return found


def _listed(items: list[str]) -> str:
    more = f"; 另有 and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return "; ".join(items[:_NAMED]) + more


def _of_book(home: Home, reason: str, inputs: Mapping[str, str]) -> list[str]:
    return [_of_row(row) for row in moved(home, reason, inputs[reason])] if reason in inputs else []


def _of_row(row: Moved) -> str:
    """One series: ids, old and new value, and the file that says the new one."""
    old, new = row.old or {}, row.new or {}
    told = new or old
    name = told.get("id", row.series)
    where = f" ({told['file']})" if told.get("file") else ""
    if not old or not new:
        return f"{'+' if new else '-'} {name} {_said(told)}{where}"
    if "value" in new and (old.get("value"), old.get("unit")) != (new.get("value"), new.get("unit")):
        before = f" ({old['id']})" if old.get("id") not in (None, name) else ""
        unit = f"{old.get('unit', '')} -> " if old.get("unit") != new.get("unit") else ""
        return f"{name}: {old.get('value')}{before} -> {new['value']} {unit}{new.get('unit', '')}{where}"
    pairs = [f"{k} {old.get(k)} -> {new.get(k)}" for k in sorted({*old, *new} - {"file"}) if old.get(k) != new.get(k)]
    return f"{name}: {', '.join(pairs[:_NAMED])}{where}"


def _said(cells: Mapping[str, Any]) -> str:
    value = cells.get("value", cells.get("value_mg_m3", ""))
    return f"{value} {cells.get('unit', '')}".strip()


def _of_ledger(home: Home, reason: str, _inputs: Mapping[str, str]) -> list[str]:
    """Files whose rows of a ledger table and month are not those that the lake holds, and those whose rows no longer stand."""
    _, *rest = reason.split(":")
    if len(rest) != 2:
        return []
    table, key = rest
    now = home.ledgers.rows(table, key)
    lying = home.lake.read(table, key)
    if lying is None or "src_path" not in now.columns:
        return sorted(set(now["src_path"].to_list())) if "src_path" in now.columns else []
    shared = [n for n in TABLES[table].names if n in now.columns and not n.startswith("src_")]
    before = pl.DataFrame(pl.from_arrow(lying)).with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    after = now.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    fresh = after.join(before.cast(dict(after.select(before.columns).schema)), on=shared, how="anti", nulls_equal=True)  # type: ignore[arg-type]
    by = list(TABLES[table].key)
    gone = before.join(after.cast(dict(before.select(after.columns).schema)), on=by, how="anti", nulls_equal=True)  # type: ignore[arg-type]
    lost = gone.group_by("src_path").len().sort("src_path")
    return [
        *sorted(set(fresh["src_path"].drop_nulls().to_list())),
        *(f"{path} (去掉 {n} 行 rows gone)" for path, n in lost.iter_rows()),
    ]


_DETAILS: dict[str, Callable[[Home, str, Mapping[str, str]], list[str]]] = {
    "factors": _of_book, "rules": _of_book, "methods": _of_book, "ets_home": _of_book, "ledgers": _of_ledger,
}  # fmt: skip
