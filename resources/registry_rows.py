"""The rows of the registry as typed records.

Belongs here: one dataclass per file of registry/, fields exactly its columns. Does not belong here: what a cell may
hold (`registry_schema`), reading (`registry_read`), rules between rows (`registry_check`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.problems import Problem, listing

if TYPE_CHECKING:
    from datetime import date


class Dated:
    """A row with a validity: `valid_from` inclusive, `valid_to` exclusive or None for open-ended."""

    __slots__ = ()
    valid_from: date
    valid_to: date | None

    def in_force(self, day: date) -> bool:
        """Whether the row is in force on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def overlaps(self, first: date, last: date) -> bool:
        """Whether the row is in force on any day of [first, last], both inclusive."""
        return self.valid_from <= last and (self.valid_to is None or first < self.valid_to)


@dataclass(frozen=True)
class Plant(Dated):
    """A plant (企业). `ambient_pressure_kpa` is the local atmospheric pressure; never assumed to be 101.325."""

    plant_id: str
    name: str
    name_en: str
    uscc: str
    group: str
    province: str
    prefecture: str
    latitude: float | None
    longitude: float | None
    ambient_pressure_kpa: float | None
    region_class: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class Line(Dated):
    """A clinker line (生产线) and its capacity in t of clinker per day."""

    line_id: str
    plant_id: str
    clinker_class: str
    capacity_t_d: float
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class Outlet(Dated):
    """An emission outlet (排放口). `line_id` is None for plant-level outlets, `o2_reference_pct` None means "by rule"."""

    outlet_id: str
    plant_id: str
    line_id: str | None
    point_type: str
    duct_area_m2: float | None
    velocity_coefficient: float | None
    o2_reference_pct: float | None
    reductant: str | None
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class Device(Dated):
    """A data logger (数采仪) on an outlet: how its numbers are meant. Every unit is stated, none is assumed."""

    mn: str
    outlet_id: str
    interval_min: int
    label: str
    pressure_unit: str
    pressure_basis: str
    flow_unit: str
    flow_basis: str
    gas_basis: str
    nox_as_no2: bool
    missing_flag: str
    crc_variants: frozenset[str]
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class Permit(Dated):
    """A limit of the plant's own permit (排污许可证); it overrides the rule packs."""

    outlet_id: str
    pollutant: str
    limit_mg_m3: float
    standard: str
    valid_from: date
    valid_to: date | None


class RegistryError(Exception):
    """The registry cannot be used; `problems` lists every error of every file at once."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(f"registry: {len(problems)} 处错误 / {len(problems)} error(s)\n{listing(problems)}")
