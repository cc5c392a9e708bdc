"""Contracts of what people declare about kilns and devices, and of what was found wrong with it.

Belongs here: columns of process_states, device_marks and findings. Does not belong here: hour tags (`cems`), reading the
files (`resources/events_read.py`), what a state does to an hour (`kernels`).
"""

from __future__ import annotations

import pyarrow as pa

from contracts import meanings as m
from contracts.cems import LINE, OUTLET
from contracts.core import LABEL, TIME, Column, Table

#: Process states (工况) of a kiln, in the order of `kernels/judge.py`: RUNNING = 0 and so on.
STATES = ("running", "cold_start", "hot_start", "shutdown", "stopped", "banked")
#: Device marks (设备标记): calibration, maintenance, fault, over range, out of control.
MARKS = ("C", "M", "D", "T", "OOC")

_EVENT = Column("event_id", pa.string(), "事件编号", "id of the event as declared", nullable=False)
_PERIOD = (
    Column("start", TIME, "起点：北京时间, 含", "declared start, inclusive, Beijing time", nullable=False),
    Column(
        "end",
        TIME,
        "终点：北京时间, 不含; 未申报终点则为空",
        "declared end, exclusive; null while it is open",
    ),
)
_ABOUT = (
    Column("declared_at", TIME, "申报时间：北京时间", "when it was declared, Beijing time; null where it is not said"),
    Column("late", pa.bool_(), "是否迟报：晚于次日 12:00 或未写申报时间; 同一起点只要有一次及时申报即不算", "declared after 12:00 of the day after its start, or no time of declaration given; no declaration of this start came in time", nullable=False, source="公告2022年第21号"),
    Column("src_path", pa.string(), "来源文件：相对 landing/ 的路径", "file below landing/", nullable=False),
    Column("src_line", pa.int32(), "来源行号", "line of that file", nullable=False, low=1),
)  # fmt: skip

PROCESS_STATES = Table(
    "process_states", "events", "none", ("line_id", "start", "event_id", "effective_from"),
    "工况申报", "declared process states of kilns and the stretches on which they hold",
    (
        _EVENT,
        Column("line_id", LABEL, "生产线编号", "line id of the registry", nullable=False, source="registry/lines.csv"),
        Column("state", LABEL, "工况", "process state", nullable=False, values=STATES, meanings=m.of(m.PROCESS_STATE, STATES)),
        *_PERIOD,
        Column("effective_from", TIME, "生效起点：重叠处取较严工况后", "start of a stretch on which it holds, after overlaps are settled", nullable=False),
        Column("effective_to", TIME, "生效终点：未结束则为空", "end of that stretch, exclusive; null while it is open"),
        *_ABOUT,
        Column("evidence", pa.string(), "依据", "evidence as declared"),
    ),
    published=True,
)  # fmt: skip

DEVICE_MARKS = Table(
    "device_marks", "events", "none", ("outlet_id", "channel", "start", "event_id"),
    "设备标记申报", "declared marks of monitoring devices",
    (
        _EVENT,
        OUTLET,
        Column("channel", LABEL, "通道：all 为该排放口全部通道", "channel, or all", nullable=False),
        Column("mark", LABEL, "标记", "mark", nullable=False, values=MARKS, meanings=m.of(m.HOUR_TAG, MARKS)),
        *_PERIOD,
        Column("last_calibration_at", TIME, "上次校准时间：失控时替代数据取自其前", "last calibration before it: substitutes for out-of-control hours come from before it"),
        *_ABOUT,
    ),
    published=True,
)  # fmt: skip

FINDINGS = Table(
    "findings", "verification", "none", ("finding_id",),
    "审查发现", "what was found in declarations and ledgers: what, where, how grave",
    (
        Column("finding_id", pa.string(), "发现编号：由内容得出, 重跑不变", "id that follows from the content", nullable=False),
        Column("check_id", LABEL, "检查编号：见 reference/findings.toml", "check of reference/findings.toml", nullable=False),
        Column("severity", LABEL, "级别", "severity", nullable=False, values=tuple(m.SEVERITY), meanings=m.of(m.SEVERITY, tuple(m.SEVERITY))),
        Column("plant_id", LABEL, "企业编号：未知则为空", "plant where known"),
        Column("line_id", LINE.type, "生产线编号：没有则为空", "line where one is meant"),
        Column("outlet_id", LABEL, "排放口编号：没有则为空", "outlet where one is meant"),
        Column("period", pa.string(), "时段：月份或日期", "month or day it speaks of"),
        Column("value", pa.string(), "值：原样", "the value as it stands"),
        Column("low", pa.float64(), "下限", "low end of what is expected"),
        Column("high", pa.float64(), "上限", "high end of what is expected"),
        Column("text_zh", pa.string(), "说明", "text in Chinese, with the remedy", nullable=False),
        Column("text_en", pa.string(), "英文说明", "text in English, with the remedy", nullable=False),
        Column("evidence", pa.string(), "证据", "what it rests on"),
        Column("source_file", pa.string(), "来源文件：相对 landing/ 的路径", "file below landing/"),
        Column("source_cell", pa.string(), "来源单元格：工作表!单元格, 或 行号[列名]", "sheet!cell, or line[column]"),
    ),
    published=True,
)  # fmt: skip
