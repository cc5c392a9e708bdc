"""What would change in a table is counted by partition and by column; a slow twin counts by row."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts import TABLES
from pipelines.expected import expected
from resources.column_chunks import apart
from resources.lake import Lake
from resources.storage import LocalStorage
from tests.restate_toys import TOY_MONTH

if TYPE_CHECKING:
    from pathlib import Path

Rows = dict[tuple[str, str, str], float]
MONTHS = ("2024-01", "2024-02")
#: 40 lines of 20 plants, each with two fuels.
BASE: Rows = {(f"P{i // 2:02d}", f"L{i:02d}", f): i + 0.5 * len(f) for i in range(40) for f in ("coke", "coal tar")}


def _but(*gone: tuple[str, str, str], **_: Any) -> Rows:
    return {k: v for k, v in BASE.items() if k not in gone}


EDITIONS: dict[str, Rows] = {
    "figures": {k: v * 1.01 if k[2] == "coke" else v for k, v in BASE.items()},
    "figures-that-move-alike": {k: v + 1 for k, v in BASE.items()},
    "a-row-more": BASE | {("P99", "L99", "coke"): 7.0},
    "a-row-less": _but(("P03", "L06", "coke")),
    "one-for-another": _but(("P03", "L06", "coke")) | {("P99", "L99", "peat"): 7.0},
    "none-left": {},
}


def _write(lake: Lake, month: str, rows: Rows) -> None:
    made = [(p, n, month, f, v) for (p, n, f), v in rows.items()]
    table = TOY_MONTH.arrow(pl.DataFrame(made, schema=dict(zip(TOY_MONTH.names, [pl.String] * 4 + [pl.Float64], strict=True)), orient="row"))  # fmt: skip
    lake.write("toy_month", month, table, made_by="t", inputs={})


@pytest.mark.parametrize("case", EDITIONS)
def test_expected_is_what_counting_by_row_gives(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLES, "toy_month", TOY_MONTH)
    now, planned = (Lake(LocalStorage(tmp_path / name)) for name in ("now", "planned"))
    editions = [{"2024-01": BASE, "2024-02": BASE, "2024-03": BASE}, {"2024-01": EDITIONS[case], "2024-02": EDITIONS[case], "2024-03": BASE}]  # fmt: skip
    for lake, months in zip((now, planned), editions, strict=True):
        for month, rows in months.items():
            _write(lake, month, rows)
    told = expected("toy_month", ["2024-01", "2024-02", "2024-03"], now, planned)
    assert told is not None
    old, new = BASE, EDITIONS[case]
    hit = [k for k in {*old, *new} if old.get(k) != new.get(k)]
    assert (told.keys, told.rows) == (2, 2 * len({*old, *new}))
    assert (told.added, told.changed, told.withdrawn) == tuple(
        2 * n
        for n in (len(new.keys() - old.keys()), sum(k in old and k in new for k in hit), len(old.keys() - new.keys()))
    )
    assert told.owners == {"plant_id": len({k[0] for k in hit}), "line_id": len({k[1] for k in hit})}
    assert [(s.way, pytest.approx(s.old), pytest.approx(s.new)) for s in told.sums] == [
        (f, *(2 * sum(v for k, v in rows.items() if k[2] == f) for rows in (old, new)))
        for f in sorted({k[2] for k in {*old, *new}})
    ]
    moves = [
        (-abs(new.get(k, 0.0) - old.get(k, 0.0)), k[0], k[1], m, k[2]) for k in hit for m in MONTHS
        if new.get(k, 0.0) != old.get(k, 0.0)
    ]  # fmt: skip
    assert [
        (-abs(row["delta"]), *(row[n] for n in ("plant_id", "line_id", "month", "fuel"))) for row in told.largest
    ] == sorted(moves)[:5]


def test_equal_editions_are_expected_to_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLES, "toy_month", TOY_MONTH)
    lake = Lake(LocalStorage(tmp_path))
    _write(lake, "2024-01", BASE)
    assert expected("toy_month", ["2024-01"], lake, lake) is None


def _file(columns: dict[str, list[Any]], **how: Any) -> io.BytesIO:
    made = io.BytesIO()
    pq.write_table(pa.table(columns), made, **how)
    return made


OLD: dict[str, list[Any]] = {"k": ["a", "b", "c"], "x": [1.0, 2.0, None], "y": ["u", "v", "u"]}


@pytest.mark.parametrize(
    ("new", "how", "due"),
    [
        pytest.param(OLD, {}, set(), id="the-same"),
        pytest.param(OLD | {"x": [1.0, 2.0, 3.0]}, {}, {"x"}, id="a-null-that-is-filled"),
        pytest.param(OLD | {"y": ["v", "u", "v"]}, {}, {"y"}, id="labels-that-change-places"),
        pytest.param({n: OLD[n] for n in ("y", "x", "k")}, {}, set(), id="columns-that-change-places"),
        pytest.param(OLD | {"z": [1, 2, 3]}, {}, set(), id="a-column-more-is-no-movement"),
        pytest.param(OLD | {"x": [1, 2, None]}, {}, {"x"}, id="a-column-of-another-type"),
        pytest.param(OLD | {"k": ["a", "b", "d"]}, {}, None, id="another-key"),
        pytest.param({n: OLD[n] for n in ("x", "y")}, {}, None, id="no-key"),
        pytest.param({n: v[:2] for n, v in OLD.items()}, {}, None, id="a-row-less"),
        pytest.param(OLD, {"row_group_size": 2}, None, id="other-row-groups"),
        pytest.param(OLD, {"use_dictionary": ["k", "x"]}, {"y"}, id="another-encoding-has-to-be-read"),
    ],
)
def test_columns_with_the_same_bytes_are_the_same(
    new: dict[str, list[Any]], how: dict[str, Any], due: set[str] | None
) -> None:
    assert apart([_file(OLD)], [_file(new, **how)], ["k"]) == due
