"""Rows that may say the same thing twice: put in order, group by key, and let the later word win, cell by cell.

Belongs here: ordering by device, command, time and precedence; the cell-wise merge and what it says of each frame. Does not
belong here: what the columns mean, files, and how losers are reported (`assets/raw.py`).

Precedence comes from the inputs alone (design.md 5.3): QN, then the order in which the caller lists the rows (path, offset).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.int64]

#: What a merge says of a frame, as bits.
LOST = 1
GAVE = 2


@njit(cache=True, nogil=True)
def _before(a: int, b: int, cn: NDArray[np.int16], time: Ints, qn: Ints) -> bool:
    if cn[a] != cn[b]:
        return cn[a] < cn[b]
    if time[a] != time[b]:
        return time[a] < time[b]
    return qn[a] < qn[b]


@njit(cache=True, nogil=True)
def _merge_sort(order: Ints, lo: int, hi: int, cn: NDArray[np.int16], time: Ints, qn: Ints, spare: Ints) -> None:
    """Stable bottom-up merge sort of order[lo:hi]; runs already in order cost one comparison a row."""
    width = 1
    n = hi - lo
    while width < n:
        at = lo
        while at < hi:
            mid = min(at + width, hi)
            end = min(at + 2 * width, hi)
            if mid < end and _before(order[mid], order[mid - 1], cn, time, qn):
                i = at
                j = mid
                for k in range(at, end):
                    if j >= end or (i < mid and not _before(order[j], order[i], cn, time, qn)):
                        spare[k] = order[i]
                        i += 1
                    else:
                        spare[k] = order[j]
                        j += 1
                for k in range(at, end):
                    order[k] = spare[k]
            at = end
        width *= 2


@njit(cache=True, nogil=True)
def _order(
    device: NDArray[np.int32], n_devices: int, cn: NDArray[np.int16], time: Ints, qn: Ints, order: Ints, starts: Ints
) -> int:
    n = device.size
    first = np.zeros(n_devices + 1, np.int64)
    for i in range(n):
        first[device[i] + 1] += 1
    for d in range(n_devices):
        first[d + 1] += first[d]
    place = first[:-1].copy()
    for i in range(n):
        d = device[i]
        order[place[d]] = i
        place[d] += 1
    spare = np.empty(n, np.int64)
    groups = 0
    for d in range(n_devices):
        _merge_sort(order, first[d], first[d + 1], cn, time, qn, spare)
        for k in range(first[d], first[d + 1]):
            new = k == first[d]
            if not new:
                a = order[k - 1]
                b = order[k]
                new = cn[a] != cn[b] or time[a] != time[b]
            if new:
                starts[groups] = k
                groups += 1
    starts[groups] = n
    return groups


def order_rows(
    device: NDArray[Any], n_devices: int, cn: NDArray[Any], time: NDArray[Any], qn: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Order rows by (device, cn, time, qn), ties as listed, and group them by (device, cn, time).

    device int32[n] in 0..n_devices-1; cn int16[n]; time, qn int64[n]. Returns order int64[n] and starts int64[groups + 1]:
    group g is order[starts[g]:starts[g + 1]], its last row takes precedence.
    """
    n = device.size
    if not (cn.size == time.size == qn.size == n):
        raise ValueError("device, cn, time and qn differ in length")
    order = np.empty(n, np.int64)
    starts = np.empty(n + 1, np.int64)
    groups = _order(device, n_devices, cn, time, qn, order, starts)
    return order, starts[: groups + 1].copy()


@njit(cache=True, nogil=True)
def _merge_numbers(
    values: NDArray[np.float64], dps: NDArray[np.uint32], shift: int, order: Ints, starts: Ints, leaders: Ints, several: Ints,
    lo: int, out: NDArray[np.float64], out_dps: NDArray[np.uint32], state: NDArray[np.uint8],
) -> None:  # fmt: skip
    # Nearly every row has one frame: those are copied in one plain loop, the others are looked at again.
    for g in range(out.size):
        out[g] = values[leaders[g]]
    mask = np.uint32(15) << np.uint32(shift)
    for g in several:
        last = starts[g + 1] - 1
        winner = -1
        for k in range(last, starts[g] - 1, -1):
            row = order[k]
            if np.isnan(values[row]):
                continue
            if winner < 0:
                winner = row
                out[g - lo] = values[row]
                out_dps[g - lo] = (out_dps[g - lo] & ~mask) | (dps[row] & mask)
                if k != last:
                    state[row] |= GAVE
            elif (
                values[row] != values[winner]
                or np.signbit(values[row]) != np.signbit(values[winner])
                or (dps[row] & mask) != (dps[winner] & mask)
            ):
                state[row] |= LOST


@njit(cache=True, nogil=True)
def _merge_flags(
    flags: NDArray[np.uint8], order: Ints, starts: Ints, leaders: Ints, several: Ints, lo: int, out: NDArray[np.uint8],
    state: NDArray[np.uint8],
) -> None:  # fmt: skip
    for g in range(out.size):
        out[g] = flags[leaders[g]]
    for g in several:
        last = starts[g + 1] - 1
        winner = -1
        for k in range(last, starts[g] - 1, -1):
            row = order[k]
            if flags[row] == 0:
                continue
            if winner < 0:
                winner = row
                out[g - lo] = flags[row]
                if k != last:
                    state[row] |= GAVE
            elif flags[row] != flags[winner]:
                state[row] |= LOST


class Grouping:
    """Rows in order and in groups, and what merging has said of each row so far (`state`, bits LOST and GAVE)."""

    def __init__(self, order: NDArray[Any], starts: NDArray[Any]) -> None:
        self.order = order
        self.starts = starts
        self.state = np.zeros(order.size, np.uint8)

    @property
    def groups(self) -> int:
        """Number of groups, which is the number of merged rows."""
        return self.starts.size - 1

    def leaders(self, lo: int = 0, hi: int | None = None) -> NDArray[Any]:
        """The row of each group lo..hi that takes precedence."""
        ends = self.starts[lo + 1 : (self.groups if hi is None else hi) + 1]
        return self.order[ends - 1]

    def stretch(self, lo: int, hi: int) -> Stretch:
        """Groups lo..hi, ready to be merged column by column."""
        several = np.flatnonzero(np.diff(self.starts[lo : hi + 1]) > 1) + lo
        return Stretch(self, lo, self.leaders(lo, hi), several)

    def group_of(self) -> NDArray[Any]:
        """Group of each row, int64[n]."""
        made = np.empty(self.order.size, np.int64)
        made[self.order] = np.repeat(np.arange(self.groups), np.diff(self.starts))
        return made


class Stretch:
    """Some neighbouring groups of a grouping under merge; what is said of a frame goes into the grouping's `state`."""

    def __init__(self, grouping: Grouping, lo: int, leaders: NDArray[Any], several: NDArray[Any]) -> None:
        self._grouping = grouping
        self._lo = lo
        self._leaders = leaders
        self._several = several

    def decimals(self, dps: NDArray[np.uint32]) -> NDArray[Any]:
        """The leaders' decimals, where `numbers` starts from."""
        return dps[self._leaders]

    def numbers(
        self, values: NDArray[np.float64], dps: NDArray[np.uint32], subfield: int, out_dps: NDArray[np.uint32]
    ) -> NDArray[np.float64]:
        """Merged float64 of the groups; the sub-field's decimals in `out_dps` (from `decimals`) are put right."""
        g = self._grouping
        out = np.empty(self._leaders.size)
        _merge_numbers(
            values, dps, 4 * subfield, g.order, g.starts, self._leaders, self._several, self._lo, out, out_dps, g.state
        )
        return out

    def flags(self, flags: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Merged flags (ASCII, 0 for none) of the groups."""
        g = self._grouping
        out = np.empty(self._leaders.size, np.uint8)
        _merge_flags(flags, g.order, g.starts, self._leaders, self._several, self._lo, out, g.state)
        return out
