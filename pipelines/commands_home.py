"""The commands about a home and its pages: simulate, demo, doctor, dictionary, report, evaluate, ledger-template.

Belongs here: options, and what is printed. Does not belong here: doing the work; its imports wait until a command needs them.
"""

from __future__ import annotations

import os
import sys
from datetime import date

import click

from pipelines.cli_common import AS_JSON, DONE, HOME, REFUSED, USAGE, Day, emit, settings_of
from pipelines.interrupted import told


@click.command()
@HOME
@AS_JSON
def doctor(home: str | None, as_json: bool) -> None:
    """自检 Check registry, rules, storage, clock and disk before a night."""
    from pipelines.doctor import examine

    findings = examine(settings_of(home))
    text = "\n".join(f"{('ok  ', 'warn', 'FAIL')[f.level]}  {f.what}: {f.text}" for f in findings)
    emit({"findings": [f.as_dict() for f in findings]}, text, as_json=as_json)
    failed = [f for f in findings if f.level == 2]
    sys.exit((REFUSED if all(f.refused for f in failed) else USAGE) if failed else DONE)


@click.command()
@HOME
@AS_JSON
@click.option(
    "--outlets", default=6, show_default=True, type=click.IntRange(1, 20000), help="排放口数 emission outlets"
)
@click.option("--from", "first", type=Day(), default="2026-11-01", show_default=True, help="起 first local day")
@click.option("--days", default=3, show_default=True, type=click.IntRange(1, 3660), help="天数 days")
@click.option("--hours", default=24, show_default=True, type=click.IntRange(1, 24), help="每天小时数 hours of each day")
@click.option(
    "--interval", type=click.Choice(["1", "5", "10", "30"]), help="记录间隔 minutes between records [each its own]"
)
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(0), help="种子 the same seed gives the same bytes"
)
@click.option(
    "--dirt",
    type=click.Choice(["none", "default", "heavy"]),
    default="default",
    show_default=True,
    help="脏数据 how dirty",
)
@click.option(
    "--layout",
    type=click.Choice(["per-plant-day", "one-file-day"]),
    default="per-plant-day",
    show_default=True,
    help="文件划分 which frames share a file",
)
@click.option("--compress", type=click.Choice(["gz", "zst"]), help="压缩 compress the captures")
@click.option(
    "--events/--no-events",
    default=True,
    show_default=True,
    help="申报 declare process states and device marks below landing/events",
)
@click.option(
    "--ledgers/--no-ledgers",
    default=True,
    show_default=True,
    help="台账 hand in the ledgers of the months touched, below landing/ledgers",
)
@click.option(
    "--ledger-months",
    default=0,
    show_default=True,
    type=click.IntRange(0, 600),
    help="此前月数 ledgers of so many earlier months too",
)
@click.option("--truth/--no-truth", default=True, show_default=True, help="真值 write the tables of truth too")
def simulate(
    home: str | None,
    as_json: bool,
    outlets: int,
    first: str,
    days: int,
    hours: int,
    interval: str | None,
    seed: int,
    dirt: str,
    layout: str,
    compress: str | None,
    events: bool,
    ledgers: bool,
    ledger_months: int,
    truth: bool,
) -> None:
    """模拟一个落地区 Write a synthetic registry and landing zone of invented plants: captures, events, ledgers; the truth beside it."""
    from dataclasses import asdict

    from pipelines.invented import in_words, simulate_home

    more = {} if truth else {"truth": ()}
    made = simulate_home(
        settings_of(home),
        dirt=dirt,
        outlets=outlets,
        first=date.fromisoformat(first),
        days=days,
        hours=hours,
        seed=seed,
        interval_min=int(interval) if interval else None,
        layout=layout,
        compress=compress,
        events=events,
        ledgers=ledgers,
        ledger_months=ledger_months,
        **more,
    )
    emit(asdict(made), in_words(made), as_json=as_json)


@click.command()
@HOME
@AS_JSON
def demo(home: str | None, as_json: bool) -> None:
    """演示 Simulate a small landing zone, run the night, publish, and say what came of it."""
    settings = settings_of(home)
    with told(settings):
        from pipelines.invented import run_demo

        outcome = run_demo(settings)
    emit(outcome.data, outcome.text, as_json=as_json)
    sys.exit(outcome.code)


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, writable=True), help="写入文件 write to a file instead")
def dictionary(out: str | None) -> None:
    """数据字典 The bilingual data dictionary of every table, as Markdown."""
    from pathlib import Path

    from contracts import TABLES
    from contracts.dictionary import dictionary as page

    text = page(TABLES.values())
    if out:
        Path(out).write_text(text, encoding="utf-8")
    else:
        click.echo(text)


@click.command()
@HOME
@click.option(
    "--month",
    default="",
    metavar="YYYY-MM",
    help="月份 the month, of hours or of ledgers alone [the newest with hours]",
)
@click.option("--plant", "plants", multiple=True, metavar="ID", help="只看这些企业 these plants alone (repeatable)")
@click.option(
    "--out", type=click.Path(dir_okay=False, writable=True), help="写入文件 the file [kiln-report-YYYY-MM.html]"
)
def report(home: str | None, month: str, plants: tuple[str, ...], out: str | None) -> None:
    """月报 A month of the latest release as one page: verdicts, hours, capture, quarantine, signals, carbon, allowances."""
    from pathlib import Path

    from assets.report import report as made
    from resources.home import Home

    month, page = made(Home(settings_of(home)), month, plants)
    path = Path(out or f"kiln-report-{month}.html")
    path.write_text(page, encoding="utf-8")
    click.echo(f"月报 report {month}: {path.resolve()}")


@click.command()
@HOME
@AS_JSON
@click.option("--from", "first", type=Day(), help="起 first local day")
@click.option("--to", "last", type=Day(), help="止 last local day (inclusive) [the last full month]")
@click.option("--plant", "plants", multiple=True, metavar="ID", help="只看这些企业 these plants alone (repeatable)")
@click.option("--lake", is_flag=True, help="用数据湖而非最新发布 judge the lake instead of the latest release")
def evaluate(
    home: str | None, as_json: bool, first: str | None, last: str | None, plants: tuple[str, ...], lake: bool
) -> None:
    """评估时段 Judge any window of 30 days or more with the arithmetic of the month, under every policy."""
    from pipelines.cli_evaluate import evaluating
    from resources.home import Home

    emit(*evaluating(Home(settings_of(home)), first, last, plants, lake=lake), as_json=as_json)


@click.command("ledger-template")
@HOME
@AS_JSON
@click.option("--plant", "plants", multiple=True, metavar="ID", help="企业 plants [all of the home] (repeatable)")
@click.option("--line", "lines", multiple=True, metavar="ID", help="生产线 lines [all of the plants] (repeatable)")
@click.option("--year", type=click.IntRange(2000, 2099), help="预填月份的年份 fill in the months of a year")
@click.option("--fuel", "fuels", multiple=True, metavar="NAME", help="燃料 fuels to fill in [anthracite, bituminous]")
@click.option("--material", "materials", multiple=True, metavar="NAME", help="原料 materials to fill in [carbide_slag]")
@click.option("--out", required=True, type=click.Path(dir_okay=False, writable=True), help="写入文件 the file, .xlsx")
def ledger_template(
    home: str | None,
    as_json: bool,
    plants: tuple[str, ...],
    lines: tuple[str, ...],
    year: int | None,
    fuels: tuple[str, ...],
    materials: tuple[str, ...],
    out: str,
) -> None:
    """台账模板 Write the bilingual ledger workbook; for the plants and lines of --home or KILN_HOME, without either for those named."""
    from pipelines.cli_ledgers import writing

    settings = settings_of(home) if home or os.environ.get("KILN_HOME") else None
    emit(*writing(settings, out, plants, lines, year or 0, fuels, materials), as_json=as_json)


@click.command()
@HOME
@AS_JSON
@click.option("--plant", "plants", multiple=True, metavar="ID", help="只看这些企业 these plants alone (repeatable)")
@click.option(
    "--check",
    "checks",
    multiple=True,
    metavar="ID",
    help="检查编号或其开头 a check or the beginning of its id, as L29 or C (repeatable)",
)
@click.option(
    "--severity",
    "severities",
    multiple=True,
    type=click.Choice(["serious", "warn", "info"]),
    help="级别 severity (repeatable)",
)
@click.option("--month", default="", metavar="YYYY-MM", help="月份或年份 a month, or a year YYYY")
@click.option(
    "--open/--all", "only_open", default=True, help="待处理的，或全部 those that need somebody, or all [--open]"
)
@click.option(
    "--release", "release_id", default="", metavar="ID|latest", help="用发布代替数据湖 a release, not the lake"
)
def findings(
    home: str | None,
    as_json: bool,
    plants: tuple[str, ...],
    checks: tuple[str, ...],
    severities: tuple[str, ...],
    month: str,
    only_open: bool,
    release_id: str,
) -> None:
    """审查发现 What was found in declarations, ledgers and carbon: one line a check and file, the gravest first."""
    from pipelines.cli_findings import findings as found
    from resources.home import Home

    told = found(Home(settings_of(home)), release_id, plants, checks, severities, month, every=not only_open)
    emit(*told, as_json=as_json)
