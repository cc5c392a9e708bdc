"""How a logger spells its frames, and the collector the text around them.

Belongs here: from a device's traits to the instruction tables of `kernels.packets`. Does not belong here: values and times
(`readings`, `traffic`) and damaged frames (`damage`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kernels import logger, packets
from simulator.levels import POLLUTANTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.devices import SimDevice
    from simulator.world import SimOutlet

#: Commands with factor values, and the ones that a reader only counts.
STATISTICS = (2051, 2061, 2031)
REAL_TIME, HEARTBEAT, BOOT, INFO = 2011, 9015, 2081, 3020

_CRC = {"upper": packets.CRC_UPPER, "lower": packets.CRC_LOWER, "modbus": packets.CRC_MODBUS}
_WIRE = ("Avg", "Min", "Max", "Cou", "ZsAvg", "ZsMin", "ZsMax", "Flag")
_STANDARD_ORDER = (3, 1, 0, 2, 5, 4, 6)
_AVERAGE_FIRST = (0, 1, 2, 3, 4, 5, 6)
#: HJ 212-2017 6.3.1: a segment holds at most 1024 characters; longer ones go in parts. Room is left for the head.
_PART = 820

_Token = bytes | tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Form:
    """What one logger sends for one command: index in the tables, part 1.. of `parts`, and its channels."""

    index: int
    part: int
    parts: int
    channels: tuple[int, ...]


@dataclass
class Speller:
    """Instruction tables of one plant, and where each outlet's forms are: forms[outlet][cn, resend] = parts."""

    forms: list[dict[tuple[int, bool], tuple[Form, ...]]]
    tables: packets.Forms


@dataclass
class _Writer:
    text: bytearray = field(default_factory=bytearray)
    ops: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    rows: list[tuple[int, int, int, int, int]] = field(default_factory=list)

    def put(self, tokens: Sequence[_Token]) -> tuple[int, int]:
        """Append operations for literal bytes and (kind, argument, decimals) fields; returns their range."""
        first = len(self.ops)
        literal = b""
        for token in tokens:
            if isinstance(token, bytes):
                literal += token
                continue
            self._op(literal, *token)
            literal = b""
        if literal:
            self._op(literal, packets.NOTHING, 0, 0)
        return first, len(self.ops)

    def _op(self, literal: bytes, kind: int, argument: int, decimals: int) -> None:
        lo = len(self.text)
        self.text += literal
        self.ops.append((lo, len(self.text), kind, argument, decimals))

    def form(self, prefix: tuple[int, int], segment: Sequence[_Token], crc: str) -> int:
        self.rows.append((*prefix, *self.put(segment), _CRC[crc]))
        return len(self.rows) - 1


def make_speller(outlets: Sequence[SimOutlet]) -> Speller:
    """Forms of all outlets of one plant."""
    writer = _Writer()
    prefix = writer.put(_prefix(outlets[0].plant.style))
    made = [_outlet_forms(outlet, writer, prefix) for outlet in outlets]
    tables = packets.Forms(
        np.frombuffer(bytes(writer.text), np.uint8),
        np.array(writer.ops, np.int32).reshape(-1, packets.OP_COLUMNS),
        np.array(writer.rows, np.int32).reshape(-1, packets.FORM_COLUMNS),
    )
    return Speller(made, tables)


def _prefix(style: int) -> list[_Token]:
    stamp: _Token = (packets.STAMP, 0, 0)
    if style == 1:
        return [b"[", stamp, b"]\r\n"]
    if style == 2:
        return [stamp, ",417 [12] INFO  收到数据包：".encode("gb18030")]
    if style == 3:
        return [stamp, b" info: Raw Data="]
    return []


def _outlet_forms(
    outlet: SimOutlet, writer: _Writer, prefix: tuple[int, int]
) -> dict[tuple[int, bool], tuple[Form, ...]]:
    made: dict[tuple[int, bool], tuple[Form, ...]] = {}
    parts = record_parts(outlet)
    crc = outlet.device.crc
    for cn in STATISTICS:
        for resend in (False, True):
            if resend and outlet.device.edition != 2025:
                made[cn, True] = made[cn, False]
                continue
            forms = []
            for number, channels in enumerate(parts, 1):
                segment = [*_head(outlet.device, cn, number, len(parts), resend=resend), *_data(outlet, channels)]
                forms.append(Form(writer.form(prefix, segment, crc), number, len(parts), channels))
            made[cn, resend] = tuple(forms)
    for cn, data in _other_data(outlet).items():
        segment = [*_head(outlet.device, cn, 1, 1, resend=False), b"CP=&&", *data, b"&&"]
        made[cn, False] = (Form(writer.form(prefix, segment, crc), 1, 1, ()),)
    return made


def record_parts(outlet: SimOutlet) -> list[tuple[int, ...]]:
    """Channels of each part: all in one, or as many parts of whole items as the length limit asks for (at least two)."""
    order = tuple(range(len(outlet.channels)))
    if not outlet.device.split:
        return [order]
    sizes = [_size(outlet, c) for c in order]
    limit = min(_PART, sum(sizes) * 0.6)
    parts: list[list[int]] = [[]]
    used = 0.0
    for c in order:
        if parts[-1] and used + sizes[c] > limit:
            parts.append([])
            used = 0.0
        parts[-1].append(c)
        used += sizes[c]
    return [tuple(p) for p in parts]


def _size(outlet: SimOutlet, channel: int) -> int:
    name = outlet.device.code(outlet.channels[channel])
    return len(_wire(outlet, channel)) * (len(name) + 9 + outlet.device.decimals[outlet.channels[channel]])


def _head(device: SimDevice, cn: int, part: int, parts: int, *, resend: bool) -> list[_Token]:
    """Fields before the data area (HJ 212-2017 table 3)."""
    st = 91 if cn == HEARTBEAT else device.st
    names = [b"PW=123456;", f"MN={device.mn};".encode()]
    tokens: list[_Token] = [b"QN=", (packets.QN, 0, 0), b";"] if device.has_qn else []
    tokens += [f"ST={st};CN={cn};".encode(), *(names[::-1] if device.odd_header else names)]
    version = {2005: 0, 2017: 4, 2025: 8}[device.edition]
    if device.shows_version or parts > 1:
        flag = version + (2 if parts > 1 else 0) + (1 if device.wants_ack else 0)
        tokens.append(f"Flag={flag};".encode())
    if parts > 1:
        tokens.append(f"PNUM={parts};PNO={part};".encode())
    if resend:
        tokens.append(b"RF=1;")
    return tokens


def _data_time(device: SimDevice) -> list[_Token]:
    return [b"DataTime=", (packets.DATA_TIME_MS if device.ms_time else packets.DATA_TIME, 0, 0)]


def _wire(outlet: SimOutlet, channel: int) -> list[int]:
    """Sub-fields that the logger sends of a channel, in its order."""
    order = _AVERAGE_FIRST if outlet.device.average_first else _STANDARD_ORDER
    name = outlet.channels[channel]
    sent = {logger.AVG, logger.MIN, logger.MAX}
    if name == "flow" or name in POLLUTANTS:
        sent.add(logger.COU)
    if name in POLLUTANTS and outlet.reference is not None and "o2" in outlet.channels:
        sent |= {logger.ZS_AVG, logger.ZS_MIN, logger.ZS_MAX}
    made = [s for s in order if s in sent]
    return [*made, logger.FLAG] if outlet.device.sends_flags else made


def _data(outlet: SimOutlet, channels: tuple[int, ...]) -> list[_Token]:
    device = outlet.device
    tokens: list[_Token] = [b"CP=&&", *_data_time(device)]
    for channel in channels:
        code = device.code(outlet.channels[channel])
        lead = b";"
        for slot in _wire(outlet, channel):
            # The 2005 edition sends converted values as an item of their own.
            lead = b";" if device.edition == 2005 and slot == _first_converted(outlet, channel) else lead
            tokens += [lead + f"{code}-{_WIRE[slot]}=".encode(), _field(outlet, channel, slot)]
            lead = b","
    tokens.append(b";&&" if device.odd_header else b"&&")
    return tokens


def _first_converted(outlet: SimOutlet, channel: int) -> int:
    return next((s for s in _wire(outlet, channel) if logger.ZS_AVG <= s <= logger.ZS_MAX), -1)


def _field(outlet: SimOutlet, channel: int, slot: int) -> tuple[int, int, int]:
    argument = channel * logger.PLACES + slot
    if slot == logger.FLAG:
        return packets.LETTER, argument, 0
    name = outlet.channels[channel]
    amount = 1 if name == "flow" else outlet.device.amount_decimals
    return packets.NUMBER, argument, amount if slot == logger.COU else outlet.device.decimals[name]


def _other_data(outlet: SimOutlet) -> dict[int, list[_Token]]:
    """Data areas of the commands that a reader only counts."""
    device = outlet.device
    real_time: list[_Token] = _data_time(device)
    for c, name in enumerate(outlet.channels):
        real_time += [f";{device.code(name)}-Rtd=".encode(), _field(outlet, c, logger.AVG)]
        if device.sends_flags:
            real_time += [f",{device.code(name)}-Flag=".encode(), _field(outlet, c, logger.FLAG)]
    return {
        REAL_TIME: real_time,
        HEARTBEAT: [],
        BOOT: [*_data_time(device), b";RestartTime=", (packets.DATA_TIME, 0, 0)],
        INFO: [*_data_time(device), f";PolId={device.code('pm')};i12001-Info=0".encode()],
    }
