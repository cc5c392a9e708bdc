"""Monthly figures of whole simulated plants: electricity, heat, vehicles, hot gas of dryers; their meters and calibrations.

Belongs here: what is counted by plant, and the electricity of lines, which is part of it. Does not belong here: clinker and its
fuels (`ledger_lines`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from simulator import draws
from simulator.ledger_lines import Stock, balance
from simulator.ledger_rows import LedgerRow, fixed, month_begin, month_name, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulator.dirt import Dirt
    from simulator.ledger_lines import LineBook
    from simulator.world import SimPlant

#: Electricity of cement grinding, kWh/t; clinker in cement; cement of a plant that makes none of its own clinker, t a month.
_GRINDING, _CLINKER, _BOUGHT_IN = 33.0, 0.72, 70_000.0
#: (meter, quantity, class in %) of a line and of a plant.
_LINE_METERS = (("COAL", "入窑煤粉量", 0.5), ("CLK", "熟料产量", 0.5))
_PLANT_METERS = (("TRUCK", "进厂物料量", 0.1), ("KWH", "购入电量", 0.5))


class PlantBook:
    """All months of one plant; `lines` are those of its own, `kinds` its kinds of stacks."""

    def __init__(self, seed: int, plant: SimPlant, lines: Sequence[LineBook], kinds: Sequence[str]) -> None:
        self._seed, self.plant, self._lines = seed, plant, lines
        u = draws.generator(seed, draws.LEDGER_PLANT, plant.index).random(8)
        self._per_tonne, self._waste_heat = 59.0 + 7.0 * u[0], 25.0 + 8.0 * u[1]
        self._direct = 0.02 + 0.06 * u[2] if u[3] < 0.3 else 0.0
        self._certified = 0.05 + 0.1 * u[4] if u[5] < 0.3 else 0.0
        self._heats = u[6] < 0.3
        self._grinds, self._dries = "cement_mill" in kinds, "dryer" in kinds
        self._vehicles = 1500.0 + 1500.0 * u[7]

    def rows(self, month: int) -> Iterator[LedgerRow]:
        """Rows of the plant for a month, those of its lines first."""
        for line in self._lines:
            yield from line.rows(month)
        yield from self._electricity(month)
        for cells in self._burnt(month):
            yield self._row("ledger_fuel", month, {"line_id": "", **cells})
        u = self._draws(month)
        sold = 900 + 700 * u[0] if self._heats and month % 12 in (0, 1, 10, 11) else 0.0
        yield self._row("ledger_heat", month, {"purchased_gj": fixed(0), "exported_gj": rounded(sold)})

    def meters(self, first: int, last: int, dirt: Dirt) -> Iterator[LedgerRow]:
        """Calibrations, a year each, that hold in any of the months; the next follows on, or late where one lapses."""
        for line in self._lines:
            name = line.line.line_id
            for place, meter in enumerate(_LINE_METERS):
                yield from self._calibrations(name, name, meter, (line.line.number, place), (first, last), dirt)
        for place, meter in enumerate(_PLANT_METERS):
            yield from self._calibrations(self.plant.plant_id, "", meter, (0, place), (first, last), dirt)

    def _row(self, table: str, month: int, cells: dict[str, str]) -> LedgerRow:
        named = {"plant_id": self.plant.plant_id, "month": month_name(month)}
        return LedgerRow(table, self.plant, month, {**named, **cells})

    def _draws(self, month: int) -> list[float]:
        made: list[float] = draws.generator(self._seed, draws.LEDGER_PLANT, self.plant.index, month).random(12).tolist()
        return made

    def _electricity(self, month: int) -> Iterator[LedgerRow]:
        """A row for each line, and one for the plant with what it grinds besides; in kWh until it is written."""
        total = dict.fromkeys(("grid", "direct", "waste"), 0)
        clinker = 0.0
        u = self._draws(month)
        for line in self._lines:
            made = line.month(month).output / 100
            clinker += made * (1.0 - line.traits.sold_share)
            used = round(made * self._per_tonne * (1 + 0.03 * (u[1] - 0.5)))
            waste, direct = round(made * self._waste_heat * (1 + 0.04 * (u[2] - 0.5))), round(used * self._direct)
            own = {"grid": used - waste - direct, "direct": direct, "waste": waste}
            total = {name: total[name] + own[name] for name in total}
            yield self._row("ledger_electricity", month, {"line_id": line.line.line_id, **self._kwh(own)})
        cement = (clinker / _CLINKER if self._lines else _BOUGHT_IN * (0.7 + 0.5 * u[3])) if self._grinds else 0.0
        total["grid"] += round(cement * _GRINDING * (1 + 0.04 * (u[4] - 0.5)))
        yield self._row("ledger_electricity", month, {"line_id": "", **self._kwh(total, self._certified)})

    def _kwh(self, some: dict[str, int], certified: float = 0.0) -> dict[str, str]:
        return {
            "grid_mwh": fixed(some["grid"], 3), "direct_nonfossil_mwh": fixed(some["direct"], 3),
            "certificate_mwh": fixed(round(some["grid"] * certified), 3), "waste_heat_mwh": fixed(some["waste"], 3),
            "captive_mwh": fixed(0, 3), "exported_mwh": fixed(0, 3),
        }  # fmt: skip

    def _burnt(self, month: int) -> Iterator[dict[str, str]]:
        """Vehicles, and the coal of a dryer's hot gas."""
        named = {"plant_id": self.plant.plant_id, "unit": "t", "ncv_gj": "", "ncv_source": "default"}
        now, before = (self._used(m) for m in (month, month - 1))
        truck = f"{self.plant.plant_id}-TRUCK"
        yield {
            **named, "facility": "mobile", "fuel": "diesel", **balance(now[0], before[0]), "moisture_pct": "", "meter_id": truck,
        }  # fmt: skip
        if self._dries:
            moisture = rounded(7.0 + 3.0 * self._draws(month)[5])
            yield {
                **named, "facility": "industrial_boiler", "fuel": "bituminous", **balance(now[1], before[1]),
                "moisture_pct": moisture, "meter_id": truck,
            }  # fmt: skip

    def _used(self, month: int) -> tuple[Stock, Stock]:
        u = self._draws(month)
        diesel = round(self._vehicles * (0.85 + 0.3 * u[6]))
        coal = round(30_000 + 20_000 * u[7])
        return Stock(diesel, 4000 - int(0.5 * diesel)), Stock(coal, 60_000 - int(0.5 * u[8] * coal))

    def _calibrations(
        self, owner: str, line: str, meter: tuple[str, str, float], number: tuple[int, int], months: tuple[int, int], dirt: Dirt
    ) -> Iterator[LedgerRow]:  # fmt: skip
        name, quantity, accuracy = meter
        u = draws.generator(self._seed, draws.LEDGER_METER, self.plant.index, *number).random(4)
        day = int(28 * u[0])
        anniversary = int(12 * u[1])
        for year in range(months[0] // 12 - 1, months[1] // 12 + 1):
            v = draws.generator(self._seed, draws.LEDGER_METER, self.plant.index, *number, year).random(3)
            due = month_begin(year * 12 + anniversary) + timedelta(days=day)
            begin = due + timedelta(days=10 + int(50 * v[1]) if v[0] < dirt.meter_lapse else 0)
            end = month_begin((year + 1) * 12 + anniversary) + timedelta(days=day - 1)
            if end < month_begin(months[0]) or begin >= month_begin(months[1] + 1):
                continue
            cells = {
                "meter_id": f"{owner}-{name}", "plant_id": self.plant.plant_id, "line_id": line, "quantity": quantity,
                "class_pct": rounded(accuracy), "actual_pct": rounded(accuracy * (0.2 + 0.6 * v[2])),
                "calibrated_from": begin.isoformat(), "calibrated_to": end.isoformat(),
            }  # fmt: skip
            yield LedgerRow("ledger_meter", self.plant, months[1], cells)
