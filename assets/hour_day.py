"""Everything that one day's hours rest on, gathered once: facts, figures of the kernel, the loggers' own hours.

Belongs here: the record that `hour_table` and `hour_signals` read, and the loggers' own hour records by outlet and hour.
Does not belong here: writing either table, reading raw tables (`hours`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.sent_rows import COLUMNS, day_ms
from contracts.channels import column
from contracts.events import STATES
from kernels.hours import HOURS, POLLUTANT_ORDER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from assets.fleet import Fleet
    from assets.hour_rules import DayRules
    from assets.labels import Choice
    from assets.sent_rows import SentRows, Speaker
    from assets.signal_devices import Doubt
    from kernels.hours import Hours, Outlets
    from resources.rules import RuleBook

    Floats = NDArray[np.float64]

HOUR_MS = 3_600_000
_NORMAL = ord("N")

#: Columns of the loggers' own hour records.
REPORTED_COLUMNS = [*COLUMNS, *(column(p, sub) for p in POLLUTANT_ORDER for sub in ("zs_avg", "cou"))]


@dataclass(frozen=True)
class Reported:
    """What the loggers themselves say of each hour, as they say it; (outlets, 24, pollutants), NaN for nothing. `flagged`: the
    hour bears a flag other than normal.
    """

    avg: Floats
    zs_avg: Floats
    mass: Floats
    flagged: NDArray[np.bool_]


@dataclass(frozen=True)
class HourDay:
    """One day of hours. `expected`: (outlets, pollutants); `labels`: label of each run; `strangers`: rows without a
    registry row, by outlet; `choices`: label and evidence per device; `process` and `touched`: see
    `hour_declared.Declarations`; `doubts`: of devices, see `signal_devices`.
    """

    fleet: Fleet
    book: RuleBook
    rules: DayRules
    facts: Outlets
    expected: NDArray[np.bool_]
    hours: Hours
    reported: Reported
    labels: tuple[str, ...]
    choices: Mapping[tuple[str, str], Choice]
    strangers: Mapping[str, int]
    process: NDArray[np.int8]
    touched: NDArray[np.bool_]
    doubts: tuple[Doubt, ...] = ()

    @property
    def judged(self) -> Floats:
        """What limits are compared with: the converted value where conversion applies, else the measured one."""
        return np.where(self.converts, self.hours.converted, self.hours.concentration)

    @property
    def converts(self) -> NDArray[np.bool_]:
        """Whether conversion applies to each outlet, shaped to go with figures of (outlets, 24, pollutants)."""
        applies: NDArray[np.bool_] = ~np.isnan(self.facts.o2_reference)[:, None, None]
        return applies

    @property
    def records_nothing(self) -> bool:
        """Whether no record of any table belongs to this day."""
        nothing_reported = all(
            np.isnan(part).all() for part in (self.reported.avg, self.reported.zs_avg, self.reported.mass)
        )
        return not self.hours.covered.any() and nothing_reported and not self.strangers

    @property
    def stopped(self) -> bool:
        """Whether a stop was declared that fills an hour of the day."""
        return bool((self.process == STATES.index("stopped")).any())


def reported_hours(sent: SentRows | None, speakers: Sequence[Speaker | None], fleet: Fleet) -> Reported:
    """Hour records (CN 2061) by outlet and clock hour; they carry the same label as the minutes of their device.

    Of several records of one hour the latest DataTime counts, value by value.
    """
    made = [np.full((len(fleet.outlets), HOURS, len(POLLUTANT_ORDER)), math.nan) for _ in range(3)]
    flagged = np.zeros(made[0].shape, np.bool_)
    if sent is not None:
        runs = [(-1, 0) if s is None else (s.index, int(s.label == "end")) for s in speakers]
        outlet, end = np.repeat(np.array(runs, np.int64), sent.rows_per_run, axis=0).T
        times = sent.times()
        hour = (times - day_ms(fleet.day)) // HOUR_MS - end
        rows = np.flatnonzero((outlet >= 0) & (hour >= 0) & (hour < HOURS))
        rows = rows[np.argsort(times[rows], kind="stable")]
        for figures, sub in zip(made, ("avg", "zs_avg", "cou"), strict=True):
            for p, pollutant in enumerate(POLLUTANT_ORDER):
                values = sent.floats(column(pollutant, sub))
                if values.size:
                    told = rows[~np.isnan(values[rows])]
                    figures[outlet[told], hour[told], p] = values[told]
        for p, pollutant in enumerate(POLLUTANT_ORDER):
            flags = sent.flags(column(pollutant, "flag"))
            if flags.size:
                strange = rows[(flags[rows] != 0) & (flags[rows] != _NORMAL)]
                flagged[outlet[strange], hour[strange], p] = True
    avg, zs_avg, mass = made
    return Reported(avg, zs_avg, mass, flagged)


def strangers_of(sent: SentRows | None, speakers: Sequence[Speaker | None], fleet: Fleet) -> dict[str, int]:
    """Minute rows of the day for which no device or outlet row is in force, by outlet."""
    made: dict[str, int] = {}
    if sent is None or None not in speakers:
        return made
    today = sent.times() < day_ms(fleet.day) + HOURS * HOUR_MS
    for run, speaker, lo, n in zip(sent.runs, speakers, sent.first.tolist(), sent.rows_per_run.tolist(), strict=True):
        rows = int(today[lo : lo + n].sum()) if speaker is None else 0
        if rows:
            made[run.outlet_id] = made.get(run.outlet_id, 0) + rows
    return made
