"""Inside one HJ 212 segment: names, times, numbers, the head and the data area.

Belongs here: tokenising a segment whose bounds are known. Does not belong here: finding and checking frames
(`kernels/hj212.py`), files, and what the codes mean (`reference/hj212`).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.hj212_names import name_slot, pack_name
from kernels.hj212_time import NO_TIME, is_digit, parse_time
from kernels.words import digits_value, leading_digits, load_word

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.int64]

# Why a cell stands outside the wide row.
CELL_UNKNOWN_FACTOR = 0
CELL_UNKNOWN_SUBFIELD = 1
CELL_VERBATIM = 2
CELL_BAD_VALUE = 3
CELL_REPEATED_KEY = 4

SUBFIELDS = 7
FLAG_SUB = 7
IRREGULAR_DP = 15
_POW10 = 10.0 ** np.arange(23)


@njit(cache=True, nogil=True)
def _digits(buf: Bytes, lo: int, hi: int) -> int:
    """buf[lo:hi], at most eight bytes, as an integer; -1 when it is empty or holds anything but digits."""
    value = 0
    for i in range(lo, hi):
        digit = np.int64(buf[i]) - 48
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value if hi > lo else -1


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


#: Bytes that the quick path may look at behind a pair's begin, inside the buffer: code, sub-field, sign, two runs of digits.
QUICK_ROOM = 48

_BYTE = np.uint64(0xFF)
_TWO = np.uint64(0xFFFF)
_NAME4 = np.uint64(0xFFFFFFFF)
_NAME5 = np.uint64(0xFFFFFFFFFF)
_AVG4, _MIN4, _MAX4, _COU4 = (np.uint64(pack_name(n + "=")) for n in ("Avg", "Min", "Max", "Cou"))
_FLAG5, _ZS2 = np.uint64(pack_name("Flag=")), np.uint64(pack_name("Zs"))
_CODE_MASK = np.array([(1 << 8 * n) - 1 for n in range(8)], np.uint64)
_POW10_INT = 10 ** np.arange(9, dtype=np.int64)


@njit(cache=True, nogil=True)
def _plain_number(buf: Bytes, lo: int, hi: int) -> int:
    """Decimals of buf[lo:hi] if it is [-]digits[.digits] of at most 15 digits without a spare leading zero, else -1."""
    at = lo + 1 if lo < hi and buf[lo] == 45 else lo
    first = at
    while at < hi and is_digit(buf[at]):
        at += 1
    whole = at - first
    dp = 0
    if at < hi and buf[at] == 46:
        dp = hi - at - 1
        at += 1
        while at < hi and is_digit(buf[at]):
            at += 1
        if dp == 0:
            return -1
    if at != hi or whole == 0 or whole + dp > 15 or dp >= IRREGULAR_DP or (whole > 1 and buf[first] == 48):
        return -1
    return dp


@njit(cache=True, nogil=True)
def _plain_value(buf: Bytes, lo: int, hi: int, dp: int) -> float:
    """The number that `_plain_number` accepted: an exact integer divided once is the nearest double, as the text would give."""
    mantissa = np.int64(0)
    for i in range(lo, hi):
        if is_digit(buf[i]):
            mantissa = mantissa * 10 + (np.int64(buf[i]) - 48)
    value = mantissa / _POW10[dp]
    return -value if buf[lo] == 45 else value


@njit(cache=True, nogil=True)
def _closes(buf: Bytes, at: int, hi: int) -> bool:
    """`&&` stands at `at`."""
    return buf[at] == 38 and at + 1 < hi and buf[at + 1] == 38


@njit(cache=True, nogil=True)
def _any_pair(
    buf: Bytes, at: int, hi: int, row: int, name_keys: NDArray[np.uint64], name_values: NDArray[np.int16],
    values: NDArray[np.float64], dps: NDArray[np.uint32], flags: NDArray[np.uint8], seen: NDArray[np.uint8], cells: Ints,
    n_cells: int, head: Ints,
) -> int:  # fmt: skip
    """One pair of any spelling from `at`: into the row, DataTime into head[6], else among the cells. head[7] = its end."""
    lo = at
    key = np.uint64(0)
    factor = np.uint64(0)
    hyphen = -1
    while at < hi and not (buf[at] == 61 or buf[at] == 59 or buf[at] == 44 or _closes(buf, at, hi)):
        if buf[at] == 45:
            # A second hyphen: the factor is all before it, longer than any known code.
            factor = key if hyphen < 0 and at - lo <= 8 else np.uint64(0)
            hyphen = at
            key = np.uint64(0)
        else:
            key |= np.uint64(buf[at]) << np.uint64(8 * ((at - max(lo, hyphen + 1)) & 7))
        at += 1
    name_hi = at
    if at >= hi or buf[at] != 61:
        head[7] = at
        return _add_cell(cells, n_cells, row, CELL_BAD_VALUE, lo, name_hi, name_hi, name_hi)
    v = at + 1
    at = v
    while at < hi and buf[at] != 59 and buf[at] != 44 and not _closes(buf, at, hi):
        at += 1
    head[7] = at
    if hyphen < 0 and name_hi - lo == 8 and key == _DATATIME:
        time = parse_time(buf, v, at)
        if head[6] == NO_TIME:
            head[6] = time
        elif time != head[6]:
            return _add_cell(cells, n_cells, row, CELL_REPEATED_KEY, lo, name_hi, v, at)
        return n_cells
    channel = np.int64(name_values[name_slot(name_keys, factor)]) if factor != np.uint64(0) else np.int64(-1)
    if channel < 0:
        return _add_cell(cells, n_cells, row, CELL_UNKNOWN_FACTOR, lo, name_hi, v, at)
    sub = _subfield(key) if name_hi - hyphen <= 9 else -1
    if sub < 0:
        return _add_cell(cells, n_cells, row, CELL_UNKNOWN_SUBFIELD, lo, name_hi, v, at)
    if sub == FLAG_SUB:
        if at - v != 1:
            return _add_cell(cells, n_cells, row, CELL_BAD_VALUE, lo, name_hi, v, at)
        if flags[channel, row] != 0 and flags[channel, row] != buf[v]:
            # The same flag is sent with Rtd and again with ZsRtd by many loggers; only a different one is news.
            return _add_cell(cells, n_cells, row, CELL_REPEATED_KEY, lo, name_hi, v, at)
        flags[channel, row] = buf[v]
        seen[seen.size - 1 - channel] = 1
        return n_cells
    dp = _plain_number(buf, v, at)
    value = _plain_value(buf, v, at, dp) if dp >= 0 else _loose_float(buf, v, at)
    dp = dp if dp >= 0 else IRREGULAR_DP
    if np.isnan(value):
        return _add_cell(cells, n_cells, row, CELL_BAD_VALUE, lo, name_hi, v, at)
    slot = channel * SUBFIELDS + sub
    shift = np.uint32(4 * sub)
    had = values[slot, row]
    if not np.isnan(had):
        if had != value or ((dps[channel, row] >> shift) & np.uint32(15)) != np.uint32(dp):
            return _add_cell(cells, n_cells, row, CELL_REPEATED_KEY, lo, name_hi, v, at)
        return n_cells
    values[slot, row] = value
    seen[slot] = 1
    dps[channel, row] |= np.uint32(dp) << shift
    if dp == IRREGULAR_DP:
        return _add_cell(cells, n_cells, row, CELL_VERBATIM, lo, name_hi, v, at)
    return n_cells


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
        if b == 38 and at + 1 < hi and buf[at + 1] == 38:  # && closes the area, a lone & does not
            break
        if at + QUICK_ROOM <= buf.size:
            word = load_word(buf, at)
            code = 6 if (word >> np.uint64(48)) & _BYTE == 45 else 3 if (word >> np.uint64(24)) & _BYTE == 45 else 2
            key = word & _CODE_MASK[code]
            if key != last_key:
                last_key = key
                hyphen = code > 2 or (word >> np.uint64(16)) & _BYTE == 45
                channel = np.int64(name_values[name_slot(name_keys, key)]) if hyphen else np.int64(-1)
            if channel >= 0:
                # Not a function of its own: numba counts references of every array at every call, atomically; as a call
                # this path took four times as long. What it declines, the general path looks at from the beginning.
                end = at + code + 1
                word = load_word(buf, end)
                sub = 0
                if word & _TWO == _ZS2:
                    sub = 4
                    end += 2
                    word = word >> np.uint64(16)
                name = word & _NAME4
                if name == _AVG4 or name == _MIN4 or name == _MAX4 or (name == _COU4 and sub == 0):  # noqa: SIM109 - words, not sets
                    sub += 0 if name == _AVG4 else 1 if name == _MIN4 else 2 if name == _MAX4 else 3
                    end += 4
                    negative = buf[end] == 45
                    end += np.int64(negative)
                    word = load_word(buf, end)
                    whole = leading_digits(word)
                    plain = 0 < whole < 8 and (whole == 1 or buf[end] != 48)
                    mantissa = digits_value(word, whole) if plain else np.int64(0)
                    end += whole
                    dp = 0
                    if buf[end] == 46:
                        word = load_word(buf, end + 1)
                        dp = leading_digits(word)
                        plain = plain and 0 < dp < 8
                        if plain:
                            mantissa = mantissa * _POW10_INT[dp] + digits_value(word, dp)
                        end += 1 + dp
                    slot = channel * SUBFIELDS + sub
                    b = buf[end]
                    ends = b == 44 or b == 59 or (b == 38 and buf[end + 1] == 38 and end + 1 < hi)
                    if plain and end < hi and ends and np.isnan(values[slot, row]):
                        value = mantissa / _POW10[dp]
                        values[slot, row] = -value if negative else value
                        dps[channel, row] |= np.uint32(dp) << np.uint32(4 * sub)
                        seen[slot] = 1
                        at = end
                        continue
                elif word & _NAME5 == _FLAG5 and sub == 0 and end + 6 < hi:
                    flag = buf[end + 5]
                    b = buf[end + 6]
                    ends = b == 44 or b == 59 or (b == 38 and buf[end + 7] == 38 and end + 7 < hi)
                    odd = flag == 44 or flag == 59 or flag == 38 or not ends
                    if not odd and flags[channel, row] == 0:
                        flags[channel, row] = flag
                        seen[seen.size - 1 - channel] = 1
                        at = end + 6
                        continue
        n_cells = _any_pair(buf, at, hi, row, name_keys, name_values, values, dps, flags, seen, cells, n_cells, head)
        at = head[7]
    head[7] = at
    if at + 2 < hi:
        # Whatever a logger sends behind the area is no reading, and is not thrown away either.
        n_cells = _add_cell(cells, n_cells, row, CELL_BAD_VALUE, at + 2, at + 2, at + 2, hi)
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
