"""Uncertainty of a year's carbon: sources of `carbon_line_month` -> `carbon_uncertainty`, by the method of the year's allocation plan.

Belongs here: which inputs a line has and which of them move together. Does not belong here: rows and draws (`uncertainty_rows`,
`kernels/uncertainty`), how uncertain an input is (`reference/ets/uncertainty.csv`).

A term is one source read by one meter with one kind of heating value. What is one figure is one draw: a meter's error, and heating
value, carbon content, oxidation of a fuel, the process factor, a deduction factor, wherever they are used: on all lines of an
entity too, whose interval is therefore wider than lines added in quadrature. Months of measured heating values are independent, so
that their errors partly cancel over the year; of one month they are one laboratory's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.uncertainty_rows import Group, table_rows
from contracts.carbon import CARBON_LINE_MONTH, CARBON_LINE_YEAR
from contracts.ets import CARBON_UNCERTAINTY
from contracts.ledgers import LEDGER_CLINKER, LEDGER_FUEL, LEDGER_METER

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from resources.bench import Bench
    from resources.ets import EtsBook, Plan
    from resources.home import Home

#: Parts of a method whose sources are products of inputs, and the sums that make direct emissions.
_FUELS, _PROCESS, _DIRECT = ("fossil", "other_fossil"), ("clinker", "deduction"), ("fossil", "process")
_READ = [
    "plant_id", "line_id", "method_id", "kind", "source", "part", "level", "sum", "facility", "ncv_source", "emission_unrounded_tco2",
    "missing",
]  # fmt: skip
_METER = ["plant_id", "line_id", "facility", "fuel", "meter_id"]
_BY = ["plant_id", "line_id", "source", "part", "clinker_class", "ncv_source", "meter_id", "metering"]


@dataclass(frozen=True)
class _Ground:
    """What holds for all lines: widths, classes of meters, and the weight of independent months by who, fuel and kind of value."""

    book: EtsBook
    classes: dict[str, dict[str, float]]
    months: dict[tuple[str | None, ...], float]


def uncertainty_years(home: Home) -> Iterable[str]:
    """Years with months of carbon, and those that had some."""
    return {k[:4] for t in (CARBON_LINE_MONTH.name, CARBON_UNCERTAINTY.name) for k in home.lake.keys(t)}


def make_uncertainty(bench: Bench, year: str) -> dict[str, pa.Table]:
    """`carbon_uncertainty` of `year` ('YYYY'); {} where no plan covers it or no line has a source under the plan's method."""
    first, last = date(int(year), 1, 1), date(int(year), 12, 31)
    book = bench.ets(first, last)
    plan = book.plan(first.year)
    months = bench.keys(CARBON_LINE_MONTH.name, f"{year}-01", f"{year}-12") if plan else []
    found = [_month(bench, month, plan.method) for month in months if plan]
    sources = pl.concat(found) if found else pl.DataFrame()
    if plan is None or not sources.height:
        return {}
    kinds = {n.line_id: n.clinker_class for n in sorted(bench.registry(first, last).lines, key=lambda n: n.valid_from)}
    of = pl.col("line_id").replace_strict(kinds, default=None, return_dtype=pl.String)
    sources = sources.with_columns(pl.when(pl.col("part") == "clinker").then(of).alias("clinker_class"))
    groups = grouped(sources, book, _classes(bench), _incomplete(bench, year, plan))
    rows = table_rows(groups, year, plan.method, threads=bench.settings.threads)
    return {CARBON_UNCERTAINTY.name: CARBON_UNCERTAINTY.arrow(rows)}


def grouped(
    sources: pl.DataFrame, book: EtsBook, classes: dict[tuple[str, str], float], incomplete: dict[tuple[str, str], str]
) -> list[Group]:  # fmt: skip
    """Lines, then entities, by name. `sources` has the columns of _BY, month, emission_unrounded_tco2 and missing; `incomplete` names
    what the year of a (plant, line) lacks.
    """
    by_plant: dict[str, dict[str, float]] = {}
    for (plant_id, meter), pct in classes.items():
        by_plant.setdefault(plant_id, {})[meter] = pct
    ground = _Ground(book, by_plant, _weights(sources, "plant_id", "line_id") | _weights(sources, "plant_id"))
    rows = sources.group_by(_BY).agg(
        pl.col("emission_unrounded_tco2").sum().alias("base"), pl.col("missing").drop_nulls().unique().sort().str.join("; "),
    ).sort(_BY, nulls_last=True)  # fmt: skip
    lines: dict[tuple[str, str], Group] = {}
    plants: dict[str, Group] = {}
    for row in rows.iter_rows(named=True):
        plant = plants.setdefault(row["plant_id"], Group(row["plant_id"], None))
        if row["line_id"] is not None:
            _enter(
                lines.setdefault((row["plant_id"], row["line_id"]), Group(row["plant_id"], row["line_id"])), row, ground
            )
        _enter(plant, row, ground)
    for (plant_id, line_id), text in sorted(incomplete.items()):
        if group := lines.get((plant_id, line_id)):
            # What a source lacks is named with it; here stand months without any.
            group.missing = group.missing or [text]
            plants[plant_id].missing = plants[plant_id].missing or [f"{line_id}: {text}"]
    with_lines = {g.plant_id for g in lines.values()}
    return [*(lines[n] for n in sorted(lines)), *(plants[n] for n in sorted(plants) if n in with_lines)]


def _weights(sources: pl.DataFrame, *who: str) -> dict[tuple[str | None, ...], float]:
    """Root of the sum of squared months, of all meters and lines together: what independent months leave of one error."""
    by = [*who, "source", "ncv_source"]
    fuels = sources.filter(pl.col("part").is_in(_FUELS), pl.col(who[-1]).is_not_null())
    months = (
        fuels.group_by(*by, "month").agg(pl.col("emission_unrounded_tco2").sum()).sort(*by, "month", nulls_last=True)
    )
    found = months.group_by(by, maintain_order=True).agg(
        pl.col("emission_unrounded_tco2").pow(2).sum().sqrt() / pl.col("emission_unrounded_tco2").sum().abs()
    )
    return {tuple(key): share for *key, share in found.iter_rows()}


def _plain(table: pa.Table | None, schema: list[str], *wanted: pl.Expr) -> pl.DataFrame:
    if table is None:
        return pl.DataFrame(schema=dict.fromkeys(schema, pl.String)).filter(*wanted)
    # Filtered before texts are spelled out: most rows are of other methods, or sums.
    return pl.DataFrame(pl.from_arrow(table)).filter(*wanted).with_columns(pl.col(pl.Categorical).cast(pl.String))


def _month(bench: Bench, month: str, method: str) -> pl.DataFrame:
    """Direct sources of a month, with the meter of each fuel and how clinker was come by."""
    wanted = (
        pl.any_horizontal(pl.col("sum") == n for n in _DIRECT),
        pl.col("method_id") == method,
        pl.col("kind") == "source",
    )
    rows = _plain(bench.table(CARBON_LINE_MONTH.name, month, _READ), _READ, *wanted).with_columns(
        pl.col("emission_unrounded_tco2").cast(pl.Float64),
        pl.lit(month).alias("month"),
        # Fuels of a plant's other facilities bear the facility's name: coal of a boiler is the coal of the kiln.
        pl.when(pl.col("part").is_in(_FUELS))
        .then(pl.col("source").str.replace("^.*/", ""))
        .otherwise("source")
        .alias("source"),
    )
    by = ["plant_id", "line_id", "facility", "source"]
    fuels = _plain(bench.table(LEDGER_FUEL.name, month, _METER), _METER).rename({"fuel": "source"})
    fuels = fuels.unique(subset=by, keep="first", maintain_order=True)
    clinker = _plain(bench.table(LEDGER_CLINKER.name, month, ["line_id", "metering"]), ["line_id", "metering"])
    clinker = clinker.with_columns(pl.lit("clinker").alias("part"))
    joined = rows.join(fuels, on=by, how="left", nulls_equal=True).join(clinker, on=["line_id", "part"], how="left")
    return joined.select(*(n for n in _BY if n != "clinker_class"), "month", "emission_unrounded_tco2", "missing")


def _classes(bench: Bench) -> dict[tuple[str, str], float]:
    """Accuracy class in % by plant and meter, as of its last calibration that names one."""
    columns = ["plant_id", "meter_id", "class_pct", "calibrated_from"]
    meters = _plain(bench.table(LEDGER_METER.name, "all", columns), columns).filter(pl.col("class_pct").is_not_null())
    told = meters.sort("meter_id", "calibrated_from").select("plant_id", "meter_id", "class_pct")
    return {(plant, meter): pct for plant, meter, pct in told.iter_rows()}


def _incomplete(bench: Bench, year: str, plan: Plan) -> dict[tuple[str, str], str]:
    """What the year of a line lacks where it has no total: months that nobody filed have no source to say so."""
    columns = ["plant_id", "line_id", "method_id", "aggregation", "total_tco2", "missing"]
    rows = _plain(bench.table(CARBON_LINE_YEAR.name, year, columns), columns)
    rows = rows.filter(pl.col("total_tco2").is_null(), method_id=plan.method, aggregation=plan.aggregation)
    told = rows.select("plant_id", "line_id", pl.col("missing").fill_null("carbon_line_year"))
    return {(plant_id, line_id): text for plant_id, line_id, text in told.iter_rows()}


def _enter(line: Group, row: dict[str, Any], ground: _Ground) -> None:
    """One term and the inputs it takes."""
    if row["missing"]:
        line.missing.append(f"{row['source']}: {row['missing']}")
    if not row["base"]:
        return
    if row["part"] not in (*_FUELS, *_PROCESS):
        line.missing.append(f"uncertainty of {row['part']}")
        return
    taken = []
    classes = ground.classes.get(line.plant_id, {})
    for quantity, kind, key in _inputs(row, classes, whole=line.line_id is None):
        known = ground.book.uncertain.get(f"{quantity}/{kind}")
        if known is None or (known.half_width_pct is None and key[-1] not in classes):
            line.missing.append(f"uncertainty {quantity}/{kind}")
            continue
        width = classes[key[-1]] if known.half_width_pct is None else known.half_width_pct
        if known.apart:
            who = (line.plant_id,) if line.line_id is None else (line.plant_id, line.line_id)
            width *= ground.months[*who, row["source"], row["ncv_source"]]
        taken.append(line.place((quantity, *key), known, width / 100))
    line.terms.append((row["base"], taken))


def _inputs(row: dict[str, Any], classes: dict[str, float], *, whole: bool) -> list[tuple[str, str, tuple[str, ...]]]:
    """(quantity, kind, what makes it one input) of a term; of a whole entity, amounts that no meter ties are each line's own."""
    source = row["source"]
    own = (str(row["line_id"] or ""),) if whole else ()
    if row["part"] == "clinker":
        kind = "clinker_stocktake" if row["metering"] == "stocktake" else "clinker"
        # Lines of another class of clinker have another factor, wrong in its own way.
        return [
            ("activity", kind, (source, kind, *own)),
            ("ef_clinker", "default", (source, str(row["clinker_class"]))),
        ]
    if row["part"] == "deduction":
        return [("activity", "rawmat", (source, *own)), ("k_rawmat", "default", (source,))]
    meter = row["meter_id"]
    amount = ("meter", ("meter", meter)) if meter in classes else ("fuel", (source, "unmetered", *own))
    ncv = row["ncv_source"] or "default"
    return [
        ("activity", *amount),
        ("ncv", ncv, (source, ncv)),
        ("cc", "default", (source,)),
        ("of", "default", (source,)),
    ]
