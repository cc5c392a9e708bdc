"""What stands in a home, as facts for a script and in words for a person.

Belongs here: reading a home and saying what it holds. Does not belong here: changing anything.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.findings_told import OPEN, grouped
from assets.findings_told import in_words as told
from contracts.cems import QUARANTINE_REASONS
from contracts.ule import HEADLINE_POLICY
from pipelines.cli_findings import rows_of
from pipelines.summary_carbon import carbon, held, in_words_of_carbon, in_words_of_held, in_words_of_moved, moved
from pipelines.summary_reach import exports, in_words_of_exports, in_words_of_reach, reach
from resources.exports_notes import BAD, BELOW
from resources.releases import latest

if TYPE_CHECKING:
    from resources.home import Home

#: Lines of one kind that a person gets to see; `--json` has all.
MOST = 20
CELL_REMEDY = "改正后重新导出, 或在列映射文件中列入 missing 或 [flags] mend and export again, or list the text under missing or [flags] of the map file"


def some(lines: list[str]) -> list[str]:
    """The first of many lines, and how many more there are."""
    more = len(lines) - MOST
    return lines if more <= 0 else [*lines[:MOST], f"  … 另有 and {more} more (--json)"]


def summary(home: Home) -> dict[str, Any]:
    """What stands in a home: captures, frames, hours, verdicts of the newest month, the latest release."""
    inputs = [a.record for a in home.intake.inputs() if a.record]
    refused = [(a.path, a.reason) for a in home.intake.arrivals() if a.state == "refused"]
    refused += [(f.path, f.reason) for f in (*home.events.files, *home.ledgers.files) if f.reason]
    months = home.lake.keys("ule_monthly")
    verdicts = _verdicts(home, months[-1]) if months else []
    release = latest(home.published)
    on_disk = home.published.local_path() is not None
    return {
        "captures": len([r for r in inputs if r.kind == "hj212"]),
        "exports": exports(home.intake.inputs()),
        "text_mb": round(sum(r.text_bytes for r in inputs) / 1e6, 1),
        "frames_accepted": sum(r.frames_accepted for r in inputs),
        "frames_quarantined": sum(r.frames_quarantined for r in inputs),
        "refused_files": [f"{p}: {r}" for p, r in refused],
        "quarantine": _quarantine(home),
        "cells": _cells(home),
        "quarantine_path": home.lake.storage.url("cems_quarantine"),
        "signals": _signals(home),
        "declarations": {
            "files": len(home.events.files),
            "stretches": len(home.events.states),
            "marks": len(home.events.marks),
        },
        "ledgers": {
            "files": len(home.ledgers.files),
            "rows": sum(f.rows for f in home.ledgers.files),
            "months": home.ledgers.months(),
        },
        "findings": _findings(home),
        "days": len(home.lake.keys("cems_hourly")),
        "month": months[-1] if months else None,
        "verdicts": verdicts,
        "reach": reach(home, months[-1], [v["outlet_id"] for v in verdicts]) if months else None,
        "carbon": carbon(home),
        "held": held(home),
        "moved": moved(home),
        "release": release.release_id if release else None,
        "release_path": home.published.url("latest" if on_disk else release.path) if release else None,
    }


def _quarantine(home: Home) -> list[dict[str, Any]]:
    """Quarantined frames by reason and device number, most first, each with one capture that holds some."""
    counts: Counter[tuple[str, str]] = Counter()
    where: dict[tuple[str, str], str] = {}
    for arrival in home.intake.inputs():
        for reason, by_mn in (arrival.record.refusals if arrival.record else {}).items():
            for mn, n in by_mn.items():
                counts[reason, mn] += n
                where.setdefault((reason, mn), arrival.path)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"reason": r, "mn": mn, "frames": n, "path": where[r, mn]} for (r, mn), n in ordered]


def _cells(home: Home) -> list[dict[str, Any]]:
    """Refused cells by reason and those below detection, each with one file and, of an export, the first cell in it."""
    made: dict[str, dict[str, Any]] = {}
    for arrival in home.intake.inputs():
        record = arrival.record
        if record is None:
            continue
        below = sum(n for what, n in record.missing.items() if what.startswith("below:"))
        for reason, n in sorted((record.cells | ({BELOW: below} if below else {})).items()):
            if reason in QUARANTINE_REASONS or reason == BELOW:
                line, column, text = record.examples.get(reason, (None, None, None))
                row = made.setdefault(
                    reason,
                    {"reason": reason, "cells": 0, "path": arrival.path, "line": line, "column": column, "text": text},
                )
                if line and not row["line"]:
                    # An export's cell can be shown by its place, a packet's lies in the quarantine.
                    row.update(path=arrival.path, line=line, column=column, text=text)
                row["cells"] += n
    return sorted(made.values(), key=lambda r: (-r["cells"], r["reason"]))


def _signals(home: Home) -> dict[str, Any]:
    """Signals of the last month of data: how many of each severity, and the serious ones."""
    tables = [home.lake.read("cems_signals", day) for day in home.lake.keys("cems_signals")[-31:]]
    frames = [pl.DataFrame(pl.from_arrow(t)).with_columns(pl.col(pl.Categorical).cast(pl.String)) for t in tables if t]
    if not frames:
        return {"counts": {}, "serious": []}
    every = pl.concat(frames)
    serious = every.filter(pl.col("severity") == "serious").sort(
        "start", "outlet_id", "signal_id", descending=[True, False, False]
    )
    told = serious.unique(["signal_id", "outlet_id", "pollutant"], keep="first", maintain_order=True)
    return {
        "counts": dict(sorted(every.group_by("severity").len().iter_rows())),
        "serious": told.select("signal_id", "outlet_id", "pollutant", "text_zh", "text_en").to_dicts(),
    }


def _findings(home: Home) -> dict[str, Any]:
    """Findings on declarations and ledgers: how many of each severity, and those that need somebody, one row a check and file."""
    rows = rows_of(home)
    counts = Counter(r["severity"] for r in rows)
    return {"counts": dict(sorted(counts.items())), "listed": grouped(r for r in rows if r["severity"] in OPEN)}


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
    captures = (
        f"报文文件 captures {facts['captures']} ({facts['text_mb']} MB): "
        f"接收 accepted {facts['frames_accepted']:,} 帧 frames, 隔离 quarantined {facts['frames_quarantined']:,}"
    )
    lines = [
        # A home of ledgers alone has no captures to speak of.
        *([captures] if facts["captures"] or not facts["ledgers"]["files"] else []),
        *in_words_of_exports(facts["exports"]),
        *some([f"拒收 refused {text}" for text in facts["refused_files"]]),
    ]
    files = facts["captures"] or facts["exports"]["files"] or facts["refused_files"]
    if not files and not facts["ledgers"]["files"]:
        lines.append(
            "landing/cems、landing/ledgers 中没有文件 there are no files below landing/cems and landing/ledgers; "
            "台账模板 template: kiln ledger-template"
        )
    lines += _in_words_of_quarantine(facts)
    lines += _in_words_of_cells(facts)
    lines += _in_words_of_findings(facts)
    if facts["month"]:
        lines += _in_words_of_month(facts)
    lines += in_words_of_carbon(facts["carbon"])
    lines += in_words_of_held(facts["held"])
    lines += in_words_of_moved(facts["moved"])
    if facts["release"]:
        lines.append(f"发布 release {facts['release']}: {facts['release_path']}")
    return lines


def _in_words_of_quarantine(facts: dict[str, Any]) -> list[str]:
    """Why frames were refused, the most frequent reasons first, and where their bytes lie."""
    if not facts["quarantine"]:
        return []
    lines = []
    for row in facts["quarantine"][:5]:
        zh, en = QUARANTINE_REASONS[row["reason"]]
        mn = f" MN {row['mn']}" if row["mn"] else ""
        lines.append(f"  {row['frames']:,} {row['reason']}{mn}: {zh} {en}, 如 e.g. {row['path']}")
    more = len(facts["quarantine"]) - len(lines)
    tail = f"; 另有 and {more} more kinds (--json)" if more > 0 else ""
    return [*lines, f"  逐帧原文见 every frame: {facts['quarantine_path']}/*.parquet{tail}"]


def _in_words_of_cells(facts: dict[str, Any]) -> list[str]:
    """Single cells that were refused or are below detection: how many, one of them, and what to do."""
    lines = []
    for row in facts["cells"]:
        zh, en = (
            ("未检出, 按缺失处理", "below detection, counted as missing")
            if row["reason"] == BELOW
            else QUARANTINE_REASONS[row["reason"]]
        )
        where = (
            f"{row['path']} 第 {row['line']} 行 line, 列 column {row['column']!r}: {row['text']!r}"
            if row["line"]
            else row["path"]
        )
        remedy = f"; {CELL_REMEDY}" if row["reason"] == BAD and row["line"] else ""
        lines.append(f"  {row['cells']:,} 个单元格 cells {row['reason']}: {zh} {en}, 如 e.g. {where}{remedy}")
    return lines


def _in_words_of_findings(facts: dict[str, Any]) -> list[str]:
    """What was declared, and what is wrong with it or with a ledger."""
    lines = []
    declared, findings = facts["declarations"], facts["findings"]
    if declared["files"]:
        lines.append(
            f"申报 declarations: {declared['files']} 个文件 files, {declared['stretches']} 段工况 stretches of states, "
            f"{declared['marks']} 个设备标记 marks"
        )
    if ledgers := facts["ledgers"]["files"]:
        months = facts["ledgers"]["months"]
        span = f", {months[0]} – {months[-1]}" if months else ""
        lines.append(
            f"台账 ledgers: {ledgers} 个文件 files, {facts['ledgers']['rows']:,} 行 rows, {len(months)} 个月 months{span}"
        )
    if findings["counts"]:
        counted = ", ".join(f"{k} {n}" for k, n in findings["counts"].items())
        lines.append(f"审查发现 findings (findings): {counted}")
    # A file that was refused is told further up, with its reason.
    listed = [f for f in findings["listed"] if not f["check_id"].endswith("_file_refused")]
    lines += [f"  {told(f)}" for f in listed[:5]]
    more = len(listed) - 5
    return [*lines, f"  … 另有 and {more} more: kiln findings"] if more > 0 else lines


def _in_words_of_month(facts: dict[str, Any]) -> list[str]:
    counts = Counter(v["verdict"] for v in facts["verdicts"])
    told = ", ".join(f"{k} {n}" for k, n in sorted(counts.items()))
    none = "无 none (当时没有生效的超低排放限值 no ultra-low limit was in force)"
    failing = [
        f"  {v['outlet_id']} {v['pollutant']}: FAIL, 达标率 share {v['share_pct']:.2f} %, "
        f"超标 failing {v['fail_hours']} h (允许 allowed {v['allowed_fail_hours']} h)"
        # The worst first: a long list is cut short.
        for v in sorted(facts["verdicts"], key=lambda v: (v["share_pct"] or 0.0, v["outlet_id"], v["pollutant"]))
        if v["verdict"] == "FAIL"
    ]
    return [
        f"小时数据 hours of {facts['days']} 天 days; {facts['month']} 超低排放判定 ULE verdicts: {told or none}",
        *in_words_of_reach(facts["reach"]),
        *some(failing),
        *_in_words_of_signals(facts["signals"]),
    ]


def _in_words_of_signals(signals: dict[str, Any]) -> list[str]:
    if not signals["counts"]:
        return []
    told = ", ".join(f"{k} {n}" for k, n in signals["counts"].items())
    serious = [
        f"  {s['signal_id']} {s['outlet_id']} {s['pollutant']}: {s['text_zh']} / {s['text_en']}"
        for s in signals["serious"]
    ]
    return [f"信号 signals (cems_signals): {told}", *serious[:5]]
