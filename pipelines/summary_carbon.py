"""What stands of carbon: the newest years by the method of the trading system, allowances, and what moved since the release before.

Belongs here: these facts of the summary and their words. Does not belong here: the rest of the summary (`pipelines/summary.py`) and
any figure that is not in a table already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from assets.findings_told import against
from assets.report_carbon_facts import AGGREGATION, first_method
from assets.sealing import sealed_waiting
from contracts import TABLES
from contracts import meanings as m
from contracts.trust import NAMES, PLACES
from pipelines.cli_findings import rows_of
from resources.releases import latest, read_manifest

if TYPE_CHECKING:
    from resources.home import Home

#: Years that are told, lines without a number that are named, and values that moved that are shown.
YEARS, NAMED, SHOWN = 2, 5, 3
#: Signs of a reason that are shown: it may name every file of a year.
_REF = 160
_STATUS = {"filing": "可填报 fit for filing", "draft": "试算 draft", "missing": "缺数 without a number"}
_MOVED = ("dataset", "key", "column", "old", "new", "delta", "provisional", "reason_kind", "reason_ref")


def carbon(home: Home) -> list[dict[str, Any]]:
    """The newest years, oldest first: lines, totals, allowances and who has no number for want of what; [] without carbon."""
    keys = [
        k
        for k in home.lake.keys("carbon_line_year")
        if (part := home.lake.partition("carbon_line_year", k)) and part.rows
    ]
    return [_year(home, y) for y in keys[-YEARS:]]


def held(home: Home) -> dict[str, int]:
    """Rows of filed years that would be others today, by partition; they stand until somebody says otherwise."""
    found: dict[str, int] = {}
    for keys in sealed_waiting(home).values():
        for key, tables in keys.items():
            found[key] = found.get(key, 0) + sum(tables.values())
    return dict(sorted(found.items()))


def in_words_of_held(keys: dict[str, int]) -> list[str]:
    """One line, or none."""
    if not keys:
        return []
    shown = list(keys)[:NAMED] + (["…"] if len(keys) > NAMED else [])
    rows = f"{sum(keys.values())} 行 rows of {', '.join(shown)}"
    remedy = "kiln plan 说明 tells how, kiln backfill --sealed 重述 restates them"
    return [f"已报送年份保持原值 filed years stand as they were: {rows} 如今会不同 would be others today; {remedy}"]


def _year(home: Home, year: str) -> dict[str, Any]:
    every = _frame(home, "carbon_line_year", year).filter(aggregation=AGGREGATION)
    method = first_method(home, year, every["method_id"].unique().to_list())
    rows = every.filter(method_id=method).sort("line_id", "plant_id")
    there = rows.filter(pl.col("total_tco2").is_not_null())
    clinker = float(there["clinker_t"].sum())
    total = round(float(there["total_tco2"].sum()), 2)
    allowances = _frame(home, "allocation_year", year)
    serious = [r for r in rows_of(home) if r["severity"] == "serious"]
    fit = rows.filter(status="filing").select("plant_id", "line_id").rows()
    look = {line: n for plant, line in fit if (n := [r["finding_id"] for r in against(serious, year, plant, line)])}
    return {
        "year": year,
        "method_id": method,
        "lines": rows.height,
        "lines_with_number": there.height,
        "total_tco2": total if there.height else None,
        "clinker_t": round(clinker, 2) if there.height else None,
        "intensity_tco2_t": round(total / clinker, 4) if there.height and clinker else None,
        "status": dict(sorted(rows.group_by("status").len().iter_rows())),
        "look_first": {"lines": list(look), "findings": len({i for ids in look.values() for i in ids})},
        "months": rows["months"].max(),
        "missing": _missing(home, year, method, rows.filter(pl.col("total_tco2").is_null())),
        "plants_missing": _plants_missing(home, year, method, rows.filter(pl.col("total_tco2").is_null())),
        "allowances": _allowances(allowances) if allowances.height else None,
    }


def _missing(home: Home, year: str, method: str, lines: pl.DataFrame) -> list[dict[str, Any]]:
    """Lines without a number: what is missing of each, and in which months."""
    months = _months_missing(home, year, method, "plant_id", "line_id") if lines.height else {}
    return [
        {"plant_id": plant, "line_id": line, "missing": what, "months": months.get((plant, line), [])}
        for plant, line, what in lines.select("plant_id", "line_id", "missing").iter_rows()
    ]


def _plants_missing(home: Home, year: str, method: str, lines: pl.DataFrame) -> list[dict[str, Any]]:
    """Plants without a total though their lines have one: which bases of electricity, what is missing, and in which months."""
    rows = _frame(home, "carbon_entity_year", year).filter(
        pl.col("missing").is_not_null(),
        ~pl.col("plant_id").is_in(lines["plant_id"].to_list()),
        method_id=method,
        aggregation=AGGREGATION,
    )
    months = _months_missing(home, year, method, "plant_id") if rows.height else {}
    found = rows.group_by("plant_id", "missing").agg(pl.col("electricity_basis").sort()).sort("plant_id", "missing")
    return [
        {"plant_id": plant, "missing": what, "bases": bases, "months": months.get((plant,), [])}
        for plant, what, bases in found.iter_rows()
    ]


def _months_missing(home: Home, year: str, method: str, *owner: str) -> dict[tuple[str, ...], list[str]]:
    """Months in which a source of a line, or of a plant as a whole, has no number."""
    months: dict[tuple[str, ...], list[str]] = {}
    level = "line" if "line_id" in owner else "entity"
    for key in (k for k in home.lake.keys("carbon_line_month") if k.startswith(year)):
        rows = _frame(home, "carbon_line_month", key, [*owner, "method_id", "kind", "level", "missing"])
        lacking = rows.filter(pl.col("missing").is_not_null(), method_id=method, kind="source", level=level)
        for name in lacking.select(owner).unique().iter_rows():
            months.setdefault(name, []).append(key)
    return months


def _allowances(rows: pl.DataFrame) -> dict[str, Any]:
    given = rows.filter(pl.col("allowance_t").is_not_null())
    sums = given.select(pl.col("allowance_t", "obligation_t", "position_t").sum()).row(0, named=True)
    lacking = rows.filter(pl.col("allowance_t").is_null()).group_by("no_number").len()
    return {"lines": given.height, **sums, "without": dict(sorted(lacking.iter_rows(), key=str))}


def _frame(home: Home, table: str, key: str, columns: list[str] | None = None) -> pl.DataFrame:
    found = home.lake.read(table, key, columns)
    return _plain(pl.DataFrame(pl.from_arrow(TABLES[table].empty() if found is None else found)))


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


def moved(home: Home) -> dict[str, Any] | None:
    """Published values that the latest release moved, by kind of reason and table; the largest of sums first. None without a release before."""
    release = latest(home.published)
    if release is None:
        return None
    manifest = read_manifest(home.published, release.release_id)
    if manifest.previous is None:
        return None
    base, store = f"releases/{release.release_id}", home.published
    urls = [
        store.url(f"{base}/{f.path}")
        for f in manifest.files
        if f.table == "restatements" and f.key == release.release_id
    ]
    empty = _plain(pl.DataFrame(pl.from_arrow(TABLES["restatements"].empty()))).select(_MOVED)
    read = (pl.read_parquet(u, columns=list(_MOVED), storage_options=store.scan_options or None) for u in sorted(urls))
    every = pl.concat([empty, *map(_plain, read)], how="vertical_relaxed")
    final = every.filter(~pl.col("provisional"))
    column = pl.col("column")
    figures = (~column.is_in([*NAMES, *PLACES])).sum().alias("figures")
    return {
        "since": manifest.previous.release_id,
        "values": final.height,
        "names": final.filter(column.is_in(NAMES)).height,
        "places": final.filter(column.is_in(PLACES)).height,
        "provisional": every.height - final.height,
        "by": [
            {"reason_kind": kind, "reason_ref": ref, "dataset": table, "values": n, "figures": of}
            for kind, ref, table, n, of in final.group_by("reason_kind", "reason_ref", "dataset").agg(pl.len(), figures)
            .sort("figures", "len", "reason_kind", "dataset", "reason_ref", descending=[True, True, False, False, False]).iter_rows()
        ],
        "largest": _largest(home, every),
    }  # fmt: skip


def _largest(home: Home, every: pl.DataFrame) -> list[dict[str, Any]]:
    """Yearly totals that moved most, those of the method that is filed first: what the other values are on the way to."""
    sums = every.filter(pl.col("dataset").is_in(["carbon_line_year", "carbon_entity_year"]), column="total_tco2")
    sums = sums.filter(pl.col("key").str.contains(f"aggregation={AGGREGATION}", literal=True))
    of = pl.col("key").str.extract_groups(r"year=(?<year>\d{4});method_id=(?<method>[^;]*)")
    sums = sums.with_columns(of.alias("of")).unnest("of").drop_nulls(["year", "method"])
    there: dict[str, list[str]] = {}
    for year, method in sums.select("year", "method").unique().iter_rows():
        there.setdefault(year, []).append(method)
    filed = [f"{year};{first_method(home, year, methods)}" for year, methods in there.items()]
    other = ~pl.concat_str("year", "method", separator=";").is_in(filed)
    ordered = sums.sort(
        other, pl.col("delta").abs(), "dataset", "key", descending=[False, True, True, False], nulls_last=True
    )
    return ordered.head(SHOWN).select("dataset", "key", "old", "new", "delta", "provisional", "reason_kind").to_dicts()


def in_words_of_carbon(years: list[dict[str, Any]]) -> list[str]:
    """Totals of the years, who has none and why, and allowances."""
    lines = []
    for y in years:
        states = ", ".join(f"{_STATUS[k]} {n}{_look(y) if k == 'filing' else ''}" for k, n in y["status"].items())
        told = (
            f"{y['total_tco2']:,.2f} tCO2, 熟料 clinker {y['clinker_t']:,.2f} t, {y['intensity_tco2_t'] or '–'} tCO2/t"
            if y["total_tco2"] is not None else "无数值 no number"
        )  # fmt: skip
        some = f"{y['lines_with_number']}/{y['lines']} 条生产线 lines"
        until = "" if y["months"] == 12 else f", 至今 {y['months']} 个月 months so far"
        lines.append(f"碳排放 carbon {y['year']} ({y['method_id']}{until}): {some}: {told}; {states}")
        lines += _cut(
            [
                f"  {row['plant_id']} {row['line_id']}: 无数值, 缺 no number, missing {_what(row)}"
                for row in y["missing"]
            ]
        )
        lines += _cut(
            [
                f"  {row['plant_id']}: 企业总量无数值, 缺 no total of the plant ({', '.join(row['bases'])}), missing {_what(row)}"
                for row in y["plants_missing"]
            ]
        )
        lines += _in_words_of_allowances(y["allowances"])
    return lines


def _look(year: dict[str, Any]) -> str:
    """Lines that may not be filed before somebody has looked at what was found."""
    lines, n = year["look_first"]["lines"], year["look_first"]["findings"]
    if not lines:
        return ""
    named = ", ".join(lines[:NAMED]) + (" …" if len(lines) > NAMED else "")
    return f"，但有 {n} 处须先核对 but {n} to look at first ({named}; kiln findings)"


def _what(row: dict[str, Any]) -> str:
    """What is missing, the months, and where a factor is put."""
    months = row["months"]
    when = f" ({', '.join(months)})" if 0 < len(months) <= NAMED else f" ({months[0]} … {months[-1]})" if months else ""
    remedy = "; 因子写入 put factors into registry/factors*.csv" if "factor " in row["missing"] else ""
    return f"{row['missing']}{when}{remedy}"


def _cut(lines: list[str]) -> list[str]:
    more = len(lines) - NAMED
    return lines if more <= 0 else [*lines[:NAMED], f"  … 另有 and {more} more (--json)"]


def _in_words_of_allowances(facts: dict[str, Any] | None) -> list[str]:
    if facts is None:
        return []
    lines = []
    if facts["lines"]:
        lines.append(
            f"  配额 allowances: {facts['lines']} 条生产线 lines, 核定 allowance {facts['allowance_t']:,.0f}, "
            f"应清缴 obligation {facts['obligation_t']:,.0f}, 盈缺 position {facts['position_t']:+,.0f} tCO2"
        )
    for why, n in facts["without"].items():
        zh, en = m.ETS_NO_NUMBER.get(why, (why or "", ""))
        lines.append(f"  无配额 no allowance: {n} 条生产线 lines: {zh} / {en}")
    return lines


def in_words_of_moved(facts: dict[str, Any] | None) -> list[str]:
    """What moved since the release before, and because of what."""
    if not facts or not (facts["values"] or facts["provisional"]):
        return []
    names = f" 和 and {facts['names']:,} 个因子或方法名 names of factors or methods" if facts["names"] else ""
    places = f" 和 and {facts['places']:,} 个出处 places of rows" if facts["places"] else ""
    figures = facts["values"] - facts["names"] - facts["places"]
    told = f"{figures:,} 个已定数值 values{names}{places} (restatements), {facts['provisional']:,} 个暂定 provisional"
    lines = [f"与上一发布 {facts['since']} 相比 moved since it: {told}"]
    for row in [r for r in facts["by"] if r["figures"]][:NAMED]:
        zh, en = m.REASON_KIND[row["reason_kind"]]
        ref = row["reason_ref"]
        short = ref if len(ref) <= _REF else f"{ref[:_REF]} …"
        lines.append(f"  {row['figures']:,} {row['dataset']}: {zh} {en}: {short}")
    return lines + [_in_words_of_total(row) for row in facts["largest"]]


def _in_words_of_total(row: dict[str, Any]) -> str:
    who = " ".join(part.partition("=")[2] for part in row["key"].split(";"))
    by = "" if row["delta"] is None else f" ({row['delta']:+,.2f})"
    running = " 暂定 provisional" if row["provisional"] else ""
    return f"  {who}: {row['old']} -> {row['new']} tCO2{by}{running}"
