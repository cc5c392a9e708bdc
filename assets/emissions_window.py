"""The hours of a month that mass is made for, and the days around it that its episodes may reach into.

Belongs here: where data begin and end, hour numbers, and which outlet is what on which day. Does not belong here: reading
hours (`emissions_hours`) and any figure.

Data begin on their first day, and again after a long gap: hours before that are no missing hours. An outlet counts from its
first day in force.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from assets.data_span import days_before_data
from assets.judgement_limits import Labels
from assets.judgement_series import MUST_MONITOR

if TYPE_CHECKING:
    from assets.arrow_columns import Codes
    from resources.bench import Bench
    from resources.registry import Registry

Bools = npt.NDArray[np.bool_]

HOURS_PER_DAY = 24


@dataclass(frozen=True)
class Window:
    """Days `begin` .. `shown` (exclusive, numbered from the first of the month) have data; around the month lie up to `margin`
    days more: all before it, `after` known ones behind it. The grid is all of these days.
    """

    key: str
    first: date
    days: int
    begin: int
    shown: int
    margin: int
    after: int

    @property
    def last(self) -> date:
        """Last day of the calendar month."""
        return self.first + timedelta(days=self.days - 1)

    @property
    def last_shown(self) -> date:
        """Last day of the month that the data reach."""
        return self.first + timedelta(days=self.shown - 1)

    @property
    def grid_first(self) -> date:
        """First day of the grid."""
        return self.first - timedelta(days=self.margin)

    @property
    def grid_last(self) -> date:
        """Last day of the grid."""
        return self.first + timedelta(days=self.shown + self.after - 1)

    @property
    def grid_days(self) -> int:
        """Days of the grid."""
        return self.margin + self.shown + self.after

    @property
    def month_hours(self) -> slice:
        """The hours of the month among those of the grid."""
        return slice(HOURS_PER_DAY * self.margin, HOURS_PER_DAY * (self.margin + self.shown))

    @cached_property
    def start_ms(self) -> int:
        """Start of the grid in milliseconds since 1970, by the wall clock."""
        first = self.grid_first
        return int((datetime(first.year, first.month, first.day) - datetime(1970, 1, 1)).total_seconds()) * 1000

    @property
    def quarter(self) -> list[str]:
        """Keys of the months of the quarter."""
        return quarter_months(self.first)

    @property
    def quarter_last(self) -> date:
        """Last day of the quarter."""
        year, month = map(int, self.quarter[-1].split("-"))
        return date(year, month, monthrange(year, month)[1])


def quarter_months(day: date) -> list[str]:
    """Keys of the three months of the quarter that holds `day`."""
    first = 3 * ((day.month - 1) // 3) + 1
    return [f"{day.year:04d}-{first + k:02d}" for k in range(3)]


def quarter_of(month: str) -> str:
    """The quarter of a month key: 'YYYY-Qn'."""
    return f"{month[:4]}-Q{(int(month[5:]) - 1) // 3 + 1}"


def month_window(bench: Bench, month: str, margin: int) -> Window | None:
    """The month up to the end of the data; None before their first and after their last day."""
    first = date.fromisoformat(f"{month}-01")
    days = monthrange(first.year, first.month)[1]
    last = first + timedelta(days=days - 1)
    frontier = bench.frontier("cems_hourly", str(last + timedelta(days=margin)))
    if frontier < str(first):
        return None
    begin = days_before_data(bench, first, last)
    if begin is None:
        return None
    reached = (date.fromisoformat(frontier) - first).days + 1
    return Window(month, first, days, begin, min(days, reached), margin, max(0, reached - days))


@dataclass(frozen=True)
class Outlets:
    """Outlets by id and what each is on each day of `days`: arrays (O, days); codes of `names`, -1 = none. `watched` (O,): something
    must or can be measured there, for it is a main outlet or has a device.
    """

    ids: list[str]
    watched: Bools
    in_force: Bools
    plant: Codes
    line: Codes
    point_type: Codes
    group: Codes
    province: Codes
    names: list[str]

    @cached_property
    def index(self) -> dict[str, int]:
        """Row of each outlet."""
        return {outlet_id: i for i, outlet_id in enumerate(self.ids)}

    def labels(self, numbers: npt.NDArray[np.integer]) -> list[str | None]:
        """Texts of codes."""
        return [self.names[n] if n >= 0 else None for n in numbers.tolist()]

    def scope(self, scope: str) -> Codes:
        """Codes (O, days) of who the outlet belongs to."""
        found: Codes = getattr(self, scope)
        return found


def outlets_of(registry: Registry, first: date, days: int) -> Outlets:
    """Every outlet in force on one of `days` days from `first` on, sorted by id."""
    last = first + timedelta(days=days - 1)
    rows = sorted((o for o in registry.outlets if o.overlaps(first, last)), key=lambda o: (o.outlet_id, o.valid_from))
    ids = sorted({o.outlet_id for o in rows})
    devices = {d.outlet_id for d in registry.devices if d.overlaps(first, last)}
    must = {o.outlet_id for o in rows if o.point_type in MUST_MONITOR}
    names = Labels()
    shape = (len(ids), days)
    in_force = np.zeros(shape, np.bool_)
    made = {name: np.full(shape, -1, np.int32) for name in ("plant", "line", "point_type", "group", "province")}
    place = {outlet_id: i for i, outlet_id in enumerate(ids)}

    def span(valid_from: date, valid_to: date | None) -> tuple[int, int]:
        end = days if valid_to is None else min(days, (valid_to - first).days)
        return max(0, (valid_from - first).days), max(0, end)

    of_plant: dict[str, list[tuple[int, int, int, int]]] = {}
    for p in registry.plants:
        if p.overlaps(first, last):
            owners = names.code(p.group or None), names.code(p.province or None)
            of_plant.setdefault(p.plant_id, []).append((*span(p.valid_from, p.valid_to), *owners))
    for o in rows:
        i = place[o.outlet_id]
        a, b = span(o.valid_from, o.valid_to)
        in_force[i, a:b] = True
        for name, text in (("plant", o.plant_id), ("line", o.line_id), ("point_type", o.point_type)):
            made[name][i, a:b] = names.code(text)
        for since, until, group, province in of_plant.get(o.plant_id, ()):
            made["group"][i, max(a, since) : min(b, until)] = group
            made["province"][i, max(a, since) : min(b, until)] = province
    watched = np.array([i in devices or i in must for i in ids], np.bool_)
    return Outlets(ids, watched, in_force, names=names.texts, **made)


def reached_months(day: str) -> str:
    """First month that a change on `day` can move: the quarter's first, for its capture rate counts in all three. A week before it
    may hold the beginning of an episode that goes on to the day.
    """
    return quarter_months(date.fromisoformat(day) - timedelta(days=7))[0]
