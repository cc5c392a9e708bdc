"""The closer looks at one channel of one day: flat, equal, zero, placeholder, step, impossible oxygen, dilution.

Belongs here: loops over 1,440 readings (NaN: none of a running source) that add episodes. Does not belong here: which channels
are looked at and when (`signal_minutes`), the shape of an episode (`signal_episodes`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from kernels import minutes as at
from kernels.signal_episodes import DILUTION, EQUAL, FLAT, HOURS, O2_LOW, PLACEHOLDER, STEP, ZERO, add

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.minutes import Bytes, Cells, Floats
    from kernels.signal_episodes import MinuteSignals, SignalRules, SignalWork

#: Readings beyond these may be placeholders; anything between is no candidate.
_PLACEHOLDER_LOW, _PLACEHOLDER_HIGH = -90.0, 9000.0
_PER_S, _PER_H = 1.0, 3600.0


@njit(cache=True, nogil=True)
def equal(x: Floats, channel: int, i: int, least: int, rules: SignalRules, told: NDArray[np.int32], out: MinuteSignals) -> None:  # fmt: skip
    """A02: at least `least` equal minutes. Zeros are the affair of A03. `told[m]` becomes the minutes before m that lie in one."""
    begin = 0
    for m in range(1, x.size + 1):
        if m < x.size and x[m] == x[begin]:
            continue
        long = m - begin >= least and x[begin] > 0.0
        for k in range(begin, m):
            told[k + 1] = told[k] + long
        if long:
            add(out, i, EQUAL, channel, begin, m, m - begin, m - begin, least, x[begin], rules.merge_minutes)
        begin = m


@njit(cache=True, nogil=True)
def flat(
    x: Floats, channel: int, i: int, least: int, mean: float, rules: SignalRules, told: NDArray[np.int32], out: MinuteSignals
) -> None:  # fmt: skip
    """A01: windows of `least` minutes or more that stay within a share of the day's mean, unless mostly equal readings."""
    limit = rules.flat_share * mean
    begin, low, high = 0, math.inf, -math.inf
    first, end, narrow, level = -1, -1, math.inf, 0.0
    for m in range(x.size):
        v = x[m]
        if math.isnan(v):
            begin, low, high = m + 1, math.inf, -math.inf
            continue
        low, high = min(low, v), max(high, v)
        if high - low > limit:
            # The longest window that ends here begins where the range first becomes too wide, looking back.
            low = high = v
            begin = m
            while begin > 0:
                p = x[begin - 1]
                if math.isnan(p) or max(high, p) - min(low, p) > limit:
                    break
                low, high = min(low, p), max(high, p)
                begin -= 1
        length = m + 1 - begin
        if length >= least and 2 * (told[m + 1] - told[begin]) < length:
            if first >= 0 and begin > end:
                add(
                    out,
                    i,
                    FLAT,
                    channel,
                    first,
                    end,
                    end - first,
                    narrow,
                    100 * rules.flat_share,
                    level,
                    rules.merge_minutes,
                )
                first = -1
            if first < 0:
                first, narrow, level = begin, math.inf, 0.0
            end = m + 1
            width = 100 * (high - low) / mean
            if width < narrow:
                narrow, level = width, (high + low) / 2
    if first >= 0:
        add(out, i, FLAT, channel, first, end, end - first, narrow, 100 * rules.flat_share, level, rules.merge_minutes)


@njit(cache=True, nogil=True)
def zero(x: Floats, channel: int, i: int, rules: SignalRules, out: MinuteSignals) -> None:
    """A03: hours with more than `zero_minutes` minutes at or below 0."""
    for h in range(HOURS):
        n, least = 0, 0.0
        for m in range(h * 60, h * 60 + 60):
            if x[m] <= 0.0:
                n += 1
                least = min(least, x[m])
        if n > rules.zero_minutes:
            add(out, i, ZERO, channel, h * 60, h * 60 + 60, n, n, rules.zero_minutes, least, rules.merge_minutes)


@njit(cache=True, nogil=True)
def placeholders(value: Floats, state: Bytes, channel: int, i: int, rules: SignalRules, out: MinuteSignals) -> None:
    """A03: readings that stand for "no value" (-9999 and the like) but count as valid."""
    scale = _PER_H if channel == at.FLOW else _PER_S
    begin = -1
    for m in range(at.DAY_MINUTES + 1):
        hit = False
        far = m < at.DAY_MINUTES and (value[m] <= _PLACEHOLDER_LOW or value[m] >= _PLACEHOLDER_HIGH)
        if far and state[m] & at.CLASS_BITS == at.VALID:
            for k in range(rules.placeholders.size):
                # 9,999 m3/h is a flow like any other; 9,999 m3/s is not.
                own = rules.placeholders[k]
                hit |= value[m] == own * scale or (own < 0.0 and value[m] == own)
        if hit and begin < 0:
            begin = m
        elif not hit and begin >= 0:
            add(out, i, PLACEHOLDER, channel, begin, m, m - begin, m - begin, 0.0, value[begin], rules.merge_minutes)
            begin = -1


@njit(cache=True, nogil=True)
def steps(x: Floats, channel: int, i: int, n: int, mean: float, rules: SignalRules, out: MinuteSignals) -> None:
    """A06: changes from one minute to the next beyond a share of the mean and so many MAD of the day."""
    kept = np.empty(n)
    k = 0
    for m in range(x.size):
        if not math.isnan(x[m]):
            kept[k] = x[m]
            k += 1
    middle = np.median(kept)
    limit = max(rules.step_mads * np.median(np.abs(kept - middle)), rules.step_share * mean)
    for m in range(1, x.size):
        change = abs(x[m] - x[m - 1])
        if change > limit:
            add(out, i, STEP, channel, m - 1, m + 1, 1, change, limit, x[m], rules.merge_minutes)


@njit(cache=True, nogil=True)
def o2_low(x: Floats, i: int, rules: SignalRules, out: MinuteSignals) -> None:
    """A07: oxygen that no kiln exhaust has, for so many minutes together."""
    begin, least = -1, math.inf
    for m in range(x.size + 1):
        low = m < x.size and x[m] < rules.o2_low_pct
        if low:
            begin = m if begin < 0 else begin
            least = min(least, x[m])
        elif begin >= 0:
            if m - begin >= rules.o2_low_minutes:
                add(out, i, O2_LOW, at.O2, begin, m, m - begin, least, rules.o2_low_pct, least, rules.merge_minutes)
            begin, least = -1, math.inf


@njit(cache=True, nogil=True)
def _follows(gas: Floats, state: Bytes, o2: Floats, lo: int, rules: SignalRules) -> float:
    """Correlation of a gas with 21 - O2 over the hour from minute `lo`; NaN unless it is in proportion to it too."""
    n, sc, sd, scc, sdd, scd = 0, 0.0, 0.0, 0.0, 0.0, 0.0
    for m in range(lo, lo + 60):
        if state[m] & at.CLASS_BITS == at.VALID and not math.isnan(o2[m]):
            c, d = gas[m], 21.0 - o2[m]
            n += 1
            sc += c
            sd += d
            scc += c * c
            sdd += d * d
            scd += c * d
    if n < rules.least_minutes:
        return math.nan
    vc, vd, both = scc - sc * sc / n, sdd - sd * sd / n, scd - sc * sd / n
    if sc <= 0.0 or vc <= 1e-12 * scc or vd <= 1e-12 * sdd:
        return math.nan
    proportion = both / vd * sd / sc
    return both / math.sqrt(vc * vd) if abs(proportion - 1.0) <= rules.slope_apart else math.nan


@njit(cache=True, nogil=True)
def dilution(cells: Cells, sent: NDArray[np.bool_], i: int, rules: SignalRules, work: SignalWork, out: MinuteSignals) -> None:  # fmt: skip
    """A08: hours in which oxygen moves by `rise_pct` and every gas follows 21 - O2. Hours that touch a stop are left out."""
    for h in range(HOURS):
        lo = h * 60
        low, high = math.inf, -math.inf
        for m in range(lo, lo + 60):
            if not math.isnan(work.o2[m]):
                low, high = min(low, work.o2[m]), max(high, work.o2[m])
        if not high - low >= rules.rise_pct:
            continue
        whole = True
        for m in range(max(lo - 60, 0), min(lo + 120, at.DAY_MINUTES)):
            whole &= work.on[m]
        gases, weakest = 0, 1.0
        for channel in range(at.SO2, at.O2):
            if not whole or not sent[channel]:
                continue
            fit = _follows(cells.value[channel], cells.state[channel], work.o2, lo, rules)
            gases += 1
            weakest = min(weakest, fit) if fit >= rules.follow else -1.0
        if gases >= rules.least_gases and weakest >= rules.follow:
            add(out, i, DILUTION, at.O2, lo, lo + 60, 60, high - low, rules.rise_pct, weakest, rules.merge_minutes)
