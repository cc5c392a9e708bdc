"""The hours of a month and of the days before it, laid out by series for the search for patterns.

Belongs here: reading `cems_hourly` over the window, which hours count as those of a running source, limits of each series. Does not
belong here: looking for patterns (`pattern_finders`, `pattern_records`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa

from assets.fleet import fleet_at
from contracts.cems import HOUR_TAGS

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from assets.fleet import Fleet
    from resources.bench import Bench
    from resources.registry import Registry
    from resources.rules import RuleBook

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Longs = NDArray[np.int64]

HOUR_MS = 3_600_000
_NAMES = ["outlet_id", "pollutant"]
_FIGURES = ["concentration_mg_m3", "judged_mg_m3", "hour_tag", "flag_system", "flow_m3_h", "o2_pct"]
#: No row for this hour.
NO_ROW = 255
_KINDS: tuple[Literal["ule", "mandatory"], ...] = ("ule", "mandatory")


@dataclass(frozen=True)
class PatternHours:
    """Hours from midnight of `origin`; those of the month itself begin at `since`. Series are (outlet, pollutant), sorted.

    `outlet` (S,): index into `outlets`. `value` (measured, dry, standard) and `judged` (S, H), NaN where not valid. `tag` (S, H):
    index into HOUR_TAGS, NO_ROW where there is no row. `stopped` (S, H): a declared stop. `flow`, `o2` (outlets, H).
    """

    origin: date
    since: int
    outlets: tuple[str, ...]
    outlet: Longs
    pollutants: tuple[str, ...]
    value: Floats
    judged: Floats
    tag: NDArray[np.uint8]
    stopped: Bools
    flow: Floats
    o2: Floats

    @property
    def hours(self) -> int:
        """Hours of the whole window."""
        return int(self.value.shape[1])

    def series(self, pollutant: str) -> Longs:
        """Series of one pollutant."""
        return np.array([s for s, p in enumerate(self.pollutants) if p == pollutant], np.int64)

    @cached_property
    def place(self) -> dict[tuple[str, str], int]:
        """Series by outlet and pollutant."""
        return {
            (self.outlets[o], p): s for s, (o, p) in enumerate(zip(self.outlet.tolist(), self.pollutants, strict=True))
        }

    def running(self, near_air_pct: float, flow_share: float) -> Floats:
        """Values of normal hours in which the source seems to run, (S, H), NaN elsewhere.

        A source does not run where its oxygen is near that of air, or its flow below a share of its upper quartile.
        """
        runs = ~(self.o2 > near_air_pct)
        if self.flow.size:
            known = ~np.isnan(self.flow).all(axis=1)
            usual = np.full(len(self.outlets), math.nan)
            usual[known] = np.nanquantile(self.flow[known], 0.75, axis=1)
            runs &= ~(self.flow < flow_share * usual[:, None])
        normal = self.tag == HOUR_TAGS.index("N")
        return np.where(normal & runs[self.outlet], self.value, math.nan)


def read_pattern_hours(bench: Bench, origin: date, first: date, last: date) -> PatternHours:
    """The hours of [origin, last] from the partitions that exist; `first`: first day of the month."""
    days = bench.keys("cems_hourly", str(origin), str(last))
    pairs: set[tuple[str, str]] = set()
    for day in days:
        names = bench.table("cems_hourly", day, _NAMES)
        if names is not None:
            pairs |= _pairs(names)
    ordered = sorted(pairs)
    outlets = tuple(sorted({outlet for outlet, _ in ordered}))
    at = {outlet: i for i, outlet in enumerate(outlets)}
    length = ((last - origin).days + 1) * 24
    wide, narrow = (len(ordered), length), (len(outlets), length)
    made = PatternHours(
        origin=origin, since=(first - origin).days * 24, outlets=outlets,
        outlet=np.array([at[outlet] for outlet, _ in ordered], np.int64), pollutants=tuple(p for _, p in ordered),
        value=np.full(wide, math.nan), judged=np.full(wide, math.nan), tag=np.full(wide, NO_ROW, np.uint8),
        stopped=np.zeros(wide, np.bool_), flow=np.full(narrow, math.nan), o2=np.full(narrow, math.nan),
    )  # fmt: skip
    for day in days:
        table = bench.table("cems_hourly", day, [*_NAMES, "hour", *_FIGURES])
        if table is not None and table.num_rows:
            _fill(made, table)
    return made


def _pairs(names: pa.Table) -> set[tuple[str, str]]:
    (outlet, outlets), (pollutant, pollutants) = (_codes(names, name) for name in _NAMES)
    both = np.unique(outlet.astype(np.int64) * len(pollutants) + pollutant)
    return {(outlets[code // len(pollutants)], pollutants[code % len(pollutants)]) for code in both.tolist()}


def _fill(into: PatternHours, table: pa.Table) -> None:
    (outlet, outlets), (pollutant, pollutants) = (_codes(table, name) for name in _NAMES)
    places = np.array([[into.place.get((o, p), -1) for p in pollutants] for o in outlets], np.int64)
    s = places[outlet, pollutant]
    start = int(
        (datetime(into.origin.year, into.origin.month, into.origin.day) - datetime(1970, 1, 1))
        / timedelta(milliseconds=1)
    )
    h = (table.column("hour").cast(pa.int64()).to_numpy() - start) // HOUR_MS
    into.value[s, h] = _floats(table, "concentration_mg_m3")
    into.judged[s, h] = _floats(table, "judged_mg_m3")
    into.flow[into.outlet[s], h] = _floats(table, "flow_m3_h")
    into.o2[into.outlet[s], h] = _floats(table, "o2_pct")
    tag, tags = _codes(table, "hour_tag")
    into.tag[s, h] = np.array([HOUR_TAGS.index(t) for t in tags], np.uint8)[tag]
    system, systems = _codes(table, "flag_system")
    declared = np.array([name == "hj75" for name in systems], np.bool_)[system]
    into.stopped[s, h] = declared & (into.tag[s, h] == HOUR_TAGS.index("F"))


def _codes(table: pa.Table, name: str) -> tuple[NDArray[np.int32], list[str]]:
    column = table.column(name).unify_dictionaries().combine_chunks()
    array = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    return array.indices.to_numpy(), array.dictionary.to_pylist()


def _floats(table: pa.Table, name: str) -> Floats:
    made: Floats = table.column(name).to_numpy()
    return made


def series_limits(hours: PatternHours, registry: Registry, book: RuleBook, day: date) -> Floats:
    """The limit of each series on `day`: the ultra-low one, else the mandatory one, NaN where none is set."""
    fleet: Fleet = fleet_at(registry, day)
    made = np.full(len(hours.pollutants), math.nan)
    for s, (o, pollutant) in enumerate(zip(hours.outlet.tolist(), hours.pollutants, strict=True)):
        i = fleet.index.get(hours.outlets[o])
        if i is None:
            continue
        outlet, plant = fleet.outlets[i], fleet.plants[i]
        permits = registry.permits_at(outlet.outlet_id, pollutant, day)
        for kind in _KINDS:
            found = book.limit(
                kind, point_type=outlet.point_type, pollutant=pollutant, day=day, region_class=plant.region_class,
                reductant=outlet.reductant, permits=permits,
            )  # fmt: skip
            if found is not None:
                made[s] = found.value_mg_m3
                break
    return made
