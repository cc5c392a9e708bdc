"""Monthly ledgers of plants (月度台账): clinker, fuels, raw materials, laboratory, dust, electricity, heat, meters.

Belongs here: their columns, what a cell can hold at all, and what each stands for on the official forms. Does not belong here: how
people write them (`reference/ledgers`), reading them (`resources/ledgers*`), what is plausible (`reference/ledgers/plausible.csv`).

Ranges here are what is physically possible and no more: a cell beyond them is a mistake, mostly of unit, and stays empty with a finding.
"""

from __future__ import annotations

import pyarrow as pa

from contracts import meanings as m
from contracts.core import LABEL, TIME, Column, Table

#: Where a fuel is burnt, how clinker output was come by, where a heating value comes from, what a fuel is counted in.
FACILITIES = ("kiln", "power_boiler", "industrial_boiler", "mobile")
METERINGS = ("belt", "stocktake")
NCV_SOURCES = ("measured", "default")
UNITS = ("t", "1e4Nm3")

_GUIDE = "CETS-AG-02.01-V01-2024"
_NDRC = "发改办气候〔2013〕2526号"
_VERIFY = "CETS-VG-02.01-V01-2024"
#: No plant of China moves a million tonnes of one thing in a month: what is above was written in kg.
_MOST_T = 1e6
_MOST_MWH = 1e6

_PLANT = Column("plant_id", LABEL, "企业编号", "plant id of the registry", nullable=False, source="registry/plants.csv")
_LINE = Column("line_id", LABEL, "生产线编号", "line id of the registry", nullable=False, source="registry/lines.csv")
_PLANT_LINE = Column(
    "line_id",
    LABEL,
    "生产线编号：企业层级则为空",
    "line id of the registry; null for the plant as a whole",
    source="registry/lines.csv",
)
_MONTH = Column("month", LABEL, "月份", "month, YYYY-MM", nullable=False)
_FUEL = Column("fuel", LABEL, "燃料品种", "fuel, an id of reference/factors/fuels.csv", nullable=False, source=_GUIDE)
#: Where a row stands and which of its submissions it is.
_PLACE = (
    Column("submitted_at", TIME, "提交时间：文件内所写, 北京时间", "time of submission as the file gives it, Beijing time; null where it does not"),
    Column("revision", pa.int32(), "修订号：文件内所写", "revision number as the file gives it; null where it does not"),
    Column("versions", pa.int32(), "提交次数：同一主键的行数, 含本行; 以最后一次为准", "rows with this key in all files, this one among them; the latest counts", nullable=False, low=1),
    Column("src_path", pa.string(), "来源文件：相对 landing/ 的路径", "file below landing/", nullable=False),
    Column("src_sheet", LABEL, "来源工作表：CSV 则为空", "sheet of the workbook; null for CSV"),
    Column("src_row", pa.int32(), "来源行号", "row of the sheet, or line of the file", nullable=False, low=1),
    Column("src_columns", LABEL, "来源列：JSON, 列名到列字母; 月份横排时到单元格", "JSON, column to its letter: with src_sheet and src_row the cell of each value; to the cell itself where months stand across", nullable=False),
)  # fmt: skip


def _number(
    name: str, unit: str, zh: str, en: str, *, low: float | None = 0, high: float | None = None, source: str = _GUIDE
) -> Column:
    # What was made or used adds up over lines and months; stocks and qualities do not.
    adds = name in ("output_t", "consumption", "consumption_t")
    return Column(name, pa.float64(), zh, en, unit, low=low, high=high, source=source, additive=adds)


def _tonnes(
    name: str, zh: str, en: str, *, low: float | None = 0, high: float = _MOST_T, source: str = _GUIDE
) -> Column:
    return _number(name, "t", zh, en, low=low, high=high, source=source)


def _share(name: str, zh: str, en: str, source: str = _GUIDE) -> Column:
    return _number(name, "%", zh, en, high=100, source=source)


def _mwh(name: str, zh: str, en: str, source: str = _GUIDE) -> Column:
    return _number(name, "MWh", zh, en, high=_MOST_MWH, source=source)


def _ledger(name: str, key: tuple[str, ...], zh: str, en: str, *columns: Column, partition: str = "month") -> Table:
    return Table(name, "ledgers", partition, key, zh, en, (*columns, *_PLACE), published=True)


LEDGER_CLINKER = _ledger(
    "ledger_clinker", ("line_id", "month"), "熟料产量台账", "clinker by line and month: output and stock",
    _LINE, _MONTH,
    _tonnes("output_t", "熟料产量", "clinker made"),
    _number("run_hours", "h", "运转时间", "hours in operation", high=744),
    _tonnes("opening_t", "期初库存量", "stock at the beginning"),
    _tonnes("purchased_t", "外购量", "clinker bought"),
    _tonnes("sold_t", "外销量", "clinker sold"),
    _tonnes("used_t", "自用量：粉磨水泥所用", "clinker used in own cement"),
    _tonnes("closing_t", "期末库存量", "stock at the end"),
    Column("metering", LABEL, "产量计量方式", "how output was come by", values=METERINGS, meanings=m.of(m.METERING, METERINGS), source=f"{_GUIDE} B"),
)  # fmt: skip

LEDGER_FUEL = _ledger(
    "ledger_fuel", ("plant_id", "line_id", "facility", "fuel", "month"),
    "化石燃料购销存与消耗台账", "fossil fuels by place of use and month: stock, consumption, heating value",
    _PLANT, _PLANT_LINE,
    Column("facility", LABEL, "使用设施", "where it is burnt", nullable=False, values=FACILITIES, meanings=m.of(m.FACILITY, FACILITIES), source=f"{_GUIDE} A"),
    _FUEL, _MONTH,
    _number("opening", "", "期初库存量：单位见 unit", "stock at the beginning, in `unit`", high=_MOST_T),
    _number("purchased", "", "购入量：单位见 unit", "bought, in `unit`", high=_MOST_T),
    _number("sold", "", "外销量：单位见 unit", "sold or used elsewhere, in `unit`", high=_MOST_T),
    _number("closing", "", "期末库存量：单位见 unit", "stock at the end, in `unit`", high=_MOST_T),
    _number("consumption", "", "消耗量：收到基, 单位见 unit", "consumption as received, in `unit`", high=_MOST_T),
    Column("unit", LABEL, "计量单位", "unit of the amounts", values=UNITS, meanings=m.of(m.FUEL_UNIT, UNITS)),
    # No fuel holds more per tonne than hydrogen; gases count by 1e4 Nm3 and butane has some 1,200 GJ in that.
    _number("ncv_gj", "GJ/t, GJ/1e4Nm3", "低位发热量：收到基, 用缺省值则为空", "net calorific value as received, per t or 1e4Nm3; null: the default", high=1500),
    Column("ncv_source", LABEL, "低位发热量来源", "where the heating value comes from", values=NCV_SOURCES, meanings=m.of(m.NCV_SOURCE, NCV_SOURCES)),
    _share("moisture_pct", "收到基水分", "moisture as received"),
    Column("meter_id", LABEL, "计量器具编号", "meter of ledger_meter"),
)  # fmt: skip

LEDGER_RAWMAT = _ledger(
    "ledger_rawmat", ("line_id", "material", "month"), "替代原料消耗台账", "raw materials by line and month",
    _LINE,
    Column("material", LABEL, "原料名称", "raw material, an id of reference/factors/materials.csv", nullable=False, source=f"{_GUIDE} C"),
    _MONTH,
    _tonnes("consumption_t", "消耗量", "consumption"),
    _tonnes("opening_t", "期初库存量", "stock at the beginning"),
    _tonnes("purchased_t", "购入量", "bought"),
    _tonnes("closing_t", "期末库存量", "stock at the end"),
    _share("moisture_pct", "水分", "moisture"),
)  # fmt: skip

LEDGER_RAWMEAL = _ledger(
    "ledger_rawmeal", ("line_id", "month"), "生料台账", "raw meal by line and month",
    _LINE, _MONTH,
    _tonnes("rawmeal_t", "生料消耗量", "raw meal fed", high=2 * _MOST_T, source=_NDRC),
    _share("nonfuel_carbon_pct", "生料非燃料碳含量", "non-fuel carbon of the raw meal", _NDRC),
)  # fmt: skip

LEDGER_LAB = _ledger(
    "ledger_lab", ("line_id", "month"), "熟料化学分析台账", "analyses of clinker by line and month",
    _LINE, _MONTH,
    _share("clinker_cao_pct", "熟料氧化钙含量", "CaO of clinker", _NDRC),
    _share("clinker_mgo_pct", "熟料氧化镁含量", "MgO of clinker", _NDRC),
    _share("noncarbonate_cao_pct", "熟料中非碳酸盐来源氧化钙含量", "CaO of clinker that does not come from carbonates", _NDRC),
    _share("noncarbonate_mgo_pct", "熟料中非碳酸盐来源氧化镁含量", "MgO of clinker that does not come from carbonates", _NDRC),
)  # fmt: skip

LEDGER_DUST = _ledger(
    "ledger_dust", ("line_id", "month"), "窑尘台账", "kiln dust by line and month",
    _LINE, _MONTH,
    _tonnes("kiln_dust_t", "窑炉排气筒粉尘量：窑头", "dust of the kiln stack", source=_NDRC),
    _tonnes("bypass_dust_t", "旁路放风粉尘量", "bypass dust", source=_NDRC),
    _tonnes("ckd_t", "窑灰量：离开窑系统", "cement kiln dust leaving the kiln system", source="GCCA CSI v3"),
    _number("ckd_calcination", "", "窑灰分解率：0 至 1", "calcination of the kiln dust, 0 to 1", high=1, source="GCCA CSI v3"),
)  # fmt: skip

LEDGER_ALTFUEL = _ledger(
    "ledger_altfuel", ("line_id", "fuel", "month"), "替代燃料台账", "alternative fuels by line and month",
    _LINE, _FUEL, _MONTH,
    _tonnes("consumption_t", "消耗量", "consumption", source=_NDRC),
    _number("ncv_gj", "GJ/t", "低位发热量", "net calorific value", high=150, source=_NDRC),
    # Hydrogen-poor gases of blast furnaces come to 0.26; in tCO2/TJ or kgCO2/GJ it would be tens.
    _number("ef_tco2_gj", "tCO2/GJ", "排放因子", "emission factor", high=1, source=_NDRC),
    _share("fossil_carbon_pct", "化石碳占比", "fossil share of its carbon", _NDRC),
)  # fmt: skip

LEDGER_ELECTRICITY = _ledger(
    "ledger_electricity", ("plant_id", "line_id", "month"), "电力台账", "electricity by plant or line and month",
    _PLANT, _PLANT_LINE, _MONTH,
    _mwh("grid_mwh", "购入使用电量：来自电网", "bought from the grid"),
    _mwh("direct_nonfossil_mwh", "直供非化石能源电量", "non-fossil, by direct line"),
    _mwh("certificate_mwh", "绿证对应电量", "covered by green certificates"),
    _mwh("waste_heat_mwh", "余热发电量：自用", "own use of waste-heat power"),
    _mwh("captive_mwh", "自备电厂供电量", "from the captive power plant"),
    _mwh("exported_mwh", "输出电量", "exported"),
)  # fmt: skip

LEDGER_HEAT = _ledger(
    "ledger_heat", ("plant_id", "month"), "热力台账", "heat by plant and month",
    _PLANT, _MONTH,
    _number("purchased_gj", "GJ", "购入热量", "bought", high=1e7),
    _number("exported_gj", "GJ", "输出热量", "exported", high=1e7),
)  # fmt: skip

LEDGER_METER = _ledger(
    "ledger_meter", ("plant_id", "meter_id", "calibrated_from"), "计量器具台账", "meters and their calibrations",
    Column("meter_id", LABEL, "计量器具编号", "meter id", nullable=False),
    _PLANT, _PLANT_LINE,
    Column("quantity", LABEL, "计量参数", "what it measures, as written", source=_VERIFY),
    _number("class_pct", "%", "准确度等级：最大允许误差", "accuracy class: greatest permitted error", high=20, source=_VERIFY),
    _number("actual_pct", "%", "实测误差", "error found at calibration", high=100, source=_VERIFY),
    Column("calibrated_from", pa.date32(), "检定有效期起：含", "calibration holds from, inclusive", nullable=False, source=_VERIFY),
    Column("calibrated_to", pa.date32(), "检定有效期止：含", "calibration holds to, inclusive", source=_VERIFY),
    partition="none",
)  # fmt: skip

#: Those with a month, and all.
MONTHLY = (
    LEDGER_CLINKER, LEDGER_FUEL, LEDGER_RAWMAT, LEDGER_RAWMEAL, LEDGER_LAB, LEDGER_DUST, LEDGER_ALTFUEL, LEDGER_ELECTRICITY,
    LEDGER_HEAT,
)  # fmt: skip
LEDGERS = (*MONTHLY, LEDGER_METER)
#: Columns that say where a row stands and which submission it is; none of what it says.
PROVENANCE = tuple(c.name for c in _PLACE)
