"""Nights that are killed: whatever was under way, the next one ends as if nothing had happened.

A killed process gets no say: SIGKILL, at the n-th time that it has a file synced, renamed, linked or removed, or after a drawn
while. Moments are seeded; what was reached by then may differ from machine to machine, what must hold does not.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from assets.release import publish_release
from resources.releases import latest, list_releases, verify_release
from tests.nights import captures, deliver, empty_like, lake_hashes, manifest, night, opened, release_hashes, week

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from resources.releases import Release

#: Where the state of a disk changes for good.
OPERATIONS = ("fsync", "replace", "rename", "link", "symlink", "unlink")
#: Processes come from one that has imported everything and has no threads yet.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.nights", "pipelines.definitions"])


def counting(fatal: int, seen: Any) -> None:
    """Have this process struck before its operation number `fatal` (0: never). `seen` counts them."""

    def counted(operation: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **more: Any) -> Any:
            with seen.get_lock():
                seen.value += 1
                strike = seen.value == fatal
            if strike:
                os.kill(os.getpid(), signal.SIGKILL)
            return operation(*args, **more)

        return run

    for name in OPERATIONS:
        setattr(os, name, counted(getattr(os, name)))
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"


def work(home: str, fatal: int, seen: Any, release_alone: bool) -> None:
    """One night, or the end of one; struck before the operation number `fatal` (0: never)."""
    counting(fatal, seen)
    if release_alone:
        publish_release(opened(home), [])
    else:
        assert night(home).code == 0


def started(home: Path, fatal: int = 0, *, release_alone: bool = False) -> tuple[BaseProcess, Any]:
    seen = PROCESSES.Value("q", 0)
    process = PROCESSES.Process(target=work, args=(str(home), fatal, seen, release_alone))
    process.start()
    return process, seen


def finished(home: Path) -> int:
    """A night that is left alone; how many operations it took."""
    process, seen = started(home)
    process.join()
    assert process.exitcode == 0
    return int(seen.value)


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return week(tmp_path_factory.mktemp("zone"), first=date(2026, 10, 31), days=2, outlets=6)


def nights(zone: Path) -> list[list[str]]:
    """What arrives before each of two nights."""
    names = captures(zone)
    return [[n for n in names if "2026-10-" in n], [n for n in names if "2026-11-" in n]]


@pytest.fixture(scope="module")
def undisturbed(zone: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A home after two nights that were left alone, and how many operations each took."""
    home, lengths = empty_like(zone, tmp_path_factory.mktemp("undisturbed")), []
    for names in nights(zone):
        deliver(zone, home, names)
        lengths.append(finished(home))
    return home, lengths


def whole(home: Path, *, known: int) -> Release | None:
    """What a reader sees holds: every release listed is complete, `latest` is one of them, or there is none at all."""
    published = opened(home).published
    releases = list_releases(published)
    assert known <= len(releases) <= known + 1
    for release in releases:
        assert verify_release(published, release.release_id) == []
    now = latest(published)
    if now is None:
        assert known == 0
        return None
    assert now in releases
    assert now in releases[known - 1 :] or known == 0
    link = home / "published/latest"
    assert link.is_symlink()
    assert (link / "manifest.json").read_bytes() == (home / "published" / now.path / "manifest.json").read_bytes()
    return now


def ends_as(home: Path, undisturbed: Path) -> None:
    assert lake_hashes(home) == lake_hashes(undisturbed)
    assert release_hashes(home) == release_hashes(undisturbed)
    assert manifest(home).facts.checks == manifest(undisturbed).facts.checks
    ids = [r.release_id for r in list_releases(opened(home).published)]
    assert ids == [r.release_id for r in list_releases(opened(undisturbed).published)]
    assert [p.name for p in (home / "published/releases").iterdir() if p.name.startswith(".")] == []


def disturbed(zone: Path, home: Path, strike: Callable[[int], None]) -> None:
    """Both nights: each is struck as `strike` does it, looked at, and then left alone."""
    empty_like(zone, home)
    for n, names in enumerate(nights(zone)):
        deliver(zone, home, names)
        strike(n)
        finished(home)


def test_nights_killed_at_work_end_as_if_nothing_had_happened(
    zone: Path, undisturbed: tuple[Path, list[int]], tmp_path: Path
) -> None:
    home, rng = tmp_path / "home", random.Random(11)
    left, lengths = undisturbed

    def strike(n: int) -> None:
        # Once anywhere, once among the last operations: those of the release.
        for fatal in (rng.randint(1, lengths[n] // 2), rng.randint(1, 40)):
            process, _ = started(home, fatal)
            process.join()
            assert process.exitcode == -signal.SIGKILL
            whole(home, known=n)

    disturbed(zone, home, strike)
    ends_as(home, left)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_nights_killed_again_and_again_at_any_operation(
    zone: Path, undisturbed: tuple[Path, list[int]], tmp_path: Path, seed: int
) -> None:
    home, rng = tmp_path / "home", random.Random(seed)
    left, lengths = undisturbed

    def strike(n: int) -> None:
        for _ in range(12):
            process, _ = started(home, rng.randint(1, lengths[n]))
            process.join()
            assert process.exitcode in (0, -signal.SIGKILL)
            whole(home, known=n)

    disturbed(zone, home, strike)
    ends_as(home, left)


@pytest.mark.long
def test_a_night_killed_at_every_operation_of_its_release(
    zone: Path, undisturbed: tuple[Path, list[int]], tmp_path: Path
) -> None:
    """The lake is complete; what is left is the release, killed one operation later each time, until nothing strikes any more."""
    home = empty_like(zone, tmp_path / "home")
    for names in nights(zone):
        deliver(zone, home, names)
        assert night(home, publish=False).code == 0
    fatal = 0
    while True:
        fatal += 1
        process, _ = started(home, fatal, release_alone=True)
        process.join()
        whole(home, known=0)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
    assert fatal > 20
    assert release_hashes(home) == release_hashes(undisturbed[0])
    assert len(list_releases(opened(home).published)) == 1


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_nights_killed_at_any_moment(
    zone: Path, undisturbed: tuple[Path, list[int]], tmp_path: Path, seed: int
) -> None:
    home, rng = tmp_path / "home", random.Random(seed)

    def strike(n: int) -> None:
        for _ in range(10):
            process, _ = started(home)
            time.sleep(rng.uniform(0, 5))
            process.kill()
            process.join()
            whole(home, known=n)

    disturbed(zone, home, strike)
    ends_as(home, undisturbed[0])
