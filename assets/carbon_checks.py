"""The cross-checks of carbon: which figures each compares, over all lines at once (carbon-rules 3).

Belongs here: the checks, each from ledgers and carbon of a year to rows with a value. Does not belong here: reading and telling
(`carbon_findings`), limits (`reference/ets/checks.toml`), what one cell may hold (`reference/ledgers/plausible.csv`: CaO, MgO).

A check looks only where everything it needs is there: what is missing is the ledgers' finding, not one of these. Rows have `period`,
`value`, the line or plant, `evidence`, the place in the ledger where there is one, and the figures that the texts name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from assets.carbon_inputs import in_month
from resources.factors import MissingFactor

if TYPE_CHECKING:
    from collections.abc import Callable

    from resources.ets import Bounds, EtsBook
    from resources.factors import FactorBook
    from resources.registry import Registry


@dataclass(frozen=True)
class Desk:
    """Everything the checks look at: ledgers of the year with their month, the year's lines, process emissions of their months, and
    what holds.
    """

    year: int
    ledgers: dict[str, pl.DataFrame]
    years: pl.DataFrame
    months: pl.DataFrame
    factors: FactorBook
    registry: Registry
    book: EtsBook
    method: str

    @property
    def last(self) -> date:
        """The last day of the year."""
        return date(self.year, 12, 31)

    def factor(self, quantity: str, scope: str) -> float | None:
        """A factor at the end of the year; None where there is none."""
        try:
            found = self.factors.find(quantity, scope, self.last, method="" if quantity == "ets" else self.method)
        except MissingFactor:
            return None
        return found.value

    def plants(self) -> pl.DataFrame:
        """Plant of each line in each period: a month's owner, for the year the last one; also of lines that are in force no more."""
        periods = [*(f"{self.year}-{m:02d}" for m in range(1, 13)), str(self.year)]
        ever = {n.line_id: n.plant_id for n in sorted(self.registry.lines, key=lambda n: n.valid_from)}
        held = [{i: n.plant_id for i, n in in_month(self.registry, p).items()} for p in periods[:-1]]
        of_year = {i: p for month in held for i, p in month.items()}
        rows = [
            (i, period, p)
            for period, some in zip(periods, [*held, of_year], strict=True)
            for i, p in (ever | some).items()
        ]
        return pl.DataFrame(rows, dict.fromkeys(("line_id", "period", "plant_id"), pl.String), orient="row")

    def clinker(self) -> pl.DataFrame:
        """Lines and months that made clinker."""
        return self.ledgers["ledger_clinker"].filter(pl.col("output_t") > 0)


def _period(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.rename({"month": "period"})


def _share(difference: pl.Expr, of: str, bounds: Bounds) -> pl.Expr:
    """A difference in % of a column, without end where that is nought; one that is no more than rounding is none."""
    share = 100 * difference.abs() / pl.col(of)
    return pl.when(difference.abs() > bounds.floor).then(share).otherwise(0.0)


def _fuel_balance(desk: Desk, bounds: Bounds) -> pl.DataFrame:
    left = (
        pl.col("opening")
        + pl.col("purchased")
        - pl.col("sold").fill_null(0)
        - pl.col("closing")
        - pl.col("consumption")
    )
    rows = desk.ledgers["ledger_fuel"]
    terms = ("opening", "purchased", "sold", "closing", "consumption")
    return _period(
        rows.with_columns(
            _share(left, "consumption", bounds).alias("value"), left.round(4).alias("left"), _told(*terms)
        )
    )


def _told(*columns: str) -> pl.Expr:
    """The figures compared, as evidence."""
    parts = [pl.format(f"{c}={{}}", pl.col(c).cast(pl.String).fill_null("")) for c in columns]
    return pl.concat_str(parts, separator=" ").alias("evidence")


def _clinker_balance(desk: Desk, bounds: Bounds) -> pl.DataFrame:
    zero = {c: pl.col(c).fill_null(0) for c in ("purchased_t", "sold_t")}
    left = (
        pl.col("opening_t")
        + pl.col("output_t")
        + zero["purchased_t"]
        - zero["sold_t"]
        - pl.col("used_t")
        - pl.col("closing_t")
    )
    terms = ("opening_t", "output_t", "purchased_t", "sold_t", "used_t", "closing_t")
    rows = desk.ledgers["ledger_clinker"]
    return _period(
        rows.with_columns(_share(left, "output_t", bounds).alias("value"), left.round(4).alias("left"), _told(*terms))
    )


def _rawmeal_ratio(desk: Desk, _bounds: Bounds) -> pl.DataFrame:
    rows = desk.ledgers["ledger_rawmeal"].join(
        desk.clinker().select("line_id", "month", "output_t"), on=["line_id", "month"]
    )
    return _period(
        rows.with_columns((pl.col("rawmeal_t") / pl.col("output_t")).alias("value"), _told("rawmeal_t", "output_t"))
    )


def _yearly(desk: Desk, column: str) -> pl.DataFrame:
    """A figure of the year: of a part of one it says little."""
    rows = desk.years.filter("complete").with_columns(
        pl.lit(str(desk.year)).alias("period"), pl.col(column).alias("value")
    )
    return rows.with_columns(pl.format("carbon_line_year {}", pl.col("method_id")).alias("evidence"))


def _capacities(desk: Desk) -> pl.DataFrame:
    """Capacity of each line: of several in a year the largest, so that an upgrade makes no finding."""
    listed = [(n.line_id, n.capacity_t_d) for n in desk.registry.lines if n.overlaps(date(desk.year, 1, 1), desk.last)]
    lines = pl.DataFrame(listed, schema={"line_id": pl.String, "capacity_t_d": pl.Float64}, orient="row")
    return lines.group_by("line_id").agg(pl.col("capacity_t_d").max())


def _capacity_year(desk: Desk, bounds: Bounds) -> pl.DataFrame:
    """Of the months there are: what is too much for a year is so before the year is over."""
    made = desk.clinker().group_by("line_id").agg(pl.col("output_t").sum().round(2))
    rows = made.join(_capacities(desk), on="line_id").with_columns(
        days=pl.lit(bounds.days), period=pl.lit(str(desk.year))
    )
    full = pl.col("capacity_t_d") * pl.col("days")
    return rows.with_columns(
        (100 * pl.col("output_t") / full).alias("value"), _told("output_t", "capacity_t_d", "days")
    )


def _capacity(desk: Desk, _bounds: Bounds) -> pl.DataFrame:
    lines = _capacities(desk)
    days = pl.col("month").str.to_date("%Y-%m").dt.month_end().dt.day()
    rows = desk.clinker().join(lines, on="line_id").with_columns(days.alias("days"))
    full = pl.col("capacity_t_d") * pl.col("days")
    return _period(
        rows.with_columns((100 * pl.col("output_t") / full).alias("value"), _told("output_t", "capacity_t_d", "days"))
    )


def _implied_factor(desk: Desk, _bounds: Bounds) -> pl.DataFrame:
    listed = {
        n.line_id: desk.factor("ef_clinker", n.clinker_class) for n in desk.registry.lines if n.in_force(desk.last)
    }
    factors = pl.DataFrame(list(listed.items()), schema={"line_id": pl.String, "factor": pl.Float64}, orient="row")
    cao = (pl.col("clinker_cao_pct") - pl.col("noncarbonate_cao_pct")) * 44 / 56
    mgo = (pl.col("clinker_mgo_pct") - pl.col("noncarbonate_mgo_pct")) * 44 / 40
    rows = desk.ledgers["ledger_lab"].join(factors, on="line_id").with_columns(((cao + mgo) / 100).alias("implied"))
    value = (100 * (pl.col("implied") / pl.col("factor") - 1)).alias("value")
    shown = pl.col("implied").round(4)
    return _period(rows.with_columns(value, _told("clinker_cao_pct", "clinker_mgo_pct", "noncarbonate_cao_pct", "noncarbonate_mgo_pct"), shown))  # fmt: skip


def _measured(desk: Desk) -> pl.DataFrame:
    measured = pl.col("ncv_gj").is_not_null() & (pl.col("ncv_source") != "default").fill_null(True)
    return desk.ledgers["ledger_fuel"].filter(measured, pl.col("consumption") > 0)


def _ncv_month(desk: Desk, _bounds: Bounds) -> pl.DataFrame:
    by = ["plant_id", "line_id", "facility", "fuel"]
    mean = ((pl.col("ncv_gj") * pl.col("consumption")).sum() / pl.col("consumption").sum()).over(by)
    rows = _measured(desk).with_columns(mean.alias("usual"))
    value = (100 * (pl.col("ncv_gj") / pl.col("usual") - 1)).alias("value")
    return _period(rows.with_columns(value, _told("ncv_gj", "consumption"), pl.col("usual").round(3)))


def _ncv_default(desk: Desk, _bounds: Bounds) -> pl.DataFrame:
    rows = _measured(desk)
    found = [(f, desk.factor("ncv", f)) for f in rows["fuel"].unique().sort()]
    usual = pl.DataFrame(found, schema={"fuel": pl.String, "usual": pl.Float64}, orient="row")
    value = (100 * (pl.col("ncv_gj") / pl.col("usual") - 1)).alias("value")
    return _period(rows.join(usual, on="fuel").with_columns(value, _told("ncv_gj", "usual")))


def _ncv_switched(desk: Desk, _bounds: Bounds) -> pl.DataFrame:
    """Months at the default after measured ones of the same year: what is measured may not go back (2.5)."""
    by = ["plant_id", "line_id", "facility", "fuel"]
    burnt = desk.ledgers["ledger_fuel"].filter(pl.col("consumption") > 0).sort(*by, "month", nulls_last=False)
    default = (pl.col("ncv_source") == "default").fill_null(pl.col("ncv_gj").is_null())
    rows = burnt.with_columns((~default).cast(pl.Float64).cum_sum().over(by).alias("value")).filter(default)
    return _period(rows.with_columns(_told("ncv_source", "ncv_gj", "consumption")))


def _electricity(desk: Desk, _bounds: Bounds) -> pl.DataFrame:
    """Of lines that have rows of their own: of a plant as a whole it is cement too."""
    rows = desk.ledgers["ledger_electricity"].filter(pl.col("line_id").is_not_null(), pl.col("grid_mwh").is_not_null())
    rows = rows.join(desk.clinker().select("line_id", "month", "output_t"), on=["line_id", "month"])
    parts = ("grid_mwh", "direct_nonfossil_mwh", "waste_heat_mwh", "captive_mwh")
    used = pl.sum_horizontal(pl.col(c).fill_null(0) for c in parts) - pl.col("exported_mwh").fill_null(0)
    return _period(
        rows.with_columns((1000 * used / pl.col("output_t")).alias("value"), _told(*parts, "exported_mwh", "output_t"))
    )


def _waste_heat(desk: Desk, _bounds: Bounds) -> pl.DataFrame:
    """By line where lines have rows of their own, else by plant: only kilns have waste heat."""
    rows = desk.ledgers["ledger_electricity"].filter(pl.col("waste_heat_mwh") > 0)
    made = desk.clinker().select("line_id", "month", "output_t")
    of_plants = (
        made.join(desk.plants().rename({"period": "month"}), on=["line_id", "month"])
        .group_by("plant_id", "month")
        .agg(pl.col("output_t").sum())
    )
    by_line = rows.filter(pl.col("line_id").is_not_null()).join(made, on=["line_id", "month"])
    by_plant = rows.filter(pl.col("line_id").is_null()).join(of_plants, on=["plant_id", "month"])
    some = pl.concat([by_line, by_plant.select(by_line.columns)])
    value = (1000 * pl.col("waste_heat_mwh") / pl.col("output_t")).alias("value")
    return _period(some.with_columns(value, _told("waste_heat_mwh", "output_t")))


def _substitutes(desk: Desk, _bounds: Bounds) -> pl.DataFrame:
    total = (
        desk.ledgers["ledger_rawmat"]
        .group_by("line_id", "month")
        .agg(pl.col("consumption_t").sum().alias("substitutes_t"))
    )
    rows = desk.ledgers["ledger_rawmeal"].filter(pl.col("rawmeal_t") > 0).join(total, on=["line_id", "month"])
    value = (100 * pl.col("substitutes_t") / pl.col("rawmeal_t")).alias("value")
    return _period(rows.with_columns(value, _told("substitutes_t", "rawmeal_t")))


def _carbide(desk: Desk, _bounds: Bounds) -> pl.DataFrame:
    """Percentage points from the threshold of special treatment."""
    threshold = desk.factor("ets", "carbide_threshold")
    rows = _yearly(desk, "carbide_rate_pct").filter(pl.col("carbide_rate_pct") > 0)
    return rows.with_columns(
        pl.col("value") - pl.lit(threshold, pl.Float64), pl.lit(threshold, pl.Float64).alias("threshold")
    )


def _process_below_zero(desk: Desk, _bounds: Bounds) -> pl.DataFrame:
    """Substitutes that deduct more than clinker emits: the sum is not cut off at nought, it is asked about (2.2)."""
    evidence = pl.format("carbon_line_month process={}", pl.col("value").cast(pl.String).fill_null(""))
    return _period(desk.months.rename({"emission_tco2": "value"}).with_columns(evidence.alias("evidence")))


def _electricity_below_zero(desk: Desk, _bounds: Bounds) -> pl.DataFrame:
    """Grid less exported less certificates of a plant: its own row, or its lines where it has none (2.7)."""
    terms = ("grid_mwh", "exported_mwh", "certificate_mwh")
    rows = desk.ledgers["ledger_electricity"]
    own = rows.filter(pl.col("line_id").is_null())
    lines = rows.filter(pl.col("line_id").is_not_null()).join(own, on=["plant_id", "month"], how="anti")
    grid = pl.when(pl.col("grid_mwh").null_count() == 0).then(pl.col("grid_mwh").sum())
    by = ["plant_id", "month"]
    summed = lines.group_by(by).agg(
        grid, *(pl.col(c).sum() for c in terms[1:]), pl.col("src_path", "src_sheet", "src_row").first()
    )
    some = pl.concat([own, summed], how="diagonal")
    left = pl.col("grid_mwh") - pl.sum_horizontal(pl.col(c).fill_null(0) for c in terms[1:])
    return _period(some.with_columns(left.alias("value"), _told(*terms), *(pl.col(c).fill_null(0) for c in terms[1:])))


#: Checks for which a value inside the limits is the finding.
WITHIN = frozenset({"C15_carbide_threshold"})
CHECKS: dict[str, Callable[[Desk, Bounds], pl.DataFrame]] = {
    "C01_fuel_balance": _fuel_balance,
    "C02_clinker_balance": _clinker_balance,
    "C03_rawmeal_ratio": _rawmeal_ratio,
    "C04_heat_intensity": lambda desk, _: _yearly(desk, "heat_gj_t"),
    "C05_line_intensity": lambda desk, _: _yearly(desk, "intensity_tco2_t"),
    "C06_capacity": _capacity,
    "C07_capacity_year": _capacity_year,
    "C09_implied_factor": _implied_factor,
    "C10_ncv_month": _ncv_month,
    "C11_ncv_default": _ncv_default,
    "C12_electricity": _electricity,
    "C13_waste_heat": _waste_heat,
    "C14_substitutes": _substitutes,
    "C15_carbide_threshold": _carbide,
    "C16_process_below_zero": _process_below_zero,
    "C17_ncv_switched_back": _ncv_switched,
    "C18_electricity_below_zero": _electricity_below_zero,
}  # fmt: skip
