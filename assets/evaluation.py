"""An evaluation window: any run of days judged with the arithmetic of the month, under every policy.

Belongs here: reading judged hours of a window from a release or the lake, and verdicts over them. Does not belong here: how they
are printed (`pipelines/cli_evaluate.py`), the arithmetic itself (`kernels/judge_month.py`).

It rests on values, limits, states and exemptions of `ule_hourly` alone, so anyone who holds a release can repeat it.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from assets.judgement_limits import ORDERED
from assets.judgement_plants import scope_verdicts
from assets.judgement_terms import month_terms, whole
from assets.judgement_verdicts import counted, groups
from contracts.events import STATES
from contracts.ule import ULE_HOURLY
from kernels.judge import HOURS_PER_DAY, OUTSIDE
from kernels.judge_month import count_month, verdicts
from resources.release_records import TABLE
from resources.releases import latest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assets.judgement_terms import Terms
    from resources.home import Home
    from resources.rules import Parameter

MIN_DAYS = "evaluation.min_days"
_WHO = ["outlet_id", "plant_id", "line_id"]
_COLUMNS = [
    *_WHO, "pollutant", "hour", "judged_mg_m3", "limit_mg_m3", "mandatory_limit_mg_m3", "process_state", "exempt",
]  # fmt: skip


class EvaluationError(Exception):
    """The window or the data do not allow an evaluation; the message says why and what would."""


@dataclass(frozen=True)
class Evaluation:
    """Verdicts of a window [first, last]: `outlets` by outlet, pollutant or joint, and policy; `scopes` by plant and line."""

    first: date
    last: date
    source: str
    min_days: Parameter
    outlets: pl.DataFrame
    scopes: pl.DataFrame


@dataclass(frozen=True)
class Source:
    """Where judged hours are read: the parts of each month, as functions of the columns wanted; `name` for people."""

    name: str
    months: dict[str, list[str]]
    home: Home

    def read(self, month: str, columns: list[str]) -> pl.DataFrame:
        """Rows of a month; labels as strings."""
        if self.months[month]:
            options = self.home.published.scan_options or None
            parts = [pl.read_parquet(u, columns=columns, storage_options=options) for u in self.months[month]]
            frame = pl.concat(parts, how="diagonal_relaxed")
        else:
            frame = pl.DataFrame(pl.from_arrow(self.home.lake.read(ULE_HOURLY.name, month, columns)))
        return frame.with_columns(pl.col(pl.Categorical).cast(pl.String))


def source(home: Home, *, lake: bool) -> Source:
    """The latest release, or the lake as it stands; EvaluationError when nothing is published."""
    if lake:
        return Source("lake", {m: [] for m in home.lake.keys(ULE_HOURLY.name)}, home)
    release = latest(home.published)
    if release is None:
        raise EvaluationError(
            "尚无发布: 先 kiln run, 或用 --lake / nothing is published yet: run kiln run first, or pass --lake"
        )
    files = [
        f for f in read_manifest(home.published, release.release_id).files
        if f.role == TABLE and f.table == ULE_HOURLY.name and f.rows
    ]  # fmt: skip
    base = f"releases/{release.release_id}"
    months = {
        key: sorted(home.published.url(f"{base}/{f.path}") for f in files if f.key == key)
        for key in sorted({f.key for f in files})
    }
    return Source(release.release_id, months, home)


def evaluate(
    home: Home, first: date | None, last: date | None, plants: Sequence[str] = (), *, lake: bool = False
) -> Evaluation:
    """Judge the days [first, last] of all plants or of some. Without days: the last full month of the data.

    A shorter month (February) is carried back to the least length; with one end given the window has the least length, or is
    the month that `last` ends. EvaluationError for a window that is too short or that the
    data do not cover, and for plants that were not judged in it.
    """
    where = source(home, lake=lake)
    known = _known(where)
    if first is None and last is None:
        last = _last_full_month(where, known[1])
    near = last or first or known[1]
    least, days = home.rules.parameter(MIN_DAYS, near), whole(home.rules, MIN_DAYS, near)
    if last is None:
        last = near + timedelta(days=days - 1)
    if first is None:
        first = min(
            last - timedelta(days=days - 1), last.replace(day=1) if last == _month_end(f"{last:%Y-%m}") else last
        )
    _window_holds(first, last, days, least, known)
    months = [m for m in where.months if f"{first:%Y-%m}" <= m <= f"{last:%Y-%m}"]
    begin, end = _midnight(first), _midnight(last + timedelta(days=1))
    frames = [where.read(m, _COLUMNS).filter(pl.col("hour") >= begin, pl.col("hour") < end) for m in months]
    rows = pl.concat(frames)
    if plants:
        rows = rows.filter(pl.col("plant_id").is_in(list(plants)))
    if not rows.height:
        raise EvaluationError(
            f"{first} 至 {last} 没有这些企业的判定小时 / no judged hours of {', '.join(plants) or 'any plant'} from {first} to {last}"
        )
    outlets = _verdicts(rows, first, (last - first).days + 1, month_terms(home.rules, last))
    scopes = scope_verdicts(outlets.with_columns(month=pl.lit(f"{first}/{last}"))).drop("month")
    return Evaluation(first, last, where.name, least, outlets, scopes.sort("scope", "scope_id", "combine", "policy"))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


def _known(where: Source) -> tuple[date, date]:
    """First and last day of judged hours."""
    if not where.months:
        raise EvaluationError(f"{where.name}: 没有判定小时 / holds no judged hours; kiln run judges them")
    months = sorted(where.months)
    ends = [where.read(m, ["hour"])["hour"] for m in (months[0], months[-1])]
    return ends[0].min().date(), ends[1].max().date()  # type: ignore[union-attr]


def _last_full_month(where: Source, known: date) -> date:
    """The end of the last month that the data cover to its end."""
    ends = [e for m in where.months if (e := _month_end(m)) <= known]
    if not ends:
        raise EvaluationError(
            f"数据止于 {known}, 尚无完整月份: 用 --from 与 --to 指定 / the data end on {known}: no month is complete; name --from and --to"
        )
    return max(ends)


def _month_end(month: str) -> date:
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, monthrange(year, number)[1])


def _window_holds(first: date, last: date, days: int, least: Parameter, known: tuple[date, date]) -> None:
    length = (last - first).days + 1
    if length < days:
        raise EvaluationError(
            f"{first} 至 {last} 只有 {max(length, 0)} 天: 评估时段不得少于 {days} 天 ({least.rule_id}, {least.confidence}) / "
            f"{first} to {last} is {max(length, 0)} days: an evaluation needs at least {days} ({least.rule_id}, {least.confidence})"
        )
    if first < known[0] or last > known[1]:
        raise EvaluationError(
            f"数据自 {known[0]} 至 {known[1]}, 未覆盖 {first} 至 {last} / the data reach from {known[0]} to {known[1]}: they do not cover {first} to {last}"
        )


def _verdicts(rows: pl.DataFrame, first: date, days: int, terms: Terms) -> pl.DataFrame:
    """Counts and verdicts of each outlet, pollutant or joint, and policy."""
    rows = rows.filter(pl.col("limit_mg_m3").is_not_null()).sort("outlet_id", "pollutant", "hour")
    last = rows.group_by("outlet_id", "pollutant", maintain_order=True).agg(pl.col("plant_id", "line_id").last())
    s = (rows.select(pl.struct("outlet_id", "pollutant").rle_id()).to_series()).to_numpy()
    h = ((rows["hour"] - _midnight(first)).dt.total_hours()).to_numpy()
    value, state, exempt = (np.full((last.height, HOURS_PER_DAY * days), fill) for fill in (np.nan, OUTSIDE, False))
    limit, mandatory = (np.full((last.height, days), np.nan) for _ in range(2))
    value[s, h] = rows["judged_mg_m3"].fill_null(np.nan).to_numpy()
    state[s, h] = rows["process_state"].replace_strict(
        dict(zip(STATES, range(len(STATES)), strict=True)), return_dtype=pl.Int8
    )
    exempt[s, h] = rows["exempt"].to_numpy()
    limit[s, h // HOURS_PER_DAY] = rows["limit_mg_m3"].to_numpy()
    mandatory[s, h // HOURS_PER_DAY] = rows["mandatory_limit_mg_m3"].fill_null(np.nan).to_numpy()
    outlets = last["outlet_id"].rle_id().to_numpy().astype(np.int32)
    pollutants = np.array([ORDERED.index(p) for p in last["pollutant"]], np.int32)
    who = groups(outlets, pollutants, np.ones(last.height, np.bool_))
    counts = count_month(
        value, state.astype(np.int8), exempt, terms.bounds(limit), terms.bounds(mandatory), who.members, terms.policies
    )
    found = verdicts(counts, terms.policies, terms.pass_pct, terms.min_production_hours)
    policies = len(terms.names)
    columns: dict[str, Any] = {n: [v for v in last[n].gather(who.first) for _ in range(policies)] for n in _WHO}
    return pl.DataFrame(
        {
            **columns,
            **counted(who, counts, found, terms),
        },
        schema_overrides=dict.fromkeys(_WHO, pl.String),
    ).sort("plant_id", "outlet_id", "pollutant", maintain_order=True)
