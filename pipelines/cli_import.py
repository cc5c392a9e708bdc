"""What `kiln import …` does and prints: files of others become plain Parquet beside a home, not in it.

Belongs here: words, JSON and the two files written. Does not belong here: formats (`resources/epa_hourly.py`) and sums
(`resources/epa_units.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from contracts.epa import EPA_HOURLY, EPA_UNITS, MEASURES
from resources.epa_hourly import read_epa
from resources.epa_units import unit_years
from resources.storage import open_storage

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

Said = tuple[dict[str, Any], str]

#: Units and problems that are spelled out on a terminal; JSON has all of them.
_SHOWN = 20


def import_epa(files: Sequence[str], out: str) -> Said:
    """Read EPA hourly files and write epa_hourly.parquet and epa_units.parquet to the folder or bucket `out`."""
    read = read_epa(files)
    units = unit_years(read.hourly)
    storage = open_storage(out)
    for contract, table in ((EPA_HOURLY, read.hourly), (EPA_UNITS, units)):
        with storage.staged(f"{contract.name}.parquet") as temporary:
            pq.write_table(table, temporary, compression="zstd", compression_level=1)
    rows = units.to_pylist()
    problems = [str(p) for p in read.problems]
    data = {
        "files": list(files), "lines": read.lines, "hours": read.hourly.num_rows, "left_out": len(problems),
        "written": [storage.url(f"{t.name}.parquet") for t in (EPA_HOURLY, EPA_UNITS)], "units": rows, "problems": problems,
    }  # fmt: skip
    return data, "\n".join(
        [*_head(read.hourly, rows), *_left_out(problems), *(f"-> {name}" for name in data["written"])]
    )


def _head(hourly: pa.Table, rows: list[dict[str, Any]]) -> list[str]:
    lines = [f"小时 hours {hourly.num_rows:,}, 机组年 unit-years {len(rows)}"]
    for row in rows[:_SHOWN]:
        substituted = ", ".join(
            f"{name} {row[f'{name}_substituted_hours']} ({row[f'{name}_longest_run_h']})"
            for name in MEASURES
            if row[f"{name}_substituted_hours"]
        )
        agreeing = row["agreeing_pct"]
        lines.append(
            f"{row['orispl']}-{row['unit']} {row['year']}: 运行 operating {row['operating_hours']:,}/{row['hours']:,} h, "
            f"NOx {row['nox_t']:,.1f} t, SO2 {row['so2_t']:,.1f} t, "
            f"质量=率x热 mass = rate x heat {'-' if agreeing is None else f'{agreeing:.2f} %'}, "
            f"替代小时(最长连续) substituted (longest run): {substituted or '0'}"
        )
    return [*lines, f"… 另有 and {len(rows) - _SHOWN} more"] if len(rows) > _SHOWN else lines


def _left_out(problems: list[str]) -> list[str]:
    if not problems:
        return []
    lines = [f"未读入 lines left out: {len(problems)}", *(f"  {text}" for text in problems[:_SHOWN])]
    return [*lines, f"  … 另有 and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else lines
