"""EPA hourly files: what a line becomes, what is refused by name, sums and runs; two real files where they are at hand."""

from __future__ import annotations

import json
import re
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from contracts.epa import EPA_HOURLY, EPA_UNITS
from kernels.runs import ENDS, HIT, PASSES, longest_runs
from pipelines.cli import main
from resources.epa_hourly import EpaError, read_epa
from resources.epa_units import LB_T, unit_years

ROOT = Path(__file__).parents[1]
REAL = ROOT.parent / "shared/data/epa_cems_2007"
GA, TN = REAL / "GA_703-3BLR.annual_raw.txt", REAL / "TN_CEM_2007_10.txt"
real = pytest.mark.skipif(not (GA.exists() and TN.exists()), reason="../shared/data/epa_cems_2007 is not here")


def line(hour: int = 0, day: str = "070101", unit: str = "6A", plant: int = 703, **cells: str) -> str:
    """One good line, with some of its cells otherwise."""
    given = {
        "nox": "40",
        "so2": "90.5",
        "rate": ".4",
        "time": "1",
        "load": "10",
        "heat": "100",
        "codes": "1,2,2,1",
    } | cells
    return (
        f'{plant},"{unit}","{day}",{hour},{given["nox"]},{given["so2"]},{given["rate"]},{given["time"]},{given["load"]},-9,'
        f"{given['heat']},{given['codes']},-9"
    )


def written(tmp_path: Path, *lines: str, name: str = "a.txt") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def hours_of(path: Path) -> list[dict[str, Any]]:
    return read_epa([path]).hourly.to_pylist()


def units_of(*paths: Path) -> list[dict[str, Any]]:
    return unit_years(read_epa(paths).hourly).to_pylist()


# ---- lines ---------------------------------------------------------------------------------------------------------------------


def test_a_line_becomes_a_typed_hour(tmp_path: Path) -> None:
    (row,) = hours_of(written(tmp_path, line(hour=23, codes="3,2,4,5")))
    assert row == {
        "orispl": 703, "unit": "6A", "hour": datetime(2007, 1, 1, 23), "operating_h": 1.0, "gross_load_mw": 10.0, "steam_load": None,
        "heat_input_mmbtu": 100.0, "nox_rate_lb_mmbtu": 0.4, "nox_mass_lb": 40.0, "so2_mass_lb": 90.5, "nox_mass_recomputed_lb": 40.0,
        "heat_input_method": "substitute", "so2_method": "calculated", "nox_mass_method": "measured_and_substitute",
        "nox_rate_method": "lme", "unit_flow": None, "src_file": "a.txt", "src_line": 1,
    }  # fmt: skip


def test_absent_is_null_and_never_zero(tmp_path: Path) -> None:
    (row,) = hours_of(
        written(tmp_path, line(nox="-9", so2="-9.0", rate="-9", load="", heat="-9", time="0", codes=",,,"))
    )
    empty = [n for n, v in row.items() if v is None]
    assert empty == [
        "gross_load_mw", "steam_load", "heat_input_mmbtu", "nox_rate_lb_mmbtu", "nox_mass_lb", "so2_mass_lb", "nox_mass_recomputed_lb",
        "heat_input_method", "so2_method", "nox_mass_method", "nox_rate_method", "unit_flow",
    ]  # fmt: skip


@pytest.mark.parametrize("unit", ["1", "6A", "CT10", "CTG-1", "007"])
def test_a_unit_is_text(tmp_path: Path, unit: str) -> None:
    assert [r["unit"] for r in hours_of(written(tmp_path, line(unit=unit)))] == [unit]


def test_windows_line_ends_blank_lines_and_a_byte_order_mark_are_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(f"\ufeff{line()}\r\n\r\n{line(1)}".encode())
    read = read_epa([path])
    assert (read.lines, read.problems) == (2, [])
    assert read.hourly["src_line"].to_pylist() == [1, 3]


@pytest.mark.parametrize(("day", "year"), [("701231", 1970), ("991231", 1999), ("000101", 2000), ("691231", 2069)])
def test_two_digits_of_a_year(tmp_path: Path, day: str, year: int) -> None:
    assert hours_of(written(tmp_path, line(day=day)))[0]["hour"].year == year


@pytest.mark.parametrize(
    ("bad", "cell", "value"),
    [
        pytest.param(line(plant=-1), "ORISID", "-1", id="plant"),
        pytest.param(line().replace("703", "x7"), "ORISID", "x7", id="plant-text"),
        pytest.param(line(unit=""), "BLRID", "", id="unit-empty"),
        pytest.param(line(day="070231"), "YYMMDD", "070231", id="no-such-day"),
        pytest.param(line(day="70101"), "YYMMDD", "70101", id="day-short"),
        pytest.param(line(hour=24), "HOUR", "24", id="hour-24"),
        pytest.param(line(nox="-8"), "NOXMASS", "-8", id="negative"),
        pytest.param(line(so2="nan"), "SO2MASS", "nan", id="nan"),
        pytest.param(line(heat="inf"), "HTINPUT", "inf", id="infinite"),
        pytest.param(line(rate="1,2"), "cells", "17", id="17-cells"),
        pytest.param("703", "cells", "1", id="1-cell"),
        pytest.param(line(time="1.01"), "OPTIME", "1.01", id="more-than-an-hour"),
        pytest.param(line(codes="7,2,2,1"), "HTINPUT code", "7", id="code-7"),
        pytest.param(line(codes="1,2,2,x"), "NOXRATE code", "x", id="code-text"),
        pytest.param("ORISID,BLRID,YYMMDD,HOUR,A,B,C,D,E,F,G,H,I,J,K,L", "ORISID", "ORISID", id="header"),
        pytest.param(line(unit="5").replace('"5"', '"5'), None, None, id="open-quote-is-harmless"),
    ],
)
def test_a_wrong_line_costs_itself_and_is_named(tmp_path: Path, bad: str, cell: str | None, value: str | None) -> None:
    path = written(tmp_path, line(1), bad, line(2))
    read = read_epa([path])
    others = [r for r in read.hourly.to_pylist() if r["unit"] == "6A"]
    assert [(r["hour"].hour, r["src_line"]) for r in others if r["src_line"] != 2] == [(1, 1), (2, 3)]
    assert [(p.file, p.row, p.column, p.value) for p in read.problems] == (
        [] if cell is None else [(str(path), 2, cell, value)]
    )
    assert all(p.remedy_zh and p.remedy_en for p in read.problems)


def test_bytes_that_are_no_text_cost_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(line().encode() + b"\n703,\xff\xfe,070101,x" + b",1" * 12 + b"\n")
    assert [p.column for p in read_epa([path]).problems] == ["HOUR"]


def test_a_unit_has_an_hour_once_the_first_line_counts(tmp_path: Path) -> None:
    a = written(tmp_path, line(nox="1"), line(1), line(nox="2"))
    b = written(tmp_path, line(nox="3"), line(2), name="b.txt")
    read = read_epa([a, b])
    assert [r["nox_mass_lb"] for r in read.hourly.to_pylist()] == [1.0, 40.0, 40.0]
    assert [(p.file, p.row) for p in read.problems] == [(str(a), 3), (str(b), 1)]
    assert all("a.txt:1 counts" in p.remedy_en for p in read.problems)


@pytest.mark.parametrize("text", ["", "\n\n", "703\n", line(hour=24)])
def test_files_without_an_hour_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(EpaError, match="no hour can be used"):
        read_epa([written(tmp_path, text)])


# ---- sums and runs -------------------------------------------------------------------------------------------------------------


def test_sums_of_a_unit(tmp_path: Path) -> None:
    (row,) = units_of(
        written(
            tmp_path,
            line(0), line(1, nox="0", rate="0", so2="0"), line(2, time=".25", heat="25", nox="10"),
            line(3, time="0", nox="-9", so2="-9", rate="-9", heat="-9", load="-9", codes=",,,"),
            line(6, nox="-9"), line(7, nox="40.2"), line(8, nox="40.14"),
        )
    )  # fmt: skip
    assert (row["hours"], row["missing_hours"], row["operating_hours"], row["operating_time_h"]) == (7, 2, 6, 5.25)
    assert row["heat_input_mmbtu"] == 525.0
    assert row["nox_lb"] == pytest.approx(40 + 10 + 40.2 + 40.14, rel=1e-12)
    assert row["nox_t"] == pytest.approx(row["nox_lb"] * LB_T, rel=1e-12)
    assert row["so2_t"] == pytest.approx(5 * 90.5 * 0.45359237 / 1000, rel=1e-12)
    # 40 against 40.2 lies outside 0.0005 x 100 + 0.05 x 0.4 + 0.05 = 0.12 lb, against 40.14 too; a quarter of an hour agrees.
    assert (row["compared_hours"], row["agreeing_hours"]) == (5, 3)
    assert row["nox_recomputed_lb"] == pytest.approx(40 + 0 + 10 + 40 + 40, rel=1e-12)
    assert (row["load_without_nox_hours"], row["zero_nox_hours"]) == (1, 1)
    assert (row["first_hour"], row["last_hour"]) == (datetime(2007, 1, 1), datetime(2007, 1, 1, 8))


def test_years_and_units_are_kept_apart_whatever_the_order_of_the_lines(tmp_path: Path) -> None:
    lines = [line(23, day="061231"), line(0), line(0, unit="CT10"), line(0, plant=9), line(1)]
    there, back = (units_of(written(tmp_path, *some)) for some in (lines, lines[::-1]))
    assert [(r["orispl"], r["unit"], r["year"], r["hours"]) for r in there] == [
        (9, "6A", 2007, 1), (703, "6A", 2006, 1), (703, "6A", 2007, 2), (703, "CT10", 2007, 1),
    ]  # fmt: skip
    assert there == back


def test_a_stop_does_not_end_a_run_and_a_missing_hour_does(tmp_path: Path) -> None:
    sub = {"codes": "3,2,2,1"}
    stop = {"time": "0", "codes": ",,,"}
    (over,) = units_of(written(tmp_path, line(0), line(1, **sub), line(2, **stop), line(3, **sub), line(4)))
    assert (over["heat_input_substituted_hours"], over["heat_input_longest_run_h"]) == (2, 2)
    assert over["heat_input_longest_run_from"] == datetime(2007, 1, 1, 1)
    assert over["heat_input_substituted_pct"] == 50.0
    (gap,) = units_of(written(tmp_path, line(0), line(1, **sub), line(3, **sub), line(4)))
    assert (gap["heat_input_substituted_hours"], gap["heat_input_longest_run_h"]) == (2, 1)


def test_an_hour_in_part_substituted_is_counted_apart(tmp_path: Path) -> None:
    (row,) = units_of(written(tmp_path, line(0, codes="3,2,2,1"), line(1, codes="4,2,2,1"), line(2, codes="3,2,2,1")))
    assert (row["heat_input_substituted_hours"], row["heat_input_mixed_hours"], row["heat_input_longest_run_h"]) == (
        2,
        1,
        1,
    )


def test_a_unit_that_never_ran_has_no_shares(tmp_path: Path) -> None:
    (row,) = units_of(written(tmp_path, line(0, time="0", nox="-9", codes=",,,")))
    assert (row["operating_hours"], row["agreeing_pct"], row["so2_substituted_pct"]) == (0, None, None)
    assert (row["so2_longest_run_h"], row["so2_longest_run_from"]) == (0, None)


def slow_longest(hours: list[int], states: list[int]) -> tuple[int, int]:
    """Every stretch of rows that no END and no missing hour divides, cut out one by one."""
    best, where = 0, -1
    for lo in range(len(hours)):
        for hi in range(lo, len(hours)):
            whole = hours[hi] - hours[lo] == hi - lo and ENDS not in states[lo : hi + 1]
            n = states[lo : hi + 1].count(HIT)
            if whole and states[lo] == HIT and n > best:
                best, where = n, lo
    return best, where


@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from([1, 1, 1, 1, 2, 5]), st.sampled_from([HIT, HIT, PASSES, ENDS])), max_size=14
        ),
        max_size=4,
    )
)
def test_runs_equal_their_slow_twin(groups: list[list[tuple[int, int]]]) -> None:
    hours = [np.cumsum([step for step, _ in g]).astype(np.int64).tolist() for g in groups]
    states = [[s for _, s in g] for g in groups]
    first = np.cumsum([0, *map(len, groups)]).astype(np.int64)
    made = longest_runs(first, np.array([*chain(*hours)], np.int64), np.array([*chain(*states)], np.uint8))
    for i, (h, s) in enumerate(zip(hours, states, strict=True)):
        length, start = slow_longest(h, s)
        assert (made.length[i], made.start[i]) == (length, start + first[i] if start >= 0 else -1)


@pytest.mark.parametrize("first", [[0, 2], [0], [0, 3, 1, 3], []])
def test_runs_refuse_groups_that_do_not_share_out_the_rows(first: list[int]) -> None:
    with pytest.raises(ValueError, match="do not share out"):
        longest_runs(np.array(first, np.int64), np.arange(3), np.zeros(3, np.uint8))


# ---- the command ---------------------------------------------------------------------------------------------------------------


def test_the_command_writes_two_files_with_units_and_texts_inside(tmp_path: Path) -> None:
    path = written(tmp_path, line(0, codes="3,2,2,1"), line(1))
    done = CliRunner().invoke(main, ["import", "epa", str(path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "703-6A 2007" in done.stdout
    assert "heat_input 1 (1)" in done.stdout
    for contract in (EPA_HOURLY, EPA_UNITS):
        table = pq.read_table(tmp_path / f"out/{contract.name}.parquet")
        assert table.schema.equals(contract.schema())
        assert table.schema.metadata[b"time_zone"] == b"local standard time of the plant"
        assert contract.violations(table) == []
    assert pl.read_parquet(tmp_path / "out/epa_hourly.parquet").height == 2


def test_lines_left_out_end_the_command_with_1_and_nothing_readable_with_3(tmp_path: Path) -> None:
    some = written(tmp_path, line(0), line(24))
    done = CliRunner().invoke(main, ["import", "epa", str(some), "--out", str(tmp_path / "out"), "--json"])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["hours"], told["lines"], told["left_out"]) == (1, 1, 2, 1)
    assert told["problems"][0].startswith(f"{some}:2 [HOUR='24']")
    none = written(tmp_path, line(24), name="none.txt")
    done = CliRunner().invoke(main, ["import", "epa", str(none), "--out", str(tmp_path / "no")])
    assert done.exit_code == 3
    assert "HOUR='24'" in done.stderr
    assert not (tmp_path / "no").exists()


def test_the_sums_are_the_same_bytes_whatever_the_order_of_the_lines(tmp_path: Path) -> None:
    lines = [line(h, unit=u, nox=f"{40 + h / 7:.3f}") for u in ("1", "2", "CT10") for h in range(24)]
    made = []
    for out, some in (("a", lines), ("b", lines[::-1])):
        path = written(tmp_path, *some)
        CliRunner().invoke(main, ["import", "epa", str(path), "--out", str(tmp_path / out)])
        made.append((tmp_path / out / "epa_units.parquet").read_bytes())
    assert made[0] == made[1]


def test_the_page_explains_every_column_of_the_sums() -> None:
    page = (ROOT / "docs/epa.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(\w+)`", page))
    names = {
        re.sub(r"^(heat_input|so2|nox_mass|nox_rate)_(?=substituted|mixed|longest|method)", "", n)
        for t in (EPA_HOURLY, EPA_UNITS)
        for n in t.names
    }
    assert names <= told


# ---- real files ----------------------------------------------------------------------------------------------------------------


@real
def test_georgia_703_3blr_as_known() -> None:
    read = read_epa([GA])
    (row,) = unit_years(read.hourly).to_pylist()
    assert read.problems == []
    assert (row["unit"], row["year"], row["hours"], row["missing_hours"], row["operating_hours"]) == (
        "3BLR",
        2007,
        8760,
        0,
        8607,
    )
    assert (row["heat_input_substituted_hours"], row["heat_input_longest_run_h"]) == (39, 25)
    assert row["heat_input_substituted_pct"] == pytest.approx(100 * 39 / 8607)
    assert row["nox_rate_substituted_hours"] == 59
    assert (row["compared_hours"], row["agreeing_hours"]) == (8605, 8605)
    assert row["nox_recomputed_lb"] == pytest.approx(row["nox_lb"], rel=1e-6)


@real
def test_tennessee_in_october_as_known() -> None:
    read = read_epa([TN])
    units = pl.DataFrame(pl.from_arrow(unit_years(read.hourly)))
    assert read.problems == []
    assert (read.hourly.num_rows, units.height) == (29760, 40)
    total = units.select(pl.selectors.integer().sum()).row(0, named=True)
    assert (
        total["heat_input_substituted_hours"],
        total["heat_input_mixed_hours"],
        total["nox_rate_substituted_hours"],
    ) == (454, 1, 28)
    assert (total["load_without_nox_hours"], total["zero_nox_hours"], total["missing_hours"]) == (3, 7, 0)
    # Ten units behind one stack got its rate, in 29 hours one unit of the last digit beside the one their masses follow from.
    odd = units.filter(pl.col("agreeing_hours") < pl.col("compared_hours"))
    assert odd["orispl"].unique().to_list() == [3406]
    assert (odd["compared_hours"] - odd["agreeing_hours"]).to_list() == [29] * 10


@real
def test_real_sums_are_the_sums_of_the_text() -> None:
    (row,) = units_of(GA)
    cells = [text.split(",") for text in GA.read_text(encoding="ascii").splitlines()]
    for name, at in (("nox_lb", 4), ("so2_lb", 5), ("heat_input_mmbtu", 10)):
        assert row[name] == pytest.approx(sum(float(c[at]) for c in cells if c[at] != "-9"), rel=1e-12)
