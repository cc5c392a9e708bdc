"""Products: the tables that are made together, in the order of the data's way, and how one is brought up to date.

Belongs here: the list of products, which keys each could have, and the rule that a partition is made anew exactly when
something it was made from stands differently. Does not belong here: how a table is made (the sibling modules) and when
(`pipelines`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from assets.allocation import allocation_years, make_allocation
from assets.annual import make_annual
from assets.arrivals import make_arrivals
from assets.capture import make_capture
from assets.carbon import carbon_month_keys, make_carbon_months
from assets.carbon_findings import finding_years, make_carbon_findings
from assets.carbon_years import carbon_year_keys, make_carbon_years
from assets.emissions import make_emissions
from assets.emissions_clinker import clinker_years, make_emissions_clinker
from assets.emissions_window import reached_months
from assets.emissions_year import make_emissions_year
from assets.events import make_events, make_findings
from assets.filing import calendar_years, make_calendar
from assets.hours import make_hours
from assets.judgement import make_judgement
from assets.labels import make_labels
from assets.ledgers import LEDGER_TABLES, METER_TABLES, ledger_months, make_ledgers, make_meters
from assets.patterns import make_patterns
from assets.raw import make_raw
from assets.sealing import is_sealed, sealed_stand
from assets.standards import make_standards
from assets.uncertainty import make_uncertainty, uncertainty_years
from resources.bench import Bench, adjoin, changed
from resources.editions import remember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from resources.home import Home

ALL = "all"


@dataclass(frozen=True, slots=True)
class Product:
    """Tables made together. `made_by` changes when the code would give other figures; `keys` lists the keys it could have."""

    name: str
    tables: tuple[str, ...]
    partition: str
    made_by: str
    make: Callable[[Bench, str], dict[str, Any]]
    keys: Callable[[Home], Iterable[str]]
    #: First key that a change on a day can move, where that lies before the key of the day itself.
    since: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What bringing one key up to date came to."""

    product: str
    key: str
    reasons: tuple[str, ...]
    changed: tuple[str, ...]
    rows: int
    bytes: int
    seconds: float


def _hour_days(home: Home) -> set[str]:
    """Days with raw rows, days that only the first records of the next day speak of (end labels), and days of a declared stop
    between them: a kiln that stands and sends nothing stands.
    """
    lake = home.lake
    days = set(lake.keys("cems_minute")) | set(lake.keys("cems_hourly"))
    for day in lake.keys("cems_edge"):
        edge = lake.partition("cems_edge", day)
        if edge and edge.rows:
            days.add(str(date.fromisoformat(day) - timedelta(days=1)))
    days |= set(_stopped_between(home, sorted(days)))
    return {d for d in days if d >= str(home.settings.window_from)}


def _stopped_between(home: Home, days: list[str]) -> Iterator[str]:
    for day, later in pairwise(days):
        if adjoin(day, later):
            first = date.fromisoformat(day) + timedelta(days=1)
            for between in (first + timedelta(days=n) for n in range((date.fromisoformat(later) - first).days)):
                if any(s.state == "stopped" for s in home.events.states_in(between, between)):
                    yield str(between)


def _judged_months(home: Home) -> set[str]:
    """Months with hours, and those between them in one run of data: a month without any data is a verdict too."""
    days = home.lake.keys("cems_hourly")
    made = set(home.lake.keys("ule_monthly")) | {d[:7] for d in days}
    for day, later in pairwise(days):
        if day[:7] != later[:7] and adjoin(day, later):
            made |= set(_months(day[:7], later[:7]))
    return made


def _pattern_months(home: Home) -> set[str]:
    """Months with hours, and those that had some."""
    return {d[:7] for d in home.lake.keys("cems_hourly")} | set(home.lake.keys("cems_patterns"))


def _mass_months(home: Home) -> set[str]:
    return _judged_months(home) | set(home.lake.keys("capture_monthly"))


def _months(first: str, last: str) -> Iterator[str]:
    year, month = int(first[:4]), int(first[5:7])
    while (key := f"{year:04d}-{month:02d}") <= last:
        yield key
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def _standard_months(home: Home) -> set[str]:
    """Months with hours in which a standard is chosen, and those that were made when one was."""
    made = set(home.lake.keys("standards_monthly"))
    if not home.standards.choices:
        return made
    return made | {m for m in _judged_months(home) if home.standards.any_in(*_span(m))}


def _span(month: str) -> tuple[date, date]:
    first = date.fromisoformat(f"{month}-01")
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


PRODUCTS: tuple[Product, ...] = (
    Product("arrivals", ("arrivals",), "none", "arrivals-2", make_arrivals, lambda _: [ALL]),
    Product("events", ("process_states", "device_marks"), "none", "events-1", make_events, lambda _: [ALL]),
    Product("ledgers", LEDGER_TABLES, "month", "ledgers-1", make_ledgers, ledger_months),
    Product("meters", METER_TABLES, "none", "meters-1", make_meters, lambda _: [ALL]),
    Product(
        "raw",
        ("cems_minute", "cems_reported", "cems_edge", "cems_other", "cems_quarantine", "cems_counts"),
        "day", "raw-2", make_raw,
        lambda home: set(home.intake.days()) | set(home.lake.keys("cems_counts")),
    ),
    Product(
        "labels", ("cems_labels",), "day", "labels-1", make_labels,
        lambda home: set(home.lake.keys("cems_minute")) | set(home.lake.keys("cems_labels")),
    ),
    Product("hours", ("cems_hourly", "cems_signals"), "day", "hours-4", make_hours, _hour_days),
    Product("patterns", ("cems_patterns",), "month", "patterns-1", make_patterns, _pattern_months),
    Product(
        "judgement",
        ("ule_hourly", "ule_monthly", "ule_progress", "mandatory_monthly", "ule_plants", "ule_episodes"),
        "month", "judgement-3", make_judgement, _judged_months,
    ),
    Product(
        "annual", ("ule_annual",), "year", "annual-1", make_annual,
        lambda home: {m[:4] for m in home.lake.keys("ule_monthly")} | set(home.lake.keys("ule_annual")),
    ),
    Product(
        "standards", ("standards_daily", "standards_monthly"), "month", "standards-1", make_standards, _standard_months
    ),
    Product("capture", ("capture_monthly",), "month", "capture-1", make_capture, _mass_months),
    Product(
        "emissions",
        (
            "emissions_hourly", "emissions_daily", "emissions_monthly", "emissions_totals_daily", "emissions_totals_monthly",
        ),
        "month", "emissions-2", make_emissions, _mass_months, reached_months,
    ),
    Product(
        "emissions_year", ("emissions_annual", "emissions_totals_annual", "capture_quarterly"), "year", "emissions-year-1",
        make_emissions_year, lambda home: {m[:4] for t in ("emissions_monthly", "emissions_annual") for m in home.lake.keys(t)},
        lambda day: reached_months(day)[:4],
    ),
    # All years every night: a ledger tells of any month, whichever days have come.
    Product(
        "emissions_clinker", ("emissions_per_clinker",), "year", "emissions-clinker-1", make_emissions_clinker, clinker_years,
        lambda _: "",
    ),
    Product("carbon_months", ("carbon_line_month",), "month", "carbon-months-8", make_carbon_months, carbon_month_keys),
    Product(
        "carbon_years", ("carbon_line_year", "carbon_entity_year"), "year", "carbon-years-7", make_carbon_years, carbon_year_keys
    ),
    Product("uncertainty", ("carbon_uncertainty",), "year", "uncertainty-6", make_uncertainty, uncertainty_years),
    Product("allocation", ("allocation_year",), "year", "allocation-4", make_allocation, allocation_years),
    Product("calendar", ("filing_calendar",), "year", "calendar-2", make_calendar, calendar_years),
    Product("carbon_findings", ("carbon_findings",), "year", "carbon-findings-6", make_carbon_findings, finding_years),
    # After all that findings are made of.
    Product("findings", ("findings",), "none", "findings-3", make_findings, lambda _: [ALL]),
)  # fmt: skip


def product(name: str) -> Product:
    """The product called `name`."""
    return next(p for p in PRODUCTS if p.name == name)


def reasons(home: Home, of: Product, key: str) -> list[str]:
    """Why a key has to be made; empty when it stands. An input's name is its reason."""
    if all(home.lake.partition(t, key) is None for t in of.tables) and (noted := home.lake.nothing(of.name, key)):
        made_by, inputs = noted
        return changed(home, inputs) if made_by == of.made_by else [f"code {made_by} -> {of.made_by}"]
    found: dict[str, None] = {}
    looked_at: list[dict[str, str]] = []
    for table in of.tables:
        partition = home.lake.partition(table, key)
        if partition is None:
            found["missing"] = None
        else:
            if partition.made_by != of.made_by:
                found[f"code {partition.made_by} -> {of.made_by}"] = None
            if partition.inputs not in looked_at:
                # Tables made together rest on the same inputs; one look tells for all.
                looked_at.append(partition.inputs)
                found.update(dict.fromkeys(changed(home, partition.inputs)))
    return list(found)


def bring_up(home: Home, of: Product, key: str, *, force: bool = False) -> Outcome | None:
    """Make one key anew if anything it was made from stands differently; None when nothing had to be done.

    Tables whose bytes come out the same keep their version, so nothing further down is asked for.
    """
    why = ["asked for"] if force else reasons(home, of, key)
    if not why:
        return None
    begun = time.perf_counter()
    before = {t: home.lake.version(t, key) for t in of.tables}
    tried = None if force else take_tried(home, of, key)
    inputs = _make(home, of, key) if tried is None else tried
    remember(home, inputs)
    home.tried.spent(of.name, key)
    made = [p for t in of.tables if (p := home.lake.partition(t, key))]
    moved = tuple(t for t in of.tables if home.lake.version(t, key) != before[t])
    if not made:
        home.lake.note_nothing(of.name, key, made_by=of.made_by, inputs=inputs)
    if not made and not moved:
        return None
    return Outcome(
        of.name,
        key,
        tuple(why),
        moved,
        sum(p.rows for p in made),
        sum(p.bytes for p in made),
        time.perf_counter() - begun,
    )


def _make(home: Home, of: Product, key: str) -> dict[str, str]:
    """Have the maker make a key and write what it made; all that it has looked at."""
    bench = Bench(home)
    contents = sealed_stand(home, bench, of, key, of.make(bench, key))
    for table in of.tables:
        if table in contents:
            home.lake.write(table, key, contents[table], made_by=of.made_by, inputs=bench.inputs)
        elif home.lake.version(table, key):
            home.lake.drop(table, key)
    return bench.inputs


def take_tried(home: Home, of: Product, key: str) -> dict[str, str] | None:
    """Put what a plan made of a key into the lake if all that it was made from stands: its inputs, or None.

    Never of a filed year: which of its rows stand is no recorded input, but what the lake holds.
    """
    return None if is_sealed(home, of, key) else home.tried.take(home, of.name, of.tables, key, of.made_by)
