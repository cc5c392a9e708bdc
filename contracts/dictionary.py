"""Pages made from the contracts: the data dictionary and the Frictionless descriptor of a table.

Belongs here: texts and JSON that follow from `Table` records alone. Does not belong here: which files a release
holds (`resources/release_documents.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.core import Column, Table

_LAYERS = {
    "arrivals": "到达 arrivals",
    "raw": "原始 raw",
    "hours": "小时 hours",
    "judgement": "判定 judgement",
    "trust": "可信 trust",
}
_PARTITIONS = {"none": "不分区 none", "day": "日 day", "month": "月 month", "year": "年 year"}
_FILES = {"day": "YYYY-MM-DD", "month": "YYYY-MM", "year": "YYYY"}


def dictionary(tables: Iterable[Table], *, base: str = "latest") -> str:
    """The data dictionary as one Markdown page, in Chinese and English; `base` is the folder above the tables."""
    chosen = list(tables)
    head = [
        "# 数据字典 / Data dictionary",
        "",
        "时间均为北京时间,不带时区。所有单位见各列;空值表示没有数据,绝不表示零。",
        "All times are Beijing wall clock without a zone. Units stand with each column; null means no value, never zero.",
        "",
        f"示例从 `{base}` 读取最新发布。要让引用的数字永不变动,请改为固定的发布文件夹 `releases/<release_id>`。",
        f"The snippets read the latest release through `{base}`; name a fixed folder `releases/<release_id>` where figures are quoted.",
        "",
        *(f"- [`{t.name}`](#{t.name}) — {t.zh} / {t.en}" for t in chosen),
    ]
    return "\n".join([*head, *(line for t in chosen for line in _page(t, base))]) + "\n"


def _page(table: Table, base: str) -> list[str]:
    return [
        "",
        f"## {table.name}",
        "",
        f"**{table.zh}**。{table.en}.",
        "",
        f"- 一行 a row: {', '.join(f'`{name}`' for name in table.key)}{_within(table)}",
        f"- 层 layer: {_LAYERS.get(table.layer, table.layer)}; 分区 partition: {_PARTITIONS.get(table.partition, table.partition)}",
        *_files(table),
        "",
        *_snippets(table, base),
        "",
        "| 列 column | 类型 type | 单位 unit | 中文 | English | 依据 source |",
        "|---|---|---|---|---|---|",
        *(_row(c) for c in table.columns),
        *_meanings(table),
    ]


def _within(table: Table) -> str:
    """A key that does not name the partition holds within it."""
    dated = any(
        str(table[name].type).startswith(("timestamp", "date")) or name == table.partition for name in table.key
    )
    if table.partition == "none" or dated:
        return ""
    return f", 在每个分区内 within each {table.partition}"


def _files(table: Table) -> list[str]:
    name = _FILES.get(table.partition)
    if name is None:
        return []
    return [
        f"- 文件 files: `{table.name}/{name}.parquet`, 数据多时 where there is much of it `{table.name}/{name}/part-*.parquet`"
    ]


def _meanings(table: Table) -> list[str]:
    """What listed values mean, a line a column."""
    lines = [
        f"- `{c.name}`: " + "; ".join(f"`{v}` {zh} / {en}" for v, (zh, en) in zip(c.values, c.meanings, strict=True))
        for c in table.columns
        if c.meanings
    ]
    return ["", "取值 values:", "", *lines] if lines else []


def _snippets(table: Table, base: str) -> list[str]:
    name = table.name
    if not table.published:
        # No part of a release: the file of a day lies in the lake.
        return [
            "只在数据湖中 / in the lake alone:",
            "",
            "```python",
            f'import polars as pl; {name} = pl.read_parquet("lake/{name}/**/*.parquet")',
            "```",
        ]
    files = f"{base}/{name}/**/*.parquet"
    return [
        "```python",
        f'import polars as pl; {name} = pl.read_parquet("{files}")',
        f"import duckdb; {name} = duckdb.sql(\"FROM '{files}'\")",
        f'import pandas as pd; {name} = pd.read_parquet("{base}/{name}")',
        "```",
    ]


def _row(column: Column) -> str:
    kind = type_name(column.type) + ("" if column.nullable else ", 非空 required")
    english = column.en
    if column.meanings:
        english += "; values below"
    elif column.values:
        english += f"; one of {', '.join(f'`{value}`' for value in column.values)}"
    if column.low is not None or column.high is not None:
        english += f"; {_range(column)}"
    return f"| {' | '.join(_cell(text) for text in (f'`{column.name}`', kind, column.unit, column.zh, english, column.source))} |"


def _range(column: Column) -> str:
    if column.low is None or column.high is None:
        return f"≥ {column.low:g}" if column.high is None else f"≤ {column.high:g}"
    return f"{column.low:g} … {column.high:g}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def type_name(kind: pa.DataType) -> str:
    """What a reader sees: a label is a string, however it is stored."""
    return type_name(kind.value_type) if pa.types.is_dictionary(kind) else str(kind)


def descriptor(table: Table) -> dict[str, Any]:
    """Frictionless Table Schema of `table`: fields with type, unit and both texts, and its primary key."""
    return {"fields": [_field(c) for c in table.columns], "primaryKey": list(table.key)}


def _field(column: Column) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": column.name,
        "type": _frictionless(column.type),
        "title": column.title,
        "description": column.en,
    }
    made |= {"descriptions": {"zh": column.zh, "en": column.en}}
    made |= {key: text for key, text in (("unit", column.unit), ("source", column.source)) if text}
    limits: dict[str, Any] = {"required": True} if not column.nullable else {}
    limits |= {key: value for key, value in (("minimum", column.low), ("maximum", column.high)) if value is not None}
    if column.values:
        limits["enum"] = list(column.values)
    return {**made, "constraints": limits} if limits else made


def _frictionless(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        return _frictionless(kind.value_type)
    tests = (
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_integer, "integer"),
        (pa.types.is_floating, "number"),
        (pa.types.is_timestamp, "datetime"),
        (pa.types.is_date, "date"),
    )
    return next((name for test, name in tests if test(kind)), "string")
