"""What a plan has tried is taken by the run that carries it out, if all that it rests on stands, and never otherwise."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import resources.storage
import resources.tried
from contracts import TABLES
from pipelines.backfill import restate
from pipelines.plan import make_plan
from resources.lake import Lake
from resources.storage import StorageError
from tests import restate_toys as toys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any

    from assets.products import Product

SPRING = "anthracite,23,2024-03-01,2024-06-01"
MADE = [("toy_month", m) for m in ("2024-03", "2024-04", "2024-05")] + [("toy_year", "2024")]
FILED = "plant_id,line_id,year,method_id,filed_at,note\nP1,,2024,,2025-04-30,\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of which everything stands, with another price of spring."""
    toys.toy_home(tmp_path, monkeypatch)
    carried_out(tmp_path)
    toys.say_factor(tmp_path, SPRING)
    return tmp_path


def watched(products: Sequence[Product], made: list[tuple[str, str]]) -> list[Product]:
    """The products; what their makers are asked for is told."""

    def watching(of: Product) -> Product:
        def make(bench: Any, key: str) -> dict[str, Any]:
            made.append((of.name, key))
            return of.make(bench, key)

        return replace(of, make=make)

    return [watching(of) for of in products]


def planned(root: Path, products: Sequence[Product] = toys.PRODUCTS) -> list[tuple[str, str]]:
    """What a plan had to have made."""
    made: list[tuple[str, str]] = []
    make_plan(toys.opened(root).settings, products=watched(products, made))
    return made


def carried_out(root: Path, products: Sequence[Product] = toys.PRODUCTS, **options: Any) -> list[tuple[str, str]]:
    """What a backfill had to have made."""
    made: list[tuple[str, str]] = []
    home = toys.opened(root)
    for _ in restate(home, watched(products, made), "", "~", str, **options):
        pass
    home.tried.clear()
    return made


def lying(root: Path) -> dict[str, str]:
    """Every file of the lake by hash: partitions, records, notes, what is left of tries."""
    lake = root / "lake"
    return {
        p.relative_to(lake).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(lake.rglob("*")) if p.is_file() and not p.name.startswith(".")
    }  # fmt: skip


def in_use(files: dict[str, str]) -> dict[str, str]:
    """What lies in a lake, apart from tries and from what a plan would say of a book."""
    return {n: h for n, h in files.items() if not n.startswith(("tried/", "editions/"))}


def tries(root: Path) -> list[Path]:
    return sorted((root / "lake/tried").rglob("*.json"))


def as_if_never_planned(root: Path) -> dict[str, str]:
    """The lake after a backfill without a plan; the home stays."""
    copy = root.parent / f"{root.name}-copy"
    shutil.copytree(root, copy)
    shutil.rmtree(copy / "lake/tried", ignore_errors=True)
    carried_out(copy)
    return lying(copy)


def test_a_plan_is_carried_out_without_making_anything_twice_and_leaves_the_same_files(root: Path) -> None:
    due = as_if_never_planned(root)
    assert planned(root) == MADE
    assert carried_out(root) == []
    assert lying(root) == due, "the same partitions and records, and no try is left"


def test_a_plan_that_is_asked_for_again_makes_nothing_again(root: Path) -> None:
    planned(root)
    before = lying(root)
    assert planned(root) == []
    now = lying(root)
    # A record says when it was kept.
    other = {n for n in {*before, *now} if before.get(n) != now.get(n)}
    assert other <= {f"tried/{n}/{k}/try.json" for n, k in MADE}


def test_what_moved_between_plan_and_run_is_made_and_the_rest_is_taken(root: Path) -> None:
    planned(root)
    toys.say_factor(root, SPRING, "bituminous,20,2024-04-01,2024-05-01")
    due = as_if_never_planned(root)
    assert carried_out(root) == [("toy_month", "2024-04"), ("toy_year", "2024")]
    assert lying(root) == due


def _file(root: Path) -> Path:
    return next((root / "lake/tried/toy_month/2024-04").glob("*.parquet"))


def _no_record(root: Path) -> None:
    (root / "lake/tried/toy_month/2024-04/try.json").write_text("{", encoding="utf-8")


def _other(name: str) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        record = root / "lake/tried/toy_month/2024-04/try.json"
        said = json.loads(record.read_text("utf-8"))
        record.write_text(json.dumps(said | {name: "another"}), encoding="utf-8")

    return edit


DAMAGE: dict[str, Callable[[Path], None]] = {
    "a file is gone": lambda root: _file(root).unlink(),
    "a file holds other bytes": lambda root: _file(root).write_bytes(_file(root).read_bytes()[:-1] + b"\0"),
    "a record was torn": _no_record,
    "other code": _other("made_by"),
    "other libraries or contracts": _other("made_with"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_try_that_is_not_what_it_was_is_left_alone(case: str, root: Path) -> None:
    due = as_if_never_planned(root)
    planned(root)
    DAMAGE[case](root)
    assert carried_out(root) == [("toy_month", "2024-04")]
    assert in_use(lying(root)) == in_use(due)


def test_a_table_whose_contract_says_something_else_is_made(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned(root)
    monkeypatch.setitem(TABLES, "toy_year", replace(toys.TOY_YEAR, en="toy years, told otherwise"))
    assert carried_out(root) == [("toy_year", "2024")]


@pytest.mark.parametrize("struck", range(8))
def test_a_run_that_is_struck_while_it_takes_ends_with_the_same_files(
    struck: int, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = as_if_never_planned(root)
    planned(root)
    seen = 0

    def fatal(name: str) -> None:
        whole: Callable[..., object] = getattr(resources.storage.LocalStorage, name)

        def once(*args: Any) -> object:
            nonlocal seen
            seen += 1
            if seen == struck + 1:
                raise KeyboardInterrupt
            return whole(*args)

        monkeypatch.setattr(resources.storage.LocalStorage, name, once)

    for name in ("delete", "copy_from", "write"):
        fatal(name)
    with pytest.raises(KeyboardInterrupt):
        carried_out(root)
    carried_out(root)
    assert in_use(lying(root)) == in_use(due)


def test_a_filed_year_takes_no_try(root: Path) -> None:
    planned(root)
    (root / "registry/filings.csv").write_text(FILED, encoding="utf-8")
    due = as_if_never_planned(root)
    assert carried_out(root) == MADE[:3], "no row moves, so the year stands"
    assert in_use(lying(root)) == in_use(due)


def test_what_was_read_while_somebody_wrote_is_not_kept(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned(root, toys.PRODUCTS[1:])
    assert tries(root) == [], "a year whose months stand is not stale"
    toys.say_factor(root, SPRING, "bituminous,20,2025-01-01,2026-01-01")
    whole = Lake.version

    def written_meanwhile(lake: Lake, table: str, key: str) -> str:
        return "another" if (table, key) == ("toy_month", "2024-01") else whole(lake, table, key)

    monkeypatch.setattr(resources.tried, "Lake", type("Fresh", (Lake,), {"version": written_meanwhile}))
    planned(root)
    kept = {p.parent.relative_to(root / "lake/tried").as_posix() for p in tries(root)}
    assert kept == {f"toy_month/{k}" for n, k in MADE if n == "toy_month"} | {
        f"toy_month/2025-{m:02d}" for m in range(1, 13)
    } | {"toy_year/2025"}


def test_tries_that_nobody_carried_out_are_cleared(root: Path) -> None:
    planned(root)
    tried = toys.opened(root).tried
    tried.clear()
    assert len(tries(root)) == len(MADE)
    for record in tries(root)[1:]:
        said = json.loads(record.read_text("utf-8"))
        record.write_text(json.dumps(said | {"kept_at": "2020-01-01T00:00:00+00:00"}), encoding="utf-8")
    tried.clear()
    assert len(tries(root)) == 1
    assert len(list((root / "lake/tried").rglob("*.parquet"))) == 1


def test_a_lake_that_may_not_be_written_to_is_planned_all_the_same(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("read only")

    monkeypatch.setattr(resources.tried.Tried, "keep", refused)
    assert planned(root) == MADE
    assert carried_out(root) == MADE


def test_a_try_that_goes_while_it_is_looked_for_is_no_error(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned(root)
    whole = resources.storage.LocalStorage.read

    def gone(storage: Any, key: str) -> bytes:
        if key.startswith("tried/"):
            raise StorageError(key)
        return whole(storage, key)

    monkeypatch.setattr(resources.storage.LocalStorage, "read", gone)
    assert carried_out(root) == MADE
