"""Where bytes live: one small interface over a local folder and over an S3 bucket.

Belongs here: keys, bytes, listings, atomic replacement, copies without bytes. Does not belong here: what the bytes
mean (`readers`, `releases`), Parquet scans (polars does them itself from `url` and `scan_options`).

A key is a relative path with `/` between its parts. Parts that begin with a dot are ours (temporary files, staging)
or a file manager's: they are never data and no listing shows them.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

_TEMPORARY = ".tmp-"
#: A temporary file that nobody has touched for a day was left by a killed process.
_LEFTOVER_SECONDS = 86_400.0


class StorageError(LookupError):
    """A key that is missing, malformed or outside its storage; the message names it in full."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One listed object. `size` in bytes; `token` changes whenever the content may have changed, unless somebody set the clock of
    the file back; `touched` even then, and also when it was only linked or its rights changed. "" where a store has no such mark.
    """

    key: str
    size: int
    token: str
    touched: str = ""


# Inside the classes below, `list` is their method.
Entries: TypeAlias = list[Entry]
Names: TypeAlias = list[str]


class Storage(Protocol):
    """A tree of objects below `root`. Every method refuses keys that could leave the root (StorageError)."""

    root: str

    def url(self, key: str = "") -> str:
        """Local path or s3:// URL of `key` for tools that open files themselves; the root for ''."""
        ...

    @property
    def scan_options(self) -> dict[str, str]:
        """What polars needs beside the URL (`storage_options=`); empty locally."""
        ...

    def open(self, key: str) -> BinaryIO:
        """A seekable stream over the bytes; StorageError when missing."""
        ...

    def read(self, key: str) -> bytes:
        """All bytes; StorageError when missing."""
        ...

    def write(self, key: str, data: bytes) -> None:
        """Replace `key` in one atomic step: readers see the old bytes or the new ones."""
        ...

    def staged(self, key: str) -> AbstractContextManager[Path]:
        """A local file to write to; leaving the block cleanly makes it `key` in one atomic step, an error discards it."""
        ...

    def list(self, prefix: str = "", suffix: str = "") -> Entries:
        """Everything below the folder `prefix` whose key ends in `suffix`, sorted by key; a missing folder is empty."""
        ...

    def folders(self, prefix: str = "") -> Names:
        """Names of the folders right below the folder `prefix`, sorted; cheap however much lies inside them."""
        ...

    def exists(self, key: str) -> bool:
        """Whether `key` is an object (a folder is not)."""
        ...

    def delete(self, key: str) -> None:
        """Remove `key`; a missing one is fine."""
        ...

    def copy_from(self, other: Storage, src: str, dst: str) -> None:
        """Make `dst` the bytes of `src` in `other`: hard link, server-side copy, or bytes where neither is possible."""
        ...

    def local_path(self, key: str = "") -> Path | None:
        """Where `key` lies on this machine's disk; None on an object store."""
        ...


def open_storage(url: str) -> Storage:
    """The storage at a folder's path or at `s3://bucket/prefix`; StorageError for any other scheme."""
    if url.startswith("s3://"):
        from resources.s3 import S3Storage  # noqa: PLC0415  (a home on disk needs none of it)

        return S3Storage(url)
    scheme, found, rest = url.partition("://")
    if not found:
        return LocalStorage(url)
    if scheme == "file":
        return LocalStorage(rest)
    raise StorageError(
        f"{url}: 不支持的存储地址, 请用本地文件夹或 s3://bucket/prefix / unknown kind of storage, use a local folder or s3://bucket/prefix"
    )


def checked(key: str) -> str:
    """`key` itself if it stays below its root; else StorageError."""
    if not key or "\0" in key or any(part in {"", ".", ".."} for part in key.split("/")):
        raise StorageError(
            f"{key!r}: 键必须是不含 .. 的相对路径 / a key is a relative path without empty parts, '.' or '..'"
        )
    return key


def missing(url: str) -> StorageError:
    """The error for an object that is not there."""
    return StorageError(f"{url}: 文件不存在 / no such file")


class LocalStorage:
    """A folder on this machine. Every write lands in a temporary file of the same folder, is synced and renamed."""

    def __init__(self, root: str | Path) -> None:
        self._folder = Path(root).expanduser().absolute()
        self.root = str(self._folder)
        self._swept: set[Path] = set()

    def url(self, key: str = "") -> str:
        """Absolute path of `key`."""
        return str(self.local_path(key))

    @property
    def scan_options(self) -> dict[str, str]:
        """Nothing: polars opens local paths as they are."""
        return {}

    def local_path(self, key: str = "") -> Path:
        """Absolute path of `key`, whether it exists or not."""
        return self._folder / checked(key) if key else self._folder

    def open(self, key: str) -> BinaryIO:
        """The file, opened for reading."""
        path = self.local_path(checked(key))
        if not path.is_file():
            raise missing(str(path))
        return path.open("rb")

    def read(self, key: str) -> bytes:
        """The file's bytes."""
        with self.open(key) as stream:
            return stream.read()

    def write(self, key: str, data: bytes) -> None:
        """Temporary file, fsync, rename, fsync of the folder."""
        with self.staged(key) as path:
            path.write_bytes(data)

    @contextlib.contextmanager
    def staged(self, key: str) -> Iterator[Path]:
        """A temporary file beside `key`, synced and renamed on a clean exit."""
        final = self.local_path(checked(key))
        temporary = self._temporary(final)
        # os.open and not mkstemp: the file shall carry the rights that the user's umask gives, not 0600.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        try:
            yield temporary
            sync(temporary)
            temporary.replace(final)
        finally:
            temporary.unlink(missing_ok=True)
        sync(final.parent)

    def list(self, prefix: str = "", suffix: str = "") -> Entries:
        """Files below the folder; links to folders are followed, loops are not."""
        prefix = prefix.rstrip("/")
        start = self.local_path(prefix)
        found = [e for e in _walk(start, f"{prefix}/" if prefix else "", frozenset()) if e.key.endswith(suffix)]
        return sorted(found, key=lambda entry: entry.key)

    def folders(self, prefix: str = "") -> Names:
        """Sub-folders, or links to folders, by name."""
        folder = self.local_path(prefix.rstrip("/"))
        if not folder.is_dir():
            return []
        return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))

    def exists(self, key: str) -> bool:
        """Whether the file is there."""
        return self.local_path(checked(key)).is_file()

    def delete(self, key: str) -> None:
        """Unlink the file; its folder stays."""
        path = self.local_path(checked(key))
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()

    def copy_from(self, other: Storage, src: str, dst: str) -> None:
        """A hard link where both lie on one device. Safe, because nothing here ever writes into an existing file."""
        source = other.local_path(checked(src))
        if source is None or not self._linked(source, self.local_path(checked(dst))):
            with other.open(src) as stream, self.staged(dst) as path, path.open("wb") as out:
                shutil.copyfileobj(stream, out, 1 << 20)

    def _linked(self, source: Path, final: Path) -> bool:
        """Link `source` to `final`; False where the file systems do not allow it."""
        if not source.is_file():
            raise missing(str(source))
        temporary = self._temporary(final)
        try:
            # The file itself and not a symbolic link to it: the copy must outlive the link.
            temporary.hardlink_to(source.resolve())
        except OSError:  # another device, too many links, or a file system without any: bytes always work
            return False
        try:
            temporary.replace(final)
        finally:
            # rename() between two links of one file does nothing and leaves both (POSIX).
            temporary.unlink(missing_ok=True)
        sync(final.parent)
        return True

    def _temporary(self, final: Path) -> Path:
        """A fresh name in the folder of `final`, which exists afterwards."""
        make_folder(final.parent)
        if final.parent not in self._swept:
            self._swept.add(final.parent)
            _sweep(final.parent)
        return final.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"


def sync(path: Path) -> None:
    """Have a file's bytes, or a folder's entries, on the disk before going on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """Create `path` and what lies above it; each new entry is synced, else a crash could lose a synced file inside."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync(path.parent)


def _sweep(folder: Path) -> None:
    """Remove what killed writers left in `folder` (once per folder and process: the cost stays linear)."""
    limit = time.time() - _LEFTOVER_SECONDS
    for path in folder.glob(f"{_TEMPORARY}*"):
        with contextlib.suppress(FileNotFoundError):  # another process sweeps too
            if path.stat().st_mtime < limit:
                path.unlink()


def _walk(folder: Path, prefix: str, above: frozenset[tuple[int, int]]) -> Iterator[Entry]:
    try:
        here = folder.stat()
        entries = [e for e in os.scandir(folder) if not e.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir():
            mark = (here.st_dev, here.st_ino)
            if mark not in above:
                yield from _walk(Path(entry.path), f"{prefix}{entry.name}/", above | {mark})
        elif entry.is_file():
            with contextlib.suppress(FileNotFoundError):  # gone since the folder was read
                facts = entry.stat()
                # The inode too: a replaced file may share size and clock tick with the one before it.
                token = f"{facts.st_mtime_ns:x}-{facts.st_ino:x}-{facts.st_size:x}"
                yield Entry(f"{prefix}{entry.name}", facts.st_size, token, f"{facts.st_ctime_ns:x}")
