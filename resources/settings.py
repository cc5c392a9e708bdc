"""Where a home lies and the few switches of a run.

Belongs here: names and defaults of environment variables. Does not belong here: limits, factors and thresholds
(`reference`), facts about plants (`registry/`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsError(Exception):
    """A setting cannot be used; the message names the variable, its value and the remedy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One run's settings; `from_env` reads KILN_<NAME> for each field."""

    home: str = "./kiln-home"
    registry: str = ""
    landing: str = ""
    lake: str = ""
    published: str = ""
    #: First local day the pipeline knows; the partition sets start here and earlier DataTimes are quarantined.
    window_from: date = date(2014, 1, 1)
    #: First local day beyond what a DataTime may be; a frame with a QN may besides not lie a day ahead of it.
    window_to: date = date(2100, 1, 1)
    #: Days that the nightly job looks at again.
    nightly_days: int = 35
    threads: int = 2

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **overrides: str | int | None) -> Settings:
        """Settings from KILN_* variables; keyword arguments that are not None win. Raises SettingsError."""
        given = os.environ if environ is None else environ
        made: dict[str, object] = {}
        for field in fields(cls):
            name = f"KILN_{field.name.upper()}"
            value = overrides.get(field.name)
            raw = given.get(name) if value is None else str(value)
            if raw is not None and raw != "":
                made[field.name] = _typed(name, raw, field.default)
        return cls(**made)  # type: ignore[arg-type]

    def place(self, name: str) -> str:
        """URL of `registry`, `landing`, `lake` or `published`: its own setting, else below the home."""
        own: str = getattr(self, name)
        return own or f"{self.home.rstrip('/')}/{name}"


def _typed(name: str, raw: str, default: object) -> object:
    try:
        if isinstance(default, date):
            return date.fromisoformat(raw)
        if isinstance(default, int):
            return _count(raw)
    except ValueError as error:
        raise SettingsError(
            f"{name}={raw!r} cannot be used ({error}); a value such as {default} is expected"
        ) from error
    return raw


def _count(raw: str) -> int:
    if int(raw) < 1:
        raise ValueError("must be at least 1")
    return int(raw)
