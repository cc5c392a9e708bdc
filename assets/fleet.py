"""The outlets and devices in force on a day, with the facts that hours need of each.

Belongs here: registry and rule book asked once per day, laid out by outlet. Does not belong here: loading either
(`resources`), raw rows (`sent_rows`), what is computed (`hours`, `labels`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from assets.sent_rows import Speaker
from kernels.hours import POLLUTANT_ORDER
from kernels.hours import Outlets as OutletFacts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from assets.sent_rows import SentRows
    from resources.registry import Device, Outlet, Plant, Registry
    from resources.rules import RuleBook

#: Point type, region class, reductant, province: what limits of law depend on.
Situation: TypeAlias = "tuple[str, str, str | None, str]"
_KINDS: tuple[Literal["ule", "mandatory"], ...] = ("ule", "mandatory")


#: What a stack monitor of HJ 75 and HJ 76 measures in any case.
MONITORED = ("pm", "so2", "nox")
#: Points whose exhaust is mostly air: never converted to a reference O2.
AS_MEASURED = ("cooler", "coal_mill", "raw_mill", "cement_mill", "crusher", "packing")


@dataclass(frozen=True)
class Fleet:
    """Outlets in force on `day`, sorted by id; `plants[i]` is that of `outlets[i]`; `devices` by (outlet_id, mn)."""

    day: date
    outlets: tuple[Outlet, ...]
    plants: tuple[Plant, ...]
    devices: Mapping[tuple[str, str], Device]

    @cached_property
    def index(self) -> dict[str, int]:
        """Position of each outlet."""
        return {outlet.outlet_id: i for i, outlet in enumerate(self.outlets)}

    def speakers(self, sent: SentRows | None, labels: Mapping[tuple[str, str], str]) -> list[Speaker | None]:
        """Who speaks in each run of `sent`; None where no device or outlet row is in force."""
        return [self._speaker(run.outlet_id, run.mn, labels) for run in sent.runs] if sent else []

    def _speaker(self, outlet_id: str, mn: str, labels: Mapping[tuple[str, str], str]) -> Speaker | None:
        device, index = self.devices.get((outlet_id, mn)), self.index.get(outlet_id)
        if device is None or index is None:
            return None
        return Speaker(device, index, labels[outlet_id, mn], self.plants[index].ambient_pressure_kpa)


def fleet_at(registry: Registry, day: date) -> Fleet:
    """The registry's answer for one day. ValueError names an outlet whose plant is not in force."""
    outlets = tuple(registry.outlets_at(day))
    plants = tuple(_plant(registry, outlet, day) for outlet in outlets)
    return Fleet(day, outlets, plants, {(d.outlet_id, d.mn): d for d in registry.devices_at(day)})


def _plant(registry: Registry, outlet: Outlet, day: date) -> Plant:
    plant = registry.plant(outlet.plant_id, day)
    if plant is None:
        raise ValueError(
            f"排放口 {outlet.outlet_id} 的企业 {outlet.plant_id} 在 {day} 无有效行 / "
            f"plant {outlet.plant_id} of outlet {outlet.outlet_id} has no row in force on {day}; complete plants.csv"
        )
    return plant


def outlet_facts(fleet: Fleet, book: RuleBook) -> OutletFacts:
    """Reference O2 (the outlet's own, else by rule), duct area and velocity coefficient as arrays, NaN for none."""
    by_rule = {point: book.o2_reference(point, fleet.day) for point in {o.point_type for o in fleet.outlets}}
    # A cooler or a mill is judged as measured whatever its row says (GB 4915-2013 4): at 20.9 % O2 any conversion is absurd.
    reference = [
        by_rule[o.point_type] if o.o2_reference_pct is None or o.point_type in AS_MEASURED else o.o2_reference_pct
        for o in fleet.outlets
    ]
    area, coefficient = [o.duct_area_m2 for o in fleet.outlets], [o.velocity_coefficient for o in fleet.outlets]
    return OutletFacts(_array(reference), _array(area), _array(coefficient))


def _array(values: list[float | None]) -> NDArray[np.float64]:
    return np.array([math.nan if v is None else v for v in values], np.float64)


def expected_pollutants(fleet: Fleet, registry: Registry, book: RuleBook) -> NDArray[np.bool_]:
    """Pollutants that a monitor must give at each outlet, by law or permit, shape (outlets, pollutants).

    Others with a limit (ammonia, fluorides, mercury) are sampled by hand unless a monitor sends them: they stand in the hours
    where there are data, never as hours of nothing.
    """
    by_law: dict[Situation, list[bool]] = {}
    made = np.zeros((len(fleet.outlets), len(POLLUTANT_ORDER)), np.bool_)
    for i, (outlet, plant) in enumerate(zip(fleet.outlets, fleet.plants, strict=True)):
        situation = (outlet.point_type, plant.region_class, outlet.reductant, plant.province)
        if situation not in by_law:
            by_law[situation] = [p in MONITORED and _has_limit(book, p, situation, fleet.day) for p in POLLUTANT_ORDER]
        made[i] = by_law[situation]
    for permit in registry.permits:
        if permit.in_force(fleet.day) and permit.outlet_id in fleet.index and permit.pollutant in MONITORED:
            made[fleet.index[permit.outlet_id], POLLUTANT_ORDER.index(permit.pollutant)] = True
    return made


def _has_limit(book: RuleBook, pollutant: str, situation: Situation, day: date) -> bool:
    point_type, region, reductant, province = situation
    return any(
        book.limit(
            kind, point_type=point_type, pollutant=pollutant, day=day, region_class=region, reductant=reductant, permits=[],
            province=province,
        )
        for kind in _KINDS
    )  # fmt: skip
