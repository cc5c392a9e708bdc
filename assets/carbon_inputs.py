"""What the carbon of a month is made from: ledger rows as plants filed them, lines and plants in force, meters.

Belongs here: reading inputs of the bench into frames of plain columns. Does not belong here: factors (`carbon_factors`), sources
(`carbon_sources`) and what the ledgers say (`contracts/ledgers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeVar

import polars as pl

from assets.carbon_meters import meter_factors
from contracts import TABLES
from contracts.ledgers import MONTHLY
from resources.provinces import province_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from resources.bench import Bench
    from resources.methods import MethodBook
    from resources.registry import Line, Plant, Registry

_Dated = TypeVar("_Dated", "Line", "Plant")

#: Key of tables without partitions.
ALL = "all"
SRC = ("src_path", "src_row")


@dataclass(frozen=True, slots=True)
class Inputs:
    """A month's inputs. `lines`: lines in force of plants that filed anything, with their clinker rows; `plants`: those plants."""

    month: str
    first: date
    last: date
    lines: pl.DataFrame
    plants: pl.DataFrame
    ledgers: dict[str, pl.DataFrame]

    def of(self, table: str) -> pl.DataFrame:
        """Rows of one ledger."""
        return self.ledgers[table]


def month_span(month: str) -> tuple[date, date]:
    """First and last day of a month YYYY-MM."""
    first = date.fromisoformat(f"{month}-01")
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def plain(table: pa.Table) -> pl.DataFrame:
    """A table of the lake with its labels as text."""
    return pl.DataFrame(pl.from_arrow(table)).with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


def read_month(bench: Bench, month: str, book: MethodBook) -> Inputs | None:
    """Inputs of a month; None where no ledger has a row of it."""
    tables = {t.name: bench.table(t.name, month) for t in MONTHLY}
    ledgers = {name: plain(TABLES[name].empty() if rows is None else rows) for name, rows in tables.items()}
    if not any(rows.height for rows in ledgers.values()):
        return None
    first, last = month_span(month)
    registry = bench.registry(first, last)
    ledgers["ledger_fuel"] = _metered(bench, ledgers["ledger_fuel"], first, last)
    lines = _lines(registry, month)
    filed = _filed(ledgers, lines)
    lines = lines.filter(pl.col("plant_id").is_in(filed))
    ledgers["ledger_fuel"] = _only_line(ledgers["ledger_fuel"], lines)
    clinker = ledgers["ledger_clinker"].select("line_id", "output_t", *SRC)
    plants = _plants(registry, filed, first, last, book)
    return Inputs(month, first, last, lines.join(clinker, on="line_id", how="left"), plants, ledgers)


def in_month(registry: Registry, month: str) -> dict[str, Line]:
    """Lines in force on some day of the month by id; of several rows of one line the last: the whole month is its plant's."""
    first, last = month_span(month)
    return {n.line_id: n for n in _in_force(registry.lines, first, last)}


def _lines(registry: Registry, month: str) -> pl.DataFrame:
    first, last = month_span(month)
    stood: dict[str, list[str]] = {}
    for n in _in_force(registry.lines, first, last):
        stood.setdefault(n.line_id, []).append(f"{n.plant_id} {n.clinker_class}")
    rows = [
        (n.line_id, n.plant_id, n.clinker_class, _changed(month, stood[n.line_id]))
        for n in in_month(registry, month).values()
    ]
    columns = {"line_id": pl.String, "plant_id": pl.String, "clinker_class": pl.String, "changed": pl.String}
    return pl.DataFrame(rows, columns, orient="row")


def _in_force(rows: Iterable[_Dated], first: date, last: date) -> list[_Dated]:
    """Rows in force on some day of a month, in order."""
    return sorted((n for n in rows if n.overlaps(first, last)), key=lambda n: n.valid_from)


def _changed(month: str, stood: list[str]) -> str | None:
    """A draft's name where a month was two things: a ledger has one row of it, which counts wholly to the last of them."""
    kinds = list(dict.fromkeys(stood))
    return f"change within {month}: {' -> '.join(kinds)}" if len(kinds) > 1 else None


def _plants(registry: Registry, filed: list[str], first: date, last: date, book: MethodBook) -> pl.DataFrame:
    rows = []
    stood: dict[str, list[str]] = {}
    for n in _in_force(registry.plants, first, last):
        stood.setdefault(n.plant_id, []).append(province_key(n.province))
    for plant in filed:
        at = registry.plant(plant, last) or registry.plant(plant, first)
        province = province_key(at.province) if at else ""
        rows.append((plant, province, book.region(province), _changed(f"{first:%Y-%m}", stood.get(plant, []))))
    columns = {"plant_id": pl.String, "province": pl.String, "region": pl.String, "moved": pl.String}
    return pl.DataFrame(rows, columns, orient="row")


def _filed(ledgers: dict[str, pl.DataFrame], lines: pl.DataFrame) -> list[str]:
    """Plants with a row in any ledger of the month."""
    found: set[str] = set()
    for rows in ledgers.values():
        if "plant_id" in rows.columns:
            found |= set(rows["plant_id"].unique().to_list())
        else:
            found |= set(lines.join(rows.select("line_id").unique(), on="line_id")["plant_id"].to_list())
    return sorted(found)


def _only_line(fuels: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Kiln fuels that name no line belong to the line of a plant that has only one.

    Unless another row names that line for the same fuel: the whole beside its part, or both parts, nobody can tell.
    """
    single = lines.group_by("plant_id").agg(pl.len().alias("n"), pl.col("line_id").first().alias("only"))
    single = single.filter(pl.col("n") == 1).select("plant_id", "only")
    kiln = fuels.filter(pl.col("facility") == "kiln")
    named = kiln.filter(pl.col("line_id").is_not_null()).select("plant_id", "fuel").unique()
    single = kiln.select("plant_id", "fuel").unique().join(single, on="plant_id").join(named, on=["plant_id", "fuel"], how="anti")  # fmt: skip
    joined = fuels.join(single, on=["plant_id", "fuel"], how="left")
    line = pl.when(pl.col("facility") == "kiln").then(pl.coalesce("line_id", "only")).otherwise(pl.col("line_id"))
    return joined.with_columns(line.alias("line_id")).drop("only")


def _metered(bench: Bench, fuels: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """Consumption as corrected for meters, beside what was filed; looked at only where a row names its meter."""
    corrected = pl.col("consumption").alias("corrected")
    named = fuels["meter_id"].drop_nulls().unique().to_list()
    meters = bench.table("ledger_meter", ALL) if named else None
    if meters is None:
        return fuels.with_columns(corrected)
    made = meter_factors(plain(meters).filter(pl.col("meter_id").is_in(named)), first, last)
    if not made:
        return fuels.with_columns(corrected)
    values = [
        float(made[plant, meter].apply(amount)) if (plant, meter) in made and amount is not None else amount
        for plant, meter, amount in fuels.select("plant_id", "meter_id", "consumption").iter_rows()
    ]
    return fuels.with_columns(pl.Series("corrected", values, pl.Float64))
