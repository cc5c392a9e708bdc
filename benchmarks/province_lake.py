"""The synthetic lake of `benchmarks/province.py`: kiln tails, written straight in the contract of cems_minute.

Belongs here: the registry and minutes of invented outlets, the same for the same size. Does not belong here: what is timed.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from contracts.cems import CEMS_MINUTE
from resources.home import Home
from resources.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

FIRST = date(2025, 1, 1)
#: Level, spread between quarters of an hour, noise of a minute, decimals; some hours in a hundred break a limit.
_LEVELS = {
    "pm": (8.7, 0.9, 0.6, 1), "so2": (30.0, 3.0, 2.0, 1), "nox": (44.0, 4.0, 2.5, 1), "o2": (9.6, 0.5, 0.2, 2),
    "flow": (420_000.0, 9_000.0, 4_000.0, 0), "temperature": (104.0, 3.0, 0.6, 1), "pressure": (96.4, 0.2, 0.05, 2),
    "humidity": (11.0, 0.6, 0.2, 1),
}  # fmt: skip
_FLAGS = np.array(["N", "C", "D", "M", "T"])


def write_registry(home: Path, outlets: int) -> None:
    folder = home / "registry"
    folder.mkdir(parents=True, exist_ok=True)
    ids = [f"{i:04d}" for i in range(outlets)]
    texts = {
        "plants": [
            "plant_id,name,name_en,uscc,group,province,prefecture,latitude,longitude,ambient_pressure_kpa,region_class,valid_from,valid_to",
            *(f"P{i},模拟水泥{i},Synthetic {i},,模拟集团,贵州,贵阳,26.5,106.7,96.3,general,2016-01-01," for i in ids),
        ],
        "lines": ["line_id,plant_id,clinker_class,capacity_t_d,valid_from,valid_to", *(f"L{i},P{i},portland,4500,2016-01-01," for i in ids)],
        "outlets": [
            "outlet_id,plant_id,line_id,point_type,duct_area_m2,velocity_coefficient,o2_reference_pct,reductant,valid_from,valid_to",
            *(f"K{i},P{i},L{i},kiln_tail,12,1,,ammonia,2016-01-01," for i in ids),
        ],
        "devices": [
            "mn,outlet_id,interval_min,label,pressure_unit,pressure_basis,flow_unit,flow_basis,gas_basis,nox_as_no2,missing_flag,crc_variants,valid_from,valid_to",
            *(f"MN{i},K{i},1,start,kPa,absolute,m3/h,wet_actual,dry,true,valid,hj212,2016-01-01," for i in ids),
        ],
    }  # fmt: skip
    for name, lines in texts.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def minutes_of(day: date, outlets: int) -> pl.DataFrame:
    """One day of all outlets: quarters of an hour at a level, minutes around it, stretches under a flag, lost records."""
    draw = np.random.default_rng([7, day.toordinal()])
    shape = (outlets, 1440)
    midnight = np.datetime64(datetime(day.year, day.month, day.day), "ms")
    columns: dict[str, Any] = {
        "outlet_id": np.repeat([f"K{i:04d}" for i in range(outlets)], 1440),
        "mn": np.repeat([f"MN{i:04d}" for i in range(outlets)], 1440),
        "data_time": np.tile(midnight + np.arange(1440).astype("timedelta64[m]"), outlets),
    }
    for name, (level, spread, noise, decimals) in _LEVELS.items():
        own = level * draw.normal(1.0, 0.08 if name in ("pm", "so2", "nox") else 0.02, (outlets, 1))
        quarter = np.repeat(draw.normal(0.0, spread, (outlets, 96)), 15, axis=1)
        columns[f"{name}_avg"] = np.round(own + quarter + draw.normal(0.0, noise, shape), decimals).clip(0.0).ravel()
        flag = np.zeros(shape, np.int8)
        for i in np.flatnonzero(draw.random(outlets) < 0.3).tolist():
            since, length = int(draw.integers(0, 1440)), int(draw.integers(3, 60))
            flag[i, since : since + length] = draw.integers(1, _FLAGS.size)
        columns[f"{name}_flag"] = _FLAGS[flag].ravel()
    kept = draw.random(shape) > 0.003
    for i in np.flatnonzero(draw.random(outlets) < 0.1).tolist():
        since = int(draw.integers(0, 1440))
        kept[i, since : since + int(draw.integers(10, 180))] = False
    made = pl.DataFrame(columns).filter(pl.Series(kept.ravel()))
    rest = {"cn": 2051, "version": 1, "frames": 1, "src_file": "0" * 16}
    return made.with_columns(**{n: pl.lit(v) for n, v in rest.items()}, src_offset=pl.int_range(pl.len()) * 400)


def write_day(home: str, day: date, outlets: int) -> int:
    table = CEMS_MINUTE.arrow(minutes_of(day, outlets), sort=False)
    made = Home(Settings(home=home)).lake.write("cems_minute", str(day), table, made_by="benchmark", inputs={})
    return made.bytes


def build(home: Path, outlets: int, days: int) -> int:
    """A home with a lake of minutes; its bytes. A home that is there already is taken as it is."""
    write_registry(home, outlets)
    (home / "landing").mkdir(exist_ok=True)
    wanted = [FIRST + timedelta(days=i) for i in range(days)]
    lake = Home(Settings(home=str(home))).lake
    missing = [d for d in wanted if str(d) not in lake.keys("cems_minute")]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(write_day, [str(home)] * len(missing), missing, [outlets] * len(missing)))
    return sum(p.stat().st_size for p in minute_files(home))


def minute_files(home: Path) -> list[Path]:
    return sorted((home / "lake/cems_minute").glob("*.parquet"))
