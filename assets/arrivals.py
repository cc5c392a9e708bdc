"""The table of arrivals: what came, what it held, and why a file was refused.

Belongs here: the published view of the intake's journal and of the files of declarations and ledgers, without anything that this machine's
clock decided. Does not belong here: reading files (`resources/intake.py`, `resources/events_read.py`,
`resources/ledgers_read.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts import TABLES

if TYPE_CHECKING:
    import pyarrow as pa

    from resources.bench import Bench
    from resources.events import EventFile
    from resources.segments import Record

_COUNTED = (
    "text_bytes", "accepted_bytes", "quarantined_bytes", "noise_bytes", "frames_accepted", "frames_quarantined",
    "frames_minute", "frames_reported", "frames_other",
)  # fmt: skip
_BYTES = ("text_bytes", "accepted_bytes", "quarantined_bytes", "noise_bytes")
_LINES = ("lines", "lines_data", "lines_refused", "lines_other")


def make_arrivals(bench: Bench, _key: str) -> dict[str, pa.Table]:
    """`arrivals`, one row a path and content. Of equal contents the smallest path counts as read, the others as copies."""
    rows: list[dict[str, Any]] = []
    read: set[tuple[str, str]] = set()
    for arrival in bench.arrivals():
        state = arrival.state
        if state == "read":
            state = "copy" if arrival.content in read else "read"
            read.add(arrival.content)
        rows.append(
            {
                "path": arrival.path, "sha256": arrival.sha256, "bytes": arrival.size,
                "kind": "refused" if state == "refused" else arrival.kind, "state": state, "reason": arrival.reason or None,
                **_counts(arrival.record),
            }
        )  # fmt: skip
    rows += [_written(file, "events") for file in bench.declared().files]
    rows += [_written(file, "ledger") for file in bench.ledgers().files]
    return {"arrivals": TABLES["arrivals"].arrow({n: [r.get(n) for r in rows] for n in TABLES["arrivals"].names})}


def _counts(record: Record | None) -> dict[str, Any]:
    """What a file held: bytes of text, frames, and of an export its lines and what stood in place of values."""
    if record is None:
        return dict.fromkeys(_COUNTED)
    made: dict[str, Any] = {name: getattr(record, name) for name in _COUNTED}
    if record.kind == "hj212":
        return made
    if record.kind != "csv":
        made |= dict.fromkeys(_BYTES)
    missing = "; ".join(f"{what}={n}" for what, n in sorted(record.missing.items()))
    return (
        made
        | {n: getattr(record, n) for n in _LINES}
        | {"missing": missing or None, "notes": "; ".join(record.notes) or None}
    )


def _written(file: EventFile, kind: str) -> dict[str, Any]:
    """A file of declarations or a ledger; it has no frames to count, what is not named stays null."""
    return {
        "path": file.path, "sha256": file.sha256, "bytes": file.size, "kind": kind, "state": file.state,
        "reason": file.reason or None,
    }  # fmt: skip
