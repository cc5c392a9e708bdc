"""One writer at a time: a lock on the lake of a home, taken by whatever brings tables up to date.

Belongs here: the lock. Does not belong here: the lock of publishers (`resources/releases.py`), and what is done under it.

The system frees the lock of a process that dies, so no stale one ever has to be removed. An object store offers none: there
the schedule has to see to it that nights do not overlap.
"""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from resources.storage import open_storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from resources.settings import Settings

LOCK = ".lock"
#: Locks of this process: the steps of a run stand under the lock that the run took.
_held: set[Path] = set()


@contextmanager
def alone(settings: Settings, say: Callable[[str], None]) -> Iterator[None]:
    """Wait until nobody else writes to the lake, saying so if somebody does; nested use in one process is free."""
    folder = open_storage(settings.place("lake")).local_path()
    if folder is None or folder.resolve() in _held:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    here = folder.resolve()
    with (folder / LOCK).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"等待另一运行结束 another run is at work on {folder}: waiting for it to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        _held.add(here)
        try:
            yield
        finally:
            _held.discard(here)
