"""Allowances of a year: lines of `carbon_line_year` -> `allocation_year`, the columns of the official table 2-3 and the position.

Belongs here: which line is special, what is missing, remarks. Does not belong here: the formula (`kernels/allocation`), plans and
orders of rounding (`reference/ets`), parameters (`reference/factors`), carbon itself (`assets/carbon*`).

Without a published balance value there is no allowance, and the row says so. A balance value that would hold the lines at hand in
balance is for trials alone (`kiln carbon what-if`).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from assets.allocation_desk import LINE, Ground, classes_of, desk_of
from assets.allocation_words import NOTES
from contracts.carbon import CARBON_LINE_YEAR
from contracts.ets import ALLOCATION_YEAR
from kernels.allocation import MOST, Allocated, Formula, Lines, Order, allocate, floor_share
from kernels.rounding import exact

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from resources.bench import Bench
    from resources.ets_home import LineYear
    from resources.factors import Factor
    from resources.home import Home
    from resources.registry import Line, Plant

CARBIDE = "carbide_slag"
#: Cases in which a line gets nothing.
OUTSIDE = ("outside", "not_listed", "not_covered")


def allocation_years(home: Home) -> Iterable[str]:
    """Years with carbon of lines, and those that had some."""
    return {y for t in (CARBON_LINE_YEAR.name, ALLOCATION_YEAR.name) for y in home.lake.keys(t)}


def make_allocation(bench: Bench, year: str) -> dict[str, pa.Table]:
    """`allocation_year` of `year` ('YYYY'); {} where no plan covers it or no line has carbon under the plan's method."""
    desk = desk_of(bench, year)
    if desk is None:
        return {}
    lines = desk.lines.sort("plant_id", "line_id").to_dicts()
    rows = allocated(desk.ground, lines, desk.entities, desk.previous, desk.declared, desk.gross)
    return {ALLOCATION_YEAR.name: ALLOCATION_YEAR.arrow(_frame(rows))}


def allocated(
    ground: Ground, lines: list[dict[str, Any]], entities: dict[str, float], previous: dict[str, float],
    declared: dict[str, LineYear | None], gross: dict[tuple[str, str], Fraction] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Rows of the table for lines (rows of `carbon_line_year` as dicts). `entities`: direct emission by plant, `previous`: of the year
    before by line, `declared`: what registry/ets_lines.csv says of a line, `gross`: clinker times factor of lines of several classes.
    """
    at_least: dict[str, float] = {}
    for line in lines:
        at_least[line["plant_id"]] = at_least.get(line["plant_id"], 0.0) + (line["total_tco2"] or 0.0)
    made = [_facts(ground, line, entities, at_least, declared.get(line["line_id"]), gross or {}) for line in lines]
    # The threshold is that of a year: a part of one decides nothing.
    still = {line["plant_id"] for line in lines if not line["complete"]}
    for row in made:
        row["entity_open"] = row["special"] == "small_entity" and row["plant_id"] in still
        if row["entity_open"]:
            row["special"] = None
    formula = ground.formula()
    value = ground.balance.value if ground.balance and formula and ground.plan.rule == "intensity" else None
    given = Lines(
        np.array([_number(r["total_tco2"]) if plausible(r) else np.nan for r in made]), np.array([_number(r["clinker_t"]) for r in made]),
        np.array([r["special"] is not None for r in made], np.bool_),
    )  # fmt: skip
    order = Order(ground.order.emission, ground.order.intensity, ground.order.deviation, ground.order.coefficient)
    found = allocate(given, value, formula or Formula(0.0, 0.0, 1.0), order)
    counts: dict[str, int] = {}
    for n, row in enumerate(made):
        counts[row["plant_id"]] = row["number"] = counts.get(row["plant_id"], 0) + 1
        _settled(ground, row, found, n, None if row["shared"] else previous.get(row["line_id"]))
    return made


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def plausible(row: dict[str, Any]) -> bool:
    """Whether the emission of a line is one at all: a slip in one plant's ledger must not stop everybody's table."""
    return row["total_tco2"] is None or 0.0 <= row["total_tco2"] <= MOST


def _facts(
    ground: Ground,
    line: dict[str, Any],
    entities: dict[str, float],
    at_least: dict[str, float],
    own: LineYear | None,
    gross: dict[tuple[str, str], Fraction],
) -> dict[str, Any]:
    """What is known of a line before anything is allocated."""
    listed = [
        n for n in ground.registry.lines if n.line_id == line["line_id"] and n.overlaps(ground.first, ground.last)
    ]
    own_rows = [n for n in listed if n.plant_id == line["plant_id"]]
    last = max(own_rows or listed, key=lambda n: n.valid_from, default=None)
    plant = _plant(ground, line["plant_id"])
    factor = ground.factor("ef_clinker", last.clinker_class) if last else None
    classes = classes_of(ground, line["plant_id"], line["line_id"]) or ([last.clinker_class] if last else [])
    mixed = len(classes) > 1
    emitted = gross.get((line["plant_id"], line["line_id"])) if mixed else None
    weighted = float(emitted / exact(line["clinker_t"])) if emitted and line["clinker_t"] else None
    carbide = ground.factor("k_rawmat", CARBIDE)
    row = {n: line[n] for n in LINE if n in ALLOCATION_YEAR.names} | {
        "year": str(ground.year), "plant_name": plant.name if plant else None, "uscc": plant.uscc or None if plant else None,
        "carbide_t": line["carbide_t"] or 0.0, "carbide_factor": carbide.value if carbide else None,
        "clinker_factor": weighted if mixed else factor.value if factor else None, "clinker_class": "|".join(classes) or None,
        "mixed": mixed, "gross": emitted,
        "clinker_variety": own.variety or None if own else None, "capacity_t_d": last.capacity_t_d if last else None,
        "entity_tco2": entities.get(line["plant_id"]), "obligation_t": line["whole_tco2"],
        "rounding_order": ground.order.id, "clause": ground.plan.clause, "complete": line["complete"], "lacks": line["missing"],
        "shared": len({n.plant_id for n in listed}) > 1,
    }  # fmt: skip
    row["special"] = _special(ground, row, listed, own_rows or listed, own)
    # Lines alone may already be above the threshold; else it cannot be told on which side an unknown entity lies.
    least = ground.factor("ets", "entity_threshold")
    row["no_entity"] = (
        row["special"] is None and row["entity_tco2"] is None and "small_entity" in ground.plan.special
        and least is not None and at_least[row["plant_id"]] < least.value
    )  # fmt: skip
    return row


def _plant(ground: Ground, plant_id: str) -> Plant | None:
    some = [p for p in ground.registry.plants if p.plant_id == plant_id and p.overlaps(ground.first, ground.last)]
    return max(some, key=lambda p: p.valid_from, default=None)


def _special(
    ground: Ground, row: dict[str, Any], listed: list[Line], of_plant: list[Line], own: LineYear | None
) -> str | None:
    """The first case that holds: outside the plan, a year whose allowances are emissions, or a special line (carbon-rules 5.3)."""
    said = own.special if own else ""
    starts = said == "new" or (
        said != "existing" and bool(listed) and not any(n.in_force(ground.first) for n in listed)
    )
    ends = said == "closed" or (
        said != "existing" and bool(listed) and not any(n.in_force(ground.last) for n in listed)
    )
    least = ground.factor("ets", "entity_threshold")
    small = row["entity_tco2"] is not None and least is not None and row["entity_tco2"] < least.value
    covered = not listed or any(n.clinker_class in ground.plan.covered for n in of_plant)
    cases = {
        "not_listed": said == "not_listed", "not_covered": not covered, "new": starts, "closed": ends, "small_entity": small, "white": bool(listed) and all(n.clinker_class == "white" for n in of_plant),
        "gypsum_acid": said == "gypsum_acid", "carbide": above_threshold(ground, row),
    }  # fmt: skip
    for name in (n for n in cases if cases[n] and n in ground.plan.outside):
        return "outside" if name in ("new", "closed") else name
    if ground.plan.rule == "verified":
        return "verified_year"
    return next((name for name, holds in cases.items() if holds and name in ground.plan.special), None)


def above_threshold(ground: Ground, row: dict[str, Any]) -> bool:
    """(M x K) / (Q x EF) above the year's threshold, exactly: at the threshold itself it is not (carbon-rules 5.3; P-2)."""
    threshold = ground.factor("ets", "carbide_threshold")
    known = (row["carbide_t"], row["carbide_factor"], row["clinker_t"], row["clinker_factor"])
    if threshold is None or any(x is None for x in known):
        return False
    mass, k, clinker, factor = map(exact, known)
    emitted = row.get("gross")
    return bool(100 * mass * k > Fraction(threshold.exact) * (clinker * factor if emitted is None else emitted))


def _settled(ground: Ground, row: dict[str, Any], found: Allocated, n: int, previous: float | None) -> None:
    """Figures of the formula, what they come to for the plant, and why there are none."""
    outside = row["special"] in OUTSIDE
    none = outside or row["no_entity"] or row["entity_open"] or np.isnan(found.allowance[n])
    allowance = None if none else float(found.allowance[n])
    row["allowance_t"] = allowance
    row["intensity_tco2_t"], row["deviation_pct"], row["coefficient"] = (
        None if np.isnan(x) else float(x) for x in (found.intensity[n], found.deviation_pct[n], found.coefficient[n])
    )
    if row["special"] is not None:
        row["coefficient"] = None
    if ground.balance and ground.plan.rule == "intensity":
        row["balance_value_tco2_t"], row["balance_source"] = ground.balance.value, ground.balance.source
    share = ground.factor("ets", "preallocation_ratio")
    row["previous_tco2"] = previous
    if share and previous is not None and previous >= 0.0 and not outside:
        row["preallocation_pct"], row["preallocation_t"] = share.value, float(floor_share(previous, share.value))
    if allowance is not None:
        row["position_t"] = None if row["obligation_t"] is None else allowance - row["obligation_t"]
        row["settlement_t"] = allowance - row["preallocation_t"] if row.get("preallocation_t") is not None else None
    else:
        row["no_number"] = _no_number(ground, row)
    _graded(ground, row, share)


def _no_number(ground: Ground, row: dict[str, Any]) -> str:
    """Why a row has no allowance: the first reason that nothing after it could mend."""
    cases = {
        "outside": row["special"] in OUTSIDE, "no_plan": ground.plan.rule == "unknown", "implausible_emission": not plausible(row),
        "no_emission": row["total_tco2"] is None or not (row["clinker_t"] or row["special"]),
        "no_entity_total": row["no_entity"], "entity_open": row["entity_open"], "no_formula": ground.formula() is None,
    }  # fmt: skip
    return next((name for name, holds in cases.items() if holds), "no_balance_value")


def _graded(ground: Ground, row: dict[str, Any], share: Factor | None) -> None:
    """Status, drafts by name, and the remark."""
    scopes = ["carbide_threshold", "entity_threshold"]
    drafts = set((row.get("drafts") or "").split("|")) - {""}
    if ground.plan.confidence == "draft":
        drafts.add(f"plan {ground.plan.from_year}")
    drafts |= {
        name for name, holds in (("change of plant", row["shared"]), ("classes of clinker", row["mixed"])) if holds
    }
    if row["special"] is None:
        scopes += ["alpha_slope", "alpha_cap", "alpha_band"]
        if ground.order.confidence == "draft":
            drafts.add(f"rounding {ground.order.id}")
    used = [ground.factor("ets", s) for s in scopes] + [share if row.get("preallocation_t") is not None else None]
    drafts |= {f.factor_id for f in used if f and f.confidence == "draft"}
    row["drafts"] = "|".join(sorted(drafts)) or None
    if row["allowance_t"] is None:
        row["status"] = "missing"
    elif drafts or row["status"] != "filing":
        row["status"] = "draft"
    notes = [NOTES[key] for key in (row["special"], row.get("no_number")) if key and key in NOTES]
    if row["lacks"]:
        notes.append((f"缺 {row['lacks']}", f"lacks {row['lacks']}"))
    notes += [
        NOTES[name]
        for name, holds in (("shared", row["shared"]), ("mixed", row["mixed"]), ("incomplete", not row["complete"]))
        if holds
    ]
    row["note_zh"], row["note_en"] = ("; ".join(n[i] for n in dict.fromkeys(notes)) or None for i in (0, 1))


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {c.name: pl.Float64 if str(c.type) == "double" else pl.Int32 if str(c.type) == "int32" else pl.String for c in ALLOCATION_YEAR.columns}  # fmt: skip
    return pl.DataFrame([{n: row.get(n) for n in ALLOCATION_YEAR.names} for row in rows], schema=schema)
