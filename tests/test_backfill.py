"""A factor changes: what is planned, what is made anew, what is said of it, and what filed years do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from click.testing import CliRunner

import assets.stale
from assets.sealing import sealed_waiting
from assets.stale import stale_keys, within
from pipelines.backfill import restate
from pipelines.cli import main
from pipelines.plan import make_plan
from pipelines.words_of_plan import in_words_of_plan
from resources.registry import RegistryError
from tests import restate_toys as toys

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.plan import Plan

FILED = "plant_id,line_id,year,method_id,filed_at,note\nP1,,2024,,2025-04-30,\n"
#: Anthracite differs from March 2024 to May 2024 and in 2025 again.
SPRING = "anthracite,23,2024-03-01,2024-06-01"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of which everything stands."""
    toys.toy_home(tmp_path, monkeypatch)
    backfilled(tmp_path)
    return tmp_path


def backfilled(root: Path, *, sealed: bool = False, first: str = "", last: str = "~") -> dict[str, list[str]]:
    """Keys made, by product."""
    made = restate(toys.opened(root), toys.PRODUCTS, first, last, str, sealed=sealed)
    return {of.name: [o.key for o in outcomes] for of, outcomes in made}


def planned(root: Path, **options: object) -> Plan:
    return make_plan(toys.opened(root).settings, products=toys.PRODUCTS, **options)  # type: ignore[arg-type]


def figures(root: Path, table: str) -> dict[tuple[str, ...], float]:
    lake = toys.opened(root).lake
    frame = pl.concat(
        [pl.DataFrame(pl.from_arrow(lake.read(table, k))).cast({pl.Categorical: pl.String}) for k in lake.keys(table)]
    )  # type: ignore[arg-type]
    return {tuple(row[:-1]): row[-1] for row in frame.iter_rows()}


def versions(root: Path) -> dict[tuple[str, str], str]:
    lake = toys.opened(root).lake
    return {(t, k): lake.version(t, k) for t in ("toy_month", "toy_year") for k in lake.keys(t)}


def test_after_a_backfill_nothing_is_stale(root: Path) -> None:
    assert stale_keys(toys.opened(root), toys.PRODUCTS) == {}
    assert planned(root).stale == {}
    assert backfilled(root) == {"toy_month": [], "toy_year": []}


def test_a_factor_of_three_months_asks_for_them_and_their_year(root: Path) -> None:
    before, figures_before = versions(root), figures(root, "toy_month")
    toys.say_factor(root, SPRING)
    plan = planned(root)
    assert {name: list(keys) for name, keys in plan.stale.items()} == {
        "toy_month": ["2024-03", "2024-04", "2024-05"],
        "toy_year": ["2024"],
    }
    assert versions(root) == before, "a plan writes nothing"
    assert backfilled(root) == {"toy_month": ["2024-03", "2024-04", "2024-05"], "toy_year": ["2024"]}
    moved = {k for k, v in versions(root).items() if before[k] != v}
    assert moved == {("toy_month", "2024-03"), ("toy_month", "2024-04"), ("toy_month", "2024-05"), ("toy_year", "2024")}
    now = figures(root, "toy_month")
    assert {k[1:] for k in now if now[k] != figures_before[k]} == {
        ("L1", m, "anthracite") for m in ("2024-03", "2024-04", "2024-05")
    }


def test_the_plan_tells_which_row_of_which_file_says_what(root: Path) -> None:
    toys.say_factor(root, SPRING)
    words = planned(root).words["toy_month"]["2024-04"]
    told = (
        "2024-04-01 至 2024-04-30 的排放因子变动 / factors in force 2024-04-01 to 2024-04-30 differ: "
        "OWN.anthracite.2024-03-01: 22.867 (CN.NCV.ANTH.V01) -> 23 GJ/t (registry/factors-own.csv)"
    )
    assert words == [told]


def test_the_expected_change_is_the_one_that_comes(root: Path) -> None:
    before = figures(root, "toy_year")
    toys.say_factor(root, SPRING)
    plan = planned(root)
    month, year = plan.expected
    assert (month.table, month.keys, month.added, month.changed, month.withdrawn) == ("toy_month", 3, 0, 3, 0)
    assert month.owners == {"plant_id": 1, "line_id": 1}
    assert (year.table, year.changed, year.rows) == ("toy_year", 1, 2)
    backfilled(root)
    delta = figures(root, "toy_year")["L1", "2024"] - before["L1", "2024"]
    assert year.sums[0].new - year.sums[0].old == pytest.approx(delta)
    assert delta == pytest.approx(3 * 100 * (23 - 22.867))
    assert year.largest[0]["line_id"] == "L1"
    text = "\n".join(in_words_of_plan(plan))
    assert "2024-03, 2024-04, 2024-05" in text
    assert f"{delta:+,.2f}" in text


def test_what_changed_alike_in_several_months_is_told_once(root: Path) -> None:
    toys.say_factor(root, SPRING)
    (told,) = [n for n in in_words_of_plan(planned(root)) if "排放因子" in n]
    assert told.strip().startswith("2024-03, 2024-04, 2024-05: 排放因子变动 / factors in force differ: OWN.anthracite")


def test_a_factor_that_nobody_uses_is_looked_at_and_moves_nothing(root: Path) -> None:
    before = versions(root)
    toys.say_factor(root, "lignite,12,2024-01-01,2024-02-01")
    plan = planned(root)
    assert {n: list(k) for n, k in plan.stale.items()} == {"toy_month": ["2024-01"]}
    assert plan.expected == []
    assert backfilled(root) == {"toy_month": ["2024-01"], "toy_year": []}
    assert versions(root) == before


def test_only_the_span_that_is_asked_for(root: Path) -> None:
    toys.say_factor(root, SPRING)
    assert backfilled(root, first="2024-04", last="2024-04-30") == {"toy_month": ["2024-04"], "toy_year": ["2024"]}
    assert {n: list(k) for n, k in planned(root).stale.items()} == {
        "toy_month": ["2024-03", "2024-05"],
        "toy_year": ["2024"],
    }


def test_a_release_is_refused_while_a_light_product_is_stale(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets.stale, "light_products", lambda: list(toys.PRODUCTS))
    assert assets.stale.nothing_stale(toys.opened(root)) == []
    toys.say_factor(root, SPRING)
    assert [s.partition(":")[0] for s in assets.stale.nothing_stale(toys.opened(root))] == ["toy_month"]


@pytest.mark.parametrize(
    ("key", "first", "last", "inside"),
    [
        ("2024", "2024-05", "2024-06", True), ("2024-05", "2024", "2024", True), ("2024-05-31", "2024-05", "2024-05", True),
        ("2024-05", "2024-05-31", "2024-06-30", True), ("2023-12", "2024", "~", False), ("2025", "", "2024-12", False), ("all", "2024", "2024", True),
        ("2024-05", "", "~", True),
    ],
)  # fmt: skip
def test_periods_touch_at_the_grain_of_the_coarser(key: str, first: str, last: str, *, inside: bool) -> None:
    assert within(key, first, last) == inside


# ---- filed years ---------------------------------------------------------------------------------------------------------------


def filed(root: Path, text: str = FILED) -> None:
    (root / "registry/filings.csv").write_text(text, encoding="utf-8")


def test_a_filing_alone_asks_for_nothing(root: Path) -> None:
    filed(root)
    assert planned(root).stale == {}


def test_a_filed_year_keeps_its_rows_and_the_plan_tells_what_it_would_become(root: Path) -> None:
    before = figures(root, "toy_month") | figures(root, "toy_year")
    filed(root)
    toys.say_factor(root, "anthracite,23,2024-03-01,2024-04-01", "bituminous,25,2024-03-01,2024-04-01")
    plan = planned(root)
    assert {n: sorted(k) for n, k in plan.sealed.items()} == {"toy_month": ["2024-03"], "toy_year": ["2024"]} or {
        n: sorted(k) for n, k in plan.sealed.items()
    } == {"toy_month": ["2024-03"]}
    become = {e.table: e for e in plan.sealed_expected}
    assert become["toy_month"].changed == 3
    backfilled(root)
    now = figures(root, "toy_month") | figures(root, "toy_year")
    # The other plant is restated, the one that filed is not.
    assert {k for k in now if now[k] != before[k]} == {("P2", "L2", "2024-03", "bituminous"), ("L2", "2024")}
    assert stale_keys(toys.opened(root), toys.PRODUCTS) == {}, "what is sealed stands in no release's way"
    assert sealed_waiting(toys.opened(root))["toy_month"] == {"2024-03": {"toy_month": 2}}
    opened = backfilled(root, sealed=True)
    assert opened["toy_month"] == ["2024-03"]
    now = figures(root, "toy_month")
    assert now["P1", "L1", "2024-03", "anthracite"] == pytest.approx(2300)
    assert figures(root, "toy_year")["L1", "2024"] == pytest.approx(
        sum(v for k, v in now.items() if k[1] == "L1" and k[2] < "2025")
    )
    assert sealed_waiting(toys.opened(root)) == {}


def test_a_filing_that_is_withdrawn_lets_its_rows_go(root: Path) -> None:
    filed(root)
    toys.say_factor(root, "anthracite,23,2024-03-01,2024-04-01")
    backfilled(root)
    (root / "registry/filings.csv").unlink()
    assert {n: sorted(k) for n, k in planned(root).stale.items()} == {"toy_month": ["2024-03"], "toy_year": ["2024"]}
    backfilled(root)
    assert figures(root, "toy_month")["P1", "L1", "2024-03", "anthracite"] == pytest.approx(2300)


def test_a_partition_lost_in_mid_write_is_not_made_of_today_s_factors_where_a_release_holds_it(root: Path) -> None:
    """The record goes before the bytes change: what a killed run leaves is a partition that is missing."""
    from resources.releases import Release, ReleaseFacts, Source, publish

    home = toys.opened(root)
    part = home.lake.partition("toy_month", "2024-03").parts[0]  # type: ignore[union-attr]
    facts = ReleaseFacts("test", "2025-05-01T00:00:00+00:00", "0" * 64)
    made = publish(
        home.published,
        [Source("toy_month", "2024-03", home.lake.storage, part.path, part.sha256, part.bytes, part.rows)],
        about=facts,
        extra={},
    )
    assert isinstance(made, Release)
    filed(root)
    toys.say_factor(root, "anthracite,23,2024-03-01,2024-04-01")
    home.lake.drop("toy_month", "2024-03")
    backfilled(root)
    assert figures(root, "toy_month")["P1", "L1", "2024-03", "anthracite"] == pytest.approx(2286.7)


@pytest.mark.parametrize(
    ("row", "column"),
    [("P9,,2024,,2025-04-30,", "plant_id"), ("P1,L2,2024,,2025-04-30,", "line_id"), ("P1,,24,,2025-04-30,", "year"), ("P1,,2024,,April,", "filed_at"), (",,2024,,2025-04-30,", "plant_id")],
    ids=["unknown plant", "line of another plant", "no year", "no day", "no plant"],
)  # fmt: skip
def test_a_filing_that_cannot_be_is_refused_by_its_cell(root: Path, row: str, column: str) -> None:
    filed(root, FILED.splitlines()[0] + f"\n{row}\n")
    with pytest.raises(RegistryError) as caught:
        _ = toys.opened(root).filings
    assert [(p.row, p.column) for p in caught.value.problems] == [(2, column)]


# ---- the commands --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("backfill", "--product", "nobody"), "no such product"), (("plan", "--product", "nobody"), "no such product"),
        (("plan", "--from", "March"), "no day, month or year"), (("backfill", "--from", "2025", "--to", "2024"), "lies after"),
    ],
    ids=["unknown product", "unknown product in a plan", "no key", "backwards"],
)  # fmt: skip
def test_options_that_cannot_be_used_are_told(root: Path, words: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(main, [*words, "--home", str(root)])
    assert result.exit_code == 2
    assert said in result.output


def test_a_broken_filing_refuses_a_plan(root: Path) -> None:
    filed(root, FILED.replace("P1", "P9"))
    result = CliRunner().invoke(main, ["plan", "--home", str(root), "--expect", "none"])
    assert result.exit_code == 3
    assert "filings.csv:2" in result.output
