"""Several submissions of one row: the latest counts, the others are history that is told.

Belongs here: the order of submissions, rows that are taken back, what a later submission changed. Does not belong here: what the cells
mean (`ledgers_cells`), months that nobody submitted (`ledgers_gaps`).

The order comes from the files alone: time of submission, revision, path, sheet, row; what is not given counts as earliest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from contracts import TABLES
from contracts.ledgers import PROVENANCE
from resources.ledgers_tell import ID, LETTERS, PATH, ROW, SHEET, SHEET_NO, TOTAL, place_of, shortest

if TYPE_CHECKING:
    from resources.ledgers_tell import Row, Teller

#: What tells the later one of two submissions.
LATER = ("submitted_at", "revision", PATH, SHEET_NO, ROW)
_NEXT = "_next_"


def settled(table: str, rows: pl.DataFrame, teller: Teller) -> pl.DataFrame:
    """The rows that count in the columns of the contract, sorted by key; `rows` as typed, total rows left out."""
    key = list(TABLES[table].key)
    ordered = in_order(table, rows)
    counted = ordered.with_columns(pl.len().over(key).cast(pl.Int32).alias("versions"))
    last = counted.select(
        ~pl.struct(key).eq_missing(pl.struct(key).shift(-1)) | (pl.int_range(pl.len()) == pl.len() - 1)
    ).to_series()
    if not last.all():
        _tell_history(table, counted, last, teller)
    made = counted.filter(last)
    taken_back = made.filter(pl.col("withdrawn") == "yes")
    teller.cells("L53_withdrawn", taken_back, "withdrawn", "", lambda r: {"versions": r["versions"] - 1})
    made = made.filter(pl.col("withdrawn").ne_missing("yes"))
    place = {"src_path": PATH, "src_row": ROW, "src_columns": LETTERS}
    return made.with_columns(
        pl.col(SHEET).replace("", None).alias("src_sheet"), *(pl.col(old).alias(new) for new, old in place.items())
    ).select(TABLES[table].names)


def in_order(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows but for those of totals, sorted by key; those of one key in the order of their submission."""
    return rows.filter(~pl.col(TOTAL)).sort(*TABLES[table].key, *LATER, nulls_last=False)


def _tell_history(table: str, rows: pl.DataFrame, last: pl.Series, teller: Teller) -> None:
    """Of each row that has a later one: what that changed; rows that say the same are only counted."""
    said = [n for n in TABLES[table].names if n not in (*TABLES[table].key, *PROVENANCE)]
    carried = [*said, ID, "withdrawn", PATH, SHEET, ROW, "submitted_at", "revision"]
    pairs = rows.with_columns(pl.col(n).shift(-1).alias(f"{_NEXT}{n}") for n in carried).filter(~last)
    differ = pl.any_horizontal(pl.col(n).ne_missing(pl.col(f"{_NEXT}{n}")) for n in [*said, "withdrawn"])
    same = pairs.filter(~differ)
    for (path,), some in same.group_by(PATH, maintain_order=True):
        row = some.row(0, named=True)
        teller.row(
            "L52_repeated",
            {**row, "plant_id": None, "line_id": None, "month": None},
            "",
            None,
            {"rows": some.height, "path": path},
        )
    for row in pairs.filter(differ).iter_rows(named=True):
        _tell_change(row, said, teller)


def _tell_change(row: Row, said: list[str], teller: Teller) -> None:
    changes = [(n, row[n], row[f"{_NEXT}{n}"]) for n in said if row[n] != row[f"{_NEXT}{n}"]]
    shown = ", ".join(f"{n} {_shown(old)} → {_shown(new)}" for n, old, new in changes)
    winner = f"{row[f'{_NEXT}{PATH}']} {place_of(row[f'{_NEXT}{SHEET}'], row[f'{_NEXT}{ROW}'], '', '')}"
    column = changes[0][0] if len(changes) == 1 else ""
    together = all(row[n] == row[f"{_NEXT}{n}"] for n in (PATH, "submitted_at", "revision"))
    if row[f"{_NEXT}withdrawn"] == "yes":
        return
    emptied = [n for n, old, new in changes if old is not None and new is None]
    unstamped = all(row[f"{p}{n}"] is None for p in ("", _NEXT) for n in ("submitted_at", "revision"))
    later = "L55_by_path" if unstamped else "L51_superseded"
    kind = "L50_contradiction" if together else "L54_emptied" if emptied else later
    teller.row(
        kind,
        # What the later one did to it is moot when that one stands no longer either.
        {**row, ID: row[f"{_NEXT}{ID}"]},
        column,
        row[column] if column else None,
        {"changes": shown or "withdrawn", "winner": winner, "emptied": ", ".join(emptied)},
    )


def _shown(value: object) -> str:
    return "空 empty" if value is None else shortest(value)
