"""Drawings of carbon: months by source, bars side by side, a waterfall of what moved, as plain SVG.

Belongs here: shapes from numbers. Does not belong here: which numbers (`report_carbon_facts`) and words around them (`report_carbon`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from assets.report_html import Html, tag
from assets.report_svg import svg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, HEIGHT, LEFT, BELOW = 620, 150, 62, 18
#: Colours of a source by its place among the sources of the page: what burns, then what the kiln drives off.
COLOURS = ("#5b6b7b", "#c4762b", "#e3b04b", "#7a9e4a", "#3f8f8a", "#7f6bb3", "#b35c7a", "#9aa5b1")
_STEPS = (1, 2, 2.5, 5, 10)


class Step(NamedTuple):
    """One bar of a waterfall: what it is called, where it begins and ends, and the class that colours it."""

    told: str
    begin: float
    end: float
    kind: str


def colour(place: int) -> str:
    """The colour of the source at a place; later ones share the last."""
    return COLOURS[min(place, len(COLOURS) - 1)]


def months(by_month: Mapping[str, Mapping[str, float] | None], sources: Sequence[str]) -> Html:
    """Twelve stacked bars in tCO2; None is a month without a number, a month that is not there stays empty. Deductions lie below zero."""
    sums = [v for m in by_month.values() if m is not None for v in _extent(m)]
    high, low = max([*sums, 1.0]), min([*sums, 0.0])
    step = nice_step(high - low)
    scale = HEIGHT / (high - low)
    zero = 8 + high * scale
    shapes = []
    for n in range(int(low // step), int(high // step) + 1):
        y = round(zero - n * step * scale, 1)
        shapes.append(tag("path", class_="grid", d=f"M{LEFT} {y}H{WIDTH}"))
        shapes.append(tag("text", f"{n * step:,.0f}", class_="axis", x=LEFT - 6, y=y + 3, text_anchor="end"))
    wide = (WIDTH - LEFT) / 12
    for i in range(12):
        key = f"{i + 1:02d}"
        x = LEFT + i * wide
        shapes.append(
            tag("text", i + 1, class_="axis", x=round(x + wide / 2, 1), y=HEIGHT + BELOW + 4, text_anchor="middle")
        )
        if key in by_month:
            shapes += _bar(key, by_month[key], sources, x + wide * 0.16, wide * 0.68, zero, scale)
    return svg(WIDTH, HEIGHT + BELOW + 8, shapes)


def _extent(values: Mapping[str, float]) -> tuple[float, float]:
    return sum(v for v in values.values() if v > 0), sum(v for v in values.values() if v < 0)


def _bar(
    month: str, values: Mapping[str, float] | None, sources: Sequence[str], x: float, wide: float, zero: float, scale: float
) -> list[Html]:  # fmt: skip
    if values is None:
        told = tag("title", f"{month}: 缺数，无数值 no number")
        return [
            tag("rect", told, class_="lacking", x=f"{x:.1f}", y=10, width=f"{wide:.1f}", height=f"{zero - 10:.1f}"),
            tag("text", "缺", class_="axis", x=f"{x + wide / 2:.1f}", y=f"{zero - 6:.1f}", text_anchor="middle"),
        ]
    shapes, up, down = [], zero, zero
    for place, source in enumerate(sources):
        value = values.get(source, 0.0)
        if not value:
            continue
        tall = abs(value) * scale
        top = up - tall if value > 0 else down
        up, down = (top, down) if value > 0 else (up, down + tall)
        told = tag("title", f"{month} {source}: {value:,.2f} tCO2")
        shapes.append(
            tag(
                "rect",
                told,
                fill=colour(place),
                x=f"{x:.1f}",
                y=f"{top:.1f}",
                width=f"{wide:.1f}",
                height=f"{tall:.1f}",
            )
        )
    return shapes


def nice_step(span: float) -> float:
    """A round distance of the lines of a grid: three to six of them in `span`."""
    power = 1.0
    while span / power > 50:
        power *= 10
    return next((s * power for s in _STEPS if span / (s * power) <= 5), 10 * power)


def length(value: float | None, most: float, kind: str, width: int = 180) -> Html:
    """A bar as long as its share of the longest one; an empty frame where there is no number."""
    shapes = [tag("rect", x=0.5, y=0.5, width=width - 1, height=11, class_="ground")]
    if value is not None and most > 0:
        shapes.append(tag("rect", x=0, y=0, width=f"{max(0.0, width * value / most):.1f}", height=12, class_=kind))
    return svg(width, 12, shapes)


def waterfall(steps: Sequence[Step]) -> Html:
    """Bars below each other from where each begins to where it ends; the axis holds what moves and need not begin at zero."""
    moving = [s for s in steps if s.kind != "stand"]
    ends = [v for s in moving or steps for v in (s.begin, s.end)]
    low, high = min(ends), max(ends)
    room = (high - low or abs(high) or 1.0) * 0.15
    low, high = low - room, high + room
    left, row = 300, 20
    scale = (WIDTH + 60 - left - 110) / (high - low)
    shapes = []
    for i, step in enumerate(steps):
        y = i * row + 3
        begin = low if step.kind == "stand" else step.begin
        x, wide = sorted((left + (v - low) * scale) for v in (begin, step.end))
        wide -= x
        delta = step.end - step.begin
        said = f"{step.end:,.2f}" if step.kind == "stand" else f"{delta:+,.2f}"
        shapes.append(tag("text", step.told, class_="label", x=left - 8, y=y + 11, text_anchor="end"))
        shapes.append(tag("rect", class_=step.kind, x=f"{x:.1f}", y=y, width=f"{max(wide, 1.0):.1f}", height=14))
        shapes.append(tag("text", said, class_="label", x=f"{x + wide + 5:.1f}", y=y + 11))
    return svg(WIDTH + 60, len(steps) * row + 4, shapes)
