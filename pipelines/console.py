"""What a run says on the terminal: its own words, one line each, without the machinery's.

Belongs here: the console logger of runs started by `kiln`. Does not belong here: what is said.
"""

from __future__ import annotations

import logging
import sys

import dagster as dg


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        meta = getattr(record, "dagster_meta", None) or {}
        text = meta.get("orig_message") or record.getMessage()
        mark = "" if record.levelno < logging.WARNING else f"{record.levelname}: "
        return f"{self.formatTime(record, '%H:%M:%S')} {mark}{text}"


class _OwnWords(logging.Filter):
    """Lets through what steps say, not the events of the engine nor its word on every step after one that failed."""

    def filter(self, record: logging.LogRecord) -> bool:
        meta = getattr(record, "dagster_meta", None) or {}
        text = str(meta.get("orig_message") or "")
        return not meta.get("dagster_event") and not text.startswith("Dependencies for step ")


def _plain(_context: dg.InitLoggerContext) -> logging.Logger:
    """Messages of steps on stderr, INFO and above."""
    made = logging.Logger("kiln", logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain())
    handler.addFilter(_OwnWords())
    made.addHandler(handler)
    return made


plain_logger = dg.LoggerDefinition(_plain, description="plain words of a run")
