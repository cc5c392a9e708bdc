"""What the minutes of one outlet's day look like to somebody who doubts them (air-rules 6).

Belongs here: the way through the raw cells of a day (`minutes`, before any mark or conversion), and the hourly evidence of whether
a source runs. Does not belong here: the checks themselves (`signal_checks`), hours against minutes, long windows, texts.

A channel is read once; the closer looks are taken only where that one pass says that there may be something.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from numba import njit

from kernels import minutes as at
from kernels.signal_checks import dilution, equal, flat, o2_low, placeholders, steps, zero
from kernels.signal_episodes import HOURS, N_SCANNED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernels.minutes import Bytes, Cells, Floats, Longs
    from kernels.signal_episodes import MinuteSignals, SignalRules, SignalWork


class _Look(NamedTuple):
    """One pass over a channel: number and sum of readings, longest run of equal ones, how many are not above 0, the largest
    change from one minute to the next, the narrowest range of any half window, the smallest reading.
    """

    n: int
    total: float
    longest: int
    zeros: int
    step: float
    narrowest: float
    least: float


@njit(cache=True, nogil=True)
def minute_signals(
    cells: Cells, sent: NDArray[np.bool_], owner: NDArray[np.int32], intervals: Longs, i: int, rules: SignalRules,
    work: SignalWork, out: MinuteSignals,
) -> None:  # fmt: skip
    """Episodes of outlet `i` (air-rules 6: A01, A02, A03, A06, A07, A08) into `out`.

    `cells`: declared marks laid over what was sent; `sent` (N_CHANNELS or more,): channels that anything speaks of; cells of the
    others mean nothing. `owner` (1440,): run of each minute, -1 none; `intervals`: minutes that a record of each run stands
    for. `work.on` comes from `source_evidence`.
    """
    if rules.merge_minutes < 0:
        return
    interval = 1
    for m in range(at.DAY_MINUTES):
        if owner[m] >= 0:
            interval = max(interval, intervals[owner[m]])
    if sent[at.O2]:
        _readings(cells.value[at.O2], cells.state[at.O2], work.on, work.o2)
    for channel in range(N_SCANNED):
        if sent[channel]:
            _readings(cells.value[channel], cells.state[channel], work.on, work.seen)
            _channel(channel, interval, i, rules, work, out)
    for channel in range(at.N_CHANNELS):
        # A pressure has an offset from the registry by now: what is out of range there is the affair of U01.
        if sent[channel] and channel != at.PRESSURE:
            placeholders(cells.value[channel], cells.state[channel], channel, i, rules, out)
    if sent[at.O2]:
        dilution(cells, sent, i, rules, work, out)


@njit(cache=True, nogil=True)
def source_evidence(
    cells: Cells, sent: NDArray[np.bool_], i: int, rules: SignalRules, on: NDArray[np.bool_], out: MinuteSignals
) -> None:
    """What outlet `i`'s source seems to do: hour means into `out`, and minutes in which it seems to run into `on`.

    `cells` as they were sent, before anything declared is laid over them; `sent` as in `minute_signals`.
    """
    if rules.merge_minutes < 0:
        return
    _running(cells, sent, rules, on)
    for k in range(3):
        channel = (at.O2, at.VELOCITY, at.TEMPERATURE)[k]
        target = (out.o2, out.velocity, out.temperature)[k]
        if not sent[channel]:
            continue
        value, state = cells.value[channel], cells.state[channel]
        for h in range(HOURS):
            total, n = 0.0, 0
            for m in range(h * 60, h * 60 + 60):
                if state[m] & at.CLASS_BITS == at.VALID:
                    total += value[m]
                    n += 1
            if n >= rules.least_minutes:
                target[i, h] = total / n


@njit(cache=True, nogil=True)
def _running(cells: Cells, sent: NDArray[np.bool_], rules: SignalRules, on: NDArray[np.bool_]) -> None:
    """Whether the source seems to run: by oxygen, else by velocity; where neither is there nothing says that it does not."""
    on[:] = True
    if sent[at.VELOCITY]:
        value, state = cells.value[at.VELOCITY], cells.state[at.VELOCITY]
        for m in range(at.DAY_MINUTES):
            if state[m] & at.CLASS_BITS == at.VALID:
                on[m] = value[m] > rules.idle_velocity
    if sent[at.O2]:
        value, state = cells.value[at.O2], cells.state[at.O2]
        for m in range(at.DAY_MINUTES):
            if state[m] & at.CLASS_BITS == at.VALID:
                on[m] = value[m] <= rules.near_air_pct


@njit(cache=True, nogil=True)
def _readings(value: Floats, state: Bytes, on: NDArray[np.bool_], into: Floats) -> None:
    for m in range(at.DAY_MINUTES):
        into[m] = value[m] if on[m] and state[m] & at.CLASS_BITS == at.VALID else math.nan


@njit(cache=True, nogil=True)
def _look(x: Floats, half: int) -> _Look:
    """The one pass; `half` is half of the window that A01 looks at: any whole window holds a half on this grid."""
    n, total, run, longest, zeros, step = 0, 0.0, 0, 0, 0, 0.0
    narrowest, least = math.inf, math.inf
    before = math.nan
    low, high, held, begin = math.inf, -math.inf, 0, 0
    for m in range(x.size):
        if m - begin == half:
            if held == half:
                narrowest = min(narrowest, high - low)
            low, high, held, begin = math.inf, -math.inf, 0, m
        v = x[m]
        if not math.isnan(v):
            n += 1
            total += v
            held += 1
            low, high = min(low, v), max(high, v)
            zeros += v <= 0.0
            least = min(least, v)
            run = run + 1 if v == before else 1
            longest = max(longest, run)
            # A change from nothing to something is no step: NaN compares as false.
            if abs(v - before) > step:
                step = abs(v - before)
        before = v
    if held == half and x.size - begin == half:
        narrowest = min(narrowest, high - low)
    return _Look(n, total, longest, zeros, step, narrowest, least)


@njit(cache=True, nogil=True)
def _channel(channel: int, interval: int, i: int, rules: SignalRules, work: SignalWork, out: MinuteSignals) -> None:
    """The checks on one channel of a running source, in `work.seen`."""
    x = work.seen
    look = _look(x, rules.flat_minutes // 2)
    if look.n == 0:
        return
    mean = look.total / look.n
    least = rules.least_records * interval
    work.told[:] = 0
    if look.longest >= max(rules.equal_minutes, least):
        equal(x, channel, i, max(rules.equal_minutes, least), rules, work.told, out)
    if channel == at.O2:
        if look.least < rules.o2_low_pct:
            o2_low(x, i, rules, out)
    elif look.zeros > rules.zero_minutes:
        zero(x, channel, i, rules, out)
    if mean > rules.floor[channel]:
        # Oxygen and flow of a steady kiln move little by rights; what is stuck there is told by A02.
        if channel < at.O2 and look.narrowest <= rules.flat_share * mean:
            flat(x, channel, i, max(rules.flat_minutes, least), mean, rules, work.told, out)
        if look.step > rules.step_share * mean:
            steps(x, channel, i, look.n, mean, rules, out)
