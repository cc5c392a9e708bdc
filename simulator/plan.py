"""What goes wrong at one outlet on one day, before any frame is printed.

Belongs here: when a logger is off, a link is down, a clock jumps, and which channel misbehaves how. Does not belong here:
carrying it out (`readings` for values, `traffic` for frames) and damage to bytes (`damage`).

A plan depends on seed, dirt, outlet and day only, so the file of a later day can look up what it still owes.
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

FaultKind = Literal["flat", "zero", "negative", "over_range", "fault", "maintenance", "calibration", "strange_flag"]
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


@dataclass(frozen=True, slots=True)
class Fault:
    """A channel that misbehaves; `size` 0..1 is what else the kind needs to know."""

    kind: FaultKind
    channel: int
    span: Span
    size: float


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
    return DayPlan(gap, outage, jump, _faults(outlet, dirt, rng))


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


def _faults(outlet: SimOutlet, dirt: Dirt, rng: np.random.Generator) -> tuple[Fault, ...]:
    """One draw per kind; channels that keep the logger's arithmetic together (flow, velocity, moisture) are spared."""
    candidates = [i for i, c in enumerate(outlet.channels) if c not in ("flow", "velocity", "humidity", "pressure")]
    flagged = {"over_range", "fault", "maintenance", "calibration", "strange_flag"}
    made: list[Fault] = []
    for kind, shortest, longest in _FAULTS:
        u = rng.random(5)
        rate: float = getattr(dirt, kind)
        if u[0] >= rate or (kind in flagged and not outlet.device.sends_flags):
            continue
        pool = [i for i in candidates if outlet.channels[i] != "temperature"] if kind != "flat" else candidates
        made.append(Fault(kind, pool[int(u[1] * len(pool))], _span(u[2], u[3], shortest, longest), float(u[4])))
    return tuple(made)
