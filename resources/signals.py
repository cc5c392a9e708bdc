"""The catalogue of signals: what each one is called, how serious it is, and what it says in Chinese and English.

Belongs here: reading reference/signals.toml and filling its texts. Does not belong here: finding signals (`assets`), their
thresholds, which are parameters of the rule book, and the page about them (`signals_page`).
"""

from __future__ import annotations

import string
import tomllib
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

import reference
from contracts.cems import CEMS_SIGNALS
from resources.problems import Problem, listing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: Whose idea a signal is: named in an official paper, in public rule bases, or ours.
BASES = ("official", "secondary", "engineering")
#: How long a window is looked at; the last two are found by month (`cems_patterns`), the others by day (`cems_signals`).
WINDOWS = ("minutes", "hours", "day", "days", "month")
LONG_WINDOWS = ("days", "month")


class SignalError(Exception):
    """The catalogue cannot be used; `problems` lists every error at once."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(f"signals: {len(problems)} 处错误 / {len(problems)} error(s)\n{listing(problems)}")


@dataclass(frozen=True, slots=True)
class Signal:
    """One kind of signal. `threshold` names a parameter of the rule book, "" where there is none; `parameters` are the others
    that it reads; `needs` says what data it rests on.
    """

    id: str
    title_zh: str
    title_en: str
    severity: str
    basis: str
    window: str
    threshold: str
    parameters: tuple[str, ...]
    needs: tuple[str, ...]
    zh: str
    en: str

    @property
    def check(self) -> str:
        """The check of the domain notes that it belongs to: A01 of A01_flat_line."""
        return self.id.partition("_")[0]

    def texts(self, **figures: float | str) -> tuple[str, str]:
        """Both texts with their figures; KeyError names a figure that is missing."""
        return self.zh.format_map(figures), self.en.format_map(figures)


@dataclass(frozen=True, slots=True)
class Absent:
    """A check that is not computed, because nothing gives what it `needs`; `zh`, `en`: why."""

    id: str
    title_zh: str
    title_en: str
    needs: tuple[str, ...]
    zh: str
    en: str


def load_signals(path: Path | None = None) -> dict[str, Signal]:
    """The catalogue by id, in file order (default: the packaged one); SignalError lists every error."""
    return dict(_packaged()) if path is None else _signals(path)


@cache
def _packaged() -> dict[str, Signal]:
    """The packaged catalogue: every day of hours asks for it."""
    return _signals(None)


def _signals(path: Path | None) -> dict[str, Signal]:
    return {row["id"]: Signal(**row) for row in _rows(path, "signal")}


def load_absent(path: Path | None = None) -> tuple[Absent, ...]:
    """The checks that are not computed, in file order; SignalError lists every error."""
    return tuple(Absent(**row) for row in _rows(path, "absent"))


def _rows(path: Path | None, table: str) -> list[dict[str, Any]]:
    """Rows of one table, once the whole file is right; lists become tuples."""
    path = reference.FOLDER / "signals.toml" if path is None else path
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        wrong = (
            f"不是 UTF-8 编码的 TOML: {error}",
            f"is no TOML in UTF-8: {error}",
            "改正所指位置",
            "correct that place",
        )
        raise SignalError([Problem(path.name, 0, "", "", *wrong)]) from error
    problems: list[Problem] = []
    for name in content:
        if name not in _KINDS:
            listed = ", ".join(_KINDS)
            texts = "未知的表", "unknown table", f"改为其一: {listed}", f"use one of: {listed}"
            problems.append(Problem(path.name, 0, name, "", *texts))
    for name, kind in _KINDS.items():
        rows = content.get(name, [])
        for number, row in enumerate(rows, 1):
            problems += _wrong(path.name, f"{name}[{number}]", row, kind)
        problems += _repeated(path.name, name, [str(row.get("id")) for row in rows])
    if problems:
        raise SignalError(problems)
    return [{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()} for row in content.get(table, [])]


_KINDS: dict[str, type[Signal | Absent]] = {"signal": Signal, "absent": Absent}
_LISTS = ("parameters", "needs")
_LISTED = {"severity": CEMS_SIGNALS["severity"].values, "basis": BASES, "window": WINDOWS}


def _wrong(file: str, place: str, row: dict[str, object], kind: type[Signal | Absent]) -> Iterable[Problem]:
    names = [f.name for f in fields(kind)]
    for name in names:
        value = row.get(name)
        if name in _LISTS:
            if not isinstance(value, list) or any(not isinstance(v, str) or not v for v in value):
                texts = "应为文字列表", "must be a list of texts", '写成 ["…"]', 'write it as ["…"]'
                yield Problem(file, 0, f"{place}.{name}", str(value), *texts)
        elif not isinstance(value, str) or (not value and name != "threshold"):
            texts = "缺少文字", "is no text", "填写该键", "give this key"
            yield Problem(file, 0, f"{place}.{name}", str(row.get(name, "")), *texts)
    for name in [n for n in row if n not in names]:
        texts = "未知的键", "unknown key", f"改为其一: {', '.join(names)}", f"use one of: {', '.join(names)}"
        yield Problem(file, 0, f"{place}.{name}", str(row[name]), *texts)
    for name in [n for n in names if n in _LISTED and row.get(n)]:
        if row[name] not in _LISTED[name]:
            listed = ", ".join(_LISTED[name])
            texts = "取值不在允许范围内", "is not among", f"改为其一: {listed}", f"use one of: {listed}"
            yield Problem(file, 0, f"{place}.{name}", str(row[name]), *texts)
    zh, en = _figures(row.get("zh")), _figures(row.get("en"))
    if zh is None or zh != en:
        texts = (
            "占位符有误或两种文字不同",
            "broken placeholders, or not those of zh",
            "改正花括号",
            "correct the braces",
        )
        yield Problem(file, 0, f"{place}.en", str(row.get("en", "")), *texts)


def _figures(text: object) -> set[str] | None:
    """Names in braces; None where the braces themselves are broken."""
    try:
        return {name for _, name, _, _ in string.Formatter().parse(str(text)) if name}
    except ValueError:
        return None


def _repeated(file: str, table: str, ids: list[str]) -> list[Problem]:
    texts = "编号重复", "id is used twice", "改用另一编号", "give one of them another id"
    return [Problem(file, 0, f"{table}[{n}].id", i, *texts) for n, i in enumerate(ids, 1) if i in ids[: n - 1]]
