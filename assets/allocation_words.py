"""What the remarks of an allowance say, in Chinese and English.

Belongs here: the words. Does not belong here: when they apply (`allocation`).
"""

from __future__ import annotations

#: Remark by special case, reason without a number, and what else a reader must know.
NOTES: dict[str, tuple[str, str]] = {
    "verified_year": ("本年度配额等于排放量", "allowances of this year are the emissions"),
    "new": ("当年新建, 配额等于排放量", "new in the year: the allowance is the emission"),
    "closed": ("当年关停, 配额等于排放量", "closed in the year: the allowance is the emission"),
    "small_entity": ("企业排放量低于门槛, 配额等于排放量", "the entity is below the threshold: the allowance is the emission"),
    "white": ("仅生产白色硅酸盐水泥熟料, 配额等于排放量", "white clinker only: the allowance is the emission"),
    "gypsum_acid": ("石膏制硫酸联产, 配额等于排放量", "clinker beside sulphuric acid from gypsum: the allowance is the emission"),
    "carbide": ("电石渣替代率高于阈值, 配额等于排放量", "carbide rate above the threshold: the allowance is the emission"),
    "outside": ("当年新建或关停, 本年度不参与分配", "new or closed in the year: no part in this year's allocation"),
    "not_listed": ("企业不在重点排放单位名录, 不参与分配", "the entity is not listed: no part in the allocation"),
    "not_covered": ("该熟料类别本年度未纳入配额管理", "this class of clinker is not under allocation this year"),
    "no_plan": ("该年度尚无分配方案, 不给出配额", "no plan is published for the year: no allowance"),
    "implausible_emission": ("排放量为负或过大: 核对台账", "the emission is negative or beyond all measure: check the ledgers"),
    "no_entity_total": (
        "缺企业直接排放量, 无法判断是否低于门槛",
        "the direct emission of the entity is missing: whether it is below the threshold cannot be told",
    ),
    "no_formula": ("因子库缺强度系数的参数", "the factor book lacks a parameter of the coefficient"),
    "no_balance_value": (
        "缺行业平衡值: 请将平台公布的数值写入 registry/ets.csv",
        "no balance value: write the one published on the platform into registry/ets.csv",
    ),
    "no_emission": ("没有生产线排放量或熟料产量", "the line has no emission or no clinker"),
    "entity_open": (
        "年度尚不完整, 企业至今低于门槛: 年度结束后方可判断",
        "the year is not complete and the entity below the threshold so far: only the whole year tells",
    ),
    "mixed": (
        "年内有多种熟料类别: 过程排放因子为各月产量加权平均",
        "several classes of clinker in the year: the process factor is the mean weighted by the months' output",
    ),
    "shared": (
        "该生产线年内变更企业: 仅为本企业各月, 核定与预分配如何分担未见规定",
        "the line changed plant in the year: the months of this plant alone; how allowance and advance are shared is not laid down",
    ),
    "incomplete": ("年度尚不完整", "the year is not complete"),
}  # fmt: skip
