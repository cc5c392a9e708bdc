"""The dictionary page and the Frictionless descriptors say what the contracts say."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from contracts import TABLES
from contracts.core import LABEL, Column, Table
from contracts.dictionary import descriptor, dictionary
from resources.rules import RuleBook

TABLE = Table(
    "t", "hours", "day", ("outlet_id",),
    "表", "a table",
    (
        Column("outlet_id", LABEL, "编号：登记的", "an id | with a bar", nullable=False, source="registry/outlets.csv"),
        Column("share", pa.float64(), "占比", "a share", "%", low=0, high=100),
        Column("tag", LABEL, "标记", "a tag", values=("N", "F")),
        Column("day", pa.date32(), "日", "a day"),
        Column("at", pa.timestamp("ms"), "时", "a time"),
        Column("ok", pa.bool_(), "是否", "a verdict"),
        Column("n", pa.int32(), "数", "a count", low=0),
        Column("content", pa.binary(), "内容", "bytes"),
        Column("verdict", LABEL, "结论", "a verdict", values=("Y", "N"), meanings=(("是", "yes"), ("否", "no"))),
    ),
    published=True,
)  # fmt: skip


def test_a_row_shows_type_unit_texts_values_and_range() -> None:
    page = dictionary([TABLE]).splitlines()
    assert (
        "| `outlet_id` | string, 非空 required |  | 编号：登记的 | an id \\| with a bar | registry/outlets.csv |"
        in page
    )
    assert "| `share` | double | % | 占比 | a share; 0 … 100 |  |" in page
    assert "| `tag` | string |  | 标记 | a tag; one of `N`, `F` |  |" in page
    assert "| `n` | int32 |  | 数 | a count; ≥ 0 |  |" in page
    assert "| `verdict` | string |  | 结论 | a verdict; values below |  |" in page
    assert "- `verdict`: `Y` 是 / yes; `N` 否 / no" in page
    assert "- 一行 a row: `outlet_id`, 在每个分区内 within each day" in page
    assert any(line.startswith("- 文件 files: `t/YYYY-MM-DD.parquet`") for line in page)


@pytest.mark.parametrize("name", TABLES)
def test_meanings_speak_of_every_listed_value_in_both_languages(name: str) -> None:
    for column in TABLES[name].columns:
        assert len(column.meanings) in (0, len(column.values))
        assert all(zh and en and zh != en for zh, en in column.meanings)


def test_hour_tags_are_called_as_in_the_tag_tables() -> None:
    column = TABLES["cems_hourly"]["hour_tag"]
    told = dict(zip(column.values, column.meanings, strict=True))
    for tag in RuleBook.load().tags(date(2026, 11, 1)):
        assert told[tag.tag][0].startswith(tag.name_zh)
        assert told[tag.tag][1].startswith(tag.name_en)


def test_a_key_that_names_its_time_needs_no_partition_beside_it() -> None:
    page = dictionary(TABLES.values()).splitlines()
    assert "- 一行 a row: `outlet_id`, `pollutant`, `hour`" in page
    assert "- 一行 a row: `outlet_id`, `pollutant`, `month`, `policy`" in page
    assert "- 一行 a row: `path`, `sha256`" in page
    assert "- 一行 a row: `day`, `src_file`, `cn`" in page


def test_the_snippets_read_from_the_folder_that_was_asked_for() -> None:
    assert 'pl.read_parquet("releases/000001-0123456789ab/t/**/*.parquet")' in dictionary(
        [TABLE], base="releases/000001-0123456789ab"
    )


def test_a_table_that_is_not_published_is_read_from_the_lake() -> None:
    page = dictionary([TABLES["cems_quarantine"]])
    assert 'pl.read_parquet("lake/cems_quarantine/**/*.parquet")' in page
    assert "latest/cems_quarantine" not in page


def test_the_descriptor_holds_types_units_and_constraints() -> None:
    made = descriptor(TABLE)
    fields = {f["name"]: f for f in made["fields"]}
    assert made["primaryKey"] == ["outlet_id"]
    assert fields["outlet_id"]["title"] == "编号"
    assert fields["outlet_id"]["descriptions"]["zh"] == "编号：登记的"
    assert [f["type"] for f in fields.values()] == [
        "string",
        "number",
        "string",
        "date",
        "datetime",
        "boolean",
        "integer",
        "string",
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
