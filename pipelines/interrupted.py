"""What is said when somebody interrupts a run.

Belongs here: the sentence, its exit code, and catching a Ctrl-C during start-up. Does not belong here: how a run ended otherwise
(`pipelines/runs.py`). Imports little: it must stand before dagster and numba are loaded.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resources.settings import Settings

#: 128 + SIGINT, as shells count.
INTERRUPTED = 130


def sentence(before: str, now: str) -> str:
    """That a run was interrupted, and what readers see: the release `before` it and `now`; empty where there is none."""
    if now != before:
        return f"已中断，本次已发布 {now} / interrupted after {now} was published"
    stays = (
        f"最新发布仍是 {now} / interrupted, nothing published; latest stays {now}"
        if now
        else "尚无任何发布 / interrupted, nothing published; there is no release yet"
    )
    return f"已中断，未发布；{stays}。再次运行 kiln run 即可接着算 / run again to go on"


def newest(settings: Settings) -> str:
    """Id of the latest release; empty where there is none, or its place cannot be asked."""
    from resources.releases import latest
    from resources.storage import open_storage

    try:
        release = latest(open_storage(settings.place("published")))
    # Whatever is the matter with the place is no news beside the interruption.
    except Exception:
        return ""
    return release.release_id if release else ""


@contextmanager
def told(settings: Settings) -> Iterator[None]:
    """End with the sentence and its code when the work inside is interrupted before or after its own care for that."""
    try:
        yield
    except KeyboardInterrupt:
        now = newest(settings)
        click.echo(sentence(now, now), err=True)
        sys.exit(INTERRUPTED)
