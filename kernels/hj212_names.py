"""Look-up of short names and device numbers while scanning.

Belongs here: hash tables from packed factor codes and MN bytes to small integers. Does not belong here: which codes and
devices there are.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]

_HASH_SIZE = 256
_HASH_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def pack_name(name: str) -> int:
    """The bytes of a name of at most eight characters as one little-endian integer; 0 when it is longer."""
    raw = name.encode("ascii")
    return int.from_bytes(raw, "little") if len(raw) <= 8 else 0


def name_table(names: dict[str, int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Open-addressing table from packed names to small integers, as the scan expects it: keys uint64[256], values int16[256]."""
    keys = np.zeros(_HASH_SIZE, np.uint64)
    values = np.full(_HASH_SIZE, -1, np.int16)
    for name, value in sorted(names.items()):
        key = np.uint64(pack_name(name))
        if not key:
            raise ValueError(f"factor code {name!r} is longer than eight characters")
        place = name_slot(keys, key)
        keys[place] = key
        values[place] = value
    return keys, values


@njit(cache=True, nogil=True)
def name_slot(keys: NDArray[np.uint64], key: np.uint64) -> int:
    """Place of a packed name in the table, or the free place where it would go."""
    place = np.int64((key * _HASH_MULTIPLIER) >> np.uint64(56))
    while keys[place] != np.uint64(0) and keys[place] != key:
        place = (place + 1) & (_HASH_SIZE - 1)
    return place


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
