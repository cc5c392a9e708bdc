"""The loggers of a simulated landing zone: dialects, units, decimals, habits.

Belongs here: the lasting traits of one logger. Does not belong here: what it measures (`world`, `readings`) and how its
frames are spelled out (`spelling`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator import draws

if TYPE_CHECKING:
    import numpy as np

    from simulator.dirt import Dirt

#: Factor codes of HJ 212-2017 table B.2 and of the 2005 edition.
CODES_2017: dict[str, str] = {
    "pm": "a34013", "so2": "a21026", "nox": "a21002", "no": "a21003", "no2": "a21004", "nh3": "a21001", "co": "a21005", "hcl": "a21024",
    "hf": "a21018", "hg": "a20057", "o2": "a19001", "flow": "a00000", "velocity": "a01011", "temperature": "a01012",
    "pressure": "a01013", "humidity": "a01014",
}  # fmt: skip
CODES_2005: dict[str, str] = {
    "pm": "01", "so2": "02", "nox": "03", "nh3": "10", "co": "04", "hcl": "08", "hf": "06", "hg": "31", "o2": "S01", "flow": "B02",
    "velocity": "S02", "temperature": "S03", "pressure": "S08", "humidity": "S05",
}  # fmt: skip


@dataclass(frozen=True)
class SimDevice:
    """One logger. `label` is what it does, `registered_label` what the registry says of it. Times in ms."""

    mn: str
    interval_min: int
    label: str
    registered_label: str
    edition: int
    has_qn: bool
    sends_flags: bool
    shows_version: bool
    wants_ack: bool
    pressure_unit: str
    pressure_basis: str
    flow_unit: str
    flow_basis: str
    gas_basis: str
    nox_as_no2: bool
    missing_flag: str
    crc: str
    crc_variants: str
    decimals: dict[str, int]
    amount_decimals: int
    ms_time: bool
    second: int
    split: bool
    odd_header: bool
    st: int
    weighted_hours: bool
    average_first: bool
    send_delay: int

    @property
    def allowed(self) -> bool:
        """Whether the registry permits the check sum that the logger uses."""
        return not self.crc.startswith("modbus") or "modbus" in self.crc_variants

    def code(self, channel: str) -> str:
        """The factor code under which the logger sends a channel."""
        return CODES_2005[channel] if self.edition == 2005 else CODES_2017[channel]


def make_device(
    index: int,
    seed: int,
    dirt: Dirt,
    interval: int | None,
    channels: tuple[str, ...],
    modbus: dict[int, bool],
    *,
    parts_of_nox: bool,
) -> SimDevice:
    """The logger of outlet `index`. `interval` overrides the drawn one; `modbus` names outlets with Modbus check sums."""
    rng = draws.generator(seed, draws.DEVICE, index)
    u = rng.random(32)
    edition = 2025 if u[0] < 0.2 else 2005 if u[0] < 0.4 and not parts_of_nox else 2017
    label = "end" if u[1] < 0.3 else "start"
    seconds = bool(u[2] < dirt.seconds) and edition != 2005
    if seconds:
        label = "start"
    flow_unit = "m3/s" if u[3] < 0.3 else "m3/h"
    pressure_unit = "Pa" if u[4] < 0.3 else "kPa"
    crc = "modbus" if index in modbus else "lower" if u[5] < dirt.lower_crc else "upper"
    return SimDevice(
        mn=_mn(rng, edition, index),
        interval_min=interval or (1 if u[6] < 0.6 else 5 if u[6] < 0.75 else 10),
        label=label,
        registered_label="auto" if u[7] < dirt.auto_label else label,
        edition=edition,
        has_qn=edition != 2005 or bool(u[8] < 0.3), sends_flags=edition != 2005,
        shows_version=edition != 2005 or bool(u[9] < 0.14), wants_ack=bool(u[10] < 0.5),
        pressure_unit=pressure_unit, pressure_basis="absolute" if u[11] < 0.2 else "gauge",
        flow_unit=flow_unit, flow_basis="wet_actual" if u[12] < 0.4 else "dry_standard", gas_basis="wet" if u[13] < 0.15 else "dry",
        nox_as_no2=not parts_of_nox,
        missing_flag="invalid" if edition != 2005 and u[14] < 0.5 else "valid",
        crc=crc, crc_variants="hj212;modbus" if modbus.get(index, False) else "hj212",
        decimals=_decimals(channels, flow_unit, pressure_unit, 6 if u[15] < 0.08 else 3 if u[15] < 0.5 else 2),
        amount_decimals=6 if u[16] < 0.5 else 4,
        ms_time=bool(u[17] < dirt.ms_time),
        second=int(1 + u[18] * 58) if seconds else 0,
        split=bool(u[19] < dirt.split),
        odd_header=bool(u[20] < dirt.odd_header),
        st=32 if u[21] < dirt.wrong_st else 31,
        weighted_hours=bool(u[22] < dirt.flow_weighted),
        average_first=bool(u[23] < 0.3),
        send_delay=int(1000 + u[24] * 6000),
    )  # fmt: skip


def _mn(rng: np.random.Generator, edition: int, index: int) -> str:
    """A device number that begins with 5A5A (no district of China does) and ends in the outlet's number."""
    if edition == 2005:
        return f"99{int(rng.integers(0, 10**6)):06d}{index:06d}"
    return f"5A5A{int(rng.integers(0, 2**56)):014X}{index:06X}"


def _decimals(channels: tuple[str, ...], flow_unit: str, pressure_unit: str, precision: int) -> dict[str, int]:
    made = dict.fromkeys(channels, precision)
    made["hg"] = max(precision, 4)
    made["temperature"] = min(precision, 2)
    made["flow"] = 3 if flow_unit == "m3/s" else 1
    made["pressure"] = 1 if pressure_unit == "Pa" else 3
    return {c: made[c] for c in channels}
