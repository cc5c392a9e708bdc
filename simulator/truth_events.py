"""What really happened to kilns and devices, beside what is declared of it: truth/states/ and truth/marks/, a file per day.

Belongs here: the two tables. Does not belong here: the declarations (`declared_states`, `declared_marks`) and the tables of what
captures hold (`truth`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from kernels.stackgas import DAY_MINUTES
from simulator import declared_marks, declared_states
from simulator.declared import moment
from simulator.states import BLOCK_DAYS, kiln_stretches

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import date
    from pathlib import Path

    from simulator.dirt import Dirt
    from simulator.world import World

_TIME = pa.timestamp("ms")
_EPOCH_DAY = 719163

SCHEMAS: dict[str, pa.Schema] = {
    "states": pa.schema([
        ("line_id", pa.string()), ("state", pa.string()), ("begin", _TIME), ("end", _TIME), ("event_id", pa.string()),
    ]),
    "marks": pa.schema([
        ("outlet_id", pa.string()), ("channel", pa.string()), ("mark", pa.string()), ("what", pa.string()), ("begin", _TIME),
        ("end", _TIME), ("event_id", pa.string()),
    ]),
}  # fmt: skip


def write_event_truth(folder: Path, day: date, world: World, seed: int, dirt: Dirt, wanted: Collection[str]) -> None:
    """The tables among `wanted` for one day; periods are clipped to it. event_id: the declaration, null where nobody makes one."""
    number = day.toordinal() - _EPOCH_DAY
    for kind, rows in (("states", _states), ("marks", _marks)):
        if kind in wanted:
            (folder / kind).mkdir(parents=True, exist_ok=True)
            table = pa.Table.from_pylist(list(rows(world, seed, dirt, number)), schema=SCHEMAS[kind])
            pq.write_table(table, folder / kind / f"{day.isoformat()}.parquet")


def _states(world: World, seed: int, dirt: Dirt, day: int) -> Iterator[dict[str, object]]:
    plants = {p.plant_id: p for p in world.plants}
    for line in world.lines:
        plant = plants[line.plant_id]
        told = [
            event for event, rows in declared_states.line_events(plant, line, seed, dirt, day // BLOCK_DAYS)
            if rows and event.true and event.what != "running"
        ]  # fmt: skip
        for state, begin, end in kiln_stretches(seed, plant.index, line.number, day):
            event = next((e for e in told if e.what == state and e.begin <= begin and end <= e.end), None)
            yield {"line_id": line.line_id, "state": state, **_period(begin, end), "event_id": event and event.event_id}


def _marks(world: World, seed: int, dirt: Dirt, day: int) -> Iterator[dict[str, object]]:
    lo, hi = day * DAY_MINUTES, (day + 1) * DAY_MINUTES
    for outlet in world.outlets:
        for event, kind in declared_marks.day_faults(outlet, seed, dirt, day):
            told = declared_marks.declaration(outlet, seed, dirt, event)
            yield {
                "outlet_id": outlet.outlet_id, "channel": event.channel, "mark": event.what, "what": kind,
                **_period(max(event.begin, lo), min(event.end, hi)), "event_id": event.event_id if told else None,
            }  # fmt: skip


def _period(begin: int, end: int) -> dict[str, object]:
    return {"begin": moment(begin), "end": moment(end)}
