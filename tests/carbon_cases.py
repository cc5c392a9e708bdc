"""Plant-year A of the conformance vectors, as typed: one Portland line of Guizhou, twelve months.

Belongs here: inputs, and a home whose lake holds them as ledgers. Does not belong here: how anything is computed (`carbon_oracle`)
and tests.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.products import bring_up, product
from contracts import TABLES
from resources.home import Home
from resources.registry import Line, Plant, Registry
from resources.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

MONTHS = (
    "clinker_t,anthracite_t,anth_ncv,bituminous_t,carbide_t,steelslag_t,elec_mwh,nonfossil_mwh,mobile_diesel_t,cao,mgo,nc_cao,nc_mgo",
    "132450.35,13363.51,23.412,3105.20,4200.00,2650.40,8010.235,1200.000,21.35,65.42,2.10,2.05,0.05",
    "61208.10,6212.73,23.105,1450.00,1900.00,1224.20,4123.870,600.000,14.20,65.35,2.12,2.00,0.05",
    "135870.42,13723.04,23.350,3180.75,4350.50,2717.40,8190.440,1200.000,22.10,65.50,2.08,2.08,0.05",
    "128994.77,12996.78,23.288,3025.40,4100.25,2579.90,7802.118,1200.000,20.85,65.38,2.15,2.04,0.05",
    "136012.05,13754.83,23.401,3190.10,4400.00,2720.20,8215.006,1200.000,22.40,65.44,2.11,2.10,0.05",
    "131455.60,13275.82,23.377,3077.85,4180.75,2629.10,7944.392,1200.000,21.75,65.47,2.09,2.06,0.05",
    "70233.18,7127.73,23.020,1660.30,2200.00,1404.70,4688.725,600.000,15.05,65.30,2.14,2.02,0.05",
    "134876.90,13619.06,23.365,3158.90,4300.00,2697.50,8144.301,1200.000,21.90,65.41,2.10,2.05,0.05",
    "130115.25,13122.54,23.442,3049.65,4150.00,2602.30,7860.550,1200.000,21.20,65.36,2.13,2.06,0.05",
    "137204.66,13888.95,23.298,3220.00,4450.25,2744.10,8290.777,1200.000,22.65,65.52,2.07,2.11,0.05",
    "129870.11,13107.94,23.333,3040.50,4100.00,2597.40,7835.664,1200.000,21.10,65.40,2.11,2.04,0.05",
    "98765.43,10017.72,23.187,2310.75,3050.00,1975.30,6102.903,900.000,17.45,65.33,2.12,2.01,0.05",
)
#: Text by column, one row a month.
PLANT_A = [dict(zip(MONTHS[0].split(","), row.split(","), strict=True)) for row in MONTHS[1:]]
#: anthracite, bituminous, process, line, as the vectors give them.
MONTHLY_RESULTS = [
    ("31220.54", "6809.67", "68275.10", "106305.31"), ("14324.18", "3179.84", "31571.13", "49075.15"),
    ("31975.59", "6975.36", "70018.19", "108969.14"), ("30202.95", "6634.67", "66489.40", "103327.02"),
    ("32119.67", "6995.86", "70069.60", "109185.13"), ("30969.31", "6749.70", "67756.73", "105475.74"),
    ("16373.36", "3641.02", "36216.74", "56231.12"), ("31753.70", "6927.44", "69515.18", "108196.32"),
    ("30696.86", "6687.85", "67060.16", "104444.87"), ("32290.10", "7061.43", "70678.39", "110029.92"),
    ("30520.13", "6667.79", "66954.07", "104141.99"), ("23179.01", "5067.45", "50950.82", "79197.28"),
]  # fmt: skip

LONG_AGO = date(2010, 1, 1)
_PLACE = {"versions": 1, "src_path": "ledgers/a.xlsx", "src_row": 3, "src_columns": "{}"}


def plant(plant_id: str = "P1", province: str = "贵州省", end: date | None = None) -> Plant:
    return Plant(plant_id, "厂", "plant", "", "甲", province, "", None, None, 88.0, "general", LONG_AGO, end)


def line(
    line_id: str = "L1", plant_id: str = "P1", kind: str = "portland", start: date = LONG_AGO, end: date | None = None
) -> Line:
    return Line(line_id, plant_id, kind, 5000.0, start, end)


def registry(*rows: Any) -> Registry:
    rows = rows or (plant(), line())
    plants, lines = (tuple(r for r in rows if isinstance(r, kind)) for kind in (Plant, Line))
    return Registry(plants, lines, (), (), ())


def fuel(name: str, consumption: str | None, *, facility: str = "kiln", line_id: str | None = "L1", plant_id: str = "P1",
         ncv: str | None = None, source: str | None = "default", unit: str = "t", meter: str | None = None) -> dict[str, Any]:  # fmt: skip
    return {
        "plant_id": plant_id, "line_id": line_id, "facility": facility, "fuel": name, "unit": unit, "ncv_source": source,
        "consumption": number(consumption), "ncv_gj": number(ncv), "meter_id": meter,
    }  # fmt: skip


def number(text: str | None) -> float | None:
    return None if text is None else float(text)


def month_of_a(m: int, line_id: str = "L1", plant_id: str = "P1") -> dict[str, list[dict[str, Any]]]:
    """Ledgers of month m (1 to 12) of plant-year A; dust of the whole year stands in January, raw meal in January and February."""
    row = {k: float(v) for k, v in PLANT_A[m - 1].items()}
    who, place = {"line_id": line_id}, {"line_id": line_id, "plant_id": plant_id}
    return {
        "ledger_clinker": [{**who, "output_t": row["clinker_t"], "run_hours": 700.0}],
        "ledger_fuel": [
            fuel("anthracite", str(row["anthracite_t"]), ncv=str(row["anth_ncv"]), source="measured", **place),
            fuel("bituminous", str(row["bituminous_t"]), **place),
            fuel("diesel", str(row["mobile_diesel_t"]), facility="mobile", line_id=None, plant_id=plant_id),
        ],
        "ledger_rawmat": [
            {**who, "material": "carbide_slag", "consumption_t": row["carbide_t"]},
            {**who, "material": "steel_slag", "consumption_t": row["steelslag_t"]},
        ],
        "ledger_lab": [{
            **who, "clinker_cao_pct": row["cao"], "clinker_mgo_pct": row["mgo"], "noncarbonate_cao_pct": row["nc_cao"],
            "noncarbonate_mgo_pct": row["nc_mgo"],
        }],
        "ledger_dust": [{**who, "kiln_dust_t": 310.5 if m == 1 else 0.0, "ckd_t": 310.5 if m == 1 else 0.0}],
        "ledger_rawmeal": [{**who, "rawmeal_t": {1: 1200000.0, 2: 990000.0}.get(m, 0.0), "nonfuel_carbon_pct": 0.1}],
        "ledger_electricity": [
            {"plant_id": plant_id, "line_id": None, "grid_mwh": row["elec_mwh"], "certificate_mwh": row["nonfossil_mwh"]}
        ],
    }  # fmt: skip


class Lab:
    """A home whose ledgers are written by hand; carbon is made by the products themselves."""

    def __init__(self, root: Path, rows: Registry | None = None) -> None:
        self.home = Home(Settings(home=str(root)))
        self.home.__dict__ |= {"registry": rows or registry()}

    def put(self, month: str, ledgers: dict[str, list[dict[str, Any]]]) -> None:
        """Ledgers of a month in place of what was there."""
        for name in (t for t in TABLES if t.startswith("ledger_") and TABLES[t].partition == "month"):
            contract = TABLES[name]
            rows = [{**_PLACE, "month": month, **r} for r in ledgers.get(name, [])]
            table = contract.arrow(pl.DataFrame(rows, infer_schema_length=None)) if rows else contract.empty()
            self.home.lake.write(name, month, table, made_by="test", inputs={})

    def meters(self, *rows: dict[str, Any]) -> None:
        contract = TABLES["ledger_meter"]
        table = contract.arrow(pl.DataFrame([{**_PLACE, "plant_id": "P1", **r} for r in rows]))
        self.home.lake.write("ledger_meter", "all", table, made_by="test", inputs={})

    def year_of_a(self, year: int = 2024) -> None:
        for m in range(1, 13):
            self.put(f"{year}-{m:02d}", month_of_a(m))

    def run(self) -> dict[str, dict[str, set[str]]]:
        """Bring carbon up to date as a night does; tables moved by product and key."""
        made: dict[str, dict[str, set[str]]] = {}
        for name in ("carbon_months", "carbon_years"):
            of = product(name)
            outcomes = [o for k in sorted(of.keys(self.home)) if (o := bring_up(self.home, of, k))]
            made[name] = {o.key: set(o.changed) for o in outcomes}
        return made

    def frame(self, table: str) -> pl.DataFrame:
        lake = self.home.lake
        made = pl.concat([pl.DataFrame(pl.from_arrow(lake.read(table, k))) for k in lake.keys(table)])
        return made.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))

    def one(self, table: str, **equal: Any) -> dict[str, Any]:
        return self.frame(table).filter(**equal).row(0, named=True)
