"""Checks of mass: hours make days, days make months, months make years, and no hour is substituted without a row of the tables.

Belongs here: the same sums once more, by other means. Does not belong here: running checks (`checks`) and making the tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from resources.home import Home

Found = tuple[list[str], dict[str, int | float]]

_SERIES = ["outlet_id", "pollutant"]
_COUNTS = ["hours", "valid_hours", "stopped_hours", "substituted_hours", "no_substitute_hours", "provisional_hours"]
_KG, _T = ["measured_kg", "substituted_kg", "mass_kg"], ["measured_t", "substituted_t", "mass_t"]
#: What a plain sum of doubles may miss an exact one by; a gram in a thousand tonnes.
_NOISE = 1e-9


def months_add_up(home: Home, keys: list[str]) -> Found:
    """Hours make days and days make months; shares make 100; every hour without a mass is counted."""
    problems: list[str] = []
    facts: dict[str, int | float] = dict.fromkeys(("hours", "substituted", "no_substitute"), 0)
    for month in keys:
        hours, days, months = (_read(home, f"emissions_{t}", month) for t in ("hourly", "daily", "monthly"))
        if hours is None or days is None or months is None:
            problems.append(f"{month}: tables of mass are missing")
            continue
        problems += _differ(_days_of(hours), days, [*_SERIES, "day"], _KG, month)
        kg = days.group_by(_SERIES).agg(pl.col(_COUNTS).sum(), *(_sum(n) for n in _KG))
        tonnes = kg.with_columns((pl.col(_KG) / 1000).name.replace("_kg", "_t"))
        problems += _differ(tonnes, months, _SERIES, _T, month)
        problems += _shares(months, month)
        counted = months.select(pl.col(_COUNTS).sum()).row(0, named=True)
        facts["hours"] += counted["hours"]
        facts["substituted"] += counted["substituted_hours"]
        facts["no_substitute"] += counted["no_substitute_hours"]
    return problems, facts


def years_add_up(home: Home, keys: list[str]) -> Found:
    """Months make years, of outlets and of their owners; no month of a quarter below the floor has a substitute."""
    problems: list[str] = []
    facts: dict[str, int | float] = {"outlets": 0, "lower_bounds": 0}
    for year in keys:
        annual = _read(home, "emissions_annual", year)
        months = [m for m in home.lake.keys("emissions_monthly") if m.startswith(year)]
        if annual is None or not months:
            problems.append(f"{year}: tables of mass are missing")
            continue
        for table, series in (("", _SERIES), ("totals_", ["scope", "scope_id", "pollutant"])):
            parts = [f for m in months if (f := _read(home, f"emissions_{table}monthly", m)) is not None]
            whole = pl.concat(parts).group_by(series).agg(pl.col(_COUNTS).sum(), *(_sum(n) for n in _T))
            made = _read(home, f"emissions_{table}annual", year)
            problems += [f"{year}: a table is missing"] if made is None else _differ(whole, made, series, _T, year)
            problems += _low_quarters(home, year, pl.concat(parts)) if not table else []
        problems += _shares(annual, year)
        facts["outlets"] += annual["outlet_id"].n_unique()
        facts["lower_bounds"] += int(annual["lower_bound"].sum())
    return problems, facts


def _read(home: Home, table: str, key: str) -> pl.DataFrame | None:
    rows = home.lake.read(table, key)
    if rows is None:
        return None
    return pl.DataFrame(pl.from_arrow(rows)).with_columns(pl.col(pl.Categorical).cast(pl.String))


def _sum(name: str) -> pl.Expr:
    """The sum, null where there is nothing to add."""
    column = pl.col(name)
    return pl.when(column.count() > 0).then(column.sum()).alias(name)


def _days_of(hours: pl.DataFrame) -> pl.DataFrame:
    method = pl.col("mass_method")
    kinds = {
        "valid_hours": method == "measured",
        "stopped_hours": method == "stopped",
        "substituted_hours": method.str.starts_with("max"),
        "no_substitute_hours": pl.col("mass_kg").is_null(),
        "provisional_hours": pl.col("provisional"),
    }
    parts = {"measured_kg": "valid_hours", "substituted_kg": "substituted_hours"}
    masses = [pl.when(kinds[kind]).then("mass_kg").alias(name) for name, kind in parts.items()]
    shown = hours.select(
        *_SERIES, "mass_kg", *masses, pl.col("hour").dt.date().alias("day"), *(k.alias(n) for n, k in kinds.items())
    )
    return shown.group_by([*_SERIES, "day"]).agg(
        pl.len().alias("hours"), pl.col(_COUNTS[1:]).sum(), *(_sum(n) for n in _KG)
    )


def _differ(parts: pl.DataFrame, whole: pl.DataFrame, series: list[str], masses: list[str], period: str) -> list[str]:
    """Sentences about rows whose counts or masses are not the sum of their parts."""
    both = whole.join(parts, on=series, how="full", suffix="_parts", coalesce=True)
    wrong = pl.any_horizontal(
        *(pl.col(n).ne_missing(pl.col(f"{n}_parts")) for n in _COUNTS),
        *(_apart(pl.col(n), pl.col(f"{n}_parts")) for n in masses),
    )
    mass = masses[-1]
    return [
        f"{period}: {' '.join(str(r[n]) for n in series)} does not add up: {mass} is {r[mass]}, its parts make {r[f'{mass}_parts']}"
        for r in both.filter(wrong).sort(series).iter_rows(named=True)
    ]


def _apart(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return (a.is_null() != b.is_null()) | ((a - b).abs() > _NOISE * pl.max_horizontal(a.abs(), b.abs())).fill_null(
        False
    )


def _shares(frame: pl.DataFrame, period: str) -> list[str]:
    off = frame.filter((pl.col("measured_share_pct") + pl.col("substituted_share_pct") - 100).abs() > _NOISE)
    bound = frame.filter(pl.col("lower_bound") != (pl.col("no_substitute_hours") > 0))
    problems = [
        f"{period}: {r['outlet_id']} {r['pollutant']}: shares do not make 100" for r in off.iter_rows(named=True)
    ]
    return problems + [
        f"{period}: {r['outlet_id']} {r['pollutant']}: hours without a substitute, and the mass does not say so"
        for r in bound.iter_rows(named=True)
    ]


def _low_quarters(home: Home, year: str, months: pl.DataFrame) -> list[str]:
    quarters = _read(home, "capture_quarterly", year)
    if quarters is None:
        return [f"{year}: capture rates are missing"]
    number = (pl.col("month").str.slice(5, 2).cast(pl.Int32) + 2) // 3
    named = months.with_columns(pl.concat_str(pl.col("month").str.slice(0, 4), pl.lit("-Q"), number).alias("quarter"))
    low = quarters.filter(pl.col("sufficient").eq(False)).select(*_SERIES, "quarter")
    wrong = named.filter(pl.col("substituted_hours") > 0).join(low, on=[*_SERIES, "quarter"])
    return [
        f"{r['month']}: {r['outlet_id']} {r['pollutant']}: {r['substituted_hours']} hours are substituted in a quarter below the floor"
        for r in wrong.sort("month", *_SERIES).iter_rows(named=True)
    ]
