"""The method book: which methods are computed for a reporting year, how each rounds, and what a version covers.

Belongs here: loading reference/methods and choosing by year. Does not belong here: reading files (`methods_read`), factors
(`factors`), and computing (`kernels/carbon*`, `assets/carbon*`).

Several methods stand side by side for one year; which is a list in reference/methods/runs.toml, or in the registry/methods.csv of a
home (`methods_home`), and none enters another's total.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import reference
from resources.factors_read import LATEST
from resources.methods_home import FILE, Choice, read_choices
from resources.methods_inputs import FILE as INPUTS
from resources.methods_read import Method, MethodFile, Part, Profile
from resources.problems import Problem, listing
from resources.provinces import province_key

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from resources.storage import Storage

__all__ = ["Method", "MethodBook", "MethodError", "Part", "Profile"]

_ROUNDING, _RUNS, _REGIONS = "rounding.toml", "runs.toml", "grid-regions.toml"


class MethodError(Exception):
    """Method files are broken; `problems` names file and key of each."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(f"methods: {len(problems)} 处错误 / {len(problems)} error(s)\n{listing(problems)}")


@dataclass(frozen=True, slots=True)
class Run:
    """Methods computed for reporting years [from_year, to_year)."""

    from_year: int
    to_year: int | None
    methods: tuple[str, ...]

    def covers(self, year: int) -> bool:
        """The list is that of this year."""
        return self.from_year <= year and (self.to_year is None or year < self.to_year)


class MethodBook:
    """Every method, and the lists of those that are computed. Build it with `load`."""

    def __init__(
        self,
        methods: tuple[Method, ...],
        runs: tuple[Run, ...],
        regions: dict[str, str],
        choices: tuple[Choice, ...] = (),
    ) -> None:
        self.methods = methods
        self.runs = runs
        self.choices = choices
        self._by_id = {m.id: m for m in methods}
        self._regions = regions

    @classmethod
    def load(cls, folder: Path | None = None, overlay: Storage | None = None) -> MethodBook:
        """Read every file of reference/methods and a home's registry/methods.csv; MethodError lists every error at once."""
        folder = reference.METHODS if folder is None else folder
        rounding = _file(folder / _ROUNDING)
        profiles = {p.id: p for p in rounding.profiles()}
        others = (_ROUNDING, _RUNS, _REGIONS, INPUTS)
        files = [_file(p) for p in sorted(folder.glob("*.toml")) if p.name not in others]
        methods = [made for f in files if not f.problems and (made := f.method(profiles)) is not None]
        problems = [*rounding.problems, *(p for f in files for p in f.problems)]
        raw = tomllib.loads((folder / _RUNS).read_text(encoding="utf-8-sig")).get("run", [])
        runs = tuple(Run(r["from_year"], r.get("to_year"), tuple(r["methods"])) for r in raw)
        known = {f.content.get("method", {}).get("id") for f in files}
        problems += [_unknown(name) for r in runs for name in r.methods if name not in known]
        choices: list[Choice] = []
        if overlay is not None and overlay.exists(FILE):
            choices, wrong = read_choices(overlay.read(FILE), {m.id: m for m in methods})
            problems += wrong
        if problems:
            raise MethodError(problems)
        regions = tomllib.loads((folder / _REGIONS).read_text(encoding="utf-8-sig"))["regions"]
        by_province = {province_key(p): region for region, names in regions.items() for p in names}
        return cls(tuple(methods), runs, by_province, tuple(choices))

    def __getitem__(self, method_id: str) -> Method:
        """The method of that id."""
        return self._by_id[method_id]

    def of_year(self, year: int) -> list[Method]:
        """Methods computed for a reporting year, in the order of their list; empty where none is."""
        own = [c for c in self.choices if c.covers(year)]
        if own:
            return [replace(self._by_id[c.method_id], policy=c.policy, published_by=c.known_by(year)) for c in own]
        return [self._by_id[name] for run in self.runs if run.covers(year) for name in run.methods]

    def file_of(self, year: int, method: Method) -> str:
        """The file that has a method computed for a year."""
        own = any(c.covers(year) and c.method_id == method.id for c in self.choices)
        return f"registry/{FILE}" if own else f"reference/methods/{_RUNS}"

    def selections(self, years: Iterable[int]) -> set[tuple[str, date | None]]:
        """Policy and day by which the methods of some years choose between editions of a factor."""
        return {(m.policy, m.published_by) for y in years for m in self.of_year(y)}

    def region(self, province: str) -> str:
        """The regional grid of a province; "" where it has none."""
        return self._regions.get(province_key(province), "")

    def hash_of(self, method: Method) -> str:
        """Short hash of what a method and its rounding profile say: figures with the same one were made by the same rules."""
        return self.sha256_of(method)[:12]

    def says(self, method: Method) -> dict[str, object]:
        """What a method and its rounding profile say that figures follow from."""
        return _said(method)

    def sha256_of(self, method: Method) -> str:
        """SHA-256 over what a method and its rounding profile say."""
        return _digest(_said(method))

    def version(self, first: date, last: date) -> str:
        """SHA-256 over what the methods computed for the years of [first, last] say, and which those are."""
        years = range(first.year, last.year + 1)
        chosen = {y: [_chosen(m) for m in self.of_year(y)] for y in years}
        named = sorted({m.id for y in years for m in self.of_year(y)})
        in_force = {name: [self._by_id[name].in_force(y) for y in years] for name in named}
        said = {name: _said(self._by_id[name], dates=False) for name in named}
        return _digest({"chosen": chosen, "in_force": in_force, "said": said, "regions": self._regions})

    def with_runs(self, *methods: str) -> MethodBook:
        """The same book computing just these methods, for every year: for trials."""
        return MethodBook(self.methods, (Run(1, None, methods),), self._regions)

    def with_method(self, method: Method) -> MethodBook:
        """The same book with one method in place of its namesake: for trials."""
        methods = tuple(method if m.id == method.id else m for m in self.methods)
        return MethodBook(methods, self.runs, self._regions, self.choices)


def _file(path: Path) -> MethodFile:
    return MethodFile(path.name, path.read_bytes())


def _chosen(method: Method) -> str:
    return method.id if method.selection == LATEST else f"{method.id} {method.selection}"


def _said(method: Method, *, dates: bool = True) -> dict[str, object]:
    """What a method says that figures follow from; titles and notes do not count."""
    said: dict[str, object] = {
        "id": method.id, "factors": method.factors, "reported": method.reported, "confidence": method.confidence,
        "meters": method.corrects_meters, "parts": [asdict(p) for p in method.parts], "profile": asdict(method.profile),
    }  # fmt: skip
    said |= {"selection": method.selection} if method.selection != LATEST else {}
    said |= {"calibration_months": method.calibration_months} if method.calibration_months else {}
    return said | ({"from": method.from_year, "to": method.to_year} if dates else {})


def _digest(said: object) -> str:
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True, default=str).encode()).hexdigest()


def _unknown(name: str) -> Problem:
    return Problem(
        _RUNS, 0, "methods", name, "没有该方法的文件", "no file has this method", "改正或补上", "correct it or add one"
    )
