"""Editions whose rows stand at the same places: what is found without joining them is what a join finds."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING

import polars as pl
import pyarrow.parquet as pq
import pytest

from resources import release_changes
from resources.release_changes import movements
from tests.restate_toys import TOY_MONTH

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 50


def _edition(change: Callable[[int], float | None], labels: str = "peat") -> bytes:
    data = {
        "plant_id": [f"P{i // 10}" for i in range(ROWS)], "line_id": [f"L{i:02d}" for i in range(ROWS)], "month": "2024-01", "fuel": labels,
        "total_tco2": [change(i) for i in range(ROWS)],
    }  # fmt: skip
    made = io.BytesIO()
    pq.write_table(TOY_MONTH.arrow(pl.DataFrame(data), sort=True), made)
    return made.getvalue()


BEFORE = _edition(lambda i: i / 3)
AFTER = {
    "nothing": BEFORE,
    "one-figure": _edition(lambda i: 7.0 if i == 20 else i / 3),
    "every-figure": _edition(lambda i: i / 3 * 1.1),
    "some-become-none": _edition(lambda i: None if i % 5 == 0 else i / 3),
    "the-sign-of-nought": _edition(lambda i: -0.0 if i == 0 else i / 3),
}


def _found(after: bytes) -> list[tuple[object, ...]]:
    old, new = ([partial(io.BytesIO, data)] for data in (BEFORE, after))
    made = list(movements(TOY_MONTH, old, new))
    assert sum(m.added for m in made) == 0
    assert all(m.withdrawn.is_empty() for m in made)
    return [row for m in made for row in m.values.iter_rows()]


@pytest.mark.parametrize("batch", [7, 1000])
@pytest.mark.parametrize("case", AFTER)
def test_rows_that_stand_in_place_are_compared_as_by_their_key(
    case: str, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release_changes, "_BATCH_ROWS", batch)
    in_place = _found(AFTER[case])
    monkeypatch.setattr(release_changes, "apart", lambda *_: None)
    joined = _found(AFTER[case])
    assert sorted(in_place) == sorted(joined)
    assert len(joined) == {"nothing": 0, "one-figure": 1, "every-figure": 49, "some-become-none": 10, "the-sign-of-nought": 0}[case]  # fmt: skip


def test_rows_of_another_key_are_told_by_their_key_though_they_stand_in_place() -> None:
    old, new = ([partial(io.BytesIO, data)] for data in (BEFORE, _edition(lambda i: i / 3, "coke")))
    (made,) = movements(TOY_MONTH, old, new)
    assert (made.values.height, made.withdrawn.height, made.added) == (0, ROWS, ROWS)
