"""How a release comes to lie where readers find it, so that whatever is killed when, they see all of it or nothing.

Belongs here: staging, the one step that publishes, `latest`, cleaning up, removal; on a disk and on an object store.
Does not belong here: what goes into a release (`releases`) and what its records mean (`release_records`).

On a disk a release is staged beside the others, synced and renamed; `latest` is a link that is switched by one rename.
On an object store the marker `release.json` is put after everything else and `latest.json` after that. Publishing there
expects one publisher at a time (the nightly job): S3 has no lock that a killed holder gives back.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO, Protocol

from resources.release_records import MARKER, RELEASES, Release, ReleaseError, folder, sequence
from resources.storage import LocalStorage, Storage, StorageError, make_folder, sync

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

LATEST, LATEST_JSON = "latest", "latest.json"
_STAGING, _TRASH, _NEW_LINK = ".staging-", ".trash-", ".latest-new"
#: Requests under way at once on an object store.
_REQUESTS = 16

#: Storage, key there, path in the release.
Placement = tuple[Storage, str, str]


class Tree(Protocol):
    """A release under construction. Paths are relative to its folder; nothing is visible before `publish`."""

    def link(self, placements: Iterable[Placement]) -> None:
        """Bring files in without moving bytes where that is possible."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Add a small file."""
        ...

    def staged(self, path: str) -> AbstractContextManager[Path]:
        """A local file to write to, added on a clean exit."""
        ...

    def open(self, path: str) -> BinaryIO:
        """Read back what has been brought in."""
        ...

    def publish(self, release: Release, sizes: dict[str, int]) -> None:
        """Make the release and then `latest` visible; `sizes` tells every file (bytes) that must be there."""
        ...

    def discard(self) -> None:
        """Give up before `publish`."""
        ...


def build(published: Storage, release_id: str) -> Tree:
    """An empty release in the form that `published` needs."""
    root = published.local_path()
    return _ObjectTree(published, release_id) if root is None else _DiskTree(published, root, release_id)


class _DiskTree:
    """A folder whose name no reader looks at, renamed when it is complete."""

    def __init__(self, published: Storage, root: Path, release_id: str) -> None:
        self._published, self._root = published, root
        self._final = root / folder(release_id)
        self._staging = self._final.parent / f"{_STAGING}{release_id}"
        make_folder(self._staging)
        self._storage = LocalStorage(self._staging)

    def link(self, placements: Iterable[Placement]) -> None:
        made: set[Path] = set()
        for storage, key, path in placements:
            final = self._staging / path
            if final.parent not in made:
                final.parent.mkdir(parents=True, exist_ok=True)
                made.add(final.parent)
            if not _hard_linked(storage.local_path(key), final):
                with storage.open(key) as stream, final.open("xb") as out:
                    shutil.copyfileobj(stream, out, 1 << 20)
            if storage is not self._published:
                sync(final)

    def write(self, path: str, data: bytes) -> None:
        self._storage.write(path, data)

    def staged(self, path: str) -> AbstractContextManager[Path]:
        return self._storage.staged(path)

    def open(self, path: str) -> BinaryIO:
        return self._storage.open(path)

    def publish(self, release: Release, sizes: dict[str, int]) -> None:
        self.write(MARKER, release.to_json())
        present = {e.key: e.size for e in self._storage.list()}
        _require(sizes, present, release.release_id)
        for above, _, names in os.walk(self._staging, topdown=False):
            here = self._staging / above
            for name in names:
                _read_only(here / name)
            sync(here)
        self._staging.rename(self._final)
        sync(self._final.parent)
        point(self._published, release)

    def discard(self) -> None:
        shutil.rmtree(self._staging)


def _hard_linked(source: Path | None, final: Path) -> bool:
    # No temporary name as in LocalStorage: the staging folder is invisible, and a release may hold 30,000 files.
    if source is None:
        return False
    try:
        final.hardlink_to(source.resolve() if source.is_symlink() else source)
    except OSError:  # another device or a file system without hard links: bytes always work, and name what is missing
        return False
    return True


def _read_only(path: Path) -> None:
    """Take the write rights away. Lake files share them and lose nothing: they are replaced, never written into."""
    facts = path.stat()
    if facts.st_uid == os.geteuid() and facts.st_mode & 0o222:
        path.chmod(stat.S_IMODE(facts.st_mode) & ~0o222)


class _ObjectTree:
    """Objects under their final names; they become a release when the marker is put."""

    def __init__(self, published: Storage, release_id: str) -> None:
        self._published = published
        self._folder = folder(release_id)

    def link(self, placements: Iterable[Placement]) -> None:
        def place(placement: Placement) -> None:
            storage, key, path = placement
            self._published.copy_from(storage, key, f"{self._folder}/{path}")

        with ThreadPoolExecutor(_REQUESTS) as pool:
            for _ in pool.map(place, placements):
                pass

    def write(self, path: str, data: bytes) -> None:
        self._published.write(f"{self._folder}/{path}", data)

    def staged(self, path: str) -> AbstractContextManager[Path]:
        return self._published.staged(f"{self._folder}/{path}")

    def open(self, path: str) -> BinaryIO:
        return self._published.open(f"{self._folder}/{path}")

    def publish(self, release: Release, sizes: dict[str, int]) -> None:
        present = {e.key.removeprefix(f"{self._folder}/"): e.size for e in self._published.list(self._folder)}
        _require(sizes, present, release.release_id)
        self.write(MARKER, release.to_json())
        point(self._published, release)

    def discard(self) -> None:
        _delete_below(self._published, self._folder)


def _require(sizes: dict[str, int], present: dict[str, int], release_id: str) -> None:
    lost = sorted(path for path, size in sizes.items() if present.get(path) != size)
    if lost:
        text = "文件在发布过程中丢失或改变 / files were lost or changed while publishing; is another publisher at work?"
        raise ReleaseError(f"{release_id}: {text} {', '.join(lost[:5])}")


def point(published: Storage, release: Release) -> None:
    """Make `release` the latest in one atomic step."""
    root = published.local_path()
    if root is None:
        published.write(LATEST_JSON, release.to_json())
        return
    # latest.json goes through latest, so switching the one link moves both at the same moment.
    for name, target in ((LATEST_JSON, f"{LATEST}/{MARKER}"), (LATEST, release.path)):
        link, fresh = root / name, root / _NEW_LINK
        if not link.is_symlink() or link.readlink().as_posix() != target:
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(target)
            fresh.replace(link)
            sync(root)


@contextlib.contextmanager
def exclusive(published: Storage) -> Iterator[None]:
    """One publisher at a time on a disk; the system frees the lock of a killed one."""
    root = published.local_path()
    if root is None:
        yield
        return
    make_folder(root / RELEASES)
    with (root / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def clean(published: Storage) -> None:
    """Remove what killed publishers left. Call it under `exclusive`."""
    root = published.local_path()
    if root is not None:
        for path in sorted((root / RELEASES).iterdir()):
            if path.name.startswith((_STAGING, _TRASH)):
                shutil.rmtree(path)
        return
    for name in published.folders(RELEASES):
        if sequence(name) is not None and not published.exists(f"{folder(name)}/{MARKER}"):
            _delete_below(published, folder(name))


def remove(published: Storage, release_id: str) -> None:
    """Take a release away; it stops being one before its first file goes."""
    root = published.local_path()
    if root is None:
        published.delete(f"{folder(release_id)}/{MARKER}")
        _delete_below(published, folder(release_id))
        return
    trash = root / RELEASES / f"{_TRASH}{release_id}"
    (root / folder(release_id)).rename(trash)
    sync(trash.parent)
    shutil.rmtree(trash)


def _delete_below(published: Storage, prefix: str) -> None:
    with ThreadPoolExecutor(_REQUESTS) as pool:
        for _ in pool.map(published.delete, [e.key for e in published.list(prefix)]):
            pass


def complete(published: Storage) -> list[str]:
    """Ids of all releases, oldest first: those that have their marker."""
    numbered = ((sequence(name), name) for name in published.folders(RELEASES))
    known = sorted((number, name) for number, name in numbered if number is not None)
    return [name for _, name in known if published.exists(f"{folder(name)}/{MARKER}")]


def read_release(published: Storage, release_id: str) -> Release:
    """The release called `release_id`; ReleaseError when there is none."""
    return _read(published, f"{folder(release_id)}/{MARKER}")


def latest(published: Storage) -> Release | None:
    """The release that readers are pointed to; None before the first."""
    return _read(published, LATEST_JSON) if published.exists(LATEST_JSON) else None


def _read(published: Storage, key: str) -> Release:
    try:
        data = published.read(key)
    except StorageError as error:
        raise ReleaseError(f"{published.url(key)}: 没有这个发布 / no such release") from error
    return Release.from_json(data, published.url(key))
