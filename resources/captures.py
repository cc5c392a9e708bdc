"""Captures as blocks of bytes: plain, .gz and .zst, of any size, in bounded memory.

Belongs here: opening, decompressing, hashing and cutting a file into blocks that end where a frame may end. Does not belong
here: what the bytes mean (`kernels/hj212.py`) and what becomes of them (`resources/hj212_reader.py`).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

import numpy as np
import zstandard

from kernels.hj212 import LONGEST_FRAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from resources.storage import Storage

BLOCK_BYTES = 16 << 20
#: How far back from the room for the longest frame a line feed is looked for.
_LINE_ROOM = 65_536
#: Bytes that a block may hand on to the next one.
LOOK_AHEAD = LONGEST_FRAME + _LINE_ROOM


class CaptureError(Exception):
    """A capture cannot be read to its end; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class Block:
    """Part of a decompressed capture: frames that open in `buf[:stop]` are this block's, the rest is look-ahead.

    `offset` is the place of `buf[0]` in the decompressed capture; `at_end` says that nothing follows `buf`. `memory` may be
    given back to the capture (`Capture.recycle`) once nothing of the block is needed any more.
    """

    offset: int
    buf: NDArray[np.uint8]
    stop: int
    at_end: bool
    memory: NDArray[np.uint8]


class _Hashing(io.RawIOBase):
    """Bytes on their way from disk to the decompressor, hashed as they pass."""

    def __init__(self, source: IO[bytes], prefix: int) -> None:
        self._source = source
        self._sha = hashlib.sha256()
        self._prefix = prefix
        self.count = 0
        self.prefix_sha256 = ""

    def readable(self) -> bool:
        return True

    def readinto(self, into: object) -> int:
        view = memoryview(cast("bytearray", into)).cast("B")
        n = cast("io.RawIOBase", self._source).readinto(view) or 0
        self._update(view[:n])
        return n

    def _update(self, data: memoryview) -> None:
        ahead = self._prefix - self.count
        if 0 < ahead <= len(data):
            self._sha.update(data[:ahead])
            self.prefix_sha256 = self._sha.hexdigest()
            self._sha.update(data[ahead:])
        else:
            self._sha.update(data)
        self.count += len(data)

    def drain(self) -> str:
        """Read what the decompressor left unread; the SHA-256 of the whole file."""
        spare = bytearray(1 << 20)
        while self.readinto(spare):
            pass
        return self._sha.hexdigest()


class Capture:
    """One capture, read once from front to back; `sha256`, `bytes` and `text_bytes` are known after the last block.

    `prefix` asks for the SHA-256 of the first that many bytes too: how a grown file is told from a replaced one.
    """

    def __init__(self, storage: Storage, key: str, prefix: int = 0, block_bytes: int = BLOCK_BYTES) -> None:
        self._storage = storage
        self._key = key
        self._prefix = prefix
        self._block_bytes = block_bytes
        self.sha256 = ""
        self.prefix_sha256 = ""
        self.bytes = 0
        self.text_bytes = 0
        self._spare: list[NDArray[np.uint8]] = []

    def recycle(self, block: Block) -> None:
        """Take a block's memory back. Fresh pages for every block cost more than reading the bytes into them."""
        self._spare.append(block.memory)

    def blocks(self) -> Iterator[Block]:
        """The blocks in order. Raises CaptureError when the file is cut or not what its name says."""
        with self._storage.open(self._key) as source:
            hashing = _Hashing(source, self._prefix)
            try:
                yield from self._cut(self._plain(hashing))
            except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
                raise CaptureError(
                    f"landing/{self._key}: cannot be decompressed beyond byte {self.text_bytes} of its text ({error}); "
                    "send the file again / 无法解压，请重新发送该文件"
                ) from error
            finally:
                self.sha256 = hashing.drain()
                self.prefix_sha256 = hashing.prefix_sha256
                self.bytes = hashing.count

    def _plain(self, hashing: _Hashing) -> IO[bytes]:
        if self._key.lower().endswith(".gz"):
            return cast("IO[bytes]", gzip.GzipFile(fileobj=cast("IO[bytes]", hashing), mode="rb"))
        if self._key.lower().endswith((".zst", ".zstd")):
            return cast("IO[bytes]", _Zstd(hashing))
        return cast("IO[bytes]", hashing)

    def _cut(self, plain: IO[bytes]) -> Iterator[Block]:
        kept = np.empty(0, np.uint8)
        offset = 0
        ended = False
        while not ended:
            memory = self._spare.pop() if self._spare else np.empty(self._block_bytes + LOOK_AHEAD, np.uint8)
            buf = memory[: kept.size + self._block_bytes]
            buf[: kept.size] = kept
            filled = kept.size
            while filled < buf.size:
                n = plain.readinto(buf[filled:].data)  # type: ignore[attr-defined]
                if not n:
                    ended = True
                    break
                filled += n
                self.text_bytes += n
            buf = buf[:filled]
            stop = buf.size if ended else _safe_stop(buf)
            kept = buf[stop:].copy()
            yield Block(offset, buf, stop, ended, memory)
            offset += stop


class _Zstd(io.RawIOBase):
    """Frames of zstd after each other. The library's own stream reader ends in silence where a frame is cut short."""

    def __init__(self, source: _Hashing) -> None:
        self._source = source
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._ready = memoryview(b"")
        self._open = False

    def readable(self) -> bool:
        return True

    def readinto(self, into: object) -> int:
        view = memoryview(cast("bytearray", into)).cast("B")
        while not self._ready:
            raw = self._source.read(1 << 20)
            if not raw:
                if self._open:
                    raise EOFError("a zstd frame is cut short")
                return 0
            self._ready = memoryview(self._decompressed(raw))
        n = min(len(view), len(self._ready))
        view[:n] = self._ready[:n]
        self._ready = self._ready[n:]
        return n

    def _decompressed(self, raw: bytes) -> bytes:
        made = []
        while raw:
            made.append(self._frame.decompress(raw))
            self._open = not self._frame.eof
            raw = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
        return b"".join(made)


def _safe_stop(buf: NDArray[np.uint8]) -> int:
    """Behind the last line feed that leaves room for the longest frame; the room itself when there is none."""
    room = max(buf.size - LONGEST_FRAME, 1)
    tail = buf[max(0, room - _LINE_ROOM) : room].tobytes()
    last = tail.rfind(b"\n")
    return max(0, room - _LINE_ROOM) + last + 1 if last >= 0 else room
