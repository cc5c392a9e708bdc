"""landing/ledgers of a simulated zone: CSV in English, CSV in Chinese, or the workbook of the template, by plant and year.

Belongs here: which rows stand in which file, names in the language of the plant, when they were handed in. Does not belong here: the
rows (`ledgers`), their mistakes (`ledger_slips`), writing a workbook (`ledger_book`), the truth beside them (`truth_ledgers`).

A file holds a year of a plant as far as the zone goes and is written anew when the zone grows; corrections stand in a file of their own.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from contracts import TABLES
from contracts.ledgers import PROVENANCE
from resources.ledgers_words import load_words
from simulator import draws
from simulator.ledger_book import workbook
from simulator.ledger_rows import FIRST_MONTH, month_begin, month_of
from simulator.ledger_slips import submissions
from simulator.ledgers import ledgers
from simulator.truth_ledgers import write_ledger_truth

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from simulator.dirt import Dirt
    from simulator.ledger_slips import Written
    from simulator.world import SimPlant, World

_EPOCH = date(1970, 1, 1)
#: How a plant writes: English CSV, Chinese CSV in GB 18030, workbook.
ENGLISH, CHINESE, BOOK = range(3)
_STAMPS = ("submitted_at", "revision")


def write_ledgers(
    home: Path, world: World, seed: int, dirt: Dirt, since: int, earlier: int, *, apart: bool, truth: bool
) -> int:
    """Write the ledgers of every month that has a day below landing/cems, and of `earlier` months before the first.

    since: first day of the zone (days since 1970-01-01). apart: CSV files by plant, else all plants in one. truth: truth/ledgers
    too. Returns the number of rows that were handed in.
    """
    days = [date.fromisoformat(p.name) for p in (home / "landing" / "cems").iterdir() if p.is_dir()]
    last = month_of(max(d for d in days if (d - _EPOCH).days >= since))
    first = max(FIRST_MONTH, month_of(_EPOCH + timedelta(days=since)) - max(0, earlier))
    files: dict[tuple[str, ...], list[Written]] = defaultdict(list)
    every: list[Written] = []
    for plant, rows in ledgers(world, seed, dirt, first, last):
        handed_in = submissions(rows, seed, dirt, first)
        every += handed_in
        style = (plant.index + seed) % 3
        for written in handed_in:
            if not written.lost:
                files[_file(written, plant, style, apart=apart)].append(written)
    for path, some in files.items():
        _write(home / "landing" / "ledgers", "/".join(path), some, seed, last)
    if truth:
        write_ledger_truth(home / "truth" / "ledgers", every)
    return sum(map(len, files.values()))


def handed_in_at(plant: SimPlant, month: int, revision: int, seed: int) -> datetime:
    """Within 40 days of the month's end; a correction some days after what it corrects."""
    u = draws.generator(seed, draws.LEDGER_SLIP, plant.index, month).random(4)
    day = 3 + int(20 * u[0]) + (revision - 1) * (4 + int(10 * u[1]))
    minute = 8 * 60 + int(540 * u[2 + (revision > 1)])
    return datetime.combine(month_begin(month + 1), datetime.min.time()) + timedelta(days=day, minutes=minute)


def _file(written: Written, plant: SimPlant, style: int, *, apart: bool) -> tuple[str, ...]:
    """Path below landing/ledgers."""
    again = "" if written.revision == 1 else f"-r{written.revision}"
    year = str(written.row.month // 12)
    if style == BOOK:
        return plant.plant_id, f"{plant.plant_id}-{year}{again}.xlsx"
    place = plant.plant_id if apart else ("all", "all-zh")[style]
    # A file of meters is no year's: it says which calibrations there are.
    table = written.row.table
    return (place, f"{table}.csv") if table == "ledger_meter" else (place, year, f"{table}{again}.csv")


def _write(folder: Path, name: str, rows: list[Written], seed: int, zone_last: int) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    for row in rows:
        row.path = f"ledgers/{name}"
    if name.endswith(".xlsx"):
        # A book says when it was handed in as a whole: with its last month, and what corrects it after that.
        one = rows[0]
        last = min(zone_last, one.row.month - one.row.month % 12 + 11)
        data = workbook(
            rows_by_table(rows), handed_in_at(one.row.plant, last, one.revision, seed), one.revision, in_chinese
        )
    else:
        data = _text(rows, seed)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


def _text(rows: list[Written], seed: int) -> bytes:
    """A CSV file of one table in the language of its plants."""
    table = rows[0].row.table
    chinese = (rows[0].row.plant.index + seed) % 3 == CHINESE
    columns = columns_of(table)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n" if chinese else "\n")
    writer.writerow(_header(table, columns) if chinese else [*columns, *_STAMPS])
    for line, written in enumerate(rows, 2):
        when = handed_in_at(written.row.plant, written.row.month, written.revision, seed)
        cells = in_chinese(table, written.cells) if chinese else written.cells
        writer.writerow([*(cells[n] for n in columns), f"{when:%Y-%m-%d %H:%M}", written.revision])
        written.line = line
    return out.getvalue().encode("gb18030" if chinese else "utf-8")


def _header(table: str, columns: Sequence[str]) -> list[str]:
    """Official names, with the unit where there is one."""
    known = load_words().headers[table]
    made = [known[n] for n in (*columns, *_STAMPS)]
    return [f"{h.zh}({h.units[0]})" if len(h.units) == 1 and h.units[0] != "1" else h.zh for h in made]


def columns_of(table: str) -> list[str]:
    """Columns that a plant fills in."""
    return [n for n in TABLES[table].names if n not in PROVENANCE]


def in_chinese(table: str, cells: dict[str, str]) -> dict[str, str]:
    """The same row with the Chinese names of fuels, materials, facilities and the like; what is on no list stays."""
    words = load_words()
    names = {"fuel": words.fuels, "material": words.materials}
    made = dict(cells)
    for name, text in cells.items():
        if name in names and text in names[name]:
            made[name] = names[name][text].zh
        elif name in TABLES[table].names and text in (listed := TABLES[table][name].values) and name != "unit":
            made[name] = TABLES[table][name].meanings[listed.index(text)][0]
        elif name == "month":
            year, _, month = text.partition("-")
            made[name] = f"{year}年{int(month)}月"
    return made


def rows_by_table(rows: Iterable[Written]) -> dict[str, list[Written]]:
    """Rows in their order, by table."""
    made: dict[str, list[Written]] = defaultdict(list)
    for row in rows:
        made[row.row.table].append(row)
    return made
