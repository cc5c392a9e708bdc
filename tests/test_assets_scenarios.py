"""Sweeps of a year: no change is the year itself, each axis by hand, combinations, and not a byte of the home moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pytest

from assets.products import bring_up, product
from assets.scenarios import Change, stage_of
from pipelines.cli_sweep import axis_of, sweep
from resources.bench import Bench
from resources.ets_home import Balance, EtsHome
from resources.methods import MethodBook
from tests.carbon_cases import Lab, line, month_of_a, plant, registry

if TYPE_CHECKING:
    from pathlib import Path

    from assets.scenarios import Stage

E_A, Q_A = 1144585.41, 1427056.82
ANTHRACITE, HEAT = 335631.81, 144210.65 * 23.323


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Plant-year A of 2025 as line L1, and L2 beside it without substitutes, at the balance value of the vectors."""
    lab = Lab(tmp_path_factory.mktemp("sweep"), registry(plant(), line(), line("L2")))
    book = MethodBook.load().with_runs("CETS-AG-02.01-V01-2024")
    lab.home.__dict__ |= {"ets_home": EtsHome((Balance(2025, 0.845, "invented", None),)), "methods": book}
    for m in range(1, 13):
        one, two = month_of_a(m), month_of_a(m, "L2")
        del two["ledger_rawmat"], two["ledger_electricity"]
        two["ledger_fuel"] = two["ledger_fuel"][:1]
        lab.put(f"2025-{m:02d}", {t: one.get(t, []) + two.get(t, []) for t in {*one, *two}})
    lab.run()
    bring_up(lab.home, product("allocation"), "2025")
    return lab


@pytest.fixture(scope="module")
def stage(lab: Lab) -> Stage:
    found = stage_of(Bench(lab.home), "2025")
    assert found is not None
    return found


def lines(stage: Stage, *changes: Change) -> dict[str, dict[str, Any]]:
    return {r["line_id"]: r for r in stage.run(changes)[0]}


def test_no_change_is_the_year_itself(lab: Lab, stage: Stage) -> None:
    made = lines(stage)
    for row in lab.frame("allocation_year").iter_rows(named=True):
        names = (
            "total_tco2",
            "clinker_t",
            "allowance_t",
            "obligation_t",
            "carbide_rate_pct",
            "special",
            "entity_tco2",
            "status",
            "drafts",
        )
        assert {n: made[row["line_id"]][n] for n in names} == {n: row[n] for n in names}
    assert made["L1"]["total_tco2"] == E_A
    assert made["L1"]["allowance_t"] == 1153309


def test_heating_value_in_percent(stage: Stage) -> None:
    made = lines(stage, Change("ncv", ("anthracite",), 2.0))
    assert made["L1"]["total_tco2"] - E_A == pytest.approx(0.02 * ANTHRACITE, abs=20), "the year's value has 3 decimals"
    assert made["L1"]["entity_tco2"] - lines(stage)["L1"]["entity_tco2"] == pytest.approx(0.04 * ANTHRACITE, abs=40)
    assert lines(stage, Change("ncv", ("petcoke",), 50.0))["L1"]["total_tco2"] == E_A, "a fuel nobody burns"


def test_clinker_factor(stage: Stage) -> None:
    made = lines(stage, Change("clinker-factor", (), 0.545))
    assert made["L1"]["total_tco2"] - E_A == pytest.approx(0.01 * Q_A, abs=0.02)


@pytest.mark.parametrize(
    ("rate", "special"), [pytest.param(14.0, None, id="14"), pytest.param(16.0, "carbide", id="above-15")]
)
def test_P2_carbide_share_by_rate(stage: Stage, rate: float, special: str | None) -> None:
    for name, row in lines(stage, Change("carbide", (), rate)).items():
        assert row["carbide_rate_pct"] == pytest.approx(rate, abs=0.006), "a line that used none as well"
        assert row["special"] == special
        steel = 6136.64 if name == "L1" else 0.0
        assert row["process_tco2"] == pytest.approx(Q_A * 0.535 * (1 - rate / 100) - steel, abs=0.6)
    none = lines(stage, Change("carbide", (), 0.0))
    assert none["L1"]["total_tco2"] == pytest.approx(E_A + 21783.24, abs=0.02)


def test_a_switch_keeps_the_heat(stage: Stage) -> None:
    made = lines(stage, Change("switch", ("anthracite", "natural_gas"), 30.0))
    # 30 % of the heat of anthracite: what its carbon gave, and what that of gas gives at 99 % oxidation.
    saved = 0.3 * HEAT * (0.02749 - 0.01532) * 0.99 * 44 / 12
    assert E_A - made["L1"]["total_tco2"] == pytest.approx(saved, rel=2e-4)
    assert lines(stage, Change("switch", ("anthracite", "natural_gas"), 0.0))["L1"]["total_tco2"] == E_A
    whole = lines(stage, Change("switch", ("anthracite", "bituminous"), 100.0))
    gained = HEAT * (0.02749 - 0.02618) * 0.99 * 44 / 12
    assert E_A - whole["L1"]["total_tco2"] == pytest.approx(gained, rel=1e-3), "into a fuel the line burns already"
    assert lines(stage, Change("switch", ("petcoke", "diesel"), 50.0))["L1"]["total_tco2"] == E_A


def test_changes_act_in_one_order(stage: Stage) -> None:
    factor, share = Change("clinker-factor", (), 0.55), Change("carbide", (), 10.0)
    assert stage.run((factor, share)) == stage.run((share, factor))
    assert lines(stage, factor, share)["L2"]["process_tco2"] == pytest.approx(Q_A * 0.55 * 0.9, abs=0.6)


def test_each_scenario_may_have_its_own_balance(stage: Stage) -> None:
    rows, balance = stage.run((Change("carbide", (), 10.0),), solve=True)
    assert balance is not None
    assert balance.source == "solve"
    surplus = sum(r["total_tco2"] * r["coefficient"] for r in rows)
    assert surplus == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        pytest.param("balance=0.84..0.85/11", [0.84, 0.841, 0.842, 0.843, 0.844, 0.845, 0.846, 0.847, 0.848, 0.849, 0.85], id="range"),
        pytest.param("ncv:anthracite=-5,0,5", [-5.0, 0.0, 5.0], id="list"), pytest.param("carbide=12.5", [12.5], id="one"),
        pytest.param("carbide=20..0/3", [20.0, 10.0, 0.0], id="downwards"),
    ],
)  # fmt: skip
def test_ranges(text: str, values: list[float]) -> None:
    assert [c.value for c in axis_of(text)] == values


@pytest.mark.parametrize(
    ("vary", "match"),
    [
        pytest.param(("speed=1",), "no such axis", id="unknown"), pytest.param(("ncv=1",), "no such axis", id="no-fuel"),
        pytest.param(("ncv:straw=1",), "no fuel", id="no-such-fuel"), pytest.param(("carbide=0..5",), "write", id="no-steps"),
        pytest.param(("carbide=0..5/1",), "write", id="one-step"), pytest.param(("carbide=x",), "write", id="no-number"),
        pytest.param(("carbide=nan",), "write", id="nan"), pytest.param(("carbide=",), "write", id="empty"),
        pytest.param(("carbide=101",), "between", id="too-much"), pytest.param(("balance=0",), "between", id="zero"),
        pytest.param(("switch:coke:coke=1",), "the same", id="same-fuels"), pytest.param(("carbide=1", "carbide=2"), "twice", id="twice"),
        pytest.param(("carbide=0..9/40", "balance=0.8..0.9/40"), "at most", id="too-many"),
    ],
)  # fmt: skip
def test_what_is_no_range_is_refused(lab: Lab, vary: tuple[str, ...], match: str) -> None:
    with pytest.raises(click.UsageError, match=match):
        sweep(lab.home, "2025", vary)


def test_a_sweep_combines_tells_and_writes_nothing(lab: Lab, tmp_path: Path) -> None:
    from pathlib import Path as Of

    root = Of(lab.home.settings.home)
    for name in ("published/current.json", "registry/ets.csv"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("x", encoding="utf-8")

    def snapshot() -> dict[str, tuple[bytes, int]]:
        return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(root.rglob("*")) if p.is_file()}

    before = snapshot()
    data, text = sweep(lab.home, "2025", ("ncv:anthracite=-2,2", "balance=0.82..0.86/3"))
    assert snapshot() == before, "lake, registry and published stand byte for byte"
    assert any("/lake/" in name for name in before)
    assert [s["values"] for s in data["scenarios"]][:2] == [{}, {"ncv:anthracite": -2.0, "balance": 0.82}]
    assert len(data["scenarios"]) == 1 + 2 * 3
    assert "现值 now" in text
    assert "nothing was written" in text
    plants = [s["plants"][0] for s in data["scenarios"][1:4]]
    assert plants[0]["total_tco2"] == plants[2]["total_tco2"]
    assert plants[0]["allowance_t"] < plants[1]["allowance_t"] < plants[2]["allowance_t"], (
        "a higher balance value gives more"
    )


def test_a_year_without_carbon_is_refused(lab: Lab) -> None:
    with pytest.raises(click.UsageError, match="2024"):
        sweep(lab.home, "2024", ("carbide=1",))
