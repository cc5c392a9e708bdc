"""The factor book: which emission factor holds for a day, and what was known of it when.

Belongs here: choosing rows by validity, publication and day of record, versions and drafts of what is in force. Does not belong
here: reading files (`factors_read`), the values (`reference/factors`), and what a method does with them (`kernels/carbon`).

Two axes of time. A factor holds for reporting days from `valid_from`; a later row of its series takes over where it begins. And
it was recorded here on `recorded_at`: what was not recorded on a day was not known on it.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, TypeAlias

import reference
from resources.factors_check import misled, repeated
from resources.factors_read import LATEST, SAME_YEAR, Factor, read_factors
from resources.problems import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from resources.problems import Problem
    from resources.storage import Storage

__all__ = ["Factor", "FactorBook", "FactorError", "MissingFactor"]

_LISTS = ("fuels.csv", "materials.csv")
#: Years -> the policies and days of publication by which somebody chooses in them.
Selections: TypeAlias = "Callable[[Iterable[int]], set[tuple[str, date | None]]]"


class FactorError(Exception):
    """Factor files are broken; `problems` names file, line and column of each."""

    def __init__(self, text: str, problems: list[Problem] | None = None) -> None:
        self.problems = problems or []
        super().__init__(f"{text}\n{listing(self.problems)}" if self.problems else text)


class MissingFactor(LookupError):  # noqa: N818  (the outcome's name, as people say it)
    """No row gives what was asked for; the message names it and the periods that exist."""


class FactorBook:
    """Every row of every file, and the choice between them. Build it with `load`."""

    def __init__(self, rows: Iterable[Factor], selections: Selections | None = None) -> None:
        self.rows = tuple(rows)
        self._selections = selections or (lambda _years: set())
        self._series: defaultdict[tuple[str, str, str], list[Factor]] = defaultdict(list)
        for row in self.rows:
            self._series[row.quantity, row.scope, row.region].append(row)

    @classmethod
    def load(cls, folder: Path | None = None, overlay: Storage | None = None) -> FactorBook:
        """Read the packaged factors and, over them, factors*.csv of a home's registry; FactorError lists every error at once."""
        folder = reference.FACTORS if folder is None else folder
        files = [(p.name, p.read_bytes()) for p in sorted(folder.glob("*.csv")) if p.name not in _LISTS]
        if overlay is not None:
            own = [e.key for e in overlay.list("", ".csv") if e.key.startswith("factors") and "/" not in e.key]
            files += [(f"registry/{key}", overlay.read(key)) for key in sorted(own)]
        rows: list[Factor] = []
        problems: list[Problem] = []
        for name, content in files:
            some, wrong = read_factors(name, content)
            rows += some
            problems += wrong
        problems += [*repeated(rows), *misled(rows)]
        if problems:
            raise FactorError(f"factors: {len(problems)} 处错误 / {len(problems)} error(s)", problems)
        return cls(rows)

    def seen_by(self, selections: Selections) -> FactorBook:
        """The same book for methods that choose by other policies too: what these would take is in force beside the newest."""
        return FactorBook(self.rows, selections)

    def find(
        self, quantity: str, scope: str, on: date, *, method: str = "", region: str = "", known_on: date | None = None,
        published_by: date | None = None, policy: str = LATEST,
    ) -> Factor:  # fmt: skip
        """The factor for a reporting day `on`, as recorded here by `known_on` and published by `published_by` (None: no bound).

        Under a bound, what has no day of publication was not known. MissingFactor names what was asked for and the periods that exist. Of rows in force the one counts that begins last, then
        the one recorded last. `policy` same_data_year takes only an edition that describes the year of `on`.
        """
        series = self._series.get((quantity, scope, region), ())
        known = [r for r in series if _known(r, method, known_on, published_by)]
        in_force = [r for r in known if _offered(r, on, policy)]
        if not in_force:
            undated = [
                r.factor_id for r in series if published_by and not r.published_on and _known(r, method, known_on, None)
            ]
            raise MissingFactor(_missing(quantity, scope, on, method, region, known, undated))
        return max(in_force, key=_standing)

    def has(self, quantity: str, scope: str, on: date, *, method: str = "", region: str = "") -> bool:
        """Whether `find` would find one."""
        rows = self._series.get((quantity, scope, region), ())
        return any(_known(r, method, None, None) and r.holds(on) for r in rows)

    def in_force(self, first: date, last: date, known_on: date | None = None) -> list[Factor]:
        """Rows that some day of [first, last] would be given, by id; those that a later record has replaced are not among them."""
        return sorted(self._in_force(first, last, known_on), key=lambda r: (r.factor_id, r.valid_from, r.recorded_at))

    def version(self, first: date, last: date) -> str:
        """SHA-256 over what the rows in force in [first, last] say; where it was read, and notes, do not count."""
        said = [_canonical(r, first, last) for r in self.in_force(first, last)]
        return hashlib.sha256("\n".join(sorted(said)).encode()).hexdigest()

    def factor_set(self, first: date, last: date) -> str:
        """Short name of the factors in force in [first, last]: it changes exactly when one of them does."""
        return set_name(first.year, sorted(_canonical(r, first, last) for r in self.in_force(first, last)))

    def names_of_sets(self, used: Iterable[str], first: date, last: date) -> dict[str, str]:
        """Short name of what each list of ids (separated by |) says in [first, last]: it changes exactly when one of them does."""
        said: defaultdict[str, list[str]] = defaultdict(list)
        for row in self._in_force(first, last, None):
            said[row.factor_id].append(_canonical(row, first, last))
        return {ids: set_name(first.year, sorted(t for i in ids.split("|") for t in said[i])) for ids in used}

    def drafts(self, first: date, last: date) -> list[str]:
        """Ids of the factors in force in [first, last] that are drafts: a filing run refuses them by name."""
        return sorted({r.factor_id for r in self._in_force(first, last, None) if r.confidence == "draft"})

    def set_versions(self, first: date, last: date) -> dict[str, str]:
        """SHA-256 by file over what its rows in force in [first, last] say."""
        said: defaultdict[str, list[str]] = defaultdict(list)
        for row in self._in_force(first, last, None):
            said[row.file.removesuffix(".csv")].append(_canonical(row, first, last))
        return {
            name: hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest() for name, lines in sorted(said.items())
        }

    def _in_force(self, first: date, last: date, known_on: date | None) -> Iterator[Factor]:
        others = self._selections(range(first.year, last.year + 1)) - {(LATEST, None)}
        for rows in self._series.values():
            by_methods: defaultdict[tuple[str, ...], list[Factor]] = defaultdict(list)
            for row in rows:
                if _known(row, "", known_on, None):
                    by_methods[row.methods].append(row)
            for some in by_methods.values():
                found = _given(some, first, last, LATEST)
                for policy, by in others:
                    found |= _given([r for r in some if _known(r, "", None, by)], first, last, policy)
                yield from found


def set_name(year: int, said: Iterable[str]) -> str:
    """Short name of a set of factors by what it says."""
    return f"{year:04d}-{hashlib.sha256(chr(10).join(said).encode()).hexdigest()[:12]}"


def _given(rows: list[Factor], first: date, last: date, policy: str) -> set[Factor]:
    """Rows of one series that are given on the first day or on a day on which the choice may change."""
    turns = {first, *(r.valid_from for r in rows), *(r.valid_to for r in rows if r.valid_to)}
    if policy == SAME_YEAR:
        turns |= {date(r.data_year + n, 1, 1) for r in rows if r.data_year for n in (0, 1)}
    found = set()
    for day in turns:
        if first <= day <= last:
            in_force = [r for r in rows if _offered(r, day, policy)]
            if in_force:
                found.add(max(in_force, key=_standing))
    return found


def _offered(row: Factor, day: date, policy: str) -> bool:
    """It holds on the day, and the policy takes it: editions without a year describe every one."""
    return row.holds(day) and (policy != SAME_YEAR or row.data_year in (None, day.year))


def _standing(row: Factor) -> tuple[date, date, date, str]:
    """Which of several rows in force counts: the one that begins last, then the one recorded and published last."""
    return row.valid_from, row.recorded_at, row.published_on or date.min, row.factor_id


def _known(row: Factor, method: str, known_on: date | None, published_by: date | None) -> bool:
    return (
        (not method or not row.methods or method in row.methods)
        and (known_on is None or row.recorded_at <= known_on)
        and (published_by is None or (row.published_on is not None and row.published_on <= published_by))
    )


def _missing(
    quantity: str, scope: str, on: date, method: str, region: str, known: list[Factor], undated: list[str]
) -> str:
    asked = " ".join(part for part in (quantity, scope, region, method) if part)
    periods = ", ".join(f"{r.factor_id} {r.valid_from} - {r.valid_to or ''}" for r in sorted(known, key=_standing))
    hidden = f"; 发布日期不明 day of publication unknown: {', '.join(sorted(set(undated)))}" if undated else ""
    return (
        f"{on} 没有因子 {asked} / no factor {asked} on {on} ({periods or 'no row names it'}{hidden}); "
        "请在 reference/factors 或 registry/factors*.csv 中补充 / add it to reference/factors or registry/factors*.csv"
    )


def _canonical(row: Factor, first: date, last: date) -> str:
    end = None if row.valid_to is None or row.valid_to > last else row.valid_to
    said = [
        row.factor_id, row.quantity, row.scope, row.region, row.methods, row.text, row.unit, row.data_year, row.confidence,
        max(row.valid_from, first), end,
    ]  # fmt: skip
    return json.dumps(said, ensure_ascii=False, default=str)
