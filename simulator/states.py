"""When kilns and mills run.

Belongs here: stops, trips and heat-ups of kilns, daily stops of mills, as shares of full operation per minute. Does not
belong here: what a stopped stack measures (`levels`, `readings`).

A kiln's stops are drawn per block of 30 days and never cross a block, so any day can be made by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.stackgas import DAY_MINUTES
from simulator import draws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.world import SimOutlet

_BLOCK_DAYS = 30
_BLOCK = _BLOCK_DAYS * DAY_MINUTES
#: Share of operation that a stopped source still shows, so that its readings are not frozen.
_REST = 0.004


def operation(outlet: SimOutlet, seed: int, day: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(run, heat) of the source behind an outlet for each minute of `day` (days since 1970-01-01), both 0..1."""
    if outlet.line is not None and outlet.point_type in ("kiln_tail", "cooler", "coal_mill"):
        return _kiln(seed, outlet.plant.index, outlet.line.number, day)
    return _mill(seed, outlet.index, day)


def _kiln(seed: int, plant: int, line: int, day: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    block, place = divmod(day, _BLOCK_DAYS)
    rng = draws.generator(seed, draws.KILN, plant, line, block)
    run = np.ones(DAY_MINUTES)
    heat = np.zeros(DAY_MINUTES)
    now = np.arange(DAY_MINUTES) + place * DAY_MINUTES
    # One long stop in most blocks (heat-up of a day), and up to three trips with a hot restart.
    stops = [(int(rng.integers(12 * 60, 6 * 1440)), 24 * 60)] if rng.random() < 0.6 else []
    stops += [(int(rng.integers(40, 300)), 240) for _ in range(int(rng.integers(0, 4)))]
    for length, heating in stops:
        start = int(rng.integers(60, _BLOCK - length - heating))
        if start - 60 < now[-1] and now[0] < start + length + heating:
            _stop(now, start, start + length, heating, run, heat)
    return np.maximum(run, _REST), heat


def _stop(
    now: NDArray[np.int64], start: int, end: int, heating: int, run: NDArray[np.float64], heat: NDArray[np.float64]
) -> None:
    """Run down within the hour before `start`, stand until `end`, heat up for `heating` minutes."""
    falling = np.clip((start - now) / 60.0, 0.0, 1.0)
    rising = np.clip(0.15 + 0.85 * (now - end) / heating, 0.0, 1.0)
    np.minimum(run, np.where(now < start, falling, np.where(now < end, 0.0, rising)), out=run)
    np.maximum(heat, np.where((now >= end) & (now < end + heating), 1.0 - (now - end) / heating, 0.0), out=heat)


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
