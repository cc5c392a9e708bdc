"""Marks of the simulated monitoring devices as their plants declare them.

Belongs here: which mark a fault or check bears, true marks and false ones. Does not belong here: which faults there are
(`plan`) and how an event is handed in (`declared`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernels.stackgas import DAY_MINUTES
from simulator import draws
from simulator.declared import DRAWS, Event, Row, declare, name_of
from simulator.plan import analysers, day_plan, last_check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.dirt import Dirt
    from simulator.world import SimOutlet

COLUMNS = ("event_id", "outlet_id", "channel", "mark", "start", "end", "last_calibration_at", "declared_at")
#: The mark of each kind that somebody notices; a channel that stands still or reads zero is noticed by nobody.
MARK_OF = {
    "routine": "C", "calibration": "C", "maintenance": "M", "fault": "D", "breakdown": "D", "over_range": "T", "drift": "OOC",
}  # fmt: skip
_MARKS = ("C", "M", "D", "T", "OOC")
_FALSE_MARKS = ("M", "D", "C", "T")


def day_faults(outlet: SimOutlet, seed: int, dirt: Dirt, day: int) -> list[tuple[Event, str]]:
    """What bears a mark on `day` at one outlet: its event and the kind of fault; a fault of several days has the same event on
    each of them, a check of all channels is one event.
    """
    every = len(analysers(outlet))
    found: dict[str, tuple[Event, str]] = {}
    faults = day_plan(outlet, seed, dirt, day).faults
    together = sum(f.kind == "routine" for f in faults) == every
    for fault in faults:
        mark = MARK_OF.get(fault.kind)
        if mark is None:
            continue
        channel = "all" if fault.kind == "routine" and together else outlet.channels[fault.channel]
        first, end = fault.whole
        last = last_check(outlet, seed, first) if mark == "OOC" else None
        event = Event(
            name_of(outlet.outlet_id, first, f"{mark}-{channel}"), outlet.outlet_id, mark, first, end, channel, last
        )
        found.setdefault(event.event_id, (event, fault.kind))
    return list(found.values())


def outlet_events(
    outlet: SimOutlet, seed: int, dirt: Dirt, day: int, *, first: bool
) -> Iterator[tuple[Event, list[Row]]]:
    """Marks of one outlet that begin on `day` (or before it, on the `first` day of a zone), each with the rows handed in."""
    midnight = day * DAY_MINUTES
    events = [e for e, _ in day_faults(outlet, seed, dirt, day) if first or e.begin >= midnight]
    for event in [*events, *_false(outlet, seed, dirt, day)]:
        yield event, declaration(outlet, seed, dirt, event)


def declaration(outlet: SimOutlet, seed: int, dirt: Dirt, event: Event) -> list[Row]:
    """The rows handed in for an event of `outlet`."""
    place = len(outlet.channels) if event.channel == "all" else outlet.channels.index(event.channel)
    u = draws.generator(seed, draws.MARKS, outlet.index, event.begin, _MARKS.index(event.what), place).random(DRAWS)
    unknown = (f"{outlet.outlet_id}9", f"{outlet.plant.plant_id}-KX", "=X9", "=待核实")
    return declare(event, dirt, u, unknown)


def _false(outlet: SimOutlet, seed: int, dirt: Dirt, day: int) -> list[Event]:
    """A mark of which nothing is true; the rate is per 30 days."""
    u = draws.generator(seed, draws.MARKS, outlet.index, day).random(5)
    if u[0] >= dirt.false_event / 30.0:
        return []
    begin = day * DAY_MINUTES + int(u[1] * (DAY_MINUTES - 1))
    mark = _FALSE_MARKS[int(u[2] * len(_FALSE_MARKS))]
    channel = "all" if u[3] < 0.2 else outlet.channels[int(u[3] * len(outlet.channels))]
    name = name_of(outlet.outlet_id, begin, f"{mark}-{channel}-2")
    return [Event(name, outlet.outlet_id, mark, begin, begin + 20 + int(u[4] * 300), channel, true=False)]


def cells(row: Row) -> tuple[str, ...]:
    """A row in the order of COLUMNS."""
    return row.event_id, row.place, row.channel, row.what, row.start, row.end, row.last_calibration, row.declared_at
