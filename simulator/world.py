"""The invented plants, lines, outlets and loggers of a simulated landing zone.

Belongs here: what exists and its lasting traits, drawn from the seed. Does not belong here: what happens on a day (`states`,
`plan`, `readings`) and files (`registry_files`). Names say that they are simulated; no real plant's name, code or place is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from simulator import draws
from simulator.devices import SimDevice, make_device
from simulator.levels import KINDS, LAYOUT_SHARES, LAYOUTS, MOVEMENTS, POLLUTANTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.dirt import Dirt

_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
_STEMS_EN = ("Jia", "Yi", "Bing", "Ding", "Wu", "Ji", "Geng", "Xin", "Ren", "Gui")
_BRANCHES_EN = ("zi", "chou", "yin", "mao", "chen", "si", "wu", "wei", "shen", "you", "xu", "hai")
_NUMBERS = "一二三四五六七八九十"
_PREFECTURES = ("贵阳市", "遵义市", "六盘水市", "安顺市", "毕节市", "铜仁市", "黔西南州", "黔东南州", "黔南州")
_OTHER_PROVINCES = ("云南省", "四川省", "湖南省", "广西壮族自治区", "重庆市")
#: Plants of the first province; a larger zone goes on in its neighbours.
_FIRST_PROVINCE_PLANTS = 60
_SHORT = {
    "kiln_tail": "KT",
    "cooler": "CL",
    "coal_mill": "CO",
    "raw_mill": "RM",
    "cement_mill": "CM",
    "dryer": "DR",
    "crusher": "CR",
    "packing": "PK",
}
#: How far the level of a bad stack lies above the typical one: from now and then above the ultra-low limit to always.
_BAD = {"pm": (1.6, 2.4), "so2": (2.8, 4.2), "nox": (1.3, 1.8)}
#: Share of kilns near the rule, and the NOx around which they run, mg/m3.
_NEAR_SHARE, _NEAR = 0.1, (41.0, 45.5)
_T0 = 273.0
#: A single value or one per minute.
Number = TypeVar("Number", float, NDArray[np.float64])


@dataclass(frozen=True)
class SimPlant:
    """A plant; `style` is how its collector writes captures (0 = frames only)."""

    index: int
    plant_id: str
    name: str
    name_en: str
    group: str
    province: str
    prefecture: str
    ambient_kpa: float
    region_class: str
    style: int


@dataclass(frozen=True)
class SimLine:
    """A clinker line of a plant."""

    line_id: str
    plant_id: str
    number: int
    capacity_t_d: float


@dataclass(frozen=True)
class SimOutlet:
    """A stack with its logger. `channels` is the order of everything per channel; levels in the units of `levels.Kind`."""

    index: int
    outlet_id: str
    plant: SimPlant
    line: SimLine | None
    point_type: str
    channels: tuple[str, ...]
    levels: dict[str, float]
    phases: NDArray[np.int64]
    duct_area_m2: float
    velocity_coefficient: float
    reductant: str
    reference: float | None
    device: SimDevice
    permit_nox: float | None

    def at(self, channel: str) -> int | None:
        """Index of a channel, None when the stack does not have it."""
        return self.channels.index(channel) if channel in self.channels else None


@dataclass(frozen=True)
class World:
    """Everything that exists, in registry order."""

    plants: tuple[SimPlant, ...]
    lines: tuple[SimLine, ...]
    outlets: tuple[SimOutlet, ...]

    def by_plant(self) -> Iterator[tuple[SimPlant, tuple[SimOutlet, ...]]]:
        """Plants with their outlets, in order."""
        for index, outlets in groupby(self.outlets, lambda o: o.plant.index):
            yield self.plants[index], tuple(outlets)


def make_world(outlets: int, seed: int, dirt: Dirt, interval_min: int | None) -> World:
    """`outlets` stacks on as many plants as they need. A larger world begins with the smaller one of the same seed."""
    plants: list[SimPlant] = []
    lines: list[SimLine] = []
    made: list[SimOutlet] = []
    modbus = _modbus_outlets(outlets, seed, dirt)
    while len(made) < outlets:
        index = len(plants)
        rng = draws.generator(seed, draws.PLANT, index)
        layout = LAYOUTS[0 if index == 0 else int(rng.choice(len(LAYOUTS), p=LAYOUT_SHARES))]
        plant = _plant(index, rng, dirt)
        plants.append(plant)
        kept = layout[: outlets - len(made)]
        own = {n: _line(plant, n, rng) for n in sorted({n for _, n in layout if n})}
        lines += [line for n, line in own.items() if any(n == k for _, k in kept)]
        for place, (kind, number) in enumerate(kept):
            twin = sum(k == kind and n == number for k, n in layout[:place])
            made.append(_outlet(len(made), plant, own.get(number), kind, twin, seed, dirt, interval_min, modbus))
    return World(tuple(plants), tuple(lines), tuple(made))


def _modbus_outlets(outlets: int, seed: int, dirt: Dirt) -> dict[int, bool]:
    """Outlets whose loggers use Modbus check sums, and whether the registry permits it. Small worlds are spared the second
    kind, which costs an outlet all of its data.
    """
    rng = draws.generator(seed, draws.DEVICE)
    allowed = {1 + 7 * i: True for i in range(dirt.modbus_allowed)}
    first = 4 + int(rng.integers(0, 2))
    denied = {first + 7 * i: False for i in range(dirt.modbus_denied) if outlets >= 6}
    return {k: v for k, v in {**denied, **allowed}.items() if k < outlets}


def _plant(index: int, rng: np.random.Generator, dirt: Dirt) -> SimPlant:
    cycle = index % 60
    number = index // 60
    works = _NUMBERS[number] if number < len(_NUMBERS) else str(number + 1)
    home = index < _FIRST_PROVINCE_PLANTS
    style = 1 + int(rng.integers(0, 3)) if rng.random() < dirt.log_text else 0
    group = int(rng.integers(0, 5))
    return SimPlant(
        index,
        f"SIM-P{index + 1:04d}",
        f"{_STEMS[cycle % 10]}{_BRANCHES[cycle % 12]}水泥{works}厂(模拟)",
        f"{_STEMS_EN[cycle % 10]}{_BRANCHES_EN[cycle % 12]} Cement Works {number + 1} (simulated)",
        f"{_STEMS[group]}字集团(模拟)",
        "贵州省" if home else _OTHER_PROVINCES[index % len(_OTHER_PROVINCES)],
        _PREFECTURES[index % len(_PREFECTURES)] if home else "",
        round(float(rng.uniform(84.5, 91.0)), 1),
        "key" if rng.random() < 0.1 else "general",
        style,
    )


def _line(plant: SimPlant, number: int, rng: np.random.Generator) -> SimLine:
    capacity = float(rng.choice([2500.0, 3200.0, 4000.0, 4600.0, 5000.0]))
    return SimLine(f"{plant.plant_id}-L{number}", plant.plant_id, number, capacity)


def _outlet(
    index: int, plant: SimPlant, line: SimLine | None, kind: str, twin: int, seed: int, dirt: Dirt, interval: int | None, modbus: dict[int, bool]
) -> SimOutlet:  # fmt: skip
    rng = draws.generator(seed, draws.OUTLET, index)
    made = KINDS[kind]
    parts_of_nox = kind == "kiln_tail" and rng.random() < 0.1
    reductant = ("ammonia" if rng.random() < 0.7 else "urea") if kind == "kiln_tail" else "none"
    channels = _channels(kind, parts_of_nox, rng)
    levels = _levels(made.levels, channels, line, rng)
    _bring_near(levels, kind, draws.generator(seed, draws.LEVELS, index))
    device = make_device(index, seed, dirt, interval, channels, modbus, parts_of_nox=parts_of_nox)
    coefficient = round(float(rng.uniform(0.85, 1.15)), 3)
    wet = levels["flow"] / dry_share(levels["temperature"], plant.ambient_kpa + levels["pressure"], levels["humidity"])
    return SimOutlet(
        index,
        f"{line.line_id if line else plant.plant_id}-{_SHORT[kind]}{twin + 1 if twin else ''}",
        plant,
        line,
        kind,
        channels,
        levels,
        rng.integers(0, 1440, len(channels)),
        round(float(wet / 3600.0 / coefficient / made.velocity), 2),
        coefficient,
        reductant,
        made.reference,
        device,
        100.0 if kind == "kiln_tail" and rng.random() < 0.15 else None,
    )


def dry_share(temperature: Number, pressure_kpa: Number, humidity: Number) -> Number:
    """m3 dry and standard (273 K, 101.325 kPa) in one actual wet m3; temperature degC, absolute pressure kPa, moisture %."""
    return _T0 / (_T0 + temperature) * pressure_kpa / 101.325 * (1.0 - humidity / 100.0)


def _channels(kind: str, parts_of_nox: bool, rng: np.random.Generator) -> tuple[str, ...]:
    """The pollutants that a stack of this kind measures, then everything else that it measures."""
    has = set(KINDS[kind].levels)
    has -= {"nox"} if parts_of_nox else {"no", "no2"}
    if rng.random() > 0.4:
        has.discard("co")
    if rng.random() > 0.15:
        has -= {"hcl", "hf", "hg"}
    pollutants = tuple(p for p in POLLUTANTS if p in has)
    return (*pollutants, *(("o2",) if "o2" in has else ()), "flow", "velocity", "temperature", "pressure", "humidity")


def _levels(
    typical: dict[str, float], channels: tuple[str, ...], line: SimLine | None, rng: np.random.Generator
) -> dict[str, float]:
    """Levels of one stack: mostly below the ultra-low limits, about one stack in eight above one of them."""
    made = {c: typical[c] * float(rng.uniform(0.8, 1.2)) for c in typical if c in channels and c in POLLUTANTS}
    if rng.random() < 0.12:
        worst = str(rng.choice([p for p in ("pm", "so2", "nox") if p in made] or ["pm"]))
        low, high = _BAD[worst]
        made[worst] *= float(rng.uniform(low, high))
    if "o2" in channels:
        made["o2"] = typical["o2"] + float(rng.uniform(-1.0, 1.0))
    size = (line.capacity_t_d / 4500.0 if line else 1.0) * float(rng.uniform(0.9, 1.1))
    made["flow"] = typical["flow"] * size
    made["temperature"] = typical["temperature"] + float(rng.uniform(-8.0, 8.0))
    made["pressure"] = typical["pressure"] * float(rng.uniform(0.7, 1.3))
    made["humidity"] = typical["humidity"] * float(rng.uniform(0.85, 1.15))
    return made


def _bring_near(levels: dict[str, float], kind: str, rng: np.random.Generator) -> None:
    """About one kiln in ten lives near the 95 % rule: in about one hour of twenty its NOx lies above the ultra-low limit."""
    u = rng.random(2)
    if kind == "kiln_tail" and "nox" in levels and u[0] < _NEAR_SHARE:
        levels["nox"] = _NEAR[0] + (_NEAR[1] - _NEAR[0]) * float(u[1])


def movement_table(outlet: SimOutlet) -> tuple[list[str], NDArray[np.float64]]:
    """Measured channels (all but velocity, which follows from the flow) and their rows for `kernels.stackgas.stack_minutes`."""
    names = [c for c in outlet.channels if c != "velocity"]
    rows = np.empty((6, len(names)))
    for i, name in enumerate(names):
        move = MOVEMENTS[name]
        level = outlet.levels[name]
        cold = move.cold * level if move.cold_share else move.cold
        rows[:, i] = level, move.noise, move.phi, move.swing, cold, move.boost
    return names, rows
