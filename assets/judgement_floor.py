"""Rows of `mandatory_monthly`: each pollutant with a mandatory limit against it, whether or not an ultra-low limit exists (R14).

Belongs here: which series have a row and what is told of them. Does not belong here: counting (`kernels/judge_floor.py`), the
95 % rule (`judgement_verdicts`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.judgement_limits import ORDERED, spelled
from contracts.ule_more import MANDATORY_MONTHLY
from kernels.bounds import full_value_bounds
from kernels.judge import HOURS_PER_DAY
from kernels.judge_floor import floor_month

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from assets.judgement_limits import Floats, Month
    from assets.judgement_series import Series
    from assets.judgement_states import States
    from kernels.judge_floor import Floor


def mandatory_table(month: Month, series: Series, value: Floats, states: States, insufficient_pct: int) -> pa.Table:
    """`mandatory_monthly` of a month: series judged anyhow or recorded, with a mandatory limit on a day shown.

    Reductant decides about NH3 where the limits are chosen. A failing hour is a FAIL however few hours were tested.
    """
    shown = month.shown
    limit = np.where(series.in_force, series.mandatory, np.nan)[:, :shown]
    made = floor_month(value, states.state, states.exempt, limit, full_value_bounds(limit))
    limited = ~np.isnan(limit)
    last = shown - 1 - np.argmax(limited[:, ::-1], axis=1) if shown else np.zeros(limit.shape[0], np.int64)
    s = np.flatnonzero(limited.any(axis=1))
    worst, day = made.worst[s], np.where(made.worst >= 0, made.worst // HOURS_PER_DAY, last)[s]
    hour = np.datetime64(month.first, "ms") + worst.astype("timedelta64[h]")
    return MANDATORY_MONTHLY.arrow(
        pl.DataFrame(
            {
                "outlet_id": spelled(series.outlets[s], series.names),
                "plant_id": spelled(series.plant[s, day], series.names),
                "line_id": spelled(series.line[s, day], series.names),
                "point_type": spelled(series.point_type[s, day], series.names),
                "pollutant": spelled(series.pollutants[s], list(ORDERED)),
                "month": [month.key] * s.size,
                "production_hours": made.production[s],
                "exempt_hours": made.exempt[s],
                "judged_hours": made.tested[s],
                "fail_hours": made.failing[s],
                "worst_mg_m3": pl.Series(np.where(worst >= 0, value[s, worst], np.nan)).fill_nan(None),
                "worst_hour": np.where(worst >= 0, hour, np.datetime64("NaT", "ms")),
                "limit_mg_m3": limit[s, day],
                "rule_id": spelled(series.mandatory_rule[s, day], series.rules),
                "verdict": _verdicts(made, insufficient_pct)[s].tolist(),
            },
            schema_overrides={"month": pl.String, "verdict": pl.String},
        )
    )


def _verdicts(made: Floor, insufficient_pct: int) -> npt.NDArray[np.str_]:
    due = made.production - made.exempt
    thin = (made.tested == 0) | (100 * made.tested < insufficient_pct * due)
    told = [(made.failing > 0, "FAIL"), (made.production == 0, "NO_PRODUCTION"), (thin, "INSUFFICIENT")]
    return np.select([c for c, _ in told], [v for _, v in told], "PASS")
