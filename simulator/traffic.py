"""Which frames of a plant reach its collector on one day, in which order.

Belongs here: sending times, labels, outages, resends, repeats, conflicting resends, clock jumps. Does not belong here: values
(`readings`), spelling (`spelling`) and damage to bytes (`damage`).

The capture of a day holds what was measured on that day: its last interval, hour and day record arrive just after midnight
and still go to its file (the collector changes files at ten past twelve). Late resends go to the file of the day they arrive.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kernels.logger import AVG, MAX, PLACES
from kernels.stackgas import DAY_MINUTES
from simulator import draws
from simulator.plan import MAX_DELAY_DAYS, DayPlan, Span, day_plan
from simulator.readings import Sheet, record_day
from simulator.spelling import BOOT, HEARTBEAT, INFO, REAL_TIME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from simulator.dirt import Dirt
    from simulator.spelling import Form, Speller
    from simulator.world import SimOutlet

    Ints = NDArray[np.int64]
    FormTable = dict[tuple[int, bool], tuple[Form, ...]]

DAY_MS = 86_400_000
_MINUTE_MS = 60_000
#: 2000-02-02 00:00, where a logger's clock starts after its battery died (days since 1970-01-01).
RESET_DAY = 10989
_AFTER = {2051: 0, 2061: 2500, 2031: 5000}

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


class PlantDay(NamedTuple):
    """What one plant sends on one day: the frames, the sheets that they refer to, and outlets that owe frames to a later day."""

    traffic: Traffic
    sheets: list[Sheet]
    owing: frozenset[str]


def plant_day(outlets: Sequence[SimOutlet], speller: Speller, seed: int, dirt: Dirt, day: int, since: int) -> PlantDay:
    """Traffic of one plant on `day`; nothing measured before the day `since` is sent late."""
    sheets: list[Sheet] = []
    pieces: list[Traffic] = []
    owing: set[str] = set()
    for outlet, forms in zip(outlets, speller.forms, strict=True):
        plan = day_plan(outlet, seed, dirt, day)
        if plan.outage is not None and plan.outage.delay:
            owing.add(outlet.outlet_id)
        sheet = record_day(outlet, seed, day, plan)
        rng = draws.generator(seed, draws.TRAFFIC, outlet.index, day)
        own = _own(sheet, len(sheets), forms, plan)
        traffic, sheet = _conflicts(own, sheet, forms, rng, dirt.conflict)
        sheets.append(sheet)
        pieces += [_repeats(traffic, rng, dirt.repeat), _others(sheet, len(sheets) - 1, forms, plan)]
        for delay in range(1, MAX_DELAY_DAYS + 1) if dirt.outage > 0 else ():
            before = day - delay
            past = day_plan(outlet, seed, dirt, before)
            if before >= since and past.outage is not None and past.outage.delay == delay:
                old = record_day(outlet, seed, before, past)
                late = _made_up(_statistics(old, len(sheets), forms), old, past, forms, day)
                rng = draws.generator(seed, draws.TRAFFIC, outlet.index, day, delay)
                late, old = _late_conflicts(late, old, forms, rng, dirt.late_conflict)
                pieces.append(late)
                sheets.append(old)
    traffic = join(pieces)
    return PlantDay(traffic.pick(np.argsort(traffic.arrival, kind="stable")), sheets, frozenset(owing))


def _piece(sheet: Sheet, index: int, form: Form, cn: int, slots: Ints, begin: Ints, length: int) -> Traffic:
    """Frames of one form for records `slots` that begin at `begin` (minutes of the day) and last `length` minutes."""
    device = sheet.outlet.device
    n = slots.size
    start = sheet.day * DAY_MS + begin * _MINUTE_MS
    end = start + length * _MINUTE_MS
    second = 0 if device.second == 0 else {2051: device.second, 2061: 1}.get(cn, 0)
    arrival = end + device.send_delay + _AFTER.get(cn, 0) + (form.part - 1) * 350
    return Traffic(
        sheet=np.full(n, index),
        row=slots,
        slot=slots,
        form=np.full(n, form.index),
        part=np.full(n, form.part),
        cn=np.full(n, cn),
        data_time=(end if device.label == "end" and length else start) + second * 1000,
        qn=arrival - 400 if device.has_qn else np.full(n, -1),
        arrival=arrival,
        what=np.full(n, GOOD),
        sole=np.ones(n, np.bool_),
    )


def _statistics(sheet: Sheet, index: int, forms: FormTable) -> Traffic:
    """Every interval, hour and day record of a sheet, sent in time."""
    interval = sheet.outlet.device.interval_min
    slots = sheet.slots
    pieces = []
    for cn, first, count, length in (
        (2051, 0, slots, interval),
        (2061, slots, 24, 60),
        (2031, slots + 24, 1, DAY_MINUTES),
    ):
        there = first + np.flatnonzero(sheet.exists[first : first + count])
        pieces += [_piece(sheet, index, form, cn, there, (there - first) * length, length) for form in forms[cn, False]]
    return join(pieces)


def _sent_minute(traffic: Traffic, sheet: Sheet) -> Ints:
    """Minute of the day at whose end each record is complete."""
    slots, interval = sheet.slots, sheet.outlet.device.interval_min
    hour = (traffic.slot - slots + 1) * 60
    return np.where(traffic.cn == 2051, (traffic.slot + 1) * interval, np.where(traffic.cn == 2061, hour, DAY_MINUTES))


def _within(minute: Ints, span: Span) -> NDArray[np.bool_]:
    return np.asarray((minute > span.first) & (minute <= span.end))


def _own(sheet: Sheet, index: int, forms: FormTable, plan: DayPlan) -> Traffic:
    """The day's own records, with clock jumps, and without what an outage keeps back for another day."""
    traffic = _statistics(sheet, index, forms)
    if plan.jump is not None:
        traffic = _jumped(traffic, sheet, plan.jump)
    if plan.outage is None:
        return traffic
    minute = _sent_minute(traffic, sheet)
    lost = _within(minute, plan.outage.span)
    again = ~lost & _overlap(traffic, minute, sheet, plan.outage.span) & (plan.outage.delay is not None)
    kept = traffic._replace(sole=traffic.sole & ~again).pick(~lost)
    if plan.outage.delay != 0:
        return kept
    return join([kept, _made_up(traffic, sheet, plan, forms, sheet.day)])


def _overlap(traffic: Traffic, minute: Ints, sheet: Sheet, span: Span) -> NDArray[np.bool_]:
    """Records sent in time that a resend covers again: the two before the outage."""
    reach = 2 * sheet.outlet.device.interval_min
    return np.asarray((traffic.cn == 2051) & (minute <= span.first) & (minute > span.first - reach))


def _made_up(traffic: Traffic, sheet: Sheet, plan: DayPlan, forms: FormTable, day: int) -> Traffic:
    """What the logger sends on `day` to make up for the outage: the records kept back and two that had arrived."""
    outage = plan.outage
    if outage is None:
        raise ValueError("no outage to make up for")
    minute = _sent_minute(traffic, sheet)
    lost, again = _within(minute, outage.span), _overlap(traffic, minute, sheet, outage.span)
    what = np.where(lost, LATE, LATE_REPEAT)[lost | again]
    late = traffic.pick(lost | again)
    order = np.lexsort((late.part, late.slot))
    late, what = late.pick(order), what[order]
    arrival = day * DAY_MS + outage.minute * _MINUTE_MS + np.arange(late.row.size) * 200
    resend = {
        form.index: again.index
        for cn in (2051, 2061, 2031)
        for form, again in zip(forms[cn, False], forms[cn, True], strict=True)
    }
    return late._replace(
        form=np.array([resend[int(f)] for f in late.form], np.int64),
        arrival=arrival,
        qn=arrival - 150 if sheet.outlet.device.has_qn else late.qn,
        what=what,
        sole=what == LATE,
    )


def _jumped(traffic: Traffic, sheet: Sheet, span: Span) -> Traffic:
    hit = _within(_sent_minute(traffic, sheet), span)
    shift = np.where(hit, RESET_DAY * DAY_MS - sheet.day * DAY_MS - span.first * _MINUTE_MS, 0)
    return traffic._replace(
        data_time=traffic.data_time + shift,
        qn=np.where(traffic.qn < 0, traffic.qn, traffic.qn + shift),
        what=np.where(hit, CLOCK_JUMP, traffic.what),
        sole=traffic.sole & ~hit,
    )


def _repeats(traffic: Traffic, rng: np.random.Generator, rate: float) -> Traffic:
    """Some frames again, byte for byte, up to ten minutes later (hj212 1.7: nearly all within the hour)."""
    u = rng.random((2, traffic.row.size))
    hit = (u[0] < rate) & (traffic.what != CLOCK_JUMP) & (traffic.what != OTHER)
    if not hit.any():
        return traffic
    again = traffic.pick(hit)
    again = again._replace(
        arrival=again.arrival + 3000 + (u[1][hit] * 600_000).astype(np.int64),
        what=np.full(again.row.size, REPEAT),
        sole=np.zeros(again.row.size, np.bool_),
    )
    return join([traffic._replace(sole=traffic.sole & ~hit), again])


def _conflicts(
    traffic: Traffic, sheet: Sheet, forms: FormTable, rng: np.random.Generator, rate: float
) -> tuple[Traffic, Sheet]:
    """Some interval records again with another value: newer, older or equal QN. The other values become rows of the sheet."""
    u = rng.random((4, traffic.row.size))
    hit = (u[0] < rate) & (traffic.cn == 2051) & (traffic.what == GOOD)
    if not hit.any():
        return traffic, sheet
    away = 20_000 + (u[2][hit] * 60_000).astype(np.int64)
    mode = u[3][hit]
    shift = np.where(mode < 0.4, away, np.where(mode < 0.7, -away, 0))
    other, sheet = _altered(traffic.pick(hit), sheet, forms, u[1][hit])
    other = other._replace(qn=np.where(other.qn < 0, other.qn, other.qn + shift), arrival=other.arrival + away)
    return join([traffic._replace(sole=traffic.sole & ~hit), other]), sheet


def _late_conflicts(
    traffic: Traffic, sheet: Sheet, forms: FormTable, rng: np.random.Generator, rate: float
) -> tuple[Traffic, Sheet]:
    """Of the records that a late resend covers again, some now have another value: one file contradicts another."""
    u = rng.random((2, traffic.row.size))
    hit = (u[0] < rate) & (traffic.what == LATE_REPEAT)
    if not hit.any():
        return traffic, sheet
    other, sheet = _altered(traffic.pick(hit), sheet, forms, u[1][hit])
    return join([traffic.pick(~hit), other]), sheet


def _altered(traffic: Traffic, sheet: Sheet, forms: FormTable, u: NDArray[np.float64]) -> tuple[Traffic, Sheet]:
    """The same records with one average of theirs a little higher, as new rows of the sheet."""
    rows = sheet.rows[traffic.row].copy()
    for i, part in enumerate(traffic.part):
        channels = forms[2051, False][int(part) - 1].channels
        at = channels[int(u[i] * len(channels))] * PLACES
        rows[i, at + AVG] += 1 + abs(int(rows[i, at + AVG])) // 14
        rows[i, at + MAX] = max(rows[i, at + MAX], rows[i, at + AVG])
    n = traffic.row.size
    traffic = traffic._replace(
        row=sheet.rows.shape[0] + np.arange(n), what=np.full(n, CONFLICT), sole=np.zeros(n, np.bool_)
    )
    return traffic, replace(sheet, rows=np.concatenate([sheet.rows, rows]))


def _others(sheet: Sheet, index: int, forms: FormTable, plan: DayPlan) -> Traffic:
    """Frames that a reader only counts: real-time values, heartbeats, device information, a boot after the logger was off."""
    quiet = [s for s in (plan.gap, plan.outage.span if plan.outage else None, plan.jump) if s is not None]
    times = {
        REAL_TIME: np.arange(15, DAY_MINUTES, 30),
        HEARTBEAT: np.arange(20, DAY_MINUTES, 60),
        INFO: np.array([8 * 60 + 30]),
        BOOT: np.array([plan.gap.end] if plan.gap and plan.gap.end < DAY_MINUTES else [], np.int64),
    }
    pieces = []
    for cn, minutes in times.items():
        silent = np.zeros(minutes.size, np.bool_)
        for span in quiet:
            silent |= (minutes >= span.first) & (minutes < span.end)
        heard = minutes[~silent]
        piece = _piece(sheet, index, forms[cn, False][0], cn, heard // sheet.outlet.device.interval_min, heard, 0)
        pieces.append(piece._replace(what=np.full(heard.size, OTHER), sole=np.zeros(heard.size, np.bool_)))
    return join(pieces)
