"""What `kiln findings` prints: what was found in declarations, ledgers and carbon, one line a check and file.

Belongs here: which findings are asked for, words and JSON. Does not belong here: groups and their order (`assets/findings_told`), and
finding anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import polars as pl

from assets.findings_told import OPEN, grouped, in_words
from assets.products import ALL
from contracts.events import FINDINGS
from resources.findings import load_findings
from resources.releases import latest, read_manifest

if TYPE_CHECKING:
    from resources.home import Home

Said = tuple[dict[str, Any], str]


def findings(
    home: Home, release_id: str, plants: tuple[str, ...], checks: tuple[str, ...], severities: tuple[str, ...], month: str, *, every: bool
) -> Said:  # fmt: skip
    """Findings of the lake, or of a release, narrowed to what is asked for; those that need nobody only with `every` or by severity.

    UsageError for a check that does not exist. One that names no plant may be of any, one of a year is of each of its months.
    """
    known = load_findings()
    if strange := [c for c in checks if not any(k.startswith(c) for k in known)]:
        raise click.UsageError(f"没有检查 no check {', '.join(strange)}; 见 see reference/findings.toml")
    wanted = severities or (None if every else OPEN)
    rows = [
        r
        for r in rows_of(home, release_id)
        if (not plants or r["plant_id"] is None or r["plant_id"] in plants)
        and (not checks or r["check_id"].startswith(checks))
        and (wanted is None or r["severity"] in wanted)
        and (not month or not r["period"] or month.startswith(r["period"][:7]) or r["period"].startswith(month))
    ]
    groups = grouped(rows)
    counts = {
        s: sum(g["findings"] for g in groups if g["severity"] == s)
        for s in dict.fromkeys(g["severity"] for g in groups)
    }
    where = release_id or "lake"
    data = {"of": where, "counts": counts, "groups": groups, "findings": rows}
    if not groups:
        return data, f"{where}: 没有审查发现 no findings"
    told = ", ".join(f"{k} {n}" for k, n in counts.items())
    return data, "\n".join([f"{where}: 审查发现 findings: {told}", *(f"  {in_words(g)}" for g in groups)])


def rows_of(home: Home, release_id: str = "") -> list[dict[str, Any]]:
    """Every finding of the lake, of a release, or of the "latest"; ReleaseError for a release that is not there."""
    if not release_id:
        table = home.lake.read(FINDINGS.name, ALL)
        return table.to_pylist() if table else []
    newest = latest(home.published)
    chosen = newest.release_id if release_id == "latest" and newest else release_id
    manifest = read_manifest(home.published, chosen)
    base, store = f"releases/{manifest.release_id}", home.published
    urls = sorted(store.url(f"{base}/{f.path}") for f in manifest.files if f.table == FINDINGS.name)
    return [row for u in urls for row in pl.read_parquet(u, storage_options=store.scan_options or None).to_dicts()]
