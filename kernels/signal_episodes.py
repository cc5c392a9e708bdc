"""Episodes of a day in which minutes look doubtful: their thresholds, their shape, and how they join.

Belongs here: what goes into the minute checks and what comes out. Does not belong here: the checks (`signal_checks`), the way
through a day (`signal_minutes`), texts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from kernels import minutes as at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.minutes import Bytes, Floats

HOURS = 24

#: What an episode is about; `MinuteSignals.check` holds these.
FLAT, EQUAL, ZERO, PLACEHOLDER, STEP, O2_LOW, DILUTION = range(7)
N_CHECKS = 7
#: Channels that are looked at closely: concentrations, oxygen, flow, velocity.
N_SCANNED = at.TEMPERATURE
#: Episodes of one check and channel that a day may have; what comes after them belongs to the last one.
MOST = 4
CAPACITY = MOST * (5 * N_SCANNED + 4)


class SignalRules(NamedTuple):
    """Thresholds in force that day.

    `flat_minutes`, `flat_share`: A01, range of a window as share of the day's mean. `floor` (N_SCANNED,): means below it are too
    small to speak of a range or step. `equal_minutes`, `least_records`: A02, and how many records a stretch must have at least.
    `zero_minutes`: A03, minutes of an hour. `placeholders`: A03. `step_mads`, `step_share`: A06. `o2_low_pct`, `o2_low_minutes`: A07.
    `rise_pct`, `follow`, `slope_apart`, `least_gases`: A08. `near_air_pct`, `idle_velocity`: a source is taken to run below that
    oxygen, or above that velocity where there is no oxygen. `merge_minutes`: episodes no further apart are one; below 0 nothing is
    looked at. `least_minutes`: of an
    hour of evidence.
    """

    flat_minutes: int
    flat_share: float
    floor: Floats
    equal_minutes: int
    least_records: int
    zero_minutes: int
    placeholders: Floats
    step_mads: float
    step_share: float
    o2_low_pct: float
    o2_low_minutes: int
    rise_pct: float
    follow: float
    slope_apart: float
    least_gases: int
    near_air_pct: float
    idle_velocity: float
    merge_minutes: int
    least_minutes: int


class MinuteSignals(NamedTuple):
    """Episodes of each outlet, and evidence of what its source does.

    `count` (n,): episodes of outlet i. Of shape (n, CAPACITY): `check`, `channel`, `first`, `end` (minutes of the day, end
    exclusive), `minutes` (of the episode that show it), `value` and `limit` (what was compared), `reading` (what was shown).
    `o2`, `velocity`, `temperature` (n, 24): hour means of valid readings as sent, NaN where there are too few.
    """

    count: NDArray[np.int32]
    check: Bytes
    channel: Bytes
    first: NDArray[np.int16]
    end: NDArray[np.int16]
    minutes: NDArray[np.int16]
    value: Floats
    limit: Floats
    reading: Floats
    o2: Floats
    velocity: Floats
    temperature: Floats


class SignalWork(NamedTuple):
    """Scratch for one outlet: whether the source runs, readings of a running source (NaN: none), oxygen, minutes told by A02."""

    on: NDArray[np.bool_]
    seen: Floats
    o2: Floats
    told: NDArray[np.int32]


#: For who asks for hours alone: nothing is looked at.
NO_DOUBTS = SignalRules(
    60, -1.0, np.full(N_SCANNED, math.inf), 1441, 1, 60, np.empty(0), math.inf, math.inf, -math.inf, 1441, math.inf, 2.0,
    0.0, 1441, math.inf, -math.inf, -1, 45,
)  # fmt: skip


def new_minute_signals(n: int) -> MinuteSignals:
    """No episode and no evidence for `n` outlets."""
    wide, hours = (n, CAPACITY), (n, HOURS)
    first, end, minutes = (np.zeros(wide, np.int16) for _ in range(3))
    value, limit, reading = (np.zeros(wide) for _ in range(3))
    o2, velocity, temperature = (np.full(hours, math.nan) for _ in range(3))
    check, channel = np.zeros(wide, np.uint8), np.zeros(wide, np.uint8)
    return MinuteSignals(
        np.zeros(n, np.int32), check, channel, first, end, minutes, value, limit, reading, o2, velocity, temperature
    )


@njit(cache=True, nogil=True)
def new_signal_work() -> SignalWork:
    """Scratch for one outlet."""
    n = at.DAY_MINUTES
    return SignalWork(np.zeros(n, np.bool_), np.empty(n), np.empty(n), np.zeros(n + 1, np.int32))


@njit(cache=True, nogil=True)
def add(
    out: MinuteSignals, i: int, check: int, channel: int, first: int, end: int, minutes: int, value: float, limit: float,
    reading: float, apart: int,
) -> None:  # fmt: skip
    """Add an episode, or join it to the last one of its kind when it is no more than `apart` minutes away."""
    own, last = 0, -1
    for k in range(out.count[i]):
        if out.check[i, k] == check and out.channel[i, k] == channel:
            own += 1
            last = k
    if own and (own == MOST or first - out.end[i, last] <= apart):
        out.end[i, last] = max(end, out.end[i, last])
        out.minutes[i, last] += minutes
        worse = value < out.value[i, last] if check == O2_LOW else value > out.value[i, last]
        if worse:
            out.value[i, last], out.limit[i, last], out.reading[i, last] = value, limit, reading
        return
    k = out.count[i]
    out.check[i, k], out.channel[i, k], out.first[i, k], out.end[i, k] = check, channel, first, end
    out.minutes[i, k], out.value[i, k], out.limit[i, k], out.reading[i, k] = minutes, value, limit, reading
    out.count[i] = k + 1
