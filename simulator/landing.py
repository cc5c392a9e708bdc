"""Capture files of a simulated landing zone.

Belongs here: names, compression, writing in one step. Does not belong here: what the files hold (`capture`).
"""

from __future__ import annotations

import gzip
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Protocol

import zstandard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

SUFFIXES = {None: ".txt", "gz": ".txt.gz", "zst": ".txt.zst"}


class Sink(Protocol):
    """Something that bytes can be written to."""

    def write(self, data: memoryview | bytes, /) -> int:
        """Append `data`."""
        ...


def capture_key(day: date, name: str, compress: str | None) -> str:
    """Path of a capture below landing/, with `/` between folders."""
    return f"cems/{day.isoformat()}/{name}{SUFFIXES[compress]}"


@contextmanager
def capture_file(path: Path, compress: str | None) -> Iterator[Sink]:
    """A file that appears under its name only when it is whole; the same content gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as raw:
            yield from _compressed(raw, compress)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _compressed(raw: IO[bytes], compress: str | None) -> Iterator[Sink]:
    if compress is None:
        yield raw
    elif compress == "gz":
        # The name and time that gzip would put into its header are left out: they would differ from run to run.
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=1) as packed:
            yield packed
    else:
        with zstandard.ZstdCompressor(level=3).stream_writer(raw, closefd=False) as stream:
            yield stream
