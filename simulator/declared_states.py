"""Process states of the simulated kilns as their plants declare them.

Belongs here: which events a line has, true ones and false ones. Does not belong here: when its kiln really stops (`states`)
and how an event is handed in (`declared`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernels.stackgas import DAY_MINUTES
from simulator import draws
from simulator.declared import DRAWS, Event, Row, declare, name_of
from simulator.states import BLOCK_DAYS, kiln_stops, stretches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.dirt import Dirt
    from simulator.world import SimLine, SimPlant

COLUMNS = ("event_id", "line_id", "state", "start", "end", "declared_at", "evidence")
_FALSE_STATES = ("cold_start", "hot_start", "shutdown", "stopped")


def line_events(plant: SimPlant, line: SimLine, seed: int, dirt: Dirt, block: int) -> Iterator[tuple[Event, list[Row]]]:
    """Events of one line that begin in the 30 days from day 30 x `block`, each with the rows handed in for it."""
    unknown = (f"{line.plant_id}-K{line.number}", f"{line.number}号窑", "=待核实", "=idle")
    for number, event in enumerate(_events(plant, line, seed, block)):
        u = draws.generator(seed, draws.STATES, plant.index, line.number, block, number).random(DRAWS)
        yield event, declare(event, dirt, u, unknown)
    false = _false_event(plant, line, seed, dirt, block)
    if false is not None:
        u = draws.generator(seed, draws.STATES, plant.index, line.number, block, 10**6).random(DRAWS)
        yield false, declare(false, dirt, u, unknown)


def _events(plant: SimPlant, line: SimLine, seed: int, block: int) -> Iterator[Event]:
    """Run-down, stand and heat-up of each stop, then running until midnight or the next stop."""
    stops = kiln_stops(seed, plant.index, line.number, block)
    for stop, after in zip(stops, (*stops, None)[1:], strict=True):
        for state, begin, end in stretches(stop):
            yield Event(name_of(line.line_id, begin, state), line.line_id, state, begin, end)
        midnight = (stop.warm // DAY_MINUTES + 1) * DAY_MINUTES
        end = midnight if after is None else min(midnight, after.falls)
        yield Event(name_of(line.line_id, stop.warm, "running"), line.line_id, "running", stop.warm, end)


def _false_event(plant: SimPlant, line: SimLine, seed: int, dirt: Dirt, block: int) -> Event | None:
    """A state of which nothing is true, somewhere in the block: mostly while the kiln runs."""
    u = draws.generator(seed, draws.STATES, plant.index, line.number, block).random(4)
    if u[0] >= dirt.false_event:
        return None
    begin = block * BLOCK_DAYS * DAY_MINUTES + int(u[1] * (BLOCK_DAYS - 1) * DAY_MINUTES)
    state = _FALSE_STATES[int(u[2] * len(_FALSE_STATES))]
    return Event(
        name_of(line.line_id, begin, state), line.line_id, state, begin, begin + 60 + int(u[3] * 540), true=False
    )


def cells(row: Row) -> tuple[str, ...]:
    """A row in the order of COLUMNS."""
    return row.event_id, row.place, row.what, row.start, row.end, row.declared_at, row.evidence
