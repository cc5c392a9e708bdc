"""A province's minutes to hours, mass and compliance, beside polars and DuckDB: `python -m benchmarks.province [--full]`.

Belongs here: the order of the measurements, the comparison of all figures before any ratio. Does not belong
here: the lake (`province_lake`) and how the others make the figures (`province_polars`, `province_duckdb`).

The lake is written straight in the contract of cems_minute: reading packets is measured elsewhere. All outlets are kiln tails with wet,
actual flow, so eight channels are needed: three pollutants, O2, flow, temperature, pressure, humidity, each with its flag.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.province_lake import FIRST, build, minute_files
from contracts.ule import HEADLINE_POLICY
from resources.home import Home
from resources.settings import Settings

POLLUTANTS = ("pm", "so2", "nox")
CHANNELS = (*POLLUTANTS, "o2", "flow", "temperature", "pressure", "humidity")
#: What the figures need of a minute; the label is "start", so neither device nor command number is among it.
NEEDED = ["outlet_id", "data_time", *(f"{c}_{part}" for c in CHANNELS for part in ("avg", "flag"))]
MADE = ("cems_hourly", "cems_signals", "ule_hourly", "ule_monthly", "ule_progress")


@dataclass(frozen=True)
class Law:
    """The numbers that the figures depend on, as the rule book gives them."""

    min_minutes: int
    air_pct: float
    guard_pct: float
    reference_pct: float
    zero_c_k: float
    standard_kpa: float
    limits: dict[str, float]

    @classmethod
    def of(cls, home: Home) -> Law:
        book = home.rules

        def number(name: str) -> float:
            return float(book.parameter(name, FIRST).value)

        limits = {
            p: book.limit("ule", point_type="kiln_tail", pollutant=p, day=FIRST, region_class="general", reductant="ammonia", permits=[])
            for p in POLLUTANTS
        }  # fmt: skip
        return cls(
            int(number("hours.min_valid_minutes")), number("o2.air_constant_pct"), number("o2.undefined_from_pct"),
            book.o2_reference("kiln_tail", FIRST), number("standard.temperature_k"), number("standard.pressure_pa") / 1000,
            {p: row.value_mg_m3 for p, row in limits.items()},
        )  # fmt: skip


# ---- one measurement, in a process of its own ----------------------------------------------------------------------------------


class Clock:
    """Seconds on the wall and of all processors since it was made: on a busy machine the latter are the steadier ones."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        return {"total": time.perf_counter() - self._wall, "cpu": time.process_time() - self._cpu}


class Watch:
    """Seconds of all processors spent in named functions, whoever calls them; none of them calls another."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def over(self, owner: Any, name: str, label: str) -> None:
        inner = getattr(owner, name, None)
        if inner is None:
            return
        self.seconds.setdefault(label, 0.0)

        def timed(*args: Any, **kwargs: Any) -> Any:
            begun = time.process_time()
            try:
                return inner(*args, **kwargs)
            finally:
                self.seconds[label] += time.process_time() - begun

        setattr(owner, name, timed)


def ours(home: Path) -> dict[str, float]:
    """The products `hours` and `judgement` as the night brings them up, signals, contracts, hashes and writing included."""
    from assets import hours
    from assets.products import bring_up, product
    from resources.bench import Bench
    from resources.lake import Lake

    for table in MADE:
        shutil.rmtree(home / "lake" / table, ignore_errors=True)
    made = Home(Settings(home=str(home)))
    hours.make_hours(Bench(made), str(FIRST))  # compiled kernels are loaded beforehand
    watch = Watch()
    watch.over(Bench, "table", "read")
    watch.over(hours, "sent_rows", "rows")
    watch.over(hours, "kernel_rows", "rows")
    watch.over(hours, "hours_of_day", "kernel")
    watch.over(hours, "hour_table", "hour table")
    watch.over(hours, "signal_table", "signals")
    watch.over(Lake, "write", "check and write")
    seconds = {}
    clock = Clock()
    for name in ("hours", "judgement"):
        start = time.perf_counter()
        of = product(name)
        for key in sorted(of.keys(made)):
            bring_up(made, of, key)
        seconds[name] = time.perf_counter() - start
    spent = clock.read()
    parts = watch.seconds
    return {**spent, **seconds, **parts, "elsewhere": spent["cpu"] - sum(parts.values())}


def decode(home: Path) -> dict[str, float]:
    """polars reads the needed columns file by file and keeps nothing."""
    clock = Clock()
    rows = sum(pl.read_parquet(path, columns=NEEDED).height for path in minute_files(home))
    return {**clock.read(), "rows": rows}


def theirs(home: Path, name: str) -> dict[str, float]:
    """Hours and months in memory; written for the comparison once the clock has stopped."""
    from benchmarks import province_duckdb, province_polars

    figures = {"polars": province_polars.figures, "duckdb": province_duckdb.figures}[name]
    law = Law.of(Home(Settings(home=str(home))))
    files = minute_files(home)
    clock = Clock()
    hours, months = figures(files, law)
    spent = clock.read()
    (home / name).mkdir(exist_ok=True)
    hours.write_parquet(home / name / "hours.parquet")
    months.write_parquet(home / name / "months.parquet")
    return spent


# ---- the comparison ------------------------------------------------------------------------------------------------------------


def compare(home: Path, name: str) -> tuple[int, int]:
    """Ours against theirs, hour by hour and month by month; hours and months that agree. SystemExit where anything differs."""
    key = ["outlet_id", "pollutant", "hour"]
    floats = {
        "concentration": "concentration_mg_m3",
        "converted": "converted_mg_m3",
        "flow": "flow_m3_h",
        "mass": "mass_kg",
    }
    text = pl.col("outlet_id", "pollutant").cast(pl.String)
    own = (
        pl.scan_parquet(home / "lake/cems_hourly/*.parquet")
        .filter(pl.col("pollutant").cast(pl.String).is_in(POLLUTANTS))
        .select(*key, "valid_minutes", *(pl.col(c).alias(n) for n, c in floats.items()))
        .with_columns(text)
        .collect()
    )
    other = (
        pl.scan_parquet(home / name / "hours.parquet")
        .with_columns(text, pl.col("hour").cast(pl.Datetime("ms")))
        .collect()
    )
    both = own.join(other, on=key, how="full", suffix="_their", coalesce=True)
    for n in floats:
        a, b = pl.col(n), pl.col(f"{n}_their")
        wrong = both.filter((a.is_null() != b.is_null()) | ((a - b).abs() > 1e-9 * b.abs()))
        if wrong.height:
            raise SystemExit(
                f"{name}: {n} differs in {wrong.height} hours\n{wrong.select(*key, n, f'{n}_their').head()}"
            )
    # Hours without any record stand in our grid alone.
    counts = both.filter(pl.col("valid_minutes") != pl.col("valid_minutes_their").fill_null(0))
    if counts.height or both["valid_minutes"].null_count():
        raise SystemExit(f"{name}: valid minutes differ in {counts.height} hours")
    month_key = ["outlet_id", "pollutant", "month"]
    months = (
        pl.scan_parquet(home / "lake/ule_monthly/*.parquet")
        .with_columns(pl.col("outlet_id", "pollutant", "policy").cast(pl.String))
        .filter((pl.col("policy") == HEADLINE_POLICY) & pl.col("pollutant").is_in(POLLUTANTS))
        .select(*month_key, "judged_hours", "ok_hours")
        .collect()
    )
    their_months = pl.read_parquet(home / name / "months.parquet").with_columns(text)
    joined = months.join(their_months, on=month_key, how="full", suffix="_their", coalesce=True)
    odd = joined.filter(
        pl.any_horizontal(
            pl.col(c).ne_missing(pl.col(f"{c}_their").cast(pl.Int32)) for c in ("judged_hours", "ok_hours")
        )
    )
    if odd.height or not joined.height:
        raise SystemExit(f"{name}: {odd.height} of {joined.height} months differ\n{odd.head()}")
    return both.height, joined.height


# ---- the parent ----------------------------------------------------------------------------------------------------------------


def child(name: str, home: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.province", "--one", name, "--home", str(home)],
        check=True,
        stdout=subprocess.PIPE,
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure(home: Path, outlets: int, days: int, repeats: int) -> list[str]:
    """Lines of Markdown: all four in turns, figures compared, then medians of the ratios of each turn."""
    names = ("decode", "ours", "polars", "duckdb")
    child("ours", home)
    runs: list[dict[str, dict[str, float]]] = []
    for _ in range(repeats):
        runs.append({name: child(name, home) for name in names})
        agreed = {name: compare(home, name) for name in ("polars", "duckdb")}

    def median(pick: Any) -> float:
        return statistics.median(pick(r) for r in runs)

    rows, size = runs[0]["decode"]["rows"], sum(p.stat().st_size for p in minute_files(home))
    hours, months = agreed["polars"]
    parts = {k: median(lambda r, k=k: r["ours"][k]) for k in runs[0]["ours"] if k not in ("total", "cpu", "peak_mib")}
    texts = {
        "decode": "polars, decoding the needed columns and nothing else", "ours": "hours and judgement, signals and writing included",
        "polars": "the same figures in polars, lazy and streaming, in memory", "duckdb": "the same figures in DuckDB SQL, in memory",
    }  # fmt: skip
    lines = []
    for name in names:
        wall, cpu, peak = (median(lambda r, n=name, k=k: r[n][k]) for k in ("total", "cpu", "peak_mib"))
        ratio, cpu_ratio = (median(lambda r, n=name, k=k: r["ours"][k] / r[n][k]) for k in ("total", "cpu"))
        lines.append(
            f"| {texts[name]} | {wall:.2f} | {cpu:.2f} | {rows / wall / 1e6:.1f} | {peak:.0f} | {ratio:.2f}x | {cpu_ratio:.2f}x |"
        )
    return [
        f"{outlets} outlets x {days} days: {rows:,.0f} minute rows, {size / 1e6:,.0f} MB of Parquet. Figures agree in {hours:,} hours x pollutants",
        f"and {months:,} months (counts equal, floats within 1e-9).", "",
        "| what | s | CPU s | M rows/s | peak MiB | ours / it, wall | ours / it, CPU |", "|---|---|---|---|---|---|---|", *lines, "",
        "Ours by part, CPU s but for the first two: " + ", ".join(f"{k} {v:.2f}" for k, v in parts.items()) + ".",
    ]  # fmt: skip


def _peak_mib() -> float:
    """Peak of this program alone: what getrusage says begins at the size of the process that started it."""
    return int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outlets", type=int, default=20)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--full", action="store_true", help="200 outlets, 365 days: 105 M rows")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--home", help="keep the lake here and use it again")
    parser.add_argument("--one", choices=["ours", "decode", "polars", "duckdb"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        home = Path(given.home)
        found = (
            {"ours": ours, "decode": decode}[given.one](home)
            if given.one in ("ours", "decode")
            else theirs(home, given.one)
        )
        found["peak_mib"] = _peak_mib()
        print(json.dumps(found))
        return
    outlets, days = (200, 365) if given.full else (given.outlets, given.days)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(given.home or folder) / f"p{outlets}x{days}"
        home.mkdir(parents=True, exist_ok=True)
        build(home, outlets, days)
        print("\n".join(measure(home, outlets, days, given.repeats)))


if __name__ == "__main__":
    main()
