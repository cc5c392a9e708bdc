"""Filed years stand: rows of a filed year are carried over when their partition is made anew.

Belongs here: which products can be sealed, keeping sealed rows, and noting what they would be otherwise. Does not belong here:
what is filed (`resources/sealed`) and making the rows.

A partition holds all plants. Those that filed keep the rows which the lake holds, or, where it holds none (a run was killed
while it wrote), those of the latest release; the others are recomputed beside them. The partition rests on `sealed:<year>`, so
that a filing that is withdrawn asks for it again. What the kept rows would be today is noted, and told until somebody opens them.

Allowances are fixed after a year is filed, so a row of `allocation_year` is kept from the day on which it has one: until then the
balance value is awaited, and the emissions in it are those of rows that stand.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from contracts import TABLES
from resources.release_records import folder
from resources.releases import latest, read_manifest

if TYPE_CHECKING:
    from assets.products import Product
    from contracts import Table
    from resources.bench import Bench
    from resources.home import Home
    from resources.sealed import Filing

#: Layers whose figures are filed.
SEALED_LAYERS = frozenset({"carbon"})
#: Further tables that stand once a figure of theirs is there.
SEALED_ONCE = {"allocation_year": "allowance_t"}
#: Columns that name what a row was reckoned from and are no figure.
BOOKKEEPING = frozenset({"factor_set", "method_version", "factor_policy"})


def can_be_sealed(of: Product) -> bool:
    """Whether a product's figures are of those that plants file."""
    return of.partition in ("month", "year") and any(
        TABLES[t].layer in SEALED_LAYERS or t in SEALED_ONCE for t in of.tables
    )


def is_sealed(home: Home, of: Product, key: str) -> bool:
    """Whether a partition has rows of a filed year, opened or not."""
    return can_be_sealed(of) and bool(home.filings.of_year(key[:4]))


def sealed_stand(home: Home, bench: Bench, of: Product, key: str, made: dict[str, Any]) -> dict[str, Any]:
    """`made` with the rows of filed years as they stood; notes for a plan what they would be."""
    if not is_sealed(home, of, key):
        return made
    filings = home.filings.of_year(key[:4])
    bench.inputs[f"sealed:{key[:4]}"] = home.filings.version(key[:4])
    waiting: dict[str, int] = {}
    kept: dict[str, Any] = dict(made)
    for name in () if home.filings.opened else of.tables:
        before = _standing(home, name, key)
        fresh = made.get(name)
        if before is None:
            continue
        contract = TABLES[name]
        kept[name], differ = _carried(home, contract, filings, before, contract.empty() if fresh is None else fresh)
        if fresh is None and not kept[name].num_rows:
            del kept[name]
        if differ:
            waiting[name] = differ
    _note(home, of.name, key, waiting)
    return kept


def sealed_waiting(home: Home) -> dict[str, dict[str, dict[str, int]]]:
    """Rows of filed years that would be others today, by product, key and table."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for entry in home.lake.storage.list("sealed", ".json"):
        _, name, file = entry.key.split("/")
        key = file.removesuffix(".json")
        if home.filings.of_year(key[:4]):
            found.setdefault(name, {})[key] = json.loads(home.lake.storage.read(entry.key))
    return found


def _note(home: Home, name: str, key: str, waiting: dict[str, int]) -> None:
    place = f"sealed/{name}/{key}.json"
    if waiting:
        home.lake.storage.write(place, json.dumps(waiting, sort_keys=True).encode())
    elif home.lake.storage.exists(place):
        home.lake.storage.delete(place)


def _standing(home: Home, table: str, key: str) -> pa.Table | None:
    """A partition's rows as the lake holds them, else as the latest release does; None where there never were any."""
    rows = home.lake.read(table, key)
    if rows is not None:
        return rows
    release = latest(home.published)
    if release is None:
        return None
    found = read_manifest(home.published, release.release_id).files
    paths = [f.path for f in found if f.table == table and f.key.partition("/")[0] == key]
    parts = []
    for path in paths:
        with home.published.open(f"{folder(release.release_id)}/{path}") as file:
            parts.append(pq.read_table(file))
    return pa.concat_tables(parts) if parts else None


def _carried(
    home: Home, contract: Table, filings: list[Filing], before: pa.Table, fresh: pa.Table
) -> tuple[pa.Table, int]:
    """The rows of filed years of `before` with the other rows of `fresh`; and how many of the former are others in the latter."""
    new = _framed(fresh).select(contract.names)
    old, shared = _of_today(contract, _framed(before), new)
    was = old.filter(_sealed(home, old, filings))
    if figure := SEALED_ONCE.get(contract.name):
        was = was.filter(pl.col(figure).is_not_null())
    mine = _sealed(home, new, filings)
    if figure:
        mine &= _one_of(was, contract)
    would = new.filter(mine)
    if was.equals(would):
        return fresh, 0
    # A line is not restated because the book that it was reckoned from has another name.
    said = [n for n in shared if n not in BOOKKEEPING]
    same = was.join(would, on=said, how="semi", nulls_equal=True).height
    differ = max(was.height, would.height) - same
    rest = new.filter(~mine)
    return contract.arrow(pl.concat([was, rest.cast(dict(was.schema))])), differ  # type: ignore[arg-type]


def _of_today(contract: Table, old: pl.DataFrame, new: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Rows of an older file with the columns of today, and those that the file has.

    What it does not have is said as the fresh row of the same key says it; where there is none it is unknown.
    """
    shared = [n for n in contract.names if n in old.columns]
    lacking = [n for n in contract.names if n not in old.columns]
    old = old.select(shared).cast({n: new.schema[n] for n in shared})
    if lacking:
        key = [n for n in contract.key if n in shared]
        fresh = new.unique(key, keep="none").select(*key, *lacking)
        old = old.join(fresh, on=key, how="left", nulls_equal=True, maintain_order="left")
        # A text that may not be null is empty where nobody can tell it.
        texts = [n for n in lacking if new.schema[n] == pl.String and not contract[n].nullable]
        old = old.with_columns(pl.col(texts).fill_null(""))
    return old.select(contract.names), shared


def _one_of(rows: pl.DataFrame, contract: Table) -> pl.Expr:
    """Whether a row has the key of one of `rows`."""
    keys = pl.struct(contract.key)
    return keys.is_in(rows.select(keys.alias("key"))["key"].implode())


def _framed(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table)).with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


def _sealed(home: Home, frame: pl.DataFrame, filings: list[Filing]) -> pl.Expr:
    """Whether a row is one of those that were filed. A row without a plant is its line's; one without a method is sealed by any."""
    columns = frame.columns
    owner = {line.line_id: line.plant_id for line in home.registry.lines}
    plant = (
        pl.col("plant_id")
        if "plant_id" in columns
        else pl.col("line_id").replace_strict(owner, default=None, return_dtype=pl.String)
    )
    found = pl.lit(False)
    for filing in filings:
        one = plant == filing.plant_id
        if filing.line_id:
            one &= (pl.col("line_id") == filing.line_id) if "line_id" in columns else pl.lit(False)
        if filing.method_id and "method_id" in columns:
            one &= pl.col("method_id") == filing.method_id
        found |= one.fill_null(False)
    return found
