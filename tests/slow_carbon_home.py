"""Homes with ledgers only, drawn from a seed: plants whose year has everything that a carbon figure may hang on.

Belongs here: registry, ledgers as CSV with corrections, and a home's own factors. Does not belong here: what they come to
(`slow_carbon`) and tests. A line has at most one thing missing in a year, and many have none: else no year would have a figure.
"""

from __future__ import annotations

import csv
from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, str]
HEADS = {
    "ledger_clinker": "line_id,month,output_t,run_hours",
    "ledger_fuel": "plant_id,line_id,facility,fuel,month,consumption,unit,ncv_gj,ncv_source,meter_id",
    "ledger_rawmat": "line_id,material,month,consumption_t",
    "ledger_rawmeal": "line_id,month,rawmeal_t,nonfuel_carbon_pct",
    "ledger_lab": "line_id,month,clinker_cao_pct,clinker_mgo_pct,noncarbonate_cao_pct,noncarbonate_mgo_pct",
    "ledger_dust": "line_id,month,kiln_dust_t,bypass_dust_t,ckd_t,ckd_calcination",
    "ledger_altfuel": "line_id,fuel,month,consumption_t,ncv_gj,ef_tco2_gj,fossil_carbon_pct",
    "ledger_electricity": "plant_id,line_id,month,grid_mwh,direct_nonfossil_mwh,certificate_mwh,waste_heat_mwh,exported_mwh",
    "ledger_heat": "plant_id,month,purchased_gj,exported_gj",
    "ledger_meter": "meter_id,plant_id,line_id,quantity,class_pct,actual_pct,calibrated_from,calibrated_to",
}
PROVINCES = ("贵州", "云南", "四川", "山东")
KILN_FUELS = ("anthracite", "bituminous", "lignite", "natural_gas", "diesel")
MATERIALS = ("carbide_slag", "steel_slag", "fly_ash", "limestone", "slaked_lime", "clay")
ALTFUELS = ("waste_tyres", "waste_solvents", "rdf")
CLASSES = ("portland", "portland", "portland", "white", "sulfoaluminate", "aluminate")
#: One thing that a line's or plant's ledgers lack in one month; most lack nothing.
FLAWS = (
    *[""] * 9, "no consumption", "no ncv", "other unit", "no fuel", "no output", "no lab", "no lab cell", "no dust", "no rawmeal",
    "no substitute", "no altfuel", "loose fuel", "not listed fuel", "fuel twice", "nothing loose",
)  # fmt: skip
PLANT_FLAWS = (
    *[""] * 6,
    "no grid",
    "no electricity",
    "silent line",
    "no heat",
    "nothing filed",
    "boiler without amount",
)


@dataclass
class Draw:
    """The year of one home."""

    random: Random
    year: int
    own_lines: bool
    rows: defaultdict[str, list[Row]]
    later: defaultdict[str, list[Row]]

    def put(self, table: str, **cells: object) -> None:
        """A row; now and then wrong at first and corrected later, or sent twice, or taken back and sent again."""
        row = dict.fromkeys(HEADS[table].split(","), "") | {k: "" if v is None else str(v) for k, v in cells.items()}
        first = dict(row)
        if table != "ledger_meter" and self.chance(0.04):
            number = next((k for k, v in reversed(row.items()) if v.replace(".", "").isdigit() and k != "month"), "")
            if number:
                first[number] = f"{float(row[number]) * 0.9:.2f}"
            stamp = {"submitted_at": f"{self.year + 1}-01-{self.random.randint(10, 28)} 09:30", "revision": "2"}
            self.later[table].append(row | stamp)
            if self.chance(0.3):
                # A first correction that a later one takes the place of, whichever stands further down.
                wrong = {number: f"{float(row[number]) * 1.1:.2f}"} if number else {}
                self.later[table].append(
                    row | wrong | {"submitted_at": f"{self.year + 1}-01-05 18:00", "revision": "7"}
                )
        self.rows[table].append(first)
        if table == "ledger_altfuel" and self.chance(0.05):
            self.later[table].append(row | {"submitted_at": f"{self.year + 1}-02-01 08:00", "withdrawn": "yes"})

    def chance(self, p: float) -> bool:
        return self.random.random() < p

    def amount(self, low: float, high: float, places: int = 2) -> str:
        """An amount; now and then with a digit more than counts, on a tie of the last one that does."""
        text = f"{self.random.uniform(low, high):.{places}f}"
        return f"{text}5" if self.chance(0.25) else text


def write_year(home: Path, seed: int, year: int, *, plants: int = 4) -> None:
    """Registry and ledgers of a year; the last plant is a grinding station without a kiln."""
    random = Random(seed)
    draw = Draw(random, year, False, defaultdict(list), defaultdict(list))
    registry = home / "registry"
    registry.mkdir(parents=True)
    listed = []
    for n in range(1, plants + 1):
        count = 0 if n == plants and plants > 1 else random.randint(1, 3)
        listed.append((f"P{n}", [(f"P{n}-{k}", *_life(random, year, k)) for k in range(1, count + 1)]))
        _plant(draw, *listed[-1])
    names = [
        f"{p},第{p[1:]}厂,Plant {p[1:]},,,{PROVINCES[n % 4]},,,,88,general,2010-01-01,"
        for n, (p, _) in enumerate(listed)
    ]
    head = "plant_id,name,name_en,uscc,group,province,prefecture,latitude,longitude,ambient_pressure_kpa,region_class,valid_from,valid_to"
    (registry / "plants.csv").write_text("\n".join([head, *names, ""]), encoding="utf-8")
    lines = [f"{line},{p},{random.choice(CLASSES)},4500,{a},{b}" for p, own in listed for line, a, b in own]
    head = "line_id,plant_id,clinker_class,capacity_t_d,valid_from,valid_to"
    (registry / "lines.csv").write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    _own_factors(registry, year)
    folder = home / "landing/ledgers"
    folder.mkdir(parents=True)
    for table, head in HEADS.items():
        _write(folder / f"{table}.csv", head.split(","), draw.rows[table])
        extra = [*head.split(","), "submitted_at", "revision", "withdrawn"]
        _write(folder / f"{table}-更正.csv", extra, draw.later[table])


def _life(random: Random, year: int, k: int) -> tuple[str, str]:
    """Mostly the whole year; a third line may begin or end in it."""
    if k < 3 or random.random() < 0.5:
        return "2010-01-01", ""
    return random.choice([(f"{year}-04-16", ""), ("2010-01-01", f"{year}-09-10")])


def _write(path: Path, head: list[str], rows: list[Row]) -> None:
    if rows:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, head, restval="")
            writer.writeheader()
            writer.writerows(rows)


def _own_factors(registry: Path, year: int) -> None:
    """The home's own value of a factor for three months, one as a draft: the year's mean weighs them."""
    head = "factor_id,quantity,scope,region,method,value,unit,valid_from,valid_to,recorded_at,source,mark,confidence\n"
    method = "CETS-AG-02.01-V01-2024"
    own = [
        f"OWN.NCV.LIG,ncv,lignite,,{method},14.9015,GJ/t,{year}-03-01,{year}-06-01,2026-11-23,laboratory,V,verified",
        f"OWN.CC.PETCOKE,cc,petcoke,,{method},0.027345,tC/GJ,{year}-05-01,{year}-07-01,2026-11-23,laboratory,U,draft",
        f"OWN.K.STEEL,k_rawmat,steel_slag,,{method},0.225,tCO2/t,{year}-08-01,,2026-11-23,laboratory,V,verified",
    ]
    (registry / "factors-own.csv").write_text(head + "\n".join(own) + "\n", encoding="utf-8")


def _plant(draw: Draw, plant: str, lines: list[tuple[str, str, str]]) -> None:
    random, flaw, at = draw.random, draw.random.choice(PLANT_FLAWS), draw.random.randint(1, 11)
    own_lines = len(lines) > 0 and random.random() < 0.4
    flaws = {line: (random.choice(FLAWS), random.randint(1, 12)) for line, _, _ in lines}
    habits = {line: _habits(random) for line, _, _ in lines}
    _meters(draw, plant)
    for m in range(1, 13):
        month = f"{draw.year}-{m:02d}"
        if flaw == "nothing filed" and m == at:
            continue
        last = f"{month}-{monthrange(draw.year, m)[1]}"
        alive = [n for n, a, b in lines if a <= last and (not b or b > f"{month}-01")]
        for line in alive:
            what, when = flaws[line]
            _line(draw, plant, line, month, habits[line], what if when == m else "", single=len(alive) == 1)
        _power(draw, plant, alive if own_lines else [], month, flaw if m == at else "")
        if draw.chance(0.8):
            draw.put(
                "ledger_fuel",
                plant_id=plant,
                line_id=random.choice(["", *alive]),
                facility="mobile",
                fuel="diesel",
                month=month,
                consumption=draw.amount(5, 40),
                unit="t",
            )
        if draw.chance(0.3) or (flaw == "boiler without amount" and m == at):
            empty = flaw == "boiler without amount" and m == at
            draw.put(
                "ledger_fuel", plant_id=plant, facility=random.choice(["power_boiler", "industrial_boiler"]), fuel="bituminous", month=month,
                consumption=None if empty else draw.amount(10, 900), unit="t", ncv_gj=draw.amount(20, 24, 3), ncv_source="measured",
            )  # fmt: skip
        if plant == "P1":
            cells = {
                "purchased_gj": None if flaw == "no heat" and m == at else draw.amount(100, 900),
                "exported_gj": draw.amount(1, 99),
            }
            draw.put("ledger_heat", plant_id=plant, month=month, **cells)


def _habits(random: Random) -> dict[str, object]:
    """What a line burns and feeds, and how it comes by heating values."""
    # Older guides know no petcoke: a line that burns it has no figure by them.
    fuels = random.sample(KILN_FUELS, random.randint(1, 3)) + (["petcoke"] if random.random() < 0.15 else [])
    return {
        "fuels": fuels, "measures": {f for f in fuels if random.random() < 0.5}, "materials": random.sample(MATERIALS, random.randint(0, 3)),
        "altfuels": random.sample(ALTFUELS, random.randint(0, 2)), "names its line": random.random() < 0.7, "ckd": random.random() < 0.4,
    }  # fmt: skip


def _line(draw: Draw, plant: str, line: str, month: str, habits: dict[str, object], flaw: str, *, single: bool) -> None:
    random, who = draw.random, {"line_id": line, "month": month}
    stopped = not flaw and draw.chance(0.1)
    if stopped:
        draw.put("ledger_clinker", **who, output_t="0", run_hours="0")
        if draw.chance(0.5):
            return
    else:
        output = None if flaw == "no output" else draw.amount(40000, 140000)
        draw.put("ledger_clinker", **who, output_t=output, run_hours=draw.amount(300, 740, 1))
    named = line if habits["names its line"] or not single else ""
    for n, fuel in enumerate([*habits["fuels"], *(["briquette"] if flaw == "not listed fuel" else [])]):  # type: ignore[misc]
        if flaw == "no fuel" or (n and draw.chance(0.15)):
            continue
        hit = n == 0 and flaw
        gas = fuel == "natural_gas"
        measured = fuel in habits["measures"] or hit == "no ncv"  # type: ignore[operator]
        high = {"natural_gas": 400, "diesel": 60}.get(fuel, 14000)
        ncv = draw.amount(*((380, 395) if gas else (42, 43) if fuel == "diesel" else (14, 31)), 3) if measured else None
        # A default may stand beside a filed value, and a source may be left open: then what is filed counts.
        source = (
            "measured" if measured and draw.chance(0.8) else "" if draw.chance(0.5) else None if measured else "default"
        )
        draw.put(
            "ledger_fuel", plant_id=plant, line_id="" if hit == "loose fuel" else named, facility="kiln", fuel=fuel, month=month,
            consumption=None if hit == "no consumption" else "0" if stopped else draw.amount(high / 10, high),
            unit=("t" if gas else "1e4Nm3") if hit == "other unit" else "1e4Nm3" if gas else "t",
            ncv_gj=None if hit == "no ncv" else ncv, ncv_source="measured" if hit == "no ncv" else source,
            meter_id=random.choice(["", f"{plant}-W1", f"{plant}-W2"]),
        )  # fmt: skip
    if flaw in ("fuel twice", "nothing loose"):
        burnt = "0" if flaw == "nothing loose" else draw.amount(10, 90)
        fuel = habits["fuels"][0] if flaw == "fuel twice" else "coke"  # type: ignore[index]
        draw.put(
            "ledger_fuel",
            plant_id=plant,
            line_id="" if named else line,
            facility="kiln",
            fuel=fuel,
            month=month,
            consumption=burnt,
            unit="t",
        )
    for n, material in enumerate(habits["materials"]):  # type: ignore[arg-type, var-annotated]
        if n == 0 and flaw == "no substitute":
            draw.put("ledger_rawmat", **who, material=material, consumption_t="")
        elif not draw.chance(0.1):
            draw.put("ledger_rawmat", **who, material=material, consumption_t=draw.amount(100, 9000))
    _analyses(draw, who, habits, flaw, stopped=stopped)
    _alternatives(draw, who, habits, flaw, stopped=stopped)


def _analyses(draw: Draw, who: dict[str, str], habits: dict[str, object], flaw: str, *, stopped: bool) -> None:
    """What older methods and those of other countries need."""
    if flaw != "no rawmeal":
        carbon = draw.amount(0.05, 0.5, 2) if draw.chance(0.5) else None
        draw.put(
            "ledger_rawmeal", **who, rawmeal_t="0" if stopped else draw.amount(60000, 220000), nonfuel_carbon_pct=carbon
        )
    if flaw != "no lab":
        mgo = None if flaw == "no lab cell" else draw.amount(0.9, 3)
        draw.put(
            "ledger_lab", **who, clinker_cao_pct=draw.amount(63, 67), clinker_mgo_pct=mgo,
            noncarbonate_cao_pct=draw.amount(0.1, 4), noncarbonate_mgo_pct=draw.amount(0, 0.3),
        )  # fmt: skip
    if flaw != "no dust":
        gone = habits["ckd"] and not stopped
        draw.put(
            "ledger_dust", **who, kiln_dust_t="0" if stopped else draw.amount(0, 90), bypass_dust_t=draw.amount(0, 30) if gone else None,
            ckd_t=draw.amount(0, 300) if gone else "0", ckd_calcination=draw.amount(0, 0.99) if gone and draw.chance(0.5) else None,
        )  # fmt: skip


def _alternatives(draw: Draw, who: dict[str, str], habits: dict[str, object], flaw: str, *, stopped: bool) -> None:
    for n, fuel in enumerate(habits["altfuels"]):  # type: ignore[arg-type, var-annotated]
        known = fuel != "rdf" and draw.chance(0.5)
        lacks = n == 0 and flaw == "no altfuel"
        draw.put(
            "ledger_altfuel", **who, fuel=fuel, consumption_t="0" if stopped else draw.amount(10, 900),
            ncv_gj=None if known or lacks else draw.amount(10, 40), ef_tco2_gj=None if known else draw.amount(0.06, 0.1, 3),
            fossil_carbon_pct=None if known or lacks else draw.amount(10, 100, 1),
        )  # fmt: skip


def _power(draw: Draw, plant: str, lines: list[str], month: str, flaw: str) -> None:
    """A plant's own row, or one of each line; sometimes both, of which the plant's is the whole."""
    if flaw == "no electricity":
        return
    for line in lines[1:] if flaw == "silent line" else lines:
        grid = None if flaw == "no grid" else draw.amount(2000, 9000, 3)
        draw.put(
            "ledger_electricity",
            plant_id=plant,
            line_id=line,
            month=month,
            grid_mwh=grid,
            exported_mwh="1",
            certificate_mwh=draw.amount(0, 90, 3),
        )
    if not lines or (not flaw and draw.chance(0.1)):
        grid = None if flaw == "no grid" else draw.amount(300, 30000, 3)
        cells = {
            n: draw.amount(0, 280, 3) if draw.chance(0.6) else None
            for n in ("certificate_mwh", "exported_mwh", "direct_nonfossil_mwh")
        }
        draw.put("ledger_electricity", plant_id=plant, month=month, grid_mwh=grid, waste_heat_mwh="2000", **cells)


def _meters(draw: Draw, plant: str) -> None:
    """One meter whose calibration lapses for part of the year, one that is worse than its class from some day on."""
    y, day = draw.year, draw.random.randint(10, 28)
    put = draw.put
    put(
        "ledger_meter",
        meter_id=f"{plant}-W1",
        plant_id=plant,
        quantity="fuel",
        class_pct="0.5",
        actual_pct="0.3",
        calibrated_from=f"{y - 1}-05-01",
        calibrated_to=f"{y}-04-{day}",
    )
    put(
        "ledger_meter",
        meter_id=f"{plant}-W1",
        plant_id=plant,
        quantity="fuel",
        class_pct="0.5",
        actual_pct="",
        calibrated_from=f"{y}-08-{day}",
        calibrated_to="",
    )
    put(
        "ledger_meter",
        meter_id=f"{plant}-W2",
        plant_id=plant,
        quantity="fuel",
        class_pct="0.5",
        actual_pct="1.1",
        calibrated_from=f"{y}-02-{day}",
        calibrated_to=f"{y}-10-31",
    )
