"""registry/standards.csv: which foreign standards hold for whom and when; every mistake named with file, row and cell."""

from __future__ import annotations

from datetime import date

import pytest

from resources.registry import Outlet, Plant, Registry, RegistryError
from resources.rules import RuleBook
from resources.standards import Standards

BOOK = RuleBook.load()
DAY = date(2026, 5, 1)
LONG_AGO = date(2015, 1, 1)
REGISTRY = Registry(
    tuple(Plant(p, "厂", "", "", "", "贵州", "", None, None, 88.0, "general", LONG_AGO, None) for p in ("P1", "P2")), (),
    tuple(Outlet(o, p, None, "kiln_tail", 1.0, 1.0, None, "none", LONG_AGO, None) for o, p in (("A", "P1"), ("B", "P2"))), (), (),
)  # fmt: skip
HEADER = "scope,pack,variant,valid_from,valid_to\n"


def read(rows: str) -> Standards:
    return Standards.from_text(HEADER + rows, REGISTRY, BOOK)


def test_a_home_without_the_file_chooses_nothing() -> None:
    made = Standards.from_text(None, REGISTRY, BOOK)
    assert made.chosen("P1", "A", DAY) == {}
    assert not made.any_in(date.min, date.max)
    assert made.version(date.min, date.max) == ""


def test_the_most_particular_scope_counts() -> None:
    made = read(
        "*,us-neshap-lll,existing,2026-01-01,\nP1,eu-ied-2010,,2026-01-01,2026-06-01\nA,us-neshap-lll,new,2026-03-01,\n"
    )
    assert made.chosen("P1", "A", date(2026, 2, 1)) == {"eu-ied-2010": "", "us-neshap-lll": "existing"}
    assert made.chosen("P1", "A", DAY) == {"eu-ied-2010": "", "us-neshap-lll": "new"}
    assert made.chosen("P1", "A", date(2026, 6, 1)) == {"us-neshap-lll": "new"}
    assert made.chosen("P2", "B", DAY) == {"us-neshap-lll": "existing"}
    assert [f.value for f in made.limits("us-neshap-lll", "new", "kiln_tail", DAY) if f.pollutant == "hg"] == [21]


def test_its_version_is_that_of_the_window() -> None:
    first, last = date(2026, 1, 1), date(2026, 1, 31)
    base = read("*,eu-ied-2010,,2026-01-01,\n").version(first, last)
    assert read("*,eu-ied-2010,,2025-01-01,\n").version(first, last) == base
    assert read("*,eu-ied-2010,,2026-01-01,2026-02-01\n").version(first, last) == base
    assert read("*,eu-ied-2010,,2026-01-01,\nA,us-nsps-f,,2026-02-01,\n").version(first, last) == base
    assert read("*,eu-ied-2010,,2026-01-02,\n").version(first, last) != base
    assert read("*,eu-ied-2010,,2026-01-01,2026-01-31\n").version(first, last) != base
    assert read("P1,eu-ied-2010,,2026-01-01,\n").version(first, last) != base
    assert read("*,eu-ied-2010,,2026-02-01,\n").version(first, last) == ""


@pytest.mark.parametrize(
    ("rows", "places", "said"),
    [
        ("X,eu-ied-2010,,2026-01-01,\n", [(2, "scope")], "neither a plant nor an outlet"),
        ("*,gb4915-2013,,2026-01-01,\n", [(2, "pack")], "holds by law"),
        ("*,us-part-75,,2026-01-01,\n", [(2, "pack")], "use one of: eu-clm-bat-2013, eu-ied-2010, us-neshap-lll, us-nsps-f"),
        ("*,zj-ule-plan,,2026-01-01,\n", [(2, "pack")], "is no standard to choose"),
        ("*,us-neshap-lll,,2026-01-01,\n", [(2, "variant")], "use one of: existing, new"),
        ("*,eu-ied-2010,new,2026-01-01,\n", [(2, "variant")], "leave it empty"),
        ("*,eu-ied-2010,,2026-13-01,\n", [(2, "valid_from")], "write the date as YYYY-MM-DD"),
        ("*,eu-ied-2010,,2026-01-01,\n*,eu-ied-2010,,2027-01-01,\n", [(3, "pack")], "in force together with line 2"),
        ("*,eu-ied-2010,,2026-01-01,2026-01-01\nX,x,,2026-01-01,\n", [(2, "valid_to"), (3, "pack"), (3, "scope")], "3 error"),
        ("*,eu-ied-2010,2026-01-01,\n", [(2, "")], "has 4 cells where the header has 5"),
    ],
    ids=["scope", "by-law", "no-limits", "plan", "variant-missing", "variant-strange", "date", "twice", "several", "ragged"],
)  # fmt: skip
def test_every_mistake_is_named(rows: str, places: list[tuple[int, str]], said: str) -> None:
    with pytest.raises(RegistryError, match=said) as caught:
        read(rows)
    assert [(p.row, p.column) for p in caught.value.problems] == places
    assert {p.file for p in caught.value.problems} == {"standards.csv"}


def test_rows_that_follow_one_another_are_no_mistake() -> None:
    made = read("*,us-neshap-lll,existing,2026-01-01,2026-03-01\n*,us-neshap-lll,new,2026-03-01,\n")
    assert [made.chosen("P1", "A", d)["us-neshap-lll"] for d in (date(2026, 2, 28), date(2026, 3, 1))] == [
        "existing",
        "new",
    ]
