"""Patterns between series and between days: two outlets with the same trend (A16), days that repeat themselves (A17).

Belongs here: which windows are compared and how pairs become rows. Does not belong here: the correlation (`kernels/signal_patterns`),
patterns within a series (`pattern_finders`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.signal_writer import episodes, hours
from kernels.signal_patterns import DAY, alike, long_runs, replays

if TYPE_CHECKING:
    from assets.pattern_finders import Found
    from assets.signal_writer import Writer


@dataclass(frozen=True)
class _Twin:
    """The closest other series of one day, and how many there were."""

    partner: int
    value: float
    partners: int


def same_trends(writer: Writer, found: Found) -> None:
    """A16, clock day by clock day of the month, one pollutant at a time, all outlets against each other.

    Of each pair the later outlet tells, with its closest partner: copies of one signal give as many rows as there are copies.
    """
    above, least, spread = _terms(writer, "A16_same_trend")
    first = found.hours.since // DAY
    twins: dict[int, dict[int, _Twin]] = {}
    for pollutant in dict.fromkeys(found.hours.pollutants):
        series = found.hours.series(pollutant)
        for day in range(first, found.hours.hours // DAY):
            a, b, value = alike(found.values[series, day * DAY : (day + 1) * DAY], above, least, spread)
            for later in dict.fromkeys(b.tolist()):
                own = np.flatnonzero(b == later)
                best = own[np.argmax(value[own])]
                twin = _Twin(int(series[a[best]]), float(value[best]), own.size)
                twins.setdefault(int(series[later]), {})[day] = twin
    for s, days in sorted(twins.items()):
        mask = np.zeros((1, found.hours.hours // DAY), np.bool_)
        mask[0, list(days)] = True
        for _, lo, hi in episodes(mask):
            best_twin = max((days[d] for d in range(lo, hi)), key=lambda t: t.value)
            writer.add(
                "A16_same_trend", found.name(s), hours(lo * DAY, hi * DAY), channel=found.hours.pollutants[s],
                value=best_twin.value, days=hi - lo, partner=found.name(best_twin.partner),
                others=max(days[d].partners for d in range(lo, hi)) - 1,
            )  # fmt: skip


def replayed_days(writer: Writer, found: Found) -> None:
    """A17: so many days in a row, each like the day before it."""
    above, least, spread = _terms(writer, "A17_replay")
    shares = replays(found.values, least, spread)
    for s, lo, hi in episodes(long_runs(shares > above, int(writer.number("replay_days")))):
        if hi * DAY > found.hours.since:
            writer.add(
                "A17_replay", found.name(s), hours(lo * DAY, hi * DAY), channel=found.hours.pollutants[s],
                value=float(shares[s, lo:hi].min()), days=hi - lo,
            )  # fmt: skip


def _terms(writer: Writer, signal_id: str) -> tuple[float, float, float]:
    """Correlation, least share of the mean, least spread."""
    above = writer.threshold(signal_id) or 1.0
    return above, writer.number("compare_least_pct") / 100, writer.number("compare_spread_pct") / 100
