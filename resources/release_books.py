"""What the books said when a release was published, and which of their rows say something else in the next one.

Belongs here: the document `books.json` of a release, and differences between two of them in words. Does not belong here: which
partition moved because of what (`release_restate`), what a plan says of a change (`editions`).

A release's facts pin its books by hash, which tells that one differs; a reader wants to know which row, from what to what. The
document goes with the release, so that the words depend on two releases alone and not on a lake that may have been lost.
"""

from __future__ import annotations

import json
import re
from calendar import monthrange
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from resources.factors import FactorBook
from resources.factors_read import Factor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from resources.home import Home

BOOKS = "books.json"
#: Differences of a book that are named; the others are counted.
NAMED = 3
_YEARS = range(2000, 2101)
_REPORTED = (date(_YEARS[0], 1, 1), date(_YEARS[-1], 12, 31))
_DATES = ("valid_from", "valid_to", "published_on", "recorded_at")
_KEPT = ("factor_id", "quantity", "scope", "region", "methods", "text", "unit", "data_year", "confidence", *_DATES)
_UNTOLD = (
    {"snapshot_on": None} | dict.fromkeys(("source", "clause", "mark", "supersedes", "note", "file"), "") | {"line": 0}
)


def document(home: Home) -> bytes:
    """`books.json`: factors in force, methods and for which years they are computed, balance values; a row a line."""
    factors = [{n: asdict(r)[n] for n in _KEPT} for r in home.factors.in_force(*_REPORTED)]
    computed = {str(y): [f"{m.id} {m.selection}" for m in home.methods.of_year(y)] for y in _YEARS}
    turns = {y: ids for y, ids in computed.items() if ids != computed.get(str(int(y) - 1))}
    methods = {m.id: home.methods.says(m) for m in home.methods.methods}
    ets = {f"registry/ets.csv balance value {y}": f"{b.value:g}" for y, b in home.ets_home.balances.items()}
    ets |= {
        f"registry/ets_lines.csv {n.line_id} {n.year}": f"{n.variety} {n.special}".strip() for n in home.ets_home.lines
    }
    blocks = [
        f'"factors": [\n{_lines(map(_line, factors))}\n]',
        *(f'"{name}": {{\n{_lines(f"{_line(k)}: {_line(v)}" for k, v in sorted(said.items()))}\n}}'
          for name, said in (("methods", methods), ("computed", turns), ("ets", ets))),
    ]  # fmt: skip
    return ("{\n" + ",\n".join(blocks) + "\n}\n").encode()


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _lines(items: Iterable[str]) -> str:
    return ",\n".join(items)


@dataclass(frozen=True, slots=True)
class Books:
    """The content of `books.json`."""

    factors: FactorBook
    methods: dict[str, Any]
    computed: dict[str, list[str]]
    ets: dict[str, str]

    @classmethod
    def read(cls, data: bytes) -> Books:
        """From the document; KeyError, TypeError or ValueError where it is none."""
        raw = json.loads(data)
        return cls(FactorBook([_factor(r) for r in raw["factors"]]), raw["methods"], raw["computed"], raw["ets"])

    def of_year(self, year: int) -> list[str]:
        """Methods computed for a year."""
        turns = [y for y in self.computed if int(y) <= year]
        return self.computed[max(turns)] if turns else []


def _factor(row: dict[str, Any]) -> Factor:
    days = {n: date.fromisoformat(row[n]) if row[n] else None for n in _DATES}
    return Factor(**{**_UNTOLD, **row, **days, "methods": tuple(row["methods"])})


class Differences:
    """What two releases' books say differently, in words by kind of cause and partition; `used` gives the ids of factors to name first."""

    def __init__(self, before: Books, after: Books, used: Callable[[], frozenset[str]] = frozenset) -> None:
        self._before, self._after = before, after
        self._used = cache(used)
        self._of = cache(self._found)

    def of(self, kind: str, partition: str) -> list[str]:
        """Differences that lie in the days of a partition; all there are where none does."""
        return self._of(kind, _window(partition)) or self._of(kind, _REPORTED)

    def _found(self, kind: str, window: tuple[date, date]) -> list[str]:
        if kind == "factor":
            return [*capped(self._factors(*window)), *capped(self._methods(*window))]
        return capped(self._ets(*window)) if kind == "registry" else []

    def _factors(self, first: date, last: date) -> list[str]:
        before, after = (_by_series(b.factors.in_force(first, last)) for b in (self._before, self._after))
        found: dict[str, set[str]] = {}
        for series in sorted({*before, *after}):
            old, new = before.get(series, []), after.get(series, [])
            ends = {r.valid_to for r in (*old, *new) if r.valid_to and r.valid_to <= last}
            for day in sorted({max(first, r.valid_from) for r in (*old, *new)} | {d for d in ends if d > first}):
                a, b = _given(old, day), _given(new, day)
                if _said(a) != _said(b):
                    found[_moved(a, b)] = {r.factor_id for r in (a, b) if r}
        return sorted(found, key=lambda text: not found[text] & self._used())

    def _methods(self, first: date, last: date) -> Iterator[str]:
        before, after = self._before, self._after
        for year in range(first.year, last.year + 1):
            old, new = before.of_year(year), after.of_year(year)
            if old != new:
                told = [*(f"- {m}" for m in old if m not in new), *(f"+ {m}" for m in new if m not in old)]
                yield f"methods computed for {year}: {', '.join(told) or 'order'}"
        for name in sorted({*before.methods} & {*after.methods}):
            flat = [_flat(b.methods[name]) for b in (before, after)]
            moved = [
                f"{k} {flat[0].get(k)} -> {flat[1].get(k)}"
                for k in sorted({*flat[0], *flat[1]})
                if flat[0].get(k) != flat[1].get(k)
            ]
            if moved:
                yield f"method {name}: {', '.join(capped(moved))}"

    def _ets(self, first: date, last: date) -> Iterator[str]:
        before, after = self._before.ets, self._after.ets
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name) and first.year <= int(name[-4:]) <= last.year:
                yield f"{name}: {before.get(name, 'none')} -> {after.get(name, 'none')}"


def capped(items: Iterable[str]) -> list[str]:
    """The first few, and how many more there are."""
    every = list(items)
    return every if len(every) <= NAMED + 1 else [*every[:NAMED], f"+{len(every) - NAMED} more"]


def _window(partition: str) -> tuple[date, date]:
    found = re.fullmatch(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", partition)
    if not found:
        return _REPORTED
    year, month, day = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    last = date(year, month or 12, day or monthrange(year, month or 12)[1])
    return date(year, month or 1, day or 1), last


def _by_series(rows: Iterable[Factor]) -> dict[tuple[Any, ...], list[Factor]]:
    made: dict[tuple[Any, ...], list[Factor]] = {}
    for row in rows:
        made.setdefault(row.series, []).append(row)
    return made


def _given(rows: list[Factor], day: date) -> Factor | None:
    held = [r for r in rows if r.holds(day)]
    return max(held, key=lambda r: (r.valid_from, r.recorded_at, r.published_on or date.min, r.factor_id), default=None)


def _said(row: Factor | None) -> tuple[Any, ...] | None:
    return None if row is None else (row.factor_id, row.text, row.unit, row.data_year, row.confidence)


def _moved(old: Factor | None, new: Factor | None) -> str:
    """One series: ids, values, and which edition says the new one."""
    if old is None or new is None:
        row, sign = (new, "+") if new else (old, "-")
        return f"{sign} {row.factor_id} {row.text} {row.unit}{_edition(row)}" if row else ""
    name = f"{new.factor_id} " if new.factor_id != old.factor_id else ""
    unit = f"{old.unit} -> " if old.unit != new.unit else ""
    sure = f", {old.confidence} -> {new.confidence}" if (old.text, name) == (new.text, "") and not unit else ""
    return f"{old.factor_id} {old.text} -> {name}{new.text} {unit}{new.unit}{sure}{_edition(new)}"


def _edition(row: Factor) -> str:
    told = [f"data year {row.data_year}"] if row.data_year else []
    told += [f"published {row.published_on}"] if row.published_on else []
    return f" ({', '.join(told)})" if told else ""


def _flat(value: Any, name: str = "") -> dict[str, str]:  # noqa: ANN401
    """Leaves by their path; parts by their ids."""
    if isinstance(value, list) and value and all(isinstance(v, dict) and "id" in v for v in value):
        value = {v["id"]: v for v in value}
    if isinstance(value, dict):
        return {k: v for n, inner in value.items() for k, v in _flat(inner, f"{name}.{n}" if name else n).items()}
    return {name: value if isinstance(value, str) else _line(value)}
