"""Start or end of the interval: the evidence of each day, and the label used for each device.

Belongs here: making cems_labels, and choosing labels from the last days of it. Does not belong here: the identity itself
(`kernels.labels`), hours and signals.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from assets.fleet import fleet_at
from assets.hour_rules import label_rules, rules_of
from assets.sent_rows import COLUMNS, HOUR, MINUTE, SentRows, Speaker, kernel_rows, sent_rows
from contracts.cems import CEMS_LABELS
from kernels.labels import END, START, Evidence, decide_labels, label_evidence

if TYPE_CHECKING:
    import pyarrow as pa

    from assets.fleet import Fleet
    from assets.hour_rules import LabelRules
    from resources.bench import Bench

#: A day is decided by its own evidence and that of the days before it, this many in all; if that says nothing, by the next day.
EVIDENCE_DAYS = 7

Key = tuple[str, str]


@dataclass(frozen=True)
class Choice:
    """Label used for a device, what the evidence says ("" = nothing) and the counts it says it by."""

    label: str
    said: str
    pairs: int
    fits_start: int
    fits_end: int


def make_labels(bench: Bench, day: str) -> dict[str, pa.Table]:
    """cems_labels of a day: evidence for every registered device that sent minutes or hours, {} when none did."""
    today = date.fromisoformat(day)
    fleet = fleet_at(bench.registry(today, today), today)
    book = bench.rules(today, today)
    minutes = sent_rows([bench.table("cems_minute", day, COLUMNS)], MINUTE)
    hours = sent_rows([bench.table("cems_reported", day, COLUMNS)], HOUR)
    sent = {(run.outlet_id, run.mn) for rows in (minutes, hours) if rows for run in rows.runs}
    keys = sorted(key for key in sent if key in fleet.devices and key[0] in fleet.index)
    if not keys:
        return {}
    evidence = label_evidence(
        kernel_rows(minutes, _by_device(minutes, keys, fleet), len(keys), today),
        kernel_rows(hours, _by_device(hours, keys, fleet), len(keys), today),
        rules_of(book, today).classes,
        label_rules(book, today).tolerance,
    )
    columns = {"outlet_id": [key[0] for key in keys], "mn": [key[1] for key in keys], **evidence._asdict()}
    return {"cems_labels": CEMS_LABELS.arrow(columns)}


def _by_device(sent: SentRows | None, keys: list[Key], fleet: Fleet) -> list[Speaker | None]:
    """Who speaks in each run, by position in `keys`; labels are what is asked, so none is assumed."""
    at = {key: i for i, key in enumerate(keys)}
    runs = [(run.outlet_id, run.mn) for run in sent.runs] if sent else []
    return [Speaker(fleet.devices[key], at[key], "", None) if key in at else None for key in runs]


def choose_labels(bench: Bench, fleet: Fleet, rules: LabelRules) -> dict[Key, Choice]:
    """The label of every device in force: the device row's, or for `auto` what the evidence says, else the fallback.

    Evidence from before the device row was in force speaks of another setting and is left out.
    """
    keys = sorted(fleet.devices)
    counts = _evidence(bench, fleet, keys, range(EVIDENCE_DAYS))
    verdicts = decide_labels(Evidence(*counts.T), rules.min_pairs, rules.min_share)
    open_cases = np.array([fleet.devices[key].label == "auto" for key in keys], np.bool_) & (verdicts == 0)
    if open_cases.any():
        # The first day of a home knows nothing yet: the day after may, and a record at midnight must not fall between two labels.
        counts[open_cases] += _evidence(bench, fleet, keys, range(-1, 0))[open_cases]
        verdicts = decide_labels(Evidence(*counts.T), rules.min_pairs, rules.min_share)
    names = {int(START): "start", int(END): "end"}
    made = {}
    for key, verdict, (pairs, start, end) in zip(keys, verdicts.tolist(), counts.tolist(), strict=True):
        said = names.get(verdict, "")
        own = fleet.devices[key].label
        made[key] = Choice(said or rules.fallback if own == "auto" else own, said, pairs, start, end)
    return made


def _evidence(
    bench: Bench, fleet: Fleet, keys: list[Key], back_to: range
) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """Counts summed up per device over the days that lie so many days back, shape (devices, 3)."""
    at = {key: i for i, key in enumerate(keys)}
    counts = np.zeros((len(keys), 3), np.int32)
    for back in back_to:
        day = fleet.day - timedelta(days=back)
        table = bench.table("cems_labels", str(day))
        if table is None:
            continue
        columns = [table.column(name).to_pylist() for name in CEMS_LABELS.names]
        for outlet_id, mn, *row in zip(*columns, strict=True):
            key = (outlet_id, mn)
            if key in at and fleet.devices[key].valid_from <= day:
                counts[at[key]] += row
    return counts
