"""Carbon: the kernels against the same figures written in polars, and the makers of a month and a year of many plants.

Belongs here: invented ledgers of any size, both ways of computing, their comparison, the times. Does not belong here: figures that
mean anything.

`python -m benchmarks.carbon [plants]`
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from assets.products import bring_up, product
from contracts import TABLES
from kernels.carbon import Rounding, Rows
from kernels.carbon_forms import DEDUCTION, FACTOR, FUEL, MOST_CONSTANTS, SLOTS, TERMS
from kernels.carbon_sums import month_figures, totals, year_figures
from kernels.uncertainty import NORMAL, TRIANGULAR, Inputs, Terms, spread
from kernels.uncertainty_fold import fold
from kernels.uncertainty_variance import variance
from resources.home import Home
from resources.methods import MethodBook
from resources.settings import Settings

MONTHS, FUELS, MATERIALS, YEARS = 12, 7, 12, 3
SOURCES = FUELS + 1 + MATERIALS
COALS = ("anthracite", "bituminous", "lignite", "petcoke", "gangue", "coke", "slurry_coal")
#: Usual heating values of the first six, GJ/t.
USUAL_NCV = (22.867, 23.076, 14.759, 32.5, 8.374, 28.435)
SUBSTITUTES = ("carbide_slag", "steel_slag", "fly_ash", "red_mud", "copper_slag", "phosphorus_slag", "slaked_lime", "nickel_slag",
               "zinc_slag", "phosphogypsum", "manganese_slag", "magnesium_slag")  # fmt: skip


def invented(lines: int) -> Rows:
    """Rows by line-year, source and month: amounts with two decimals, heating values with three."""
    rng = np.random.default_rng(7)
    shape = (lines, SOURCES, MONTHS)
    form = np.empty(shape, np.int8)
    form[:, :FUELS], form[:, FUELS], form[:, FUELS + 1 :] = FUEL, FACTOR, DEDUCTION
    terms = np.zeros((*shape, SLOTS))
    terms[..., 0] = np.round(rng.uniform(100, 15000, shape), 2)
    terms[:, FUELS, :, 0] = np.round(rng.uniform(50000, 200000, (lines, MONTHS)), 2)
    terms[:, :FUELS, :, 1] = np.round(rng.uniform(18, 26, (lines, FUELS, MONTHS)), 3)
    terms[:, :FUELS, :, 2], terms[:, :FUELS, :, 3] = 0.02618, 99
    terms[:, FUELS, :, 1], terms[:, FUELS + 1 :, :, 1] = 0.535, 0.055
    n = form.size
    return Rows(form.ravel(), np.zeros(n, np.int8), terms.reshape(n, SLOTS))


def rounding() -> Rounding:
    decimals = np.full((1, len(TERMS), SLOTS), -1, np.int8)
    decimals[0, :, 0] = 2
    decimals[0, FUEL, 1:3] = 3, 5
    return Rounding(decimals, np.array([2], np.int8), np.array([False]), np.full((1, MOST_CONSTANTS), np.nan))


def kernels(rows: Rows, lines: int) -> tuple[np.ndarray, np.ndarray]:
    """Totals of line-years: annual_weighted, monthly_sum."""
    rules = rounding()
    sources = np.arange(0, lines * SOURCES * MONTHS + 1, MONTHS)
    units = (np.arange(lines)[:, None] * SOURCES + np.arange(FUELS + 1)).ravel()
    units = np.append(units, lines * SOURCES)
    yearly = year_figures(rows, sources, units, rules)
    accounts = np.arange(0, lines * (FUELS + 1) + 1, FUELS + 1)
    every = np.arange(lines * (FUELS + 1))
    weighted = totals(yearly, every, accounts, rules, np.zeros(lines, int))
    order = np.arange(lines * SOURCES * MONTHS).reshape(lines, SOURCES, MONTHS).transpose(0, 2, 1).ravel()
    by_month = Rows(rows.form[order], rows.profile[order], rows.terms[order])
    months = lines * MONTHS
    month_units = np.append((np.arange(months)[:, None] * SOURCES + np.arange(FUELS + 1)).ravel(), months * SOURCES)
    monthly = month_figures(by_month, month_units, rules)
    year_of = np.arange(0, months * (FUELS + 1) + 1, MONTHS * (FUELS + 1))
    summed = totals(monthly, np.arange(months * (FUELS + 1)), year_of, rules, np.zeros(lines, int))
    return weighted, summed


def in_polars(frame: pl.DataFrame) -> pl.DataFrame:
    """The same as group-bys; rounding is floor(x * 100 + 0.5) on doubles."""

    def half_up(x: pl.Expr, n: int) -> pl.Expr:
        return (x * 10**n + 0.5).floor() / 10**n

    emission = pl.when(pl.col("form") == FUEL).then(
        pl.col("a") * pl.col("ncv") * pl.col("cc") * pl.col("of") * 44 / 1200
    )
    emission = (
        emission.when(pl.col("form") == FACTOR)
        .then(pl.col("a") * pl.col("ncv"))
        .otherwise(-pl.col("a") * pl.col("ncv"))
    )
    unit = pl.when(pl.col("form") == FUEL).then(pl.col("source")).otherwise(99).alias("unit")
    used = frame.with_columns(half_up(pl.col("a"), 2).alias("a"), unit)
    monthly = used.with_columns(emission.alias("e")).group_by("line", "unit", "month").agg(pl.col("e").sum())
    monthly = monthly.with_columns(half_up(pl.col("e"), 2)).group_by("line").agg(pl.col("e").sum().alias("m2"))
    mean = (pl.col("ncv") * pl.col("a")).sum() / pl.col("a").sum()
    yearly = used.group_by("line", "source", "unit", "form").agg(
        half_up(pl.col("a").sum(), 2).alias("a"),
        half_up(mean, 3).alias("ncv"),
        pl.col("cc").first(),
        pl.col("of").first(),
    )
    yearly = yearly.with_columns(emission.alias("e")).group_by("line", "unit").agg(pl.col("e").sum())
    yearly = yearly.with_columns(half_up(pl.col("e"), 2)).group_by("line").agg(pl.col("e").sum().alias("m1"))
    return yearly.join(monthly, on="line").sort("line")


def timed(of: object, repeats: int = 3) -> tuple[float, object]:
    best, made = float("inf"), None
    for _ in range(repeats):
        begun = time.perf_counter()
        made = of()
        best = min(best, time.perf_counter() - begun)
    return best, made


def compare(plants: int) -> dict[str, float]:
    """Both ways of computing, held against each other and timed."""
    lines = plants * YEARS
    rows = invented(lines)
    kernels(invented(2), 2)
    numbers = np.arange(rows.form.size)
    frame = pl.DataFrame({
        "line": numbers // (SOURCES * MONTHS), "source": numbers // MONTHS % SOURCES, "month": numbers % MONTHS, "form": rows.form,
        "a": rows.terms[:, 0], "ncv": rows.terms[:, 1], "cc": rows.terms[:, 2], "of": rows.terms[:, 3],
    })  # fmt: skip
    polars_s, plain = timed(lambda: in_polars(frame))
    kernel_s, (weighted, summed) = timed(lambda: kernels(rows, lines))
    for name, ours in (("m1", weighted), ("m2", summed)):
        apart = np.abs(plain[name].to_numpy() - ours)
        if apart.max() >= 0.2:
            raise AssertionError(f"{name} differs by {apart.max()} t")
        print(
            f"{name}: {int((apart > 0.004).sum())} of {lines} totals differ by a cent or more from plain doubles, at most {apart.max():.2f} t"
        )
    return {"rows": float(rows.form.size), "kernels": kernel_s, "polars": polars_s}


def told(found: dict[str, float]) -> None:
    rows, kernel_s, polars_s = found["rows"], found["kernels"], found["polars"]
    print(f"{int(rows):,} rows: kernels {kernel_s:.3f} s, polars {polars_s:.3f} s, {polars_s / kernel_s:.1f} times")


def drawn(lines: int, draws: int = 10_000, threads: int = 2) -> dict[str, float]:
    """Monte Carlo of lines with six coals of four inputs, clinker and twelve substitutes of two: wall and CPU seconds."""
    rng = np.random.default_rng(7)
    own = [4] * 6 + [2] * 13
    first = np.cumsum([0, *own])
    slots = np.full((len(own), 4), -1, np.int64)
    for t, many in enumerate(own):
        slots[t, :many] = first[t] + np.arange(many)
    kind = np.tile(np.where(np.arange(first[-1]) % 4 == 3, TRIANGULAR, NORMAL).astype(np.int8), lines)
    width = np.tile(np.linspace(0.01, 0.08, int(first[-1])), lines)
    given = (
        rng.integers(0, 2**63, lines).astype(np.uint64), draws, np.arange(lines + 1) * first[-1],
        Inputs(kind, width, np.full(width.size, 0.5)), np.arange(lines + 1) * len(own),
        Terms(rng.uniform(100, 10000, lines * len(own)), np.tile(slots, (lines, 1))),
    )  # fmt: skip
    few = (
        given[0][:1],
        2,
        given[2][:2],
        Inputs(*(a[: first[-1]] for a in given[3])),
        given[4][:2],
        Terms(*(a[: len(own)] for a in given[5])),
    )
    spread(*few[:2], *fold(*few[2:], *variance(*few[2:])))
    begun, cpu = time.perf_counter(), time.process_time()
    spread(*given[:2], *fold(*given[2:], *variance(*given[2:])), threads=threads)
    return {"wall": time.perf_counter() - begun, "cpu": time.process_time() - cpu, "inputs": float(first[-1])}


def invented_ledgers(plants: int, month: str) -> dict[str, pl.DataFrame]:
    """Ledgers of a month for plants of one line, as they are filed: no columns but those with something in them."""
    rng = np.random.default_rng(int(month[5:]))
    plant = np.array([f"P{i:05d}" for i in range(plants)])
    line = np.array([f"L{i:05d}" for i in range(plants)])

    def burnt(names: tuple[str, ...]) -> dict[str, object]:
        n = len(names)
        return {"line_id": np.repeat(line, n), "plant_id": np.repeat(plant, n), "name": np.tile(names, plants),
                "t": np.round(rng.uniform(100, 3000, plants * n), 2), "ncv": np.round(rng.uniform(18, 26, plants * n), 3)}  # fmt: skip

    fuels, materials = burnt(COALS[:6]), burnt(SUBSTITUTES)
    one = pl.DataFrame({"line_id": line, "plant_id": plant})
    clinker = np.round(rng.uniform(8e4, 1.5e5, plants), 2)
    # Figures that most checks have nothing to say about: 3.2 GJ/t of clinker, raw meal 1.55 t/t, heating values near the usual.
    fuels["ncv"] = np.round(np.tile(USUAL_NCV, plants) * rng.uniform(0.97, 1.03, plants * 6), 3)
    fuels["t"] = np.round(np.repeat(clinker, 6) * 3.2 / 6 / fuels["ncv"] * rng.uniform(0.95, 1.05, plants * 6), 2)
    made = {
        "ledger_clinker": one.select("line_id", output_t=pl.Series(clinker)),
        "ledger_fuel": pl.concat([
            pl.DataFrame(fuels).select("line_id", "plant_id", fuel="name", consumption="t", ncv_gj="ncv", facility=pl.lit("kiln"),
                                       ncv_source=pl.lit("measured"), unit=pl.lit("t")),
            one.select(pl.lit(None, pl.String).alias("line_id"), "plant_id", fuel=pl.lit("diesel"), consumption=pl.lit(21.35),
                       ncv_gj=pl.lit(None, pl.Float64), facility=pl.lit("mobile"), ncv_source=pl.lit("default"), unit=pl.lit("t")),
        ]),
        "ledger_rawmat": pl.DataFrame(materials).select("line_id", material="name", consumption_t="t"),
        "ledger_lab": one.select("line_id", clinker_cao_pct=65.4, clinker_mgo_pct=2.1, noncarbonate_cao_pct=2.0, noncarbonate_mgo_pct=0.1),
        "ledger_rawmeal": one.select("line_id", rawmeal_t=pl.Series(np.round(clinker * 1.55, 2)), nonfuel_carbon_pct=0.1),
        "ledger_dust": one.select("line_id", kiln_dust_t=10.0, ckd_t=0.0),
        "ledger_electricity": one.select("plant_id", grid_mwh=8010.235, certificate_mwh=1200.0),
    }  # fmt: skip
    return {name: rows.with_columns(month=pl.lit(month)) for name, rows in made.items()}


def ledgers(home: Home, plants: int, month: str) -> None:
    """The same, written straight to the lake."""
    place = {"versions": 1, "src_path": "ledgers/a.xlsx", "src_row": 3, "src_columns": "{}"}
    made = invented_ledgers(plants, month)
    for name in (t for t in TABLES if t.startswith("ledger_") and TABLES[t].partition == "month"):
        contract = TABLES[name]
        table = (
            contract.arrow(made[name].with_columns(**{k: pl.lit(v) for k, v in place.items()}))
            if name in made
            else contract.empty()
        )
        home.lake.write(name, month, table, made_by="bench", inputs={})


def makers(plants: int, *methods: str) -> None:
    """Months and a year made anew, of the named methods or of all in the list."""
    with tempfile.TemporaryDirectory() as root:
        registry = Path(root) / "registry"
        registry.mkdir()
        head = "plant_id,name,name_en,uscc,group,province,prefecture,latitude,longitude,ambient_pressure_kpa,region_class,valid_from,valid_to\n"
        rows = [f"P{i:05d},厂{i},,,,贵州,,,,,general,2016-01-01," for i in range(plants)]
        (registry / "plants.csv").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
        lines = [f"L{i:05d},P{i:05d},portland,5000,2016-01-01," for i in range(plants)]
        (registry / "lines.csv").write_text(
            "line_id,plant_id,clinker_class,capacity_t_d,valid_from,valid_to\n" + "\n".join(lines) + "\n"
        )
        home = Home(Settings(home=root))
        if methods:
            home.__dict__["methods"] = MethodBook.load().with_runs(*methods)
        months = [f"2024-{m:02d}" for m in range(1, 13)]
        for month in months:
            ledgers(home, plants, month)
        bring_up(home, product("carbon_months"), months[0])
        for name, keys in (("carbon_months", months), ("carbon_years", ["2024"])):
            begun = time.perf_counter()
            made = [bring_up(home, product(name), k, force=True) for k in keys]
            seconds = time.perf_counter() - begun
            print(
                f"{name} of {', '.join(methods) or 'every method'}: {sum(o.rows for o in made if o):,} rows, {seconds / len(keys):.3f} s a key"
            )


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1500
    told(compare(size))
    makers(size)
    makers(size, "CETS-AG-02.01-V01-2024")
