"""What a person should know of the reading of one table: labels, hour 24, cells that are no numbers, cells below detection.

Belongs here: counting such cases over the whole table, the first of each, and the sentences with their remedies. Does not belong here:
deciding any of it (`exports_lines`, `exports_cells`, `exports_devices`) and where sentences are kept (`segments`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from resources.exports_devices import MINUTE_MS, delay
from resources.exports_errors import some

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from resources.exports_cells import Found
    from resources.registry import Device

    Longs = NDArray[np.int64]

#: Characters of a cell, and columns, that a sentence shows.
SHOWN = 40
COLUMNS = 5
_SIDE = {"start": ("起点", "start"), "end": ("终点", "end")}
BAD, BELOW = "bad_value", "below_detection"


class Notes:
    """Sentences and counts of one table. `sheet` names the sheet of a workbook; `examples`: case -> place, column and text of the first cell."""

    def __init__(self, sheet: str = "") -> None:
        self._sheet = sheet
        self._said: dict[str, None] = {}
        self._counts: dict[str, Counter[str]] = {BAD: Counter(), BELOW: Counter()}
        self.examples: dict[str, list[str]] = {}

    def say(self, text: str) -> None:
        """A sentence, told once."""
        self._said[text] = None

    def label(self, device: Device, interval: int, label: str, why: tuple[str, str]) -> None:
        """The file's own label is not the device's: rows move, and on whose word."""
        if minutes := delay(device, interval, label) // MINUTE_MS:
            (zh, en), (own_zh, own_en) = _SIDE[label], _SIDE[device.label]
            self.say(
                f"文件以时段{zh}标时 ({why[0]}), 设备 {device.mn} 登记为{own_zh}: 各行的 DataTime 移动 {minutes:+d} 分钟; 若不符, 在列映射文件中写 label / "
                f"the file's times name the {en} of each interval ({why[1]}), the device row of {device.mn} says {own_en}: DataTime moves by "
                f"{minutes:+d} min; if that is wrong, write label in the map file"
            )

    def both(self, moment: int) -> None:
        """Hour 24 beside hour 0: it tells nothing about the label."""
        day = np.datetime64(moment, "ms").astype("datetime64[D]") - 1
        self.say(
            f"00:00 与 24:00 (首个为 {day} 24:00) 同时出现, 不据此判断起点或终点, 以设备登记的 label 为准, 24:00 即次日 00:00; 若不符, 在列映射文件中写 label / "
            f"00:00 and 24:00 (the first is {day} 24:00) both occur, which tells neither start nor end: the device row's label holds and 24:00 is "
            f"the next day's 00:00; if that is wrong, write label in the map file"
        )

    def cells(self, found: Found, places: Longs) -> None:
        """Count the cells of a group that are no numbers or below detection; `places` are the lines in the file."""
        cases = [(BAD, at, name, texts) for at, reason, name, texts in found.cells if reason == BAD]
        firsts: dict[str, tuple[int, str, str]] = {}
        for case, at, name, texts in cases:
            k = int(np.argmin(at))
            self._count(case, name, len(at), firsts, (int(places[at[k]]), name, texts[k].as_py()))
        for at, name, text in found.below:
            self._count(BELOW, name, at.size, firsts, (int(places[at.min()]), name, text))
        for case, (line, name, text) in firsts.items():
            where = f"{self._sheet} {line}".strip()
            self.examples.setdefault(case, [where, name, text[:SHOWN]])

    def _count(
        self, case: str, name: str, n: int, firsts: dict[str, tuple[int, str, str]], cell: tuple[int, str, str]
    ) -> None:
        self._counts[case][name] += n
        firsts[case] = min(firsts.get(case, cell), cell)

    def told(self) -> list[str]:
        """All sentences, those of cells first."""
        made = []
        for case, (zh, en, remedy_zh, remedy_en) in _CASES.items():
            if n := self._counts[case].total():
                line, name, text = self.examples[case]
                by = some([f"{column} {m}" for column, m in self._counts[case].most_common()], COLUMNS)
                made.append(
                    f"{n} 个单元格{zh} ({by}), 如第 {line} 行 {name!r} 列的 {text!r}; {remedy_zh} / "
                    f"{n} cells {en}, for instance {text!r} in line {line}, column {name!r}; {remedy_en}"
                )
        return [*made, *self._said]


_CASES = {
    BAD: (
        "不是数值, 已隔离 (bad_value)", "are no numbers and lie in cems_quarantine (bad_value)",
        "请改正后重新导出, 或在列映射文件中列入 missing (缺失) 或 [flags] (标记)",
        "mend and export again, or list the text under missing or [flags] of the map file",
    ),
    BELOW: (
        "为未检出, 按缺失处理, 不以检出限或零代替", "are below detection and count as missing, neither zero nor the limit is put in their place",
        "若仪器有读数, 请导出读数", "where the analyser has a reading, export the reading",
    ),
}  # fmt: skip
