"""Contracts of the tables between a raw packet and a valid hour.

Belongs here: columns of arrivals, the raw tables, labels, hours and signals. Does not belong here: verdicts (`ule`).
"""

from __future__ import annotations

import pyarrow as pa

from contracts import meanings as m
from contracts.channels import CHANNELS, POLLUTANTS, SUBFIELD_WIRE, SUBFIELDS, column
from contracts.core import LABEL, TIME, Column, Table

OUTLET = Column(
    "outlet_id",
    LABEL,
    "排放口编号",
    "emission outlet id of the registry",
    nullable=False,
    source="registry/outlets.csv",
)
PLANT = Column("plant_id", LABEL, "企业编号", "plant id of the registry", nullable=False, source="registry/plants.csv")
LINE = Column(
    "line_id",
    LABEL,
    "生产线编号：全厂排放口为空",
    "line id of the registry; null for plant-level outlets",
    source="registry/lines.csv",
)
POINT_TYPE = Column(
    "point_type", LABEL, "排放口类型", "kind of emission point", nullable=False, source="registry/outlets.csv"
)
POLLUTANT = Column(
    "pollutant", LABEL, "污染物", "pollutant", nullable=False, values=POLLUTANTS, meanings=m.of(m.CHANNEL, POLLUTANTS)
)
HOUR = Column(
    "hour", TIME, "小时起点：北京时间", "start of the clock hour, Beijing time", nullable=False, source="HJ 75-2017 3"
)
MN = Column("mn", LABEL, "设备标识", "device number (MN) of the logger", nullable=False, source="HJ 212-2017 table 3")
SRC = (
    Column(
        "src_file",
        LABEL,
        "来源文件：文件内容 SHA-256 的前 16 位, 即 arrivals.sha256 的开头",
        "first 16 hex digits of the SHA-256 of the source file: how arrivals.sha256 begins",
        nullable=False,
    ),
    Column(
        "src_offset",
        pa.int64(),
        "来源偏移：该帧或该行在(解压后)文件中的字节位置; Excel 与 Parquet 为行号, 自 1 起, 第二张工作表自 2000001 起, 余类推",
        "byte offset of the frame or line in the (decompressed) source file; of Excel and Parquet the row, from 1, of a second sheet from 2,000,001 and so on",
        nullable=False,
        low=0,
    ),
)

ARRIVALS = Table(
    "arrivals", "arrivals", "none", ("path", "sha256"),
    "到达文件台账", "files that arrived in landing/, each read once per content",
    (
        Column("path", pa.string(), "路径：相对 landing/", "path below landing/", nullable=False),
        Column("sha256", pa.string(), "内容摘要：磁盘上字节的 SHA-256", "SHA-256 of the bytes on disk", nullable=False),
        Column("bytes", pa.int64(), "字节数：磁盘上大小", "size on disk", "byte", nullable=False, low=0),
        Column("kind", LABEL, "类型：识别为何种文件", "what the file was taken for: an HJ 212 capture, an export, declarations of states and marks, or what cannot be read", nullable=False, values=tuple(m.ARRIVAL_KIND), meanings=m.of(m.ARRIVAL_KIND, tuple(m.ARRIVAL_KIND))),
        Column("state", LABEL, "状态：内容是否计入", "how its content counts", nullable=False, values=tuple(m.STATE), meanings=m.of(m.STATE, tuple(m.STATE))),
        Column("reason", pa.string(), "拒收原因：及改法", "why a file was refused and what to do"),
        Column("text_bytes", pa.int64(), "解压后字节数", "bytes after decompression", "byte", low=0),
        Column("accepted_bytes", pa.int64(), "接收帧字节数：接收 + 隔离 + 噪声 = 解压后字节数", "bytes of accepted frames; accepted + quarantined + noise = text_bytes", "byte", low=0),
        Column("quarantined_bytes", pa.int64(), "隔离字节数", "bytes of quarantined frames", "byte", low=0),
        Column("noise_bytes", pa.int64(), "噪声字节数：帧与帧之间的字节", "bytes between frames", "byte", low=0),
        Column("frames_accepted", pa.int64(), "接收帧数：= 分钟 + 时日 + 其他", "frames accepted = minute + reported + other", low=0),
        Column("frames_quarantined", pa.int64(), "隔离帧数", "frames quarantined", low=0),
        Column("frames_minute", pa.int64(), "分钟帧数：CN 2051", "accepted frames of CN 2051", low=0),
        Column("frames_reported", pa.int64(), "时日帧数：CN 2061 与 2031", "accepted frames of CN 2061 and 2031", low=0),
        Column("frames_other", pa.int64(), "其他帧数：心跳、实时等, 只计数; 导出文件为没有任何内容的记录", "accepted frames of other kinds (heartbeats, real-time and the like), only counted; of an export the records that say nothing", low=0),
        Column("lines", pa.int64(), "行数：导出文件的全部行; = 数据行 + 隔离行 + 其余行", "lines of an export = lines with data + refused + other", low=0),
        Column("lines_data", pa.int64(), "数据行数：一行可含多个排放口, 每个排放口计一帧", "lines with data; a line may hold several outlets, each of which counts as a frame", low=0),
        Column("lines_refused", pa.int64(), "隔离行数：整行被拒", "lines refused as a whole", low=0),
        Column("lines_other", pa.int64(), "其余行数：标题、表头、合计、备注与空行", "titles, headers, totals, notes and blank lines", low=0),
        Column("missing", pa.string(), "缺失记号：导出文件中代替数值的内容及个数, 写作 内容=个数, 以分号分隔", "what stood in place of values in an export, as text=count, separated by semicolons"),
        Column("notes", pa.string(), "读取说明：导出文件中未入宽表的列及原因", "of an export: columns that were not taken into the wide rows, and why"),
    ),
    published=True,
)  # fmt: skip


_SUBFIELD_TEXTS = {
    "avg": ("均值", "mean"),
    "min": ("最小值", "minimum"),
    "max": ("最大值", "maximum"),
    "cou": ("累计值", "amount of the interval"),
    "zs_avg": ("折算均值", "converted mean"),
    "zs_min": ("折算最小值", "converted minimum"),
    "zs_max": ("折算最大值", "converted maximum"),
}


def _measured() -> tuple[Column, ...]:
    made: list[Column] = []
    for channel in CHANNELS:
        for sub, wire in zip(SUBFIELDS, SUBFIELD_WIRE, strict=True):
            if sub.startswith("zs") and not channel.pollutant:
                continue
            unit = {"cou": "kg" if channel.pollutant else "m3"}.get(sub, channel.unit)
            zh, en = _SUBFIELD_TEXTS[sub]
            made.append(
                Column(
                    column(channel.name, sub),
                    pa.float64(),
                    f"{channel.zh}{zh}：原样, 单位以设备登记为准",
                    f"{channel.en}, {en} ({wire}) as reported, in the unit of the device row",
                    unit,
                )
            )
        made.append(
            Column(
                column(channel.name, "flag"),
                LABEL,
                f"{channel.zh}数据标记：原样",
                f"{channel.en}, HJ 212 data flag as sent",
                source="HJ 212-2017 table 8",
            )
        )
        made.append(
            Column(
                column(channel.name, "dp"),
                pa.uint32(),
                f"{channel.zh}小数位数：各子字段上报的小数位, 每个占四位二进制; 15 表示原文在 cems_other, 其中没有时为能还原该值的最短写法",
                f"{channel.en}, decimals of each sub-field as sent, four bits each in the order {', '.join(SUBFIELDS)}; 15 = the exact text is in cems_other, or where it is not there the shortest that gives the number",
            )
        )
    return tuple(made)


_RAW = (
    OUTLET,
    MN,
    Column("data_time", TIME, "数据时间：DataTime 原样, 北京时间; 是时段起点还是终点见 cems_hourly.label", "DataTime as sent, Beijing time; whether start or end of the interval: cems_hourly.label", nullable=False, source="HJ 212-2017 table 4"),
    Column("cn", pa.int16(), "命令编码：2051 分钟, 2061 小时, 2031 日", "command number: 2051 minute, 2061 hour, 2031 day", nullable=False),
    Column("qn", TIME, "请求编码时间：QN, 北京时间; 帧中没有则为空", "QN as time, Beijing time; null where the frame has none"),
    Column("version", pa.int8(), "协议版本：取自 Flag, 0 = 2005 版或未给出, 1 = 2017, 2 = 2025", "protocol version of Flag: 0 = 2005 or absent, 1 = 2017, 2 = 2025", low=0, high=63),
    Column("frames", pa.int32(), "合并帧数：本行的值来自几帧", "frames whose values this row holds", nullable=False, low=1),
    *SRC,
    Column("src_more", pa.string(), "其他来源：本行其余各帧, 写作 文件:偏移, 以空格分隔", "further frames of this row as file:offset, separated by blanks"),
    *_measured(),
)  # fmt: skip

CEMS_MINUTE = Table(
    "cems_minute",
    "raw",
    "day",
    ("outlet_id", "mn", "data_time"),
    "分钟数据(原始)",
    "interval means as the loggers sent them (CN 2051)",
    _RAW,
)
CEMS_REPORTED = Table(
    "cems_reported",
    "raw",
    "day",
    ("outlet_id", "mn", "cn", "data_time"),
    "数采仪小时与日数据(原始)",
    "the loggers' own hour and day records (CN 2061, 2031)",
    _RAW,
)
CEMS_EDGE = Table(
    "cems_edge",
    "raw",
    "day",
    ("outlet_id", "mn", "cn", "data_time"),
    "零点记录",
    "records labelled in the first interval of the day: under end labels they close the day before",
    _RAW,
)

CEMS_OTHER = Table(
    "cems_other", "raw", "day", ("outlet_id", "mn", "cn", "data_time", "name"),
    "其他因子(原始)", "factors and sub-fields outside the known set, and numbers whose text a float cannot give back",
    (
        OUTLET, MN,
        Column("cn", pa.int16(), "命令编码：2051 分钟, 2061 小时, 2031 日", "command number: 2051 minute, 2061 hour, 2031 day", nullable=False),
        Column("data_time", TIME, "数据时间", "DataTime as sent, Beijing time", nullable=False),
        Column("name", LABEL, "字段名：因子与子字段原样", "factor and sub-field as sent", nullable=False),
        Column("text", pa.string(), "字段值：原样文字", "value as sent", nullable=False),
        Column("reason", LABEL, "原因：为何在此表", "why it stands here", nullable=False, values=tuple(m.OTHER_REASON), meanings=m.of(m.OTHER_REASON, tuple(m.OTHER_REASON))),
        *SRC,
    ),
)  # fmt: skip

QUARANTINE_REASONS: dict[str, tuple[str, str]] = {
    "bad_header": ("帧头后不是四位长度", "## is not followed by four digits"),
    "truncated": ("文件在帧内结束", "the file ends inside the frame"),
    "bad_length": ("长度与内容不符", "LEN does not fit the content although the CRC does"),
    "bad_crc": ("CRC 校验失败", "the CRC fits no known variant"),
    "crc_variant": ("CRC 变体未在设备表许可", "the CRC is of a variant that the device row does not allow"),
    "encrypted": ("SM4 加密", "SM4-encrypted data area (HJ 212-2025)"),
    "no_data_area": ("没有 CP 数据区", "no CP=&&…&& data area"),
    "no_cn": ("没有可识别的 CN", "no readable CN"),
    "unknown_mn": ("设备未登记", "the registry does not know the MN at that time"),
    "mn_not_in_force": (
        "设备在该时间没有生效的登记",
        "the registry knows the MN, but no row of it is in force at that time",
    ),
    "bad_data_time": ("DataTime 缺失或无法识别", "DataTime is missing or unreadable"),
    "data_time_window": ("DataTime 超出允许范围", "DataTime lies outside the permitted window"),
    "bad_line": (
        "行的单元格数与表头不符, 或引号未闭合",
        "the line has other cells than the header, or a quote is not closed",
    ),
    "device_mismatch": ("行的时段或时间标签与设备登记不符", "the line's interval or label does not fit the device row"),
    "bad_value": ("数值无法识别", "the value is no number"),
    "repeated_key": ("帧内重复字段且数值不同", "the frame names a field twice with different values"),
    "superseded": ("被后到的不同数据取代", "another frame with other values takes precedence"),
}

CEMS_QUARANTINE = Table(
    "cems_quarantine", "raw", "day", ("src_file", "src_offset", "name", "reason"),
    "隔离数据", "everything refused, with its bytes and the reason",
    (
        Column("reason", LABEL, "原因：为何被拒", "why it was refused", nullable=False, values=tuple(QUARANTINE_REASONS), meanings=tuple(QUARANTINE_REASONS.values())),
        Column("level", LABEL, "层级", "whole frame or single value", nullable=False, values=tuple(m.LEVEL), meanings=m.of(m.LEVEL, tuple(m.LEVEL))),
        Column("outlet_id", LABEL, "排放口编号：未知则为空", "outlet where known"),
        Column("mn", pa.string(), "设备标识：MN 原样, 无法识别则为空", "MN as sent, where readable"),
        Column("cn", pa.int16(), "命令编码：无法识别则为空", "command number where readable"),
        Column("data_time", TIME, "数据时间：北京时间, 无法识别则为空", "DataTime where readable, Beijing time"),
        Column("name", pa.string(), "字段名：被拒的单值; 整帧为空串", "field of a refused cell; empty for frames", nullable=False),
        Column("content", pa.binary(), "原始内容：被拒的字节原样", "the refused bytes", nullable=False),
        *SRC,
        Column("path", pa.string(), "文件：相对 landing/ 的路径", "file below landing/", nullable=False),
    ),
)  # fmt: skip

CEMS_COUNTS = Table(
    "cems_counts", "raw", "day", ("day", "src_file", "cn"),
    "守恒计数", "what became of the accepted data frames of each file on this day",
    (
        Column("day", pa.date32(), "数据日", "local day of the frames", nullable=False),
        SRC[0],
        Column("cn", pa.int16(), "命令编码：2051 分钟, 2061 小时, 2031 日", "command number: 2051 minute, 2061 hour, 2031 day", nullable=False),
        Column("frames", pa.int64(), "接收帧数：= 成行 + 并入 + 重复 + 被取代", "accepted data frames = rows + joined + identical + superseded", nullable=False, low=0),
        Column("rows", pa.int64(), "成行：数据行以该帧为首", "frames that lead a row", nullable=False, low=0),
        Column("joined", pa.int64(), "并入：分包等并入另一帧的行", "frames joined into another frame's row (split parts)", nullable=False, low=0),
        Column("identical", pa.int64(), "重复：与已有数据完全相同", "identical repeats", nullable=False, low=0),
        Column("superseded", pa.int64(), "被取代：至少一个值让位于另一帧", "frames that lost at least one value to another frame", nullable=False, low=0),
    ),
    published=True,
)  # fmt: skip

CEMS_LABELS = Table(
    "cems_labels", "hours", "day", ("outlet_id", "mn"),
    "时间标签证据", "does the logger's hour equal the mean of its minutes under start or end labels?",
    (
        OUTLET, MN,
        Column("decidable", pa.int32(), "可判定数：分钟齐全且能区分两种标签的小时 x 因子对", "hour x factor pairs with all minutes present that tell the two labels apart", nullable=False, low=0),
        Column("fits_start", pa.int32(), "符合起点：其中按起点标签成立的对数", "of these, pairs that hold under start labels", nullable=False, low=0),
        Column("fits_end", pa.int32(), "符合终点：其中按终点标签成立的对数", "of these, pairs that hold under end labels", nullable=False, low=0),
    ),
)  # fmt: skip

HOUR_TAGS = ("N", "F", "St", "Sd", "B", "C", "M", "D", "T", "Md", "OOC", "X_INSUFFICIENT")

CEMS_HOURLY = Table(
    "cems_hourly", "hours", "day", ("outlet_id", "pollutant", "hour"),
    "小时数据", "valid hours: dry standard concentrations, conversion, mass, tags",
    (
        OUTLET, PLANT, LINE, POINT_TYPE, POLLUTANT, HOUR,
        Column("concentration_mg_m3", pa.float64(), "标干实测浓度：小时均值, 标准状态干烟气, 未折算; 有效分钟不足 45 则为空", "hour mean, dry, standard state, not converted; null below 45 valid minutes", "mg/m3", source="HJ 75-2017 App. C; HJ 76-2017 App. B"),
        Column("o2_pct", pa.float64(), "干基氧含量：小时均值", "hour mean of dry O2", "%"),
        Column("converted_mg_m3", pa.float64(), "折算浓度：折算到基准氧含量; 仅限须折算的排放口", "converted to reference O2; only where conversion applies", "mg/m3", source="GB 4915-2013 4; HJ 75-2017 A9"),
        Column("judged_mg_m3", pa.float64(), "判定浓度：与限值比较的值; 须折算的用折算浓度, 其余用标干实测浓度", "what a limit is compared with: converted where conversion applies, else measured", "mg/m3"),
        Column("reported_mg_m3", pa.float64(), "数采仪小时值：可与判定浓度对照; 须折算的为 ZsAvg, 其余为 Avg", "the logger's own hour value comparable with judged_mg_m3 (ZsAvg where conversion applies, else Avg)", "mg/m3"),
        Column("reported_avg_mg_m3", pa.float64(), "数采仪小时实测均值：Avg", "the logger's own hour mean (Avg)", "mg/m3"),
        Column("reported_mass_kg", pa.float64(), "数采仪小时排放量：Cou", "the logger's own hour mass (Cou)", "kg"),
        Column("valid_minutes", pa.int16(), "有效分钟数：判定浓度的有效分钟, 按记录间隔计", "valid minutes of the judged value; a record counts for its whole interval", "min", nullable=False, low=0, high=60),
        Column("minutes", pa.int16(), "有记录分钟数：有该污染物记录的分钟, 不论有效与否", "minutes with a record of this pollutant, valid or not", "min", nullable=False, low=0, high=60),
        Column("hour_tag", LABEL, "小时标记：由分钟标记按优先次序得出", "what most of the hour was, by the precedence of the tag tables", nullable=False, values=HOUR_TAGS, meanings=m.of(m.HOUR_TAG, HOUR_TAGS), source="HJ 75-2017, HJ 76-2017 tag tables"),
        Column("flag_system", LABEL, "标记体系：小时标记的来源", "where the tag comes from", nullable=False, values=("hj212", "hj75"), meanings=m.of(m.FLAG_SYSTEM, ("hj212", "hj75"))),
        Column("process_state", LABEL, "工况：申报的工况占满 45 分钟者; 未申报则为空", "declared process state of at least 45 of the hour's minutes; null where none was declared", values=tuple(m.PROCESS_STATE), meanings=m.of(m.PROCESS_STATE, tuple(m.PROCESS_STATE)), source="公告2022年第21号"),
        Column("flow_m3_h", pa.float64(), "标干流量：小时均值, 标准状态干烟气", "hour mean of dry standard flow", "m3/h"),
        Column("mass_kg", pa.float64(), "排放量：标干实测浓度(不折算) x 标干流量 x 1 小时", "unconverted concentration x dry standard flow x 1 h", "kg", source="HJ 75-2017 App. C"),
        Column("o2_reference_pct", pa.float64(), "基准氧含量：折算所用; 不须折算则为空", "reference O2 used; null where conversion does not apply", "%"),
        Column("label", LABEL, "时间标签：该设备采用的标签", "label used for the device", values=("start", "end"), meanings=m.of(m.LABEL_SIDE, ("start", "end"))),
        Column("converted_mean_first_mg_m3", pa.float64(), "先均值后折算浓度：另一种次序, 供对照", "alternative order, to compare with: hour means first, then converted", "mg/m3"),
        Column("null_reason", LABEL, "空值原因：判定浓度为何为空", "why judged_mg_m3 is null", values=tuple(m.NULL_REASON), meanings=m.of(m.NULL_REASON, tuple(m.NULL_REASON))),
    ),
    published=True,
)  # fmt: skip

CEMS_SIGNALS = Table(
    "cems_signals", "hours", "day", ("outlet_id", "signal_id", "pollutant", "start"),
    "数据信号", "what a person should look at; a signal never edits data",
    (
        OUTLET,
        Column("signal_id", LABEL, "信号编号：名称与说明见 reference/signals.toml", "id; titles and texts stand in reference/signals.toml", nullable=False),
        Column("pollutant", LABEL, "污染物或通道：涉及整个排放口则为空串", "pollutant or channel; an empty text for the whole outlet", nullable=False),
        Column("start", TIME, "开始：首个小时, 北京时间", "first hour, Beijing time", nullable=False),
        Column("end", TIME, "结束：不含, 北京时间", "end (exclusive), Beijing time", nullable=False),
        Column("severity", LABEL, "级别", "severity", nullable=False, values=tuple(m.SEVERITY), meanings=m.of(m.SEVERITY, tuple(m.SEVERITY))),
        Column("value", pa.float64(), "数值：信号的量, 单位见说明", "measured value of the signal, in the unit of its text"),
        Column("threshold", pa.float64(), "阈值：与之比较的值", "threshold it was compared with"),
        Column("text_zh", pa.string(), "中文说明", "text in Chinese", nullable=False),
        Column("text_en", pa.string(), "英文说明", "text in English", nullable=False),
    ),
    published=True,
)  # fmt: skip
