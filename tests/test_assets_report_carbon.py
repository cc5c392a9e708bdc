"""The carbon part of the report: its figures are the release's, what is missing is shown as missing, and drawings are to scale."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.products import PRODUCTS, bring_up
from assets.release import publish_release
from assets.report import report
from assets.report_carbon_svg import Step, length, months, nice_step, waterfall
from pipelines.cli_release import differing
from pipelines.summary_carbon import carbon, in_words_of_carbon, in_words_of_moved, moved
from resources.settings import SettingsError
from tests.carbon_home import METHOD, carbon_home, opened, say_ncv

if TYPE_CHECKING:
    from pathlib import Path


def publish(root: Path) -> None:
    home = opened(root)
    home.intake.take_in(str)
    for of in PRODUCTS:
        for key in sorted(of.keys(home)):
            bring_up(home, of, key)
    publish_release(home, [])


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two plants of 2024; what L2 burnt in May is written in another unit."""
    root = carbon_home(tmp_path_factory.mktemp("carbon"), range(2024, 2025))
    path = root / "landing/ledgers/ledger_fuel.csv"
    path.write_text(path.read_text().replace("2024-05,1500,t", "2024-05,75080000,t"))
    publish(root)
    return root


def total(root: Path, line: str) -> float | None:
    rows = pl.read_parquet(root / "published/latest/carbon_line_year/2024.parquet").with_columns(
        pl.col(pl.Categorical).cast(pl.String)
    )
    return rows.filter(line_id=line, method_id=METHOD, aggregation="annual_weighted")["total_tco2"].item()


def test_a_home_of_ledgers_alone_has_a_page(published: Path) -> None:
    month, page = report(opened(published))
    assert month == "2024-12"
    assert "碳排放报告 2024-12" in page
    assert f"{total(published, 'L1'):,.2f}" in page
    assert total(published, "L2") is None
    assert "逐小时" not in page, "there are no stacks"
    for heading in ("逐月来源", "方法与年度并列", "企业总量与电力口径", "配额盈缺"):
        assert heading in page
    assert report(opened(published)) == (month, page)


def test_a_month_without_a_number_is_drawn_as_missing(published: Path) -> None:
    page = report(opened(published))[1]
    assert re.findall(r'<rect class="lacking"[^>]*><title>(\d\d)', page) == ["05"]
    assert "缺数 missing" in page
    assert "ledger_fuel.consumption" in page


def test_plants_can_be_chosen_and_strangers_are_refused(published: Path) -> None:
    page = report(opened(published), plants=["P1"])[1]
    assert ">L1<" in page
    assert ">L2<" not in page
    with pytest.raises(SettingsError, match="P9"):
        report(opened(published), plants=["P9"])
    with pytest.raises(SettingsError, match=r"2023-01.*2024-01, "):
        report(opened(published), "2023-01")


def test_the_summary_names_the_line_the_input_and_the_month(published: Path) -> None:
    (year,) = carbon(opened(published))
    assert (year["lines"], year["lines_with_number"], year["total_tco2"]) == (2, 1, total(published, "L1"))
    told = "\n".join(in_words_of_carbon([year]))
    assert "L2: 无数值, 缺 no number, missing ledger_fuel.consumption (2024-05)" in told
    assert moved(opened(published)) is None, "nothing went before"
    lacking = {
        "plant_id": "P3",
        "missing": "factor grid province 西藏",
        "bases": ["location_province"],
        "months": ["2024-01"],
    }
    told = "\n".join(in_words_of_carbon([{**year, "plants_missing": [lacking] * 7}]))
    assert "missing factor grid province 西藏 (2024-01); 因子写入 put factors into registry/factors*.csv" in told
    assert "另有 and 2 more" in told


def test_a_changed_factor_is_a_waterfall_and_a_line_of_the_summary(published: Path, tmp_path: Path) -> None:
    root = tmp_path / "home"
    shutil.copytree(published, root, symlinks=True)
    before = total(root, "L1")
    say_ncv(root, "23.5")
    publish(root)
    after = total(root, "L1")
    assert before is not None
    assert after is not None
    page = report(opened(root))[1]
    assert re.findall(r'class="stand".*?>([\d,.]+)<', page)[:2] == [f"{before:,.2f}", f"{after:,.2f}"]
    assert f">{after - before:+,.2f}<" in page
    facts = moved(opened(root))
    assert facts
    assert {r["reason_kind"] for r in facts["by"]} == {"factor"}
    assert {"CN.NCV.ANTH.V01" in r["reason_ref"] for r in facts["by"]} == {True}
    names = f"{facts['values'] - facts['names']:,} 个已定数值 values 和 and {facts['names']:,} 个因子或方法名 names of factors or methods"
    assert 0 < facts["names"] < facts["values"]
    assert names in in_words_of_moved(facts)[0]
    assert f"L1 2024 {METHOD} annual_weighted: {before} -> {after} tCO2 ({after - before:+,.2f})" in "\n".join(
        in_words_of_moved(facts)
    )


def test_one_corrected_cell_moves_figures_and_the_rest_are_told_as_places(published: Path, tmp_path: Path) -> None:
    root = tmp_path / "home"
    shutil.copytree(published, root, symlinks=True)
    ledgers = root / "landing/ledgers"
    text = (ledgers / "ledger_clinker.csv").read_text("utf-8")
    line = next(n for n in text.splitlines() if n.startswith("L1,2024-03,"))
    # The whole ledger comes once more under another name, with one cell corrected; Excel has left its lock behind.
    more = text.replace(line, line.replace("10000", "10100"))
    (ledgers / "ledger_clinker_more.csv").write_text(more, "utf-8")
    (ledgers / "~$ledger.xlsx").write_bytes(b"lock")
    publish(root)
    facts = moved(opened(root))
    assert facts
    told = "\n".join(in_words_of_moved(facts))
    of_clinker = [r for r in facts["by"] if r["dataset"] == "ledger_clinker"]
    assert sum(r["figures"] for r in of_clinker) == 1, "one cell was corrected"
    assert facts["places"] > 50
    assert f"{facts['places']:,} 个出处 places of rows" in told
    assert "~$" not in " ".join(r["reason_ref"] for r in facts["by"]), "what was refused is no reason"
    assert METHOD in facts["largest"][0]["key"], "the method that is filed stands first"
    text = differing(opened(root).published, "previous", "latest")[1]
    (clinker,) = re.findall(r"^ledger_clinker:.*\n((?:    .*\n)+)", f"{text}\n", re.MULTILINE)
    assert clinker.startswith("    output_t: 1 values, largest +100")
    assert re.search(r"名称与出处 names and places: .*src_path \d+", clinker)
    assert "名称与出处" in report(opened(root))[1]


def test_bars_of_a_month_are_to_scale_and_deductions_hang_below() -> None:
    drawn = months({"01": {"a": 300.0, "b": -100.0}, "02": None}, ["a", "b"])
    tall = {t: float(h) for h, t in re.findall(r'height="([\d.]+)"><title>01 (\w)', drawn)}
    assert tall["a"] == pytest.approx(3 * tall["b"], abs=0.2)
    assert drawn.count('class="lacking"') == 1


@pytest.mark.parametrize(("span", "step"), [(110_000, 25_000), (85_000, 20_000), (5, 1), (400, 100)])
def test_a_grid_has_round_steps_and_no_more_than_five(span: float, step: float) -> None:
    assert nice_step(span) == pytest.approx(step)


def test_a_bar_without_a_number_is_an_empty_frame() -> None:
    assert length(None, 5.0, "ok").count("<rect") == 1
    assert 'width="90.0"' in length(2.5, 5.0, "ok")


def test_a_waterfall_shows_what_moves_and_not_the_whole() -> None:
    drawn = waterfall([Step("a", 0, 1e6, "stand"), Step("b", 1e6, 1e6 + 10, "over"), Step("c", 0, 1e6 + 10, "stand")])
    widths = [float(w) for w in re.findall(r'<rect class="\w+" x="[\d.]+" y="\d+" width="([\d.]+)"', drawn)]
    assert widths[1] > widths[0] > 1
    assert "+10.00" in drawn
