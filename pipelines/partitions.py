"""Partition sets: local days, months and years in Asia/Shanghai, of all plants together.

Belongs here: the sets and arithmetic on their keys. Does not belong here: anything per plant (plants are rows).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg

if TYPE_CHECKING:
    from resources.settings import Settings

ZONE = "Asia/Shanghai"


def partition_sets(settings: Settings) -> dict[str, dg.PartitionsDefinition[str]]:
    """Day, month and year sets from the first day the home knows. China keeps no summer time: a day has 24 hours.

    The running day, month and year belong to the sets: verdicts to date are what people look at before a month is lost.
    """
    start = settings.window_from
    return {
        "day": dg.DailyPartitionsDefinition(start_date=str(start), timezone=ZONE, end_offset=1),
        "month": dg.MonthlyPartitionsDefinition(start_date=f"{start:%Y-%m}", timezone=ZONE, fmt="%Y-%m", end_offset=1),
        "year": dg.TimeWindowPartitionsDefinition(
            start=f"{start:%Y}", fmt="%Y", cron_schedule="0 0 1 1 *", timezone=ZONE, end_offset=1
        ),
    }


def today() -> date:
    """The local day of the plants, whatever the clock of this machine is set to."""
    return datetime.now(ZoneInfo(ZONE)).date()


def shifted(day: str, days: int) -> str:
    """A day key some days on."""
    return str(date.fromisoformat(day) + timedelta(days=days))
