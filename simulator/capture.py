"""One plant's capture of one day: bytes, and what a correct reader makes of each frame.

Belongs here: printing the traffic, carrying out the damage, keeping count of offsets. Does not belong here: files
(`landing`) and the tables of the truth (`truth`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernels import packets
from simulator import draws
from simulator.damage import Patient, Wound, check_sum, choose, cut_short, wound
from simulator.frames import CLOCK_JUMP, WHAT
from simulator.traffic import PlantDay, Setting, plant_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.dirt import Dirt
    from simulator.spelling import Form, Speller
    from simulator.world import SimOutlet, SimPlant

_ACCEPTED = ""


@dataclass(frozen=True)
class Capture:
    """Bytes of one plant and day in pieces, and per frame: offset of `##` from the first byte, length, why it is quarantined
    ("" = accepted) and what it is. `wounds` by frame. `pieces` may point into a buffer that the next capture reuses.
    """

    day: PlantDay
    pieces: list[memoryview | bytes]
    size: int
    offset: NDArray[np.int64]
    length: NDArray[np.int64]
    reason: NDArray[np.object_]
    what: NDArray[np.object_]
    wounds: dict[int, Wound]


class Buffer:
    """The bytes that captures are printed into, one after the other; grows to the largest."""

    def __init__(self) -> None:
        self._bytes = np.empty(0, np.uint8)

    def of(self, size: int) -> NDArray[np.uint8]:
        """At least `size` bytes of unspecified content."""
        if self._bytes.size < size:
            self._bytes = np.empty(size * 5 // 4, np.uint8)
        return self._bytes


def make_capture(
    plant: SimPlant, outlets: Sequence[SimOutlet], speller: Speller, setting: Setting, day: int, buffer: Buffer, *, ends_file: bool
) -> Capture:  # fmt: skip
    """The capture of one plant on `day`; `ends_file`: a file may end inside its last frame."""
    made = plant_day(outlets, speller, setting, day)
    out, marks = _printed(made, speller, buffer)
    rng = draws.generator(setting.seed, draws.DAMAGE, plant.index, day)
    allowed = np.array([s.outlet.device.allowed for s in made.sheets])[made.traffic.sheet]
    wounds = _wounds(made, outlets, speller, out, marks, allowed, setting.dirt, rng)
    if ends_file and rng.random() < setting.dirt.cut_end and marks.shape[0]:
        last = marks.shape[0] - 1
        wounds[last] = cut_short(_bytes(out, marks, last), rng)
    pieces, offset, length = _assembled(out, marks, wounds)
    reason, what = _judged(made, out, marks, allowed, wounds)
    return Capture(made, pieces, sum(len(p) for p in pieces), offset, length, reason, what, wounds)


def _printed(made: PlantDay, speller: Speller, buffer: Buffer) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    traffic = made.traffic
    sizes = np.array([s.rows.size for s in made.sheets])
    widths = np.array([s.rows.shape[1] for s in made.sheets])
    base = (np.cumsum(sizes) - sizes)[traffic.sheet] + traffic.row * widths[traffic.sheet]
    values = np.concatenate([s.rows.ravel() for s in made.sheets])
    times = np.stack([traffic.data_time, traffic.qn, traffic.arrival], axis=1)
    out = buffer.of(int(speller.tables.widest()[traffic.form].sum()))
    marks = np.empty((traffic.form.size, 3), np.int64)
    packets.print_frames(speller.tables, traffic.form.astype(np.int32), base, times, values, out, marks)
    return out, marks


def _bytes(out: NDArray[np.uint8], marks: NDArray[np.int64], frame: int) -> bytes:
    return out[marks[frame, 1] : marks[frame, 2]].tobytes()


def _wounds(
    made: PlantDay, outlets: Sequence[SimOutlet], speller: Speller, out: NDArray[np.uint8], marks: NDArray[np.int64],
    allowed: NDArray[np.bool_], dirt: Dirt, rng: np.random.Generator,
) -> dict[int, Wound]:  # fmt: skip
    traffic = made.traffic
    interval_or_hour = np.isin(traffic.cn, (2051, 2061)) & (traffic.what != CLOCK_JUMP) & allowed
    eligible = {
        "broken": interval_or_hour,
        "cells": traffic.sole & (traffic.cn == 2051) & allowed,
        "whole": np.ones(traffic.cn.size, np.bool_),
    }
    form_of: dict[int, tuple[Form, SimOutlet]] = {}
    for outlet, forms in zip(outlets, speller.forms, strict=True):
        for parts in forms.values():
            form_of |= {form.index: (form, outlet) for form in parts}
    result: dict[int, Wound] = {}
    for frame, kind in choose(dirt, eligible, rng):
        form, outlet = form_of[int(traffic.form[frame])]
        made_wound = wound(kind, Patient(_bytes(out, marks, frame), outlet, form), rng)
        if made_wound is not None:
            result[frame] = made_wound
    return result


def _assembled(
    out: NDArray[np.uint8], marks: NDArray[np.int64], wounds: dict[int, Wound]
) -> tuple[list[memoryview | bytes], NDArray[np.int64], NDArray[np.int64]]:
    """Pieces in order, offset of each frame's `##`, length of each frame."""
    view = out.data
    pieces: list[memoryview | bytes] = []
    n = marks.shape[0]
    grown_before, grown = np.zeros(n, np.int64), np.zeros(n, np.int64)
    length = marks[:, 2] - marks[:, 1]
    done = 0
    for frame, harm in sorted(wounds.items()):
        first, opens, end = marks[frame].tolist()
        pieces += [view[done:first], harm.before, view[first:opens], harm.data]
        done = end
        grown_before[frame] = len(harm.before)
        grown[frame] = len(harm.data) - (end - opens)
        if harm.kind != "nul_between":
            length[frame] = len(harm.data)
    pieces.append(view[done : int(marks[-1, 2]) if n else 0])
    shift = np.cumsum(grown_before) + np.cumsum(grown) - grown
    return [p for p in pieces if len(p)], marks[:, 1] + shift, length


def _judged(
    made: PlantDay,
    out: NDArray[np.uint8],
    marks: NDArray[np.int64],
    allowed: NDArray[np.bool_],
    wounds: dict[int, Wound],
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Why each frame is quarantined ("" = accepted), and what it is."""
    traffic = made.traffic
    what = np.array(WHAT, object)[traffic.what]
    reason = np.full(traffic.cn.size, _ACCEPTED, object)
    reason[traffic.what == CLOCK_JUMP] = "data_time_window"
    for frame in np.flatnonzero(~allowed).tolist():
        raw = _bytes(out, marks, frame)
        # A Modbus check sum that happens to be the HJ 212 one as well is not recognisable as a variant.
        if check_sum(raw[6:-6], "upper") != raw[-6:-2]:
            what[frame], reason[frame] = "crc_variant", "crc_variant"
    for frame, harm in wounds.items():
        what[frame] = harm.kind
        if harm.reason:
            reason[frame] = harm.reason
    return reason, what
