"""A fuzz target over the packet reader with rule 5.1 as its oracle: `python -m tests.fuzz_reader --seconds 20`.

Every byte of a stream of damaged packets must end in exactly one accepted frame, one quarantined frame, or noise; rows
must be as many as accepted data frames; and nothing may crash, whatever the damage.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from contracts.channels import CHANNEL_NAMES
from kernels import hj212
from resources.factors_hj212 import channel_codes
from tests.homes import minute

PIECES = [
    b"##",
    b"&&",
    b"\r\n",
    b";",
    b",",
    b"=",
    b"-",
    b"##0012",
    b"\x00",
    b"CP=&&",
    b"MN=",
    b"\xff\xfe",
    b"####",
    b"##9999",
]


def sample_stream(rng: np.random.Generator, packets: int) -> bytes:
    """Packets of several kinds with log text between some of them."""
    parts = []
    for i in range(packets):
        time_text = f"20261101{i // 60 % 24:02d}{i % 60:02d}00"
        pairs = f"a34013-Avg={rng.random() * 9:.2f},a34013-Flag=N;a21002-Avg={rng.random() * 60:.1f},a21002-ZsAvg=48;a19001-Avg=10.2"
        if rng.random() < 0.2:
            pairs += ";e1-Foo=abc;a34013-EFlag=12;备注=停窑"
        cn = int(rng.choice([2051, 2051, 2051, 2061, 2011]))
        qn = f"{time_text}{i % 1000:03d}" if rng.random() < 0.7 else ""
        raw = minute(time_text, pairs, mn="X" if rng.random() < 0.9 else "Y", qn=qn, cn=cn)
        # LEN counts characters; the helper counted bytes.
        parts.append(b"[2026-11-01 00:00:00] \xc1\xaa " + raw if rng.random() < 0.3 else raw)
    return b"".join(parts)


def damaged(raw: bytes, rng: np.random.Generator, hits: int) -> bytes:
    """Bytes lost, changed, doubled or put in, at random places."""
    made = bytearray(raw)
    for _ in range(hits):
        at = int(rng.integers(0, max(len(made), 1)))
        kind = int(rng.integers(0, 5))
        if kind == 0 and made:
            made[min(at, len(made) - 1)] = int(rng.integers(0, 256))
        elif kind == 1:
            del made[at : at + int(rng.integers(1, 5))]
        elif kind == 2:
            made[at:at] = PIECES[int(rng.integers(0, len(PIECES)))]
        elif kind == 3:
            made[at:at] = made[at : at + int(rng.integers(1, 400))]
        else:
            del made[at : at + int(rng.integers(1, 2000))]
    return bytes(made)


def conserved(raw: bytes, tables: hj212.Tables, work: hj212.Workspace) -> int:
    """Scan a whole stream and hold rule 5.1; the number of frames."""
    buf = np.frombuffer(raw, np.uint8)
    at = frames = 0
    while at < buf.size:
        work.clear()
        end = hj212.scan_some(buf, at, buf.size, tables, work, at_end=True)
        n, rows, _, noise = (int(c) for c in work.counts)
        found = work.frames[:n]
        spans = int((found[:, 1] - found[:, 0]).sum())
        if spans + noise != end - at:
            raise AssertionError(f"{end - at} bytes scanned, {spans} in frames, {noise} noise")
        if (found[1:, 0] < found[:-1, 1]).any():
            raise AssertionError("frames overlap")
        if int((found[:, 8] >= 0).sum()) != rows:
            raise AssertionError("rows and data frames differ")
        if end <= at:
            raise AssertionError(f"no progress at byte {at}")
        frames += n
        at = end
    return frames


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    codes = {c: CHANNEL_NAMES.index(n) for c, n in channel_codes().items()}
    tables = hj212.Tables(codes, ["X"], [1], (0, 4_102_444_800_000))
    work = hj212.Workspace(len(CHANNEL_NAMES))
    rng = np.random.default_rng(given.seed)
    stream = sample_stream(rng, 2000)
    until = time.monotonic() + given.seconds
    frames = streams = 0
    while time.monotonic() < until:
        raw = damaged(stream, rng, int(rng.integers(1, 400)))
        try:
            frames += conserved(raw, tables, work)
        except AssertionError as error:
            sys.stderr.write(f"seed {given.seed}, stream {streams}: {error}\n")
            return 1
        streams += 1
    sys.stdout.write(f"{frames:,} frames in {streams:,} damaged streams: every byte accounted for\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
