"""What each cell of the registry may hold: one record per column of every file of registry/.

Belongs here: files, columns, types, ranges, listed values and their texts (design 4.2). Does not belong here: reading
(`registry_read`) and rules between rows (`registry_check`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from contracts.channels import POLLUTANTS
from resources.problems import Problem
from resources.registry_rows import Dated, Device, Line, Outlet, Permit, Plant

REGION_CLASSES = ("key", "general")
CLINKER_CLASSES = ("portland", "white", "sulfoaluminate", "aluminate")
POINT_TYPES = ("kiln_tail", "cooler", "coal_mill", "raw_mill", "cement_mill", "dryer", "crusher", "packing", "other")
REDUCTANTS = ("none", "ammonia", "urea")
CRC_VARIANTS = ("hj212", "modbus", "modbus_swapped")
INTERVALS = ("1", "2", "3", "4", "5", "6", "10", "12", "15", "20", "30", "60")

#: `id` is printable and has no "/" (ids stand inside rule ids), `mn` is what a packet may carry, `number` is a plain
#: decimal, `whole` an integer, `flag` true/false, `day` a date, `choices` a set of listed values.
Kind = Literal["id", "mn", "text", "number", "whole", "flag", "day", "choice", "choices"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One column: what a cell may hold. `low`/`high` are inclusive, `above` is exclusive, in `unit`."""

    name: str
    kind: Kind
    zh: str
    en: str
    required: bool = True
    unit: str = ""
    low: float | None = None
    high: float | None = None
    above: float | None = None
    values: tuple[str, ...] = ()
    default: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file of registry/. `key` is what may not be in force twice at a time; `optional`: the file may be absent."""

    file: str
    row: type[Dated]
    key: tuple[str, ...]
    zh: str
    en: str
    cells: tuple[Cell, ...]
    optional: bool = False

    def problem(self, *texts: str) -> Problem:
        """A problem of the file as a whole: text zh, text en, remedy zh, remedy en."""
        return Problem(self.file, 0, "", "", *texts)


_VALID = (
    Cell("valid_from", "day", "生效日期(含)", "in force from (inclusive)"),
    Cell("valid_to", "day", "失效日期(不含)", "in force until (exclusive); empty = open", required=False),
)

# Latitude and longitude are bounded by China, so that swapped or truncated coordinates are found.
PLANTS = Sheet(
    "plants.csv", Plant, ("plant_id",), "企业", "plants",
    (
        Cell("plant_id", "id", "企业编号", "plant id"),
        Cell("name", "text", "企业名称", "name"),
        Cell("name_en", "text", "英文名称", "English name", required=False),
        Cell("uscc", "text", "统一社会信用代码", "unified social credit code", required=False),
        Cell("group", "text", "所属集团", "group", required=False),
        Cell("province", "text", "省份", "province"),
        Cell("prefecture", "text", "地市", "prefecture", required=False),
        Cell("latitude", "number", "纬度", "latitude", False, "deg", low=3, high=54),
        Cell("longitude", "number", "经度", "longitude", False, "deg", low=73, high=136),
        Cell("ambient_pressure_kpa", "number", "当地大气压", "ambient pressure", False, "kPa", low=50, high=110),
        Cell("region_class", "choice", "区域类别", "region class", values=REGION_CLASSES),
        *_VALID,
    ),
)  # fmt: skip
LINES = Sheet(
    "lines.csv", Line, ("line_id",), "生产线", "lines",
    (
        Cell("line_id", "id", "生产线编号", "line id"),
        Cell("plant_id", "id", "企业编号", "plant id"),
        Cell("clinker_class", "choice", "熟料类别", "clinker class", values=CLINKER_CLASSES),
        Cell("capacity_t_d", "number", "熟料产能", "clinker capacity", True, "t/d", above=0, high=20000),
        *_VALID,
    ),
    optional=True,
)  # fmt: skip
OUTLETS = Sheet(
    "outlets.csv", Outlet, ("outlet_id",), "排放口", "outlets",
    (
        Cell("outlet_id", "id", "排放口编号", "outlet id"),
        Cell("plant_id", "id", "企业编号", "plant id"),
        Cell("line_id", "id", "生产线编号", "line id; empty = plant-level", required=False),
        Cell("point_type", "choice", "排放口类型", "point type", values=POINT_TYPES),
        Cell("duct_area_m2", "number", "烟道截面积", "duct area", False, "m2", above=0, high=1000),
        Cell("velocity_coefficient", "number", "速度场系数", "velocity-field coefficient", False, low=0.1, high=3),
        Cell("o2_reference_pct", "number", "基准氧含量", "reference O2; empty = by rule", False, "%", above=0, high=20.5),
        Cell("reductant", "choice", "还原剂", "reductant", False, values=REDUCTANTS),
        *_VALID,
    ),
)  # fmt: skip
DEVICES = Sheet(
    "devices.csv", Device, ("mn",), "数采仪", "devices",
    (
        Cell("mn", "mn", "设备标识 MN", "device number (MN)"),
        Cell("outlet_id", "id", "排放口编号", "outlet id"),
        Cell("interval_min", "whole", "分钟数据间隔", "interval of minute data", True, "min", values=INTERVALS),
        Cell("label", "choice", "时间标签", "does DataTime name the start or the end?", values=("start", "end", "auto")),
        Cell("pressure_unit", "choice", "压力单位", "unit of pressure", values=("kPa", "Pa")),
        Cell("pressure_basis", "choice", "压力基准", "gauge or absolute pressure", values=("gauge", "absolute")),
        Cell("flow_unit", "choice", "流量单位", "unit of flow", values=("m3/h", "m3/s")),
        Cell("flow_basis", "choice", "流量基准", "state of flow", values=("wet_actual", "dry_standard")),
        Cell("gas_basis", "choice", "气态污染物干湿基", "gas analyser wet or dry", values=("wet", "dry")),
        Cell("nox_as_no2", "flag", "NOx 已按 NO2 计", "NOx already as NO2"),
        Cell("missing_flag", "choice", "无标记数据", "values without a flag", values=("valid", "invalid")),
        Cell("crc_variants", "choices", "CRC 变体", "CRC variants accepted; empty = hj212", False, values=CRC_VARIANTS, default=("hj212",)),
        *_VALID,
    ),
)  # fmt: skip
PERMITS = Sheet(
    "permits.csv", Permit, ("outlet_id", "pollutant", "standard"), "排污许可限值", "permit limits",
    (
        Cell("outlet_id", "id", "排放口编号", "outlet id"),
        Cell("pollutant", "choice", "污染物", "pollutant", values=POLLUTANTS),
        Cell("limit_mg_m3", "number", "限值", "limit", True, "mg/m3", above=0, high=10000),
        Cell("standard", "text", "依据标准", "standard the limit comes from"),
        *_VALID,
    ),
    optional=True,
)  # fmt: skip

#: Every file, parents before children.
SHEETS: tuple[Sheet, ...] = (PLANTS, LINES, OUTLETS, DEVICES, PERMITS)


def header(sheet: Sheet) -> str:
    """The header line of a file: `header(PLANTS).startswith("plant_id,name,")`."""
    return ",".join(f.name for f in fields(sheet.row))  # type: ignore[arg-type]
