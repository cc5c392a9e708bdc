"""HJ 212 frames as bytes: numbers, times, length and check sum printed from forms.

Belongs here: the printing loop and the meaning of its instruction tables. Does not belong here: which factors a logger
sends and what it measures (`simulator`), and reading frames (`kernels/hj212.py`).

A form is what one logger sends for one command: the text before the frame, then the segment. Both are lists of
operations; an operation copies literal text and then prints one field.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.crc import crc_hj212, crc_modbus

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.int32]
Longs: TypeAlias = NDArray[np.int64]

# What an operation prints after its literal text.
NOTHING = 0
NUMBER = 1  # values[base + argument] as a decimal with `decimals` digits behind the point
LETTER = 2  # values[base + argument] as one character; 0 prints nothing
DATA_TIME = 3  # YYYYMMDDhhmmss
DATA_TIME_MS = 4  # YYYYMMDDhhmmsszzz
QN = 5  # YYYYMMDDhhmmsszzz
STAMP = 6  # YYYY-MM-DD hh:mm:ss, when the collector received the frame

# Which check sum a form carries.
CRC_UPPER = 0
CRC_LOWER = 1
CRC_MODBUS = 2

#: Columns of the operation table: literal text first and end, kind, argument, decimals.
OP_COLUMNS = 5
#: Columns of the form table: operations of the text before the frame (first, end), of the segment (first, end), check sum.
FORM_COLUMNS = 5
_WIDEST_NUMBER = 22

_UPPER = np.frombuffer(b"0123456789ABCDEF", np.uint8)
_LOWER = np.frombuffer(b"0123456789abcdef", np.uint8)
_TEN = np.uint64(10)
_POWERS = np.array([10**k for k in range(19)], np.uint64)
_PAIRS = np.frombuffer("".join(f"{i:02d}" for i in range(100)).encode(), np.uint8)


@njit(cache=True, nogil=True)
def _pair(out: Bytes, at: int, two: int) -> int:
    out[at] = _PAIRS[2 * two]
    out[at + 1] = _PAIRS[2 * two + 1]
    return at + 2


@njit(cache=True, nogil=True)
def _number(out: Bytes, at: int, value: int, decimals: int) -> int:
    """`value` / 10**decimals with exactly `decimals` digits behind the point and at least one before it."""
    if value < 0:
        out[at] = 45
        at += 1
        value = -value
    # Unsigned division by a constant is one multiplication; signed floor division would add a correction each time.
    rest = np.uint64(value)
    digits = decimals + 1
    while digits < 19 and rest >= _POWERS[digits]:
        digits += 1
    here = at + digits + (1 if decimals > 0 else 0)
    end = here
    for _ in range(decimals):
        here -= 1
        tens = rest // _TEN
        out[here] = np.uint8(48) + np.uint8(rest - tens * _TEN)
        rest = tens
    if decimals > 0:
        here -= 1
        out[here] = 46
    while here > at:
        here -= 1
        tens = rest // _TEN
        out[here] = np.uint8(48) + np.uint8(rest - tens * _TEN)
        rest = tens
    return end


@njit(cache=True, nogil=True)
def _civil(days: int) -> tuple[int, int, int]:
    """Year, month, day of days since 1970-01-01 (the era algorithm: exact, no tables)."""
    z = days + 719468
    era = z // 146097
    doe = z - era * 146097
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = mp + 3 if mp < 10 else mp - 9
    year = yoe + era * 400 + (1 if month <= 2 else 0)
    return year, month, doy - (153 * mp + 2) // 5 + 1


@njit(cache=True, nogil=True)
def _time(out: Bytes, at: int, ms: int, kind: int) -> int:
    dashed = kind == STAMP
    days = ms // 86_400_000
    second = (ms - days * 86_400_000) // 1000
    year, month, day = _civil(days)
    at = _pair(out, at, year // 100)
    at = _pair(out, at, year % 100)
    if dashed:
        out[at] = 45
        at += 1
    at = _pair(out, at, month)
    if dashed:
        out[at] = 45
        at += 1
    at = _pair(out, at, day)
    if dashed:
        out[at] = 32
        at += 1
    at = _pair(out, at, second // 3600)
    if dashed:
        out[at] = 58
        at += 1
    at = _pair(out, at, second // 60 % 60)
    if dashed:
        out[at] = 58
        at += 1
    at = _pair(out, at, second % 60)
    if kind in (DATA_TIME_MS, QN):
        part = ms % 1000
        out[at] = 48 + part // 100
        at = _pair(out, at + 1, part % 100)
    return at


@njit(cache=True, nogil=True)
def _print(
    out: Bytes, at: int, text: Bytes, ops: Ints, lo: int, hi: int, values: Longs, base: int, times: Longs, row: int
) -> int:  # fmt: skip
    for k in range(lo, hi):
        for i in range(ops[k, 0], ops[k, 1]):
            out[at] = text[i]
            at += 1
        kind = ops[k, 2]
        if kind == NUMBER:
            at = _number(out, at, values[base + ops[k, 3]], ops[k, 4])
        elif kind == LETTER:
            letter = values[base + ops[k, 3]]
            if letter > 0:
                out[at] = letter
                at += 1
        elif kind in (DATA_TIME, DATA_TIME_MS):
            at = _time(out, at, times[row, 0], kind)
        elif kind == QN:
            at = _time(out, at, times[row, 1], kind)
        elif kind == STAMP:
            at = _time(out, at, times[row, 2], kind)
    return at


@njit(cache=True, nogil=True)
def _close(out: Bytes, lo: int, at: int, crc: int) -> int:
    """Length before and check sum behind the segment out[lo:at]; returns the end of the frame."""
    length = at - lo
    _pair(out, lo - 4, length // 100)
    _pair(out, lo - 2, length % 100)
    check = crc_modbus(out, lo, at) if crc == CRC_MODBUS else crc_hj212(out, lo, at)
    for shift in (12, 8, 4, 0):
        nibble = (check >> shift) & 15
        out[at] = _LOWER[nibble] if crc == CRC_LOWER else _UPPER[nibble]
        at += 1
    out[at] = 13
    out[at + 1] = 10
    return at + 2


@njit(cache=True, nogil=True)
def _frames(
    text: Bytes, ops: Ints, forms: Ints, form: Ints, base: Longs, times: Longs, values: Longs, out: Bytes, marks: Longs
) -> int:  # fmt: skip
    at = 0
    for row in range(form.size):
        f = form[row]
        marks[row, 0] = at
        at = _print(out, at, text, ops, forms[f, 0], forms[f, 1], values, base[row], times, row)
        marks[row, 1] = at
        out[at] = 35
        out[at + 1] = 35
        segment = at + 6
        at = _print(out, segment, text, ops, forms[f, 2], forms[f, 3], values, base[row], times, row)
        at = _close(out, segment, at, forms[f, 4])
        marks[row, 2] = at
    return at


class Forms(NamedTuple):
    """Instruction tables: literal bytes uint8[n], ops int32[n, 5], forms int32[n, 5] (columns above)."""

    text: Bytes
    ops: Ints
    forms: Ints

    def widest(self) -> Longs:
        """Most bytes that one frame of each form can take, with the text before it."""
        per_op = (self.ops[:, 1] - self.ops[:, 0]).astype(np.int64) + _WIDEST_NUMBER
        total = np.concatenate([[0], np.cumsum(per_op)])
        lo, mid, seg, hi = (self.forms[:, k] for k in range(4))
        return np.asarray(total[mid] - total[lo] + total[hi] - total[seg] + 12)


def print_frames(
    tables: Forms,
    form: Ints,
    base: Longs,
    times: Longs,
    values: Longs,
    out: Bytes,
    marks: Longs,
) -> int:
    """Print one frame a row into `out`, one after the other; returns the bytes written.

    form[n]: which form; base[n]: where the row's values begin in `values` (scaled integers); times[n, 3]: DataTime, QN and
    receipt in ms of the local clock; marks[n, 3] receives first byte (with the text before the frame), byte of `##`, end.
    Raises ValueError when `out` could be too small or a segment could pass the 9999 characters that LEN can tell.
    """
    widest = tables.widest()
    if widest.size and int(widest.max()) > 9999 + 12:
        raise ValueError("a form can print a segment of more than 9999 characters, which LEN cannot tell")
    need = int(widest[form].sum()) if form.size else 0
    if out.size < need:
        raise ValueError(f"{need} bytes may be needed, the buffer has {out.size}")
    if times.shape != (form.size, 3) or marks.shape != (form.size, 3) or base.size != form.size:
        raise ValueError("form, base, times and marks must have one row per frame")
    return int(_frames(tables.text, tables.ops, tables.forms, form, base, times, values, out, marks))
