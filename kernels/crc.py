"""Check sums of HJ 212 frames over bytes in an array.

Belongs here: the HJ 212 CRC and the Modbus CRC that some loggers use instead, as kernels over `buf[lo:hi]`. Does not
belong here: where a frame begins and ends, and which variant a device may use (`resources`).

The HJ 212 step shifts the low byte out before it xors the next one in, so only the high byte of the register ever
reaches the next step: the state is 8 bits, a step is linear over xor, and several bytes can be taken at once by
looking each up in the table of the steps that still lie before it (`_AHEAD`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_POLYNOMIAL = 0xA001
_SLICE = 8


def _byte_table() -> NDArray[np.uint16]:
    """What eight shifts make of each byte value; the same table serves both variants."""
    table = np.zeros(256, np.uint16)
    for byte in range(256):
        reg = byte
        for _ in range(8):
            reg = (reg >> 1) ^ (_POLYNOMIAL if reg & 1 else 0)
        table[byte] = reg
    return table


def _ahead_tables(table: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Row k: what remains in the HJ 212 state of a byte after k + 1 steps."""
    high = (table >> 8).astype(np.uint8)
    rows = [high]
    for _ in range(_SLICE - 1):
        rows.append(high[rows[-1]])
    return np.stack(rows)


_TABLE = _byte_table()
_AHEAD = _ahead_tables(_TABLE)
_A0, _A1, _A2, _A3, _A4, _A5, _A6, _A7 = (np.ascontiguousarray(row) for row in _AHEAD)


@njit(cache=True, nogil=True)
def crc_hj212(buf: NDArray[np.uint8], lo: int, hi: int) -> int:
    """CRC of `buf[lo:hi]` by HJ 212-2017 appendix A, as an integer 0..65535 (printed high byte first).

    `buf` is a one-dimensional uint8 array; the caller keeps 0 <= lo <= hi <= len(buf). Empty input gives 0xFFFF.
    """
    if hi <= lo:
        return 0xFFFF
    state = np.uint8(0xFF)
    at = lo
    last = hi - 1
    while at + _SLICE <= last:
        state = np.uint8(
            _A7[state ^ buf[at]]
            ^ _A6[buf[at + 1]]
            ^ _A5[buf[at + 2]]
            ^ _A4[buf[at + 3]]
            ^ _A3[buf[at + 4]]
            ^ _A2[buf[at + 5]]
            ^ _A1[buf[at + 6]]
            ^ _A0[buf[at + 7]]
        )
        at += _SLICE
    while at < last:
        state = _A0[state ^ buf[at]]
        at += 1
    return int(np.int64(_TABLE[state ^ buf[last]]))


@njit(cache=True, nogil=True)
def crc_modbus(buf: NDArray[np.uint8], lo: int, hi: int) -> int:
    """CRC-16/MODBUS of `buf[lo:hi]`, as an integer 0..65535; empty input gives 0xFFFF. Arguments as `crc_hj212`."""
    reg = np.int64(0xFFFF)
    for at in range(lo, hi):
        reg = (reg >> 8) ^ np.int64(_TABLE[(reg ^ buf[at]) & 0xFF])
    return int(reg)
