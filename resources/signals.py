"""The catalogue of signals: what each one is called, how serious it is, and what it says in Chinese and English.

Belongs here: reading reference/signals.toml and filling its texts. Does not belong here: finding signals (`assets`) and
their thresholds, which are parameters of the rule book.
"""

from __future__ import annotations

import string
import tomllib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import reference
from contracts.cems import CEMS_SIGNALS
from resources.problems import Problem, listing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class SignalError(Exception):
    """The catalogue cannot be used; `problems` lists every error at once."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(f"signals: {len(problems)} 处错误 / {len(problems)} error(s)\n{listing(problems)}")


@dataclass(frozen=True, slots=True)
class Signal:
    """One kind of signal. `threshold` names a parameter of the rule book, "" where there is none."""

    id: str
    title_zh: str
    title_en: str
    severity: str
    threshold: str
    zh: str
    en: str

    def texts(self, **figures: float | str) -> tuple[str, str]:
        """Both texts with their figures; KeyError names a figure that is missing."""
        return self.zh.format_map(figures), self.en.format_map(figures)


def load_signals(path: Path | None = None) -> dict[str, Signal]:
    """The catalogue by id, in file order (default: the packaged one); SignalError lists every error."""
    path = reference.FOLDER / "signals.toml" if path is None else path
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("signal", [])
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        wrong = (
            f"不是 UTF-8 编码的 TOML: {error}",
            f"is no TOML in UTF-8: {error}",
            "改正所指位置",
            "correct that place",
        )
        raise SignalError([Problem(path.name, 0, "", "", *wrong)]) from error
    problems = [problem for number, row in enumerate(rows, 1) for problem in _wrong(path.name, number, row)]
    problems += _repeated(path.name, [str(row.get("id")) for row in rows])
    if problems:
        raise SignalError(problems)
    return {row["id"]: Signal(**row) for row in rows}


def _wrong(file: str, number: int, row: dict[str, object]) -> Iterable[Problem]:
    names = [f.name for f in fields(Signal)]
    for name in names:
        if not isinstance(row.get(name), str) or (not row[name] and name != "threshold"):
            texts = "缺少文字", "is no text", "填写该键", "give this key"
            yield Problem(file, 0, f"signal[{number}].{name}", str(row.get(name, "")), *texts)
    for name in [n for n in row if n not in names]:
        texts = "未知的键", "unknown key", f"改为其一: {', '.join(names)}", f"use one of: {', '.join(names)}"
        yield Problem(file, 0, f"signal[{number}].{name}", str(row[name]), *texts)
    severities = CEMS_SIGNALS["severity"].values
    if row.get("severity") not in severities:
        listed = ", ".join(severities)
        texts = "未知的级别", "unknown severity", f"改为其一: {listed}", f"use one of: {listed}"
        yield Problem(file, 0, f"signal[{number}].severity", str(row.get("severity", "")), *texts)
    zh, en = _figures(row.get("zh")), _figures(row.get("en"))
    if zh is None or zh != en:
        texts = (
            "占位符有误或两种文字不同",
            "broken placeholders, or not those of zh",
            "改正花括号",
            "correct the braces",
        )
        yield Problem(file, 0, f"signal[{number}].en", str(row.get("en", "")), *texts)


def _figures(text: object) -> set[str] | None:
    """Names in braces; None where the braces themselves are broken."""
    try:
        return {name for _, name, _, _ in string.Formatter().parse(str(text)) if name}
    except ValueError:
        return None


def _repeated(file: str, ids: list[str]) -> list[Problem]:
    texts = "编号重复", "id is used twice", "改用另一编号", "give one of them another id"
    return [Problem(file, 0, f"signal[{n}].id", i, *texts) for n, i in enumerate(ids, 1) if i in ids[: n - 1]]
