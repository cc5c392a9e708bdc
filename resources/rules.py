"""The rule book: which limit, parameter, policy or target is in force on a day.

Belongs here: choosing rows of reference/rules by date and place, permit overrides, versions of what is in force. Does not
belong here: the law itself (`reference/rules`), reading it (`rules_read`), and judging an hour (`kernels`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

import reference
from contracts.ule import POLICIES
from resources.factors_hj212 import FlagRow, load_flag_rows
from resources.provinces import province_key
from resources.registry_schema import POINT_TYPES, REGION_CLASSES
from resources.rules_conflicts import conflicts, variants_of
from resources.rules_read import read_pack
from resources.rules_rows import (
    STATED,
    DataFlag,
    Limit,
    LimitKind,
    Pack,
    Parameter,
    Policy,
    Row,
    RuleError,
    StandardLimit,
    TagRule,
)
from resources.rules_schema import BY_CHOICE, BY_LAW
from resources.rules_versions import canonical, limit_id, row_ids

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from resources.registry_rows import Permit

__all__ = [
    "DataFlag", "Limit", "LimitKind", "Pack", "Parameter", "Policy", "RuleBook", "RuleError", "StandardLimit", "TagRule",
]  # fmt: skip

_BRACKETS = str.maketrans("〔〕［］【】（）()", "[][][][][]")
#: The two lists of data flags count as a pack of law.
_FLAGS = "hj212-flags"
_WORD = re.compile(r"[a-z]+", re.ASCII)


class RuleBook:
    """Every row of every pack, and the choice between them. Build it with `load`."""

    def __init__(self, packs: Iterable[Pack], rows: Iterable[Row], flag_rows: Iterable[FlagRow]) -> None:
        self.packs: tuple[Pack, ...] = tuple(sorted(packs, key=lambda p: p.id))
        self._rows = tuple(rows)
        self._flag_rows = tuple(flag_rows)

    @classmethod
    def load(cls, folder: Path | None = None) -> RuleBook:
        """Read every *.toml of `folder` (default: the packaged rules); RuleError lists every error of every pack at once."""
        folder = reference.RULES if folder is None else folder
        files = [read_pack(path) for path in sorted(folder.glob("*.toml"))]
        if not files:
            raise RuleError(f"{folder}: 没有规则包 (*.toml) / no rule pack (*.toml)")
        rows = [row for file in files for row in file.rows]
        problems = [p for file in files for p in file.problems] + conflicts([f.pack for f in files if f.pack], rows)
        if problems:
            raise RuleError(f"rules: {len(problems)} 处错误 / {len(problems)} error(s)", problems)
        return cls([f.pack for f in files if f.pack], rows, load_flag_rows())

    def limit(
        self, kind: LimitKind, *, point_type: str, pollutant: str, day: date,
        region_class: str, reductant: str | None, permits: list[Permit], province: str = "",
    ) -> Limit | None:  # fmt: skip
        """The limit of one pollutant at one kind of outlet on `day`; None where none is set.

        A permit row in force wins over the packs; of several the strictest. A permit whose `standard` names the ULE
        document replaces the ULE limit, any other the mandatory one. Else the strictest of the national row and that of
        `province`: a provincial standard is stricter by law, and where the nation has overtaken it since, both bind. Without
        a province only national rows are asked. ValueError for an unknown point type or region.
        """
        if point_type not in POINT_TYPES or region_class not in REGION_CLASSES:
            raise ValueError(f"no such point type or region class: {point_type}, {region_class}")
        own = [
            p
            for p in permits
            if p.pollutant == pollutant and p.in_force(day) and self._names_ule(p.standard) == (kind == "ule")
        ]
        if own:
            permit = min(own, key=lambda p: (p.limit_mg_m3, p.standard))
            rule_id = f"permit/{permit.outlet_id}/{pollutant}"
            return Limit(permit.limit_mg_m3, rule_id, kind, permit.standard, "排污许可证 / permits.csv", STATED)
        binding = [
            row
            for row in self._limits[kind, point_type, pollutant]
            if row.cite.in_force(day)
            and region_class in row.cells["region_classes"]
            and _in_province(row, province)
            and (reductant in ("ammonia", "urea") or not row.cells["with_reductant"])
        ]
        if not binding:
            return None
        row = min(binding, key=lambda r: (r.cells["value_mg_m3"], not r.cells["provinces"], r.pack.id))
        return Limit(
            float(row.cells["value_mg_m3"]), limit_id(row, point_type), kind,
            row.pack.number, row.cite.clause, row.cite.confidence,
        )  # fmt: skip

    def standard_limits(self, pack_id: str, point_type: str, day: date) -> list[StandardLimit]:
        """Limits of one pack that is chosen, at one kind of outlet on `day`, by pollutant; every variant of it."""
        made = [
            StandardLimit(
                **{name: _plain(value) for name, value in row.cells.items() if name not in ("point_types", "suffix")},
                pack_id=pack_id, clause=row.cite.clause, confidence=row.cite.confidence, rule_id=limit_id(row, point_type),
            )
            for row in self.rows(pack_id, day)
            if row.table == "standard_limit" and point_type in row.cells["point_types"]
        ]  # fmt: skip
        return sorted(made, key=lambda limit: (limit.pollutant, limit.rule_id))

    def rows(self, pack_id: str, day: date | None = None) -> list[Row]:
        """Rows of one pack in the order of its file; with a day, those in force on it."""
        return [r for r in self._rows if r.pack.id == pack_id and (day is None or r.cite.in_force(day))]

    @cached_property
    def variants(self) -> dict[str, tuple[str, ...]]:
        """Classes of plants that each pack tells apart, by pack id; empty where it tells none."""
        found = variants_of(self._rows)
        return {pack.id: tuple(sorted(found[pack.id])) for pack in self.packs}

    def o2_reference(self, point_type: str, day: date) -> float | None:
        """Reference O2 in % for outlets of this type on `day`; None where conversion does not apply (GB 4915-2013 4)."""
        rows = [r for r in self._table("o2_reference") if point_type in r.cells["point_types"] and r.cite.in_force(day)]
        return float(rows[0].cells["o2_pct"]) if rows else None

    def parameter(self, name: str, day: date) -> Parameter:
        """The parameter in force on `day`; RuleError names it and the periods that exist when there is none."""
        rows = self._parameters.get(name, [])
        for row in rows:
            if row.cite.in_force(day):
                cite = row.cite
                return Parameter(
                    name, row.cells["value"], row.cells["unit"], cite.clause, cite.confidence, f"{row.pack.id}/{name}"
                )
        known = ", ".join(f"{r.cite.effective_from} - {r.cite.effective_to or ''}" for r in rows)
        text = f"known periods: {known}" if known else "no pack names it"
        raise RuleError(f"{day} 没有参数 {name} / no parameter {name} on {day} ({text}); add it to reference/rules")

    def policies(self, day: date) -> list[Policy]:
        """Policies of the 95 % rule in force on `day`, headline first, in the order of contracts/ule.py."""
        rows = [r for r in self._table("policy") if r.cite.in_force(day)]
        made = [
            Policy(
                **r.cells, clause=r.cite.clause, confidence=r.cite.confidence, rule_id=f"{r.pack.id}/{r.cells['name']}"
            )
            for r in rows
        ]
        return sorted(made, key=lambda p: (not p.headline, POLICIES.index(p.name)))

    def tags(self, day: date) -> list[TagRule]:
        """Hour tags in force on `day` in the order of precedence (parameter `tags.precedence`)."""
        order = str(self.parameter("tags.precedence", day).value).split(",")
        made = [
            TagRule(**r.cells, confidence=r.cite.confidence, rule_id=f"{r.pack.id}/tag/{r.cells['tag']}")
            for r in self._table("tag")
            if r.cite.in_force(day)
        ]
        return sorted(made, key=lambda t: (order.index(t.tag) if t.tag in order else len(order), t.tag))

    def flags(self, version: int, day: date) -> dict[str, DataFlag]:
        """Data flags by letter for frames of protocol `version` (0 = 2005 or absent, 1 = 2017, 2 = 2025).

        The edition that a frame names decides which letters hold, not the day; `day` decides the parameters. HJ 212-2025
        is read with the letters of 2017: its additions were not seen. A letter that is not here is unknown, hence invalid.
        """
        system = "2005" if version == 0 else "2017"
        rows = [
            r for r in self._flag_rows if r.flag_system == system and (r.effective_to is None or day < r.effective_to)
        ]
        return {r.flag: self._flag(r, day) for r in rows}

    def target(self, province: str, region_class: str, day: date) -> tuple[float, date] | None:
        """(share of clinker capacity in %, date) of the next conversion target; after the last date, the last target.

        Of targets with one date the most particular counts: province, then region class, then national.
        """
        rows = [r for r in self._table("target") if r.cite.in_force(day) and _binds(r, province, region_class)]
        rows.sort(key=lambda r: (bool(r.cells["provinces"]), r.cells["region_class"] is not None), reverse=True)
        ahead = [r for r in rows if r.cells["target_date"] >= day]
        if ahead:
            chosen = min(ahead, key=lambda r: r.cells["target_date"])
        elif rows:
            chosen = max(rows, key=lambda r: r.cells["target_date"])
        else:
            return None
        return float(chosen.cells["target_pct"]), chosen.cells["target_date"]

    def drafts(self, first: date, last: date) -> list[str]:
        """Ids of the rows of law marked draft that are in force in [first, last]: a filing run refuses them by name."""
        drafts = (r for r in self._rows if r.cite.confidence == "draft" and r.cite.overlaps(first, last))
        found = [r for r in drafts if r.pack.kind not in BY_CHOICE]
        return sorted({i for r in found for i in row_ids(r)})

    def pack_versions(self, first: date, last: date) -> dict[str, str]:
        """SHA-256 by pack over what its rows say about [first, last]; packs with nothing in force are absent."""
        said: defaultdict[str, list[str]] = defaultdict(list)
        for row in self._rows:
            if row.cite.overlaps(first, last) and (text := canonical(row, first, last)):
                said[row.pack.id].append(text)
        said[_FLAGS] = [json.dumps([r.flag_system, r.flag, r.valid, r.parameter, r.hour_tag]) for r in self._flag_rows]
        return {
            name: hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest() for name, lines in sorted(said.items())
        }

    def version(self, first: date, last: date, *, foreign: bool = False) -> str:
        """SHA-256 over the rows of law in force in [first, last] (both inclusive) and nothing else.

        Values, clauses, confidence and dates inside the window count; comments, notes, sources and row order do not. Foreign
        packs, which hold where they are chosen, have a version of their own: they move no Chinese verdict.
        """
        kinds = ("foreign",) if foreign else BY_LAW
        counted = {pack.id for pack in self.packs if pack.kind in kinds} | (set() if foreign else {_FLAGS})
        said = {name: v for name, v in self.pack_versions(first, last).items() if name in counted}
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    def _flag(self, row: FlagRow, day: date) -> DataFlag:
        valid = bool(self.parameter(row.parameter, day).value) if row.valid is None else row.valid
        return DataFlag(row.flag_system, row.flag, row.name_zh, row.name_en, valid, row.hour_tag, row.confidence)

    def _table(self, table: str) -> list[Row]:
        return [r for r in self._rows if r.table == table]

    def _names_ule(self, standard: str) -> bool:
        said = standard.translate(_BRACKETS).casefold().replace(" ", "")
        words = _WORD.findall(standard.casefold())
        return any(n in words if _WORD.fullmatch(n) else n in said for n in self._ule_names)

    @cached_property
    def _ule_names(self) -> tuple[str, ...]:
        names = (name for pack in self.packs if pack.kind == "ule" for name in pack.permit_names)
        return tuple(name.translate(_BRACKETS).casefold().replace(" ", "") for name in names)

    @cached_property
    def _limits(self) -> defaultdict[tuple[str, str, str], list[Row]]:
        made: defaultdict[tuple[str, str, str], list[Row]] = defaultdict(list)
        for row in self._table("limit"):
            for point_type in row.cells["point_types"]:
                made[row.pack.kind, point_type, row.cells["pollutant"]].append(row)
        return made

    @cached_property
    def _parameters(self) -> dict[str, list[Row]]:
        made: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self._table("parameter"):
            made[row.cells["name"]].append(row)
        return dict(made)


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell of any kind
    """A number is a float, whether or not the expert wrote its decimal point."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _in_province(row: Row, province: str) -> bool:
    """Whether a limit of a province is one of this province; national ones are everywhere."""
    listed = row.cells["provinces"]
    return not listed or province_key(province) in {province_key(p) for p in listed}


def _binds(row: Row, province: str, region_class: str) -> bool:
    provinces = {province_key(p) for p in row.cells["provinces"]}
    return (not provinces or province_key(province) in provinces) and row.cells["region_class"] in (None, region_class)
