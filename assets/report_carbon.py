"""The carbon part of the report: lines of the year, months by source, methods and years side by side, allowances, what moved.

Belongs here: what these sections show. Does not belong here: reading (`report_carbon_facts`), shapes (`report_carbon_svg`), markup
(`report_html`), and any verdict on a plant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from assets.report_carbon_svg import Step, colour, length, months, waterfall
from assets.report_html import Html, both, joined, number, section, table, tag
from assets.report_svg import swatch_of
from contracts import meanings as m

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.report import Facts
    from assets.report_carbon_facts import CarbonFacts

#: Lines that are drawn, plants and steps that are listed; the tables of the release have all.
MOST = 12
STATUS = {"filing": ("可填报", "fit for filing"), "draft": ("试算", "draft"), "missing": ("缺数", "no number")}
_PILL = {"filing": "PASS", "draft": "INSUFFICIENT", "missing": "FAIL"}
SOURCES = {
    "anthracite": "无烟煤", "bituminous": "烟煤", "lignite": "褐煤", "petcoke": "石油焦", "diesel": "柴油", "natural_gas": "天然气",
    "clinker": "熟料过程", "carbide_slag": "电石渣扣减", "steel_slag": "钢渣扣减", "rawmeal": "生料碳",
}  # fmt: skip


def carbon(facts: Facts) -> Iterator[Html]:
    """Every section on carbon; none where the release has none."""
    c = facts.carbon
    if c is None:
        return
    yield section(f"碳排放 {c.year}", f"carbon {c.year}: lines by {c.method}", *_lines(facts, c))
    yield section("逐月来源", "months by source, tCO2", *_months(facts, c))
    yield section("方法与年度并列", "methods and years side by side: never added to each other", _methods(c))
    if c.entities.height:
        yield section("企业总量与电力口径", "plants, by basis of electricity", *_entities(facts, c))
    if c.allowances.height:
        yield section("配额盈缺", "allowances and obligation, tCO2", *_allowances(c))
    if c.moved.height:
        yield section("重述", "totals of lines and plants that this release restated, tCO2", *_moved(facts, c))


def status(name: str) -> Html:
    """A status as a label."""
    zh, en = STATUS[name]
    return tag("span", f"{zh} {name}", class_=f"pill {_PILL[name]}", title=en)


def _lines(facts: Facts, c: CarbonFacts) -> Iterator[Html]:
    zh, en = c.titles[c.method]
    yield tag("p", both(zh, en), " ", tag("code", c.method), "；", both("全年加权", "annual_weighted"), class_="soft")
    widths = {
        (r["plant_id"], r["line_id"]): r
        for r in c.uncertainty.filter(year=c.year, method_id=c.method).iter_rows(named=True)
    }
    rows = []
    for r in c.own.head(MOST * 4).iter_rows(named=True):
        width = widths.get((r["plant_id"], r["line_id"]), {})
        span = (
            f"{number(width['low_tco2'], 0)} – {number(width['high_tco2'], 0)}"
            if width.get("low_tco2") is not None else "–"
        )  # fmt: skip
        rows.append([
            joined((tag("b", r["line_id"], class_="whole"), tag("div", facts.plant(r["plant_id"]), class_="soft"))),
            joined((status(r["status"]), *_why(r))),
            number(r["total_tco2"]), span, number(r["fossil_tco2"]), number(r["process_tco2"]), number(r["clinker_t"]),
            number(r["intensity_tco2_t"], 4), number(r["heat_gj_t"], 3),
        ])  # fmt: skip
    head = (
        both("生产线", "line"), both("状态", "status"), both("合计", "total tCO2"), both("95 % 区间", "interval tCO2"),
        both("燃料", "fuels tCO2"), both("过程", "process tCO2"), both("熟料", "clinker t"), both("强度", "tCO2/t"),
        both("热耗", "heat GJ/t"),
    )  # fmt: skip
    yield table(head, rows, numeric=(2, 3, 4, 5, 6, 7, 8))


def _why(row: dict[str, Any]) -> Iterator[Html]:
    """Why a year is no filing: months so far, what is missing, which drafts it rests on."""
    if row["missing"]:
        yield tag("div", both("缺", "missing"), " ", tag("code", row["missing"]), class_="soft")
    if row["months"] < 12:
        yield tag("div", both(f"至今 {row['months']} 个月", f"{row['months']} months so far"), class_="soft")
    if row["drafts"]:
        yield tag("div", both("未核实", "drafts"), " ", tag("code", row["drafts"].replace("|", " ")), class_="soft")


def _months(facts: Facts, c: CarbonFacts) -> Iterator[Html]:
    names = c.names
    named = ((swatch_of(colour(i)), both(SOURCES.get(n, ""), n)) for i, n in enumerate(names))
    lacking = tag("li", swatch_of("#f3d6d6"), both("缺数", "no number"))
    yield tag("ul", *(tag("li", *pair) for pair in named), lacking, class_="legend")
    lines = list(c.own.select("plant_id", "line_id").iter_rows())
    for plant, line in lines[:MOST]:
        yield tag("h3", line, " ", tag("span", facts.plant(plant), class_="soft"))
        yield months(c.months(plant, line), names)
    yield from _more(len(lines), "carbon_line_month")


def _methods(c: CarbonFacts) -> Html:
    """Lines down by method; the year, the year before, and how they differ."""
    order = {name: i for i, name in enumerate([c.method, *sorted(set(c.titles) - {c.method})])}
    most = float(c.years.select(pl.col("total_tco2").max()).item() or 0.0)
    found = {(r["plant_id"], r["line_id"], r["method_id"], r["year"]): r for r in c.years.iter_rows(named=True)}
    before = min(c.years["year"].to_list())
    rows = []
    for plant, line in list(c.own.select("plant_id", "line_id").iter_rows())[:MOST]:
        for method in sorted({i for p, n, i, _ in found if (p, n) == (plant, line)}, key=order.__getitem__):
            now, then = (found.get((plant, line, method, y)) for y in (c.year, before))
            if now is None:
                continue
            value, old = now["total_tco2"], then["total_tco2"] if then and before != c.year else None
            # A year that is not over is not held against a whole one.
            whole = now["complete"] and value is not None and old
            rows.append([
                tag("b", line, class_="whole") if method == c.method else "", joined((tag("code", method), tag("div", c.titles[method][0], class_="soft"))),
                joined((status(now["status"]), tag("div", now["missing"] or "", class_="soft"))), number(old), number(value), number(100 * (value - old) / old, 2, " %") if whole else "–",
                length(value, most, "ok" if now["status"] == "filing" else "fail"),
            ])  # fmt: skip
    head = (
        both("生产线", "line"), both("方法", "method"), both("状态", "status"), both(before, "tCO2") if before != c.year else "",
        both(c.year, "tCO2"), both("变化", "change"), both("生产线合计", "total of the line"),
    )  # fmt: skip
    return table(head, rows, numeric=(3, 4, 5))


def _entities(facts: Facts, c: CarbonFacts) -> Iterator[Html]:
    found = c.entities.filter(year=c.year, method_id=c.method).sort("plant_id", "electricity_basis")
    rows = [
        [
            facts.plant(r["plant_id"]), both(*m.ELECTRICITY_BASIS[r["electricity_basis"]]), status(r["status"]), number(r["direct_tco2"]),
            number(r["electricity_mwh"], 3), number(r["electricity_tco2"]), number(r["heat_tco2"]), number(r["total_tco2"]),
        ]
        for r in found.head(MOST * 4).iter_rows(named=True)
    ]  # fmt: skip
    head = (
        both("企业", "plant"), both("电力口径", "basis"), both("状态", "status"), both("直接", "direct tCO2"), both("电量", "MWh"),
        both("电力", "electricity tCO2"), both("热力", "heat tCO2"), both("合计", "total tCO2"),
    )  # fmt: skip
    yield table(head, rows, numeric=(3, 4, 5, 6, 7))
    lacking = found.filter(pl.col("missing").is_not_null())["missing"].unique().sort().to_list()
    if lacking:
        yield tag("p", both("所缺", "missing"), ": ", tag("code", "; ".join(lacking[:MOST])), class_="soft")


def _allowances(c: CarbonFacts) -> Iterator[Html]:
    most = max(c.allowances.select(pl.max_horizontal("allowance_t", "obligation_t").max()).item() or 0.0, 1.0)
    rows = []
    for r in c.allowances.sort("year", "line_id", descending=[True, False]).head(MOST * 2).iter_rows(named=True):
        bars = joined((length(r["obligation_t"], most, "over"), length(r["allowance_t"], most, "ok")))
        note = (tag("div", r[n], class_=c) for n, c in (("note_zh", "soft"), ("note_en", "en")) if r[n])
        short = r["position_t"] is not None and r["position_t"] < 0
        position = "–" if r["position_t"] is None else f"{r['position_t']:+,.0f}"
        rows.append([
            r["year"], tag("span", r["line_id"], class_="whole"), joined((status(r["status"]), *note)), number(r["obligation_t"], 0), number(r["allowance_t"], 0),
            tag("b", position, class_="short") if short else position, number(r["balance_value_tco2_t"], 4), bars,
        ])  # fmt: skip
    head = (
        both("年度", "year"), both("生产线", "line"), both("状态", "status"), both("应清缴", "obligation"), both("核定配额", "allowance"),
        both("盈缺", "position"), both("平衡值", "balance value tCO2/t"), both("红应清缴 绿配额", "red owed, green allowed"),
    )  # fmt: skip
    yield table(head, rows, numeric=(3, 4, 5, 6))


def _moved(facts: Facts, c: CarbonFacts) -> Iterator[Html]:
    """From the sum before to the sum now, by the totals that moved most; one drawing for lines and one for plants of each basis."""
    keys = pl.col("key").str.extract_groups(
        r"(?:line_id|plant_id)=(?<who>[^;]*);year=(?<year>[^;]*);.*?(?:electricity_basis=(?<basis>.*))?$"
    )
    rows = (
        c.moved.with_columns(keys.alias("parts"))
        .unnest("parts")
        .with_columns(pl.col("old", "new").cast(pl.Float64, strict=False))
    )
    rows = rows.filter(pl.col("delta").is_not_null()).with_columns(pl.col("basis").fill_null(""))
    for (dataset, basis), some in sorted(
        rows.group_by("dataset", "basis"), key=lambda item: (item[0][0] != "carbon_line_year", str(item[0]))
    ):
        title = (
            ("生产线", "lines")
            if dataset == "carbon_line_year"
            else m.ELECTRICITY_BASIS.get(str(basis), ("企业", "plants"))
        )
        reasons = sorted(
            {
                f"{m.REASON_KIND[k][0]} {k}: {ref[:120]}"
                for k, ref in some.select("reason_kind", "reason_ref").iter_rows()
            }
        )
        yield tag("h3", both(*title), " ", tag("span", "; ".join(reasons[:3]), class_="soft"))
        yield waterfall(
            list(_steps(facts, some.sort(pl.col("delta").abs(), "who", "year", descending=[True, False, False])))
        )
        yield from _more(some.height, "restatements")
    yield tag("p", both("横轴不从零开始。", "The axis does not begin at zero."), class_="soft")
    if c.moved["provisional"].any():
        yield tag(
            "p",
            both("含尚未结束年度的暂定值。", "Running figures of a year that has not ended are among them."),
            class_="soft",
        )


def _steps(facts: Facts, rows: pl.DataFrame) -> Iterator[Step]:
    at = float(rows["old"].sum())
    yield Step("原 before", 0.0, at, "stand")
    for r in rows.head(MOST).iter_rows(named=True):
        name = facts.names.get(r["who"], r["who"])
        yield Step(f"{name} {r['year']}", at, at + r["delta"], "over" if r["delta"] > 0 else "ok")
        at += r["delta"]
    rest = float(rows["new"].sum()) - at
    if abs(rest) > 0.005:
        yield Step(f"其余 {rows.height - MOST} 项 others", at, at + rest, "over" if rest > 0 else "ok")
    yield Step("现 now", 0.0, float(rows["new"].sum()), "stand")


def _more(rows: int, where: str) -> Iterator[Html]:
    if rows > MOST:
        told = both(f"另有 {rows - MOST} 项，见", f"and {rows - MOST} more in")
        yield tag("p", told, " ", tag("code", where), class_="soft")
