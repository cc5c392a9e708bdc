"""Lines of a delimited table as bytes: where the cells are, what numbers and times they hold.

Belongs here: cutting lines into cells, decimal numbers with their decimals, times with one moment. Does not belong here: what a
column means, other spellings (`resources/exports_times.py`), files.

Bytes are UTF-8 or GB18030: no byte of a longer character of either is a line feed, a separator or a quote.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.hj212_fields import IRREGULAR_DP
from kernels.hj212_time import NO_TIME

Bytes: TypeAlias = NDArray[np.uint8]
Places: TypeAlias = NDArray[np.int32]

# What a cell that should be a number holds.
EMPTY = 0
NUMBER = 1
TEXT = 2  # not a plain number: Python looks at each distinct text once
SENTINEL = 3  # a number that stands for "missing"
NO_UNIT = 4  # a number in a unit that cannot become the device's exactly

#: Shift of a column whose unit cannot be converted.
NO_SHIFT = 127
#: Digits of an exact integer in a double.
_DIGITS = 15
_POW10 = 10.0 ** np.arange(23)
DAY_MS = 86_400_000


@njit(cache=True, nogil=True)
def _cut(
    buf: Bytes, lo: int, hi: int, delimiter: int, quote: int, line_lo: Places, line_hi: Places, count: Places, first: Places, last: Places,
) -> tuple[int, int]:  # fmt: skip
    at = lo
    n = 0
    columns = first.shape[1]
    while at < hi and n < line_lo.size:
        line_lo[n] = at
        c = 0
        sound = True
        while True:
            while at < hi and (buf[at] == 32 or (buf[at] == 9 and delimiter != 9)):
                at += 1
            a = at
            if quote and at < hi and buf[at] == quote:
                at += 1
                a = at
                while at < hi and buf[at] != 10:
                    if buf[at] == quote:
                        if at + 1 < hi and buf[at + 1] == quote:
                            at += 1
                        else:
                            break
                    at += 1
                b = at
                if at < hi and buf[at] == quote:
                    at += 1
                else:
                    sound = False
                while at < hi and buf[at] != delimiter and buf[at] != 10:
                    if buf[at] > 32:
                        sound = False
                    at += 1
            else:
                while at < hi and buf[at] != delimiter and buf[at] != 10:
                    at += 1
                b = at
            while b > a and (buf[b - 1] == 32 or buf[b - 1] == 13 or buf[b - 1] == 9):
                b -= 1
            if c < columns:
                first[n, c] = a
                last[n, c] = b
            c += 1
            if at >= hi or buf[at] == 10:
                break
            at += 1
        for k in range(c, columns):
            first[n, k] = at
            last[n, k] = at
        count[n] = c if sound else -c
        line_hi[n] = at
        at += 1
        n += 1
    return n, min(at, hi)


class Lines:
    """Lines of a block and their cells. line_lo, line_hi: bytes of line i without its line feed; count: its cells, negative where a quote is
    not closed; first[i, c], last[i, c]: bytes of cell c without quotes and outer blanks, empty beyond the line's last cell.
    """  # fmt: skip

    def __init__(self, buf: Bytes, stop: int, columns: int, delimiter: int, quote: int) -> None:
        if buf.size >= 2**31:
            raise ValueError("a block must be smaller than 2 GiB")
        rows = int(np.count_nonzero(buf[:stop] == 10)) + 1
        self.buf = buf
        self.line_lo, self.line_hi, self.count = (np.empty(rows, np.int32) for _ in range(3))
        self.first, self.last = (np.empty((rows, columns), np.int32) for _ in range(2))
        n, _ = _cut(
            buf, 0, stop, delimiter, quote, self.line_lo, self.line_hi, self.count, self.first, self.last
        )  # fmt: skip
        for name in ("line_lo", "line_hi", "count", "first", "last"):
            setattr(self, name, getattr(self, name)[:n])

    @property
    def size(self) -> int:
        """Number of lines."""
        return self.line_lo.size


@njit(cache=True, nogil=True)
def _numbers(
    buf: Bytes, first: Places, last: Places, shift: NDArray[np.int8], sentinels: NDArray[np.float64],
    values: NDArray[np.float64], dps: NDArray[np.uint8], state: NDArray[np.uint8],
) -> None:  # fmt: skip
    for i in range(first.size):
        at, hi = np.int64(first[i]), np.int64(last[i])
        values[i] = np.nan
        dps[i] = 0
        if at >= hi:
            state[i] = EMPTY
            continue
        state[i] = TEXT
        minus = buf[at] == 45
        if minus:
            at += 1
        start = at
        mantissa = np.int64(0)
        while at < hi and 48 <= buf[at] <= 57 and at - start <= _DIGITS:
            mantissa = mantissa * 10 + (np.int64(buf[at]) - 48)
            at += 1
        whole = at - start
        dp = 0
        if at < hi and buf[at] == 46:
            at += 1
            dot = at
            while at < hi and 48 <= buf[at] <= 57 and at - dot <= _DIGITS:
                mantissa = mantissa * 10 + (np.int64(buf[at]) - 48)
                at += 1
            dp = at - dot
            if dp == 0:
                continue
        if at != hi or whole == 0 or whole + dp > _DIGITS or dp >= IRREGULAR_DP or (whole > 1 and buf[start] == 48):
            continue
        plain = mantissa / _POW10[dp]
        plain = -plain if minus else plain
        known = False
        for s in range(sentinels.size):
            known = known or sentinels[s] == plain
        if known:
            state[i] = SENTINEL
            values[i] = plain
            continue
        if shift[i] == NO_SHIFT:
            state[i] = NO_UNIT
            values[i] = plain
            continue
        places = dp - np.int64(shift[i])
        if places < 0:
            if mantissa >= 10.0 ** (_DIGITS + places):
                continue
            value = mantissa * _POW10[-places]
            places = 0
        elif places >= IRREGULAR_DP:
            continue
        else:
            value = mantissa / _POW10[places]
        values[i] = -value if minus else value
        dps[i] = places
        state[i] = NUMBER


def numbers(
    lines: Lines, rows: NDArray[np.int64], column: int, shift: NDArray[np.int8], sentinels: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Numbers of one column in the given lines: values float64, decimals uint8, state uint8 (EMPTY, NUMBER, TEXT, SENTINEL, NO_UNIT).

    `shift` int8 of one entry a row: the value is the text times 10**shift, exactly, and keeps the decimals that this leaves;
    NO_SHIFT refuses. A spelling that value and decimals could not give back is TEXT. `sentinels` compare with the text as written.
    """
    first, last = _column(lines, rows, column)
    if shift.size != rows.size:
        raise ValueError(f"shift has {shift.size} entries for {rows.size} rows")
    values, dps, state = np.empty(rows.size), np.empty(rows.size, np.uint8), np.empty(rows.size, np.uint8)
    _numbers(lines.buf, first, last, shift.astype(np.int8), sentinels.astype(np.float64), values, dps, state)
    return values, dps, state


def _column(lines: Lines, rows: NDArray[np.int64], column: int) -> tuple[Places, Places]:
    return np.ascontiguousarray(lines.first[rows, column]), np.ascontiguousarray(lines.last[rows, column])


# How a time was written, as bits.
HAS_HOUR = 1
HAS_MINUTE = 2
IS_24 = 4


@njit(cache=True, nogil=True)
def _times(buf: Bytes, first: Places, last: Places, time: NDArray[np.int64], form: NDArray[np.uint8]) -> None:
    part = np.zeros(7, np.int64)
    for i in range(first.size):
        at, hi = np.int64(first[i]), np.int64(last[i])
        time[i] = NO_TIME
        form[i] = 0
        n = 0
        part[:] = 0
        wrong = at >= hi
        lengths = np.int64(0)
        while at < hi and n < 7 and not wrong:
            begin = at
            while at < hi and 48 <= buf[at] <= 57 and at - begin < 18:
                part[n] = part[n] * 10 + (np.int64(buf[at]) - 48)
                at += 1
            size = at - begin
            if n == 0:
                lengths = size
            wrong = size == 0 or (n == 0 and size != 4 and size < 8) or (n in (1, 2, 3, 4, 5) and size > 2) or size > 17
            n += 1
            if at < hi and not wrong:
                mark, width = np.int64(buf[at]), 1
                if mark > 127:
                    # 年月日时点分秒 in UTF-8 and in GB18030.
                    b1 = np.int64(buf[at + 1]) if at + 1 < hi else 0
                    b2 = np.int64(buf[at + 2]) if at + 2 < hi else 0
                    two, three = mark << 8 | b1, mark << 16 | b1 << 8 | b2
                    width = 2
                    if three == 0xE5B9B4 or two == 0xC4EA:
                        unit = 1
                    elif three == 0xE69C88 or two == 0xD4C2:
                        unit = 2
                    elif three == 0xE697A5 or two == 0xC8D5:
                        unit = 3
                    elif three == 0xE697B6 or two == 0xCAB1 or three == 0xE782B9 or two == 0xB5E3:
                        unit = 4
                    elif three == 0xE58886 or two == 0xB7D6:
                        unit = 5
                    elif three == 0xE7A792 or two == 0xC3EB:
                        unit = 6
                    else:
                        unit = 0
                    wrong = unit != n
                    if two not in (0xC4EA, 0xD4C2, 0xC8D5, 0xCAB1, 0xB5E3, 0xB7D6, 0xC3EB):
                        width = 3
                elif n == 1 or n == 2:
                    wrong = not (mark == 45 or mark == 47 or mark == 46)
                elif n == 3:
                    wrong = not (mark == 32 or mark == 84)
                elif n == 4 or n == 5:
                    wrong = mark != 58
                elif n == 6:
                    wrong = mark != 46
                else:
                    wrong = True
                at += width
                while n == 3 and at < hi and buf[at] == 32:
                    at += 1
                if at >= hi:
                    # Only a unit may close the text.
                    wrong = wrong or mark <= 127 or n < 3
                    break
                if n == 6 and mark > 127:
                    wrong = True
                if n == 6 and not wrong:
                    # A fraction: three digits count, the rest is noise of a spreadsheet.
                    scale = 100
                    while at < hi and 48 <= buf[at] <= 57:
                        part[6] += (np.int64(buf[at]) - 48) * scale
                        scale //= 10
                        at += 1
                    wrong = at != hi
                    n = 7
        if wrong:
            continue
        if n == 1 and lengths in (8, 10, 12, 14, 17):
            digits = part[0]
            if lengths == 17:
                part[6] = digits % 1000
                digits //= 1000
                lengths = 14
            n = 3 + (lengths - 8) // 2
            for k in range(n - 1, 0, -1):
                part[k] = digits % 100
                digits //= 100
            part[0] = digits
        elif n < 3 or lengths != 4:
            continue
        y, m, d = part[0], part[1], part[2]
        if y < 1900 or y > 9000 or m < 1 or m > 12 or d < 1 or part[3] > 24 or part[4] > 59 or part[5] > 59:
            continue
        if part[3] == 24 and (part[4] > 0 or part[5] > 0 or part[6] > 0):
            continue
        longest = 30 if (m == 4 or m == 6 or m == 9 or m == 11) else 31
        if m == 2:
            longest = 29 if (y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)) else 28
        if d > longest:
            continue
        # Days since 1970-01-01 by the era algorithm.
        yy = y - 1 if m <= 2 else y
        era = yy // 400
        yoe = yy - era * 400
        doy = (153 * (m - 3 if m > 2 else m + 9) + 2) // 5 + d - 1
        days = era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468
        time[i] = days * DAY_MS + ((part[3] * 60 + part[4]) * 60 + part[5]) * 1000 + part[6]
        form[i] = (HAS_HOUR if n > 3 else 0) | (HAS_MINUTE if n > 4 else 0) | (IS_24 if part[3] == 24 else 0)


def times(lines: Lines, rows: NDArray[np.int64], column: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Times of one column in the given lines: int64 ms since 1970 of the local clock (NO_TIME where unreadable), and how they were written.

    Read are Y-M-D, Y/M/D and Y.M.D with [ H[:M[:S[.fff]]]] behind a blank or T, the same with 年月日时分秒, and 8, 10, 12, 14 or 17 digits
    in a row; hour 24 is the next midnight. The form is bits: HAS_HOUR, HAS_MINUTE, IS_24.
    """
    first, last = _column(lines, rows, column)
    time, form = np.empty(rows.size, np.int64), np.empty(rows.size, np.uint8)
    _times(lines.buf, first, last, time, form)
    return time, form
