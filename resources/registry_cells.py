"""One cell of the registry: text in, typed value or a complaint out.

Belongs here: the grammar of each kind of cell and what to tell a person whose cell breaks it. Does not belong here:
files and rows (`registry_read`) and rules between rows (`registry_check`).
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from resources.registry_schema import Cell


class Complaint(NamedTuple):
    """What is wrong with a cell and what to do, in both languages."""

    zh: str
    en: str
    remedy_zh: str
    remedy_en: str


Value: TypeAlias = str | float | int | bool | date | frozenset[str] | None

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{0,15})?", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
# Spreadsheets rewrite 2024-01-01 as 2024/1/1 when they save a CSV; both say the same, so both are read.
_DAY = re.compile(r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})", re.ASCII)
_MN = re.compile(r"[0-9A-Za-z_.-]{1,40}", re.ASCII)
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]+", re.ASCII | re.IGNORECASE)
_SEPARATORS = re.compile(r"[;\s]+")


def parse(cell: Cell, text: str) -> Value | Complaint:
    """The typed value of `text` (already stripped), None for an empty optional cell, or what is wrong with it."""
    if not text:
        return _empty(cell)
    if not text.isprintable():
        return Complaint("含有控制字符", "holds control characters", "重新输入该单元格", "type the cell again")
    return _PARSERS[cell.kind](cell, text)


def _empty(cell: Cell) -> Value | Complaint:
    if cell.required:
        return Complaint(
            "必填单元格为空", "a required cell is empty",
            f"填写{cell.zh}{_permitted(cell)}", f"fill in {cell.en}{_permitted(cell)}",
        )  # fmt: skip
    if cell.default:
        return frozenset(cell.default)
    return "" if cell.kind == "text" else None


def _permitted(cell: Cell) -> str:
    if cell.values:
        return f" ({', '.join(cell.values)})"
    low = f">= {cell.low:g}" if cell.low is not None else f"> {cell.above:g}" if cell.above is not None else ""
    high = f"<= {cell.high:g}" if cell.high is not None else ""
    limits = ", ".join(t for t in (low, high) if t)
    return f" ({limits}{' ' + cell.unit if cell.unit else ''})" if limits else ""


def _id(_cell: Cell, text: str) -> Value | Complaint:
    if "/" in text or len(text) > 64:
        return Complaint(
            "编号不合规", "is no usable id",
            "编号不超过 64 个字符且不含 “/”", "use at most 64 characters and no '/'",
        )  # fmt: skip
    return text


def _mn(_cell: Cell, text: str) -> Value | Complaint:
    if _SCIENTIFIC.fullmatch(text):
        return Complaint(
            "MN 被电子表格改成了科学计数法", "a spreadsheet has turned the MN into scientific notation",
            "将该列设为文本后重新填写完整 MN", "format the column as text and enter the full MN again",
        )  # fmt: skip
    if not _MN.fullmatch(text):
        return Complaint(
            "MN 含有数据包中不会出现的字符或过长", "holds characters that no packet carries, or is too long",
            "照抄数采仪的 MN (字母、数字、_ . -)", "copy the logger's MN (letters, digits, _ . -)",
        )  # fmt: skip
    return text


def _text(_cell: Cell, text: str) -> Value | Complaint:
    if len(text) > 200:
        return Complaint("文字超过 200 个字符", "is longer than 200 characters", "缩短文字", "shorten the text")
    return text


def _number(cell: Cell, text: str) -> Value | Complaint:
    if not _NUMBER.fullmatch(text):
        return Complaint(
            "不是数字", "is not a number",
            f"填写十进制数, 不带单位、千分位或度分秒{_permitted(cell)}",
            f"write a plain decimal without unit, thousands separator or degrees-minutes{_permitted(cell)}",
        )  # fmt: skip
    value = float(text)
    below = (cell.low is not None and value < cell.low) or (cell.above is not None and value <= cell.above)
    if below or (cell.high is not None and value > cell.high):
        return Complaint(
            f"超出合理范围{_permitted(cell)}", f"is outside the plausible range{_permitted(cell)}",
            f"核对数值与单位 ({cell.unit or '无量纲'})", f"check value and unit ({cell.unit or 'dimensionless'})",
        )  # fmt: skip
    return value


def _whole(cell: Cell, text: str) -> Value | Complaint:
    if not _WHOLE.fullmatch(text) or (cell.values and str(int(text)) not in cell.values):
        return _choice_complaint(cell)
    return int(text)


def _flag(_cell: Cell, text: str) -> Value | Complaint:
    value = {"true": True, "false": False}.get(text.lower())
    if value is None:
        return Complaint("不是 true 或 false", "is neither true nor false", "填写 true 或 false", "write true or false")
    return value


def day_of(text: str) -> date:
    """A day as spreadsheets write it, 2025-03-28 or 2025/3/28; ValueError for what is none."""
    found = _DAY.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return date(int(found[1]), int(found[3]), int(found[4]))


def _day(_cell: Cell, text: str) -> Value | Complaint:
    try:
        return day_of(text)
    except ValueError:
        return _day_complaint()


def _day_complaint() -> Complaint:
    return Complaint("不是日期", "is not a date", "按 YYYY-MM-DD 填写", "write the date as YYYY-MM-DD")


def _choice(cell: Cell, text: str) -> Value | Complaint:
    return text if text in cell.values else _choice_complaint(cell)


def _choices(cell: Cell, text: str) -> Value | Complaint:
    chosen = frozenset(t for t in _SEPARATORS.split(text) if t)
    if not chosen or not chosen <= set(cell.values):
        return _choice_complaint(cell)
    return chosen


def _choice_complaint(cell: Cell) -> Complaint:
    several = cell.kind == "choices"
    return Complaint(
        "取值不在允许范围内", "is not one of the permitted values",
        f"填写{'若干' if several else '其一'}: {', '.join(cell.values)}{' (以 ; 分隔)' if several else ''}",
        f"write {'some' if several else 'one'} of: {', '.join(cell.values)}{' (separated by ;)' if several else ''}",
    )  # fmt: skip


_PARSERS: dict[str, Callable[[Cell, str], Value | Complaint]] = {
    "id": _id,
    "mn": _mn,
    "text": _text,
    "number": _number,
    "whole": _whole,
    "flag": _flag,
    "day": _day,
    "choice": _choice,
    "choices": _choices,
}
