"""The book of the trading system: plans of allocation, orders of rounding, deadlines, uncertainties, limits of cross-checks.

Belongs here: loading reference/ets, choosing by year, versions. Does not belong here: what a home adds (`ets_home`), parameters that
are factors (`factors`), and computing (`kernels/allocation`, `kernels/uncertainty`).
"""

from __future__ import annotations

import csv
import hashlib
import json
import tomllib
from calendar import monthrange
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import reference
from resources.factors_read import CONFIDENCE
from resources.problems import Problem, listing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from resources.factors import FactorBook

#: Why a line's allowance is its emission, or why it takes no part; in this order the first that holds counts.
SPECIAL = ("not_listed", "not_covered", "new", "closed", "small_entity", "white", "gypsum_acid", "carbide")
#: "unknown": no plan is published, so that nobody gets a number.
RULES = ("verified", "intensity", "unknown")
STEPS = (
    "monthly_filing", "control_plan", "preallocation", "annual_report", "verification", "allowances_fixed", "allowances_issued",
    "surrender",
)  # fmt: skip
DISTRIBUTIONS = ("normal", "triangular", "rectangular")
_ORDER = ("emission", "intensity", "deviation", "coefficient")


class EtsError(Exception):
    """Files of the trading system are broken; `problems` names file and place of each."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(f"ets: {len(problems)} 处错误 / {len(problems)} error(s)\n{listing(problems)}")


@dataclass(frozen=True, slots=True)
class RoundingOrder:
    """Decimals in the formula of allowances, -1 where a figure is not rounded."""

    id: str
    emission: int
    intensity: int
    deviation: int
    coefficient: int
    confidence: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How allowances are allocated for reporting years [from_year, to_year)."""

    from_year: int
    to_year: int | None
    rule: str
    method: str
    aggregation: str
    profile: str
    special: tuple[str, ...]
    outside: tuple[str, ...]
    covered: tuple[str, ...]
    clause: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """One step due on a day. `period` is the reporting year, or the month that is filed; `not_listed`: of plants off the list too."""

    step: str
    period: str
    due: date
    source: str
    confidence: str
    not_listed: bool = False


@dataclass(frozen=True, slots=True)
class Uncertain:
    """How uncertain one kind of input is: relative half-width in %, of a meter None (its class says); `apart`: months independent."""

    quantity: str
    kind: str
    distribution: str
    half_width_pct: float | None
    cut_pct: float | None
    apart: bool
    source: str
    confidence: str

    @property
    def id(self) -> str:
        """Name of the row."""
        return f"{self.quantity}/{self.kind}"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of a cross-check; what lies outside is a finding, and differences below `floor` are rounding. `days`: of an approved year."""

    low: float | None
    high: float | None
    floor: float
    unit: str
    confidence: str
    days: int = 0


@dataclass(frozen=True, slots=True)
class Required:
    """A ledger table that a month cannot be filed without: always, or where the line uses it at all."""

    table: str
    always: bool
    zh: str
    en: str


class EtsBook:
    """Everything of reference/ets. Build it with `load`."""

    def __init__(self, content: dict[str, Any], uncertain: list[dict[str, str]]) -> None:
        self.plans = tuple(_plan(p) for p in content["plan"])
        self.orders = {p["id"]: _order(p) for p in content["profile"]}
        self.required = tuple(
            Required(r["table"], r["when"] == "always", r["zh"], r["en"]) for r in content["required"]
        )
        self.checks = {name: _bounds(row) for name, row in content["check"].items()}
        self.uncertain = {u.id: u for u in map(_uncertain, uncertain)}
        self._deadlines = content["deadline"]
        self._months = content["month"]
        self._sources = content["sources"]

    @classmethod
    def load(cls, folder: Path | None = None) -> EtsBook:
        """Read every file; EtsError lists every error at once."""
        folder = reference.ETS if folder is None else folder
        content: dict[str, Any] = {}
        problems: list[Problem] = []
        sources: dict[str, str] = {}
        for name in ("allocation.toml", "calendar.toml", "checks.toml"):
            part = tomllib.loads((folder / name).read_text(encoding="utf-8-sig"))
            problems += _wrong(name, part)
            sources |= part.pop("sources", {})
            content |= part
        with (folder / "uncertainty.csv").open(encoding="utf-8-sig", newline="") as lines:
            uncertain = list(csv.DictReader(lines))
        problems += [p for n, row in enumerate(uncertain, 2) for p in _wrong_width(n, row)]
        known = {p.get("id") for p in content["profile"]}
        problems += [
            _problem("allocation.toml", f"plan[{n}].profile", p.get("profile"))
            for n, p in enumerate(content["plan"], 1)
            if p.get("profile") not in known
        ]
        if problems:
            raise EtsError(problems)
        return cls(content | {"sources": sources}, uncertain)

    def plan(self, year: int) -> Plan | None:
        """The plan of a reporting year; None where there is none."""
        return next((p for p in self.plans if p.from_year <= year and (p.to_year is None or year < p.to_year)), None)

    def deadlines(self, year: int) -> list[Deadline]:
        """Deadlines of a reporting year but for monthly filing, by day."""
        made = [
            Deadline(
                d["step"], str(year), d["due"], self._sources[d["source"]], d["confidence"], d.get("not_listed", False)
            )
            for d in self._deadlines
            if d["year"] == year
        ]
        return sorted(made, key=lambda d: (d.due, STEPS.index(d.step)))

    def filing(self, month: str, factors: FactorBook) -> Deadline | None:
        """When a month 'YYYY-MM' is to be filed: so many natural days after its end (vector D-1); None where nothing is due."""
        for row in self._months:
            if row["first"] <= month <= row["last"]:
                return Deadline("monthly_filing", month, row["due"], self._sources[row["source"]], row["confidence"])
        year, number = int(month[:4]), int(month[5:])
        end = date(year, number, monthrange(year, number)[1])
        if not factors.has("ets", "filing_days", end):
            return None
        days = factors.find("ets", "filing_days", end)
        return Deadline("monthly_filing", month, end + timedelta(days=int(days.value)), days.source, days.confidence)

    def version(self, first: date, last: date) -> str:
        """SHA-256 over what holds for the years of [first, last]; uncertainties and limits of checks are of every year."""
        years = range(first.year, last.year + 1)
        plans = [p for y in years if (p := self.plan(y))]
        said = {
            "plans": [asdict(p) for p in plans],
            "orders": [asdict(self.orders[p.profile]) for p in plans],
            "deadlines": [asdict(d) for y in years for d in self.deadlines(y)],
            "months": [
                m for m in self._months if m["first"][:4] <= str(last.year) and m["last"][:4] >= str(first.year)
            ],
            "required": [asdict(r) for r in self.required],
            "checks": {name: asdict(b) for name, b in self.checks.items()},
            "uncertain": {name: asdict(u) for name, u in self.uncertain.items()},
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def _plan(row: dict[str, Any]) -> Plan:
    special, outside, covered = (tuple(row[name]) for name in ("special", "outside", "covered"))
    years = row["from_year"], row.get("to_year")
    how = row["rule"], row["method"], row["aggregation"], row["profile"]
    return Plan(*years, *how, special, outside, covered, row["clause"], row["confidence"])


def _order(row: dict[str, Any]) -> RoundingOrder:
    return RoundingOrder(id=row["id"], confidence=row["confidence"], **{name: row.get(name, -1) for name in _ORDER})


def _bounds(row: dict[str, Any]) -> Bounds:
    return Bounds(
        row.get("low"), row.get("high"), row.get("floor", 0.0), row["unit"], CONFIDENCE[row["mark"]], row.get("days", 0)
    )


def _uncertain(row: dict[str, str]) -> Uncertain:
    half_width, cut = (float(row[n]) if row[n] else None for n in ("half_width_pct", "cut_pct"))
    return Uncertain(
        row["quantity"], row["class"], row["distribution"], half_width, cut, row["months"] == "apart", row["source"],
        row["confidence"],
    )  # fmt: skip


def _wrong(file: str, content: dict[str, Any]) -> Iterator[Problem]:
    """What is wrong with the rows of one file: marks, sources, and the words that have a list."""
    sources = content.get("sources", {})
    listed = {"rule": RULES, "step": STEPS, "when": ("always", "used")}
    for table, rows in content.items():
        if table == "sources":
            continue
        named = rows.items() if isinstance(rows, dict) else enumerate(rows, 1)
        for number, row in named:
            where = f"{table}[{number}]"
            worth = CONFIDENCE.get(row.get("mark", ""))
            if worth is None or row.get("confidence", worth) not in (worth, "draft"):
                yield _problem(file, f"{where}.mark", row.get("mark"))
            if row.get("source") not in sources:
                yield _problem(file, f"{where}.source", row.get("source"))
            for name, words in listed.items():
                if name in row and row[name] not in words:
                    yield _problem(file, f"{where}.{name}", row[name])
            for name in ("special", "outside"):
                for word in (w for w in row.get(name, ()) if w not in SPECIAL):
                    yield _problem(file, f"{where}.{name}", word)


def _wrong_width(number: int, row: dict[str, str]) -> Iterator[Problem]:
    if CONFIDENCE.get(row["mark"]) not in (row["confidence"], None) and row["confidence"] != "draft":
        yield _problem("uncertainty.csv", "mark", row["mark"], number)
    if row["mark"] not in CONFIDENCE or row["distribution"] not in DISTRIBUTIONS:
        yield _problem("uncertainty.csv", "distribution", row["distribution"], number)
    if row["months"] not in ("together", "apart"):
        yield _problem("uncertainty.csv", "months", row["months"], number)
    for name in ("half_width_pct", "cut_pct"):
        if row[name] and not row[name].replace(".", "", 1).isdigit():
            yield _problem("uncertainty.csv", name, row[name], number)


def _problem(file: str, key: str, value: object, row: int = 0) -> Problem:
    texts = "不在允许的取值之列", "is not one of the permitted values", "改正该处", "correct it"
    return Problem(file, row, key, str(value), *texts)
