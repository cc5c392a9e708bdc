"""landing/events of a simulated zone: one file of states and one of marks per plant (or for all) and month.

Belongs here: which rows stand in which file, and writing them. Does not belong here: the rows (`declared_states`,
`declared_marks`).

A row stands in the file of the month in which it was handed in, once the zone has captures of that day: the file of the running
month grows with the days. What holds on the first day of a zone was handed in on it at the latest.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING

from kernels.stackgas import DAY_MINUTES
from simulator import declared_marks, declared_states
from simulator.states import BLOCK_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator.declared import Row
    from simulator.dirt import Dirt
    from simulator.world import SimOutlet, SimPlant, World

_EPOCH = date(1970, 1, 1)
_TABLES = {
    "process_states": (declared_states.COLUMNS, declared_states.cells),
    "device_marks": (declared_marks.COLUMNS, declared_marks.cells),
}


def write_events(landing: Path, world: World, seed: int, dirt: Dirt, since: int, *, apart: bool) -> int:
    """Write the files of every month of which `landing`/cems has a day; `since`: first day of the zone (days since 1970-01-01).
    `apart`: a file per plant, else one for all. Returns the number of rows.
    """
    days = {(date.fromisoformat(p.name) - _EPOCH).days for p in (landing / "cems").iterdir() if p.is_dir()}
    days = {d for d in days if d >= since}
    files: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for plant, outlets in world.by_plant():
        for table, row in _rows(plant, outlets, world, seed, dirt, since, max(days)):
            entered = max(row.entered // DAY_MINUTES, since)
            if entered in days:
                month = (_EPOCH + timedelta(days=entered)).isoformat()[:7]
                files[month, table, plant.plant_id if apart else "all"].append(row)
    for (month, table, name), rows in files.items():
        _write(landing / "events" / month / f"{table}-{name}.csv", table, rows)
    return sum(map(len, files.values()))


def _rows(
    plant: SimPlant, outlets: tuple[SimOutlet, ...], world: World, seed: int, dirt: Dirt, since: int, last: int
) -> Iterator[tuple[str, Row]]:
    """Every row of one plant about what still held on `since` or came after it."""
    begin = since * DAY_MINUTES
    for line in world.lines:
        if line.plant_id != plant.plant_id:
            continue
        for block in range(since // BLOCK_DAYS, last // BLOCK_DAYS + 1):
            for event, rows in declared_states.line_events(plant, line, seed, dirt, block):
                if event.end > begin:
                    yield from (("process_states", row) for row in rows)
    for outlet in outlets:
        for day in range(since, last + 1):
            for _, rows in declared_marks.outlet_events(outlet, seed, dirt, day, first=day == since):
                yield from (("device_marks", row) for row in rows)


def _write(path: Path, table: str, rows: list[Row]) -> None:
    columns, cells = _TABLES[table]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(cells(row) for row in sorted(rows, key=lambda r: (r.entered, r.event_id)))
    part.replace(path)
