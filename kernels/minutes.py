"""Raw minute records of one outlet laid out on the 1,440 minutes of a local day.

Belongs here: where a record lies (interval, label, grid), which of several records counts, and the units of a device row. Does not belong here: formulas (`standard_state`) and hour means (`hours`).

Channels come in the fixed order below. A cell is one minute of one channel: `value` in canonical units (mg/m3, %,
m3/h, m/s, degC, kPa absolute) and `state`: low four bits one of the classes below, high bits the basis of the reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

if TYPE_CHECKING:
    from kernels.minute_rows import Rows, Runs

DAY_MINUTES = 1440
MS_PER_MINUTE = 60_000

CHANNEL_ORDER = ("pm", "so2", "nox", "no", "no2", "nh3", "co", "hcl", "hf", "hg", "o2", "flow", "velocity", "temperature", "pressure", "humidity")  # fmt: skip
PM, SO2, NOX, NO, NO2, NH3, CO, HCL, HF, HG, O2, FLOW, VELOCITY, TEMPERATURE, PRESSURE, HUMIDITY = range(16)
N_CHANNELS = len(CHANNEL_ORDER)
#: One more row of cells: nitrogen oxides as NO2, whatever they came from.
NOX_AS_NO2 = N_CHANNELS

#: Classes of a cell: no record; counts; no value or no data; not valid and not tagged; parts of NOx that may not be added up.
NONE, VALID, MISSING, INVALID, NO_BASIS = range(5)
#: From here on the caller numbers the tags that a flag may count towards.
FIRST_TAG = 5
N_CLASSES = 16
CLASS_BITS = 0x0F
#: The reading is of wet gas (concentrations, O2) or wet and actual (flow).
WET = 0x10
#: Nitrogen oxides not yet counted as NO2.
NOT_AS_NO2 = 0x20
#: The class was declared, not sent; and the minute has no record at all.
DECLARED = 0x40
NO_RECORD = 0x80

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Longs = NDArray[np.int64]


class Cells(NamedTuple):
    """Cells of one outlet's day, both of shape (N_CHANNELS + 1, 1440); a value means nothing where the class is NONE."""

    value: Floats
    state: Bytes


@njit(cache=True, nogil=True)
def new_cells() -> Cells:
    """Scratch for one outlet; nothing recorded."""
    rows = N_CHANNELS + 1
    return Cells(np.zeros((rows, DAY_MINUTES)), np.zeros((rows, DAY_MINUTES), np.uint8))


@njit(cache=True, nogil=True)
def slot_of(time_ms: int, day_ms: int, interval: int, end: int) -> int:
    """First minute of the interval a record stands for, relative to the day; may lie outside 0..1439.

    DataTime is floored to the device's grid first (seconds do not count), then an end label steps one interval back.
    """
    minute = (time_ms - day_ms) // MS_PER_MINUTE
    slot = minute if interval == 1 else minute // interval * interval
    return int(slot - interval if end else slot)


class Places(NamedTuple):
    """Where the rows of one outlet lie: `slot` per row (-1: not of this day); rows `cut[j]:cut[j + 1]` for j below
    `parts[0]` stand next to each other in the table and are of one run; `owner` (1440,): run with a record, -1 none.
    """

    slot: Longs
    cut: Longs
    parts: Longs
    owner: NDArray[np.int32]


@njit(cache=True, nogil=True)
def new_places(rows: Rows) -> Places:
    """Scratch that is large enough for any outlet of `rows`."""
    most = 0
    for i in range(rows.first.size - 1):
        most = max(most, rows.first[i + 1] - rows.first[i])
    return Places(
        np.empty(most, np.int64), np.empty(most + 1, np.int64), np.zeros(1, np.int64), np.empty(DAY_MINUTES, np.int32)
    )


@njit(cache=True, nogil=True)
def place_rows(rows: Rows, outlet: int, places: Places, latest: Longs) -> int:
    """Fill `places` for an outlet; `latest` is scratch of shape (runs,).

    Returns how many rows share their slot with an earlier row of the same run.
    """
    runs, owner = rows.runs, places.owner
    owner[:] = -1
    repeats, parts, before = 0, 0, -2
    lo, hi = rows.first[outlet], rows.first[outlet + 1]
    for k in range(lo, hi):
        latest[rows.run[rows.order[k]]] = -1
    for k in range(lo, hi):
        row = rows.order[k]
        run = rows.run[row]
        if row != before + 1 or run != rows.run[before]:
            places.cut[parts] = k - lo
            parts += 1
        before = row
        slot = slot_of(rows.time_ms[row], rows.day_ms, runs.interval[run], runs.end[run])
        inside = 0 <= slot < DAY_MINUTES
        places.slot[k - lo] = slot if inside else -1
        if inside:
            repeats += slot == latest[run]
            latest[run] = slot
            for minute in range(slot, min(slot + runs.interval[run], DAY_MINUTES)):
                owner[minute] = run
    places.cut[parts] = hi - lo
    places.parts[0] = parts
    return repeats


@njit(cache=True, nogil=True)
def _basis(channel: int, run: int, runs: Runs) -> np.uint8:
    """Basis bits of a channel of a run."""
    if channel == FLOW:
        return np.uint8(runs.flow_bits[run])
    if channel > O2:
        return np.uint8(0)
    if NOX <= channel <= NO2:
        return np.uint8(runs.gas_bits[run] | runs.nox_bits[run])
    return np.uint8(runs.gas_bits[run])


@njit(cache=True, nogil=True)
def _units(channel: int, run: int, runs: Runs) -> tuple[float, float]:
    """Factor and offset from the device's unit to the canonical one."""
    if channel == FLOW:
        return runs.flow_scale[run], 0.0
    if channel == PRESSURE:
        return runs.pressure_scale[run], runs.pressure_offset[run]
    return 1.0, 0.0


@njit(cache=True, nogil=True)
def _paint(
    values: Floats, flags: Bytes, slots: Longs, classes: Bytes, unmarked: np.uint8, bits: np.uint8,
    scale: float, offset: float, interval: int, value: Floats, state: Bytes,
) -> bool:  # fmt: skip
    """Write neighbouring rows of one run into the cells of one channel."""
    seen = False
    has_value, has_flag = values.size > 0, flags.size > 0
    for k in range(slots.size):
        slot = slots[k]
        if slot < 0:
            continue
        reading = values[k] if has_value else np.nan
        flag = flags[k] if has_flag else np.uint8(0)
        if flag == 0 and np.isnan(reading):
            continue
        seen = True
        code = classes[flag] if flag else unmarked
        reading = reading * scale + offset
        if code == VALID and not np.isfinite(reading):
            code = np.uint8(MISSING)
        code |= bits
        value[slot] = reading
        state[slot] = code
        # Most loggers send every minute; a loop per row would cost more than the row.
        if interval > 1:
            value[slot : slot + interval] = reading
            state[slot : slot + interval] = code
    return seen


@njit(cache=True, nogil=True)
def paint(rows: Rows, outlet: int, places: Places, classes: Bytes, cells: Cells, seen: NDArray[np.bool_]) -> None:
    """Write an outlet's rows into its cells; `seen[channel]`: whether any row says something about the channel.

    A row without value and flag says nothing. Rows come by time, so the latest that says something about a minute
    wins. A valid flag without a finite value is MISSING. `classes[system, flag]` is the class that a flag byte stands for.
    """
    runs = rows.runs
    cells.state[:] = NONE
    for channel in range(N_CHANNELS):
        values, flags = rows.values[channel], rows.flags[channel]
        seen[channel] = False
        if values.size == 0 and flags.size == 0:
            continue
        for part in range(places.parts[0]):
            lo, hi = places.cut[part], places.cut[part + 1]
            at = rows.order[rows.first[outlet] + lo]
            to = at + hi - lo
            run = rows.run[at]
            scale, offset = _units(channel, run, runs)
            seen[channel] |= _paint(
                values[at:to] if values.size else values, flags[at:to] if flags.size else flags, places.slot[lo:hi],
                classes[runs.system[run]], runs.unmarked[run], _basis(channel, run, runs), scale, offset, runs.interval[run],
                cells.value[channel], cells.state[channel],
            )  # fmt: skip
