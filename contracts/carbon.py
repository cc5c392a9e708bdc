"""Carbon of lines and plants: every source of a month, lines of a year, entities of a year by electricity basis.

Belongs here: columns of the carbon tables. Does not belong here: what a method says (`reference/methods`), how it is computed
(`kernels/carbon*`), allowances and uncertainty.

Methods stand side by side; a figure of one never enters a total of another, and each electricity basis has rows of its own.
"""

from __future__ import annotations

import pyarrow as pa

from contracts import meanings as m
from contracts.core import LABEL, Column, Table

KINDS = ("source", "sum")
LEVELS = ("line", "entity")
SUMS = ("fossil", "process", "energy", "total")
AGGREGATIONS = ("annual_weighted", "monthly_sum")
STATUSES = ("filing", "draft", "missing")
BASES = (
    "none", "location_province", "location_national", "location_region", "national_ets", "net_national", "market_residual",
)  # fmt: skip
REASONS = ("missing_input", "missing_factor", "not_listed")
NCV_USED = ("measured", "default")

_GUIDE = "CETS-AG-02.01-V01-2024"
_PLANT = Column("plant_id", LABEL, "企业编号", "plant id of the registry", nullable=False)
_LINE = Column(
    "line_id", LABEL, "生产线编号：企业层级的排放源则为空", "line id of the registry; null for sources of the plant"
)
_YEAR = Column("year", LABEL, "年度", "reporting year, YYYY", nullable=False)
_METHOD = Column(
    "method_id",
    LABEL,
    "核算方法编号：reference/methods 的文件名，各方法的内容见 docs/carbon.zh-CN.md",
    "method, a file of reference/methods; what each counts is told in docs/carbon.md",
    nullable=False,
)
_AGGREGATION = Column("aggregation", LABEL, "年度汇总方式", "how months make the year", nullable=False, values=AGGREGATIONS, meanings=m.of(m.AGGREGATION, AGGREGATIONS))  # fmt: skip
_MISSING = Column(
    "missing",
    pa.string(),
    "所缺：台账字段（表.列）、台账或因子, 以分号分隔; 不缺则为空",
    "what is missing: columns (table.column), ledgers or factors, separated by semicolons; null where nothing is",
)
_STATUS = Column("status", LABEL, "状态：可填报、试算、缺数", "fit for filing, draft, or without a number", nullable=False, values=STATUSES, meanings=m.of(m.CARBON_STATUS, STATUSES))  # fmt: skip
_DRAFTS = Column(
    "drafts",
    pa.string(),
    "所用未核实的因子、方法或不在适用年度的方法：填报会点名拒绝",
    "drafts it rests on, which a filing run refuses by name",
)
_GROUNDS = (
    Column("factor_set", LABEL, "因子集编号：该行数值所用因子的摘要, 其中之一变化才变", "short hash of the factors that the figure of this row used: it changes exactly when one of them does", nullable=False),
    Column("method_version", LABEL, "方法版本：方法与修约规定的摘要", "short hash of method and rounding profile", nullable=False),
    Column("factor_policy", LABEL, "因子版本的取法：最新公布, 或与数据同年; 带日期则只取该日前公布的", "which edition of a factor is taken: the newest published, or that of the same data year; with a day, of those published by then", nullable=False),
)  # fmt: skip


def _number(name: str, unit: str, zh: str, en: str, low: float | None = 0) -> Column:
    return Column(name, pa.float64(), zh, en, unit, low=low, source=_GUIDE)


def _tco2(name: str, zh: str, en: str) -> Column:
    # Substitute raw materials deduct, so that a part may fall below zero.
    return Column(name, pa.float64(), zh, en, "tCO2", additive=True)


CARBON_LINE_MONTH = Table(
    "carbon_line_month", "carbon", "month", ("plant_id", "line_id", "month", "method_id", "source"),
    "月度碳排放源", "every carbon source of a month: activity, factors, emission; and the sums of lines",
    (
        _PLANT, _LINE,
        Column("month", LABEL, "月份", "month, YYYY-MM", nullable=False),
        _METHOD,
        Column("kind", LABEL, "行类：排放源或合计; 合计行不可与排放源相加", "a source or a sum of sources: never add both", nullable=False, values=KINDS, meanings=m.of(m.CARBON_KIND, KINDS)),
        Column("source", LABEL, "排放源：燃料、原料等, 或合计名", "fuel, material, part of the process, or the name of a sum", nullable=False),
        Column("part", LABEL, "方法中的部分：合计行为空", "part of the method; null for sums"),
        Column("level", LABEL, "层级", "of the line, or of the plant as a whole", nullable=False, values=LEVELS, meanings=m.of(m.CARBON_LEVEL, LEVELS)),
        Column("sum", LABEL, "归入的合计", "sum it enters", nullable=False, values=SUMS, meanings=m.of(m.CARBON_SUM, SUMS)),
        Column("unit", LABEL, "修约单元：同一单元内的源合计后修约一次", "sources of one unit are added, then rounded once"),
        Column("facility", LABEL, "使用设施", "where a fuel is burnt"),
        Column("electricity_basis", LABEL, "电力因子口径", "basis of electricity", values=BASES, meanings=m.of(m.ELECTRICITY_BASIS, BASES)),
        Column("activity", pa.float64(), "活动水平：已按方法修约和修正, 单位见 activity_unit", "activity as used, in activity_unit: rounded, and corrected for meters, as the method says"),
        Column("activity_unit", LABEL, "活动水平单位：t, MWh, GJ 等", "unit of the activity: t, MWh, GJ and so on"),
        Column("activity_reported", pa.float64(), "台账值：单位见 activity_unit, 与活动水平不同者为计量器具修正所致", "activity as in the ledger, in activity_unit; it differs where a meter was corrected"),
        _number("ncv_gj", "GJ/t, GJ/1e4Nm3", "低位发热量", "net calorific value"),
        Column("ncv_source", LABEL, "低位发热量来源", "where it comes from", values=NCV_USED, meanings=m.of(m.NCV_SOURCE, NCV_USED)),
        _number("carbon_tc_gj", "tC/GJ", "单位热值含碳量", "carbon content per unit of heat"),
        _number("oxidation_pct", "%", "碳氧化率", "oxidation rate"),
        _number("factor", "", "因子：tCO2/t, tCO2/MWh, tCO2/GJ 等, 按排放源", "factor by kind of source: tCO2/t, tCO2/MWh, tCO2/GJ; raw meal per clinker"),
        _number("dust_t", "t", "计入的窑尘量", "dust that counts as clinker"),
        _number("cao_pct", "%", "氧化钙含量", "CaO"),
        _number("mgo_pct", "%", "氧化镁含量", "MgO"),
        _number("noncarbonate_cao_pct", "%", "非碳酸盐来源氧化钙含量", "CaO not from carbonates"),
        _number("noncarbonate_mgo_pct", "%", "非碳酸盐来源氧化镁含量", "MgO not from carbonates"),
        _number("carbon_pct", "%", "生料非燃料碳含量", "non-fuel carbon of raw meal"),
        _number("fossil_pct", "%", "化石碳占比", "fossil share of carbon"),
        _number("calcination", "1", "窑灰分解率", "calcination of kiln dust"),
        _number("correction", "1", "窑灰修正系数", "kiln dust correction"),
        _tco2("emission_unrounded_tco2", "排放量：未修约", "emission before rounding"),
        _tco2("emission_tco2", "排放量：已修约; 缺数则为空, 绝不给出部分合计", "emission, rounded half up; null where anything is missing: no partial sums"),
        Column("reason", LABEL, "原因：无数值或不扣减的原因", "why there is no number, or nothing is deducted", values=REASONS, meanings=m.of(m.CARBON_REASON, REASONS)),
        _MISSING,
        Column("factor_ids", LABEL, "所用因子编号：以 | 分隔", "ids of the factors used, separated by |"),
        _DRAFTS, _STATUS, *_GROUNDS,
        Column("src_table", LABEL, "来源台账", "ledger table the activity stands in"),
        Column("src_path", LABEL, "来源文件", "file below landing/"),
        Column("src_row", pa.int32(), "来源行号", "row of its sheet or file"),
    ),
    published=True,
)  # fmt: skip

CARBON_LINE_YEAR = Table(
    "carbon_line_year", "carbon", "year", ("plant_id", "line_id", "year", "method_id", "aggregation"),
    "生产线年度碳排放", "carbon of lines and years, by method and way of adding months; a line that changed plant has a row of each plant, for its months",
    (
        _PLANT,
        Column("line_id", LABEL, "生产线编号", "line id of the registry", nullable=False),
        _YEAR, _METHOD, _AGGREGATION,
        _number("clinker_t", "t", "熟料产量", "clinker made"),
        _tco2("fossil_tco2", "化石燃料燃烧排放量：方法不含则为空", "fossil fuels; null where the method leaves them out"),
        _tco2("process_tco2", "过程排放量", "process"),
        _tco2("energy_tco2", "生产线消耗电力排放量：方法不含则为空", "electricity that the line uses; null where the method leaves it out"),
        _tco2("total_tco2", "生产线碳排放量", "total of the line by its method"),
        _tco2("whole_tco2", "生产线碳排放量：取整, 清缴用; 取整方式待核", "total in whole tonnes as for surrender; the rounding is unconfirmed"),
        _number("intensity_tco2_t", "tCO2/t", "吨熟料碳排放量", "carbon intensity", None),
        _number("heat_gj_t", "GJ/t", "熟料热耗：入窑燃料", "heat of kiln fuels per clinker"),
        _number("heat_kgce_t", "kgce/t", "熟料标准煤耗", "the same in standard coal"),
        _number("carbide_t", "t", "电石渣消耗量", "carbide slag used"),
        _number("carbide_rate_pct", "%", "电石渣替代率", "carbide slag substitution rate"),
        Column("months", pa.int32(), "月数：有数据", "months with data", nullable=False, low=0, high=12),
        Column("complete", pa.bool_(), "是否完整：在册各月齐全", "every month in force is there", nullable=False),
        Column("in_force", pa.bool_(), "方法是否适用于该年度", "the method is written for this year", nullable=False),
        _MISSING, _DRAFTS, _STATUS, *_GROUNDS,
    ),
    published=True,
)  # fmt: skip

CARBON_ENTITY_YEAR = Table(
    "carbon_entity_year", "carbon", "year", ("plant_id", "year", "method_id", "aggregation", "electricity_basis"),
    "企业年度碳排放", "carbon of plants and years, by method, way of adding months and electricity basis",
    (
        _PLANT, _YEAR, _METHOD, _AGGREGATION,
        Column("electricity_basis", LABEL, "电力因子口径：各口径不可相加", "basis of electricity: rows of different bases never add up", nullable=False, values=BASES, meanings=m.of(m.ELECTRICITY_BASIS, BASES)),
        Column("lines", pa.int32(), "生产线数", "lines", nullable=False, low=0),
        _number("clinker_t", "t", "熟料产量", "clinker made"),
        _tco2("lines_tco2", "各生产线直接排放合计", "direct emissions of the lines"),
        _tco2("other_tco2", "其他燃烧直接排放：移动源、锅炉等", "other direct emissions: mobile sources, boilers"),
        _tco2("direct_tco2", "直接排放量", "direct emissions"),
        _number("electricity_mwh", "MWh", "计入的电量", "electricity that counts under this basis", None),
        _tco2("electricity_tco2", "电力间接排放量", "emissions of electricity"),
        _tco2("heat_tco2", "热力间接排放量：无热力台账则为空", "emissions of heat; null where no heat ledger was filed"),
        _tco2("total_tco2", "合计：直接 + 电力 + 热力", "direct + electricity + heat"),
        _tco2("reported_tco2", "按方法报告的企业总量：取整", "total that the method reports, in whole tonnes"),
        Column("complete", pa.bool_(), "是否完整：在册各月齐全", "every month in force is there", nullable=False),
        Column("in_force", pa.bool_(), "方法是否适用于该年度", "the method is written for this year", nullable=False),
        _MISSING, _DRAFTS, _STATUS, *_GROUNDS,
    ),
    published=True,
)  # fmt: skip
