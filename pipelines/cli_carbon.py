"""What `kiln carbon …` prints: the filing calendar of a year, and what other factors or another balance value would come to.

Belongs here: trials on a home put aside, and words and JSON of both. Does not belong here: making tables (`assets`); a trial writes
nothing into the home: what it makes lies in a folder that is thrown away.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import polars as pl

from assets.filing import calendar_rows
from assets.products import bring_up, product
from contracts.ets import STEPS
from contracts.meanings import ETS_STEP
from kernels.allocation import Formula, balance_value
from pipelines.cli_release import named
from pipelines.cli_sweep import sweep
from pipelines.columns import aligned
from resources.aside import HomeAside
from resources.bench import Bench
from resources.ets_home import Balance, EtsHome
from resources.factors import FactorBook
from resources.released import HomeReleased
from resources.sealed import Filings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from resources.home import Home
    from resources.settings import Settings

Said = tuple[dict[str, Any], str]
SOLVE = "solve"
_WHEN = {"overdue": "已过期 {0} 天 overdue by {0} d:", "due": "还有 {0} 天 {0} d left:"}
_SHOWN = 20
_DRIFTED = (
    "{0} 条生产线不改任何值也与发布不同, 现值为重算所得: 登记、因子或方法已变 / {0} lines differ from the release before anything is "
    "changed, and what stands is reckoned anew: registry, factors or methods are not those of then"
)
_LINE = ["line_id", "plant_id", "total_tco2", "allowance_t", "position_t", "no_number"]


def calendar(home: Home, year: str, today: date, plants: tuple[str, ...]) -> Said:
    """What is due for a year: by step and period, how many plants, which ledgers are missing, days left. Days are Beijing's.

    `state` of a row: "overdue" (ledgers are missing and the day has passed), "due" (missing, and the month is over), "later" (missing,
    the month is not over), "passed", or "open". Whether something was filed on the platform is not known here.
    """
    rows = calendar_rows(Bench(home), year)
    unknown = sorted(set(plants) - {n.plant_id for n in home.registry.lines})
    if unknown:
        raise click.UsageError(f"没有企业 no plant {', '.join(unknown)}")
    rows = [r for r in rows if not plants or r["plant_id"] in plants]
    rows.sort(key=lambda r: (r["due"], STEPS.index(r["step"]), r["period"], r["plant_id"]))
    for row in rows:
        row["days_left"] = (row["due"] - today).days
        row["state"] = _state(row, today)
    head = "截止 due,事项 step,期间 period,余日 days left,企业 plants,缺台账 lacking,过期 overdue,依据 worth"
    lines = [head.split(",")]
    for key in dict.fromkeys((r["due"], r["step"], r["period"]) for r in rows):
        some = [r for r in rows if (r["due"], r["step"], r["period"]) == key]
        lacking = [r for r in some if r["missing"]]
        lines.append([
            str(key[0]), " ".join(ETS_STEP[key[1]]), key[2], str(some[0]["days_left"]), str(len(some)), str(len(lacking)), str(sum(r["state"] == "overdue" for r in some)), some[0]["confidence"],
        ])  # fmt: skip
    text = aligned(lines, right={3, 4, 5, 6}) if rows else f"{year}: 没有截止日 nothing is due"
    told = [
        f"{_WHEN[state].format(abs(r['days_left']))} {r['period']} {r['plant_id']}: 缺 lacks {r['missing']}"
        for state in ("overdue", "due")
        for r in rows
        if r["state"] == state
    ]
    if len(told) > _SHOWN:
        told[_SHOWN:] = [f"另有 and {len(told) - _SHOWN} 项 more: --plant, --json"]
    return {"year": year, "today": str(today), "steps": rows}, "\n".join([text, *told])


def _state(row: dict[str, Any], today: date) -> str:
    if not row["missing"]:
        return "passed" if row["days_left"] < 0 else "open"
    if row["days_left"] < 0:
        return "overdue"
    return "due" if row["period"] < f"{today:%Y-%m}" else "later"


def what_if(
    settings: Settings, year: str, changes: Iterable[str], balance: str, release: str = "", vary: tuple[str, ...] = ()
) -> Said:
    """Lines, plants and allowances of a year with other factors or another balance value, beside what stands in the lake.

    `changes` are FACTOR_ID=VALUE; `balance` a number, "solve" for the value that holds these lines in balance, or "". `release`, an
    id or `latest`, is read in place of the lake. `vary` are ranges (`cli_sweep`), each tried on top of the changes. UsageError with a sentence for what cannot be tried.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = _tried(settings, Path(folder), year, release)
        before, notes = _lines(home, year), list[str]()
        if isinstance(home, HomeReleased):
            _make(home, year)
            if n := _apart(before, _lines(home, year)):
                notes = [_DRIFTED.format(n)]
                before = _lines(home, year)
        home.__dict__["factors"] = _changed(home, list(changes))
        if balance:
            home.__dict__["ets_home"] = _balanced(home, year, balance)
        _make(home, year)
        after = _lines(home, year)
        if vary and after.height:
            data, text = sweep(home, year, vary, solve=balance == SOLVE)
            return data | {"source": _source(home), "notes": notes}, "\n".join([*notes, text])
        value = home.ets_home.balance(int(year))
        if balance == SOLVE:
            # The first round gives emissions under the changed factors; the value that balances them is put in after it.
            value = _solved(home, year, after)
            home.__dict__["ets_home"] = EtsHome((value,), home.ets_home.lines)
            bring_up(home, product("allocation"), year)
            after = _lines(home, year)
        told = _told(year, before, after, value)
    if not after.height:
        where = f"发布 release {home.release_id}" if isinstance(home, HomeReleased) else "kiln run --all"
        raise click.UsageError(f"{year} 没有生产线碳排放 no carbon of lines in {year}: {where}")
    return told[0] | {"source": _source(home), "notes": notes}, "\n".join([*notes, told[1]])


def _source(home: Home) -> str:
    return home.release_id if isinstance(home, HomeReleased) else "lake"


def _tried(settings: Settings, folder: Path, year: str, release: str) -> Home:
    """A home put aside, or one over a release, in which filed years may be tried too: a trial restates nothing."""
    home: Home = HomeAside(settings, folder)
    if release:
        years = (year, str(int(year) - 1))
        of_before = ("carbon_line_year", "carbon_entity_year")
        home = HomeReleased(
            settings, named(home.published, release), folder,
            lambda table, key: key == "all" if table == "ledger_meter"
            else (table.startswith("ledger_") and key[:4] == year) or (table in of_before and key in years)
            or (table, key) == ("allocation_year", year),
        )  # fmt: skip
    home.__dict__["filings"] = Filings(home.filings.rows, opened=True)
    return home


def _make(home: Home, year: str) -> None:
    for name in ("carbon_months", "carbon_years", "allocation"):
        for key in sorted(k for k in product(name).keys(home) if k[:4] == year):
            bring_up(home, product(name), key)


def _apart(before: pl.DataFrame, now: pl.DataFrame) -> int:
    """Lines whose emission or allowance is another."""
    both = before.join(now, on=["plant_id", "line_id"], how="full", suffix="_now", coalesce=True)
    differs = [~pl.col(n).eq_missing(pl.col(f"{n}_now")) for n in ("total_tco2", "allowance_t")]
    return both.filter(pl.any_horizontal(differs)).height


def _changed(home: Home, changes: list[str]) -> FactorBook:
    """The book with other values for some factors."""
    book = home.factors
    rows = {r.factor_id: r for r in book.rows}
    given: dict[str, str] = {}
    for change in changes:
        name, _, text = change.partition("=")
        if name not in rows:
            raise click.UsageError(f"没有因子 no factor {name!r}; kiln factors list")
        try:
            value = Decimal(text)
        except InvalidOperation as error:
            raise click.UsageError(f"{change!r}: 写作 write FACTOR=VALUE") from error
        if not value.is_finite():
            raise click.UsageError(f"{change!r}: 写作 write FACTOR=VALUE")
        given[name] = text
    made = (replace(r, text=given[r.factor_id]) if r.factor_id in given else r for r in book.rows)
    return FactorBook(made).seen_by(home.methods.selections)


def _balanced(home: Home, year: str, balance: str) -> EtsHome:
    if balance == SOLVE:
        return home.ets_home
    try:
        value = float(Decimal(balance))
    except InvalidOperation as error:
        raise click.UsageError(f"--balance {balance!r}: 数值或 a number or {SOLVE}") from error
    if not 0 < value < 10:
        raise click.UsageError(f"--balance {balance}: tCO2/t")
    return EtsHome((Balance(int(year), value, "what-if", None),), home.ets_home.lines)


def _solved(home: Home, year: str, lines: pl.DataFrame) -> Balance:
    """The value that holds the lines at hand in balance; of the sector it says nothing."""
    on = date(int(year), 12, 31)
    formula = Formula(*(home.factors.find("ets", f"alpha_{n}", on).value for n in ("slope", "cap", "band")))
    known = lines.filter(pl.col("special").is_null()).select("total_tco2", "clinker_t").drop_nulls()
    return Balance(int(year), float(balance_value(known.iter_rows(), formula)), SOLVE, None)


def _lines(home: Home, year: str) -> pl.DataFrame:
    columns = [*_LINE, "clinker_t", "special"]
    table = home.lake.read("allocation_year", year, columns)
    if table is None:
        numbers = {n: pl.Float64 for n in columns if n.endswith(("_tco2", "_t"))}
        return pl.DataFrame(schema={n: numbers.get(n, pl.String) for n in columns})
    return pl.DataFrame(pl.from_arrow(table)).with_columns(pl.col(pl.Categorical).cast(pl.String))


def _told(year: str, before: pl.DataFrame, after: pl.DataFrame, value: Balance | None) -> Said:
    figures = ("total_tco2", "allowance_t", "position_t")
    old = before.select("plant_id", "line_id", *(pl.col(n).alias(f"old_{n}") for n in figures))
    lines = after.select(*_LINE).join(old, on=["plant_id", "line_id"], how="left").sort("plant_id", "line_id")
    lines = lines.with_columns((pl.col("total_tco2") - pl.col("old_total_tco2")).round(2).alias("delta_tco2"))
    # A sum over a missing number is none.
    sums = [
        pl.when(pl.col(n).is_null().any()).then(None).otherwise(pl.col(n).sum()).round(2).alias(n)
        for n in (*figures, "delta_tco2")
    ]
    plants = lines.group_by("plant_id").agg(sums).sort("plant_id")
    head = [
        "生产线 line",
        "企业 plant",
        "现值 now tCO2",
        "试算 trial tCO2",
        "差 change",
        "配额 now",
        "试算 trial",
        "盈缺 position",
    ]
    cells = [
        [r["line_id"], r["plant_id"], *(_number(r[n]) for n in ("old_total_tco2", "total_tco2", "delta_tco2", "old_allowance_t", "allowance_t", "position_t"))]
        for r in lines.iter_rows(named=True)
    ]  # fmt: skip
    cells += [
        ["合计 plant", r["plant_id"], "", *(_number(r[n]) for n in ("total_tco2", "delta_tco2")), "", *(_number(r[n]) for n in ("allowance_t", "position_t"))]
        for r in plants.iter_rows(named=True)
    ]  # fmt: skip
    said = (
        f"行业平衡值 balance value: {value.value:.10g} ({value.source})" if value else "没有行业平衡值 no balance value"
    )
    foot = "试算, 未写入任何数据 a trial: nothing was written"
    data = {
        "year": year, "balance_value": value.value if value else None, "balance_source": value.source if value else None,
        "lines": lines.to_dicts(), "plants": plants.to_dicts(),
    }  # fmt: skip
    return data, "\n".join([said, aligned([head, *cells], right=range(2, 8)), foot])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}".removesuffix(".00")
