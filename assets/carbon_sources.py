"""Sources of a month: what each part of a method makes of the ledgers, one row a source, with everything that is missing named.

Belongs here: which ledger columns and factors a part takes (carbon-rules 2.2, 4, 6, 7). Does not belong here: the formulas
(`kernels/carbon_forms`), and lines of plants one by one: every step is over all rows at once.

A row whose input is missing stays, without a number and with the name of what it lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.carbon_dust import bypass_dust, dust_factor, kiln_dust, no_kiln_dust, with_dust
from assets.carbon_energy import electricity, heat, line_electricity
from assets.carbon_frames import ids_of, missing_of, picked, when_missing
from assets.carbon_inputs import SRC, Inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from assets.carbon_factors import Factors
    from resources.methods import Part


def _fuel_rows(factors: Factors, fuels: pl.DataFrame) -> pl.DataFrame:
    """Fuels with their factors; a measured heating value may not be switched back to the default (2.5)."""
    joined = fuels.join(
        factors.fuels(fuels.select("fuel", "facility").unique().iter_rows()), on=["fuel", "facility"], how="left"
    )
    default = (pl.col("ncv_source") == "default").fill_null(pl.col("ncv_gj").is_null())
    taken = "corrected" if factors.method.corrects_meters else "consumption"
    made = joined.with_columns(
        pl.when(default).then("default_ncv").otherwise("ncv_gj").alias("ncv_gj"),
        pl.when(default).then(pl.lit("default")).otherwise(pl.lit("measured")).alias("ncv_source"),
        pl.when(default).then("default_ncv_id").alias("default_ncv_id"),
        pl.when(default).then("default_ncv_draft").alias("default_ncv_draft"),
        pl.coalesce("unit", "expected_unit").alias("unit"),
    )
    fuel = pl.col("fuel")
    missing = missing_of(
        when_missing("consumption", "ledger_fuel.consumption"),
        pl.when(pl.col("unit") != pl.col("expected_unit")).then(pl.lit("ledger_fuel.unit")),
        pl.when(pl.col("ncv_gj").is_null() & default).then(pl.format("factor ncv {}", fuel)),
        pl.when(pl.col("ncv_gj").is_null() & ~default).then(pl.lit("ledger_fuel.ncv_gj")),
        pl.when(pl.col("carbon").is_null()).then(pl.format("factor cc {}", fuel)),
        pl.when(pl.col("oxidation").is_null()).then(pl.format("factor of {} {}", fuel, pl.col("facility"))),
    )
    return picked(
        made, "ledger_fuel",
        source=pl.when(pl.col("facility") == "kiln").then(fuel).otherwise(pl.format("{}/{}", "facility", fuel)),
        activity=pl.col(taken), activity_reported=pl.col("consumption"), activity_unit=pl.col("unit"),
        facility=pl.col("facility"), ncv_gj=pl.col("ncv_gj"), ncv_source=pl.col("ncv_source"),
        carbon_tc_gj=pl.col("carbon"), oxidation_pct=pl.col("oxidation"), missing=missing,
        factor_ids=ids_of("default_ncv_id", "carbon_id", "oxidation_id"),
        drafts=ids_of("default_ncv_draft", "carbon_draft", "oxidation_draft"),
    )  # fmt: skip


def _fossil(inputs: Inputs, factors: Factors, _part: Part) -> pl.DataFrame:
    kiln = inputs.of("ledger_fuel").filter(pl.col("facility") == "kiln")
    # Of a line that changed plant each burns its own fuel: a row of the other plant feeds nothing.
    rows = _fuel_rows(factors, kiln.join(inputs.lines, on=["plant_id", "line_id"], how="semi"))
    # A kiln that made clinker burnt something: no row at all is a gap, and so is fuel of which nobody says whose it was.
    unburnt = inputs.lines.filter(
        ~pl.col("line_id").is_in(rows["line_id"].implode()) & (pl.col("output_t") != 0).fill_null(True)
    )
    unsaid = kiln.filter(pl.col("line_id").is_null() & (pl.col("consumption") != 0).fill_null(True))
    loose = inputs.lines.filter(pl.col("plant_id").is_in(unsaid["plant_id"].implode()))
    return pl.concat(
        [rows, _gap(unburnt, "fuels", "ledger_fuel"), _gap(loose, "fuels without line", "ledger_fuel.line_id")],
        how="diagonal",
    )


def _other_fossil(inputs: Inputs, factors: Factors, _part: Part) -> pl.DataFrame:
    return _fuel_rows(factors, inputs.of("ledger_fuel").filter(pl.col("facility") != "kiln"))


def _gap(lines: pl.DataFrame, source: str, missing: str) -> pl.DataFrame:
    made = lines.select("plant_id", "line_id", pl.lit(source).alias("source"), pl.lit(missing).alias("missing"))
    return made.with_columns(pl.lit("fuel").alias("form"))


def _clinker(inputs: Inputs, factors: Factors, part: Part) -> pl.DataFrame:
    by_class = part.options.get("scope") == "class"
    lines = inputs.lines.with_columns((pl.col("clinker_class") if by_class else pl.lit("default")).alias("scope"))
    lines = lines.join(factors.frame("ef_clinker", "scope", lines["scope"].unique()), on="scope", how="left")
    missing = missing_of(
        when_missing("output_t", "ledger_clinker.output_t"),
        pl.when(pl.col("factor").is_null()).then(pl.format("factor ef_clinker {}", pl.col("scope"))),
    )
    return _of_clinker(lines, "clinker", missing, factor=pl.col("factor"))


def _of_clinker(
    lines: pl.DataFrame, source: str, missing: pl.Expr, ids: str = "factor", **terms: pl.Expr
) -> pl.DataFrame:
    """Sources whose activity is the clinker made."""
    return picked(
        lines, "ledger_clinker", source=pl.lit(source), activity=pl.col("output_t"), activity_unit=pl.lit("t"), missing=missing,
        factor_ids=ids_of(f"{ids}_id") if ids else pl.lit(None, pl.String), drafts=ids_of(f"{ids}_draft", "changed") if ids else pl.col("changed"),
        **terms,
    )  # fmt: skip


def _deduction(inputs: Inputs, factors: Factors, _part: Part) -> pl.DataFrame:
    rows = inputs.of("ledger_rawmat").join(inputs.lines.select("line_id", "plant_id"), on="line_id")
    rows = rows.join(factors.frame("k_rawmat", "material", rows["material"].unique()), on="material", how="left")
    unlisted = pl.col("factor").is_null()
    return picked(
        rows, "ledger_rawmat", source=pl.col("material"), activity=pl.col("consumption_t"), activity_unit=pl.lit("t"),
        factor=pl.col("factor").fill_null(0.0), reason=pl.when(unlisted).then(pl.lit("not_listed")),
        missing=missing_of(pl.when(pl.col("consumption_t").is_null() & ~unlisted).then(pl.lit("ledger_rawmat.consumption_t"))),
        factor_ids=ids_of("factor_id"), drafts=ids_of("factor_draft"),
    ).with_columns(pl.when(pl.col("reason").is_not_null()).then(pl.col("activity").fill_null(0.0)).otherwise("activity").alias("activity"))  # fmt: skip


def _oxides(inputs: Inputs, _factors: Factors, part: Part) -> pl.DataFrame:
    contents = ("clinker_cao_pct", "clinker_mgo_pct", "noncarbonate_cao_pct", "noncarbonate_mgo_pct")
    lines = inputs.lines.join(inputs.of("ledger_lab").select("line_id", *contents), on="line_id", how="left")
    lines, dust, gaps = with_dust(inputs, lines, part)
    missing = missing_of(
        when_missing("output_t", "ledger_clinker.output_t"),
        *(when_missing(c, f"ledger_lab.{c}") for c in contents),
        *gaps,
    )
    return _of_clinker(
        lines, "clinker", missing, "", dust_t=dust, cao_pct=pl.col(contents[0]), mgo_pct=pl.col(contents[1]),
        noncarbonate_cao_pct=pl.col(contents[2]), noncarbonate_mgo_pct=pl.col(contents[3]),
    )  # fmt: skip


def _rawmeal(inputs: Inputs, factors: Factors, part: Part) -> pl.DataFrame:
    content = factors.find("rawmeal_carbon", "plain")
    value, name = (content.value, content.factor_id) if content else (None, None)
    draft = name if content and content.confidence == "draft" else None
    gap = pl.when(pl.lit(content is None)).then(pl.lit("factor rawmeal_carbon plain"))
    if part.options.get("amount") == "ratio":
        lines = inputs.lines.with_columns(pl.lit("default").alias("scope"))
        lines = lines.join(factors.frame("rawmeal_ratio", "scope", ["default"]), on="scope", how="left")
        missing = missing_of(
            when_missing("output_t", "ledger_clinker.output_t"), when_missing("factor", "factor rawmeal_ratio"), gap
        )
        made = _of_clinker(
            lines, "raw meal carbon", missing, factor=pl.col("factor"), carbon_pct=pl.lit(value, pl.Float64)
        )
        return made.with_columns(
            factor_ids=pl.concat_str("factor_ids", pl.lit(name, pl.String), separator="|", ignore_nulls=True),
            drafts=pl.lit(draft, pl.String),
        )
    columns = ("rawmeal_t", "nonfuel_carbon_pct")
    lines = inputs.lines.drop(SRC).join(
        inputs.of("ledger_rawmeal").select("line_id", *columns, *SRC), on="line_id", how="left"
    )
    filed, still = pl.col("nonfuel_carbon_pct"), (pl.col("output_t") == 0).fill_null(False)
    missing = missing_of(
        pl.when(pl.col("rawmeal_t").is_null() & ~still).then(pl.lit("ledger_rawmeal.rawmeal_t")),
        pl.when(filed.is_null()).then(gap),
    )
    return picked(
        lines, "ledger_rawmeal", source=pl.lit("raw meal carbon"), missing=missing, activity_unit=pl.lit("t"),
        activity=pl.when(pl.col("rawmeal_t").is_null() & still).then(0.0).otherwise("rawmeal_t"), factor=pl.lit(1.0),
        carbon_pct=filed.fill_null(pl.lit(value, pl.Float64)),
        factor_ids=pl.when(filed.is_null()).then(pl.lit(name, pl.String)), drafts=pl.when(filed.is_null()).then(pl.lit(draft, pl.String)),
    )  # fmt: skip


def _altfuel(inputs: Inputs, factors: Factors, _part: Part) -> pl.DataFrame:
    rows = inputs.of("ledger_altfuel").join(inputs.lines.select("line_id", "plant_id"), on="line_id")
    kinds = {"ncv_gj": "hv_altfuel", "ef_tco2_gj": "ef_altfuel", "fossil_carbon_pct": "fossil_share"}
    for column, quantity in kinds.items():
        rows = rows.join(factors.frame(quantity, "fuel", rows["fuel"].unique(), quantity), on="fuel", how="left")
        rows = rows.with_columns(
            pl.coalesce(column, quantity).alias(column),
            *(
                pl.when(pl.col(column).is_null()).then(f"{quantity}_{s}").alias(f"{quantity}_{s}")
                for s in ("id", "draft")
            ),
        )
    missing = missing_of(*(when_missing(c, f"ledger_altfuel.{c}") for c in ("consumption_t", *kinds)))
    return picked(
        rows, "ledger_altfuel", source=pl.format("altfuel/{}", "fuel"), activity=pl.col("consumption_t"), activity_unit=pl.lit("t"),
        facility=pl.lit("kiln"), ncv_gj=pl.col("ncv_gj"), factor=pl.col("ef_tco2_gj"), fossil_pct=pl.col("fossil_carbon_pct"),
        missing=missing, factor_ids=ids_of(*(f"{q}_id" for q in kinds.values())),
        drafts=ids_of(*(f"{q}_draft" for q in kinds.values())),
    )  # fmt: skip


def _stoichiometric(inputs: Inputs, factors: Factors, part: Part) -> pl.DataFrame:
    scopes = {"factor": ("ef_carbonate", "calcium_carbonate"), "dust": ("ckd_factor", "default")}
    lines = inputs.lines
    for name, (quantity, scope) in scopes.items():
        lines = (
            lines.with_columns(pl.lit(scope).alias("scope"))
            .join(factors.frame(quantity, "scope", [scope], name), on="scope", how="left")
            .drop("scope")
        )
    missing = missing_of(
        when_missing("output_t", "ledger_clinker.output_t"),
        *(when_missing(n, f"factor {q} {s}") for n, (q, s) in scopes.items()),
    )
    made = _of_clinker(
        lines,
        "clinker",
        missing,
        factor=pl.col("factor"),
        correction=pl.col("dust"),
        cao_pct=pl.lit(float(part.ratio("cao_pct"))),
        dust_id=pl.col("dust_id"),
    )
    return made.with_columns(factor_ids=pl.concat_str("factor_ids", "dust_id", separator="|", ignore_nulls=True)).drop(
        "dust_id"
    )


def _outside(inputs: Inputs, _factors: Factors, part: Part) -> pl.DataFrame:
    return _gap(inputs.lines, "clinker", "; ".join(part.listed("requires")))


BUILDERS: dict[str, Callable[[Inputs, Factors, Part], pl.DataFrame]] = {
    "fossil": _fossil, "other_fossil": _other_fossil, "altfuel": _altfuel, "clinker": _clinker, "deduction": _deduction,
    "oxides": _oxides, "rawmeal_carbon": _rawmeal, "bypass_dust": bypass_dust, "kiln_dust": kiln_dust,
    "dust_factor": dust_factor, "stoichiometric": _stoichiometric, "no_kiln_dust": no_kiln_dust, "outside": _outside,
    "line_electricity": line_electricity, "electricity": electricity, "heat": heat,
}  # fmt: skip
