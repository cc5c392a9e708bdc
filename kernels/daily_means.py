"""Daily means as the European directive has them: short-term means less their confidence interval, over effective operation.

Belongs here: validated means, daily means and which days are discarded (2010/75/EU Annex VI Part 8). Does not belong here: limits
and shares (`reference/rules`), conversion to reference oxygen (`standard_state`), tables (`assets`).

Shapes: S series, H = 24 x D hours of D whole local days.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

HOURS_PER_DAY = 24
#: What became of a day. NOT_OPERATING: no hour of effective operation; DISCARDED: too many of them without a valid value.
JUDGED, NOT_OPERATING, DISCARDED, NO_LIMIT = range(4)

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.int8]
Counts = npt.NDArray[np.int32]


class DailyMeans(NamedTuple):
    """All (S, D): mean of the validated hours (NaN unless JUDGED), what became of the day, hours of effective operation, and
    those of them with a valid value.
    """

    mean: Floats
    outcome: Bytes
    operating: Counts
    valid: Counts


@njit(cache=True, nogil=True)
def validated(value: float, share: float, limit: float, of_value: bool) -> float:
    """max(0, x - p x ELV), or max(0, x - p x x): a short-term mean less the value of its confidence interval (vector V29).

    `share` is p, 0..1; `limit` the daily limit in the unit of `value`. NaN stays NaN.
    """
    taken = share * value if of_value else share * limit
    return 0.0 if value < taken else value - taken


@njit(cache=True, nogil=True)
def _days(
    value: Floats, effective: Bools, limit: Floats, share: Floats, of_value: bool, allowed: int,
    mean: Floats, outcome: Bytes, operating: Counts, valid: Counts,
) -> None:  # fmt: skip
    for s in range(mean.shape[0]):
        for d in range(mean.shape[1]):
            hours = good = 0
            total = 0.0
            for h in range(d * HOURS_PER_DAY, (d + 1) * HOURS_PER_DAY):
                if effective[s, h]:
                    hours += 1
                    v = value[s, h]
                    if np.isfinite(v):
                        good += 1
                        total += validated(v, share[s, d], limit[s, d], of_value)
            operating[s, d] = hours
            valid[s, d] = good
            mean[s, d] = np.nan
            if np.isnan(limit[s, d]):
                outcome[s, d] = NO_LIMIT
            elif hours == 0:
                outcome[s, d] = NOT_OPERATING
            elif good == 0 or hours - good > allowed:
                outcome[s, d] = DISCARDED
            else:
                outcome[s, d] = JUDGED
                mean[s, d] = total / good


def daily_means(
    value: Floats, effective: Bools, limit: Floats, share: Floats, *, of_value: bool, allowed_invalid_hours: int
) -> DailyMeans:
    """Daily means of the validated hours (2010/75/EU Annex VI Part 8 1.1-1.3; R19, vector V29).

    value, effective (S, H): hour means at reference oxygen, NaN = invalid, and whether the hour is one of effective operation;
    limit, share (S, D): daily limit in the unit of `value` (NaN = none that day) and the confidence interval as a share of it.
    `of_value`: the share is taken of the measured value instead. `allowed_invalid_hours`: hours of effective operation that
    may be invalid; a day with more, or with none valid, is discarded. ValueError on shapes that do not go together.
    """
    if value.shape != effective.shape or limit.shape != share.shape:
        raise ValueError(f"value {value.shape}, effective {effective.shape}, limit {limit.shape}, share {share.shape}")
    if value.shape != (limit.shape[0], limit.shape[1] * HOURS_PER_DAY):
        raise ValueError(f"hours {value.shape} do not fit days {limit.shape}")
    made = DailyMeans(
        np.empty(limit.shape), np.empty(limit.shape, np.int8), *(np.empty(limit.shape, np.int32) for _ in range(2))
    )
    _days(value, effective, limit, share, of_value, allowed_invalid_hours, *made)
    return made
