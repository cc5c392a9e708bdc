"""Uncertainty of a year's carbon: sources of `carbon_line_month` -> `carbon_uncertainty`, by the method of the year's allocation plan.

Belongs here: which inputs a line has, which of them move together, the table. Does not belong here: how uncertain an input is
(`reference/ets/uncertainty.csv`), draws and variances (`kernels/uncertainty`).

A term is one source read by one meter with one kind of heating value. Terms of a meter share its error, terms of a fuel its carbon
content and oxidation; months of measured heating values are independent, so that their errors partly cancel over the year.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from contracts.carbon import CARBON_LINE_MONTH
from contracts.ets import CARBON_UNCERTAINTY, DISTRIBUTIONS
from contracts.ledgers import LEDGER_CLINKER, LEDGER_FUEL, LEDGER_METER
from kernels.uncertainty import SLOTS, Inputs, Terms, relative_sd, spread, variance

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from resources.bench import Bench
    from resources.ets import EtsBook, Uncertain
    from resources.home import Home

#: The ends of a 95 % interval then wander by some 1.5 % of its width.
DRAWS = 10_000
TOTAL = "total"
#: Parts of a method whose sources are products of inputs.
_PARTS = ("fossil", "clinker", "deduction")
_READ = ["plant_id", "line_id", "method_id", "kind", "source", "part", "level", "facility", "ncv_source", "emission_unrounded_tco2", "missing"]  # fmt: skip
_METER = ["line_id", "facility", "fuel", "meter_id"]
_BY = ["plant_id", "line_id", "source", "part", "ncv_source", "meter_id", "metering"]


@dataclass
class _Line:
    """Inputs of one line by what makes them one, and its terms."""

    plant_id: str
    inputs: dict[tuple[str, ...], tuple[Uncertain, float]] = field(default_factory=dict)
    terms: list[tuple[float, list[tuple[str, ...]]]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def emission(self) -> float:
        return sum(base for base, _ in self.terms)


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
    classes = _classes(bench)
    rows = sources.group_by(_BY).agg(
        pl.col("emission_unrounded_tco2").sum().alias("base"), pl.col("emission_unrounded_tco2").pow(2).sum().sqrt().alias("root"),
        pl.col("missing").drop_nulls().unique().sort().str.join("; "),
    ).sort(_BY, nulls_last=True)  # fmt: skip
    lines: dict[str, _Line] = {}
    for row in rows.iter_rows(named=True):
        _enter(lines.setdefault(row["line_id"], _Line(row["plant_id"])), row, book, classes)
    made = table_rows(lines, year, plan.method)
    return {CARBON_UNCERTAINTY.name: CARBON_UNCERTAINTY.arrow(_frame(made))}


def _plain(table: pa.Table | None, schema: list[str]) -> pl.DataFrame:
    if table is None:
        return pl.DataFrame(schema=dict.fromkeys(schema, pl.String))
    return pl.DataFrame(pl.from_arrow(table)).with_columns(pl.col(pl.Categorical).cast(pl.String))


def _month(bench: Bench, month: str, method: str) -> pl.DataFrame:
    """Sources of lines in a month, with the meter of each fuel and how clinker was come by."""
    rows = _plain(bench.table(CARBON_LINE_MONTH.name, month, _READ), _READ)
    rows = rows.filter(method_id=method, kind="source", level="line").with_columns(
        pl.col("emission_unrounded_tco2").cast(pl.Float64)
    )
    fuels = _plain(bench.table(LEDGER_FUEL.name, month, _METER), _METER).filter(pl.col("line_id").is_not_null())
    fuels = fuels.rename({"fuel": "source"}).unique(
        subset=["line_id", "facility", "source"], keep="first", maintain_order=True
    )
    clinker = _plain(bench.table(LEDGER_CLINKER.name, month, ["line_id", "metering"]), ["line_id", "metering"])
    clinker = clinker.with_columns(pl.lit("clinker").alias("part"))
    joined = rows.join(fuels, on=["line_id", "facility", "source"], how="left").join(
        clinker, on=["line_id", "part"], how="left"
    )
    return joined.select(*_BY, "emission_unrounded_tco2", "missing")


def _classes(bench: Bench) -> dict[str, float]:
    """Accuracy class in % by meter, as of its last calibration that names one."""
    columns = ["meter_id", "class_pct", "calibrated_from"]
    meters = _plain(bench.table(LEDGER_METER.name, "all", columns), columns).filter(pl.col("class_pct").is_not_null())
    return dict(meters.sort("meter_id", "calibrated_from").select("meter_id", "class_pct").iter_rows())


def _enter(line: _Line, row: dict[str, Any], book: EtsBook, classes: dict[str, float]) -> None:
    """One term and the inputs it takes."""
    if row["missing"]:
        line.missing.append(f"{row['source']}: {row['missing']}")
    if not row["base"]:
        return
    if row["part"] not in _PARTS:
        line.missing.append(f"uncertainty of {row['part']}")
        return
    taken = []
    for quantity, kind, key in _inputs(row, classes):
        known = book.uncertain.get(f"{quantity}/{kind}")
        if known is None or (known.half_width_pct is None and key[-1] not in classes):
            line.missing.append(f"uncertainty {quantity}/{kind}")
            continue
        width = classes[key[-1]] if known.half_width_pct is None else known.half_width_pct
        if known.apart:
            # Independent months: weights of the year's emission, errors in quadrature.
            width *= row["root"] / abs(row["base"])
        name = (quantity, *key, str(row["meter_id"])) if known.apart else (quantity, *key)
        line.inputs.setdefault(name, (known, width / 100))
        taken.append(name)
    line.terms.append((row["base"], taken))


def _inputs(row: dict[str, Any], classes: dict[str, float]) -> list[tuple[str, str, tuple[str, ...]]]:
    """(quantity, kind, what makes it one input) of a term."""
    source = row["source"]
    if row["part"] == "clinker":
        kind = "clinker_stocktake" if row["metering"] == "stocktake" else "clinker"
        return [("activity", kind, (source, kind)), ("ef_clinker", "default", (source,))]
    if row["part"] == "deduction":
        return [("activity", "rawmat", (source,)), ("k_rawmat", "default", (source,))]
    meter = row["meter_id"]
    amount = ("meter", ("meter", meter)) if meter in classes else ("fuel", (source, "unmetered"))
    ncv = row["ncv_source"] or "default"
    return [
        ("activity", *amount),
        ("ncv", ncv, (source, ncv)),
        ("cc", "default", (source,)),
        ("of", "default", (source,)),
    ]


def table_rows(lines: dict[str, _Line], year: str, method: str, draws: int = DRAWS) -> list[dict[str, Any]]:
    """Rows of the table: one of each line, and one of each of its inputs. A line that lacks anything has no interval."""
    whole = {n: line for n, line in sorted(lines.items()) if not line.missing and line.terms}
    arrays = _arrays(list(whole.values()))
    seeds = np.array([_seed(n, year, method) for n in whole], np.uint64)
    drawn = spread(seeds, draws, *arrays)
    total, main = variance(*arrays)
    sds = relative_sd(arrays[1])
    made = []
    at = 0
    for g, (line_id, line) in enumerate(whole.items()):
        who = {"plant_id": line.plant_id, "line_id": line_id, "year": year, "method_id": method}
        half = (drawn.high[g] - drawn.low[g]) / 2
        made.append(who | {
            "source": TOTAL, "quantity": TOTAL, "emission_tco2": line.emission, "mean_tco2": drawn.mean[g], "sd_tco2": drawn.sd[g],
            "low_tco2": drawn.low[g], "high_tco2": drawn.high[g], "draws": draws,
            "half_interval_pct": 100 * half / abs(line.emission) if line.emission else None,
            "confidence": _worst([u.confidence for u, _ in line.inputs.values()]),
        })  # fmt: skip
        names = _names(list(line.inputs))
        for key, (known, width) in line.inputs.items():
            made.append(who | {
                "source": names[key], "quantity": known.quantity, "emission_tco2": sum(b for b, taken in line.terms if key in taken),
                "basis": known.id, "distribution": known.distribution, "half_width_pct": 100 * width, "sd_pct": 100 * sds[at],
                "share_pct": min(100 * main[at] / total[g], 100.0) if total[g] else None, "confidence": known.confidence,
            })  # fmt: skip
            at += 1
    for line_id, line in sorted(lines.items()):
        if line_id not in whole and (line.missing or line.terms):
            made.append({
                "plant_id": line.plant_id, "line_id": line_id, "year": year, "method_id": method, "source": TOTAL, "quantity": TOTAL,
                "missing": "; ".join(dict.fromkeys(line.missing)),
            })  # fmt: skip
    return made


def _arrays(lines: list[_Line]) -> tuple[Any, Inputs, Any, Terms]:
    inputs = [pair for line in lines for pair in line.inputs.values()]
    cuts = [u.cut_pct / 100 if u.cut_pct is not None else np.inf for u, _ in inputs]
    slots = []
    for line in lines:
        places = {key: k for k, key in enumerate(line.inputs)}
        slots += [[places[key] for key in taken] + [-1] * (SLOTS - len(taken)) for _, taken in line.terms]
    starts = [np.cumsum([0, *many]) for many in ([len(n.inputs) for n in lines], [len(n.terms) for n in lines])]
    kinds = np.array([DISTRIBUTIONS.index(u.distribution) for u, _ in inputs], np.int8)
    terms = Terms(np.array([b for n in lines for b, _ in n.terms]), np.array(slots, np.int64).reshape(-1, SLOTS))
    return starts[0], Inputs(kinds, np.array([w for _, w in inputs]), np.array(cuts)), starts[1], terms


def _seed(line_id: str, year: str, method: str) -> int:
    """Of a line and year alone, so that no other line changes its draws."""
    return int.from_bytes(hashlib.sha256(f"{line_id}/{year}/{method}".encode()).digest()[:8], "big")


def _names(keys: list[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """The source as each input's name; where two inputs of a quantity would bear one name, all that makes each of them one."""
    short = {key: key[1] if key[1] != "meter" else f"meter {key[2]}" for key in keys}
    taken = [(key[0], name) for key, name in short.items()]
    return {key: name if taken.count((key[0], name)) == 1 else " ".join(key[1:]) for key, name in short.items()}


def _worst(some: list[str]) -> str:
    return max(some, key=("verified", "secondary", "draft").index, default="draft")


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    kinds = {"double": pl.Float64, "int32": pl.Int32}
    schema = {c.name: kinds.get(str(c.type), pl.String) for c in CARBON_UNCERTAINTY.columns}
    return pl.DataFrame([{n: row.get(n) for n in schema} for row in rows], schema=schema)
