"""What a night costs in looks, not in seconds: it must grow with the days, never with their square."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from assets.products import PRODUCTS
from resources import bench, registry
from resources.storage import LocalStorage
from tests.homes import device, minute, outlet, write_home
from tests.nights import night, opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def days_of(root: Path, days: int) -> Path:
    """A home with one frame a day."""
    found = [date(2026, 3, 1) + timedelta(n) for n in range(days)]
    write_home(
        root, {f"{d}.txt": minute(f"{d:%Y%m%d}120000", "a34013-Avg=3.1") for d in found}, outlets=[outlet()],
        devices=[device(interval=30)],
    )  # fmt: skip
    return root


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], list[Any]]:
    """Results of every call of `owner.name` from now on."""

    def count(owner: Any, name: str) -> list[Any]:
        calls: list[Any] = []
        whole = getattr(owner, name)

        def noting(*args: Any, **more: Any) -> Any:
            calls.append(whole(*args, **more))
            return calls[-1]

        monkeypatch.setattr(owner, name, noting)
        return calls

    return count


def test_listing_grows_with_the_days_and_not_with_their_square(
    tmp_path: Path, counted: Callable[[Any, str], list[Any]]
) -> None:
    entries = []
    listed = counted(LocalStorage, "list")
    for days in (3, 12):
        listed.clear()
        assert night(days_of(tmp_path / str(days), days), publish=False).code == 0
        entries.append(sum(len(found) for found in listed))
    assert entries[1] < 5 * entries[0]


def test_a_registry_row_is_hashed_once_whatever_the_days(
    tmp_path: Path, counted: Callable[[Any, str], list[Any]]
) -> None:
    made = opened(days_of(tmp_path, 1)).registry
    hashed = counted(registry.json, "dumps")
    for n in range(300):
        made.version(date(2026, 1, 1) + timedelta(n), date(2026, 1, 1) + timedelta(n))
    assert len(hashed) <= 8


def test_what_tables_made_together_rest_on_is_looked_at_once(
    tmp_path: Path, counted: Callable[[Any, str], list[Any]]
) -> None:
    home = days_of(tmp_path, 8)
    assert night(home, publish=False).code == 0
    looks = counted(bench, "current")
    assert night(home, publish=False).code == 0
    lake = opened(home).lake
    distinct = {
        (table, key, name)
        for table in (of.tables[0] for of in PRODUCTS)
        for key in lake.keys(table)
        for name in lake.partition(table, key).inputs  # type: ignore[union-attr]
    }
    assert len(looks) <= 1.2 * len(distinct)
