"""The table of arrivals: what came, what it held, and why a file was refused.

Belongs here: the published view of the intake's journal, without anything that this machine's clock decided. Does not belong
here: reading files (`resources/intake.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts import TABLES

if TYPE_CHECKING:
    import pyarrow as pa

    from resources.bench import Bench

_COUNTED = (
    "text_bytes", "accepted_bytes", "quarantined_bytes", "noise_bytes", "frames_accepted", "frames_quarantined",
    "frames_minute", "frames_reported", "frames_other",
)  # fmt: skip


def make_arrivals(bench: Bench, _key: str) -> dict[str, pa.Table]:
    """`arrivals`, one row a path and content. Of equal contents the smallest path counts as read, the others as copies."""
    rows = []
    read: set[str] = set()
    for arrival in bench.arrivals():
        state = arrival.state
        if state == "read":
            state = "copy" if arrival.sha256 in read else "read"
            read.add(arrival.sha256)
        record = arrival.record
        rows.append(
            {
                "path": arrival.path, "sha256": arrival.sha256, "bytes": arrival.size,
                "kind": "refused" if state == "refused" else "hj212", "state": state, "reason": arrival.reason or None,
                **{name: getattr(record, name) if record else None for name in _COUNTED},
            }
        )  # fmt: skip
    return {"arrivals": TABLES["arrivals"].arrow({n: [r[n] for r in rows] for n in TABLES["arrivals"].names})}
