"""The series of a month: which outlet x pollutant is judged, on which days, against what, for whom.

Belongs here: turning registry rows and limits into arrays of one row per series and one column per day. Does not belong
here: the hours themselves (`judgement_hours`) and the law (`reference/rules`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from assets.judgement_limits import Codes, Floats, Held, Labels, Limits, Month, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from resources.registry import Outlet, Plant, Registry
    from resources.rules import RuleBook

#: Main outlets (主要排放口) of a clinker line must have a monitor (HJ 847-2017): one without data has missing hours, not none.
#: Other points are judged where a device is registered or data exist.
MUST_MONITOR = frozenset({"kiln_tail", "cooler"})

Bools = npt.NDArray[np.bool_]
R = TypeVar("R")


class JudgementError(Exception):
    """The registry and the rules do not say how an outlet is to be judged; the message names it and the remedy."""


@dataclass(frozen=True)
class Series:
    """S series sorted by outlet, then pollutant; arrays (S,) or (S, days of the month).

    `outlets`, `plant`, `line` and `point_type` are codes of `names`, `pollutants` of ORDERED, `rule` and `mandatory_rule` of
    `rules`; -1 = none. `expected`: it is judged whether or not data came; others only where some did.
    """

    outlets: Codes
    pollutants: Codes
    expected: Bools
    in_force: Bools
    plant: Codes
    line: Codes
    point_type: Codes
    limit: Floats
    rule: Codes
    draft: Bools
    mandatory: Floats
    mandatory_rule: Codes
    names: list[str]
    rules: list[str]

    @property
    def limited_days(self) -> Bools:
        """Days in force with an ultra-low limit, (S, days of the month)."""
        return np.asarray(self.in_force & ~np.isnan(self.limit))

    def take(self, rows: npt.NDArray[np.int64]) -> Series:
        """Only these series."""
        values: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        taken: dict[str, Any] = {name: v[rows] for name, v in values.items() if isinstance(v, np.ndarray)}
        return replace(self, **taken)


@dataclass(frozen=True)
class _Span:
    """Days [first, end) on which one outlet row and one plant row hold."""

    first: int
    end: int
    outlet: Outlet
    plant: Plant

    @property
    def place(self) -> Place:
        """What the rules ask about it."""
        outlet, plant = self.outlet, self.plant
        return Place(
            self.first, self.end, outlet.point_type, plant.region_class, outlet.reductant, plant.province
        )  # fmt: skip


def month_series(registry: Registry, book: RuleBook, month: Month) -> Series:
    """Every outlet x pollutant that has a limit on a day of the month on which the outlet is in force.

    JudgementError where an outlet is in force on a day on which its plant is not.
    """
    limits = Limits(book, month)
    permits = _by((p.outlet_id, p) for p in registry.permits if p.overlaps(month.first, month.last))
    watched = {d.outlet_id for d in registry.devices if d.overlaps(month.first, month.last)}
    build = _Builder(month, limits.rules)
    for outlet_id, spans in _spans(registry, month):
        expected = outlet_id in watched or any(s.outlet.point_type in MUST_MONITOR for s in spans)
        held = limits.held(tuple(s.place for s in spans), tuple(permits.get(outlet_id, ())))
        build.add(outlet_id, spans, held, expected=expected)
    return build.series()


def _by(pairs: Iterable[tuple[str, R]]) -> dict[str, list[R]]:
    made: dict[str, list[R]] = {}
    for key, row in pairs:
        made.setdefault(key, []).append(row)
    return made


def _spans(registry: Registry, month: Month) -> Iterator[tuple[str, list[_Span]]]:
    plants = _by((p.plant_id, p) for p in registry.plants)
    outlets = _by((o.outlet_id, o) for o in registry.outlets if o.overlaps(month.first, month.last))
    for outlet_id in sorted(outlets):
        spans = [s for row in outlets[outlet_id] for s in _with_plant(row, plants.get(row.plant_id, []), month)]
        yield outlet_id, sorted(spans, key=lambda s: s.first)


def _with_plant(outlet: Outlet, plants: list[Plant], month: Month) -> list[_Span]:
    first, end = month.span(outlet.valid_from, outlet.valid_to)
    made = []
    for plant in plants:
        a, b = month.span(plant.valid_from, plant.valid_to)
        if max(a, first) < min(b, end):
            made.append(_Span(max(a, first), min(b, end), outlet, plant))
    if sum(s.end - s.first for s in made) != end - first:
        raise JudgementError(
            f"排放口 {outlet.outlet_id} 在 {month.key} 有效，但企业 {outlet.plant_id} 并非每天有效：请在 plants.csv 中延长其有效期 / "
            f"outlet {outlet.outlet_id} is in force in {month.key} on days on which plant {outlet.plant_id} is not: extend the plant's validity in plants.csv"
        )
    return made


@dataclass(frozen=True)
class _Facts:
    """Per day of the month: in force, and codes of plant, line and point type."""

    in_force: Bools
    plant: Codes
    line: Codes
    point_type: Codes


class _Builder:
    """Collects rows of `Series`."""

    def __init__(self, month: Month, rules: Labels) -> None:
        self._month, self._rules, self._names = month, rules, Labels()
        self._keys: list[tuple[int, int, bool]] = []
        self._rows: list[tuple[_Facts, Held]] = []

    def _facts(self, spans: list[_Span]) -> _Facts:
        days = self._month.days
        made = _Facts(np.zeros(days, np.bool_), *(np.full(days, -1, np.int32) for _ in range(3)))
        for s in spans:
            made.in_force[s.first : s.end] = True
            made.plant[s.first : s.end] = self._names.code(s.outlet.plant_id)
            made.line[s.first : s.end] = self._names.code(s.outlet.line_id)
            made.point_type[s.first : s.end] = self._names.code(s.outlet.point_type)
        return made

    def add(self, outlet_id: str, spans: list[_Span], held: tuple[Held, ...], *, expected: bool) -> None:
        """Add the series of one outlet."""
        facts = self._facts(spans)
        outlet = self._names.code(outlet_id)
        self._keys += [(outlet, h.pollutant, expected and h.ule.any) for h in held]
        self._rows += [(facts, h) for h in held]

    def series(self) -> Series:
        """Everything collected, as arrays."""
        days = self._month.days
        keys = np.array(self._keys, np.int32).reshape(-1, 3)

        def stack(rows: Iterable[npt.NDArray[Any]], kind: type[np.generic]) -> Any:  # noqa: ANN401 - arrays of three kinds
            return np.array(list(rows), kind).reshape(-1, days)

        return Series(
            outlets=keys[:, 0],
            pollutants=keys[:, 1],
            expected=keys[:, 2].astype(np.bool_),
            in_force=stack((f.in_force for f, _ in self._rows), np.bool_),
            plant=stack((f.plant for f, _ in self._rows), np.int32),
            line=stack((f.line for f, _ in self._rows), np.int32),
            point_type=stack((f.point_type for f, _ in self._rows), np.int32),
            limit=stack((h.ule.value for _, h in self._rows), np.float64),
            rule=stack((h.ule.rule for _, h in self._rows), np.int32),
            draft=stack((h.ule.draft for _, h in self._rows), np.bool_),
            mandatory=stack((h.mandatory.value for _, h in self._rows), np.float64),
            mandatory_rule=stack((h.mandatory.rule for _, h in self._rows), np.int32),
            names=self._names.texts,
            rules=self._rules.texts,
        )
