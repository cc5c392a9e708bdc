"""Contract of the signals over long windows.

Belongs here: columns of cems_patterns, which are those of cems_signals. Does not belong here: signals of a day (`cems`), what each
one says (`reference/signals.toml`).
"""

from __future__ import annotations

from contracts.cems import CEMS_SIGNALS
from contracts.core import Table

CEMS_PATTERNS = Table(
    "cems_patterns", "hours", "month", CEMS_SIGNALS.key,
    "长时段信号", "what a person should look at, seen over days and months of hours; a pattern never edits data",
    CEMS_SIGNALS.columns,
    published=True,
)  # fmt: skip
