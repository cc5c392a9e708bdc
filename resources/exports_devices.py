"""Whose rows an export holds: devices by MN or outlet, and whether their registry rows fit what the export says.

Belongs here: texts to device rows, the shift from an export's unit to the device's, intervals and labels against the device row.
Does not belong here: reading headers (`exports_header`) and cells (`exports_rows`).
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from kernels.exports import NO_SHIFT
from resources.exports_errors import ExportError
from resources.exports_words import norm
from resources.hj212_reader import day_ms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from resources.exports_columns import Column
    from resources.exports_map import ColumnMap
    from resources.hj212_reader import Devices
    from resources.registry import Device

MINUTE_MS = 60_000
_FOREVER = np.iinfo(np.int64).max


class Owners:
    """Devices of one reading. `asked` collects every text that was looked up, known or not: on these the reading rests."""

    def __init__(self, devices: Devices, said: ColumnMap) -> None:
        self.devices = devices
        self._said = said
        self.asked: set[str] = set()
        self._rows: dict[str, list[int]] = {}
        for i, device in enumerate(devices.rows):
            for name in {norm(device.mn), norm(device.outlet_id)}:
                self._rows.setdefault(name, []).append(i)

    def known(self, text: str) -> list[int]:
        """Device rows by number or outlet, through the map file's texts; none when nobody is called so."""
        name = norm(self._said.outlets.get(norm(text), text))
        if name:
            self.asked.add(name)
        return self._rows.get(name, [])

    def within(self, text: str) -> list[int]:
        """Device rows that a longer text names: as a whole, or by one word in it."""
        rows = self.known(text)
        words = (norm(w) for w in re.split(r"[^0-9A-Za-z_.#-]+", text) if w and w != text)
        return rows or next((self._rows[w] for w in words if self._rows.get(w) and not self.asked.add(w)), [])  # type: ignore[func-returns-value]

    def of_file(self, key: str, titles: tuple[str, ...]) -> list[int]:
        """Device rows of a whole file: the map file, a title above the header, the folder or the name of the file."""
        named = self._said.mn or self._said.outlet
        if named:
            rows = self.known(named)
            if not rows:
                raise ExportError(
                    f"列映射文件所指的 {named!r} 未登记", f"the map file names {named!r}, which the registry does not know",
                    "在 devices.csv 中登记, 或改列映射文件", "enter it in devices.csv or mend the map file",
                )  # fmt: skip
            return rows
        for title in titles:
            if rows := self.within(title):
                return rows
        path = PurePosixPath(key)
        for name in (path.name.partition(".")[0], *(p.name for p in path.parents)):
            if name and (rows := self.known(name)):
                return rows
        return []

    def at(self, rows: list[int], time: NDArray[np.int64]) -> NDArray[np.int32]:
        """The device row in force at each time, -1 for none; ExportError when an outlet has several at once."""
        found = np.full(time.size, -1, np.int32)
        for i in rows:
            device = self.devices.rows[i]
            until = day_ms(device.valid_to) if device.valid_to else _FOREVER
            there = (time >= day_ms(device.valid_from)) & (time < until)
            if (found[there] >= 0).any():
                raise ExportError(
                    f"排放口 {device.outlet_id} 同时有多台设备", f"outlet {device.outlet_id} has several devices at once",
                    "请给出 MN 列, 或在列映射文件中写 mn", "give a column with MN, or write mn in the map file",
                )  # fmt: skip
            found[there] = i
        return found


def misfit(device: Device, interval: int, label: str) -> tuple[str, str, str, str] | None:
    """Why rows of an export cannot stand as this device's: zh, en and what to do; None when they can."""
    if interval < 60 and interval != device.interval_min:
        return (
            f"每行 {interval} 分钟, 而设备 {device.mn} 登记为 {device.interval_min} 分钟",
            f"a row stands for {interval} min, the device row of {device.mn} says {device.interval_min}",
            "导出相同时段的数据, 或改 devices.csv 的 interval_min", "export that interval, or mend interval_min in devices.csv",
        )  # fmt: skip
    if label and device.label == "auto":
        return (
            f"导出文件以时段{'起点' if label == 'start' else '终点'}标时, 而设备 {device.mn} 的 label 为 auto",
            f"the export names the {label} of each interval, the device row of {device.mn} says auto",
            "在 devices.csv 中写明 start 或 end", "write start or end in devices.csv",
        )  # fmt: skip
    return None


def delay(device: Device, interval: int, label: str) -> int:
    """Milliseconds from the export's time to the DataTime that the device itself would have sent."""
    if not label or label == device.label:
        return 0
    return (1 if device.label == "end" else -1) * interval * MINUTE_MS


def shift_to(column: Column, device: Device, interval: int) -> int:
    """Places that the point moves from the column's unit to the device's; NO_SHIFT when the two do not fit."""
    unit = column.unit
    if column.wrong:
        return NO_SHIFT
    if column.channel == "flow" and column.sub != "cou":
        if set(column.basis) & {"dry_standard", "wet_actual"} - {device.flow_basis}:
            return NO_SHIFT
        return (
            0 if unit is None else unit.shift if unit.unit == device.flow_unit and unit.shift is not None else NO_SHIFT
        )
    if column.channel == "pressure":
        if set(column.basis) & {"gauge", "absolute"} - {device.pressure_basis}:
            return NO_SHIFT
        return 0 if unit is None or unit.shift is None else unit.shift + (3 if device.pressure_unit == "Pa" else 0)
    if unit is None or unit.shift is None:
        return 0
    return NO_SHIFT if unit.quantity == "mass_rate" and interval != 60 else unit.shift


def no_shift_note(column: Column, device: Device) -> str:
    """Why a column was not taken into the wide rows, and what to do."""
    if column.wrong:
        return f"{column.label}: {column.wrong}"
    if column.channel == "flow" and column.sub != "cou":
        has = " ".join(filter(None, (column.unit.text if column.unit else "", *column.basis)))
        wants = f"{device.flow_unit} {device.flow_basis}"
    elif column.channel == "pressure":
        has, wants = " ".join(column.basis), device.pressure_basis
    else:
        has, wants = column.unit.text if column.unit else "", "一小时一行 / rows of one hour"
    return (
        f"{column.label}: {has} 与设备 {device.mn} 的 {wants} 不符, 改列映射 [units] 或设备登记 / {has} does not fit {wants} of device "
        f"{device.mn}; mend [units] of the map file or the device row"
    )
