"""A drawn year of ledgers: carbon of months, lines and plants says what the slow reference says, to the cent, row by row.

The reference (`slow_carbon`) reads the same files and shares no code with the project; where the two differ one of them has the
rules wrong.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.products import bring_up, product
from resources.methods import MethodBook
from tests.nights import opened
from tests.slow_carbon import MEE, METHODS, NDRC, V01, WAYS, Book, Year, half_up
from tests.slow_carbon_home import write_year

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from resources.home import Home
    from tests.slow_carbon import Source

LINE = (
    "clinker_t", "fossil_tco2", "process_tco2", "energy_tco2", "total_tco2", "whole_tco2", "intensity_tco2_t", "heat_gj_t", "heat_kgce_t",
)  # fmt: skip
ENTITY = (
    "lines_tco2", "other_tco2", "direct_tco2", "electricity_mwh", "electricity_tco2", "heat_tco2", "total_tco2", "reported_tco2",
)  # fmt: skip
#: Seeds and years of the homes that every run looks at: the guideline in force, and the one before it.
FAST = [pytest.param((1, 2024), id="2024"), pytest.param((2, 2022), id="2022")]


@dataclass
class Ledgers:
    """A home after its carbon was made, and what the reference makes of it."""

    home: Home
    years: dict[str, Year]

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        lake = self.home.lake
        some = [pl.DataFrame(pl.from_arrow(lake.read(table, k))) for k in lake.keys(table)]
        return pl.concat([f.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String)) for f in some]).iter_rows(
            named=True
        )

    def sources(self, method: str, month: str) -> dict[tuple[str, str, str], Source]:
        return {(s.plant, s.at or s.line, s.name): s for s in self.years[method].months[month]}


def made_year(root: Path, seed: int, year: int) -> Ledgers:
    write_year(root, seed, year)
    home = opened(root)
    # Every method over every year: what is written for other years is computed all the same, as a trial.
    home.__dict__["methods"] = MethodBook.load().with_runs(*METHODS)
    for name in ("ledgers", "meters", "carbon_months", "carbon_years"):
        for key in sorted(product(name).keys(home)):
            bring_up(home, product(name), key)
    book = Book.read(root)
    return Ledgers(home, {name: Year(book, year, name) for name in METHODS})


@pytest.fixture(
    scope="module",
    params=[
        *FAST,
        *(pytest.param((n, 2015 + n % 11), id=f"seed-{n}", marks=pytest.mark.long) for n in range(5, 17)),
    ],
)
def ledgers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ledgers:
    return made_year(tmp_path_factory.mktemp("year"), *request.param)


def figure(x: Any) -> Fraction | None:
    """A float of the tables as the decimal it stands for."""
    return None if x is None else Fraction(repr(x))


def told(row: dict[str, Any]) -> set[str]:
    return set(filter(None, (row["missing"] or "").split("; ")))


def test_months_are_those_of_the_reference(ledgers: Ledgers) -> None:
    """Every source of every line and plant: activity as used, emission to the cent, or null and what is missing."""
    seen = Counter[str]()
    wrong: list[tuple[Any, ...]] = []
    due = {
        (n, m, s.plant, s.at or s.line, s.name)
        for n, y in ledgers.years.items()
        for m, some in y.months.items()
        for s in some
    }
    for r in ledgers.rows("carbon_line_month"):
        if r["kind"] == "sum":
            continue
        key = r["method_id"], r["month"], r["plant_id"], r["line_id"] or "", r["source"]
        due.discard(key)
        s = ledgers.sources(key[0], key[1]).get(key[2:])
        if s is None:
            wrong.append((key, "the reference has no such source", told(r)))
            continue
        exact = s.exact
        want = None if exact is None else half_up(exact, 2)
        got = figure(r["emission_tco2"])
        lacks = set(s.missing) if exact is None else set()
        used = s.amounts[0] if s.amounts and exact is not None else figure(r["activity"])
        if (got, told(r), r["reason"], figure(r["activity"])) != (
            want,
            {x for m in lacks for x in m.split("; ")},
            s.reason,
            used,
        ):
            wrong.append((key, show(want), show(got), lacks, told(r), s.reason, r["reason"], show(used), r["activity"]))
        seen["missing" if exact is None else "figure"] += 1
    assert not wrong, f"{len(wrong)} sources differ, as {wrong[:4]}"
    assert not due, f"{len(due)} sources are not there, as {sorted(due)[:4]}"
    assert min(seen["figure"], seen["missing"]) > 0


def show(x: Fraction | None) -> float | None:
    return None if x is None else float(x)


def test_sums_of_months(ledgers: Ledgers) -> None:
    """Sums of lines; they lack a factor only where no ledger lacks anything."""
    wrong: list[tuple[Any, ...]] = []
    for r in ledgers.rows("carbon_line_month"):
        if r["kind"] != "sum":
            continue
        sums = ("fossil", "process", "energy") if r["source"] == "total" else (r["source"],)
        year = ledgers.years[r["method_id"]]
        want = year.month_total(r["month"], r["line_id"], sums)
        parts = [s for s in year.months[r["month"]] if s.line == r["line_id"] and s.sum in sums]
        lacks = {x for s in parts for m in s.missing for x in m.split("; ")}
        reason = (
            None if not lacks else "missing_factor" if all(x.startswith("factor") for x in lacks) else "missing_input"
        )
        if (figure(r["emission_tco2"]), told(r), r["reason"]) != (want, lacks, reason):
            wrong.append(
                (
                    r["method_id"],
                    r["month"],
                    r["line_id"],
                    r["source"],
                    show(want),
                    r["emission_tco2"],
                    lacks,
                    told(r),
                    r["reason"],
                )
            )
    assert not wrong, f"{len(wrong)} sums differ, as {wrong[:4]}"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_years_of_lines(ledgers: Ledgers, method: str, way: str) -> None:
    year, wrong, seen = ledgers.years[method], [], set()
    for r in ledgers.rows("carbon_line_year"):
        if (r["method_id"], r["aggregation"]) != (method, way):
            continue
        seen.add(r["line_id"])
        want = year.line(r["plant_id"], r["line_id"], way)
        columns = (*LINE, *(("carbide_t", "carbide_rate_pct") if method == V01 else ()))
        lacks = {x for m in want["missing"] for x in m.split("; ")}  # type: ignore[attr-defined]
        pairs: dict[str, tuple[Any, Any]] = {c: (want[c], figure(r[c])) for c in columns}
        pairs |= {
            "missing": (lacks, told(r)),
            "months": (want["months"], r["months"]),
            "complete": (want["complete"], r["complete"]),
        }
        pairs["drafts"] = want["drafts"], set(filter(None, (r["drafts"] or "").split("|")))
        status = (
            "missing" if want["total_tco2"] is None else "draft" if want["drafts"] or not want["complete"] else "filing"
        )
        pairs["status"] = status, r["status"]
        wrong += [(r["line_id"], c, *map(shown, p)) for c, p in pairs.items() if p[0] != p[1]]
    assert not wrong, f"{len(wrong)} figures differ, as {wrong[:6]}"
    assert seen == {s.line for s in year.sources if s.line}


def shown(x: Any) -> Any:
    return float(x) if isinstance(x, Fraction) else x


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_years_of_plants_by_basis(ledgers: Ledgers, method: str, way: str) -> None:
    year, wrong, seen = ledgers.years[method], [], set()
    for r in ledgers.rows("carbon_entity_year"):
        if (r["method_id"], r["aggregation"]) != (method, way):
            continue
        basis = r["electricity_basis"]
        seen.add((r["plant_id"], basis))
        want = year.entity(r["plant_id"], basis, way)
        lacks = {x for m in want["missing"] for x in m.split("; ")}  # type: ignore[attr-defined]
        pairs: dict[str, tuple[Any, Any]] = {c: (want[c], figure(r[c])) for c in ENTITY}
        pairs |= {"missing": (lacks, told(r)), "lines": (want["lines"], r["lines"])}
        pairs["drafts"] = want["drafts"], set(filter(None, (r["drafts"] or "").split("|")))
        wrong += [(r["plant_id"], basis, c, *map(shown, p)) for c, p in pairs.items() if p[0] != p[1]]
        nulls = [c for c in ("direct_tco2", "total_tco2") if r[c] is None]
        assert not nulls or told(r), f"{r['plant_id']} {basis}: {nulls} are null and nothing says why"
    assert not wrong, f"{len(wrong)} figures differ, as {wrong[:6]}"
    bases = METHODS[method].bases or ("none",)
    assert seen == {(s.plant, b) for s in year.sources for b in bases}


@pytest.mark.parametrize("ledgers", FAST, indirect=True)
def test_the_year_has_what_the_rules_are_about(ledgers: Ledgers) -> None:
    """Not a year in which nothing happened: lines with figures and without, stops, corrected meters, negative net electricity."""
    figures = Counter(r["status"] for r in ledgers.rows("carbon_line_year") if r["method_id"] in (V01, NDRC, MEE))
    assert len(figures) > 1
    months = list(ledgers.rows("carbon_line_month"))
    assert any(r["activity"] not in (None, r["activity_reported"]) for r in months if r["method_id"] == V01)
    assert any(r["activity"] == 0 for r in months)
    assert {r["reason"] for r in months} >= {None, "missing_input", "missing_factor"}
