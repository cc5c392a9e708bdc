"""Carbon of a year from ledgers, registry and factor rows, in exact fractions and plain Python.

It shares nothing with the project: own reading of CSV, own choice of factors, formulas and decimals typed from the carbon rules (2.2,
2.5, 2.6, 4, 7), one small function a part of a method. It is meant to be read beside the texts; slow does not matter. It knows
what generated homes hold and no more: ledgers as CSV, plants that do not change, one version of a home's own factors.

A figure is a Fraction or None; None has what is missing beside it, by ledger column or factor. There are no partial sums.
"""

from __future__ import annotations

import csv
from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction as F  # noqa: N817 - on every line of the formulas
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Row = dict[str, str]
FACTORS = Path(__file__).parents[1] / "reference" / "factors"
KEYS = {
    "ledger_clinker": ("line_id",), "ledger_fuel": ("plant_id", "line_id", "facility", "fuel"), "ledger_rawmat": ("line_id", "material"),
    "ledger_rawmeal": ("line_id",), "ledger_lab": ("line_id",), "ledger_dust": ("line_id",), "ledger_altfuel": ("line_id", "fuel"),
    "ledger_electricity": ("plant_id", "line_id"), "ledger_heat": ("plant_id",),
}  # fmt: skip
#: Columns that are no figures: a row that has nothing else says nothing.
WORDS = (
    "plant_id", "line_id", "facility", "fuel", "material", "month", "unit", "ncv_source", "meter_id", "metering", "submitted_at",
    "revision", "withdrawn", "_from",
)  # fmt: skip
WAYS = M1, M2 = ("annual_weighted", "monthly_sum")
#: Borders of regional grids (2.1; 6): only those that generated homes lie in.
REGION = {"贵州": "南方", "云南": "南方", "四川": "华中", "山东": "华北"}

V01, NDRC, MEE = "CETS-AG-02.01-V01-2024", "NDRC-2013", "MEE-332-2023"
B1, B2, T1, T2, EU, EPA = "GCCA-CSI-v3-B1", "GCCA-CSI-v3-B2", "IPCC-2006-T1", "IPCC-2006-T2", "EU-MRR-B", "EPA-98H"


@dataclass(frozen=True)
class Method:
    """What a method is made of. `ratios` of CaO and MgO; `exact`: a total is rounded once; `reports` electricity and heat too."""

    factors: tuple[str, ...]
    parts: tuple[str, ...]
    decimals: dict[str, int]
    exact: bool = False
    ratios: tuple[F, F] = (F(44, 56), F(44, 40))
    reports_energy: bool = False
    bases: tuple[str, ...] = ()
    years: tuple[int, int] = (0, 9999)
    draft: bool = False


#: 2.6; the guide of 2013 names none: what is filed has two decimals, nothing between is rounded (vector A under NDRC-2013).
_CETS = {
    "fuel": 2,
    "ncv": 3,
    "cc": 5,
    "clinker": 2,
    "rawmat": 2,
    "rawmeal": 2,
    "dust": 2,
    "altfuel": 2,
    "mwh": 3,
    "gj": 2,
}
_2013 = {k: n for k, n in _CETS.items() if k not in ("ncv", "cc", "rawmat")}
_PLAIN = {"fuel": 2, "clinker": 2, "dust": 2, "altfuel": 2}
_ABROAD = (F("0.785"), F("1.092"))
_GCCA = ("fuels", "altfuels", "{}", "bypass at EF", "calcined dust", "organic carbon by clinker", "other fuels")
METHODS = {
    V01: Method((V01,), ("fuels", "clinker by class", "other fuels", "electricity", "heat"), _CETS,
                bases=("location_province", "location_national", "market_residual", "net_national"), years=(2024, 9999)),
    NDRC: Method((NDRC,), ("fuels", "altfuels", "oxides with kiln dust", "organic carbon", "other fuels", "electricity", "heat"), _2013,
                 exact=True, reports_energy=True, bases=("location_region",), years=(2013, 2022)),
    MEE: Method((MEE, NDRC), ("fuels", "oxides", "line electricity", "other fuels", "electricity", "heat"), _CETS, reports_energy=True,
                bases=("national_ets",), years=(2022, 2024), draft=True),
    B1: Method(("GCCA-CSI-v3", V01, NDRC), tuple(p.format("clinker by default") for p in _GCCA), _PLAIN, years=(2011, 9999)),
    B2: Method(("GCCA-CSI-v3", V01, NDRC), tuple(p.format("oxides") for p in _GCCA), _PLAIN, ratios=_ABROAD, years=(2011, 9999)),
    T1: Method((T1,), ("cement",), _PLAIN, years=(2006, 9999)),
    T2: Method((T2,), ("lime of clinker",), _PLAIN, years=(2006, 9999)),
    EU: Method((EU, V01, NDRC), ("fuels", "altfuels", "oxides", "dust by factor", "other fuels"), _PLAIN, ratios=_ABROAD, years=(2013, 9999), draft=True),
    EPA: Method((EPA,), ("oxides", "dust needs analyses", "organic carbon"), _PLAIN, ratios=_ABROAD, years=(2010, 9999), draft=True),
}  # fmt: skip
#: Grid factor of each basis (6), and whether certificates are taken off.
GRID = {
    "location_province": ("province", False), "location_national": ("national", False), "location_region": ("region_ndrc", False),
    "national_ets": ("national_ets", False), "net_national": ("national", True), "market_residual": ("national_residual", True),
}  # fmt: skip


def half_up(x: F, places: int | None) -> F:
    """四舍五入: halves away from zero. None: not rounded."""
    if places is None:
        return x
    scaled = abs(x) * 10**places + F(1, 2)
    return F(scaled.numerator // scaled.denominator, 10**places) * (-1 if x < 0 else 1)


def number(text: str | None) -> F | None:
    return F(text) if text else None


@dataclass
class Source:
    """What emits in one month, or the year of it: `amounts` add up over months, `means` are weighted by the first amount."""

    plant: str
    line: str
    name: str
    part: str
    kind: str
    sum: str
    amounts: list[F | None]
    means: list[F | None]
    formula: str
    unit: str = ""
    basis: str = ""
    missing: list[str] = field(default_factory=list)
    reason: str | None = None
    drafts: set[str] = field(default_factory=set)
    carries_heat: bool = False
    exact: F | None = None
    #: Line that a row of the whole plant names all the same.
    at: str = ""

    @property
    def who(self) -> tuple[str, str, str]:
        return self.plant, self.line, self.name


# ---- formulas (2.2, 4, 7) -----------------------------------------------------------------------------------------------------


def emission(formula: str, amounts: list[F], means: list[F], ratios: tuple[F, F]) -> F:
    """tCO2 of one source."""
    q = amounts[0]
    if formula == "FC NCV CC OF 44/12":
        ncv, cc, of = means
        return q * ncv * cc * of / 100 * F(44, 12)
    if formula == "Q EF":
        return q * means[0]
    if formula == "-M K":
        return -q * means[0]
    if formula == "(Q + dust) oxides":
        cao, mgo, nc_cao, nc_mgo = means
        return (q + amounts[1]) * ((cao - nc_cao) / 100 * ratios[0] + (mgo - nc_mgo) / 100 * ratios[1])
    if formula == "Q ratio C 44/12":
        ratio, content = means
        return q * ratio * content / 100 * F(44, 12)
    if formula == "Q HV EF fossil":
        hv, ef, share = means
        return q * hv * ef * share / 100
    if formula == "CKD":
        ef, d = means
        part = ef / (1 + ef) * d
        return q * part / (1 - part)
    assert formula == "Q CaO", formula
    return q * F("0.65") / F("0.5603") * F("0.43971") * F("1.02")


def idle(s: Source) -> bool:
    """Nothing burnt, made or used emits nothing, whatever else is unknown of it."""
    return bool(s.amounts) and s.amounts[0] == 0 and all(a in (0, None) for a in s.amounts[1:])


def computed(s: Source, method: Method) -> Source:
    """The source with its emission, exactly, or with None and its reason."""
    if idle(s):
        s.missing, s.exact = [], F(0)
    elif s.missing:
        s.exact, s.reason = None, "missing_factor" if s.missing[0].startswith("factor") else "missing_input"
    else:
        s.exact = emission(s.formula, [a or F(0) for a in s.amounts], [m or F(0) for m in s.means], method.ratios)
    return s


# ---- reading --------------------------------------------------------------------------------------------------------------------


def _csv(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@dataclass
class Book:
    """A home: its registry, what counts of its ledgers by table and month, meters, factor rows."""

    plants: dict[str, str]
    lines: list[Row]
    ledgers: dict[tuple[str, str], list[Row]]
    meters: dict[tuple[str, str], list[Row]]
    factors: dict[tuple[str, str, str], list[Row]]

    @classmethod
    def read(cls, home: Path) -> Book:
        plants = {r["plant_id"]: r["province"] for r in _csv(home / "registry/plants.csv")}
        filed: defaultdict[tuple[str, ...], list[tuple[tuple[str, int, str, int], Row]]] = defaultdict(list)
        meters: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for path in sorted((home / "landing/ledgers").rglob("*.csv")):
            table = next((t for t in [*KEYS, "ledger_meter"] if path.name.startswith(t)), "")
            for n, row in enumerate(_csv(path)):
                if table == "ledger_meter":
                    meters[row["plant_id"], row["meter_id"]].append(row)
                elif any(v for k, v in row.items() if k not in WORDS) or row.get("withdrawn"):
                    # Later is: time of submission, revision, path, row; what is not given is earliest.
                    later = row.get("submitted_at") or "", int(row.get("revision") or -1), path.as_posix(), n
                    filed[table, row["month"], *(row.get(k) or "" for k in KEYS[table])].append((later, row))
        ledgers: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for (table, month, *_), rows in filed.items():
            last = max(rows, key=lambda r: r[0])[1]
            if not last.get("withdrawn"):
                ledgers[table, month].append(last)
        factors: defaultdict[tuple[str, str, str], list[Row]] = defaultdict(list)
        for path in [*FACTORS.glob("*.csv"), *(home / "registry").glob("factors*.csv")]:
            for row in _csv(path):
                if "factor_id" in row:
                    factors[row["quantity"], row["scope"], row.get("region") or ""].append(row)
        return cls(plants, _csv(home / "registry/lines.csv"), ledgers, meters, factors)

    def rows(self, table: str, month: str) -> list[Row]:
        return self.ledgers.get((table, month), [])

    def lines_of(self, month: str) -> list[Row]:
        """Lines in force on some day of a month."""
        first, last = f"{month}-01", f"{month}-{monthrange(int(month[:4]), int(month[5:]))[1]:02d}"
        return [n for n in self.lines if n["valid_from"] <= last and (not n["valid_to"] or n["valid_to"] > first)]

    def filed(self, month: str) -> set[str]:
        """Plants with a row in any ledger of a month."""
        owner = {n["line_id"]: n["plant_id"] for n in self.lines_of(month)}
        found = {r.get("plant_id") or owner.get(r.get("line_id") or "") for t in KEYS for r in self.rows(t, month)}
        return {p for p in found if p}

    def factor(self, quantity: str, scope: str, month: str, method: str, region: str = "") -> Row | None:
        """The row in force on the first day of a month: the one that begins last, then the one recorded and published last."""
        day = f"{month}-01"
        held = [
            r for r in self.factors.get((quantity, scope, region), [])
            if (not r["method"] or method in r["method"].split("|")) and r["valid_from"] <= day and (not r["valid_to"] or day < r["valid_to"])
        ]  # fmt: skip
        order = ("valid_from", "recorded_at", "published_on", "factor_id")
        return max(held, key=lambda r: tuple(r.get(c) or "" for c in order), default=None)


def meter_excess(rows: list[Row], month: str) -> F:
    """2.5: per cent added to a month's reading. Days without calibration: the class; days with a worse meter than its class: the excess."""
    rows = sorted(rows, key=lambda r: r["calibrated_from"])
    days = monthrange(int(month[:4]), int(month[5:]))[1]
    total = F(0)
    for n in range(days):
        day = (date.fromisoformat(f"{month}-01") + timedelta(days=n)).isoformat()
        known = [r for r in rows if r["calibrated_from"] <= day] or rows[:1]
        valid = [
            r
            for r in rows
            if r["calibrated_from"] <= day
            and (
                day <= r["calibrated_to"]
                if r["calibrated_to"]
                else day < f"{int(r['calibrated_from'][:4]) + 1}{r['calibrated_from'][4:]}"
            )
        ]
        permitted = number((valid or known)[-1]["class_pct"]) or F(0)
        found = number(valid[-1]["actual_pct"]) if valid else None
        if not valid:
            total += permitted
        elif found is not None and permitted:
            total += max(found - permitted, F(0))
    return total / days


# ---- parts of methods -----------------------------------------------------------------------------------------------------------


@dataclass
class Month:
    """One month of one method: what its parts make of the ledgers."""

    book: Book
    month: str
    name: str
    method: Method

    def __post_init__(self) -> None:
        filed = self.book.filed(self.month)
        self.plants = sorted(filed)
        self.lines = [n for n in self.book.lines_of(self.month) if n["plant_id"] in filed]
        self.owner = {n["line_id"]: n["plant_id"] for n in self.lines}
        self.clinker = {
            n: number(next((r["output_t"] for r in self.rows("ledger_clinker") if r["line_id"] == n), "")) for n in self.owner
        }  # fmt: skip

    def rows(self, table: str) -> list[Row]:
        return self.book.rows(table, self.month)

    def of_line(self, table: str, line: str) -> Row:
        return next((r for r in self.rows(table) if r["line_id"] == line), {})

    def rounded(self, quantity: str, x: F | None) -> F | None:
        return None if x is None else half_up(x, self.method.decimals.get(quantity))

    def factor(self, quantity: str, scope: str, region: str = "") -> Row | None:
        """Of the first guide in the method's list that has one."""
        found = (self.book.factor(quantity, scope, self.month, m, region) for m in self.method.factors)
        return next((f for f in found if f), None)

    def sources(self) -> list[Source]:
        made = [s for part in self.method.parts for s in self.part(part)]
        return [computed(s, self.method) for s in made]

    def part(self, part: str) -> Iterator[Source]:
        if part in ("fuels", "other fuels"):
            return self.fuels() if part == "fuels" else self.other_fuels()
        if part in ("electricity", "heat", "line electricity"):
            return {"electricity": self.electricity, "heat": self.heat, "line electricity": self.line_electricity}[
                part
            ]()
        of_lines = {
            "clinker by class": self.by_class, "clinker by default": self.by_default, "oxides": self.oxides,
            "oxides with kiln dust": self.oxides, "altfuels": self.altfuels, "organic carbon": self.organic_carbon,
            "organic carbon by clinker": self.organic_by_clinker, "bypass at EF": self.bypass, "calcined dust": self.calcined,
            "dust by factor": self.dust_by_factor, "dust needs analyses": self.needs_analyses, "cement": self.cement,
            "lime of clinker": self.lime,
        }[part]  # fmt: skip
        return (s for n in self.lines for s in of_lines(n, part))

    def fuel(self, row: Row, line: str) -> Source:
        """Carbon content and oxidation of one and the same guide; a measured heating value never goes back to the default (2.5)."""
        name, facility = row["fuel"], row["facility"]
        kind, unit = FUELS[name]
        guide = {}
        for m in self.method.factors:
            cc = self.book.factor("cc", name, self.month, m)
            of = next(
                (f for s in (name, f"{kind}/{facility}", kind) if (f := self.book.factor("of", s, self.month, m))), None
            )
            if cc and of:
                guide = {"cc": cc, "of": of, "ncv": self.book.factor("ncv", name, self.month, m)}
                break
        filed = row["ncv_source"] == "measured" or (not row["ncv_source"] and row["ncv_gj"])
        default = guide.get("ncv")
        ncv = number(row["ncv_gj"]) if filed else number(default["value"]) if default else None
        consumption = number(row["consumption"]) if row["unit"] else None
        meter = self.book.meters.get((row["plant_id"], row.get("meter_id") or ""))
        if meter and consumption is not None and self.name == V01:
            consumption *= 1 + meter_excess(meter, self.month) / 100
        missing = [
            *(["ledger_fuel.consumption"] if consumption is None else []),
            *(["ledger_fuel.unit"] if row["unit"] and row["unit"] != unit else []),
            *([f"factor ncv {name}" if not filed else "ledger_fuel.ncv_gj"] if ncv is None else []),
            *([f"factor cc {name}", f"factor of {name} {facility}"] if not guide else []),
        ]
        content, oxidised = (number(f["value"]) if (f := guide.get(q)) else None for q in ("cc", "of"))
        means = [self.rounded("ncv", ncv), self.rounded("cc", content), oxidised]
        source = name if facility == "kiln" else f"{facility}/{name}"
        used = [guide.get(q) for q in (("cc", "of") if filed else ("ncv", "cc", "of"))]
        return Source(
            row["plant_id"], line, source, "fuel", "other" if facility != "kiln" else "lines", "fossil", [self.rounded("fuel", consumption)],
            means, "FC NCV CC OF 44/12", missing=missing, drafts=drafts_of(used), carries_heat=facility == "kiln", at=line or row["line_id"],
        )  # fmt: skip

    def fuels(self) -> Iterator[Source]:
        """A kiln that made clinker burnt something: silence is a gap. Fuel that names no line is that of a plant's only line."""
        kiln = [r for r in self.rows("ledger_fuel") if r["facility"] == "kiln"]
        burnt = set()
        loose = set()
        for row in kiln:
            own = [n for n, p in self.owner.items() if p == row["plant_id"]]
            # Beside a row that names its line: the whole and its part, or two parts, nobody can tell.
            twice = any(r["line_id"] and (r["plant_id"], r["fuel"]) == (row["plant_id"], row["fuel"]) for r in kiln)
            line = row["line_id"] or (own[0] if len(own) == 1 and not twice else "")
            if line in self.owner:
                burnt.add(line)
                yield self.fuel(row, line)
            elif not line and number(row["consumption"]) != 0:
                loose.update(own)
        for line, plant in self.owner.items():
            if line not in burnt and self.clinker[line] != 0:
                yield gap(plant, line, "fuels", "fossil", "ledger_fuel")
            if line in loose:
                yield gap(plant, line, "fuels without line", "fossil", "ledger_fuel.line_id")

    def other_fuels(self) -> Iterator[Source]:
        return (self.fuel(r, "") for r in self.rows("ledger_fuel") if r["facility"] != "kiln")

    def by_factor(self, n: Row, name: str, amount: F | None, lacks: list[str], factor: Row | None, factor_name: str, unit: str = "") -> Source:  # fmt: skip
        missing = lacks + ([] if factor else [f"factor {factor_name}"])
        value = number(factor["value"]) if factor else None
        return Source(
            n["plant_id"], n["line_id"], name, "", "lines", "process", [amount], [value], "Q EF", unit, missing=missing,
            drafts=drafts_of([factor]),
        )  # fmt: skip

    def output(self, n: Row) -> tuple[F | None, list[str]]:
        made = self.clinker[n["line_id"]]
        return self.rounded("clinker", made), ["ledger_clinker.output_t"] if made is None else []

    def by_class(self, n: Row, _part: str) -> Iterator[Source]:
        """2.2 (2): clinker by class less listed substitutes, rounded as one; unlisted ones deduct nothing."""
        factor = self.factor("ef_clinker", n["clinker_class"])
        yield self.by_factor(n, "clinker", *self.output(n), factor, f"ef_clinker {n['clinker_class']}", "process")
        for row in self.rows("ledger_rawmat"):
            if row["line_id"] != n["line_id"]:
                continue
            k, used = self.factor("k_rawmat", row["material"]), self.rounded("rawmat", number(row["consumption_t"]))
            s = Source(n["plant_id"], n["line_id"], row["material"], "", "lines", "process", [used], [number(k["value"]) if k else F(0)], "-M K", "process", drafts=drafts_of([k]))  # fmt: skip
            if k is None:
                s.reason, s.amounts = "not_listed", [used or F(0)]
            elif used is None:
                s.missing = ["ledger_rawmat.consumption_t"]
            yield s

    def by_default(self, n: Row, _part: str) -> Iterator[Source]:
        yield self.by_factor(n, "clinker", *self.output(n), self.factor("ef_clinker", "default"), "ef_clinker default")

    def oxides(self, n: Row, part: str) -> Iterator[Source]:
        made, lacks = self.output(n)
        lab, dust = self.of_line("ledger_lab", n["line_id"]), self.of_line("ledger_dust", n["line_id"])
        columns = ("clinker_cao_pct", "clinker_mgo_pct", "noncarbonate_cao_pct", "noncarbonate_mgo_pct")
        contents = [number(lab.get(c)) for c in columns]
        lacks += [f"ledger_lab.{c}" for c, x in zip(columns, contents, strict=True) if x is None]
        amounts = [made]
        if part == "oxides with kiln dust":
            kiln, bypass = number(dust.get("kiln_dust_t")), number(dust.get("bypass_dust_t"))
            if kiln is None and made != 0:
                lacks.append("ledger_dust.kiln_dust_t")
            amounts.append(self.rounded("dust", (kiln or F(0)) + (bypass or F(0))))
        yield Source(n["plant_id"], n["line_id"], "clinker", "", "lines", "process", amounts if len(amounts) > 1 else [made, F(0)], contents, "(Q + dust) oxides", missing=lacks)  # fmt: skip

    def altfuels(self, n: Row, _part: str) -> Iterator[Source]:
        for row in self.rows("ledger_altfuel"):
            if row["line_id"] != n["line_id"]:
                continue
            amount = self.rounded("altfuel", number(row["consumption_t"]))
            pairs = (("ncv_gj", "hv_altfuel"), ("ef_tco2_gj", "ef_altfuel"), ("fossil_carbon_pct", "fossil_share"))
            borrowed: list[Row | None] = [None if row[c] else self.factor(q, row["fuel"]) for c, q in pairs]
            means = [number(row[c]) if row[c] else number(f["value"]) if f else None for (c, _), f in zip(pairs, borrowed, strict=True)]  # fmt: skip
            lacks = [f"ledger_altfuel.{c}" for (c, _), x in zip((("consumption_t", ""), *pairs), (amount, *means), strict=True) if x is None]  # fmt: skip
            yield Source(n["plant_id"], n["line_id"], f"altfuel/{row['fuel']}", "", "lines", "fossil", [amount], means, "Q HV EF fossil", missing=lacks, drafts=drafts_of(borrowed))  # fmt: skip

    def organic_carbon(self, n: Row, _part: str) -> Iterator[Source]:
        """Of the raw meal that was fed, with its filed carbon content or the default."""
        row, still = self.of_line("ledger_rawmeal", n["line_id"]), self.clinker[n["line_id"]] == 0
        fed = number(row.get("rawmeal_t"))
        filed, default = number(row.get("nonfuel_carbon_pct")), self.factor("rawmeal_carbon", "plain")
        content = filed if filed is not None else number(default["value"]) if default else None
        lacks = [] if fed is not None or still else ["ledger_rawmeal.rawmeal_t"]
        lacks += ["factor rawmeal_carbon plain"] if content is None else []
        amount = self.rounded("rawmeal", F(0) if fed is None and still else fed)
        yield Source(n["plant_id"], n["line_id"], "raw meal carbon", "", "lines", "process", [amount], [F(1), content], "Q ratio C 44/12", missing=lacks, drafts=drafts_of([] if filed is not None else [default]))  # fmt: skip

    def organic_by_clinker(self, n: Row, _part: str) -> Iterator[Source]:
        made, lacks = self.output(n)
        found = [self.factor("rawmeal_ratio", "default"), self.factor("rawmeal_carbon", "plain")]
        means = [number(f["value"]) if f else None for f in found]
        yield Source(n["plant_id"], n["line_id"], "raw meal carbon", "", "lines", "process", [made], means, "Q ratio C 44/12", missing=lacks, drafts=drafts_of(found))  # fmt: skip

    def bypass(self, n: Row, _part: str) -> Iterator[Source]:
        amount = number(self.of_line("ledger_dust", n["line_id"]).get("bypass_dust_t"))
        if amount is not None:
            factor = self.factor("ef_clinker", "default")
            yield self.by_factor(n, "bypass dust", self.rounded("dust", amount), [], factor, "ef_clinker default")

    def calcined(self, n: Row, _part: str) -> Iterator[Source]:
        """Dust of a dry kiln is not calcined (d = 0) unless the plant says so."""
        row = self.of_line("ledger_dust", n["line_id"])
        amount, d = number(row.get("ckd_t")), number(row.get("ckd_calcination"))
        if amount is None and not d:
            return
        lacks = ["ledger_dust.ckd_t"] if amount is None else []
        factor = self.factor("ef_clinker", "default")
        assert factor
        yield Source(n["plant_id"], n["line_id"], "kiln dust", "", "lines", "process", [self.rounded("dust", amount)], [number(factor["value"]), d or F(0)], "CKD", missing=lacks, drafts=drafts_of([factor]))  # fmt: skip

    def dust_by_factor(self, n: Row, _part: str) -> Iterator[Source]:
        row = self.of_line("ledger_dust", n["line_id"])
        ckd, bypass = number(row.get("ckd_t")), number(row.get("bypass_dust_t"))
        lacks = ["ledger_dust.ckd_t"] if ckd is None and self.clinker[n["line_id"]] != 0 else []
        amount = self.rounded("dust", (ckd or F(0)) + (bypass or F(0)))
        s = self.by_factor(n, "kiln dust", amount, lacks, self.factor("ef_ckd", "default"), "ef_ckd default")
        # What is not known is not nought.
        s.amounts = [None] if lacks else s.amounts
        yield s

    def needs_analyses(self, n: Row, _part: str) -> Iterator[Source]:
        """H-4: kiln dust that leaves needs its own analyses, which no ledger has."""
        dust = number(self.of_line("ledger_dust", n["line_id"]).get("ckd_t"))
        if dust != 0 and self.clinker[n["line_id"]] != 0:
            why = "ledger_dust.ckd_t" if dust is None else "analyses of kiln dust"
            yield gap(n["plant_id"], n["line_id"], "kiln dust", "process", why)

    def cement(self, n: Row, _part: str) -> Iterator[Source]:
        yield gap(n["plant_id"], n["line_id"], "clinker", "process", *("cement_t", "clinker_ratio", "clinker_imports_t", "clinker_exports_t"))  # fmt: skip

    def lime(self, n: Row, _part: str) -> Iterator[Source]:
        made, lacks = self.output(n)
        yield Source(n["plant_id"], n["line_id"], "clinker", "", "lines", "process", [made], [], "Q CaO", missing=lacks)

    def energy(self, plant: str, line: str, name: str, kind: str, amount: F | None, lacks: list[str], factor: Row | None, what: str, basis: str = "") -> Source:  # fmt: skip
        value = number(factor["value"]) if factor else None
        missing = lacks + ([] if factor else [f"factor {what}"])
        return Source(plant, line, name, "", kind, "energy", [amount], [value], "Q EF", basis=basis, missing=missing, drafts=drafts_of([factor]))  # fmt: skip

    def electricity(self) -> Iterator[Source]:
        """Net of exports; a plant's own row is its whole electricity, else its lines add up to it, each of them."""
        for plant in self.plants:
            rows = [r for r in self.rows("ledger_electricity") if r["plant_id"] == plant]
            own = [r for r in rows if not r["line_id"]] or rows
            silent = own == rows and {n for n, p in self.owner.items() if p == plant} - {r["line_id"] for r in own}
            known = bool(own) and not (silent and own[0]["line_id"]) and all(r["grid_mwh"] for r in own)
            net = sum((number(r["grid_mwh"]) or F(0)) - (number(r["exported_mwh"]) or F(0)) for r in own)
            certified = sum((number(r["certificate_mwh"]) or F(0)) for r in own)
            for basis in self.method.bases:
                scope, less = GRID[basis]
                province = self.book.plants[plant]
                of = {"province": province, "region_ndrc": REGION[province]}.get(scope, "全国")
                amount = self.rounded("mwh", F(net - certified if less else net)) if known else None
                lacks = [] if known else ["ledger_electricity.grid_mwh"]
                s = self.energy(plant, "", f"electricity {basis}", "electricity", amount, lacks, self.factor("grid", scope, of), f"grid {scope} {of}", basis)  # fmt: skip
                s.drafts |= {f"electricity below zero {self.month}"} if amount is not None and amount < 0 else set()
                yield s

    def line_electricity(self) -> Iterator[Source]:
        for n in self.lines:
            rows = [r for r in self.rows("ledger_electricity") if r["line_id"] == n["line_id"]]
            used = self.rounded("mwh", number(rows[0]["grid_mwh"] if rows else ""))
            lacks = [] if used is not None else ["ledger_electricity.grid_mwh"]
            yield self.energy(n["plant_id"], n["line_id"], "electricity", "line energy", used, lacks, self.factor("grid", "national_ets", "全国"), "grid national_ets")  # fmt: skip

    def heat(self) -> Iterator[Source]:
        for r in self.rows("ledger_heat"):
            bought = number(r["purchased_gj"])
            amount = None if bought is None else self.rounded("gj", bought - (number(r["exported_gj"]) or F(0)))
            lacks = ["ledger_heat.purchased_gj"] if bought is None else []
            yield self.energy(
                r["plant_id"], "", "heat", "heat", amount, lacks, self.factor("heat", "purchased"), "heat"
            )


def gap(plant: str, line: str, name: str, total: str, *missing: str) -> Source:
    return Source(plant, line, name, "", "lines", total, [None], [], "", missing=list(missing))


def drafts_of(factors: Iterable[Row | None]) -> set[str]:
    return {f["factor_id"] for f in factors if f and f["confidence"] == "draft"}


FUELS = {r["fuel"]: (r["kind"], r["unit"]) for r in _csv(FACTORS / "fuels.csv")}


# ---- adding ---------------------------------------------------------------------------------------------------------------------


def units_of(sources: Iterable[Source]) -> list[list[Source]]:
    """What is rounded as one figure: a source, or clinker with its deductions."""
    made: defaultdict[tuple[str, str, str], list[Source]] = defaultdict(list)
    for s in sources:
        made[s.plant, s.line, s.unit or f"source {s.name}"].append(s)
    return list(made.values())


def total(sources: Iterable[Source], *, once: bool, places: int = 2) -> F | None:
    """Rounded units added, or what was not rounded added and rounded once; None where anything is missing."""
    units = units_of(sources)
    if any(s.exact is None for u in units for s in u):
        return None
    sums = [sum((s.exact or F(0) for s in u), F(0)) for u in units]
    return half_up(sum(sums if once else (half_up(x, 2) for x in sums), F(0)), places)


def added(values: Iterable[F | None]) -> F | None:
    """A sum over nothing missing."""
    found = list(values)
    return None if any(v is None for v in found) else sum((v for v in found if v is not None), F(0))


def year_of(months: list[Source], method: Method) -> Source:
    """annual_weighted: amounts added, the rest weighted by the amounts of months that have any, both rounded again."""
    head = months[-1]
    made = Source(*head.who, head.part, head.kind, head.sum, [], [], head.formula, head.unit, head.basis, carries_heat=head.carries_heat)  # fmt: skip
    made.missing = sorted({m for s in months for m in s.missing})
    made.drafts = set().union(*(s.drafts for s in months))
    if not made.missing:
        made.amounts = [sum((s.amounts[k] or F(0) for s in months), F(0)) for k in range(len(head.amounts))]
        active = [s for s in months if s.amounts[0]]
        weight = sum((s.amounts[0] or F(0) for s in active), F(0))
        made.means = [sum(((s.amounts[0] or F(0)) * (s.means[k] or F(0)) for s in active), F(0)) / weight if active else head.means[k] for k in range(len(head.means))]  # fmt: skip
        if head.formula == "FC NCV CC OF 44/12" and active:
            for k, q in enumerate(("ncv", "cc")):
                made.means[k] = half_up(made.means[k] or F(0), method.decimals.get(q))
    return computed(made, method)


@dataclass
class Year:
    """A method's year: sources by month, those of the year, and the lines and plants they come to."""

    book: Book
    year: int
    name: str

    def __post_init__(self) -> None:
        self.method = METHODS[self.name]
        spans = [f"{self.year}-{m:02d}" for m in range(1, 13)]
        self.months = {m: Month(self.book, m, self.name, self.method).sources() for m in spans if self.book.filed(m)}
        by_source: defaultdict[tuple[str, str, str], dict[str, Source]] = defaultdict(dict)
        for m, some in self.months.items():
            for s in some:
                by_source[s.who][m] = s
        self.sources = []
        for of_months in by_source.values():
            made = year_of(list(of_months.values()), self.method)
            made.drafts = made.drafts | self.unfiled(of_months)
            self.sources.append(made)
        self.own = ({self.name} if self.method.draft else set()) | (
            set() if self.method.years[0] <= self.year < self.method.years[1] else {f"{self.name} {self.year}"}
        )

    def unfiled(self, there: dict[str, Source]) -> set[str]:
        """3: twelve rows for every fuel and substitute of a line (or plant); no row is no nought unless the kiln stood."""
        some = list(there.values())
        head = some[-1]
        ledger = {"FC NCV CC OF 44/12": "ledger_fuel", "-M K": "ledger_rawmat", "Q HV EF fossil": "ledger_altfuel"}.get(head.formula)  # fmt: skip
        known = any(s.amounts[0] is not None for s in some)
        if not ledger or not known or (head.formula == "-M K" and not any(s.means[0] for s in some)):
            return set()
        lacking = []
        for m in sorted(self.months):
            lines = {n["line_id"] for n in self.book.lines_of(m) if n["plant_id"] == head.plant}
            lines &= {head.line} if head.line else lines
            made = {r["line_id"]: number(r["output_t"]) for r in self.book.rows("ledger_clinker", m)}
            stood = lines and all(made.get(n) == 0 for n in lines)
            if head.plant in self.book.filed(m) and m not in there and not stood and (lines or not head.line):
                lacking.append(m)
        return {f"no row: {ledger} {head.name.removeprefix('altfuel/')} {', '.join(lacking)}"} if lacking else set()

    # -- months

    def month_total(self, month: str, line: str, sums: tuple[str, ...]) -> F | None:
        return total([s for s in self.months[month] if s.line == line and s.sum in sums], once=self.method.exact)

    # -- lines

    def due(self, line: str) -> list[str]:
        return [
            m
            for m in (f"{self.year}-{n:02d}" for n in range(1, 13))
            if line in {r["line_id"] for r in self.book.lines_of(m)}
        ]

    def gaps(self, plant: str, line: str) -> list[str]:
        """Months in force of which a plant filed nothing, though it did of later ones."""
        last = max(m for m in self.months if plant in self.book.filed(m))
        return [m for m in self.due(line) if m < last and plant not in self.book.filed(m)]

    def complete(self, plant: str, line: str) -> bool:
        return all(plant in self.book.filed(m) for m in self.due(line))

    def parts(self, line: str) -> list[Source]:
        return [s for s in self.sources if s.line == line]

    def line(self, plant: str, line: str, way: str) -> dict[str, object]:
        """A row of a line's year."""
        own, months = self.parts(line), [m for m in self.months if any(s.line == line for s in self.months[m])]
        missing = self.gaps(plant, line) + sorted({x for s in own for x in s.missing})
        has = {
            "fossil": "fuels" in self.method.parts,
            "process": True,
            "energy": "line electricity" in self.method.parts,
            "total": True,
        }
        sums = {n: ("fossil", "process", "energy") if n == "total" else (n,) for n in has}
        figures: dict[str, F | None] = {}
        for name, kinds in sums.items():
            if way == M1:
                figure = total([s for s in own if s.sum in kinds], once=self.method.exact)
            else:
                figure = added(self.month_total(m, line, kinds) for m in months)
            figures[f"{name}_tco2"] = figure if has[name] and not missing else None
        clinker = next((s for s in own if s.name == "clinker" and s.formula), None)
        q = clinker.amounts[0] if clinker and not missing else None
        whole = figures["total_tco2"]
        figures["clinker_t"] = q
        figures["whole_tco2"] = None if whole is None else half_up(whole, 0)
        figures["intensity_tco2_t"] = half_up(whole / q, 4) if whole is not None and q else None
        heat = self.heat(line, way)
        burns = has["fossil"] and q
        figures["heat_gj_t"] = half_up(heat / q, 3) if burns and q else None
        figures["heat_kgce_t"] = half_up(heat * 1000 / F("29.3076") / q, 1) if burns and q else None
        if self.name == V01:
            slag = next((s for s in own if s.name == "carbide_slag"), None)
            used = slag.amounts[0] if slag and not missing else F(0)
            figures["carbide_t"] = None if q is None else used
            gross = (q or F(0)) * (clinker.means[0] or F(0)) if clinker and q else None
            deducted = (used or F(0)) * (slag.means[0] or F(0)) if slag else F(0)
            figures["carbide_rate_pct"] = None if q is None else half_up(100 * deducted / gross, 2) if gross else F(0)
        drafts = set().union(self.own, *(s.drafts for s in own))
        return {
            **figures,
            "missing": missing,
            "months": len(months),
            "complete": self.complete(plant, line),
            "drafts": drafts,
        }

    def heat(self, line: str, way: str) -> F:
        """GJ of kiln fuels."""
        some = self.parts(line) if way == M1 else [s for m in self.months.values() for s in m if s.line == line]
        some = [s for s in some if s.carries_heat and s.amounts and s.means]
        return sum(((s.amounts[0] or F(0)) * (s.means[0] or F(0)) for s in some), F(0))

    # -- plants

    def entity(self, plant: str, basis: str, way: str) -> dict[str, object]:
        """A row of a plant's year under one basis of electricity."""
        own = [s for s in self.sources if s.plant == plant and s.kind != "line energy" and s.basis in ("", basis)]
        lines = sorted({s.line for s in self.sources if s.plant == plant and s.line})
        gaps = sorted({g for n in lines for g in self.gaps(plant, n)})
        groups = {n: [s for s in own if s.kind == n] for n in ("lines", "other", "electricity", "heat")}
        once = self.method.exact
        if way == M1:
            figures = {n: total(some, once=once) for n, some in groups.items()}
            direct = total(groups["lines"] + groups["other"], once=once)
            whole = total(own, once=once)
            reported = total(
                own if self.method.reports_energy else groups["lines"] + groups["other"], once=once, places=0
            )
        else:
            figures = {n: self.months_sum([s.who for s in some]) for n, some in groups.items()}
            figures["lines"] = added(self.month_total(m, n, ("fossil", "process")) for n in lines for m in self.months if any(s.line == n for s in self.months[m]))  # fmt: skip
            direct = added([figures["lines"], figures["other"]])
            whole = added(figures.values())
            of = whole if self.method.reports_energy else direct
            reported = None if of is None else half_up(of, 0)
        made: dict[str, object] = {f"{n}_tco2": figures[n] for n in ("lines", "other")}
        for n in ("electricity", "heat"):
            made[f"{n}_tco2"] = figures[n] if groups[n] else None
        made |= {"direct_tco2": direct, "total_tco2": whole, "reported_tco2": reported}
        if gaps:
            made = dict.fromkeys(made)
        power = groups["electricity"]
        made["electricity_mwh"] = power[0].amounts[0] if power and power[0].amounts else None
        made["missing"] = gaps + sorted({x for s in own for x in s.missing})
        made["lines"] = len(lines)
        made["drafts"] = set().union(self.own, *(s.drafts for s in own))
        return made

    def months_sum(self, names: list[tuple[str, str, str]]) -> F | None:
        """Rounded months added, source by source."""
        some = [s for m in self.months.values() for s in m if s.who in names]
        return added(None if s.exact is None else half_up(s.exact, 2) for s in some)
