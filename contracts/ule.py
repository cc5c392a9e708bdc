"""Contracts of the tables that hold verdicts.

Belongs here: columns of the tables that hours are judged into, by hour and month. Does not belong here: what is drawn from
these (`ule_more`), limits and policies themselves (`reference/rules`) and how a verdict is reached (`kernels/judge.py`).
"""

from __future__ import annotations

import pyarrow as pa

from contracts import meanings as m
from contracts.cems import HOUR, LINE, OUTLET, PLANT, POINT_TYPE, POLLUTANT
from contracts.channels import POLLUTANTS
from contracts.core import LABEL, TIME, Column, Table
from contracts.events import STATES

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
#: Outcome of the test against the mandatory standard: one failing hour is enough.
FLOOR_VERDICTS = ("PASS", "FAIL", "INSUFFICIENT")

ULE_HOURLY = Table(
    "ule_hourly", "judgement", "month", ("outlet_id", "pollutant", "hour"),
    "小时达标判定", "each hour against the ultra-low limit and the mandatory standard, with running totals (headline policy)",
    (
        OUTLET, PLANT, LINE, POINT_TYPE, POLLUTANT, HOUR,
        Column("judged_mg_m3", pa.float64(), "判定浓度：同 cems_hourly", "value compared with the limits, as in cems_hourly", "mg/m3"),
        Column("limit_mg_m3", pa.float64(), "超低排放限值：没有则为空", "ultra-low limit; null where none is set", "mg/m3"),
        Column("rule_id", LABEL, "规则编号：限值出自 规则包/行, 或许可证", "rule pack and row of the limit, or permit"),
        Column("process_state", LABEL, "工况：占该小时至少 45 分钟的申报工况; 混合小时和未申报的按正常运行从严判定", "declared state that fills at least 45 minutes of the hour; a mixed hour, and one that nothing was declared for, counts as running", nullable=False, values=STATES, meanings=m.of(m.PROCESS_STATE, STATES)),
        Column("exempt", pa.bool_(), "是否豁免：至少 45 分钟处于如实、及时申报的启停炉限时内, 不作强制标准判定; 几次启停合计满 45 分钟亦可 (如热启 30 分 + 停窑 30 分), 此时 process_state 为 running", "at least 45 minutes lie within the cap of a start or stop declared in time: not tested against the mandatory standard; several together may fill them (hot_start 30 min + shutdown 30 min), process_state then being running", nullable=False, source="公告2022年第21号 6; HJ 847-2017 10"),
        Column("judged", pa.bool_(), "是否判定：该小时是否计入 95 % 判定 (主口径: 启停炉小时也计入)", "the hour counts in the 95 % test (headline policy: hours of start-up and shut-down too)", nullable=False),
        Column("ok", pa.bool_(), "是否达标：判定浓度 <= 限值; 未判定则为空", "judged value <= limit; null where not judged"),
        Column("excluded_reason", LABEL, "未判定原因：为何不计入", "why the hour does not count", values=tuple(m.EXCLUDED), meanings=m.of(m.EXCLUDED, tuple(m.EXCLUDED))),
        Column("mandatory_limit_mg_m3", pa.float64(), "强制标准限值：强制标准或许可证", "limit of the mandatory standard or permit", "mg/m3"),
        Column("mandatory_rule_id", LABEL, "强制标准规则编号", "rule pack and row, or permit, of the mandatory limit"),
        Column("mandatory_ok", pa.bool_(), "强制标准达标：判定浓度 <= 强制标准限值; 没有有效值或限值、停运或豁免则为空", "judged value <= mandatory limit; null without a valid value or a limit, in stopped and in exempt hours"),
        Column("month_judged_hours", pa.int32(), "本月累计判定小时：含本小时", "judged hours of the month up to and including this hour", "h", nullable=False, low=0, high=744),
        Column("month_ok_hours", pa.int32(), "本月累计达标小时：其中达标的", "hours of these within the limit", "h", nullable=False, low=0, high=744),
        Column("month_share_pct", pa.float64(), "本月累计达标率：累计达标小时 / 累计判定小时", "month_ok_hours / month_judged_hours", "%", low=0, high=100),
        Column("fail_budget_hours", pa.int32(), "剩余允许超标小时：假定本月余下时间均生产; 负数表示已超出", "hours that may still fail this month before the 95 % rule breaks, if the rest of the month is produced; below zero: already broken", "h"),
        Column("budget_spent_at", TIME, "允许超标用尽时刻：照本月至今的超标频率, 剩余允许超标小时用尽的那个小时 (起点)；其后第 k 个应判小时, k = ceil(剩余 x 累计判定 / 累计超标), 整数运算; 已用尽则为用尽的那个小时; 无超标或可维持到月底则为空", "hour with which the fail budget is used up at the month's present rate of failing: the k-th hour ahead under the limit, k = ceil(fail_budget_hours x judged / failed to date) in integers; once used up, the hour in which it was; null without a fail and where it lasts to the month's end"),
        Column("trailing_24h_share_pct", pa.float64(), "最近24小时达标率：含本小时的 24 个钟点内的判定小时", "share within the limit over the judged hours of the last 24 clock hours, this one included; null where none was judged", "%", low=0, high=100),
        Column("trailing_30d_share_pct", pa.float64(), "最近30天达标率：含本小时的 720 个钟点内的判定小时, 跨月计算", "share within the limit over the judged hours of the last 720 clock hours, across months; null where none was judged", "%", low=0, high=100),
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
        Column("production_hours", pa.int32(), "生产小时：截至数据末尾、有限值之日的生产小时: 排放口在册且未申报停运 (闷窑算生产)", "hours of the month (so far) in production on days under the limit: the outlet in force and not declared stopped (banked counts)", "h", nullable=False, low=0, high=744),
        Column("valid_hours", pa.int32(), "有效小时：有有效值的生产小时", "production hours with a valid value", "h", nullable=False, low=0, high=744),
        Column("judged_hours", pa.int32(), "判定小时：95 % 判定的分母", "hours in the denominator of the 95 % test", "h", nullable=False, low=0, high=744),
        Column("ok_hours", pa.int32(), "达标小时：判定小时中不超限值的", "judged hours within the limit", "h", nullable=False, low=0, high=744),
        Column("fail_hours", pa.int32(), "超标小时：判定小时 - 达标小时", "judged hours above the limit", "h", nullable=False, low=0, high=744),
        Column("allowed_fail_hours", pa.int32(), "允许超标小时：判定小时的 5 %, 向下取整", "floor(5 % of judged_hours), integer arithmetic", "h", nullable=False, low=0, high=37),
        Column("share_pct", pa.float64(), "达标率：达标小时 / 判定小时; 结论由整数比较得出, 不由本列", "ok_hours / judged_hours; the verdict comes from integers, not from this figure", "%", low=0, high=100),
        Column("capture_pct", pa.float64(), "有效率：有效小时 / 生产小时", "valid_hours / production_hours", "%", low=0, high=100),
        Column("mandatory_hours", pa.int32(), "强制标准判定小时：有强制标准限值的判定小时; 豁免小时除外", "judged hours tested against the mandatory standard or permit; exempt hours are left out", "h", nullable=False, low=0, high=744),
        Column("mandatory_fail_hours", pa.int32(), "强制标准超标小时：其中超过强制标准或许可证的", "hours of these above the mandatory standard or permit", "h", nullable=False, low=0, high=744),
        Column("mandatory_verdict", LABEL, "强制标准结论：一小时超标即 FAIL; 有效小时太少为 INSUFFICIENT; 无限值或无应判小时则为空; 不改变 95 % 结论", "one hour above it is FAIL, too few valid ones INSUFFICIENT; null without a limit or an hour that it asks for; it does not change the verdict of the 95 % rule", values=FLOOR_VERDICTS, meanings=m.of(m.FLOOR_VERDICT, FLOOR_VERDICTS)),
        Column("verdict", LABEL, "结论：95 % 判定, 与强制标准结论各自独立", "verdict of the 95 % rule for the month, or the month so far, whatever the mandatory verdict says", nullable=False, values=VERDICTS, meanings=m.of(m.VERDICT, VERDICTS)),
        Column("worst_720h_share_pct", pa.float64(), "最差720小时达标率：在本月结束的满 720 判定小时窗口中最低的; 只在主口径的单项污染物行给出", "least share of a full window of 720 judged hours that ends in the month; only in headline rows of single pollutants", "%", low=0, high=100),
        Column("worst_720h_until", TIME, "最差窗口止于：该窗口最后一个小时 (起点)", "last hour of that window (the first such)"),
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
        Column("compliant_capacity_t_d", pa.float64(), "达标产能：全厂结论为 PASS (ule_plants, 主口径, 分污染物) 的企业的产能; 尚无超低排放规则生效则为空", "capacity of plants with the verdict PASS in ule_plants (headline policy, per pollutant); null where no ultra-low rule is in force yet", "t/d", low=0),
        Column("share_pct", pa.float64(), "达标产能占比：达标产能 / 熟料产能; 尚无超低排放规则生效则为空", "compliant_capacity_t_d / capacity_t_d; null where no ultra-low rule is in force yet", "%", low=0, high=100),
        Column("target_pct", pa.float64(), "目标：改造方案的占比目标; 范围内各企业目标不同则为空", "target share in force; null where the plants of the scope have different ones", "%", low=0, high=100),
        Column("target_date", pa.date32(), "目标日期：目标应达到的日期", "day by which the target is to be reached"),
    ),
    published=True,
)  # fmt: skip
