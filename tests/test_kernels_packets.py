"""Printed frames against the obvious way of writing them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import packets
from kernels.packets import Forms, print_frames


def slow_crc(data: bytes, modbus: bool) -> int:
    reg = 0xFFFF
    for byte in data:
        reg = reg ^ byte if modbus else (reg >> 8) ^ byte
        for _ in range(8):
            reg = (reg >> 1) ^ 0xA001 if reg & 1 else reg >> 1
    return reg


def slow_time(ms: int, kind: int) -> str:
    at = datetime(1970, 1, 1) + timedelta(milliseconds=ms)
    if kind == packets.STAMP:
        return at.strftime("%Y-%m-%d %H:%M:%S")
    digits = at.strftime("%Y%m%d%H%M%S")
    return digits if kind == packets.DATA_TIME else f"{digits}{ms % 1000:03d}"


def slow_field(kind: int, value: int, decimals: int, times: list[int]) -> str:
    if kind == packets.NUMBER:
        return f"{Decimal(value).scaleb(-decimals):.{decimals}f}"
    if kind == packets.LETTER:
        return chr(value) if value > 0 else ""
    if kind == packets.NOTHING:
        return ""
    return slow_time(times[{packets.QN: 1, packets.STAMP: 2}.get(kind, 0)], kind)


FIELD = st.tuples(
    st.sampled_from(
        [
            packets.NOTHING,
            packets.NUMBER,
            packets.LETTER,
            packets.DATA_TIME,
            packets.DATA_TIME_MS,
            packets.QN,
            packets.STAMP,
        ]
    ),
    st.integers(0, 6),
    st.text("abc019=,;-", max_size=20),
)
# 1900 to 2199 and the borders of days.
MOMENT = st.one_of(
    st.integers(-2_208_988_800_000, 7_258_118_399_999),
    st.integers(-25_567, 84_000).map(lambda d: d * 86_400_000),
    st.integers(-25_567, 84_000).map(lambda d: d * 86_400_000 - 1),
)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.lists(FIELD, max_size=8), st.lists(FIELD, max_size=2), st.sampled_from([0, 1, 2]))
def test_frames_equal_plain_formatting(data, segment, prefix, crc):
    every = prefix + segment
    text, ops = b"", []
    for argument, (kind, decimals, literal) in enumerate(every):
        ops.append((len(text), len(text) + len(literal), kind, argument, decimals))
        text += literal.encode()
    forms = Forms(
        np.frombuffer(text, np.uint8),
        np.array(ops, np.int32).reshape(-1, packets.OP_COLUMNS),
        np.array([[0, len(prefix), len(prefix), len(every), crc]], np.int32),
    )
    count = data.draw(st.integers(0, 3))
    number = st.integers(-(10**15), 10**15)
    rows = [
        [data.draw(st.integers(0, 126) if kind == packets.LETTER else number) for kind, _, _ in every]
        for _ in range(count)
    ]
    times = [[data.draw(MOMENT) for _ in range(3)] for _ in range(count)]

    expected, places = b"", []
    for row, moments in zip(rows, times, strict=True):
        spelled = [literal + slow_field(kind, row[i], dp, moments) for i, (kind, dp, literal) in enumerate(every)]
        before = "".join(spelled[: len(prefix)]).encode()
        body = "".join(spelled[len(prefix) :]).encode()
        check = f"{slow_crc(body, crc == packets.CRC_MODBUS):04X}"
        check = check.lower() if crc == packets.CRC_LOWER else check
        places.append((len(expected), len(expected) + len(before)))
        expected += before + f"##{len(body):04d}".encode() + body + check.encode() + b"\r\n"

    out = np.zeros(max(int(forms.widest()[0]) * count, 1), np.uint8)
    marks = np.zeros((count, 3), np.int64)
    end = print_frames(
        forms, np.zeros(count, np.int32), np.arange(count) * len(every), np.array(times, np.int64).reshape(-1, 3),
        np.array(rows, np.int64).ravel(), out, marks,
    )  # fmt: skip
    assert out[:end].tobytes() == expected
    assert [tuple(m[:2]) for m in marks.tolist()] == places
    assert [m[2] for m in marks.tolist()] == [p for p, _ in places[1:]] + [len(expected)] * bool(count)


def one_form(literal: bytes) -> Forms:
    return Forms(
        np.frombuffer(literal, np.uint8),
        np.array([[0, len(literal), packets.NOTHING, 0, 0]], np.int32),
        np.array([[0, 0, 0, 1, packets.CRC_UPPER]], np.int32),
    )


def call(forms: Forms, out: int, rows: int = 1) -> int:
    return print_frames(
        forms, np.zeros(1, np.int32), np.zeros(1, np.int64), np.zeros((1, 3), np.int64), np.zeros(1, np.int64),
        np.zeros(out, np.uint8), np.zeros((rows, 3), np.int64),
    )  # fmt: skip


def test_a_buffer_that_could_be_too_small_is_refused():
    with pytest.raises(ValueError, match="bytes may be needed"):
        call(one_form(b"x" * 50), 40)


def test_a_segment_that_len_cannot_tell_is_refused():
    with pytest.raises(ValueError, match="9999"):
        call(one_form(b"x" * 10_000), 20_000)


def test_tables_of_different_length_are_refused():
    with pytest.raises(ValueError, match="one row per frame"):
        call(one_form(b"x"), 100, rows=2)
