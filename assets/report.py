"""The report of a month: one page that anybody can open, made from a release's published tables.

Belongs here: which figures the page rests on and where they are read. Does not belong here: how they look
(`report_sections`, `report_svg`, `report_html`) and any verdict: nothing is judged here a second time.

Two things are not in a release and are told as such: names of plants (the registry as it stands) and reasons of quarantine
(raw bytes are not published; the lake is asked about the captures that the release rests on).
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.report_carbon_facts import CarbonFacts, gather_carbon
from assets.report_html import page
from assets.report_sections import body
from assets.report_svg import Run
from assets.report_words import HOURS
from contracts import TABLES
from contracts.ule import HEADLINE_POLICY
from resources.registry import RegistryError
from resources.release_records import TABLE
from resources.releases import ReleaseError, latest, read_manifest
from resources.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resources.home import Home
    from resources.release_records import Manifest
    from resources.rules_rows import Policy

Series = tuple[str, str]


@dataclass(frozen=True)
class Facts:
    """Everything a page says. Frames hold rows of the month alone, `restated` those of the release alone; `states`, `marks` and
    `findings` are of all time. `span` is the month's begin and the end of its last judged hour.

    `headline` is `verdicts` under the strict policy; places: outlet -> (plant, point type); floors: capture rates in % below
    which there is no verdict, and a warning.
    """

    month: str
    days: int
    manifest: Manifest
    manifest_sha256: str
    policies: list[Policy]
    floors: tuple[float, ...]
    names: dict[str, str]
    places: dict[str, tuple[str, str]]
    verdicts: pl.DataFrame
    headline: pl.DataFrame
    runs: dict[Series, list[Run]]
    last_hours: dict[Series, dict[str, Any]]
    plants: pl.DataFrame
    mandatory: pl.DataFrame
    progress: pl.DataFrame
    signals: pl.DataFrame
    arrivals: pl.DataFrame
    counts: pl.DataFrame
    restated: pl.DataFrame
    quarantine: pl.DataFrame
    states: pl.DataFrame
    marks: pl.DataFrame
    findings: pl.DataFrame
    span: tuple[datetime, datetime]
    carbon: CarbonFacts | None

    def plant(self, plant_id: str) -> str:
        """A plant as people know it."""
        name = self.names.get(plant_id)
        return f"{name} ({plant_id})" if name else plant_id

    @cached_property
    def warnings(self) -> dict[str, set[str]]:
        """Warnings of each outlet's verdicts, one sentence each."""
        found: dict[str, set[str]] = {}
        for outlet, text in self.headline.select("outlet_id", "warning").iter_rows():
            found.setdefault(outlet, set()).update(text.split("; ") if text else ())
        return found

    @cached_property
    def common_warnings(self) -> set[str]:
        """Warnings that every outlet has, such as that the month has not ended: told once."""
        return set.intersection(*self.warnings.values()) if len(self.warnings) > 1 else set()


def report(home: Home, month: str = "", plants: Sequence[str] = ()) -> tuple[str, str]:
    """(month, page) of the latest release; its newest month unless one is named, all plants unless some are.

    ReleaseError when nothing is published, or nothing of that month or those plants.
    """
    facts = gather(home, month, plants)
    title = "超低排放月报 {} ultra-low-emission report" if facts.runs else "碳排放报告 {} carbon report"
    return facts.month, page(title.format(facts.month), *body(facts))


def gather(home: Home, month: str = "", plants: Sequence[str] = ()) -> Facts:
    """Read what a page needs."""
    release = latest(home.published)
    if release is None:
        raise ReleaseError(f"{home.published.root}: 尚无发布 / nothing is published yet; kiln run publishes")
    tree = _Tree(home, read_manifest(home.published, release.release_id))
    month = _month(tree, month)
    chosen = pl.col("plant_id").is_in(list(plants)) if plants else pl.lit(value=True)
    hours = tree.rows("ule_hourly", month).filter(chosen)
    restated = tree.rows("restatements", release.release_id)
    carbon = gather_carbon(home, tree, month, chosen, restated)
    if not hours.height and carbon is None:
        raise SettingsError(f"{month}: 没有这些企业 / no such plants: {', '.join(plants)}")
    verdicts = tree.rows("ule_monthly", month).filter(chosen)
    places = {
        o: (p, t) for o, p, t in hours.select("outlet_id", "plant_id", "point_type").unique().sort(pl.all()).iter_rows()
    }
    year, number = int(month[:4]), int(month[5:])
    last = date(year, number, monthrange(year, number)[1])
    lines = hours["line_id"].unique().to_list()
    until = hours.select(pl.col("hour").max().dt.offset_by("1h")).item()
    return Facts(
        month=month,
        days=last.day,
        manifest=tree.manifest,
        manifest_sha256=release.manifest_sha256,
        policies=home.rules.policies(last),
        floors=_floors(home, last) if verdicts.height else (),
        names=_names(home, last),
        places=places,
        verdicts=verdicts,
        headline=verdicts.filter(pl.col("policy") == HEADLINE_POLICY),
        runs=_runs(hours),
        last_hours=_last_hours(hours),
        plants=tree.rows("ule_plants", month).filter(chosen, scope="plant", policy=HEADLINE_POLICY),
        mandatory=tree.rows("mandatory_monthly", month).filter(chosen),
        progress=tree.rows("ule_progress", month),
        signals=tree.rows("cems_signals", month).filter(pl.col("outlet_id").is_in(list(places))),
        arrivals=tree.rows("arrivals", ""),
        counts=tree.rows("cems_counts", month),
        restated=restated,
        quarantine=_quarantine(home, tree, month),
        states=tree.rows("process_states", "").filter(pl.col("line_id").is_in(lines)),
        marks=tree.rows("device_marks", "").filter(pl.col("outlet_id").is_in(list(places))),
        findings=tree.rows("findings", "").filter(chosen | pl.col("plant_id").is_null()),
        span=(datetime(year, number, 1), until or datetime.combine(last, time.max)),
        carbon=carbon,
    )


def _month(tree: _Tree, wanted: str) -> str:
    judged, ledgers = tree.keys("ule_hourly"), tree.keys("carbon_line_month")
    months = sorted({*judged, *ledgers})
    release = tree.manifest.release_id
    if not months:
        raise ReleaseError(f"{release}: 没有判定的小时, 也没有台账 / no hours were judged, and there are no ledgers")
    if wanted and wanted not in months:
        raise SettingsError(
            f"{release}: 该月没有判定, 也没有台账 / no hours of {wanted} were judged, and it has no ledgers; "
            f"已有 there are: {', '.join(months)}"
        )
    return wanted or (judged or ledgers)[-1]


def _floors(home: Home, day: date) -> tuple[float, ...]:
    names = ("judgement.insufficient_below_capture_pct", "judgement.warn_below_capture_pct")
    return tuple(float(home.rules.parameter(name, day).value) for name in names)


@dataclass(frozen=True)
class _Tree:
    """The tables of one release."""

    home: Home
    manifest: Manifest

    def keys(self, table: str) -> list[str]:
        """Partition keys of a table that hold rows, sorted."""
        return sorted({f.key for f in self.manifest.files if f.role == TABLE and f.table == table and f.rows})

    def rows(self, table: str, start: str) -> pl.DataFrame:
        """Rows of the files whose key begins with `start`; labels as plain text."""
        published, base = self.home.published, f"releases/{self.manifest.release_id}"
        urls = [
            published.url(f"{base}/{f.path}")
            for f in self.manifest.files
            if f.table == table and f.key.startswith(start)
        ]
        empty = _plain(pl.DataFrame(pl.from_arrow(TABLES[table].empty())))
        if not urls:
            return empty
        found = [_plain(pl.read_parquet(u, storage_options=published.scan_options or None)) for u in sorted(urls)]
        return pl.concat([empty, *found], how="diagonal_relaxed")


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(pl.Categorical).cast(pl.String))


def _runs(hours: pl.DataFrame) -> dict[Series, list[Run]]:
    """Hours of one kind in a row, by outlet and pollutant."""
    reason = pl.col("excluded_reason")
    kind = (
        pl.when(~pl.col("mandatory_ok")).then(pl.lit("over"))
        .when(~pl.col("ok")).then(pl.lit("fail"))
        .when(pl.col("ok") | pl.col("mandatory_ok")).then(pl.lit("ok"))
        .when(reason.is_in(["invalid", "no_data"])).then(reason)
        .when(reason == "not_producing").then(pl.lit("still"))
        # Under the mandatory standard alone an hour without a value has no limit to miss: it stays blank.
        .when((reason == "no_limit") & pl.col("judged_mg_m3").is_null()).then(None)
        .otherwise(pl.lit("exempt"))
    )  # fmt: skip
    start = pl.col("hour").dt.truncate("1mo")
    made = hours.sort("outlet_id", "pollutant", "hour").select(
        "outlet_id", "pollutant", "judged_mg_m3", kind=kind, at=(pl.col("hour") - start).dt.total_hours()
    )
    # Equal kinds in a row keep the difference between hour and row number; a gap in the hours begins a new run.
    place = pl.struct("outlet_id", "pollutant", "kind", pl.col("at") - pl.int_range(pl.len())).rle_id()
    grouped = made.group_by(place.alias("run"), maintain_order=True).agg(
        pl.col("outlet_id", "pollutant", "kind", "at").first(),
        pl.len().alias("n"),
        pl.col("judged_mg_m3").max().alias("most"),
    )
    found: dict[Series, list[Run]] = {}
    for _, outlet, pollutant, name, at, n, most in grouped.iter_rows():
        runs = found.setdefault((outlet, pollutant), [])
        if name is not None:
            runs.append(Run(name, at, n, _told(name, at, n, most)))
    return found


def _told(kind: str, at: int, hours: int, most: float | None) -> str:
    """What a pointer is told of a run; hours within their limit need no words."""
    if kind == "ok":
        return ""
    begin, end = ((f"{t // 24 + 1:02d} 日 {t % 24:02d}:00") for t in (at, at + hours))
    peak = f", 最高 max {most:.4g} mg/m³" if most is not None and kind in {"fail", "over"} else ""
    return f"{begin} – {end} ({hours} h): {' '.join(HOURS[kind])}{peak}"


def _last_hours(hours: pl.DataFrame) -> dict[Series, dict[str, Any]]:
    """What stands at the last hour of each series: limits, and how many hours may still fail."""
    names = ["limit_mg_m3", "mandatory_limit_mg_m3", "fail_budget_hours"]
    ends = hours.sort("hour").group_by("outlet_id", "pollutant").agg(pl.col(names).last())
    return {(r["outlet_id"], r["pollutant"]): {n: r[n] for n in names} for r in ends.iter_rows(named=True)}


def _names(home: Home, day: date) -> dict[str, str]:
    """Names of plants; none where there is no sound registry beside the release, as on a verifier's own machine."""
    try:
        return {p.plant_id: p.name for p in home.registry.plants_at(day)}
    except RegistryError:
        return {}


def _quarantine(home: Home, tree: _Tree, month: str) -> pl.DataFrame:
    """reason, level, n of the month's data days in the lake, for the captures of the release."""
    captures = {a.sha256[:16] for a in tree.manifest.facts.arrivals}
    found = [pl.DataFrame(schema={"reason": pl.String, "level": pl.String, "n": pl.UInt32})]
    for key in (k for k in home.lake.keys("cems_quarantine") if k.startswith(month)):
        table = home.lake.read("cems_quarantine", key, ["reason", "level", "src_file"])
        frame = _plain(pl.DataFrame(pl.from_arrow(table))).filter(pl.col("src_file").is_in(list(captures)))
        found.append(frame.group_by("reason", "level").agg(pl.len().alias("n")))
    whole = pl.concat(found).group_by("reason", "level").agg(pl.col("n").sum())
    return whole.sort("n", "reason", "level", descending=[True, False, False])
