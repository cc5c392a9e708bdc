"""Rows of `carbon_entity_year`: a plant's lines and other facilities, with electricity under each basis and heat beside them.

Belongs here: what enters a plant's total, one row a basis. Does not belong here: lines (`carbon_lines`), amounts and factors of
electricity (`carbon_energy`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.carbon_groups import UNIT, texts
from assets.carbon_lines import status
from kernels.carbon_sums import totals
from kernels.rounding import half_up, quotient

if TYPE_CHECKING:
    from assets.carbon_year import Year
    from kernels.carbon import Places, Rounding
    from kernels.rounding import Bools, Bytes, Floats

_ENTITY = ["plant_id", "method_id", "electricity_basis"]
#: What each figure adds up.
_PARTS = {
    "lines_tco2": ("lines",),
    "other_tco2": ("other",),
    "direct_tco2": ("lines", "other"),
    "electricity_tco2": ("electricity",),
    "heat_tco2": ("heat",),
    "total_tco2": ("lines", "other", "electricity", "heat"),
}
_FIGURES = (*_PARTS, "reported_tco2")


def entity_years(year: Year, lines: pl.DataFrame) -> pl.DataFrame:
    """One row a plant, method, aggregation and basis, but for the columns that are the same for all."""
    entities = _entities(year)
    units = _units(year).join(entities.select(*_ENTITY, "entity"), on=["plant_id", "method_id"])
    # Electricity of another basis belongs to another row.
    units = units.filter((pl.col("basis") == "") | (pl.col("basis") == pl.col("electricity_basis"))).sort(
        "entity", "unit_number"
    )
    both = [
        entities.with_columns(**_weighted(year, entities, units)),
        entities.with_columns(**_monthly(year, entities, units)),
    ]
    made = pl.concat(
        [
            both[0].with_columns(aggregation=pl.lit("annual_weighted")),
            both[1].with_columns(aggregation=pl.lit("monthly_sum")),
        ]
    )
    owned = lines.group_by("plant_id", "method_id", "aggregation").agg(
        pl.len().cast(pl.Int32).alias("lines"), pl.col("complete").all(), pl.when(pl.col("clinker_t").null_count() == 0).then(pl.col("clinker_t").sum()),
        pl.col("gap").drop_nulls().unique().sort().str.join("; ").alias("gap"),
    )  # fmt: skip
    direct = units.filter(pl.col("kind").is_in(["lines", "other"]))["entity"]
    made = made.join(owned, on=["plant_id", "method_id", "aggregation"], how="left").with_columns(
        pl.col("lines").fill_null(0),
        pl.col("complete").fill_null(False),
        # Without a line in force, and nothing else that burns, a nought would be made up.
        pl.when(pl.col("gap") != "").then("gap")
        .when(pl.col("lines").is_null() & ~pl.col("entity").is_in(direct.implode())).then(pl.lit("registry lines")).alias("gap"),
    )  # fmt: skip
    for column, separator in (("missing", "; "), ("drafts", "|")):
        made = made.join(_texts(year, column, separator, entities), on=_ENTITY, how="left")
    missing = pl.concat_str("gap", "missing", separator="; ", ignore_nulls=True)
    short = pl.col("gap").is_not_null()
    made = made.with_columns(
        pl.when(missing != "").then(missing).alias("missing"), *(pl.when(~short).then(c).alias(c) for c in _FIGURES)
    )
    return made.with_columns(status(pl.col("total_tco2")))


def _entities(year: Year) -> pl.DataFrame:
    """Plants, methods and bases, with the electricity that counts."""
    bases = pl.DataFrame(
        [(m.id, b) for m in year.plan.methods for b in (_bases(m) or ("none",))],
        {"method_id": pl.String, "electricity_basis": pl.String}, orient="row",
    )  # fmt: skip
    found = year.sources.select("plant_id", "method_id").unique().join(bases, on="method_id").sort(_ENTITY)
    power = year.sources.filter(pl.col("part") == "electricity").select(*_ENTITY, electricity_mwh="activity")
    return found.join(power, on=_ENTITY, how="left", maintain_order="left").with_row_index("entity")


def _bases(method: object) -> tuple[str, ...]:
    part = method.part("electricity")  # type: ignore[attr-defined]
    return part.listed("bases") if part else ()


def _units(year: Year) -> pl.DataFrame:
    """Units of the year with what they are to an entity: lines, other, electricity or heat; energy of lines is none of these."""
    heads: pl.DataFrame = year.sources[year.unit_starts[:-1].tolist()].with_row_index("unit_number")
    kind = (
        pl.when(pl.col("part") == "electricity").then(pl.lit("electricity"))
        .when(pl.col("part") == "heat").then(pl.lit("heat"))
        .when((pl.col("sum") != "energy") & (pl.col("level") == "line")).then(pl.lit("lines"))
        .when(pl.col("sum") != "energy").then(pl.lit("other"))
    )  # fmt: skip
    basis = pl.when(pl.col("part") == "electricity").then("electricity_basis").otherwise(pl.lit(""))
    months = year.sources.group_by(UNIT, maintain_order=True).agg(
        pl.when(pl.col("months_tco2").null_count() == 0).then(pl.col("months_tco2").sum())
    )
    joint = heads.select("unit_number", "plant_id", "method_id", "account_line", kind=kind, basis=basis)
    return joint.with_columns(months_tco2=months["months_tco2"]).filter(pl.col("kind").is_not_null())


def _reported(year: Year, units: pl.DataFrame) -> Bools:
    """Units that enter the total which the method reports."""
    full = [m.id for m in year.plan.methods if "electricity" in m.reported]
    return (
        units.select(pl.col("kind").is_in(["lines", "other"]) | pl.col("method_id").is_in(full)).to_series().to_numpy()
    )


def _weighted(year: Year, entities: pl.DataFrame, units: pl.DataFrame) -> dict[str, pl.Series]:
    number, of = units["unit_number"].to_numpy().astype(np.int64), units["entity"].to_numpy().astype(np.int64)
    profile: Places = entities["method_id"].replace_strict(year.plan.first_of, return_dtype=pl.Int64).to_numpy()
    kind = units["kind"]

    def sums(take: Bools, rounding: Rounding) -> Floats:
        begin = np.searchsorted(of[take], np.arange(entities.height + 1)).astype(np.int64)
        return totals(year.figures, number[take], begin, rounding, profile)

    made = {n: sums(kind.is_in(list(k)).to_numpy(), year.plan.rounding) for n, k in _PARTS.items()}
    whole = np.array([m.profile.places("whole") for m, _ in year.plan.parts], np.int8)
    made["reported_tco2"] = sums(_reported(year, units), year.plan.rounding._replace(emission=whole))
    return _shown(made, entities, units)


def _monthly(year: Year, entities: pl.DataFrame, units: pl.DataFrame) -> dict[str, pl.Series]:
    """Sums of rounded months. Lines add what their months' totals say, which where a method rounds totals once is not the sum of parts."""
    # Where a line counts its electricity its total is not direct: fossil and process are.
    powered = [m.id for m in year.plan.methods if any(p.sum == "energy" and p.level == "line" for p in m.parts)]
    names = pl.when(pl.col("method_id").is_in(powered)).then(pl.col("sum").is_in(["fossil", "process"])).otherwise(pl.col("sum") == "total")  # fmt: skip
    line_months = year.sums.filter(names).group_by("plant_id", "method_id").agg(_whole("emission_tco2"), there=pl.lit(True))  # fmt: skip
    lines = entities.join(line_months, on=["plant_id", "method_id"], how="left", maintain_order="left")
    direct = lines["emission_tco2"].fill_null(np.nan).to_numpy().copy()
    direct[lines["there"].is_null().to_numpy()] = 0.0
    made: dict[str, Floats] = {}
    for name in ("other", "electricity", "heat"):
        part = units.filter(pl.col("kind") == name).group_by("entity").agg(_whole("months_tco2"))
        filled = entities.join(part, on="entity", how="left", maintain_order="left")
        absent = ~filled["entity"].is_in(part["entity"].implode())
        made[f"{name}_tco2"] = filled["months_tco2"].fill_null(np.nan).to_numpy().copy()
        made[f"{name}_tco2"][absent.to_numpy()] = 0.0
    parts = _places(year, entities, "emission")
    made["lines_tco2"] = half_up(direct, parts)[0]
    made["direct_tco2"] = half_up(direct + made["other_tco2"], parts)[0]
    energy_all = made["electricity_tco2"] + made["heat_tco2"]
    made["total_tco2"] = half_up(made["direct_tco2"] + energy_all, parts)[0]
    full = entities["method_id"].is_in([m.id for m in year.plan.methods if "electricity" in m.reported]).to_numpy()
    reported = np.where(full, made["total_tco2"], made["direct_tco2"])
    made["reported_tco2"] = quotient([reported], [np.ones(reported.size)], _places(year, entities, "whole"))
    return _shown(made, entities, units)


def _places(year: Year, entities: pl.DataFrame, quantity: str) -> Bytes:
    of_method = {m.id: m.profile.places(quantity) for m in year.plan.methods}
    return entities["method_id"].replace_strict(of_method, return_dtype=pl.Int8).to_numpy()


def _whole(column: str) -> pl.Expr:
    return pl.when(pl.col(column).null_count() == 0).then(pl.col(column).sum().round(6))


def _shown(made: dict[str, Floats], entities: pl.DataFrame, units: pl.DataFrame) -> dict[str, pl.Series]:
    """As columns; heat that nobody filed and electricity of methods without it are null, not nought."""
    series = {name: pl.Series(made[name]).fill_nan(None) for name in _FIGURES}
    for kind in ("electricity", "heat"):
        has = entities["entity"].is_in(units.filter(pl.col("kind") == kind)["entity"].implode())
        series[f"{kind}_tco2"] = pl.select(pl.when(has).then(series[f"{kind}_tco2"])).to_series()
    return series


def _texts(year: Year, column: str, separator: str, entities: pl.DataFrame) -> pl.DataFrame:
    """What is missing or a draft in all that an entity's total takes, by basis."""
    rows = texts(
        year.rows.filter(pl.col(column).is_not_null() & (pl.col("part") != "line_electricity"))
        .select("plant_id", "method_id", "part", "electricity_basis", column)
        .unique()
    )
    electric = pl.col("part") == "electricity"
    rows = rows.select(
        "plant_id", "method_id", column, basis=pl.when(electric).then("electricity_basis").otherwise(pl.lit(""))
    )
    rows = rows.unique().join(entities.select(_ENTITY), on=["plant_id", "method_id"])
    rows = rows.filter((pl.col("basis") == "") | (pl.col("basis") == pl.col("electricity_basis")))
    parts = rows.select(*_ENTITY, pl.col(column).str.split(separator)).explode(column)
    return parts.group_by(_ENTITY).agg(pl.col(column).unique().sort().str.join(separator))
