"""Storage in an S3 bucket, through s3fs.

Belongs here: the S3 form of `resources.storage.Storage`. Does not belong here: the interface itself and the local
form (`storage`), Parquet scans (polars' own object store is two to three times faster than s3fs at those).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from resources.storage import Entries, Entry, Names, Storage, StorageError, checked, missing

if TYPE_CHECKING:
    from collections.abc import Iterator


class S3Storage:
    """A prefix of a bucket; endpoint, region and credentials come from the usual AWS_* environment variables."""

    def __init__(self, root: str) -> None:
        self._base = root.removeprefix("s3://").rstrip("/")
        self.root = f"s3://{self._base}"
        if not self._base or self._base.startswith("/"):
            raise StorageError(f"{root}: 缺少存储桶名称 / the bucket's name is missing, write s3://bucket/prefix")
        self._fs: Any = None

    @property
    def fs(self) -> Any:  # noqa: ANN401  (s3fs carries no types)
        """The s3fs file system, made on first use: importing s3fs takes more than a second."""
        if self._fs is None:
            import s3fs  # noqa: PLC0415

            # Listings and instances are not cached: other processes write here, and the environment may change.
            self._fs = s3fs.S3FileSystem(
                endpoint_url=_endpoint(),
                client_kwargs={"region_name": _region()} if _region() else {},
                use_listings_cache=False,
                skip_instance_cache=True,
            )
        return self._fs

    def url(self, key: str = "") -> str:
        """s3:// URL of `key`."""
        return f"s3://{self._path(key)}" if key else self.root

    @property
    def scan_options(self) -> dict[str, str]:
        """Keys of polars' object store; what the environment leaves out is left to polars' own search."""
        endpoint = _endpoint()
        wanted = {
            "aws_access_key_id": os.environ.get("AWS_ACCESS_KEY_ID"),
            "aws_secret_access_key": os.environ.get("AWS_SECRET_ACCESS_KEY"),
            "aws_session_token": os.environ.get("AWS_SESSION_TOKEN"),
            "aws_endpoint_url": endpoint,
            "aws_region": _region() or ("us-east-1" if endpoint else None),
            "aws_allow_http": "true" if endpoint and endpoint.startswith("http://") else None,
        }
        return {key: value for key, value in wanted.items() if value}

    def local_path(self, key: str = "") -> None:
        """None: nothing here lies on a disk of this machine."""

    def open(self, key: str) -> BinaryIO:
        """A read-ahead stream over ranged requests."""
        try:
            return cast("BinaryIO", self.fs.open(self._path(key), "rb"))
        except FileNotFoundError as error:
            raise missing(self.url(key)) from error

    def read(self, key: str) -> bytes:
        """One request for all bytes."""
        try:
            return cast("bytes", self.fs.cat_file(self._path(key)))
        except FileNotFoundError as error:
            raise missing(self.url(key)) from error

    def write(self, key: str, data: bytes) -> None:
        """One put (or one completed multipart upload): S3 shows an object only when it is whole."""
        with self._bucket():
            self.fs.pipe_file(self._path(key), data)

    @contextlib.contextmanager
    def staged(self, key: str) -> Iterator[Path]:
        """A temporary local file, uploaded on a clean exit."""
        with tempfile.TemporaryDirectory(prefix="kilnledger-") as folder:
            path = Path(folder, checked(key).rpartition("/")[2])
            path.touch()
            yield path
            with self._bucket():
                self.fs.put_file(str(path), self._path(key))

    def list(self, prefix: str = "", suffix: str = "") -> Entries:
        """Objects below the folder; empty objects that stand for folders are left out."""
        below = f"{prefix.rstrip('/')}/" if prefix else ""
        with self._bucket():
            found = self.fs.find(self._path(below[:-1]) if below else self._base, detail=True)
        start = len(self._base) + 1
        entries = [Entry(name[start:], int(facts["size"]), _token(facts)) for name, facts in found.items()]
        wanted = (e for e in entries if _shown(e.key, below) and e.key.endswith(suffix))
        return sorted(wanted, key=lambda entry: entry.key)

    def folders(self, prefix: str = "") -> Names:
        """Common prefixes, one request per thousand."""
        path = self._path(prefix.rstrip("/")) if prefix else self._base
        try:
            found = self.fs.ls(path, detail=True)
        except FileNotFoundError:  # nothing below the prefix; list() is where a missing bucket shows
            return []
        names = (str(facts["name"]).rstrip("/").rpartition("/")[2] for facts in found if facts["type"] == "directory")
        return sorted(name for name in names if not name.startswith("."))

    def exists(self, key: str) -> bool:
        """Whether the object is there."""
        return bool(self.fs.isfile(self._path(key)))

    def delete(self, key: str) -> None:
        """Delete the object; S3 answers the same whether it was there or not."""
        with self._bucket():
            self.fs.rm_file(self._path(key))

    def copy_from(self, other: Storage, src: str, dst: str) -> None:
        """Server-side inside S3; from a disk one upload; else through a temporary file."""
        final = self._path(dst)
        local = other.local_path(checked(src))
        try:
            if local is not None:
                self.fs.put_file(str(local), final)
            elif isinstance(other, S3Storage):
                self.fs.cp_file(other._path(src), final)
            else:
                with other.open(src) as stream, self.staged(dst) as path, path.open("wb") as out:
                    shutil.copyfileobj(stream, out, 1 << 20)
        except FileNotFoundError as error:
            raise missing(other.url(src)) from error

    @contextlib.contextmanager
    def _bucket(self) -> Iterator[None]:
        """Where no key can be missing, 'not found' means the bucket."""
        try:
            yield
        except FileNotFoundError as error:
            raise StorageError(f"{self.root}: 存储桶不存在, 请先创建 / no such bucket, create it first") from error

    def _path(self, key: str) -> str:
        return f"{self._base}/{checked(key)}"


def _endpoint() -> str | None:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


def _region() -> str | None:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def _token(facts: dict[str, Any]) -> str:
    return str(facts["ETag"]).strip('"')


def _shown(key: str, below: str) -> bool:
    rest = key[len(below) :]
    return key.startswith(below) and not key.endswith("/") and not rest.startswith(".") and "/." not in rest
