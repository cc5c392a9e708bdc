"""Measure, and write benchmarks/RESULTS.md. `--nation` adds the nation-day (3,000 outlets; some 10 GB of disk).

Belongs here: sizes, repetition and the table. Does not belong here: what is timed (`benchmarks/child.py`).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

from benchmarks import carbon, factor_change
from simulator import Dirt, simulate

RESULTS = Path(__file__).parent / "RESULTS.md"
DAY = date(2026, 11, 1)
CARBON = "## Carbon"


def child(name: str, home: Path) -> dict[str, float]:
    """One measurement in a fresh process; its own messages go nowhere."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.child", name, str(home)],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return json.loads(done.stdout.splitlines()[-1])


def median(runs: list[dict[str, float]]) -> dict[str, float]:
    return {k: statistics.median(r[k] for r in runs) for k in runs[0]}


def simulated(root: Path, outlets: int) -> tuple[Path, float]:
    home = root / f"n{outlets}"
    made = simulate(
        home,
        outlets=outlets,
        first=DAY,
        days=1,
        seed=7,
        dirt=Dirt.default(),
        layout="one-file-day",
        interval_min=1,
        truth=(),
    )
    return home, made.text_bytes / 1e6


def reader_rows(home: Path, mb: float, repeats: int) -> list[str]:
    child("raw", home)  # compile and warm the page cache
    scan = child("scan", home)
    raw = median([child("raw", home) for _ in range(repeats)])
    return [
        "| what | MB/s | ratio |",
        "|---|---|---|",
        f"| plain Python: split, table CRC, one core, rows in memory | {scan['plain'] / 1e6:.1f} | 1x |",
        f"| scan kernel, one core ({scan['packets']:,.0f} packets/s) | {scan['kernel'] / 1e6:.0f} | {scan['kernel'] / scan['plain']:.0f}x |",
        (
            f"| capture -> `cems_minute` Parquet, SHA-256, CRC, de-duplicated, quarantined, {os.cpu_count()} cores ({mb:.0f} MB) "
            f"| {mb / raw['total']:.0f} | {mb * 1e6 / raw['total'] / scan['plain']:.0f}x |"
        ),
    ]


def night_rows(home: Path, label: str, mb: float, repeats: int) -> list[str]:
    runs = median([child("direct", home) for _ in range(repeats)])
    parts = ", ".join(f"{k} {runs[k]:.1f}" for k in ("intake", "raw", "labels", "hours", "judgement", "release"))
    return [
        f"| {label} | {mb:.0f} | {runs['total']:.1f} | {mb / runs['total']:.0f} | {runs['peak_mib']:.0f} | {parts} |"
    ]


def dagster_rows(home: Path, label: str, repeats: int) -> list[str]:
    pairs = [(child("direct", home), child("dagster", home)) for _ in range(repeats)]
    plain = statistics.median(a["total"] for a, _ in pairs)
    night = statistics.median(b["total"] for _, b in pairs)
    share = statistics.median((b["total"] - a["total"]) / b["total"] for a, b in pairs)
    return [f"| {label} | {plain:.1f} | {night:.1f} | {100 * share:.0f} % |"]


def carbon_rows(folder: Path) -> list[str]:
    """Totals, draws, and a changed factor, of 1,500 plants; a machine that is shared tells more by its CPU seconds."""
    return [
        CARBON, "", f"1,500 plants of one line, on {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores.", "", *small_carbon_rows(), "",
        "A factor changes, three years of ledgers, the default methods:", "",
        "| factor | s | CPU s | peak MiB | seconds by step (CPU) | partitions made | restatements |", "|---|---|---|---|---|---|---|",
        *factor_change.rows(folder / "carbon", 1500, 3), "",
    ]  # fmt: skip


def small_carbon_rows() -> list[str]:
    totals, draws = carbon.compare(1500), carbon.drawn(1500)
    return [
        "| what | s | CPU s | beside |", "|---|---|---|---|",
        (f"| totals of {totals['rows']:,.0f} rows (plants x 12 months x 20 sources x 3 years), both ways of adding, exact at ties "
         f"| {totals['kernels']:.2f} | | plain doubles in polars, not exact: {totals['polars']:.2f} s |"),
        (f"| 10,000 draws of {draws['inputs']:.0f} inputs of every line | {draws['wall']:.1f} | {draws['cpu']:.1f} | |"),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nation", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=("carbon",), help="write these rows anew and keep the others")
    given = parser.parse_args()
    if given.only:
        with tempfile.TemporaryDirectory() as folder:
            kept = RESULTS.read_text(encoding="utf-8").partition(f"\n{CARBON}\n")[0].rstrip("\n")
            RESULTS.write_text("\n".join([kept, "", *carbon_rows(Path(folder))]), encoding="utf-8")
        return
    with tempfile.TemporaryDirectory() as folder:
        province, mb = simulated(Path(folder), 200)
        lines = [
            "# Results", "",
            (f"Written by `python -m benchmarks` on {datetime.now(UTC):%Y-%m-%d} ({platform.machine()}, {os.cpu_count()} cores, Python "
            f"{platform.python_version()}); medians of {given.repeats} runs, each in a process of its own, kernels compiled. Do not edit."),
            "", "## Reader", "", *reader_rows(province, mb, given.repeats),
            "", "## Capture to release, one day", "",
            "| size | text MB | s | MB/s | peak MiB | seconds by product |", "|---|---|---|---|---|---|",
            *night_rows(province, "province-day, 200 outlets", mb, given.repeats),
        ]  # fmt: skip
        share = dagster_rows(province, "province-day", given.repeats)
        if given.nation:
            nation, nation_mb = simulated(Path(folder), 3000)
            lines += night_rows(nation, "nation-day, 3,000 outlets", nation_mb, 1)
            share += dagster_rows(nation, "nation-day", 1)
        carbon_part = carbon_rows(Path(folder))
        lines += [
            "", "## What Dagster takes", "",
            "The same work called directly and through the nightly job with its event storage (imports of Dagster included).", "",
            "| size | direct s | nightly job s | share |", "|---|---|---|---|", *share, "", *carbon_part,
        ]  # fmt: skip
    RESULTS.write_text("\n".join(lines), encoding="utf-8")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
