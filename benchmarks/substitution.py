"""Tables 5 and 6 over a nation for three years, and the mass of one month: `python -m benchmarks.substitution`.

Belongs here: made-up series, the kernel beside the same figures written in polars, and the maker of a month. Does not belong
here: the measurements of a night (`benchmarks/child.py`).

Both give the same masses, compared before any ratio is told. Series are made in blocks of outlets, so that memory is bounded.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from assets.emissions import make_emissions
from assets.products import bring_up, product
from contracts.cems import CEMS_HOURLY
from kernels.capture import INVALID, OUT_OF_CONTROL, STOPPED, VALID, HourCounts, capture_rows, count_hours
from kernels.substitution import Grid, Past, Substituted, Terms, substitute
from resources.bench import Bench
from resources.home import Home
from resources.registry import Device, Outlet, Plant, Registry
from resources.settings import Settings

HOURS = 3 * 8760
TABLES = Terms((180, 720, 2160), 24, hourly=False)
#: Quarters of 2190 hours: what counts is that there are twelve.
QUARTER = np.arange(HOURS) // 2190
POLLUTANTS = ("nox", "pm", "so2")

# Tried and dropped: maxima of all three windows after every valid hour, by three deques, looked up where an episode begins: the
# search takes 1.6 times as long, for only one hour in thirty begins an episode. A scan of the longest window at each episode: 7
# times as long here, and quadratic on a monitor that fails every other hour.


def series(block: int, outlets: int) -> Grid:
    """Failures of 1 h to 3 d, spells out of control, stops of days, a random walk of mass; some outlets are bad for long."""
    rng = np.random.default_rng(block)
    rows = outlets * len(POLLUTANTS)
    kind = np.full((rows, HOURS), VALID, np.int8)
    cut = np.zeros((rows, HOURS), np.int32)
    mass = np.round(np.abs(rng.normal(15, 4, (rows, HOURS))), 3)
    for s in range(rows):
        for what, n, longest in ((INVALID, 400, 4), (INVALID, 12, 72), (OUT_OF_CONTROL, 12, 40), (STOPPED, 8, 600)):
            starts = rng.integers(0, HOURS, n)
            for start, length in zip(starts, rng.integers(1, longest, n), strict=True):
                kind[s, start : start + length] = what
                if what == OUT_OF_CONTROL:
                    cut[s, start : start + length] = max(0, start - int(rng.integers(0, 400)))
        if s % 7 == 0:
            kind[s, rng.random(HOURS) < 0.17] = INVALID
    np.minimum(cut, np.arange(HOURS, dtype=np.int32), out=cut)
    return Grid(kind, np.where(kind == VALID, mass, np.nan), cut)


def by_kernel(grid: Grid) -> Substituted:
    """Rates and masses of a block, on one thread."""
    quarters = [count_hours(np.ascontiguousarray(grid.kind[:, q == QUARTER])) for q in range(12)]
    rows = np.stack([capture_rows(HourCounts(*c), 90, 75) for c in quarters], axis=1)
    return substitute(grid, Past.none(grid.kind.shape[0]), rows, QUARTER, TABLES)


def by_polars(grid: Grid) -> np.ndarray:
    """The same masses as an analyst would write them: runs, rolling maxima over valid hours, joins as of."""
    rows = grid.kind.shape[0]
    frame = pl.DataFrame(
        {
            "s": np.repeat(np.arange(rows, dtype=np.int32), HOURS),
            "h": np.tile(np.arange(HOURS, dtype=np.int32), rows),
            "q": np.tile(QUARTER.astype(np.int8), rows),
            "kind": grid.kind.ravel(),
            "mass": grid.mass.ravel(),
            "cut": grid.cut.ravel(),
        }
    )
    bad = pl.col("kind").is_in([INVALID, OUT_OF_CONTROL])
    rate = (
        frame.lazy()
        .group_by("s", "q")
        .agg((pl.col("kind") == VALID).sum().alias("got"), (pl.col("kind") != STOPPED).sum().alias("due"))
        .with_columns(
            row=pl.when(100 * pl.col("got") >= 90 * pl.col("due"))
            .then(1)
            .when(100 * pl.col("got") >= 75 * pl.col("due"))
            .then(2)
            .otherwise(0)
        )
        .select("s", "q", "row")
    )
    valid = (
        frame.lazy()
        .filter(pl.col("kind") == VALID)
        .select(
            "s", "h", *(pl.col("mass").rolling_max(n, min_samples=1).over("s").alias(f"m{n}") for n in TABLES.windows)
        )
    )
    hours = (
        frame.lazy()
        .with_columns(run=bad.rle_id().over("s"))
        .filter(bad)
        .with_columns(length=pl.len().over("s", "run"))
        .with_columns(
            before=pl.when(pl.col("kind") == OUT_OF_CONTROL)
            .then(pl.col("cut") - 1)
            .otherwise(pl.col("h"))
            .cast(pl.Int32)
        )
        .join(rate, on=["s", "q"])
        .sort("s", "before")
        .join_asof(valid, left_on="before", right_on="h", by="s", strategy="backward", check_sortedness=False)
        .with_columns(
            kg=pl.when(pl.col("row") == 0)
            .then(None)
            .when(pl.col("row") == 2)
            .then("m2160")
            .when(pl.col("length") > TABLES.long_after)
            .then("m720")
            .otherwise("m180")
        )
        .select("s", "h", "kg")
    )
    made = hours.collect()
    mass = np.where(grid.kind == STOPPED, 0.0, grid.mass)
    mass[made["s"].to_numpy(), made["h"].to_numpy()] = made["kg"].to_numpy()
    return mass


def kernels(outlets: int, per_block: int, compared: int) -> None:
    """Time the kernel over everything, polars over the first blocks."""
    by_kernel(series(0, 2))
    blocks = -(-outlets // per_block)
    kernel = 0.0
    pairs: list[tuple[float, float]] = []
    with ThreadPoolExecutor(2) as pool:
        for block in range(blocks):
            grid = series(block, per_block)
            half = grid.kind.shape[0] // 2
            halves = [Grid(*(a[part] for a in grid)) for part in (slice(0, half), slice(half, None))]
            begun = time.perf_counter()
            made = list(pool.map(by_kernel, halves))
            took = time.perf_counter() - begun
            kernel += took
            if block < compared:
                begun = time.perf_counter()
                other = by_polars(grid)
                pairs.append((took, time.perf_counter() - begun))
                if not np.array_equal(np.concatenate([m.mass for m in made]), other, equal_nan=True):
                    raise SystemExit("the kernel and polars differ: no ratio")
    hours = blocks * per_block * len(POLLUTANTS) * HOURS
    ratio = sorted(b / a for a, b in pairs)[len(pairs) // 2]
    print(
        f"| Tables 5 and 6, {blocks * per_block:,} outlets x 3 pollutants x 3 years ({hours / 1e6:.0f} M hours), 2 cores | {kernel:.2f} s, {hours / kernel / 1e6:.0f} M hours/s | polars {ratio:.0f}x |"
    )


def _home(root: str, outlets: int) -> Home:
    always = date(2015, 1, 1)
    plants = tuple(
        Plant(
            f"P{p:04d}", "厂", "plant", "", f"G{p % 40}", f"省{p % 30}", "", None, None, 88.0, "general", always, None
        )
        for p in range(outlets // 2)
    )
    points = tuple(
        Outlet(f"O{o:04d}", f"P{o // 2:04d}", f"L{o // 2:04d}", "kiln_tail", 10.0, 0.9, None, "none", always, None)
        for o in range(outlets)
    )
    devices = tuple(
        Device(
            f"mn{o:04d}",
            f"O{o:04d}",
            1,
            "start",
            "kPa",
            "gauge",
            "m3/h",
            "wet_actual",
            "wet",
            True,
            "valid",
            frozenset({"hj212"}),
            always,
            None,
        )
        for o in range(outlets)
    )
    home = Home(Settings(home=root))
    home.__dict__["registry"] = Registry(plants, (), points, devices, ())
    return home


def _days(home: Home, first: date, count: int) -> None:
    """Days of hours with failures at random; each day lies in the lake as the hours of a night would."""
    outlets = home.registry.outlets
    rows = len(outlets) * len(POLLUTANTS)
    rng = np.random.default_rng(1)
    base = {
        "outlet_id": np.repeat([o.outlet_id for o in outlets], 24 * len(POLLUTANTS)),
        "plant_id": np.repeat([o.plant_id for o in outlets], 24 * len(POLLUTANTS)),
        "line_id": np.repeat([o.line_id for o in outlets], 24 * len(POLLUTANTS)),
        "pollutant": np.tile(np.repeat(POLLUTANTS, 24), len(outlets)),
    }
    frame = pl.DataFrame(base).with_columns(
        point_type=pl.lit("kiln_tail"), minutes=pl.lit(60), flag_system=pl.lit("hj212")
    )
    for n in range(count):
        day = first + timedelta(days=n)
        bad = np.repeat(rng.random(rows) < 0.25, 24) & (rng.random(rows * 24) < 0.15)
        start = datetime.combine(day, datetime.min.time())
        made = frame.with_columns(
            hour=pl.Series([start + timedelta(hours=h) for h in range(24)] * rows),
            mass_kg=pl.Series(np.where(bad, np.nan, np.round(rng.normal(15, 4, rows * 24), 3))).fill_nan(None),
            hour_tag=pl.Series(np.where(bad, "D", "N")),
            valid_minutes=pl.Series(np.where(bad, 0, 60)),
        )
        home.lake.write("cems_hourly", str(day), CEMS_HOURLY.arrow(made, sort=False), made_by="bench", inputs={})


def maker(outlets: int) -> None:
    """The last month of a quarter, with the counts of its months at hand."""
    root = tempfile.mkdtemp()
    try:
        home = _home(root, outlets)
        _days(home, date(2026, 2, 1), 60)
        months = ("2026-02", "2026-03")
        for name, label in (("capture", "capture_monthly"), ("emissions", "the five tables of mass")):
            bring_up(home, product(name), months[0], force=True)
            begun = time.perf_counter()
            outcome = bring_up(home, product(name), months[1], force=True)
            print(
                f"| {label} of a month, {outlets:,} outlets ({outcome.rows if outcome else 0:,} rows) | {time.perf_counter() - begun:.1f} s | |"
            )
        begun = time.perf_counter()
        bring_up(home, product("emissions_year"), "2026", force=True)
        print(f"| the year's tables from two months | {time.perf_counter() - begun:.1f} s | |")
        bench = Bench(home)
        begun = time.perf_counter()
        make_emissions(bench, months[1])
        looked = sorted(n for n in bench.inputs if n.startswith("table:cems_hourly"))
        print(
            f"| of which without writing; days of hours opened: {len(looked)} | {time.perf_counter() - begun:.1f} s | |"
        )
    finally:
        shutil.rmtree(root)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outlets", type=int, default=3000)
    parser.add_argument("--block", type=int, default=100)
    parser.add_argument("--compared", type=int, default=3, help="blocks that polars runs over as well")
    given = parser.parse_args()
    print("| what | took | against |\n|---|---|---|")
    kernels(given.outlets, given.block, given.compared)
    maker(given.outlets)
    print(f"\npeak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
