"""Dagster's view of the products: one asset a table, one check a check, thin as paper.

Belongs here: turning `PRODUCTS` and `CHECKS` into asset definitions, and the events a run logs. Does not belong here:
partitions sets (given), jobs and schedules (`pipelines`), what a summary shows (`dagster_views`), and any making.

One run over many keys logs one materialization a key, each with the data version of its bytes; in a nightly run of several
products the same events are logged by the night's steps (see `pipelines/night.py`).
"""

# No postponed annotations here: Dagster reads the types of resources from the functions themselves.
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

import dagster as dg

from assets.checks import CHECKS, Check, Verdict, as_metadata
from assets.dagster_sources import books_of, condition_of
from assets.dagster_views import highlights
from assets.products import ALL, PRODUCTS, Outcome, Product, bring_up
from contracts import TABLES, Column, Table
from contracts.dictionary import type_name
from resources.home import Home
from resources.lake import Partition
from resources.settings import Settings

OWNERS = ["team:data-engineering"]
#: Given the settings of a home and where to say that somebody waits: a guard under which one writer brings tables up to date.
Guard: TypeAlias = Callable[[Settings, Callable[[str], None]], AbstractContextManager[None]]
#: Tables without partitions that tell of all files of their kind; whoever reads such files notes which ones on his own. One
#: data version for ever: one that moved with every file would have Dagster call ten years of days unsynced every night.
JOURNALS = frozenset({"arrivals", "process_states", "device_marks", "findings", "ledger_meter"})
#: Tables each product reads, for the lineage graph.
UPSTREAM: dict[str, tuple[str, ...]] = {
    "arrivals": (),
    "events": (),
    "ledgers": (),
    "meters": (),
    "raw": ("arrivals",),
    "labels": ("cems_minute", "cems_reported"),
    "hours": ("cems_minute", "cems_reported", "cems_edge", "cems_labels", "process_states", "device_marks"),
    "patterns": ("cems_hourly", "cems_other"),
    "judgement": ("cems_hourly", "process_states"),
    "annual": ("ule_monthly", "ule_episodes"),
    "standards": ("cems_hourly",),
    "capture": ("cems_hourly",),
    "emissions": ("cems_hourly", "capture_monthly", "device_marks"),
    "emissions_year": ("emissions_monthly", "emissions_totals_monthly", "capture_monthly", "cems_hourly"),
    "emissions_clinker": ("emissions_totals_monthly", "emissions_totals_annual", "ledger_clinker"),
    "carbon_months": (
        "ledger_clinker", "ledger_fuel", "ledger_rawmat", "ledger_rawmeal", "ledger_lab", "ledger_dust", "ledger_altfuel",
        "ledger_electricity", "ledger_heat", "ledger_meter",
    ),
    "carbon_years": ("carbon_line_month",),
    "uncertainty": ("carbon_line_month", "carbon_line_year", "ledger_fuel", "ledger_clinker", "ledger_meter"),
    "allocation": ("carbon_line_year", "carbon_entity_year"),
    "calendar": ("ledger_clinker", "ledger_fuel", "ledger_rawmat"),
    "carbon_findings": (
        "ledger_clinker", "ledger_fuel", "ledger_rawmat", "ledger_rawmeal", "ledger_lab", "ledger_electricity", "carbon_line_month",
        "carbon_line_year",
    ),
    "findings": ("carbon_findings",),
}  # fmt: skip


class HomeResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The home a run works on; empty means KILN_HOME and its kin from the environment."""

    home: str = ""

    def open(self) -> Home:
        """A fresh home: what a run sees of registry and rules is read at its start."""
        return Home(Settings.from_env(home=self.home or None))


def metadata_of(home: Home, table: str, key: str, outcome: Outcome | None = None) -> dict[str, Any]:
    """What a person wants to know of a partition: size, place, what is in it, and why it was made now if it was."""
    partition = home.lake.partition(table, key)
    about: dict[str, Any] = {"dagster/row_count": 0}
    if partition is not None:
        about = {
            "dagster/row_count": partition.rows,
            **highlights(home, table, key),
            "bytes": partition.bytes,
            "files": len(partition.parts),
            "path": dg.MetadataValue.path(_place(home, partition)),
            "made_by": partition.made_by,
        }
    if outcome is None:
        return about | {"because": "stands: nothing it was made from has changed"}
    moved = "new bytes" if table in outcome.changed else "the same bytes as before"
    return about | {"seconds": round(outcome.seconds, 3), "because": ", ".join(outcome.reasons[:5]), "result": moved}


def _place(home: Home, partition: Partition) -> str:
    """Where to look: the file, or the folder of a partition of several parts."""
    paths = [p.path for p in partition.parts] or [partition.table]
    return home.lake.storage.url(paths[0] if len(paths) == 1 else paths[0].rpartition("/")[0])


def materialization(
    home: Home, table: str, outcome: Outcome, since: Mapping[str, str] | None = None
) -> dg.AssetMaterialization:
    """The event for one table and key; its data version is the hash of the bytes. `since` is what `provenance` said."""
    return dg.AssetMaterialization(
        table,
        partition=None if outcome.key == ALL else outcome.key,
        metadata=metadata_of(home, table, outcome.key, outcome),
        tags={"dagster/data_version": _version(home, table, outcome.key), **(since or {})},
    )


def provenance(instance: dg.DagsterInstance, of: Product) -> dict[str, str]:
    """Tags that tell Dagster which events of the tables above a product is made after.

    Assets log the same by themselves. With them a partition counts as unsynced when one above has other bytes since then, and
    not when it was merely made again, or when a day of the running month has no data yet.
    """
    tags = {"dagster/code_version": of.made_by, "dagster/data_version_is_user_provided": "true"}
    for table in UPSTREAM[of.name]:
        record = instance.get_latest_data_version_record(dg.AssetKey(table))
        version = record.asset_materialization.tags if record and record.asset_materialization else None
        tags[f"dagster/input_event_pointer/{table}"] = str(record.storage_id) if record else "NULL"
        tags[f"dagster/input_data_version/{table}"] = (version or {}).get("dagster/data_version", "absent")
    for book in books_of(of.name):
        record = instance.get_latest_data_version_record(dg.AssetKey(book), is_source=True)
        observed = record.event_log_entry.asset_observation if record else None
        tags[f"dagster/input_event_pointer/{book}"] = str(record.storage_id) if record else "NULL"
        tags[f"dagster/input_data_version/{book}"] = (observed.tags if observed else {}).get(
            "dagster/data_version", "absent"
        )
    return tags


def _version(home: Home, table: str, key: str) -> str:
    if table in JOURNALS:
        return "journal"
    return home.lake.version(table, key) or "absent"


def evaluation(verdict: Verdict) -> dg.AssetCheckEvaluation:
    """The event for one check."""
    return dg.AssetCheckEvaluation(
        dg.AssetKey(verdict.table), verdict.check, verdict.passed, as_metadata(verdict),
        severity=dg.AssetCheckSeverity.ERROR if verdict.blocking else dg.AssetCheckSeverity.WARN,
    )  # fmt: skip


def _unguarded(_settings: Settings, _say: Callable[[str], None]) -> AbstractContextManager[None]:
    return nullcontext()


def build_assets(
    partitions: Mapping[str, dg.PartitionsDefinition[str]], guard: Guard = _unguarded
) -> list[dg.AssetsDefinition]:
    """One multi-asset a product. `partitions` gives the set for "day", "month" and "year"; `guard` keeps writers apart."""
    return [_product_asset(p, partitions.get(p.partition), guard) for p in PRODUCTS]


def build_checks() -> list[dg.AssetChecksDefinition]:
    """One Dagster check a check of `CHECKS`, run over the keys of the run at hand."""
    return [_check(c) for c in CHECKS]


def _spec(product: Product, table: str, partitions: dg.PartitionsDefinition[str] | None) -> dg.AssetSpec:
    contract = TABLES[table]
    columns = dg.TableSchema([_column(c) for c in contract.columns])
    return dg.AssetSpec(
        table, deps=[_dep(product, t) for t in (*UPSTREAM[product.name], *books_of(product.name))], description=_description(contract),
        group_name=contract.layer, kinds={"parquet", "python" if table in JOURNALS else "numba"}, owners=OWNERS,
        metadata={"dagster/column_schema": columns, "grain": ", ".join(contract.key), "published": contract.published},
        partitions_def=partitions, code_version=product.made_by, automation_condition=condition_of(product) if partitions else None,
    )  # fmt: skip


def _dep(product: Product, table: str) -> dg.AssetDep:
    """A month rests on its days, a year on its months; those that lie ahead are no reason against it."""
    if product.partition not in ("month", "year") or (table in TABLES and TABLES[table].partition == "none"):
        return dg.AssetDep(table)
    with warnings.catch_warnings():
        # The option is marked beta; Dagster's version is pinned, and a test holds what it does.
        warnings.simplefilter("ignore", dg.BetaWarning)
        mapping = dg.TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True)
    return dg.AssetDep(table, partition_mapping=mapping)


def _column(column: Column) -> dg.TableColumn:
    facts = [f"one of {', '.join(column.values)}"] if column.values else []
    if column.low is not None or column.high is not None:
        facts.append(
            f"{'' if column.low is None else f'{column.low:g}'} … {'' if column.high is None else f'{column.high:g}'}"
        )
    return dg.TableColumn(
        column.name,
        type_name(column.type),
        f"{column.zh} / {column.en}" + (f" [{column.unit}]" if column.unit else ""),
        dg.TableColumnConstraints(nullable=column.nullable, other=facts),
    )


def _description(table: Table) -> str:
    """The table in a few lines of Markdown: both texts, what a row is, where it can be read."""
    grain = ", ".join(f"`{name}`" for name in table.key)
    where = f'pl.read_parquet("published/latest/{table.name}/**/*.parquet")'
    read = (
        f"```python\n{where}\n```"
        if table.published
        else "只在数据湖中，不随发布 / stays in the lake, no part of a release"
    )
    when = "每晚由作业 `nightly` 更新 / brought up to date every night by the job `nightly`"
    return f"**{table.zh}**\n\n{table.en}\n\n一行 a row: {grain}\n\n{read}\n\n{when}"


def _product_asset(
    product: Product, partitions: dg.PartitionsDefinition[str] | None, guard: Guard
) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=product.name,
        specs=[_spec(product, t, partitions) for t in product.tables],
        backfill_policy=dg.BackfillPolicy.multi_run(31) if partitions else None,
    )
    def make(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[dg.MaterializeResult[Any]]:
        with guard(home.open().settings, context.log.info):
            # Opened under the guard: what another run has just written is seen.
            opened = home.open()
            if product.name == "arrivals":
                opened.intake.take_in(context.log.info)
                opened.ledgers.keep()
            keys = list(context.partition_keys) if partitions else [ALL]
            outcomes = [o for k in keys if (o := bring_up(opened, product, k))]
            context.log.info(f"{product.name}: {len(outcomes)} of {len(keys)} keys made, the others stand")
            for table in product.tables:
                yield _result(context, opened, table, keys, outcomes)

    return make


def _result(
    context: dg.AssetExecutionContext, home: Home, table: str, keys: list[str], outcomes: list[Outcome]
) -> dg.MaterializeResult[Any]:
    """One result a table; over a range, metadata by key go beside it (Dagster keeps one data version for a range)."""
    by_key = {o.key: o for o in outcomes}
    if len(keys) == 1:
        about = metadata_of(home, table, keys[0], by_key.get(keys[0]))
        return dg.MaterializeResult(
            asset_key=table, metadata=about, data_version=dg.DataVersion(_version(home, table, keys[0]))
        )
    for key in keys:
        about = metadata_of(home, table, key, by_key.get(key))
        context.add_asset_metadata(about, asset_key=dg.AssetKey(table), partition_key=key)
    return dg.MaterializeResult(asset_key=table)


def _check(check: Check) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=check.table, name=check.id, blocking=check.blocking, description=f"{check.zh} / {check.en}")
    def run(context: dg.AssetCheckExecutionContext, home: HomeResource) -> dg.AssetCheckResult:
        opened = home.open()
        partitioned = context.has_partition_key or context.has_partition_key_range
        keys = list(context.partition_keys) if partitioned else opened.lake.keys(check.table)
        verdict = check.verdict(opened, keys)
        return dg.AssetCheckResult(passed=verdict.passed, metadata=as_metadata(verdict))

    return run
