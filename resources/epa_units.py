"""Sums of EPA hours by unit and year: masses, whether they agree with rate x heat input, substituted hours and their runs.

Belongs here: from `epa_hourly` to `epa_units`. Does not belong here: reading the files (`epa_hourly`), the run kernel (`kernels/runs`).

What was found in the files, and is relied on: heat input and masses are totals of the clock hour (an hour in operation for a
quarter has a quarter's heat), so mass = rate x heat input, without the operating time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from contracts.epa import EPA_UNITS, MEASURES, stamped
from kernels.runs import ENDS, HIT, PASSES, longest_runs

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Firsts = NDArray[np.int64]

#: The international pound, by definition.
LB_T = 0.00045359237
#: Half of the last digit that the files give: rates to 0.001 lb/mmBtu, heat input and masses to 0.1 or finer.
RATE_ROUNDING, AMOUNT_ROUNDING = 0.0005, 0.05
_HOUR_MS = 3_600_000


def agrees(mass: Floats, rate: Floats, heat: Floats) -> Bools:
    """Whether mass (lb) = rate (lb/mmBtu) x heat input (mmBtu) within the rounding of the three; False where one is NaN."""
    room = RATE_ROUNDING * heat + AMOUNT_ROUNDING * rate + AMOUNT_ROUNDING
    return np.asarray(np.abs(mass - rate * heat) <= room)


def unit_years(hourly: pa.Table) -> pa.Table:
    """epa_units of epa_hourly (sorted by its key), one row per unit and year of its hours."""
    rows = pl.DataFrame(pl.from_arrow(hourly)).with_columns(year=pl.col("hour").dt.year().cast(pl.Int16))
    key = ["orispl", "unit", "year"]
    changes = rows.select(pl.struct(key).rle_id()).to_series().diff().fill_null(1).to_numpy() > 0
    begins = np.flatnonzero(changes).astype(np.int64)
    first = np.append(begins, rows.height)
    hour = rows["hour"].cast(pl.Int64).to_numpy() // _HOUR_MS
    last = first[1:] - 1
    made: dict[str, Any] = {name: rows[name].gather(begins) for name in key}
    made |= {"first_hour": rows["hour"].gather(begins), "last_hour": rows["hour"].gather(last)}
    made |= {"hours": np.diff(first), "missing_hours": hour[last] - hour[begins] + 1 - np.diff(first)}
    made |= _sums(rows, begins)
    for measure in MEASURES:
        made |= _substitutes(rows, measure, first, hour, made["operating_hours"])
    table = EPA_UNITS.arrow(pl.DataFrame(made))
    EPA_UNITS.check(table)
    return stamped(table)


def _sums(rows: pl.DataFrame, begins: Firsts) -> dict[str, Any]:
    # Summed along the sorted rows, so that the figures do not depend on the number of threads.
    names = ("operating_h", "gross_load_mw", "heat_input_mmbtu", "nox_rate_lb_mmbtu", "nox_mass_lb", "so2_mass_lb")
    time, load, heat, rate, nox, so2 = (rows[name].fill_null(np.nan).to_numpy() for name in names)
    product = rows["nox_mass_recomputed_lb"].fill_null(np.nan).to_numpy()
    compared, agreeing = ~np.isnan(nox - product), agrees(nox, rate, heat)

    def total(values: Floats) -> Floats:
        return np.add.reduceat(np.nan_to_num(values), begins)

    def count(chosen: Bools) -> NDArray[np.int64]:
        return np.add.reduceat(chosen.astype(np.int64), begins)

    return {
        "operating_hours": count(time > 0),
        "operating_time_h": total(time),
        "heat_input_mmbtu": total(heat),
        "nox_lb": total(nox),
        "nox_t": total(nox) * LB_T,
        "so2_lb": total(so2),
        "so2_t": total(so2) * LB_T,
        "nox_recomputed_lb": total(np.where(compared, product, 0.0)),
        "compared_hours": count(compared),
        "agreeing_hours": count(agreeing),
        "agreeing_pct": _share(count(agreeing), count(compared)),
        "load_without_nox_hours": count((load > 0) & np.isnan(nox)),
        "zero_nox_hours": count((time > 0) & (nox == 0)),
    }


def _substitutes(rows: pl.DataFrame, measure: str, first: Firsts, hour: Firsts, operating: Any) -> dict[str, Any]:  # noqa: ANN401
    """Hours, share and longest run of code 3. Runs count operating hours: a period without data goes on across a stop."""
    method, time = rows[f"{measure}_method"].cast(pl.String), rows["operating_h"]
    runs_then = (time > 0).fill_null(value=False).to_numpy()
    hit = (method == "substitute").fill_null(value=False).to_numpy() & runs_then
    mixed = (method == "measured_and_substitute").fill_null(value=False).to_numpy() & runs_then
    stopped = (time == 0).fill_null(value=False).to_numpy()
    state = np.where(hit, HIT, np.where(stopped, PASSES, ENDS)).astype(np.uint8)
    runs = longest_runs(first, hour, state)
    hours = np.add.reduceat(hit.astype(np.int64), first[:-1])
    begun = pl.Series(np.where(runs.start < 0, 0, runs.start))
    since = rows["hour"].gather(begun)
    return {
        f"{measure}_substituted_hours": hours,
        f"{measure}_mixed_hours": np.add.reduceat(mixed.astype(np.int64), first[:-1]),
        f"{measure}_substituted_pct": _share(hours, operating),
        f"{measure}_longest_run_h": runs.length,
        f"{measure}_longest_run_from": since.set(pl.Series(runs.start < 0), None),
    }


def _share(part: Any, whole: Any) -> pl.Series:  # noqa: ANN401
    """Per cent, null where there is nothing to take a share of."""
    some = np.asarray(whole) > 0
    values = 100.0 * np.asarray(part) / np.where(some, whole, 1)
    return pl.Series(values).set(pl.Series(~some), None)
