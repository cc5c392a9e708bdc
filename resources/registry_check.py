"""Rules between rows and files of the registry: every error at once.

Belongs here: overlaps, references (also in time), and cells that another cell makes necessary. Does not belong here:
single cells (`registry_cells`), files (`registry_read`), what is merely odd (`registry_warn`). A rule looks at the
cells that could be read; what a faulty cell hides is not reported a second time.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from resources.registry_cells import Complaint
from resources.registry_schema import DEVICES, LINES, OUTLETS, PERMITS, PLANTS, SHEETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date

    from resources.problems import Problem
    from resources.registry_read import Placed, Reading
    from resources.registry_schema import Sheet

Period: TypeAlias = "tuple[date, date]"


def check_registry(present: Mapping[str, Reading], *, ledgers: bool = False) -> list[Problem]:
    """Every error of the files that are there and of those that should be, in the order file, line, column. `ledgers`: nothing was sent
    but ledgers.
    """
    errors = [p for reading in present.values() for p in reading.problems]
    errors += _missing_files(present, ledgers=ledgers)
    for reading in present.values():
        errors += _overlaps(reading)
    for child, column, parent in _LINKS:
        if child.file in present and parent.file in present:
            errors += _dangling(present[child.file], column, present[parent.file])
    if OUTLETS.file in present:
        errors += _reductant_missing(present[OUTLETS.file])
    if OUTLETS.file in present and LINES.file in present:
        errors += _line_of_another_plant(present[OUTLETS.file], present[LINES.file])
    if all(s.file in present for s in (PLANTS, OUTLETS, DEVICES)):
        errors += _ambient_pressure_missing(*(present[s.file] for s in (PLANTS, OUTLETS, DEVICES)))
    return sorted(errors, key=place)


_LINKS: tuple[tuple[Sheet, str, Sheet], ...] = (
    (LINES, "plant_id", PLANTS),
    (OUTLETS, "plant_id", PLANTS),
    (OUTLETS, "line_id", LINES),
    (DEVICES, "outlet_id", OUTLETS),
    (PERMITS, "outlet_id", OUTLETS),
)


def place(problem: Problem) -> tuple[int, int, int, str]:
    """Sort key: file, line, column."""
    index = [s.file for s in SHEETS].index(problem.file)
    names = [c.name for c in SHEETS[index].cells]
    column = names.index(problem.column) if problem.column in names else -1
    return index, problem.row, column, problem.value


def _missing_files(present: Mapping[str, Reading], *, ledgers: bool) -> Iterator[Problem]:
    outlets = present.get(OUTLETS.file)
    lines_needed = outlets is not None and any(p.filled("line_id") for p in outlets.rows)
    # Plants and lines alone make a home of ledgers; whoever names an outlet, device or permit has stacks.
    ledgers_only = set(present) <= {PLANTS.file, LINES.file} and LINES.file in present
    if ledgers and set(present) == {PLANTS.file}:
        yield LINES.problem(
            "只有台账时还缺此文件", "ledgers alone: lines.csv is missing",
            "在 registry/ 中建立生产线表；有在线监测时再加 outlets.csv 与 devices.csv",
            "create the table of lines in registry/; outlets.csv and devices.csv are for continuous monitoring",
        )  # fmt: skip
        return
    for sheet in SHEETS:
        needed = lines_needed if sheet is LINES else not sheet.optional and not (ledgers_only and sheet is not PLANTS)
        if needed and sheet.file not in present:
            yield sheet.problem(
                "缺少文件", "the file is missing",
                f"在 registry/ 中建立{sheet.zh}表", f"create the table of {sheet.en} in registry/",
            )  # fmt: skip


def _overlaps(reading: Reading) -> Iterator[Problem]:
    """The same key in force twice at a time: nobody could say which row counts."""
    groups: defaultdict[tuple[str, ...], list[tuple[Period, Placed]]] = defaultdict(list)
    for placed in reading.rows:
        if placed.period and all(placed.filled(name) for name in reading.sheet.key):
            groups[tuple(str(placed.cells[name]) for name in reading.sheet.key)].append((placed.period, placed))
    for key, group in groups.items():
        group.sort(key=lambda pair: (pair[0][0], pair[1].row))
        (_, end), latest = group[0]
        for (first, stop), placed in group[1:]:
            if first < end:
                row, other = max(placed.row, latest.row), min(placed.row, latest.row)
                complaint = Complaint(
                    f"与第 {other} 行自 {first} 起同时有效", f"is in force together with line {other} from {first}",
                    "以 valid_to 结束其一", "end one of the two with valid_to",
                )  # fmt: skip
                yield reading.problem(row, reading.sheet.key[0], key[0], complaint)
            if stop > end:
                end, latest = stop, placed


def _dangling(child: Reading, column: str, parent: Reading) -> Iterator[Problem]:
    """References to ids that do not exist, or not during the whole time that the row is in force."""
    if not parent.whole:
        return
    periods = by_id(parent)
    for placed in child.rows:
        wanted = placed.cells.get(column)
        if wanted is None:
            continue
        if wanted not in parent.ids:
            complaint = Complaint(
                f"{parent.sheet.file} 中没有该编号", f"does not exist in {parent.sheet.file}",
                f"改正编号或在 {parent.sheet.file} 中登记", f"correct the id or add it to {parent.sheet.file}",
            )  # fmt: skip
            yield child.problem(placed.row, column, wanted, complaint)
            continue
        gap = _first_gap(placed.period, [p.period for p in periods.get(str(wanted), [])])
        if gap is not None:
            complaint = Complaint(
                f"本行有效而所引用的{parent.sheet.zh}在 {gap} 未生效",
                f"is in force while the row of {parent.sheet.file} that it names is not (on {gap})",
                "使两者的 valid_from / valid_to 相符", "make valid_from / valid_to of the two agree",
            )  # fmt: skip
            yield child.problem(placed.row, column, wanted, complaint)


def by_id(reading: Reading) -> dict[str, list[Placed]]:
    """The rows of a file by the id in their first column."""
    made: defaultdict[str, list[Placed]] = defaultdict(list)
    for placed in reading.rows:
        made[str(placed.cells.get(reading.sheet.cells[0].name, ""))].append(placed)
    return made


def _first_gap(child: Period | None, parents: list[Period | None]) -> date | None:
    """First day on which `child` is in force and no parent is; None when covered, or when a period could not be read."""
    known = sorted(p for p in parents if p is not None)
    if child is None or not known or len(known) < len(parents):
        return None
    day, end = child
    for first, stop in known:
        if first > day:
            break
        day = max(day, stop)
    return day if day < end else None


def _line_of_another_plant(outlets: Reading, lines: Reading) -> Iterator[Problem]:
    owners = by_id(lines)
    for placed in outlets.rows:
        plant, line = placed.cells.get("plant_id"), placed.cells.get("line_id")
        for owner in owners.get(str(line), []) if plant and line else []:
            other = owner.cells.get("plant_id")
            if other and other != plant and _together(placed, owner):
                complaint = Complaint(
                    f"该生产线属于企业 {other}", f"belongs to plant {other}",
                    "改正 line_id 或 plant_id", "correct line_id or plant_id",
                )  # fmt: skip
                yield outlets.problem(placed.row, "line_id", line, complaint)
                break


def _reductant_missing(outlets: Reading) -> Iterator[Problem]:
    """The NH3 limit of GB 4915 holds only where ammonia or urea is used: a kiln or dryer must say so."""
    complaint = Complaint(
        "窑尾和烘干设备须说明还原剂", "a kiln tail or dryer must state its reductant",
        "填写 none、ammonia 或 urea", "write none, ammonia or urea",
    )  # fmt: skip
    fired = ("kiln_tail", "dryer")
    return where(
        outlets, "reductant", lambda p: p.cells.get("point_type") in fired and p.says("reductant", None), complaint
    )


def where(reading: Reading, column: str, wrong: Callable[[Placed], bool], complaint: Complaint) -> Iterator[Problem]:
    """The same complaint about an empty cell of every row that is wrong in the same way."""
    return (reading.problem(p.row, column, "", complaint) for p in reading.rows if wrong(p))


def _ambient_pressure_missing(plants: Reading, outlets: Reading, devices: Reading) -> Iterator[Problem]:
    """Gauge pressure and actual flow need the local pressure; 101.325 kPa is 13 % wrong in Guizhou, so none is assumed."""
    sites = by_id(outlets)
    needs: defaultdict[str, list[tuple[Placed, Placed]]] = defaultdict(list)
    for device in devices.rows:
        if device.says("pressure_basis", "gauge") or device.says("flow_basis", "wet_actual"):
            for outlet in sites.get(str(device.cells.get("outlet_id")), []):
                needs[str(outlet.cells.get("plant_id"))].append((device, outlet))
    for plant in plants.rows:
        wanting = needs.get(str(plant.cells.get("plant_id")), []) if plant.says("ambient_pressure_kpa", None) else []
        rows = [str(device.row) for device, outlet in wanting if _together(plant, outlet, device)]
        if rows:
            listed = ", ".join(rows[:5])
            complaint = Complaint(
                f"{devices.sheet.file} 第 {listed} 行 (表压或工况流量) 需要当地大气压",
                f"is needed by {devices.sheet.file} line {listed} (gauge pressure or actual flow)",
                "填写当地大气压 (kPa), 不得以 101.325 代替", "fill in the local ambient pressure (kPa); 101.325 is no substitute",
            )  # fmt: skip
            yield plants.problem(plant.row, "ambient_pressure_kpa", "", complaint)


def _together(*rows: Placed) -> bool:
    """Whether there is a day on which all of the rows are in force."""
    periods = [r.period for r in rows if r.period is not None]
    return len(periods) == len(rows) and max(p[0] for p in periods) < min(p[1] for p in periods)
