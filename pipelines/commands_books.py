"""The commands of rule packs, releases and imports: rules, release, import.

Belongs here: options, and what is printed. Does not belong here: doing the work; its imports wait until a command needs them.
"""

from __future__ import annotations

import sys
from datetime import date

import click

from pipelines.cli_common import AS_JSON, BLOCKED, DONE, HOME, Day, day_or_today, emit, published_of


@click.group()
def rules() -> None:
    """规则 Rule packs: list, show, and what changes between two days or two editions."""


@rules.command("list")
@AS_JSON
@click.option("--date", "day", type=Day(), help="日期 the day [today]")
def rules_list(as_json: bool, day: str | None) -> None:
    """列出 Every rule pack: what it is, when it holds, what it is worth, how many rows and drafts."""
    from pipelines.cli_rules import listing

    emit(*listing(day_or_today(day)), as_json=as_json)


@rules.command("show")
@AS_JSON
@click.argument("pack")
@click.option("--date", "day", type=Day(), help="只看当日有效的行 only what is in force on this day [every row]")
def rules_show(as_json: bool, pack: str, day: str | None) -> None:
    """查看 One pack as tables: limits, parameters, clauses, and the sources of each row."""
    from pipelines.cli_rules import showing

    emit(*showing(pack, date.fromisoformat(day) if day else None), as_json=as_json)


@rules.command("diff")
@AS_JSON
@click.argument("old")
@click.argument("new")
def rules_diff(as_json: bool, old: str, new: str) -> None:
    """比较 What differs in force between two days (YYYY-MM-DD), or between two folders of packs (an old and a new edition)."""
    from pipelines.cli_rules import differing

    emit(*differing(old, new), as_json=as_json)


@click.group()
def release() -> None:
    """发布 Published releases: list, verify, diff, prune."""


@release.command("list")
@HOME
@AS_JSON
def release_list(home: str | None, as_json: bool) -> None:
    """列出 Releases, oldest first."""
    from pipelines.cli_release import listing

    emit(*listing(published_of(home)), as_json=as_json)


@release.command("verify")
@HOME
@AS_JSON
@click.argument("release_id", default="latest")
def release_verify(home: str | None, as_json: bool, release_id: str) -> None:
    """核验 Check every file of a release against its manifest, and the chain to the one before."""
    from pipelines.cli_release import verifying

    data, text = verifying(published_of(home), release_id)
    emit(data, text, as_json=as_json)
    sys.exit(BLOCKED if data["problems"] else DONE)


@release.command("diff")
@HOME
@AS_JSON
@click.argument("old", default="previous")
@click.argument("new", default="latest")
def release_diff(home: str | None, as_json: bool, old: str, new: str) -> None:
    """比较 What moved between two releases; without names: from the one before the latest to the latest."""
    from pipelines.cli_release import differing

    emit(*differing(published_of(home), old, new), as_json=as_json)


@release.command("prune")
@HOME
@AS_JSON
@click.option("--keep", default=30, show_default=True, type=click.IntRange(1), help="保留 how many of the newest stay")
def release_prune(home: str | None, as_json: bool, keep: int) -> None:
    """清理 Remove old releases; the latest always stays."""
    from pipelines.cli_release import pruning

    emit(*pruning(published_of(home), keep), as_json=as_json)


@click.group("import")
def import_() -> None:
    """导入 Files of others as plain Parquet, beside a home and not in it."""


@import_.command("epa")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option("--out", required=True, help="写入目录 folder or s3://bucket/prefix for epa_hourly and epa_units")
@AS_JSON
def import_epa(files: tuple[str, ...], out: str, as_json: bool) -> None:
    """美国 EPA 小时排放 EPA hourly emission files: hours, unit-year sums, substituted hours. Exit 1 where lines were left out."""
    from pipelines.cli_import import import_epa as made

    data, text = made(files, out)
    emit(data, text, as_json=as_json)
    sys.exit(BLOCKED if data["left_out"] else DONE)
