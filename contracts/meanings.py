"""What listed values mean, in Chinese and English: of columns whose values do not speak for themselves.

Belongs here: value -> (zh, en). Does not belong here: which values a column may hold and in which order (the tables).
"""

from __future__ import annotations

from contracts.channels import CHANNELS

Meanings = dict[str, tuple[str, str]]

CHANNEL: Meanings = {c.name: (c.zh, c.en) for c in CHANNELS}

STATE: Meanings = {
    "read": ("已读取, 计入结果", "read, its rows count"),
    "copy": ("与另一路径内容相同, 不重复计入", "the same content lies under another path, counted once"),
    "grown": ("已被同一路径下更长或更全的文件取代", "a longer or fuller file took its place under the same path"),
    "refused": ("拒收, 见 reason", "refused, see reason"),
}
ARRIVAL_KIND: Meanings = {
    "hj212": ("HJ 212 报文", "an HJ 212 capture"),
    "csv": ("文本导出表", "an export as delimited text"),
    "excel": ("Excel 导出表", "an export as a workbook"),
    "parquet": ("Parquet 导出表", "an export as Parquet"),
    "events": ("工况或设备标记的申报", "declarations of process states or device marks"),
    "ledger": ("月度台账", "a monthly ledger"),
    "refused": ("无法读取的报文文件或导出表", "a capture or export that cannot be read"),
}
OTHER_REASON: Meanings = {
    "unknown_factor": ("因子编码不在已知之列", "the factor code is not among the known ones"),
    "unknown_subfield": ("子字段不在已知之列", "the sub-field is not among the known ones"),
    "verbatim": ("数值已入宽表, 此处为原文", "the number stands in the wide row, its exact text here"),
    "unit_refused": (
        "单位或状态不能精确换算为设备登记的单位",
        "its unit or state cannot become the device row's exactly",
    ),
}
LEVEL: Meanings = {
    "frame": ("整帧(导出文件为整行)被拒", "the whole frame, or line of an export, was refused"),
    "cell": (
        "接收帧或行中的单个值被拒或被取代",
        "one value of an accepted frame or line was refused or lost to another",
    ),
}
HOUR_TAG: Meanings = {
    "N": ("正常", "normal"),
    "F": (
        "排放源停运; flag_system 为 hj212 时是监测仪器停运",
        "source stopped; with flag_system hj212 the instrument was",
    ),
    "St": ("启炉", "start-up"),
    "Sd": ("停炉", "shut-down"),
    "B": ("闷炉", "banked"),
    "C": ("校准", "calibration"),
    "M": ("维护", "maintenance"),
    "D": ("故障、断电", "fault, power loss"),
    "T": ("超测定上限", "over measuring range"),
    "Md": ("缺失", "no data"),
    "OOC": ("失控", "out of control"),
    "X_INSUFFICIENT": ("有效分钟不足, 也不够任何标记", "too few valid minutes, and too few of any mark"),
}
PROCESS_STATE: Meanings = {
    "running": ("正常运行", "in normal operation"),
    "cold_start": ("冷点火启窑", "start from cold"),
    "hot_start": ("热点火启窑", "start from hot"),
    "shutdown": ("停窑过程", "being shut down"),
    "stopped": ("停运", "stopped"),
    "banked": ("闷窑保温", "banked: fire kept, no feed"),
}
FLAG_SYSTEM: Meanings = {
    "hj212": ("由报文数据标记推得", "from the data flags of the packets"),
    "hj75": ("由设备标记和工况推得", "from marks of devices and process states"),
}
LABEL_SIDE: Meanings = {
    "start": ("DataTime 为时段起点", "DataTime names the start of its interval"),
    "end": ("DataTime 为时段终点", "DataTime names the end of its interval"),
}
NULL_REASON: Meanings = {
    "no_data": ("该小时没有记录", "the hour has no record"),
    "below_45_valid_minutes": ("有效分钟不足 45", "fewer than 45 valid minutes"),
    "o2_invalid": ("折算所需氧含量无效", "the oxygen that conversion needs is not valid"),
    "o2_near_air": ("氧含量达到空气水平, 无法折算", "oxygen as in air: conversion is not defined"),
    "no_nox_basis": ("只有 NO 而无法换算为 NO2 计的 NOx", "nitrogen oxides cannot be put together as NO2"),
    "stopped": ("申报停运", "declared as stopped"),
    "no_moisture": ("湿基数据缺少湿度", "wet gas without its moisture"),
}
SEVERITY: Meanings = {
    "info": ("提示", "good to know"),
    "warn": ("应当查看", "should be looked at"),
    "serious": ("可能使数据整体有误", "may make all figures of the outlet wrong"),
}
EXCLUDED: Meanings = {
    "invalid": ("有记录而无有效值", "recorded, but without a valid value"),
    "no_data": ("没有记录", "no record"),
    "not_producing": ("未生产", "not in production"),
    "no_limit": ("当日没有超低排放限值", "no ultra-low limit on that day"),
    "exempt": ("主口径不计的启停炉小时", "start-up or shut-down that the headline policy leaves out"),
}
VERDICT: Meanings = {
    "PASS": ("达标小时占判定小时 95 % 及以上", "at least 95 % of the judged hours are within the limit"),
    "FAIL": ("不足 95 %", "fewer than 95 % are"),
    "INSUFFICIENT": ("有效小时太少, 不下结论", "too few valid hours for a verdict"),
    "NO_PRODUCTION": ("没有生产小时", "no production hours"),
}
FLOOR_VERDICT: Meanings = {
    "PASS": ("判定小时均不超过强制标准", "no tested hour is above the mandatory standard"),
    "FAIL": ("至少一小时超过强制标准", "at least one tested hour is above it"),
    "INSUFFICIENT": ("无超标, 但判定小时太少", "no failing hour, but too few tested ones"),
}
MANDATORY_VERDICT: Meanings = {
    **FLOOR_VERDICT,
    "NO_PRODUCTION": ("没有生产小时", "no production hours"),
}
SCOPE_VERDICT: Meanings = {
    "PASS": ("生产的排放口均达标", "every outlet in production passes"),
    "FAIL": ("至少一个排放口未达标", "at least one outlet fails"),
    "INSUFFICIENT": ("无未达标者, 但至少一个排放口数据不足", "none fails, but at least one has too few valid hours"),
    "NO_PRODUCTION": ("各排放口均未生产", "no outlet was in production"),
}
COMBINE: Meanings = {
    "per_pollutant": ("每项污染物各自判定, 均须达标", "each pollutant by itself, all must pass"),
    "joint": (
        "颗粒物、二氧化硫、氮氧化物合并判定的结论代替各自结论",
        "the joint verdict of PM, SO2 and NOx in place of theirs",
    ),
}
EPISODE_KIND: Meanings = {
    "ule": ("超过超低排放限值", "above the ultra-low limit"),
    "mandatory": ("超过强制标准或许可证", "above the mandatory standard or permit"),
}
UNMEASURED: Meanings = {
    "toc": ("总有机碳, 没有监测通道", "total organic carbon; no channel carries it"),
    "thc": ("总烃, 没有监测通道", "total hydrocarbons; no channel carries them"),
    "organic_hap": ("有机有害空气污染物, 没有监测通道", "organic hazardous air pollutants; no channel carries them"),
}
AVERAGING: Meanings = {
    "hour": ("小时均值", "mean of an hour"),
    "half_hour": ("半小时均值", "mean of half an hour"),
    "day": ("日均值", "mean of a day"),
    "operating_days_30": ("最近 30 个运行日", "the last 30 days in operation"),
}
STANDARD_REASON: Meanings = {
    "not_operating": (
        "当日没有计入的运行小时",
        "no hour of the day counts: the kiln did not operate, or only started or stopped",
    ),
    "discarded": ("有效小时不足, 当日作废", "too few valid hours: the day is discarded"),
    "filling": ("运行日尚不足窗口天数", "fewer operating days so far than the window asks for"),
    "no_valid_hours": ("窗口内没有有效小时", "no valid hour in the window"),
    "no_clinker": ("缺少熟料日产量", "clinker production by the day is not known"),
    "not_measured": ("该排放口没有此项监测数据", "the outlet has no data of this pollutant"),
    "no_channel": ("没有该污染物的监测通道", "no channel carries this pollutant"),
    "parametric": (
        "以运行参数证明, 烟囱数据不可比较",
        "shown by an operating limit of the plant's own: no stack figure can be compared",
    ),
    "not_built": ("此平均期尚不计算", "this average is not computed"),
    "too_many_discarded": ("本年作废天数超过上限", "more days of the year were discarded than the standard allows"),
}
STANDARD_VERDICT: Meanings = {
    "PASS": ("所有比较值不超过限值", "every value is within the limit"),
    "FAIL": ("至少一个比较值超过限值", "at least one value is above it"),
    "INSUFFICIENT": ("有效数据太少, 不下结论", "too few valid data for a verdict"),
    "INSUFFICIENT_INPUT": ("缺少标准所需的输入, 不下结论", "an input that the standard needs is missing: no verdict"),
    "NO_PRODUCTION": ("没有运行小时", "no hours in operation"),
}
CONFIDENCE: Meanings = {
    "verified": ("读自法规原文", "read in the legal text"),
    "secondary": ("读自二手来源", "read in a secondary source"),
    "memory": ("凭记忆, 基本可靠", "from memory and likely right"),
    "draft": ("待核, 不用于正式填报", "to be checked, not for filing"),
}
MASS_METHOD: Meanings = {
    "measured": ("实测", "measured"),
    "max180": ("前 180 个有效小时的最大值", "greatest of the last 180 valid hours"),
    "max720": ("前 720 个有效小时的最大值", "greatest of the last 720 valid hours"),
    "max2160": ("前 2160 个有效小时的最大值", "greatest of the last 2160 valid hours"),
    "stopped": ("停运, 排放量为 0", "the source was stopped: 0 kg"),
    "no_substitute": (
        "捕集率不足或此前没有有效小时, 不给数",
        "capture too low, or no valid hour before: no number is given",
    ),
}
TABLE_ROW: Meanings = {
    "full": ("捕集率 90 % 及以上", "capture rate of at least 90 %"),
    "low": ("捕集率 75 % 至 90 %", "at least 75 %, below 90 %"),
    "neither": ("捕集率不足 75 %, 表中无此行", "below 75 %: the tables have no row"),
}
METERING: Meanings = {
    "belt": ("直接计量", "direct metering: belt scale, feeder"),
    "stocktake": ("盘库", "stock-taking of silos: outgoing and change of stock"),
}
FACILITY: Meanings = {
    "kiln": ("水泥窑", "cement kiln"),
    "power_boiler": ("发电锅炉", "boiler of a power plant"),
    "industrial_boiler": ("工业锅炉", "industrial boiler"),
    "mobile": ("移动燃烧设备", "vehicles and mobile equipment"),
}
NCV_SOURCE: Meanings = {
    "measured": ("实测", "measured batch by batch"),
    "default": ("缺省值", "default value of the method"),
}
FUEL_UNIT: Meanings = {
    "t": ("吨", "tonnes"),
    "1e4Nm3": ("万标准立方米", "ten thousand cubic metres at standard state"),
}
AGGREGATION: Meanings = {
    "annual_weighted": ("全年加权：全年消耗量乘加权平均参数", "the year's amounts times weighted means"),
    "monthly_sum": ("逐月相加：各月修约后相加", "the sum of rounded months"),
}
CARBON_STATUS: Meanings = {
    "filing": ("可填报", "fit for filing"),
    "draft": ("试算：用到未核实之处, 或年度尚不完整", "a trial: it rests on drafts, or the year is not complete"),
    "missing": ("缺数：不给数值", "inputs are missing: no number is given"),
}
CARBON_KIND: Meanings = {
    "source": ("排放源", "a source"),
    "sum": ("合计", "a sum of sources"),
}
CARBON_LEVEL: Meanings = {
    "line": ("熟料生产线", "clinker line"),
    "entity": ("企业", "the plant as a whole"),
}
CARBON_SUM: Meanings = {
    "fossil": ("化石燃料燃烧", "combustion of fuels"),
    "process": ("过程排放", "process"),
    "energy": ("电力与热力", "electricity and heat"),
    "total": ("合计", "total"),
}
CARBON_REASON: Meanings = {
    "missing_input": ("台账缺数", "an input of the ledgers is missing"),
    "missing_factor": ("缺少因子", "a factor is missing"),
    "not_listed": ("方法未列该原料, 不扣减", "the method does not list the material: it deducts nothing"),
}
ELECTRICITY_BASIS: Meanings = {
    "none": ("方法不含电力", "the method has no electricity"),
    "location_province": ("按所在省份：网购电量乘省级平均因子", "location: grid electricity, factor of the province"),
    "location_national": ("按全国：网购电量乘全国平均因子", "location: grid electricity, national factor"),
    "location_region": (
        "按区域电网：网购电量乘区域电网因子",
        "location: grid electricity, factor of the regional grid",
    ),
    "national_ets": ("按碳市场通知的全国电网因子", "national factor of the trading system's notices"),
    "net_national": ("扣除绿证电量后乘全国平均因子", "grid less certificates, national factor"),
    "market_residual": ("扣除绿证电量后乘全国剩余组合因子", "grid less certificates, national residual factor"),
}
ETS_SPECIAL: Meanings = {
    "verified_year": ("该年度配额等于排放量", "allowances of the year are the emissions"),
    "new": ("当年新建", "new in the year"),
    "closed": ("当年关停", "closed in the year"),
    "small_entity": ("企业排放量低于门槛", "the entity is below the threshold"),
    "white": ("仅生产白色硅酸盐水泥熟料", "white clinker only"),
    "gypsum_acid": ("石膏制硫酸联产水泥", "clinker beside sulphuric acid from gypsum"),
    "carbide": ("电石渣替代率高于阈值", "carbide rate above the threshold"),
    "outside": ("当年新建或关停, 不参与分配", "new or closed in the year: no part in the allocation"),
    "not_listed": ("企业不在重点排放单位名录", "the entity is not on the list of the system"),
    "not_covered": ("熟料类别未纳入配额管理", "the class of clinker is not under allocation"),
}
ETS_NO_NUMBER: Meanings = {
    "no_balance_value": (
        "缺行业平衡值：平台公布后写入 registry/ets.csv",
        "no balance value: write it into registry/ets.csv once it is published",
    ),
    "no_emission": ("缺排放量或熟料产量", "no emission or no clinker"),
    "outside": ("不参与分配", "no part in the allocation"),
    "no_plan": ("该年度没有分配方案", "no plan covers the year"),
    "implausible_emission": ("排放量为负或过大", "the emission is negative or beyond all measure"),
    "entity_open": (
        "年度尚不完整, 企业至今低于门槛",
        "the year is not complete, and the entity is below the threshold so far",
    ),
    "no_entity_total": (
        "缺企业直接排放量, 无法判断门槛",
        "no direct emission of the entity: the threshold cannot be judged",
    ),
    "no_formula": ("缺强度系数的参数", "a parameter of the coefficient is missing"),
}
ETS_STEP: Meanings = {
    "monthly_filing": ("月度信息化存证", "monthly filing"),
    "control_plan": ("数据质量控制方案", "data quality control plan"),
    "preallocation": ("预分配配额发放", "allocation in advance"),
    "annual_report": ("年度排放报告", "annual report"),
    "verification": ("核查完成", "verification done"),
    "allowances_fixed": ("配额核定", "allowances fixed"),
    "allowances_issued": ("配额发放", "allowances issued"),
    "surrender": ("配额清缴", "surrender"),
}
ETS_QUANTITY: Meanings = {
    "total": ("生产线合计", "the line as a whole"),
    "activity": ("活动水平", "activity"),
    "ncv": ("低位发热量", "net calorific value"),
    "cc": ("单位热值含碳量", "carbon content per unit of heat"),
    "of": ("碳氧化率", "oxidation rate"),
    "ef_clinker": ("熟料的过程排放因子", "process factor of clinker"),
    "k_rawmat": ("扣减系数", "deduction factor"),
}
DISTRIBUTION: Meanings = {
    "normal": ("正态", "normal"),
    "triangular": ("三角", "triangular"),
    "rectangular": ("均匀", "rectangular"),
}
REASON_KIND: Meanings = {
    "factor": ("因子集变化", "a factor set changed"),
    "rule": ("规则包变化", "a rule pack changed"),
    "late_data": ("迟到或更正的数据", "late or corrected data"),
    "ledger": ("台账变化", "a ledger changed"),
    "declaration": ("工况或标记申报变化", "declared states or marks changed"),
    "registry": ("企业登记变化", "the registry changed"),
    "code": ("程序变化", "the code changed"),
    "unexplained": ("没有任何记录在案的变化", "no recorded fact differs: a mistake of ours"),
}


def of(meanings: Meanings, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The meanings of `values`, in their order. KeyError names one that has none."""
    return tuple(meanings[value] for value in values)
