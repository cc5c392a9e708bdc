"""Invented plants on the command line: a synthetic landing zone, and the demo on one.

Belongs here: where a simulation may be written, and what is said of it. Does not belong here: the simulator (`simulator`).
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.runs import RunOutcome, run_night
from resources.settings import SettingsError

if TYPE_CHECKING:
    from resources.settings import Settings
    from simulator import Simulation

#: Only a simulated home has it.
TRUTH = "truth/devices.parquet"


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
    """The whole way on invented plants: simulate, run, publish, and show where to look."""
    # Ledgers of the reporting year so far and of the year before it.
    made = simulate_home(
        settings, outlets=8, first=date(2026, 11, 1), days=10, seed=20, dirt="default", events=True, ledgers=True, ledger_months=22
    )  # fmt: skip
    outcome = run_night(settings, everything=True)
    look = f'看一看 look: {sys.executable} -c "import polars as pl; {"; ".join(_prints(settings.place("published")))}"'
    return RunOutcome(outcome.code, outcome.data, "\n".join([in_words(made), outcome.text, look]))


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
