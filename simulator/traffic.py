"""Which frames of a plant reach its collector on one day, in which order.

Belongs here: sending times, labels, outages, resends, repeats, conflicting resends, clock jumps. Does not belong here: values
(`readings`), spelling (`spelling`) and damage to bytes (`damage`).

The capture of a day holds what was measured on that day: its last interval, hour and day record arrive just after midnight
and still go to its file (the collector changes files at ten past twelve). Late resends go to the file of the day they arrive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kernels.stackgas import DAY_MINUTES
from simulator import draws
from simulator.frames import CLOCK_JUMP, DAY_MS, GOOD, MINUTE_MS, OTHER, Traffic, join, sent_minute, within
from simulator.plan import MAX_DELAY_DAYS, day_plan
from simulator.readings import record_day
from simulator.resends import conflicts, late_conflicts, made_up, overlap, repeats
from simulator.spelling import BOOT, HEARTBEAT, INFO, REAL_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulator.dirt import Dirt
    from simulator.frames import FormTable, Ints
    from simulator.plan import DayPlan, Span
    from simulator.readings import Sheet
    from simulator.spelling import Form, Speller
    from simulator.world import SimOutlet

#: 2000-02-02 00:00, where a logger's clock starts after its battery died (days since 1970-01-01).
RESET_DAY = 10989
#: A record arrives at most this long after its end.
_PATIENCE_MS = 30_000
_AFTER = {2051: 0, 2061: 2500, 2031: 5000}


class PlantDay(NamedTuple):
    """What one plant sends on one day: the frames, the sheets that they refer to, and outlets that owe frames to a later day."""

    traffic: Traffic
    sheets: list[Sheet]
    owing: frozenset[str]


class Setting(NamedTuple):
    """What holds for a whole landing zone: seed, rates, its first day (nothing measured before it comes late; days since
    1970-01-01), and how many hours of each day the collector listens.
    """

    seed: int
    dirt: Dirt
    since: int
    hours: int


def plant_day(outlets: Sequence[SimOutlet], speller: Speller, setting: Setting, day: int) -> PlantDay:
    """Traffic of one plant on `day` (days since 1970-01-01)."""
    sheets: list[Sheet] = []
    pieces: list[Traffic] = []
    owing: set[str] = set()
    for outlet, forms in zip(outlets, speller.forms, strict=True):
        plan = day_plan(outlet, setting.seed, setting.dirt, day)
        if plan.outage is not None and plan.outage.delay:
            owing.add(outlet.outlet_id)
        for traffic, sheet in _outlet_day(outlet, forms, setting, day, plan, len(sheets)):
            pieces.append(traffic)
            sheets.append(sheet)
    every = join(pieces)
    if setting.hours < 24:
        every = every.pick(every.arrival < day * DAY_MS + setting.hours * 60 * MINUTE_MS + _PATIENCE_MS)
    return PlantDay(every.pick(np.argsort(every.arrival, kind="stable")), sheets, frozenset(owing))


def _outlet_day(
    outlet: SimOutlet, forms: FormTable, setting: Setting, day: int, plan: DayPlan, index: int
) -> Iterator[tuple[Traffic, Sheet]]:  # fmt: skip
    """What one outlet sends on `day`: its own records, then those of earlier days that come late, each with its sheet."""
    seed, dirt = setting.seed, setting.dirt
    sheet = record_day(outlet, seed, day, plan)
    rng = draws.generator(seed, draws.TRAFFIC, outlet.index, day)
    traffic, sheet = conflicts(_own(sheet, index, forms, plan), sheet, forms, rng, dirt.conflict)
    yield join([repeats(traffic, rng, dirt.repeat), _others(sheet, index, forms, plan)]), sheet
    for delay in range(1, MAX_DELAY_DAYS + 1) if dirt.outage > 0 else ():
        past = day_plan(outlet, seed, dirt, day - delay)
        if day - delay >= setting.since and past.outage is not None and past.outage.delay == delay:
            index += 1
            old = record_day(outlet, seed, day - delay, past)
            late = made_up(_statistics(old, index, forms), old, past, forms, day)
            rng = draws.generator(seed, draws.TRAFFIC, outlet.index, day, delay)
            yield late_conflicts(late, old, forms, rng, dirt.late_conflict)


def _piece(sheet: Sheet, index: int, form: Form, cn: int, slots: Ints, begin: Ints, length: int) -> Traffic:
    """Frames of one form for records `slots` that begin at `begin` (minutes of the day) and last `length` minutes."""
    device = sheet.outlet.device
    n = slots.size
    start = sheet.day * DAY_MS + begin * MINUTE_MS
    end = start + length * MINUTE_MS
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


def _own(sheet: Sheet, index: int, forms: FormTable, plan: DayPlan) -> Traffic:
    """The day's own records, with clock jumps, and without what an outage keeps back for another day."""
    traffic = _statistics(sheet, index, forms)
    if plan.jump is not None:
        traffic = _jumped(traffic, sheet, plan.jump)
    if plan.outage is None:
        return traffic
    minute = sent_minute(traffic, sheet)
    lost = within(minute, plan.outage.span)
    again = ~lost & overlap(traffic, minute, sheet, plan.outage.span) & (plan.outage.delay is not None)
    kept = traffic._replace(sole=traffic.sole & ~again).pick(~lost)
    if plan.outage.delay != 0:
        return kept
    return join([kept, made_up(traffic, sheet, plan, forms, sheet.day)])


def _jumped(traffic: Traffic, sheet: Sheet, span: Span) -> Traffic:
    hit = within(sent_minute(traffic, sheet), span)
    shift = np.where(hit, RESET_DAY * DAY_MS - sheet.day * DAY_MS - span.first * MINUTE_MS, 0)
    return traffic._replace(
        data_time=traffic.data_time + shift,
        qn=np.where(traffic.qn < 0, traffic.qn, traffic.qn + shift),
        what=np.where(hit, CLOCK_JUMP, traffic.what),
        sole=traffic.sole & ~hit,
    )


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
