"""The commands of carbon: carbon, explain, factors.

Belongs here: options, and what is printed. Does not belong here: doing the work; its imports wait until a command needs them.
"""

from __future__ import annotations

import sys
from datetime import date

import click

from pipelines.cli_common import AS_JSON, DONE, HOME, REFUSED, Day, day_or_today, emit, settings_of


@click.group()
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

    today = day_or_today(day)
    emit(*calendar(Home(settings_of(home)), str(year or today.year), today, plants), as_json=as_json)


@carbon.command("methods")
@HOME
@AS_JSON
@click.option("--year", type=click.IntRange(2000, 2099), help="年度 reporting year [this year]")
def carbon_methods(home: str | None, as_json: bool, year: int | None) -> None:
    """方法 Methods computed for a year, what each needs, and by which editions of factors (registry/methods.csv)."""
    from pipelines.cli_methods import methods
    from resources.home import Home

    emit(*methods(Home(settings_of(home)), year or day_or_today(None).year), as_json=as_json)


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

    data, text = filing(Home(settings_of(home)), str(year), method, basis, allowances=allowances)
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

    emit(*what_if(settings_of(home), str(year), factors, balance, release_id, vary), as_json=as_json)


@click.group()
def explain() -> None:
    """溯源 One figure down to what it was reckoned from: clause, factors, ledger cells."""


@explain.command("carbon")
@HOME
@AS_JSON
@click.argument("line")
@click.argument("year")
@click.option("--plant", default="", metavar="ID", help="企业 plant, for a line that changed plant in the year")
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
    home: str | None,
    as_json: bool,
    line: str,
    year: str,
    plant: str,
    method: str,
    aggregation: str,
    release_id: str,
    lake: bool,
) -> None:
    """碳 A line's year: months, sources, formulas with their numbers, factors with their sources, cells of the ledgers."""
    from pipelines.cli_explain import explaining
    from resources.home import Home

    told = explaining(Home(settings_of(home)), line, year, method, aggregation, release_id, lake=lake, plant=plant)
    emit(*told, as_json=as_json)


@click.group()
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
        *listing(settings_of(home), day_or_today(day), date.fromisoformat(known_on) if known_on else None, quantity),
        as_json=as_json,
    )


@factors.command("show")
@HOME
@AS_JSON
@click.argument("name")
def factors_show(home: str | None, as_json: bool, name: str) -> None:
    """查看 Every row of a factor, by its id, quantity or scope: values, periods, when recorded, sources."""
    from pipelines.cli_factors import showing

    emit(*showing(settings_of(home), name), as_json=as_json)


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

    emit(*differing(settings_of(home), old, new, mapping), as_json=as_json)


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

    data, text = importing(settings_of(home), file, mapping, name, day_or_today(recorded_at), write=write)
    emit(data, text, as_json=as_json)
    sys.exit(REFUSED if data["problems"] else DONE)
