"""What a plan has tried, kept so that a run need not make it a second time.

Belongs here: keeping partitions that were made aside, with all that they rest on, and handing one out while all of it stands.
Does not belong here: which keys are tried (`pipelines/plan.py`) and what is made of a key (`assets/products.py`).

Kept in `tried/` of the lake, one try a key: files named by their content, the record written last. A try is taken as it is or not
at all: other code, other libraries, another contract, an input that stands differently or a file that is not what was recorded
leave the key to its maker. Losing everything in here costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from contracts import TABLES
from resources.bench import changed
from resources.lake import Lake, Part
from resources.storage import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from resources.home import Home
    from resources.lake import Partition
    from resources.storage import Storage

_FOLDER = "tried"
_LIBRARIES = ("kilnledger", "numba", "numpy", "polars", "pyarrow")
#: A plan that nobody carried out in this time is made anew rather than kept.
_KEPT_FOR = timedelta(days=7)


class Tried:
    """Tries of one lake. `spend`: a try that was taken is removed; a plan takes what an earlier one tried and leaves it there."""

    def __init__(self, storage: Storage, *, spend: bool = True) -> None:
        self._storage = storage
        self._spend = spend
        self._listed: set[str] | None = None

    def keep(self, product: str, key: str, made_by: str, made: Mapping[str, Partition], source: Storage) -> None:
        """Keep the partitions `made` of a product's key, by table, whose files lie in `source`. They share their inputs."""
        (inputs,) = {json.dumps(p.inputs, sort_keys=True) for p in made.values()}
        place = f"{_FOLDER}/{product}/{key}"
        files = {f"{place}/{part.sha256}.parquet": part.path for p in made.values() for part in p.parts}
        there = {e.key for e in self._storage.list(place)}
        for file, path in files.items():
            if file not in there:
                self._storage.copy_from(source, path, file)
        record = {
            "made_by": made_by, "made_with": _made_with(sorted(made)), "inputs": json.loads(inputs),
            "tables": {t: [asdict(part) for part in p.parts] for t, p in made.items()},
            "kept_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }  # fmt: skip
        self._storage.write(f"{place}/try.json", json.dumps(record, sort_keys=True).encode())
        for old in there - {*files, f"{place}/try.json"}:
            self._storage.delete(old)
        self._listed = None

    def take(self, home: Home, product: str, tables: Iterable[str], key: str, made_by: str) -> dict[str, str] | None:
        """Put what was tried of a key into the lake of `home`, in place of all its `tables`; its inputs, or None where nothing was
        tried or where not all of it stands.
        """
        record = self._record(product, key)
        if (
            record is None
            or record["made_by"] != made_by
            or record["made_with"] != _made_with(sorted(record["tables"]))
        ):
            return None
        inputs: dict[str, str] = record["inputs"]
        place = f"{_FOLDER}/{product}/{key}"
        made = {t: tuple(Part(**p) for p in parts) for t, parts in record["tables"].items()}
        if changed(home, inputs) or not all(self._sound(place, p) for parts in made.values() for p in parts):
            return None
        for table in tables:
            if table in made:
                sources = [(self._storage, f"{place}/{p.sha256}.parquet") for p in made[table]]
                home.lake.adopt(table, key, made[table], sources, made_by=made_by, inputs=inputs)
            elif home.lake.version(table, key):
                home.lake.drop(table, key)
        return inputs

    def spent(self, product: str, key: str) -> None:
        """What was tried of a key is in the lake now, or will never be."""
        if self._spend and f"{_FOLDER}/{product}/{key}/try.json" in self._known():
            self._drop(f"{_FOLDER}/{product}/{key}")

    def clear(self) -> None:
        """Remove what was tried long ago, and files without a record."""
        limit = (datetime.now(UTC) - _KEPT_FOR).isoformat(timespec="seconds")
        for place in {e.key.rpartition("/")[0] for e in self._storage.list(_FOLDER)}:
            record = self._read(place)
            if record is None or record["kept_at"] < limit:
                self._drop(place)

    def _drop(self, place: str) -> None:
        # The record first: what is left without one is nobody's.
        self._storage.delete(f"{place}/try.json")
        for entry in self._storage.list(place):
            self._storage.delete(entry.key)
        self._known().discard(f"{place}/try.json")

    def _known(self) -> set[str]:
        if self._listed is None:
            self._listed = {e.key for e in self._storage.list(_FOLDER, "/try.json")}
        return self._listed

    def _record(self, product: str, key: str) -> dict[str, Any] | None:
        place = f"{_FOLDER}/{product}/{key}"
        return self._read(place) if f"{place}/try.json" in self._known() else None

    def _read(self, place: str) -> dict[str, Any] | None:
        # Plans and runs go on side by side: a record may go while it is looked for.
        with contextlib.suppress(StorageError, ValueError):
            record: dict[str, Any] = json.loads(self._storage.read(f"{place}/try.json"))
            return record
        return None

    def _sound(self, place: str, part: Part) -> bool:
        try:
            with self._storage.open(f"{place}/{part.sha256}.parquet") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest() == part.sha256  # type: ignore[arg-type]
        except StorageError:
            return False


def keep_all(home: Home, lake: Lake, keys: Iterable[tuple[str, tuple[str, ...], str, str]]) -> None:
    """Keep what `lake`, over that of `home`, holds of `keys` (product, tables, key, made_by).

    Filed years are left out, for rows of theirs were carried over; and so is what was read while somebody wrote: a version that was
    noted before speaks of other bytes then. A lake that cannot be written to keeps nothing.
    """
    found = {
        (name, key): (made_by, {t: p for t in tables if (p := lake.partition(t, key))})
        for name, tables, key, made_by in keys
    }
    own = {(t, key) for (_, key), (_, made) in found.items() for t in made}
    tried, fresh = Tried(home.lake.storage), Lake(home.lake.storage)
    with contextlib.suppress(PermissionError):
        for (name, key), (made_by, made) in found.items():
            rests_on = [(i.split(":"), v) for p in made.values() for i, v in p.inputs.items()]
            as_read = all((i[1], i[2]) in own or fresh.version(i[1], i[2]) == v for i, v in rests_on if i[0] == "table")
            if made and as_read and not any(i[0] == "sealed" for i, _ in rests_on):
                tried.keep(name, key, made_by, made, lake.storage)


@cache
def _with() -> str:
    return " ".join(f"{name} {version(name)}" for name in _LIBRARIES)


def _made_with(tables: list[str]) -> str:
    """Code and libraries, and what the contracts of tables say."""
    said = [_with(), *(TABLES[t].schema().serialize().to_pybytes().hex() for t in tables)]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()
