"""The emissions room: `cems_hourly` and `capture_monthly` -> mass by hour, day and month, of outlets and of their owners.

Belongs here: which tables a month makes. Does not belong here: any of their parts (see the `emissions_*` modules and the
kernels), capture counts (`capture`), years (`emissions_year`).

The partition is the month: substitutes of a day rest on the whole quarter's capture rate and on valid hours long before it, and
move by the quarter, not by the day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.emissions_month import mass_of_month
from assets.emissions_rows import hourly_table
from assets.emissions_sums import daily_table, days_of, monthly_table, totals
from contracts.emissions import EMISSIONS_DAILY, EMISSIONS_HOURLY, EMISSIONS_MONTHLY

if TYPE_CHECKING:
    import pyarrow as pa

    from resources.bench import Bench

__all__ = ["make_emissions"]


def make_emissions(bench: Bench, month: str) -> dict[str, pa.Table]:
    """Mass of every hour of `month` ('YYYY-MM', local) up to the end of the data, and its sums; {} when the data do not reach it."""
    made = mass_of_month(bench, month)
    if made is None:
        return {}
    days = days_of(made)
    return {
        EMISSIONS_HOURLY.name: hourly_table(made),
        EMISSIONS_DAILY.name: daily_table(made, days),
        EMISSIONS_MONTHLY.name: monthly_table(made, days),
        **totals(made, days),
    }
