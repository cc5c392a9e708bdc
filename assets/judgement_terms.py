"""The terms of the 95 % test in a month: policies and parameters of the rule book, in the form that the kernels take.

Belongs here: translating names of `reference/rules` into kernel codes and comparison bounds. Does not belong here: any
number of the law, and limits of single outlets (`judgement_limits`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.judgement_series import JudgementError
from contracts.ule import HEADLINE_POLICY
from kernels.bounds import full_value_bounds, half_even_bounds
from kernels.judge import EXCLUDE_EXEMPT, EXCLUDE_TAGGED, INCLUDE_ALL
from kernels.judge_month import COUNT_AS_FAIL, DROP, Policies

if TYPE_CHECKING:
    from datetime import date

    from assets.judgement_limits import Floats
    from resources.rules import Policy, RuleBook

_STARTUP = {
    "include_all_fuel_on": INCLUDE_ALL,
    "exclude_tagged_within_cap": EXCLUDE_EXEMPT,
    "exclude_all_tagged": EXCLUDE_TAGGED,
}
_INVALID = {"drop": DROP, "drop_with_min_capture": DROP, "count_as_fail": COUNT_AS_FAIL}
#: The kernels compare with <=; a pack that says otherwise must not be obeyed by halves.
_INCLUSIVE = ("ule.limit_inclusive", "ule.share_inclusive")


@dataclass(frozen=True)
class Terms:
    """Names and kernel codes of the policies, and the parameters of the test (percent and hours, whole numbers)."""

    names: tuple[str, ...]
    policies: Policies
    roundings: tuple[int | None, ...]
    pass_pct: int
    insufficient_pct: int
    trailing_hours: int
    warn_capture_pct: int
    min_production_hours: int
    short_month_hours: int

    @classmethod
    def none(cls) -> Terms:
        """No policy: for a month in which no ultra-low limit is in force."""
        empty = np.zeros(0, np.int8)
        return cls((), Policies(empty, empty, empty, np.zeros(0, np.int32)), (None,), 100, 0, 1, 0, 0, 0)

    @property
    def headline_startup(self) -> int:
        """What the headline does with hours of start-up and shut-down."""
        return int(self.policies.startup[self.names.index(HEADLINE_POLICY)]) if self.names else INCLUDE_ALL

    def bounds(self, limits: Floats) -> Floats:
        """Limits (S, D) in mg/m3 -> comparison bounds (B, S, D), one row per way of rounding."""
        return np.stack(
            [full_value_bounds(limits) if r is None else half_even_bounds(limits, r) for r in self.roundings]
        )


def month_terms(book: RuleBook, day: date) -> Terms:
    """The terms in force on `day`. JudgementError when a policy or parameter says what the kernels cannot do."""
    policies = book.policies(day)
    if HEADLINE_POLICY not in {p.name for p in policies}:
        raise JudgementError(
            f"规则包缺少口径 {HEADLINE_POLICY} ({day}) / no policy {HEADLINE_POLICY} in force on {day}: see reference/rules/policies.toml"
        )
    for name in _INCLUSIVE:
        if book.parameter(name, day).value is not True:
            raise JudgementError(f"参数 {name} 只支持 true / parameter {name} can only be true (reference/rules)")
    roundings = tuple(dict.fromkeys(_rounding(p) for p in policies))
    floor = whole(book, "judgement.insufficient_below_capture_pct", day)
    return Terms(
        names=tuple(p.name for p in policies),
        policies=Policies(
            startup=np.array([_code(_STARTUP, p.startup_shutdown, p) for p in policies], np.int8),
            invalid=np.array([_code(_INVALID, p.invalid_hours, p) for p in policies], np.int8),
            bounds=np.array([roundings.index(_rounding(p)) for p in policies], np.int8),
            min_capture_pct=np.array([_min_capture(p, floor) for p in policies], np.int32),
        ),
        roundings=roundings,
        pass_pct=whole(book, "ule.pass_share_pct", day),
        insufficient_pct=floor,
        trailing_hours=whole(book, "ule.trailing_hours", day),
        warn_capture_pct=whole(book, "judgement.warn_below_capture_pct", day),
        min_production_hours=whole(book, "judgement.min_production_hours", day),
        short_month_hours=whole(book, "judgement.short_month_warn_hours", day),
    )


def _rounding(policy: Policy) -> int | None:
    if policy.rounding == "full_value":
        return None
    decimals: int | None = policy.rounding_decimals
    if policy.rounding != "round_half_even" or decimals is None:
        raise JudgementError(
            f"口径 {policy.name}: 修约方式不支持 / policy {policy.name}: cannot round by {policy.rounding!r} without rounding_decimals"
        )
    return decimals


def _min_capture(policy: Policy, floor: int) -> int:
    """Missing hours that fail already need no second floor."""
    if policy.invalid_hours == "count_as_fail":
        return 0
    if policy.invalid_hours == "drop_with_min_capture":
        return _integer(f"{policy.name}.min_capture_pct", policy.min_capture_pct)
    return floor


def _code(codes: dict[str, int], name: str, policy: Policy) -> int:
    if name not in codes:
        raise JudgementError(
            f"口径 {policy.name}: 未知选项 {name} / policy {policy.name}: unknown option {name}; options are {', '.join(codes)}"
        )
    return codes[name]


def whole(book: RuleBook, name: str, day: date) -> int:
    """A parameter of the rule book that must be a whole number; JudgementError when it is none."""
    return _integer(name, book.parameter(name, day).value)


def _integer(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise JudgementError(f"{name} 须为整数 / {name} must be a whole number, not {value!r} (reference/rules)")
    return int(value)
