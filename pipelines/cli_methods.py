"""What `kiln carbon methods` prints: the methods computed for a year, what each needs, and by which editions of factors.

Belongs here: words and JSON about methods. Does not belong here: choosing them (`resources/methods`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resources.methods_inputs import required

if TYPE_CHECKING:
    from resources.home import Home

Said = tuple[dict[str, Any], str]


def methods(home: Home, year: int) -> Said:
    """Methods computed for a reporting year, in their order, and those that are known and not computed."""
    book = home.methods
    chosen = book.of_year(year)
    facts = [
        {
            "method_id": m.id, "zh": m.zh, "en": m.en, "number": m.number, "in_force": m.in_force(year), "confidence": m.confidence,
            "factor_policy": m.selection, "method_version": book.hash_of(m), "rounding": m.profile.id, "file": book.file_of(year, m),
            "required": list(required(m)),
        }
        for m in chosen
    ]  # fmt: skip
    others = [m.id for m in book.methods if m.id not in {c.id for c in chosen}]
    lines = [f"{year}: {len(chosen)} 种方法 methods ({facts[0]['file'] if facts else '无 none'})"]
    for m, told in zip(chosen, facts, strict=True):
        force = "" if told["in_force"] else ", 不在适用年度 not written for this year"
        lines.append(f"{m.id} [{m.confidence}] {told['factor_policy']}, {told['method_version']}{force}")
        lines.append(f"    {m.zh} / {m.en}")
        lines.append(f"    需要 needs: {', '.join(required(m))}")
    lines.append(f"不计算 not computed: {', '.join(others) or '无 none'}")
    return {"year": year, "methods": facts, "not_computed": others}, "\n".join(lines)
