"""What one logger records on one day.

Belongs here: from the stack's true state to what the analysers show in the units that are sent, sensor faults included, and
to the logger's records. Does not belong here: which faults there are (`plan`) and when frames are sent (`traffic`).

The logger converts what it shows, so its converted values, amounts, hours and day agree with its minutes: hours are plain
means of unflagged minutes (unless the device weights them by flow), amounts are mean concentration x mean dry flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernels import logger, stackgas
from kernels.logger import LoggerSetup, Seen
from kernels.stackgas import DAY_MINUTES
from simulator import draws
from simulator.levels import MOVEMENTS, POLLUTANTS
from simulator.states import operation
from simulator.world import dry_share, movement_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.plan import DayPlan, Fault
    from simulator.world import SimOutlet

    Values = NDArray[np.float64]

#: Above this O2 a logger stops following the conversion formula, which has no value at 21 %.
_O2_GUARD = 20.0
_KPA_PER_PA = 1000.0


@dataclass(frozen=True)
class Sheet:
    """The records of one outlet and day: rows of scaled integers (intervals, 24 hours, the day), and which of them exist."""

    outlet: SimOutlet
    day: int
    rows: NDArray[np.int64]
    exists: NDArray[np.bool_]

    @property
    def slots(self) -> int:
        """Interval records of a day."""
        return DAY_MINUTES // self.outlet.device.interval_min


def record_day(outlet: SimOutlet, seed: int, day: int, plan: DayPlan) -> Sheet:
    """Everything that the logger of `outlet` records on `day` (days since 1970-01-01)."""
    key = draws.key(seed, draws.STACK, outlet.index)
    true = _true_state(outlet, seed, key, day)
    shown = _shown(outlet, true)
    held = np.zeros(shown.shape, np.uint8)
    flags = np.full(shown.shape, ord("N"), np.uint8)
    for fault in plan.faults:
        _misbehave(fault, shown[fault.channel], held[fault.channel], flags[fault.channel], outlet)
    if not outlet.device.sends_flags:
        flags[:] = ord("N")
    interval = outlet.device.interval_min
    present = np.ones(DAY_MINUTES // interval, np.bool_)
    if plan.gap is not None:
        present[plan.gap.first // interval : -(-plan.gap.end // interval)] = False
    rows, hours = logger.log_day(_setup(outlet), _seen(outlet, true, shown, held, flags), key, day, present)
    return Sheet(outlet, day, rows, np.concatenate([present, hours]))


def _true_state(outlet: SimOutlet, seed: int, key: int, day: int) -> dict[str, Values]:
    """Per channel: concentrations dry and standard, O2 dry, flow dry and standard, duct velocity, gauge pressure, moisture."""
    run, heat = operation(outlet, seed, day)
    names, table = movement_table(outlet)
    phases = np.array([outlet.phases[outlet.channels.index(n)] for n in names])
    minutes = stackgas.stack_minutes(key, day, table, phases, run, heat)
    true = dict(zip(names, minutes, strict=True))
    for name in (*(p for p in POLLUTANTS if p in true), "flow", "humidity"):
        np.maximum(true[name], 0.0, out=true[name])
    if "o2" in true:
        np.minimum(true["o2"], 20.95, out=true["o2"])
    actual = true["flow"] / dry_share(
        true["temperature"], outlet.plant.ambient_kpa + true["pressure"], true["humidity"]
    )
    true["velocity"] = actual / (3600.0 * outlet.duct_area_m2 * outlet.velocity_coefficient)
    return true


def _shown(outlet: SimOutlet, true: dict[str, Values]) -> Values:
    """True values in the units and on the basis that the logger sends, [channels, 1440]."""
    device = outlet.device
    wet = 1.0 - true["humidity"] / 100.0
    made = np.empty((len(outlet.channels), DAY_MINUTES))
    for i, channel in enumerate(outlet.channels):
        value = true[channel]
        if channel == "flow":
            if device.flow_basis == "wet_actual":
                value = value / dry_share(
                    true["temperature"], outlet.plant.ambient_kpa + true["pressure"], true["humidity"]
                )
            value = value / 3600.0 if device.flow_unit == "m3/s" else value
        elif channel == "pressure":
            value = value + outlet.plant.ambient_kpa if device.pressure_basis == "absolute" else value
            value = value * _KPA_PER_PA if device.pressure_unit == "Pa" else value
        elif device.gas_basis == "wet" and (channel == "o2" or channel in POLLUTANTS):
            value = value * wet
        made[i] = value
    return made


def _misbehave(
    fault: Fault, shown: Values, held: NDArray[np.uint8], flags: NDArray[np.uint8], outlet: SimOutlet
) -> None:
    """Carry out one fault on one channel's minutes; letters as in HJ 212-2017 table 8."""
    first, end = fault.span.first, fault.span.end
    here = slice(first, end)
    level = outlet.levels[outlet.channels[fault.channel]]
    if fault.kind == "flat":
        shown[here], held[here] = shown[first], 1
    elif fault.kind == "zero":
        shown[here], held[here] = 0.0, 1
    elif fault.kind == "negative":
        shown[here] = -level * (0.01 + 0.05 * fault.size)
    elif fault.kind == "over_range":
        shown[here], held[here], flags[here] = 5.0 * level, 1, ord("T")
    elif fault.kind == "fault":
        shown[here], held[here], flags[here] = 0.0, 1, ord("D")
    elif fault.kind == "maintenance":
        shown[here], held[here], flags[here] = shown[first], 1, ord("M")
    elif fault.kind == "strange_flag":
        flags[here] = ord("XZ?*"[int(fault.size * 4)])
    elif fault.kind == "drift":
        # Nobody sees it at the time: the logger sends it as normal.
        shown[here] *= 0.55 + 0.8 * fault.size
    elif fault.kind == "breakdown":
        shown[here], held[here], flags[here] = 0.0, 1, ord("D")
    elif fault.kind == "routine":
        middle = (first + end) // 2
        shown[first:middle] = 0.004 * level
        shown[middle:end] = 2.4 * level
        flags[here] = ord("C")
    else:
        # Calibration: gas is already flowing before the flag is set and still after it is lifted.
        middle = (first + end) // 2
        shown[first:middle] = 0.004 * level
        shown[middle:end] = 2.4 * level
        flags[first + 3 : end - 2] = ord("C")


def _seen(
    outlet: SimOutlet, true: dict[str, Values], shown: Values, held: NDArray[np.uint8], flags: NDArray[np.uint8]
) -> Seen:
    """The logger's own arithmetic on what it shows."""
    dry = 1.0 - true["humidity"] / 100.0 if outlet.device.gas_basis == "wet" else np.ones(DAY_MINUTES)
    clean = shown / dry
    converted = clean
    o2 = outlet.at("o2")
    if outlet.reference is not None and o2 is not None:
        converted = clean * ((21.0 - outlet.reference) / (21.0 - np.minimum(clean[o2], _O2_GUARD)))
    return Seen(shown, converted, clean, true["flow"], held, flags)


def _setup(outlet: SimOutlet) -> LoggerSetup:
    device = outlet.device
    converts = outlet.reference is not None and "o2" in outlet.channels
    pollutant = logger.CONVERTED if converts else logger.POLLUTANT
    role = [logger.FLOW if c == "flow" else pollutant if c in POLLUTANTS else logger.PLAIN for c in outlet.channels]
    width = [MOVEMENTS["flow" if c == "velocity" else c].width for c in outlet.channels]
    if device.pressure_basis == "absolute":
        width[outlet.channels.index("pressure")] *= 0.005
    amount = [1 if c == "flow" else device.amount_decimals for c in outlet.channels]
    return LoggerSetup(
        np.array(role, np.int64),
        10.0 ** np.array([device.decimals[c] for c in outlet.channels]),
        10.0 ** np.array(amount),
        np.array(width),
        3600.0 if device.flow_unit == "m3/s" else 1.0,
        device.interval_min,
        device.weighted_hours,
    )
