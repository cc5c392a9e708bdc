"""The rule book as the hour and label kernels take it.

Belongs here: naming parameters, tags and flags in force on a day and laying them out as numbers. Does not belong here:
the law itself (`reference/rules`), what the kernels do with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernels import minutes as cells
from kernels.hour_tags import Tags
from kernels.hours import Rules
from kernels.labels import Tolerance
from kernels.minute_air import Constants
from resources.rules import RuleError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from resources.rules import RuleBook, TagRule

INSUFFICIENT = "X_INSUFFICIENT"
_SOURCE_STOPPED = "F"
_INSTRUMENT_OFF = "F hj212"
#: Tags of the process, and valid minutes: what is not a device's doing is never joined across labels.
_NOT_DEVICE = (_SOURCE_STOPPED, "St", "Sd", "B", "N")


@dataclass(frozen=True)
class DayRules:
    """What holds on one day. `tags`: names by precedence, the last one for hours that meet none of them; a name may stand
    twice, once for what was declared and once for what loggers flag.

    `classes`: class of each flag byte, (2, 256): flags of 2005 in row 0, of 2017 and later in row 1. `declared`: class of each
    tag that can be declared.
    """

    rules: Rules
    tags: tuple[str, ...]
    classes: NDArray[np.uint8]
    declared: Mapping[str, int]


@dataclass(frozen=True)
class LabelRules:
    """When labels can be told apart, when that decides, and what holds when it does not."""

    tolerance: Tolerance
    min_pairs: int
    min_share: float
    fallback: str


def number(book: RuleBook, name: str, day: date) -> float:
    """A numeric parameter; RuleError where it is none."""
    value = book.parameter(name, day).value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RuleError(
            f"参数 {name} 应为数 / parameter {name} must be a number, not {value!r}; correct it in reference/rules"
        )
    return float(value)


def choice(book: RuleBook, name: str, day: date, *options: str) -> str:
    """A parameter that names one of `options`; RuleError lists them."""
    value = book.parameter(name, day).value
    if value not in options:
        listed = ", ".join(options)
        raise RuleError(f"参数 {name} 应为其一 / parameter {name} must be one of: {listed}; not {value!r}")
    return str(value)


def rules_of(book: RuleBook, day: date) -> DayRules:
    """Everything that hours need of the rule book."""
    # Readings below zero are averaged as they are; the rule book says so, and no other way is built.
    choice(book, "hours.negative_values", day, "keep")
    tags = [(tag, name) for tag in book.tags(day) for name in _kinds(tag.tag)]
    numbers = _numbers(tuple(name for _, name in tags))
    device = [n for name, n in numbers.items() if name not in _NOT_DEVICE]
    joins, rank = np.zeros(cells.N_CLASSES, np.bool_), np.full(cells.N_CLASSES, len(tags), np.int64)
    joins[[*device, cells.INVALID]] = True
    for place, (_, name) in enumerate(tags):
        rank[numbers[name]] = place
    order = choice(book, "hours.averaging_order", day, "minute_then_mean", "mean_then_convert")
    rules = Rules(
        int(number(book, "hours.min_valid_minutes", day)),
        order == "minute_then_mean",
        number(book, "o2.near_air_above_pct", day),
        Tags(
            np.array([numbers[name] for _, name in tags], np.int64),
            np.array([_least(tag) for tag, _ in tags], np.int64),
            joins,
            rank,
        ),
        _constants(book, day),
    )
    names = (*(tag.tag for tag, _ in tags), INSUFFICIENT)
    return DayRules(
        rules, names, _classes(book, day, numbers), {n: c for n, c in numbers.items() if n != _INSTRUMENT_OFF}
    )


def label_rules(book: RuleBook, day: date) -> LabelRules:
    """Everything that labels need of the rule book."""
    tolerance = Tolerance(
        number(book, "labels.fit_pct", day) / 100,
        number(book, "labels.differ_pct", day) / 100,
        number(book, "labels.differ_floor", day),
    )
    share = number(book, "labels.min_share_pct", day) / 100
    fallback = choice(book, "labels.fallback", day, "start", "end")
    return LabelRules(tolerance, int(number(book, "labels.min_pairs", day)), share, fallback)


def _constants(book: RuleBook, day: date) -> Constants:
    return Constants(
        number(book, "o2.air_constant_pct", day),
        number(book, "o2.undefined_from_pct", day),
        number(book, "standard.temperature_k", day),
        number(book, "standard.pressure_pa", day) / 1000,
        number(book, "molar.no2_g_mol", day) / number(book, "molar.no_g_mol", day),
    )


def _least(tag: TagRule) -> int:
    """Whole minutes from which a tag holds."""
    if tag.at_least_minutes is not None:
        return tag.at_least_minutes
    return (tag.more_than_minutes or 0) + 1


def _kinds(tag: str) -> tuple[str, ...]:
    """The source stopped by declaration and an instrument that flags itself as off bear one letter and never mix."""
    return (tag, _INSTRUMENT_OFF) if tag == _SOURCE_STOPPED else (tag,)


def _numbers(names: tuple[str, ...]) -> dict[str, int]:
    """Class of the minutes that count towards each tag; normal and missing ones have classes of their own."""
    made = {"N": cells.VALID, "Md": cells.MISSING}
    free = iter(range(cells.FIRST_TAG, cells.N_CLASSES))
    for name in [n for n in names if n not in made]:
        number = next(free, None)
        if number is None:
            most = cells.N_CLASSES - cells.FIRST_TAG + 1
            raise RuleError(f"小时标记过多 / too many hour tags: {', '.join(names)}; at most {most}")
        made[name] = number
    return made


def _classes(book: RuleBook, day: date, numbers: dict[str, int]) -> NDArray[np.uint8]:
    """Classes by flag system and flag byte. A flag that no list knows is invalid and counts towards no tag."""
    made = np.full((2, 256), cells.INVALID, np.uint8)
    for system in (0, 1):
        for letter, flag in book.flags(system, day).items():
            if flag.valid:
                made[system, ord(letter)] = cells.VALID
            elif flag.hour_tag != "N":
                tag = _INSTRUMENT_OFF if flag.hour_tag == _SOURCE_STOPPED else flag.hour_tag
                made[system, ord(letter)] = numbers.get(tag, cells.INVALID)
    return made
