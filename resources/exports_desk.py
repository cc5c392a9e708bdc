"""The desk of exports: what the intake asks about them beside the files themselves.

Belongs here: map files, what the reading of an export rests on, readers for single files. Does not belong here: which files have arrived
and what is kept of them (`intake`), reading (`exports`).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from resources.exports import EXPORTS_VERSION, ExportReader, kind_of
from resources.exports_map import is_map, map_keys
from resources.exports_words import load_words, norm
from resources.hj212_reader import day_ms

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from resources.hj212_reader import Devices
    from resources.storage import Entry, Storage


class ExportDesk:
    """Exports of one landing zone. `reading`: what the reading of any file rests on."""

    def __init__(self, landing: Storage, devices: Devices, window: tuple[date, date], reading: list[str]) -> None:
        self._landing = landing
        self._devices = devices
        self._window = (day_ms(window[0]), day_ms(window[1]))
        self._reading = reading
        self._maps: dict[str, bytes] | None = None
        self._bases: dict[tuple[tuple[str, ...], ...], str] = {}
        self._by_name: dict[str, str] = {}
        for d in sorted(devices.rows, key=lambda d: (d.mn, d.valid_from)):
            about = f"{d.mn}|{d.outlet_id}|{d.valid_from}|{d.valid_to}|{d.interval_min}|{d.label}|{d.pressure_unit}|{d.pressure_basis}"
            for name in {norm(d.mn), norm(d.outlet_id)}:
                self._by_name[name] = self._by_name.get(name, "") + f"{about}|{d.flow_unit}|{d.flow_basis}\n"

    @property
    def maps(self) -> dict[str, bytes]:
        """Map files by key."""
        if self._maps is None:
            self.without_maps(self._landing.list("cems", ".toml"))
        return self._maps or {}

    def without_maps(self, entries: list[Entry]) -> list[Entry]:
        """The files of a listing that are data; the map files among them are read anew."""
        self._bases.clear()
        self._maps = {e.key: self._landing.read(e.key) for e in entries if is_map(e.key)}
        return [e for e in entries if e.key not in self._maps]

    def basis(self, path: str, names: Iterable[str] | None) -> str:
        """Hash of all that decides how an export is read: words, map files, and the devices it names (None: any device)."""
        asked = tuple(sorted(self._by_name if names is None else {norm(n) for n in names}))
        used = tuple(k for k in map_keys(path) if k in self.maps)
        if (used, asked) not in self._bases:
            # Asked of every arrival at every look, and the exports of one plant name the same few devices.
            facts = [EXPORTS_VERSION, load_words().digest, *self._reading, *(f"{k}={self.maps[k].hex()}" for k in used)]
            facts += [f"{name}={self._by_name.get(name, '')}" for name in asked]
            whole = "\n".join(facts).encode(errors="surrogateescape")
            self._bases[used, asked] = hashlib.sha256(whole).hexdigest()[:16]
        return self._bases[used, asked]

    def kind_of(self, key: str) -> str:
        """csv, excel or parquet for an export, "" for anything else."""
        return kind_of(self._landing, key, self.maps)

    def reader(self, key: str, kind: str) -> ExportReader:
        """A reader of one file."""
        return ExportReader(self._landing, key, kind, self._devices, self._window, self.maps)
