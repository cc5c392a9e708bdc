"""Runs as a person starts them: the nightly job in this process, the plan, the simulation, the demo.

Belongs here: driving the same definitions as the UI, and saying in a few lines what came of it. Does not belong here:
options and exit codes (`pipelines/cli.py`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.products import PRODUCTS, reasons
from contracts.ule import HEADLINE_POLICY
from pipelines.night import NightConfig, keys_in, window
from resources.home import Home
from resources.registry import RegistryError
from resources.releases import latest
from resources.rules import RuleError
from resources.storage import StorageError

if TYPE_CHECKING:
    from datetime import date

    import dagster as dg

    from resources.settings import Settings

DONE, BLOCKED, USAGE, REFUSED = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended: exit code, facts, and the same in words."""

    code: int
    data: dict[str, Any]
    text: str


def run_night(
    settings: Settings, *, first: str = "", last: str = "", everything: bool = False, publish: bool = True
) -> RunOutcome:
    """Run the nightly job here and now, with its events in the home's Dagster instance."""
    refusal = _refused_home(settings)
    if refusal:
        return refusal
    from pipelines.definitions import build_defs
    from pipelines.instance import open_instance

    begun = time.perf_counter()
    since = datetime.now(UTC).isoformat(timespec="seconds")
    config = {"first": first, "last": last, "everything": everything, "publish": publish}
    job = build_defs(settings=settings).get_job_def("nightly")
    steps = {node.name: {"config": config} for node in job.nodes}
    with open_instance(settings.home) as instance:
        result = job.execute_in_process(
            run_config={"ops": steps, "resources": {"home": {"config": {"home": settings.home}}}, "loggers": {"console": {}}},
            instance=instance, raise_on_error=False,
        )  # fmt: skip
    seconds = time.perf_counter() - begun
    problems = [_why(e) for e in result.all_events if e.is_step_failure]
    home = Home(settings)
    facts = summary(home)
    refused = [a.path for a in home.intake.arrivals() if a.state == "refused" and a.first_seen >= since]
    data = {"ok": result.success, "seconds": round(seconds, 2), "problems": problems, "refused": refused, **facts}
    code = BLOCKED if not result.success else REFUSED if refused else DONE
    return RunOutcome(code, data, "\n".join([*in_words(facts), *problems, f"用时 took {seconds:.1f} s"]))


def _why(event: dg.DagsterEvent) -> str:
    error = event.step_failure_data.error
    while error and error.cause:
        error = error.cause
    return f"{event.step_key}: {error.message.strip() if error else 'failed'}"


def _refused_home(settings: Settings) -> RunOutcome | None:
    """Nothing can be done without a sound registry and rule book: every mistake in them at once."""
    try:
        home = Home(settings)
        _ = home.registry, home.rules
    except (RegistryError, RuleError, StorageError) as error:
        return RunOutcome(REFUSED, {"ok": False, "problems": str(error).splitlines()}, str(error))
    return None


def summary(home: Home) -> dict[str, Any]:
    """What stands in a home: captures, frames, hours, verdicts of the newest month, the latest release."""
    inputs = [a.record for a in home.intake.inputs() if a.record]
    refused = [(a.path, a.reason) for a in home.intake.arrivals() if a.state == "refused"]
    months = home.lake.keys("ule_monthly")
    found: dict[str, Any] = {
        "captures": len(inputs),
        "text_mb": round(sum(r.text_bytes for r in inputs) / 1e6, 1),
        "frames_accepted": sum(r.frames_accepted for r in inputs),
        "frames_quarantined": sum(r.frames_quarantined for r in inputs),
        "refused_files": [f"{p}: {r}" for p, r in refused],
        "days": len(home.lake.keys("cems_hourly")),
        "month": months[-1] if months else None,
        "verdicts": _verdicts(home, months[-1]) if months else [],
    }
    release = latest(home.published)
    found["release"] = release.release_id if release else None
    found["release_path"] = (
        home.published.url("latest" if home.published.local_path() else release.path) if release else None
    )
    return found


def _verdicts(home: Home, month: str) -> list[dict[str, Any]]:
    table = home.lake.read("ule_monthly", month)
    frame = pl.DataFrame(pl.from_arrow(table)) if table is not None else pl.DataFrame()
    wanted = ["outlet_id", "pollutant", "verdict", "share_pct", "fail_hours", "allowed_fail_hours", "capture_pct"]
    headline = frame.filter(pl.col("policy") == HEADLINE_POLICY).select(wanted) if frame.height else frame
    return (
        headline.sort(pl.col("outlet_id").cast(pl.String), pl.col("pollutant").cast(pl.String)).to_dicts()
        if headline.height
        else []
    )


def in_words(facts: dict[str, Any]) -> list[str]:
    """The summary as a person reads it."""
    lines = [
        (
            f"报文文件 captures {facts['captures']} ({facts['text_mb']} MB): "
            f"接收 accepted {facts['frames_accepted']:,} 帧 frames, 隔离 quarantined {facts['frames_quarantined']:,}"
        )
    ]
    lines += [f"拒收 refused {text}" for text in facts["refused_files"]]
    if facts["month"]:
        counts: dict[str, int] = {}
        for v in facts["verdicts"]:
            counts[v["verdict"]] = counts.get(v["verdict"], 0) + 1
        told = ", ".join(f"{k} {n}" for k, n in sorted(counts.items()))
        none = "无 none (当时没有生效的超低排放限值 no ultra-low limit was in force)"
        lines.append(
            f"小时数据 hours of {facts['days']} 天 days; {facts['month']} 超低排放判定 ULE verdicts: {told or none}"
        )
        lines += [
            f"  {v['outlet_id']} {v['pollutant']}: {v['verdict']}, 达标率 share {v['share_pct']:.2f} %, "
            f"超标 failing {v['fail_hours']} h (允许 allowed {v['allowed_fail_hours']} h)"
            for v in [v for v in facts["verdicts"] if v["verdict"] == "FAIL"][:10]
        ]
    if facts["release"]:
        lines.append(f"发布 release {facts['release']}: {facts['release_path']}")
    return lines


def plan_run(settings: Settings) -> tuple[dict[str, Any], str]:
    """What `kiln run --all` would read and make, and why. Tables below a stale one may follow; they are named too."""
    refusal = _refused_home(settings)
    if refusal:
        return refusal.data, refusal.text
    home = Home(settings)
    pending = home.intake.pending()
    span = window(home, NightConfig(everything=True))
    stale = {p.name: {k: why for k in keys_in(home, p, span) if (why := reasons(home, p, k))} for p in PRODUCTS}
    lines = [f"待读 to read: {len(pending)} files, {sum(e.size for e in pending) / 1e6:.1f} MB"]
    lines += [f"  {e.key}" for e in pending[:20]]
    for name, keys in stale.items():
        lines.append(f"{name}: {len(keys)} 个分区待算 keys to make")
        lines += [f"  {key}: {', '.join(why[:4])}" for key, why in list(keys.items())[:20]]
    lines.append(
        "下游分区只在上游内容确有变化时重算 / what lies further down is made anew only if the bytes above really move"
    )
    return {"to_read": [e.key for e in pending], "stale": stale}, "\n".join(lines)


def simulate_home(settings: Settings, *, outlets: int, first: date, days: int, seed: int, dirt: str) -> str:
    """Write a synthetic registry, landing zone and truth into a local home."""
    from pathlib import Path

    from simulator import Dirt, simulate

    kinds = {"none": Dirt.none, "default": Dirt.default, "heavy": Dirt.heavy}
    made = simulate(Path(settings.home), outlets=outlets, first=first, days=days, seed=seed, dirt=kinds[dirt]())
    return f"模拟 simulated {outlets} 排放口 outlets x {days} 天 days in {settings.home} ({made.bytes / 1e6:.1f} MB)"


def run_demo(settings: Settings) -> RunOutcome:
    """The whole way on invented plants: simulate, run, publish, and show where to look."""
    from datetime import date

    told = simulate_home(settings, outlets=8, first=date(2026, 11, 1), days=10, seed=7, dirt="default")
    outcome = run_night(settings, everything=True)
    tables = f"{settings.home}/published/latest/ule_monthly/*.parquet"
    look = f"看一看 look: python -c \"import polars as pl; print(pl.read_parquet('{tables}'))\""
    where = [told, outcome.text, look]
    return RunOutcome(outcome.code, outcome.data, "\n".join(where))
