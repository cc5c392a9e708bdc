"""Writing rows of signals: one row an episode, both texts filled, thresholds looked up.

Belongs here: what cems_signals and cems_patterns have in common. Does not belong here: finding signals (`hour_signals` and the
other `signal_*` modules, `patterns`), texts and severities (`reference/signals.toml`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from assets.hour_rules import number
from resources.signals import load_signals

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    from contracts.core import Table
    from resources.rules import RuleBook
    from resources.signals import Signal

    Bools = NDArray[np.bool_]

DAY_MINUTES = 1440


@dataclass(frozen=True)
class Writer:
    """Collects rows of `table`. `origin`: the day whose midnight minutes count from; thresholds are those in force on `day`."""

    table: Table
    book: RuleBook
    day: date
    origin: date
    catalogue: dict[str, Signal] = field(default_factory=load_signals)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def number(self, name: str) -> float:
        """A parameter in force; names without a point are those of the signals."""
        return number(self.book, name if "." in name else f"signals.{name}", self.day)

    def threshold(self, signal_id: str) -> float | None:
        """The threshold in force, None where the signal has none."""
        name = self.catalogue[signal_id].threshold
        return number(self.book, name, self.day) if name else None

    def add(self, signal_id: str, outlet_id: str, span: tuple[int, int] = (0, DAY_MINUTES), *, channel: str = "",
            value: float | None = None, threshold: float | None = None, **figures: float | str) -> None:  # fmt: skip
        """One row; `span` is [first, end) in minutes since the origin's midnight. Figures fill the texts."""
        signal = self.catalogue[signal_id]
        limit = self.threshold(signal_id) if threshold is None else threshold
        known = {"hours": (span[1] - span[0]) // 60, "value": value, "threshold": limit, **figures}
        zh, en = signal.texts(**{name: figure for name, figure in known.items() if figure is not None})
        midnight = datetime(self.origin.year, self.origin.month, self.origin.day)
        start, end = (midnight + timedelta(minutes=m) for m in span)
        self.rows.append({
            "outlet_id": outlet_id, "signal_id": signal_id, "pollutant": channel, "start": start, "end": end,
            "severity": signal.severity, "value": value, "threshold": limit, "text_zh": zh, "text_en": en,
        })  # fmt: skip

    def arrow(self) -> pa.Table:
        """The rows under the contract of the table, in its order."""
        if not self.rows:
            return self.table.empty()
        return self.table.arrow({name: [row[name] for row in self.rows] for name in self.table.names})


def episodes(mask: Bools) -> Iterator[tuple[int, int, int]]:
    """Row, first column and end (exclusive) of every unbroken stretch of True in an array of (rows, columns)."""
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1)
    rows, first = np.nonzero(steps == 1)
    _, end = np.nonzero(steps == -1)
    yield from zip(rows.tolist(), first.tolist(), end.tolist(), strict=True)


def hours(first: int, end: int) -> tuple[int, int]:
    """Hours [first, end) as minutes."""
    return first * 60, end * 60
