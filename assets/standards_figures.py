"""What the hours of a month come to under each chosen standard: one figure a day, or why there is none.

Belongs here: handing the right arrays to the right kernel. Does not belong here: the arithmetic (`kernels/daily_means`,
`operating_days`, `reference_oxygen`) and the rows of the tables (`standards_rows`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.standards_terms import american_terms, european_terms
from contracts.standards import UNMEASURED
from kernels import daily_means as eu
from kernels import operating_days as us
from kernels.judge import STOPPED
from kernels.reference_oxygen import at_reference

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from assets.judgement_limits import Month
    from assets.standards_history import PastDay
    from assets.standards_hours import Hours
    from assets.standards_series import Series
    from assets.standards_terms import AmericanTerms
    from resources.rules import RuleBook
    from resources.standards import Standards

    Past = Callable[[list[Series], int], list[list[PastDay]]]

_EU_REASONS = {eu.NOT_OPERATING: "not_operating", eu.DISCARDED: "discarded"}
_US_REASONS = {
    us.NOT_OPERATING: "not_operating",
    us.FILLING: "filling",
    us.NO_VALUE: "no_valid_hours",
    us.NO_PRODUCTION: "no_clinker",
}
#: Clinker per unit of the denominator of a rate.
_PER = {"lb/ton": 1.0, "lb/million ton": 1e6}


@dataclass(frozen=True)
class Figures:
    """One series over the D days shown; NaN and None where a day has no such thing."""

    value: npt.NDArray[np.float64]
    reason: list[str | None]
    day_value: npt.NDArray[np.float64]
    day_unit: str | None
    kiln: npt.NDArray[np.int32] | None
    operating: npt.NDArray[np.int32] | None
    valid: npt.NDArray[np.int32] | None
    clinker: npt.NDArray[np.float64]
    window: npt.NDArray[np.int32] | None = None
    discards: bool = False

    @classmethod
    def none(cls, days: int, reason: str) -> Figures:
        """No figure on any day, for one reason."""
        empty = np.full(days, np.nan)
        return cls(empty, [reason] * days, empty, None, None, None, None, empty)


def figures_of(
    series: list[Series], hours: Hours, standards: Standards, book: RuleBook, month: Month, past: Past
) -> list[Figures]:
    """The figures of every series, in their order. `past` gives operating days before the month for series that roll."""
    made: dict[int, Figures] = {}
    by_day, rolling = [], []
    for i, s in enumerate(series):
        if why := _impossible(s, hours):
            made[i] = Figures.none(month.shown, why)
        elif s.averaging == "day" and s.unit == "mg/m3":
            by_day.append(i)
        elif s.averaging == "operating_days_30" and s.unit != "mg/m3":
            rolling.append(i)
        else:
            made[i] = Figures.none(month.shown, "not_built")
    if by_day:
        found = _daily([series[i] for i in by_day], hours, standards, month)
        made |= dict(zip(by_day, found, strict=True))
    if rolling:
        terms = american_terms(standards, book, month.last_shown)
        some = [series[i] for i in rolling]
        found = _rolling(some, hours, terms, past(some, terms.window - 1), month.shown)
        made |= dict(zip(rolling, found, strict=True))
    return [made[i] for i in range(len(series))]


def _impossible(s: Series, hours: Hours) -> str | None:
    """Why no day of a series can have a figure, if none can."""
    if s.pollutant in UNMEASURED:
        return "no_channel"
    if s.last.limit.parametric:
        return "parametric"
    return "not_measured" if hours.absent[hours.rows[s.outlet_id, s.pollutant]].all() else None


def _rows(series: list[Series], hours: Hours) -> npt.NDArray[np.int64]:
    return np.array([hours.rows[s.outlet_id, s.pollutant] for s in series], np.int64)


def _daily(series: list[Series], hours: Hours, standards: Standards, month: Month) -> list[Figures]:
    """Daily means of validated hours (2010/75/EU Annex VI; R19)."""
    terms = european_terms(standards, month.last_shown)
    at = _rows(series, hours)
    state, absent = hours.state[at], hours.absent[at]
    looked_at = ~np.repeat(absent, 24, axis=1)
    reference = np.stack([s.figures(lambda limit: limit.o2_reference_pct) for s in series])
    value = at_reference(hours.concentration[at], hours.o2[at], reference, terms.oxygen_pct)
    limit = np.stack([s.figures(lambda limit: limit.value) for s in series])
    share = np.stack([s.figures(lambda limit: limit.confidence_interval_pct or 0.0) for s in series]) / 100.0
    days = eu.daily_means(
        value, terms.effective[state] & looked_at, limit, share,
        of_value=terms.of_value, allowed_invalid_hours=terms.invalid_hours,
    )  # fmt: skip
    kiln = ((state != STOPPED) & looked_at).reshape(len(series), -1, 24).sum(axis=2).astype(np.int32)
    nothing = np.full(month.shown, np.nan)
    return [
        Figures(
            days.mean[i], _reasons(_EU_REASONS, days.outcome[i], absent[i]), days.mean[i], "mg/m3",
            kiln[i], days.operating[i], days.valid[i], nothing, discards=True,
        )
        for i in range(len(series))
    ]  # fmt: skip


def _reasons(texts: dict[int, str], outcome: npt.NDArray[np.int8], absent: npt.NDArray[np.bool_]) -> list[str | None]:
    return ["not_measured" if a else texts.get(o) for o, a in zip(outcome.tolist(), absent.tolist(), strict=True)]


def _rolling(
    series: list[Series], hours: Hours, terms: AmericanTerms, past: list[list[PastDay]], days: int
) -> list[Figures]:
    """Means and rates over the last operating days (40 CFR 60 Subpart F, 63 Subpart LLL; R20)."""
    made = []
    for s, before in zip(series, past, strict=True):
        factors = terms.ppm if s.unit == "ppmvd" else terms.pounds
        made.append(
            _rolled(s, hours, terms, before, factors[s.pollutant])
            if s.pollutant in factors
            else Figures.none(days, "not_built")
        )
    return made


def _rolled(s: Series, hours: Hours, terms: AmericanTerms, before: list[PastDay], factor: float) -> Figures:
    at = _rows([s], hours)
    state, days = hours.state[at], len(s.terms)
    rate = s.unit != "ppmvd"
    if rate:
        value = hours.concentration[at] * hours.flow[at] * factor
    else:
        reference = s.figures(lambda limit: limit.o2_reference_pct)[None, :]
        value = at_reference(hours.concentration[at] * factor, hours.o2[at], reference, terms.oxygen_pct)
    # A day on which the standard does not hold is none of its operating days.
    absent = hours.absent[at][0]
    held = np.repeat([t is not None for t in s.terms] & ~absent, 24)[None, :]
    sums = us.day_sums(value, terms.operates[state] & held, terms.counts[state])
    # Nothing tells clinker by the day yet: a month's ledger is not spread over its days.
    clinker = np.full(days, np.nan)
    total = np.concatenate([[p.total for p in before], sums.total[0]])[None, :]
    operates = np.concatenate([np.ones(len(before), np.bool_), sums.kiln[0] > 0])[None, :]
    if rate:
        tons = [np.nan if p.clinker_t is None else p.clinker_t for p in before]
        production = np.concatenate([tons, clinker])[None, :] * terms.tons_per_tonne
        rolled = us.rolling_rates(total, production, operates, terms.window, _PER[s.unit])
    else:
        valid = np.concatenate([[p.valid for p in before], sums.valid[0]])[None, :].astype(np.int32)
        rolled = us.rolling_means(total, valid, operates, terms.window)
    shown = slice(len(before), None)
    reason = _reasons(_US_REASONS, rolled.outcome[0, shown], absent)
    if rate:
        # Said from the first day: nobody should wait for thirty days to learn that an input is missing.
        reason = ["no_clinker" if r == "filling" and np.isnan(c) else r for r, c in zip(reason, clinker, strict=True)]
    counted = np.where(sums.valid[0] > 0, sums.valid[0], np.nan)
    day_value = np.where(np.isnan(counted), np.nan, sums.total[0]) if rate else sums.total[0] / counted
    return Figures(
        rolled.value[0, shown], reason, day_value, "lb" if rate else "ppmvd",
        sums.kiln[0], sums.operating[0], sums.valid[0], clinker, rolled.days[0, shown],
    )  # fmt: skip
