"""Valid hours before a month, as far back as its substitutes need them and no further.

Belongs here: walking back through days of `cems_hourly`, steered by the monthly counts of `capture_monthly`. Does not belong
here: how many hours are needed (`kernels/substitution.reach`).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from assets.arrow_columns import HOUR_MS, ints
from assets.emissions_hours import day_rows
from kernels.capture import VALID
from kernels.substitution import Past

if TYPE_CHECKING:
    from assets.arrow_columns import Codes, Floats
    from assets.emissions_hours import Places
    from assets.emissions_window import Window
    from resources.bench import Bench

_COUNTS = ["outlet_id", "pollutant", "hours", "invalid_hours", "stopped_hours"]


def read_past(bench: Bench, window: Window, places: Places, need: Codes, before: Codes) -> Past:
    """The valid hours before the grid of every series that needs some, until `need` of them lie below hour `before`.

    Months in which no such series has a valid hour are passed over unopened. A series that a whole month does not know has no
    past beyond it, and no series has one where a month was never made.
    """
    walk = _Walk(bench, window, places, need, before)
    day = window.grid_first - timedelta(days=1)
    while walk.open.any():
        first = day.replace(day=1)
        counts = bench.table("capture_monthly", f"{first:%Y-%m}", _COUNTS)
        if counts is None:
            break
        walk.month(counts)
        if walk.open.any():
            walk.days(first, day)
        day = first - timedelta(days=1)
    return walk.past()


class _Walk:
    """Series still `open`, what was found of each, newest day first."""

    def __init__(self, bench: Bench, window: Window, places: Places, need: Codes, before: Codes) -> None:
        self._bench, self._window, self._places = bench, window, places
        self._before = before
        self._lacking = need.astype(np.int64)
        self._found: list[tuple[Codes, Codes, Floats]] = []
        self.open = need > 0

    def month(self, counts: object) -> None:
        """Take up a month: a series absent from it ends, one without a valid hour has nothing to look for in it."""
        series = self._places.series(counts)
        valid = ints(counts, "hours") - ints(counts, "invalid_hours") - ints(counts, "stopped_hours")
        known = np.zeros(self.open.shape, np.bool_)
        known[series[series >= 0]] = True
        self.open &= known
        self._left = np.zeros(self.open.shape, np.int64)
        self._left[series[series >= 0]] = valid[series >= 0]

    def days(self, first: date, last: date) -> None:
        """Walk the days of a month back from `last` while a series still lacks hours that the month has."""
        for day in reversed(self._bench.keys("cems_hourly", str(first), str(last))):
            if not (self.open & (self._left > 0)).any():
                return
            rows = day_rows(self._bench, day, self._places)
            if rows is None:
                continue
            wanted = (rows.series >= 0) & (rows.kind == VALID)
            wanted &= self.open[rows.series]
            series = rows.series[wanted]
            hour = ((rows.at_ms[wanted] - self._window.start_ms) // HOUR_MS).astype(np.int32)
            self._found.append((series, hour, rows.mass[wanted]))
            size = self.open.size
            self._left -= np.bincount(series, minlength=size)
            self._lacking -= np.bincount(series[hour < self._before[series]], minlength=size)
            self.open &= self._lacking > 0

    def past(self) -> Past:
        """Everything found, by series and hour."""
        size = self.open.size
        if not self._found:
            return Past.none(size)
        series, hour, mass = (np.concatenate([day[k] for day in reversed(self._found)]) for k in range(3))
        order = np.argsort(series, kind="stable")
        first: npt.NDArray[np.int64] = np.zeros(size + 1, np.int64)
        np.cumsum(np.bincount(series, minlength=size), out=first[1:])
        return Past(first, hour[order].astype(np.int32), mass[order])
