"""What the rule book hands out, and the rows it is made of.

Belongs here: typed records of packs, limits, parameters, policies, tags, flags. Does not belong here: reading TOML
(`rules_read`) and choosing the row in force (`rules`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from resources.problems import Problem, listing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

LimitKind: TypeAlias = Literal["ule", "mandatory"]

#: Marks of the domain notes and what they are worth (reference/README.md): V1 read in the legal text, V2 in a secondary
#: source, M-hi from memory and likely right, M-lo from memory and to be checked, U unknown or an engineering choice.
CONFIDENCE: dict[str, str] = {"V1": "verified", "V2": "secondary", "M-hi": "memory", "M-lo": "draft", "U": "draft"}
#: Confidence of what a permit says: it is the operator's statement in the registry, not ours.
STATED = "stated"


class RuleError(LookupError):
    """A rule pack is broken (`problems` names file, line, row and key of each), or a rule that is asked for is absent."""

    def __init__(self, text: str, problems: list[Problem] | None = None) -> None:
        self.problems = problems or []
        super().__init__(f"{text}\n{listing(self.problems)}" if self.problems else text)


@dataclass(frozen=True, slots=True)
class Cite:
    """Where a row comes from, what it is worth and when it is in force (`effective_to` exclusive, None = open)."""

    source: str
    clause: str
    mark: str
    confidence: str
    effective_from: date
    effective_to: date | None = None
    note: str = ""

    def in_force(self, day: date) -> bool:
        """Whether the row is in force on `day`."""
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)

    def overlaps(self, first: date, last: date) -> bool:
        """Whether the row is in force on any day of [first, last], both inclusive."""
        return self.effective_from <= last and (self.effective_to is None or first < self.effective_to)


@dataclass(frozen=True, slots=True)
class Pack:
    """A rule pack: one document of the law, one file."""

    id: str
    kind: str
    title_zh: str
    title_en: str
    number: str
    effective_from: date
    effective_to: date | None
    confidence: str
    mark: str
    citations: tuple[str, ...]
    permit_names: tuple[str, ...]
    provinces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of one table of one pack; `cells` are typed and complete, `line` is where it starts in `file`."""

    pack: Pack
    table: str
    file: str
    line: int
    cells: Mapping[str, Any]
    cite: Cite


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit in mg/m3 (dry, standard state, hourly mean; at reference O2 where conversion applies). Inclusive: <= holds."""

    value_mg_m3: float
    rule_id: str
    kind: str
    standard: str
    clause: str
    confidence: str


@dataclass(frozen=True, slots=True)
class StandardLimit:
    """A limit of a pack that is chosen, not Chinese law: `value` in `unit` for the mean named by `averaging`. Inclusive.

    `o2_reference_pct` is what the value is converted to before it is compared (None: as measured). `confidence_interval_pct` is
    the share of a daily limit that is taken off each short-term mean. `parametric`: the plant shows compliance by an operating
    limit of its own tests, so that no stack figure can be compared. `value_low` is the stricter end where the text gives a
    range. `variants` are the classes of plants that it binds (empty = all).
    """

    pack_id: str
    pollutant: str
    value: float
    unit: str
    averaging: str
    value_low: float | None
    variants: tuple[str, ...]
    o2_reference_pct: float | None
    confidence_interval_pct: float | None
    with_reductant: bool
    parametric: bool
    clause: str
    confidence: str
    rule_id: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named number, text or switch of a method or policy; `unit` is empty for dimensionless ones."""

    name: str
    value: float | str | bool
    unit: str
    clause: str
    confidence: str
    rule_id: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A named way to apply the 95 % rule (air-rules 1.3); the headline is the strict one."""

    name: str
    title_zh: str
    title_en: str
    headline: bool
    startup_shutdown: str
    invalid_hours: str
    rounding: str
    min_capture_pct: float | None
    rounding_decimals: int | None
    clause: str
    confidence: str
    rule_id: str


@dataclass(frozen=True, slots=True)
class TagRule:
    """When an hour gets a tag: at least, or more than, so many of its minutes carry it (exactly one is set)."""

    tag: str
    name_zh: str
    name_en: str
    at_least_minutes: int | None
    more_than_minutes: int | None
    confidence: str
    rule_id: str

    def holds(self, minutes: float) -> bool:
        """Whether `minutes` of one hour under this tag are enough."""
        if self.at_least_minutes is not None:
            return minutes >= self.at_least_minutes
        return self.more_than_minutes is not None and minutes > self.more_than_minutes


@dataclass(frozen=True, slots=True)
class DataFlag:
    """A letter that a packet puts on a value. `hour_tag` is the HJ 75 tag it counts towards; the two lists never mix."""

    flag_system: str
    flag: str
    name_zh: str
    name_en: str
    valid: bool
    hour_tag: str
    confidence: str
