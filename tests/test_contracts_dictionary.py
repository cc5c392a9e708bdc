"""The dictionary page and the Frictionless descriptors say what the contracts say."""

from __future__ import annotations

import pyarrow as pa
import pytest

from contracts import TABLES
from contracts.core import LABEL, Column, Table
from contracts.dictionary import descriptor, dictionary

TABLE = Table(
    "t", "hours", "day", ("outlet_id",),
    "表", "a table",
    (
        Column("outlet_id", LABEL, "编号", "an id | with a bar", nullable=False, source="registry/outlets.csv"),
        Column("share", pa.float64(), "占比", "a share", "%", low=0, high=100),
        Column("tag", LABEL, "标记", "a tag", values=("N", "F")),
        Column("day", pa.date32(), "日", "a day"),
        Column("at", pa.timestamp("ms"), "时", "a time"),
        Column("ok", pa.bool_(), "是否", "a verdict"),
        Column("n", pa.int32(), "数", "a count", low=0),
        Column("content", pa.binary(), "内容", "bytes"),
    ),
)  # fmt: skip


def test_a_row_shows_type_unit_texts_values_and_range() -> None:
    page = dictionary([TABLE]).splitlines()
    assert "| `outlet_id` | string, 非空 required |  | 编号 | an id \\| with a bar | registry/outlets.csv |" in page
    assert "| `share` | double | % | 占比 | a share; range 0 … 100 |  |" in page
    assert "| `tag` | string |  | 标记 | a tag; one of `N`, `F` |  |" in page
    assert "| `n` | int32 |  | 数 | a count; range 0 … ∞ |  |" in page
    assert "- 粒度 grain: `outlet_id`" in page


def test_the_snippets_read_from_the_folder_that_was_asked_for() -> None:
    assert 'pl.read_parquet("releases/000001-0123456789ab/t/**/*.parquet")' in dictionary(
        [TABLE], base="releases/000001-0123456789ab"
    )


def test_the_descriptor_holds_types_units_and_constraints() -> None:
    made = descriptor(TABLE)
    fields = {f["name"]: f for f in made["fields"]}
    assert made["primaryKey"] == ["outlet_id"]
    assert [f["type"] for f in fields.values()] == [
        "string",
        "number",
        "string",
        "date",
        "datetime",
        "boolean",
        "integer",
        "string",
    ]
    assert fields["share"]["unit"] == "%"
    assert fields["share"]["constraints"] == {"minimum": 0, "maximum": 100}
    assert fields["tag"]["constraints"] == {"enum": ["N", "F"]}
    assert fields["outlet_id"]["constraints"] == {"required": True}
    assert fields["ok"]["descriptions"] == {"zh": "是否", "en": "a verdict"}
    assert "constraints" not in fields["ok"]


@pytest.mark.parametrize("name", TABLES)
def test_every_column_of_every_table_has_a_line_of_six_cells(name: str) -> None:
    lines = [line for line in dictionary([TABLES[name]]).splitlines() if line.startswith("| `")]
    assert [line.split("`")[1] for line in lines] == TABLES[name].names
    assert {line.replace("\\|", "").count("|") for line in lines} == {7}
