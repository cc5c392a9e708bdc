"""Contracts of the tables that hold mass: measured, substituted, and summed by time and by who emits.

Belongs here: columns of the capture rates and of emissions by hour, day, month and year. Does not belong here: the tables of
the standard (`kernels/substitution.py`) and their numbers (`reference/rules`).
"""

from __future__ import annotations

import pyarrow as pa

from contracts import meanings as m
from contracts.cems import HOUR, LINE, OUTLET, PLANT, POINT_TYPE, POLLUTANT
from contracts.core import LABEL, TIME, Column, Table
from contracts.ule import MONTH

#: How the mass of an hour came about.
METHODS = ("measured", "max180", "max720", "max2160", "stopped", "no_substitute")
SCOPES = ("line", "plant", "group", "province")

_TABLES_5_6 = "HJ 75-2017 12.2, tables 5 and 6"
_CAPTURE = "HJ 75-2017 12.1"
_VALID_TIMES = "HJ 76-2017 App. B"

DAY = Column("day", pa.date32(), "日期：北京时间", "local day", nullable=False)
YEAR = Column("year", pa.string(), "年份：YYYY, 北京时间", "local calendar year YYYY", nullable=False)
_WHO = (OUTLET, PLANT, LINE, POINT_TYPE, POLLUTANT)
_SCOPE = (
    Column("scope", LABEL, "范围", "line, plant, group or province", nullable=False, values=SCOPES),
    Column("scope_id", LABEL, "范围编号：生产线或企业编号、集团或省份名称", "line or plant id, group or province name", nullable=False),
    POLLUTANT,
)  # fmt: skip
_OUTLETS = Column(
    "outlets",
    pa.int32(),
    "排放口数：有该污染物排放量行的排放口",
    "outlets with rows of this pollutant",
    nullable=False,
    low=1,
)


def _hours(high: int | None) -> tuple[Column, ...]:
    def count(name: str, zh: str, en: str) -> Column:
        return Column(name, pa.int32(), zh, en, "h", nullable=False, low=0, high=high)

    return (
        count("hours", "小时数：在册且数据已到的小时", "hours in force that the data reach"),
        count("valid_hours", "有效小时：有实测排放量", "hours with a measured mass"),
        count("stopped_hours", "停运小时：排放量为 0", "hours in which the source was stopped: 0 kg"),
        count("substituted_hours", "替代小时：排放量按表5、表6替代", "invalid hours with a substitute by tables 5 and 6"),
        count("no_substitute_hours", "无替代小时：无法给出排放量, 合计因而是下限", "invalid hours for which there is no substitute: a total with such hours is a lower bound"),
        count("provisional_hours", "暂定小时：季度或无效时段尚未结束, 替代值可能改变", "hours whose substitute may yet change: the quarter or the episode is not over"),
    )  # fmt: skip


def _masses(unit: str) -> tuple[Column, ...]:
    return (
        Column(f"measured_{unit}", pa.float64(), "实测排放量：有效小时之和; 没有则为空", "sum over valid hours; null where there are none", unit),
        Column(f"substituted_{unit}", pa.float64(), "替代排放量：替代小时之和; 没有则为空", "sum over substituted hours; null where there are none", unit),
        Column(f"mass_{unit}", pa.float64(), "排放量：实测 + 替代, 停运为 0; 没有任何可计小时则为空; 精确求和后只舍入一次, 与次序无关", "measured + substituted, stopped hours being 0; null where no hour has a mass; summed exactly and rounded once, whatever the order", unit, additive=True),
    )  # fmt: skip


_SHARES = (
    Column("measured_share_pct", pa.float64(), "实测占比：占排放量; 排放量不为正, 或实测、替代任一部分为负则为空", "measured share of the mass; null unless the mass is positive and neither part, measured or substituted, is negative", "%"),
    Column("substituted_share_pct", pa.float64(), "替代占比：占排放量; 与实测占比合计 100, 同时为空", "substituted share of the mass; 100 together with the measured share, null where that is", "%"),
)  # fmt: skip
_CAPTURE_PCT = Column(
    "capture_pct",
    pa.float64(),
    "有效数据捕集率：(小时 - 停运 - 无效) / (小时 - 停运); 全部停运则为空",
    "(hours - stopped - invalid) / (hours - stopped); null where all was stopped",
    "%",
    low=0,
    high=100,
)
_BOUNDS = (
    Column("period_hours", pa.int32(), "应有小时：整个期间内在册的小时", "hours in force in the whole calendar period", "h", nullable=False, low=0),
    Column("lower_bound", pa.bool_(), "是否下限：有无替代小时", "the mass is a lower bound: some hours have no substitute", nullable=False),
    Column("complete", pa.bool_(), "是否完整：每个应有小时都有确定的排放量", "every hour of the period has a mass that is no longer provisional", nullable=False),
)  # fmt: skip

CAPTURE_MONTHLY = Table(
    "capture_monthly", "emissions", "month", ("outlet_id", "pollutant", "month"),
    "月度有效小时", "what the hours of a month are for the mass: the counts that capture rates are made of",
    (
        OUTLET, POLLUTANT, MONTH,
        Column("hours", pa.int32(), "小时数：在册且数据已到的小时", "hours in force that the data reach", "h", nullable=False, low=0, high=744),
        Column("invalid_hours", pa.int32(), "无效小时：生产而无有效排放量, 含失控与缺失", "hours without a valid mass while the source ran, out of control and missing ones included", "h", nullable=False, low=0, high=744),
        Column("stopped_hours", pa.int32(), "停运小时", "hours in which the source was stopped", "h", nullable=False, low=0, high=744),
        Column("last_sent", pa.string(), "最近有记录的月份：从未有则为空", "last month in which anything was sent of the pollutant; null when never"),
    ),
)  # fmt: skip

CAPTURE_QUARTERLY = Table(
    "capture_quarterly", "emissions", "year", ("outlet_id", "pollutant", "quarter"),
    "季度有效数据捕集率", "capture rate of each quarter, by which the substitutes of its invalid hours are chosen",
    (
        OUTLET, POLLUTANT,
        Column("quarter", pa.string(), "季度：YYYY-Qn", "calendar quarter YYYY-Qn", nullable=False),
        Column("hours", pa.int32(), "小时数：在册且数据已到的小时; 数据开始之前、不在册的不计", "hours in force that the data reach; none before the data begin", "h", nullable=False, low=0, high=2208, source=_CAPTURE),
        Column("invalid_hours", pa.int32(), "无效小时：生产而无有效排放量", "hours without a valid mass while the source ran", "h", nullable=False, low=0, high=2208, source=_CAPTURE),
        Column("stopped_hours", pa.int32(), "停运小时", "hours in which the source was stopped", "h", nullable=False, low=0, high=2208, source=_CAPTURE),
        Column("capture_pct", pa.float64(), "捕集率：(小时 - 无效 - 停运) / (小时 - 停运); 全部停运则为空", "(hours - invalid - stopped) / (hours - stopped); null where all was stopped", "%", low=0, high=100, source=_CAPTURE),
        Column("sufficient", pa.bool_(), "是否达到下限：按整数比较; 全部停运则为空", "at least the lawful floor, compared in whole hours; null where all was stopped", source=_CAPTURE),
        Column("table_row", LABEL, "表5、表6所用行：按捕集率", "row of tables 5 and 6 that the rate leads to", values=tuple(m.TABLE_ROW), meanings=m.of(m.TABLE_ROW, tuple(m.TABLE_ROW)), source=_TABLES_5_6),
        Column("provisional", pa.bool_(), "是否暂定：季度尚未结束, 为至今值", "the quarter is not over: the rate to date", nullable=False),
    ),
    published=True,
)  # fmt: skip

EMISSIONS_HOURLY = Table(
    "emissions_hourly", "emissions", "month", ("outlet_id", "pollutant", "hour"),
    "小时排放量", "mass of every hour: measured, substituted by tables 5 and 6, or zero because the source was stopped",
    (
        *_WHO, HOUR,
        Column("measured_kg", pa.float64(), "实测排放量：同 cems_hourly; 无效则为空", "as in cems_hourly; null where invalid", "kg"),
        Column("mass_kg", pa.float64(), "排放量：实测、替代或停运为 0; 无替代则为空", "measured, substituted, or 0 while stopped; null where there is no substitute", "kg", source=_TABLES_5_6),
        Column("mass_method", LABEL, "排放量来源", "how the mass came about", nullable=False, values=METHODS, meanings=m.of(m.MASS_METHOD, METHODS), source=_TABLES_5_6),
        Column("basis_hour", TIME, "替代所取小时：其实测排放量即替代值; 相等时取最近的", "hour whose measured mass was taken; the latest of equal ones"),
        Column("hj75_table", pa.int8(), "所用表号：5 失控, 6 其他无效", "table of the standard: 5 out of control, 6 otherwise invalid", low=5, high=6, source=_TABLES_5_6),
        Column("window_from", TIME, "窗口起点：替代值取自 [起点, 终点) 内的有效小时", "the mass is the maximum over the valid hours in [window_from, window_to)"),
        Column("window_to", TIME, "窗口终点：失效前或上次校准前最后一个有效小时的终点", "end of the last valid hour before the failure, or before the last calibration"),
        Column("capture_pct", pa.float64(), "季度捕集率：决定替代方法的; 季度未结束则为空, 至今值见 capture_quarterly", "capture rate of the quarter that decided the substitute; null until the quarter is over: the rate to date is in capture_quarterly", "%", low=0, high=100, source=_CAPTURE),
        Column("provisional", pa.bool_(), "是否暂定：季度或无效时段尚未结束", "the substitute may yet change: the quarter or the episode is not over", nullable=False),
        Column("history_short", pa.bool_(), "是否历史不足：有效小时少于表中要求, 用了全部可得的", "fewer valid hours before it than the table asks for: all there are were used", nullable=False),
        Column("raised_to_zero", pa.bool_(), "是否由负值提至零：窗口内最大的实测排放量为负 (仪器漂移), 替代值取 0; 见 basis_hour 的实测值", "the greatest mass of the window was below 0 (drift of an instrument): the substitute is 0; what was measured stands at basis_hour", nullable=False, source="substitution.negative"),
        Column("calibration_unknown", pa.bool_(), "是否校准时间不明：失控标记未写上次校准, 取标记起点之前", "the mark names no last calibration: hours before the mark's start were taken", nullable=False),
        Column("rule_id", LABEL, "规则编号：定出替代方法的参数", "parameter that decided the method"),
    ),
    published=True,
)  # fmt: skip

EMISSIONS_DAILY = Table(
    "emissions_daily", "emissions", "month", ("outlet_id", "pollutant", "day"),
    "日排放量", "mass of every day and outlet",
    (
        *_WHO, DAY, *_hours(24), *_masses("kg"),
        Column("valid_day", pa.bool_(), "是否有效日：有效小时足够", "enough valid hours for a valid day", nullable=False, source=_VALID_TIMES),
    ),
    published=True,
)  # fmt: skip

EMISSIONS_MONTHLY = Table(
    "emissions_monthly", "emissions", "month", ("outlet_id", "pollutant", "month"),
    "月排放量", "mass of every month and outlet",
    (
        *_WHO, MONTH, *_hours(744), *_masses("t"), *_SHARES, _CAPTURE_PCT,
        Column("valid_days", pa.int32(), "有效日数", "valid days", "d", nullable=False, low=0, high=31, source=_VALID_TIMES),
        Column("valid_month", pa.bool_(), "是否有效月：有效日足够; 未到月底而尚不够则为空", "enough valid days for a valid month; null while the month can still get there", source=_VALID_TIMES),
        *_BOUNDS,
    ),
    published=True,
)  # fmt: skip

EMISSIONS_TOTALS_DAILY = Table(
    "emissions_totals_daily", "emissions", "month", ("scope", "scope_id", "pollutant", "day"),
    "日排放量合计", "mass of every day by line, plant, group and province",
    (*_SCOPE, DAY, _OUTLETS, *_hours(None), *_masses("kg")),
    published=True,
)  # fmt: skip

EMISSIONS_TOTALS_MONTHLY = Table(
    "emissions_totals_monthly", "emissions", "month", ("scope", "scope_id", "pollutant", "month"),
    "月排放量合计", "mass of every month by line, plant, group and province",
    (*_SCOPE, MONTH, _OUTLETS, *_hours(None), *_masses("t"), *_SHARES, _CAPTURE_PCT, *_BOUNDS),
    published=True,
)  # fmt: skip

EMISSIONS_ANNUAL = Table(
    "emissions_annual", "emissions", "year", ("outlet_id", "pollutant", "year"),
    "年排放量", "mass of every year and outlet",
    (
        *_WHO, YEAR, *_hours(8784), *_masses("t"), *_SHARES, _CAPTURE_PCT,
        Column("valid_days", pa.int32(), "有效日数", "valid days", "d", nullable=False, low=0, high=366, source=_VALID_TIMES),
        Column("valid_months", pa.int32(), "有效月数", "valid months", nullable=False, low=0, high=12, source=_VALID_TIMES),
        *_BOUNDS,
    ),
    published=True,
)  # fmt: skip

EMISSIONS_TOTALS_ANNUAL = Table(
    "emissions_totals_annual", "emissions", "year", ("scope", "scope_id", "pollutant", "year"),
    "年排放量合计", "mass of every year by line, plant, group and province",
    (*_SCOPE, YEAR, _OUTLETS, *_hours(None), *_masses("t"), *_SHARES, _CAPTURE_PCT, *_BOUNDS),
    published=True,
)  # fmt: skip
