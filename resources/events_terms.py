"""Parameters of the rule book that declarations are measured by, looked up once a day.

Belongs here: when a declaration is due, which state is the stricter, caps, and what looks implausible. Does not belong here: the
numbers (`reference/rules/declarations.toml`, `policies.toml`) and measuring (`events_*`).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from contracts.events import STATES
from resources.rules_rows import RuleError

if TYPE_CHECKING:
    from resources.rules import RuleBook

#: States whose exemption is capped.
CAPPED = ("cold_start", "hot_start", "shutdown")


class Terms:
    """The parameters in force on a day."""

    def __init__(self, rules: RuleBook) -> None:
        self._rules = rules
        self._numbers: dict[tuple[str, date], float | None] = {}
        self._orders: dict[date, dict[str, int]] = {}
        self._dues: dict[date, datetime] = {}

    def due(self, start: datetime) -> datetime:
        """Until when what starts then has to be declared: an hour of the next day."""
        day = start.date()
        if day not in self._dues:
            hours = self._number("declarations.due_hour", day)
            self._dues[day] = datetime.combine(day, time()) + timedelta(days=1, hours=hours)
        return self._dues[day]

    def late(self, start: datetime, declared_at: datetime | None) -> bool:
        """Declared after it was due, or nobody knows when."""
        return declared_at is None or declared_at > self.due(start)

    def ahead_days(self, day: date) -> float:
        """A start this many days after its declaration is as yet plausible."""
        return self._number("declarations.ahead_days", day)

    def long_days(self, day: date) -> float:
        """An event of so many days is as yet plausible."""
        return self._number("declarations.long_days", day)

    def cap_h(self, state: str, day: date) -> float | None:
        """Hours within which a start or stop is exempt; None for other states, and before there was a cap."""
        if state not in CAPPED:
            return None
        name = f"caps.{state}_h"
        if (name, day) not in self._numbers:
            try:
                self._numbers[name, day] = float(self._rules.parameter(name, day).value)
            except RuleError:
                self._numbers[name, day] = None
        return self._numbers[name, day]

    def rank(self, state: str, day: date) -> int:
        """Place of a state from strict to lenient; where several are declared the lowest holds. RuleError for a bad list."""
        if day not in self._orders:
            listed = [s.strip() for s in str(self._rules.parameter("states.precedence", day).value).split(",")]
            if sorted(listed) != sorted(STATES):
                raise RuleError(
                    f"states.precedence: 须恰好列出 must list exactly {', '.join(STATES)}; 现为 it is {', '.join(listed)}"
                )
            self._orders[day] = {name: n for n, name in enumerate(listed)}
        return self._orders[day][state]

    def _number(self, name: str, day: date) -> float:
        value = self._numbers.get((name, day))
        if value is None:
            value = self._numbers[name, day] = float(self._rules.parameter(name, day).value)
        return value
