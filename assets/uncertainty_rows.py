"""Rows of `carbon_uncertainty`: terms and inputs of lines and entities, drawn, and told.

Belongs here: arrays for the kernel, seeds, names, the table. Does not belong here: which inputs a line has (`uncertainty`), draws and
variances in closed form (`kernels/uncertainty*`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from contracts.ets import CARBON_UNCERTAINTY, DISTRIBUTIONS
from kernels.uncertainty import SLOTS, Inputs, Terms, spread
from kernels.uncertainty_fold import fold
from kernels.uncertainty_variance import relative_sd, variance

if TYPE_CHECKING:
    from resources.ets import Uncertain

#: The ends of a 95 % interval then wander by some 1.5 % of its width.
DRAWS = 10_000
TOTAL = "total"


@dataclass
class Group:
    """A line, or a plant with all its lines (line_id None): inputs by what makes them one, and terms."""

    plant_id: str
    line_id: str | None
    inputs: dict[tuple[str, ...], tuple[Uncertain, float]] = field(default_factory=dict)
    terms: list[tuple[float, list[tuple[str, ...]]]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def emission(self) -> float:
        """Sum of the terms, in tCO2."""
        return sum(base for base, _ in self.terms)

    @property
    def level(self) -> str:
        """Of a line, or of an entity."""
        return "entity" if self.line_id is None else "line"


def table_rows(
    groups: list[Group], year: str, method: str, draws: int = DRAWS, threads: int = 1
) -> list[dict[str, Any]]:
    """Rows of the table: one of each line or entity, and one of each of its inputs. What lacks anything has no interval."""
    whole = [line for line in groups if not line.missing and line.terms]
    arrays = _arrays(whole)
    seeds = np.array([_seed(line, year, method) for line in whole], np.uint64)
    total, parts = variance(*arrays)
    drawn = spread(seeds, draws, *fold(*arrays, total, parts), threads=threads)
    sds = relative_sd(arrays[1])
    made = []
    at = 0
    for g, line in enumerate(whole):
        who = {
            "plant_id": line.plant_id,
            "line_id": line.line_id,
            "level": line.level,
            "year": year,
            "method_id": method,
        }
        half = (drawn.high[g] - drawn.low[g]) / 2
        made.append(who | {
            "source": TOTAL, "quantity": TOTAL, "emission_tco2": line.emission, "mean_tco2": drawn.mean[g], "sd_tco2": drawn.sd[g],
            "low_tco2": drawn.low[g], "high_tco2": drawn.high[g], "draws": draws,
            "half_interval_pct": 100 * half / abs(line.emission) if line.emission else None,
            "confidence": _worst([u.confidence for u, _ in line.inputs.values()]),
        })  # fmt: skip
        names = _names(list(line.inputs))
        for key, (known, width) in line.inputs.items():
            made.append(who | {
                "source": names[key], "quantity": known.quantity, "emission_tco2": sum(b for b, taken in line.terms if key in taken),
                "basis": known.id, "distribution": known.distribution, "half_width_pct": 100 * width, "sd_pct": 100 * sds[at],
                "share_pct": min(100 * parts[at] / total[g], 100.0) if total[g] else None, "confidence": known.confidence,
            })  # fmt: skip
            at += 1
    made += [
        {
            "plant_id": line.plant_id, "line_id": line.line_id, "level": line.level, "year": year, "method_id": method,
            "source": TOTAL, "quantity": TOTAL, "missing": "; ".join(dict.fromkeys(line.missing)),
        }
        for line in groups if line.missing
    ]  # fmt: skip
    return made


def _arrays(lines: list[Group]) -> tuple[Any, Inputs, Any, Terms]:
    inputs = [pair for line in lines for pair in line.inputs.values()]
    cuts = [u.cut_pct / 100 if u.cut_pct is not None else np.inf for u, _ in inputs]
    slots = []
    for line in lines:
        places = {key: k for k, key in enumerate(line.inputs)}
        slots += [[places[key] for key in taken] + [-1] * (SLOTS - len(taken)) for _, taken in line.terms]
    starts = [np.cumsum([0, *many]) for many in ([len(n.inputs) for n in lines], [len(n.terms) for n in lines])]
    kinds = np.array([DISTRIBUTIONS.index(u.distribution) for u, _ in inputs], np.int8)
    terms = Terms(np.array([b for n in lines for b, _ in n.terms]), np.array(slots, np.int64).reshape(-1, SLOTS))
    return starts[0], Inputs(kinds, np.array([w for _, w in inputs]), np.array(cuts)), starts[1], terms


def _seed(line: Group, year: str, method: str) -> int:
    """Of a line (an entity) and year alone, so that no other line changes its draws."""
    name = line.line_id if line.line_id is not None else f"entity {line.plant_id}"
    return int.from_bytes(hashlib.sha256(f"{name}/{year}/{method}".encode()).digest()[:8], "big")


def _names(keys: list[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """The source as each input's name; where two inputs of a quantity would bear one name, all that makes each of them one."""
    short = {key: key[1] if key[1] != "meter" else f"meter {key[2]}" for key in keys}
    taken = [(key[0], name) for key, name in short.items()]
    return {key: name if taken.count((key[0], name)) == 1 else " ".join(key[1:]) for key, name in short.items()}


def _worst(some: list[str]) -> str:
    return max(some, key=("verified", "secondary", "draft").index, default="draft")


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a frame with the types of the contract."""
    kinds = {"double": pl.Float64, "int32": pl.Int32}
    schema = {c.name: kinds.get(str(c.type), pl.String) for c in CARBON_UNCERTAINTY.columns}
    return pl.DataFrame([{n: row.get(n) for n in schema} for row in rows], schema=schema)
