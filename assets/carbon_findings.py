"""Cross-checks of a year's ledgers and carbon: what does not fit together, as findings.

Belongs here: reading the year, and telling what a check found outside its limits. Does not belong here: the checks (`carbon_checks`),
limits (`reference/ets/checks.toml`), names and texts (`reference/findings.toml`).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.carbon_checks import CHECKS, WITHIN, Desk
from assets.events import findings_table
from contracts import TABLES
from contracts.carbon import CARBON_LINE_MONTH, CARBON_LINE_YEAR
from contracts.ets import CARBON_FINDINGS
from contracts.ledgers import LEDGER_CLINKER, MONTHLY
from resources.findings import Place, load_findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from resources.bench import Bench
    from resources.events import Finding
    from resources.home import Home

_SRC = ("src_path", "src_sheet", "src_row")
_WANTED = {
    "ledger_fuel": ("plant_id", "line_id", "facility", "fuel", "opening", "purchased", "sold", "closing", "consumption", "unit", "ncv_gj", "ncv_source"),
    "ledger_clinker": ("line_id", "output_t", "opening_t", "purchased_t", "sold_t", "used_t", "closing_t"),
    "ledger_rawmat": ("line_id", "material", "consumption_t"),
    "ledger_rawmeal": ("line_id", "rawmeal_t"),
    "ledger_lab": ("line_id", "clinker_cao_pct", "clinker_mgo_pct", "noncarbonate_cao_pct", "noncarbonate_mgo_pct"),
    "ledger_electricity": ("plant_id", "line_id", "grid_mwh", "direct_nonfossil_mwh", "waste_heat_mwh", "captive_mwh", "exported_mwh", "certificate_mwh"),
}  # fmt: skip
_YEAR = [
    "plant_id",
    "line_id",
    "method_id",
    "aggregation",
    "heat_gj_t",
    "intensity_tco2_t",
    "carbide_rate_pct",
    "complete",
]


def finding_years(home: Home) -> Iterable[str]:
    """Years with ledgers, and those that had some."""
    return {k[:4] for t in (LEDGER_CLINKER.name, CARBON_FINDINGS.name) for k in home.lake.keys(t)}


def make_carbon_findings(bench: Bench, year: str) -> dict[str, pa.Table]:
    """`carbon_findings` of `year` ('YYYY'), without rows where everything fits; {} without ledgers."""
    first, last = date(int(year), 1, 1), date(int(year), 12, 31)
    book = bench.ets(first, last)
    plan = book.plan(first.year)
    method = plan.method if plan else ""
    ledgers = {t: _ledger(bench, t, year) for t in _WANTED}
    if not any(f.height for f in ledgers.values()):
        return {}
    years = _plain(bench.table(CARBON_LINE_YEAR.name, year, _YEAR), CARBON_LINE_YEAR.name, _YEAR)
    years = years.filter(pl.col("method_id") == method, pl.col("aggregation") == (plan.aggregation if plan else ""))
    months = _process(bench, year, method)
    desk = Desk(
        first.year, ledgers, years, months, bench.factors(first, last), bench.registry(first, last), book, method
    )
    found = [*carbon_findings(desk), *_uncounted(bench, year, ledgers)]
    return {CARBON_FINDINGS.name: findings_table(found).cast(CARBON_FINDINGS.schema())}


def _uncounted(bench: Bench, year: str, ledgers: dict[str, pl.DataFrame]) -> Iterator[Finding]:
    """Once for a year of ledgers that nothing is computed of."""
    if not bench.methods(date(int(year), 1, 1), date(int(year), 12, 31)).of_year(int(year)):
        months = {m for rows in ledgers.values() for m in rows["month"].unique()}
        yield load_findings()["C19_no_method"].finding(Place(period=year), year, {"months": len(months)})


def _process(bench: Bench, year: str, method: str) -> pl.DataFrame:
    """Process emissions of lines and months by the method of the plan."""
    name, columns = (
        CARBON_LINE_MONTH.name,
        ["plant_id", "line_id", "month", "method_id", "kind", "source", "emission_tco2"],
    )
    found = [_plain(bench.table(name, m, columns), name, columns) for m in bench.keys(name, f"{year}-01", f"{year}-12")]
    rows = pl.concat(found) if found else _plain(None, name, columns)
    return rows.filter(method_id=method, kind="sum", source="process").drop("method_id", "kind", "source")


def _ledger(bench: Bench, table: str, year: str) -> pl.DataFrame:
    assert table in {t.name for t in MONTHLY}  # noqa: S101 - a slip of this module
    columns = ["month", *_WANTED[table], *_SRC]
    found = [
        _plain(bench.table(table, m, columns), table, columns) for m in bench.keys(table, f"{year}-01", f"{year}-12")
    ]
    return pl.concat(found) if found else _plain(None, table, columns)


def _plain(table: pa.Table | None, name: str, columns: list[str]) -> pl.DataFrame:
    found = TABLES[name].empty().select(columns) if table is None else table
    return pl.DataFrame(pl.from_arrow(found)).with_columns(pl.col(pl.Categorical).cast(pl.String))


def carbon_findings(desk: Desk) -> Iterator[Finding]:
    """Findings of every check whose limits are in force, in the order of their ids."""
    kinds, plants = load_findings(), desk.plants()
    for name, check in CHECKS.items():
        bounds = desk.book.checks.get(name)
        if bounds is None:
            continue
        # A share of 0.5 % is not outside because doubles make it 0.5000000000000001.
        rows = check(desk, bounds).with_columns(pl.col("value").round(9))
        outside = pl.lit(False)
        if bounds.low is not None:
            outside |= pl.col("value") < bounds.low
        if bounds.high is not None:
            outside |= pl.col("value") > bounds.high
        if name in WITHIN:
            outside = ~outside
        if "plant_id" not in rows.columns:
            rows = rows.join(plants, on=["line_id", "period"], how="left")
        found = rows.filter(outside.fill_null(False)).sort("plant_id", "line_id", "period", nulls_last=True)
        for row in found.iter_rows(named=True):
            figures = {
                "low": "-" if bounds.low is None else f"{bounds.low:g}", "high": "-" if bounds.high is None else f"{bounds.high:g}",
                "unit": bounds.unit, **{k: v for k, v in row.items() if k not in ("value", *_SRC)},
            }  # fmt: skip
            place = Place(
                row["plant_id"], row["line_id"], None, row["period"],
                row.get("src_path"), _cell(row),
            )  # fmt: skip
            yield kinds[name].finding(
                place, f"{row['value']:.4g}", figures, low=bounds.low, high=bounds.high, evidence=row.get("evidence")
            )


def _cell(row: dict[str, Any]) -> str | None:
    if row.get("src_row") is None:
        return None
    return f"{row['src_sheet']}!{row['src_row']}" if row.get("src_sheet") else str(row["src_row"])
