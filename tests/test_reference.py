"""The law as data, read without the loader: every row is dated, cited and has a confidence; the tables are complete."""

from __future__ import annotations

import csv
import tomllib
from datetime import date
from typing import Any

import pytest

import reference
from contracts.channels import CHANNEL_NAMES

WORTH = {"V1": "verified", "V2": "secondary", "M-hi": "memory", "M-lo": "draft", "U": "draft"}
PACKS = sorted(reference.RULES.glob("*.toml"))


def pack(name: str) -> dict[str, Any]:
    return tomllib.loads((reference.RULES / f"{name}.toml").read_text(encoding="utf-8"))


def rows(content: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{table}[{i}]", row)
        for table, listed in content.items()
        if isinstance(listed, list)
        for i, row in enumerate(listed, 1)
    ]


def table(name: str) -> list[dict[str, str]]:
    with (reference.HJ212 / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_packs_are_there() -> None:
    assert {"cn-ule-2024", "gb4915-2013", "hj75-2017", "hjt75-2007", "policies"} <= {p.stem for p in PACKS}
    assert reference.FOLDER.is_dir()


@pytest.mark.parametrize("path", PACKS, ids=lambda p: p.stem)
def test_every_row_is_dated_cited_and_has_a_confidence(path) -> None:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    listed = rows(content)
    assert listed
    for place, row in listed:
        assert type(row["effective_from"]) is date, place
        assert type(row.get("effective_to", date.max)) is date, place
        assert row["clause"].strip(), place
        assert set([row["source"]] if isinstance(row["source"], str) else row["source"]) <= set(content["sources"]), (
            place
        )
        assert row["confidence"] in (WORTH[row["mark"]], "draft"), place


@pytest.mark.parametrize("path", PACKS, ids=lambda p: p.stem)
def test_every_pack_has_a_head_that_a_person_can_read(path) -> None:
    head = tomllib.loads(path.read_text(encoding="utf-8"))["pack"]
    assert head["id"] == path.stem
    assert all(head[k].strip() for k in ("title_zh", "title_en", "number", "confidence", "mark"))
    assert path.read_text(encoding="utf-8").startswith("#")


@pytest.mark.parametrize("path", PACKS, ids=lambda p: p.stem)
def test_every_source_that_a_pack_names_is_used(path) -> None:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    used = {
        s for _, row in rows(content) for s in ([row["source"]] if isinstance(row["source"], str) else row["source"])
    }
    assert used == set(content["sources"])


def test_no_row_of_a_pack_starts_before_its_document() -> None:
    for path in PACKS:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        assert all(row["effective_from"] >= content["pack"]["effective_from"] for _, row in rows(content)), path.stem


def test_what_the_ule_table_says() -> None:
    """The three kiln limits were read in the text; ammonia has no number in it."""
    limits = pack("cn-ule-2024")["limit"]
    kiln = {r["pollutant"]: (r["value_mg_m3"], r["mark"]) for r in limits if "kiln_tail" in r["point_types"]}
    assert kiln == {"pm": (10, "V1"), "so2": (35, "V1"), "nox": (50, "V1")}
    assert all(r["pollutant"] != "nh3" for r in limits)


def test_ammonia_rows_hold_only_with_a_reductant_and_no_other_does() -> None:
    limits = pack("gb4915-2013")["limit"]
    assert {(r["pollutant"] == "nh3") == r.get("with_reductant", False) for r in limits} == {True}


#: hj212.md section 2: code, legacy code, channel.
STACK_FACTORS = """
a34013 01 pm; a21026 02 so2; a21002 03 nox; a21003 - no; a21004 - no2; a21005 04 co; a21028 05 -; a21018 06 hf; a21024 08 hcl;
a21001 10 nh3; a20057 31 hg; a20043 32 -; a20025 33 -; a20091 34 -; a20063 35 -; a20016 36 -; a01011 S02 velocity;
a01012 S03 temperature; a01013 S08 pressure; a01014 S05 humidity; a01017 S04 -; a01016 S07 -; a01015 S06 -; a00000 B02 flow;
a19001 S01 o2; a05001 30 -; a05002 - -; a24088 - -; a24087 25 -
"""


def test_factor_codes_of_table_b2() -> None:
    expected = {tuple(part.split()) for part in STACK_FACTORS.replace("\n", " ").split(";")}
    got = {(r["code"], r["legacy_code"] or "-", r["channel"] or "-") for r in table("factors.csv")}
    assert got == expected
    assert {r["channel"] for r in table("factors.csv")} - {""} == set(CHANNEL_NAMES)


@pytest.mark.parametrize("file", ["factors.csv", "flags.csv"])
def test_rows_of_the_code_tables_are_cited(file: str) -> None:
    for row in table(file):
        assert row["name_zh"].strip()
        assert row["name_en"].strip()
        assert row["source"].strip()
        assert row["confidence"] in (WORTH[row["mark"]], "draft")


def test_a_unit_that_differs_from_the_print_is_a_draft_with_a_note() -> None:
    changed = [r for r in table("factors.csv") if r["unit"] != r["unit_printed"]]
    assert {r["code"] for r in changed} == {"a21001", "a05002"}
    assert all(r["confidence"] == "draft" and r["note"] for r in changed)


def test_flag_letters_of_two_editions() -> None:
    letters = {
        system: "".join(r["flag"] for r in table("flags.csv") if r["flag_system"] == system)
        for system in ("2005", "2017")
    }
    assert {k: sorted(v) for k, v in letters.items()} == {"2017": sorted("NFMSDCTB"), "2005": sorted("NPFCMTDS")}
    assert {r["flag"] for r in table("flags.csv") if r["valid"] == "true"} == {"N"}
    assert {r["flag"] for r in table("flags.csv") if r["valid"] == "parameter"} == {"S"}


def test_the_guide_names_every_file_and_mark() -> None:
    guide = (reference.FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(p.name in guide for p in PACKS)
    assert all(word in guide for mark, worth in WORTH.items() for word in (mark, worth))
