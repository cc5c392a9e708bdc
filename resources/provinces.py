"""One key for the many spellings of a province.

Belongs here: comparing province names. Does not belong here: what holds in a province (`reference/rules`).
"""

from __future__ import annotations

import re

_SUFFIX = re.compile(r"(壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区|省|市|\s+province)$")


def province_key(name: str) -> str:
    """What all spellings share: 贵州省 and 贵州, Guizhou Province and guizhou give the same key."""
    return _SUFFIX.sub("", name.strip().casefold())
