"""The provinces by name, and one key for the many spellings of each.

Belongs here: comparing province names, and which there are. Does not belong here: what holds in a province (`reference/rules`).
"""

from __future__ import annotations

import re
from difflib import get_close_matches

#: Provinces, autonomous regions and municipalities without their suffix, with their English names.
PROVINCES = {
    "北京": "Beijing", "天津": "Tianjin", "河北": "Hebei", "山西": "Shanxi", "内蒙古": "Inner Mongolia", "辽宁": "Liaoning",
    "吉林": "Jilin", "黑龙江": "Heilongjiang", "上海": "Shanghai", "江苏": "Jiangsu", "浙江": "Zhejiang", "安徽": "Anhui",
    "福建": "Fujian", "江西": "Jiangxi", "山东": "Shandong", "河南": "Henan", "湖北": "Hubei", "湖南": "Hunan",
    "广东": "Guangdong", "广西": "Guangxi", "海南": "Hainan", "重庆": "Chongqing", "四川": "Sichuan", "贵州": "Guizhou",
    "云南": "Yunnan", "西藏": "Tibet", "陕西": "Shaanxi", "甘肃": "Gansu", "青海": "Qinghai", "宁夏": "Ningxia",
    "新疆": "Xinjiang", "香港": "Hong Kong", "澳门": "Macau", "台湾": "Taiwan",
}  # fmt: skip
#: Other names in use, which `province_key` does not bring to one of those above.
_ALSO = (
    "新疆生产建设兵团", "Nei Mongol", "Neimenggu", "Xizang", "Macao", "Inner Mongolia Autonomous Region", "Tibet Autonomous Region",
    "Guangxi Zhuang Autonomous Region", "Ningxia Hui Autonomous Region", "Xinjiang Uygur Autonomous Region",
    "Beijing Municipality", "Tianjin Municipality", "Shanghai Municipality", "Chongqing Municipality",
)  # fmt: skip

_SUFFIX = re.compile(r"(壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区|省|市|\s+province)$")


def province_key(name: str) -> str:
    """What all spellings share: 贵州省 and 贵州, Guizhou Province and guizhou give the same key."""
    return _SUFFIX.sub("", name.strip().casefold())


_KNOWN = {province_key(name): name for name in (*PROVINCES, *PROVINCES.values(), *_ALSO)}


def known_province(name: str) -> bool:
    """Whether it is a province in any of its spellings."""
    return province_key(name) in _KNOWN


def nearest_province(name: str) -> str:
    """The province whose name is most alike; "" where none is."""
    return next((_KNOWN[key] for key in get_close_matches(province_key(name), _KNOWN, 1, 0.5)), "")
