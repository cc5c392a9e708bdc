"""Signals over the loggers' own hours: A09, A10, A11 and A12.

Belongs here: their figures against ours. Does not belong here: reading their records (`hour_day`), our figures (`kernels/hours`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from assets.signal_writer import episodes, hours
from kernels.hours import POLLUTANT_ORDER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assets.hour_day import HourDay
    from assets.signal_writer import Writer

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

_NOX = POLLUTANT_ORDER.index("nox")


def reported_differs(writer: Writer, day: HourDay) -> None:
    """A09, A11 and A12: the loggers' own hours against ours, in % of ours; A12 by orders of magnitude as a factor."""
    h, reported = day.hours, day.reported
    small, light = writer.number("mean_differs_mg_m3"), writer.number("mass_differs_kg")
    either = np.fmin(_apart(reported.zs_avg, h.converted, small), _apart(reported.zs_avg, h.mean_first, small))
    # Near air a converted value follows the last digit of oxygen; A07 speaks of those hours.
    either[day.hours.near_air > 0] = math.nan
    mean, mass = _apart(reported.avg, h.raw, small), _apart(reported.mass, h.mass, light)
    factor = _factor(reported.mass, h.mass, light)
    # A logger knows nothing of what people declare afterwards: such hours differ rightly.
    for figures in (either, mean, mass, factor):
        figures[day.touched] = math.nan
    # Whether a logger converts NO to NO2 before it computes these is its own affair: there is nothing to compare with.
    for figures in (either, mass, factor):
        figures[_nox_differs_in_kind(day), :, _NOX] = math.nan
    mass[factor >= (writer.threshold("A12_mass_magnitude") or math.inf)] = math.nan
    for signal_id, apart in (
        ("A09_converted_differs", either), ("A11_mean_differs", mean), ("A12_mass_differs", mass), ("A12_mass_magnitude", factor),
    ):  # fmt: skip
        limit = writer.threshold(signal_id) or 0.0
        hit = apart >= limit if signal_id == "A12_mass_magnitude" else apart > limit
        _each(writer, day, signal_id, hit, apart)


def issued_short(writer: Writer, day: HourDay) -> None:
    """A10: an hour's mean without a flag although its minutes, nearly all there, are mostly not valid."""
    h, reported = day.hours, day.reported
    whole = h.minutes >= 60 - writer.number("gap_minutes")
    short = whole & np.isnan(h.raw) & ~np.isnan(reported.avg) & ~reported.flagged & ~day.touched[:, :, None]
    short[_nox_differs_in_kind(day), :, _NOX] = False
    _each(writer, day, "A10_issued_short", short, h.valid.astype(np.float64), fewest=True)


def _each(writer: Writer, day: HourDay, signal_id: str, hit: Bools, figures: Floats, *, fewest: bool = False) -> None:
    """One row an unbroken stretch of hours of a pollutant, with its worst figure."""
    for p, pollutant in enumerate(POLLUTANT_ORDER):
        for i, lo, hi in episodes(hit[:, :, p]):
            there = figures[i, lo:hi, p]
            worst = float(there.min() if fewest else there.max())
            writer.add(signal_id, day.fleet.outlets[i].outlet_id, hours(lo, hi), channel=pollutant, value=worst)


def _apart(theirs: Floats, ours: Floats, small: float) -> Floats:
    """Difference in % of ours (of theirs where ours is 0); 0 where it is no more than `small`, NaN where one is missing."""
    difference = np.abs(theirs - ours)
    base = np.where(ours == 0, np.abs(theirs), np.abs(ours))
    share = 100 * np.divide(difference, base, out=np.zeros_like(ours), where=base > 0)
    made: Floats = np.where(np.isnan(difference), math.nan, np.where(difference > small, share, 0.0))
    return made


def _factor(theirs: Floats, ours: Floats, small: float) -> Floats:
    """The larger of two positive figures over the smaller; NaN where one is not above 0 or both are no more than `small` apart."""
    tells = (theirs > 0) & (ours > 0) & (np.abs(theirs - ours) > small)
    made = np.full(theirs.shape, math.nan)
    a, b = theirs[tells], ours[tells]
    made[tells] = np.maximum(a, b) / np.minimum(a, b)
    return made


def _nox_differs_in_kind(day: HourDay) -> list[int]:
    """Outlets with a device that reports nitrogen oxides not yet counted as NO2."""
    kinds = {key[0] for key, device in day.fleet.devices.items() if not device.nox_as_no2}
    return [i for i, outlet in enumerate(day.fleet.outlets) if outlet.outlet_id in kinds]
