"""Reading landing/events and settling what is declared there.

Belongs here: from CSV files to an `EventBook` with its findings. Does not belong here: the book itself (`events`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.events import EventBook

if TYPE_CHECKING:
    from resources.registry import Registry
    from resources.rules import RuleBook
    from resources.storage import Storage


def read_events(landing: Storage, registry: Registry, rules: RuleBook) -> EventBook:  # noqa: ARG001
    """The events of a home."""
    if landing.list("events"):
        raise NotImplementedError("landing/events")
    return EventBook()
