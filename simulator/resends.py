"""Frames that come again: made up for after an outage, repeated, or repeated with another value.

Belongs here: which frames come again, when, and what they then say. Does not belong here: when an outage is (`plan`), first
sendings (`traffic`) and damage to bytes (`damage`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kernels.logger import AVG, MAX, PLACES
from simulator.frames import (
    CLOCK_JUMP,
    CONFLICT,
    DAY_MS,
    GOOD,
    LATE,
    LATE_REPEAT,
    MINUTE_MS,
    OTHER,
    REPEAT,
    Traffic,
    join,
    sent_minute,
    within,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.frames import FormTable, Ints
    from simulator.plan import DayPlan, Span
    from simulator.readings import Sheet


def overlap(traffic: Traffic, minute: Ints, sheet: Sheet, span: Span) -> NDArray[np.bool_]:
    """Records sent in time that a resend covers again: the two before the outage."""
    reach = 2 * sheet.outlet.device.interval_min
    return np.asarray((traffic.cn == 2051) & (minute <= span.first) & (minute > span.first - reach))


def made_up(traffic: Traffic, sheet: Sheet, plan: DayPlan, forms: FormTable, day: int) -> Traffic:
    """What the logger sends on `day` to make up for the outage: the records kept back and two that had arrived."""
    outage = plan.outage
    if outage is None:
        raise ValueError("no outage to make up for")
    minute = sent_minute(traffic, sheet)
    lost, again = within(minute, outage.span), overlap(traffic, minute, sheet, outage.span)
    what = np.where(lost, LATE, LATE_REPEAT)[lost | again]
    late = traffic.pick(lost | again)
    order = np.lexsort((late.part, late.slot))
    late, what = late.pick(order), what[order]
    arrival = day * DAY_MS + outage.minute * MINUTE_MS + np.arange(late.row.size) * 200
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


def repeats(traffic: Traffic, rng: np.random.Generator, rate: float) -> Traffic:
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


def conflicts(
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


def late_conflicts(
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
