"""Rows of `carbon_uncertainty`: terms and inputs of lines and entities, drawn, and told.

Belongs here: arrays for the kernel, seeds, names, the table. Does not belong here: which inputs a line has (`uncertainty`), draws and
variances in closed form (`kernels/uncertainty*`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from contracts.ets import CARBON_UNCERTAINTY, DISTRIBUTIONS
from kernels.rounding import half_up
from kernels.uncertainty import SLOTS, Inputs, Terms, spread
from kernels.uncertainty_fold import fold
from kernels.uncertainty_variance import relative_sd, variance

if TYPE_CHECKING:
    from kernels.rounding import Floats
    from kernels.uncertainty import Places
    from resources.ets import Uncertain

#: The ends of a 95 % interval then wander by some 1.5 % of its width.
DRAWS = 10_000
#: Of tonnes that are shown, as of the emission of the year they belong to; spreads stay as drawn.
DECIMALS = 2
TOTAL = "total"


@dataclass
class Group:
    """A line, or a plant with all its lines (line_id None): inputs by what makes them one, and terms with the places of their inputs."""

    plant_id: str
    line_id: str | None
    inputs: dict[tuple[str, ...], tuple[int, Uncertain, float]] = field(default_factory=dict)
    terms: list[tuple[float, list[int]]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def place(self, key: tuple[str, ...], known: Uncertain, width: float) -> int:
        """Place of an input among the group's; `width` is that of its first use."""
        return self.inputs.setdefault(key, (len(self.inputs), known, width))[0]


def table_rows(groups: list[Group], year: str, method: str, draws: int = DRAWS, threads: int = 1) -> pl.DataFrame:
    """Rows of the table: one of each line or entity, and one of each of its inputs. What lacks anything has no interval."""
    whole = [group for group in groups if not group.missing and group.terms]
    lacking = [group for group in groups if group.missing]
    starts, inputs, _, _ = arrays = _arrays(whole)
    seeds = np.array([_seed(group, year, method) for group in whole], np.uint64)
    total, parts = variance(*arrays)
    drawn = spread(seeds, draws, *fold(*arrays, total, parts), threads=threads)
    many = np.diff(starts)
    emission, own = _sums(*arrays)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = 100 * ((drawn.high - drawn.low) / 2) / np.abs(emission)
        share = np.minimum(100 * parts / np.repeat(total, many), 100.0)
    known = [u for group in whole for _, u, _ in group.inputs.values()]
    totals = _about(whole, np.arange(len(whole))) | {
        "emission_tco2": half_up(emission, DECIMALS)[0], "mean_tco2": drawn.mean, "sd_tco2": drawn.sd, "low_tco2": drawn.low, "high_tco2": drawn.high,
        "half_interval_pct": half, "confidence": [_worst([u.confidence for _, u, _ in g.inputs.values()]) for g in whole],
    }  # fmt: skip
    each = _about(whole, np.repeat(np.arange(len(whole)), many)) | {
        "source": [name for group in whole for name in _names(list(group.inputs))], "quantity": [u.quantity for u in known],
        "emission_tco2": half_up(own, DECIMALS)[0], "basis": [u.id for u in known], "distribution": [u.distribution for u in known],
        "half_width_pct": 100 * inputs.half_width, "sd_pct": 100 * relative_sd(inputs), "share_pct": share,
        "confidence": [u.confidence for u in known],
    }  # fmt: skip
    without = _about(lacking, np.arange(len(lacking))) | {
        "missing": ["; ".join(dict.fromkeys(g.missing)) for g in lacking]
    }
    rows = pl.concat(
        [_framed(totals).with_columns(draws=pl.lit(draws, pl.Int32)), _framed(each), _framed(without)], how="diagonal"
    )
    return rows.with_columns(
        pl.lit(year).alias("year"), pl.lit(method).alias("method_id"), pl.col("source", "quantity").fill_null(TOTAL),
        # Nothing emitted, or nothing that varies: no share of it.
        pl.col("half_interval_pct", "share_pct").fill_nan(None).replace(float("inf"), None),
    )  # fmt: skip


def _sums(starts: Places, inputs: Inputs, term_starts: Places, terms: Terms) -> tuple[Floats, Floats]:
    """What is emitted by each group, and by the terms that each input enters; in the order of the terms."""
    group = np.repeat(np.arange(starts.size - 1), np.diff(term_starts))
    emission, own = np.zeros(starts.size - 1), np.zeros(inputs.half_width.size)
    np.add.at(emission, group, terms.base)
    at, slot = np.nonzero(terms.inputs >= 0)
    np.add.at(own, starts[group[at]] + terms.inputs[at, slot], terms.base[at])
    return emission, own


def _about(groups: list[Group], of: Places) -> dict[str, Any]:
    """Whose a row is, of the groups at the places `of`."""
    named: dict[str, list[str | None]] = {
        "plant_id": [g.plant_id for g in groups],
        "line_id": [g.line_id for g in groups],
        "level": [_level(g) for g in groups],
    }
    return {name: pl.Series(name, values, pl.String).gather(of) for name, values in named.items()}


def _level(group: Group) -> str:
    return "entity" if group.line_id is None else "line"


def _framed(columns: dict[str, Any]) -> pl.DataFrame:
    """With the types of the contract."""
    return pl.DataFrame(
        columns, schema_overrides={n: pl.String for n in columns if str(CARBON_UNCERTAINTY[n].type) != "double"}
    )


def _arrays(groups: list[Group]) -> tuple[Places, Inputs, Places, Terms]:
    inputs = [one for group in groups for one in group.inputs.values()]
    cuts = [u.cut_pct / 100 if u.cut_pct is not None else np.inf for _, u, _ in inputs]
    slots = [[*taken, *[-1] * (SLOTS - len(taken))] for group in groups for _, taken in group.terms]
    starts = [np.cumsum([0, *many]) for many in ([len(n.inputs) for n in groups], [len(n.terms) for n in groups])]
    kinds = np.array([DISTRIBUTIONS.index(u.distribution) for _, u, _ in inputs], np.int8)
    terms = Terms(np.array([b for n in groups for b, _ in n.terms]), np.array(slots, np.int64).reshape(-1, SLOTS))
    return starts[0], Inputs(kinds, np.array([w for _, _, w in inputs]), np.array(cuts)), starts[1], terms


def _seed(line: Group, year: str, method: str) -> int:
    """Of a line (an entity) and year alone, so that no other line changes its draws."""
    name = line.line_id if line.line_id is not None else f"entity {line.plant_id}"
    return int.from_bytes(hashlib.sha256(f"{name}/{year}/{method}".encode()).digest()[:8], "big")


def _names(keys: list[tuple[str, ...]]) -> list[str]:
    """The source as each input's name; where two inputs of a quantity would bear one name, all that makes each of them one."""
    short = [(key[0], key[1] if key[1] != "meter" else f"meter {key[2]}") for key in keys]
    taken = Counter(short)
    return [one[1] if taken[one] == 1 else " ".join(key[1:]) for key, one in zip(keys, short, strict=True)]


def _worst(some: list[str]) -> str:
    return max(set(some), key=("verified", "secondary", "draft").index, default="draft")
