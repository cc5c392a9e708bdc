"""What `kiln release …` prints.

Belongs here: words and JSON about releases. Does not belong here: releases themselves (`resources/releases.py`).
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from contracts.trust import sort_of
from pipelines.partitions import today
from resources.releases import ReleaseError, diff_releases, latest, list_releases, prune, verify_release
from resources.rules import RuleBook, RuleError

if TYPE_CHECKING:
    from resources.storage import Storage

Said = tuple[dict[str, Any], str]


def named(published: Storage, release_id: str) -> str:
    """The id meant by `latest`, `previous` (the one before it), a whole id or the unique beginning of one. UsageError else."""
    found = latest(published)
    if found is None:
        raise click.UsageError(f"{published.root}: 尚无发布 nothing is published yet; kiln run publishes")
    if release_id == "latest":
        return found.release_id
    known = [r.release_id for r in list_releases(published)]
    if release_id == "previous":
        meant = [known[known.index(found.release_id) - 1]] if known.index(found.release_id) else []
    else:
        meant = [name for name in known if name.startswith(release_id)]
    if len(meant) != 1:
        raise click.UsageError(f"没有这一个发布 no one release {release_id}; there are {', '.join(known)}")
    return meant[0]


def listing(published: Storage) -> Said:
    """All releases, oldest first."""
    releases = list_releases(published)
    now = latest(published)
    lines = [
        f"{'*' if now and r.release_id == now.release_id else ' '} {r.release_id}  {r.created_at}  "
        f"{r.files:>5} files  {r.rows:>12,} rows  {r.bytes / 1e6:>9.1f} MB"
        for r in releases
    ]
    return {"releases": [asdict(r) for r in releases], "latest": now.release_id if now else None}, "\n".join(
        lines or ["尚无发布 nothing is published yet"]
    )


def verifying(published: Storage, release_id: str) -> Said:
    """Problems of one release; none is the good answer."""
    name = named(published, release_id)
    try:
        problems = [str(p) for p in verify_release(published, name)]
    except ReleaseError as error:
        problems = [str(error)]
    text = "\n".join(problems) or f"{name}: 完好 every file is as its manifest says"
    return {"release": name, "problems": problems}, text


def differing(published: Storage, old: str, new: str) -> Said:
    """What moved from `old` to `new`."""
    a, b = named(published, old), named(published, new)
    diff = diff_releases(published, a, b)
    lines = [f"{a} -> {b}"]
    for t in diff.tables:
        lines.append(
            f"{t.table}: files +{len(t.files_added)} -{len(t.files_removed)} ~{len(t.files_changed)}, "
            f"rows {t.rows_before:,} -> {t.rows_after:,}"
        )
        for name, c in sorted((n, c) for n, c in t.columns.items() if sort_of(n) == "figure"):
            largest = f", largest {c.largest:+g} at {c.largest_key}" if c.largest is not None else ""
            lines.append(f"    {name}: {c.changed:,} values{largest}")
        if told := [f"{n} {c.changed:,}" for n, c in sorted(t.columns.items()) if sort_of(n) != "figure"]:
            lines.append(f"    名称与出处 names and places: {', '.join(told)}")
    return asdict(diff), "\n".join(lines if diff.tables else [*lines, "没有差别 no difference"])


def pruning(published: Storage, keep: int) -> Said:
    """Which releases went, and which of these were younger than original records must be (监测条例 Art. 26; rule R18).

    A release is made of the records in landing/, which stay: it is told, not refused.
    """
    made = {r.release_id: date.fromisoformat(r.created_at[:10]) for r in list_releases(published)}
    gone = prune(published, keep)
    years, since = _kept_since(today())
    young = [i for i in gone if since and made[i] > since]
    text = "\n".join(gone) or "没有可清理的 nothing to remove"
    if young:
        text += (
            f"\n提示: 其中 {len(young)} 个发布未满 {years} 年。原始记录在 landing/, 未动, 须至少保存 {years} 年 (监测条例第二十六条)"
            f" / note: {len(young)} of these were younger than {years} years; the original records in landing/ are untouched"
            f" and must be kept for at least as long"
        )
    return {"removed": gone, "younger_than_retention": young}, text


def _kept_since(day: date) -> tuple[int, date | None]:
    """Years that original records are kept, and the day so long ago; (0, None) while no rule asks for it."""
    try:
        years = int(RuleBook.load().parameter("retention.min_years", day).value)
    except RuleError:
        return 0, None
    return years, day.replace(year=day.year - years, day=min(day.day, 28))
