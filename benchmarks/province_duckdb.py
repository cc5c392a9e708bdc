"""Hours, mass and months in DuckDB, as one would write them: one query for the hours, one for the months.

Belongs here: the figures of `benchmarks/province.py` in SQL. Does not belong here: signals, tags, writing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import duckdb
import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.province import Law

POLLUTANTS = ("pm", "so2", "nox")


def _valid(channel: str) -> str:
    return f"CASE WHEN {channel}_flag = 'N' THEN {channel}_avg END"


def _mean(name: str, law: Law) -> str:
    return f"CASE WHEN count({name}) >= {law.min_minutes} THEN avg({name}) END"


def figures(files: list[Path], law: Law) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Hours by outlet and pollutant, and judged and ok hours by month."""
    with duckdb.connect() as db:
        db.execute(
            f"SET threads = {os.cpu_count()}; SET preserve_insertion_order = false; SET enable_progress_bar = false"
        )
        files_sql = ", ".join(f"'{path}'" for path in files)
        guarded = f"o2 < {law.guard_pct} AND o2 < {law.air_pct}"
        # The text of this query is ours alone: files and numbers are the benchmark's own.
        db.execute(
            f"""
            CREATE TEMP TABLE wide AS
            WITH minute AS (
                SELECT outlet_id, date_trunc('hour', data_time) AS hour,
                    {", ".join(f"{_valid(p)} AS {p}" for p in POLLUTANTS)},
                    {_valid("o2")} AS o2,
                    ({_valid("flow")}) * ({law.zero_c_k} / ({law.zero_c_k} + ({_valid("temperature")})))
                        * (({_valid("pressure")}) / {law.standard_kpa}) * (1.0 - ({_valid("humidity")}) / 100.0) AS flow
                FROM read_parquet([{files_sql}])
            ), converted AS (
                SELECT *, CASE WHEN {guarded} THEN ({law.air_pct} - {law.reference_pct}) / ({law.air_pct} - o2) END AS factor FROM minute
            )
            SELECT outlet_id, hour, {_mean("flow", law)} AS flow,
                {", ".join(f"{_mean(p, law)} AS {p}" for p in POLLUTANTS)},
                {", ".join(f"{_mean(f'({p} * factor)', law)} AS {p}_converted" for p in POLLUTANTS)},
                {", ".join(f"count({p} * factor) AS {p}_minutes" for p in POLLUTANTS)}
            FROM converted GROUP BY outlet_id, hour
            """  # noqa: S608
        )
        parts = [
            f"SELECT outlet_id, '{p}' AS pollutant, hour, flow, {p} AS concentration, {p}_converted AS converted, "  # noqa: S608
            f"{p}_minutes AS valid_minutes, {p} * flow * 1e-6 AS mass, {p}_converted <= {law.limits[p]} * (1.0 + 1e-12) AS ok FROM wide"
            for p in POLLUTANTS
        ]
        db.execute(f"CREATE TEMP TABLE hours AS {' UNION ALL '.join(parts)}")
        months = db.sql(
            "SELECT outlet_id, pollutant, strftime(hour, '%Y-%m') AS month, count(ok) AS judged_hours, "
            "count(*) FILTER (ok) AS ok_hours FROM hours GROUP BY ALL"
        )
        made = pl.from_arrow(months.to_arrow_table())
        return pl.from_arrow(db.sql("FROM hours").to_arrow_table()), made
