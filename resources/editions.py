"""What the books said when a partition was made: kept by version, so that a plan can name the row that changed.

Belongs here: keeping the rows of a book behind a recorded version, and what differs between them and now. Does not belong here:
which rows are in force (`factors`, `rules`) and the words of it (`pipelines/words_of_change.py`).

A recorded input tells that a book stands differently, by its hash; only what was kept with the hash tells in which row.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

from resources.rules_versions import row_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from resources.home import Home

#: Series of a row -> what it says, by name.
Lines: TypeAlias = dict[str, dict[str, Any]]

#: Shorter windows are those of single days: there are thousands of them, and a month tells the same.
_LEAST_DAYS = 27


@dataclass(frozen=True, slots=True)
class Moved:
    """One series of a book that says something else: None where it says nothing."""

    series: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None


def remember(home: Home, inputs: Mapping[str, str]) -> None:
    """Keep what the books among `inputs` say, each version once."""
    for name, version in inputs.items():
        window = _window(name)
        if window and not home.lake.storage.exists(place := _place(name, version)):
            lines = _LINES[name.partition(":")[0]](home, *window)
            home.lake.storage.write(place, json.dumps(lines, ensure_ascii=False, sort_keys=True, default=str).encode())


def moved(home: Home, name: str, version: str) -> list[Moved]:
    """Series of a book that say something else now than when input `name` had `version`; [] where that was not kept."""
    window = _window(name)
    if not window or not home.lake.storage.exists(place := _place(name, version)):
        return []
    before: Lines = json.loads(home.lake.storage.read(place))
    said = _LINES[name.partition(":")[0]](home, *window)
    now: Lines = json.loads(json.dumps(said, default=str))
    return [
        Moved(s, before.get(s), now.get(s))
        for s in sorted({*before, *now})
        if _content(before.get(s)) != _content(now.get(s))
    ]


def _content(line: dict[str, Any] | None) -> dict[str, Any] | None:
    """What is said, wherever it stands."""
    return None if line is None else {k: v for k, v in line.items() if k != "file"}


def _window(name: str) -> tuple[date, date] | None:
    kind, *rest = name.split(":")
    if kind not in _LINES or len(rest) != 2:
        return None
    first, last = (date.fromisoformat(d) for d in rest)
    return (first, last) if (last - first).days >= _LEAST_DAYS else None


def _place(name: str, version: str) -> str:
    return f"editions/{name.partition(':')[0]}/{version}.json"


def _factor_lines(home: Home, first: date, last: date) -> Lines:
    """Series by name; one that changes inside the window has a line for each of its rows."""
    made: Lines = {}
    for row in sorted(home.factors.in_force(first, last), key=lambda r: (r.valid_from, r.recorded_at), reverse=True):
        series = " ".join(p for p in (row.quantity, row.scope, row.region, "|".join(row.methods)) if p)
        series += f" from {row.valid_from}" if row.valid_from > first else ""
        # Methods of a home that choose by a day of publication leave two editions in force side by side.
        made[series if series not in made else f"{series} {row.factor_id}"] = {
            "id": row.factor_id, "value": row.text, "unit": row.unit, "confidence": row.confidence,
            "recorded_at": row.recorded_at, "file": row.file,
            "valid_to": None if row.valid_to is None or row.valid_to > last else row.valid_to,
        }  # fmt: skip
    return made


def _rule_lines(home: Home, first: date, last: date) -> Lines:
    made: Lines = {}
    for pack in home.rules.packs:
        for row in home.rules.rows(pack.id):
            if row.table != "clause" and row.cite.overlaps(first, last):
                cells = {k: list(v) if isinstance(v, tuple) else v for k, v in row.cells.items()}
                about = {"clause": row.cite.clause, "confidence": row.cite.confidence, "file": row.file}
                begins = f" from {row.cite.effective_from}" if row.cite.effective_from > first else ""
                made |= {f"{name}{begins}": cells | about for name in row_ids(row)}
    return made


def _method_lines(home: Home, first: date, last: date) -> Lines:
    """What is computed for each year, by which edition of its method and of factors."""
    years = range(first.year, last.year + 1)
    return {
        f"{m.id} {y}": {
            "id": m.id, "selection": m.selection, "says": home.methods.hash_of(m), "confidence": m.confidence,
            "in_force": m.in_force(y), "file": home.methods.file_of(y, m),
        }
        for y in years for m in home.methods.of_year(y)
    }  # fmt: skip


def _ets_home_lines(home: Home, first: date, last: date) -> Lines:
    """Balance values and declared lines of the years."""
    years, own = range(first.year, last.year + 1), home.ets_home
    made: Lines = {
        f"balance value {y}": {"value": f"{b.value:g}", "unit": "tCO2/t", "source": b.source, "file": "registry/ets.csv"}
        for y, b in own.balances.items() if y in years
    }  # fmt: skip
    return made | {
        f"{n.line_id} {n.year}": {"variety": n.variety, "special": n.special, "file": "registry/ets_lines.csv"}
        for n in own.lines if n.year in years
    }  # fmt: skip


_LINES: dict[str, Callable[[Home, date, date], Lines]] = {
    "factors": _factor_lines, "rules": _rule_lines, "methods": _method_lines, "ets_home": _ets_home_lines,
}  # fmt: skip
