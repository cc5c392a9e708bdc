"""Kiln operating days as the American standards have them: what a day adds up to, and means and rates over the last 30 of them.

Belongs here: sums of operating days, rolling means and rates by operating day (40 CFR 60.61, 60.64, 63 Subpart LLL). Does not belong
here: limits and factors (`reference/rules`), conversion to reference oxygen (`standard_state`), tables (`assets`).

Shapes: S series, H = 24 x D hours of D whole local days; E days of which the first belong to the history before the month.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

HOURS_PER_DAY = 24
#: What became of a day: it has a rolling figure; the kiln did not operate; fewer operating days than the window; none of their
#: hours is valid; the production of one of them is not known.
JUDGED, NOT_OPERATING, FILLING, NO_VALUE, NO_PRODUCTION = range(5)

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.int8]
Counts = npt.NDArray[np.int32]


class DaySums(NamedTuple):
    """All (S, D): hours in which the kiln operated at all, those that count, those of them with a value, and their sum."""

    kiln: Counts
    operating: Counts
    valid: Counts
    total: Floats


class Rolling(NamedTuple):
    """All (S, E): the figure on each operating day (NaN unless JUDGED), what became of the day, operating days in its window."""

    value: Floats
    outcome: Bytes
    days: Counts


@njit(cache=True, nogil=True)
def _sums(
    value: Floats, operates: Bools, counts: Bools, kiln: Counts, operating: Counts, valid: Counts, total: Floats
) -> None:
    for s in range(total.shape[0]):
        for d in range(total.shape[1]):
            any_hours = hours = good = 0
            added = 0.0
            for h in range(d * HOURS_PER_DAY, (d + 1) * HOURS_PER_DAY):
                if operates[s, h]:
                    any_hours += 1
                    if counts[s, h]:
                        hours += 1
                        if np.isfinite(value[s, h]):
                            good += 1
                            added += value[s, h]
            kiln[s, d] = any_hours
            operating[s, d] = hours
            valid[s, d] = good
            total[s, d] = added


def day_sums(value: Floats, operates: Bools, counts: Bools) -> DaySums:
    """What each day adds up to (40 CFR 60.61(f)).

    value (S, H), NaN = invalid; operates: the kiln runs in any way, start-up and shut-down included, which makes an operating day;
    counts: the hour enters averages, start-up and shut-down do not. ValueError on shapes that do not go together.
    """
    if not value.shape == operates.shape == counts.shape or value.shape[1] % HOURS_PER_DAY:
        raise ValueError(f"value {value.shape}, operates {operates.shape} and counts {counts.shape} are no whole days")
    shape = (value.shape[0], value.shape[1] // HOURS_PER_DAY)
    kiln, operating, valid = (np.empty(shape, np.int32) for _ in range(3))
    made = DaySums(kiln, operating, valid, np.empty(shape))
    _sums(value, operates, counts, *made)
    return made


@njit(cache=True, nogil=True)
def _roll(
    total: Floats, weight: Floats, operates: Bools, missing: Bools, factor: float, window: int,
    value: Floats, outcome: Bytes, days: Counts,
) -> None:  # fmt: skip
    ring = np.empty(window, np.int64)
    for s in range(total.shape[0]):
        held = 0
        for e in range(total.shape[1]):
            value[s, e] = np.nan
            if not operates[s, e]:
                outcome[s, e] = NOT_OPERATING
                days[s, e] = min(held, window)
                continue
            ring[held % window] = e
            held += 1
            days[s, e] = min(held, window)
            if held < window:
                outcome[s, e] = FILLING
                continue
            # Summed anew each day, oldest first: a running sum would drift and depend on where the history begins.
            added = below = 0.0
            unknown = False
            for k in range(window):
                at = ring[(held + k) % window]
                added += total[s, at]
                below += weight[s, at]
                unknown |= missing[s, at]
            if unknown:
                outcome[s, e] = NO_PRODUCTION
            elif not below > 0.0:
                outcome[s, e] = NO_VALUE
            else:
                outcome[s, e] = JUDGED
                value[s, e] = factor * added / below


def rolling_means(total: Floats, valid: Counts, operates: Bools, window: int) -> Rolling:
    """Mean of all valid hours in the last `window` operating days, new on each operating day (40 CFR 63 Subpart LLL; R20).

    total, valid, operates (S, E): sum and number of the valid hours of each day, and whether it is an operating day. Other days are
    passed over, they neither count nor interrupt. ValueError on shapes that do not go together.
    """
    return _rolled(total, valid.astype(np.float64), operates, np.zeros(total.shape, np.bool_), 1.0, window)


def rolling_rates(total: Floats, production: Floats, operates: Bools, window: int, k: float) -> Rolling:
    """E30D = k x sum(C x Q) / P over the last `window` operating days (40 CFR 60.64; R20, vector V30).

    total (S, E): sum of C x Q over the hours of each day; production (S, E): clinker of that day, NaN = not known, which leaves
    every window that holds the day without a figure. Units as in `k`. ValueError on shapes that do not go together.
    """
    return _rolled(total, np.nan_to_num(production), operates, np.isnan(production), k, window)


def _rolled(total: Floats, weight: Floats, operates: Bools, missing: Bools, factor: float, window: int) -> Rolling:
    if not total.shape == weight.shape == operates.shape:
        raise ValueError(f"total {total.shape}, weight {weight.shape} and operates {operates.shape} differ in shape")
    if window < 1:
        raise ValueError(f"a window of {window} days")
    made = Rolling(np.empty(total.shape), np.empty(total.shape, np.int8), np.empty(total.shape, np.int32))
    _roll(total, weight, operates, missing, factor, window, *made)
    return made
