"""The rules and vectors of the air by id: that each has a test, and those whose test stands nowhere else.

`RULES` and `VECTORS` are the whole table: an id that no test names any more fails here by name. Carbon and allowances number
vectors of their own; their files are not looked at.
"""

from __future__ import annotations

import ast
import math
import re
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from assets.products import bring_up, product
from contracts.channels import POLLUTANTS
from kernels.hours import POLLUTANT_ORDER
from kernels.judge import INVALID, OUTSIDE, RUNNING, STOPPED, judge_hours
from kernels.judge_month import FAIL, INSUFFICIENT, NO_PRODUCTION, PASS
from resources.rules import RuleBook
from tests.homes import device, minute, outlet, write_home
from tests.hour_cases import Place, Sender, hours_from, minute_records
from tests.nights import opened, rows
from tests.test_kernels_judge import STRICT, hours_with_fails, month_of

HERE = Path(__file__).parent
#: Rules R1-R21 and vectors V01-V34; numbers left out were never given.
RULES = tuple(f"R{n}" for n in range(1, 22))
VECTORS = tuple(
    f"V{n:02d}" for n in (*range(1, 10), 11, 13, 14, 15, 16, 17, 18, 20, 21, 22, 24, 25, 26, 28, 29, 30, 32, 34)
)
#: Files that number other things the same way.
OTHERS = re.compile(r"carbon|_ets|factors|methods|allocation|uncertainty|ledgers|registry|doctor")
_ID = re.compile(r"(R[1-9]\d?|V\d\d)(?=[-_]|$)")

BOOK = RuleBook.load()
TODAY = date(2026, 6, 1)
NOX = POLLUTANT_ORDER.index("nox")


def _ids_of(path: Path) -> set[str]:
    """Ids in names of test functions, and at the beginning of texts in what they are parametrized by."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found |= {part for part in node.name.split("_") if _ID.fullmatch(part)}
            texts = (c for d in node.decorator_list for c in ast.walk(d))
            found |= {m[1] for c in texts if isinstance(c, ast.Constant) and (m := _ID.match(str(c.value)))}
    return found


def test_every_rule_and_vector_of_the_air_is_named_by_a_test() -> None:
    files = [p for p in sorted(HERE.glob("test_*.py")) if not OTHERS.search(p.name)]
    named = set[str]().union(*map(_ids_of, files))
    assert sorted({*RULES, *VECTORS} - named) == []
    assert sorted(i for i in named if i not in {*RULES, *VECTORS}) == [], "an id that the table does not know"


# ---- R2: NOx as NO2 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("readings", "as_no2", "expected"),
    [
        pytest.param({"nox": 40}, True, 40.0, id="R2-counted-as-NO2-is-the-identity"),
        pytest.param({"nox": 40}, False, 40 * 46.005 / 30.006, id="R2-counted-as-NO"),
        pytest.param({"no": 25, "no2": 2}, False, 25 * 46.005 / 30.006 + 2, id="R2-from-its-parts"),
        pytest.param({"no": 25, "no2": 2}, True, None, id="R2-parts-are-not-guessed-to-be-a-sum"),
    ],
)
def test_R2_nitrogen_oxides_by_the_basis_that_the_device_row_states(readings, as_no2, expected) -> None:
    sender = Sender(records=minute_records(0, 60, readings), nox_as_no2=as_no2)
    made = hours_from([sender], [Place()])
    value = made.concentration[0, 0, NOX]
    assert math.isnan(value) if expected is None else value == pytest.approx(expected, rel=1e-4)


# ---- R11, R12: the limit and the 95 % test -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pollutant", "limit"), [("pm", 10.0), ("so2", 35.0), ("nox", 50.0)], ids=["R11-pm", "R11-so2", "R11-nox"]
)
def test_R11_a_value_on_the_limit_holds_it(pollutant: str, limit: float) -> None:
    found = BOOK.limit(
        "ule",
        point_type="kiln_tail",
        pollutant=pollutant,
        day=TODAY,
        region_class="general",
        reductant=None,
        permits=[],
    )
    assert found is not None
    assert (found.value_mg_m3, BOOK.o2_reference("kiln_tail", TODAY)) == (limit, 10)
    value = np.full((1, 24), np.nan)
    value[0, :3] = np.nextafter(limit, 0), limit, np.nextafter(limit, math.inf)
    state = np.full(value.shape, OUTSIDE, np.int8)
    state[0, :3] = RUNNING
    none = np.zeros(value.shape, np.bool_)
    cap = np.full((1, 1), found.value_mg_m3)
    made = judge_hours(value, np.isfinite(value), state, none, cap, np.full((1, 1), np.nan))
    assert made.ok[0, :3].tolist() == [True, True, False]
    assert pollutant in POLLUTANTS


@pytest.mark.parametrize("hours", [1, 19, 20, 21, 399, 400, 719, 720, 743, 744], ids=lambda n: f"R12-{n}h")
def test_R12_the_share_is_tested_in_whole_hours(hours: int) -> None:
    """Around the border of 95 %: the verdict is that of exact fractions, never of a rounded share."""
    border = math.ceil(Fraction(95 * hours, 100))
    for ok in {max(0, border - 1), border, min(hours, border + 1)}:
        _, found = month_of([hours_with_fails(hours, ok)])
        assert found[0, STRICT] == (PASS if Fraction(ok, hours) >= Fraction(95, 100) else FAIL)


@pytest.mark.parametrize(
    ("values", "state", "verdict"),
    [
        pytest.param([np.nan] * 720, STOPPED, NO_PRODUCTION, id="R12-stopped-all-month"),
        pytest.param([np.nan] * 720, RUNNING, INSUFFICIENT, id="R12-no-valid-hour"),
        pytest.param([], RUNNING, NO_PRODUCTION, id="R12-no-hours"),
    ],
)
def test_R12_without_a_judged_hour_nothing_passes_or_fails(values, state, verdict) -> None:
    counts, found = month_of([values], states=state)
    assert (counts.judged[0, STRICT], found[0, STRICT]) == (0, verdict)


# ---- R16: hours in which the instrument was not valid ----------------------------------------------------------------------------


def test_R16_an_invalid_hour_is_not_judged_and_stays_an_hour_of_production() -> None:
    values = [40.0] * 700 + [np.nan] * 20
    counts, found = month_of([values])
    assert (counts.judged[0, STRICT], counts.ok[0, STRICT], found[0, STRICT]) == (700, 700, PASS)
    value = np.full((1, 24), np.nan)
    state = np.full(value.shape, RUNNING, np.int8)
    none = np.zeros(value.shape, np.bool_)
    made = judge_hours(value, ~none, state, none, np.full((1, 1), 50.0), np.full((1, 1), 400.0))
    assert set(made.outcome[0].tolist()) == {INVALID}
    assert set(made.mandatory_ok[0].tolist()) == {-1}


# ---- R18: what is kept -------------------------------------------------------------------------------------------------------------

_STATES = "event_id,line_id,state,start,end,declared_at,evidence\n"
_FIRST = "E1,L1,shutdown,2026-03-01 08:00,2026-03-01 14:00,2026-03-01 09:00,first\n"
_LATER = "E1,L1,shutdown,2026-03-01 08:00,2026-03-01 13:00,2026-03-01 16:00,later\n"


def test_R18_records_are_kept_for_five_years_by_a_rule_with_its_clause() -> None:
    kept = BOOK.parameter("retention.min_years", TODAY)
    assert (kept.value, kept.unit, kept.confidence) == (5, "a", "verified")
    assert "Art. 26" in kept.clause


def test_R18_nothing_leaves_landing_and_a_superseded_declaration_stays_in_history(tmp_path: Path) -> None:
    """Files that are read, refused, copied, outgrown and corrected: all of them lie where they were put, byte for byte."""
    capture = b"".join(minute(f"2026030110{m:02d}00", "a21026-Avg=12.5,a21026-Flag=N") for m in range(60))
    write_home(
        tmp_path,
        {"a.txt": capture[:900], "copy.txt": capture[:900], "b.zip": b"PK"},
        outlets=[outlet()],
        devices=[device()],
    )
    landing = tmp_path / "landing"
    (landing / "events").mkdir()
    put = {"events/1.csv": _STATES + _FIRST, "events/2.csv": _STATES + _LATER, "events/3.csv": "not,a,declaration\n"}
    for name, text in put.items():
        (landing / name).write_text(text, encoding="utf-8")
        _take_in(tmp_path)
    (landing / "cems" / "a.txt").write_bytes(capture)
    lies = _contents(landing)
    _take_in(tmp_path)
    assert _contents(landing) == lies

    assert rows(tmp_path, "process_states")["effective_to"].to_list() == [datetime(2026, 3, 1, 13)]
    history = rows(tmp_path, "findings").filter(check_id="E20_superseded")
    assert history["source_file"].to_list() == ["events/1.csv"]
    said = history["evidence"].item()
    assert "end=2026-03-01 14:00:00" in said, "what the superseded one said"
    assert "declared_at=2026-03-01 09:00:00" in said


def _take_in(root: Path) -> None:
    home = opened(root)
    home.intake.take_in(str)
    for name in ("arrivals", "events", "findings"):
        bring_up(home, product(name), "all")


def _contents(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}
