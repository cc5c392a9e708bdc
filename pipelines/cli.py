"""The command line `kiln`: run, plan, simulate, doctor, releases, report, dictionary, demo.

Belongs here: options, exit codes and what is printed. Does not belong here: doing the work. Imports of dagster and numba
wait until a command needs them: `kiln --help` answers at once.

Exit codes: 0 done, 1 done with findings that block, 2 usage or configuration, 3 input refused, 130 interrupted. Errors of our own end as
sentences with one of these codes; a traceback is a mistake in the program.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import date
from typing import Any, NoReturn

import click

from pipelines.interrupted import told
from resources.settings import Settings

HOME = click.option(
    "--home", default=None, help="主目录 home: a folder or s3://bucket/prefix [KILN_HOME, else ./kiln-home]"
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="机器可读 machine-readable output")
DONE, BLOCKED, USAGE, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130
#: Errors that do not speak of the configuration.
CODES = {
    "RegistryError": REFUSED,
    "RuleError": REFUSED,
    "EtsError": REFUSED,
    "EpaError": REFUSED,
    "FactorError": REFUSED,
    "MethodError": REFUSED,
    "ReleaseError": BLOCKED,
    "ReleaseRefused": BLOCKED,
}


class Day(click.ParamType[str]):
    """A local day YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The day as its key."""
        try:
            return str(date.fromisoformat(str(value)))
        except ValueError:
            self.fail(f"{value!r} 不是日期 is no day; write e.g. 2026-11-21", param, ctx)


def emit(data: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Print the one or the other on standard output."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True, default=str) if as_json else text)


def stop(code: int, text: str) -> NoReturn:
    """End with a message on standard error."""
    click.echo(text, err=True)
    sys.exit(code)


class Sentences(click.Group):
    """A group that ends with a sentence where a command meets what it cannot use."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        """The command, or its complaint on standard error."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except KeyboardInterrupt:
            stop(INTERRUPTED, "已中断 / interrupted")
        except OSError as error:
            stop(USAGE, f"{type(error).__name__}: {error}")
        except Exception as error:
            # By module and not by class: `kiln --help` need not import what may go wrong in a command.
            if not type(error).__module__.startswith(("resources.", "botocore.")):
                raise
            stop(CODES.get(type(error).__name__, USAGE), str(error))


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kilnledger")
def main() -> None:
    """kilnledger: 水泥厂烟气在线监测到可核查的达标数据 / cement stack monitors to verdicts anyone can check."""


@main.command()
@HOME
@AS_JSON
@click.option("--date", "day", type=Day(), help="一天 one local day")
@click.option("--from", "first", type=Day(), help="起 first local day")
@click.option("--to", "last", type=Day(), help="止 last local day (inclusive)")
@click.option("--all", "everything", is_flag=True, help="全部 every day that ever arrived")
@click.option("--no-publish", is_flag=True, help="不发布 stop before the release")
def run(
    home: str | None,
    as_json: bool,
    day: str | None,
    first: str | None,
    last: str | None,
    everything: bool,
    no_publish: bool,
) -> None:
    """运行夜间作业 Run the nightly job: take in, hours, verdicts, release. Default window: the last KILN_NIGHTLY_DAYS."""
    if sum((bool(day), bool(first or last), everything)) > 1:
        raise click.UsageError("--date, --from/--to 与 --all 只能选一 choose one of --date, --from/--to, --all")
    if first and last and first > last:
        raise click.UsageError(f"--from {first} 晚于 lies after --to {last}")
    settings = _settings(home)
    with told(settings):
        from pipelines.runs import run_night

        outcome = run_night(
            settings, first=day or first or "", last=day or last or "", everything=everything, publish=not no_publish
        )
    emit(outcome.data, outcome.text, as_json=as_json)
    sys.exit(outcome.code)


@main.command()
@HOME
@AS_JSON
@click.option(
    "--expect",
    type=click.Choice(["none", "light", "all"]),
    default="light",
    show_default=True,
    help="试算 what to try, to tell the expected change [light: ledgers and carbon]",
)
@click.option(
    "--product",
    "products",
    multiple=True,
    metavar="NAME",
    help="只看这些产品或表 these products or tables alone (repeatable)",
)
@click.option("--from", "first", default="", metavar="KEY", help="起 first day, month or year")
@click.option("--to", "last", default="", metavar="KEY", help="止 last day, month or year (inclusive)")
@click.option("--sealed", is_flag=True, help="含已报送年份 as if filed years were restated too")
def plan(
    home: str | None, as_json: bool, expect: str, products: tuple[str, ...], first: str, last: str, sealed: bool
) -> None:
    """看看会重算什么 What a run or backfill would make anew, why, and what would change; nothing is written."""
    from pipelines.cli_backfill import planning

    outcome = planning(_settings(home), expect, products, first, last, sealed=sealed)
    emit(outcome.data, outcome.text, as_json=as_json)
    sys.exit(outcome.code)


@main.command()
@HOME
@AS_JSON
@click.option(
    "--product",
    "products",
    multiple=True,
    metavar="NAME",
    help="只补这些产品或表 these products or tables alone (repeatable)",
)
@click.option("--from", "first", default="", metavar="KEY", help="起 first day, month or year")
@click.option("--to", "last", default="", metavar="KEY", help="止 last day, month or year (inclusive)")
@click.option("--no-publish", is_flag=True, help="不发布 stop before the release")
@click.option("--sealed", is_flag=True, help="含已报送年份 restate filed years too (registry/filings.csv)")
def backfill(
    home: str | None, as_json: bool, products: tuple[str, ...], first: str, last: str, no_publish: bool, sealed: bool
) -> None:
    """补算 Bring exactly what no longer stands up to date, check it, and publish. `kiln plan` tells beforehand what."""
    settings = _settings(home)
    with told(settings):
        from pipelines.cli_backfill import backfilling

        outcome = backfilling(settings, products, first, last, publish=not no_publish, sealed=sealed)
    emit(outcome.data, outcome.text, as_json=as_json)
    sys.exit(outcome.code)


@main.command()
@HOME
@AS_JSON
def doctor(home: str | None, as_json: bool) -> None:
    """自检 Check registry, rules, storage, clock and disk before a night."""
    from pipelines.doctor import examine

    findings = examine(_settings(home))
    text = "\n".join(f"{('ok  ', 'warn', 'FAIL')[f.level]}  {f.what}: {f.text}" for f in findings)
    emit({"findings": [f.as_dict() for f in findings]}, text, as_json=as_json)
    failed = [f for f in findings if f.level == 2]
    sys.exit((REFUSED if all(f.refused for f in failed) else USAGE) if failed else DONE)


@main.command()
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
        _settings(home),
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


@main.command()
@HOME
@AS_JSON
def demo(home: str | None, as_json: bool) -> None:
    """演示 Simulate a small landing zone, run the night, publish, and say what came of it."""
    settings = _settings(home)
    with told(settings):
        from pipelines.invented import run_demo

        outcome = run_demo(settings)
    emit(outcome.data, outcome.text, as_json=as_json)
    sys.exit(outcome.code)


@main.command()
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


@main.command()
@HOME
@click.option("--month", default="", metavar="YYYY-MM", help="月份 the month [the newest of the release]")
@click.option("--plant", "plants", multiple=True, metavar="ID", help="只看这些企业 these plants alone (repeatable)")
@click.option(
    "--out", type=click.Path(dir_okay=False, writable=True), help="写入文件 the file [kiln-report-YYYY-MM.html]"
)
def report(home: str | None, month: str, plants: tuple[str, ...], out: str | None) -> None:
    """月报 A month of the latest release as one self-contained page: verdicts, hours, capture, quarantine, signals."""
    from pathlib import Path

    from assets.report import report as made
    from resources.home import Home

    month, page = made(Home(_settings(home)), month, plants)
    path = Path(out or f"kiln-report-{month}.html")
    path.write_text(page, encoding="utf-8")
    click.echo(f"月报 report {month}: {path.resolve()}")


@main.command()
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

    emit(*evaluating(Home(_settings(home)), first, last, plants, lake=lake), as_json=as_json)


@main.command("ledger-template")
@HOME
@AS_JSON
@click.option("--plant", "plants", multiple=True, metavar="ID", help="企业 plants [all of the home] (repeatable)")
@click.option("--line", "lines", multiple=True, metavar="ID", help="生产线 lines [all of the plants] (repeatable)")
@click.option("--year", type=click.IntRange(2000, 2099), help="预填月份的年份 fill in the months of a year")
@click.option("--fuel", "fuels", multiple=True, metavar="NAME", help="燃料 fuels to fill in [anthracite, bituminous]")
@click.option("--out", required=True, type=click.Path(dir_okay=False, writable=True), help="写入文件 the file, .xlsx")
def ledger_template(
    home: str | None,
    as_json: bool,
    plants: tuple[str, ...],
    lines: tuple[str, ...],
    year: int | None,
    fuels: tuple[str, ...],
    out: str,
) -> None:
    """台账模板 Write the bilingual ledger workbook; for the plants and lines of --home or KILN_HOME, without either for those named."""
    from pipelines.cli_ledgers import writing

    emit(
        *writing(
            _settings(home) if home or os.environ.get("KILN_HOME") else None, out, plants, lines, year or 0, fuels
        ),
        as_json=as_json,
    )


@main.group()
def carbon() -> None:
    """碳 Carbon: the filing calendar, and what other factors or another balance value would come to."""


@carbon.command("calendar")
@HOME
@AS_JSON
@click.option("--year", type=click.IntRange(2024, 2099), help="报告年度 reporting year [this year]")
@click.option("--date", "day", type=Day(), help="从这一天数余日 count days from this day [today]")
@click.option("--plant", "plants", multiple=True, metavar="ID", help="只看这些企业 these plants alone (repeatable)")
def carbon_calendar(
    home: str | None, as_json: bool, year: int | None, day: str | None, plants: tuple[str, ...]
) -> None:
    """日历 What is to be filed by when, and which ledgers are still missing for it."""
    from pipelines.cli_carbon import calendar
    from resources.home import Home

    today = _day(day)
    emit(*calendar(Home(_settings(home)), str(year or today.year), today, plants), as_json=as_json)


@carbon.command("methods")
@HOME
@AS_JSON
@click.option("--year", type=click.IntRange(2000, 2099), help="年度 reporting year [this year]")
def carbon_methods(home: str | None, as_json: bool, year: int | None) -> None:
    """方法 Methods computed for a year, what each needs, and by which editions of factors (registry/methods.csv)."""
    from pipelines.cli_methods import methods
    from resources.home import Home

    emit(*methods(Home(_settings(home)), year or _day(None).year), as_json=as_json)


@carbon.command("filing")
@HOME
@AS_JSON
@click.option("--year", required=True, type=click.IntRange(2000, 2099), help="年度 reporting year")
@click.option("--method", default="", metavar="ID", help="核算方法 accounting method [the first in force]")
@click.option("--basis", default="", metavar="NAME", help="也查企业 plants too, under this basis of electricity")
@click.option("--allowances", is_flag=True, help="也查配额 allowances too")
def carbon_filing(home: str | None, as_json: bool, year: int, method: str, basis: str, allowances: bool) -> None:
    """填报 Every figure of a year that may not be filed, and why: drafts by name, what is missing, an open year."""
    from pipelines.cli_filing import filing
    from resources.home import Home

    data, text = filing(Home(_settings(home)), str(year), method, basis, allowances=allowances)
    emit(data, text, as_json=as_json)
    sys.exit(DONE if data["may_be_filed"] else REFUSED)


@carbon.command("what-if")
@HOME
@AS_JSON
@click.option("--year", required=True, type=click.IntRange(2000, 2099), help="年度 reporting year")
@click.option("--factor", "factors", multiple=True, metavar="ID=VALUE", help="另设因子 another value (repeatable)")
@click.option("--balance", default="", metavar="VALUE|solve", help="行业平衡值 balance value, or solve for these lines")
@click.option(
    "--from-release", "release_id", default="", metavar="ID|latest", help="用发布代替数据湖 a release, not the lake"
)
@click.option(
    "--vary",
    multiple=True,
    metavar="NAME=LOW..HIGH/STEPS",
    help="逐一试算 every value of ncv:FUEL (%), switch:FUEL:FUEL (% of heat), clinker-factor, carbide (%), balance; or NAME=1,2 (repeatable)",
)
def carbon_what_if(
    home: str | None,
    as_json: bool,
    year: int,
    factors: tuple[str, ...],
    balance: str,
    release_id: str,
    vary: tuple[str, ...],
) -> None:
    """试算 Lines and allowances with other factors or another balance value; nothing is written or published."""
    from pipelines.cli_carbon import what_if

    emit(*what_if(_settings(home), str(year), factors, balance, release_id, vary), as_json=as_json)


@main.group()
def explain() -> None:
    """溯源 One figure down to what it was reckoned from: clause, factors, ledger cells."""


@explain.command("carbon")
@HOME
@AS_JSON
@click.argument("line")
@click.argument("year")
@click.option("--method", default="", metavar="ID", help="核算方法 accounting method [the first in force]")
@click.option(
    "--aggregation",
    type=click.Choice(["annual_weighted", "monthly_sum"]),
    default="annual_weighted",
    show_default=True,
    help="年度汇总方式 how months make the year",
)
@click.option("--release", "release_id", default="", metavar="ID", help="发布 of this release [the latest]")
@click.option("--lake", is_flag=True, help="用数据湖而非发布 of the lake instead of a release")
def explain_carbon(
    home: str | None, as_json: bool, line: str, year: str, method: str, aggregation: str, release_id: str, lake: bool
) -> None:
    """碳 A line's year: months, sources, formulas with their numbers, factors with their sources, cells of the ledgers."""
    from pipelines.cli_explain import explaining
    from resources.home import Home

    emit(*explaining(Home(_settings(home)), line, year, method, aggregation, release_id, lake=lake), as_json=as_json)


@main.group()
def rules() -> None:
    """规则 Rule packs: list, show, and what changes between two days or two editions."""


@rules.command("list")
@AS_JSON
@click.option("--date", "day", type=Day(), help="日期 the day [today]")
def rules_list(as_json: bool, day: str | None) -> None:
    """列出 Every rule pack: what it is, when it holds, what it is worth, how many rows and drafts."""
    from pipelines.cli_rules import listing

    emit(*listing(_day(day)), as_json=as_json)


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


@main.group()
def factors() -> None:
    """因子 Emission factors: list, show, what changes between two editions, and the import of a new one."""


@factors.command("list")
@HOME
@AS_JSON
@click.option("--date", "day", type=Day(), help="有效日 in force on this day [today]")
@click.option("--known-on", type=Day(), help="当时已登记 as recorded on this day [all that is recorded]")
@click.option("--quantity", default="", metavar="NAME", help="只看一类 one quantity alone, e.g. ncv, grid")
def factors_list(home: str | None, as_json: bool, day: str | None, known_on: str | None, quantity: str) -> None:
    """列出 Factors in force on a day, as known on a day; drafts are marked."""
    from pipelines.cli_factors import listing

    emit(
        *listing(_settings(home), _day(day), date.fromisoformat(known_on) if known_on else None, quantity),
        as_json=as_json,
    )


@factors.command("show")
@HOME
@AS_JSON
@click.argument("name")
def factors_show(home: str | None, as_json: bool, name: str) -> None:
    """查看 Every row of a factor, by its id, quantity or scope: values, periods, when recorded, sources."""
    from pipelines.cli_factors import showing

    emit(*showing(_settings(home), name), as_json=as_json)


@factors.command("diff")
@HOME
@AS_JSON
@click.argument("old")
@click.argument("new")
@click.option(
    "--map", "mapping", default="", metavar="NAME", help="列对应 how foreign files are read (reference/factors/maps)"
)
def factors_diff(home: str | None, as_json: bool, old: str, new: str, mapping: str) -> None:
    """比较 Two editions: files, or days (YYYY-MM-DD) on which factors were known."""
    from pipelines.cli_factors import differing

    emit(*differing(_settings(home), old, new, mapping), as_json=as_json)


@factors.command("import")
@HOME
@AS_JSON
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--map", "mapping", default="", metavar="NAME", help="列对应 how the file is read (reference/factors/maps)"
)
@click.option(
    "--name", default="", metavar="NAME", help="写入 write to registry/factors-NAME.csv [the file's own name]"
)
@click.option("--recorded-at", type=Day(), help="登记日 day of record [today]")
@click.option("--write", is_flag=True, help="写入 write; without it only the difference is shown")
def factors_import(
    home: str | None, as_json: bool, file: str, mapping: str, name: str, recorded_at: str | None, write: bool
) -> None:
    """导入 A new edition from a CSV file: shows what differs before anything is written."""
    from pipelines.cli_factors import importing

    data, text = importing(_settings(home), file, mapping, name, _day(recorded_at), write=write)
    emit(data, text, as_json=as_json)
    sys.exit(REFUSED if data["problems"] else DONE)


@main.group()
def release() -> None:
    """发布 Published releases: list, verify, diff, prune."""


@release.command("list")
@HOME
@AS_JSON
def release_list(home: str | None, as_json: bool) -> None:
    """列出 Releases, oldest first."""
    from pipelines.cli_release import listing

    emit(*listing(_published(home)), as_json=as_json)


@release.command("verify")
@HOME
@AS_JSON
@click.argument("release_id", default="latest")
def release_verify(home: str | None, as_json: bool, release_id: str) -> None:
    """核验 Check every file of a release against its manifest, and the chain to the one before."""
    from pipelines.cli_release import verifying

    data, text = verifying(_published(home), release_id)
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

    emit(*differing(_published(home), old, new), as_json=as_json)


@release.command("prune")
@HOME
@AS_JSON
@click.option("--keep", default=30, show_default=True, type=click.IntRange(1), help="保留 how many of the newest stay")
def release_prune(home: str | None, as_json: bool, keep: int) -> None:
    """清理 Remove old releases; the latest always stays."""
    from pipelines.cli_release import pruning

    emit(*pruning(_published(home), keep), as_json=as_json)


@main.group("import")
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


def _day(text: str | None) -> date:
    from pipelines.partitions import today

    return date.fromisoformat(text) if text else today()


def _settings(home: str | None) -> Settings:
    return Settings.from_env(home=home)


def _published(home: str | None) -> Any:  # noqa: ANN401 - a Storage, imported where it is used
    from resources.storage import open_storage

    settings = _settings(home)
    storage = open_storage(settings.place("published"))
    # A missing bucket has no releases either; asked for this it says what it is.
    storage.list("reach")
    return storage
