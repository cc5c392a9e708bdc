"""Typical levels of each kind of emission point.

Belongs here: which channels a kind of stack has and around what values they move. Does not belong here: limits (`reference`)
and any particular plant (`world`). All figures are plausible inventions; none is taken from a real plant.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Channels that a stack has besides its pollutants, in the order they are kept.
AUXILIARY = ("o2", "flow", "velocity", "temperature", "pressure", "humidity")
POLLUTANTS = ("pm", "so2", "nox", "no", "no2", "nh3", "co", "hcl", "hf", "hg")


@dataclass(frozen=True, slots=True)
class Movement:
    """How a channel moves: noise and daily wave as shares of its level, minute-to-minute correlation, level when the
    source stands still (share of the level where `cold_share`), extra share during heat-up, spread within a minute.
    """

    noise: float
    swing: float
    phi: float
    cold: float
    cold_share: bool
    boost: float
    width: float


MOVEMENTS: dict[str, Movement] = {
    "pm": Movement(0.16, 0.05, 0.96, 0.06, True, 0.8, 0.06),
    "so2": Movement(0.30, 0.08, 0.97, 0.03, True, 4.0, 0.05),
    "nox": Movement(0.15, 0.05, 0.97, 0.02, True, 1.6, 0.04),
    "no": Movement(0.15, 0.05, 0.97, 0.02, True, 1.6, 0.04),
    "no2": Movement(0.20, 0.05, 0.97, 0.02, True, 1.6, 0.04),
    "nh3": Movement(0.30, 0.06, 0.98, 0.05, True, 0.5, 0.05),
    "co": Movement(0.35, 0.05, 0.95, 0.01, True, 3.0, 0.08),
    "hcl": Movement(0.20, 0.04, 0.97, 0.02, True, 0.3, 0.05),
    "hf": Movement(0.20, 0.04, 0.97, 0.02, True, 0.3, 0.05),
    "hg": Movement(0.20, 0.04, 0.97, 0.02, True, 0.3, 0.05),
    "o2": Movement(0.04, 0.01, 0.97, 20.9, False, 0.25, 0.004),
    "flow": Movement(0.04, 0.02, 0.96, 0.02, True, -0.3, 0.01),
    "temperature": Movement(0.05, 0.02, 0.99, 27.0, False, -0.1, 0.003),
    "pressure": Movement(0.10, 0.03, 0.95, 0.03, True, -0.2, 0.02),
    "humidity": Movement(0.06, 0.03, 0.98, 1.6, False, 0.1, 0.01),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """Levels of a kind of emission point: pollutants mg/m3 (dry, standard), O2 %, flow m3/h (dry, standard), gauge pressure
    kPa, moisture %, duct velocity m/s; `reference` is the O2 that its logger converts to (None: it does not convert).
    """

    levels: dict[str, float]
    velocity: float
    reference: float | None
    follows_kiln: bool


KINDS: dict[str, Kind] = {
    "kiln_tail": Kind(
        {"pm": 4.2, "so2": 9.0, "nox": 33.0, "no": 20.0, "no2": 2.4, "nh3": 2.8, "co": 240.0, "hcl": 1.8, "hf": 0.4, "hg": 0.008,
         "o2": 9.4, "flow": 420_000.0, "temperature": 104.0, "pressure": -0.42, "humidity": 9.5},
        14.0, 10.0, True,
    ),
    "cooler": Kind({"pm": 4.6, "flow": 260_000.0, "temperature": 96.0, "pressure": -0.25, "humidity": 2.2}, 12.0, None, True),
    "coal_mill": Kind({"pm": 4.8, "flow": 85_000.0, "temperature": 68.0, "pressure": -0.6, "humidity": 6.5}, 11.0, None, True),
    "raw_mill": Kind({"pm": 4.5, "flow": 150_000.0, "temperature": 82.0, "pressure": -0.5, "humidity": 5.5}, 12.0, None, False),
    "cement_mill": Kind({"pm": 4.4, "flow": 110_000.0, "temperature": 74.0, "pressure": -0.35, "humidity": 3.2}, 11.0, None, False),
    "dryer": Kind(
        {"pm": 4.4, "so2": 9.0, "nox": 24.0, "o2": 12.2, "flow": 62_000.0, "temperature": 88.0, "pressure": -0.3, "humidity": 12.0},
        10.0, 8.0, False,
    ),
    "crusher": Kind({"pm": 5.0, "flow": 38_000.0, "temperature": 28.0, "pressure": -0.2, "humidity": 1.8}, 13.0, None, False),
    "packing": Kind({"pm": 4.9, "flow": 24_000.0, "temperature": 31.0, "pressure": -0.2, "humidity": 1.8}, 12.0, None, False),
}  # fmt: skip

#: Plants by their outlets: (kind, line number or 0 for the plant).
LAYOUTS: tuple[tuple[tuple[str, int], ...], ...] = (
    (("kiln_tail", 1), ("cooler", 1), ("coal_mill", 1), ("cement_mill", 0), ("cement_mill", 0), ("packing", 0)),
    (("kiln_tail", 1), ("cooler", 1), ("coal_mill", 1), ("raw_mill", 1), ("cement_mill", 0)),
    (("kiln_tail", 1), ("cooler", 1), ("kiln_tail", 2), ("cooler", 2), ("coal_mill", 1), ("coal_mill", 2), ("cement_mill", 0), ("crusher", 0)),
    (("cement_mill", 0), ("dryer", 0), ("packing", 0)),
    (("kiln_tail", 1), ("cooler", 1)),
)  # fmt: skip
#: How often each layout is drawn; the first plant always has the first one.
LAYOUT_SHARES = (0.4, 0.2, 0.15, 0.1, 0.15)
