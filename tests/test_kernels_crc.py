"""The CRC kernels against the standard's examples and the bitwise definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.crc import crc_hj212, crc_modbus

STANDARD_2017 = b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&"
EXAMPLE_2025 = b"QN=20240601085857223;ST=32;CN=1011;PW=123456;MN=010000A8900016F000169DC0;Flag=9;CP=&&&&"

VECTORS = [
    pytest.param(b"", 0xFFFF, 0xFFFF, id="empty"),
    pytest.param(b"\x00", 0x4040, 0x40BF, id="one-zero-byte"),
    pytest.param(b"123456789", 0x2F80, 0x4B37, id="123456789"),
    pytest.param(STANDARD_2017, 0x1C80, 0x0759, id="HJ212-2017-example"),
    pytest.param(EXAMPLE_2025, 0x2200, 0xCCF4, id="HJ212-2025-example"),
]


def bitwise_hj212(data: bytes) -> int:
    """Appendix A as written: the register's high byte is xored with the byte, the low byte is dropped."""
    reg = 0xFFFF
    for byte in data:
        reg = (reg >> 8) ^ byte
        for _ in range(8):
            carry = reg & 1
            reg >>= 1
            if carry:
                reg ^= 0xA001
    return reg


def bitwise_modbus(data: bytes) -> int:
    """CRC-16/MODBUS as commonly defined."""
    reg = 0xFFFF
    for byte in data:
        reg ^= byte
        for _ in range(8):
            carry = reg & 1
            reg >>= 1
            if carry:
                reg ^= 0xA001
    return reg


def as_array(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.uint8)


@pytest.mark.parametrize(("data", "hj212", "modbus"), VECTORS)
def test_vectors_of_the_standard(data, hj212, modbus):
    assert crc_hj212(as_array(data), 0, len(data)) == hj212
    assert crc_modbus(as_array(data), 0, len(data)) == modbus
    assert bitwise_hj212(data) == hj212
    assert bitwise_modbus(data) == modbus


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=70), st.integers(0, 9), st.integers(0, 9))
def test_any_slice_equals_the_bitwise_definition(data, skip_front, skip_back):
    lo = min(skip_front, len(data))
    hi = max(lo, len(data) - skip_back)
    assert crc_hj212(as_array(data), lo, hi) == bitwise_hj212(data[lo:hi])
    assert crc_modbus(as_array(data), lo, hi) == bitwise_modbus(data[lo:hi])


def test_only_256_values_exist():
    """The 8-bit state shows: over all two-byte inputs there are 256 check sums with eight low bytes."""
    pairs = np.array([[a, b] for a in range(256) for b in range(256)], np.uint8).ravel()
    seen = {crc_hj212(pairs, 2 * i, 2 * i + 2) for i in range(65536)}
    assert len(seen) == 256
    assert {value & 0xFF for value in seen} == {0x00, 0x01, 0x40, 0x41, 0x80, 0x81, 0xC0, 0xC1}
