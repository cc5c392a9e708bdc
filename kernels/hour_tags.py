"""The tag of an hour: what most of it was, from the classes of its sixty minutes (air-rules 3.2).

Belongs here: joining stretches of invalid minutes, and precedence and thresholds of tags. Does not belong here: what a minute's
class is (`minutes`, `declared`), what tags are called (`assets/hour_rules.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from numba import njit

from kernels import minutes as at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernels.minutes import Bytes, Longs


class Tags(NamedTuple):
    """Tags by precedence: `classes` and `least`, the class of each and the minutes that it takes; an hour that meets none
    gets the index after the last one. `joins`, `rank` (N_CLASSES,): classes whose unbroken stretches are joined across labels,
    and the precedence of each.
    """

    classes: Longs
    least: Longs
    joins: NDArray[np.bool_]
    rank: Longs


@njit(cache=True, nogil=True)
def join_invalid(state: Bytes, tags: Tags, counts: Longs, run: Longs) -> None:
    """Count an hour's minutes by class after joining stretches of invalid minutes across labels (air-rules 3.2).

    `state` (60,) of one channel. Every unbroken stretch of classes that join counts wholly for the class with most of its
    minutes, of equals for the first by rank. `counts` and `run` (scratch) have one entry a class; a minute without a record
    counts as MISSING.
    """
    counts[:] = 0
    length = 0
    for m in range(61):
        code = at.VALID if m == 60 else state[m] & at.CLASS_BITS
        if code == at.NONE:
            code = at.MISSING
        if m < 60 and tags.joins[code]:
            if length == 0:
                run[:] = 0
            run[code] += 1
            length += 1
            continue
        if length:
            best = -1
            for c in range(run.size):
                if run[c] and (
                    best < 0 or run[c] > run[best] or (run[c] == run[best] and tags.rank[c] < tags.rank[best])
                ):
                    best = c
            counts[best] += length
            length = 0
        if m < 60:
            counts[code] += 1


@njit(cache=True, nogil=True)
def tag_of(counts: Longs, tags: Tags) -> int:
    """Index of the first tag whose minutes suffice (air-rules 3.2), `tags.classes.size` when none does.

    `counts`: minutes per class, (N_CLASSES,). Each tag is judged alone. Minutes without a record are missing data.
    """
    for tag in range(tags.classes.size):
        minutes = counts[tags.classes[tag]]
        if tags.classes[tag] == at.MISSING:
            minutes += counts[at.NONE]
        if minutes >= tags.least[tag]:
            return tag
    return int(tags.classes.size)


@njit(cache=True, nogil=True)
def tag_hour(state: Bytes, process: Bytes, told: bool, stopped: int, tags: Tags, counts: Longs) -> tuple[int, bool]:
    """Tag of an hour that bears declarations or invalid minutes, and whether declared minutes are among those it rests on.

    `state`, `process` (60,); `counts` gains the valid minutes of each process state: they count for their tag and as valid.
    """
    if told:
        for m in range(60):
            if process[m] and process[m] != stopped and state[m] & at.CLASS_BITS == at.VALID:
                counts[process[m]] += 1
    tag = tag_of(counts, tags)
    if tag == tags.classes.size:
        return tag, False
    won = tags.classes[tag]
    for m in range(60):
        if (state[m] & at.DECLARED and state[m] & at.CLASS_BITS == won) or (told and process[m] == won):
            return tag, True
    return tag, False
