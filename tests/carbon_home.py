"""A home with ledgers only: two plants, one of which burns no anthracite. Shared by the tests of backfills of carbon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.home import Home
from resources.settings import Settings
from tests.homes import LINES, PLANTS

if TYPE_CHECKING:
    from pathlib import Path

METHOD = "CETS-AG-02.01-V01-2024"
_HEAD = "factor_id,quantity,scope,region,method,value,unit,valid_from,valid_to,recorded_at,source,mark,confidence\n"
_FUELS = {"L1": {"anthracite": 1000, "bituminous": 200}, "L2": {"bituminous": 1500}}
_PLANT = {"L1": "P1", "L2": "P2"}


def carbon_home(root: Path, years: range) -> Path:
    """Registry and ledgers of whole years."""
    registry, ledgers = root / "registry", root / "landing/ledgers"
    for folder in (registry, ledgers):
        folder.mkdir(parents=True)
    for name, text, old, new in (("plants", PLANTS, "P1,", "P2,"), ("lines", LINES, "L1,P1", "L2,P2")):
        row = text.splitlines()[1].replace("2016-01-01", "2010-01-01")
        (registry / f"{name}.csv").write_text(
            "\n".join([text.splitlines()[0], row, row.replace(old, new, 1), ""]), encoding="utf-8"
        )
    months = [f"{y}-{m:02d}" for y in years for m in range(1, 13)]
    clinker = [f"{line},{month},10000,700" for month in months for line in _FUELS]
    fuel = [
        f"{_PLANT[line]},{line},kiln,{name},{month},{tonnes},t"
        for month in months
        for line, burnt in _FUELS.items()
        for name, tonnes in burnt.items()
    ]
    power = [f"{plant},,{month},900" for month in months for plant in _PLANT.values()]
    for name, head, rows in (
        ("ledger_clinker", "line_id,month,output_t,run_hours", clinker),
        ("ledger_fuel", "plant_id,line_id,facility,fuel,month,consumption,unit", fuel),
        ("ledger_electricity", "plant_id,line_id,month,grid_mwh", power),
    ):
        (ledgers / f"{name}.csv").write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    return root


def opened(root: Path) -> Home:
    return Home(Settings(home=str(root)))


def say_ncv(
    root: Path, value: str, *, start: str = "2024-03-01", end: str = "2024-04-01", day: str = "2026-11-23"
) -> None:
    """The home's own value for the heat of anthracite."""
    row = f"OWN.NCV.ANTH,ncv,anthracite,,{METHOD},{value},GJ/t,{start},{end},{day},laboratory,V,verified\n"
    partial = root / "registry/.factors-own.csv"
    partial.write_text(_HEAD + row, encoding="utf-8")
    # In one step, as an editor saves: a sensor may look at any moment.
    partial.replace(root / "registry/factors-own.csv")
