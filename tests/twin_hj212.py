"""The slow, obvious twin of the HJ 212 kernel: plain Python on bytes, written from the grammar, not from the kernel."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

EPOCH = datetime(1970, 1, 1)
NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?\Z")
PLAIN = re.compile(rb"-?(0|[1-9]\d*)(\.\d+)?\Z")
SUBS = {b"Avg": 0, b"Min": 1, b"Max": 2, b"Cou": 3, b"ZsAvg": 4, b"ZsMin": 5, b"ZsMax": 6}


def crc(data: bytes) -> int:
    reg = 0xFFFF
    for byte in data:
        reg = (reg >> 8) ^ byte
        for _ in range(8):
            low = reg & 1
            reg >>= 1
            if low:
                reg ^= 0xA001
    return reg


def modbus(data: bytes) -> int:
    reg = 0xFFFF
    for byte in data:
        reg ^= byte
        for _ in range(8):
            low = reg & 1
            reg >>= 1
            if low:
                reg ^= 0xA001
    return reg


def framed(segment: bytes, *, end: bytes = b"\r\n") -> bytes:
    return b"##%04d%s%04X%s" % (len(segment), segment, crc(segment), end)


def time_of(raw: bytes) -> int | None:
    if not re.fullmatch(rb"\d{14}(\d{3})?", raw) or raw < b"1900":
        return None
    try:
        when = datetime.strptime(raw[:14].decode(), "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return (when - EPOCH) // timedelta(milliseconds=1) + int(raw[14:] or 0)


@dataclass
class Frame:
    lo: int
    hi: int
    outcome: str
    cn: int = -1
    mn: bytes = b""
    time: int | None = None
    values: dict[tuple[int, int], tuple[float, int]] = field(default_factory=dict)
    flags: dict[int, int] = field(default_factory=dict)
    cells: list[tuple[str, bytes, bytes]] = field(default_factory=list)


def head_of(segment: bytes) -> tuple[dict[bytes, bytes], int]:
    """Fields before CP by name, and where the data area begins (-1 without one)."""
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(segment):
        if segment.startswith(b"CP=", at):
            # The kernel looks for the field itself; a cut right behind it is no data area.
            return found, at + 5 if segment.startswith(b"CP=&&", at) else -1
        end = min([i for i in (segment.find(b";", at), segment.find(b",", at)) if i >= 0], default=len(segment))
        name, eq, value = segment[at:end].partition(b"=")
        if eq:
            key = b"Flag" if name.lower() == b"flag" else name
            if key in (b"MN", b"QN", b"Flag") or (key == b"CN" and key not in found and re.fullmatch(rb"\d{4}", value)):
                found[key] = value
        at = end + 1
    return found, -1


def data_of(area: bytes, codes: dict[bytes, int], frame: Frame) -> int:
    """Parse one data area into `frame`; returns its end."""
    at = 0
    while at < len(area):
        if area[at] in b";,":
            at += 1
            continue
        if area.startswith(b"&&", at):
            break
        name = re.match(rb"(?:(?!&&)[^=;,])*", area[at:], re.DOTALL).group()
        at += len(name)
        if not area.startswith(b"=", at):
            frame.cells.append(("bad_value", name, b""))
            continue
        text = re.match(rb"(?:(?!&&)[^;,])*", area[at + 1 :], re.DOTALL).group()
        at += 1 + len(text)
        place(name, text, codes, frame)
    if area[at + 2 :]:
        frame.cells.append(("bad_value", b"", area[at + 2 :]))
    return at


def place(name: bytes, text: bytes, codes: dict[bytes, int], frame: Frame) -> None:
    factor, hyphen, sub = name.rpartition(b"-")
    if not hyphen:
        if name == b"DataTime":
            time = time_of(text)
            if frame.time is None:
                frame.time = time
            elif time != frame.time:
                frame.cells.append(("repeated_key", name, text))
        else:
            frame.cells.append(("unknown_factor", name, text))
        return
    channel = codes.get(factor)
    if channel is None:
        frame.cells.append(("unknown_factor", name, text))
    elif sub == b"Flag":
        old = frame.flags.get(channel)
        if len(text) != 1:
            frame.cells.append(("bad_value", name, text))
        elif old is not None and old != text[0]:
            frame.cells.append(("repeated_key", name, text))
        else:
            frame.flags[channel] = text[0]
    elif sub not in SUBS:
        frame.cells.append(("unknown_subfield", name, text))
    else:
        number(channel, SUBS[sub], name, text, frame)


def number(channel: int, sub: int, name: bytes, text: bytes, frame: Frame) -> None:
    plain = PLAIN.match(text)
    if plain and len(re.sub(rb"\D", b"", text)) <= 15 and len(text.partition(b".")[2]) < 15:
        value, dp = float(text), len(text.partition(b".")[2])
    elif NUMBER.match(text) and math.isfinite(float(text)):
        value, dp = float(text), 15
    else:
        frame.cells.append(("bad_value", name, text))
        return
    had = frame.values.get((channel, sub))
    if had is not None:
        if had[0] != value or had[1] != dp:
            frame.cells.append(("repeated_key", name, text))
        return
    frame.values[channel, sub] = (value, dp)
    if dp == 15:
        frame.cells.append(("verbatim", name, text))


LONGEST = 4 * 9999 + 12


def line_end(buf: bytes, p: int, skip: int) -> int:
    buf, at = buf[: p + LONGEST], p + skip
    feed, header = buf.find(b"\n", at), buf.find(b"##", at)
    ends = [feed + 1] if feed >= 0 else []
    ends += [header] if header >= 0 else []
    return min(ends, default=len(buf))


def scan(buf: bytes, codes: dict[bytes, int], known: set[bytes], window: tuple[int, int]) -> tuple[list[Frame], int]:
    """All frames of a whole buffer and the number of noise bytes."""
    frames: list[Frame] = []
    noise = 0
    p = 0
    while p < len(buf):
        if not buf.startswith(b"##", p) or buf.startswith(b"###", p):
            noise += 1
            p += 1
            continue
        digits = buf[p + 2 : p + 6]
        if not re.fullmatch(rb"\d{4}", digits):
            end = line_end(buf, p, 2)
            if b"=" in buf[p + 2 : end]:
                frames.append(Frame(p, end, "bad_header"))
                p = end
            else:
                noise += 2
                p += 2
            continue
        frame = bound(buf, p, int(digits))
        judge(buf, frame, codes, known, window)
        frames.append(frame)
        p = frame.hi
    return frames, noise


def variant(segment: bytes, raw: bytes) -> str:
    if not re.fullmatch(rb"[0-9a-fA-F]{4}", raw):
        return ""
    declared = int(raw, 16)
    if crc(segment) == declared:
        return "hj212"
    low = modbus(segment)
    return "modbus" if low == declared else "swapped" if (low & 255) << 8 | low >> 8 == declared else ""


def bound(buf: bytes, p: int, length: int) -> Frame:
    seg, cut = p + 6, p + 6 + length
    if cut + 4 <= len(buf):
        found = variant(buf[seg:cut], buf[cut : cut + 4])
        if found:
            end = cut + 4
            end += buf.startswith(b"\r", end)
            end += buf.startswith(b"\n", end)
            return Frame(p, end, "accepted" if found == "hj212" else "crc_variant", mn=buf[seg:cut])
        if variant_like(buf, cut) and encrypted(buf[seg:cut]):
            return Frame(p, cut + 6, "encrypted", mn=buf[seg:cut])
    end = line_end(buf, p, 6)
    last = end - (end > seg and buf[end - 1 : end] == b"\n")
    last -= last > seg and buf[last - 1 : last] == b"\r"
    if last - 4 >= seg and variant(buf[seg : last - 4], buf[last - 4 : last]) == "hj212":
        characters = sum((b & 0xC0) != 0x80 for b in buf[seg : last - 4])
        return Frame(p, end, "accepted" if characters == length else "bad_length", mn=buf[seg : last - 4])
    cut_off = cut + 4 > len(buf) and end == len(buf)
    return Frame(p, end, "truncated" if cut_off else "bad_crc", mn=buf[seg:last])


def variant_like(buf: bytes, cut: int) -> bool:
    return bool(re.fullmatch(rb"[0-9a-fA-F]{4}", buf[cut : cut + 4])) and buf.startswith(b"\r\n", cut + 4)


def encrypted(segment: bytes) -> bool:
    head, _ = head_of(segment)
    flag = head.get(b"Flag", b"")
    if not (re.fullmatch(rb"\d{1,3}", flag) and int(flag) >> 2 == 2):
        return False
    at = segment.find(b"CP=")
    area = segment[at:] if at >= 0 else segment[-2:]
    if any(b < 32 or b == 127 for b in area):
        return True
    return any(
        ((b & 0xC0) == 0x80 and area[i - 1] < 128) if i and (b & 0xC0) == 0x80
        else i > 0 and b >= 0xC0 and (i + 1 == len(area) or (area[i + 1] & 0xC0) != 0x80)
        for i, b in enumerate(area)
    )  # fmt: skip


def judge(buf: bytes, frame: Frame, codes: dict[bytes, int], known: set[bytes], window: tuple[int, int]) -> None:
    """Everything behind the bounds: head, device, data area, time."""
    segment, frame.mn = frame.mn, b""
    head, at = head_of(segment)
    frame.cn = int(head.get(b"CN", b"-1"))
    frame.mn = head.get(b"MN", b"")
    if frame.outcome != "accepted":
        return
    if frame.cn < 0:
        frame.outcome = "no_cn"
    elif frame.cn in (2051, 2061, 2031):
        if at < 0:
            frame.outcome = "no_data_area"
        elif frame.mn not in known:
            frame.outcome = "unknown_mn"
        else:
            end = at + data_of(segment[at:], codes, frame)
            qn = time_of(head.get(b"QN", b""))
            if re.search(rb"##\d\d\d\d", segment[end:]):
                frame.outcome, frame.hi = "bad_length", line_end(buf, frame.lo, 6)
            elif frame.time is None:
                frame.outcome = "bad_data_time"
            elif not window[0] <= frame.time < window[1] or (qn is not None and frame.time > qn + 86_400_000):
                frame.outcome = "data_time_window"
