"""What restatements say of books: the rows that changed in the days of a partition, shortly and the same each time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from resources.factors import FactorBook
from resources.home import Home
from resources.release_books import Books, Differences, document
from resources.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from resources.factors_read import Factor

ROWS = FactorBook.load().rows
GZ = next(r for r in ROWS if r.factor_id == "CN.GRID.GZ.2022")


def books(rows: list[Factor], **more: Any) -> Books:
    return replace(Books(FactorBook(rows), {}, {}, {}), **more)


def next_edition(row: Factor, **more: Any) -> Factor:
    made = {
        "factor_id": "CN.GRID.GZ.2023",
        "text": "0.5683",
        "data_year": 2023,
        "published_on": date(2025, 12, 31),
    } | more
    return replace(row, recorded_at=date(2027, 1, 1), **made)


MONTH = {
    "replaced": (
        lambda: next_edition(GZ, valid_from=GZ.valid_from),
        ["CN.GRID.GZ.2022 0.4989 -> CN.GRID.GZ.2023 0.5683 tCO2/MWh (data year 2023, published 2025-12-31)"],
    ),
    "corrected": (
        lambda: replace(GZ, text="0.5", recorded_at=date(2027, 1, 1)),
        ["CN.GRID.GZ.2022 0.4989 -> 0.5 tCO2/MWh (data year 2022, published 2024-12-20)"],
    ),
    "of the days after": (lambda: next_edition(GZ, valid_from=date(2024, 4, 1)), []),
    "confirmed": (
        lambda: replace(GZ, confidence="draft", recorded_at=date(2027, 1, 1)),
        ["CN.GRID.GZ.2022 0.4989 -> 0.4989 tCO2/MWh, secondary -> draft (data year 2022, published 2024-12-20)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MONTH)
def test_a_factor_is_named_with_its_edition_in_the_days_where_it_holds(name: str) -> None:
    make: Callable[[], Factor] = MONTH[name][0]
    told = Differences(books([GZ]), books([GZ, make()]))._found("factor", (date(2024, 3, 1), date(2024, 3, 31)))
    assert told == MONTH[name][1]


def test_what_lies_outside_a_partition_is_told_where_nothing_lies_inside() -> None:
    told = Differences(books([GZ]), books([GZ, next_edition(GZ, valid_from=date(2024, 4, 1))]))
    assert told.of("factor", "2024-03") == told.of("factor", "2024")
    assert told.of("rule", "2024-03") == []


def test_of_many_factors_those_that_rows_used_come_first_and_the_others_are_counted() -> None:
    grid = [r for r in ROWS if r.quantity == "grid" and r.data_year == 2022 and r.scope == "province"]
    after = books([*grid, *(replace(r, text="0.9", recorded_at=date(2027, 1, 1)) for r in grid)])
    told = Differences(books(grid), after, lambda: frozenset({GZ.factor_id})).of("factor", "2024")
    assert told[0].startswith("CN.GRID.GZ.2022 0.4989 -> 0.9 ")
    assert (len(told), told[-1]) == (4, f"+{len(grid) - 3} more")


def test_the_document_of_a_home_says_what_its_books_say(tmp_path: Path) -> None:
    home = Home(Settings(home=str(tmp_path)))
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry/ets.csv").write_text(
        "year,balance_value,source,published_on\n2024,0.8,notice,2026-11-01\n", "utf-8"
    )
    data = document(home)
    assert data == document(home)
    read = Books.read(data)
    assert read.factors.in_force(date(2024, 1, 1), date(2024, 12, 31))
    assert read.of_year(2024) == [f"{m.id} {m.selection}" for m in home.methods.of_year(2024)]
    assert read.of_year(1990) == []
    assert read.ets == {"registry/ets.csv balance value 2024": "0.8"}
    again = Differences(read, Books.read(json.dumps(json.loads(data)).encode()))
    assert [again.of(kind, "2024") for kind in ("factor", "registry")] == [[], []]
