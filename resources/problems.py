"""What is wrong with a file that people write, where it stands, and what to do.

Belongs here: the one record that registry and rule packs report errors with. Does not belong here: finding them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one cell, row or file.

    `row` is the 1-based line of the file (0 = the whole file); `column` names the cell, `value` is what stands there;
    both are empty where none applies.
    """

    file: str
    row: int
    column: str
    value: str
    text_zh: str
    text_en: str
    remedy_zh: str
    remedy_en: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.row}" if self.row else self.file
        cell = f" [{self.column}={self.value!r}]" if self.column else ""
        return f"{where}{cell} {self.text_zh} / {self.text_en} -> {self.remedy_zh} / {self.remedy_en}"


def listing(problems: list[Problem]) -> str:
    """One line per problem."""
    return "\n".join(f"  {p}" for p in problems)
