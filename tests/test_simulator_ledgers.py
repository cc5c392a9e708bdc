"""Simulated ledgers: they balance, fit the kilns, and a reader finds every mistake that was planted and no other."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from click.testing import CliRunner

from contracts import TABLES
from contracts.ledgers import LEDGERS, MONTHLY, PROVENANCE
from pipelines.cli import main
from resources.home import Home
from resources.settings import Settings
from simulator import Dirt, simulate
from simulator.ledger_rows import kiln_month, month_begin, month_name, month_of
from simulator.ledgers import ledgers
from simulator.truth_events import write_event_truth
from simulator.world import make_world

if TYPE_CHECKING:
    from pathlib import Path

    from resources.ledgers import LedgerBook
    from simulator.ledger_rows import LedgerRow

FIRST = date(2026, 8, 1)
SMALL: dict[str, Any] = {
    "first": FIRST,
    "days": 1,
    "hours": 1,
    "interval_min": 60,
    "ledgers": True,
    "truth": ("ledgers",),
}
KINDS = {"unit", "text", "gap", "corrected", "unknown", "negative"}


def tree(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def book(home: Path) -> LedgerBook:
    return Home(Settings(home=str(home))).ledgers


def said(table: str) -> list[str]:
    return [n for n in TABLES[table].names if n not in PROVENANCE]


def read(home: Path) -> dict[str, dict[tuple, dict[str, Any]]]:
    """Rows of the reader by table and key, in the columns that people fill in."""
    whole, made = book(home), {}
    for table in LEDGERS:
        months = whole.months(table.name)
        frames = [whole.rows(table.name, m) for m in months] if table in MONTHLY else [whole.rows(table.name)]
        rows = [r for f in frames for r in f.select(said(table.name)).iter_rows(named=True)]
        made[table.name] = {tuple(r[k] for k in table.key): r for r in rows}
    return made


def true(home: Path, table: str) -> dict[tuple, dict[str, Any]]:
    rows = pl.read_parquet(home / f"truth/ledgers/{table}.parquet")
    return {tuple(r[k] for k in TABLES[table].key): r for r in rows.iter_rows(named=True)}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight plants, with books, English and Chinese files, over two years."""
    home = tmp_path_factory.mktemp("clean")
    simulate(home, outlets=36, seed=6, dirt=Dirt.none(), ledger_months=19, **SMALL)
    return home


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("dirty")
    simulate(home, outlets=48, seed=7, dirt=Dirt.heavy(), ledger_months=19, **SMALL)
    return home


@pytest.fixture(scope="module")
def plants() -> dict[str, list[LedgerRow]]:
    """True rows of 2024 to 2026 by plant, with the mixture of the field."""
    world = make_world(150, 3, Dirt.default(), None)
    return {p.plant_id: rows for p, rows in ledgers(world, 3, Dirt.default(), 2024 * 12, 2026 * 12 + 11)}


def series(plants: dict[str, list[LedgerRow]], table: str) -> dict[tuple, list[dict[str, Decimal]]]:
    """Numbers of each series of a table, by month."""
    made: dict[tuple, list[dict[str, Decimal]]] = defaultdict(list)
    names = [n for n in TABLES[table].key if n != "month"]
    numbers = [c.name for c in TABLES[table].columns if str(c.type) == "double"]
    for rows in plants.values():
        for row in (r for r in rows if r.table == table):
            made[tuple(row.cells[n] for n in names)].append({n: Decimal(row.cells[n] or 0) for n in numbers})
    return made


# ---- figures -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "opening", "closing", "incoming", "outgoing"),
    [
        ("ledger_clinker", "opening_t", "closing_t", ("output_t", "purchased_t"), ("sold_t", "used_t")),
        ("ledger_fuel", "opening", "closing", ("purchased",), ("sold", "consumption")),
        ("ledger_rawmat", "opening_t", "closing_t", ("purchased_t",), ("consumption_t",)),
    ],
    ids=["clinker", "fuel", "rawmat"],
)
def test_stocks_balance_to_the_digit(
    plants: dict[str, list[LedgerRow]], table: str, opening: str, closing: str, incoming: tuple, outgoing: tuple
) -> None:
    """Within each month, and from one month to the next; nothing is negative."""
    found = series(plants, table)
    assert len(found) > 10
    for months in found.values():
        assert len(months) == 36
        for row in months:
            assert row[opening] + sum(row[n] for n in incoming) == row[closing] + sum(row[n] for n in outgoing)
            assert min(row[n] for n in (opening, closing, *incoming, *outgoing)) >= 0
        assert [r[closing] for r in months[:-1]] == [r[opening] for r in months[1:]]
        assert len({r[closing] for r in months}) > 12


def test_electricity_of_lines_is_part_of_the_plants(plants: dict[str, list[LedgerRow]]) -> None:
    found = series(plants, "ledger_electricity")
    whole = {p for p, line in found if not line}
    assert whole == set(plants)
    for plant in whole:
        lines = [months for (p, line), months in found.items() if p == plant and line]
        for n, row in enumerate(found[plant, ""]):
            for name in ("direct_nonfossil_mwh", "waste_heat_mwh"):
                assert row[name] == sum(months[n][name] for months in lines)
            assert row["grid_mwh"] >= sum(months[n]["grid_mwh"] for months in lines)


def test_figures_of_a_line_are_those_of_the_trade(plants: dict[str, list[LedgerRow]]) -> None:
    """Ranges of the cross-checks of verification: what is simulated clean is not to look suspicious."""
    world = make_world(150, 3, Dirt.default(), None)
    capacity = {n.line_id: Decimal(n.capacity_t_d) for n in world.lines}
    clinker = {k[0]: v for k, v in series(plants, "ledger_clinker").items()}
    fuels, meal, lab, power = (series(plants, f"ledger_{t}") for t in ("fuel", "rawmeal", "lab", "electricity"))
    default = {"anthracite": Decimal("22.867"), "bituminous": Decimal("23.076"), "diesel": Decimal("42.652")}
    assert set(clinker) == set(capacity)
    for line, months in clinker.items():
        burnt = [(fuel, some) for (_, of, _, fuel), some in fuels.items() if of == line]
        used = next(some for (_, of), some in power.items() if of == line)
        for n, row in enumerate(months):
            made = row["output_t"]
            heat = sum(some[n]["consumption"] * (some[n]["ncv_gj"] or default[fuel]) for fuel, some in burnt) / made
            assert Decimal("2.7") < heat < Decimal("3.6")
            assert Decimal("1.45") <= meal[line,][n]["rawmeal_t"] / made <= Decimal("1.65")
            assert made <= capacity[line] * row["run_hours"] / 24 * Decimal("1.1")
            oxides = lab[line,][n]
            assert 62 < oxides["clinker_cao_pct"] < 68
            implied = (oxides["clinker_cao_pct"] - oxides["noncarbonate_cao_pct"]) * 44 / 56
            implied += (oxides["clinker_mgo_pct"] - oxides["noncarbonate_mgo_pct"]) * 44 / 40
            assert abs(implied / Decimal("53.5") - 1) < Decimal("0.05")
            spent = sum(used[n][name] for name in ("grid_mwh", "direct_nonfossil_mwh", "waste_heat_mwh"))
            assert 45 < 1000 * spent / made < 75
            assert 20 < 1000 * used[n]["waste_heat_mwh"] / made < 45


def test_a_cold_start_burns_diesel(plants: dict[str, list[LedgerRow]]) -> None:
    by_starts: dict[int, list[Decimal]] = defaultdict(list)
    for plant, rows in plants.items():
        for row in rows:
            if row.table == "ledger_fuel" and row.cells["fuel"] == "diesel" and row.cells["facility"] == "kiln":
                line = int(row.cells["line_id"][-1])
                done = kiln_month(3, int(plant[-4:]) - 1, line, row.month)
                by_starts[done.cold].append(Decimal(row.cells["consumption"]))
    quiet, started = (sorted(by_starts[n]) for n in (0, 1))
    assert len(quiet) > 50 < len(started)
    assert quiet[0] > 0
    assert started[0] >= 7
    assert sum(started) / len(started) > 2 * sum(quiet) / len(quiet)


def test_some_have_slag_some_alternative_fuels_some_defaults(plants: dict[str, list[LedgerRow]]) -> None:
    lines = {k[0] for k in series(plants, "ledger_clinker")}
    for table, column, names in (
        ("ledger_rawmat", "material", {"carbide_slag", "steel_slag"}),
        ("ledger_altfuel", "fuel", {"rdf", "waste_tyres", "biomass"}),
    ):
        found = {(r.cells["line_id"], r.cells[column]) for rows in plants.values() for r in rows if r.table == table}
        assert {n for _, n in found} == names
        assert 0 < len({n for n, _ in found}) < len(lines)
    for column, both in (("ncv_source", {"measured", "default"}), ("metering", {"belt", "stocktake"})):
        assert {r.cells[column] for rows in plants.values() for r in rows if column in r.cells} == both
    facilities = {r.cells["facility"] for rows in plants.values() for r in rows if r.table == "ledger_fuel"}
    assert facilities == {"kiln", "mobile", "industrial_boiler"}


@pytest.mark.parametrize("lapse", [0.0, 0.5], ids=["kept", "lapsed"])
def test_calibrations_cover_every_day_unless_one_lapses(lapse: float) -> None:
    first, last = 2025 * 12 + 3, 2026 * 12 + 8
    world = make_world(60, 2, Dirt.none(), None)
    uncovered = meters = 0
    for _, rows in ledgers(world, 2, Dirt(meter_lapse=lapse), first, last):
        held: dict[str, set[date]] = defaultdict(set)
        named = {r.cells["meter_id"] for r in rows if r.cells.get("meter_id") and r.table == "ledger_fuel"}
        for row in (r.cells for r in rows if r.table == "ledger_meter"):
            begin, end = (date.fromisoformat(row[n]) for n in ("calibrated_from", "calibrated_to"))
            assert begin < end
            assert 0 < float(row["actual_pct"]) < float(row["class_pct"])
            held[row["meter_id"]] |= {begin + timedelta(n) for n in range((end - begin).days + 1)}
        assert named <= set(held)
        days = {month_begin(first) + timedelta(n) for n in range((month_begin(last + 1) - month_begin(first)).days)}
        uncovered += sum(bool(days - some) for some in held.values())
        meters += len(held)
    assert uncovered == 0 if lapse == 0 else meters / 4 < uncovered < meters


def test_run_hours_are_those_of_the_true_states(tmp_path: Path) -> None:
    """A month of the truth of states, beside which no capture is needed."""
    world, month = make_world(90, 4, Dirt.none(), None), month_of(FIRST)
    for n in range(31):
        write_event_truth(tmp_path, FIRST + timedelta(days=n), world, 4, Dirt.none(), ("states",))
    states = pl.read_parquet(tmp_path / "states/*.parquet").filter(pl.col("state") == "running")
    ran = states.group_by("line_id").agg((pl.col("end") - pl.col("begin")).sum().dt.total_minutes() / 60)
    made = [
        r.cells for _, rows in ledgers(world, 4, Dirt.none(), month, month) for r in rows if r.table == "ledger_clinker"
    ]
    told = {cells["line_id"]: float(cells["run_hours"]) for cells in made}
    assert told == {line: pytest.approx(h, abs=0.0051) for line, h in ran.iter_rows()}
    assert len(told) > 12
    assert len({round(h) for h in told.values()}) > 6


# ---- through the reader ------------------------------------------------------------------------------------------------------


def test_clean_ledgers_are_read_as_they_are_true_and_without_a_finding(clean: Path) -> None:
    assert book(clean).findings == ()
    assert {f.reason for f in book(clean).files} == {""}
    found = read(clean)
    for table in (t.name for t in LEDGERS):
        assert found[table] == true(clean, table)
        assert found[table]
    assert book(clean).months() == [month_name(m) for m in range(2025 * 12, 2026 * 12 + 8)]
    assert pl.read_parquet(clean / "truth/ledgers/slips.parquet").height == 0


def test_plants_write_in_three_ways(clean: Path) -> None:
    texts = [p.read_bytes() for p in (clean / "landing/ledgers").rglob("ledger_fuel.csv")]
    chinese, english = ([t for t in texts if (w in t)] for w in ("移动燃烧设备".encode("gb18030"), b"mobile,"))
    assert chinese
    assert english
    assert len(chinese) + len(english) == len(texts)
    assert list((clean / "landing/ledgers").rglob("*.xlsx"))


def test_every_lapsed_calibration_is_found_once_a_meter_and_year(dirty: Path) -> None:
    held = {
        (row["meter_id"], row["calibrated_from"] + timedelta(n))
        for row in book(dirty).rows("ledger_meter").iter_rows(named=True)
        for n in range((row["calibrated_to"] - row["calibrated_from"]).days + 1)
    }
    bare = defaultdict(set)
    for month in book(dirty).months():
        first = date.fromisoformat(f"{month}-01")
        days = [d for n in range(31) if (d := first + timedelta(n)).month == first.month]
        for row in book(dirty).rows("ledger_fuel", month).iter_rows(named=True):
            if row["meter_id"] and row["consumption"] and any((row["meter_id"], d) not in held for d in days):
                bare[row["meter_id"], month[:4]].add(month)
    told = [f for f in book(dirty).findings if f.check_id == "L64_meter_not_calibrated"]
    assert len(told) == len(bare) > 5
    expected = {(*of, ", ".join(sorted(months))) for of, months in bare.items()}
    assert {(f.text_en.split(" was not")[0], f.period, f.value) for f in told} == expected


def test_every_mistake_is_found_in_its_cell_and_nothing_else(dirty: Path) -> None:
    slips = pl.read_parquet(dirty / "truth/ledgers/slips.parquet").to_dicts()
    assert {s["kind"] for s in slips} == KINDS
    assert len(slips) > 100
    findings = book(dirty).findings
    assert not [f for f in findings if f.check_id == "L90_and_more"]
    # Calibrations that come late are no mistakes of cells.
    rest = [f for f in findings if f.check_id != "L64_meter_not_calibrated"]
    places = {(f.check_id, f.source_file, f.source_cell) for f in rest if f.source_cell}
    planted = {(s["check"], s["path"], cell(dirty, s)) for s in slips if s["kind"] != "gap"}
    # A measured value that is no number leaves its row saying that there is one.
    follow = {p for p in places if p[0] == "L36_measured_without_value"}
    assert places - follow == planted
    absent = {(s["table"], s["line_id"] or s["plant_id"], s["month"]) for s in slips if s["left"] == "absent"}
    told = set()
    for finding in (f for f in findings if f.check_id == "L60_missing_months"):
        table = finding.text_en.split()[0]
        told |= {(table, finding.line_id or finding.plant_id, month) for month in finding.value.split(", ")}
    gaps = {(s["table"], s["line_id"] or s["plant_id"], s["month"]) for s in slips if s["kind"] == "gap"}
    assert gaps <= told <= absent


def cell(home: Path, slip: dict[str, Any]) -> str:
    """The place of a slip as findings name it."""
    if not slip["sheet"]:
        return f"{slip['line']}[{slip['column']}]"
    return f"{slip['sheet']}!{chr(65 + said(slip['table']).index(slip['column']))}{slip['line']}"


def test_a_mistake_costs_what_the_truth_says_and_no_more(dirty: Path) -> None:
    slips = pl.read_parquet(dirty / "truth/ledgers/slips.parquet").to_dicts()
    found = read(dirty)
    for table in (t.name for t in LEDGERS):
        expected = true(dirty, table)
        for slip in (s for s in slips if s["table"] == table):
            parts = {
                "line_id": slip["line_id"],
                "plant_id": slip["plant_id"],
                "facility": slip["facility"],
                "month": slip["month"],
            }
            key = tuple(parts.get(k, slip["item"]) for k in TABLES[table].key)
            if slip["left"] == "absent":
                del expected[key]
            elif slip["left"] == "empty":
                expected[key] = {**expected[key], slip["column"]: None}
            elif slip["left"] == "wrong":
                expected[key] = {**expected[key], slip["column"]: float(slip["written"])}
        assert found[table] == expected


def test_ledgers_come_in_time_and_corrections_after(dirty: Path) -> None:
    whole = book(dirty)
    for table in (t.name for t in MONTHLY):
        for month in whole.months(table):
            end = month_begin(month_of(date.fromisoformat(f"{month}-01")) + 1)
            for row in whole.rows(table, month).iter_rows(named=True):
                late = row["submitted_at"].date() - end
                # A book of a year comes with its last month.
                assert timedelta(0) < late
                assert late <= timedelta(40) or row["src_path"].endswith(".xlsx")
                assert (row["revision"] == 2) == (row["versions"] == 2)


# ---- files -------------------------------------------------------------------------------------------------------------------


def test_same_seed_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        simulate(tmp_path / name, outlets=14, seed=seed, dirt=Dirt.heavy(), ledger_months=3, **SMALL)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    one, three = (tree(tmp_path / n / "landing/ledgers") for n in ("one", "three"))
    assert len(one) > 20
    assert not set(one.values()) & set(three.values())


def test_ledgers_change_nothing_else_and_grow_with_the_months(tmp_path: Path) -> None:
    size = {"outlets": 12, "seed": 9, "dirt": Dirt.heavy(), "interval_min": 60, "hours": 1, "since": date(2026, 7, 30)}
    simulate(tmp_path / "silent", first=size["since"], days=5, **size)
    simulate(tmp_path / "whole", first=size["since"], days=5, ledgers=True, ledger_months=2, **size)
    simulate(tmp_path / "pieces", first=size["since"], days=2, ledgers=True, ledger_months=2, **size)
    assert book(tmp_path / "pieces").months() == ["2026-05", "2026-06", "2026-07"]
    simulate(tmp_path / "pieces", first=date(2026, 8, 1), days=3, ledgers=True, ledger_months=2, **size)
    assert book(tmp_path / "pieces").months() == ["2026-05", "2026-06", "2026-07", "2026-08"]
    whole = tree(tmp_path / "whole")
    assert whole == tree(tmp_path / "pieces")
    others = {n: h for n, h in whole.items() if not n.startswith(("landing/ledgers/", "truth/ledgers/"))}
    assert others == tree(tmp_path / "silent")
    assert len(others) < len(whole)


def test_a_larger_zone_begins_with_the_smaller_one(tmp_path: Path) -> None:
    """Plants whose outlets are all there hand in the same, whoever stands beside them."""
    for outlets in (12, 40):
        simulate(tmp_path / str(outlets), outlets=outlets, seed=5, dirt=Dirt.default(), **SMALL)
    small, large = (tree(tmp_path / n / "landing/ledgers") for n in ("12", "40"))
    first = {n: h for n, h in small.items() if n.startswith("SIM-P0001/")}
    assert first
    assert first.items() <= large.items()


def test_one_file_for_all_says_the_same(tmp_path: Path, clean: Path) -> None:
    simulate(tmp_path, outlets=36, seed=6, dirt=Dirt.none(), ledger_months=19, layout="one-file-day", **SMALL)
    assert {p.name for p in (tmp_path / "landing/ledgers").iterdir()} > {"all", "all-zh"}
    assert read(tmp_path) == read(clean)
    assert book(tmp_path).findings == ()


def test_nothing_is_handed_in_for_times_before_the_registry(tmp_path: Path) -> None:
    simulate(tmp_path, outlets=2, dirt=Dirt.none(), ledger_months=20, **{**SMALL, "first": date(2020, 3, 2)})
    assert book(tmp_path).months() == ["2020-01", "2020-02", "2020-03"]
    with pytest.raises(ValueError, match="ledger_months must not be negative"):
        simulate(tmp_path, outlets=2, ledger_months=-1, **SMALL)


def test_the_command_has_both_halves_unless_told_otherwise(tmp_path: Path) -> None:
    size = ["--outlets", "2", "--days", "1", "--hours", "1", "--interval", "30", "--json"]
    runs = {"both": ["--ledger-months", "3"], "none": ["--no-ledgers"], "untrue": ["--no-truth"]}
    made = {}
    for name, more in runs.items():
        done = CliRunner().invoke(main, ["simulate", "--home", str(tmp_path / name), *size, *more])
        assert done.exit_code == 0
        made[name] = json.loads(done.stdout)
    assert made["both"]["ledger_rows"] > 30
    assert book(tmp_path / "both").months() == ["2026-08", "2026-09", "2026-10", "2026-11"]
    assert made["none"]["ledger_rows"] == 0
    assert not (tmp_path / "none/landing/ledgers").exists()
    assert 0 < made["untrue"]["ledger_rows"] < made["both"]["ledger_rows"]
    assert not (tmp_path / "untrue/truth/ledgers").exists()


def test_months_are_counted_and_named() -> None:
    assert month_of(date(2026, 12, 31)) + 1 == month_of(date(2027, 1, 1))
    assert (month_name(2026 * 12), month_name(2026 * 12 + 11)) == ("2026-01", "2026-12")
    assert month_begin(2026 * 12 + 12) == date(2027, 1, 1)
