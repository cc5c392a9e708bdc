"""The whole path with everything below s3://bucket/prefix: same bytes as on a disk."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pipelines.cli import main
from resources.releases import latest, list_releases, verify_release
from resources.storage import open_storage
from tests.nights import captures, deliver, empty_like, lake_hashes, night, opened, release_hashes, standing, week

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return week(tmp_path_factory.mktemp("zone"), first=date(2026, 10, 31), days=1, outlets=6, interval_min=30)


@pytest.fixture
def remote(zone: Path, bucket: str) -> str:
    """A prefix of the bucket that holds registry and landing zone."""
    home = f"{bucket}/plants/one"
    storage = open_storage(home)
    for path in sorted(p for part in ("registry", "landing") for p in (zone / part).rglob("*") if p.is_file()):
        storage.write(path.relative_to(zone).as_posix(), path.read_bytes())
    return home


def parquet_of(lake_url: str) -> dict[str, bytes]:
    storage = open_storage(lake_url)
    return {e.key: storage.read(e.key) for e in storage.list("", ".parquet")}


def test_a_night_on_an_object_store_gives_the_bytes_of_a_disk(zone: Path, remote: str, tmp_path: Path) -> None:
    local = empty_like(zone, tmp_path / "local")
    deliver(zone, local, captures(zone))
    assert night(local).code == 0
    outcome = night(remote)
    assert outcome.code == 0, outcome.text
    assert standing(remote) == standing(local)
    found = parquet_of(f"{remote}/lake")
    assert set(found) == set(lake_hashes(local))
    assert all((local / "lake" / key).read_bytes() == content for key, content in found.items())
    assert release_hashes(remote) == release_hashes(local)
    published = opened(remote).published
    (release,) = list_releases(published)
    assert release == latest(published)
    assert release.content_sha256 == latest(opened(local).published).content_sha256  # type: ignore[union-attr]
    assert verify_release(published, release.release_id) == []
    assert outcome.data["release_path"] == f"{remote}/published/releases/{release.release_id}"
    # Landing is only ever read, and nothing is written beside the four places.
    storage = open_storage(remote)
    assert [e.key.removeprefix("landing/") for e in storage.list("landing")] == captures(zone)
    assert {e.key.partition("/")[0] for e in storage.list()} == {"registry", "landing", "lake", "published"}
    # A second night finds nothing to do.
    tokens = {e.key: e.token for e in storage.list("lake", ".parquet")}
    assert night(remote).data["release"] == release.release_id
    assert {e.key: e.token for e in storage.list("lake", ".parquet")} == tokens
    commands_work(remote, release.release_id)


def commands_work(remote: str, release_id: str) -> None:
    def kiln(*args: str) -> str:
        result = CliRunner().invoke(main, [*args, "--home", remote])
        assert result.exit_code == 0, result.output
        return result.output

    assert "to read: 0 files" in kiln("plan")
    assert f"{remote}/lake 可写 can be written" in kiln("doctor")
    assert kiln("release", "list").startswith(f"* {release_id}  ")
    assert kiln("release", "verify") == f"{release_id}: 完好 every file is as its manifest says\n"
    assert "nothing to remove" in kiln("release", "prune", "--keep", "1")


@pytest.mark.parametrize("command", [["run", "--all"], ["plan"], ["release", "list"]], ids=" ".join)
def test_a_bucket_that_is_not_there_is_told(s3_endpoint: str, command: list[str]) -> None:
    result = CliRunner().invoke(main, [*command, "--home", "s3://kiln-no-such-bucket/home"])
    assert result.exit_code == 2, result.output
    assert "kiln-no-such-bucket" in result.stderr
    assert "Traceback" not in result.output


def test_the_doctor_goes_on_where_no_bucket_answers(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(main, ["doctor", "--json", "--home", "s3://kiln-no-such-bucket/home"])
    assert result.exit_code == 2
    levels = {f["what"]: f["level"] for f in json.loads(result.stdout)["findings"]}
    assert levels == {"registry": 2, "rules": 0, "landing": 2, "lake": 2, "published": 2, "clock": 0}
