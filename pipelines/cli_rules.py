"""What `kiln rules …` prints: packs, one pack, and what differs between two days or two editions.

Belongs here: words and JSON about rule packs. Does not belong here: the packs (`reference/rules`), choosing the row in force
(`resources/rules.py`).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import reference
from pipelines.columns import aligned
from resources.rules import RuleBook
from resources.rules_differences import differences
from resources.rules_versions import row_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resources.rules import Pack
    from resources.rules_differences import Difference
    from resources.rules_rows import Row

Said = tuple[dict[str, Any], str]

#: When a pack holds, zh and en.
_APPLIES = {
    "ule": ("依法", "by law"), "mandatory": ("依法", "by law"), "method": ("方法", "method"), "policy": ("口径", "policy"),
    "signals": ("阈值", "thresholds"), "foreign": ("选用", "if chosen"), "plan": ("参考", "to read"),
}  # fmt: skip
#: Titles of the tables of a pack in the order they are shown, zh and en.
_TABLES = {
    "limit": ("限值", "limits"), "standard_limit": ("限值", "limits"), "o2_reference": ("基准含氧量", "reference O2"),
    "clause": ("条文", "clauses"), "parameter": ("参数", "parameters"), "policy": ("口径", "policies"), "tag": ("小时标记", "hour tags"),
    "target": ("目标", "targets"),
}  # fmt: skip
#: Keys of a row that is new or gone which its name tells already, or which `kiln rules show` tells better.
_QUIET = {"pollutant", "name", "tag", "region_classes", "variants", "suffix", "clause", "mark", "note", "effective_to"}
#: Keys that say which row it is and so need no column of values.
_NAMES = {
    "point_types",
    "pollutant",
    "name",
    "tag",
    "title_zh",
    "title_en",
    "name_zh",
    "name_en",
    "text_zh",
    "text_en",
    "suffix",
}


def listing(day: date) -> Said:
    """Every pack as of `day`."""
    book = RuleBook.load()
    facts = [_facts(book, pack, day) for pack in book.packs]
    head = [
        "规则包 pack",
        "适用 holds",
        "自 from",
        "至 to",
        "可信度 worth",
        "行 rows",
        "有效 now",
        "草案 drafts",
        "名称 title",
    ]
    lines = [
        [f["id"], " ".join(_APPLIES[f["kind"]]), f["effective_from"], f["effective_to"] or "", f["confidence"],
         str(f["rows"]), str(f["in_force"]), str(len(f["drafts"])), f"{f['title_zh']} / {f['title_en']}"]
        for f in facts
    ]  # fmt: skip
    total = sum(len(f["drafts"]) for f in facts)
    text = aligned([head, *lines], right={5, 6, 7})
    foot = f"\n\n{day}: 有效行中 {total} 行为草案, 待核 / {total} rows in force are drafts, to be checked"
    return {"date": str(day), "packs": facts}, text + foot


def _facts(book: RuleBook, pack: Pack, day: date) -> dict[str, Any]:
    rows, now = book.rows(pack.id), book.rows(pack.id, day)
    return {
        "id": pack.id, "kind": pack.kind, "title_zh": pack.title_zh, "title_en": pack.title_en, "number": pack.number,
        "provinces": list(pack.provinces), "variants": list(book.variants[pack.id]), "confidence": pack.confidence,
        "mark": pack.mark, "effective_from": str(pack.effective_from),
        "effective_to": str(pack.effective_to) if pack.effective_to else None,
        "rows": len(rows), "in_force": len(now), "drafts": sorted({i for r in now if r.cite.confidence == "draft" for i in row_ids(r)}),
    }  # fmt: skip


def showing(name: str, day: date | None) -> Said:
    """One pack, by its id or the unique beginning of one; with a day, what is in force on it."""
    book = RuleBook.load()
    pack = _named(book, name)
    rows = book.rows(pack.id, day)
    facts = _facts(book, pack, day or date.max)
    parts = [_head(pack, facts, day)]
    for table, titles in _TABLES.items():
        if some := [r for r in rows if r.table == table]:
            parts += [f"\n{titles[0]} / {titles[1]}", _clauses(some) if table == "clause" else _rows(some)]
    sources = [f"  {i}  {text}" for i, text in enumerate(pack.citations, 1)]
    parts += ["\n来源 / sources", *sources]
    told = [_told(row) for row in rows]
    about = {k: v for k, v in facts.items() if k not in ("in_force", "drafts")}
    return {**about, "date": str(day) if day else None, "sources": list(pack.citations), "rows": told}, "\n".join(parts)


def _named(book: RuleBook, name: str) -> Pack:
    meant = [p for p in book.packs if p.id == name] or [p for p in book.packs if p.id.startswith(name)]
    if len(meant) != 1:
        raise click.UsageError(f"没有这一个规则包 no one pack {name}; there are {', '.join(p.id for p in book.packs)}")
    return meant[0]


def _head(pack: Pack, facts: dict[str, Any], day: date | None) -> str:
    period = f"{pack.effective_from} - {pack.effective_to or ''}".rstrip()
    lines = [
        f"{pack.id}  {pack.number}",
        f"{pack.title_zh} / {pack.title_en}",
        f"{' '.join(_APPLIES[pack.kind])} · {period} · {pack.mark} {pack.confidence}",
    ]
    if pack.provinces:
        lines.append(f"只约束 binds {', '.join(pack.provinces)}")
    if facts["variants"]:
        lines.append(f"类别 variants: {', '.join(facts['variants'])} (registry/standards.csv)")
    return "\n".join([*lines, f"当日有效 in force on {day}"] if day else lines)


def _rows(rows: Sequence[Row]) -> str:
    """Rows as one table: what they are about, what they say, when, what they are worth, clause; notes below their row."""
    lines: list[list[str]] = []
    notes: list[str] = []
    for row in rows:
        cite = row.cite
        lines.append([
            _about(row), _says(row), f"{cite.effective_from} - {cite.effective_to or ''}".rstrip(),
            f"{cite.mark} {cite.confidence}", cite.clause,
        ])  # fmt: skip
        notes.append(cite.note)
    made = aligned(lines).splitlines()
    return "\n".join(f"  {line}" + (f"\n      {note}" if note else "") for line, note in zip(made, notes, strict=True))


def _clauses(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        cite = row.cite
        lines.append(f"  {row.cells['name']}  {cite.mark} {cite.confidence}  {cite.clause}")
        lines += [f"      {row.cells['text_zh']}", f"      {row.cells['text_en']}"]
        lines += [f"      {cite.note}"] if cite.note else []
    return "\n".join(lines)


def _about(row: Row) -> str:
    cells = row.cells
    where = ", ".join(cells.get("point_types", ()))
    name = cells.get("pollutant") or cells.get("name") or cells.get("tag") or ""
    texts = [t for t in (cells.get("title_zh") or cells.get("name_zh"),) if t]
    return " ".join([p for p in (where, name, *texts) if p]) or "-"


def _says(row: Row) -> str:
    cells = row.cells
    if row.table == "limit":
        said = [f"{cells['value_mg_m3']:g} mg/m3"]
        said += [f"[{', '.join(cells['region_classes'])}]"] if len(cells["region_classes"]) == 1 else []
        return " ".join([*said, *(["还原剂 reductant"] if cells["with_reductant"] else [])])
    if row.table == "standard_limit":
        low = "" if cells["value_low"] is None else f"{cells['value_low']:g} - "
        said = [f"{low}{cells['value']:g} {cells['unit']}", cells["averaging"]]
        said += [] if cells["o2_reference_pct"] is None else [f"@ {cells['o2_reference_pct']:g} % O2"]
        said += [] if not cells["confidence_interval_pct"] else [f"- {cells['confidence_interval_pct']:g} %"]
        said += [f"[{', '.join(cells['variants'])}]"] if cells["variants"] else []
        return " ".join([*said, *(["parametric"] if cells["parametric"] else [])])
    if row.table == "parameter":
        return f"= {_plain(cells['value'])} {cells['unit']}".rstrip()
    said = [f"{k}={_plain(v)}" for k, v in cells.items() if k not in _NAMES and v not in (None, (), False)]
    return " ".join(said)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _told(row: Row) -> dict[str, Any]:
    cite = row.cite
    return {
        "table": row.table, "ids": row_ids(row), **{k: v for k, v in row.cells.items() if v not in (None, ())},
        "clause": cite.clause, "source": cite.source, "mark": cite.mark, "confidence": cite.confidence,
        "effective_from": str(cite.effective_from), "effective_to": str(cite.effective_to) if cite.effective_to else None,
        "note": cite.note, "file": row.file, "line": row.line,
    }  # fmt: skip


def differing(old: str, new: str) -> Said:
    """What differs in force between two days, or between the rows of two folders of packs."""
    days = [_as_day(text) for text in (old, new)]
    if all(days):
        book = RuleBook.load()
        found = differences(book, book, days[0], days[1])
    elif any(days):
        raise click.UsageError("两个日期或两个文件夹 give two days or two folders of packs")
    else:
        found = differences(_edition(old), _edition(new))
    lines = [_line(d) for d in found] or ["没有差别 no difference"]
    counts = {k: sum(d.kind == k for d in found) for k in ("added", "removed", "changed")}
    foot = f"新增 added {counts['added']}, 删除 removed {counts['removed']}, 变更 changed {counts['changed']}"
    told = [
        {"kind": d.kind, "pack": d.pack, "id": d.id, "effective_from": d.effective_from, "changes": d.changes}
        for d in found
    ]
    return {"old": old, "new": new, **counts, "differences": told}, "\n".join([f"{old} -> {new}", *lines, foot])


def _as_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _edition(folder: str) -> RuleBook:
    path = reference.RULES if folder == "installed" else Path(folder)
    if not path.is_dir():
        raise click.UsageError(
            f"{folder}: 没有此文件夹 no such folder; `installed` 指已安装的一版 means the installed edition"
        )
    return RuleBook.load(path)


def _line(d: Difference) -> str:
    sign = {"added": "+", "removed": "-", "changed": "~"}[d.kind]
    since = f" ({d.effective_from})" if d.effective_from else ""
    if d.kind == "changed":
        said = "; ".join(f"{name} {_plain_text(a)} -> {_plain_text(b)}" for name, (a, b) in d.changes.items())
    else:
        side = 1 if d.kind == "added" else 0
        told = {name: pair[side] for name, pair in d.changes.items() if name not in _QUIET and pair[side] is not False}
        said = "; ".join(f"{name} {_plain_text(value)}" for name, value in told.items())
    return f"{sign} {d.id}{since}: {said}"


def _plain_text(value: object) -> str:
    return "∅" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else _plain(value)
