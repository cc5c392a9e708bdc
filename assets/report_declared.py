"""The part of the report on people's word: what was declared, what was found wrong with it, and what moved since the release before.

Belongs here: what these two sections show. Does not belong here: reading (`report`), markup (`report_html`), and any judgement of
a declaration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets import report_words as words
from assets.findings_told import OPEN, grouped, place
from assets.report_html import Html, both, joined, table, tag
from contracts import meanings as m
from contracts.trust import NAMES, PLACES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.report import Facts

#: Rows of a list that is cut short; the tables of the release have all.
MOST = 12
#: Signs of a reason that are shown: it may name every file of a year.
_REASON_SIGNS = 160


def declared(facts: Facts) -> Iterator[Html]:
    """States and marks that touch the month's data, then findings by severity and the gravest of them."""
    rows = [
        (who, both(*_word(what)), n, f"{hours:.1f}", late or "") for who, what, n, hours, late in _stretches(facts).iter_rows()
    ]  # fmt: skip
    if rows:
        head = (
            both("生产线或排放口", "line or outlet"),
            both("工况或标记", "state or mark"),
            both("段", "stretches"),
            both("本月小时", "hours of the month"),
            both("其中迟报", "of these late"),
        )
        yield table(head, rows[:MOST], numeric=(2, 3, 4))
        yield from _more(len(rows), "process_states, device_marks")
    else:
        yield tag("p", both("本月没有申报工况或设备标记。", "No state or mark was declared for this month."))
    yield from _findings(facts)


def _stretches(facts: Facts) -> pl.DataFrame:
    """who, what, stretches, hours within the month's data, late ones; the longest first."""
    first, until = facts.span
    marks = facts.marks.select(
        who=pl.concat_str("outlet_id", pl.lit(" "), "channel"), what="mark", begin="start", end="end", late="late"
    )
    # An event has as many rows as stretches on which it holds.
    states = facts.states.select(who="line_id", what="state", begin="effective_from", end="effective_to", late="late")
    clipped = pl.concat([states, marks]).select(
        "who", "what", "late",
        begin=pl.max_horizontal("begin", pl.lit(first, pl.Datetime("ms"))),
        end=pl.min_horizontal(pl.col("end").fill_null(until), pl.lit(until, pl.Datetime("ms"))),
    )  # fmt: skip
    inside = clipped.filter(pl.col("begin") < pl.col("end"))
    return (
        inside.group_by("who", "what")
        .agg(n=pl.len(), hours=(pl.col("end") - pl.col("begin")).dt.total_minutes().sum() / 60, late=pl.col("late").sum())
        .sort("hours", "who", "what", descending=[True, False, False])
    )  # fmt: skip


def _word(kind: str) -> tuple[str, str]:
    return m.PROCESS_STATE.get(kind) or m.HOUR_TAG.get(kind) or (kind, kind)


def _findings(facts: Facts) -> Iterator[Html]:
    found = facts.findings
    if not found.height:
        yield tag("p", both("没有审查发现。", "Nothing was found wrong with declarations and ledgers."))
        return
    counts = dict(found.group_by("severity").len().iter_rows())
    told = [both(f"{zh} {counts[name]}", f"{en}; ") for name, (zh, en) in words.SEVERITIES.items() if name in counts]
    yield tag("p", both("审查发现（本发布全部）：", "findings of the whole release: "), *told)
    groups = grouped(found.filter(pl.col("severity").is_in(OPEN)).to_dicts())
    rows = [
        (
            tag("span", words.SEVERITIES[g["severity"]][0], class_=f"pill {g['severity']}"),
            joined((g["text_zh"], tag("div", g["text_en"], class_="en"))),
            joined((tag("code", g["check_id"]), tag("div", place(g), class_="soft"))),
            g["findings"],
        )
        for g in groups[:MOST]
    ]
    if rows:
        yield table(("", both("发现", "finding"), both("来源", "source"), both("处", "places")), rows, numeric=(3,))
        yield from _more(len(groups), "findings")


def moved(facts: Facts) -> Iterator[Html]:
    """Values that moved since the release before, by kind of reason, reason and table."""
    before = facts.manifest.previous
    if before is None:
        yield tag("p", both("这是第一个发布。", "This is the first release."))
        return
    yield tag("p", both("上一发布", "release before"), " ", tag("code", before.release_id))
    if not facts.restated.height:
        yield tag("p", both("已发布的数值没有变动。", "No published value moved."))
        return
    settled, figure = ~pl.col("provisional"), ~pl.col("column").is_in([*NAMES, *PLACES])
    found = (
        facts.restated.group_by("reason_kind", "reason_ref", "dataset")
        .agg(final=(settled & figure).sum(), other=(settled & ~figure).sum(), running=pl.col("provisional").sum())
        .sort(
            "final",
            "other",
            "running",
            "reason_kind",
            "reason_ref",
            "dataset",
            descending=[True, True, True, False, False, False],
        )
    )
    rows = [
        (both(*m.REASON_KIND[r["reason_kind"]]), _short(r["reason_ref"]), tag("code", r["dataset"]), f"{r['final']:,}", f"{r['other']:,}", f"{r['running']:,}")
        for r in found.head(MOST).iter_rows(named=True)
    ]  # fmt: skip
    head = (both("原因类别", "kind"), both("原因", "reason"), both("数据表", "table"), both("变动的值", "values moved"), both("名称与出处", "names and places"), both("暂定", "provisional"))  # fmt: skip
    yield table(head, rows, numeric=(3, 4, 5))
    yield from _more(found.height, "restatements")


def _short(text: str) -> str:
    return text if len(text) <= _REASON_SIGNS else f"{text[:_REASON_SIGNS]} …"


def _more(rows: int, where: str) -> Iterator[Html]:
    if rows > MOST:
        yield tag(
            "p",
            both(f"另有 {rows - MOST} 行，见", f"and {rows - MOST} more in"),
            " ",
            tag("code", where),
            class_="soft",
        )
