"""Releases: complete or not there, never changed, provable; and what moved between them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts import TABLES
from resources.releases import (
    Arrival,
    Check,
    Pinned,
    Release,
    ReleaseError,
    ReleaseFacts,
    ReleaseRefused,
    Source,
    diff_releases,
    latest,
    list_releases,
    prune,
    publish,
    read_manifest,
    verify_release,
)
from resources.storage import LocalStorage, Storage, open_storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FACTS = ReleaseFacts(
    code_version="0.1.0",
    created_at="2026-11-22T02:00:00",
    registry_sha256="a" * 64,
    rule_packs=(Pinned("cn-ule-2024", "b" * 64, "verified"), Pinned("gb4915-2013", "c" * 64, "verified")),
    arrivals=(Arrival("cems/2026-11-20.txt", "d" * 64, 100, "read"),),
    checks=(Check("conservation", passed=True, blocking=True, text="0 bytes unaccounted for"),),
)
NEXT = replace(FACTS, arrivals=(*FACTS.arrivals, Arrival("cems/2026-11-21.txt", "e" * 64, 100, "read")))


def put(lake: Storage, table: str, key: str, frame: pl.DataFrame) -> Source:
    """Write a partition as an asset would and return its record."""
    path = f"{table}/{key}.parquet"
    needed = [c for c in TABLES[table].columns if not c.nullable and c.name not in frame.columns]
    blank = {c.name: "x" if pa.types.is_dictionary(c.type) else 0 for c in needed}
    with lake.staged(path) as file:
        pq.write_table(TABLES[table].arrow(frame.with_columns(**{n: pl.lit(v) for n, v in blank.items()})), file)
    data = lake.read(path)
    return Source(table, key, lake, path, hashlib.sha256(data).hexdigest(), len(data), frame.height)


def hours(day: str, values: list[float | None], outlets: tuple[str, ...] = ("KT1", "KT2")) -> pl.DataFrame:
    start = datetime.fromisoformat(day)
    rows = [
        {"outlet_id": outlet, "pollutant": "nox", "hour": start + timedelta(hours=i), "judged_mg_m3": value}
        for outlet in outlets
        for i, value in enumerate(values)
    ]
    return pl.DataFrame(rows, schema_overrides={"judged_mg_m3": pl.Float64})


def month(ok: int, verdict: str = "PASS") -> pl.DataFrame:
    return pl.DataFrame(
        {"outlet_id": ["KT1"], "pollutant": ["nox"], "month": ["2026-11"], "policy": ["include_all_fuel_on"], "ok_hours": [ok], "verdict": [verdict]}
    )  # fmt: skip


def first(lake: Storage) -> list[Source]:
    return [
        put(lake, "cems_hourly", "2026-11-19", hours("2026-11-19", [40.0, 41.0])),
        put(lake, "cems_hourly", "2026-11-20", hours("2026-11-20", [40.0, None, 42.0])),
        put(lake, "ule_monthly", "2026-11", month(5)),
    ]


def second(lake: Storage) -> list[Source]:
    """One day changed (a value, a null, a row gone, a row new), one day new, one untouched, the running month moved."""
    changed = hours("2026-11-20", [40.0, 55.5, 41.0]).filter(
        ~((pl.col("outlet_id") == "KT2") & (pl.col("judged_mg_m3") == 55.5))
    )
    late = hours("2026-11-20", [40.0], ("KT3",))
    return [
        put(lake, "cems_hourly", "2026-11-19", hours("2026-11-19", [40.0, 41.0])),
        put(lake, "cems_hourly", "2026-11-20", pl.concat([changed, late])),
        put(lake, "cems_hourly", "2026-11-21", hours("2026-11-21", [1.0])),
        put(lake, "ule_monthly", "2026-11", month(7, "FAIL")),
    ]


@pytest.fixture
def lake(tmp_path: Path) -> Storage:
    return LocalStorage(tmp_path / "lake")


@pytest.fixture
def published(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "published")


def two(lake: Storage, published: Storage) -> tuple[Release, Release]:
    one = publish(published, first(lake), about=FACTS, extra={"report.md": b"# report\n"})
    return one, publish(published, second(lake), about=NEXT, extra={"report.md": b"# report\n"})


def restatements(published: Storage, release: Release) -> pl.DataFrame:
    return pl.read_parquet(published.url(f"{release.path}/restatements/{release.release_id}.parquet"))


# --- publishing -------------------------------------------------------------------------------------------------


def test_a_release_is_a_complete_tree(lake: Storage, published: LocalStorage) -> None:
    release = publish(published, first(lake), about=FACTS, extra={"report.md": b"# report\n"})
    assert release.release_id.startswith("000001-")
    assert [e.key.removeprefix(f"{release.path}/") for e in published.list(release.path)] == [
        "cems_hourly/2026-11-19.parquet",
        "cems_hourly/2026-11-20.parquet",
        "datapackage.json",
        "dictionary.md",
        "manifest.json",
        "release.json",
        "report.md",
        f"restatements/{release.release_id}.parquet",
        "ule_monthly/2026-11.parquet",
    ]
    assert verify_release(published, release.release_id) == []
    frame = pl.read_parquet(published.url("latest/cems_hourly/**/*.parquet"))
    assert frame.height == 10
    assert restatements(published, release).is_empty()


def test_the_manifest_tells_files_and_facts(lake: Storage, published: LocalStorage) -> None:
    release = publish(published, first(lake), about=FACTS, extra={})
    raw = json.loads(published.read(f"{release.path}/manifest.json"))
    by_path = {f["path"]: f for f in raw["files"]}
    data = published.read(f"{release.path}/ule_monthly/2026-11.parquet")
    told = by_path["ule_monthly/2026-11.parquet"]
    assert (told["sha256"], told["bytes"], told["rows"]) == (hashlib.sha256(data).hexdigest(), len(data), 1)
    assert raw["previous"] is None
    assert raw["facts"]["rule_packs"][0] == {"id": "cn-ule-2024", "sha256": "b" * 64, "confidence": "verified"}
    assert raw["facts"]["arrivals"] == [
        {"path": "cems/2026-11-20.txt", "sha256": "d" * 64, "bytes": 100, "state": "read"}
    ]
    assert raw["facts"]["checks"][0]["name"] == "conservation"
    assert read_manifest(published, release.release_id).to_json() == published.read(f"{release.path}/manifest.json")


def test_the_data_package_describes_every_column(lake: Storage, published: LocalStorage) -> None:
    release = publish(published, first(lake), about=FACTS, extra={})
    package = json.loads(published.read(f"{release.path}/datapackage.json"))
    resources = {r["name"]: r for r in package["resources"]}
    assert sorted(resources) == ["cems_hourly", "restatements", "ule_monthly"]
    assert resources["cems_hourly"]["path"] == ["cems_hourly/2026-11-19.parquet", "cems_hourly/2026-11-20.parquet"]
    for name, resource in resources.items():
        assert all(published.exists(f"{release.path}/{path}") for path in resource["path"])
        fields = {f["name"]: f for f in resource["schema"]["fields"]}
        assert list(fields) == TABLES[name].names
        assert set(resource["schema"]["primaryKey"]) <= set(fields)
        assert all(f["type"] in {"string", "number", "integer", "boolean", "datetime", "date"} for f in fields.values())
        assert all(f["descriptions"]["zh"] and f["descriptions"]["en"] for f in fields.values())
    judged = {f["name"]: f for f in resources["cems_hourly"]["schema"]["fields"]}["judged_mg_m3"]
    assert (judged["type"], judged["unit"]) == ("number", "mg/m3")


def test_the_dictionary_shows_units_texts_and_snippets_that_run(
    lake: Storage, published: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    import duckdb

    release = publish(published, first(lake), about=FACTS, extra={})
    page = published.read(f"{release.path}/dictionary.md").decode()
    assert "| `judged_mg_m3` | double | mg/m3 | 判定浓度：" in page
    assert "ule_hourly" not in page.replace("`ule_hourly`", "")
    monkeypatch.chdir(published.root)
    snippets = [line for line in page.splitlines() if line.startswith(("import polars", "import duckdb"))]
    assert len(snippets) == 6
    for line in snippets:
        names: dict[str, Any] = {}
        exec(line, names)  # noqa: S102  (the page promises that these lines run as they are)
        name = next(n for n in names if n in TABLES)
        found = names[name]
        assert (found.height if isinstance(found, pl.DataFrame) else duckdb.sql("SELECT 1").shape[0]) >= 0


def test_publishing_costs_no_disk_and_leaves_the_lake_usable(lake: Storage, published: LocalStorage) -> None:
    one, two_ = two(lake, published)
    path = "cems_hourly/2026-11-19.parquet"
    before, after = published.local_path(f"{one.path}/{path}"), published.local_path(f"{two_.path}/{path}")
    assert before.samefile(after)
    assert after.stat().st_mode & 0o222 == 0
    put(lake, "cems_hourly", "2026-11-21", hours("2026-11-21", [2.0]))
    assert verify_release(published, two_.release_id) == []


def test_ids_follow_the_content_and_not_the_clock(lake: Storage, tmp_path: Path) -> None:
    ids = []
    for home, created in (("a", "2026-01-01T00:00:00"), ("b", "2030-01-01T00:00:00")):
        published = LocalStorage(tmp_path / home)
        one = publish(published, first(lake), about=replace(FACTS, created_at=created), extra={})
        backwards = replace(NEXT, created_at=created, arrivals=NEXT.arrivals[::-1], rule_packs=NEXT.rule_packs[::-1])
        ids.append((one.release_id, publish(published, second(lake)[::-1], about=backwards, extra={}).release_id))
    assert ids[0] == ids[1]
    assert [i[:7] for i in ids[0]] == ["000001-", "000002-"]


def test_nothing_new_publishes_nothing(lake: Storage, published: LocalStorage) -> None:
    one = publish(published, first(lake), about=FACTS, extra={})
    again = publish(published, first(lake), about=replace(FACTS, created_at="2027-01-01T00:00:00"), extra={})
    assert (again, again.unchanged, one.unchanged) == (one, True, False)
    assert list_releases(published) == [one]


@pytest.mark.parametrize(
    "change",
    [
        {"code_version": "0.2.0"},
        {"registry_sha256": "f" * 64},
        {"rule_packs": FACTS.rule_packs[:1]},
        {"arrivals": NEXT.arrivals},
        {"checks": (Check("conservation", passed=True, blocking=True, text="another text"),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_fact_makes_a_release(lake: Storage, published: LocalStorage, change: dict[str, Any]) -> None:
    one = publish(published, first(lake), about=FACTS, extra={})
    other = publish(published, first(lake), about=replace(FACTS, **change), extra={})
    assert other.release_id != one.release_id
    assert latest(published) == other
    assert restatements(published, other).is_empty()


def test_releases_are_chained(lake: Storage, published: LocalStorage) -> None:
    one, two_ = two(lake, published)
    previous = read_manifest(published, two_.release_id).previous
    assert previous is not None
    assert previous.release_id == one.release_id
    assert previous.manifest_sha256 == hashlib.sha256(published.read(f"{one.path}/manifest.json")).hexdigest()
    assert [r.release_id for r in list_releases(published)] == [one.release_id, two_.release_id]
    assert latest(published) == two_
    assert (published.local_path() / "latest").readlink() == Path(two_.path)
    assert json.loads(published.read("latest.json"))["manifest_sha256"] == two_.manifest_sha256


def test_publishers_on_a_disk_wait_for_each_other(lake: Storage, published: LocalStorage) -> None:
    jobs = [(first(lake), FACTS), (first(lake), NEXT), (first(lake)[:2], FACTS), (first(lake)[:1], FACTS)]
    workers = [threading.Thread(target=publish, args=(LocalStorage(published.root), sources), kwargs={"about": facts, "extra": {}}) for sources, facts in jobs]  # fmt: skip
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    found = list_releases(published)
    assert [r.release_id[:6] for r in found] == ["000001", "000002", "000003", "000004"]
    assert [verify_release(published, r.release_id) for r in found] == [[], [], [], []]
    assert latest(published) == found[-1]


def test_a_failed_blocking_check_refuses_the_release_with_every_reason(lake: Storage, published: LocalStorage) -> None:
    one = publish(published, first(lake), about=FACTS, extra={})
    checks = (
        Check("conservation", passed=False, blocking=True, text="3 bytes lost in a.txt"),
        Check("contract", passed=False, blocking=True, text="2 rows share a key"),
        Check("capture", passed=False, blocking=False, text="only a warning"),
    )
    with pytest.raises(ReleaseRefused) as caught:
        publish(published, second(lake), about=replace(NEXT, checks=checks), extra={})
    assert len(caught.value.reasons) == 2
    assert "3 bytes lost in a.txt" in str(caught.value)
    assert "only a warning" not in str(caught.value)
    assert list_releases(published) == [one]
    assert latest(published) == one
    warned = publish(published, second(lake), about=replace(NEXT, checks=checks[2:]), extra={})
    assert warned.release_id.startswith("000002-")


@pytest.mark.parametrize("wrong", [{"sha256": "0" * 64}, {"bytes": 1}, {"rows": 99}], ids=lambda w: next(iter(w)))
def test_a_file_that_is_not_what_was_recorded_refuses_the_release(
    lake: Storage, published: LocalStorage, wrong: dict[str, Any]
) -> None:
    sources = first(lake)
    sources[1] = replace(sources[1], **wrong)
    with pytest.raises(ReleaseRefused, match=r"cems_hourly/2026-11-20\.parquet"):
        publish(published, sources, about=FACTS, extra={})
    assert published.list() == []
    assert list((published.local_path() / "releases").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["manifest.json", "release.json", "dictionary.md", "ule_monthly/x", "../out", ".hidden"]
)
def test_names_that_collide_or_escape_are_refused(lake: Storage, published: LocalStorage, name: str) -> None:
    with pytest.raises(ReleaseRefused):
        publish(published, first(lake), about=FACTS, extra={name: b""})
    assert published.list() == []


def test_a_partition_given_twice_is_refused_and_several_parts_are_fine(lake: Storage, published: LocalStorage) -> None:
    parts = [
        put(lake, "cems_hourly", f"2026-11-20/part-00{i}", hours("2026-11-20", [1.0], (f"KT{i}",))) for i in (1, 2)
    ]
    with pytest.raises(ReleaseRefused, match="cems_hourly/2026-11-20/part-001 is given twice"):
        publish(published, [*parts, parts[0]], about=FACTS, extra={})
    release = publish(published, parts, about=FACTS, extra={})
    assert pl.read_parquet(published.url("latest/cems_hourly/**/*.parquet")).height == 2
    assert verify_release(published, release.release_id) == []


# --- proof ------------------------------------------------------------------------------------------------------


def _edit(path: Path, change: Any) -> None:
    """Replace a file: published ones are read-only and share their bytes with the lake."""
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(change(data))


def _json(path: Path, change: Any) -> None:
    def edited(data: bytes) -> bytes:
        raw = json.loads(data)
        change(raw)
        return json.dumps(raw, ensure_ascii=False, indent=1).encode() + b"\n"

    _edit(path, edited)


def _flip(data: bytes) -> bytes:
    return data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]


TAMPERING = {
    "one bit of a table": lambda f: _edit(f / "cems_hourly/2026-11-19.parquet", _flip),
    "a table cut short": lambda f: _edit(f / "cems_hourly/2026-11-19.parquet", lambda data: data[:-20]),
    "a table emptied": lambda f: _edit(f / "cems_hourly/2026-11-19.parquet", lambda data: b""),
    "a table removed": lambda f: (f / "ule_monthly/2026-11.parquet").unlink(),
    "a table swapped": lambda f: shutil.move(f / "cems_hourly/2026-11-19.parquet", f / "cems_hourly/2026-11-20.parquet"),
    "a table added": lambda f: shutil.copy(f / "cems_hourly/2026-11-19.parquet", f / "cems_hourly/2026-11-18.parquet"),
    "a hidden file added": lambda f: (f / ".hidden").write_bytes(b""),
    "a link added": lambda f: (f / "cems_hourly/2026-11-17.parquet").symlink_to("/nowhere"),
    "a document edited": lambda f: _edit(f / "report.md", lambda data: b"# other\n"),
    "the dictionary edited": lambda f: _edit(f / "dictionary.md", lambda data: data.replace(b"mg/m3", b"ug/m3")),
    "the restatements removed": lambda f: next((f / "restatements").iterdir()).unlink(),
    "a hash in the manifest": lambda f: _json(f / "manifest.json", lambda m: m["files"][0].update(sha256="0" * 64)),
    "rows in the manifest": lambda f: _json(f / "manifest.json", lambda m: m["files"][0].update(rows=1)),
    "a file out of the manifest": lambda f: _json(f / "manifest.json", lambda m: m["files"].pop(0)),
    "a rule pack in the manifest": lambda f: _json(f / "manifest.json", lambda m: m["facts"]["rule_packs"][0].update(sha256="0" * 64)),
    "the date in the manifest": lambda f: _json(f / "manifest.json", lambda m: m["facts"].update(created_at="2020-01-01")),
    "the chain in the manifest": lambda f: _json(f / "manifest.json", lambda m: m.update(previous=None)),
    "a manifest that is none": lambda f: _edit(f / "manifest.json", lambda data: b"[]"),
    "no manifest": lambda f: (f / "manifest.json").unlink(),
    "the marker edited": lambda f: _json(f / "release.json", lambda m: m.update(rows=1)),
}  # fmt: skip


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Release, Release]:
    """A published/ with two releases; tests copy it."""
    folder = tmp_path_factory.mktemp("chain")
    return folder / "published", *two(LocalStorage(folder / "lake"), LocalStorage(folder / "published"))


@pytest.mark.parametrize("how", TAMPERING)
@pytest.mark.parametrize("which", [1, 2], ids=["older", "latest"])
def test_verify_finds_tampering(chain: tuple[Path, Release, Release], tmp_path: Path, how: str, which: int) -> None:
    if how == "the chain in the manifest" and which == 1:
        how = "the date in the manifest"  # the first release has no chain yet
    published, release = LocalStorage(tmp_path / "published"), chain[which]
    assert isinstance(release, Release)
    shutil.copytree(chain[0], published.root, symlinks=True)
    assert verify_release(published, release.release_id) == []
    TAMPERING[how](published.local_path(release.path))
    assert verify_release(published, release.release_id)


def test_a_consistent_forgery_breaks_the_chain(lake: Storage, published: LocalStorage) -> None:
    one, two_ = two(lake, published)
    folder = published.local_path(one.path)
    _json(folder / "manifest.json", lambda m: m["facts"].update(created_at="2020-01-01"))
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    _json(folder / "release.json", lambda m: m.update(created_at="2020-01-01", manifest_sha256=digest))
    assert [p for p in verify_release(published, one.release_id) if two_.release_id in p]
    assert [p for p in verify_release(published, two_.release_id) if one.release_id in p]


def test_a_release_taken_out_of_the_middle_is_missed(lake: Storage, published: LocalStorage) -> None:
    one, two_ = two(lake, published)
    three = publish(published, first(lake), about=FACTS, extra={})
    shutil.rmtree(published.local_path(two_.path))
    assert [p for p in verify_release(published, three.release_id) if two_.release_id in p]
    assert [p for p in verify_release(published, one.release_id) if three.release_id in p]


@pytest.mark.parametrize("release_id", ["latest", "../lake", "000001", "000001-zzzzzzzzzzzz"])
def test_what_is_no_release_id_is_said_to_be_none(published: LocalStorage, release_id: str) -> None:
    with pytest.raises(ReleaseError, match="not a release id"):
        verify_release(published, release_id)


def test_a_release_that_does_not_exist_is_a_problem(published: LocalStorage) -> None:
    assert verify_release(published, "000001-0123456789ab")
    with pytest.raises(ReleaseError, match="no such release"):
        diff_releases(published, "000001-0123456789ab", "000001-0123456789ab")


def test_a_damaged_file_is_taken_from_the_lake_again(lake: Storage, published: LocalStorage) -> None:
    one = publish(published, first(lake), about=FACTS, extra={})
    (published.local_path(one.path) / "cems_hourly/2026-11-19.parquet").unlink()
    later = publish(published, second(lake), about=NEXT, extra={})
    assert verify_release(published, later.release_id) == []


# --- what moved -------------------------------------------------------------------------------------------------


def test_the_diff_counts_files_rows_and_values(lake: Storage, published: LocalStorage) -> None:
    one, two_ = two(lake, published)
    diff = diff_releases(published, one.release_id, two_.release_id)
    tables = {t.table: t for t in diff.tables}
    hourly = tables["cems_hourly"]
    assert hourly.files_added == ["cems_hourly/2026-11-21.parquet"]
    assert hourly.files_changed == ["cems_hourly/2026-11-20.parquet"]
    assert (hourly.rows_before, hourly.rows_after, hourly.rows_added, hourly.rows_removed) == (10, 12, 3, 1)
    assert list(hourly.columns) == ["judged_mg_m3"]
    judged = hourly.columns["judged_mg_m3"]
    assert (judged.changed, judged.largest) == (3, -1.0)
    assert judged.largest_key == "outlet_id=KT1;pollutant=nox;hour=2026-11-20 02:00:00.000"
    assert {c: tables["ule_monthly"].columns[c].changed for c in tables["ule_monthly"].columns} == {
        "ok_hours": 1,
        "verdict": 1,
    }
    backwards = {t.table: t for t in diff_releases(published, two_.release_id, one.release_id).tables}
    assert backwards["cems_hourly"].files_removed == ["cems_hourly/2026-11-21.parquet"]
    assert backwards["cems_hourly"].columns["judged_mg_m3"].largest == 1.0
    assert diff_releases(published, one.release_id, one.release_id).tables == []


def test_every_published_value_that_moved_is_restated(lake: Storage, published: LocalStorage) -> None:
    one, two_ = two(lake, published)
    found = restatements(published, two_)
    assert set(found["release_id"]) == {two_.release_id}
    assert set(found["previous_release_id"]) == {one.release_id}
    day = "outlet_id={};pollutant=nox;hour=2026-11-20 0{}:00:00.000"
    key = "outlet_id=KT1;pollutant=nox;month=2026-11;policy=include_all_fuel_on"
    columns = ("dataset", "key", "column", "old", "new", "delta", "provisional")
    assert sorted(found.select(columns).rows(), key=lambda row: row[:3]) == [
        ("cems_hourly", day.format("KT1", 1), "judged_mg_m3", None, "55.5", None, False),
        ("cems_hourly", day.format("KT1", 2), "judged_mg_m3", "42.0", "41.0", -1.0, False),
        ("cems_hourly", day.format("KT2", 1), "*", None, None, None, False),
        ("cems_hourly", day.format("KT2", 2), "judged_mg_m3", "42.0", "41.0", -1.0, False),
        ("ule_monthly", key, "ok_hours", "5", "7", 2.0, True),
        ("ule_monthly", key, "verdict", "PASS", "FAIL", None, True),
    ]
    assert TABLES["restatements"].violations(found) == []


def test_the_history_of_restatements_travels_on(lake: Storage, published: LocalStorage) -> None:
    _, two_ = two(lake, published)
    three = publish(published, first(lake), about=replace(FACTS, code_version="0.2.0"), extra={})
    prune(published, keep=1)
    found = pl.read_parquet(published.url("latest/restatements/*.parquet"))
    assert set(found["release_id"]) == {two_.release_id, three.release_id}
    assert verify_release(published, three.release_id) == []


def test_a_withdrawn_file_is_restated(lake: Storage, published: LocalStorage) -> None:
    publish(published, first(lake), about=FACTS, extra={})
    found = restatements(published, publish(published, first(lake)[1:], about=NEXT, extra={}))
    assert found.select("column", "partition").unique().rows() == [("*", "2026-11-19")]
    assert found.height == 4


@pytest.mark.parametrize(
    ("change", "kind", "named"),
    [
        ({"rule_packs": (Pinned("cn-ule-2024", "9" * 64), FACTS.rule_packs[1])}, "rule", "cn-ule-2024 bbbbbbbbbbbb -> 999999999999"),
        ({"factor_sets": (Pinned("factors-2026", "9" * 64),)}, "factor", "factors-2026 none -> 999999999999"),
        ({"code_version": "0.2.0"}, "code", "code 0.1.0 -> 0.2.0"),
        ({"registry_sha256": "9" * 64}, "registry", "registry aaaaaaaaaaaa -> 999999999999"),
        ({"arrivals": NEXT.arrivals}, "late_data", "cems/2026-11-21.txt"),
        ({"arrivals": (Arrival("ledgers/fuel.csv", "9" * 64, 1, "read"),)[:1] + FACTS.arrivals}, "ledger", "ledgers/fuel.csv"),
        ({"arrivals": NEXT.arrivals, "rule_packs": ()}, "rule", "arrivals cems/2026-11-21.txt"),
        ({}, "unexplained", "no recorded fact differs"),
    ],
    ids=["rule", "factor", "code", "registry", "late_data", "ledger", "several", "nothing"],
)  # fmt: skip
def test_a_restatement_names_its_cause(
    lake: Storage, published: LocalStorage, change: dict[str, Any], kind: str, named: str
) -> None:
    publish(published, first(lake), about=FACTS, extra={})
    found = restatements(published, publish(published, second(lake), about=replace(FACTS, **change), extra={}))
    assert set(found["reason_kind"]) == {kind}
    (reference,) = set(found["reason_ref"])
    assert named in reference


def test_each_partition_names_the_causes_of_its_own_grounds(lake: Storage, published: LocalStorage) -> None:
    def day(key: str, value: float, **grounds: str) -> Source:
        return replace(put(lake, "cems_hourly", key, hours(key, [value])), grounds=grounds)

    same = {"registry": "r", "code": "c"}
    before = [day("2026-11-19", 1.0, rule="a", **same), day("2026-11-20", 1.0, rule="a", late_data="x", **same)]
    publish(published, [*before, day("2026-11-18", 1.0)], about=FACTS, extra={})
    after = [day("2026-11-19", 2.0, rule="b", **same), day("2026-11-20", 2.0, rule="a", late_data="y", **same)]
    told = replace(FACTS, arrivals=NEXT.arrivals, rule_packs=(), registry_sha256="9" * 64)
    found = restatements(published, publish(published, [*after, day("2026-11-18", 2.0)], about=told, extra={}))
    kinds = dict(found.select("partition", "reason_kind").unique().iter_rows())
    assert kinds == {"2026-11-18": "rule", "2026-11-19": "rule", "2026-11-20": "late_data"}
    texts = dict(found.select("partition", "reason_ref").unique().iter_rows())
    assert "arrivals" in texts["2026-11-18"]
    assert "arrivals" not in texts["2026-11-19"]
    assert texts["2026-11-20"].startswith("arrivals")


def test_grounds_alone_make_no_new_release(lake: Storage, published: LocalStorage) -> None:
    release = publish(published, first(lake), about=FACTS, extra={})
    other = [replace(s, grounds={"rule": "b"}) for s in first(lake)]
    assert publish(published, other, about=FACTS, extra={}).release_id == release.release_id


def test_a_month_that_had_ended_is_no_longer_provisional(lake: Storage, published: LocalStorage) -> None:
    closed = put(lake, "cems_hourly", "2026-11-30", hours("2026-11-30", [1.0]))
    publish(published, [*first(lake), closed], about=FACTS, extra={})
    found = restatements(
        published, publish(published, [*first(lake)[:2], closed, second(lake)[-1]], about=NEXT, extra={})
    )
    assert set(found.filter(pl.col("dataset") == "ule_monthly")["provisional"]) == {False}


def test_the_comparison_streams_through_many_batches(
    lake: Storage, published: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches of three rows, groups longer than a batch, outlets on one side only: the same as all at once."""
    from resources import release_changes

    old = pl.concat(
        [
            hours("2026-11-20", [float(i) for i in range(n)], (name,))
            for name, n in (("A", 2), ("B", 9), ("C", 1), ("E", 4))
        ]
    )
    new = pl.concat(
        [
            hours("2026-11-20", [float(i + (i == 7)) for i in range(n)], (name,))
            for name, n in (("B", 9), ("D", 7), ("E", 5), ("F", 1))
        ]
    )
    publish(published, [put(lake, "cems_hourly", "2026-11-20", old)], about=FACTS, extra={})
    monkeypatch.setattr(release_changes, "_BATCH_ROWS", 3)
    found = restatements(
        published, publish(published, [put(lake, "cems_hourly", "2026-11-20", new)], about=NEXT, extra={})
    )
    moved = found.filter(pl.col("column") != "*")
    assert moved.select("key", "old", "new").rows() == [
        ("outlet_id=B;pollutant=nox;hour=2026-11-20 07:00:00.000", "7.0", "8.0")
    ]
    gone = found.filter(pl.col("column") == "*")["key"].to_list()
    assert [key.split(";")[0] for key in gone] == ["outlet_id=A", "outlet_id=A", "outlet_id=C"]


def test_rows_that_move_between_the_parts_of_a_partition_have_not_moved(lake: Storage, published: LocalStorage) -> None:
    """One file becomes three parts; then a new outlet shifts the rows of the parts, and one value changes."""
    a, b, c, d = (hours("2026-11-20", [1.0, 2.0], (name,)) for name in "ABCD")
    publish(published, [put(lake, "cems_hourly", "2026-11-20", pl.concat([b, c, d]))], about=FACTS, extra={})
    parts = [put(lake, "cems_hourly", f"2026-11-20/part-00{i}", rows) for i, rows in enumerate((b, c, d))]
    split = publish(published, parts, about=replace(FACTS, code_version="0.2.0"), extra={})
    assert restatements(published, split).is_empty()
    shifted = [pl.concat([a, b]), hours("2026-11-20", [1.0, 3.0], ("C",)), d]
    parts = [put(lake, "cems_hourly", f"2026-11-20/part-00{i}", rows) for i, rows in enumerate(shifted)]
    found = restatements(published, publish(published, parts, about=NEXT, extra={}))
    assert found.select("partition", "old", "new").rows() == [("2026-11-20", "2.0", "3.0")]
    first_id, *_, last_id = (r.release_id for r in list_releases(published))
    (change,) = diff_releases(published, first_id, last_id).tables
    assert (change.rows_added, change.rows_removed, change.columns["judged_mg_m3"].changed) == (2, 0, 1)


def test_a_file_in_another_order_or_with_other_columns_is_still_compared(
    lake: Storage, published: LocalStorage
) -> None:
    publish(published, first(lake), about=FACTS, extra={})
    path = "cems_hourly/2026-11-20.parquet"
    table = pq.read_table(lake.local_path(path))
    shuffled = table.take([5, 0, 3, 1, 4, 2]).drop_columns(["mass_kg"])
    with lake.staged(path) as file:
        pq.write_table(shuffled, file)
    data = lake.read(path)
    odd = Source("cems_hourly", "2026-11-20", lake, path, hashlib.sha256(data).hexdigest(), len(data), 6)
    sources = first_without(lake, path)
    assert restatements(published, publish(published, [*sources, odd], about=NEXT, extra={})).is_empty()


def first_without(lake: Storage, path: str) -> list[Source]:
    keep = lake.read(path)
    sources = [s for s in first(lake) if s.path != path]
    lake.write(path, keep)
    return sources


# --- pruning ----------------------------------------------------------------------------------------------------


def test_prune_keeps_the_newest_and_the_chain_holds(lake: Storage, published: LocalStorage) -> None:
    one, two_ = two(lake, published)
    three = publish(published, first(lake), about=FACTS, extra={})
    assert prune(published, keep=2) == [one.release_id]
    assert list_releases(published) == [two_, three]
    assert [verify_release(published, r.release_id) for r in (two_, three)] == [[], []]
    assert prune(published, keep=5) == []
    with pytest.raises(ValueError, match="at least one"):
        prune(published, keep=0)
    four = publish(published, second(lake), about=NEXT, extra={})
    assert four.release_id.startswith("000004-")


def test_prune_never_takes_the_latest(lake: Storage, published: LocalStorage) -> None:
    one, two_ = two(lake, published)
    link = published.local_path() / "latest"
    link.unlink()
    link.symlink_to(one.path)
    assert prune(published, keep=1) == []
    assert list_releases(published) == [one, two_]


# --- object stores ----------------------------------------------------------------------------------------------


def test_the_same_path_on_s3(lake: Storage, bucket: str) -> None:
    published = open_storage(f"{bucket}/published")
    one, two_ = two(lake, published)
    assert [verify_release(published, r.release_id) for r in (one, two_)] == [[], []]
    assert latest(published) == two_
    assert publish(published, second(lake), about=NEXT, extra={"report.md": b"# report\n"}).unchanged
    scan = pl.scan_parquet(published.url(f"{two_.path}/cems_hourly/*.parquet"), storage_options=published.scan_options)
    assert scan.select(pl.len()).collect().item() == 12
    diff = {t.table: t for t in diff_releases(published, one.release_id, two_.release_id).tables}
    assert diff["cems_hourly"].columns["judged_mg_m3"].changed == 3
    published.delete(f"{two_.path}/ule_monthly/2026-11.parquet")
    published.write(f"{two_.path}/ule_monthly/x.parquet", b"")
    assert len(verify_release(published, two_.release_id)) == 2
    assert prune(published, keep=1) == [one.release_id]
    assert published.list(one.path) == []


class Killed(BaseException):
    """The process ended here."""


class Mortal:
    """An object store (a folder that hides its disk) whose user dies before operation `limit`; each one is atomic, as on S3."""

    def __init__(self, inner: LocalStorage, limit: int | None) -> None:
        self._inner, self._limit, self._lock = inner, limit, threading.Lock()
        self.root, self.count = inner.root, 0
        self.scan_options: dict[str, str] = {}

    def _step(self) -> None:
        with self._lock:
            self.count += 1
            if self._limit is not None and self.count >= self._limit:
                raise Killed

    def local_path(self, key: str = "") -> None:
        return None

    def url(self, key: str = "") -> str:
        return self._inner.url(key)

    @contextmanager
    def staged(self, key: str) -> Iterator[Path]:
        with self._inner.staged(key) as path:
            yield path
            self._step()

    def open(self, key: str) -> BinaryIO:
        self._step()
        return self._inner.open(key)

    def __getattr__(self, name: str) -> Any:
        self._step()
        return getattr(self._inner, name)


#: Every operation is tried in the long run; else each fifth, and all of those around the step that publishes.
EVERY = pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.long)])


def points(total: int, every: int) -> list[int]:
    return [n for n in range(1, total + 1) if n % every == 0 or n > total - 8]


@EVERY
def test_killed_anywhere_on_an_object_store_readers_see_old_or_new(lake: Storage, tmp_path: Path, every: int) -> None:
    base, folder = tmp_path / "base", tmp_path / "published"
    one = publish(Mortal(LocalStorage(base), None), first(lake), about=FACTS, extra={})
    sources = second(lake)
    shutil.copytree(base, folder)
    whole = Mortal(LocalStorage(folder), None)
    two_ = publish(whole, sources, about=NEXT, extra={})
    seen: set[str] = set()
    for limit in points(whole.count, every):
        shutil.rmtree(folder)
        shutil.copytree(base, folder)
        with pytest.raises(Killed):
            publish(Mortal(LocalStorage(folder), limit), sources, about=NEXT, extra={})
        reader = Mortal(LocalStorage(folder), None)
        current = latest(reader)
        assert current is not None
        seen.add(current.release_id)
        for release in list_releases(reader):
            assert verify_release(reader, release.release_id) == []
        assert publish(Mortal(LocalStorage(folder), None), sources, about=NEXT, extra={}) == two_
        assert latest(reader) == two_
        assert list_releases(reader) == [one, two_]
        assert verify_release(reader, two_.release_id) == []
    assert seen == {one.release_id}


def test_prune_killed_anywhere_on_an_object_store_shows_no_half_release(lake: Storage, tmp_path: Path) -> None:
    base = tmp_path / "base"
    _, two_ = two(lake, Mortal(LocalStorage(base), None))
    for limit in range(1, 200):
        folder = tmp_path / f"published-{limit}"
        shutil.copytree(base, folder)
        finished = True
        try:
            prune(Mortal(LocalStorage(folder), limit), keep=1)
        except Killed:
            finished = False
        reader = Mortal(LocalStorage(folder), None)
        assert all(verify_release(reader, r.release_id) == [] for r in list_releases(reader))
        prune(reader, keep=1)
        assert list_releases(reader) == [two_]
        if finished:
            return
    pytest.fail("pruning never finished")


def test_two_publishers_on_an_object_store_cannot_make_a_torn_release(lake: Storage, tmp_path: Path) -> None:
    """A file that vanishes while the release is built stops it before its marker."""

    class Thief(Mortal):
        def write(self, key: str, data: bytes) -> None:
            self._inner.write(key, data)
            if key.endswith("manifest.json"):
                (victim,) = (e.key for e in self._inner.list("releases", "2026-11-19.parquet"))
                self._inner.delete(victim)

    published = Thief(LocalStorage(tmp_path / "published"), None)
    with pytest.raises(ReleaseError, match="another publisher"):
        publish(published, first(lake), about=FACTS, extra={})
    assert list_releases(published) == []
    assert latest(published) is None


# --- kill -9 on a disk ------------------------------------------------------------------------------------------

_CHANGING = {"os.mkdir", "os.link", "os.symlink", "os.rename", "os.remove", "os.rmdir", "os.chmod"}


def _die_at(limit: int, folder: str) -> Callable[[], int]:
    """SIGKILL this process before the `limit`-th operation that changes anything below `folder`; a counter of them."""
    count = 0

    def watch(event: str, args: tuple[Any, ...]) -> None:
        nonlocal count
        changing = event in _CHANGING or (
            event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        )
        if changing and any(str(a).startswith(folder) for a in args[:2]):
            count += 1
            if count == limit:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    return lambda: count


def _in_child(work: Any) -> int:
    """Run `work` in a fork of this process, which has never computed anything and so holds no threads; its wait status."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def _check_and_repair(folder: Path, sources: list[Source], notes: Path) -> None:
    published = LocalStorage(folder)
    before = latest(published)
    assert before is not None
    assert pl.read_parquet(published.url("latest/cems_hourly/*.parquet")).height == (
        10 if before.release_id.startswith("000001") else 12
    )
    assert all(verify_release(published, r.release_id) == [] for r in list_releases(published))
    with notes.open("a") as out:
        out.write(f"{before.release_id}\n")
    again = publish(published, sources, about=NEXT, extra={})
    assert latest(published) == again
    assert [r.release_id[:6] for r in list_releases(published)] == ["000001", "000002"]
    assert verify_release(published, again.release_id) == []
    assert sorted(p.name for p in (folder / "releases").iterdir()) == [r.release_id for r in list_releases(published)]
    assert sorted(p.name for p in folder.iterdir()) == [".lock", "latest", "latest.json", "releases"]


def _kill_everywhere(home: Path, every: int) -> None:
    """Entry of the helper process of the next test: forks publishers that die at an operation, and a reader after each."""
    lake = LocalStorage(home / "lake")
    sources = [Source(**{**s, "storage": lake}) for s in json.loads((home / "sources.json").read_text())]
    folder = home / "published"

    def attempt(limit: int) -> int:
        shutil.copytree(home / "base", folder, symlinks=True)

        def die() -> None:
            watch = _die_at(limit, str(folder))
            publish(LocalStorage(folder), sources, about=NEXT, extra={})
            (home / "operations.txt").write_text(str(watch()))

        status = _in_child(die)
        repaired = _in_child(lambda: _check_and_repair(folder, sources, home / "seen.txt"))
        assert repaired == 0, f"operation {limit}: a reader saw a torn release, or the next run did not repair it"
        shutil.rmtree(folder)
        return status

    # Twice: the first run also takes the write rights from the lake's files, so it has operations that no later one has.
    assert [attempt(0), attempt(0)] == [0, 0]
    (home / "seen.txt").unlink()
    for limit in points(int((home / "operations.txt").read_text()), every):
        assert attempt(limit) == signal.SIGKILL, f"operation {limit}: the publisher was not killed"


@EVERY
def test_killed_anywhere_on_a_disk_readers_see_old_or_new(lake: Storage, tmp_path: Path, every: int) -> None:
    one = publish(LocalStorage(tmp_path / "base"), first(lake), about=FACTS, extra={})
    sources = [{k: getattr(s, k) for k in ("table", "key", "path", "sha256", "bytes", "rows")} for s in second(lake)]
    (tmp_path / "sources.json").write_text(json.dumps(sources))
    run = subprocess.run(
        [sys.executable, __file__, str(tmp_path), str(every)], capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert int((tmp_path / "operations.txt").read_text()) > 30
    assert set((tmp_path / "seen.txt").read_text().split()) == {one.release_id}


if __name__ == "__main__":
    _kill_everywhere(Path(sys.argv[1]), int(sys.argv[2]))


def test_a_file_edited_after_its_release_goes_into_no_other(lake: Storage, published: LocalStorage) -> None:
    sources = first(lake)
    one = publish(published, sources, about=FACTS, extra={})
    path = published.local_path(f"{one.path}/cems_hourly/2026-11-19.parquet")
    path.chmod(0o644)
    path.write_bytes(_flip(path.read_bytes()))
    with pytest.raises(ReleaseRefused, match="not the file that was recorded"):
        publish(published, sources, about=NEXT, extra={})
    assert latest(published).release_id == one.release_id
