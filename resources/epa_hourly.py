"""Reader of EPA hourly emission files: text without a header, 16 cells a line, one hour of one unit each.

Belongs here: from lines to typed rows of `epa_hourly`, and what is wrong with the rest. Does not belong here: sums (`epa_units`),
writing files (`pipelines/cli_import.py`).

A wrong line costs itself alone. Lines are counted as an editor counts them: quotes are taken off, they never span lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from contracts.epa import EPA_HOURLY, MEASURES, METHODS, stamped
from resources.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

#: Cells of a line in their order, by the names that the EPA gives them, and the columns that numbers go to.
CELLS = (
    "ORISID", "BLRID", "YYMMDD", "HOUR", "NOXMASS", "SO2MASS", "NOXRATE", "OPTIME", "GLOAD", "SLOAD", "HTINPUT",
    "HTINPUT code", "SO2 code", "NOXMASS code", "NOXRATE code", "UNITFLOW",
)  # fmt: skip
NUMBERS = {
    "NOXMASS": "nox_mass_lb", "SO2MASS": "so2_mass_lb", "NOXRATE": "nox_rate_lb_mmbtu", "OPTIME": "operating_h",
    "GLOAD": "gross_load_mw", "SLOAD": "steam_load", "HTINPUT": "heat_input_mmbtu", "UNITFLOW": "unit_flow",
}  # fmt: skip
CODES = dict(zip(("HTINPUT code", "SO2 code", "NOXMASS code", "NOXRATE code"), MEASURES, strict=True))
ABSENT = -9.0
_LABELS = {str(i): name for i, name in enumerate(METHODS, 1)}
#: Two digits of a year: the programme began in 1995.
_FIRST_YEAR = 70
_ODD = "_odd"


class EpaError(Exception):
    """No hour can be read from the files given; the message names file, line and remedy."""


@dataclass(frozen=True)
class EpaRead:
    """`hourly`: epa_hourly under its contract; `problems`: lines that were left out, by file and line; `lines`: non-empty ones."""

    hourly: pa.Table
    problems: list[Problem]
    lines: int


def read_epa(paths: Iterable[str | Path]) -> EpaRead:
    """The hours of the files, taken in the order given; of lines for the same unit and hour the first counts.

    `nox_mass_recomputed_lb` = rate (lb/mmBtu) x heat input (mmBtu of the clock hour), in lb of the clock hour: the operating time is
    in the heat input already. Raises OSError for a file that cannot be read, EpaError when no file has a line to keep.
    """
    frames, problems, lines = [], [], 0
    for number, path in enumerate(paths):
        text = Path(path).read_bytes().decode("utf-8", "replace")
        cells = _cells(text)
        lines += cells.height
        good, wrong = _typed(cells, str(path))
        problems += wrong
        frames.append(
            good.with_columns(src_file=pl.lit(Path(path).name), _path=pl.lit(str(path)), _file=pl.lit(number))
        )
    rows = pl.concat(frames) if frames else pl.DataFrame()
    if rows.is_empty():
        told = "\n".join(str(p) for p in problems[:5]) or "文件中没有数据行 / the files hold no line"
        raise EpaError(f"没有可用的小时 / no hour can be used\n{told}")
    rows, repeated = _once(rows)
    made = rows.with_columns(nox_mass_recomputed_lb=pl.col("nox_rate_lb_mmbtu") * pl.col("heat_input_mmbtu"))
    hourly = EPA_HOURLY.arrow(made.select(EPA_HOURLY.names))
    EPA_HOURLY.check(hourly)
    return EpaRead(stamped(hourly), sorted([*problems, *repeated], key=lambda p: (p.file, p.row)), lines)


def _cells(text: str) -> pl.DataFrame:
    """Non-empty lines with their numbers, cut at commas, quotes and blanks around cells taken off; `_cells`: how many there were."""
    lines = pl.DataFrame({"line": pl.Series(text.removeprefix("\ufeff").split("\n"), dtype=pl.String)})
    lines = lines.with_row_index("src_line", offset=1).filter(pl.col("line").str.strip_chars() != "")
    parts = pl.col("line").str.split_exact(",", len(CELLS) - 1).struct.rename_fields(CELLS)
    return (
        lines.with_columns(_cells=pl.col("line").str.count_matches(",", literal=True) + 1, _parts=parts)
        .unnest("_parts")
        .with_columns(pl.col(CELLS).str.strip_chars(' "\r\t'))
    )


def _typed(cells: pl.DataFrame, path: str) -> tuple[pl.DataFrame, list[Problem]]:
    """Lines of one file whose every cell can be read, and the problems of the others."""
    typed = cells.with_columns(
        orispl=pl.col("ORISID").cast(pl.Int32, strict=False),
        unit=pl.col("BLRID"),
        _day=_date(pl.col("YYMMDD")),
        _hour=pl.col("HOUR").cast(pl.Int32, strict=False),
        **{name: _number(cell) for cell, name in NUMBERS.items()},
        **{f"{name}_method": pl.col(cell).replace_strict(_LABELS, default=None) for cell, name in CODES.items()},
    ).with_columns(hour=pl.col("_day").cast(pl.Datetime("ms")) + pl.duration(hours=pl.col("_hour")))
    typed = typed.with_columns(pl.coalesce(*_odd(), pl.lit("")).alias(_ODD))
    wrong = typed.filter(pl.col(_ODD) != "").select("src_line", _ODD, "_cells", *CELLS)
    keep = ["orispl", "unit", "hour", *NUMBERS.values(), *(f"{m}_method" for m in MEASURES), "src_line"]
    return typed.filter(pl.col(_ODD) == "").select(keep), [_problem(path, row) for row in wrong.iter_rows(named=True)]


def _date(cell: pl.Expr) -> pl.Expr:
    """YYMMDD; 70 to 99 are of the last century."""
    year = cell.str.slice(0, 2).cast(pl.Int32, strict=False)
    century = pl.when(year >= _FIRST_YEAR).then(pl.lit("19")).otherwise(pl.lit("20"))
    whole = pl.when(cell.str.contains(r"^\d{6}$")).then(century + cell)
    return whole.str.to_date("%Y%m%d", strict=False)


def _number(cell: str) -> pl.Expr:
    """A number; null for -9 and for an empty cell."""
    value = pl.col(cell).cast(pl.Float64, strict=False)
    return pl.when(value != ABSENT).then(value)


def _odd() -> list[pl.Expr]:
    """Per rule: the name of the cell where it is broken, else null."""

    def named(cell: str, broken: pl.Expr) -> pl.Expr:
        return pl.when(broken.fill_null(value=True)).then(pl.lit(cell))

    number = [
        named(cell, (pl.col(cell) != "") & (~_is_number(cell) | ((pl.col(name) < 0) & pl.col(name).is_not_null())))
        for cell, name in NUMBERS.items()
    ]
    return [
        named("line", pl.col("_cells") != len(CELLS)),
        named("ORISID", pl.col("orispl") < 1),
        named("BLRID", pl.col("BLRID") == ""),
        named("YYMMDD", pl.col("_day").is_null()),
        named("HOUR", ~pl.col("_hour").is_between(0, 23)),
        *number,
        named("OPTIME", pl.col("operating_h").fill_null(0) > 1),
        *(named(cell, ~pl.col(cell).is_in(["", *_LABELS])) for cell in CODES),
    ]


def _is_number(cell: str) -> pl.Expr:
    return pl.col(cell).cast(pl.Float64, strict=False).is_finite().fill_null(value=False)


#: What each cell must be, in both languages.
_MUST = {
    "line": (f"应有 {len(CELLS)} 列", f"a line has {len(CELLS)} cells"),
    "ORISID": ("应为正整数", "a whole number from 1 on"),
    "BLRID": ("不能为空", "a unit needs its id"),
    "YYMMDD": ("应为存在的日期 YYMMDD", "a day that exists, as YYMMDD"),
    "HOUR": ("应为 0 至 23", "a whole number from 0 to 23"),
    "OPTIME": ("应为 0 至 1, 缺失写 -9", "a number from 0 to 1, -9 where absent"),
    **dict.fromkeys(CODES, ("应为空或 1 至 6", "empty or 1 to 6")),
}
_NUMBER = ("应为不小于 0 的数, 缺失写 -9", "a number not below 0, -9 where absent")


def _problem(path: str, row: dict[str, str | int]) -> Problem:
    cell = str(row[_ODD])
    zh, en = _MUST.get(cell, _NUMBER)
    value = f"{row['_cells']}" if cell == "line" else str(row[cell])
    return Problem(
        path, int(row["src_line"]), "cells" if cell == "line" else cell, value,
        "该行未读入", "the line is left out", f"{zh}; 改正后重新导入", f"{en}; correct it and import again",
    )  # fmt: skip


def _once(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Problem]]:
    """The first line of each unit and hour; the others are problems."""
    key = ["orispl", "unit", "hour"]
    ordered = rows.sort("_file", "src_line")
    first = ordered.select(pl.struct(key).is_first_distinct()).to_series()
    kept = ordered.filter(first)
    counts = kept.select(*key, first_file="src_file", first_line="src_line")
    again = ordered.filter(~first).join(counts, on=key, how="left", maintain_order="left")
    problems = [
        Problem(
            r["_path"], r["src_line"], "BLRID, YYMMDD, HOUR", f"{r['unit']}, {r['hour']:%y%m%d}, {r['hour'].hour}",
            "同一机组同一小时重复, 该行未读入", "the unit has this hour already, the line is left out",
            f"已取 {r['first_file']}:{r['first_line']}; 删去其一", f"{r['first_file']}:{r['first_line']} counts; remove one of them",
        )
        for r in again.iter_rows(named=True)
    ]  # fmt: skip
    return kept, problems
