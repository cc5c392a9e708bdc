"""Backfills that are killed: whatever was under way, nothing stale is published, and the next one ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING

import pytest

from assets.stale import nothing_stale
from pipelines.runs import run_backfill
from resources.releases import latest, list_releases, read_manifest, verify_release
from resources.settings import Settings
from tests.carbon_home import carbon_home, opened, say_ncv
from tests.nights import lake_hashes, night, release_hashes
from tests.test_night_kill import PROCESSES, counting

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess
    from pathlib import Path
    from typing import Any

#: How often it is struck; the whole run of a release is among them.
STRIKES = int(os.environ.get("KILN_TEST_STRIKES", "6"))


def work(home: str, fatal: int, seen: Any) -> None:
    """One backfill, struck before the operation number `fatal` (0: never)."""
    counting(fatal, seen)
    assert run_backfill(Settings(home=home), products=[]).code == 0


def started(home: Path, fatal: int = 0) -> tuple[BaseProcess, Any]:
    seen = PROCESSES.Value("q", 0)
    process = PROCESSES.Process(target=work, args=(str(home), fatal, seen))
    process.start()
    return process, seen


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year of ledgers, published; then a factor changes."""
    root = carbon_home(tmp_path_factory.mktemp("kill") / "home", range(2024, 2025))
    assert night(root).code == 0
    say_ncv(root, "23.5", start="2024-03-01", end="2024-06-01")
    return root


@pytest.fixture(scope="module")
def undisturbed(before: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The home after a backfill that was left alone, and how many operations that took."""
    root = _copy(before, tmp_path_factory.mktemp("undisturbed"))
    process, seen = started(root)
    process.join()
    assert process.exitcode == 0
    return root, int(seen.value)


def _copy(root: Path, folder: Path) -> Path:
    return shutil.copytree(root, folder / "home", symlinks=True)


@pytest.mark.long
def test_a_backfill_killed_at_any_operation_publishes_nothing_stale_and_ends_with_the_same_bytes(
    before: Path, undisturbed: tuple[Path, int], tmp_path: Path
) -> None:
    whole, operations = undisturbed
    drawn = random.Random(4)
    old, new = (latest(opened(h).published) for h in (before, whole))
    assert old is not None
    assert new is not None
    # The end is the release: half of the strikes fall there.
    fatal = [drawn.randrange(1, operations + 1) for _ in range(STRIKES // 2)]
    fatal += [drawn.randrange(operations * 3 // 4, operations + 1) for _ in range(STRIKES - len(fatal))]
    for number in fatal:
        home = _copy(before, tmp_path / str(number))
        process, _ = started(home, number)
        process.join()
        assert process.exitcode != 0, number
        published = opened(home).published
        for release in list_releases(published):
            assert verify_release(published, release.release_id) == [], number
        now = latest(published)
        assert now is not None
        assert now.release_id in (old.release_id, new.release_id), number
        if now.release_id == new.release_id:
            assert release_hashes(home) == release_hashes(whole), number
            assert nothing_stale(opened(home)) == [], number
        else:
            assert (
                read_manifest(published, now.release_id).facts
                == read_manifest(opened(before).published, old.release_id).facts
            )
        process, _ = started(home)
        process.join()
        assert process.exitcode == 0, number
        assert lake_hashes(home) == lake_hashes(whole), number
        assert release_hashes(home) == release_hashes(whole), number
        shutil.rmtree(home)
