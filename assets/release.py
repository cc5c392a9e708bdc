"""The release of a home: which partitions go in, and the facts they rest on.

Belongs here: gathering sources and facts for `resources/releases.py`. Does not belong here: how a release comes to lie on
disk, and any figure.
"""

from __future__ import annotations

import hashlib
import io
import json
from datetime import UTC, date, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from assets.checks import CHECKS, settle
from assets.products import PRODUCTS
from assets.sealing import sealed_waiting
from assets.stale import nothing_stale
from contracts import TABLES
from resources.release_books import BOOKS, document
from resources.release_restate import FILED_YEARS_STAND
from resources.releases import Arrival, Check, Pinned, Release, ReleaseFacts, Source, publish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.checks import Check as AssetCheck
    from assets.checks import Verdict
    from contracts import Table
    from resources.home import Home

#: Years that figures can be of: a book that is told by years is asked for these.
_YEARS = range(2000, 2101)
_REPORTED = (date(_YEARS[0], 1, 1), date(_YEARS[-1], 12, 31))


def publish_release(home: Home, waiting: list[str]) -> Release:
    """Publish everything that stands. `waiting` names days with news that no table shows yet; they are told, not hidden.

    Raises ReleaseRefused with every reason when a blocking check fails.
    """
    return publish(home.published, sources(home), about=facts(home, waiting), extra={BOOKS: document(home)})


def sources(home: Home) -> list[Source]:
    """Every file of every partition of the published tables."""
    found = []
    for table in (t for t in TABLES.values() if t.published and t.layer != "trust"):
        if not home.lake.keys(table.name):
            found.append(_empty(home, table))
        for key in home.lake.keys(table.name):
            partition = home.lake.partition(table.name, key)
            for part in partition.parts if partition else ():
                name = part.path.removeprefix(f"{table.name}/").removesuffix(".parquet")
                about = (part.sha256, part.bytes, part.rows, partition.grounds if partition else {})
                found.append(Source(table.name, name, home.lake.storage, part.path, *about))
    return found


def _empty(home: Home, table: Table) -> Source:
    """A file without rows for a table that has none yet: a reader's glob then gives no rows instead of an error."""
    path, store = f"empty/{table.name}.parquet", home.lake.storage
    buffer = io.BytesIO()
    pq.write_table(table.empty(), buffer, compression="zstd")
    raw = buffer.getvalue()
    if not store.exists(path) or store.read(path) != raw:
        store.write(path, raw)
    return Source(table.name, "empty", store, path, hashlib.sha256(raw).hexdigest(), len(raw), 0)


def facts(home: Home, waiting: list[str]) -> ReleaseFacts:
    """Code, registry, rule packs, inputs and checks behind the figures."""
    arrivals = [Arrival(a.path, a.sha256, a.size, a.state) for a in home.intake.arrivals()]
    arrivals += [Arrival(f.path, f.sha256, f.size, f.state) for f in (*home.events.files, *home.ledgers.files)]
    packs = home.rules.pack_versions(date.min, date.max)
    confidence = {p.id: p.confidence for p in home.rules.packs}
    checks = [_told(settle(home, c), c) for c in CHECKS]
    stale = nothing_stale(home)
    checks.append(
        Check("nothing_stale", not stale, True, "; ".join(stale) or "碳排放分区均未过期 / no figure of carbon is stale")
    )
    if filed := sealed_waiting(home):
        keys = sorted({k for keys in filed.values() for k in keys})
        text = f"已报送的年份保持原值 / filed years stay as they are although they would be others today: {', '.join(keys)}"
        checks.append(Check(FILED_YEARS_STAND, passed=False, blocking=False, text=text))
    if waiting:
        text = f"{len(waiting)} days have news outside the window of this run, first {waiting[0]}, last {waiting[-1]}"
        checks.append(Check("nothing_waiting", passed=False, blocking=False, text=text))
    return ReleaseFacts(
        code_version=f"kilnledger {version('kilnledger')} ({', '.join(p.made_by for p in PRODUCTS)})",
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        registry_sha256=_registered(home),
        rule_packs=(
            *(Pinned(name, sha256, confidence.get(name, "")) for name, sha256 in packs.items()),
            Pinned("trading system", home.ets.version(*_REPORTED)),
        ),
        factor_sets=tuple(_factor_sets(home)),
        arrivals=tuple(arrivals),
        checks=tuple(checks),
    )


def _registered(home: Home) -> str:
    """SHA-256 over all that a home registers and figures rest on: whatever is left out would move them for no reason told."""
    books = (home.registry, home.standards, home.ets_home)
    said = [book.version(*_REPORTED) for book in books]
    said += [home.filings.version(year) for year in sorted({f.year for f in home.filings.rows})]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def _factor_sets(home: Home) -> Iterator[Pinned]:
    """Files of factors, each with the confidence of its weakest row; methods, and which of them are computed for whom."""
    ranks = ("", "verified", "secondary", "draft")
    weakest: dict[str, str] = {}
    for row in home.factors.rows:
        name = row.file.removesuffix(".csv")
        weakest[name] = max(weakest.get(name, ""), row.confidence, key=ranks.index)
    for name, sha256 in home.factors.set_versions(date.min, date.max).items():
        yield Pinned(name, sha256, weakest.get(name, ""))
    for method in home.methods.methods:
        yield Pinned(f"method {method.id}", home.methods.sha256_of(method), method.confidence)
    # A book that computes nothing says which province lies in which grid, and no more.
    lists = [[[m.id, m.selection] for m in home.methods.of_year(y)] for y in _YEARS]
    lists_said = json.dumps([lists, home.methods.with_runs().version(*_REPORTED)])
    yield Pinned("methods computed", hashlib.sha256(lists_said.encode()).hexdigest())


def _told(verdict: Verdict, check: AssetCheck) -> Check:
    return Check(
        check.id, verdict.passed, check.blocking, "; ".join(verdict.problems[:5]) or f"{check.zh} / {check.en}"
    )
