"""A factor changes: 1,500 plants, three years of ledgers. What a plan, the restatement and the release of it take.

Belongs here: a home of that size with a release, two changed factors, the times of each step, and whether what came out is right.
Does not belong here: the table of results (`benchmarks/__main__.py`).

`python -m benchmarks.factor_change [--plants N] [--years N] [--home FOLDER]`; the home is built when the folder has none and is
left as it was built. Each step runs in a process of its own, as `kiln plan` and `kiln backfill` do; imports are not counted.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from assets.checks import checks_of, settle
from assets.products import PRODUCTS, bring_up
from assets.release import publish_release
from benchmarks.carbon import invented_ledgers
from kernels.rounding import exact, half_up_exact
from pipelines.backfill import restate
from pipelines.plan import make_plan
from resources.home import Home
from resources.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST = 2024
METHOD = "CETS-AG-02.01-V01-2024"
PROVINCES = ("贵州", "云南", "四川", "广西", "广东", "湖南", "河南", "山东", "安徽", "河北")
_HEAD = "factor_id,quantity,scope,region,method,value,unit,valid_from,valid_to,recorded_at,source,mark,confidence\n"
#: Factor rows by case: a province's grid for one year of the three; the clinker factor of every line and month.
CHANGES = {
    "grid factor of a province, one year": "OWN.GRID,grid,province,贵州,,0.6,tCO2/MWh,{second}-01-01,{third}-01-01,2026-12-31,test,V,verified\n",
    "clinker factor of the nation, all years": f"OWN.EF,ef_clinker,portland,,{METHOD},0.536,tCO2/t,{{first}}-01-01,,2026-12-31,test,V,verified\n",
}


def build(root: Path, plants: int, years: int) -> None:
    """Registry, ledgers as files, every table, a release."""
    registry, landing = root / "registry", root / "landing/ledgers"
    registry.mkdir(parents=True)
    landing.mkdir(parents=True)
    head = "plant_id,name,name_en,uscc,group,province,prefecture,latitude,longitude,ambient_pressure_kpa,region_class,valid_from,valid_to\n"
    rows = [f"P{i:05d},厂{i},,,,{PROVINCES[i % len(PROVINCES)]},,,,,general,2016-01-01," for i in range(plants)]
    (registry / "plants.csv").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    lines = [f"L{i:05d},P{i:05d},portland,5000,2016-01-01," for i in range(plants)]
    (registry / "lines.csv").write_text(
        "line_id,plant_id,clinker_class,capacity_t_d,valid_from,valid_to\n" + "\n".join(lines) + "\n"
    )
    for month in (f"{y}-{m:02d}" for y in range(FIRST, FIRST + years) for m in range(1, 13)):
        for name, made in invented_ledgers(plants, month).items():
            made.write_csv(landing / f"{name}-{month}.csv")
    home = opened(root)
    home.ledgers.keep()
    for of in PRODUCTS:
        for key in sorted(of.keys(home)):
            bring_up(home, of, key)
    publish_release(home, [])


def opened(root: Path) -> Home:
    return Home(Settings(home=str(root)))


class Clock:
    """Wall and CPU seconds of named steps."""

    def __init__(self) -> None:
        self.steps: dict[str, tuple[float, float]] = {}

    def time(self, name: str, of: Callable[[], object]) -> object:
        begun, cpu = time.perf_counter(), time.process_time()
        made = of()
        self.note(name, time.perf_counter() - begun, time.process_time() - cpu)
        return made

    def note(self, name: str, wall: float, cpu: float) -> None:
        before = self.steps.get(name, (0.0, 0.0))
        self.steps[name] = (before[0] + wall, before[1] + cpu)


def plan_step(root: Path) -> dict[str, object]:
    """What `kiln plan` does."""
    clock = Clock()
    plan = clock.time("plan", lambda: make_plan(Settings(home=str(root))))
    told = {e.table: e.changed + e.added + e.withdrawn for e in plan.expected}  # type: ignore[attr-defined]
    stale = {name: len(keys) for name, keys in plan.stale.items()}  # type: ignore[attr-defined]
    return {"steps": clock.steps, "stale": stale, "expected": told}


def backfill_step(root: Path) -> dict[str, object]:
    """What `kiln backfill` does: stale keys, their checks, the release."""
    clock = Clock()
    home = opened(root)
    clock.time("open", lambda: (home.factors, home.methods, home.registry, home.ledgers))
    made: dict[str, list[str]] = {}
    begun, cpu = time.perf_counter(), time.process_time()
    for of, outcomes in restate(home, PRODUCTS, "", "~", lambda _: None):
        clock.note(of.name if outcomes else "looking", time.perf_counter() - begun, time.process_time() - cpu)
        if outcomes:
            made[of.name] = [o.key for o in outcomes]
            verdicts = clock.time("checks", lambda of=of: [settle(home, c) for c in checks_of(of.tables)])
            if wrong := [p for v in verdicts if not v.passed for p in v.problems]:  # type: ignore[attr-defined]
                raise SystemExit("\n".join(wrong[:5]))
        begun, cpu = time.perf_counter(), time.process_time()
    release = clock.time("release", lambda: publish_release(home, []))
    return {"steps": clock.steps, "made": made, "release": release.release_id}  # type: ignore[attr-defined]


def child(step: str, root: Path) -> dict[str, object]:
    done = subprocess.run([sys.executable, "-m", "benchmarks.factor_change", "--step", step, "--home", str(root)],
                          check=True, stdout=subprocess.PIPE)  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def changed(root: Path, change: str, years: int) -> Iterator[str]:
    """One case: the home with a changed factor, planned and restated; lines of the report."""
    own = root / "registry/factors-own.csv"
    own.write_text(_HEAD + CHANGES[change].format(first=FIRST, second=FIRST + 1, third=FIRST + 2), encoding="utf-8")
    plan, made = child("plan", root), child("backfill", root)
    steps = {**plan["steps"], **made["steps"]}  # type: ignore[dict-item]
    wall, cpu = (sum(s[i] for s in steps.values()) for i in range(2))
    parts = ", ".join(f"{n} {s[0]:.2f} ({s[1]:.2f})" for n, s in steps.items())
    keys = ", ".join(f"{n} {len(k)}" for n, k in made["made"].items())  # type: ignore[attr-defined]
    peak = max(plan["peak_mib"], made["peak_mib"])  # type: ignore[type-var]
    moved = verify(root, change, years, made)
    yield f"| {change} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {parts} | {keys} | {moved:,} |"


def verify(root: Path, change: str, years: int, made: dict[str, object]) -> int:
    """Recompute figures from the ledgers as filed, and look for what should not have moved; the number of restatements."""
    release = root / "published/releases" / str(made["release"])
    moved = pl.read_parquet(release / "restatements" / f"{made['release']}.parquet").with_columns(
        pl.col(pl.Categorical).cast(pl.String)
    )
    months: list[str] = made["made"]["carbon_months"]  # type: ignore[index]
    grid = change.startswith("grid")
    due = [
        f"{y}-{m:02d}"
        for y in (range(FIRST + 1, FIRST + 2) if grid else range(FIRST, FIRST + years))
        for m in range(1, 13)
    ]
    told = moved["reason_ref"].str.contains("factors-own").all() and (moved["reason_kind"] == "factor").all()
    if months != due or not told:
        raise SystemExit(f"{change}: made {months}, told {told}")
    year = str(FIRST + 1)
    sources = pl.read_parquet(release / f"carbon_line_month/{year}-03.parquet").with_columns(
        pl.col(pl.Categorical).cast(pl.String)
    )
    sources = sources.filter(plant_id="P00010", method_id=METHOD, kind="source")
    filed = invented_ledgers(11, f"{year}-03")
    if grid:
        others = moved.filter(pl.col("dataset") == "carbon_line_month")["key"].str.extract(r"plant_id=P(\d+)").cast(
            pl.Int64
        ) % len(PROVINCES)
        got = sources.filter(source="electricity location_province")["emission_tco2"].item()
        amount = filed["ledger_electricity"].filter(plant_id="P00010")["grid_mwh"].item()
        right = half_up_exact(exact(amount) * Fraction(6, 10), 2)
        if others.max() != 0:
            raise SystemExit("a plant of another province was restated")
    else:
        got = sources.filter(part="clinker")["emission_unrounded_tco2"].item()
        amount = (
            pl.read_csv(root / f"landing/ledgers/ledger_clinker-{year}-03.csv")
            .filter(line_id="L00010")["output_t"]
            .item()
        )
        right = exact(amount) * Fraction(536, 1000)
    if abs(Fraction(got) - right) > Fraction(1, 10**6):
        raise SystemExit(f"{change}: {got} is not {float(right)}")
    return moved.height


def rows(root: Path, plants: int, years: int) -> list[str]:
    """A row of the table by case; the home is built if there is none, and stays."""
    if not (root / "registry").exists():
        build(root, plants, years)
    made = []
    for change in CHANGES:
        with tempfile.TemporaryDirectory(dir=root.parent) as folder:
            copy = Path(folder) / "home"
            # Modification times are what a ledger file is known by.
            shutil.copytree(root, copy, copy_function=shutil.copy2, symlinks=True)
            made += changed(copy, change, years)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plants", type=int, default=1500)
    parser.add_argument("--years", type=int, default=3)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--step", choices=("plan", "backfill"))
    given = parser.parse_args()
    if given.step:
        gc.collect()
        told = {"plan": plan_step, "backfill": backfill_step}[given.step](given.home)
        told["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(json.dumps(told) + "\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(given.home or Path(folder) / "home", given.plants, given.years):
            sys.stdout.write(row + "\n")


if __name__ == "__main__":
    main()
