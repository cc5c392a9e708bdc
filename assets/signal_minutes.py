"""Signals over minutes: what the minute checks of the hour kernel found, and states that the readings contradict.

Belongs here: thresholds laid out for the kernel, its episodes as rows, A13. Does not belong here: the checks (`kernels/signal_*`),
hours against the loggers' own (`signal_reported`), devices (`signal_devices`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assets.hour_rules import number
from assets.signal_writer import episodes, hours
from contracts.events import STATES
from kernels.minutes import CHANNEL_ORDER
from kernels.signal_episodes import N_SCANNED, O2_LOW, PLACEHOLDER, SignalRules
from kernels.signal_patterns import long_runs
from resources.rules import RuleError

if TYPE_CHECKING:
    from datetime import date

    from assets.hour_day import HourDay
    from assets.signal_writer import Writer
    from resources.rules import RuleBook

#: Signals in the order of the checks' numbers (`kernels/signal_episodes.py`: FLAT = 0 and so on).
_IDS = (
    "A01_flat_line",
    "A02_equal_readings",
    "A03_zero_or_below",
    "A03_placeholder",
    "A06_step",
    "A07_o2_low",
    "A08_dilution",
)
_STOPPED, _RUNNING = STATES.index("stopped"), STATES.index("running")


def doubts_of(book: RuleBook, day: date) -> SignalRules:
    """Thresholds of the minute checks in force on a day."""

    def own(name: str) -> float:
        return number(book, f"signals.{name}", day)

    span = own("span_of_mean")
    floor = np.zeros(N_SCANNED)
    floor[: CHANNEL_ORDER.index("o2")] = own("floor_mg_m3")
    return SignalRules(
        flat_minutes=int(own("flat_minutes")),
        flat_share=own("flat_span_pct") / 100 * span,
        floor=floor,
        equal_minutes=int(own("equal_minutes")),
        least_records=int(own("least_records")),
        zero_minutes=int(own("zero_minutes")),
        placeholders=_listed(book, "signals.placeholders", day),
        step_mads=own("step_mads"),
        step_share=own("step_span_pct") / 100 * span,
        o2_low_pct=own("o2_low_pct"),
        o2_low_minutes=int(own("o2_low_minutes")),
        rise_pct=own("dilution_rise_pct"),
        follow=own("dilution_follow"),
        slope_apart=own("dilution_apart_pct") / 100,
        least_gases=int(own("dilution_gases")),
        near_air_pct=number(book, "o2.near_air_above_pct", day),
        idle_velocity=own("idle_velocity_m_s"),
        merge_minutes=int(own("merge_minutes")),
        least_minutes=int(number(book, "hours.min_valid_minutes", day)),
    )


def _listed(book: RuleBook, name: str, day: date) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A parameter that lists numbers; RuleError where it does not."""
    text = book.parameter(name, day).value
    try:
        return np.array([float(part) for part in str(text).split(",")])
    except ValueError as error:
        raise RuleError(
            f"参数 {name} 应为以逗号分隔的数 / parameter {name} must list numbers, not {text!r}; correct it in reference/rules"
        ) from error


def minute_episodes(writer: Writer, day: HourDay) -> None:
    """A01, A02, A03, A06, A07 and A08 as the kernel found them."""
    found = day.hours.signals
    for i in np.flatnonzero(found.count).tolist():
        outlet_id = day.fleet.outlets[i].outlet_id
        for k in range(int(found.count[i])):
            check = int(found.check[i, k])
            limit = None if check == PLACEHOLDER else float(found.limit[i, k])
            writer.add(
                _IDS[check], outlet_id, (int(found.first[i, k]), int(found.end[i, k])),
                channel=CHANNEL_ORDER[found.channel[i, k]], value=float(found.value[i, k]), threshold=limit,
                minutes=int(found.minutes[i, k]), reading=float(found.reading[i, k]),
            )  # fmt: skip


def contradictions(writer: Writer, day: HourDay) -> None:
    """A13: declared stopped with the readings of a running kiln, and the other way round. Oxygen has to be there."""
    shown = day.hours.signals
    hot, cold = writer.number("stopped_temperature_from_c"), writer.number("idle_temperature_below_c")
    idle = writer.number("idle_velocity_m_s")
    no_temperature, no_velocity = np.isnan(shown.temperature), np.isnan(shown.velocity)
    runs = (shown.o2 < writer.number("stopped_o2_below_pct")) & (no_temperature | (shown.temperature >= hot))
    runs &= no_velocity | (shown.velocity > idle)
    stands = (shown.o2 >= writer.number("idle_o2_from_pct")) & ~(no_temperature & no_velocity)
    stands &= (no_temperature | (shown.temperature < cold)) & (no_velocity | (shown.velocity <= idle))
    # Only where a converted value rests on it does oxygen tell whether fuel burns, and only of some points can a stop be declared.
    points = str(writer.book.parameter("states.point_types", writer.day).value).split(",")
    served = np.array([outlet.point_type in points for outlet in day.fleet.outlets], np.bool_)
    stands &= served[:, None] & day.converts[:, :, 0] & ((day.process < 0) | (day.process == _RUNNING))
    stands = long_runs(stands, int(writer.number("idle_hours")))
    for signal_id, mask in (
        ("A13_running_while_stopped", runs & (day.process == _STOPPED)),
        ("A13_suspected_stop", stands),
    ):
        for i, lo, hi in episodes(mask):
            value = float(shown.o2[i, lo:hi].mean())
            writer.add(signal_id, day.fleet.outlets[i].outlet_id, hours(lo, hi), channel="o2", value=value)


assert len(_IDS) == O2_LOW + 2  # noqa: S101 - both are lists of the same checks
