"""A home on which things can be tried: reads see the lake, writes go aside, and no table of the home changes.

Belongs here: the storage that keeps what is written apart, and the home over it. Does not belong here: what is tried on it
(`pipelines/plan.py`).

Makers, bench and lake run on it as they are: what a plan foretells is what a run would write, byte for byte.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO

from resources.home import Home
from resources.lake import Lake
from resources.storage import Entries, LocalStorage, Names, open_storage
from resources.tried import Tried

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from resources.settings import Settings
    from resources.storage import Storage


class Aside:
    """A Storage over `base` whose writes and deletions are kept in the local folder `folder` and in memory."""

    def __init__(self, base: Storage, folder: Path) -> None:
        self._base = base
        self._own = LocalStorage(folder)
        self._gone: set[str] = set()
        self.root = base.root

    def _of(self, key: str) -> Storage:
        """Where `key` is read from; a deleted one lies nowhere, so that the own folder tells it is missing."""
        if key in self._gone or self._own.exists(key):
            return self._own
        return self._base

    def url(self, key: str = "") -> str:
        """Where `key` lies now; the root is that of the base."""
        return self._of(key).url(key) if key else self._base.url()

    @property
    def scan_options(self) -> dict[str, str]:
        """Those of the base."""
        return self._base.scan_options

    def open(self, key: str) -> BinaryIO:
        """As `Storage.open`."""
        return self._of(key).open(key)

    def read(self, key: str) -> bytes:
        """As `Storage.read`."""
        return self._of(key).read(key)

    def write(self, key: str, data: bytes) -> None:
        """Kept aside."""
        self._own.write(key, data)
        self._gone.discard(key)

    def staged(self, key: str) -> AbstractContextManager[Path]:
        """Kept aside."""
        self._gone.discard(key)
        return self._own.staged(key)

    def list(self, prefix: str = "", suffix: str = "") -> Entries:
        """Both together; what was written aside counts."""
        found = {e.key: e for e in self._base.list(prefix, suffix) if e.key not in self._gone}
        found |= {e.key: e for e in self._own.list(prefix, suffix)}
        return [found[key] for key in sorted(found)]

    def folders(self, prefix: str = "") -> Names:
        """Both together."""
        return sorted({*self._base.folders(prefix), *self._own.folders(prefix)})

    def exists(self, key: str) -> bool:
        """As `Storage.exists`."""
        return self._of(key).exists(key)

    def delete(self, key: str) -> None:
        """Gone here; the base keeps it."""
        self._own.delete(key)
        self._gone.add(key)

    def copy_from(self, other: Storage, src: str, dst: str) -> None:
        """Kept aside, as bytes."""
        self.write(dst, other.read(src))

    def local_path(self, key: str = "") -> Path | None:
        """Where `key` lies now on this machine's disk."""
        return self._of(key).local_path(key) if key else None


class HomeAside(Home):
    """A home as it stands whose lake takes no harm. `folder` holds what is written, and may be thrown away."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        super().__init__(settings)
        self._folder = folder

    @cached_property
    def lake(self) -> Lake:
        """The lake, with what is written kept aside."""
        return Lake(Aside(open_storage(self.settings.place("lake")), self._folder), self.settings.threads)

    @cached_property
    def tried(self) -> Tried:
        """What plans before have tried; it stays for whoever carries it out."""
        return Tried(open_storage(self.settings.place("lake")), spend=False)
