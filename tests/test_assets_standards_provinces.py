"""A plant is held to the standard of its province: what the judgement and the hours ask of the rule book."""

from __future__ import annotations

from datetime import date

import pytest

from assets.fleet import expected_pollutants, fleet_at
from kernels.hours import POLLUTANT_ORDER
from resources.rules import RuleBook
from tests import test_assets_judgement as judged


@pytest.mark.parametrize(
    ("province", "nox", "rule", "fails"),
    [("河北省", 100.0, "db13-2167-2020/kiln_tail/nox", 24), ("贵州", 400.0, "gb4915-2013/kiln_tail/nox/general", 0)],
)
def test_the_floor_of_a_month_is_that_of_the_province(province: str, nox: float, rule: str, fails: int) -> None:
    bench = judged.FakeBench(
        judged.registry(judged.plant(province=province), judged.line(), judged.outlet(), judged.device())
    )
    judged.fill(bench, date(2026, 7, 1), 2, judged.GOOD)
    judged.fill(bench, date(2026, 7, 3), 1, judged.GOOD | {("A", "nox"): [150.0] * 24})
    made = bench.make("2026-07")
    hours = judged.frame(made["ule_hourly"]).filter(pollutant="nox")
    assert set(hours["mandatory_limit_mg_m3"]) == {nox}
    assert set(hours["mandatory_rule_id"]) == {rule}
    assert judged.headline(made, "nox")["mandatory_fail_hours"] == fails


def test_monitors_are_expected_where_only_the_province_sets_a_limit() -> None:
    """A provincial row of SO2 at a cooler would ask for its monitor in that province and nowhere else."""

    class Book(RuleBook):
        def limit(self, kind, *, pollutant, province="", **asked):
            return object() if (pollutant, province) == ("so2", "河北省") else None

    book = Book((), (), ())
    for province, expected in (("河北省", ["so2"]), ("贵州", [])):
        registry = judged.registry(judged.plant(province=province), judged.line(), judged.outlet(point_type="cooler"))
        found = expected_pollutants(fleet_at(registry, date(2026, 7, 1)), registry, book)
        assert [p for p, e in zip(POLLUTANT_ORDER, found[0], strict=True) if e] == expected
