"""The catalogue of findings: what each check of a declaration or ledger is called, how grave it is, what it says and advises.

Belongs here: reading reference/findings.toml and making a `Finding` of a kind, a place and its figures. Does not belong here:
finding anything (`events_*`, readers of ledgers) and thresholds, which are parameters of the rule book.
"""

from __future__ import annotations

import string
import tomllib
from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

import reference
from contracts.events import FINDINGS
from resources.events import Finding
from resources.problems import Problem, listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

#: A cell is quoted no longer than this.
LONGEST_VALUE = 200
_WORSE = "severity_worse"


class FindingError(Exception):
    """The catalogue cannot be used; `problems` lists every error at once."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(f"findings: {len(problems)} 处错误 / {len(problems)} error(s)\n{listing(problems)}")


class Place(NamedTuple):
    """What a finding is about and where it stands; `period` is a day, month or year, `source_cell` line[column] or sheet!cell."""

    plant_id: str | None = None
    line_id: str | None = None
    outlet_id: str | None = None
    period: str | None = None
    source_file: str | None = None
    source_cell: str | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding. Texts and remedies hold the same figures in both languages. `severity_worse` is that of its grave cases:
    a row that no total counts, a value off by an order of magnitude; "" where all are alike.
    """

    id: str
    title_zh: str
    title_en: str
    severity: str
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str
    severity_worse: str = ""

    def finding(
        self, at: Place, value: str | None = None, figures: Mapping[str, object] | None = None,
        *, low: float | None = None, high: float | None = None, evidence: str | None = None, worse: bool = False,
    ) -> Finding:  # fmt: skip
        """The finding at a place; KeyError names a figure that its texts need and nobody gave. `value` itself is one."""
        shown = None if value is None else quoted(value)
        known = {"value": shown or "", **(figures or {})}
        zh = f"{self.zh}；{self.remedy_zh}".format_map(known)
        en = f"{self.en}; {self.remedy_en}".format_map(known)
        severity = (worse and self.severity_worse) or self.severity
        return Finding(self.id, severity, zh, en, *at[:4], shown, low, high, evidence, at.source_file, at.source_cell)


class Note(NamedTuple):
    """What is to be said of something whose place is known elsewhere; `column` of the row it stands in, "" for all of it."""

    kind: str
    column: str
    value: str | None
    figures: Mapping[str, object]
    high: float | None = None
    evidence: str | None = None

    def finding(self, kinds: Mapping[str, Kind], at: Place) -> Finding:
        """The finding at the place of its row, whose `source_cell` is the line."""
        if self.column:
            at = at._replace(source_cell=f"{at.source_cell}[{self.column}]")
        return kinds[self.kind].finding(at, self.value, self.figures, high=self.high, evidence=self.evidence)


def quoted(text: str) -> str:
    """A cell as it is shown to people: cut where it is very long, control characters spelt out."""
    plain = text if text.isprintable() else "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return plain if len(plain) <= LONGEST_VALUE else f"{plain[: LONGEST_VALUE - 1]}…"


def load_findings(path: Path | None = None) -> dict[str, Kind]:
    """The catalogue by id, in file order (default: the packaged one); FindingError lists every error."""
    path = reference.FOLDER / "findings.toml" if path is None else path
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("finding", [])
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        texts = f"不是 UTF-8 编码的 TOML: {error}", f"is no TOML in UTF-8: {error}"
        raise FindingError([Problem(path.name, 0, "", "", *texts, "改正所指位置", "correct that place")]) from error
    problems = [problem for number, row in enumerate(rows, 1) for problem in _wrong(path.name, number, row)]
    for repeated, n in Counter(str(row.get("id")) for row in rows).items():
        if n > 1:
            texts = "编号重复", "id is used twice"
            problems.append(
                Problem(path.name, 0, "finding.id", repeated, *texts, "改用另一编号", "give one another id")
            )
    if problems:
        raise FindingError(problems)
    return {row["id"]: Kind(**row) for row in rows}


def load_stages() -> dict[str, int]:
    """Place of each check in a list of those of one severity; of what the catalogue does not list under ""."""
    read = tomllib.loads((reference.FOLDER / "findings.toml").read_text(encoding="utf-8-sig"))
    places = {stage["id"]: i for i, stage in enumerate(read["stage"])}
    listed = {check: places[stage["id"]] for stage in read["stage"] for check in stage["checks"]}
    return {"": places["value"]} | {k: n for k in load_findings() for check, n in listed.items() if k.startswith(check)}


def _wrong(file: str, number: int, row: dict[str, object]) -> Iterator[Problem]:
    names = [f.name for f in fields(Kind)]
    for name in names:
        if name != _WORSE and (not isinstance(row.get(name), str) or not row[name]):
            texts = "缺少文字", "is no text", "填写该键", "give this key"
            yield Problem(file, 0, f"finding[{number}].{name}", str(row.get(name, "")), *texts)
    for name in [n for n in row if n not in names]:
        texts = "未知的键", "unknown key", f"改为其一: {', '.join(names)}", f"use one of: {', '.join(names)}"
        yield Problem(file, 0, f"finding[{number}].{name}", str(row[name]), *texts)
    severities = FINDINGS["severity"].values
    for name in ("severity", *([_WORSE] if _WORSE in row else [])):
        if row.get(name) not in severities:
            listed = ", ".join(severities)
            texts = "未知的级别", "unknown severity", f"改为其一: {listed}", f"use one of: {listed}"
            yield Problem(file, 0, f"finding[{number}].{name}", str(row.get(name, "")), *texts)
    zh, en = (_figures(f"{row.get(a)}{row.get(b)}") for a, b in (("zh", "remedy_zh"), ("en", "remedy_en")))
    if zh is None or zh != en:
        texts = (
            "占位符有误或两种文字不同",
            "broken placeholders, or not those of zh",
            "改正花括号",
            "correct the braces",
        )
        yield Problem(file, 0, f"finding[{number}].en", str(row.get("en", "")), *texts)


def _figures(text: str) -> set[str] | None:
    """Names in braces, those that are texts themselves without their language; None where the braces are broken."""
    try:
        return {
            name.removesuffix("_zh").removesuffix("_en") for _, name, _, _ in string.Formatter().parse(text) if name
        }
    except ValueError:
        return None
