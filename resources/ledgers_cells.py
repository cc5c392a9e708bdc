"""Rows of ledgers from texts to values, whole columns at once; every cell that cannot be is a finding and stays empty.

Belongs here: types, listed words, ids, ranges, which rows count. Does not belong here: single spellings (`ledgers_values`), where rows
come from (`ledgers_sheet`), several rows against one another (`ledgers_settle`, `ledgers_gaps`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from contracts import TABLES
from contracts.ledgers import FACILITIES, METERINGS, NCV_SOURCES, PROVENANCE, UNITS
from resources.events_words import folded
from resources.ledgers_names import nearest
from resources.ledgers_tell import LETTERS, PATH, ROW, SHEET, SHEET_NO, TOTAL, shortest
from resources.ledgers_values import day_of, fuels_apart, month_of, number_of, plausible, slip, stamp_of, whole_of
from resources.ledgers_words import STAMPS, limits, load_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from contracts import Column
    from resources.ledgers_names import Names
    from resources.ledgers_tell import Row, Teller

#: Columns of a typed frame besides those of its contract.
EXTRA = (PATH, SHEET, SHEET_NO, ROW, LETTERS, TOTAL)
KIND = "_kind"
_LISTED = {"facility": FACILITIES, "metering": METERINGS, "ncv_source": NCV_SOURCES, "unit": UNITS}
_UNKNOWN = {
    "plant_id": "L21_unknown_plant",
    "line_id": "L22_unknown_line",
    "fuel": "L23_unknown_fuel",
    "material": "L24_unknown_material",
}
_AMOUNTS = ("opening", "purchased", "sold", "closing", "consumption")
_LOST = {"effect_zh": "该行未采用", "effect_en": "the row does not count"}
_NO_AMOUNTS = {"effect_zh": "该行各数量按空处理", "effect_en": "the amounts of the row stay empty"}
_EMPTY = {"effect_zh": "该值按空处理", "effect_en": "the value stays empty"}


def text_columns(table: str) -> list[str]:
    """Columns that a file may give: those of the contract but for the place, then the stamps."""
    return [*(n for n in TABLES[table].names if n not in PROVENANCE), *STAMPS]


def saying(table: str) -> list[str]:
    """Columns that make a row a submission when one of them is filled in."""
    return [*(c.name for c in TABLES[table].columns if c.type in (pa.float64(), pa.date32())), "withdrawn"]


#: Units of slips that have a name in Chinese.
_ZH = {"fraction": "小数"}


class Typist:
    """Types the rows of one table."""

    def __init__(self, table: str, names: Names, teller: Teller) -> None:
        self._table, self._names, self._teller, self._words = TABLES[table], names, teller, load_words()
        #: Rows that do not count; what cannot be of their keys is null.
        self.lost = pl.DataFrame()

    def typed(self, texts: pl.DataFrame) -> pl.DataFrame:
        """Rows that count, total rows among them; columns of the contract, stamps, `EXTRA`, `KIND`."""
        texts = self._owned(texts.filter(self._says_something()))
        values = texts.with_columns(self._column(n, texts[n]) for n in text_columns(self._table.name))
        kind = [f.kind for f in self._words.fuels.values()]
        values = values.with_columns(
            pl.col("fuel").replace_strict(list(self._words.fuels), kind, default="", return_dtype=pl.String).alias(KIND)
            if "fuel" in values.columns
            else pl.lit("").alias(KIND)
        )
        rows, raw = values.filter(~pl.col(TOTAL)), texts.filter(~pl.col(TOTAL))
        wrong = self._complaints(rows, raw)
        owner = [n for n in ("plant_id", "line_id") if n in rows.columns]
        # Of a line and a plant that do not belong together nobody knows which is meant.
        unsure = rows.with_columns(pl.when(~self._astray).then(pl.col(n)).alias(n) for n in owner)
        self.lost = unsure.filter(wrong)
        rows = self._ranges(rows)
        if self._table.name == "ledger_fuel":
            rows = self._units(rows, raw)
        counts = rows.filter(~wrong)
        self._odd(counts)
        return pl.concat([counts, values.filter(pl.col(TOTAL))])

    def _says_something(self) -> pl.Expr:
        """A row of a form that nobody has filled in is none: it would otherwise empty what was submitted before."""
        return pl.any_horizontal(pl.col(n) != "" for n in saying(self._table.name))

    def _owned(self, texts: pl.DataFrame) -> pl.DataFrame:
        """A row that names a line and no plant is of the only plant that the line has ever belonged to."""
        if not {"plant_id", "line_id"} <= set(texts.columns):
            return texts
        of = {}
        for spelt in texts["line_id"].unique().to_list():
            line = self._names.exact("line_id", spelt) if spelt else None
            owners = self._names.plant_of[line] if line else set()
            if len(owners) == 1:
                of[spelt] = next(iter(owners))
        owner = pl.col("line_id").replace_strict(of, default="", return_dtype=pl.String)
        return texts.with_columns(pl.when(pl.col("plant_id") == "").then(owner).otherwise("plant_id").alias("plant_id"))

    def _column(self, name: str, texts: pl.Series) -> pl.Series:
        if name in STAMPS:
            kind = {"submitted_at": stamp_of, "revision": whole_of, "withdrawn": self._word("withdrawn")}[name]
            dtype = {"submitted_at": pl.Datetime("ms"), "revision": pl.Int32(), "withdrawn": pl.String()}[name]
            return _each(texts, kind, dtype)
        if name == "month":
            return _each(texts, month_of, pl.String())
        if name in ("plant_id", "line_id"):
            return _each(texts, lambda t: self._names.exact(name, t), pl.String())
        if name in self._words.values:
            return _each(texts, self._word(name), pl.String())
        if self._table[name].type == pa.float64():
            return _numbers(texts)
        if self._table[name].type == pa.date32():
            return _each(texts, day_of, pl.Date())
        return texts.replace("", None)

    def _word(self, name: str) -> Callable[[str], str | None]:
        table = self._words.values[name]
        return lambda text: table.get(folded(text))

    def _complaints(self, rows: pl.DataFrame, raw: pl.DataFrame) -> pl.Series:
        """Whether each row has a key that cannot be read, is missing or contradicts itself; every bad cell is told."""
        lost = pl.Series([False]).new_from_index(0, rows.height)
        for name in text_columns(self._table.name):
            bad = (raw[name] != "") & rows[name].is_null()
            in_key = name in self._table.key
            if bad.any():
                told = rows.filter(bad).with_columns(raw.filter(bad)[name].alias("_text"))
                figures = partial(self._figures, name, in_key=in_key)
                # A row that counts in no total takes with it all that it says.
                self._teller.cells(
                    _kind_of(name, self._table), told, name, "_text", figures, worse=partial(_is, in_key)
                )
                lost |= bad if in_key else pl.Series([False])
            if in_key and not self._table[name].nullable and (empty := (raw[name] == "")).any():
                self._teller.cells("L29_empty_key", rows.filter(empty), name, figures=self._of_row)
                lost |= empty
        self._astray = pl.Series([False]).new_from_index(0, rows.height)
        if {"plant_id", "line_id"} <= set(rows.columns):
            self._astray = self._strangers(rows)
            lost |= self._astray
        return lost

    def _figures(self, name: str, row: Row, *, in_key: bool) -> dict[str, object]:
        effect = _LOST if in_key else _EMPTY
        if name in ("plant_id", "line_id"):
            return {**effect, **_near(self._names.suggest(name, row["_text"]))}
        if name in ("fuel", "material"):
            table = self._words.values[name]
            known = self._words.fuels if name == "fuel" else self._words.materials
            vague = name == "fuel" and folded(row["_text"]) in self._words.vague
            near = self._words.ranks if vague else tuple(dict.fromkeys(table[n] for n in nearest(row["_text"], table)))
            return {**effect, **_near(", ".join(f"{known[n].zh} / {n}" for n in near))}
        listed = (
            ", ".join(
                f"{zh} / {v}" for v, (zh, _) in zip(self._table[name].values, self._table[name].meanings, strict=True)
            )
            if name in _LISTED
            else ""
        )
        if name == "unit":
            effect = _NO_AMOUNTS
        return {**effect, "listed": listed, "unit": _unit_text(self._table[name], row) if name not in STAMPS else ""}

    def _of_row(self, row: Row) -> dict[str, object]:
        """Month and first number of a row: where months stand across, those tell which cell is meant."""
        first = next(
            ((c.name, row[c.name]) for c in self._table.columns if c.type == pa.float64() and row[c.name] is not None),
            (),
        )
        said = [*([row["month"]] if row.get("month") else []), *([f"{first[0]} {shortest(first[1])}"] if first else [])]
        return {"said_zh": f"（{' '.join(said)}）" if said else "", "said_en": f" ({' '.join(said)})" if said else ""}

    def _strangers(self, rows: pl.DataFrame) -> pl.Series:
        """Rows whose line belongs to another plant."""
        pairs = rows.select("plant_id", "line_id").unique().drop_nulls().rows()
        wrong = [(p, n) for p, n in pairs if p not in self._names.plant_of[n]]
        if not wrong:
            return pl.Series([False]).new_from_index(0, rows.height)
        bad = rows.select(
            pl.any_horizontal((pl.col("plant_id") == p) & (pl.col("line_id") == n) for p, n in wrong).fill_null(
                value=False
            )
        ).to_series()
        owner = {n: ", ".join(sorted(self._names.plant_of[n])) for _, n in wrong}
        self._teller.cells(
            "L33_line_of_another_plant",
            rows.filter(bad),
            "line_id",
            "line_id",
            lambda r: {"plant": r["plant_id"], "owner": owner[r["line_id"]]},
        )
        return bad

    def _ranges(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Values that cannot be stay empty; the unit that would explain one is named."""
        for column in self._table.columns:
            if column.name in PROVENANCE or (column.low is None and column.high is None):
                continue
            bad = _outside(rows[column.name], column.low, column.high)
            if not bad.any():
                continue
            told = rows.filter(bad)
            below = told.filter(pl.col(column.name) < (column.low or 0))
            self._teller.cells(
                "L31_negative", below, column.name, column.name, self._unit_of(column), low=column.low, high=column.high
            )
            above = told.filter(pl.col(column.name) >= (column.low or 0))
            self._teller.cells(
                "L30_impossible",
                above,
                column.name,
                column.name,
                self._unit_of(column),
                low=column.low,
                high=column.high,
            )
            rows = rows.with_columns(pl.when(~bad).then(pl.col(column.name)).alias(column.name))
        return rows

    def _unit_of(self, column: Column) -> Callable[[Row], dict[str, object]]:
        def figures(row: Row) -> dict[str, object]:
            unit = _unit_text(column, row)
            found = slip(self._table.name, column.name, row[KIND], row[column.name], row.get("fuel") or "")
            zh = f"，像是以 {_ZH.get(found.written, found.written)} 填写" if found else ""
            en = f"; it looks like {found.written}" if found else ""
            return {
                "unit": unit,
                "low": _bound(column.low or 0),
                "high": "" if column.high is None else _bound(column.high),
                "slip_zh": zh,
                "slip_en": en,
            }

        return figures

    def _units(self, rows: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
        """Amounts of a fuel without a unit that is ours say nothing; one that is not the fuel's own is told."""
        unknown = rows["unit"].is_null()
        silent = rows.filter(
            unknown & (raw["unit"] == "") & rows.select(pl.any_horizontal(pl.col(_AMOUNTS).is_not_null())).to_series()
        )
        self._teller.cells("L32_no_unit", silent, "unit")
        own = {f.id: f.unit for f in self._words.fuels.values()}
        odd = rows.with_columns(pl.col("fuel").replace_strict(own, default=None).alias("_own")).filter(
            pl.col("unit") != pl.col("_own")
        )
        self._teller.cells(
            "L35_unit_of_another_fuel", odd, "unit", "unit", lambda r: {"fuel": r["fuel"], "own": r["_own"]}
        )
        return rows.with_columns(pl.when(~unknown).then(pl.col(n)).alias(n) for n in _AMOUNTS)

    def _odd(self, rows: pl.DataFrame) -> None:
        """What may be and is not likely: far from what is usual, outside the registry, a measured value that is not there."""
        for column in self._table.columns:
            for (kind,), some in rows.group_by(KIND, maintain_order=True) if column.type == pa.float64() else ():
                apart = fuels_apart(self._table.name, column.name) if kind else ()
                for fuel in apart:
                    self._implausible(column, str(kind), some.filter(pl.col("fuel") == fuel), fuel)
                self._implausible(column, str(kind), some.filter(~pl.col("fuel").is_in(apart)) if apart else some)
        for name in ("plant_id", "line_id"):
            if name in rows.columns and "month" in rows.columns:
                self._not_in_force(name, rows)
        if "ncv_source" in rows.columns:
            empty = rows.filter((pl.col("ncv_source") == "measured") & pl.col("ncv_gj").is_null())
            self._teller.cells("L36_measured_without_value", empty, "ncv_gj")
            unused = rows.filter((pl.col("ncv_source") == "default") & pl.col("ncv_gj").is_not_null())
            self._teller.cells("L38_default_not_used", unused, "ncv_gj", "ncv_gj")
        if "fuel" in rows.columns:
            alternative = self._table.name == "ledger_altfuel"
            astray = rows.filter((pl.col(KIND) == "alternative") != alternative)
            other = "ledger_fuel" if alternative else "ledger_altfuel"
            self._teller.cells("L37_fuel_of_another_table", astray, "fuel", "fuel", lambda _: {"table": other})

    def _implausible(self, column: Column, kind: str, rows: pl.DataFrame, fuel: str = "") -> None:
        within = plausible(self._table.name, column.name, kind, fuel)
        if within is None:
            return
        odd = rows.filter(_outside(rows[column.name], within.low, within.high) & (pl.col(column.name) != 0))
        figures, much = self._unit_of(column), limits()["order_of_magnitude"]

        def far(row: Row) -> bool:
            value = row[column.name]
            # Figures hold words on the unit that would explain a value where there is one.
            return bool(value * much <= within.low or value >= within.high * much or figures(row)["slip_en"])

        self._teller.cells(
            "L40_implausible", odd, column.name, column.name,
            lambda r: {**figures(r), "low": _bound(within.low), "high": _bound(within.high), "what_zh": within.zh, "what_en": within.en},
            low=within.low, high=within.high, worse=far,
        )  # fmt: skip

    def _not_in_force(self, name: str, rows: pl.DataFrame) -> None:
        pairs: Iterable[tuple[Any, ...]] = rows.select(name, "month").unique().drop_nulls().sort(name, "month").rows()
        out = [(s, m) for s, m in pairs if not any(a <= m <= b for a, b in self._names.months_of(name, s))]
        if out:
            absent = pl.DataFrame(out, schema=[name, "month"], orient="row")
            self._teller.cells(
                "L34_not_in_force",
                rows.join(absent, on=[name, "month"], how="semi"),
                name,
                name,
                lambda r: {"month": r["month"]},
            )


def _kind_of(name: str, table: Any) -> str:  # noqa: ANN401 - a Table
    if name in _UNKNOWN:
        return _UNKNOWN[name]
    if name == "month":
        return "L20_unreadable_month"
    if name in _LISTED:
        return "L25_unknown_word"
    if name in STAMPS:
        return "L28_unreadable_stamp"
    return "L27_unreadable_day" if table[name].type == pa.date32() else "L26_no_number"


def _unit_text(column: Column, row: Row) -> str:
    """The unit that a value should be in, that of its row where it is an amount of a fuel."""
    return column.unit or row.get("unit") or (" / ".join(UNITS) if column.name in _AMOUNTS else "-")


def _bound(value: float) -> str:
    return f"{value:,.10g}"


def _is(lost: bool, _: Row) -> bool:
    return lost


def _near(name: str) -> dict[str, object]:
    return {"near_zh": f"，是否为 {name}" if name else "", "near_en": f"; {name} perhaps" if name else ""}


def _outside(values: pl.Series, low: float | None, high: float | None) -> pl.Series:
    bad = pl.Series([False]).new_from_index(0, values.len())
    if low is not None:
        bad |= (values < low).fill_null(value=False)
    if high is not None:
        bad |= (values > high).fill_null(value=False)
    return bad


def _each(texts: pl.Series, read: Callable[[str], Any], dtype: pl.DataType) -> pl.Series:
    """Each spelling is read once."""
    spelt = texts.unique().to_list()
    return texts.replace_strict(
        spelt, pl.Series([read(t) if t else None for t in spelt], dtype=dtype), return_dtype=dtype
    )


def _numbers(texts: pl.Series) -> pl.Series:
    """Plain decimals at once, other spellings one by one. Nothing is -0."""
    plain = texts.str.contains(r"^[+-]?[0-9]+(?:\.[0-9]+)?$")
    made = pl.select(pl.when(plain).then(texts).cast(pl.Float64, strict=False)).to_series()
    other = texts.filter(~plain & (texts != "")).unique().to_list()
    if other:
        read = pl.Series([number_of(t) for t in other], dtype=pl.Float64)
        spelt = texts.replace_strict(other, read, default=None, return_dtype=pl.Float64)
        made = pl.select(pl.coalesce(made, spelt)).to_series()
    return pl.select(pl.when(made == 0).then(0.0).otherwise(made).alias(texts.name)).to_series()
