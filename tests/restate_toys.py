"""Two small products of factors: months of fuels, years of lines. Shared by the tests of plans, backfills and filed years.

Figures are round: t of fuel x net calorific value. Line L1 burns anthracite and bituminous coal, L2 (of another plant) bituminous alone.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from assets.products import Product
from contracts import TABLES
from contracts.core import LABEL, Column, Table
from resources.home import Home
from resources.settings import Settings
from tests.homes import device, outlet, write_home

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from resources.bench import Bench

METHOD = "CETS-AG-02.01-V01-2024"
MONTHS = tuple(f"{y}-{m:02d}" for y in (2024, 2025) for m in range(1, 13))
BURNT = {"L1": {"anthracite": 100.0, "bituminous": 10.0}, "L2": {"bituminous": 50.0}}
PLANT = {"L1": "P1", "L2": "P2"}
HEAD = "factor_id,quantity,scope,method,value,unit,valid_from,valid_to,recorded_at,source,mark,confidence\n"


def _column(name: str, kind: pa.DataType = LABEL, **more: Any) -> Column:
    return Column(name, kind, "试", "toy", nullable=False, **more)


def _heat() -> Column:
    return Column("total_tco2", pa.float64(), "试", "toy figure", unit="GJ", additive=True)


TOY_MONTH = Table(
    "toy_month", "carbon", "month", ("plant_id", "line_id", "month", "fuel"), "试", "toy months",
    (_column("plant_id"), _column("line_id"), _column("month"), _column("fuel"), _heat()), published=True,
)  # fmt: skip
TOY_YEAR = Table(
    "toy_year", "carbon", "year", ("line_id", "year"), "试", "toy years", (_column("line_id"), _column("year"), _heat()), published=True,
)  # fmt: skip


def make_months(bench: Bench, month: str) -> dict[str, pa.Table]:
    first = date.fromisoformat(f"{month}-01")
    last = date(first.year + first.month // 12, first.month % 12 + 1, 1).toordinal() - 1
    book = bench.factors(first, date.fromordinal(last))
    rows = [
        (PLANT[line], line, month, fuel, tonnes * book.find("ncv", fuel, first, method=METHOD).value)
        for line, fuels in BURNT.items()
        for fuel, tonnes in fuels.items()
    ]
    return {"toy_month": TOY_MONTH.arrow(pl.DataFrame(rows, schema=TOY_MONTH.names, orient="row"))}


def make_years(bench: Bench, year: str) -> dict[str, pa.Table]:
    months = [t for m in bench.keys("toy_month", year, f"{year}-99") if (t := bench.table("toy_month", m)) is not None]
    frame = pl.concat([pl.DataFrame(pl.from_arrow(t)).cast({"line_id": pl.String}) for t in months])
    sums = frame.group_by("line_id").agg(pl.col("total_tco2").sum()).with_columns(year=pl.lit(year))
    return {"toy_year": TOY_YEAR.arrow(sums)}


def _toy(name: str, partition: str, make: Any, keys: Any) -> Product:
    return Product(name, (name,), partition, f"{name}-1", make, keys)


PRODUCTS = (
    _toy("toy_month", "month", make_months, lambda _: MONTHS),
    _toy("toy_year", "year", make_years, lambda home: {m[:4] for m in home.lake.keys("toy_month")}),
)


def toy_home(root: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home of two plants with the toys among the contracts."""
    for table in (TOY_MONTH, TOY_YEAR):
        monkeypatch.setitem(TABLES, table.name, table)
    write_home(root, {}, outlets=[outlet()], devices=[device()])
    registry = root / "registry"
    for name, old, new in (("plants.csv", "P1,", "P2,"), ("lines.csv", "L1,P1", "L2,P2")):
        text = (registry / name).read_text("utf-8").splitlines()
        (registry / name).write_text("\n".join([*text, text[1].replace(old, new, 1), ""]), encoding="utf-8")
    return opened(root)


def opened(root: Path) -> Home:
    return Home(Settings(home=str(root)))


def say_factor(root: Path, *rows: str) -> None:
    """Rows of registry/factors-own.csv: scope, value, valid_from, valid_to."""
    made = [row.split(",") for row in rows]
    lines = [
        f"OWN.{scope}.{start},ncv,{scope},{METHOD},{value},GJ/t,{start},{end},2026-11-23,test,V,verified\n"
        for scope, value, start, end in made
    ]
    (root / "registry/factors-own.csv").write_text(HEAD + "".join(lines), encoding="utf-8")
