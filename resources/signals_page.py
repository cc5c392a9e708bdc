"""The page about the signals, in both languages, from the catalogue and the rule book: `python -m resources.signals_page`.

Belongs here: laying out docs/signals.md and docs/signals.zh-CN.md; a test holds page and catalogue together. Does not belong
here: the catalogue (`signals`), thresholds (`rules`).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from contracts import meanings as m
from resources.rules import RuleBook
from resources.signals import LONG_WINDOWS, load_absent, load_signals

if TYPE_CHECKING:
    from resources.rules import Parameter
    from resources.signals import Signal

_DOCS = Path(__file__).parents[1] / "docs"
#: Language -> file.
PAGES = {"en": "signals.md", "zh": "signals.zh-CN.md"}
_BASIS = {
    "official": ("官方文件点名", "named in an official paper"),
    "secondary": ("公开规则库", "public rule bases"),
    "engineering": ("本项目", "this project"),
}
_WINDOW = {
    "minutes": ("分钟", "minutes"),
    "hours": ("小时", "hours"),
    "day": ("一日", "a day"),
    "days": ("多日", "days"),
    "month": ("一月", "a month"),
}
_WORDS: dict[str, tuple[str, str]] = {
    "title": ("数据信号目录", "The catalogue of signals"),
    "intro": (
        (
            "由 `reference/signals.toml` 与 `reference/rules/` 生成 (`python -m resources.signals_page`), 请勿手改。\n\n"
            "信号指出有人应当查看之处: 不是结论, 不改任何数据, 也不影响达标判定。阈值是规则包中的参数, 专家可在 `reference/rules/` 中修改; "
            "未见官方数值者为工程取值 (标注 U)。分钟、小时、一日的信号写入 `cems_signals` (按日), 多日与一月的写入 `cems_patterns` (按月); "
            "两表列相同, 每行是一个排放口、一个通道的一段情形, `start`、`end` 为其起止。"
        ),
        (
            "Made from `reference/signals.toml` and `reference/rules/` (`python -m resources.signals_page`); do not edit.\n\n"
            "A signal says where somebody should look: it is no verdict, edits no data and moves no judgement. Thresholds are parameters of "
            "the rule packs, which an expert can change in `reference/rules/`; where no official figure was found they are engineering choices "
            "(mark U). Signals over minutes, hours and a day stand in `cems_signals` (by day), those over days and months in `cems_patterns` "
            "(by month); both have the same columns, a row is one episode of one channel of one outlet from `start` to `end`."
        ),
    ),
    "head": (
        "编号|名称|级别|出处|时段|阈值与参数|需要",
        "id|title|severity|basis|window|threshold and parameters|needs",
    ),
    "texts": ("各信号的说明文字", "What each one says"),
    "absent": ("不计算的核查", "Checks that are not computed"),
    "absent_intro": (
        "下列核查缺少数据来源, 因此不计算, 也不以其他数据代替。",
        "Nothing gives what these need, so they are not computed, and nothing else is taken in its place.",
    ),
    "absent_head": ("编号|名称|缺什么|为什么", "id|title|needs|why"),
}


def page(language: str, book: RuleBook, day: date) -> str:
    """The page in "zh" or "en", with the parameters in force on `day`."""
    k = 0 if language == "zh" else 1
    signals = load_signals().values()
    lines = [f"# {_WORDS['title'][k]}", "", _WORDS["intro"][k], "", *_head(_WORDS["head"][k])]
    for long in (False, True):
        lines += [_row(s, book, day, k) for s in signals if (s.window in LONG_WINDOWS) == long]
    lines += ["", f"## {_WORDS['texts'][k]}", ""]
    lines += [f"* `{s.id}`: {s.zh if k == 0 else s.en}" for s in signals]
    lines += ["", f"## {_WORDS['absent'][k]}", "", _WORDS["absent_intro"][k], "", *_head(_WORDS["absent_head"][k])]
    for a in load_absent():
        lines.append(_cells(f"`{a.id}`", (a.title_zh, a.title_en)[k], ", ".join(a.needs), (a.zh, a.en)[k]))
    return "\n".join(lines) + "\n"


def _row(signal: Signal, book: RuleBook, day: date, k: int) -> str:
    names = [*([signal.threshold] if signal.threshold else []), *signal.parameters]
    parameters = "<br>".join(_parameter(book.parameter(name, day)) for name in names)
    return _cells(
        f"`{signal.id}`", (signal.title_zh, signal.title_en)[k], m.SEVERITY[signal.severity][k] if k == 0 else signal.severity,
        _BASIS[signal.basis][k], _WINDOW[signal.window][k], parameters, ", ".join(f"`{n}`" for n in signal.needs),
    )  # fmt: skip


def _parameter(parameter: Parameter) -> str:
    value = f"{parameter.value:g}" if isinstance(parameter.value, int | float) else str(parameter.value)
    return f"`{parameter.name}` = {value} {parameter.unit}".rstrip() + f" ({parameter.confidence})"


def _head(titles: str) -> list[str]:
    names = titles.split("|")
    return [_cells(*names), "|" + "---|" * len(names)]


def _cells(*texts: str) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"


def write(folder: Path = _DOCS) -> None:
    """Write both pages, with the parameters in force at the start of 2026."""
    book = RuleBook.load()
    for language, name in PAGES.items():
        (folder / name).write_text(page(language, book, DAY), encoding="utf-8")


#: Parameters on the pages are those in force on this day.
DAY = date(2026, 1, 1)

if __name__ == "__main__":
    write()
