"""What goes wrong at one outlet on one day, before any frame is printed.

Belongs here: when a logger is off, a link is down, a clock jumps, and which channel misbehaves how. Does not belong here:
carrying it out (`readings` for values, `traffic` for frames), what is declared of it (`declared_marks`) and damage to bytes
(`damage`).

A plan depends on seed, dirt, outlet and day only, so the file of a later day can look up what it still owes. Faults that last
for days are drawn per block of 30 days and never cross one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kernels.stackgas import DAY_MINUTES
from simulator import draws

if TYPE_CHECKING:
    import numpy as np

    from simulator.dirt import Dirt
    from simulator.world import SimOutlet

#: Farthest day after an outage on which its frames may still come.
MAX_DELAY_DAYS = 2

FaultKind = Literal[
    "flat", "zero", "negative", "over_range", "fault", "maintenance", "calibration", "strange_flag", "routine", "drift", "breakdown"
]  # fmt: skip
_FAULTS: tuple[tuple[FaultKind, int, int], ...] = (
    ("flat", 40, 360),
    ("zero", 20, 400),
    ("negative", 20, 120),
    ("over_range", 15, 60),
    ("fault", 10, 240),
    ("maintenance", 20, 180),
    ("calibration", 25, 26),
    ("strange_flag", 5, 40),
)


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes [first, end) of the day."""

    first: int
    end: int

    def meets(self, other: Span | None) -> bool:
        """Whether the two share a minute."""
        return other is not None and self.first < other.end and other.first < self.end


#: Kinds that last for hours to days, and how many minutes: out of control without anybody seeing it, and out of order.
_LONG: tuple[tuple[FaultKind, str, int, int], ...] = (
    ("drift", "out_of_control", 6 * 60, 60 * 60),
    ("breakdown", "breakdown", 4 * 60, 80 * 60),
)
_BLOCK_DAYS = 30


@dataclass(frozen=True, slots=True)
class Fault:
    """A channel that misbehaves; `size` 0..1 is what else the kind needs to know. `span` is of the day; a fault that lasts
    longer has the same `whole` (minutes since 1970-01-01, first and end) on each of its days.
    """

    kind: FaultKind
    channel: int
    span: Span
    size: float
    whole: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Outage:
    """Frames of `span` do not come in time: later the same day (delay 0), `delay` days later, or never (None), at `minute`."""

    span: Span
    delay: int | None
    minute: int


@dataclass(frozen=True, slots=True)
class DayPlan:
    """Everything that goes wrong at one outlet on one day."""

    gap: Span | None
    outage: Outage | None
    jump: Span | None
    faults: tuple[Fault, ...]


def day_plan(outlet: SimOutlet, seed: int, dirt: Dirt, day: int) -> DayPlan:
    """The plan of one outlet for `day` (days since 1970-01-01)."""
    rng = draws.generator(seed, draws.PLAN, outlet.index, day)
    u = rng.random(16)
    gap = _span(u[1], u[2], 8, 240) if u[0] < dirt.gap else None
    outage = _outage(u[4:10], outlet) if u[3] < dirt.outage else None
    jump = _span(u[11], u[12], 10, 120) if u[10] < dirt.clock_jump else None
    if jump is not None and (jump.meets(gap) or (outage is not None and jump.meets(outage.span))):
        jump = None
    faults = (
        *routine_check(outlet, seed, day),
        *_faults(outlet, dirt, rng, day),
        *_long_faults(outlet, seed, dirt, day),
    )
    return DayPlan(gap, outage, jump, faults)


def misbehaving(outlet: SimOutlet) -> list[int]:
    """Channels that may misbehave; those that keep the logger's arithmetic together (flow, velocity, moisture) are spared."""
    return [i for i, c in enumerate(outlet.channels) if c not in ("flow", "velocity", "humidity", "pressure")]


def analysers(outlet: SimOutlet) -> list[int]:
    """Channels that are calibrated: pollutants and oxygen."""
    return [i for i in misbehaving(outlet) if outlet.channels[i] != "temperature"]


def routine_check(outlet: SimOutlet, seed: int, day: int) -> tuple[Fault, ...]:
    """Zero and span checks by the clock (HJ 75-2017 11.2): gas analysers take turns, one a day, in ten minutes; every seventh
    day (fifteenth where only dust is measured) all of them together within the hour. Nothing is wrong with them.
    """
    u = draws.generator(seed, draws.ROUTINE, outlet.index).random(4)
    pool = analysers(outlet)
    gas = len(pool) > 1
    cycle = 7 if gas else 15
    at = 60 * (8 + int(u[0] * 9))
    if (day + int(u[1] * cycle)) % cycle == 0:
        span, channels = Span(at + 10, at + 35 + int(u[2] * 20)), pool
    elif gas:
        span, channels = Span(at, at + 10), [pool[day % len(pool)]]
    else:
        return ()
    whole = (day * DAY_MINUTES + span.first, day * DAY_MINUTES + span.end)
    return tuple(Fault("routine", c, span, 0.5, whole) for c in channels)


def last_check(outlet: SimOutlet, seed: int, minute: int) -> int:
    """Minute since 1970-01-01 at which the last check of all channels before `minute` ended."""
    day, every = minute // DAY_MINUTES, len(analysers(outlet))
    while True:
        made = routine_check(outlet, seed, day)
        if len(made) == every and made[0].whole[1] <= minute:
            return made[0].whole[1]
        day -= 1


def _span(where: float, long: float, shortest: int, longest: int) -> Span:
    length = int(shortest + (longest - shortest) * long**2)
    first = int(where * (DAY_MINUTES - length))
    return Span(first, first + length)


def _outage(u: np.ndarray, outlet: SimOutlet) -> Outage:
    """Most outages are made up for; only loggers with a later frame on the same day can still send it then."""
    span = _span(u[0], u[1], 2 * outlet.device.interval_min, 300)
    if u[2] < 0.2:
        return Outage(span, None, 0)
    if u[2] < 0.6 and span.end < DAY_MINUTES - 90:
        return Outage(span, 0, span.end + 10 + int(u[3] * 60))
    return Outage(span, 1 + int(u[4] * MAX_DELAY_DAYS), 30 + int(u[5] * 1200))


def _faults(outlet: SimOutlet, dirt: Dirt, rng: np.random.Generator, day: int) -> tuple[Fault, ...]:
    """One draw per kind."""
    candidates = misbehaving(outlet)
    flagged = {"over_range", "fault", "maintenance", "calibration", "strange_flag"}
    made: list[Fault] = []
    for kind, shortest, longest in _FAULTS:
        u = rng.random(5)
        rate: float = getattr(dirt, kind)
        if u[0] >= rate or (kind in flagged and not outlet.device.sends_flags):
            continue
        pool = analysers(outlet) if kind != "flat" else candidates
        span = _span(u[2], u[3], shortest, longest)
        whole = (day * DAY_MINUTES + span.first, day * DAY_MINUTES + span.end)
        made.append(Fault(kind, pool[int(u[1] * len(pool))], span, float(u[4]), whole))
    return tuple(made)


def _long_faults(outlet: SimOutlet, seed: int, dirt: Dirt, day: int) -> tuple[Fault, ...]:
    """What of the block's long faults falls on `day`; one draw per kind and block."""
    rng = draws.generator(seed, draws.LONG, outlet.index, day // _BLOCK_DAYS)
    made: list[Fault] = []
    midnight = day * DAY_MINUTES
    pool = analysers(outlet)
    for kind, rate, shortest, longest in _LONG:
        u = rng.random(5)
        if u[0] >= getattr(dirt, rate):
            continue
        length = int(shortest + (longest - shortest) * u[3] ** 2)
        first = day // _BLOCK_DAYS * _BLOCK_DAYS * DAY_MINUTES + int(u[2] * (_BLOCK_DAYS * DAY_MINUTES - length))
        lo, hi = max(first, midnight), min(first + length, midnight + DAY_MINUTES)
        if lo < hi:
            span = Span(lo - midnight, hi - midnight)
            made.append(Fault(kind, pool[int(u[1] * len(pool))], span, float(u[4]), (first, first + length)))
    return tuple(made)
