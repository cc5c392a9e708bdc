"""Contracts: one record per column of every table; schema, checks, Parquet metadata and dictionary come from it.

Belongs here: what a table is. Does not belong here: how it is made, stored or scheduled.
"""

from __future__ import annotations

from contracts import (
    carbon,
    cems,
    emissions,
    emissions_clinker,
    ets,
    events,
    ledgers,
    signals,
    standards,
    trust,
    ule,
    ule_more,
)
from contracts.core import Column, ContractError, Table

#: Every table by name, in the order of the data's way through the house.
TABLES: dict[str, Table] = {
    t.name: t
    for t in (
        cems.ARRIVALS,
        events.PROCESS_STATES,
        events.DEVICE_MARKS,
        events.FINDINGS,
        *ledgers.LEDGERS,
        cems.CEMS_MINUTE,
        cems.CEMS_REPORTED,
        cems.CEMS_EDGE,
        cems.CEMS_OTHER,
        cems.CEMS_QUARANTINE,
        cems.CEMS_COUNTS,
        cems.CEMS_LABELS,
        cems.CEMS_HOURLY,
        cems.CEMS_SIGNALS,
        signals.CEMS_PATTERNS,
        ule.ULE_HOURLY,
        ule.ULE_MONTHLY,
        ule.ULE_PROGRESS,
        ule_more.MANDATORY_MONTHLY,
        ule_more.ULE_PLANTS,
        ule_more.ULE_EPISODES,
        ule_more.ULE_ANNUAL,
        standards.STANDARDS_DAILY,
        standards.STANDARDS_MONTHLY,
        emissions.CAPTURE_MONTHLY,
        emissions.CAPTURE_QUARTERLY,
        emissions.EMISSIONS_HOURLY,
        emissions.EMISSIONS_DAILY,
        emissions.EMISSIONS_MONTHLY,
        emissions.EMISSIONS_TOTALS_DAILY,
        emissions.EMISSIONS_TOTALS_MONTHLY,
        emissions.EMISSIONS_ANNUAL,
        emissions.EMISSIONS_TOTALS_ANNUAL,
        emissions_clinker.EMISSIONS_PER_CLINKER,
        carbon.CARBON_LINE_MONTH,
        carbon.CARBON_LINE_YEAR,
        carbon.CARBON_ENTITY_YEAR,
        ets.CARBON_UNCERTAINTY,
        ets.ALLOCATION_YEAR,
        ets.FILING_CALENDAR,
        ets.CARBON_FINDINGS,
        trust.RESTATEMENTS,
    )
}

__all__ = ["TABLES", "Column", "ContractError", "Table"]
