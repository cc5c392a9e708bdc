"""The measured channels of a stack monitor and the names of their columns.

Belongs here: the closed set of channels that have columns of their own, and how those columns are called. Does not
belong here: which HJ 212 code feeds a channel (`reference/hj212/factors.csv`) and any limit (`reference/rules`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Channel:
    """A quantity with columns of its own in the raw tables. `unit` is the unit as reported unless a device says otherwise."""

    name: str
    unit: str
    zh: str
    en: str
    pollutant: bool


#: Order is the column order of the raw tables; appending is safe, reordering rewrites every file.
CHANNELS: tuple[Channel, ...] = (
    Channel("pm", "mg/m3", "颗粒物", "particulate matter", True),
    Channel("so2", "mg/m3", "二氧化硫", "sulphur dioxide", True),
    Channel("nox", "mg/m3", "氮氧化物", "nitrogen oxides", True),
    Channel("no", "mg/m3", "一氧化氮", "nitric oxide", True),
    Channel("no2", "mg/m3", "二氧化氮", "nitrogen dioxide", True),
    Channel("nh3", "mg/m3", "氨", "ammonia", True),
    Channel("co", "mg/m3", "一氧化碳", "carbon monoxide", True),
    Channel("hcl", "mg/m3", "氯化氢", "hydrogen chloride", True),
    Channel("hf", "mg/m3", "氟化物", "fluorides as HF", True),
    Channel("hg", "mg/m3", "汞及其化合物", "mercury and its compounds", True),
    Channel("o2", "%", "氧含量", "oxygen", False),
    Channel("flow", "m3/h", "烟气流量", "flue gas flow", False),
    Channel("velocity", "m/s", "烟气流速", "flue gas velocity", False),
    Channel("temperature", "degC", "烟气温度", "flue gas temperature", False),
    Channel("pressure", "kPa", "烟气静压", "flue gas static pressure", False),
    Channel("humidity", "%", "烟气湿度", "flue gas moisture", False),
)

CHANNEL_NAMES: tuple[str, ...] = tuple(c.name for c in CHANNELS)

#: Sub-fields of a factor in the order of their columns (HJ 212-2017 table 4); `flag` and `dp` follow them.
SUBFIELDS: tuple[str, ...] = ("avg", "min", "max", "cou", "zs_avg", "zs_min", "zs_max")
#: The same sub-fields as HJ 212 spells them.
SUBFIELD_WIRE: tuple[str, ...] = ("Avg", "Min", "Max", "Cou", "ZsAvg", "ZsMin", "ZsMax")

#: Pollutants that hours are made for and limits are set for; NO and NO2 enter as parts of NOx.
POLLUTANTS: tuple[str, ...] = ("pm", "so2", "nox", "nh3", "co", "hcl", "hf", "hg")


def column(channel: str, subfield: str) -> str:
    """Column name of one sub-field of one channel: `column("nox", "avg") == "nox_avg"`."""
    return f"{channel}_{subfield}"
