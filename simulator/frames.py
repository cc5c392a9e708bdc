"""The frames of one plant and day as columns, before they are printed.

Belongs here: the columns and what can be asked of them. Does not belong here: how they come about (`traffic`, `resends`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kernels.stackgas import DAY_MINUTES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from simulator.plan import Span
    from simulator.readings import Sheet
    from simulator.spelling import Form

    Ints = NDArray[np.int64]
    FormTable = dict[tuple[int, bool], tuple[Form, ...]]

DAY_MS = 86_400_000
MINUTE_MS = 60_000

# What a frame is, before any damage.
GOOD, REPEAT, CONFLICT, LATE, LATE_REPEAT, CLOCK_JUMP, OTHER = range(7)
WHAT = ("good", "repeat", "conflict", "late", "late_repeat", "clock_jump", "other")


class Traffic(NamedTuple):
    """Frames of one plant and day in order of arrival, one array element each.

    sheet, row, slot: which record is sent; `slot` is the record's place in the day, `row` differs from it in conflicting
    resends. form, part, cn: how. data_time, qn (-1: none), arrival: ms of the local clock. what: see WHAT.
    sole: no other frame carries the same record.
    """

    sheet: Ints
    row: Ints
    slot: Ints
    form: Ints
    part: Ints
    cn: Ints
    data_time: Ints
    qn: Ints
    arrival: Ints
    what: Ints
    sole: NDArray[np.bool_]

    def pick(self, which: Ints | NDArray[np.bool_]) -> Traffic:
        """The chosen frames, in the order given."""
        return Traffic._make(column[which] for column in self)


def join(parts: Iterable[Traffic]) -> Traffic:
    """All frames of several pieces, one piece after the other."""
    return Traffic._make(np.concatenate(columns) for columns in zip(*parts, strict=True))


def sent_minute(traffic: Traffic, sheet: Sheet) -> Ints:
    """Minute of the day at whose end each record is complete."""
    slots, interval = sheet.slots, sheet.outlet.device.interval_min
    hour = (traffic.slot - slots + 1) * 60
    return np.where(traffic.cn == 2051, (traffic.slot + 1) * interval, np.where(traffic.cn == 2061, hour, DAY_MINUTES))


def within(minute: Ints, span: Span) -> NDArray[np.bool_]:
    """Which records are complete only after `span` began, and at its end at the latest."""
    return np.asarray((minute > span.first) & (minute <= span.end))
