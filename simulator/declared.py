"""How people declare what happened to a kiln or a device: in time, late, without end, wrongly, or not at all.

Belongs here: from one event to the rows that are handed in for it, with the dirt of `Dirt`. Does not belong here: which events
there are (`declared_states`, `declared_marks`) and files (`event_files`).

Times are minutes since 1970-01-01 of the local clock. A declaration is in time until 12:00 of the day after the start.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kernels.stackgas import DAY_MINUTES

if TYPE_CHECKING:
    import numpy as np

    from simulator.dirt import Dirt

_EPOCH = datetime(1970, 1, 1)
#: How many of the declarations without end are never ended; what stands in place of a time that is none.
_NEVER_ENDED = 0.2
_NO_TIME = ("次日8时", "2026-13-40 25:61", "待定")
#: Draws of one event.
DRAWS = 12


@dataclass(frozen=True, slots=True)
class Row:
    """One line as handed in at minute `entered`; `place` and `what` are its line or outlet and its state or mark."""

    entered: int
    event_id: str
    place: str
    channel: str
    what: str
    start: str
    end: str
    last_calibration: str
    declared_at: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened over minutes [begin, end), or is said to have. `channel` and `last_calibration` are of marks."""

    event_id: str
    place: str
    what: str
    begin: int
    end: int
    channel: str = ""
    last_calibration: int | None = None
    true: bool = True


def moment(minute: int) -> datetime:
    """A minute since 1970-01-01 as local time."""
    return _EPOCH + timedelta(minutes=minute)


def stamp(minute: int) -> str:
    """YYYY-MM-DD hh:mm."""
    return moment(minute).isoformat(" ", "minutes")


def name_of(place: str, minute: int, what: str) -> str:
    """An event id: place, start and kind."""
    return f"{place}-{moment(minute):%Y%m%d%H%M}-{what}"


def deadline(minute: int) -> int:
    """12:00 of the day after the one that `minute` lies in."""
    return (minute // DAY_MINUTES + 1) * DAY_MINUTES + DAY_MINUTES // 2


def declare(event: Event, dirt: Dirt, u: np.ndarray, unknown: tuple[str, ...]) -> list[Row]:
    """The rows that are handed in for an event, in order; u[DRAWS] in 0..1. `unknown`: names that stand for its place or what
    when they are wrong (a leading `=` marks one for `what`).
    """
    if u[0] < dirt.undeclared:
        return []
    begin, end = event.begin, event.end
    if u[1] < dirt.overlapping:
        begin -= 10 + int(u[2] * 160)
    limit = deadline(begin)
    lo = end if end < limit - 60 else begin
    entered = lo + int(u[3] * (limit - lo))
    if u[4] < dirt.late_declared:
        entered = limit + 30 + int(u[5] * 4 * DAY_MINUTES)
    row = Row(
        entered, event.event_id, event.place, event.channel, event.what, stamp(begin), stamp(end),
        "" if event.last_calibration is None else stamp(event.last_calibration),
        "" if u[6] < dirt.undated else stamp(entered),
        "DCS 记录(模拟)" if event.true else "",
    )  # fmt: skip
    if u[7] < dirt.unknown_name:
        wrong = unknown[int(u[8] * len(unknown))]
        row = replace(row, what=wrong[1:]) if wrong.startswith("=") else replace(row, place=wrong)
    elif u[7] < dirt.unknown_name + dirt.bad_period:
        row = (
            replace(row, end=stamp(begin - 30))
            if u[8] < 0.5
            else replace(row, start=_NO_TIME[int(u[9] * len(_NO_TIME))])
        )
    if u[10] >= dirt.open_end:
        return [row]
    if u[11] < _NEVER_ENDED:
        return [replace(row, end="")]
    again = max(end, entered) + 30 + int(u[9] * 2 * DAY_MINUTES)
    return [replace(row, end=""), replace(row, entered=again, declared_at=stamp(again) if row.declared_at else "")]
