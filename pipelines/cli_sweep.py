"""What `kiln carbon what-if --vary …` prints: a year under every combination of the values given, one row a scenario and plant.

Belongs here: reading ranges, combining them, words and JSON. Does not belong here: what a change does (`assets/scenarios`).
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from itertools import product
from typing import TYPE_CHECKING, Any

import click

from assets.carbon_factors import fuel_kinds
from assets.scenarios import AXES, Change, stage_of
from pipelines.columns import aligned
from resources.bench import Bench

if TYPE_CHECKING:
    from resources.home import Home

    Said = tuple[dict[str, Any], str]

#: More scenarios than these are a slip of the range, or a task for a program.
MOST = 1000
_FIGURES = ("total_tco2", "allowance_t", "position_t")
_LINE = ["line_id", "plant_id", "clinker_t", "intensity_tco2_t", *_FIGURES, "special", "no_number"]
_ENDS = {"ncv": ("-99", "900"), "switch": ("0", "100"), "clinker-factor": ("0", "5"), "carbide": ("0", "100"), "balance": ("0.0001", "10")}  # fmt: skip
_HOW = "NAME=1,2,3 / NAME=LOW..HIGH/STEPS"


def axis_of(text: str) -> list[Change]:
    """The values of one `--vary`: "ncv:anthracite=-5..5/3", "balance=0.84,0.845". UsageError with a sentence for what is no axis."""
    name, _, values = text.partition("=")
    axis, *names = name.split(":")
    if axis not in AXES or len(names) != AXES[axis]:
        known = ", ".join(":".join([a, *["FUEL"] * n]) for a, n in AXES.items())
        raise click.UsageError(f"{text!r}: 没有这个量 no such axis: {known}; {_HOW}")
    for fuel in names:
        if fuel not in fuel_kinds():
            raise click.UsageError(f"{text!r}: 没有燃料 no fuel {fuel!r}")
    if len(set(names)) < len(names):
        raise click.UsageError(f"{text!r}: 两种燃料相同 both fuels are the same")
    try:
        made = _values(values)
    except (InvalidOperation, ValueError) as error:
        raise click.UsageError(f"{text!r}: 写作 write {_HOW}") from error
    low, high = _ENDS[axis]
    if not all(Decimal(low) <= v <= Decimal(high) for v in made):
        raise click.UsageError(f"{text!r}: {axis} 在 {low} 与 {high} 之间 lies between them")
    return [Change(axis, tuple(names), float(v)) for v in made]


def _values(text: str) -> list[Decimal]:
    """In decimals, so that 0.84..0.85/11 has 0.841 and not its neighbour."""
    ends, _, steps = text.partition("/")
    low, dots, high = ends.partition("..")
    if not dots:
        made = [Decimal(v) for v in text.split(",")]
    else:
        many = int(steps)
        if not 2 <= many <= MOST:
            raise ValueError(steps)
        first, last = Decimal(low), Decimal(high)
        made = [first + (last - first) * n / (many - 1) for n in range(many)]
    if not all(v.is_finite() for v in made):
        raise ValueError(text)
    return made


def sweep(home: Home, year: str, vary: tuple[str, ...], *, solve: bool = False) -> Said:
    """Lines and plants of `year` under every combination of `vary`; the first scenario is the year as it stands.

    `solve` gives each scenario the balance value that its own lines would have. Reads alone; UsageError for what cannot be tried.
    """
    axes = [axis_of(text) for text in vary]
    names = [":".join([a[0].axis, *a[0].names]) for a in axes]
    if len(set(names)) < len(names):
        raise click.UsageError(f"同一个量给了两次 an axis is given twice: {', '.join(names)}")
    if solve and "balance" in names:
        raise click.UsageError("balance: --balance solve 与 --vary balance 只取其一 use one of both")
    many = 1
    for a in axes:
        many *= len(a)
    if many > MOST:
        raise click.UsageError(f"{many} 个情景, 最多 scenarios, at most {MOST}")
    stage = stage_of(Bench(home), year)
    if stage is None:
        raise click.UsageError(f"{year} 没有生产线碳排放 no carbon of lines in {year}: kiln run --all")
    scenarios = []
    for changes in [(), *product(*axes)]:
        rows, balance = stage.run(changes, solve=solve)
        values = {name: c.value for name, c in zip(names, changes, strict=False)}
        lines = [{n: row.get(n) for n in _LINE} for row in rows]
        scenarios.append({
            "values": values, "balance_value": balance.value if balance else None, "lines": lines, "plants": _plants(lines),
        })  # fmt: skip
    return {"year": year, "axes": names, "scenarios": scenarios}, _text(names, scenarios)


def _plants(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sums of plants; over a missing number there is none."""
    made = []
    for plant in sorted({r["plant_id"] for r in lines}):
        own = [r for r in lines if r["plant_id"] == plant]
        sums = {n: None if any(r[n] is None for r in own) else round(sum(r[n] for r in own), 2) for n in _FIGURES}
        made.append({"plant_id": plant, **sums})
    return made


def _text(names: list[str], scenarios: list[dict[str, Any]]) -> str:
    head = [*names, "平衡值 balance", "企业 plant", "排放 tCO2", "差 change", "配额 allowance", "盈缺 position"]
    cells = [head]
    base = {p["plant_id"]: p["total_tco2"] for p in scenarios[0]["plants"]}
    for scenario in scenarios:
        values = [f"{v:g}" for v in scenario["values"].values()] or ["现值 now"] * len(names)
        balance = "-" if scenario["balance_value"] is None else f"{scenario['balance_value']:.6g}"
        for plant in scenario["plants"]:
            total, was = plant["total_tco2"], base[plant["plant_id"]]
            change = None if total is None or was is None else round(total - was, 2)
            figures = [total, change, plant["allowance_t"], plant["position_t"]]
            cells.append(
                [
                    *values,
                    balance,
                    plant["plant_id"],
                    *("-" if f is None else f"{f:,.2f}".removesuffix(".00") for f in figures),
                ]
            )
    right = {n for n in range(len(head)) if n != len(names) + 1}
    return "\n".join([aligned(cells, right=right), "试算, 未写入任何数据 a trial: nothing was written"])
