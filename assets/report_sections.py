"""The report from top to bottom, and its upper parts: verdicts, hours, capture.

Belongs here: what each of these parts shows and in which order. Does not belong here: the parts below (`report_grounds`), reading
(`report`), markup and shapes (`report_html`, `report_svg`), names of listed values (`report_words`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from assets import report_words as words
from assets.report_carbon import carbon
from assets.report_declared import declared, moved
from assets.report_grounds import arrived, basis, progress, refused, signals
from assets.report_html import Html, both, joined, number, section, table, tag
from assets.report_svg import axis, bar, strip, swatch
from contracts.ule_more import COMBINE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.report import Facts

JOINT = "joint"


def body(facts: Facts) -> Iterator[Html]:
    """Every part of the page."""
    yield _head(facts)
    if facts.headline.height:
        yield _tiles(facts)
        yield section("月度结论", "verdicts of the 95 % rule", _matrix(facts), _policies(facts), *_plants(facts))
    if facts.mandatory.height:
        yield section(
            "强制标准", "the mandatory standard or permit: every tested hour must hold it", *_mandatory(facts)
        )
    if facts.runs:
        yield section("逐小时", "hour by hour", _hour_legend(), *_outlets(facts))
    if facts.headline.height:
        yield section("有效率", "capture: valid hours of production hours", _captures(facts))
    yield from carbon(facts)
    yield section(
        "数据来源与隔离", "what came, and what was refused", *arrived(facts), *(refused(facts) if facts.runs else ())
    )
    if facts.signals.height:
        yield section("数据信号", "where somebody should look; a signal changes no data", signals(facts))
    yield section("申报与审查发现", "Declarations and findings", *declared(facts))
    yield section("与上一发布相比", "Since the release before", *moved(facts))
    if facts.progress.height:
        yield section("改造进展", "clinker capacity whose outlets all pass", progress(facts))
    yield section("依据", "what the figures rest on", *basis(facts))
    yield tag("footer", both("本页是计算结果，不是行政决定。", "A calculation, not a decision."))


def _head(facts: Facts) -> Html:
    told = facts.manifest.facts
    none = both("当月没有生效的超低排放限值。", "No ultra-low limit was in force in this month.")
    zh, en = ("超低排放月报", "ultra-low-emission report") if facts.runs else ("碳排放报告", "carbon report")
    return tag(
        "header",
        tag("h1", f"{zh} {facts.month} ", tag("span", en, class_="en")),
        tag("p", "发布 release ", tag("code", facts.manifest.release_id), f" · {told.created_at}"),
        *(tag("span", w, class_="warning") for w in sorted(facts.common_warnings)),
        None if facts.headline.height or not facts.runs else tag("p", none),
    )


def _tiles(facts: Facts) -> Html:
    single = facts.headline.filter(pl.col("pollutant") != JOINT)
    counts = dict(single.group_by("verdict").len().iter_rows())
    made = [_tile(counts.get(v, 0), *words.VERDICTS[v], v) for v in words.VERDICTS]
    production, valid = single.select(pl.col("production_hours", "valid_hours").sum()).row(0)
    made.append(_tile(number(100 * valid / production if production else None, 1, " %"), "有效率", "capture"))
    read = facts.arrivals.filter(pl.col("state") == "read")
    made.append(_tile(f"{read['frames_accepted'].sum():,}", "接收帧", "frames accepted, all captures"))
    made.append(_tile(f"{read['frames_quarantined'].sum():,}", "隔离帧", "frames quarantined"))
    return tag("div", *made, class_="tiles")


def _tile(value: object, zh: str, en: str, kind: str = "") -> Html:
    return tag("div", tag("b", value), both(zh, en), class_=f"tile {kind}".strip())


def _matrix(facts: Facts) -> Html:
    """Outlets down, pollutants across: verdict, share, failing and allowed hours, and the verdicts of all policies."""
    present = set(facts.headline["pollutant"].to_list())
    across = [p for p in words.POLLUTANTS if p in present]
    policies: dict[tuple[str, str], dict[str, str]] = {}
    for outlet, pollutant, policy, verdict in facts.verdicts.select(
        "outlet_id", "pollutant", "policy", "verdict"
    ).iter_rows():
        policies.setdefault((outlet, pollutant), {})[policy] = verdict
    cells = {(r["outlet_id"], r["pollutant"]): r for r in facts.headline.iter_rows(named=True)}
    rows = []
    for outlet in sorted({o for o, _ in cells}, key=lambda o: (facts.places[o][0], o)):
        who = joined((tag("b", outlet), tag("div", _where(facts, outlet), class_="soft")))
        rows.append(
            [
                who,
                *(_cell(facts, cells[outlet, p], policies[outlet, p]) if (outlet, p) in cells else "" for p in across),
            ]
        )
    return table([both("排放口", "outlet"), *(both(*words.POLLUTANTS[p]) for p in across)], rows)


def _where(facts: Facts, outlet: str) -> str:
    plant, point = facts.places[outlet]
    return f"{words.POINTS[point][0]} · {facts.plant(plant)}"


def _cell(facts: Facts, row: dict[str, Any], policies: dict[str, str]) -> Html:
    pill = _pill(row["verdict"])
    figures = f"{number(row['share_pct'], 2, ' %')} · {row['fail_hours']}/{row['allowed_fail_hours']} h"
    dots = [
        tag("span", class_=f"dot {policies[p.name]}", title=f"{p.title_zh} {p.title_en}: {policies[p.name]}")
        for p in facts.policies
        if p.name in policies
    ]
    return joined((pill, tag("div", figures), tag("div", *dots, class_="dots")))


def _policies(facts: Facts) -> Html:
    items = [
        tag("li", f"{n}. {p.title_zh} ", tag("span", p.title_en, class_="en")) for n, p in enumerate(facts.policies, 1)
    ]
    zh = "达标率 · 超标/允许小时；方块依次为各口径的结论，标签为从严主口径："
    en = "share · failing/allowed hours; the squares are the verdicts under each policy in this order, the label is the strict headline:"
    return joined((tag("p", both(zh, en), class_="soft"), tag("ul", *items, class_="legend")))


def _plants(facts: Facts) -> Iterator[Html]:
    """Whole plants: all outlets must pass, by pollutant and jointly."""
    if not facts.plants.height:
        return
    found = {(r["plant_id"], r["combine"]): r for r in facts.plants.iter_rows(named=True)}
    rows = []
    for plant in sorted({p for p, _ in found}):
        by, joint = (found[plant, way] for way in COMBINE)
        passing = f"{by['pass_outlets']} / {by['outlets']}"
        rows.append([facts.plant(plant), _pill(by["verdict"]), _pill(joint["verdict"]), passing])
    yield table(
        [both("全厂", "plant"), both("分污染物", "per pollutant"), both("合并", "joint"), both("达标/判定排放口", "outlets passing")],
        rows, numeric=(3,),
    )  # fmt: skip


def _pill(verdict: str) -> Html:
    zh, en = words.VERDICTS[verdict]
    return tag("span", f"{zh} {verdict}", class_=f"pill {verdict}", title=en)


def _mandatory(facts: Facts) -> Iterator[Html]:
    """Series above the mandatory standard; a sentence where there are none."""
    failing = facts.mandatory.filter(pl.col("fail_hours") > 0).sort("outlet_id", "pollutant")
    tested = facts.mandatory["judged_hours"].sum()
    zh = f"共判 {tested} 小时，豁免 {facts.mandatory['exempt_hours'].sum()} 小时；"
    en = f"{tested} hours tested, {facts.mandatory['exempt_hours'].sum()} exempt; "
    if not failing.height:
        yield tag("p", both(zh + "无超标。", en + "none above."))
        return
    yield tag("p", both(zh + "以下超标：", en + "above it:"))
    rows = [
        (
            r["outlet_id"], words.POLLUTANTS[r["pollutant"]][0], r["fail_hours"], r["judged_hours"],
            f"{r['worst_mg_m3']:.4g} / {r['limit_mg_m3']:g}", f"{r['worst_hour']:%d 日 %H:00}",
        )
        for r in failing.iter_rows(named=True)
    ]  # fmt: skip
    head = (
        both("排放口", "outlet"), both("污染物", "pollutant"), both("超标小时", "h above"), both("判定小时", "h tested"),
        both("最差/限值", "worst/limit mg/m³"), both("最差小时", "worst hour"),
    )  # fmt: skip
    yield table(head, rows, numeric=(2, 3, 4))


def _hour_legend() -> Html:
    kinds = [*words.HOURS.items(), ("ground", ("无有效值（仅强制标准）", "no valid value (mandatory standard alone)"))]
    return tag("ul", *(tag("li", swatch(k), both(zh, en)) for k, (zh, en) in kinds), class_="legend")


def _outlets(facts: Facts) -> Iterator[Html]:
    order = list(words.POLLUTANTS)
    for outlet in sorted({o for o, _ in facts.runs}, key=lambda o: (facts.places[o][0], o)):
        yield tag("h3", outlet, " ", tag("span", _where(facts, outlet), class_="soft"))
        yield tag("div", tag("span"), axis(facts.days), class_="strip")
        for pollutant in sorted((p for o, p in facts.runs if o == outlet), key=order.index):
            yield _strip(facts, outlet, pollutant)
        own = facts.warnings.get(outlet, set()) - facts.common_warnings
        yield from (tag("span", w, class_="warning") for w in sorted(own))


def _strip(facts: Facts, outlet: str, pollutant: str) -> Html:
    last = facts.last_hours[outlet, pollutant]
    limit, mandatory, left = last["limit_mg_m3"], last["mandatory_limit_mg_m3"], last["fail_budget_hours"]
    if limit is None:
        said = "–" if mandatory is None else f"强制 mandatory ≤ {mandatory:g} mg/m³"
    else:
        more = "" if left is None else f" · 余 {left} h left" if left >= 0 else f" · 超 {-left} h over"
        said = f"≤ {limit:g} mg/m³{more}"
    return tag(
        "div", tag("span", both(*words.POLLUTANTS[pollutant]), class_="what"),
        strip(facts.runs[outlet, pollutant], facts.days), tag("span", said, class_="soft"), class_="strip",
    )  # fmt: skip


def _captures(facts: Facts) -> Html:
    single = facts.headline.filter(pl.col("pollutant") != JOINT).sort("capture_pct", "outlet_id", "pollutant")
    rows = [
        (
            r["outlet_id"], words.POLLUTANTS[r["pollutant"]][0], f"{r['valid_hours']} / {r['production_hours']}",
            number(r["capture_pct"], 2, " %"), bar(r["capture_pct"], facts.floors), r["mandatory_fail_hours"] or "",
        )
        for r in single.iter_rows(named=True)
    ]  # fmt: skip
    marks = " / ".join(f"{f:g}" for f in facts.floors)
    head = (
        both("排放口", "outlet"), both("污染物", "pollutant"), both("有效/生产小时", "valid/production h"),
        both("有效率", "capture"), both(f"刻度 {marks} %", "marks"), both("超强制标准小时", "h above mandatory"),
    )  # fmt: skip
    return table(head, rows, numeric=(2, 3, 5))
