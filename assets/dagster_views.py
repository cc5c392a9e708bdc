"""What a person wants to see of a partition in the UI: a few numbers that plot well, and a short table.

Belongs here: summaries of finished partitions as plain metadata values. Does not belong here: asset definitions
(`dagster_assets`), checks, and any figure that somebody else computes with: these are looked at and thrown away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl

from contracts.cems import QUARANTINE_REASONS
from contracts.ule import HEADLINE_POLICY, VERDICTS
from resources.signals import load_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from resources.home import Home

#: Rows of a table in the UI: what needs a look comes first, the rest is in the data.
MOST_ROWS = 20
_BAR = 20

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """Which columns a summary reads, and what it makes of them."""

    columns: tuple[str, ...]
    of: Callable[[pl.DataFrame], Facts]


def highlights(home: Home, table: str, key: str) -> Facts:
    """Numbers and a table for one partition; empty where nothing is worth a look or the partition does not exist."""
    view = VIEWS.get(table)
    rows = home.lake.read(table, key, list(view.columns)) if view else None
    if view is None or rows is None or not rows.num_rows:
        return {}
    frame = pl.DataFrame(pl.from_arrow(rows))
    return view.of(frame.with_columns(pl.col(pl.Categorical).cast(pl.String)))


def markdown(head: Sequence[str], rows: Sequence[Sequence[object]], total: int) -> dg.MarkdownMetadataValue:
    """A table; says so when `total` rows exist and fewer are shown."""
    lines = [_line(head), _line(["---"] * len(head)), *(_line(r) for r in rows)]
    if total > len(rows):
        lines += ["", f"{len(rows)} of {total} rows, those that need a look first"]
    return dg.MetadataValue.md("\n".join(lines))


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(str(c).replace('|', chr(92) + '|').replace(chr(10), ' ') for c in cells)} |"


def bar(share_pct: float) -> str:
    """A share of 100 % as twenty blocks; only a full one fills them all."""
    full = int(share_pct * _BAR / 100)
    return "█" * full + "░" * (_BAR - full)


def _number(value: float | None, unit: str = "%") -> str:
    return "–" if value is None else f"{value:.2f} {unit}"


def _arrivals(frame: pl.DataFrame) -> Facts:
    sums = frame.select(pl.col("accepted_bytes", "noise_bytes", "frames_accepted", "frames_quarantined").sum()).row(
        0, named=True
    )
    odd = frame.filter((pl.col("state") == "refused") | (pl.col("frames_quarantined") > 0))
    odd = odd.sort(
        pl.col("state") != "refused", -pl.col("frames_quarantined").fill_null(0), "path", maintain_order=True
    )
    rows = [
        (r["path"], r["state"], r["frames_accepted"] or 0, r["frames_quarantined"] or 0, r["reason"] or "")
        for r in odd.head(MOST_ROWS).iter_rows(named=True)
    ]
    made: Facts = {**sums, "refused": frame.filter(pl.col("state") == "refused").height}
    if rows:
        head = ("文件 path", "state", "接收 accepted", "隔离 quarantined", "reason")
        made["look at"] = markdown(head, rows, odd.height)
    return made


def _quarantine(frame: pl.DataFrame) -> Facts:
    found = frame.group_by("level", "reason").len("n").sort("n", "reason", "level", descending=[True, False, False])
    rows = [(reason, level, *QUARANTINE_REASONS[reason], n) for level, reason, n in found.iter_rows()]
    head = ("reason", "level", "原因", "meaning", "n")
    return {
        "frames": frame.filter(pl.col("level") == "frame").height,
        "cells": frame.filter(pl.col("level") == "cell").height,
        "by reason": markdown(head, rows, len(rows)),
    }


def _counts(frame: pl.DataFrame) -> Facts:
    return frame.select(pl.col("frames", "rows", "joined", "identical", "superseded").sum()).row(0, named=True)


def _hourly(frame: pl.DataFrame) -> Facts:
    valid = pl.col("judged_mg_m3").is_not_null().sum()
    by = frame.group_by("outlet_id", "pollutant").agg(
        pl.len().alias("hours"), valid.alias("valid"), pl.col("null_reason").drop_nulls().mode().sort().first()
    )
    by = by.with_columns((100 * pl.col("valid") / pl.col("hours")).alias("pct")).sort("pct", "outlet_id", "pollutant")
    rows = [
        (r["outlet_id"], r["pollutant"], f"{r['valid']} / {r['hours']}", bar(r["pct"]), r["null_reason"] or "")
        for r in by.head(MOST_ROWS).iter_rows(named=True)
    ]
    whole = frame.select(valid.alias("valid"), pl.len().alias("hours")).row(0, named=True)
    return {
        "valid_hours": whole["valid"],
        "valid_pct": round(100 * whole["valid"] / whole["hours"], 2),
        "valid share": markdown(
            ("排放口 outlet", "污染物 pollutant", "有效 valid", "", "主因 mostly"), rows, by.height
        ),
    }


def _signals(frame: pl.DataFrame) -> Facts:
    catalogue = load_signals()
    found = frame.group_by("signal_id", "severity").agg(
        pl.len().alias("n"), pl.col("outlet_id").n_unique().alias("outlets")
    )
    found = found.sort("n", "signal_id", descending=[True, False])
    rows = [
        (
            s,
            severity,
            catalogue[s].title_zh if s in catalogue else "",
            catalogue[s].title_en if s in catalogue else "",
            n,
            o,
        )
        for s, severity, n, o in found.iter_rows()
    ]
    serious = frame.filter(pl.col("severity") == "serious").height
    head = ("signal", "severity", "信号", "title", "n", "outlets")
    return {"serious": serious, "by signal": markdown(head, rows, len(rows))}


def _judged(frame: pl.DataFrame) -> Facts:
    return {
        "judged_hours": int(frame["judged"].sum()),
        "fail_hours": int((~frame["ok"]).sum()),
        "mandatory_fail_hours": int((~frame["mandatory_ok"]).sum()),
    }


def _monthly(frame: pl.DataFrame) -> Facts:
    told = frame.filter(pl.col("policy") == HEADLINE_POLICY)
    order = pl.col("verdict").replace_strict(
        {v: i for i, v in enumerate(("FAIL", "INSUFFICIENT", "PASS", "NO_PRODUCTION"))}
    )
    told = told.sort(order, "share_pct", "outlet_id", "pollutant", nulls_last=True)
    rows = [
        (
            r["verdict"], r["outlet_id"], r["pollutant"], _number(r["share_pct"]),
            f"{r['fail_hours']} / {r['allowed_fail_hours']}", _number(r["capture_pct"]),
        )
        for r in told.head(MOST_ROWS).iter_rows(named=True)
    ]  # fmt: skip
    counts = dict(told.group_by("verdict").len().iter_rows())
    head = (
        "结论 verdict",
        "排放口 outlet",
        "污染物 pollutant",
        "达标率 share",
        "超标/允许 fail/allowed h",
        "有效率 capture",
    )
    return {**{v: counts.get(v, 0) for v in VERDICTS}, "verdicts": markdown(head, rows, told.height)}


def _progress(frame: pl.DataFrame) -> Facts:
    wide = frame.filter(pl.col("scope") != "plant").sort("scope", "scope_id", descending=[True, False])
    rows = [
        (
            r["scope"],
            r["scope_id"],
            f"{r['capacity_t_d']:g}",
            _number(r["share_pct"]),
            _number(r["target_pct"]),
            r["target_date"] or "–",
        )
        for r in wide.head(MOST_ROWS).iter_rows(named=True)
    ]
    head = ("范围 scope", "", "产能 capacity t/d", "达标 compliant", "目标 target", "by")
    return {"compliant share": markdown(head, rows, wide.height)} if rows else {}


#: What is summed up of which table; the others say enough with their rows and bytes.
VIEWS: dict[str, View] = {
    "arrivals": View(
        ("path", "state", "reason", "accepted_bytes", "noise_bytes", "frames_accepted", "frames_quarantined"), _arrivals
    ),
    "cems_quarantine": View(("level", "reason"), _quarantine),
    "cems_counts": View(("frames", "rows", "joined", "identical", "superseded"), _counts),
    "cems_hourly": View(("outlet_id", "pollutant", "judged_mg_m3", "null_reason"), _hourly),
    "cems_signals": View(("outlet_id", "signal_id", "severity"), _signals),
    "ule_hourly": View(("judged", "ok", "mandatory_ok"), _judged),
    "ule_monthly": View(
        ("outlet_id", "pollutant", "policy", "verdict", "share_pct", "fail_hours", "allowed_fail_hours", "capture_pct"),
        _monthly,
    ),
    "ule_progress": View(("scope", "scope_id", "capacity_t_d", "share_pct", "target_pct", "target_date"), _progress),
}
