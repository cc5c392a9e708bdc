"""The mass of a month as arrays: series, capture rates of their quarter, kinds of hours, substitutes.

Belongs here: bringing hours, rates, marks and history together for the kernels. Does not belong here: laying out tables
(`emissions_rows`, `emissions_sums`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from assets.arrow_columns import HOUR_MS, Codes, Floats, codes, ints
from assets.emissions_hours import ORDERED, Places, out_of_control, read_grid
from assets.emissions_past import read_past
from assets.emissions_terms import MassTerms, margin_days, mass_terms
from assets.emissions_window import HOURS_PER_DAY, Outlets, Window, month_window, outlets_of
from kernels.capture import NEITHER, OUT_OF_CONTROL, HourCounts, capture_pct, capture_rows
from kernels.substitution import LOW_CAPTURE, NO_SUBSTITUTE, Grid, Substituted, reach, substitute

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from resources.bench import Bench

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class MassMonth:
    """S series of a month, sorted by outlet and pollutant; arrays (S,) or (S, H hours of the month that the data reach).

    `of` is the row of the outlet in `outlets`, whose days are those of the grid and on to the end of the month; hour numbers in
    `substituted` count from the grid's first hour.
    """

    window: Window
    outlets: Outlets
    of: Codes
    pollutant: Codes
    terms: MassTerms
    closed: bool
    capture_pct: Floats
    measured: Floats
    substituted: Substituted
    calibration_unknown: Bools

    @property
    def pollutants(self) -> tuple[str, ...]:
        """Names of the pollutants by code."""
        return ORDERED

    @property
    def month_ms(self) -> int:
        """Start of the month in milliseconds since 1970, by the wall clock."""
        return self.window.start_ms + HOURS_PER_DAY * self.window.margin * HOUR_MS

    @property
    def mass(self) -> Floats:
        """kg, NaN where there is none."""
        return self.substituted.mass

    @property
    def method(self) -> Bytes:
        """Method of `kernels.substitution`."""
        return self.substituted.method

    @property
    def provisional(self) -> Bools:
        """Invalid hours whose quarter or episode is not over."""
        method = self.method
        invalid = ((method >= 0) & (method <= LOW_CAPTURE)) | (method == NO_SUBSTITUTE)
        return np.asarray(self.substituted.open_end | (invalid & (not self.closed)))


def mass_of_month(bench: Bench, month: str) -> MassMonth | None:
    """Everything about the mass of `month`; None when the data do not reach it."""
    first = date.fromisoformat(f"{month}-01")
    window = month_window(bench, month, margin_days(bench.rules(first, first), first))
    series = bench.table("capture_monthly", month, ["outlet_id", "pollutant"])
    if window is None or series is None:
        return None
    registry = bench.registry(window.grid_first, window.last)
    terms = mass_terms(bench.rules(window.last_shown, window.last_shown), window.last_shown)
    outlets = outlets_of(registry, window.grid_first, window.margin + window.days + window.after)
    outlet, ids = codes(series, "outlet_id")
    of = np.array([outlets.index[i] for i in ids] or [0], np.int32)[outlet]
    names, texts = codes(series, "pollutant")
    pollutant = np.array([ORDERED.index(t) for t in texts] or [0], np.int32)[names]
    places = Places.of([outlets.ids[i] for i in of.tolist()], [ORDERED[p] for p in pollutant.tolist()])
    hours = read_grid(bench, window, outlets, of, places)
    events = bench.events(window.grid_first, window.grid_last)
    cuts = out_of_control(hours, window, events, places, terms.invalid_minutes, late_apply=terms.late_apply)
    counts, closed = _quarter(bench, window, places, of.size)
    rows = np.stack([capture_rows(counts, terms.full_pct, terms.least_pct), np.full(of.size, NEITHER, np.int8)], axis=1)
    # Hours around the month only tell how long its episodes are: a column of their own leaves them without a substitute.
    quarter = np.ones(hours.kind.shape[1], np.int64)
    quarter[window.month_hours] = 0
    grid = Grid(hours.kind, hours.mass, cuts.cut)
    past = read_past(bench, window, places, *reach(grid, rows, quarter, terms.tables))
    made = substitute(grid, past, rows, quarter, terms.tables)
    own = window.month_hours
    unknown = cuts.unknown & (made.table > 0) & (hours.kind == OUT_OF_CONTROL)
    columns: list[Any] = [a[:, own] for a in made]
    return MassMonth(
        window, outlets, of, pollutant, terms, closed, capture_pct(counts), hours.mass[:, own],
        Substituted(*columns), unknown[:, own],
    )  # fmt: skip


def _quarter(bench: Bench, window: Window, places: Places, series: int) -> tuple[HourCounts, bool]:
    """Hours of the quarter so far, and whether it is over."""
    closed = bench.frontier("cems_hourly", str(window.quarter_last)) == str(window.quarter_last)
    tables = (bench.table("capture_monthly", month) for month in window.quarter)
    return sum_counts((t for t in tables if t is not None), places, series), closed


def sum_counts(tables: Iterable[pa.Table], places: Places, series: int) -> HourCounts:
    """Counts of several months, by series."""
    made = HourCounts(*(np.zeros(series, np.int32) for _ in HourCounts._fields))
    for table in tables:
        of = places.series(table)
        wanted = of >= 0
        for total, name in zip(made, ("hours", "invalid_hours", "stopped_hours"), strict=True):
            total[of[wanted]] += ints(table, name)[wanted].astype(np.int32)
    return made
