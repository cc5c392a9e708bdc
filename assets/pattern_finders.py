"""Patterns in the hours of single series: A01, A04, A05, A14, A18, A20, A23 and A24.

Belongs here: asking the kernels and writing what they find. Does not belong here: comparing series or days (`pattern_pairs`),
calibrations and changes of settings (`pattern_records`), the loops (`kernels/signal_patterns`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from assets.pattern_hours import NO_ROW
from assets.signal_writer import episodes, hours
from contracts.cems import HOUR_TAGS
from kernels.signal_patterns import lift, long_runs, narrow, nights, spikes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from assets.pattern_hours import PatternHours
    from assets.signal_writer import Writer
    from resources.events import DeviceMark

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

_MARK_TAGS = tuple(HOUR_TAGS.index(tag) for tag in ("C", "M", "D", "T", "OOC"))


@dataclass(frozen=True)
class Found:
    """What the patterns are looked for in: the hours, `values` of a running source (S, H), limits (S,), declared marks."""

    hours: PatternHours
    values: Floats
    limits: Floats
    marks: tuple[DeviceMark, ...]

    def name(self, s: int) -> str:
        """Outlet of a series."""
        return self.hours.outlets[int(self.hours.outlet[s])]

    @property
    def month(self) -> tuple[int, int]:
        """The month so far, in minutes since the origin."""
        return hours(self.hours.since, self.hours.hours)


def steady_patterns(writer: Writer, found: Found) -> None:
    """A01, A04, A18 and A24: series that stay where they are for too long. Only stretches that reach into the month."""
    x, mean = found.values, _means(found.values)
    share = writer.number("flat_span_pct") / 100 * writer.number("span_of_mean")
    enough = np.where(mean > writer.number("floor_mg_m3"), share * mean, -1.0)
    flat = narrow(x, int(writer.number("flat_hours")), enough)
    _stretches(writer, found, "A01_flat_hours", flat, threshold=100 * share)

    percent = writer.number("hover_pct")
    low = np.where((x > 0) & (x <= writer.number("hover_most_mg_m3")), x, math.nan)
    ratio = (100 + percent) / (100 - percent)
    hovering = narrow(low, int(writer.number("hover_hours")), np.full(x.shape[0], math.inf), ratio)
    _stretches(writer, found, "A04_hovering", hovering, percent=percent)

    dust = np.array([p == "pm" for p in found.hours.pollutants], np.bool_)
    most = writer.number("dust_low_mg_m3")
    for s in np.flatnonzero(dust).tolist():
        _dust(writer, found, s, most, int(writer.number("dust_low_hours")))


def month_patterns(writer: Writer, found: Found, reductants: Mapping[str, str]) -> None:
    """A05, A14, A18, A20 and A23."""
    _below_limit(writer, found)
    _marks_at_exceedance(writer, found)
    _no_slip(writer, found, reductants)
    _capture(writer, found)
    _nights(writer, found)


def _means(x: Floats) -> Floats:
    n = (~np.isnan(x)).sum(axis=1)
    made: Floats = np.divide(np.nansum(x, axis=1), n, out=np.zeros(x.shape[0]), where=n > 0)
    return made


def _stretches(writer: Writer, found: Found, signal_id: str, mask: Bools, *, threshold: float | None = None, **figures: float) -> None:  # fmt: skip
    for s, lo, hi in episodes(mask):
        if hi > found.hours.since:
            there = found.values[s, lo:hi]
            reading = float((there.min() + there.max()) / 2)
            value = (
                float(100 * (there.max() - there.min()) / reading) if signal_id.startswith("A01") else float(hi - lo)
            )
            writer.add(
                signal_id, found.name(s), hours(lo, hi), channel=found.hours.pollutants[s], value=value,
                threshold=threshold, reading=reading, **figures,
            )  # fmt: skip


def _dust(writer: Writer, found: Found, s: int, most: float, least: int) -> None:
    """A24: running hours one after another, stops left out, all below `most`."""
    at = np.flatnonzero(~np.isnan(found.values[s]))
    low = (found.values[s, at] < most)[None, :]
    for _, lo, hi in episodes(long_runs(low, least)):
        first, end = int(at[lo]), int(at[hi - 1]) + 1
        if end > found.hours.since:
            writer.add(
                "A24_dust_low", found.name(s), hours(first, end), channel="pm", value=float(hi - lo), percent=most
            )


def _below_limit(writer: Writer, found: Found) -> None:
    """A05 over the hours of the month that were judged."""
    width, ratio, least = (writer.number(n) for n in ("top_width_pct", "top_ratio", "top_hours"))
    counted = spikes(found.hours.judged[:, found.hours.since :], found.limits, width / 100)
    # Where nothing lies around, one hour does: a ratio to nothing would be no figure.
    shares = counted.top / np.maximum(counted.around, 1.0)
    for s in np.flatnonzero((counted.top >= least) & (shares >= ratio)).tolist():
        writer.add(
            "A05_below_limit", found.name(s), found.month, channel=found.hours.pollutants[s], value=float(shares[s]),
            percent=width, limit=float(found.limits[s]), hours=int(counted.top[s]),
        )  # fmt: skip


def _marks_at_exceedance(writer: Writer, found: Found) -> None:
    """A14: hours under a mark by their tag, or touched by a declared one."""
    marked = np.isin(found.hours.tag, _MARK_TAGS)
    origin = datetime.combine(found.hours.origin, datetime.min.time())
    for mark in found.marks:
        lo, hi = ((t - origin).total_seconds() / 3600 for t in (mark.start, mark.end))
        span = slice(max(int(lo // 1), 0), max(min(int(-(-hi // 1)), found.hours.hours), 0))
        for pollutant in set(found.hours.pollutants) if mark.channel == "all" else {mark.channel}:
            s = found.hours.place.get((mark.outlet_id, pollutant))
            if s is not None:
                marked[s, span] = True
    reach, least = int(writer.number("lift_reach_h")), writer.number("lift_marks")
    counted = lift(found.hours.judged, found.limits, marked, reach, found.hours.since)
    chance = counted.marks * counted.rise_hours / np.maximum(counted.hours, 1)
    for s in np.flatnonzero((counted.at_rise >= least) & (chance > 0)).tolist():
        value = float(counted.at_rise[s] / chance[s])
        if value > (writer.threshold("A14_marks_at_exceedance") or 0.0):
            writer.add(
                "A14_marks_at_exceedance", found.name(s), found.month, channel=found.hours.pollutants[s], value=value,
                marks=int(counted.marks[s]), hits=int(counted.at_rise[s]), limit=float(found.limits[s]),
            )  # fmt: skip


def _no_slip(writer: Writer, found: Found, reductants: Mapping[str, str]) -> None:
    """A18: no ammonia at all in the exhaust while nitrogen oxides are low and a reductant is registered."""
    slip, most = writer.number("slip_mg_m3"), writer.number("slip_nox_mg_m3")
    for s in found.hours.series("nh3").tolist():
        nox = found.hours.place.get((found.name(s), "nox"))
        if nox is None or reductants.get(found.name(s), "none") == "none":
            continue
        none = ((found.values[s] <= slip) & (found.values[nox] <= most))[None, :]
        for _, lo, hi in episodes(long_runs(none, int(writer.number("slip_hours")))):
            if hi > found.hours.since:
                value = float(found.values[s, lo:hi].max())
                writer.add("A18_no_slip", found.name(s), hours(lo, hi), channel="nh3", value=value, nox=most)


def _capture(writer: Writer, found: Found) -> None:
    """A20 over the month so far; hours that were declared stopped are left out on both sides."""
    month = slice(found.hours.since, None)
    due = (found.hours.tag[:, month] != NO_ROW) & ~found.hours.stopped[:, month]
    valid = due & ~np.isnan(found.hours.value[:, month])
    limit, least = writer.threshold("A20_capture") or 0.0, writer.number("capture_hours")
    of, n = due.sum(axis=1), valid.sum(axis=1)
    for s in np.flatnonzero((of >= least) & (100 * n < limit * of)).tolist():
        writer.add(
            "A20_capture", found.name(s), found.month, channel=found.hours.pollutants[s], value=float(100 * n[s] / of[s]),
            valid=int(n[s]), hours=int(of[s]),
        )  # fmt: skip


def _nights(writer: Writer, found: Found) -> None:
    """A23: one row for days one after another whose last days' nights were low."""
    begin, end, days = (int(writer.number(n)) for n in ("night_first_hour", "night_end_hour", "night_days"))
    clock = np.arange(24)
    night = (clock >= begin) | (clock < end) if begin > end else (clock >= begin) & (clock < end)
    shares = 100 * nights(found.values, night, days, int(writer.number("night_hours")))
    for s, lo, hi in episodes(shares < (writer.threshold("A23_night_low") or 0.0)):
        if hi * 24 > found.hours.since:
            looked_at = found.values[s, (lo + 1 - days) * 24 : hi * 24]
            first = (lo + 1 - days) * 24 + int(np.argmax(~np.isnan(looked_at)))
            writer.add(
                "A23_night_low", found.name(s), hours(first, hi * 24), channel=found.hours.pollutants[s],
                value=float(shares[s, lo:hi].min()), days=days,
            )  # fmt: skip
