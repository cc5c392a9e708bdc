"""Small homes for tests: a registry as text and captures as frames, opened through the real resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.home import Home
from resources.settings import Settings
from tests.twin_hj212 import framed

if TYPE_CHECKING:
    from pathlib import Path

PLANTS = """plant_id,name,name_en,uscc,group,province,prefecture,latitude,longitude,ambient_pressure_kpa,region_class,valid_from,valid_to
P1,甲子水泥一厂(模拟),Synthetic Plant One,,甲子集团,贵州,贵阳,26.5,106.7,101.3,general,2016-01-01,
"""
LINES = """line_id,plant_id,clinker_class,capacity_t_d,valid_from,valid_to
L1,P1,portland,4500,2016-01-01,
"""
OUTLETS = """outlet_id,plant_id,line_id,point_type,duct_area_m2,velocity_coefficient,o2_reference_pct,reductant,valid_from,valid_to
"""
DEVICES = """mn,outlet_id,interval_min,label,pressure_unit,pressure_basis,flow_unit,flow_basis,gas_basis,nox_as_no2,missing_flag,crc_variants,valid_from,valid_to
"""


def write_home(
    root: Path, captures: dict[str, bytes], *, outlets: list[str], devices: list[str], permits: str | None = None
) -> Home:
    """A home on disk. `outlets` and `devices` are CSV rows; captures are files below landing/cems."""
    registry = root / "registry"
    registry.mkdir(parents=True, exist_ok=True)
    texts = {"plants": PLANTS, "lines": LINES, "outlets": OUTLETS + "\n".join(outlets) + "\n",
             "devices": DEVICES + "\n".join(devices) + "\n"}  # fmt: skip
    if permits is not None:
        texts["permits"] = permits
    for name, text in texts.items():
        (registry / f"{name}.csv").write_text(text, encoding="utf-8")
    for name, content in captures.items():
        path = root / "landing" / "cems" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return Home(Settings(home=str(root)))


def outlet(name: str = "K1", kind: str = "kiln_tail", o2: str = "") -> str:
    return f"{name},P1,L1,{kind},12,1,{o2},ammonia,2016-01-01,"


def device(mn: str = "X", at: str = "K1", *, interval: int = 1, label: str = "start", variants: str = "hj212",
           since: str = "2016-01-01", until: str = "") -> str:  # fmt: skip
    return f"{mn},{at},{interval},{label},kPa,absolute,m3/h,dry_standard,dry,true,valid,{variants},{since},{until}"


def minute(time: str, pairs: str, *, mn: str = "X", qn: str = "", cn: int = 2051, extra: str = "") -> bytes:
    """One frame of CN 2051 (or another) with the given pairs."""
    head = f"QN={qn};" if qn else ""
    return framed(f"{head}ST=31;CN={cn};PW=123456;MN={mn};Flag=4;{extra}CP=&&DataTime={time};{pairs}&&".encode())
