"""Releases: published once, complete, never changed, and provable.

Belongs here: publish, list, diff, prune, and the names that others use of the `release_*` modules. Does not belong
here: how files come to lie on disk or S3 (`release_tree`), what moved (`release_changes`, `release_diff`, `release_restate`), proof
(`release_verify`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from contracts.trust import RESTATEMENTS
from resources import release_tree
from resources.release_books import BOOKS, Books, Differences
from resources.release_changes import factors_of_changes
from resources.release_diff import ReleaseDiff, compare_releases
from resources.release_documents import datapackage, dictionary_page
from resources.release_records import (
    DATAPACKAGE,
    DERIVED,
    DICTIONARY,
    DOCUMENT,
    MANIFEST,
    MARKER,
    TABLE,
    Arrival,
    Check,
    FileRecord,
    Manifest,
    Pinned,
    Previous,
    Release,
    ReleaseError,
    ReleaseFacts,
    ReleaseRefused,
    Source,
    content_sha256,
    folder,
    make_id,
    sequence,
)
from resources.release_restate import Causes, Held, Restater, held_back, write_empty
from resources.release_tree import latest, read_release
from resources.release_verify import read_manifest, rows_of, sha256_of, verify_release
from resources.storage import StorageError, checked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from resources.release_tree import Placement, Tree
    from resources.storage import Storage

__all__ = [
    "Arrival",
    "Check",
    "FileRecord",
    "Manifest",
    "Pinned",
    "Release",
    "ReleaseDiff",
    "ReleaseError",
    "ReleaseFacts",
    "ReleaseRefused",
    "Source",
    "diff_releases",
    "latest",
    "list_releases",
    "prune",
    "publish",
    "read_manifest",
    "read_release",
    "verify_release",
]

_RESERVED = frozenset({MANIFEST, MARKER, DATAPACKAGE, DICTIONARY})


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a release is to hold, before anything is written: tables by path, documents by path, and all their records."""

    facts: ReleaseFacts
    sources: Mapping[str, Source]
    documents: Mapping[str, bytes]
    records: tuple[FileRecord, ...]

    @property
    def content(self) -> str:
        """The hash that names the release."""
        return content_sha256(self.facts, self.records)


def publish(
    published: Storage, sources: Sequence[Source], *, about: ReleaseFacts, extra: Mapping[str, bytes]
) -> Release:
    """Publish `sources` and the documents `extra` (name -> bytes, free of clocks) as the next release and as `latest`.

    Returns the latest release, marked `unchanged`, when files and facts are the same as there. Raises ReleaseRefused,
    with every reason, when a blocking check failed, a file is not what its maker recorded, or names collide; then
    nothing becomes visible. What a killed run left is cleaned up first.
    """
    plan = _plan(sources, about, extra)
    with release_tree.exclusive(published):
        release_tree.clean(published)
        ids = release_tree.complete(published)
        head = read_release(published, ids[-1]) if ids else None
        if head is not None and head.content_sha256 == plan.content:
            # A run killed between the release and `latest` is finished here.
            release_tree.point(published, head)
            return replace(head, unchanged=True)
        previous = read_manifest(published, head.release_id) if head else None
        number = (sequence(head.release_id) or 0) + 1 if head else 1
        release_id = make_id(number, plan.content)
        tree = release_tree.build(published, release_id)
        try:
            manifest = _fill(tree, published, plan, release_id, previous)
            data = manifest.to_json()
            tree.write(MANIFEST, data)
        except BaseException:
            tree.discard()
            raise
        release = Release.of(manifest, hashlib.sha256(data).hexdigest())
        tree.publish(release, {MANIFEST: len(data)} | {f.path: f.bytes for f in manifest.files})
    return release


def _plan(sources: Sequence[Source], about: ReleaseFacts, extra: Mapping[str, bytes]) -> _Plan:
    """Names and records of all that goes in; ReleaseRefused with every reason against it."""
    tables = {f"{s.table}/{s.key}.parquet": s for s in sources}
    documents = {**extra, DICTIONARY: dictionary_page({*(s.table for s in sources), RESTATEMENTS.name})}
    reasons = [
        f"检查未通过 / blocking check {c.name} failed: {c.text}" for c in about.checks if c.blocking and not c.passed
    ]
    reasons += _bad_names(sources, tables, extra)
    if reasons:
        raise ReleaseRefused(reasons)
    records = [
        FileRecord(path, TABLE, s.sha256, s.bytes, s.rows, s.table, s.key, s.grounds) for path, s in tables.items()
    ]
    records += [FileRecord(p, DOCUMENT, hashlib.sha256(data).hexdigest(), len(data)) for p, data in documents.items()]
    return _Plan(about.sorted(), tables, documents, tuple(sorted(records, key=lambda f: f.path)))


def _bad_names(sources: Sequence[Source], tables: Mapping[str, Source], extra: Mapping[str, bytes]) -> Iterator[str]:
    if len(tables) != len(sources):
        seen: set[str] = set()
        for name in (f"{s.table}/{s.key}" for s in sources):
            if name in seen:
                yield f"重复文件 / {name} is given twice"
            seen.add(name)
    folders = {s.table for s in sources} | {RESTATEMENTS.name}
    if RESTATEMENTS.name in {s.table for s in sources}:
        yield f"{RESTATEMENTS.name} 由发布程序生成 / is made by publishing itself"
    for name in extra:
        if name in _RESERVED or name.partition("/")[0] in folders:
            yield f"文件名已占用 / the name {name} is taken"
    for path in (*tables, *extra):
        try:
            checked(path)
        except StorageError as error:
            yield str(error)
        else:
            if any(part.startswith(".") for part in path.split("/")):
                yield f"文件名不可以点开头 / a name must not begin with a dot: {path}"


def _fill(tree: Tree, published: Storage, plan: _Plan, release_id: str, previous: Manifest | None) -> Manifest:
    """Bring everything but the manifest into `tree`."""
    known = {f.path: f for f in previous.files} if previous else {}
    old = folder(previous.release_id) if previous else ""
    present = {e.key.removeprefix(f"{old}/"): e.size for e in published.list(old)} if previous else {}
    tables = [r for r in plan.records if r.role == TABLE]
    # What has not changed comes from the previous release, where it has been proven and nobody writes; a file that is
    # damaged there comes from the lake again.
    kept = [r for r in tables if known.get(r.path) == r and present.get(r.path) == r.bytes]
    fresh = sorted({*tables} - {*kept}, key=lambda r: r.path)
    history = [f for f in known.values() if f.table == RESTATEMENTS.name]
    placements: list[Placement] = [(published, f"{old}/{r.path}", r.path) for r in (*kept, *history)]
    placements += [(plan.sources[r.path].storage, plan.sources[r.path].path, r.path) for r in fresh]
    tree.link(placements)
    doubtful = [r for r in kept if _touched_since(published, old, r.path)]
    wrong = [text for record in (*fresh, *doubtful) for text in _faults(tree, record)]
    if wrong:
        raise ReleaseRefused(wrong)
    for path, data in plan.documents.items():
        tree.write(path, data)
    records = [*plan.records, *history, _restatements(tree, published, plan, release_id, previous)]
    package = datapackage(release_id, plan.facts, records)
    tree.write(DATAPACKAGE, package)
    records.append(FileRecord(DATAPACKAGE, DERIVED, hashlib.sha256(package).hexdigest(), len(package)))
    return Manifest(
        release_id=release_id,
        content_sha256=plan.content,
        previous=_link_to(published, previous),
        facts=plan.facts,
        files=tuple(sorted(records, key=lambda f: f.path)),
    )


def _touched_since(published: Storage, release: str, path: str) -> bool:
    """A file on disk was written to after its release was complete. Objects of a bucket are replaced, never edited."""
    file, marker = (published.local_path(f"{release}/{name}") for name in (path, MARKER))
    return file is not None and marker is not None and file.stat().st_mtime_ns > marker.stat().st_mtime_ns


def _faults(tree: Tree, record: FileRecord) -> Iterator[str]:
    """How a file that was brought in differs from what its maker recorded."""
    with tree.open(record.path) as stream:
        digest, size = sha256_of(stream)
        if (digest, size) != (record.sha256, record.bytes):
            yield f"{record.path}: 与登记不符 / is not the file that was recorded, make its partition again"
            return
        stream.seek(0)
        try:
            rows = rows_of(stream)
        except ValueError as error:
            yield f"{record.path}: 不是 Parquet 文件 / {error}"
        else:
            if rows != record.rows:
                yield f"{record.path}: 行数不符 / has {rows} rows, {record.rows} were recorded"


def _restatements(
    tree: Tree, published: Storage, plan: _Plan, release_id: str, previous: Manifest | None
) -> FileRecord:
    path = f"{RESTATEMENTS.name}/{release_id}.parquet"
    with tree.staged(path) as file:
        if previous is None:
            rows = write_empty(file)
        else:
            told = partial(_differences, tree, published, plan)
            because = Causes(previous.facts, plan.facts, told(previous))
            held = _let_go(published, previous, plan.facts, told)
            rows = Restater(published, previous, release_id, because, held).write(plan.records, tree.open, file)
        with file.open("rb") as stream:
            digest, size = sha256_of(stream)
    return FileRecord(path, DERIVED, digest, size, rows, RESTATEMENTS.name, release_id)


def _differences(tree: Tree, published: Storage, plan: _Plan, since: Manifest) -> Differences | None:
    """What the books say differently than in release `since`; None where one of the two tells no books."""
    place = f"{folder(since.release_id)}/{BOOKS}"
    if BOOKS not in plan.documents or not published.exists(place):
        return None
    before, after = (Books.read(data) for data in (published.read(place), plan.documents[BOOKS]))
    base = folder(since.release_id)
    return Differences(
        before,
        after,
        lambda: factors_of_changes(since.files, plan.records, lambda p: published.open(f"{base}/{p}"), tree.open),
    )


def _let_go(
    published: Storage, previous: Manifest, facts: ReleaseFacts, told: Callable[[Manifest], Differences | None]
) -> Held | None:
    """Filed years that `previous` held back and this release does not; None where there are none or the release before is gone."""
    keys = held_back(previous.facts.checks) - held_back(facts.checks)
    known = set(release_tree.complete(published)) if keys else set()
    since = previous
    while keys & held_back(since.facts.checks):
        if since.previous is None or since.previous.release_id not in known:
            return None
        since = read_manifest(published, since.previous.release_id)
    return Held(since, keys, Causes(since.facts, facts, told(since))) if keys else None


def _link_to(published: Storage, previous: Manifest | None) -> Previous | None:
    if previous is None:
        return None
    return Previous(previous.release_id, read_release(published, previous.release_id).manifest_sha256)


def list_releases(published: Storage) -> list[Release]:
    """All complete releases, oldest first."""
    return [read_release(published, release_id) for release_id in release_tree.complete(published)]


def diff_releases(published: Storage, a: str, b: str) -> ReleaseDiff:
    """What differs between releases `a` and `b`; ReleaseError when one does not exist."""
    return compare_releases(published, read_manifest(published, a), read_manifest(published, b))


def prune(published: Storage, keep: int) -> list[str]:
    """Remove the oldest releases, all but `keep` (ValueError below 1) and never the one `latest` names; ids that went."""
    if keep < 1:
        raise ValueError("至少保留一个发布 / keep at least one release")
    with release_tree.exclusive(published):
        release_tree.clean(published)
        current = latest(published)
        gone = release_tree.complete(published)[:-keep]
        if current is not None and current.release_id in gone:
            # Somebody pointed `latest` back: what came after it stays too, or the chain would have a hole.
            gone = gone[: gone.index(current.release_id)]
        for release_id in gone:
            release_tree.remove(published, release_id)
    return gone
