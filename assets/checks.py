"""Checks of what was made: the promises of design 5 as data, each with an id, a severity and a verdict.

Belongs here: checks over finished partitions, run after their product and again before a release. Does not belong here:
schema, range and key checks (`contracts`, held at every write) and signals about the measured data (`assets/hours.py`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow.compute as pc

from assets.checks_carbon import carbon_months_add_up, carbon_years_add_up
from assets.checks_mass import months_add_up, years_add_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pyarrow as pa

    from resources.home import Home
    from resources.segments import Record


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found over some keys. `problems` are whole sentences, the first of which people see."""

    check: str
    table: str
    blocking: bool
    problems: tuple[str, ...]
    facts: dict[str, int | float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Nothing was found."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Check:
    """One check: `run` returns problems and facts for the given partition keys of its table."""

    id: str
    table: str
    blocking: bool
    zh: str
    en: str
    run: Callable[[Home, list[str]], tuple[list[str], dict[str, int | float]]]

    def verdict(self, home: Home, keys: Iterable[str]) -> Verdict:
        """Run over `keys`."""
        problems, facts = self.run(home, sorted(keys))
        return Verdict(self.id, self.table, self.blocking, tuple(problems), facts)


def _bytes_conserved(home: Home, _keys: list[str]) -> tuple[list[str], dict[str, int | float]]:
    problems = []
    facts: dict[str, int | float] = {"text_bytes": 0, "accepted_bytes": 0, "quarantined_bytes": 0, "noise_bytes": 0}
    for arrival in home.intake.inputs():
        record = arrival.record
        if record is None:
            continue
        parts = record.accepted_bytes + record.quarantined_bytes + record.noise_bytes
        # A workbook's bytes are packed: of it and of Parquet the lines must add up.
        if record.kind in ("hj212", "csv") and parts != record.text_bytes:
            problems.append(f"{arrival.path}: {record.text_bytes} bytes came, {parts} are accounted for")
        if (lines := record.lines_data + record.lines_refused + record.lines_other) != record.lines:
            problems.append(f"{arrival.path}: {record.lines} lines came, {lines} are accounted for")
        by_kind = record.frames_minute + record.frames_reported + record.frames_other
        if (
            by_kind != record.frames_accepted
            or sum(map(record.frames_of, record.rows)) != record.frames_minute + record.frames_reported
        ):
            problems.append(f"{arrival.path}: {record.frames_accepted} frames accepted, {by_kind} by kind")
        for name in facts:
            facts[name] += getattr(record, name)
    return problems, facts


def _rows_conserved(home: Home, keys: list[str]) -> tuple[list[str], dict[str, int | float]]:
    """Frames accepted for the day = rows + joined + identical + superseded, and the rows are really in the files."""
    problems: list[str] = []
    facts: dict[str, int | float] = {
        "frames": 0,
        "rows": 0,
        "joined": 0,
        "identical": 0,
        "superseded": 0,
        "quarantined": 0,
    }
    for day in keys:
        counts = home.lake.read("cems_counts", day)
        if counts is None:
            problems.append(f"{day}: raw tables without counts")
            continue
        sums = {n: _sum(counts, n) for n in ("frames", "rows", "joined", "identical", "superseded")}
        came = sum(a.record.frames_of(day) for a in home.intake.of_day(day) if a.record)
        became = sums["rows"] + sums["joined"] + sums["identical"] + sums["superseded"]
        lying = sum(p.rows for t in ("cems_minute", "cems_reported") if (p := home.lake.partition(t, day)))
        if not came == sums["frames"] == became:
            problems.append(
                f"{day}: {came} frames were read for the day, {sums['frames']} counted, {became} accounted for"
            )
        if lying != sums["rows"]:
            problems.append(f"{day}: {sums['rows']} rows were counted, {lying} lie in the files")
        problems += _quarantine_conserved(home, day)
        facts = {n: facts[n] + sums.get(n, 0) for n in facts}
    facts["quarantined"] = sum(a.record.frames_quarantined for a in home.intake.inputs() if a.record)
    return problems, facts


def _quarantine_conserved(home: Home, day: str) -> list[str]:
    """Every quarantined frame of the captures that are whole within the keys at hand lies in the quarantine, to the byte."""
    table = home.lake.read("cems_quarantine", day, ["level", "content", "src_file"])
    if table is None:
        return [f"{day}: raw tables without a quarantine"]
    due: dict[str, list[Record]] = {}
    for a in home.intake.of_day(day):
        if a.record:
            due.setdefault(a.sha256[:16], []).append(a.record)
    single = {
        file: sum(r.quarantined_bytes for r in rs) for file, rs in due.items() if all(r.touched == {day} for r in rs)
    }
    frame = pl.DataFrame(pl.from_arrow(table)).filter(pl.col("level") == "frame")
    sizes = dict(frame.group_by(pl.col("src_file").cast(pl.String)).agg(pl.col("content").bin.size().sum()).iter_rows())
    return [
        f"{day}: {came} bytes of {file} were quarantined, {sizes.get(file, 0)} are kept"
        for file, came in single.items()
        if sizes.get(file, 0) != came
    ]


def _sum(table: pa.Table, name: str) -> int:
    return int(pc.sum(table.column(name)).as_py() or 0)


def _hours_complete(home: Home, keys: list[str]) -> tuple[list[str], dict[str, int | float]]:
    """24 hours for each outlet and pollutant, and no value without 45 valid minutes."""
    problems: list[str] = []
    facts: dict[str, int | float] = {"hours": 0, "valid": 0}
    for day in keys:
        table = home.lake.read("cems_hourly", day, ["outlet_id", "pollutant", "hour", "judged_mg_m3", "null_reason"])
        if table is None:
            continue
        frame = pl.DataFrame(pl.from_arrow(table))
        short = frame.group_by("outlet_id", "pollutant").agg(pl.col("hour").n_unique()).filter(pl.col("hour") != 24)
        problems += [f"{day}: {o} {p} has {n} hours instead of 24" for o, p, n in short.sort("outlet_id").iter_rows()]
        silent = frame.filter(pl.col("judged_mg_m3").is_null() & pl.col("null_reason").is_null()).height
        if silent:
            problems.append(f"{day}: {silent} hours are empty without a reason")
        facts["hours"] += frame.height
        facts["valid"] += frame.height - frame["judged_mg_m3"].null_count()
    return problems, facts


def _verdicts_add_up(home: Home, keys: list[str]) -> tuple[list[str], dict[str, int | float]]:
    """Ok + fail = judged, the integer 95 % test gives the verdict, one hour above the standard its own, outlets those of plants."""
    problems: list[str] = []
    facts: dict[str, int | float] = dict.fromkeys(("PASS", "FAIL", "INSUFFICIENT", "NO_PRODUCTION"), 0)
    for month in keys:
        table = home.lake.read("ule_monthly", month)
        if table is None:
            continue
        frame = pl.DataFrame(pl.from_arrow(table))
        wrong = frame.filter(
            (pl.col("ok_hours") + pl.col("fail_hours") != pl.col("judged_hours"))
            | (pl.col("judged_hours") > pl.col("production_hours"))
            | (pl.col("allowed_fail_hours") != 5 * pl.col("judged_hours") // 100)
            | ((pl.col("verdict") == "PASS") & (100 * pl.col("ok_hours") < 95 * pl.col("judged_hours")))
            | ((pl.col("verdict") == "FAIL") & (100 * pl.col("ok_hours") >= 95 * pl.col("judged_hours")))
            | (pl.col("mandatory_fail_hours") > pl.col("mandatory_hours"))
            | (pl.col("mandatory_hours") > pl.col("judged_hours"))
            | (pl.col("mandatory_verdict").is_null() & (pl.col("mandatory_hours") > 0))
            | ((pl.col("mandatory_verdict") == "PASS") & (pl.col("mandatory_hours") == 0))
            | (pl.col("mandatory_verdict").eq_missing("FAIL") != (pl.col("mandatory_fail_hours") > 0))
        )
        problems += [
            f"{month}: {r['outlet_id']} {r['pollutant']} {r['policy']} does not add up: {r['ok_hours']} ok and "
            f"{r['fail_hours']} failing of {r['judged_hours']} judged, verdict {r['verdict']}"
            for r in wrong.iter_rows(named=True)
        ]
        problems += _plants_add_up(home, month)
        headline = frame.filter(pl.col("policy") == "include_all_fuel_on")
        for verdict, n in headline.group_by(pl.col("verdict").cast(pl.String)).len().iter_rows():
            facts[verdict] += n
    return problems, facts


def _plants_add_up(home: Home, month: str) -> list[str]:
    """The verdict of a plant or line follows from how many of its outlets pass, fail and so on."""
    table = home.lake.read("ule_plants", month)
    if table is None:
        return [f"{month}: monthly verdicts without those of plants"]
    counts = [pl.col(f"{v}_outlets") for v in ("fail", "insufficient", "no_production", "pass")]
    failing, thin, still, _ = counts
    due = (
        pl.when(failing > 0).then(pl.lit("FAIL"))
        .when(thin > 0).then(pl.lit("INSUFFICIENT"))
        .when(still == pl.col("outlets")).then(pl.lit("NO_PRODUCTION"))
        .otherwise(pl.lit("PASS"))
    )  # fmt: skip
    frame = pl.DataFrame(pl.from_arrow(table))
    wrong = frame.filter((pl.col("verdict").cast(pl.String) != due) | (pl.sum_horizontal(counts) != pl.col("outlets")))
    return [
        f"{month}: {r['scope']} {r['scope_id']} {r['policy']} {r['combine']} does not add up: {r['outlets']} outlets, verdict "
        f"{r['verdict']}"
        for r in wrong.iter_rows(named=True)
    ]


CHECKS: tuple[Check, ...] = (
    Check("bytes_conserved", "arrivals", True, "字节守恒", "every byte of every capture is accepted, quarantined or noise", _bytes_conserved),
    Check("rows_conserved", "cems_minute", True, "报文守恒", "every accepted frame is a row, joined, identical or superseded", _rows_conserved),
    Check("hours_complete", "cems_hourly", True, "小时完整", "24 hours a day, and no empty value without its reason", _hours_complete),
    Check("verdicts_add_up", "ule_monthly", True, "判定自洽", "monthly counts and the 95 % test agree", _verdicts_add_up),
    Check("mass_adds_up", "emissions_monthly", True, "排放量守恒", "hours make days and days make months, measured and substituted", months_add_up),
    Check("years_add_up", "emissions_annual", True, "年排放量守恒", "months make years, and no quarter below the floor is substituted", years_add_up),
    Check("carbon_months_add_up", "carbon_line_month", True, "月度碳排放守恒", "sources make the sums of lines; no sum over a missing value", carbon_months_add_up),
    Check("carbon_years_add_up", "carbon_line_year", True, "年度碳排放守恒", "months make years, lines make entities, and no draft is fit for filing", carbon_years_add_up),
)  # fmt: skip


def checks_of(tables: Iterable[str]) -> list[Check]:
    """Checks of any of the tables."""
    wanted = set(tables)
    return [c for c in CHECKS if c.table in wanted]


def as_metadata(verdict: Verdict) -> dict[str, Any]:
    """A verdict's facts and first problems for a person."""
    first = {"first": "; ".join(verdict.problems[:5])} if verdict.problems else {}
    return {**verdict.facts, "problems": len(verdict.problems), **first}


def settle(home: Home, check: Check) -> Verdict:
    """The verdict over every partition of the check's table. A partition found sound is not looked at again until it moves."""
    memory = f"checks/{check.id}.json"
    store = home.lake.storage
    sound: dict[str, str] = json.loads(store.read(memory)) if store.exists(memory) else {}
    versions = {key: _standing(home, check, key) for key in home.lake.keys(check.table)}
    moved = [k for k, v in versions.items() if sound.get(k) != v]
    problems, facts = check.run(home, moved)
    if not problems:
        store.write(memory, json.dumps(versions, sort_keys=True).encode())
    return Verdict(
        check.id,
        check.table,
        check.blocking,
        tuple(problems),
        {**facts, "partitions": len(versions), "looked_at": len(moved)},
    )


def _standing(home: Home, check: Check, key: str) -> str:
    partition = home.lake.partition(check.table, key)
    inputs = json.dumps([partition.version, partition.inputs], sort_keys=True) if partition else ""
    return hashlib.sha256(inputs.encode()).hexdigest()[:32]
