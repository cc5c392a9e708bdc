"""A verifier's own arithmetic: a line's year by CETS-AG-02.01-V01-2024 from the published months alone, beside the published year.

Belongs here: twenty lines anybody can check by hand. Does not belong here: kilnledger; nothing of it is imported, polars suffices.

    python examples/recompute_line_year.py my-plant/published/latest GZ-A-L1 2024

核查者自行复算：只读发布的月度表，与发布的年度值对照；不调用本项目的任何代码。
"""

from __future__ import annotations

import sys
from decimal import ROUND_HALF_UP, Decimal

import polars as pl

METHOD = "CETS-AG-02.01-V01-2024"


def half_up(x: Decimal, places: int) -> Decimal:
    """Rounded as people round."""
    return x.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def column(rows: pl.DataFrame, name: str) -> list[Decimal]:
    """The decimals as filed, not their binary neighbours."""
    return [Decimal(repr(x)) for x in rows[name]]


def recompute(release: str, line: str, year: str) -> tuple[Decimal, Decimal]:
    """Fossil and process emission in tCO2: quantities of the year times weighted parameters, rounded half up to two places."""
    months = pl.read_parquet(f"{release}/carbon_line_month/{year}-*.parquet").filter(
        line_id=line, method_id=METHOD, level="line", kind="source"
    )
    if lacking := months["missing"].drop_nulls().unique().sort().to_list():
        sys.exit(f"{line} {year}: 缺数，无从复算 nothing to recompute, missing: {'; '.join(lacking)}")
    fossil = process = Decimal(0)
    for rows in months.filter(pl.col("sum") == "fossil").partition_by("unit"):
        tonnes, heat = column(rows, "activity"), column(rows, "ncv_gj")
        burnt = sum(tonnes, Decimal(0))
        if burnt:
            ncv = half_up(sum(t * h for t, h in zip(tonnes, heat, strict=True)) / burnt, 3)
            carbon, oxidised = column(rows, "carbon_tc_gj")[0], column(rows, "oxidation_pct")[0] / 100
            fossil += half_up(burnt * ncv * carbon * oxidised * 44 / 12, 2)
    for rows in months.filter(pl.col("sum") == "process", pl.col("factor").is_not_null()).partition_by("source"):
        sign = -1 if rows["part"][0] == "deduction" else 1
        process += sign * sum(column(rows, "activity"), Decimal(0)) * column(rows, "factor")[0]
    return fossil, half_up(process, 2)


if __name__ == "__main__":
    folder, its_line, its_year = sys.argv[1:4]
    parts = recompute(folder, its_line, its_year)
    years = pl.read_parquet(f"{folder}/carbon_line_year/{its_year}.parquet")
    its_own = years.filter(line_id=its_line, method_id=METHOD, aggregation="annual_weighted")
    print(f"化石燃料 fossil {parts[0]}, 过程 process {parts[1]}, 合计 total {sum(parts)} tCO2")  # noqa: T201 - a script
    print(f"发布值 published {its_own['total_tco2'].item()} tCO2")  # noqa: T201
