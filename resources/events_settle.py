"""From the events of a line to stretches that never overlap: at each moment the strictest declared state holds.

Belongs here: open ends, overlaps, and what is said of both; caps of starts and stops. Does not belong here: reading and choosing
declarations (`events_rows`, `events_versions`), what a state does to an hour (`kernels`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from heapq import heappop, heappush
from itertools import accumulate, groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

from contracts.events import STATES
from resources.events import OPEN, ProcessState
from resources.findings import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from resources.events import Finding
    from resources.events_rows import Subjects
    from resources.events_terms import Terms
    from resources.events_versions import Event
    from resources.findings import Kind, Place

#: Events that are named where more stand against one.
NAMED = 3


class Span(NamedTuple):
    """An event with its end settled, and its rank: of several at one moment the lowest holds."""

    rank: tuple[int, datetime, str]
    start: datetime
    end: datetime
    event: Event


class Stretch(NamedTuple):
    """A part of a span on which it holds."""

    begin: datetime
    end: datetime
    span: Span


def settle_states(
    events: Iterable[Event], subjects: Subjects, terms: Terms, kinds: Mapping[str, Kind]
) -> tuple[list[ProcessState], list[Finding]]:
    """Stretches of every line, and findings on open ends, overlaps and caps."""
    states: list[ProcessState] = []
    findings: list[Finding] = []
    for _, some in groupby(sorted(events, key=lambda e: e.row.subject), key=lambda e: e.row.subject):
        spans = close(some, terms)
        stretches = list(sweep(spans))
        states += [_state(s) for s in stretches]
        said = (*_open(spans), *_overlaps(spans, stretches), *_caps(spans, _held(stretches), terms))
        findings += [note.finding(kinds, _place(span, subjects)) for span, note in said]
    return states, findings


def close(events: Iterable[Event], terms: Terms) -> list[Span]:
    """Spans of one line by start and id; one without an end lasts until the next event of the line begins, or is OPEN."""
    ordered = sorted(events, key=lambda e: (e.row.start, e.row.event_id))
    starts = [e.row.start for e in ordered]
    made = []
    for event in ordered:
        row = event.row
        following = bisect_right(starts, row.start)
        end = row.end or (starts[following] if following < len(starts) else OPEN)
        made.append(Span((terms.rank(row.what, row.start.date()), row.start, row.event_id), row.start, end, event))
    return made


def sweep(spans: list[Span]) -> Iterator[Stretch]:
    """The spans of a line cut so that none overlap: the lowest rank holds. Given by start, made by begin; O(n log n).

    Of one state declared twice the earlier start holds: its clock has run the longer.
    """
    # A heap of those that have begun; those that have ended leave it when they come to the top.
    begun: list[tuple[tuple[int, datetime, str], int]] = []
    edges = sorted({t for s in spans for t in (s.start, s.end)})
    coming = 0
    held: Stretch | None = None
    for edge, following in pairwise(edges):
        while coming < len(spans) and spans[coming].start <= edge:
            heappush(begun, (spans[coming].rank, coming))
            coming += 1
        while begun and spans[begun[0][1]].end <= edge:
            heappop(begun)
        top = spans[begun[0][1]] if begun else None
        if held and top is held.span and held.end == edge:
            held = held._replace(end=following)
            continue
        if held:
            yield held
        held = Stretch(edge, following, top) if top else None
    if held:
        yield held


def _state(stretch: Stretch) -> ProcessState:
    row = stretch.span.event.row
    return ProcessState(
        row.event_id, row.subject, row.what, row.start, stretch.begin, stretch.end, row.end, row.declared_at,
        stretch.span.event.late, row.evidence, row.path, row.line,
    )  # fmt: skip


def _place(span: Span, subjects: Subjects) -> Place:
    row = span.event.row
    at = subjects.place(row.subject, row.start.date())
    return at._replace(source_file=row.path, source_cell=str(row.line))


def _open(spans: list[Span]) -> Iterator[tuple[Span, Note]]:
    for span in spans:
        if span.end == OPEN:
            row = span.event.row
            yield span, Note("E32_open_state", "end", row.event_id, {"event": row.event_id, "state": row.what})


def _held(stretches: list[Stretch]) -> dict[int, float]:
    """Seconds for which each span holds, by its `id`."""
    own: dict[int, float] = {}
    for s in stretches:
        own[id(s.span)] = own.get(id(s.span), 0.0) + (s.end - s.begin).total_seconds()
    return own


def _long(seconds: float) -> str:
    """A length of time in the unit that a person would take."""
    if seconds < 60:
        return f"{round(seconds, 3):g} s"
    return f"{seconds / 60:.1f} min".replace(".0 ", " ") if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _overlaps(spans: list[Span], stretches: list[Stretch]) -> Iterator[tuple[Span, Note]]:
    """Events that do not hold in all of their time, with those that hold instead."""
    begins = [s.begin for s in stretches]
    ends = [s.end for s in stretches]
    of_state = {
        state: list(accumulate((s.span.event.row.what == state for s in stretches), initial=0)) for state in STATES
    }
    own = _held(stretches)
    for span in spans:
        lost = (span.end - span.start).total_seconds() - own.get(id(span), 0.0)
        if lost <= 0:
            continue
        first, last = bisect_right(ends, span.start), bisect_left(begins, span.end)
        row = span.event.row
        same = of_state[row.what][last] - of_state[row.what][first] == last - first
        others = _others(span, stretches, first, last)
        figures = {"event": row.event_id, "state": row.what, "lost": _long(lost), "others": others}
        kind = "E31_overlap_same_state" if same else "E30_overlap"
        yield span, Note(kind, "", row.event_id, figures, evidence=others)


def _others(span: Span, stretches: list[Stretch], first: int, last: int) -> str:
    """The first few events that hold in the time of a span, by name and state."""
    named: dict[str, None] = {}
    for n in range(first, last):
        row = stretches[n].span.event.row
        if stretches[n].span is not span:
            named[f"{row.event_id} ({row.what})"] = None
        if len(named) > NAMED:
            break
    return ", ".join(list(named)[:NAMED]) + (" …" if len(named) > NAMED else "")


def _stood(state: str, cap: float) -> dict[str, object]:
    """What to declare instead of a shutdown that goes on after the kiln has stopped; nothing for starts."""
    if state != "shutdown":
        return {"stood_zh": "", "stood_en": ""}
    return {
        "stood_zh": f"；窑已停下的时段应另报“停运”（stopped）；“停窑”只指停窑过程，限 {cap:g} h。",
        "stood_en": f"; a kiln that stands must be declared stopped; shutdown is only the process, cap {cap:g} h",
    }


def _caps(spans: list[Span], held: Mapping[int, float], terms: Terms) -> Iterator[tuple[Span, Note]]:
    """Starts and stops longer than their cap, alone or one right after another of the same kind."""
    chains: dict[str, tuple[datetime, datetime, str]] = {}
    for span in spans:
        row = span.event.row
        cap = terms.cap_h(row.what, row.start.date())
        if cap is None or span.end == OPEN:
            continue
        hours = (span.end - span.start).total_seconds() / 3600
        told: dict[str, object] = {"event": row.event_id, "state": row.what, "cap": cap}
        if hours > cap:
            # The clock of the cap runs by what is declared, whatever holds of it: both are told.
            told |= {"hours": hours, "held": _long(held.get(id(span), 0.0)), **_stood(row.what, cap)}
            yield span, Note("E34_longer_than_cap", "end", f"{hours:.1f} h", told, cap, row.event_id)
        since, until, before = chains.get(row.what, (span.start, span.start, ""))
        if before and span.start <= until:
            together = (max(until, span.end) - since).total_seconds() / 3600
            if together > cap:
                more = told | {"hours": together, "other": before}
                yield span, Note("E35_chained", "start", f"{together:.1f} h", more, cap, row.event_id)
        else:
            since, until = span.start, span.start
        chains[row.what] = since, max(until, span.end), row.event_id
