"""Making a landing zone: registry, captures and truth.

Belongs here: the loop over days and plants. Does not belong here: what a plant is or sends (`world`, `capture`) and the command
line (`pipelines`).
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from simulator.capture import Buffer, make_capture
from simulator.dirt import Dirt
from simulator.event_files import write_events
from simulator.landing import SUFFIXES, Sink, capture_file, capture_key
from simulator.ledger_files import write_ledgers
from simulator.registry_files import write_registry
from simulator.spelling import Speller, make_speller
from simulator.traffic import Setting
from simulator.truth import CAPTURED, KINDS, TruthFiles, write_devices
from simulator.truth_events import write_event_truth
from simulator.world import World, make_world

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from simulator.capture import Capture
    from simulator.world import SimOutlet, SimPlant

Layout = Literal["per-plant-day", "one-file-day"]
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Simulation:
    """What was written: capture files, frames, bytes of text (before compression), rows of declared events and of ledgers."""

    home: Path
    plants: int
    outlets: int
    first: date
    days: int
    files: int
    frames: int
    text_bytes: int
    declared: int
    ledger_rows: int = 0


def simulate(
    home: Path, *, outlets: int, first: date, days: int, seed: int = 1, dirt: Dirt | None = None, layout: Layout = "per-plant-day",
    interval_min: int | None = None, compress: str | None = None, progress: Callable[[int, int], None] | None = None,
    truth: Collection[str] = KINDS, since: date | None = None, hours: int = 24, events: bool = False,
    ledgers: bool = False, ledger_months: int = 0,
) -> Simulation:  # fmt: skip
    """Write a synthetic landing zone below `home`: registry/, landing/cems/<day>/, landing/events/<month>/, landing/ledgers/ and
    truth/.

    outlets: stacks, on as many invented plants as they need. first, days: days of capture files. dirt: Dirt.default() unless
    given. layout: a file per plant and day, or one per day (plants one after the other). interval_min: one interval for all
    loggers, in minutes (a divisor of 60). compress: None, "gz" or "zst". progress: called with (done, total) plant-days.
    truth: which tables to write besides truth/devices.parquet (names in `truth.KINDS`; () for speed). since: first day
    of the whole zone when it is made in pieces; frames of earlier days never come late (default: `first`). hours: how many
    hours of each day the collector listens, from midnight. events: whether process states and device marks are declared; it
    changes no capture. ledgers: whether plants hand in the ledgers of each month that the zone touches, whole months, fitting what
    its kilns do, and of `ledger_months` months before them (none before 2020).

    Equal arguments give equal bytes. A file depends on seed, dirt, `since` (for its first days) and its own plant and day, so
    a zone made in pieces of days equals one made at once; files of events and ledgers depend on which days there are, too. Raises
    ValueError for arguments that cannot be met.
    """
    _check(outlets, days, seed, interval_min, compress, layout, truth, hours, ledger_months)
    mixture = Dirt.default() if dirt is None else dirt
    world = make_world(outlets, seed, mixture, interval_min)
    write_registry(home / "registry", world)
    write_devices(home / "truth", world)
    setting = Setting(seed, mixture, ((since or first) - _EPOCH).days, hours)
    zone = _Zone(home, world, setting, layout, compress, tuple(k for k in KINDS if k in truth))
    total = days * len(world.plants)
    for number in range(days):
        for done in zone.write_day(first + timedelta(days=number)):
            if progress is not None:
                progress(number * len(world.plants) + done, total)
    declared = 0
    if events:
        declared = write_events(home / "landing", world, seed, mixture, setting.since, apart=layout == "per-plant-day")
    handed_in = 0
    if ledgers:
        told = "ledgers" in truth
        handed_in = write_ledgers(
            home, world, seed, mixture, setting.since, ledger_months, apart=layout == "per-plant-day", truth=told
        )
    return Simulation(
        home, len(world.plants), outlets, first, days, zone.files, zone.frames, zone.text_bytes, declared, handed_in
    )


def _check(
    outlets: int, days: int, seed: int, interval: int | None, compress: str | None, layout: str, truth: Collection[str], hours: int,
    ledger_months: int,
) -> None:  # fmt: skip
    wrong = [
        text
        for bad, text in (
            (outlets < 1, f"outlets must be at least 1, not {outlets}"),
            (days < 1, f"days must be at least 1, not {days}"),
            (not 1 <= hours <= 24, f"hours must be 1 to 24, not {hours}"),
            (ledger_months < 0, f"ledger_months must not be negative, as {ledger_months} is"),
            (seed < 0, f"seed must not be negative, as {seed} is"),
            (
                interval is not None and (interval < 1 or 60 % interval > 0),
                f"interval_min must divide 60, as {interval} does not",
            ),
            (compress not in SUFFIXES, f"compress must be None, 'gz' or 'zst', not {compress!r}"),
            (
                layout not in ("per-plant-day", "one-file-day"),
                f"layout must be per-plant-day or one-file-day, not {layout!r}",
            ),
            (
                not set(truth) <= set(KINDS),
                f"truth knows {', '.join(KINDS)}, not {', '.join(sorted(set(truth) - set(KINDS)))}",
            ),
        )
        if bad
    ]
    if wrong:
        raise ValueError("; ".join(wrong))


class _Zone:
    """A landing zone under way: what stays the same from day to day, and the counts so far."""

    def __init__(
        self, home: Path, world: World, setting: Setting, layout: Layout, compress: str | None, truth: tuple[str, ...]
    ) -> None:  # fmt: skip
        self._home, self._world, self._setting = home, world, setting
        self._layout, self._compress, self._truth = layout, compress, truth
        self._spellers: dict[int, Speller] = {}
        self._buffer = Buffer()
        self.files = self.frames = self.text_bytes = 0

    def write_day(self, day: date) -> Iterator[int]:
        """Captures and truth of one day; yields the number of plants done after each."""
        setting, kinds = self._setting, [k for k in self._truth if k in CAPTURED]
        write_event_truth(self._home / "truth", day, self._world, setting.seed, setting.dirt, self._truth)
        with ExitStack() as open_files:
            truth = open_files.enter_context(closing(TruthFiles(self._home / "truth", day, kinds)))
            sink: Sink | None = None
            path, offset = "", 0
            for done, (plant, outlets) in enumerate(self._world.by_plant(), 1):
                alone = self._layout == "per-plant-day"
                with ExitStack() as own:
                    if sink is None or alone:
                        path, offset = capture_key(day, plant.plant_id if alone else "all", self._compress), 0
                        sink = (own if alone else open_files).enter_context(
                            capture_file(self._home / "landing" / path, self._compress)
                        )
                        self.files += 1
                    capture = self._capture(plant, outlets, day, ends_file=alone or done == len(self._world.plants))
                    for piece in capture.pieces:
                        sink.write(piece)
                truth.add(path, offset, capture)
                offset += capture.size
                self.frames += capture.offset.size
                self.text_bytes += capture.size
                yield done

    def _capture(self, plant: SimPlant, outlets: tuple[SimOutlet, ...], day: date, *, ends_file: bool) -> Capture:
        if plant.index not in self._spellers:
            self._spellers[plant.index] = make_speller(outlets)
        speller = self._spellers[plant.index]
        return make_capture(
            plant, outlets, speller, self._setting, (day - _EPOCH).days, self._buffer, ends_file=ends_file
        )
