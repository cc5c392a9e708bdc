"""Contracts of the tables that hold verdicts.

Belongs here: columns of ule_hourly, ule_monthly and ule_progress. Does not belong here: limits and policies
themselves (`reference/rules`) and how a verdict is reached (`kernels/judge.py`).
"""

from __future__ import annotations

import pyarrow as pa

from contracts.cems import HOUR, LINE, OUTLET, PLANT, POINT_TYPE, POLLUTANT
from contracts.channels import POLLUTANTS
from contracts.core import LABEL, Column, Table

MONTH = Column("month", pa.string(), "月份", "local calendar month YYYY-MM", nullable=False)

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
        Column("judged_mg_m3", pa.float64(), "判定浓度", "value compared with the limits", "mg/m3"),
        Column("limit_mg_m3", pa.float64(), "超低排放限值", "ultra-low limit; null where none is set", "mg/m3"),
        Column("rule_id", LABEL, "规则编号", "rule pack and row of the limit"),
        Column("judged", pa.bool_(), "是否判定", "the hour counts in the 95 % test", nullable=False),
        Column("ok", pa.bool_(), "是否达标", "judged value <= limit; null where not judged"),
        Column("excluded_reason", LABEL, "未判定原因", "why the hour does not count", values=("invalid", "no_data", "not_producing", "no_limit", "exempt")),
        Column("mandatory_limit_mg_m3", pa.float64(), "强制标准限值", "limit of the mandatory standard or permit", "mg/m3"),
        Column("mandatory_rule_id", LABEL, "强制标准规则编号", "rule pack and row, or permit, of the mandatory limit"),
        Column("mandatory_ok", pa.bool_(), "强制标准达标", "judged value <= mandatory limit; null where not judged"),
        Column("month_judged_hours", pa.int32(), "本月累计判定小时", "judged hours of the month up to and including this hour", "h", nullable=False, low=0, high=744),
        Column("month_ok_hours", pa.int32(), "本月累计达标小时", "hours of these within the limit", "h", nullable=False, low=0, high=744),
        Column("month_share_pct", pa.float64(), "本月累计达标率", "month_ok_hours / month_judged_hours", "%", low=0, high=100),
        Column("fail_budget_hours", pa.int32(), "剩余允许超标小时", "hours that may still fail this month before the 95 % rule breaks, if the rest of the month is produced", "h"),
        Column("trailing_720h_share_pct", pa.float64(), "最近720判定小时达标率", "share within the limit over the last 720 judged production hours, across months", "%", low=0, high=100),
        Column("trailing_hours", pa.int16(), "滚动窗口小时数", "judged hours in that window (720 once enough history exists)", "h", nullable=False, low=0, high=720),
    ),
    published=True,
)  # fmt: skip

ULE_MONTHLY = Table(
    "ule_monthly", "judgement", "month", ("outlet_id", "pollutant", "month", "policy"),
    "月度达标判定", "monthly verdicts of the 95 % rule, headline policy and alternatives side by side",
    (
        OUTLET, PLANT, LINE, POINT_TYPE,
        Column("pollutant", LABEL, "污染物", "pollutant, or joint: an hour is within limits only if every pollutant is", nullable=False, values=(*POLLUTANTS, "joint")),
        MONTH,
        Column("policy", LABEL, "判定口径", "policy; include_all_fuel_on is the strict headline", nullable=False, values=POLICIES),
        Column("production_hours", pa.int32(), "生产小时", "hours of the month (so far) in production on days under the limit", "h", nullable=False, low=0, high=744),
        Column("valid_hours", pa.int32(), "有效小时", "production hours with a valid value", "h", nullable=False, low=0, high=744),
        Column("judged_hours", pa.int32(), "判定小时", "hours in the denominator of the 95 % test", "h", nullable=False, low=0, high=744),
        Column("ok_hours", pa.int32(), "达标小时", "judged hours within the limit", "h", nullable=False, low=0, high=744),
        Column("fail_hours", pa.int32(), "超标小时", "judged hours above the limit", "h", nullable=False, low=0, high=744),
        Column("allowed_fail_hours", pa.int32(), "允许超标小时", "floor(5 % of judged_hours), integer arithmetic", "h", nullable=False, low=0, high=37),
        Column("share_pct", pa.float64(), "达标率", "ok_hours / judged_hours", "%", low=0, high=100),
        Column("capture_pct", pa.float64(), "有效率", "valid_hours / production_hours", "%", low=0, high=100),
        Column("mandatory_fail_hours", pa.int32(), "强制标准超标小时", "judged hours above the mandatory standard or permit", "h", nullable=False, low=0, high=744),
        Column("verdict", LABEL, "结论", "PASS, FAIL, INSUFFICIENT (too few valid hours) or NO_PRODUCTION", nullable=False, values=VERDICTS),
        Column("rule_id", LABEL, "规则编号", "rule pack and row of the limit", nullable=False),
        Column("warning", pa.string(), "提示", "short month, low capture and the like; empty when none"),
    ),
    published=True,
)  # fmt: skip

ULE_PROGRESS = Table(
    "ule_progress", "judgement", "month", ("scope", "scope_id", "month"),
    "超低排放改造进展", "share of clinker capacity whose outlets all pass, against the dated target",
    (
        Column("scope", LABEL, "范围", "plant, group or province", nullable=False, values=("plant", "group", "province")),
        Column("scope_id", LABEL, "范围编号", "plant id, group or province name", nullable=False),
        MONTH,
        Column("capacity_t_d", pa.float64(), "熟料产能", "clinker capacity", "t/d", nullable=False, low=0),
        Column("compliant_capacity_t_d", pa.float64(), "达标产能", "capacity of plants whose judged outlets all pass (headline policy)", "t/d", nullable=False, low=0),
        Column("share_pct", pa.float64(), "达标产能占比", "compliant share", "%", low=0, high=100),
        Column("target_pct", pa.float64(), "目标", "target in force", "%", low=0, high=100),
        Column("target_date", pa.date32(), "目标日期", "date of the target"),
    ),
    published=True,
)  # fmt: skip
