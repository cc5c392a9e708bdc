"""How far what stands reaches: exports beside captures, and the last day of the running month.

Belongs here: these facts of the summary and their words. Does not belong here: the rest of the summary (`pipelines/summary.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resources.home import Home
    from resources.intake import Arrival

#: Outlets that are named where more have nothing.
NAMED = 5


def exports(arrivals: Sequence[Arrival]) -> dict[str, Any]:
    """Exports that were read: files, lines with data, notes on what of them was not used, and one of these."""
    found = [(a.path, a.record) for a in arrivals if a.record and a.record.kind != "hj212"]
    notes = [f"{path}: {note}" for path, record in found for note in record.notes]
    return {
        "files": len(found),
        "lines": sum(r.lines_data for _, r in found),
        "notes": len(notes),
        "example": notes[0] if notes else None,
    }


def in_words_of_exports(facts: dict[str, Any]) -> list[str]:
    """Files and lines of exports, and what of them was not used."""
    if not facts["files"]:
        return []
    lines = [f"导出表 exports {facts['files']}: {facts['lines']:,} 行数据 lines with data"]
    if facts["notes"]:
        lines.append(
            f"  未用的列等 {facts['notes']} 条说明 notes on columns not used and the like (arrivals.notes), 如 e.g. {facts['example']}"
        )
    return lines


def reach(home: Home, month: str, outlets: Sequence[str]) -> dict[str, Any]:
    """The last day of the month that has any data, and which of `outlets` have no record on it."""
    days = [k for k in home.lake.keys("cems_hourly") if k.startswith(month)]
    if not days:
        return {"until": None, "silent": []}
    try:
        table = home.lake.read("cems_hourly", days[-1], ["outlet_id", "minutes"])
    except (pa.ArrowException, OSError) as error:
        # A damaged file is refused where it is used; what stands is told all the same.
        return {"until": days[-1], "silent": [], "unread": f"cems_hourly/{days[-1]}: {error}"}
    there: set[str] = set()
    if table is not None:
        frame = pl.DataFrame(pl.from_arrow(table)).filter(pl.col("minutes") > 0)
        there = set(frame["outlet_id"].cast(pl.String).unique())
    return {"until": days[-1], "silent": sorted(set(outlets) - there)}


def in_words_of_reach(facts: dict[str, Any]) -> list[str]:
    """Up to which day the month's verdicts go, and who has nothing on it."""
    if not facts["until"]:
        return []
    if facts.get("unread"):
        return [
            f"  本月判定截至 verdicts go up to {facts['until']}; 该日小时数据无法读取 its hours cannot be read: {facts['unread']}"
        ]
    silent = facts["silent"]
    more = f" … 共 {len(silent)} 个 in all (--json)" if len(silent) > NAMED else ""
    named = f"{', '.join(silent[:NAMED])}{more}" if silent else "无 none"
    zh = f"本月判定截至 {facts['until']}（最后有任何数据之日）；当日无数据的排放口：{named}"
    return [f"  {zh} / verdicts go up to that day, the last with any data; named are outlets with none on it"]
