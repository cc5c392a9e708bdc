"""Contracts of hourly emissions of US power units as the EPA publishes them, and of the sums made from them.

Belongs here: columns of epa_hourly and epa_units. Does not belong here: reading the files (`resources/epa_hourly.py`) and the
tables of a home: neither is part of the lake or of a release, so neither stands in `contracts.TABLES`.
"""

from __future__ import annotations

import pyarrow as pa

from contracts.core import LABEL, TIME, Column, Table

#: Codes 1 to 6 of the files in their order: how a value came about.
METHODS = ("measured", "calculated", "substitute", "measured_and_substitute", "lme", "other")
_METHOD_MEANINGS = (
    ("实测", "measured"),
    ("计算", "calculated"),
    ("替代数据", "substituted for a missing measurement"),
    ("部分实测, 部分替代", "partly measured, partly substituted"),
    ("低质量排放(LME)估算法", "estimated by the low-mass-emissions method"),
    ("其他", "other"),
)
#: What has a method code of its own, in the order of the files, with its Chinese name.
MEASURES = {"heat_input": "热输入", "so2": "二氧化硫", "nox_mass": "氮氧化物质量", "nox_rate": "氮氧化物排放率"}
#: The hours are those of the plant's place, without summer time.
CLOCK = "local standard time of the plant"

_PART_75 = "40 CFR 75"
_UNIT = (
    Column("orispl", pa.int32(), "电厂编号：ORIS 代码", "ORIS code of the plant", nullable=False, low=1),
    Column("unit", LABEL, "机组编号：文本, 如 1、6A、CT10", "id of the unit or boiler; text, such as 1, 6A, CT10", nullable=False),
)  # fmt: skip


def _method(measure: str, zh: str) -> Column:
    name = measure.replace("_", " ")
    return Column(
        f"{measure}_method", LABEL, f"{zh}取得方法：文件未写则为空", f"how {name} was obtained; null where the file does not say",
        values=METHODS, meanings=_METHOD_MEANINGS, source=_PART_75,
    )  # fmt: skip


EPA_HOURLY = Table(
    "epa_hourly", "imports", "none", ("orispl", "unit", "hour"),
    "美国机组小时排放", "hours of US power units as published; what the file gives as -9 is null",
    (
        *_UNIT,
        Column("hour", TIME, "小时起点：电厂所在地标准时间, 不用夏令时", "start of the hour, local standard time of the plant", nullable=False),
        Column("operating_h", pa.float64(), "运行时间：该小时内运行的部分", "part of the hour in operation", "h", low=0, high=1),
        Column("gross_load_mw", pa.float64(), "总负荷：运行期间平均", "gross load, mean while operating", "MW", low=0),
        Column("steam_load", pa.float64(), "蒸汽负荷", "steam load", "1000 lb/h", low=0),
        Column("heat_input_mmbtu", pa.float64(), "热输入：该小时总量, 不足一小时的运行已计入", "heat input of the clock hour; an hour in part has that part", "mmBtu", low=0, source=_PART_75),
        Column("nox_rate_lb_mmbtu", pa.float64(), "氮氧化物排放率", "NOx per heat input", "lb/mmBtu", low=0, source=_PART_75),
        Column("nox_mass_lb", pa.float64(), "氮氧化物质量：该小时总量", "NOx of the clock hour", "lb", low=0, source=_PART_75),
        Column("so2_mass_lb", pa.float64(), "二氧化硫质量：该小时总量", "SO2 of the clock hour", "lb", low=0, source=_PART_75),
        Column("nox_mass_recomputed_lb", pa.float64(), "重算氮氧化物质量：排放率 x 热输入", "NOx rate x heat input, to compare with nox_mass_lb", "lb", low=0),
        *(_method(name, zh) for name, zh in MEASURES.items()),
        Column("unit_flow", pa.float64(), "机组流量：原样", "unit flow as given", low=0),
        Column("src_file", LABEL, "来源文件", "name of the file it was read from", nullable=False),
        Column("src_line", pa.int32(), "来源行号", "line of that file", nullable=False, low=1),
    ),
)  # fmt: skip


def _share(measure: str, zh: str) -> tuple[Column, ...]:
    name = measure.replace("_", " ")
    return (
        Column(f"{measure}_substituted_hours", pa.int32(), f"{zh}替代小时数：代码 3", f"operating hours whose {name} is a substitute (code 3)", "h", nullable=False, low=0),
        Column(f"{measure}_mixed_hours", pa.int32(), f"{zh}部分替代小时数：代码 4, 不计入替代小时", f"operating hours whose {name} is partly a substitute (code 4); not among the substituted", "h", nullable=False, low=0),
        Column(f"{measure}_substituted_pct", pa.float64(), f"{zh}替代占比：占运行小时", f"share of the operating hours whose {name} is a substitute; null without any", "%", low=0, high=100),
        Column(f"{measure}_longest_run_h", pa.int32(), f"{zh}最长连续替代：按运行小时计, 停机不打断, 缺失的小时打断", f"longest run of operating hours with substituted {name}; a stop does not end a run, an hour without a row does", "h", nullable=False, low=0),
        Column(f"{measure}_longest_run_from", TIME, f"{zh}最长连续替代起点：首个最长者", f"first hour of the first such run of {name}; null where there is none"),
    )  # fmt: skip


EPA_UNITS = Table(
    "epa_units", "imports", "none", ("orispl", "unit", "year"),
    "美国机组年度合计", "sums of each unit and year over the hours at hand",
    (
        *_UNIT,
        Column("year", pa.int16(), "年份", "year of the hours", nullable=False),
        Column("first_hour", TIME, "首个小时", "first hour at hand", nullable=False),
        Column("last_hour", TIME, "末个小时", "last hour at hand", nullable=False),
        Column("hours", pa.int32(), "小时数", "hours at hand", "h", nullable=False, low=1),
        Column("missing_hours", pa.int32(), "缺失小时数：首末之间没有行的小时", "hours between first and last without a row", "h", nullable=False, low=0),
        Column("operating_hours", pa.int32(), "运行小时数：运行时间大于 0 的小时", "hours with an operating time above 0", "h", nullable=False, low=0),
        Column("operating_time_h", pa.float64(), "运行时间：合计", "sum of the operating times", "h", nullable=False, low=0),
        Column("heat_input_mmbtu", pa.float64(), "热输入：合计", "sum of heat input", "mmBtu", nullable=False, low=0),
        Column("nox_lb", pa.float64(), "氮氧化物：合计", "sum of the NOx masses", "lb", nullable=False, low=0),
        Column("nox_t", pa.float64(), "氮氧化物：合计, 公吨", "the same in metric tonnes", "t", nullable=False, low=0),
        Column("so2_lb", pa.float64(), "二氧化硫：合计", "sum of the SO2 masses", "lb", nullable=False, low=0),
        Column("so2_t", pa.float64(), "二氧化硫：合计, 公吨", "the same in metric tonnes", "t", nullable=False, low=0),
        Column("nox_recomputed_lb", pa.float64(), "重算氮氧化物：在质量、排放率、热输入俱全的小时上合计", "sum of rate x heat input over hours that have all three", "lb", nullable=False, low=0),
        Column("compared_hours", pa.int32(), "可核对小时数：三者俱全", "hours that have NOx mass, rate and heat input", "h", nullable=False, low=0),
        Column("agreeing_hours", pa.int32(), "核对一致小时数：差在舍入之内", "of these, hours in which mass = rate x heat input within rounding", "h", nullable=False, low=0),
        Column("agreeing_pct", pa.float64(), "一致占比", "share of the compared hours that agree; null without any", "%", low=0, high=100),
        Column("load_without_nox_hours", pa.int32(), "有负荷而无氮氧化物质量的小时数", "hours with a load above 0 and no NOx mass", "h", nullable=False, low=0),
        Column("zero_nox_hours", pa.int32(), "运行而氮氧化物为零的小时数", "operating hours with a NOx mass of 0", "h", nullable=False, low=0),
        *(column for name, zh in MEASURES.items() for column in _share(name, zh)),
    ),
)  # fmt: skip


def stamped(table: pa.Table) -> pa.Table:
    """The table with the clock of these hours in its metadata: Beijing time holds for the tables of a home."""
    return table.replace_schema_metadata({**(table.schema.metadata or {}), b"time_zone": CLOCK.encode()})
