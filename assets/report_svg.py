"""Drawings of the report: strips of hours and small bars, as plain SVG.

Belongs here: shapes from numbers. Does not belong here: which numbers (`report`) and words around them (`report_sections`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from assets.report_html import Html, joined, tag

if TYPE_CHECKING:
    from collections.abc import Iterable

HEIGHT = 16
HOURS_A_DAY = 24


class Run(NamedTuple):
    """Hours of one kind in a row: the first, counted from the start of the month, how many, and what a pointer is told."""

    kind: str
    first: int
    hours: int
    told: str


def strip(runs: Iterable[Run], days: int) -> Html:
    """A month as a strip, one pixel an hour; hours that no run covers stay empty."""
    width = days * HOURS_A_DAY
    shapes = [tag("rect", x=0.5, y=0.5, width=width + 1, height=HEIGHT - 1, class_="ground")]
    for run in runs:
        told = tag("title", run.told) if run.told else None
        shapes.append(tag("rect", told, class_=run.kind, x=run.first + 1, y=1, width=run.hours, height=HEIGHT - 2))
    ticks = "".join(f"M{d * HOURS_A_DAY + 1} 1v{HEIGHT - 2}" for d in range(1, days))
    shapes.append(tag("path", class_="tick", d=ticks))
    return svg(width + 2, HEIGHT, shapes)


def axis(days: int) -> Html:
    """The days of a month above its strips."""
    numbers = [tag("text", d + 1, class_="axis", x=d * HOURS_A_DAY + 3, y=10) for d in range(days)]
    return svg(days * HOURS_A_DAY + 2, 13, numbers)


def swatch(kind: str) -> Html:
    """A colour of the legend."""
    return svg(22, 12, [tag("rect", class_=kind, x=0, y=0, width=22, height=12)])


def swatch_of(fill: str) -> Html:
    """A colour of a legend that no class names."""
    return svg(22, 12, [tag("rect", fill=fill, x=0, y=0, width=22, height=12)])


def bar(share_pct: float | None, marks: tuple[float, ...] = ()) -> Html:
    """A share of 100 % with marks at the floors it is held against; an empty frame where there is none."""
    shapes = [tag("rect", x=0.5, y=0.5, width=99, height=9, class_="ground")]
    if share_pct is not None:
        below = any(share_pct < m for m in marks)
        shapes.append(tag("rect", x=0, y=0, width=f"{share_pct:.1f}", height=10, class_="fail" if below else "ok"))
    shapes += [tag("rect", x=m, y=0, width=1, height=10, fill="#1d2630") for m in marks]
    return svg(100, 10, shapes)


def svg(width: int, height: int, shapes: Iterable[Html]) -> Html:
    """A drawing of this size, to the pixel."""
    box = f"0 0 {width} {height}"
    return tag("svg", joined(shapes), width=width, height=height, viewBox=box, shape_rendering="crispEdges")
