"""Rows of `ule_monthly`: the verdicts of a month, single pollutants and joint, under every policy.

Belongs here: which series get a verdict together, counting them, and the warnings that go with a verdict. Does not belong
here: the test itself (`kernels/judge_month`) and capacities (`judgement_progress`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.judgement_limits import ORDERED
from contracts.ule import HEADLINE_POLICY, ULE_MONTHLY, VERDICTS
from kernels.judge import HOURS_PER_DAY, JUDGED
from kernels.judge_month import MonthCounts, allowed_fails, count_month, verdicts
from kernels.windows import worst_window

if TYPE_CHECKING:
    import pyarrow as pa

    from assets.judgement_limits import Codes, Floats, Month
    from assets.judgement_rows import Judged
    from assets.judgement_series import Bools, Series
    from assets.judgement_states import States
    from assets.judgement_terms import Terms
    from kernels.judge import Bytes
    from kernels.windows import Worst

JOINT = "joint"
#: What the joint test takes together, as far as there is a limit (air-rules 1.3, `combine`).
JOINT_POLLUTANTS = ("pm", "so2", "nox")

#: Warnings by bit; a reader gets them in this order.
_TEXTS = (
    "本月尚未结束或数据未到月底 / month to date: the data end before the month does",
    "有效率低于 {capture} % / fewer than {capture} % of the production hours have a valid value",
    "生产不足 {short} 小时 / short month: fewer than {short} production hours",
    "无可判定小时 / no hour could be judged",
    "有小时超过强制标准 / hours above the mandatory standard or permit",
    "月内限值有变 / the limit changed within the month",
    "限值依据为草稿 / the limit rests on a draft source",
    "启停炉迟报, 不享限时豁免 / a start or stop was declared late and has no cap",
    "数据自本月内开始, 此前不计 / the data begin within the month: nothing before counts",
)
_PARTIAL, _CAPTURE, _SHORT, _NONE, _MANDATORY, _CHANGED, _DRAFT, _LATE, _BEGUN = (1 << k for k in range(len(_TEXTS)))


@dataclass(frozen=True)
class Groups:
    """Who gets a verdict: `members` (G, 3) series numbers padded with -1, `names` pollutant or joint."""

    members: Codes
    names: list[str]

    @property
    def first(self) -> Codes:
        """A series of each group: it stands for outlet, plant, line and window of all."""
        return self.members[:, 0]


def groups(outlets: Codes, pollutants: Codes, limited: Bools) -> Groups:
    """Every series (S,) that is limited, and every outlet with at least two of the joint pollutants."""
    chosen = np.flatnonzero(limited).tolist()
    singles = [(s, -1, -1) for s in chosen]
    by_outlet: dict[int, list[int]] = {}
    for s in chosen:
        if ORDERED[pollutants[s]] in JOINT_POLLUTANTS:
            by_outlet.setdefault(int(outlets[s]), []).append(s)
    order = {ORDERED.index(name): k for k, name in enumerate(JOINT_POLLUTANTS)}
    several = [sorted(m, key=lambda s: order[int(pollutants[s])]) for m in by_outlet.values() if len(m) > 1]
    joint = [tuple([*m, -1, -1][:3]) for m in several]
    members = np.array([*singles, *joint], np.int32).reshape(-1, 3)
    return Groups(members, [ORDERED[pollutants[s]] for s in chosen] + [JOINT] * len(joint))


@dataclass(frozen=True)
class Verdicts:
    """Counts and verdict codes (G, P) of a month."""

    groups: Groups
    counts: MonthCounts
    verdict: Bytes


def judge_month(series: Series, shown: int, value: Floats, states: States, terms: Terms) -> Verdicts:
    """Count and judge every group under every policy."""
    limited = np.asarray(series.limited_days[:, :shown].any(axis=1))
    who = groups(series.outlets, series.pollutants, limited)
    limit, mandatory = (terms.bounds(a[:, :shown]) for a in (series.limit, series.mandatory))
    counts = count_month(value, states.state, states.exempt, limit, mandatory, who.members, terms.policies)
    return Verdicts(who, counts, verdicts(counts, terms.policies, terms.pass_pct, terms.min_production_hours))


def monthly_table(month: Month, series: Series, judged: Judged, made: Verdicts, terms: Terms) -> pa.Table:
    """`ule_monthly` of a month: one row per group and policy."""
    who, counts = made.groups, made.counts
    worst = worst_window(judged.window, terms.trailing_hours)
    policies = len(terms.names)
    day = month.shown - 1 - np.argmax(series.in_force[:, : month.shown][:, ::-1], axis=1)
    rules = _rules(series, who, judged.hours.outcome, month.shown)

    def label(codes: npt.NDArray[np.int32]) -> list[str | None]:
        texts = [series.names[c] if c >= 0 else None for c in codes.tolist()]
        return [t for t in texts for _ in range(policies)]

    s = who.first
    columns: dict[str, Any] = {
        "outlet_id": label(series.outlets[s]),
        "plant_id": label(series.plant[s, day[s]]),
        "line_id": label(series.line[s, day[s]]),
        "point_type": label(series.point_type[s, day[s]]),
        "month": [month.key] * (len(who.names) * policies),
        **counted(who, counts, made.verdict, terms),
        **_worst(month, who, worst, terms),
        "rule_id": [r for r in rules for _ in range(policies)],
        "warning": _warnings(month, series, made, judged.states.late, terms),
    }
    return ULE_MONTHLY.arrow(pl.DataFrame(columns))


def counted(who: Groups, counts: MonthCounts, verdict: Bytes, terms: Terms) -> dict[str, Any]:
    """The columns that follow from counts alone: groups one after the other, each under every policy."""
    policies = len(terms.names)
    return {
        "pollutant": [n for n in who.names for _ in range(policies)],
        "policy": list(terms.names) * len(who.names),
        "production_hours": counts.production.ravel(),
        "valid_hours": counts.valid.ravel(),
        "judged_hours": counts.judged.ravel(),
        "ok_hours": counts.ok.ravel(),
        "fail_hours": (counts.judged - counts.ok).ravel(),
        "allowed_fail_hours": allowed_fails(counts.judged, terms.pass_pct).ravel(),
        "share_pct": percent(counts.ok, counts.judged),
        "capture_pct": percent(counts.valid, counts.production),
        "mandatory_hours": counts.mandatory.ravel(),
        "mandatory_fail_hours": counts.mandatory_fail.ravel(),
        "mandatory_verdict": pl.Series(floor_verdicts(counts, terms.insufficient_pct), dtype=pl.String),
        "verdict": [VERDICTS[v] for v in verdict.ravel().tolist()],
    }


def percent(part: Codes, whole: Codes) -> pl.Series:
    """100 x part / whole as one column; null where the whole is 0."""
    made = np.full(part.size, np.nan)
    np.divide(100.0 * part.ravel(), whole.ravel(), out=made, where=whole.ravel() > 0)
    return pl.Series(made).fill_nan(None)


def floor_verdicts(counts: MonthCounts, insufficient_pct: int) -> list[str | None]:
    """Outcome of the floor test of each group and policy; None where no hour was due.

    One failing hour is a FAIL however few were tested; too few tested ones are no PASS, as in `mandatory_monthly`.
    """
    thin = (counts.mandatory == 0) | (100 * counts.due_valid < insufficient_pct * counts.due)
    told = [(counts.due == 0, ""), (counts.mandatory_fail > 0, "FAIL"), (thin, "INSUFFICIENT")]
    made = np.select([c for c, _ in told], [v for _, v in told], "PASS")
    return [v or None for v in made.ravel().tolist()]


def _worst(month: Month, who: Groups, worst: Worst, terms: Terms) -> dict[str, pl.Series]:
    """The worst trailing window of each single pollutant, in its headline row."""
    share = np.full((len(who.names), len(terms.names)), np.nan)
    until = np.full(share.shape, np.datetime64("NaT", "ms"))
    single = np.flatnonzero([n != JOINT for n in who.names])
    s = who.first[single]
    known = worst.hour[s] >= 0
    for column in [k for k, policy in enumerate(terms.names) if policy == HEADLINE_POLICY]:
        share[single, column] = worst.share_pct[s]
        end = np.datetime64(month.first, "ms") + worst.hour[s].astype("timedelta64[h]")
        until[single, column] = np.where(known, end, np.datetime64("NaT", "ms"))
    return {
        "worst_720h_share_pct": pl.Series(share.ravel()).fill_nan(None),
        "worst_720h_until": pl.Series(until.ravel()),
    }


def _rules(series: Series, who: Groups, outcome: Bytes, shown: int) -> list[str]:
    """Rule of each group's last judged day, else of its last day under a limit; of joint groups those of all members."""
    judged = (outcome == JUDGED).reshape(outcome.shape[0], shown, HOURS_PER_DAY).any(axis=2)
    limited = series.limited_days[:, :shown]
    weight = limited.astype(np.int64) + judged
    day = shown - 1 - np.argmax((weight == weight.max(axis=1, keepdims=True))[:, ::-1], axis=1)
    codes = series.rule[np.arange(day.size), day].tolist()
    return [";".join(series.rules[codes[s]] for s in m if s >= 0) for m in who.members.tolist()]


def _warnings(month: Month, series: Series, made: Verdicts, late: Bools, terms: Terms) -> list[str | None]:
    counts = made.counts
    shown = series.in_force[:, : month.shown]
    limit = np.where(shown, series.limit[:, : month.shown], np.nan)
    low = np.where(np.isnan(limit), np.inf, limit).min(axis=1, initial=np.inf)
    high = np.where(np.isnan(limit), -np.inf, limit).max(axis=1, initial=-np.inf)
    per_series = (
        _PARTIAL * series.in_force[:, month.shown :].any(axis=1)
        | _CHANGED * (low < high)
        | _LATE * late
        | (_BEGUN if month.begin else 0)
        | _DRAFT * (series.draft[:, : month.shown] & shown).any(axis=1)
    )
    members = made.groups.members
    bits = np.bitwise_or.reduce(np.where(members >= 0, per_series[members], 0), axis=1)[:, None]
    bits = (
        bits
        | _CAPTURE * (100 * counts.valid < terms.warn_capture_pct * counts.production)
        | _SHORT * (counts.production < terms.short_month_hours)
        | _NONE * ((counts.judged == 0) & (counts.production > 0))
        | _MANDATORY * (counts.mandatory_fail > 0)
    )
    said = [t.format(capture=terms.warn_capture_pct, short=terms.short_month_hours) for t in _TEXTS]
    texts = {b: "; ".join(t for k, t in enumerate(said) if b >> k & 1) or None for b in np.unique(bits).tolist()}
    return [texts[b] for b in bits.ravel().tolist()]
