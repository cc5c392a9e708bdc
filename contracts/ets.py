"""The trading system: allowances of a year's lines, how uncertain their carbon is, what is due when and what is missing for it.

Belongs here: columns of allocation_year (the official table 2-3 in its order, under its titles), carbon_uncertainty,
filing_calendar and carbon_findings. Does not belong here: carbon itself (`carbon`), how an allowance comes about
(`kernels/allocation`), and the dates and thresholds of the law (`reference/ets`).
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from contracts import meanings as m
from contracts.carbon import AGGREGATIONS, LEVELS, STATUSES
from contracts.core import LABEL, Column, Table
from contracts.events import FINDINGS

#: Why the allowance is the emission itself, or why there is none.
SPECIALS = (
    "verified_year", "new", "closed", "small_entity", "white", "gypsum_acid", "carbide", "outside", "not_listed", "not_covered",
)  # fmt: skip
NO_NUMBER = (
    "no_balance_value", "no_emission", "implausible_emission", "no_entity_total", "entity_open", "no_formula", "outside", "no_plan",
)  # fmt: skip
STEPS = (
    "monthly_filing", "control_plan", "preallocation", "annual_report", "verification", "allowances_fixed", "allowances_issued",
    "surrender",
)  # fmt: skip
QUANTITIES = ("total", "activity", "ncv", "cc", "of", "ef_clinker", "k_rawmat")
DISTRIBUTIONS = ("normal", "triangular", "rectangular")

_TABLE_2_3 = "配额分配方案 附2 表2-3"
_PLANT = Column("plant_id", LABEL, "企业编号", "plant id of the registry", nullable=False)
_LINE_TITLE = Column("line_id", LABEL, "生产线编号", "line", nullable=False, source=_TABLE_2_3)
_YEAR = Column("year", LABEL, "年度", "reporting year, YYYY", nullable=False)
_METHOD = Column("method_id", LABEL, "核算方法编号", "method, a file of reference/methods", nullable=False)
_AGGREGATION = Column("aggregation", LABEL, "年度汇总方式", "how months make the year", nullable=False, values=AGGREGATIONS, meanings=m.of(m.AGGREGATION, AGGREGATIONS))  # fmt: skip
_STATUS = Column("status", LABEL, "状态：可填报、试算、缺数", "fit for filing, draft, or without a number", nullable=False, values=STATUSES, meanings=m.of(m.CARBON_STATUS, STATUSES))  # fmt: skip
_DRAFTS = Column(
    "drafts", pa.string(), "所用未核实的因子、规则：以 | 分隔", "drafts it rests on, separated by |; a filing run refuses them"
)  # fmt: skip


def _of(name: str, unit: str, zh: str, en: str, low: float | None = None) -> Column:
    return Column(name, pa.float64(), zh, en, unit, low=low, source=_TABLE_2_3)


def _label(name: str, zh: str, en: str) -> Column:
    return Column(name, LABEL, zh, en, source=_TABLE_2_3)


ALLOCATION_YEAR = Table(
    "allocation_year", "verification", "year", ("plant_id", "line_id", "year"), "配额核定", "allowances of lines and years, in the columns of the official table 2-3",
    (
        Column("number", pa.int32(), "序号", "row of the table", nullable=False, low=1, source=_TABLE_2_3),
        _label("plant_name", "重点排放单位名称", "name of the entity"),
        _label("uscc", "统一社会信用代码", "unified social credit code"),
        _LINE_TITLE,
        _of("carbide_t", "t", "经核查的电石渣消耗量：此处为台账值; 无电石渣为 0", "carbide slag used, as in the ledgers; 0 where none was", 0),
        _of("carbide_factor", "tCO2/t", "电石渣的扣减系数", "its deduction factor", 0),
        _of("clinker_t", "t", "熟料产量：表中①", "clinker made", 0),
        _of("clinker_factor", "tCO2/t", "熟料的过程排放因子：多种类别则按各月产量加权", "process factor of the clinker; of several classes the mean weighted by output", 0),
        _of("carbide_rate_pct", "%", "电石渣替代率", "carbide slag substitution rate", 0),
        _label("clinker_class", "熟料类别：多种以 | 分隔", "class of clinker; several are separated by |"),
        _label("clinker_variety", "熟料品种：registry/ets_lines.csv", "variety of clinker"),
        _of("capacity_t_d", "t/d", "批复的设计能力", "approved capacity", 0),
        _of("fossil_tco2", "tCO2", "化石燃料燃烧排放量", "fossil fuels"),
        _of("process_tco2", "tCO2", "过程排放量", "process"),
        replace(_of("total_tco2", "tCO2", "生产线碳排放量：表中②", "emission of the line"), additive=True),
        _of("intensity_tco2_t", "tCO2/t", "吨熟料碳排放量：表中③, 按修约次序", "intensity, as the order of rounding has it"),
        _of("deviation_pct", "%", "偏离度：表中④", "deviation from the balance value"),
        _of("balance_value_tco2_t", "tCO2/t", "行业平衡值：表中⑤, 平台公布", "balance value of the sector, as published", 0),
        _of("coefficient", "", "强度系数：表中⑥", "intensity coefficient"),
        _of("allowance_t", "tCO2", "核定配额：表中⑦, 去尾取整; 缺平衡值则为空", "allowance in whole tonnes, cut; null without a balance value", 0),
        _of("obligation_t", "tCO2", "应清缴配额：表中⑧, 取整", "allowances to be surrendered, in whole tonnes", 0),
        Column("note_zh", pa.string(), "说明", "remark in Chinese", source=_TABLE_2_3),
        Column("note_en", pa.string(), "说明（英文）", "remark in English"),
        _PLANT, _YEAR,
        _of("position_t", "tCO2", "盈缺：核定配额 - 应清缴配额", "allowance less obligation: what is over, or short where negative"),
        _of("previous_tco2", "tCO2", "上一年度碳排放量：预分配的依据", "emission of the year before, on which the advance rests", 0),
        _of("preallocation_pct", "%", "预分配比例", "share allocated in advance", 0),
        _of("preallocation_t", "tCO2", "预分配配额：去尾取整", "allocated in advance, whole tonnes, cut", 0),
        _of("settlement_t", "tCO2", "多退少补：核定配额 - 预分配配额", "allowance less advance: what is still given, or taken back where negative"),
        Column("special", LABEL, "特殊情形：配额等于排放量或不参与分配的原因", "why the allowance is the emission, or there is none", values=SPECIALS, meanings=m.of(m.ETS_SPECIAL, SPECIALS)),
        Column("no_number", LABEL, "无配额的原因", "why there is no allowance", values=NO_NUMBER, meanings=m.of(m.ETS_NO_NUMBER, NO_NUMBER)),
        Column("entity_tco2", pa.float64(), "企业直接排放量：门槛判断用", "direct emissions of the entity, for the threshold", "tCO2"),
        _METHOD, _AGGREGATION,
        Column("rounding_order", LABEL, "修约次序：reference/ets/allocation.toml 的 profile", "order of rounding, a profile of reference/ets/allocation.toml", nullable=False),
        Column("balance_source", LABEL, "平衡值出处：registry/ets.csv", "where the balance value comes from"),
        Column("clause", LABEL, "依据", "clause"),
        _DRAFTS, _STATUS,
        Column("factor_set", LABEL, "因子集编号：同生产线年度行", "short hash of the factors that the line's emission used, as in carbon_line_year", nullable=False),
    ),
    published=True,
    sort=("plant_id", "line_id"),
)  # fmt: skip

CARBON_UNCERTAINTY = Table(
    "carbon_uncertainty", "carbon", "year", ("plant_id", "line_id", "year", "method_id", "source", "quantity"),
    "碳排放不确定度", "95 % interval of the direct carbon of each line and entity, and the share of the variance that each input has",
    (
        _PLANT, Column("line_id", LABEL, "生产线编号：企业各行为空", "line id of the registry; null for entities"),
        Column("level", LABEL, "层级：企业含各生产线与其他直接排放, 与生产线不可相加", "of a line, or of the entity with all its lines: never add both", nullable=False, values=LEVELS, meanings=m.of(m.CARBON_LEVEL, LEVELS)),
        _YEAR, _METHOD,
        Column("source", LABEL, "排放源：total 为合计", "source; total for the line or entity as a whole", nullable=False),
        Column("quantity", LABEL, "输入量：total 为合计行", "input; total for the line's own row", nullable=False, values=QUANTITIES, meanings=m.of(m.ETS_QUANTITY, QUANTITIES)),
        Column("emission_tco2", pa.float64(), "排放量：该输入所在各项之和; 合计行为未修约各月之和; 保留两位小数", "sum of the terms that the input enters; of the line, that of its unrounded months; to 2 decimals", "tCO2"),
        Column("basis", LABEL, "不确定度依据：reference/ets/uncertainty.csv 的行", "row of reference/ets/uncertainty.csv"),
        Column("distribution", LABEL, "分布", "distribution", values=DISTRIBUTIONS, meanings=m.of(m.DISTRIBUTION, DISTRIBUTIONS)),
        Column("half_width_pct", pa.float64(), "相对半宽：正态为 95 % 区间, 其他为全宽之半; 独立月份已合并", "relative half-width: of the 95 % interval (normal), else of the whole range; independent months combined", "%", low=0),
        Column("sd_pct", pa.float64(), "相对标准差", "relative standard deviation", "%", low=0),
        Column("share_pct", pa.float64(), "方差贡献：共同作用均分, 合计 100 %", "share of the variance; what inputs do together is divided equally, and shares add up to 100", "%", low=0, high=100),
        Column("mean_tco2", pa.float64(), "均值：抽样", "mean of the draws", "tCO2"),
        Column("sd_tco2", pa.float64(), "标准差：抽样", "standard deviation of the draws", "tCO2", low=0),
        Column("low_tco2", pa.float64(), "95 % 区间下端", "low end of the 95 % interval", "tCO2"),
        Column("high_tco2", pa.float64(), "95 % 区间上端", "high end of the 95 % interval", "tCO2"),
        Column("half_interval_pct", pa.float64(), "95 % 区间半宽占排放量的百分比", "half the interval in % of the emission", "%", low=0),
        Column("draws", pa.int32(), "抽样次数", "draws"),
        Column("missing", pa.string(), "所缺：排放源缺数或没有不确定度", "what is missing: an emission, or how uncertain an input is"),
        Column("confidence", LABEL, "可信度：不确定度数据的出处", "what the width is worth", values=("verified", "secondary", "draft")),
    ),
    published=True,
)  # fmt: skip

FILING_CALENDAR = Table(
    "filing_calendar", "verification", "year", ("plant_id", "step", "period"),
    "填报日历", "what each plant has to file by when, and which ledgers are still missing for it",
    (
        _PLANT,
        Column("step", LABEL, "事项", "step", nullable=False, values=STEPS, meanings=m.of(m.ETS_STEP, STEPS)),
        Column("period", LABEL, "所属期间：月份或年度", "month or reporting year", nullable=False),
        _YEAR,
        Column("due", pa.date32(), "截止日：含当日", "last day", nullable=False),
        Column("missing", pa.string(), "所缺台账：表 生产线, 以分号分隔", "ledgers that are missing: table and line, separated by semicolons"),
        Column("missing_count", pa.int32(), "所缺项数", "how many", nullable=False, low=0),
        Column("source", LABEL, "依据", "source", nullable=False),
        Column("confidence", LABEL, "可信度", "what the date is worth", nullable=False, values=("verified", "secondary", "draft")),
    ),
    published=True,
)  # fmt: skip

#: What cross-checks of a year's ledgers and carbon found; `findings` holds them together with all others.
CARBON_FINDINGS = Table(
    "carbon_findings", "verification", "year", ("finding_id",), "碳数据审查发现", "findings of the cross-checks of a year, as they enter findings",
    FINDINGS.columns,
)  # fmt: skip
