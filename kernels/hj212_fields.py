"""Inside one HJ 212 segment: names, times, numbers, the head and the data area.

Belongs here: tokenising a segment whose bounds are known, and the look-up tables for names and device numbers. Does not
belong here: finding and checking frames (`kernels/hj212.py`), files, and what the codes mean (`reference/hj212`).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.int64]

# Why a cell stands outside the wide row.
CELL_UNKNOWN_FACTOR = 0
CELL_UNKNOWN_SUBFIELD = 1
CELL_VERBATIM = 2
CELL_BAD_VALUE = 3
CELL_REPEATED_KEY = 4

NO_TIME = np.iinfo(np.int64).min
SUBFIELDS = 7
FLAG_SUB = 7
IRREGULAR_DP = 15

_HASH_SIZE = 256
_HASH_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_POW10 = 10.0 ** np.arange(23)
_HASH_SIZE = 256
_HASH_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def pack_name(name: str) -> int:
    """The bytes of a name of at most eight characters as one big-endian integer; 0 when it is longer."""
    raw = name.encode("ascii")
    return int.from_bytes(raw, "big") if len(raw) <= 8 else 0


def name_table(names: dict[str, int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Open-addressing table from packed names to small integers, as the scan expects it: keys uint64[256], values int16[256]."""
    keys = np.zeros(_HASH_SIZE, np.uint64)
    values = np.full(_HASH_SIZE, -1, np.int16)
    for name, value in sorted(names.items()):
        key = np.uint64(pack_name(name))
        if not key:
            raise ValueError(f"factor code {name!r} is longer than eight characters")
        place = _name_slot(keys, key)
        keys[place] = key
        values[place] = value
    return keys, values


@njit(cache=True, nogil=True)
def _name_slot(keys: NDArray[np.uint64], key: np.uint64) -> int:
    place = np.int64((key * _HASH_MULTIPLIER) >> np.uint64(56))
    while keys[place] != np.uint64(0) and keys[place] != key:
        place = (place + 1) & (_HASH_SIZE - 1)
    return place


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
    if n != 14 and n != 17:
        return NO_TIME
    for i in range(lo, hi):
        if not is_digit(buf[i]):
            return NO_TIME
    y = number(buf, lo, 4)
    m = number(buf, lo + 4, 2)
    d = number(buf, lo + 6, 2)
    hh = number(buf, lo + 8, 2)
    mm = number(buf, lo + 10, 2)
    ss = number(buf, lo + 12, 2)
    if m < 1 or m > 12 or d < 1 or hh > 23 or mm > 59 or ss > 59 or y < 1900:
        return NO_TIME
    if d > 28:
        longest = 30 if (m == 4 or m == 6 or m == 9 or m == 11) else 31
        if m == 2:
            longest = 29 if (y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)) else 28
        if d > longest:
            return NO_TIME
    ms = number(buf, lo + 14, 3) if n == 17 else 0
    return (_days_from_civil(y, m, d) * 86400 + hh * 3600 + mm * 60 + ss) * 1000 + ms


@njit(cache=True, nogil=True)
def find_mn(
    buf: Bytes,
    lo: int,
    hi: int,
    mn_bytes: NDArray[np.uint8],
    mn_lengths: NDArray[np.int32],
    mn_slots: NDArray[np.int32],
) -> int:
    """Index of the MN in buf[lo:hi] among the known ones, -1 when unknown: FNV-1a into open addressing, then bytes compared."""
    n = hi - lo
    if n == 0 or n > mn_bytes.shape[1]:
        return -1
    place = np.int64(mn_hash(buf, lo, hi) & np.uint64(mn_slots.size - 1))
    while mn_slots[place] >= 0:
        k = mn_slots[place]
        if mn_lengths[k] == n:
            same = True
            for i in range(n):
                if mn_bytes[k, i] != buf[lo + i]:
                    same = False
                    break
            if same:
                return k
        place = (place + 1) & (mn_slots.size - 1)
    return -1


@njit(cache=True, nogil=True)
def mn_hash(buf: Bytes, lo: int, hi: int) -> np.uint64:
    """FNV-1a, 64 bits."""
    h = np.uint64(0xCBF29CE484222325)
    for i in range(lo, hi):
        h = (h ^ np.uint64(buf[i])) * np.uint64(0x100000001B3)
    return h


def mn_table(mns: list[str]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Look-up table of device numbers: bytes uint8[n, widest], lengths int32[n], slots int32[power of two] (-1 = free)."""
    widest = max([len(m.encode()) for m in mns], default=1)
    table = np.zeros((len(mns), widest), np.uint8)
    lengths = np.zeros(len(mns), np.int32)
    size = 16
    while size < 4 * len(mns):
        size *= 2
    slots = np.full(size, -1, np.int32)
    for k, mn in enumerate(mns):
        raw = np.frombuffer(mn.encode(), np.uint8)
        table[k, : raw.size] = raw
        lengths[k] = raw.size
        place = int(mn_hash(raw, 0, raw.size)) & (size - 1)
        while slots[place] >= 0:
            place = (place + 1) & (size - 1)
        slots[place] = k
    return table, lengths, slots


@njit(cache=True, nogil=True)
def _digits(buf: Bytes, lo: int, hi: int) -> int:
    """buf[lo:hi] as an integer, -1 when it is empty or holds anything but digits."""
    for i in range(lo, hi):
        if not is_digit(buf[i]):
            return -1
    return number(buf, lo, hi - lo) if hi > lo else -1


@njit(cache=True, nogil=True)
def parse_head(buf: Bytes, lo: int, hi: int, head: Ints) -> None:
    """Fields before the data area, by name and in any order: head = [cn, version, qn, mn_lo, mn_hi, data_lo].

    `data_lo` is the first byte behind `CP=&&`, or -1. Fields end at `;` or, where a logger writes a stray comma, at `,`.
    """
    head[0] = -1
    head[1] = 0
    head[2] = NO_TIME
    head[3] = 0
    head[4] = 0
    head[5] = -1
    at = lo
    while at < hi:
        if buf[at] == 67 and at + 4 < hi and buf[at + 1] == 80 and buf[at + 2] == 61:  # CP=
            if buf[at + 3] == 38 and buf[at + 4] == 38:
                head[5] = at + 5
            return
        eq = at
        while eq < hi and buf[eq] != 61 and buf[eq] != 59 and buf[eq] != 44:
            eq += 1
        end = eq
        while end < hi and buf[end] != 59 and buf[end] != 44:
            end += 1
        n = eq - at
        if eq < hi and buf[eq] == 61:
            v = eq + 1
            if n == 2 and buf[at] == 67 and buf[at + 1] == 78:  # CN
                if end - v == 4 and head[0] < 0:
                    head[0] = _digits(buf, v, end)
            elif n == 2 and buf[at] == 77 and buf[at + 1] == 78:  # MN
                head[3] = v
                head[4] = end
            elif n == 2 and buf[at] == 81 and buf[at + 1] == 78:  # QN
                head[2] = parse_time(buf, v, end)
            elif (
                n == 4
                and (buf[at] | 32) == 102
                and (buf[at + 1] | 32) == 108
                and (buf[at + 3] | 32) == 103
                and end - v <= 3
            ):  # Flag
                head[1] = max(_digits(buf, v, end), 0) >> 2
        at = end + 1


@njit(cache=True, nogil=True)
def find_data_time(buf: Bytes, lo: int, hi: int) -> int:
    """First readable `DataTime=` in buf[lo:hi]; NO_TIME when there is none."""
    at = lo
    while at + 9 < hi:
        if (
            buf[at] == 68 and buf[at + 1] == 97 and buf[at + 2] == 116 and buf[at + 3] == 97 and buf[at + 4] == 84
            and buf[at + 5] == 105 and buf[at + 6] == 109 and buf[at + 7] == 101 and buf[at + 8] == 61
        ):  # fmt: skip
            end = at + 9
            while end < hi and is_digit(buf[end]):
                end += 1
            return parse_time(buf, at + 9, end)
        at += 1
    return NO_TIME


_AVG, _MIN, _MAX, _COU = (np.uint64(pack_name(n)) for n in ("Avg", "Min", "Max", "Cou"))
_ZSAVG, _ZSMIN, _ZSMAX, _FLAG = (np.uint64(pack_name(n)) for n in ("ZsAvg", "ZsMin", "ZsMax", "Flag"))
_DATATIME = np.uint64(pack_name("DataTime"))


@njit(cache=True, nogil=True)
def _subfield(key: np.uint64) -> int:
    if key == _AVG:
        return 0
    if key == _MIN:
        return 1
    if key == _MAX:
        return 2
    if key == _COU:
        return 3
    if key == _ZSAVG:
        return 4
    if key == _ZSMIN:
        return 5
    if key == _ZSMAX:
        return 6
    if key == _FLAG:
        return FLAG_SUB
    return -1


@njit(cache=True, nogil=True)
def _loose_float(buf: Bytes, lo: int, hi: int) -> float:
    """[+-]digits[.digits][e[+-]digits] as float, NaN when it is no number. Only for spellings that the fast path declines."""
    at = lo
    sign = 1.0
    if at < hi and (buf[at] == 43 or buf[at] == 45):
        sign = -1.0 if buf[at] == 45 else 1.0
        at += 1
    mantissa = 0.0
    digits = 0
    exponent = 0
    while at < hi and is_digit(buf[at]):
        mantissa = mantissa * 10.0 + (buf[at] - 48)
        digits += 1
        at += 1
    if at < hi and buf[at] == 46:
        at += 1
        while at < hi and is_digit(buf[at]):
            mantissa = mantissa * 10.0 + (buf[at] - 48)
            digits += 1
            exponent -= 1
            at += 1
    if digits == 0:
        return np.nan
    if at < hi and (buf[at] == 69 or buf[at] == 101):
        at += 1
        esign = 1
        if at < hi and (buf[at] == 43 or buf[at] == 45):
            esign = -1 if buf[at] == 45 else 1
            at += 1
        edigits = 0
        e = 0
        while at < hi and is_digit(buf[at]) and edigits < 4:
            e = e * 10 + (buf[at] - 48)
            edigits += 1
            at += 1
        if edigits == 0:
            return np.nan
        exponent += esign * e
    if at != hi:
        return np.nan
    value = sign * mantissa * 10.0**exponent
    return value if np.isfinite(value) else np.nan


@njit(cache=True, nogil=True)
def _add_cell(cells: Ints, n: int, row: int, why: int, name_lo: int, name_hi: int, lo: int, hi: int) -> int:
    if n < cells.shape[0]:
        cells[n, 0] = row
        cells[n, 1] = why
        cells[n, 2] = name_lo
        cells[n, 3] = name_hi
        cells[n, 4] = lo
        cells[n, 5] = hi
    return n + 1


@njit(cache=True, nogil=True)
def parse_data(
    buf: Bytes,
    lo: int,
    hi: int,
    row: int,
    name_keys: NDArray[np.uint64],
    name_values: NDArray[np.int16],
    values: NDArray[np.float64],
    dps: NDArray[np.uint32],
    flags: NDArray[np.uint8],
    seen: NDArray[np.uint8],
    cells: Ints,
    n_cells: int,
    head: Ints,
) -> int:
    """One data area into one wide row. Returns the new number of cells; head[6] = DataTime, head[7] = end of the area.

    Items end at `;` and pairs at `,`, read alike: real loggers mix them. Names split at their last hyphen.
    """
    head[6] = NO_TIME
    at = lo
    last_key = np.uint64(0)
    channel = np.int64(-1)
    while at < hi:
        b = buf[at]
        if b == 59 or b == 44:
            at += 1
            continue
        if b == 38:  # && closes the area
            break
        name_lo = at
        key = np.uint64(0)
        factor = np.uint64(0)
        factor_hi = -1
        while at < hi:
            b = buf[at]
            if b == 61 or b == 59 or b == 44 or b == 38:
                break
            if b == 45:
                # A second hyphen: the factor is all before it, longer than any known code.
                factor = key if factor_hi < 0 and at - name_lo <= 8 else np.uint64(0)
                factor_hi = at
                key = np.uint64(0)
            else:
                key = (key << np.uint64(8)) | np.uint64(b)
            at += 1
        name_hi = at
        if at >= hi or buf[at] != 61:
            n_cells = _add_cell(cells, n_cells, row, CELL_BAD_VALUE, name_lo, name_hi, name_hi, name_hi)
            continue
        at += 1
        v = at
        # The fast number: [-]digits[.digits], at most 15 digits, no spare leading zero. All else is looked at again below.
        negative = False
        if at < hi and buf[at] == 45:
            negative = True
            at += 1
        mantissa = np.int64(0)
        d0 = at
        while at < hi:
            digit = np.int64(buf[at]) - 48
            if digit < 0 or digit > 9:
                break
            mantissa = mantissa * 10 + digit
            at += 1
        whole = at - d0
        dp = 0
        if at < hi and buf[at] == 46:
            at += 1
            f0 = at
            while at < hi:
                digit = np.int64(buf[at]) - 48
                if digit < 0 or digit > 9:
                    break
                mantissa = mantissa * 10 + digit
                at += 1
            dp = at - f0
            regular = dp > 0
        else:
            regular = True
        number_hi = at
        while at < hi and buf[at] != 59 and buf[at] != 44 and buf[at] != 38:
            at += 1
        regular = (
            regular and number_hi == at and whole > 0 and whole + dp <= 15 and dp < IRREGULAR_DP
            and not (whole > 1 and buf[d0] == 48)
        )  # fmt: skip
        if factor_hi < 0:
            if key == _DATATIME and name_hi - name_lo == 8:
                if head[6] == NO_TIME:
                    head[6] = parse_time(buf, v, at)
                continue
            n_cells = _add_cell(cells, n_cells, row, CELL_UNKNOWN_FACTOR, name_lo, name_hi, v, at)
            continue
        if factor != last_key:
            last_key = factor
            channel = np.int64(name_values[_name_slot(name_keys, factor)]) if factor != np.uint64(0) else np.int64(-1)
        if channel < 0:
            n_cells = _add_cell(cells, n_cells, row, CELL_UNKNOWN_FACTOR, name_lo, name_hi, v, at)
            continue
        sub = _subfield(key) if name_hi - factor_hi <= 9 else -1
        if sub < 0:
            n_cells = _add_cell(cells, n_cells, row, CELL_UNKNOWN_SUBFIELD, name_lo, name_hi, v, at)
            continue
        if sub == FLAG_SUB:
            if at - v != 1:
                n_cells = _add_cell(cells, n_cells, row, CELL_BAD_VALUE, name_lo, name_hi, v, at)
            elif flags[channel, row] != 0 and flags[channel, row] != buf[v]:
                # The same flag is sent with Rtd and again with ZsRtd by many loggers; only a different one is news.
                n_cells = _add_cell(cells, n_cells, row, CELL_REPEATED_KEY, name_lo, name_hi, v, at)
            else:
                flags[channel, row] = buf[v]
                seen[seen.size - 1 - channel] = 1
            continue
        if regular:
            value = mantissa / _POW10[dp]
            if negative:
                value = -value
        else:
            value = _loose_float(buf, v, at)
            if np.isnan(value):
                n_cells = _add_cell(cells, n_cells, row, CELL_BAD_VALUE, name_lo, name_hi, v, at)
                continue
            dp = IRREGULAR_DP
        slot = channel * SUBFIELDS + sub
        shift = np.uint32(4 * sub)
        had = values[slot, row]
        if not np.isnan(had):
            if had != value or ((dps[channel, row] >> shift) & np.uint32(15)) != np.uint32(dp):
                n_cells = _add_cell(cells, n_cells, row, CELL_REPEATED_KEY, name_lo, name_hi, v, at)
            continue
        values[slot, row] = value
        seen[slot] = 1
        dps[channel, row] |= np.uint32(dp) << shift
        if dp == IRREGULAR_DP:
            n_cells = _add_cell(cells, n_cells, row, CELL_VERBATIM, name_lo, name_hi, v, at)
    head[7] = at
    return n_cells


@njit(cache=True, nogil=True)
def _gather(buf: Bytes, lo: Ints, hi: Ints, offsets: NDArray[np.int32], out: NDArray[np.uint8]) -> None:
    for i in range(lo.size):
        at = offsets[i]
        for j in range(lo[i], hi[i]):
            out[at] = buf[j]
            at += 1


def gather(buf: NDArray[Any], lo: NDArray[Any], hi: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Pieces buf[lo[i]:hi[i]] one after the other: offsets int32[n + 1] and bytes uint8, the buffers of an Arrow binary array."""
    offsets = np.zeros(lo.size + 1, np.int32)
    np.cumsum(hi - lo, out=offsets[1:])
    out = np.empty(int(offsets[-1]), np.uint8)
    _gather(buf, lo, hi, offsets, out)
    return offsets, out
