"""Digits and times of HJ 212 out of bytes.

Belongs here: YYYYMMDDhhmmss[zzz], hex and decimal digits. Does not belong here: names and values (`hj212_fields`).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.words import digits_value, leading_digits, load_word

Bytes: TypeAlias = NDArray[np.uint8]

NO_TIME = np.iinfo(np.int64).min


@njit(cache=True, nogil=True)
def is_digit(b: int) -> bool:
    """An ASCII digit."""
    return 48 <= b <= 57


@njit(cache=True, nogil=True)
def hex4(buf: Bytes, at: int) -> int:
    """Four hex digits as a number; -1 when one is none."""
    value = 0
    for i in range(at, at + 4):
        b = buf[i]
        if 48 <= b <= 57:
            digit = b - 48
        elif 65 <= b <= 70:
            digit = b - 55
        elif 97 <= b <= 102:
            digit = b - 87
        else:
            return -1
        value = value * 16 + digit
    return value


@njit(cache=True, nogil=True)
def number(buf: Bytes, lo: int, count: int) -> int:
    """`count` ASCII digits from `lo` as an integer; the caller knows that they are digits."""
    value = 0
    for i in range(lo, lo + count):
        value = value * 10 + (np.int64(buf[i]) - 48)
    return value


@njit(cache=True, nogil=True)
def _days_from_civil(y: int, m: int, d: int) -> int:
    """Days since 1970-01-01 of a proleptic Gregorian date (the era algorithm: exact, no tables)."""
    if m <= 2:
        y -= 1
    era = y // 400
    yoe = y - era * 400
    mp = m - 3 if m > 2 else m + 9
    doy = (153 * mp + 2) // 5 + d - 1
    doe = yoe * 365 + yoe // 4 - yoe // 100 + doy
    return era * 146097 + doe - 719468


@njit(cache=True, nogil=True)
def parse_time(buf: Bytes, lo: int, hi: int) -> int:
    """YYYYMMDDhhmmss or YYYYMMDDhhmmsszzz in buf[lo:hi] as milliseconds since 1970-01-01 of the local clock; NO_TIME otherwise."""
    n = hi - lo
    if (n != 14 and n != 17) or leading_digits(load_word(buf, lo)) < 8:
        return NO_TIME
    # The last eight of fourteen digits are ddhhmmss; words stay inside buf[lo:hi].
    word = load_word(buf, lo + 6)
    if leading_digits(word) < 8:
        return NO_TIME
    date = digits_value(load_word(buf, lo), 8)
    clock = digits_value(word, 8) % 1_000_000
    ms = 0
    if n == 17:
        word = load_word(buf, lo + 9)
        if leading_digits(word) < 8:
            return NO_TIME
        ms = digits_value(word, 8) % 1000
    y, m, d = date // 10_000, date // 100 % 100, date % 100
    hh, mm, ss = clock // 10_000, clock // 100 % 100, clock % 100
    if m < 1 or m > 12 or d < 1 or hh > 23 or mm > 59 or ss > 59 or y < 1900:
        return NO_TIME
    if d > 28:
        longest = 30 if (m == 4 or m == 6 or m == 9 or m == 11) else 31
        if m == 2:
            longest = 29 if (y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)) else 28
        if d > longest:
            return NO_TIME
    return (_days_from_civil(y, m, d) * 86400 + hh * 3600 + mm * 60 + ss) * 1000 + ms
