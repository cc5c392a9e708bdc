"""What is true of simulated ledgers, beside what was handed in: truth/ledgers/<table>.parquet and truth/ledgers/slips.parquet.

Belongs here: the true rows of each table, and every mistake with its cell and what must come of it. Does not belong here: the rows
(`ledgers`), the mistakes (`ledger_slips`) and their files (`ledger_files`).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from contracts.ledgers import LEDGERS, PROVENANCE

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.ledger_slips import Slip, Written

#: `item`: fuel or material; `value`: the true text; `left`: what a reader keeps (`ledger_slips.Slip`); no place of what was never written.
SLIPS = pa.schema([
    ("kind", pa.string()), ("check", pa.string()), ("table", pa.string()), ("plant_id", pa.string()), ("line_id", pa.string()),
    ("facility", pa.string()), ("item", pa.string()), ("month", pa.string()), ("column", pa.string()), ("value", pa.string()),
    ("written", pa.string()), ("left", pa.string()), ("path", pa.string()), ("sheet", pa.string()), ("line", pa.int32()),
])  # fmt: skip


def write_ledger_truth(folder: Path, rows: list[Written]) -> None:
    """All rows of the zone, corrections left out: the row that they correct is there once, as it is true."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in LEDGERS:
        some = [w.row.cells for w in rows if w.row.table == table.name and w.revision == 1]
        columns = [c for c in table.columns if c.name not in PROVENANCE]
        schema = pa.schema(
            [(c.name, c.type if c.type in (pa.float64(), pa.date32()) else pa.string()) for c in columns]
        )
        data = {n: [_value(cells[n], schema.field(n).type) for cells in some] for n in schema.names}
        pq.write_table(pa.table(data, schema=schema), folder / f"{table.name}.parquet")
    pq.write_table(
        pa.Table.from_pylist([_row(w, w.slip) for w in rows if w.slip], schema=SLIPS), folder / "slips.parquet"
    )


def _value(text: str, kind: pa.DataType) -> object:
    if not text:
        return None
    if kind == pa.float64():
        return float(text)
    return date.fromisoformat(text) if kind == pa.date32() else text


def _row(written: Written, slip: Slip) -> dict[str, object]:
    cells = written.row.cells
    return {
        "kind": slip.kind, "check": slip.check, "table": written.row.table, "plant_id": written.row.plant.plant_id,
        "line_id": cells.get("line_id") or None, "facility": cells.get("facility"), "item": cells.get("fuel") or cells.get("material"),
        "month": cells["month"], "column": slip.column or None, "value": slip.true or None, "written": slip.written or None,
        "left": slip.left, "path": written.path or None, "sheet": written.sheet or None, "line": written.line or None,
    }  # fmt: skip
