"""What rows of the factor book may not say together: contradictions, and chains of supersession that lead astray.

Belongs here: checks over all rows at once. Does not belong here: single cells (`factors_read`) and choosing (`factors`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from resources.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from resources.factors_read import Factor


def repeated(rows: Iterable[Factor]) -> Iterator[Problem]:
    """Rows that say different things of one factor, validity and day of record: nothing could choose between them."""
    seen: defaultdict[tuple[object, ...], list[Factor]] = defaultdict(list)
    for row in rows:
        alike = seen[row.quantity, row.scope, row.region, row.valid_from, row.recorded_at]
        for before in alike:
            differs = (before.text, before.unit, before.valid_to) != (row.text, row.unit, row.valid_to)
            if differs and _meet(before.methods, row.methods):
                where = f"{before.file}:{before.line}"
                yield Problem(
                    row.file, row.line, "value", row.text, f"与 {where} 冲突: 同一因子、同一生效日、同一登记日",
                    f"contradicts {where}: same factor, same validity, same day of record",
                    "更正后的值用新的 recorded_at", "give the corrected value a later recorded_at",
                )  # fmt: skip
                break
        alike.append(row)


def _meet(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Some method would be given either row; a row that names none is for every one."""
    return not some or not others or bool({*some} & {*others})


def misled(rows: Iterable[Factor]) -> Iterator[Problem]:
    """Rows that supersede what does not exist, what is of another factor, or what would be taken before them all the same.

    A row may supersede an earlier record of its own id: that is a correction.
    """
    rows = list(rows)
    by_id: defaultdict[str, list[Factor]] = defaultdict(list)
    for row in rows:
        by_id[row.factor_id].append(row)
    for row in (r for r in rows if r.supersedes):
        meant = [r for r in by_id[row.supersedes] if r is not row]
        of = (row.quantity, row.scope, row.region)
        if not meant:
            texts = (
                "没有此因子",
                "names no factor",
                "填写已有的 factor_id, 或留空",
                "give a factor_id that exists, or leave it empty",
            )
        elif any((r.quantity, r.scope, r.region) != of for r in meant):
            texts = (
                "是另一类因子",
                "is another factor",
                "只能替代同类、同对象、同地区的因子",
                "name one of the same quantity, scope and region",
            )
        elif not any((r.valid_from, r.recorded_at) < (row.valid_from, row.recorded_at) for r in meant):
            texts = (
                "生效或登记不早于本行: 仍会被选用", "does not begin or was not recorded earlier: it would still be taken",
                "更正 valid_from 或 recorded_at", "correct valid_from or recorded_at",
            )  # fmt: skip
        else:
            continue
        yield Problem(row.file, row.line, "supersedes", row.supersedes, *texts)
