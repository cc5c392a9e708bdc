"""The HJ 212 kernel: real packets, its slow twin on mutated streams, and rule 5.1 to the byte."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import hj212, hj212_fields, hj212_time
from resources.hj212_reader import CELL_REASONS, REASONS
from tests import twin_hj212 as twin

DATA = Path(__file__).parents[2] / "shared" / "data" / "hj212"
CODES = {"01": 0, "a34013": 0, "02": 1, "a21026": 1, "03": 2, "a21002": 2, "S01": 10, "a19001": 10}
KNOWN = ["PSEUDO00000001", "010000A8900016F000169DC0", "X"]
WINDOW = (0, 4_102_444_800_000)
TABLES = hj212.Tables(CODES, KNOWN, [1, 1, 1], WINDOW)
WORK = hj212.Workspace(16, rows=64, frames=128, cells=8192)
OUTCOMES = {0: "accepted", **REASONS}


def scan(raw: bytes, step: int | None = None) -> tuple[list[twin.Frame], int]:
    """Everything the kernel says of a buffer, in the twin's words; `step` feeds it in pieces."""
    buf = np.frombuffer(raw, np.uint8)
    frames: list[twin.Frame] = []
    noise = 0
    at = 0
    upto = len(raw) if step is None else min(step, len(raw))
    while True:
        WORK.clear()
        end = hj212.scan_some(buf[:upto], at, upto, TABLES, WORK, at_end=upto == len(raw))
        n, _, n_cells, extra = (int(c) for c in WORK.counts)
        noise += extra
        cells = WORK.cells[:n_cells].tolist()
        frames += [frame_of(raw, f, cells) for f in WORK.frames[:n].tolist()]
        if end >= len(raw):
            return frames, noise
        if (end == at and upto < len(raw)) or (upto < len(raw) and end >= upto):
            upto = min(upto + step, len(raw))
        at = end


def frame_of(raw: bytes, f: list[int], cells: list[list[int]]) -> twin.Frame:
    time = None if f[9] == hj212_time.NO_TIME else f[9]
    made = twin.Frame(f[0], f[1], OUTCOMES[f[2]], f[5], raw[f[10] : f[11]], time)
    row = f[8]
    if row >= 0:
        for slot in np.flatnonzero(~np.isnan(WORK.values[:, row])).tolist():
            channel, sub = divmod(slot, hj212_fields.SUBFIELDS)
            made.values[channel, sub] = (float(WORK.values[slot, row]), int(WORK.dps[channel, row]) >> (4 * sub) & 15)
        made.flags = {c: int(WORK.flags[c, row]) for c in np.flatnonzero(WORK.flags[:, row]).tolist()}
        made.cells = [(CELL_REASONS[c[1]], raw[c[2] : c[3]], raw[c[4] : c[5]]) for c in cells if c[0] == row]
    return made


def conserved(raw: bytes, frames: list[twin.Frame], noise: int) -> None:
    """Rule 5.1: every byte is in one frame or noise, frames do not overlap."""
    assert sum(f.hi - f.lo for f in frames) + noise == len(raw)
    assert all(a.hi <= b.lo for a, b in itertools.pairwise(frames))


def packets() -> list[dict]:
    file = DATA / "packets.jsonl"
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


def raw_of(packet: dict) -> bytes:
    return packet["packet"].encode("latin-1" if packet["encoding"] == "latin1" else "utf-8")


@pytest.mark.skipif(not packets(), reason="../shared/data/hj212/packets.jsonl is not here")
@pytest.mark.parametrize("packet", packets(), ids=lambda p: p["id"])
def test_real_packet_is_judged_as_expected(packet: dict) -> None:
    raw = raw_of(packet)
    frames, noise = scan(raw)
    conserved(raw, frames, noise)
    framed_right = {"accepted", "no_cn", "no_data_area", "unknown_mn", "bad_data_time", "data_time_window"}
    sound = [f.outcome in framed_right for f in frames]
    expected = packet["expected"]
    if expected.get("frames_expected"):
        assert sound == [True] * expected["frames_expected"]
    else:
        assert (sound == [True] and noise == 0) == bool(expected["valid_frame"])
    if expected["crc_variant"] in ("modbus", "modbus_swapped"):
        assert [f.outcome for f in frames] == ["crc_variant"]


@pytest.mark.skipif(not packets(), reason="../shared/data/hj212/packets.jsonl is not here")
def test_peers_asserted_values_are_met() -> None:
    told = 0
    for packet in packets():
        asserted = packet.get("peer_asserts", {})
        if not asserted or not packet["expected"]["valid_frame"]:
            continue
        raw = raw_of(packet)
        segment = raw[6:].split(b"&&")
        for name, value in asserted.items():
            if name in ("MN", "CN", "ST", "Flag", "PW"):
                assert f"{name}={value}".encode() in segment[0]
                told += 1
            elif name in ("DataTime", "crc", "declared_length"):
                assert str(value).encode() in raw
                told += 1
            elif "-" in name:
                codes = {name.rpartition("-")[0]: 0}
                frame = read_one(raw, codes, packet["head"]["MN"])
                if name.endswith(("-Avg", "-Cou")):
                    assert frame.values[0, twin.SUBS[name.rpartition("-")[2].encode()]][0] == float(value)
                    told += 1
    assert told >= 8


def read_one(raw: bytes, codes: dict[str, int], mn: str) -> twin.Frame:
    tables = hj212.Tables(codes, [mn], [7], WINDOW)
    WORK.clear()
    hj212.scan_some(np.frombuffer(raw, np.uint8), 0, len(raw), tables, WORK, at_end=True)
    cells = WORK.cells[: int(WORK.counts[2])].tolist()
    return frame_of(raw, WORK.frames[0].tolist(), cells)


@pytest.mark.skipif(not (DATA / "segments.jsonl").exists(), reason="../shared/data/hj212/segments.jsonl is not here")
def test_standard_segments_have_their_crc_and_length() -> None:
    lines = [json.loads(line) for line in (DATA / "segments.jsonl").read_text("utf-8").splitlines()]
    checked = 0
    for line in lines:
        raw = line["derived_frame"].encode() if line.get("derived_frame") else b""
        if not raw or line["elided"]:
            continue
        frames, noise = scan(raw)
        assert [f.outcome == "bad_crc" for f in frames] == [False], line["id"]
        assert noise == 0
        assert twin.crc(line["segment"].encode()) == int(line["computed_crc"], 16)
        checked += 1
    assert checked > 100


def test_the_standards_own_example() -> None:
    segment = b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&"
    for crc, outcome in ((b"1C80", "accepted"), (b"1c80", "accepted"), (b"1C08", "bad_crc"), (b"0759", "crc_variant")):
        frames, _ = scan(b"##0101" + segment + crc + b"\r\n")
        assert [f.outcome for f in frames] == [outcome]


MINUTE = (
    b"QN=20261101000105000;ST=31;CN=2051;PW=123456;MN=X;Flag=5;CP=&&DataTime=20261101000000;"
    b"a34013-Avg=4.10,a34013-Min=3.9,a34013-Flag=N;a21002-Avg=-0.00,a21002-ZsAvg=48.123;a19001-Avg=10.2;Nh3-scr-Rtd=1.5&&"
)


def test_a_row_gives_back_the_reported_text() -> None:
    frame = scan(twin.framed(MINUTE))[0][0]
    assert frame.outcome == "accepted"
    texts = {k: f"{v:.{dp}f}" for k, (v, dp) in frame.values.items()}
    assert texts == {(0, 0): "4.10", (0, 1): "3.9", (2, 0): "-0.00", (2, 4): "48.123", (10, 0): "10.2"}
    assert frame.flags == {0: ord("N")}
    assert frame.cells == [("unknown_factor", b"Nh3-scr-Rtd", b"1.5")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [(b"--", "bad_value"), (b"", "bad_value"), (b"1e3", "verbatim"), (b"+1.5", "verbatim"), (b"007", "verbatim"),
     (b".5", "verbatim"), (b"12345678901234567", "verbatim"), (b"1e999", "bad_value"), (b"1.2.3", "bad_value"),
     (b"nan", "bad_value"), (b"12x", "bad_value")],
)  # fmt: skip
def test_numbers_outside_the_plain_form_are_kept_or_refused(text: bytes, reason: str) -> None:
    frame = scan(twin.framed(MINUTE.replace(b"10.2", text)))[0][0]
    assert (reason, b"a19001-Avg", text) in frame.cells
    assert ((10, 0) in frame.values) == (reason == "verbatim")


@pytest.mark.parametrize(
    ("pair", "cell"),
    [
        (b"a19001-Avg=1&0", ("bad_value", b"a19001-Avg", b"1&0")),
        (b"a19001-Avg=10.2&&a21026-Avg=3", ("bad_value", b"", b"a21026-Avg=3;Nh3-scr-Rtd=1.5&&")),
        (b"DataTime=20261102000000", ("repeated_key", b"DataTime", b"20261102000000")),
    ],
)
def test_nothing_behind_a_stray_sign_is_thrown_away(pair: bytes, cell: tuple[str, bytes, bytes]) -> None:
    frame = scan(twin.framed(MINUTE.replace(b"a19001-Avg=10.2", pair)))[0][0]
    assert frame.outcome == "accepted"
    assert cell in frame.cells


@pytest.mark.parametrize(("flag", "version", "ack"), [(5, 1, True), (9, 2, True), (4, 1, False)])
def test_V28_flag_bits_name_the_edition(flag: int, version: int, ack: bool) -> None:
    raw = twin.framed(MINUTE.replace(b"Flag=5", b"Flag=%d" % flag))
    scan(raw)
    assert WORK.frames[0, 6] == version
    assert bool(flag & 1) == ack


def test_an_encrypted_area_is_recognised_and_cut_by_its_length() -> None:
    plain = MINUTE.replace(b"Flag=5", b"Flag=9")
    at = plain.index(b"CP=&&") + 5
    cipher = plain[:at] + bytes((b * 7 + 13) % 256 for b in plain[at:-2]) + b"&&"
    raw = b"##%04d%s%04X\r\n" % (len(cipher), cipher, twin.crc(plain)) + twin.framed(MINUTE)
    assert [f.outcome for f in scan(raw)[0]] == ["encrypted", "accepted"]


def test_chinese_text_counts_in_characters() -> None:
    segment = MINUTE.replace(b"Nh3-scr-Rtd=1.5", "备注=停窑检修".encode())
    raw = b"##%04d%s%04X\r\n" % (len(segment.decode()), segment, twin.crc(segment))
    frames, noise = scan("日志 ".encode("gb18030") + raw)
    assert [f.outcome for f in frames] == ["accepted"]
    assert noise == 5


SAMPLES = [
    twin.framed(MINUTE),
    twin.framed(MINUTE, end=b""),
    twin.framed(MINUTE.replace(b"Flag=5", b"Flag=9")),
    twin.framed(MINUTE.replace(b"MN=X", b"MN=UNKNOWN")),
    twin.framed(MINUTE.replace(b"DataTime=20261101000000", b"DataTime=20000202000000123")),
    twin.framed(MINUTE.replace(b"CN=2051", b"CN=2061").replace(b"QN=20261101000105000;", b"")),
    twin.framed(b"ST=91;CN=9015;MN=X;Flag=4;CP=&&&&"),
    b"2026-11-01 00:00:00 INFO \xc1\xaa\xcd\xa8 ",
    b"##test=1\r\n",
    b"##0931QN=1;CP=&&&&\n",
    b"\x00\xff# ## \r\n",
]


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Samples one after the other, some with bytes lost, changed or doubled."""
    parts = []
    for _ in range(draw(st.integers(1, 6))):
        part = bytearray(draw(st.sampled_from(SAMPLES)))
        for _ in range(draw(st.integers(0, 2))):
            at = draw(st.integers(0, len(part) - 1))
            kind = draw(st.integers(0, 3))
            if kind == 0:
                part[at] = draw(st.integers(0, 255))
            elif kind == 1:
                del part[at : at + draw(st.integers(1, 4))]
            elif kind == 2:
                part[at:at] = draw(st.sampled_from([b"##", b"&&", b"\r\n", b";", b",", b"=", b"-", b"##0012", b"\x00"]))
            else:
                part[at:at] = part[at : at + 20]
            if not part:
                break
        parts.append(bytes(part))
    return b"".join(parts)


@settings(max_examples=300, deadline=None)
@given(streams())
def test_kernel_equals_its_twin(raw: bytes) -> None:
    frames, noise = scan(raw)
    conserved(raw, frames, noise)
    codes = {k.encode(): v for k, v in CODES.items()}
    expected, expected_noise = twin.scan(raw, codes, {m.encode() for m in KNOWN}, WINDOW)
    assert [(f.lo, f.hi, f.outcome) for f in frames] == [(f.lo, f.hi, f.outcome) for f in expected]
    assert noise == expected_noise
    for got, want in zip(frames, expected, strict=True):
        if want.outcome == "accepted":
            assert (got.cn, got.mn) == (want.cn, want.mn)
            if want.cn in (2051, 2061, 2031):
                assert (got.time, got.values, got.flags, got.cells) == (want.time, want.values, want.flags, want.cells)


@settings(max_examples=100, deadline=None)
@given(streams(), st.integers(7, 400))
def test_pieces_give_what_the_whole_gives(raw: bytes, step: int) -> None:
    whole, noise = scan(raw)
    pieces, noise_in_pieces = scan(raw, step)
    assert pieces == whole
    assert noise_in_pieces == noise
