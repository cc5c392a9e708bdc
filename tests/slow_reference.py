"""A whole month from captures, declarations and registry to hours, tags, verdicts and mass, in plain Python.

It shares nothing with the project: own parsing of frames and CSV, lists and floats, numbers typed from the rules. It is meant to
be read beside the texts, one small function a rule; slow does not matter. It knows what simulated homes hold and no more:
registry rows in force throughout, one logger a stack, labels that are stated, flags N C M D T and strange ones.
"""

from __future__ import annotations

import csv
import re
from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLLUTANTS = ("pm", "so2", "nox", "nh3", "co", "hcl", "hf", "hg")
CODES = {
    "a34013": "pm", "a21026": "so2", "a21002": "nox", "a21003": "no", "a21004": "no2", "a21001": "nh3", "a21005": "co",
    "a21024": "hcl", "a21018": "hf", "a20057": "hg", "a19001": "o2", "a00000": "flow", "a01011": "velocity",
    "a01012": "temperature", "a01013": "pressure", "a01014": "humidity",
    "01": "pm", "02": "so2", "03": "nox", "10": "nh3", "04": "co", "08": "hcl", "06": "hf", "31": "hg", "S01": "o2", "B02": "flow",
    "S02": "velocity", "S03": "temperature", "S08": "pressure", "S05": "humidity",
}  # fmt: skip
CHANNELS = tuple(dict.fromkeys(CODES.values()))
#: Declared states from strict to lenient: where several hold the first counts.
STATES = ("running", "banked", "hot_start", "cold_start", "shutdown", "stopped")
#: Emission points that the state of their line applies to.
STATED = ("kiln_tail", "cooler")
STATE_TAG = {"cold_start": "St", "hot_start": "St", "shutdown": "Sd", "banked": "B"}
CAP_HOURS = {"cold_start": 36, "hot_start": 8, "shutdown": 8}
CAPPED = ("so2", "nox")
MARKS = ("OOC", "D", "M", "C", "T")
#: Tags by precedence with the minutes that they take (air-rules 3.2): at least 45, or more than 15.
TAGS = (
    ("F", 45),
    ("Md", 16),
    ("OOC", 16),
    ("D", 16),
    ("M", 16),
    ("C", 16),
    ("T", 16),
    ("St", 45),
    ("Sd", 45),
    ("B", 45),
    ("N", 45),
)
ORDER = [tag for tag, _ in TAGS]
O2_REFERENCE = {"kiln_tail": 10.0, "dryer": 8.0}
#: Ultra-low limits (环大气〔2024〕5号); the dryer's SO2 and NOx are the stricter reading.
ULE = {"kiln_tail": {"pm": 10.0, "so2": 35.0, "nox": 50.0}, "dryer": {"pm": 10.0, "so2": 35.0, "nox": 50.0}}
ULE_OTHER = {"pm": 10.0}
POLICIES = (
    "include_all_fuel_on", "exclude_tagged_within_cap", "exclude_all_tagged", "count_as_fail", "drop_with_min_capture",
    "round_half_even",
)  # fmt: skip
MINUTE = timedelta(minutes=1)
EARLY = datetime(1900, 1, 1)


def mandatory_limits(point: str, region: str, reductant: str, when: datetime) -> dict[str, float]:
    """GB 4915-2013 tables 1 (general) and 2 (key regions), with the amendment of 2026-04-01 for dryers."""
    special = region == "key"
    if point == "kiln_tail":
        made = {"pm": 20.0, "so2": 100.0, "nox": 320.0} if special else {"pm": 30.0, "so2": 200.0, "nox": 400.0}
        return made | ({"nh3": 8.0 if special else 10.0} if reductant in ("ammonia", "urea") else {})
    if point == "dryer":
        if when >= datetime(2026, 4, 1):
            return {"pm": 10.0, "so2": 50.0, "nox": 80.0}
        return {"pm": 20.0, "so2": 400.0, "nox": 300.0} if special else {"pm": 30.0, "so2": 600.0, "nox": 400.0}
    if point in ("cooler", "coal_mill"):
        return {"pm": 20.0 if special else 30.0}
    return {"pm": 10.0 if special else 20.0}


# ---- registry and captures ---------------------------------------------------------------------------------------------------------


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _crc_table() -> list[int]:
    made = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ 0xA001 if byte & 1 else byte >> 1  # noqa: PLW2901
        made.append(byte)
    return made


_CRC = _crc_table()


def crc(segment: bytes, *, modbus: bool = False) -> int:
    """HJ 212 appendix A: the step drops the low byte; Modbus does not."""
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ _CRC[(register ^ byte) & 255] if modbus else _CRC[(register >> 8) ^ byte]
    return register


def frames(
    raw: bytes, devices: dict[str, dict[str, str]]
) -> Iterator[tuple[int, dict[str, str], list[tuple[str, str]]]]:
    """(offset, head, pairs) of every whole minute frame of a known logger."""
    for found in re.finditer(rb"##(\d{4})", raw):
        begin = found.end()
        segment = raw[begin : begin + int(found[1])]
        digits = raw[begin + len(segment) : begin + len(segment) + 4]
        if b"CN=2051;" not in segment[:80] or not re.fullmatch(rb"[0-9A-Fa-f]{4}", digits):
            continue
        head, _, data = segment.decode("latin-1").partition("CP=&&")
        fields = dict(part.split("=", 1) for part in head.split(";") if "=" in part)
        device = devices.get(fields.get("MN", ""))
        if device is None:
            continue
        if crc(segment) == int(digits, 16) or (
            "modbus" in device["crc_variants"].split(";") and crc(segment, modbus=True) == int(digits, 16)
        ):
            pairs = [tuple(p.split("=", 1)) for p in re.split("[;,]", data.split("&&")[0]) if "=" in p]
            yield found.start(), fields, pairs  # type: ignore[misc]


def time_of(digits: str) -> datetime | None:
    if not re.fullmatch(r"\d{14}(\d{3})?", digits):
        return None
    return datetime.strptime(digits[:14], "%Y%m%d%H%M%S") + timedelta(milliseconds=int(digits[14:] or 0))


@dataclass
class Month:
    """A month of a home. `cells[outlet][channel]` has one (value, flag) or None per minute."""

    home: Path
    first: datetime
    registry: dict[str, list[dict[str, str]]]
    cells: dict[str, dict[str, list[tuple[float | None, str | None] | None]]]
    states: dict[str, list[Spell]] = field(default_factory=dict)
    marks: dict[str, list[Mark]] = field(default_factory=dict)

    @property
    def minutes(self) -> int:
        return monthrange(self.first.year, self.first.month)[1] * 1440

    @property
    def hours(self) -> int:
        return self.minutes // 60

    def minute(self, when: datetime) -> int:
        """Minutes from the first of the month, rounded down."""
        return (when - self.first) // MINUTE


def read_month(home: Path, year: int, month: int) -> Month:
    """Registry, captures and declarations of a simulated home."""
    registry = {n: table(home / f"registry/{n}.csv") for n in ("plants", "lines", "outlets", "devices", "permits")}
    made = Month(home, datetime(year, month, 1), registry, {})
    devices = {d["mn"]: d for d in registry["devices"]}
    best: dict[tuple[str, datetime, str, str], tuple[tuple[datetime, str, int], Any]] = {}
    for path in sorted((home / "landing/cems").rglob("*.txt")):
        name, raw = path.relative_to(home / "landing").as_posix(), path.read_bytes()
        for offset, head, pairs in frames(raw, devices):
            seen: dict[str, str] = {}
            for key, text in pairs:
                seen.setdefault(key, text)  # of a field that is named twice the first counts
            when = time_of(seen.pop("DataTime", ""))
            if when is None:
                continue
            order = (time_of(head.get("QN", "")) or EARLY, name, offset)
            for key, text in seen.items():
                code, _, sub = key.rpartition("-")
                if code not in CODES or sub not in ("Avg", "Flag"):
                    continue
                value: Any = text
                if sub == "Avg":
                    value = float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else None
                cell = head["MN"], when, CODES[code], sub
                # A value that is no number says nothing; of those that say something the highest QN counts, then file and place.
                if value is not None and (cell not in best or order > best[cell][0]):
                    best[cell] = order, value
                best.setdefault((head["MN"], when, CODES[code], "sent"), (order, True))
    _lay_out(made, devices, best)
    read_declarations(made)
    return made


def _lay_out(month: Month, devices: dict[str, dict[str, str]], best: dict[Any, Any]) -> None:
    for mn, when, channel, sub in list(best):
        if sub != "sent":
            continue
        device = devices[mn]
        assert device["label"] in ("start", "end")
        interval = int(device["interval_min"])
        start = month.minute(when) // interval * interval - (interval if device["label"] == "end" else 0)
        if not 0 <= start < month.minutes:
            continue
        value = best.get((mn, when, channel, "Avg"), (None, None))[1]
        flag = best.get((mn, when, channel, "Flag"), (None, None))[1]
        row = month.cells.setdefault(device["outlet_id"], {})
        cells = row.setdefault(channel, [None] * month.minutes)
        cells[start : start + interval] = [(value, flag)] * interval


# ---- declarations ------------------------------------------------------------------------------------------------------------------


@dataclass
class Spell:
    """A declared state of a line: its own start, the end where it is known, whether it was declared too late."""

    state: str
    start: datetime
    end: datetime | None
    late: bool


@dataclass
class Mark:
    mark: str
    channel: str
    start: datetime
    end: datetime | None
    calibrated: datetime | None


def said(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M")
    except ValueError:
        return None


def counting(rows: list[dict[str, str]], plant_of: dict[str, str], place: str) -> Iterator[tuple[dict[str, str], bool]]:
    """Of the rows of one event (id within a plant) the one declared last, of equals the last one; and whether none of those that
    claim the same came by 12:00 of the day after the start.
    """
    by_id: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        by_id[plant_of[row[place]], row["event_id"]].append(row)
    for some in by_id.values():
        winner = max(enumerate(some), key=lambda r: (said(r[1]["declared_at"]) or EARLY, r[0]))[1]
        claims = [
            r for r in some if all(r.get(k) == winner.get(k) for k in (place, "state", "mark", "channel", "start"))
        ]
        start = said(winner["start"])
        assert start is not None
        due = datetime(start.year, start.month, start.day) + timedelta(days=1, hours=12)
        told = [said(r["declared_at"]) for r in claims]
        yield winner, not any(t is not None and t <= due for t in told)


def good_rows(
    home: Path, name: str, place: str, known: set[str], what: str, words: tuple[str, ...]
) -> list[dict[str, str]]:
    """Rows that name a known place and state or mark, with a start and an end after it (or none)."""
    rows = [r for path in sorted((home / "landing/events").rglob(f"{name}-*.csv")) for r in table(path)]
    made = []
    for row in rows:
        start, end = said(row["start"]), said(row["end"])
        if (
            row[place] in known
            and row[what] in words
            and start
            and (not row["end"] or (end is not None and end > start))
        ):
            made.append(row)
    return made


def read_declarations(month: Month) -> None:
    lines = {n["line_id"]: n["plant_id"] for n in month.registry["lines"]}
    outlets = {o["outlet_id"]: o["plant_id"] for o in month.registry["outlets"]}
    rows = good_rows(month.home, "process_states", "line_id", set(lines), "state", STATES)
    for row, late in counting(rows, lines, "line_id"):
        start = said(row["start"])
        assert start is not None
        month.states.setdefault(row["line_id"], []).append(Spell(row["state"], start, said(row["end"]), late))
    for spells in month.states.values():
        spells.sort(key=lambda s: s.start)
        for spell in spells:
            if spell.end is None:  # until the next one begins
                spell.end = next((s.start for s in spells if s.start > spell.start), None)
    rows = good_rows(month.home, "device_marks", "outlet_id", set(outlets), "mark", MARKS)
    for row, _ in counting(rows, outlets, "outlet_id"):
        start = said(row["start"])
        assert start is not None
        mark = Mark(row["mark"], row["channel"], start, said(row["end"]), said(row["last_calibration_at"]))
        month.marks.setdefault(row["outlet_id"], []).append(mark)


def line_minutes(month: Month, line: str) -> list[Spell | None]:
    """The state that holds in each minute: of several the strictest, of one declared twice the earlier."""
    made: list[Spell | None] = [None] * month.minutes
    for spell in sorted(month.states.get(line, []), key=lambda s: (STATES.index(s.state), s.start), reverse=True):
        lo = max(month.minute(spell.start), 0)
        hi = min(month.minute(spell.end), month.minutes) if spell.end else month.minutes
        for m in range(lo, hi):
            made[m] = spell
    return made


def mark_minutes(month: Month, outlet: str) -> dict[str, dict[int, str]]:
    """Per channel: the mark of each marked minute, of several the first by precedence."""
    made: dict[str, dict[int, str]] = {c: {} for c in CHANNELS}
    for mark in sorted(month.marks.get(outlet, []), key=lambda m: MARKS.index(m.mark), reverse=True):
        lo = max(month.minute(mark.start), 0)
        hi = min(month.minute(mark.end), month.minutes) if mark.end else month.minutes
        for channel in CHANNELS if mark.channel == "all" else (mark.channel,):
            for m in range(lo, hi):
                made[channel][m] = mark.mark
    return made


# ---- minutes and hours -------------------------------------------------------------------------------------------------------------


@dataclass
class Hour:
    """One hour of one pollutant; None where there is no figure."""

    concentration: float | None
    converted: float | None
    judged: float | None
    o2: float | None
    flow: float | None
    mass: float | None
    valid_minutes: int
    tag: str
    system: str
    state: str | None
    exempt: bool


def flag_class(cell: tuple[float | None, str | None] | None, missing_flag: str) -> str:
    """ "N" valid, a tag, or "?" invalid without a tag (a flag that no edition knows, or none where none is invalid)."""
    if cell is None:
        return "Md"
    value, flag = cell
    if flag in ("C", "M", "D", "T"):
        return flag
    if flag == "B":
        return "Md"
    if flag == "S":
        return "M"
    if flag == "F":
        return "instrument"
    if flag == "N" or (flag is None and missing_flag == "valid"):
        return "N" if value is not None else "Md"
    return "?"


class Stack:
    """One outlet's month, minute by minute."""

    def __init__(self, month: Month, outlet: dict[str, str]) -> None:
        self.month, self.outlet = month, outlet
        self.device = next(d for d in month.registry["devices"] if d["outlet_id"] == outlet["outlet_id"])
        self.plant = next(p for p in month.registry["plants"] if p["plant_id"] == outlet["plant_id"])
        self.cells = month.cells.get(outlet["outlet_id"], {})
        self.marks = mark_minutes(month, outlet["outlet_id"])
        stated = outlet["line_id"] and outlet["point_type"] in STATED
        self.process = line_minutes(month, outlet["line_id"]) if stated else [None] * month.minutes
        self.reference = O2_REFERENCE.get(outlet["point_type"])

    def kind(self, channel: str, m: int) -> tuple[str, bool]:
        """Class of one minute of one channel, and whether it was declared."""
        spell = self.process[m]
        if spell and spell.state == "stopped":
            return "F", True
        if m in self.marks[channel]:
            return self.marks[channel][m], True
        cells = self.cells.get(channel)
        return flag_class(cells[m] if cells else None, self.device["missing_flag"]), False

    def value(self, channel: str, m: int) -> float | None:
        """A valid reading as it was sent."""
        if self.kind(channel, m)[0] != "N":
            return None
        cell = self.cells[channel][m]
        return cell[0] if cell else None

    def moisture_share(self, m: int) -> float | None:
        """1 - Xsw/100."""
        moisture = self.value("humidity", m)
        return None if moisture is None or moisture >= 100 else 1 - moisture / 100

    def dry(self, channel: str, m: int) -> float | None:
        """A valid concentration or O2 of dry gas (A2)."""
        value = self.value(channel, m)
        if value is None or self.device["gas_basis"] == "dry":
            return value
        share = self.moisture_share(m)
        return None if share is None else value / share

    def gas(self, pollutant: str, m: int) -> tuple[str, bool, float | None]:
        """Class of a pollutant's minute, whether declared, and its dry concentration; NOx as NO2 (A4)."""
        if pollutant == "nox" and self.device["nox_as_no2"] == "false":
            parts = [self.kind(c, m) for c in ("no", "no2")]
            worst = min(parts, key=lambda k: ORDER.index(k[0]) if k[0] in ORDER else len(ORDER))
            bad = [k for k in parts if k[0] != "N"]
            if bad:
                return (*(worst if worst in bad else bad[0]), None)
            no, no2 = self.dry("no", m), self.dry("no2", m)
            return "N", False, None if no is None or no2 is None else no * 46.005 / 30.006 + no2
        return (*self.kind(pollutant, m), self.dry(pollutant, m))

    def measures(self, pollutant: str) -> bool:
        return pollutant in self.cells or (pollutant == "nox" and {"no", "no2"} <= self.cells.keys())

    def flow(self, m: int) -> float | None:
        """Dry standard flow, m3/h."""
        value = self.value("flow", m)
        basis = self.device["flow_basis"]
        if value is not None and self.device["flow_unit"] == "m3/s":
            value *= 3600
        if "flow" not in self.cells or (self.cells["flow"][m] or (None, None))[0] is None:  # no flow of its own
            speed = None if m in self.marks["flow"] else self.value("velocity", m)
            if speed is not None:
                value = 3600 * float(self.outlet["duct_area_m2"]) * float(self.outlet["velocity_coefficient"]) * speed
                basis = "wet_actual"
        if value is None or basis == "dry_standard":
            return value
        ts, share, pressure = self.value("temperature", m), self.moisture_share(m), self.value("pressure", m)
        if ts is None or share is None or pressure is None:
            return None
        kpa = pressure / 1000 if self.device["pressure_unit"] == "Pa" else pressure
        if self.device["pressure_basis"] == "gauge":
            kpa += float(self.plant["ambient_pressure_kpa"])
        return value * 273 / (273 + ts) * kpa / 101.325 * share

    def hours(self) -> dict[str, list[Hour]]:
        made: dict[str, list[Hour]] = {p: [] for p in POLLUTANTS if self.measures(p)}
        for h in range(self.month.hours):
            minutes = range(60 * h, 60 * h + 60)
            o2 = [self.dry("o2", m) if "o2" in self.cells else None for m in minutes]
            flow = mean([self.flow(m) for m in minutes])
            state = self.hour_state(minutes)
            for pollutant, hours in made.items():
                hours.append(self.hour(pollutant, minutes, o2, flow, state))
        return made

    def hour(
        self, pollutant: str, minutes: range, o2: list[float | None], flow: float | None, state: str | None
    ) -> Hour:
        gas = [self.gas(pollutant, m) for m in minutes]
        values = [g[2] for g in gas]
        concentration = mean(values)
        judged, good, converted = concentration, sum(v is not None for v in values), None
        if self.reference is not None:
            each = [
                v * (21 - self.reference) / (21 - o) if v is not None and o is not None and o < 21 else None
                for v, o in zip(values, o2, strict=True)
            ]
            judged = converted = mean(each)
            good = sum(v is not None for v in each)
        tag, declared = self.tag([g[0] for g in gas], [g[1] for g in gas], minutes)
        mass = None if concentration is None or flow is None else concentration * flow * 1e-6
        system = "hj75" if declared else "hj212"
        exempt = pollutant in CAPPED and self.exempt(minutes)
        return Hour(concentration, converted, judged, mean(o2), flow, mass, good, tag, system, state, exempt)

    def tag(self, kinds: list[str], declared: list[bool], minutes: range) -> tuple[str, bool]:
        """The tag of an hour (air-rules 3.2), and whether declared minutes stand behind it."""
        count: dict[str, int] = defaultdict(int)
        run: list[str] = []
        for kind in [*kinds, "N"]:
            if kind not in ("N", "F"):
                run.append(kind)
                continue
            if run:  # a run of invalid minutes counts wholly for the label with most of them
                most = max(run.count(k) for k in run)
                count[min((k for k in run if run.count(k) == most), key=rank)] += len(run)
                run = []
            count[kind] += 1
        count["N"] -= 1
        process = [self.process[m] for m in minutes]
        for kind, spell in zip(kinds, process, strict=True):
            if kind == "N" and spell and spell.state in STATE_TAG:
                count[STATE_TAG[spell.state]] += 1
        for tag, least in TAGS:
            if count[tag] >= least:
                told = any(d and k == tag for k, d in zip(kinds, declared, strict=True))
                stated = any(s is not None and STATE_TAG.get(s.state) == tag for s in process)
                return tag, told or stated
        return "X_INSUFFICIENT", False

    def hour_state(self, minutes: range) -> str | None:
        """The declared state of at least 45 minutes."""
        states = [s.state for m in minutes if (s := self.process[m])]
        return next((s for s in STATES if states.count(s) >= 45), None)

    def exempt(self, minutes: range) -> bool:
        """At least 45 minutes lie within the cap of a start or stop that was declared in time (air-rules 5)."""
        inside = 0
        for m in minutes:
            spell = self.process[m]
            if spell and not spell.late and spell.state in CAP_HOURS:
                inside += m < self.month.minute(spell.start) + 60 * CAP_HOURS[spell.state]
        return inside >= 45


def rank(kind: str) -> int:
    return ORDER.index(kind) if kind in ORDER else len(ORDER)


def mean(values: list[float | None]) -> float | None:
    """The mean of at least 45 valid minutes."""
    good = [v for v in values if v is not None]
    return sum(good) / len(good) if len(good) >= 45 else None


# ---- the 95 % rule -----------------------------------------------------------------------------------------------------------------


def holds(value: float, limit: float, policy: str) -> bool:
    if policy == "round_half_even":
        return Decimal(repr(value)).quantize(Decimal("0.1"), ROUND_HALF_EVEN) <= Decimal(repr(limit))
    return value <= limit


def left_out(hour: Hour, policy: str) -> bool:
    if policy == "exclude_tagged_within_cap":
        return hour.exempt
    return policy == "exclude_all_tagged" and (hour.exempt or hour.state in ("cold_start", "hot_start", "shutdown"))


def verdict_row(series: list[tuple[list[Hour], float, float | None]], policy: str, hours: int) -> dict[str, Any]:
    """Counts and verdict of one pollutant, or of several jointly; each with its limit and its mandatory limit."""
    count: dict[str, int] = dict.fromkeys(("production", "valid", "judged", "ok", "tested", "unlawful"), 0)
    for h in range(hours):
        members = [(row[h], limit, floor) for row, limit, floor in series]
        if members[0][0].state == "stopped":
            continue
        count["production"] += 1
        count["valid"] += all(hour.judged is not None for hour, _, _ in members)
        members = [m for m in members if not left_out(m[0], policy)]
        if not members:
            continue
        known = all(hour.judged is not None for hour, _, _ in members)
        if not known and policy != "count_as_fail":
            continue
        count["judged"] += 1
        if not known:
            continue
        count["ok"] += all(holds(hour.judged, limit, policy) for hour, limit, _ in members)  # type: ignore[arg-type]
        test = [(hour.judged, floor) for hour, _, floor in members if floor is not None and not hour.exempt]
        count["tested"] += bool(test)
        count["unlawful"] += any(not holds(v, f, policy) for v, f in test)  # type: ignore[arg-type]
    n, ok = count["judged"], count["ok"]
    floor = {"drop_with_min_capture": 90}.get(policy, 75)
    thin = 100 * count["valid"] < floor * count["production"] and policy != "count_as_fail"
    if not count["production"]:
        verdict = "NO_PRODUCTION"
    elif thin or not n:
        verdict = "INSUFFICIENT"
    else:
        verdict = "PASS" if 100 * ok >= 95 * n else "FAIL"
    return {
        "production_hours": count["production"], "valid_hours": count["valid"], "judged_hours": n, "ok_hours": ok,
        "fail_hours": n - ok, "allowed_fail_hours": 5 * n // 100, "mandatory_hours": count["tested"],
        "mandatory_fail_hours": count["unlawful"], "verdict": verdict,
    }  # fmt: skip


def verdicts(
    month: Month, stacks: dict[str, Stack], hours: dict[str, dict[str, list[Hour]]]
) -> dict[tuple[str, str, str], dict[str, Any]]:
    """(outlet, pollutant or joint, policy) -> the row of the month."""
    made = {}
    for name, stack in stacks.items():
        point = stack.outlet["point_type"]
        floors = mandatory_limits(point, stack.plant["region_class"], stack.outlet["reductant"], month.first)
        for permit in month.registry["permits"]:
            if permit["outlet_id"] == name:
                floors[permit["pollutant"]] = float(permit["limit_mg_m3"])
        limits = ULE.get(point, ULE_OTHER)
        series = {p: (hours[name][p], limit, floors.get(p)) for p, limit in limits.items() if p in hours[name]}
        for policy in POLICIES:
            for pollutant, one in series.items():
                made[name, pollutant, policy] = verdict_row([one], policy, month.hours)
            if len(series) > 1:
                made[name, "joint", policy] = verdict_row(list(series.values()), policy, month.hours)
    return made


# ---- mass --------------------------------------------------------------------------------------------------------------------------


@dataclass
class Mass:
    """Mass of one hour in kg and how it came about; `basis` is the hour (index) whose mass was taken."""

    kg: float | None
    method: str
    basis: int | None = None


def masses(month: Month, outlet: str, pollutant: str, hours: list[Hour]) -> list[Mass]:
    """HJ 75 tables 5 and 6 over the month; the quarter to date is the month, for nothing came before it."""
    stopped = [h.tag == "F" and h.system == "hj75" for h in hours]
    valid = [i for i, h in enumerate(hours) if h.mass is not None and not stopped[i]]
    invalid = [i for i, h in enumerate(hours) if h.mass is None and not stopped[i]]
    due = len(valid) + len(invalid)
    made = [Mass(0.0, "stopped") if stopped[i] else Mass(h.mass, "measured") for i, h in enumerate(hours)]
    for i in invalid:
        begin, end = i, i
        while begin - 1 in invalid:
            begin -= 1
        while end + 1 in invalid:
            end += 1
        if 100 * len(valid) >= 90 * due:
            reach = 180 if end - begin + 1 <= 24 else 720
        elif 100 * len(valid) >= 75 * due:
            reach = 2160
        else:
            made[i] = Mass(None, "no_substitute")
            continue
        before = begin
        if hours[i].tag == "OOC":
            before = min(begin, last_calibration(month, outlet, pollutant, i))
        past = [v for v in valid if v < before][-reach:]
        if past:
            best = max(past, key=lambda v: (hours[v].mass, v))
            made[i] = Mass(hours[best].mass, f"max{reach}", best)
        else:
            made[i] = Mass(None, "no_substitute")
    return made


def last_calibration(month: Month, outlet: str, pollutant: str, hour: int) -> int:
    """The hour in which the last calibration before the mark of this hour lies: only whole hours before it count."""
    begin, end = month.first + timedelta(hours=hour), month.first + timedelta(hours=hour + 1)
    channels = (pollutant, "all", *(("no", "no2") if pollutant == "nox" else ()))
    times = [
        m.calibrated or m.start for m in month.marks.get(outlet, [])
        if m.mark == "OOC" and m.channel in channels and m.start < end and (m.end is None or m.end > begin)
    ]  # fmt: skip
    return month.minute(min(times)) // 60


@dataclass
class Result:
    month: Month
    stacks: dict[str, Stack]
    hours: dict[str, dict[str, list[Hour]]]
    verdicts: dict[tuple[str, str, str], dict[str, Any]]


def whole_month(home: Path, year: int, month: int) -> Result:
    """Everything of one month of a simulated home."""
    read = read_month(home, year, month)
    stacks = {o["outlet_id"]: Stack(read, o) for o in read.registry["outlets"]}
    hours = {name: stack.hours() for name, stack in stacks.items()}
    return Result(read, stacks, hours, verdicts(read, stacks, hours))
