"""Columns on a terminal, where a Chinese character takes two places.

Belongs here: aligning cells. Does not belong here: what the cells say.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def wide(text: str) -> int:
    """Columns that a text takes on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def aligned(lines: Sequence[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Lines of cells as columns; the last column is left as it is."""
    widths = [max(wide(line[k]) for line in lines) for k in range(len(lines[0]))]
    aligned = set(right)
    made = []
    for line in lines:
        cells = []
        for k, cell in enumerate(line):
            gap = " " * (widths[k] - wide(cell))
            cells.append(gap + cell if k in aligned else cell + gap)
        made.append("  ".join(cells).rstrip())
    return "\n".join(made)
