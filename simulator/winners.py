"""Which of several frames with the same record counts.

Belongs here: the precedence that a correct reader applies (design 5.3): highest QN, none is lowest, then the later place in
the file. Does not belong here: precedence between files (`truth.truth_minutes`) and tables (`truth_tables`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.frames import CONFLICT, DAY_MS
from simulator.spelling import record_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.capture import Capture
    from simulator.readings import Sheet

    Ints = NDArray[np.int64]


class Winners(NamedTuple):
    """Interval records of one capture that accepted frames carry, by sheet and slot.

    data_time, begin, qn: ms of the local clock (qn -1: none). rows[n, parts]: the sheet's row that each part of the record
    takes its values from, -1 where no accepted frame carries the part. lost: (record, channel) whose average is no number.
    superseded: per frame of the capture, accepted but with a value that another frame overrides.
    """

    sheet: Ints
    data_time: Ints
    begin: Ints
    qn: Ints
    rows: Ints
    lost: tuple[tuple[int, int], ...]
    superseded: NDArray[np.bool_]

    def rows_of(self, here: Ints, sheet: Sheet, channel: int) -> Ints:
        """Rows of `sheet` with the values of `channel` for the records `here`, -1 where unknown."""
        part = next(i for i, channels in enumerate(record_parts(sheet.outlet)) if channel in channels)
        return np.asarray(self.rows[here, part])

    def is_lost(self, here: Ints, channel: int) -> NDArray[np.bool_]:
        """Whether the average of `channel` is no number in each of the records `here`."""
        return np.isin(here, [record for record, c in self.lost if c == channel])


def winning_rows(capture: Capture) -> Winners:
    """The winner of every record among the accepted frames of one capture."""
    traffic, sheets = capture.day.traffic, capture.day.sheets
    accepted = np.flatnonzero((capture.reason == "") & (traffic.cn == 2051))
    order = accepted[np.lexsort((capture.offset[accepted], traffic.qn[accepted]))]
    slots = np.array([s.slots for s in sheets], np.int64)
    first = np.cumsum(slots) - slots
    record = first[traffic.sheet[order]] + traffic.slot[order]
    total = int(slots.sum())
    widest = int(traffic.part.max()) if traffic.part.size else 1
    rows = np.full((total, widest), -1, np.int64)
    # Of several assignments to one place numpy keeps the last, here the one with the highest precedence.
    rows[record, traffic.part[order] - 1] = traffic.row[order]
    stamp = np.full((total, 2), -1, np.int64)
    stamp[record] = np.stack([traffic.data_time[order], traffic.qn[order]], axis=1)
    there = np.flatnonzero((rows >= 0).any(axis=1))
    sheet = np.repeat(np.arange(len(sheets)), slots)[there]
    interval = np.array([s.outlet.device.interval_min for s in sheets], np.int64)
    day = np.array([s.day for s in sheets], np.int64)
    place = {int(r): i for i, r in enumerate(there)}
    lost = tuple(
        (place[int(first[traffic.sheet[f]] + traffic.slot[f])], c)
        for f, wound in sorted(capture.wounds.items())
        for c in wound.lost
    )
    begin = day[sheet] * DAY_MS + (there - first[sheet]) * interval[sheet] * 60_000
    superseded = _superseded(capture, order, record, rows)
    return Winners(sheet, stamp[there, 0], begin, stamp[there, 1], rows[there], lost, superseded)


def _superseded(capture: Capture, order: Ints, record: Ints, rows: Ints) -> NDArray[np.bool_]:
    """Accepted frames that carry other values than the winner of their record; only conflicting resends bring them about."""
    traffic = capture.day.traffic
    result = np.zeros(traffic.cn.size, np.bool_)
    if (traffic.what == CONFLICT).any():
        result[order] = rows[record, traffic.part[order] - 1] != traffic.row[order]
    return result
