"""Dagster's view of the products: one asset a table, one check a check, thin as paper.

Belongs here: turning `PRODUCTS` and `CHECKS` into asset definitions, and the events a run logs. Does not belong here:
partitions sets (given), jobs and schedules (`pipelines`), and any making.

One run over many keys logs one materialization a key, each with the data version of its bytes; in a nightly run of several
products the same events are logged by the night's steps (see `pipelines/night.py`).
"""

# No postponed annotations here: Dagster reads the types of resources from the functions themselves.
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from assets.checks import CHECKS, Check, Verdict, as_metadata
from assets.products import ALL, PRODUCTS, Outcome, Product, bring_up
from contracts import TABLES
from resources.home import Home
from resources.settings import Settings

OWNERS = ["team:data-engineering"]
#: Tables each product reads, for the lineage graph.
UPSTREAM: dict[str, tuple[str, ...]] = {
    "arrivals": (),
    "raw": ("arrivals",),
    "labels": ("cems_minute", "cems_reported"),
    "hours": ("cems_minute", "cems_reported", "cems_edge", "cems_labels"),
    "judgement": ("cems_hourly",),
}


class HomeResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The home a run works on; empty means KILN_HOME and its kin from the environment."""

    home: str = ""

    def open(self) -> Home:
        """A fresh home: what a run sees of registry and rules is read at its start."""
        return Home(Settings.from_env(home=self.home or None))


def metadata_of(home: Home, table: str, key: str) -> dict[str, Any]:
    """What a person wants to know of a partition."""
    partition = home.lake.partition(table, key)
    if partition is None:
        return {"dagster/row_count": 0}
    return {
        "dagster/row_count": partition.rows,
        "bytes": partition.bytes,
        "files": len(partition.parts),
        "path": dg.MetadataValue.path(partition.parts[0].path if partition.parts else ""),
        "made_by": partition.made_by,
    }


def materialization(home: Home, table: str, outcome: Outcome) -> dg.AssetMaterialization:
    """The event for one table and key; its data version is the hash of the bytes."""
    key = None if outcome.key == ALL else outcome.key
    about = {
        **metadata_of(home, table, outcome.key),
        "seconds": round(outcome.seconds, 3),
        "because": ", ".join(outcome.reasons[:5]),
    }
    version = home.lake.version(table, outcome.key) or "absent"
    return dg.AssetMaterialization(table, partition=key, metadata=about, tags={"dagster/data_version": version})


def evaluation(verdict: Verdict) -> dg.AssetCheckEvaluation:
    """The event for one check."""
    return dg.AssetCheckEvaluation(
        dg.AssetKey(verdict.table), verdict.check, verdict.passed, as_metadata(verdict),
        severity=dg.AssetCheckSeverity.ERROR if verdict.blocking else dg.AssetCheckSeverity.WARN,
    )  # fmt: skip


def build_assets(partitions: Mapping[str, dg.PartitionsDefinition[str]]) -> list[dg.AssetsDefinition]:
    """One multi-asset a product. `partitions` gives the set for "day" and "month"."""
    return [_product_asset(p, partitions.get(p.partition)) for p in PRODUCTS]


def build_checks() -> list[dg.AssetChecksDefinition]:
    """One Dagster check a check of `CHECKS`, run over the keys of the run at hand."""
    return [_check(c) for c in CHECKS]


def _spec(product: Product, table: str, partitions: dg.PartitionsDefinition[str] | None) -> dg.AssetSpec:
    contract = TABLES[table]
    columns = [
        dg.TableColumn(c.name, str(c.type), f"{c.zh} / {c.en}" + (f" [{c.unit}]" if c.unit else ""))
        for c in contract.columns
    ]
    return dg.AssetSpec(
        table, deps=[dg.AssetKey(t) for t in UPSTREAM[product.name]], description=f"{contract.zh} / {contract.en}",
        group_name=contract.layer, kinds={"parquet", "numba" if product.name != "arrivals" else "python"}, owners=OWNERS,
        metadata={"dagster/column_schema": dg.TableSchema(columns), "grain": ", ".join(contract.key)},
        partitions_def=partitions, code_version=product.made_by,
    )  # fmt: skip


def _product_asset(product: Product, partitions: dg.PartitionsDefinition[str] | None) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=product.name,
        specs=[_spec(product, t, partitions) for t in product.tables],
        backfill_policy=dg.BackfillPolicy.multi_run(31) if partitions else None,
    )
    def make(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[dg.MaterializeResult[Any]]:
        opened = home.open()
        if product.name == "arrivals":
            opened.intake.take_in(context.log.info)
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
    if len(keys) > 1:
        for key in keys:
            context.add_asset_metadata(metadata_of(home, table, key), asset_key=dg.AssetKey(table), partition_key=key)
        return dg.MaterializeResult(asset_key=table, metadata={"keys": len(keys), "made": len(outcomes)})
    outcome = by_key.get(keys[0])
    about = metadata_of(home, table, keys[0])
    if outcome:
        about |= {"seconds": round(outcome.seconds, 3), "because": ", ".join(outcome.reasons[:5])}
    version = home.lake.version(table, keys[0]) or "absent"
    return dg.MaterializeResult(asset_key=table, metadata=about, data_version=dg.DataVersion(version))


def _check(check: Check) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=check.table, name=check.id, blocking=check.blocking, description=f"{check.zh} / {check.en}")
    def run(context: dg.AssetCheckExecutionContext, home: HomeResource) -> dg.AssetCheckResult:
        opened = home.open()
        partitioned = context.has_partition_key or context.has_partition_key_range
        keys = list(context.partition_keys) if partitioned else opened.lake.keys(check.table)
        verdict = check.verdict(opened, keys)
        return dg.AssetCheckResult(passed=verdict.passed, metadata=as_metadata(verdict))

    return run
