"""Contract of mass per tonne of clinker: what a line, plant, group or province emitted for each tonne that it made.

Belongs here: the columns of emissions_per_clinker and why a figure is not given. Does not belong here: mass (`contracts/emissions.py`)
and clinker (`contracts/ledgers.py`).
"""

from __future__ import annotations

import pyarrow as pa

from contracts.cems import POLLUTANT
from contracts.core import LABEL, Column, Table
from contracts.emissions import SCOPES

#: Why there is no figure, the first that holds; and what it means.
_NO_FIGURE = {
    "mass_incomplete": ("排放量不完整：有小时未到、无法替代, 或有生产线在册的月份没有该污染物的排放量", "the mass is not whole: hours not reached, hours without a substitute, or months with lines in force but without mass of the pollutant"),
    "no_ledger": ("没有在册的生产线, 或有在册的生产线没有熟料产量台账", "no line is in force, or one in force has no clinker output in the ledgers"),
    "no_output": ("熟料产量为 0", "no clinker was made: 0 t"),
    "owner_changed": ("月内有生产线易主, 月度产量无法分开", "a line changed hands within a month, and its output of the month cannot be parted"),
}  # fmt: skip
REASONS = tuple(_NO_FIGURE)

EMISSIONS_PER_CLINKER = Table(
    "emissions_per_clinker", "emissions", "year", ("scope", "scope_id", "pollutant", "period"),
    "单位熟料排放量", "mass of a month or year for each tonne of clinker, of lines, plants, groups and provinces with clinker ledgers in the year",
    (
        Column("scope", LABEL, "范围", "line, plant, group or province", nullable=False, values=SCOPES),
        Column("scope_id", LABEL, "范围编号：生产线或企业编号、集团或省份名称", "line or plant id, group or province name", nullable=False),
        POLLUTANT,
        Column("period", pa.string(), "期间：月份 YYYY-MM 或年份 YYYY, 北京时间", "local month YYYY-MM or year YYYY", nullable=False),
        Column("mass_kg", pa.float64(), "排放量：同 emissions_totals_monthly、emissions_totals_annual 的 mass_t × 1000; 为该范围内全部排放口之和, 不限于窑尾, 含冷却机、磨机等; 没有则为空", "mass_t of emissions_totals_monthly or emissions_totals_annual times 1000: all outlets of the scope as they stand there, coolers and mills too, not those of the kiln alone; null where there is none", "kg"),
        Column("clinker_t", pa.float64(), "熟料产量：期间内该范围在册各生产线 ledger_clinker 的 output_t 之和, 精确求和后只舍入一次; 有一条缺数, 或月内易主则为空", "output_t of ledger_clinker over the lines of the scope in force in each month, summed exactly and rounded once; null where one is missing or changed hands within a month", "t", low=0),
        Column("kg_per_t", pa.float64(), "单位熟料排放量：mass_kg / clinker_t; 不给则为空, 见 reason", "mass_kg / clinker_t; null where not given, see reason", "kg/t"),
        Column("reason", LABEL, "原因：为何不给数; 有多项时取表中先列者, 已给则为空", "why it is not given, the first that holds; null where it is given", values=REASONS, meanings=tuple(_NO_FIGURE.values())),
    ),
    published=True,
)  # fmt: skip
