"""Invented plants on the command line: a synthetic landing zone, and the demo on one.

Belongs here: where a simulation may be written, and what is said of it. Does not belong here: the simulator (`simulator`).
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.plan import plan_run
from pipelines.runs import RunOutcome, run_backfill, run_night
from pipelines.summary_carbon import in_words_of_moved
from resources.settings import SettingsError

if TYPE_CHECKING:
    from resources.settings import Settings
    from simulator import Simulation

#: Only a simulated home has it.
TRUTH = "truth/devices.parquet"
#: What the demo adds to its registry: a balance value that is invented, and the grid factor of the plants' province in an edition of
#: the home's own, which goes before the packaged one of the same days.
BALANCE = "year,balance_value,source,published_on\n2025,0.8450,模拟 invented for the demo,2026-09-15\n"
EDITION = "factors-demo.csv"
GRID = (
    "factor_id,quantity,scope,region,value,unit,data_year,valid_from,published_on,recorded_at,source,mark,confidence\n"
    "CN.GRID.GZ.{0},grid,province,贵州,{1},tCO2/MWh,{2},2025-01-01,{3},2026-11-23,电力二氧化碳排放因子 electricity CO2 factors,V,verified\n"
)
_FIRST = "== 1 夜间作业 the night: kiln run --all"
_SECOND = (
    "== 2 因子变了 a factor changes: registry/factors-demo.csv, 贵州 Guizhou 0.4989 -> 0.5683 tCO2/MWh; 计划 kiln plan"
)
_THIRD = "== 3 补算 kiln backfill: 只重算所涉及的并说明 what it touches is made anew and restated"


def simulate_home(settings: Settings, *, dirt: str, **size: Any) -> Simulation:  # noqa: ANN401 - as `simulate` has them
    """Write a synthetic registry, landing zone and truth into a local home; SettingsError where that must not be."""
    from simulator import Dirt, simulate

    home = _place(settings)
    kinds = {"none": Dirt.none, "default": Dirt.default, "heavy": Dirt.heavy}
    return simulate(home, dirt=kinds[dirt](), **size)


def _place(settings: Settings) -> Path:
    """The home, if it is a folder of its own and holds nothing that is not simulated."""
    elsewhere = [n for n in ("registry", "landing") if settings.place(n) != f"{settings.home.rstrip('/')}/{n}"]
    if elsewhere:
        names = ", ".join(f"KILN_{n.upper()}" for n in elsewhere)
        raise SettingsError(f"模拟只写入主目录 a simulation writes below the home alone; unset {names}")
    if "://" in settings.home:
        raise SettingsError(
            f"{settings.home}: 模拟只写入本地目录 a simulation is written to a local folder; simulate there and copy it up"
        )
    home = Path(settings.home)
    if not (home / TRUTH).exists() and any((home / n).exists() for n in ("registry", "landing")):
        raise SettingsError(
            f"{home}: 已有非模拟的数据 holds a registry or landing zone that is not simulated; choose another --home"
        )
    return home


def in_words(made: Simulation) -> str:
    """A simulation in one line."""
    return (
        f"模拟 simulated {made.outlets} 排放口 outlets x {made.days} 天 days in {made.home}: "
        f"{made.files} 文件 files, {made.frames:,} 帧 frames, {made.text_bytes / 1e6:.1f} MB"
        + (f", {made.declared} 行申报 declarations" if made.declared else "")
        + (f", {made.ledger_rows:,} 行台账 ledger rows" if made.ledger_rows else "")
    )


def run_demo(settings: Settings) -> RunOutcome:
    """The whole way on invented plants: simulate, run, publish; then a factor changes: plan, backfill, what moved; and where to look."""
    # Ledgers of the reporting year so far and of the year before it.
    made = simulate_home(
        settings, outlets=8, first=date(2026, 11, 1), days=10, seed=20, dirt="default", events=True, ledgers=True, ledger_months=22
    )  # fmt: skip
    _write(settings, "ets.csv", BALANCE)
    _write(settings, EDITION, GRID.format(2022, "0.4989", 2022, "2024-12-20"))
    night = run_night(settings, everything=True)
    look = f'看一看 look: {sys.executable} -c "import polars as pl; {"; ".join(_prints(settings.place("published")))}"'
    told = [in_words(made), f"\n{_FIRST}", night.text]
    outcome = night
    if night.data.get("ok"):
        _write(settings, EDITION, GRID.format(2023, "0.5683", 2023, "2025-12-31"))
        planned = plan_run(settings)
        outcome = run_backfill(settings, products=[])
        told += [f"\n{_SECOND}", _shortened(planned.text), f"\n{_THIRD}", *_what_came(outcome), ""]
    return RunOutcome(max(night.code, outcome.code), outcome.data, "\n".join([*told, _page(settings), look]))


def _shortened(plan: str) -> str:
    """A plan with the first reason of each product: of a factor every month says the same."""
    kept: list[str] = []
    of_product = 0
    for line in plan.splitlines():
        of_product = of_product + 1 if line.startswith("  20") else 0
        if of_product < 2:
            kept.append(line)
        elif of_product == 2:
            kept.append("  … (全文 in full: kiln plan)")
    return "\n".join(kept)


def _what_came(outcome: RunOutcome) -> list[str]:
    """Of the second run what moved; all of it where it failed."""
    if not outcome.data.get("ok"):
        return [outcome.text]
    release = f"发布 release {outcome.data['release']}: {outcome.data['release_path']}"
    return [*in_words_of_moved(outcome.data["moved"]), release, f"用时 took {outcome.data['seconds']:.1f} s"]


def _page(settings: Settings) -> str:
    kiln = Path(sys.executable).with_name("kiln")
    return f"月报 a page to open in a browser: {kiln} report --home {settings.home} --out kiln-report.html"


def _write(settings: Settings, name: str, text: str) -> None:
    """A file of the simulated home's registry."""
    (Path(settings.home) / "registry" / name).write_text(text, encoding="utf-8")


def _prints(published: str) -> list[str]:
    """A table of each half in Python: verdicts on stacks, emissions of lines. No double quotes: a shell reads it."""
    halves = {
        "ule_monthly": ("outlet_id", "pollutant", "policy", "share_pct", "verdict"),
        "carbon_line_year": ("line_id", "year", "method_id", "clinker_t", "total_tco2", "intensity_tco2_t"),
    }
    return [
        f"print(pl.read_parquet('{published}/latest/{table}/*.parquet').select{columns})"
        for table, columns in halves.items()
    ]
