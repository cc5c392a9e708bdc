"""One measurement in a process of its own, so that its memory is its own: `python -m benchmarks.child NAME HOME`.

Belongs here: what is timed. Does not belong here: which sizes, and the table (`benchmarks/__main__.py`).
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import time
from pathlib import Path

from assets.products import PRODUCTS, bring_up
from assets.release import publish_release
from resources.home import Home
from resources.settings import Settings


def opened(home: str) -> Home:
    for room in ("lake", "published", "dagster"):
        shutil.rmtree(Path(home) / room, ignore_errors=True)
    made = Home(Settings(home=home))
    _ = made.registry, made.rules, made.intake
    return made


def direct(home: str, upto: str = "") -> dict[str, float]:
    """Capture to `upto` (default: release) without Dagster, compiled kernels loaded beforehand."""
    made = opened(home)
    seconds: dict[str, float] = {}
    begun = time.perf_counter()
    taken = made.intake.take_in(lambda _: None)
    seconds["intake"] = time.perf_counter() - begun
    rows = 0
    for product in PRODUCTS:
        start = time.perf_counter()
        outcomes = [o for k in sorted(product.keys(made)) if (o := bring_up(made, product, k))]
        seconds[product.name] = time.perf_counter() - start
        rows += sum(o.rows for o in outcomes) if product.name == "raw" else 0
        if product.name == upto:
            break
    if not upto:
        start = time.perf_counter()
        publish_release(made, [])
        seconds["release"] = time.perf_counter() - start
    return {**seconds, "total": time.perf_counter() - begun, "bytes": taken.bytes, "rows": rows}


def dagster(home: str) -> dict[str, float]:
    """The same through the nightly job, with its event storage."""
    made = opened(home)
    from pipelines.runs import run_night

    begun = time.perf_counter()
    outcome = run_night(made.settings, everything=True)
    if outcome.code:
        raise SystemExit(outcome.text)
    return {"total": time.perf_counter() - begun}


def scan(home: str) -> dict[str, float]:
    """The scan kernel alone on one core, the plain parser beside it, in turns."""
    import numpy as np

    from benchmarks.plain_parser import parse
    from contracts.channels import CHANNEL_NAMES
    from kernels import hj212
    from resources.factors_hj212 import channel_codes

    made = Home(Settings(home=home))
    mns = sorted({d.mn for d in made.registry.devices})
    codes = {c: CHANNEL_NAMES.index(n) for c, n in channel_codes().items()}
    tables = hj212.Tables(codes, mns, [1] * len(mns), (0, 4_102_444_800_000))
    work = hj212.Workspace(len(CHANNEL_NAMES))
    file = max((Path(home) / "landing").rglob("*.txt"), key=lambda p: p.stat().st_size)
    raw = file.read_bytes()[: 64 << 20]
    buf = np.frombuffer(raw, np.uint8)
    small = raw[: 4 << 20]

    def kernel() -> int:
        at = frames = 0
        while at < buf.size:
            at = hj212.scan_some(buf, at, buf.size, tables, work, at_end=True)
            frames += int(work.counts[0])
            work.clear()
        return frames

    frames = kernel()
    fast, slow = [], []
    for _ in range(5):
        start = time.perf_counter()
        kernel()
        fast.append(buf.size / (time.perf_counter() - start))
        start = time.perf_counter()
        parse(small)
        slow.append(len(small) / (time.perf_counter() - start))
    return {"kernel": sorted(fast)[2], "plain": sorted(slow)[2], "packets": sorted(fast)[2] / buf.size * frames}


def main() -> None:
    name, home = sys.argv[1:]
    found = {"direct": direct, "raw": lambda h: direct(h, "raw"), "dagster": dagster, "scan": scan}[name](home)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({**found, "peak_mib": peak}) + "\n")


if __name__ == "__main__":
    main()
