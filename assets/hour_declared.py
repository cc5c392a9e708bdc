"""Declared states and marks of a day, laid out for the hour kernel.

Belongs here: whom a declaration concerns, whether it holds, in what order declarations cover each other, and the state of
each hour. Does not belong here: reading declarations (`resources/events_read.py`), laying them over cells (`kernels/declared.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from assets.hour_rules import number
from contracts.events import STATES
from kernels.declared import ALL_CHANNELS, PROCESS, Declared
from kernels.hours import HOURS
from kernels.minutes import CHANNEL_ORDER, DAY_MINUTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from assets.fleet import Fleet
    from assets.hour_rules import DayRules
    from resources.events import DeviceMark, EventBook, ProcessState
    from resources.rules import RuleBook

#: Hour tag under which the minutes of a state count; running minutes are plain ones.
_TAG_OF = {"cold_start": "St", "hot_start": "St", "shutdown": "Sd", "stopped": "F", "banked": "B"}
_NO_STATE = len(STATES)

#: Channel, first minute, end, class.
Span: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True)
class Declarations:
    """`spans`: for the kernel; `process` (outlets, 24): index in STATES of the state that fills the hour, -1 for none; `touched`
    (outlets, 24): a declared mark or stop covers some of it.
    """

    spans: Declared
    process: NDArray[np.int8]
    touched: NDArray[np.bool_]


def declarations(events: EventBook, fleet: Fleet, book: RuleBook, rules: DayRules) -> Declarations:
    """What was declared of the fleet's day. Marks come first, by precedence of their tags, and stops cover them all."""
    day = fleet.day
    states = _states_by_outlet(events.states_in(day, day), fleet, book)
    marks = _marks_by_outlet(events.marks_in(day, day), fleet, book)
    rank = {tag: rules.tags.index(tag) for tag in rules.declared}
    spans: list[list[Span]] = []
    for outlet in fleet.outlets:
        held = sorted(marks.get(outlet.outlet_id, ()), key=lambda m: -rank[m.mark])
        spans.append([_mark_span(m, fleet, rules) for m in held])
        spans[-1] += [_state_span(s, fleet, rules) for s in states.get(outlet.outlet_id, ()) if s.state in _TAG_OF]
    return Declarations(_declared(spans, rules), _process(states, fleet, book), _touched(spans, rules))


def _touched(spans: list[list[Span]], rules: DayRules) -> NDArray[np.bool_]:
    made = np.zeros((len(spans), HOURS), np.bool_)
    for outlet, some in enumerate(spans):
        for channel, lo, hi, code in some:
            if channel != PROCESS or code == rules.declared["F"]:
                made[outlet, lo // 60 : -(-hi // 60)] = True
    return made


def _states_by_outlet(found: list[ProcessState], fleet: Fleet, book: RuleBook) -> dict[str, list[ProcessState]]:
    if not found:
        return {}
    points = str(book.parameter("states.point_types", fleet.day).value).split(",")
    by_line: dict[str, list[ProcessState]] = {}
    for state in found:
        by_line.setdefault(state.line_id, []).append(state)
    served = ((o.outlet_id, by_line.get(o.line_id or "", [])) for o in fleet.outlets if o.point_type in points)
    return {outlet_id: states for outlet_id, states in served if states}


def _marks_by_outlet(found: list[DeviceMark], fleet: Fleet, book: RuleBook) -> dict[str, list[DeviceMark]]:
    if not found:
        return {}
    late = book.parameter("marks.late_apply", fleet.day).value is True
    made: dict[str, list[DeviceMark]] = {}
    for mark in found:
        if late or not mark.late:
            made.setdefault(mark.outlet_id, []).append(mark)
    return made


def _mark_span(mark: DeviceMark, fleet: Fleet, rules: DayRules) -> Span:
    channel = ALL_CHANNELS if mark.channel == "all" else CHANNEL_ORDER.index(mark.channel)
    return channel, *_minutes(mark.start, mark.end, fleet), rules.declared[mark.mark]


def _state_span(state: ProcessState, fleet: Fleet, rules: DayRules) -> Span:
    return PROCESS, *_minutes(state.begin, state.end, fleet), rules.declared[_TAG_OF[state.state]]


def _minutes(start: datetime, end: datetime, fleet: Fleet) -> tuple[int, int]:
    """Minutes of the day that lie in [start, end); a minute that is touched counts."""
    midnight = datetime(fleet.day.year, fleet.day.month, fleet.day.day)
    first = (start - midnight) // timedelta(minutes=1)
    last = -((midnight - end) // timedelta(minutes=1))
    return max(0, first), min(DAY_MINUTES, last)


def _declared(spans: list[list[Span]], rules: DayRules) -> Declared:
    flat = np.array([s for some in spans for s in some], np.int64).reshape(-1, 4)
    first = np.zeros(len(spans) + 1, np.int64)
    np.cumsum([len(some) for some in spans], out=first[1:])
    channel, lo, hi, code = (np.ascontiguousarray(flat[:, k]) for k in range(4))
    return Declared(first, channel, lo, hi, code.astype(np.uint8), rules.declared["F"])


def _process(states: dict[str, list[ProcessState]], fleet: Fleet, book: RuleBook) -> NDArray[np.int8]:
    made = np.full((len(fleet.outlets), HOURS), -1, np.int8)
    if not states:
        return made
    least = number(book, "caps.min_minutes_per_hour", fleet.day)
    for outlet_id, stretches in states.items():
        for hour, state in _filled(stretches, fleet, least):
            made[fleet.index[outlet_id], hour] = state
    return made


def _filled(stretches: list[ProcessState], fleet: Fleet, least: float) -> Iterator[tuple[int, int]]:
    """Hours that one state fills, with its index."""
    minutes = np.full(DAY_MINUTES, _NO_STATE, np.int64)
    for state in stretches:
        lo, hi = _minutes(state.begin, state.end, fleet)
        minutes[lo:hi] = STATES.index(state.state)
    counts = np.apply_along_axis(np.bincount, 1, minutes.reshape(HOURS, 60), minlength=_NO_STATE + 1)[:, :_NO_STATE]
    for hour, state_code in zip(*np.nonzero(counts >= least), strict=True):
        yield int(hour), int(state_code)
