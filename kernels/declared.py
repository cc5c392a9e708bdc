"""What people declared about a day laid over the cells of an outlet: marks of devices, states of the process.

Belongs here: turning declared stretches into classes of cells and of minutes. Does not belong here: which declarations hold
and for whom (`assets/hour_declared.py`), tags (`hour_tags`) and figures (`hours`).

A declared class takes the place of what the record said; the basis bits go, since no reading is used there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from kernels import minutes as at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.minutes import Bytes, Cells, Longs

#: `channel` of a stretch that speaks of every channel, and of one that speaks of the process.
ALL_CHANNELS, PROCESS = -1, -2


class Declared(NamedTuple):
    """Declared stretches of a day, those of outlet i at `first[i]:first[i + 1]`; later ones take precedence.

    `channel`: of CHANNEL_ORDER, or one of the two above. Minutes [`lo`, `hi`) of the day, 0..1440. `code`: class of the minutes.
    `stopped`: the class under which nothing is emitted; a process stretch of it covers every channel.
    """

    first: Longs
    channel: Longs
    lo: Longs
    hi: Longs
    code: Bytes
    stopped: int


def nothing_declared(outlets: int) -> Declared:
    """No stretch for any of `outlets` outlets."""
    none = np.zeros(0, np.int64)
    return Declared(np.zeros(outlets + 1, np.int64), none, none, none, np.zeros(0, np.uint8), at.NONE)


@njit(cache=True, nogil=True)
def _cover(cells: Cells, channel: int, lo: int, hi: int, code: int) -> None:
    """Write one class over minutes of one channel, keeping whether there was a record."""
    for m in range(lo, hi):
        old = cells.state[channel, m]
        recorded = old != at.NONE and not old & at.NO_RECORD
        if channel == at.NOX and not recorded:
            # Nitrogen oxides that come in parts were recorded too.
            no, no2 = cells.state[at.NO, m], cells.state[at.NO2, m]
            recorded = (no != at.NONE and not no & at.NO_RECORD) or (no2 != at.NONE and not no2 & at.NO_RECORD)
        cells.state[channel, m] = np.uint8(code | at.DECLARED | (0 if recorded else at.NO_RECORD))


@njit(cache=True, nogil=True)
def lay_over(declared: Declared, outlet: int, cells: Cells, process: Bytes, seen: NDArray[np.bool_]) -> bool:
    """Lay an outlet's stretches over its cells; `process` (1440,) gets the class of each minute's process state, 0 for none.

    Returns whether any minute bears a process state; only then `process` was written.
    """
    lo, hi = declared.first[outlet], declared.first[outlet + 1]
    any_process = False
    for k in range(lo, hi):
        channel, code = declared.channel[k], declared.code[k]
        if channel == PROCESS:
            if not any_process:
                process[:] = 0
                any_process = True
            process[declared.lo[k] : declared.hi[k]] = code
            if code != declared.stopped:
                continue
        if channel >= 0:
            _cover(cells, channel, declared.lo[k], declared.hi[k], code)
            seen[channel] = True
        else:
            # NOX first: its minutes look at NO and NO2 as they were recorded.
            _cover(cells, at.NOX, declared.lo[k], declared.hi[k], code)
            for other in range(at.N_CHANNELS):
                if other != at.NOX:
                    _cover(cells, other, declared.lo[k], declared.hi[k], code)
            seen[: at.N_CHANNELS] = True
    return any_process
