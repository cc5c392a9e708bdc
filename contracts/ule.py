"""Contracts of the tables that hold verdicts.

Belongs here: columns of ule_hourly, ule_monthly and ule_progress. Does not belong here: limits and policies
themselves (`reference/rules`) and how a verdict is reached (`kernels/judge.py`).
"""

from __future__ import annotations

import pyarrow as pa

from contracts import meanings as m
from contracts.cems import HOUR, LINE, OUTLET, PLANT, POINT_TYPE, POLLUTANT
from contracts.channels import POLLUTANTS
from contracts.core import LABEL, Column, Table

MONTH = Column("month", pa.string(), "月份：YYYY-MM, 北京时间", "local calendar month YYYY-MM", nullable=False)

#: Policies of the 95 % rule; each alternative changes one parameter of the headline (air-rules 1.3).
HEADLINE_POLICY = "include_all_fuel_on"
POLICIES = (
    "include_all_fuel_on",
    "exclude_tagged_within_cap",
    "exclude_all_tagged",
    "count_as_fail",
    "drop_with_min_capture",
    "round_half_even",
)
VERDICTS = ("PASS", "FAIL", "INSUFFICIENT", "NO_PRODUCTION")

ULE_HOURLY = Table(
    "ule_hourly", "judgement", "month", ("outlet_id", "pollutant", "hour"),
    "小时达标判定", "each hour against the ultra-low limit and the mandatory standard, with running totals (headline policy)",
    (
        OUTLET, PLANT, LINE, POINT_TYPE, POLLUTANT, HOUR,
        Column("judged_mg_m3", pa.float64(), "判定浓度：同 cems_hourly", "value compared with the limits, as in cems_hourly", "mg/m3"),
        Column("limit_mg_m3", pa.float64(), "超低排放限值：没有则为空", "ultra-low limit; null where none is set", "mg/m3"),
        Column("rule_id", LABEL, "规则编号：限值出自 规则包/行, 或许可证", "rule pack and row of the limit, or permit"),
        Column("judged", pa.bool_(), "是否判定：该小时是否计入 95 % 判定", "the hour counts in the 95 % test", nullable=False),
        Column("ok", pa.bool_(), "是否达标：判定浓度 <= 限值; 未判定则为空", "judged value <= limit; null where not judged"),
        Column("excluded_reason", LABEL, "未判定原因：为何不计入", "why the hour does not count", values=tuple(m.EXCLUDED), meanings=m.of(m.EXCLUDED, tuple(m.EXCLUDED))),
        Column("mandatory_limit_mg_m3", pa.float64(), "强制标准限值：强制标准或许可证", "limit of the mandatory standard or permit", "mg/m3"),
        Column("mandatory_rule_id", LABEL, "强制标准规则编号", "rule pack and row, or permit, of the mandatory limit"),
        Column("mandatory_ok", pa.bool_(), "强制标准达标：判定浓度 <= 强制标准限值; 没有有效值或限值则为空", "judged value <= mandatory limit; null without a valid value or a limit"),
        Column("month_judged_hours", pa.int32(), "本月累计判定小时：含本小时", "judged hours of the month up to and including this hour", "h", nullable=False, low=0, high=744),
        Column("month_ok_hours", pa.int32(), "本月累计达标小时：其中达标的", "hours of these within the limit", "h", nullable=False, low=0, high=744),
        Column("month_share_pct", pa.float64(), "本月累计达标率：累计达标小时 / 累计判定小时", "month_ok_hours / month_judged_hours", "%", low=0, high=100),
        Column("fail_budget_hours", pa.int32(), "剩余允许超标小时：假定本月余下时间均生产; 负数表示已超出", "hours that may still fail this month before the 95 % rule breaks, if the rest of the month is produced; below zero: already broken", "h"),
        Column("trailing_720h_share_pct", pa.float64(), "最近720判定小时达标率：跨月计算", "share within the limit over the last 720 judged production hours, across months", "%", low=0, high=100),
        Column("trailing_hours", pa.int16(), "滚动窗口小时数：窗口内的判定小时, 历史足够时为 720", "judged hours in that window (720 once enough history exists)", "h", nullable=False, low=0, high=720),
    ),
    published=True,
)  # fmt: skip

ULE_MONTHLY = Table(
    "ule_monthly", "judgement", "month", ("outlet_id", "pollutant", "month", "policy"),
    "月度达标判定", "monthly verdicts of the 95 % rule, headline policy and alternatives side by side",
    (
        OUTLET, PLANT, LINE, POINT_TYPE,
        Column("pollutant", LABEL, "污染物：joint 为合并判定, 颗粒物、二氧化硫、氮氧化物同时达标才算达标", "pollutant, or joint: an hour is within limits only if PM, SO2 and NOx all are, as far as they have a limit", nullable=False, values=(*POLLUTANTS, "joint")),
        MONTH,
        Column("policy", LABEL, "判定口径：include_all_fuel_on 为从严主口径, 其余各只改变一个法规未定的参数", "how the rule is applied: include_all_fuel_on is the strict headline, each other changes one thing that the law does not settle (reference/rules/policies.toml)", nullable=False, values=POLICIES),
        Column("production_hours", pa.int32(), "生产小时：截至数据末尾、有限值之日的生产小时; 申报工况之前, 排放口在册的每小时都算生产", "hours of the month (so far) in production on days under the limit; as long as no process states are declared, every hour of an outlet in force", "h", nullable=False, low=0, high=744),
        Column("valid_hours", pa.int32(), "有效小时：有有效值的生产小时", "production hours with a valid value", "h", nullable=False, low=0, high=744),
        Column("judged_hours", pa.int32(), "判定小时：95 % 判定的分母", "hours in the denominator of the 95 % test", "h", nullable=False, low=0, high=744),
        Column("ok_hours", pa.int32(), "达标小时：判定小时中不超限值的", "judged hours within the limit", "h", nullable=False, low=0, high=744),
        Column("fail_hours", pa.int32(), "超标小时：判定小时 - 达标小时", "judged hours above the limit", "h", nullable=False, low=0, high=744),
        Column("allowed_fail_hours", pa.int32(), "允许超标小时：判定小时的 5 %, 向下取整", "floor(5 % of judged_hours), integer arithmetic", "h", nullable=False, low=0, high=37),
        Column("share_pct", pa.float64(), "达标率：达标小时 / 判定小时; 结论由整数比较得出, 不由本列", "ok_hours / judged_hours; the verdict comes from integers, not from this figure", "%", low=0, high=100),
        Column("capture_pct", pa.float64(), "有效率：有效小时 / 生产小时", "valid_hours / production_hours", "%", low=0, high=100),
        Column("mandatory_fail_hours", pa.int32(), "强制标准超标小时：超过强制标准或许可证的小时", "judged hours above the mandatory standard or permit", "h", nullable=False, low=0, high=744),
        Column("verdict", LABEL, "结论", "verdict of the month, or of the month so far", nullable=False, values=VERDICTS, meanings=m.of(m.VERDICT, VERDICTS)),
        Column("rule_id", LABEL, "规则编号：限值出自 规则包/行, 或许可证; 合并判定以分号列出", "rule pack and row of the limit, or permit; those of a joint verdict separated by semicolons", nullable=False),
        Column("warning", pa.string(), "提示：如当月未完、有效率低、限值依据待核实; 没有则为空", "month to date, low capture, draft source and the like; null when there is none"),
    ),
    published=True,
)  # fmt: skip

ULE_PROGRESS = Table(
    "ule_progress", "judgement", "month", ("scope", "scope_id", "month"),
    "超低排放改造进展", "share of clinker capacity whose outlets all pass, against the dated target",
    (
        Column("scope", LABEL, "范围", "plant, group or province", nullable=False, values=("plant", "group", "province")),
        Column("scope_id", LABEL, "范围编号：企业编号、集团或省份名称", "plant id, group or province name", nullable=False),
        MONTH,
        Column("capacity_t_d", pa.float64(), "熟料产能：在册生产线之和", "clinker capacity of the lines in force", "t/d", nullable=False, low=0),
        Column("compliant_capacity_t_d", pa.float64(), "达标产能：所有判定排放口均 PASS 的企业的产能, 按主口径", "capacity of plants whose judged outlets all pass (headline policy)", "t/d", nullable=False, low=0),
        Column("share_pct", pa.float64(), "达标产能占比：达标产能 / 熟料产能", "compliant_capacity_t_d / capacity_t_d", "%", low=0, high=100),
        Column("target_pct", pa.float64(), "目标：改造方案的占比目标; 范围内各企业目标不同则为空", "target share in force; null where the plants of the scope have different ones", "%", low=0, high=100),
        Column("target_date", pa.date32(), "目标日期：目标应达到的日期", "day by which the target is to be reached"),
    ),
    published=True,
)  # fmt: skip
