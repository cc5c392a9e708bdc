"""The books as Dagster sees them: factors, methods, the trading system and rules are observable sources, one partition a month.

Belongs here: the sources, what they say of each month, which products read them, and the condition under which the UI has a light
product made. Does not belong here: what is in force (`resources`), and the sensor that looks (`pipelines/reconcile.py`).

The data version of a month is the hash of what is in force in it: a factor that changes from July on moves July and what follows, and
a correction of a comment moves nothing.
"""

# No postponed annotations here: Dagster reads the types of resources from the functions themselves.
import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta

import dagster as dg

from assets.products import Product
from assets.stale import is_light
from resources.home import Home

#: Name of a book -> its version over two days, its texts (zh, en).
BOOKS: Mapping[str, tuple[Callable[[Home, date, date], str], str, str]] = {
    "factors": (
        lambda home, a, b: home.factors.version(a, b),
        "排放因子",
        "emission factors of reference/factors and registry/factors*.csv",
    ),
    "methods": (lambda home, a, b: home.methods.version(a, b), "核算方法", "accounting methods of reference/methods"),
    "ets": (
        lambda home, a, b: _both(home.ets.version(a, b), home.ets_home.version(a, b)),
        "碳市场规定与平衡值",
        "the trading system of reference/ets, balance values and lines of registry/ets*.csv",
    ),
    "rules": (lambda home, a, b: home.rules.version(a, b), "规则", "limits and parameters of reference/rules"),
}
#: Books by light product. Rules stand by themselves: a change of theirs is the night's, and days by the thousand that rest on months
#: would be called unsynced for what they never read.
READS: Mapping[str, tuple[str, ...]] = {
    "carbon_months": ("factors", "methods"),
    "carbon_years": ("methods",),
    "uncertainty": ("ets",),
    "allocation": ("factors", "ets"),
    "calendar": ("factors", "ets"),
    "carbon_findings": ("factors", "ets", "methods"),
}


def _both(*versions: str) -> str:
    return hashlib.sha256("\n".join(versions).encode()).hexdigest()


def books_of(product: str) -> tuple[str, ...]:
    """Books that a product is shown to read."""
    return READS.get(product, ())


def month_versions(home: Home, book: str, months: Iterable[str]) -> dict[str, str]:
    """Data version of a book by month."""
    version = BOOKS[book][0]
    return {m: version(home, *_days(m)) for m in months}


def _days(month: str) -> tuple[date, date]:
    first = date.fromisoformat(f"{month}-01")
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def build_sources(months: dg.PartitionsDefinition[str], open_home: Callable[[], Home]) -> list[dg.AssetsDefinition]:
    """One observable source a book. Observing a month tells its version; the reconcile sensor tells those of all months."""
    with warnings.catch_warnings():
        # Marked beta; Dagster's version is pinned, and a test holds what it does.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return [_source(book, months, open_home) for book in BOOKS]


def _source(book: str, months: dg.PartitionsDefinition[str], open_home: Callable[[], Home]) -> dg.AssetsDefinition:
    _, zh, en = BOOKS[book]
    spec = dg.AssetSpec(book, description=f"{zh} / {en}", group_name="books", partitions_def=months, kinds={"csv"})

    @dg.multi_observable_source_asset(name=f"observe_{book}", specs=[spec])  # type: ignore[untyped-decorator]
    def observe(context: dg.AssetExecutionContext) -> Iterator[dg.ObserveResult]:
        (version,) = month_versions(open_home(), book, [context.partition_key]).values()
        yield dg.ObserveResult(asset_key=book, data_version=dg.DataVersion(version))

    made: dg.AssetsDefinition = observe
    return made


def observations(book: str, versions: Mapping[str, str]) -> list[dg.AssetObservation]:
    """What an observation of some months says; a sensor reports it without a run."""
    return [
        dg.AssetObservation(dg.AssetKey(book), partition=month, tags={"dagster/data_version": version})
        for month, version in versions.items()
    ]


def when_what_it_rests_on_changes() -> dg.AutomationCondition:  # type: ignore[type-arg]
    """Ask for a partition when a source or table above has another data version, and neither is being made at the moment.

    Held until the partition is asked for: a change that arrives while the partition is made is not lost here, but a run that has
    begun may have read it or not. So nothing rests on this alone: the reconcile sensor compares what was recorded.
    """
    condition = dg.AutomationCondition
    changed = condition.any_deps_match(condition.data_version_changed()).with_label("other data above")
    latched = changed.since(condition.newly_requested() | condition.initial_evaluation())
    return (latched & ~condition.in_progress() & ~condition.any_deps_in_progress()).with_label(
        "when what it rests on changes"
    )


def condition_of(product: Product) -> "dg.AutomationCondition | None":  # type: ignore[type-arg]
    """That of a light product with partitions; the others are the night's."""
    return (
        when_what_it_rests_on_changes()
        if is_light(product) and product.partition != "none" and books_of(product.name)
        else None
    )
