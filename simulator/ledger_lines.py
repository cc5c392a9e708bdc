"""Monthly figures of the simulated clinker lines: output by the hours that the kiln ran, coal by heat, stocks that balance.

Belongs here: lasting traits of a line, its months, and its rows of every ledger table by line. Does not belong here: figures of a
whole plant (`ledger_plants`) and when a kiln runs (`states`). All figures are plausible inventions around those of the trade.

A stock never needs the months before it: at the end of a month it differs from its usual level by a share of what the month used
or made. So a month can be made by itself, and what is bought or sold between two stocks is never negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator import draws
from simulator.ledger_rows import LedgerRow, fixed, kiln_month, month_name, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from simulator.ledger_rows import KilnMonth
    from simulator.world import SimLine, SimOutlet, SimPlant

#: Heating values that measured ones lie around, GJ/t; alternative fuels: GJ/t, tCO2/GJ, fossil share of carbon in %.
_COALS = {"anthracite": (22.6, 23.9), "bituminous": (22.3, 23.8)}
_ALTERNATIVE = {"rdf": (13.5, 0.0950, 45), "waste_tyres": (31.0, 0.0850, 100), "biomass": (14.5, 0.1100, 0)}
#: CaO and MgO that a tonne brings into the clinker.
_OXIDES = {"carbide_slag": (0.62, 0.002), "steel_slag": (0.40, 0.05)}
#: Diesel that a cold and a hot start burn, and tests of the burners in any month, in hundredths of a tonne.
_COLD, _HOT, _TESTS = (700, 1500), (120, 420), (15, 60)
_TANK = 9000
_FULL_MONTH = 31


@dataclass(frozen=True, slots=True)
class LineTraits:
    """What lasts: load as a share of capacity, GJ/t of clinker, heat shares of fuels, t per t of clinker for materials."""

    load: float
    heat: float
    coals: dict[str, float]
    ncv: dict[str, float]
    measured: bool
    alternative: dict[str, float]
    materials: dict[str, float]
    raw_ratio: float
    sold_share: float
    buys: bool
    stocktake: bool
    dust: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Stock:
    """What was used in a month and what is left, in hundredths."""

    used: int
    closing: int
    sold: int = 0


@dataclass(frozen=True, slots=True)
class LineMonth:
    """A month of a line: output and closing stock in hundredths of a tonne, then what was burnt and fed."""

    kiln: KilnMonth
    output: int
    closing: int
    fuels: dict[str, Stock]
    materials: dict[str, Stock]
    noise: np.ndarray


class LineBook:
    """All months of one line; `cooler`: its cooler stack, whose dust is what the CEMS measures."""

    def __init__(self, seed: int, plant: SimPlant, line: SimLine, cooler: SimOutlet | None) -> None:
        self.line, self._seed, self._plant, self._cooler = line, seed, plant, cooler
        self.traits = _traits(draws.generator(seed, draws.LEDGER_LINE, plant.index, line.number))
        self._made: dict[int, LineMonth] = {}

    def month(self, month: int) -> LineMonth:
        """What happened in a month."""
        if month not in self._made:
            self._made[month] = self._month(month)
        return self._made[month]

    def rows(self, month: int) -> Iterator[LedgerRow]:
        """Rows of the line for a month, one table after the other."""
        name = {"line_id": self.line.line_id, "month": month_name(month)}
        now, before = self.month(month), self.month(month - 1)
        for table, cells in (
            ("ledger_clinker", self._clinker(now, before)),
            *(("ledger_fuel", self._fuel(fuel, now, before)) for fuel in now.fuels),
            *(("ledger_rawmat", _material(name, now, before)) for name in now.materials),
            ("ledger_rawmeal", self._rawmeal(now)),
            ("ledger_lab", self._lab(now)),
            ("ledger_dust", self._dust(now)),
            *(("ledger_altfuel", self._alternative(fuel, now)) for fuel in self.traits.alternative),
        ):
            yield LedgerRow(table, self._plant, month, {**name, **cells})

    def _month(self, month: int) -> LineMonth:
        traits, line = self.traits, self.line
        kiln = kiln_month(self._seed, self._plant.index, line.number, month)
        u = draws.generator(self._seed, draws.LEDGER_MONTH, self._plant.index, line.number, month).random(32)
        output = round(100 * line.capacity_t_d * (traits.load + 0.03 * (u[0] - 0.5)) * kiln.running / 1440)
        # A kiln that starts often burns more for each tonne.
        heat = traits.heat + 0.06 * (u[1] - 0.5) + 0.01 * kiln.cold
        full = line.capacity_t_d * traits.load * _FULL_MONTH * traits.heat
        fuels = {}
        for place, (coal, share) in enumerate(traits.coals.items()):
            ncv = float(self._ncv(coal, u))
            used = round(output * heat * share / ncv)
            late = int(used * (0.1 + 0.4 * u[2 + place]))
            sold = round(used * 0.03 * u[4 + place]) if u[6 + place] < 0.08 else 0
            fuels[coal] = Stock(used, round(90 * full * share / ncv) - late, sold)
        starts = [(kiln.cold, _COLD, u[8]), (kiln.hot, _HOT, u[9]), (1, _TESTS, u[10])]
        diesel = sum(round(n * (lo + (hi - lo) * v)) for n, (lo, hi), v in starts)
        fuels["diesel"] = Stock(diesel, _TANK - int(0.6 * diesel))
        materials = {}
        for place, (name, share) in enumerate(traits.materials.items()):
            used = round(output * share * (0.95 + 0.1 * u[11 + place]))
            usual = round(90 * line.capacity_t_d * traits.load * _FULL_MONTH * share)
            materials[name] = Stock(used, usual - int(used * (0.1 + 0.4 * u[13 + place])))
        silo = round(100 * line.capacity_t_d * 3) + int(output * (0.05 + 0.25 * u[15]))
        return LineMonth(kiln, output, silo, fuels, materials, u)

    def _ncv(self, fuel: str, u: np.ndarray) -> str:
        """Measured heating value of a coal in a month, GJ/t."""
        return rounded(self.traits.ncv[fuel] * (1 + 0.03 * (u[16 + (fuel == "bituminous")] - 0.5)), 3)

    def _clinker(self, now: LineMonth, before: LineMonth) -> dict[str, str]:
        bought = round(now.output * 0.04 * now.noise[18]) if self.traits.buys else 0
        leaves = now.output + before.closing + bought - now.closing
        sold = round(leaves * self.traits.sold_share)
        return {
            "output_t": fixed(now.output), "run_hours": rounded(now.kiln.running / 60), "opening_t": fixed(before.closing),
            "purchased_t": fixed(bought), "sold_t": fixed(sold), "used_t": fixed(leaves - sold), "closing_t": fixed(now.closing),
            "metering": "stocktake" if self.traits.stocktake else "belt",
        }  # fmt: skip

    def _fuel(self, fuel: str, now: LineMonth, before: LineMonth) -> dict[str, str]:
        coal = fuel in _COALS
        measured = coal and self.traits.measured
        cells = {"plant_id": self._plant.plant_id, "facility": "kiln", "fuel": fuel}
        return {
            **cells, **balance(now.fuels[fuel], before.fuels[fuel]), "unit": "t",
            "ncv_gj": self._ncv(fuel, now.noise) if measured else "", "ncv_source": "measured" if measured else "default",
            "moisture_pct": rounded(6.5 + 3.5 * now.noise[19 + (fuel == "bituminous")]) if coal else "",
            "meter_id": f"{self.line.line_id}-COAL" if coal else f"{self._plant.plant_id}-TRUCK",
        }  # fmt: skip

    def _rawmeal(self, now: LineMonth) -> dict[str, str]:
        ratio = self.traits.raw_ratio + 0.02 * (now.noise[21] - 0.5)
        return {
            "rawmeal_t": fixed(round(now.output * ratio)),
            "nonfuel_carbon_pct": rounded(0.08 + 0.06 * now.noise[22], 3),
        }

    def _lab(self, now: LineMonth) -> dict[str, str]:
        shares = {n: 100 * s.used / max(now.output, 1) for n, s in now.materials.items()}
        cao, mgo = (0.1 * i + sum(share * _OXIDES[n][k] for n, share in shares.items()) for k, i in ((0, 1), (1, 0)))
        return {
            "clinker_cao_pct": rounded(64.9 + 1.0 * now.noise[23]), "clinker_mgo_pct": rounded(1.8 + 0.6 * now.noise[24]),
            "noncarbonate_cao_pct": rounded(cao), "noncarbonate_mgo_pct": rounded(mgo),
        }  # fmt: skip

    def _dust(self, now: LineMonth) -> dict[str, str]:
        bypass, ckd, calcined = self.traits.dust
        stack = self._cooler
        rate = stack.levels["pm"] * stack.levels["flow"] / 1e9 if stack is not None else 0.0012
        return {
            "kiln_dust_t": rounded(rate * now.kiln.running / 60), "bypass_dust_t": fixed(round(now.output * bypass)),
            "ckd_t": fixed(round(now.output * ckd)), "ckd_calcination": rounded(calcined) if ckd else "",
        }  # fmt: skip

    def _alternative(self, fuel: str, now: LineMonth) -> dict[str, str]:
        ncv, factor, fossil = _ALTERNATIVE[fuel]
        heat = rounded(ncv * (1 + 0.06 * (now.noise[25] - 0.5)), 3)
        used = round(now.output * self.traits.heat * self.traits.alternative[fuel] / float(heat))
        return {
            "fuel": fuel, "consumption_t": fixed(used), "ncv_gj": heat, "ef_tco2_gj": rounded(factor, 4),
            "fossil_carbon_pct": rounded(fossil),
        }  # fmt: skip


def balance(now: Stock, before: Stock) -> dict[str, str]:
    """Opening, purchased, sold, closing and consumption of a fuel: what was bought closes the balance to the digit."""
    bought = now.used + now.sold + now.closing - before.closing
    return {
        "opening": fixed(before.closing), "purchased": fixed(bought), "sold": fixed(now.sold), "closing": fixed(now.closing),
        "consumption": fixed(now.used),
    }  # fmt: skip


def _material(name: str, now: LineMonth, before: LineMonth) -> dict[str, str]:
    some = balance(now.materials[name], before.materials[name])
    moisture = rounded((28.0 if name == "carbide_slag" else 5.0) + 4.0 * now.noise[26])
    return {
        "material": name, "consumption_t": some["consumption"], "opening_t": some["opening"], "purchased_t": some["purchased"],
        "closing_t": some["closing"], "moisture_pct": moisture,
    }  # fmt: skip


def _traits(rng: np.random.Generator) -> LineTraits:
    u = rng.random(20)
    mostly = 0.65 + 0.2 * u[0]
    alternative = {}
    if u[1] < 0.4:
        alternative = {tuple(_ALTERNATIVE)[int(3 * u[2])]: 0.02 + 0.04 * u[3]}
    coals = (
        {"anthracite": mostly, "bituminous": 1.0 - mostly}
        if u[4] < 0.5
        else {("anthracite" if u[4] < 0.85 else "bituminous"): 1.0}
    )
    left = 1.0 - sum(alternative.values())
    materials = {"carbide_slag": 0.016 + 0.014 * u[5]} if u[6] < 0.45 else {}
    materials |= {"steel_slag": 0.010 + 0.010 * u[7]} if u[8] < 0.45 else {}
    return LineTraits(
        load=0.97 + 0.09 * u[9], heat=3.0 + 0.3 * u[10],
        coals={coal: share * left for coal, share in coals.items()},
        ncv={coal: lo + (hi - lo) * v for (coal, (lo, hi)), v in zip(_COALS.items(), u[11:13], strict=True)},
        measured=u[13] < 0.75, alternative=alternative, materials=materials,
        raw_ratio=1.53 + 0.05 * u[14] - 1.1 * materials.get("carbide_slag", 0.0),
        sold_share=0.1 + 0.5 * u[15], buys=u[16] < 0.2, stocktake=u[17] < 0.4,
        dust=(0.002 * (u[18] < 0.15), 0.001 * (u[19] < 0.2), 0.55),
    )  # fmt: skip
