"""The numbers of Tables 5 and 6, of capture rates and of valid days: parameters of the rule book in the form that kernels take.

Belongs here: reading parameters by name, and refusing what the kernels cannot do. Does not belong here: any number of the law.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.emissions import METHODS
from kernels.substitution import Terms

if TYPE_CHECKING:
    from datetime import date

    from resources.rules import RuleBook

_WINDOWS = ("substitution.short_valid_hours", "substitution.long_valid_hours", "substitution.low_capture_valid_hours")
#: What the law leaves open and only one answer is built for.
_ONLY = {
    "capture.quarter": "hour",
    "substitution.mixed_episode": "own_table",
    "substitution.unknown_calibration": "mark_start",
}


class EmissionsError(Exception):
    """The rules ask for what is not built; the message names the parameter and what it can be."""


@dataclass(frozen=True)
class MassTerms:
    """`methods`: the name of each kernel method, by code; `rules`: the parameters behind them."""

    tables: Terms
    full_pct: int
    least_pct: int
    valid_day_hours: int
    valid_month_days: int
    invalid_minutes: float
    late_apply: bool
    methods: tuple[str, ...]
    rules: tuple[str, ...]
    least_rule: str


def mass_terms(book: RuleBook, day: date) -> MassTerms:
    """The terms in force on `day`. EmissionsError when a parameter says what the kernels cannot do."""
    for name, only in _ONLY.items():
        if (said := book.parameter(name, day).value) != only:
            raise EmissionsError(
                f"参数 {name} = {said!r} 不支持, 只能为 {only} / parameter {name} can only be {only}, not {said!r} (reference/rules)"
            )
    windows = tuple(whole(book, name, day) for name in _WINDOWS)
    methods = tuple(f"max{n}" for n in windows)
    if unknown := [m for m in methods if m not in METHODS]:
        raise EmissionsError(
            f"替代方法 {unknown} 没有名称 / no method called {', '.join(unknown)}: add it to contracts/emissions.py"
        )
    scope = book.parameter("substitution.n_scope", day).value
    if scope not in ("episode", "hourly"):
        raise EmissionsError(
            f"参数 substitution.n_scope = {scope!r} 不支持 / substitution.n_scope is episode or hourly, not {scope!r}"
        )
    negative = book.parameter("substitution.negative", day).value
    if negative not in ("keep", "zero"):
        raise EmissionsError(
            f"参数 substitution.negative = {negative!r} 不支持 / substitution.negative is keep or zero, not {negative!r}"
        )
    short, long, low = windows
    february = "_february" if day.month == 2 else ""
    return MassTerms(
        tables=Terms(
            (short, long, low),
            whole(book, "substitution.long_after_h", day),
            hourly=scope == "hourly",
            keep_negative=negative == "keep",
        ),
        full_pct=whole(book, "capture.full_quarter_pct", day),
        least_pct=whole(book, "capture.min_quarter_pct", day),
        valid_day_hours=whole(book, "days.min_valid_hours", day),
        valid_month_days=whole(book, f"months.min_valid_days{february}", day),
        invalid_minutes=60 - whole(book, "hours.min_valid_minutes", day),
        late_apply=book.parameter("marks.late_apply", day).value is True,
        methods=methods,
        rules=tuple(book.parameter(name, day).rule_id for name in _WINDOWS),
        least_rule=book.parameter("capture.min_quarter_pct", day).rule_id,
    )


def margin_days(book: RuleBook, day: date) -> int:
    """Days on either side of a month that tell whether an episode at its border is long."""
    return whole(book, "substitution.long_after_h", day) // 24 + 1


def whole(book: RuleBook, name: str, day: date) -> int:
    """A parameter that must be a whole number."""
    value = book.parameter(name, day).value
    if isinstance(value, bool) or not isinstance(value, int | float) or int(value) != value:
        raise EmissionsError(f"参数 {name} = {value!r} 须为整数 / parameter {name} must be a whole number")
    return int(value)
