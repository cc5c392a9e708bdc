"""Contracts of what is drawn from judged hours: the mandatory standard by month, plants and lines, episodes, years.

Belongs here: columns of mandatory_monthly, ule_plants, ule_episodes, ule_annual. Does not belong here: judged hours and monthly
verdicts themselves (`ule`).
"""

from __future__ import annotations

import pyarrow as pa

from contracts import meanings as m
from contracts.cems import LINE, OUTLET, PLANT, POINT_TYPE, POLLUTANT
from contracts.core import LABEL, TIME, Column, Table
from contracts.ule import MONTH, ULE_MONTHLY, VERDICTS

#: How pollutants are taken together, and what an episode fails against.
COMBINE = ("per_pollutant", "joint")
EPISODE_KINDS = ("ule", "mandatory")


def _hours(name: str, zh: str, en: str) -> Column:
    return Column(name, pa.int32(), zh, en, "h", nullable=False, low=0)


def _count(name: str, zh: str, en: str) -> Column:
    return Column(name, pa.int32(), zh, en, nullable=False, low=0)


MANDATORY_MONTHLY = Table(
    "mandatory_monthly", "judgement", "month", ("outlet_id", "pollutant", "month"),
    "强制标准月度判定", "every hour of a month against the mandatory standard or permit, of each pollutant that has such a limit",
    (
        OUTLET, PLANT, LINE, POINT_TYPE, POLLUTANT, MONTH,
        _hours("production_hours", "生产小时：截至数据末尾、有强制标准限值之日的生产小时", "hours of the month (so far) in production on days under the mandatory limit"),
        _hours("exempt_hours", "豁免小时：启停炉限时内, 不判定", "hours of these within the cap of a start or stop: not tested"),
        _hours("judged_hours", "判定小时：其余生产小时中有有效值的", "other production hours with a valid value: tested"),
        _hours("fail_hours", "超标小时：超过强制标准或许可证的判定小时", "tested hours above the limit"),
        Column("worst_mg_m3", pa.float64(), "最差小时浓度：相对限值最高的判定小时", "value of the tested hour that is highest in proportion to its limit", "mg/m3"),
        Column("worst_hour", TIME, "最差小时：起点", "start of that hour"),
        Column("limit_mg_m3", pa.float64(), "强制标准限值：最差小时当日的, 没有判定小时则为最后一日的", "limit on the day of that hour; without a tested hour that of the last day", "mg/m3", nullable=False),
        Column("rule_id", LABEL, "规则编号：该限值出自 规则包/行, 或许可证", "rule pack and row of that limit, or permit", nullable=False),
        Column("verdict", LABEL, "结论：一小时超标即 FAIL; 判定小时占应判小时的比例低于 judgement.insufficient_below_capture_pct 则 INSUFFICIENT", "one failing hour is FAIL; INSUFFICIENT where too few of the hours to test have a value (judgement.insufficient_below_capture_pct)", nullable=False, values=VERDICTS, meanings=m.of(m.MANDATORY_VERDICT, VERDICTS)),
    ),
    published=True,
)  # fmt: skip

ULE_PLANTS = Table(
    "ule_plants", "judgement", "month", ("scope", "scope_id", "month", "policy", "combine"),
    "全厂与生产线判定", "verdict of a plant or line: all its judged outlets must pass",
    (
        Column("scope", LABEL, "范围", "plant or line", nullable=False, values=("plant", "line")),
        Column("scope_id", LABEL, "范围编号：企业编号或生产线编号", "plant id or line id", nullable=False),
        PLANT, MONTH, ULE_MONTHLY["policy"],
        Column("combine", LABEL, "污染物合并方式", "how pollutants are taken together", nullable=False, values=COMBINE, meanings=m.of(m.COMBINE, COMBINE)),
        _count("outlets", "判定排放口数：当月有结论的排放口", "outlets with a verdict in the month"),
        _count("pass_outlets", "达标排放口数：各项均 PASS, 停产项除外", "outlets all of whose verdicts are PASS, those without production left out"),
        _count("fail_outlets", "未达标排放口数：任一项 FAIL", "outlets with a FAIL"),
        _count("insufficient_outlets", "数据不足排放口数：无 FAIL 而任一项 INSUFFICIENT", "outlets with an INSUFFICIENT and no FAIL"),
        _count("no_production_outlets", "停产排放口数：各项均 NO_PRODUCTION", "outlets without production"),
        Column("verdict", LABEL, "结论：任一排放口 FAIL 即 FAIL, 否则任一 INSUFFICIENT 即 INSUFFICIENT, 全部停产为 NO_PRODUCTION, 其余 PASS", "FAIL where an outlet fails, else INSUFFICIENT where one is, NO_PRODUCTION where all are, else PASS", nullable=False, values=VERDICTS, meanings=m.of(m.SCOPE_VERDICT, VERDICTS)),
    ),
    published=True,
)  # fmt: skip

ULE_EPISODES = Table(
    "ule_episodes", "judgement", "month", ("outlet_id", "pollutant", "kind", "start"),
    "超标时段", "unbroken runs of failing hours; an hour within the limit, without a valid value or not tested ends one",
    (
        OUTLET, PLANT, LINE, POINT_TYPE, POLLUTANT,
        Column("kind", LABEL, "类别", "what the hours fail against", nullable=False, values=EPISODE_KINDS, meanings=m.of(m.EPISODE_KIND, EPISODE_KINDS)),
        Column("start", TIME, "起点：首个超标小时的起点, 不早于月初", "start of its first hour, not before the month", nullable=False),
        Column("end", TIME, "终点：末个超标小时的终点, 不含", "end of its last hour, exclusive", nullable=False),
        Column("hours", pa.int32(), "超标小时", "failing hours", "h", nullable=False, low=1, high=744),
        Column("peak_mg_m3", pa.float64(), "峰值：最高的判定浓度", "greatest judged value", "mg/m3", nullable=False),
        Column("peak_hour", TIME, "峰值小时：起点", "start of the (first) hour with it", nullable=False),
        Column("mean_mg_m3", pa.float64(), "均值", "mean of its hours", "mg/m3", nullable=False),
        Column("limit_mg_m3", pa.float64(), "限值：起点当日的", "limit on the day it starts", "mg/m3", nullable=False),
        Column("rule_id", LABEL, "规则编号", "rule pack and row of that limit, or permit", nullable=False),
        Column("tagged_hours", pa.int32(), "启停炉小时：其中申报为非正常运行的小时", "hours of it with a declared state other than running", "h", nullable=False, low=0, high=744),
        Column("continues_before", pa.bool_(), "承接上月：上月最后一小时也超标", "the last hour of the month before fails too: one episode with that", nullable=False),
        Column("continues_after", pa.bool_(), "可能延续：数据末尾或月末仍超标; 下月承接与否见下月的 continues_before", "still failing in the last hour of the month or of the data: whether it goes on is told by continues_before of the next month", nullable=False),
    ),
    published=True,
)  # fmt: skip

ULE_ANNUAL = Table(
    "ule_annual", "judgement", "year", ("outlet_id", "pollutant", "year"),
    "年度达标汇总", "a year of monthly verdicts (headline policy), its worst window and its longest failing episode; a summary, not a verdict",
    (
        OUTLET, PLANT, LINE, POINT_TYPE, ULE_MONTHLY["pollutant"],
        Column("year", pa.string(), "年份：YYYY, 北京时间", "local calendar year YYYY", nullable=False),
        _count("months", "月数：有结论的月份", "months with a verdict"),
        _count("pass_months", "达标月数", "months PASS"),
        _count("fail_months", "未达标月数", "months FAIL"),
        _count("insufficient_months", "数据不足月数", "months INSUFFICIENT"),
        _count("no_production_months", "停产月数", "months NO_PRODUCTION"),
        _hours("production_hours", "生产小时", "production hours of the year (so far)"),
        _hours("judged_hours", "判定小时", "judged hours"),
        _hours("ok_hours", "达标小时", "hours of these within the limit"),
        Column("share_pct", pa.float64(), "全年达标率：达标小时 / 判定小时", "ok_hours / judged_hours", "%", low=0, high=100),
        _hours("mandatory_fail_hours", "强制标准超标小时", "judged hours above the mandatory standard or permit"),
        Column("worst_720h_share_pct", pa.float64(), "最差720小时达标率：在本年结束的满 720 判定小时窗口中最低的; 合并判定没有此窗口", "least share of a full window of 720 judged hours that ends in the year; null for joint rows", "%", low=0, high=100),
        Column("worst_720h_until", TIME, "最差窗口止于：该窗口最后一个小时 (起点)", "last hour of that window (the first such)"),
        Column("longest_episode_hours", pa.int32(), "最长超标时段：连续超过超低排放限值的小时, 跨月连计, 限于本年", "longest unbroken run of hours above the ultra-low limit, across months, within the year; null without one and for joint rows", "h", low=1, high=8784),
        Column("longest_episode_start", TIME, "最长时段起点", "start of the (first) longest run"),
        Column("longest_episode_end", TIME, "最长时段终点：不含", "end of it, exclusive"),
    ),
    published=True,
)  # fmt: skip
