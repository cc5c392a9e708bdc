"""When kilns and mills run.

Belongs here: stops, trips, bankings and heat-ups of kilns, daily stops of mills, and what share of full operation each minute
has. Does not belong here: what a stopped stack measures (`levels`, `readings`) and what is declared of it (`declared_states`).

A kiln's stops are drawn per block of 30 days, never cross a block and never overlap, so any day can be made by itself.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kernels.stackgas import DAY_MINUTES
from simulator import draws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.world import SimOutlet

BLOCK_DAYS = 30
_BLOCK = BLOCK_DAYS * DAY_MINUTES
#: Share of operation that a stopped source still shows, so that its readings are not frozen; a banked kiln keeps its fire.
_REST, _BANKED = 0.004, 0.05
#: Running down, a kiln burns as badly as this far into a heat-up.
_UNSTEADY = 0.5
#: Shortest and longest run-down, stand and heat-up in minutes; the last kinds give way where there is no room.
_LONG_STOP = ((40, 600), (12 * 60, 6 * 1440), (14 * 60, 44 * 60))
_TRIP = ((10, 90), (40, 300), (120, 600))
_BANKING = ((20, 120), (4 * 60, 20 * 60), (90, 420))
#: A kiln runs at least so long between two stops.
_BETWEEN = 180


class Stop(NamedTuple):
    """One interruption of a kiln, in minutes since 1970-01-01 of the local clock: feed falls from `falls`, it stands (or is
    banked) from `stands`, fire is on from `fires`, and it runs fully again from `warm`. `cold`: the start is a cold one.
    """

    falls: int
    stands: int
    fires: int
    warm: int
    cold: bool
    banked: bool


class Stretch(NamedTuple):
    """A process state over minutes [begin, end) since 1970-01-01."""

    state: str
    begin: int
    end: int


def operation(outlet: SimOutlet, seed: int, day: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(run, heat) of the source behind an outlet for each minute of `day` (days since 1970-01-01), both 0..1."""
    if outlet.line is not None and outlet.point_type in ("kiln_tail", "cooler", "coal_mill"):
        return _kiln(seed, outlet.plant.index, outlet.line.number, day)
    return _mill(seed, outlet.index, day)


@lru_cache(maxsize=4096)
def kiln_stops(seed: int, plant: int, line: int, block: int) -> tuple[Stop, ...]:
    """Stops of one kiln in the 30 days from day 30 x `block`, in order: one long stop in most blocks (run-down of hours, cold
    start of a day or more), up to three trips with a hot restart, now and then a banking.
    """
    rng = draws.generator(seed, draws.KILN, plant, line, block)
    kinds = [_LONG_STOP] if rng.random() < 0.6 else []
    kinds += [_BANKING] if rng.random() < 0.25 else []
    kinds += [_TRIP] * int(rng.integers(0, 4))
    made: list[Stop] = []
    for kind in kinds:
        falling, standing, heating = (int(rng.integers(lo, hi)) for lo, hi in kind)
        long = falling + standing + heating
        falls = block * _BLOCK + int(rng.integers(0, _BLOCK - long))
        if all(falls + long + _BETWEEN <= s.falls or falls >= s.warm + _BETWEEN for s in made):
            stands = falls + falling
            made.append(Stop(falls, stands, stands + standing, falls + long, kind is _LONG_STOP, kind is _BANKING))
    return tuple(sorted(made))


def kiln_stretches(seed: int, plant: int, line: int, day: int) -> list[Stretch]:
    """The states of one kiln that together cover `day`, clipped to it."""
    lo, hi = day * DAY_MINUTES, (day + 1) * DAY_MINUTES
    made = [s for stop in kiln_stops(seed, plant, line, day // BLOCK_DAYS) for s in stretches(stop)]
    found, now = [], lo
    for state, begin, end in made:
        if begin < hi and end > lo:
            if begin > now:
                found.append(Stretch("running", now, begin))
            found.append(Stretch(state, max(begin, lo), min(end, hi)))
            now = min(end, hi)
    return [*found, Stretch("running", now, hi)] if now < hi else found


def stretches(stop: Stop) -> tuple[Stretch, Stretch, Stretch]:
    """The three states of a stop: run-down, stand, heat-up."""
    return (
        Stretch("shutdown", stop.falls, stop.stands),
        Stretch("banked" if stop.banked else "stopped", stop.stands, stop.fires),
        Stretch("cold_start" if stop.cold else "hot_start", stop.fires, stop.warm),
    )


def _kiln(seed: int, plant: int, line: int, day: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    run = np.ones(DAY_MINUTES)
    heat = np.zeros(DAY_MINUTES)
    now = np.arange(DAY_MINUTES) + day * DAY_MINUTES
    for stop in kiln_stops(seed, plant, line, day // BLOCK_DAYS):
        if stop.falls < now[-1] and now[0] < stop.warm:
            _stop(now, stop, run, heat)
    return np.maximum(run, _REST), heat


def _stop(now: NDArray[np.int64], stop: Stop, run: NDArray[np.float64], heat: NDArray[np.float64]) -> None:
    """Run down until `stands`, stand until `fires`, heat up until `warm`."""
    falling = np.clip((stop.stands - now) / (stop.stands - stop.falls), 0.0, 1.0)
    along = (now - stop.fires) / (stop.warm - stop.fires)
    rising = np.clip(0.15 + 0.85 * along, 0.0, 1.0)
    rest = _BANKED if stop.banked else 0.0
    np.minimum(
        run, np.where(now < stop.stands, np.maximum(falling, rest), np.where(now < stop.fires, rest, rising)), out=run
    )
    unsteady = np.where(now < stop.falls, 0.0, np.where(now < stop.stands, _UNSTEADY * (1.0 - falling), 0.0))
    np.maximum(heat, np.where((now >= stop.fires) & (now < stop.warm), 1.0 - along, unsteady), out=heat)


def _mill(seed: int, outlet: int, day: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A mill stands for some hours of most days, when electricity is dear."""
    rng = draws.generator(seed, draws.MILL, outlet, day)
    now = np.arange(DAY_MINUTES)
    run = np.ones(DAY_MINUTES)
    if rng.random() < 0.7:
        start = int(rng.integers(7 * 60, 12 * 60))
        end = start + int(rng.integers(90, 420))
        run = np.where(now < start, np.clip((start - now) / 10.0, 0.0, 1.0), np.clip((now - end) / 15.0, 0.0, 1.0))
    return np.maximum(run, _REST), np.zeros(DAY_MINUTES)
