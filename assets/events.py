"""Tables of what people declared about kilns and devices, and of what was found wrong with it.

Belongs here: process_states and device_marks from the book of events, findings from this, the book of ledgers and the cross-checks of
carbon. Does not belong here: reading and settling declarations (`resources/events_*.py`), and what a state or mark does to an hour
(`assets/hour*.py`).
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from contracts import TABLES
from resources.events import OPEN, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from resources.bench import Bench
    from resources.events import DeviceMark, ProcessState


def make_events(bench: Bench, _key: str) -> dict[str, pa.Table]:
    """`process_states`, one row a stretch, and `device_marks`, one row a channel; without rows where nothing is declared."""
    book = bench.declared()
    made = {"process_states": map(_state, book.states), "device_marks": map(_mark, book.marks)}
    return {name: _table(name, rows) for name, rows in made.items()}


def make_findings(bench: Bench, _key: str) -> dict[str, pa.Table]:
    """`findings`, one row an id, those of the cross-checks of every year among them; without rows where nothing was found."""
    return {"findings": findings_table([*bench.declared().findings, *bench.ledgers().findings, *_of_years(bench)])}


def _of_years(bench: Bench) -> Iterator[Finding]:
    names = [f.name for f in fields(Finding)]
    for year in bench.keys("carbon_findings"):
        table = bench.table("carbon_findings", year, names)
        if table is not None:
            yield from (Finding(**row) for row in table.to_pylist())


def findings_table(findings: Iterable[Finding]) -> pa.Table:
    """Findings of any source as their table. The same one found twice stands once; of two wordings both are kept."""
    rows: dict[str, dict[str, Any]] = {}
    for finding in sorted(findings, key=lambda f: (f.finding_id, f.text_zh)):
        row = {name: getattr(finding, name) for name in TABLES["findings"].names}
        known = rows.setdefault(row["finding_id"], row)
        for text in ("text_zh", "text_en"):
            if row[text] not in known[text].split("\n"):
                known[text] = f"{known[text]}\n{row[text]}"
    return _table("findings", rows.values())


def _state(state: ProcessState) -> dict[str, Any]:
    return {
        "event_id": state.event_id, "line_id": state.line_id, "state": state.state,
        "start": state.start, "end": state.declared_end,
        "effective_from": state.begin, "effective_to": None if state.end == OPEN else state.end,
        "declared_at": state.declared_at, "late": state.late,
        "src_path": state.src_path, "src_line": state.src_line, "evidence": state.evidence or None,
    }  # fmt: skip


def _mark(mark: DeviceMark) -> dict[str, Any]:
    return {
        "event_id": mark.event_id, "outlet_id": mark.outlet_id, "channel": mark.channel, "mark": mark.mark,
        "start": mark.start, "end": None if mark.end == OPEN else mark.end,
        "last_calibration_at": mark.last_calibration_at, "declared_at": mark.declared_at, "late": mark.late,
        "src_path": mark.src_path, "src_line": mark.src_line,
    }  # fmt: skip


def _table(name: str, rows: Iterable[dict[str, Any]]) -> pa.Table:
    columns: dict[str, list[Any]] = {n: [] for n in TABLES[name].names}
    for row in rows:
        for n, values in columns.items():
            values.append(row[n])
    # Typed here, not by what the first rows happen to hold: a column may well be empty.
    types = {c.name: c.type.value_type if pa.types.is_dictionary(c.type) else c.type for c in TABLES[name].columns}
    return TABLES[name].arrow(pa.table({n: pa.array(values, types[n]) for n, values in columns.items()}))
