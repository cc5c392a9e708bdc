"""Why an export is refused: one error with the text people read.

Belongs here: the error and the way its text is put together. Does not belong here: finding what is wrong (the other `exports` modules).
"""

from __future__ import annotations


class ExportError(Exception):
    """An export cannot be read. The text says what is wrong and what to do: Chinese, ` / `, English."""

    def __init__(self, zh: str, en: str, remedy_zh: str, remedy_en: str) -> None:
        super().__init__(f"{zh}; {remedy_zh} / {en}; {remedy_en}")


def some(texts: list[str], limit: int = 12) -> str:
    """The first few of many texts."""
    shown = ", ".join(texts[:limit])
    return shown if len(texts) <= limit else f"{shown} … (+{len(texts) - limit})"
