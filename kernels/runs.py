"""Runs of hours: the longest stretch of hits in each group.

Belongs here: counting along rows sorted by group and hour. Does not belong here: what a hit is, tables, dates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Longs = NDArray[np.int64]

#: A row ends a run, belongs to one, or lies within one without counting.
ENDS, HIT, PASSES = 0, 1, 2


class Runs(NamedTuple):
    """Per group: rows in its longest run, and the row that the first of the longest begins at (-1: there is none)."""

    length: NDArray[np.int32]
    start: Longs


@njit(cache=True, nogil=True)
def _longest(first: Longs, hour: Longs, state: NDArray[np.uint8], length: NDArray[np.int32], start: Longs) -> None:
    for group in range(length.size):
        n, begun = 0, -1
        for row in range(first[group], first[group + 1]):
            if row > first[group] and hour[row] != hour[row - 1] + 1:
                n = 0
            if state[row] == ENDS:
                n = 0
            elif state[row] == HIT:
                if n == 0:
                    begun = row
                n += 1
                if n > length[group]:
                    length[group] = n
                    start[group] = begun


def longest_runs(first: Longs, hour: Longs, state: NDArray[np.uint8]) -> Runs:
    """The longest run of HIT rows in each group; an hour without a row ends a run, rows that PASS do neither end nor count.

    first (G + 1,): where each group's rows begin and, last, their number; hour (N,): hours since any origin, ascending within a
    group; state (N,) of ENDS, HIT, PASSES. Raises ValueError when the arrays do not fit together.
    """
    if hour.shape != state.shape or not first.size or first[-1] != hour.size or (np.diff(first) < 0).any():
        raise ValueError(f"{first.size - 1} groups do not share out {hour.size} hours and {state.size} states")
    made = Runs(np.zeros(first.size - 1, np.int32), np.full(first.size - 1, -1, np.int64))
    _longest(first, hour, state, *made)
    return made
