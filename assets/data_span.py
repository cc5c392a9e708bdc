"""Where the data of a home begin within a month.

Belongs here: the one answer that verdicts and mass both go by. Does not belong here: where data end (`Bench.frontier`).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from resources.bench import LONGEST_GAP_DAYS

if TYPE_CHECKING:
    from resources.bench import Bench


def days_before_data(bench: Bench, first: date, last: date) -> int | None:
    """Days of the month [first, last] before the first data, 0 where data adjoin it from before; None where there are none.

    Data begin on their first day, and again after a long gap: hours before that are no missing hours.
    """
    if bench.keys("cems_hourly", str(first - timedelta(days=LONGEST_GAP_DAYS)), str(first - timedelta(days=1))):
        return 0
    own = bench.keys("cems_hourly", str(first), str(last))
    return date.fromisoformat(own[0]).day - 1 if own else None
