"""The registry: which plants, lines, outlets, devices and permits are in force on a day.

Belongs here: loading registry/*.csv (design 4.2) and looking rows up by day. Does not belong here: what a cell may hold
(`registry_schema`, `registry_cells`), rules between rows (`registry_check`), limits of the law (`rules`).
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from resources.problems import Problem
from resources.registry_check import check_registry
from resources.registry_read import read_sheet
from resources.registry_rows import Dated, Device, Line, Outlet, Permit, Plant, RegistryError
from resources.registry_schema import PLANTS, SHEETS
from resources.registry_warn import warn_registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from resources.registry_read import Reading
    from resources.storage import Storage

__all__ = ["Device", "Line", "Outlet", "Permit", "Plant", "Problem", "Registry", "RegistryError"]

R = TypeVar("R", bound=Dated)
K = TypeVar("K")


@dataclass(frozen=True)
class Registry:
    """Every row of the registry in file order, with look-ups by day. Built by `load` or `from_tables` only when it holds."""

    plants: tuple[Plant, ...]
    lines: tuple[Line, ...]
    outlets: tuple[Outlet, ...]
    devices: tuple[Device, ...]
    permits: tuple[Permit, ...]
    warnings: tuple[Problem, ...] = ()

    @classmethod
    def load(cls, storage: Storage, landing: Storage | None = None) -> Registry:
        """Read and check the registry folder; RegistryError lists every error of every file at once. Where `landing` holds no captures,
        plants alone lack no more than their lines.
        """
        tables = {s.file: storage.read(s.file) for s in SHEETS if storage.exists(s.file)}
        ledgers = set(tables) == {PLANTS.file} and landing is not None and not landing.list("cems")
        return cls.from_tables(tables, ledgers=ledgers)

    @classmethod
    def from_tables(cls, tables: Mapping[str, str | bytes], *, ledgers: bool = False) -> Registry:
        """Build from the content of the files by name ("plants.csv": …); RegistryError as in `load`. `ledgers`: nothing else was sent."""
        known = {s.file for s in SHEETS}
        strange = sorted(set(tables) - known)
        if strange:
            raise ValueError(f"no such registry file: {', '.join(strange)}; files are {', '.join(sorted(known))}")
        present = {s.file: read_sheet(s, _bytes(tables[s.file])) for s in SHEETS if s.file in tables}
        errors = check_registry(present, ledgers=ledgers)
        if errors:
            raise RegistryError(errors)
        plants, lines, outlets, devices, permits = (_rows(present.get(s.file)) for s in SHEETS)
        return cls(plants, lines, outlets, devices, permits, tuple(warn_registry(present)))

    def plant(self, plant_id: str, day: date) -> Plant | None:
        """The plant's row in force on `day`."""
        return _at(self._plants.get(plant_id, ()), day)

    def line(self, line_id: str, day: date) -> Line | None:
        """The line's row in force on `day`."""
        return _at(self._lines.get(line_id, ()), day)

    def outlet(self, outlet_id: str, day: date) -> Outlet | None:
        """The outlet's row in force on `day`."""
        return _at(self._outlets.get(outlet_id, ()), day)

    def device(self, mn: str, day: date) -> Device | None:
        """The device's row in force on `day`."""
        return _at(self._devices.get(mn, ()), day)

    def plants_at(self, day: date) -> list[Plant]:
        """Plants in force on `day`, sorted by id."""
        return sorted((p for p in self.plants if p.in_force(day)), key=lambda p: p.plant_id)

    def lines_at(self, day: date) -> list[Line]:
        """Lines in force on `day`, sorted by id."""
        return sorted((n for n in self.lines if n.in_force(day)), key=lambda n: n.line_id)

    def outlets_at(self, day: date) -> list[Outlet]:
        """Outlets in force on `day`, sorted by id."""
        return sorted((o for o in self.outlets if o.in_force(day)), key=lambda o: o.outlet_id)

    def devices_at(self, day: date) -> list[Device]:
        """Devices in force on `day`, sorted by MN."""
        return sorted((d for d in self.devices if d.in_force(day)), key=lambda d: d.mn)

    def permits_at(self, outlet_id: str, pollutant: str, day: date) -> list[Permit]:
        """Permit limits of one outlet and pollutant in force on `day`, sorted by standard."""
        found = [p for p in self._permits.get((outlet_id, pollutant), ()) if p.in_force(day)]
        return sorted(found, key=lambda p: p.standard)

    def version(self, first: date, last: date) -> str:
        """SHA-256 over what the rows say about [first, last] (both inclusive), whatever their order in the files.

        Dates outside the window are cut to it: closing a row next year does not change the version of this year. A night asks
        for every day and table that it looks at, so rows are hashed once and a window costs a few array operations.
        """
        content, since, until = self._periods
        begin, end = first.toordinal(), last.toordinal() + 1
        there = (since < end) & (until > begin)
        within = np.stack([np.maximum(since[there], begin), np.minimum(until[there], end)]) - begin
        return hashlib.sha256(content[there].tobytes() + within.astype("<i4").tobytes()).hexdigest()

    @cached_property
    def _periods(self) -> tuple[NDArray[np.bytes_], NDArray[np.int64], NDArray[np.int64]]:
        """Per row of every table, in an order of their own: hash of its content, first day and day after the last."""
        tables = (self.plants, self.lines, self.outlets, self.devices, self.permits)
        found = sorted((_digest(row), *_days(row)) for table in tables for row in table)
        content = np.array([f[0] for f in found], "S64")
        since, until = (np.array([f[i] for f in found], np.int64) for i in (1, 2))
        return content, since, until

    @cached_property
    def _plants(self) -> dict[str, list[Plant]]:
        return _grouped((p.plant_id, p) for p in self.plants)

    @cached_property
    def _lines(self) -> dict[str, list[Line]]:
        return _grouped((n.line_id, n) for n in self.lines)

    @cached_property
    def _outlets(self) -> dict[str, list[Outlet]]:
        return _grouped((o.outlet_id, o) for o in self.outlets)

    @cached_property
    def _devices(self) -> dict[str, list[Device]]:
        return _grouped((d.mn, d) for d in self.devices)

    @cached_property
    def _permits(self) -> dict[tuple[str, str], list[Permit]]:
        return _grouped(((p.outlet_id, p.pollutant), p) for p in self.permits)


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _rows(reading: Reading | None) -> tuple[Any, ...]:
    return () if reading is None else tuple(reading.sheet.row(**placed.cells) for placed in reading.rows)


def _grouped(pairs: Iterable[tuple[K, R]]) -> dict[K, list[R]]:
    made: defaultdict[K, list[R]] = defaultdict(list)
    for key, row in pairs:
        made[key].append(row)
    return made


def _at(rows: Iterable[R], day: date) -> R | None:
    return next((row for row in rows if row.in_force(day)), None)


def _digest(row: Dated) -> bytes:
    """Hash of what a row says, but for when."""
    cells: dict[str, Any] = {f.name: getattr(row, f.name) for f in fields(row)}  # type: ignore[arg-type]
    del cells["valid_from"], cells["valid_to"]
    text = json.dumps([type(row).__name__, cells], ensure_ascii=False, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest().encode()


def _days(row: Dated) -> tuple[int, int]:
    return row.valid_from.toordinal(), row.valid_to.toordinal() if row.valid_to else date.max.toordinal() + 1


def _plain(value: frozenset[str]) -> list[str]:
    return sorted(value)
