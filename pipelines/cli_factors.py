"""What `kiln factors …` prints: factors in force and known, one factor's rows, two editions, and the import of a new one.

Belongs here: words and JSON about factors. Does not belong here: choosing (`resources/factors`), reading and comparing editions
(`resources/factors_maps`, `resources/factors_import`).
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.columns import aligned
from resources.factors import FactorBook
from resources.factors_import import Change, compare, edition_of, mapped, own_cells, plan_import
from resources.factors_maps import known_maps, load_map, read_edition
from resources.factors_read import COLUMNS, QUANTITIES, read_factors
from resources.problems import listing as listed
from resources.storage import open_storage

if TYPE_CHECKING:
    from resources.factors_maps import EditionRow, Map
    from resources.factors_read import Factor
    from resources.problems import Problem
    from resources.settings import Settings

Said = tuple[dict[str, Any], str]
_KINDS = {
    "added": ("+", "新增 added"),
    "removed": ("-", "删除 removed"),
    "changed": ("~", "变更 changed"),
    "unit": ("!", "单位变更 unit changed"),
}
_SHOWN = 40


def _book(settings: Settings) -> FactorBook:
    return FactorBook.load(overlay=open_storage(settings.place("registry")))


def listing(settings: Settings, day: date, known_on: date | None, quantity: str) -> Said:
    """What is in force on `day` as it was recorded by `known_on` (None: by now)."""
    if quantity and quantity not in QUANTITIES:
        raise click.UsageError(f"{quantity}: 没有此类因子 no such quantity; there are {', '.join(QUANTITIES)}")
    rows = [r for r in _book(settings).in_force(day, day, known_on) if quantity in ("", r.quantity)]
    rows.sort(key=lambda r: (list(QUANTITIES).index(r.quantity), r.scope, r.region, r.methods))
    head = [
        "因子 factor",
        "类别 quantity",
        "对象 scope",
        "方法 method",
        "值 value",
        "单位 unit",
        "自 from",
        "至 to",
        "登记 recorded",
        "可信度 worth",
    ]
    lines = [
        [
            r.factor_id,
            r.quantity,
            " ".join(p for p in (r.scope, r.region) if p),
            "|".join(r.methods),
            r.text,
            r.unit,
            str(r.valid_from),
            str(r.valid_to or ""),
            str(r.recorded_at),
            _worth(r),
        ]
        for r in rows
    ]
    drafts = sum(r.confidence == "draft" for r in rows)
    known = f", 当时已登记 as recorded on {known_on}" if known_on else ""
    foot = f"{day}{known}: {len(rows)} 个因子 factors, 其中草案 of them drafts {drafts}"
    data = {
        "date": str(day),
        "known_on": str(known_on) if known_on else None,
        "drafts": drafts,
        "factors": [_facts(r) for r in rows],
    }
    return data, f"{aligned([head, *lines], right={4})}\n\n{foot}"


def _worth(row: Factor) -> str:
    return f"{row.mark} {row.confidence}" + (" *草案 draft*" if row.confidence == "draft" else "")


def _facts(row: Factor) -> dict[str, Any]:
    names = [n for n in COLUMNS if n not in ("value", "method")]
    facts = {n: getattr(row, n) for n in names}
    plain = {n: str(v) if isinstance(v, date) else v for n, v in facts.items()}
    return {**plain, "value": row.text, "method": list(row.methods), "file": row.file, "line": row.line}


def showing(settings: Settings, name: str) -> Said:
    """Every row of a factor: by id (or its beginning), else by quantity or scope or region."""
    rows = _book(settings).rows
    meant = [r for r in rows if r.factor_id == name] or [r for r in rows if r.factor_id.startswith(name)]
    meant = meant or [r for r in rows if name in (r.quantity, r.scope, r.region)]
    if not meant:
        raise click.UsageError(f"没有此因子 no such factor: {name}; kiln factors list 列出 lists them")
    series = {r.series for r in meant}
    lines = []
    for row in sorted((r for r in rows if r.series in series), key=lambda r: (r.series, r.valid_from, r.recorded_at)):
        zh, en = QUANTITIES[row.quantity]
        lines.append(f"{row.factor_id}  {row.text} {row.unit}  [{_worth(row)}]")
        lines.append(f"    {zh} / {en}: {' '.join(p for p in (row.scope, row.region, '|'.join(row.methods)) if p)}")
        published = f", 发布 published {row.published_on}" if row.published_on else ""
        lines.append(
            f"    {row.valid_from} - {row.valid_to or ''}{published}, 登记 recorded {row.recorded_at}, {row.file}:{row.line}"
        )
        lines.append(f"    {' '.join(p for p in (row.source, row.clause) if p)}")
        lines += [f"    {row.note}"] if row.note else []
    told = [_facts(r) for r in rows if r.series in series]
    return {"name": name, "rows": told}, "\n".join(lines)


def differing(settings: Settings, old: str, new: str, mapping: str) -> Said:
    """What differs between two editions: files, or the book as known on two days."""
    days = [_as_day(t) for t in (old, new)]
    problems: list[Problem] = []
    if all(days):
        rows = _book(settings).rows
        editions = [edition_of(rows, day) for day in days]
    elif any(days):
        raise click.UsageError("两个日期或两个文件 give two days or two files")
    else:
        editions = []
        for name in (old, new):
            some, wrong = _edition(Path(name), mapping)
            editions.append(some)
            problems += wrong
    found = compare(editions[0], editions[1])
    data = {
        "old": old,
        "new": new,
        "rows": [len(e) for e in editions],
        **_counts(found),
        "changes": [_told(c) for c in found],
        "problems": [str(p) for p in problems],
    }
    return data, "\n".join(
        [
            f"{old} ({len(editions[0])}) -> {new} ({len(editions[1])})",
            *_lines(found, problems),
            *_converted(editions[1]),
        ]
    )


def _as_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _map(name: str) -> Map:
    try:
        return load_map(name)
    except KeyError:
        raise click.UsageError(f"--map {name}: 没有此列对应 no such map; there are {', '.join(known_maps())}") from None


def _edition(path: Path, mapping: str) -> tuple[list[EditionRow], list[Problem]]:
    if not path.is_file():
        raise click.UsageError(f"{path}: 没有此文件 no such file")
    if mapping:
        return read_edition(path.name, path.read_bytes(), _map(mapping))
    rows, problems = read_factors(path.name, path.read_bytes())
    return edition_of(rows), problems


def _counts(found: list[Change]) -> dict[str, int]:
    return {k: sum(c.kind == k for c in found) for k in _KINDS} | {"jumps": sum(c.jump for c in found)}


def _told(c: Change) -> dict[str, Any]:
    sides = {
        side: {"value": row.text, "unit": row.unit} if row else None for side, row in (("old", c.old), ("new", c.new))
    }
    return {"kind": c.kind, "name": c.name, **sides, "jump": c.jump}


def _lines(found: list[Change], problems: list[Problem]) -> list[str]:
    lines = []
    order = ("unit", "changed", "added", "removed")
    for c in sorted(found, key=lambda c: (not c.jump, order.index(c.kind), c.name))[:_SHOWN]:
        sides = [f"{row.text} {row.unit}" for row in (c.old, c.new) if row]
        lines.append(
            f"{_KINDS[c.kind][0]} {c.name}: {' -> '.join(sides)}{'  数量级变化 order of magnitude!' if c.jump else ''}"
        )
    more = len(found) - _SHOWN
    lines += [f"… 另有 and {more} more (--json)"] if more > 0 else []
    counts = _counts(found)
    lines += [listed(problems)] if problems else []
    return [*lines, ", ".join(f"{text} {counts[kind]}" for kind, (_, text) in _KINDS.items())]


def _converted(rows: list[EditionRow]) -> list[str]:
    """Rows whose values were multiplied on reading, by what: never silently."""
    by: dict[str, int] = {}
    for row in rows:
        if row.converted:
            by[f"{row.converted} -> {row.unit}"] = by.get(f"{row.converted} -> {row.unit}", 0) + 1
    return [f"已换算 converted: {n} 个值 values {how}" for how, n in sorted(by.items())]


def importing(settings: Settings, file: str, mapping: str, name: str, recorded_at: date, *, write: bool) -> Said:
    """The difference that a file would make; with `write` it is made. Nothing is written where anything is wrong."""
    path = Path(file)
    target = f"factors-{_file_name(name or path.stem)}.csv"
    left, wrong, notes = 0, list[Any](), list[str]()
    if mapping:
        by = _map(mapping)
        edition, wrong = read_edition(path.name, path.read_bytes(), by)
        cells, left = mapped(edition, by)
        notes = _converted(edition)
    else:
        cells, wrong = own_cells(path.name, path.read_bytes())
    registry = open_storage(settings.place("registry"))
    own = registry.read(target) if registry.exists(target) else None
    made = plan_import(f"registry/{target}", cells, recorded_at, _book(settings).rows, own)
    problems = [*wrong, *made.problems]
    done = write and not problems and made.fresh > 0
    if done:
        registry.write(target, made.content)
    data = {
        "file": file, "target": f"registry/{target}", "recorded_at": str(recorded_at), "fresh": made.fresh, "known": made.known, "left": left,
        **_counts(made.changes), "changes": [_told(c) for c in made.changes], "problems": [str(p) for p in problems], "written": done,
    }  # fmt: skip
    ending = (
        f"已写入 written: registry/{target}" if done
        else "有误, 未写入 nothing was written, see above" if problems
        else "没有新行 nothing new" if not made.fresh
        else f"未写入 nothing is written; --write 写入 writes registry/{target}, kiln plan 说明后果 then tells what follows"
    )  # fmt: skip
    lines = _lines(made.changes, problems) + notes
    lines.append(f"新行 new rows {made.fresh}, 已有 known {made.known}, 只比较未导入 read and not imported {left}")
    return data, "\n".join([*lines, ending])


def _file_name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold().removeprefix("factors-")).strip("-") or "own"
