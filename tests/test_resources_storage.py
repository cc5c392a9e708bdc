"""Storage: the same behaviours on a local folder and on an S3 endpoint."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import polars as pl
import pytest

from resources.storage import LocalStorage, Storage, StorageError, open_storage

if TYPE_CHECKING:
    from pathlib import Path


def _stage(storage: Storage, key: str, data: bytes, error: Exception | None = None) -> Path:
    with storage.staged(key) as path:
        path.write_bytes(data)
        if error:
            raise error
    return path


#: Everything that takes a key and touches bytes.
ACTIONS = {
    "open": lambda storage, key: storage.open(key),
    "read": lambda storage, key: storage.read(key),
    "write": lambda storage, key: storage.write(key, b""),
    "delete": lambda storage, key: storage.delete(key),
    "exists": lambda storage, key: storage.exists(key),
    "staged": lambda storage, key: _stage(storage, key, b""),
    "copy to": lambda storage, key: storage.copy_from(storage, "t/a", key),
    "copy from": lambda storage, key: storage.copy_from(storage, key, "t/a"),
}


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return open_storage(str(tmp_path / "home"))
    return open_storage(request.getfixturevalue("bucket") + "/home")


def keys(storage: Storage, prefix: str = "", suffix: str = "") -> list[str]:
    return [entry.key for entry in storage.list(prefix, suffix)]


def token(storage: Storage, key: str) -> str:
    (entry,) = (entry for entry in storage.list() if entry.key == key)
    return entry.token


def test_what_is_written_is_read_and_listed_with_its_size(storage: Storage) -> None:
    storage.write("cems/站点 1/a.txt", b"one")
    storage.write("empty", b"")
    assert storage.read("cems/站点 1/a.txt") == b"one"
    assert [(e.key, e.size) for e in storage.list()] == [("cems/站点 1/a.txt", 3), ("empty", 0)]


def test_write_replaces_and_the_token_tells(storage: Storage) -> None:
    storage.write("a", b"old")
    before = token(storage, "a")
    assert token(storage, "a") == before
    storage.write("a", b"new")
    assert storage.read("a") == b"new"
    assert token(storage, "a") != before


def test_a_stream_can_be_sought(storage: Storage) -> None:
    storage.write("a", b"0123456789")
    with storage.open("a") as stream:
        assert stream.read(3) == b"012"
        stream.seek(-2, io.SEEK_END)
        assert stream.read() == b"89"


@pytest.mark.parametrize("action", ["open", "read", "copy from"])
def test_a_missing_key_is_named_in_full(storage: Storage, action: str) -> None:
    storage.write("there", b"")
    with pytest.raises(StorageError) as caught:
        ACTIONS[action](storage, "t/gone")
    assert storage.url("t/gone") in str(caught.value)


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../a", "a/../b", "a//b", "a/.", "a/", "a\0b"])
@pytest.mark.parametrize("action", ACTIONS)
def test_keys_that_could_leave_the_root_are_refused(tmp_path: Path, key: str, action: str) -> None:
    for storage in (LocalStorage(tmp_path / "home"), open_storage("s3://bucket/home")):
        with pytest.raises(StorageError, match="relative path"):
            ACTIONS[action](storage, key)
    assert not (tmp_path / "home").exists()


def test_listing_is_recursive_sorted_and_by_folder(storage: Storage) -> None:
    for key in ("t/b.parquet", "t/a/x.parquet", "t/a.csv", "tt/c.parquet"):
        storage.write(key, b"1")
    assert keys(storage) == ["t/a.csv", "t/a/x.parquet", "t/b.parquet", "tt/c.parquet"]
    assert keys(storage, "t") == keys(storage, "t/") == ["t/a.csv", "t/a/x.parquet", "t/b.parquet"]
    assert keys(storage, "t", ".parquet") == ["t/a/x.parquet", "t/b.parquet"]
    assert keys(storage, "none") == []
    assert keys(storage, "t/a.csv") == []
    assert storage.folders() == ["t", "tt"]
    assert storage.folders("t") == ["a"]
    assert storage.folders("none") == []


def test_names_with_a_leading_dot_are_never_listed(storage: Storage) -> None:
    for key in (".lock", "t/.DS_Store", "t/.tmp-1/a", "t/a"):
        storage.write(key, b"1")
    assert keys(storage) == ["t/a"]
    assert keys(storage, "t") == ["t/a"]
    assert storage.folders() == ["t"]
    assert storage.folders("t") == []


def test_exists_and_delete(storage: Storage) -> None:
    storage.write("t/a", b"1")
    assert storage.exists("t/a")
    assert not storage.exists("t")
    storage.delete("t/a")
    storage.delete("t/a")
    storage.delete("never/was")
    assert not storage.exists("t/a")
    assert keys(storage) == []


def test_a_staged_file_appears_only_on_a_clean_exit(storage: Storage) -> None:
    with storage.staged("t/a.parquet") as path:
        path.write_bytes(b"new")
        assert not storage.exists("t/a.parquet")
    assert storage.read("t/a.parquet") == b"new"
    with pytest.raises(RuntimeError, match="stop"):
        _stage(storage, "t/a.parquet", b"half", RuntimeError("stop"))
    assert storage.read("t/a.parquet") == b"new"
    assert keys(storage) == ["t/a.parquet"]
    assert not path.exists()


def test_copies_go_anywhere(storage: Storage, tmp_path: Path, bucket: str) -> None:
    storage.write("t/a", b"bytes")
    for i, other in enumerate((storage, LocalStorage(tmp_path / "other"), open_storage(f"{bucket}/other"))):
        other.copy_from(storage, "t/a", f"copy/{i}")
        assert other.read(f"copy/{i}") == b"bytes"
        other.copy_from(storage, "t/a", f"copy/{i}")
        assert other.read(f"copy/{i}") == b"bytes"


def test_polars_scans_through_url_and_options(storage: Storage) -> None:
    frame = pl.DataFrame({"hour": [1, 2, 3], "value": [0.5, None, 1.5]})
    for day in ("2026-11-20", "2026-11-21"):
        with storage.staged(f"t/{day}.parquet") as path:
            frame.write_parquet(path)
    one = pl.scan_parquet(storage.url("t/2026-11-20.parquet"), storage_options=storage.scan_options or None)
    assert one.collect().equals(frame)
    both = pl.scan_parquet(storage.url("t/*.parquet"), storage_options=storage.scan_options or None)
    assert both.select(pl.len()).collect().item() == 6


def test_a_local_copy_costs_no_bytes_and_survives_its_source(tmp_path: Path) -> None:
    lake, published = LocalStorage(tmp_path / "lake"), LocalStorage(tmp_path / "published")
    lake.write("t/a", b"first")
    published.copy_from(lake, "t/a", "r/a")
    assert published.local_path("r/a").samefile(lake.local_path("t/a"))
    published.copy_from(lake, "t/a", "r/a")
    assert sorted(p.name for p in published.local_path("r").iterdir()) == ["a"]
    lake.write("t/a", b"second")
    assert published.read("r/a") == b"first"
    lake.delete("t/a")
    assert published.read("r/a") == b"first"


def test_bytes_are_copied_where_no_hard_link_is_possible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    storage = LocalStorage(tmp_path)
    storage.write("a", b"bytes")
    monkeypatch.setattr(os, "link", refuse)
    storage.copy_from(storage, "a", "b")
    assert storage.read("b") == b"bytes"
    assert not storage.local_path("a").samefile(storage.local_path("b"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_a_copy_of_a_link_is_the_file_itself(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    storage.write("real", b"bytes")
    (tmp_path / "link").symlink_to("real")
    storage.copy_from(storage, "link", "copy")
    assert not (tmp_path / "copy").is_symlink()
    assert storage.read("copy") == b"bytes"


def test_files_get_the_rights_of_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        LocalStorage(tmp_path).write("a", b"1")
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_what_killed_writers_left_is_swept_after_a_day(tmp_path: Path) -> None:
    for name, age in ((".tmp-old", 200_000), (".tmp-young", 60)):
        (tmp_path / name).write_bytes(b"half")
        seconds = (tmp_path / name).stat().st_mtime - age
        os.utime(tmp_path / name, (seconds, seconds))
    LocalStorage(tmp_path).write("a", b"1")
    assert sorted(p.name for p in tmp_path.iterdir()) == [".tmp-young", "a"]


def test_linked_folders_are_followed_and_loops_end(tmp_path: Path) -> None:
    (tmp_path / "disk" / "day").mkdir(parents=True)
    (tmp_path / "disk" / "day" / "a").write_bytes(b"1")
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "cems").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "day" / "up").symlink_to(tmp_path / "landing")
    (tmp_path / "landing" / "dangling").symlink_to(tmp_path / "nowhere")
    found = keys(LocalStorage(tmp_path / "landing"))
    assert found[0] == "cems/day/a"
    assert len(found) < 4


def test_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_storage("kiln-home").root == str(tmp_path / "kiln-home")
    assert open_storage(f"file://{tmp_path}").root == str(tmp_path)
    assert open_storage("s3://bucket/some/prefix/").url("t/a") == "s3://bucket/some/prefix/t/a"
    assert open_storage("s3://bucket").local_path("t") is None
    for address in ("gs://bucket/x", "https://host/x", "s3://", "s3:///x"):
        with pytest.raises(StorageError, match=address):
            open_storage(address)


def test_a_missing_bucket_is_an_error_and_not_an_empty_landing_zone(s3_endpoint: str) -> None:
    storage = open_storage("s3://no-such-bucket/home")
    with pytest.raises(StorageError, match=r"s3://no-such-bucket/home.*bucket"):
        storage.list()
    with pytest.raises(StorageError, match="create it"):
        storage.write("a", b"")


def test_scan_options_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    storage = open_storage("s3://bucket/home")
    assert storage.scan_options == {}
    monkeypatch.setenv("AWS_REGION", "cn-north-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert storage.scan_options == {
        "aws_access_key_id": "key",
        "aws_secret_access_key": "secret",
        "aws_endpoint_url": "http://127.0.0.1:9",
        "aws_region": "cn-north-1",
        "aws_allow_http": "true",
    }
