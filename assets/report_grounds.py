"""The lower parts of the report: what came, what was refused, signals, progress, and what the figures rest on.

Belongs here: what each of these parts shows. Does not belong here: verdicts and hours (`report_sections`), reading (`report`),
markup and shapes (`report_html`, `report_svg`), names of listed values (`report_words`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from assets import report_words as words
from assets.report_html import Html, both, joined, number, table, tag
from contracts.cems import QUARANTINE_REASONS
from contracts.trust import NAMES, PLACES
from resources.signals import load_signals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.report import Facts


def _bytes(facts: Facts, read: pl.DataFrame) -> Iterator[Html]:
    bytes_ = read.select(pl.col("text_bytes", "accepted_bytes", "quarantined_bytes", "noise_bytes").sum()).row(0)
    total, *parts = (f"{n:,}" for n in bytes_)
    yield tag(
        "p",
        both(f"全部 {read.height} 个文件共 {total} 字节 =", "bytes of all captures ="),
        f" 接收 accepted {parts[0]} + 隔离 quarantined {parts[1]} + 噪声 noise {parts[2]}",
    )
    became = facts.counts.select(pl.col("frames", "rows", "joined", "identical", "superseded").sum()).row(0)
    frames, *kinds = (f"{n:,}" for n in became)
    yield tag(
        "p",
        both(f"本月接收的数据帧 {frames} =", "accepted data frames of the month ="),
        f" 成行 rows {kinds[0]} + 并入 joined {kinds[1]} + 重复 identical {kinds[2]} + 被取代 superseded {kinds[3]}",
    )


def arrived(facts: Facts) -> Iterator[Html]:
    """Bytes of all captures, frames of the month, and the files that were refused."""
    # Declarations and spreadsheets have no bytes of frames to account for.
    read = facts.arrivals.filter((pl.col("state") == "read") & pl.col("text_bytes").is_not_null())
    ledgers = facts.arrivals.filter(kind="ledger", state="read").height
    if ledgers:
        yield tag("p", both(f"台账文件 {ledgers} 个。", f"{ledgers} files of ledgers."))
    if read.height:
        yield from _bytes(facts, read)
    gone = facts.arrivals.filter(pl.col("state") == "refused").sort("path")
    if gone.height:
        yield table((both("拒收文件", "refused file"), both("原因", "reason")), gone.select("path", "reason").rows())


def refused(facts: Facts) -> Iterator[Html]:
    """What of the month was quarantined, and why."""
    if not facts.quarantine.height:
        none = both(
            "本月没有隔离数据，或数据湖不在此处。", "Nothing of this month is quarantined, or the lake is not here."
        )
        yield tag("p", none, class_="soft")
        return
    level = {"frame": both("整帧", "frame"), "cell": both("单值", "value")}
    rows = [
        (tag("code", reason), both(*QUARANTINE_REASONS[reason]), level[kind], f"{n:,}")
        for reason, kind, n in facts.quarantine.iter_rows()
    ]
    head = (both("隔离原因", "reason"), both("含义", "meaning"), both("层级", "level"), both("本月", "this month"))
    yield table(head, rows, numeric=(3,))


def signals(facts: Facts) -> Html:
    """One line an outlet, signal and channel: serious ones first, with the text of the latest."""
    catalogue = load_signals()
    found = (
        facts.signals.sort("start", "value")
        .group_by("severity", "signal_id", "outlet_id", "pollutant", maintain_order=True)
        .agg(pl.len().alias("n"), pl.col("start").min(), pl.col("end").max(), pl.col("text_zh", "text_en").last())
        .sort(_place("severity", words.SEVERITIES), "signal_id", "outlet_id", "pollutant")
    )
    rows = []
    for r in found.iter_rows(named=True):
        known = catalogue.get(r["signal_id"])
        last = r["end"] - timedelta(milliseconds=1)
        rows.append(
            (
                tag("span", words.SEVERITIES[r["severity"]][0], class_=f"pill {r['severity']}"),
                tag("span", r["outlet_id"], class_="whole"),
                joined(
                    (
                        known.title_zh if known else "",
                        " ",
                        r["pollutant"],
                        tag("div", tag("code", r["signal_id"]), class_="en"),
                    )
                ),
                tag("span", f"{r['n']} × {r['start']:%m-%d}…{last:%m-%d}", class_="whole"),
                joined((r["text_zh"], tag("div", r["text_en"], class_="en"))),
            )
        )
    head = ("", both("排放口", "outlet"), both("信号", "signal"), both("次数", "times"), both("最近一次", "the latest"))
    return table(head, rows)


def _place(column: str, order: dict[str, tuple[str, str]]) -> pl.Expr:
    return pl.col(column).replace_strict({name: i for i, name in enumerate(order)})


def progress(facts: Facts) -> Html:
    """Compliant clinker capacity by province, group and plant."""
    rows = [
        (
            both(*words.SCOPES[r["scope"]]), facts.plant(r["scope_id"]), number(r["capacity_t_d"], 0),
            number(r["compliant_capacity_t_d"], 0), number(r["share_pct"], 1, " %"),
            f"{number(r['target_pct'], 0, ' %')} {r['target_date'] or ''}",
        )
        for r in facts.progress.sort(_place("scope", words.SCOPES), "scope_id").iter_rows(named=True)
    ]  # fmt: skip
    head = (
        "",
        "",
        both("产能", "t/d"),
        both("达标", "compliant t/d"),
        both("占比", "share"),
        both("目标", "target, by"),
    )
    return table(head, rows, numeric=(2, 3, 4, 5))


def packs_of(facts: Facts) -> set[str]:
    """Packs of the rules that rows of the page name as `pack/row`; a joint verdict names several."""
    named = [t for f in (facts.verdicts, facts.mandatory) for t in f["rule_id"].drop_nulls().unique().to_list()]
    named += [p.rule_id for p in facts.policies]
    return {one.strip().partition("/")[0] for text in named for one in text.split(";")}


def basis(facts: Facts) -> Iterator[Html]:
    """Rule packs, checks, code, registry, and how to prove the release."""
    told = facts.manifest.facts
    named = packs_of(facts)
    packs = [
        (tag("code", p.id), both(*words.CONFIDENCE.get(p.confidence, (p.confidence, ""))), tag("code", p.sha256[:16]))
        for p in told.rule_packs
        if p.id in named
    ]
    yield table((both("本页所用规则包", "rule pack of this page"), both("可信度", "confidence"), "SHA-256"), packs)
    if others := len(told.rule_packs) - len(packs):
        zh, en = f"另有 {others} 个规则包，见 manifest.json。", f"{others} further rule packs stand in manifest.json."
        yield tag("p", both(zh, en), class_="soft")
    checks = [
        (tag("code", c.name), both("通过", "passed") if c.passed else both("未通过", "failed"), c.text)
        for c in told.checks
    ]
    yield table((both("检查", "check"), both("结果", "result"), ""), checks)
    settled = facts.restated.filter(~pl.col("provisional"))
    moved = settled.filter(~pl.col("column").is_in([*NAMES, *PLACES])).height
    running = facts.restated.height - settled.height
    names = (
        both("台账现状", "the registry as it stands")
        if facts.names
        else both("未读取", "not read: no sound registry here")
    )
    lines = (
        (both("程序", "code"), told.code_version),
        (both("台账", "registry"), tag("code", told.registry_sha256)),
        (both("企业名称来自", "names of plants come from"), names),
        (
            both("相对上一发布变动的值", "values that moved since the release before"),
            f"{moved:,} (+ {settled.height - moved:,} 名称与出处 names and places, {running:,} 暂定 provisional)",
        ),
        (both("清单 SHA-256", "manifest"), tag("code", facts.manifest_sha256)),
        (both("核验", "verify"), tag("code", f"kiln release verify {facts.manifest.release_id}")),
    )
    yield table(("", ""), lines)
