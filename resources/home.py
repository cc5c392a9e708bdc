"""A home: registry, landing, lake and published of one user, opened once for a run.

Belongs here: putting the resources of one home together, lazily. Does not belong here: what is done with them.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from resources.ets import EtsBook
from resources.ets_home import EtsHome
from resources.events_read import read_events
from resources.factors import FactorBook
from resources.factors_hj212 import channel_codes
from resources.intake import Intake
from resources.lake import Lake
from resources.ledgers_read import read_ledgers
from resources.methods import MethodBook
from resources.registry import Registry
from resources.rules import RuleBook
from resources.sealed import Filings
from resources.standards import Standards
from resources.storage import open_storage
from resources.tried import Tried

if TYPE_CHECKING:
    from resources.events import EventBook
    from resources.ledgers import LedgerBook
    from resources.settings import Settings
    from resources.storage import Storage


class Home:
    """Everything a run works with; each piece is opened at its first use and kept for the run."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def landing(self) -> Storage:
        """Where files arrive; only ever read."""
        return open_storage(self.settings.place("landing"))

    @cached_property
    def published(self) -> Storage:
        """Where releases are."""
        return open_storage(self.settings.place("published"))

    @cached_property
    def lake(self) -> Lake:
        """Tables by partition."""
        return Lake(open_storage(self.settings.place("lake")), self.settings.threads)

    @cached_property
    def registry(self) -> Registry:
        """Plants, lines, outlets, devices, permits. RegistryError lists every mistake at once."""
        return Registry.load(open_storage(self.settings.place("registry")), self.landing)

    @cached_property
    def rules(self) -> RuleBook:
        """Limits and parameters of `reference/rules`."""
        return RuleBook.load()

    @cached_property
    def standards(self) -> Standards:
        """Standards that registry/standards.csv chooses. RegistryError lists every mistake in it."""
        return Standards.load(open_storage(self.settings.place("registry")), self.registry, self.rules)

    @cached_property
    def factors(self) -> FactorBook:
        """Emission factors of `reference/factors` and of the home's own registry/factors*.csv."""
        book = FactorBook.load(overlay=open_storage(self.settings.place("registry")))
        return book.seen_by(self.methods.selections)

    @cached_property
    def methods(self) -> MethodBook:
        """Methods of carbon accounting, of `reference/methods`; which are computed may be said in registry/methods.csv."""
        return MethodBook.load(overlay=open_storage(self.settings.place("registry")))

    @cached_property
    def ets(self) -> EtsBook:
        """The trading system, of `reference/ets`."""
        return EtsBook.load()

    @cached_property
    def ets_home(self) -> EtsHome:
        """Balance values and special lines of registry/ets*.csv. EtsError lists every mistake at once."""
        return EtsHome.load(open_storage(self.settings.place("registry")))

    @cached_property
    def events(self) -> EventBook:
        """Process states and device marks declared in landing/events, settled; what is wrong with them is a finding."""
        return read_events(self.landing, self.registry, self.rules)

    @cached_property
    def ledgers(self) -> LedgerBook:
        """Monthly ledgers of landing/ledgers, settled; what is wrong with them is a finding."""
        return read_ledgers(self.landing, self.lake.storage, self.registry)

    @cached_property
    def filings(self) -> Filings:
        """Years that plants have filed, of registry/filings.csv. RegistryError lists every mistake in it."""
        known = [m.id for m in self.methods.methods]
        return Filings.load(open_storage(self.settings.place("registry")), self.registry, known)

    @cached_property
    def tried(self) -> Tried:
        """What plans have tried and no run has taken yet."""
        return Tried(open_storage(self.settings.place("lake")))

    @cached_property
    def intake(self) -> Intake:
        """Arrivals and what they held."""
        return Intake(self.landing, self.lake.storage, self.registry, channel_codes(), self.settings)
