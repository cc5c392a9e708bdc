"""A plan in words: what is to be made and why, what would change, by the method that is filed and by year.

Belongs here: the lines that a person reads. Does not belong here: the plan (`plan`), comparing (`expected`), reasons in words
(`words_of_change`).
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING

from pipelines.summary import some

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.expected import Expected
    from pipelines.plan import Plan

_SHOWN_KEYS, _SHOWN_ROWS, _SHOWN_FINDINGS = 5, 3, 5


def in_words_of_plan(plan: Plan, *, every_method: bool = False) -> list[str]:
    """What is to be made and why, what would change, by the method that is filed unless `every_method`, and what filed years would become."""
    methods = None if every_method else plan.methods
    lines = [f"待读 to read: {len(plan.to_read)} files, {sum(size for _, size in plan.to_read) / 1e6:.1f} MB"]
    lines += some([f"  {name}" for name, _ in plan.to_read])
    for name, keys in plan.stale.items():
        lines.append(f"{name}: {len(keys)} 个分区待算 keys to make: {_spans(list(keys))}")
        lines += _because(plan.words[name])
    if not plan.stale:
        lines.append("没有待算的分区 nothing is stale")
    if plan.expected:
        lines.append("预计变化 expected change (尚未写入 nothing is written yet):")
        lines += [line for e in plan.expected for line in _told(e, methods)]
    elif plan.stale and not plan.untried:
        lines.append("预计数值不变 no figure is expected to change")
    if plan.untried:
        lines.append(
            f"未试算 not tried: {', '.join(plan.untried)} (--expect all); "
            "下游分区只在上游内容确有变化时重算 / what lies further down is made anew only if the bytes above really move"
        )
    return [*lines, *_sealed_lines(plan, methods)]


def _sealed_lines(plan: Plan, methods: Mapping[str, str] | None) -> list[str]:
    if not plan.sealed:
        return []
    keys = sorted({k for some_keys in plan.sealed.values() for k in some_keys})
    told = (
        f"已报送 filed years stay as they are: {_spans(keys)}; "
        "kiln backfill --sealed 才会重述 restates them; 届时变化 it would change:"
    )
    return [told, *(line for e in plan.sealed_expected for line in _told(e, methods))]


def _because(words: dict[str, list[str]]) -> list[str]:
    """Sentences, each with the keys that it holds for; the most frequent ones first."""
    by_sentence: dict[str, list[str]] = {}
    for key, said in words.items():
        for sentence in said:
            by_sentence.setdefault(_of_its_period(sentence, key), []).append(key)
    lines = [
        f"  {_spans(keys)}: {sentence}"
        for sentence, keys in sorted(by_sentence.items(), key=lambda item: (-len(item[1]), item[1]))
    ]
    return some(lines)


def _of_its_period(sentence: str, key: str) -> str:
    """Without the days of the key itself: what changed alike in twelve months is told once."""
    if not re.fullmatch(r"\d{4}(-\d{2})?", key):
        return sentence
    first = date.fromisoformat(f"{key}-01" if len(key) == 7 else f"{key}-01-01")
    last = date(
        first.year,
        first.month if len(key) == 7 else 12,
        31 if len(key) == 4 else monthrange(first.year, first.month)[1],
    )
    short = sentence.replace(f"{first} 至 {last} 的", "").replace(f"in force {first} to {last}", "in force")
    return (
        short.replace(f" for {first} to {last}", "")
        .replace(f" of {first} to {last}", "")
        .replace(f" {first} to {last}", "")
    )


def _spans(keys: list[str]) -> str:
    return ", ".join(keys) if len(keys) <= _SHOWN_KEYS else f"{keys[0]} … {keys[-1]} ({len(keys)})"


def _told(e: Expected, methods: Mapping[str, str] | None) -> list[str]:
    """One table; `methods` gives the one that is told of each year, None for all of them."""
    owners = ", ".join(f"{n} {name.removesuffix('_id')}s" for name, n in e.owners.items())
    lines = [
        f"  {e.table}: {e.keys} 个分区 keys, 行 rows +{e.added} ~{e.changed} -{e.withdrawn} (共 of {e.rows}){'; ' + owners if owners else ''}"
    ]
    moved = [s for s in e.sums if s.old != s.new]
    shown = [s for s in moved if methods is None or s.method in ("", methods.get(s.year))]
    for s in shown:
        of = " ".join(filter(None, (s.year, s.method, s.way)))
        lines.append(f"    {e.figure} {of}: {s.old:,.2f} -> {s.new:,.2f} {e.unit} ({s.new - s.old:+,.2f})")
    filed = None if methods is None else {*methods.values()}
    rows = [r for r in e.largest if filed is None or r.get("method_id") in (None, *filed)]
    for row in sorted(rows, key=lambda r: -abs(r["delta"]))[:_SHOWN_ROWS]:
        key = ", ".join(str(v) for n, v in row.items() if n not in ("old", "new", "delta") and v not in (None, ""))
        lines.append(f"      {key}: {row['old']} -> {row['new']} ({row['delta']:+,.2f})")
    if others := {s.method for s in moved if s not in shown}:
        lines.append(f"    另有 and {len(others)} 种其他方法 other methods (--methods)")
    lines += [f"    {text}" for text in e.named[:_SHOWN_FINDINGS]]
    more = len(e.named) - _SHOWN_FINDINGS
    return [*lines, f"    … 另有 and {more} more (--json)"] if more > 0 else lines
