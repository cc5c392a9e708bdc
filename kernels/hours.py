"""Minutes to hours: validity, O2 conversion, means, mass and the tag of every hour of every outlet.

Belongs here: loops over the cells of one outlet's day (`minutes`, `minute_air`) that end in one figure per clock hour,
and the wrapper over all outlets. Does not belong here: reading tables, the registry, limits, verdicts, signals.

Shapes: n outlets, 24 hours, p pollutants. A missing figure is NaN and `reason` says why. Every parameter stays valid
or not on its own: an hour of concentration stands although oxygen is out of order; its converted value does not.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from kernels import minutes as at
from kernels.declared import Declared, lay_over
from kernels.hour_tags import Tags, join_invalid, tag_hour, tag_of
from kernels.minute_air import Air, Constants, fill_air, fill_nox, new_air
from kernels.minutes import Bytes, Cells, Floats, Longs, new_cells, new_places, paint, place_rows
from kernels.signal_episodes import NO_DOUBTS, MinuteSignals, SignalRules, new_minute_signals, new_signal_work
from kernels.signal_minutes import minute_signals, source_evidence
from kernels.standard_state import hour_mass, oxygen_factor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.minute_rows import Rows

HOURS = 24

#: Why a judged value is missing; `Hours.reason` indexes this, 0 = it is not.
REASONS = (
    "",
    "no_data",
    "no_nox_basis",
    "below_45_valid_minutes",
    "no_moisture",
    "o2_near_air",
    "o2_invalid",
    "stopped",
)
_NO_DATA, _NO_NOX_BASIS, _BELOW, _NO_MOISTURE, _NEAR_AIR, _O2_INVALID, _STOPPED = range(1, 8)

#: Pollutants in the order of the last axis; each with the cells it is reported in and the cells its hour is made from.
POLLUTANT_ORDER = ("pm", "so2", "nox", "nh3", "co", "hcl", "hf", "hg")
_RAW_CELLS = (at.PM, at.SO2, at.NOX, at.NH3, at.CO, at.HCL, at.HF, at.HG)
_HOUR_CELLS = (at.PM, at.SO2, at.NOX_AS_NO2, at.NH3, at.CO, at.HCL, at.HF, at.HG)
N_POLLUTANTS = len(POLLUTANT_ORDER)


class Rules(NamedTuple):
    """Parameters in force that day. `minute_first`: convert minutes, then average (else the other order).

    `near_air_pct`: O2 above it is counted. `tags`: see `hour_tags`.
    """

    min_valid_minutes: int
    minute_first: bool
    near_air_pct: float
    tags: Tags
    constants: Constants


class Outlets(NamedTuple):
    """One entry per outlet: reference O2 (NaN: conversion does not apply), duct area and velocity coefficient (NaN: unknown)."""

    o2_reference: Floats
    duct_area: Floats
    velocity_coefficient: Floats


class Day(NamedTuple):
    """Everything an hour is made from. `classes`: class of each flag byte in each flag system, (systems, 256); `doubts`:
    thresholds of the signals, see `signal_minutes`.
    """

    rows: Rows
    outlets: Outlets
    classes: Bytes
    rules: Rules
    declared: Declared
    doubts: SignalRules = NO_DOUBTS


class Hours(NamedTuple):
    """`concentration` (dry standard), `converted`, `mean_first` (the other order), `raw` (as reported), `mass` in kg,
    `valid` and `minutes` (of the judged value; with a record), `tag`, `reason`, `by_declaration` (the tag rests on declared
    minutes): (n, 24, p). `o2`, `flow`, `pressure` (of any valid minute), `near_air` and
    `covered` (minutes), `run` (last one seen, -1 none): (n, 24). `repeats` (n,): rows that share their slot with an earlier
    one. `tag` counts by precedence, see Rules; `reason` indexes REASONS. `signals`: see `signal_minutes`.
    """

    concentration: Floats
    converted: Floats
    mean_first: Floats
    raw: Floats
    mass: Floats
    valid: NDArray[np.int16]
    minutes: NDArray[np.int16]
    tag: Bytes
    reason: Bytes
    by_declaration: NDArray[np.bool_]
    o2: Floats
    flow: Floats
    pressure: Floats
    near_air: NDArray[np.int16]
    covered: NDArray[np.int16]
    run: NDArray[np.int32]
    repeats: NDArray[np.int32]
    signals: MinuteSignals


class _Sums(NamedTuple):
    """Sums and numbers of minutes of one hour: as reported, dry, converted; `o2`: dry minutes with valid oxygen; `none`: minutes
    without a record.
    """

    raw: float
    raw_n: int
    dry: float
    dry_n: int
    converted: float
    converted_n: int
    o2_n: int
    none: int


@njit(cache=True, nogil=True)
def _reason(counts: Longs, none: int, dry: int, oxygen: int, least: int) -> int:
    """Why the judged value is missing: the first step of the chain that leaves fewer than `least` minutes."""
    if none == 60:
        return _NO_DATA
    if counts[at.VALID] < least:
        return _NO_NOX_BASIS if counts[at.VALID] + counts[at.NO_BASIS] >= least else _BELOW
    if dry < least:
        return _NO_MOISTURE
    return _NEAR_AIR if oxygen >= least else _O2_INVALID


@njit(cache=True, nogil=True)
def _mean(total: float, n: int, least: int) -> float:
    return total / n if n >= least else math.nan


@njit(cache=True, nogil=True)
def _mean_of(values: Floats, hour: int, least: int) -> float:
    """Mean of the values of an hour that are not NaN, NaN when fewer than `least` are left."""
    total, n = 0.0, 0
    for m in range(hour * 60, hour * 60 + 60):
        if not math.isnan(values[m]):
            total += values[m]
            n += 1
    return _mean(total, n, least)


@njit(cache=True, nogil=True)
def _air_hours(cells: Cells, air: Air, owner: NDArray[np.int32], i: int, rules: Rules, out: Hours) -> None:
    """The figures that an outlet has once per hour."""
    for h in range(HOURS):
        out.o2[i, h] = _mean_of(air.o2, h, rules.min_valid_minutes)
        out.flow[i, h] = _mean_of(air.flow, h, rules.min_valid_minutes)
        near, covered, pressure, n = 0, 0, 0.0, 0
        for m in range(h * 60, h * 60 + 60):
            near += air.o2[m] > rules.near_air_pct
            if owner[m] >= 0:
                covered += 1
                out.run[i, h] = owner[m]
            if cells.state[at.PRESSURE, m] & at.CLASS_BITS == at.VALID:
                pressure += cells.value[at.PRESSURE, m]
                n += 1
        out.near_air[i, h] = near
        out.covered[i, h] = covered
        out.pressure[i, h] = _mean(pressure, n, 1)


@njit(cache=True, nogil=True)
def _sum_hour(cells: Cells, air: Air, p: int, h: int, counts: Longs) -> _Sums:
    """Add up one hour of pollutant `p`; `counts` becomes the minutes per class."""
    raw_cell, cell = _RAW_CELLS[p], _HOUR_CELLS[p]
    raw, raw_n, total, dry_n, converted, converted_n, o2_n = 0.0, 0, 0.0, 0, 0.0, 0, 0
    none = 0
    counts[:] = 0
    for m in range(h * 60, h * 60 + 60):
        state = cells.state[cell, m]
        counts[state & at.CLASS_BITS] += 1
        if cells.state[raw_cell, m] & at.CLASS_BITS == at.VALID:
            raw += cells.value[raw_cell, m]
            raw_n += 1
        if state & at.CLASS_BITS != at.VALID:
            none += state == at.NONE or state & at.NO_RECORD != 0
            continue
        dry = cells.value[cell, m] * air.dry[m] if state & at.WET else cells.value[cell, m]
        if math.isnan(dry):
            continue
        total += dry
        dry_n += 1
        o2_n += not math.isnan(air.o2[m])
        if not math.isnan(air.to_reference[m]):
            converted += dry * air.to_reference[m]
            converted_n += 1
    return _Sums(raw, raw_n, total, dry_n, converted, converted_n, o2_n, none)


@njit(cache=True, nogil=True)
def _pollutant_hours(
    cells: Cells, air: Air, process: Bytes, told: bool, stopped: int, i: int, p: int, reference: float, rules: Rules,
    counts: Longs, scratch: Longs, out: Hours,
) -> None:  # fmt: skip
    """Means, mass, tag and reason of every hour of pollutant `p` of outlet `i`; `counts` and `scratch` have one entry a class.

    `told`: `process` holds states that were declared.
    """
    cell = _HOUR_CELLS[p]
    least, air_pct, guard = rules.min_valid_minutes, rules.constants.air_pct, rules.constants.guard_pct
    for h in range(HOURS):
        sums = _sum_hour(cells, air, p, h, counts)
        concentration = _mean(sums.dry, sums.dry_n, least)
        judged, oxygen = sums.dry_n, sums.o2_n
        if not math.isnan(reference):
            mean_first = concentration * oxygen_factor(out.o2[i, h], reference, air_pct, guard)
            out.mean_first[i, h, p] = mean_first
            if rules.minute_first:
                out.converted[i, h, p] = _mean(sums.converted, sums.converted_n, least)
                judged = sums.converted_n
            else:
                out.converted[i, h, p] = mean_first
                judged = 0 if math.isnan(mean_first) else sums.dry_n
                oxygen = 0 if math.isnan(out.o2[i, h]) else least
        out.raw[i, h, p] = _mean(sums.raw, sums.raw_n, least)
        out.concentration[i, h, p] = concentration
        out.mass[i, h, p] = hour_mass(concentration, out.flow[i, h])
        out.valid[i, h, p] = judged
        out.minutes[i, h, p] = 60 - sums.none
        out.reason[i, h, p] = 0 if judged >= least else _reason(counts, sums.none, sums.dry_n, oxygen, least)
        if counts[at.VALID] == 60 and not told:
            out.tag[i, h, p] = tag_of(counts, rules.tags)
            continue
        hour = slice(h * 60, h * 60 + 60)
        join_invalid(cells.state[cell, hour], rules.tags, counts, scratch)
        tag, by_declaration = tag_hour(cells.state[cell, hour], process[hour], told, stopped, rules.tags, counts)
        out.tag[i, h, p] = tag
        out.by_declaration[i, h, p] = by_declaration
        if judged < least and tag < rules.tags.classes.size and rules.tags.classes[tag] == stopped != at.NONE:
            out.reason[i, h, p] = _STOPPED


@njit(cache=True, nogil=True)
def _outlets(day: Day, lo: int, hi: int, out: Hours) -> None:
    """Outlets lo..hi-1, one after another over the same scratch; what nothing was sent for keeps its preset figures."""
    cells, air, places = new_cells(), new_air(), new_places(day.rows)
    latest = np.empty(day.rows.runs.outlet.size, np.int64)
    counts, scratch = np.zeros(at.N_CLASSES, np.int64), np.zeros(at.N_CLASSES, np.int64)
    seen = np.zeros(at.N_CHANNELS + 1, np.bool_)
    process = np.zeros(at.DAY_MINUTES, np.uint8)
    rules, facts, declared, work = day.rules, day.outlets, day.declared, new_signal_work()
    for i in range(lo, hi):
        if day.rows.first[i] == day.rows.first[i + 1] and declared.first[i] == declared.first[i + 1]:
            continue
        out.repeats[i] = place_rows(day.rows, i, places, latest)
        paint(day.rows, i, places, day.classes, cells, seen)
        # Whether the source runs is read from what was sent; what is declared explains itself to the checks.
        source_evidence(cells, seen, i, day.doubts, work.on, out.signals)
        told = lay_over(declared, i, cells, process, seen)
        minute_signals(cells, seen, places.owner, day.rows.runs.interval, i, day.doubts, work, out.signals)
        seen[at.NOX_AS_NO2] = seen[at.NOX] or seen[at.NO] or seen[at.NO2]
        if seen[at.NOX_AS_NO2]:
            fill_nox(cells, rules.constants.no_as_no2, rules.tags.rank)
        reference = facts.o2_reference[i]
        fill_air(cells, facts.duct_area[i], facts.velocity_coefficient[i], reference, rules.constants, air)
        _air_hours(cells, air, places.owner, i, rules, out)
        for p in range(N_POLLUTANTS):
            if seen[_HOUR_CELLS[p]]:
                _pollutant_hours(
                    cells, air, process, told, declared.stopped, i, p, reference, rules, counts, scratch, out
                )  # fmt: skip


def _preset(n: int, missing: int) -> Hours:
    """The figures of n outlets nobody sent anything for; `missing` is the tag of their hours."""
    wide, narrow = (n, HOURS, N_POLLUTANTS), (n, HOURS)
    concentration, converted, mean_first, raw, mass = (np.full(wide, math.nan) for _ in range(5))
    valid, minutes = np.zeros(wide, np.int16), np.zeros(wide, np.int16)
    tag, reason = np.full(wide, missing, np.uint8), np.full(wide, _NO_DATA, np.uint8)
    by_declaration = np.zeros(wide, np.bool_)
    o2, flow, pressure = (np.full(narrow, math.nan) for _ in range(3))
    near_air, covered = np.zeros(narrow, np.int16), np.zeros(narrow, np.int16)
    run, repeats = np.full(narrow, -1, np.int32), np.zeros(n, np.int32)
    return Hours(
        concentration, converted, mean_first, raw, mass, valid, minutes, tag, reason, by_declaration,
        o2, flow, pressure, near_air, covered, run, repeats, new_minute_signals(n),
    )  # fmt: skip


def hours_of_day(day: Day, workers: int = 1) -> Hours:
    """Every hour of every outlet of a local day (air-rules 3 and 8, R1-R7; HJ 75-2017, HJ 76-2017 appendix B).

    `workers` threads share the outlets; the figures do not depend on their number. Raises ValueError when the
    arrays do not fit together.
    """
    n = day.outlets.o2_reference.size
    for what, first in (("rows", day.rows.first), ("declarations", day.declared.first)):
        if first.size != n + 1:
            raise ValueError(f"{what} are listed for {first.size - 1} outlets, facts are given for {n}")
    nothing = np.zeros(at.N_CLASSES, np.int64)
    nothing[at.NONE] = 60
    out = _preset(n, tag_of(nothing, day.rules.tags))
    edges = np.linspace(0, n, workers + 1).astype(int).tolist()
    if workers == 1:
        _outlets(day, 0, n, out)
        return out
    with ThreadPoolExecutor(workers) as pool:
        for part in [pool.submit(_outlets, day, lo, hi, out) for lo, hi in pairwise(edges)]:
            part.result()
    return out
