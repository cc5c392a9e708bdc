"""The layout of cems_hourly: a complete grid of outlets, pollutants and hours.

Belongs here: which rows there are and where each column comes from. Does not belong here: any figure (`kernels.hours`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from contracts.cems import CEMS_HOURLY
from contracts.events import STATES
from kernels.hours import HOURS, POLLUTANT_ORDER, REASONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from assets.hour_day import HourDay

    Ints = NDArray[np.int64]

#: Pollutants in the order of the table's rows.
_BY_NAME = np.argsort(np.array(POLLUTANT_ORDER))


def hour_table(day: HourDay) -> pa.Table:
    """cems_hourly under its contract, sorted by outlet, pollutant and hour."""
    outlet, pollutant, hour = _grid(day)
    at, per_outlet = (outlet, hour, pollutant), (outlet, hour)
    h, reported = day.hours, day.reported
    judged = day.judged[at]
    run = h.run[per_outlet]
    columns = {
        **_who(day, outlet, pollutant, hour),
        "concentration_mg_m3": _floats(h.concentration[at]),
        "o2_pct": _floats(h.o2[per_outlet]),
        "converted_mg_m3": _floats(h.converted[at]),
        "judged_mg_m3": _floats(judged),
        "reported_mg_m3": _floats(np.where(day.converts, reported.zs_avg, reported.avg)[at]),
        "reported_avg_mg_m3": _floats(reported.avg[at]),
        "reported_mass_kg": _floats(reported.mass[at]),
        "valid_minutes": pa.array(h.valid[at]),
        "minutes": pa.array(h.minutes[at]),
        "hour_tag": _texts(h.tag[at], day.rules.tags),
        "flag_system": _texts(h.by_declaration[at], ["hj212", "hj75"]),
        "process_state": _texts(day.process[per_outlet] + 1, [None, *STATES]),
        "flow_m3_h": _floats(h.flow[per_outlet]),
        "mass_kg": _floats(h.mass[at]),
        "o2_reference_pct": _floats(day.facts.o2_reference[outlet]),
        "label": _texts(run + 1, [None, *day.labels]),
        "converted_mean_first_mg_m3": _floats(h.mean_first[at]),
        "null_reason": _texts(np.where(np.isnan(judged), h.reason[at], 0), [None, *REASONS[1:]]),
    }
    # The grid is built in the order of the key, so sorting again would only cost time.
    return CEMS_HOURLY.arrow(pa.table(columns), sort=False)


def _grid(day: HourDay) -> tuple[Ints, Ints, Ints]:
    """Outlet, pollutant and hour of every row: what has a limit there, and whatever was sent or reported."""
    sent = (day.hours.minutes > 0).any(axis=1)
    reported = day.reported
    told = ~(np.isnan(reported.avg) & np.isnan(reported.zs_avg) & np.isnan(reported.mass)).all(axis=1)
    outlet, place = np.nonzero((day.expected | sent | told)[:, _BY_NAME])
    hours = np.tile(np.arange(HOURS), outlet.size)
    return np.repeat(outlet, HOURS), np.repeat(_BY_NAME[place], HOURS), hours


def _who(day: HourDay, outlet: Ints, pollutant: Ints, hour: Ints) -> dict[str, Any]:
    outlets = day.fleet.outlets
    midnight = datetime(day.fleet.day.year, day.fleet.day.month, day.fleet.day.day)
    starts = pa.array([midnight + timedelta(hours=i) for i in range(HOURS)], CEMS_HOURLY["hour"].type)
    return {
        "outlet_id": _texts(outlet, [o.outlet_id for o in outlets]),
        "plant_id": _texts(outlet, [o.plant_id for o in outlets]),
        "line_id": _texts(outlet, [o.line_id for o in outlets]),
        "point_type": _texts(outlet, [o.point_type for o in outlets]),
        "pollutant": _texts(pollutant, list(POLLUTANT_ORDER)),
        "hour": starts.take(pa.array(hour)),
    }


def _floats(values: NDArray[np.float64]) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _texts(numbers: NDArray[Any], texts: Sequence[str | None]) -> pa.Array:
    """Texts by their number; a text of None is null."""
    return pa.array(list(texts), pa.string()).take(pa.array(numbers.astype(np.int64)))
