"""HJ 212 frames out of a byte buffer in one pass: find, check, tokenise, convert.

Belongs here: the frame grammar (HJ 212-2017 6.3.1 and table 2), its CRC check and resynchronisation. Does not belong here: what is inside a
segment (`kernels/hj212_fields.py`), files and decompression (`resources/captures.py`), which MN and which
factor codes exist (given as tables), what a refused frame is called (`contracts`), and merging of rows (`kernels/merge.py`).

Every byte of a buffer ends in exactly one of three heaps: an accepted frame, a quarantined frame, or noise; the scan returns
the position up to which that has been decided, so a caller can go on from there with more bytes.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.crc import crc_hj212, crc_modbus
from kernels.hj212_fields import SUBFIELDS, find_data_time, parse_data, parse_head
from kernels.hj212_names import find_mn, mn_table, name_table
from kernels.hj212_time import NO_TIME, hex4, is_digit, number

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.int64]

# Outcomes of a frame; 0 is accepted, the others are reasons for quarantine.
ACCEPTED = 0
BAD_HEADER = 1
TRUNCATED = 2
BAD_LENGTH = 3
BAD_CRC = 4
CRC_VARIANT = 5
ENCRYPTED = 6
NO_DATA_AREA = 7
NO_CN = 8
UNKNOWN_MN = 9
BAD_DATA_TIME = 10
DATA_TIME_WINDOW = 11

# CRC variants of a frame, as bits of a device's permission mask.
VARIANT_HJ212 = 1
VARIANT_MODBUS = 2
VARIANT_MODBUS_SWAPPED = 4

#: Longest frame: ## LEN4 SEGMENT(9999) CRC4 CR LF, with UTF-8 text counted in characters.
LONGEST_FRAME = 4 * 9999 + 12
DAY_MS = 86_400_000
#: Cells that one frame can have at the most: 9999 characters, two for the shortest.
MOST_CELLS = 5120


@njit(cache=True, nogil=True)
def _line_end(buf: Bytes, p: int, skip: int) -> int:
    """End of what a broken frame at `p` may claim: a line feed (included), the next `##`, or the longest frame's length."""
    at = p + skip
    hi = min(buf.size, p + LONGEST_FRAME)
    while at < hi:
        b = buf[at]
        if b == 10:
            return at + 1
        if b == 35 and at + 1 < hi and buf[at + 1] == 35:
            return at
        at += 1
    return hi


@njit(cache=True, nogil=True)
def _characters(buf: Bytes, lo: int, hi: int) -> int:
    """Characters of UTF-8 text: bytes that do not continue one."""
    n = 0
    for i in range(lo, hi):
        if (buf[i] & 0xC0) != 0x80:
            n += 1
    return n


@njit(cache=True, nogil=True)
def _skip_line_break(buf: Bytes, at: int, hi: int) -> int:
    if at < hi and buf[at] == 13:
        at += 1
    if at < hi and buf[at] == 10:
        at += 1
    return at


@njit(cache=True, nogil=True)
def _variant(buf: Bytes, lo: int, hi: int, declared: int) -> int:
    """Which CRC the declared value is over buf[lo:hi]: a VARIANT bit, or 0."""
    if declared < 0:
        return 0
    if crc_hj212(buf, lo, hi) == declared:
        return VARIANT_HJ212
    modbus = crc_modbus(buf, lo, hi)
    if modbus == declared:
        return VARIANT_MODBUS
    if ((modbus & 255) << 8 | modbus >> 8) == declared:
        return VARIANT_MODBUS_SWAPPED
    return 0


@njit(cache=True, nogil=True)
def _looks_encrypted(buf: Bytes, lo: int, hi: int, head: Ints) -> bool:
    """HJ 212-2025 head and a data area with bytes that no plain area has (SM4 blocks are binary)."""
    parse_head(buf, lo, hi, head)
    if head[1] != 2:
        return False
    at = lo
    while at + 2 < hi and not (buf[at] == 67 and buf[at + 1] == 80 and buf[at + 2] == 61):
        at += 1
    for i in range(at, hi):
        if buf[i] < 32 or buf[i] == 127:
            return True
    # UTF-8 text may hold high bytes, but never a stray continuation byte.
    for i in range(at + 1, hi):
        if (buf[i] & 0xC0) == 0x80 and buf[i - 1] < 128:
            return True
        if buf[i] >= 0xC0 and (i + 1 == hi or (buf[i + 1] & 0xC0) != 0x80):
            return True
    return False


@njit(cache=True, nogil=True)
def _bound(buf: Bytes, p: int, hi: int, at_end: bool, head: Ints, bound: Ints) -> bool:
    """Where the frame that opens at `p` ends and whether it holds: bound = [end, segment_hi, outcome, variant].

    Returns False when the buffer ends before that is known (never when `at_end`).
    """
    length = number(buf, p + 2, 4)
    seg = p + 6
    cut = seg + length
    bound[3] = 0
    if cut + 4 <= hi:
        declared = hex4(buf, cut)
        variant = _variant(buf, seg, cut, declared)
        if variant:
            if not at_end and cut + 6 > hi:
                return False
            bound[0] = _skip_line_break(buf, cut + 4, hi)
            bound[1] = cut
            bound[2] = ACCEPTED
            bound[3] = variant
            return True
        if (
            declared >= 0
            and cut + 5 < hi
            and buf[cut + 4] == 13
            and buf[cut + 5] == 10
            and _looks_encrypted(buf, seg, cut, head)
        ):
            bound[0] = cut + 6
            bound[1] = cut
            bound[2] = ENCRYPTED
            return True
    elif not at_end:
        return False
    end = _line_end(buf, p, 6)
    if end == hi and not at_end and hi - p < LONGEST_FRAME:
        return False
    last = end
    if last > seg and buf[last - 1] == 10:
        last -= 1
    if last > seg and buf[last - 1] == 13:
        last -= 1
    bound[0] = end
    bound[1] = last
    bound[2] = BAD_CRC
    if last - 4 >= seg:
        variant = _variant(buf, seg, last - 4, hex4(buf, last - 4))
        if variant == VARIANT_HJ212:
            bound[1] = last - 4
            # LEN counts characters, not bytes: a frame with Chinese text is whole although its bytes are more.
            exact = _characters(buf, seg, last - 4) == length
            bound[2] = ACCEPTED if exact else BAD_LENGTH
            bound[3] = VARIANT_HJ212
            return True
    if cut + 4 > hi and end == hi:
        bound[2] = TRUNCATED
    return True


@njit(cache=True, nogil=True)
def _holds_header(buf: Bytes, lo: int, hi: int) -> bool:
    for i in range(lo, hi - 5):
        if buf[i] == 35 and buf[i + 1] == 35 and is_digit(buf[i + 2]) and is_digit(buf[i + 5]):
            return True
    return False


@njit(cache=True, nogil=True)
def scan(
    buf: Bytes,
    start: int,
    stop: int,
    at_end: bool,
    name_keys: NDArray[np.uint64],
    name_values: NDArray[np.int16],
    mn_bytes: NDArray[np.uint8],
    mn_lengths: NDArray[np.int32],
    mn_slots: NDArray[np.int32],
    mn_variants: NDArray[np.int8],
    window_lo: int,
    window_hi: int,
    frames: Ints,
    values: NDArray[np.float64],
    dps: NDArray[np.uint32],
    flags: NDArray[np.uint8],
    seen: NDArray[np.uint8],
    cells: Ints,
    counts: Ints,
) -> int:
    """Scan buf[start:] for frames that open before `stop`; the wrapper below says what goes in and comes out."""
    hi = buf.size
    n_frames = 0
    n_rows = 0
    n_cells = 0
    noise = 0
    head = np.zeros(8, np.int64)
    bound = np.zeros(4, np.int64)
    p = start
    while True:
        q = p
        while q < hi and q < stop and buf[q] != 35:
            q += 1
        noise += q - p
        p = q
        if p >= stop or p >= hi:
            break
        # Enough room for the worst frame, else come back with empty tables.
        if n_frames >= frames.shape[0] or n_rows >= values.shape[1] or n_cells + MOST_CELLS > cells.shape[0]:
            break
        if p + 6 >= hi and not at_end:
            break
        if p + 1 >= hi or buf[p + 1] != 35:
            noise += 1
            p += 1
            continue
        if p + 2 < hi and buf[p + 2] == 35:
            noise += 1
            p += 1
            continue
        digits = p + 6 <= hi
        for i in range(p + 2, min(p + 6, hi)):
            digits = digits and is_digit(buf[i])
        if not digits:
            end = _line_end(buf, p, 2)
            if end == hi and not at_end and hi - p < LONGEST_FRAME:
                break
            outcome = ACCEPTED
            for i in range(p + 2, end):
                if buf[i] == 61:
                    outcome = BAD_HEADER
            if outcome == ACCEPTED:
                # `##` in running text, not a frame that lost its length.
                noise += 2
                p += 2
                continue
            head[0] = -1
            head[1] = 0
            head[2] = NO_TIME
            head[3] = 0
            head[4] = 0
            _add_frame(frames, n_frames, p, end, BAD_HEADER, 0, -1, head, -1, find_data_time(buf, p + 2, end))
            n_frames += 1
            p = end
            continue
        if not _bound(buf, p, hi, at_end, head, bound):
            break
        end = bound[0]
        outcome = bound[2]
        variant = bound[3]
        parse_head(buf, p + 6, bound[1], head)
        mn = find_mn(buf, head[3], head[4], mn_bytes, mn_lengths, mn_slots)
        row = -1
        time = NO_TIME
        if outcome != ACCEPTED:
            time = find_data_time(buf, p + 6, bound[1])
        elif variant != VARIANT_HJ212 and (mn < 0 or (mn_variants[mn] & variant) == 0):
            outcome = CRC_VARIANT
            time = find_data_time(buf, p + 6, bound[1])
        elif head[0] < 0:
            outcome = NO_CN
            time = find_data_time(buf, p + 6, bound[1])
        elif head[0] == 2051 or head[0] == 2061 or head[0] == 2031:
            if head[5] < 0:
                outcome = NO_DATA_AREA
            elif mn < 0:
                outcome = UNKNOWN_MN
                time = find_data_time(buf, head[5], bound[1])
            else:
                row = n_rows
                before = n_cells
                n_cells = parse_data(
                    buf, head[5], bound[1], row, name_keys, name_values, values, dps, flags, seen, cells, n_cells, head
                )
                time = head[6]
                if _holds_header(buf, head[7], bound[1]):
                    # A corrupted LEN that reaches into the next frame and hits a fitting CRC by chance (1 in 256).
                    outcome = BAD_LENGTH
                    end = _line_end(buf, p, 6)
                elif time == NO_TIME:
                    outcome = BAD_DATA_TIME
                elif time < window_lo or time >= window_hi or (head[2] != NO_TIME and time > head[2] + DAY_MS):
                    outcome = DATA_TIME_WINDOW
                if outcome == ACCEPTED:
                    n_rows += 1
                else:
                    n_cells = before
                    row = -1
                    values[:, n_rows] = np.nan
                    dps[:, n_rows] = 0
                    flags[:, n_rows] = 0
        _add_frame(frames, n_frames, p, end, outcome, variant, mn, head, row, time)
        n_frames += 1
        p = end
    counts[0] = n_frames
    counts[1] = n_rows
    counts[2] = n_cells
    counts[3] = noise
    return p


@njit(cache=True, nogil=True)
def _add_frame(
    frames: Ints, n: int, lo: int, hi: int, outcome: int, variant: int, mn: int, head: Ints, row: int, time: int
) -> None:
    frames[n, 0] = lo
    frames[n, 1] = hi
    frames[n, 2] = outcome
    frames[n, 3] = variant
    frames[n, 4] = mn
    frames[n, 5] = head[0]
    frames[n, 6] = head[1]
    frames[n, 7] = head[2]
    frames[n, 8] = row
    frames[n, 9] = time
    frames[n, 10] = head[3]
    frames[n, 11] = head[4]


class Tables:
    """What a scan must know: factor codes, device numbers and the window of plausible times.

    codes: factor code -> channel index. devices: device numbers, `variants` their permitted CRC variants (VARIANT bits).
    window: first and last (exclusive) DataTime in ms of the local clock.
    """

    def __init__(self, codes: dict[str, int], devices: list[str], variants: list[int], window: tuple[int, int]) -> None:
        self.channels = max(codes.values(), default=-1) + 1
        self.names = name_table(codes)
        self.devices = mn_table(devices)
        self.variants = np.asarray(variants, np.int8).reshape(len(devices))
        self.window = window


class Workspace:
    """Arrays that one scan fills and the next one reuses; one per thread."""

    def __init__(self, channels: int, rows: int = 16384, frames: int = 32768, cells: int = 32768) -> None:
        # The pad keeps the slots of one row apart in the cache: strides that are powers of two would all share one set.
        stride = rows + 8
        self.frames = np.zeros((frames, 12), np.int64)
        self.values = np.full((channels * SUBFIELDS, stride), np.nan)[:, :rows]
        self.dps = np.zeros((channels, stride), np.uint32)[:, :rows]
        self.flags = np.zeros((channels, stride + 56), np.uint8)[:, :rows]
        #: Which value slots, then (from the end) which channels' flags occur at all.
        self.seen = np.zeros(channels * (SUBFIELDS + 1), np.uint8)
        self.cells = np.zeros((cells, 6), np.int64)
        self.counts = np.zeros(4, np.int64)

    def clear(self) -> None:
        """Forget the rows of the last scan."""
        n = int(self.counts[1])
        for slot in self.slots():
            self.values[slot, :n] = np.nan
        self.dps[:, :n] = 0
        self.flags[:, :n] = 0
        self.seen[:] = 0
        self.counts[:] = 0

    def slots(self) -> list[int]:
        """Value slots that occur in the rows of the last scan."""
        return [int(s) for s in np.flatnonzero(self.seen[: self.values.shape[0]])]

    def channels(self) -> list[int]:
        """Channels with a value or a flag in the rows of the last scan."""
        flagged = np.flatnonzero(self.seen[self.values.shape[0] :][::-1])
        return sorted({s // SUBFIELDS for s in self.slots()} | {int(c) for c in flagged})


def scan_some(buf: NDArray[Any], start: int, stop: int, tables: Tables, work: Workspace, *, at_end: bool) -> int:
    """Scan `buf` (uint8) from `start` for frames that open before `stop`, until done or a table of `work` is full.

    Returns the position decided up to: at or beyond `stop` when done, the end of what is known when the buffer ends inside
    a frame (`at_end` false), else call again from there with a cleared workspace.

    Afterwards `work` holds: counts = frames, rows, cells, noise bytes; frames[i] = first byte, end, outcome, CRC variant bit,
    device index or -1, CN or -1, protocol version, QN ms or NO_TIME, row or -1, DataTime ms or NO_TIME, MN first byte, MN end;
    values[channel * 7 + sub, row] float64 (NaN where absent), dps[channel, row] four bits of decimals a sub-field,
    flags[channel, row] ASCII or 0; cells[i] = row, why (CELL_*), name first, name end, value first, value end.
    """
    if buf.dtype != np.uint8 or buf.ndim != 1:
        raise ValueError(f"buffer must be one-dimensional uint8, not {buf.dtype} with {buf.ndim} dimensions")
    if not 0 <= start <= buf.size:
        raise ValueError(f"start {start} lies outside a buffer of {buf.size} bytes")
    return int(
        scan(
            buf, start, min(stop, buf.size), at_end, *tables.names, *tables.devices, tables.variants, *tables.window,
            work.frames, work.values, work.dps, work.flags, work.seen, work.cells, work.counts,
        )
    )  # fmt: skip
