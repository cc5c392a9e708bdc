"""Nights over small homes: a simulated week, runs of the nightly job on it, and what they leave, by hash.

Shared by the tests of the whole path. Landing files are linked from home to home and not copied: intake knows a file's state by
inode and clock too.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.runs import run_night
from resources.home import Home
from resources.releases import latest, read_manifest
from resources.settings import Settings
from simulator import Dirt, simulate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pipelines.runs import RunOutcome
    from resources.releases import Manifest

#: A week across the end of a month, at which a rule changes too (GB 4915 amendment for dryers).
FIRST, DAYS = date(2026, 3, 29), 7
TABLES = ("cems_minute", "cems_reported", "cems_edge", "cems_other", "cems_quarantine", "cems_counts")


def week(root: Path, **other: Any) -> Path:
    """Ten outlets of three plants: start, end and unknown labels, wet and dry gas, every kind of dirt."""
    simulate(
        root,
        **({"outlets": 10, "first": FIRST, "days": DAYS, "seed": 1, "dirt": Dirt.heavy(), "interval_min": 10} | other),
    )
    return root


def opened(home: Path | str, **settings: Any) -> Home:
    return Home(Settings(home=str(home), **settings))


def night(home: Path | str, *, first: str = "", last: str = "", publish: bool = True, **settings: Any) -> RunOutcome:
    """One run; over all that arrived unless days are named."""
    chosen = Settings(home=str(home), **settings)
    return run_night(chosen, first=first, last=last, everything=not (first or last), publish=publish)


def captures(home: Path) -> list[str]:
    """Names of the captures of a home, below its landing zone."""
    landing = home / "landing"
    return sorted(p.relative_to(landing).as_posix() for p in landing.rglob("*") if p.is_file())


def deliver(source: Path, home: Path, names: Iterable[str]) -> None:
    """Have captures of one home arrive in another."""
    for name in names:
        target = home / "landing" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(source / "landing" / name, target)


def empty_like(source: Path, home: Path) -> Path:
    """A home with the registry of another, to which nothing has come yet."""
    shutil.copytree(source / "registry", home / "registry")
    return home


def copy_of(source: Path, home: Path) -> Path:
    """A home as it stands, to be changed without harm to the first."""
    shutil.copytree(source / "landing", home / "landing", copy_function=os.link)
    for name in ("registry", "lake", "published"):
        shutil.copytree(source / name, home / name, symlinks=True)
    return home


def lake_hashes(home: Path) -> dict[str, str]:
    """Every Parquet file of the lake."""
    lake = home / "lake"
    return {
        p.relative_to(lake).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(lake.rglob("*.parquet"))
    }


def manifest(home: Path | str) -> Manifest:
    """That of the latest release."""
    published = opened(home).published
    release = latest(published)
    assert release is not None
    return read_manifest(published, release.release_id)


def release_hashes(home: Path | str) -> dict[str, str]:
    """Files of the latest release that do not tell of releases before it."""
    return {f.path: f.sha256 for f in manifest(home).files if f.role != "derived"}


def standing(home: Path | str) -> dict[tuple[str, str], str]:
    """Version of every partition."""
    lake = opened(home).lake
    tables = sorted({e.key.partition("/")[0] for e in lake.storage.list("", ".json") if "/_made/" in e.key})
    return {(t, k): lake.version(t, k) for t in tables for k in lake.keys(t)}


def moved(before: dict[tuple[str, str], str], after: dict[tuple[str, str], str]) -> dict[str, set[str]]:
    """Keys that stand differently, by table."""
    found: dict[str, set[str]] = {}
    for table, key in sorted({k for k in {*before, *after} if before.get(k) != after.get(k)}):
        found.setdefault(table, set()).add(key)
    return found


def rows(home: Path | str, table: str) -> pl.DataFrame:
    """All rows of a table, labels as text."""
    lake = opened(home).lake
    frame = pl.concat([pl.DataFrame(pl.from_arrow(lake.read(table, key))) for key in lake.keys(table)])
    return frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
