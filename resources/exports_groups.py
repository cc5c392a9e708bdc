"""Which columns of an export belong to one outlet, and whose they are.

Belongs here: outlets side by side, one for the whole file, or named by a column. Does not belong here: what a column means
(`exports_columns`) and looking devices up (`exports_devices`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.exports_errors import ExportError

if TYPE_CHECKING:
    from resources.exports_columns import Column
    from resources.exports_devices import Owners
    from resources.exports_header import Header
    from resources.exports_map import ColumnMap


@dataclass(frozen=True)
class Group:
    """Columns that belong to one outlet, and its device rows; `owners` None where a column names the device of each line."""

    label: str
    columns: tuple[Column, ...]
    owners: list[int] | None


def naming(header: Header, said: ColumnMap) -> Column | None:
    """The column that names the device of each line, unless the map file names one for all."""
    return next(iter(header.of("mn") or header.of("outlet")), None) if not (said.mn or said.outlet) else None


def groups_of(header: Header, said: ColumnMap, owners: Owners, place: str) -> list[Group]:
    """The columns by outlet; `place` is the file's key. ExportError when nothing says whose they are."""
    columns = header.of("value", "flag", "other")
    labels = list(dict.fromkeys(c.group for c in columns if c.role != "other" and c.group))
    if naming(header, said) is not None:
        return [Group("", tuple(columns), None)]
    if len(labels) < 2 or said.mn or said.outlet:
        rows = (owners.within(labels[0]) if labels else []) or owners.of_file(place, header.titles)
        if not rows:
            raise _nobody(labels)
        _no_twins(columns)
        return [Group(labels[0] if labels else "", tuple(columns), rows)]
    unknown = [label for label in labels if not owners.within(label)]
    if unknown:
        raise _nobody(unknown)
    loose = [c for c in columns if not c.group or c.group not in labels]
    return [
        Group(label, tuple([c for c in columns if c.group == label] + (loose if label == labels[0] else [])), owners.within(label))
        for label in labels
    ]  # fmt: skip


def _no_twins(columns: list[Column]) -> None:
    """A map file that names one device cannot do so for columns of several outlets."""
    seen: dict[tuple[str, str], str] = {}
    for c in columns:
        if c.role != "other" and (other := seen.setdefault((c.channel, c.sub), c.label)) != c.label:
            raise ExportError(
                f"列映射只给出一个设备, 但 {other!r} 与 {c.label!r} 分属不同排放口", f"the map file names one device, but {other!r} and {c.label!r} are of different outlets",
                "改用 [outlets] 逐一指明", "name each under [outlets]",
            )  # fmt: skip


def _nobody(labels: list[str]) -> ExportError:
    shown = ", ".join(labels)
    of = f" ({shown})" if shown else ""
    return ExportError(
        f"不知道数据属于哪个设备{of}", f"nothing says whose data these are{of}",
        "加 MN 或 outlet_id 列, 或放入以 outlet_id 或 MN 命名的文件夹, 或在列映射文件中写 mn, outlet 或 [outlets]",
        "add a column MN or outlet_id, or a folder named after the outlet_id or MN, or write mn, outlet or [outlets] in the map file",
    )  # fmt: skip
