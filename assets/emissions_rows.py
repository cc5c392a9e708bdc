"""Rows of `emissions_hourly` from the arrays of the kernels.

Belongs here: the layout of the hourly table. Does not belong here: any figure in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assets.arrow_columns import HOUR_MS, texts_of
from assets.emissions_window import HOURS_PER_DAY
from contracts.emissions import EMISSIONS_HOURLY, METHODS
from kernels.substitution import LOW_CAPTURE, MEASURED, NO_HOUR, NO_SUBSTITUTE, NOT_AN_HOUR, STOPPED_HOUR

if TYPE_CHECKING:
    from assets.emissions_month import MassMonth

_OTHERS = {MEASURED: "measured", STOPPED_HOUR: "stopped", NO_SUBSTITUTE: "no_substitute"}


def hourly_table(made: MassMonth) -> pa.Table:
    """`emissions_hourly` of a month: every hour of its series, in the order of the key."""
    method = made.method
    s, h = np.nonzero(method != NOT_AN_HOUR)
    of, day = made.of[s], made.window.margin + h // HOURS_PER_DAY
    method = method[s, h].astype(np.int64)
    invalid = (method <= LOW_CAPTURE) | (method == NO_SUBSTITUTE)
    names = [METHODS.index(_OTHERS.get(code) or made.terms.methods[code]) for code in range(NO_SUBSTITUTE + 1)]
    outlets, sub = made.outlets, made.substituted
    table = sub.table[s, h]
    no_row = (method == NO_SUBSTITUTE) & (table == 0)
    rule = np.where(method <= LOW_CAPTURE, method, np.where(no_row, LOW_CAPTURE + 1, -1))
    pct = np.where(invalid & made.closed, made.capture_pct[s], np.nan)
    columns = {
        "outlet_id": texts_of(of, outlets.ids),
        "plant_id": texts_of(outlets.plant[of, day], outlets.names),
        "line_id": texts_of(outlets.line[of, day], outlets.names),
        "point_type": texts_of(outlets.point_type[of, day], outlets.names),
        "pollutant": texts_of(made.pollutant[s], made.pollutants),
        "hour": _times(made.month_ms + h * HOUR_MS),
        "measured_kg": _floats(made.measured[s, h]),
        "mass_kg": _floats(made.mass[s, h]),
        "mass_method": texts_of(np.array(names)[method], METHODS),
        "basis_hour": _hours(made, sub.basis[s, h]),
        "hj75_table": pa.array(table, mask=table == 0),
        "window_from": _hours(made, sub.since[s, h]),
        "window_to": _hours(made, sub.until[s, h]),
        "capture_pct": _floats(pct),
        "provisional": pa.array(made.provisional[s, h]),
        "history_short": pa.array(sub.short[s, h]),
        "raised_to_zero": pa.array(sub.raised[s, h]),
        "calibration_unknown": pa.array(made.calibration_unknown[s, h]),
        "rule_id": texts_of(rule, [*made.terms.rules, made.terms.least_rule]),
    }
    # Series are sorted and hours ascend: sorting again would only cost time.
    return EMISSIONS_HOURLY.arrow(pa.table(columns), sort=False)


def _hours(made: MassMonth, number: npt.NDArray[np.int32]) -> pa.Array:
    return _times(made.window.start_ms + number.astype(np.int64) * HOUR_MS, number == NO_HOUR)


def _times(milliseconds: npt.NDArray[np.int64], missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    return pa.array(milliseconds, pa.int64(), mask=missing).cast(pa.timestamp("ms"))


def _floats(values: npt.NDArray[np.float64]) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))
