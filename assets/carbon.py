"""Carbon of a month: every source of every line and plant under every method of the year, and the sums of lines.

Belongs here: the order of work from ledgers to `carbon_line_month`. Does not belong here: inputs (`carbon_inputs`), sources
(`carbon_sources`), formulas and sums (`kernels/carbon*`), years (`carbon_year`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.carbon_factors import Factors
from assets.carbon_groups import ACCOUNT, TOTAL, UNIT, choose, listed, sorted_sources, starts, within
from assets.carbon_inputs import month_span, read_month
from assets.carbon_plan import Plan
from assets.carbon_sets import with_month_sets
from assets.carbon_sources import BUILDERS
from contracts.carbon import CARBON_LINE_MONTH, SUMS
from kernels.carbon import Rows
from kernels.carbon_sums import Figures, month_figures, totals

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from assets.carbon_inputs import Inputs
    from kernels.carbon import Places
    from resources.bench import Bench
    from resources.factors import FactorBook
    from resources.home import Home

_NUMBERS = (
    "activity", "activity_reported", "ncv_gj", "carbon_tc_gj", "oxidation_pct", "factor", "dust_t", "cao_pct", "mgo_pct",
    "noncarbonate_cao_pct", "noncarbonate_mgo_pct", "carbon_pct", "fossil_pct", "calcination", "correction",
)  # fmt: skip
_TEXTS = (
    "plant_id", "line_id", "source", "facility", "electricity_basis", "activity_unit", "ncv_source", "reason", "missing",
    "factor_ids", "drafts", "src_table", "src_path",
)  # fmt: skip
_SCHEMA = {
    **dict.fromkeys(_TEXTS, pl.String),
    **dict.fromkeys(_NUMBERS, pl.Float64),
    "src_row": pl.Int32,
    "number": pl.Int32,
}


def carbon_month_keys(home: Home) -> Iterable[str]:
    """Months with ledgers, and those that were made of some."""
    return {m for t in ("ledger_clinker", "carbon_line_month") for m in home.lake.keys(t)}


def make_carbon_months(bench: Bench, month: str) -> dict[str, pa.Table]:
    """`carbon_line_month` of `month` ('YYYY-MM'); {} where no ledger has a row or no method is computed for its year."""
    first, last = month_span(month)
    book = bench.methods(first, last)
    plan = Plan.of(book, first.year)
    inputs = read_month(bench, month, book) if plan.parts else None
    if inputs is None:
        return {}
    factors = bench.factors(first, last)
    rows = _sources(plan, inputs, factors)
    made = pl.concat([rows[0], _line_sums(plan, *rows)], how="diagonal")
    made = made.with_columns(
        pl.lit(month).alias("month"), status_of(pl.col("emission_tco2")),
        pl.col("method_id").replace_strict({m.id: book.hash_of(m) for m in plan.methods}, return_dtype=pl.String).alias("method_version"),
        pl.col("method_id").replace_strict({m.id: m.selection for m in plan.methods}, return_dtype=pl.String).alias("factor_policy"),
    ).sort("plant_id", "line_id", "method_id", "kind", "source", nulls_last=True)  # fmt: skip
    made = with_month_sets(made, factors, first, last)
    return {CARBON_LINE_MONTH.name: CARBON_LINE_MONTH.arrow(made.select(CARBON_LINE_MONTH.names), sort=False)}


def status_of(figure: pl.Expr) -> pl.Expr:
    """Status of rows with `drafts`, from the figure they give."""
    status = pl.when(figure.is_null()).then(pl.lit("missing")).when(pl.col("drafts").is_null()).then(pl.lit("filing"))
    return status.otherwise(pl.lit("draft")).alias("status")


def _sources(plan: Plan, inputs: Inputs, book: FactorBook) -> tuple[pl.DataFrame, Figures]:
    frames = [pl.DataFrame(schema=_SCHEMA)]
    for number, (method, part) in enumerate(plan.parts):
        made = BUILDERS[part.id](inputs, Factors(book, method, inputs.first), part)
        frames.append(
            made.select(pl.col(c).cast(_SCHEMA[c]) for c in made.columns if c in _SCHEMA).with_columns(
                pl.lit(number, pl.Int32).alias("number")
            )
        )
    rows = pl.concat(frames, how="diagonal")
    told = pl.DataFrame(
        {
            "number": range(len(plan.parts)), "method_id": [m.id for m, _ in plan.parts], "part": [p.id for _, p in plan.parts],
            "level": [p.level for _, p in plan.parts], "sum": [p.sum for _, p in plan.parts],
            "joint": [p.unit for _, p in plan.parts], "own": plan.drafts,
        },
        schema_overrides={"number": pl.Int32, "own": pl.String},
    )  # fmt: skip
    # What did nothing emits nothing, whatever else is unknown of it.
    idle = (pl.col("activity") == 0).fill_null(False) & (pl.col("dust_t").fill_null(0.0) == 0)
    text = pl.concat_str("drafts", "own", separator="|", ignore_nulls=True)
    rows = rows.join(told, on="number", how="left").with_columns(
        pl.when(pl.col("joint") == "").then("source").otherwise("joint").alias("unit"),
        pl.when(~idle).then("missing").alias("missing"), pl.when(text != "").then(text).alias("drafts"),
        pl.coalesce("activity_reported", "activity").alias("activity_reported"),
    )  # fmt: skip
    rows = sorted_sources(rows)
    figures = _computed(plan, rows)
    gone = pl.col("missing").is_not_null()
    made = rows.with_columns(
        pl.when(gone).then("activity_reported").otherwise(pl.Series(figures.rows.terms[:, 0]).fill_nan(None)).alias("activity"),
        pl.Series("emission_unrounded_tco2", figures.exact).fill_nan(None), pl.Series("emission_tco2", figures.rounded).fill_nan(None),
        pl.lit("source").alias("kind"),
        pl.when(gone & pl.col("missing").str.starts_with("factor")).then(pl.lit("missing_factor")).when(gone).then(pl.lit("missing_input"))
        .otherwise("reason").alias("reason"),
    )  # fmt: skip
    return _as_used(made, plan, figures), figures


def _computed(plan: Plan, rows: pl.DataFrame) -> Figures:
    number = rows["number"].to_numpy()
    terms = plan.terms(rows, number)
    terms[rows["missing"].is_not_null().to_numpy(), 0] = np.nan
    given = Rows(plan.forms[number], number.astype(np.int8), terms)
    return month_figures(given, starts(rows, UNIT), plan.rounding)


def _as_used(rows: pl.DataFrame, plan: Plan, figures: Figures) -> pl.DataFrame:
    """Heating values as rounded by the method: what a reader multiplies gives the emission."""
    fuel = plan.forms[rows["number"].to_numpy()] == 0
    ncv = pl.Series(np.where(fuel, figures.rows.terms[:, 1], np.nan)).fill_nan(None)
    return rows.with_columns(pl.when(pl.Series(fuel) & ncv.is_not_null()).then(ncv).otherwise("ncv_gj").alias("ncv_gj"))


def _line_sums(plan: Plan, rows: pl.DataFrame, figures: Figures) -> pl.DataFrame:
    """Fossil, process, energy and total of every line and method."""
    unit_starts, account_starts = starts(rows, UNIT), starts(rows, ACCOUNT)
    accounts = rows[account_starts[:-1].tolist()].select(*ACCOUNT)
    code = unit_sums(rows, unit_starts)
    groups = within(account_starts, unit_starts)
    profile = profiles(plan, accounts)
    made = []
    for s, name in enumerate(SUMS):
        chosen = choose(groups, (code == s) | (s == TOTAL))
        values = totals(figures, chosen.members, chosen.starts, plan.rounding, profile)
        has = [m.id for m in plan.methods if s == TOTAL or any(p.sum == name and p.level == "line" for p in m.parts)]
        some = accounts.with_columns(pl.Series("emission_tco2", values).fill_nan(None), pl.lit(name).alias("source"))
        made.append(some.filter((pl.col("level") == "line") & pl.col("method_id").is_in(has)))
    sums: pl.DataFrame = pl.concat(made).with_columns(
        pl.lit("sum").alias("kind"), pl.col("source").alias("sum"), pl.col("account_line").alias("line_id")
    )
    for column, separator in (("missing", "; "), ("drafts", "|")):
        by = ACCOUNT
        texts = [listed(rows, by if n == "total" else [*by, "sum"], column, separator) for n in ("total", "")]
        texts[0] = texts[0].with_columns(pl.lit("total").alias("sum"))
        sums = sums.join(pl.concat(texts, how="diagonal"), on=[*by, "sum"], how="left")
    factors_only = pl.col("missing").str.split("; ").list.eval(pl.element().str.starts_with("factor ")).list.all()
    reason = pl.when(factors_only).then(pl.lit("missing_factor")).when(pl.col("missing").is_not_null()).then(pl.lit("missing_input")).alias("reason")  # fmt: skip
    made_sums: pl.DataFrame = sums.with_columns(reason, pl.lit(None, pl.String).alias("part"))
    return made_sums


def unit_sums(rows: pl.DataFrame, unit_starts: Places) -> Places:
    """Which sum each unit enters, as a number of SUMS."""
    number = {name: i for i, name in enumerate(SUMS)}
    code: Places = rows["sum"][unit_starts[:-1].tolist()].replace_strict(number, return_dtype=pl.Int64).to_numpy()
    return code


def profiles(plan: Plan, accounts: pl.DataFrame) -> Places:
    """Profile of each account: that of its method."""
    profile: Places = accounts["method_id"].replace_strict(plan.first_of, return_dtype=pl.Int64).to_numpy()
    return profile
