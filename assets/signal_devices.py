"""Signals over devices: how their records came (A21), at what spacing (R04), and two that send one channel (R03).

Belongs here: facts of arrival gathered from raw rows, and their rows of signals. Does not belong here: gaps and repeats, which the
hour kernel counts (`hour_signals`), and what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assets.hour_rules import number
from assets.sent_rows import day_ms
from contracts.channels import CHANNEL_NAMES, column
from kernels.minutes import DAY_MINUTES, MS_PER_MINUTE
from kernels.signal_rows import NO_QN, arrival, both_sent, spacing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from assets.sent_rows import SentRows, Speaker
    from assets.signal_writer import Writer
    from resources.rules import RuleBook

    Longs = NDArray[np.int64]


@dataclass(frozen=True)
class Doubt:
    """One fact about a device's records: which signal, for whom, over which minutes, with which figures."""

    signal_id: str
    outlet_id: str
    span: tuple[int, int]
    channel: str
    value: float
    figures: dict[str, float]


def device_doubts(
    sent: SentRows | None, speakers: Sequence[Speaker | None], book: RuleBook, day: date
) -> tuple[Doubt, ...]:
    """What the minute rows of a day say about their devices. Rows with a `qn` column tell when they came."""
    if sent is None:
        return ()
    found = [*_spacings(sent, speakers, book, day), *_arrivals(sent, speakers, book, day)]
    return (*found, *_both(sent, speakers, book, day))


def device_signals(writer: Writer, doubts: Sequence[Doubt]) -> None:
    """A21_late, A21_ahead, R03 and R04; one row an outlet, channel and signal."""
    worst: dict[tuple[str, str, str], Doubt] = {}
    for doubt in doubts:
        key = (doubt.signal_id, doubt.outlet_id, doubt.channel)
        if key not in worst or doubt.value > worst[key].value:
            worst[key] = doubt
    for d in worst.values():
        writer.add(d.signal_id, d.outlet_id, d.span, channel=d.channel, value=d.value, **d.figures)


def _bounds(sent: SentRows) -> Longs:
    return np.append(sent.first, sent.table.num_rows)


def _spacings(sent: SentRows, speakers: Sequence[Speaker | None], book: RuleBook, day: date) -> Iterator[Doubt]:
    least = number(book, "signals.spacing_records", day)
    found = spacing(sent.times(), _bounds(sent))
    for run, speaker in enumerate(speakers):
        if speaker is None or found.of[run] < least or not found.minutes[run]:
            continue
        interval = speaker.device.interval_min
        if found.minutes[run] != interval:
            figures = {"interval": float(interval)}
            yield Doubt(
                "R04_interval_differs",
                sent.runs[run].outlet_id,
                (0, DAY_MINUTES),
                "",
                float(found.minutes[run]),
                figures,
            )


def _arrivals(sent: SentRows, speakers: Sequence[Speaker | None], book: RuleBook, day: date) -> Iterator[Doubt]:
    if "qn" not in sent.table.column_names:
        return
    qn = sent.table.column("qn")
    if qn.null_count == len(qn):
        return
    times, start = sent.times(), day_ms(day)
    came: Longs = pc.fill_null(qn.cast(pa.int64()), NO_QN).to_numpy().copy()
    # What closes this day under end labels stands in the next one, and is told there.
    came[(times < start) | (times >= start + DAY_MINUTES * MS_PER_MINUTE)] = NO_QN
    ahead = [0 if s is None or s.label == "end" else s.device.interval_min for s in speakers]
    late, early = number(book, "signals.late_minutes", day), number(book, "signals.early_minutes", day)
    found = arrival(times, came, _bounds(sent), np.array(ahead, np.int64), late, early, start)
    for run, speaker in enumerate(speakers):
        if speaker is None:
            continue
        outlet_id, interval = sent.runs[run].outlet_id, speaker.device.interval_min
        for signal_id, records, most, first, last in (
            ("A21_late", found.late, found.latest, found.late_first, found.late_last),
            ("A21_ahead", found.early, found.earliest, found.early_first, found.early_last),
        ):
            if records[run]:
                span = int(first[run]), min(int(last[run]) + interval, DAY_MINUTES)
                yield Doubt(signal_id, outlet_id, span, "", float(most[run]), {"records": float(records[run])})


def _both(sent: SentRows, speakers: Sequence[Speaker | None], book: RuleBook, day: date) -> Iterator[Doubt]:
    by_outlet: dict[str, dict[str, list[int]]] = {}
    for run, speaker in enumerate(speakers):
        if speaker is not None:
            who = sent.runs[run]
            by_outlet.setdefault(who.outlet_id, {}).setdefault(who.mn, []).append(run)
    shared = {outlet: devices for outlet, devices in by_outlet.items() if len(devices) > 1}
    if not shared:
        return
    least = number(book, "signals.both_minutes", day)
    bounds, minutes = _bounds(sent), (sent.times() - day_ms(day)) // MS_PER_MINUTE
    rows = {
        outlet: [np.concatenate([np.arange(bounds[r], bounds[r + 1]) for r in runs]) for runs in devices.values()]
        for outlet, devices in shared.items()
    }
    for channel in CHANNEL_NAMES:
        values = sent.floats(column(channel, "avg"))
        for outlet, devices in rows.items() if values.size else ():
            has = [~np.isnan(values[own]) for own in devices]
            found = both_sent([(minutes[own], told) for own, told in zip(devices, has, strict=True)])
            if found.size >= max(least, 1):
                figures = {"devices": float(sum(told.any() for told in has)), "minutes": float(found.size)}
                span = int(found[0]), int(found[-1]) + 1
                yield Doubt("R03_two_devices", outlet, span, channel, float(found.size), figures)
