"""The 95 % rule over a calendar month: counts per policy, single pollutants and joint, and the verdict they give.

Belongs here: counting a month's hours under each policy of air-rules 1.3 and the integer test. Does not belong here:
running figures (`judge`), what the policies are called and which is the headline (`reference`, `assets`).

A group is what gets one verdict: a single series, or the series of one outlet that are judged jointly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from kernels.judge import (
    COLD_START,
    EXCLUDE_EXEMPT,
    EXCLUDE_TAGGED,
    HOURS_PER_DAY,
    RUNNING,
    SHUTDOWN,
    STOPPED,
    Bools,
    Bytes,
    Counts,
    Floats,
)

#: invalid_hours: left out of the denominator, or counted as failures.
DROP, COUNT_AS_FAIL = range(2)
#: verdicts
PASS, FAIL, INSUFFICIENT, NO_PRODUCTION = range(4)

_PRODUCTION, _VALID, _JUDGED, _OK, _TESTED, _MANDATORY_FAIL, _DUE, _DUE_VALID = range(8)
_COUNTS = 8
#: Bits of an hour's result, beside 1 for a missing value.
_HOLDS, _TEST, _UNLAWFUL = 2, 4, 8
_RESULTS = 16


class Policies(NamedTuple):
    """One entry per policy: its startup_shutdown and invalid_hours code, the row of bounds it compares with (rounding),
    and the percent of valid production hours below which there is no verdict (0 = always a verdict).
    """

    startup: Bytes
    invalid: Bytes
    bounds: Bytes
    min_capture_pct: Counts


class MonthCounts(NamedTuple):
    """Hours of each group under each policy, all of shape (G, P).

    production: hours under a limit in which the kiln was not stopped; valid: of these, with a value of every member;
    judged: the denominator; ok: of these, within the limit; mandatory: judged hours with a value that the mandatory limit was
    tested in, those within a cap left out (R13, R15); mandatory_fail: of these, above it. due: production hours that the mandatory
    limit asks for, whatever the policy; due_valid: of these, with a value of every member.
    """

    production: Counts
    valid: Counts
    judged: Counts
    ok: Counts
    mandatory: Counts
    mandatory_fail: Counts
    due: Counts
    due_valid: Counts


@njit(cache=True, nogil=True)
def _left_out(startup: int, state: int, exempt: bool) -> bool:
    if startup == EXCLUDE_EXEMPT:
        return exempt
    return startup == EXCLUDE_TAGGED and (exempt or COLD_START <= state <= SHUTDOWN)


@njit(cache=True, nogil=True)
def _result(
    value: Floats, state: Bytes, exempt: Bools, limit: Floats, mandatory: Floats, members: Counts,
    g: int, h: int, b: int, startup: int,
) -> int:  # fmt: skip
    """One production hour under one startup mode and row of bounds: -1 left out, else bits: missing, ok, tested, unlawful."""
    day = h // HOURS_PER_DAY
    bits = -1
    for k in range(members.shape[1]):
        s = members[g, k]
        if s < 0 or np.isnan(limit[b, s, day]) or _left_out(startup, state[s, h], exempt[s, h]):
            continue
        if bits < 0:
            bits = _HOLDS
        v = value[s, h]
        if not np.isfinite(v):
            bits |= 1
        if not v <= limit[b, s, day]:
            bits &= ~_HOLDS
        if not exempt[s, h] and not np.isnan(mandatory[b, s, day]):
            bits |= _TEST
            if v > mandatory[b, s, day]:
                bits |= _UNLAWFUL
    return bits


@njit(cache=True, nogil=True)
def _add(counts: Counts, g: int, p: int, bits: int, invalid: int, hours: int) -> None:
    """Add `hours` hours of one result to one group and policy."""
    missing = bits & 1
    if bits < 0 or (missing and invalid == DROP):
        return
    counts[g, p, _JUDGED] += hours
    if not missing:
        counts[g, p, _OK] += hours if bits & _HOLDS else 0
        counts[g, p, _TESTED] += hours if bits & _TEST else 0
        counts[g, p, _MANDATORY_FAIL] += hours if bits & _UNLAWFUL else 0


@njit(cache=True, nogil=True)
def _count(
    value: Floats, state: Bytes, exempt: Bools, limit: Floats, mandatory: Floats, members: Counts,
    startup: Bytes, invalid: Bytes, bounds: Bytes, counts: Counts,
) -> None:  # fmt: skip
    # Policies differ in few hours. Untagged hours are tallied once per row of bounds and result, then shared out: this loop is
    # written out, for a call with arrays in it costs more than the comparison.
    tally = np.zeros((limit.shape[0], _RESULTS), np.int32)
    for g in range(counts.shape[0]):
        tally[:] = 0
        production = valid = due = due_valid = 0
        for h in range(value.shape[1]):
            day = h // HOURS_PER_DAY
            producing = tagged = asked = False
            complete = True
            for k in range(members.shape[1]):
                s = members[g, k]
                if s < 0 or state[s, h] < 0 or state[s, h] == STOPPED or np.isnan(limit[0, s, day]):
                    continue
                producing = True
                complete &= np.isfinite(value[s, h])
                tagged |= exempt[s, h] or state[s, h] != RUNNING
                asked |= not exempt[s, h] and not np.isnan(mandatory[0, s, day])
            if not producing:
                continue
            production += 1
            valid += complete
            due += asked
            due_valid += asked and complete
            if tagged:
                for p in range(startup.size):
                    bits = _result(value, state, exempt, limit, mandatory, members, g, h, bounds[p], startup[p])
                    _add(counts, g, p, bits, invalid[p], 1)
                continue
            for b in range(limit.shape[0]):
                bits = _HOLDS if complete else _HOLDS | 1
                for k in range(members.shape[1]):
                    s = members[g, k]
                    if s < 0 or np.isnan(limit[b, s, day]):
                        continue
                    v, law = value[s, h], mandatory[b, s, day]
                    if not v <= limit[b, s, day]:
                        bits &= ~_HOLDS
                    if not np.isnan(law):
                        bits |= _TEST
                    if v > law:
                        bits |= _UNLAWFUL
                tally[b, bits] += 1
        for p in range(startup.size):
            counts[g, p, _PRODUCTION] = production
            counts[g, p, _VALID] = valid
            counts[g, p, _DUE] = due
            counts[g, p, _DUE_VALID] = due_valid
            for bits in range(_RESULTS):
                _add(counts, g, p, bits, invalid[p], tally[bounds[p], bits])


def count_month(
    value: Floats, state: Bytes, exempt: Bools, limit: Floats, mandatory: Floats, members: Counts, policies: Policies
) -> MonthCounts:
    """Count a month's hours for every group under every policy (air-rules 1.3; vectors V16, V17, V18, V26).

    value, state, exempt (S, H) as in `judge.judge_hours`; limit, mandatory (B, S, D): comparison bounds in mg/m3 per rounding
    mode and day, NaN where none; members (G, M): series of each group, padded with -1; all members share their outlet's
    states. Members that a policy leaves out of an hour leave the joint test of that hour, the others stay in it; the hour
    is judged only if all that stay have a value. ValueError on shapes that do not go together.
    """
    if not value.shape == state.shape == exempt.shape:
        raise ValueError(f"value {value.shape}, state {state.shape} and exempt {exempt.shape} differ in shape")
    if limit.shape != mandatory.shape or (limit.shape[1], limit.shape[2] * HOURS_PER_DAY) != value.shape:
        raise ValueError(f"bounds {limit.shape}, {mandatory.shape} do not fit values {value.shape}")
    if members.size and members.max() >= value.shape[0]:
        raise ValueError("a group names a series that does not exist")
    counts = np.zeros((members.shape[0], policies.startup.size, _COUNTS), np.int32)
    _count(value, state, exempt, limit, mandatory, members, policies.startup, policies.invalid, policies.bounds, counts)
    return MonthCounts(*(np.ascontiguousarray(counts[:, :, k]) for k in range(_COUNTS)))


def allowed_fails(judged: Counts, pass_pct: int) -> Counts:
    """Hours that may fail: floor((100 - pass_pct) % of judged), in integers (air-rules 1.3)."""
    return ((100 - pass_pct) * judged // 100).astype(np.int32)


def verdicts(counts: MonthCounts, policies: Policies, pass_pct: int, min_production: int = 1) -> Bytes:
    """PASS iff 100 x ok >= pass_pct x judged; no verdict without production, without judged hours, or on too few valid ones.

    Returns int8 (G, P) of PASS, FAIL, INSUFFICIENT, NO_PRODUCTION. `min_production`: hours of production below which a month
    gets no verdict.
    """
    passed = 100 * counts.ok >= pass_pct * counts.judged
    thin = 100 * counts.valid < policies.min_capture_pct * counts.production
    none = thin | (counts.judged == 0) | (counts.production < min_production)
    made = np.where(none, INSUFFICIENT, np.where(passed, PASS, FAIL))
    return np.where(counts.production == 0, NO_PRODUCTION, made).astype(np.int8)
