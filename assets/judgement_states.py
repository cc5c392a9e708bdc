"""Process states of a month: what lines declared, by hour and series, and which hours lie within a cap.

Belongs here: choosing the declarations that concern a series and the parameters of each day. Does not belong here: reading
declarations (`resources/events_read.py`), counting minutes (`kernels/states.py`) and judging.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from assets.judgement_limits import ORDERED
from assets.judgement_series import JudgementError
from assets.judgement_terms import whole
from contracts.events import STATES
from kernels.states import NEVER, Caps, Stretches, line_hours, series_hours
from resources.rules import RuleError

if TYPE_CHECKING:
    from datetime import date

    from assets.judgement_limits import Codes, Month
    from assets.judgement_series import Bools, Series
    from kernels.judge import Bytes
    from resources.events import EventBook, ProcessState
    from resources.rules import RuleBook

#: States whose hours a cap can exempt, and the parameter that says how many hours.
CAPS = {"cold_start": "caps.cold_start_h", "hot_start": "caps.hot_start_h", "shutdown": "caps.shutdown_h"}
_FILL = "caps.min_minutes_per_hour"


@dataclass(frozen=True)
class States:
    """`state` and `exempt` (S, H) of the days shown; `late` (S,): a start or stop declared late has no cap."""

    state: Bytes
    exempt: Bools
    late: Bools


@dataclass(frozen=True)
class _Day:
    """The parameters of one day; `fill` NEVER where states mean nothing yet."""

    fill: int
    minutes: tuple[int, ...]
    pollutants: frozenset[str]
    points: frozenset[str]
    late: bool


_NOTHING = _Day(NEVER, (0,) * len(STATES), frozenset(), frozenset(), late=False)


def month_states(events: EventBook, book: RuleBook, month: Month, series: Series) -> States:
    """States and exempt hours of every series up to the end of the data.

    States of a line reach its outlets of the types in `states.point_types`; elsewhere, and where nothing was declared, an
    outlet in force is running. On days before the caps are in force nothing is exempt.
    """
    found = events.states_in(month.first, month.last_shown)
    days = [_day(book, d) for d in month.dates[: month.shown]] if found else [_NOTHING] * month.shown
    lines = {name: i for i, name in enumerate(dict.fromkeys(s.line_id for s in found))}
    fill = np.array([d.fill for d in days], np.int32)
    caps = Caps(fill, np.array([d.minutes for d in days], np.int64), np.array([d.late for d in days], np.bool_))
    per_line = line_hours(len(lines), month.shown, _stretches(found, lines, month), caps)
    row = _rows(series, lines, days)
    capped = np.array([[p in d.pollutants for d in days] for p in ORDERED], np.bool_)[series.pollutants]
    state, exempt = series_hours(series.in_force[:, : month.shown], row, capped, *per_line)
    late = np.zeros(len(lines) + 1, np.bool_)
    late[[lines[s.line_id] for s in found if s.late and s.state in CAPS]] = True
    strict = ~caps.late & (caps.fill < NEVER)
    return States(state, exempt, np.asarray((late[row] & capped & strict).any(axis=1)))


def _day(book: RuleBook, day: date) -> _Day:
    try:
        fill = whole(book, _FILL, day)
    except RuleError:
        return _NOTHING
    if not 30 < fill <= 60:
        raise JudgementError(
            f"参数 {_FILL} 须在 31 至 60 之间 / parameter {_FILL} must lie between 31 and 60, not {fill} (reference/rules)"
        )
    return _Day(
        fill,
        tuple(60 * _cap(book, s, day) for s in STATES),
        _names(book, "caps.pollutants", day) if any(_cap(book, s, day) for s in CAPS) else frozenset(),
        _names(book, "states.point_types", day),
        late=book.parameter("states.late_exempts", day).value is True,
    )


def _cap(book: RuleBook, state: str, day: date) -> int:
    """Hours that a state is exempt for; 0 for other states and before there was any exemption."""
    try:
        return whole(book, CAPS[state], day) if state in CAPS else 0
    except RuleError:
        return 0


def _names(book: RuleBook, name: str, day: date) -> frozenset[str]:
    return frozenset(part.strip() for part in str(book.parameter(name, day).value).split(",") if part.strip())


def _stretches(found: list[ProcessState], lines: dict[str, int], month: Month) -> Stretches:
    """Stretches in minutes of the month. A minute that is touched counts, and belongs to the later of two that touch it."""
    midnight = datetime(month.first.year, month.first.month, 1)
    begin = [(s.begin - midnight) // timedelta(minutes=1) for s in found]
    end = [-((midnight - s.end) // timedelta(minutes=1)) for s in found]
    for k, (one, other) in enumerate(pairwise(found)):
        if one.line_id == other.line_id:
            end[k] = min(end[k], begin[k + 1])
    return Stretches(
        np.array([lines[s.line_id] for s in found], np.int32),
        np.array([STATES.index(s.state) for s in found], np.int8),
        np.array(begin, np.int64),
        np.array(end, np.int64),
        np.array([(s.start - midnight) // timedelta(minutes=1) for s in found], np.int64),
        np.array([s.late for s in found], np.bool_),
    )


def _rows(series: Series, lines: dict[str, int], days: list[_Day]) -> Codes:
    """(S, days shown): the line whose declarations apply to a series, -1 for none."""
    line_of = np.array([lines.get(n, -1) for n in [*series.names, ""]], np.int32)
    reached = np.array([[n in d.points for d in days] for n in [*series.names, ""]], np.bool_)
    shown = np.arange(len(days))
    line, point = series.line[:, : shown.size], series.point_type[:, : shown.size]
    return np.where(reached[point, shown], line_of[line], -1).astype(np.int32)
