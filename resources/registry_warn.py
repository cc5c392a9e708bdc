"""What is permitted in a registry but odd enough to tell a person.

Belongs here: warnings about a registry without errors. Does not belong here: errors (`registry_check`): nothing here
stops a run.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING

from resources.provinces import known_province, nearest_province, province_key
from resources.registry_cells import Complaint
from resources.registry_check import place, where
from resources.registry_schema import DEVICES, LINES, OUTLETS, PLANTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from resources.problems import Problem
    from resources.registry_read import Placed, Reading

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_MN = re.compile(r"[0-9A-Za-z]{14}|[0-9A-Fa-f]{24}", re.ASCII)
#: Below this a clinker line is smaller than any rotary kiln in operation: the figure is probably Mt a year.
_SMALL_LINE_T_D = 50.0
#: Below this hardly a line for portland clinker is left: the figure may be 10 000 t a year.
_SMALL_PORTLAND_T_D = 1000.0


def uscc_holds(code: str) -> bool:
    """Whether `code` is a unified social credit code with the right check digit (GB 32100-2015)."""
    if len(code) != 18 or any(c not in _USCC_ALPHABET for c in code):
        return False
    total = sum(w * _USCC_ALPHABET.index(c) for w, c in zip(_USCC_WEIGHTS, code[:17], strict=True))
    return code[17] == _USCC_ALPHABET[-total % 31]


def warn_registry(present: Mapping[str, Reading]) -> list[Problem]:
    """Every warning, in the order file, line, column. Call it only when `check_registry` found no error."""
    made = [w for reading in present.values() for w in reading.warnings]
    for file, checks in (
        (PLANTS.file, (_credit_codes, _province_spellings, _unknown_provinces)),
        (LINES.file, (_small_lines,)),
        (OUTLETS.file, (_kilns_without_line, _areas_without_coefficient, _coefficients_without_area)),
        (DEVICES.file, (_strange_mns, _shared_outlets, _no_devices)),
    ):
        if file in present:
            made += [problem for check in checks for problem in check(present[file])]
    return sorted(made, key=place)


def _credit_codes(plants: Reading) -> Iterator[Problem]:
    complaint = Complaint(
        "统一社会信用代码校验位不符", "the check digit of the credit code does not fit (GB 32100-2015)",
        "对照营业执照核对", "compare it with the business licence",
    )  # fmt: skip
    for placed in plants.rows:
        code = str(placed.cells["uscc"])
        if code and not uscc_holds(code):
            yield plants.problem(placed.row, "uscc", code, complaint)


def _province_spellings(plants: Reading) -> Iterator[Problem]:
    """Two spellings of one province would make two provinces in every summary."""
    first: dict[str, str] = {}
    for placed in plants.rows:
        given = str(placed.cells["province"])
        usual = first.setdefault(province_key(given), given)
        if given != usual:
            complaint = Complaint(f"前面写作 “{usual}”", f"is spelt {usual!r} above", "统一写法", "use one spelling")
            yield plants.problem(placed.row, "province", given, complaint)


def _unknown_provinces(plants: Reading) -> Iterator[Problem]:
    """A province that is none has no target and no standard of its own, and nobody would see why."""
    for placed in plants.rows:
        given = str(placed.cells["province"])
        if not known_province(given):
            near = nearest_province(given)
            cures = (f"是否为 {near}？", f"was {near} meant?") if near else ("核对省份名称", "check the name")
            complaint = Complaint(
                "不是已知的省份, 地方标准与目标无从适用",
                "is no province that is known: no provincial standard or target applies",
                *cures,
            )
            yield plants.problem(placed.row, "province", given, complaint)


def _small_lines(lines: Reading) -> Iterator[Problem]:
    complaint = Complaint(
        "产能过小, 疑为百万吨/年", "is very small; was Mt a year meant?",
        "以每日熟料吨数 (t/d) 填写", "write tonnes of clinker per day",
    )  # fmt: skip
    small = Complaint(
        "产能偏小, 是否误填万吨/年?", "is small; was it 10 000 t a year?",
        "以每日熟料吨数 (t/d) 填写; 确为小窑则不必改", "write tonnes of clinker per day; leave it if the kiln is that small",
    )  # fmt: skip
    for placed in lines.rows:
        capacity = placed.cells["capacity_t_d"]
        if not isinstance(capacity, float):
            continue
        if capacity < _SMALL_LINE_T_D:
            yield lines.problem(placed.row, "capacity_t_d", f"{capacity:g}", complaint)
        elif capacity < _SMALL_PORTLAND_T_D and placed.says("clinker_class", "portland"):
            yield lines.problem(placed.row, "capacity_t_d", f"{capacity:g}", small)


def _kilns_without_line(outlets: Reading) -> Iterator[Problem]:
    complaint = Complaint(
        "窑尾未指明生产线", "a kiln tail names no line",
        "填写 line_id, 否则生产状态无从归属", "fill in line_id, otherwise no process state applies to it",
    )  # fmt: skip
    return where(outlets, "line_id", lambda p: p.says("point_type", "kiln_tail") and p.says("line_id", None), complaint)


def _areas_without_coefficient(outlets: Reading) -> Iterator[Problem]:
    complaint = Complaint(
        "有烟道截面积而无速度场系数, 不能由流速计算流量", "without it no flow can be made from velocity",
        "填写速度场系数 (验收报告)", "fill in the coefficient of the acceptance report",
    )  # fmt: skip
    return where(
        outlets,
        "velocity_coefficient",
        lambda p: p.filled("duct_area_m2") and p.says("velocity_coefficient", None),
        complaint,
    )


def _coefficients_without_area(outlets: Reading) -> Iterator[Problem]:
    """Flow from velocity is 3600 x area x coefficient x velocity (HJ 75 App.): a coefficient alone gives none."""
    complaint = Complaint(
        "有速度场系数而无烟道截面积, 不能由流速计算流量", "without it no flow can be made from velocity",
        "填写 duct_area_m2 (m2)", "fill in duct_area_m2 (m2)",
    )  # fmt: skip
    return where(
        outlets, "duct_area_m2", lambda p: p.filled("velocity_coefficient") and p.says("duct_area_m2", None), complaint
    )


def _strange_mns(devices: Reading) -> Iterator[Problem]:
    complaint = Complaint(
        "MN 既非 14 位 (2005) 也非 24 位十六进制 (2017)", "has neither 14 characters (2005) nor 24 hex digits (2017)",
        "对照数采仪核对, 注意前导零", "compare it with the logger; mind leading zeros",
    )  # fmt: skip
    for placed in devices.rows:
        mn = str(placed.cells["mn"])
        if not _MN.fullmatch(mn):
            yield devices.problem(placed.row, "mn", mn, complaint)


def _no_devices(devices: Reading) -> Iterator[Problem]:
    if not devices.rows:
        yield devices.sheet.problem(
            "没有登记任何数采仪", "no device is registered",
            "登记数采仪, 否则所有数据包都将隔离", "add the loggers, otherwise every packet is quarantined",
        )  # fmt: skip


def _shared_outlets(devices: Reading) -> Iterator[Problem]:
    """Several loggers on one outlet are permitted (a spare, a change-over), but values count twice if both send."""
    groups: defaultdict[str, list[tuple[date, date, Placed]]] = defaultdict(list)
    for placed in devices.rows:
        if placed.period is not None:
            groups[str(placed.cells["outlet_id"])].append((*placed.period, placed))
    for outlet_id, group in groups.items():
        end, owner = date.min, 0
        for first, stop, placed in sorted(group, key=lambda g: (g[0], g[2].row)):
            if first < end:
                complaint = Complaint(
                    f"与第 {owner} 行的数采仪同时属于该排放口", f"has another device at the same time (line {owner})",
                    "如非备用, 以 valid_to 结束其一", "if it is no spare, end one of them with valid_to",
                )  # fmt: skip
                yield devices.problem(placed.row, "outlet_id", outlet_id, complaint)
            if stop > end:
                end, owner = stop, placed.row
