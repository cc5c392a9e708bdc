"""What stands in a home, as facts for a script and in words for a person.

Belongs here: reading a home and saying what it holds. Does not belong here: changing anything.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import polars as pl

from contracts.ule import HEADLINE_POLICY
from resources.releases import latest

if TYPE_CHECKING:
    from resources.home import Home

#: Lines of one kind that a person gets to see; `--json` has all.
MOST = 20


def some(lines: list[str]) -> list[str]:
    """The first of many lines, and how many more there are."""
    more = len(lines) - MOST
    return lines if more <= 0 else [*lines[:MOST], f"  … 另有 and {more} more (--json)"]


def summary(home: Home) -> dict[str, Any]:
    """What stands in a home: captures, frames, hours, verdicts of the newest month, the latest release."""
    inputs = [a.record for a in home.intake.inputs() if a.record]
    refused = [(a.path, a.reason) for a in home.intake.arrivals() if a.state == "refused"]
    months = home.lake.keys("ule_monthly")
    release = latest(home.published)
    on_disk = home.published.local_path() is not None
    return {
        "captures": len(inputs),
        "text_mb": round(sum(r.text_bytes for r in inputs) / 1e6, 1),
        "frames_accepted": sum(r.frames_accepted for r in inputs),
        "frames_quarantined": sum(r.frames_quarantined for r in inputs),
        "refused_files": [f"{p}: {r}" for p, r in refused],
        "days": len(home.lake.keys("cems_hourly")),
        "month": months[-1] if months else None,
        "verdicts": _verdicts(home, months[-1]) if months else [],
        "release": release.release_id if release else None,
        "release_path": home.published.url("latest" if on_disk else release.path) if release else None,
    }


def _verdicts(home: Home, month: str) -> list[dict[str, Any]]:
    """Headline verdicts of a month, by outlet and pollutant."""
    table = home.lake.read("ule_monthly", month)
    if table is None:
        return []
    wanted = ["outlet_id", "pollutant", "verdict", "share_pct", "fail_hours", "allowed_fail_hours", "capture_pct"]
    names = [pl.col(n).cast(pl.String) for n in ("outlet_id", "pollutant", "policy", "verdict")]
    frame = pl.DataFrame(pl.from_arrow(table)).with_columns(names)
    return frame.filter(pl.col("policy") == HEADLINE_POLICY).select(wanted).sort("outlet_id", "pollutant").to_dicts()


def in_words(facts: dict[str, Any]) -> list[str]:
    """The summary as a person reads it."""
    lines = [
        (
            f"报文文件 captures {facts['captures']} ({facts['text_mb']} MB): "
            f"接收 accepted {facts['frames_accepted']:,} 帧 frames, 隔离 quarantined {facts['frames_quarantined']:,}"
        ),
        *some([f"拒收 refused {text}" for text in facts["refused_files"]]),
    ]
    if not facts["captures"] and not facts["refused_files"]:
        lines.append("landing/cems 中没有文件 there are no files below landing/cems")
    if facts["month"]:
        lines += _in_words_of_month(facts)
    if facts["release"]:
        lines.append(f"发布 release {facts['release']}: {facts['release_path']}")
    return lines


def _in_words_of_month(facts: dict[str, Any]) -> list[str]:
    counts = Counter(v["verdict"] for v in facts["verdicts"])
    told = ", ".join(f"{k} {n}" for k, n in sorted(counts.items()))
    none = "无 none (当时没有生效的超低排放限值 no ultra-low limit was in force)"
    failing = [
        f"  {v['outlet_id']} {v['pollutant']}: FAIL, 达标率 share {v['share_pct']:.2f} %, "
        f"超标 failing {v['fail_hours']} h (允许 allowed {v['allowed_fail_hours']} h)"
        for v in facts["verdicts"]
        if v["verdict"] == "FAIL"
    ]
    return [
        f"小时数据 hours of {facts['days']} 天 days; {facts['month']} 超低排放判定 ULE verdicts: {told or none}",
        *some(failing),
    ]
