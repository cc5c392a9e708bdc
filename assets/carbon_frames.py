"""Small expressions that all carbon sources share: what is missing, which factors were used, the columns of a source.

Belongs here: the shape of a source row before it is computed. Does not belong here: what any source takes (`carbon_sources`).
"""

from __future__ import annotations

import polars as pl


def when_missing(column: str, name: str) -> pl.Expr:
    """`name` where the column is null."""
    return pl.when(pl.col(column).is_null()).then(pl.lit(name))


def missing_of(*gaps: pl.Expr) -> pl.Expr:
    """What is missing, joined by "; "; null where nothing is."""
    return _joined(gaps, "; ")


def ids_of(*columns: str) -> pl.Expr:
    """Ids joined by "|"; null where there is none."""
    return _joined([pl.col(c) for c in columns], "|")


def _joined(parts: list[pl.Expr] | tuple[pl.Expr, ...], separator: str) -> pl.Expr:
    if not parts:
        return pl.lit(None, pl.String)
    text = pl.concat_str([p.cast(pl.String) for p in parts], separator=separator, ignore_nulls=True)
    return pl.when(text != "").then(text)


def picked(rows: pl.DataFrame, table: str, **columns: pl.Expr) -> pl.DataFrame:
    """Source rows: their place, the given columns, and where in the ledgers they stand."""
    line = [] if "line_id" in columns else [pl.col("line_id")]
    src = [pl.col(n) for n in ("src_path", "src_row") if n in rows.columns and n not in columns]
    return rows.select(
        "plant_id", *line, *src, pl.lit(table).alias("src_table"), *(e.alias(n) for n, e in columns.items())
    )
