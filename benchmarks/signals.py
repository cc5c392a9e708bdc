"""What signals cost: their share of a day of hours, beside polars, and the patterns of a nation's month: `python -m benchmarks.signals`.

Belongs here: the hour kernel with and without the minute checks in turns, two checks written in polars and compared figure by
figure before a ratio counts, the pattern kernels over a nation's series. Does not belong here: packets to Parquet (`__main__`).

`--home` takes a home that has the raw day already (with `--day`); else 200 outlets are simulated.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from assets.fleet import fleet_at, outlet_facts
from assets.hour_rules import rules_of
from assets.hours import make_hours
from assets.products import bring_up, product
from assets.sent_rows import COLUMNS, MINUTE, kernel_rows, sent_rows
from assets.signal_minutes import doubts_of
from kernels import signal_patterns as patterns
from kernels.declared import nothing_declared
from kernels.hours import Day, hours_of_day
from kernels.minutes import CHANNEL_ORDER
from kernels.signal_episodes import EQUAL, ZERO
from resources.bench import Bench
from resources.home import Home
from resources.settings import Settings
from simulator import Dirt, simulate

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = date(2026, 11, 1)
CHANNELS = ("pm", "so2", "nox")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    made = work()
    return time.perf_counter() - start, made


def simulated(root: Path) -> Home:
    simulate(
        root,
        outlets=200,
        first=DAY,
        days=1,
        seed=7,
        dirt=Dirt.default(),
        layout="one-file-day",
        interval_min=1,
        truth=(),
    )
    home = Home(Settings(home=str(root)))
    home.intake.take_in(lambda _: None)
    for name in ("raw", "labels"):
        for key in sorted(product(name).keys(home)):
            bring_up(home, product(name), key)
    return home


def ours(home: Home, day: date) -> tuple[Day, Day, list[str], int]:
    """The kernel's day without and with doubts, outlets in its order, minute rows; labels are all taken as start."""
    fleet, book = fleet_at(home.registry, day), home.rules
    rules, facts = rules_of(book, day), outlet_facts(fleet, book)
    sent = sent_rows([home.lake.read("cems_minute", str(day), COLUMNS)], MINUTE)
    labels = dict.fromkeys(fleet.devices, "start")
    rows = kernel_rows(sent, fleet.speakers(sent, labels), len(fleet.outlets), day)
    declared = nothing_declared(len(fleet.outlets))
    plain = Day(rows, facts, rules.classes, rules.rules, declared)
    return plain, plain._replace(doubts=doubts_of(book, day)), [o.outlet_id for o in fleet.outlets], rows.run.size


def in_polars(home: Home, day: date) -> pl.DataFrame:
    """Minutes of A02 and A03 by outlet and channel, of rows without a flag or flagged N."""
    names = [*CHANNELS, "o2", "velocity"]
    columns = ["outlet_id", "mn", "data_time", *(f"{c}_{part}" for c in names for part in ("avg", "flag"))]
    book = home.rules
    air, idle, least, most = (
        float(book.parameter(name, day).value)
        for name in (
            "o2.near_air_above_pct",
            "signals.idle_velocity_m_s",
            "signals.equal_minutes",
            "signals.zero_minutes",
        )
    )
    paths = [p.path for p in home.lake.partition("cems_minute", str(day)).parts]
    frame = pl.scan_parquet([home.lake.storage.url(p) for p in paths]).select(columns)
    frame = frame.with_columns(
        pl.col("outlet_id").cast(pl.String), pl.col("data_time").dt.truncate("1m").alias("minute")
    )
    frame = frame.unique(["outlet_id", "minute"], keep="last").sort("outlet_id", "minute")

    def valid(name: str) -> pl.Expr:
        return pl.when(pl.col(f"{name}_flag").cast(pl.String).fill_null("N") == "N").then(pl.col(f"{name}_avg"))

    on = pl.when(valid("o2").is_not_null()).then(valid("o2") <= air).when(valid("velocity").is_not_null())
    on = on.then(valid("velocity") > idle).otherwise(True)
    made = []
    for name in CHANNELS:
        x = frame.with_columns(pl.when(on).then(valid(name)).alias("x")).select("outlet_id", "minute", "x")
        gap = (
            (pl.col("minute").diff() != pl.duration(minutes=1)) | pl.col("x").is_null() | pl.col("x").shift(1).is_null()
        )
        begins = (gap | (pl.col("x") != pl.col("x").shift(1))).fill_null(True).over("outlet_id")
        runs = x.with_columns(begins.cum_sum().over("outlet_id").alias("run")).filter(pl.col("x") > 0)
        equal = (
            runs.group_by("outlet_id", "run")
            .len()
            .filter(pl.col("len") >= least)
            .group_by("outlet_id")
            .agg(pl.col("len").sum())
        )
        zeros = (
            x.filter(pl.col("x") <= 0)
            .group_by("outlet_id", pl.col("minute").dt.truncate("1h"))
            .len()
            .filter(pl.col("len") > most)
        )
        for check, found in ((EQUAL, equal), (ZERO, zeros.group_by("outlet_id").agg(pl.col("len").sum()))):
            made.append(
                found.select(
                    "outlet_id",
                    pl.lit(name).alias("channel"),
                    pl.lit(check).alias("check"),
                    pl.col("len").cast(pl.Int64),
                )
            )
    return pl.concat(pl.collect_all(made)).sort("outlet_id", "channel", "check")


def of_kernel(outlets: list[str], found: Any) -> pl.DataFrame:
    rows = [
        (outlets[i], CHANNEL_ORDER[found.channel[i, k]], int(found.check[i, k]), int(found.minutes[i, k]))
        for i in np.flatnonzero(found.count).tolist()
        for k in range(int(found.count[i]))
        if found.check[i, k] in (EQUAL, ZERO) and CHANNEL_ORDER[found.channel[i, k]] in CHANNELS
    ]
    frame = pl.DataFrame(rows, ["outlet_id", "channel", "check", "len"], orient="row")
    return (
        frame.group_by("outlet_id", "channel", "check").agg(pl.col("len").sum()).sort("outlet_id", "channel", "check")
    )


def a_day(home: Home, day: date, repeats: int) -> list[str]:
    plain, doubting, outlets, rows = ours(home, day)
    hours_of_day(plain), hours_of_day(doubting)
    pairs = [(timed(lambda: hours_of_day(plain)), timed(lambda: hours_of_day(doubting))) for _ in range(repeats)]
    without, found = statistics.median(a[0] for a, _ in pairs), pairs[0][1][1].signals
    extra = statistics.median(b[0] - a[0] for a, b in pairs)
    whole, made = timed(lambda: make_hours(Bench(home), str(day)))
    lines = [
        f"{len(outlets)} outlets, {rows:,} minute rows: hour kernel {without:.2f} s, checks {extra:.2f} s ({rows / max(extra, 1e-9) / 1e6:.1f} M rows/s)",
        f"the whole product {whole:.2f} s: checks are {100 * extra / whole:.1f} % of it; {made['cems_signals'].num_rows} signals",
    ]
    # Labels and intervals are the registry's affair: both sides take DataTime as it is, minute by minute.
    slow, theirs = timed(lambda: in_polars(home, day))
    kernel = of_kernel(outlets, found)
    every_minute = {d.outlet_id for d in home.registry.devices_at(day) if d.interval_min == 1}
    single = {o for o in every_minute if sum(d.outlet_id == o for d in home.registry.devices_at(day)) == 1}
    both = [f.filter(pl.col("outlet_id").is_in(list(single))) for f in (kernel, theirs)]
    agree = (
        both[0]
        .with_columns(pl.col("check").cast(pl.Int32))
        .equals(both[1].with_columns(pl.col("check").cast(pl.Int32)))
    )
    if not agree:
        differ = both[0].join(
            both[1], on=["outlet_id", "channel", "check"], how="full", coalesce=True, suffix="_polars"
        )
        raise SystemExit(
            f"A02 and A03 differ from polars:\n{differ.filter(pl.col('len').ne_missing(pl.col('len_polars')))}"
        )
    lines.append(
        f"A02 and A03 of three channels in polars {slow:.2f} s, {both[0].height} figures equal; seven checks of all channels here {extra:.2f} s"
    )
    return lines


def a_month(outlets: int) -> list[str]:
    """The pattern kernels over invented series: 45 days, 2.2 series an outlet, of which most are dust."""
    rng = np.random.default_rng(1)
    x = rng.uniform(5, 15, (int(outlets * 2.2), 45 * 24))
    n = x.shape[0]
    everything: dict[str, Callable[[], Any]] = {
        "A01": lambda: patterns.narrow(x, 6, np.full(n, 0.4)),
        "A04": lambda: patterns.narrow(x, 24, np.full(n, np.inf), 1.22),
        "A05": lambda: patterns.spikes(x, np.full(n, 10.0), 0.05),
        "A14": lambda: patterns.lift(x, np.full(n, 10.0), x > 14.9, 1, 0),
        "A16": lambda: [patterns.alike(x[:outlets, d * 24 : d * 24 + 24], 0.99, 0.25, 0.01) for d in range(31)],
        "A17": lambda: patterns.replays(x, 0.25, 0.01),
        "A23": lambda: patterns.nights(x, np.arange(24) < 6, 14, 72),
    }
    for work in everything.values():
        work()
    return [
        f"{outlets} outlets, {n} series, 45 days: "
        + ", ".join(f"{k} {timed(w)[0]:.2f} s" for k, w in everything.items())
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home")
    parser.add_argument("--day", type=date.fromisoformat, default=DAY)
    parser.add_argument("--outlets", type=int, default=3000)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Settings(home=given.home)) if given.home else simulated(Path(folder))
        for line in [*a_day(home, given.day, given.repeats), *a_month(given.outlets)]:
            sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
