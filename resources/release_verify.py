"""Proof that a release is what it was: every file, every hash, the id, and the chain through its neighbours.

Belongs here: reading a release back with nothing trusted but its bytes. Does not belong here: whether its figures are
right (checks of the assets) and what differs between two releases (`release_changes`).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from resources.release_records import (
    MANIFEST,
    MARKER,
    Manifest,
    Release,
    ReleaseError,
    content_sha256,
    folder,
    make_id,
    sequence,
)
from resources.release_tree import LATEST_JSON, complete
from resources.storage import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resources.release_records import FileRecord
    from resources.storage import Storage

_BLOCK = 1 << 20


def sha256_of(stream: BinaryIO) -> tuple[str, int]:
    """SHA-256 and size of what is left in `stream`, in constant memory."""
    digest, size = hashlib.sha256(), 0
    while block := stream.read(_BLOCK):
        digest.update(block)
        size += len(block)
    return digest.hexdigest(), size


def rows_of(stream: BinaryIO) -> int:
    """Rows by the footer of a Parquet file; ValueError when it is none."""
    try:
        return int(pq.read_metadata(stream).num_rows)
    except (pa.ArrowException, OSError) as error:
        if getattr(error, "errno", None) is not None:
            raise
        # Arrow reports a footer it cannot decode as an OSError that no system call caused.
        raise ValueError(f"not a Parquet file: {error}") from error


def read_manifest(published: Storage, release_id: str) -> Manifest:
    """The manifest of a release; ReleaseError when it is missing or unreadable."""
    key = f"{folder(release_id)}/{MANIFEST}"
    try:
        return Manifest.from_json(published.read(key), published.url(key))
    except StorageError as error:
        raise ReleaseError(f"{published.url(key)}: 没有这个发布 / no such release") from error


def verify_release(published: Storage, release_id: str) -> list[str]:
    """Everything about the release that does not hold, one sentence each; empty when it is intact.

    ReleaseError when `release_id` is no release id. Reads every byte of the release once.
    """
    below = folder(release_id)
    try:
        data = published.read(f"{below}/{MANIFEST}")
        manifest = Manifest.from_json(data, f"{below}/{MANIFEST}")
    except (StorageError, ReleaseError) as error:
        return [str(error)]
    digest = hashlib.sha256(data).hexdigest()
    problems = [*_identity(manifest, release_id), *_marker(published, manifest, digest), *_extra(published, manifest)]
    for record in manifest.files:
        problems.extend(_file(published, below, record))
    return [*problems, *_chain(published, manifest, digest)]


def _identity(manifest: Manifest, release_id: str) -> Iterator[str]:
    content = content_sha256(manifest.facts, manifest.files)
    if manifest.release_id != release_id:
        yield f"{MANIFEST}: 发布编号不符 / names the release {manifest.release_id}"
    if content != manifest.content_sha256 or make_id(sequence(release_id) or 0, content) != release_id:
        yield f"{MANIFEST}: 内容摘要与编号不符 / its facts and files do not give the id {release_id}"


def _marker(published: Storage, manifest: Manifest, digest: str) -> Iterator[str]:
    wanted = Release.of(manifest, digest).to_json()
    key = f"{folder(manifest.release_id)}/{MARKER}"
    if not published.exists(key) or published.read(key) != wanted:
        yield f"{MARKER}: 与清单不符 / is missing or does not fit the manifest"
    if published.exists(LATEST_JSON):
        told = published.read(LATEST_JSON)
        if told != wanted and Release.from_json(told, LATEST_JSON).release_id == manifest.release_id:
            yield f"{LATEST_JSON}: 与清单不符 / does not fit the manifest"


def _names(published: Storage, below: str) -> list[str]:
    """Every file below a folder; on a disk also those that a listing hides."""
    root = published.local_path(below)
    if root is None:
        return [e.key.removeprefix(f"{below}/") for e in published.list(below)]
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_symlink() or not p.is_dir())


def _extra(published: Storage, manifest: Manifest) -> Iterator[str]:
    known = {MANIFEST, MARKER, *(f.path for f in manifest.files)}
    for name in _names(published, folder(manifest.release_id)):
        if name not in known:
            yield f"{name}: 清单之外的文件 / is not in the manifest"


def _file(published: Storage, below: str, record: FileRecord) -> Iterator[str]:
    key = f"{below}/{record.path}"
    try:
        with published.open(key) as stream:
            digest, size = sha256_of(stream)
            if size != record.bytes:
                yield f"{record.path}: 大小不符 / has {size} bytes, the manifest says {record.bytes}"
            if digest != record.sha256:
                yield f"{record.path}: 内容摘要不符 / SHA-256 is {digest}, the manifest says {record.sha256}"
            elif record.rows is not None:
                stream.seek(0)
                yield from _rows(stream, record)
    except StorageError:
        yield f"{record.path}: 文件缺失 / is missing"


def _rows(stream: BinaryIO, record: FileRecord) -> Iterator[str]:
    try:
        rows = rows_of(stream)
    except ValueError as error:
        yield f"{record.path}: 不是 Parquet 文件 / {error}"
        return
    if rows != record.rows:
        yield f"{record.path}: 行数不符 / has {rows} rows, the manifest says {record.rows}"


def _chain(published: Storage, manifest: Manifest, digest: str) -> Iterator[str]:
    """The neighbours: what this manifest says of the one before, and what the one after says of this."""
    ids = complete(published)
    number = sequence(manifest.release_id) or 0
    earlier = [i for i in ids if (sequence(i) or 0) < number]
    later = [i for i in ids if (sequence(i) or 0) > number]
    before = manifest.previous
    if before is None and earlier:
        yield f"{MANIFEST}: 链断裂 / names no previous release although {earlier[-1]} is here"
    # Pruning takes the oldest away, never one between two others.
    if before is not None and earlier and before.release_id != earlier[-1]:
        yield f"{MANIFEST}: 链断裂 / was built on {before.release_id}, but {earlier[-1]} stands before it"
    if (
        before is not None
        and before.release_id in earlier
        and _digest(published, before.release_id) != before.manifest_sha256
    ):
        yield f"{MANIFEST}: 链断裂 / the manifest of {before.release_id} is not the one this release was built on"
    if later:
        yield from _successor(published, manifest.release_id, digest, later[0])


def _digest(published: Storage, release_id: str) -> str:
    key = f"{folder(release_id)}/{MANIFEST}"
    return hashlib.sha256(published.read(key)).hexdigest() if published.exists(key) else "missing"


def _successor(published: Storage, release_id: str, digest: str, later: str) -> Iterator[str]:
    try:
        told = read_manifest(published, later).previous
    except ReleaseError as error:
        yield str(error)
        return
    if told is None or (told.release_id, told.manifest_sha256) != (release_id, digest):
        yield f"{MANIFEST}: 链断裂 / {later} was not built on this manifest"
