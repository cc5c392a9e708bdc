"""Rows of `ule_hourly`: dense arrays of a month laid out as a contract-typed table.

Belongs here: selecting the days in force and encoding labels by number, so that millions of rows are neither sorted nor
spelled out. Does not belong here: judging (`kernels/judge`) and monthly verdicts (`judgement_verdicts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assets.judgement_limits import ORDERED
from contracts.events import STATES
from contracts.ule import ULE_HOURLY
from kernels.judge import (
    EXEMPT,
    HOURS_PER_DAY,
    INVALID,
    JUDGED,
    NO_DATA,
    NO_LIMIT,
    NOT_PRODUCING,
    HourVerdicts,
    MonthToDate,
)

if TYPE_CHECKING:
    from assets.judgement_limits import Codes, Floats, Month
    from assets.judgement_series import Bools, Series
    from assets.judgement_states import States
    from kernels.windows import Trailing

Array = npt.NDArray[Any]

_REASONS = {
    NO_LIMIT: "no_limit",
    NOT_PRODUCING: "not_producing",
    EXEMPT: "exempt",
    NO_DATA: "no_data",
    INVALID: "invalid",
}


@dataclass(frozen=True)
class Judged:
    """Everything known of each hour of each series, (S, H)."""

    value: Floats
    states: States
    hours: HourVerdicts
    to_date: MonthToDate
    window: Trailing
    day_share: Floats
    thirty_day_share: Floats


@dataclass(frozen=True)
class _Rows:
    """Which days of which series become rows (S, shown), and how arrays become columns of these rows."""

    chosen: Bools

    def hourly(self, values: Array) -> Array:
        """(S, H) -> one value per row."""
        if self.chosen.all():
            return values.reshape(-1)
        return values.reshape(*self.chosen.shape, HOURS_PER_DAY)[self.chosen].reshape(-1)

    def daily(self, values: Array) -> Array:
        """(S, days of the month) -> one value per chosen day."""
        return values[:, : self.chosen.shape[1]][self.chosen]

    def daily_labels(self, codes: Codes, texts: list[str]) -> pa.DictionaryArray:
        """(S, days of the month) codes -> one label per row."""
        first, labels = _compact(self.daily(codes), texts)
        return _labels(np.repeat(first, HOURS_PER_DAY), labels)

    def daily_floats(self, values: Floats) -> pa.Array:
        """(S, days of the month) -> one number per row; NaN becomes null."""
        return pa.array(np.repeat(self.daily(values), HOURS_PER_DAY), from_pandas=True)

    def floats(self, values: Floats) -> pa.Array:
        """(S, H) -> one number per row; NaN becomes null."""
        return pa.array(self.hourly(values), from_pandas=True)


def hourly_table(month: Month, series: Series, made: Judged) -> pa.Table:
    """`ule_hourly` of a month, sorted by outlet, pollutant, hour; one row per hour in force before the end of the data."""
    rows = _Rows(series.in_force[:, : month.shown])
    value, hours, to_date, window = made.value, made.hours, made.to_date, made.window
    outcome = rows.hourly(hours.outcome)
    judged = outcome == JUDGED
    per_series = np.ones(month.shown, np.int32)
    start = np.datetime64(datetime(month.first.year, month.first.month, 1), "ms")
    clock = start + np.arange(HOURS_PER_DAY * month.shown).astype("timedelta64[h]")
    lawful = rows.hourly(hours.mandatory_ok)
    spent = rows.hourly(to_date.spent)
    columns = {
        "outlet_id": rows.daily_labels(np.outer(series.outlets, per_series), series.names),
        "plant_id": rows.daily_labels(series.plant, series.names),
        "line_id": rows.daily_labels(series.line, series.names),
        "point_type": rows.daily_labels(series.point_type, series.names),
        "pollutant": rows.daily_labels(np.outer(series.pollutants, per_series), list(ORDERED)),
        "hour": pa.array(rows.hourly(np.broadcast_to(clock, value.shape))),
        "judged_mg_m3": rows.floats(value),
        "limit_mg_m3": rows.daily_floats(series.limit),
        "rule_id": rows.daily_labels(series.rule, series.rules),
        "process_state": _states(rows.hourly(made.states.state)),
        "exempt": pa.array(rows.hourly(made.states.exempt)),
        "judged": pa.array(judged),
        "ok": pa.array(rows.hourly(hours.ok), mask=~judged),
        "excluded_reason": _reasons(outcome),
        "mandatory_limit_mg_m3": rows.daily_floats(series.mandatory),
        "mandatory_rule_id": rows.daily_labels(series.mandatory_rule, series.rules),
        "mandatory_ok": pa.array(lawful == 1, mask=lawful < 0),
        "month_judged_hours": pa.array(rows.hourly(to_date.judged)),
        "month_ok_hours": pa.array(rows.hourly(to_date.ok)),
        "month_share_pct": rows.floats(to_date.share_pct),
        "fail_budget_hours": pa.array(rows.hourly(to_date.fail_budget), mask=outcome == NO_LIMIT),
        "budget_spent_at": pa.array(start + spent.astype("timedelta64[h]"), mask=spent < 0),
        "trailing_24h_share_pct": rows.floats(made.day_share),
        "trailing_30d_share_pct": rows.floats(made.thirty_day_share),
        "trailing_720h_share_pct": rows.floats(window.share_pct),
        "trailing_hours": pa.array(rows.hourly(window.hours)),
    }
    return pa.table([columns[name] for name in ULE_HOURLY.names], schema=ULE_HOURLY.schema())


def _states(codes: Array) -> pa.DictionaryArray:
    if not codes.any():  # the common month: nobody declared anything but running
        return _labels(np.zeros(codes.size, np.int32), [STATES[0]] if codes.size else [])
    return _labels(*_compact(codes.astype(np.int32), list(STATES)))


def _reasons(outcome: Array) -> pa.DictionaryArray:
    place = np.full(256, -1, np.int32)
    for code in _REASONS:
        place[code] = code
    codes, texts = _compact(place[outcome.view(np.uint8)], [_REASONS.get(c, "") for c in range(max(_REASONS) + 1)])
    return _labels(codes, texts)


def _compact(codes: Array, texts: list[str]) -> tuple[Codes, list[str]]:
    """Renumber codes by first appearance and keep only the texts that appear: the encoding then depends on the rows alone."""
    far = codes.size
    first = np.full(len(texts) + 1, far, np.int64)
    # Written backwards, the first appearance stays; -1 lands behind the texts.
    first[codes[::-1]] = np.arange(far - 1, -1, -1)
    used = [c for c in np.argsort(first[:-1], kind="stable").tolist() if first[c] < far]
    place = np.full(len(texts) + 1, -1, np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    return place[codes], [texts[c] for c in used]


def _labels(codes: Codes, texts: list[str]) -> pa.DictionaryArray:
    made = pa.array(codes, mask=codes < 0) if (codes < 0).any() else pa.array(codes)
    return pa.DictionaryArray.from_arrays(made, pa.array(texts, pa.string()))
