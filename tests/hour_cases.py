"""Small days of raw records for the tests of hours and labels, and the slow, obvious twin of the hour kernel.

Belongs here: building kernel input from lists, and doing the same sums in plain Python. Does not belong here: tests.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kernels import minutes as cells
from kernels.declared import ALL_CHANNELS, PROCESS, Declared
from kernels.hour_tags import Tags
from kernels.hours import POLLUTANT_ORDER, REASONS, Day, Hours, Outlets, Rules, hours_of_day
from kernels.minute_air import Constants
from kernels.minute_rows import Rows, Runs, rows_of_day

#: Tags in the order of precedence of air-rules 3.2, with the minutes each takes.
TAGS = {
    "F": 45, "off": 45, "Md": 16, "OOC": 16, "D": 16, "M": 16, "C": 16, "T": 16, "St": 45, "Sd": 45, "B": 45, "N": 45,
}  # fmt: skip
#: As `hour_rules` has it: the source stopped by declaration and an instrument that flags itself as off share a name.
TAG_NAMES = (*("F" if t == "off" else t for t in TAGS), "X_INSUFFICIENT")
TAG_CLASS = {"N": cells.VALID, "Md": cells.MISSING}
TAG_CLASS |= {tag: cells.FIRST_TAG + i for i, tag in enumerate(t for t in TAGS if t not in TAG_CLASS)}
DEVICE_TAGS = ("off", "Md", "OOC", "D", "M", "C", "T")
_JOINS = np.isin(np.arange(cells.N_CLASSES), [cells.INVALID, *(TAG_CLASS[t] for t in DEVICE_TAGS)])
_RANK = np.full(cells.N_CLASSES, len(TAGS))
_RANK[[TAG_CLASS[t] for t in TAGS]] = np.arange(len(TAGS))
#: Tag that each flag counts towards, by flag system; in 2017 F is the instrument, in 2005 the source.
FLAGS = (
    {"N": "N", "F": "off", "D": "D", "P": "D", "M": "M", "C": "C", "T": "T"},
    {"N": "N", "F": "off", "D": "D", "M": "M", "C": "C", "T": "T", "B": "Md"},
)
CONSTANTS = Constants(21.0, 21.0, 273.0, 101.325, 46.005 / 30.006)
RULES = Rules(
    45,
    True,
    19.0,
    Tags(np.array([TAG_CLASS[tag] for tag in TAGS]), np.array(list(TAGS.values())), _JOINS, _RANK),
    CONSTANTS,
)
DAY_MS = 1_700_000_000_000 // 86_400_000 * 86_400_000


@dataclass(frozen=True)
class Sender:
    """One run of rows: the device's facts and its records as (minutes after midnight, values, flags)."""

    outlet: int = 0
    interval: int = 1
    end: bool = False
    system: int = 1
    unmarked_valid: bool = True
    gas_wet: bool = False
    nox_as_no2: bool = True
    flow_wet: bool = False
    flow_scale: float = 1.0
    pressure_scale: float = 1.0
    pressure_offset: float = 0.0
    records: list[tuple[float, dict[str, float], dict[str, str]]] = field(default_factory=list)


@dataclass(frozen=True)
class Told:
    """One declared stretch, minutes [lo, hi): `channel` of CHANNEL_ORDER, "all", or "process" with F, St, Sd or B."""

    channel: str
    lo: int
    hi: int
    tag: str
    outlet: int = 0


@dataclass(frozen=True)
class Place:
    """Facts of one outlet."""

    o2_reference: float = math.nan
    area: float = math.nan
    coefficient: float = math.nan


def classes() -> Any:
    made = np.full((2, 256), cells.INVALID, np.uint8)
    for system, flags in enumerate(FLAGS):
        for flag, tag in flags.items():
            made[system, ord(flag)] = TAG_CLASS[tag]
    return made


def rows_of(senders: list[Sender], outlets: int) -> Rows:
    records = [record for sender in senders for record in sender.records]
    run = np.repeat(np.arange(len(senders), dtype=np.int32), [len(s.records) for s in senders])
    values, flags = [], []
    for channel in cells.CHANNEL_ORDER:
        told = any(channel in v for _, v, _ in records)
        marked = any(channel in f for _, _, f in records)
        values.append(np.array([v.get(channel, math.nan) for _, v, _ in records] if told else [], np.float64))
        flags.append(np.array([ord(f.get(channel, "\0")) for _, _, f in records] if marked else [], np.uint8))
    times = np.array([DAY_MS + round(t * 60_000) for t, _, _ in records], np.int64)
    return rows_of_day(values, flags, times, run, _runs(senders), outlets, DAY_MS)


def _runs(senders: list[Sender]) -> Runs:
    def column(kind: Any, values: list[Any]) -> Any:
        return np.array(values, kind)

    return Runs(
        column(np.int64, [s.outlet for s in senders]),
        column(np.int64, [s.interval for s in senders]),
        column(np.uint8, [s.end for s in senders]),
        column(np.uint8, [s.system for s in senders]),
        column(np.uint8, [cells.VALID if s.unmarked_valid else cells.INVALID for s in senders]),
        column(np.uint8, [cells.WET * s.gas_wet for s in senders]),
        column(np.uint8, [cells.NOT_AS_NO2 * (not s.nox_as_no2) for s in senders]),
        column(np.uint8, [cells.WET * s.flow_wet for s in senders]),
        column(np.float64, [s.flow_scale for s in senders]),
        column(np.float64, [s.pressure_scale for s in senders]),
        column(np.float64, [s.pressure_offset for s in senders]),
    )


def declared_of(told: list[Told], outlets: int) -> Declared:
    by_outlet = sorted(told, key=lambda t: t.outlet)
    first = np.searchsorted([t.outlet for t in by_outlet], np.arange(outlets + 1)).astype(np.int64)
    own = {"all": ALL_CHANNELS, "process": PROCESS}
    channel = [own[t.channel] if t.channel in own else cells.CHANNEL_ORDER.index(t.channel) for t in by_outlet]
    columns = (channel, [t.lo for t in by_outlet], [t.hi for t in by_outlet])
    codes = np.array([TAG_CLASS[t.tag] for t in by_outlet], np.uint8)
    return Declared(first, *(np.array(c, np.int64) for c in columns), codes, TAG_CLASS["F"])


def hours_from(
    senders: list[Sender], places: list[Place], rules: Rules = RULES, workers: int = 1, told: list[Told] | None = None
) -> Hours:
    facts = Outlets(
        np.array([p.o2_reference for p in places]),
        np.array([p.area for p in places]),
        np.array([p.coefficient for p in places]),
    )
    declared = declared_of(told or [], len(places))
    return hours_of_day(Day(rows_of(senders, len(places)), facts, classes(), rules, declared), workers)


def minute_records(first: int, count: int, values: dict[str, float], flags: dict[str, str] | None = None) -> list[Any]:
    """One record a minute, all alike."""
    return [(first + i, values, flags or {}) for i in range(count)]


@dataclass(frozen=True)
class Cell:
    """What the latest record says of one minute of one channel."""

    tag: str  # a tag, "" = invalid without one, "basis" = parts of NOx that cannot be added up
    value: float
    wet: bool = False
    as_no: bool = False
    declared: bool = False
    recorded: bool = True

    @property
    def valid(self) -> bool:
        return self.tag == "N"


def twin(
    senders: list[Sender], places: list[Place], rules: Rules = RULES, told: list[Told] | None = None
) -> dict[tuple[int, int], dict[str, Any]]:
    """Figures of every outlet and hour that anything was sent or declared for; pollutants under their names."""
    made = {}
    for outlet, place in enumerate(places):
        rows = [(t, s, v, f) for s in senders if s.outlet == outlet for t, v, f in s.records]
        rows.sort(key=lambda row: row[0])
        day: dict[int, dict[str, Cell]] = {}
        for time, sender, values, flags in rows:
            slot = math.floor(time) // sender.interval * sender.interval - (sender.interval if sender.end else 0)
            if 0 <= slot < 1440:
                for minute in range(slot, min(slot + sender.interval, 1440)):
                    cell = day.setdefault(minute, {})
                    cell.update(_said(sender, values, flags))
        sent = set(day)
        states: dict[int, str] = {}
        for one in [t for t in told or [] if t.outlet == outlet]:
            for minute in range(one.lo, one.hi):
                _declare(day.setdefault(minute, {}), one)
                if one.channel == "process":
                    states[minute] = one.tag
        for hour in sorted({minute // 60 for minute in day}):
            span = range(hour * 60, hour * 60 + 60)
            minutes = [day.get(m) for m in span]
            made[outlet, hour] = _hour(minutes, place, rules, [states.get(m, "") for m in span])
            made[outlet, hour]["covered"] = len(sent & set(span))
    return made


def _declare(minute: dict[str, Cell], told: Told) -> None:
    before = dict(minute)
    if told.channel == "process" and told.tag != "F":
        return
    for channel in cells.CHANNEL_ORDER if told.channel in ("all", "process") else [told.channel]:
        own = before.get(channel)
        recorded = own is not None and own.recorded
        if channel == "nox":
            recorded |= any(part in before and before[part].recorded for part in ("no", "no2"))
        minute[channel] = Cell(told.tag, math.nan, declared=True, recorded=recorded)


def _said(sender: Sender, values: dict[str, float], flags: dict[str, str]) -> dict[str, Cell]:
    said = {}
    for channel in cells.CHANNEL_ORDER:
        value, flag = values.get(channel, math.nan), flags.get(channel, "")
        if math.isnan(value) and not flag:
            continue
        tag = FLAGS[sender.system].get(flag, "") if flag else ("N" if sender.unmarked_valid else "")
        gas = cells.CHANNEL_ORDER.index(channel) <= cells.O2
        if channel == "flow":
            value *= sender.flow_scale
        if channel == "pressure":
            value = value * sender.pressure_scale + sender.pressure_offset
        if tag == "N" and not math.isfinite(value):
            tag = "Md"
        wet = sender.flow_wet if channel == "flow" else gas and sender.gas_wet
        said[channel] = Cell(tag, value, wet, channel in ("nox", "no", "no2") and not sender.nox_as_no2)
    return said


def _hour(minutes: list[dict[str, Cell] | None], place: Place, rules: Rules, states: list[str]) -> dict[str, Any]:
    filled = [m or {} for m in minutes]
    dry = [_dry_factor(m) for m in filled]
    o2 = [_dry(m.get("o2"), f) for m, f in zip(filled, dry, strict=True)]
    flow = [_flow(m, place) for m in filled]
    pressure = [m["pressure"].value for m in filled if "pressure" in m and m["pressure"].valid]
    made: dict[str, Any] = {
        "o2": _mean(o2, rules.min_valid_minutes),
        "flow": _mean(flow, rules.min_valid_minutes),
        "pressure": _mean(pressure, 1),
        "near_air": sum(x > rules.near_air_pct for x in o2),
    }
    for pollutant in POLLUTANT_ORDER:
        made[pollutant] = _pollutant(pollutant, filled, dry, o2, made, place, rules, states)
    return made


def _pollutant(name: str, minutes: list[dict[str, Cell]], dry: list[float], o2: list[float], air: dict[str, Any],
               place: Place, rules: Rules, states: list[str]) -> dict[str, Any]:  # fmt: skip
    least = rules.min_valid_minutes
    own = [_nox(m) if name == "nox" else m.get(name) for m in minutes]
    values = [_dry(cell, factor) for cell, factor in zip(own, dry, strict=True)]
    converted = [v * _o2_factor(o, place.o2_reference) for v, o in zip(values, o2, strict=True)]
    concentration = _mean(values, least)
    mean_first = concentration * _o2_factor(air["o2"], place.o2_reference)
    n_dry = sum(not math.isnan(v) for v in values)
    judged, n_o2 = n_dry, sum(not math.isnan(v) and not math.isnan(o) for v, o in zip(values, o2, strict=True))
    by_minute = _mean(converted, least)
    if not math.isnan(place.o2_reference):
        judged = sum(not math.isnan(v) for v in converted)
        if not rules.minute_first:
            by_minute, judged = mean_first, 0 if math.isnan(mean_first) else n_dry
            n_o2 = 0 if math.isnan(air["o2"]) else least
    raw = [m[name].value for m in minutes if name in m and m[name].valid]
    counts = {tag: sum(c is not None and c.tag == tag for c in own) for tag in (*TAGS, "basis")}
    none = sum(c is None or not c.recorded for c in own)
    tag = _tag(own, states)
    why = "stopped" if tag == "F" else _why(counts, none, n_dry, n_o2, least)
    return {
        "concentration": concentration,
        "converted": by_minute,
        "mean_first": mean_first,
        "raw": _mean(raw, least),
        "mass": concentration * air["flow"] / 1e6,
        "valid": judged,
        "minutes": 60 - none,
        "tag": "F" if tag == "off" else tag,
        "by_declaration": _by_declaration(own, states, tag),
        "reason": "" if judged >= least else why,
    }


def _tag(own: list[Cell | None], states: list[str]) -> str:
    """Joined across labels: every unbroken stretch of a device's invalid minutes counts for its commonest label."""
    labels = ["Md" if c is None else c.tag or "unknown" for c in own]
    counts: dict[str, int] = {}
    for joined, stretch in itertools.groupby(labels, key=lambda label: label in (*DEVICE_TAGS, "unknown")):
        held = list(stretch)
        if joined:
            rank = {tag: i for i, tag in enumerate([*TAGS, "unknown"])}
            held = [min(held, key=lambda t: (-held.count(t), rank[t]))] * len(held)
        for label in held:
            counts[label] = counts.get(label, 0) + 1
    for label, state in zip(labels, states, strict=True):
        if label == "N" and state:
            counts[state] = counts.get(state, 0) + 1
    return next((tag for tag, least in TAGS.items() if counts.get(tag, 0) >= least), "X_INSUFFICIENT")


def _by_declaration(own: list[Cell | None], states: list[str], tag: str) -> bool:
    return tag in states or any(c is not None and c.declared and c.tag == tag for c in own)


def _why(counts: dict[str, int], none: int, n_dry: int, n_o2: int, least: int) -> str:
    if none == 60:
        return "no_data"
    if counts["N"] < least:
        return "no_nox_basis" if counts["N"] + counts["basis"] >= least else "below_45_valid_minutes"
    if n_dry < least:
        return "no_moisture"
    return "o2_near_air" if n_o2 >= least else "o2_invalid"


def _nox(minute: dict[str, Cell]) -> Cell | None:
    own, no, no2 = minute.get("nox"), minute.get("no"), minute.get("no2")
    if own and not own.as_no:
        return own
    if no and no2 and no.valid and no2.valid and no.as_no:
        return replace(no, value=no.value * 46.005 / 30.006 + no2.value)
    if own:
        return replace(own, value=own.value * 46.005 / 30.006)
    parts = [part for part in (no, no2) if part]
    bad = [part for part in parts if not part.valid]
    if bad:
        return min(bad, key=lambda part: list(TAGS).index(part.tag) if part.tag else len(TAGS))
    return replace(parts[0], tag="basis") if parts else None


def _dry_factor(minute: dict[str, Cell]) -> float:
    moisture = minute.get("humidity")
    if moisture is None or not moisture.valid or moisture.value >= 100:
        return math.nan
    return 1 / (1 - moisture.value / 100)


def _dry(cell: Cell | None, factor: float) -> float:
    if cell is None or not cell.valid:
        return math.nan
    return cell.value * factor if cell.wet else cell.value


def _o2_factor(o2: float, reference: float) -> float:
    return (21 - reference) / (21 - o2) if o2 < 21 else math.nan


def _flow(minute: dict[str, Cell], place: Place) -> float:
    def reading(name: str) -> float:
        cell = minute.get(name)
        return cell.value if cell and cell.valid else math.nan

    flow, wet = reading("flow"), minute["flow"].wet if "flow" in minute else True
    if "flow" not in minute:
        flow = 3600 * place.area * place.coefficient * reading("velocity")
    if not wet:
        return flow
    kelvin, pressure, moisture = 273 + reading("temperature"), reading("pressure"), reading("humidity")
    if not (kelvin > 0 and pressure > 0 and moisture < 100):
        return math.nan
    return flow * 273 / kelvin * pressure / 101.325 * (1 - moisture / 100)


def _mean(values: list[float], least: int) -> float:
    left = [v for v in values if not math.isnan(v)]
    return math.fsum(left) / len(left) if len(left) >= least else math.nan


def tag_at(hours: Hours, outlet: int, hour: int, pollutant: str) -> str:
    return TAG_NAMES[hours.tag[outlet, hour, POLLUTANT_ORDER.index(pollutant)]]


def reason_at(hours: Hours, outlet: int, hour: int, pollutant: str) -> str:
    return REASONS[hours.reason[outlet, hour, POLLUTANT_ORDER.index(pollutant)]]
