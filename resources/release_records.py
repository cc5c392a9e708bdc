"""What a release says about itself: the records behind `manifest.json` and `release.json`.

Belongs here: facts, file records, the content hash and the release id, to and from JSON. Does not belong here: where
the files lie (`release_tree`) and how a release is put together (`releases`).
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from resources.storage import Storage

Json: TypeAlias = bytes  # inside the records below, `bytes` is a field

FORMAT = "kilnledger-release/1"
MANIFEST = "manifest.json"
#: Written last: a release without it does not exist. `latest.json` is this file of the latest release.
MARKER = "release.json"
DATAPACKAGE = "datapackage.json"
DICTIONARY = "dictionary.md"
RELEASES = "releases"
_ID = re.compile(r"(\d{6,})-([0-9a-f]{12})")

#: Roles of a file: part of the content that names the release, or derived from it and from the releases before.
TABLE, DOCUMENT, DERIVED = "table", "document", "derived"


class ReleaseError(Exception):
    """A release that is missing or cannot be read; the message names it."""


class ReleaseRefused(ReleaseError):  # noqa: N818  (the outcome's name, as people say it)
    """Nothing was published; `reasons` says why, one sentence each."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("拒绝发布 / publication refused: " + "; ".join(self.reasons))


@dataclass(frozen=True, slots=True)
class Source:
    """One Parquet file to publish as `<table>/<key>.parquet`: where it lies, and what its maker recorded of it."""

    table: str
    key: str
    storage: Storage
    path: str
    sha256: str
    bytes: int
    rows: int
    #: What the file's partition rests on: kind of cause -> hash (see `grounds`).
    grounds: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, order=True, slots=True)
class Pinned:
    """A rule pack or factor set in force, with the hash of what is in force and its confidence."""

    id: str
    sha256: str
    confidence: str = ""


@dataclass(frozen=True, order=True, slots=True)
class Arrival:
    """An input file: path below landing/, SHA-256 and size on disk, and how its content counts."""

    path: str
    sha256: str
    bytes: int
    state: str


@dataclass(frozen=True, order=True, slots=True)
class Check:
    """The outcome of one check; a failed blocking one refuses the release. `text` must not depend on the clock."""

    name: str
    passed: bool
    blocking: bool
    text: str


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """What the figures of a release rest on. `created_at` (ISO 8601) is told, never compared or hashed into the id."""

    code_version: str
    created_at: str
    registry_sha256: str
    rule_packs: tuple[Pinned, ...] = ()
    factor_sets: tuple[Pinned, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    checks: tuple[Check, ...] = ()

    def sorted(self) -> ReleaseFacts:
        """The same facts in an order that does not depend on how they were gathered."""
        return replace(
            self,
            rule_packs=tuple(sorted(self.rule_packs)),
            factor_sets=tuple(sorted(self.factor_sets)),
            arrivals=tuple(sorted(self.arrivals)),
            checks=tuple(sorted(self.checks)),
        )


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of a release; `path` is relative to the release's folder, `rows` is None for anything but Parquet."""

    path: str
    role: str
    sha256: str
    bytes: int
    rows: int | None = None
    table: str = ""
    key: str = ""
    #: Told so that the next release can say why a figure moved; no part of what a file says.
    grounds: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Previous:
    """The release before: its id and the SHA-256 of its manifest. This is the chain."""

    release_id: str
    manifest_sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything a release holds and rests on."""

    release_id: str
    content_sha256: str
    previous: Previous | None
    facts: ReleaseFacts
    files: tuple[FileRecord, ...]

    def to_json(self) -> Json:
        """`manifest.json`: one line per record, so that two manifests can be compared by eye."""
        previous = _told(self.previous) if self.previous else None
        head = {
            "format": FORMAT,
            "release_id": self.release_id,
            "content_sha256": self.content_sha256,
            "previous": previous,
        }
        facts = ",\n".join(f" {_line(k)}: {_block(v)}" for k, v in _facts_told(self.facts).items())
        lines = [f"{_line(k)}: {_line(v)}" for k, v in head.items()]
        lines += [f'"facts": {{\n{facts}\n}}', f'"files": {_block([_told(f) for f in self.files])}']
        return ("{\n" + ",\n".join(lines) + "\n}\n").encode()

    @classmethod
    def from_json(cls, data: Json, name: str) -> Manifest:
        """The manifest in `data`; ReleaseError naming `name` when it is none."""
        try:
            raw = json.loads(data)
            facts = dict(raw["facts"])
            for part, record in _FACT_PARTS.items():
                facts[part] = tuple(record(**item) for item in facts[part])
            return cls(
                release_id=raw["release_id"],
                content_sha256=raw["content_sha256"],
                previous=Previous(**raw["previous"]) if raw["previous"] else None,
                facts=ReleaseFacts(**facts),
                files=tuple(FileRecord(**item) for item in raw["files"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ReleaseError(f"{name}: 清单无法读取 / the manifest cannot be read: {error!r}") from error


_FACT_PARTS: dict[str, Any] = {"rule_packs": Pinned, "factor_sets": Pinned, "arrivals": Arrival, "checks": Check}


@dataclass(frozen=True, slots=True)
class Release:
    """A published release in short: the content of `release.json`."""

    release_id: str
    created_at: str
    code_version: str
    path: str
    files: int
    bytes: int
    rows: int
    content_sha256: str
    manifest_sha256: str
    previous: str | None
    #: Set by `publish` where nothing had changed, so that this release is an earlier one.
    unchanged: bool = field(default=False, compare=False)

    @classmethod
    def of(cls, manifest: Manifest, manifest_sha256: str) -> Release:
        """The short form of `manifest`."""
        return cls(
            release_id=manifest.release_id,
            created_at=manifest.facts.created_at,
            code_version=manifest.facts.code_version,
            path=folder(manifest.release_id),
            files=len(manifest.files),
            bytes=sum(f.bytes for f in manifest.files),
            rows=sum(f.rows or 0 for f in manifest.files),
            content_sha256=manifest.content_sha256,
            manifest_sha256=manifest_sha256,
            previous=manifest.previous.release_id if manifest.previous else None,
        )

    def to_json(self) -> Json:
        """`release.json`."""
        told = _told(self)
        del told["unchanged"]
        return _pretty({"format": FORMAT, **told})

    @classmethod
    def from_json(cls, data: Json, name: str) -> Release:
        """The release in `data`; ReleaseError naming `name` when it is none."""
        try:
            raw = json.loads(data)
            del raw["format"]
            return cls(**raw)
        except (ValueError, KeyError, TypeError) as error:
            raise ReleaseError(f"{name}: 发布标记无法读取 / not a release: {error!r}") from error


def _pretty(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


def _line(value: Any) -> str:  # noqa: ANN401  (whatever JSON can hold)
    return json.dumps(value, ensure_ascii=False)


def _block(value: Any) -> str:  # noqa: ANN401
    """A list with one item per line; json's own indent takes ten times as long over 30,000 files."""
    if not isinstance(value, list) or not value:
        return _line(value)
    return "[\n" + ",\n".join(f"  {_line(item)}" for item in value) + "\n ]"


def _told(record: Any) -> dict[str, Any]:  # noqa: ANN401  (any flat record of this module)
    """Its fields by name; dataclasses.asdict would copy each value deeply, at ten times the cost."""
    return {item.name: getattr(record, item.name) for item in fields(record)}


def _facts_told(facts: ReleaseFacts) -> dict[str, Any]:
    told = _told(facts)
    return told | {part: [_told(item) for item in told[part]] for part in _FACT_PARTS}


def content_sha256(facts: ReleaseFacts, files: Iterable[FileRecord]) -> str:
    """Hash of what a release says: its facts without the clock, its tables and documents. Derived files follow from it."""
    told = _facts_told(facts.sorted())
    del told["created_at"]
    named = sorted((f for f in files if f.role != DERIVED), key=lambda f: f.path)
    content = {"format": FORMAT, "facts": told, "files": [_said(f) for f in named]}
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _said(record: FileRecord) -> dict[str, Any]:
    told = _told(record)
    del told["grounds"]
    return told


def make_id(number: int, content: str) -> str:
    """`000007-3fa9c1d2e4b7`: the running number and the first twelve digits of the content's hash."""
    return f"{number:06d}-{content[:12]}"


def sequence(release_id: str) -> int | None:
    """The running number in `release_id`; None where it is no release id."""
    found = _ID.fullmatch(release_id)
    return int(found[1]) if found else None


def folder(release_id: str) -> str:
    """Key of the release's folder below published/; ReleaseError when `release_id` is none."""
    if sequence(release_id) is None:
        raise ReleaseError(f"{release_id!r}: 不是发布编号 / not a release id, expected e.g. 000007-3fa9c1d2e4b7")
    return f"{RELEASES}/{release_id}"
