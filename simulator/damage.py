"""Damage to single frames after they were printed.

Belongs here: each kind of damage, what a correct reader must make of it, and the choice of frames. Does not belong here:
values, times and frames that are whole (`readings`, `traffic`, `spelling`).

The HJ 212 check sum has 256 values only, so damage can pass by chance; a wound that would is drawn again, so that the truth
written beside the captures is the only right answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernels.crc import crc_hj212, crc_modbus

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.dirt import Dirt
    from simulator.spelling import Form
    from simulator.world import SimOutlet

_LINE = b"\r\n"
_DATA = re.compile(rb"CP=&&(.*)&&", re.DOTALL)
_NOISE = (
    "连接 10.0.0.7:41923 已断开，等待重连\r\n".encode("gb18030"),
    "心跳超时，正在重发登录包\r\n".encode("gb18030"),
    b"##test13912345678\x00\r\n",
    b"m&\x10\x00n=42.42\r\n",
)


@dataclass(frozen=True, slots=True)
class Wound:
    """A frame as it ends up in the capture.

    before, data: bytes in front of the line and in place of the frame. kind: name of the rate in `Dirt`. reason: why a
    correct reader quarantines it ("" when it accepts it). cells: fields that it quarantines; lost: channels whose average it
    cannot know.
    """

    data: bytes
    kind: str
    reason: str = ""
    before: bytes = b""
    cells: tuple[str, ...] = ()
    lost: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Patient:
    """A whole frame, the logger that sent it and the form it has."""

    frame: bytes
    outlet: SimOutlet
    form: Form

    @property
    def segment(self) -> bytes:
        """The bytes that LEN counts."""
        return self.frame[6:-6]

    def seal(self, segment: bytes) -> bytes:
        """`segment` with its length and the logger's kind of check sum."""
        return b"##%04d" % len(segment) + segment + check_sum(segment, self.outlet.device.crc) + _LINE

    def data(self) -> tuple[int, int]:
        """First byte and end of the data area within the frame."""
        found = _DATA.search(self.frame)
        if found is None:
            raise ValueError("a whole frame has a data area")
        return found.start(1), found.end(1)


def check_sum(segment: bytes, crc: str) -> bytes:
    """Four hex digits as a logger of kind `crc` (upper, lower, modbus) prints them."""
    raw = np.frombuffer(segment, np.uint8)
    if crc == "modbus":
        return b"%04X" % crc_modbus(raw, 0, raw.size)
    made = b"%04X" % crc_hj212(raw, 0, raw.size)
    return made.lower() if crc == "lower" else made


def passes(segment: bytes, digits: bytes) -> bool:
    """Whether any known check sum of `segment` is `digits`."""
    if not re.fullmatch(rb"[0-9A-Fa-f]{4}", digits):
        return False
    raw = np.frombuffer(segment, np.uint8)
    modbus = crc_modbus(raw, 0, raw.size)
    return int(digits, 16) in (crc_hj212(raw, 0, raw.size), modbus, (modbus & 255) << 8 | modbus >> 8)


def _unfit(frame: bytes) -> bool:
    """Whether no check sum fits, neither where LEN points nor at the end of the line."""
    cut = 6 + int(frame[2:6])
    return not passes(frame[6:cut], frame[cut : cut + 4]) and not passes(frame[6:-6], frame[-6:-2])


def _bytes_lost(p: Patient, rng: np.random.Generator) -> Wound | None:
    lo, hi = p.data()
    count = int(rng.choice([1, 2, 3, 4], p=[0.1, 0.1, 0.4, 0.4]))
    at = int(rng.integers(lo, hi - count))
    made = p.frame[:at] + p.frame[at + count :]
    return Wound(made, "bytes_lost", "bad_crc") if _unfit(made) else None


def _bit_flip(p: Patient, rng: np.random.Generator) -> Wound | None:
    lo, hi = p.data()
    at = int(rng.integers(lo, hi))
    flipped = p.frame[at] ^ (1 << int(rng.integers(0, 3)))
    made = p.frame[:at] + bytes([flipped]) + p.frame[at + 1 :]
    return Wound(made, "bit_flip", "bad_crc") if _unfit(made) else None


def _nul_data(p: Patient, rng: np.random.Generator) -> Wound | None:
    """Not for 2025 loggers: control bytes behind their head would look like SM4."""
    if p.outlet.device.edition == 2025:
        return None
    lo, hi = p.data()
    count = int(rng.integers(2, 7))
    at = int(rng.integers(lo, hi - count))
    made = p.frame[:at] + bytes(count) + p.frame[at + count :]
    return Wound(made, "nul_data", "bad_crc") if _unfit(made) else None


def _nul_head(p: Patient, _: np.random.Generator) -> Wound | None:
    return Wound(p.seal(re.sub(rb"ST=\d\d", b"ST=\0\0", p.segment, count=1)), "nul_head")


def _nul_between(p: Patient, rng: np.random.Generator) -> Wound | None:
    return Wound(p.frame + bytes(int(rng.integers(1, 9))), "nul_between")


def _trailer(p: Patient, rng: np.random.Generator) -> Wound | None:
    """Length and check sum are those of the segment, but stand behind more text."""
    more = b"#G%012d%012d&" % (int(rng.integers(10**11, 10**12)), 303030303030)
    made = p.frame[:-6] + more + p.frame[-6:]
    return Wound(made, "trailer", "bad_crc") if _unfit(made) else None


def _short_len(p: Patient, _: np.random.Generator) -> Wound | None:
    return Wound(b"##%d" % len(p.segment) + p.frame[6:], "short_len", "bad_header") if len(p.segment) < 1000 else None


def _wrong_len(p: Patient, rng: np.random.Generator) -> Wound | None:
    """Not for Modbus loggers: a variant is looked for only where LEN points."""
    if p.outlet.device.crc == "modbus":
        return None
    length = len(p.segment) + int(rng.choice([-4, -3, -2, -1, 1, 2, 3, 4]))
    return Wound(b"##%04d" % length + p.frame[6:], "wrong_len", "bad_length")


def _unknown_mn(p: Patient, rng: np.random.Generator) -> Wound | None:
    """No simulated MN begins like this one. Not for Modbus loggers: nobody permits an unknown device a variant."""
    if p.outlet.device.crc == "modbus":
        return None
    mn = p.outlet.device.mn.encode()
    other = (b"77" + b"%012d" % int(rng.integers(0, 10**12)) + b"0" * 10)[: len(mn)]
    return Wound(p.seal(p.segment.replace(mn, other, 1)), "unknown_mn", "unknown_mn")


def _insert(p: Patient, pairs: bytes) -> bytes:
    """The frame with more pairs at the end of its data area."""
    return p.seal(re.sub(rb";?&&$", lambda _: b";" + pairs + b"&&", p.segment))


def _unknown_factor(p: Patient, rng: np.random.Generator) -> Wound | None:
    name = b"Nh3-scr" if rng.random() < 0.5 else b"a99999"
    return Wound(_insert(p, name + b"-Avg=%.2f" % rng.uniform(0, 9)), "unknown_factor")


def _unknown_subfield(p: Patient, rng: np.random.Generator) -> Wound | None:
    code = _some_code(p, rng)[1].encode()
    return Wound(_insert(p, code + b"-ValidNum=%d" % rng.integers(1, 13)), "unknown_subfield")


def _some_code(p: Patient, rng: np.random.Generator) -> tuple[int, str]:
    channel = p.form.channels[int(rng.integers(0, len(p.form.channels)))]
    return channel, p.outlet.device.code(p.outlet.channels[channel])


def _bad_value(p: Patient, rng: np.random.Generator) -> Wound | None:
    channel, code = _some_code(p, rng)
    text = b"--" if rng.random() < 0.5 else b""
    pattern = rb"([;,]" + code.encode() + rb"-Avg=)[-0-9.]+"
    made = p.seal(re.sub(pattern, lambda m: m.group(1) + text, p.segment, count=1))
    return Wound(made, "bad_value", cells=(f"{code}-Avg",), lost=(channel,))


def _repeated_key(p: Patient, rng: np.random.Generator) -> Wound | None:
    """The first naming counts; the second, with another value, is refused."""
    code = _some_code(p, rng)[1]
    return Wound(
        _insert(p, code.encode() + b"-Avg=%.5f" % (777.0 + rng.random())), "repeated_key", cells=(f"{code}-Avg",)
    )


def _encrypted(p: Patient, rng: np.random.Generator) -> Wound | None:
    """SM4 blocks of 16 bytes are random to a reader without the key; a tail of less than a block stays plain."""
    if not re.search(rb"Flag=\d+;", p.segment):
        return None
    parted = p.form.parts > 1
    flag = b"Flag=10;" if parted else b"Flag=9;" if rng.random() < 0.5 else b"Flag=10;PNUM=1;PNO=1;"
    plain = p.seal(re.sub(rb"Flag=\d+;", flag, p.segment, count=1))
    lo, hi = Patient(plain, p.outlet, p.form).data()
    blocks = (hi - lo) // 16 * 16
    made = plain[:lo] + rng.bytes(blocks) + plain[lo + blocks :]
    return Wound(made, "encrypted", "encrypted") if _unfit(made) and re.search(rb"##\d{4}", made[6:]) is None else None


def _no_data_area(p: Patient, _: np.random.Generator) -> Wound | None:
    return Wound(p.seal(p.segment[: p.segment.index(b"CP=&&")]), "no_data_area", "no_data_area")


def _no_cn(p: Patient, _: np.random.Generator) -> Wound | None:
    return Wound(p.seal(re.sub(rb"CN=\d{4};", b"", p.segment, count=1)), "no_cn", "no_cn")


def _bad_data_time(p: Patient, _: np.random.Generator) -> Wound | None:
    return Wound(p.seal(re.sub(rb"(DataTime=\d{8})\d+", rb"\1", p.segment, count=1)), "bad_data_time", "bad_data_time")


def _glued(p: Patient, _: np.random.Generator) -> Wound | None:
    return Wound(p.frame[:-2], "glued")


def _noise_line(p: Patient, rng: np.random.Generator) -> Wound | None:
    return Wound(p.frame, "noise_line", before=_NOISE[int(rng.integers(0, len(_NOISE)))])


def cut_short(frame: bytes, rng: np.random.Generator) -> Wound:
    """The frame that a file ends in."""
    return Wound(frame[: int(rng.integers(12, len(frame) - 8))], "cut_end", "truncated")


#: Kinds in the order of their draws: append only. `whole`: the frame is still read; `cells`: only where no other frame
#: carries the same record.
_KINDS: tuple[tuple[str, str, Callable[[Patient, np.random.Generator], Wound | None]], ...] = (
    ("bytes_lost", "broken", _bytes_lost),
    ("bit_flip", "broken", _bit_flip),
    ("nul_data", "broken", _nul_data),
    ("trailer", "broken", _trailer),
    ("short_len", "broken", _short_len),
    ("wrong_len", "broken", _wrong_len),
    ("unknown_mn", "broken", _unknown_mn),
    ("encrypted", "broken", _encrypted),
    ("no_data_area", "broken", _no_data_area),
    ("no_cn", "broken", _no_cn),
    ("bad_data_time", "broken", _bad_data_time),
    ("nul_head", "cells", _nul_head),
    ("unknown_factor", "cells", _unknown_factor),
    ("unknown_subfield", "cells", _unknown_subfield),
    ("bad_value", "cells", _bad_value),
    ("repeated_key", "cells", _repeated_key),
    ("nul_between", "whole", _nul_between),
    ("glued", "whole", _glued),
    ("noise_line", "whole", _noise_line),
)


def choose(dirt: Dirt, eligible: dict[str, np.ndarray], rng: np.random.Generator) -> list[tuple[int, str]]:
    """(frame, kind) of every frame to damage, in order; `eligible` says for broken, cells and whole which frames may be."""
    rates = np.array([getattr(dirt, name) for name, _, _ in _KINDS])
    edges = np.cumsum(rates)
    n = eligible["whole"].size
    u = rng.random(n)
    made = []
    for frame in np.flatnonzero(u < edges[-1]):
        name, group, _ = _KINDS[int(np.searchsorted(edges, u[frame], side="right"))]
        if eligible[group][frame]:
            made.append((int(frame), name))
    return made


def wound(kind: str, patient: Patient, rng: np.random.Generator) -> Wound | None:
    """One damaged frame; None when the kind does not apply to it. Draws again when the damage would go unseen."""
    make = next(function for name, _, function in _KINDS if name == kind)
    for _ in range(3):
        made = make(patient, rng)
        if made is not None:
            return made
    return None
