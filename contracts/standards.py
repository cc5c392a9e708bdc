"""Contracts of verdicts under standards that are chosen: foreign ones, beside the Chinese verdicts and never in them.

Belongs here: columns of standards_daily and standards_monthly, and the units and averages that such standards know. Does not belong
here: the standards themselves (`reference/rules`), which are chosen (`resources/standards.py`), how a value comes about
(`kernels`).
"""

from __future__ import annotations

import pyarrow as pa

from contracts import meanings as m
from contracts.cems import LINE, OUTLET, PLANT, POINT_TYPE
from contracts.channels import POLLUTANTS
from contracts.core import LABEL, Column, Table
from contracts.ule import MONTH

#: Pollutants that foreign standards limit and no channel of HJ 212 carries.
UNMEASURED = ("toc", "thc", "organic_hap")
#: Units of limits: at dry standard state; parts per million by volume, dry; pounds per short ton (or million) of clinker.
UNITS = ("mg/m3", "ppmvd", "lb/ton", "lb/million ton")
#: What is compared with a limit: the mean of an hour, half an hour, a day, or the last 30 days in operation.
AVERAGING = ("hour", "half_hour", "day", "operating_days_30")
#: Unit of what a day contributes; pounds where the limit is a rate.
DAY_UNITS = ("mg/m3", "ppmvd", "lb")

REASONS = tuple(m.STANDARD_REASON)
VERDICTS = tuple(m.STANDARD_VERDICT)

_POLLUTANT = Column("pollutant", LABEL, "污染物", "pollutant", nullable=False, values=(*POLLUTANTS, *UNMEASURED), meanings=m.of({**m.CHANNEL, **m.UNMEASURED}, (*POLLUTANTS, *UNMEASURED)))  # fmt: skip
_STANDARD = Column("standard", LABEL, "标准：规则包编号", "id of the rule pack", nullable=False, source="registry/standards.csv")  # fmt: skip
_ABOUT = (
    Column("variant", LABEL, "类别：标准区分的企业类别, 不区分则为空", "class of plants that the standard tells apart; null where it tells none", source="registry/standards.csv"),
    Column("averaging", LABEL, "平均期", "mean that is compared with the limit", nullable=False, values=AVERAGING, meanings=m.of(m.AVERAGING, AVERAGING)),
    Column("unit", LABEL, "单位：限值与比较值的单位", "unit of limit and value", nullable=False, values=UNITS),
    Column("limit", pa.float64(), "限值", "limit", nullable=False, low=0),
)  # fmt: skip
_RULE = (
    Column("rule_id", LABEL, "规则编号：规则包/行", "rule pack and row", nullable=False),
    Column("confidence", LABEL, "可信度：限值行的可信度", "what the row of the limit is worth", nullable=False, values=("verified", "secondary", "memory", "draft"), meanings=m.of(m.CONFIDENCE, ("verified", "secondary", "memory", "draft"))),
)  # fmt: skip

STANDARDS_DAILY = Table(
    "standards_daily", "judgement", "month", ("outlet_id", "pollutant", "day", "standard"),
    "选用标准逐日判定", "each day under the standards that registry/standards.csv chooses; none of it enters a Chinese verdict",
    (
        OUTLET, PLANT, LINE, POINT_TYPE, _POLLUTANT,
        Column("day", pa.date32(), "日期：北京时间", "local day", nullable=False),
        _STANDARD, *_ABOUT,
        Column("value", pa.float64(), "比较值：与限值比较的值; 没有则为空", "what is compared with the limit; null where there is none"),
        Column("ok", pa.bool_(), "是否达标：比较值 <= 限值; 没有比较值则为空", "value <= limit; null without a value"),
        Column("reason", LABEL, "原因：为何没有比较值", "why there is no value", values=REASONS, meanings=m.of(m.STANDARD_REASON, REASONS)),
        Column("day_value", pa.float64(), "当日值：日均值, 或当日排放磅数", "mean of the day's valid hours that count, or the pounds that they amount to"),
        Column("day_unit", LABEL, "当日值单位", "unit of day_value", values=DAY_UNITS),
        Column("kiln_hours", pa.int32(), "运行小时：含启停炉; 未申报工况的小时按运行计", "hours in which the kiln ran in any way; hours without a declared state count as running", "h", low=0, high=24),
        Column("operating_hours", pa.int32(), "计入小时：运行小时中计入平均的", "hours of these that enter the mean", "h", low=0, high=24),
        Column("valid_hours", pa.int32(), "有效小时：其中有有效值的", "hours of these with a valid value", "h", low=0, high=24),
        Column("clinker_t", pa.float64(), "当日熟料产量：未入账则为空", "clinker of the day; null as long as no ledger tells it", "t", low=0),
        Column("window_days", pa.int32(), "窗口运行日数：滚动窗口内的运行日, 逐日判定的为空", "operating days in the rolling window; null where single days are judged", "d", low=0),
        *_RULE,
    ),
    published=True,
)  # fmt: skip

STANDARDS_MONTHLY = Table(
    "standards_monthly", "judgement", "month", ("outlet_id", "pollutant", "month", "standard", "averaging", "unit"),
    "选用标准月度判定", "verdict of each month under the standards that registry/standards.csv chooses",
    (
        OUTLET, PLANT, LINE, POINT_TYPE, _POLLUTANT, MONTH, _STANDARD, *_ABOUT,
        Column("days", pa.int32(), "天数：该月(至数据末尾)标准有效的天数", "days of the month (so far) under the limit", "d", nullable=False, low=1, high=31),
        Column("judged", pa.int32(), "判定天数：有比较值的天数", "days with a value to compare", "d", nullable=False, low=0, high=31),
        Column("ok", pa.int32(), "达标天数", "days of these within the limit", "d", nullable=False, low=0, high=31),
        Column("fail", pa.int32(), "超标天数", "days of these above the limit", "d", nullable=False, low=0, high=31),
        Column("discarded", pa.int32(), "作废天数：有效小时不足", "days discarded for want of valid hours", "d", nullable=False, low=0, high=31),
        Column("discarded_year", pa.int32(), "本年累计作废天数：没有年度上限的标准为空", "days discarded since January; null where the standard has no yearly cap", "d", low=0, high=366),
        Column("worst_value", pa.float64(), "最大比较值", "highest value of the month"),
        Column("worst_day", pa.date32(), "最大比较值日期", "first day with it"),
        Column("verdict", LABEL, "结论", "verdict of the month, or of the month so far", nullable=False, values=VERDICTS, meanings=m.of(m.STANDARD_VERDICT, VERDICTS)),
        Column("reason", LABEL, "原因：为何没有结论, 为最常见的原因", "why there is none: the commonest reason", values=REASONS, meanings=m.of(m.STANDARD_REASON, REASONS)),
        *_RULE,
    ),
    published=True,
)  # fmt: skip
