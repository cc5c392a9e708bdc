"""A formula of carbon with its numbers, and what it comes to when it is done once more, exactly.

Belongs here: how each formula reads, and filling it in. Does not belong here: the formulas themselves (`kernels/carbon_forms`) and where the
numbers come from (`explain_carbon`).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from assets.carbon_plan import FORMS
from kernels.carbon_forms import EXACT, TERMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resources.methods import Part

#: Names of terms in a formula, as `kernels/carbon_forms` has it; ratios come from the method.
FORMULAS = {
    "fuel": "{activity} x {ncv_gj} x {carbon_tc_gj} x {oxidation_pct} % x 44/12",
    "factor": "{activity} x {factor}",
    "deduction": "-({activity} x {factor})",
    "oxides": "({activity} + {dust_t}) x [({cao_pct} - {noncarbonate_cao_pct}) % x {cao} + ({mgo_pct} - {noncarbonate_mgo_pct}) % x {mgo}]",
    "carbon": "{activity} x {factor} x {carbon_pct} % x 44/12",
    "altfuel": "{activity} x {ncv_gj} x {factor} x {fossil_pct} %",
    "calcined": "{activity} x s / (1 - s), s = {factor} x {calcination} / (1 + {factor})",
    "stoichiometric": "{activity} x {cao_pct} % x {factor} / {cao_per_carbonate} x {correction}",
}  # fmt: skip


def filled(part: Part, row: Mapping[str, Any]) -> tuple[str, float | None]:
    """The formula with its numbers, and what it comes to in fractions; no figure where a number is missing."""
    form = FORMULAS.get(part.formula)
    if form is None or row["missing"]:
        return "", None
    ratios = {name.removesuffix("_ratio"): str(part.options[name]) for name in part.options if name.endswith("_ratio")}
    ratios["cao_per_carbonate"] = str(part.options.get("cao_per_carbonate", ""))
    named = {name: _said(row[name]) for name in TERMS[FORMS[part.formula]]}
    terms = [Fraction(named[name]) for name in TERMS[FORMS[part.formula]]]
    constants = {
        "oxides": [Fraction(n) for name in ("cao", "mgo") for n in _over_under(ratios.get(name, "0"))],
        "stoichiometric": [Fraction(ratios["cao_per_carbonate"] or 1)],
    }
    value = EXACT[FORMS[part.formula]](*terms, *constants.get(part.formula, []))
    return form.format(**ratios, **named), float(value)


def _said(value: float | None) -> str:
    """A number as its shortest decimal; what a form does not use is 0."""
    return "0" if value is None else repr(int(value) if value == int(value) else value)


def _over_under(ratio: str) -> tuple[str, str]:
    over, _, under = ratio.partition("/")
    return over, under or "1"
